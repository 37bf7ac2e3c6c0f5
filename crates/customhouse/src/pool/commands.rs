//! Admitting records and declaring contracts: each an event.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::pool::event::{
    BATCH_ADMITTED, BATCH_REFUSED, CONTRACT_DECLARED, ContractReference, OutcomesJoined, SchemaReference,
    SourceReference, bounded_columns, bounded_findings,
};
use ::pool::{
    Batch, BatchRecord, BatchState, ContractDeclared, EntriesMetadata, IntakeSummary, MendSource, NewEntries,
    NewQuarantine, SourceContract, judge, propose_for_file, read_file, rows_expected, source_reference,
};
use formats::{
    FieldMapping, Intake, IntakeError, IntakeOptions, Mapping, Proposal, join_outcomes, outcome_schema,
    read_table,
};
use jiff::civil::Date;
use serde::Serialize;
use spine::{EntrySchema, EntryTable, Finding, Progress, Severity};

use super::model::Pool;
use super::read_model::BatchDetail;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::Job;
use crate::{Customhouse, Fact};

/// Characters of a source's SHA-256 that are its batch's id.
const BATCH_ID_CHARACTERS: usize = 32;
/// Longest mapping that an event carries.
const MAPPING_BYTES_MAX: usize = 128 * 1024;

/// Where the outcomes of inspections stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcomes {
    /// In this column of the records.
    Column(String),
    /// In a file of their own, joined by declaration number.
    File {
        /// The file.
        file: PathBuf,
        /// How to read it; proposed from headers and values where it is not given.
        mapping: Option<Mapping>,
    },
}

/// Records that somebody wants admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmitRequest {
    /// CSV or Parquet file.
    pub file: PathBuf,
    /// Its name where it came from; default: the name it has here.
    pub file_name: Option<String>,
    /// Name of the source contract.
    pub contract: String,
    /// How to read it; proposed from headers and values where it is not given.
    pub mapping: Option<Mapping>,
    /// Where the outcomes stand, if not in mapped columns.
    pub outcomes: Option<Outcomes>,
    /// The batch whose exported quarantine this file mends, by its id or the beginning of it.
    pub mends: Option<String>,
}

impl AdmitRequest {
    /// A file as it is, under the contract for declarations.
    #[must_use]
    pub fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            file_name: None,
            contract: SourceContract::DECLARATIONS.to_owned(),
            mapping: None,
            outcomes: None,
            mends: None,
        }
    }
}

/// What came of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Admission {
    /// True if the same file had been admitted before; nothing was recorded again.
    pub repeated: bool,
    /// The batch: admitted, or refused with its verdict.
    pub batch: BatchDetail,
}

/// What came of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclaredContract {
    /// True if it was in force already; nothing was recorded.
    pub unchanged: bool,
    /// SHA-256 of its canonical bytes.
    pub sha256: String,
    /// The contract.
    pub contract: SourceContract,
}

/// A source that was read and is about to be judged.
struct Delivery<'a> {
    contract: SourceContract,
    source: SourceReference,
    mapping: Mapping,
    intake: Intake,
    outcomes: Option<OutcomesJoined>,
    mends: Option<(&'a Batch, Vec<u64>)>,
}

impl Customhouse {
    /// Brings a contract into force. Refused with findings where something is wrong with it.
    pub fn declare_contract(&self, reader: &Reader, toml: &str) -> Result<DeclaredContract, Error> {
        reader.require(Permission::AdmitRecords)?;
        let contract = SourceContract::from_toml(toml).map_err(|findings| {
            Error::new(
                Kind::Refused,
                "contract_refused",
                format!("the contract has {} mistakes", findings.len()),
                "Correct what the findings name; docs/pool.md shows every key.",
            )
            .with_findings(findings)
        })?;
        let sha256 = contract.sha256();
        let in_force = self.pool.catalogue()?.contract(&contract.name)?;
        let unchanged = in_force.is_some_and(|known| known.declared.sha256 == sha256);
        if !unchanged {
            let declared = ContractDeclared { sha256: sha256.clone(), contract: contract.clone() };
            let stream = format!("contract/{}", contract.name);
            self.record(reader, Fact::new(&stream, CONTRACT_DECLARED, payload(&declared)?))?;
        }
        Ok(DeclaredContract { unchanged, sha256, contract })
    }

    /// What the columns of a file probably mean, under a contract.
    pub fn propose_mapping(
        &self,
        reader: &Reader,
        file: &Path,
        contract: Option<&str>,
        outcome: Option<&str>,
    ) -> Result<Proposal, Error> {
        reader.require(Permission::AdmitRecords)?;
        let contract = self.pool.contract(contract.unwrap_or(SourceContract::DECLARATIONS))?;
        propose_for_file(file, &contract.entry_schema(), outcome).map_err(source_error)
    }

