//! What a handler answers when it cannot do what was asked: turned into a page with the remedy, or into
//! `application/problem+json` (RFC 9457) under `/api`, by the middleware in [`crate::visit`].

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use customhouse::{Error, Kind};
use serde::Serialize;
use spine::Finding;
use utoipa::ToSchema;

use crate::api::{FindingAnswer, ReceiptAnswer};

/// A failure on its way to the reader.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// Nobody is signed in.
    SignIn,
    /// The application says no.
    Refused(Arc<Error>),
    /// A token that is worth nothing: whoever sends one is not looked at by a cookie beside it.
    TokenWorthless,
    /// The protocol says no, with a status of its own: too large, too slow, no such method, an unknown kind of content.
    Protocol(StatusCode, Arc<Error>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(Arc::new(error))
    }
}

impl Failure {
    /// A form that does not come from one of our pages, or from one that is too old.
    pub(crate) fn stale_form() -> Self {
        Error::new(
            Kind::Forbidden,
            "form_stale",
            "the form's token does not belong to this session",
            "Go back, reload the page, and send the form again.",
        )
        .into()
    }

    /// The request cannot be read.
    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Error::new(Kind::Invalid, "request_unreadable", detail, "Reload the page and send the form again.")
            .into()
    }

    /// HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::SignIn | Self::TokenWorthless => StatusCode::UNAUTHORIZED,
            Self::Refused(error) => status_of(error),
            Self::Protocol(status, _) => *status,
        }
    }
}

fn status_of(error: &Error) -> StatusCode {
    match error.kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Conflict | Kind::Cancelled => StatusCode::CONFLICT,
        Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Busy => StatusCode::TOO_MANY_REQUESTS,
        Kind::FolderUnusable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A problem as the API tells it (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Stable name of the problem.
    #[serde(rename = "type")]
    problem_type: String,
    /// HTTP status in words.
    title: String,
    /// HTTP status.
    status: u16,
    /// What happened, where, with which value.
    detail: String,
    /// What to do now.
    how_to_fix: String,
    /// Findings that explain it, if there are any.
    #[schema(value_type = Vec<FindingAnswer>)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
    /// The receipt of a declaration that was recorded and rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptAnswer>,
}

/// Seconds after which whoever came at a bad moment may come back.
const RETRY_AFTER_SECONDS: &str = "2";

/// The failure as a problem document.
pub(crate) fn problem(failure: &Failure) -> Response {
    let status = failure.status();
    let mut response = document_of(failure, status).into_response();
    let headers = response.headers_mut();
    if let Some(challenge) = challenge(failure) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

/// What a program's token lacks (RFC 6750, section 3).
fn challenge(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::SignIn => Some("Bearer"),
        Failure::TokenWorthless => Some("Bearer error=\"invalid_token\""),
        Failure::Refused(error) if error.code == "insufficient_scope" => {
            Some("Bearer error=\"insufficient_scope\"")
        }
        Failure::Refused(_) | Failure::Protocol(..) => None,
    }
}

fn document_of(failure: &Failure, status: StatusCode) -> Problem {
    let (code, detail, how_to_fix, findings) = match failure {
        Failure::SignIn => (
            "not_signed_in",
            "nobody is signed in",
            "Send a token in the header Authorization, or sign in at /sign-in and send the session's cookie along.",
            Vec::new(),
        ),
        Failure::TokenWorthless => (
            "token_worthless",
            "the token in the header Authorization is none, was revoked, or has ended",
            "Send \"Authorization: Bearer ...\" with a token that is in use: have one issued on the account's page, or ask for one at /oauth2/token.",
            Vec::new(),
        ),
        // Causes of internal failures are for the log, not for whoever asks.
        Failure::Refused(error) if error.kind == Kind::Internal => {
            (error.code.as_str(), "the program could not do this", error.how_to_fix.as_str(), Vec::new())
        }
        Failure::Refused(error) | Failure::Protocol(_, error) => {
            (error.code.as_str(), error.detail.as_str(), error.how_to_fix.as_str(), error.findings.clone())
        }
    };
    Problem {
        problem_type: format!("urn:tidewaiter:problem:{code}"),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail: detail.to_owned(),
        how_to_fix: how_to_fix.to_owned(),
        findings,
        receipt: None,
    }
}

impl Problem {
    /// Something that was recorded and cannot go on as it stands: the receipt says under which number.
    pub(crate) fn rejected(receipt: ReceiptAnswer, findings: Vec<Finding>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self {
            problem_type: "urn:tidewaiter:problem:declaration_rejected".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: "the declaration was recorded and rejected for correction".to_owned(),
            how_to_fix: "Correct what the findings name and lodge it again under the same reference."
                .to_owned(),
            findings,
            receipt: Some(receipt),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}
