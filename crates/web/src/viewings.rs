//! Who looked at what, for auditors.

use customhouse::viewings::{Purpose, ViewedWhat, ViewingRow, ViewingsPage, ViewingsQuery};
use maud::{Markup, html};

use crate::entities::place_of;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, empty, heading, pager, place, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, texts};

const PATH: &str = "/viewings";

/// The list, the latest look first.
pub(crate) async fn list(visit: Visit, Asked(asked): Asked<ViewingsQuery>) -> Result<Markup, Failure> {
    let page = visit
        .work({
            let asked = asked.clone();
            move |house, reader| house.viewings(reader, &asked)
        })
        .await?;
    let content = html! {
        (heading(visit.say(texts::VIEWINGS), &html! { (visit.say(texts::VIEWINGS_INTRODUCTION)) }, &html! {}))
        (filters(&visit, &asked))
        @if page.rows.is_empty() { (empty(visit.say(texts::NO_VIEWINGS), visit.say(texts::NO_VIEWINGS_TEXT), &html! {})) }
        @else { (rows(&visit, &asked, &page)) }
    };
    Ok(Page::new(&visit, Room::Viewings, visit.say(texts::VIEWINGS)).show(&content))
}

fn filters(visit: &Visit, asked: &ViewingsQuery) -> Markup {
    html! {
        form class="filters" method="get" action=(PATH) {
            label { (visit.say(texts::WHO)) input type="search" name="who" value=(asked.who) spellcheck="false" autocomplete="off"; }
            label {
                (visit.say(texts::WHAT))
                select name="what" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for what in ViewedWhat::ALL { option value=(what.name()) selected[what.name() == asked.what] { (visit.named("viewed", what.name())) } }
                }
            }
            label { (visit.say(texts::VIEWED_RECORD)) input type="search" name="record" value=(asked.record) spellcheck="false" autocomplete="off"; }
            label { (visit.say(texts::VIEWED_FROM)) input type="date" name="from" value=(asked.from); }
            label { (visit.say(texts::VIEWED_TO)) input type="date" name="to" value=(asked.to); }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

fn record(row: &ViewingRow) -> Markup {
    html! {
        @if let Some(mrn) = &row.mrn { a href={ "/declarations/" (mrn) } { code { (mrn) } } }
        @else if let Some(entity) = &row.entity { a href=(place_of(entity)) { code { (entity) } } }
        @else if let Some(filter) = &row.filter {
            @if let Some(rows) = row.rows { (count(rows)) " " }
            code class="soft" { (filter) }
        } @else { (absent()) }
    }
}

fn rows(visit: &Visit, asked: &ViewingsQuery, page: &ViewingsPage) -> Markup {
    let head = html! {
        (th(visit, texts::WHEN_UTC, false)) (th(visit, texts::WHO, false)) (th(visit, texts::ROLE, false)) (th(visit, texts::OFFICE, false))
        (th(visit, texts::WHAT, false)) (th(visit, texts::VIEWED_RECORD, false)) (th(visit, texts::PURPOSE, false))
    };
    let query = [
        ("who", asked.who.as_str()),
        ("what", asked.what.as_str()),
        ("record", asked.record.as_str()),
        ("from", asked.from.as_str()),
        ("to", asked.to.as_str()),
    ];
    let body = html! {
        @for row in &page.rows {
            tr {
                td class="period" { a href={ "/journal/" (row.position) } { (row.at.strftime("%Y-%m-%d %H:%M:%S")) } }
                td { a href=(place(PATH, &[("who", &row.reader)])) { (row.reader_name) } }
                td { (visit.named("role", &row.role)) }
                td { @match &row.office { Some(office) => (office), None => (absent()) } }
                td { (visit.named("viewed", row.what.name())) }
                td { (record(row)) }
                td { @match row.purpose { Some(Purpose::OwnControl) => (visit.say(texts::PURPOSE_OWN_CONTROL)), None => (absent()) } }
            }
        }
    };
    html! {
        (table(visit.say(texts::VIEWINGS), &head, &body))
        (pager(visit, PATH, &query, asked.page.max(1), usize::try_from(page.total).unwrap_or(usize::MAX)))
    }
}
