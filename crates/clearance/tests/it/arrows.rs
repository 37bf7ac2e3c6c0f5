//! Every arrow of the table, and what is refused beside them.

use std::collections::BTreeSet;

use clearance::{Action, Case, Command, ControlKind, Event, State, TRANSITIONS, When, decide};
use spine::{ActorKind, Finding, LocalizedText, Sensitivity};

use crate::support::{Walk, actor, basis, command, look_for, result, start};

/// What happened before | what is done now | events that follow and the state then, or the code of what refuses it.
const CASES: &str = "
    | p accept | declaration.accepted -> accepted
    | o1 accept | declaration.accepted -> accepted
    | t accept | actor_not_allowed
    | s accept | actor_not_allowed
    | p reject | declaration.rejected -> rejected
    | p route green | move_not_allowed
    | t contest | move_not_allowed
    | o1 take | move_not_allowed
    | p tick | nothing -> lodged
    p reject | p accept | move_not_allowed
    p reject | t contest it is complete | decision.contested -> rejected
    p reject; t contest | o1 uphold | contest.answered -> rejected
    p reject; t contest | t contest | contested_already
    p reject | o1 uphold | not_contested

    p accept | p route green | goods.released -> cleared
    p accept | p route blue | goods.released audit.opened -> cleared
    p accept | p route yellow | control.ordered -> awaiting_documents
    p accept | p route red | control.ordered -> under_control
    p accept | p route hold | control.ordered -> held
    p accept | t route green | actor_not_allowed
    p accept | s route red | actor_not_allowed
    p accept | p accept | move_not_allowed
    p accept | t contest | decision.contested -> accepted
    p accept; t contest | o1 deny-contest | contest.answered -> accepted
    p accept; p route green | p route red | move_not_allowed
    p accept; p route green | o1 take | no_open_control
    p accept; p route green | t contest | decision.contested -> cleared
    p accept; p route green; t contest | o1 uphold | contest.answered -> cleared

    p accept; p route yellow | o1 take | control.taken -> awaiting_documents
    p accept; p route yellow | t take | actor_not_allowed
    p accept; p route yellow; o1 take | o1 take | control_taken_already
    p accept; p route yellow; o1 take | o2 take | control_taken_by_another
    p accept; p route yellow; o1 take | o1 give-back | control.given_back -> awaiting_documents
    p accept; p route yellow; o1 take | o2 give-back | control_taken_by_another
    p accept; p route yellow; o1 take; o1 give-back | o2 take | control.taken -> awaiting_documents
    p accept; p route yellow; o1 take | o9 hand-over o2 | control.handed_over -> awaiting_documents
    p accept; p route yellow | o9 hand-over o2 | control.handed_over -> awaiting_documents
    p accept; p route yellow; o1 take | o1 hand-over o1 | control_taken_already
    p accept; p route yellow; o1 take; o9 hand-over o2 | o1 complete conform | control_taken_by_another
    p accept; p route yellow | o1 complete conform | control_not_taken
    p accept; p route yellow; o1 take | o2 complete conform | control_taken_by_another
    p accept; p route yellow; o1 take | p complete conform | actor_not_allowed
    p accept; p route yellow; o1 take | o1 complete conform | control.completed release.scheduled -> release_pending
    p accept; p route yellow; o1 take | o1 complete considered_conform | control.completed release.scheduled -> release_pending
    p accept; p route yellow; o1 take | o1 complete minor_discrepancy | control.completed release.scheduled -> release_pending
    p accept; p route yellow; o1 take | o1 complete irregular | control.completed -> held
    p accept; p route yellow; o1 take | o1 release | move_not_allowed
    p accept; p route yellow; o1 take | o1 detain | move_not_allowed
    p accept; p route yellow | o1 request invoice | control_not_taken
    p accept; p route yellow; o1 take | o1 request invoice | documents.requested -> awaiting_documents
    p accept; p route yellow; o1 take; o1 request | o1 request | documents_requested_already
    p accept; p route yellow; o1 take | t send | documents_not_requested
    p accept; p route yellow; o1 take; o1 request | t send | documents.received -> awaiting_documents
    p accept; p route yellow; o1 take; o1 request; t send | t send | documents_not_requested
    p accept; p route yellow; o1 take; o1 request | o1 send | actor_not_allowed
    p accept; p route yellow; o1 take | o1 ask who bought it | question.asked -> awaiting_documents
    p accept; p route yellow; o1 take; o1 ask | o1 ask | question_asked_already
    p accept; p route yellow; o1 take; o1 ask | t answer we did | question.answered -> awaiting_documents
    p accept; p route yellow; o1 take | t answer | question_not_asked
    p accept; p route yellow; o1 take | o1 escalate physical | control.escalated -> under_control
    p accept; p route yellow; o1 take | o1 escalate query | control.escalated -> held
    p accept; p route yellow; o1 take | o1 escalate documents | control_is_no_escalation
    p accept; p route yellow; o1 take | o1 escalate audit | control_is_no_escalation
    p accept; p route yellow; o1 take; o1 escalate physical | o1 complete conform | control_not_taken
    p accept; p route yellow | t request-cancel | declaration.cancel_requested -> awaiting_documents
    p accept; p route yellow; t request-cancel | t request-cancel | cancel_requested_already
    p accept; p route yellow | o1 cancel | cancel_not_requested
    p accept; p route yellow; t request-cancel | o1 cancel | declaration.cancelled -> cancelled
    p accept; p route yellow; t request-cancel | p cancel | actor_not_allowed
    p accept; p route yellow; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> awaiting_documents
    p accept; p route yellow; o1 take; t request-cancel | o1 complete conform | control.completed -> held
    p accept; p route yellow | t contest | decision.contested -> awaiting_documents
    p accept; p route yellow; t contest | o1 deny-contest | contest.answered -> awaiting_documents
    p accept; p route yellow; o1 take; t contest | o1 uphold | contest_of_own_decision
    p accept; p route yellow; wait 239h | s tick | nothing -> awaiting_documents
    p accept; p route yellow; wait 240h | s tick | deadline.passed -> awaiting_documents
    p accept; p route yellow; wait 240h; s tick; wait 240h | s tick | nothing -> awaiting_documents
    p accept; p route yellow; o1 take; wait 1h; o1 request; wait 240h | s tick | deadline.passed deadline.passed -> awaiting_documents
    p accept; p route yellow; wait 240h | o1 tick | actor_not_allowed

    p accept; p route red | o1 take | control.taken -> under_control
    p accept; p route red; o1 take | o1 give-back | control.given_back -> under_control
    p accept; p route red; o1 take | o1 hand-over o2 | control.handed_over -> under_control
    p accept; p route red; o1 take | o1 request | documents.requested -> under_control
    p accept; p route red; o1 take; o1 request | t send | documents.received -> under_control
    p accept; p route red; o1 take | o1 ask | question.asked -> under_control
    p accept; p route red; o1 take; o1 ask | t answer | question.answered -> under_control
    p accept; p route red; o1 take | o1 complete irregular | control.completed -> held
    p accept; p route red; o1 take | o1 escalate query | move_not_allowed
    p accept; p route red | t request-cancel | declaration.cancel_requested -> under_control
    p accept; p route red; t request-cancel | o1 cancel | move_not_allowed
    p accept; p route red; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> under_control
    p accept; p route red | t contest | decision.contested -> under_control
    p accept; p route red; t contest | o2 deny-contest | contest.answered -> under_control
    p accept; p route red; wait 48h | p tick | deadline.passed -> under_control

    p accept; p route hold | o1 take | control.taken -> held
    p accept; p route hold; o1 take | o1 give-back | control.given_back -> held
    p accept; p route hold; o1 take | o1 hand-over o2 | control.handed_over -> held
    p accept; p route hold; o1 take | o1 request | documents.requested -> held
    p accept; p route hold; o1 take; o1 request | t send | documents.received -> held
    p accept; p route hold; o1 take | o1 ask | question.asked -> held
    p accept; p route hold; o1 take; o1 ask | t answer | question.answered -> held
    p accept; p route hold | o1 release | control_not_taken
    p accept; p route hold; o1 take | o2 release | control_taken_by_another
    p accept; p route hold; o1 take | p release | actor_not_allowed
    p accept; p route hold; o1 take | o1 release | goods.released -> cleared
    p accept; p route hold; o1 take | o1 detain | goods.detained -> detained
    p accept; p route hold; o1 take | p detain | actor_not_allowed
    p accept; p route hold; o1 take | s detain | actor_not_allowed
    p accept; p route hold; o1 take | o1 escalate documents | control.escalated -> awaiting_documents
    p accept; p route hold; o1 take | o1 escalate physical | control.escalated -> under_control
    p accept; p route hold; o1 take | o1 withdraw | control_has_no_result
    p accept; p route hold; o1 take | o1 complete conform | control.completed release.scheduled -> release_pending
    p accept; p route hold; o1 take; o1 complete irregular | o1 complete conform | control_has_result
    p accept; p route hold; o1 take; o1 complete irregular | o1 give-back | control_has_result
    p accept; p route hold; o1 take; o1 complete irregular | o1 ask | control_has_result
    p accept; p route hold; o1 take; o1 complete irregular | o9 hand-over o2 | control.handed_over -> held
    p accept; p route hold; o1 take; o1 complete irregular | o1 withdraw | control.result_withdrawn -> held
    p accept; p route yellow; o1 take; o1 complete irregular | o1 withdraw | control.result_withdrawn -> awaiting_documents
    p accept; p route red; o1 take; o1 complete irregular | o1 withdraw | control.result_withdrawn -> under_control
    p accept; p route red; o1 take; o1 complete irregular | o1 release | goods.released -> cleared
    p accept; p route red; o1 take; o1 complete irregular | o1 detain | goods.detained -> detained
    p accept; p route red; o1 take; o1 complete irregular | o2 detain | control_taken_by_another
    p accept; p route yellow; o1 take; o1 complete irregular | o1 escalate physical | control.escalated -> under_control
    p accept; p route yellow; o1 take; t request-cancel; o1 complete conform | o1 release | cancel_request_open
    p accept; p route yellow; o1 take; t request-cancel; o1 complete conform | o1 detain | result_is_conform
    p accept; p route yellow; o1 take; t request-cancel; o1 complete conform | o1 escalate physical | result_is_conform
    p accept; p route yellow; o1 take; t request-cancel; o1 complete conform; o2 deny-cancel | o1 release | goods.released -> cleared
    p accept; p route hold | t request-cancel | declaration.cancel_requested -> held
    p accept; p route hold; t request-cancel | o1 cancel | declaration.cancelled -> cancelled
    p accept; p route hold; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> held
    p accept; p route hold | t contest | decision.contested -> held
    p accept; p route hold; t contest | o1 deny-contest | contest.answered -> held
    p accept; p route hold; wait 24h | s tick | deadline.passed -> held

    p accept; p route red; o1 take; o1 complete conform | s tick | nothing -> release_pending
    p accept; p route red; o1 take; o1 complete conform; wait 29s | s tick | nothing -> release_pending
    p accept; p route red; o1 take; o1 complete conform; wait 30s | s tick | goods.released -> cleared
    p accept; p route red; o1 take; o1 complete conform; wait 30s | o1 tick | actor_not_allowed
    p accept; p route red; o1 take; o1 complete conform | o1 release | actor_not_allowed
    p accept; p route red; o1 take; o1 complete conform | o1 withdraw photo was of another box | control.result_withdrawn -> under_control
    p accept; p route yellow; o1 take; o1 complete conform | o1 withdraw | control.result_withdrawn -> awaiting_documents
    p accept; p route hold; o1 take; o1 complete conform | o1 withdraw | control.result_withdrawn -> held
    p accept; p route red; o1 take; o1 complete conform | o2 withdraw | control_taken_by_another
    p accept; p route red; o1 take; o1 complete conform; wait 30s; s tick | o1 withdraw | move_not_allowed
    p accept; p route red; o1 take; o1 complete conform | t contest | decision.contested -> release_pending
    p accept; p route red; o1 take; o1 complete conform; t contest | o2 deny-contest | contest.answered -> release_pending

    p accept; p route blue | o1 take | control.taken -> cleared
    p accept; p route blue; o1 take | o2 take | control_taken_by_another
    p accept; p route blue; o1 take | o1 give-back | control.given_back -> cleared
    p accept; p route blue; o1 take | o9 hand-over o2 | control.handed_over -> cleared
    p accept; p route blue; o1 take | o1 request ledgers | documents.requested -> cleared
    p accept; p route blue; o1 take; o1 request | t send | documents.received -> cleared
    p accept; p route blue; o1 take | o1 ask | question.asked -> cleared
    p accept; p route blue; o1 take; o1 ask | t answer | question.answered -> cleared
    p accept; p route blue; o1 take | o1 close irregular | audit.closed -> cleared
    p accept; p route blue; o1 take | o2 close conform | control_taken_by_another
    p accept; p route blue | o1 close conform | control_not_taken
    p accept; p route blue; o1 take; o1 close conform | o1 close conform | control_has_result
    p accept; p route blue; o1 take; o1 close conform | o9 hand-over o2 | control_has_result
    p accept; p route blue; o1 take | o1 complete conform | move_not_allowed
    p accept; p route blue; o1 take | o1 detain | move_not_allowed
    p accept; p route blue; wait 720h | s tick | deadline.passed -> cleared

    p accept; p route hold; o1 take; o1 detain | o1 release | move_not_allowed
    p accept; p route hold; o1 take; o1 detain | s tick | nothing -> detained
    p accept; p route hold; o1 take; o1 detain | t contest | decision.contested -> detained
    p accept; p route hold; o1 take; o1 detain; t contest | o1 uphold | contest_of_own_decision
    p accept; p route hold; o1 take; o1 detain; t contest | o2 uphold | contest.answered -> held
    p accept; p route hold; o1 take; o1 detain; t contest; o2 uphold | o1 release | goods.released -> cleared
    p accept; p route hold; o1 take; o1 detain; t contest | o2 deny-contest | contest.answered -> detained
    p accept; p route hold; t request-cancel; o1 cancel | p route green | move_not_allowed
    p accept; p route hold; t request-cancel; o1 cancel | t contest | decision.contested -> cancelled
    p accept; p route hold; t request-cancel; o1 cancel; t contest | o2 deny-contest | contest.answered -> cancelled

    | p register | declaration.registered -> received
    | o1 register | declaration.registered -> received
    | t register | actor_not_allowed
    | t present | move_not_allowed
    | t request-amendment | move_not_allowed
    | t request-cancel | move_not_allowed
    p register | p register | move_not_allowed
    p register | p accept | move_not_allowed
    p register | p reject | declaration.rejected -> rejected
    p register | t present | goods.presented -> presented
    p register | o1 present | goods.presented -> presented
    p register | p refuse | request.refused -> received
    p register | t depart | move_not_allowed
    p register | t request-amendment | amendment.requested -> received
    p register; t request-amendment | t request-amendment | amendment_requested_already
    p register; t request-amendment | p amend | amendment.granted -> received
    p register; t request-amendment | o1 deny-amendment | amendment.denied -> received
    p register; t request-amendment | p deny-amendment | actor_not_allowed
    p register | p amend | amendment_not_requested
    p register | t request-cancel | declaration.cancel_requested -> received
    p register; t request-cancel | o1 cancel | declaration.cancelled -> cancelled
    p register; t request-cancel | p cancel | actor_not_allowed
    p register; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> received
    p register; wait 719h | p tick | nothing -> received
    p register; wait 720h | p tick | declaration.rejected -> rejected
    p register; t present; wait 720h | p tick | nothing -> presented
    p register; t present | p accept | declaration.accepted -> accepted
    p register; t present | p reject | declaration.rejected -> rejected
    p register; t present | t present | move_not_allowed
    p register; t present | p refuse | request.refused -> presented
    p register; t present | t request-amendment | amendment.requested -> presented
    p register; t present; t request-amendment | o1 amend | amendment.granted -> presented
    p register; t present; t request-amendment | p amend | actor_not_allowed
    p register; t present; t request-amendment | o1 deny-amendment | amendment.denied -> presented
    p register; t present | t request-cancel | declaration.cancel_requested -> presented
    p register; t present; t request-cancel | o1 cancel | declaration.cancelled -> cancelled
    p register; t present; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> presented
    p reject | p refuse | request.refused -> rejected

    | p accept debt | declaration.accepted debt.assessed -> accepted
    p accept | p refuse | request.refused -> accepted
    p accept; p route yellow; t request-amendment | o1 amend | amendment.granted debt.assessed -> awaiting_documents
    p accept; p route yellow; t request-amendment | o1 deny-amendment | amendment.denied -> awaiting_documents
    p accept; p route yellow | p refuse | request.refused -> awaiting_documents
    p accept; p route yellow | o1 insufficient | payment.insufficient -> payment_pending
    p accept; p route red | t request-amendment | control_announced
    p accept; p route red secretly | t request-amendment | amendment.requested -> under_control
    p accept; p route red secretly; t request-amendment | o1 amend | amendment.granted debt.assessed -> under_control
    p accept; p route red secretly; t request-amendment | o1 deny-amendment | amendment.denied -> under_control
    p accept; p route red | p refuse | request.refused -> under_control
    p accept; p route hold | t request-amendment | amendment.requested -> held
    p accept; p route hold; t request-amendment | o1 amend | amendment.granted debt.assessed -> held
    p accept; p route hold; t request-amendment | p amend | actor_not_allowed
    p accept; p route hold; t request-amendment | o1 deny-amendment | amendment.denied -> held
    p accept; p route hold | p refuse | request.refused -> held
    p accept; p route hold; o1 take | o1 correct | control_has_no_result
    p accept; p route hold; o1 take; o1 complete irregular | o1 correct | declaration.corrected debt.assessed -> held
    p accept; p route hold; o1 take; o1 complete irregular | o2 correct | control_taken_by_another
    p accept; p route hold; o1 take | o1 release debt | goods.released -> released
    p accept; p route hold; o1 take | o1 release nonsense | open_unknown
    p accept; p route hold | o1 insufficient | payment.insufficient -> payment_pending
    p accept; p route hold | t insufficient | actor_not_allowed
    p accept; p route red; o1 take; o1 complete conform | s insufficient | payment.insufficient -> payment_pending
    p accept; p route red; o1 take; o1 complete conform | p refuse | request.refused -> release_pending
    p accept; p route red; o1 take; o1 complete conform; o1 insufficient | s tick | nothing -> payment_pending
    p accept; p route red; o1 take; o1 complete conform; o1 insufficient; wait 120h | s tick | payment.reminded -> payment_pending
    p accept; p route red; o1 take; o1 complete conform; o1 insufficient; wait 120h; s tick; wait 120h | s tick | deadline.passed -> payment_pending
    p accept; p route red; o1 take; o1 complete conform; o1 insufficient | o1 pay | payment.received goods.released -> cleared
    p accept; p route hold; o1 insufficient | o1 pay | payment.received -> held
    p accept; p route hold; o1 insufficient | o1 release | move_not_allowed
    p accept; p route hold; o1 insufficient | p refuse | request.refused -> payment_pending
    p accept; p route hold; o1 insufficient; t request-amendment | o1 amend | amendment.granted debt.assessed -> payment_pending
    p accept; p route hold; o1 insufficient; t request-amendment | o1 deny-amendment | amendment.denied -> payment_pending
    p accept; p route hold; o1 insufficient | t request-cancel | declaration.cancel_requested -> payment_pending
    p accept; p route hold; o1 insufficient; t request-cancel | o1 cancel | declaration.cancelled -> cancelled
    p accept; p route hold; o1 insufficient; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> payment_pending
    p accept; p route hold; o1 insufficient | t contest | decision.contested -> payment_pending
    p accept; p route hold; o1 insufficient; t contest | o1 deny-contest | contest.answered -> payment_pending

    p accept; p route hold; o1 take; o1 release debt | o1 clear | declaration.cleared -> cleared
    p accept; p route hold; o1 take; o1 release debt | s clear | declaration.cleared -> cleared
    p accept; p route hold; o1 take; o1 release debt | t clear | actor_not_allowed
    p accept; p route green | o1 clear | move_not_allowed
    p accept; p route green | p refuse | request.refused -> cleared
    p accept; p route green | t contest | decision.contested -> cleared
    p accept; p route green; t contest | o1 deny-contest | contest.answered -> cleared
    p accept; p route green | t request-amendment | amendment.requested -> cleared
    p accept; p route green; t request-amendment | o1 amend | amendment.granted debt.assessed -> cleared
    p accept; p route green; t request-amendment | p amend | actor_not_allowed
    p accept; p route green; t request-amendment | o1 deny-amendment | amendment.denied -> cleared
    p accept; p route green | t request-cancel | declaration.cancel_requested -> cleared
    p accept; p route green; t request-cancel | o1 cancel | declaration.cancelled -> cancelled
    p accept; p route green; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> cleared
    p accept; p route green | t depart | not_an_export
    p accept; p route green | o1 exit conform | not_an_export
    p accept export; p route hold; o1 take; o1 release debt; wait 9999h | s tick | nothing -> released
    p accept export; p route green | t depart | goods.departed -> cleared
    p accept export; p route green | o1 exit conform | exit.confirmed -> exited
    p accept export; p route green; t depart | o1 exit irregular | exit_not_satisfactory
    p accept export; p route green; t depart | t exit conform | actor_not_allowed
    p accept export; p route green; t depart; wait 2159h | s tick | nothing -> cleared
    p accept export; p route green; t depart; wait 2160h | s tick | exit.awaited -> cleared
    p accept export; p route green; t depart; wait 2160h; s tick; wait 9999h | s tick | nothing -> cleared

    p accept; p route hold; o1 take; o1 release debt | p refuse | request.refused -> released
    p accept; p route hold; o1 take; o1 release debt | t contest | decision.contested -> released
    p accept; p route hold; o1 take; o1 release debt; t contest | o2 deny-contest | contest.answered -> released
    p accept; p route hold; o1 take; o1 release debt | t request-amendment | amendment.requested -> released
    p accept; p route hold; o1 take; o1 release debt; t request-amendment | o1 amend | amendment.granted debt.assessed -> released
    p accept; p route hold; o1 take; o1 release debt; t request-amendment | o1 deny-amendment | amendment.denied -> released
    p accept export; p route blue; o1 exit conform | p refuse | request.refused -> exited
    p accept export; p route blue; o1 exit conform | t contest | decision.contested -> exited
    p accept export; p route blue; o1 exit conform; t contest | o2 deny-contest | contest.answered -> exited
    p accept export; p route blue; o1 exit conform | t request-amendment | amendment.requested -> exited
    p accept export; p route blue; o1 exit conform; t request-amendment | o1 amend | amendment.granted debt.assessed -> exited
    p accept export; p route blue; o1 exit conform; t request-amendment | o1 deny-amendment | amendment.denied -> exited
    p accept; p route hold; o1 take; o1 release debt | t request-cancel | declaration.cancel_requested -> released
    p accept; p route hold; o1 take; o1 release debt; t request-cancel | o1 cancel | declaration.cancelled -> cancelled
    p accept; p route hold; o1 take; o1 release debt; t request-cancel | o1 deny-cancel | declaration.cancel_denied -> released
    p accept export; p route blue; o1 exit conform | o1 take | control.taken -> exited
    p accept export; p route blue; o1 exit conform; o1 take | o1 give-back | control.given_back -> exited
    p accept export; p route blue; o1 exit conform; o1 take | o9 hand-over o2 | control.handed_over -> exited
    p accept export; p route blue; o1 exit conform; o1 take | o1 request ledgers | documents.requested -> exited
    p accept export; p route blue; o1 exit conform; o1 take; o1 request | t send | documents.received -> exited
    p accept export; p route blue; o1 exit conform; o1 take | o1 ask | question.asked -> exited
    p accept export; p route blue; o1 exit conform; o1 take; o1 ask | t answer | question.answered -> exited
    p accept export; p route blue; o1 exit conform; o1 take | o1 close irregular | audit.closed -> exited
    p accept export; p route blue; o1 exit conform; wait 720h | s tick | deadline.passed -> exited
    p accept; p route hold; o1 take; o1 detain | p refuse | request.refused -> detained
    p accept; p route hold; t request-cancel; o1 cancel | p refuse | request.refused -> cancelled
