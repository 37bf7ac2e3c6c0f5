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
use super::entries::{day_of, place};
use super::layout::{HEAD, Layout, NO_WINDOW};
use super::reading::{Cells, each_bit};
use super::shard::Held;

/// A ring of days.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Busy {
    /// One [`Cells`] of one class a day, side by side.
    added: Vec<i64>,
    greatest: Vec<i64>,
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
        };
        let oldest = i64::from(day) - i64::from(layout.longest());
        for entry in held.into_iter().flat_map(|run| run.chunks_exact(layout.stride())) {
            if i64::from(day_of(entry[0])) >= oldest {
                busy.add(layout, entry);
            }
        }
        busy
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, layout: &Layout, entry: &[u64]) {
        let slot = slot(layout, day_of(entry[0]));
        let (added, compared) = (layout.added(), layout.compared());
        let amounts = &entry[HEAD..];
        each_bit(entry[1], |condition| {
            let cell = slot * layout.conditions + condition;
            let own = &mut self.added[cell * added..(cell + 1) * added];
            own[0] += 1;
            for (sum, amount) in own[1..].iter_mut().zip(amounts) {
                *sum += amount.cast_signed();
            }
            let own = &mut self.greatest[cell * compared..(cell + 1) * compared];
            for (greatest, amount) in own.iter_mut().zip(&amounts[layout.sums..]) {
                *greatest = (*greatest).max(amount.cast_signed());
            }
        });
    }

    /// Makes the bucket of a day anew.
    pub(super) fn recompute(&mut self, layout: &Layout, day: i32, held: Held<'_>) {
        self.clear(layout, day);
        for entry in held.into_iter().flat_map(|run| run.chunks_exact(layout.stride())) {
            if day_of(entry[0]) == day {
                self.add(layout, entry);
            }
        }
    }

    /// Clears the days that leave the longest window when it moves on; their places are those of days to come.
    pub(super) fn forget(&mut self, layout: &Layout, from: i32, to: i32) {
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

    /// Adds all days of the windows to cells, each to the shortest window that holds it.
    pub(super) fn read(&self, layout: &Layout, day: i32, cells: &mut Cells) {
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
    }
}
