//! Tags: the catalogue with figures, one tag, who carries some and not others, what occurs together, why one is on an
//! entity, and what they rest on.

mod catalogue;
mod dependents;
mod graph;
mod history;
mod lineage;
mod office;
mod one;
mod query;

pub(crate) use lineage::place_of_reason;

use axum::Router;
use axum::routing::{get, post};
use customhouse::tags::TagSeverity;
use maud::Markup;
use spine::noun::SubjectKind;

use crate::view::chip;
use crate::visit::Visit;

/// Routes of this room. Ids of tags have no hyphen: none of them is hidden by a page of its name.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/tags", get(catalogue::list))
        .route("/tags/{id}", get(one::show))
        .route("/tags/{id}/why/{batch}/{row}", get(one::why))
        .route("/tag-query", get(query::show))
        .route("/tag-query/count", get(query::count_now))
        .route("/tag-query.csv", get(query::export))
        .route("/tag-graph", get(graph::show))
        .route("/tag-history/pause", post(history::pause))
        .route("/tag-history/resume", post(history::resume))
        .route("/tag-sources", get(dependents::list))
        .route("/tag-sources/{name}", get(dependents::show))
        .route("/own-tags", get(office::list).post(office::propose))
        .route("/own-tags/new", get(office::edit))
        .route("/own-tags/preview", get(office::preview))
        .route("/own-tags/remove", post(office::remove))
        .route("/own-tags/{number}/approve", post(office::approve))
        .route("/own-tags/{number}/decline", post(office::decline))
        .route("/entities/{id}/tags/{tag}", get(lineage::show))
}

fn severity_chip(visit: &Visit, severity: TagSeverity) -> Markup {
    chip(severity.name(), visit.named("severity", severity.name()))
}

fn subject(on: SubjectKind) -> &'static str {
    match on {
        SubjectKind::Item => "item",
        SubjectKind::Declaration => "declaration",
        SubjectKind::Enterprise => "enterprise",
        SubjectKind::Route => "route",
    }
}
