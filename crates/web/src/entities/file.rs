//! One file per entity: what it does month by month, which tags it carries, who it trades with, and how it stands
//! among its peers.

use axum::extract::Path;
use customhouse::entities::{EntityFile, MonthOfEntity, PeerComparison, Relation};
use maud::{Markup, html};

use super::list::{place_of, worth};
use super::portrait;
use crate::declarations::in_few_columns;
use crate::drawing::{Strip, bars, coordinate, place_of as at_place, short};
use crate::failure::Failure;
use crate::overview::{rate_text, share_text};
use crate::shell::{Page, Room};
use crate::view::{chip, crumbs, heading, place, simulated, table, th};
use crate::visit::Visit;
use crate::words::{count, minute, texts};

/// Months drawn at most: five years.
const MONTHS_MAX: usize = 60;
/// Partners drawn; the table names all that are known.
const PARTNERS_DRAWN: usize = 12;
/// Characters of an id that a drawing has room for.
const LABEL_CHARACTERS_MAX: usize = 12;
/// Half the side of the drawing of relations, and the distance of partners from its middle.
const MIDDLE: f64 = 190.0;
const RADIUS: f64 = 132.0;

/// The page.
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let file = visit.work(move |house, reader| house.entity(reader, &id)).await?;
    let all = place("/declarations", &[("party", &file.id)]);
    let actions = html! { a class="button" href=(all) { (visit.say(texts::ALL_ITS_DECLARATIONS)) } };
    let below = html! {
        @if let Some(own) = &file.register { strong { (own.name) } " " }
        @for row in &file.roles { (chip("plain", visit.named("party", &row.role))) " " }
        (simulated(&visit, file.simulated))
    };
    let content = html! {
        (crumbs(&visit, &[("/entities", visit.say(texts::ENTITIES))]))
        (heading(&file.id, &below, &actions))
        @if !file.roles.is_empty() { (roles(&visit, &file)) }
        (super::who::show(&visit, &file))
        @if !file.roles.is_empty() { (months(&visit, &file)) }
        (portrait::tags(&visit, &file))
        @if !file.roles.is_empty() {
            (peers(&visit, &file))
            (super::trade::trade(&visit, &file))
            (relations(&visit, &file))
            (latest(&visit, &file))
        }
    };
    Ok(Page::new(&visit, Room::Entities, file.id.clone()).show(&content))
}

fn roles(visit: &Visit, file: &EntityFile) -> Markup {
    let head = html! {
        (th(visit, texts::PART_PLAYED, false)) (th(visit, texts::DECLARATIONS, true)) (th(visit, texts::VALUE, true))
        (th(visit, texts::HIT_RATE, false)) (th(visit, texts::FIRST_SEEN, true)) (th(visit, texts::LAST_SEEN, true))
    };
    let body = html! {
        @for row in &file.roles {
            tr {
                td { (visit.named("party", &row.role)) }
                td class="number" { a href=(place("/declarations", &[("party", &file.id)])) { (count(row.declarations)) } }
                td class="number" { (worth(row)) }
                td class="period" { (rate_text(visit, &row.hits)) }
                td class="number period" { (minute(row.first_at)) }
                td class="number period" { (minute(row.last_at)) }
            }
        }
    };
    table(visit.say(texts::PART_PLAYED), &head, &body)
}

