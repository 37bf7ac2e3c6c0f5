//! Reading rows of the SQLite file.

use std::path::Path;

use rusqlite::Row;

use super::schema::storage_error;
use crate::decode::{StoredEvent, unsigned};
use crate::error::JournalError;

/// Columns of an event, in the order in which [`with_stored`] reads them.
pub(super) const EVENT_COLUMNS: &str = "event.position, event.stream, event.stream_version, event.envelope, \
     payload.salted, erasure.erased_at, erasure.basis \
     FROM event LEFT JOIN payload USING (position) LEFT JOIN erasure USING (position)";

/// Shows what a row holds to `look`.
pub(super) fn with_stored<T>(
    row: &Row<'_>,
    path: &Path,
    look: impl FnOnce(StoredEvent<'_>) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    let failed = |error: rusqlite::Error| storage_error(path, &error);
    let position = unsigned(row.get(0).map_err(failed)?);
    let damaged = |reason: &str| JournalError::Corrupt {
        place: format!("the event at position {position} of {}", path.display()),
        reason: reason.to_owned(),
    };
    let text = |column: usize, what: &str| {
        row.get_ref(column).map_err(failed)?.as_str_or_null().map_err(|_| damaged(what))
    };
    let envelope = row.get_ref(3).map_err(failed)?.as_blob().map_err(|_| damaged("no envelope"))?;
    look(StoredEvent {
        position,
        stream: text(1, "no stream")?.unwrap_or_default(),
        stream_version: unsigned(row.get(2).map_err(failed)?),
        envelope,
        salted: row.get_ref(4).map_err(failed)?.as_blob_or_null().map_err(|_| damaged("no payload"))?,
        erasure: text(5, "no time of erasure")?.zip(text(6, "no basis of erasure")?),
    })
}
