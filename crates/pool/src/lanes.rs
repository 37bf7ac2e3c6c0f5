//! Parquet files of others as columns of numbers, as they stand in the file: for looking at very many entries.
//!
//! | in the file | read as |
//! |---|---|
//! | whole numbers | whole numbers |
//! | decimals with at most 6 digits behind the point that fit 64 bits | whole numbers with a scale |
//! | other decimals | decimals |
//! | floating point | floating point; what is no number is absent |
//! | dates; times, with or without a zone | days; microseconds since 1970-01-01, of a time with a zone in UTC |
//! | text, also as a dictionary; yes and no | text; 0 and 1 |
//! | anything else | not used; a finding says so |

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Schema, TimeUnit, UInt8Type, UInt16Type, UInt32Type,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;
use rust_decimal::Decimal;
use spine::entry::TextColumn;
use spine::{Column, EntrySchema, FieldDefinition, FieldType, Finding, LocalizedText, Pointer, Sensitivity};

use crate::parquet_source::{COLUMNS_MAX, contained, not_flat};

/// Stands for an absent value among whole numbers.
const ABSENT: i64 = i64::MIN;
/// Digits behind the point of whole numbers at most.
const SCALE_MAX: i8 = 6;

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum LaneValues {
    /// Whole numbers, divided by ten to the power of `scale`; the smallest of all where there is none.
    Whole {
        /// One a row.
        values: Vec<i64>,
        /// Digits behind the point.
        scale: u32,
    },
    /// Floating point; no number where there is none.
    Float(Vec<f64>),
    /// A column of texts or decimals.
    Column(Column),
}

/// A file opened; its columns are known.
pub struct LanesFile {
    file: File,
    metadata: ArrowReaderMetadata,
    schema: Arc<EntrySchema>,
    findings: Vec<Finding>,
}

impl LanesFile {
    /// Opens a file. The finding says why it cannot be read.
    pub fn open(file: File) -> Result<Self, Finding> {
        let found = contained(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
        let (mut findings, mut fields, mut read_as) = (Vec::new(), Vec::new(), Vec::new());
        if found.schema().fields().len() > COLUMNS_MAX {
            return Err(Finding::error("too_many_columns")
                .found(&format!("{} columns", found.schema().fields().len()))
                .expected(format!("at most {COLUMNS_MAX}"))
                .fix("Export fewer columns."));
        }
        for field in found.schema().fields() {
            match field_type(field.data_type()) {
                Some(field_type) => fields.push(definition(field.name(), field_type)),
                None => findings.push(not_flat(field.name(), field.data_type())),
            }
            let text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
            read_as.push(if text {
                Arc::new(Field::new(field.name(), dictionary(), field.is_nullable()))
            } else {
                Arc::clone(field)
            });
        }
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(read_as)));
        let metadata = contained(|| ArrowReaderMetadata::load(&file, options))?;
        let schema = Arc::new(EntrySchema { id: "the file".to_owned(), version: 1, fields });
        Ok(Self { file, metadata, schema, findings })
    }

    /// The columns that can be used.
    #[must_use]
    pub fn schema(&self) -> &Arc<EntrySchema> {
        &self.schema
    }

    /// What cannot be used.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Rows that the file says it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default()
    }

    /// Reads these columns, some rows at a time.
    pub fn read(self, columns: &[&str], rows_at_once: usize) -> Result<LanesReader, Finding> {
        self.read_from(columns, rows_at_once, 0)
    }

    /// Reads these columns from a row on, counted from 0. Row groups before it are not looked at.
    pub fn read_from(
        self,
        columns: &[&str],
        rows_at_once: usize,
        first_row: u64,
    ) -> Result<LanesReader, Finding> {
        let fields: Vec<FieldDefinition> = self
            .schema
            .fields
            .iter()
            .filter(|field| columns.contains(&field.name.as_str()))
            .cloned()
            .collect();
        let (groups, skipped) = groups_from(self.metadata.metadata(), first_row);
        let (metadata, file) = (self.metadata, self.file);
        let reader = contained(|| {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
            let wanted = builder.schema().fields().iter().enumerate();
            let wanted: Vec<usize> = wanted
                .filter(|(_, field)| columns.contains(&field.name().as_str()))
                .map(|(at, _)| at)
                .collect();
            let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
            let builder = builder.with_projection(mask).with_batch_size(rows_at_once);
            builder.with_row_groups(groups).with_offset(skipped).build()
        })?;
        let schema = EntrySchema { id: self.schema.id.clone(), version: 1, fields };
        Ok(LanesReader { reader, schema: Arc::new(schema) })
    }
}

