//! On the file of an entity: what the register says, who is one with it, who shares what, and names on lists.

use customhouse::entities::{EntityFile, RegisterEntry, Shared};
use maud::{Markup, html};

use super::list::place_of;
use super::matches::{PATH, decided, since, weight};
use crate::drawing::{place_of as at_place, short};
use crate::view::{absent, chip, facts, place, table, th};
use crate::visit::Visit;
use crate::words::{count, texts};

/// Parties drawn around one.
const DRAWN_MAX: usize = 14;
/// One other alone makes no drawing.
const DRAWN_MIN: usize = 2;
/// Characters of a name that a drawing has room for.
const LABEL_CHARACTERS_MAX: usize = 16;
/// Half the side of the drawing, and the distance of parties from its middle.
const MIDDLE: f64 = 190.0;
const RADIUS: f64 = 138.0;

/// All of it, as far as there is any.
pub(super) fn show(visit: &Visit, file: &EntityFile) -> Markup {
    html! {
        @if let Some(entry) = &file.register { (register(visit, file, entry)) }
        @if !file.group.is_empty() { (group(visit, file)) }
        @if !file.shared.is_empty() { (shared(visit, file)) }
        @if !file.hits.is_empty() { (hits(visit, file)) }
    }
}

fn written(text: Option<&String>) -> Markup {
    html! { @match text { Some(text) => (text), None => (absent()) } }
}

fn register(visit: &Visit, file: &EntityFile, entry: &RegisterEntry) -> Markup {
    let closed = html! { @match &entry.closed_on { Some(day) => { (day) " " (chip("warn", visit.say(texts::CLOSED))) }, None => (absent()) } };
    let open = place(PATH, &[("q", &file.id)]);
    html! {
        section class="card" {
            h2 { (visit.say(texts::IN_REGISTER)) }
            (facts(&[
                (visit.say(texts::NAME), html! { (entry.name) @if entry.trusted { " " (chip("good", visit.say(texts::REGISTER_TRUSTED))) } }),
                (visit.named("match_by", "address"), written(entry.address.as_ref())),
                (visit.named("match_by", "phone"), written(entry.phone.as_ref())),
                (visit.named("match_by", "owner"), written(entry.owner.as_ref())),
                (visit.say(texts::REGISTER_ENTERED), written(entry.entered_on.as_ref())),
                (visit.say(texts::REGISTER_CLOSED), closed),
            ]))
            @if file.candidates > 0 {
                p { a href=(open) { (visit.fill(texts::MATCHES_OF_ENTITY, &[("n", &count(file.candidates))])) } }
            }
        }
    }
}

/// Whoever is one with it, and how that can be undone.
fn group(visit: &Visit, file: &EntityFile) -> Markup {
    let others: Vec<&RegisterEntry> = file.group.iter().filter(|own| own.id != file.id).collect();
    html! {
        section class="card" {
            h2 { (visit.say(texts::ONE_WITH)) }
            p class="help" { (visit.say(texts::ONE_WITH_HELP)) }
            ul class="plain-list" {
                @for own in others { li { a href=(place_of(&own.id)) { code { (own.id) } } " " (own.name) " " span class="soft" { (count(own.declarations)) " " (visit.say(texts::DECLARATIONS)) } } }
            }
            details {
                summary { (visit.say(texts::MERGES_THAT_STAND)) }
                @for own in &file.merges {
                    p { code { (own.entity) } " = " code { (own.into) } " " @for evidence in &own.evidence { span class="soft" { (visit.named("match_by", evidence.kind.name())) } " " (weight(visit, evidence)) " " } }
                    (decided(visit, own, file.takes_two))
                }
            }
        }
    }
}

fn shared(visit: &Visit, file: &EntityFile) -> Markup {
    let head = html! {
        (th(visit, texts::ENTITY, false)) (th(visit, texts::NAME, false)) (th(visit, texts::MATCH_SHARES, false))
        th scope="col" { (visit.named("match_by", "succession")) } (th(visit, texts::DECLARATIONS, true))
    };
    let parties = parties(file);
    let body = html! {
        @for (party, by) in &parties {
            tr {
                td { a href=(place_of(&party.id)) { code { (party.id) } } }
                td { (party.name) }
                td { @for own in by { (chip("information", visit.named("match_by", own.by.name()))) " " } }
                td class="period" { (since(visit, party)) }
                td class="number" { (count(party.declarations)) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::SHARES_WITH)) }
            p class="soft" {
                @for own in &file.shared { (visit.named("match_by", own.by.name())) " " strong { (own.value) } ": " (visit.fill(texts::SHARED_BY_OTHERS, &[("n", &count(own.total))])) " · " }
                (visit.say(texts::SHARES_WITH_HELP))
            }
            div class="columns relations" {
                @if parties.len() >= DRAWN_MIN { (network(visit, file, &parties)) }
                div { (table(visit.say(texts::SHARES_WITH), &head, &body)) }
            }
        }
    }
}

