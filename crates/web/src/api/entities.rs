//! Who trades, who may be one, and what people decide on it.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use customhouse::entities::{EntitiesQuery, EntityDecision, MatchesQuery};
use customhouse::identity::Permission;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Problem;
use crate::entities::decide_on;
use crate::failure::Failure;
use crate::visit::{Asked, PostedJson, Visit};

/// Routes for officials.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/entities", get(entities))
        .route("/api/v1/entities/matches", get(matches))
        .route("/api/v1/entities/matches/merge", post(merge_entities))
        .route("/api/v1/entities/matches/apart", post(keep_entities_apart))
        .route("/api/v1/entities/decisions/{id}/{action}", post(act_on_entity_decision))
        .route("/api/v1/entities/{id}", get(entity))
}

/// Who trades.
#[utoipa::path(get, path = "/api/v1/entities", params(
    ("q" = Option<String>, Query, description = "Beginning of an id, or part of a name in the register"),
    ("role" = Option<String>, Query, description = "importer, exporter, declarant or carrier"),
    ("sort" = Option<String>, Query, description = "declarations, value, inspected, irregular, rate or last, with - before it downwards; by rate, those of which fewer than ten were inspected come last"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "A page of entities", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn entities(visit: Visit, Asked(query): Asked<EntitiesQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.find_entities(reader, &query)).await?).into_response())
}

/// Pairs of entities that may be one, with what speaks for it; or what was decided on them.
#[utoipa::path(get, path = "/api/v1/entities/matches", params(
    ("q" = Option<String>, Query, description = "Id of one of them, or part of a name"),
    ("kind" = Option<String>, Query, description = "Evidence that is there: identifier, owner, phone, address, name or succession"),
    ("closed" = Option<String>, Query, description = "yes: one of them is closed, or both are"),
    ("state" = Option<String>, Query, description = "merge_proposed, merged, split_proposed, split, apart or withdrawn; nothing: to be decided"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "A page of pairs", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn matches(visit: Visit, Asked(query): Asked<MatchesQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.find_matches(reader, &query)).await?).into_response())
}

/// One entity in all its roles, with all that are one with it.
#[utoipa::path(get, path = "/api/v1/entities/{id}", params(("id" = String, Path, description = "Id of the entity")), responses((status = 200, description = "The entity", body = serde_json::Value), (status = 404, description = "There is none", body = Problem)))]
pub(super) async fn entity(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.entity(reader, &id)).await?).into_response())
}

/// Two entities, and why they are one, or are not.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PairDecided {
    /// Id of the one.
    one: String,
    /// Id of the other.
    other: String,
    /// Why, in 1 to 500 characters.
    reason: String,
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct DecisionReason {
    /// Why, in 1 to 500 characters; needed to take apart, otherwise left out.
    #[serde(default)]
    reason: String,
}

/// Says that two entities are one. Where either is large it is proposed, and another person has to approve it: the
/// answer's state is then `merge_proposed`.
#[utoipa::path(post, path = "/api/v1/entities/matches/merge", request_body = PairDecided, responses((status = 200, description = "The decision", body = serde_json::Value), (status = 400, description = "No reason", body = Problem), (status = 403, description = "Not permitted", body = Problem), (status = 404, description = "One of them is unknown", body = Problem), (status = 409, description = "They are one already, or something else was decided", body = Problem)))]
pub(super) async fn merge_entities(
    visit: Visit,
    PostedJson(pair): PostedJson<PairDecided>,
) -> Result<Json<EntityDecision>, Failure> {
    visit.require(Permission::ResolveEntities)?;
    let PairDecided { one, other, reason } = pair;
    Ok(Json(visit.work(move |house, reader| house.merge_entities(reader, &one, &other, &reason)).await?))
}

/// Says that two entities are not the same.
#[utoipa::path(post, path = "/api/v1/entities/matches/apart", request_body = PairDecided, responses((status = 200, description = "The decision", body = serde_json::Value), (status = 400, description = "No reason", body = Problem), (status = 403, description = "Not permitted", body = Problem), (status = 404, description = "One of them is unknown", body = Problem), (status = 409, description = "They are one, or something else was decided", body = Problem)))]
pub(super) async fn keep_entities_apart(
    visit: Visit,
    PostedJson(pair): PostedJson<PairDecided>,
) -> Result<Json<EntityDecision>, Failure> {
    visit.require(Permission::ResolveEntities)?;
    let PairDecided { one, other, reason } = pair;
    Ok(Json(visit.work(move |house, reader| house.keep_entities_apart(reader, &one, &other, &reason)).await?))
}

/// Approves what another person proposed (`approve`), takes two apart that were merged (`split`), or takes back what
/// has no effect yet or keeps two apart (`withdraw`).
#[utoipa::path(post, path = "/api/v1/entities/decisions/{id}/{action}", params(("id" = String, Path, description = "Id of the decision"), ("action" = String, Path, description = "approve, split or withdraw")), request_body = DecisionReason, responses((status = 200, description = "The decision as it stands now", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem), (status = 404, description = "No such decision or action", body = Problem), (status = 409, description = "It stands otherwise, or you proposed it yourself", body = Problem)))]
pub(super) async fn act_on_entity_decision(
    visit: Visit,
    Path((id, action)): Path<(String, String)>,
    PostedJson(asked): PostedJson<DecisionReason>,
) -> Result<Json<EntityDecision>, Failure> {
    visit.require(Permission::ResolveEntities)?;
    Ok(Json(visit.work(move |house, reader| decide_on(house, reader, &id, &action, &asked.reason)).await?))
}
