//! The list itself.

use customhouse::declarations::{
    DeclarationRow, DeclarationsPage, DeclarationsQuery, Lane, SavedView, State,
};
use customhouse::{Customhouse, Error, identity::Reader};
use jiff::Timestamp;
use maud::{Markup, html};
use spine::FieldType;

use super::ask::{Ask, Column, PATH, may_see_restricted};
use super::views;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{Order, PAGE_ROWS, absent, chip, empty, heading, lane_chip, simulated, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, duration, minute, short, texts, value};

/// Tags offered for the filter.
const TAGS_OFFERED_MAX: usize = 200;

/// What the page shows.
struct Shown {
    page: DeclarationsPage,
    views: Vec<SavedView>,
    offices: Vec<String>,
    tags: Vec<(String, spine::LocalizedText)>,
}

fn read(house: &Customhouse, reader: &Reader, query: &DeclarationsQuery) -> Result<Shown, Error> {
    let page = house.find_declarations(reader, query)?;
    let catalogue = house.tag_catalogue(reader)?;
    let tags = catalogue.families.into_iter().flat_map(|family| family.tags);
    Ok(Shown {
        page,
        views: house.views(reader)?,
        offices: house.offices()?,
        tags: tags.take(TAGS_OFFERED_MAX).map(|tag| (tag.id, tag.title)).collect(),
    })
}

/// The list.
pub(crate) async fn list(
    visit: Visit,
    Asked(query): Asked<DeclarationsQuery>,
    Asked(pairs): Asked<Vec<(String, String)>>,
) -> Result<Markup, Failure> {
    let ask = Ask::read(&visit, query, &pairs);
    let query = ask.query.clone();
    let shown = visit.work(move |house, reader| read(house, reader, &query)).await?;
    let below = html! { strong id="count" { (counted(&visit, &shown.page)) } " " (simulated(&visit, shown.page.simulated)) };
    let actions = html! {
        (columns_menu(&visit, &ask))
        (views::keep(&visit, &ask))
        a class="button" href=(ask.place("/declarations.csv", &[])) download { (visit.say(texts::EXPORT_CSV)) }
    };
    let content = html! {
        (heading(visit.say(texts::DECLARATIONS), &below, &actions))
        (views::shown(&visit, &ask, &shown.views))
        (filters(&visit, &ask, &shown))
        @if shown.page.rows.is_empty() { (nothing(&visit, &ask)) } @else {
            (rows(&visit, &ask, &shown.page))
            (pages(&visit, &ask, &shown.page))
        }
    };
    Ok(Page::new(&visit, Room::Declarations, visit.say(texts::DECLARATIONS)).show(&content))
}

/// How many there are, always said.
fn counted(visit: &Visit, page: &DeclarationsPage) -> String {
    let text = if page.total_is_at_least { texts::DECLARATIONS_MORE_THAN } else { texts::COUNT_IN_ALL };
    visit.fill(text, &[("n", &count(page.total))])
}

fn nothing(visit: &Visit, ask: &Ask) -> Markup {
    if ask.narrowed() {
        let clear = html! { a class="button" href=(PATH) { (visit.say(texts::CLEAR_FILTERS)) } };
        empty(visit.say(texts::NO_DECLARATION_MATCHES), visit.say(texts::NO_DECLARATION_MATCHES_TEXT), &clear)
    } else {
        let ways = html! { a class="button" href="/help" { (visit.say(texts::HELP_AND_KEYS)) } };
        empty(visit.say(texts::NO_DECLARATIONS), visit.say(texts::NO_DECLARATIONS_TEXT), &ways)
    }
}

fn choice(label: &str, name: &str, chosen: &str, all: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        label {
            (label)
            select name=(name) {
                option value="" { (all) }
                @for (value, word) in choices { option value=(value) selected[*value == chosen] { (word) } }
            }
        }
    }
}

