//! From rows of text to a table of entries: what is understood, what is quarantined, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use spine::{EntrySchema, EntryTable, Finding, Pointer, Progress, Severity, Value};

use crate::convert::{Converter, Refusal};
use crate::mapping::Mapping;

/// Quarantined rows whose cells are kept; beyond, they are counted and the source is refused by its quality gate.
pub const QUARANTINE_ROWS_MAX: usize = 1_000_000;
/// Examples kept of one kind of finding.
const EXAMPLES_MAX: usize = 5;
/// Different kinds of findings kept; a kind is a code in a column.
const GROUPS_MAX: usize = 2_000;
/// Rows between two looks at whether to stop.
const ROWS_PER_REPORT: u64 = 8_192;

/// Rows of text with headers, whatever format they had.
pub trait RowSource {
    /// Names of the columns; an empty name is a column that cannot be used.
    fn headers(&self) -> &[String];

    /// What was noticed about the source as a whole.
    fn file_findings(&self) -> Vec<Finding>;

    /// Puts the next row's cells into `cells` and answers with its line; `None` at the end. The finding says why
    /// reading had to stop.
    fn next_row(&mut self, cells: &mut Vec<String>) -> Result<Option<u64>, Finding>;

    /// Why the row that was just read cannot be used as a whole.
    fn row_finding(&self, line: u64, cells: &[String]) -> Option<Finding>;
}

/// A row that could not be used, with its cells as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// Line in the source.
    pub line: u64,
    /// Cells as they were.
    pub cells: Vec<String>,
    /// Why.
    pub findings: Vec<Finding>,
}

/// Findings of one kind in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingGroup {
    /// Code of the findings.
    pub code: String,
    /// How much they matter.
    pub severity: Severity,
    /// Column they are in; empty for whole rows and files.
    pub column: String,
    /// How many there are.
    pub count: u64,
    /// The first few, whole.
    pub examples: Vec<Finding>,
}

/// Bounds and switches of reading.
#[derive(Debug, Clone, Copy)]
pub struct IntakeOptions {
    /// Rows read at most.
    pub rows_max: u64,
    /// Size of the source in bytes where it is known, for progress.
    pub rows_expected: u64,
}

impl Default for IntakeOptions {
    fn default() -> Self {
        Self { rows_max: 50_000_000, rows_expected: 0 }
    }
}

/// What came of reading a source.
#[derive(Debug, Clone)]
pub struct Intake {
    /// What was understood.
    pub table: EntryTable,
    /// Line of each entry in its source.
    pub lines: Vec<u64>,
    /// What could not be used, up to [`QUARANTINE_ROWS_MAX`].
    pub quarantine: Vec<QuarantinedRow>,
    /// Headers of the source, for exporting the quarantine.
    pub headers: Vec<String>,
    /// Findings by code and column, the most frequent first.
    pub findings: Vec<FindingGroup>,
    /// Rows read: entries and quarantined rows together.
    pub rows_read: u64,
    /// Rows quarantined, kept or not.
    pub rows_quarantined: u64,
    /// Columns that the mapping does not use.
    pub unused_columns: Vec<String>,
}

/// Why reading gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntakeError {
    /// The mapping does not fit the source.
    #[error("the mapping does not fit this file")]
    Mapping(Vec<Finding>),
    /// The source could not be read to its end.
    #[error("{0}")]
    Source(Box<Finding>),
    /// There are more rows than the bound.
    #[error("the file has more than {0} rows; split it")]
    TooManyRows(u64),
    /// Cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// Collects findings by code and column.
#[derive(Debug, Default)]
pub(crate) struct Groups(BTreeMap<(String, String), FindingGroup>);

impl Groups {
    pub(crate) fn add(&mut self, column: &str, finding: &Finding) {
        let key = (finding.code.clone(), column.to_owned());
        if !self.0.contains_key(&key) && self.0.len() >= GROUPS_MAX {
            return;
        }
        let group = self.0.entry(key).or_insert_with(|| FindingGroup {
            code: finding.code.clone(),
            severity: finding.severity,
            column: column.to_owned(),
            count: 0,
            examples: Vec::new(),
        });
        group.count = group.count.saturating_add(1);
        if group.examples.len() < EXAMPLES_MAX {
            group.examples.push(finding.clone());
        }
    }

    pub(crate) fn into_sorted(self) -> Vec<FindingGroup> {
        let mut groups: Vec<FindingGroup> = self.0.into_values().collect();
        groups.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.count.cmp(&a.count)));
        groups
    }
}

enum Filling {
    Column { at: usize, header: String, converter: Box<Converter> },
    Constant(Option<Value>),
    OutcomePresent { irregular_at: usize },
    Nothing,
}

