//! From rows to events. An event has one row for each part of its payload, in order.

use std::path::Path;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::decode::{StoredEvent, unsigned};
use crate::error::JournalError;

/// Selects events with their payloads and erasures. `$events` is a query for rows of `journal.event`, in order of
/// their position; of those only as many are taken as begin before `$bytes_max` bytes.
macro_rules! select_events {
    ($events:literal, $bytes_max:literal) => {
        concat!(
            "SELECT e.position, e.stream, e.stream_version,
                CASE WHEN coalesce(p.part, 0) = 0 THEN e.envelope END, p.bytes, x.erased_at, x.basis
             FROM (
                SELECT *, sum(octet_length(envelope) + payload_bytes) OVER (ORDER BY position)
                    - (octet_length(envelope) + payload_bytes) AS begins_at
                FROM (",
            $events,
            ") AS chosen) AS e
             LEFT JOIN LATERAL (
                SELECT part, bytes FROM journal.payload WHERE payload.position = e.position OFFSET 0
             ) AS p ON true
             LEFT JOIN LATERAL (
                SELECT erased_at, basis FROM journal.erasure WHERE erasure.position = e.position OFFSET 0
             ) AS x ON true
             WHERE e.begins_at < ",
            $bytes_max,
            " ORDER BY e.position, p.part"
        )
    };
}

/// `$1` position to begin after, `$2` events at most, `$3` bytes after which to stop.
pub(super) const FEED: &str = select_events!(
    "SELECT * FROM journal.event WHERE position > $1 ORDER BY position LIMIT $2",
    "$3::bigint"
);
/// `$1` position to begin after, `$2` events at most, `$3` bytes after which to stop: envelopes alone.
pub(super) const ENVELOPES: &str = "
    SELECT position, envelope FROM (
        SELECT position, envelope,
            sum(octet_length(envelope)) OVER (ORDER BY position) - octet_length(envelope) AS begins_at
        FROM (SELECT position, envelope FROM journal.event WHERE position > $1 ORDER BY position LIMIT $2) AS chosen
    ) AS e
    WHERE begins_at < $3::bigint ORDER BY position";
/// `$1` stream, `$2` version to begin after, `$3` events at most, `$4` bytes after which to stop.
pub(super) const STREAM: &str = select_events!(
    "SELECT * FROM journal.event WHERE stream = $1 AND stream_version > $2 ORDER BY stream_version LIMIT $3",
    "$4::bigint"
);
/// `$1` first and `$2` last position, `$3` bytes after which to stop.
pub(super) const RANGE: &str =
    select_events!("SELECT * FROM journal.event WHERE position BETWEEN $1 AND $2", "$3::bigint");
/// The last event.
pub(super) const LAST: &str =
    select_events!("SELECT * FROM journal.event ORDER BY position DESC LIMIT 1", "9223372036854775807");
/// The last position, 0 where there is none.
pub(super) const HEAD: &str = "SELECT coalesce(max(position), 0) FROM journal.event";

/// A column of a row; a column of another type means that the table is not ours.
pub(super) fn column<'a, T: FromSql<'a>>(
    row: &'a Row,
    index: usize,
    journal: &Path,
) -> Result<T, JournalError> {
    row.try_get(index).map_err(|error| JournalError::Corrupt {
        place: journal.display().to_string(),
        reason: format!("a column is unreadable: {error}"),
    })
}

/// Shows each event that these rows hold to `look`, in order.
pub(super) fn for_each_stored(
    rows: &[Row],
    journal: &Path,
    mut look: impl FnMut(&StoredEvent<'_>) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let mut rows = rows.iter().peekable();
    while let Some(row) = rows.next() {
        let position: i64 = column(row, 0, journal)?;
        let first: Option<&[u8]> = column(row, 4, journal)?;
        let mut joined: Option<Vec<u8>> = None;
        while let Some(further) = rows.peek()
            && column::<i64>(further, 0, journal)? == position
        {
            let part: &[u8] = column(further, 4, journal)?;
            joined.get_or_insert_with(|| first.unwrap_or_default().to_vec()).extend_from_slice(part);
            rows.next();
        }
        let erased_at: Option<&str> = column(row, 5, journal)?;
        let basis: Option<&str> = column(row, 6, journal)?;
        look(&StoredEvent {
            position: unsigned(position),
            stream: column(row, 1, journal)?,
            stream_version: unsigned(column(row, 2, journal)?),
            envelope: column::<Option<&[u8]>>(row, 3, journal)?.unwrap_or_default(),
            salted: joined.as_deref().or(first),
            erasure: erased_at.zip(basis),
        })?;
    }
    Ok(())
}
