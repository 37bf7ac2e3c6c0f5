//! How the figures were made, and how to make them again.

use customhouse::audit::AuditReport;
use maud::{Markup, html};

use super::table::{Cell, Head, table};
use super::words::{count, percent, say, say_with};

/// Method, limits, versions, times.
pub(super) fn section(report: &AuditReport) -> Markup {
    let options = &report.audit.options;
    html! {
        ul {
            li { (say_with("method_intervals", &[("level", &percent(options.interval_level))])) }
            li { (say("method_shrinkage")) }
            li { (say_with("method_false_rate", &[("rate", &percent(options.false_rate))])) }
            li { (say("method_split")) }
            li { (say("method_unknown")) }
            li { (say("method_not_guilt")) }
        }
        p {
            (say_with("method_again", &[
                ("seed", &options.seed.to_string()),
                ("version", &report.program_version),
                ("tags", &count(report.tags)),
                ("made", &report.made_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
            ]))
        }
        details {
            summary { (say("method_packs")) }
            (packs(report))
            (times(report))
        }
    }
}

fn packs(report: &AuditReport) -> Markup {
    let rows: Vec<Vec<Cell>> = report
        .packs
        .iter()
        .map(|pack| {
            vec![
                Cell::text(&pack.id),
                Cell::text(&pack.version),
                Cell::markup(html! { code class="hash" { (pack.hash) } }),
            ]
        })
        .collect();
    table(&say("method_packs"), &[Head::text("pack"), Head::text("version"), Head::text("sha256")], &rows)
}

fn times(report: &AuditReport) -> Markup {
    let rows: Vec<Vec<Cell>> = report
        .times
        .iter()
        .map(|time| {
            vec![
                Cell::text(&time.stage),
                Cell::number(count(time.milliseconds), super::plot::coordinate(time.milliseconds)),
            ]
        })
        .collect();
    table(&say("method_times"), &[Head::text("stage"), Head::number("milliseconds")], &rows)
}
