//! A change of one part of the entities: each entity that it concerns is read before and after in one go, while its
//! entries are near the processor.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places come from counts of the same entries, and property tests compare all answers with \
              a plain recomputation"
)]

use std::ops::Range;

use super::busy::Busy;
use super::entries::{Chunks, day_of, entity_at};
use super::error::BucketError;
use super::layout::Layout;
use super::marks::Marks;
use super::reading::Reading;
use super::shard::{OfEntity, Run, Shard};
use super::table::Sink;

/// What is to happen to a shard.
pub(super) struct ShardChange<'a> {
    pub(super) layout: &'a Layout,
    /// The shard's number, and how many entities it has.
    pub(super) shard: usize,
    pub(super) entities: usize,
    pub(super) from: i32,
    pub(super) to: i32,
    /// Entries that leave, as [`Shard::find`] found them: by entity.
    pub(super) out: &'a [Place],
    pub(super) put: &'a Chunks,
    /// Entities to be read again, rising, and whether their different codes are to be counted again.
    pub(super) touched: &'a [(usize, bool)],
    /// Days of which another window than before holds the entries, where different codes are counted.
    pub(super) crossing: &'a [Range<i32>],
}

/// Where an entry stands: in the base or the recent run, and at which word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) local: usize,
    pub(super) recent: bool,
    pub(super) at: usize,
}

impl Shard {
    /// Takes entries out, puts entries in, and moves on to a day.
    pub(super) fn change(
        &mut self,
        change: &ShardChange<'_>,
        reading: &mut Reading,
        marks: &mut Marks,
        sink: &mut impl Sink,
    ) -> Result<(), BucketError> {
        let layout = change.layout;
        let next = self.next_recent(change)?;
        let old = std::mem::take(&mut self.recent);
        let recent = [&old, next.as_ref().unwrap_or(&old)];
        let mut out = change.out;
        for (local, recount) in change.touched.iter().copied() {
            let entity = entity_at(change.shard, local);
            reading.read(&self.of_with(local, layout, &old), change.from);
            if !reading.is_empty() {
                sink.before(entity, reading);
            }
            let own;
            (own, out) = out.split_at(out.partition_point(|place| place.local <= local));
            self.change_entity(change, local, own, recount, recent, marks);
            reading.read(&self.of_with(local, layout, recent[1]), change.to);
            if !reading.is_empty() {
                sink.after(entity, reading);
            }
        }
        self.recent = next.unwrap_or(old);
        if self.recent.words.len() > self.base.words.len() / 4 {
            self.compact(change, marks)?;
        }
        Ok(())
    }

    /// The recent run with what comes and without what leaves, of each entity first what was there; none where it stays as
    /// it is.
    fn next_recent(&self, change: &ShardChange<'_>) -> Result<Option<Run>, BucketError> {
        if change.put.is_empty() && change.out.iter().all(|place| !place.recent) {
            return Ok(None);
        }
        let stride = change.layout.stride();
        let mut words = self.recent.words.clone();
        for place in change.out.iter().filter(|place| place.recent) {
            words[place.at + 1] = 0;
        }
        let mut chunks = vec![kept(&words, stride, |_| true)];
        chunks.extend(change.put.iter().cloned());
        Run::sorted(chunks, change.entities, stride).map(Some)
    }

    fn change_entity(
        &mut self,
        change: &ShardChange<'_>,
        local: usize,
        out: &[Place],
        recount: bool,
        [old, new]: [&Run; 2],
        marks: &mut Marks,
    ) {
        let (layout, stride) = (change.layout, change.layout.stride());
        let busy = self.busy.binary_search_by_key(&local, |(own, _)| *own);
        let mut leaving = Vec::new();
        for place in out {
            let run = if place.recent { old } else { &self.base };
            if busy.is_ok() {
                leaving.extend_from_slice(&run.words[place.at..place.at + stride]);
            }
            if !place.recent {
                self.base.words[place.at + 1] = 0;
            }
        }
        let (base, after) = (self.base.of(local, stride), new.of(local, stride));
        let stayed = old.of(local, stride).len() - out.iter().filter(|place| place.recent).count() * stride;
        let questions = layout.different.len();
        let different = &mut self.different[local * questions..(local + 1) * questions];
        let became_busy = base.len() + after.len() >= layout.busy_from * stride;
        match busy {
            Ok(at) => {
                let (stayed, put) = after.split_at(stayed);
                let crossing = change.crossing.iter().flat_map(|days| on_days(base, days, stride));
                let crossing = crossing.chain(stayed.chunks_exact(stride));
                let busy = &mut self.busy[at].1;
                busy.change(layout, (change.from, change.to), (&leaving, put), crossing, [base, after]);
                if recount {
                    busy.different(layout, change.to, [base, after], marks, different);
                }
            }
            Err(at) if became_busy => {
                self.base.sort_by_day(local, stride);
                let held = [self.base.of(local, stride), after];
                let busy = Busy::of(layout, change.to, held);
                busy.different(layout, change.to, held, marks, different);
                self.busy.insert(at, (local, busy));
            }
            Err(_) if recount => marks.count(layout, [base, after], change.to, different),
            Err(_) => {}
        }
    }

    fn of_with<'a>(&'a self, local: usize, layout: &Layout, recent: &'a Run) -> OfEntity<'a> {
        let own = self.of(local, layout);
        OfEntity { held: [own.held[0], recent.of(local, layout.stride())], ..own }
    }

    /// Makes one run of both, without what no window will hold again.
    fn compact(&mut self, change: &ShardChange<'_>, marks: &mut Marks) -> Result<(), BucketError> {
        let stride = change.layout.stride();
        let oldest = i64::from(change.to) - i64::from(change.layout.longest());
        let recent_enough = |day: i32| i64::from(day) >= oldest;
        let chunks = [&self.base, &self.recent].map(|run| kept(&run.words, stride, recent_enough));
        *self = Self::new(chunks.into(), change.entities, change.layout, change.to, marks)?;
        Ok(())
    }
}

/// Entries that were not taken out and whose day is wanted.
fn kept(words: &[u64], stride: usize, wanted: impl Fn(i32) -> bool) -> Vec<u64> {
    let mut kept = Vec::with_capacity(words.len());
    for entry in words.chunks_exact(stride).filter(|entry| entry[1] != 0 && wanted(day_of(entry[0]))) {
        kept.extend_from_slice(entry);
    }
    kept
}

/// The entries of some days among those of one entity that are in order of days.
pub(super) fn on_days<'a>(
    entries: &'a [u64],
    days: &Range<i32>,
    stride: usize,
) -> std::slice::ChunksExact<'a, u64> {
    let count = entries.len() / stride;
    let first_from = |day: i32| {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low.midpoint(high);
            if day_of(entries[middle * stride]) < day { low = middle + 1 } else { high = middle }
        }
        low * stride
    };
    let (start, end) = (first_from(days.start), first_from(days.end));
    entries[start..end.max(start)].chunks_exact(stride)
}

impl Run {
    /// Puts an entity's entries in order of days.
    pub(super) fn sort_by_day(&mut self, local: usize, stride: usize) {
        let range = self.range(local, stride);
        let entries = &self.words[range.clone()];
        if entries.chunks_exact(stride).map(|entry| day_of(entry[0])).is_sorted() {
            return;
        }
        let mut sorted: Vec<&[u64]> = entries.chunks_exact(stride).collect();
        sorted.sort_by_key(|entry| day_of(entry[0]));
        let sorted = sorted.concat();
        self.words[range].copy_from_slice(&sorted);
    }
}