fn field(label: &str, name: &str, written: &str, hint: &str) -> Markup {
    html! { label { (label) input name=(name) value=(written) placeholder=(hint) autocomplete="off" spellcheck="false"; } }
}

fn filters(visit: &Visit, ask: &Ask, shown: &Shown) -> Markup {
    let query = &ask.query;
    let all = visit.say(texts::ALL);
    let offices: Vec<(&str, &str)> =
        shown.offices.iter().map(|office| (office.as_str(), office.as_str())).collect();
    let named = |family: &str, names: &[&'static str]| -> Vec<(&'static str, &'static str)> {
        names.iter().map(|name| (*name, visit.named(family, name))).collect()
    };
    let lanes: Vec<&'static str> = Lane::ALL.iter().map(|lane| lane.name()).collect();
    let states: Vec<&'static str> = State::ALL.iter().map(|state| state.name()).collect();
    let further = [
        &query.party,
        &query.commodity,
        &query.origin,
        &query.tag,
        &query.outcome,
        &query.source,
        &query.arm,
    ];
    html! {
        form class="filters" method="get" action=(PATH) role="search" aria-label=(visit.say(texts::FILTER)) {
            label class="wide" {
                (visit.say(texts::SEARCH)) input type="search" name="q" value=(query.q) placeholder=(visit.say(texts::SEARCH_DECLARATIONS_HINT)) autocomplete="off" spellcheck="false";
            }
            (choice(visit.say(texts::OFFICE), "office", &query.office, all, &offices))
            (choice(visit.say(texts::LANE), "lane", &query.lane, all, &named("lane", &lanes)))
            (choice(visit.say(texts::STATE), "state", &query.state, all, &named("case_state", &states)))
            label { (visit.say(texts::LODGED_FROM)) input type="date" name="from" value=(query.from); }
            label { (visit.say(texts::LODGED_TO)) input type="date" name="to" value=(query.to); }
            div class="actions" {
                button { (visit.say(texts::APPLY)) }
                @if ask.narrowed() { a href=(ask.widened()) { (visit.say(texts::CLEAR_FILTERS)) } }
            }
            details class="further" open[further.iter().any(|value| !value.is_empty())] {
                summary { (visit.say(texts::MORE_FILTERS)) }
                div class="filters" {
                    (field(visit.say(texts::PARTY), "party", &query.party, ""))
                    (field(visit.say(texts::COMMODITY_CODE), "commodity", &query.commodity, "8528"))
                    (field(visit.say(texts::COUNTRY_OF_ORIGIN), "origin", &query.origin, "CN"))
                    label {
                        (visit.say(texts::TAG)) input name="tag" value=(query.tag) list="tags-offered" autocomplete="off" spellcheck="false";
                    }
                    datalist id="tags-offered" { @for (id, title) in &shown.tags { option value=(id) { (visit.localized(title)) } } }
                    (choice(visit.say(texts::OUTCOME), "outcome", &query.outcome, all, &named("outcome", &["irregular", "conform", "inspected", "unknown"])))
                    (choice(visit.say(texts::CAME_FROM), "source", &query.source, all, &named("source", &["live", "history"])))
                    @if may_see_restricted(visit) {
                        (choice(visit.say(texts::ARM), "arm", &query.arm, all, &named("arm", &["hard_rule", "score", "random", "none"])))
                    }
                }
            }
            @for (name, value) in [("sort", query.sort.as_str()), ("columns", &ask.columns_named()), ("density", ask.density())] {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
        }
    }
}

fn columns_menu(visit: &Visit, ask: &Ask) -> Markup {
    html! {
        details class="menu" {
            summary class="button" { (visit.say(texts::COLUMNS)) }
            div class="menu-panel" {
                form method="get" action=(PATH) class="stack" {
                    @for (name, value) in ask.narrowing().into_iter().chain([("sort", ask.query.sort.as_str())]) {
                        @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
                    }
                    fieldset class="plain choices" {
                        legend class="unseen" { (visit.say(texts::COLUMNS)) }
                        @for column in Ask::choices(visit) {
                            label { input type="checkbox" name="column" value=(column.name()) checked[ask.columns.contains(&column)]; " " (visit.say(column.word())) }
                        }
                    }
                    label { input type="checkbox" name="density" value="compact" checked[ask.compact]; " " (visit.say(texts::ROWS_CLOSE_TOGETHER)) }
                    button { (visit.say(texts::APPLY)) }
                }
            }
        }
    }
}

fn rows(visit: &Visit, ask: &Ask, page: &DeclarationsPage) -> Markup {
    let columns = ask.columns_named();
    let mut query = ask.narrowing().to_vec();
    query.extend([("columns", columns.as_str()), ("density", ask.density())]);
    let sort = if ask.query.sort.is_empty() { "-lodged" } else { &ask.query.sort };
    let order = Order { sort, path: PATH, query: &query };
    let head = html! {
        (order.head(visit, "mrn", texts::DECLARATION, false))
        @for column in &ask.columns {
            @match column.sort() {
                Some(key) => (order.head(visit, key, column.word(), column.number())),
                None => th scope="col" class=[column.number().then_some("number")] { (visit.say(column.word())) },
            }
        }
    };
    let now = visit.house().now();
    let body = html! {
        @for row in &page.rows {
            tr {
                td { a class="reference" href={ "/declarations/" (row.mrn) } { (row.mrn) } " " (simulated(visit, row.simulated && !page.simulated)) }
                @for column in &ask.columns { td class=[column.number().then_some("number")] { (cell(visit, *column, row, now)) } }
            }
        }
    };
    html! { div class=(if ask.compact { "dense" } else { "rows" }) { (table(visit.say(texts::DECLARATIONS), &head, &body)) } }
}

fn text(known: Option<&String>) -> Markup {
    html! { @match known { Some(known) => (known), None => (absent()) } }
}

fn party(known: Option<&String>) -> Markup {
    html! { @match known { Some(id) => a href={ "/entities/" (id) } { (id) }, None => (absent()) } }
}

fn cell(visit: &Visit, column: Column, row: &DeclarationRow, now: Timestamp) -> Markup {
    match column {
        Column::Lane => {
            html! { @match row.lane { Some(lane) => (lane_chip(visit, lane)), None => (absent()) } }
        }
        Column::State => {
            html! { @match row.state { Some(state) => (state_chip(visit, state)), None => (absent()) } }
        }
        Column::Lodged => {
            html! { time datetime=(row.lodged_at) { (minute(row.lodged_at)) } @if row.released_at.is_none() && row.batch.is_none() { div class="soft" { (clock(row.lodged_at, now)) } } }
        }
        Column::Released => {
            html! { @match row.released_at { Some(at) => time datetime=(at) { (minute(at)) }, None => (absent()) } }
        }
        Column::Office => html! { (row.office) },
        Column::Importer => party(row.importer.as_ref()),
        Column::Exporter => party(row.exporter.as_ref()),
        Column::Declarant => party(row.declarant.as_ref()),
        Column::Goods => html! {
            @match &row.description { Some(words) => span class="goods" { (words) }, None => (absent()) }
            @if let Some(code) = &row.commodity { " " code { (code) } }
        },
        Column::Origin => text(row.origin.as_ref()),
        Column::Items => html! { (count(u64::from(row.items))) },
        Column::Value => amount(row.value.as_deref(), row.currency.as_deref()),
        Column::Score => html! { @match row.score { Some(score) => (score), None => (absent()) } },
        Column::Arm => {
            html! { @match row.arm { Some(arm) => (visit.named("arm", arm.name())), None => (absent()) } }
        }
        Column::Outcome => outcome_chip(visit, row),
        Column::Reference => html! { @if row.lrn.is_empty() { (absent()) } @else { (row.lrn) } },
        Column::Officer => {
            html! { @match &row.officer { Some(officer) => (short(officer)), None => (absent()) } }
        }
    }
}

/// An amount with its currency.
pub(crate) fn amount(known: Option<&str>, currency: Option<&str>) -> Markup {
    html! {
        @match known {
            Some(known) => { (value(known, FieldType::Decimal)) " " span class="soft" { (currency.unwrap_or_default()) } },
            None => (absent()),
        }
    }
}

/// Time gone by.
pub(crate) fn clock(since: Timestamp, until: Timestamp) -> String {
    duration(u64::try_from(until.duration_since(since).as_millis()).unwrap_or(0))
}

/// Where a declaration stands, as a word.
pub(crate) fn state_chip(visit: &Visit, state: State) -> Markup {
    let class = match state {
        State::Released | State::Cleared | State::Exited => "good",
        State::Rejected | State::Detained => "bad",
        _ => "plain",
    };
    chip(class, visit.named("case_state", state.name()))
}

/// What an inspection found; what was never inspected is unknown.
pub(crate) fn outcome_chip(visit: &Visit, row: &DeclarationRow) -> Markup {
    match (row.inspected, row.irregular) {
        (Some(true), Some(true)) => chip("bad", visit.named("outcome", "irregular")),
        (Some(true), Some(false)) => chip("good", visit.named("outcome", "conform")),
        (Some(true), None) => chip("plain", visit.named("outcome", "inspected")),
        (Some(false) | None, _) => html! { span class="soft" { (visit.named("outcome", "unknown")) } },
    }
}

/// Some declarations in few columns, on the page of something else; `outcome` says what became of each.
pub(crate) fn in_few_columns(
    visit: &Visit,
    label: &str,
    rows: &[DeclarationRow],
    outcome: impl Fn(&DeclarationRow) -> Markup,
) -> Markup {
    let head = html! {
        (th(visit, texts::DECLARATION, false)) (th(visit, texts::LANE, false)) (th(visit, texts::LODGED, true))
        (th(visit, texts::OFFICE, false)) (th(visit, texts::GOODS, false)) (th(visit, texts::OUTCOME, false))
    };
    let body = html! {
        @for row in rows {
            tr {
                td { a href={ "/declarations/" (row.mrn) } { code { (row.mrn) } } }
                td { @match row.lane { Some(lane) => (lane_chip(visit, lane)), None => (absent()) } }
                td class="number period" { (minute(row.lodged_at)) }
                td { (row.office) }
                td { @match (&row.description, &row.commodity) { (Some(text), _) => (text), (None, Some(code)) => code { (code) }, _ => (absent()) } }
                td { (outcome(row)) }
            }
        }
    };
    table(label, &head, &body)
}

/// Ways to the other pages. Where counting stopped, there is no last page to name.
fn pages(visit: &Visit, ask: &Ask, page: &DeclarationsPage) -> Markup {
    let here = ask.page();
    let total = usize::try_from(page.total).unwrap_or(usize::MAX);
    let last = total.div_ceil(PAGE_ROWS).max(1);
    let to = |page: usize| ask.place(PATH, &[("page", &page.to_string())]);
    let further = here < last || (page.total_is_at_least && page.rows.len() >= PAGE_ROWS);
    html! {
        nav class="pager" aria-label=(visit.say(texts::PAGES_OF_LIST)) {
            span { (counted(visit, page)) }
            @if here > 1 { a href=(to(here.saturating_sub(1))) rel="prev" { (visit.say(texts::PREVIOUS)) } }
            @if last > 1 {
                span {
                    @if page.total_is_at_least { (visit.fill(texts::PAGE_NUMBER, &[("page", &here.to_string())])) }
                    @else { (visit.fill(texts::PAGE_OF, &[("page", &here.to_string()), ("pages", &last.to_string())])) }
                }
            }
            @if further { a href=(to(here.saturating_add(1))) rel="next" { (visit.say(texts::NEXT)) } }
        }
    }
}
