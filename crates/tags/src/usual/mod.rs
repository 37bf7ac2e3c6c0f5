//! What is usual for each commodity, origin and route in an administration's own records, as a pack of tags.
//!
//! The tags are written once (`usual.toml`) over tables made here: for each commodity and origin the span of prices, for
//! each heading and origin the countries its goods depart from, and so on. They mark what falls outside. People
//! look the pack over, correct its tables and approve it like any other.
//!
//! * **Spans.** Prices and masses are spread by factors, so the span is about the median of the logarithms: three
//!   standard deviations to each side, told from the median absolute deviation (times 1.4826, F. R. Hampel, "The
//!   Influence Curve and Its Role in Robust Estimation", JASA 69, 1974), wider by `1 + 2 / sqrt(n)` for n
//!   entries, and never narrower than a tenth. A tenth of false entries does not move it far.
//! * **Usual values.** The at most three most frequent ones, if they are nine tenths of the entries or more.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use spine::{Column, EntryTable};

use crate::key::beginning;
use crate::table::is_value;

/// Entries of one kind from which something can be said of it.
pub const ENTRIES_MIN: usize = 8;
/// Rows of a table at most: those with the most entries.
const ROWS_MAX: usize = 20_000;
/// Usual values of a kind at most.
const USUAL_MAX: usize = 3;
/// They are at least so much of all entries of the kind.
const USUAL_PERCENT: usize = 90;
/// Turns a median absolute deviation into a standard deviation of the normal distribution.
const DEVIATION: f64 = 1.4826;
/// Standard deviations from the middle to the ends of a span.
const DEVIATIONS: f64 = 3.0;
/// A span is at least so wide to each side, in logarithms.
const WIDTH_MIN: f64 = 0.1;
/// Digits of a bound that count.
const DIGITS: u32 = 3;

/// The pack's own files; its tables stand beside them.
const MANIFEST: &str = include_str!("pack.toml");
const TAGS: &str = include_str!("usual.toml");

/// The files of the pack by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsualPack {
    /// Path in the pack and content.
    pub files: BTreeMap<String, String>,
    /// Rows of each table, by its path.
    pub rows: BTreeMap<String, usize>,
    /// Entries looked at.
    pub entries: usize,
}

/// A table of the pack: what makes a kind of goods, and what of it is told.
struct Spec {
    path: &'static str,
    by: &'static [(&'static str, &'static str, Option<u8>)],
    told: Told,
}

