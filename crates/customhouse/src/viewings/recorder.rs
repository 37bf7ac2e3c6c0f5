//! Looks on their way into the journal: a bounded number that wait, and one thread that appends them.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use journal::{AppendRequest, Journal, JournalError, NewEvent};
use spine::Actor;

use super::model::{Look, STREAM_PREFIX, VIEWED};
use crate::error::{Error, Kind};

/// Looks that may wait.
const WAITING_MAX: usize = 8_192;
/// Looks of one append.
const LOOKS_PER_APPEND: usize = 1_000;
/// A look waits so long at most before it is on its way to the disk.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// How long a reader waits for room.
const ROOM_WAIT: Duration = Duration::from_secs(10);
/// How long the thread waits after a failure.
const RETRY: Duration = Duration::from_millis(200);
/// How often it is tried again when the house is being closed.
const CLOSING_TRIES: u32 = 25;
/// Looks remembered of the present minute.
const REMEMBERED_MAX: usize = 100_000;

/// A look with who and when.
#[derive(Debug, Clone)]
struct Noted {
    actor: Actor,
    at: Timestamp,
    look: Look,
}

#[derive(Debug, Default)]
struct Standing {
    waiting: Vec<Noted>,
    /// Looks of the present minute: the same again is none.
    seen: HashSet<(String, Look)>,
    minute: i64,
    /// Looks that the thread has taken and not recorded yet.
    under_way: usize,
    closing: bool,
}

#[derive(Debug, Default)]
struct Shared {
    standing: Mutex<Standing>,
    /// Something waits, or the house is being closed.
    filled: Condvar,
    /// Something was recorded.
    recorded: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes looks and records them. Dropping it records what waits.
pub(crate) struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins to record into a journal.
    pub(crate) fn open(journal: Arc<dyn Journal>) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("viewings".to_owned())
            .spawn(move || run(&own, journal.as_ref()))
            .map_err(|error| Error::internal("no_thread", &error))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes a look. It waits for room where too many wait.
    ///
    /// # Errors
    /// `viewing_not_recorded` where there is none in time: what was to be looked at may not be shown then.
    pub(crate) fn note(&self, actor: Actor, at: Timestamp, look: Look) -> Result<(), Error> {
        let mut standing = self.shared.lock();
        let until = Instant::now() + ROOM_WAIT;
        while standing.waiting.len().saturating_add(standing.under_way) >= WAITING_MAX {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || standing.closing {
                return Err(Error::new(
                    Kind::Busy,
                    "viewing_not_recorded",
                    "looks cannot be recorded at the moment, and nothing is shown unrecorded",
                    "Try again in a few seconds; if it happens again, look whether the disk is full.",
                ));
            }
            standing =
                self.shared.recorded.wait_timeout(standing, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let minute = at.as_second().div_euclid(60);
        if standing.minute != minute || standing.seen.len() >= REMEMBERED_MAX {
            standing.seen.clear();
            standing.minute = minute;
        }
        if standing.seen.insert((actor.id.clone(), look.clone())) {
            standing.waiting.push(Noted { actor, at, look });
            if standing.waiting.len() >= LOOKS_PER_APPEND {
                self.shared.filled.notify_one();
            }
        }
        Ok(())
    }

    /// Waits until everything that was taken is recorded, for at most `timeout`. Answers whether it is.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut standing = self.shared.lock();
        while !standing.waiting.is_empty() || standing.under_way > 0 {
            self.shared.filled.notify_one();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            standing =
                self.shared.recorded.wait_timeout(standing, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to hand over.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, journal: &dyn Journal) {
    loop {
        let (taken, closing) = {
            let mut standing = shared.lock();
            if !standing.closing && standing.waiting.len() < LOOKS_PER_APPEND {
                // A little patience puts many looks into one append.
                standing = shared
                    .filled
                    .wait_timeout(standing, FLUSH_EVERY)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
            let taken = std::mem::take(&mut standing.waiting);
            standing.under_way = taken.len();
            (taken, standing.closing)
        };
        if taken.is_empty() && closing {
            return;
        }
        for piece in taken.chunks(LOOKS_PER_APPEND) {
            append(shared, journal, piece);
            let mut standing = shared.lock();
            standing.under_way = standing.under_way.saturating_sub(piece.len());
            shared.recorded.notify_all();
        }
    }
}

/// Appends until it is done; gives up only where the house is closed over a disk that takes nothing.
fn append(shared: &Shared, journal: &dyn Journal, looks: &[Noted]) {
    let events: Vec<NewEvent> = looks.iter().filter_map(event).collect();
    let mut tries = 0_u32;
    loop {
        let request = AppendRequest { events: events.clone(), ..AppendRequest::default() };
        let Err(error) = journal.append(request) else { return };
        if matches!(error, JournalError::Malformed { .. } | JournalError::TooLarge { .. }) {
            // It will never be taken as it is: one that cannot be written must not hold up all others.
            match looks.split_at(looks.len() / 2) {
                ([], _) => tracing::error!("a look cannot be written and is left out: {error}"),
                (first, second) => {
                    append(shared, journal, first);
                    append(shared, journal, second);
                }
            }
            return;
        }
        tracing::error!("looks could not be recorded, and are tried again: {error}");
        tries = tries.saturating_add(1);
        if shared.lock().closing && tries >= CLOSING_TRIES {
            tracing::error!(looks = events.len(), "the house closes, and these looks are lost");
            return;
        }
        std::thread::sleep(RETRY);
    }
}

fn event(noted: &Noted) -> Option<NewEvent> {
    Some(NewEvent {
        stream: format!("{STREAM_PREFIX}{}", noted.at.strftime("%Y-%m-%d")),
        kind: VIEWED.to_owned(),
        kind_version: 1,
        occurred_at: noted.at,
        actor: noted.actor.clone(),
        causation: None,
        // Plain data: it can be written.
        payload: serde_json::to_value(&noted.look).ok()?,
    })
}
