//! Reading.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int32Type, TimestampMicrosecondType, UInt64Type,
};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;
use spine::entry::TextColumn;
use spine::{Column, EntrySchema, EntryTable};

use super::decimals::from_whole;
use super::times::{from_days, from_microseconds};
use super::{FORMAT, FORMAT_KEY, MENDS_LINE, SCHEMA_KEY, SOURCE_LINE};
use crate::error::PoolError;

const ROWS_PER_READ: usize = 65_536;

/// Entries as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEntries {
    /// The entries. A field that a file does not have, or that was not asked for, is absent.
    pub table: EntryTable,
    /// Line of each in its source.
    pub lines: Vec<u64>,
    /// Line of each in the quarantine it mends; empty unless all files mend.
    pub mends_lines: Vec<u64>,
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// It has a format that only a newer program reads.
    Newer(u32),
    /// It is not what was written.
    Damaged(String),
}

impl ReadError {
    fn damaged(reason: impl ToString) -> Self {
        Self::Damaged(reason.to_string())
    }

    /// The same, with the file it is about.
    pub(crate) fn of_file(self, path: &Path) -> PoolError {
        match self {
            Self::Newer(found) => PoolError::NewerFormat { path: path.to_owned(), found, max: FORMAT },
            Self::Damaged(reason) => PoolError::damaged(path, reason),
        }
    }
}

/// Reads one file after another into one table.
#[derive(Debug)]
pub struct EntriesReader {
    schema: Arc<EntrySchema>,
    wanted: Vec<bool>,
    columns: Vec<Column>,
    lines: Vec<u64>,
    mends_lines: Vec<u64>,
}

impl EntriesReader {
    /// A reader of all fields.
    #[must_use]
    pub fn new(schema: &Arc<EntrySchema>) -> Self {
        Self::of_fields(schema, |_| true)
    }

    /// A reader of some fields; the others are not even looked at.
    #[must_use]
    pub fn of_fields(schema: &Arc<EntrySchema>, wanted: impl Fn(&str) -> bool) -> Self {
        Self {
            schema: Arc::clone(schema),
            wanted: schema.fields.iter().map(|field| wanted(&field.name)).collect(),
            columns: schema.fields.iter().map(|field| Column::empty(field.field_type)).collect(),
            lines: Vec::new(),
            mends_lines: Vec::new(),
        }
    }

    /// Adds the rows of a file, or some of them.
    pub(crate) fn add(&mut self, file: Bytes, rows: Option<Range<usize>>) -> Result<(), ReadError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(ReadError::damaged)?;
        check_metadata(builder.metadata().file_metadata().key_value_metadata(), &self.schema.id)?;
        let columns: Vec<usize> = builder
            .schema()
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, column)| self.reads(column.name()))
            .map(|(at, _)| at)
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
        let mut builder = builder.with_projection(mask).with_batch_size(ROWS_PER_READ);
        if let Some(rows) = rows {
            builder = builder.with_offset(rows.start).with_limit(rows.len());
        }
        for batch in builder.build().map_err(ReadError::damaged)? {
            self.take(&batch.map_err(ReadError::damaged)?)?;
        }
        Ok(())
    }

    fn reads(&self, column: &str) -> bool {
        let wanted = self.schema.position(column).and_then(|at| self.wanted.get(at)).copied();
        wanted.unwrap_or(column == SOURCE_LINE || column == MENDS_LINE)
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), ReadError> {
        let parts = self.schema.fields.iter().zip(&mut self.columns);
        for (field, column) in parts {
            let filled = match batch.column_by_name(&field.name) {
                Some(array) => append(column, array),
                None => append_absent(column, batch.num_rows()),
            };
            filled.ok_or_else(|| {
                ReadError::damaged(format!("the column {} holds what was never written", field.name))
            })?;
        }
        let lines = |name: &str| {
            let array = batch.column_by_name(name)?.as_primitive_opt::<UInt64Type>()?;
            Some(array.values().to_vec())
        };
        let missing = || ReadError::damaged(format!("the column {SOURCE_LINE} is missing"));
        self.lines.extend(lines(SOURCE_LINE).ok_or_else(missing)?);
        self.mends_lines.extend(lines(MENDS_LINE).unwrap_or_default());
        Ok(())
    }

    /// Everything that was read.
    #[must_use]
    pub fn finish(self) -> ReadEntries {
        // The columns were made from the schema and grew together.
        let table = EntryTable::from_columns(Arc::clone(&self.schema), self.columns)
            .unwrap_or_else(|_| EntryTable::empty(self.schema));
        ReadEntries { table, lines: self.lines, mends_lines: self.mends_lines }
    }
}

fn check_metadata(facts: Option<&Vec<KeyValue>>, schema: &str) -> Result<(), ReadError> {
    let fact = |key: &str| {
        facts.into_iter().flatten().find(|fact| fact.key == key).and_then(|fact| fact.value.as_deref())
    };
    let format = fact(FORMAT_KEY)
        .and_then(|format| format.parse::<u32>().ok())
        .ok_or_else(|| ReadError::damaged("it was not written by the pool"))?;
    if format > FORMAT {
        return Err(ReadError::Newer(format));
    }
    match fact(SCHEMA_KEY) {
        Some(found) if found == schema => Ok(()),
        found => Err(ReadError::damaged(format!(
            "it holds entries of the schema {}, not {schema}",
            found.unwrap_or("(none)")
        ))),
    }
}

fn append_absent(column: &mut Column, rows: usize) -> Option<()> {
    for _ in 0..rows {
        column.push(None).ok()?;
    }
    Some(())
}

/// Appends an array; `None` if it is of another type or holds a value that no entry can have.
fn append(column: &mut Column, array: &ArrayRef) -> Option<()> {
    match column {
        Column::Text(column) => append_texts(column, array),
        Column::Decimal(values) => {
            let DataType::Decimal128(_, scale) = array.data_type() else { return None };
            let scale = u32::try_from(*scale).ok()?;
            let decimal = |whole: i128| from_whole(whole, scale);
            each(array.as_primitive_opt::<Decimal128Type>()?.iter(), values, decimal)
        }
        Column::Date(values) => each(array.as_primitive_opt::<Date32Type>()?.iter(), values, from_days),
        Column::DateTime(values) => {
            each(array.as_primitive_opt::<TimestampMicrosecondType>()?.iter(), values, from_microseconds)
        }
        Column::Boolean(values) => each(array.as_boolean_opt()?.iter(), values, Some),
    }
}

fn each<S, T>(
    source: impl Iterator<Item = Option<S>>,
    values: &mut Vec<Option<T>>,
    convert: impl Fn(S) -> Option<T>,
) -> Option<()> {
    for value in source {
        values.push(match value {
            Some(value) => Some(convert(value)?),
            None => None,
        });
    }
    Some(())
}

fn append_texts(column: &mut TextColumn, array: &ArrayRef) -> Option<()> {
    let dictionary = array.as_dictionary_opt::<Int32Type>()?;
    let texts = dictionary.values().as_string_opt::<i64>()?;
    for key in dictionary.keys() {
        let text = match key.map(usize::try_from) {
            None => None,
            Some(Ok(key)) if key < texts.len() => Some(texts.value(key)),
            Some(_) => return None,
        };
        if !column.push(text) {
            return None;
        }
    }
    Some(())
}
