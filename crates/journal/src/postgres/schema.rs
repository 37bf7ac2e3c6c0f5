//! The tables of a journal in PostgreSQL, made on first use.

use std::path::Path;

use super::session::Session;
use crate::error::JournalError;

/// The format this program writes and reads.
pub(super) const FORMAT: i64 = 1;
/// PostgreSQL 15, as `server_version_num` has it.
const SERVER_VERSION_MIN: i64 = 150_000;
/// Held for the length of a transaction by whoever appends, or moves a lease: positions have no gaps, and a lease
/// that was taken over is lost to every later append. ("TWJL" as a number; advisory locks are per database.)
pub(super) const WRITER_LOCK: i64 = 0x5457_4a4c;
/// Held while the tables are made.
const SCHEMA_LOCK: i64 = 0x5457_4a4d;

/// Salt and payload stand together in `payload`, in parts of one row each ([`super::erase`] says why); their SHA-256
/// is the commitment. The triggers are guard rails: nothing in this program changes or deletes a row that has no
/// erasure, and no other program should. `scrub` names the events whose erased bytes may still stand in a page.
const TABLES: &str = r#"
    CREATE SCHEMA journal;
    CREATE TABLE journal.format (format bigint NOT NULL);
    CREATE TABLE journal.event (
        position bigint PRIMARY KEY,
        stream text COLLATE "C" NOT NULL,
        stream_version bigint NOT NULL,
        payload_bytes integer NOT NULL,
        envelope bytea NOT NULL
    );
    CREATE UNIQUE INDEX event_by_stream ON journal.event (stream, stream_version);
    CREATE TABLE journal.payload (
        position bigint NOT NULL,
        part integer NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (position, part)
    ) WITH (fillfactor = 96);
    ALTER TABLE journal.payload ALTER bytes SET STORAGE PLAIN;
    CREATE TABLE journal.erasure (position bigint PRIMARY KEY, erased_at text NOT NULL, basis text NOT NULL);
    CREATE TABLE journal.scrub (position bigint PRIMARY KEY);
    CREATE TABLE journal.idempotency (
        key text COLLATE "C" PRIMARY KEY,
        first_position bigint NOT NULL,
        last_position bigint NOT NULL
    );
    CREATE INDEX idempotency_by_position ON journal.idempotency (first_position);
    CREATE TABLE journal.lease (
        name text PRIMARY KEY,
        holder text NOT NULL,
        epoch bigint NOT NULL,
        expires_at timestamptz NOT NULL
    );
    CREATE TABLE journal.blob (
        sha256 text COLLATE "C" PRIMARY KEY,
        bytes bigint NOT NULL,
        content uuid NOT NULL
    );
    CREATE TABLE journal.blob_part (
        content uuid NOT NULL,
        part integer NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (content, part)
    );
    ALTER TABLE journal.blob_part ALTER bytes SET STORAGE EXTERNAL;

    CREATE FUNCTION journal.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- A blob is erased in a transaction that says so.
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('blob', 'blob_part')
                AND current_setting('journal.erasing', true) = 'yes' THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'a journal is only appended to';
        END $$;
    CREATE FUNCTION journal.refuse_unless_erased() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.position = OLD.position AND NEW.part = OLD.part
                AND EXISTS (SELECT FROM journal.erasure WHERE erasure.position = OLD.position) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a journal is only appended to';
        END $$;
    CREATE FUNCTION journal.refuse_older_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.name = OLD.name AND NEW.epoch >= OLD.epoch THEN RETURN NEW; END IF;
            RAISE EXCEPTION 'the epoch of a lease never goes back';
        END $$;
    CREATE TRIGGER payload_no_update BEFORE UPDATE ON journal.payload
        FOR EACH ROW EXECUTE FUNCTION journal.refuse_unless_erased();
    CREATE TRIGGER lease_epoch BEFORE UPDATE ON journal.lease
        FOR EACH ROW EXECUTE FUNCTION journal.refuse_older_epoch();
"#;

