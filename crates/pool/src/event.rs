//! What the events of the pool say. Their payloads are released formats: add optional fields, change none.

use std::collections::BTreeMap;

use formats::{FindingGroup, Mapping};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use spine::Finding;

use crate::contract::SourceContract;

/// Kind of the event with which a contract comes into force; its payload is a [`ContractDeclared`].
pub const CONTRACT_DECLARED: &str = "contract.declared";
/// Kind of the event that *is* the admission of a batch; its payload is a [`BatchRecord`].
pub const BATCH_ADMITTED: &str = "batch.admitted";
/// Kind of the event that sends a batch back; its payload is a [`BatchRecord`] without files.
pub const BATCH_REFUSED: &str = "batch.refused";

/// Bytes of findings that one event carries at most.
const FINDINGS_BYTES_MAX: usize = 384 * 1024;
/// Columns named as unused at most.
const UNUSED_COLUMNS_MAX: usize = 200;
/// Longest name of a file or column that an event carries.
const NAME_CHARACTERS_MAX: usize = 200;

/// A contract that came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractDeclared {
    /// SHA-256 of its canonical bytes.
    pub sha256: String,
    /// The contract.
    pub contract: SourceContract,
}

/// Which contract a batch came in under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractReference {
    /// Name.
    pub name: String,
    /// SHA-256 of its canonical bytes.
    pub sha256: String,
}

/// Which schema rows have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaReference {
    /// Id.
    pub id: String,
    /// Version.
    pub version: u32,
}

/// A delivered file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReference {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Is it kept as a blob of the journal?
    pub kept: bool,
}

/// A file of the pool; its name is its SHA-256 and `.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReference {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
}

/// What joining a file of outcomes gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomesJoined {
    /// The file.
    pub source: SourceReference,
    /// Outcomes that found their declaration.
    pub joined: u64,
    /// Outcomes without a declaration.
    pub without_declaration: u64,
    /// Outcomes of a declaration that had one already.
    pub repeated: u64,
    /// Rows of the file that could not be used.
    pub rows_quarantined: u64,
}

/// Everything that is recorded of a batch, admitted or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// Id of the batch: the first half of its source's SHA-256, so that the same file is the same batch.
    pub batch: String,
    /// Its contract.
    pub contract: ContractReference,
    /// Its schema.
    pub schema: SchemaReference,
    /// The delivered file.
    pub source: SourceReference,
    /// The file of outcomes that was joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<OutcomesJoined>,
    /// The batch whose quarantine it mends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mends: Option<String>,
    /// Rows read from the source.
    pub rows_read: u64,
    /// Rows admitted; 0 when refused.
    pub rows: u64,
    /// Rows that could not be used. Of a batch that mends another they stay in that one's quarantine.
    pub rows_quarantined: u64,
    /// In how many admitted rows each field is unknown.
    pub unknown: BTreeMap<String, u64>,
    /// Earliest date of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_date: Option<Date>,
    /// Latest date of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_date: Option<Date>,
    /// Rows that say they are simulated.
    pub rows_simulated: u64,
    /// Admitted rows, in order.
    pub files: Vec<FileReference>,
    /// Quarantined rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<FileReference>,
    /// What the quality gate said; an error among it refused the batch.
    pub verdict: Vec<Finding>,
    /// What was found in the rows.
    pub findings: Vec<FindingGroup>,
    /// Kinds of findings that the event does not carry.
    #[serde(default)]
    pub finding_groups_left_out: u64,
    /// Columns that the mapping does not use, as far as the event carries them.
    pub unused_columns: Vec<String>,
    /// How the columns were read.
    pub mapping: Mapping,
    /// That somebody's data was erased from it since it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<Rewritten>,
}

/// Files of a batch that took the place of others, from which somebody's data was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// The erasure.
    pub erasure: String,
    /// SHA-256 of files that are gone, and of those that stand in their place; `None`: nothing does.
    pub files: Vec<(String, Option<String>)>,
    /// Rows that lost what names people.
    pub rows: u64,
    /// Quarantined rows that lost their cells.
    pub rows_quarantined: u64,
}

/// Findings as far as an event carries them, and how many groups it does not.
#[must_use]
pub fn bounded_findings(groups: Vec<FindingGroup>) -> (Vec<FindingGroup>, u64) {
    let mut bytes: usize = 0;
    let mut left_out: u64 = 0;
    let kept = groups
        .into_iter()
        .filter(|group| {
            // Findings are plain data; one that could not be written would be left out here.
            let size = serde_json::to_vec(group).map_or(usize::MAX, |text| text.len());
            let fits = bytes.saturating_add(size) <= FINDINGS_BYTES_MAX;
            if fits {
                bytes = bytes.saturating_add(size);
            } else {
                left_out = left_out.saturating_add(1);
            }
            fits
        })
        .collect();
    (kept, left_out)
}

/// Column names as far as an event carries them.
#[must_use]
pub fn bounded_columns(columns: &[String]) -> Vec<String> {
    columns.iter().take(UNUSED_COLUMNS_MAX).map(|name| bounded_name(name)).collect()
}

/// A name cut to what an event carries.
#[must_use]
pub fn bounded_name(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use spine::Severity;

    use super::*;

    #[test]
    fn an_event_carries_a_bounded_part_of_the_findings_and_says_what_it_leaves_out() {
        let group = |number: usize| FindingGroup {
            code: format!("code_{number}"),
            severity: Severity::Error,
            column: "x".repeat(1_000),
            count: 1,
            examples: vec![Finding::error("code").fix("y".repeat(1_000)); 5],
        };
        let (kept, left_out) = bounded_findings((0..200).map(group).collect());
        assert_eq!(kept.len() + usize::try_from(left_out).unwrap(), 200);
        assert!(left_out > 0 && serde_json::to_vec(&kept).unwrap().len() < FINDINGS_BYTES_MAX + 200);
        assert_eq!(kept[0].code, "code_0");
        assert_eq!(bounded_columns(&vec!["z".repeat(900); 900]).len(), UNUSED_COLUMNS_MAX);
    }
}
