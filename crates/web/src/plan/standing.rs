//! The plan in force in tables: what it says, how offices stand, what tags weigh, how thresholds moved.

use customhouse::plans::{MoveShown, OfficeToday, Plan, PlanStanding};
use customhouse::tags::{TagCatalogue, TagSummary};
use maud::{Markup, html};

use crate::drawing::{Strip, coordinate};
use crate::overview::{rate_text, share_text};
use crate::view::{absent, facts, lane_chip, simulated, table, th};
use crate::visit::Visit;
use crate::words::{count, minute, short, texts};

/// Weights shown at once; the rest is folded away.
const WEIGHTS_SHOWN: usize = 25;

/// Parts per million as percent.
fn ppm(parts: u32) -> String {
    share_text(f64::from(parts) / 1_000_000.0)
}

fn signed(points: i32) -> String {
    if points > 0 { format!("+{points}") } else { points.to_string() }
}

/// A threshold; one that no score reaches is a closed door.
pub(super) fn threshold(visit: &Visit, threshold: i32) -> String {
    if threshold >= Plan::SCORE_MAX {
        visit.say(texts::THRESHOLD_CLOSED).to_owned()
    } else {
        threshold.to_string()
    }
}

/// What the plan says, and whether it finds more than chance.
pub(super) fn about(visit: &Visit, plan: &Plan, standing: &PlanStanding) -> Markup {
    let pairs = [
        (
            visit.say(texts::PLAN),
            html! { strong { (visit.localized(&plan.title)) } " " span class="soft" { (plan.version) } " " (simulated(visit, plan.simulated)) },
        ),
        (visit.say(texts::LEGAL_BASIS), html! { (plan.legal_basis) }),
        (
            visit.say(texts::PLAN_CAPACITY),
            html! { (visit.fill(texts::INSPECTIONS_A_DAY, &[("n", &plan.capacity_per_day.to_string())])) @if !plan.offices.is_empty() { " · " (visit.fill(texts::OFFICES_DIFFER, &[("n", &plan.offices.len().to_string())])) } },
        ),
        (
            visit.say(texts::RANDOM_SHARE),
            html! {
                (visit.fill(texts::RANDOM_SHARE_OF, &[("share", &ppm(plan.random_share_ppm))]))
                @if let Some(share) = standing.random_share { " · " (visit.fill(texts::RANDOM_SHARE_WAS, &[("share", &share_text(share))])) }
            },
        ),
        (visit.say(texts::LEAST_CHANCE), html! { (ppm(plan.floor_ppm)) }),
        (
            visit.say(texts::TRUSTED_TRADERS),
            html! { (visit.fill(texts::TRUSTED_TEXT, &[("points", &signed(plan.trusted.points)), ("factor", &ppm(plan.trusted.factor_ppm))])) },
        ),
        (visit.say(texts::ARM_SCORE_NAME), rate_text(visit, &standing.score_arm)),
        (visit.say(texts::ARM_RANDOM_NAME), rate_text(visit, &standing.random_arm)),
    ];
    html! { section { h2 { (visit.say(texts::PLAN_IN_FORCE)) } (facts(&pairs)) } }
}

