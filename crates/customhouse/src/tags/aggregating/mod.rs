//! Aggregates over windows of days of anybody's Parquet: one row an entity, a column an aggregate. Nothing is recorded.
//!
//! | key | meaning |
//! |---|---|
//! | `measure` | see [`written::Measured`] |
//! | `of` | a column, or its first characters; of `ratio` and deviations the name of another aggregate of the file |
//! | `to` | of `ratio`: the aggregate that is divided by |
//! | `where` | only entries that fulfil this condition; of `share` the condition whose share is wanted |
//! | `days` | length of the window in days before the day that all is as of |
//! | `digits` | digits behind the point of a column that is in floating point; 2 unless told |
//! | `peers` | columns, or their first characters: an entity is compared with those of whose entries most are the same here |
//! | `at_least` | with fewer entries, or peers, there is no value |

mod amounts;
mod answers;
mod groups;
mod numbers;
mod plan;
mod scan;
#[cfg(test)]
mod tests;
mod written;

use std::fs::File;
use std::path::{Path, PathBuf};

use ::pool::lane_writer::LaneWriter;
use ::pool::lanes::LanesFile;
use ::rules::Lists;
use ::tags::FieldPart;
use jiff::civil::Date;
use packs::Registry;
use serde::Serialize;
use spine::{EntrySchema, FieldType, Finding, Progress};

use crate::error::{Error, Kind};
use crate::folder::write_whole_from;
use answers::Answers;
use scan::Scan;

/// Entries read at once.
const ROWS_AT_ONCE: usize = 256 * 1024;
/// Entities written at once.
const ENTITIES_AT_ONCE: usize = 64 * 1024;
/// Files of entries at most.
const FILES_MAX: usize = 10_000;

/// What to aggregate.
#[derive(Debug, Clone)]
pub struct AggregateRequest {
    /// The aggregates: TOML, or one JSON object a line.
    pub aggregates: PathBuf,
    /// Parquet files with the same columns.
    pub entries: Vec<PathBuf>,
    /// The column that names the entity of each entry.
    pub by: String,
    /// The column with the day of each entry; none: the only one of dates or times.
    pub date: Option<String>,
    /// Windows end before this day.
    pub as_of: Date,
    /// Where to write the answers, as Parquet.
    pub out: PathBuf,
    /// Threads that evaluate conditions.
    pub threads: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AggregateReport {
    /// Entries of all files.
    pub entries: u64,
    /// Those of them in some window.
    pub in_windows: u64,
    /// Those before every window.
    pub too_old: u64,
    /// Those on the day or later: nothing is known of them yet.
    pub not_before: u64,
    /// Those that name no entity.
    pub without_entity: u64,
    /// Those without a date.
    pub without_date: u64,
    /// Rows written: entities with an entry before the day.
    pub entities: u64,
    /// Columns written beside the entity's.
    pub aggregates: usize,
    /// Columns of the files that cannot be used.
    pub findings: Vec<Finding>,
}

/// Computes all aggregates of all entities.
///
/// # Errors
/// `aggregates_unreadable`, `aggregates_refused` with what is wrong with each; `entries_unreadable`, `entries_refused`
/// with the column or the row; `file_unwritable`, `cancelled`. Nothing is written then.
pub fn aggregate_files(
    registry: &Registry,
    request: &AggregateRequest,
    progress: &dyn Progress,
) -> Result<AggregateReport, Error> {
    let aggregates = written::read(&request.aggregates)?;
    if request.entries.is_empty() || request.entries.len() > FILES_MAX {
        return Err(Error::new(
            Kind::Invalid,
            "entries_unreadable",
            format!("{} files of entries; there are 1 to {FILES_MAX}", request.entries.len()),
            "Name the files of entries.",
        ));
    }
    let mut files = Files::open(&request.entries)?;
    let (by, date) = files.columns(request)?;
    let lists = Lists(registry.lists());
    let plan = plan::plan(&aggregates, &request.by, &files.schema, &lists)
        .map_err(|findings| written::refused(&request.aggregates, findings))?;
    let day = ::tags::day_number(request.as_of);
    let mut scan = Scan::new(plan, (by.clone(), date), day, request.threads)
        .map_err(|finding| refused(&request.aggregates, finding))?;
    files.fit(&scan.columns())?;
    let total = files.rows;
    for path in &request.entries {
        let file = opened(path)?;
        let columns = scan.columns();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut reader = file.read(&columns, ROWS_AT_ONCE).map_err(|finding| unreadable(path, finding))?;
        let (schema, mut rows) = (reader.schema().clone(), 0_u64);
        while let Some(lanes) = reader.next_lanes().map_err(|finding| unreadable(path, finding))? {
            let read = scan.take(&schema, &lanes, rows).map_err(|finding| refused(path, finding))?;
            rows = rows.saturating_add(read);
            progress.report("reading_entries", scan.report.entries, total);
            if progress.cancelled() {
                return Err(Error::cancelled());
            }
        }
    }
    let by_type = files.schema.field(&by.field).map_or(FieldType::Text, |field| field.field_type);
    let (answers, mut report) = scan.finish(by_type).map_err(|finding| refused(&request.out, finding))?;
    report.findings = std::mem::take(&mut files.findings);
    write(&answers, request, progress)?;
    Ok(report)
}

/// What all files have in common.
struct Files {
    schema: EntrySchema,
    others: Vec<(PathBuf, EntrySchema)>,
    findings: Vec<Finding>,
    rows: u64,
}

impl Files {
    fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut all = Vec::new();
        let (mut findings, mut rows) = (Vec::<Finding>::new(), 0_u64);
        for path in paths {
            let file = opened(path)?;
            for finding in file.findings() {
                if !findings.contains(finding) {
                    findings.push(finding.clone());
                }
            }
            rows = rows.saturating_add(file.rows());
            all.push((path.clone(), EntrySchema::clone(file.schema())));
        }
        let mut all = all.into_iter();
        let schema = all.next().map(|(_, schema)| schema);
        let schema = schema.unwrap_or(EntrySchema { id: String::new(), version: 1, fields: Vec::new() });
        Ok(Self { schema, others: all.collect(), findings, rows })
    }

