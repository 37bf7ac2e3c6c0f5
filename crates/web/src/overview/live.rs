//! What moves on the first page.

use customhouse::declarations::{HitRate, Lane};
use customhouse::flow::{HitRatesOfArms, HourOfFlow, Overview, StepTime, StoppedShort};
use customhouse::identity::Permission;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::OverviewQuery;
use crate::drawing::{Strip, bars, coordinate, step};
use crate::view::{absent, figure, lane_chip, place, simulated, table, th};
use crate::visit::Visit;
use crate::words::{Text, count, duration, minute, percent, texts};

/// Hours named below the bars.
const HOURS_NAMED: usize = 5;
/// Decades of the axis of times: from a millisecond to eleven days.
const DECADES: u32 = 9;

/// Everything that moves.
pub(super) fn shown(visit: &Visit, asked: &OverviewQuery, overview: &Overview) -> Markup {
    let shown = overview.position.to_string();
    let again = place("/live", &[("office", &asked.office), ("shown", &shown)]);
    html! {
        div id="live" data-live[asked.keeps_up()] hx-get=[asked.keeps_up().then_some(again)] hx-trigger=[asked.keeps_up().then_some("moved")] hx-swap=[asked.keeps_up().then_some("outerHTML")] {
            (figures(visit, asked, overview))
            (lanes(visit, asked, overview))
            div class="columns" {
                (queue(visit, asked, overview))
                @if let Some(rates) = &overview.arms { (arms(visit, asked, overview, rates)) }
            }
            (stopped(visit, overview))
            (steps(visit, overview))
            p class="soft" { (visit.fill(texts::AS_OF, &[("time", &minute(overview.now))])) }
        }
    }
}

/// The first day that a link to the rows of a period names.
fn day_before(now: Timestamp, days: i64) -> String {
    let since = now.checked_sub(SignedDuration::from_hours(days.saturating_mul(24))).unwrap_or(now);
    since.strftime("%Y-%m-%d").to_string()
}

/// The rows behind a number of the last day.
fn rows_of_day(asked: &OverviewQuery, overview: &Overview, more: &[(&str, &str)]) -> String {
    let from = day_before(overview.now, 1);
    let mut values = vec![("office", asked.office.as_str()), ("source", "live"), ("from", &from)];
    values.extend_from_slice(more);
    place("/declarations", &values)
}

fn figures(visit: &Visit, asked: &OverviewQuery, overview: &Overview) -> Markup {
    let link = |id: &str, place: &str, word: &str| html! { a id={ "to-" (id) } href=(place) { (word) } };
    let open: u64 = overview.queue.iter().map(|kind| kind.open).sum();
    let overdue: u64 = overview.queue.iter().map(|kind| kind.overdue).sum();
    let queue = place("/queue", &[("office", &asked.office)]);
    let to_queue = if visit.may(Permission::Examine) {
        link("queue", &queue, &visit.fill(texts::OVERDUE_COUNTED, &[("n", &count(overdue))]))
    } else {
        html! { (visit.fill(texts::OVERDUE_COUNTED, &[("n", &count(overdue))])) }
    };
    html! {
        dl class="figures" {
            (figure(&count(overview.lodged_day), visit.say(texts::LODGED_IN_DAY), &link("lodged", &rows_of_day(asked, overview, &[]), &visit.fill(texts::THIS_HOUR, &[("n", &count(overview.lodged_hour))]))))
            (figure(&percent(overview.released_at_once_day, overview.lodged_day), visit.say(texts::RELEASED_AT_ONCE), &link("at-once", &rows_of_day(asked, overview, &[("state", "released")]), &visit.fill(texts::DECLARATIONS_N, &[("n", &count(overview.released_at_once_day))]))))
            (figure(&count(overview.rejected_day), visit.say(texts::REJECTED_IN_DAY), &link("rejected", &rows_of_day(asked, overview, &[("state", "rejected")]), visit.say(texts::SEE_THEM))))
            (figure(&count(open), visit.say(texts::OPEN_WORK), &to_queue))
        }
    }
}

