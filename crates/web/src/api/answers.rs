//! Answers whose every member is documented. They are taken apart and put together member by member, so that one that
//! the application gains is one that the document gains.

use customhouse::declarations::{OwnRow, Receipt};
use customhouse::flow::{ProcessTurn, Status, StepTime};
use jiff::Timestamp;
use serde::Serialize;
use spine::Finding;
use utoipa::ToSchema;

/// One thing that is wrong or odd, where, and how to mend it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingAnswer {
    /// Stable snake_case code.
    code: String,
    /// `information`, `warning` or `error`.
    #[schema(value_type = String)]
    severity: spine::Severity,
    /// Where: a path of names with positions from 1, such as
    /// `goods_shipment/government_agency_goods_item[2]/commodity`.
    pointer: String,
    /// The offending value, cut.
    found: String,
    /// What was expected instead.
    expected: String,
    /// What to do now.
    how_to_fix: String,
}

impl From<Finding> for FindingAnswer {
    fn from(finding: Finding) -> Self {
        let Finding { code, severity, pointer, found, expected, how_to_fix } = finding;
        Self { code, severity, pointer: pointer.0, found, expected, how_to_fix }
    }
}

pub(super) fn findings(findings: Vec<Finding>) -> Vec<FindingAnswer> {
    findings.into_iter().map(FindingAnswer::from).collect()
}

/// The receipt of a declaration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptAnswer {
    /// Movement reference number: the declaration's number here.
    mrn: String,
    /// The trader's own reference (LRN).
    functional_reference_id: String,
    /// SHA-256 of the bytes as they came.
    sha256: String,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    lodged_at: Timestamp,
    /// True if the very same declaration had been lodged before: this is its first receipt.
    repeated: bool,
    /// `received`, `awaiting_arrival`, `rejected`, `accepted`, `documents_wanted`, `question_asked`,
    /// `under_examination`, `payment_wanted`, `released`, `exited`, `detained` or `cancelled`.
    progress: &'static str,
    /// What was noticed.
    findings: Vec<FindingAnswer>,
    /// Position in the journal up to which all of this is recorded.
    position: u64,
    /// The schema it was held against (pack and version), or `schema_not_applied`; absent in earlier receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
}

impl From<Receipt> for ReceiptAnswer {
    fn from(receipt: Receipt) -> Self {
        let Receipt {
            mrn,
            functional_reference_id,
            sha256,
            lodged_at,
            repeated,
            progress,
            findings: found,
            position,
            schema,
        } = receipt;
        let (progress, findings) = (progress.name(), findings(found));
        Self {
            mrn,
            functional_reference_id,
            sha256,
            lodged_at,
            repeated,
            progress,
            findings,
            position,
            schema,
        }
    }
}

/// What would be found in a declaration.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckAnswer {
    /// Would it be accepted for processing?
    pub(super) acceptable: bool,
    /// What is wrong or odd.
    pub(super) findings: Vec<FindingAnswer>,
}

/// A line of a trader's list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnRowAnswer {
    /// Movement reference number.
    mrn: String,
    /// The trader's own reference.
    lrn: String,
    /// Where it stands: as in a receipt.
    progress: &'static str,
    /// When it was lodged.
    #[schema(value_type = String, format = DateTime)]
    lodged_at: Timestamp,
    /// When it was released.
    #[schema(value_type = Option<String>, format = DateTime)]
    released_at: Option<Timestamp>,
    /// Description of the first item.
    description: Option<String>,
    /// Number of items.
    items: u32,
    /// Does it wait for the trader?
    waits_for_trader: bool,
}

impl From<OwnRow> for OwnRowAnswer {
    fn from(row: OwnRow) -> Self {
        let OwnRow { mrn, lrn, progress, lodged_at, released_at, description, items, waits_for_trader } = row;
        let progress = progress.name();
        Self { mrn, lrn, progress, lodged_at, released_at, description, items, waits_for_trader }
    }
}

/// A page of a trader's list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnPageAnswer {
    /// Rows, the latest first.
    pub(super) rows: Vec<OwnRowAnswer>,
    /// How many there are.
    pub(super) total: u64,
}

/// Up to where something is recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PositionAnswer {
    /// Position in the journal.
    pub(super) position: u64,
}

/// A document that was kept: what an action names.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DocumentAnswer {
    /// SHA-256 of its bytes.
    pub(super) sha256: String,
    /// How many they are.
    pub(super) bytes: u64,
}

/// How long one step takes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepAnswer {
    /// `accept`, `select`, `release_green`, `documents`, `physical`, `query` or `answer`.
    step: String,
    /// How many were measured over the last 24 hours.
    count: u64,
    /// Half of them took no longer, in milliseconds.
    median_ms: Option<u64>,
    /// 95 % of them took no longer.
    p95_ms: Option<u64>,
}

impl From<StepTime> for StepAnswer {
    fn from(time: StepTime) -> Self {
        let StepTime { step, count, median_ms, p95_ms } = time;
        Self { step, count, median_ms, p95_ms }
    }
}

/// How the service stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusAnswer {
    /// The present.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// `running`, `warming_up` or `degraded`.
    state: String,
    /// Since when it runs.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Lodged in the last hour.
    lodged_hour: u64,
    /// Waiting to be processed this moment.
    waiting: u64,
    /// How many can wait at most.
    waiting_max: u64,
    /// Events that the pages do not show yet.
    behind_events: u64,
    /// How long each step takes.
    steps: Vec<StepAnswer>,
    /// A sandbox, not the real thing?
    sandbox: bool,
    /// Is it one of several processes on one database, and what does it do among them?
    turn: Option<TurnAnswer>,
    /// Is anything of it simulated?
    simulated: bool,
}

/// What one of several processes on one database does for all of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TurnAnswer {
    /// It decides on declarations.
    decides: bool,
    /// It keeps the log.
    keeps_log: bool,
}

impl From<&Status> for StatusAnswer {
    fn from(status: &Status) -> Self {
        // How much room the disk has is for the house alone.
        let Status {
            now,
            state,
            since,
            lodged_hour,
            waiting,
            waiting_max,
            behind_events,
            steps,
            disk_free_bytes: _,
            sandbox,
            turn,
            simulated,
        } = status.clone();
        let turn = turn.map(|ProcessTurn { decides, keeps_log }| TurnAnswer { decides, keeps_log });
        let steps = steps.into_iter().map(StepAnswer::from).collect();
        Self {
            now,
            state,
            since,
            lodged_hour,
            waiting,
            waiting_max,
            behind_events,
            steps,
            sandbox,
            turn,
            simulated,
        }
    }
}
