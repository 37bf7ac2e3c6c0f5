//! The pool: bulk records admitted in batches, as immutable Parquet under a source contract, with quarantine and
//! lineage.
//!
//! ```text
//! file ─ open_source ─ read_file ─ gate::judge ─ PoolFolder::write_entries ─ event `batch.admitted` ─ Catalogue
//!                          │
//!                          └─ quarantine ─ export ─ a person mends ─ MendSource ─ ...
//! ```
//!
//! The room writes files and derives the catalogue; appending the events is the caller's.

pub mod catalogue;
pub mod contract;
pub mod entries;
mod error;
pub mod event;
mod events;
mod folder;
pub mod gate;
pub mod lane_writer;
pub mod lanes;
mod parquet_source;
pub mod quarantine;
mod source;

pub use catalogue::{Batch, BatchState, Catalogue, DeclaredContract, PoolEvent, StoredFile};
pub use contract::{SourceContract, schema_of};
pub use entries::{EntriesMetadata, EntriesReader, NewEntries, ReadEntries};
pub use error::PoolError;
pub use event::{BatchRecord, ContractDeclared};
pub use events::{EventRow, EventsWriter};
pub use folder::{PoolFolder, SWEEP_GRACE};
pub use gate::{IntakeSummary, Verdict, judge};
pub use parquet_source::ParquetSource;
pub use quarantine::{MendSource, NewQuarantine, Quarantine, QuarantineColumn};
pub use source::{open_source, propose_for_file, read_file, rows_expected, source_reference};
