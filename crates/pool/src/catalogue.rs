//! The catalogue: which contracts, batches and files there are, derived from the journal's events.
//!
//! It stands in a SQLite file of its own, marked with the position of the journal that it reflects. It holds nothing
//! that the events do not say: delete it, and it is built again. One of another version is not migrated but rebuilt.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::error::PoolError;
use crate::event::{
    BATCH_ADMITTED, BATCH_REFUSED, BatchRecord, CONTRACT_DECLARED, ContractDeclared, FileReference,
};

/// Version of the tables; another one is rebuilt.
const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE reflected (position INTEGER NOT NULL) STRICT;
    INSERT INTO reflected (position) VALUES (0);
    CREATE TABLE contract (
        name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        position INTEGER NOT NULL,
        declared_at TEXT NOT NULL,
        actor TEXT NOT NULL,
        declared TEXT NOT NULL,
        PRIMARY KEY (name, revision)
    ) STRICT;
    CREATE TABLE batch (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        position INTEGER NOT NULL UNIQUE,
        recorded_at TEXT NOT NULL,
        actor TEXT NOT NULL,
        stream_version INTEGER NOT NULL,
        mends TEXT,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX batch_mends ON batch (mends) WHERE mends IS NOT NULL;
    CREATE TABLE file (
        sha256 TEXT NOT NULL,
        batch TEXT NOT NULL REFERENCES batch (id),
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        first_row INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (batch, position, kind, first_row)
    ) STRICT;
    CREATE INDEX file_sha256 ON file (sha256);
";

/// What an event of the journal means to the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolEvent {
    /// A contract came into force.
    ContractDeclared(Box<ContractDeclared>),
    /// A batch came in.
    BatchAdmitted(Box<BatchRecord>),
    /// A batch was sent back.
    BatchRefused(Box<BatchRecord>),
}

impl PoolEvent {
    /// Reads an event's payload; `None` for events of other rooms.
    pub fn read(kind: &str, payload: &serde_json::Value) -> Option<Result<Self, serde_json::Error>> {
        match kind {
            CONTRACT_DECLARED => Some(Deserialize::deserialize(payload).map(Self::ContractDeclared)),
            BATCH_ADMITTED => Some(Deserialize::deserialize(payload).map(Self::BatchAdmitted)),
            BATCH_REFUSED => Some(Deserialize::deserialize(payload).map(Self::BatchRefused)),
            _ => None,
        }
    }
}

/// An event with its place in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedEvent {
    /// Position.
    pub position: u64,
    /// Version it gave its stream.
    pub stream_version: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Pseudonymous id of who did it.
    pub actor: String,
    /// What it means; `None` for events of other rooms and erased ones.
    pub event: Option<PoolEvent>,
}

/// A contract in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredContract {
    /// How many times a contract of this name was declared.
    pub revision: u64,
    /// When.
    pub declared_at: Timestamp,
    /// By whom.
    pub actor: String,
    /// The contract with its hash.
    pub declared: ContractDeclared,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Its rows are in the pool.
    Admitted,
    /// It was sent back.
    Refused,
}

impl BatchState {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused => "refused",
        }
    }
}

/// A batch as the journal tells it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What became of it.
    pub state: BatchState,
    /// Position of the event that says so.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Pseudonymous id of who sent it.
    pub actor: String,
    /// Version of its stream: what a decision about it rests on.
    pub stream_version: u64,
    /// What the event says.
    pub record: BatchRecord,
}

/// A file of admitted rows with its place in its batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredFile {
    /// Batch.
    pub batch: String,
    /// SHA-256: its name.
    pub sha256: String,
    /// First row of the batch that stands in it, from 0.
    pub first_row: u64,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// The catalogue.
#[derive(Debug)]
pub struct Catalogue {
    connection: Connection,
    path: PathBuf,
}

