//! How many different values a span of days holds.
//!
//! Each value stands once a day, with the day on which it was there before. A value is new in a span exactly once:
//! where it was there before lies before the span. So a span is counted in one pass, whatever span it is.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: positions come from its own binary searches, and property tests compare it with a plain \
              recomputation"
)]

use std::collections::HashMap;

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::kin::Kin;
use super::search::count_before;
use super::stream::{Holding, Keep, Question, worth_dropping};

/// A value on a day.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    day: i32,
    /// The day on which it was there before; [`NEVER`].
    before: i32,
    entries: u32,
    /// Half of the value's mark, in two parts to keep it small.
    value: [u32; 2],
}

/// Before every span.
const NEVER: i32 = i32::MIN;

/// Values in order of days.
#[derive(Debug, Default)]
pub(crate) struct Distinct {
    seen: SmallVec<[Seen; 1]>,
}

fn whole([high, low]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn parts(value: u64) -> [u32; 2] {
    let part = |shift: u32| u32::try_from(value >> shift & u64::from(u32::MAX)).unwrap_or_default();
    [part(32), part(0)]
}

/// The value as which one counts.
fn counted_as(value: [u32; 2], kin: Option<&Kin>) -> [u32; 2] {
    kin.and_then(|kin| kin.stands_for(whole(value))).map_or(value, parts)
}

impl Holding for Distinct {
    type Item = u64;

    fn insert(&mut self, day: i32, value: u64) {
        let value = parts(value);
        let end = match self.seen.last() {
            Some(last) if last.day <= day => self.seen.len(),
            _ => self.seen.partition_point(|seen| seen.day <= day),
        };
        let earlier = self.seen[..end].iter_mut().rev().find(|seen| seen.value == value);
        let before = match earlier {
            Some(seen) if seen.day == day => {
                seen.entries = seen.entries.wrapping_add(1);
                return;
            }
            earlier => earlier.map_or(NEVER, |seen| seen.day),
        };
        if let Some(later) = self.seen[end..].iter_mut().find(|seen| seen.value == value) {
            later.before = day;
        }
        self.seen.insert(end, Seen { day, before, entries: 1, value });
    }

    fn answer(&mut self, question: &Question) -> Option<Decimal> {
        let span = question.span;
        let low = count_before(&self.seen, span.from, |seen| seen.day);
        let within = self.seen[low..].iter().take_while(|seen| seen.day < span.to);
        let (mut entries, mut different) = (0_u32, 0_u32);
        for seen in within {
            entries = entries.wrapping_add(seen.entries);
            different += u32::from(seen.before < span.from);
        }
        if entries < question.at_least { None } else { Some(different.into()) }
    }

    fn join(&mut self, other: &Self, kin: Option<&Kin>) {
        let mut all: Vec<Seen> = self.seen.drain(..).collect();
        all.extend(other.seen.iter().map(|seen| Seen { value: counted_as(seen.value, kin), ..*seen }));
        all.sort_by_key(|seen| seen.day);
        // What was let go lies before every span, so where a value was before is found among what is left.
        let mut last: HashMap<[u32; 2], usize> = HashMap::with_capacity(all.len());
        for seen in all {
            let earlier = last.get(&seen.value).copied();
            match earlier.map(|at| &mut self.seen[at]).filter(|own| own.day == seen.day) {
                Some(same_day) => same_day.entries = same_day.entries.wrapping_add(seen.entries),
                None => {
                    let before = earlier.map_or(NEVER, |at| self.seen[at].day);
                    last.insert(seen.value, self.seen.len());
                    self.seen.push(Seen { before, ..seen });
                }
            }
        }
    }

    fn holds_any(&self, kin: &Kin) -> bool {
        self.seen.iter().any(|seen| kin.stands_for(whole(seen.value)).is_some())
    }

    fn forget(&mut self, keep: Keep) -> bool {
        if !keep.beginning && worth_dropping(&self.seen, keep.from, |seen| seen.day) {
            let old = self.seen.partition_point(|seen| seen.day < keep.from);
            self.seen.drain(..old);
            if self.seen.spilled() && self.seen.len() * 2 < self.seen.capacity() {
                self.seen.shrink_to_fit();
            }
        }
        !self.seen.is_empty()
    }

    fn held(&self) -> usize {
        self.seen.len()
    }
}
