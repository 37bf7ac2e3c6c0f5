//! Declarations: lodging, looking, acting.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use customhouse::declarations::{
    CaseAction, Channel, DeclarationsQuery, Form, LodgeRequest, Progress, Receipt,
};
use customhouse::identity::{Permission, Reader};
use customhouse::{Customhouse, Error, Kind};
use serde::Deserialize;
use spine::Severity;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::Problem;
use super::answers::{
    CheckAnswer, DocumentAnswer, OwnPageAnswer, OwnRowAnswer, PositionAnswer, ReceiptAnswer, findings,
};
use crate::failure::Failure;
use crate::visit::{Asked, PostedBytes, PostedJson, Visit, protocol};

/// Longest document that comes with an answer or a result, and a little more for what is around it.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Declarations up to this length are read at once; longer ones on a thread that may take its time.
const READ_AT_ONCE_BYTES_MAX: usize = 64 * 1024;

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/declarations", get(list).post(lodge))
        .route("/api/v1/declarations/check", post(check))
        .route("/api/v1/declarations/{mrn}", get(one))
        .route("/api/v1/declarations/{mrn}/receipt", get(receipt))
        .route("/api/v1/declarations/{mrn}/original", get(original))
        .route("/api/v1/declarations/{mrn}/actions", post(act))
}

/// Routes that take documents.
pub(super) fn document_routes() -> Router {
    Router::new().route("/api/v1/documents", post(keep_document))
}

pub(super) fn form_of(media_type: &str) -> Result<Form, Failure> {
    Form::from_content_type(media_type).ok_or_else(|| protocol(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// Lodges without a thread that waits: the answer comes from the desk once all is durable.
pub(crate) async fn lodge_and_wait(
    visit: &Visit,
    reader: &Reader,
    request: LodgeRequest,
) -> Result<Receipt, Error> {
    let (sender, receiver) = oneshot::channel();
    let (house, reader) = (visit.house().clone(), reader.clone());
    let long = request.bytes.len() > READ_AT_ONCE_BYTES_MAX;
    let hand_in = move |house: &Customhouse| {
        house.lodge_then(
            &reader,
            request,
            Box::new(move |receipt| {
                // Whoever does not wait any more gets the receipt by sending the same once more.
                let _ = sender.send(receipt);
            }),
        )
    };
    if long {
        crate::visit::blocking(move || hand_in(&house)).await?;
    } else {
        hand_in(&house)?;
    }
    receiver.await.map_err(|_| {
        Error::new(
            Kind::Internal,
            "desk_closed",
            "the desk closed before the receipt was written",
            "Send the very same declaration again: if it was recorded, you will get its receipt.",
        )
    })?
}

/// Lodges a declaration: JSON, or XML of the WCO DMS profile, by its content type. The answer comes when everything up
/// to the choice of its lane is durable. The very same declaration sent again gets its first receipt.
#[utoipa::path(post, path = "/api/v1/declarations", request_body(content((serde_json::Value = "application/json"), (String = "application/xml")), description = "The declaration, at most 1 MiB; see docs/declarations.md"), responses(
    (status = 201, description = "It was recorded; Location names it", body = ReceiptAnswer),
    (status = 200, description = "The very same was lodged before: its first receipt", body = ReceiptAnswer),
    (status = 400, description = "No declaration that can be recorded; findings say why. Nothing was recorded", body = Problem),
    (status = 401, description = "No token, or no session", body = Problem),
    (status = 403, description = "The account lodges for no party", body = Problem),
    (status = 409, description = "The reference is that of another declaration", body = Problem),
    (status = 413, description = "Too long", body = Problem),
    (status = 415, description = "Neither JSON nor XML", body = Problem),
    (status = 422, description = "Recorded, and rejected for correction: findings, and the receipt", body = Problem),
    (status = 429, description = "Too many wait; Retry-After says when to come back. Nothing was recorded", body = Problem)))]
pub(super) async fn lodge(visit: Visit, posted: PostedBytes) -> Result<Response, Failure> {
    let form = form_of(&posted.media_type)?;
    lodged(&visit, posted.bytes.into(), form).await
}