/// The row groups from that of a row on, and how many rows of the first of them come before it.
fn groups_from(metadata: &ParquetMetaData, first_row: u64) -> (Vec<usize>, usize) {
    let mut before = usize::try_from(first_row).unwrap_or(usize::MAX);
    let mut groups = 0..metadata.num_row_groups();
    for group in metadata.row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let Some(rest) = before.checked_sub(rows) else { break };
        before = rest;
        groups.next();
    }
    (groups.collect(), before)
}

/// The rows of a file, some at a time.
pub struct LanesReader {
    reader: ParquetRecordBatchReader,
    schema: Arc<EntrySchema>,
}

impl LanesReader {
    /// The columns that are read.
    #[must_use]
    pub fn schema(&self) -> &Arc<EntrySchema> {
        &self.schema
    }

    /// The next rows: one lane a field of the schema. None after the last.
    pub fn next_lanes(&mut self) -> Result<Option<Vec<LaneValues>>, Finding> {
        let reader = &mut self.reader;
        let Some(batch) = contained(|| reader.next().transpose())? else { return Ok(None) };
        let lanes = self.schema.fields.iter().map(|field| {
            let column = batch.column_by_name(&field.name);
            let read = column.map(|column| contained(|| lane(column, field.field_type))).transpose()?;
            read.ok_or_else(|| {
                Finding::error("column_missing")
                    .at(Pointer::column(&field.name))
                    .expected("the same columns in every part of the file")
                    .fix("Write the file anew.")
            })
        });
        lanes.collect::<Result<Vec<_>, _>>().map(Some)
    }
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn definition(name: &str, field_type: FieldType) -> FieldDefinition {
    FieldDefinition {
        name: name.to_owned(),
        field_type,
        unit: None,
        sensitivity: Sensitivity::Sealed,
        required: false,
        title: LocalizedText::en_zh(name, name),
    }
}

fn field_type(data_type: &DataType) -> Option<FieldType> {
    match data_type {
        DataType::Boolean => Some(FieldType::Boolean),
        DataType::Decimal128(..) => Some(FieldType::Decimal),
        DataType::Date32 | DataType::Date64 => Some(FieldType::Date),
        DataType::Timestamp(..) => Some(FieldType::DateTime),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(FieldType::Text),
        DataType::Dictionary(_, values) => field_type(values).filter(|own| *own == FieldType::Text),
        number if number.is_integer() || number.is_floating() => Some(FieldType::Decimal),
        _ => None,
    }
}

fn lane(column: &ArrayRef, field_type: FieldType) -> Result<LaneValues, arrow::error::ArrowError> {
    let whole_of = |as_type: &DataType| -> Result<LaneValues, arrow::error::ArrowError> {
        let array = cast(&cast(column, as_type)?, &DataType::Int64)?;
        Ok(whole(&array, 0).unwrap_or_else(|| decimals_of(&array)))
    };
    if let Some(values) = widened(column) {
        return Ok(LaneValues::Whole { values, scale: 0 });
    }
    match (field_type, column.data_type()) {
        (FieldType::Text, _) => Ok(LaneValues::Column(Column::Text(texts(&cast(column, &dictionary())?)))),
        (FieldType::Date, _) => whole_of(&DataType::Date32),
        (FieldType::DateTime, _) => whole_of(&DataType::Timestamp(TimeUnit::Microsecond, None)),
        (FieldType::Boolean, _) => whole_of(&DataType::Boolean),
        (FieldType::Decimal, DataType::Decimal128(_, scale)) => Ok(decimals(column, *scale)),
        (FieldType::Decimal, DataType::UInt64) => {
            Ok(decimals(&cast(column, &DataType::Decimal128(20, 0))?, 0))
        }
        (FieldType::Decimal, float) if float.is_floating() => {
            let array = cast(column, &DataType::Float64)?;
            let values = array.as_primitive::<Float64Type>();
            Ok(LaneValues::Float(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()))
        }
        (FieldType::Decimal, _) => whole_of(&DataType::Int64),
    }
}

/// Whole numbers narrower than those of a lane, among which none stands for an absence, in one pass.
fn widened(column: &ArrayRef) -> Option<Vec<i64>> {
    Some(match column.data_type() {
        DataType::Int8 => wide::<Int8Type>(column),
        DataType::Int16 => wide::<Int16Type>(column),
        DataType::Int32 => wide::<Int32Type>(column),
        DataType::UInt8 => wide::<UInt8Type>(column),
        DataType::UInt16 => wide::<UInt16Type>(column),
        DataType::UInt32 => wide::<UInt32Type>(column),
        DataType::Date32 => wide::<Date32Type>(column),
        _ => return None,
    })
}

fn wide<T: ArrowPrimitiveType>(column: &ArrayRef) -> Vec<i64>
where
    i64: From<T::Native>,
{
    let array = column.as_primitive::<T>();
    let mut values: Vec<i64> = array.values().iter().map(|value| i64::from(*value)).collect();
    if let Some(there) = array.nulls() {
        for (value, there) in values.iter_mut().zip(there) {
            if !there {
                *value = ABSENT;
            }
        }
    }
    values
}

/// Whole numbers, unless one of them is the number that stands for an absence.
fn whole(array: &ArrayRef, scale: u32) -> Option<LaneValues> {
    let array = array.as_primitive::<Int64Type>();
    let values: Vec<i64> = if array.null_count() == 0 {
        array.values().to_vec()
    } else {
        array.iter().map(|value| value.unwrap_or(ABSENT)).collect()
    };
    let absent = values.iter().filter(|value| **value == ABSENT).count();
    (absent == array.null_count()).then_some(LaneValues::Whole { values, scale })
}

fn decimals_of(array: &ArrayRef) -> LaneValues {
    let array = array.as_primitive::<Int64Type>();
    LaneValues::Column(Column::Decimal(array.iter().map(|value| value.map(Decimal::from)).collect()))
}

fn decimals(column: &ArrayRef, scale: i8) -> LaneValues {
    let array = column.as_primitive::<Decimal128Type>();
    if let (0..=SCALE_MAX, Ok(whole_scale)) = (scale, u32::try_from(scale)) {
        let whole: Option<Vec<i64>> = array
            .iter()
            .map(|value| match value {
                None => Some(ABSENT),
                Some(value) => i64::try_from(value).ok().filter(|value| *value != ABSENT),
            })
            .collect();
        if let Some(values) = whole {
            return LaneValues::Whole { values, scale: whole_scale };
        }
    }
    // What a decimal of 28 digits cannot hold is absent, as everywhere.
    let exact = |value: i128| match u32::try_from(scale) {
        Ok(scale) => Decimal::try_from_i128_with_scale(value, scale).ok(),
        Err(_) => {
            let factor = 10_i128.checked_pow(u32::from(scale.unsigned_abs()))?;
            Decimal::try_from_i128_with_scale(value.checked_mul(factor)?, 0).ok()
        }
    };
    LaneValues::Column(Column::Decimal(array.iter().map(|value| value.and_then(exact)).collect()))
}

fn texts(array: &ArrayRef) -> TextColumn {
    let array = array.as_dictionary::<Int32Type>();
    let keys = array.keys();
    let codes = keys
        .iter()
        .map(|key| key.and_then(|key| u32::try_from(key).ok()).unwrap_or(TextColumn::ABSENT))
        .collect();
    let values = array.values().as_string::<i32>();
    TextColumn::of(codes, values.iter().map(|text| text.unwrap_or_default().into()))
}
