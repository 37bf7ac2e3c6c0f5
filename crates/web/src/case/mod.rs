//! The Case page: one declaration with everything an official may see of it, what happened to it and why, and what can
//! be done now.

mod actions;
mod correct;
mod evidence;
mod findings;
mod goods;
mod replay;
mod result;
mod timeline;
mod why;

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::Kind;
use customhouse::declarations::{Action, CaseFile, TimelineStep};
use customhouse::identity::Permission;
use maud::{Markup, html};
use serde::Deserialize;

use crate::declarations::{clock, outcome_chip, state_chip};
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, facts, findings as findings_list, heading, lane_chip, simulated};
use crate::visit::{Asked, Posted, Visit};
use crate::words::{minute, size, texts};

pub(crate) use actions::next_place;
pub(crate) use evidence::RESULT_BODY_BYTES_MAX;
pub(crate) use replay::{show as replay, start as start_replay};
pub(crate) use result::{form as result_form, record as record_result};
pub(crate) use timeline::until;

/// Somebody else was faster: what was last seen, so that the page can tell what happened since.
struct Conflict {
    seen: u64,
}

/// One declaration.
pub(crate) async fn show(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    let case = visit.work(move |house, reader| house.case(reader, &mrn)).await?;
    Ok(page(&visit, &case, None))
}

fn page(visit: &Visit, case: &CaseFile, conflict: Option<&Conflict>) -> Markup {
    let mrn = &case.row.mrn;
    let content = html! {
        (crumbs(visit, &[("/declarations", visit.say(texts::DECLARATIONS))]))
        (head(visit, case))
        (crate::erasures::notice(visit, case.erased.as_ref()))
        @if let Some(conflict) = conflict { (conflict_notice(visit, case, conflict)) }
        @if case.row.batch.is_none() { (watch(case)) }
        (actions::panel(visit, case))
        @if let Some(batch) = &case.row.batch { (from_history(visit, batch)) }
        div class="case" {
            div class="case-goods" {
                (goods::shown(visit, case))
                @if !case.findings.is_empty() {
                    section { h2 { (visit.say(texts::NOTICED_ON_ARRIVAL)) } (findings_list(visit, &case.findings)) }
                }
            }
            div class="case-why" {
                (why::shown(visit, case))
                (controls(visit, case))
            }
        }
        (timeline::shown(visit, case))
    };
    Page::new(visit, Room::Declarations, mrn.as_str()).show(&content)
}

fn head(visit: &Visit, case: &CaseFile) -> Markup {
    let row = &case.row;
    let below = html! {
        span class="case-line" {
            @if let Some(lane) = row.lane { (lane_chip(visit, lane)) }
            @if let Some(state) = row.state { (state_chip(visit, state)) }
            @if row.inspected == Some(true) { (outcome_chip(visit, row)) }
            (simulated(visit, row.simulated))
            span class="clock" { (clock_of(visit, case)) }
        }
        span class="case-line" {
            (visit.say(texts::OFFICE)) ": " (row.office)
            @if !row.lrn.is_empty() { " · " (visit.say(texts::LRN)) ": " (row.lrn) }
            @if let Some(importer) = &row.importer { " · " (visit.say(texts::IMPORTER)) ": " a href={ "/entities/" (importer) } { (importer) } }
        }
    };
    let bytes = html! {
        @if visit.may(Permission::ViewPlans) && row.lane.is_some() && row.batch.is_none() {
            a class="button" href={ "/declarations/" (row.mrn) "/replay" } { (visit.say(texts::THEN_AND_NOW)) }
        }
        @if let Some(original) = &case.original {
            a class="button" href={ "/declarations/" (row.mrn) "/original" } download { (visit.say(texts::AS_THEY_CAME)) " (" (size(original.bytes)) ")" }
        }
    };
    heading(&row.mrn, &below, &bytes)
}

/// How long it has waited, or how long it took.
fn clock_of(visit: &Visit, case: &CaseFile) -> Markup {
    let row = &case.row;
    html! {
        (visit.say(texts::LODGED)) " " time datetime=(row.lodged_at) { (minute(row.lodged_at)) } " UTC"
        @if row.batch.is_none() {
            " · "
            @match row.released_at.or_else(|| actions::ended_at(case)) {
                Some(until) => (visit.fill(texts::TOOK, &[("t", &clock(row.lodged_at, until))])),
                None => strong { (visit.fill(texts::WAITS_SINCE, &[("t", &clock(row.lodged_at, visit.house().now()))])) },
            }
        }
    }
}

fn from_history(visit: &Visit, batch: &str) -> Markup {
    html! {
        div class="notice information" {
            p { (visit.say(texts::FROM_HISTORY)) }
            p { a href={ "/pool/batches/" (batch) } { (visit.say(texts::TO_THE_POOL_BATCH)) } }
        }
    }
}

/// Asks when something moved, and every few seconds, whether the case has moved on, and says so without taking anything away.
fn watch(case: &CaseFile) -> Markup {
    let place = format!("/declarations/{}/moved?version={}", case.row.mrn, case.version);
    html! {
        div id="moved" aria-live="polite" data-live
            hx-get=(place) hx-trigger="every 5s, moved" hx-swap="outerHTML" {}
    }
}

/// The version that was looked at.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct MovedQuery {
    #[serde(default)]
    version: u64,
}

