//! One declaration with everything an official may see of it.

use std::collections::{BTreeMap, BTreeSet};

use clearance::{Basis, Event};
use journal::RecordedEvent;
use learning::statistics::interval::wilson;
use learning::statistics::number::float;
use rusqlite::params;
use selection::Made;
use spine::{ActorKind, Sensitivity, declaration_entry};

use super::commands::{Folded, unknown};
use super::event::{AMENDED, CORRECTED, LODGED, Lodged, SELECTION_MADE, TAGS_APPLIED, TagsApplied};
use super::model::{
    CaseFile, ControlOnCase, DecisionShown, Erased, HitRate, OpinionOnCase, Original, TagOnCase, TimelineStep,
};
use super::read_model::row;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::projection::Record;
use crate::viewings::ViewedWhat;
use crate::viewings::read_model::LookAt;

/// Characters of a note on a timeline.
const NOTE_CHARACTERS_MAX: usize = 300;

impl HitRate {
    /// The rate with its Wilson interval (E. B. Wilson, 1927).
    #[must_use]
    pub fn of(inspected: u64, irregular: u64) -> Self {
        if inspected == 0 {
            return Self { inspected, irregular, rate: None, low: None, high: None };
        }
        let (n, hits) = (float(inspected), float(irregular.min(inspected)));
        let interval = wilson(hits, n);
        Self {
            inspected,
            irregular,
            rate: Some(hits / n),
            low: Some(interval.low),
            high: Some(interval.high),
        }
    }
}

impl From<&Basis> for DecisionShown {
    fn from(basis: &Basis) -> Self {
        Self {
            legal_basis: basis.legal_basis.clone(),
            reason: basis.reason.clone(),
            how_to_contest: basis.how_to_contest.clone(),
            policy: basis.policy.clone(),
        }
    }
}

/// What stands in a declaration's stream beside its case.
#[derive(Default)]
pub(super) struct Told {
    pub(super) lodged: Option<Lodged>,
    pub(super) tags: Option<TagsApplied>,
    pub(super) made: Option<Made>,
}

impl Told {
    pub(super) fn of(folded: &Folded) -> Self {
        let mut told = Self::default();
        for event in &folded.events {
            let Some(payload) = event.payload.value() else { continue };
            match event.envelope.kind.as_str() {
                LODGED => told.lodged = serde_json::from_value(payload.clone()).ok(),
                AMENDED | CORRECTED => told.follow_content(payload),
                TAGS_APPLIED => told.tags = serde_json::from_value(payload.clone()).ok(),
                SELECTION_MADE => told.made = serde_json::from_value(payload.clone()).ok(),
                _ => {}
            }
        }
        told
    }

    /// Its content is another one from now on.
    fn follow_content(&mut self, payload: &serde_json::Value) {
        let content = payload.get("declaration").cloned().and_then(|own| serde_json::from_value(own).ok());
        if let (Some(lodged), Some(content)) = (&mut self.lodged, content) {
            lodged.declaration = Some(content);
        }
    }

    pub(super) fn original(&self) -> Option<Original> {
        self.lodged.as_ref().map(|lodged| Original {
            media_type: lodged.media_type.clone(),
            sha256: lodged.sha256.clone(),
            bytes: lodged.bytes,
        })
    }
}