/// Declarations a month, with those inspected and those irregular at their foot.
fn months(visit: &Visit, file: &EntityFile) -> Markup {
    let skip = file.months.len().saturating_sub(MONTHS_MAX);
    let shown: Vec<&MonthOfEntity> = file.months.iter().skip(skip).collect();
    let most = shown.iter().map(|month| month.declarations).max().unwrap_or(0);
    let said = |month: &MonthOfEntity| {
        visit.fill(
            texts::MONTH_SAID,
            &[
                ("month", &month.month),
                ("n", &count(month.declarations)),
                ("inspected", &count(month.inspected)),
                ("irregular", &count(month.irregular)),
            ],
        )
    };
    let drawn: Vec<_> = shown
        .iter()
        .map(|month| {
            vec![
                ("all", month.declarations, said(month)),
                ("inspected", month.inspected, said(month)),
                ("irregular", month.irregular, said(month)),
            ]
        })
        .collect();
    let head = html! {
        (th(visit, texts::MONTH, false)) (th(visit, texts::DECLARATIONS, true)) (th(visit, texts::INSPECTED, true)) (th(visit, texts::IRREGULAR, true))
    };
    let body = html! {
        @for month in shown.iter().rev() {
            tr { td { (month.month) } td class="number" { (count(month.declarations)) } td class="number" { (count(month.inspected)) } td class="number" { (count(month.irregular)) } }
        }
    };
    html! {
        section class="card" {
            h2 { (visit.say(texts::MONTH_BY_MONTH)) " " (simulated(visit, file.simulated)) }
            p class="legend" {
                span class="swatch all" {} (visit.say(texts::DECLARATIONS)) span class="swatch inspected" {} (visit.say(texts::INSPECTED)) span class="swatch irregular" {} (visit.say(texts::IRREGULAR))
                span class="soft" { (visit.fill(texts::MOST_IN_MONTH, &[("n", &count(most))])) }
            }
            (bars("months", most, &drawn))
            p class="ticks soft" aria-hidden="true" {
                @if let Some(first) = shown.first() { span { (first.month) } }
                @if let Some(last) = shown.last().filter(|_| shown.len() > 1) { span { (last.month) } }
            }
            details { summary { (visit.say(texts::AS_TABLE)) } (table(visit.say(texts::MONTH_BY_MONTH), &head, &body)) }
        }
    }
}

/// A measure as it is written.
fn measured(name: &str, value: f64) -> String {
    match name {
        "inspected_share" | "hit_rate" => share_text(value),
        _ if value < 10.0 => format!("{value:.1}"),
        _ => crate::words::value(&format!("{value:.0}"), spine::FieldType::Decimal),
    }
}

/// Where it stands among its peers: the middle half of them as a band, their median across, its own as a dot.
fn peers(visit: &Visit, file: &EntityFile) -> Markup {
    html! {
        section {
            h2 { (visit.say(texts::AMONG_PEERS)) }
            p class="help" { (visit.fill(texts::AMONG_PEERS_HELP, &[("n", &count(file.peers_count))])) }
            @if file.peers.is_empty() { p class="soft" { (visit.say(texts::NO_PEERS)) } }
            @else { div class="dots peers" { @for peer in &file.peers { (peer_row(visit, peer)) } } }
        }
    }
}

fn peer_row(visit: &Visit, peer: &PeerComparison) -> Markup {
    let end = [peer.own, peer.three_quarters * 1.5, 0.000_001].into_iter().fold(0.0, f64::max) * 1.05;
    let strip = Strip {
        band: Some((peer.quarter / end, peer.three_quarters / end)),
        across: Some(peer.median / end),
        dot: Some(peer.own / end),
        steps: 4,
        ..Strip::default()
    };
    let unusual = peer.own > peer.three_quarters + 1.5 * (peer.three_quarters - peer.quarter);
    html! {
        div class="dot-row" {
            span { (visit.named("measure", &peer.measure)) }
            (strip.draw(if unusual { "peer unusual" } else { "peer" }))
            div class="figures-of-row" {
                strong { (measured(&peer.measure, peer.own)) } @if unusual { " ▲" }
                span class="soft" { " · " (visit.fill(texts::PEER_SAID, &[("median", &measured(&peer.measure, peer.median)), ("rank", &format!("{:.0}", peer.rank * 100.0))])) }
            }
        }
    }
}

fn relations(visit: &Visit, file: &EntityFile) -> Markup {
    let head = html! {
        (th(visit, texts::PARTNER, false)) (th(visit, texts::PART_PLAYED, false)) (th(visit, texts::DECLARATIONS_TOGETHER, true)) (th(visit, texts::IRREGULAR, true))
    };
    let body = html! {
        @for partner in &file.relations {
            tr {
                td { a href=(place_of(&partner.id)) { code { (partner.id) } } }
                td { (sign(&partner.role)) " " (visit.named("party", &partner.role)) }
                td class="number" { (count(partner.declarations)) }
                td class={ "number" @if partner.irregular > 0 { " late" } } { (count(partner.irregular)) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::TRADES_WITH)) }
            @if file.relations.is_empty() { p class="soft" { (visit.say(texts::NO_RELATIONS)) } }
            @else {
                div class="columns relations" {
                    (network(visit, file))
                    div { (table(visit.say(texts::TRADES_WITH), &head, &body)) }
                }
            }
        }
    }
}

