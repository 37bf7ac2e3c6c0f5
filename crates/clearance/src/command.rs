//! What can be asked of a case.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::declaration::Declaration;
use spine::noun::{Evidence, Lane};
use spine::{Finding, LocalizedText};

use crate::action::Action;
use crate::control::{ControlKind, ControlResult, LookFor, ResultCode};
use crate::duty::ItemDebt;
use crate::event::{Change, Notice};

/// What a decision rests on. Every decision has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Law it rests on.
    pub legal_basis: String,
    /// Why.
    pub reason: LocalizedText,
    /// How to contest it.
    pub how_to_contest: LocalizedText,
    /// Content hash of the policy that was applied; `None` is an officer's own act.
    pub policy: Option<String>,
}

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// Hours for an examination of documents, and for a trader to answer.
    pub documents_hours: u32,
    /// Hours for an examination of goods.
    pub control_hours: u32,
    /// Hours for an officer to decide on what is held.
    pub hold_hours: u32,
    /// Hours for an audit after release.
    pub audit_hours: u32,
    /// Seconds between a conform result and the release, in which the result can be withdrawn.
    pub release_grace_seconds: u32,
    /// Hours within which the goods of a declaration that was lodged before them must come.
    #[serde(default = "arrival_hours")]
    pub arrival_hours: u32,
    /// Hours within which a debt that is not covered is to be covered; half-way its trader is reminded.
    #[serde(default = "payment_hours")]
    pub payment_hours: u32,
}

/// Thirty days (Article 171 of the Union Customs Code, Regulation (EU) No 952/2013).
fn arrival_hours() -> u32 {
    30 * 24
}

/// Ten days (Article 108 of the same).
fn payment_hours() -> u32 {
    10 * 24
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            documents_hours: 240,
            control_hours: 48,
            hold_hours: 24,
            audit_hours: 720,
            release_grace_seconds: 30,
            arrival_hours: arrival_hours(),
            payment_hours: payment_hours(),
        }
    }
}

impl Deadlines {
    /// Hours that a control may take.
    #[must_use]
    pub fn hours(&self, kind: ControlKind) -> u32 {
        match kind {
            ControlKind::Documents => self.documents_hours,
            ControlKind::Physical => self.control_hours,
            ControlKind::Query => self.hold_hours,
            ControlKind::Audit => self.audit_hours,
        }
    }
}

/// What can be asked of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Register it: its goods are still to come.
    Register {
        /// What the decision rests on.
        basis: Basis,
        /// How long things may take.
        deadlines: Deadlines,
    },
    /// Accept it.
    Accept {
        /// What the decision rests on.
        basis: Basis,
        /// Do its goods leave the territory?
        export: bool,
        /// What is owed by its own rates; nothing where it states none.
        debt: Vec<ItemDebt>,
    },
    /// Reject it, to be corrected and lodged again.
    Reject {
        /// What the decision rests on.
        basis: Basis,
        /// What to correct.
        findings: Vec<Finding>,
    },
    /// Send it the way its lane goes: release, release with an audit, or a control.
    Route {
        /// The lane.
        lane: Lane,
        /// What officers are to look for.
        look_for: Vec<LookFor>,
        /// What the decision rests on.
        basis: Basis,
        /// How long things may take.
        deadlines: Deadlines,
    },
    /// Take the open control, or the open audit after release.
    Take,
    /// Give it back.
    GiveBack,
    /// Hand it over to another officer. Who may do so with a control that is not theirs is for the caller to check.
    HandOver {
        /// Id of the officer who gets it.
        to: String,
        /// Why.
        why: String,
    },
    /// Record what came of the control.
    Complete {
        /// What came of it.
        result: ControlResult,
        /// What the decision rests on.
        basis: Basis,
        /// How long things may take.
        deadlines: Deadlines,
    },
    /// Withdraw the result, until the release has effect.
    WithdrawResult {
        /// Why.
        why: String,
    },
    /// Ask the trader for documents.
    RequestDocuments {
        /// Which.
        what: String,
        /// Until when.
        due_at: Timestamp,
    },
    /// Send the documents that were asked for.
    SendDocuments {
        /// The documents.
        documents: Vec<Evidence>,
        /// What to say with them; may be empty.
        note: String,
    },
    /// Ask the trader a question.
    Ask {
        /// The question.
        text: String,
        /// Until when.
        due_at: Timestamp,
    },
    /// Answer the question.
    Answer {
        /// The answer.
        text: String,
        /// Documents with it.
        documents: Vec<Evidence>,
    },
    /// Order another control in place of the open one.
    Escalate {
        /// The other control.
        to: ControlKind,
        /// Why.
        why: String,
        /// Until when.
        due_at: Timestamp,
        /// What the decision rests on.
        basis: Basis,
    },
    /// Release the goods.
    Release {
        /// What the decision rests on.
        basis: Basis,
        /// What stays open: `debt`, `licence`.
        open: Vec<String>,
    },
    /// Say that nothing is open any more.
    Clear {
        /// What the decision rests on.
        basis: Basis,
    },
    /// Keep the goods.
    Detain {
        /// What the decision rests on.
        basis: Basis,
    },
    /// Ask for the declaration to be invalidated.
    RequestCancel {
        /// Why.
        why: String,
        /// The trader's reference of its message, if it came as one.
        reference: Option<String>,
    },
    /// Invalidate it, as asked.
    Cancel {
        /// What the decision rests on.
        basis: Basis,
    },
    /// Do not invalidate it.
    DenyCancel {
        /// What the decision rests on.
        basis: Basis,
    },
    /// Contest a decision.
    Contest {
        /// In the trader's words.
        text: String,
    },
    /// Answer the contest.
    AnswerContest {
        /// Was the trader right?
        upheld: bool,
        /// What the decision rests on.
        basis: Basis,
        /// In the officer's words.
        text: String,
    },
    /// Record what came of the audit after release.
    CloseAudit {
        /// What came of it.
        result: ControlResult,
        /// What the decision rests on.
        basis: Basis,
    },
    /// Tell that the goods came to the office.
    Present {
        /// Who told so.
        notice: Notice,
    },
    /// Tell that the goods set out for the office of exit.
    Depart {
        /// Who told so.
        notice: Notice,
    },
    /// Ask for it to be amended.
    RequestAmendment {
        /// The message.
        notice: Notice,
        /// Why.
        why: String,
        /// What is to change.
        changes: Vec<Change>,
    },
    /// Amend it, as asked.
    GrantAmendment {
        /// What the decision rests on.
        basis: Basis,
        /// Its content from now on.
        declaration: Box<Declaration>,
        /// What it owes then.
        debt: Vec<ItemDebt>,
        /// Content hashes of the packs of rules and lists that it was held against.
        packs: Vec<String>,
    },
    /// Do not amend it.
    DenyAmendment {
        /// What the decision rests on.
        basis: Basis,
    },
    /// Correct it, after a control.
    Correct {
        /// What the decision rests on.
        basis: Basis,
        /// What changes.
        changes: Vec<Change>,
        /// Its content from now on.
        declaration: Box<Declaration>,
        /// What it owes then.
        debt: Vec<ItemDebt>,
        /// Content hashes of the packs of rules and lists that it was held against.
        packs: Vec<String>,
    },
    /// Answer a message that cannot be followed.
    RefuseRequest {
        /// The message.
        notice: Notice,
        /// What was asked.
        request: String,
        /// Why not.
        findings: Vec<Finding>,
    },
    /// Tell that what is owed is not covered.
    ReportInsufficient {
        /// What does not cover it.
        note: String,
        /// How long things may take.
        deadlines: Deadlines,
    },
    /// Tell that it is covered now; what was about to be released is released.
    ReceivePayment {
        /// How.
        note: String,
        /// What the release rests on, that may follow.
        basis: Basis,
    },
    /// Tell what the office of exit saw.
    ConfirmExit {
        /// Office of exit.
        office: String,
        /// Result there.
        code: ResultCode,
    },
    /// Let happen what is due: a release that was scheduled, goods that never came, deadlines that passed. Nothing due is
    /// no event.
    Tick,
}

