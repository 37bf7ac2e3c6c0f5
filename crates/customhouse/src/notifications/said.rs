//! Which notifications an event leads to. Whoever lists them and whoever writes them go by this.

use clearance::{Case, ControlKind, Event};
use formats::notification::FunctionCode;

/// Status of a request that was granted, and of one that was denied (code list of the DMS profile).
const GRANTED: &str = "39";
const DENIED: &str = "41";
/// Status of a debt: provisional, final, changed after release.
const PROVISIONAL: &str = "67";
const FINAL: &str = "4";
const CHANGED: &str = "115";

/// One notification in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: FunctionCode,
    pub(super) status: Option<&'static str>,
}

/// What an event says to the trader, in order; `after` is the case that has followed it. A control that is not announced
/// says nothing.
pub(super) fn said(event: &Event, after: &Case) -> Vec<Said> {
    use FunctionCode as Code;
    let told = after.control.as_ref().is_none_or(|control| control.trader_may_be_told);
    let one = |code: Code| vec![Said { code, status: None }];
    let with = |code: Code, status: &'static str| Said { code, status: Some(status) };
    match event {
        Event::Registered { .. } | Event::AmendmentRequested { .. } | Event::CancelRequested { .. } => {
            one(Code::Received)
        }
        Event::Presented { notice } if notice.reference.is_some() => one(Code::Received),
        Event::Accepted { .. } => one(Code::Accepted),
        Event::Rejected { .. } => one(Code::Rejected),
        Event::RequestRefused { notice, .. } if notice.reference.is_some() => one(Code::Rejected),
        Event::DebtAssessed { .. } => {
            vec![with(Code::Debt, if after.state.is_free() { CHANGED } else { PROVISIONAL })]
        }
        Event::ControlOrdered { control, .. } | Event::Escalated { to: control, .. } if told => match control
        {
            ControlKind::Physical => one(Code::Control),
            ControlKind::Documents => one(Code::Documents),
            ControlKind::Query | ControlKind::Audit => Vec::new(),
        },
        Event::DocumentsRequested { .. } => one(Code::Documents),
        Event::QuestionAsked { .. } => one(Code::Query),
        Event::AmendmentGranted { .. } => {
            vec![with(Code::Decision, GRANTED), Said { code: Code::Amended, status: None }]
        }
        Event::Corrected { .. } => one(Code::Amended),
        Event::Cancelled { .. } => {
            vec![with(Code::Decision, GRANTED), Said { code: Code::Cancelled, status: None }]
        }
        Event::AmendmentDenied { .. } | Event::CancelDenied { .. } => vec![with(Code::Decision, DENIED)],
        Event::PaymentInsufficient { .. } => one(Code::InsufficientFunds),
        Event::PaymentReminded {} => one(Code::PaymentReminder),
        Event::Released { open, .. } => {
            let code = if open.is_empty() { Code::Cleared } else { Code::Released };
            let debt = (!after.debt.is_empty()).then(|| with(Code::Debt, FINAL));
            debt.into_iter().chain(one(code)).collect()
        }
        Event::Cleared { .. } => one(Code::Cleared),
        Event::Detained { .. } => one(Code::Detained),
        Event::ExitConfirmed { code, .. } => vec![with(Code::Exited, code.code())],
        Event::ExitAwaited { .. } => one(Code::ExitAwaited),
        _ => Vec::new(),
    }
}

/// Reference of the message that a notification answers. `None`: it answers none, or the declaration itself.
pub(super) fn answered<'a>(said: Said, event: &'a Event, after: &'a Case) -> Option<&'a str> {
    match event {
        _ if said.code == FunctionCode::Decision => after.asked_by.as_deref(),
        Event::AmendmentRequested { notice, .. }
        | Event::RequestRefused { notice, .. }
        | Event::Presented { notice } => notice.reference.as_deref(),
        Event::CancelRequested { reference, .. } => reference.as_deref(),
        _ => None,
    }
}
