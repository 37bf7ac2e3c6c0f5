//! Deciding in turns: of several processes on one database, one decides at a time, so that windows, thresholds and
//! draws follow one another as if there were only one.
//!
//! Every process follows what all of them record, and so knows the past at any moment. One holds a lease. It takes up
//! what was lodged, wherever that was, and records what follows from it under the lease's fence: another process that
//! took the lease over meanwhile is the only one whose decisions count, however long this one stood still.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::{RecordedEvent, Turn};
use serde::Deserialize;

use super::clerk::{Clerk, EVENTS_PER_READ};
use super::desk::{Landed, Parts};
use super::event::{
    AMENDED, AMENDMENT_DENIED, AMENDMENT_REQUESTED, CANCEL_DENIED, CANCEL_REQUESTED, LODGED, Lodged,
    PRESENTED, SELECTION_MADE, STREAM_PREFIX, TAGS_APPLIED, THRESHOLD_MOVED,
};
use super::lodging::Waiting;
use crate::error::{Error, Kind};

/// What processes take turns at.
const LEASE: &str = "desk";
/// How long it is waited for something to do.
const IDLE: Duration = Duration::from_millis(100);
/// Pause after a failure.
const RETRY: Duration = Duration::from_millis(500);
/// Declarations decided at once.
const BATCH_MAX: usize = 256;

/// What is told of it, and what it is told.
#[derive(Clone, Default)]
pub(super) struct Signs {
    /// Decisions are wanted of this process.
    pub(super) wanted: Arc<AtomicBool>,
    /// The past is known.
    pub(super) ready: Arc<AtomicBool>,
    /// This process has the turn.
    pub(super) decides: Arc<AtomicBool>,
    /// Something of the past was erased: it is to be read again.
    pub(super) read_again: Arc<AtomicBool>,
}

/// The thread that decides when it is this process's turn.
pub(super) struct InTurns {
    parts: Parts,
    signs: Signs,
    turn: Turn,
}

/// A clerk and how far it has followed the journal.
struct Follower {
    clerk: Clerk,
    position: u64,
    /// The past was read up to here; decisions of this process after it were made by this very clerk.
    read_until: u64,
    /// Lodged, or presented, and nothing else has happened to them yet: by position.
    undecided: BTreeMap<u64, Waiting>,
    places: HashMap<String, u64>,
    /// Declarations that were lodged before their goods, which are here; not accepted yet.
    presented: HashSet<String>,
}

impl InTurns {
    /// Answers with the signs of the thread, too.
    pub(super) fn new(parts: Parts) -> Result<(Self, Signs), Error> {
        let turn = Turn::new(LEASE, &parts.node)?;
        let signs = Signs { decides: turn.sign(), ..Signs::default() };
        Ok((Self { parts, signs: signs.clone(), turn }, signs))
    }

    /// Works until the house is closed.
    pub(super) fn run(&mut self) {
        while !self.signs.wanted.load(Ordering::Relaxed) {
            if self.closing() {
                return;
            }
            std::thread::sleep(IDLE);
        }
        while !self.closing() {
            let ended = Follower::new(&self.parts).and_then(|mut follower| {
                self.signs.ready.store(true, Ordering::Relaxed);
                self.follow(&mut follower)
            });
            self.signs.ready.store(false, Ordering::Relaxed);
            // Reading the past takes a while: meanwhile another process may decide.
            self.turn.give_back(self.parts.journal.as_ref());
            match ended {
                Ok(()) => {}
                Err(error) if error.kind == Kind::Cancelled => {}
                Err(error) => {
                    tracing::warn!(code = error.code, "the past is read again: {error}");
                    std::thread::sleep(RETRY);
                }
            }
        }
        self.turn.give_back(self.parts.journal.as_ref());
    }

    fn closing(&self) -> bool {
        self.parts.closing.load(Ordering::Relaxed)
    }

    /// Follows and decides until the past is to be read again, or the house is closed.
    fn follow(&mut self, follower: &mut Follower) -> Result<(), Error> {
        while !self.closing() {
            if self.signs.read_again.swap(false, Ordering::SeqCst) || !follower.clerk.keeps_up_with_packs() {
                return Ok(());
            }
            let mine = self.turn.keep(self.parts.journal.as_ref()).unwrap_or_else(|error| {
                tracing::warn!(%error, "it cannot be asked whose turn it is");
                false
            });
            match follower.catch_up(&self.parts) {
                // Nothing was decided on what is not recorded: the past need not be read again for it.
                Err(error) if error.kind == Kind::Busy => {
                    tracing::warn!(code = error.code, "the journal cannot be followed now: {error}");
                    std::thread::sleep(RETRY);
                    continue;
                }
                caught_up => caught_up?,
            }
            if mine && follower.has_work() {
                self.decide(follower)?;
            } else {
                let _ = self.parts.journal.wait_for(follower.position.saturating_add(1), IDLE);
            }
        }
        Ok(())
    }

