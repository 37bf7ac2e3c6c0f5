//! Officers and pairs. Standing out is a reason to look, not a finding of guilt.

use serde::{Deserialize, Serialize};
use spine::{LocalizedText, Sensitivity};

use super::Flag;

/// One officer or pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrityRow {
    /// First party: an officer, or a declarant.
    pub first: String,
    /// Second party of a pair.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub second: Option<String>,
    /// Inspections of this officer or pair (for routing: days on which the second party's consignments were inspected).
    pub count: u64,
    /// Those of interest: finds; for routing, days on which this officer inspected.
    pub observed: u64,
    /// How many of them chance would give in the same mix of strata.
    pub expected: f64,
    /// Exact p-value, conditional on the strata, two-sided for finds and one-sided for routing.
    pub p_value: f64,
    /// The same after control of false claims over the whole report.
    pub adjusted_p: f64,
    /// Set where `adjusted_p` is at or below the stated rate.
    pub flag: Option<Flag>,
}

/// One kind of comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrityTable {
    /// Stable id: `officer_finds`, `officer_declarant_finds`, `officer_importer_finds`, `declarant_importer_finds`,
    /// `officer_declarant_routing`, `officer_released_before_inspection`.
    pub id: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Fields within whose values inspections are compared: what "the same mix" means here.
    pub strata: Vec<String>,
    /// Rows tested.
    pub tested: u64,
    /// Rows too small to be tested.
    pub too_small: u64,
    /// Rows flagged.
    pub flagged: u64,
    /// Listed rows, by p-value.
    pub rows: Vec<IntegrityRow>,
    /// Rows tested but not listed.
    pub unlisted: u64,
}

/// All comparisons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integrity {
    /// The comparisons for which the fields are there.
    pub tables: Vec<IntegrityTable>,
    /// Share of inspections for which the officer is known.
    pub officer_known_share: f64,
}
