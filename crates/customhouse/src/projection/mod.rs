//! The read model of declarations, entities and their flow: one SQLite file, fed from the journal by position.
//!
//! It holds nothing that the journal and the pool do not say: delete it, and it is built again. A file of another
//! version is left behind and a new one built; a batch that came again with newer outcomes has it built anew.
//! Readers have connections of their own and never wait for the one that writes.

mod apply;
mod history;
mod parties;
mod recent;
mod record;
mod schema;
mod tally;
mod trade;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::Journal;
use rusqlite::Connection;

use crate::error::{Error, Kind};
use crate::pool::Pool;
use apply::{Applied, Applier};

pub(crate) use recent::Recent;
pub(crate) use record::{COLUMNS, Record};
pub(crate) use tally::upper_bound_ms;

/// Events applied in one transaction.
const EVENTS_PER_TRANSACTION: usize = 8_000;
/// How often the writer looks whether it should stop.
const STOP_CHECK: Duration = Duration::from_millis(100);
/// How long the writer waits after a failure before it tries again.
const RETRY: Duration = Duration::from_millis(500);
/// Connections kept for readers.
const READERS_MAX: usize = 16;

#[derive(Debug, Default)]
struct Progress {
    position: u64,
    failed: Option<Error>,
}

struct Shared {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    progress: Mutex<Progress>,
    moved: Condvar,
    stop: AtomicBool,
    /// Everything is to be built anew, because something in it was erased.
    again: AtomicBool,
    recent: Arc<Recent>,
}

/// The read model with the thread that feeds it.
pub(crate) struct Projection {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

fn failed(error: &rusqlite::Error) -> Error {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return Error::new(
            Kind::Internal,
            "disk_full",
            "there is no space left for the read models",
            "Free some space on that disk. What was accepted is safe in the journal.",
        );
    }
    if matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    ) {
        return Error::new(
            Kind::Internal,
            "read_model_damaged",
            format!("a file in the folder read-models is damaged: {error}"),
            "Stop the server, remove the folder read-models from the data folder, and start again: everything in it is made anew from the journal.",
        );
    }
    Error::internal("read_model_failed", error)
}

impl Projection {
    /// Opens the read model in a folder and begins to feed it.
    pub(crate) fn open(folder: &Path, journal: Arc<dyn Journal>, pool: Arc<Pool>) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::io("read_model_unwritable", folder, &error))?;
        let path = folder.join(format!("declarations-{}.sqlite", schema::VERSION));
        let connection = schema::open_or_make(&path)?;
        let position = schema::position(&connection).map_err(|error| failed(&error))?;
        let shared = Arc::new(Shared {
            path,
            readers: Mutex::default(),
            progress: Mutex::new(Progress { position, failed: None }),
            moved: Condvar::new(),
            stop: AtomicBool::new(false),
            again: AtomicBool::new(false),
            recent: Arc::default(),
        });
        let mut feeder = Feeder { shared: Arc::clone(&shared), connection, journal, pool, scrub_due: false };
        let writer = std::thread::Builder::new()
            .name("read-models".to_owned())
            .spawn(move || feeder.run())
            .map_err(|error| Error::internal("no_thread", &error))?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// The events that it read last.
    pub(crate) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.shared.recent)
    }

    /// Position that it reflects.
    pub(crate) fn position(&self) -> u64 {
        self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner).position
    }

    /// Waits until it reflects a position, for at most `timeout`, and answers with the one that it reflects then.
    pub(crate) fn wait_for(&self, position: u64, timeout: Duration) -> u64 {
        let until = Instant::now() + timeout;
        let mut progress = self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while progress.position < position && progress.failed.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            progress =
                self.shared.moved.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        progress.position
    }

    /// Has everything built anew, and leaves nothing of what was in it, in free pages and logs either. Waits until it
    /// is emptied and fed again up to a position, for at most `timeout`; answers whether it is.
    pub(crate) fn start_again(&self, position: u64, timeout: Duration) -> Result<bool, Error> {
        schema::remove_others(&self.shared.path)?;
        let until = Instant::now() + timeout;
        self.shared.again.store(true, Ordering::SeqCst);
        let mut progress = self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while self.shared.again.load(Ordering::SeqCst) || progress.position < position {
            if until.saturating_duration_since(Instant::now()).is_zero() {
                return Ok(false);
            }
            progress = self
                .shared
                .moved
                .wait_timeout(progress, STOP_CHECK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(true)
    }

    /// Reads from it, on a connection of its own.
    pub(crate) fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let progress = self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &progress.failed {
            return Err(error.clone());
        }
        drop(progress);
        let kept = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => schema::open_reader(&self.shared.path).map_err(|error| failed(&error))?,
        };
        let answer = question(&connection).map_err(|error| failed(&error))?;
        let mut readers = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        Ok(answer)
    }
}

impl Drop for Projection {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to hand over.
            let _ = writer.join();
        }
    }
}

/// The thread that feeds.
struct Feeder {
    shared: Arc<Shared>,
    connection: Connection,
    journal: Arc<dyn Journal>,
    pool: Arc<Pool>,
    /// What was erased may still stand in free pages and the log.
    scrub_due: bool,
}

impl Feeder {
    fn run(&mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            self.begin_again_if_told();
            let position = self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner).position;
            if self.journal.wait_for(position.saturating_add(1), STOP_CHECK) <= position {
                continue;
            }
            match self.advance(position) {
                Ok(position) => self.reach(position),
                Err(error) => {
                    tracing::error!(code = error.code, "the read models cannot go on: {error}");
                    self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner).failed = Some(error);
                    self.shared.moved.notify_all();
                    // Space may come free, a file may come back.
                    std::thread::sleep(RETRY);
                }
            }
        }
    }

    /// Empties everything where that is asked for; what is emptied is scrubbed away as soon as nobody reads it.
    fn begin_again_if_told(&mut self) {
        let told = self.shared.again.load(Ordering::SeqCst);
        if !told && !self.scrub_due {
            return;
        }
        self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let emptied = if told { schema::clear(&mut self.connection) } else { Ok(()) };
        match emptied.and_then(|()| schema::scrub(&self.connection)) {
            Ok(scrubbed) => self.scrub_due = !scrubbed,
            Err(error) => {
                tracing::warn!("what was erased from the read models is not scrubbed yet: {error}");
                self.scrub_due = true;
            }
        }
        if told {
            match schema::position(&self.connection) {
                Ok(0) => {
                    self.reach(0);
                    self.shared.again.store(false, Ordering::SeqCst);
                }
                _ => std::thread::sleep(RETRY),
            }
        }
    }

    fn reach(&self, position: u64) {
        let mut progress = self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner);
        *progress = Progress { position, failed: None };
        drop(progress);
        self.shared.moved.notify_all();
    }

    fn advance(&mut self, position: u64) -> Result<u64, Error> {
        let events = Arc::new(self.journal.feed(position, EVENTS_PER_TRANSACTION)?);
        self.shared.recent.keep(&events);
        let Some(last) = events.last().map(|event| event.position) else { return Ok(position) };
        let transaction = self.connection.transaction().map_err(|error| failed(&error))?;
        let mut applier = Applier::new(&transaction, &self.pool);
        for event in events.iter() {
            if applier.apply(event)? == Applied::StartAgain {
                drop(applier);
                drop(transaction);
                schema::clear(&mut self.connection).map_err(|error| failed(&error))?;
                return Ok(0);
            }
        }
        applier.finish(last).map_err(|error| failed(&error))?;
        transaction.commit().map_err(|error| failed(&error))?;
        Ok(last)
    }
}
