//! The first screen: what was looked at, in figures, and what to know before reading on.

use std::collections::BTreeSet;

use customhouse::audit::document::{Section, Weight};
use customhouse::audit::{AuditReport, InputRole, Statement};
use maud::{Markup, html};

use super::simulated_mark;
use super::words::{count, money, percent, percent_interval, say, say_with, sentence};

/// Sentences shown before the rest is folded away, unless more are critical.
const FIRST_STATEMENTS: usize = 6;

/// What to read first: everything critical, then the weightiest sentence of each part, then more in their order. So
/// the first screen speaks of the whole report, however much one part has to say.
fn in_short(statements: &[Statement]) -> (Vec<&Statement>, Vec<&Statement>) {
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    let mut parts: BTreeSet<Section> = BTreeSet::new();
    for (at, statement) in statements.iter().enumerate() {
        let leads = statement.weight == Weight::Important && parts.insert(statement.section);
        if statement.weight == Weight::Critical || (leads && chosen.len() < FIRST_STATEMENTS) {
            chosen.insert(at);
        }
    }
    let further = (0..statements.len()).filter(|at| !chosen.contains(at)).collect::<Vec<_>>();
    chosen.extend(further.into_iter().take(FIRST_STATEMENTS.saturating_sub(chosen.len())));
    let part = |wanted: bool| {
        let numbered = statements.iter().enumerate();
        numbered.filter(|(at, _)| chosen.contains(at) == wanted).map(|(_, statement)| statement).collect()
    };
    (part(true), part(false))
}

/// Title, origin and the switches.
pub(super) fn head(report: &AuditReport) -> Markup {
    let population = &report.audit.population;
    let names: Vec<&str> = report
        .inputs
        .iter()
        .filter(|input| input.role == InputRole::Declarations)
        .map(|input| input.name.as_str())
        .collect();
    html! {
        header class="report-head" {
            div class="report-switches" {
                button type="button" data-set-language="en" lang="en" { "English" }
                button type="button" data-set-language="zh" lang="zh" { "中文" }
                button type="button" data-set-theme="" { (say("theme")) }
            }
            h1 { (say("title")) }
            p class="report-origin" {
                (names.join(", "))
                @if let (Some(first), Some(last)) = (population.first_day, population.last_day) {
                    " · " time datetime=(first) { (first) } " – " time datetime=(last) { (last) }
                }
            }
            @if population.simulated {
                p class="simulated-banner" role="note" { (say("simulated_banner")) }
            }
        }
    }
}

/// Figures and the weightiest sentences.
pub(super) fn section(report: &AuditReport) -> Markup {
    let (first, rest) = in_short(&report.audit.statements);
    html! {
        (figures(report))
        ol class="statements" {
            @for statement in &first { (item(statement)) }
        }
        @if !rest.is_empty() {
            details {
                summary { (say_with("more_statements", &[("n", &rest.len().to_string())])) }
                ol class="statements" start=(first.len().saturating_add(1)) {
                    @for statement in &rest { (item(statement)) }
                }
            }
        }
    }
}

/// The part of the report that a statement is about: of hit rates, the dimension.
fn place(statement: &Statement) -> String {
    match statement.section {
        Section::HitRates if !statement.place.is_empty() => format!("rates-{}", statement.place),
        section => section.name().to_owned(),
    }
}

fn item(statement: &Statement) -> Markup {
    let weight = match statement.weight {
        Weight::Critical => "critical",
        Weight::Important => "important",
        Weight::Note => "note",
    };
    html! {
        li class={ "statement " (weight) } {
            @if statement.weight != Weight::Note {
                span class="weight" { (say(if statement.weight == Weight::Critical { "weight_critical" } else { "weight_important" })) }
                " "
            }
            (sentence(statement))
            " "
            a class="statement-place" href={ "#" (place(statement)) } { (say("see")) }
        }
    }
}

fn figures(report: &AuditReport) -> Markup {
    let population = &report.audit.population;
    let figure = |key: &str, value: &str, note: Markup| {
        html! {
            div class="figure" {
                dt { (say(key)) }
                dd { span class="figure-value" { (value) } " " (simulated_mark(population.simulated)) div class="figure-note" { (note) } }
            }
        }
    };
    let period = html! { (say_with("figure_declarations", &[("n", &count(population.declarations))])) };
    let known = html! { (say_with("figure_known", &[("n", &count(population.inspected_known))])) };
    let interval = html! {
        @if let Some(interval) = population.base_rate_interval { (say_with("figure_interval", &[("i", &percent_interval(interval))])) }
    };
    html! {
        dl class="figures" {
            (figure("figure_items", &count(population.rows), period))
            (figure("figure_inspected", &count(population.inspected), known))
            (figure("figure_irregular", &count(population.irregular), html! {}))
            (figure("figure_base_rate", &population.base_rate.map_or_else(|| "–".to_owned(), percent), interval))
            (figure("figure_never_inspected", &count(population.never_inspected), say("figure_unknown")))
            @if let Some(revenue) = population.recovered_revenue {
                (figure("figure_revenue", &money(revenue, population.currency.as_deref()), html! {}))
            }
        }
    }
}
