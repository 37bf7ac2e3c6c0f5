//! Hit rates by dimension.

use rayon::prelude::*;
use roaring::RoaringBitmap;
use rust_decimal::Decimal;
use spine::{LocalizedText, Sensitivity};

use crate::AuditError;
use crate::document::{DimensionRates, Flag, HitRates, Interval, Prior, RateRow, RestRow, Unit};
use crate::history::{Codes, Fate, History, SIZE_CLASSES};
use crate::statistics::hypergeometric::{self, Stratum};
use crate::statistics::number::{count, float, index, rounded};
use crate::statistics::{beta_binomial, interval};
use crate::texts;

/// Values with fewer inspections are shown but not tested: chance alone could not be told from anything.
pub(crate) const INSPECTIONS_TO_TEST_MIN: u64 = 10;

/// Dimensions in the order of the report.
const DIMENSIONS: [&str; 25] = [
    "selection_reason",
    "tag",
    "hs_chapter",
    "hs_heading",
    "hs_subheading",
    "origin_country",
    "departure_country",
    "office_id",
    "officer_id",
    "importer_id",
    "declarant_id",
    "exporter_id",
    "carrier_id",
    "procedure_code",
    "process_type",
    "transport_mode",
    "import_use",
    "payment_type",
    "preference_code",
    "tax_type",
    "origin_marking",
    "trusted_trader",
    "currency",
    "lane",
    "month",
];

/// One value's counts.
#[derive(Debug, Clone, Default)]
struct Counts {
    units: u64,
    inspected: [u32; SIZE_CLASSES],
    hits: u64,
    revenue: Decimal,
}

impl Counts {
    fn inspected(&self) -> u64 {
        self.inspected.iter().map(|n| u64::from(*n)).sum()
    }
}

/// A dimension before control of false claims.
pub(crate) struct Measured {
    rates: DimensionRates,
    /// p-values of all tested values, and how to find their rows again.
    pub(crate) p_values: Vec<f64>,
    values: Vec<Value>,
}

struct Value {
    name: String,
    title: Option<LocalizedText>,
    sensitivity: Sensitivity,
    counts: Counts,
    unknown: Option<u64>,
    /// Position among the tests, with the test.
    test: Option<(usize, hypergeometric::ExactTest)>,
}

/// Measures all dimensions for which there are values.
pub(crate) fn measure(history: &History<'_>) -> Result<Vec<Measured>, AuditError> {
    let measured: Result<Vec<Option<Measured>>, AuditError> = DIMENSIONS
        .par_iter()
        .map(|dimension| {
            history.check()?;
            Ok(if *dimension == "tag" { tags(history) } else { by_code(history, dimension) })
        })
        .collect();
    Ok(measured?.into_iter().flatten().collect())
}

fn sensitivity_of(history: &History<'_>, dimension: &str) -> Sensitivity {
    let field = if dimension.starts_with("hs_") { "commodity_code" } else { dimension };
    // Hit rates are for officials at least, whatever the class of the field itself.
    history
        .table
        .schema()
        .field(field)
        .map_or(Sensitivity::Official, |field| field.sensitivity.max(Sensitivity::Official))
}

