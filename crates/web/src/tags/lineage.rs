//! Why a tag is on an entity: the declarations that brought it, and what made it true on each.

use axum::extract::Path;
use customhouse::tags::{LineageStep, TagLineage};
use maud::{Markup, html};

use crate::entities::place_of;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, facts, heading, place, simulated, table, th};
use crate::visit::Visit;
use crate::words::{count, minute, texts};

/// Where the reason for a tag on an entity is.
pub(crate) fn place_of_reason(entity: &str, tag: &str) -> String {
    format!("{}/tags/{tag}", place_of(entity))
}

/// The page.
pub(crate) async fn show(
    visit: Visit,
    Path((entity, tag)): Path<(String, String)>,
) -> Result<Markup, Failure> {
    let told = visit.work(move |house, reader| house.tag_lineage(reader, &tag, &entity)).await?;
    let title = visit.localized(&told.tag.title);
    let all = place("/declarations", &[("party", &told.entity), ("tag", &told.tag.id)]);
    let below = html! { (super::severity_chip(&visit, told.tag.severity)) " " code { (told.tag.id) } " " (simulated(&visit, told.simulated)) };
    let actions = html! { a class="button" href=(all) { (visit.say(texts::ALL_ITS_DECLARATIONS)) } };
    let content = html! {
        (crumbs(&visit, &[("/entities", visit.say(texts::ENTITIES)), (&place_of(&told.entity), &told.entity)]))
        (heading(&format!("{}: {title}", visit.say(texts::WHY)), &below, &actions))
        div class="columns" {
            section { h2 { (visit.say(texts::SUMMARY)) } (summary(&visit, &told)) }
            section {
                h2 { (visit.say(texts::CONDITION)) }
                pre class="condition" tabindex="0" { code { (told.when) } }
                p { strong { (visit.say(texts::INSPECTION_HINT)) ": " } (visit.localized(&told.hint)) }
                p { a href={ "/tags/" (told.tag.id) } { (visit.say(texts::ABOUT_THIS_TAG)) } }
            }
        }
        (steps(&visit, &told))
    };
    Ok(Page::new(&visit, Room::Entities, title).show(&content))
}

fn summary(visit: &Visit, told: &TagLineage) -> Markup {
    let last = told.latest.first().unwrap_or(&told.first);
    facts(&[
        (visit.say(texts::DECLARATIONS), html! { (count(told.declarations)) }),
        (visit.say(texts::SINCE), html! { span class="period" { (minute(told.first.at)) } }),
        (visit.say(texts::LAST_SEEN), html! { span class="period" { (minute(last.at)) } }),
        (
            visit.say(texts::PACK),
            html! { a href={ "/packs/" (told.tag.pack) } { (told.tag.pack) } " " @if told.versions.is_empty() { (absent()) } @else { (told.versions.join(", ")) } },
        ),
    ])
}

fn steps(visit: &Visit, told: &TagLineage) -> Markup {
    let head = html! {
        (th(visit, texts::DECLARATION, false)) (th(visit, texts::TAGGED_AT, true)) (th(visit, texts::ITEMS, false))
        (th(visit, texts::PARTS_TRUE, false)) (th(visit, texts::VERSION, false))
    };
    let body = html! {
        @for step in told.latest.iter() { (row(visit, step, false)) }
        (row(visit, &told.first, true))
    };
    let shown = u64::try_from(told.latest.len()).unwrap_or(u64::MAX).saturating_add(1);
    html! {
        section {
            h2 { (visit.say(texts::DECLARATIONS_THAT_BROUGHT_IT)) }
            @if shown < told.declarations { p class="help" { (visit.fill(texts::LATEST_AND_FIRST, &[("n", &count(shown)), ("all", &count(told.declarations))])) } }
            (table(visit.say(texts::DECLARATIONS_THAT_BROUGHT_IT), &head, &body))
        }
    }
}

fn row(visit: &Visit, step: &LineageStep, first: bool) -> Markup {
    html! {
        tr {
            td { a href={ "/declarations/" (step.mrn) } { code { (step.mrn) } } @if first { " " (chip("plain", visit.say(texts::FIRST_SEEN))) } }
            td class="number period" { (minute(step.at)) }
            td { (step.items.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")) }
            td { (values(visit, step)) }
            td { @match &step.pack_version { Some(version) => (version), None => (absent()) } }
        }
    }
}

/// The values that a condition read.
fn values(visit: &Visit, step: &LineageStep) -> Markup {
    let schema = spine::declaration_entry::schema();
    html! {
        @if step.erased { span class="soft" { (visit.say(texts::RECORD_ERASED)) } }
        @for (name, value) in &step.values {
            div { span class="soft" { @match schema.field(name) { Some(field) => (visit.localized(&field.title)), None => code { (name) } } ": " } (value) }
        }
    }
}
