//! What goes with a proof so that a stranger can read it: the event's envelope, and where that is due its salt and
//! payload. It stands in the proof file's `extra` line as JSON; the proof itself stays the standard's.

use journal::SealedEvent;
use journal::log::proof::PROOF_EXTRA_BYTES_MAX;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spine::Envelope;

/// The form of it.
pub(super) const FORMAT: &str = "tidewaiter-event@v1";

/// An event as a proof file carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// `tidewaiter-event@v1`.
    pub format: String,
    /// The envelope's canonical bytes as text: the entry of the log.
    pub envelope: String,
    /// The salt, 64 hexadecimal digits, where the payload is handed over too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The payload's canonical bytes as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

impl Opened {
    /// An event, with its payload where `whole` asks for it and it fits.
    pub(super) fn of(sealed: &SealedEvent, whole: bool) -> Option<Self> {
        let envelope = String::from_utf8(sealed.envelope.clone()).ok()?;
        let closed = Self { format: FORMAT.to_owned(), envelope, salt: None, payload: None };
        let Some((salt, payload)) = sealed.opening.as_ref().filter(|_| whole) else { return Some(closed) };
        let opened = Self {
            salt: Some(hex::encode(salt)),
            payload: Some(String::from_utf8(payload.clone()).ok()?),
            ..closed.clone()
        };
        let fits = serde_json::to_vec(&opened).is_ok_and(|bytes| bytes.len() <= PROOF_EXTRA_BYTES_MAX);
        Some(if fits { opened } else { closed })
    }

    /// The envelope, read.
    pub(super) fn read_envelope(&self) -> Option<Envelope> {
        Envelope::from_canonical_bytes(self.envelope.as_bytes()).ok()
    }

    /// The payload, if there is one: `Err` if the envelope does not commit to it.
    pub(super) fn checked_payload(
        &self,
        envelope: &Envelope,
    ) -> Result<Option<serde_json::Value>, &'static str> {
        let (salt, payload) = match (&self.salt, &self.payload) {
            (None, None) => return Ok(None),
            (Some(salt), Some(payload)) => (salt, payload),
            _ => return Err("salt and payload come together or not at all"),
        };
        let salt = hex::decode(salt).map_err(|_| "the salt is not hexadecimal")?;
        if payload_commit(&salt, payload.as_bytes()) != envelope.payload_commit {
            return Err("the payload is not the one that the envelope commits to");
        }
        serde_json::from_str(payload).map(Some).map_err(|_| "the payload is no JSON")
    }
}

/// What an envelope commits to, in hexadecimal.
pub(super) fn payload_commit(salt: &[u8], payload: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(salt).chain_update(payload).finalize())
}
