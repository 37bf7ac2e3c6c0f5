//! Columns of numbers, days and texts as a Parquet file that [`crate::lanes`] and others read: some rows at a time.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::entries::output_error;
use crate::error::PoolError;

/// Digits of a decimal at most.
const DECIMAL_DIGITS: u8 = 38;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenType {
    /// Whole numbers of 64 bits.
    Whole,
    /// Decimals with so many digits behind the point, 38 in all.
    Decimal(u8),
    /// Floating point of 64 bits.
    Float,
    /// Days since 1970-01-01.
    Day,
    /// Texts.
    Text,
}

/// The values of a column in some rows; nothing where a row has none.
#[derive(Debug, Clone, PartialEq)]
pub enum WrittenValues {
    /// Of [`WrittenType::Whole`].
    Whole(Vec<Option<i64>>),
    /// Of [`WrittenType::Decimal`], in units of its last digit.
    Decimal(Vec<Option<i128>>),
    /// Of [`WrittenType::Float`].
    Float(Vec<Option<f64>>),
    /// Of [`WrittenType::Day`].
    Day(Vec<Option<i32>>),
    /// Of [`WrittenType::Text`].
    Text(Vec<Option<String>>),
}

/// Writes rows as they come; the file is whole once [`LaneWriter::finish`] has answered.
pub struct LaneWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: SchemaRef,
    types: Vec<WrittenType>,
    path: PathBuf,
}

impl<W: Write + Send> LaneWriter<W> {
    /// Begins a file with these columns; `about` are names and texts that stand in its metadata, `path` is for messages.
    ///
    /// # Errors
    /// What the disk or Parquet refuses.
    pub fn new(
        out: W,
        path: &Path,
        columns: &[(String, WrittenType)],
        about: &[(&str, String)],
    ) -> Result<Self, PoolError> {
        let fields = columns.iter().map(|(name, of)| Field::new(name, data_type(*of), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let about = about.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()));
        let make = || -> Result<ArrowWriter<W>, ParquetError> {
            let properties = WriterProperties::builder()
                .set_created_by("tidewaiter".to_owned())
                .set_key_value_metadata(Some(about.collect()))
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
                .build();
            ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))
        };
        let writer = make().map_err(|error| failed(path, error))?;
        let types = columns.iter().map(|(_, of)| *of).collect();
        Ok(Self { writer, schema, types, path: path.to_owned() })
    }

    /// Adds rows: the values of each column, all as long as one another.
    ///
    /// # Errors
    /// What the disk or Parquet refuses; values that are not those of their columns.
    pub fn write(&mut self, columns: Vec<WrittenValues>) -> Result<(), PoolError> {
        let refused =
            |reason: String| PoolError::io(&self.path, &std::io::Error::other(format!("columns: {reason}")));
        let arrays = self.types.iter().zip(columns).map(|(of, values)| array(*of, values));
        let arrays: Option<Vec<ArrayRef>> = arrays.collect();
        let arrays = arrays.ok_or_else(|| refused("values of another type".to_owned()))?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| refused(error.to_string()))?;
        self.writer.write(&batch).map_err(|error| failed(&self.path, error))
    }

    /// Ends the file and gives back where it was written to.
    ///
    /// # Errors
    /// What the disk or Parquet refuses.
    pub fn finish(self) -> Result<W, PoolError> {
        self.writer.into_inner().map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: ParquetError) -> PoolError {
    PoolError::io(path, &output_error(error))
}

fn data_type(of: WrittenType) -> DataType {
    match of {
        WrittenType::Whole => DataType::Int64,
        WrittenType::Decimal(digits) => {
            DataType::Decimal128(DECIMAL_DIGITS, i8::try_from(digits).unwrap_or(i8::MAX))
        }
        WrittenType::Float => DataType::Float64,
        WrittenType::Day => DataType::Date32,
        WrittenType::Text => DataType::Utf8,
    }
}

fn array(of: WrittenType, values: WrittenValues) -> Option<ArrayRef> {
    Some(match (of, values) {
        (WrittenType::Whole, WrittenValues::Whole(values)) => Arc::new(Int64Array::from(values)),
        (WrittenType::Float, WrittenValues::Float(values)) => Arc::new(Float64Array::from(values)),
        (WrittenType::Day, WrittenValues::Day(values)) => Arc::new(Date32Array::from(values)),
        (WrittenType::Text, WrittenValues::Text(values)) => Arc::new(StringArray::from(values)),
        (WrittenType::Decimal(_), WrittenValues::Decimal(values)) => {
            Arc::new(Decimal128Array::from(values).with_data_type(data_type(of)))
        }
        _ => return None,
    })
}
