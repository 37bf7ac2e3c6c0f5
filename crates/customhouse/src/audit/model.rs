//! What an audit is asked through the application, and the report it gives.

use std::path::PathBuf;

use formats::FindingGroup;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::{Finding, Sensitivity};

use learning::{Audit, Capacity};

/// Where outcomes come from, when they do not stand in columns that the mapping knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeSource {
    /// A file of its own, joined by declaration number.
    File(PathBuf),
    /// The column of the declarations that says whether something was found.
    Column(String),
}

/// An audit of files, without a data folder.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRequest {
    /// CSV or Parquet files of declared items; several are one history.
    pub declarations: Vec<PathBuf>,
    /// Where outcomes come from; `None`: from the mapping.
    pub outcomes: Option<OutcomeSource>,
    /// A mapping of the declarations; `None`: one is proposed.
    pub map: Option<PathBuf>,
    /// A mapping of the outcomes file; `None`: one is proposed.
    pub outcomes_map: Option<PathBuf>,
    /// What other plans may spend.
    pub capacity: Capacity,
    /// Currency of amounts where the records do not say (ISO 4217).
    pub currency: Option<String>,
    /// Says that the records are simulated.
    pub simulated: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// An audit of batches of the pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSpec {
    /// Batches to read, by id; empty: all batches of declared items in force.
    #[serde(default)]
    pub batches: Vec<String>,
    /// What other plans may spend.
    #[serde(default)]
    pub capacity: Capacity,
    /// Currency of amounts where the records do not say (ISO 4217).
    #[serde(default)]
    pub currency: Option<String>,
    /// Seed of everything random.
    #[serde(default = "first_seed")]
    pub seed: u64,
}

fn first_seed() -> u64 {
    1
}

impl Default for AuditSpec {
    fn default() -> Self {
        Self { batches: Vec::new(), capacity: Capacity::default(), currency: None, seed: first_seed() }
    }
}

/// What an input was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputRole {
    /// Declared items.
    Declarations,
    /// Outcomes of inspections.
    Outcomes,
}

/// One column's meaning, as used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappedField {
    /// Field of the schema.
    pub field: String,
    /// Column it came from, or the constant in quotes.
    pub column: String,
    /// Why the proposal chose it; empty for a mapping that was given.
    pub reason: String,
    /// Confidence of the proposal between 0 and 1; absent for a mapping that was given.
    pub confidence: Option<f64>,
}

/// The mapping as used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingUsed {
    /// Was it proposed by the program rather than given by a person?
    pub proposed: bool,
    /// The fields it fills.
    pub fields: Vec<MappedField>,
    /// Columns it does not use.
    pub unused_columns: Vec<String>,
    /// The whole mapping as `map.toml`, ready to be edited and used with `--map`.
    pub toml: String,
}

/// One file or batch that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditInput {
    /// What it was.
    pub role: InputRole,
    /// File name without its folder; of a batch, the name of the delivered file.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Rows read.
    pub rows_read: u64,
    /// Rows that could not be used.
    pub rows_quarantined: u64,
    /// Findings by code and column.
    pub findings: Vec<FindingGroup>,
    /// How its columns were understood; absent for batches, whose contract says it.
    pub mapping: Option<MappingUsed>,
}

/// What came of joining outcomes to declarations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinUsed {
    /// Outcomes that found their declaration.
    pub joined: u64,
    /// Outcomes without a declaration.
    pub without_declaration: u64,
    /// Outcomes of a declaration that had one already; the first stays.
    pub repeated: u64,
    /// The same as findings.
    pub findings: Vec<FindingGroup>,
}

/// A pack whose tags or lists were used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackUsed {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// SHA-256 of its content.
    pub hash: String,
}

/// Time that one stage took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTime {
    /// Stable name: `reading`, `tags`, `audit`.
    pub stage: String,
    /// Milliseconds.
    pub milliseconds: u64,
}

/// An audit with everything needed to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Version of the program.
    pub program_version: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// What was read.
    pub inputs: Vec<AuditInput>,
    /// How outcomes found their declarations, where they came in a file of their own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub join: Option<JoinUsed>,
    /// Packs in use.
    pub packs: Vec<PackUsed>,
    /// What did not compile in them and was left out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pack_findings: Vec<Finding>,
    /// Tags applied.
    pub tags: u64,
    /// Time a stage; the only part that differs when the audit is made again.
    pub times: Vec<StageTime>,
    /// The audit.
    pub audit: Audit,
}

impl AuditReport {
    /// The same report without what a reader of this clearance may not see.
    #[must_use]
    pub fn for_clearance(&self, clearance: Sensitivity) -> Self {
        let mut report = Self { audit: self.audit.for_clearance(clearance), ..self.clone() };
        if clearance < Sensitivity::Restricted {
            // Findings show cells as they were, whatever field they are of.
            let groups = report.inputs.iter_mut().flat_map(|input| &mut input.findings);
            for group in groups.chain(report.join.iter_mut().flat_map(|join| &mut join.findings)) {
                group.examples.clear();
            }
        }
        report
    }
}

/// An audit as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditSummary {
    /// Id: the SHA-256 of the stored report.
    pub id: String,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// Account that started it.
    pub started_by: String,
    /// Batches read.
    pub batches: Vec<String>,
    /// Declared items.
    pub rows: u64,
    /// Inspections with a known outcome.
    pub inspected_known: u64,
    /// Finds among them.
    pub irregular: u64,
    /// Statements of the report.
    pub statements: u64,
    /// Was any of it simulated?
    pub simulated: bool,
}
