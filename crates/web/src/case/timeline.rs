//! What happened to a declaration: who or what did each step, how long it took, and what makes a decision one.

use customhouse::declarations::{CaseFile, DecisionShown, TimelineStep};
use jiff::Timestamp;
use maud::{Markup, html};
use spine::ActorKind;

use crate::view::facts;
use crate::visit::Visit;
use crate::words::{duration, minute, short, texts};

fn actor(visit: &Visit, step: &TimelineStep) -> Markup {
    let kind = match step.actor_kind {
        ActorKind::Officer => "officer",
        ActorKind::Trader => "trader",
        ActorKind::Policy => "policy",
        ActorKind::System => "system",
    };
    let word = visit.named("actor", kind);
    html! {
        @match step.actor_kind {
            ActorKind::System => (word),
            ActorKind::Policy => { (word) " " code { (short(&step.actor)) } },
            ActorKind::Officer | ActorKind::Trader => { (word) " " strong { (step.actor) } },
        }
    }
}

/// What a kind of event is called.
fn event(visit: &Visit, kind: &str) -> String {
    let name = kind.replace('.', "_");
    let called = visit.named("event", &name);
    if called == name { kind.to_owned() } else { called.to_owned() }
}

/// The words beside a step: what stands in the record as a name is said in the reader's language.
fn note(visit: &Visit, step: &TimelineStep) -> String {
    match step.kind.as_str() {
        "selection.made" => visit.named("lane", &step.note).to_owned(),
        "control.ordered" => visit.named("control", &step.note).to_owned(),
        "release.scheduled" => step.note.parse().map_or_else(|_| step.note.clone(), second),
        "declaration.registered" => until(visit, &step.note),
        "tags.applied" => visit.fill(texts::TAGS_FOUND, &[("n", &step.note)]),
        "control.escalated" => match step.note.split_once(": ") {
            Some((kind, why)) => format!("{}: {why}", visit.named("control", kind)),
            None => step.note.clone(),
        },
        _ => step.note.clone(),
    }
}

/// The moment up to which something waits, as people read it.
pub(crate) fn until(visit: &Visit, moment: &str) -> String {
    let known = moment.parse::<Timestamp>().ok();
    known
        .map_or_else(|| moment.to_owned(), |until| visit.fill(texts::STEP_UNTIL, &[("time", &minute(until))]))
}

/// A step in one line, as a notice tells it.
pub(super) fn in_a_line(visit: &Visit, step: &TimelineStep) -> Markup {
    html! {
        strong { (event(visit, &step.kind)) } " · " (actor(visit, step)) " · "
        time datetime=(step.at) { (second(step.at)) }
        @if !step.note.is_empty() { " · " (note(visit, step)) }
    }
}

/// A time to the second.
pub(super) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What makes a decision one.
pub(super) fn decision(visit: &Visit, decision: &DecisionShown) -> Markup {
    let mut pairs = vec![
        (visit.say(texts::REASON), html! { (visit.localized(&decision.reason)) }),
        (visit.say(texts::LEGAL_BASIS), html! { (decision.legal_basis) }),
        (visit.say(texts::HOW_TO_CONTEST), html! { (visit.localized(&decision.how_to_contest)) }),
    ];
    if let Some(policy) = &decision.policy {
        pairs.push((visit.say(texts::POLICY_HASH), html! { code { (short(policy)) } }));
    }
    facts(&pairs)
}

/// All steps in order.
pub(super) fn shown(visit: &Visit, case: &CaseFile) -> Markup {
    html! {
        @if !case.timeline.is_empty() {
            section {
                h2 id="timeline" { (visit.say(texts::TIMELINE)) }
                ol class="timeline" {
                    @for step in &case.timeline {
                        li {
                            div class="timeline-when" {
                                time datetime=(step.at) { (second(step.at)) }
                                @if let Some(after) = step.after_ms { span class="soft" { (visit.fill(texts::STEP_AFTER, &[("t", &duration(after))])) } }
                            }
                            div class="timeline-what" {
                                strong { (event(visit, &step.kind)) }
                                @if !step.note.is_empty() { " " span class="note" { (note(visit, step)) } }
                                div class="soft" { (actor(visit, step)) }
                                @if let Some(own) = &step.decision {
                                    details { summary { (visit.say(texts::DECISION)) } (decision(visit, own)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
