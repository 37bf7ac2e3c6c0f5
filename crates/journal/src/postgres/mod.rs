//! The journal in a PostgreSQL database, for several processes at once.
//!
//! Every process may append, read, feed and wait. Appends take turns by a lock of the database that lasts for one
//! transaction, so positions have no gaps and an election is not needed to keep them so; a process that dies leaves the
//! lock to the next one at once, one that stands still within three seconds. What only one process may do (such as
//! writing the log over these events) is done by the holder of a [`Lease`]: its [`Fence`] is checked in the transaction
//! that it guards, so a holder that was paused and replaced writes nothing more. To refuse the appends of everybody else
//! instead would make each process depend on another one's health for the sake of nothing that the lock does not give.
//!
//! # What the administrator provides
//! A database in UTF8 on PostgreSQL 15 or later, and a role that owns it (the tables stand in the schema `journal`, which
//! is made on first use). The server is local, or a tunnel to it is: connections are not encrypted. No pooler that
//! shares connections between transactions stands in between, for notifications and prepared statements belong to one.
//! A commit is acknowledged when the server has flushed it (`fsync` on), and, where `synchronous_standby_names` says so,
//! when a standby has it too; without such a standby a failover can lose what was acknowledged last. What PostgreSQL's own
//! backups and its write-ahead log keep of an erased payload: see the module `erase`.

mod blobs;
mod erase;
mod error;
mod lease;
mod listen;
mod raw;
mod read;
mod schema;
mod session;
mod store;

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_postgres::types::ToSql;

use self::listen::Listener;
use self::read::{ENVELOPES, FEED, HEAD, LAST, STREAM, column, for_each_stored};
use self::session::{Database, Readers, Session};
use self::store::PostgresStore;
use crate::Journal;
use crate::blobs::BlobReader;
use crate::clock::{Clock, SystemClock};
use crate::copy::Raw;
use crate::decode::{signed, unsigned};
use crate::error::JournalError;
use crate::import::RawEvent;
use crate::lease::{Fence, Lease};
use crate::model::{
    ACTOR_ID_BYTES_MAX, AppendRequest, Appended, BLOB_BYTES_MAX, BlobReference, READ_BYTES_MAX,
    READ_EVENTS_MAX, RecordedEvent, STREAM_BYTES_MAX, SealedEvent,
};
use crate::prepare::{check_basis, check_lease, check_token, prepare};
use crate::progress::Progress;
use crate::writer::{Scribe, WriterHandle};

/// Which database holds a journal, and for whom it records.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://USER@HOST:PORT/NAME`, where HOST is local: a folder of sockets, `localhost` or a loopback address.
    /// Connections are not encrypted. It may hold a password, which is never shown.
    pub url: String,
    /// Id of this node, written into every envelope.
    pub node: String,
    /// The administration, written into every envelope.
    pub administration: String,
    /// Tells the time of recording. (Leases go by the database's clock.)
    pub clock: Arc<dyn Clock>,
    /// A smaller ceiling for one blob than [`crate::BLOB_BYTES_MAX`].
    pub blob_bytes_max: Option<u64>,
}

impl PostgresOptions {
    /// A journal in this database on the operating system's clock.
    #[must_use]
    pub fn new(url: &str, node: &str, administration: &str) -> Self {
        Self {
            url: url.to_owned(),
            node: node.to_owned(),
            administration: administration.to_owned(),
            clock: Arc::new(SystemClock),
            blob_bytes_max: None,
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PostgresOptions").field("node", &self.node).finish_non_exhaustive()
    }
}

/// A [`Journal`] in the schema `journal` of a PostgreSQL database, version 15 or later.
///
/// Dropping it finishes what was handed in and closes its connections.
pub struct PostgresJournal {
    database: Arc<Database>,
    /// None where it was opened for reading only.
    writer: Option<WriterHandle>,
    progress: Arc<Progress>,
    readers: Arc<Readers>,
    blob_bytes_max: u64,
    /// Held while traces of erased payloads are removed.
    scrubbing: Mutex<()>,
    _listener: Option<Listener>,
}

impl fmt::Debug for PostgresJournal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PostgresJournal").field("database", &self.database.name).finish_non_exhaustive()
    }
}

