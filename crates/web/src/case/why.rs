//! Why a declaration is in its lane: the opinion in one sentence, then the reasons, the weightiest first.

use customhouse::declarations::{Arm, CaseFile, HitRate, Lane, OpinionOnCase, TagOnCase};
use customhouse::warnings::CombinationOnCase;
use maud::{Markup, html};

use super::timeline;
use crate::view::{chip, place, simulated};
use crate::visit::Visit;
use crate::warnings::scope_text;
use crate::words::{Text, count, texts, value};

/// Opinion, reasons, and the last decision.
pub(super) fn shown(visit: &Visit, case: &CaseFile) -> Markup {
    html! {
        @if let Some(opinion) = &case.opinion {
            section class="why" aria-labelledby="why" {
                h2 id="why" { (visit.say(texts::WHY_LANE)) " " (simulated(visit, opinion.simulated)) }
                p class="opinion" { (sentence(visit, opinion)) }
                @if let Some(share) = opinion.expected_share {
                    p class="soft" { (visit.fill(texts::EXPECTED_SHARE, &[("share", &percent(share))])) }
                }
                (reasons(visit, case))
            }
        } @else if !case.tags.is_empty() {
            section class="why" aria-labelledby="why" { h2 id="why" { (visit.say(texts::REASONS)) } (reasons(visit, case)) }
        }
        @if let Some(decision) = &case.last_decision {
            section { h2 { (visit.say(texts::DECISION)) } (timeline::decision(visit, decision)) }
        }
    }
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

/// The opinion in one sentence: what led to the lane, as far as the reader may know it.
fn sentence(visit: &Visit, opinion: &OpinionOnCase) -> String {
    let text = match (opinion.arm, opinion.lane) {
        (Some(Arm::HardRule), _) => texts::OPINION_HARD_RULE,
        (Some(Arm::Random), _) => texts::OPINION_RANDOM,
        (_, Lane::Green) => lane_text(opinion, texts::OPINION_GREEN_SCORE, texts::OPINION_GREEN),
        (_, Lane::Blue) => lane_text(opinion, texts::OPINION_BLUE_SCORE, texts::OPINION_BLUE),
        (_, Lane::Yellow) => lane_text(opinion, texts::OPINION_YELLOW_SCORE, texts::OPINION_YELLOW),
        (_, Lane::Red) => lane_text(opinion, texts::OPINION_RED_SCORE, texts::OPINION_RED),
        (_, Lane::Hold) => lane_text(opinion, texts::OPINION_HOLD_SCORE, texts::OPINION_HOLD),
    };
    let known = |number: Option<i32>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let values = [("score", known(opinion.score)), ("threshold", known(opinion.threshold))];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visit.fill(text, &values)
}

fn lane_text(opinion: &OpinionOnCase, with_score: Text, without: Text) -> Text {
    if opinion.score.is_some() && opinion.threshold.is_some() { with_score } else { without }
}

fn reasons(visit: &Visit, case: &CaseFile) -> Markup {
    html! {
        @for own in &case.combinations { (combination(visit, own)) }
        @if case.tags.is_empty() { p class="soft" { (visit.say(texts::NO_REASONS)) } } @else {
            h3 { (visit.say(texts::REASONS_BY_WEIGHT)) }
            ol class="reasons-list" { @for tag in &case.tags { (reason(visit, tag)) } }
        }
        @for group in &case.counted_together {
            p class="soft" {
                (visit.say(texts::COUNTED_TOGETHER)) " "
                @for (at, id) in group.iter().enumerate() { @if at > 0 { ", " } a href={ "/entities/" (id) } { (id) } }
            }
        }
        @if case.tags_unknown > 0 { p class="soft" { (visit.fill(texts::TAGS_UNKNOWN_HERE, &[("n", &count(case.tags_unknown))])) } }
    }
}

/// A watched combination that is more frequent than usual where the declaration belongs, and what to look for.
fn combination(visit: &Visit, own: &CombinationOnCase) -> Markup {
    html! {
        div class="notice warn" {
            p { strong { (own.title) } " " code class="condition-line" { (own.condition) } }
            @for warning in &own.warnings {
                p { a href=(place("/warnings", &[("tag", &own.watched)])) { (visit.fill(texts::WARNING_ON_CASE, &[("day", &warning.since.to_string())])) } " (" (scope_text(visit, &warning.scope)) "). " (own.reason) }
            }
        }
    }
}

fn reason(visit: &Visit, tag: &TagOnCase) -> Markup {
    let schema = spine::declaration_entry::schema();
    html! {
        li {
            div class="reason-head" {
                a href={ "/tags/" (tag.tag) } { strong { (visit.localized(&tag.title)) } }
                (chip(&tag.severity, visit.named("severity", &tag.severity)))
                @if let Some(points) = tag.points { span class="points" { (visit.fill(texts::POINTS, &[("n", &signed(points))])) } }
            }
            @if !tag.items.is_empty() { p class="soft" { (items(visit, &tag.items)) } }
            @if !tag.values.is_empty() {
                dl class="values" {
                    @for (name, found) in &tag.values {
                        @let field = schema.field(name);
                        div {
                            dt { @match field { Some(field) => (visit.localized(&field.title)), None => code { (name) } } }
                            dd { @match field { Some(field) => { (value(found, field.field_type)) @if field.unit.as_deref() == Some("kg") { " kg" } }, None => (found) } }
                        }
                    }
                }
            }
            @if let Some(hits) = &tag.hits { p class="soft" { (hit_rate(visit, hits)) } }
            @for own in &tag.warnings {
                p { a href=(place("/warnings", &[("tag", &tag.tag)])) { strong { (visit.fill(texts::WARNING_ON_CASE, &[("day", &own.since.to_string())])) } } " (" (scope_text(visit, &own.scope)) "). " (visit.localized(&tag.hint)) }
            }
        }
    }
}

fn signed(points: i32) -> String {
    if points > 0 { format!("+{points}") } else { points.to_string() }
}

fn items(visit: &Visit, items: &[u32]) -> Markup {
    /// Items named one by one.
    const NAMED_MAX: usize = 12;
    html! {
        (visit.say(texts::ITEMS)) ": "
        @for (at, item) in items.iter().take(NAMED_MAX).enumerate() { @if at > 0 { ", " } a href={ "#item-" (item) } { (item) } }
        @if items.len() > NAMED_MAX { " " (visit.fill(texts::AND_MORE, &[("n", &items.len().saturating_sub(NAMED_MAX).to_string())])) }
    }
}

fn hit_rate(visit: &Visit, hits: &HitRate) -> String {
    let (Some(rate), Some(low), Some(high)) = (hits.rate, hits.low, hits.high) else {
        return visit.say(texts::HITS_OF_TAG_NONE).to_owned();
    };
    visit.fill(
        texts::HITS_OF_TAG,
        &[
            ("inspected", &count(hits.inspected)),
            ("irregular", &count(hits.irregular)),
            ("rate", &percent(rate)),
            ("low", &percent(low)),
            ("high", &percent(high)),
        ],
    )
}
