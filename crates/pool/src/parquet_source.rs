//! Parquet files of others as rows of text, so that the same mapping reads them.
//!
//! Every type becomes the text that a CSV file would have: numbers without exponent where they can be, whole floats
//! without a fraction (programs turn whole columns with gaps into floats), dates and times in ISO 8601. Lines count
//! rows from 1.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_empty_array};
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use formats::RowSource;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use spine::{Finding, Pointer};

/// More columns than this are refused.
pub(crate) const COLUMNS_MAX: usize = 2_000;
/// Rows held as text at once.
const ROWS_PER_READ: usize = 1_024;
/// Longest cell that is used.
const CELL_BYTES_MAX: usize = 1024 * 1024;
/// Whole floats up to this size are written without exponent.
const WHOLE_FLOAT_MAX: f64 = 1e15;

/// How the cells of a column become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cells {
    Formatted,
    Float,
    /// Local time of a zone that is not known here: its UTC time.
    Utc,
    /// Bytes, which older programs write for text.
    Bytes,
    Unusable,
}

/// Rows of a Parquet file.
pub struct ParquetSource {
    headers: Vec<String>,
    cells: Vec<Cells>,
    findings: Vec<Finding>,
    rows: u64,
    reader: ParquetRecordBatchReader,
    ready: std::vec::IntoIter<Vec<String>>,
    line: u64,
}

impl ParquetSource {
    /// Opens a file. The finding says why it cannot be read.
    pub fn open(file: File) -> Result<Self, Finding> {
        let builder = contained(|| ParquetRecordBatchReaderBuilder::try_new(file))?;
        let fields = builder.schema().fields().clone();
        if fields.len() > COLUMNS_MAX {
            return Err(Finding::error("too_many_columns")
                .found(&format!("{} columns", fields.len()))
                .expected(format!("at most {COLUMNS_MAX}"))
                .fix("Export fewer columns."));
        }
        let mut findings = Vec::new();
        let mut headers: Vec<String> = Vec::with_capacity(fields.len());
        let mut cells = Vec::with_capacity(fields.len());
        for field in &fields {
            let kind = if headers.contains(field.name()) {
                findings.push(
                    Finding::warning("column_doubled")
                        .at(Pointer::column(field.name()))
                        .found(field.name())
                        .expected("a name that no other column has")
                        .fix("Only the first of them is used; rename or remove the other."),
                );
                Cells::Unusable
            } else {
                classify(field.name(), field.data_type(), &mut findings)
            };
            headers.push(if kind == Cells::Unusable { String::new() } else { field.name().clone() });
            cells.push(kind);
        }
        let usable = cells.iter().enumerate().filter(|(_, kind)| **kind != Cells::Unusable).map(|(at, _)| at);
        let mask = ProjectionMask::roots(builder.parquet_schema(), usable);
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader = contained(|| builder.with_projection(mask).with_batch_size(ROWS_PER_READ).build())?;
        Ok(Self { headers, cells, findings, rows, reader, ready: Vec::new().into_iter(), line: 0 })
    }

    /// Rows that the file says it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn read_more(&mut self) -> Result<bool, Finding> {
        let reader = &mut self.reader;
        let Some(batch) = contained(|| reader.next().transpose())? else { return Ok(false) };
        let cells = &self.cells;
        self.ready = contained(|| texts(&batch, cells))?.into_iter();
        Ok(true)
    }
}

impl RowSource for ParquetSource {
    fn headers(&self) -> &[String] {
        &self.headers
    }

    fn file_findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    fn next_row(&mut self, cells: &mut Vec<String>) -> Result<Option<u64>, Finding> {
        loop {
            if let Some(row) = self.ready.next() {
                *cells = row;
                self.line = self.line.saturating_add(1);
                return Ok(Some(self.line));
            }
            if !self.read_more()? {
                return Ok(None);
            }
        }
    }

    fn row_finding(&self, line: u64, cells: &[String]) -> Option<Finding> {
        let (cell, header) = cells.iter().zip(&self.headers).find(|(cell, _)| cell.len() > CELL_BYTES_MAX)?;
        Some(
            Finding::error("cell_too_long")
                .at(Pointer::line_column(line, header))
                .found(&format!("{} bytes", cell.len()))
                .expected(format!("at most {CELL_BYTES_MAX} bytes a cell"))
                .fix("Leave documents and images out of the file."),
        )
    }
}

