//! Webhooks of a party.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use customhouse::identity::Permission;
use customhouse::webhooks::{DeliveryShown, Webhook};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;
use crate::failure::Failure;
use crate::visit::{PostedBytes, PostedJson, Visit};
use crate::webhooks::perform;

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/webhooks", get(webhooks).post(open_webhook))
        .route("/api/v1/webhooks/{id}", get(webhook))
        .route("/api/v1/webhooks/{id}/actions", post(act_on_webhook))
        .route("/api/v1/webhooks/{id}/secret", post(change_webhook_secret))
}

/// An address to which notifications are pushed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookAnswer {
    /// Id.
    id: String,
    /// Whose notifications.
    party: String,
    /// Where to.
    url: String,
    /// `active`, `paused` or `given_up`.
    state: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Until when signatures under the earlier secret are sent too.
    #[schema(value_type = Option<String>, format = DateTime)]
    earlier_secret_until: Option<Timestamp>,
    /// Tries of the notification that is next.
    tries: u32,
    /// When it is tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try_at: Option<Timestamp>,
    /// What was sent last, the latest first; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<Vec<DeliveryAnswer>>,
}

/// A notification that was sent, or tried to be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryAnswer {
    /// Header `webhook-id`.
    message: String,
    /// The declaration that it is about; empty for a test.
    mrn: String,
    /// Its function code; empty for a test.
    function_code: String,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    /// How often it was sent.
    tries: u32,
    /// When it was last sent.
    #[schema(value_type = Option<String>, format = DateTime)]
    tried_at: Option<Timestamp>,
    /// HTTP status of the last answer.
    status: Option<u16>,
    /// `name_unknown`, `inwards`, `not_connected`, `not_secure`, `timed_out`, `broken_off`, `redirected` or `refused`.
    trouble: Option<String>,
    /// How long the last try took.
    milliseconds: Option<u64>,
    /// `waits`, `delivered`, `skipped` or `failed`.
    fate: &'static str,
}

impl From<DeliveryShown> for DeliveryAnswer {
    fn from(shown: DeliveryShown) -> Self {
        let DeliveryShown {
            message,
            mrn,
            function_code,
            issued_at,
            tries,
            tried_at,
            status,
            trouble,
            milliseconds,
            fate,
        } = shown;
        let fate = fate.name();
        Self { message, mrn, function_code, issued_at, tries, tried_at, status, trouble, milliseconds, fate }
    }
}

impl From<Webhook> for WebhookAnswer {
    fn from(webhook: Webhook) -> Self {
        let Webhook { id, party, url, state, made_at, earlier_secret_until, tries, next_try_at } = webhook;
        let state = state.name();
        Self { id, party, url, state, made_at, earlier_secret_until, tries, next_try_at, deliveries: None }
    }
}

/// A secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookSecretAnswer {
    /// The webhook's id.
    id: String,
    /// `whsec_` and Base64 of the key.
    secret: String,
}

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewWebhook {
    /// Where to: `https://` and a host of the public network.
    url: String,
}

/// What is to be done with a webhook.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct WebhookAction {
    /// `test`, `pause`, `resume` (and try at once), `skip` or `remove`.
    action: String,
    /// The notification to go on without.
    #[serde(default)]
    message: String,
}

/// Webhooks of the caller's party.
#[utoipa::path(get, path = "/api/v1/webhooks", responses((status = 200, description = "Webhooks", body = Vec<WebhookAnswer>), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn webhooks(visit: Visit) -> Result<Json<Vec<WebhookAnswer>>, Failure> {
    let webhooks = visit.work(|house, reader| house.webhooks(reader)).await?;
    Ok(Json(webhooks.into_iter().map(WebhookAnswer::from).collect()))
}

/// Makes a webhook and answers with its secret, this once.
#[utoipa::path(post, path = "/api/v1/webhooks", request_body = NewWebhook, responses((status = 201, description = "It is made", body = WebhookSecretAnswer), (status = 400, description = "No address to which we go", body = Problem), (status = 403, description = "Not permitted", body = Problem), (status = 422, description = "The party has too many", body = Problem)))]
pub(super) async fn open_webhook(
    visit: Visit,
    PostedJson(new): PostedJson<NewWebhook>,
) -> Result<Response, Failure> {
    let (webhook, secret) = visit.work(move |house, reader| house.open_webhook(reader, &new.url)).await?;
    Ok((StatusCode::CREATED, Json(WebhookSecretAnswer { id: webhook.id, secret })).into_response())
}

/// One webhook, with what was sent last.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", params(("id" = String, Path, description = "Id of the webhook")), responses((status = 200, description = "The webhook", body = WebhookAnswer), (status = 404, description = "The party has no such webhook", body = Problem)))]
pub(super) async fn webhook(visit: Visit, Path(id): Path<String>) -> Result<Json<WebhookAnswer>, Failure> {
    let (webhook, deliveries) = visit.work(move |house, reader| house.webhook(reader, &id)).await?;
    let deliveries = deliveries.into_iter().map(DeliveryAnswer::from).collect();
    Ok(Json(WebhookAnswer { deliveries: Some(deliveries), ..webhook.into() }))
}

/// Does something with a webhook.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/actions", params(("id" = String, Path, description = "Id of the webhook")), request_body = WebhookAction, responses((status = 204, description = "It is done"), (status = 404, description = "The party has no such webhook", body = Problem), (status = 409, description = "The notification is not the one that is next", body = Problem)))]
pub(super) async fn act_on_webhook(
    visit: Visit,
    Path(id): Path<String>,
    PostedJson(asked): PostedJson<WebhookAction>,
) -> Result<StatusCode, Failure> {
    visit.require(Permission::ManageWebhooks)?;
    perform(&visit, id, asked.action, asked.message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts another secret in the place of the one in use and answers with it, this once; the earlier one signs too for a
/// day.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/secret", params(("id" = String, Path, description = "Id of the webhook")), responses((status = 201, description = "It is made", body = WebhookSecretAnswer), (status = 404, description = "The party has no such webhook", body = Problem)))]
pub(super) async fn change_webhook_secret(
    visit: Visit,
    Path(id): Path<String>,
    _posted: PostedBytes,
) -> Result<Response, Failure> {
    let webhook = id.clone();
    let secret = visit.work(move |house, reader| house.change_webhook_secret(reader, &webhook)).await?;
    Ok((StatusCode::CREATED, Json(WebhookSecretAnswer { id, secret })).into_response())
}
