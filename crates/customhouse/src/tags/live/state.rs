//! What the journal's events do to the live matrix.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use ::tags::matrix::{Change, ENTITIES_MAX, Matrix, MatrixError, TAGS_MAX};
use clearance::Event;
use journal::{Payload, RecordedEvent};
use roaring::RoaringBitmap;
use serde::Deserialize;
use spine::declaration::{Declaration, PartyRole};

use super::grouped::Grouped;
use super::grown::Grown;
use crate::declarations::event::{AMENDED, CORRECTED, LODGED, STREAM_PREFIX, TAGS_APPLIED};
use crate::entities::joins::{Followed, Joins};
use crate::error::Error;

/// Roles of those who trade: declarant, importer, exporter, carrier.
pub(super) const ROLES: usize = 4;

/// Declarations kept at most, and entities; what comes beyond is counted, not kept.
const NUMBERED_MAX: u32 = 64_000_000;
/// Declarations that wait for their tags, kept at most.
const WAITING_MAX: usize = 4_000_000;
/// Changes gathered at most before an epoch is made of them, whoever waits.
const CHANGES_MAX: usize = 4_000_000;

/// Stands where a role has nobody.
pub(super) const NOBODY: u32 = u32::MAX;

/// Parties of a declaration by role.
pub(super) type Parties = [Option<String>; ROLES];

/// A declaration whose tags are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tagged {
    /// Its number.
    pub(crate) mrn: Arc<str>,
    /// When its tags were applied, in microseconds since 1970.
    pub(crate) at: i64,
    /// Numbers of its parties by role.
    pub(super) parties: [u32; ROLES],
}

impl Tagged {
    /// Numbers of its parties.
    pub(crate) fn parties(&self) -> impl Iterator<Item = u32> {
        self.parties.into_iter().filter(|party| *party != NOBODY)
    }
}

/// The matrix as it stands at a position; readers keep the one that they began with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Epoch {
    /// Position of the last event that it reflects.
    pub(crate) position: u64,
    /// Declarations and pairs that found no room.
    pub(crate) left_out: u64,
    /// Enterprise, or other party, by tag: whoever ever had a declaration with the tag. Entities that are one are one
    /// here: see [`Grouped`].
    pub(crate) of_entities: Matrix,
    /// Who is one.
    pub(crate) grouped: Arc<Grouped>,
    /// Declaration by tag.
    pub(crate) of_declarations: Matrix,
    /// Declarations that were inspected with a known result.
    pub(crate) inspected: Arc<RoaringBitmap>,
    /// Those of them where something was irregular.
    pub(crate) irregular: Arc<RoaringBitmap>,
    pub(super) tags: Grown<Arc<str>>,
    pub(super) entities: Grown<Arc<str>>,
    pub(super) declarations: Grown<Tagged>,
    /// Shared with the epochs that follow: a number may be beyond this one's last.
    pub(super) entity_numbers: Arc<RwLock<Numbers>>,
}

impl Epoch {
    /// Ids of the tags that anything carries, by number.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(AsRef::as_ref)
    }

    /// Number of an entity by its id.
    pub(crate) fn entity_number(&self, id: &str) -> Option<u32> {
        let numbers = self.entity_numbers.read().unwrap_or_else(PoisonError::into_inner);
        numbers.get(id).copied().filter(|number| *number < self.of_entities.entities())
    }

    /// An entity's id.
    pub(crate) fn entity(&self, number: u32) -> Option<&str> {
        self.entities.get(number).map(AsRef::as_ref)
    }

    /// Number of entities, groups being one.
    pub(crate) fn entities_counted(&self) -> u64 {
        u64::from(self.of_entities.entities()).saturating_sub(self.grouped.within().len())
    }

    /// Whoever stands for the parties of a declaration.
    pub(crate) fn parties(&self, declaration: &Tagged) -> impl Iterator<Item = u32> {
        declaration.parties().map(|party| self.grouped.standing_for(party))
    }

    /// All declarations, by number.
    pub(crate) fn declarations(&self) -> impl Iterator<Item = &Tagged> {
        self.declarations.iter()
    }

    /// A declaration.
    pub(crate) fn declaration(&self, number: u32) -> Option<&Tagged> {
        self.declarations.get(number)
    }
}

