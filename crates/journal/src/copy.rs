//! Moving a journal from one store to the other: the same events at the same positions, envelopes byte for byte.

use std::ops::ControlFlow;
use std::path::Path;

use crate::carry::{Known, carry_blobs, carry_erasures, carry_events};
use crate::error::JournalError;
use crate::import::{ImportBatch, RawErasure, RawEvent, RawKey};
use crate::location::AnyJournal;
use crate::log::tree::{Frontier, TreeHash, leaf_hash};

/// Most events and stored bytes carried at once.
const BATCH_EVENTS: usize = 2_000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Most erasures looked at once.
pub(crate) const BATCH_ERASURES: usize = 1_000;

/// A store as the copier sees it: everything it holds, as it holds it.
pub(crate) trait Raw {
    /// Where it stands, for messages.
    fn place(&self) -> &Path;
    /// Events after a position, in order; at least one if there is one, and no more than fit into `bytes_max`.
    fn raw_events(&self, after: u64, limit: usize, bytes_max: usize) -> Result<Vec<RawEvent>, JournalError>;
    /// Idempotency keys whose first event is at one of these positions.
    fn raw_keys(&self, first: u64, last: u64) -> Result<Vec<RawKey>, JournalError>;
    /// Erasures of events after a position, in order.
    fn raw_erasures(&self, after: u64, limit: usize) -> Result<Vec<RawErasure>, JournalError>;
    /// Names of the blobs whose hash begins with this byte, in order.
    fn blob_names(&self, first_byte: u8) -> Result<Vec<String>, JournalError>;
    /// Records a batch, all or nothing.
    fn import(&self, batch: ImportBatch) -> Result<(), JournalError>;
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress {
    /// Events that both journals hold.
    pub events: u64,
    /// Events that there will be.
    pub events_total: u64,
    /// Blobs looked at.
    pub blobs: u64,
}

/// What two journals have in common after a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Events that both hold: all that the source had when the copy began.
    pub events: u64,
    /// How many of them were carried over this time; the others were there already.
    pub events_carried: u64,
    /// Blobs carried over this time.
    pub blobs_carried: u64,
    /// Root of the log over these events (RFC 6962): the one that a checkpoint of this size has. It was computed from
    /// either journal separately.
    pub root: TreeHash,
}

/// Copies blobs, events with payloads and salts, idempotency keys and erasures into another journal.
///
/// Every event is checked as it is read. The destination may hold the beginning of the same journal (an interrupted
/// copy): it is compared, and the copy goes on where it ends. Nobody else should append to it meanwhile. What is
/// appended to the source after the copy began is left for the next one.
///
/// # Errors
/// [`JournalError::NotTheSame`] where the destination holds something else; whatever reading the one and writing the
/// other can fail with. What was copied until then stays, and the copy can be called again.
pub fn copy(
    from: &AnyJournal,
    to: &AnyJournal,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<Copied, JournalError> {
    let events = from.journal().head();
    let there = to.journal().head();
    if there > events {
        return Err(JournalError::NotTheSame {
            position: events.saturating_add(1),
            reason: format!("the copy holds {there} events, the original {events}"),
        });
    }
    let mut see = |now: CopyProgress| {
        progress(now);
        ControlFlow::Continue(())
    };
    // Blobs first: an event never precedes a blob that it names.
    let blobs = carry_blobs(from, to, &mut see)?;
    let mut tree = Frontier::new();
    let mut grow = |envelope: &[u8]| tree.push(leaf_hash(envelope));
    let carried = carry_events(from, to, &Known::default(), events, &mut grow, &mut see)?;
    carry_erasures(from, to, events)?;
    let (root, again) = (tree.root(), root_of(to, events)?);
    if again != root {
        return Err(JournalError::NotTheSame {
            position: 1,
            reason: format!("the logs over both have the roots {root} and {again}"),
        });
    }
    Ok(Copied { events, events_carried: carried.number, blobs_carried: blobs.number, root })
}

/// Events after a position and up to another, at most a batch.
pub(crate) fn batch(journal: &AnyJournal, after: u64, last: u64) -> Result<Vec<RawEvent>, JournalError> {
    let left = usize::try_from(last.saturating_sub(after)).unwrap_or(usize::MAX);
    journal.raw().raw_events(after, BATCH_EVENTS.min(left), BATCH_BYTES)
}

/// Root of the log over the first `events`, each checked as it is read.
fn root_of(journal: &AnyJournal, events: u64) -> Result<TreeHash, JournalError> {
    let mut tree = Frontier::new();
    while tree.size() < events {
        let read = batch(journal, tree.size(), events)?;
        if read.is_empty() {
            let head = tree.size();
            return Err(JournalError::NoSuchPosition { position: head.saturating_add(1), head });
        }
        for event in read {
            event.check(journal.raw().place())?;
            tree.push(leaf_hash(&event.envelope));
        }
    }
    Ok(tree.root())
}
