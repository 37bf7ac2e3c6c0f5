//! What each event changes in the read model.

use std::collections::BTreeMap;

use clearance::{Case, ControlResult, Event};
use jiff::Timestamp;
use journal::{Payload, RecordedEvent};
use rusqlite::{Transaction, params};
use selection::{Made, Moved};
use serde::Deserialize;
use spine::declaration::{Declaration, PartyRole};

use super::failed;
use super::history;
use super::parties::Parties;
use super::record::Record;
use super::tally::Tally;
use super::trade::{Trade, goods_of};
use crate::declarations::event::{
    LODGED, Lodged, MOVEMENT_NOTED, SELECTION_MADE, STREAM_PREFIX, TAGS_APPLIED, THRESHOLD_MOVED,
    TagsApplied, lodged_by, state_of_kind,
};
use crate::declarations::messages::MovementNoted;
use crate::entities;
use crate::entry_summary;
use crate::error::Error;
use crate::notifications;
use crate::pool::Pool;
use crate::viewings::Purpose;
use crate::viewings::model::{Look, VIEWED};

/// How an event went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It is in.
    Done,
    /// What was built rests on something that has changed: build anew.
    StartAgain,
}

/// Applies the events of one transaction. Declarations that are touched are written once, at its end.
pub(super) struct Applier<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) pool: &'a Pool,
    pub(super) tally: Tally,
    pub(super) parties: Parties,
    pub(super) trade: Trade,
    touched: BTreeMap<String, Record>,
}

