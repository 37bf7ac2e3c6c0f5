//! The sliding computation of window aggregates: one pass over each key's entries in order of days.
//!
//! Numbers are held as whole millionths (rounded half to even), so that taking an entry out of a sum is the exact
//! inverse of putting it in, and the answer does not depend on the order of entries or on threads.
#![expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "numeric kernel: row numbers and ranks are u32 by construction, and the property tests compare it with a \
              plain recomputation"
)]

use rust_decimal::{Decimal, RoundingStrategy};
use spine::EntryTable;

use crate::aggregate::{Aggregate, Measure, Measured};
use crate::key::{ABSENT, KeyOrder, part_codes};

/// Digits after the decimal point that aggregates keep.
pub(crate) const DIGITS: u32 = 6;

/// Millionths of a number; `None` where it does not fit.
pub(crate) fn millionths(number: Decimal) -> Option<i128> {
    let rounded = number.round_dp_with_strategy(DIGITS, RoundingStrategy::MidpointNearestEven);
    let scale = 10_i128.pow(DIGITS - rounded.scale().min(DIGITS));
    rounded.mantissa().checked_mul(scale)
}

/// A number of millionths.
pub(crate) fn number(millionths: i128) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(millionths, DIGITS).ok()
}

/// `numerator / denominator` to [`DIGITS`] digits, half to even; `None` where the denominator is 0.
pub(crate) fn quotient(numerator: Decimal, denominator: Decimal) -> Option<Decimal> {
    numerator
        .checked_div(denominator)
        .map(|value| value.round_dp_with_strategy(DIGITS, RoundingStrategy::MidpointNearestEven))
}

/// What an aggregate reads, prepared for all rows.
pub(crate) struct Inputs<'a> {
    /// Day number of each row.
    pub(crate) days: &'a [i32],
    /// Declaration of each row; rows without one are declarations of their own.
    pub(crate) declarations: &'a [u32],
    /// For `where`: is it true, is it unknown?
    pub(crate) condition: Option<Condition<'a>>,
}

/// Answers of a `where` for every row.
pub(crate) struct Condition<'a> {
    /// Rows for which it is true.
    pub(crate) is_true: &'a (dyn Fn(usize) -> bool + Sync),
    /// Rows for which it is unknown.
    pub(crate) is_unknown: &'a (dyn Fn(usize) -> bool + Sync),
}

/// `of` of every row in millionths.
pub(crate) fn measured_numbers(table: &EntryTable, of: &Measured) -> Vec<Option<i128>> {
    let Some(values) = table.decimals(&of.field.field) else { return vec![None; table.len()] };
    match of.divided_by.as_ref().map(|divisor| table.decimals(&divisor.field)) {
        None => values.iter().map(|value| millionths((*value)?)).collect(),
        Some(None) => vec![None; table.len()],
        Some(Some(divisors)) => values
            .iter()
            .zip(divisors)
            .map(|(value, divisor)| millionths(quotient((*value)?, (*divisor)?)?))
            .collect(),
    }
}

/// The aggregate's value for every row.
pub(crate) fn compute(
    table: &EntryTable,
    aggregate: &Aggregate,
    order: &KeyOrder,
    inputs: &Inputs<'_>,
) -> Vec<Option<Decimal>> {
    let mut answers = vec![None; table.len()];
    match (&aggregate.of, aggregate.measure) {
        (Some(of), Measure::Distinct) => {
            let codes = part_codes(table, &of.field);
            let different =
                codes.iter().filter(|code| **code != ABSENT).max().map_or(0, |code| *code as usize + 1);
            let mut window = DistinctWindow { codes: &codes, counts: vec![0; different], different: 0 };
            let counts = |row: usize| codes[row] != ABSENT && counted(inputs, row);
            slide(aggregate, order, inputs, &counts, &mut window, &mut answers);
        }
        (Some(of), measure) => {
            let numbers = measured_numbers(table, of);
            let counts = |row: usize| numbers[row].is_some() && counted(inputs, row);
            if matches!(measure, Measure::Sum | Measure::Mean | Measure::RatioToMean) {
                let mut window = SumWindow { measure, numbers: &numbers, sum: 0 };
                slide(aggregate, order, inputs, &counts, &mut window, &mut answers);
            } else {
                let mut window = RankWindow { measure, numbers: &numbers, ..RankWindow::empty(&numbers) };
                slide(aggregate, order, inputs, &counts, &mut window, &mut answers);
            }
        }
        (None, Measure::Share) => {
            let Some(condition) = &inputs.condition else { return answers };
            let mut window = ShareWindow { is_true: condition.is_true, yes: 0 };
            let counts = |row: usize| !(condition.is_unknown)(row);
            slide(aggregate, order, inputs, &counts, &mut window, &mut answers);
        }
        (None, measure) => {
            let mut window = PlainWindow { measure };
            slide(aggregate, order, inputs, &|row| counted(inputs, row), &mut window, &mut answers);
        }
    }
    answers
}

