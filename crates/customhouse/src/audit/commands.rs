//! Auditing batches of the pool: a job whose result is kept whole and whose completion is an event.

use std::sync::Arc;
use std::time::Instant;

use ::packs::{Pack, PackKind, Registry};
use jiff::Timestamp;
use learning::{AuditError, AuditOptions, TagColumn};
use spine::{EntryTable, Finding, Progress, declaration_entry};
use tags::{ApplyError, TagSet};

use super::model::{
    AuditInput, AuditReport, AuditSpec, AuditSummary, InputRole, JoinUsed, PackUsed, StageTime,
};
use super::read_model::AUDITS;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::Job;
use crate::pool::BatchSelection;
use crate::{Customhouse, Fact};

/// Kind of the event.
const AUDIT_COMPLETED: &str = "audit.completed";

/// Measures stages for the report; nothing else depends on it.
pub(super) struct StageClock {
    began: Instant,
    times: Vec<StageTime>,
}

impl StageClock {
    pub(super) fn new(began: Instant) -> Self {
        Self { began, times: Vec::new() }
    }

    /// The stage that ran until now.
    pub(super) fn end(&mut self, stage: &str) {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.times.push(StageTime { stage: stage.to_owned(), milliseconds });
        self.began = Instant::now();
    }
}

/// Records that were read, on their way to be audited.
pub(super) struct Prepared {
    pub(super) table: EntryTable,
    pub(super) inputs: Vec<AuditInput>,
    pub(super) join: Option<JoinUsed>,
    pub(super) options: AuditOptions,
    pub(super) made_at: Timestamp,
}

/// Tags, then audits.
pub(super) fn assess(
    prepared: Prepared,
    registry: &Registry,
    mut clock: StageClock,
    progress: &dyn Progress,
) -> Result<AuditReport, Error> {
    let (tags, pack_findings) = tag(&prepared.table, registry, progress)?;
    clock.end("tags");
    let audit = learning::audit(&prepared.table, &tags, &prepared.options, progress)?;
    clock.end("audit");
    let packs = registry.current().filter(|pack| matters(pack)).map(|pack| PackUsed {
        id: pack.manifest.id.clone(),
        version: pack.manifest.version.to_string(),
        kind: pack.manifest.kind.name().to_owned(),
        hash: pack.hash.clone(),
    });
    Ok(AuditReport {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: prepared.made_at,
        inputs: prepared.inputs,
        join: prepared.join,
        packs: packs.collect(),
        pack_findings,
        tags: u64::try_from(tags.len()).unwrap_or(u64::MAX),
        times: clock.times,
        audit,
    })
}

fn matters(pack: &Pack) -> bool {
    matches!(pack.manifest.kind, PackKind::Tags | PackKind::Lists)
}

fn tag(
    table: &EntryTable,
    registry: &Registry,
    progress: &dyn Progress,
) -> Result<(Vec<TagColumn>, Vec<Finding>), Error> {
    let packs: Vec<&Pack> = registry.current().map(Arc::as_ref).collect();
    let lists = ::rules::Lists(registry.lists());
    let (set, findings) = TagSet::from_packs_and_lists(&packs, &declaration_entry::schema(), &lists);
    let hits = set.apply(table, progress).map_err(|error| match error {
        ApplyError::Cancelled => Error::cancelled(),
        ApplyError::TooManyRows(_) => Error::new(Kind::Refused, "too_many_rows", error.to_string(), ""),
        ApplyError::OtherSchema(_) => Error::internal("tags_of_other_schema", &error),
    })?;
    let columns = hits
        .hits
        .into_iter()
        .filter_map(|hit| {
            let definition = set.definitions().get(hit.tag_index)?;
            Some(TagColumn {
                id: definition.id.clone(),
                title: definition.title.clone(),
                family: definition.family.clone(),
                severity: definition.severity.name().to_owned(),
                sensitivity: definition.sensitivity,
                rows: hit.rows,
                unknown: hit.unknown,
            })
        })
        .collect();
    Ok((columns, findings))
}

impl From<AuditError> for Error {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Cancelled => Self::cancelled(),
            // An audit error's message ends with its remedy.
            _ => Self::new(Kind::Invalid, error.code(), error.to_string(), ""),
        }
    }
}

impl Customhouse {
    /// Audits batches of the pool on a thread of its own; the job's result is the id of the audit.
    pub fn start_audit(self: &Arc<Self>, reader: &Reader, spec: AuditSpec) -> Result<Arc<Job>, Error> {
        reader.require(Permission::RunAudits)?;
        let (house, reader) = (Arc::clone(self), reader.clone());
        self.jobs().start("audit", move |job| house.run_audit(&reader, &spec, job))
    }

    /// Audits batches of the pool, keeps the report, and records that it was made.
    fn run_audit(&self, reader: &Reader, spec: &AuditSpec, progress: &dyn Progress) -> Result<String, Error> {
        let mut clock = StageClock::new(Instant::now());
        let selection = if spec.batches.is_empty() {
            BatchSelection::All
        } else {
            BatchSelection::These(spec.batches.clone())
        };
        let entries = self.load_entries(reader, &selection, progress)?;
        if entries.table.is_empty() {
            return Err(Error::new(
                Kind::Refused,
                "audit_no_rows",
                "there are no admitted records to audit",
                "Admit records into the pool first.",
            ));
        }
        let batches: Vec<String> = entries.batches.iter().map(|batch| batch.batch.clone()).collect();
        let inputs = batches.iter().map(|batch| self.input_of(reader, batch)).collect::<Result<_, _>>()?;
        clock.end("reading");
        let options = AuditOptions {
            capacity: spec.capacity,
            currency: spec.currency.clone(),
            seed: spec.seed,
            ..AuditOptions::default()
        };
        let prepared = Prepared { table: entries.table, inputs, join: None, options, made_at: self.now() };
        let report = assess(prepared, &self.registry_now(), clock, progress)?;
        self.keep_audit(reader, &report, batches)
    }

    fn input_of(&self, reader: &Reader, batch: &str) -> Result<AuditInput, Error> {
        let detail = self.find_batch(reader, batch)?;
        Ok(AuditInput {
            role: InputRole::Declarations,
            name: detail.summary.source_name,
            sha256: detail.summary.source_sha256,
            rows_read: detail.summary.rows_read,
            rows_quarantined: detail.summary.rows_quarantined,
            findings: detail.findings,
            mapping: None,
        })
    }

    fn keep_audit(
        &self,
        reader: &Reader,
        report: &AuditReport,
        batches: Vec<String>,
    ) -> Result<String, Error> {
        let unwritable = |error: serde_json::Error| Error::internal("audit_unwritable", &error);
        let bytes = serde_json::to_vec(report).map_err(unwritable)?;
        let id = self.journal.put_blob(&mut bytes.as_slice())?.sha256;
        let population = &report.audit.population;
        let summary = AuditSummary {
            id: id.clone(),
            completed_at: report.made_at,
            started_by: reader.id.clone(),
            batches,
            rows: population.rows,
            inspected_known: population.inspected_known,
            irregular: population.irregular,
            statements: u64::try_from(report.audit.statements.len()).unwrap_or(u64::MAX),
            simulated: population.simulated,
        };
        let payload = serde_json::to_value(&summary).map_err(unwritable)?;
        self.record(reader, Fact::new(AUDITS, AUDIT_COMPLETED, payload))?;
        Ok(id)
    }
}
