//! Golden events: the stored bytes of every released version of every kind, kept as files, read for ever.
//!
//! A room that releases an event kind keeps one file a version, `tests/golden/<kind>@<version>.json`, made once with
//! [`example`], and checks them all with [`check`]. A file that no longer reads means that old journals no longer
//! read: mend the decoder, never the file.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::event::{canonical_bytes, payload_commit};
use spine::{Actor, Envelope};

/// One stored event as a file: the very bytes, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenEvent {
    /// Canonical bytes of the envelope.
    pub envelope: String,
    /// The salt, hexadecimal.
    pub salt: String,
    /// Canonical bytes of the payload.
    pub payload: String,
}

/// A golden event of a kind with fixed id, times and salt: what to write into a new file.
///
/// # Errors
/// Says why the payload has no canonical bytes.
pub fn example(kind: &str, kind_version: u32, payload: &Value) -> Result<GoldenEvent, String> {
    let payload = canonical_bytes(payload).map_err(|error| error.to_string())?;
    let salt = [0x5a_u8; 32];
    let time = Timestamp::UNIX_EPOCH;
    let envelope = Envelope {
        envelope: Envelope::FORMAT,
        id: "00000000-0000-7000-8000-000000000000".to_owned(),
        node: "golden".to_owned(),
        administration: "golden".to_owned(),
        stream: "golden/1".to_owned(),
        stream_version: 1,
        kind: kind.to_owned(),
        kind_version,
        occurred_at: time,
        recorded_at: time,
        actor: Actor::system(),
        causation: None,
        payload_commit: payload_commit(&salt, &payload),
    };
    let envelope = envelope.to_canonical_bytes().map_err(|error| error.to_string())?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|error| error.to_string());
    Ok(GoldenEvent { envelope: text(envelope)?, salt: hex::encode(salt), payload: text(payload)? })
}

/// Reads every `*.json` of a folder as a golden event: the envelope is canonical, the commitment holds, and `reencode`
/// (decode the payload into today's type and write it again in the *released* version's form) gives the same bytes.
/// Returns the kinds found, as `kind@version`, sorted, so that the caller can assert that none is missing.
///
/// # Errors
/// Names the file and what no longer holds.
pub fn check(
    folder: &Path,
    reencode: &dyn Fn(&Envelope, &Value) -> Result<Value, String>,
) -> Result<Vec<String>, String> {
    let listing = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut kinds = Vec::new();
    for entry in listing {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            kinds.push(check_file(&path, reencode).map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    kinds.sort();
    Ok(kinds)
}

fn check_file(
    path: &Path,
    reencode: &dyn Fn(&Envelope, &Value) -> Result<Value, String>,
) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let golden: GoldenEvent = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let envelope =
        Envelope::from_canonical_bytes(golden.envelope.as_bytes()).map_err(|error| error.to_string())?;
    let salt: [u8; 32] = hex::decode(&golden.salt)
        .ok()
        .and_then(|salt| salt.try_into().ok())
        .ok_or_else(|| "the salt is not 32 bytes in hexadecimal".to_owned())?;
    if payload_commit(&salt, golden.payload.as_bytes()) != envelope.payload_commit {
        return Err("the payload is not the one the envelope commits to".to_owned());
    }
    let payload: Value = serde_json::from_str(&golden.payload).map_err(|error| error.to_string())?;
    let again = canonical_bytes(&reencode(&envelope, &payload)?).map_err(|error| error.to_string())?;
    if again != golden.payload.as_bytes() {
        return Err(format!(
            "decoded and written again, the payload is {} and no longer {}",
            String::from_utf8_lossy(&again),
            golden.payload
        ));
    }
    let name = format!("{}@{}", envelope.kind, envelope.kind_version);
    let file_name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if file_name == name {
        Ok(name)
    } else {
        Err(format!("it holds {name} and should be called {name}.json"))
    }
}