";

fn cases() -> impl Iterator<Item = [&'static str; 3]> {
    CASES.lines().filter(|line| line.contains('|')).map(|line| {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        parts.try_into().unwrap()
    })
}

fn told(outcome: &Result<Vec<Event>, Vec<Finding>>, walk: &Walk) -> String {
    match outcome {
        Ok(events) if events.is_empty() => format!("nothing -> {}", walk.case.state.name()),
        Ok(events) => {
            let kinds: Vec<&str> = events.iter().map(Event::kind).collect();
            format!("{} -> {}", kinds.join(" "), walk.case.state.name())
        }
        Err(findings) => findings[0].code.clone(),
    }
}

#[test]
fn every_case_comes_out_as_written() {
    for [before, now, expected] in cases() {
        let mut walk = Walk::go(before);
        let outcome = walk.step(now);
        assert_eq!(told(&outcome, &walk), expected, "{before} | {now}");
    }
}

#[test]
fn every_arrow_of_the_table_is_walked() {
    let mut walked = BTreeSet::new();
    for [before, now, _] in cases() {
        let mut walk = Walk::go(before);
        let _ = walk.step(now);
        let mut case = Case::lodged();
        for (from, event) in &walk.events {
            case.apply(event);
            walked.insert((from.name(), event.kind(), case.state.name()));
        }
    }
    let table: BTreeSet<_> =
        TRANSITIONS.iter().map(|line| (line.from.name(), line.event, line.to.name())).collect();
    assert_eq!(walked, table);
}

