//! What people can do with a case by hand.

use serde::{Deserialize, Serialize};
use spine::ActorKind;

/// What an officer or a trader can do with a case by hand: one button each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Take the open control or audit.
    Take,
    /// Give it back.
    GiveBack,
    /// Hand it over.
    HandOver,
    /// Record the result of the control.
    Complete,
    /// Withdraw the result.
    WithdrawResult,
    /// Ask for documents.
    RequestDocuments,
    /// Ask a question.
    Ask,
    /// Order another control.
    Escalate,
    /// Release the goods.
    Release,
    /// Keep the goods.
    Detain,
    /// Invalidate the declaration.
    Cancel,
    /// Do not invalidate it.
    DenyCancel,
    /// Answer a contest.
    AnswerContest,
    /// Record the result of the audit.
    CloseAudit,
    /// Amend the declaration, as asked.
    GrantAmendment,
    /// Do not amend it.
    DenyAmendment,
    /// Correct it after a control.
    Correct,
    /// Tell that what is owed is not covered.
    ReportInsufficient,
    /// Tell that it is covered now.
    ReceivePayment,
    /// Say that nothing is open any more.
    Clear,
    /// Tell what the office of exit saw.
    ConfirmExit,
    /// Send documents.
    SendDocuments,
    /// Answer a question.
    Answer,
    /// Ask for the declaration to be invalidated.
    RequestCancel,
    /// Contest a decision.
    Contest,
    /// Tell that the goods came.
    Present,
    /// Tell that they set out.
    Depart,
    /// Ask for the declaration to be amended.
    RequestAmendment,
}

impl Action {
    /// All actions: those of officers, then those of traders.
    pub const ALL: [Self; 28] = [
        Self::Take,
        Self::GiveBack,
        Self::HandOver,
        Self::Complete,
        Self::WithdrawResult,
        Self::RequestDocuments,
        Self::Ask,
        Self::Escalate,
        Self::Release,
        Self::Detain,
        Self::Cancel,
        Self::DenyCancel,
        Self::AnswerContest,
        Self::CloseAudit,
        Self::GrantAmendment,
        Self::DenyAmendment,
        Self::Correct,
        Self::ReportInsufficient,
        Self::ReceivePayment,
        Self::Clear,
        Self::ConfirmExit,
        Self::SendDocuments,
        Self::Answer,
        Self::RequestCancel,
        Self::Contest,
        Self::Present,
        Self::Depart,
        Self::RequestAmendment,
    ];

    /// The stable name used in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::GiveBack => "give_back",
            Self::HandOver => "hand_over",
            Self::Complete => "complete",
            Self::WithdrawResult => "withdraw_result",
            Self::RequestDocuments => "request_documents",
            Self::Ask => "ask",
            Self::Escalate => "escalate",
            Self::Release => "release",
            Self::Detain => "detain",
            Self::Cancel => "cancel",
            Self::DenyCancel => "deny_cancel",
            Self::AnswerContest => "answer_contest",
            Self::CloseAudit => "close_audit",
            Self::SendDocuments => "send_documents",
            Self::Answer => "answer",
            Self::RequestCancel => "request_cancel",
            Self::Contest => "contest",
            Self::GrantAmendment => "grant_amendment",
            Self::DenyAmendment => "deny_amendment",
            Self::Correct => "correct",
            Self::ReportInsufficient => "report_insufficient",
            Self::ReceivePayment => "receive_payment",
            Self::Clear => "clear",
            Self::ConfirmExit => "confirm_exit",
            Self::Present => "present",
            Self::Depart => "depart",
            Self::RequestAmendment => "request_amendment",
        }
    }

    /// Who does it: an officer or a trader.
    #[must_use]
    pub fn by(self) -> ActorKind {
        match self {
            Self::SendDocuments
            | Self::Answer
            | Self::RequestCancel
            | Self::Contest
            | Self::Present
            | Self::Depart
            | Self::RequestAmendment => ActorKind::Trader,
            _ => ActorKind::Officer,
        }
    }

    /// Is it for the officer alone who took the control or audit?
    #[must_use]
    pub fn is_of_holder(self) -> bool {
        matches!(
            self,
            Self::GiveBack
                | Self::Complete
                | Self::WithdrawResult
                | Self::RequestDocuments
                | Self::Ask
                | Self::Escalate
                | Self::Release
                | Self::Detain
                | Self::Correct
                | Self::CloseAudit
        )
    }

    /// The kind of the event that it leads to first.
    #[must_use]
    pub fn event(self) -> &'static str {
        match self {
            Self::Take => "control.taken",
            Self::GiveBack => "control.given_back",
            Self::HandOver => "control.handed_over",
            Self::Complete => "control.completed",
            Self::WithdrawResult => "control.result_withdrawn",
            Self::RequestDocuments => "documents.requested",
            Self::Ask => "question.asked",
            Self::Escalate => "control.escalated",
            Self::Release => "goods.released",
            Self::Detain => "goods.detained",
            Self::Cancel => "declaration.cancelled",
            Self::DenyCancel => "declaration.cancel_denied",
            Self::AnswerContest => "contest.answered",
            Self::CloseAudit => "audit.closed",
            Self::SendDocuments => "documents.received",
            Self::Answer => "question.answered",
            Self::RequestCancel => "declaration.cancel_requested",
            Self::Contest => "decision.contested",
            Self::GrantAmendment => "amendment.granted",
            Self::DenyAmendment => "amendment.denied",
            Self::Correct => "declaration.corrected",
            Self::ReportInsufficient => "payment.insufficient",
            Self::ReceivePayment => "payment.received",
            Self::Clear => "declaration.cleared",
            Self::ConfirmExit => "exit.confirmed",
            Self::Present => "goods.presented",
            Self::Depart => "goods.departed",
            Self::RequestAmendment => "amendment.requested",
        }
    }
}
