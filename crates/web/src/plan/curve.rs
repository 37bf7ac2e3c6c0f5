//! What another capacity would bring: a curve to choose from. Dragging redraws at once where scripts run; a form does
//! the same without.

use customhouse::identity::Permission;
use customhouse::plans::{ConsequencePoint, Plan};
use maud::{Markup, html};

use super::{PlanQuery, Shown};
use crate::drawing::{Scale, place_of, points, short, step};
use crate::view::{csrf, simulated};
use crate::visit::Visit;
use crate::words::{count, texts};

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 300.0;

/// The point that is chosen: as asked, or where the plan's capacity stands.
fn chosen(asked: &PlanQuery, shown: &Shown, plan: &Plan) -> usize {
    let curve = &shown.consequences.curve;
    let last = curve.len().saturating_sub(1);
    if let Ok(at) = asked.at.parse::<usize>() {
        return at.min(last);
    }
    let capacity: u32 = if asked.office.is_empty() {
        shown.offices.iter().map(|office| plan.capacity(office)).sum()
    } else {
        plan.capacity(&asked.office)
    };
    let distance = |point: &ConsequencePoint| (point.inspections_per_day - f64::from(capacity)).abs();
    let nearest = curve.iter().enumerate().min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    nearest.map_or(0, |(at, _)| at)
}

/// Values of a point as the page writes them, in the order of [`FIELDS`].
fn values(point: &ConsequencePoint) -> [String; 5] {
    [
        rounded(point.inspections_per_day),
        point.threshold.to_string(),
        point.expected_finds_per_day.map_or_else(|| "–".to_owned(), rounded),
        format!("{} / {}", count(point.known_irregular), count(point.known)),
        count(point.unknown),
    ]
}

fn rounded(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        number if number < 1.0 => format!("{number:.2}"),
        number if number < 10.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// The curve, the slider, and what follows from the point chosen.
pub(super) fn shown(visit: &Visit, asked: &PlanQuery, shown: &Shown, plan: &Plan) -> Markup {
    let all = &shown.consequences;
    html! {
        section class="card" aria-labelledby="curve" {
            h2 id="curve" { (visit.say(texts::WHAT_IF)) " " (simulated(visit, all.simulated)) }
            @if all.curve.len() < 2 { p class="soft" { (visit.say(texts::NO_CURVE)) } } @else { (choice(visit, asked, shown, plan)) }
        }
    }
}

fn choice(visit: &Visit, asked: &PlanQuery, shown: &Shown, plan: &Plan) -> Markup {
    let all = &shown.consequences;
    let at = chosen(asked, shown, plan);
    let last = all.curve.len().saturating_sub(1);
    let most = all.curve.iter().map(|point| point.inspections_per_day).fold(1.0, f64::max);
    let x = Scale { max: most, from: 0.0, to: WIDTH };
    let told: Vec<(f64, [String; 5])> =
        all.curve.iter().map(|point| (x.at(point.inspections_per_day), values(point))).collect();
    let told = serde_json::to_string(&told).unwrap_or_default();
    let words = [
        texts::INSPECTIONS_PER_DAY,
        texts::THRESHOLD,
        texts::FINDS_EXPECTED,
        texts::KNOWN_IRREGULAR,
        texts::NEVER_INSPECTED,
    ];
    html! {
        p class="help" { (visit.fill(texts::WHAT_IF_HELP, &[("n", &count(all.declarations)), ("known", &count(all.known))])) }
        form class="inline curve-form" method="get" action="/plan" {
            label for="curve-office" { (visit.say(texts::OFFICE)) }
            select id="curve-office" name="office" data-send-on-change {
                option value="" { (visit.say(texts::ALL)) }
                @for office in &shown.offices { option value=(office) selected[*office == asked.office] { (office) } }
            }
            label for="curve-at" { (visit.say(texts::PLAN_CAPACITY)) }
            input id="curve-at" name="at" type="range" min="0" max=(last) value=(at) data-curve=(told);
            button data-send-by-hand { (visit.say(texts::APPLY)) }
        }
        (drawing(visit, &all.curve, at, x))
        dl class="figures chosen" aria-live="polite" {
            @if let Some(point) = all.curve.get(at) {
                @for (word, value) in words.into_iter().zip(values(point)) {
                    div class="figure" { dt { (visit.say(word)) } dd { output class="figure-value" data-told { (value) } } }
                }
            }
        }
        @if let Some(point) = all.curve.get(at) { (propose(visit, asked, point, plan)) }
    }
}

fn drawing(visit: &Visit, curve: &[ConsequencePoint], at: usize, x: Scale) -> Markup {
    let most = curve.iter().filter_map(|point| point.expected_finds_per_day).fold(0.1, f64::max);
    let width = step(most / 4.0);
    let y = Scale { max: (most / width).ceil() * width, from: HEIGHT, to: 0.0 };
    let line = curve
        .iter()
        .filter_map(|point| Some((x.at(point.inspections_per_day), y.at(point.expected_finds_per_day?))));
    let mark = curve.get(at).map_or(0.0, |point| x.at(point.inspections_per_day));
    let steps: Vec<f64> = (0..=4).map(|part| x.max * place_of(part) / 4.0).collect();
    html! {
        div class="curve" {
            p class="soft axis-title" { "↑ " (visit.say(texts::FINDS_EXPECTED)) }
            div class="curve-y soft" aria-hidden="true" { @for tick in y.ticks().into_iter().rev() { span { (rounded(tick)) } } }
            svg class="curve-drawing" viewBox="0 0 1000 300" preserveAspectRatio="none" role="img" aria-labelledby="curve" {
                @for tick in y.ticks() { line class="grid" x1="0" x2="1000" y1=(short(y.at(tick))) y2=(short(y.at(tick))) {} }
                @for tick in &steps { line class="grid" x1=(short(x.at(*tick))) x2=(short(x.at(*tick))) y1="0" y2="300" {} }
                polyline class="line" points=(points(line)) {}
                line class="mark" data-mark x1=(short(mark)) x2=(short(mark)) y1="0" y2="300" {}
            }
            div class="curve-x ticks soft" aria-hidden="true" { @for tick in &steps { span { (rounded(*tick)) } } }
            p class="soft axis-title end" { (visit.say(texts::INSPECTIONS_PER_DAY)) " →" }
        }
    }
}

/// A capacity to propose: of one office what was chosen, of all together what the plan has for each.
fn propose(visit: &Visit, asked: &PlanQuery, point: &ConsequencePoint, plan: &Plan) -> Markup {
    let of_one = !asked.office.is_empty();
    let capacity = if of_one {
        format!("{:.0}", point.inspections_per_day.max(1.0))
    } else {
        plan.capacity_per_day.to_string()
    };
    html! {
        @if visit.may(Permission::ManagePlans) {
            form class="inline" method="post" action="/plan/capacity" {
                (csrf(visit))
                input type="hidden" name="office" value=(asked.office);
                label for="capacity" { (visit.say(if of_one { texts::CAPACITY_PER_DAY } else { texts::CAPACITY_OF_EACH })) }
                input id="capacity" name="capacity" type="number" min="1" max="1000000" value=(capacity) data-capacity[of_one];
                button { (visit.say(texts::PROPOSE_CAPACITY)) }
            }
        }
    }
}