/// Reads all rows of a source into a table of `schema`.
pub fn read_table(
    source: &mut dyn RowSource,
    mapping: &Mapping,
    schema: &Arc<EntrySchema>,
    options: IntakeOptions,
    progress: &dyn Progress,
) -> Result<Intake, IntakeError> {
    let problems = mapping.check(source.headers(), schema);
    if !problems.is_empty() {
        return Err(IntakeError::Mapping(problems));
    }
    let headers = source.headers().to_vec();
    let mut fillings = fillings(mapping, schema, &headers)?;
    let mut intake = Intake {
        table: EntryTable::empty(Arc::clone(schema)),
        lines: Vec::new(),
        quarantine: Vec::new(),
        unused_columns: unused_columns(mapping, &headers),
        headers,
        findings: Vec::new(),
        rows_read: 0,
        rows_quarantined: 0,
    };
    let mut groups = Groups::default();
    for finding in source.file_findings() {
        groups.add("", &finding);
    }
    let mut cells = Vec::new();
    loop {
        if intake.rows_read.is_multiple_of(ROWS_PER_REPORT) {
            progress.report("reading", intake.rows_read, options.rows_expected.max(intake.rows_read));
            if progress.cancelled() {
                return Err(IntakeError::Cancelled);
            }
        }
        let line = match source.next_row(&mut cells) {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(finding) => return Err(IntakeError::Source(Box::new(finding))),
        };
        if intake.rows_read >= options.rows_max {
            return Err(IntakeError::TooManyRows(options.rows_max));
        }
        intake.rows_read = intake.rows_read.saturating_add(1);
        let outcome = match source.row_finding(line, &cells) {
            Some(finding) => {
                groups.add("", &finding);
                Err(vec![finding])
            }
            None => convert_row(&mut fillings, &cells, line, &mut groups),
        };
        match outcome.map(|values| intake.table.push(values)) {
            Ok(Ok(())) => intake.lines.push(line),
            Ok(Err(mismatch)) => {
                quarantine(
                    &mut intake,
                    line,
                    &cells,
                    vec![Finding::error("type_mismatch").found(&mismatch.to_string())],
                );
            }
            Err(findings) => quarantine(&mut intake, line, &cells, findings),
        }
    }
    progress.report("reading", intake.rows_read, intake.rows_read);
    intake.findings = groups.into_sorted();
    Ok(intake)
}

fn quarantine(intake: &mut Intake, line: u64, cells: &[String], findings: Vec<Finding>) {
    intake.rows_quarantined = intake.rows_quarantined.saturating_add(1);
    if intake.quarantine.len() < QUARANTINE_ROWS_MAX {
        intake.quarantine.push(QuarantinedRow { line, cells: cells.to_vec(), findings });
    }
}

fn unused_columns(mapping: &Mapping, headers: &[String]) -> Vec<String> {
    headers
        .iter()
        .filter(|header| !header.is_empty())
        .filter(|header| !mapping.fields.values().any(|field| field.column.as_ref() == Some(*header)))
        .cloned()
        .collect()
}

fn fillings(
    mapping: &Mapping,
    schema: &EntrySchema,
    headers: &[String],
) -> Result<Vec<Filling>, IntakeError> {
    schema
        .fields
        .iter()
        .map(|field| {
            let Some(field_mapping) = mapping.fields.get(&field.name) else { return Ok(Filling::Nothing) };
            let mut converter = Converter::new(field, field_mapping, mapping.numbers);
            if let Some(column) = &field_mapping.column {
                let at = headers.iter().position(|header| header == column).unwrap_or(usize::MAX);
                return Ok(Filling::Column { at, header: column.clone(), converter: Box::new(converter) });
            }
            if field_mapping.derived.is_some() {
                let irregular_at = schema.position("irregular").unwrap_or(usize::MAX);
                return Ok(Filling::OutcomePresent { irregular_at });
            }
            let constant = field_mapping.constant.as_deref().unwrap_or_default();
            match converter.convert(constant) {
                Ok(value) => Ok(Filling::Constant(value)),
                Err(Refusal::Row(finding) | Refusal::Value(finding)) => Err(IntakeError::Mapping(vec![
                    finding.at(Pointer(format!("fields.{}.constant", field.name))),
                ])),
            }
        })
        .collect()
}

