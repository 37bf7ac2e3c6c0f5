//! What the journal tells of the office's own tags, and what a condition would have marked.

use std::sync::PoisonError;

use ::rules::Lists;
use ::tags::ApplyError;
use journal::RecordedEvent;
use serde::Deserialize;
use spine::declaration_entry::OUTCOME_FIELDS;
use spine::noun::SubjectKind;

use super::model::{
    APPROVED, DECLINED, Office, OwnTag, OwnTags, PROPOSED, ProposalState, STREAM, TEXT_CHARACTERS_MAX,
    TagDraft, TagPreview, TagProposal,
};
use crate::Customhouse;
use crate::declarations::HitRate;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Rows shown with their reasons.
const ROWS_SHOWN: usize = 5;
/// Proposals told of, the latest.
const PROPOSALS_SHOWN: usize = 50;
/// Events of the stream read at once.
pub(super) const EVENTS_AT_ONCE: usize = 1_000;

#[derive(Deserialize)]
struct Proposed {
    id: String,
    tag: Option<OwnTag>,
}

#[derive(Deserialize)]
struct Decided {
    proposal: u64,
    #[serde(default)]
    reason: Option<String>,
}

impl Office {
    /// Follows one event of the stream.
    ///
    /// # Errors
    /// `event_unreadable`: who left one out would count approvals otherwise than who wrote them.
    fn follow(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        self.version = event.envelope.stream_version;
        let Some(payload) = event.payload.value() else { return Ok(()) };
        let unreadable = |error: serde_json::Error| Error::unreadable_event(event, &error);
        let at = event.envelope.occurred_at;
        let who = event.envelope.actor.id.clone();
        match event.envelope.kind.as_str() {
            PROPOSED => {
                let proposed = Proposed::deserialize(payload).map_err(unreadable)?;
                self.proposals.push(TagProposal {
                    number: self.version,
                    tag: proposed.tag,
                    id: proposed.id,
                    proposed_by: who,
                    proposed_at: at,
                    state: ProposalState::Waiting,
                    decided_by: None,
                    decided_at: None,
                    reason: None,
                    may_approve: false,
                    in_force: None,
                });
            }
            kind @ (APPROVED | DECLINED) => {
                let decided = Decided::deserialize(payload).map_err(unreadable)?;
                let known = self.proposals.iter_mut().find(|own| own.number == decided.proposal);
                let Some(proposal) = known else { return Ok(()) };
                proposal.decided_by = Some(who);
                proposal.decided_at = Some(at);
                proposal.reason = decided.reason;
                if kind == DECLINED {
                    proposal.state = ProposalState::Declined;
                    return Ok(());
                }
                proposal.state = ProposalState::Approved;
                self.approvals = self.approvals.saturating_add(1);
                match proposal.tag.clone() {
                    Some(tag) => self.in_force.insert(proposal.id.clone(), tag),
                    None => self.in_force.remove(&proposal.id),
                };
            }
            _ => {}
        }
        Ok(())
    }
}

impl Customhouse {
    /// The office's own tags, as the journal tells.
    pub(super) fn office_of_tags(&self) -> Result<Office, Error> {
        let mut office = Office::default();
        loop {
            let events = self.journal.read_stream(STREAM, office.version, EVENTS_AT_ONCE)?;
            if events.is_empty() {
                return Ok(office);
            }
            for event in &events {
                office.follow(event)?;
            }
        }
    }

    /// Tags of the office's own: those in force, and what was proposed.
    pub fn own_tags(&self, reader: &Reader) -> Result<OwnTags, Error> {
        reader.require(Permission::ViewTags)?;
        let office = self.office_of_tags()?;
        let mut proposals: Vec<TagProposal> =
            office.proposals.into_iter().rev().take(PROPOSALS_SHOWN).collect();
        for proposal in &mut proposals {
            proposal.may_approve = proposal.state == ProposalState::Waiting
                && proposal.proposed_by != reader.id
                && reader.may(Permission::ManagePlans);
            proposal.proposed_by = self.name_of(&proposal.proposed_by);
            proposal.decided_by = proposal.decided_by.as_deref().map(|id| self.name_of(id));
            proposal.in_force =
                office.in_force.get(&proposal.id).filter(|own| Some(*own) != proposal.tag.as_ref()).cloned();
        }
        Ok(OwnTags { in_force: office.in_force.into_values().collect(), proposals })
    }

