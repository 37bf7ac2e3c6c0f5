//! Keys: which entries belong together. A key is one small code a row; rows of one key stand together in an order
//! by (key, day, row) that every aggregate over the same key shares.
#![expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "numeric kernel: row numbers and codes are u32 by construction (rows are bounded by ROWS_MAX), and the \
              property tests compare it with a plain recomputation"
)]

use std::collections::HashMap;

use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use spine::{Column, EntryTable};

use crate::aggregate::FieldPart;

/// Code of a row without a value.
pub(crate) const ABSENT: u32 = u32::MAX;

/// Day of a row without a date.
pub(crate) const NO_DAY: i32 = i32::MIN;

/// Days since 1970-01-01.
#[must_use]
pub fn day_number(day: Date) -> i32 {
    (day.duration_since(date(1970, 1, 1)).as_secs() / 86_400) as i32
}

/// Day number of every row; of a table without dates, [`NO_DAY`] everywhere.
pub(crate) fn days(table: &EntryTable) -> Vec<i32> {
    match table.dates("date") {
        Some(dates) => dates.iter().map(|day| day.map_or(NO_DAY, day_number)).collect(),
        None => vec![NO_DAY; table.len()],
    }
}

/// One code a row; equal codes mean equal values, [`ABSENT`] means none.
pub(crate) fn part_codes(table: &EntryTable, part: &FieldPart) -> Vec<u32> {
    match table.column(&part.field) {
        None => vec![ABSENT; table.len()],
        Some(Column::Text(column)) => match part.prefix {
            None => column.codes().to_vec(),
            Some(prefix) => {
                let mut numbers: HashMap<&str, u32> = HashMap::new();
                let of_code: Vec<u32> = column
                    .dictionary()
                    .iter()
                    .map(|text| match beginning(text, prefix) {
                        None => ABSENT,
                        Some(start) => {
                            let next = numbers.len() as u32;
                            *numbers.entry(start).or_insert(next)
                        }
                    })
                    .collect();
                column
                    .codes()
                    .iter()
                    .map(|code| of_code.get(*code as usize).copied().unwrap_or(ABSENT))
                    .collect()
            }
        },
        Some(Column::Decimal(values)) => {
            codes_of(values.iter().map(|value| value.map(|v: Decimal| v.normalize())))
        }
        Some(Column::Date(values)) => codes_of(values.iter().copied()),
        Some(Column::DateTime(values)) => codes_of(values.iter().copied()),
        Some(Column::Boolean(values)) => codes_of(values.iter().copied()),
    }
}

/// The first `characters` of a text, if it has as many.
pub(crate) fn beginning(text: &str, characters: u8) -> Option<&str> {
    let mut ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    text.get(..ends.nth(usize::from(characters) - 1)?)
}

fn codes_of<T: std::hash::Hash + Eq>(values: impl Iterator<Item = Option<T>>) -> Vec<u32> {
    let mut numbers: HashMap<T, u32> = HashMap::new();
    values
        .map(|value| match value {
            None => ABSENT,
            Some(value) => {
                let next = numbers.len() as u32;
                *numbers.entry(value).or_insert(next)
            }
        })
        .collect()
}

/// One code a row for several parts together; [`ABSENT`] as soon as one of them is. No parts: one key for all.
pub(crate) fn key_codes(table: &EntryTable, parts: &[FieldPart]) -> Vec<u32> {
    let mut parts = parts.iter();
    let Some(first) = parts.next() else { return vec![0; table.len()] };
    let mut codes = part_codes(table, first);
    for part in parts {
        let more = part_codes(table, part);
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        for (code, other) in codes.iter_mut().zip(more) {
            *code = if *code == ABSENT || other == ABSENT {
                ABSENT
            } else {
                let next = numbers.len() as u32;
                *numbers.entry((*code, other)).or_insert(next)
            };
        }
    }
    codes
}

/// Rows ordered by (key, day, row), without rows that lack a key or a day.
#[derive(Debug)]
pub(crate) struct KeyOrder {
    /// Rows.
    pub(crate) rows: Vec<u32>,
    /// Where each key's rows begin in `rows`; one more at the end.
    pub(crate) starts: Vec<u32>,
}

/// Rows that have a day, by (day, row).
pub(crate) fn day_order(days: &[i32]) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..days.len() as u32).filter(|row| days[*row as usize] != NO_DAY).collect();
    rows.sort_by_key(|row| days[*row as usize]);
    rows
}

impl KeyOrder {
    /// Counting sort of `day_order` by key: it is stable, so days stay in order within each key.
    pub(crate) fn new(codes: &[u32], day_order: &[u32]) -> Self {
        let keys = codes.iter().filter(|code| **code != ABSENT).max().map_or(0, |code| *code as usize + 1);
        let mut starts = vec![0_u32; keys + 1];
        for row in day_order {
            let code = codes[*row as usize];
            if code != ABSENT {
                starts[code as usize + 1] += 1;
            }
        }
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let mut next = starts.clone();
        let mut rows = vec![0_u32; starts[keys] as usize];
        for row in day_order {
            let code = codes[*row as usize];
            if code != ABSENT {
                let at = &mut next[code as usize];
                rows[*at as usize] = *row;
                *at += 1;
            }
        }
        Self { rows, starts }
    }

    /// The rows of each key, one key after another.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.starts
            .windows(2)
            .map(|ends| &self.rows[ends[0] as usize..ends[1] as usize])
            .filter(|rows| !rows.is_empty())
    }
}
