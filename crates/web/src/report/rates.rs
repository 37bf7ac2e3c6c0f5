//! Hit rates by dimension, and the curve of finds against inspections.

use customhouse::audit::Audit;
use customhouse::audit::document::{Curve, DimensionRates, Flag, HitRates, RateRow};
use maud::{Markup, html};

use super::leakage;
use super::plot;
use super::simulated_mark;
use super::table::{Cell, Head, table};
use super::words::{count, localized, money, number, p_value, percent, percent_interval, say, say_with};

/// Dimensions shown open.
const OPEN_DIMENSIONS: usize = 2;

/// Every dimension: a plot of its leading values and its table.
pub(super) fn section(rates: &HitRates, audit: &Audit) -> Markup {
    let control = &audit.control;
    html! {
        (leakage::caution(audit))
        p {
            (say_with("rates_intro", &[
                ("tests", &count(control.tests)),
                ("flagged", &count(control.flagged)),
                ("rate", &percent(control.false_rate)),
            ]))
        }
        @for (at, dimension) in rates.dimensions.iter().enumerate() {
            details class="dimension" id={ "rates-" (dimension.dimension) } open[at < OPEN_DIMENSIONS] {
                summary {
                    span class="dimension-title" { (localized(&dimension.title)) }
                    " "
                    span class="dimension-counts" {
                        (say_with("dimension_counts", &[
                            ("values", &count(dimension.values)),
                            ("tested", &count(dimension.tested)),
                            ("flagged", &count(dimension.flagged)),
                        ]))
                    }
                    " " (simulated_mark(audit.population.simulated))
                }
                (plot::intervals(&dimension.rows, audit.population.base_rate))
                (rate_table(dimension, audit))
            }
        }
    }
}

fn rate_table(dimension: &DimensionRates, audit: &Audit) -> Markup {
    let currency = audit.population.currency.as_deref();
    let rows: Vec<Vec<Cell>> = dimension.rows.iter().map(|row| rate_row(row, currency)).collect();
    let heads = [
        Head::text("value"),
        Head::text("flag"),
        Head::number("units"),
        Head::number("inspected"),
        Head::number("hits"),
        Head::number("rate"),
        Head::number("wilson"),
        Head::number("shrunk"),
        Head::number("shrunk_interval"),
        Head::number("lift"),
        Head::number("adjusted_p"),
        Head::number("share_of_finds"),
        Head::number("recovered"),
    ];
    let rest = &dimension.rest;
    html! {
        (table(&localized(&dimension.title), &heads, &rows))
        @if rest.values > 0 {
            p class="note" {
                (say_with("rest_of_values", &[
                    ("values", &count(rest.values)),
                    ("inspected", &count(rest.inspected)),
                    ("hits", &count(rest.hits)),
                ]))
            }
        }
        @if dimension.without_value.units > 0 {
            p class="note" {
                (say_with("without_value", &[
                    ("units", &count(dimension.without_value.units)),
                    ("inspected", &count(dimension.without_value.inspected)),
                    ("hits", &count(dimension.without_value.hits)),
                ]))
            }
        }
        p class="note" {
            (say_with("prior", &[
                ("mean", &percent(dimension.prior.mean)),
                ("strength", &number(dimension.prior.strength)),
            ]))
        }
    }
}

fn rate_row(row: &RateRow, currency: Option<&str>) -> Vec<Cell> {
    let value = match &row.title {
        Some(title) => html! { (localized(title)) " " code { (row.value) } },
        None => html! { (row.value) },
    };
    vec![
        Cell::markup(value),
        Cell::markup(flag(row.flag)),
        Cell::number(count(row.units), plot::coordinate(row.units)),
        Cell::number(count(row.inspected), plot::coordinate(row.inspected)),
        Cell::number(count(row.hits), plot::coordinate(row.hits)),
        Cell::optional(row.rate, |rate| Cell::number(percent(rate), rate)),
        Cell::optional(row.wilson, |interval| Cell::number(percent_interval(interval), interval.low)),
        Cell::number(percent(row.shrunk), row.shrunk),
        Cell::number(percent_interval(row.shrunk_interval), row.shrunk_interval.low),
        Cell::number(number(row.lift), row.lift),
        Cell::optional(row.adjusted_p, |p| Cell::number(p_value(p), p)),
        Cell::number(percent(row.share_of_finds), row.share_of_finds),
        Cell::optional(row.recovered_revenue, |amount| {
            Cell::number(money(amount, currency), plot::amount(amount))
        }),
    ]
}

/// A flag as word and shape, not colour alone.
pub(super) fn flag(flag: Option<Flag>) -> Markup {
    match flag {
        Some(Flag::Above) => html! { span class="flag above" { "▲ " (say("flag_above")) } },
        Some(Flag::Below) => html! { span class="flag below" { "▼ " (say("flag_below")) } },
        None => html! {},
    }
}

/// Share of finds against share of inspections.
pub(super) fn curve(curve: &Curve, audit: &Audit) -> Markup {
    let rows: Vec<Vec<Cell>> = curve
        .orders
        .iter()
        .flat_map(|order| order.points.iter().map(move |point| (order, point)))
        .map(|(order, point)| {
            vec![
                Cell::markup(localized(&order.title)),
                Cell::number(percent(point.inspections), point.inspections),
                Cell::number(percent(point.finds), point.finds),
                Cell::number(percent_interval(point.interval), point.interval.low),
            ]
        })
        .collect();
    let heads = [
        Head::text("order"),
        Head::number("inspections_spent"),
        Head::number("finds_made"),
        Head::number("interval"),
    ];
    html! {
        (leakage::caution(audit))
        p {
            (say_with("curve_intro", &[
                ("inspected", &count(curve.inspected)),
                ("finds", &count(curve.finds)),
                ("from", &curve.split.trial_from.to_string()),
                ("to", &curve.split.trial_to.to_string()),
                ("learning_to", &curve.split.learning_to.to_string()),
            ]))
        }
        h3 { (say("curve_title")) " " (simulated_mark(audit.population.simulated)) }
        (plot::curve(&curve.orders))
        ul class="legend" {
            @for (at, order) in curve.orders.iter().enumerate() {
                li {
                    (plot::swatch(at))
                    " " (localized(&order.title)) ": "
                    (say_with("auc", &[
                        ("auc", &format!("{:.3}", order.auc)),
                        ("low", &format!("{:.3}", order.auc_interval.low)),
                        ("high", &format!("{:.3}", order.auc_interval.high)),
                    ]))
                    " "
                    @if order.better_than_random { (say("better_than_random")) } @else { (say("not_better_than_random")) }
                }
            }
            li { (plot::diagonal_swatch()) " " (say("order_random")) }
        }
        details { summary { (say("table_behind")) } (table(&say("curve_title"), &heads, &rows)) }
    }
}
