//! The clerk at the desk: knows numbers, tags and offices as they stand, and decides one batch after the other.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use clearance::{Basis, Case, Command, Event, State, decide};
use jiff::{SignedDuration, Timestamp};
use journal::{AppendRequest, NewEvent};
use selection::Draws;
use serde_json::Value;
use spine::declaration::Declaration;
use spine::{Actor, ActorKind, EntryTable, LocalizedText, declaration_entry};

use super::assess::tagged;
use super::desk::{Landed, Lodgement, Outgoing, Parts, Reply};
use super::event::{LODGED, Lodged, stream};
use super::lodging::{Waiting, answer_known, receipt_of, reference_of, written_down};
use super::model::{Progress, Receipt};
use super::number::{Numbers, number_of};
use super::past::{Past, acceptable, mrn_of, packs_of};
use super::read_model::{known_reference, waiting_for_acceptance};
use super::words;
use crate::civil_time::as_recorded;
use crate::error::Error;
use crate::plans::InForce;

/// Events read at once from the past.
pub(super) const EVENTS_PER_READ: usize = 5_000;
/// What a clock that stands still is helped on by.
const TICK: SignedDuration = SignedDuration::from_micros(1);
/// A clock that went back by less than this has stumbled; by more, it was set back.
const STUMBLE_MAX: SignedDuration = SignedDuration::from_secs(1);

/// A declaration of the last batches that read models may not show yet.
struct Recent {
    receipt: Receipt,
    batch: u64,
}

/// A declaration that goes on its way: fresh, or waiting since there was no policy.
pub(super) struct Pending {
    /// Place of its events in the batch.
    place: usize,
    /// Place of the reply, and the reference, of whoever waits for it.
    waits: Option<(usize, Reference)>,
    pub(super) mrn: String,
    pub(super) declaration: Declaration,
    pub(super) case: Case,
}

/// Party and its own reference.
type Reference = (String, String);

/// What a declaration is when it comes in.
enum Numbered {
    /// It is here already.
    Known(Box<Receipt>),
    /// It is new, under this reference.
    Fresh(Reference, Box<Lodged>),
}

/// What one declaration has led to.
pub(super) struct Outcome {
    pub(super) case: Case,
    pub(super) events: Vec<NewEvent>,
}

pub(super) struct Clerk {
    parts: Parts,
    pub(super) past: Past,
    /// When the last batch was decided.
    last: Timestamp,
    numbers: Numbers,
    recent: HashMap<Reference, Recent>,
    /// Last position of each batch that is not yet in the read models.
    landed: BTreeMap<u64, Option<u64>>,
    batch: u64,
    /// How often the past was read.
    reading: u64,
    resume: bool,
}

impl Clerk {
    /// Reads the past: history of the pool, what was lodged here, how offices stand.
    pub(super) fn read(parts: &Parts, reading: u64) -> Result<Self, Error> {
        let mut clerk = Self::new(parts, reading);
        clerk.read_past()?;
        clerk.parts.wait_for_read_models()?;
        Ok(clerk)
    }

