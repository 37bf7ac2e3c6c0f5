//! What goes into a journal and what comes out, and how much of it at most.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::{Actor, Envelope};

/// Longest canonical payload of one event.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting of a payload: what every reader can read back.
pub const PAYLOAD_DEPTH_MAX: usize = 64;
/// Most events in one append.
pub const APPEND_EVENTS_MAX: usize = 10_000;
/// Most canonical payload bytes in one append.
pub const APPEND_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Longest stream name.
pub const STREAM_BYTES_MAX: usize = 200;
/// Longest kind of an event.
pub(crate) const KIND_BYTES_MAX: usize = 100;
/// Longest id of an actor.
pub(crate) const ACTOR_ID_BYTES_MAX: usize = 200;
/// Longest idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 200;
/// Longest basis of an erasure.
pub const BASIS_BYTES_MAX: usize = 1_000;
/// Largest blob.
pub const BLOB_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Most events returned by one read.
pub const READ_EVENTS_MAX: usize = 10_000;
/// After this many stored bytes a read returns what it has; always at least one event.
pub const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An event as its maker knows it; the journal adds id, version, position, time of recording and commitment.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Stream, such as `batch/2026-11-23/1`: letters, digits and punctuation, no blanks.
    pub stream: String,
    /// What happened: `noun.verb` in snake_case, such as `batch.admitted`.
    pub kind: String,
    /// Version of that kind's payload, from 1.
    pub kind_version: u32,
    /// When it happened; kept to the microsecond.
    pub occurred_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// Id of the event that caused it.
    pub causation: Option<String>,
    /// What happened in full. Whole numbers above 2^53 are refused: write them as text.
    pub payload: serde_json::Value,
}

/// Events to be recorded together, and what they rest on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AppendRequest {
    /// The events, in order; at least one.
    pub events: Vec<NewEvent>,
    /// Every stream the decision was made from, with the version read; 0 means that it must not exist yet. A stream
    /// that is not named is not checked.
    pub expected: Vec<(String, u64)>,
    /// A key of the caller's choice. A retry with the same key and the same events (times of occurrence included)
    /// gets the first answer again.
    pub idempotency_key: Option<String>,
    /// Names that no append has claimed before, such as a sender's own reference; recording the events claims them for
    /// good. At most [`APPEND_EVENTS_MAX`], each of at most [`IDEMPOTENCY_KEY_BYTES_MAX`] bytes and named once.
    pub claims: Vec<String>,
}

/// One recorded event, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendedEvent {
    /// Position in the journal.
    pub position: u64,
    /// Id of the event.
    pub id: String,
    /// Stream.
    pub stream: String,
    /// Version it gave its stream.
    pub stream_version: u64,
}

/// The answer to an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The events with their places, in the order of the request. Their positions are consecutive.
    pub events: Vec<AppendedEvent>,
    /// True if the idempotency key had been answered before and nothing new was recorded.
    pub repeated: bool,
}

impl Appended {
    /// Position of the last event: wait for it to read one's own write. An append has at least one event.
    #[must_use]
    pub fn last_position(&self) -> u64 {
        self.events.last().map_or(0, |event| event.position)
    }
}

/// An event's payload, or what is known of its erasure.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// The payload; its commitment was checked.
    Present(serde_json::Value),
    /// It was erased for good.
    Erased {
        /// When.
        erased_at: Timestamp,
        /// On what ground.
        basis: String,
    },
}

impl Payload {
    /// The payload unless it was erased.
    #[must_use]
    pub fn value(&self) -> Option<&serde_json::Value> {
        if let Self::Present(value) = self { Some(value) } else { None }
    }
}

/// An event as the journal holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Place in the journal, from 1 without gaps.
    pub position: u64,
    /// What the event says about itself.
    pub envelope: Envelope,
    /// What it says.
    pub payload: Payload,
}

/// An event as it is stored: the bytes that the log commits to, and the bytes that these commit to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEvent {
    /// The envelope's canonical bytes: the entry of the log.
    pub envelope: Vec<u8>,
    /// The salt of 32 bytes and the payload's canonical bytes; `None`: it was erased.
    pub opening: Option<(Vec<u8>, Vec<u8>)>,
}

/// A blob's name and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobReference {
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
}