impl PostgresJournal {
    /// Opens the journal, making its tables where there are none yet.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] if the database cannot be reached; one of a newer format, a schema `journal` of
    /// another program, and a journal whose last event is damaged are refused and left as they are. A server that is
    /// not local, and `sslmode=require`, are [`JournalError::Malformed`].
    pub fn open(options: &PostgresOptions) -> Result<Self, JournalError> {
        check_token("id of a node", &options.node, ACTOR_ID_BYTES_MAX)?;
        check_token("administration", &options.administration, ACTOR_ID_BYTES_MAX)?;
        let database = Arc::new(Database::parse(&options.url)?);
        let readers = Arc::new(Readers::new(&database));
        let head = readers.once(|session| {
            schema::prepare(session, &database.name)?;
            last_position(session, &database.name)
        })?;
        let progress = Arc::new(Progress::starting_at(head));
        let scribe = Scribe {
            node: options.node.clone(),
            administration: options.administration.clone(),
            clock: Arc::clone(&options.clock),
        };
        let writer = WriterHandle::start(PostgresStore::new(&database), scribe, Arc::clone(&progress))?;
        let listener = Listener::start(&database, &progress)?;
        let journal = Self {
            database,
            writer: Some(writer),
            progress,
            readers,
            blob_bytes_max: options.blob_bytes_max.unwrap_or(BLOB_BYTES_MAX),
            scrubbing: Mutex::new(()),
            _listener: Some(listener),
        };
        journal.scrub();
        Ok(journal)
    }

    /// Opens a journal for reading while other processes go on writing it: the database itself refuses whatever would
    /// change something. Its head is asked for each time; nobody can wait for it.
    ///
    /// # Errors
    /// As [`PostgresJournal::open`]; [`JournalError::NotAJournal`] for a database without a journal, in which nothing is
    /// made.
    pub fn open_read_only(url: &str) -> Result<Self, JournalError> {
        let database = Arc::new(Database::parse(url)?.read_only());
        let readers = Arc::new(Readers::new(&database));
        let head = readers.once(|session| {
            schema::check(session, &database.name)?;
            last_position(session, &database.name)
        })?;
        let progress = Arc::new(Progress::starting_at(head));
        progress.stop("it was opened for reading only");
        Ok(Self {
            database,
            writer: None,
            progress,
            readers,
            blob_bytes_max: BLOB_BYTES_MAX,
            scrubbing: Mutex::new(()),
            _listener: None,
        })
    }

    fn writer(&self) -> Result<&WriterHandle, JournalError> {
        self.writer.as_ref().ok_or_else(|| JournalError::ReadOnly { path: self.database.name.clone() })
    }

    /// The database as messages name it, without user and password.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database.name
    }

    /// Removes traces of what was erased; what cannot be removed now is tried again later.
    fn scrub(&self) {
        let _one_at_a_time = self.scrubbing.lock().unwrap_or_else(PoisonError::into_inner);
        match erase::scrub(&self.readers) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(
                database = %self.database.name.display(),
                "traces of an erased payload stay until nobody looks at the past any more"
            ),
            Err(error) => tracing::warn!(%error, "traces of an erased payload could not be removed yet"),
        }
    }

    /// Reads events whose `ordinal`s must follow `after` without a gap.
    fn read_events(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
        after: u64,
        ordinal: fn(&RecordedEvent) -> u64,
    ) -> Result<Vec<RecordedEvent>, JournalError> {
        let name = &self.database.name;
        let rows = self.readers.read(|session| session.query(sql, parameters))?;
        let mut events: Vec<RecordedEvent> = Vec::new();
        let mut last = after;
        for_each_stored(&rows, name, |stored| {
            let event = stored.check(name)?;
            if ordinal(&event) != last.saturating_add(1) {
                return Err(JournalError::Corrupt {
                    place: format!("the event at position {} of {}", event.position, name.display()),
                    reason: format!("it follows number {last} but is number {}", ordinal(&event)),
                });
            }
            last = ordinal(&event);
            events.push(event);
            Ok(())
        })?;
        Ok(events)
    }
}