#[test]
fn the_table_speaks_of_every_state_and_every_event_and_never_twice() {
    for state in State::ALL {
        assert!(TRANSITIONS.iter().any(|line| line.from == state), "{state:?} leads nowhere");
        assert!(
            state == State::Lodged || TRANSITIONS.iter().any(|line| line.to == state && line.from != state),
            "nothing leads to {state:?}"
        );
    }
    for kind in Event::KINDS {
        assert!(TRANSITIONS.iter().any(|line| line.event == *kind), "{kind} is in no line");
    }
    for (at, line) in TRANSITIONS.iter().enumerate() {
        assert!(Event::KINDS.contains(&line.event), "{} is no event", line.event);
        assert!(!line.who.is_empty() && !line.meaning.is_empty());
        for other in
            TRANSITIONS[at + 1..].iter().filter(|own| (own.from, own.event) == (line.from, line.event))
        {
            assert_eq!(
                line.who, other.who,
                "{line:?}: one event from one state is brought about by the same"
            );
            assert!(line.when != other.when, "{line:?} stands twice");
            assert!(line.when != When::Always && other.when != When::Always, "{line:?} hides another");
        }
    }
}

#[test]
fn officers_alone_keep_goods_and_final_states_know_contest_audit_and_exit_only() {
    for line in TRANSITIONS.iter() {
        if matches!(
            line.event,
            "goods.detained" | "declaration.cancelled" | "control.completed" | "audit.closed"
        ) {
            assert_eq!(line.who, [ActorKind::Officer], "{line:?}");
        }
        if line.from.is_final() && line.to != line.from {
            let allowed = match line.from {
                State::Detained => line.event == "contest.answered" && line.when == When::Upheld,
                // What its trader asked for, or the goods leaving.
                _ => matches!(line.event, "declaration.cancelled" | "exit.confirmed"),
            };
            assert!(allowed, "{line:?}");
        }
        if line.event == "deadline.passed" {
            assert_eq!(line.from, line.to, "a deadline never moves a declaration");
        }
    }
}