fn by_code(history: &History<'_>, dimension: &str) -> Option<Measured> {
    let codes = Codes::of_dimension(history.table, dimension).filter(Codes::is_filled)?;
    let mut counts = vec![Counts::default(); codes.values.len()];
    let mut without = RestRow::default();
    let with_revenue = history.table.decimals("recovered_revenue");
    let mut own = Vec::new();
    for (unit, fate) in history.fates.iter().enumerate() {
        let unit = crate::statistics::number::position(unit);
        codes.of_unit(history, unit, &mut own);
        if own.is_empty() {
            add(&mut without, *fate);
        }
        let class = history.classes.get(index(unit)).copied().map_or(0, usize::from);
        for code in &own {
            if let Some(counts) = counts.get_mut(index(*code)) {
                counts.units = counts.units.saturating_add(1);
                if fate.known()
                    && let Some(n) = counts.inspected.get_mut(class)
                {
                    *n = n.saturating_add(1);
                }
                counts.hits = counts.hits.saturating_add(u64::from(fate.find()));
            }
        }
    }
    if let Some(revenue) = with_revenue {
        for (code, amount) in codes.of_row.iter().zip(revenue) {
            if let (Some(counts), Some(amount)) = (counts.get_mut(index(*code)), amount) {
                counts.revenue = counts.revenue.saturating_add(*amount);
            }
        }
    }
    let sensitivity = sensitivity_of(history, dimension);
    let values = codes
        .values
        .into_iter()
        .zip(counts)
        .map(|(name, counts)| Value { name, title: None, sensitivity, counts, unknown: None, test: None })
        .collect();
    Some(finish(history, dimension, sensitivity, history.unit == Unit::Declaration, values, without))
}

fn add(row: &mut RestRow, fate: Fate) {
    row.units = row.units.saturating_add(1);
    row.inspected = row.inspected.saturating_add(u64::from(fate.known()));
    row.hits = row.hits.saturating_add(u64::from(fate.find()));
}

fn tags(history: &History<'_>) -> Option<Measured> {
    if history.tags.is_empty() {
        return None;
    }
    let measured: Vec<(Value, RoaringBitmap)> = history
        .tags
        .par_iter()
        .map(|tag| {
            let units = history.units_of_rows(&tag.rows);
            let mut counts = Counts {
                units: units.len(),
                hits: units.intersection_len(&history.irregular),
                ..Counts::default()
            };
            for (n, class) in counts.inspected.iter_mut().zip(&history.known_by_size) {
                *n = u32::try_from(units.intersection_len(class)).unwrap_or(u32::MAX);
            }
            if let Some(revenue) = history.table.decimals("recovered_revenue") {
                counts.revenue = tag
                    .rows
                    .iter()
                    .filter_map(|row| revenue.get(index(row)).copied().flatten())
                    .fold(Decimal::ZERO, Decimal::saturating_add);
            }
            let value = Value {
                name: tag.id.clone(),
                title: Some(tag.title.clone()),
                sensitivity: tag.sensitivity.max(Sensitivity::Official),
                counts,
                unknown: Some(tag.unknown),
                test: None,
            };
            (value, units)
        })
        .collect();
    let mut tagged = RoaringBitmap::new();
    let mut values = Vec::with_capacity(measured.len());
    for (value, units) in measured {
        tagged |= units;
        values.push(value);
    }
    let without = RestRow {
        values: 0,
        units: count(history.units()).saturating_sub(tagged.len()),
        inspected: history.known.len().saturating_sub(tagged.intersection_len(&history.known)),
        hits: history.irregular.len().saturating_sub(tagged.intersection_len(&history.irregular)),
    };
    Some(finish(history, "tag", Sensitivity::Official, true, values, without))
}

fn finish(
    history: &History<'_>,
    dimension: &str,
    sensitivity: Sensitivity,
    overlapping: bool,
    mut values: Vec<Value>,
    without_value: RestRow,
) -> Measured {
    let prior = beta_binomial::fit(values.iter().map(|value| (value.counts.hits, value.counts.inspected())));
    let totals: Vec<(u64, u64)> = history
        .known_by_size
        .iter()
        .map(|class| (class.len(), class.intersection_len(&history.irregular)))
        .collect();
    let mut p_values = Vec::new();
    let all = history.known.len();
    for value in &mut values {
        let inspected = value.counts.inspected();
        // A value that all inspections have cannot differ from the others.
        if inspected < INSPECTIONS_TO_TEST_MIN || inspected == all {
            continue;
        }
        let strata = totals.iter().zip(&value.counts.inspected).map(|((total, hits), drawn)| Stratum {
            total: *total,
            hits: *hits,
            drawn: u64::from(*drawn),
        });
        let test = hypergeometric::test(strata, value.counts.hits);
        value.test = Some((p_values.len(), test));
        p_values.push(test.two_sided());
    }
    let rates = DimensionRates {
        dimension: dimension.to_owned(),
        title: texts::dimension(dimension),
        sensitivity,
        overlapping,
        values: count(values.len()),
        tested: count(p_values.len()),
        flagged: 0,
        prior: Prior { mean: rounded(prior.mean), strength: rounded(prior.strength) },
        rows: Vec::new(),
        rest: RestRow::default(),
        without_value,
    };
    Measured { rates, p_values, values }
}

