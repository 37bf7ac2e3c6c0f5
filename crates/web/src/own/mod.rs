//! A trader's pages: its own declarations and what each waits for, a form that is kept as it is typed, a file handed in,
//! questions answered. Nothing of how declarations are selected is here.

use axum::Router;

/// Longest body of what brings documents along.
pub(crate) const DOCUMENT_BODY_BYTES_MAX: usize = crate::api::DOCUMENT_BYTES_MAX + (1 << 20);

/// Routes of forms and pages.
pub(crate) fn routes() -> Router {
    Router::new()
}

/// Routes that take files.
pub(crate) fn document_routes() -> Router {
    Router::new()
}
