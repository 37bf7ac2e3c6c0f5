//! What the pool answers with.

use std::collections::BTreeMap;

use ::pool::event::{FileReference, OutcomesJoined};
use ::pool::{BatchState, SourceContract};
use formats::{FindingGroup, Mapping};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use spine::{FieldType, Finding, LocalizedText};

/// Which batches to list.
#[derive(Debug, Clone, Default)]
pub struct BatchQuery {
    /// Only those recorded before this position: the last one of the page before.
    pub before: Option<u64>,
    /// Only those in this state.
    pub state: Option<BatchState>,
    /// How many; at most [`super::PAGE_ROWS_MAX`], which is also what 0 means.
    pub limit: usize,
}

/// Which batches to load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BatchSelection {
    /// All admitted ones.
    #[default]
    All,
    /// These, by their ids or beginnings of them.
    These(Vec<String>),
}

/// A contract as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContractSummary {
    /// How many times it was declared; 0 for the one that is in force from the beginning.
    pub revision: u64,
    /// When it was declared.
    pub declared_at: Option<Timestamp>,
    /// By whom.
    pub actor: Option<String>,
    /// SHA-256 of its canonical bytes.
    pub sha256: String,
    /// The contract.
    pub contract: SourceContract,
}

/// A batch as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchSummary {
    /// Id.
    pub id: String,
    /// What became of it.
    pub state: BatchState,
    /// When.
    pub recorded_at: Timestamp,
    /// Pseudonymous id of who sent it.
    pub actor: String,
    /// Position of the event that says so.
    pub position: u64,
    /// Name of its contract.
    pub contract: String,
    /// Name of the delivered file.
    pub source_name: String,
    /// SHA-256 of the delivered file.
    pub source_sha256: String,
    /// Size of the delivered file.
    pub source_bytes: u64,
    /// Rows read.
    pub rows_read: u64,
    /// Rows admitted.
    pub rows: u64,
    /// Rows that could not be used.
    pub rows_quarantined: u64,
    /// Of those, rows that later batches mended.
    pub rows_mended: u64,
    /// Rows that say they are simulated.
    pub rows_simulated: u64,
    /// Bytes of its files in the pool.
    pub bytes: u64,
    /// Earliest date of a row.
    pub first_date: Option<Date>,
    /// Latest date of a row.
    pub last_date: Option<Date>,
    /// The batch whose quarantine it mends.
    pub mends: Option<String>,
}

/// A batch with everything that is recorded of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchDetail {
    /// The figures.
    #[serde(flatten)]
    pub summary: BatchSummary,
    /// SHA-256 of its contract.
    pub contract_sha256: String,
    /// Is the delivered file itself kept?
    pub source_kept: bool,
    /// What joining a file of outcomes gave.
    pub outcomes: Option<OutcomesJoined>,
    /// What the quality gate said; an error among it refused the batch.
    pub verdict: Vec<Finding>,
    /// What was found in the rows; examples in fields above the reader's clearance are left out.
    pub findings: Vec<FindingGroup>,
    /// Kinds of findings beyond what one event carries.
    pub finding_groups_left_out: u64,
    /// In how many admitted rows each field is unknown.
    pub unknown: BTreeMap<String, u64>,
    /// Columns that the mapping does not use.
    pub unused_columns: Vec<String>,
    /// How the columns were read.
    pub mapping: Mapping,
    /// Files of admitted rows.
    pub files: Vec<FileReference>,
    /// File of quarantined rows.
    pub quarantine: Option<FileReference>,
    /// Batches that mend its quarantine.
    pub mended_by: Vec<String>,
}

/// A column of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnOfRows {
    /// Field, or header of the source.
    pub name: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Unit.
    pub unit: Option<String>,
}

/// One admitted row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowOfBatch {
    /// Row of the batch, from 0.
    pub row: u64,
    /// Line in the source.
    pub line: u64,
    /// One value a column.
    pub values: Vec<Option<String>>,
}

/// A page of admitted rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowsPage {
    /// Batch.
    pub batch: String,
    /// Columns that are filled on this page.
    pub columns: Vec<ColumnOfRows>,
    /// Fields above the reader's clearance.
    pub withheld: Vec<String>,
    /// The rows.
    pub rows: Vec<RowOfBatch>,
    /// Rows of the batch in all.
    pub rows_total: u64,
}

/// One quarantined row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineRow {
    /// Line in the source.
    pub line: u64,
    /// One cell a column.
    pub cells: Vec<String>,
    /// Why it is here.
    pub findings: Vec<Finding>,
}

/// A page of quarantined rows that no later batch has mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantinePage {
    /// Batch.
    pub batch: String,
    /// Headers of the source.
    pub columns: Vec<String>,
    /// Headers of columns above the reader's clearance; what is mapped to no field is sealed.
    pub withheld: Vec<String>,
    /// The rows.
    pub rows: Vec<QuarantineRow>,
    /// Rows still in quarantine.
    pub rows_total: u64,
}

/// Where a row came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// Batch.
    pub batch: String,
    /// Row of the batch, from 0.
    pub row: u64,
    /// Name of the delivered file.
    pub source_name: String,
    /// SHA-256 of the delivered file.
    pub source_sha256: String,
    /// Is the delivered file itself kept in the journal's blobs?
    pub source_kept: bool,
    /// Line in the delivered file.
    pub line: u64,
    /// The batch and the line whose row it mends.
    pub mends: Option<(String, u64)>,
    /// File of the pool, by its SHA-256.
    pub file_sha256: String,
    /// Row in that file, from 0.
    pub file_row: u64,
    /// Contract it came in under.
    pub contract: String,
    /// SHA-256 of that contract.
    pub contract_sha256: String,
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Position of the admission in the journal.
    pub position: u64,
}
