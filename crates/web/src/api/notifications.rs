//! Notifications: what a trader's software is told, listed as JSON and each written as a DMS message.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use customhouse::notifications::{NotificationRow, NotificationsQuery};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use crate::failure::Failure;
use crate::visit::{Asked, Visit};

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/notifications", get(list))
        .route("/api/v1/notifications/{id}", get(one))
        .route("/api/v1/declarations/{mrn}/notifications", get(of_declaration))
}

/// One notification, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationAnswer {
    /// Its id: `Response/FunctionalReferenceID` in its text.
    id: String,
    /// Its place among all notifications: greater ones came later. What `after` takes.
    sequence: u64,
    /// The declaration.
    mrn: String,
    /// Reference of the message that it answers, where it answers one; otherwise the declaration's own (LRN).
    reference: String,
    /// Function of the message, such as `09`.
    function_code: String,
    /// Its usual name, such as `DMSCLE`.
    title: String,
    /// Status, where it has one: 39 granted, 41 denied, 67 provisional, 4 final, 115 changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
}

impl From<NotificationRow> for NotificationAnswer {
    fn from(row: NotificationRow) -> Self {
        let NotificationRow { id, sequence, mrn, reference, function_code, title, status, issued_at } = row;
        Self { id, sequence, mrn, reference, function_code, title, status, issued_at }
    }
}

/// Notifications in order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationsAnswer {
    /// The notifications.
    notifications: Vec<NotificationAnswer>,
    /// Where to go on from: ask with `after` set to this.
    next_after: u64,
}

/// Notifications of the caller's party, in order: ask again with `after` to go on.
#[utoipa::path(get, path = "/api/v1/notifications", params(
    ("after" = Option<u64>, Query, description = "Those after this sequence number; 0: from the beginning"),
    ("limit" = Option<usize>, Query, description = "How many at most, up to 200")),
    responses((status = 200, description = "Notifications", body = NotificationsAnswer), (status = 403, description = "Not a trader's", body = Problem)))]
pub(super) async fn list(
    visit: Visit,
    Asked(query): Asked<NotificationsQuery>,
) -> Result<Json<NotificationsAnswer>, Failure> {
    let page = visit.work(move |house, reader| house.notifications(reader, &query)).await?;
    let notifications = page.notifications.into_iter().map(NotificationAnswer::from).collect();
    Ok(Json(NotificationsAnswer { notifications, next_after: page.next_after }))
}

/// One notification as a message of the WCO Data Model's DMS profile (XML). The same for ever.
#[utoipa::path(get, path = "/api/v1/notifications/{id}", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, description = "MetaData with one Response", body = String, content_type = "application/xml"),
    (status = 404, description = "None of the caller's party", body = Problem)))]
pub(super) async fn one(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (_, xml) = visit.work(move |house, reader| house.notification(reader, &id)).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"))], xml)
        .into_response())
}

/// Notifications of one declaration, in order.
#[utoipa::path(get, path = "/api/v1/declarations/{mrn}/notifications", params(("mrn" = String, Path, description = "Number of the declaration")), responses(
    (status = 200, description = "Notifications", body = [NotificationAnswer]),
    (status = 404, description = "There is none that the caller may see", body = Problem)))]
pub(super) async fn of_declaration(
    visit: Visit,
    Path(mrn): Path<String>,
) -> Result<Json<Vec<NotificationAnswer>>, Failure> {
    let rows = visit.work(move |house, reader| house.notifications_of(reader, &mrn)).await?;
    Ok(Json(rows.into_iter().map(NotificationAnswer::from).collect()))
}
