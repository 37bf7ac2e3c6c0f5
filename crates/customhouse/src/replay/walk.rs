//! The way through the journal up to the decisions that are derived again: event by event, in the order and in the
//! batches in which the desk went.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::PoisonError;

use ::tags::OnlineHits;
use jiff::Timestamp;
use journal::RecordedEvent;
use selection::{Made, Moved, Plan, PlanInForce, Subject, select, steer};
use serde::Deserialize;
use serde_json::Value;
use spine::{EntryTable, Progress, Sensitivity, declaration_entry};

use super::decide::{self, Comparison};
use super::model::{Decided, Derivation};
use crate::Customhouse;
use crate::civil_time::civil;
use crate::declarations::assess::tagged;
use crate::declarations::event::{
    AMENDED, LODGED, SELECTION_MADE, STREAM_PREFIX, TAGS_APPLIED, THRESHOLD_MOVED, TagsApplied,
};
use crate::declarations::past::{Past, as_tagged, importer_of, packs_of};
use crate::entities::DECISION_PREFIX;
use crate::error::Error;

use super::EVENTS_PER_READ;
/// Events that are looked at together before the first decision comes.
const BUFFER_MAX: usize = 20_000;

/// Events of one declaration up to its tags.
const EVENTS_PER_STREAM: usize = 1_000;

/// What is wanted.
pub(super) struct Asked {
    /// Last position that matters.
    pub(super) until: u64,
    /// Is it also asked what would be decided today?
    pub(super) now_too: bool,
    /// What the reader may see.
    pub(super) clearance: Sensitivity,
}

/// The past as one set of packs sees it.
struct Side {
    past: Past,
    /// Batches of history that were admitted and may not have been known to the desk yet.
    admitted: VecDeque<String>,
}

impl Side {
    fn follow(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        if event.envelope.kind == ::pool::event::BATCH_ADMITTED {
            let batch = event.payload.value().and_then(|own| own.get("batch")).and_then(Value::as_str);
            self.admitted.extend(batch.map(str::to_owned));
            return Ok(());
        }
        self.past.follow(event)
    }

    /// Knows who is one as far as the desk did.
    fn know(&mut self, groups: Option<u64>) -> Result<(), Error> {
        groups.map_or(Ok(()), |groups| self.past.know_decisions(groups))
    }

    /// Takes in history as far as the desk had when its windows had seen so many entries.
    fn reach(&mut self, epoch: u64) -> Result<(), Error> {
        while self.past.epoch() < epoch
            && let Some(batch) = self.admitted.pop_front()
        {
            self.past.absorb_history(&batch)?;
        }
        Ok(())
    }
}

/// A batch of declarations tagged again: hits, and the rows of each declaration in them.
struct Tagged {
    hits: OnlineHits,
    rows: HashMap<String, Range<usize>>,
    epoch: u64,
}

impl Tagged {
    fn of(&self, past: &Past, mrn: &str) -> Option<TagsApplied> {
        Some(tagged(past, &self.hits, self.rows.get(mrn)?.clone(), self.epoch))
    }
}

/// A decision on its way.
struct Underway {
    recorded: TagsApplied,
    decided_at: Timestamp,
    made: Option<Made>,
    again: Option<TagsApplied>,
    made_again: Option<Made>,
    now: Option<TagsApplied>,
    made_now: Option<Made>,
    trusted: bool,
    simulated: bool,
    comparison: Comparison,
}