fn counted(inputs: &Inputs<'_>, row: usize) -> bool {
    inputs.condition.as_ref().is_none_or(|condition| (condition.is_true)(row))
}

/// What a window knows of the entries in it.
trait Window {
    /// A new key begins: `members` are all its countable rows, in order; the window is empty.
    fn begin(&mut self, members: &[u32]) {
        let _ = members;
    }
    /// The `at`th member comes in.
    fn add(&mut self, at: usize, row: u32);
    /// The `at`th member goes out.
    fn remove(&mut self, at: usize, row: u32);
    /// The answer for `row`, given how many are in, and the days since the first and the last of them.
    fn answer(&self, row: u32, entries: usize, days: Option<(i32, i32)>) -> Option<Decimal>;
    /// Is the answer the same for all rows of a day?
    fn same_for_the_day(&self) -> bool {
        true
    }
}

/// Moves the window over every key. `counts` says which rows may be in a window at all; every row of a key gets an
/// answer, also those that may not.
fn slide<W: Window>(
    aggregate: &Aggregate,
    order: &KeyOrder,
    inputs: &Inputs<'_>,
    counts: &dyn Fn(usize) -> bool,
    window: &mut W,
    answers: &mut [Option<Decimal>],
) {
    let mut members: Vec<u32> = Vec::new();
    for rows in order.groups() {
        members.clear();
        members.extend(rows.iter().copied().filter(|row| counts(*row as usize)));
        window.begin(&members);
        slide_key(aggregate, rows, &members, inputs, window, answers);
    }
}

fn slide_key<W: Window>(
    aggregate: &Aggregate,
    rows: &[u32],
    members: &[u32],
    inputs: &Inputs<'_>,
    window: &mut W,
    answers: &mut [Option<Decimal>],
) {
    let day = |row: u32| inputs.days[row as usize];
    let (mut low, mut high, mut begin) = (0_usize, 0_usize, 0_usize);
    let at_least = aggregate.at_least as usize;
    while begin < rows.len() {
        let today = day(rows[begin]);
        let end = begin + rows[begin..].iter().take_while(|row| day(**row) == today).count();
        let in_reach = |row: u32| day(row) < today || (aggregate.same_day && day(row) == today);
        while high < members.len() && in_reach(members[high]) {
            window.add(high, members[high]);
            high += 1;
        }
        if let Some(days) = aggregate.days {
            while low < high && day(members[low]) < today - i32::from(days) {
                window.remove(low, members[low]);
                low += 1;
            }
        }
        if aggregate.same_day {
            answer_by_declaration(
                aggregate,
                &rows[begin..end],
                &members[..high],
                low,
                inputs,
                window,
                answers,
            );
        } else {
            let entries = high - low;
            let span = (entries > 0).then(|| (today - day(members[low]), today - day(members[high - 1])));
            let enough = entries >= at_least;
            let shared =
                (enough && window.same_for_the_day()).then(|| window.answer(rows[begin], entries, span));
            for row in &rows[begin..end] {
                answers[*row as usize] =
                    if enough { shared.unwrap_or_else(|| window.answer(*row, entries, span)) } else { None };
            }
        }
        begin = end;
    }
    for (at, member) in members.iter().enumerate().take(high).skip(low) {
        window.remove(at, *member);
    }
}

