//! Who carries which tags, what occurs together, why, what tags rest on, and which have become more frequent.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use customhouse::tags::{TagFiguresQuery, TagQuery};
use customhouse::warnings::{NewWatch, WarningsQuery};
use serde::Deserialize;

use super::Problem;
use crate::failure::Failure;
use crate::visit::{Asked, Posted, PostedJson, Visit};

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/tag-figures", get(figures))
        .route("/api/v1/tag-query", get(select))
        .route("/api/v1/tag-query/count", get(count))
        .route("/api/v1/tag-graph", get(graph))
        .route("/api/v1/tag-sources", get(sources))
        .route("/api/v1/tag-sources/{name}", get(dependents))
        .route("/api/v1/entities/{id}/tags/{tag}", get(lineage))
        .route("/api/v1/tag-history", get(history))
        .route("/api/v1/tag-history/pause", post(pause_history))
        .route("/api/v1/tag-history/resume", post(resume_history))
        .route("/api/v1/tag-history/{id}", get(in_history))
        .route("/api/v1/warnings", get(warnings))
        .route("/api/v1/watched", get(watched).post(watch))
        .route("/api/v1/watched/{id}/stop", post(unwatch))
}

/// A page of the catalogue with how often each tag came in the last 30 days, on whom it is, and what inspections found.
#[utoipa::path(get, path = "/api/v1/tag-figures", params(
    ("q" = Option<String>, Query, description = "Part of an id or title"),
    ("family" = Option<String>, Query, description = "Id of a family"),
    ("severity" = Option<String>, Query, description = "low, medium or high"),
    ("sort" = Option<String>, Query, description = "title, family, severity, volume, entities, rate or cost; with - before it: downwards"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "Tags with figures", body = serde_json::Value)))]
pub(super) async fn figures(visit: Visit, Asked(query): Asked<TagFiguresQuery>) -> Result<Response, Failure> {
    let language = visit.language();
    Ok(Json(visit.work(move |house, reader| house.tag_figures(reader, &query, language)).await?)
        .into_response())
}

/// What a condition on tags selects: how many, a page of them, what they carry beside, and the difference between two
/// days.
#[utoipa::path(get, path = "/api/v1/tag-query", params(
    ("q" = Option<String>, Query, description = "Ids of tags with &&, ||, ! and brackets; empty: everybody"),
    ("of" = Option<String>, Query, description = "entities or declarations"),
    ("from" = Option<String>, Query, description = "Compare the end of this day, in UTC"),
    ("to" = Option<String>, Query, description = "with the end of this one; empty: with now"),
    ("changed" = Option<String>, Query, description = "gained or lost between the two"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "What is selected", body = serde_json::Value), (status = 400, description = "The condition is wrong", body = Problem)))]
pub(super) async fn select(visit: Visit, Asked(query): Asked<TagQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.select_by_tags(reader, &query)).await?).into_response())
}

/// How many a condition on tags selects.
#[utoipa::path(get, path = "/api/v1/tag-query/count", params(
    ("q" = Option<String>, Query, description = "Ids of tags with &&, ||, ! and brackets; empty: everybody"),
    ("of" = Option<String>, Query, description = "entities or declarations")),
    responses((status = 200, description = "The count", body = serde_json::Value), (status = 400, description = "The condition is wrong", body = Problem)))]
pub(super) async fn count(visit: Visit, Asked(query): Asked<TagQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.count_by_tags(reader, &query)).await?).into_response())
}

/// Tags that occur together most, with a chosen one or of all.
#[utoipa::path(get, path = "/api/v1/tag-graph", params(
    ("q" = Option<String>, Query, description = "Id of the chosen tag"),
    ("of" = Option<String>, Query, description = "entities or declarations")),
    responses((status = 200, description = "Tags and pairs of them", body = serde_json::Value), (status = 404, description = "There is no such tag", body = Problem)))]
pub(super) async fn graph(visit: Visit, Asked(query): Asked<TagQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.tags_together(reader, &query)).await?).into_response())
}

/// Columns, lists and source contracts that tags rest on, with the number of tags.
#[utoipa::path(get, path = "/api/v1/tag-sources", responses((status = 200, description = "What tags rest on", body = Vec<serde_json::Value>)))]
pub(super) async fn sources(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, reader| house.tag_sources(reader)).await?).into_response())
}

/// The tags that rest on a column, list or source contract.
#[utoipa::path(get, path = "/api/v1/tag-sources/{name}", params(("name" = String, Path, description = "Name of the column, list or contract")), responses((status = 200, description = "The tags", body = serde_json::Value), (status = 404, description = "No tag reads it", body = Problem)))]
pub(super) async fn dependents(visit: Visit, Path(name): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.tag_dependents(reader, &name)).await?).into_response())
}

