//! The choice of a lane.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spine::noun::Lane;

use crate::PPM;
use crate::office::OfficeStanding;
use crate::plan::{Plan, PlanInForce};

/// Stratum of declarations that a hard rule chose.
const STRATUM_HARD_RULE: &str = "hard_rule";
/// Stratum of trusted traders.
pub(crate) const STRATUM_TRUSTED: &str = "trusted";
/// Stratum of all others.
const STRATUM_STANDARD: &str = "standard";

/// What is known of a declaration when its lane is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Office that deals with it.
    pub office: &'a str,
    /// Tags it carries; order and repetition do not matter.
    pub tags: &'a [String],
    /// Is its importer a trusted trader?
    pub trusted: bool,
}

/// Three draws, each evenly distributed from 0 to 999,999. The caller draws; the record keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draws {
    /// Decides on the random arm.
    pub selection_ppm: u32,
    /// Decides between yellow and red.
    pub physical_ppm: u32,
    /// Decides on an audit after release.
    pub audit_ppm: u32,
}

/// Why a declaration was selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// A hard rule.
    HardRule,
    /// Its score reached the threshold.
    Score,
    /// By chance.
    Random,
    /// It was not selected.
    None,
}

impl Arm {
    /// All arms, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::HardRule, Self::Score, Self::Random, Self::None];

    /// The stable name used in events and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HardRule => "hard_rule",
            Self::Score => "score",
            Self::Random => "random",
            Self::None => "none",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arm| arm.name() == name)
    }
}

/// A tag's part of the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The tag.
    pub tag: String,
    /// Its points.
    pub points: i32,
}

/// The choice of a lane, with everything it rests on: the payload of `selection.made`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The lane.
    pub lane: Lane,
    /// Why.
    pub arm: Arm,
    /// Points in all.
    pub score: i32,
    /// The office's threshold at that moment.
    pub threshold: i32,
    /// Chance of being selected at all, given tags and threshold.
    pub probability_ppm: u32,
    /// Chance of the random arm.
    pub random_ppm: u32,
    /// The draws.
    pub draws: Draws,
    /// Group of declarations with one chance: `hard_rule`, `trusted`, `standard`.
    pub stratum: String,
    /// Hard rules that fired, by tag.
    pub hard_rules: Vec<String>,
    /// Tags with points, those with most first.
    pub reasons: Vec<Reason>,
    /// Points that every declaration begins with.
    pub base_points: i32,
    /// Points that trust took off.
    pub trusted_points: i32,
    /// Content hash of the plan.
    pub plan: String,
    /// Inspections that the office had left that day, before this one.
    pub capacity_left: u32,
    /// The office.
    pub office: String,
}

impl Made {
    /// Does it belong to the random sample of all declarations, whatever else chose it? Everything that the draw would
    /// have chosen was selected, by one arm or another; so these declarations, each weighted by
    /// 1,000,000 / `random_ppm`, stand for all.
    #[must_use]
    pub fn is_in_random_sample(&self) -> bool {
        self.draws.selection_ppm < self.random_ppm
    }
}

/// Chooses the lane of a declaration: a hard rule, or a score at or above the threshold, or a draw below the chance.
#[must_use]
pub fn select(
    in_force: PlanInForce<'_>,
    office: &OfficeStanding,
    subject: &Subject<'_>,
    draws: Draws,
) -> Made {
    let plan = in_force.plan;
    let tags: BTreeSet<&str> = subject.tags.iter().map(String::as_str).collect();
    let mut reasons: Vec<Reason> = tags
        .iter()
        .filter_map(|tag| plan.weights.get_key_value(*tag))
        .filter(|(_, points)| **points != 0)
        .map(|(tag, points)| Reason { tag: tag.clone(), points: *points })
        .collect();
    let trusted_points = if subject.trusted { plan.trusted.points.min(0) } else { 0 };
    let score = reasons
        .iter()
        .fold(plan.base_points, |sum, reason| sum.saturating_add(reason.points))
        .saturating_add(trusted_points)
        .clamp(-Plan::SCORE_MAX, Plan::SCORE_MAX);
    reasons.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.tag.cmp(&b.tag)));
    let fired: Vec<(&String, Lane)> = tags
        .iter()
        .filter_map(|tag| plan.hard_rules.get_key_value(*tag))
        .map(|(tag, rule)| (tag, rule.lane))
        .collect();
    let random_ppm = chance(plan, office.random_ppm, subject.trusted);
    let physical = tags.iter().any(|tag| plan.physical_tags.contains(*tag))
        || draws.physical_ppm < plan.physical_share_ppm;
    let selected = if physical { Lane::Red } else { Lane::Yellow };
    let strictest = fired.iter().map(|(_, lane)| *lane).max();
    let (arm, lane, probability_ppm) = match strictest {
        Some(lane) => (Arm::HardRule, lane, PPM),
        None if score >= office.threshold => (Arm::Score, selected, PPM),
        None if draws.selection_ppm < random_ppm => (Arm::Random, selected, random_ppm),
        None if draws.audit_ppm < plan.audit_share_ppm => (Arm::None, Lane::Blue, random_ppm),
        None => (Arm::None, Lane::Green, random_ppm),
    };
    let stratum = match (arm, subject.trusted) {
        (Arm::HardRule, _) => STRATUM_HARD_RULE,
        (_, true) => STRATUM_TRUSTED,
        (_, false) => STRATUM_STANDARD,
    };
    Made {
        lane,
        arm,
        score,
        threshold: office.threshold,
        probability_ppm,
        random_ppm,
        draws,
        stratum: stratum.to_owned(),
        hard_rules: fired.into_iter().map(|(tag, _)| tag.clone()).collect(),
        reasons,
        base_points: plan.base_points,
        trusted_points,
        plan: in_force.hash.to_owned(),
        capacity_left: plan.capacity(subject.office).saturating_sub(office.selected_today),
        office: subject.office.to_owned(),
    }
}

/// The chance of the random arm: never below the floor, and never certainty, so that it stays a draw.
fn chance(plan: &Plan, office_ppm: u32, trusted: bool) -> u32 {
    let factor = if trusted { plan.trusted.factor_ppm.min(PPM) } else { PPM };
    let own = u64::from(office_ppm).saturating_mul(factor.into()) / u64::from(PPM);
    u32::try_from(own).unwrap_or(PPM).max(plan.floor_ppm).clamp(1, PPM.saturating_sub(1))
}