/// The answer to a declaration that is lodged.
pub(super) async fn lodged(visit: &Visit, bytes: Vec<u8>, form: Form) -> Result<Response, Failure> {
    let reader = visit.reader()?;
    let request = LodgeRequest { bytes, form: Some(form), channel: Channel::Api };
    let receipt = lodge_and_wait(visit, &reader, request).await.map_err(unreadable_is_no_rejection)?;
    if receipt.progress == Progress::Rejected {
        let findings = receipt.findings.clone();
        return Ok(Problem::rejected(receipt.into(), findings).into_response());
    }
    let status = if receipt.repeated { StatusCode::OK } else { StatusCode::CREATED };
    let place = format!("/api/v1/declarations/{}", receipt.mrn);
    let mut response = (status, Json(ReceiptAnswer::from(receipt))).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// What cannot be read at all was not recorded, and is told apart from what was recorded and rejected.
pub(super) fn unreadable_is_no_rejection(error: Error) -> Error {
    if error.kind == Kind::Refused { Error { kind: Kind::Invalid, ..error } } else { error }
}

/// What would be found in a declaration if it were lodged now. Nothing is recorded.
#[utoipa::path(post, path = "/api/v1/declarations/check", request_body(content((serde_json::Value = "application/json"), (String = "application/xml")), description = "The declaration, as for lodging"), responses((status = 200, description = "What would be found", body = CheckAnswer), (status = 415, description = "Neither JSON nor XML", body = Problem)))]
pub(super) async fn check(visit: Visit, posted: PostedBytes) -> Result<Response, Failure> {
    let form = form_of(&posted.media_type)?;
    let found = visit.work(move |house, reader| house.check_declaration(reader, &posted.bytes, form)).await?;
    let acceptable = found.iter().all(|finding| finding.severity != Severity::Error);
    Ok(Json(CheckAnswer { acceptable, findings: findings(found) }).into_response())
}

/// Declarations, the latest first unless asked otherwise. A trader's answer holds its own party's only, narrowed by `q`
/// and `page` alone.
#[utoipa::path(get, path = "/api/v1/declarations", params(
    ("q" = Option<String>, Query, description = "Beginning of an MRN or LRN, a party's id, a container, the beginning of a commodity code"),
    ("office" = Option<String>, Query, description = "Office"),
    ("lane" = Option<String>, Query, description = "Lane"),
    ("state" = Option<String>, Query, description = "State"),
    ("arm" = Option<String>, Query, description = "Arm of the selection; restricted"),
    ("party" = Option<String>, Query, description = "Party in any role"),
    ("commodity" = Option<String>, Query, description = "Commodity code or its beginning"),
    ("origin" = Option<String>, Query, description = "Country of origin of any item"),
    ("tag" = Option<String>, Query, description = "Tag carried, as far as it may be seen"),
    ("outcome" = Option<String>, Query, description = "conform, irregular, inspected or unknown"),
    ("source" = Option<String>, Query, description = "live or history"),
    ("from" = Option<String>, Query, description = "First day of lodging"),
    ("to" = Option<String>, Query, description = "Last day of lodging"),
    ("sort" = Option<String>, Query, description = "lodged, value, score, items or mrn, with - before it downwards"),
    ("page" = Option<usize>, Query, description = "Page, from 1")),
    responses((status = 200, description = "For a trader a page of its own, for officials a page of all", body = OwnPageAnswer)))]
pub(super) async fn list(visit: Visit, Asked(query): Asked<DeclarationsQuery>) -> Result<Response, Failure> {
    let officials = visit.may(Permission::ViewDeclarations);
    if officials {
        let page = visit.work(move |house, reader| house.find_declarations(reader, &query)).await?;
        return Ok(Json(page).into_response());
    }
    let (rows, total) =
        visit.work(move |house, reader| house.own_declarations(reader, &query.q, query.page)).await?;
    let rows = rows.into_iter().map(OwnRowAnswer::from).collect();
    Ok(Json(OwnPageAnswer { rows, total }).into_response())
}

