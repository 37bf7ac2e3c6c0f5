//! One part of a table's entities with their entries.
//!
//! Entries of one entity stand side by side in a *run*. What comes after the table was built stands in a second run,
//! which is sorted anew at each change and becomes part of the first when it has grown to a quarter of it: then also
//! what was taken out, or is too old for every window, goes.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places come from counts of the same entries, and property tests compare all answers with \
              a plain recomputation"
)]

use super::busy::Busy;
use super::entries::{day_of, entity_of, local_of, place};
use super::error::BucketError;
use super::layout::Layout;

/// Entries sorted by entity.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Run {
    pub(super) words: Vec<u64>,
    /// Of each entity the number of entries before its own, and at the end of all; empty in an empty run.
    pub(super) starts: Vec<u32>,
}

impl Run {
    /// Sorts entries by entity; those of one entity stay in their order. `room` is memory to work in.
    pub(super) fn sorted(
        mut words: Vec<u64>,
        entities: usize,
        stride: usize,
        room: &mut Vec<u64>,
    ) -> Result<Self, BucketError> {
        let count = u32::try_from(words.len() / stride).map_err(|_| BucketError::TooManyEntries)?;
        if count == 0 {
            return Ok(Self::default());
        }
        let mut starts = vec![0_u32; entities + 1];
        for entry in words.chunks_exact(stride) {
            starts[local_of(entity_of(entry[0])) + 1] += 1;
        }
        let mut sum = 0_u32;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        if room.len() < words.len() {
            room.resize(words.len(), 0);
        }
        for entry in words.chunks_exact(stride) {
            let next = &mut next[local_of(entity_of(entry[0]))];
            let at = place(u64::from(*next)) * stride;
            *next += 1;
            room[at..at + stride].copy_from_slice(entry);
        }
        let length = words.len();
        words.copy_from_slice(&room[..length]);
        Ok(Self { words, starts })
    }

    /// An entity's entries, as places of words.
    pub(super) fn range(&self, local: usize, stride: usize) -> std::ops::Range<usize> {
        match self.starts.get(local..local.saturating_add(2)) {
            Some([start, end]) => place(u64::from(*start)) * stride..place(u64::from(*end)) * stride,
            _ => 0..0,
        }
    }

    fn of(&self, local: usize, stride: usize) -> &[u64] {
        &self.words[self.range(local, stride)]
    }
}

/// A part of the entities.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shard {
    pub(super) base: Run,
    pub(super) recent: Run,
    /// By the entity's place in the shard, rising.
    pub(super) busy: Vec<(usize, Busy)>,
}

/// An entity's entries: those of the base, and those that came later.
pub(super) type Held<'a> = [&'a [u64]; 2];

impl Shard {
    /// A shard with these entries, as of a day.
    pub(super) fn new(
        words: Vec<u64>,
        entities: usize,
        layout: &Layout,
        day: i32,
        room: &mut Vec<u64>,
    ) -> Result<Self, BucketError> {
        let base = Run::sorted(words, entities, layout.stride(), room)?;
        let mut shard = Self { base, recent: Run::default(), busy: Vec::new() };
        let busy_from = busy_from(layout);
        for (local, pair) in shard.base.starts.windows(2).enumerate() {
            if pair[1] - pair[0] >= busy_from {
                shard.busy.push((local, Busy::of(layout, day, shard.held(local, layout))));
            }
        }
        Ok(shard)
    }

