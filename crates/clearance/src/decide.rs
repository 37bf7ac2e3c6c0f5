//! The decider: what a command leads to, or why it cannot be.

use jiff::{SignedDuration, Timestamp};
use spine::noun::Lane;
use spine::{Actor, ActorKind, Finding, Pointer, Sensitivity};

use crate::action::Action;
use crate::bounds;
use crate::case::Case;
use crate::command::{Basis, Command, Deadlines};
use crate::control::{ControlKind, ControlResult, LookFor};
use crate::duty::ItemDebt;
use crate::event::Event;
use crate::state::State;
use crate::transition::{self, Transition};

/// Hours after release within which goods that leave should be seen at the office of exit, or their trader is asked:
/// 90 days, and 60 more for the answer (Article 335 of Regulation (EU) 2015/2447).
const EXIT_HOURS: u32 = 90 * 24;
const EXIT_ANSWER_HOURS: u32 = 60 * 24;

/// What a command leads to: the events, in order, or findings that say why it cannot be and what can be done instead.
/// Nothing has happened until the events are recorded. Only [`Command::Tick`] may lead to none.
pub fn decide(
    case: &Case,
    command: &Command,
    by: &Actor,
    now: Timestamp,
) -> Result<Vec<Event>, Vec<Finding>> {
    if let Some(finding) = command.action().and_then(|action| refusal(case, action, Some(by))) {
        return Err(vec![finding]);
    }
    let findings = bounds::check(case, command, now);
    if !findings.is_empty() {
        return Err(findings);
    }
    let events = events(case, command, by, now);
    let mut after = case.clone();
    for event in &events {
        let Some(line) = transition::find(&after, event) else {
            return Err(vec![not_allowed(&after, event.kind(), Some(by))]);
        };
        if !line.who.contains(&by.kind) {
            return Err(vec![not_theirs(line, by)]);
        }
        after.apply(event);
    }
    Ok(events)
}

/// Why an action cannot be taken: by this actor, or with `None` by the right person. `None` is: it can.
pub(crate) fn refusal(case: &Case, action: Action, by: Option<&Actor>) -> Option<Finding> {
    let mut lines = transition::from(case.state).filter(|line| line.event == action.event());
    let who = by.map_or(action.by(), |by| by.kind);
    match lines.next() {
        None => return Some(not_allowed(case, action.event(), by)),
        // Lines of one event from one state differ in where they lead, never in who may: a test holds them to it.
        Some(line) if !line.who.contains(&who) => {
            return Some(by.map_or_else(
                // The event is brought about here, but not by hand.
                || not_allowed(case, action.event(), None),
                |by| not_theirs(line, by),
            ));
        }
        Some(_) => {}
    }
    work_refusal(case, action, by).or_else(|| matter_refusal(case, action))
}

/// Is the work open, and is it this officer's?
fn work_refusal(case: &Case, action: Action, by: Option<&Actor>) -> Option<Finding> {
    let is_work = action.is_of_holder() || matches!(action, Action::Take | Action::HandOver);
    if action == Action::AnswerContest {
        return by.filter(|by| case.officer() == Some(by.id.as_str())).map(|by| {
            finding("contest_of_own_decision", "officer", &by.id)
                .expected("an officer who did not make the decision")
                .fix("Ask a chief to answer it.")
        });
    }
    if !is_work {
        return None;
    }
    let Some(standing) = case.standing() else {
        return Some(
            finding("no_open_control", "state", case.state.name())
                .expected("an open control or audit")
                .fix("Nothing is examined here, so there is nothing to take, to ask or to complete."),
        );
    };
    let needs_open = matches!(
        action,
        Action::Take
            | Action::GiveBack
            | Action::Complete
            | Action::RequestDocuments
            | Action::Ask
            | Action::CloseAudit
    ) || (action == Action::HandOver && case.state.is_free());
    if needs_open && standing.result.is_some() {
        return Some(
            finding("control_has_result", "result", result_code(standing.result.as_ref()))
                .expected("a control without a result")
                .fix("Withdraw the result first, as long as the release has no effect yet."),
        );
    }
    match (&standing.officer, by) {
        (None, _) if action.is_of_holder() => Some(
            finding("control_not_taken", "officer", "")
                .expected("a control that you have taken")
                .fix("Take the control first."),
        ),
        (Some(officer), by) if action == Action::Take => Some(taken(officer, by)),
        (Some(officer), Some(by)) if action.is_of_holder() && *officer != by.id => {
            Some(taken(officer, Some(by)))
        }
        _ => None,
    }
}

fn taken(officer: &str, by: Option<&Actor>) -> Finding {
    if by.is_some_and(|by| by.id == officer) {
        return finding("control_taken_already", "officer", officer)
            .expected("a control that nobody has")
            .fix("It is yours already: go on.");
    }
    finding("control_taken_by_another", "officer", officer)
        .expected("a control that is yours")
        .fix("Ask this officer to give it back or hand it over, or ask a chief to hand it over to you.")
}