    /// A clerk who knows nothing of the past yet.
    pub(super) fn new(parts: &Parts, reading: u64) -> Self {
        let registry = parts.registry.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            past: Past::new(parts, &registry),
            last: Timestamp::MIN,
            numbers: Numbers::new(&parts.node),
            recent: HashMap::new(),
            landed: BTreeMap::new(),
            batch: 0,
            reading,
            resume: true,
            parts: parts.clone(),
        }
    }

    fn read_past(&mut self) -> Result<(), Error> {
        let mut position = 0;
        loop {
            if self.parts.closing.load(Ordering::Relaxed) {
                return Err(Error::cancelled());
            }
            let events = self.parts.journal.feed(position, EVENTS_PER_READ)?;
            let Some(last) = events.last() else { break };
            position = last.position;
            for event in &events {
                // The number of one whose content was erased is in use as well: its stream bears it.
                if event.envelope.kind == LODGED
                    && let Some(number) = number_of(mrn_of(event))
                {
                    self.numbers.seen(number);
                }
                self.past.follow(event)?;
            }
        }
        self.past.catch_up()
    }

    /// Follows a decision on who is one that was recorded here.
    pub(super) fn follow_decision(&mut self, position: u64) -> Result<(), Error> {
        let events = self.parts.journal.feed(position.saturating_sub(1), 1)?;
        events.iter().for_each(|event| self.past.note_decision(event));
        Ok(())
    }

    /// What waits for a policy may go on, once nothing is on its way.
    pub(super) fn resume(&mut self) {
        self.resume = true;
    }

    /// Is there perhaps something that waited for a policy and may go on?
    pub(super) fn may_resume(&self) -> bool {
        self.resume && self.in_force().acceptance.is_some()
    }

    /// A batch is durable.
    pub(super) fn landed(&mut self, landed: &Landed) {
        if let Some(position) = self.landed.get_mut(&landed.number) {
            *position = Some(landed.position);
        }
        self.forget_shown();
    }

    /// What read models show is looked up there: they know what happened since, which a receipt of then does not.
    fn forget_shown(&mut self) {
        let shown = self.parts.projection.position();
        let gone: Vec<u64> = self
            .landed
            .iter()
            .filter(|(_, position)| position.is_some_and(|position| position <= shown))
            .map(|(batch, _)| *batch)
            .collect();
        if !gone.is_empty() {
            self.landed.retain(|batch, _| !gone.contains(batch));
            self.recent.retain(|_, recent| !gone.contains(&recent.batch));
        }
    }

    /// How often the past was read.
    pub(super) fn reading(&self) -> u64 {
        self.reading
    }

    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.parts.policies.read().unwrap_or_else(PoisonError::into_inner).in_force()
    }

    /// Goes on with the packs that are in use now. False if the past must be read again for them.
    pub(super) fn keeps_up_with_packs(&mut self) -> bool {
        let registry = self.parts.registry.read().unwrap_or_else(PoisonError::into_inner);
        packs_of(&registry) == self.past.packs() || self.past.adopt(&registry)
    }

    /// Is a batch on its way to the disk?
    pub(super) fn under_way(&self) -> bool {
        self.landed.values().any(Option::is_none)
    }

    /// The time, but later than a batch before. A clock that stands still or stumbles is helped on by a microsecond, so
    /// that batches keep their order in time wherever they are followed; one that was set back is believed.
    fn after(&self, last: Timestamp) -> Timestamp {
        let now = as_recorded(self.parts.clock.now());
        let stumbled = now <= last && last.duration_since(now) < STUMBLE_MAX;
        if stumbled { last.checked_add(TICK).unwrap_or(last) } else { now }
    }

    fn begin(&mut self) -> Batch {
        self.forget_shown();
        self.batch = self.batch.saturating_add(1);
        self.last = self.after(self.last);
        Batch {
            now: self.last,
            in_force: self.in_force(),
            events: Vec::new(),
            expected: Vec::new(),
            replies: Vec::new(),
            pending: Vec::new(),
        }
    }

    fn end(&mut self, mut batch: Batch) -> Outgoing {
        self.route(&mut batch);
        self.landed.insert(self.batch, None);
        let events = batch.events.into_iter().flatten().collect();
        Outgoing {
            number: self.batch,
            reading: self.reading,
            request: AppendRequest { events, expected: batch.expected, ..AppendRequest::default() },
            replies: batch.replies,
        }
    }

    /// Decides a batch. `None` of nothing.
    pub(super) fn process(&mut self, lodgements: Vec<Lodgement>) -> Option<Outgoing> {
        if lodgements.is_empty() {
            return None;
        }
        let mut batch = self.begin();
        for lodgement in lodgements {
            self.receive(&mut batch, lodgement);
        }
        Some(self.end(batch))
    }

    /// Takes up declarations that were lodged while no policy of acceptance was in force, some at a time. Nothing may
    /// be on its way and read models must show everything, so that none is taken up twice. `None` when none is left.
    pub(super) fn take_up_waiting(&mut self) -> Result<Option<Outgoing>, Error> {
        let waiting = waiting_for_acceptance(&self.parts)?;
        if waiting.is_empty() {
            self.resume = false;
            return Ok(None);
        }
        let outgoing = self.take_up(waiting);
        // Where nothing moves, trying again moves nothing either.
        self.resume = !outgoing.request.events.is_empty();
        Ok(Some(outgoing))
    }

    /// Decides declarations that are recorded and that nobody has moved since.
    pub(super) fn take_up(&mut self, waiting: Vec<Waiting>) -> Outgoing {
        let mut batch = self.begin();
        for own in waiting {
            batch.expected.push((stream(&own.lodged.mrn), own.version));
            let place = batch.events.len();
            batch.events.push(Vec::new());
            self.go_on(&mut batch, place, own, None);
        }
        self.end(batch)
    }

    /// Numbers one declaration, or answers that it is here already.
    fn receive(&mut self, batch: &mut Batch, lodgement: Lodgement) {
        match self.number(batch.now, &lodgement) {
            Ok(Numbered::Known(receipt)) => batch.replies.push((lodgement.reply, Ok(*receipt))),
            Ok(Numbered::Fresh(key, lodged)) => {
                self.accept(batch, lodgement.reply, lodgement.actor, key, *lodged);
            }
            Err(error) => batch.replies.push((lodgement.reply, Err(error))),
        }
    }

    fn number(&mut self, now: Timestamp, lodgement: &Lodgement) -> Result<Numbered, Error> {
        let reference = reference_of(&lodgement.understood)?;
        let key = (lodgement.party.clone(), reference.clone());
        if let Some(answer) = self.known(&key)?.and_then(|known| answer_known(known, &lodgement.sha256)) {
            return answer.map(|receipt| Numbered::Known(Box::new(receipt)));
        }
        let numbers = &mut self.numbers;
        let lodged = written_down(&self.parts, lodgement, &reference, || Ok(numbers.next(now)))?;
        Ok(Numbered::Fresh(key, Box::new(lodged)))
    }

    /// The receipt of a reference that is in use.
    fn known(&self, key: &Reference) -> Result<Option<Receipt>, Error> {
        match self.recent.get(key) {
            Some(recent) => Ok(Some(recent.receipt.clone())),
            None => known_reference(&self.parts.projection, &key.0, &key.1),
        }
    }

    /// Records that a declaration came in, rejects it for correction, or lets it go on.
    fn accept(&mut self, batch: &mut Batch, reply: Reply, actor: Actor, key: Reference, lodged: Lodged) {
        let payload = match serde_json::to_value(&lodged) {
            Ok(payload) => payload,
            Err(error) => {
                batch.replies.push((reply, Err(Error::internal("event_unwritable", &error))));
                return;
            }
        };
        let place = batch.events.len();
        batch.events.push(vec![new_event(&lodged.mrn, LODGED, payload, actor, batch.now)]);
        // Nobody has used this number: a pair to the range that it was drawn from.
        batch.expected.push((stream(&lodged.mrn), 0));
        let receipt = receipt_of(&lodged, batch.now);
        self.recent.insert(key.clone(), Recent { receipt: receipt.clone(), batch: self.batch });
        let reply_at = batch.replies.len();
        batch.replies.push((reply, Ok(receipt)));
        self.go_on(batch, place, Waiting::lodged(lodged), Some((reply_at, key)));
    }

    /// Rejects for correction what cannot be accepted, registers what was lodged before its goods came, lets everything
    /// else go on; without a policy of acceptance it waits.
    fn go_on(&mut self, batch: &mut Batch, place: usize, own: Waiting, waits: Option<(usize, Reference)>) {
        let Some(acceptance) = batch.in_force.acceptance.clone() else { return };
        let Waiting { lodged, mut case, .. } = own;
        let declaration = lodged.declaration.filter(|_| acceptable(&lodged.findings));
        let command = match declaration {
            Some(declaration) if declaration.is_prelodged() && case.state == State::Lodged => {
                let basis = Basis { reason: words::registered(), ..acceptance.basis() };
                Command::Register { basis, deadlines: batch.in_force.deadlines() }
            }
            Some(declaration) => {
                batch.pending.push(Pending { place, waits, mrn: lodged.mrn, declaration, case });
                return;
            }
            None => {
                let basis = Basis { reason: words::rejected(), ..acceptance.basis() };
                Command::Reject { basis, findings: lodged.findings }
            }
        };
        let events = moves(&mut case, &command, &lodged.mrn, &policy_actor(&acceptance.hash), batch.now);
        if let Some(own) = batch.events.get_mut(place) {
            own.extend(events);
        }
        self.tell_progress(batch, waits, &case);
    }

    /// Whoever waits is told where the declaration stands now.
    fn tell_progress(&mut self, batch: &mut Batch, waits: Option<(usize, Reference)>, case: &Case) {
        let Some((at, key)) = waits else { return };
        let progress = Progress::of(case);
        if let Some((_, Ok(receipt))) = batch.replies.get_mut(at) {
            receipt.progress = progress;
        }
        if let Some(recent) = self.recent.get_mut(&key) {
            recent.receipt.progress = progress;
        }
    }

    /// Tags what goes on and chooses its lanes.
    fn route(&mut self, batch: &mut Batch) {
        let pending = std::mem::take(&mut batch.pending);
        if pending.is_empty() {
            return;
        }
        let mut table = EntryTable::empty(declaration_entry::schema());
        let simulated = self.parts.simulated;
        let rows: Vec<usize> = pending
            .iter()
            .map(|own| self.past.push_rows(&mut table, &own.declaration, &own.mrn, batch.now, simulated))
            .collect();
        let known = self.past.know_decisions(u64::MAX);
        let epoch = self.past.epoch();
        let hits = known.and_then(|()| self.past.tag(&table));
        if let Err(error) = &hits {
            tracing::error!("tags failed; declarations go to the hold lane: {error}");
        }
        for own in &pending {
            // What waited is tagged now.
            self.past.take_untagged(&own.mrn);
        }
        let mut first = 0_usize;
        for (mut own, rows) in pending.into_iter().zip(rows) {
            let (place, waits) = (own.place, own.waits.take());
            let range = first..first.saturating_add(rows);
            first = range.end;
            let tagged = hits.as_ref().ok().map(|hits| tagged(&self.past, hits, range, epoch));
            let outcome = self.assess(batch, own, tagged);
            self.tell_progress(batch, waits, &outcome.case);
            if let Some(events) = batch.events.get_mut(place) {
                events.extend(outcome.events);
            }
        }
    }
}

