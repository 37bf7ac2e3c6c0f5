//! The records as the audit reads them: units of inspection, their outcomes, and codes of the dimensions.

use std::collections::HashMap;

use jiff::civil::Date;
use roaring::RoaringBitmap;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use spine::{Column, EntryTable, Progress};

use crate::AuditError;
use crate::document::Unit;
use crate::options::{AuditOptions, TagColumn};
use crate::statistics::number::{count, float, index, position};

/// No value.
pub(crate) const ABSENT: u32 = u32::MAX;
/// Size classes of declarations: within one, chance deals finds evenly over declarations.
pub(crate) const SIZE_CLASSES: usize = 6;

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Never inspected: what it was is unknown.
    NeverInspected,
    /// Inspected, and nobody wrote down what was found.
    OutcomeMissing,
    /// Inspected and in order.
    Regular,
    /// Inspected and irregular.
    Irregular,
}

impl Fate {
    pub(crate) fn inspected(self) -> bool {
        self != Self::NeverInspected
    }

    pub(crate) fn known(self) -> bool {
        matches!(self, Self::Regular | Self::Irregular)
    }

    pub(crate) fn find(self) -> bool {
        self == Self::Irregular
    }
}

/// Records with everything derived that several parts of the audit need.
pub(crate) struct History<'a> {
    pub(crate) table: &'a EntryTable,
    pub(crate) tags: &'a [TagColumn],
    pub(crate) options: &'a AuditOptions,
    pub(crate) progress: &'a dyn Progress,
    /// What is counted as one inspection.
    pub(crate) unit: Unit,
    /// Unit of each row.
    pub(crate) unit_of_row: Vec<u32>,
    /// Rows by unit: those of unit `u` stand at `starts[u]..starts[u + 1]` of `rows`.
    starts: Vec<u32>,
    rows: Vec<u32>,
    /// By unit.
    pub(crate) fates: Vec<Fate>,
    /// Day of each unit, in days since 1970; `i32::MIN` where absent.
    pub(crate) days: Vec<i32>,
    /// Number of different declarations.
    pub(crate) declarations: u64,
    /// Inspected units with a known outcome.
    pub(crate) known: RoaringBitmap,
    /// Irregular ones among them.
    pub(crate) irregular: RoaringBitmap,
    /// Size class of each unit.
    pub(crate) classes: Vec<u8>,
    /// Known units of each size class.
    pub(crate) known_by_size: Vec<RoaringBitmap>,
}

fn row_fate(inspected: Option<bool>, irregular: Option<bool>) -> Fate {
    match (inspected, irregular) {
        (Some(false), _) | (None, None) => Fate::NeverInspected,
        (Some(true), None) => Fate::OutcomeMissing,
        (_, Some(false)) => Fate::Regular,
        (_, Some(true)) => Fate::Irregular,
    }
}

/// Days since 1970.
pub(crate) fn day_number(date: Date) -> i32 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours().div_euclid(24).try_into().unwrap_or(i32::MIN)
}

/// The day behind a number of days since 1970.
pub(crate) fn date_of(day: i32) -> Date {
    Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(i64::from(day))).unwrap_or(Date::MIN)
}

