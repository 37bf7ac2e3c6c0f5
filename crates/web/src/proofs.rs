//! What the journal proves, over HTTP: the log's files, proof files to take home, the page that checks them, and this
//! node as a witness.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use customhouse::proof::{LogStanding, OwnProof, ProofStanding, WITNESS_REQUEST_BYTES_MAX};
use customhouse::{Error, Kind};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Problem};
use crate::shell::{Page, Room};
use crate::view::{absent, facts, heading};
use crate::visit::{Asked, Visit, blocking};
use crate::words::{Text, count, texts};

/// Texts that the script on the page says, by name.
const SAID: [(&str, Text); 26] = [
    ("proven", texts::PROOF_PROVEN),
    ("not_proven", texts::PROOF_NOT_PROVEN),
    ("why", texts::PROOF_WHY),
    ("issuer", texts::PROOF_ISSUER),
    ("what", texts::PROOF_WHAT),
    ("when", texts::PROOF_WHEN),
    ("place", texts::PROOF_PLACE),
    ("standing", texts::PROOF_STANDING),
    ("document", texts::PROOF_DOCUMENT),
    ("document_same", texts::PROOF_DOCUMENT_SAME),
    ("reference", texts::OWN_REFERENCE),
    ("says", texts::PROOF_SAYS),
    ("standing_stands", texts::PROOF_STANDS),
    ("standing_taken_back", texts::PROOF_TAKEN_BACK),
    ("standing_unknown", texts::PROOF_STANDING_UNKNOWN),
    ("standing_elsewhere", texts::PROOF_STANDING_ELSEWHERE),
    ("malformed", texts::PROOF_MALFORMED),
    ("no_proof", texts::PROOF_NO_PROOF),
    ("no_event", texts::PROOF_NO_EVENT),
    ("not_included", texts::PROOF_NOT_INCLUDED),
    ("browser_too_old", texts::PROOF_BROWSER_TOO_OLD),
    ("bad_signature", texts::PROOF_BAD_SIGNATURE),
    ("unknown_key", texts::PROOF_UNKNOWN_KEY),
    ("payload_differs", texts::PROOF_PAYLOAD_DIFFERS),
    ("document_differs", texts::PROOF_DOCUMENT_DIFFERS),
    ("too_long", texts::PROOF_TOO_LONG),
];

/// What needs no account.
pub(crate) fn public_routes() -> Router {
    Router::new()
        .route("/verify", get(verify))
        .route("/log/{*path}", get(file))
        .route("/api/v1/log", get(standing))
        .route("/api/v1/proofs/{index}/standing", get(proof_standing))
        .route("/witness/add-checkpoint", post(add_checkpoint))
        .route("/witness/split-views", get(split_views))
        .layer(DefaultBodyLimit::max(WITNESS_REQUEST_BYTES_MAX))
}

/// What somebody who signed in takes home.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/journal/{position}/proof", get(of_event))
        .route("/own/{mrn}/proof/{what}", get(own))
        .route("/api/v1/declarations/{mrn}/proofs/{what}", get(own))
}

/// The page on which anybody checks a proof file; the script does it, nothing is uploaded.
pub(crate) async fn verify(visit: Visit) -> Result<Markup, Failure> {
    let log = visit.house().log_standing();
    let title = visit.say(texts::VERIFY);
    let content = html! {
        (heading(title, &html! { (visit.say(texts::VERIFY_TEXT)) }, &html! {}))
        noscript { div class="notice warn" { p { (visit.say(texts::VERIFY_NEEDS_SCRIPT)) } } }
        form class="card stack" data-verify data-origin=(log.origin) data-keys=(log.keys.join("\n")) {
            div class="field" data-drop {
                label for="proof" { (visit.say(texts::VERIFY_PROOF_FILE)) }
                p class="help" id="proof-help" { (visit.say(texts::VERIFY_PROOF_FILE_HELP)) }
                input id="proof" type="file" name="proof" accept=".tlog-proof,text/plain" aria-describedby="proof-help";
            }
            div class="field" data-drop {
                label for="document" { (visit.say(texts::VERIFY_DOCUMENT)) " " span class="required" { (visit.say(texts::OWN_OPTIONAL)) } }
                p class="help" id="document-help" { (visit.say(texts::VERIFY_DOCUMENT_HELP)) }
                input id="document" type="file" name="document" aria-describedby="document-help";
            }
            details {
                summary { (visit.say(texts::VERIFY_OTHER_KEYS)) }
                div class="field" {
                    label for="keys" { (visit.say(texts::VERIFY_KEYS)) }
                    textarea id="keys" name="keys" rows="3" spellcheck="false" {}
                }
            }
            p class="actions" { button class="primary" { (visit.say(texts::VERIFY)) } }
        }
        div data-outcome hidden role="status" aria-live="polite" {}
        div data-texts hidden { @for (name, text) in SAID { span data-text=(name) { (visit.say(text)) } } }
        h2 { (visit.say(texts::LOG_OF_THIS_NODE)) }
        (log_facts(&visit, &log))
        p class="help" { (visit.say(texts::LOG_KEYS_HELP)) }
    };
    Ok(Page::new(&visit, Room::Elsewhere, title).public().with_script("verify.js").show(&content))
}

