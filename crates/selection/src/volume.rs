//! How many declarations an office gets: by weekday and hour, smoothed, in whole numbers.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// Whole numbers here are thousandths of a declaration.
const MILLI: u32 = 1_000;
/// Seconds of an hour.
const HOUR_SECONDS: u64 = 3_600;
/// Days without any declaration that are looked at after a gap; a longer one teaches nothing more.
const GAP_DAYS_MAX: usize = 28;

/// What an office's past days teach about its next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Volume {
    /// Days seen.
    days_seen: u32,
    /// Smoothed declarations of any day, in thousandths.
    day: u32,
    /// Smoothed declarations by weekday from Monday, in thousandths; `None` until one was seen.
    weekdays: [Option<u32>; 7],
    /// Smoothed declarations by hour, in thousandths.
    hours: [u32; 24],
    /// Declarations of the running day by hour.
    today: [u32; 24],
}

/// One part in four of what is new.
fn smoothed(old: u32, new: u32) -> u32 {
    let sum = u64::from(old).saturating_mul(3).saturating_add(new.into());
    u32::try_from(sum / 4).unwrap_or(u32::MAX)
}

fn weekday(day: Date) -> usize {
    usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default()
}

impl Volume {
    /// Counts one declaration.
    pub(crate) fn count(&mut self, at: DateTime) {
        let hour = usize::try_from(at.hour()).unwrap_or_default();
        if let Some(count) = self.today.get_mut(hour) {
            *count = count.saturating_add(1);
        }
    }

    /// Ends `day` and every day after it before `next`, which is later.
    pub(crate) fn finish(&mut self, day: Date, next: Date) {
        self.learn(day);
        let mut gap = day;
        for _ in 0..GAP_DAYS_MAX {
            let Ok(tomorrow) = gap.tomorrow() else { return };
            if tomorrow >= next {
                return;
            }
            gap = tomorrow;
            self.learn(gap);
        }
    }

    fn learn(&mut self, day: Date) {
        let today = std::mem::take(&mut self.today);
        let milli = |count: u32| count.saturating_mul(MILLI);
        let total = milli(today.iter().fold(0_u32, |sum, count| sum.saturating_add(*count)));
        if let Some(own) = self.weekdays.get_mut(weekday(day)) {
            *own = Some(own.map_or(total, |own| smoothed(own, total)));
        }
        let first = self.days_seen == 0;
        self.day = if first { total } else { smoothed(self.day, total) };
        // A day without declarations says nothing about the hours in which they come.
        if total > 0 {
            let taught = self.hours.iter().any(|own| *own > 0);
            for (own, count) in self.hours.iter_mut().zip(today) {
                *own = if taught { smoothed(*own, milli(count)) } else { milli(count) };
            }
        }
        self.days_seen = self.days_seen.saturating_add(1);
    }

    /// Declarations still to come today, given how many came; at least one. `unknown` is what to expect of a whole
    /// day before the first one has been seen.
    #[must_use]
    pub fn expected_left(&self, now: DateTime, arrivals_today: u32, unknown: u32) -> u32 {
        let usual = self.weekdays.get(weekday(now.date())).copied().flatten();
        let usual = match usual {
            _ if self.days_seen == 0 => unknown.saturating_mul(MILLI),
            Some(own) => own,
            None => self.day,
        };
        let (left, all) = self.share_left(now);
        let usual = u128::from(usual.max(MILLI));
        let left_milli = usual.saturating_mul(left.into()) / u128::from(all.max(1));
        let gone_milli = usual.saturating_sub(left_milli);
        // The day so far speaks against the usual day, which counts as a quarter of itself, or as a whole one while
        // it is only supposed.
        let trust = if self.days_seen == 0 { usual } else { (usual / 4).max(MILLI.into()) };
        let came = u128::from(arrivals_today).saturating_mul(MILLI.into());
        let left = left_milli.saturating_mul(came.saturating_add(trust)) / gone_milli.saturating_add(trust);
        u32::try_from(left / u128::from(MILLI)).unwrap_or(u32::MAX).max(1)
    }

    /// The part of a usual day that is still to come, as a fraction.
    fn share_left(&self, now: DateTime) -> (u64, u64) {
        let known = self.hours.iter().any(|own| *own > 0);
        let weight = |own: u32| if known { u64::from(own) } else { 1 };
        let hour = usize::try_from(now.hour()).unwrap_or_default();
        let gone = u64::try_from(now.minute()).unwrap_or_default().saturating_mul(60)
            + u64::try_from(now.second()).unwrap_or_default();
        let (mut left, mut all) = (0_u64, 0_u64);
        for (at, own) in self.hours.iter().enumerate() {
            let whole = weight(*own).saturating_mul(HOUR_SECONDS);
            all = all.saturating_add(whole);
            left = left.saturating_add(match at.cmp(&hour) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => weight(*own).saturating_mul(HOUR_SECONDS.saturating_sub(gone)),
                std::cmp::Ordering::Greater => whole,
            });
        }
        (left, all)
    }
}