/// Each party once, with all that it shares; those who share most come first.
fn parties(file: &EntityFile) -> Vec<(&RegisterEntry, Vec<&Shared>)> {
    let mut all: Vec<(&RegisterEntry, Vec<&Shared>)> = Vec::new();
    for shared in &file.shared {
        for party in &shared.parties {
            match all.iter_mut().find(|(own, _)| own.id == party.id) {
                Some((_, by)) => by.push(shared),
                None => all.push((party, vec![shared])),
            }
        }
    }
    all.sort_by_key(|(own, by)| (std::cmp::Reverse(by.len()), own.closed_on.is_none(), own.id.clone()));
    all
}

fn label(entry: &RegisterEntry) -> String {
    let name = if entry.name.is_empty() { &entry.id } else { &entry.name };
    if name.chars().count() <= LABEL_CHARACTERS_MAX {
        return name.clone();
    }
    format!("{}…", name.chars().take(LABEL_CHARACTERS_MAX.saturating_sub(1)).collect::<String>())
}

/// The entity in the middle; around it who shares something with it, and those among them who trade with it. The more
/// is shared, the thicker the line; who is closed has an empty sign.
fn network(visit: &Visit, file: &EntityFile, parties: &[(&RegisterEntry, Vec<&Shared>)]) -> Markup {
    let drawn: Vec<&(&RegisterEntry, Vec<&Shared>)> = parties.iter().take(DRAWN_MAX).collect();
    let at = |place: usize| {
        let angle = std::f64::consts::TAU * at_place(place) / at_place(drawn.len()).max(1.0)
            - std::f64::consts::FRAC_PI_2;
        (MIDDLE + RADIUS * angle.cos(), MIDDLE + RADIUS * angle.sin())
    };
    let trades = |id: &str| file.relations.iter().any(|own| own.id == id);
    html! {
        figure class="network" {
            svg viewBox="0 0 380 380" role="group" aria-label=(visit.fill(texts::SHARED_DRAWN, &[("id", &file.id), ("n", &drawn.len().to_string())])) {
                @for (place, (party, by)) in drawn.iter().enumerate() {
                    @let (x, y) = at(place);
                    line class=(if trades(&party.id) { "edge irregular" } else { "edge" }) x1=(short(MIDDLE)) y1=(short(MIDDLE)) x2=(short(x)) y2=(short(y)) stroke-width=(short(0.5 + 1.8 * at_place(by.len()))) {
                        title { @for own in by { (visit.named("match_by", own.by.name())) ": " (own.value) " " } }
                    }
                }
                circle class="own" cx=(short(MIDDLE)) cy=(short(MIDDLE)) r="11" {}
                text class="node-label own-label" x=(short(MIDDLE)) y=(short(MIDDLE + 27.0)) { (file.register.as_ref().map_or_else(|| file.id.clone(), label)) }
                @for (place, (party, _)) in drawn.iter().enumerate() {
                    @let (x, y) = at(place);
                    a href=(place_of(&party.id)) {
                        text class="node" x=(short(x)) y=(short(y + 6.0)) { (if party.closed_on.is_some() { "○" } else { "●" }) }
                        text class="node-label" x=(short(x)) y=(short(if y < MIDDLE { y - 13.0 } else { y + 23.0 })) { (label(party)) }
                    }
                }
            }
            figcaption class="soft" { (visit.say(texts::SHARED_LEGEND)) }
        }
    }
}

fn hits(visit: &Visit, file: &EntityFile) -> Markup {
    let head = html! {
        (th(visit, texts::LIST_NAME, false)) (th(visit, texts::ID, false)) (th(visit, texts::LIST_OWN_NAME, false)) (th(visit, texts::LIST_LISTED, false)) (th(visit, texts::LIST_ALIKE, true))
    };
    let body = html! {
        @for hit in &file.hits {
            tr {
                td { (hit.list) } td { code { (hit.entry) } } td { (hit.own) } td { (hit.listed) }
                td class="number" { (hit.score) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::ON_LISTS)) " " (chip("bad", &count(u64::try_from(file.hits.len()).unwrap_or(u64::MAX)))) }
            p class="help" { (visit.say(texts::ON_LISTS_HELP)) }
            (table(visit.say(texts::ON_LISTS), &head, &body))
        }
    }
}
