//! What is known of the past when a declaration is decided, as journal and pool tell it: the windows that tags read,
//! the importers that are trusted, how offices stand. The desk follows it to decide, a replay to decide again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError};

use ::tags::{OnlineHits, OnlineTags, TagSet};
use jiff::Timestamp;
use jiff::civil::DateTime;
use journal::RecordedEvent;
use selection::{Made, Moved, OfficeStanding, Plan};
use serde::Deserialize;
use serde_json::Value;
use spine::declaration::{Declaration, EntryContext, PartyRole};
use spine::{EntryTable, Finding, Severity, declaration_entry};

use super::desk::Parts;
use super::event::{AMENDED, LODGED, Lodged, SELECTION_MADE, STREAM_PREFIX, TAGS_APPLIED, THRESHOLD_MOVED};
use crate::civil_time::civil;
use crate::entities::DECISION_PREFIX;
use crate::entities::joins::{Followed, Joins};
use crate::error::Error;
use crate::packs::Registry;

/// Rows absorbed at once.
const ROWS_PER_ABSORPTION: usize = 20_000;

/// What has happened so far.
pub(crate) struct Past {
    parts: Parts,
    set: Arc<TagSet>,
    /// Content hashes of the packs that tags were made from, and of the lists among them.
    packs: Vec<String>,
    lists: Vec<String>,
    tags: OnlineTags,
    /// Importers that the administration's records call authorised.
    trusted: HashSet<String>,
    offices: BTreeMap<String, OfficeStanding>,
    /// Batches of history that windows know. Newer outcomes change nothing that tags read.
    absorbed: HashSet<String>,
    /// Declarations that were lodged and may still be tagged.
    untagged: HashMap<String, Lodged>,
    /// Rows on their way into the windows.
    rows: EntryTable,
    /// Who is one, as far as windows know.
    joins: Joins,
    /// Position of the last decision on entities that they know; none: they know none.
    groups: Option<u64>,
    /// Decisions that they do not know yet, in the order in which they were recorded.
    decisions: VecDeque<RecordedEvent>,
}

/// Content hashes of the packs in use.
pub(crate) fn packs_of(registry: &Registry) -> Vec<String> {
    registry.current().map(|pack| pack.hash.clone()).collect()
}

/// Content hashes of the packs of named lists in use.
fn lists_of(registry: &Registry) -> Vec<String> {
    registry
        .current()
        .filter(|pack| pack.manifest.kind == ::packs::PackKind::Lists)
        .map(|pack| pack.hash.clone())
        .collect()
}

/// Is nothing found that refuses it?
pub(crate) fn acceptable(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity != Severity::Error)
}

/// The importer that a declaration names.
pub(crate) fn importer_of(declaration: &Declaration) -> Option<&str> {
    declaration.parties().find(|(role, _)| *role == PartyRole::Importer).map(|(_, id)| id)
}

/// The declaration that an event is of.
pub(super) fn mrn_of(event: &RecordedEvent) -> &str {
    event.envelope.stream.strip_prefix(STREAM_PREFIX).unwrap_or_default()
}

/// The content that an amendment gave a declaration.
fn amended(payload: &Value) -> Option<Declaration> {
    Declaration::deserialize(payload.get("declaration")?).ok()
}

/// A declaration as it stood when it was tagged, or as it stands where it was not: as it was lodged, with what was
/// amended before. `None`: its content was erased.
pub(crate) fn as_tagged(events: &[RecordedEvent]) -> Option<Lodged> {
    let (first, rest) = events.split_first()?;
    let mut lodged = Lodged::deserialize(first.payload.value()?).ok()?;
    for event in rest.iter().take_while(|event| event.envelope.kind != TAGS_APPLIED) {
        if event.envelope.kind == AMENDED {
            lodged.declaration = amended(event.payload.value()?);
        }
    }
    Some(lodged)
}

impl Past {
    /// Nothing has happened yet. Tags are those of a registry's packs in use.
    pub(crate) fn new(parts: &Parts, registry: &Registry) -> Self {
        let set = Arc::new(crate::tags::tag_set(registry).0);
        Self {
            tags: OnlineTags::new(Arc::clone(&set)),
            set,
            packs: packs_of(registry),
            lists: lists_of(registry),
            trusted: HashSet::new(),
            offices: BTreeMap::new(),
            absorbed: HashSet::new(),
            untagged: HashMap::new(),
            rows: EntryTable::empty(declaration_entry::schema()),
            joins: Joins::default(),
            groups: None,
            decisions: VecDeque::new(),
            parts: parts.clone(),
        }
    }

