//! What can be done with a case now: one primary action, the others behind their words; each says what will happen.

use customhouse::declarations::{Action, CaseAction, CaseFile, ResultCode, State};
use customhouse::identity::Permission;
use jiff::Timestamp;
use maud::{Markup, html};

use super::{correct, timeline};
use crate::failure::Failure;
use crate::view::csrf;
use crate::visit::{Posted, Visit, own_place};
use crate::words::{Text, texts};

/// The order in which actions are offered: the first that is possible is the primary one.
const ORDER: [Action; 21] = [
    Action::Complete,
    Action::CloseAudit,
    Action::Take,
    Action::AnswerContest,
    Action::GrantAmendment,
    Action::DenyAmendment,
    Action::Cancel,
    Action::DenyCancel,
    Action::ReceivePayment,
    Action::ConfirmExit,
    Action::Clear,
    Action::RequestDocuments,
    Action::Ask,
    Action::Escalate,
    Action::Correct,
    Action::Release,
    Action::Detain,
    Action::WithdrawResult,
    Action::ReportInsufficient,
    Action::HandOver,
    Action::GiveBack,
];

/// Actions that move a case forward: only these are ever primary.
const FORWARD: [Action; 4] = [Action::Complete, Action::CloseAudit, Action::Take, Action::AnswerContest];

/// A text that an action asks for.
struct Asked {
    name: &'static str,
    label: Text,
    lines: bool,
}

fn asked(action: Action) -> Vec<Asked> {
    let why = || Asked { name: "why", label: texts::REASON, lines: true };
    match action {
        Action::HandOver => vec![Asked { name: "to", label: texts::HAND_OVER_TO, lines: false }, why()],
        Action::RequestDocuments => vec![Asked { name: "what", label: texts::WHICH_DOCUMENTS, lines: true }],
        Action::Ask => vec![Asked { name: "text", label: texts::QUESTION, lines: true }],
        Action::Detain => vec![Asked { name: "legal_basis", label: texts::LEGAL_BASIS, lines: false }, why()],
        Action::AnswerContest => vec![Asked { name: "text", label: texts::ANSWER_TEXT, lines: true }],
        Action::ReportInsufficient | Action::ReceivePayment => {
            vec![Asked { name: "note", label: texts::COVERED_NOTE, lines: true }]
        }
        Action::ConfirmExit => vec![Asked { name: "office", label: texts::EXIT_OFFICE, lines: false }],
        Action::WithdrawResult
        | Action::Correct
        | Action::Escalate
        | Action::Release
        | Action::Clear
        | Action::GrantAmendment
        | Action::DenyAmendment
        | Action::Cancel
        | Action::DenyCancel => vec![why()],
        _ => Vec::new(),
    }
}

/// Does the reader have what is open?
pub(super) fn holds(visit: &Visit, case: &CaseFile) -> bool {
    let own = visit.session().map(|session| session.account.id.as_str());
    let officers =
        [&case.control, &case.audit].into_iter().flatten().map(|control| control.officer.as_deref());
    officers.into_iter().any(|officer| officer.is_some() && officer == own)
}

/// What the reader can do, the primary one first.
pub(super) fn possible(visit: &Visit, case: &CaseFile) -> Vec<Action> {
    if !visit.may(Permission::Examine) {
        return Vec::new();
    }
    let (holds, leads) = (holds(visit, case), visit.may(Permission::Lead));
    ORDER
        .into_iter()
        .filter(|action| case.actions.contains(action))
        .filter(|action| match action {
            Action::HandOver => holds || leads,
            Action::AnswerContest
            | Action::Cancel
            | Action::DenyCancel
            | Action::GrantAmendment
            | Action::DenyAmendment => leads,
            action => holds || !action.is_of_holder(),
        })
        .collect()
}

/// When clearance ended without a release.
pub(super) fn ended_at(case: &CaseFile) -> Option<Timestamp> {
    let ended = matches!(case.row.state, Some(State::Rejected | State::Detained | State::Cancelled));
    case.timeline.last().filter(|_| ended).map(|step| step.at)
}

/// The panel of actions, and what is open on the other side.
pub(super) fn panel(visit: &Visit, case: &CaseFile) -> Markup {
    let possible = possible(visit, case);
    html! {
        (open_ends(visit, case))
        @if let Some((first, others)) = possible.split_first() {
            section class="case-actions" aria-label=(visit.say(texts::ACTIONS_HERE)) {
                @if FORWARD.contains(first) { div class="primary-action" { (one(visit, case, *first, true)) } }
                @else { (one(visit, case, *first, false)) }
                @for action in others { (one(visit, case, *action, false)) }
            }
        }
    }
}

/// What the case waits for, and how long a result can still be taken back.
fn open_ends(visit: &Visit, case: &CaseFile) -> Markup {
    let open = [
        (texts::QUESTION_OPEN, &case.open_question),
        (texts::DOCUMENTS_WANTED, &case.open_documents),
        (texts::CONTEST_OPEN, &case.open_contest),
        (texts::CANCEL_REQUESTED, &case.cancel_requested),
        (texts::AMENDMENT_REQUESTED, &case.amendment_requested),
    ];
    html! {
        @if let (Some(at), Some(State::ReleasePending)) = (case.release_at, case.row.state) {
            div class="notice information" {
                p {
                    strong { (visit.fill(texts::RELEASE_AT_TIME, &[("time", &timeline::second(at))])) } " · "
                    (visit.say(texts::WITHDRAW_TIME_LEFT)) ": "
                    strong data-until=(at) { (crate::declarations::clock(visit.house().now(), at)) }
                }
                p { (visit.say(texts::RESULT_UNDO)) }
            }
        }
        @for (word, text) in open {
            @if let Some(text) = text { div class="notice warn" { p { strong { (visit.say(word)) } } blockquote { (text) } } }
        }
    }
}

