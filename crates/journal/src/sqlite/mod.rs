//! The journal in one SQLite file.

mod raw;
mod read;
mod schema;
mod store;

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};

use self::read::{EVENT_COLUMNS, with_stored};
use self::schema::{check_is_journal, open_reader, open_writer, storage_error};
use self::store::SqliteStore;
use crate::Journal;
use crate::blobs::{BlobFolder, BlobReader};
use crate::clock::{Clock, SystemClock};
use crate::copy::Raw;
use crate::decode::{signed, unsigned};
use crate::error::JournalError;
use crate::import::RawEvent;
use crate::lease::{Fence, Lease, OwnLeases};
use crate::model::{
    ACTOR_ID_BYTES_MAX, AppendRequest, Appended, BlobReference, READ_BYTES_MAX, READ_EVENTS_MAX,
    RecordedEvent, STREAM_BYTES_MAX, SealedEvent,
};
use crate::prepare::{check_basis, check_lease, check_token, prepare};
use crate::progress::Progress;
use crate::writer::{Scribe, WriterHandle};

/// Reading connections kept open between reads.
const READERS_IDLE_MAX: usize = 8;

/// Where a journal stands and for whom it records.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The file; the blobs stand beside it in a folder of the same name with the extension `blobs`.
    pub path: PathBuf,
    /// Id of this node, written into every envelope.
    pub node: String,
    /// The administration, written into every envelope.
    pub administration: String,
    /// Tells the time of recording.
    pub clock: Arc<dyn Clock>,
    /// A ceiling for the file in pages of 4,096 bytes; beyond it appends are refused as if the disk were full.
    pub file_pages_max: Option<u32>,
    /// A smaller ceiling for one blob than [`crate::BLOB_BYTES_MAX`].
    pub blob_bytes_max: Option<u64>,
}

