//! What the database holds, as it holds it: for copying.

use std::path::Path;

use super::PostgresJournal;
use super::read::{FEED, column, for_each_stored};
use crate::copy::Raw;
use crate::decode::{signed, unsigned};
use crate::error::JournalError;
use crate::import::{ImportBatch, RawErasure, RawEvent, RawKey};

const KEYS: &str = "
    SELECT key, first_position, last_position FROM journal.idempotency WHERE first_position BETWEEN $1 AND $2";
const ERASURES: &str = "
    SELECT position, erased_at, basis FROM journal.erasure WHERE position > $1 ORDER BY position LIMIT $2";
/// Hashes are lower-case hexadecimal: those of a prefix stand between it and it followed by a later letter.
const BLOBS: &str = "SELECT sha256 FROM journal.blob WHERE sha256 BETWEEN $1 AND $1 || 'g' ORDER BY sha256";

impl Raw for PostgresJournal {
    fn place(&self) -> &Path {
        &self.database.name
    }

    fn raw_events(&self, after: u64, limit: usize, bytes_max: usize) -> Result<Vec<RawEvent>, JournalError> {
        let name = &self.database.name;
        let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
        let rows = self
            .readers
            .read(|session| session.query(FEED, &[&signed(after), &super::bounded(limit), &bytes_max]))?;
        let mut events = Vec::new();
        for_each_stored(&rows, name, |stored| {
            events.push(RawEvent::of(stored, name)?);
            Ok(())
        })?;
        Ok(events)
    }

    fn raw_keys(&self, first: u64, last: u64) -> Result<Vec<RawKey>, JournalError> {
        let name = &self.database.name;
        let rows = self.readers.read(|session| session.query(KEYS, &[&signed(first), &signed(last)]))?;
        rows.iter()
            .map(|row| {
                let (first, last) = (unsigned(column(row, 1, name)?), unsigned(column(row, 2, name)?));
                Ok(RawKey { key: column(row, 0, name)?, first, last })
            })
            .collect()
    }

    fn raw_erasures(&self, after: u64, limit: usize) -> Result<Vec<RawErasure>, JournalError> {
        let name = &self.database.name;
        let rows = self
            .readers
            .read(|session| session.query(ERASURES, &[&signed(after), &super::bounded(limit)]))?;
        rows.iter()
            .map(|row| {
                Ok(RawErasure {
                    position: unsigned(column(row, 0, name)?),
                    erased_at: column(row, 1, name)?,
                    basis: column(row, 2, name)?,
                })
            })
            .collect()
    }

    fn blob_names(&self, first_byte: u8) -> Result<Vec<String>, JournalError> {
        let shelf = hex::encode([first_byte]);
        let rows = self.readers.read(|session| session.query(BLOBS, &[&shelf]))?;
        rows.iter().map(|row| column(row, 0, &self.database.name)).collect()
    }

    fn import(&self, batch: ImportBatch) -> Result<(), JournalError> {
        let erases = !batch.erasures.is_empty();
        self.writer()?.import(batch)?;
        if erases {
            self.scrub();
        }
        Ok(())
    }
}