fn log_facts(visit: &Visit, log: &LogStanding) -> Markup {
    let pairs = [
        (visit.say(texts::LOG_ORIGIN), html! { code { (log.origin) } }),
        (visit.say(texts::LOG_SIZE), html! { (count(log.size)) }),
        (visit.say(texts::LOG_ROOT), html! { code class="hash" { (log.root) } }),
        (visit.say(texts::LOG_KEYS), html! { @for key in &log.keys { div { code class="hash" { (key) } } } }),
        (
            visit.say(texts::LOG_WITNESS_KEY),
            html! { @match &log.witness_key { Some(key) => code class="hash" { (key) }, None => (absent()) } },
        ),
        (
            visit.say(texts::LOG_PADDING),
            html! { @match log.pad_to { 1 => (absent()), n => (visit.fill(texts::LOG_PADDED_TO, &[("n", &count(n))])) } },
        ),
        (visit.say(texts::LOG_CHECKPOINT), html! { a href="/log/checkpoint" { "/log/checkpoint" } }),
    ];
    html! {
        @if let Some(trouble) = &log.trouble { div class="notice warn" { p { (trouble) } } }
        @if log.split_views > 0 { div class="notice bad" { p { a href="/witness/split-views" { (visit.fill(texts::LOG_SPLIT_VIEWS, &[("n", &log.split_views.to_string())])) } } } }
        (facts(&pairs))
    }
}

/// A file of the log.
pub(crate) async fn file(visit: Visit, Path(path): Path<String>) -> Result<Response, Failure> {
    let reader = visit.reader().ok();
    let house = std::sync::Arc::clone(visit.house());
    let (bytes, kind) = blocking(move || house.log_file(reader.as_ref(), &path)).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response())
}

/// How the log stands.
#[utoipa::path(get, path = "/api/v1/log", responses((status = 200, description = "Size, root and keys of the log", body = serde_json::Value)))]
pub(crate) async fn standing(visit: Visit) -> Json<LogStanding> {
    Json(visit.house().log_standing())
}

/// Whether a receipt or release still stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StandingAnswer {
    /// `stands`, `taken_back` or `unknown`.
    #[schema(value_type = String)]
    standing: ProofStanding,
}

/// Whoever asks shows that it has the proof file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StandingQuery {
    leaf: String,
}

/// Whether what a proof says still stands. Tells nothing to whoever does not have the proof file.
#[utoipa::path(get, path = "/api/v1/proofs/{index}/standing", params(("index" = u64, Path, description = "Index in the log"), ("leaf" = String, Query, description = "Hash of the entry, 64 hexadecimal digits")), responses((status = 200, description = "Whether it stands", body = StandingAnswer), (status = 400, description = "No index", body = Problem)))]
pub(crate) async fn proof_standing(
    visit: Visit,
    Path(index): Path<u64>,
    Asked(asked): Asked<StandingQuery>,
) -> Result<Json<StandingAnswer>, Failure> {
    let house = std::sync::Arc::clone(visit.house());
    let standing = blocking(move || house.proof_standing(index, &asked.leaf)).await?;
    Ok(Json(StandingAnswer { standing }))
}

/// Cosigns another log's checkpoint (C2SP `tlog-witness`).
pub(crate) async fn add_checkpoint(visit: Visit, body: Bytes) -> Result<Response, Failure> {
    let house = std::sync::Arc::clone(visit.house());
    let answer = blocking(move || Ok(house.add_checkpoint(&body))).await?;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok((status, [(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type))], answer.body)
        .into_response())
}

/// Evidence that a log which this node witnesses showed two histories, one file after the other.
pub(crate) async fn split_views(visit: Visit) -> Result<Response, Failure> {
    let house = std::sync::Arc::clone(visit.house());
    let files = blocking(move || house.split_views()).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], files.join("\n"))
        .into_response())
}

fn download(name: &str, proof: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}.tlog-proof\"");
    let disposition = HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)], proof).into_response()
}

/// The proof file of an event.
pub(crate) async fn of_event(visit: Visit, Path(position): Path<u64>) -> Result<Response, Failure> {
    let proof = visit.work(move |house, reader| house.event_proof(reader, position)).await?;
    Ok(download(&format!("event-{position}"), proof))
}

/// The proof file of a trader's own receipt or release.
#[utoipa::path(get, path = "/api/v1/declarations/{mrn}/proofs/{what}", params(("mrn" = String, Path, description = "MRN"), ("what" = String, Path, description = "receipt or release")), responses((status = 200, description = "The proof file (C2SP tlog-proof)", body = String, content_type = "text/plain"), (status = 404, description = "There is none that the caller may see, or nothing to prove yet", body = Problem)))]
pub(crate) async fn own(
    visit: Visit,
    Path((mrn, what)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let what = OwnProof::from_name(&what).ok_or_else(|| {
        Error::new(
            Kind::NotFound,
            "nothing_to_prove",
            format!("there are no proofs of \"{what}\""),
            "Ask for receipt or release.",
        )
    })?;
    let name = format!("{mrn}-{}", what.name());
    let proof = visit.work(move |house, reader| house.own_proof(reader, &mrn, what)).await?;
    Ok(download(&name, proof))
}
