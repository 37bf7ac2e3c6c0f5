//! Long work: where it stands, how fast it goes, how long it will take, and the button that stops it.

use axum::extract::Path;
use axum::http::HeaderName;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::jobs::{JobState, JobStatus};
use maud::{Markup, html};
use serde::Deserialize;

use crate::failure::Failure;
use crate::shell::{Page, Room, sentence};
use crate::view::{absent, chip, crumbs, csrf, empty, heading, table, th};
use crate::visit::{Asked, Posted, Visit};
use crate::words::{count, duration, percent, texts};

fn room_of(kind: &str) -> Room {
    match kind {
        "admission" => Room::Pool,
        "audit" => Room::Audits,
        "erasure" => Room::Erasures,
        "fit_plan" => Room::Plan,
        "register" => Room::Entities,
        "replay" => Room::Declarations,
        "tag_history" => Room::Tags,
        _ => Room::Elsewhere,
    }
}

/// Where the result of a job can be seen.
fn result_place(kind: &str, result: &str) -> String {
    match kind {
        "admission" => format!("/pool/batches/{result}"),
        "erasure" => "/erasures".to_owned(),
        "fit_plan" => format!("/plan/policies/{result}"),
        "register" => "/entities/matches".to_owned(),
        "tag_history" => "/tags".to_owned(),
        "replay" => format!("/declarations/{result}/replay"),
        _ => format!("/audits/{result}"),
    }
}

fn state_name(state: &JobState) -> &'static str {
    match state {
        JobState::Running => "running",
        JobState::Done { .. } => "done",
        JobState::Cancelled => "cancelled",
        JobState::Failed { .. } => "failed",
    }
}

fn state_chip(visit: &Visit, state: &JobState) -> Markup {
    let class = match state {
        JobState::Running => "information",
        JobState::Done { .. } => "good",
        JobState::Cancelled => "plain",
        JobState::Failed { .. } => "bad",
    };
    chip(class, visit.named("job", state_name(state)))
}

/// All remembered jobs.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let jobs = visit.work(|house, reader| Ok(house.list_jobs(reader))).await?;
    let content = html! {
        (heading(visit.say(texts::LONG_TASKS), &html! {}, &html! {}))
        @if jobs.is_empty() {
            (empty(visit.say(texts::NO_TASKS), visit.say(texts::NO_TASKS_TEXT), &html! {}))
        } @else { (list_table(&visit, &jobs)) }
    };
    Ok(Page::new(&visit, Room::Elsewhere, visit.say(texts::LONG_TASKS)).show(&content))
}

fn list_table(visit: &Visit, jobs: &[JobStatus]) -> Markup {
    let head = html! {
        (th(visit, texts::TASK, false)) (th(visit, texts::STATE, false)) (th(visit, texts::STAGE, false))
        (th(visit, texts::TIME_TAKEN, true)) (th(visit, texts::RESULT, false))
    };
    let body = html! {
        @for job in jobs {
            tr {
                td { a href={ "/jobs/" (job.id) } { (visit.named("job", job.kind)) " " (job.id) } }
                td { (state_chip(visit, &job.state)) }
                td { (visit.named("stage", job.stage)) }
                td class="number" { (duration(job.elapsed_ms)) }
                td {
                    @match &job.state {
                        JobState::Done { result } => a href=(result_place(job.kind, result)) { (visit.say(texts::SEE_RESULT)) },
                        JobState::Failed { code, .. } => span class="code" { (code) },
                        _ => (absent()),
                    }
                }
            }
        }
    };
    table(visit.say(texts::LONG_TASKS), &head, &body)
}

/// How a job is looked at.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct JobQuery {
    /// Whoever has just started it goes on to its result as soon as there is one.
    #[serde(default)]
    follow: bool,
}

/// Where whoever starts a job is led.
pub(crate) fn follow(job: u64) -> Redirect {
    Redirect::to(&format!("/jobs/{job}?follow=true"))
}

