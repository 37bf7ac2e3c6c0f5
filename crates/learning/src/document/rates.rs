//! Hit rates by dimension, the control of false claims, and the curve.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use spine::{LocalizedText, Sensitivity};

use super::{Interval, Split};

/// A rate that is more than chance away from that of the other inspections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// More than elsewhere.
    Above,
    /// Less than elsewhere.
    Below,
}

/// One value of a dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateRow {
    /// The value: a code, an id, a tag's id.
    pub value: String,
    /// What people call it, where known (tags).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<LocalizedText>,
    /// Who may see this row.
    pub sensitivity: Sensitivity,
    /// Units with this value, inspected or not.
    pub units: u64,
    /// Inspected ones with a known outcome.
    pub inspected: u64,
    /// Irregular ones among them.
    pub hits: u64,
    /// `hits / inspected`; absent when none was inspected.
    pub rate: Option<f64>,
    /// Wilson interval of the rate.
    pub wilson: Option<Interval>,
    /// Empirical-Bayes estimate of the rate: drawn towards the dimension's mean the fewer were inspected.
    pub shrunk: f64,
    /// Interval of the estimate (quantiles of the posterior).
    pub shrunk_interval: Interval,
    /// Estimate over base rate.
    pub lift: f64,
    /// Exact p-value against "no different from the other inspections", two-sided; absent where not tested.
    pub p_value: Option<f64>,
    /// The same after control of false claims over the whole report.
    pub adjusted_p: Option<f64>,
    /// Set where `adjusted_p` is at or below the stated rate.
    pub flag: Option<Flag>,
    /// Share of all finds that have this value.
    pub share_of_finds: f64,
    /// Recovered revenue, where the field is there.
    pub recovered_revenue: Option<Decimal>,
    /// Rows for which it is unknown whether they have this value (tags).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unknown: Option<u64>,
}

/// What the rows that are not listed add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct RestRow {
    /// Values not listed.
    pub values: u64,
    /// Units with them.
    pub units: u64,
    /// Inspected ones with a known outcome.
    pub inspected: u64,
    /// Irregular ones among them.
    pub hits: u64,
}

/// Beta distribution of true rates over the values of a dimension, fitted by maximum marginal likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Mean of the rates.
    pub mean: f64,
    /// Strength in inspections (`alpha + beta`): the larger, the more alike the values are.
    pub strength: f64,
}

/// Hit rates over one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DimensionRates {
    /// Stable id: a field's name, `tag`, `hs_chapter`, `hs_heading`, `hs_subheading`, `month`.
    pub dimension: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Who may see it at all.
    pub sensitivity: Sensitivity,
    /// Can one unit have several values (tags, items of one declaration)?
    pub overlapping: bool,
    /// Different values.
    pub values: u64,
    /// Values tested.
    pub tested: u64,
    /// Values flagged.
    pub flagged: u64,
    /// Distribution that estimates are drawn towards.
    pub prior: Prior,
    /// The listed values, flagged ones first, then by finds and inspections.
    pub rows: Vec<RateRow>,
    /// The rest.
    pub rest: RestRow,
    /// Units without any value.
    pub without_value: RestRow,
}

/// All dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HitRates {
    /// In the order in which they should be read.
    pub dimensions: Vec<DimensionRates>,
}

impl HitRates {
    pub(super) fn hide_above(&mut self, clearance: Sensitivity) {
        self.dimensions.retain(|dimension| dimension.sensitivity <= clearance);
        for dimension in &mut self.dimensions {
            let (shown, hidden): (Vec<RateRow>, Vec<RateRow>) =
                std::mem::take(&mut dimension.rows).into_iter().partition(|row| row.sensitivity <= clearance);
            dimension.rows = shown;
            for row in hidden {
                dimension.rest.values = dimension.rest.values.saturating_add(1);
                dimension.rest.units = dimension.rest.units.saturating_add(row.units);
                dimension.rest.inspected = dimension.rest.inspected.saturating_add(row.inspected);
                dimension.rest.hits = dimension.rest.hits.saturating_add(row.hits);
            }
        }
    }
}

/// How the chance of a false claim was kept over the whole report.
///
/// Tests stand in families (a dimension, a kind of pair, the orders of the curve). Families are selected by
/// Benjamini-Hochberg on their Simes p-values; within a selected family tests are judged by Benjamini-Hochberg at the
/// rate times the share of families selected (Benjamini and Bogomolov 2014).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FalseRateControl {
    /// The stated rate.
    pub false_rate: f64,
    /// Families with at least one test.
    pub families: u64,
    /// Families selected.
    pub families_selected: u64,
    /// Tests in all families.
    pub tests: u64,
    /// Tests with a claim.
    pub flagged: u64,
}

/// A point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Share of inspections spent.
    pub inspections: f64,
    /// Share of finds made with them.
    pub finds: f64,
    /// Wilson interval of that share.
    pub interval: Interval,
}

/// The curve of one order of inspections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveOrder {
    /// Stable id: `rule`, `commodity`, `additive`, `trees`, `value`.
    pub id: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Points from few inspections to all.
    pub points: Vec<CurvePoint>,
    /// Chance that a find stands before a regular one in this order (area under the ROC curve).
    pub auc: f64,
    /// Its interval.
    pub auc_interval: Interval,
    /// p-value against "an order at random", one-sided, after control of false claims.
    pub adjusted_p: f64,
    /// Is the order better than one at random, beyond the stated rate of false claims?
    pub better_than_random: bool,
}

/// Share of finds against share of inspections, in the months of trial, for orders learnt from the months before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Months of learning and of trial.
    pub split: Split,
    /// Inspected units with a known outcome in the months of trial.
    pub inspected: u64,
    /// Finds among them.
    pub finds: u64,
    /// The orders.
    pub orders: Vec<CurveOrder>,
}
