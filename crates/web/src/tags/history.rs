//! Tags on the records of the pool: how far they have come, to stop and to go on, and one tag there.

use axum::response::Redirect;
use customhouse::identity::Permission;
use customhouse::tags::{PlaceOfRow, PoolHistoryStatus, TagDetail, TagInPool};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::jobs;
use crate::view::{absent, csrf, simulated, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{count, percent, texts};

/// Where tags stand on the pool, with what can be done about it; nothing where there is no pool.
pub(super) fn standing(visit: &Visit, status: &PoolHistoryStatus) -> Markup {
    let figures = [("tags", count_of(status.tags)), ("rows", count(status.entries))];
    let figures: Vec<(&str, &str)> = figures.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let far = percent(status.done.min(status.total), status.total);
    html! {
        @if status.paused || (status.entries > 0 && status.tags > 0) {
            div class="notice plain tag-history" {
                @if let Some(job) = &status.job {
                    p { a href={ "/jobs/" (job.id) } { (visit.fill(texts::PAST_TAGS_RUNNING, &figures)) } " " (far) }
                    (jobs::bar(visit, job))
                } @else if status.complete {
                    p {
                        (visit.fill(texts::PAST_TAGS_DONE, &figures))
                        @if status.left_out > 0 { " " (visit.fill(texts::PAST_TAGS_LEFT_OUT, &[("n", &count_of(status.left_out))])) }
                    }
                } @else if let Some(code) = &status.failed {
                    p { (visit.fill(texts::PAST_TAGS_FAILED, &[("code", code)])) }
                } @else if status.paused {
                    p { (visit.fill(texts::PAST_TAGS_PAUSED, &[("far", &far)])) }
                } @else {
                    p { (visit.fill(texts::PAST_TAGS_WAITING, &figures)) }
                }
                @if visit.may(Permission::ManagePlans) && (!status.complete || status.paused) {
                    form method="post" action={ "/tag-history/" (if status.paused { "resume" } else { "pause" }) } {
                        (csrf(visit))
                        button { (visit.say(if status.paused { texts::RESUME } else { texts::PAUSE })) }
                    }
                }
            }
        }
    }
}

fn count_of(number: usize) -> String {
    count(u64::try_from(number).unwrap_or(u64::MAX))
}

/// What can be told of the past; what is derived and damaged is made anew by itself, and hides no page meanwhile.
pub(super) fn where_known<T>(asked: Result<T, customhouse::Error>) -> Option<T> {
    asked.inspect_err(|error| tracing::warn!(code = error.code, "past records cannot be told: {error}")).ok()
}

/// One tag on all records of the pool: how many, whose, the first and the last, each with its reason.
pub(super) fn in_pool(visit: &Visit, tag: &TagDetail, found: Option<&TagInPool>) -> Markup {
    let id = &tag.definition.id;
    let Some(found) = found else { return html! {} };
    let why = |place: &PlaceOfRow| match (&place.batch, place.row) {
        (Some(batch), Some(row)) => {
            html! { a href={ "/tags/" (id) "/why/" (batch) "/" (row) } { (count(row)) } }
        }
        _ => absent(),
    };
    let figures =
        [("carried", count(found.rows)), ("entities", count(found.entities)), ("rows", count(found.asked))];
    let figures: Vec<(&str, &str)> = figures.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let head = html! {
        (th(visit, texts::ENTITY, false)) (th(visit, texts::ROWS, true))
        (th(visit, texts::FIRST_ROW_WHY, true)) (th(visit, texts::LAST_ROW_WHY, true))
    };
    let body = html! {
        @for own in &found.carriers {
            tr {
                td { a href={ "/entities/" (own.entity) } { code { (own.entity) } } }
                td class="number" { (count(own.rows)) }
                td class="number" { (why(&own.first)) }
                td class="number" { (why(&own.last)) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::ON_ALL_PAST_RECORDS)) " " (simulated(visit, found.simulated)) }
            p {
                (visit.fill(texts::PAST_ROWS_CARRY, &figures)) " "
                @if found.asked < found.entries { (visit.fill(texts::PAST_ROWS_LEFT, &[("n", &count(found.entries.saturating_sub(found.asked)))])) }
            }
            @if !found.carriers.is_empty() { (table(visit.say(texts::ON_ALL_PAST_RECORDS), &head, &body)) }
        }
    }
}

/// Stops it; what was done stays.
pub(crate) async fn pause(visit: Visit, _posted: Posted) -> Result<Redirect, Failure> {
    visit.work(|house, reader| house.pause_pool_history(reader)).await?;
    Ok(Redirect::to("/tags"))
}

/// Lets it go on.
pub(crate) async fn resume(visit: Visit, _posted: Posted) -> Result<Redirect, Failure> {
    visit.work(|house, reader| house.resume_pool_history(reader)).await?;
    Ok(Redirect::to("/tags"))
}
