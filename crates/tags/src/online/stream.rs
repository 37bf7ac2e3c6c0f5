//! Streams: aggregates over the same key, of the same number and under the same condition share what is held.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::distinct::Distinct;
use super::key::{Key, Keys, PARTS, half};
use super::kin::{Kin, names_enterprise};
use super::rank::Ranked;
use super::reading::{Reading, Steps, Wanted};
use super::tally::Tally;
use crate::aggregate::{Aggregate, Measure};
use crate::set::NamedAggregate;

/// Days from the first to the one before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: i32,
    pub(crate) to: i32,
}

impl Span {
    /// Is the day in it?
    pub(crate) fn holds(self, day: i32) -> bool {
        self.from <= day && day < self.to
    }
}

/// What is no longer asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// No window that has a beginning begins before this day.
    pub(crate) from: i32,
    /// Some windows reach back to the first entry of all.
    pub(crate) beginning: bool,
}

/// What is asked of the entries of one key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) measure: Measure,
    pub(crate) at_least: u32,
    /// Windows of equal number move together.
    pub(crate) window: usize,
    pub(crate) span: Span,
    pub(crate) today: i32,
    /// The asking entry's own number, in millionths.
    pub(crate) own: Option<i128>,
}

/// What is held of the entries of one key.
pub(crate) trait Holding: Default {
    /// What one entry adds.
    type Item: Copy;
    /// Takes in an entry of any day.
    fn insert(&mut self, day: i32, item: Self::Item);
    /// The answer over the entries taken in so far.
    fn answer(&mut self, question: &Question) -> Option<Decimal>;
    /// Takes in what another key holds, for an answer over both; `kin`: which values count as one, if any do.
    fn join(&mut self, other: &Self, kin: Option<&Kin>);
    /// Does it hold values that count as others do? Then it is asked only through [`Holding::join`].
    fn holds_any(&self, _kin: &Kin) -> bool {
        false
    }
    /// Lets go of what is no longer asked for; false if nothing is left.
    fn forget(&mut self, keep: Keep) -> bool;
    /// Records held: days, values, numbers.
    fn held(&self) -> usize;
}

/// Does an eighth of a list in order of days come before a day? Moving a long list for less costs more than keeping what
/// is old a while.
pub(crate) fn worth_dropping<T>(list: &[T], day: i32, day_of: impl Fn(&T) -> i32) -> bool {
    list.get(list.len().div_ceil(8).saturating_sub(1)).is_some_and(|own| day_of(own) < day)
}

/// One aggregate.
#[derive(Debug)]
struct Reader {
    /// Its position in the set.
    aggregate: usize,
    measure: Measure,
    days: Option<u16>,
    same_day: bool,
    at_least: u32,
    window: usize,
    /// Does a tag read it that outlasts its entry?
    lasting: bool,
}

impl Reader {
    fn question(&self, today: i32, own: Option<i128>) -> Question {
        // The first day of all is before every day that a calendar has.
        let from = self.days.map_or(i32::MIN.saturating_add(1), |days| today.saturating_sub(days.into()));
        let to = today.saturating_add(i32::from(self.same_day));
        let span = Span { from, to };
        Question { measure: self.measure, at_least: self.at_least, window: self.window, span, today, own }
    }
}

/// What is held, by key.
#[derive(Debug)]
enum Held {
    Counts(Keys<Tally<()>>),
    Shares(Keys<Tally<u32>>),
    Sums(Keys<Tally<i128>>),
    Distinct(Keys<Distinct>),
    Ranks(Keys<Ranked<i64>>),
    /// After the first number beyond nine million million.
    WideRanks(Keys<Ranked<i128>>),
}