#[test]
fn a_refused_move_says_where_it_stands_and_what_is_possible_instead() {
    let mut walk = Walk::go("p accept; p route yellow");
    let findings = walk.step("p accept").unwrap_err();
    assert_eq!(
        findings[0].to_string(),
        "state: found \"declaration.accepted in state awaiting_documents\", expected in this state, by a policy: \
         debt.assessed, deadline.passed, payment.insufficient, request.refused. Look at the declaration as it stands now, and choose what is possible. [move_not_allowed]"
    );
    walk.step("o1 take").unwrap();
    assert_eq!(
        walk.step("o2 complete conform").unwrap_err()[0].to_string(),
        "officer: found \"o1\", expected a control that is yours. Ask this officer to give it back or hand it over, \
         or ask a chief to hand it over to you. [control_taken_by_another]"
    );
}

/// What a command must bring with it: the command, and place and code of what is wrong.
#[test]
fn a_command_that_brings_too_little_or_too_much_is_told_where() {
    let check = |before: &str, who: &str, command: Command, expected: &str| {
        let walk = Walk::go(before);
        let told: Vec<String> = decide(&walk.case, &command, &actor(who), walk.now)
            .unwrap_err()
            .iter()
            .map(|finding| format!("{} {}", finding.pointer, finding.code))
            .collect();
        assert_eq!(told.join(", "), expected, "{command:?}");
    };
    let mut bare = basis(None);
    bare.legal_basis = " ".to_owned();
    bare.reason = LocalizedText::default();
    bare.how_to_contest = LocalizedText::default();
    let three = "basis/legal_basis basis_incomplete, basis/reason basis_incomplete, \
                 basis/how_to_contest basis_incomplete";
    check("", "p", Command::Accept { basis: bare.clone(), export: false, debt: Vec::new() }, three);
    check("p accept; p route hold; o1 take", "o1", Command::Detain { basis: bare }, three);
    let empty = Command::Reject { basis: basis(None), findings: Vec::new() };
    check("", "p", empty, "findings text_missing");
    let late = Command::Ask { text: " ".to_owned(), due_at: start() };
    let taken = "p accept; p route yellow; o1 take";
    check(taken, "o1", late, "text text_missing, due_at deadline_in_the_past");
    let asked = "p accept; p route yellow; o1 take; o1 request";
    let nothing = Command::SendDocuments { documents: Vec::new(), note: "x".repeat(20_000) };
    check(asked, "t", nothing, "documents text_missing, note text_too_long");
    let mut wrong = crate::support::document();
    wrong.blob = "no hash".to_owned();
    let wrong = Command::SendDocuments { documents: vec![wrong], note: String::new() };
    check(asked, "t", wrong, "documents not_a_hash");
    let complete = |code, change: &dyn Fn(&mut clearance::ControlResult)| {
        let mut own = result(code);
        change(&mut own);
        Command::Complete { result: own, basis: basis(None), deadlines: clearance::Deadlines::default() }
    };
    use clearance::ResultCode::{Conform, ConsideredConform, Irregular};
    let contradicts = "result/inspected result_contradicts_itself";
    check(taken, "o1", complete(Conform, &|own| own.inspected = false), contradicts);
    check(taken, "o1", complete(ConsideredConform, &|own| own.inspected = true), contradicts);
    check(taken, "o1", complete(Irregular, &|own| own.findings.clear()), "result/findings text_missing");
    let found = result(Irregular).findings;
    let conform = complete(Conform, &|own| own.findings.clone_from(&found));
    check(taken, "o1", conform, "result/findings result_contradicts_itself");
    let deadlines = clearance::Deadlines { hold_hours: 100_000, ..clearance::Deadlines::default() };
    let route =
        Command::Route { lane: spine::noun::Lane::Hold, look_for: Vec::new(), basis: basis(None), deadlines };
    check("p accept", "p", route, "deadlines/hold_hours deadline_too_long");
}

