//! Counts and sums over any span of days: running totals, one a day.
//!
//! A span is the difference of two totals, so every window over the same entries shares one list, and an entry that
//! comes late only moves the totals behind it.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: positions come from its own binary searches, and property tests compare it with a plain \
              recomputation"
)]

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::kin::Kin;
use super::search::count_before;
use super::stream::{Holding, Keep, Question, Span, worth_dropping};
use crate::aggregate::Measure;
use crate::window::{number, quotient};

/// What is added up.
pub(crate) trait Total: Copy + Default {
    /// The sum; it wraps, so that taking away is the exact inverse.
    fn plus(self, other: Self) -> Self;
    /// The difference.
    fn minus(self, other: Self) -> Self;
    /// The answer, given the total of a span with so many entries between these days.
    fn answer(self, question: &Question, entries: u32, days: Option<(i32, i32)>) -> Option<Decimal>;
}

impl Total for () {
    fn plus(self, (): Self) -> Self {}
    fn minus(self, (): Self) -> Self {}
    fn answer(self, question: &Question, entries: u32, days: Option<(i32, i32)>) -> Option<Decimal> {
        match question.measure {
            Measure::DaysSinceFirst => days.map(|(first, _)| question.today.saturating_sub(first).into()),
            Measure::DaysSinceLast => days.map(|(_, last)| question.today.saturating_sub(last).into()),
            _ => Some(entries.into()),
        }
    }
}

/// How many of the entries fulfil a condition.
impl Total for u32 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    fn answer(self, _question: &Question, entries: u32, _days: Option<(i32, i32)>) -> Option<Decimal> {
        quotient(self.into(), entries.into())
    }
}

/// Millionths.
impl Total for i128 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    fn answer(self, question: &Question, entries: u32, _days: Option<(i32, i32)>) -> Option<Decimal> {
        let sum = number(self)?;
        match question.measure {
            Measure::Sum => Some(sum),
            Measure::Mean => quotient(sum, entries.into()),
            _ => quotient(number(question.own?)?.checked_mul(entries.into())?, sum),
        }
    }
}

/// Entries and their total up to the end of a day.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket<T> {
    day: i32,
    entries: u32,
    total: T,
}

/// Buckets in order of days; every bucket has entries of its own day.
#[derive(Debug, Default)]
pub(crate) struct Tally<T> {
    buckets: SmallVec<[Bucket<T>; 2]>,
}

impl<T: Total> Tally<T> {
    /// Adds an entry of a day.
    pub(crate) fn add(&mut self, day: i32, amount: T) {
        let at = self.before(day);
        if self.buckets.get(at).is_none_or(|bucket| bucket.day != day) {
            let earlier = at.checked_sub(1).map(|at| self.buckets[at]).unwrap_or_default();
            self.buckets.insert(at, Bucket { day, ..earlier });
        }
        for bucket in &mut self.buckets[at..] {
            bucket.entries = bucket.entries.wrapping_add(1);
            bucket.total = bucket.total.plus(amount);
        }
    }

    /// How many buckets end before a day.
    fn before(&self, day: i32) -> usize {
        match self.buckets.last() {
            Some(last) if last.day < day => self.buckets.len(),
            Some(last) if last.day == day => self.buckets.len() - 1,
            _ => self.buckets.partition_point(|bucket| bucket.day < day),
        }
    }

    /// Entries and total of a span, with its first and last day that have any.
    fn over(&self, span: Span) -> (u32, T, Option<(i32, i32)>) {
        let high = self.before(span.to);
        // One bucket a day: no more of them than the span has days.
        let days = usize::try_from(span.to.saturating_sub(span.from)).unwrap_or(0);
        let near = high.saturating_sub(days);
        let low = near + count_before(&self.buckets[near..high], span.from, |bucket| bucket.day);
        if low == high {
            return (0, T::default(), None);
        }
        let earlier = low.checked_sub(1).map(|at| self.buckets[at]).unwrap_or_default();
        let last = self.buckets[high - 1];
        (
            last.entries.wrapping_sub(earlier.entries),
            last.total.minus(earlier.total),
            Some((self.buckets[low].day, last.day)),
        )
    }

    /// The last day in a span that has entries.
    pub(crate) fn last_day(&self, span: Span) -> Option<i32> {
        self.over(span).2.map(|(_, last)| last)
    }
}

impl<T: Total> Holding for Tally<T> {
    type Item = T;

    fn insert(&mut self, day: i32, amount: T) {
        self.add(day, amount);
    }

    fn answer(&mut self, question: &Question) -> Option<Decimal> {
        let (entries, total, days) = self.over(question.span);
        if entries < question.at_least { None } else { total.answer(question, entries, days) }
    }

    fn join(&mut self, other: &Self, _kin: Option<&Kin>) {
        let (mine, theirs) = (std::mem::take(&mut self.buckets), &other.buckets);
        let (mut at, mut beside) = (0, 0);
        let up_to = |buckets: &[Bucket<T>], end: usize| {
            end.checked_sub(1).map(|last| buckets[last]).unwrap_or_default()
        };
        while at < mine.len() || beside < theirs.len() {
            let next = |buckets: &[Bucket<T>], at: usize| buckets.get(at).map_or(i32::MAX, |own| own.day);
            let day = next(&mine, at).min(next(theirs, beside));
            at += usize::from(mine.get(at).is_some_and(|own| own.day == day));
            beside += usize::from(theirs.get(beside).is_some_and(|own| own.day == day));
            let (one, other) = (up_to(&mine, at), up_to(theirs, beside));
            let entries = one.entries.wrapping_add(other.entries);
            self.buckets.push(Bucket { day, entries, total: one.total.plus(other.total) });
        }
    }

    fn forget(&mut self, keep: Keep) -> bool {
        if !worth_dropping(&self.buckets, keep.from, |bucket| bucket.day) {
            return !self.buckets.is_empty();
        }
        let old = self.before(keep.from);
        if keep.beginning {
            // The first day of all stays, and the total before the days that are kept.
            if old > 2 {
                self.buckets.drain(1..old - 1);
            }
        } else if let Some(last) = old.checked_sub(1) {
            let base = self.buckets[last];
            self.buckets.drain(..old);
            for bucket in &mut self.buckets {
                bucket.entries = bucket.entries.wrapping_sub(base.entries);
                bucket.total = bucket.total.minus(base.total);
            }
        }
        if self.buckets.spilled() && self.buckets.len() * 2 < self.buckets.capacity() {
            self.buckets.shrink_to_fit();
        }
        !self.buckets.is_empty()
    }

    fn held(&self) -> usize {
        self.buckets.len()
    }
}
