//! The list of batches.

use std::cmp::Ordering;

use customhouse::identity::{Permission, Reader};
use customhouse::pool::{BatchQuery, BatchState, BatchSummary, PAGE_ROWS_MAX};
use customhouse::{Customhouse, Error};
use maud::{Markup, html};
use serde::Deserialize;

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{Order, absent, chip, empty, heading, page_of, pager, simulated, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, minute, short, size, texts};

/// Batches looked at for one list: the latest ones.
const BATCHES_MAX: usize = 20_000;

/// Which batches to list, and in which order.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchesQuery {
    /// Part of a file's name, a contract's name, or the beginning of an id.
    #[serde(default)]
    pub(crate) q: String,
    /// `admitted` or `refused`; empty: both.
    #[serde(default)]
    pub(crate) state: String,
    /// `recorded`, `name`, `rows`, `quarantined` or `bytes`; with a `-` before it: downwards.
    #[serde(default)]
    pub(crate) sort: String,
    /// Page, from 1.
    #[serde(default)]
    pub(crate) page: usize,
}

/// All batches that match, in the order asked for.
pub(crate) fn matching(
    house: &Customhouse,
    reader: &Reader,
    asked: &BatchesQuery,
) -> Result<Vec<BatchSummary>, Error> {
    let state = match asked.state.as_str() {
        "admitted" => Some(BatchState::Admitted),
        "refused" => Some(BatchState::Refused),
        _ => None,
    };
    let mut found = Vec::new();
    let mut before = None;
    while found.len() < BATCHES_MAX {
        let page = house.list_batches(reader, &BatchQuery { before, state, limit: PAGE_ROWS_MAX })?;
        before = page.last().map(|batch| batch.position);
        let last = page.len() < PAGE_ROWS_MAX;
        found.extend(page);
        if last {
            break;
        }
    }
    let wanted = asked.q.trim().to_lowercase();
    found.retain(|batch| {
        wanted.is_empty()
            || batch.id.starts_with(&wanted)
            || batch.source_name.to_lowercase().contains(&wanted)
            || batch.contract.contains(&wanted)
    });
    let (key, down) = asked.sort.strip_prefix('-').map_or((asked.sort.as_str(), false), |key| (key, true));
    found.sort_by(|a, b| {
        let order = match key {
            "name" => a.source_name.cmp(&b.source_name),
            "rows" => a.rows.cmp(&b.rows),
            "quarantined" => waiting(a).cmp(&waiting(b)),
            "bytes" => a.bytes.cmp(&b.bytes),
            "recorded" => a.position.cmp(&b.position),
            // The latest first, unless somebody asks otherwise.
            _ => return b.position.cmp(&a.position),
        };
        let order = if down { order.reverse() } else { order };
        if order == Ordering::Equal { b.position.cmp(&a.position) } else { order }
    });
    Ok(found)
}

/// Rows that still wait to be mended.
pub(crate) fn waiting(batch: &BatchSummary) -> u64 {
    batch.rows_quarantined.saturating_sub(batch.rows_mended)
}

/// What became of a batch, as word and colour.
pub(super) fn state_chip(visit: &Visit, state: BatchState) -> Markup {
    let class = if state == BatchState::Admitted { "good" } else { "bad" };
    chip(class, visit.named("state", state.name()))
}

/// The list.
pub(crate) async fn list(visit: Visit, Asked(asked): Asked<BatchesQuery>) -> Result<Markup, Failure> {
    let batches = visit
        .work({
            let asked = asked.clone();
            move |house, reader| matching(house, reader, &asked)
        })
        .await?;
    let unfiltered = asked.q.trim().is_empty() && asked.state.is_empty();
    let send = html! {
        @if visit.may(Permission::AdmitRecords) { a class="button primary" href="/pool/new" { (visit.say(texts::SEND_RECORDS)) } }
    };
    let content = html! {
        (heading(visit.say(texts::POOL), &html! { (visit.say(texts::POOL_INTRODUCTION)) }, &html! {
            a class="button" href="/pool/contracts/declarations" { (visit.say(texts::CONTRACTS)) }
            (send)
        }))
        @if batches.is_empty() && unfiltered {
            (empty(visit.say(texts::POOL_EMPTY), visit.say(texts::POOL_EMPTY_TEXT), &send))
        } @else {
            (filters(&visit, &asked))
            (list_table(&visit, &asked, &batches))
        }
    };
    Ok(Page::new(&visit, Room::Pool, visit.say(texts::POOL)).show(&content))
}

fn filters(visit: &Visit, asked: &BatchesQuery) -> Markup {
    html! {
        form class="filters" method="get" action="/pool" {
            label { (visit.say(texts::FILTER)) input type="search" name="q" value=(asked.q) placeholder=(visit.say(texts::FILTER_BATCHES_HINT)); }
            label {
                (visit.say(texts::STATE))
                select name="state" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for state in [BatchState::Admitted, BatchState::Refused] {
                        option value=(state.name()) selected[asked.state == state.name()] { (visit.named("state", state.name())) }
                    }
                }
            }
            @if !asked.sort.is_empty() { input type="hidden" name="sort" value=(asked.sort); }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

fn list_table(visit: &Visit, asked: &BatchesQuery, batches: &[BatchSummary]) -> Markup {
    let query = [("q", asked.q.as_str()), ("state", asked.state.as_str()), ("sort", asked.sort.as_str())];
    let order = Order { sort: &asked.sort, path: "/pool", query: &[query[0], query[1]] };
    let head = html! {
        (order.head(visit, "name", texts::FILE, false))
        (th(visit, texts::STATE, false))
        (order.head(visit, "recorded", texts::RECORDED, true))
        (order.head(visit, "rows", texts::ROWS, true))
        (order.head(visit, "quarantined", texts::IN_QUARANTINE, true))
        (th(visit, texts::PERIOD, false))
        (th(visit, texts::CONTRACT, false))
        (order.head(visit, "bytes", texts::SIZE, true))
    };
    let page = asked.page.max(1);
    let body = html! {
        @for batch in page_of(batches, page) {
            tr {
                td {
                    a href={ "/pool/batches/" (batch.id) } { (batch.source_name) }
                    " " (simulated(visit, batch.rows_simulated > 0))
                    div class="soft" { code { (short(&batch.id)) } @if batch.mends.is_some() { " · " (visit.say(texts::MENDS_ANOTHER)) } }
                }
                td { (state_chip(visit, batch.state)) }
                td class="number" { time datetime=(batch.recorded_at) { (minute(batch.recorded_at)) } }
                td class="number" { a href={ "/pool/batches/" (batch.id) "/rows" } { (count(batch.rows)) } }
                td class="number" {
                    @if waiting(batch) > 0 { a href={ "/pool/batches/" (batch.id) "/quarantine" } { (count(waiting(batch))) } }
                    @else { (count(0)) }
                }
                td { @match (batch.first_date, batch.last_date) {
                    (Some(first), Some(last)) => span class="period" { (first) " – " (last) },
                    _ => (absent()),
                } }
                td { a href={ "/pool/contracts/" (batch.contract) } { (batch.contract) } }
                td class="number" { (size(batch.bytes)) }
            }
        }
    };
    html! {
        (table(visit.say(texts::BATCHES), &head, &body))
        (pager(visit, "/pool", &query, page, batches.len()))
    }
}