type Sql<T> = Result<T, rusqlite::Error>;

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl Catalogue {
    /// Opens the catalogue. One that is damaged or of another version is made anew, at position 0.
    pub fn open(path: &Path) -> Result<Self, PoolError> {
        if let Some(connection) = open_current(path) {
            return Ok(Self { connection, path: path.to_owned() });
        }
        for end in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            match fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(PoolError::io(Path::new(&name), &error));
                }
                _ => {}
            }
        }
        let make = || -> Sql<Connection> {
            let mut connection = Connection::open(path)?;
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
            let transaction = connection.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
            Ok(connection)
        };
        let connection = make().map_err(|error| failed(path, &error))?;
        Ok(Self { connection, path: path.to_owned() })
    }

    fn failed(&self, error: &rusqlite::Error) -> PoolError {
        failed(&self.path, error)
    }

    /// Position of the journal that it reflects.
    pub fn position(&self) -> Result<u64, PoolError> {
        self.connection
            .query_row("SELECT position FROM reflected", [], |row| row.get(0))
            .map(unsigned)
            .map_err(|error| self.failed(&error))
    }

    /// Takes in events in the order of their positions, all or none.
    pub fn apply(&mut self, events: &[PlacedEvent]) -> Result<(), PoolError> {
        let path = self.path.clone();
        let mut take = || -> Sql<()> {
            let transaction = self.connection.transaction()?;
            for placed in events {
                match &placed.event {
                    Some(PoolEvent::ContractDeclared(declared)) => declare(&transaction, placed, declared)?,
                    Some(PoolEvent::BatchAdmitted(record)) => {
                        put_batch(&transaction, placed, BatchState::Admitted, record)?;
                    }
                    Some(PoolEvent::BatchRefused(record)) => {
                        put_batch(&transaction, placed, BatchState::Refused, record)?;
                    }
                    None => {}
                }
                transaction.execute("UPDATE reflected SET position = ?1", [integer(placed.position)])?;
            }
            transaction.commit()
        };
        take().map_err(|error| failed(&path, &error))
    }

    /// The contract of each name that was declared last.
    pub fn contracts(&self) -> Result<Vec<DeclaredContract>, PoolError> {
        self.select(
            "SELECT * FROM contract AS c
             WHERE revision = (SELECT max(revision) FROM contract WHERE name = c.name) ORDER BY name",
            [],
            read_contract,
        )
    }

    /// The contract of this name that was declared last.
    pub fn contract(&self, name: &str) -> Result<Option<DeclaredContract>, PoolError> {
        let sql = "SELECT * FROM contract WHERE name = ?1 ORDER BY revision DESC LIMIT 1";
        Ok(self.select(sql, [name], read_contract)?.into_iter().next())
    }

    /// The contract whose canonical bytes have this SHA-256.
    pub fn contract_with(&self, sha256: &str) -> Result<Option<DeclaredContract>, PoolError> {
        let sql = "SELECT * FROM contract WHERE declared ->> '$.sha256' = ?1 LIMIT 1";
        Ok(self.select(sql, [sha256], read_contract)?.into_iter().next())
    }

    /// Batches recorded before a position, the latest first.
    pub fn batches(
        &self,
        before: Option<u64>,
        state: Option<BatchState>,
        limit: usize,
    ) -> Result<Vec<Batch>, PoolError> {
        self.select(
            "SELECT * FROM batch WHERE position < ?1 AND (?2 IS NULL OR state = ?2)
             ORDER BY position DESC LIMIT ?3",
            params![
                before.map_or(i64::MAX, integer),
                state.map(BatchState::name),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            read_batch,
        )
    }

    /// Batches whose id begins so; two are enough to know that the beginning is not unique.
    pub fn batches_beginning(&self, beginning: &str) -> Result<Vec<Batch>, PoolError> {
        self.select(
            "SELECT * FROM batch WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT 2",
            [beginning],
            read_batch,
        )
    }

    /// The batch with this id.
    pub fn batch(&self, id: &str) -> Result<Option<Batch>, PoolError> {
        Ok(self.select("SELECT * FROM batch WHERE id = ?1", [id], read_batch)?.into_iter().next())
    }

    /// Admitted batches that mend the quarantine of a batch, the earliest first.
    pub fn mends_of(&self, batch: &str) -> Result<Vec<Batch>, PoolError> {
        self.select(
            "SELECT * FROM batch WHERE mends = ?1 AND state = 'admitted' ORDER BY position",
            [batch],
            read_batch,
        )
    }

    /// The file in which a row of a batch stands.
    pub fn file_of_row(&self, batch: &str, row: u64) -> Result<Option<StoredFile>, PoolError> {
        let sql =
            "SELECT file.* FROM file JOIN batch ON batch.id = file.batch AND batch.position = file.position
                   WHERE file.batch = ?1 AND kind = 'entries' AND first_row <= ?2 AND first_row + rows > ?2";
        Ok(self.select(sql, params![batch, integer(row)], read_file)?.into_iter().next())
    }

    /// The files of a batch's admitted rows, in order.
    pub fn files(&self, batch: &str) -> Result<Vec<StoredFile>, PoolError> {
        let sql =
            "SELECT file.* FROM file JOIN batch ON batch.id = file.batch AND batch.position = file.position
                   WHERE file.batch = ?1 AND kind = 'entries' ORDER BY first_row";
        self.select(sql, [batch], read_file)
    }

    /// Every file that an event of a batch ever named, rows and quarantine, the present ones among them.
    pub fn every_file(&self, batch: &str) -> Result<Vec<String>, PoolError> {
        let sql = "SELECT DISTINCT sha256 FROM file WHERE batch = ?1 ORDER BY sha256";
        self.select(sql, [batch], |row| row.get(0))
    }

    /// Forgets everything, and leaves nothing of it in the file: it is to be fed again from the first event on.
    pub fn clear(&mut self) -> Result<(), PoolError> {
        self.connection
            .execute_batch(
                "PRAGMA secure_delete = ON;
                 BEGIN; DELETE FROM file; DELETE FROM batch; DELETE FROM contract; UPDATE reflected SET position = 0;
                 COMMIT; VACUUM; PRAGMA wal_checkpoint(TRUNCATE);",
            )
            .map_err(|error| self.failed(&error))
    }

    /// Does an event name this file? What a later admission of the same batch took the place of is named too: past
    /// work rests on it.
    pub fn names_file(&self, sha256: &str) -> Result<bool, PoolError> {
        self.connection
            .query_row("SELECT 1 FROM file WHERE sha256 = ?1 LIMIT 1", [sha256], |_| Ok(()))
            .optional()
            .map(|found| found.is_some())
            .map_err(|error| self.failed(&error))
    }

    /// Hashes of the files that batches name as they stand now, without those that a later admission took the place of.
    pub fn files_now(&self) -> Result<BTreeSet<String>, PoolError> {
        let sql = "SELECT file.sha256 FROM file JOIN batch ON batch.id = file.batch AND batch.position = file.position";
        Ok(self.select(sql, [], |row| row.get(0))?.into_iter().collect())
    }

    fn select<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> Sql<T>,
    ) -> Result<Vec<T>, PoolError> {
        let run = || -> Sql<Vec<T>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(parameters, read)?.collect()
        };
        run().map_err(|error| self.failed(&error))
    }
}