/// Runs a reader of foreign bytes; that it fails, even by a fault of its own, is a finding.
pub(crate) fn contained<T, E: std::fmt::Display>(read: impl FnOnce() -> Result<T, E>) -> Result<T, Finding> {
    let reason = match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "its structure contradicts itself".to_owned(),
    };
    Err(Finding::error("parquet_unreadable")
        .found(&reason)
        .expected("a whole Parquet file, uncompressed or compressed with Snappy or Zstandard")
        .fix("Copy it again and compare the sizes: it is probably cut off. Otherwise write it anew."))
}

fn classify(name: &str, data_type: &DataType, findings: &mut Vec<Finding>) -> Cells {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Cells::Float,
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) | DataType::BinaryView => {
            Cells::Bytes
        }
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => nested(name, data_type, findings),
        list if list.is_nested() => nested(name, data_type, findings),
        other => {
            if ArrayFormatter::try_new(&new_empty_array(other), &FormatOptions::new()).is_ok() {
                return Cells::Formatted;
            }
            let DataType::Timestamp(_, Some(zone)) = other else { return nested(name, data_type, findings) };
            findings.push(
                Finding::warning("time_zone_unknown")
                    .at(Pointer::column(name))
                    .found(zone)
                    .expected("local times without a zone, or with one such as +02:00")
                    .fix("These times are read as UTC. Write local times where the day matters."),
            );
            Cells::Utc
        }
    }
}

fn nested(name: &str, data_type: &DataType, findings: &mut Vec<Finding>) -> Cells {
    findings.push(not_flat(name, data_type));
    Cells::Unusable
}

/// The column holds more than one value a row.
pub(crate) fn not_flat(name: &str, data_type: &DataType) -> Finding {
    Finding::warning("column_not_flat")
        .at(Pointer::column(name))
        .found(&data_type.to_string())
        .expected("one value a row: text, number, date, time or yes/no")
        .fix("Flatten the column, or write it as text; until then it is not used.")
}

fn texts(batch: &RecordBatch, cells: &[Cells]) -> Result<Vec<Vec<String>>, arrow::error::ArrowError> {
    let mut rows: Vec<Vec<String>> = vec![Vec::with_capacity(cells.len()); batch.num_rows()];
    let mut columns = batch.columns().iter();
    for kind in cells {
        if *kind == Cells::Unusable {
            rows.iter_mut().for_each(|row| row.push(String::new()));
        } else if let Some(column) = columns.next() {
            fill(&mut rows, column, *kind)?;
        }
    }
    Ok(rows)
}

fn fill(rows: &mut [Vec<String>], column: &ArrayRef, kind: Cells) -> Result<(), arrow::error::ArrowError> {
    let without_zone = (kind == Cells::Utc).then(|| without_zone(column)).flatten();
    let column = without_zone.as_ref().unwrap_or(column);
    let options = FormatOptions::new()
        .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.f"));
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
    for (at, row) in rows.iter_mut().enumerate() {
        let text = if column.is_null(at) {
            String::new()
        } else {
            match kind {
                Cells::Float => match whole_float(column, at) {
                    Some(text) => text,
                    None => formatter.value(at).try_to_string()?,
                },
                Cells::Bytes => match text_of_bytes(column, at) {
                    Some(text) => text,
                    None => formatter.value(at).try_to_string()?,
                },
                _ => formatter.value(at).try_to_string()?,
            }
        };
        row.push(text);
    }
    Ok(())
}

fn whole_float(column: &ArrayRef, at: usize) -> Option<String> {
    let value = match column.data_type() {
        DataType::Float16 => column.as_primitive_opt::<Float16Type>()?.value(at).to_f64(),
        DataType::Float32 => f64::from(column.as_primitive_opt::<Float32Type>()?.value(at)),
        _ => column.as_primitive_opt::<Float64Type>()?.value(at),
    };
    (value.fract() == 0.0 && value.abs() < WHOLE_FLOAT_MAX).then(|| format!("{value:.0}"))
}

fn text_of_bytes(column: &ArrayRef, at: usize) -> Option<String> {
    let bytes = match column.data_type() {
        DataType::Binary => column.as_binary_opt::<i32>()?.value(at),
        DataType::LargeBinary => column.as_binary_opt::<i64>()?.value(at),
        DataType::BinaryView => column.as_binary_view_opt()?.value(at),
        _ => column.as_fixed_size_binary_opt()?.value(at),
    };
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn without_zone(column: &ArrayRef) -> Option<ArrayRef> {
    macro_rules! local {
        ($unit:ty) => {{
            let array: ArrayRef = std::sync::Arc::new(
                column.as_primitive_opt::<$unit>()?.clone().with_timezone_opt(None::<std::sync::Arc<str>>),
            );
            Some(array)
        }};
    }
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => local!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => local!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => local!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => local!(TimestampNanosecondType),
        _ => None,
    }
}
