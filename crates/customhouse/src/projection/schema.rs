//! Tables of the read model.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::failed;
use crate::error::Error;

/// Version of the tables: part of the file's name.
pub(super) const VERSION: u32 = 7;

/// The tables. Times are microseconds since 1970; amounts are text as declared, with a number beside it to order by.
const TABLES: &str = "
    CREATE TABLE reflected (position INTEGER NOT NULL) STRICT;
    INSERT INTO reflected (position) VALUES (0);
    CREATE TABLE declaration (
        mrn TEXT PRIMARY KEY,
        lrn TEXT NOT NULL,
        party TEXT,
        number INTEGER,
        sha256 TEXT,
        schema TEXT,
        office TEXT NOT NULL,
        declarant TEXT, importer TEXT, exporter TEXT, carrier TEXT,
        commodity TEXT, description TEXT, origin TEXT, departure TEXT,
        items INTEGER NOT NULL,
        value TEXT, value_number REAL, currency TEXT,
        state TEXT, standing TEXT,
        lane TEXT, arm TEXT, score INTEGER, threshold INTEGER, probability_ppm INTEGER,
        received_at INTEGER NOT NULL, lodged_at INTEGER NOT NULL,
        selected_at INTEGER, ordered_at INTEGER, released_at INTEGER, result_at INTEGER,
        control TEXT, officer TEXT, due_at INTEGER, timer_at INTEGER,
        waits_for_trader INTEGER NOT NULL,
        inspected INTEGER, irregular INTEGER, recovered REAL,
        batch TEXT, first_row INTEGER, last_row INTEGER, simulated INTEGER NOT NULL, findings TEXT,
        erased_at INTEGER, erased_basis TEXT, position INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX declaration_lrn ON declaration (party, lrn, number) WHERE party IS NOT NULL;
    CREATE INDEX declaration_reference ON declaration (lrn) WHERE party IS NOT NULL;
    CREATE INDEX declaration_lodged ON declaration (lodged_at, mrn);
    CREATE INDEX declaration_office ON declaration (office, lodged_at);
    CREATE INDEX declaration_lane ON declaration (lane, lodged_at);
    CREATE INDEX declaration_stopped ON declaration (lane, lodged_at) WHERE batch IS NULL;
    CREATE INDEX declaration_state ON declaration (state, lodged_at);
    CREATE INDEX declaration_importer ON declaration (importer, lodged_at);
    CREATE INDEX declaration_declarant ON declaration (declarant, lodged_at);
    CREATE INDEX declaration_exporter ON declaration (exporter, lodged_at);
    CREATE INDEX declaration_value ON declaration (value_number);
    CREATE INDEX declaration_score ON declaration (score) WHERE score IS NOT NULL;
    CREATE INDEX declaration_control ON declaration (office, due_at) WHERE control IS NOT NULL;
    CREATE INDEX declaration_timer ON declaration (timer_at) WHERE timer_at IS NOT NULL;
    CREATE INDEX declaration_result ON declaration (result_at) WHERE result_at IS NOT NULL;
    CREATE TABLE item (commodity TEXT NOT NULL, mrn TEXT NOT NULL, origin TEXT,
        PRIMARY KEY (commodity, mrn)) STRICT, WITHOUT ROWID;
    CREATE TABLE container (container TEXT NOT NULL, mrn TEXT NOT NULL,
        PRIMARY KEY (container, mrn)) STRICT, WITHOUT ROWID;
    CREATE TABLE consignment (ucr TEXT NOT NULL, mrn TEXT NOT NULL,
        PRIMARY KEY (ucr, mrn)) STRICT, WITHOUT ROWID;
    CREATE TABLE tag_on (tag TEXT NOT NULL, mrn TEXT NOT NULL,
        PRIMARY KEY (tag, mrn)) STRICT, WITHOUT ROWID;
    CREATE TABLE tag_hits (tag TEXT PRIMARY KEY, inspected INTEGER NOT NULL, irregular INTEGER NOT NULL) STRICT;
    CREATE TABLE flow (hour INTEGER NOT NULL, office TEXT NOT NULL, measure TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (hour, office, measure)) STRICT, WITHOUT ROWID;
    CREATE TABLE office (office TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    CREATE TABLE total (measure TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    CREATE TABLE entity (
        id TEXT NOT NULL, role TEXT NOT NULL,
        declarations INTEGER NOT NULL, value REAL NOT NULL, currency TEXT,
        first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
        inspected INTEGER NOT NULL, irregular INTEGER NOT NULL, simulated INTEGER NOT NULL,
        PRIMARY KEY (id, role)) STRICT, WITHOUT ROWID;
    CREATE INDEX entity_declarations ON entity (declarations);
    CREATE TABLE entity_month (id TEXT NOT NULL, month TEXT NOT NULL,
        declarations INTEGER NOT NULL, inspected INTEGER NOT NULL, irregular INTEGER NOT NULL,
        PRIMARY KEY (id, month)) STRICT, WITHOUT ROWID;
    CREATE TABLE entity_chapter (id TEXT NOT NULL, role TEXT NOT NULL, chapter TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (id, role, chapter)) STRICT, WITHOUT ROWID;
    CREATE TABLE entity_trade (
        role TEXT NOT NULL, chapter TEXT NOT NULL, origin TEXT NOT NULL, currency TEXT NOT NULL, id TEXT NOT NULL,
        items INTEGER NOT NULL, value TEXT NOT NULL, mass TEXT NOT NULL, simulated INTEGER NOT NULL,
        PRIMARY KEY (id, role, chapter, origin, currency)) STRICT, WITHOUT ROWID;
    CREATE INDEX entity_trade_group ON entity_trade (role, chapter, origin, currency, items DESC, id);
    CREATE TABLE entity_tag (id TEXT NOT NULL, tag TEXT NOT NULL, n INTEGER NOT NULL,
        first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
        PRIMARY KEY (id, tag)) STRICT, WITHOUT ROWID;
    CREATE TABLE relation (id TEXT NOT NULL, other TEXT NOT NULL, other_role TEXT NOT NULL,
        n INTEGER NOT NULL, irregular INTEGER NOT NULL,
        PRIMARY KEY (id, other, other_role)) STRICT, WITHOUT ROWID;
    CREATE TABLE batch (batch TEXT PRIMARY KEY) STRICT;
    CREATE TABLE viewing (
        position INTEGER PRIMARY KEY, at INTEGER NOT NULL,
        reader TEXT NOT NULL, role TEXT NOT NULL, office TEXT,
        what TEXT NOT NULL, mrn TEXT, entity TEXT, filter TEXT, rows INTEGER, purpose TEXT
    ) STRICT;
    CREATE INDEX viewing_at ON viewing (at);
    CREATE INDEX viewing_mrn ON viewing (mrn, position) WHERE mrn IS NOT NULL;
    CREATE INDEX viewing_entity ON viewing (entity, position) WHERE entity IS NOT NULL;
    CREATE INDEX viewing_reader ON viewing (reader, position);
    CREATE TABLE erasure (id TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE moved (position INTEGER PRIMARY KEY, at INTEGER NOT NULL, office TEXT NOT NULL, moved TEXT NOT NULL) STRICT;
";

const WRITER: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
";

/// Opens the file for writing, making it where it is missing or cannot be read.
pub(super) fn open_or_make(path: &Path) -> Result<Connection, Error> {
    match open_writer(path) {
        Ok(connection) => Ok(connection),
        // Everything in it can be made again: a damaged one gives way.
        Err(_) => {
            for suffix in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                // What is not there needs no removing.
                let _ = std::fs::remove_file(name);
            }
            open_writer(path).map_err(|error| failed(&error))
        }
    }
}

fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(WRITER)?;
    connection.set_prepared_statement_cache_capacity(64);
    let made: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'reflected')",
        [],
        |row| row.get(0),
    )?;
    if !made {
        let notifications = crate::notifications::read_model::TABLE;
        let entry_summaries = crate::entry_summary::index::TABLES;
        let entities = crate::entities::index::TABLES;
        connection.execute_batch(&format!(
            "BEGIN; {TABLES} {notifications} {entry_summaries} {entities} COMMIT;"
        ))?;
    }
    position(&connection)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA mmap_size = 1073741824;")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Position that the file reflects.
pub(super) fn position(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT position FROM reflected", [], |row| row.get(0))
}

/// Empties all tables, to begin again.
pub(super) fn clear(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let names: Vec<String> = transaction
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for name in names.iter().filter(|name| *name != "reflected") {
        transaction.execute(&format!("DELETE FROM {name}"), [])?;
    }
    transaction.execute("UPDATE reflected SET position = 0", [])?;
    transaction.commit()
}

/// Leaves nothing of what was emptied: neither in free pages nor in the log. Refused while somebody reads.
pub(super) fn scrub(connection: &Connection) -> rusqlite::Result<bool> {
    connection.execute_batch("VACUUM")?;
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// Removes files of other versions: they hold what this one may hold no more.
pub(super) fn remove_others(path: &Path) -> Result<(), Error> {
    let (Some(folder), Some(own)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let own = own.to_string_lossy().into_owned();
    let failed = |error: std::io::Error| Error::io("read_model_unwritable", folder, &error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("declarations-") && !name.starts_with(&own) {
            std::fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}