fn open_current(path: &Path) -> Option<Connection> {
    if !path.exists() {
        return None;
    }
    let connection = Connection::open(path).ok()?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).ok()?;
    let whole: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0)).ok()?;
    (version == VERSION && whole == "ok").then_some(connection)
}

fn failed(path: &Path, error: &rusqlite::Error) -> PoolError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return PoolError::StorageFull { path: path.to_owned() };
    }
    PoolError::Catalogue { path: path.to_owned(), reason: error.to_string() }
}

fn text_of(value: &impl Serialize) -> Sql<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn parsed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> Sql<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

fn time(row: &Row<'_>, column: &str) -> Sql<Timestamp> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

fn declare(transaction: &Transaction<'_>, placed: &PlacedEvent, declared: &ContractDeclared) -> Sql<()> {
    transaction.execute(
        "INSERT INTO contract (name, revision, position, declared_at, actor, declared)
         VALUES (?1, 1 + (SELECT count(*) FROM contract WHERE name = ?1), ?2, ?3, ?4, ?5)",
        params![
            declared.contract.name,
            integer(placed.position),
            placed.recorded_at.to_string(),
            placed.actor,
            text_of(declared)?
        ],
    )?;
    Ok(())
}

fn put_batch(
    transaction: &Transaction<'_>,
    placed: &PlacedEvent,
    state: BatchState,
    record: &BatchRecord,
) -> Sql<()> {
    transaction.execute(
        "INSERT INTO batch (id, state, position, recorded_at, actor, stream_version, mends, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, position = excluded.position,
             recorded_at = excluded.recorded_at, actor = excluded.actor,
             stream_version = excluded.stream_version, mends = excluded.mends, record = excluded.record",
        params![
            record.batch,
            state.name(),
            integer(placed.position),
            placed.recorded_at.to_string(),
            placed.actor,
            integer(placed.stream_version),
            record.mends,
            text_of(record)?
        ],
    )?;
    let mut first_row: u64 = 0;
    for file in &record.files {
        put_file(transaction, (&record.batch, placed.position), "entries", first_row, file)?;
        first_row = first_row.saturating_add(file.rows);
    }
    if let Some(file) = &record.quarantine {
        put_file(transaction, (&record.batch, placed.position), "quarantine", 0, file)?;
    }
    Ok(())
}

fn put_file(
    transaction: &Transaction<'_>,
    (batch, position): (&str, u64),
    kind: &str,
    first_row: u64,
    file: &FileReference,
) -> Sql<()> {
    transaction.execute(
        "INSERT INTO file (sha256, batch, position, kind, first_row, rows, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            file.sha256,
            batch,
            integer(position),
            kind,
            integer(first_row),
            integer(file.rows),
            integer(file.bytes)
        ],
    )?;
    Ok(())
}

fn read_contract(row: &Row<'_>) -> Sql<DeclaredContract> {
    Ok(DeclaredContract {
        revision: unsigned(row.get("revision")?),
        declared_at: time(row, "declared_at")?,
        actor: row.get("actor")?,
        declared: parsed(row, "declared")?,
    })
}

fn read_batch(row: &Row<'_>) -> Sql<Batch> {
    let state: String = row.get("state")?;
    Ok(Batch {
        state: if state == "admitted" { BatchState::Admitted } else { BatchState::Refused },
        position: unsigned(row.get("position")?),
        recorded_at: time(row, "recorded_at")?,
        actor: row.get("actor")?,
        stream_version: unsigned(row.get("stream_version")?),
        record: parsed(row, "record")?,
    })
}

fn read_file(row: &Row<'_>) -> Sql<StoredFile> {
    Ok(StoredFile {
        batch: row.get("batch")?,
        sha256: row.get("sha256")?,
        first_row: unsigned(row.get("first_row")?),
        rows: unsigned(row.get("rows")?),
        bytes: unsigned(row.get("bytes")?),
    })
}
