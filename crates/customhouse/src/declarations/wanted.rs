//! What officers and traders want done with a declaration.

use clearance::{ControlResult, ResultCode};
use serde::{Deserialize, Serialize};
use spine::declaration::Declaration;

/// What an officer or a trader wants done with a declaration. The version is the one that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum CaseAction {
    /// Take the open control or audit.
    Take,
    /// Give it back.
    GiveBack,
    /// Give it to another officer, by account name or id.
    HandOver {
        /// Account name or id.
        to: String,
        /// Why.
        why: String,
    },
    /// Record the result of the control.
    Complete {
        /// What was found.
        result: ControlResult,
    },
    /// Take a result back while the release has no effect yet.
    WithdrawResult {
        /// Why.
        why: String,
    },
    /// Ask the trader for documents.
    RequestDocuments {
        /// Which.
        what: String,
    },
    /// Ask the trader something.
    Ask {
        /// What.
        text: String,
    },
    /// Have the goods examined physically.
    Escalate {
        /// Why.
        why: String,
    },
    /// Release, on the officer's own decision.
    Release {
        /// Why.
        why: String,
        /// What stays open: `debt`, `licence`.
        #[serde(default)]
        open: Vec<String>,
    },
    /// Nothing is open any more after release.
    Clear {
        /// Why.
        why: String,
    },
    /// Amend it, as the trader asked.
    GrantAmendment {
        /// Why.
        why: String,
    },
    /// Do not amend it.
    DenyAmendment {
        /// Why.
        why: String,
    },
    /// Correct it by what a control found.
    Correct {
        /// Why.
        why: String,
        /// Its content from now on, whole.
        declaration: Box<Declaration>,
    },
    /// What is owed is not covered.
    ReportInsufficient {
        /// Which account or guarantee does not cover it.
        note: String,
    },
    /// It is covered now.
    ReceivePayment {
        /// How.
        note: String,
    },
    /// The office of exit saw the goods leave.
    ConfirmExit {
        /// Office of exit.
        office: String,
        /// Result there.
        code: ResultCode,
    },
    /// Detain.
    Detain {
        /// Law it rests on.
        legal_basis: String,
        /// Why.
        why: String,
    },
    /// Close the audit after release.
    CloseAudit {
        /// What was found.
        result: ControlResult,
    },
    /// Cancel, as the trader asked.
    Cancel {
        /// Why.
        why: String,
    },
    /// Do not cancel.
    DenyCancel {
        /// Why.
        why: String,
    },
    /// Answer a contest.
    AnswerContest {
        /// Is the trader right?
        upheld: bool,
        /// Answer.
        text: String,
    },
    /// Trader: answer the question.
    Answer {
        /// Answer.
        text: String,
    },
    /// Trader: send documents.
    SendDocuments {
        /// A word on them.
        note: String,
        /// Documents kept before with `keep_document`: name, media type, SHA-256.
        documents: Vec<SentDocument>,
    },
    /// Trader: ask to cancel.
    RequestCancel {
        /// Why.
        why: String,
    },
    /// Trader: the goods are at the office.
    Present {
        /// Where they are.
        location: String,
    },
    /// Trader: the goods set out for the office of exit.
    Depart {
        /// From where.
        location: String,
    },
    /// Trader: contest the last decision.
    Contest {
        /// What is wrong with it.
        text: String,
    },
}

/// A document that came with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentDocument {
    /// Its file name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}
