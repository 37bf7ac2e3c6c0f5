//! What an entity trades by chapter and origin beside others who trade the same, drawn and in numbers.

use customhouse::entities::{EntityFile, TRADE_PEERS_MIN, TradeComparison, TradeMeasure};
use maud::{Markup, html};
use spine::FieldType;

use crate::drawing::Strip;
use crate::view::simulated;
use crate::visit::Visit;
use crate::words::{count, texts, value};

/// So many deviations from the middle of the others are marked.
const UNUSUAL_FROM: f64 = 3.0;

/// The section.
pub(super) fn trade(visit: &Visit, file: &EntityFile) -> Markup {
    let any_simulated = file.trade.iter().any(|group| group.simulated);
    html! {
        section class="trade" {
            h2 { (visit.say(texts::TRADE_BESIDE_OTHERS)) " " (simulated(visit, any_simulated)) }
            p class="help" { (visit.say(texts::TRADE_BESIDE_OTHERS_HELP)) }
            @if file.trade.is_empty() { p class="soft" { (visit.say(texts::NO_TRADE)) } }
            @for group in file.trade.iter().filter(|group| !group.measures.is_empty()) { (compared(visit, group)) }
            @if let Some(few) = too_few(visit, file) { p { (few) } }
        }
    }
}

fn compared(visit: &Visit, group: &TradeComparison) -> Markup {
    let decimal = |text: &str| value(text, FieldType::Decimal);
    let own = [
        ("n", count(group.items)),
        ("value", decimal(&group.value)),
        ("currency", group.currency.clone()),
        ("mass", decimal(&group.mass)),
        ("peers", count(group.peers)),
    ];
    let own = own.each_ref().map(|(name, said)| (*name, said.as_str()));
    html! {
        h3 { (name_of(visit, group)) }
        p class="soft" { (visit.fill(texts::TRADE_GROUP_SAID, &own)) }
        div class="dots" { @for own in &group.measures { (row(visit, own)) } }
    }
}

/// The groups with too few others, each with their number.
fn too_few(visit: &Visit, file: &EntityFile) -> Option<String> {
    let few = file.trade.iter().filter(|group| group.measures.is_empty());
    let said = |group: &TradeComparison| format!("{} ({})", name_of(visit, group), count(group.peers));
    let groups: Vec<String> = few.map(said).collect();
    let said = [("least", count(TRADE_PEERS_MIN)), ("groups", groups.join(", "))];
    let said = said.each_ref().map(|(name, said)| (*name, said.as_str()));
    (!groups.is_empty()).then(|| visit.fill(texts::TRADE_TOO_FEW, &said))
}

fn name_of(visit: &Visit, group: &TradeComparison) -> String {
    visit.fill(texts::TRADE_GROUP, &[("chapter", &group.chapter), ("origin", &group.origin)])
}

/// Band: median and median deviation; line: mean and standard deviation; dot: its own.
fn row(visit: &Visit, own: &TradeMeasure) -> Markup {
    let ends = [own.own, own.mean + own.deviation, own.median + own.median_deviation, f64::MIN_POSITIVE];
    let end = ends.into_iter().fold(0.0, f64::max) * 1.05;
    let strip = Strip {
        band: Some((
            (own.median - own.median_deviation).max(0.0) / end,
            (own.median + own.median_deviation) / end,
        )),
        across: Some(own.median / end),
        interval: Some(((own.mean - own.deviation).max(0.0) / end, (own.mean + own.deviation) / end)),
        dot: Some(own.own / end),
        steps: 4,
    };
    let unusual = own.from_median.or(own.from_mean).is_some_and(|apart| apart.abs() >= UNUSUAL_FROM);
    html! {
        div class="dot-row" {
            span { (visit.named("measure", &own.measure)) }
            (strip.draw(if unusual { "others unusual" } else { "others" }))
            div class="figures-of-row" {
                strong { (number(own.own)) } @if unusual { " " (if own.own < own.median { "▼" } else { "▲" }) }
                div class="soft" {
                    (others_said(visit, own))
                }
            }
        }
    }
}

fn others_said(visit: &Visit, own: &TradeMeasure) -> String {
    let apart = |apart: Option<f64>| apart.map_or_else(|| "–".to_owned(), |apart| format!("{apart:+.1}"));
    let said = [
        ("median", number(own.median)),
        ("median_deviation", number(own.median_deviation)),
        ("from_median", apart(own.from_median)),
        ("mean", number(own.mean)),
        ("deviation", number(own.deviation)),
        ("from_mean", apart(own.from_mean)),
    ];
    visit.fill(texts::TRADE_OTHERS_SAID, &said.each_ref().map(|(name, said)| (*name, said.as_str())))
}

/// Short: two digits behind the point of small numbers, none of large ones.
fn number(of: f64) -> String {
    let text = if of.abs() < 100.0 { format!("{of:.2}") } else { format!("{of:.0}") };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    value(text, FieldType::Decimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_what_matters() {
        for (of, said) in
            [(0.0, "0"), (3.0, "3"), (3.456, "3.46"), (0.5, "0.5"), (100.0, "100"), (1_250.4, "1,250")]
        {
            assert_eq!(number(of).replace(['\u{a0}', '\u{202f}', ' '], ","), said, "{of}");
        }
    }
}
