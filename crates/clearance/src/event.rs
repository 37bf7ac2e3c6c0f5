//! What happens to a declaration. Payloads are released formats: add optional fields, change none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::Finding;
use spine::noun::Evidence;

use crate::command::Basis;
use crate::control::{ControlKind, ControlResult, LookFor};

/// Version of the payloads that this program writes and reads.
const KIND_VERSION: u32 = 1;

/// What happens to a declaration after its lodgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It is legally a declaration now.
    #[serde(rename = "declaration.accepted")]
    Accepted {
        /// What the decision rests on.
        basis: Basis,
    },
    /// It cannot be accepted as it stands; it may be corrected and lodged again.
    #[serde(rename = "declaration.rejected")]
    Rejected {
        /// What the decision rests on.
        basis: Basis,
        /// What to correct.
        findings: Vec<Finding>,
    },
    /// A control was ordered.
    #[serde(rename = "control.ordered")]
    ControlOrdered {
        /// What is examined.
        control: ControlKind,
        /// What officers are to look for.
        look_for: Vec<LookFor>,
        /// Until when.
        due_at: Timestamp,
        /// May the trader be told?
        trader_may_be_told: bool,
        /// What the decision rests on.
        basis: Basis,
    },
    /// An officer took the open control, or the open audit.
    #[serde(rename = "control.taken")]
    ControlTaken {
        /// Id of the officer.
        officer: String,
    },
    /// The officer gave it back.
    #[serde(rename = "control.given_back")]
    ControlGivenBack {},
    /// It was handed over to another officer.
    #[serde(rename = "control.handed_over")]
    ControlHandedOver {
        /// Id of the officer who has it now.
        to: String,
        /// Why.
        why: String,
    },
    /// The control came to a result.
    #[serde(rename = "control.completed")]
    ControlCompleted {
        /// What came of it.
        result: ControlResult,
        /// What the decision rests on.
        basis: Basis,
    },
    /// The officer withdrew the result before the release had effect.
    #[serde(rename = "control.result_withdrawn")]
    ResultWithdrawn {
        /// Why.
        why: String,
    },
    /// The trader was asked for documents.
    #[serde(rename = "documents.requested")]
    DocumentsRequested {
        /// Which.
        what: String,
        /// Until when.
        due_at: Timestamp,
    },
    /// The trader sent them.
    #[serde(rename = "documents.received")]
    DocumentsReceived {
        /// The documents.
        documents: Vec<Evidence>,
        /// What the trader said with them.
        note: String,
    },
    /// The trader was asked a question.
    #[serde(rename = "question.asked")]
    QuestionAsked {
        /// The question.
        text: String,
        /// Until when.
        due_at: Timestamp,
    },
    /// The trader answered it.
    #[serde(rename = "question.answered")]
    QuestionAnswered {
        /// The answer.
        text: String,
        /// Documents with it.
        documents: Vec<Evidence>,
    },
    /// Another control was ordered in place of the open one.
    #[serde(rename = "control.escalated")]
    Escalated {
        /// The other control.
        to: ControlKind,
        /// Why.
        why: String,
        /// Until when.
        due_at: Timestamp,
        /// What the decision rests on.
        basis: Basis,
    },
    /// The release will have effect at a time.
    #[serde(rename = "release.scheduled")]
    ReleaseScheduled {
        /// When.
        at: Timestamp,
        /// What the decision rests on.
        basis: Basis,
    },
    /// The goods are free.
    #[serde(rename = "goods.released")]
    Released {
        /// What the decision rests on.
        basis: Basis,
    },
    /// The goods are kept.
    #[serde(rename = "goods.detained")]
    Detained {
        /// What the decision rests on.
        basis: Basis,
    },
    /// The trader asked for the declaration to be invalidated.
    #[serde(rename = "declaration.cancel_requested")]
    CancelRequested {
        /// Why.
        why: String,
    },
    /// It was invalidated.
    #[serde(rename = "declaration.cancelled")]
    Cancelled {
        /// What the decision rests on.
        basis: Basis,
    },
    /// It was not.
    #[serde(rename = "declaration.cancel_denied")]
    CancelDenied {
        /// What the decision rests on.
        basis: Basis,
    },
    /// The trader contested a decision.
    #[serde(rename = "decision.contested")]
    Contested {
        /// In the trader's words.
        text: String,
    },
    /// An officer answered the contest.
    #[serde(rename = "contest.answered")]
    ContestAnswered {
        /// Was the trader right?
        upheld: bool,
        /// What the decision rests on.
        basis: Basis,
        /// In the officer's words.
        text: String,
    },
    /// An audit after release was opened.
    #[serde(rename = "audit.opened")]
    AuditOpened {
        /// Until when.
        due_at: Timestamp,
        /// What officers are to look for.
        look_for: Vec<LookFor>,
        /// What the decision rests on.
        basis: Basis,
    },
    /// The audit came to a result.
    #[serde(rename = "audit.closed")]
    AuditClosed {
        /// What came of it.
        result: ControlResult,
        /// What the decision rests on.
        basis: Basis,
    },
    /// A deadline passed. It is noted once, and changes nothing.
    #[serde(rename = "deadline.passed")]
    DeadlinePassed {
        /// Which: `control`, `documents`, `question` or `audit`.
        what: String,
        /// Since when.
        since: Timestamp,
    },
}

