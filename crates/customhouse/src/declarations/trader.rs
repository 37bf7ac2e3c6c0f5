//! A trader's own declarations: no lane, no tag, no score, no officer, nobody else's data.

use clearance::Event;
use rusqlite::params;
use spine::ActorKind;

use super::commands::Folded;
use super::event::{LODGED, lodged_by, state_of_kind};
use super::model::{Erased, OwnDeclaration, OwnRow, Progress, Receipt, TimelineStep};
use super::read_model::{PAGE_ROWS, receipt};
use super::timeline::{Told, decision, last_text, spoken};
use crate::Customhouse;
use crate::error::Error;
use crate::identity::{Permission, Reader};
use crate::projection::{COLUMNS, Record};

/// What of a case a trader is told about. What stands not here is nothing of theirs.
fn told_to_trader(kind: &str) -> bool {
    matches!(
        kind,
        LODGED
            | "declaration.accepted"
            | "declaration.rejected"
            | "control.ordered"
            | "control.escalated"
            | "control.completed"
            | "documents.requested"
            | "documents.received"
            | "question.asked"
            | "question.answered"
            | "goods.released"
            | "goods.detained"
            | "declaration.cancel_requested"
            | "declaration.cancelled"
            | "declaration.cancel_denied"
            | "decision.contested"
            | "contest.answered"
            | "declaration.registered"
            | "goods.presented"
            | "amendment.requested"
            | "amendment.granted"
            | "amendment.denied"
            | "declaration.corrected"
            | "request.refused"
            | "debt.assessed"
            | "payment.insufficient"
            | "payment.reminded"
            | "payment.received"
            | "declaration.cleared"
            | "goods.departed"
            | "exit.confirmed"
            | "exit.awaited"
    )
}

impl Customhouse {
    /// A page of the reader's own declarations, the latest first, and how many there are. `q` is the beginning of a
    /// reference or an MRN.
    pub fn own_declarations(
        &self,
        reader: &Reader,
        q: &str,
        page: usize,
    ) -> Result<(Vec<OwnRow>, u64), Error> {
        reader.require(Permission::ViewOwn)?;
        let Some(party) = &reader.party else { return Ok((Vec::new(), 0)) };
        let account = lodged_by(&reader.id);
        let q = q.trim();
        let to = format!("{q}\u{10FFFF}");
        let skip = page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let own = "batch IS NULL AND mrn IN (SELECT mrn FROM declaration WHERE party = ?1
             UNION SELECT mrn FROM declaration WHERE declarant = ?1
             UNION SELECT mrn FROM declaration WHERE importer = ?1
             UNION SELECT mrn FROM declaration WHERE party = ?4)
             AND (?2 = '' OR (mrn >= ?2 AND mrn < ?3) OR (lrn >= ?2 AND lrn < ?3))";
        let (records, total) = self.projection.read(|connection| {
            let records: Vec<Record> = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM declaration WHERE {own} ORDER BY lodged_at DESC, mrn DESC LIMIT ?5 OFFSET ?6"
                ))?
                .query_map(params![party, q, to, account, PAGE_ROWS, skip], Record::read)?
                .collect::<Result<_, _>>()?;
            let total: u64 = connection
                .prepare_cached(&format!("SELECT count(*) FROM declaration WHERE {own}"))?
                .query_row(params![party, q, to, account], |row| row.get(0))?;
            Ok((records, total))
        })?;
        let rows = records
            .into_iter()
            .map(|record| OwnRow {
                progress: record.case.as_ref().map_or(Progress::Received, Progress::of),
                mrn: record.mrn,
                lrn: record.lrn,
                lodged_at: record.lodged_at,
                released_at: record.released_at,
                description: record.description,
                items: record.items,
                waits_for_trader: record.waits_for_trader,
            })
            .collect();
        Ok((rows, total))
    }

    /// The receipt of one of the reader's own declarations, as it stands now.
    pub fn receipt(&self, reader: &Reader, mrn: &str) -> Result<Receipt, Error> {
        reader.require(Permission::ViewOwn)?;
        Ok(receipt(&self.own_record(reader, mrn)?))
    }

    /// One of the reader's own declarations.
    pub fn own_declaration(&self, reader: &Reader, mrn: &str) -> Result<OwnDeclaration, Error> {
        reader.require(Permission::ViewOwn)?;
        let record = self.own_record(reader, mrn)?;
        let folded = self.folded(mrn)?;
        let told = Told::of(&folded);
        let case = &folded.case;
        let timeline = own_timeline(&folded, &record.office);
        let mut actions = case.actions();
        actions.retain(|action| action.by() == ActorKind::Trader);
        let quiet = [&case.control, &case.audit]
            .into_iter()
            .flatten()
            .any(|standing| standing.result.is_none() && !standing.trader_may_be_told);
        let viewings = self.own_viewings(mrn, record.ordered_at.filter(|_| quiet))?;
        let waits = case.open_question.as_ref().or(case.open_documents.as_ref());
        Ok(OwnDeclaration {
            mrn: record.mrn,
            version: steps_of(&timeline),
            lrn: record.lrn,
            progress: Progress::of(case),
            lodged_at: record.lodged_at,
            released_at: record.released_at,
            office: record.office,
            original: told.original(),
            findings: told.lodged.as_ref().map(|own| own.findings.clone()).unwrap_or_default(),
            declaration: told.lodged.and_then(|lodged| lodged.declaration),
            open_question: case.open_question.as_ref().and_then(|_| last_text(&folded, "question.asked")),
            open_documents: case
                .open_documents
                .as_ref()
                .and_then(|_| last_text(&folded, "documents.requested")),
            answer_by: waits.map(|open| open.due_at),
            actions,
            erased: folded.erased().map(Erased::from),
            last_decision: timeline.iter().rev().find_map(|step| step.decision.clone()),
            timeline,
            viewings,
            simulated: record.simulated,
        })
    }
}