/// The day's own entries are in the window. For each declaration of the day its entries are taken out, its rows are
/// answered, and they are put back.
fn answer_by_declaration<W: Window>(
    aggregate: &Aggregate,
    today: &[u32],
    members: &[u32],
    low: usize,
    inputs: &Inputs<'_>,
    window: &mut W,
    answers: &mut [Option<Decimal>],
) {
    let declaration = |row: u32| inputs.declarations[row as usize];
    let day = inputs.days[today[0] as usize];
    let first_today = members.partition_point(|row| inputs.days[*row as usize] < day).max(low);
    let mut own: Vec<(u32, usize)> =
        (first_today..members.len()).map(|at| (declaration(members[at]), at)).collect();
    own.sort_unstable();
    let mut rows: Vec<u32> = today.to_vec();
    rows.sort_by_key(|row| declaration(*row));
    for rows in rows.chunk_by(|a, b| declaration(*a) == declaration(*b)) {
        let code = declaration(rows[0]);
        let from = own.partition_point(|(own, _)| *own < code);
        let mine = own[from..].iter().take_while(|(own, _)| *own == code).map(|(_, at)| *at);
        for at in mine.clone() {
            window.remove(at, members[at]);
        }
        let entries = members.len() - low - mine.clone().count();
        for row in rows {
            answers[*row as usize] = if entries >= aggregate.at_least as usize {
                window.answer(*row, entries, None)
            } else {
                None
            };
        }
        for at in mine {
            window.add(at, members[at]);
        }
    }
}

/// Counts and days since.
struct PlainWindow {
    measure: Measure,
}

impl Window for PlainWindow {
    fn add(&mut self, _at: usize, _row: u32) {}
    fn remove(&mut self, _at: usize, _row: u32) {}
    fn answer(&self, _row: u32, entries: usize, days: Option<(i32, i32)>) -> Option<Decimal> {
        match self.measure {
            Measure::DaysSinceFirst => days.map(|(first, _)| first.into()),
            Measure::DaysSinceLast => days.map(|(_, last)| last.into()),
            _ => Some(entries.into()),
        }
    }
}

struct ShareWindow<'a> {
    is_true: &'a (dyn Fn(usize) -> bool + Sync),
    yes: u64,
}

impl Window for ShareWindow<'_> {
    fn add(&mut self, _at: usize, row: u32) {
        self.yes += u64::from((self.is_true)(row as usize));
    }
    fn remove(&mut self, _at: usize, row: u32) {
        self.yes -= u64::from((self.is_true)(row as usize));
    }
    fn answer(&self, _row: u32, entries: usize, _days: Option<(i32, i32)>) -> Option<Decimal> {
        quotient(self.yes.into(), entries.into())
    }
}

struct SumWindow<'a> {
    measure: Measure,
    numbers: &'a [Option<i128>],
    sum: i128,
}

impl Window for SumWindow<'_> {
    fn add(&mut self, _at: usize, row: u32) {
        self.sum = self.sum.wrapping_add(self.numbers[row as usize].unwrap_or(0));
    }
    fn remove(&mut self, _at: usize, row: u32) {
        self.sum = self.sum.wrapping_sub(self.numbers[row as usize].unwrap_or(0));
    }
    fn answer(&self, row: u32, entries: usize, _days: Option<(i32, i32)>) -> Option<Decimal> {
        let sum = number(self.sum)?;
        match self.measure {
            Measure::Sum => Some(sum),
            Measure::Mean => quotient(sum, entries.into()),
            _ => {
                let own = number(self.numbers[row as usize]?)?;
                quotient(own.checked_mul(entries.into())?, sum)
            }
        }
    }
    fn same_for_the_day(&self) -> bool {
        !self.measure.reads_own_number()
    }
}

struct DistinctWindow<'a> {
    codes: &'a [u32],
    counts: Vec<u32>,
    different: u32,
}

