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
use super::change::Place;
use super::entries::{Chunks, entity_of, local_of, place};
use super::error::BucketError;
use super::layout::Layout;
use super::marks::Marks;

/// Entries sorted by entity.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Run {
    pub(super) words: Vec<u64>,
    /// Of each entity the number of entries before its own, and at the end of all; empty in an empty run.
    pub(super) starts: Vec<u32>,
}

impl Run {
    /// Sorts entries by entity; those of one entity stay in their order.
    pub(super) fn sorted(chunks: Chunks, entities: usize, stride: usize) -> Result<Self, BucketError> {
        let length: usize = chunks.iter().map(Vec::len).sum();
        let too_many = |_| BucketError::TooManyEntries;
        if u32::try_from(length / stride).map_err(too_many)? == 0 {
            return Ok(Self::default());
        }
        // Each entity's count stands two places behind its own, so that the places where its next entry goes become in
        // the end those where the entries of the one behind it begin.
        let mut next = vec![0_u32; entities + 2];
        for entry in chunks.iter().flat_map(|chunk| chunk.chunks_exact(stride)) {
            next[local_of(entity_of(entry[0])) + 2] += 1;
        }
        let mut sum = 0_u32;
        for place in &mut next {
            sum += *place;
            *place = sum;
        }
        let mut words = vec![0; length];
        for chunk in chunks {
            for entry in chunk.chunks_exact(stride) {
                let next = &mut next[local_of(entity_of(entry[0])) + 1];
                let at = place(u64::from(*next)) * stride;
                *next += 1;
                copy(&mut words[at..at + stride], entry);
            }
        }
        next.truncate(entities + 1);
        Ok(Self { words, starts: next })
    }

    /// An entity's entries, as places of words.
    pub(super) fn range(&self, local: usize, stride: usize) -> std::ops::Range<usize> {
        match self.starts.get(local..local.saturating_add(2)) {
            Some([start, end]) => place(u64::from(*start)) * stride..place(u64::from(*end)) * stride,
            _ => 0..0,
        }
    }

    /// How many entries an entity has.
    fn count(&self, local: usize) -> u32 {
        match self.starts.get(local..local.saturating_add(2)) {
            Some([start, end]) => end - start,
            _ => 0,
        }
    }

    pub(super) fn of(&self, local: usize, stride: usize) -> &[u64] {
        &self.words[self.range(local, stride)]
    }
}

/// Copies an entry four words at a time: entries are too short for a call.
fn copy(to: &mut [u64], from: &[u64]) {
    let ((to, to_rest), (from, from_rest)) = (to.as_chunks_mut::<4>(), from.as_chunks::<4>());
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    to_rest.iter_mut().zip(from_rest).for_each(|(to, from)| *to = *from);
}

/// A part of the entities.
#[derive(Debug, Clone, Default)]
pub(super) struct Shard {
    pub(super) base: Run,
    pub(super) recent: Run,
    /// By the entity's place in the shard, rising.
    pub(super) busy: Vec<(usize, Busy)>,
    /// How many different codes, by entity and question.
    pub(super) different: Vec<u32>,
}

/// What is held of one entity.
pub(super) struct OfEntity<'a> {
    pub(super) held: Held<'a>,
    pub(super) busy: Option<&'a Busy>,
    pub(super) different: &'a [u32],
}

/// An entity's entries: those of the base, and those that came later.
pub(super) type Held<'a> = [&'a [u64]; 2];

impl Shard {
    /// A shard with these entries, as of a day.
    pub(super) fn new(
        chunks: Chunks,
        entities: usize,
        layout: &Layout,
        day: i32,
        marks: &mut Marks,
    ) -> Result<Self, BucketError> {
        let base = Run::sorted(chunks, entities, layout.stride())?;
        let different = vec![0; entities * layout.different.len()];
        let mut shard = Self { base, recent: Run::default(), busy: Vec::new(), different };
        if shard.base.words.is_empty() {
            return Ok(shard);
        }
        let stride = layout.stride();
        let questions = layout.different.len();
        for local in 0..entities {
            let entries = shard.base.count(local);
            if entries == 0 {
                continue;
            }
            let different = &mut shard.different[local * questions..(local + 1) * questions];
            if place(u64::from(entries)) >= layout.busy_from {
                shard.base.sort_by_day(local, stride);
                let held: Held<'_> = [shard.base.of(local, stride), &[]];
                let busy = Busy::of(layout, day, held);
                busy.different(layout, day, held, marks, different);
                shard.busy.push((local, busy));
            } else {
                marks.count(layout, [shard.base.of(local, stride), &[]], day, different);
            }
        }
        Ok(shard)
    }

    /// All of one entity.
    pub(super) fn of(&self, local: usize, layout: &Layout) -> OfEntity<'_> {
        let questions = layout.different.len();
        let different = self.different.get(local * questions..(local + 1) * questions);
        let different = different.unwrap_or_default();
        let held = self.held(local, layout);
        let words: usize = held.iter().map(|run| run.len()).sum();
        let busy = if words < layout.busy_from * layout.stride() { None } else { self.busy(local) };
        OfEntity { held, busy, different }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.base.words.is_empty() && self.recent.words.is_empty()
    }

    /// Has an entity any entries?
    pub(super) fn has(&self, local: usize) -> bool {
        self.base.count(local) > 0 || self.recent.count(local) > 0
    }

    fn held(&self, local: usize, layout: &Layout) -> Held<'_> {
        let stride = layout.stride();
        [self.base.of(local, stride), self.recent.of(local, stride)]
    }

    fn busy(&self, local: usize) -> Option<&Busy> {
        let at = self.busy.binary_search_by_key(&local, |(own, _)| *own).ok()?;
        self.busy.get(at).map(|(_, busy)| busy)
    }

    /// Where entries like these are held, each in a place of its own, by entity.
    ///
    /// # Errors
    /// The position of the first that is not held.
    pub(super) fn find(&self, chunks: &Chunks, layout: &Layout) -> Result<Vec<Place>, usize> {
        let stride = layout.stride();
        let entries = chunks.iter().flat_map(|chunk| chunk.chunks_exact(stride));
        let mut wanted: Vec<(&[u64], usize)> = entries.zip(0..).collect();
        // The same entity's side by side, and its entries in an order in which each is looked up quickly.
        wanted.sort_unstable_by_key(|(entry, position)| (entity_of(entry[0]), *entry, *position));
        let mut found = Vec::with_capacity(wanted.len());
        let (mut left, mut first_missing) = (Vec::new(), None);
        for own in wanted.chunk_by(|a, b| entity_of(a.0[0]) == entity_of(b.0[0])) {
            left.clear();
            left.extend(own.iter().map(|_| true));
            let local = local_of(entity_of(own[0].0[0]));
            for (recent, run) in [(false, &self.base), (true, &self.recent)] {
                let range = run.range(local, stride);
                for (entry, at) in run.words[range.clone()].chunks_exact(stride).zip(range.step_by(stride)) {
                    let first = own.partition_point(|(wanted, _)| *wanted < entry);
                    let same = own[first..].iter().take_while(|(wanted, _)| *wanted == entry).count();
                    if let Some(free) = left[first..first + same].iter_mut().find(|left| **left) {
                        *free = false;
                        found.push(Place { local, recent, at });
                    }
                }
            }
            let missing =
                own.iter().zip(&left).filter(|(_, left)| **left).map(|((_, position), _)| *position);
            first_missing = missing.chain(first_missing).min();
        }
        first_missing.map_or(Ok(found), Err)
    }
}
