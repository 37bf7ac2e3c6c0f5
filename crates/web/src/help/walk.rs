//! How a declaration walks: drawn and told from the table of states and events itself.

use std::collections::BTreeSet;

use customhouse::declarations::{State, TRANSITIONS, Transition};
use maud::{Markup, html};

use super::state_text;
use crate::drawing::short;
use crate::visit::Visit;
use crate::words::texts;

/// Half the size of a state's frame.
const HALF: (f64, f64) = (57.0, 17.0);
/// Characters of a name on one line.
const LINE_CHARACTERS_MAX: usize = 17;

/// Where a state is drawn: middle of its frame.
fn middle(state: State) -> (f64, f64) {
    let (left, center, right) = (62.0, 205.0, 348.0);
    let row = |number: f64| 36.0 + 76.0 * number;
    match state {
        State::Received => (left, row(0.0)),
        State::Lodged => (center, row(0.0)),
        State::Rejected => (right, row(0.0)),
        State::Presented => (left, row(1.0)),
        State::Accepted => (center, row(1.0)),
        State::AwaitingDocuments => (left, row(2.0)),
        State::UnderControl => (right, row(2.0)),
        State::Cancelled => (left, row(3.0)),
        State::Held => (center, row(3.0)),
        State::PaymentPending => (right, row(3.0)),
        State::Released => (left, row(4.0)),
        State::ReleasePending => (center, row(4.0)),
        State::Detained => (right, row(4.0)),
        State::Exited => (left, row(5.0)),
        State::Cleared => (center, row(5.0)),
    }
}

/// Where a line from the middle of a frame to another leaves it.
fn edge(from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let share = (HALF.0 / dx.abs().max(0.001)).min(HALF.1 / dy.abs().max(0.001));
    (from.0 + dx * share, from.1 + dy * share)
}

/// The way between two states: straight, or around what stands between.
fn way(from: State, to: State) -> Vec<(f64, f64)> {
    let (a, b) = (middle(from), middle(to));
    // Ways that begin or end at one side of a frame do so beside each other.
    let beside = HALF.1 / 2.0;
    let along = |x: f64, start: f64, end: f64| {
        let side = if x > a.0 { HALF.0 } else { -HALF.0 };
        let target = if x > b.0 { HALF.0 } else { -HALF.0 };
        vec![(a.0 + side, a.1 + start), (x, a.1 + start), (x, b.1 + end), (b.0 + target, b.1 + end)]
    };
    match (from, to) {
        (State::Received, State::Rejected) => {
            vec![(a.0, a.1 - HALF.1), (a.0, 8.0), (b.0, 8.0), (b.0, b.1 - HALF.1)]
        }
        (State::Accepted, State::Cleared) => along(412.0, 0.0, 0.0),
        (State::Held, State::Cleared) => along(138.0, beside, -beside),
        (State::ReleasePending, State::AwaitingDocuments) => along(128.0, 0.0, beside),
        (State::ReleasePending, State::UnderControl) => along(276.0, 0.0, beside),
        _ => vec![edge(a, b), edge(b, a)],
    }
}

/// A way as SVG draws it.
fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        path.push_str(&format!("{}{} {}", if at == 0 { "M" } else { "L" }, short(*x), short(*y)));
    }
    path
}

/// What is drawn as a line. So many states can be left by cancelling that they carry a mark instead.
fn ways() -> BTreeSet<(State, State)> {
    let moves = TRANSITIONS.iter().filter(|line| line.from != line.to && line.to != State::Cancelled);
    moves.map(|line| (line.from, line.to)).collect()
}

/// Is this one, or can it become, cancelled?
fn marked(state: State) -> bool {
    state == State::Cancelled
        || TRANSITIONS.iter().any(|line| line.from == state && line.to == State::Cancelled)
}

/// A name on one line, or on two.
fn lines(name: &str) -> Vec<&str> {
    if name.chars().count() <= LINE_CHARACTERS_MAX {
        return vec![name];
    }
    let half = name.len() / 2;
    let blank = name.match_indices(' ').map(|(at, _)| at).min_by_key(|at| at.abs_diff(half));
    match blank.and_then(|at| Some((name.get(..at)?, name.get(at..)?.trim()))) {
        Some((first, second)) => vec![first, second],
        None => vec![name],
    }
}

/// The table drawn, and told state by state.
pub(super) fn shown(visit: &Visit) -> Markup {
    html! {
        section {
            h2 { (visit.say(texts::HOW_IT_WALKS)) }
            p class="help" { (visit.say(texts::HOW_IT_WALKS_HELP)) }
            div class="walk" { (drawing(visit)) (told(visit)) }
        }
    }
}