/// Why a tag is on an entity: the first and the latest declarations that brought it, with the values that made it true.
#[utoipa::path(get, path = "/api/v1/entities/{id}/tags/{tag}", params(("id" = String, Path, description = "Id of the entity"), ("tag" = String, Path, description = "Id of the tag")), responses((status = 200, description = "The reason", body = serde_json::Value), (status = 404, description = "It does not carry the tag", body = Problem)))]
pub(super) async fn lineage(
    visit: Visit,
    Path((id, tag)): Path<(String, String)>,
) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.tag_lineage(reader, &tag, &id)).await?).into_response())
}

/// How far the tags in use have come over the records of the pool.
#[utoipa::path(get, path = "/api/v1/tag-history", responses((status = 200, description = "How far they are", body = serde_json::Value)))]
pub(super) async fn history(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, reader| house.pool_history(reader)).await?).into_response())
}

/// Stops putting tags on the records of the pool; what was done stays.
#[utoipa::path(post, path = "/api/v1/tag-history/pause", responses((status = 200, description = "How far they are", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn pause_history(visit: Visit, _posted: Posted) -> Result<Response, Failure> {
    let status = visit.work(|house, reader| {
        house.pause_pool_history(reader)?;
        house.pool_history(reader)
    });
    Ok(Json(status.await?).into_response())
}

/// Lets it go on.
#[utoipa::path(post, path = "/api/v1/tag-history/resume", responses((status = 200, description = "How far they are", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn resume_history(visit: Visit, _posted: Posted) -> Result<Response, Failure> {
    let status = visit.work(|house, reader| {
        house.resume_pool_history(reader)?;
        house.pool_history(reader)
    });
    Ok(Json(status.await?).into_response())
}

/// One tag on all records of the pool: how many rows, whose, the first and the last; null where it is on none.
#[utoipa::path(get, path = "/api/v1/tag-history/{id}", params(("id" = String, Path, description = "Id of the tag")), responses((status = 200, description = "What was found", body = serde_json::Value), (status = 404, description = "There is no such tag", body = Problem)))]
pub(super) async fn in_history(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.tag_in_pool(reader, &id)).await?).into_response())
}

/// Early warnings: tags, and watched combinations of tags, that have become more frequent than usual, and where; those that nobody has taken note of first.
#[utoipa::path(get, path = "/api/v1/warnings", params(
    ("standing" = Option<String>, Query, description = "open, acknowledged or over; empty: all"),
    ("tag" = Option<String>, Query, description = "Id of a tag or of a watched combination"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "A page of warnings, with the number of series watched and the rate of false alarms", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn warnings(visit: Visit, Asked(query): Asked<WarningsQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.warnings(reader, &query)).await?).into_response())
}

/// Combinations of tags that are watched, the latest first, with how often each held in the last 60 days.
#[utoipa::path(get, path = "/api/v1/watched", responses((status = 200, description = "What is watched", body = Vec<serde_json::Value>), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn watched(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, reader| house.watched_combinations(reader)).await?).into_response())
}

/// Watches a combination of tags from now on, its past included: the body has `title`, `condition` and `reason`.
#[utoipa::path(post, path = "/api/v1/watched", request_body = serde_json::Value, responses((status = 201, description = "It is watched", body = serde_json::Value), (status = 400, description = "The condition or a text is wrong", body = Problem), (status = 403, description = "Not permitted, or no token", body = Problem), (status = 409, description = "It is watched already, or too many are", body = Problem)))]
pub(super) async fn watch(visit: Visit, PostedJson(new): PostedJson<NewWatch>) -> Result<Response, Failure> {
    let own = visit.work(move |house, reader| house.watch_combination(reader, &new)).await?;
    Ok((StatusCode::CREATED, Json(own)).into_response())
}

/// Why something ends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ending {
    reason: String,
}

/// Watches a combination no more: the body has the `reason`. Answers with the position of the event.
#[utoipa::path(post, path = "/api/v1/watched/{id}/stop", params(("id" = String, Path, description = "Id of the combination")), request_body = serde_json::Value, responses((status = 200, description = "It is watched no more", body = serde_json::Value), (status = 404, description = "It is not watched", body = Problem)))]
pub(super) async fn unwatch(
    visit: Visit,
    Path(id): Path<String>,
    PostedJson(ending): PostedJson<Ending>,
) -> Result<Response, Failure> {
    let position =
        visit.work(move |house, reader| house.unwatch_combination(reader, &id, &ending.reason)).await?;
    Ok(Json(serde_json::json!({ "position": position })).into_response())
}