impl Customhouse {
    /// One declaration with everything the reader may see. That it was looked at is recorded.
    pub fn case(&self, reader: &Reader, mrn: &str) -> Result<CaseFile, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let record = self.known_record(mrn)?;
        self.note_look(reader, ViewedWhat::Case, LookAt::Declaration(&record))?;
        self.case_of(reader, &record)
    }

    /// The same for what works on a declaration and shows it to nobody: no look is recorded.
    pub fn case_unseen(&self, reader: &Reader, mrn: &str) -> Result<CaseFile, Error> {
        reader.require(Permission::ViewDeclarations)?;
        self.case_of(reader, &self.known_record(mrn)?)
    }

    pub(crate) fn known_record(&self, mrn: &str) -> Result<Record, Error> {
        self.projection.read(|connection| Record::find(connection, mrn))?.ok_or_else(|| unknown(mrn))
    }

    fn case_of(&self, reader: &Reader, record: &Record) -> Result<CaseFile, Error> {
        if record.batch.is_some() {
            return self.case_of_history(reader, record);
        }
        let folded = self.folded(&record.mrn)?;
        let told = Told::of(&folded);
        let restricted = reader.clearance() >= Sensitivity::Restricted;
        let timeline = self.timeline(reader, &folded);
        let case = &folded.case;
        let ordered = look_for_of(&folded, false);
        let audited = look_for_of(&folded, true);
        let last_decision = timeline.iter().rev().find_map(|step| step.decision.clone());
        let open_text = |kind: &str| last_text(&folded, kind);
        let mut actions = case.actions();
        actions.retain(|action| action.by() == ActorKind::Officer && reader.may(Permission::Examine));
        Ok(CaseFile {
            row: row(record, reader),
            version: folded.version,
            tags: self.tags_on_case(reader, record, told.tags.as_ref(), told.made.as_ref())?,
            combinations: self.combinations_on(reader, record, &carried(told.tags.as_ref())),
            tags_unknown: told.tags.as_ref().map_or(0, |tags| tags.unknown),
            counted_together: self.counted_together(&told)?,
            opinion: told.made.as_ref().map(|made| self.opinion(reader, made, record.simulated)),
            original: told.original(),
            received: super::papers::received(&folded),
            findings: told.lodged.as_ref().map(|own| own.findings.clone()).unwrap_or_default(),
            declaration: told.lodged.and_then(|lodged| lodged.declaration),
            entries: Vec::new(),
            selection: told.made.filter(|_| restricted).map(|made| self.without_secret_tags(reader, made)),
            control: case.control.as_ref().map(|own| self.control(reader, own, &ordered)),
            audit: case.audit.as_ref().map(|own| self.control(reader, own, &audited)),
            release_at: case.release_at,
            open_question: case.open_question.as_ref().and_then(|_| open_text("question.asked")),
            open_documents: case.open_documents.as_ref().and_then(|_| open_text("documents.requested")),
            open_contest: case.contested.then(|| open_text("decision.contested")).flatten(),
            cancel_requested: case
                .cancel_requested
                .then(|| open_text("declaration.cancel_requested"))
                .flatten(),
            amendment_requested: case
                .amendment
                .as_ref()
                .map(|_| open_text("amendment.requested").unwrap_or_default()),
            actions,
            timeline,
            last_decision,
            erased: folded.erased().map(Erased::from),
        })
    }

    /// The bytes of a declaration as they came, with their media type: for officials and for its own trader.
    pub fn original(&self, reader: &Reader, mrn: &str) -> Result<(String, Vec<u8>), Error> {
        if reader.may(Permission::ViewDeclarations) {
            self.note_look(reader, ViewedWhat::Original, LookAt::Declaration(&self.known_record(mrn)?))?;
        } else {
            reader.require(Permission::ViewOwn)?;
            self.own_record(reader, mrn)?;
        }
        let lodged = Told::of(&self.folded(mrn)?).lodged.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "original_erased",
                "the declaration's content was erased",
                "Nothing can be done.",
            )
        })?;
        Ok((lodged.media_type, self.kept_bytes(lodged.kept)?))
    }

    fn case_of_history(&self, reader: &Reader, record: &Record) -> Result<CaseFile, Error> {
        Ok(CaseFile {
            row: row(record, reader),
            version: 0,
            declaration: None,
            entries: self.entries_of_declaration(reader, record)?,
            findings: Vec::new(),
            original: None,
            received: Vec::new(),
            tags: Vec::new(),
            combinations: Vec::new(),
            tags_unknown: 0,
            counted_together: Vec::new(),
            opinion: None,
            selection: None,
            control: None,
            audit: None,
            release_at: None,
            open_question: None,
            open_documents: None,
            open_contest: None,
            cancel_requested: None,
            amendment_requested: None,
            actions: Vec::new(),
            timeline: Vec::new(),
            last_decision: None,
            erased: None,
        })
    }

    /// Fields of a declaration's rows in its batch, as far as the reader may see them.
    fn entries_of_declaration(
        &self,
        reader: &Reader,
        record: &Record,
    ) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let (Some(batch), Some(first), Some(last)) = (&record.batch, record.first_row, record.last_row)
        else {
            return Ok(Vec::new());
        };
        let rows = usize::try_from(last.saturating_sub(first)).unwrap_or(usize::MAX).saturating_add(1);
        let page = self.rows_page(reader, batch, first, rows)?;
        let names: Vec<&str> = page.columns.iter().map(|column| column.name.as_str()).collect();
        let fields = |values: Vec<Option<String>>| -> BTreeMap<String, String> {
            let named = names.iter().zip(values);
            named.filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect()
        };
        // Rows of other declarations may stand between its own.
        let own =
            |entry: &BTreeMap<String, String>| entry.get("declaration_id").is_none_or(|id| *id == record.mrn);
        Ok(page.rows.into_iter().map(|row| fields(row.values)).filter(own).collect())
    }

    fn opinion(&self, reader: &Reader, made: &Made, simulated: bool) -> OpinionOnCase {
        let restricted = reader.clearance() >= Sensitivity::Restricted;
        let plan = self.in_force().selection.clone().filter(|plan| plan.0 == made.plan);
        let fitted = plan.as_ref().is_some_and(|plan| plan.1.fit.is_some());
        OpinionOnCase {
            score: restricted.then_some(made.score),
            threshold: restricted.then_some(made.threshold),
            // Points are hundredths of log-odds.
            expected_share: fitted.then(|| 1.0 / (1.0 + (-f64::from(made.score) / 100.0).exp())),
            lane: made.lane,
            arm: restricted.then_some(made.arm),
            simulated: simulated || plan.is_some_and(|plan| plan.1.simulated),
        }
    }

    /// A selection without reasons that name tags above the reader's clearance.
    fn without_secret_tags(&self, reader: &Reader, mut made: Made) -> Made {
        made.reasons.retain(|reason| self.tag(reader, &reason.tag).is_ok());
        made.hard_rules.retain(|tag| self.tag(reader, tag).is_ok());
        made
    }

    /// Who was one with its parties when its tags were applied.
    fn counted_together(&self, told: &Told) -> Result<Vec<Vec<String>>, Error> {
        let declaration = told.lodged.as_ref().and_then(|own| own.declaration.as_ref());
        let Some((known, declaration)) = told.tags.as_ref().and_then(|own| own.groups).zip(declaration)
        else {
            return Ok(Vec::new());
        };
        self.groups_at(&declaration.parties().map(|(_, id)| id.to_owned()).collect(), known)
    }

    fn tags_on_case(
        &self,
        reader: &Reader,
        record: &Record,
        applied: Option<&TagsApplied>,
        made: Option<&Made>,
    ) -> Result<Vec<TagOnCase>, Error> {
        let restricted = reader.clearance() >= Sensitivity::Restricted;
        let hits: BTreeMap<String, (u64, u64)> = self.projection.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT inspected, irregular FROM tag_hits WHERE tag = ?1")?;
            let mut found = BTreeMap::new();
            for own in applied.into_iter().flat_map(|applied| &applied.tags) {
                let mut rows = statement.query(params![own.tag])?;
                if let Some(row) = rows.next()? {
                    found.insert(own.tag.clone(), (row.get(0)?, row.get(1)?));
                }
            }
            Ok(found)
        })?;
        let mut tags: Vec<TagOnCase> = applied
            .into_iter()
            .flat_map(|applied| &applied.tags)
            .filter_map(|own| {
                let definition = self.tag(reader, &own.tag).ok()?.definition;
                let points = made
                    .filter(|_| restricted)
                    .and_then(|made| made.reasons.iter().find(|reason| reason.tag == own.tag))
                    .map(|reason| reason.points);
                let rate = hits.get(&own.tag).copied().unwrap_or_default();
                Some(TagOnCase {
                    tag: own.tag.clone(),
                    title: definition.title.clone(),
                    severity: definition.severity.name().to_owned(),
                    sensitivity: definition.sensitivity,
                    items: own.items.clone(),
                    points,
                    values: visible_values(&own.values, reader),
                    hint: definition.inspection_hint.clone(),
                    hits: restricted.then(|| HitRate::of(rate.0, rate.1)),
                    warnings: self.warnings_on(record, &own.tag),
                })
            })
            .collect();
        let weight = |severity: &str| match severity {
            "high" => 2,
            "medium" => 1,
            _ => 0,
        };
        tags.sort_by_key(|tag| std::cmp::Reverse((tag.points.unwrap_or(0), weight(&tag.severity))));
        Ok(tags)
    }

    fn control(
        &self,
        reader: &Reader,
        own: &clearance::ControlStanding,
        look_for: &[clearance::LookFor],
    ) -> ControlOnCase {
        ControlOnCase {
            kind: own.kind,
            due_at: own.due_at,
            overdue: own.result.is_none() && own.due_at < self.now(),
            officer: own.officer.clone(),
            officer_name: own.officer.as_deref().map(|id| self.name_of(id)),
            look_for: look_for.iter().filter(|one| one.sensitivity <= reader.clearance()).cloned().collect(),
            result: own.result.clone(),
        }
    }

    fn timeline(&self, reader: &Reader, folded: &Folded) -> Vec<TimelineStep> {
        let mut before = None;
        let mut steps = Vec::new();
        for event in &folded.events {
            let envelope = &event.envelope;
            let at = envelope.occurred_at;
            let after_ms = before.map(|before: jiff::Timestamp| {
                u64::try_from(at.as_millisecond().saturating_sub(before.as_millisecond())).unwrap_or(0)
            });
            before = Some(at);
            steps.push(TimelineStep {
                position: event.position,
                kind: envelope.kind.clone(),
                at,
                after_ms,
                actor_kind: envelope.actor.kind,
                actor: self.name_of(&envelope.actor.id),
                note: self.note(reader, event),
                decision: decision(event),
            });
        }
        steps
    }

    /// What a step says, in a few words that the reader may see.
    fn note(&self, reader: &Reader, event: &RecordedEvent) -> String {
        let Some(payload) = event.payload.value() else { return String::new() };
        let said = match event.envelope.kind.as_str() {
            LODGED => payload.get("media_type").and_then(|own| own.as_str()).unwrap_or_default().to_owned(),
            TAGS_APPLIED => {
                let tags = serde_json::from_value::<TagsApplied>(payload.clone())
                    .map(|own| own.tags)
                    .unwrap_or_default();
                tags.iter().filter(|own| self.tag(reader, &own.tag).is_ok()).count().to_string()
            }
            SELECTION_MADE => {
                payload.get("lane").and_then(|lane| lane.as_str()).unwrap_or_default().to_owned()
            }
            kind => match Event::read(kind, event.envelope.kind_version, payload) {
                Some(Ok(moved)) => self.note_of(&moved),
                _ => String::new(),
            },
        };
        said.chars().take(NOTE_CHARACTERS_MAX).collect()
    }

    fn note_of(&self, event: &Event) -> String {
        match event {
            Event::ControlOrdered { control, .. } => control.name().to_owned(),
            Event::Escalated { to, why, .. } => format!("{}: {why}", to.name()),
            Event::ControlTaken { officer } => self.name_of(officer),
            Event::ControlHandedOver { to, why } => format!("{}: {why}", self.name_of(to)),
            Event::ControlCompleted { result, .. } | Event::AuditClosed { result, .. } => {
                format!("{} {}", result.code.code(), result.note)
            }
            Event::ResultWithdrawn { why }
            | Event::CancelRequested { why, .. }
            | Event::AmendmentRequested { why, .. } => why.clone(),
            Event::PaymentInsufficient { note, .. } | Event::PaymentReceived { note } => note.clone(),
            Event::AmendmentGranted { version, .. } | Event::Corrected { version, .. } => version.to_string(),
            Event::ExitConfirmed { office, code, .. } => format!("{office} {}", code.code()),
            Event::Registered { arrive_by: at, .. } | Event::ExitAwaited { until: at } => at.to_string(),
            Event::DebtAssessed { items } => spoken(&clearance::duty::total(items)),
            Event::RequestRefused { request, findings, .. } => {
                let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
                format!("{request}: {}", codes.join(", "))
            }
            Event::DocumentsRequested { what, .. } | Event::DeadlinePassed { what, .. } => what.clone(),
            Event::DocumentsReceived { documents, note } => format!("{} {note}", documents.len()),
            Event::QuestionAsked { text, .. }
            | Event::QuestionAnswered { text, .. }
            | Event::Contested { text }
            | Event::ContestAnswered { text, .. } => text.clone(),
            Event::ReleaseScheduled { at, .. } => at.to_string(),
            _ => String::new(),
        }
    }
}