    /// Fields and aggregates that a condition may read, by name.
    pub fn names_in_conditions(&self, reader: &Reader) -> Result<Vec<String>, Error> {
        reader.require(Permission::ViewTags)?;
        let compiled = self.compiled_tags();
        let mut names: Vec<String> =
            compiled.set.names().filter(|name| !OUTCOME_FIELDS.contains(name)).map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// What a condition would have marked in the latest rows of the pool, and what became of these: for who may propose a
    /// tag, as any condition could be asked.
    ///
    /// # Errors
    /// `tag_condition_refused` with what is wrong and where.
    pub fn preview_tag(&self, reader: &Reader, draft: &TagDraft) -> Result<TagPreview, Error> {
        reader.require(Permission::ManagePlans)?;
        if draft.when.chars().count() > TEXT_CHARACTERS_MAX {
            return Err(refused(format!("the condition has more than {TEXT_CHARACTERS_MAX} characters")));
        }
        let on = subject(&draft.on)?;
        let lists = Lists(self.registry.read().unwrap_or_else(PoisonError::into_inner).lists());
        let loaded = self.rows_for_tags(reader)?;
        let set = loaded
            .compiled
            .set
            .draft(&draft.when, on, draft.valid_days, &lists)
            .map_err(|problems| refused(problems.join("\n")))?;
        let table = &loaded.entries.table;
        let hidden = self.hidden_fields(reader, &loaded.entries)?;
        if let Some(field) = set.reads().into_iter().find(|field| hidden.contains(*field)) {
            // What a condition marks would tell its values.
            return Err(refused(format!(
                "you may not see the field {field}, so no condition of yours may read it"
            )));
        }
        let latest = self.tags.previews.begin(&reader.id);
        let found = set.apply_some(table, &[0], &latest).map_err(|error| match error {
            ApplyError::Cancelled => Error::cancelled(),
            error => Error::internal("tags_not_applied", &error),
        })?;
        let hit = found.hits.into_iter().next().unwrap_or_default();
        let told = !hidden.contains("irregular");
        let outcome = |row: usize| table.booleans("irregular").filter(|_| told)?.get(row).copied().flatten();
        let rates = |rows: &mut dyn Iterator<Item = usize>| {
            let (mut inspected, mut irregular) = (0_u64, 0_u64);
            for known in rows.filter_map(outcome) {
                inspected = inspected.saturating_add(1);
                irregular = irregular.saturating_add(u64::from(known));
            }
            HitRate::of(inspected, irregular)
        };
        let rows = || hit.rows.iter().filter_map(|row| usize::try_from(row).ok());
        let hits = rates(&mut rows());
        let shown = rows().collect::<Vec<_>>().into_iter().rev().take(ROWS_SHOWN);
        Ok(TagPreview {
            entries: u64::try_from(table.len()).unwrap_or(u64::MAX),
            older_left_out: loaded.older_left_out,
            simulated: loaded.entries.rows_simulated,
            carrying: hit.rows.len(),
            outcome_unknown: hit.rows.len().saturating_sub(hits.inspected),
            hits,
            all: rates(&mut (0..table.len())),
            cannot_tell: hit.unknown,
            rows: shown
                .filter_map(|row| set.why_marked(table, &hit, row))
                .map(|why| loaded.reason(why, &|field| hidden.contains(field)))
                .collect(),
        })
    }
}

/// What carries a tag, by its name.
pub(super) fn subject(name: &str) -> Result<SubjectKind, Error> {
    match name {
        "" | "item" => Ok(SubjectKind::Item),
        "declaration" => Ok(SubjectKind::Declaration),
        "enterprise" => Ok(SubjectKind::Enterprise),
        "route" => Ok(SubjectKind::Route),
        other => {
            Err(refused(format!("a tag is on an item, declaration, enterprise or route, not on \"{other}\"")))
        }
    }
}

/// A condition that cannot be used.
pub(super) fn refused(detail: String) -> Error {
    Error::new(
        Kind::Invalid,
        "tag_condition_refused",
        detail,
        "Correct the condition at the mark; the fields and aggregates that it may read are listed beside it.",
    )
}
