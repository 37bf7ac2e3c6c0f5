//! The house that is backed up, looked at without taking it: a data folder, or a database and the folder that its
//! processes share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::log::files::DiskFiles;
use journal::log::note::NOTE_BYTES_MAX;
use journal::log::tiles::{CHECKPOINT, WITNESSED_CHECKPOINT};
use journal::log::writer::SIGNED;
use journal::log::{KeyHistory, LogReader, SignedCheckpoint};
use journal::{AnyJournal, PostgresJournal, SqliteJournal};

use super::{JOURNAL_FILE, log_error};
use crate::erasure::{ErasedSoFar, erased_so_far};
use crate::error::{Error, Kind};
use crate::folder::{FolderMark, Location, may_be_changing};
use crate::proof::{KEYS_FOLDER, LOG_FOLDER};

/// So long it is waited for an erasure that is being carried out.
const ERASURE_WAIT: Duration = Duration::from_secs(60);
/// So long it is waited for a checkpoint that is put back.
const CHECKPOINT_WAIT: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What the log remembers, in the data folder.
pub(super) const MEMORY_FOLDER: &str = "log-memory";

/// A house.
#[derive(Debug)]
pub(super) struct Source {
    location: Location,
    /// Folder of everything but a journal in a database.
    pub(super) path: PathBuf,
    /// What a data folder of its own would say of it: a site is known by its id.
    pub(super) mark: FolderMark,
}

/// What the log has signed, read before anything else, so that it is never newer than the rest.
#[derive(Debug, Default)]
pub(super) struct Signed {
    /// The newest checkpoint, and its bytes.
    pub(super) checkpoint: Option<(SignedCheckpoint, Vec<u8>)>,
    /// The newest one that witnesses cosigned.
    pub(super) witnessed: Option<(SignedCheckpoint, Vec<u8>)>,
    /// What the log remembers having signed.
    pub(super) memory: Option<Vec<u8>>,
    /// Records of changes of the log's key.
    pub(super) key_changes: usize,
}

impl Source {
    pub(super) fn open(location: &Location) -> Result<Self, Error> {
        let mark = FolderMark::look(location)?;
        Ok(Self { location: location.clone(), path: location.site_path().to_owned(), mark })
    }

    /// The journal as it stands now; it is read while other processes may go on writing it.
    pub(super) fn journal(&self) -> Result<AnyJournal, Error> {
        Ok(match &self.location.database {
            Some(url) => AnyJournal::Postgres(PostgresJournal::open_read_only(url)?),
            None => AnyJournal::Sqlite(SqliteJournal::open_read_only(&self.path.join(JOURNAL_FILE))?),
        })
    }

    /// Bytes of the journal's file; none where it stands in a database, whose size tells little of that of a file.
    pub(super) fn journal_bytes(&self) -> u64 {
        let file = self.path.join(JOURNAL_FILE);
        if self.in_database() { 0 } else { std::fs::metadata(file).map_or(0, |found| found.len()) }
    }

    /// Does the journal stand in a database?
    pub(super) fn in_database(&self) -> bool {
        self.location.database.is_some()
    }

    /// The log's folder; `None` where no log was begun.
    pub(super) fn log(&self) -> Option<LogReader> {
        let files = DiskFiles::existing(&self.path.join(LOG_FOLDER)).ok()?;
        Some(LogReader::new(Arc::new(files)))
    }

    /// Waits, of a site, until its checkpoint holds so many entries: where a process wrote an older one over it, for it
    /// stood still in the midst of that, the one whose turn it is puts the newer one back.
    pub(super) fn wait_for_checkpoint(&self, size: u64) -> Result<(), Error> {
        let Some(log) = self.log().filter(|_| self.in_database()) else { return Ok(()) };
        let began = Instant::now();
        loop {
            let now = log.checkpoint().map_err(|error| log_error(&error))?;
            let there = now.is_some_and(|now| now.checkpoint().size >= size);
            if there || began.elapsed() > CHECKPOINT_WAIT {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// What the log has signed.
    pub(super) fn signed(&self) -> Result<Signed, Error> {
        let Some(log) = self.log() else { return Ok(Signed::default()) };
        let read = |name: &str| -> Result<Option<(SignedCheckpoint, Vec<u8>)>, Error> {
            match log.files().read(name, NOTE_BYTES_MAX) {
                Ok(bytes) => {
                    let parsed = SignedCheckpoint::parse(&bytes).map_err(|error| log_error(&error))?;
                    Ok(Some((parsed, bytes)))
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::io("log_folder_unusable", &self.path.join(LOG_FOLDER), &error)),
            }
        };
        // The witnessed one first: it is never newer than the newest.
        let witnessed = read(WITNESSED_CHECKPOINT)?;
        let checkpoint = read(CHECKPOINT)?;
        let memory = self.path.join(KEYS_FOLDER).join(MEMORY_FOLDER).join(SIGNED);
        let memory = match std::fs::read(&memory) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("log_memory_unreadable", &memory, &error)),
        };
        let history = KeyHistory::read(log.files()).map_err(|error| log_error(&error))?;
        Ok(Signed { checkpoint, witnessed, memory, key_changes: history.changes().len() })
    }

    /// What was erased so far, once nothing is being erased at this moment.
    pub(super) fn erased(&self) -> Result<ErasedSoFar, Error> {
        let began = Instant::now();
        loop {
            let erased = erased_so_far(&self.path)?;
            // One that was interrupted is ended when the house is opened next: nothing moves until then.
            if !erased.under_way || !may_be_changing(&self.location) {
                return Ok(erased);
            }
            if began.elapsed() > ERASURE_WAIT {
                return Err(erasure_under_way(&self.path));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// An erasure goes on, or another one came each time.
pub(super) fn erasure_under_way(path: &Path) -> Error {
    Error::new(
        Kind::Busy,
        "backup_during_erasure",
        format!("something is being erased in {}", path.display()),
        "Run the same command again when that has ended.",
    )
}