impl Journal for PostgresJournal {
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
            STREAM,
            &[&stream, &signed(after_version), &bounded(limit), &bytes_max()],
            after_version,
            |event| event.envelope.stream_version,
        )
    }

    fn feed(&self, after_position: u64, limit: usize) -> Result<Vec<RecordedEvent>, JournalError> {
        self.read_events(
            FEED,
            &[&signed(after_position), &bounded(limit), &bytes_max()],
            after_position,
            |event| event.position,
        )
    }

    /// Reads no payload: the database does not even look at them.
    fn envelopes(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let name = &self.database.name;
        let parameters: [&(dyn ToSql + Sync); 3] = [&signed(after_position), &bounded(limit), &bytes_max()];
        let rows = self.readers.read(|session| session.query(ENVELOPES, &parameters))?;
        let mut last = after_position;
        rows.iter()
            .map(|row| {
                let position = unsigned(column(row, 0, name)?);
                if position != last.saturating_add(1) {
                    return Err(JournalError::Corrupt {
                        place: format!("the event at position {position} of {}", name.display()),
                        reason: format!("it follows number {last}"),
                    });
                }
                last = position;
                column(row, 1, name)
            })
            .collect()
    }

    fn sealed(&self, position: u64) -> Result<SealedEvent, JournalError> {
        let events = self.raw_events(position.saturating_sub(1), 1, 1)?;
        RawEvent::seal(events, position, self.head())
    }

    /// Asks the database, for other processes append as well. While it cannot be reached, the last position that this
    /// process has heard of.
    fn head(&self) -> u64 {
        let name = &self.database.name;
        let asked = self.readers.read(|session| {
            let rows = session.query(HEAD, &[])?;
            rows.first().map_or(Ok(0), |row| Ok(unsigned(column(row, 0, name)?)))
        });
        if let Ok(head) = asked {
            self.progress.reach(head);
        }
        self.progress.head()
    }

    fn wait_for(&self, position: u64, timeout: Duration) -> u64 {
        self.progress.wait_for(position, timeout)
    }

    fn erase_payload(&self, position: u64, basis: &str) -> Result<(), JournalError> {
        check_basis(basis)?;
        self.writer()?.erase(position, basis)?;
        self.scrub();
        Ok(())
    }

    fn take_lease(&self, name: &str, holder: &str, time: Duration) -> Result<Lease, JournalError> {
        check_lease(name, holder, time)?;
        lease::take(&self.readers, name, holder, time)
    }

    fn give_back_lease(&self, lease: &Lease) -> Result<(), JournalError> {
        lease::give_back(&self.readers, &lease.fence())
    }

    fn append_as_holder(&self, request: AppendRequest, fence: &Fence) -> Result<Appended, JournalError> {
        let mut request = prepare(request)?;
        request.fence = Some(fence.clone());
        self.writer()?.append(request)
    }

    fn put_blob(&self, content: &mut dyn Read) -> Result<BlobReference, JournalError> {
        blobs::put(&self.readers, self.blob_bytes_max, content)
    }

    fn erase_blob(&self, sha256: &str) -> Result<(), JournalError> {
        blobs::erase(&self.readers, sha256)
    }

    fn get_blob(&self, sha256: &str) -> Result<BlobReader, JournalError> {
        blobs::get(&self.readers, sha256)
    }
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit.min(READ_EVENTS_MAX)).unwrap_or(i64::MAX)
}

fn bytes_max() -> i64 {
    i64::try_from(READ_BYTES_MAX).unwrap_or(i64::MAX)
}

/// The last position, after a look at whether positions can be trusted: they have no gap, and the last event reads.
fn last_position(session: &mut Session, name: &Path) -> Result<u64, JournalError> {
    let rows = session.query(LAST, &[])?;
    let mut last = 0;
    for_each_stored(&rows, name, |stored| {
        last = stored.check(name)?.position;
        Ok(())
    })?;
    let first = session.query("SELECT coalesce(min(position), 1) FROM journal.event", &[])?;
    let first = first.first().map_or(Ok(1), |row| column(row, 0, name))?;
    if first != 1_i64 {
        return Err(JournalError::Corrupt {
            place: name.display().to_string(),
            reason: format!("it begins at position {first}"),
        });
    }
    Ok(last)
}
