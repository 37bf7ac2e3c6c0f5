//! What tags rest on, and which rest on one column, list or contract: what to look at before it is changed.

use axum::extract::Path;
use customhouse::tags::{SourceKind, TagSource};
use maud::{Markup, html};
use serde::Deserialize;

use super::severity_chip;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, heading, page_of, pager, table, th};
use crate::visit::{Asked, Visit, percent_encoded};
use crate::words::{Text, count, texts};

const KINDS: [(SourceKind, Text); 3] = [
    (SourceKind::Field, texts::COLUMNS_READ),
    (SourceKind::List, texts::LISTS_READ),
    (SourceKind::Contract, texts::CONTRACTS_READ),
];

fn place_of(source: &TagSource) -> String {
    format!("/tag-sources/{}", percent_encoded(&source.name).replace('/', "%2F"))
}

/// Everything that tags rest on.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let mut sources = visit.work(|house, reader| house.tag_sources(reader)).await?;
    sources.sort_by(|a, b| b.tags.cmp(&a.tags).then_with(|| a.name.cmp(&b.name)));
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS))]))
        (heading(visit.say(texts::TAG_SOURCES), &html! { (visit.say(texts::TAG_SOURCES_HELP)) }, &html! {}))
        @for (kind, title) in KINDS { (of_kind(&visit, &sources, kind, title)) }
    };
    Ok(Page::new(&visit, Room::Tags, visit.say(texts::TAG_SOURCES)).show(&content))
}

fn of_kind(visit: &Visit, sources: &[TagSource], kind: SourceKind, title: Text) -> Markup {
    let own: Vec<&TagSource> = sources.iter().filter(|own| own.kind == kind).collect();
    let head = html! { (th(visit, texts::NAME, false)) (th(visit, texts::WHAT_IT_SAYS, false)) (th(visit, texts::TAGS, true)) };
    let body = html! {
        @for source in &own {
            tr {
                td { a href=(place_of(source)) { code { (source.name) } } }
                td { @let said = visit.localized(&source.title); @if said.is_empty() { (absent()) } @else { (said) } }
                td class="number" { (count(source.tags)) }
            }
        }
    };
    html! { @if !own.is_empty() { section { h2 { (visit.say(title)) } (table(visit.say(title), &head, &body)) } } }
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageQuery {
    /// Page, from 1.
    page: usize,
}

/// The tags that rest on one of it.
pub(crate) async fn show(
    visit: Visit,
    Path(name): Path<String>,
    Asked(asked): Asked<PageQuery>,
) -> Result<Markup, Failure> {
    let found = visit.work(move |house, reader| house.tag_dependents(reader, &name)).await?;
    let of_contract = found.source.kind == SourceKind::Contract;
    let head = html! {
        (th(&visit, texts::TAG, false)) (th(&visit, texts::SEVERITY, false))
        @if of_contract { (th(&visit, texts::COLUMNS_READ, false)) }
        (th(&visit, texts::THROUGH_AGGREGATES, false))
    };
    let body = html! {
        @for own in page_of(&found.tags, asked.page) {
            tr {
                td { a href={ "/tags/" (own.tag.id) } { (visit.localized(&own.tag.title)) } div class="soft" { code { (own.tag.id) } } }
                td { (severity_chip(&visit, own.tag.severity)) }
                @if of_contract { td { @for name in &own.reads { code { (name) } " " } } }
                td { @if own.aggregates.is_empty() { (absent()) } @for name in &own.aggregates { code { (name) } " " } }
            }
        }
    };
    let below = html! { (visit.localized(&found.source.title)) };
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS)), ("/tag-sources", visit.say(texts::TAG_SOURCES))]))
        (heading(&found.source.name, &below, &html! {}))
        (table(visit.say(texts::TAGS), &head, &body))
        (pager(&visit, &place_of(&found.source), &[], asked.page.max(1), found.tags.len()))
    };
    Ok(Page::new(&visit, Room::Tags, found.source.name.clone()).show(&content))
}