/// A lane each on a line of its own with a scale of its own: the rare ones can be seen beside the frequent.
fn lanes(visit: &Visit, asked: &OverviewQuery, overview: &Overview) -> Markup {
    let all: u64 = overview.lanes.iter().map(|(_, n)| n).sum();
    html! {
        section class="card" aria-labelledby="lanes" {
            h2 id="lanes" { (visit.say(texts::WHICH_WAY)) " " (simulated(visit, overview.simulated)) }
            div class="lanes" {
                @for (lane, n) in &overview.lanes {
                    @let most = most_in_an_hour(overview, *lane);
                    div class="lane-row" {
                        span class="lane-name" { (lane_chip(visit, *lane)) }
                        a class="number" id={ "to-lane-" (lane.name()) } href=(rows_of_day(asked, overview, &[("lane", lane.name())])) { (count(*n)) span class="unseen" { " " (visit.named("lane", lane.name())) } }
                        span class="number soft" { (percent(*n, all)) }
                        (bars(&format!("lane-{}", lane.name()), most, &hours(overview, *lane)))
                        span class="soft most" { (visit.fill(texts::MOST_IN_HOUR, &[("n", &count(most))])) }
                    }
                }
                div class="lane-row axis" aria-hidden="true" {
                    span class="hours" { @for hour in named_hours(&overview.hours) { span { (hour) } } }
                }
            }
            details {
                summary { (visit.say(texts::AS_TABLE)) }
                (hours_table(visit, overview))
            }
        }
    }
}

fn of_lane(hour: &HourOfFlow, lane: Lane) -> u64 {
    hour.lanes.iter().find(|(own, _)| *own == lane).map_or(0, |(_, n)| *n)
}

fn most_in_an_hour(overview: &Overview, lane: Lane) -> u64 {
    overview.hours.iter().map(|hour| of_lane(hour, lane)).max().unwrap_or(0)
}

fn hour_text(hour: &HourOfFlow) -> String {
    hour.begins.strftime("%H:%M").to_string()
}

fn hours(overview: &Overview, lane: Lane) -> Vec<Vec<(&'static str, u64, String)>> {
    let bar = |hour: &HourOfFlow| {
        let n = of_lane(hour, lane);
        vec![("bar", n, format!("{} UTC: {}", hour_text(hour), count(n)))]
    };
    overview.hours.iter().map(bar).collect()
}

/// Hours evenly along the axis: first, last and some between.
fn named_hours(hours: &[HourOfFlow]) -> Vec<String> {
    let last = hours.len().saturating_sub(1);
    let parts = HOURS_NAMED.saturating_sub(1).max(1);
    (0..HOURS_NAMED).filter_map(|part| hours.get(last.saturating_mul(part) / parts)).map(hour_text).collect()
}

fn hours_table(visit: &Visit, overview: &Overview) -> Markup {
    let head = html! {
        th scope="col" { (visit.say(texts::HOUR_UTC)) }
        @for lane in Lane::ALL { th scope="col" class="number" { (visit.named("lane", lane.name())) } }
    };
    let body = html! {
        @for hour in overview.hours.iter().rev() {
            tr {
                td { (minute(hour.begins)) }
                @for lane in Lane::ALL { td class="number" { (count(of_lane(hour, lane))) } }
            }
        }
    };
    table(visit.say(texts::WHICH_WAY), &head, &body)
}

fn queue(visit: &Visit, asked: &OverviewQuery, overview: &Overview) -> Markup {
    let head = html! {
        (th(visit, texts::KIND_OF_WORK, false)) (th(visit, texts::OPEN_TASKS, true)) (th(visit, texts::OVERDUE_TITLE, true)) (th(visit, texts::TAKEN, true))
    };
    let body = html! {
        @for kind in &overview.queue {
            @let to = place("/queue", &[("kind", &kind.kind), ("office", &asked.office)]);
            tr {
                td {
                    @if visit.may(Permission::Examine) { a id={ "to-kind-" (kind.kind) } href=(to) { (visit.named("control", &kind.kind)) } }
                    @else { (visit.named("control", &kind.kind)) }
                }
                td class="number" { (count(kind.open)) }
                td class={ "number" @if kind.overdue > 0 { " late" } } { @if kind.overdue > 0 { "▲ " } (count(kind.overdue)) }
                td class="number" { (count(kind.taken)) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::WHAT_WAITS)) }
            @if overview.queue.is_empty() { p class="soft" { (visit.say(texts::NOTHING_WAITS)) } }
            @else { (table(visit.say(texts::WHAT_WAITS), &head, &body)) }
        }
    }
}

/// A rate in words: share, interval, and what it was counted on.
pub(crate) fn rate_text(visit: &Visit, rate: &HitRate) -> Markup {
    let share = |share: Option<f64>| share.map(share_text);
    html! {
        @match (share(rate.rate), share(rate.low), share(rate.high)) {
            (Some(own), Some(low), Some(high)) => { strong { (own) } " " span class="soft" { (low) "–" (high) } },
            _ => (absent()),
        }
        span class="soft" { " · " (visit.fill(texts::OF_INSPECTED, &[("irregular", &count(rate.irregular)), ("inspected", &count(rate.inspected))])) }
    }
}