/// Offices today.
pub(super) fn offices(visit: &Visit, offices: &[OfficeToday]) -> Markup {
    let head = html! {
        (th(visit, texts::OFFICE, false)) (th(visit, texts::PLAN_CAPACITY, true)) (th(visit, texts::SELECTED_TODAY, true))
        (th(visit, texts::ARRIVED_TODAY, true)) (th(visit, texts::EXPECTED_TODAY, true)) (th(visit, texts::THRESHOLD, true)) (th(visit, texts::CHANCE_OF_OTHERS, true))
    };
    let body = html! {
        @for office in offices {
            @let full = office.selected_today >= office.capacity_per_day;
            tr {
                td { a href=(crate::view::place("/declarations", &[("office", &office.office), ("source", "live")])) { (office.office) } }
                td class="number" { (count(office.capacity_per_day.into())) }
                td class={ "number" @if full { " late" } } { @if full { "▲ " } (count(office.selected_today.into())) }
                td class="number" { (count(office.arrivals_today.into())) }
                td class="number" { (count(office.arrivals_expected.into())) }
                td class="number" { (threshold(visit, office.threshold)) }
                td class="number" { (ppm(office.random_ppm)) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::OFFICES_TODAY)) }
            @if offices.is_empty() { p class="soft" { (visit.say(texts::NO_OFFICES)) } }
            @else { (table(visit.say(texts::OFFICES_TODAY), &head, &body)) p class="help" { (visit.say(texts::OFFICES_HELP)) } }
        }
    }
}

/// Points by tag, the weightiest first, and hard rules. Tags above the reader's clearance are not there.
pub(super) fn weights(visit: &Visit, plan: &Plan, catalogue: &TagCatalogue) -> Markup {
    let tags: Vec<&TagSummary> = catalogue.families.iter().flat_map(|family| &family.tags).collect();
    let title = |id: &str| tags.iter().find(|tag| tag.id == id).map(|tag| visit.localized(&tag.title));
    let mut weights: Vec<(&str, &str, i32)> =
        plan.weights.iter().filter_map(|(id, points)| Some((id.as_str(), title(id)?, *points))).collect();
    weights.sort_by_key(|(id, _, points)| (std::cmp::Reverse(points.unsigned_abs()), *id));
    let most = weights.first().map_or(1, |(_, _, points)| points.unsigned_abs()).max(1);
    let (first, rest) = weights.split_at(WEIGHTS_SHOWN.min(weights.len()));
    html! {
        div class="columns" {
            section {
                h2 { (visit.say(texts::WEIGHTS)) }
                p class="help" { (visit.fill(texts::WEIGHTS_HELP, &[("base", &signed(plan.base_points))])) }
                (weights_table(visit, first, most))
                @if !rest.is_empty() {
                    details { summary { (visit.fill(texts::AND_MORE, &[("n", &rest.len().to_string())])) } (weights_table(visit, rest, most)) }
                }
            }
            section { h2 { (visit.say(texts::HARD_RULES)) } p class="help" { (visit.say(texts::HARD_RULES_HELP)) } (hard_rules(visit, plan, &title)) }
        }
    }
}

fn weights_table(visit: &Visit, weights: &[(&str, &str, i32)], most: u32) -> Markup {
    let head = html! {
        (th(visit, texts::TAG, false)) (th(visit, texts::POINTS_TITLE, true)) th scope="col" { span class="unseen" { (visit.say(texts::POINTS_TITLE)) } }
    };
    let body = html! {
        @for (id, title, points) in weights {
            @let end = 0.5 + 0.5 * f64::from(*points) / f64::from(most);
            @let strip = Strip { across: Some(0.5), interval: Some((0.5, end)), ..Strip::default() };
            tr {
                td { a href={ "/tags/" (id) } { (title) } }
                td class="number" { (signed(*points)) }
                td class="strip-cell" { (strip.draw(if *points < 0 { "less" } else { "more" })) }
            }
        }
    };
    table(visit.say(texts::WEIGHTS), &head, &body)
}

fn hard_rules<'a>(visit: &Visit, plan: &Plan, title: &impl Fn(&str) -> Option<&'a str>) -> Markup {
    let head = html! { (th(visit, texts::TAG, false)) (th(visit, texts::LANE, false)) (th(visit, texts::LEGAL_BASIS, false)) };
    let seen: Vec<_> = plan.hard_rules.iter().filter_map(|(id, rule)| Some((id, title(id)?, rule))).collect();
    let body = html! {
        @for (id, title, rule) in &seen {
            tr {
                td { a href={ "/tags/" (id) } { (title) } div class="soft" { (visit.localized(&rule.reason)) } }
                td { (lane_chip(visit, rule.lane)) }
                td { (rule.legal_basis) }
            }
        }
    };
    html! {
        @if seen.is_empty() { p class="soft" { (visit.say(texts::NO_HARD_RULES)) } }
        @else { (table(visit.say(texts::HARD_RULES), &head, &body)) }
    }
}

