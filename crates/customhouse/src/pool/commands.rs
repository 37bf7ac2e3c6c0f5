//! Admitting records and declaring contracts: each an event.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::pool::event::{
    BATCH_ADMITTED, BATCH_REFUSED, CONTRACT_DECLARED, ContractReference, OutcomesJoined, SchemaReference,
    SourceReference, bounded_columns, bounded_findings,
};
use ::pool::quarantine::columns_of;
use ::pool::{
    Batch, BatchRecord, BatchState, ContractDeclared, EntriesMetadata, IntakeSummary, MendSource, NewEntries,
    NewQuarantine, SourceContract, judge, propose_for_file, read_file, rows_expected, source_reference,
};
use formats::{
    FieldMapping, Intake, IntakeOptions, Mapping, Proposal, join_outcomes, outcome_schema, read_table,
};
use jiff::civil::Date;
use serde::Serialize;
use spine::declaration_entry::OUTCOME_FIELDS;
use spine::{EntrySchema, EntryTable, Finding, Pointer, Progress, Severity};

use super::answers::BatchDetail;
use super::model::{Pool, source_error};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
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

    /// Reads a file, lets the quality gate judge it, and admits or refuses it as one batch.
    ///
    /// The same file sent again is answered with the batch it already is; with a newer file of outcomes it takes the
    /// place of what came in before. A file that cannot be read at all, or that
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
        let admitted_before = before.as_ref().filter(|batch| batch.state == BatchState::Admitted);
        if let Some(batch) = admitted_before
            && !self.brings_other_outcomes(request, batch, progress)?
        {
            return Ok(Admission { repeated: true, batch: self.pool.detail(batch, reader.clearance())? });
        }
        let mended = request.mends.as_ref().map(|id| self.pool.batch(id)).transpose()?;
        let mut delivery = self.read_delivery(request, contract, source, mended.as_ref(), progress)?;
        self.confirm_source(&mut delivery, request, progress)?;
        let (record, admitted) = self.store(&id, &delivery, progress)?;
        if admitted_before.is_some() && !admitted {
            return Err(Error::new(
                Kind::Refused,
                "outcomes_refused",
                format!("with these outcomes the quality gate refuses the batch {id}; it stays as it was"),
                "Mend what the findings name, or change the contract.",
            )
            .with_findings(record.verdict));
        }
        let kind = if admitted { BATCH_ADMITTED } else { BATCH_REFUSED };
        let fact = Fact::new(&format!("batch/{id}"), kind, payload(&record)?)
            .expecting(before.map_or(0, |batch| batch.stream_version));
        match self.record(reader, fact) {
            Ok(_) if admitted => self.desk().note_history(&id),
            Ok(_) => {}
            // The same file came in twice at once, and the other one was faster.
            Err(error) if error.kind == Kind::Conflict => {}
            Err(error) => return Err(error),
        }
        let batch = self.pool.batch(&id)?;
        let repeated = batch.record != record;
        Ok(Admission { repeated, batch: self.pool.detail(&batch, reader.clearance())? })
    }

    /// Does a file that is in the pool already come with outcomes that it was not joined with?
    fn brings_other_outcomes(
        &self,
        request: &AdmitRequest,
        batch: &Batch,
        progress: &dyn Progress,
    ) -> Result<bool, Error> {
        let Some(Outcomes::File { file, .. }) = &request.outcomes else { return Ok(false) };
        let sent = source_reference(file, None, progress)?;
        let joined = batch.record.outcomes.as_ref().map(|outcomes| &outcomes.source.sha256);
        if joined == Some(&sent.sha256) {
            return Ok(false);
        }
        if self.pool.catalogue()?.mends_of(&batch.record.batch)?.is_empty() {
            return Ok(true);
        }
        Err(Error::new(
            Kind::Conflict,
            "batch_is_mended",
            format!(
                "the records are in the pool as batch {}, and rows of its quarantine were mended since",
                batch.record.batch
            ),
            "Export records with their outcomes and the mended rows anew from the source system, and send that file.",
        ))
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
            None => (read_file(&request.file, &mapping, &schema, progress)?, None),
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
        let mut files = Vec::new();
        if verdict.accepted() {
            let entries = NewEntries {
                table: &intake.table,
                lines: &intake.lines,
                mends_lines: delivery.mends.as_ref().map(|(_, lines)| lines.as_slice()),
            };
            let metadata = EntriesMetadata {
                batch: id.to_owned(),
                contract_sha256: delivery.contract.sha256(),
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
            let columns = columns_of(&intake.headers, &delivery.mapping, &delivery.contract);
            let rows = NewQuarantine { columns: &columns, rows: &intake.quarantine };
            Some(self.pool.folder.write_quarantine(rows)?)
        };
        let admitted = verdict.accepted();
        let mut record = delivery.record(id, summary);
        if !admitted {
            record.rows = 0;
            record.unknown.clear();
        }
        Ok((BatchRecord { files, quarantine, verdict: verdict.findings, ..record }, admitted))
    }
}