    /// Admits a file on a thread of its own; the job's result is the id of the batch.
    pub fn start_admission(
        self: &Arc<Self>,
        reader: &Reader,
        request: AdmitRequest,
    ) -> Result<Arc<Job>, Error> {
        reader.require(Permission::AdmitRecords)?;
        let (house, reader) = (Arc::clone(self), reader.clone());
        self.jobs().start("admission", move |job| {
            house.admit(&reader, &request, job).map(|admission| admission.batch.summary.id)
        })
    }

    /// Reads a file, lets the quality gate judge it, and admits or refuses it as one batch.
    ///
    /// The same file sent again is answered with the batch it already is. A file that cannot be read at all, or that
    /// its mapping does not fit, is an error and leaves no trace.
    pub fn admit(
        &self,
        reader: &Reader,
        request: &AdmitRequest,
        progress: &dyn Progress,
    ) -> Result<Admission, Error> {
        reader.require(Permission::AdmitRecords)?;
        let contract = self.pool.contract(&request.contract)?;
        let source = source_reference(&request.file, request.file_name.as_deref(), progress)?;
        let id: String = source.sha256.chars().take(BATCH_ID_CHARACTERS).collect();
        let before = self.pool.catalogue()?.batch(&id)?;
        if let Some(batch) = before.as_ref().filter(|batch| batch.state == BatchState::Admitted) {
            return self.already_admitted(reader, request, batch, progress);
        }
        let mended = request.mends.as_ref().map(|id| self.pool.batch(id)).transpose()?;
        let mut delivery = self.read_delivery(request, contract, source, mended.as_ref(), progress)?;
        self.confirm_source(&mut delivery, request, progress)?;
        let (record, admitted) = self.store(&id, &delivery, progress)?;
        let kind = if admitted { BATCH_ADMITTED } else { BATCH_REFUSED };
        let fact = Fact::new(&format!("batch/{id}"), kind, payload(&record)?)
            .expecting(before.map_or(0, |batch| batch.stream_version));
        match self.record(reader, fact) {
            Ok(_) => {}
            // The same file came in twice at once, and the other one was faster.
            Err(error) if error.kind == Kind::Conflict => {}
            Err(error) => return Err(error),
        }
        let batch = self.pool.batch(&id)?;
        let repeated = batch.record != record;
        Ok(Admission { repeated, batch: self.pool.detail(&batch, reader.clearance())? })
    }

    fn already_admitted(
        &self,
        reader: &Reader,
        request: &AdmitRequest,
        batch: &Batch,
        progress: &dyn Progress,
    ) -> Result<Admission, Error> {
        if let Some(Outcomes::File { file, .. }) = &request.outcomes {
            let sent = source_reference(file, None, progress)?;
            let joined = batch.record.outcomes.as_ref().map(|outcomes| &outcomes.source);
            if joined.is_none_or(|joined| joined.sha256 != sent.sha256) {
                return Err(Error::new(
                    Kind::Conflict,
                    "admitted_with_other_outcomes",
                    format!(
                        "the records are in the pool as batch {}, {}",
                        batch.record.batch,
                        joined.map_or("without outcomes".to_owned(), |joined| format!(
                            "with the outcomes {}",
                            joined.name
                        ))
                    ),
                    "Send records and outcomes as one export of the source system, whose bytes then differ.",
                ));
            }
        }
        Ok(Admission { repeated: true, batch: self.pool.detail(batch, reader.clearance())? })
    }

