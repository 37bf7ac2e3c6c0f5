//! HTTP: pages, JSON API, sign-in, and the audit's report. The only room that knows HTTP; it sees the application and
//! the nouns only.
//!
//! One room of the application is one file here. A handler reads its query, asks the application one question on a
//! thread that may wait, and shows the answer; what the reader may see is decided there, not here. [`visit`] attends
//! every request, [`shell`] frames every page.

mod accounts;
mod api;
mod assets;
mod audits;
mod case;
mod changes;
mod clients;
mod conformance;
mod declarations;
mod drawing;
mod entities;
mod entrance;
mod entry_summaries;
mod erasures;
mod events;
mod failure;
mod headers;
mod help;
mod jobs;
mod oauth;
mod once;
mod overview;
mod own;
mod packs;
mod plan;
mod pool;
mod proofs;
mod push;
mod queue;
pub mod report;
mod sandbox;
mod search;
mod server;
mod shell;
mod status;
mod stream;
mod tags;
mod view;
mod viewings;
mod visit;
mod warnings;
mod webhooks;
mod witnesses;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};
use axum::{Extension, Router};
use customhouse::Customhouse;
use customhouse::audit::AuditReport;
use spine::Language;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

pub use api::openapi;
pub use assets::user_interface_built;
pub use oauth::basic as basic_credentials;
pub use server::{Patience, Ready, ServeOptions, serve};

/// Longest body of an ordinary form.
const FORM_BYTES_MAX: usize = 1 << 20;
/// A file comes in within this time.
const UPLOAD_LIMIT: Duration = Duration::from_secs(3_600);

/// The audit's report as one HTML file that needs no network. `language` is the one in which it opens; English and
/// Chinese are inside.
#[must_use]
pub fn render_report(report: &AuditReport, language: Language) -> String {
    let assets =
        report::ReportAssets { style: assets::text("report.css"), script: assets::text("report.js") };
    report::render_report(report, language, assets)
}

/// Everything that is served, with the usual patience.
pub fn router(house: Arc<Customhouse>) -> Router {
    let live = stream::Live::new(&house);
    router_with(house, &live, Patience::default().request)
}

