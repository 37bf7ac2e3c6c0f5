//! One of a trader's own declarations: where it stands, what it waits for, what happened.

use axum::extract::{Multipart, Path};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::declarations::{
    Action, CaseAction, DecisionShown, Declaration, OwnDeclaration, Progress, SentDocument, TimelineStep,
};
use customhouse::identity::Permission;
use customhouse::notifications::NotificationRow;
use customhouse::{Error, Kind};
use maud::{Markup, html};
use spine::ActorKind;

use super::fields::Typed;
use super::file::Parts;
use super::list::progress_chip;
use crate::case::until;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, csrf, facts, heading, simulated, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{count, duration, minute, texts};

/// The page.
pub(super) async fn show(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    let (own, notifications) = visit
        .work(move |house, reader| {
            let notifications = house.notifications_of(reader, &mrn)?;
            Ok((house.own_declaration(reader, &mrn)?, notifications))
        })
        .await?;
    let place = format!("/own/{}", own.mrn);
    let actions = html! {
        a class="button" href={ (place) "/receipt" } { (visit.say(texts::OWN_RECEIPT)) }
        @if matches!(own.progress, Progress::Released | Progress::Exited) { a class="button" href={ (place) "/proof/release" } download { (visit.say(texts::PROOF_OF_RELEASE)) } }
        @if own.erased.is_none() { a class="button" href={ (place) "/original" } { (visit.say(texts::OWN_ORIGINAL)) } }
    };
    let below = html! {
        code { (own.mrn) } " · " (visit.say(texts::OFFICE)) " " (own.office) " " (simulated(&visit, own.simulated))
    };
    let content = html! {
        (crumbs(&visit, &[("/own", visit.say(texts::OWN_DECLARATIONS))]))
        (heading(if own.lrn.is_empty() { &own.mrn } else { &own.lrn }, &below, &actions))
        (crate::erasures::notice(&visit, own.erased.as_ref()))
        (standing(&visit, &own))
        @if let Some(declaration) = &own.declaration { (goods(&visit, declaration)) }
        (requests(&visit, &own))
        (notified(&visit, &own.lrn, &notifications))
        (viewed_by(&visit, &own))
    };
    Ok(Page::new(&visit, Room::Own, own.lrn.as_str()).show(&content))
}

