//! Work that waits, how the flow stands, plans, the journal, and what everybody may know.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use customhouse::declarations::QueueQuery;
use customhouse::events::JournalQuery;
use customhouse::viewings::ViewingsQuery;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Problem;
use super::answers::StatusAnswer;
use crate::changes::ChangesKept;
use crate::failure::Failure;
use crate::status::StatusKept;
use crate::visit::{Asked, Visit};

/// Routes for officials, and of the boards of conformance for whoever is signed in.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/queue", get(queue))
        .route("/api/v1/overview", get(overview))
        .route("/api/v1/plan", get(plan))
        .route("/api/v1/journal", get(journal))
        .route("/api/v1/viewings", get(viewings))
        .route("/api/v1/conformance", get(conformance))
}

/// Routes for everybody.
pub(super) fn public_routes() -> Router {
    Router::new().route("/api/v1/status", get(status)).route("/api/v1/changes", get(changes))
}

/// Work that waits, the most urgent first.
#[utoipa::path(get, path = "/api/v1/queue", params(
    ("office" = Option<String>, Query, description = "Office"),
    ("kind" = Option<String>, Query, description = "documents, physical, query or audit"),
    ("whose" = Option<String>, Query, description = "mine or free"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "Tasks", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn queue(visit: Visit, Asked(query): Asked<QueueQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.queue(reader, &query)).await?).into_response())
}

/// Which office.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct OfficeQuery {
    /// Office; empty: all.
    office: String,
}

/// The flow of the last 24 hours, work that waits, and hit rates of the plan against the random arm.
#[utoipa::path(get, path = "/api/v1/overview", params(OfficeQuery), responses((status = 200, description = "The overview", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn overview(visit: Visit, Asked(asked): Asked<OfficeQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.overview(reader, &asked.office)).await?).into_response())
}

/// Policies, thresholds and how far capacities are used.
#[utoipa::path(get, path = "/api/v1/plan", responses((status = 200, description = "How plans stand", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn plan(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, reader| house.plans(reader)).await?).into_response())
}

/// Events, the latest first.
#[utoipa::path(get, path = "/api/v1/journal", params(
    ("stream" = Option<String>, Query, description = "A stream; one that ends with / stands for all that begin so"),
    ("kind" = Option<String>, Query, description = "Kind of event, or its beginning"),
    ("before" = Option<u64>, Query, description = "Only events before this position")),
    responses((status = 200, description = "A page of the journal", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn journal(visit: Visit, Asked(query): Asked<JournalQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.journal_page(reader, &query)).await?).into_response())
}

/// Who looked at what, the latest look first. For auditors.
#[utoipa::path(get, path = "/api/v1/viewings", params(
    ("who" = Option<String>, Query, description = "Sign-in name or id of who looked"),
    ("what" = Option<String>, Query, description = "case, original, document, entity or export"),
    ("record" = Option<String>, Query, description = "MRN or id of an entity"),
    ("from" = Option<String>, Query, description = "First day"),
    ("to" = Option<String>, Query, description = "Last day"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "A page of looks", body = serde_json::Value), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn viewings(visit: Visit, Asked(query): Asked<ViewingsQuery>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.viewings(reader, &query)).await?).into_response())
}

/// How each conformance suite came out last, with the sums of the time before. For whoever is signed in.
#[utoipa::path(get, path = "/api/v1/conformance", responses((status = 200, description = "The last board of each suite that was measured", body = Vec<serde_json::Value>), (status = 401, description = "No token, or no session", body = Problem)))]
pub(super) async fn conformance(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, _| house.measured_boards()).await?).into_response())
}

/// Is it running, and how long does each step take? For everybody.
#[utoipa::path(get, path = "/api/v1/status", security(()), responses((status = 200, description = "How the service stands", body = StatusAnswer)))]
pub(super) async fn status(
    visit: Visit,
    Extension(kept): Extension<StatusKept>,
) -> Result<Json<StatusAnswer>, Failure> {
    Ok(Json(StatusAnswer::from(crate::status::ask(&visit, &kept).await?.as_ref())))
}

/// What changed in rules, lists, plans and this API, the latest first. For everybody.
#[utoipa::path(get, path = "/api/v1/changes", security(()), responses((status = 200, description = "Changes", body = Vec<serde_json::Value>)))]
pub(super) async fn changes(
    visit: Visit,
    Extension(kept): Extension<ChangesKept>,
) -> Result<Response, Failure> {
    Ok(Json(crate::changes::ask(&visit, &kept).await?.as_ref()).into_response())
}
