//! Writing.

use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Int32Array, LargeStringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use spine::entry::TextColumn;
use spine::{Column, EntryTable, FieldDefinition, Finding, Pointer, Progress};

use super::decimals::{DIGITS_MAX, Digits, to_whole};
use super::times::{to_days, to_microseconds};
use super::{
    BATCH_KEY, CONTRACT_KEY, FORMAT, FORMAT_KEY, MENDS_LINE, SCHEMA_KEY, SCHEMA_VERSION_KEY, SOURCE_KEY,
    SOURCE_LINE,
};
use crate::gate::count;

/// Rows converted at once.
const ROWS_PER_CHUNK: usize = 65_536;
/// Rows of a row group.
const ROWS_PER_GROUP: usize = 262_144;

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntriesMetadata {
    /// Batch.
    pub batch: String,
    /// SHA-256 of the contract.
    pub contract_sha256: String,
    /// SHA-256 of the source.
    pub source_sha256: String,
}

/// Entries on their way into a file.
#[derive(Debug, Clone, Copy)]
pub struct NewEntries<'a> {
    /// The entries.
    pub table: &'a EntryTable,
    /// Line of each in its source.
    pub lines: &'a [u64],
    /// Line of each in the quarantine it mends.
    pub mends_lines: Option<&'a [u64]>,
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Values that the format cannot hold without loss.
    Unstorable(Vec<Finding>),
    /// Where it was to be written to failed.
    Output(std::io::Error),
    /// Cancelled.
    Cancelled,
}

impl From<ParquetError> for WriteError {
    fn from(error: ParquetError) -> Self {
        Self::Output(output_error(error))
    }
}

/// What went wrong where Parquet was to be written to.
pub(crate) fn output_error(error: ParquetError) -> std::io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => std::io::Error::other(cause),
        },
        error => std::io::Error::other(error),
    }
}

/// Writes entries; the same entries and metadata always give the same bytes.
pub(crate) fn write_entries(
    out: impl Write + Send,
    entries: NewEntries<'_>,
    metadata: &EntriesMetadata,
    progress: &dyn Progress,
) -> Result<(), WriteError> {
    let table = entries.table;
    let layout = Layout::of(table, entries.mends_lines.is_some())?;
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&layout.0), Some(properties(table, metadata)?))?;
    let mut from = 0;
    while from < table.len() {
        progress.report("writing", count(from), count(table.len()));
        if progress.cancelled() {
            return Err(WriteError::Cancelled);
        }
        let to = from.saturating_add(ROWS_PER_CHUNK).min(table.len());
        let batch = RecordBatch::try_new(Arc::clone(&layout.0), layout.chunk(entries, &(from..to)))
            .map_err(|error| WriteError::Output(std::io::Error::other(error)))?;
        writer.write(&batch)?;
        from = to;
    }
    writer.close()?;
    progress.report("writing", count(table.len()), count(table.len()));
    Ok(())
}

fn properties(table: &EntryTable, metadata: &EntriesMetadata) -> Result<WriterProperties, WriteError> {
    let facts = [
        (FORMAT_KEY, FORMAT.to_string()),
        (SCHEMA_KEY, table.schema().id.clone()),
        (SCHEMA_VERSION_KEY, table.schema().version.to_string()),
        (BATCH_KEY, metadata.batch.clone()),
        (CONTRACT_KEY, metadata.contract_sha256.clone()),
        (SOURCE_KEY, metadata.source_sha256.clone()),
    ];
    let mut properties = WriterProperties::builder()
        .set_created_by("tidewaiter".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(
            facts.map(|(key, value)| KeyValue::new(key.to_owned(), value)).to_vec(),
        ));
    for line in [SOURCE_LINE, MENDS_LINE] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(line), false)
            .set_column_encoding(ColumnPath::from(line), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(properties.build())
}

/// The columns of a file.
struct Layout(SchemaRef);

impl Layout {
    fn of(table: &EntryTable, mends: bool) -> Result<Self, WriteError> {
        let mut fields = Vec::new();
        let mut findings = Vec::new();
        for (field, column) in table.schema().fields.iter().zip(table.columns()) {
            let digits =
                if let Column::Decimal(values) = column { Digits::of(values) } else { Digits::default() };
            findings.extend(unstorable(field, column, digits));
            fields.push(Field::new(&field.name, data_type(column, digits), true));
        }
        if !findings.is_empty() {
            return Err(WriteError::Unstorable(findings));
        }
        fields.push(Field::new(SOURCE_LINE, DataType::UInt64, false));
        if mends {
            fields.push(Field::new(MENDS_LINE, DataType::UInt64, false));
        }
        Ok(Self(Arc::new(Schema::new(fields))))
    }

