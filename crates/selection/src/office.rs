//! How an office stands: its threshold, what it has looked at today, what it expects.

use std::collections::VecDeque;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::made::{Arm, Made, STRATUM_TRUSTED};
use crate::plan::Plan;
use crate::steer::Moved;
use crate::volume::Volume;

/// Latest declarations that are remembered: enough for a quantile of one in a hundred, few enough to follow a change.
const RECENT_MAX: usize = 1_024;

/// A declaration that is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its score.
    pub score: i32,
    /// Did a hard rule choose it?
    pub hard_rule: bool,
    /// Was its importer trusted?
    pub trusted: bool,
}

/// How an office stands. It follows `selection.made` and `threshold.moved` and nothing else, so that it can be rebuilt
/// from them at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeStanding {
    /// The office.
    pub office: String,
    /// Content hash of the plan that its threshold was last moved under; empty before the first move.
    pub plan: String,
    /// The day that `selected_today` and `arrivals_today` speak of.
    pub day: Date,
    /// Score from which a declaration is inspected.
    pub threshold: i32,
    /// Chance of all others, in parts per million.
    pub random_ppm: u32,
    /// Selected for inspection today.
    pub selected_today: u32,
    /// Arrived today.
    pub arrivals_today: u32,
    /// Was the last move made because no inspection was left?
    pub exhausted: bool,
    /// The latest declarations, oldest first.
    pub recent: VecDeque<Seen>,
    /// What past days teach.
    pub volume: Volume,
}

impl OfficeStanding {
    /// An office of which nothing is known.
    #[must_use]
    pub fn new(plan: &Plan, office: &str, day: Date) -> Self {
        Self {
            office: office.to_owned(),
            plan: String::new(),
            day,
            threshold: plan.initial_threshold,
            random_ppm: plan.floor_ppm,
            selected_today: 0,
            arrivals_today: 0,
            exhausted: false,
            recent: VecDeque::new(),
            volume: Volume::default(),
        }
    }

    /// Follows a choice that was made at `at`, in the administration's civil time.
    pub fn apply_made(&mut self, made: &Made, at: DateTime) {
        self.begin(at.date());
        self.arrivals_today = self.arrivals_today.saturating_add(1);
        if made.lane.is_inspection() {
            self.selected_today = self.selected_today.saturating_add(1);
        }
        self.volume.count(at);
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(Seen {
            score: made.score,
            hard_rule: made.arm == Arm::HardRule,
            trusted: made.stratum == STRATUM_TRUSTED,
        });
    }

    /// Follows a move.
    pub fn apply_moved(&mut self, moved: &Moved) {
        self.begin(moved.day);
        self.plan.clone_from(&moved.plan);
        self.threshold = moved.to_threshold;
        self.random_ppm = moved.to_random_ppm;
        self.exhausted = moved.capacity_left == 0;
    }

    /// Declarations still to come on the day of `now`, and how many inspections are left for them.
    pub(crate) fn outlook(&self, plan: &Plan, now: DateTime) -> (u32, u32) {
        let capacity = plan.capacity(&self.office);
        // Before anything is known: as many declarations as inspections of one in twenty would make.
        let unknown = capacity.saturating_mul(20).max(20);
        if now.date() <= self.day {
            let left = self.volume.expected_left(now, self.arrivals_today, unknown);
            return (left, capacity.saturating_sub(self.selected_today));
        }
        let mut next = self.volume.clone();
        next.finish(self.day, now.date());
        (next.expected_left(now, 0, unknown), capacity)
    }

    /// Begins a day, if it is later than the running one. A clock that went back stays in the running day.
    fn begin(&mut self, day: Date) {
        if day <= self.day {
            return;
        }
        self.volume.finish(self.day, day);
        self.day = day;
        self.selected_today = 0;
        self.arrivals_today = 0;
    }
}
