//! What is done with an append before the writer sees it, on the caller's own thread: checks, canonical bytes, salt,
//! commitment. The writer only adds what depends on the order of things.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use spine::Actor;
use spine::event::canonical_bytes;

use crate::clock::to_microseconds;
use crate::error::JournalError;
use crate::lease::{Fence, LEASE_NAME_BYTES_MAX, LEASE_SECONDS_MAX};
use crate::model::{
    ACTOR_ID_BYTES_MAX, APPEND_BYTES_MAX, APPEND_EVENTS_MAX, AppendRequest, BASIS_BYTES_MAX,
    IDEMPOTENCY_KEY_BYTES_MAX, KIND_BYTES_MAX, NewEvent, PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX,
    STREAM_BYTES_MAX,
};

/// Bytes of a salt.
pub(crate) const SALT_BYTES: usize = 32;
/// The largest whole number that canonical JSON keeps exactly (RFC 8785, section 3.2.2.3).
const WHOLE_NUMBER_MAX: u64 = 1 << 53;

/// An event that only lacks its place and time of recording.
#[derive(Debug)]
pub(crate) struct PreparedEvent {
    pub(crate) stream: String,
    pub(crate) kind: String,
    pub(crate) kind_version: u32,
    pub(crate) occurred_at: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) causation: Option<String>,
    /// Salt, then the canonical payload: what the commitment is the hash of.
    pub(crate) salted: Vec<u8>,
    pub(crate) payload_commit: String,
    /// The random part of the event's id (UUID version 7).
    pub(crate) id_random: [u8; 10],
}

/// A checked append.
#[derive(Debug)]
pub(crate) struct PreparedAppend {
    pub(crate) events: Vec<PreparedEvent>,
    pub(crate) expected: Vec<(String, u64)>,
    pub(crate) idempotency_key: Option<String>,
    /// What is claimed, as the store keeps it: see [`stored_claim`].
    pub(crate) claims: Vec<String>,
    /// The lease that this append rests on.
    pub(crate) fence: Option<Fence>,
    pub(crate) bytes: usize,
}

pub(crate) fn prepare(request: AppendRequest) -> Result<PreparedAppend, JournalError> {
    let AppendRequest { events, mut expected, idempotency_key, claims } = request;
    if events.is_empty() {
        return Err(JournalError::malformed("events of an append", "none", "at least one event"));
    }
    at_most("events of one append", events.len(), APPEND_EVENTS_MAX)?;
    if let Some(key) = &idempotency_key {
        check_token("idempotency key", key, IDEMPOTENCY_KEY_BYTES_MAX)?;
    }
    let claims = check_claims(&claims)?;
    for (stream, _) in &expected {
        check_token("stream", stream, STREAM_BYTES_MAX)?;
    }
    expected.sort();
    expected.dedup();
    if let Some(((stream, _), _)) =
        expected.iter().zip(expected.iter().skip(1)).find(|((first, _), (second, _))| first == second)
    {
        return Err(JournalError::malformed(
            "expected versions",
            stream,
            "each stream with one version only",
        ));
    }
    let mut random = vec![[0_u8; SALT_BYTES + 10]; events.len()];
    getrandom::fill(random.as_flattened_mut())
        .map_err(|error| JournalError::Stopped { reason: format!("no random bytes: {error}") })?;
    let mut prepared = Vec::with_capacity(events.len());
    let mut bytes = 0_usize;
    for (event, random) in events.into_iter().zip(&random) {
        let event = prepare_event(event, random)?;
        bytes = bytes.saturating_add(event.salted.len());
        at_most("payload bytes of one append", bytes, APPEND_BYTES_MAX)?;
        prepared.push(event);
    }
    Ok(PreparedAppend { events: prepared, expected, idempotency_key, claims, fence: None, bytes })
}

/// Claims stand in the table of idempotency keys. They begin with a blank there, which no key has, so that neither can be
/// taken for the other.
fn stored_claim(claim: &str) -> String {
    format!(" {claim}")
}

/// A claim as its caller named it.
pub(crate) fn claim_of_stored(stored: &str) -> &str {
    stored.strip_prefix(' ').unwrap_or(stored)
}

fn check_claims(claims: &[String]) -> Result<Vec<String>, JournalError> {
    at_most("claims of one append", claims.len(), APPEND_EVENTS_MAX)?;
    let mut seen = HashSet::with_capacity(claims.len());
    for claim in claims {
        check_token("claim", claim, IDEMPOTENCY_KEY_BYTES_MAX)?;
        if !seen.insert(claim.as_str()) {
            return Err(JournalError::malformed("claims of an append", claim, "each claim once"));
        }
    }
    Ok(claims.iter().map(|claim| stored_claim(claim)).collect())
}

