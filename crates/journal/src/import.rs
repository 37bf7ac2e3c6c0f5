//! Events as a store holds them, byte for byte: what is carried from one store to another.

use std::path::Path;

use crate::decode::StoredEvent;
use crate::error::JournalError;
use crate::model::{RecordedEvent, SealedEvent};
use crate::prepare::SALT_BYTES;

/// One event with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawEvent {
    pub(crate) position: u64,
    pub(crate) stream: String,
    pub(crate) stream_version: u64,
    pub(crate) envelope: Vec<u8>,
    /// Salt and payload; zeros once they are erased.
    pub(crate) salted: Vec<u8>,
    /// When it was erased, and on what ground.
    pub(crate) erasure: Option<(String, String)>,
}

impl RawEvent {
    /// The first of the events read after `position - 1`, as a proof of it needs it.
    pub(crate) fn seal(events: Vec<Self>, position: u64, head: u64) -> Result<SealedEvent, JournalError> {
        let own = events.into_iter().find(|own| own.position == position);
        let own = own.ok_or(JournalError::NoSuchPosition { position, head })?;
        let opening = own
            .salted
            .split_at_checked(SALT_BYTES)
            .filter(|_| own.erasure.is_none())
            .map(|(salt, payload)| (salt.to_vec(), payload.to_vec()));
        Ok(SealedEvent { envelope: own.envelope, opening })
    }
}

/// An idempotency key, or a claim as it is stored, and the positions that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawKey {
    pub(crate) key: String,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// An erasure, as it was first recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawErasure {
    pub(crate) position: u64,
    pub(crate) erased_at: String,
    pub(crate) basis: String,
}

/// Consecutive events and the keys whose first event is among them; and erasures of any events.
#[derive(Debug, Default)]
pub(crate) struct ImportBatch {
    pub(crate) events: Vec<RawEvent>,
    pub(crate) keys: Vec<RawKey>,
    pub(crate) erasures: Vec<RawErasure>,
}

impl ImportBatch {
    pub(crate) fn streams(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.stream.as_str()).collect()
    }
}

impl RawEvent {
    /// Copies what a store holds, unless the payload's row is missing.
    pub(crate) fn of(stored: &StoredEvent<'_>, journal: &Path) -> Result<Self, JournalError> {
        let salted = stored.salted.ok_or_else(|| JournalError::Corrupt {
            place: format!("the event at position {} of {}", stored.position, journal.display()),
            reason: "its payload is missing though nobody erased it".to_owned(),
        })?;
        Ok(Self {
            position: stored.position,
            stream: stored.stream.to_owned(),
            stream_version: stored.stream_version,
            envelope: stored.envelope.to_owned(),
            // What a store keeps in the place of an erased payload is its own matter, its length is not.
            salted: if stored.erasure.is_some() { vec![0; salted.len()] } else { salted.to_owned() },
            erasure: stored.erasure.map(|(erased_at, basis)| (erased_at.to_owned(), basis.to_owned())),
        })
    }

    /// The event, checked like any that is read.
    pub(crate) fn check(&self, journal: &Path) -> Result<RecordedEvent, JournalError> {
        StoredEvent {
            position: self.position,
            stream: &self.stream,
            stream_version: self.stream_version,
            envelope: &self.envelope,
            salted: Some(&self.salted),
            erasure: self.erasure.as_ref().map(|(erased_at, basis)| (erased_at.as_str(), basis.as_str())),
        }
        .check(journal)
    }

    /// Refuses an event that does not take the very next place in the journal and in its stream.
    pub(crate) fn check_follows(&self, head: u64, stream_version: u64) -> Result<(), JournalError> {
        if self.position == head.saturating_add(1) && self.stream_version == stream_version.saturating_add(1)
        {
            return Ok(());
        }
        Err(JournalError::NotTheSame {
            position: self.position,
            reason: format!(
                "there it would be number {} of stream \"{}\" after position {head}, where number {stream_version} is the last",
                self.stream_version, self.stream
            ),
        })
    }
}