/// The key that sets an action off.
fn key(action: Action) -> Option<&'static str> {
    match action {
        Action::Take => Some("t"),
        Action::Complete | Action::CloseAudit => Some("r"),
        Action::HandOver => Some("h"),
        _ => None,
    }
}

fn one(visit: &Visit, case: &CaseFile, action: Action, primary: bool) -> Markup {
    let word = visit.named("action", action.name());
    let will = visit.named("will", action.name());
    let class = primary.then_some("primary");
    let asked = asked(action);
    html! {
        @if matches!(action, Action::Complete | Action::CloseAudit) {
            div class="action" {
                a class={ "button " (class.unwrap_or_default()) } href={ "/declarations/" (case.row.mrn) "/result" } data-key=[key(action)] { (word) }
                p class="help" { (will) }
            }
        } @else if asked.is_empty() {
            div class="action" {
                form method="post" action={ "/declarations/" (case.row.mrn) "/act" } {
                    (hidden(visit, case, action))
                    button class=[class] data-key=[key(action)] { (word) }
                }
                p class="help" { (will) }
            }
        } @else {
            details class="action" {
                summary class={ "button " (class.unwrap_or_default()) } data-key=[key(action)] { (word) }
                form method="post" action={ "/declarations/" (case.row.mrn) "/act" } class="stack card" {
                    (hidden(visit, case, action))
                    p { (will) }
                    @if action == Action::AnswerContest { (upheld(visit)) }
                    @if action == Action::Correct { (correct::fields(visit, case)) }
                    @for field in &asked { (text_field(visit, action, field)) }
                    button class="primary" { (word) }
                }
            }
        }
    }
}

/// What every action carries: what was looked at.
pub(crate) fn looked_at(case: &CaseFile) -> Markup {
    let seen = case.timeline.last().map_or(0, |step| step.position);
    html! {
        input type="hidden" name="version" value=(case.version);
        input type="hidden" name="seen" value=(seen);
    }
}

fn hidden(visit: &Visit, case: &CaseFile, action: Action) -> Markup {
    html! { (csrf(visit)) (looked_at(case)) input type="hidden" name="action" value=(action.name()); }
}

fn upheld(visit: &Visit) -> Markup {
    html! {
        fieldset class="plain" {
            legend { (visit.say(texts::CONTEST_UPHELD)) }
            label { input type="radio" name="upheld" value="yes" required; " " (visit.say(texts::YES)) } " "
            label { input type="radio" name="upheld" value="no"; " " (visit.say(texts::NO)) }
        }
    }
}

fn text_field(visit: &Visit, action: Action, field: &Asked) -> Markup {
    let id = format!("{}-{}", action.name(), field.name);
    html! {
        label for=(id) { (visit.say(field.label)) }
        @if field.lines { textarea id=(id) name=(field.name) rows="3" required maxlength="4000" {} }
        @else { input id=(id) name=(field.name) required maxlength="400" autocomplete="off" spellcheck="false"; }
    }
}

/// The action that a form names, with its texts.
pub(super) fn read(posted: &Posted) -> Result<CaseAction, Failure> {
    let text = |name: &str| posted.text(name).trim().to_owned();
    let why = || text("why");
    let name = posted.text("action");
    let action = Action::ALL
        .into_iter()
        .find(|action| action.name() == name)
        .ok_or_else(|| Failure::unreadable("the form names no action"))?;
    Ok(match action {
        Action::Take => CaseAction::Take,
        Action::GiveBack => CaseAction::GiveBack,
        Action::HandOver => CaseAction::HandOver { to: text("to"), why: why() },
        Action::WithdrawResult => CaseAction::WithdrawResult { why: why() },
        Action::RequestDocuments => CaseAction::RequestDocuments { what: text("what") },
        Action::Ask => CaseAction::Ask { text: text("text") },
        Action::Escalate => CaseAction::Escalate { why: why() },
        Action::Release => CaseAction::Release { why: why(), open: Vec::new() },
        Action::Clear => CaseAction::Clear { why: why() },
        Action::GrantAmendment => CaseAction::GrantAmendment { why: why() },
        Action::DenyAmendment => CaseAction::DenyAmendment { why: why() },
        Action::ReportInsufficient => CaseAction::ReportInsufficient { note: text("note") },
        Action::ReceivePayment => CaseAction::ReceivePayment { note: text("note") },
        Action::ConfirmExit => CaseAction::ConfirmExit { office: text("office"), code: ResultCode::Conform },
        Action::Detain => CaseAction::Detain { legal_basis: text("legal_basis"), why: why() },
        Action::Cancel => CaseAction::Cancel { why: why() },
        Action::DenyCancel => CaseAction::DenyCancel { why: why() },
        Action::AnswerContest => {
            CaseAction::AnswerContest { upheld: posted.text("upheld") == "yes", text: text("text") }
        }
        Action::Complete
        | Action::CloseAudit
        | Action::SendDocuments
        | Action::Answer
        | Action::RequestCancel
        | Action::Correct
        | Action::Present
        | Action::Depart
        | Action::RequestAmendment
        | Action::Contest => return Err(Failure::unreadable("this action has a form of its own")),
    })
}

/// Where to go on to: where the form came from, or the case.
pub(crate) fn next_place(posted: &Posted, mrn: &str) -> String {
    match posted.filled("next") {
        Some(next) => own_place(Some(next)).to_owned(),
        None => format!("/declarations/{mrn}"),
    }
}
