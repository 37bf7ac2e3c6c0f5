//! The audit of files: no data folder, nothing recorded.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ::packs::Registry;
use ::pool::{propose_for_file, read_file, source_reference};
use formats::{FieldMapping, IntakeError, Mapping, Proposal, join_outcomes, outcome_schema};
use journal::{Clock, SystemClock};
use learning::AuditOptions;
use spine::{EntrySchema, EntryTable, Finding, Progress, Severity, declaration_entry};

use super::commands::{Prepared, StageClock, assess};
use super::model::{
    AuditInput, AuditReport, AuditRequest, InputRole, JoinUsed, MappedField, MappingUsed, OutcomeSource,
};
use crate::error::{Error, Kind};
use crate::offline::read_mapping;

/// Reads the files, applies the tags of the registry's packs in use, and audits.
///
/// Files that cannot be read, and mappings that do not fit, are errors with findings; rows that cannot be used are
/// counted and told in the report's inputs.
pub fn audit_files(
    request: &AuditRequest,
    registry: &Registry,
    progress: &dyn Progress,
) -> Result<AuditReport, Error> {
    let mut clock = StageClock::new(Instant::now());
    let schema = declaration_entry::schema();
    let given = request.map.as_deref().map(read_mapping).transpose()?;
    let outcome = match &request.outcomes {
        Some(OutcomeSource::Column(column)) => Some(column.as_str()),
        _ => None,
    };
    let mut table: Option<EntryTable> = None;
    let mut inputs = Vec::new();
    for file in &request.declarations {
        let (mapping, proposal) = mapping_of(file, given.as_ref(), &schema, outcome)?;
        let read = read(file, InputRole::Declarations, &mapping, proposal.as_ref(), &schema, progress)?;
        inputs.push(read.0);
        match &mut table {
            None => table = Some(read.1),
            Some(table) => {
                table.extend(&read.1).map_err(|error| Error::internal("tables_differ", &error))?;
            }
        }
    }
    let mut table = table.ok_or_else(|| {
        Error::new(
            Kind::Invalid,
            "no_declarations",
            "no file of declarations was named",
            "Name at least one file.",
        )
    })?;
    let mut join = None;
    if let Some(OutcomeSource::File(file)) = &request.outcomes {
        let schema = outcome_schema(&schema);
        let given = request.outcomes_map.as_deref().map(read_mapping).transpose()?;
        let (mapping, proposal) = mapping_of(file, given.as_ref(), &schema, None)?;
        let read = read(file, InputRole::Outcomes, &mapping, proposal.as_ref(), &schema, progress)?;
        inputs.push(read.0);
        let (joined, summary) = join_outcomes(&table, &read.1);
        table = joined;
        join = Some(JoinUsed {
            joined: summary.joined,
            without_declaration: summary.without_declaration,
            repeated: summary.repeated,
            findings: summary.findings,
        });
    }
    clock.end("reading");
    let options = AuditOptions {
        capacity: request.capacity,
        simulated: request.simulated,
        currency: request.currency.clone(),
        seed: request.seed,
        ..AuditOptions::default()
    };
    let prepared = Prepared { table, inputs, join, options, made_at: SystemClock.now() };
    assess(prepared, registry, clock, progress)
}

/// The mapping that was given, with the outcome's column where the caller names one; else what is proposed.
fn mapping_of(
    file: &Path,
    given: Option<&Mapping>,
    schema: &EntrySchema,
    outcome: Option<&str>,
) -> Result<(Mapping, Option<Proposal>), Error> {
    if let (Some(mapping), None) = (given, outcome) {
        return Ok((mapping.clone(), None));
    }
    let proposal = propose_for_file(file, schema, outcome).map_err(|finding| source_error(file, finding))?;
    let errors: Vec<Finding> =
        proposal.findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
    if let Some(given) = given {
        let unknown = |finding: &&Finding| finding.code == "mapping_unknown_column";
        if let Some(finding) = errors.iter().find(unknown) {
            return Err(mapping_needed(file, vec![finding.clone()]));
        }
        return Ok((with_outcome(given, &proposal.mapping, outcome.unwrap_or_default()), None));
    }
    if errors.is_empty() {
        Ok((proposal.mapping.clone(), Some(proposal)))
    } else {
        Err(mapping_needed(file, errors))
    }
}

