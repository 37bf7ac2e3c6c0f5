//! Events of a journal as Parquet, for those who read them with tools that are not ours: one row an event.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use spine::Envelope;

use crate::entries::output_error;
use crate::error::PoolError;

/// An event with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Place in the journal, from 1.
    pub position: u64,
    /// What it says about itself.
    pub envelope: Envelope,
    /// What it says, as JSON; none once it was erased.
    pub payload: Option<String>,
    /// When what it said was erased.
    pub erased_at: Option<Timestamp>,
    /// On what ground.
    pub erasure_basis: Option<String>,
}

/// Writes rows as they come; the file is whole once [`EventsWriter::finish`] has answered.
pub struct EventsWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: SchemaRef,
    path: std::path::PathBuf,
}

impl<W: Write + Send> EventsWriter<W> {
    /// Begins a file; `path` is for messages.
    pub fn new(out: W, path: &Path) -> Result<Self, PoolError> {
        let schema = Arc::new(schema());
        let make = || -> Result<ArrowWriter<W>, ParquetError> {
            let properties = WriterProperties::builder()
                .set_created_by("tidewaiter".to_owned())
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
                .build();
            ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))
        };
        let writer = make().map_err(|error| failed(path, error))?;
        Ok(Self { writer, schema, path: path.to_owned() })
    }

    /// Adds rows.
    pub fn write(&mut self, rows: &[EventRow]) -> Result<(), PoolError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns(rows))
            .map_err(|error| PoolError::io(&self.path, &std::io::Error::other(error)))?;
        self.writer.write(&batch).map_err(|error| failed(&self.path, error))
    }

    /// Ends the file and gives back where it was written to.
    pub fn finish(self) -> Result<W, PoolError> {
        self.writer.into_inner().map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: ParquetError) -> PoolError {
    PoolError::io(path, &output_error(error))
}

fn schema() -> Schema {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let field = |name: &str, data_type: DataType, optional: bool| Field::new(name, data_type, optional);
    Schema::new(vec![
        field("position", DataType::UInt64, false),
        field("id", DataType::Utf8, false),
        field("node", DataType::Utf8, false),
        field("administration", DataType::Utf8, false),
        field("stream", DataType::Utf8, false),
        field("stream_version", DataType::UInt64, false),
        field("kind", DataType::Utf8, false),
        field("kind_version", DataType::UInt32, false),
        field("occurred_at", time(), false),
        field("recorded_at", time(), false),
        field("actor_kind", DataType::Utf8, false),
        field("actor_id", DataType::Utf8, false),
        field("causation", DataType::Utf8, true),
        field("payload_commit", DataType::Utf8, false),
        field("payload", DataType::Utf8, true),
        field("erased_at", time(), true),
        field("erasure_basis", DataType::Utf8, true),
    ])
}

/// In the order of [`schema`].
fn columns(rows: &[EventRow]) -> Vec<ArrayRef> {
    fn text<'a>(rows: &'a [EventRow], of: impl Fn(&'a EventRow) -> Option<&'a str>) -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    }
    let number = |of: fn(&EventRow) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(of)))
    };
    let time = |of: fn(&EventRow) -> Option<Timestamp>| -> ArrayRef {
        let times = rows.iter().map(|row| of(row).map(Timestamp::as_microsecond));
        Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    vec![
        number(|row| row.position),
        text(rows, |row| Some(&row.envelope.id)),
        text(rows, |row| Some(&row.envelope.node)),
        text(rows, |row| Some(&row.envelope.administration)),
        text(rows, |row| Some(&row.envelope.stream)),
        number(|row| row.envelope.stream_version),
        text(rows, |row| Some(&row.envelope.kind)),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.envelope.kind_version))),
        time(|row| Some(row.envelope.occurred_at)),
        time(|row| Some(row.envelope.recorded_at)),
        text(rows, |row| Some(row.envelope.actor.kind.name())),
        text(rows, |row| Some(&row.envelope.actor.id)),
        text(rows, |row| row.envelope.causation.as_deref()),
        text(rows, |row| Some(&row.envelope.payload_commit)),
        text(rows, |row| row.payload.as_deref()),
        time(|row| row.erased_at),
        text(rows, |row| row.erasure_basis.as_deref()),
    ]
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use spine::{Actor, ActorKind};

    use super::*;

    #[test]
    fn events_are_read_back_row_by_row_and_what_was_erased_is_null() {
        let row = |position: u64, payload: Option<&str>| EventRow {
            position,
            envelope: Envelope {
                envelope: Envelope::FORMAT,
                id: format!("id-{position}"),
                node: "n".to_owned(),
                administration: "ZZ".to_owned(),
                stream: "s".to_owned(),
                stream_version: position,
                kind: "goods.released".to_owned(),
                kind_version: 1,
                occurred_at: Timestamp::from_microsecond(1_770_000_000_000_001).unwrap(),
                recorded_at: Timestamp::from_microsecond(1_770_000_000_000_002).unwrap(),
                actor: Actor { kind: ActorKind::Officer, id: "o-1".to_owned() },
                causation: None,
                payload_commit: "ab".repeat(32),
            },
            payload: payload.map(str::to_owned),
            erased_at: payload.is_none().then_some(Timestamp::UNIX_EPOCH),
            erasure_basis: payload.is_none().then(|| "law".to_owned()),
        };
        let mut writer = EventsWriter::new(Vec::new(), Path::new("events.parquet")).unwrap();
        writer.write(&[row(1, Some("{\"a\":1}"))]).unwrap();
        writer.write(&[row(2, None)]).unwrap();
        let bytes = bytes::Bytes::from(writer.finish().unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        let all = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
        assert_eq!((all.num_rows(), all.num_columns()), (2, 17));
        let payload = all.column_by_name("payload").unwrap().as_string::<i32>();
        assert_eq!((payload.value(0), payload.is_null(1)), ("{\"a\":1}", true));
        let time = all.column_by_name("occurred_at").unwrap();
        let time = time.as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
        assert_eq!(time.value(1), 1_770_000_000_000_001);
    }
}
