//! A trader's own declarations, and those being written.

use customhouse::declarations::{Draft, OwnRow, Progress};
use maud::{Markup, html};
use serde::Deserialize;

use super::fields::item_name;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, csrf, empty, heading, pager, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, minute, texts};

/// Which of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OwnQuery {
    q: String,
    page: usize,
}

/// Where a declaration stands, as word and colour.
pub(super) fn progress_chip(visit: &Visit, progress: Progress) -> Markup {
    let class = match progress {
        Progress::Released | Progress::Exited => "good",
        Progress::Rejected | Progress::Detained => "bad",
        Progress::DocumentsWanted | Progress::QuestionAsked | Progress::PaymentWanted => "warn",
        Progress::Received | Progress::AwaitingArrival | Progress::Accepted | Progress::UnderExamination => {
            "information"
        }
        Progress::Cancelled => "",
    };
    chip(class, visit.named("progress", progress.name()))
}

/// The list.
pub(super) async fn show(visit: Visit, Asked(asked): Asked<OwnQuery>) -> Result<Markup, Failure> {
    let (drafts, rows, total) = visit
        .work({
            let asked = asked.clone();
            move |house, reader| {
                let (rows, total) = house.own_declarations(reader, &asked.q, asked.page)?;
                Ok((house.drafts(reader)?, rows, total))
            }
        })
        .await?;
    let party = visit.reader()?.party;
    let actions = html! {
        a class="button" href="/own/entry-summaries" { (visit.say(texts::ENTRY_SUMMARIES)) }
        a class="button" href="/own/check" { (visit.say(texts::OWN_CHECK_FILE)) }
        a class="button" href="/own/file" { (visit.say(texts::OWN_HAND_IN_FILE)) }
        a class="button primary" href="/own/new" { (visit.say(texts::OWN_NEW)) }
    };
    let below = html! {
        @match &party {
            Some(party) => { (visit.say(texts::OWN_ACTING_FOR)) " " strong { (party) } },
            None => (visit.say(texts::OWN_NO_PARTY)),
        }
    };
    let content = html! {
        (heading(visit.say(texts::OWN_DECLARATIONS), &below, &actions))
        (drafts_shown(&visit, &drafts))
        (lodged(&visit, &asked, &rows, total))
    };
    Ok(Page::new(&visit, Room::Own, visit.say(texts::OWN_DECLARATIONS)).show(&content))
}

/// Only what moves.
pub(super) async fn moved(visit: Visit, Asked(asked): Asked<OwnQuery>) -> Result<Markup, Failure> {
    let (q, page) = (asked.q.clone(), asked.page);
    let (rows, total) = visit.work(move |house, reader| house.own_declarations(reader, &q, page)).await?;
    Ok(lodged(&visit, &asked, &rows, total))
}

fn drafts_shown(visit: &Visit, drafts: &[Draft]) -> Markup {
    html! {
        @if !drafts.is_empty() {
            section aria-labelledby="drafts" {
                h2 id="drafts" { (visit.say(texts::OWN_DRAFTS)) }
                ul class="latest drafts" {
                    @for draft in drafts {
                        @let field = |name: &str| draft.fields.get(name).filter(|value| !value.is_empty());
                        li {
                            a href={ "/own/drafts/" (draft.id) } {
                                @match field("reference") { Some(reference) => (reference), None => (visit.say(texts::OWN_WITHOUT_REFERENCE)) }
                            }
                            @if let Some(description) = field(&item_name(1, "description")) { span { (description) } }
                            span class="soft" { (visit.fill(texts::OWN_SAVED_AT, &[("time", &minute(draft.saved_at))])) }
                            form method="post" action={ "/own/drafts/" (draft.id) "/discard" } class="inline" {
                                (csrf(visit)) button { (visit.say(texts::OWN_DISCARD)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn lodged(visit: &Visit, asked: &OwnQuery, rows: &[OwnRow], total: u64) -> Markup {
    let page = asked.page.max(1);
    let number = page.to_string();
    let query = [("q", asked.q.as_str()), ("page", number.as_str())];
    let again = crate::view::place("/own/moved", &query);
    html! {
        div id="own" data-live hx-get=(again) hx-trigger="every 15s, moved" hx-swap="outerHTML" {
            @if rows.is_empty() && asked.q.is_empty() {
                (empty(visit.say(texts::OWN_NONE), visit.say(texts::OWN_NONE_TEXT), &html! { a class="button primary" href="/own/new" { (visit.say(texts::OWN_NEW)) } }))
            } @else {
                h2 { (visit.say(texts::OWN_LODGED)) }
                form class="filters" method="get" action="/own" role="search" {
                    label { (visit.say(texts::OWN_FIND)) input type="search" name="q" value=(asked.q) autocomplete="off"; }
                    button { (visit.say(texts::APPLY)) }
                }
                @if rows.is_empty() { p { (visit.say(texts::OWN_NOT_FOUND)) } } @else { (rows_shown(visit, rows)) }
                (pager(visit, "/own", &query, page, usize::try_from(total).unwrap_or(usize::MAX)))
            }
        }
    }
}

fn rows_shown(visit: &Visit, rows: &[OwnRow]) -> Markup {
    let head = html! {
        (th(visit, texts::OWN_REFERENCE, false))
        (th(visit, texts::OWN_STANDS, false))
        (th(visit, texts::OWN_GOODS, false))
        (th(visit, texts::OWN_ITEMS, true))
        (th(visit, texts::OWN_LODGED_AT, false))
        (th(visit, texts::OWN_RELEASED_AT, false))
    };
    let body = html! {
        @for row in rows {
            tr {
                td { a href={ "/own/" (row.mrn) } { (if row.lrn.is_empty() { &row.mrn } else { &row.lrn }) } div class="soft" { code { (row.mrn) } } }
                td {
                    (progress_chip(visit, row.progress))
                    @if row.waits_for_trader { div { strong { (visit.say(texts::OWN_WAITS_FOR_YOU)) } } }
                }
                td { @match &row.description { Some(words) => (words), None => (absent()) } }
                td class="number" { (count(row.items.into())) }
                td { time datetime=(row.lodged_at) { (minute(row.lodged_at)) } }
                td { @match row.released_at { Some(at) => time datetime=(at) { (minute(at)) }, None => (absent()) } }
            }
        }
    };
    html! { div class="own-rows" { (table(visit.say(texts::OWN_LODGED), &head, &body)) } }
}