impl Delivery<'_> {
    /// What is recorded of it, but for its verdict and its files.
    fn record(&self, id: &str, summary: IntakeSummary) -> BatchRecord {
        let (findings, finding_groups_left_out) = bounded_findings(self.intake.findings.clone());
        let (first_date, last_date) = period(&self.intake.table);
        BatchRecord {
            batch: id.to_owned(),
            contract: ContractReference { name: self.contract.name.clone(), sha256: self.contract.sha256() },
            schema: SchemaReference {
                id: self.contract.schema.clone(),
                version: self.contract.schema_version,
            },
            source: self.source.clone(),
            outcomes: self.outcomes.clone(),
            mends: self.mends.as_ref().map(|(batch, _)| batch.record.batch.clone()),
            rows_read: summary.rows_read,
            rows: summary.rows_understood,
            rows_quarantined: summary.rows_quarantined,
            unknown: summary.unknown,
            first_date,
            last_date,
            rows_simulated: simulated(&self.intake.table),
            files: Vec::new(),
            quarantine: None,
            verdict: Vec::new(),
            findings,
            finding_groups_left_out,
            unused_columns: bounded_columns(&self.intake.unused_columns),
            mapping: self.mapping.clone(),
            rewritten: None,
        }
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
        let intake = read_table(&mut source, mapping, schema, options, progress)?;
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
    let given = match (&request.mapping, mended) {
        (Some(mapping), _) => Some(mapping.clone()),
        // An export is UTF-8 with commas, and a program that mends it may write it otherwise: it is found out.
        (None, Some(batch)) => {
            Some(Mapping { encoding: None, delimiter: None, ..batch.record.mapping.clone() })
        }
        (None, None) => None,
    };
    let propose = || propose_for_file(&request.file, schema, outcome).map_err(source_error);
    match (given, outcome) {
        (None, _) => decided(propose()?, &request.file),
        (Some(mapping), None) => Ok(mapping),
        (Some(mapping), Some(column)) => Ok(with_outcome(mapping, column, &propose()?.mapping)),
    }
}

/// A mapping that takes the outcome from a column, read as the proposal reads it.
fn with_outcome(mut mapping: Mapping, column: &str, proposed: &Mapping) -> Mapping {
    let irregular = proposed.fields.get("irregular").filter(|field| field.column.as_deref() == Some(column));
    let irregular = irregular.cloned().unwrap_or_else(|| FieldMapping::column(column));
    mapping.fields.insert("irregular".to_owned(), irregular);
    if let Some(inspected) = proposed.fields.get("inspected") {
        mapping.fields.entry("inspected".to_owned()).or_insert_with(|| inspected.clone());
    }
    mapping
}

/// The proposed mapping, unless a person has to decide something first.
fn decided(proposal: Proposal, file: &Path) -> Result<Mapping, Error> {
    let undecided: Vec<Finding> =
        proposal.findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    if undecided.is_empty() {
        return Ok(proposal.mapping);
    }
    Err(Error::new(
        Kind::Refused,
        "mapping_needed",
        format!("it cannot be told what all columns of {} mean", file.display()),
        "Make a mapping with `tidewaiter map`, complete it as the findings say, and send it along.",
    )
    .with_findings(undecided))
}

/// Leaves in a proposal for a file of outcomes only what is joined, so that an unclear date of the declaration does
/// not keep its outcome out.
fn keep_outcome_fields(proposal: &mut Proposal) {
    let joined =
        |field: &str| matches!(field, "declaration_id" | "item_number") || OUTCOME_FIELDS.contains(&field);
    let ignored: Vec<Pointer> = proposal
        .fields
        .iter()
        .filter(|proposed| !joined(&proposed.field))
        .map(|proposed| Pointer::column(&proposed.column))
        .collect();
    proposal.mapping.fields.retain(|field, _| joined(field));
    proposal.findings.retain(|finding| !ignored.contains(&finding.pointer));
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
        None => {
            let mut proposal = propose_for_file(file, &schema, None).map_err(source_error)?;
            keep_outcome_fields(&mut proposal);
            decided(proposal, file)?
        }
    };
    let outcomes = read_file(file, &mapping, &schema, progress)?;
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
