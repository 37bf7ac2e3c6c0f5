//! The list.

use customhouse::entry_summary::{EntryState, EntrySummariesPage, EntrySummariesQuery};
use maud::{Markup, html};

use super::{OFFICIAL, OWN, Side, state_chip, stated_moment};
use crate::failure::Failure;
use crate::shell::Page;
use crate::view::{Order, absent, crumbs, empty, heading, pager, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, minute, texts};

/// All of them, for officials.
pub(super) async fn all(visit: Visit, Asked(asked): Asked<EntrySummariesQuery>) -> Result<Markup, Failure> {
    let query = asked.clone();
    let page = visit.work(move |house, reader| house.find_entry_summaries(reader, &query)).await?;
    Ok(show(&visit, OFFICIAL, &asked, &page))
}

/// A trader's own.
pub(super) async fn own(visit: Visit, Asked(asked): Asked<EntrySummariesQuery>) -> Result<Markup, Failure> {
    let query = asked.clone();
    let page = visit.work(move |house, reader| house.own_entry_summaries(reader, &query)).await?;
    Ok(show(&visit, OWN, &asked, &page))
}

fn show(visit: &Visit, side: Side, asked: &EntrySummariesQuery, page: &EntrySummariesPage) -> Markup {
    let title = visit.say(texts::ENTRY_SUMMARIES);
    let narrowed = !(asked.q.is_empty() && asked.state.is_empty() && asked.day.is_empty());
    let content = html! {
        @if side.own { (crumbs(visit, &[("/own", visit.say(texts::OWN_DECLARATIONS))])) }
        (heading(title, &html! { (visit.say(texts::ENTRY_INTRODUCTION)) }, &html! {}))
        @if narrowed || !page.rows.is_empty() { (filters(visit, side, asked, narrowed)) }
        @if page.rows.is_empty() {
            @if narrowed { (empty(visit.say(texts::ENTRY_NOT_FOUND), visit.say(texts::ENTRY_NOT_FOUND_TEXT), &html! { a class="button" href=(side.path) { (visit.say(texts::CLEAR_FILTERS)) } })) }
            @else { (empty(visit.say(texts::ENTRY_NONE), visit.say(texts::ENTRY_NONE_TEXT), &html! {})) }
        } @else { (rows(visit, side, asked, page)) }
    };
    Page::new(visit, side.room, title).show(&content)
}

fn filters(visit: &Visit, side: Side, asked: &EntrySummariesQuery, narrowed: bool) -> Markup {
    html! {
        form class="filters" method="get" action=(side.path) role="search" aria-label=(visit.say(texts::FILTER)) {
            label class="wide" {
                (visit.say(texts::SEARCH)) input type="search" name="q" value=(asked.q) placeholder=(visit.say(texts::ENTRY_SEARCH_HINT)) autocomplete="off" spellcheck="false";
            }
            label {
                (visit.say(texts::STATE))
                select name="state" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for state in EntryState::ALL {
                        option value=(state.name()) selected[state.name() == asked.state] { (visit.named("entry_state", state.name())) }
                    }
                }
            }
            label { (visit.say(texts::ENTRY_DAY)) input type="date" name="day" value=(asked.day); }
            @if !asked.sort.is_empty() { input type="hidden" name="sort" value=(asked.sort); }
            div class="actions" {
                button { (visit.say(texts::APPLY)) }
                @if narrowed { a href=(side.path) { (visit.say(texts::CLEAR_FILTERS)) } }
            }
        }
    }
}

fn rows(visit: &Visit, side: Side, asked: &EntrySummariesQuery, page: &EntrySummariesPage) -> Markup {
    let query = [("q", asked.q.as_str()), ("state", asked.state.as_str()), ("day", asked.day.as_str())];
    let sort = if asked.sort.is_empty() { "-came" } else { &asked.sort };
    let order = Order { sort, path: side.path, query: &query };
    let head = html! {
        (order.head(visit, "lrn", texts::MRN_AND_LRN, false)) (order.head(visit, "state", texts::STATE, false))
        (th(visit, texts::ENTRY_PERSON, false)) (th(visit, texts::ENTRY_REPRESENTATIVE, false))
        (order.head(visit, "office", texts::ENTRY_OFFICE, false)) (order.head(visit, "arrival", texts::ENTRY_ARRIVAL, false))
        (order.head(visit, "items", texts::ITEMS, true)) (order.head(visit, "came", texts::ENTRY_CAME, true))
    };
    let known = |text: &Option<String>| html! { @match text { Some(text) => (text), None => (absent()) } };
    let body = html! {
        @for row in &page.rows {
            tr {
                td {
                    a class="reference" href={ (side.path) "/" (row.mrn) } { (row.lrn.as_deref().unwrap_or(&row.mrn)) }
                    // What was rejected was told no number.
                    @if row.registered_at.is_some() { div class="soft" { code { (row.mrn) } } }
                }
                td { (state_chip(visit, row.state)) }
                td { (known(&row.lodging_person)) }
                td { (known(&row.representative)) }
                td { (known(&row.first_entry_office)) }
                td class="period" { @match &row.expected_arrival { Some(stated) => (stated_moment(stated)), None => (absent()) } }
                td class="number" { (count(row.items.into())) }
                td class="number period" { time datetime=(row.came_at) { (minute(row.came_at)) } }
            }
        }
    };
    let [q, state, day] = query;
    let total = usize::try_from(page.total).unwrap_or(usize::MAX);
    html! {
        (table(visit.say(texts::ENTRY_SUMMARIES), &head, &body))
        (pager(visit, side.path, &[q, state, day, ("sort", &asked.sort)], asked.page.max(1), total))
    }
}
