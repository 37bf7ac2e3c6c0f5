//! Order statistics over spans of days: median, rank, smallest, largest.
//!
//! All numbers of a key stand in order of days. A span of few entries is looked through. For one of many its numbers
//! are also kept in order of size, and moved on from span to span: entries that leave go out, entries that come in are
//! put in, in either direction.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: positions come from its own binary searches, and property tests compare it with a plain \
              recomputation"
)]

use std::ops::Range;

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::kin::Kin;
use super::search::count_before;
use super::sorted::Sorted;
use super::stream::{Holding, Keep, Question, Span, worth_dropping};
use crate::aggregate::Measure;
use crate::window::{number, quotient};

/// Spans of more entries than this are kept in order of size. Laws over few entries shall reach that.
const LOOKED_THROUGH_MAX: usize = if cfg!(test) { 4 } else { 128 };

/// Millionths, as narrow as they may be held.
pub(crate) trait Millionths: Copy + Ord + Default + Into<i128> {}
impl Millionths for i64 {}
impl Millionths for i128 {}

/// One entry's number.
#[derive(Debug, Clone, Copy, Default)]
struct Entry<N> {
    day: i32,
    number: N,
}

/// The numbers of a span in order of size.
#[derive(Debug)]
struct Kept<N> {
    /// The window that moves it.
    window: usize,
    span: Span,
    numbers: Sorted<N>,
}

/// The numbers of one key.
#[derive(Debug)]
pub(crate) struct Ranked<N> {
    entries: SmallVec<[Entry<N>; 1]>,
    kept: Vec<Kept<N>>,
}

impl<N> Default for Ranked<N> {
    fn default() -> Self {
        Self { entries: SmallVec::new(), kept: Vec::new() }
    }
}

impl Ranked<i64> {
    /// The same with room for any number.
    pub(crate) fn widened(self) -> Ranked<i128> {
        let entries = self.entries.iter().map(|own| Entry { day: own.day, number: own.number.into() });
        Ranked { entries: entries.collect(), kept: Vec::new() }
    }
}

impl<N: Millionths> Ranked<N> {
    fn rows(&self, span: Span) -> Range<usize> {
        let high = count_before(&self.entries, span.to, |entry| entry.day);
        count_before(&self.entries[..high], span.from, |entry| entry.day)..high
    }

    /// How many entries the span has, and which they are unless they are kept in order of size.
    fn within(&self, question: &Question) -> (usize, Option<Range<usize>>) {
        let same = |kept: &&Kept<N>| kept.window == question.window && kept.span == question.span;
        match self.kept.iter().find(same) {
            Some(kept) => (kept.numbers.len(), None),
            None => {
                let rows = self.rows(question.span);
                (rows.len(), Some(rows))
            }
        }
    }

    /// The numbers of a long span, in order of size; `rows` where they are not kept yet.
    fn kept(&mut self, question: &Question, rows: Option<Range<usize>>) -> Option<&Sorted<N>> {
        let (window, span) = (question.window, question.span);
        let at = match self.kept.iter().position(|kept| kept.window == window) {
            Some(at) => at,
            None => {
                let numbers = Sorted::default();
                self.kept.push(Kept { window, span: Span { from: span.to, to: span.to }, numbers });
                self.kept.len() - 1
            }
        };
        let old = self.kept[at].span;
        if let Some(rows) = rows {
            let between = |from: i32, to: i32| if from < to { self.rows(Span { from, to }) } else { 0..0 };
            let (out_before, out_after) = (between(old.from, span.from), between(span.to, old.to));
            let (in_before, in_after) = (between(span.from, old.from), between(old.to, span.to));
            let changes = [&out_before, &out_after, &in_before, &in_after].into_iter().map(Range::len).sum();
            let kept = &mut self.kept[at];
            if old.to <= span.from || span.to <= old.from || rows.len() / 2 < changes {
                kept.numbers = Sorted::of(self.entries[rows].iter().map(|entry| entry.number).collect());
            } else {
                for entry in self.entries[out_before].iter().chain(&self.entries[out_after]) {
                    kept.numbers.remove(entry.number);
                }
                for entry in self.entries[in_before].iter().chain(&self.entries[in_after]) {
                    kept.numbers.insert(entry.number);
                }
            }
            kept.span = span;
        }
        self.kept.get(at).map(|kept| &kept.numbers)
    }