impl<'a> Applier<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, pool: &'a Pool) -> Self {
        Self {
            transaction,
            pool,
            tally: Tally::default(),
            parties: Parties::default(),
            trade: Trade::default(),
            touched: BTreeMap::new(),
        }
    }

    /// Applies one event.
    pub(super) fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Error> {
        let envelope = &event.envelope;
        let payload = match &event.payload {
            Payload::Present(payload) => payload,
            Payload::Erased { erased_at, basis } => {
                entities::index::note_decided(self.transaction, event).map_err(|error| failed(&error))?;
                self.erased(event, *erased_at, basis).map_err(|error| failed(&error))?;
                return Ok(Applied::Done);
            }
        };
        if envelope.kind == ::pool::event::BATCH_ADMITTED {
            return history::apply(self, event, payload);
        }
        if envelope.kind == THRESHOLD_MOVED {
            let moved: Moved =
                Deserialize::deserialize(payload).map_err(|error| Error::unreadable_event(event, &error))?;
            self.moved(event, &moved).map_err(|error| failed(&error))?;
            return Ok(Applied::Done);
        }
        if let Some(id) = envelope.stream.strip_prefix("erasure/") {
            self.transaction
                .prepare_cached("INSERT OR IGNORE INTO erasure (id, position) VALUES (?1, ?2)")
                .and_then(|mut known| known.execute(params![id, event.position]))
                .map_err(|error| failed(&error))?;
            return Ok(Applied::Done);
        }
        if envelope.kind == VIEWED {
            let look: Look =
                Deserialize::deserialize(payload).map_err(|error| Error::unreadable_event(event, &error))?;
            self.viewed(event, &look).map_err(|error| failed(&error))?;
            return Ok(Applied::Done);
        }
        if envelope.kind == MOVEMENT_NOTED {
            let noted: MovementNoted =
                Deserialize::deserialize(payload).map_err(|error| Error::unreadable_event(event, &error))?;
            self.associated(&noted).map_err(|error| failed(&error))?;
            return Ok(Applied::Done);
        }
        let Some(mrn) = envelope.stream.strip_prefix(STREAM_PREFIX) else {
            entry_summary::index::follow(self.transaction, event, payload).map_err(|error| failed(&error))?;
            entities::index::note_decided(self.transaction, event).map_err(|error| failed(&error))?;
            entities::index::follow(self.transaction, event, payload).map_err(|error| failed(&error))?;
            return Ok(Applied::Done);
        };
        let at = envelope.occurred_at;
        match envelope.kind.as_str() {
            LODGED => {
                let lodged: Lodged = Deserialize::deserialize(payload)
                    .map_err(|error| Error::unreadable_event(event, &error))?;
                self.lodged(event, lodged).map_err(|error| failed(&error))?;
            }
            TAGS_APPLIED => {
                let tags: TagsApplied = Deserialize::deserialize(payload)
                    .map_err(|error| Error::unreadable_event(event, &error))?;
                self.tagged(mrn, &tags, at).map_err(|error| failed(&error))?;
            }
            SELECTION_MADE => {
                let made: Made = Deserialize::deserialize(payload)
                    .map_err(|error| Error::unreadable_event(event, &error))?;
                self.selected(mrn, &made, at, envelope.recorded_at).map_err(|error| failed(&error))?;
            }
            kind => {
                if let Some(read) = Event::read(kind, envelope.kind_version, payload) {
                    let moved = read.map_err(|error| Error::unreadable_event(event, &error))?;
                    self.case_moved(mrn, &moved, at).map_err(|error| failed(&error))?;
                    self.notified(mrn, event, &moved).map_err(|error| failed(&error))?;
                }
            }
        }
        if let Some(record) = self.touched.get_mut(mrn) {
            record.position = event.position;
        }
        Ok(Applied::Done)
    }

    /// Writes everything, and the position that is reflected now.
    pub(super) fn finish(self, position: u64) -> rusqlite::Result<()> {
        for record in self.touched.values() {
            record.save(self.transaction)?;
        }
        self.tally.write(self.transaction)?;
        self.parties.write(self.transaction)?;
        self.trade.write(self.transaction)?;
        self.transaction.execute("UPDATE reflected SET position = ?1", [position])?;
        Ok(())
    }

    /// The declaration's row, to be written at the end.
    pub(super) fn record(&mut self, mrn: &str) -> rusqlite::Result<Option<&mut Record>> {
        if !self.touched.contains_key(mrn) {
            let Some(found) = Record::find(self.transaction, mrn)? else { return Ok(None) };
            self.touched.insert(mrn.to_owned(), found);
        }
        Ok(self.touched.get_mut(mrn))
    }

    fn lodged(&mut self, event: &RecordedEvent, lodged: Lodged) -> rusqlite::Result<()> {
        let at = event.envelope.occurred_at;
        let waited = jiff::SignedDuration::from_micros(i64::try_from(lodged.waited_us).unwrap_or(i64::MAX));
        let mut record = Record {
            mrn: lodged.mrn.clone(),
            lrn: lodged.functional_reference_id,
            party: Some(lodged.party),
            number: Some(lodged.number),
            sha256: Some(lodged.sha256),
            schema: lodged.schema,
            office: lodged
                .declaration
                .as_ref()
                .and_then(Declaration::office_id)
                .unwrap_or("unknown")
                .to_owned(),
            received_at: at.checked_sub(waited).unwrap_or(at),
            lodged_at: at,
            simulated: lodged.simulated,
            findings: (!lodged.findings.is_empty())
                .then(|| serde_json::to_string(&lodged.findings).ok())
                .flatten(),
            case: Some(Case::lodged()),
            ..Record::default()
        };
        if let Some(declaration) = &lodged.declaration {
            describe(&mut record, declaration);
            self.index_items(&record.mrn, declaration)?;
            self.trade.count(&record, goods_of(declaration));
            self.index_consignments(&record.mrn, declaration)?;
        }
        self.tally.count(at, &record.office, "lodged");
        self.tally.seen_at(&record.office);
        self.tally.add("declarations", 1);
        if record.simulated {
            self.tally.add("simulated", 1);
        }
        self.parties.count(&record);
        record.follow_case();
        self.touched.insert(record.mrn.clone(), record);
        Ok(())
    }

    /// What is left of a declaration whose content was erased: number, times, state; lane and office come with the
    /// choice of its lane, which names nobody.
    fn erased(&mut self, event: &RecordedEvent, erased_at: Timestamp, basis: &str) -> rusqlite::Result<()> {
        let envelope = &event.envelope;
        let Some(mrn) = envelope.stream.strip_prefix(STREAM_PREFIX) else { return Ok(()) };
        let at = envelope.occurred_at;
        if envelope.kind == LODGED {
            let record = Record {
                mrn: mrn.to_owned(),
                office: "unknown".to_owned(),
                party: Some(lodged_by(&envelope.actor.id)),
                received_at: at,
                lodged_at: at,
                case: Some(Case::lodged()),
                erased_at: Some(erased_at),
                erased_basis: Some(basis.to_owned()),
                position: event.position,
                ..Record::default()
            };
            self.tally.add("declarations", 1);
            self.touched.insert(mrn.to_owned(), record);
        }
        let Some(record) = self.record(mrn)? else { return Ok(()) };
        if let (Some(case), Some(state)) = (&mut record.case, state_of_kind(&envelope.kind)) {
            case.state = state;
        }
        if envelope.kind == "goods.released" {
            record.released_at = Some(at);
        }
        record.follow_case();
        record.position = event.position;
        Ok(())
    }

    fn index_items(&self, mrn: &str, declaration: &Declaration) -> rusqlite::Result<()> {
        let mut item = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO item (commodity, mrn, origin) VALUES (?1, ?2, ?3)")?;
        for own in declaration.items() {
            if let Some(code) = own.commodity.code() {
                let origin = own.origin.first().and_then(|origin| origin.country_code.as_deref());
                item.execute(params![code, mrn, origin])?;
            }
        }
        let mut container = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO container (container, mrn) VALUES (?1, ?2)")?;
        let shipped = declaration.goods_shipment.consignment.transport_equipment.iter();
        let of_items = declaration.items().iter().flat_map(|item| &item.commodity.transport_equipment);
        for id in shipped.chain(of_items).filter_map(|equipment| equipment.id.as_deref()) {
            container.execute(params![id, mrn])?;
        }
        Ok(())
    }

    /// References of the consignments that it names (DCR, MCR): movements are told by them.
    fn index_consignments(&self, mrn: &str, declaration: &Declaration) -> rusqlite::Result<()> {
        let mut consignment = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO consignment (ucr, mrn) VALUES (?1, ?2)")?;
        for ucr in declaration.consignment_references() {
            consignment.execute(params![ucr, mrn])?;
        }
        Ok(())
    }

    /// Declarations of a consignment that was put under a master reference are found by that, too.
    fn associated(&self, noted: &MovementNoted) -> rusqlite::Result<()> {
        let Some(master) = noted.master_ucr.as_deref().filter(|_| noted.what == "associated") else {
            return Ok(());
        };
        let mut consignment = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO consignment (ucr, mrn) VALUES (?1, ?2)")?;
        for mrn in &noted.declarations {
            consignment.execute(params![master, mrn])?;
        }
        Ok(())
    }

    fn tagged(&mut self, mrn: &str, applied: &TagsApplied, at: Timestamp) -> rusqlite::Result<()> {
        let Some(record) = self.record(mrn)? else { return Ok(()) };
        let parties: Vec<String> = record.parties().into_iter().map(|(_, id)| id.to_owned()).collect();
        let transaction = self.transaction;
        let mut on = transaction.prepare_cached("INSERT OR IGNORE INTO tag_on (tag, mrn) VALUES (?1, ?2)")?;
        for tag in &applied.tags {
            on.execute(params![tag.tag, mrn])?;
            self.parties.wear(&parties, &tag.tag, at);
        }
        Ok(())
    }

    fn selected(
        &mut self,
        mrn: &str,
        made: &Made,
        at: Timestamp,
        recorded_at: Timestamp,
    ) -> rusqlite::Result<()> {
        let Some(record) = self.record(mrn)? else { return Ok(()) };
        record.lane = Some(made.lane);
        record.arm = Some(made.arm.name().to_owned());
        record.score = Some(made.score);
        record.threshold = Some(made.threshold);
        record.probability_ppm = Some(made.probability_ppm);
        record.selected_at = Some(at);
        if let Some(case) = &mut record.case {
            case.select(made.lane);
        }
        record.follow_case();
        if record.erased_at.is_some() {
            record.office.clone_from(&made.office);
            self.tally.seen_at(&made.office);
        }
        let Some(record) = self.record(mrn)? else { return Ok(()) };
        let (office, received_at) = (record.office.clone(), record.received_at);
        self.tally.count(at, &office, &format!("lane:{}", made.lane.name()));
        self.tally.took(recorded_at, &office, "decision", received_at);
        Ok(())
    }

    fn moved(&self, event: &RecordedEvent, moved: &Moved) -> rusqlite::Result<()> {
        let text = serde_json::to_string(moved).unwrap_or_default();
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO moved (position, at, office, moved) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                event.position,
                event.envelope.occurred_at.as_microsecond(),
                moved.office,
                text
            ])?;
        Ok(())
    }

    fn viewed(&self, event: &RecordedEvent, look: &Look) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO viewing
                 (position, at, reader, role, office, what, mrn, entity, filter, rows, purpose)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                event.position,
                event.envelope.occurred_at.as_microsecond(),
                event.envelope.actor.id,
                look.role,
                look.office,
                look.what.name(),
                look.mrn,
                look.entity,
                look.filter,
                look.rows,
                look.purpose.map(Purpose::name),
            ])?;
        Ok(())
    }

    fn case_moved(&mut self, mrn: &str, event: &Event, at: Timestamp) -> rusqlite::Result<()> {
        let Some(record) = self.record(mrn)? else { return Ok(()) };
        let before = record.clone();
        if let Some(case) = &mut record.case {
            case.apply(event);
        }
        match event {
            Event::ControlOrdered { .. } | Event::AuditOpened { .. } => record.ordered_at = Some(at),
            Event::Escalated { .. } => record.ordered_at = Some(at),
            Event::Released { .. } => record.released_at = Some(at),
            Event::AmendmentGranted { declaration, .. } | Event::Corrected { declaration, .. } => {
                describe(record, declaration);
            }
            Event::ControlCompleted { result, .. } | Event::AuditClosed { result, .. } => {
                set_outcome(record, result, at);
            }
            Event::ResultWithdrawn { .. } => {
                (record.inspected, record.irregular, record.result_at, record.recovered) =
                    (None, None, None, None);
            }
            _ => {}
        }
        record.follow_case();
        let after = record.clone();
        self.follow_outcome(&before, &after)?;
        self.tally_move(event, &before, &after, at);
        Ok(())
    }

    /// Lists what the event says to whoever lodged the declaration.
    fn notified(&mut self, mrn: &str, event: &RecordedEvent, moved: &Event) -> rusqlite::Result<()> {
        let transaction = self.transaction;
        let Some(record) = self.record(mrn)? else { return Ok(()) };
        let (Some(case), Some(party)) = (&record.case, &record.party) else { return Ok(()) };
        notifications::read_model::note(transaction, event, moved, case, (mrn, party, &record.lrn))
    }

    fn tally_move(&mut self, event: &Event, before: &Record, after: &Record, at: Timestamp) {
        let office = &after.office;
        match event {
            Event::Rejected { .. } => self.tally.count(at, office, "rejected"),
            Event::Released { .. } if before.ordered_at.is_none() => {
                self.tally.count(at, office, "at_once");
                self.tally.took(at, office, "release_green", after.received_at);
            }
            Event::ControlCompleted { .. } | Event::AuditClosed { .. } => {
                if let (Some(kind), Some(since)) = (&before.control, before.ordered_at) {
                    self.tally.took(at, office, kind, since);
                }
            }
            _ => {}
        }
    }

    /// Counts an outcome that has become known, or is unknown again, for tags, parties and relations.
    pub(super) fn follow_outcome(&mut self, before: &Record, after: &Record) -> rusqlite::Result<()> {
        let known = |record: &Record| i64::from(record.inspected == Some(true) && record.irregular.is_some());
        let bad =
            |record: &Record| i64::from(record.inspected == Some(true) && record.irregular == Some(true));
        let inspected = known(after).saturating_sub(known(before));
        let irregular = bad(after).saturating_sub(bad(before));
        if inspected == 0 && irregular == 0 {
            return Ok(());
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO tag_hits (tag, inspected, irregular) SELECT tag, ?2, ?3 FROM tag_on WHERE mrn = ?1
                 ON CONFLICT DO UPDATE SET inspected = inspected + ?2, irregular = irregular + ?3",
            )?
            .execute(params![after.mrn, inspected, irregular])?;
        self.parties.count_outcome(after, inspected, irregular);
        Ok(())
    }
}

