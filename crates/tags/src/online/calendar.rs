//! Which day it is, as far as entries tell.

use std::collections::BTreeMap;

/// It is the latest day on or after which so many entries are dated: a few with a date in the future do not move it.
const ENTRIES_OF_A_NEW_DAY: u64 = 1_000;

/// Counts entries by day, from today on.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    entries: BTreeMap<i32, u64>,
}

impl Calendar {
    /// An entry is dated on this day.
    pub(crate) fn seen(&mut self, day: i32) {
        let entries = self.entries.entry(day).or_default();
        *entries = entries.saturating_add(1);
    }

    /// Today; none before there are entries enough to tell.
    pub(crate) fn today(&mut self) -> Option<i32> {
        let mut later = 0_u64;
        let today = self.entries.iter().rev().find_map(|(day, entries)| {
            later = later.saturating_add(*entries);
            (later >= ENTRIES_OF_A_NEW_DAY).then_some(*day)
        })?;
        // Days before it never decide again.
        self.entries = self.entries.split_off(&today);
        Some(today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_dates_in_the_future_do_not_move_it() {
        let mut calendar = Calendar::default();
        (0..999).for_each(|_| calendar.seen(10));
        assert_eq!(calendar.today(), None);
        calendar.seen(10);
        assert_eq!(calendar.today(), Some(10));
        (0..999).for_each(|_| calendar.seen(50_000));
        assert_eq!(calendar.today(), Some(10));
        calendar.seen(11);
        assert_eq!(calendar.today(), Some(11));
        calendar.seen(50_000);
        assert_eq!(calendar.today(), Some(50_000));
    }
}