impl Window for DistinctWindow<'_> {
    fn add(&mut self, _at: usize, row: u32) {
        let count = &mut self.counts[self.codes[row as usize] as usize];
        self.different += u32::from(*count == 0);
        *count += 1;
    }
    fn remove(&mut self, _at: usize, row: u32) {
        let count = &mut self.counts[self.codes[row as usize] as usize];
        *count -= 1;
        self.different -= u32::from(*count == 0);
    }
    fn answer(&self, _row: u32, _entries: usize, _days: Option<(i32, i32)>) -> Option<Decimal> {
        Some(self.different.into())
    }
}

/// Order statistics: how many entries of each rank are in, as a Fenwick tree (P. M. Fenwick, "A new data structure
/// for cumulative frequency tables", Software: Practice and Experience 24, 1994).
struct RankWindow<'a> {
    measure: Measure,
    numbers: &'a [Option<i128>],
    /// The key's different numbers in order.
    sorted: Vec<i128>,
    /// Rank of each member of the key.
    ranks: Vec<u32>,
    tree: Vec<u32>,
    entries: u32,
}

impl<'a> RankWindow<'a> {
    fn empty(numbers: &'a [Option<i128>]) -> Self {
        Self {
            measure: Measure::Median,
            numbers,
            sorted: Vec::new(),
            ranks: Vec::new(),
            tree: Vec::new(),
            entries: 0,
        }
    }

    fn change(&mut self, at: usize, by: impl Fn(u32) -> u32) {
        let mut node = self.ranks[at] as usize + 1;
        while node < self.tree.len() {
            self.tree[node] = by(self.tree[node]);
            node += node & node.wrapping_neg();
        }
    }

    /// The number at `position` (from 0) of the window in order.
    fn at_position(&self, position: u32) -> Option<i128> {
        let (mut node, mut left) = (0_usize, position);
        let mut step = self.tree.len().checked_next_power_of_two().unwrap_or(0);
        while step > 0 {
            let next = node + step;
            if next < self.tree.len() && self.tree[next] <= left {
                node = next;
                left -= self.tree[next];
            }
            step >>= 1;
        }
        self.sorted.get(node).copied()
    }

    /// How many numbers in the window are smaller.
    fn smaller_than(&self, own: i128) -> u32 {
        let mut node = self.sorted.partition_point(|number| *number < own);
        let mut sum = 0;
        while node > 0 {
            sum += self.tree[node];
            node -= node & node.wrapping_neg();
        }
        sum
    }

    fn median(&self) -> Option<Decimal> {
        let upper = self.at_position(self.entries / 2)?;
        if self.entries % 2 == 1 {
            return number(upper);
        }
        let lower = self.at_position((self.entries / 2).checked_sub(1)?)?;
        quotient(number(lower.checked_add(upper)?)?, Decimal::TWO)
    }
}

impl Window for RankWindow<'_> {
    fn begin(&mut self, members: &[u32]) {
        self.sorted.clear();
        self.sorted.extend(members.iter().filter_map(|row| self.numbers[*row as usize]));
        self.sorted.sort_unstable();
        self.sorted.dedup();
        self.ranks.clear();
        let sorted = &self.sorted;
        self.ranks.extend(members.iter().filter_map(|row| {
            let own = self.numbers[*row as usize]?;
            Some(sorted.partition_point(|number| *number < own) as u32)
        }));
        self.tree.clear();
        self.tree.resize(self.sorted.len() + 1, 0);
        self.entries = 0;
    }
    fn add(&mut self, at: usize, _row: u32) {
        self.change(at, |count| count + 1);
        self.entries += 1;
    }
    fn remove(&mut self, at: usize, _row: u32) {
        self.change(at, |count| count - 1);
        self.entries -= 1;
    }
    fn answer(&self, row: u32, _entries: usize, _days: Option<(i32, i32)>) -> Option<Decimal> {
        if self.entries == 0 {
            return None;
        }
        let own = self.numbers[row as usize];
        match self.measure {
            Measure::Minimum => number(self.at_position(0)?),
            Measure::Maximum => number(self.at_position(self.entries - 1)?),
            Measure::Median => self.median(),
            Measure::RankShare => quotient(self.smaller_than(own?).into(), self.entries.into()),
            _ => quotient(number(own?)?, self.median()?),
        }
    }
    fn same_for_the_day(&self) -> bool {
        !self.measure.reads_own_number()
    }
}
