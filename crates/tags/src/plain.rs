//! An aggregate for one entry, recomputed from the entries themselves: what an explanation shows, and the oracle
//! that the sliding computation is tested against. It shares no code with it but the rounding.

use std::collections::BTreeSet;

use rules::{EntryRule, Truth};
use rust_decimal::Decimal;
use spine::{Column, EntryTable, Value};

use crate::aggregate::{Aggregate, FieldPart, Measure, Measured};
use crate::key::{NO_DAY, beginning, day_number};
use crate::window::{millionths, number, quotient};

/// A recomputed value with the rows it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) value: Option<Decimal>,
    /// Rows in the window that were counted, ascending.
    pub(crate) rows: Vec<usize>,
}

/// The aggregate's value for `row`.
pub(crate) fn value(
    table: &EntryTable,
    aggregate: &Aggregate,
    condition: Option<&EntryRule>,
    row: usize,
) -> Plain {
    let nothing = Plain { value: None, rows: Vec::new() };
    let dates = table.dates("date").unwrap_or_default();
    let day_at = |row: usize| dates.get(row).copied().flatten().map_or(NO_DAY, day_number);
    let today = day_at(row);
    if today == NO_DAY || aggregate.by.iter().any(|part| part_value(table, part, row).is_none()) {
        return nothing;
    }
    let declaration = table.value(row, "declaration_id");
    let in_window = |other: usize| {
        let day = day_at(other);
        let before = day != NO_DAY && day < today;
        let beside = aggregate.same_day
            && day == today
            && other != row
            && (declaration.is_none() || table.value(other, "declaration_id") != declaration);
        (before || beside) && aggregate.days.is_none_or(|days| day >= today.saturating_sub(i32::from(days)))
    };
    let same_key = |other: usize| aggregate.by.iter().all(|part| same(table, part, row, other));
    let truth = |other: usize| condition.map_or(Truth::True, |rule| truth_of(rule, table, other));
    let counted = |other: usize| match aggregate.measure {
        Measure::Share => truth(other) != Truth::Unknown,
        _ if truth(other) != Truth::True => false,
        Measure::Distinct => {
            aggregate.of.as_ref().is_some_and(|of| part_value(table, &of.field, other).is_some())
        }
        _ => aggregate.of.as_ref().is_none_or(|of| own_number(table, of, other).is_some()),
    };
    let rows: Vec<usize> =
        (0..table.len()).filter(|other| in_window(*other) && same_key(*other) && counted(*other)).collect();
    let enough = u32::try_from(rows.len()).unwrap_or(u32::MAX) >= aggregate.at_least;
    let value = if enough { measure(table, aggregate, row, &rows, &truth, &day_at) } else { None };
    Plain { value, rows }
}

/// The rule's answer for one row.
pub(crate) fn truth_of(rule: &EntryRule, table: &EntryTable, row: usize) -> Truth {
    let truths = rule.evaluate(table, row..row.saturating_add(1));
    if truths.is_true(0) {
        Truth::True
    } else if truths.is_unknown(0) {
        Truth::Unknown
    } else {
        Truth::False
    }
}

fn measure(
    table: &EntryTable,
    aggregate: &Aggregate,
    row: usize,
    rows: &[usize],
    truth: &dyn Fn(usize) -> Truth,
    day_at: &dyn Fn(usize) -> i32,
) -> Option<Decimal> {
    let of = aggregate.of.as_ref();
    let own = of.and_then(|of| own_number(table, of, row));
    let mut numbers: Vec<i128> =
        rows.iter().filter_map(|other| of.and_then(|of| own_number(table, of, *other))).collect();
    numbers.sort_unstable();
    let count = Decimal::from(rows.len());
    let sum = || number(numbers.iter().fold(0, |sum: i128, own| sum.wrapping_add(*own)));
    let median = || {
        let upper = *numbers.get(numbers.len() / 2)?;
        if numbers.len() % 2 == 1 {
            return number(upper);
        }
        quotient(
            number(upper.checked_add(*numbers.get((numbers.len() / 2).checked_sub(1)?)?)?)?,
            Decimal::TWO,
        )
    };
    let first_day = rows.iter().map(|other| day_at(*other)).min();
    let last_day = rows.iter().map(|other| day_at(*other)).max();
    let since = |day: Option<i32>| Some(Decimal::from(day_at(row).saturating_sub(day?)));
    match aggregate.measure {
        Measure::Count => Some(count),
        Measure::Sum => sum(),
        Measure::Mean => quotient(sum()?, count),
        Measure::Minimum => number(*numbers.first()?),
        Measure::Maximum => number(*numbers.last()?),
        Measure::Median => median(),
        Measure::Distinct => {
            let part = &of?.field;
            let texts: BTreeSet<String> = rows
                .iter()
                .filter_map(|other| part_value(table, part, *other))
                .map(|value| format!("{value:?}"))
                .collect();
            Some(texts.len().into())
        }
        Measure::Share => {
            quotient(rows.iter().filter(|other| truth(**other) == Truth::True).count().into(), count)
        }
        Measure::RatioToMean => quotient(number(own?)?.checked_mul(count)?, sum()?),
        Measure::RatioToMedian => quotient(number(own?)?, median()?),
        Measure::RankShare => {
            let own = own?;
            quotient(numbers.iter().filter(|other| **other < own).count().into(), count)
        }
        Measure::DaysSinceFirst => since(first_day),
        Measure::DaysSinceLast => since(last_day),
    }
}

fn own_number(table: &EntryTable, of: &Measured, row: usize) -> Option<i128> {
    let decimal = |part: &FieldPart| match table.value(row, &part.field) {
        Some(Value::Decimal(value)) => Some(value),
        _ => None,
    };
    let value = decimal(&of.field)?;
    match &of.divided_by {
        None => millionths(value),
        Some(divisor) => millionths(quotient(value, decimal(divisor)?)?),
    }
}

/// A key's part of one row.
pub(crate) fn part_value(table: &EntryTable, part: &FieldPart, row: usize) -> Option<Value> {
    match (table.value(row, &part.field)?, part.prefix) {
        (Value::Text(text), Some(prefix)) => {
            beginning(&text, prefix).map(|start| Value::Text(start.to_owned()))
        }
        (Value::Decimal(number), _) => Some(Value::Decimal(number.normalize())),
        (value, _) => Some(value),
    }
}

/// Do two rows agree in a key's part? Without copying texts, for it is asked of every row of the table.
pub(crate) fn same(table: &EntryTable, part: &FieldPart, row: usize, other: usize) -> bool {
    match table.column(&part.field) {
        Some(Column::Text(column)) => match (column.get(row), column.get(other), part.prefix) {
            (Some(a), Some(b), None) => a == b,
            (Some(a), Some(b), Some(prefix)) => {
                beginning(a, prefix).is_some_and(|start| beginning(b, prefix) == Some(start))
            }
            _ => false,
        },
        _ => part_value(table, part, row).is_some_and(|value| part_value(table, part, other) == Some(value)),
    }
}