/// A word that the case has moved on; nothing where it has not.
pub(crate) async fn moved(
    visit: Visit,
    Path(mrn): Path<String>,
    Asked(asked): Asked<MovedQuery>,
) -> Result<Response, Failure> {
    let place = format!("/declarations/{mrn}");
    let case = visit.work(move |house, reader| house.case_unseen(reader, &mrn)).await?;
    if case.version <= asked.version {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let said = html! {
        div id="moved" class="notice information" role="status" {
            p { (visit.say(texts::CASE_MOVED_ON)) " " a href=(place) { (visit.say(texts::CASE_SHOW_PRESENT)) } }
        }
    };
    Ok(said.into_response())
}

fn conflict_notice(visit: &Visit, case: &CaseFile, conflict: &Conflict) -> Markup {
    let since: Vec<&TimelineStep> =
        case.timeline.iter().filter(|step| step.position > conflict.seen).collect();
    html! {
        div class="notice warn" role="alert" {
            h2 { (visit.say(if since.is_empty() { texts::COULD_NOT_BE_DONE } else { texts::CONFLICT_TITLE })) }
            @if !since.is_empty() {
                p { (visit.say(texts::CONFLICT_TEXT)) }
                ul { @for step in since { li { (timeline::in_a_line(visit, step)) } } }
            }
            p { (visit.say(texts::CONFLICT_WAY_ON)) }
        }
    }
}

/// The control or audit that is open or was completed.
fn controls(visit: &Visit, case: &CaseFile) -> Markup {
    html! {
        @for (title, control) in [(texts::CONTROL, &case.control), (texts::AUDIT_AFTER_RELEASE, &case.audit)] {
            @if let Some(control) = control {
                section {
                    h2 { (visit.say(title)) }
                    (facts(&[
                        (visit.say(texts::KIND), html! { (visit.named("control", control.kind.name())) }),
                        (visit.say(texts::DUE), html! {
                            time datetime=(control.due_at) { (minute(control.due_at)) } " UTC"
                            @if control.overdue { " " (crate::view::chip("bad", visit.say(texts::OVERDUE))) }
                        }),
                        (visit.say(texts::TAKEN_BY), html! {
                            @match control.officer_name.as_ref().or(control.officer.as_ref()) { Some(name) => (name), None => span class="soft" { (visit.say(texts::NOBODY)) } }
                        }),
                    ]))
                    @match &control.result {
                        Some(result) => (findings::shown(visit, case, result)),
                        None => {
                            @if !control.look_for.is_empty() { h3 { (visit.say(texts::LOOK_FOR)) } }
                            (findings::look_for(visit, &control.look_for))
                        },
                    }
                }
            }
        }
    }
}

/// The bytes as they came.
pub(crate) async fn original(visit: Visit, Path(mrn): Path<String>) -> Result<Response, Failure> {
    let name = safe_name(&mrn);
    let (media_type, bytes) = visit.work(move |house, reader| house.original(reader, &mrn)).await?;
    let extension = if media_type.contains("json") { "json" } else { "xml" };
    let disposition = format!("attachment; filename=\"{name}.{extension}\"");
    Ok((attachment(&media_type, &disposition), bytes).into_response())
}

fn safe_name(mrn: &str) -> String {
    mrn.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Does what was chosen. Where somebody else was faster, says what happened and shows the case as it stands.
pub(crate) async fn act(visit: Visit, Path(mrn): Path<String>, posted: Posted) -> Result<Response, Failure> {
    visit.require(Permission::Examine)?;
    let number = |name: &str| {
        posted
            .text(name)
            .parse::<u64>()
            .map_err(|_| Failure::unreadable("the form does not say what was looked at"))
    };
    let (version, seen) = (number("version")?, number("seen")?);
    let chosen = if posted.text("action") == Action::Correct.name() {
        let mrn = mrn.clone();
        let case = visit.work(move |house, reader| house.case_unseen(reader, &mrn)).await?;
        correct::read(&posted, &case.declaration.unwrap_or_default())?
    } else {
        actions::read(&posted)?
    };
    let place = actions::next_place(&posted, &mrn);
    let acted = {
        let mrn = mrn.clone();
        visit.work(move |house, reader| house.act(reader, &mrn, version, &chosen)).await
    };
    answered(&visit, mrn, seen, acted, &place).await
}

/// Goes on where it went well; tells what happened where somebody else was faster.
pub(crate) async fn answered(
    visit: &Visit,
    mrn: String,
    seen: u64,
    acted: Result<u64, Failure>,
    place: &str,
) -> Result<Response, Failure> {
    match acted {
        Ok(_) => Ok(Redirect::to(place).into_response()),
        Err(Failure::Refused(error)) if matches!(error.kind, Kind::Conflict | Kind::Refused) => {
            let case = visit.work(move |house, reader| house.case(reader, &mrn)).await?;
            let page = page(visit, &case, Some(&Conflict { seen }));
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(failure) => Err(failure),
    }
}

/// A photo or document that came with a result or from the trader.
pub(crate) async fn document(
    visit: Visit,
    Path((mrn, sha256)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let found = visit.work(move |house, reader| house.case_document(reader, &mrn, &sha256)).await?;
    let extension = match found.media_type.as_str() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        "application/pdf" => "pdf",
        _ => "bin",
    };
    let disposition = format!("attachment; filename=\"{}.{extension}\"", crate::words::short(&found.sha256));
    Ok((attachment(&found.media_type, &disposition), found.bytes).into_response())
}

pub(crate) fn attachment(media_type: &str, disposition: &str) -> [(HeaderName, HeaderValue); 2] {
    let plain = HeaderValue::from_static("application/octet-stream");
    [
        (header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap_or(plain)),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(disposition).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ]
}

/// A value, or that there is none.
fn known(value: Option<&str>) -> Markup {
    html! { @match value { Some(value) => (value), None => (absent()) } }
}