    fn read_delivery<'a>(
        &self,
        request: &AdmitRequest,
        contract: SourceContract,
        source: SourceReference,
        mended: Option<&'a Batch>,
        progress: &dyn Progress,
    ) -> Result<Delivery<'a>, Error> {
        let schema = contract.entry_schema();
        let mapping = mapping_for(request, &schema, mended)?;
        let size = serde_json::to_vec(&mapping).map_or(usize::MAX, |text| text.len());
        if size > MAPPING_BYTES_MAX {
            return Err(Error::new(
                Kind::Refused,
                "mapping_too_long",
                format!("the mapping has {size} bytes; at most {MAPPING_BYTES_MAX} are kept with a batch"),
                "Shorten its lists of values.",
            ));
        }
        let (mut intake, mends) = match mended {
            None => (read_file(&request.file, &mapping, &schema, progress).map_err(intake_error)?, None),
            Some(batch) => {
                let (intake, lines) = self.pool.read_mended(request, &mapping, &schema, batch, progress)?;
                (intake, Some((batch, lines)))
            }
        };
        let outcomes = match &request.outcomes {
            Some(Outcomes::File { file, mapping }) => {
                Some(join(&mut intake, &schema, file, mapping.as_ref(), progress)?)
            }
            _ => None,
        };
        Ok(Delivery { contract, source, mapping, intake, outcomes, mends })
    }

    /// Makes sure that what was read is what was hashed, and keeps the file itself where the contract says so.
    fn confirm_source(
        &self,
        delivery: &mut Delivery<'_>,
        request: &AdmitRequest,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let sha256 = if delivery.contract.keep_source {
            let mut file = std::fs::File::open(&request.file)
                .map_err(|error| Error::io("source_unreadable", &request.file, &error))?;
            self.journal.put_blob(&mut file)?.sha256
        } else {
            source_reference(&request.file, None, progress)?.sha256
        };
        delivery.source.kept = delivery.contract.keep_source;
        if sha256 == delivery.source.sha256 {
            return Ok(());
        }
        Err(Error::new(
            Kind::Refused,
            "source_changed",
            format!("{} changed while it was read", request.file.display()),
            "Wait until the program that writes it has finished, then send it again.",
        ))
    }

    /// Judges a delivery and writes its files. They are admitted once the event that names them is recorded.
    fn store(
        &self,
        id: &str,
        delivery: &Delivery<'_>,
        progress: &dyn Progress,
    ) -> Result<(BatchRecord, bool), Error> {
        let intake = &delivery.intake;
        let mending = delivery.mends.is_some();
        let summary = IntakeSummary::of(intake);
        let mut verdict = judge(&delivery.contract, &summary, mending);
        let contract_sha256 = delivery.contract.sha256();
        let mut files = Vec::new();
        if verdict.accepted() {
            let entries = NewEntries {
                table: &intake.table,
                lines: &intake.lines,
                mends_lines: delivery.mends.as_ref().map(|(_, lines)| lines.as_slice()),
            };
            let metadata = EntriesMetadata {
                batch: id.to_owned(),
                contract_sha256: contract_sha256.clone(),
                source_sha256: delivery.source.sha256.clone(),
            };
            match self.pool.folder.write_entries(entries, &metadata, progress) {
                Ok(file) => files.push(file),
                Err(::pool::PoolError::Unstorable(findings)) => verdict.findings.extend(findings),
                Err(error) => return Err(error.into()),
            }
        }
        let quarantine = if mending || intake.quarantine.is_empty() {
            None
        } else {
            let columns =
                ::pool::quarantine::columns_of(&intake.headers, &delivery.mapping, &delivery.contract);
            let rows = NewQuarantine { columns: &columns, rows: &intake.quarantine };
            Some(self.pool.folder.write_quarantine(rows)?)
        };
        let (findings, finding_groups_left_out) = bounded_findings(intake.findings.clone());
        let (first_date, last_date) = period(&intake.table);
        let admitted = verdict.accepted();
        let record = BatchRecord {
            batch: id.to_owned(),
            contract: ContractReference { name: delivery.contract.name.clone(), sha256: contract_sha256 },
            schema: SchemaReference {
                id: delivery.contract.schema.clone(),
                version: delivery.contract.schema_version,
            },
            source: delivery.source.clone(),
            outcomes: delivery.outcomes.clone(),
            mends: delivery.mends.as_ref().map(|(batch, _)| batch.record.batch.clone()),
            rows_read: summary.rows_read,
            rows: if admitted { summary.rows_understood } else { 0 },
            rows_quarantined: summary.rows_quarantined,
            unknown: if admitted { summary.unknown } else { Default::default() },
            first_date,
            last_date,
            rows_simulated: simulated(&intake.table),
            files,
            quarantine,
            verdict: verdict.findings,
            findings,
            finding_groups_left_out,
            unused_columns: bounded_columns(&intake.unused_columns),
            mapping: delivery.mapping.clone(),
        };
        Ok((record, admitted))
    }
}

impl Pool {
    /// Reads a mended export: only rows whose line is still in the batch's quarantine count.
    fn read_mended(
        &self,
        request: &AdmitRequest,
        mapping: &Mapping,
        schema: &Arc<EntrySchema>,
        batch: &Batch,
        progress: &dyn Progress,
    ) -> Result<(Intake, Vec<u64>), Error> {
        let quarantine = batch.record.quarantine.as_ref().filter(|_| batch.state == BatchState::Admitted);
        let file = quarantine.ok_or_else(|| {
            Error::new(
                Kind::Refused,
                "nothing_to_mend",
                format!("the batch {} was not admitted with rows in quarantine", batch.record.batch),
                "Name the batch whose quarantine was exported. A refused batch is mended at the source and sent whole.",
            )
        })?;
        let known = self.folder.read_quarantine(&file.sha256)?;
        let mended = self.mended_lines(&batch.record.batch)?;
        let inner = ::pool::open_source(&request.file, Some(mapping)).map_err(source_error)?;
        let mut source = MendSource::new(inner, known.lines(), &mended).map_err(source_error)?;
        let options =
            IntakeOptions { rows_expected: rows_expected(&request.file), ..IntakeOptions::default() };
        let intake = read_table(&mut source, mapping, schema, options, progress).map_err(intake_error)?;
        // A row without a line of the quarantine is never understood.
        let lines = intake.lines.iter().filter_map(|line| source.mended_line(*line)).collect();
        Ok((intake, lines))
    }
}