    /// The columns of entities and of dates.
    fn columns(&self, request: &AggregateRequest) -> Result<(FieldPart, String), Error> {
        let path = request.entries.first().map_or(Path::new(""), PathBuf::as_path);
        let of_type = |wanted: fn(FieldType) -> bool| -> Vec<&str> {
            let fields = self.schema.fields.iter().filter(|field| wanted(field.field_type));
            fields.map(|field| field.name.as_str()).collect()
        };
        let names = |of: FieldType| matches!(of, FieldType::Text | FieldType::Decimal | FieldType::Date);
        let dates = of_type(|of| matches!(of, FieldType::Date | FieldType::DateTime));
        let missing = |option: &str, found: &str, fit: &[&str]| {
            let finding = Finding::error("column_unknown").found(found);
            let fit = if fit.is_empty() { "none of the file's".to_owned() } else { fit.join(", ") };
            let fix = format!("Name one of these with {option}, as it is spelt in the file.");
            refused(path, finding.expected(fit).fix(fix))
        };
        if !of_type(names).contains(&request.by.as_str()) {
            return Err(missing("--by", &request.by, &of_type(names)));
        }
        let date = match (&request.date, dates.as_slice()) {
            (Some(date), all) if all.contains(&date.as_str()) => date.clone(),
            (None, [only]) => (*only).to_owned(),
            (date, all) => return Err(missing("--date", date.as_deref().unwrap_or_default(), all)),
        };
        Ok((FieldPart { field: request.by.clone(), prefix: None }, date))
    }

    /// Has every file these columns, of the same types?
    fn fit(&self, columns: &[String]) -> Result<(), Error> {
        for (path, other) in &self.others {
            for column in columns {
                let type_in = |schema: &EntrySchema| schema.field(column).map(|field| field.field_type);
                let (own, wanted) = (type_in(other), type_in(&self.schema));
                if own != wanted {
                    let name = |of: Option<FieldType>| of.map_or("missing", FieldType::name);
                    let finding = Finding::error("column_differs").found(&format!("{column}: {}", name(own)));
                    let expected = format!("{}, as in the first file", name(wanted));
                    let fix = "Write the file with the columns of the first, or aggregate it alone.";
                    return Err(refused(path, finding.expected(expected).fix(fix)));
                }
            }
        }
        Ok(())
    }
}

fn write(answers: &Answers, request: &AggregateRequest, progress: &dyn Progress) -> Result<(), Error> {
    let about = [("tidewaiter.as_of", request.as_of.to_string()), ("tidewaiter.by", request.by.clone())];
    let mut stopped = None;
    let total = u64::try_from(answers.entities().len()).unwrap_or(u64::MAX);
    let written = write_whole_from(&request.out, |file| {
        let mut own = || -> Result<(), Error> {
            let mut writer =
                LaneWriter::new(&mut *file, &request.out, &answers.columns(&request.by), &about)?;
            let mut done = 0_u64;
            for entities in answers.entities().chunks(ENTITIES_AT_ONCE) {
                writer.write(answers.rows(entities))?;
                done = done.saturating_add(u64::try_from(entities.len()).unwrap_or(u64::MAX));
                progress.report("writing_aggregates", done, total);
                if progress.cancelled() {
                    return Err(Error::cancelled());
                }
            }
            writer.finish().map(drop).map_err(Error::from)
        };
        own().map_err(|error| {
            let said = std::io::Error::other(error.detail.clone());
            stopped = Some(error);
            said
        })
    });
    // What the writer said is plainer than that the file could not be written.
    stopped.map_or(written, Err)
}

fn opened(path: &Path) -> Result<LanesFile, Error> {
    let file = File::open(path).map_err(|error| Error::io("entries_unreadable", path, &error))?;
    LanesFile::open(file).map_err(|finding| unreadable(path, finding))
}

fn unreadable(path: &Path, finding: Finding) -> Error {
    told("entries_unreadable", path, finding)
}

fn refused(path: &Path, finding: Finding) -> Error {
    told("entries_refused", path, finding)
}

fn told(code: &str, path: &Path, finding: Finding) -> Error {
    let fix = finding.how_to_fix.clone();
    Error::new(Kind::Refused, code, format!("{}: {finding}", path.display()), fix)
        .with_findings(vec![finding])
}
