//! The controller: moves an office's threshold and the chance of all others, so that inspections fill its capacity
//! evenly over the day and the random arm keeps its share.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::PPM;
use crate::office::OfficeStanding;
use crate::plan::{Plan, PlanInForce};

/// Scores are counted in bins of so many points.
const BIN_POINTS: i32 = 5;
/// Bins that a move records; those below are one.
const BINS_MAX: usize = 200;
/// Scores before which the plan's own threshold stands.
const SCORES_MIN: u32 = 50;
/// A threshold moves by at least so many points.
const MOVE_POINTS_MIN: i32 = 10;
/// A chance moves by at least one part in so many.
const MOVE_PARTS: u32 = 10;

/// A move of an office's threshold, with everything it was computed from: the payload of `threshold.moved`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The office.
    pub office: String,
    /// The day.
    pub day: Date,
    /// Threshold before.
    pub from_threshold: i32,
    /// Threshold from now on.
    pub to_threshold: i32,
    /// Chance of all others before, in parts per million.
    pub from_random_ppm: u32,
    /// From now on.
    pub to_random_ppm: u32,
    /// Inspections left today.
    pub capacity_left: u32,
    /// Arrived today so far.
    pub arrivals_today: u32,
    /// Declarations still expected today.
    pub arrivals_expected: u32,
    /// Latest scores that were counted, without those of hard rules.
    pub scores_seen: u32,
    /// How many of these were of trusted traders.
    pub trusted_seen: u32,
    /// Latest declarations that a hard rule chose.
    pub hard_rules_seen: u32,
    /// The scores: lower bound and number by bin of 5 points, from low to high; the lowest bin may hold all below it.
    pub histogram: Vec<(i32, u32)>,
    /// Why: `new_day`, `plan` (it changed, or is the first), `capacity` (none is left), `pace`.
    pub reason: String,
    /// Content hash of the plan.
    pub plan: String,
}

/// Moves an office's threshold, if it is time and worthwhile. Called before each choice, and now and then.
#[must_use]
pub fn steer(in_force: PlanInForce<'_>, office: &OfficeStanding, now: DateTime) -> Option<Moved> {
    let new_day = now.date() > office.day;
    let plan_changed = office.plan != in_force.hash;
    let left = in_force.plan.capacity(&office.office).saturating_sub(office.selected_today);
    let runs_out = left == 0 && !office.exhausted;
    let reason = match () {
        () if plan_changed => "plan",
        () if new_day => "new_day",
        () if runs_out => "capacity",
        () if is_time(office) => "pace",
        () => return None,
    };
    let moved = compute(in_force, office, now, reason);
    let worthwhile = reason != "pace"
        || moved.to_threshold.abs_diff(moved.from_threshold) >= MOVE_POINTS_MIN.unsigned_abs()
        || moved.to_random_ppm.abs_diff(moved.from_random_ppm) > moved.from_random_ppm / MOVE_PARTS;
    worthwhile.then_some(moved)
}

/// About a hundred times a day at a busy office, every fifth declaration at a quiet one.
fn is_time(office: &OfficeStanding) -> bool {
    let step = (office.arrivals_today / 100).clamp(5, 1_000);
    office.arrivals_today.is_multiple_of(step)
}

fn compute(in_force: PlanInForce<'_>, office: &OfficeStanding, now: DateTime, reason: &str) -> Moved {
    let (arrivals_expected, capacity_left) = office.outlook(in_force.plan, now);
    let new_day = now.date() > office.day;
    let mut bins: BTreeMap<i32, u32> = BTreeMap::new();
    let (mut trusted_seen, mut hard_rules_seen, mut scores_seen) = (0_u32, 0_u32, 0_u32);
    for seen in &office.recent {
        if seen.hard_rule {
            hard_rules_seen = hard_rules_seen.saturating_add(1);
            continue;
        }
        scores_seen = scores_seen.saturating_add(1);
        trusted_seen = trusted_seen.saturating_add(seen.trusted.into());
        let count = bins.entry(seen.score.div_euclid(BIN_POINTS).saturating_mul(BIN_POINTS)).or_default();
        *count = count.saturating_add(1);
    }
    let mut moved = Moved {
        office: office.office.clone(),
        day: now.date().max(office.day),
        from_threshold: office.threshold,
        to_threshold: office.threshold,
        from_random_ppm: office.random_ppm,
        to_random_ppm: office.random_ppm,
        capacity_left,
        arrivals_today: if new_day { 0 } else { office.arrivals_today },
        arrivals_expected,
        scores_seen,
        trusted_seen,
        hard_rules_seen,
        histogram: bounded(bins),
        reason: reason.to_owned(),
        plan: in_force.hash.to_owned(),
    };
    (moved.to_threshold, moved.to_random_ppm) = moved.aim(in_force.plan);
    moved
}