/// The mapping that was given, or the mended batch's, or else what is proposed.
fn mapping_for(
    request: &AdmitRequest,
    schema: &EntrySchema,
    mended: Option<&Batch>,
) -> Result<Mapping, Error> {
    let outcome = match &request.outcomes {
        Some(Outcomes::Column(column)) => Some(column.as_str()),
        _ => None,
    };
    let given = request.mapping.clone().or_else(|| mended.map(|batch| batch.record.mapping.clone()));
    if let (Some(mapping), None) = (&given, outcome) {
        let mut mapping = mapping.clone();
        if mended.is_some() {
            // An export is UTF-8 with commas, and a program that mends it may write it otherwise: it is found out.
            (mapping.encoding, mapping.delimiter) = (None, None);
        }
        return Ok(mapping);
    }
    let proposal = propose_for_file(&request.file, schema, outcome).map_err(source_error)?;
    let (errors, _): (Vec<Finding>, Vec<Finding>) =
        proposal.findings.into_iter().partition(|finding| finding.severity == Severity::Error);
    if let Some(mut mapping) = given {
        for field in ["irregular", "inspected"] {
            let proposed = proposal.mapping.fields.get(field).cloned();
            if let Some(proposed) =
                proposed.filter(|_| field == "irregular" || !mapping.fields.contains_key(field))
            {
                mapping.fields.insert(field.to_owned(), proposed);
            }
        }
        if outcome != mapping.fields.get("irregular").and_then(|field| field.column.as_deref()) {
            mapping.fields.insert("irregular".to_owned(), FieldMapping::column(outcome.unwrap_or_default()));
        }
        return Ok(mapping);
    }
    if errors.is_empty() {
        return Ok(proposal.mapping);
    }
    Err(Error::new(
        Kind::Refused,
        "mapping_needed",
        format!("it cannot be told what all columns of {} mean", request.file.display()),
        "Make a mapping with `tidewaiter map`, complete it as the findings say, and send it along.",
    )
    .with_findings(errors))
}

fn join(
    intake: &mut Intake,
    schema: &EntrySchema,
    file: &Path,
    mapping: Option<&Mapping>,
    progress: &dyn Progress,
) -> Result<OutcomesJoined, Error> {
    let schema = outcome_schema(schema);
    let source = source_reference(file, None, progress)?;
    let mapping = match mapping {
        Some(mapping) => mapping.clone(),
        None => propose_for_file(file, &schema, None).map_err(source_error)?.mapping,
    };
    let outcomes = read_file(file, &mapping, &schema, progress).map_err(intake_error)?;
    let (table, summary) = join_outcomes(&intake.table, &outcomes.table);
    intake.table = table;
    intake.findings.extend(outcomes.findings);
    intake.findings.extend(summary.findings);
    Ok(OutcomesJoined {
        source,
        joined: summary.joined,
        without_declaration: summary.without_declaration,
        repeated: summary.repeated,
        rows_quarantined: outcomes.rows_quarantined,
    })
}

fn period(table: &EntryTable) -> (Option<Date>, Option<Date>) {
    let days = || table.dates("date").into_iter().flatten().flatten().copied();
    (days().min(), days().max())
}

fn simulated(table: &EntryTable) -> u64 {
    let rows = table.booleans("simulated").into_iter().flatten().filter(|said| **said == Some(true));
    u64::try_from(rows.count()).unwrap_or(u64::MAX)
}

fn payload(event: &impl Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(event).map_err(|error| Error::internal("event_unwritable", &error))
}

/// A file that cannot be read is told by the finding that says why.
fn source_error(finding: Finding) -> Error {
    let kind = if finding.code == "file_not_found" { Kind::NotFound } else { Kind::Refused };
    Error::new(kind, &finding.code, finding.to_string(), "").with_findings(vec![finding])
}

fn intake_error(error: IntakeError) -> Error {
    match error {
        IntakeError::Cancelled => Error::cancelled(),
        IntakeError::Source(finding) => source_error(*finding),
        IntakeError::Mapping(findings) => Error::new(
            Kind::Refused,
            "mapping_does_not_fit",
            "the mapping does not fit this file",
            "Correct what the findings name; `tidewaiter map` shows the columns there are.",
        )
        .with_findings(findings),
        IntakeError::TooManyRows(most) => Error::new(
            Kind::Refused,
            "too_many_rows",
            format!("the file has more than {most} rows"),
            "Split it, by month or by office.",
        ),
    }
}
