//! Other plans at the same capacity.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use spine::{LocalizedText, Sensitivity};

use super::Interval;

/// The past that was learnt from and the later months on which it was tried. Whole days only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// First day of learning.
    pub learning_from: Date,
    /// Last day of learning.
    pub learning_to: Date,
    /// First day of trial.
    pub trial_from: Date,
    /// Last day of trial.
    pub trial_to: Date,
    /// Inspected units with a known outcome in the learning period.
    pub learning_inspected: u64,
    /// Finds among them.
    pub learning_finds: u64,
    /// Units in the trial period, inspected or not.
    pub trial_units: u64,
    /// Inspected ones with a known outcome.
    pub trial_inspected: u64,
    /// Finds among them.
    pub trial_finds: u64,
}

/// An estimate of what a plan would find, from recorded probabilities of selection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Estimate {
    /// It can be given.
    Given {
        /// Finds among everything the plan selects (Hajek: the weighted rate times the units selected).
        finds: f64,
        /// Interval of the finds.
        finds_interval: Interval,
        /// Weighted hit rate.
        rate: f64,
        /// Interval of the rate.
        rate_interval: Interval,
        /// Horvitz-Thompson estimate of the finds, for comparison.
        horvitz_thompson_finds: f64,
        /// Inspected units it rests on.
        inspected: u64,
        /// Effective sample size (Kish).
        effective_sample: f64,
    },
    /// It cannot; `reason` is the code of a statement text.
    Refused {
        /// `no_probabilities`, `overlap_insufficient`, `too_few_inspected` or `probabilities_inconsistent`.
        reason: String,
    },
}

/// What one plan would have done in the months of trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanResult {
    /// Stable id: `actual`, `random`, `additive`, `trees`, `explore`.
    pub id: String,
    /// What people call it.
    pub title: LocalizedText,
    /// How it chooses.
    pub description: LocalizedText,
    /// Units it selects.
    pub selected: u64,
    /// Selected units that were inspected with a known outcome.
    pub selected_known: u64,
    /// Selected units that were never inspected: what they were is UNKNOWN.
    pub selected_unknown: u64,
    /// Known finds it keeps. For `random`, the expected number.
    pub finds_kept: f64,
    /// Known finds it loses.
    pub finds_lost: f64,
    /// Irregular share of selected units with a known outcome.
    pub known_rate: Option<f64>,
    /// Wilson interval of that share. It says nothing about the units that were never inspected.
    pub known_rate_interval: Option<Interval>,
    /// Recovered revenue of the finds kept, where the field is there.
    pub revenue_kept: Option<Decimal>,
    /// Known rate over that of a random choice among the inspected.
    pub lift: Option<f64>,
    /// p-value against "no better than a random choice among the inspected", one-sided, after control of false claims.
    pub adjusted_p: Option<f64>,
    /// Is it better than random beyond the stated rate of false claims?
    pub better_than_random: bool,
    /// What recorded probabilities of selection let us say about all it selects.
    pub estimate: Option<Estimate>,
    /// Units selected by this plan and by the actual one.
    pub shared_with_actual: u64,
    /// What weighs most in its choices: a tag, a field; the weightiest first.
    pub weights: Vec<(String, f64)>,
}

/// Plans side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plans {
    /// Months of learning and of trial.
    pub split: Split,
    /// Units each plan may select in the trial period.
    pub capacity: u64,
    /// The same as a share of the units of the trial period.
    pub capacity_share: f64,
    /// The actual selection, a random one, then the alternatives.
    pub plans: Vec<PlanResult>,
    /// Tags among the weights that not every official may see.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_weights: BTreeMap<String, Sensitivity>,
}

impl Plans {
    pub(super) fn hide_above(&mut self, clearance: Sensitivity) {
        let secret = std::mem::take(&mut self.secret_weights);
        let (shown, hidden): (BTreeMap<_, _>, BTreeMap<_, _>) =
            secret.into_iter().partition(|(_, sensitivity)| *sensitivity <= clearance);
        self.secret_weights = shown;
        for plan in &mut self.plans {
            plan.weights.retain(|(name, _)| !hidden.contains_key(name));
        }
    }
}