/// The bins from low to high; where there are too many, the lowest ones as one.
fn bounded(bins: BTreeMap<i32, u32>) -> Vec<(i32, u32)> {
    let merged = bins.len().saturating_sub(BINS_MAX);
    let low: u32 = bins.values().take(merged).sum();
    let lowest = (merged > 0).then_some((-Plan::SCORE_MAX, low));
    lowest.into_iter().chain(bins.into_iter().skip(merged)).collect()
}

impl Moved {
    /// Threshold and chance that follow from what is recorded here: the whole rule of the controller.
    ///
    /// Of the capacity left, the random share is for the random arm; hard rules take theirs from the rest, and what
    /// then remains goes to the highest scores. So the threshold is the lowest score with no more declarations at or
    /// above it, among those still expected, than there are inspections for them; and the chance of all others
    /// is what fills the random share.
    #[must_use]
    pub fn aim(&self, plan: &Plan) -> (i32, u32) {
        let million = u128::from(PPM);
        let left = u128::from(self.capacity_left);
        let share = u128::from(plan.random_share_ppm.min(PPM));
        let seen = u128::from(self.scores_seen);
        let all_seen = seen.saturating_add(self.hard_rules_seen.into()).max(1);
        let expected = u128::from(self.arrivals_expected.max(1)).saturating_mul(million);
        // From here on in millionths of a declaration.
        let by_hard_rule = expected.saturating_mul(self.hard_rules_seen.into()) / all_seen;
        let others = expected.saturating_sub(by_hard_rule).max(1);
        let for_scores = left.saturating_mul(million.saturating_sub(share)).saturating_sub(by_hard_rule);
        let wanted_ppm = (for_scores.saturating_mul(million) / others).min(million);
        let (threshold, above_ppm) = if self.scores_seen >= SCORES_MIN {
            self.quantile(wanted_ppm)
        } else if self.capacity_left == 0 {
            (Plan::SCORE_MAX, 0)
        } else {
            (plan.initial_threshold, wanted_ppm)
        };
        let factor = u128::from(plan.trusted.factor_ppm.min(PPM));
        let trusted = u128::from(self.trusted_seen);
        let mean_factor = seen
            .saturating_sub(trusted)
            .saturating_mul(million)
            .saturating_add(trusted.saturating_mul(factor))
            .checked_div(seen)
            .unwrap_or(million)
            .max(1);
        let drawn = others.saturating_mul(million.saturating_sub(above_ppm)) / million;
        let drawn = (drawn.saturating_mul(mean_factor) / million).max(1);
        let chance = left.saturating_mul(share).saturating_mul(million) / drawn;
        let chance = u32::try_from(chance).unwrap_or(PPM);
        (threshold, chance.max(plan.floor_ppm).clamp(1, PPM.saturating_sub(1)))
    }

    /// The lowest threshold with at most this share of scores at or above it, and that share.
    fn quantile(&self, wanted_ppm: u128) -> (i32, u128) {
        let million = u128::from(PPM);
        if wanted_ppm >= million {
            return (-Plan::SCORE_MAX, million);
        }
        let seen = u128::from(self.scores_seen.max(1));
        let top = self.histogram.last().map_or(0, |(lower, _)| lower.saturating_add(BIN_POINTS));
        let mut found = (top, 0_u128);
        let mut above = 0_u128;
        for (lower, count) in self.histogram.iter().rev() {
            above = above.saturating_add((*count).into());
            let share = above.saturating_mul(million) / seen;
            if share > wanted_ppm {
                break;
            }
            found = (*lower, share);
        }
        found
    }
}
