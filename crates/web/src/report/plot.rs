//! The report's plots as SVG: each answers the question in the title above it, names its axes with units, and draws
//! its intervals. Colours, type and line widths come from the style sheet; lines differ by dashes too.

use customhouse::audit::document::{CurveOrder, MonthRow, PlanResult, RateRow};
use maud::{Markup, html};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::words::{LANGUAGES, count, percent, plain, whole};
use crate::drawing::{Scale, points, short};
pub(super) use crate::drawing::{coordinate, quotient};

/// Width of every plot in user units; the page scales it.
const WIDTH: f64 = 760.0;
/// Values drawn of one dimension.
const VALUES_MAX: usize = 15;
/// Different line styles.
const SERIES: usize = 6;

/// An amount as a number to sort by.
pub(super) fn amount(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or(0.0)
}

/// Text of a drawing in both languages.
fn label(x: f64, y: f64, class: &str, key: &str) -> Markup {
    html! {
        @for language in LANGUAGES {
            text x=(short(x)) y=(short(y)) class=(class) lang=(language.code()) { (plain(key, language)) }
        }
    }
}

fn drawing(height: f64, key: &str, content: &Markup) -> Markup {
    html! {
        // It scrolls on a narrow screen, by keyboard too.
        div class="plot" tabindex="0" {
            svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(plain(key, spine::Language::En)) { (content) }
        }
    }
}

/// Share of finds against share of inspections, with the diagonal of an order at random.
pub(super) fn curve(orders: &[CurveOrder]) -> Markup {
    let (left, right, top, bottom) = (64.0, WIDTH - 20.0, 16.0, 356.0);
    let (x, y) = (Scale { max: 1.0, from: left, to: right }, Scale { max: 1.0, from: bottom, to: top });
    let content = html! {
        @for tick in x.ticks() {
            line class="grid" x1=(short(x.at(tick))) x2=(short(x.at(tick))) y1=(short(top)) y2=(short(bottom)) {}
            text class="tick middle" x=(short(x.at(tick))) y=(short(bottom + 18.0)) { (format!("{:.0}", tick * 100.0)) }
            line class="grid" x1=(short(left)) x2=(short(right)) y1=(short(y.at(tick))) y2=(short(y.at(tick))) {}
            text class="tick end" x=(short(left - 8.0)) y=(short(y.at(tick) + 4.0)) { (format!("{:.0}", tick * 100.0)) }
        }
        (label(f64::midpoint(left, right), bottom + 38.0, "axis middle", "axis_inspections"))
        (label(left, top - 4.0, "axis", "axis_finds"))
        line class="diagonal" x1=(short(left)) y1=(short(bottom)) x2=(short(right)) y2=(short(top)) {}
        @for (at, order) in orders.iter().enumerate() {
            @let up = order.points.iter().map(|p| (x.at(p.inspections), y.at(p.interval.high)));
            @let down = order.points.iter().rev().map(|p| (x.at(p.inspections), y.at(p.interval.low)));
            polygon class={ "band series-" (at % SERIES) } points=(points(up.chain(down))) {}
        }
        @for (at, order) in orders.iter().enumerate() {
            @let line = order.points.iter().map(|p| (x.at(p.inspections), y.at(p.finds)));
            polyline class={ "line series-" (at % SERIES) } points=(points(line)) {
                title { (order.title.in_language(spine::Language::En)) }
            }
        }
    };
    drawing(bottom + 48.0, "curve_title", &content)
}

/// The line style of a series, for a legend.
pub(super) fn swatch(series: usize) -> Markup {
    html! {
        svg class="swatch-line" viewBox="0 0 28 10" aria-hidden="true" {
            line class={ "line series-" (series % SERIES) } x1="0" x2="28" y1="5" y2="5" {}
        }
    }
}

/// The line style of the diagonal, for a legend.
pub(super) fn diagonal_swatch() -> Markup {
    html! {
        svg class="swatch-line" viewBox="0 0 28 10" aria-hidden="true" { line class="diagonal" x1="0" x2="28" y1="5" y2="5" {} }
    }
}

