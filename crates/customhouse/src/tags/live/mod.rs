//! Who carries which tag, live: two matrices, of entities and of declarations, that follow the journal by position.
//!
//! An engine: what it holds stands in one file of its own, marked with the position that it reflects. Delete the folder
//! `tag-matrix`, and it is made anew from the journal; a file that is damaged, of another journal or of another version
//! gives way by itself. One thread follows; whoever asks reads an epoch that no longer changes and waits for nobody.
//! An entity carries a tag from the first declaration on that did, as in the read model's table of entities and tags.
//! Entities that people said are one count as one, with the tags of all of them, until they are taken apart again.

mod file;
mod grouped;
mod grown;
mod state;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::{Journal, RecordedEvent};

use crate::error::Error;
use crate::projection::Recent;
pub(crate) use state::Epoch;
use state::State;

/// Name of the file in the folder.
const FILE: &str = "live.bin";
/// Events taken at once.
const EVENTS_AT_ONCE: usize = 4_000;
/// So near to the journal's head, events that the read model read are taken over from it;
const READ_BY_OTHERS_MAX: u64 = 2_000;
/// so long it is waited for them.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often the thread looks whether it should stop.
const STOP_CHECK: Duration = Duration::from_millis(100);
/// How long it waits after a failure before it tries again.
const RETRY: Duration = Duration::from_millis(500);
/// An epoch costs more the more there is: so many times as long as it took, nothing is done before the next,
const REST_FACTOR: u32 = 9;
/// but no shorter than this, and no longer than that.
const REST_MIN: Duration = Duration::from_millis(100);
const REST_MAX: Duration = Duration::from_secs(5);
/// The file is written after so many events, or
const EVENTS_UNWRITTEN_MAX: u64 = 500_000;
/// so long after the last time, if anything has changed; and when the house is closed.
const WRITE_EVERY: Duration = Duration::from_secs(600);

struct Current {
    epoch: Arc<Epoch>,
    failed: Option<Error>,
}

struct Shared {
    path: PathBuf,
    current: Mutex<Current>,
    moved: Condvar,
    stop: AtomicBool,
    /// Everything is to be made anew, because something in it was erased.
    again: AtomicBool,
}

impl Shared {
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The engine with the thread that feeds it.
pub(crate) struct LiveMatrix {
    shared: Arc<Shared>,
    follower: Option<JoinHandle<()>>,
}

impl LiveMatrix {
    /// Opens what stands in a folder and begins to follow the journal.
    ///
    /// # Errors
    /// `tag_matrix_unwritable`, `no_thread`.
    pub(crate) fn open(folder: &Path, journal: Arc<dyn Journal>, recent: Arc<Recent>) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::io("tag_matrix_unwritable", folder, &error))?;
        sweep(folder);
        let path = folder.join(FILE);
        let state = opened(&path, journal.as_ref());
        let current = Current { epoch: Arc::new(state.epoch.clone()), failed: None };
        let shared = Arc::new(Shared {
            path,
            current: Mutex::new(current),
            moved: Condvar::new(),
            stop: AtomicBool::new(false),
            again: AtomicBool::new(false),
        });
        let written = state.epoch.position;
        let mut follower = Follower {
            shared: Arc::clone(&shared),
            journal,
            recent,
            state,
            written,
            written_at: Instant::now(),
            unwritable: false,
        };
        let follower = std::thread::Builder::new()
            .name("tag-matrix".to_owned())
            .spawn(move || follower.run())
            .map_err(|error| Error::internal("no_thread", &error))?;
        Ok(Self { shared, follower: Some(follower) })
    }

    /// The latest epoch.
    ///
    /// # Errors
    /// What keeps it from going on.
    pub(crate) fn epoch(&self) -> Result<Arc<Epoch>, Error> {
        let current = self.shared.current();
        match &current.failed {
            Some(error) => Err(error.clone()),
            None => Ok(Arc::clone(&current.epoch)),
        }
    }

    /// Waits until an epoch reflects a position, for at most `timeout`; answers with the position reflected then.
    pub(crate) fn wait_for(&self, position: u64, timeout: Duration) -> u64 {
        let until = Instant::now() + timeout;
        let mut current = self.shared.current();
        while current.epoch.position < position && current.failed.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            current = self.shared.moved.wait_timeout(current, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        current.epoch.position
    }

    /// Removes the file and has everything made anew. Waits until nothing of what was there is left, for at most
    /// `timeout`; answers whether it is so.
    pub(crate) fn start_again(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        self.shared.again.store(true, Ordering::SeqCst);
        while self.shared.again.load(Ordering::SeqCst) {
            if until.saturating_duration_since(Instant::now()).is_zero() {
                return false;
            }
            let current = self.shared.current();
            drop(self.shared.moved.wait_timeout(current, STOP_CHECK));
        }
        true
    }
}

impl Drop for LiveMatrix {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(follower) = self.follower.take() {
            // One that panicked has nothing left to hand over.
            let _ = follower.join();
        }
    }
}