/// Rows, flags and the rest, once the control of false claims has spoken.
pub(crate) fn conclude(history: &History<'_>, measured: Vec<Measured>, adjusted: &[Vec<f64>]) -> HitRates {
    let dimensions = measured
        .into_par_iter()
        .zip(adjusted)
        .map(|(measured, adjusted)| conclude_dimension(history, measured, adjusted))
        .collect();
    HitRates { dimensions }
}

fn conclude_dimension(history: &History<'_>, measured: Measured, adjusted: &[f64]) -> DimensionRates {
    let Measured { mut rates, mut values, .. } = measured;
    let flag_of = |value: &Value| {
        let (at, test) = value.test?;
        (*adjusted.get(at)? <= history.options.false_rate).then_some(if test.at_least <= test.at_most {
            Flag::Above
        } else {
            Flag::Below
        })
    };
    rates.flagged = count(values.iter().filter(|value| flag_of(value).is_some()).count());
    values.sort_by(|a, b| {
        (flag_of(b).is_some().cmp(&flag_of(a).is_some()))
            .then(b.counts.hits.cmp(&a.counts.hits))
            .then(b.counts.inspected().cmp(&a.counts.inspected()))
            .then(b.counts.units.cmp(&a.counts.units))
            .then(a.name.cmp(&b.name))
    });
    let listed = history.options.rows_max.min(values.len());
    let (base, finds) = (history.base_rate(), history.irregular.len());
    let with_revenue =
        history.table.decimals("recovered_revenue").is_some_and(|column| column.iter().any(Option::is_some));
    for value in values.get(listed..).unwrap_or_default() {
        rates.rest.values = rates.rest.values.saturating_add(1);
        rates.rest.units = rates.rest.units.saturating_add(value.counts.units);
        rates.rest.inspected = rates.rest.inspected.saturating_add(value.counts.inspected());
        rates.rest.hits = rates.rest.hits.saturating_add(value.counts.hits);
    }
    rates.rows = values
        .iter()
        .take(listed)
        .map(|value| {
            let (hits, inspected) = (value.counts.hits, value.counts.inspected());
            let shrunk = rates.prior.shrink(hits, inspected);
            let (p_value, adjusted_p) = value
                .test
                .and_then(|(at, test)| Some((test.two_sided(), *adjusted.get(at)?)))
                .map_or((None, None), |(p, adjusted)| (Some(rounded(p)), Some(rounded(adjusted))));
            RateRow {
                value: value.name.clone(),
                title: value.title.clone(),
                sensitivity: value.sensitivity,
                units: value.counts.units,
                inspected,
                hits,
                rate: crate::statistics::number::share(hits, inspected).map(rounded),
                wilson: (inspected > 0)
                    .then(|| rounded_interval(interval::wilson(float(hits), float(inspected)))),
                shrunk: rounded(shrunk),
                shrunk_interval: rounded_interval(rates.prior.interval(hits, inspected)),
                lift: if base > 0.0 { rounded(shrunk / base) } else { 0.0 },
                p_value,
                adjusted_p,
                flag: flag_of(value),
                share_of_finds: rounded(float(hits) / float(finds.max(1))),
                recovered_revenue: with_revenue.then_some(value.counts.revenue),
                unknown: value.unknown,
            }
        })
        .collect();
    rates
}

pub(crate) fn rounded_interval(interval: Interval) -> Interval {
    Interval { low: rounded(interval.low), high: rounded(interval.high) }
}
