//! The record of changes: folded from the streams of packs, policies, contracts and the API.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use journal::RecordedEvent;
use serde::Serialize;
use serde_json::Value;
use spine::{LocalizedText, Sensitivity};

use super::commands::{API_CHANGED, API_STREAM};
use crate::Customhouse;
use crate::error::Error;
use crate::identity::Reader;
use crate::plans::PolicyKind;

/// Events read of a stream at once.
const EVENTS_AT_ONCE: usize = 1_000;
/// Operations of the API that one change names at most.
const OPERATIONS_MAX: usize = 500;

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A pack was installed.
    PackInstalled,
    /// Two people have approved a pack.
    PackApproved,
    /// Two people have approved a policy: it is in force.
    PolicyInForce,
    /// A policy was taken back.
    PolicyWithdrawn,
    /// A contract on records came into force.
    ContractDeclared,
    /// The API is another one than before.
    ApiChanged,
}

impl ChangeKind {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PackInstalled => "pack_installed",
            Self::PackApproved => "pack_approved",
            Self::PolicyInForce => "policy_in_force",
            Self::PolicyWithdrawn => "policy_withdrawn",
            Self::ContractDeclared => "contract_declared",
            Self::ApiChanged => "api_changed",
        }
    }
}

/// One change. Everybody may know all of it: of what is not public nothing is told but that a policy changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Position in the journal.
    pub position: u64,
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub kind: ChangeKind,
    /// Id of the pack, kind of the policy, name of the contract; `v1` for the API.
    pub subject: String,
    /// What people call it; empty where that is not public.
    pub title: LocalizedText,
    /// Version of a pack.
    pub version: Option<String>,
    /// SHA-256 of the content; empty for policies.
    pub hash: String,
    /// Operations of the API that were added, such as `GET /api/v1/tags`.
    pub added: Vec<String>,
    /// Operations that are gone.
    pub removed: Vec<String>,
}

impl Change {
    fn new(event: &RecordedEvent, kind: ChangeKind, subject: &str, hash: &str) -> Self {
        Self {
            position: event.position,
            at: event.envelope.occurred_at,
            kind,
            subject: subject.to_owned(),
            title: LocalizedText::default(),
            version: None,
            hash: hash.to_owned(),
            added: Vec::new(),
            removed: Vec::new(),
        }
    }
}

/// A public pack.
struct PublicPack {
    id: String,
    version: String,
    hash: String,
    title: LocalizedText,
}

fn text<'a>(payload: &'a Value, name: &str) -> &'a str {
    payload.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Texts of a list in a payload.
pub(super) fn texts(payload: &Value, name: &str) -> Vec<String> {
    let list = payload.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).take(OPERATIONS_MAX).map(str::to_owned).collect()
}

impl Customhouse {
    /// What changed in rules, lists, plans, contracts and the API, the latest first. Everybody may know.
    pub fn changes(&self, limit: usize) -> Result<Vec<Change>, Error> {
        let mut changes = self.pack_changes()?;
        for kind in PolicyKind::ALL {
            self.policy_changes(kind, &mut changes)?;
        }
        self.contract_changes(&mut changes)?;
        for event in self.whole_stream(API_STREAM)? {
            let Some(payload) = event.payload.value().filter(|_| event.envelope.kind == API_CHANGED) else {
                continue;
            };
            let mut change = Change::new(&event, ChangeKind::ApiChanged, "v1", text(payload, "hash"));
            change.added = texts(payload, "added");
            change.removed = texts(payload, "removed");
            changes.push(change);
        }
        changes.sort_by_key(|change| std::cmp::Reverse(change.position));
        changes.truncate(limit);
        Ok(changes)
    }