/// Names with their numbers.
pub(super) type Numbers = HashMap<Arc<str>, u32>;

/// The state that follows the journal.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) epoch: Epoch,
    /// Id of the event at the position: another journal has another one.
    pub(super) event: String,
    /// Everything that was erased up to this position was gone before the first event was followed.
    pub(super) begun_at: u64,
    /// Parties of declarations that have no tags yet.
    pub(super) waiting: BTreeMap<String, Parties>,
    /// Merges that stand.
    pub(super) joins: Joins,
    /// Who carries what alone, whoever it is one with.
    pub(super) own: Matrix,
    regroup: bool,
    tag_numbers: Numbers,
    declaration_numbers: Numbers,
    changes_of_entities: Vec<Change>,
    changes_of_declarations: Vec<Change>,
    dirty: bool,
}

#[derive(Deserialize)]
struct Carried<'a> {
    #[serde(borrow)]
    tags: Vec<CarriedTag<'a>>,
}

#[derive(Deserialize)]
struct CarriedTag<'a> {
    tag: &'a str,
}

impl State {
    /// Nothing was followed yet of a journal that reaches up to `head`.
    pub(super) fn begun_at(head: u64) -> Self {
        Self { begun_at: head, ..Self::default() }
    }

    /// Does what was followed rest on something that was erased by now?
    pub(super) fn is_erased_by(&self, event: &RecordedEvent) -> bool {
        event.envelope.kind == crate::erasure::model::DONE && event.position > self.begun_at
    }

    /// The state of which an epoch of everybody alone, the merges and what waits was kept.
    ///
    /// # Errors
    /// None that numbers within bounds allow.
    pub(super) fn of(
        epoch: Epoch,
        event: String,
        begun_at: u64,
        waiting: BTreeMap<String, Parties>,
        joins: Joins,
    ) -> Result<Self, MatrixError> {
        let numbered =
            |names: &mut dyn Iterator<Item = Arc<str>>| (0..).zip(names).map(|(n, name)| (name, n)).collect();
        let tag_numbers = numbered(&mut epoch.tags.iter().cloned());
        let entity_numbers: Numbers = numbered(&mut epoch.entities.iter().cloned());
        let declaration_numbers = numbered(&mut epoch.declarations.iter().map(|own| Arc::clone(&own.mrn)));
        let mut state = Self {
            tag_numbers,
            declaration_numbers,
            own: epoch.of_entities.clone(),
            epoch: Epoch { entity_numbers: Arc::new(RwLock::new(entity_numbers)), ..epoch },
            event,
            begun_at,
            waiting,
            joins,
            regroup: true,
            ..Self::default()
        };
        state.take_in_changes()?;
        Ok(state)
    }

    /// Follows one event.
    ///
    /// # Errors
    /// `event_unreadable`.
    pub(super) fn apply(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        self.follow(event)?;
        self.epoch.position = event.position;
        self.event.clone_from(&event.envelope.id);
        self.dirty = true;
        Ok(())
    }