    /// Decides some of what was lodged. After an error the clerk knows more than what is recorded.
    fn decide(&self, follower: &mut Follower) -> Result<(), Error> {
        let Some(fence) = self.turn.fence() else { return Ok(()) };
        follower.clerk.past.catch_up()?;
        let taken = follower.take(BATCH_MAX);
        let outgoing = follower.clerk.take_up(taken);
        let position = if outgoing.request.events.is_empty() {
            follower.position
        } else {
            self.parts.journal.append_as_holder(outgoing.request, &fence)?.last_position()
        };
        follower.clerk.landed(&Landed { number: outgoing.number, position });
        Ok(())
    }
}

impl Follower {
    /// Reads the past up to now.
    fn new(parts: &Parts) -> Result<Self, Error> {
        let mut follower = Self {
            clerk: Clerk::new(parts, 1),
            position: 0,
            read_until: u64::MAX,
            undecided: BTreeMap::new(),
            places: HashMap::new(),
            presented: HashSet::new(),
        };
        follower.catch_up(parts)?;
        follower.clerk.past.catch_up()?;
        follower.read_until = follower.position;
        Ok(follower)
    }

    /// Follows the journal to its end.
    fn catch_up(&mut self, parts: &Parts) -> Result<(), Error> {
        loop {
            if parts.closing.load(Ordering::Relaxed) {
                return Err(Error::cancelled());
            }
            let events = parts.journal.feed(self.position, EVENTS_PER_READ)?;
            if events.is_empty() {
                return Ok(());
            }
            for event in &events {
                self.follow(parts, event)?;
                self.position = event.position;
            }
        }
    }

    fn follow(&mut self, parts: &Parts, event: &RecordedEvent) -> Result<(), Error> {
        let kind = event.envelope.kind.as_str();
        let own = event.envelope.node == parts.node && event.position > self.read_until;
        if let Some(mrn) = event.envelope.stream.strip_prefix(STREAM_PREFIX) {
            if let Some(place) = self.places.remove(mrn) {
                self.undecided.remove(&place);
            }
            let waiting = match kind {
                LODGED => {
                    event.payload.value().and_then(|own| Lodged::deserialize(own).ok()).map(Waiting::lodged)
                }
                PRESENTED => self.arrived(mrn, event),
                // What was asked for is decided: it may be accepted now.
                AMENDED | AMENDMENT_DENIED | CANCEL_DENIED if self.presented.contains(mrn) => {
                    self.clerk.past.follow(event)?;
                    self.arrived(mrn, event)
                }
                kind => {
                    if !matches!(kind, AMENDMENT_REQUESTED | CANCEL_REQUESTED) {
                        self.presented.remove(mrn);
                    }
                    None
                }
            };
            if let Some(waiting) = waiting {
                self.places.insert(mrn.to_owned(), event.position);
                self.undecided.insert(event.position, waiting);
            }
        }
        if kind.starts_with("policy.") {
            // A plan is known before what was decided under it.
            let mut policies = parts.policies.write().unwrap_or_else(PoisonError::into_inner);
            policies.follow(parts.journal.as_ref())?;
        }
        if own && matches!(kind, TAGS_APPLIED | SELECTION_MADE | THRESHOLD_MOVED) {
            return Ok(());
        }
        self.clerk.past.follow(event)
    }

    /// Its goods are here: as it stands now it can be accepted.
    fn arrived(&mut self, mrn: &str, event: &RecordedEvent) -> Option<Waiting> {
        self.presented.insert(mrn.to_owned());
        let lodged = self.clerk.past.untagged(mrn)?.clone();
        Some(Waiting::presented(lodged, event.envelope.stream_version))
    }

    fn has_work(&self) -> bool {
        !self.undecided.is_empty() && self.clerk.in_force().acceptance.is_some()
    }

    /// The first of what is undecided, in the order in which it was lodged.
    fn take(&mut self, limit: usize) -> Vec<Waiting> {
        let mut taken = Vec::new();
        while taken.len() < limit
            && let Some((_, waiting)) = self.undecided.pop_first()
        {
            self.places.remove(&waiting.lodged.mrn);
            taken.push(waiting);
        }
        taken
    }
}