/// What software was told, each with its text.
fn notified(visit: &Visit, lrn: &str, notifications: &[NotificationRow]) -> Markup {
    html! {
        @if !notifications.is_empty() {
            section class="card" {
                h2 { (visit.say(texts::OWN_NOTIFICATIONS)) }
                p class="help" { (visit.say(texts::OWN_NOTIFICATIONS_HELP)) }
                ul class="notifications" {
                    @for own in notifications {
                        li {
                            time class="soft" datetime=(own.issued_at) { (own.issued_at.strftime("%Y-%m-%d %H:%M:%S")) }
                            a href={ "/api/v1/notifications/" (own.id) } { code { (own.function_code) @if let Some(status) = &own.status { "/" (status) } } " " (own.title) }
                            span class="soft" {
                                (visit.named("notification", &own.title.to_lowercase()))
                                // What answers a message says which.
                                @if own.reference != lrn { " · " (own.reference) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Only what moves.
pub(super) async fn moved(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    let own = visit.work(move |house, reader| house.own_declaration(reader, &mrn)).await?;
    Ok(standing(&visit, &own))
}

/// The bytes as they came.
pub(super) async fn original(visit: Visit, Path(mrn): Path<String>) -> Result<Response, Failure> {
    let (media_type, bytes) = visit
        .work({
            let mrn = mrn.clone();
            move |house, reader| house.original(reader, &mrn)
        })
        .await?;
    let extension = if media_type.contains("xml") { "xml" } else { "json" };
    let name = format!("attachment; filename=\"{mrn}.{extension}\"");
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(&media_type).unwrap_or(HeaderValue::from_static("text/plain")),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// Where it stands, what it waits for, what happened.
fn standing(visit: &Visit, own: &OwnDeclaration) -> Markup {
    html! {
        div id="standing" data-live hx-get={ "/own/" (own.mrn) "/moved" } hx-trigger="every 15s, moved" hx-swap="outerHTML" {
            p class="own-state" role="status" {
                (progress_chip(visit, own.progress)) " "
                (visit.named("progress_text", own.progress.name()))
            }
            (wanted(visit, own))
            @if !own.findings.is_empty() {
                div class={ "notice " (if own.progress == Progress::Rejected { "bad" } else { "information" }) } {
                    h2 { (visit.say(texts::OWN_NOTICED)) }
                    (super::findings_shown(visit, &own.findings))
                    @if own.progress == Progress::Rejected {
                        form method="post" action={ "/own/" (own.mrn) "/correct" } { (csrf(visit)) button class="primary" { (visit.say(texts::OWN_CORRECT)) } }
                    }
                }
            }
            section {
                h2 { (visit.say(texts::OWN_STEPS)) }
                ol class="timeline" { @for step in &own.timeline { (step_shown(visit, step)) } }
            }
        }
    }
}

fn step_shown(visit: &Visit, step: &TimelineStep) -> Markup {
    let note = match step.kind.as_str() {
        "control.completed" => visit.named("result", &step.note).to_owned(),
        "declaration.registered" => until(visit, &step.note),
        _ => step.note.clone(),
    };
    html! {
        li {
            div class="timeline-when" {
                time datetime=(step.at) { (step.at.strftime("%Y-%m-%d %H:%M:%S")) }
                @if let Some(after) = step.after_ms { span class="soft" { (visit.fill(texts::STEP_AFTER, &[("t", &duration(after))])) } }
            }
            div class="timeline-what" {
                strong { (visit.named("event", &step.kind.replace('.', "_"))) }
                @if !note.is_empty() { " " span class="note" { (note) } }
                div class="soft" {
                    @if step.actor_kind == ActorKind::Trader { (visit.say(texts::OWN_BY_YOU)) } @else { (visit.say(texts::OFFICE)) " " (step.actor) }
                }
                @if let Some(decision) = &step.decision { (decision_shown(visit, decision)) }
            }
        }
    }
}

fn decision_shown(visit: &Visit, decision: &DecisionShown) -> Markup {
    html! {
        details {
            summary { (visit.say(texts::OWN_DECISION)) }
            (facts(&[
                (visit.say(texts::REASON), html! { (visit.localized(&decision.reason)) }),
                (visit.say(texts::LEGAL_BASIS), html! { (decision.legal_basis) }),
                (visit.say(texts::HOW_TO_CONTEST), html! { (visit.localized(&decision.how_to_contest)) }),
            ]))
        }
    }
}

/// What is waited for, with the form that gives it.
fn wanted(visit: &Visit, own: &OwnDeclaration) -> Markup {
    let until = html! {
        @if let Some(until) = own.answer_by { p { (visit.say(texts::OWN_ANSWER_BY)) " " strong { time datetime=(until) { (minute(until)) " UTC" } } } }
    };
    html! {
        @if let (Some(question), true) = (&own.open_question, own.actions.contains(&Action::Answer)) {
            div class="notice warn" {
                h2 { (visit.say(texts::OWN_QUESTION)) }
                blockquote { (question) }
                (until)
                form method="post" action={ "/own/" (own.mrn) "/act" } class="stack" {
                    (taken(visit, own, "answer"))
                    label for="answer" { (visit.say(texts::OWN_YOUR_ANSWER)) }
                    textarea id="answer" name="text" rows="4" required maxlength="4000" {}
                    button class="primary" { (visit.say(texts::OWN_SEND_ANSWER)) }
                }
            }
        }
        @if own.open_documents.is_some() || (own.open_question.is_some() && own.actions.contains(&Action::SendDocuments)) {
            div class="notice warn" {
                h2 { (visit.say(texts::OWN_DOCUMENTS_WANTED)) }
                @if let Some(which) = &own.open_documents { blockquote { (which) } (until) }
                form method="post" action={ "/own/" (own.mrn) "/documents" } enctype="multipart/form-data" class="stack" {
                    (taken(visit, own, "send_documents"))
                    label for="documents" { (visit.say(texts::OWN_DOCUMENTS)) }
                    input id="documents" type="file" name="file" multiple required aria-describedby="documents-help";
                    p class="help" id="documents-help" { (visit.say(texts::OWN_DOCUMENTS_HELP)) }
                    label for="note" { (visit.say(texts::OWN_NOTE)) " " span class="required" { (visit.say(texts::OWN_OPTIONAL)) } }
                    input id="note" name="note" maxlength="1000" autocomplete="off";
                    button class="primary" { (visit.say(texts::OWN_SEND_DOCUMENTS)) }
                }
            }
        }
    }
}

/// What the trader may ask of its own accord.
fn requests(visit: &Visit, own: &OwnDeclaration) -> Markup {
    let request = |action: Action, name: &str, field: &str, word, help, button| {
        html! {
            @if own.actions.contains(&action) {
                details class="card" {
                    summary { (visit.say(word)) }
                    form method="post" action={ "/own/" (own.mrn) "/act" } class="stack" {
                        (taken(visit, own, name))
                        label for=(name) { (visit.say(help)) }
                        textarea id=(name) name=(field) rows="3" required maxlength="4000" {}
                        button { (visit.say(button)) }
                    }
                }
            }
        }
    };
    html! {
        (request(Action::Present, "present", "location", texts::OWN_PRESENT, texts::OWN_PRESENT_WHERE, texts::OWN_SEND_PRESENT))
        (request(Action::Depart, "depart", "location", texts::OWN_DEPART, texts::OWN_DEPART_WHERE, texts::OWN_SEND_DEPART))
        (request(Action::Contest, "contest", "text", texts::OWN_CONTEST, texts::OWN_CONTEST_WHY, texts::OWN_SEND_CONTEST))
        (request(Action::RequestCancel, "request_cancel", "why", texts::OWN_CANCEL, texts::OWN_CANCEL_WHY, texts::OWN_SEND_CANCEL))
    }
}

/// Token, version and action: what every form of this page carries.
fn taken(visit: &Visit, own: &OwnDeclaration, action: &str) -> Markup {
    html! {
        (csrf(visit))
        input type="hidden" name="version" value=(own.version);
        input type="hidden" name="action" value=(action);
    }
}

fn version_of(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| Failure::unreadable("the form names no version of the declaration"))
}

/// Answers, asks to cancel, or contests.
pub(super) async fn act(visit: Visit, Path(mrn): Path<String>, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::Lodge)?;
    let version = version_of(posted.text("version"))?;
    let [text, why, location] = ["text", "why", "location"].map(|name| posted.text(name).to_owned());
    let action = match posted.text("action") {
        "answer" => CaseAction::Answer { text },
        "contest" => CaseAction::Contest { text },
        "request_cancel" => CaseAction::RequestCancel { why },
        "present" => CaseAction::Present { location },
        "depart" => CaseAction::Depart { location },
        _ => return Err(Failure::unreadable("the form names nothing that can be done here")),
    };
    let place = format!("/own/{mrn}");
    visit.work(move |house, reader| house.act(reader, &mrn, version, &action)).await?;
    Ok(Redirect::to(&place))
}

/// Sends documents.
pub(super) async fn send_documents(
    visit: Visit,
    Path(mrn): Path<String>,
    parts: Multipart,
) -> Result<Redirect, Failure> {
    let parts = Parts::take(&visit, parts).await?;
    let version = version_of(parts.text("version"))?;
    let place = format!("/own/{mrn}");
    visit
        .work(move |house, reader| {
            // Whose it is not may not leave anything here.
            house.own_declaration(reader, &mrn)?;
            let note = parts.text("note").to_owned();
            let documents = parts
                .files
                .into_iter()
                .map(|(name, media_type, bytes)| {
                    let kept = house.keep_document(reader, &bytes)?;
                    Ok(SentDocument { name, media_type, sha256: kept.sha256 })
                })
                .collect::<Result<_, Error>>()?;
            house.act(reader, &mrn, version, &CaseAction::SendDocuments { note, documents })
        })
        .await?;
    Ok(Redirect::to(&place))
}

/// Begins a draft with what was lodged, to be corrected and lodged again.
pub(super) async fn correct(
    visit: Visit,
    Path(mrn): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    let draft = visit
        .work(move |house, reader| {
            let own = house.own_declaration(reader, &mrn)?;
            let declaration = own.declaration.ok_or_else(|| {
                Error::new(
                    Kind::Refused,
                    "nothing_to_correct",
                    "nothing of this declaration could be understood",
                    "Correct the file that you sent, and hand it in again.",
                )
            })?;
            house.save_draft(reader, "", Typed::from_declaration(&declaration).fields)
        })
        .await?;
    Ok(Redirect::to(&format!("/own/drafts/{}", draft.id)))
}

/// Who looked at it: role and office, nobody's name.
fn viewed_by(visit: &Visit, own: &OwnDeclaration) -> Markup {
    let head = html! {
        (th(visit, texts::WHEN_UTC, false)) (th(visit, texts::WHO, false)) (th(visit, texts::OFFICE, false)) (th(visit, texts::WHAT, false))
    };
    let body = html! {
        @for look in &own.viewings {
            tr {
                td class="period" { time datetime=(look.at) { (minute(look.at)) } }
                td { (visit.named("role", &look.role)) " · " (visit.fill(texts::OWN_PERSON_N, &[("n", &count(look.person))])) }
                td { @match &look.office { Some(office) => (office), None => (absent()) } }
                td { (visit.named("viewed", look.what.name())) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::OWN_VIEWED_BY)) }
            @if own.viewings.is_empty() { p class="soft" { (visit.say(texts::OWN_VIEWED_BY_NOBODY)) } }
            @else {
                (table(visit.say(texts::OWN_VIEWED_BY), &head, &body))
                p class="help" { (visit.say(texts::OWN_VIEWED_BY_HELP)) }
            }
        }
    }
}

fn text(value: Option<&String>) -> Markup {
    html! { @match value { Some(value) => (value), None => (absent()) } }
}

/// What was lodged.
fn goods(visit: &Visit, declaration: &Declaration) -> Markup {
    let shipment = &declaration.goods_shipment;
    let head = html! {
        (th(visit, texts::OWN_NUMBER, true)) (th(visit, texts::OWN_DESCRIPTION, false)) (th(visit, texts::OWN_CODE, false))
        (th(visit, texts::OWN_ORIGIN, false)) (th(visit, texts::OWN_VALUE, true)) (th(visit, texts::OWN_GROSS, true)) (th(visit, texts::OWN_NET, true))
    };
    let mass = |mass: Option<rust_decimal::Decimal>| html! { @match mass { Some(mass) => (mass), None => (absent()) } };
    let body = html! {
        @for (item, number) in shipment.government_agency_goods_item.iter().zip(1_u64..) {
            @let measure = &item.commodity.goods_measure;
            tr {
                td class="number" { (count(number)) }
                td { (text(item.commodity.description.as_ref())) }
                td { code { (text(item.commodity.code().as_ref())) } }
                td { (text(item.origin.first().and_then(|origin| origin.country_code.as_ref()))) }
                td class="number" { @match &item.customs_value_amount { Some(value) => { (value.amount) " " (value.currency.code()) }, None => (absent()) } }
                td class="number" { (mass(measure.gross_mass_measure)) }
                td class="number" { (mass(measure.net_net_weight_measure)) }
            }
        }
    };
    let mut pairs = vec![
        (visit.say(texts::OWN_DECLARANT), text(declaration.declarant.id.as_ref())),
        (visit.say(texts::OWN_IMPORTER), text(shipment.importer.id.as_ref())),
    ];
    if let Some(exporter) = declaration.exporter.name.as_ref().or(declaration.exporter.id.as_ref()) {
        pairs.push((visit.say(texts::OWN_EXPORTER), html! { (exporter) }));
    }
    html! {
        section {
            h2 { (visit.say(texts::OWN_LODGED_GOODS)) }
            (facts(&pairs))
            (table(visit.say(texts::OWN_LODGED_GOODS), &head, &body))
        }
    }
}
