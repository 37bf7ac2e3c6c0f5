//! Rows that could not be used, with their cells as they were and the reasons: kept, exported, mended, sent again.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, LargeStringArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use bytes::Bytes;
use formats::{Mapping, QuarantinedRow, RowSource};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use spine::{Finding, Pointer, Sensitivity, Severity};

use crate::contract::SourceContract;
use crate::entries::{ReadError, SOURCE_LINE, WriteError};
use crate::error::PoolError;

/// Column of an export that says why a row is in quarantine.
pub const REASONS: &str = "_reasons";
/// Column of an export with cells that no header belongs to.
pub const EXTRA_CELLS: &str = "_extra_cells";

const HEAD_KEY: &str = "tidewaiter.quarantine";
const FORMAT: u32 = 1;
const ROWS_PER_CHUNK: usize = 8_192;

/// A column of the source as far as its class is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineColumn {
    /// Header in the source; empty for a column that cannot be used.
    pub header: String,
    /// Field it is mapped to.
    pub field: Option<String>,
    /// The field's class; what is mapped to no field is sealed.
    pub sensitivity: Sensitivity,
}

/// The columns of a source with the classes that contract and mapping give them.
#[must_use]
pub fn columns_of(headers: &[String], mapping: &Mapping, contract: &SourceContract) -> Vec<QuarantineColumn> {
    headers
        .iter()
        .map(|header| {
            let fields = mapping.fields.iter().filter(|(_, field)| field.column.as_ref() == Some(header));
            let known: Vec<_> = fields
                .filter_map(|(name, _)| contract.fields.iter().find(|field| field.name == *name))
                .filter(|_| !header.is_empty())
                .collect();
            QuarantineColumn {
                header: header.clone(),
                field: known.first().map(|field| field.name.clone()),
                sensitivity: known.iter().map(|field| field.sensitivity).max().unwrap_or_default(),
            }
        })
        .collect()
}

/// Quarantined rows on their way into a file.
#[derive(Debug, Clone, Copy)]
pub struct NewQuarantine<'a> {
    /// Columns of the source.
    pub columns: &'a [QuarantineColumn],
    /// The rows.
    pub rows: &'a [QuarantinedRow],
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    format: u32,
    columns: Vec<QuarantineColumn>,
    cells_max: usize,
}

fn output(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> WriteError {
    WriteError::Output(io::Error::other(error))
}

pub(crate) fn write_quarantine(
    out: impl Write + Send,
    quarantine: NewQuarantine<'_>,
) -> Result<(), WriteError> {
    let head = Head {
        format: FORMAT,
        columns: quarantine.columns.to_vec(),
        cells_max: quarantine.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0),
    };
    let head = serde_json::to_string(&head).map_err(output)?;
    let properties = WriterProperties::builder()
        .set_created_by("tidewaiter".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_key_value_metadata(Some(vec![KeyValue::new(HEAD_KEY.to_owned(), head)]))
        .build();
    let schema = Arc::new(Schema::new(vec![
        Field::new("line", DataType::UInt64, false),
        Field::new("cells", DataType::LargeUtf8, false),
        Field::new("findings", DataType::LargeUtf8, false),
    ]));
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
    for rows in quarantine.rows.chunks(ROWS_PER_CHUNK) {
        let cells: Result<Vec<String>, _> =
            rows.iter().map(|row| serde_json::to_string(&row.cells)).collect();
        let findings: Result<Vec<String>, _> =
            rows.iter().map(|row| serde_json::to_string(&row.findings)).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.line))),
            Arc::new(LargeStringArray::from_iter_values(cells.map_err(output)?)),
            Arc::new(LargeStringArray::from_iter_values(findings.map_err(output)?)),
        ];
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns).map_err(output)?)?;
    }
    writer.close()?;
    Ok(())
}

/// Quarantined rows as they were written.
#[derive(Debug)]
pub struct Quarantine {
    path: PathBuf,
    bytes: Bytes,
    head: Head,
    lines: Vec<u64>,
}

fn damaged(reason: impl ToString) -> ReadError {
    ReadError::Damaged(reason.to_string())
}