/// A batch being decided.
pub(super) struct Batch {
    pub(super) now: Timestamp,
    pub(super) in_force: Arc<InForce>,
    /// Events of each declaration, in the order of arrival.
    events: Vec<Vec<NewEvent>>,
    /// Versions that streams must have, or nothing of the batch is recorded.
    expected: Vec<(String, u64)>,
    replies: Vec<(Reply, Result<Receipt, Error>)>,
    /// What goes on.
    pending: Vec<Pending>,
}

pub(super) fn policy_actor(hash: &str) -> Actor {
    Actor { kind: ActorKind::Policy, id: hash.chars().take(16).collect() }
}

pub(super) fn new_event(mrn: &str, kind: &str, payload: Value, actor: Actor, at: Timestamp) -> NewEvent {
    NewEvent {
        stream: stream(mrn),
        kind: kind.to_owned(),
        kind_version: 1,
        occurred_at: at,
        actor,
        causation: None,
        payload,
    }
}

/// The events that a command leads to; the case follows them.
pub(super) fn moves(
    case: &mut Case,
    command: &Command,
    mrn: &str,
    by: &Actor,
    at: Timestamp,
) -> Vec<NewEvent> {
    let decided = match decide(case, command, by, at) {
        Ok(decided) => decided,
        Err(findings) => {
            tracing::error!(mrn, ?findings, "a policy asked for a move that is not allowed");
            return Vec::new();
        }
    };
    let new = |event: &Event| new_event(mrn, event.kind(), event.payload(), by.clone(), at);
    let events = decided.iter().map(new).collect();
    for event in &decided {
        case.apply(event);
    }
    events
}

/// Three draws of the operating system.
pub(super) fn draws() -> Option<Draws> {
    let bytes = crate::random_bytes::<24>().ok()?;
    let draw = |from: usize| {
        let eight: [u8; 8] = bytes.get(from..from.saturating_add(8))?.try_into().ok()?;
        u32::try_from(u64::from_le_bytes(eight) % 1_000_000).ok()
    };
    Some(Draws { selection_ppm: draw(0)?, physical_ppm: draw(8)?, audit_ppm: draw(16)? })
}

/// Words that are used where a declaration waits for people.
pub(super) fn localized(texts: [&str; 4]) -> LocalizedText {
    LocalizedText(
        spine::Language::ALL
            .into_iter()
            .zip(texts)
            .map(|(language, text)| (language, text.to_owned()))
            .collect(),
    )
}
