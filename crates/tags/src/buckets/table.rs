//! A table of day buckets: built, read, changed.

use super::SHARDS;
use super::change::{Place, ShardChange};
use super::days::Days;
use super::entries::{Entries, Staged, Taken, day_of, entity_at, entity_of, local_of, place};
use super::error::BucketError;
use super::layout::Layout;
use super::marks::Marks;
use super::reading::Reading;
use super::shard::Shard;

/// Takes entries in blocks, in any order.
#[derive(Debug)]
pub struct Builder {
    layout: Layout,
    entities: u32,
    day: i32,
    staged: Staged,
    days: Days,
}

/// Entries of entities numbered from 0, as of a day.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) layout: Layout,
    pub(super) entities: u32,
    pub(super) day: i32,
    pub(super) shards: Vec<Shard>,
    pub(super) days: Days,
}

/// What happens between two readings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Entries that leave, each with the values with which it came.
    pub out: Entries<'a>,
    /// Entries that come.
    pub put: Entries<'a>,
}

/// What a change came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Of the entries that leave.
    pub out: Taken,
    /// Of the entries that come.
    pub put: Taken,
    /// Entities that were read again.
    pub entities: usize,
}

/// Follows the answers of entities that change.
pub trait Sink {
    /// These answers hold no longer. Told of entities with entries in a window only.
    fn before(&mut self, entity: u32, reading: &Reading);
    /// These answers hold now. Told of entities with entries in a window only.
    fn after(&mut self, entity: u32, reading: &Reading);
}

impl Builder {
    /// An empty table of so many entities, as of a day in days since 1970-01-01.
    ///
    /// # Errors
    /// Too many entities, or too many of them for the questions.
    pub fn new(layout: Layout, entities: u32, day: i32) -> Result<Self, BucketError> {
        let entities = layout.entities(entities)?;
        let days = Days::new(&layout, day);
        Ok(Self { layout, entities, day, staged: Staged::new(), days })
    }

    /// Makes room for more entities, where it is not known beforehand how many there are; there are never fewer than
    /// before.
    ///
    /// # Errors
    /// Too many entities, or too many of them for the questions.
    pub fn number(&mut self, entities: u32) -> Result<(), BucketError> {
        self.entities = self.layout.entities(entities)?.max(self.entities);
        Ok(())
    }

    /// Adds entries. Those that no window will hold are counted and left out.
    ///
    /// # Errors
    /// Lanes that do not fit, entities beyond the last. Nothing of these entries was added then.
    pub fn add(&mut self, entries: &Entries<'_>) -> Result<(), BucketError> {
        let (days, layout) = (&mut self.days, &self.layout);
        self.staged.add(layout, (self.entities, self.day), entries, false, |entity, day, words| {
            count_in(days, layout, entity, day, words);
        })
    }

    /// Takes entries of one shard as they were held.
    ///
    /// # Errors
    /// The first that does not belong there.
    pub(super) fn hold(&mut self, shard: usize, words: Vec<u64>) -> Result<(), NotHere> {
        let layout = &self.layout;
        for entry in words.chunks_exact(layout.stride()) {
            let (Some(head), Some(conditions)) = (entry.first(), entry.get(1)) else { return Err(NotHere) };
            let (entity, day) = (entity_of(*head), day_of(*head));
            let known = *conditions & !layout.all_conditions() == 0 && *conditions != 0;
            let here = entity < self.entities && place(u64::from(entity)) % SHARDS == shard;
            if !known || !here || !count_in(&mut self.days, layout, entity, day, entry) {
                return Err(NotHere);
            }
        }
        if let Some(chunks) = self.staged.shards.get_mut(shard) {
            chunks.push(words);
        }
        Ok(())
    }

    /// What became of the entries so far.
    #[must_use]
    pub fn taken(&self) -> Taken {
        self.staged.taken
    }

    /// Sorts what was added.
    ///
    /// # Errors
    /// Amounts that could overflow, or too many entries.
    pub fn finish(self) -> Result<Table, BucketError> {
        let Self { layout, entities, day, staged, days } = self;
        within_bounds(&days.totals(&layout))?;
        let (locals, mut marks) = (locals(entities), Marks::default());
        let shards = staged.shards.into_iter();
        let shards = shards
            .map(|chunks| Shard::new(chunks, locals, &layout, day, &mut marks))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Table { layout, entities, day, shards, days })
    }
}

/// An entry that does not belong where it stands.
#[derive(Debug)]
pub(super) struct NotHere;

/// An entry is dated on a day; no, where no window will hold the day.
fn count_in(days: &mut Days, layout: &Layout, entity: u32, day: i32, words: &[u64]) -> bool {
    let Some(day) = days.get_mut(day) else { return false };
    day.entities.push(entity);
    for (total, amount) in day.totals.iter_mut().zip(amounts_of(layout, words)) {
        *total = total.saturating_add(amount);
    }
    true
}

