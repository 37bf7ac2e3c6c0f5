//! Which entities have entries on which day: whose windows change when the day moves on.

use std::collections::VecDeque;

use super::AHEAD_MAX;
use super::layout::Layout;

/// One day's entities, some of them more than once, and what its entries hold of each amount that is added up, without
/// signs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Day {
    pub(super) entities: Vec<u32>,
    pub(super) totals: Vec<u128>,
}

/// The days that windows hold now or will hold, from the oldest on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Days {
    pub(super) first: i32,
    pub(super) days: VecDeque<Day>,
}

impl Days {
    pub(super) fn new(layout: &Layout, day: i32) -> Self {
        let count = layout.longest().saturating_add(AHEAD_MAX.unsigned_abs());
        let empty = Day { entities: Vec::new(), totals: vec![0; layout.sums] };
        let days = std::iter::repeat_n(empty, usize::try_from(count).unwrap_or_default()).collect();
        Self { first: oldest(layout, day), days }
    }

    /// A day; none where no window will hold it.
    pub(super) fn get_mut(&mut self, day: i32) -> Option<&mut Day> {
        let at = usize::try_from(i64::from(day) - i64::from(self.first)).ok()?;
        self.days.get_mut(at)
    }

    /// Entities with entries on days of which the shortest window that holds them is another as of `to` than it is as of
    /// `from`.
    pub(super) fn moved(&self, layout: &Layout, from: i32, to: i32, mut visit: impl FnMut(u32)) {
        let class = |day: i64, as_of: i32| {
            let age = usize::try_from(i64::from(as_of) - day).ok();
            age.and_then(|age| layout.class_of_age.get(age).copied()).unwrap_or(super::layout::NO_WINDOW)
        };
        for (own, day) in (i64::from(self.first)..).zip(&self.days) {
            if class(own, from) != class(own, to) {
                day.entities.iter().copied().for_each(&mut visit);
            }
        }
    }

    /// Lets go of the days that no window holds any more.
    pub(super) fn move_to(&mut self, layout: &Layout, day: i32) {
        let first = oldest(layout, day);
        let gone = usize::try_from(i64::from(first) - i64::from(self.first)).unwrap_or_default();
        let gone = gone.min(self.days.len());
        self.days.drain(..gone);
        let empty = Day { entities: Vec::new(), totals: vec![0; layout.sums] };
        self.days.extend(std::iter::repeat_n(empty, gone));
        self.first = first;
    }

    /// Of each amount all of it, without signs.
    pub(super) fn totals(&self, layout: &Layout) -> Vec<u128> {
        let mut totals = vec![0_u128; layout.sums];
        for day in &self.days {
            for (total, own) in totals.iter_mut().zip(&day.totals) {
                *total = total.saturating_add(*own);
            }
        }
        totals
    }
}

fn oldest(layout: &Layout, day: i32) -> i32 {
    day.saturating_sub_unsigned(layout.longest())
}
