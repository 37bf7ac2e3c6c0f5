//! What is told about plans, thresholds and policies.

use jiff::Timestamp;
use selection::{Moved, Plan};
use serde::{Deserialize, Serialize};
use spine::LocalizedText;

use crate::declarations::HitRate;

/// What a policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// Accepts or rejects for correction what comes in.
    Acceptance,
    /// Chooses the lane.
    Selection,
    /// Releases what is in the green and blue lanes, and what was found conform.
    Release,
}

impl PolicyKind {
    /// All kinds in the order in which a declaration meets them.
    pub const ALL: [Self; 3] = [Self::Acceptance, Self::Selection, Self::Release];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Acceptance => "acceptance",
            Self::Selection => "selection",
            Self::Release => "release",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A policy as it was proposed, and by whom it was approved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    /// What it decides.
    pub kind: PolicyKind,
    /// SHA-256 of its canonical content.
    pub hash: String,
    /// Title.
    pub title: LocalizedText,
    /// Law it rests on.
    pub legal_basis: String,
    /// Its content: for selection a [`Plan`].
    pub content: serde_json::Value,
    /// Who proposed it: account name or id.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Timestamp,
    /// Who approved it, in order: two different people bring it into force.
    pub approved_by: Vec<String>,
    /// Since when it is in force; `None`: it is not.
    pub in_force_since: Option<Timestamp>,
    /// It was in force and another took its place, or it was withdrawn.
    pub ended_at: Option<Timestamp>,
    /// May the reader approve it now?
    pub may_approve: bool,
}

/// Everything about plans.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanStanding {
    /// The plan in force.
    pub plan: Option<Plan>,
    /// Policies in force and proposed, the newest first.
    pub policies: Vec<Policy>,
    /// Offices as they stand today.
    pub offices: Vec<OfficeToday>,
    /// Latest moves of thresholds, newest first.
    pub moves: Vec<MoveShown>,
    /// Hit rate of the score arm over the last 30 days.
    pub score_arm: HitRate,
    /// Of the random arm.
    pub random_arm: HitRate,
    /// Share of inspections that the random arm had over the last 30 days; `None` without any.
    pub random_share: Option<f64>,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// One office today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfficeToday {
    /// Office.
    pub office: String,
    /// Inspections it can make a day.
    pub capacity_per_day: u32,
    /// Selected for inspection today.
    pub selected_today: u32,
    /// Arrived today.
    pub arrivals_today: u32,
    /// Expected in all today.
    pub arrivals_expected: u32,
    /// Score from which a declaration is inspected.
    pub threshold: i32,
    /// Chance of any other declaration, in parts per million.
    pub random_ppm: u32,
}

/// A move of a threshold, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MoveShown {
    /// When.
    pub at: Timestamp,
    /// Position in the journal.
    pub position: u64,
    /// The move with everything it was computed from.
    pub moved: Moved,
}

/// What would follow from another capacity or random share, tried on the scores of the last 30 days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Consequences {
    /// Points of the curve, by share of declarations inspected, from little to much.
    pub curve: Vec<ConsequencePoint>,
    /// Declarations it was tried on.
    pub declarations: u64,
    /// Of these inspected with a known result.
    pub known: u64,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// One choice and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ConsequencePoint {
    /// Inspections a day.
    pub inspections_per_day: f64,
    /// Score from which one is inspected.
    pub threshold: i32,
    /// Among those with a known result at or above it: irregular.
    pub known_irregular: u64,
    /// Among those with a known result at or above it.
    pub known: u64,
    /// At or above it and never inspected: unknown.
    pub unknown: u64,
    /// Finds expected a day, by inverse probability from what was inspected; `None` where that cannot be told.
    pub expected_finds_per_day: Option<f64>,
}

/// How weights are to be fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitSpec {
    /// Title of the plan.
    pub title: String,
    /// Inspections a day at every office.
    pub capacity_per_day: u32,
    /// Share of inspections that is drawn at random, in parts per million.
    pub random_share_ppm: u32,
}
