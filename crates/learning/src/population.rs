//! What was looked at: counts, months, fields, and what cannot be said.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rayon::prelude::*;
use rust_decimal::Decimal;

use crate::document::{FieldPresence, MonthRow, Population};
use crate::history::{Codes, History, date_of};
use crate::rates::rounded_interval;
use crate::statistics::interval;
use crate::statistics::number::{count, float, rounded, share};

/// Describes the population.
pub(crate) fn describe(history: &History<'_>) -> Population {
    let rows = count(history.table.len());
    let inspected = count(history.fates.iter().filter(|fate| fate.inspected()).count());
    let (known, irregular) = (history.known.len(), history.irregular.len());
    let days = || history.days.iter().copied().filter(|day| *day != i32::MIN);
    let revenue =
        history.table.decimals("recovered_revenue").filter(|column| column.iter().any(Option::is_some));
    let said = history
        .table
        .booleans("simulated")
        .map_or(0, |column| count(column.iter().filter(|simulated| **simulated == Some(true)).count()));
    let simulated_rows = if history.options.simulated { rows } else { said };
    Population {
        rows,
        declarations: history.declarations,
        unit: history.unit,
        units: count(history.units()),
        first_day: days().min().map(date_of),
        last_day: days().max().map(date_of),
        inspected,
        inspected_known: known,
        irregular,
        base_rate: share(irregular, known).map(rounded),
        base_rate_interval: (known > 0)
            .then(|| rounded_interval(interval::wilson(float(irregular), float(known)))),
        never_inspected: count(history.units()).saturating_sub(inspected),
        recovered_revenue: revenue
            .map(|column| column.iter().flatten().copied().fold(Decimal::ZERO, Decimal::saturating_add)),
        currency: currency(history),
        simulated_rows,
        simulated: simulated_rows > 0,
        fields: fields(history, rows),
        months: months(history),
    }
}

/// The records' own currency where it is one; else the caller's.
fn currency(history: &History<'_>) -> Option<String> {
    match history.table.texts("currency").map(spine::entry::TextColumn::dictionary) {
        Some([only]) => Some(only.to_string()),
        Some([]) | None => history.options.currency.clone(),
        Some(_) => None,
    }
}

fn fields(history: &History<'_>, rows: u64) -> Vec<FieldPresence> {
    history
        .table
        .schema()
        .fields
        .par_iter()
        .map(|field| {
            let codes = Codes::of_field(history.table, &field.name);
            let filled = codes.as_ref().map_or(0, |codes| {
                count(codes.of_row.iter().filter(|code| **code != crate::history::ABSENT).count())
            });
            FieldPresence {
                field: field.name.clone(),
                filled,
                share: share(filled, rows).map_or(0.0, rounded),
                distinct: codes.map_or(0, |codes| count(codes.values.len())),
            }
        })
        .collect()
}

fn months(history: &History<'_>) -> Vec<MonthRow> {
    let mut months: BTreeMap<Date, (u64, u64, u64)> = BTreeMap::new();
    for (unit, (day, fate)) in history.days.iter().zip(&history.fates).enumerate() {
        if *day == i32::MIN {
            continue;
        }
        let month = months.entry(date_of(*day).first_of_month()).or_default();
        let rows = history.rows_of(crate::statistics::number::position(unit)).len();
        month.0 = month.0.saturating_add(count(rows));
        month.1 = month.1.saturating_add(u64::from(fate.known()));
        month.2 = month.2.saturating_add(u64::from(fate.find()));
    }
    months
        .into_iter()
        .map(|(month, (rows, inspected, hits))| MonthRow {
            month: format!("{:04}-{:02}", month.year(), month.month()),
            rows,
            inspected,
            hits,
        })
        .collect()
}