impl Event {
    /// All kinds of this room, in the order of the variants.
    pub const KINDS: &[&str] = &[
        "declaration.accepted",
        "declaration.rejected",
        "control.ordered",
        "control.taken",
        "control.given_back",
        "control.handed_over",
        "control.completed",
        "control.result_withdrawn",
        "documents.requested",
        "documents.received",
        "question.asked",
        "question.answered",
        "control.escalated",
        "release.scheduled",
        "goods.released",
        "goods.detained",
        "declaration.cancel_requested",
        "declaration.cancelled",
        "declaration.cancel_denied",
        "decision.contested",
        "contest.answered",
        "audit.opened",
        "audit.closed",
        "deadline.passed",
    ];

    /// Its kind in the journal.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "declaration.accepted",
            Self::Rejected { .. } => "declaration.rejected",
            Self::ControlOrdered { .. } => "control.ordered",
            Self::ControlTaken { .. } => "control.taken",
            Self::ControlGivenBack {} => "control.given_back",
            Self::ControlHandedOver { .. } => "control.handed_over",
            Self::ControlCompleted { .. } => "control.completed",
            Self::ResultWithdrawn { .. } => "control.result_withdrawn",
            Self::DocumentsRequested { .. } => "documents.requested",
            Self::DocumentsReceived { .. } => "documents.received",
            Self::QuestionAsked { .. } => "question.asked",
            Self::QuestionAnswered { .. } => "question.answered",
            Self::Escalated { .. } => "control.escalated",
            Self::ReleaseScheduled { .. } => "release.scheduled",
            Self::Released { .. } => "goods.released",
            Self::Detained { .. } => "goods.detained",
            Self::CancelRequested { .. } => "declaration.cancel_requested",
            Self::Cancelled { .. } => "declaration.cancelled",
            Self::CancelDenied { .. } => "declaration.cancel_denied",
            Self::Contested { .. } => "decision.contested",
            Self::ContestAnswered { .. } => "contest.answered",
            Self::AuditOpened { .. } => "audit.opened",
            Self::AuditClosed { .. } => "audit.closed",
            Self::DeadlinePassed { .. } => "deadline.passed",
        }
    }

    /// Its payload in the journal.
    #[must_use]
    pub fn payload(&self) -> Value {
        match serde_json::to_value(self) {
            // The form of an enum: one name, and under it what it holds.
            Ok(Value::Object(named)) => {
                named.into_iter().next().map(|(_, payload)| payload).unwrap_or_default()
            }
            _ => Value::Null,
        }
    }

    /// Reads a payload of the journal. `None`: this kind is not of this room. `Err` says what cannot be read.
    pub fn read(kind: &str, version: u32, payload: &Value) -> Option<Result<Self, String>> {
        if !Self::KINDS.contains(&kind) {
            return None;
        }
        if version != KIND_VERSION {
            return Some(Err(format!(
                "{kind} has version {version}; this program reads version {KIND_VERSION}. Update the program."
            )));
        }
        let named = serde_json::Map::from_iter([(kind.to_owned(), payload.clone())]);
        Some(serde_json::from_value(Value::Object(named)).map_err(|error| format!("{kind}: {error}")))
    }

    /// What the decision rests on, if it is one.
    #[must_use]
    pub fn basis(&self) -> Option<&Basis> {
        match self {
            Self::Accepted { basis }
            | Self::Rejected { basis, .. }
            | Self::ControlOrdered { basis, .. }
            | Self::ControlCompleted { basis, .. }
            | Self::Escalated { basis, .. }
            | Self::ReleaseScheduled { basis, .. }
            | Self::Released { basis }
            | Self::Detained { basis }
            | Self::Cancelled { basis }
            | Self::CancelDenied { basis }
            | Self::ContestAnswered { basis, .. }
            | Self::AuditOpened { basis, .. }
            | Self::AuditClosed { basis, .. } => Some(basis),
            _ => None,
        }
    }
}
