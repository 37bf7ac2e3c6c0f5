//! What models look at: past rates of the values a row has, its numbers, its tags. Never an outcome of the row itself.
#![expect(
    clippy::indexing_slicing,
    reason = "a numeric kernel over columns that it made of one length; its laws are tested"
)]

use rayon::prelude::*;
use rust_decimal::prelude::ToPrimitive;

use crate::document::Prior;
use crate::history::{ABSENT, Codes, History};
use crate::statistics::beta_binomial;
use crate::statistics::number::{float_of, index};

/// Latest units of learning that models are fitted to. Past rates count all of them.
pub(super) const UNITS_TO_FIT_MAX: usize = 100_000;
/// The same when two models are compared within the months of learning.
pub(super) const UNITS_TO_CHOOSE_MAX: usize = 40_000;
/// Tags with fewer rows of learning are left out.
const TAG_ROWS_MIN: usize = 20;
/// Tags that models look at.
const TAGS_MAX: usize = 512;

/// Dimensions whose past rates are features.
const PROFILES: [&str; 17] = [
    "hs_chapter",
    "hs_heading",
    "hs_subheading",
    "origin_country",
    "departure_country",
    "office_id",
    "procedure_code",
    "process_type",
    "import_use",
    "payment_type",
    "transport_mode",
    "tax_type",
    "preference_code",
    "importer_id",
    "declarant_id",
    "exporter_id",
    "carrier_id",
];
/// Numbers that are features.
const NUMBERS: [&str; 6] = ["tax_rate", "net_mass", "gross_mass", "quantity", "packages", "customs_value"];

/// Features of rows: first those of learning, then those to be scored.
#[derive(Debug)]
pub(super) struct Features {
    /// Rows of learning.
    pub(super) learning_rows: usize,
    /// All rows.
    pub(super) rows: usize,
    /// Outcomes of the rows of learning: 1 or 0.
    pub(super) labels: Vec<f64>,
    /// Past rates as log-odds above the dimension's mean; absent is not a number.
    pub(super) profiles: Vec<(String, Vec<f64>)>,
    /// Numbers; absent is not a number.
    pub(super) numbers: Vec<(String, Vec<f64>)>,
    /// Ids of the tags.
    pub(super) tags: Vec<String>,
    /// Tags of each row, as positions in `tags`.
    pub(super) tags_of_row: Vec<Vec<u16>>,
}

/// Log-odds of a share.
pub(crate) fn logit(share: f64) -> f64 {
    let inside = share.clamp(1e-9, 1.0 - 1e-9);
    (inside / (1.0 - inside)).ln()
}

/// Builds the features. `learning` is sorted by day; the last `units_max` of them are fitted to.
pub(super) fn build(history: &History<'_>, learning: &[u32], scored: &[u32], units_max: usize) -> Features {
    let fitted = &learning[learning.len().saturating_sub(units_max)..];
    let rows_of = |units: &[u32]| -> Vec<u32> {
        units.iter().flat_map(|unit| history.rows_of(*unit)).copied().collect()
    };
    let mut rows = rows_of(fitted);
    let learning_rows = rows.len();
    rows.extend(rows_of(scored));
    let labels = fitted
        .iter()
        .flat_map(|unit| {
            std::iter::repeat_n(f64::from(u8::from(history.fate(*unit).find())), history.rows_of(*unit).len())
        })
        .collect();
    // A column of which nothing was known in the months of learning teaches nothing.
    let was_known = |column: &[f64]| column[..learning_rows].iter().any(|value| value.is_finite());
    let profiles = PROFILES
        .par_iter()
        .filter_map(|dimension| {
            let codes =
                Codes::of_dimension(history.table, dimension).filter(|codes| codes.values.len() > 1)?;
            let column = past_rates(history, &codes, learning, fitted.len(), &rows[learning_rows..]);
            was_known(&column).then(|| ((*dimension).to_owned(), column))
        })
        .collect();
    let numbers = NUMBERS
        .par_iter()
        .filter_map(|field| Some(((*field).to_owned(), numbers(history, field, &rows)?)))
        .filter(|(_, column)| was_known(column))
        .collect();
    let (tags, tags_of_row) = tags(history, &rows, learning_rows);
    Features { learning_rows, rows: rows.len(), labels, profiles, numbers, tags, tags_of_row }
}