/// Rates of the leading values: a dot for the estimate, a line for its interval, the base rate as an upright.
pub(super) fn intervals(rows: &[RateRow], base_rate: Option<f64>) -> Markup {
    let shown: Vec<&RateRow> = rows.iter().filter(|row| row.inspected > 0).take(VALUES_MAX).collect();
    if shown.is_empty() {
        return html! {};
    }
    let end = shown.iter().map(|row| row.shrunk_interval.high).fold(base_rate.unwrap_or(0.0), f64::max);
    let (left, right, top, step) = (260.0, WIDTH - 70.0, 14.0, 22.0);
    let x = Scale { max: end.max(0.01), from: left, to: right };
    let bottom = top + step * coordinate(u64::try_from(shown.len()).unwrap_or(0));
    let content = html! {
        @for tick in x.ticks() {
            line class="grid" x1=(short(x.at(tick))) x2=(short(x.at(tick))) y1=(short(top)) y2=(short(bottom)) {}
            text class="tick middle" x=(short(x.at(tick))) y=(short(bottom + 16.0)) { (percent(tick)) }
        }
        (label(f64::midpoint(left, right), bottom + 36.0, "axis middle", "axis_rate"))
        @if let Some(base) = base_rate {
            line class="base" x1=(short(x.at(base))) x2=(short(x.at(base))) y1=(short(top)) y2=(short(bottom)) {}
        }
        @for (at, row) in shown.iter().enumerate() {
            @let y = top + step * (coordinate(u64::try_from(at).unwrap_or(0)) + 0.5);
            g class=(interval_class(row)) {
                title { (row.value) ": " (percent(row.shrunk)) " (" (count(row.hits)) " / " (count(row.inspected)) ")" }
                line class="interval" x1=(short(x.at(row.shrunk_interval.low))) x2=(short(x.at(row.shrunk_interval.high))) y1=(short(y)) y2=(short(y)) {}
                circle cx=(short(x.at(row.shrunk))) cy=(short(y)) r="4" {}
            }
            (value_label(row, left - 10.0, y + 4.0))
            text class="tick" x=(short(right + 8.0)) y=(short(y + 4.0)) { (percent(row.shrunk)) }
        }
    };
    drawing(bottom + 46.0, "axis_rate", &content)
}

fn interval_class(row: &RateRow) -> &'static str {
    use customhouse::audit::document::Flag;
    match row.flag {
        Some(Flag::Above) => "above",
        Some(Flag::Below) => "below",
        None => "plain",
    }
}

/// Name of a value, cut so that it fits.
fn value_label(row: &RateRow, x: f64, y: f64) -> Markup {
    const CHARACTERS_MAX: usize = 30;
    let cut = |text: &str| -> String {
        let mut characters = text.chars();
        let start: String = characters.by_ref().take(CHARACTERS_MAX).collect();
        if characters.next().is_some() { format!("{start}…") } else { start }
    };
    html! {
        @match &row.title {
            None => text class="tick end" x=(short(x)) y=(short(y)) { (cut(&row.value)) },
            Some(title) => {
                @for language in LANGUAGES {
                    text class="tick end" x=(short(x)) y=(short(y)) lang=(language.code()) { (cut(title.in_language(language))) }
                }
            }
        }
    }
}