impl Quarantine {
    pub(crate) fn open(path: &Path, bytes: Bytes) -> Result<Self, ReadError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(damaged)?;
        let facts = builder.metadata().file_metadata().key_value_metadata();
        let head = facts.into_iter().flatten().find(|fact| fact.key == HEAD_KEY);
        let head =
            head.and_then(|fact| fact.value.as_deref()).ok_or_else(|| damaged("it is no quarantine"))?;
        let head: Head = serde_json::from_str(head).map_err(damaged)?;
        if head.format > FORMAT {
            return Err(ReadError::Newer(head.format));
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), [0]);
        let mut lines = Vec::new();
        for batch in builder.with_projection(mask).build().map_err(damaged)? {
            let batch = batch.map_err(damaged)?;
            let array = batch.columns().first().and_then(|array| array.as_primitive_opt::<UInt64Type>());
            lines.extend(array.ok_or_else(|| damaged("its lines are missing"))?.values());
        }
        Ok(Self { path: path.to_owned(), bytes, head, lines })
    }

    /// Columns of the source.
    #[must_use]
    pub fn columns(&self) -> &[QuarantineColumn] {
        &self.head.columns
    }

    /// Line of each row in the source.
    #[must_use]
    pub fn lines(&self) -> &[u64] {
        &self.lines
    }

    /// Positions of the rows that no later batch has mended.
    #[must_use]
    pub fn remaining(&self, mended: &HashSet<u64>) -> Vec<usize> {
        let open = |(at, line): (usize, &u64)| (!mended.contains(line)).then_some(at);
        self.lines.iter().enumerate().filter_map(open).collect()
    }

    /// The rows at these positions, which must be ascending.
    fn rows(
        &self,
        positions: &[usize],
    ) -> Result<impl Iterator<Item = Result<QuarantinedRow, ReadError>>, ReadError> {
        let ranges = positions.iter().map(|at| *at..at.saturating_add(1));
        let selection = RowSelection::from_consecutive_ranges(ranges, self.lines.len());
        let reader = ParquetRecordBatchReaderBuilder::try_new(self.bytes.clone())
            .map_err(damaged)?
            .with_row_selection(selection)
            .build()
            .map_err(damaged)?;
        Ok(reader.flat_map(|batch| match batch.map_err(damaged).and_then(|batch| rows_of(&batch)) {
            Ok(rows) => rows,
            Err(error) => vec![Err(error)],
        }))
    }

    /// A page of rows.
    pub fn page(&self, positions: &[usize]) -> Result<Vec<QuarantinedRow>, PoolError> {
        let failed = |error: ReadError| error.of_file(&self.path);
        self.rows(positions).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)
    }

    /// Mapped columns that a reader of this clearance does not see. With any of them an export would lose cells.
    #[must_use]
    pub fn withheld(&self, clearance: Sensitivity) -> Vec<&QuarantineColumn> {
        self.head
            .columns
            .iter()
            .filter(|column| column.field.is_some() && column.sensitivity > clearance)
            .collect()
    }

    /// Writes the rows at these positions as CSV: the source's columns as far as `clearance` goes, the line of each
    /// row, and why it is here. The cells are mended by a person, and the file is sent again.
    pub fn export(
        &self,
        positions: &[usize],
        clearance: Sensitivity,
        out: &mut dyn Write,
    ) -> Result<u64, PoolError> {
        let shown: Vec<(usize, &QuarantineColumn)> = self
            .head
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !column.header.is_empty() && column.sensitivity <= clearance)
            .collect();
        let with_extra = self.head.cells_max > self.head.columns.len() && clearance == Sensitivity::Sealed;
        let mut writer = csv::Writer::from_writer(out);
        let failed = |error: csv::Error| PoolError::io(Path::new("the export"), &io::Error::from(error));
        let mut header: Vec<&str> = shown.iter().map(|(_, column)| column.header.as_str()).collect();
        header.extend(with_extra.then_some(EXTRA_CELLS));
        header.extend([SOURCE_LINE, REASONS]);
        writer.write_record(&header).map_err(failed)?;
        let mut written: u64 = 0;
        for chunk in positions.chunks(ROWS_PER_CHUNK) {
            for row in self.page(chunk)? {
                let cell =
                    |(at, _): &(usize, &QuarantineColumn)| row.cells.get(*at).cloned().unwrap_or_default();
                let mut cells: Vec<String> = shown.iter().map(cell).collect();
                if with_extra {
                    cells.push(row.cells.get(self.head.columns.len()..).unwrap_or_default().join(" | "));
                }
                cells.push(row.line.to_string());
                cells.push(row.findings.iter().map(Finding::to_string).collect::<Vec<_>>().join(" / "));
                writer.write_record(&cells).map_err(failed)?;
                written = written.saturating_add(1);
            }
        }
        writer.flush().map_err(|error| failed(error.into()))?;
        Ok(written)
    }
}

