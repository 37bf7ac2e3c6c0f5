//! Which entities have entries on which day: whose windows change when the day moves on.

use std::ops::Range;

use super::AHEAD_MAX;
use super::layout::{Layout, NO_WINDOW};

/// One day's entities, some of them more than once, and what its entries hold of each amount that is added up, without
/// signs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Day {
    pub(super) entities: Vec<u32>,
    pub(super) totals: Vec<u64>,
}

/// The days that windows hold now or will hold, from the oldest on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Days {
    pub(super) first: i32,
    pub(super) days: Vec<Day>,
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
    /// `from`, and whether a window in which different codes are counted is concerned.
    pub(super) fn moved(&self, layout: &Layout, from: i32, to: i32, mut visit: impl FnMut(u32, bool)) {
        for (own, day) in (self.first..).zip(&self.days) {
            let (before, after) = (class(layout, own, from), class(layout, own, to));
            if before != after {
                let other_codes = other_codes(layout, before, after);
                day.entities.iter().for_each(|entity| visit(*entity, other_codes));
            }
        }
    }

    /// Days of which windows in which different codes are counted hold the entries as of `to` but not as of `from`, or the
    /// other way round.
    pub(super) fn crossing(&self, layout: &Layout, from: i32, to: i32) -> Vec<Range<i32>> {
        let days = self.first..self.first.saturating_add(i32::try_from(self.days.len()).unwrap_or(i32::MAX));
        let mut found: Vec<Range<i32>> = Vec::new();
        for day in days.filter(|day| other_codes(layout, class(layout, *day, from), class(layout, *day, to)))
        {
            match found.last_mut().filter(|last| last.end == day) {
                Some(last) => last.end = day.saturating_add(1),
                None => found.push(day..day.saturating_add(1)),
            }
        }
        found
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
    pub(super) fn totals(&self, layout: &Layout) -> Vec<u64> {
        let mut totals = vec![0_u64; layout.sums];
        for day in &self.days {
            for (total, own) in totals.iter_mut().zip(&day.totals) {
                *total = total.saturating_add(*own);
            }
        }
        totals
    }
}

/// The shortest window that holds entries of a day.
fn class(layout: &Layout, day: i32, as_of: i32) -> u8 {
    let age = usize::try_from(i64::from(as_of) - i64::from(day)).ok();
    age.and_then(|age| layout.class_of_age.get(age).copied()).unwrap_or(NO_WINDOW)
}

/// Does one of two classes lie in a window in which different codes are counted, and the other not?
fn other_codes(layout: &Layout, before: u8, after: u8) -> bool {
    let holds = |window: usize, class: u8| usize::from(class) <= window;
    layout.together.iter().any(|group| holds(group.window, before) != holds(group.window, after))
}

fn oldest(layout: &Layout, day: i32) -> i32 {
    day.saturating_sub_unsigned(layout.longest())
}