fn drawing(visit: &Visit) -> Markup {
    let ways = ways();
    // A way up the drawing goes back.
    let back = |from: State, to: State| middle(to).1 < middle(from).1;
    // There and back is one line with two heads.
    let both = |from: State, to: State| ways.contains(&(to, from));
    html! {
        svg class="walk-drawing" viewBox="0 0 420 440" role="img" aria-label=(visit.say(texts::HOW_IT_WALKS)) {
            defs {
                marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse" { path d="M0 0 8 4 0 8z" {} }
            }
            @for (from, to) in ways.iter().filter(|(from, to)| from < to || !both(*from, *to)) {
                @let twice = both(*from, *to);
                path class=(if back(*from, *to) && !twice { "way back" } else { "way" }) d=(path(&way(*from, *to))) marker-start=[twice.then_some("url(#arrow)")] marker-end="url(#arrow)" {}
            }
            @for state in State::ALL {
                @let (x, y) = middle(state);
                g class={ "state " (state.name()) } {
                    rect x=(short(x - HALF.0)) y=(short(y - HALF.1)) width=(short(2.0 * HALF.0)) height=(short(2.0 * HALF.1)) rx="6" {}
                    @if marked(state) { path class="mark" d=(format!("M{} {}l6 6m0-6l-6 6", short(x + HALF.0 - 10.0), short(y - HALF.1 + 3.0))) {} }
                    @let words = lines(visit.named("case_state", state.name()));
                    @for (at, line) in words.iter().enumerate() {
                        @let shift = if words.len() == 1 { 4.0 } else if at == 0 { -2.5 } else { 10.5 };
                        text x=(short(x)) y=(short(y + shift)) { (line) }
                    }
                }
            }
        }
    }
}

fn told(visit: &Visit) -> Markup {
    html! {
        div class="walk-told" {
            @for state in State::ALL {
                details {
                    summary { strong { (visit.named("case_state", state.name())) } " " span class="soft" { (state_text(visit, state)) } }
                    @let out: Vec<&Transition> = TRANSITIONS.iter().filter(|line| line.from == state).collect();
                    @if out.is_empty() { p class="soft" { (visit.say(texts::NO_WAY_OUT)) } }
                    @else { ul { @for line in out { li { (step(visit, line)) } } } }
                }
            }
        }
    }
}

/// One line of the table: what happens, who brings it about, where it leads.
fn step(visit: &Visit, line: &Transition) -> Markup {
    let who: Vec<String> = line
        .who
        .iter()
        .filter_map(|kind| {
            serde_json::to_value(kind).ok()?.as_str().map(|name| visit.named("actor", name).to_owned())
        })
        .collect();
    let event = line.event.replace('.', "_");
    html! {
        (visit.named("event", &event))
        span class="soft" { " (" (who.join(", ")) ")" }
        @if line.to != line.from { " → " strong { (visit.named("case_state", line.to.name())) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_states_are_drawn_on_one_place_and_names_break_at_a_blank() {
        let places: BTreeSet<String> =
            State::ALL.iter().map(|state| format!("{:?}", middle(*state))).collect();
        assert_eq!(places.len(), State::ALL.len());
        assert_eq!(lines("documents examined"), ["documents", "examined"]);
        assert_eq!(lines("待关员处理"), ["待关员处理"]);
        assert_eq!(path(&way(State::Lodged, State::Accepted)), "M205.0 53.0L205.0 95.0");
    }

    /// Does a straight line pass within a frame, a little larger than it is drawn?
    fn passes(frame: (f64, f64), from: (f64, f64), to: (f64, f64)) -> bool {
        (0..=200).any(|step| {
            let share = f64::from(step) / 200.0;
            let (x, y) = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            (x - frame.0).abs() < HALF.0 + 3.0 && (y - frame.1).abs() < HALF.1 + 3.0
        })
    }

    #[test]
    fn no_way_leads_through_a_state_that_it_does_not_touch() {
        for (from, to) in ways() {
            let points = way(from, to);
            for other in State::ALL.into_iter().filter(|other| *other != from && *other != to) {
                let through = points.windows(2).any(|line| passes(middle(other), line[0], line[1]));
                assert!(!through, "{from:?} to {to:?} leads through {other:?}");
            }
        }
        assert!(passes((50.0, 50.0), (0.0, 0.0), (100.0, 100.0)), "the measure sees what it should");
        assert!(marked(State::Received) && !marked(State::UnderControl));
    }
}
