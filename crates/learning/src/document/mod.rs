//! The audit as a document: what `--json` writes and what the report is rendered from.
//!
//! Shares are between 0 and 1. Numbers are rounded to six significant digits and always finite; what cannot be said
//! is absent, and a statement says why. Amounts of money are exact decimals, written as text. Lists are ordered as
//! they should be shown.

mod integrity;
mod leakage;
mod plans;
mod population;
mod rates;
mod statement;

use serde::{Deserialize, Serialize};
use spine::Sensitivity;

pub use integrity::{Integrity, IntegrityRow, IntegrityTable};
pub use leakage::{Leakage, LookUpScores, Scores, TupleStep, Verdict};
pub use plans::{Estimate, PlanResult, Plans, Split};
pub use population::{FieldPresence, MonthRow, Population, QualityFinding, Unit};
pub use rates::{
    Curve, CurveOrder, CurvePoint, DimensionRates, FalseRateControl, Flag, HitRates, Prior, RateRow, RestRow,
};
pub use statement::{Parameter, Section, Statement, StatementKind, Weight};

use crate::options::Capacity;

/// Version of the document's shape; grows when a member changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// A value with an interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What the audit was asked, as far as it shapes the figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptionsUsed {
    /// Seed of everything random.
    pub seed: u64,
    /// Chance that the report claims any pattern where there is none.
    pub false_rate: f64,
    /// Level of all intervals.
    pub interval_level: f64,
    /// Capacity as asked.
    pub capacity: Capacity,
    /// Values listed of one dimension at most.
    pub rows_max: u64,
}

/// The targeting audit of one history of declared items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// [`FORMAT`].
    pub format: u32,
    /// What was asked.
    pub options: OptionsUsed,
    /// What was looked at.
    pub population: Population,
    /// What is odd about the records' content.
    pub quality: Vec<QualityFinding>,
    /// Hit rates by dimension; absent without outcomes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hit_rates: Option<HitRates>,
    /// Share of finds against share of inspections; absent without outcomes or without time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub curve: Option<Curve>,
    /// Repeats and leakage; absent without outcomes or without time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leakage: Option<Leakage>,
    /// Officers and pairs; absent without outcomes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub integrity: Option<Integrity>,
    /// Other plans at the same capacity; absent without outcomes or without time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plans: Option<Plans>,
    /// How the chance of a false claim was kept.
    pub control: FalseRateControl,
    /// Everything the audit claims or cannot say, the weightiest first.
    pub statements: Vec<Statement>,
}

impl Audit {
    /// The same audit without what a reader of this clearance may not see: officers' figures, restricted rules, tags
    /// of a higher class, and the statements about them. Counts of what is left out stay.
    #[must_use]
    pub fn for_clearance(&self, clearance: Sensitivity) -> Self {
        let mut audit = self.clone();
        if let Some(rates) = &mut audit.hit_rates {
            rates.hide_above(clearance);
        }
        if let Some(integrity) = &mut audit.integrity {
            integrity.tables.retain(|table| table.sensitivity <= clearance);
        }
        if let Some(plans) = &mut audit.plans {
            plans.hide_above(clearance);
        }
        audit.statements.retain(|statement| statement.sensitivity <= clearance);
        audit
    }
}
