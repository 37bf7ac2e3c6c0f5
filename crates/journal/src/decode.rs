//! From stored rows back to events, whatever the store. Nothing leaves the journal unchecked: the envelope must be
//! canonical and of this row, and the payload must be the one it commits to.

use std::path::Path;

use spine::Envelope;
use spine::event::CanonicalError;

use crate::error::JournalError;
use crate::model::{Payload, RecordedEvent};
use crate::prepare::{SALT_BYTES, commit};

/// What a store holds of one event.
pub(crate) struct StoredEvent<'a> {
    pub(crate) position: u64,
    pub(crate) stream: &'a str,
    pub(crate) stream_version: u64,
    pub(crate) envelope: &'a [u8],
    /// Salt and payload; nothing where the row is missing.
    pub(crate) salted: Option<&'a [u8]>,
    /// When it was erased, and on what ground.
    pub(crate) erasure: Option<(&'a str, &'a str)>,
}

impl StoredEvent<'_> {
    /// How many bytes it is stored in.
    pub(crate) fn bytes(&self) -> usize {
        self.envelope.len().saturating_add(self.salted.map_or(0, <[u8]>::len))
    }

    /// The event, checked. `journal` is where it stands, for messages.
    pub(crate) fn check(&self, journal: &Path) -> Result<RecordedEvent, JournalError> {
        let damaged = |reason: &str| JournalError::Corrupt {
            place: format!("the event at position {} of {}", self.position, journal.display()),
            reason: reason.to_owned(),
        };
        let position = self.position;
        let envelope = Envelope::from_canonical_bytes(self.envelope).map_err(|error| match error {
            CanonicalError::NewerFormat(found) => JournalError::NewerFormat {
                path: journal.to_owned(),
                found: i64::from(found),
                max: i64::from(Envelope::FORMAT),
            },
            other => damaged(&other.to_string()),
        })?;
        if envelope.stream != self.stream || envelope.stream_version != self.stream_version {
            return Err(damaged("its envelope belongs to another place"));
        }
        let salted = self.salted.ok_or_else(|| damaged("its payload is missing though nobody erased it"))?;
        if let Some((erased_at, basis)) = self.erasure {
            let erased_at =
                erased_at.parse().map_err(|_| damaged("the time of its erasure is unreadable"))?;
            let payload = Payload::Erased { erased_at, basis: basis.to_owned() };
            return Ok(RecordedEvent { position, envelope, payload });
        }
        if commit(salted) != envelope.payload_commit {
            return Err(damaged("its payload is not the one that its envelope commits to"));
        }
        let payload = serde_json::from_slice(salted.get(SALT_BYTES..).unwrap_or_default())
            .map_err(|error| damaged(&format!("its payload is not JSON: {error}")))?;
        Ok(RecordedEvent { position, envelope, payload: Payload::Present(payload) })
    }
}

/// Databases' integers are signed; positions and versions never are, and a negative one reads as 0, which no event
/// has.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The reverse of [`unsigned`]; beyond 2^63 nothing can be stored, and nothing is found.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