/// The sign of a role, in drawings and beside its word.
fn sign(role: &str) -> &'static str {
    match role {
        "importer" => "●",
        "exporter" => "■",
        "declarant" => "◆",
        _ => "▲",
    }
}

fn label(id: &str) -> String {
    if id.chars().count() <= LABEL_CHARACTERS_MAX {
        return id.to_owned();
    }
    // Ids differ at their end more often than at their beginning.
    let skip = id.chars().count().saturating_sub(LABEL_CHARACTERS_MAX.saturating_sub(1));
    format!("…{}", id.chars().skip(skip).collect::<String>())
}

/// The entity in the middle, partners around it; the thicker the line, the more declarations together; a broken line
/// where something was irregular.
fn network(visit: &Visit, file: &EntityFile) -> Markup {
    let drawn: Vec<&Relation> = file.relations.iter().take(PARTNERS_DRAWN).collect();
    let most = drawn.iter().map(|partner| partner.declarations).max().unwrap_or(1).max(1);
    let at = |place: usize| {
        let angle = std::f64::consts::TAU * at_place(place) / at_place(drawn.len()).max(1.0)
            - std::f64::consts::FRAC_PI_2;
        (MIDDLE + RADIUS * angle.cos(), MIDDLE + RADIUS * angle.sin())
    };
    html! {
        figure class="network" {
            svg viewBox="0 0 380 380" role="group" aria-label=(visit.fill(texts::NETWORK_SAID, &[("id", &file.id), ("n", &drawn.len().to_string())])) {
                @for (place, partner) in drawn.iter().enumerate() {
                    @let (x, y) = at(place);
                    @let weight = 1.0 + 5.0 * coordinate(partner.declarations) / coordinate(most);
                    line class=(if partner.irregular > 0 { "edge irregular" } else { "edge" }) x1=(short(MIDDLE)) y1=(short(MIDDLE)) x2=(short(x)) y2=(short(y)) stroke-width=(short(weight)) {
                        title { (partner.id) ": " (count(partner.declarations)) " / " (count(partner.irregular)) }
                    }
                }
                circle class="own" cx=(short(MIDDLE)) cy=(short(MIDDLE)) r="11" {}
                text class="node-label own-label" x=(short(MIDDLE)) y=(short(MIDDLE + 27.0)) { (label(&file.id)) }
                @for (place, partner) in drawn.iter().enumerate() {
                    @let (x, y) = at(place);
                    a href=(place_of(&partner.id)) {
                        text class={ "node " (partner.role) } x=(short(x)) y=(short(y + 6.0)) { (sign(&partner.role)) }
                        // Above or below its sign, away from the middle.
                        text class="node-label" x=(short(x)) y=(short(if y < MIDDLE { y - 13.0 } else { y + 23.0 })) { (label(&partner.id)) }
                    }
                }
            }
            figcaption class="soft" {
                @for role in ["importer", "exporter", "declarant", "carrier"] { span { (sign(role)) " " (visit.named("party", role)) } " " }
                (visit.say(texts::NETWORK_LEGEND))
            }
        }
    }
}

fn latest(visit: &Visit, file: &EntityFile) -> Markup {
    let title = visit.say(texts::LATEST_DECLARATIONS);
    html! {
        section {
            h2 { (title) }
            (in_few_columns(visit, title, &file.latest, |row| outcome(visit, row.inspected, row.irregular)))
        }
    }
}

/// What became of it: not inspected is unknown, never "nothing found".
fn outcome(visit: &Visit, inspected: Option<bool>, irregular: Option<bool>) -> Markup {
    match (inspected, irregular) {
        (_, Some(true)) => chip("bad", visit.named("outcome", "irregular")),
        (Some(true), Some(false)) => chip("good", visit.named("outcome", "conform")),
        _ => chip("plain", visit.named("outcome", "unknown")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_is_told_by_its_end() {
        assert_eq!(label("IMP-1"), "IMP-1");
        assert_eq!(label("ENTERPRISE-000123"), "…RISE-000123");
        assert_eq!(label("ENTERPRISE-000123").chars().count(), LABEL_CHARACTERS_MAX);
    }

    #[test]
    fn the_place_of_an_entity_is_one_segment() {
        assert_eq!(place_of("A/B c"), "/entities/A%2FB%20c");
    }
}
