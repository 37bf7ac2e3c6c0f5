//! Noting that the API is another one than last time.

use std::collections::BTreeSet;

use journal::{AppendRequest, NewEvent};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use spine::event::{Actor, canonical_bytes};

use super::read_model::texts;
use crate::Customhouse;
use crate::error::{Error, Kind};

/// Stream of what the API was.
pub(super) const API_STREAM: &str = "api/v1";
/// The document of the API is another one than before.
pub(super) const API_CHANGED: &str = "api.changed";

/// Methods as an OpenAPI document names them.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// The operations of an OpenAPI document, such as `GET /api/v1/tags`.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            let offered = METHODS.iter().filter(|method| item.get(method).is_some());
            offered.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

impl Customhouse {
    /// Records `api.changed` if the API's OpenAPI document is another one than it was last time, and says whether it
    /// did. The payload of version 1 holds `hash` (SHA-256 of the document's canonical bytes), `added` and `removed`.
    pub fn note_api(&self, document: &str) -> Result<bool, Error> {
        let unreadable = |detail: String| {
            Error::new(
                Kind::Invalid,
                "api_document_unreadable",
                detail,
                "Hand over the OpenAPI document as JSON.",
            )
        };
        let document: Value =
            serde_json::from_str(document).map_err(|error| unreadable(error.to_string()))?;
        let bytes = canonical_bytes(&document).map_err(|error| unreadable(error.to_string()))?;
        let hash = hex::encode(Sha256::digest(&bytes));
        let events = self.whole_stream(API_STREAM)?;
        let mut before = BTreeSet::new();
        for payload in events.iter().filter_map(|event| event.payload.value()) {
            for gone in texts(payload, "removed") {
                before.remove(&gone);
            }
            before.extend(texts(payload, "added"));
        }
        let last = events.last();
        let known = last.and_then(|event| event.payload.value()).and_then(|payload| payload.get("hash"));
        if known.and_then(Value::as_str) == Some(hash.as_str()) {
            return Ok(false);
        }
        let now = operations(&document);
        let added: Vec<&String> = now.difference(&before).collect();
        let removed: Vec<&String> = before.difference(&now).collect();
        let version = last.map_or(0, |event| event.envelope.stream_version);
        self.journal.append(AppendRequest {
            events: vec![NewEvent {
                stream: API_STREAM.to_owned(),
                kind: API_CHANGED.to_owned(),
                kind_version: 1,
                occurred_at: self.now(),
                actor: Actor::system(),
                causation: None,
                payload: json!({ "hash": hash, "added": added, "removed": removed }),
            }],
            expected: vec![(API_STREAM.to_owned(), version)],
            ..AppendRequest::default()
        })?;
        Ok(true)
    }
}