fn amounts_of<'a>(layout: &Layout, words: &'a [u64]) -> impl Iterator<Item = u64> + use<'a> {
    words.iter().skip(super::layout::HEAD).take(layout.sums).map(|word| word.cast_signed().unsigned_abs())
}

fn within_bounds(totals: &[u64]) -> Result<(), BucketError> {
    let most = i64::MAX.unsigned_abs();
    if totals.iter().any(|total| *total >= most) { Err(BucketError::AmountsTooLarge) } else { Ok(()) }
}

/// Entities of one shard at most.
pub(super) fn locals(entities: u32) -> usize {
    usize::try_from(entities).unwrap_or_default().div_ceil(SHARDS)
}

impl Table {
    /// What the table holds.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of entities.
    #[must_use]
    pub fn entities(&self) -> u32 {
        self.entities
    }

    /// The day it stands at: windows end before it.
    #[must_use]
    pub fn day(&self) -> i32 {
        self.day
    }

    /// An empty reading for [`Table::read`], to be used again and again.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading::new(&self.layout)
    }

    /// The answers for an entity.
    pub fn read(&self, entity: u32, reading: &mut Reading) {
        let local = local_of(entity);
        if let Some(shard) = self.shards.get(place(u64::from(entity)) % SHARDS) {
            reading.read(&shard.of(local, &self.layout), self.day);
        }
    }

    /// The answers for every entity with entries in a window, each once, shard by shard.
    pub fn each(&self, mut visit: impl FnMut(u32, &Reading)) {
        let mut reading = self.reading();
        for (number, shard) in self.shards.iter().enumerate() {
            let locals = if shard.is_empty() { 0 } else { locals(self.entities) };
            for local in 0..locals {
                if !shard.has(local) {
                    continue;
                }
                reading.read(&shard.of(local, &self.layout), self.day);
                if !reading.is_empty() {
                    visit(entity_at(number, local), &reading);
                }
            }
        }
    }

    /// Makes room for more entities; there are never fewer than before.
    ///
    /// # Errors
    /// Too many entities, or too many of them for the questions.
    pub fn number(&mut self, entities: u32) -> Result<(), BucketError> {
        self.entities = self.layout.entities(entities)?.max(self.entities);
        let places = locals(self.entities).saturating_add(1);
        for shard in &mut self.shards {
            let answers = locals(self.entities).saturating_mul(self.layout.different.len());
            shard.different.resize(answers, 0);
            for run in [&mut shard.base, &mut shard.recent] {
                if let Some(last) = run.starts.last().copied() {
                    run.starts.resize(places, last);
                }
            }
        }
        Ok(())
    }

    /// Takes entries out, puts entries in and moves on to a day, which is not before the day at which the table stands.
    /// Every entity whose answers may have changed is told with its old answers and its new ones, and no other.
    ///
    /// # Errors
    /// Lanes that do not fit, entities beyond the last, an entry to be taken out that is not held, amounts that
    /// could overflow, a day before. The table is as it was then, and nobody was told anything.
    pub fn change(
        &mut self,
        day: i32,
        change: &Change<'_>,
        sink: &mut impl Sink,
    ) -> Result<Refreshed, BucketError> {
        if day < self.day {
            return Err(BucketError::DayBefore { at: self.day, asked: day });
        }
        let layout = &self.layout;
        let (mut touched, mut recount) = (Touched::new(self.entities), Touched::new(self.entities));
        let mut days = DaysChange::default();
        let (mut out, mut put) = (Staged::new(), Staged::new());
        for (staged, entries, is_out) in [(&mut out, &change.out, true), (&mut put, &change.put, false)] {
            if entries.entities.is_empty() {
                continue;
            }
            staged.add(layout, (self.entities, day), entries, is_out, |entity, own_day, words| {
                touched.mark(entity);
                recount.mark(entity);
                days.note(layout, is_out, entity, own_day, words);
            })?;
        }
        let found = self.found(&out)?;
        self.room_for(&put)?;
        days.check(layout, &self.days)?;
        self.days.moved(layout, self.day, day, |entity, other_codes| {
            touched.mark(entity);
            if other_codes {
                recount.mark(entity);
            }
        });

        let (mut reading, mut marks, mut read) = (self.reading(), Marks::default(), 0_usize);
        let crossing = self.days.crossing(layout, self.day, day);
        for (shard, (own, (out, put))) in
            self.shards.iter_mut().zip(found.iter().zip(&put.shards)).enumerate()
        {
            let touched = touched.of(shard, &recount);
            read = read.saturating_add(touched.len());
            let (entities, from, to) = (locals(self.entities), self.day, day);
            let change = ShardChange {
                layout,
                shard,
                entities,
                from,
                to,
                out,
                put,
                touched: &touched,
                crossing: &crossing,
            };
            own.change(&change, &mut reading, &mut marks, sink)?;
        }
        self.days.move_to(layout, day);
        days.apply(layout, &mut self.days);
        self.day = day;
        Ok(Refreshed { out: out.taken, put: put.taken, entities: read })
    }

    /// Entries of a shard are numbered with 32 bits.
    fn room_for(&self, put: &Staged) -> Result<(), BucketError> {
        let most = usize::try_from(u32::MAX).unwrap_or(usize::MAX).saturating_mul(self.layout.stride());
        let fits = self.shards.iter().zip(&put.shards).all(|(shard, put)| {
            let held = shard.base.words.len().saturating_add(shard.recent.words.len());
            put.iter().map(Vec::len).fold(held, usize::saturating_add) <= most
        });
        if fits { Ok(()) } else { Err(BucketError::TooManyEntries) }
    }

    fn found(&self, out: &Staged) -> Result<Vec<Vec<Place>>, BucketError> {
        let staged = out.shards.iter().zip(&out.positions);
        let found = self.shards.iter().zip(staged).map(|(shard, (chunks, positions))| {
            let missing = |at: usize| BucketError::NoSuchEntry(positions.get(at).copied().unwrap_or(at));
            shard.find(chunks, &self.layout).map_err(missing)
        });
        found.collect()
    }
}