fn steps_of(timeline: &[TimelineStep]) -> u64 {
    u64::try_from(timeline.len()).unwrap_or(u64::MAX)
}

/// The version of a declaration as its trader knows it.
pub(super) fn own_version(folded: &Folded) -> u64 {
    steps_of(&own_timeline(folded, ""))
}

/// The steps that concern the trader. Officers and policies act as the office.
fn own_timeline(folded: &Folded, office: &str) -> Vec<TimelineStep> {
    let mut before: Option<jiff::Timestamp> = None;
    let mut may_be_told = true;
    let mut steps = Vec::new();
    for event in &folded.events {
        let envelope = &event.envelope;
        if !told_to_trader(&envelope.kind) {
            continue;
        }
        // Whether a step may be told of stood in what was erased: its beginning and its end may always be.
        let plain = envelope.kind == LODGED || state_of_kind(&envelope.kind).is_some();
        if event.payload.value().is_none() && !plain {
            continue;
        }
        let at = envelope.occurred_at;
        let moved = event
            .payload
            .value()
            .and_then(|payload| Event::read(&envelope.kind, envelope.kind_version, payload))
            .and_then(Result::ok);
        if let Some(Event::ControlOrdered { trader_may_be_told, .. }) = &moved {
            may_be_told = *trader_may_be_told;
        }
        // What follows from an examination that was not announced is not announced either.
        let announces = matches!(&moved, Some(Event::ControlOrdered { .. } | Event::Escalated { .. }));
        if announces && !may_be_told {
            continue;
        }
        let by_trader = envelope.actor.kind == ActorKind::Trader;
        steps.push(TimelineStep {
            position: 0,
            kind: envelope.kind.clone(),
            at,
            after_ms: before.map(|before| {
                u64::try_from(at.as_millisecond().saturating_sub(before.as_millisecond())).unwrap_or(0)
            }),
            actor_kind: if by_trader { ActorKind::Trader } else { ActorKind::Officer },
            actor: if by_trader { String::new() } else { office.to_owned() },
            note: moved.as_ref().map(note).unwrap_or_default(),
            decision: decision(event).map(|own| super::model::DecisionShown { policy: None, ..own }),
        });
        before = Some(at);
    }
    steps
}

fn note(event: &Event) -> String {
    match event {
        Event::DocumentsRequested { what, .. } => what.clone(),
        Event::QuestionAsked { text, .. }
        | Event::QuestionAnswered { text, .. }
        | Event::Contested { text }
        | Event::ContestAnswered { text, .. } => text.clone(),
        Event::CancelRequested { why, .. } | Event::AmendmentRequested { why, .. } => why.clone(),
        Event::PaymentInsufficient { note, .. } | Event::PaymentReceived { note } => note.clone(),
        Event::AmendmentGranted { version, .. } | Event::Corrected { version, .. } => version.to_string(),
        Event::ExitConfirmed { office, .. } => office.clone(),
        Event::Registered { arrive_by: at, .. } | Event::ExitAwaited { until: at } => at.to_string(),
        Event::DebtAssessed { items } => spoken(&clearance::duty::total(items)),
        Event::ControlCompleted { result, .. } => result.code.name().to_owned(),
        _ => String::new(),
    }
}