    /// All events of a stream that does not grow with the flow of declarations.
    pub(crate) fn whole_stream(&self, stream: &str) -> Result<Vec<RecordedEvent>, Error> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let version = events.last().map_or(0, |event| event.envelope.stream_version);
            let more = self.journal.read_stream(stream, version, EVENTS_AT_ONCE)?;
            if more.is_empty() {
                return Ok(events);
            }
            events.extend(more);
        }
    }

    fn pack_changes(&self) -> Result<Vec<Change>, Error> {
        let packs: Vec<PublicPack> = self
            .registry()
            .list()
            .iter()
            .filter(|entry| entry.manifest().sensitivity == Sensitivity::Public)
            .map(|entry| PublicPack {
                id: entry.manifest().id.clone(),
                version: entry.manifest().version.to_string(),
                hash: entry.hash().to_owned(),
                title: entry.manifest().title.clone(),
            })
            .collect();
        let mut changes = Vec::new();
        let mut note = |event: &RecordedEvent, kind: ChangeKind, pack: &PublicPack| {
            let mut change = Change::new(event, kind, &pack.id, &pack.hash);
            change.title = pack.title.clone();
            change.version = Some(pack.version.clone());
            changes.push(change);
        };
        let ids: BTreeSet<&str> = packs.iter().map(|pack| pack.id.as_str()).collect();
        for id in ids {
            for event in self.whole_stream(&format!("pack/{id}"))? {
                let hash = event.payload.value().map(|payload| text(payload, "hash")).unwrap_or_default();
                let installed = packs.iter().find(|pack| pack.hash == hash);
                if let Some(pack) = installed.filter(|_| event.envelope.kind == "pack.installed") {
                    note(&event, ChangeKind::PackInstalled, pack);
                }
            }
        }
        for pack in &packs {
            let mut people = BTreeSet::new();
            for event in self.whole_stream(&format!("pack/{}", pack.hash))? {
                let approved = event.envelope.kind == "pack.approved";
                if approved && people.insert(event.envelope.actor.id.clone()) && people.len() == 2 {
                    note(&event, ChangeKind::PackApproved, pack);
                }
            }
        }
        Ok(changes)
    }

    /// A policy counts from its second approval. Titles of plans of selection say what is looked for: they stay inside.
    fn policy_changes(&self, kind: PolicyKind, changes: &mut Vec<Change>) -> Result<(), Error> {
        let mut proposed: BTreeMap<String, (LocalizedText, BTreeSet<String>)> = BTreeMap::new();
        for event in self.whole_stream(&format!("policy/{}", kind.name()))? {
            let Some(payload) = event.payload.value() else { continue };
            let hash = text(payload, "hash");
            let mut note = |what: ChangeKind, title: &LocalizedText| {
                // The hash of a policy would let anyone test a guess of what it says.
                let mut change = Change::new(&event, what, kind.name(), "");
                if kind != PolicyKind::Selection {
                    change.title = title.clone();
                }
                changes.push(change);
            };
            match event.envelope.kind.as_str() {
                "policy.proposed" => {
                    let title = payload.pointer("/content/title").cloned().unwrap_or_default();
                    let title = serde_json::from_value(title).unwrap_or_default();
                    proposed.insert(hash.to_owned(), (title, BTreeSet::new()));
                }
                "policy.approved" => {
                    if let Some((title, people)) = proposed.get_mut(hash)
                        && people.insert(event.envelope.actor.id.clone())
                        && people.len() == 2
                    {
                        note(ChangeKind::PolicyInForce, title);
                    }
                }
                "policy.withdrawn" => {
                    // What was never in force changed nothing for anybody outside.
                    if let Some((title, people)) = proposed.remove(hash)
                        && people.len() >= 2
                    {
                        note(ChangeKind::PolicyWithdrawn, &title);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn contract_changes(&self, changes: &mut Vec<Change>) -> Result<(), Error> {
        for contract in self.list_contracts(&Reader::local_operator())? {
            let name = contract.contract.name;
            for event in self.whole_stream(&format!("contract/{name}"))? {
                let Some(payload) = event.payload.value() else { continue };
                let mut change =
                    Change::new(&event, ChangeKind::ContractDeclared, &name, text(payload, "sha256"));
                let title = payload.pointer("/contract/title").cloned().unwrap_or_default();
                change.title = serde_json::from_value(title).unwrap_or_default();
                changes.push(change);
            }
        }
        Ok(())
    }
}
