//! What was read, how it was understood, and what is odd about it.

use customhouse::audit::document::{MonthRow, QualityFinding};
use customhouse::audit::{AuditInput, AuditReport};
use maud::{Markup, html};

use super::plot;
use super::simulated_mark;
use super::table::{Cell, Head, table};
use super::words::{count, field, percent, say, say_with, sentence};

/// Files, meaning of their columns, fields, months.
pub(super) fn population(report: &AuditReport) -> Markup {
    let population = &report.audit.population;
    html! {
        (inputs(&report.inputs))
        @for input in &report.inputs {
            @if let Some(mapping) = &input.mapping {
                details {
                    summary {
                        (say_with(
                            if mapping.proposed { "mapping_proposed" } else { "mapping_given" },
                            &[("file", &input.name)],
                        ))
                    }
                    (mapping_table(input))
                    @if !mapping.unused_columns.is_empty() {
                        p { (say_with("unused_columns", &[("columns", &mapping.unused_columns.join(", "))])) }
                    }
                    pre class="toml" { code { (mapping.toml) } }
                }
            }
        }
        (months(&population.months, population.simulated))
        details {
            summary { (say("fields_summary")) }
            (fields(report))
        }
    }
}

fn inputs(inputs: &[AuditInput]) -> Markup {
    let rows: Vec<Vec<Cell>> = inputs
        .iter()
        .map(|input| {
            vec![
                Cell::text(&input.name),
                Cell::number(count(input.rows_read), plot::coordinate(input.rows_read)),
                Cell::number(count(input.rows_quarantined), plot::coordinate(input.rows_quarantined)),
                Cell::markup(html! { code class="hash" { (input.sha256) } }),
            ]
        })
        .collect();
    let heads = [
        Head::text("file"),
        Head::number("rows_read"),
        Head::number("rows_quarantined"),
        Head::text("sha256"),
    ];
    table(&say("inputs_caption"), &heads, &rows)
}

fn mapping_table(input: &AuditInput) -> Markup {
    let mapped = input.mapping.as_ref().map(|mapping| mapping.fields.as_slice()).unwrap_or_default();
    let rows: Vec<Vec<Cell>> = mapped
        .iter()
        .map(|mapped| {
            vec![
                Cell::markup(field(&mapped.field)),
                Cell::text(&mapped.column),
                Cell::text(&mapped.reason),
                Cell::optional(mapped.confidence, |confidence| Cell::number(percent(confidence), confidence)),
            ]
        })
        .collect();
    let heads = [Head::text("field"), Head::text("column"), Head::text("reason"), Head::number("confidence")];
    table(&say("mapping_caption"), &heads, &rows)
}

fn fields(report: &AuditReport) -> Markup {
    let rows: Vec<Vec<Cell>> = report
        .audit
        .population
        .fields
        .iter()
        .map(|presence| {
            vec![
                Cell::markup(field(&presence.field)),
                Cell::number(count(presence.filled), plot::coordinate(presence.filled)),
                Cell::number(percent(presence.share), presence.share),
                Cell::number(count(presence.distinct), plot::coordinate(presence.distinct)),
            ]
        })
        .collect();
    let heads =
        [Head::text("field"), Head::number("filled"), Head::number("filled_share"), Head::number("distinct")];
    table(&say("fields_caption"), &heads, &rows)
}

fn months(months: &[MonthRow], simulated: bool) -> Markup {
    if months.len() < 2 {
        return html! {};
    }
    let rows: Vec<Vec<Cell>> = months
        .iter()
        .map(|month| {
            vec![
                Cell::text(&month.month),
                Cell::number(count(month.rows), plot::coordinate(month.rows)),
                Cell::number(count(month.inspected), plot::coordinate(month.inspected)),
                Cell::number(count(month.hits), plot::coordinate(month.hits)),
                Cell::optional(plot::quotient(month.hits, month.inspected), |rate| {
                    Cell::number(percent(rate), rate)
                }),
            ]
        })
        .collect();
    let heads = [
        Head::text("month"),
        Head::number("items"),
        Head::number("inspected"),
        Head::number("hits"),
        Head::number("rate"),
    ];
    html! {
        h3 { (say("months_title")) " " (simulated_mark(simulated)) }
        (plot::months(months))
        details { summary { (say("table_behind")) } (table(&say("months_title"), &heads, &rows)) }
    }
}

/// Findings of reading and of content.
pub(super) fn quality(report: &AuditReport) -> Markup {
    let groups: Vec<Vec<Cell>> = report
        .inputs
        .iter()
        .flat_map(|input| input.findings.iter().map(move |group| (input.name.as_str(), group)))
        .chain(report.join.iter().flat_map(|join| join.findings.iter().map(|group| ("", group))))
        .map(|(file, group)| {
            vec![
                Cell::text(file),
                Cell::text(&group.column),
                Cell::number(count(group.count), plot::coordinate(group.count)),
                Cell::markup(html! {
                    @if let Some(example) = group.examples.first() {
                        (example.pointer) ": "
                        @if !example.found.is_empty() { "“" (example.found) "” " }
                        @if !example.expected.is_empty() { (say("expected")) " " (example.expected) ". " }
                        (example.how_to_fix) " "
                    }
                    code { (group.code) }
                }),
            ]
        })
        .collect();
    let heads =
        [Head::text("file"), Head::text("column"), Head::number("count"), Head::text("first_example")];
    html! {
        @if groups.is_empty() && report.audit.quality.is_empty() {
            p { (say("quality_nothing")) }
        }
        @if !report.audit.quality.is_empty() {
            ul class="statements" {
                @for finding in &report.audit.quality { (content_finding(finding)) }
            }
        }
        @if !groups.is_empty() { (table(&say("findings_caption"), &heads, &groups)) }
    }
}

fn content_finding(finding: &QualityFinding) -> Markup {
    html! {
        li class="statement" {
            (sentence(&finding.statement))
            @if !finding.examples.is_empty() {
                " " span class="examples" { (say_with("examples", &[("ids", &finding.examples.join(", "))])) }
            }
        }
    }
}