/// A given mapping whose outcome is another column; how its cells are read is taken from the proposal.
fn with_outcome(given: &Mapping, proposed: &Mapping, column: &str) -> Mapping {
    let mut mapping = given.clone();
    let of_column = |field: &&FieldMapping| field.column.as_deref() == Some(column);
    let irregular = proposed.fields.get("irregular").filter(of_column).cloned();
    mapping.fields.insert("irregular".to_owned(), irregular.unwrap_or_else(|| FieldMapping::column(column)));
    if let (false, Some(inspected)) =
        (mapping.fields.contains_key("inspected"), proposed.fields.get("inspected"))
    {
        mapping.fields.insert("inspected".to_owned(), inspected.clone());
    }
    mapping
}

fn read(
    file: &Path,
    role: InputRole,
    mapping: &Mapping,
    proposal: Option<&Proposal>,
    schema: &Arc<EntrySchema>,
    progress: &dyn Progress,
) -> Result<(AuditInput, EntryTable), Error> {
    let source = source_reference(file, None, progress)?;
    let intake = read_file(file, mapping, schema, progress).map_err(|error| intake_error(file, error))?;
    let input = AuditInput {
        role,
        name: source.name,
        sha256: source.sha256,
        rows_read: intake.rows_read,
        rows_quarantined: intake.rows_quarantined,
        findings: intake.findings,
        mapping: Some(MappingUsed {
            proposed: proposal.is_some(),
            fields: mapped_fields(mapping, proposal),
            unused_columns: intake.unused_columns,
            toml: proposal.map_or_else(
                || mapping.to_toml(schema, &std::collections::BTreeMap::new()),
                |proposal| proposal.to_toml(schema),
            ),
        }),
    };
    Ok((input, intake.table))
}

fn mapped_fields(mapping: &Mapping, proposal: Option<&Proposal>) -> Vec<MappedField> {
    mapping
        .fields
        .iter()
        .map(|(field, own)| {
            let proposed = proposal
                .and_then(|proposal| proposal.fields.iter().find(|proposed| proposed.field == *field));
            let constant = || own.constant.as_ref().map(|constant| format!("\"{constant}\""));
            MappedField {
                field: field.clone(),
                column: own
                    .column
                    .clone()
                    .or_else(constant)
                    .or_else(|| own.derived.clone())
                    .unwrap_or_default(),
                reason: proposed.map(|proposed| proposed.reason.clone()).unwrap_or_default(),
                confidence: proposed.map(|proposed| proposed.confidence),
            }
        })
        .collect()
}

fn mapping_needed(file: &Path, findings: Vec<Finding>) -> Error {
    Error::new(
        Kind::Refused,
        "mapping_needed",
        format!("it cannot be told what all columns of {} mean", file.display()),
        "Make a mapping with `tidewaiter map`, complete it as the findings say, and name it with --map.",
    )
    .with_findings(findings)
}

/// A file that cannot be read is told by the finding that says why.
fn source_error(file: &Path, finding: Finding) -> Error {
    let kind = if finding.code == "file_not_found" { Kind::NotFound } else { Kind::Refused };
    Error::new(kind, &finding.code, format!("{} cannot be read", file.display()), "")
        .with_findings(vec![finding])
}

fn intake_error(file: &Path, error: IntakeError) -> Error {
    match error {
        IntakeError::Cancelled => Error::cancelled(),
        IntakeError::Source(finding) => source_error(file, *finding),
        IntakeError::Mapping(findings) => Error::new(
            Kind::Refused,
            "mapping_does_not_fit",
            format!("the mapping does not fit {}", file.display()),
            "Correct what the findings name; `tidewaiter map` shows the columns there are.",
        )
        .with_findings(findings),
        IntakeError::TooManyRows(most) => Error::new(
            Kind::Refused,
            "too_many_rows",
            format!("{} has more than {most} rows", file.display()),
            "Split it, by month or by office.",
        ),
    }
}
