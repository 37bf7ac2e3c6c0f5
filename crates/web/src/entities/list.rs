//! The list of entities.

use customhouse::entities::{EntitiesPage, EntitiesQuery, EntityRow, RATED_INSPECTED_MIN};
use maud::{Markup, html};
use spine::FieldType;

use crate::failure::Failure;
use crate::overview::rate_text;
use crate::shell::{Page, Room};
use crate::view::{Order, absent, chip, empty, heading, pager, simulated, table, th};
use crate::visit::{Asked, Visit, percent_encoded};
use crate::words::{count, minute, texts, value};

/// Roles to choose from.
const ROLES: [&str; 4] = ["importer", "exporter", "declarant", "carrier"];

/// Where the file of an entity is. Ids are whatever the records have: a slash is part of them.
pub(crate) fn place_of(id: &str) -> String {
    format!("/entities/{}", percent_encoded(id).replace('/', "%2F"))
}

/// The list.
pub(crate) async fn list(visit: Visit, Asked(asked): Asked<EntitiesQuery>) -> Result<Markup, Failure> {
    let page = visit
        .work({
            let asked = asked.clone();
            move |house, reader| house.find_entities(reader, &asked)
        })
        .await?;
    let below = html! { (visit.say(texts::ENTITIES_INTRODUCTION)) " " (simulated(&visit, page.simulated)) };
    let content = html! {
        (heading(visit.say(texts::ENTITIES), &below, &html! { a class="button" href="/entities/matches" data-key="w" { (visit.say(texts::MATCHES)) } }))
        (filters(&visit, &asked))
        @if page.rows.is_empty() { (empty(visit.say(texts::NO_ENTITIES), visit.say(texts::NO_ENTITIES_TEXT), &html! {})) }
        @else { (rows(&visit, &asked, &page)) }
    };
    Ok(Page::new(&visit, Room::Entities, visit.say(texts::ENTITIES)).show(&content))
}

fn filters(visit: &Visit, asked: &EntitiesQuery) -> Markup {
    html! {
        form class="filters" method="get" action="/entities" {
            label { (visit.say(texts::ENTITY_ID)) input type="search" name="q" value=(asked.q) spellcheck="false" autocomplete="off"; }
            label {
                (visit.say(texts::PART_PLAYED))
                select name="role" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for role in ROLES { option value=(role) selected[role == asked.role] { (visit.named("party", role)) } }
                }
            }
            @if !asked.sort.is_empty() { input type="hidden" name="sort" value=(asked.sort); }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

/// Value with its currency; amounts in several currencies are not added.
pub(super) fn worth(row: &EntityRow) -> Markup {
    html! {
        @match (&row.value, &row.currency) {
            (Some(amount), Some(currency)) => { (value(amount, FieldType::Decimal)) " " span class="soft" { (currency) } },
            (Some(amount), None) => (value(amount, FieldType::Decimal)),
            _ => (absent()),
        }
    }
}

/// Id, name, and how many are one with it.
fn who(visit: &Visit, row: &EntityRow) -> Markup {
    html! {
        a href=(place_of(&row.id)) { code { (row.id) } }
        (group_chip(visit, row.members))
        @if let Some(name) = &row.name { div class="soft" { (name) } }
    }
}

/// How many are one, where that is more than one.
pub(crate) fn group_chip(visit: &Visit, members: u64) -> Markup {
    html! { @if members > 1 { " " (chip("information", &visit.fill(texts::GROUP_OF, &[("n", &count(members))]))) } }
}

fn rows(visit: &Visit, asked: &EntitiesQuery, page: &EntitiesPage) -> Markup {
    let query = [("q", asked.q.as_str()), ("role", asked.role.as_str())];
    let sort = if asked.sort.is_empty() { "-declarations" } else { &asked.sort };
    let order = Order { sort, path: "/entities", query: &query };
    let head = html! {
        (th(visit, texts::ENTITY, false)) (th(visit, texts::PART_PLAYED, false))
        (order.head(visit, "declarations", texts::DECLARATIONS, true)) (order.head(visit, "value", texts::VALUE, true))
        (order.head(visit, "inspected", texts::INSPECTED, true)) (order.head(visit, "irregular", texts::IRREGULAR, true))
        (order.head(visit, "rate", texts::HIT_RATE, true)) (order.head(visit, "last", texts::LAST_SEEN, true))
    };
    let body = html! {
        @for row in &page.rows {
            tr {
                td class="who" { (who(visit, row)) }
                td { (visit.named("party", &row.role)) }
                td class="number" { (count(row.declarations)) }
                td class="number" { (worth(row)) }
                td class="number" { (count(row.hits.inspected)) }
                td class="number" { (count(row.hits.irregular)) }
                td class="number rate" { (rate_text(visit, &row.hits)) }
                td class="number period" { (minute(row.last_at)) }
            }
        }
    };
    let [q, role] = query;
    html! {
        @if sort.ends_with("rate") { p class="soft" { (visit.fill(texts::RATED_FROM, &[("n", &count(RATED_INSPECTED_MIN))])) } }
        (table(visit.say(texts::ENTITIES), &head, &body))
        (pager(visit, "/entities", &[q, role, ("sort", &asked.sort)], asked.page.max(1), usize::try_from(page.total).unwrap_or(usize::MAX)))
    }
}
