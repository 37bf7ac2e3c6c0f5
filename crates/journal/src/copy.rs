//! Moving a journal from one store to the other: the same events at the same positions, envelopes byte for byte.

use std::path::Path;

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
    let events_total = from.journal().head();
    let mut now = CopyProgress { events: 0, events_total, blobs: 0 };
    // Blobs first: an event never precedes a blob that it names.
    let blobs_carried = copy_blobs(from, to, &mut now, progress)?;
    let mut tree = Frontier::new();
    let there = to.journal().head();
    if there > events_total {
        return Err(JournalError::NotTheSame {
            position: events_total.saturating_add(1),
            reason: format!("the copy holds {there} events, the original {events_total}"),
        });
    }
    compare(from, to, there, &mut tree)?;
    now.events = there;
    progress(now);
    while now.events < events_total {
        let events = batch(from, now.events, events_total)?;
        let Some(last) = events.last().map(|event| event.position) else {
            return Err(JournalError::NoSuchPosition {
                position: now.events.saturating_add(1),
                head: now.events,
            });
        };
        for event in &events {
            event.check(from.raw().place())?;
            tree.push(leaf_hash(&event.envelope));
        }
        let keys = from.raw().raw_keys(now.events.saturating_add(1), last)?;
        to.raw().import(ImportBatch { events, keys, erasures: Vec::new() })?;
        now.events = last;
        progress(now);
    }
    copy_erasures(from, to, events_total)?;
    let root = tree.root();
    let mut again = Frontier::new();
    let mut position = 0;
    while position < events_total {
        for event in batch(to, position, events_total)? {
            event.check(to.raw().place())?;
            again.push(leaf_hash(&event.envelope));
            position = event.position;
        }
    }
    if again.root() != root {
        return Err(JournalError::NotTheSame {
            position: 1,
            reason: format!("the logs over both have the roots {root} and {}", again.root()),
        });
    }
    Ok(Copied {
        events: events_total,
        events_carried: events_total.saturating_sub(there),
        blobs_carried,
        root,
    })
}

/// Events after a position and up to another, at most a batch.
pub(crate) fn batch(journal: &AnyJournal, after: u64, last: u64) -> Result<Vec<RawEvent>, JournalError> {
    let left = usize::try_from(last.saturating_sub(after)).unwrap_or(usize::MAX);
    journal.raw().raw_events(after, BATCH_EVENTS.min(left), BATCH_BYTES)
}

/// Reads the events that both have and adds them to the hash; the first one that differs is an error.
fn compare(from: &AnyJournal, to: &AnyJournal, events: u64, tree: &mut Frontier) -> Result<(), JournalError> {
    let mut position = 0;
    while position < events {
        let theirs = batch(to, position, events)?;
        let wanted = u64::try_from(theirs.len()).unwrap_or(u64::MAX);
        let mut ours = Vec::new();
        while ours.len() < theirs.len() {
            let read = position.saturating_add(u64::try_from(ours.len()).unwrap_or(u64::MAX));
            ours.extend(batch(from, read, position.saturating_add(wanted))?);
        }
        for (original, copied) in ours.iter().zip(&theirs) {
            if original.envelope != copied.envelope {
                return Err(JournalError::NotTheSame {
                    position: copied.position,
                    reason: "another event stands there".to_owned(),
                });
            }
            tree.push(leaf_hash(&original.envelope));
        }
        position = position.saturating_add(wanted);
    }
    Ok(())
}

fn copy_blobs(
    from: &AnyJournal,
    to: &AnyJournal,
    now: &mut CopyProgress,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<u64, JournalError> {
    let mut carried = 0_u64;
    for first_byte in 0..=u8::MAX {
        for name in from.raw().blob_names(first_byte)? {
            now.blobs = now.blobs.saturating_add(1);
            if matches!(to.journal().get_blob(&name), Err(JournalError::NoSuchBlob { .. })) {
                let kept = to.journal().put_blob(&mut from.journal().get_blob(&name)?)?;
                if kept.sha256 != name {
                    return Err(JournalError::Corrupt {
                        place: format!("the blob {name}"),
                        reason: "its bytes have another hash".to_owned(),
                    });
                }
                carried = carried.saturating_add(1);
            }
            progress(*now);
        }
    }
    Ok(carried)
}

/// What was erased after it had been copied is erased in the copy as well.
fn copy_erasures(from: &AnyJournal, to: &AnyJournal, last: u64) -> Result<(), JournalError> {
    let mut after = 0;
    loop {
        let mut erasures = from.raw().raw_erasures(after, BATCH_ERASURES)?;
        erasures.retain(|erasure| erasure.position <= last);
        let Some(furthest) = erasures.last().map(|erasure| erasure.position) else { return Ok(()) };
        to.raw().import(ImportBatch { erasures, ..ImportBatch::default() })?;
        after = furthest;
    }
}
