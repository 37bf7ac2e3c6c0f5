//! What a handler answers when it cannot do what was asked: turned into a page with the remedy, or into
//! `application/problem+json` (RFC 9457) under `/api`, by the middleware in [`crate::visit`].

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use customhouse::{Error, Kind};
use serde::Serialize;
use spine::Finding;
use utoipa::ToSchema;

/// A failure on its way to the reader.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// Nobody is signed in.
    SignIn,
    /// The application says no.
    Refused(Arc<Error>),
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
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Refused(error) => status_of(error),
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
    #[schema(value_type = Vec<Object>)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
}

/// The failure as a problem document.
pub(crate) fn problem(failure: &Failure) -> Response {
    let status = failure.status();
    let (code, detail, how_to_fix, findings) = match failure {
        Failure::SignIn => (
            "not_signed_in",
            "nobody is signed in",
            "Sign in at /sign-in and send the session's cookie along.",
            Vec::new(),
        ),
        // Causes of internal failures are for the log, not for whoever asks.
        Failure::Refused(error) if error.kind == Kind::Internal => {
            (error.code.as_str(), "the program could not do this", error.how_to_fix.as_str(), Vec::new())
        }
        Failure::Refused(error) => {
            (error.code.as_str(), error.detail.as_str(), error.how_to_fix.as_str(), error.findings.clone())
        }
    };
    let problem = Problem {
        problem_type: format!("urn:tidewaiter:problem:{code}"),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail: detail.to_owned(),
        how_to_fix: how_to_fix.to_owned(),
        findings,
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}
