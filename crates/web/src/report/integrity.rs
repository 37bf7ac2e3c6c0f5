//! Officers and pairs that stand out.

use customhouse::audit::Audit;
use customhouse::audit::document::{Integrity, IntegrityTable};
use maud::{Markup, html};

use super::plot;
use super::rates::flag;
use super::simulated_mark;
use super::table::{Cell, Head, table};
use super::words::{count, field, localized, number, p_value, percent, say, say_with};

/// Every comparison for which the fields are there.
pub(super) fn section(integrity: &Integrity, audit: &Audit) -> Markup {
    html! {
        p class="caution" { (say("integrity_caution")) }
        p { (say_with("integrity_known", &[("share", &percent(integrity.officer_known_share))])) }
        @if integrity.tables.is_empty() { p { (say("integrity_nothing")) } }
        @for comparison in &integrity.tables {
            details class="dimension" open[comparison.flagged > 0] {
                summary {
                    span class="dimension-title" { (localized(&comparison.title)) } " "
                    span class="dimension-counts" {
                        (say_with("integrity_counts", &[
                            ("tested", &count(comparison.tested)),
                            ("small", &count(comparison.too_small)),
                            ("flagged", &count(comparison.flagged)),
                        ]))
                    }
                    " " (simulated_mark(audit.population.simulated))
                }
                @if !comparison.strata.is_empty() {
                    p class="note" {
                        (say("integrity_strata")) " "
                        @for (at, name) in comparison.strata.iter().enumerate() {
                            @if at > 0 { ", " }
                            (field(name))
                        }
                    }
                }
                (rows(comparison))
            }
        }
    }
}

fn rows(comparison: &IntegrityTable) -> Markup {
    let rows: Vec<Vec<Cell>> = comparison
        .rows
        .iter()
        .map(|row| {
            vec![
                Cell::text(&row.first),
                Cell::optional(row.second.as_ref(), Cell::text),
                Cell::markup(flag(row.flag)),
                Cell::number(count(row.count), plot::coordinate(row.count)),
                Cell::number(count(row.observed), plot::coordinate(row.observed)),
                Cell::number(number(row.expected), row.expected),
                Cell::number(p_value(row.p_value), row.p_value),
                Cell::number(p_value(row.adjusted_p), row.adjusted_p),
            ]
        })
        .collect();
    let heads = [
        Head::text("first_party"),
        Head::text("second_party"),
        Head::text("flag"),
        Head::number("count"),
        Head::number("observed"),
        Head::number("expected_number"),
        Head::number("p_value"),
        Head::number("adjusted_p"),
    ];
    html! {
        (table(&localized(&comparison.title), &heads, &rows))
        @if comparison.unlisted > 0 {
            p class="note" { (say_with("unlisted", &[("n", &count(comparison.unlisted))])) }
        }
    }
}
