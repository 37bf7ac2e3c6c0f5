//! Entries as Parquet and back, losing nothing.
//!
//! | field type | Parquet |
//! |---|---|
//! | text | string, dictionary-encoded |
//! | decimal | decimal128; the scale a column needs, at most 38 digits |
//! | date | date32 |
//! | date_time | timestamp in microseconds, without zone |
//! | boolean | boolean |
//!
//! Absent is null. Beside the fields stand `_source_line`, the line of each row in its source, and in batches that
//! mend another `_mends_line`, the line there.

mod decimals;
mod read;
mod times;
mod write;

pub(crate) use read::ReadError;
pub use read::{EntriesReader, ReadEntries};
pub use write::{EntriesMetadata, NewEntries};
pub(crate) use write::{WriteError, output_error, write_entries};

/// Column of the line in the source.
pub const SOURCE_LINE: &str = "_source_line";
/// Column of the line in the quarantine that a row mends.
pub const MENDS_LINE: &str = "_mends_line";
/// Version of the file format written and read here.
pub const FORMAT: u32 = 1;

const FORMAT_KEY: &str = "tidewaiter.format";
const SCHEMA_KEY: &str = "tidewaiter.schema";
const SCHEMA_VERSION_KEY: &str = "tidewaiter.schema_version";
const BATCH_KEY: &str = "tidewaiter.batch";
const CONTRACT_KEY: &str = "tidewaiter.contract_sha256";
const SOURCE_KEY: &str = "tidewaiter.source_sha256";