/// Items a month as bars, and the hit rate of its inspections as dots.
pub(super) fn months(months: &[MonthRow]) -> Markup {
    let (left, right, top, bottom) = (64.0, WIDTH - 64.0, 26.0, 196.0);
    let most = months.iter().map(|month| coordinate(month.rows)).fold(1.0, f64::max);
    let best = months.iter().filter_map(|month| quotient(month.hits, month.inspected)).fold(0.01, f64::max);
    let items = Scale { max: most, from: bottom, to: top };
    let rate = Scale { max: best, from: bottom, to: top };
    let width = (right - left) / coordinate(u64::try_from(months.len()).unwrap_or(1)).max(1.0);
    let every = months.len().div_ceil(8).max(1);
    let center = |at: usize| left + width * (coordinate(u64::try_from(at).unwrap_or(0)) + 0.5);
    let dots: Vec<(f64, f64)> = months
        .iter()
        .enumerate()
        .filter_map(|(at, month)| Some((center(at), rate.at(quotient(month.hits, month.inspected)?))))
        .collect();
    let content = html! {
        @for tick in items.ticks() {
            line class="grid" x1=(short(left)) x2=(short(right)) y1=(short(items.at(tick))) y2=(short(items.at(tick))) {}
            text class="tick end" x=(short(left - 8.0)) y=(short(items.at(tick) + 4.0)) { (whole(tick)) }
        }
        @for tick in rate.ticks() {
            text class="tick" x=(short(right + 8.0)) y=(short(rate.at(tick) + 4.0)) { (percent(tick)) }
        }
        (label(left, top - 10.0, "axis", "axis_items"))
        (label(right, top - 10.0, "axis end", "axis_hit_rate"))
        @for (at, month) in months.iter().enumerate() {
            rect class="bar" x=(short(center(at) - width * 0.35)) width=(short(width * 0.7)) y=(short(items.at(coordinate(month.rows)))) height=(short(bottom - items.at(coordinate(month.rows)))) {
                title { (month.month) ": " (count(month.rows)) }
            }
            @if at.is_multiple_of(every) {
                text class="tick middle" x=(short(center(at))) y=(short(bottom + 18.0)) { (month.month) }
            }
        }
        polyline class="line series-1" points=(points(dots.iter().copied())) {}
        @for (x, y) in &dots { circle class="dot" cx=(short(*x)) cy=(short(*y)) r="3" {} }
    };
    drawing(bottom + 30.0, "months_title", &content)
}

/// What each plan selects: known finds, known regular ones, and what was never inspected.
pub(super) fn plans(plans: &[&PlanResult]) -> Markup {
    let most = plans.iter().map(|plan| coordinate(plan.selected)).fold(1.0, f64::max);
    let (left, right, top, step) = (290.0, WIDTH - 30.0, 8.0, 34.0);
    let x = Scale { max: most, from: left, to: right };
    let bottom = top + step * coordinate(u64::try_from(plans.len()).unwrap_or(0));
    let content = html! {
        @for tick in x.ticks() {
            line class="grid" x1=(short(x.at(tick))) x2=(short(x.at(tick))) y1=(short(top)) y2=(short(bottom)) {}
            text class="tick middle" x=(short(x.at(tick))) y=(short(bottom + 16.0)) { (whole(tick)) }
        }
        (label(f64::midpoint(left, right), bottom + 36.0, "axis middle", "axis_selected"))
        @for (at, plan) in plans.iter().enumerate() {
            @let y = top + step * coordinate(u64::try_from(at).unwrap_or(0)) + 6.0;
            @let known = coordinate(plan.selected_known);
            @let seen = coordinate(plan.selected.saturating_sub(plan.selected_unknown));
            @let parts = [
                ("kept", 0.0, plan.finds_kept),
                ("regular", plan.finds_kept, known),
                ("unrecorded", known, seen),
                ("unknown", seen, coordinate(plan.selected)),
            ];
            @for (class, from, to) in parts {
                rect class={ "part " (class) } x=(short(x.at(from))) width=(short((x.at(to) - x.at(from)).max(0.0))) y=(short(y)) height="22" {
                    title { (whole((to - from).max(0.0))) }
                }
                @if x.at(to) - x.at(from) > 44.0 {
                    text class={ "inside " (class) } x=(short(x.at(from) + 6.0)) y=(short(y + 15.0)) { (whole(to - from)) }
                }
            }
            @for language in LANGUAGES {
                text class="tick end" x=(short(left - 10.0)) y=(short(y + 15.0)) lang=(language.code()) { (plan.title.in_language(language)) }
            }
        }
    };
    drawing(bottom + 46.0, "plans_title", &content)
}
