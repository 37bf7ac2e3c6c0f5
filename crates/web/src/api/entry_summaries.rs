//! Entry summary declarations: messages of the Import Control System in, its answers out.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use customhouse::declarations::Form;
use customhouse::entry_summary::EntrySummaryAnswer;
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Problem;
use super::declarations::{form_of, unreadable_is_no_rejection};
use crate::failure::Failure;
use crate::visit::{Asked, PostedBytes, PostedJson, Visit, protocol};

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/entry-summaries", get(list).post(lodge))
        .route("/api/v1/entry-summaries/{mrn}", get(one))
        .route("/api/v1/entry-summaries/{mrn}/intervention", post(intervene))
}

/// The message of an answer, and where what it is about stands.
fn message(status: StatusCode, answer: EntrySummaryAnswer) -> Response {
    let xml = HeaderValue::from_static("application/xml");
    let mut response = (status, [(header::CONTENT_TYPE, xml)], answer.xml).into_response();
    let place = answer.mrn.map(|mrn| format!("/api/v1/entry-summaries/{mrn}"));
    if let Some(place) = place.and_then(|place| HeaderValue::from_str(&place).ok()) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Lodges an entry summary declaration (CC315A) or amends one (CC313A). The answer is a message: CC328A or CC316A,
/// CC304A or CC305A. The very same bytes get their first answer again.
#[utoipa::path(post, path = "/api/v1/entry-summaries", request_body(content = String, content_type = "application/xml", description = "The message, at most 1 MiB; see docs/messages.md"), responses(
    (status = 201, description = "Accepted: CC328A or CC304A; Location names it", body = String, content_type = "application/xml"),
    (status = 200, description = "The very same was sent before, and accepted: its first answer", body = String, content_type = "application/xml"),
    (status = 400, description = "No message that can be recorded; findings say why. Nothing was recorded", body = Problem),
    (status = 403, description = "The account acts for no party, or for none that the message names", body = Problem),
    (status = 404, description = "There is nothing to amend that the caller may see", body = Problem),
    (status = 409, description = "The reference is that of another one", body = Problem),
    (status = 413, description = "Too long", body = Problem),
    (status = 415, description = "Not XML", body = Problem),
    (status = 422, description = "Recorded, and rejected: CC316A or CC305A with what is wrong where", body = String, content_type = "application/xml")))]
pub(super) async fn lodge(visit: Visit, posted: PostedBytes) -> Result<Response, Failure> {
    if form_of(&posted.media_type)? != Form::DmsXml {
        return Err(protocol(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let answer = visit
        .work(move |house, reader| {
            house.lodge_entry_summary(reader, &posted.bytes).map_err(unreadable_is_no_rejection)
        })
        .await?;
    let status = match (answer.accepted, answer.repeated) {
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (true, true) => StatusCode::OK,
        (true, false) => StatusCode::CREATED,
    };
    Ok(message(status, answer))
}

/// Which day.
#[derive(Debug, Deserialize)]
pub(super) struct DayQuery {
    day: Date,
    #[serde(default)]
    page: usize,
}

/// Those that were accepted on a day, the latest first: 200 on each page.
#[utoipa::path(get, path = "/api/v1/entry-summaries", params(("day" = String, Query, description = "Day of the house's calendar, such as 2026-03-31"), ("page" = Option<usize>, Query, description = "Page, from 1")), responses((status = 200, description = "The entry summary declarations", body = Vec<serde_json::Value>), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn list(visit: Visit, Asked(asked): Asked<DayQuery>) -> Result<Response, Failure> {
    let records =
        visit.work(move |house, reader| house.entry_summaries(reader, asked.day, asked.page)).await?;
    Ok(Json(records).into_response())
}

/// One, as it stands: for officials any, for a trader its own.
#[utoipa::path(get, path = "/api/v1/entry-summaries/{mrn}", params(("mrn" = String, Path, description = "MRN")), responses((status = 200, description = "The entry summary declaration", body = serde_json::Value), (status = 404, description = "There is none that the caller may see", body = Problem)))]
pub(super) async fn one(visit: Visit, Path(mrn): Path<String>) -> Result<Response, Failure> {
    Ok(Json(visit.work(move |house, reader| house.entry_summary(reader, &mrn)).await?).into_response())
}

/// What is to be done with what travels.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct InterventionRequest {
    /// Code of up to four characters.
    code: String,
    /// The same in words, up to 350 characters.
    text: String,
}

/// Orders an intervention; the answer is the message that says so (CC351A).
#[utoipa::path(post, path = "/api/v1/entry-summaries/{mrn}/intervention", params(("mrn" = String, Path, description = "MRN")), request_body = InterventionRequest, responses((status = 201, description = "CC351A", body = String, content_type = "application/xml"), (status = 400, description = "Code or words are missing or too long", body = Problem), (status = 403, description = "Not permitted", body = Problem), (status = 404, description = "There is none", body = Problem), (status = 409, description = "One was ordered already", body = Problem)))]
pub(super) async fn intervene(
    visit: Visit,
    Path(mrn): Path<String>,
    PostedJson(asked): PostedJson<InterventionRequest>,
) -> Result<Response, Failure> {
    let answer = visit
        .work(move |house, reader| house.order_intervention(reader, &mrn, &asked.code, &asked.text))
        .await?;
    Ok(message(StatusCode::CREATED, answer))
}