/// Entities that are to be read again, one bit each, shard by shard.
struct Touched {
    locals: usize,
    bits: Vec<u64>,
}

impl Touched {
    fn new(entities: u32) -> Self {
        let locals = locals(entities).div_ceil(64);
        Self { locals, bits: vec![0; locals.saturating_mul(SHARDS)] }
    }

    fn mark(&mut self, entity: u32) {
        let local = local_of(entity);
        let shard = place(u64::from(entity)) % SHARDS;
        if let Some(bits) = self.bits.get_mut(shard.saturating_mul(self.locals).saturating_add(local / 64)) {
            *bits |= 1 << (local % 64);
        }
    }

    /// Those of a shard by their places, rising, and whether they are marked elsewhere too.
    fn of(&self, shard: usize, other: &Self) -> Vec<(usize, bool)> {
        let first = shard.saturating_mul(self.locals);
        let words = first..first.saturating_add(self.locals);
        let both = self.bits.get(words.clone()).unwrap_or_default().iter();
        let mut found = Vec::new();
        for (word, (bits, others)) in both.zip(other.bits.get(words).unwrap_or_default()).enumerate() {
            super::reading::each_bit(*bits, |bit| {
                found.push((word.saturating_mul(64).saturating_add(bit), others >> bit & 1 != 0));
            });
        }
        found
    }
}

/// What a change does to the days: noted first, applied when nothing can fail any more.
#[derive(Debug, Default)]
struct DaysChange {
    /// Entity and day of entries that come.
    entries: Vec<(u32, i32)>,
    /// By day: amounts that come, and that leave, without signs.
    totals: std::collections::BTreeMap<i32, (Vec<u64>, Vec<u64>)>,
}

impl DaysChange {
    fn note(&mut self, layout: &Layout, is_out: bool, entity: u32, day: i32, words: &[u64]) {
        let zeros = || vec![0_u64; layout.sums];
        let (put, out) = self.totals.entry(day).or_insert_with(|| (zeros(), zeros()));
        let totals = if is_out { out } else { put };
        for (total, amount) in totals.iter_mut().zip(amounts_of(layout, words)) {
            *total = total.saturating_add(amount);
        }
        if !is_out {
            self.entries.push((entity, day));
        }
    }

    /// Can sums overflow with what comes, before anything leaves?
    fn check(&self, layout: &Layout, days: &Days) -> Result<(), BucketError> {
        let mut totals = days.totals(layout);
        for (put, _) in self.totals.values() {
            for (total, own) in totals.iter_mut().zip(put) {
                *total = total.saturating_add(*own);
            }
        }
        within_bounds(&totals)
    }

    fn apply(self, layout: &Layout, days: &mut Days) {
        for (day, (put, out)) in self.totals {
            let Some(own) = days.get_mut(day) else { continue };
            own.totals.resize(layout.sums, 0);
            for (total, (put, out)) in own.totals.iter_mut().zip(put.iter().zip(&out)) {
                *total = total.saturating_add(*put).saturating_sub(*out);
            }
        }
        for (entity, day) in self.entries {
            if let Some(own) = days.get_mut(day) {
                own.entities.push(entity);
            }
        }
    }
}