impl SqliteOptions {
    /// A journal at `path` on the operating system's clock, bounded by the disk alone.
    #[must_use]
    pub fn new(path: &Path, node: &str, administration: &str) -> Self {
        Self {
            path: path.to_owned(),
            node: node.to_owned(),
            administration: administration.to_owned(),
            clock: Arc::new(SystemClock),
            file_pages_max: None,
            blob_bytes_max: None,
        }
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SqliteOptions")
            .field("path", &self.path)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

/// A [`Journal`] in an SQLite file with a write-ahead log, flushed at every commit.
///
/// Dropping it finishes what was handed in and closes the file.
pub struct SqliteJournal {
    path: PathBuf,
    /// None where it was opened for reading only.
    writer: Option<WriterHandle>,
    progress: Arc<Progress>,
    readers: Mutex<Vec<Connection>>,
    blobs: BlobFolder,
    leases: OwnLeases,
    clock: Arc<dyn Clock>,
    _lock: Option<File>,
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SqliteJournal")
            .field("path", &self.path)
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

impl SqliteJournal {
    /// Opens the journal, making it where there is none yet.
    ///
    /// # Errors
    /// One in use by another process, one of a newer format, a file that is something else, and one whose last event
    /// is damaged are refused and left as they are.
    pub fn open(options: &SqliteOptions) -> Result<Self, JournalError> {
        check_token("id of a node", &options.node, ACTOR_ID_BYTES_MAX)?;
        check_token("administration", &options.administration, ACTOR_ID_BYTES_MAX)?;
        let path = options.path.clone();
        let lock = lock(&path)?;
        let connection = open_writer(&path, options.file_pages_max)?;
        let head = last_position(&connection, &path)?;
        let blobs = BlobFolder::open(&path.with_extension("blobs"), options.blob_bytes_max)?;
        let progress = Arc::new(Progress::starting_at(head));
        let scribe = Scribe {
            node: options.node.clone(),
            administration: options.administration.clone(),
            clock: Arc::clone(&options.clock),
        };
        let store = SqliteStore { connection, path: path.clone(), head, scrub_due: None };
        let writer = WriterHandle::start(store, scribe, Arc::clone(&progress))?;
        Ok(Self {
            path,
            writer: Some(writer),
            progress,
            readers: Mutex::new(Vec::new()),
            blobs,
            leases: OwnLeases::default(),
            clock: Arc::clone(&options.clock),
            _lock: Some(lock),
        })
    }

    /// Opens a journal for reading while another process may be writing it: no lock is taken and nothing is recorded.
    /// Its head stays where it was when it was opened.
    ///
    /// The process must be allowed to write into the folder all the same: SQLite shares an index of the write-ahead log
    /// there.
    ///
    /// # Errors
    /// No such file; a file that is something else, or of a newer format; a last event that is damaged.
    pub fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        let connection = open_reader(path)?;
        check_is_journal(&connection, path)?;
        let progress = Arc::new(Progress::starting_at(last_position(&connection, path)?));
        progress.stop("it was opened for reading only");
        Ok(Self {
            path: path.to_owned(),
            writer: None,
            progress,
            readers: Mutex::new(vec![connection]),
            blobs: BlobFolder::existing(&path.with_extension("blobs")),
            leases: OwnLeases::default(),
            clock: Arc::new(SystemClock),
            _lock: None,
        })
    }

    /// What does not fit in the file itself: pages, indexes, order. It reads all of it; empty if nothing is wrong. What
    /// events say is not looked at here: every read checks that.
    ///
    /// # Errors
    /// Those of the storage.
    pub fn check_file(&self) -> Result<Vec<String>, JournalError> {
        let mut said = self.read(|connection| {
            connection
                .prepare("PRAGMA integrity_check(20)")
                .and_then(|mut check| {
                    check.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
                })
                .map_err(|error| storage_error(&self.path, &error))
        })?;
        said.retain(|line| line != "ok");
        Ok(said)
    }

    fn writer(&self) -> Result<&WriterHandle, JournalError> {
        self.writer.as_ref().ok_or_else(|| JournalError::ReadOnly { path: self.path.clone() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a read on a connection of its own; a connection that failed is not used again.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let answer = read(&connection)?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_IDLE_MAX {
            readers.push(connection);
        }
        Ok(answer)
    }

    /// Reads events whose `ordinal`s must follow `after` without a gap.
    fn read_events(
        &self,
        condition: &str,
        parameters: &[&dyn rusqlite::ToSql],
        after: u64,
        ordinal: fn(&RecordedEvent) -> u64,
    ) -> Result<Vec<RecordedEvent>, JournalError> {
        let failed = |error: rusqlite::Error| storage_error(&self.path, &error);
        self.read(|connection| {
            let sql = format!("SELECT {EVENT_COLUMNS} WHERE {condition}");
            let mut select = connection.prepare_cached(&sql).map_err(failed)?;
            let mut rows = select.query(parameters).map_err(failed)?;
            let mut events: Vec<RecordedEvent> = Vec::new();
            let mut bytes = 0_usize;
            let mut last = after;
            while bytes < READ_BYTES_MAX
                && let Some(row) = rows.next().map_err(failed)?
            {
                let (event, size) =
                    with_stored(row, &self.path, |stored| Ok((stored.check(&self.path)?, stored.bytes())))?;
                if ordinal(&event) != last.saturating_add(1) {
                    return Err(JournalError::Corrupt {
                        place: format!("the event at position {} of {}", event.position, self.path.display()),
                        reason: format!("it follows number {last} but is number {}", ordinal(&event)),
                    });
                }
                last = ordinal(&event);
                bytes = bytes.saturating_add(size);
                events.push(event);
            }
            Ok(events)
        })
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        // Readers first, so that the writer's connection is the last to close and empties the log.
        self.readers.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(writer) = &mut self.writer {
            writer.finish();
        }
    }
}

impl Journal for SqliteJournal {
    fn append(&self, request: AppendRequest) -> Result<Appended, JournalError> {
        self.writer()?.append(prepare(request)?)
    }

    fn read_stream(
        &self,
        stream: &str,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, JournalError> {
        check_token("stream", stream, STREAM_BYTES_MAX)?;
        self.read_events(
            "event.stream = ? AND event.stream_version > ? ORDER BY event.stream_version LIMIT ?",
            params![stream, signed(after_version), bounded(limit)],
            after_version,
            |event| event.envelope.stream_version,
        )
    }

    fn feed(&self, after_position: u64, limit: usize) -> Result<Vec<RecordedEvent>, JournalError> {
        self.read_events(
            "event.position > ? ORDER BY event.position LIMIT ?",
            params![signed(after_position), bounded(limit)],
            after_position,
            |event| event.position,
        )
    }

    fn envelopes(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let failed = |error: rusqlite::Error| storage_error(&self.path, &error);
        self.read(|connection| {
            let sql = "SELECT position, envelope FROM event WHERE position > ? ORDER BY position LIMIT ?";
            let mut select = connection.prepare_cached(sql).map_err(failed)?;
            let mut rows = select.query(params![signed(after_position), bounded(limit)]).map_err(failed)?;
            let mut envelopes: Vec<Vec<u8>> = Vec::new();
            let mut bytes = 0_usize;
            let mut last = after_position;
            while bytes < READ_BYTES_MAX
                && let Some(row) = rows.next().map_err(failed)?
            {
                let position = unsigned(row.get(0).map_err(failed)?);
                if position != last.saturating_add(1) {
                    return Err(JournalError::Corrupt {
                        place: format!("the event at position {position} of {}", self.path.display()),
                        reason: format!("it follows number {last}"),
                    });
                }
                last = position;
                let envelope: Vec<u8> = row.get(1).map_err(failed)?;
                bytes = bytes.saturating_add(envelope.len());
                envelopes.push(envelope);
            }
            Ok(envelopes)
        })
    }

    fn sealed(&self, position: u64) -> Result<SealedEvent, JournalError> {
        let events = self.raw_events(position.saturating_sub(1), 1, 1)?;
        RawEvent::seal(events, position, self.head())
    }

    fn head(&self) -> u64 {
        self.progress.head()
    }

    fn wait_for(&self, position: u64, timeout: Duration) -> u64 {
        self.progress.wait_for(position, timeout)
    }

    fn erase_payload(&self, position: u64, basis: &str) -> Result<(), JournalError> {
        check_basis(basis)?;
        self.writer()?.erase(position, basis)
    }

    fn take_lease(&self, name: &str, holder: &str, time: Duration) -> Result<Lease, JournalError> {
        check_lease(name, holder, time)?;
        Ok(self.leases.take(name, holder, time, self.clock.now()))
    }

    fn give_back_lease(&self, lease: &Lease) -> Result<(), JournalError> {
        self.leases.give_back(&lease.fence(), self.clock.now());
        Ok(())
    }

    fn append_as_holder(&self, request: AppendRequest, fence: &Fence) -> Result<Appended, JournalError> {
        let (request, writer) = (prepare(request)?, self.writer()?);
        self.leases.while_held(fence, || writer.append(request))
    }

    fn put_blob(&self, content: &mut dyn Read) -> Result<BlobReference, JournalError> {
        self.writer()?;
        self.blobs.put(content)
    }

    fn erase_blob(&self, sha256: &str) -> Result<(), JournalError> {
        self.writer()?;
        self.blobs.erase(sha256)
    }

    fn get_blob(&self, sha256: &str) -> Result<BlobReader, JournalError> {
        self.blobs.get(sha256)
    }
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit.min(READ_EVENTS_MAX)).unwrap_or(i64::MAX)
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| JournalError::io(&lock_path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(JournalError::io(&lock_path, &error)),
    }
}

/// The last position, after a look at whether positions can be trusted: they have no gap, and the last event reads.
fn last_position(connection: &Connection, path: &Path) -> Result<u64, JournalError> {
    let failed = |error: rusqlite::Error| storage_error(path, &error);
    let mut select = connection
        .prepare(&format!("SELECT {EVENT_COLUMNS} ORDER BY event.position DESC LIMIT 1"))
        .map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let Some(row) = rows.next().map_err(failed)? else { return Ok(0) };
    let event = with_stored(row, path, |stored| stored.check(path))?;
    let first: i64 =
        connection.query_row("SELECT min(position) FROM event", [], |row| row.get(0)).map_err(failed)?;
    if unsigned(first) != 1 {
        return Err(JournalError::Corrupt {
            place: path.display().to_string(),
            reason: format!("it begins at position {first}"),
        });
    }
    Ok(event.position)
}
