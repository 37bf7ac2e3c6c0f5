//! Carrying a journal on into another one that holds its beginning, again and again, as a backup does: without reading
//! all of it each time.
//!
//! [`crate::copy()`] compares everything from the first event and reads the copy back. Here the caller knows up to which
//! event both are the same (a backup knows it by the root of the log), and goes on from there.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::copy::{BATCH_ERASURES, CopyProgress, batch};
use crate::error::JournalError;
use crate::import::{ImportBatch, RawErasure, RawKey};
use crate::location::AnyJournal;

/// How far two journals are known to be the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Known {
    /// Their first so many events.
    pub events: u64,
    /// What [`keys_sha256`] says of the idempotency keys of these events; empty for none.
    pub keys_sha256: String,
}

/// What was carried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// How far both are the same now.
    pub known: Known,
    /// Events, or blobs, that were not there yet.
    pub number: u64,
    /// Bytes of their envelopes and payloads, or of the blobs.
    pub bytes: u64,
    /// Who was told wanted it to end before all was there. What was carried until then stays.
    pub stopped: bool,
}

/// What may be told and may end the work.
pub type See<'a> = &'a mut dyn FnMut(CopyProgress) -> ControlFlow<()>;

/// Carries the events after those that are known to be the same, up to the one at `until`. Events that the copy holds
/// beyond what is known are compared, envelope by envelope. `entry` gets every envelope after the known ones, in order.
///
/// # Errors
/// [`JournalError::NotTheSame`] where the copy holds something else, and where it ends before what is known; whatever
/// reading the one and writing the other can fail with.
pub fn carry_events(
    from: &AnyJournal,
    to: &AnyJournal,
    known: &Known,
    until: u64,
    entry: &mut dyn FnMut(&[u8]),
    see: See<'_>,
) -> Result<Carried, JournalError> {
    let there = to.journal().head();
    if there < known.events {
        return Err(JournalError::NotTheSame {
            position: there.saturating_add(1),
            reason: format!("the copy holds {there} events, {} were known to be there", known.events),
        });
    }
    let mut carried = Carried { known: known.clone(), ..Carried::default() };
    let mut window = KeyWindow { until, ..KeyWindow::default() };
    while carried.known.events < until {
        let after = carried.known.events;
        let end = if after < there { until.min(there) } else { until };
        let events = batch(from, after, end)?;
        let Some(last) = events.last().map(|event| event.position) else {
            return Err(JournalError::NoSuchPosition { position: after.saturating_add(1), head: after });
        };
        for event in &events {
            event.check(from.raw().place())?;
            entry(&event.envelope);
        }
        let keys = window.keys(from, after, last)?;
        carried.known = Known { events: last, keys_sha256: with_keys(&carried.known.keys_sha256, &keys) };
        if after < there {
            compare(to, after, &events)?;
        } else {
            carried.number = carried.number.saturating_add(count(events.len()));
            let bytes = events.iter().map(|event| event.envelope.len().saturating_add(event.salted.len()));
            carried.bytes = carried.bytes.saturating_add(count(bytes.sum()));
            to.raw().import(ImportBatch { events, keys, erasures: Vec::new() })?;
        }
        if see(CopyProgress { events: last, events_total: until, blobs: 0 }).is_break() {
            carried.stopped = true;
            break;
        }
    }
    Ok(carried)
}

/// What the copy holds after a position must be these events.
fn compare(to: &AnyJournal, after: u64, events: &[crate::import::RawEvent]) -> Result<(), JournalError> {
    let mut compared = 0_usize;
    while let Some(rest) = events.get(compared..).filter(|rest| !rest.is_empty()) {
        let read = after.saturating_add(count(compared));
        let last = read.saturating_add(count(rest.len()));
        let copies = batch(to, read, last)?;
        if copies.is_empty() {
            return Err(JournalError::NoSuchPosition { position: read.saturating_add(1), head: read });
        }
        for (own, copy) in rest.iter().zip(&copies) {
            copy.check(to.raw().place())?;
            if own.envelope != copy.envelope {
                return Err(JournalError::NotTheSame {
                    position: copy.position,
                    reason: "another event stands there".to_owned(),
                });
            }
        }
        compared = compared.saturating_add(copies.len());
    }
    Ok(())
}

