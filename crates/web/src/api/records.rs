//! Pool, tags, audits, long tasks, packs.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use customhouse::audit::AuditSpec;
use customhouse::jobs::JobStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use crate::failure::Failure;
use crate::pool::{BatchesQuery, matching};
use crate::visit::{Asked, Posted, PostedJson, Visit};

/// Rows of one page unless asked otherwise.
const ROWS_DEFAULT: usize = 100;
/// Rows with their reasons unless asked otherwise.
const REASONS_DEFAULT: usize = 20;

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/batches", get(batches))
        .route("/api/v1/batches/{id}", get(batch))
        .route("/api/v1/batches/{id}/rows", get(rows))
        .route("/api/v1/batches/{id}/rows/{row}/lineage", get(lineage))
        .route("/api/v1/batches/{id}/quarantine", get(quarantine))
        .route("/api/v1/tags", get(tags))
        .route("/api/v1/tags/{id}", get(tag))
        .route("/api/v1/tags/{id}/rows", get(tag_rows))
        .route("/api/v1/tags/{id}/why", get(why))
        .route("/api/v1/audits", get(audits).post(start_audit))
        .route("/api/v1/audits/{id}", get(audit))
        .route("/api/v1/jobs", get(jobs))
        .route("/api/v1/jobs/{id}", get(job))
        .route("/api/v1/jobs/{id}/cancel", post(cancel_job))
        .route("/api/v1/packs", get(packs))
        .route("/api/v1/packs/{id}", get(pack))
}

/// A page of rows.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SliceQuery {
    /// First row, from 0.
    #[serde(default)]
    offset: u64,
    /// Rows at most; 500 at the very most.
    #[serde(default)]
    limit: Option<usize>,
}

impl SliceQuery {
    fn limit(self) -> usize {
        self.limit.unwrap_or(ROWS_DEFAULT)
    }
}

/// Batches of the pool, the latest first unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/batches", params(BatchesQuery), responses((status = 200, description = "Batches", body = Vec<serde_json::Value>)))]
pub(super) async fn batches(visit: Visit, Asked(asked): Asked<BatchesQuery>) -> Result<Response, Failure> {
    let found = visit.work(move |house, reader| matching(house, reader, &asked)).await?;
    Ok(Json(found).into_response())
}

/// One batch with everything recorded of it.
#[utoipa::path(get, path = "/api/v1/batches/{id}", params(("id" = String, Path, description = "Id, or its beginning")), responses((status = 200, description = "The batch", body = serde_json::Value), (status = 404, description = "There is none", body = Problem)))]
pub(super) async fn batch(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.find_batch(reader, &id)).await?).into_response())
}

/// Admitted rows; fields above the caller's clearance are named in `withheld` and are not there.
#[utoipa::path(get, path = "/api/v1/batches/{id}/rows", params(("id" = String, Path, description = "Id, or its beginning"), SliceQuery), responses((status = 200, description = "Rows", body = serde_json::Value)))]
pub(super) async fn rows(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<SliceQuery>,
) -> Result<Response, Failure> {
    let page =
        visit.work(move |house, reader| house.rows_page(reader, &id, asked.offset, asked.limit())).await?;
    Ok(Json(page).into_response())
}

/// Rows that could not be used, with the reasons.
#[utoipa::path(get, path = "/api/v1/batches/{id}/quarantine", params(("id" = String, Path, description = "Id, or its beginning"), SliceQuery), responses((status = 200, description = "Rows in quarantine", body = serde_json::Value)))]
pub(super) async fn quarantine(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<SliceQuery>,
) -> Result<Response, Failure> {
    let page = visit
        .work(move |house, reader| house.quarantine_page(reader, &id, asked.offset, asked.limit()))
        .await?;
    Ok(Json(page).into_response())
}

/// Where a row came from.
#[utoipa::path(get, path = "/api/v1/batches/{id}/rows/{row}/lineage", params(("id" = String, Path, description = "Id, or its beginning"), ("row" = u64, Path, description = "Row of the batch, from 0")), responses((status = 200, description = "Where it came from", body = serde_json::Value)))]
pub(super) async fn lineage(visit: Visit, Path((id, row)): Path<(String, u64)>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.lineage(reader, &id, row)).await?).into_response())
}

/// The catalogue of tags, as far as the caller's clearance goes.
#[utoipa::path(get, path = "/api/v1/tags", responses((status = 200, description = "Families of tags", body = serde_json::Value)))]
pub(super) async fn tags(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, reader| house.tag_catalogue(reader)).await?).into_response())
}

/// One tag: definition, legal basis, cases.
#[utoipa::path(get, path = "/api/v1/tags/{id}", params(("id" = String, Path, description = "Id of the tag")), responses((status = 200, description = "The tag", body = serde_json::Value), (status = 404, description = "There is none", body = Problem)))]
pub(super) async fn tag(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.tag(reader, &id)).await?).into_response())
}

/// Rows of the pool that carry a tag, the latest first, with the reasons.
#[utoipa::path(get, path = "/api/v1/tags/{id}/rows", params(("id" = String, Path, description = "Id of the tag"), LimitQuery), responses((status = 200, description = "Rows with reasons", body = serde_json::Value)))]
pub(super) async fn tag_rows(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<LimitQuery>,
) -> Result<Response, Failure> {
    let limit = asked.limit.unwrap_or(REASONS_DEFAULT);
    Ok(Json(visit.work(move |house, reader| house.tag_on_real_rows(reader, &id, limit)).await?)
        .into_response())
}

