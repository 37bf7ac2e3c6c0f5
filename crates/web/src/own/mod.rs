//! A trader's pages: its own declarations and what each waits for, a form that is kept as it is typed, a file checked or
//! handed in, questions answered. Nothing of how declarations are selected is here.

mod check;
mod fields;
mod file;
mod form;
mod list;
mod one;
mod receipt;

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use customhouse::Error;
use maud::{Markup, html};
use spine::Finding;

pub(crate) use fields::{CORRECTABLE_ITEMS_MAX, correctable_fields, put_in_item, standing_in_item};

use crate::shell::sentence;
use crate::view;
use crate::visit::Visit;

/// Longest body of what brings documents along.
pub(crate) const DOCUMENT_BODY_BYTES_MAX: usize = crate::api::DOCUMENT_BYTES_MAX + (1 << 20);
/// Whoever lodged sees it in the list after this time at the latest.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// Routes of forms and pages.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/own", get(list::show))
        .route("/own/moved", get(list::moved))
        .route("/own/new", get(form::begin))
        .route("/own/drafts", post(form::first))
        .route("/own/drafts/{id}", get(form::resume).post(form::go_on))
        .route("/own/drafts/{id}/discard", post(form::discard))
        .route("/own/check", get(check::form))
        .route("/own/file", get(file::form))
        .route("/own/{mrn}", get(one::show))
        .route("/own/{mrn}/moved", get(one::moved))
        .route("/own/{mrn}/receipt", get(receipt::show))
        .route("/own/{mrn}/original", get(one::original))
        .route("/own/{mrn}/correct", post(one::correct))
        .route("/own/{mrn}/act", post(one::act))
}

/// Routes that take files.
pub(crate) fn document_routes() -> Router {
    Router::new()
        .route("/own/check/file", post(check::receive))
        .route("/own/files", post(file::receive))
        .route("/own/{mrn}/documents", post(one::send_documents))
}

/// A finding in the reader's language where it has words of ours, and as it came otherwise.
fn finding_words(visit: &Visit, finding: &Finding) -> Markup {
    let words = visit.named("finding", &finding.code);
    if words == finding.code {
        let placeless = Finding { pointer: spine::Pointer::root(), ..finding.clone() };
        return view::finding(&placeless);
    }
    // Where a declaration stands is told in the reader's language.
    let found = match finding.code.as_str() {
        "request_not_possible" | "goods_presented_already" => visit.named("progress", &finding.found),
        _ => finding.found.as_str(),
    };
    html! {
        (words) " "
        @if !found.is_empty() { span class="found" { "“" (found) "” " } }
        span class="code" { (finding.code) }
    }
}

/// Why a file was not taken in, in the reader's language where it has words of ours, and as it came otherwise.
fn error_words(visit: &Visit, error: &Error) -> Markup {
    let words = visit.named("finding", &error.code);
    html! {
        @if words == error.code { p { (sentence(&error.detail)) " " strong { (error.how_to_fix) } } }
        @else { p { (words) } }
    }
}

/// Findings of a declaration that was lodged, with their places.
fn findings_shown(visit: &Visit, findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul class="findings" {
                @for finding in findings {
                    li {
                        (view::severity(visit, finding.severity)) " " (finding_words(visit, finding))
                        @if !finding.pointer.0.is_empty() { " " code class="soft" { (finding.pointer) } }
                    }
                }
            }
        }
    }
}