impl Held {
    fn of(measure: Measure) -> Self {
        match measure {
            Measure::Count | Measure::DaysSinceFirst | Measure::DaysSinceLast => {
                Self::Counts(Keys::default())
            }
            Measure::Share => Self::Shares(Keys::default()),
            Measure::Sum | Measure::Mean | Measure::RatioToMean => Self::Sums(Keys::default()),
            Measure::Distinct => Self::Distinct(Keys::default()),
            Measure::Minimum
            | Measure::Maximum
            | Measure::Median
            | Measure::RatioToMedian
            | Measure::RankShare => Self::Ranks(Keys::default()),
        }
    }
}

/// Which answers are wanted while entries are taken in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tell {
    /// All of them.
    All,
    /// Those that tags read which outlast their entry, for entries from this day on.
    LastingFrom(i32),
}

/// An aggregate's position and its value in every row of a table.
pub(crate) type Answers = (usize, Vec<Option<Decimal>>);

/// Aggregates that share what is held.
#[derive(Debug)]
pub(crate) struct Stream {
    key: usize,
    of: Option<usize>,
    /// Are the values of `of` enterprises, which may be one?
    of_enterprises: bool,
    condition: Option<usize>,
    readers: Vec<Reader>,
    held: Held,
    sweep: Sweep,
}

/// What is no longer asked for is let go in one part of the keys after the other.
#[derive(Debug)]
struct Sweep {
    /// Entries taken in since a part was looked through.
    since: usize,
    /// So many shall come in before the next one is: as many as keys were left, so that it costs little for each.
    wait: usize,
    part: usize,
    /// What was let go before this day, part by part.
    horizons: [i32; PARTS],
}

/// A part is not looked through before so many entries came in.
const SWEEP_ENTRIES_MIN: usize = 64;

impl Default for Sweep {
    fn default() -> Self {
        Self { since: 0, wait: SWEEP_ENTRIES_MIN, part: 0, horizons: [i32::MIN; PARTS] }
    }
}

/// The streams of a set of aggregates; `lasting` says which of them tags read that outlast their entry.
pub(crate) fn streams<'a>(
    aggregates: impl Iterator<Item = (usize, &'a NamedAggregate)>,
    lasting: impl Fn(usize) -> bool,
    wanted: &mut Wanted,
) -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    for (at, own) in aggregates {
        let aggregate = &own.aggregate;
        let held = Held::of(aggregate.measure);
        let key = wanted.key(&aggregate.by);
        let of = aggregate.of.as_ref().map(|of| {
            if aggregate.measure == Measure::Distinct { wanted.part(&of.field) } else { wanted.measured(of) }
        });
        let condition = aggregate
            .condition
            .as_ref()
            .zip(own.condition.as_ref())
            .map(|(source, rule)| wanted.condition(source, rule));
        let same = |stream: &&mut Stream| {
            std::mem::discriminant(&stream.held) == std::mem::discriminant(&held)
                && (stream.key, stream.of, stream.condition) == (key, of, condition)
        };
        match streams.iter_mut().find(same) {
            Some(stream) => stream.reads(at, aggregate, lasting(at)),
            None => {
                let enterprise = aggregate.of.as_ref().is_some_and(|of| names_enterprise(&of.field));
                let mut stream = Stream {
                    key,
                    of,
                    of_enterprises: enterprise && aggregate.measure == Measure::Distinct,
                    condition,
                    readers: Vec::new(),
                    held,
                    sweep: Sweep::default(),
                };
                stream.reads(at, aggregate, lasting(at));
                streams.push(stream);
            }
        }
    }
    streams
}

impl Stream {
    fn reads(&mut self, at: usize, aggregate: &Aggregate, lasting: bool) {
        let (days, same_day) = (aggregate.days, aggregate.same_day);
        let window = self
            .readers
            .iter()
            .find(|own| (own.days, own.same_day) == (days, same_day))
            .map_or(self.readers.len(), |own| own.window);
        self.readers.push(Reader {
            aggregate: at,
            measure: aggregate.measure,
            days,
            same_day,
            at_least: aggregate.at_least,
            window,
            lasting,
        });
    }

