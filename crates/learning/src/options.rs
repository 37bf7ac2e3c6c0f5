//! What an audit is asked.

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use spine::{LocalizedText, Sensitivity};

/// How many inspections the compared plans may spend in the months on which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Capacity {
    /// As many as were done; a tenth where everything was inspected.
    #[default]
    AsInspected,
    /// A share of what was declared, above 0 and at most 1.
    Share(f64),
    /// A number of inspections over the months of trial.
    Count(u64),
}

/// Options of an audit. The same records, tags and options give the same document, whatever the number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditOptions {
    /// What plans may spend.
    pub capacity: Capacity,
    /// Says that all records are simulated, where their own field does not.
    pub simulated: bool,
    /// ISO 4217 code of amounts, where the records do not say.
    pub currency: Option<String>,
    /// Seed of everything random.
    pub seed: u64,
    /// Chance that the report makes any claim of a pattern where there is none; docs/audit.md says how it is kept.
    pub false_rate: f64,
    /// Values listed of one dimension; the rest is summed.
    pub rows_max: usize,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            capacity: Capacity::default(),
            simulated: false,
            currency: None,
            seed: 1,
            false_rate: 0.05,
            rows_max: 200,
        }
    }
}

/// A tag with the rows that carry it.
#[derive(Debug, Clone, PartialEq)]
pub struct TagColumn {
    /// Stable id.
    pub id: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Id of its family.
    pub family: String,
    /// `low`, `medium` or `high`, as its author weighs it.
    pub severity: String,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Rows that carry it.
    pub rows: RoaringBitmap,
    /// Number of rows for which it cannot be told.
    pub unknown: u64,
}
