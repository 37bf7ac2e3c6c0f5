//! One log that several processes keep, one at a time.
//!
//! A lease of the journal says whose turn it is. Whoever has it opens the log from what is published and goes on; the
//! others look at the published checkpoint, so that each can answer and prove. The turn is asked for once more right
//! before each publication. A process that stood still between that and the last rename may put a checkpoint in place
//! that was overtaken: it is an earlier one of the same history, for all of them derive their entries from the one
//! journal, and whoever has the turn puts its own back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::follow::{Follower, LogSettings, Shared, TRY_AGAIN};
use super::integrate::{Integrator, JournalEntries, LogIdentity};
use crate::Journal;
use crate::clock::Clock;
use crate::lease::Lease;
use crate::log::error::LogError;
use crate::log::files::Files;
use crate::log::note::VerifierKey;
use crate::log::tiles::LogReader;

/// What is leased.
pub(super) const LEASE: &str = "log";
/// A process that says nothing for so long has lost its turn.
const LEASE_TIME: Duration = Duration::from_secs(3);
/// How often the turn is kept.
const RENEW_EVERY: Duration = Duration::from_millis(800);
/// How often the turn is tried for.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// How often those who wait look at what is published.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The turn to write the log.
pub(super) struct Turn {
    holder: String,
    lease: Option<Lease>,
    asked: Option<Instant>,
    holds: Arc<AtomicBool>,
}

impl Turn {
    pub(super) fn new(holder: &str, holds: Arc<AtomicBool>) -> Self {
        Self { holder: holder.to_owned(), lease: None, asked: None, holds }
    }

    /// Takes the turn, or keeps it; answers whether this process has it now.
    pub(super) fn ask(&mut self, journal: &dyn Journal) -> Result<bool, LogError> {
        self.asked = Some(Instant::now());
        let answer = journal.take_lease(LEASE, &self.holder, LEASE_TIME);
        self.lease = answer.as_ref().ok().filter(|lease| lease.holder == self.holder).cloned();
        self.holds.store(self.lease.is_some(), Ordering::SeqCst);
        answer?;
        Ok(self.lease.is_some())
    }

    /// [`Turn::ask`], unless that was a moment ago.
    pub(super) fn keep(&mut self, journal: &dyn Journal) -> Result<bool, LogError> {
        let lately = self.asked.is_some_and(|asked| asked.elapsed() < RENEW_EVERY);
        if lately { Ok(self.lease.is_some()) } else { self.ask(journal) }
    }

    fn give_back(&mut self, journal: &dyn Journal) {
        self.holds.store(false, Ordering::SeqCst);
        if let Some(lease) = self.lease.take()
            && let Err(error) = journal.give_back_lease(&lease)
        {
            tracing::warn!(%error, "the turn to write the log ends by itself");
        }
    }
}

/// The thread of a process among several.
pub(super) struct InTurns {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) files: Arc<dyn Files>,
    pub(super) identity: LogIdentity,
    pub(super) known: Vec<VerifierKey>,
    pub(super) settings: LogSettings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<Shared>,
    pub(super) reader: Arc<LogReader>,
    pub(super) turn: Turn,
}

impl InTurns {
    pub(super) fn run(mut self) {
        let mut tried: Option<Instant> = None;
        loop {
            if self.shared.ends() {
                break;
            }
            if tried.is_none_or(|tried| tried.elapsed() >= TRY_EVERY) {
                tried = Some(Instant::now());
                if let Err(error) = self.try_turn() {
                    tracing::warn!(%error, "the log waits");
                    self.shared.in_trouble(Some(error));
                    self.turn.give_back(self.journal.as_ref());
                    self.shared.pause(TRY_AGAIN);
                    continue;
                }
            }
            self.look();
            self.shared.pause(LOOK_EVERY);
        }
        self.turn.give_back(self.journal.as_ref());
    }

    /// Writes the log while it is this process's turn, if it is.
    fn try_turn(&mut self) -> Result<(), LogError> {
        if !self.turn.ask(self.journal.as_ref())? {
            self.shared.in_trouble(None);
            return Ok(());
        }
        let source = JournalEntries(Arc::clone(&self.journal));
        let integrator = Integrator::open(Arc::clone(&self.files), self.identity.clone(), &source)?;
        self.shared.show(integrator.last());
        let mut follower = Follower::new(
            integrator,
            Arc::clone(&self.journal),
            Arc::clone(&self.shared),
            self.settings.clone(),
            Arc::clone(&self.clock),
        );
        follower.run_turn(&mut self.turn)
    }

    /// Shows the published checkpoint, if it is not behind what was shown before.
    fn look(&self) {
        let Ok(Some(read)) = self.reader.checkpoint() else { return };
        if read.verify(&self.known).is_ok() {
            self.shared.show(Some(Arc::new(read)));
        }
    }
}