    /// Takes in the entries of a table, step by step; every step is answered before it is taken in. `kin`: who is one.
    pub(crate) fn take_in(
        &mut self,
        reading: &Reading,
        steps: &Steps,
        tell: Tell,
        kin: &Kin,
    ) -> Vec<Answers> {
        let numbers = self.of.and_then(|at| reading.numbers.get(at)).map_or(&[][..], Vec::as_slice);
        if numbers.iter().flatten().any(|number| i64::try_from(*number).is_err()) {
            self.widen();
        }
        let is_true = |row: usize| {
            self.condition.is_none_or(|at| reading.truths.get(at).is_some_and(|truths| truths.is_true(row)))
        };
        let number = |row: usize| numbers.get(row).copied().flatten();
        let counted = |row: usize| number(row).filter(|_| is_true(row));
        self.sweep.since = self.sweep.since.saturating_add(steps.rows.len());
        let pass = Pass {
            keys: reading.keys.get(self.key).map_or(&[][..], Vec::as_slice),
            others: reading.others.get(self.key).filter(|others| !others.is_empty()),
            kin: Some(kin).filter(|kin| self.of_enterprises && !kin.is_empty()),
            own: numbers,
            steps,
            readers: self.readers.iter().filter(|own| own.lasting || matches!(tell, Tell::All)).collect(),
            told_from: if let Tell::LastingFrom(day) = tell { day } else { i32::MIN },
            rows: reading.days.len(),
        };
        match &mut self.held {
            Held::Counts(held) => pass.over(held, |row| is_true(row).then_some(())),
            Held::Shares(held) => pass.over(held, |row| {
                let truths = reading.truths.get(self.condition?)?;
                (!truths.is_unknown(row)).then(|| u32::from(truths.is_true(row)))
            }),
            Held::Sums(held) => pass.over(held, counted),
            Held::Distinct(held) => pass.over(held, |row| {
                let mark = reading.marks.get(self.of?)?.get(row).copied().flatten();
                mark.filter(|_| is_true(row)).map(half)
            }),
            Held::Ranks(held) => pass.over(held, |row| i64::try_from(counted(row)?).ok()),
            Held::WideRanks(held) => pass.over(held, counted),
        }
    }

    fn widen(&mut self) {
        if let Held::Ranks(held) = &mut self.held {
            self.held = Held::WideRanks(std::mem::take(held).map(Ranked::widened));
        }
    }

    /// Keys and records held.
    pub(crate) fn held(&self) -> (usize, usize) {
        fn of<H: Holding>(keys: &Keys<H>) -> (usize, usize) {
            (keys.len(), keys.values().map(H::held).sum())
        }
        match &self.held {
            Held::Counts(held) => of(held),
            Held::Shares(held) => of(held),
            Held::Sums(held) => of(held),
            Held::Distinct(held) => of(held),
            Held::Ranks(held) => of(held),
            Held::WideRanks(held) => of(held),
        }
    }

    /// Is there something to let go, and have enough entries come in that looking through so many parts of the keys
    /// costs little for each?
    pub(crate) fn is_due(&self, horizon: i32, parts: usize) -> bool {
        let last = self.sweep.horizons.get(self.sweep.part).copied().unwrap_or(horizon);
        last < horizon && self.sweep.since >= self.sweep.wait.saturating_mul(parts)
    }

    /// The same in all parts.
    pub(crate) fn forget_all(&mut self, horizon: i32) {
        for _ in 0..PARTS {
            self.forget(horizon);
        }
    }

