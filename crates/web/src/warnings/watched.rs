//! Combinations of tags that are watched: the form that begins it, the list, and the end of it.

use axum::extract::Path;
use axum::response::Redirect;
use customhouse::identity::Permission;
use customhouse::warnings::{
    NOTE_CHARACTERS_MAX, NewWatch, WATCH_TITLE_CHARACTERS_MAX, WATCHED_MAX, Watched,
};
use maud::{Markup, html};

use super::PATH;
use crate::failure::Failure;
use crate::view::{csrf, empty, place, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{count, minute, texts};

/// Where the list stands on its page.
const LIST: &str = "/warnings#watched";

/// The form that watches a condition, for who may; nothing for others.
pub(crate) fn begin_form(visit: &Visit, condition: &str) -> Markup {
    html! {
        @if visit.may(Permission::ManagePlans) {
            details class="card watch" {
                summary { (visit.say(texts::WATCH_BEGIN)) }
                form class="stack" method="post" action="/warnings/watched" {
                    (csrf(visit))
                    input type="hidden" name="condition" value=(condition);
                    p { code class="condition-line" { (condition) } }
                    p class="help" { (visit.say(texts::WATCH_HELP)) }
                    label for="watch-title" { (visit.say(texts::WATCH_TITLE)) }
                    input id="watch-title" name="title" required maxlength=(WATCH_TITLE_CHARACTERS_MAX) autocomplete="off";
                    label for="watch-reason" { (visit.say(texts::WATCH_REASON)) }
                    textarea id="watch-reason" name="reason" required rows="2" maxlength=(NOTE_CHARACTERS_MAX) {}
                    button class="primary" { (visit.say(texts::WATCH_BEGIN)) }
                }
            }
        }
    }
}

/// What is watched, each with how often it held and the button that ends it.
pub(super) fn list(visit: &Visit, watched: &[Watched]) -> Markup {
    let shown = count(u64::try_from(watched.len()).unwrap_or(u64::MAX));
    let most = count(u64::try_from(WATCHED_MAX).unwrap_or(u64::MAX));
    let head = html! {
        (th(visit, texts::CONDITION, false)) (th(visit, texts::WATCH_REASON, false)) (th(visit, texts::WATCHED_HOLDS, true)) (th(visit, texts::WARNINGS, true)) (th(visit, texts::ACTION, false))
    };
    html! {
        section id="watched" {
            h2 { (visit.say(texts::WATCHED)) }
            p class="help" { (visit.fill(texts::WATCHED_HELP, &[("n", &shown), ("most", &most)])) " " a href="/tag-query" { (visit.say(texts::TAG_QUERY)) } }
            @if watched.is_empty() { (empty(visit.say(texts::WATCHED_NONE), visit.say(texts::WATCHED_NONE_TEXT), &html! {})) }
            @else { (table(visit.say(texts::WATCHED), &head, &html! { @for own in watched { (row(visit, own)) } })) }
        }
    }
}

fn row(visit: &Visit, own: &Watched) -> Markup {
    html! {
        tr {
            td {
                a href=(place("/tag-query", &[("q", &own.condition), ("of", "declarations")])) { strong { (own.title) } }
                div { code class="condition-line" { (own.condition) } }
                @if !own.missing.is_empty() { div class="soft" { (visit.fill(texts::WATCHED_MISSING, &[("tags", &own.missing.join(", "))])) } }
            }
            td { (own.reason) div class="soft" { (own.by_name) " · " (minute(own.at)) } }
            td class="number" { (count(own.carrying)) " / " (count(own.declarations)) }
            td class="number" { @if own.warnings > 0 { a href=(place(PATH, &[("tag", &own.id)])) { (count(own.warnings)) } } @else { "0" } }
            td {
                @if visit.may(Permission::ManagePlans) {
                    details {
                        summary { (visit.say(texts::WATCH_STOP)) span class="unseen" { " " (own.title) } }
                        form class="inline" method="post" action={ "/warnings/watched/" (own.id) "/stop" } {
                            (csrf(visit))
                            @let field = format!("why-{}", own.id);
                            label for=(field) { (visit.say(texts::WHY)) }
                            input id=(field) name="reason" required maxlength=(NOTE_CHARACTERS_MAX) autocomplete="off";
                            button { (visit.say(texts::WATCH_STOP)) }
                        }
                    }
                }
            }
        }
    }
}

/// Watches a combination.
pub(super) async fn begin(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    let text = |name: &str| posted.text(name).to_owned();
    let new = NewWatch { title: text("title"), condition: text("condition"), reason: text("reason") };
    visit.work(move |house, reader| house.watch_combination(reader, &new)).await?;
    Ok(Redirect::to(LIST))
}

/// Watches one no more.
pub(super) async fn stop(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Redirect, Failure> {
    let reason = posted.text("reason").to_owned();
    visit.work(move |house, reader| house.unwatch_combination(reader, &id, &reason)).await?;
    Ok(Redirect::to(LIST))
}
