//! The JSON API under `/api/v1`: the same questions as the pages, the same answers, the same clearance.
//!
//! A program carries a token in the header `Authorization: Bearer`: one of an account (`tw_...`), or one that a client
//! was given for an hour (`twa_...`, see [`crate::oauth`]). A page of ours carries the
//! session's cookie, and what changes anything the session's token in the header `x-csrf-token` (see
//! `GET /api/v1/session`). Lists are whole or have pages; a page of rows has an offset and a limit. Failures are problem
//! documents (RFC 9457). The document of all this is `/api/v1/openapi.json`.

mod answers;
mod clients;
mod declarations;
mod entities;
mod entry_summaries;
mod house;
mod messages;
mod notifications;
mod records;
mod tags;
mod webhooks;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::failure::{Failure, Problem};
use crate::visit::Visit;
pub(crate) use answers::{FindingAnswer, ReceiptAnswer};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidewaiter",
        description = "Declarations from lodging to release, work that waits, plans, entities, journal, pool, tags, audits, packs and long tasks. A program carries a token in the header Authorization: one of an account, or one that its client was given at /oauth2/token, which lets it do no more than its scopes say; a page carries the session's cookie and, to change anything, the session's token in the header x-csrf-token. Nothing above the caller's clearance is in any answer, and a trader sees nothing but declarations of its own party.",
        license(name = "Apache-2.0 OR MIT")
    ),
    paths(
        session,
        declarations::lodge,
        declarations::check,
        declarations::list,
        declarations::one,
        declarations::receipt,
        declarations::original,
        declarations::act,
        declarations::keep_document,
        messages::receive,
        notifications::list,
        notifications::one,
        notifications::of_declaration,
        entry_summaries::lodge,
        entry_summaries::list,
        entry_summaries::one,
        entry_summaries::intervene,
        house::queue,
        house::overview,
        house::plan,
        entities::entities,
        entities::matches,
        entities::merge_entities,
        entities::keep_entities_apart,
        entities::act_on_entity_decision,
        entities::entity,
        house::journal,
        house::viewings,
        house::conformance,
        house::status,
        house::changes,
        crate::oauth::token,
        crate::oauth::metadata,
        clients::clients,
        clients::open_client,
        clients::client,
        clients::change_client_scopes,
        clients::make_client_secret,
        clients::revoke_client_secret,
        clients::close_client,
        webhooks::webhooks,
        webhooks::open_webhook,
        webhooks::webhook,
        webhooks::act_on_webhook,
        webhooks::change_webhook_secret,
        crate::stream::open,
        crate::proofs::standing,
        crate::proofs::proof_standing,
        crate::proofs::own,
        records::batches,
        records::batch,
        records::rows,
        records::quarantine,
        records::lineage,
        records::tags,
        records::tag,
        records::tag_rows,
        records::why,
        tags::figures,
        tags::select,
        tags::count,
        tags::graph,
        tags::sources,
        tags::dependents,
        tags::lineage,
        tags::history,
        tags::pause_history,
        tags::resume_history,
        tags::in_history,
        tags::warnings,
        tags::watched,
        tags::watch,
        tags::unwatch,
        records::audits,
        records::audit,
        records::start_audit,
        records::jobs,
        records::job,
        records::cancel_job,
        records::packs,
        records::pack
    ),
    components(schemas(Problem, FindingAnswer)),
    modifiers(&Tokens),
    security(("token" = []))
)]
struct Document;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("tw_...").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The OpenAPI document as JSON.
#[must_use]
pub fn openapi() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}

/// Routes for whoever is signed in or has a token.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/api/v1/openapi.json", get(document))
        .route("/api/v1/session", get(session))
        .merge(clients::routes())
        .merge(declarations::routes())
        .merge(messages::routes())
        .merge(notifications::routes())
        .merge(entry_summaries::routes())
        .merge(entities::routes())
        .merge(house::routes())
        .merge(records::routes())
        .merge(tags::routes())
        .merge(webhooks::routes())
}

/// Routes for everybody.
pub(crate) fn public_routes() -> Router {
    house::public_routes()
}

/// Routes that take bodies longer than forms are.
pub(crate) fn document_routes() -> Router {
    declarations::document_routes()
}

pub(crate) use declarations::{DOCUMENT_BYTES_MAX, lodge_and_wait};
pub(crate) use messages::entry_summary_elsewhere;

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi()).into_response()
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionAnswer {
    /// Pseudonymous id: what events carry.
    id: String,
    /// Sign-in name; absent for a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Role.
    role: &'static str,
    /// What a client's token lets it do, with blanks between; absent for everybody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// The most secret class this role reads.
    clearance: &'static str,
    /// The party whose declarations a trader lodges and sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    party: Option<String>,
    /// The office at which an official works.
    #[serde(skip_serializing_if = "Option::is_none")]
    office: Option<String>,
    /// Token for the header `x-csrf-token`; absent for a token, which needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
}

/// Who asks, and for a session the token that changes anything.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, description = "Who asks", body = SessionAnswer), (status = 401, description = "Nobody is signed in", body = Problem)))]
async fn session(visit: Visit) -> Result<Json<SessionAnswer>, Failure> {
    let reader = visit.reader()?;
    let session = visit.session();
    Ok(Json(SessionAnswer {
        name: session.map(|session| session.account.name.clone()),
        role: reader.role.name(),
        scope: reader.scopes().map(ToString::to_string),
        clearance: reader.role.clearance().name(),
        csrf: session.map(|session| session.csrf.clone()),
        party: reader.party,
        office: reader.office,
        id: reader.id,
    }))
}
