//! A case: a declaration as its events have left it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::noun::Lane;
use spine::quantity::Money;

use crate::action::Action;
use crate::command::Basis;
use crate::control::{ControlKind, ControlResult};
use crate::decide::refusal;
use crate::duty;
use crate::event::{Event, Notice};
use crate::state::State;
use crate::transition;

/// What the trader was asked, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The question, or the documents wanted.
    pub text: String,
    /// Until when.
    pub due_at: Timestamp,
}

/// A control, or the audit after release, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlStanding {
    /// What is examined.
    pub kind: ControlKind,
    /// Until when.
    pub due_at: Timestamp,
    /// May the trader be told?
    pub trader_may_be_told: bool,
    /// Id of the officer who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ControlResult>,
}

impl ControlStanding {
    fn new(kind: ControlKind, due_at: Timestamp, trader_may_be_told: bool) -> Self {
        Self { kind, due_at, trader_may_be_told, officer: None, result: None }
    }
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_first(version: &u32) -> bool {
    *version == 1
}

/// A declaration as its events have left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Where it stands.
    pub state: State,
    /// Its lane, once one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<Lane>,
    /// The latest control before release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlStanding>,
    /// The audit after release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<ControlStanding>,
    /// When a scheduled release has effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_at: Option<Timestamp>,
    /// What that release rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_basis: Option<Basis>,
    /// What the trader was asked and has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_question: Option<Request>,
    /// Documents the trader was asked for and has not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_documents: Option<Request>,
    /// Did the trader ask for it to be invalidated, and is that not yet decided?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_requested: bool,
    /// Did the trader contest a decision, and is that not yet answered?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
    /// Its version: 1 as it was lodged, one more with every amendment.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub version: u32,
    /// Do its goods leave the territory?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub export: bool,
    /// Until when its goods must be presented, while it waits for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrive_by: Option<Timestamp>,
    /// What its registration rests on: a declaration whose goods never came is rejected on the same ground.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_basis: Option<Basis>,
    /// The amendment that the trader asked for and that is not decided yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amendment: Option<Notice>,
    /// The trader's reference of the last message that asked for an amendment or for invalidation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// What is owed, by currency; none before it was assessed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub debt: Vec<Money>,
    /// What is open after release: `debt`, `licence`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// Until when what is owed must be covered, while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Timestamp>,
    /// When the trader is reminded of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// Did the goods set out for the office of exit?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub departed: bool,
    /// When the result of the office of exit should be here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_by: Option<Timestamp>,
    /// Deadlines that passed and were noted: `control`, `documents`, `question`, `payment`, `audit`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deadlines_passed: BTreeSet<String>,
}

impl Case {
    /// A declaration that was just lodged.
    #[must_use]
    pub fn lodged() -> Self {
        Self {
            state: State::Lodged,
            lane: None,
            control: None,
            audit: None,
            release_at: None,
            release_basis: None,
            open_question: None,
            open_documents: None,
            cancel_requested: false,
            contested: false,
            version: 1,
            export: false,
            arrive_by: None,
            registration_basis: None,
            amendment: None,
            asked_by: None,
            debt: Vec::new(),
            open: Vec::new(),
            pay_by: None,
            remind_at: None,
            departed: false,
            exit_by: None,
            deadlines_passed: BTreeSet::new(),
        }
    }

    /// Follows a choice of lane (`selection.made`).
    pub fn select(&mut self, lane: Lane) {
        self.lane = Some(lane);
    }

    /// Follows an event. One that the table does not allow from here changes nothing.
    pub fn apply(&mut self, event: &Event) {
        let Some(line) = transition::find(self, event) else { return };
        match event {
            Event::ControlOrdered { control, due_at, trader_may_be_told, .. } => {
                self.open(*control, *due_at, *trader_may_be_told);
            }
            Event::Escalated { to, due_at, .. } => {
                let told = self.control.as_ref().is_none_or(|standing| standing.trader_may_be_told);
                self.settle_requests();
                self.open(*to, *due_at, told);
            }
            Event::AuditOpened { due_at, .. } => {
                self.audit = Some(ControlStanding::new(ControlKind::Audit, *due_at, true));
            }
            Event::ControlTaken { officer } | Event::ControlHandedOver { to: officer, .. } => {
                self.give(Some(officer));
            }
            Event::ControlGivenBack {} => self.give(None),
            Event::ControlCompleted { result, .. } | Event::AuditClosed { result, .. } => {
                self.settle_requests();
                if let Some(standing) = self.standing_mut() {
                    standing.result = Some(result.clone());
                }
            }
            Event::ResultWithdrawn { .. } => {
                if let Some(standing) = self.standing_mut() {
                    standing.result = None;
                }
                (self.release_at, self.release_basis) = (None, None);
            }
            Event::ReleaseScheduled { at, basis } => {
                (self.release_at, self.release_basis) = (Some(*at), Some(basis.clone()));
            }
            Event::Released { open, exit_by, .. } => {
                self.open.clone_from(open);
                self.exit_by = *exit_by;
                self.settle();
            }
            Event::Detained { .. } | Event::Cancelled { .. } => self.settle(),
            other => {
                self.note(other);
                self.note_life(other);
            }
        }
        self.state = line.to;
    }

