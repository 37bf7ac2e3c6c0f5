//! Erasures: what was erased, when, under which basis; ordering one, and approving another's.

use axum::extract::Path;
use axum::response::Redirect;
use customhouse::declarations::Erased;
use customhouse::erasure::{Erasure, ErasureRequest, ErasureState, Subject};
use customhouse::identity::Permission;
use maud::{Markup, html};

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, csrf, empty, heading, place, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{count, minute, short, texts};

const PATH: &str = "/erasures";
/// Whoever ordered one sees it in the list after this time at the latest.
const SHOWN_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// The list, with the form that orders one.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let erasures = visit.work(|house, reader| house.erasures(reader)).await?;
    let content = html! {
        (heading(visit.say(texts::ERASURES), &html! { (visit.say(texts::ERASURES_INTRODUCTION)) }, &html! {}))
        @if erasures.is_empty() { (empty(visit.say(texts::NO_ERASURES), visit.say(texts::NO_ERASURES_TEXT), &html! {})) }
        @else { (rows(&visit, &erasures)) }
        @if visit.may(Permission::Erase) {
            @for erasure in erasures.iter().filter(|own| own.state == ErasureState::Ordered) { (approval(&visit, erasure)) }
            (order_form(&visit))
        }
    };
    Ok(Page::new(&visit, Room::Erasures, visit.say(texts::ERASURES)).show(&content))
}

fn rows(visit: &Visit, erasures: &[Erasure]) -> Markup {
    let head = html! {
        (th(visit, texts::ID, false)) (th(visit, texts::ERASURE_OF, false)) (th(visit, texts::LEGAL_BASIS, false)) (th(visit, texts::STATE, false))
        (th(visit, texts::ERASURE_DONE_AT, false)) (th(visit, texts::ERASURE_EVENTS, true)) (th(visit, texts::ERASURE_BLOBS, true)) (th(visit, texts::ERASURE_ROWS, true))
    };
    let body = html! {
        @for own in erasures {
            tr {
                td { a href=(place("/journal", &[("stream", &format!("erasure/{}", own.id))])) { code { (own.id) } } }
                td { (visit.named("erasure_of", &own.subject_kind)) " " code class="soft" title=(own.subject) { (short(&own.subject)) } }
                td { (own.basis) @if !own.reason.is_empty() { div class="soft" { (own.reason) } } }
                td { (chip(if own.state == ErasureState::Done { "plain" } else { "warn" }, visit.named("erasure", own.state.name()))) }
                td class="period" { @match own.done_at { Some(at) => (minute(at)), None => (absent()) } }
                td class="number" { (count(own.counts.events)) }
                td class="number" { (count(own.counts.blobs)) }
                td class="number" { (count(own.counts.pool_rows)) }
            }
        }
    };
    table(visit.say(texts::ERASURES), &head, &body)
}

/// Whom it is about, to be written by both people.
fn subject_fields(visit: &Visit, id: &str) -> Markup {
    html! {
        label for={ "kind-" (id) } { (visit.say(texts::ERASURE_OF)) }
        select id={ "kind-" (id) } name="kind" {
            @for kind in ["party", "declaration"] { option value=(kind) { (visit.named("erasure_of", kind)) } }
        }
        label for={ "subject-" (id) } { (visit.say(texts::ERASURE_SUBJECT)) }
        input id={ "subject-" (id) } name="subject" required maxlength="200" autocomplete="off" spellcheck="false";
    }
}

fn approval(visit: &Visit, erasure: &Erasure) -> Markup {
    html! {
        details class="card" {
            summary { (visit.fill(texts::ERASURE_APPROVE, &[("id", &erasure.id)])) }
            p { (visit.say(texts::ERASURE_APPROVE_HELP)) }
            form class="stack" method="post" action={ (PATH) "/" (erasure.id) "/approve" } {
                (csrf(visit))
                (subject_fields(visit, &erasure.id))
                button class="primary" { (visit.say(texts::ERASURE_CARRY_OUT)) }
            }
            form class="stack" method="post" action={ (PATH) "/" (erasure.id) "/withdraw" } {
                (csrf(visit))
                button { (visit.say(texts::ERASURE_WITHDRAW)) }
            }
        }
    }
}

fn order_form(visit: &Visit) -> Markup {
    html! {
        details class="card" {
            summary { (visit.say(texts::ERASURE_ORDER)) }
            p { (visit.say(texts::ERASURE_ORDER_HELP)) }
            form class="stack" method="post" action=(PATH) {
                (csrf(visit))
                (subject_fields(visit, "new"))
                label for="basis" { (visit.say(texts::LEGAL_BASIS)) }
                input id="basis" name="basis" required maxlength="500" autocomplete="off";
                label for="reason" { (visit.say(texts::REASON)) }
                input id="reason" name="reason" required maxlength="500" autocomplete="off";
                button { (visit.say(texts::ERASURE_ORDER)) }
            }
        }
    }
}

fn subject_of(posted: &Posted) -> Result<Subject, Failure> {
    Subject::of_kind(posted.text("kind"), posted.text("subject"))
        .ok_or_else(|| Failure::unreadable("the form does not say whom it is about"))
}

/// Orders one.
pub(crate) async fn order(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::Erase)?;
    let request = ErasureRequest {
        subject: subject_of(&posted)?,
        basis: posted.text("basis").to_owned(),
        reason: posted.text("reason").to_owned(),
    };
    visit
        .work(move |house, reader| {
            let ordered = house.order_erasure(reader, &request)?;
            let _ = house.wait_until_shown(house.journal_position(), SHOWN_WITHIN);
            Ok(ordered)
        })
        .await?;
    Ok(Redirect::to(PATH))
}

/// Approves one that another ordered, and has it carried out in the background.
pub(crate) async fn approve(
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    visit.require(Permission::Erase)?;
    let subject = subject_of(&posted)?;
    let job = visit.work(move |house, reader| house.start_erasure(reader, &id, subject)).await?;
    Ok(crate::jobs::follow(job.id()))
}

/// Takes one back.
pub(crate) async fn withdraw(
    visit: Visit,
    Path(id): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.require(Permission::Erase)?;
    visit.work(move |house, reader| house.withdraw_erasure(reader, &id)).await?;
    Ok(Redirect::to(PATH))
}

/// On the page of a declaration whose content was erased.
pub(crate) fn notice(visit: &Visit, erased: Option<&Erased>) -> Markup {
    html! {
        @if let Some(erased) = erased {
            p class="notice warn" role="status" {
                (visit.fill(texts::DECLARATION_ERASED, &[("time", &minute(erased.at)), ("basis", &erased.basis)]))
            }
        }
    }
}