/// Carries the blobs that the other one has not.
///
/// # Errors
/// A blob whose bytes are not those of its name; those of the storage.
pub fn carry_blobs(from: &AnyJournal, to: &AnyJournal, see: See<'_>) -> Result<Carried, JournalError> {
    let mut carried = Carried::default();
    let mut looked_at = 0_u64;
    for first_byte in 0..=u8::MAX {
        let there: BTreeSet<String> = to.raw().blob_names(first_byte)?.into_iter().collect();
        for name in from.raw().blob_names(first_byte)? {
            looked_at = looked_at.saturating_add(1);
            if there.contains(&name) {
                continue;
            }
            let kept = match from.journal().get_blob(&name) {
                Ok(mut blob) => to.journal().put_blob(&mut blob)?,
                // Erased since it was listed.
                Err(JournalError::NoSuchBlob { .. }) => continue,
                Err(error) => return Err(error),
            };
            if kept.sha256 != name {
                return Err(JournalError::Corrupt {
                    place: format!("the blob {name}"),
                    reason: "its bytes have another hash".to_owned(),
                });
            }
            carried.number = carried.number.saturating_add(1);
            carried.bytes = carried.bytes.saturating_add(kept.bytes);
            if see(CopyProgress { events: 0, events_total: 0, blobs: looked_at }).is_break() {
                carried.stopped = true;
                return Ok(carried);
            }
        }
    }
    Ok(carried)
}

/// Erases in the copy what was erased in the original, of the first `until` events. Answers with how many were new.
///
/// # Errors
/// Those of the storage.
pub fn carry_erasures(from: &AnyJournal, to: &AnyJournal, until: u64) -> Result<u64, JournalError> {
    let mut there = BTreeSet::new();
    for_each_erasures(to, until, &mut |erasures| {
        there.extend(erasures.iter().map(|erasure| erasure.position));
        Ok(())
    })?;
    let mut number = 0_u64;
    for_each_erasures(from, until, &mut |erasures| {
        let new: Vec<RawErasure> =
            erasures.iter().filter(|erasure| !there.contains(&erasure.position)).cloned().collect();
        if !new.is_empty() {
            number = number.saturating_add(count(new.len()));
            to.raw().import(ImportBatch { erasures: new, ..ImportBatch::default() })?;
        }
        Ok(())
    })?;
    Ok(number)
}

/// SHA-256 over the erasures of the first `until` events: position, time, basis; lower-case hexadecimal.
///
/// # Errors
/// Those of the storage.
pub fn erasures_sha256(journal: &AnyJournal, until: u64) -> Result<String, JournalError> {
    let mut hash = Sha256::new();
    for_each_erasures(journal, until, &mut |erasures| {
        for erasure in erasures {
            hash.update(erasure.position.to_be_bytes());
            add(&mut hash, erasure.erased_at.as_bytes());
            add(&mut hash, erasure.basis.as_bytes());
        }
        Ok(())
    })?;
    Ok(hex::encode(hash.finalize()))
}

/// What the idempotency keys of the first `until` events are, as a chain: each key is hashed with what came before it.
///
/// # Errors
/// Those of the storage.
pub fn keys_sha256(journal: &AnyJournal, until: u64) -> Result<String, JournalError> {
    let mut chain = String::new();
    let mut after = 0_u64;
    while after < until {
        let last = after.saturating_add(KEY_POSITIONS_AT_ONCE).min(until);
        chain = with_keys(&chain, &sorted_keys(journal, after.saturating_add(1), last)?);
        after = last;
    }
    Ok(chain)
}

