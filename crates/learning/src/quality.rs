//! What is odd about the content of the records, beyond what reading them already told.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use rayon::prelude::*;
use rust_decimal::Decimal;
use spine::declaration_entry::OUTCOME_FIELDS;

use crate::document::{Parameter, Population, QualityFinding, Section, Statement, Weight};
use crate::history::{ABSENT, Codes, History};
use crate::statistics::number::{count, float, index, position, rounded, share};
use crate::statistics::random;

const EXAMPLES_MAX: usize = 5;
/// A month needs so many rows before its share of filled cells is compared with the month before.
const MONTH_ROWS_MIN: u64 = 100;
/// A change of the filled share by this much from one month to the next is a break.
const FILLED_BREAK: f64 = 0.3;
/// Rows of a month against the month before: less than a third or more than three times is a break.
const ROWS_BREAK: f64 = 3.0;
/// One number in more than this share of rows is a placeholder rather than a measure.
const PLACEHOLDER_SHARE: f64 = 0.2;
/// Values beyond which repeated numbers are odd: a field with few values is a code, not a measure.
const MEASURE_VALUES_MIN: usize = 200;

type Check = fn(&History<'_>) -> Vec<QualityFinding>;

/// All findings, those of the most rows first.
pub(crate) fn examine(history: &History<'_>, population: &Population) -> Vec<QualityFinding> {
    let checks: [Check; 5] = [repeated_numbers, repeated_contents, contradictions, placeholders, breaks];
    let mut findings: Vec<QualityFinding> = checks.par_iter().flat_map_iter(|check| check(history)).collect();
    findings.extend(constants(history, population));
    findings.sort_by(|a, b| {
        b.statement
            .weight
            .cmp(&a.statement.weight)
            .then(b.count.cmp(&a.count))
            .then(a.statement.code.cmp(&b.statement.code))
            .then(a.statement.place.cmp(&b.statement.place))
    });
    findings
}

fn finding(history: &History<'_>, statement: Statement, rows: &[u32]) -> QualityFinding {
    finding_of(history, statement, count(rows.len()), rows)
}

fn finding_of(history: &History<'_>, statement: Statement, number: u64, rows: &[u32]) -> QualityFinding {
    let ids = history.table.texts("declaration_id");
    let examples = rows.iter().take(EXAMPLES_MAX);
    let rate = share(number, count(history.table.len())).map_or(0.0, rounded);
    QualityFinding {
        statement: statement.with("count", Parameter::Count(number)).with("share", Parameter::Share(rate)),
        count: number,
        share: rate,
        example_rows: examples.clone().map(|row| u64::from(*row)).collect(),
        examples: examples.filter_map(|row| ids?.get(index(*row))).map(str::to_owned).collect(),
    }
}

fn fact(code: &str, weight: Weight) -> Statement {
    Statement::fact(code, weight, Section::Quality)
}

/// Rows whose key was seen in an earlier row.
fn repeats(keys: impl Iterator<Item = Option<u64>>) -> Vec<u32> {
    let mut seen: HashMap<u64, ()> = HashMap::new();
    let mut rows = Vec::new();
    for (row, key) in keys.enumerate() {
        if let Some(key) = key
            && seen.insert(key, ()).is_some()
        {
            rows.push(position(row));
        }
    }
    rows
}

fn repeated_numbers(history: &History<'_>) -> Vec<QualityFinding> {
    let (Some(ids), Some(items)) =
        (history.table.texts("declaration_id"), Codes::of_field(history.table, "item_number"))
    else {
        return Vec::new();
    };
    let with_items = items.is_filled();
    let keys = ids.codes().iter().zip(&items.of_row).map(|(id, item)| {
        (*id != ABSENT && (*item != ABSENT || !with_items))
            .then(|| random::bits(u64::from(*id), 1, u64::from(*item)))
    });
    let rows = repeats(keys);
    // Without item numbers a repeated declaration number may be another item.
    let code = if with_items { "item_repeated" } else { "declaration_number_repeated" };
    let weight = if with_items { Weight::Important } else { Weight::Note };
    if rows.is_empty() { Vec::new() } else { vec![finding(history, fact(code, weight), &rows)] }
}

fn repeated_contents(history: &History<'_>) -> Vec<QualityFinding> {
    let skipped = ["declaration_id", "item_number", "simulated"];
    let mut keys = vec![0_u64; history.table.len()];
    let mut fields = 0_usize;
    for field in &history.table.schema().fields {
        if skipped.contains(&field.name.as_str()) || OUTCOME_FIELDS.contains(&field.name.as_str()) {
            continue;
        }
        let Some(codes) = Codes::of_field(history.table, &field.name).filter(Codes::is_filled) else {
            continue;
        };
        fields = fields.saturating_add(1);
        for (key, code) in keys.iter_mut().zip(&codes.of_row) {
            *key = random::bits(*key, count(fields), u64::from(*code));
        }
    }
    let rows = repeats(keys.into_iter().map(Some));
    if rows.is_empty() || fields < 4 {
        return Vec::new();
    }
    let statement =
        fact("content_repeated", Weight::Important).with("fields", Parameter::Count(count(fields)));
    vec![finding(history, statement, &rows)]
}

fn contradictions(history: &History<'_>) -> Vec<QualityFinding> {
    let table = history.table;
    let number = |field: &str, row: usize| -> Option<Decimal> {
        table.decimals(field).and_then(|column| column.get(row).copied().flatten())
    };
    let yes = |field: &str, row: usize| -> Option<bool> {
        table.booleans(field).and_then(|column| column.get(row).copied().flatten())
    };
    let time = |field: &str, row: usize| match table.column(field) {
        Some(spine::Column::DateTime(column)) => column.get(row).copied().flatten(),
        _ => None,
    };
    let text = |field: &str, row: usize| table.texts(field).and_then(|column| column.get(row));
    let day = |row: usize| table.dates("date").and_then(|column| column.get(row).copied().flatten());
    let positive = |number: Option<Decimal>| number.is_some_and(|number| number > Decimal::ZERO);
    let earlier =
        |a: Option<jiff::civil::DateTime>, b: Option<Date>| a.zip(b).is_some_and(|(a, b)| a.date() < b);
    type Holds<'c> = Box<dyn Fn(usize) -> bool + Sync + 'c>;
    let checks: [(&str, Weight, Holds<'_>); 13] = [
        (
            "net_above_gross",
            Weight::Note,
            Box::new(|row| {
                number("net_mass", row).zip(number("gross_mass", row)).is_some_and(|(net, gross)| net > gross)
            }),
        ),
        (
            "mass_not_positive",
            Weight::Note,
            Box::new(|row| number("net_mass", row).is_some_and(|mass| mass <= Decimal::ZERO)),
        ),
        (
            "value_not_positive",
            Weight::Note,
            Box::new(|row| number("customs_value", row).is_some_and(|value| value <= Decimal::ZERO)),
        ),
        (
            "rate_out_of_range",
            Weight::Note,
            Box::new(|row| {
                number("tax_rate", row)
                    .is_some_and(|rate| rate < Decimal::ZERO || rate > Decimal::from(3_000))
            }),
        ),
        (
            "found_without_inspection",
            Weight::Important,
            Box::new(|row| yes("irregular", row) == Some(true) && yes("inspected", row) == Some(false)),
        ),
        (
            "revenue_without_find",
            Weight::Important,
            Box::new(|row| {
                positive(number("recovered_revenue", row)) && yes("irregular", row) == Some(false)
            }),
        ),
        (
            "revenue_without_inspection",
            Weight::Important,
            Box::new(|row| {
                positive(number("recovered_revenue", row)) && yes("inspected", row) == Some(false)
            }),
        ),
        (
            "outcome_missing",
            Weight::Important,
            Box::new(|row| yes("inspected", row) == Some(true) && yes("irregular", row).is_none()),
        ),
        (
            "inspected_before_acceptance",
            Weight::Important,
            Box::new(|row| earlier(time("inspected_at", row), day(row))),
        ),
        (
            "released_before_acceptance",
            Weight::Important,
            Box::new(|row| earlier(time("released_at", row), day(row))),
        ),
        (
            "probability_out_of_range",
            Weight::Important,
            Box::new(|row| {
                number("selection_probability", row).is_some_and(|p| p < Decimal::ZERO || p > Decimal::ONE)
            }),
        ),
        (
            "importer_is_exporter",
            Weight::Note,
            Box::new(|row| {
                text("importer_id", row).is_some_and(|importer| text("exporter_id", row) == Some(importer))
            }),
        ),
        (
            "commodity_code_malformed",
            Weight::Important,
            Box::new(|row| text("commodity_code", row).is_some_and(malformed)),
        ),
    ];
    checks
        .par_iter()
        .filter_map(|(code, weight, holds)| {
            let rows: Vec<u32> = (0..table.len()).filter(|row| holds(*row)).map(position).collect();
            (!rows.is_empty()).then(|| finding(history, fact(code, *weight), &rows))
        })
        .collect()
}

/// Fewer than six digits, or no chapter of the Harmonized System: those run from 01 to 97 without 77, and 98 and 99
/// are national.
fn malformed(code: &str) -> bool {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let chapter: u32 = digits.get(..2).and_then(|chapter| chapter.parse().ok()).unwrap_or(0);
    digits.len() < 6 || chapter == 0 || chapter == 77
}

fn placeholders(history: &History<'_>) -> Vec<QualityFinding> {
    ["net_mass", "gross_mass", "quantity", "customs_value"]
        .par_iter()
        .filter_map(|field| {
            let codes = Codes::of_field(history.table, field)
                .filter(|codes| codes.values.len() >= MEASURE_VALUES_MIN)?;
            let mut rows_of: Vec<u64> = vec![0; codes.values.len()];
            let mut filled = 0_u64;
            for code in codes.of_row.iter().filter(|code| **code != ABSENT) {
                filled = filled.saturating_add(1);
                if let Some(rows) = rows_of.get_mut(index(*code)) {
                    *rows = rows.saturating_add(1);
                }
            }
            let (code, number) = rows_of
                .iter()
                .enumerate()
                .max_by_key(|(at, rows)| (**rows, usize::MAX.saturating_sub(*at)))?;
            if float(*number) < PLACEHOLDER_SHARE * float(filled) {
                return None;
            }
            let statement = fact("number_as_placeholder", Weight::Important)
                .at(field)
                .with("field", Parameter::Field((*field).to_owned()))
                .with("value", Parameter::Text(codes.text(position(code)).to_owned()));
            let rows: Vec<u32> = (0..position(history.table.len()))
                .filter(|row| codes.get(*row) == position(code))
                .take(EXAMPLES_MAX)
                .collect();
            Some(finding_of(history, statement, *number, &rows))
        })
        .collect()
}

fn breaks(history: &History<'_>) -> Vec<QualityFinding> {
    let Some(months) = Codes::of_dimension(history.table, "month") else { return Vec::new() };
    let mut rows_of: BTreeMap<&str, u64> = BTreeMap::new();
    for code in months.of_row.iter().filter(|code| **code != ABSENT) {
        let rows = rows_of.entry(months.text(*code)).or_default();
        *rows = rows.saturating_add(1);
    }
    let mut findings = rows_breaks(history, &rows_of);
    let fields = &history.table.schema().fields;
    let filled: Vec<Vec<QualityFinding>> =
        fields.par_iter().map(|field| filled_breaks(history, &field.name, &months, &rows_of)).collect();
    findings.extend(filled.into_iter().flatten());
    findings
}

fn rows_breaks(history: &History<'_>, rows_of: &BTreeMap<&str, u64>) -> Vec<QualityFinding> {
    let months: Vec<(&str, u64)> = rows_of.iter().map(|(month, rows)| (*month, *rows)).collect();
    let mut findings = Vec::new();
    // The first and the last month may be cut short by the choice of records.
    let inner = months.get(1..months.len().saturating_sub(1)).unwrap_or_default();
    for pair in inner.windows(2) {
        let [(before, rows_before), (month, rows)] = pair else { continue };
        let ratio = float(*rows) / float((*rows_before).max(1));
        if (*rows).max(*rows_before) >= MONTH_ROWS_MIN && !(1.0 / ROWS_BREAK..=ROWS_BREAK).contains(&ratio) {
            let statement = fact("rows_break", Weight::Important)
                .at(month)
                .with("month", Parameter::Text((*month).to_owned()))
                .with("month_before", Parameter::Text((*before).to_owned()))
                .with("rows", Parameter::Count(*rows))
                .with("rows_before", Parameter::Count(*rows_before));
            findings.push(finding_of(history, statement, *rows, &[]));
        }
    }
    findings
}

fn filled_breaks(
    history: &History<'_>,
    field: &str,
    months: &Codes,
    rows_of: &BTreeMap<&str, u64>,
) -> Vec<QualityFinding> {
    let Some(column) = history.table.column(field) else { return Vec::new() };
    let filled = |row: usize| match column {
        spine::Column::Text(column) => column.codes().get(row).is_some_and(|code| *code != ABSENT),
        spine::Column::Decimal(cells) => cells.get(row).is_some_and(Option::is_some),
        spine::Column::Date(cells) => cells.get(row).is_some_and(Option::is_some),
        spine::Column::DateTime(cells) => cells.get(row).is_some_and(Option::is_some),
        spine::Column::Boolean(cells) => cells.get(row).is_some_and(Option::is_some),
    };
    let mut filled_of: Vec<u64> = vec![0; months.values.len()];
    for (row, code) in months.of_row.iter().enumerate() {
        if filled(row)
            && let Some(own) = filled_of.get_mut(index(*code))
        {
            *own = own.saturating_add(1);
        }
    }
    let mut shares: Vec<(&str, u64, f64)> = months
        .values
        .iter()
        .zip(filled_of)
        .filter_map(|(month, filled)| {
            let rows = *rows_of.get(month.as_str())?;
            (rows >= MONTH_ROWS_MIN).then(|| (month.as_str(), rows, float(filled) / float(rows)))
        })
        .collect();
    shares.sort_by(|a, b| a.0.cmp(b.0));
    shares
        .windows(2)
        .filter_map(|pair| {
            let [(before, _, share_before), (month, rows, now)] = pair else { return None };
            if (now - share_before).abs() < FILLED_BREAK {
                return None;
            }
            let statement = fact("filled_break", Weight::Important)
                .at(field)
                .with("field", Parameter::Field(field.to_owned()))
                .with("month", Parameter::Text((*month).to_owned()))
                .with("month_before", Parameter::Text((*before).to_owned()))
                .with("filled", Parameter::Share(rounded(*now)))
                .with("filled_before", Parameter::Share(rounded(*share_before)));
            Some(finding_of(history, statement, *rows, &[]))
        })
        .collect()
}

fn constants(history: &History<'_>, population: &Population) -> Vec<QualityFinding> {
    population
        .fields
        .iter()
        .filter(|field| {
            field.distinct == 1
                && field.field != "simulated"
                && field.field != "currency"
                && population.rows > 1
        })
        .map(|field| {
            let statement = fact("field_constant", Weight::Note)
                .at(&field.field)
                .with("field", Parameter::Field(field.field.clone()));
            finding_of(history, statement, field.filled, &[])
        })
        .collect()
}