/// Tables in which no row is ever changed, and those in which none is ever deleted.
const NO_UPDATE: [&str; 6] = ["format", "event", "erasure", "idempotency", "blob", "blob_part"];
const NO_DELETE: [&str; 8] =
    ["format", "event", "payload", "erasure", "idempotency", "lease", "blob", "blob_part"];

/// Begins a transaction that holds a lock of the database. If its client stands still, the server ends it before long,
/// so that the lock does not hold up everybody.
pub(super) fn begin_under(lock: i64) -> String {
    format!(
        "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '3s'; SELECT pg_advisory_xact_lock({lock})"
    )
}

/// Checks that a journal stands here that this program can read, or makes one where there is nothing.
pub(super) fn prepare(session: &mut Session, name: &Path) -> Result<(), JournalError> {
    check_server(session, name)?;
    if format(session)?.is_none() {
        session.run(&begin_under(SCHEMA_LOCK))?;
        // Somebody else may have made it while this one waited for the lock.
        if format(session)?.is_none() {
            session.run(&tables())?;
        }
        session.run("COMMIT")?;
    }
    check_format(session, name)
}

/// Checks that a journal stands here that this program can read; changes nothing.
pub(super) fn check(session: &mut Session, name: &Path) -> Result<(), JournalError> {
    check_server(session, name)?;
    check_format(session, name)
}

fn not_a_journal(name: &Path, reason: &str) -> JournalError {
    JournalError::NotAJournal { path: name.to_owned(), reason: reason.to_owned() }
}

fn check_server(session: &mut Session, name: &Path) -> Result<(), JournalError> {
    let about = session.query(
        "SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding'),
                current_setting('fsync')",
        &[],
    )?;
    let (version, encoding, fsync) = about
        .first()
        .and_then(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?, row.try_get(2).ok()?)))
        .unwrap_or((0_i64, String::new(), String::new()));
    if version < SERVER_VERSION_MIN {
        return Err(not_a_journal(name, "its server is older than PostgreSQL 15"));
    }
    if encoding != "UTF8" {
        return Err(not_a_journal(name, "its encoding is not UTF8"));
    }
    if fsync != "on" {
        tracing::warn!(database = %name.display(), "fsync is off: a crash of the machine may lose what was acknowledged");
    }
    Ok(())
}

fn check_format(session: &mut Session, name: &Path) -> Result<(), JournalError> {
    match format(session)? {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => {
            Err(JournalError::NewerFormat { path: name.to_owned(), found, max: FORMAT })
        }
        Some(_) => Err(not_a_journal(name, "its schema \"journal\" belongs to another program")),
        None => Err(not_a_journal(name, "it has no schema \"journal\"")),
    }
}

/// The format found; nothing where there is no schema; 0 where the schema is another program's.
fn format(session: &mut Session) -> Result<Option<i64>, JournalError> {
    // The catalogue's tables, not its functions: those may answer from what was true before a lock was granted.
    let found = session.query(
        "SELECT count(DISTINCT namespace.oid) > 0, count(format.oid) > 0
         FROM pg_catalog.pg_namespace AS namespace
         LEFT JOIN pg_catalog.pg_class AS format ON relnamespace = namespace.oid AND relname = 'format'
         WHERE nspname = 'journal'",
        &[],
    )?;
    let there = |column: usize| found.first().is_some_and(|row| row.try_get(column).unwrap_or(false));
    if !there(0) {
        return Ok(None);
    }
    if !there(1) {
        return Ok(Some(0));
    }
    let rows = session.query("SELECT max(format)::bigint FROM journal.format", &[])?;
    Ok(Some(rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or(0)))
}

fn tables() -> String {
    let guard = |table: &str, change: &str| {
        format!(
            "CREATE TRIGGER {table}_no_{change} BEFORE {change} ON journal.{table}
             FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse();"
        )
    };
    let mut sql = TABLES.to_owned();
    for table in NO_UPDATE {
        sql.push_str(&guard(table, "UPDATE"));
    }
    for table in NO_DELETE {
        sql.push_str(&guard(table, "DELETE"));
        sql.push_str(&guard(table, "TRUNCATE"));
    }
    sql.push_str(&format!("INSERT INTO journal.format VALUES ({FORMAT});"));
    sql
}
