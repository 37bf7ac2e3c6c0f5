//! From stored rows back to events. Nothing leaves the journal unchecked: the envelope must be canonical and of this
//! row, and the payload must be the one it commits to.

use std::path::Path;

use rusqlite::Row;
use spine::Envelope;
use spine::event::CanonicalError;

use super::schema::storage_error;
use crate::error::JournalError;
use crate::model::{Payload, RecordedEvent};
use crate::prepare::{SALT_BYTES, commit};

/// Columns of an event, in the order in which [`event_of_row`] reads them.
pub(super) const EVENT_COLUMNS: &str = "event.position, event.stream, event.stream_version, event.envelope, \
     payload.salted, erasure.erased_at, erasure.basis \
     FROM event LEFT JOIN payload USING (position) LEFT JOIN erasure USING (position)";

/// The event of a row, checked, and how many bytes it was stored in.
pub(super) fn event_of_row(row: &Row<'_>, path: &Path) -> Result<(RecordedEvent, usize), JournalError> {
    let failed = |error: rusqlite::Error| storage_error(path, &error);
    let position = unsigned(row.get(0).map_err(failed)?);
    let place = || format!("the event at position {position} of {}", path.display());
    let damaged = |reason: &str| JournalError::Corrupt { place: place(), reason: reason.to_owned() };
    let stream: String = row.get(1).map_err(failed)?;
    let stream_version = unsigned(row.get(2).map_err(failed)?);
    let envelope_bytes = row.get_ref(3).map_err(failed)?.as_blob().map_err(|_| damaged("no envelope"))?;
    let envelope = Envelope::from_canonical_bytes(envelope_bytes).map_err(|error| match error {
        CanonicalError::NewerFormat(found) => JournalError::NewerFormat {
            path: path.to_owned(),
            found: i64::from(found),
            max: i64::from(Envelope::FORMAT),
        },
        other => damaged(&other.to_string()),
    })?;
    if envelope.stream != stream || envelope.stream_version != stream_version {
        return Err(damaged("its envelope belongs to another place"));
    }
    let salted = row
        .get_ref(4)
        .map_err(failed)?
        .as_blob()
        .map_err(|_| damaged("its payload is missing though nobody erased it"))?;
    let bytes = envelope_bytes.len().saturating_add(salted.len());
    let erased_at: Option<String> = row.get(5).map_err(failed)?;
    if let Some(erased_at) = erased_at {
        let erased_at = erased_at.parse().map_err(|_| damaged("the time of its erasure is unreadable"))?;
        let basis: String = row.get(6).map_err(failed)?;
        return Ok((
            RecordedEvent { position, envelope, payload: Payload::Erased { erased_at, basis } },
            bytes,
        ));
    }
    if commit(salted) != envelope.payload_commit {
        return Err(damaged("its payload is not the one that its envelope commits to"));
    }
    let payload = serde_json::from_slice(salted.get(SALT_BYTES..).unwrap_or_default())
        .map_err(|error| damaged(&format!("its payload is not JSON: {error}")))?;
    Ok((RecordedEvent { position, envelope, payload: Payload::Present(payload) }, bytes))
}

/// SQLite's integers are signed; positions and versions never are, and a negative one reads as 0, which no event has.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The reverse of [`unsigned`]; beyond 2^63 nothing can be stored, and nothing is found.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