/// What was being written when a process was killed is of no use.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().ends_with(".part") {
            // It takes room, nothing else.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// What stands in the file, if it is of this journal; otherwise nothing.
fn opened(path: &Path, journal: &dyn Journal) -> State {
    if !path.exists() {
        return State::begun_at(journal.head());
    }
    match file::read(path) {
        Ok(state) => {
            let position = state.epoch.position;
            let same = position <= journal.head()
                && journal.event(position).is_ok_and(|event| event.envelope.id == state.event);
            if same || position == 0 {
                return state;
            }
            tracing::warn!("the tag matrix is of another journal: it is made anew");
        }
        Err(error) => tracing::warn!(code = error.code, "the tag matrix is made anew: {error}"),
    }
    State::begun_at(journal.head())
}

/// The thread that follows.
struct Follower {
    shared: Arc<Shared>,
    journal: Arc<dyn Journal>,
    recent: Arc<Recent>,
    state: State,
    written: u64,
    written_at: Instant,
    /// The file could not be written the last time.
    unwritable: bool,
}

impl Follower {
    fn run(&mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            match self.step() {
                // What failed before is over.
                Ok(()) => self.shared.current().failed = None,
                Err(error) => {
                    tracing::error!(code = error.code, "the tag matrix cannot go on: {error}");
                    self.shared.current().failed = Some(error);
                    self.shared.moved.notify_all();
                    // Space may come free, a file may come back.
                    std::thread::sleep(RETRY);
                }
            }
        }
        if self.state.epoch.position > self.written
            && let Err(error) = self.write()
        {
            tracing::warn!(code = error.code, "the tag matrix was not written; it will catch up: {error}");
        }
    }

    fn step(&mut self) -> Result<(), Error> {
        self.begin_again_if_told()?;
        let position = self.state.epoch.position;
        let head = self.journal.wait_for(position.saturating_add(1), STOP_CHECK);
        if head > position {
            for event in self.events_after(position, head)?.iter() {
                if event.position <= position {
                    continue;
                }
                if self.state.is_erased_by(event) {
                    // Another process had it erased while this one was closed.
                    self.shared.again.store(true, Ordering::SeqCst);
                    return Ok(());
                }
                self.state.apply(event)?;
            }
        }
        let caught_up = self.state.epoch.position >= self.journal.head();
        if self.state.is_dirty() && (caught_up || self.state.is_full()) {
            self.publish()?;
        }
        let unwritten = self.state.epoch.position.saturating_sub(self.written);
        let due = self.written_at.elapsed() >= WRITE_EVERY && unwritten > 0;
        let many = unwritten >= EVENTS_UNWRITTEN_MAX && !self.unwritable;
        if caught_up && (due || many) {
            self.write_or_wait();
        }
        Ok(())
    }

    /// Where the file cannot be written, what is held is right all the same: it is tried again after a while.
    fn write_or_wait(&mut self) {
        let written = self.write();
        self.unwritable = written.is_err();
        if let Err(error) = written {
            tracing::warn!(code = error.code, "the tag matrix was not written; it is tried again: {error}");
            self.written_at = Instant::now();
        }
    }

    /// Some events after a position, of a journal that reaches up to `head`. Those that were there when it was begun are
    /// read again from the journal: of what was read before, something may be erased.
    fn events_after(&self, position: u64, head: u64) -> Result<Arc<Vec<RecordedEvent>>, Error> {
        if position >= self.state.begun_at && head.saturating_sub(position) <= READ_BY_OTHERS_MAX {
            let patience = if self.shared.stop.load(Ordering::Relaxed) { Duration::ZERO } else { PATIENCE };
            if let Some(events) = self.recent.after(position, patience) {
                return Ok(events);
            }
        }
        Ok(Arc::new(self.journal.feed(position, EVENTS_AT_ONCE)?))
    }

    fn publish(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let epoch = self.state.publish()?;
        *self.shared.current() = Current { epoch, failed: None };
        self.shared.moved.notify_all();
        let rest = began.elapsed().saturating_mul(REST_FACTOR).clamp(REST_MIN, REST_MAX);
        let rest_until = Instant::now() + rest;
        while !self.shared.stop.load(Ordering::Relaxed) && !self.shared.again.load(Ordering::SeqCst) {
            let left = rest_until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(STOP_CHECK));
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Error> {
        if self.state.is_dirty() {
            self.publish()?;
        }
        file::write(&self.shared.path, &self.state)?;
        self.written = self.state.epoch.position;
        self.written_at = Instant::now();
        Ok(())
    }

    fn begin_again_if_told(&mut self) -> Result<(), Error> {
        if !self.shared.again.load(Ordering::SeqCst) {
            return Ok(());
        }
        match std::fs::remove_file(&self.shared.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("tag_matrix_unwritable", &self.shared.path, &error));
            }
            _ => {}
        }
        self.state = State::begun_at(self.journal.head());
        self.written = 0;
        *self.shared.current() = Current { epoch: Arc::default(), failed: None };
        self.shared.again.store(false, Ordering::SeqCst);
        self.shared.moved.notify_all();
        Ok(())
    }
}