#[test]
fn what_may_be_done_is_what_can_be_done() {
    for [before, now, _] in cases() {
        let mut walk = Walk::go(before);
        let _ = walk.step(now);
        let offered = walk.case.actions();
        for action in Action::ALL {
            let possible = possible(&walk, action);
            assert_eq!(offered.contains(&action), possible, "{action:?} after {before}; {now}");
        }
    }
}

/// Can anybody take this action?
fn possible(walk: &Walk, action: Action) -> bool {
    let words = match action {
        Action::Take => "take",
        Action::GiveBack => "give-back",
        Action::HandOver => "hand-over o7",
        Action::Complete => "complete conform",
        Action::WithdrawResult => "withdraw",
        Action::RequestDocuments => "request",
        Action::Ask => "ask",
        Action::Escalate => "escalate",
        Action::Release => "release",
        Action::Detain => "detain",
        Action::Cancel => "cancel",
        Action::DenyCancel => "deny-cancel",
        Action::AnswerContest => "uphold",
        Action::CloseAudit => "close conform",
        Action::SendDocuments => "send",
        Action::Answer => "answer",
        Action::RequestCancel => "request-cancel",
        Action::Contest => "contest",
        Action::GrantAmendment => "amend",
        Action::DenyAmendment => "deny-amendment",
        Action::Correct => "correct",
        Action::ReportInsufficient => "insufficient",
        Action::ReceivePayment => "pay",
        Action::Clear => "clear",
        Action::ConfirmExit => "exit conform",
        Action::Present => "present",
        Action::Depart => "depart",
        Action::RequestAmendment => "request-amendment",
    };
    let words: Vec<String> = if action == Action::Escalate {
        ControlKind::ALL.iter().map(|kind| format!("escalate {}", kind.name())).collect()
    } else {
        vec![words.to_owned()]
    };
    let holder = walk.case.officer().unwrap_or("o8").to_owned();
    [holder.as_str(), "o8", "t"].iter().any(|who| {
        words.iter().any(|words| decide(&walk.case, &command(words, walk.now), &actor(who), walk.now).is_ok())
    })
}