    /// The numbers of a short span, as they came.
    fn looked_through(&self, rows: &Option<Range<usize>>) -> Option<&[Entry<N>]> {
        rows.clone().filter(|rows| rows.len() <= LOOKED_THROUGH_MAX).map(|rows| &self.entries[rows])
    }

    fn median(&mut self, question: &Question, entries: usize, rows: Option<Range<usize>>) -> Option<Decimal> {
        let half = entries / 2;
        let (lower, upper): (N, N) = match self.looked_through(&rows) {
            Some(entries) => {
                let mut numbers: SmallVec<[N; LOOKED_THROUGH_MAX]> =
                    entries.iter().map(|entry| entry.number).collect();
                let (below, upper, _) = numbers.select_nth_unstable(half);
                let upper = *upper;
                (below.iter().max().copied().unwrap_or(upper), upper)
            }
            None => {
                let numbers = self.kept(question, rows)?;
                (numbers.nth(half.checked_sub(1)?)?, numbers.nth(half)?)
            }
        };
        if entries % 2 == 1 {
            return number(upper.into());
        }
        let both: i128 = lower.into();
        quotient(number(both.checked_add(upper.into())?)?, Decimal::TWO)
    }

    /// The smallest or largest number.
    fn outermost(
        &mut self,
        question: &Question,
        entries: usize,
        rows: Option<Range<usize>>,
        largest: bool,
    ) -> Option<Decimal> {
        let outermost = match self.looked_through(&rows) {
            Some(entries) if largest => entries.iter().map(|entry| entry.number).max(),
            Some(entries) => entries.iter().map(|entry| entry.number).min(),
            None => self.kept(question, rows)?.nth(if largest { entries - 1 } else { 0 }),
        };
        number(outermost?.into())
    }

    fn rank_share(
        &mut self,
        question: &Question,
        entries: usize,
        rows: Option<Range<usize>>,
    ) -> Option<Decimal> {
        let own = question.own?;
        let smaller = match self.looked_through(&rows) {
            Some(entries) => entries.iter().filter(|entry| entry.number.into() < own).count(),
            None => self.kept(question, rows)?.smaller_than(own),
        };
        quotient(smaller.into(), entries.into())
    }
}

impl<N: Millionths> Holding for Ranked<N> {
    type Item = N;

    fn insert(&mut self, day: i32, number: N) {
        let at = match self.entries.last() {
            Some(last) if last.day <= day => self.entries.len(),
            _ => self.entries.partition_point(|entry| entry.day <= day),
        };
        self.entries.insert(at, Entry { day, number });
        for kept in self.kept.iter_mut().filter(|kept| kept.span.holds(day)) {
            kept.numbers.insert(number);
        }
    }

    fn answer(&mut self, question: &Question) -> Option<Decimal> {
        let (entries, rows) = self.within(question);
        if entries == 0 || u32::try_from(entries).is_ok_and(|entries| entries < question.at_least) {
            return None;
        }
        match question.measure {
            Measure::Minimum => self.outermost(question, entries, rows, false),
            Measure::Maximum => self.outermost(question, entries, rows, true),
            Measure::Median => self.median(question, entries, rows),
            Measure::RankShare => self.rank_share(question, entries, rows),
            _ => quotient(number(question.own?)?, self.median(question, entries, rows)?),
        }
    }

    fn join(&mut self, other: &Self, _kin: Option<&Kin>) {
        self.entries.extend_from_slice(&other.entries);
        self.entries.sort_by_key(|entry| entry.day);
        self.kept.clear();
    }

    fn forget(&mut self, keep: Keep) -> bool {
        if !keep.beginning && worth_dropping(&self.entries, keep.from, |entry| entry.day) {
            let old = self.entries.partition_point(|entry| entry.day < keep.from);
            // A span that no one asked for since then would hold numbers that can no longer be taken out.
            self.kept.retain(|kept| kept.span.from >= keep.from);
            self.entries.drain(..old);
            if self.entries.spilled() && self.entries.len() * 2 < self.entries.capacity() {
                self.entries.shrink_to_fit();
            }
        }
        !self.entries.is_empty()
    }

    fn held(&self) -> usize {
        self.entries.len() + self.kept.iter().map(|kept| kept.numbers.len()).sum::<usize>()
    }
}
