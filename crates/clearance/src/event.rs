//! What happens to a declaration. Payloads are released formats: add optional fields, change none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::declaration::Declaration;
use spine::noun::Evidence;
use spine::{Finding, Pointer};

use crate::command::Basis;
use crate::control::{ControlKind, ControlResult, LookFor, ResultCode};
use crate::duty::ItemDebt;

/// Version of the payloads that this program writes and reads.
const KIND_VERSION: u32 = 1;

/// A message about a declaration, or a report of somebody at the spot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The sender's reference of the message; none where somebody reported by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where the goods are, as the message says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The message as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Evidence>,
}

/// One change of a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Published code of its reason; customs' own corrections have 16.
    pub reason_code: String,
    /// What changed: names of elements with indices, as the declaration has them.
    pub place: Pointer,
}

/// What happens to a declaration after its lodgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It is legally a declaration now.
    #[serde(rename = "declaration.accepted")]
    Accepted {
        /// What the decision rests on.
        basis: Basis,
        /// Do its goods leave the territory?
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        export: bool,
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
        /// What is still open: `debt`, `licence`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        open: Vec<String>,
        /// When the result of the office of exit should be here; none where goods do not leave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_by: Option<Timestamp>,
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
        /// The trader's reference of the message that asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
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
    /// It was registered before its goods came.
    #[serde(rename = "declaration.registered")]
    Registered {
        /// What the decision rests on.
        basis: Basis,
        /// Until when its goods must be presented.
        arrive_by: Timestamp,
    },
    /// Its goods came to the office.
    #[serde(rename = "goods.presented")]
    Presented {
        /// Who told so.
        notice: Notice,
    },
    /// The trader asked for it to be amended.
    #[serde(rename = "amendment.requested")]
    AmendmentRequested {
        /// The message.
        notice: Notice,
        /// Why, in the trader's words.
        why: String,
        /// What is to change.
        changes: Vec<Change>,
    },
    /// It was amended as asked; this is its new content.
    #[serde(rename = "amendment.granted")]
    AmendmentGranted {
        /// What the decision rests on.
        basis: Basis,
        /// Its version from now on; the original was 1.
        version: u32,
        /// Its content from now on.
        declaration: Box<Declaration>,
        /// Content hashes of the packs of rules and lists that it was held against.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        packs: Vec<String>,
    },
    /// It was not amended.
    #[serde(rename = "amendment.denied")]
    AmendmentDenied {
        /// What the decision rests on.
        basis: Basis,
    },
    /// Customs corrected it after a control.
    #[serde(rename = "declaration.corrected")]
    Corrected {
        /// What the decision rests on.
        basis: Basis,
        /// Its version from now on.
        version: u32,
        /// What changed.
        changes: Vec<Change>,
        /// Its content from now on.
        declaration: Box<Declaration>,
        /// Content hashes of the packs of rules and lists that it was held against.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        packs: Vec<String>,
    },
    /// A message about it could not be followed; it stays as it was.
    #[serde(rename = "request.refused")]
    RequestRefused {
        /// The message.
        notice: Notice,
        /// What was asked: `amendment`, `cancellation`, `presentation`, `departure`.
        request: String,
        /// Why not.
        findings: Vec<Finding>,
    },
    /// Its debt was assessed, or assessed anew. It is final once the goods are released.
    #[serde(rename = "debt.assessed")]
    DebtAssessed {
        /// What is owed, item by item.
        items: Vec<ItemDebt>,
    },
    /// The debt is not covered.
    #[serde(rename = "payment.insufficient")]
    PaymentInsufficient {
        /// What is missing, in words: the account or guarantee that does not cover it.
        note: String,
        /// Until when it is to be covered.
        due_at: Timestamp,
        /// When the trader is reminded of it.
        remind_at: Timestamp,
    },
    /// The trader was reminded of it.
    #[serde(rename = "payment.reminded")]
    PaymentReminded {},
    /// The debt is covered now.
    #[serde(rename = "payment.received")]
    PaymentReceived {
        /// How, in words.
        note: String,
    },
    /// Nothing is open any more.
    #[serde(rename = "declaration.cleared")]
    Cleared {
        /// What the decision rests on.
        basis: Basis,
    },
    /// The goods set out from the place of presentation.
    #[serde(rename = "goods.departed")]
    Departed {
        /// Who told so.
        notice: Notice,
    },
    /// The office of exit saw them leave the territory.
    #[serde(rename = "exit.confirmed")]
    ExitConfirmed {
        /// Office of exit.
        office: String,
        /// Result there: A1 satisfactory, A2 considered satisfactory, A4 a minor discrepancy.
        code: ResultCode,
        /// When they left.
        left_at: Timestamp,
    },
    /// No result of the office of exit came in time; its trader is asked.
    #[serde(rename = "exit.awaited")]
    ExitAwaited {
        /// Until when an answer is expected.
        until: Timestamp,
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
        "declaration.registered",
        "goods.presented",
        "amendment.requested",
        "amendment.granted",
        "amendment.denied",
        "declaration.corrected",
        "request.refused",
        "debt.assessed",
        "payment.insufficient",
        "payment.reminded",
        "payment.received",
        "declaration.cleared",
        "goods.departed",
        "exit.confirmed",
        "exit.awaited",
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
            Self::Registered { .. } => "declaration.registered",
            Self::Presented { .. } => "goods.presented",
            Self::AmendmentRequested { .. } => "amendment.requested",
            Self::AmendmentGranted { .. } => "amendment.granted",
            Self::AmendmentDenied { .. } => "amendment.denied",
            Self::Corrected { .. } => "declaration.corrected",
            Self::RequestRefused { .. } => "request.refused",
            Self::DebtAssessed { .. } => "debt.assessed",
            Self::PaymentInsufficient { .. } => "payment.insufficient",
            Self::PaymentReminded {} => "payment.reminded",
            Self::PaymentReceived { .. } => "payment.received",
            Self::Cleared { .. } => "declaration.cleared",
            Self::Departed { .. } => "goods.departed",
            Self::ExitConfirmed { .. } => "exit.confirmed",
            Self::ExitAwaited { .. } => "exit.awaited",
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
            Self::Accepted { basis, .. }
            | Self::Registered { basis, .. }
            | Self::AmendmentGranted { basis, .. }
            | Self::AmendmentDenied { basis }
            | Self::Corrected { basis, .. }
            | Self::Cleared { basis }
            | Self::Rejected { basis, .. }
            | Self::ControlOrdered { basis, .. }
            | Self::ControlCompleted { basis, .. }
            | Self::Escalated { basis, .. }
            | Self::ReleaseScheduled { basis, .. }
            | Self::Released { basis, .. }
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
