//! Views that somebody keeps: a name for what an address of the list says.

use axum::response::Redirect;
use maud::{Markup, html};

use customhouse::declarations::SavedView;

use super::ask::{Ask, PATH, bounded};
use crate::failure::Failure;
use crate::view::csrf;
use crate::visit::{Posted, Visit};
use crate::words::texts;

fn place_of(query: &str) -> String {
    if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
}

/// The views that are kept, each a link; the one that is shown can be forgotten.
pub(super) fn shown(visit: &Visit, ask: &Ask, views: &[SavedView]) -> Markup {
    let here = ask.kept();
    html! {
        @if !views.is_empty() {
            nav class="views" aria-label=(visit.say(texts::SAVED_VIEWS)) {
                ul {
                    @for view in views {
                        @let current = view.query == here;
                        li {
                            a class="view" href=(place_of(&view.query)) aria-current=[current.then_some("page")] { (view.name) }
                            @if current {
                                form method="post" action="/declarations/views/forget" {
                                    (csrf(visit))
                                    input type="hidden" name="name" value=(view.name);
                                    input type="hidden" name="query" value=(view.query);
                                    button class="small" { (visit.say(texts::FORGET_VIEW)) span class="unseen" { ": " (view.name) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The form that keeps what is shown under a name.
pub(super) fn keep(visit: &Visit, ask: &Ask) -> Markup {
    html! {
        details class="menu" {
            summary class="button" { (visit.say(texts::SAVE_VIEW)) }
            div class="menu-panel" {
                form method="post" action="/declarations/views" class="stack" {
                    (csrf(visit))
                    input type="hidden" name="query" value=(ask.kept());
                    label for="view-name" { (visit.say(texts::NAME_OF_VIEW)) }
                    input id="view-name" name="name" required maxlength="60" autocomplete="off";
                    p class="help" { (visit.say(texts::SAVE_VIEW_HELP)) }
                    button class="primary" { (visit.say(texts::SAVE_VIEW)) }
                }
            }
        }
    }
}

/// Keeps a view.
pub(crate) async fn save(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    let query = bounded(posted.text("query"))?.to_owned();
    let to = place_of(&query);
    visit.work(move |house, reader| house.save_view(reader, posted.text("name").trim(), &query)).await?;
    Ok(Redirect::to(&to))
}

/// Forgets a view.
pub(crate) async fn forget(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    let to = place_of(bounded(posted.text("query"))?);
    visit.work(move |house, reader| house.forget_view(reader, posted.text("name"))).await?;
    Ok(Redirect::to(&to))
}
