//! Entries as they come, and as they are held: words of 64 bits side by side, so that one entry is one place in memory.
//!
//! | word | what |
//! |---|---|
//! | 0 | the entity's number in the low half, the day in the high half |
//! | 1 | the conditions that the entry fulfils, one bit each; 0 of one that was taken out |
//! | then | amounts that are added up, then amounts of which the greatest counts, then the day where it is asked for |
//! | then | codes, two a word |
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: lanes are as long as one another, which is checked first, and property tests compare all \
              answers with a plain recomputation"
)]

use super::error::BucketError;
use super::layout::{HEAD, Layout};
use super::{AHEAD_MAX, SHARDS};

/// Entries in lanes, one value an entry in each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entries<'a> {
    /// The entity's number, from 0.
    pub entities: &'a [u32],
    /// Days since 1970-01-01.
    pub days: &'a [i32],
    /// One bit for each condition that the entry fulfils, the first condition lowest. Bits beyond the layout's
    /// conditions are not looked at.
    pub conditions: &'a [u64],
    /// First those that are added up, then those of which the greatest counts.
    pub amounts: &'a [&'a [i64]],
    /// Values as numbers, one lane a kind.
    pub codes: &'a [&'a [u32]],
}

/// What became of entries that were put in or taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Held from now on, or no longer.
    pub held: usize,
    /// No window reaches back to them any more.
    pub too_old: usize,
    /// Dated too far ahead to be true.
    pub too_far_ahead: usize,
    /// They fulfil no condition.
    pub without_condition: usize,
}

/// Entries as they are held, divided among the shards.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) shards: Vec<Chunks>,
    /// Positions among the entries that came, in the order of the words; only where asked for.
    pub(super) positions: Vec<Vec<usize>>,
    pub(super) taken: Taken,
    /// Some entries, before they are divided.
    block: Vec<u64>,
}

/// Entries of one shard, in pieces: what grows is not moved.
pub(super) type Chunks = Vec<Vec<u64>>;

/// Words of a piece.
const CHUNK: usize = 8 * 1024;
/// Entries that are put together at once, so that they stay near the processor.
const ROWS: usize = 256;

impl Staged {
    pub(super) fn new() -> Self {
        Self {
            shards: vec![Chunks::new(); SHARDS],
            positions: vec![Vec::new(); SHARDS],
            taken: Taken::default(),
            block: Vec::new(),
        }
    }

    /// Adds entries that windows as of `day` or a later day may hold; `visit` is told entity and day of each, and its
    /// words.
    ///
    /// # Errors
    /// Lanes that do not fit, entities beyond the last. Nothing was added then.
    pub(super) fn add(
        &mut self,
        layout: &Layout,
        (entities, day): (u32, i32),
        entries: &Entries<'_>,
        with_positions: bool,
        mut visit: impl FnMut(u32, i32, &[u64]),
    ) -> Result<(), BucketError> {
        check(layout, entities, entries)?;
        let stride = layout.stride();
        let oldest = i64::from(day) - i64::from(layout.longest());
        let latest = i64::from(day) + i64::from(AHEAD_MAX);
        let mut block = std::mem::take(&mut self.block);
        for first in (0..entries.entities.len()).step_by(ROWS) {
            let rows = first..entries.entities.len().min(first + ROWS);
            put_together(layout, entries, rows.clone(), &mut block);
            for (row, entry) in rows.zip(block.chunks_exact(stride)) {
                let (entity, own_day) = (entity_of(entry[0]), day_of(entry[0]));
                if i64::from(own_day) < oldest {
                    self.taken.too_old += 1;
                } else if i64::from(own_day) >= latest {
                    self.taken.too_far_ahead += 1;
                } else if entry[1] == 0 {
                    self.taken.without_condition += 1;
                } else {
                    self.taken.held += 1;
                    let shard = place(u64::from(entity) % SHARDS_64);
                    push(&mut self.shards[shard], entry);
                    if with_positions {
                        self.positions[shard].push(row);
                    }
                    visit(entity, own_day, entry);
                }
            }
        }
        self.block = block;
        Ok(())
    }
}

fn push(chunks: &mut Chunks, entry: &[u64]) {
    match chunks.last_mut() {
        Some(last) if last.len() + entry.len() <= CHUNK => {
            // Four words at a time: entries are too short for a call.
            let (fours, rest) = entry.as_chunks::<4>();
            fours.iter().for_each(|four| last.extend_from_slice(four));
            last.extend(rest);
        }
        last => {
            // The first piece grows, so that a few entries take little memory.
            let mut next = Vec::with_capacity(if last.is_some() { CHUNK } else { 0 });
            next.extend_from_slice(entry);
            chunks.push(next);
        }
    }
}

/// Makes words of the lanes of some rows, lane by lane.
fn put_together(layout: &Layout, entries: &Entries<'_>, rows: std::ops::Range<usize>, block: &mut Vec<u64>) {
    let (stride, all) = (layout.stride(), layout.all_conditions());
    block.clear();
    block.resize(rows.len() * stride, 0);
    let heads = entries.entities[rows.clone()].iter().zip(&entries.days[rows.clone()]);
    let heads = heads.zip(&entries.conditions[rows.clone()]);
    for (entry, ((entity, day), conditions)) in block.chunks_exact_mut(stride).zip(heads) {
        entry[0] = u64::from(*entity) | u64::from(day.cast_unsigned()) << 32;
        entry[1] = conditions & all;
        if layout.last_day {
            entry[HEAD + layout.amounts()] = i64::from(*day).cast_unsigned();
        }
    }
    for (at, lane) in (HEAD..).zip(entries.amounts) {
        for (entry, amount) in block.chunks_exact_mut(stride).zip(&lane[rows.clone()]) {
            entry[at] = amount.cast_unsigned();
        }
    }
    for (number, lane) in entries.codes.iter().enumerate() {
        let (at, shift) = (layout.codes_at() + number / 2, 32 * (number % 2));
        for (entry, code) in block.chunks_exact_mut(stride).zip(&lane[rows.clone()]) {
            entry[at] |= u64::from(*code) << shift;
        }
    }
}

const SHARDS_64: u64 = 64;
const _: () = assert!(SHARDS == 64, "the shard is the entity's lowest six bits");

/// A number that stands for a place in memory.
pub(super) fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// An entry's entity.
pub(super) fn entity_of(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or_default()
}

/// An entry's day.
pub(super) fn day_of(word: u64) -> i32 {
    u32::try_from(word >> 32).unwrap_or_default().cast_signed()
}

/// An entity by its shard and its place there.
pub(super) fn entity_at(shard: usize, local: usize) -> u32 {
    u32::try_from(local.saturating_mul(SHARDS).saturating_add(shard)).unwrap_or(u32::MAX)
}

/// Where an entity stands within its shard.
pub(super) fn local_of(entity: u32) -> usize {
    place(u64::from(entity) / SHARDS_64)
}

fn check(layout: &Layout, entities: u32, entries: &Entries<'_>) -> Result<(), BucketError> {
    let rows = entries.entities.len();
    let long = entries.days.len() == rows
        && entries.conditions.len() == rows
        && entries.amounts.len() == layout.amounts()
        && entries.codes.len() == layout.codes
        && entries.amounts.iter().all(|lane| lane.len() == rows)
        && entries.codes.iter().all(|lane| lane.len() == rows);
    if !long {
        return Err(BucketError::Lanes);
    }
    if let Some(entity) = entries.entities.iter().copied().max().filter(|entity| *entity >= entities) {
        return Err(BucketError::NoSuchEntity { entity, entities });
    }
    Ok(())
}