    /// Lets go of what no entry dated from `horizon` on asks for, in one part of the keys; tells how many it looked
    /// through.
    pub(crate) fn forget(&mut self, horizon: i32) -> usize {
        let longest = self.readers.iter().filter_map(|own| own.days).max().unwrap_or(0);
        let keep = Keep {
            from: horizon.saturating_sub(longest.into()),
            beginning: self.readers.iter().any(|own| own.days.is_none()),
        };
        let part = self.sweep.part;
        let (before, left) = match &mut self.held {
            Held::Counts(held) => held.retain_of(part, |own| own.forget(keep)),
            Held::Shares(held) => held.retain_of(part, |own| own.forget(keep)),
            Held::Sums(held) => held.retain_of(part, |own| own.forget(keep)),
            Held::Distinct(held) => held.retain_of(part, |own| own.forget(keep)),
            Held::Ranks(held) => held.retain_of(part, |own| own.forget(keep)),
            Held::WideRanks(held) => held.retain_of(part, |own| own.forget(keep)),
        };
        if let Some(last) = self.sweep.horizons.get_mut(part) {
            *last = horizon;
        }
        (self.sweep.since, self.sweep.wait) = (0, left.max(SWEEP_ENTRIES_MIN));
        self.sweep.part = part.saturating_add(1) % PARTS;
        before
    }
}

/// One pass over the entries of a table.
struct Pass<'a> {
    keys: &'a [Option<Key>],
    /// Rows for which what several keys hold counts together.
    others: Option<&'a HashMap<usize, Vec<Key>>>,
    /// Values that count as one, if any do.
    kin: Option<&'a Kin>,
    own: &'a [Option<i128>],
    steps: &'a Steps,
    readers: Vec<&'a Reader>,
    told_from: i32,
    rows: usize,
}

impl Pass<'_> {
    fn over<H: Holding>(&self, keys: &mut Keys<H>, item: impl Fn(usize) -> Option<H::Item>) -> Vec<Answers> {
        let mut answers: Vec<Answers> =
            self.readers.iter().map(|own| (own.aggregate, vec![None; self.rows])).collect();
        let key = |row: usize| self.keys.get(row).copied().flatten();
        for step in &self.steps.steps {
            let rows = self.steps.rows.get(step.rows.clone()).unwrap_or_default();
            let told = step.day >= self.told_from && !self.readers.is_empty();
            // An entry alone is answered and taken in at once, others are all answered before any is taken in.
            if let ([row], true) = (rows, told)
                && let (Some(key), Some(item)) = (key(*row), item(*row))
            {
                let joined = self.joined(keys, key, *row);
                let held = keys.entry(key).or_default();
                match joined {
                    Some(mut joined) => self.answer(&mut joined, step.day, *row, &mut answers),
                    None => self.answer(held, step.day, *row, &mut answers),
                }
                held.insert(step.day, item);
                continue;
            }
            if told {
                for row in rows {
                    let Some(key) = key(*row) else { continue };
                    let mut joined = self.joined(keys, key, *row);
                    let held = joined.as_mut().or_else(|| keys.get_mut(&key));
                    self.answer(held.unwrap_or(&mut H::default()), step.day, *row, &mut answers);
                }
            }
            for row in rows {
                if let (Some(key), Some(item)) = (key(*row), item(*row)) {
                    keys.entry(key).or_default().insert(step.day, item);
                }
            }
        }
        answers
    }

    /// What counts together for a row, where that is not just what its key holds.
    fn joined<H: Holding>(&self, keys: &Keys<H>, key: Key, row: usize) -> Option<H> {
        let others = self.others.and_then(|others| others.get(&row)).map(Vec::as_slice);
        let holds_any = || self.kin.zip(keys.get(&key)).is_some_and(|(kin, own)| own.holds_any(kin));
        let all = match others {
            Some(all) => all,
            None if holds_any() => std::slice::from_ref(&key),
            None => return None,
        };
        let mut joined = H::default();
        all.iter().filter_map(|key| keys.get(key)).for_each(|held| joined.join(held, self.kin));
        Some(joined)
    }

    fn answer<H: Holding>(&self, held: &mut H, today: i32, row: usize, answers: &mut [Answers]) {
        let own = self.own.get(row).copied().flatten();
        for (reader, (_, answers)) in self.readers.iter().zip(answers) {
            if let Some(answer) = answers.get_mut(row) {
                *answer = held.answer(&reader.question(today, own));
            }
        }
    }
}