/// Everything that is served: what moves is told from `live`, an ordinary request takes no longer than `request_max`.
fn router_with(house: Arc<Customhouse>, live: &stream::Live, request_max: Duration) -> Router {
    let pages = Router::new()
        .route("/", get(overview::show))
        .route("/live", get(overview::live))
        .route("/declarations", get(declarations::list))
        .route("/declarations.csv", get(declarations::export))
        .route("/declarations/views", post(declarations::save))
        .route("/declarations/views/forget", post(declarations::forget))
        .route("/declarations/{mrn}", get(case::show))
        .route("/declarations/{mrn}/moved", get(case::moved))
        .route("/declarations/{mrn}/act", post(case::act))
        .route("/declarations/{mrn}/original", get(case::original))
        .route("/declarations/{mrn}/documents/{sha256}", get(case::document))
        .route("/declarations/{mrn}/replay", get(case::replay).post(case::start_replay))
        .route("/declarations/{mrn}/result", get(case::result_form))
        .route("/queue", get(queue::show))
        .route("/queue/changed", get(queue::changed))
        .route("/queue/next", post(queue::next))
        .route("/queue/{mrn}/{action}", post(queue::act))
        .route("/plan", get(plan::show))
        .route("/plan/propose", post(plan::propose))
        .route("/plan/fit", post(plan::fit))
        .route("/plan/capacity", post(plan::capacity))
        .route("/plan/policies/{hash}", get(plan::policy))
        .route("/plan/policies/{hash}/approve", post(plan::approve))
        .route("/plan/policies/{hash}/withdraw", post(plan::withdraw))
        .route("/entities", get(entities::list))
        .route("/entities/matches", get(entities::matches))
        .route("/entities/matches/merge", post(entities::merge))
        .route("/entities/matches/apart", post(entities::apart))
        .route("/entities/decisions/{id}/{action}", post(entities::act))
        .route("/entities/{id}", get(entities::show))
        .route("/journal", get(events::list))
        .route("/journal/{position}", get(events::show))
        .route("/erasures", get(erasures::list).post(erasures::order))
        .route("/erasures/{id}/approve", post(erasures::approve))
        .route("/erasures/{id}/withdraw", post(erasures::withdraw))
        .route("/viewings", get(viewings::list))
        .route("/sandbox/clock", post(sandbox::clock))
        .route("/sandbox/pace", post(sandbox::pace))
        .route("/pool", get(pool::list))
        .route("/pool/new", get(pool::form))
        .route("/pool/uploads/{id}", get(pool::review))
        .route("/pool/uploads/{id}/admit", post(pool::admit))
        .route("/pool/uploads/{id}/discard", post(pool::discard))
        .route("/pool/contracts/{name}", get(pool::contract))
        .route("/pool/batches/{id}", get(pool::detail))
        .route("/pool/batches/{id}/rows", get(pool::rows))
        .route("/pool/batches/{id}/rows/{row}", get(pool::lineage))
        .route("/pool/batches/{id}/quarantine", get(pool::quarantine))
        .route("/pool/batches/{id}/quarantine.csv", get(pool::export))
        .route("/audits", get(audits::list).post(audits::start))
        .route("/audits/new", get(audits::form))
        .route("/audits/{id}", get(audits::show))
        .route("/audits/{id}/report.html", get(audits::download))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::show))
        .route("/jobs/{id}/progress", get(jobs::progress))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/packs", get(packs::list))
        .route("/packs/{id}", get(packs::show))
        .route("/accounts", get(accounts::list).post(accounts::add))
        .route("/accounts/{id}", get(accounts::show))
        .route("/accounts/{id}/role", post(accounts::change_role))
        .route("/accounts/{id}/assign", post(accounts::assign))
        .route("/accounts/{id}/tokens", post(accounts::issue))
        .route("/accounts/{id}/tokens/{token}/revoke", post(accounts::revoke))
        .route("/accounts/{id}/close", post(accounts::close))
        .route("/accounts/{id}/reopen", post(accounts::reopen))
        .route("/account", get(accounts::own))
        .route("/account/password", post(accounts::change_password))
        .route("/account/tokens", post(accounts::issue_own))
        .route("/account/tokens/{token}/revoke", post(accounts::revoke_own))
        .route("/search", get(search::page))
        .route("/search/suggestions", get(search::suggestions))
        .route("/help", get(help::show))
        .route("/conformance", get(conformance::show))
        .merge(api::routes())
        .merge(clients::routes())
        .merge(proofs::routes())
        .merge(own::routes())
        .merge(entry_summaries::routes())
        .merge(tags::routes())
        .merge(warnings::routes())
        .merge(webhooks::routes())
        .merge(stream::routes(live))
        .route_layer(middleware::from_fn(headers::signed_in_only));
    let open = Router::new()
        .route("/sign-in", get(entrance::sign_in_form).post(entrance::sign_in))
        .route("/sign-out", post(entrance::sign_out))
        .route("/set-up", get(entrance::set_up_form).post(entrance::set_up))
        .route("/preferences", post(entrance::preferences))
        .route("/status", get(status::show))
        .route("/status/live", get(status::live))
        .route("/changes", get(changes::show))
        .route("/changes.atom", get(changes::feed))
        .merge(api::public_routes())
        .merge(oauth::public_routes())
        .merge(proofs::public_routes())
        .layer(Extension(status::kept()))
        .layer(Extension(changes::kept()))
        .route("/assets/{hash}/{name}", get(assets::serve));
    let ordinary = pages
        .merge(open)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, request_max));
    let uploads = Router::new()
        .route("/pool/uploads", post(pool::receive))
        .route_layer(middleware::from_fn(headers::signed_in_only))
        .layer(DefaultBodyLimit::max(pool::UPLOAD_BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, UPLOAD_LIMIT));
    let registers = Router::new()
        .route("/entities/register", post(entities::receive))
        .route_layer(middleware::from_fn(headers::signed_in_only))
        .layer(DefaultBodyLimit::max(entities::REGISTER_BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, UPLOAD_LIMIT));
    let results = Router::new()
        .route("/declarations/{mrn}/result", post(case::record_result))
        .route_layer(middleware::from_fn(headers::signed_in_only))
        .layer(DefaultBodyLimit::max(case::RESULT_BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, UPLOAD_LIMIT));
    let documents = own::document_routes()
        .merge(api::document_routes())
        .route_layer(middleware::from_fn(headers::signed_in_only))
        .layer(DefaultBodyLimit::max(own::DOCUMENT_BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, UPLOAD_LIMIT));
    ordinary
        .merge(uploads)
        .merge(registers)
        .merge(documents)
        .merge(results)
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(house, visit::attend))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(headers::guard))
}
