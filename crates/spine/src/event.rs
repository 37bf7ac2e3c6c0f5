//! The event envelope: what every event of the journal says about itself, in one canonical encoding.
//!
//! The canonical bytes of anything are those of the JSON Canonicalization Scheme (RFC 8785): a stranger can make
//! them again in any language. An envelope holds no floats and no numbers above 2^53. Personal data never stands in
//! an envelope: the payload and its salt stand elsewhere, where they can be erased, and the envelope holds only
//! their commitment, SHA-256(salt || canonical payload).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person of the administration.
    Officer,
    /// A person or machine of a trading party.
    Trader,
    /// A policy that two people approved.
    Policy,
    /// The platform itself: timers, imports, migrations.
    System,
}

impl ActorKind {
    /// Stable name, as envelopes have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Trader => "trader",
            Self::Policy => "policy",
            Self::System => "system",
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// A pseudonymous id, never a name.
    pub id: String,
}

impl Actor {
    /// The platform itself.
    #[must_use]
    pub fn system() -> Self {
        Self { kind: ActorKind::System, id: "tidewaiter".to_owned() }
    }

    /// A person of the administration.
    #[must_use]
    pub fn officer(id: &str) -> Self {
        Self { kind: ActorKind::Officer, id: id.to_owned() }
    }
}

/// What every event says about itself. Field order and names are part of the released format: version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Version of this envelope format: [`Envelope::FORMAT`].
    pub envelope: u32,
    /// Unique id of the event: UUID version 7, lower case.
    pub id: String,
    /// Node that recorded it first.
    pub node: String,
    /// Administration it belongs to.
    pub administration: String,
    /// Stream, such as `batch/01J...` or `pack/eu-risk`.
    pub stream: String,
    /// Place in its stream, from 1 without gaps.
    pub stream_version: u64,
    /// What happened, such as `batch.admitted`.
    pub kind: String,
    /// Version of that kind's payload.
    pub kind_version: u32,
    /// When it happened; UTC, microseconds.
    #[serde(with = "microseconds")]
    pub occurred_at: Timestamp,
    /// When it was recorded; UTC, microseconds.
    #[serde(with = "microseconds")]
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The event that caused this one.
    pub causation: Option<String>,
    /// SHA-256(salt || canonical payload bytes), lower-case hexadecimal.
    pub payload_commit: String,
}

/// Why canonical bytes could not be made or read.
#[derive(Debug, Error)]
pub enum CanonicalError {
    /// The value has no canonical form (a map with keys that are not text, a float that is not finite).
    #[error("this value has no canonical encoding: {0}")]
    NotEncodable(String),
    /// The bytes are not an envelope.
    #[error("these bytes are not an event envelope: {0}")]
    NotAnEnvelope(String),
    /// The bytes are an envelope in another spelling than the canonical one.
    #[error("these bytes are an event envelope, but not in its canonical spelling (RFC 8785)")]
    NotCanonical,
    /// A newer format than this program knows.
    #[error("this event has envelope format {0}; this program reads up to format {max}. Update the program.", max = Envelope::FORMAT)]
    NewerFormat(u32),
}

/// The canonical bytes of a value (RFC 8785).
pub fn canonical_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| CanonicalError::NotEncodable(error.to_string()))
}

/// The commitment to a payload: SHA-256(salt || payload), lower-case hexadecimal.
#[must_use]
pub fn payload_commit(salt: &[u8; 32], payload: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(payload);
    hex::encode(hash.finalize())
}

impl Envelope {
    /// The envelope format this program writes.
    pub const FORMAT: u32 = 1;

    /// The canonical bytes: what is stored, hashed and one day a leaf of the log.
    pub fn to_canonical_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        serde_json::to_vec(&InOrder::of(self))
            .map_err(|error| CanonicalError::NotEncodable(error.to_string()))
    }

    /// Reads canonical bytes and refuses any other spelling of the same envelope.
    pub fn from_canonical_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let envelope: Self = serde_json::from_slice(bytes)
            .map_err(|error| CanonicalError::NotAnEnvelope(error.to_string()))?;
        if envelope.envelope > Self::FORMAT {
            return Err(CanonicalError::NewerFormat(envelope.envelope));
        }
        if envelope.to_canonical_bytes()? != bytes {
            return Err(CanonicalError::NotCanonical);
        }
        Ok(envelope)
    }
}

/// An envelope with its members in canonical order (RFC 8785, section 3.2.3). Its names are ASCII, its numbers are
/// whole and within 2^53, and plain JSON escapes text as section 3.2.2.2 asks: written in this order it is canonical
/// without being sorted, several times faster. Every event is encoded when it is recorded and again when it is read.
#[derive(Serialize)]
struct InOrder<'a> {
    actor: ActorInOrder<'a>,
    administration: &'a str,
    causation: Option<&'a str>,
    envelope: u32,
    id: &'a str,
    kind: &'a str,
    kind_version: u32,
    node: &'a str,
    #[serde(with = "microseconds")]
    occurred_at: Timestamp,
    payload_commit: &'a str,
    #[serde(with = "microseconds")]
    recorded_at: Timestamp,
    stream: &'a str,
    stream_version: u64,
}