fn merge(a: Fate, b: Fate) -> Fate {
    let rank = |fate: Fate| match fate {
        Fate::NeverInspected => 0,
        Fate::OutcomeMissing => 1,
        Fate::Regular => 2,
        Fate::Irregular => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

/// Do items of a declaration share their outcome? By the correlation of pairs of items within a declaration.
fn unit_of_outcomes(declaration_of_row: &[u32], declarations: usize, fates: &[Fate]) -> Unit {
    let mut by_declaration = vec![(0_u32, 0_u32); declarations];
    let (mut items, mut hits) = (0_u64, 0_u64);
    for (declaration, fate) in declaration_of_row.iter().zip(fates) {
        if let Some(counts) = by_declaration.get_mut(index(*declaration)).filter(|_| fate.known()) {
            counts.0 = counts.0.saturating_add(1);
            counts.1 = counts.1.saturating_add(u32::from(fate.find()));
            items = items.saturating_add(1);
            hits = hits.saturating_add(u64::from(fate.find()));
        }
    }
    let pairs = |n: u32| f64::from(n) * (f64::from(n) - 1.0) / 2.0;
    let (mut all, mut both) = (0.0, 0.0);
    for (n, k) in by_declaration.into_iter().filter(|(n, _)| *n > 1) {
        all += pairs(n);
        both += pairs(k);
    }
    let rate = float(hits) / float(items.max(1));
    let variance = rate * (1.0 - rate);
    if all < 1.0 || variance <= 0.0 {
        return Unit::Item;
    }
    // Two standard errors of the correlation under independence, and never less than a twentieth.
    let threshold = (2.0 / all.sqrt()).max(0.05);
    if (both / all - rate * rate) / variance > threshold { Unit::Declaration } else { Unit::Item }
}

fn declaration_codes(table: &EntryTable) -> (Vec<u32>, usize) {
    let mut renumbered: HashMap<u32, u32> = HashMap::new();
    let mut next = 0_u32;
    let mut fresh = || {
        let code = next;
        next = next.saturating_add(1);
        code
    };
    let codes =
        match table.texts("declaration_id") {
            Some(column) => column
                .codes()
                .iter()
                .map(|code| {
                    if *code == ABSENT {
                        fresh()
                    } else {
                        *renumbered.entry(*code).or_insert_with(&mut fresh)
                    }
                })
                .collect(),
            None => (0..table.len()).map(|_| fresh()).collect(),
        };
    (codes, index(next))
}

impl<'a> History<'a> {
    pub(crate) fn new(
        table: &'a EntryTable,
        tags: &'a [TagColumn],
        options: &'a AuditOptions,
        progress: &'a dyn Progress,
    ) -> Result<Self, AuditError> {
        let rows = table.len();
        if u32::try_from(rows).is_err() {
            return Err(AuditError::TooManyRows(rows));
        }
        let (declaration_of_row, declarations) = declaration_codes(table);
        let inspected = table.booleans("inspected");
        let irregular = table.booleans("irregular");
        let at = |column: Option<&[Option<bool>]>, row: usize| {
            column.and_then(|column| column.get(row).copied().flatten())
        };
        let row_fates: Vec<Fate> =
            (0..rows).map(|row| row_fate(at(inspected, row), at(irregular, row))).collect();
        let unit = unit_of_outcomes(&declaration_of_row, declarations, &row_fates);
        let (unit_of_row, units) = match unit {
            Unit::Declaration => (declaration_of_row, declarations),
            Unit::Item => ((0..position(rows)).collect(), rows),
        };
        let mut fates = vec![Fate::NeverInspected; units];
        let mut days = vec![i32::MIN; units];
        let dates = table.dates("date");
        let mut sizes = vec![0_u32; units];
        for (row, (unit, fate)) in unit_of_row.iter().zip(&row_fates).enumerate() {
            let unit = index(*unit);
            if let Some(own) = fates.get_mut(unit) {
                *own = merge(*own, *fate);
            }
            if let (Some(own), Some(date)) =
                (days.get_mut(unit), dates.and_then(|dates| dates.get(row).copied().flatten()))
            {
                *own = (*own).max(day_number(date));
            }
            if let Some(size) = sizes.get_mut(unit) {
                *size = size.saturating_add(1);
            }
        }
        let (starts, rows) = rows_by_unit(&unit_of_row, &sizes);
        let known: RoaringBitmap = select(&fates, Fate::known);
        let classes: Vec<u8> = sizes.iter().map(|size| size_class(*size)).collect();
        let mut known_by_size = vec![RoaringBitmap::new(); SIZE_CLASSES];
        for unit in &known {
            let class = classes.get(index(unit)).copied().unwrap_or(0);
            if let Some(class) = known_by_size.get_mut(usize::from(class)) {
                class.insert(unit);
            }
        }
        let irregular = select(&fates, Fate::find);
        Ok(Self {
            table,
            tags,
            options,
            progress,
            unit,
            unit_of_row,
            starts,
            rows,
            fates,
            days,
            declarations: count(declarations),
            known,
            irregular,
            classes,
            known_by_size,
        })
    }

    pub(crate) fn units(&self) -> usize {
        self.fates.len()
    }

    /// Rows of a unit.
    pub(crate) fn rows_of(&self, unit: u32) -> &[u32] {
        let at = |unit: u32| self.starts.get(index(unit)).copied().map_or(self.rows.len(), index);
        self.rows.get(at(unit)..at(unit.saturating_add(1))).unwrap_or_default()
    }

    pub(crate) fn fate(&self, unit: u32) -> Fate {
        self.fates.get(index(unit)).copied().unwrap_or(Fate::NeverInspected)
    }

    pub(crate) fn day(&self, unit: u32) -> i32 {
        self.days.get(index(unit)).copied().unwrap_or(i32::MIN)
    }

    /// Share of inspected units with a known outcome that are irregular.
    pub(crate) fn base_rate(&self) -> f64 {
        float(self.irregular.len()) / float(self.known.len().max(1))
    }

    /// Units of a set of rows.
    pub(crate) fn units_of_rows(&self, rows: &RoaringBitmap) -> RoaringBitmap {
        match self.unit {
            Unit::Item => rows.clone(),
            Unit::Declaration => {
                let mut units: Vec<u32> =
                    rows.iter().filter_map(|row| self.unit_of_row.get(index(row)).copied()).collect();
                units.sort_unstable();
                units.into_iter().collect()
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), AuditError> {
        if self.progress.cancelled() { Err(AuditError::Cancelled) } else { Ok(()) }
    }

    /// Recovered revenue of a unit: the sum over its rows.
    pub(crate) fn revenue(&self, unit: u32) -> Decimal {
        let Some(column) = self.table.decimals("recovered_revenue") else { return Decimal::ZERO };
        self.rows_of(unit)
            .iter()
            .filter_map(|row| column.get(index(*row)).copied().flatten())
            .fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// Probability with which a unit was selected, where recorded and between 0 (excluded) and 1: the largest of its rows.
    pub(crate) fn probability(&self, unit: u32) -> Option<f64> {
        let column = self.table.decimals("selection_probability")?;
        self.rows_of(unit)
            .iter()
            .filter_map(|row| column.get(index(*row)).copied().flatten()?.to_f64())
            .filter(|p| *p > 0.0 && *p <= 1.0)
            .reduce(f64::max)
    }
}

fn select(fates: &[Fate], wanted: impl Fn(Fate) -> bool) -> RoaringBitmap {
    fates.iter().enumerate().filter(|(_, fate)| wanted(**fate)).map(|(unit, _)| position(unit)).collect()
}

fn size_class(items: u32) -> u8 {
    match items {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 | 5 => 3,
        6..=10 => 4,
        _ => 5,
    }
}

fn rows_by_unit(unit_of_row: &[u32], sizes: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut starts = Vec::with_capacity(sizes.len().saturating_add(1));
    let mut sum = 0_u32;
    starts.push(0);
    for size in sizes {
        sum = sum.saturating_add(*size);
        starts.push(sum);
    }
    let mut next = starts.clone();
    let mut rows = vec![0_u32; unit_of_row.len()];
    for (row, unit) in unit_of_row.iter().enumerate() {
        if let Some(place) = next.get_mut(index(*unit)) {
            if let Some(slot) = rows.get_mut(index(*place)) {
                *slot = position(row);
            }
            *place = place.saturating_add(1);
        }
    }
    (starts, rows)
}

/// One code a row, with the texts behind the codes.
pub(crate) struct Codes {
    pub(crate) of_row: Vec<u32>,
    pub(crate) values: Vec<String>,
}

impl Codes {
    fn of_texts(table: &EntryTable, field: &str, map: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let column = table.texts(field)?;
        let mut values: Vec<String> = Vec::new();
        let mut positions: HashMap<String, u32> = HashMap::new();
        let translated: Vec<u32> = column
            .dictionary()
            .iter()
            .map(|text| match map(text) {
                None => ABSENT,
                Some(value) => *positions.entry(value).or_insert_with_key(|value| {
                    values.push(value.clone());
                    position(values.len().saturating_sub(1))
                }),
            })
            .collect();
        let of_row = column
            .codes()
            .iter()
            .map(|code| translated.get(index(*code)).copied().unwrap_or(ABSENT))
            .collect();
        Some(Self { of_row, values })
    }

    fn of_values<T: std::hash::Hash + Eq + Clone>(cells: &[Option<T>], show: impl Fn(&T) -> String) -> Self {
        let mut values = Vec::new();
        let mut positions: HashMap<T, u32> = HashMap::new();
        let of_row = cells
            .iter()
            .map(|cell| match cell {
                None => ABSENT,
                Some(cell) => *positions.entry(cell.clone()).or_insert_with_key(|cell| {
                    values.push(show(cell));
                    position(values.len().saturating_sub(1))
                }),
            })
            .collect();
        Self { of_row, values }
    }

    /// Codes of a field's values, whatever its type.
    pub(crate) fn of_field(table: &EntryTable, field: &str) -> Option<Self> {
        Some(match table.column(field)? {
            Column::Text(_) => return Self::of_texts(table, field, |text| Some(text.to_owned())),
            Column::Decimal(cells) => Self::of_values(cells, |number| number.normalize().to_string()),
            Column::Date(cells) => Self::of_values(cells, ToString::to_string),
            Column::DateTime(cells) => Self::of_values(cells, ToString::to_string),
            Column::Boolean(cells) => Self::of_values(cells, ToString::to_string),
        })
    }

    /// Codes of a dimension: a field, `hs_chapter`, `hs_heading`, `hs_subheading`, or `month`.
    pub(crate) fn of_dimension(table: &EntryTable, dimension: &str) -> Option<Self> {
        let digits = match dimension {
            "hs_chapter" => 2,
            "hs_heading" => 4,
            "hs_subheading" => 6,
            "month" => {
                let cells: Vec<Option<(i16, i8)>> = table
                    .dates("date")?
                    .iter()
                    .map(|date| date.map(|date| (date.year(), date.month())))
                    .collect();
                return Some(Self::of_values(&cells, |(year, month)| format!("{year:04}-{month:02}")));
            }
            field => return Self::of_field(table, field),
        };
        Self::of_texts(table, "commodity_code", |code| {
            let digits: String = code.chars().filter(char::is_ascii_digit).take(digits).collect();
            (digits.len()
                == match dimension {
                    "hs_chapter" => 2,
                    "hs_heading" => 4,
                    _ => 6,
                })
            .then_some(digits)
        })
    }

    pub(crate) fn get(&self, row: u32) -> u32 {
        self.of_row.get(index(row)).copied().unwrap_or(ABSENT)
    }

    pub(crate) fn text(&self, code: u32) -> &str {
        self.values.get(index(code)).map_or("", String::as_str)
    }

    pub(crate) fn is_filled(&self) -> bool {
        !self.values.is_empty()
    }

    /// The different codes of a unit, ascending.
    pub(crate) fn of_unit(&self, history: &History<'_>, unit: u32, into: &mut Vec<u32>) {
        into.clear();
        into.extend(history.rows_of(unit).iter().map(|row| self.get(*row)).filter(|code| *code != ABSENT));
        into.sort_unstable();
        into.dedup();
    }
}