/// Amounts, one after the other.
pub(super) fn spoken(amounts: &[spine::quantity::Money]) -> String {
    let one = |money: &spine::quantity::Money| format!("{} {}", money.amount, money.currency.code());
    amounts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Ids of the tags that it carries.
fn carried(applied: Option<&TagsApplied>) -> BTreeSet<&str> {
    applied.into_iter().flat_map(|applied| &applied.tags).map(|own| own.tag.as_str()).collect()
}

/// What a tag's condition read, as far as the reader may see the fields. Aggregates over fields have names of their own
/// and say nothing of single records.
pub(crate) fn visible_values(values: &[(String, String)], reader: &Reader) -> Vec<(String, String)> {
    let schema = declaration_entry::schema();
    let seen = |name: &str| {
        schema.field(name).is_none_or(|field| field.sensitivity <= reader.clearance().max(Sensitivity::Party))
    };
    values.iter().filter(|(name, _)| seen(name)).cloned().collect()
}

/// What makes an event a decision.
pub(super) fn decision(event: &RecordedEvent) -> Option<DecisionShown> {
    let basis = event.payload.value()?.get("basis")?;
    serde_json::from_value::<Basis>(basis.clone()).ok().as_ref().map(DecisionShown::from)
}

/// What officers were told to look for when the last control, or the audit, was ordered.
fn look_for_of(folded: &Folded, audit: bool) -> Vec<clearance::LookFor> {
    folded
        .events
        .iter()
        .rev()
        .find_map(|event| {
            let read =
                Event::read(&event.envelope.kind, event.envelope.kind_version, event.payload.value()?)?
                    .ok()?;
            match read {
                Event::ControlOrdered { look_for, .. } if !audit => Some(look_for),
                Event::AuditOpened { look_for, .. } if audit => Some(look_for),
                _ => None,
            }
        })
        .unwrap_or_default()
}

/// The words of the last event of a kind.
pub(super) fn last_text(folded: &Folded, kind: &str) -> Option<String> {
    let event = folded.events.iter().rev().find(|event| event.envelope.kind == kind)?;
    let payload = event.payload.value()?;
    ["text", "what", "why"].iter().find_map(|name| payload.get(*name)?.as_str().map(str::to_owned))
}
