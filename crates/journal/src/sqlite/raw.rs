//! What the file holds, as it holds it: for copying.

use std::path::Path;

use rusqlite::params;

use super::SqliteJournal;
use super::read::{EVENT_COLUMNS, with_stored};
use super::schema::storage_error;
use crate::copy::Raw;
use crate::decode::{signed, unsigned};
use crate::error::JournalError;
use crate::import::{ImportBatch, RawErasure, RawEvent, RawKey};

impl SqliteJournal {
    /// Collects what a query answers.
    fn collect<T>(
        &self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        of_row: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, JournalError> {
        self.read(|connection| {
            connection
                .prepare_cached(sql)
                .and_then(|mut select| select.query_map(parameters, of_row)?.collect())
                .map_err(|error| storage_error(&self.path, &error))
        })
    }
}

impl Raw for SqliteJournal {
    fn place(&self) -> &Path {
        &self.path
    }

    fn raw_events(&self, after: u64, limit: usize, bytes_max: usize) -> Result<Vec<RawEvent>, JournalError> {
        let failed = |error: rusqlite::Error| storage_error(&self.path, &error);
        self.read(|connection| {
            let sql =
                format!("SELECT {EVENT_COLUMNS} WHERE event.position > ? ORDER BY event.position LIMIT ?");
            let mut select = connection.prepare_cached(&sql).map_err(failed)?;
            let mut rows = select.query(params![signed(after), super::bounded(limit)]).map_err(failed)?;
            let mut events = Vec::new();
            let mut bytes = 0_usize;
            while bytes < bytes_max
                && let Some(row) = rows.next().map_err(failed)?
            {
                events.push(with_stored(row, &self.path, |stored| {
                    bytes = bytes.saturating_add(stored.bytes());
                    RawEvent::of(&stored, &self.path)
                })?);
            }
            Ok(events)
        })
    }

    fn raw_keys(&self, first: u64, last: u64) -> Result<Vec<RawKey>, JournalError> {
        self.collect(
            "SELECT key, first_position, last_position FROM idempotency WHERE first_position BETWEEN ? AND ?",
            params![signed(first), signed(last)],
            |row| Ok(RawKey { key: row.get(0)?, first: unsigned(row.get(1)?), last: unsigned(row.get(2)?) }),
        )
    }

    fn raw_erasures(&self, after: u64, limit: usize) -> Result<Vec<RawErasure>, JournalError> {
        self.collect(
            "SELECT position, erased_at, basis FROM erasure WHERE position > ? ORDER BY position LIMIT ?",
            params![signed(after), super::bounded(limit)],
            |row| {
                Ok(RawErasure { position: unsigned(row.get(0)?), erased_at: row.get(1)?, basis: row.get(2)? })
            },
        )
    }

    fn blob_names(&self, first_byte: u8) -> Result<Vec<String>, JournalError> {
        self.blobs.names(first_byte)
    }

    fn import(&self, batch: ImportBatch) -> Result<(), JournalError> {
        self.writer()?.import(batch)
    }
}
