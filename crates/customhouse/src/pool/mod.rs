//! The pool as the application uses it: what comes in, under which contract, and what may be seen of it.
//!
//! Commands of [`crate::Customhouse`] (each checks a permission; each change is an event):
//!
//! | call | permission | event |
//! |---|---|---|
//! | `admit(&reader, &AdmitRequest, &dyn Progress) -> Admission` | admit records | `batch.admitted` or `batch.refused` |
//! | `declare_contract(&reader, toml: &str) -> DeclaredContract` | admit records | `contract.declared` |
//! | `propose_mapping(&reader, &Path, contract: Option<&str>, outcome: Option<&str>) -> formats::Proposal` | admit records | none |
//!
//! Queries, all for those who may view the pool, none shows a field above the reader's clearance:
//!
//! | call | answer |
//! |---|---|
//! | `list_contracts(&reader) -> Vec<ContractSummary>`, `find_contract(&reader, name) -> ContractSummary` | contracts in force |
//! | `list_batches(&reader, &BatchQuery) -> Vec<BatchSummary>` | latest first, a page |
//! | `find_batch(&reader, id_or_beginning) -> BatchDetail` | counts, findings, mapping, files, what mends it |
//! | `quarantine_page(&reader, batch, offset, limit) -> QuarantinePage` | rows that could not be used, and why |
//! | `export_quarantine(&reader, batch, &mut dyn Write) -> u64` | the same as CSV to mend and send again |
//! | `rows_page(&reader, batch, offset, limit) -> RowsPage` | admitted rows |
//! | `lineage(&reader, batch, row) -> Lineage` | where a row came from |
//! | `load_entries(&reader, &BatchSelection, &dyn Progress) -> Entries` | whole tables for engines: tags, audits |
//!
//! Positions of rows count from 0 within a batch; lines count as in the source.

mod answers;
mod commands;
mod erase;
mod model;
mod read_model;
#[cfg(test)]
mod tests;

pub use answers::{
    BatchDetail, BatchQuery, BatchSelection, BatchSummary, ColumnOfRows, ContractSummary, Lineage,
    QuarantinePage, QuarantineRow, RowOfBatch, RowsPage,
};
pub use commands::{Admission, AdmitRequest, DeclaredContract, Outcomes};
pub(crate) use erase::RowsOf;
pub use model::{Entries, EntriesOfBatch};
pub(crate) use model::{Pool, catch_up};
pub use read_model::PAGE_ROWS_MAX;

pub use ::pool::contract::{ContractField, Period, Quality, Volume};
pub use ::pool::event::{FileReference, OutcomesJoined, SourceReference};
pub use ::pool::{BatchState, SourceContract, propose_for_file, read_file};
pub use formats::{FindingGroup, Mapping, Proposal};
