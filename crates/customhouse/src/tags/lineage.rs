//! Why a tag is on an entity: which declarations brought it, by which version of its rule, with which values.

use std::collections::{BTreeSet, VecDeque};

use ::tags::TagDefinition;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::LocalizedText;

use super::live::Epoch;
use super::model::TagSummary;
use crate::Customhouse;
use crate::declarations::event::{TAGS_APPLIED, TagsApplied, stream};
use crate::declarations::visible_values;
use crate::error::{Error, Kind};
use crate::flow::any_simulated;
use crate::identity::{Permission, Reader};
use crate::viewings::ViewedWhat;
use crate::viewings::read_model::LookAt;

/// Declarations told beside the first: the latest.
const LATEST_SHOWN: usize = 5;
/// Events of a declaration among which its tags stand.
const EVENTS_MAX: usize = 200;

/// Why a tag is on an entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagLineage {
    /// The tag.
    pub tag: TagSummary,
    /// Its condition as it stands now.
    pub when: String,
    /// What to look at.
    pub hint: LocalizedText,
    /// The entity.
    pub entity: String,
    /// Its declarations that carry the tag, those of everybody who is one with it among them.
    pub declarations: u64,
    /// Versions of the tag's pack that brought it, among the declarations told here.
    pub versions: Vec<String>,
    /// The first of the declarations.
    pub first: LineageStep,
    /// The latest others, the latest first.
    pub latest: Vec<LineageStep>,
    /// Position of the journal up to which declarations are counted.
    pub position: u64,
    /// Is anything simulated?
    pub simulated: bool,
}

/// One declaration that brought a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineageStep {
    /// Number of the declaration.
    pub mrn: String,
    /// When its tags were applied.
    pub at: Timestamp,
    /// Position of the event that says so.
    pub position: Option<u64>,
    /// Items that carry it.
    pub items: Vec<u32>,
    /// What made it true on the first of them, as it was read then; nothing above the reader's clearance.
    pub values: Vec<(String, String)>,
    /// Version of the tag's pack; absent where that is no longer known here.
    pub pack_version: Option<String>,
    /// Was what was recorded erased?
    pub erased: bool,
}

impl Customhouse {
    /// Why a tag is on an entity, or on another that is one with it. That the entity was looked at is recorded.
    ///
    /// # Errors
    /// `not_permitted`, `tag_unknown`, `tag_not_on_entity`.
    pub fn tag_lineage(&self, reader: &Reader, tag: &str, entity: &str) -> Result<TagLineage, Error> {
        reader.require(Permission::ViewTags)?;
        reader.require(Permission::ViewDeclarations)?;
        let definition = self.tag(reader, tag)?.definition;
        let epoch = self.matrix.epoch()?;
        let members = self.entities_one_with(entity)?;
        let found = found(&epoch, tag, &members).ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "tag_not_on_entity",
                format!(
                    "no declaration of \"{}\" lodged here carries the tag {tag}",
                    entity.chars().take(64).collect::<String>()
                ),
                "Look at the entity's page for the tags that it carries.",
            )
        })?;
        self.note_look(reader, ViewedWhat::Entity, LookAt::Entity(entity))?;
        let step = |number: u32| self.lineage_step(reader, &epoch, number, &definition);
        let first = step(found.first)?;
        let latest = found.latest.into_iter().rev().map(step).collect::<Result<Vec<_>, _>>()?;
        let all = std::iter::once(&first).chain(&latest);
        let versions: BTreeSet<String> = all.filter_map(|own| own.pack_version.clone()).collect();
        Ok(TagLineage {
            tag: TagSummary::from(&definition),
            when: definition.when,
            hint: definition.inspection_hint,
            entity: entity.to_owned(),
            declarations: found.count,
            versions: versions.into_iter().collect(),
            first,
            latest,
            position: epoch.position,
            simulated: self.projection.read(any_simulated)?,
        })
    }

    fn lineage_step(
        &self,
        reader: &Reader,
        epoch: &Epoch,
        number: u32,
        definition: &TagDefinition,
    ) -> Result<LineageStep, Error> {
        let own = epoch.declaration(number).ok_or_else(|| Error::internal("tag_matrix_failed", &number))?;
        let mut step = LineageStep {
            mrn: own.mrn.to_string(),
            at: Timestamp::from_microsecond(own.at).unwrap_or_default(),
            position: None,
            items: Vec::new(),
            values: Vec::new(),
            pack_version: None,
            erased: false,
        };
        // The first event is the declaration itself, which is long and not wanted here.
        let events = self.journal.read_stream(&stream(&own.mrn), 1, EVENTS_MAX)?;
        let Some(event) = events.iter().find(|event| event.envelope.kind == TAGS_APPLIED) else {
            return Ok(step);
        };
        step.position = Some(event.position);
        let Some(payload) = event.payload.value() else {
            step.erased = true;
            return Ok(step);
        };
        let applied =
            TagsApplied::deserialize(payload).map_err(|error| Error::internal("event_unreadable", &error))?;
        step.pack_version = self.version_of(&applied.packs, &definition.source.pack_id);
        if let Some(applied) = applied.tags.into_iter().find(|own| own.tag == definition.id) {
            step.values = visible_values(&applied.values, reader);
            step.items = applied.items;
        }
        Ok(step)
    }

    /// Version of a pack among those whose content hashes were recorded.
    fn version_of(&self, hashes: &[String], pack: &str) -> Option<String> {
        let registry = self.registry();
        let of_pack = registry.list().iter().filter(|entry| entry.manifest().id == pack);
        let recorded = of_pack.into_iter().find(|entry| hashes.iter().any(|own| own == entry.hash()));
        recorded.map(|entry| entry.manifest().version.to_string())
    }
}

/// Declarations of some entities that carry a tag.
struct Found {
    count: u64,
    first: u32,
    /// The latest others, the latest last.
    latest: VecDeque<u32>,
}

fn found(epoch: &Epoch, tag: &str, entities: &[String]) -> Option<Found> {
    let entities: BTreeSet<u32> = entities.iter().filter_map(|id| epoch.entity_number(id)).collect();
    if entities.is_empty() {
        return None;
    }
    let (number, _) = (0_u16..).zip(epoch.tags()).find(|(_, own)| *own == tag)?;
    let carriers = epoch.of_declarations.carriers(number)?;
    let mut own = carriers.iter().filter(|declaration| {
        epoch
            .declaration(*declaration)
            .is_some_and(|own| own.parties().any(|party| entities.contains(&party)))
    });
    let first = own.next()?;
    let (mut count, mut latest) = (1_u64, VecDeque::with_capacity(LATEST_SHOWN.saturating_add(1)));
    for declaration in own {
        count = count.saturating_add(1);
        latest.push_back(declaration);
        if latest.len() > LATEST_SHOWN {
            latest.pop_front();
        }
    }
    Some(Found { count, first, latest })
}