/// One value a field, or why the row cannot be used.
fn convert_row(
    fillings: &mut [Filling],
    cells: &[String],
    line: u64,
    groups: &mut Groups,
) -> Result<Vec<Option<Value>>, Vec<Finding>> {
    let mut values = Vec::with_capacity(fillings.len());
    let mut refusals = Vec::new();
    for filling in fillings.iter_mut() {
        let value = match filling {
            Filling::Nothing | Filling::OutcomePresent { .. } => None,
            Filling::Constant(value) => value.clone(),
            Filling::Column { at, header, converter } => {
                match converter.convert(cells.get(*at).map_or("", String::as_str)) {
                    Ok(value) => value,
                    Err(Refusal::Value(finding)) => {
                        groups.add(header, &finding.at(Pointer::line_column(line, header)));
                        None
                    }
                    Err(Refusal::Row(finding)) => {
                        let finding = finding.at(Pointer::line_column(line, header));
                        groups.add(header, &finding);
                        refusals.push(finding);
                        None
                    }
                }
            }
        };
        values.push(value);
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    for (position, filling) in fillings.iter().enumerate() {
        if let Filling::OutcomePresent { irregular_at } = filling {
            let known = values.get(*irregular_at).is_some_and(Option::is_some);
            if let Some(place) = values.get_mut(position) {
                *place = Some(Value::Boolean(known));
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spine::Silent;

    use super::*;
    use crate::csv::{CsvOptions, CsvSource};
    use crate::propose;

    fn read(text: &[u8]) -> Result<Intake, String> {
        let schema = spine::declaration_entry::schema();
        let mut first = CsvSource::open(text, CsvOptions::default()).map_err(|f| f.code)?;
        let mut sample = Vec::new();
        let mut cells = Vec::new();
        while sample.len() < 200 && first.next_row(&mut cells).map_err(|f| f.code)?.is_some() {
            sample.push(cells.clone());
        }
        let proposal = propose(first.headers(), &sample, &schema, None);
        let mut source = CsvSource::open(text, CsvOptions::default()).map_err(|f| f.code)?;
        read_table(&mut source, &proposal.mapping, &schema, IntakeOptions::default(), &Silent)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn good_rows_are_understood_and_bad_ones_kept_with_their_reasons() {
        let text = "Declaration ID,Date,HS Code,Country of Origin,Net Mass,Fraud\n\
                    1,2024-01-01,851712,CN,5,0\n\
                    2,2024-01-02,851712,CN,-5,1\n\
                    3,not a day,851712,CN,5,\n\
                    4,2024-01-04,851712,Atlantis,5,\n\
                    5,2024-01-05,851712,CN\n";
        let intake = read(text.as_bytes()).unwrap();
        assert_eq!((intake.rows_read, intake.rows_quarantined, intake.table.len()), (5, 3, 2));
        assert_eq!(intake.lines, [2, 5]);
        let reasons: Vec<(u64, &str)> =
            intake.quarantine.iter().map(|row| (row.line, row.findings[0].code.as_str())).collect();
        assert_eq!(reasons, [(3, "negative_value"), (4, "date_unreadable"), (6, "cell_count")]);
        assert_eq!(intake.table.value(1, "origin_country"), None);
        assert_eq!(intake.table.value(0, "inspected"), Some(Value::Boolean(true)));
        assert_eq!(intake.table.value(1, "inspected"), Some(Value::Boolean(false)));
        assert_eq!(
            intake.quarantine[0].findings[0].to_string(),
            "line[3]/Net Mass: found \"-5\", expected 0 or more. \
             Correct the cell, or change how the mapping reads this column. [negative_value]"
        );
    }

    #[test]
    fn a_mapping_that_does_not_fit_reads_nothing() {
        let schema = spine::declaration_entry::schema();
        let mut source = CsvSource::open(&b"a,b\n1,2\n"[..], CsvOptions::default()).unwrap();
        let error =
            read_table(&mut source, &Mapping::new(&schema), &schema, IntakeOptions::default(), &Silent);
        assert!(matches!(error, Err(IntakeError::Mapping(findings)) if findings.len() == 2));
    }

    proptest! {
        #[test]
        fn no_bytes_crash_the_reader_and_no_row_is_lost(
            body in proptest::collection::vec(any::<u8>(), 0..400),
            rows in proptest::collection::vec("[-0-9a-zA-Z,\"\n ]{0,40}", 0..20),
        ) {
            let header = b"Declaration ID,Date,Net Mass\n".to_vec();
            for text in [[header.clone(), body].concat(), [header, rows.join("\n").into_bytes()].concat()] {
                if let Ok(intake) = read(&text) {
                    let entries = u64::try_from(intake.table.len()).unwrap();
                    prop_assert_eq!(intake.rows_read, intake.rows_quarantined + entries);
                    prop_assert_eq!(intake.lines.len(), intake.table.len());
                }
            }
        }
    }
}