    fn follow(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        let Some(mrn) = event.envelope.stream.strip_prefix(STREAM_PREFIX) else {
            match self.joins.follow(event) {
                Followed::Same => {}
                Followed::Changed(_) => self.regroup = true,
                Followed::LeftOut => self.epoch.left_out = self.epoch.left_out.saturating_add(1),
            }
            return Ok(());
        };
        let kind = event.envelope.kind.as_str();
        let payload = match &event.payload {
            Payload::Present(payload) => payload,
            Payload::Erased { .. } => {
                if kind == LODGED {
                    self.wait(mrn, Parties::default());
                }
                return Ok(());
            }
        };
        match kind {
            LODGED | AMENDED | CORRECTED => {
                if kind != LODGED && !self.waiting.contains_key(mrn) {
                    // Its tags are there already, and they are those of the parties that it had then.
                    return Ok(());
                }
                let mut parties = self.waiting.remove(mrn).unwrap_or_default();
                if let Some(declaration) = payload.get("declaration").filter(|own| !own.is_null()) {
                    let declaration = Declaration::deserialize(declaration)
                        .map_err(|error| Error::unreadable_event(event, &error))?;
                    name_parties(&mut parties, &declaration);
                }
                self.wait(mrn, parties);
            }
            TAGS_APPLIED => {
                let carried =
                    Carried::deserialize(payload).map_err(|error| Error::unreadable_event(event, &error))?;
                self.tagged(mrn, &carried, event.envelope.occurred_at.as_microsecond());
            }
            _ => {
                if let Some(read) = Event::read(kind, event.envelope.kind_version, payload) {
                    self.moved(mrn, &read.map_err(|error| Error::unreadable_event(event, &error))?);
                }
            }
        }
        Ok(())
    }