enum Told {
    /// The span of one number divided by another.
    Span(&'static str, &'static str),
    /// The usual values of a field.
    Values(&'static str),
}

const COMMODITY: (&str, &str, Option<u8>) = ("commodity", "commodity_code", Some(6));
const HEADING: (&str, &str, Option<u8>) = ("heading", "commodity_code", Some(4));
const ORIGIN: (&str, &str, Option<u8>) = ("origin", "origin_country", None);
const CURRENCY: (&str, &str, Option<u8>) = ("currency", "currency", None);

const SPECS: [Spec; 6] = [
    Spec {
        path: "prices.csv",
        by: &[COMMODITY, ORIGIN, CURRENCY],
        told: Told::Span("customs_value", "net_mass"),
    },
    Spec { path: "packing.csv", by: &[COMMODITY], told: Told::Span("gross_mass", "net_mass") },
    Spec { path: "packages.csv", by: &[COMMODITY], told: Told::Span("net_mass", "packages") },
    Spec { path: "departures.csv", by: &[HEADING, ORIGIN], told: Told::Values("departure_country") },
    Spec { path: "modes.csv", by: &[HEADING, ORIGIN], told: Told::Values("transport_mode") },
    Spec { path: "rates.csv", by: &[COMMODITY, ORIGIN], told: Told::Values("tax_rate") },
];

/// The pack for these entries. The same entries in any order give the same files.
#[must_use]
pub fn usual(table: &EntryTable) -> UsualPack {
    let mut files: BTreeMap<String, String> = [("pack.toml", MANIFEST), ("usual.toml", TAGS)]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
    let mut rows = BTreeMap::new();
    for spec in &SPECS {
        let (text, count) = match spec.told {
            Told::Span(number, over) => spans(table, spec, number, over),
            Told::Values(field) => values(table, spec, field),
        };
        files.insert(spec.path.to_owned(), text);
        rows.insert(spec.path.to_owned(), count);
    }
    UsualPack { files, rows, entries: table.len() }
}

/// What makes a kind of goods, in the order of the table's columns.
type Kind = Vec<String>;

/// The kind of each row; none where a field is absent or no tag could be named after it.
fn kinds(table: &EntryTable, spec: &Spec) -> Vec<Option<Kind>> {
    let fits = |value: &str| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (0..table.len())
        .map(|row| {
            let value = |(_, field, prefix): &(&str, &str, Option<u8>)| {
                let text = table.texts(field)?.get(row)?;
                let value = match prefix {
                    Some(prefix) => beginning(text, *prefix)?,
                    None => text,
                };
                fits(value).then(|| value.to_owned())
            };
            spec.by.iter().map(value).collect()
        })
        .collect()
}

fn spans(table: &EntryTable, spec: &Spec, number: &str, over: &str) -> (String, usize) {
    let mut logs: BTreeMap<Kind, Vec<f64>> = BTreeMap::new();
    let at = |field: &str, row: usize| {
        table.decimals(field)?.get(row).copied().flatten()?.to_f64().filter(|value| *value > 0.0)
    };
    for (row, kind) in kinds(table, spec).into_iter().enumerate() {
        if let (Some(kind), Some(number), Some(over)) = (kind, at(number, row), at(over, row)) {
            logs.entry(kind).or_default().push((number / over).ln());
        }
    }
    let rows =
        logs.into_iter().filter(|(_, logs)| logs.len() >= ENTRIES_MIN).filter_map(|(kind, mut logs)| {
            let entries = logs.len();
            let middle = median(&mut logs)?;
            let mut away: Vec<f64> = logs.iter().map(|log| (log - middle).abs()).collect();
            let count = f64::from(u32::try_from(entries).unwrap_or(u32::MAX));
            let width = DEVIATIONS * DEVIATION * median(&mut away)? * (1.0 + 2.0 / count.sqrt());
            let width = width.max(WIDTH_MIN);
            let bounds = [middle - width, middle, middle + width].map(|log| written(log.exp()));
            let [Some(low), Some(middle), Some(high)] = bounds else { return None };
            Some((entries, kind, vec![low, middle, high]))
        });
    written_table(spec, &["low", "middle", "high"], rows.collect())
}

fn values(table: &EntryTable, spec: &Spec, field: &str) -> (String, usize) {
    let mut counts: BTreeMap<Kind, BTreeMap<String, usize>> = BTreeMap::new();
    let Some(column) = table.column(field) else { return written_table(spec, &USUAL, Vec::new()) };
    for (row, kind) in kinds(table, spec).into_iter().enumerate() {
        let value = match column {
            Column::Decimal(values) => {
                values.get(row).copied().flatten().map(|value| value.normalize().to_string())
            }
            column => column.value(row).map(|value| value.to_string()),
        };
        if let (Some(kind), Some(value)) = (kind, value.filter(|value| is_value(value))) {
            let count = counts.entry(kind).or_default().entry(value).or_default();
            *count = count.saturating_add(1);
        }
    }
    let rows = counts.into_iter().filter_map(|(kind, counts)| {
        let entries: usize = counts.values().sum();
        let mut most: Vec<(String, usize)> = counts.into_iter().collect();
        most.sort_by(|(a, times), (b, others)| others.cmp(times).then_with(|| a.cmp(b)));
        most.truncate(USUAL_MAX);
        let covered: usize = most.iter().map(|(_, count)| count).sum();
        let told =
            entries >= ENTRIES_MIN && covered.saturating_mul(100) >= entries.saturating_mul(USUAL_PERCENT);
        // A kind with fewer usual values names its first one again.
        let first = most.first()?.0.clone();
        let usual = most.into_iter().map(|(value, _)| value).chain(std::iter::repeat(first)).take(USUAL_MAX);
        told.then(|| (entries, kind, usual.collect()))
    });
    written_table(spec, &USUAL, rows.collect())
}

/// Columns of usual values.
const USUAL: [&str; USUAL_MAX] = ["first", "second", "third"];

/// What ids of a kind's tags end in.
fn key_of(kind: &Kind) -> String {
    kind.join("_").to_ascii_lowercase()
}

/// A table in the order of its kinds, and how many rows it has. Of too many those with the most entries stay.
fn written_table(spec: &Spec, told: &[&str], mut rows: Vec<(usize, Kind, Vec<String>)>) -> (String, usize) {
    rows.sort_by(|(entries, kind, _), (others, other, _)| others.cmp(entries).then_with(|| kind.cmp(other)));
    // Ids of tags are in small letters: of "CN" and "cn" the more frequent one has a row.
    let mut keys = BTreeSet::new();
    rows.retain(|(_, kind, _)| keys.insert(key_of(kind)));
    rows.truncate(ROWS_MAX);
    rows.sort_by(|(_, kind, _), (_, other, _)| kind.cmp(other));
    let columns = spec.by.iter().map(|(column, ..)| *column);
    let head: Vec<&str> =
        std::iter::once("key").chain(columns).chain(told.iter().copied()).chain(["entries"]).collect();
    let mut text = head.join(",");
    text.push('\n');
    let count = rows.len();
    for (entries, kind, told) in rows {
        let key = key_of(&kind);
        let cells: Vec<String> =
            std::iter::once(key).chain(kind).chain(told).chain([entries.to_string()]).collect();
        // No value has a quotation mark, so that quotes are enough for one with a comma.
        let quoted = |cell: &String| if cell.contains(',') { format!("\"{cell}\"") } else { cell.clone() };
        text.push_str(&cells.iter().map(quoted).collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    (text, count)
}

/// The middle one in order of size, of an even number the lower of the two.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// A number with a few digits that count.
fn written(value: f64) -> Option<String> {
    Decimal::from_f64(value)?.round_sf(DIGITS).map(|value| value.normalize().to_string())
}
