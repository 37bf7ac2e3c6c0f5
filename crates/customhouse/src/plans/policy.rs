//! Policies folded from their streams, and what is in force.

use std::sync::Arc;

use clearance::{Basis, Deadlines};
use jiff::Timestamp;
use journal::{Journal, RecordedEvent};
use selection::Plan;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use spine::LocalizedText;
use spine::event::canonical_bytes;

use super::model::PolicyKind;
use crate::error::{Error, Kind};

/// A policy was proposed.
pub(super) const PROPOSED: &str = "policy.proposed";
/// Somebody approved it.
pub(super) const APPROVED: &str = "policy.approved";
/// Somebody took it back.
pub(super) const WITHDRAWN: &str = "policy.withdrawn";
/// Largest content of a policy.
const CONTENT_BYTES_MAX: usize = 512 * 1024;

/// The stream of a kind of policy.
pub(super) fn stream(kind: PolicyKind) -> String {
    format!("policy/{}", kind.name())
}

/// What a policy of acceptance or release says: the grounds of every decision that applies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grounds {
    /// Title.
    pub(crate) title: LocalizedText,
    /// Law it rests on.
    pub(crate) legal_basis: String,
    /// Why, as decisions say it.
    pub(crate) reason: LocalizedText,
    /// How to contest such a decision.
    pub(crate) how_to_contest: LocalizedText,
    /// Times that controls may take; for release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deadlines: Option<Deadlines>,
}

/// A policy of acceptance or release in force.
#[derive(Debug, Clone)]
pub(crate) struct GroundsInForce {
    pub(crate) hash: String,
    pub(crate) grounds: Grounds,
}

impl GroundsInForce {
    /// The basis of a decision that applies it.
    pub(crate) fn basis(&self) -> Basis {
        Basis {
            legal_basis: self.grounds.legal_basis.clone(),
            reason: self.grounds.reason.clone(),
            how_to_contest: self.grounds.how_to_contest.clone(),
            policy: Some(self.hash.clone()),
        }
    }
}

/// What decides now.
#[derive(Debug, Clone, Default)]
pub(crate) struct InForce {
    pub(crate) acceptance: Option<Arc<GroundsInForce>>,
    pub(crate) selection: Option<Arc<(String, Plan)>>,
    pub(crate) release: Option<Arc<GroundsInForce>>,
}

impl InForce {
    /// Times that controls may take.
    pub(crate) fn deadlines(&self) -> Deadlines {
        self.release.as_ref().and_then(|release| release.grounds.deadlines.clone()).unwrap_or_default()
    }
}

/// One policy with its history.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) kind: PolicyKind,
    pub(super) hash: String,
    pub(super) content: Value,
    pub(super) proposed_by: String,
    pub(super) proposed_at: Timestamp,
    pub(super) approved_by: Vec<String>,
    pub(super) in_force_since: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
}

/// All policies, and the versions of their streams.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    pub(super) known: Vec<Known>,
    versions: [u64; 3],
    in_force: Arc<InForce>,
}

impl Policies {
    /// Reads all policies from the journal.
    pub(crate) fn read(journal: &dyn Journal) -> Result<Self, Error> {
        let mut policies = Self::default();
        policies.follow(journal)?;
        Ok(policies)
    }

    /// Takes in what was recorded since.
    pub(crate) fn follow(&mut self, journal: &dyn Journal) -> Result<(), Error> {
        for (at, kind) in PolicyKind::ALL.into_iter().enumerate() {
            loop {
                let version = self.versions.get(at).copied().unwrap_or_default();
                let events = journal.read_stream(&stream(kind), version, 1_000)?;
                let Some(last) = events.last() else { break };
                if let Some(own) = self.versions.get_mut(at) {
                    *own = last.envelope.stream_version;
                }
                for event in &events {
                    self.apply(kind, event);
                }
            }
        }
        self.in_force = Arc::new(self.decide());
        Ok(())
    }

