//! What the writer's transactions are in SQLite.
//!
//! When the storage fails at the very commit, nobody knows what is on the disk: the journal then records nothing more
//! until it is opened again, for a later flush may claim success without having the bytes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::read::{EVENT_COLUMNS, with_stored};
use super::schema::{BUSY_WAIT, storage_error};
use crate::decode::{signed, unsigned};
use crate::error::JournalError;
use crate::model::RecordedEvent;
use crate::store::{EventRow, Needs, Store, Versions};

/// How long an erasure waits for readers that still look at the past, and how often it is tried again.
const SCRUB_WAIT: Duration = Duration::from_secs(1);

/// The writer's connection. Nobody else writes to the file, so what is known of it stays true.
pub(super) struct SqliteStore {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Last position that is durable.
    pub(super) head: u64,
    pub(super) scrub_due: Option<Instant>,
}

impl SqliteStore {
    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        storage_error(&self.path, error)
    }

    fn overwrite(&self, position: i64) -> rusqlite::Result<()> {
        let mut salted = self.connection.blob_open("main", "payload", "salted", position, false)?;
        let zeros = vec![0_u8; salted.len()];
        salted.write_at(&zeros, 0)
    }
}

impl Store for SqliteStore {
    fn place(&self) -> &Path {
        &self.path
    }

    fn begin(&mut self, _needs: &Needs<'_>, _versions: &mut Versions) -> Result<u64, JournalError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.failed(&error))?;
        Ok(self.head)
    }

    fn stream_version(&mut self, stream: &str) -> Result<u64, JournalError> {
        let version: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(stream_version) FROM event WHERE stream = ?")
            .and_then(|mut select| select.query_row([stream], |row| row.get(0)))
            .map_err(|error| self.failed(&error))?;
        Ok(unsigned(version.unwrap_or(0)))
    }

    fn positions_of_key(&mut self, key: &str) -> Result<Option<(u64, u64)>, JournalError> {
        let range: Option<(i64, i64)> = self
            .connection
            .prepare_cached("SELECT first_position, last_position FROM idempotency WHERE key = ?")
            .and_then(|mut select| select.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(|error| self.failed(&error))?;
        Ok(range.map(|(first, last)| (unsigned(first), unsigned(last))))
    }

    fn events_of_key(&mut self, key: &str) -> Result<Option<Vec<RecordedEvent>>, JournalError> {
        let Some((first, last)) = self.positions_of_key(key)? else { return Ok(None) };
        let failed = |error: rusqlite::Error| storage_error(&self.path, &error);
        let sql =
            format!("SELECT {EVENT_COLUMNS} WHERE event.position BETWEEN ? AND ? ORDER BY event.position");
        let mut select = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut rows = select.query([signed(first), signed(last)]).map_err(failed)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            events.push(with_stored(row, &self.path, |stored| stored.check(&self.path))?);
        }
        Ok(Some(events))
    }

    fn insert(&mut self, row: EventRow<'_>) -> Result<(), JournalError> {
        let position = signed(row.position);
        self.connection
            .prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?)")
            .and_then(|mut insert| {
                insert.execute(params![position, row.stream, signed(row.stream_version), row.envelope])
            })
            .and_then(|_| self.connection.prepare_cached("INSERT INTO payload VALUES (?, ?)"))
            .and_then(|mut insert| insert.execute(params![position, row.salted]))
            .map_err(|error| self.failed(&error))?;
        Ok(())
    }

    fn insert_key(&mut self, key: &str, first: u64, last: u64) -> Result<(), JournalError> {
        self.connection
            .prepare_cached("INSERT INTO idempotency VALUES (?, ?, ?)")
            .and_then(|mut insert| insert.execute(params![key, signed(first), signed(last)]))
            .map_err(|error| self.failed(&error))?;
        Ok(())
    }

    /// Overwrites salt and payload where they stand. Overwriting in place, rather than deleting the row, keeps
    /// SQLite from moving neighbours about, which could leave copies of them behind.
    fn insert_erasure(
        &mut self,
        position: u64,
        erased_at: &str,
        basis: &str,
        overwrite: bool,
    ) -> Result<(), JournalError> {
        self.connection
            .execute(
                "INSERT INTO erasure VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                params![signed(position), erased_at, basis],
            )
            .and_then(
                |inserted| {
                    if inserted > 0 && overwrite { self.overwrite(signed(position)) } else { Ok(()) }
                },
            )
            .map_err(|error| self.failed(&error))
    }

    fn commit(&mut self, head: u64) -> Result<(), JournalError> {
        self.connection.execute_batch("COMMIT").map_err(|error| match self.failed(&error) {
            known @ (JournalError::StorageFull { .. } | JournalError::Busy { .. }) => known,
            _ => JournalError::OutcomeUnknown { reason: error.to_string() },
        })?;
        self.head = head;
        Ok(())
    }

    fn roll_back(&mut self) -> bool {
        self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok()
    }

    fn can_go_on_after(&self, error: &JournalError) -> bool {
        !matches!(error, JournalError::OutcomeUnknown { .. } | JournalError::Corrupt { .. })
    }

    /// Empties the write-ahead log, where the erased bytes still stand. Readers in the midst of a read prevent it; it
    /// is then tried again until it succeeds, and closing the journal does it at the latest.
    fn scrub(&mut self) {
        let wait = if self.scrub_due.is_some() { Duration::ZERO } else { SCRUB_WAIT };
        let busy = self
            .connection
            .busy_timeout(wait)
            .and_then(|()| {
                self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            })
            .unwrap_or(1);
        if let Err(error) = self.connection.busy_timeout(BUSY_WAIT) {
            tracing::warn!(%error, "the journal's patience with other programs could not be set again");
        }
        self.scrub_due = (busy != 0).then(|| Instant::now() + SCRUB_WAIT);
    }

    fn scrub_due_in(&self) -> Option<Duration> {
        self.scrub_due.map(|due| due.saturating_duration_since(Instant::now()))
    }
}