/// An actor with its members in canonical order.
#[derive(Serialize)]
struct ActorInOrder<'a> {
    id: &'a str,
    kind: ActorKind,
}

impl<'a> InOrder<'a> {
    fn of(envelope: &'a Envelope) -> Self {
        Self {
            actor: ActorInOrder { id: &envelope.actor.id, kind: envelope.actor.kind },
            administration: &envelope.administration,
            causation: envelope.causation.as_deref(),
            envelope: envelope.envelope,
            id: &envelope.id,
            kind: &envelope.kind,
            kind_version: envelope.kind_version,
            node: &envelope.node,
            occurred_at: envelope.occurred_at,
            payload_commit: &envelope.payload_commit,
            recorded_at: envelope.recorded_at,
            stream: &envelope.stream,
            stream_version: envelope.stream_version,
        }
    }
}

/// Timestamps as text with exactly six digits of the second, so that one moment has one spelling.
mod microseconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{time:.6}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            envelope: 1,
            id: "01890a5d-ac96-774b-bcce-b302099a8057".into(),
            node: "post-7".into(),
            administration: "demo".into(),
            stream: "batch/2026-11-23/1".into(),
            stream_version: 1,
            kind: "batch.admitted".into(),
            kind_version: 1,
            occurred_at: "2026-11-23T08:00:00Z".parse().unwrap(),
            recorded_at: "2026-11-23T08:00:00.000001Z".parse().unwrap(),
            actor: Actor::officer("o-17"),
            causation: None,
            payload_commit: payload_commit(&[7; 32], br#"{"rows":3}"#),
        }
    }

    #[test]
    fn a_kind_of_actor_is_called_as_envelopes_have_it() {
        for kind in [ActorKind::Officer, ActorKind::Trader, ActorKind::Policy, ActorKind::System] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    /// Golden bytes of envelope format 1: they must be written like this, and read, for ever.
    const GOLDEN_1: &str = concat!(
        r#"{"actor":{"id":"o-17","kind":"officer"},"administration":"demo","causation":null,"envelope":1,"#,
        r#""id":"01890a5d-ac96-774b-bcce-b302099a8057","kind":"batch.admitted","kind_version":1,"node":"post-7","#,
        r#""occurred_at":"2026-11-23T08:00:00.000000Z","#,
        r#""payload_commit":"b98070cbe8813003cb4d97ec1cde5234139de238bca122a0638bed357d3cfb98","#,
        r#""recorded_at":"2026-11-23T08:00:00.000001Z","stream":"batch/2026-11-23/1","stream_version":1}"#
    );

    #[test]
    fn the_golden_bytes_of_format_1_are_written_and_read() {
        let bytes = envelope().to_canonical_bytes().unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), GOLDEN_1);
        assert_eq!(Envelope::from_canonical_bytes(GOLDEN_1.as_bytes()).unwrap(), envelope());
    }

    #[test]
    fn members_in_order_are_canonical_whatever_they_hold() {
        let texts = [
            "",
            "plain",
            "é 中文 \u{1f6a2}",
            "\" \\ / \u{8} \t \n \u{c} \r \u{0} \u{1f} \u{7f} \u{2028} \u{ffff}",
            "<&'>",
        ];
        for text in texts {
            for (kind, version) in [
                (ActorKind::Officer, 0),
                (ActorKind::Trader, 1),
                (ActorKind::Policy, 1 << 53),
                (ActorKind::System, 7),
            ] {
                let envelope = Envelope {
                    id: text.to_owned(),
                    node: text.to_owned(),
                    stream: text.to_owned(),
                    stream_version: version,
                    causation: (version > 0).then(|| text.to_owned()),
                    actor: Actor { kind, id: text.to_owned() },
                    payload_commit: text.to_owned(),
                    ..envelope()
                };
                assert_eq!(envelope.to_canonical_bytes().unwrap(), canonical_bytes(&envelope).unwrap());
            }
        }
    }

    #[test]
    fn another_spelling_of_the_same_envelope_is_refused() {
        let spaced = GOLDEN_1.replace("\"kind\":", "\"kind\": ");
        assert!(matches!(
            Envelope::from_canonical_bytes(spaced.as_bytes()),
            Err(CanonicalError::NotCanonical)
        ));
        let later = GOLDEN_1.replace("\"envelope\":1", "\"envelope\":2");
        assert!(matches!(
            Envelope::from_canonical_bytes(later.as_bytes()),
            Err(CanonicalError::NewerFormat(2))
        ));
    }
}