/// For rows of learning, the rate of their value on *earlier days* only; for rows to be scored, over all of learning.
/// So a row's own outcome, and those of its day, never take part.
fn past_rates(
    history: &History<'_>,
    codes: &Codes,
    learning: &[u32],
    fitted: usize,
    scored_rows: &[u32],
) -> Vec<f64> {
    let mut counts = vec![(0_u64, 0_u64); codes.values.len()];
    let mut own = Vec::new();
    let mut admit = |counts: &mut Vec<(u64, u64)>, units: &[u32]| {
        for unit in units {
            codes.of_unit(history, *unit, &mut own);
            for code in &own {
                let (hits, n) = &mut counts[index(*code)];
                *n += 1;
                *hits += u64::from(history.fate(*unit).find());
            }
        }
    };
    admit(&mut counts, learning);
    let prior = beta_binomial::fit(counts.iter().copied());
    let encode = |counts: &[(u64, u64)], row: u32| {
        let code = codes.get(row);
        if code == ABSENT { f64::NAN } else { log_odds(&prior, counts[index(code)]) }
    };
    let mut column = Vec::new();
    let mut so_far = vec![(0_u64, 0_u64); codes.values.len()];
    let first_fitted = learning.len() - fitted;
    let mut at = 0;
    for day in learning.chunk_by(|a, b| history.day(*a) == history.day(*b)) {
        for unit in day {
            if at >= first_fitted {
                column.extend(history.rows_of(*unit).iter().map(|row| encode(&so_far, *row)));
            }
            at += 1;
        }
        admit(&mut so_far, day);
    }
    column.extend(scored_rows.iter().map(|row| encode(&counts, *row)));
    column
}

fn log_odds(prior: &Prior, (hits, n): (u64, u64)) -> f64 {
    logit(prior.shrink(hits, n)) - logit(prior.mean)
}

fn numbers(history: &History<'_>, field: &str, rows: &[u32]) -> Option<Vec<f64>> {
    let column = history.table.decimals(field)?;
    Some(
        rows.iter()
            .map(|row| column[index(*row)].and_then(|number| number.to_f64()).unwrap_or(f64::NAN))
            .collect(),
    )
}

fn tags(history: &History<'_>, rows: &[u32], learning_rows: usize) -> (Vec<String>, Vec<Vec<u16>>) {
    let positions = super::positions(history, rows);
    let mut of_row: Vec<Vec<u16>> = vec![Vec::new(); rows.len()];
    let mut names = Vec::new();
    for tag in history.tags.iter().take(TAGS_MAX) {
        let at: Vec<usize> =
            tag.rows.iter().map(|row| positions[index(row)]).filter(|at| *at != ABSENT).map(index).collect();
        let learnt = at.iter().filter(|at| **at < learning_rows).count();
        if learnt < TAG_ROWS_MIN || learnt + TAG_ROWS_MIN > learning_rows {
            continue;
        }
        let Ok(number) = u16::try_from(names.len()) else { break };
        names.push(tag.id.clone());
        for at in at {
            of_row[at].push(number);
        }
    }
    (names, of_row)
}

impl Features {
    /// Tags as columns for trees: those whose finds are furthest from chance in the rows of learning.
    pub(super) fn strongest_tags(&self, most: usize) -> Vec<u16> {
        let mut counts = vec![(0.0_f64, 0.0_f64); self.tags.len()];
        for (tags, label) in self.tags_of_row.iter().zip(&self.labels) {
            for tag in tags {
                counts[usize::from(*tag)].0 += label;
                counts[usize::from(*tag)].1 += 1.0;
            }
        }
        let rate = self.labels.iter().sum::<f64>() / float_of(self.labels.len().max(1));
        let distance =
            |(hits, n): (f64, f64)| ((hits - n * rate) / (n * rate * (1.0 - rate) + 1e-9).sqrt()).abs();
        let mut order: Vec<(f64, u16)> =
            (0_u16..).zip(counts).map(|(tag, counts)| (distance(counts), tag)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        order.truncate(most);
        let mut tags: Vec<u16> = order.into_iter().map(|(_, tag)| tag).collect();
        tags.sort_unstable();
        tags
    }
}