    fn wait(&mut self, mrn: &str, parties: Parties) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.insert(mrn.to_owned(), parties);
        } else {
            self.epoch.left_out = self.epoch.left_out.saturating_add(1);
        }
    }

    fn tagged(&mut self, mrn: &str, carried: &Carried<'_>, at: i64) {
        let known = self.declaration_numbers.get(mrn).copied();
        let declaration = match (known, self.waiting.remove(mrn)) {
            (Some(known), _) => known,
            (None, Some(parties)) => match self.declaration(mrn, &parties, at) {
                Some(number) => number,
                None => return,
            },
            (None, None) => return,
        };
        let parties: Vec<u32> =
            self.epoch.declaration(declaration).into_iter().flat_map(Tagged::parties).collect();
        for tag in &carried.tags {
            let Some(tag) = self.tag(tag.tag) else { continue };
            self.changes_of_declarations.push(Change { tag, entity: declaration, carried: true });
            for entity in &parties {
                let carries = self.own.carriers(tag).is_some_and(|all| all.contains(*entity));
                if !carries {
                    self.changes_of_entities.push(Change { tag, entity: *entity, carried: true });
                }
            }
        }
    }

    fn declaration(&mut self, mrn: &str, parties: &Parties, at: i64) -> Option<u32> {
        let number = next(&self.epoch.declarations, NUMBERED_MAX, &mut self.epoch.left_out)?;
        let mut numbers = [NOBODY; ROLES];
        for (place, party) in numbers.iter_mut().zip(parties) {
            *place = party.as_deref().and_then(|id| self.entity(id)).unwrap_or(NOBODY);
        }
        let mrn: Arc<str> = mrn.into();
        self.declaration_numbers.insert(Arc::clone(&mrn), number);
        self.epoch.declarations.push(Tagged { mrn, at, parties: numbers });
        Some(number)
    }

    fn entity(&mut self, id: &str) -> Option<u32> {
        let most = NUMBERED_MAX.min(ENTITIES_MAX);
        let Epoch { entity_numbers, entities, left_out, .. } = &mut self.epoch;
        let mut numbers = entity_numbers.write().unwrap_or_else(PoisonError::into_inner);
        number_of(id, &mut numbers, entities, most, left_out)
    }

    fn tag(&mut self, id: &str) -> Option<u16> {
        let most = u32::try_from(TAGS_MAX).unwrap_or(u32::MAX);
        let number =
            number_of(id, &mut self.tag_numbers, &mut self.epoch.tags, most, &mut self.epoch.left_out)?;
        u16::try_from(number).ok()
    }

    fn moved(&mut self, mrn: &str, event: &Event) {
        let (inspected, irregular) = match event {
            Event::ControlCompleted { result, .. } | Event::AuditClosed { result, .. } => {
                (result.inspected, result.inspected && result.code.irregular())
            }
            Event::ResultWithdrawn { .. } => (false, false),
            Event::Rejected { .. } | Event::Cancelled { .. } => {
                // It will have no tags any more.
                self.waiting.remove(mrn);
                return;
            }
            _ => return,
        };
        let Some(number) = self.declaration_numbers.get(mrn).copied() else { return };
        for (set, belongs) in [(&mut self.epoch.inspected, inspected), (&mut self.epoch.irregular, irregular)]
        {
            if set.contains(number) != belongs {
                let set = Arc::make_mut(set);
                if belongs {
                    set.insert(number)
                } else {
                    set.remove(number)
                };
            }
        }
    }

    /// Is so much gathered that an epoch must be made of it?
    pub(super) fn is_full(&self) -> bool {
        self.changes_of_declarations.len() >= CHANGES_MAX
    }

    /// Has anything been followed since the last epoch?
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// An epoch of everything that was followed.
    ///
    /// # Errors
    /// None that numbers within bounds allow.
    pub(super) fn publish(&mut self) -> Result<Arc<Epoch>, Error> {
        self.take_in_changes().map_err(|error| Error::internal("tag_matrix_failed", &error))?;
        self.dirty = false;
        Ok(Arc::new(self.epoch.clone()))
    }

    fn take_in_changes(&mut self) -> Result<(), MatrixError> {
        let (tags, epoch) = (self.epoch.tags.len(), &mut self.epoch);
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (entities, declarations) = (count(epoch.entities.len()), count(epoch.declarations.len()));
        // Whoever is new may belong to a group that was made of the register.
        let regroup = self.regroup || (entities > self.own.entities() && self.joins.len() > 0);
        let own = self.own.changed(entities, tags, &self.changes_of_entities)?;
        let grouped = if regroup {
            let numbers = epoch.entity_numbers.read().unwrap_or_else(PoisonError::into_inner);
            Arc::new(Grouped::of(self.joins.groups(), |id| numbers.get(id).copied()))
        } else {
            Arc::clone(&epoch.grouped)
        };
        epoch.of_entities = if grouped.is_empty() {
            own.clone()
        } else if grouped == epoch.grouped {
            epoch.of_entities.changed(entities, tags, &grouped.gained(&self.changes_of_entities))?
        } else {
            grouped.over(&own, tags)?
        };
        epoch.of_declarations =
            epoch.of_declarations.changed(declarations, tags, &self.changes_of_declarations)?;
        epoch.grouped = grouped;
        self.own = own;
        self.regroup = false;
        self.changes_of_entities.clear();
        self.changes_of_declarations.clear();
        Ok(())
    }
}

fn next<T: Clone>(list: &Grown<T>, most: u32, left_out: &mut u64) -> Option<u32> {
    let number = u32::try_from(list.len()).ok().filter(|number| *number < most);
    if number.is_none() {
        *left_out = left_out.saturating_add(1);
    }
    number
}

fn number_of(
    name: &str,
    numbers: &mut Numbers,
    names: &mut Grown<Arc<str>>,
    most: u32,
    left_out: &mut u64,
) -> Option<u32> {
    if let Some(number) = numbers.get(name) {
        return Some(*number);
    }
    let number = next(names, most, left_out)?;
    let name: Arc<str> = name.into();
    numbers.insert(Arc::clone(&name), number);
    names.push(name);
    Some(number)
}

/// Takes over the parties that a declaration names; whom it does not name stays.
fn name_parties(parties: &mut Parties, declaration: &Declaration) {
    let [declarant, importer, exporter, carrier] = parties;
    for (role, id) in declaration.parties() {
        let place = match role {
            PartyRole::Declarant => &mut *declarant,
            PartyRole::Importer => &mut *importer,
            PartyRole::Exporter => &mut *exporter,
            PartyRole::Carrier => &mut *carrier,
            _ => continue,
        };
        *place = Some(id.to_owned());
    }
}
