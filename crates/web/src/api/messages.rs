//! Messages of traders' software, of any kind, at one address.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use customhouse::declarations::{MessageAnswer, Received};
use customhouse::{Error, Kind};
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use super::answers::{FindingAnswer, ReceiptAnswer, findings};
use super::declarations::lodged;
use crate::failure::Failure;
use crate::visit::{PostedBytes, Visit};

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new().route("/api/v1/messages", post(receive))
}

/// What became of a message about declarations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FollowedAnswer {
    /// What it asks for: `amendment`, `cancellation`, `presentation`, `arrival`, `departure`, `anticipated_arrival`,
    /// `associated` or `shut`.
    request: String,
    /// The sender's reference of the message, where it has one.
    reference: Option<String>,
    /// Numbers of the declarations that it is about.
    declarations: Vec<String>,
    /// True if it was followed; if not, it is kept, and the findings say why.
    followed: bool,
    /// True if the very same message had been sent before: this is what became of it then.
    repeated: bool,
    /// Why it was not followed; of one that changed nothing, why not.
    findings: Vec<FindingAnswer>,
    /// Position in the journal up to which this is recorded.
    position: u64,
}

impl From<MessageAnswer> for FollowedAnswer {
    fn from(answer: MessageAnswer) -> Self {
        let MessageAnswer { request, reference, declarations, followed, repeated, findings: found, position } =
            answer;
        Self { request, reference, declarations, followed, repeated, findings: findings(found), position }
    }
}

/// An entry summary declaration is answered by messages of its own.
pub(crate) fn entry_summary_elsewhere() -> Error {
    Error::new(
        Kind::Invalid,
        "entry_summary_elsewhere",
        "this is an entry summary declaration",
        "Send it to POST /api/v1/entry-summaries.",
    )
}

/// Takes in any message: a declaration (DMS in its envelope or in a submitDeclarationRequest, or JSON), an amendment,
/// a cancellation, a presentation of goods, an arrival, a departure, a consolidation. A declaration is answered as
/// `POST /api/v1/declarations` answers it. What happens to it afterwards is told by notifications.
#[utoipa::path(post, path = "/api/v1/messages", request_body(content((String = "application/xml"), (serde_json::Value = "application/json")), description = "The message, at most 1 MiB; see docs/messages.md"), responses(
    (status = 200, description = "It was followed", body = FollowedAnswer),
    (status = 201, description = "It was a declaration: its receipt; Location names it", body = ReceiptAnswer),
    (status = 400, description = "No message that can be followed; findings say why. Nothing was recorded", body = Problem),
    (status = 401, description = "No token, or no session", body = Problem),
    (status = 403, description = "The account sends messages for no party", body = Problem),
    (status = 404, description = "It is about a declaration or consignment that is not the caller's", body = Problem),
    (status = 413, description = "Too long", body = Problem),
    (status = 422, description = "It is kept, and cannot be followed: findings say why", body = FollowedAnswer),
    (status = 429, description = "Too many wait; Retry-After says when to come back. Nothing was recorded", body = Problem)))]
pub(super) async fn receive(visit: Visit, posted: PostedBytes) -> Result<Response, Failure> {
    let bytes: Vec<u8> = posted.bytes.into();
    let (received, bytes) =
        visit.work(move |house, reader| Ok((house.receive_message(reader, &bytes)?, bytes))).await?;
    match received {
        Received::Declaration(form) => lodged(&visit, bytes, form).await,
        Received::EntrySummary => Err(entry_summary_elsewhere().into()),
        Received::Followed(answer) => {
            let status = if answer.followed { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            Ok((status, Json(FollowedAnswer::from(answer))).into_response())
        }
    }
}