    /// Follows registration, amendments, debts and the way out.
    fn note_life(&mut self, event: &Event) {
        match event {
            Event::Registered { basis, arrive_by } => {
                (self.arrive_by, self.registration_basis) = (Some(*arrive_by), Some(basis.clone()));
            }
            Event::Presented { .. } => (self.arrive_by, self.registration_basis) = (None, None),
            Event::Rejected { .. } => self.settle(),
            Event::Accepted { export, .. } => self.export = *export,
            Event::AmendmentRequested { notice, .. } => {
                self.amendment = Some(notice.clone());
                self.asked_by.clone_from(&notice.reference);
            }
            Event::AmendmentGranted { version, .. } => {
                (self.version, self.amendment) = (*version, None);
            }
            Event::AmendmentDenied { .. } => self.amendment = None,
            Event::Corrected { version, .. } => self.version = *version,
            Event::DebtAssessed { items } => self.debt = duty::total(items),
            Event::PaymentInsufficient { due_at, remind_at, .. } => {
                self.deadlines_passed.remove("payment");
                (self.release_at, self.release_basis) = (None, None);
                (self.pay_by, self.remind_at) = (Some(*due_at), Some(*remind_at));
            }
            Event::PaymentReminded {} => self.remind_at = None,
            Event::PaymentReceived { .. } => (self.pay_by, self.remind_at) = (None, None),
            Event::Cleared { .. } => self.open.clear(),
            Event::Departed { .. } => self.departed = true,
            Event::ExitConfirmed { .. } | Event::ExitAwaited { .. } => self.exit_by = None,
            _ => {}
        }
    }

    /// Nothing is on its way any more.
    fn settle(&mut self) {
        (self.release_at, self.release_basis) = (None, None);
        (self.pay_by, self.remind_at) = (None, None);
        (self.arrive_by, self.registration_basis) = (None, None);
        self.cancel_requested = false;
        self.amendment = None;
        self.settle_requests();
    }

    /// Follows what was said and asked.
    fn note(&mut self, event: &Event) {
        match event {
            Event::DocumentsRequested { what, due_at } => {
                self.deadlines_passed.remove("documents");
                self.open_documents = Some(Request { text: what.clone(), due_at: *due_at });
            }
            Event::QuestionAsked { text, due_at } => {
                self.deadlines_passed.remove("question");
                self.open_question = Some(Request { text: text.clone(), due_at: *due_at });
            }
            Event::DocumentsReceived { .. } => self.open_documents = None,
            Event::QuestionAnswered { .. } => self.open_question = None,
            Event::CancelRequested { reference, .. } => {
                self.cancel_requested = true;
                self.asked_by.clone_from(reference);
            }
            Event::CancelDenied { .. } => self.cancel_requested = false,
            Event::Contested { .. } => self.contested = true,
            Event::ContestAnswered { .. } => self.contested = false,
            Event::DeadlinePassed { what, .. } => {
                self.deadlines_passed.insert(what.clone());
            }
            _ => {}
        }
    }

    fn open(&mut self, kind: ControlKind, due_at: Timestamp, trader_may_be_told: bool) {
        self.deadlines_passed.remove("control");
        self.control = Some(ControlStanding::new(kind, due_at, trader_may_be_told));
    }

    fn give(&mut self, officer: Option<&String>) {
        if let Some(standing) = self.standing_mut() {
            standing.officer = officer.cloned();
        }
    }

    /// Nothing is wanted from the trader any more.
    fn settle_requests(&mut self) {
        (self.open_documents, self.open_question) = (None, None);
    }

    /// What officers work on: the control, and after release the audit.
    #[must_use]
    pub fn standing(&self) -> Option<&ControlStanding> {
        if self.state.is_free() { self.audit.as_ref() } else { self.control.as_ref() }
    }

    fn standing_mut(&mut self) -> Option<&mut ControlStanding> {
        if self.state.is_free() { self.audit.as_mut() } else { self.control.as_mut() }
    }

    /// The officer who has the control, or after release the audit.
    #[must_use]
    pub fn officer(&self) -> Option<&str> {
        self.standing().and_then(|standing| standing.officer.as_deref())
    }

    /// Content hash of the policy that a timer applies, to a scheduled release or to goods that never came; `None`
    /// where none is due, or where it is an officer's own act.
    #[must_use]
    pub fn timer_policy(&self) -> Option<&str> {
        let basis = self.release_basis.as_ref().or(self.registration_basis.as_ref());
        basis.and_then(|basis| basis.policy.as_deref())
    }

    /// What is due next, and when: `release`, `arrival`, `reminder`, `exit`, or a deadline that was not noted yet.
    #[must_use]
    pub fn next_due(&self) -> Option<(Timestamp, &'static str)> {
        let timers = [
            (self.release_at, "release"),
            (self.arrive_by, "arrival"),
            (self.remind_at, "reminder"),
            (self.exit_due(), "exit"),
        ];
        self.deadlines().chain(timers.into_iter().filter_map(|(at, what)| Some((at?, what)))).min()
    }

    /// When a result of the office of exit is missed; goods that are free with something open may still be here.
    pub(crate) fn exit_due(&self) -> Option<Timestamp> {
        self.exit_by.filter(|_| self.state == State::Cleared)
    }

    /// Deadlines that are not noted as passed.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (Timestamp, &'static str)> {
        let open = self.standing().filter(|standing| standing.result.is_none() && !self.is_over());
        let work = if self.state.is_free() { "audit" } else { "control" };
        [
            open.map(|standing| (standing.due_at, work)),
            self.open_documents.as_ref().map(|request| (request.due_at, "documents")),
            self.open_question.as_ref().map(|request| (request.due_at, "question")),
            self.pay_by.map(|at| (at, "payment")),
        ]
        .into_iter()
        .flatten()
        .filter(|(_, what)| !self.deadlines_passed.contains(*what))
    }

    /// Is nothing examined any more, not even after release?
    fn is_over(&self) -> bool {
        matches!(self.state, State::Detained | State::Cancelled)
    }

    /// What can be done by hand now, each by the right person: [`Action::by`] says of which kind, and
    /// [`Action::is_of_holder`] whether it is for [`Case::officer`] alone.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        Action::ALL.into_iter().filter(|action| refusal(self, *action, None).is_none()).collect()
    }
}