/// One declaration: for officials with everything they may see, for a trader one of its own party's.
#[utoipa::path(get, path = "/api/v1/declarations/{mrn}", params(("mrn" = String, Path, description = "MRN")), responses((status = 200, description = "The declaration", body = serde_json::Value), (status = 404, description = "There is none that the caller may see", body = Problem)))]
pub(super) async fn one(visit: Visit, Path(mrn): Path<String>) -> Result<Response, Failure> {
    if visit.may(Permission::ViewDeclarations) {
        return Ok(Json(visit.work(move |house, reader| house.case(reader, &mrn)).await?).into_response());
    }
    Ok(Json(visit.work(move |house, reader| house.own_declaration(reader, &mrn)).await?).into_response())
}

/// The receipt of a declaration of the caller's party, with where it stands now.
#[utoipa::path(get, path = "/api/v1/declarations/{mrn}/receipt", params(("mrn" = String, Path, description = "MRN")), responses((status = 200, description = "The receipt", body = ReceiptAnswer), (status = 404, description = "There is none that the caller may see", body = Problem)))]
pub(super) async fn receipt(visit: Visit, Path(mrn): Path<String>) -> Result<Json<ReceiptAnswer>, Failure> {
    Ok(Json(visit.work(move |house, reader| house.receipt(reader, &mrn)).await?.into()))
}

/// The bytes of a declaration as they came.
#[utoipa::path(get, path = "/api/v1/declarations/{mrn}/original", params(("mrn" = String, Path, description = "MRN")), responses((status = 200, description = "The bytes, with their media type", body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, description = "There is none that the caller may see", body = Problem)))]
pub(super) async fn original(visit: Visit, Path(mrn): Path<String>) -> Result<Response, Failure> {
    let (media_type, bytes) = visit.work(move |house, reader| house.original(reader, &mrn)).await?;
    let media_type = HeaderValue::from_str(&media_type).unwrap_or(HeaderValue::from_static("text/plain"));
    let attached = HeaderValue::from_static("attachment");
    Ok(([(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, attached)], bytes).into_response())
}

/// What is to be done, with the version of the declaration that was looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ActionRequest {
    /// Version of the declaration as it was looked at: if it has moved on, nothing is done.
    version: u64,
    /// `action` and what it needs: `take`, `give_back`, `hand_over`, `complete`, `withdraw_result`,
    /// `request_documents`, `ask`, `escalate`, `release`, `detain`, `close_audit`, `cancel`, `deny_cancel`,
    /// `answer_contest`, `grant_amendment`, `deny_amendment`, `correct`, `report_insufficient`, `receive_payment`,
    /// `clear`, `confirm_exit`; a trader's: `answer`, `send_documents`, `request_cancel`, `contest`, `present`, `depart`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    action: CaseAction,
}

/// Does something with a declaration.
#[utoipa::path(post, path = "/api/v1/declarations/{mrn}/actions", params(("mrn" = String, Path, description = "MRN")), request_body = ActionRequest, responses((status = 200, description = "It is done and recorded", body = PositionAnswer), (status = 403, description = "Not permitted", body = Problem), (status = 404, description = "There is none that the caller may see", body = Problem), (status = 409, description = "Somebody was faster; nothing was done", body = Problem), (status = 422, description = "The declaration's state does not allow it", body = Problem)))]
pub(super) async fn act(
    visit: Visit,
    Path(mrn): Path<String>,
    PostedJson(asked): PostedJson<ActionRequest>,
) -> Result<Json<PositionAnswer>, Failure> {
    let position =
        visit.work(move |house, reader| house.act(reader, &mrn, asked.version, &asked.action)).await?;
    Ok(Json(PositionAnswer { position }))
}

/// Keeps a document, at most 16 MiB; `send_documents` then names it by its hash.
#[utoipa::path(post, path = "/api/v1/documents", request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, description = "It is kept", body = DocumentAnswer), (status = 413, description = "Too long", body = Problem)))]
pub(super) async fn keep_document(visit: Visit, posted: PostedBytes) -> Result<Response, Failure> {
    let bytes = u64::try_from(posted.bytes.len()).unwrap_or(u64::MAX);
    let kept = visit.work(move |house, reader| house.keep_document(reader, &posted.bytes)).await?;
    Ok((StatusCode::CREATED, Json(DocumentAnswer { sha256: kept.sha256, bytes })).into_response())
}
