//! What is told about the flow of declarations.

use jiff::Timestamp;
use serde::Serialize;
use spine::noun::Lane;

use crate::declarations::HitRate;

/// The first page of an official.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// The present, as the house's clock has it.
    pub now: Timestamp,
    /// Declarations lodged in the last 24 hours, by lane, for each hour: the oldest first.
    pub hours: Vec<HourOfFlow>,
    /// In the last 24 hours.
    pub lodged_day: u64,
    /// In the last hour.
    pub lodged_hour: u64,
    /// Released without being held up, in the last 24 hours.
    pub released_at_once_day: u64,
    /// Rejected for correction in the last 24 hours.
    pub rejected_day: u64,
    /// Declarations by lane in the last 24 hours.
    pub lanes: Vec<(Lane, u64)>,
    /// Open work: kind of control by name, open, overdue, taken.
    pub queue: Vec<QueueFigure>,
    /// Hit rates over the last 30 days; only for those who may see plans.
    pub arms: Option<HitRatesOfArms>,
    /// How long each step takes, over the last 24 hours.
    pub steps: Vec<StepTime>,
    /// Latest declarations that were stopped (not green), newest first: reference, lane, office, when.
    pub latest_stopped: Vec<StoppedShort>,
    /// Is anything of it simulated?
    pub simulated: bool,
    /// Position of the journal that this reflects.
    pub position: u64,
}

/// Hit rate of each arm of the selection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HitRatesOfArms {
    /// Of what the plan's score selected.
    pub score: HitRate,
    /// Of the random arm.
    pub random: HitRate,
    /// Of hard rules.
    pub hard_rule: HitRate,
}

/// One hour of the flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HourOfFlow {
    /// When it began.
    pub begins: Timestamp,
    /// Declarations by lane, in the order of [`Lane::ALL`].
    pub lanes: Vec<(Lane, u64)>,
}

/// Open work of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueFigure {
    /// Kind of control by name.
    pub kind: String,
    /// Open.
    pub open: u64,
    /// Of these past their time.
    pub overdue: u64,
    /// Of these in somebody's hands.
    pub taken: u64,
}

/// How long one step takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepTime {
    /// Stable name: `decision`, `release_green`, `documents`, `physical`, `query`, `audit`.
    pub step: String,
    /// How many were measured.
    pub count: u64,
    /// Half of them took no longer, in milliseconds.
    pub median_ms: Option<u64>,
    /// 95 % of them took no longer.
    pub p95_ms: Option<u64>,
}

/// A declaration that did not go through, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoppedShort {
    /// Movement reference number.
    pub mrn: String,
    /// Lane.
    pub lane: Lane,
    /// Office.
    pub office: String,
    /// First item in words.
    pub description: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What everybody may know: is it running, how long does each step take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The present.
    pub now: Timestamp,
    /// `running`, `warming_up`, `degraded`.
    pub state: String,
    /// Since when this process runs.
    pub since: Timestamp,
    /// Lodged in the last hour.
    pub lodged_hour: u64,
    /// Waiting to be processed this moment.
    pub waiting: u64,
    /// How many can wait at most.
    pub waiting_max: u64,
    /// Events that the pages do not show yet.
    pub behind_events: u64,
    /// How long each step takes, over the last 24 hours.
    pub steps: Vec<StepTime>,
    /// Free space in the data folder, in bytes; `None` where it cannot be told.
    pub disk_free_bytes: Option<u64>,
    /// A sandbox, not the real thing?
    pub sandbox: bool,
    /// Is this one of several processes on one database, and what does it do among them?
    pub turn: Option<ProcessTurn>,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// What one of several processes on one database does for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProcessTurn {
    /// It decides on declarations.
    pub decides: bool,
    /// It keeps the log.
    pub keeps_log: bool,
}