#[test]
fn an_examination_of_goods_is_not_announced_where_it_looks_for_what_few_may_see() {
    let check = |lane: spine::noun::Lane, sensitivity: Sensitivity, expected: bool| {
        let walk = Walk::go("p accept");
        let command = Command::Route {
            lane,
            look_for: vec![look_for(Sensitivity::Official), look_for(sensitivity)],
            basis: basis(Some("plan-1")),
            deadlines: clearance::Deadlines::default(),
        };
        let events = decide(&walk.case, &command, &actor("p"), walk.now).unwrap();
        let Event::ControlOrdered { trader_may_be_told, .. } = &events[0] else { panic!("{events:?}") };
        assert_eq!(*trader_may_be_told, expected, "{lane:?} {sensitivity:?}");
    };
    use spine::noun::Lane::{Hold, Red, Yellow};
    check(Red, Sensitivity::Official, true);
    check(Red, Sensitivity::Restricted, false);
    check(Red, Sensitivity::Sealed, false);
    check(Yellow, Sensitivity::Sealed, true);
    check(Hold, Sensitivity::Sealed, true);
}

#[test]
fn the_next_timer_is_the_earliest_thing_that_is_due() {
    let check = |sentences: &str, expected: Option<(&str, &str)>| {
        let due = Walk::go(sentences).case.next_due().map(|(at, what)| (at.to_string(), what));
        assert_eq!(due, expected.map(|(at, what)| (at.to_owned(), what)), "{sentences}");
    };
    check("", None);
    check("p accept; p route green", None);
    check("p register", Some(("2026-12-25T08:00:00Z", "arrival")));
    check("p register; t present", None);
    check("p accept export; p route green", Some(("2027-02-23T08:00:00Z", "exit")));
    check("p accept; p route hold; o1 insufficient", Some(("2026-11-26T08:00:00Z", "control")));
    check(
        "p accept; p route hold; o1 take; o1 complete conform; o1 insufficient",
        Some(("2026-11-30T08:00:00Z", "reminder")),
    );
    check("p accept; p route red", Some(("2026-11-27T08:00:00Z", "control")));
    check("p accept; p route red; o1 take; wait 1h; o1 ask", Some(("2026-11-27T08:00:00Z", "control")));
    check("p accept; p route yellow; o1 take; wait 1h; o1 ask", Some(("2026-12-05T08:00:00Z", "control")));
    check("p accept; p route yellow; wait 240h; s tick", None);
    check("p accept; p route red; o1 take; o1 complete conform", Some(("2026-11-25T08:00:30Z", "release")));
    check("p accept; p route red; o1 take; o1 complete irregular", None);
    check("p accept; p route blue", Some(("2026-12-25T08:00:00Z", "audit")));
    check("p accept; p route blue; o1 take; o1 close conform", None);
    check("p accept; p route hold; o1 take; o1 ask; o1 detain", None);
}

#[test]
fn a_scheduled_release_is_the_policys_or_the_officers() {
    let case = Walk::go("p accept; p route red; o1 take; o1 complete conform").case;
    assert_eq!((case.officer(), case.timer_policy()), (Some("o1"), None));
    let mut case = Walk::go("p accept; p route hold; o1 take").case;
    case.apply(&Event::ReleaseScheduled { at: start(), basis: basis(Some("release-1")) });
    assert_eq!(case.timer_policy(), Some("release-1"));
}

#[test]
fn names_are_read_again() {
    assert!(State::ALL.iter().all(|own| State::from_name(own.name()) == Some(*own)));
    assert!(ControlKind::ALL.iter().all(|own| ControlKind::from_name(own.name()) == Some(*own)));
    assert!(
        clearance::ResultCode::ALL
            .iter()
            .all(|own| clearance::ResultCode::from_name(own.name()) == Some(*own))
    );
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
    for action in Action::ALL {
        assert_eq!(serde_json::to_value(action).unwrap(), action.name());
    }
}