/// How many rows to answer with.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LimitQuery {
    /// Rows at most.
    #[serde(default)]
    limit: Option<usize>,
}

/// Which row is asked about.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WhyQuery {
    /// Id of the batch, or its beginning.
    batch: String,
    /// Row of the batch, from 0.
    row: u64,
}

/// Why a tag is on a row, or is not: parts of its condition, values, earlier entries.
#[utoipa::path(get, path = "/api/v1/tags/{id}/why", params(("id" = String, Path, description = "Id of the tag"), WhyQuery), responses((status = 200, description = "The reason", body = serde_json::Value)))]
pub(super) async fn why(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<WhyQuery>,
) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.tag_on_row(reader, &id, &asked.batch, asked.row)).await?)
        .into_response())
}

/// Completed audits, the latest first.
#[utoipa::path(get, path = "/api/v1/audits", responses((status = 200, description = "Audits", body = Vec<serde_json::Value>)))]
pub(super) async fn audits(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, reader| house.list_audits(reader)).await?).into_response())
}

/// One audit with all its figures. What was made from simulated records says so.
#[utoipa::path(get, path = "/api/v1/audits/{id}", params(("id" = String, Path, description = "Id, or its beginning")), responses((status = 200, description = "The audit", body = serde_json::Value), (status = 404, description = "There is none", body = Problem)))]
pub(super) async fn audit(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.find_audit(reader, &id)).await?).into_response())
}

/// Where a job stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobAnswer {
    /// Id of the job.
    id: u64,
    /// `admission` or `audit`.
    kind: &'static str,
    /// Stable name of the present stage.
    stage: &'static str,
    /// Units done in this stage.
    done: u64,
    /// Units of this stage; 0 when unknown.
    total: u64,
    /// Milliseconds since it began, up to its end.
    elapsed_ms: u64,
    /// Milliseconds this stage will still take, where that can be said.
    remaining_ms: Option<u64>,
    /// `state` and, by state, `result` or `code`, `detail`, `how_to_fix`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    state: customhouse::jobs::JobState,
}

impl From<JobStatus> for JobAnswer {
    fn from(status: JobStatus) -> Self {
        let JobStatus { id, kind, stage, done, total, elapsed_ms, remaining_ms, state } = status;
        Self { id, kind, stage, done, total, elapsed_ms, remaining_ms, state }
    }
}

/// Starts an audit; the body names batches, capacity, currency and seed, each of which may be left out.
#[utoipa::path(post, path = "/api/v1/audits", request_body = serde_json::Value, responses((status = 202, description = "It runs: ask the job", body = JobAnswer), (status = 403, description = "Not permitted, or no token", body = Problem)))]
pub(super) async fn start_audit(
    visit: Visit,
    PostedJson(spec): PostedJson<AuditSpec>,
) -> Result<Response, Failure> {
    let status =
        visit.work(move |house, reader| house.start_audit(reader, spec).map(|job| job.status())).await?;
    Ok((StatusCode::ACCEPTED, Json(JobAnswer::from(status))).into_response())
}

/// Long tasks of this process, the latest first.
#[utoipa::path(get, path = "/api/v1/jobs", responses((status = 200, description = "Jobs", body = Vec<JobAnswer>)))]
pub(super) async fn jobs(visit: Visit) -> Result<Json<Vec<JobAnswer>>, Failure> {
    let jobs = visit.work(|house, reader| Ok(house.list_jobs(reader))).await?;
    Ok(Json(jobs.into_iter().map(JobAnswer::from).collect()))
}

/// One long task.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", params(("id" = u64, Path, description = "Id of the job")), responses((status = 200, description = "The job", body = JobAnswer), (status = 404, description = "There is none", body = Problem)))]
pub(super) async fn job(visit: Visit, Path(id): Path<u64>) -> Result<Json<JobAnswer>, Failure> {
    Ok(Json(
        visit.work(move |house, reader| house.find_job(reader, id).map(|job| job.status())).await?.into(),
    ))
}

/// Asks a long task to stop; nothing half-done is left.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", params(("id" = u64, Path, description = "Id of the job")), responses((status = 200, description = "It was asked", body = JobAnswer), (status = 403, description = "Not permitted, or no token", body = Problem)))]
pub(super) async fn cancel_job(
    visit: Visit,
    Path(id): Path<u64>,
    _posted: Posted,
) -> Result<Json<JobAnswer>, Failure> {
    Ok(Json(visit.work(move |house, reader| house.cancel_job(reader, id)).await?.into()))
}

/// Packs the caller may see.
#[utoipa::path(get, path = "/api/v1/packs", responses((status = 200, description = "Packs", body = Vec<serde_json::Value>)))]
pub(super) async fn packs(visit: Visit) -> Result<Response, Failure> {
    Ok(Json(visit.work(|house, reader| Ok(house.list_packs(reader))).await?).into_response())
}

/// The version in use of one pack.
#[utoipa::path(get, path = "/api/v1/packs/{id}", params(("id" = String, Path, description = "Id of the pack")), responses((status = 200, description = "The pack", body = serde_json::Value), (status = 404, description = "There is none", body = Problem)))]
pub(super) async fn pack(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.find_pack(reader, &id)).await?).into_response())
}
