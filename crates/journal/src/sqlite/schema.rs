//! The file's format: who may open it, its tables, and what SQLite's errors mean to a caller.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::JournalError;
use crate::log::files::{parent_of, sync_system_folder};

/// "TWJL": tells a journal from any other SQLite file.
const APPLICATION_ID: i64 = 0x5457_4a4c;
/// The format this program writes and reads.
const FORMAT: i64 = 1;
/// How long to wait for another program that looks into the file.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Salt and payload stand in one value, `salted`, whose SHA-256 is the commitment; erasing overwrites it in place.
/// The triggers are guard rails: nothing in this program changes or deletes a row, and no other program should.
const TABLES: &str = "
    CREATE TABLE event (
        position INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        stream_version INTEGER NOT NULL,
        envelope BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX event_by_stream ON event (stream, stream_version);
    CREATE TABLE payload (position INTEGER PRIMARY KEY, salted BLOB NOT NULL) STRICT;
    CREATE TABLE erasure (position INTEGER PRIMARY KEY, erased_at TEXT NOT NULL, basis TEXT NOT NULL) STRICT;
    CREATE TABLE idempotency (
        key TEXT PRIMARY KEY,
        first_position INTEGER NOT NULL,
        last_position INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Opens the file for the one writer, making the journal where there is none yet.
pub(super) fn open_writer(path: &Path, pages_max: Option<u32>) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let failed = |error: rusqlite::Error| opening_error(path, &error);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_WAIT).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(32);
    let fresh = check_format(&connection, path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(JournalError::Io {
            path: path.to_owned(),
            reason: format!(
                "SQLite cannot keep a write-ahead log here (it answered \"{mode}\"): use a local disk"
            ),
        });
    }
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -32768; PRAGMA trusted_schema = OFF;",
        )
        .map_err(failed)?;
    if let Some(pages) = pages_max {
        connection
            .pragma_update_and_check(None, "max_page_count", i64::from(pages), |_| Ok(()))
            .map_err(failed)?;
    }
    if fresh {
        create(&connection).map_err(failed)?;
    }
    settle(path).map_err(|error| JournalError::io(path, &error))?;
    Ok(connection)
}

/// Makes durable what is there. A process that was killed before its flush left a transaction in the write-ahead log
/// that everybody sees from now on, that others rest on, and that a loss of power would take back. (SQLite's locks are
/// on its other files: opening this one takes none of them away. Flushing needs no room, as a checkpoint would.)
fn settle(path: &Path) -> io::Result<()> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    match OpenOptions::new().write(true).open(wal) {
        Ok(wal) => wal.sync_all().and_then(|()| sync_system_folder(parent_of(path))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens the file for reading; such a connection never waits for the writer and never holds it up.
pub(super) fn open_reader(path: &Path) -> Result<Connection, JournalError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let failed = |error: rusqlite::Error| storage_error(path, &error);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_WAIT).map_err(failed)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;").map_err(failed)?;
    Ok(connection)
}

/// True for an empty file; an error for anything but a journal of a format known here. Writes nothing.
fn check_format(connection: &Connection, path: &Path) -> Result<bool, JournalError> {
    let number = |sql: &str| {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| opening_error(path, &error))
    };
    let application = number("PRAGMA application_id")?;
    let found = number("PRAGMA user_version")?;
    if application == APPLICATION_ID {
        if found > FORMAT {
            return Err(JournalError::NewerFormat { path: path.to_owned(), found, max: FORMAT });
        }
        return Ok(false);
    }
    if application == 0 && found == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(true);
    }
    Err(JournalError::NotAJournal {
        path: path.to_owned(),
        reason: "it is an SQLite database of another program".to_owned(),
    })
}

/// Refuses what is no journal of a format known here.
pub(super) fn check_is_journal(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    if check_format(connection, path)? {
        return Err(JournalError::NotAJournal { path: path.to_owned(), reason: "it is empty".to_owned() });
    }
    Ok(())
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    let guards: String = ["event", "payload", "erasure", "idempotency"]
        .iter()
        .flat_map(|table| ["UPDATE", "DELETE"].map(|change| (table, change)))
        .map(|(table, change)| {
            format!(
                "CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table}
                 BEGIN SELECT RAISE(ABORT, 'a journal is only appended to'); END;"
            )
        })
        .collect();
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} {guards}
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
    ))
}

fn opening_error(path: &Path, error: &rusqlite::Error) -> JournalError {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return JournalError::NotAJournal {
            path: path.to_owned(),
            reason: "it is no SQLite database at all".to_owned(),
        };
    }
    storage_error(path, error)
}

/// What an SQLite error means to a caller.
pub(super) fn storage_error(path: &Path, error: &rusqlite::Error) -> JournalError {
    // The index of the write-ahead log could not grow: in practice a full disk.
    let log_index_full =
        error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => JournalError::StorageFull { path: path.to_owned() },
        _ if log_index_full => JournalError::StorageFull { path: path.to_owned() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            JournalError::Busy { path: path.to_owned() }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            JournalError::Corrupt { place: path.display().to_string(), reason: error.to_string() }
        }
        _ => JournalError::Io { path: path.to_owned(), reason: error.to_string() },
    }
}