/// Does what the action is about stand as it must?
fn matter_refusal(case: &Case, action: Action) -> Option<Finding> {
    let result = case.standing().and_then(|standing| standing.result.as_ref());
    let irregular = result.is_some_and(|result| result.code.irregular());
    let refused = |code: &str, expected: &str, fix: &str| {
        Some(finding(code, "state", case.state.name()).expected(expected).fix(fix))
    };
    match action {
        Action::RequestDocuments if case.open_documents.is_some() => {
            let fix = "Wait for the documents, or ask a question.";
            refused("documents_requested_already", "no open request for documents", fix)
        }
        Action::Ask if case.open_question.is_some() => {
            refused("question_asked_already", "no open question", "Wait for the answer.")
        }
        Action::SendDocuments if case.open_documents.is_none() => {
            let fix = "Nobody asked for documents. Send them when asked, or contest the decision.";
            refused("documents_not_requested", "an open request for documents", fix)
        }
        Action::Answer if case.open_question.is_none() => {
            let fix = "Nobody asked a question. Answer when asked, or contest the decision.";
            refused("question_not_asked", "an open question", fix)
        }
        Action::WithdrawResult if result.is_none() => {
            refused("control_has_no_result", "a control with a result", "There is nothing to withdraw.")
        }
        Action::Escalate if result.is_some() && !irregular => {
            let fix = "Withdraw the result first.";
            refused("result_is_conform", "no result yet, or an irregular one", fix)
        }
        Action::Detain if result.is_some() && !irregular => {
            let fix =
                "Goods are kept where something irregular was found. Withdraw the result if it is wrong.";
            refused("result_is_conform", "no result yet, or an irregular one", fix)
        }
        Action::Release if case.cancel_requested => {
            let fix = "Decide first on the request to invalidate the declaration.";
            refused("cancel_request_open", "no open request to invalidate the declaration", fix)
        }
        Action::RequestCancel if case.cancel_requested => {
            let fix = "Wait for the decision on the request that you made.";
            refused("cancel_requested_already", "no open request to invalidate the declaration", fix)
        }
        Action::Cancel | Action::DenyCancel if !case.cancel_requested => {
            let fix = "A declaration is invalidated at its trader's request only.";
            refused("cancel_not_requested", "a request to invalidate the declaration", fix)
        }
        Action::RequestAmendment if case.amendment.is_some() => {
            let fix = "Wait for the decision on the amendment that you asked for.";
            refused("amendment_requested_already", "no open request for an amendment", fix)
        }
        Action::RequestAmendment if announced(case) => {
            let fix =
                "The goods or papers are being examined, as you were told. Ask again when that is over.";
            refused("control_announced", "no control that the trader was told of", fix)
        }
        Action::GrantAmendment | Action::DenyAmendment if case.amendment.is_none() => {
            let fix = "A declaration is amended at its trader's request only; correct it after a control.";
            refused("amendment_not_requested", "a request for an amendment", fix)
        }
        Action::Depart | Action::ConfirmExit if !case.export => {
            let fix = "Goods that were not declared for export do not leave by this declaration.";
            refused("not_an_export", "a declaration for goods that leave", fix)
        }
        Action::Correct if result.is_none() => {
            let fix = "A declaration is corrected by what a control found. Record its result first.";
            refused("control_has_no_result", "a control with a result", fix)
        }
        Action::Contest if case.contested => refused(
            "contested_already",
            "no open contest",
            "Wait for the answer to the contest that you made.",
        ),
        Action::AnswerContest if !case.contested => {
            refused("not_contested", "an open contest", "Nobody contests a decision here.")
        }
        _ => None,
    }
}

/// Was the trader told of a control that is not over? What is examined is not changed meanwhile (Article 173 of the
/// Union Customs Code). A control of which it does not know does not stop it: the request waits for an officer.
fn announced(case: &Case) -> bool {
    let physical = case.control.as_ref().filter(|own| own.kind == ControlKind::Physical);
    case.state == State::UnderControl && physical.is_some_and(|own| own.trader_may_be_told)
}

/// The events that a command asks for, before the table is asked.
fn events(case: &Case, command: &Command, by: &Actor, now: Timestamp) -> Vec<Event> {
    life_events(case, command, now).unwrap_or_else(|| control_events(case, command, by, now))
}

