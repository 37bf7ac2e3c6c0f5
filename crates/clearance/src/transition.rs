//! The table of states and events. Nothing moves but along it.

use spine::ActorKind;

use crate::case::Case;
use crate::control::ControlKind;
use crate::event::Event;
use crate::state::State;
use State::{
    Accepted, AwaitingDocuments, Cancelled, Detained, Held, Lodged, Rejected, ReleasePending, Released,
    UnderControl,
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
const CONTESTED: &str = "The trader contests a decision.";
const CONTEST_ANSWERED: &str = "An officer who did not make the decision answers.";
const PASSED: &str = "A deadline passed: noted once, to be seen by officers; nothing changes for the trader.";

/// The table. [`crate::decide`] and [`Case::apply`] go by it.
pub const TRANSITIONS: &[Transition] = &[
    line(
        Lodged,
        "declaration.accepted",
        When::Always,
        Accepted,
        POLICY_OR_OFFICER,
        "It is legally a declaration now.",
    ),
    line(
        Lodged,
        "declaration.rejected",
        When::Always,
        Rejected,
        POLICY_OR_OFFICER,
        "It may be corrected and lodged again.",
    ),
    stays(Rejected, "decision.contested", TRADER, CONTESTED),
    stays(Rejected, "contest.answered", OFFICER, CONTEST_ANSWERED),
    line(
        Accepted,
        "goods.released",
        When::Always,
        Released,
        POLICY_OR_OFFICER,
        "Green and blue lanes: free at once.",
    ),
    line(Accepted, "control.ordered", When::Documents, AwaitingDocuments, POLICY_OR_OFFICER, "Yellow lane."),
    line(Accepted, "control.ordered", When::Physical, UnderControl, POLICY_OR_OFFICER, "Red lane."),
    line(Accepted, "control.ordered", When::Query, Held, POLICY_OR_OFFICER, "Hold lane."),
    stays(Accepted, "decision.contested", TRADER, CONTESTED),
    stays(Accepted, "contest.answered", OFFICER, CONTEST_ANSWERED),
    stays(AwaitingDocuments, "control.taken", OFFICER, TAKEN),
    stays(AwaitingDocuments, "control.given_back", OFFICER, GIVEN_BACK),
    stays(AwaitingDocuments, "control.handed_over", OFFICER, HANDED_OVER),
    stays(AwaitingDocuments, "documents.requested", OFFICER, DOCUMENTS),
    stays(AwaitingDocuments, "documents.received", TRADER, RECEIVED),
    stays(AwaitingDocuments, "question.asked", OFFICER, ASKED),
    stays(AwaitingDocuments, "question.answered", TRADER, ANSWERED),
    line(AwaitingDocuments, "control.completed", When::Always, Held, OFFICER, COMPLETED),
    line(
        AwaitingDocuments,
        "control.escalated",
        When::Physical,
        UnderControl,
        OFFICER,
        "Documents do not settle it: the goods are examined.",
    ),
    line(
        AwaitingDocuments,
        "control.escalated",
        When::Query,
        Held,
        OFFICER,
        "Documents do not settle it: an officer looks into it.",
    ),
    stays(AwaitingDocuments, "declaration.cancel_requested", TRADER, CANCEL),
    line(
        AwaitingDocuments,
        "declaration.cancelled",
        When::Always,
        Cancelled,
        OFFICER,
        "Invalidated as its trader asked.",
    ),
    stays(AwaitingDocuments, "declaration.cancel_denied", OFFICER, DENIED),
    stays(AwaitingDocuments, "decision.contested", TRADER, CONTESTED),
    stays(AwaitingDocuments, "contest.answered", OFFICER, CONTEST_ANSWERED),
    stays(AwaitingDocuments, "deadline.passed", TIMER, PASSED),
    stays(UnderControl, "control.taken", OFFICER, TAKEN),
    stays(UnderControl, "control.given_back", OFFICER, GIVEN_BACK),
    stays(UnderControl, "control.handed_over", OFFICER, HANDED_OVER),
    stays(UnderControl, "documents.requested", OFFICER, DOCUMENTS),
    stays(UnderControl, "documents.received", TRADER, RECEIVED),
    stays(UnderControl, "question.asked", OFFICER, ASKED),
    stays(UnderControl, "question.answered", TRADER, ANSWERED),
    line(UnderControl, "control.completed", When::Always, Held, OFFICER, COMPLETED),
    stays(
        UnderControl,
        "declaration.cancel_requested",
        TRADER,
        "The trader asks for the declaration to be invalidated; it is decided on once the goods are examined.",
    ),
    stays(UnderControl, "declaration.cancel_denied", OFFICER, DENIED),
    stays(UnderControl, "decision.contested", TRADER, CONTESTED),
    stays(UnderControl, "contest.answered", OFFICER, CONTEST_ANSWERED),
    stays(UnderControl, "deadline.passed", TIMER, PASSED),
    stays(Held, "control.taken", OFFICER, TAKEN),
    stays(Held, "control.given_back", OFFICER, GIVEN_BACK),
    stays(Held, "control.handed_over", OFFICER, HANDED_OVER),
    stays(Held, "documents.requested", OFFICER, DOCUMENTS),
    stays(Held, "documents.received", TRADER, RECEIVED),
    stays(Held, "question.asked", OFFICER, ASKED),
    stays(Held, "question.answered", TRADER, ANSWERED),
    stays(Held, "control.completed", OFFICER, COMPLETED),
    line(Held, "control.result_withdrawn", When::Documents, AwaitingDocuments, OFFICER, WITHDRAWN),
    line(Held, "control.result_withdrawn", When::Physical, UnderControl, OFFICER, WITHDRAWN),
    line(Held, "control.result_withdrawn", When::Query, Held, OFFICER, WITHDRAWN),
    line(
        Held,
        "control.escalated",
        When::Documents,
        AwaitingDocuments,
        OFFICER,
        "The documents are examined.",
    ),
    line(Held, "control.escalated", When::Physical, UnderControl, OFFICER, "The goods are examined."),
    line(
        Held,
        "release.scheduled",
        When::Always,
        ReleasePending,
        OFFICER,
        "Nothing irregular was found: the goods will be free in a moment.",
    ),
    line(Held, "goods.released", When::Always, Released, OFFICER, "An officer releases the goods."),
    line(
        Held,
        "goods.detained",
        When::Always,
        Detained,
        OFFICER,
        "An officer keeps the goods; no policy ever does.",
    ),
    stays(Held, "declaration.cancel_requested", TRADER, CANCEL),
    line(Held, "declaration.cancelled", When::Always, Cancelled, OFFICER, "Invalidated as its trader asked."),
    stays(Held, "declaration.cancel_denied", OFFICER, DENIED),
    stays(Held, "decision.contested", TRADER, CONTESTED),
    stays(Held, "contest.answered", OFFICER, CONTEST_ANSWERED),
    stays(Held, "deadline.passed", TIMER, PASSED),
    line(ReleasePending, "control.result_withdrawn", When::Documents, AwaitingDocuments, OFFICER, WITHDRAWN),
    line(ReleasePending, "control.result_withdrawn", When::Physical, UnderControl, OFFICER, WITHDRAWN),
    line(ReleasePending, "control.result_withdrawn", When::Query, Held, OFFICER, WITHDRAWN),
    line(
        ReleasePending,
        "goods.released",
        When::Always,
        Released,
        TIMER,
        "The scheduled release has effect.",
    ),
    stays(ReleasePending, "decision.contested", TRADER, CONTESTED),
    stays(ReleasePending, "contest.answered", OFFICER, CONTEST_ANSWERED),
    stays(
        Released,
        "audit.opened",
        POLICY_OR_OFFICER,
        "Blue lane: books and records are examined afterwards.",
    ),
    stays(Released, "control.taken", OFFICER, "An officer takes the audit."),
    stays(Released, "control.given_back", OFFICER, GIVEN_BACK),
    stays(Released, "control.handed_over", OFFICER, HANDED_OVER),
    stays(Released, "documents.requested", OFFICER, "The trader is asked for documents in the audit."),
    stays(Released, "documents.received", TRADER, RECEIVED),
    stays(Released, "question.asked", OFFICER, "The trader is asked a question in the audit."),
    stays(Released, "question.answered", TRADER, ANSWERED),
    stays(Released, "audit.closed", OFFICER, "The result of the audit is recorded; the goods stay free."),
    stays(Released, "decision.contested", TRADER, CONTESTED),
    stays(Released, "contest.answered", OFFICER, CONTEST_ANSWERED),
    stays(Released, "deadline.passed", TIMER, "A deadline of the audit passed: noted once."),
    stays(Detained, "decision.contested", TRADER, CONTESTED),
    line(
        Detained,
        "contest.answered",
        When::Upheld,
        Held,
        OFFICER,
        "The trader was right: an officer decides anew.",
    ),
    line(Detained, "contest.answered", When::NotUpheld, Detained, OFFICER, CONTEST_ANSWERED),
    stays(Cancelled, "decision.contested", TRADER, CONTESTED),
    stays(Cancelled, "contest.answered", OFFICER, CONTEST_ANSWERED),
];

/// The line that lets this event happen to this case.
pub(crate) fn find(case: &Case, event: &Event) -> Option<&'static Transition> {
    let kind = event.kind();
    from(case.state).find(|line| line.event == kind && line.when.holds(case, event))
}

/// All lines from a state.
pub(crate) fn from(state: State) -> impl Iterator<Item = &'static Transition> {
    TRANSITIONS.iter().filter(move |line| line.from == state)
}