fn set_outcome(record: &mut Record, result: &ControlResult, at: Timestamp) {
    record.result_at = Some(at);
    record.inspected = Some(result.inspected);
    record.irregular = result.inspected.then(|| result.code.irregular());
    record.recovered = result
        .recovered_revenue
        .as_ref()
        .and_then(|money| rust_decimal::prelude::ToPrimitive::to_f64(&money.amount));
}

fn describe(record: &mut Record, declaration: &Declaration) {
    for (role, id) in declaration.parties() {
        let place = match role {
            PartyRole::Declarant => &mut record.declarant,
            PartyRole::Importer => &mut record.importer,
            PartyRole::Exporter => &mut record.exporter,
            PartyRole::Carrier => &mut record.carrier,
            _ => continue,
        };
        *place = Some(id.to_owned());
    }
    let items = declaration.items();
    record.items = u32::try_from(items.len()).unwrap_or(u32::MAX);
    if let Some(first) = items.first() {
        record.commodity = first.commodity.code();
        record.description.clone_from(&first.commodity.description);
        record.departure = crate::warnings::departure(declaration).map(str::to_owned);
        record.origin = first.origin.first().and_then(|origin| origin.country_code.clone());
    }
    if let [total] = declaration.total_value().as_slice() {
        record.value = Some(total.amount.to_string());
        record.value_number = rust_decimal::prelude::ToPrimitive::to_f64(&total.amount);
        record.currency = Some(total.currency.code().to_owned());
    }
}