/// One job; where it runs, its standing is asked for again every second.
pub(crate) async fn show(
    visit: Visit,
    Path(id): Path<u64>,
    Asked(asked): Asked<JobQuery>,
) -> Result<Response, Failure> {
    let status = visit.work(move |house, reader| house.find_job(reader, id).map(|job| job.status())).await?;
    if let (JobState::Done { result }, true) = (&status.state, asked.follow) {
        return Ok(Redirect::to(&result_place(status.kind, result)).into_response());
    }
    let title = format!("{} {id}", visit.named("job", status.kind));
    let content = html! {
        (crumbs(&visit, &[("/jobs", visit.say(texts::LONG_TASKS))]))
        (heading(&title, &html! {}, &html! {}))
        (standing(&visit, &status))
    };
    Ok(Page::new(&visit, room_of(status.kind), title).show(&content).into_response())
}

/// Only the standing, for the page that asks again. Once it is done, the page goes on to the result.
pub(crate) async fn progress(visit: Visit, Path(id): Path<u64>) -> Result<Response, Failure> {
    let status = visit.work(move |house, reader| house.find_job(reader, id).map(|job| job.status())).await?;
    let standing = standing(&visit, &status);
    if let JobState::Done { result } = &status.state {
        let header = [(HeaderName::from_static("hx-redirect"), result_place(status.kind, result))];
        return Ok((header, standing).into_response());
    }
    Ok(standing.into_response())
}

/// Where a job stands.
fn standing(visit: &Visit, status: &JobStatus) -> Markup {
    let running = status.state == JobState::Running;
    let place = format!("/jobs/{}/progress", status.id);
    html! {
        section id="job" class="job" aria-live="polite" aria-busy=(running)
            hx-get=[running.then_some(place)] hx-trigger=[running.then_some("every 1s")] hx-swap=[running.then_some("outerHTML")] {
            p { (state_chip(visit, &status.state)) " " strong { (visit.named("stage", status.stage)) } }
            @if running { (bar(visit, status)) }
            p class="soft" { (visit.say(texts::TIME_TAKEN)) ": " (duration(status.elapsed_ms)) }
            @match &status.state {
                JobState::Running => {
                    @if visit.session().is_some_and(|session| visit.house().may_cancel(&session.reader(), status.kind)) {
                        form method="post" action={ "/jobs/" (status.id) "/cancel" } {
                            (csrf(visit))
                            button { (visit.say(texts::CANCEL_TASK)) }
                        }
                        p class="help" { (visit.say(texts::CANCEL_TASK_HELP)) }
                    }
                },
                JobState::Done { result } => a class="button primary" href=(result_place(status.kind, result)) { (visit.say(texts::SEE_RESULT)) },
                JobState::Cancelled => p { (visit.say(texts::CANCELLED_NOTHING_LEFT)) },
                JobState::Failed { code, detail, how_to_fix } => {
                    div class="notice bad" role="alert" {
                        p { (sentence(detail)) }
                        @if !how_to_fix.is_empty() { p { strong { (how_to_fix) } } }
                        p class="code" { (code) }
                    }
                },
            }
        }
    }
}

/// How far a job is, as a bar with rate and time left.
pub(crate) fn bar(visit: &Visit, status: &JobStatus) -> Markup {
    let known = status.total > 0;
    html! {
        progress max=[known.then_some(status.total)] value=[known.then_some(status.done.min(status.total))] aria-label=(visit.named("stage", status.stage)) {}
        @if known {
            p {
                (percent(status.done.min(status.total), status.total)) " · " (count(status.done)) " / " (count(status.total))
                @if let Some(remaining) = status.remaining_ms {
                    @if let Some(rate) = status.total.saturating_sub(status.done).saturating_mul(1_000).checked_div(remaining) {
                        " · " (visit.fill(texts::RATE, &[("n", &count(rate))]))
                    }
                    " · " (visit.fill(texts::TIME_LEFT, &[("t", &duration(remaining))]))
                }
            }
        }
    }
}

/// Asks a job to stop.
pub(crate) async fn cancel(visit: Visit, Path(id): Path<u64>, _posted: Posted) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.cancel_job(reader, id)).await?;
    Ok(Redirect::to(&format!("/jobs/{id}")))
}