    /// Goes on with the tags of other packs, if these need nothing of the past that is not held. False, and nothing has
    /// changed, if they do.
    pub(super) fn adopt(&mut self, registry: &Registry) -> bool {
        // A list may stand in what raised a tag long ago.
        let set = Arc::new(crate::tags::edited_tag_set(registry, &self.set).0);
        if lists_of(registry) != self.lists || !self.tags.adopt(Arc::clone(&set)) {
            return false;
        }
        self.set = set;
        self.packs = packs_of(registry);
        true
    }

    /// Follows one event of the journal, in its order.
    pub(crate) fn follow(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        if event.envelope.stream.starts_with(DECISION_PREFIX) {
            self.note_decision(event);
            return Ok(());
        }
        // What was erased can be followed no more: windows go on without it.
        let Some(payload) = event.payload.value() else { return Ok(()) };
        let unreadable = |error: serde_json::Error| Error::internal("event_unreadable", &error);
        match event.envelope.kind.as_str() {
            ::pool::event::BATCH_ADMITTED => {
                if let Some(batch) = payload.get("batch").and_then(Value::as_str) {
                    self.absorb_history(batch)?;
                }
            }
            LODGED => {
                let lodged = Lodged::deserialize(payload).map_err(unreadable)?;
                if lodged.declaration.is_some() && acceptable(&lodged.findings) {
                    self.untagged.insert(lodged.mrn.clone(), lodged);
                }
            }
            AMENDED => {
                if let Some(lodged) = self.untagged.get_mut(mrn_of(event))
                    && let Some(amended) = amended(payload)
                {
                    lodged.declaration = Some(amended);
                }
            }
            TAGS_APPLIED => self.follow_tags(event)?,
            SELECTION_MADE => {
                let made = Made::deserialize(payload).map_err(unreadable)?;
                let at = civil(event.envelope.occurred_at);
                if let Some(office) = self.office_under(&made.plan, &made.office, at) {
                    office.apply_made(&made, at);
                }
            }
            THRESHOLD_MOVED => {
                let moved = Moved::deserialize(payload).map_err(unreadable)?;
                let at = civil(event.envelope.occurred_at);
                if let Some(office) = self.office_under(&moved.plan, &moved.office, at) {
                    office.apply_moved(&moved);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn follow_tags(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        let mrn = mrn_of(event);
        let Some(lodged) = self.untagged.remove(mrn) else { return Ok(()) };
        if let Some(groups) = event.payload.value().and_then(|own| own.get("groups")?.as_u64()) {
            self.know_decisions(groups)?;
        }
        let mut rows = std::mem::replace(&mut self.rows, EntryTable::empty(declaration_entry::schema()));
        if let Some(declaration) = &lodged.declaration {
            self.push_rows(&mut rows, declaration, mrn, event.envelope.occurred_at, lodged.simulated);
        }
        self.rows = rows;
        if self.rows.len() >= ROWS_PER_ABSORPTION { self.catch_up() } else { Ok(()) }
    }

    /// A decision on who is one was recorded. Windows know it from the next batch on, or from the one of which it is
    /// recorded that they did.
    pub(crate) fn note_decision(&mut self, event: &RecordedEvent) {
        let last = self.decisions.back().map(|own| own.position).max(self.groups);
        if last.is_none_or(|last| last < event.position) {
            self.decisions.push_back(event.clone());
        }
    }

    /// Lets windows know the decisions on who is one up to a position. What was followed before rests on those before.
    pub(crate) fn know_decisions(&mut self, until: u64) -> Result<(), Error> {
        while let Some(event) = self.decisions.pop_front_if(|own| own.position <= until) {
            self.groups = Some(event.position);
            let Followed::Changed(touched) = self.joins.follow(&event) else { continue };
            self.catch_up()?;
            let groups = self.joins.groups();
            let leaders: BTreeSet<&str> = touched.iter().map(|id| groups.leader(id)).collect();
            leaders.iter().for_each(|leader| self.tags.know_group(&groups.members(leader)));
        }
        Ok(())
    }

    /// Position of the last decision on who is one that windows know.
    pub(crate) fn groups(&self) -> Option<u64> {
        self.groups
    }

    /// Brings into the windows what was followed so far. Before they are asked.
    pub(crate) fn catch_up(&mut self) -> Result<(), Error> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::replace(&mut self.rows, EntryTable::empty(declaration_entry::schema()));
        self.absorb(&rows)
    }

    fn absorb(&mut self, table: &EntryTable) -> Result<(), Error> {
        self.tags.absorb(table).map_err(|error| Error::internal("tags_failed", &error))
    }

    /// Takes in a batch of history, with what is known of it today.
    pub(crate) fn absorb_history(&mut self, batch: &str) -> Result<(), Error> {
        if self.absorbed.contains(batch) {
            return Ok(());
        }
        let Some(table) = self.parts.pool.table(batch)? else { return Ok(()) };
        self.catch_up()?;
        self.absorbed.insert(batch.to_owned());
        if let (Some(importers), Some(trusted)) =
            (table.texts("importer_id"), table.booleans("trusted_trader"))
        {
            for (row, trusted) in trusted.iter().enumerate() {
                match (importers.get(row), trusted) {
                    (Some(importer), Some(true)) => {
                        self.trusted.insert(importer.to_owned());
                    }
                    (Some(importer), Some(false)) => {
                        self.trusted.remove(importer);
                    }
                    _ => {}
                }
            }
        }
        self.absorb(&table)
    }

    /// Adds a declaration's rows to a table; answers with how many they are.
    pub(crate) fn push_rows(
        &self,
        table: &mut EntryTable,
        declaration: &Declaration,
        mrn: &str,
        at: Timestamp,
        simulated: bool,
    ) -> usize {
        let context = EntryContext {
            declaration_id: mrn.to_owned(),
            accepted_at: civil(at),
            trusted_trader: importer_of(declaration).map(|importer| self.trusted.contains(importer)),
            simulated,
        };
        let before = table.len();
        for row in declaration.rows(&context) {
            // Rows are of the schema's types: a test of the nouns pushes every field.
            let _ = table.push(row);
        }
        table.len().saturating_sub(before)
    }

    /// Tags new rows, and lets windows know them from then on.
    pub(crate) fn tag(&mut self, table: &EntryTable) -> Result<OnlineHits, Error> {
        self.tags.apply(table).map_err(|error| Error::internal("tags_failed", &error))
    }

    /// Entries that windows have seen, or will have once they are caught up: their epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.tags.entries().saturating_add(u64::try_from(self.rows.len()).unwrap_or(u64::MAX))
    }

    /// Tags in use, compiled.
    pub(crate) fn tag_set(&self) -> &TagSet {
        &self.set
    }

    /// Content hashes of the packs that tags were made from.
    pub(crate) fn packs(&self) -> &[String] {
        &self.packs
    }

    /// Do the administration's records call this importer authorised?
    pub(crate) fn trusts(&self, importer: &str) -> bool {
        self.trusted.contains(importer)
    }

    /// How an office stands; one of which nothing is known begins as the plan says.
    pub(crate) fn office(&mut self, plan: &Plan, office: &str, at: DateTime) -> &mut OfficeStanding {
        self.offices.entry(office.to_owned()).or_insert_with(|| OfficeStanding::new(plan, office, at.date()))
    }

    /// How an office stands that was dealt with under a plan of the past.
    fn office_under(&mut self, plan: &str, office: &str, at: DateTime) -> Option<&mut OfficeStanding> {
        if !self.offices.contains_key(office) {
            let policies = self.parts.policies.read().unwrap_or_else(PoisonError::into_inner);
            let plan = policies.plan(plan)?;
            drop(policies);
            self.offices.insert(office.to_owned(), OfficeStanding::new(&plan, office, at.date()));
        }
        self.offices.get_mut(office)
    }

    /// A declaration that was lodged and is not tagged yet, as it stands.
    pub(crate) fn untagged(&self, mrn: &str) -> Option<&Lodged> {
        self.untagged.get(mrn)
    }

    /// A declaration that was lodged and is not tagged yet.
    pub(crate) fn take_untagged(&mut self, mrn: &str) -> Option<Lodged> {
        self.untagged.remove(mrn)
    }
}