    fn chunk(&self, entries: NewEntries<'_>, rows: &Range<usize>) -> Vec<ArrayRef> {
        let columns = entries.table.columns().iter().zip(self.0.fields());
        let lines = [Some(entries.lines), entries.mends_lines];
        columns
            .map(|(column, field)| array(column, field.data_type(), rows))
            .chain(lines.into_iter().flatten().map(|lines| {
                let line = |row: usize| lines.get(row).copied().unwrap_or_default();
                let array: ArrayRef = Arc::new(UInt64Array::from_iter_values(rows.clone().map(line)));
                array
            }))
            .collect()
    }
}

fn data_type(column: &Column, digits: Digits) -> DataType {
    match column {
        Column::Text(_) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8)),
        Column::Decimal(_) => {
            // Both are at most 38: wider columns are refused.
            let precision = u8::try_from(digits.precision()).unwrap_or(u8::MAX);
            DataType::Decimal128(precision, i8::try_from(digits.scale).unwrap_or(i8::MAX))
        }
        Column::Date(_) => DataType::Date32,
        Column::DateTime(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
        Column::Boolean(_) => DataType::Boolean,
    }
}

fn unstorable(field: &FieldDefinition, column: &Column, digits: Digits) -> Option<Finding> {
    let at = Pointer(format!("fields.{}", field.name));
    match column {
        Column::Decimal(_) if digits.total() > DIGITS_MAX => Some(
            Finding::error("number_too_long")
                .at(at)
                .found(&format!("{} digits before and {} after the mark", digits.whole, digits.scale))
                .expected(format!("at most {DIGITS_MAX} digits together in one column"))
                .fix("Look for numbers with too many decimals or a wrong unit in this column."),
        ),
        Column::DateTime(values) => {
            let fine = values.iter().flatten().find(|time| to_microseconds(**time).is_none())?;
            Some(
                Finding::error("time_too_fine")
                    .at(at)
                    .found(&fine.to_string())
                    .expected("times of whole microseconds")
                    .fix("Round the times at the source."),
            )
        }
        _ => None,
    }
}

fn array(column: &Column, data_type: &DataType, rows: &Range<usize>) -> ArrayRef {
    match column {
        Column::Text(column) => texts(column, rows),
        Column::Decimal(values) => {
            let scale = if let DataType::Decimal128(_, scale) = data_type { *scale } else { 0 };
            let scale = u32::try_from(scale).unwrap_or(0);
            let wholes = part(values, rows).iter().map(|value| to_whole((*value)?, scale));
            Arc::new(wholes.collect::<Decimal128Array>().with_data_type(data_type.clone()))
        }
        Column::Date(values) => {
            let days = part(values, rows).iter().map(|day| to_days((*day)?));
            Arc::new(days.collect::<Date32Array>())
        }
        Column::DateTime(values) => {
            let times = part(values, rows).iter().map(|time| to_microseconds((*time)?));
            Arc::new(times.collect::<TimestampMicrosecondArray>())
        }
        Column::Boolean(values) => Arc::new(part(values, rows).iter().copied().collect::<BooleanArray>()),
    }
}

fn part<'a, T>(values: &'a [T], rows: &Range<usize>) -> &'a [T] {
    values.get(rows.clone()).unwrap_or_default()
}

/// A chunk of texts with a dictionary of its own, so that no chunk carries the texts of the whole table.
fn texts(column: &TextColumn, rows: &Range<usize>) -> ArrayRef {
    let mut keys: Vec<Option<i32>> = Vec::with_capacity(rows.len());
    let mut key_of: HashMap<u32, i32> = HashMap::new();
    let mut values: Vec<&str> = Vec::new();
    for code in part(column.codes(), rows) {
        let key = column.text_of(*code).map(|text| {
            *key_of.entry(*code).or_insert_with(|| {
                values.push(text);
                // A chunk has far fewer rows than an i32 counts.
                i32::try_from(values.len().saturating_sub(1)).unwrap_or(i32::MAX)
            })
        });
        keys.push(key);
    }
    let values = Arc::new(LargeStringArray::from_iter_values(values));
    Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::from(keys), values))
}