pub(super) struct Walk<'a> {
    house: &'a Customhouse,
    /// With the packs of then; `None`: some are missing.
    then: Option<Side>,
    missing: Vec<String>,
    /// With the packs in use now, where these are others.
    now: Option<Side>,
    plan_now: Option<(String, Plan)>,
    plans: HashMap<String, Option<Plan>>,
    targets: HashSet<String>,
    asked: Asked,
    buffer: Vec<RecordedEvent>,
    batch: Option<(u64, Timestamp)>,
    erased: u64,
    found: Vec<Derivation>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        house: &'a Customhouse,
        packs: &[String],
        targets: HashSet<String>,
        asked: Asked,
    ) -> Result<Self, Error> {
        let registry = house.registry.read().unwrap_or_else(PoisonError::into_inner).clone();
        let parts = house.parts();
        let side = |registry: &crate::packs::Registry| Side {
            past: Past::new(&parts, registry),
            admitted: VecDeque::new(),
        };
        let (then, missing) = match registry.with_in_use(packs) {
            Ok(registry) => (Some(side(&registry)), Vec::new()),
            Err(hashes) => (None, hashes.iter().map(|hash| format!("pack {hash}")).collect()),
        };
        let others = then.is_none() || packs_of(&registry) != packs;
        let now = (asked.now_too && others).then(|| side(&registry));
        let in_force = house.policies.read().unwrap_or_else(PoisonError::into_inner).in_force();
        Ok(Self {
            house,
            then,
            missing,
            now,
            plan_now: in_force.selection.as_deref().cloned(),
            plans: HashMap::new(),
            targets,
            asked,
            buffer: Vec::new(),
            batch: None,
            erased: 0,
            found: Vec::new(),
        })
    }

    /// Goes the whole way, and answers with what was derived on it.
    pub(super) fn run(&mut self, progress: &dyn Progress) -> Result<Vec<Derivation>, Error> {
        let end = self.asked.until.min(self.house.journal.head());
        let mut position = 0;
        while position < end {
            if progress.cancelled() {
                return Err(Error::cancelled());
            }
            progress.report("following_the_past", position, end);
            let events = self.house.journal.feed(position, EVENTS_PER_READ)?;
            let Some(last) = events.last() else { break };
            position = last.position;
            for event in events {
                self.take(event)?;
            }
        }
        self.close()?;
        Ok(std::mem::take(&mut self.found))
    }

    /// Gathers what was decided together.
    fn take(&mut self, event: RecordedEvent) -> Result<(), Error> {
        if event.envelope.kind == TAGS_APPLIED
            && let Some(epoch) = event.payload.value().and_then(|own| own.get("epoch")?.as_u64())
        {
            let batch = (epoch, event.envelope.occurred_at);
            if self.batch.is_some_and(|own| own != batch) {
                self.close()?;
            }
            self.batch = Some(batch);
        }
        let weighs = event.envelope.kind == LODGED || event.envelope.stream.starts_with(DECISION_PREFIX);
        if weighs && event.payload.value().is_none() {
            self.erased = self.erased.saturating_add(1);
        }
        // What is amended before it is tagged must be known by then, and not before what it amends.
        let amends = event.envelope.kind == AMENDED;
        if amends && self.batch.is_some() {
            self.close()?;
        }
        self.buffer.push(event);
        if amends {
            return self.close();
        }
        if self.batch.is_none() && self.buffer.len() >= BUFFER_MAX { self.close() } else { Ok(()) }
    }

    fn sides(&mut self) -> impl Iterator<Item = &mut Side> {
        self.then.iter_mut().chain(self.now.iter_mut())
    }

    fn close(&mut self) -> Result<(), Error> {
        let events = std::mem::take(&mut self.buffer);
        let batch = self.batch.take();
        let known_first = |event: &&RecordedEvent| {
            matches!(event.envelope.kind.as_str(), LODGED | ::pool::event::BATCH_ADMITTED)
                || event.envelope.stream.starts_with(DECISION_PREFIX)
        };
        for event in events.iter().filter(known_first) {
            for side in self.sides() {
                side.follow(event)?;
            }
        }
        let Some((epoch, at)) = batch else {
            return self.follow_rest(&events);
        };
        for side in self.sides() {
            side.reach(epoch)?;
        }
        let of_tags = |event: &&RecordedEvent| event.envelope.kind == TAGS_APPLIED;
        let wanted = events.iter().filter(of_tags).any(|event| self.targets.contains(mrn_of(event)));
        if !wanted {
            return self.follow_rest(&events);
        }
        let groups = events.iter().find(of_tags).and_then(|own| own.payload.value()?.get("groups")?.as_u64());
        for side in self.sides() {
            side.know(groups)?;
        }
        let then = tag_batch(self.then.as_mut(), &events, at)?;
        let now = tag_batch(self.now.as_mut(), &events, at)?;
        self.derive(&events, then.as_ref(), now.as_ref())
    }

    /// Follows what is neither a lodgement nor history.
    fn follow_rest(&mut self, events: &[RecordedEvent]) -> Result<(), Error> {
        for event in events {
            if !matches!(event.envelope.kind.as_str(), LODGED | ::pool::event::BATCH_ADMITTED) {
                for side in self.sides() {
                    side.follow(event)?;
                }
            }
        }
        Ok(())
    }

    /// Decides again, one declaration of the batch after the other.
    fn derive(
        &mut self,
        events: &[RecordedEvent],
        then: Option<&Tagged>,
        now: Option<&Tagged>,
    ) -> Result<(), Error> {
        let mut underway: Vec<(String, Underway)> = Vec::new();
        let mut steered: Option<(Moved, Option<Moved>)> = None;
        for event in events {
            let Some(payload) = event.payload.value() else { continue };
            match event.envelope.kind.as_str() {
                TAGS_APPLIED if self.targets.contains(mrn_of(event)) => {
                    let Ok(recorded) = TagsApplied::deserialize(payload) else { continue };
                    underway.push((mrn_of(event).to_owned(), self.begin(event, recorded, then, now)));
                }
                TAGS_APPLIED | LODGED | ::pool::event::BATCH_ADMITTED => {}
                THRESHOLD_MOVED => {
                    if let Ok(moved) = Moved::deserialize(payload) {
                        steered = Some((moved.clone(), self.steer_again(&moved, event.envelope.occurred_at)));
                    }
                    self.follow_rest(std::slice::from_ref(event))?;
                }
                SELECTION_MADE => {
                    let last = steered.take();
                    let of_target = underway.last_mut().filter(|(mrn, _)| mrn == mrn_of(event));
                    if let (Some((_, own)), Ok(made)) = (of_target, Made::deserialize(payload)) {
                        self.choose_again(own, made, last);
                    }
                    self.follow_rest(std::slice::from_ref(event))?;
                }
                _ => self.follow_rest(std::slice::from_ref(event))?,
            }
        }
        for (mrn, own) in underway {
            let derivation = self.end(mrn, own);
            self.found.push(derivation);
        }
        Ok(())
    }

    fn begin(
        &self,
        event: &RecordedEvent,
        recorded: TagsApplied,
        then: Option<&Tagged>,
        now: Option<&Tagged>,
    ) -> Underway {
        let mrn = mrn_of(event);
        let again = self.then.as_ref().zip(then).and_then(|(side, tagged)| tagged.of(&side.past, mrn));
        let today = match (&self.now, now) {
            (Some(side), Some(tagged)) => tagged.of(&side.past, mrn),
            _ if self.asked.now_too => again.clone(),
            _ => None,
        };
        let mut comparison = Comparison::default();
        if let Some(again) = &again {
            comparison.compare("tags", &recorded, again);
        }
        let lodged = self.lodged(mrn);
        let importer = lodged.as_ref().and_then(|own| own.declaration.as_ref()).and_then(importer_of);
        let past = self.then.as_ref().or(self.now.as_ref()).map(|side| &side.past);
        Underway {
            recorded,
            decided_at: event.envelope.occurred_at,
            made: None,
            again,
            made_again: None,
            now: today,
            made_now: None,
            trusted: importer.zip(past).is_some_and(|(importer, past)| past.trusts(importer)),
            simulated: lodged.as_ref().is_some_and(|own| own.simulated),
            comparison,
        }
    }

    fn lodged(&self, mrn: &str) -> Option<crate::declarations::event::Lodged> {
        let events =
            self.house.journal.read_stream(&format!("{STREAM_PREFIX}{mrn}"), 0, EVENTS_PER_STREAM).ok()?;
        as_tagged(&events)
    }

    fn plan(&mut self, hash: &str) -> Option<&Plan> {
        let policies = &self.house.policies;
        let read = || policies.read().unwrap_or_else(PoisonError::into_inner).plan(hash);
        self.plans.entry(hash.to_owned()).or_insert_with(read).as_ref()
    }

    /// The move of a threshold as it follows from what came before.
    fn steer_again(&mut self, moved: &Moved, at: Timestamp) -> Option<Moved> {
        let plan = self.plan(&moved.plan)?.clone();
        let side = self.then.as_mut()?;
        let standing = side.past.office(&plan, &moved.office, civil(at));
        steer(PlanInForce { plan: &plan, hash: &moved.plan }, standing, civil(at))
    }

    /// The choice of the lane as it follows from what came before, then and now.
    fn choose_again(&mut self, own: &mut Underway, made: Made, steered: Option<(Moved, Option<Moved>)>) {
        let at = civil(own.decided_at);
        let plan_now = self.plan_now.clone().filter(|_| self.asked.now_too);
        let Some(plan) = self.plan(&made.plan).cloned() else {
            self.missing.push(format!("plan {}", made.plan));
            own.made = Some(made);
            return;
        };
        if let Some(side) = self.then.as_mut().or(self.now.as_mut()) {
            let in_force = PlanInForce { plan: &plan, hash: &made.plan };
            let standing = side.past.office(&plan, &made.office, at);
            match &steered {
                Some((recorded, derived)) => own.comparison.compare("threshold", recorded, derived),
                None => own.comparison.compare("threshold", &None::<Moved>, &steer(in_force, standing, at)),
            }
            let choose = |in_force: PlanInForce<'_>, tags: &TagsApplied| {
                let tags: Vec<String> = tags.tags.iter().map(|own| own.tag.clone()).collect();
                let subject = Subject { office: &made.office, tags: &tags, trusted: own.trusted };
                select(in_force, standing, &subject, made.draws)
            };
            own.made_again = own.again.as_ref().map(|tags| choose(in_force, tags));
            own.made_now = own
                .now
                .as_ref()
                .zip(plan_now.as_ref())
                .map(|(tags, (hash, plan))| choose(PlanInForce { plan, hash }, tags));
        }
        if let Some(again) = &own.made_again {
            own.comparison.compare("selection", &made, again);
        }
        own.made = Some(made);
    }

    fn end(&self, mrn: String, own: Underway) -> Derivation {
        let mut missing = self.missing.clone();
        if self.then.is_some() && own.again.is_none() {
            missing.push("declaration".to_owned());
        }
        let decided = |tags: &TagsApplied, made: Option<Made>| Decided {
            tags: tags.tags.iter().map(|own| own.tag.clone()).collect(),
            unknown: tags.unknown,
            packs: tags.packs.clone(),
            epoch: tags.epoch,
            made,
        };
        let then = decided(&own.recorded, own.made.clone());
        let again = own.again.as_ref().map(|tags| decided(tags, own.made_again.clone()));
        let now = own.now.as_ref().map(|tags| decided(tags, own.made_now.clone()));
        let set_then = self.then.as_ref().map(|side| side.past.tag_set());
        let set_now = self.now.as_ref().map(|side| side.past.tag_set()).or(set_then);
        let plan_then = own.made.as_ref().and_then(|made| self.plans.get(&made.plan)?.as_ref());
        let changes = now.as_ref().map(|now| {
            let plan_now = self.plan_now.as_ref().map(|(_, plan)| plan);
            decide::changes((&then, set_then, plan_then), (now, set_now, plan_now))
        });
        let same = again.is_some() && missing.is_empty() && own.comparison.differences.is_empty();
        let derivation = Derivation {
            mrn,
            decided_at: own.decided_at,
            then,
            again,
            same,
            differences: own.comparison.differences,
            missing,
            erased_before: self.erased,
            now,
            changes: changes.unwrap_or_default(),
            hidden: 0,
            simulated: own.simulated,
            clearance: self.asked.clearance,
        };
        decide::as_seen(derivation, &[set_then, set_now])
    }
}

/// Tags the declarations of a batch again, all together, as the desk did.
fn tag_batch(
    side: Option<&mut Side>,
    events: &[RecordedEvent],
    at: Timestamp,
) -> Result<Option<Tagged>, Error> {
    let Some(side) = side else { return Ok(None) };
    side.past.catch_up()?;
    let mut table = EntryTable::empty(declaration_entry::schema());
    let mut rows = HashMap::new();
    for event in events.iter().filter(|event| event.envelope.kind == TAGS_APPLIED) {
        let mrn = mrn_of(event);
        let Some(lodged) = side.past.take_untagged(mrn) else { continue };
        let Some(declaration) = &lodged.declaration else { continue };
        let from = table.len();
        side.past.push_rows(&mut table, declaration, mrn, at, lodged.simulated);
        rows.insert(mrn.to_owned(), from..table.len());
    }
    let epoch = side.past.epoch();
    let hits = side.past.tag(&table)?;
    Ok(Some(Tagged { hits, rows, epoch }))
}

fn mrn_of(event: &RecordedEvent) -> &str {
    event.envelope.stream.strip_prefix(STREAM_PREFIX).unwrap_or_default()
}
