//! Payloads of the events about who is who. They name parties and can be erased; streams carry ids of their own.

use std::collections::BTreeMap;

use ::tags::entities::Evidence;
use jiff::Timestamp;
use journal::RecordedEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) const REGISTER_ANNOUNCED: &str = "register.announced";
pub(crate) const REGISTER_RECEIVED: &str = "register.received";
pub(super) const MERGE_PROPOSED: &str = "entities.merge_proposed";
pub(super) const MERGED: &str = "entities.merged";
pub(super) const SPLIT_PROPOSED: &str = "entities.split_proposed";
pub(super) const SPLIT: &str = "entities.split";
pub(super) const KEPT_APART: &str = "entities.kept_apart";
pub(super) const WITHDRAWN: &str = "entities.withdrawn";

/// Stream of the files of registers and lists.
pub(super) const REGISTER_STREAM: &str = "register/files";
/// Streams of decisions begin like this.
pub(crate) const DECISION_PREFIX: &str = "entity-decision/";

/// The stream of a decision.
pub(super) fn stream(id: &str) -> String {
    format!("{DECISION_PREFIX}{id}")
}

/// `register.announced`, version 1: a file whose bytes are about to be kept. Unless `register.received` follows, nothing
/// is made of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RegisterAnnounced {
    /// SHA-256 of its bytes, which are a blob.
    pub(super) blob: String,
}

/// `register.received`, version 1: a file of the register of traders, or of a list that names are screened against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisterReceived {
    /// The list's name; none: the register of traders.
    pub(crate) list: Option<String>,
    /// SHA-256 of its bytes, which are a blob.
    pub(crate) blob: String,
    /// What its columns are called: ours, then the file's.
    pub(crate) columns: BTreeMap<String, String>,
    /// Lines that were understood, and lines left out.
    pub(crate) lines: u64,
    pub(crate) left_out: u64,
    /// Is anything of it simulated?
    pub(crate) simulated: bool,
}

/// `entities.merge_proposed`, `merged`, `split_proposed`, `split`, `kept_apart`, `withdrawn`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Decided {
    /// One, and the other.
    pub(super) entity: String,
    pub(super) into: String,
    /// What spoke for it, as the register had it then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) evidence: Vec<Evidence>,
    /// In somebody's own words.
    pub(super) reason: String,
}

/// How a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionState {
    /// Waits for another person; nothing is merged.
    MergeProposed,
    /// Both are one.
    Merged,
    /// Both are one, and another person is asked to take them apart.
    SplitProposed,
    /// They were one, and are not any more.
    Split,
    /// They are not the same, and are not proposed again.
    Apart,
    /// Taken back before it had an effect.
    Withdrawn,
}

impl DecisionState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::MergeProposed, Self::Merged, Self::SplitProposed, Self::Split, Self::Apart, Self::Withdrawn];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MergeProposed => "merge_proposed",
            Self::Merged => "merged",
            Self::SplitProposed => "split_proposed",
            Self::Split => "split",
            Self::Apart => "apart",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }

    /// What an event of this kind makes of a decision that stood like this; `None`: nothing.
    pub(super) fn after(before: Option<Self>, kind: &str) -> Option<Self> {
        Some(match (kind, before) {
            (MERGE_PROPOSED, _) => Self::MergeProposed,
            (MERGED, _) => Self::Merged,
            (SPLIT_PROPOSED, _) => Self::SplitProposed,
            (SPLIT, _) => Self::Split,
            (KEPT_APART, _) => Self::Apart,
            // What was asked for is taken back, and what stood before stands.
            (WITHDRAWN, Some(Self::SplitProposed)) => Self::Merged,
            (WITHDRAWN, _) => Self::Withdrawn,
            _ => return None,
        })
    }

    /// Are both one?
    #[must_use]
    pub fn joins(self) -> bool {
        matches!(self, Self::Merged | Self::SplitProposed)
    }

    /// Does another person have to act?
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::MergeProposed | Self::SplitProposed)
    }
}

/// A decision on two entities as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityDecision {
    /// Id.
    pub id: String,
    /// One, and the other.
    pub entity: String,
    /// The other.
    pub into: String,
    /// How it stands.
    pub state: DecisionState,
    /// What spoke for it.
    pub evidence: Vec<Evidence>,
    /// The last reason given.
    pub reason: String,
    /// Pseudonymous id of who proposed or decided last.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Version of its stream.
    #[serde(skip)]
    pub(super) version: u64,
}

/// What an event makes of a decision; `None`: it changes nothing, or cannot be read.
pub(super) fn fold(
    before: Option<EntityDecision>,
    id: &str,
    event: &RecordedEvent,
    payload: &Value,
) -> Option<EntityDecision> {
    let decided = Decided::deserialize(payload).ok()?;
    let state = DecisionState::after(before.as_ref().map(|own| own.state), &event.envelope.kind)?;
    let evidence = before.filter(|_| decided.evidence.is_empty()).map(|own| own.evidence);
    Some(EntityDecision {
        id: id.to_owned(),
        entity: decided.entity,
        into: decided.into,
        state,
        evidence: evidence.unwrap_or(decided.evidence),
        reason: decided.reason,
        by: event.envelope.actor.id.clone(),
        at: event.envelope.occurred_at,
        version: event.envelope.stream_version,
    })
}

#[cfg(test)]
mod tests {
    use ::tags::entities::EvidenceKind;

    use super::*;
    use crate::entry_summary::tests::golden;

    #[test]
    fn payloads_of_released_events_are_written_and_read_for_ever() {
        let blob = "ab".repeat(32);
        golden("entities", REGISTER_ANNOUNCED, &RegisterAnnounced { blob: blob.clone() });
        let received = RegisterReceived {
            list: Some("embargo".to_owned()),
            blob,
            columns: BTreeMap::from([("aliases".to_owned(), "Details".to_owned())]),
            lines: 2,
            left_out: 1,
            simulated: true,
        };
        golden("entities", REGISTER_RECEIVED, &received);
        let phone = "+999 20 111 1111".to_owned();
        let evidence = Evidence {
            kind: EvidenceKind::Phone,
            left: phone.clone(),
            right: phone,
            shared_by: 2,
            weight: 750,
        };
        let merged = Decided {
            entity: "NL0002".to_owned(),
            into: "NL0001".to_owned(),
            evidence: vec![evidence],
            reason: "Same rooms.".to_owned(),
        };
        golden("entities", MERGED, &merged);
        let reason = "Two landlords.".to_owned();
        golden("entities", KEPT_APART, &Decided { evidence: Vec::new(), reason, ..merged });
    }
}
