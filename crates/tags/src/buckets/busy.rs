//! Day buckets of one entity with many entries: for each day and condition how many, the sums and the greatest.
//!
//! A window is the sum of its days, whatever their number of entries. Where an entry is taken out, the bucket of its day
//! is made anew from the entries of the day, because a maximum cannot be taken back.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places are computed from the layout, and property tests compare all answers with a plain \
              recomputation"
)]

use super::AHEAD_MAX;
use super::change::on_days;
use super::counts::Counts;
use super::entries::{day_of, place};
use super::layout::{Layout, NO_WINDOW};
use super::marks::Marks;
use super::reading::{Cells, add_entry, class_of};
use super::shard::Held;

/// A ring of days.
#[derive(Debug, Clone)]
pub(super) struct Busy {
    /// One [`Cells`] of one class a day, side by side.
    added: Vec<i64>,
    greatest: Vec<i64>,
    /// The days of each class together, as of the day that the table stands at.
    pub(super) cells: Cells,
    /// By question, the codes of entries in its window; nothing where counting them anew costs little more.
    codes: Vec<Counts>,
}

fn days(layout: &Layout) -> i64 {
    i64::from(layout.longest()) + i64::from(AHEAD_MAX)
}

/// Where a day stands in the ring.
fn slot(layout: &Layout, day: i32) -> usize {
    usize::try_from(i64::from(day).rem_euclid(days(layout))).unwrap_or_default()
}

impl Busy {
    /// Words that one entity's buckets take.
    pub(super) fn words(layout: &Layout) -> usize {
        let days = usize::try_from(days(layout)).unwrap_or_default();
        days * layout.conditions * (layout.added() + layout.compared())
    }

    /// Buckets of entries, as of a day.
    pub(super) fn of(layout: &Layout, day: i32, held: Held<'_>) -> Self {
        let days = usize::try_from(days(layout)).unwrap_or_default();
        let mut busy = Self {
            added: vec![0; days * layout.conditions * layout.added()],
            greatest: vec![i64::MIN; days * layout.conditions * layout.compared()],
            cells: Cells::new(layout),
            codes: Vec::new(),
        };
        let entries = held.iter().map(|run| run.len() / layout.stride()).sum::<usize>();
        if entries >= layout.keep_codes_from {
            busy.codes.resize(layout.different.len(), Counts::default());
        }
        let oldest = i64::from(day) - i64::from(layout.longest());
        for entry in held.into_iter().flat_map(|run| run.chunks_exact(layout.stride())) {
            if i64::from(day_of(entry[0])) >= oldest {
                busy.add(layout, entry);
                busy.count(layout, entry, (None, Some(day)));
            }
        }
        busy.settle(layout, day);
        busy
    }

