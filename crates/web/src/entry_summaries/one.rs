//! One of them: what it says, what was exchanged, and an intervention.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::entry_summary::{EntryState, EntrySummaryFile, EntrySummaryMessage, EntrySummaryRecord};
use customhouse::identity::Permission;
use maud::{Markup, html};

use super::{OFFICIAL, OWN, Side, state_chip, stated_moment};
use crate::case::attachment;
use crate::failure::Failure;
use crate::shell::Page;
use crate::view::{absent, crumbs, csrf, facts, findings, heading, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{count, minute, texts};

/// Any, for officials.
pub(super) async fn any(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    visit.require(Permission::ViewDeclarations)?;
    show(&visit, OFFICIAL, mrn).await
}

/// A trader's own.
pub(super) async fn own(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    visit.require(Permission::ViewOwn)?;
    show(&visit, OWN, mrn).await
}

async fn show(visit: &Visit, side: Side, mrn: String) -> Result<Markup, Failure> {
    let file = visit.work(move |house, reader| house.entry_summary_file(reader, &mrn)).await?;
    let record = &file.record;
    let title = record.lrn.as_deref().unwrap_or(&record.mrn).to_owned();
    let below = html! {
        (state_chip(visit, record.state))
        @if record.registered_at.is_some() { " " code { (record.mrn) } }
        " · " (visit.say(texts::ENTRY_CAME)) " " time datetime=(record.came_at) { (minute(record.came_at)) } " UTC"
    };
    let way = if side.own {
        vec![("/own", visit.say(texts::OWN_DECLARATIONS)), (side.path, visit.say(texts::ENTRY_SUMMARIES))]
    } else {
        vec![(side.path, visit.say(texts::ENTRY_SUMMARIES))]
    };
    let content = html! {
        (crumbs(visit, &way))
        (heading(&title, &below, &html! {}))
        @if let Some(ordered) = &record.intervention {
            div class="notice warn" {
                p { strong { (visit.say(texts::ENTRY_INTERVENTION)) } " " code { (ordered.code) } " · " time datetime=(ordered.at) { (minute(ordered.at)) } " UTC" }
                blockquote { (ordered.text) }
            }
        }
        (stated(visit, record))
        section aria-labelledby="messages" {
            h2 id="messages" { (visit.say(texts::ENTRY_MESSAGES)) }
            (messages(visit, side, &file))
        }
        @if !side.own && record.state == EntryState::Accepted && visit.may(Permission::Examine) { (intervention(visit, record)) }
    };
    Ok(Page::new(visit, side.room, title.as_str()).show(&content))
}

fn stated(visit: &Visit, record: &EntrySummaryRecord) -> Markup {
    let known = |text: Option<&str>| html! { @match text { Some(text) => (text), None => (absent()) } };
    let mode = record.transport_mode.as_deref().map(|code| visit.named("entry_mode", code));
    let arrival = record.expected_arrival.as_deref().map(stated_moment);
    facts(&[
        (visit.say(texts::ENTRY_PERSON), known(record.lodging_person.as_deref())),
        (visit.say(texts::ENTRY_REPRESENTATIVE), known(record.representative.as_deref())),
        (visit.named("party", "carrier"), known(record.carrier.as_deref())),
        (visit.say(texts::ENTRY_OFFICE), known(record.first_entry_office.as_deref())),
        (visit.say(texts::ENTRY_ARRIVAL), known(arrival.as_deref())),
        (visit.say(texts::ENTRY_MODE), known(mode)),
        (visit.say(texts::ITEMS), html! { (count(record.items.into())) }),
        (
            visit.say(texts::ENTRY_REGISTERED),
            html! {
                @match record.registered_at { Some(at) => { time datetime=(at) { (minute(at)) } " UTC" }, None => (absent()) }
            },
        ),
        (visit.say(texts::ENTRY_AMENDMENTS), html! { (count(record.amendments.into())) }),
    ])
}

fn messages(visit: &Visit, side: Side, file: &EntrySummaryFile) -> Markup {
    let head = html! {
        (th(visit, texts::WHEN_UTC, false)) (th(visit, texts::ENTRY_WAY, false)) (th(visit, texts::ENTRY_MESSAGE, false))
        (th(visit, texts::ENTRY_MESSAGE_ID, false)) (th(visit, texts::ENTRY_AS_SENT, false))
    };
    let row = |own: &EntrySummaryMessage| {
        let place = format!("{}/{}/messages/{}", side.path, file.record.mrn, own.number);
        html! {
            tr {
                td class="period" { time datetime=(own.at) { (own.at.strftime("%Y-%m-%d %H:%M:%S")) } }
                td { (visit.named("entry_way", if own.incoming { "in" } else { "out" })) }
                td { code { (own.message_type) } " " (visit.named("entry_message", &own.message_type)) }
                td { @match &own.message_id { Some(id) => code { (id) }, None => (absent()) } }
                td { a href=(place) download aria-label={ "XML " (own.message_type) " " (own.number) } { "XML" } }
            }
            @if !own.findings.is_empty() { tr { td colspan="5" { (findings(visit, &own.findings)) } } }
        }
    };
    let body = html! { @for own in &file.messages { (row(own)) } };
    table(visit.say(texts::ENTRY_MESSAGES), &head, &body)
}

fn intervention(visit: &Visit, record: &EntrySummaryRecord) -> Markup {
    html! {
        details class="card" {
            summary { (visit.say(texts::ENTRY_STOP)) }
            form method="post" action={ (OFFICIAL.path) "/" (record.mrn) "/intervention" } class="stack" {
                (csrf(visit))
                p class="help" { (visit.say(texts::ENTRY_STOP_HELP)) }
                label for="code" { (visit.say(texts::ENTRY_STOP_CODE)) }
                input id="code" name="code" required maxlength="4" autocomplete="off" spellcheck="false";
                label for="text" { (visit.say(texts::ENTRY_STOP_TEXT)) }
                textarea id="text" name="text" rows="3" required maxlength="350" {}
                button class="primary" { (visit.say(texts::ENTRY_STOP)) }
            }
        }
    }
}

/// Orders an intervention.
pub(super) async fn intervene(
    visit: Visit,
    Path(mrn): Path<String>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    let (code, text) = (posted.text("code").to_owned(), posted.text("text").to_owned());
    let place = format!("{}/{mrn}", OFFICIAL.path);
    visit.work(move |house, reader| house.order_intervention(reader, &mrn, &code, &text)).await?;
    Ok(Redirect::to(&place))
}

/// A message as it was sent.
pub(super) async fn message(
    visit: Visit,
    Path((mrn, number)): Path<(String, u32)>,
) -> Result<Response, Failure> {
    let name: String = mrn.chars().filter(char::is_ascii_alphanumeric).collect();
    let found = visit.work(move |house, reader| house.entry_summary_message(reader, &mrn, number)).await?;
    let (message_type, bytes) = found;
    let disposition = format!("attachment; filename=\"{name}-{number}-{message_type}.xml\"");
    Ok((attachment("application/xml", &disposition), bytes).into_response())
}
