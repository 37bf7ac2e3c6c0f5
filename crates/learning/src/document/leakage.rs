//! Repeats and leakage.

use serde::{Deserialize, Serialize};

use super::{Interval, Split};

/// Whether the outcome can be looked up rather than foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Too few finds or repeats to say.
    CannotTell,
    /// Repeats do not give the outcome away.
    NotSeen,
    /// Repeats tell the outcome better than they should; look at how the records were made.
    Suspicious,
    /// A plain look-up of earlier rows all but knows the outcome: the file leaks its label.
    Leaks,
}

/// How well a score puts finds before the rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Units scored.
    pub units: u64,
    /// Finds among them.
    pub finds: u64,
    /// Area under the ROC curve; ties count half.
    pub auc: f64,
    /// Its interval (DeLong).
    pub auc_interval: Interval,
    /// Average precision; ties in expectation.
    pub average_precision: f64,
    /// Share of finds among the best 5 %; ties in expectation.
    pub precision_at_5: f64,
    /// Share of finds among all.
    pub base_rate: f64,
}

/// One score under both protocols.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LookUpScores {
    /// `look_up` (the tuple's earlier outcomes) or `trees` (the boosted trees of the plans).
    pub id: String,
    /// Protocol *published*: all units of the months of trial.
    pub published: Option<Scores>,
    /// Protocol *novel*: only those whose tuple was never seen in the months of learning.
    pub novel: Option<Scores>,
    /// Only those whose tuple was seen.
    pub seen: Option<Scores>,
}

/// One step of the search for the tuple.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TupleStep {
    /// Field added, or taken out again.
    pub field: String,
    /// True when the step took the field out.
    pub removed: bool,
    /// AUC of the look-up on the last part of the months of learning after this step.
    pub auc: f64,
}

/// Repeats of one tuple of fields, and what they give away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leakage {
    /// Months of learning and of trial.
    pub split: Split,
    /// Fields that could take part: no outcome, no number of a declaration, no time.
    pub candidates: Vec<String>,
    /// The tuple that a look-up does best with, found by search within the months of learning.
    pub tuple: Vec<String>,
    /// How it was found.
    pub steps: Vec<TupleStep>,
    /// Inspected units with a known outcome.
    pub units: u64,
    /// Different tuples among them.
    pub tuples: u64,
    /// Tuples that occur more than once.
    pub repeated_tuples: u64,
    /// Units that repeat an earlier unit's tuple.
    pub repeating_units: u64,
    /// The same as a share.
    pub repeating_share: f64,
    /// Share of repeated tuples whose outcomes are all alike.
    pub pure_share: Option<f64>,
    /// The same if outcomes were dealt out among those units at random.
    pub pure_share_by_chance: Option<f64>,
    /// Units of the months of trial whose tuple was seen in the months of learning, as a share.
    pub trial_seen_share: f64,
    /// Scores of the look-up and of the trees, under both protocols.
    pub scores: Vec<LookUpScores>,
    /// The verdict.
    pub verdict: Verdict,
}