/// Registration, acceptance, amendments, debts, release, the way out. `None`: it is about a control.
fn life_events(case: &Case, command: &Command, now: Timestamp) -> Option<Vec<Event>> {
    let version = case.version.saturating_add(1);
    let with_debt = |event: Event, items: Vec<ItemDebt>| {
        let assessed = (!items.is_empty() || !case.debt.is_empty()).then_some(Event::DebtAssessed { items });
        std::iter::once(event).chain(assessed).collect()
    };
    Some(match command.clone() {
        Command::Register { basis, deadlines } => {
            let arrive_by = after_hours(now, deadlines.arrival_hours);
            vec![Event::Registered { basis, arrive_by }]
        }
        Command::Accept { basis, export, debt } => with_debt(Event::Accepted { basis, export }, debt),
        Command::Reject { basis, findings } => vec![Event::Rejected { basis, findings }],
        Command::Route { lane, look_for, basis, deadlines } => {
            route(case, lane, look_for, basis, &deadlines, now)
        }
        Command::Release { basis, open } => vec![released(case, basis, open, now)],
        Command::Clear { basis } => vec![Event::Cleared { basis }],
        Command::Present { notice } => vec![Event::Presented { notice }],
        Command::Depart { notice } => vec![Event::Departed { notice }],
        Command::RequestAmendment { notice, why, changes } => {
            vec![Event::AmendmentRequested { notice, why, changes }]
        }
        // What is not accepted yet owes nothing yet.
        Command::GrantAmendment { basis, declaration, packs, .. }
            if matches!(case.state, State::Received | State::Presented) =>
        {
            vec![Event::AmendmentGranted { basis, version, declaration, packs }]
        }
        Command::GrantAmendment { basis, declaration, debt, packs } => {
            with_debt(Event::AmendmentGranted { basis, version, declaration, packs }, debt)
        }
        Command::DenyAmendment { basis } => vec![Event::AmendmentDenied { basis }],
        Command::Correct { basis, changes, declaration, debt, packs } => {
            with_debt(Event::Corrected { basis, version, changes, declaration, packs }, debt)
        }
        Command::RefuseRequest { notice, request, findings } => {
            vec![Event::RequestRefused { notice, request, findings }]
        }
        Command::ReportInsufficient { note, deadlines } => {
            let hours = deadlines.payment_hours;
            let (due_at, remind_at) = (after_hours(now, hours), after_hours(now, hours / 2));
            vec![Event::PaymentInsufficient { note, due_at, remind_at }]
        }
        Command::ReceivePayment { note, basis } => paid(case, note, basis, now),
        Command::ConfirmExit { office, code } => vec![Event::ExitConfirmed { office, code, left_at: now }],
        Command::Tick => tick(case, now),
        _ => return None,
    })
}

/// Controls and audits, and what is said and asked.
fn control_events(case: &Case, command: &Command, by: &Actor, now: Timestamp) -> Vec<Event> {
    vec![match command.clone() {
        Command::Take => Event::ControlTaken { officer: by.id.clone() },
        Command::GiveBack => Event::ControlGivenBack {},
        Command::HandOver { to, why } => Event::ControlHandedOver { to, why },
        Command::Complete { result, basis, deadlines } => {
            return complete(case, result, basis, &deadlines, now);
        }
        Command::WithdrawResult { why } => Event::ResultWithdrawn { why },
        Command::RequestDocuments { what, due_at } => Event::DocumentsRequested { what, due_at },
        Command::SendDocuments { documents, note } => Event::DocumentsReceived { documents, note },
        Command::Ask { text, due_at } => Event::QuestionAsked { text, due_at },
        Command::Answer { text, documents } => Event::QuestionAnswered { text, documents },
        Command::Escalate { to, why, due_at, basis } => Event::Escalated { to, why, due_at, basis },
        Command::Detain { basis } => Event::Detained { basis },
        Command::RequestCancel { why, reference } => Event::CancelRequested { why, reference },
        Command::Cancel { basis } => Event::Cancelled { basis },
        Command::DenyCancel { basis } => Event::CancelDenied { basis },
        Command::Contest { text } => Event::Contested { text },
        Command::AnswerContest { upheld, basis, text } => Event::ContestAnswered { upheld, basis, text },
        Command::CloseAudit { result, basis } => Event::AuditClosed { result, basis },
        // Everything else is of the life.
        _ => return Vec::new(),
    }]
}

fn released(case: &Case, basis: Basis, open: Vec<String>, now: Timestamp) -> Event {
    Event::Released { basis, open, exit_by: case.export.then(|| after_hours(now, EXIT_HOURS)) }
}

/// The debt is covered: what came to a result that is not irregular is released, unless it is to be invalidated.
fn paid(case: &Case, note: String, basis: Basis, now: Timestamp) -> Vec<Event> {
    let result = case.control.as_ref().and_then(|standing| standing.result.as_ref());
    let free = result.is_some_and(|result| !result.code.irregular()) && !case.cancel_requested;
    let mut events = vec![Event::PaymentReceived { note }];
    events.extend(free.then(|| released(case, basis, Vec::new(), now)));
    events
}