    /// Takes the changes of its entries from one day to another: `out` were taken out of those held, `put` are new among
    /// them, and `crossing` are held before and after.
    pub(super) fn change<'a>(
        &mut self,
        layout: &Layout,
        (from, to): (i32, i32),
        (out, put): (&[u64], &[u64]),
        crossing: impl Iterator<Item = &'a [u64]>,
        held: Held<'_>,
    ) {
        self.forget(layout, from, to);
        let stride = layout.stride();
        if !self.codes.is_empty() {
            for entry in crossing {
                self.count(layout, entry, (Some(from), Some(to)));
            }
        }
        for entry in put.chunks_exact(stride) {
            self.add(layout, entry);
            self.count(layout, entry, (None, Some(to)));
        }
        if from == to && out.is_empty() {
            // Nothing left a class: what comes is added to what the days come to.
            put.chunks_exact(stride).for_each(|entry| self.add_to_cells(layout, to, entry));
            return;
        }
        let mut days = std::collections::BTreeSet::new();
        for entry in out.chunks_exact(stride) {
            self.count(layout, entry, (Some(from), None));
            days.insert(day_of(entry[0]));
        }
        let oldest = i64::from(to) - i64::from(layout.longest());
        for day in days.into_iter().filter(|day| i64::from(*day) >= oldest) {
            self.recompute(layout, day, held);
        }
        self.settle(layout, to);
    }

    fn add_to_cells(&mut self, layout: &Layout, day: i32, entry: &[u64]) {
        let class = class_of(layout, day, entry[0]);
        if class != NO_WINDOW {
            let class = place(u64::from(class));
            self.cells.any[class] |= entry[1];
            add_entry(layout, class, entry, &mut self.cells.added, &mut self.cells.greatest);
        }
    }

    /// How many different codes, by question; where they are not kept, they are counted.
    pub(super) fn different(
        &self,
        layout: &Layout,
        day: i32,
        held: Held<'_>,
        marks: &mut Marks,
        answers: &mut [u32],
    ) {
        if self.codes.is_empty() {
            marks.count(layout, held, day, answers);
        }
        for (answer, counts) in answers.iter_mut().zip(&self.codes) {
            *answer = counts.different();
        }
    }

    /// An entry that windows held as of one day, and hold as of another.
    fn count(&mut self, layout: &Layout, entry: &[u64], (before, after): (Option<i32>, Option<i32>)) {
        if self.codes.is_empty() {
            return;
        }
        let class = |day: Option<i32>| day.map_or(NO_WINDOW, |day| class_of(layout, day, entry[0]));
        let (before, after) = (class(before), class(after));
        for group in &layout.together {
            let holds = |class: u8| usize::from(class) <= group.window;
            if holds(before) == holds(after) || entry[1] >> group.condition & 1 == 0 {
                continue;
            }
            for asked in &group.codes {
                let counts = &mut self.codes[asked.question];
                if holds(after) { counts.add(asked.of(entry)) } else { counts.take(asked.of(entry)) }
            }
        }
    }

    /// Adds an entry.
    fn add(&mut self, layout: &Layout, entry: &[u64]) {
        let slot = slot(layout, day_of(entry[0]));
        add_entry(layout, slot, entry, &mut self.added, &mut self.greatest);
    }

    /// Makes the bucket of a day anew. The entries of the base are in order of days.
    fn recompute(&mut self, layout: &Layout, day: i32, [base, recent]: Held<'_>) {
        self.clear(layout, day);
        let stride = layout.stride();
        let recent = recent.chunks_exact(stride).filter(|entry| day_of(entry[0]) == day);
        for entry in on_days(base, &(day..day.saturating_add(1)), stride).chain(recent) {
            self.add(layout, entry);
        }
    }

    /// Clears the days that leave the longest window when it moves on; their places are those of days to come.
    fn forget(&mut self, layout: &Layout, from: i32, to: i32) {
        let moved = (i64::from(to) - i64::from(from)).min(days(layout));
        for day in 0..moved {
            let old = i64::from(from) - i64::from(layout.longest()) + day;
            if let Ok(old) = i32::try_from(old) {
                self.clear(layout, old);
            }
        }
    }

    fn clear(&mut self, layout: &Layout, day: i32) {
        let slot = slot(layout, day);
        let added = layout.conditions * layout.added();
        let compared = layout.conditions * layout.compared();
        self.added[slot * added..(slot + 1) * added].fill(0);
        self.greatest[slot * compared..(slot + 1) * compared].fill(i64::MIN);
    }

    /// Adds all days of the windows, each to the shortest window that holds it.
    fn settle(&mut self, layout: &Layout, day: i32) {
        let mut cells = std::mem::take(&mut self.cells);
        cells.added.fill(0);
        cells.greatest.fill(i64::MIN);
        cells.any.fill(0);
        let added = layout.conditions * layout.added();
        let compared = layout.conditions * layout.compared();
        for (age, class) in (0_i64..).zip(&layout.class_of_age) {
            let Ok(own) = i32::try_from(i64::from(day) - age) else { continue };
            if *class == NO_WINDOW {
                continue;
            }
            let (slot, class) = (slot(layout, own), place(u64::from(*class)));
            let from = &self.added[slot * added..(slot + 1) * added];
            let to = &mut cells.added[class * added..(class + 1) * added];
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
            let from = &self.greatest[slot * compared..(slot + 1) * compared];
            let to = &mut cells.greatest[class * compared..(class + 1) * compared];
            for (to, from) in to.iter_mut().zip(from) {
                *to = (*to).max(*from);
            }
        }
        for (class, any) in cells.any.iter_mut().enumerate() {
            for condition in 0..layout.conditions {
                let count = cells.added[class * added + condition * layout.added()];
                *any |= u64::from(count != 0) << condition;
            }
        }
        self.cells = cells;
    }
}
