//! What the writer asks of a store.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use crate::error::JournalError;
use crate::lease::Fence;
use crate::model::RecordedEvent;

/// A row of the journal as it is written.
pub(crate) struct EventRow<'a> {
    pub(crate) position: u64,
    pub(crate) stream: &'a str,
    pub(crate) stream_version: u64,
    pub(crate) envelope: Vec<u8>,
    /// Salt, then payload.
    pub(crate) salted: &'a [u8],
}

/// Versions of streams, as the running transaction sees them; 0 for a stream that does not exist.
pub(crate) type Versions = HashMap<String, u64>;

/// What a group of requests will ask of the store, so that it can be fetched at once.
#[derive(Default)]
pub(crate) struct Needs<'a> {
    pub(crate) streams: Vec<&'a str>,
    pub(crate) keys: Vec<&'a str>,
    pub(crate) leases: Vec<&'a str>,
}

/// Where the writer writes: one transaction at a time.
///
/// Between [`Store::begin`] and [`Store::commit`] nobody else appends, and what was inserted is seen by the other
/// methods. Nothing that was inserted is visible to readers before the commit, and all of it is durable after it.
pub(crate) trait Store: Send + 'static {
    /// Where it stands, for messages.
    fn place(&self) -> &Path;

    /// Begins a transaction and returns the last position. A store that others write to as well forgets versions
    /// that may have moved.
    fn begin(&mut self, needs: &Needs<'_>, versions: &mut Versions) -> Result<u64, JournalError>;

    /// The version of a stream that is not among the remembered ones.
    fn stream_version(&mut self, stream: &str) -> Result<u64, JournalError>;

    /// First and last position that an idempotency key or a stored claim stands for.
    fn positions_of_key(&mut self, key: &str) -> Result<Option<(u64, u64)>, JournalError>;

    /// The events that an idempotency key stands for.
    fn events_of_key(&mut self, key: &str) -> Result<Option<Vec<RecordedEvent>>, JournalError>;

    /// Refuses a writer whose lease another one has taken over.
    fn check_fence(&mut self, _fence: &Fence) -> Result<(), JournalError> {
        Ok(())
    }

    /// Writes an event.
    fn insert(&mut self, row: EventRow<'_>) -> Result<(), JournalError>;

    /// Takes an idempotency key for a range of positions.
    fn insert_key(&mut self, key: &str, first: u64, last: u64) -> Result<(), JournalError>;

    /// Records an erasure, the first one of a position only. `overwrite` destroys salt and payload as well.
    fn insert_erasure(
        &mut self,
        position: u64,
        erased_at: &str,
        basis: &str,
        overwrite: bool,
    ) -> Result<(), JournalError>;

    /// Makes the transaction durable.
    fn commit(&mut self, head: u64) -> Result<(), JournalError>;

    /// Takes back what the transaction had begun. False if that failed.
    fn roll_back(&mut self) -> bool;

    /// Whether, after this failure of a commit, a later one can be believed.
    fn can_go_on_after(&self, error: &JournalError) -> bool;

    /// Removes last traces of what was erased, as far as that is possible now.
    fn scrub(&mut self);

    /// How long until [`Store::scrub`] should be tried again; nothing if nothing is left to scrub.
    fn scrub_due_in(&self) -> Option<Duration>;
}