fn prepare_event(event: NewEvent, random: &[u8; SALT_BYTES + 10]) -> Result<PreparedEvent, JournalError> {
    check_token("stream", &event.stream, STREAM_BYTES_MAX)?;
    check_token("actor's id", &event.actor.id, ACTOR_ID_BYTES_MAX)?;
    check_kind(&event.kind)?;
    if event.kind_version == 0 {
        return Err(JournalError::malformed("version of a kind", "0", "a version from 1"));
    }
    if let Some(id) = &event.causation
        && uuid::Uuid::try_parse(id).is_err()
    {
        return Err(JournalError::malformed("causation", id, "the id of an event"));
    }
    check_payload(&event.payload, 1)?;
    let payload = canonical_bytes(&event.payload)
        .map_err(|error| JournalError::malformed("payload", &error.to_string(), "plain JSON"))?;
    at_most("payload bytes of one event", payload.len(), PAYLOAD_BYTES_MAX)?;
    let (salt, id_random) = random.split_at(SALT_BYTES);
    let mut salted = Vec::with_capacity(SALT_BYTES.saturating_add(payload.len()));
    salted.extend_from_slice(salt);
    salted.extend_from_slice(&payload);
    Ok(PreparedEvent {
        stream: event.stream,
        kind: event.kind,
        kind_version: event.kind_version,
        occurred_at: to_microseconds(event.occurred_at),
        actor: event.actor,
        causation: event.causation,
        payload_commit: commit(&salted),
        salted,
        id_random: id_random.try_into().unwrap_or_default(),
    })
}

/// The commitment to salt and payload standing together ([`spine::event::payload_commit`]).
pub(crate) fn commit(salted: &[u8]) -> String {
    hex::encode(Sha256::digest(salted))
}

pub(crate) fn check_basis(basis: &str) -> Result<(), JournalError> {
    at_most("bytes of an erasure's basis", basis.len(), BASIS_BYTES_MAX)?;
    if basis.trim().is_empty() {
        return Err(JournalError::malformed(
            "basis of an erasure",
            basis,
            "the ground on which it is erased",
        ));
    }
    Ok(())
}

pub(crate) fn check_lease(name: &str, holder: &str, time: Duration) -> Result<(), JournalError> {
    check_token("name of a lease", name, LEASE_NAME_BYTES_MAX)?;
    check_token("holder of a lease", holder, LEASE_NAME_BYTES_MAX)?;
    if time.is_zero() || time > Duration::from_secs(LEASE_SECONDS_MAX) {
        return Err(JournalError::malformed("time of a lease", &format!("{time:?}"), "up to an hour"));
    }
    Ok(())
}

/// Stream names, keys and ids: printable ASCII or other letters, no blanks, no control characters.
pub(crate) fn check_token(what: &'static str, text: &str, bytes_max: usize) -> Result<(), JournalError> {
    at_most(what, text.len(), bytes_max)?;
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(JournalError::malformed(what, text, "text without blanks and control characters"));
    }
    Ok(())
}

fn check_kind(kind: &str) -> Result<(), JournalError> {
    at_most("bytes of an event's kind", kind.len(), KIND_BYTES_MAX)?;
    let words_are_good = kind.split('.').all(|word| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
    });
    if kind.contains('.') && words_are_good {
        return Ok(());
    }
    Err(JournalError::malformed("kind of an event", kind, "noun.verb in snake_case, such as batch.admitted"))
}

/// Refuses what would not come back as it went in: numbers beyond exactness, nesting beyond any reader.
fn check_payload(value: &serde_json::Value, depth: usize) -> Result<(), JournalError> {
    use serde_json::Value;
    at_most("levels of nesting of a payload", depth, PAYLOAD_DEPTH_MAX)?;
    match value {
        Value::Number(number) => {
            let whole = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if whole.is_some_and(|whole| whole > WHOLE_NUMBER_MAX) {
                return Err(JournalError::malformed(
                    "number in a payload",
                    &number.to_string(),
                    "a whole number within 2^53, or text",
                ));
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_payload(item, depth.saturating_add(1))),
        Value::Object(members) => {
            members.values().try_for_each(|member| check_payload(member, depth.saturating_add(1)))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

fn at_most(what: &'static str, found: usize, max: usize) -> Result<(), JournalError> {
    if found <= max {
        return Ok(());
    }
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Err(JournalError::TooLarge { what, found: number(found), max: number(max) })
}
