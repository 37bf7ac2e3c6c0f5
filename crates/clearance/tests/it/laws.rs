//! Laws that hold whatever anybody does.

use clearance::{Case, Command, Event, State, decide};
use jiff::SignedDuration;
use proptest::prelude::*;
use spine::ActorKind;

use crate::support::{actor, command, start};

const WHO: [&str; 6] = ["p-1", "s-1", "o-1", "o-2", "o-3", "t-1"];
const WHAT: [&str; 47] = [
    "accept",
    "reject",
    "route green",
    "route blue",
    "route yellow",
    "route red",
    "route hold",
    "take",
    "give-back",
    "hand-over o-2",
    "complete conform",
    "complete considered_conform",
    "complete minor_discrepancy",
    "complete irregular",
    "withdraw",
    "request",
    "send",
    "ask",
    "answer",
    "escalate documents",
    "escalate physical",
    "escalate query",
    "release",
    "detain",
    "request-cancel",
    "cancel",
    "deny-cancel",
    "contest",
    "uphold",
    "deny-contest",
    "close conform",
    "close irregular",
    "tick",
    "register",
    "present",
    "depart",
    "request-amendment",
    "amend",
    "deny-amendment",
    "correct",
    "refuse",
    "insufficient",
    "pay",
    "release debt",
    "clear",
    "exit conform",
    "accept export debt",
];

/// Somebody, what they try, and how many minutes later. Beginnings that lead somewhere are more frequent than chance
/// would make them.
fn story() -> impl Strategy<Value = Vec<(usize, usize, i64)>> {
    let accepted = (2_usize..7).prop_map(|lane| vec![(0, 0, 0), (0, lane, 0), (2, 7, 1)]);
    let exported = (2_usize..7).prop_map(|lane| vec![(0, 46, 0), (0, lane, 0), (2, 7, 1)]);
    let registered = Just(vec![(0, 33, 0)]);
    let begun = prop_oneof![4 => accepted, 2 => exported, 1 => registered];
    let step = (0..WHO.len(), 0..WHAT.len(), prop_oneof![4 => 0_i64..3, 1 => 0_i64..20_000]);
    (begun, prop::collection::vec(step, 0..40)).prop_map(|(mut begun, steps)| {
        begun.extend(steps);
        begun
    })
}

/// Who did it, the case before, what happened.
type Told = Vec<(ActorKind, Case, Event)>;

fn tell(story: &[(usize, usize, i64)]) -> (Case, Told) {
    let (mut case, mut now, mut told) = (Case::lodged(), start(), Vec::new());
    for (who, what, minutes) in story {
        now += SignedDuration::from_mins(*minutes);
        let by = actor(WHO[*who]);
        let Ok(events) = decide(&case, &command(WHAT[*what], now), &by, now) else { continue };
        for event in events {
            told.push((by.kind, case.clone(), event.clone()));
            case.apply(&event);
        }
    }
    (case, told)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn officers_alone_take_away_and_policies_only_delay(story in story()) {
        for (by, _, event) in tell(&story).1 {
            if matches!(
                event,
                Event::Detained { .. } | Event::Cancelled { .. } | Event::CancelDenied { .. }
                    | Event::AmendmentDenied { .. } | Event::Corrected { .. }
                    | Event::ControlCompleted { .. } | Event::AuditClosed { .. } | Event::ContestAnswered { .. }
            ) {
                prop_assert_eq!(by, ActorKind::Officer, "{:?}", event);
            }
        }
    }

    #[test]
    fn only_who_took_a_control_completes_it_and_nobody_twice(story in story()) {
        let mut holder: Option<String> = None;
        let mut open = false;
        for (_, before, event) in tell(&story).1 {
            match event {
                Event::ControlOrdered { .. } | Event::Escalated { .. } | Event::AuditOpened { .. } => {
                    (holder, open) = (None, true);
                }
                Event::ControlTaken { officer } => {
                    prop_assert_eq!(&holder, &None, "taken from under somebody");
                    holder = Some(officer);
                }
                Event::ControlHandedOver { to, .. } => holder = Some(to),
                Event::ControlGivenBack {} => holder = None,
                Event::ControlCompleted { .. } | Event::AuditClosed { .. } => {
                    prop_assert!(open && holder.is_some());
                    prop_assert_eq!(before.officer(), holder.as_deref());
                    open = false;
                }
                Event::ResultWithdrawn { .. } => open = true,
                _ => {}
            }
        }
    }

    #[test]
    fn a_decision_says_its_law_its_reason_and_its_remedy(story in story()) {
        for (_, _, event) in tell(&story).1 {
            if let Some(basis) = event.basis() {
                prop_assert!(!basis.legal_basis.trim().is_empty());
                prop_assert!(!basis.reason.0.is_empty() && !basis.how_to_contest.0.is_empty());
            }
        }
    }

    #[test]
    fn after_the_end_there_is_contest_audit_exit_and_what_its_trader_asked_for(story in story()) {
        for (_, before, event) in tell(&story).1 {
            if !before.state.is_final() {
                continue;
            }
            let mut after = before.clone();
            after.apply(&event);
            let goes_on = matches!(
                (before.state, &event),
                (State::Detained, Event::ContestAnswered { upheld: true, .. })
                    | (State::Cleared, Event::ExitConfirmed { .. } | Event::Cancelled { .. })
            );
            prop_assert!(after.state == before.state || goes_on, "{:?}", event);
        }
    }

    #[test]
    fn a_deadline_is_noted_once_and_changes_nothing_else(story in story()) {
        for (_, before, event) in tell(&story).1 {
            if let Event::DeadlinePassed { what, .. } = &event {
                prop_assert!(!before.deadlines_passed.contains(what));
                let mut after = before.clone();
                after.apply(&event);
                after.deadlines_passed.remove(what);
                prop_assert_eq!(after, before);
            }
        }
    }

    #[test]
    fn what_is_decided_folds_and_what_is_folded_can_be_kept_and_read_again(story in story()) {
        let (case, told) = tell(&story);
        let mut again = Case::lodged();
        for (_, _, event) in &told {
            let read = Event::read(event.kind(), 1, &event.payload()).unwrap().unwrap();
            again.apply(&read);
        }
        prop_assert_eq!(&again, &case);
        let kept: Case = serde_json::from_str(&serde_json::to_string(&case).unwrap()).unwrap();
        prop_assert_eq!(kept, case);
    }

    #[test]
    fn time_alone_never_moves_goods_against_their_trader(story in story(), hours in 0_i64..20_000) {
        let (mut case, _) = tell(&story);
        let before = case.clone();
        let now = start() + SignedDuration::from_hours(hours) + SignedDuration::from_hours(24 * 365);
        let mut rounds = 0;
        loop {
            let events = decide(&case, &Command::Tick, &actor("s-1"), now).unwrap();
            if events.is_empty() {
                break;
            }
            rounds += 1;
            prop_assert!(rounds <= 3, "a timer goes off for ever: {:?}", events);
            for event in events {
                case.apply(&event);
            }
        }
        let released = before.state == State::ReleasePending && case.state == State::Cleared;
        // Whoever lodged before the goods came lodges again when they come.
        let never_came = before.state == State::Received && case.state == State::Rejected;
        prop_assert!(case.state == before.state || released || never_came);
    }
}