fn rows_of(batch: &RecordBatch) -> Result<Vec<Result<QuarantinedRow, ReadError>>, ReadError> {
    let missing = || damaged("its columns are not those of a quarantine");
    let [lines, cells, findings] = batch.columns() else { return Err(missing()) };
    let lines = lines.as_primitive_opt::<UInt64Type>().ok_or_else(missing)?;
    let cells = cells.as_string_opt::<i64>().ok_or_else(missing)?;
    let findings = findings.as_string_opt::<i64>().ok_or_else(missing)?;
    let rows = lines.values().iter().zip(cells.iter().zip(findings.iter()));
    Ok(rows
        .map(|(line, (cells, findings))| {
            Ok(QuarantinedRow {
                line: *line,
                cells: serde_json::from_str(cells.unwrap_or_default()).map_err(damaged)?,
                findings: serde_json::from_str(findings.unwrap_or_default()).map_err(damaged)?,
            })
        })
        .collect())
}

/// The rows of a mended export, each with the line it mends.
pub struct MendSource<'a> {
    inner: Box<dyn RowSource + 'a>,
    line_at: usize,
    open: HashSet<u64>,
    known: HashSet<u64>,
    /// Line in the mended file to line in the quarantine.
    mends: HashMap<u64, u64>,
    taken: HashSet<u64>,
}

impl<'a> MendSource<'a> {
    /// Takes a mended file. `known` are all lines of the quarantine, `mended` those that are admitted already.
    pub fn new(
        inner: Box<dyn RowSource + 'a>,
        known: &[u64],
        mended: &HashSet<u64>,
    ) -> Result<Self, Finding> {
        let line_at = inner.headers().iter().position(|header| header == SOURCE_LINE).ok_or_else(|| {
            Finding::error("mend_column_missing")
                .at(Pointer::column(SOURCE_LINE))
                .expected("the column with which the quarantine was exported")
                .fix("Export the quarantine, mend that file, and leave this column as it is.")
        })?;
        Ok(Self {
            inner,
            line_at,
            open: known.iter().filter(|line| !mended.contains(line)).copied().collect(),
            known: known.iter().copied().collect(),
            mends: HashMap::new(),
            taken: HashSet::new(),
        })
    }

    /// The line in the quarantine that the row on `line` of the mended file mends.
    #[must_use]
    pub fn mended_line(&self, line: u64) -> Option<u64> {
        self.mends.get(&line).copied()
    }
}

impl RowSource for MendSource<'_> {
    fn headers(&self) -> &[String] {
        self.inner.headers()
    }

    fn file_findings(&self) -> Vec<Finding> {
        self.inner.file_findings()
    }

    fn next_row(&mut self, cells: &mut Vec<String>) -> Result<Option<u64>, Finding> {
        let line = self.inner.next_row(cells)?;
        let mends = cells.get(self.line_at).and_then(|cell| cell.trim().parse::<u64>().ok());
        if let (Some(line), Some(mends)) = (line, mends)
            && self.open.contains(&mends)
            && self.taken.insert(mends)
        {
            self.mends.insert(line, mends);
        }
        Ok(line)
    }

    fn row_finding(&self, line: u64, cells: &[String]) -> Option<Finding> {
        if let Some(finding) = self.inner.row_finding(line, cells) {
            return Some(finding);
        }
        if self.mends.contains_key(&line) {
            return None;
        }
        let cell = cells.get(self.line_at).map_or("", |cell| cell.trim());
        let place = Pointer::line_column(line, SOURCE_LINE);
        let finding = match cell.parse::<u64>() {
            Ok(mends) if self.taken.contains(&mends) => Finding::error("mend_repeated")
                .expected("each line of the quarantine once")
                .fix("Only the first row of this line counts; remove the other."),
            Ok(mends) if self.known.contains(&mends) => {
                Finding::new("mend_already_admitted", Severity::Information)
                    .expected("a line that still is in quarantine")
                    .fix("Nothing to do: it was mended and admitted before.")
            }
            _ => Finding::error("mend_unknown_line")
                .expected("a line of this batch's quarantine")
                .fix("Leave this column as it was exported, and name the batch it was exported from."),
        };
        Some(finding.at(place).found(cell))
    }
}