/// The way of a lane.
fn route(
    case: &Case,
    lane: Lane,
    look_for: Vec<LookFor>,
    basis: Basis,
    deadlines: &Deadlines,
    now: Timestamp,
) -> Vec<Event> {
    let due_at = |kind: ControlKind| after_hours(now, deadlines.hours(kind));
    match ControlKind::of_lane(lane) {
        None => vec![released(case, basis, Vec::new(), now)],
        Some(ControlKind::Audit) => vec![
            released(case, basis.clone(), Vec::new(), now),
            Event::AuditOpened { due_at: due_at(ControlKind::Audit), look_for, basis },
        ],
        Some(control) => {
            // An examination of goods is not announced where it looks for what officers on duty may not see.
            let trader_may_be_told = control != ControlKind::Physical
                || look_for.iter().all(|own| own.sensitivity <= Sensitivity::Official);
            vec![Event::ControlOrdered {
                control,
                look_for,
                due_at: due_at(control),
                trader_may_be_told,
                basis,
            }]
        }
    }
}

/// A result; where it is not irregular and nobody asked to invalidate the declaration, its release follows by itself.
fn complete(
    case: &Case,
    result: ControlResult,
    basis: Basis,
    deadlines: &Deadlines,
    now: Timestamp,
) -> Vec<Event> {
    let release = (!result.code.irregular() && !case.cancel_requested).then(|| Event::ReleaseScheduled {
        at: after(now, SignedDuration::from_secs(deadlines.release_grace_seconds.into())),
        basis: basis.clone(),
    });
    let mut events = vec![Event::ControlCompleted { result, basis }];
    events.extend(release);
    events
}

/// What is due: the release that was scheduled, goods that never came, or else deadlines that passed.
fn tick(case: &Case, now: Timestamp) -> Vec<Event> {
    let due = |at: Option<Timestamp>| at.filter(|at| *at <= now);
    if let (Some(_), Some(basis)) = (case.release_at, &case.release_basis) {
        let basis = due(case.release_at).map(|_| basis.clone());
        return basis.map(|basis| released(case, basis, Vec::new(), now)).into_iter().collect();
    }
    if let (Some(arrive_by), Some(basis)) = (due(case.arrive_by), &case.registration_basis) {
        return vec![Event::Rejected { basis: basis.clone(), findings: vec![never_came(arrive_by)] }];
    }
    let mut events = Vec::new();
    events.extend(due(case.remind_at).map(|_| Event::PaymentReminded {}));
    events.extend(
        due(case.exit_due()).map(|_| Event::ExitAwaited { until: after_hours(now, EXIT_ANSWER_HOURS) }),
    );
    let passed = case.deadlines().filter(|(at, _)| *at <= now);
    events.extend(passed.map(|(since, what)| Event::DeadlinePassed { what: what.to_owned(), since }));
    events
}

fn never_came(arrive_by: Timestamp) -> Finding {
    Finding::error("goods_never_presented")
        .found(&arrive_by.to_string())
        .expected("the goods at the office before this time")
        .fix("Lodge the declaration again once it is known when the goods come.")
}

fn after_hours(now: Timestamp, hours: u32) -> Timestamp {
    after(now, SignedDuration::from_hours(hours.into()))
}

fn after(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn finding(code: &str, place: &str, found: &str) -> Finding {
    Finding::error(code).at(Pointer(place.to_owned())).found(found)
}

fn result_code(result: Option<&ControlResult>) -> &'static str {
    result.map_or("", |result| result.code.name())
}

fn kind_name(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Officer => "an officer",
        ActorKind::Trader => "the trader",
        ActorKind::Policy => "a policy",
        ActorKind::System => "the platform's timer",
    }
}

/// The table has no such line.
fn not_allowed(case: &Case, event: &str, by: Option<&Actor>) -> Finding {
    let mut possible: Vec<&str> = transition::from(case.state)
        .filter(|line| by.is_none_or(|by| line.who.contains(&by.kind)))
        .map(|line| line.event)
        .collect();
    possible.dedup();
    let possible = if possible.is_empty() { "nothing".to_owned() } else { possible.join(", ") };
    let who = by.map_or("people", |by| kind_name(by.kind));
    finding("move_not_allowed", "state", &format!("{event} in state {}", case.state.name()))
        .expected(format!("in this state, by {who}: {possible}"))
        .fix("Look at the declaration as it stands now, and choose what is possible.")
}

/// The table has it, for others.
fn not_theirs(line: &Transition, by: &Actor) -> Finding {
    let who: Vec<&str> = line.who.iter().map(|kind| kind_name(*kind)).collect();
    finding("actor_not_allowed", "actor", kind_name(by.kind))
        .expected(format!("{} to bring about {}", who.join(" or "), line.event))
        .fix("Leave it to them.")
}
