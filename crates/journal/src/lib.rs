//! The journal: what was done, event by event, appended and never changed; blobs by their hash beside it.
//!
//! [`Journal`] is narrow on purpose: append, read, wait, erase a payload, keep a blob. Everything else (catalogues,
//! read models, search) is derived from its [`Journal::feed`] and can be thrown away. The trait blocks; an
//! asynchronous caller moves to a thread of its own.
//!
//! [`SqliteJournal`] keeps it in one SQLite file and a folder of blobs, for one process; [`PostgresJournal`] in a
//! database, for several at once. In either one thread of a process writes and shares each commit among all callers
//! that wait; readers have connections of their own and never wait for it. [`open`] tells them apart by their location,
//! [`copy()`] carries a journal from one to the other.
//!
//! An event is an [`spine::Envelope`] in canonical bytes and a payload that stands apart, where it can be erased: the
//! envelope holds only SHA-256(salt || payload). Every read decodes the envelope and checks that commitment.
//!
//! [`log`] makes the journal prove itself: every envelope is a leaf of a Merkle tree whose signed root is published soon
//! after the append, in files that programs of others can verify.

mod blobs;
mod carry;
mod clock;
mod copy;
mod decode;
mod error;
pub mod golden;
mod import;
mod lease;
mod location;
pub mod log;
mod model;
mod postgres;
mod prepare;
mod progress;
mod sqlite;
mod store;
mod turn;
mod writer;

use std::io::Read;
use std::time::Duration;

pub use blobs::BlobReader;
pub use carry::{
    Carried, Known, See, Shelf, blob_names, carry_blobs, carry_erasures, carry_events, erasures_sha256,
    keys_sha256, shelves,
};
pub use clock::{Clock, SystemClock};
pub use copy::{Copied, CopyProgress, copy};
pub use error::JournalError;
pub use lease::{Fence, LEASE_NAME_BYTES_MAX, LEASE_SECONDS_MAX, Lease};
pub use location::{AnyJournal, is_database, open};
pub use model::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, AppendRequest, Appended, AppendedEvent, BASIS_BYTES_MAX,
    BLOB_BYTES_MAX, BlobReference, IDEMPOTENCY_KEY_BYTES_MAX, NewEvent, PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX,
    Payload, READ_BYTES_MAX, READ_EVENTS_MAX, RecordedEvent, STREAM_BYTES_MAX, SealedEvent,
};
pub use postgres::{PostgresJournal, PostgresOptions};
pub use sqlite::{SqliteJournal, SqliteOptions};
pub use turn::Turn;

/// An append-only journal of events and a store of blobs. Every call blocks until its answer is durable.
pub trait Journal: Send + Sync {
    /// Records events, all or none, if the streams the decision rests on still stand where they were read.
    ///
    /// When this returns, the events survive a crash. With an idempotency key the same request may be sent again:
    /// it is recorded once, and the answer says that it was repeated.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] names the stream that moved. After [`JournalError::OutcomeUnknown`] the events may
    /// or may not be there; after any other error they are not.
    fn append(&self, request: AppendRequest) -> Result<Appended, JournalError>;

    /// Events of one stream after a version, in order; an unknown stream is an empty one.
    ///
    /// Returns at most `limit` events and at most [`READ_EVENTS_MAX`], and stops early after [`READ_BYTES_MAX`]
    /// bytes: ask again after the last version until the answer is empty.
    fn read_stream(
        &self,
        stream: &str,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, JournalError>;

    /// Events of all streams after a position, in order: what read models live on. Bounded like
    /// [`Journal::read_stream`].
    fn feed(&self, after_position: u64, limit: usize) -> Result<Vec<RecordedEvent>, JournalError>;

    /// Canonical envelopes of the events after a position, in order, without their payloads: what the log is made of.
    /// Bounded like [`Journal::read_stream`].
    fn envelopes(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let events = self.feed(after_position, limit)?;
        events
            .iter()
            .map(|event| {
                event.envelope.to_canonical_bytes().map_err(|error| JournalError::Corrupt {
                    place: format!("the event at position {}", event.position),
                    reason: error.to_string(),
                })
            })
            .collect()
    }

    /// The event at a position.
    fn event(&self, position: u64) -> Result<RecordedEvent, JournalError> {
        let missing = || JournalError::NoSuchPosition { position, head: self.head() };
        let before = position.checked_sub(1).ok_or_else(missing)?;
        self.feed(before, 1)?.into_iter().next().ok_or_else(missing)
    }

    /// The event at a position as it is stored: what a proof of it rests on.
    ///
    /// # Errors
    /// [`JournalError::NoSuchPosition`]; those of the storage.
    fn sealed(&self, position: u64) -> Result<SealedEvent, JournalError>;

    /// Position of the last durable event; 0 when there is none. Positions count from 1 without gaps.
    fn head(&self) -> u64;

    /// Waits until the journal reaches `position`, for at most `timeout`, and returns the head then: it is smaller
    /// than `position` if time ran out or the journal stopped.
    #[must_use]
    fn wait_for(&self, position: u64, timeout: Duration) -> u64;

    /// Destroys the payload and the salt of an event for good; the envelope with its commitment stays. `basis` says
    /// on what ground (a law's retention period, a court's order) and is kept. Erasing again changes nothing.
    ///
    /// The act itself deserves an event of its own; the caller appends it.
    fn erase_payload(&self, position: u64, basis: &str) -> Result<(), JournalError>;

    /// Takes the lease `name` for `holder` if it is free or has ended, renews it if `holder` has it, and leaves it alone
    /// if another one does. Answers who holds it now: compare [`Lease::holder`].
    ///
    /// Where several processes record into one journal, a lease elects the one that does what only one may do.
    /// `holder` must be another one for every process and every start. `time` is at most [`LEASE_SECONDS_MAX`]; the
    /// lease ends after it unless it is renewed.
    ///
    /// # Errors
    /// [`JournalError::Malformed`] for names and times out of bounds; those of the storage.
    fn take_lease(&self, name: &str, holder: &str, time: Duration) -> Result<Lease, JournalError>;

    /// Ends a lease at once, so that the next holder need not wait. One that was lost already is left alone.
    ///
    /// # Errors
    /// Those of the storage.
    fn give_back_lease(&self, lease: &Lease) -> Result<(), JournalError>;

    /// [`Journal::append`] by the holder of a lease, refused once another one has taken the lease over, however long
    /// this one was paused in between. (A lease that has ended and that nobody took over still counts.)
    ///
    /// # Errors
    /// [`JournalError::LeaseLost`] names who holds it now; otherwise as [`Journal::append`].
    fn append_as_holder(&self, request: AppendRequest, fence: &Fence) -> Result<Appended, JournalError>;

    /// Keeps bytes under their SHA-256; the same bytes are kept once. Durable when this returns.
    fn put_blob(&self, content: &mut dyn Read) -> Result<BlobReference, JournalError>;

    /// Destroys a blob's bytes for good: they are overwritten where they stand, and their file goes. One that is not
    /// there stays so. Whether another event still names it is the caller's to know.
    fn erase_blob(&self, sha256: &str) -> Result<(), JournalError>;

    /// The bytes with this SHA-256 as a stream. The hash is checked while reading: the read that would end the
    /// stream fails instead if the bytes are not the ones that were kept.
    fn get_blob(&self, sha256: &str) -> Result<BlobReader, JournalError>;
}