/// Positions whose idempotency keys are asked for at once: a store may look at all its keys each time.
const KEY_POSITIONS_AT_ONCE: u64 = 250_000;

/// Keys that were read ahead of the events they belong to.
#[derive(Default)]
struct KeyWindow {
    until: u64,
    read_to: u64,
    ahead: VecDeque<RawKey>,
}

impl KeyWindow {
    /// The keys whose first event is after a position and at most at another; windows follow each other.
    fn keys(&mut self, journal: &AnyJournal, after: u64, last: u64) -> Result<Vec<RawKey>, JournalError> {
        while self.read_to < last {
            let from = self.read_to.max(after);
            let to = from.saturating_add(KEY_POSITIONS_AT_ONCE).min(self.until).max(last);
            self.ahead.extend(sorted_keys(journal, from.saturating_add(1), to)?);
            self.read_to = to;
        }
        let mut keys = Vec::new();
        while let Some(key) = self.ahead.pop_front_if(|key| key.first <= last) {
            keys.push(key);
        }
        Ok(keys)
    }
}

/// Blobs whose hash begins with one byte: how many, and SHA-256 over their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// The byte as two hexadecimal digits: the folder in which they stand.
    pub shelf: String,
    /// How many blobs.
    pub blobs: u64,
    /// SHA-256 over their names in order; lower-case hexadecimal.
    pub names_sha256: String,
}

/// Names of the blobs whose hash begins with this byte, in order.
///
/// # Errors
/// Those of the storage.
pub fn blob_names(journal: &AnyJournal, first_byte: u8) -> Result<Vec<String>, JournalError> {
    journal.raw().blob_names(first_byte)
}

/// The shelves on which blobs stand, without these.
///
/// # Errors
/// Those of the storage.
pub fn shelves(journal: &AnyJournal, without: &BTreeSet<String>) -> Result<Vec<Shelf>, JournalError> {
    let mut shelves = Vec::new();
    for first_byte in 0..=u8::MAX {
        let mut names = journal.raw().blob_names(first_byte)?;
        names.retain(|name| !without.contains(name));
        if !names.is_empty() {
            shelves.push(Shelf {
                shelf: hex::encode([first_byte]),
                blobs: count(names.len()),
                names_sha256: hex::encode(Sha256::digest(names.concat())),
            });
        }
    }
    Ok(shelves)
}

fn for_each_erasures(
    journal: &AnyJournal,
    until: u64,
    look: &mut dyn FnMut(&[RawErasure]) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let mut after = 0;
    loop {
        let mut erasures = journal.raw().raw_erasures(after, BATCH_ERASURES)?;
        erasures.retain(|erasure| erasure.position <= until);
        let Some(furthest) = erasures.last().map(|erasure| erasure.position) else { return Ok(()) };
        look(&erasures)?;
        after = furthest;
    }
}

fn sorted_keys(journal: &AnyJournal, first: u64, last: u64) -> Result<Vec<RawKey>, JournalError> {
    let mut keys = journal.raw().raw_keys(first, last)?;
    keys.sort_by(|one, other| (one.first, one.last, &one.key).cmp(&(other.first, other.last, &other.key)));
    Ok(keys)
}

fn with_keys(chain: &str, keys: &[RawKey]) -> String {
    keys.iter().fold(chain.to_owned(), |chain, key| {
        let mut hash = Sha256::new();
        add(&mut hash, chain.as_bytes());
        add(&mut hash, key.key.as_bytes());
        hash.update(key.first.to_be_bytes());
        hash.update(key.last.to_be_bytes());
        hex::encode(hash.finalize())
    })
}

/// A text after its length, so that no two rows of texts are the same bytes.
fn add(hash: &mut Sha256, text: &[u8]) {
    hash.update(count(text.len()).to_be_bytes());
    hash.update(text);
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