    /// What is in force now.
    pub(crate) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force)
    }

    /// Version of a kind's stream.
    pub(super) fn version(&self, kind: PolicyKind) -> u64 {
        let at = PolicyKind::ALL.iter().position(|own| *own == kind).unwrap_or_default();
        self.versions.get(at).copied().unwrap_or_default()
    }

    /// The policy with this hash, or one that begins so.
    pub(super) fn find(&self, hash: &str) -> Option<&Known> {
        self.known.iter().rev().find(|known| !hash.is_empty() && known.hash.starts_with(hash))
    }

    /// The plan of selection with this hash, whether it is in force or not.
    pub(crate) fn plan(&self, hash: &str) -> Option<Plan> {
        let known =
            self.known.iter().find(|known| known.kind == PolicyKind::Selection && known.hash == hash)?;
        serde_json::from_value(known.content.clone()).ok()
    }

    fn apply(&mut self, kind: PolicyKind, event: &RecordedEvent) {
        let Some(payload) = event.payload.value() else { return };
        let Some(hash) = payload.get("hash").and_then(Value::as_str) else { return };
        let (actor, at) = (&event.envelope.actor.id, event.envelope.occurred_at);
        match event.envelope.kind.as_str() {
            PROPOSED => {
                self.known.retain(|known| known.hash != hash);
                self.known.push(Known {
                    kind,
                    hash: hash.to_owned(),
                    content: payload.get("content").cloned().unwrap_or_default(),
                    proposed_by: actor.clone(),
                    proposed_at: at,
                    approved_by: Vec::new(),
                    in_force_since: None,
                    ended_at: None,
                });
            }
            APPROVED => self.approve(kind, hash, actor, at),
            WITHDRAWN => {
                if let Some(known) = self.known.iter_mut().find(|known| known.hash == hash) {
                    known.ended_at = Some(at);
                }
            }
            _ => {}
        }
    }

    fn approve(&mut self, kind: PolicyKind, hash: &str, actor: &str, at: Timestamp) {
        let Some(known) = self.known.iter_mut().find(|known| known.hash == hash) else { return };
        if known.ended_at.is_some() || known.approved_by.iter().any(|own| own == actor) {
            return;
        }
        known.approved_by.push(actor.to_owned());
        if known.approved_by.len() != 2 {
            return;
        }
        known.in_force_since = Some(at);
        for other in self.known.iter_mut().filter(|other| other.kind == kind && other.hash != hash) {
            if other.in_force_since.is_some() && other.ended_at.is_none() {
                other.ended_at = Some(at);
            }
        }
    }

    fn decide(&self) -> InForce {
        let current = |kind: PolicyKind| {
            let mut all = self.known.iter();
            all.find(|known| known.kind == kind && known.in_force_since.is_some() && known.ended_at.is_none())
        };
        let grounds = |kind: PolicyKind| {
            let known = current(kind)?;
            let grounds = serde_json::from_value(known.content.clone()).ok()?;
            Some(Arc::new(GroundsInForce { hash: known.hash.clone(), grounds }))
        };
        InForce {
            acceptance: grounds(PolicyKind::Acceptance),
            selection: current(PolicyKind::Selection).and_then(|known| {
                let plan: Plan = serde_json::from_value(known.content.clone()).ok()?;
                Some(Arc::new((known.hash.clone(), plan)))
            }),
            release: grounds(PolicyKind::Release),
        }
    }
}

/// SHA-256 of a content's canonical bytes, once it is seen to be a policy of its kind.
pub(super) fn check(kind: PolicyKind, content: &Value) -> Result<String, Error> {
    let refuse = |detail: String| {
        Error::new(
            Kind::Refused,
            "policy_refused",
            format!("this is no policy of {}: {detail}", kind.name()),
            "Start from the standard policy of its kind and change what has to be changed.",
        )
    };
    let bytes = canonical_bytes(content).map_err(|error| refuse(error.to_string()))?;
    if bytes.len() > CONTENT_BYTES_MAX {
        return Err(refuse(format!("it has {} bytes; at most {CONTENT_BYTES_MAX}", bytes.len())));
    }
    match kind {
        PolicyKind::Selection => {
            let plan: Plan =
                serde_json::from_value(content.clone()).map_err(|error| refuse(error.to_string()))?;
            let findings = plan.check();
            if crate::offline::has_errors(&findings) {
                return Err(refuse("the plan has mistakes".to_owned()).with_findings(findings));
            }
        }
        PolicyKind::Acceptance | PolicyKind::Release => {
            let grounds: Grounds =
                serde_json::from_value(content.clone()).map_err(|error| refuse(error.to_string()))?;
            let blank = |text: &LocalizedText| text.in_language(spine::Language::En).trim().is_empty();
            if grounds.legal_basis.trim().is_empty()
                || blank(&grounds.reason)
                || blank(&grounds.how_to_contest)
            {
                return Err(refuse("it needs legal_basis, reason.en and how_to_contest.en".to_owned()));
            }
        }
    }
    Ok(hex::encode(Sha256::digest(&bytes)))
}
