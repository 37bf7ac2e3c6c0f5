//! The table of states and events. Nothing moves but along it.

use std::sync::LazyLock;

use spine::ActorKind;

use crate::case::Case;
use crate::control::ControlKind;
use crate::event::Event;
use crate::state::State;
use State::{
    Accepted, AwaitingDocuments, Cancelled, Cleared, Detained, Exited, Held, Lodged, PaymentPending,
    Presented, Received, Rejected, ReleasePending, Released, UnderControl,
};

/// What must be so for a line of the table to apply, where one event may lead to several states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// Nothing.
    Always,
    /// The control that is ordered, or taken up again, is of documents.
    Documents,
    /// It is of goods.
    Physical,
    /// It is whatever an officer finds necessary.
    Query,
    /// The contest is upheld.
    Upheld,
    /// It is not.
    NotUpheld,
    /// Nothing is open any more with the release.
    NothingOpen,
    /// A debt or a licence is.
    SomethingOpen,
    /// Its goods leave the territory.
    Export,
}

impl When {
    /// In words, for the documentation.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Always => "",
            Self::Documents => "control of documents",
            Self::Physical => "physical control",
            Self::Query => "query",
            Self::Upheld => "upheld",
            Self::NotUpheld => "not upheld",
            Self::NothingOpen => "nothing open",
            Self::SomethingOpen => "something open",
            Self::Export => "export",
        }
    }

    fn holds(self, case: &Case, event: &Event) -> bool {
        let control = |kind: ControlKind| {
            let own = match event {
                Event::ControlOrdered { control, .. } => Some(*control),
                Event::Escalated { to, .. } => Some(*to),
                _ => case.control.as_ref().map(|standing| standing.kind),
            };
            own == Some(kind)
        };
        match self {
            Self::Always => true,
            Self::Documents => control(ControlKind::Documents),
            Self::Physical => control(ControlKind::Physical),
            Self::Query => control(ControlKind::Query),
            Self::Upheld => matches!(event, Event::ContestAnswered { upheld: true, .. }),
            Self::NotUpheld => matches!(event, Event::ContestAnswered { upheld: false, .. }),
            Self::NothingOpen => matches!(event, Event::Released { open, .. } if open.is_empty()),
            Self::SomethingOpen => matches!(event, Event::Released { open, .. } if !open.is_empty()),
            Self::Export => case.export,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Where the declaration stands.
    pub from: State,
    /// Kind of the event.
    pub event: &'static str,
    /// What must be so.
    pub when: When,
    /// Where it stands afterwards.
    pub to: State,
    /// Who may bring it about.
    pub who: &'static [ActorKind],
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

const fn line(
    from: State,
    event: &'static str,
    when: When,
    to: State,
    who: &'static [ActorKind],
    meaning: &'static str,
) -> Transition {
    Transition { from, event, when, to, who, meaning }
}

const fn stays(
    at: State,
    event: &'static str,
    who: &'static [ActorKind],
    meaning: &'static str,
) -> Transition {
    line(at, event, When::Always, at, who, meaning)
}

const OFFICER: &[ActorKind] = &[ActorKind::Officer];
const TRADER: &[ActorKind] = &[ActorKind::Trader];
const POLICY_OR_OFFICER: &[ActorKind] = &[ActorKind::Policy, ActorKind::Officer];
const TIMER: &[ActorKind] = &[ActorKind::Policy, ActorKind::System];
const TRADER_OR_OFFICER: &[ActorKind] = &[ActorKind::Trader, ActorKind::Officer];
const OFFICER_OR_TIMER: &[ActorKind] = &[ActorKind::Officer, ActorKind::Policy, ActorKind::System];

const TAKEN: &str = "An officer takes the control.";
const GIVEN_BACK: &str = "The officer gives it back; anyone may take it.";
const HANDED_OVER: &str = "It is another officer's now.";
const COMPLETED: &str =
    "The result is recorded; what follows is an officer's decision, or a release that is scheduled.";
const WITHDRAWN: &str = "The result is withdrawn before it had effect; the control goes on.";
const DOCUMENTS: &str = "The trader is asked for documents.";
const RECEIVED: &str = "The trader sends what was asked for.";
const ASKED: &str = "The trader is asked a question.";
const ANSWERED: &str = "The trader answers it.";
const CANCEL: &str =
    "The trader asks for the declaration to be invalidated; no release happens by itself now.";
const DENIED: &str = "It is not invalidated; clearance goes on.";
const REJECTED: &str = "It may be corrected and lodged again.";
const AT_ONCE: &str = "Green and blue lanes: free at once.";
const FREE_BUT_OPEN: &str = "The goods are free; a debt or a licence is still open.";
const DEBT: &str = "What is owed is assessed; it is final once the goods are released.";
const AMEND: &str = "The trader asks for it to be amended.";
const NOT_AMENDED: &str = "It stays as it was.";
const CONTESTED: &str = "The trader contests a decision.";
const CONTEST_ANSWERED: &str = "An officer who did not make the decision answers.";
const PASSED: &str = "A deadline passed: noted once, to be seen by officers; nothing changes for the trader.";

/// The table. [`crate::decide`] and [`Case::apply`] go by it.
pub static TRANSITIONS: LazyLock<Vec<Transition>> =
    LazyLock::new(|| State::ALL.into_iter().flat_map(lines_from).collect());

/// All lines of a state, in the order in which they are told.
fn lines_from(state: State) -> Vec<Transition> {
    let mut lines = match state {
        Lodged => before_acceptance(state),
        Received => [before_acceptance(state), before_arrival()].concat(),
        Presented => [before_acceptance(state), amending(state), invalidating(state)].concat(),
        Accepted => routing(),
        AwaitingDocuments => [examining(state), escalating(state), short_of_money(state)].concat(),
        UnderControl => examining(state),
        Held => [examining(state), escalating(state), deciding(), short_of_money(state)].concat(),
        ReleasePending => [about_to_be_released(), short_of_money(state)].concat(),
        PaymentPending => paying(),
        Released => after_release(state),
        Cleared | Exited => [auditing(state), after_release(state)].concat(),
        Rejected | Detained | Cancelled => Vec::new(),
    };
    lines.extend(asking(state));
    lines.extend(contesting(state));
    lines
}

/// What comes in is accepted, rejected for correction, or registered until its goods come.
fn before_acceptance(at: State) -> Vec<Transition> {
    let accepted = "It is legally a declaration now.";
    let mut lines = vec![
        line(at, "declaration.accepted", When::Always, Accepted, POLICY_OR_OFFICER, accepted),
        line(at, "declaration.rejected", When::Always, Rejected, POLICY_OR_OFFICER, REJECTED),
    ];
    match at {
        Lodged => lines.push(line(
            at,
            "declaration.registered",
            When::Always,
            Received,
            POLICY_OR_OFFICER,
            "It is registered before its goods come; they are to be presented in time.",
        )),
        // It is accepted once its goods are here; where they never come, time rejects it.
        Received => {
            lines =
                vec![line(at, "declaration.rejected", When::Always, Rejected, OFFICER_OR_TIMER, REJECTED)];
        }
        _ => {}
    }
    lines
}

/// What happens to a declaration that waits for its goods.
fn before_arrival() -> Vec<Transition> {
    let mut lines = vec![line(
        Received,
        "goods.presented",
        When::Always,
        Presented,
        TRADER_OR_OFFICER,
        "Its goods are here.",
    )];
    lines.extend(amending(Received));
    lines.extend(invalidating(Received));
    lines
}

fn routing() -> Vec<Transition> {
    vec![
        line(Accepted, "goods.released", When::NothingOpen, Cleared, POLICY_OR_OFFICER, AT_ONCE),
        line(
            Accepted,
            "control.ordered",
            When::Documents,
            AwaitingDocuments,
            POLICY_OR_OFFICER,
            "Yellow lane.",
        ),
        line(Accepted, "control.ordered", When::Physical, UnderControl, POLICY_OR_OFFICER, "Red lane."),
        line(Accepted, "control.ordered", When::Query, Held, POLICY_OR_OFFICER, "Hold lane."),
        stays(Accepted, "debt.assessed", OFFICER_OR_TIMER, DEBT),
    ]
}

/// A control before release, whoever has it and whatever is asked; the trader may ask for changes.
fn examining(at: State) -> Vec<Transition> {
    let mut lines = vec![
        stays(at, "control.taken", OFFICER, TAKEN),
        stays(at, "control.given_back", OFFICER, GIVEN_BACK),
        stays(at, "control.handed_over", OFFICER, HANDED_OVER),
        stays(at, "documents.requested", OFFICER, DOCUMENTS),
        stays(at, "documents.received", TRADER, RECEIVED),
        stays(at, "question.asked", OFFICER, ASKED),
        stays(at, "question.answered", TRADER, ANSWERED),
        line(at, "control.completed", When::Always, Held, OFFICER, COMPLETED),
        stays(at, "debt.assessed", OFFICER_OR_TIMER, DEBT),
    ];
    lines.extend(amending(at));
    lines.extend(invalidating(at));
    lines.push(stays(at, "deadline.passed", TIMER, PASSED));
    lines
}

fn escalating(at: State) -> Vec<Transition> {
    let goods =
        line(at, "control.escalated", When::Physical, UnderControl, OFFICER, "The goods are examined.");
    if at == AwaitingDocuments {
        let looked_into = "Documents do not settle it: an officer looks into it.";
        return vec![goods, line(at, "control.escalated", When::Query, Held, OFFICER, looked_into)];
    }
    let documents = "The documents are examined.";
    vec![line(at, "control.escalated", When::Documents, AwaitingDocuments, OFFICER, documents), goods]
}

/// What an officer decides on a declaration that is held.
fn deciding() -> Vec<Transition> {
    let mut lines = withdrawing(Held);
    lines.extend([
        line(
            Held,
            "release.scheduled",
            When::Always,
            ReleasePending,
            OFFICER,
            "Nothing irregular was found: the goods will be free in a moment.",
        ),
        line(Held, "goods.released", When::NothingOpen, Cleared, OFFICER, "An officer releases the goods."),
        line(Held, "goods.released", When::SomethingOpen, Released, OFFICER, FREE_BUT_OPEN),
        line(
            Held,
            "goods.detained",
            When::Always,
            Detained,
            OFFICER,
            "An officer keeps the goods; no policy ever does.",
        ),
        stays(
            Held,
            "declaration.corrected",
            OFFICER,
            "An officer corrects it after a control: a new version.",
        ),
    ]);
    lines
}

fn withdrawing(at: State) -> Vec<Transition> {
    vec![
        line(at, "control.result_withdrawn", When::Documents, AwaitingDocuments, OFFICER, WITHDRAWN),
        line(at, "control.result_withdrawn", When::Physical, UnderControl, OFFICER, WITHDRAWN),
        line(at, "control.result_withdrawn", When::Query, Held, OFFICER, WITHDRAWN),
    ]
}

fn about_to_be_released() -> Vec<Transition> {
    let mut lines = withdrawing(ReleasePending);
    let meaning = "The scheduled release has effect.";
    lines.push(line(ReleasePending, "goods.released", When::NothingOpen, Cleared, TIMER, meaning));
    lines
}

fn short_of_money(at: State) -> Vec<Transition> {
    let meaning = "What is owed is not covered: the goods wait for it.";
    vec![line(at, "payment.insufficient", When::Always, PaymentPending, OFFICER_OR_TIMER, meaning)]
}

fn paying() -> Vec<Transition> {
    let mut lines = vec![
        line(
            PaymentPending,
            "payment.received",
            When::Always,
            Held,
            OFFICER_OR_TIMER,
            "What is owed is covered; an officer goes on.",
        ),
        stays(PaymentPending, "payment.reminded", TIMER, "The trader is reminded of what is owed."),
        stays(PaymentPending, "debt.assessed", OFFICER_OR_TIMER, DEBT),
    ];
    lines.extend(amending(PaymentPending));
    lines.extend(invalidating(PaymentPending));
    lines.push(stays(PaymentPending, "deadline.passed", TIMER, PASSED));
    lines
}

/// The audit after release.
fn auditing(at: State) -> Vec<Transition> {
    let opened = "Blue lane: books and records are examined afterwards.";
    let mut lines = Vec::new();
    if at != Exited {
        lines.push(stays(at, "audit.opened", POLICY_OR_OFFICER, opened));
    }
    lines.extend([
        stays(at, "control.taken", OFFICER, "An officer takes the audit."),
        stays(at, "control.given_back", OFFICER, GIVEN_BACK),
        stays(at, "control.handed_over", OFFICER, HANDED_OVER),
        stays(at, "documents.requested", OFFICER, "The trader is asked for documents in the audit."),
        stays(at, "documents.received", TRADER, RECEIVED),
        stays(at, "question.asked", OFFICER, "The trader is asked a question in the audit."),
        stays(at, "question.answered", TRADER, ANSWERED),
        stays(at, "audit.closed", OFFICER, "The result of the audit is recorded; the goods stay free."),
        stays(at, "deadline.passed", TIMER, "A deadline of the audit passed: noted once."),
    ]);
    lines
}

/// What is still open when the goods are free, their way out, and requests that officers alone decide on now.
fn after_release(at: State) -> Vec<Transition> {
    let mut lines = Vec::new();
    if at == Released {
        let meaning = "Nothing is open any more.";
        lines.push(line(at, "declaration.cleared", When::Always, Cleared, OFFICER_OR_TIMER, meaning));
    }
    if at == Cleared {
        lines.extend([
            line(at, "goods.departed", When::Export, at, TRADER_OR_OFFICER, "The goods set out."),
            line(
                at,
                "exit.confirmed",
                When::Export,
                Exited,
                OFFICER_OR_TIMER,
                "The office of exit saw the goods leave.",
            ),
            line(
                at,
                "exit.awaited",
                When::Export,
                at,
                TIMER,
                "No result of the office of exit came in time.",
            ),
        ]);
    }
    lines.push(stays(at, "amendment.requested", TRADER, AMEND));
    lines.push(stays(
        at,
        "amendment.granted",
        OFFICER,
        "An officer grants it after release: debts are assessed anew.",
    ));
    lines.push(stays(at, "amendment.denied", OFFICER, NOT_AMENDED));
    lines.push(stays(at, "debt.assessed", OFFICER_OR_TIMER, DEBT));
    if at != Exited {
        lines.extend(invalidating(at));
    }
    lines
}

/// The trader asks for changes before release. Before its goods are here a policy may grant them.
fn amending(at: State) -> Vec<Transition> {
    let who = if at == Received { POLICY_OR_OFFICER } else { OFFICER };
    vec![
        stays(at, "amendment.requested", TRADER, AMEND),
        stays(at, "amendment.granted", who, "It has a new version."),
        stays(at, "amendment.denied", OFFICER, NOT_AMENDED),
    ]
}

/// The trader asks for it to be invalidated.
fn invalidating(at: State) -> Vec<Transition> {
    let mut lines = vec![stays(at, "declaration.cancel_requested", TRADER, CANCEL)];
    // What is being examined is examined first.
    if at != UnderControl {
        let meaning = "Invalidated as its trader asked.";
        lines.push(line(at, "declaration.cancelled", When::Always, Cancelled, OFFICER, meaning));
    }
    lines.push(stays(at, "declaration.cancel_denied", OFFICER, DENIED));
    lines
}

/// Messages that cannot be followed are kept and answered, wherever the declaration stands.
fn asking(at: State) -> Option<Transition> {
    let refused = "A message about it cannot be followed: it is told why, and nothing changes.";
    (at != Lodged).then(|| stays(at, "request.refused", OFFICER_OR_TIMER, refused))
}

/// Every decision can be contested.
fn contesting(at: State) -> Vec<Transition> {
    match at {
        Lodged | Received | Presented => Vec::new(),
        Detained => vec![
            stays(at, "decision.contested", TRADER, CONTESTED),
            line(
                at,
                "contest.answered",
                When::Upheld,
                Held,
                OFFICER,
                "The trader was right: an officer decides anew.",
            ),
            line(at, "contest.answered", When::NotUpheld, at, OFFICER, CONTEST_ANSWERED),
        ],
        _ => vec![
            stays(at, "decision.contested", TRADER, CONTESTED),
            stays(at, "contest.answered", OFFICER, CONTEST_ANSWERED),
        ],
    }
}

/// The line that lets this event happen to this case.
pub(crate) fn find(case: &Case, event: &Event) -> Option<&'static Transition> {
    let kind = event.kind();
    from(case.state).find(|line| line.event == kind && line.when.holds(case, event))
}

/// All lines from a state.
pub(crate) fn from(state: State) -> impl Iterator<Item = &'static Transition> {
    TRANSITIONS.iter().filter(move |line| line.from == state)
}
