//! What an officer is to look for, and what came of it.

use customhouse::declarations::{CaseFile, ControlResult, LookFor, ResultCode};
use maud::{Markup, html};
use spine::FieldType;

use super::goods;
use crate::declarations::amount;
use crate::view::{absent, chip, facts, table, th};
use crate::visit::Visit;
use crate::words::{texts, value};

/// What to look for, tag by tag, below a heading of the page's own.
pub(super) fn look_for(visit: &Visit, hints: &[LookFor]) -> Markup {
    html! {
        @if !hints.is_empty() {
            ul class="hints" {
                @for hint in hints {
                    li {
                        strong { (visit.localized(&hint.hint)) }
                        div class="soft" {
                            a href={ "/tags/" (hint.tag) } { (visit.localized(&hint.title)) }
                            @if !hint.items.is_empty() { " · " (visit.fill(texts::ITEMS_NUMBERED, &[("items", &numbers(&hint.items))])) }
                        }
                    }
                }
            }
        }
    }
}

fn numbers(items: &[u32]) -> String {
    items.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A result as word and colour.
pub(super) fn code_chip(visit: &Visit, code: ResultCode) -> Markup {
    let class = match code {
        ResultCode::Conform => "good",
        ResultCode::ConsideredConform => "plain",
        ResultCode::MinorDiscrepancy => "warn",
        ResultCode::Irregular => "bad",
    };
    chip(class, &format!("{} · {}", code.code(), visit.named("result", code.name())))
}

/// What came of a control.
pub(super) fn shown(visit: &Visit, case: &CaseFile, result: &ControlResult) -> Markup {
    let mut pairs = vec![(visit.say(texts::RESULT_CODE), code_chip(visit, result.code))];
    if let Some(money) = result.recovered_revenue {
        let recovered = amount(Some(&money.amount.to_string()), Some(money.currency.code()));
        pairs.push((visit.say(texts::RECOVERED_REVENUE), recovered));
    }
    if !result.note.trim().is_empty() {
        pairs.push((visit.say(texts::RESULT_NOTE), html! { (result.note) }));
    }
    if !result.evidence.is_empty() {
        pairs.push((visit.say(texts::EVIDENCE), goods::papers(case, &result.evidence)));
    }
    html! {
        (facts(&pairs))
        @if !result.findings.is_empty() { (differences(visit, result)) }
    }
}

fn differences(visit: &Visit, result: &ControlResult) -> Markup {
    let head = html! {
        (th(visit, texts::ITEM, true)) (th(visit, texts::FIELD, false)) (th(visit, texts::DECLARED, false))
        (th(visit, texts::RESULT_FOUND, false)) (th(visit, texts::KIND, false))
    };
    let shown =
        |text: &str| html! { @if text.is_empty() { (absent()) } @else { (value(text, FieldType::Text)) } };
    let body = html! {
        @for one in &result.findings {
            tr {
                td class="number" { (one.item) }
                td { (visit.named("found", &one.field)) }
                td { (shown(&one.declared)) }
                td { strong { (shown(&one.found)) } }
                td { (visit.named("fault", &one.kind)) }
            }
        }
    };
    html! { div class="dense" { (table(visit.say(texts::RESULT_CODE), &head, &body)) } }
}