    pub(super) fn held(&self, local: usize, layout: &Layout) -> Held<'_> {
        let stride = layout.stride();
        [self.base.of(local, stride), self.recent.of(local, stride)]
    }

    pub(super) fn busy(&self, local: usize) -> Option<&Busy> {
        let at = self.busy.binary_search_by_key(&local, |(own, _)| *own).ok()?;
        self.busy.get(at).map(|(_, busy)| busy)
    }

    /// Where entries like these are held, each in a place of its own: in the base or the recent run, and at which word.
    ///
    /// # Errors
    /// The position of the first that is not held.
    pub(super) fn find(&self, words: &[u64], layout: &Layout) -> Result<Vec<(bool, usize)>, usize> {
        let stride = layout.stride();
        let mut found = Vec::with_capacity(words.len() / stride);
        let mut taken = std::collections::BTreeSet::new();
        for (position, wanted) in words.chunks_exact(stride).enumerate() {
            let local = local_of(entity_of(wanted[0]));
            let places = [(false, &self.base), (true, &self.recent)].into_iter().flat_map(|(recent, run)| {
                let range = run.range(local, stride);
                let entries = run.words[range.clone()].chunks_exact(stride);
                entries
                    .zip(range.step_by(stride))
                    .filter(|(entry, _)| *entry == wanted)
                    .map(move |(_, at)| (recent, at))
            });
            let free = places.into_iter().find(|place| !taken.contains(place)).ok_or(position)?;
            taken.insert(free);
            found.push(free);
        }
        Ok(found)
    }

    /// Takes out what [`Shard::find`] found, puts entries in, and moves on to a day.
    pub(super) fn change(
        &mut self,
        out: &[(bool, usize)],
        put: &[u64],
        (entities, layout): (usize, &Layout),
        (from, to): (i32, i32),
        room: &mut Vec<u64>,
    ) -> Result<(), BucketError> {
        let stride = layout.stride();
        let mut days_of_busy = std::collections::BTreeSet::new();
        for (recent, at) in out {
            let words = if *recent { &mut self.recent.words } else { &mut self.base.words };
            let head = words[*at];
            words[*at + 1] = 0;
            days_of_busy.insert((local_of(entity_of(head)), day_of(head)));
        }
        if !put.is_empty() {
            let mut words = std::mem::take(&mut self.recent.words);
            words.extend_from_slice(put);
            self.recent = Run::sorted(words, entities, stride, room)?;
        }
        for (_, busy) in &mut self.busy {
            busy.forget(layout, from, to);
        }
        for entry in put.chunks_exact(stride) {
            let local = local_of(entity_of(entry[0]));
            if let Ok(at) = self.busy.binary_search_by_key(&local, |(own, _)| *own) {
                self.busy[at].1.add(layout, entry);
            }
        }
        for (local, day) in days_of_busy {
            if let Ok(at) = self.busy.binary_search_by_key(&local, |(own, _)| *own) {
                let held = [self.base.of(local, stride), self.recent.of(local, stride)];
                self.busy[at].1.recompute(layout, day, held);
            }
        }
        if self.recent.words.len() > self.base.words.len() / 4 {
            return self.compact((entities, layout), to, room);
        }
        self.promote(layout, to, put);
        Ok(())
    }

    /// Gives day buckets to entities that became busy.
    fn promote(&mut self, layout: &Layout, day: i32, put: &[u64]) {
        let stride = layout.stride();
        let busy_from = place(u64::from(busy_from(layout))) * stride;
        for entry in put.chunks_exact(stride) {
            let local = local_of(entity_of(entry[0]));
            let held = self.held(local, layout);
            if held[0].len() + held[1].len() < busy_from {
                continue;
            }
            if let Err(at) = self.busy.binary_search_by_key(&local, |(own, _)| *own) {
                let busy = Busy::of(layout, day, held);
                self.busy.insert(at, (local, busy));
            }
        }
    }

    /// Makes one run of both, without what no window will hold again.
    fn compact(
        &mut self,
        (entities, layout): (usize, &Layout),
        day: i32,
        room: &mut Vec<u64>,
    ) -> Result<(), BucketError> {
        let stride = layout.stride();
        let oldest = i64::from(day) - i64::from(layout.longest());
        let kept = |entry: &&[u64]| entry[1] != 0 && i64::from(day_of(entry[0])) >= oldest;
        let mut words = Vec::with_capacity(self.base.words.len() + self.recent.words.len());
        for run in [&self.base, &self.recent] {
            for entry in run.words.chunks_exact(stride).filter(kept) {
                words.extend_from_slice(entry);
            }
        }
        *self = Self::new(words, entities, layout, day, room)?;
        Ok(())
    }
}

/// Entries from which on an entity has day buckets of its own: they take at most twice the memory of its entries.
pub(super) fn busy_from(layout: &Layout) -> u32 {
    let words = Busy::words(layout) / (2 * layout.stride());
    u32::try_from(words).unwrap_or(u32::MAX).max(1)
}