/// A share as percent.
pub(crate) fn share_text(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

/// Does the plan find more than chance does? A dot each, with its interval.
fn arms(visit: &Visit, asked: &OverviewQuery, overview: &Overview, rates: &HitRatesOfArms) -> Markup {
    let arms: [(&str, Text, &HitRate); 3] = [
        ("score", texts::ARM_SCORE_NAME, &rates.score),
        ("random", texts::ARM_RANDOM_NAME, &rates.random),
        ("hard_rule", texts::ARM_HARD_NAME, &rates.hard_rule),
    ];
    let top = arms.iter().filter_map(|(_, _, rate)| rate.high).fold(0.05, f64::max);
    let width = step(top / 4.0);
    let end = (top / width).ceil() * width;
    let parts = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].into_iter().filter(|part| *part * width <= end * 1.000_1);
    let ticks: Vec<String> = parts.map(|part| format!("{:.0}\u{a0}%", part * width * 100.0)).collect();
    let from = day_before(overview.now, 30);
    html! {
        section {
            h2 { (visit.say(texts::PLAN_OR_CHANCE)) " " (simulated(visit, overview.simulated)) }
            div class="dots" {
                @for (name, word, rate) in arms {
                    @let strip = Strip {
                        interval: rate.low.zip(rate.high).map(|(low, high)| (low / end, high / end)),
                        dot: rate.rate.map(|rate| rate / end),
                        steps: ticks.len().saturating_sub(1),
                        ..Strip::default()
                    };
                    div class="dot-row" {
                        a id={ "to-arm-" (name) } href=(place("/declarations", &[("arm", name), ("outcome", "inspected"), ("from", &from), ("office", &asked.office)])) { (visit.say(word)) }
                        (strip.draw(&format!("arm-{name}")))
                        div class="figures-of-row" { (rate_text(visit, rate)) }
                    }
                }
                div class="dot-row" aria-hidden="true" { span {} span class="ticks soft" { @for tick in &ticks { span { (tick) } } } }
            }
            p class="help" { (visit.say(texts::PLAN_OR_CHANCE_HELP)) }
        }
    }
}

fn steps(visit: &Visit, overview: &Overview) -> Markup {
    html! {
        section {
            h2 { (visit.say(texts::HOW_LONG)) " " (simulated(visit, overview.simulated)) }
            (step_table(visit, &overview.steps))
        }
    }
}

/// Where a time stands on an axis of decades, 0 to 1.
fn decade(milliseconds: u64) -> f64 {
    (coordinate(milliseconds.max(1)).log10() / f64::from(DECADES)).clamp(0.0, 1.0)
}

/// Median and 95th percentile of each step, with a line between them on an axis of powers of ten.
pub(crate) fn step_table(visit: &Visit, steps: &[StepTime]) -> Markup {
    let head = html! {
        (th(visit, texts::STEP, false)) (th(visit, texts::MEDIAN, true)) (th(visit, texts::PERCENTILE_95, true)) (th(visit, texts::MEASURED, true))
        th scope="col" class="strip-cell" { (visit.say(texts::MEDIAN_TO_95)) }
    };
    let time =
        |time: Option<u64>| html! { @match time { Some(time) => (duration(time)), None => (absent()) } };
    let body = html! {
        @for step in steps {
            @let strip = Strip {
                dot: step.median_ms.map(decade),
                interval: step.median_ms.zip(step.p95_ms).map(|(from, to)| (decade(from), decade(to))),
                steps: usize::try_from(DECADES).unwrap_or(1),
                ..Strip::default()
            };
            tr {
                td { (visit.named("step", &step.step)) }
                td class="number" { (time(step.median_ms)) }
                td class="number" { (time(step.p95_ms)) }
                td class="number" { (count(step.count)) }
                td class="strip-cell" { (strip.draw("step")) }
            }
        }
    };
    html! {
        (table(visit.say(texts::HOW_LONG), &head, &body))
        p class="help" { (visit.say(texts::HOW_LONG_HELP)) }
    }
}

fn stopped(visit: &Visit, overview: &Overview) -> Markup {
    let line = |one: &StoppedShort| {
        html! {
            li {
                (lane_chip(visit, one.lane))
                a id={ "to-case-" (one.mrn) } href={ "/declarations/" (one.mrn) } { code { (one.mrn) } }
                @if let Some(description) = &one.description { span class="cut" { (description) } }
                span class="soft" { (one.office) " · " (minute(one.at)) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::LATEST_STOPPED)) }
            @if overview.latest_stopped.is_empty() { p class="soft" { (visit.say(texts::NOTHING_STOPPED)) } }
            @else { ul class="latest stopped" { @for one in &overview.latest_stopped { (line(one)) } } }
        }
    }
}