impl Command {
    /// What somebody does with it, if it is something that people do by hand.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        Some(match self {
            Self::Register { .. }
            | Self::Accept { .. }
            | Self::Reject { .. }
            | Self::Route { .. }
            | Self::RefuseRequest { .. }
            | Self::Tick => return None,
            Self::Present { .. } => Action::Present,
            Self::Depart { .. } => Action::Depart,
            Self::RequestAmendment { .. } => Action::RequestAmendment,
            Self::GrantAmendment { .. } => Action::GrantAmendment,
            Self::DenyAmendment { .. } => Action::DenyAmendment,
            Self::Correct { .. } => Action::Correct,
            Self::ReportInsufficient { .. } => Action::ReportInsufficient,
            Self::ReceivePayment { .. } => Action::ReceivePayment,
            Self::Clear { .. } => Action::Clear,
            Self::ConfirmExit { .. } => Action::ConfirmExit,
            Self::Take => Action::Take,
            Self::GiveBack => Action::GiveBack,
            Self::HandOver { .. } => Action::HandOver,
            Self::Complete { .. } => Action::Complete,
            Self::WithdrawResult { .. } => Action::WithdrawResult,
            Self::RequestDocuments { .. } => Action::RequestDocuments,
            Self::SendDocuments { .. } => Action::SendDocuments,
            Self::Ask { .. } => Action::Ask,
            Self::Answer { .. } => Action::Answer,
            Self::Escalate { .. } => Action::Escalate,
            Self::Release { .. } => Action::Release,
            Self::Detain { .. } => Action::Detain,
            Self::RequestCancel { .. } => Action::RequestCancel,
            Self::Cancel { .. } => Action::Cancel,
            Self::DenyCancel { .. } => Action::DenyCancel,
            Self::Contest { .. } => Action::Contest,
            Self::AnswerContest { .. } => Action::AnswerContest,
            Self::CloseAudit { .. } => Action::CloseAudit,
        })
    }

    /// What the decision rests on, if it is one.
    #[must_use]
    pub fn basis(&self) -> Option<&Basis> {
        match self {
            Self::Register { basis, .. }
            | Self::Accept { basis, .. }
            | Self::Clear { basis }
            | Self::GrantAmendment { basis, .. }
            | Self::DenyAmendment { basis }
            | Self::Correct { basis, .. }
            | Self::ReceivePayment { basis, .. }
            | Self::Reject { basis, .. }
            | Self::Route { basis, .. }
            | Self::Complete { basis, .. }
            | Self::Escalate { basis, .. }
            | Self::Release { basis, .. }
            | Self::Detain { basis }
            | Self::Cancel { basis }
            | Self::DenyCancel { basis }
            | Self::AnswerContest { basis, .. }
            | Self::CloseAudit { basis, .. } => Some(basis),
            _ => None,
        }
    }
}