/// Moves of thresholds with what each was computed from.
pub(super) fn moves(visit: &Visit, moves: &[MoveShown]) -> Markup {
    let head = html! {
        (th(visit, texts::WHEN_UTC, false)) (th(visit, texts::OFFICE, false)) (th(visit, texts::THRESHOLD, false)) (th(visit, texts::CHANCE_OF_OTHERS, false))
        (th(visit, texts::REASON, false)) (th(visit, texts::COMPUTED_FROM, false)) (th(visit, texts::POSITION, true))
    };
    let number = |n: u32| count(n.into());
    let body = html! {
        @for one in moves {
            @let moved = &one.moved;
            tr {
                td class="period" { (minute(one.at)) }
                td { (moved.office) }
                td class="period" { (threshold(visit, moved.from_threshold)) " → " strong { (threshold(visit, moved.to_threshold)) } }
                td class="period" { (ppm(moved.from_random_ppm)) " → " (ppm(moved.to_random_ppm)) }
                td { (visit.named("move", &moved.reason)) }
                td class="soft reasons" {
                    (visit.fill(texts::MOVE_FROM, &[
                        ("left", &number(moved.capacity_left)), ("today", &number(moved.arrivals_today)),
                        ("expected", &number(moved.arrivals_expected)), ("scores", &number(moved.scores_seen)),
                    ]))
                    details { summary { (visit.say(texts::SCORES_SEEN)) } (histogram(visit, moved)) }
                }
                td class="number" { a href={ "/journal/" (one.position) } { (count(one.position)) } }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::MOVES)) }
            @if moves.is_empty() { p class="soft" { (visit.say(texts::NO_MOVES)) } }
            @else { div class="dense" { (table(visit.say(texts::MOVES), &head, &body)) } }
        }
    }
}

/// The scores that a move was computed from, as bars; the threshold that came of it lies between two of them.
fn histogram(visit: &Visit, moved: &customhouse::plans::Moved) -> Markup {
    let most = moved.histogram.iter().map(|(_, n)| u64::from(*n)).max().unwrap_or(0);
    let bar = |(from, n): &(i32, u32)| {
        let class = if *from >= moved.to_threshold { "above" } else { "below" };
        vec![(class, u64::from(*n), format!("{from}: {n}"))]
    };
    let all: Vec<_> = moved.histogram.iter().map(bar).collect();
    let ends = moved.histogram.first().zip(moved.histogram.last()).map(|((from, _), (to, _))| (*from, *to));
    html! {
        div class="histogram" {
            (crate::drawing::bars("scores", most, &all))
            @match ends { Some((from, to)) => span class="ticks soft" { span { (from) } span { (to) } }, None => (absent()) }
            p class="soft" {
                (visit.fill(texts::SCORES_AT_OR_ABOVE, &[("n", &above(moved)), ("threshold", &threshold(visit, moved.to_threshold))])) " · "
                (visit.say(texts::POLICY)) " " code { (short(&moved.plan)) }
            }
        }
    }
}

/// Share of the scores at or above the new threshold.
fn above(moved: &customhouse::plans::Moved) -> String {
    let all: f64 = moved.histogram.iter().map(|(_, n)| coordinate(u64::from(*n))).sum();
    let own: f64 = moved
        .histogram
        .iter()
        .filter(|(from, _)| *from >= moved.to_threshold)
        .map(|(_, n)| coordinate(u64::from(*n)))
        .sum();
    if all > 0.0 { share_text(own / all) } else { "–".to_owned() }
}
