//! What a tag is, as its author writes it in a pack. `docs/tags.md` is the guide for authors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spine::noun::SubjectKind;
use spine::{LocalizedText, Sensitivity};

use crate::aggregate::Aggregate;

/// How much a tag weighs in the eyes of its author. It orders lists; it is not a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagSeverity {
    /// Context for other tags; alone no reason to look.
    Low,
    /// Worth a look when capacity allows.
    Medium,
    /// Worth a look.
    High,
}

impl TagSeverity {
    /// The stable name used in packs and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One risk tag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagDefinition {
    /// Stable id: small letters, digits, underscores.
    pub id: String,
    /// Grows by one with every change of meaning.
    pub version: u32,
    /// What officers call it; English and Chinese at least.
    pub title: LocalizedText,
    /// Why customs cares, for the analyst.
    pub description: LocalizedText,
    /// Id of its family.
    pub family: String,
    /// What carries it.
    pub on: SubjectKind,
    /// Condition on an entry, in the flat rule language; it may name aggregates.
    pub when: String,
    /// The aggregates that `when` names, with their meaning.
    pub aggregates: BTreeMap<String, Aggregate>,
    /// On an enterprise: the field that names it.
    pub enterprise_field: String,
    /// On an enterprise or a route: for how many days after the day of the entry that raised it the tag stays.
    pub valid_days: u16,
    /// Weight.
    pub severity: TagSeverity,
    /// Who answers for it.
    pub owner: String,
    /// Law or convention, in general terms.
    pub legal_basis: String,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// What an officer should look at.
    pub inspection_hint: LocalizedText,
    /// Its own tests.
    #[serde(skip)]
    pub cases: Vec<Case>,
    /// Where it stands: pack, file, line.
    pub source: TagSource,
}

/// Where a definition stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TagSource {
    /// Id of the pack.
    pub pack_id: String,
    /// Version of the pack.
    pub pack_version: String,
    /// Content hash of the pack.
    pub pack_hash: String,
    /// File in the pack.
    pub file: String,
    /// Line, from 1, of the tag's id; of a tag of a table, of its row.
    pub line: u64,
    /// Is it one of the tags of a table, but not the first? Then its tests stand at the first.
    #[serde(skip)]
    pub later_row: bool,
}

/// A family of tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Stable id.
    pub id: String,
    /// What people call it.
    pub title: LocalizedText,
}

/// What a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// The entry carries the tag.
    Tagged,
    /// It does not, and that is known.
    NotTagged,
    /// It cannot be told because something is missing.
    Unknown,
}

/// One test of a tag: an entry, what was declared before it, and what must come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What must come out.
    pub expect: Expectation,
    /// In a few words, why.
    pub note: String,
    /// Fields of the entry.
    pub entry: BTreeMap<String, toml::Value>,
    /// Entries before and beside it.
    pub history: Vec<HistoryEntry>,
}

/// Entries that a case needs around its own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryEntry {
    /// Days before the case's entry; 0 is the same day.
    pub ago: u32,
    /// How many.
    #[serde(default = "one")]
    pub times: u32,
    /// Each of them so many days before the previous one.
    #[serde(default)]
    pub every: u32,
    /// Fields that differ from the case's entry.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// Fields that are absent.
    #[serde(default)]
    pub without: Vec<String>,
}

fn one() -> u32 {
    1
}

/// A tag file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagFile {
    pub(crate) family: Option<Family>,
    #[serde(default)]
    pub(crate) defaults: Defaults,
    /// The entry from which every example of the pack starts.
    #[serde(default)]
    pub(crate) example: BTreeMap<String, toml::Value>,
    /// Aggregates that any tag of any file of the pack may name.
    #[serde(default)]
    pub(crate) aggregate: BTreeMap<String, Aggregate>,
    #[serde(default)]
    pub(crate) tag: Vec<RawTag>,
}

/// What tags of a file have in common unless they say otherwise.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Defaults {
    pub(crate) owner: Option<String>,
    pub(crate) legal_basis: Option<String>,
    pub(crate) sensitivity: Option<Sensitivity>,
    pub(crate) severity: Option<TagSeverity>,
}

/// A tag as written, before defaults.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTag {
    pub(crate) id: String,
    #[serde(default = "one")]
    pub(crate) version: u32,
    /// CSV file of the pack: there is a tag for each of its rows, with its values in the places of `{column}`.
    pub(crate) table: Option<String>,
    pub(crate) title: LocalizedText,
    pub(crate) description: LocalizedText,
    #[serde(default = "item")]
    pub(crate) on: SubjectKind,
    pub(crate) when: String,
    /// Aggregates of this tag alone.
    #[serde(default)]
    pub(crate) aggregate: BTreeMap<String, Aggregate>,
    pub(crate) enterprise_field: Option<String>,
    #[serde(default)]
    pub(crate) valid_days: u16,
    pub(crate) severity: Option<TagSeverity>,
    pub(crate) owner: Option<String>,
    pub(crate) legal_basis: Option<String>,
    pub(crate) sensitivity: Option<Sensitivity>,
    pub(crate) inspection_hint: LocalizedText,
    /// What is different in the entry from which all cases of this tag start.
    #[serde(default)]
    pub(crate) example: BTreeMap<String, toml::Value>,
    /// What was declared around it, unless a case has its own.
    #[serde(default)]
    pub(crate) history: Vec<HistoryEntry>,
    #[serde(default)]
    pub(crate) cases: Vec<RawCase>,
}

fn item() -> SubjectKind {
    SubjectKind::Item
}

/// A case as written: the example with changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCase {
    pub(crate) expect: Expectation,
    #[serde(default)]
    pub(crate) note: String,
    #[serde(default)]
    pub(crate) set: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
    pub(crate) history: Option<Vec<HistoryEntry>>,
}

impl RawCase {
    pub(crate) fn resolve(self, example: &BTreeMap<String, toml::Value>, history: &[HistoryEntry]) -> Case {
        let mut entry = example.clone();
        entry.extend(self.set);
        for field in &self.without {
            entry.remove(field);
        }
        Case {
            expect: self.expect,
            note: self.note,
            entry,
            history: self.history.unwrap_or_else(|| history.to_vec()),
        }
    }
}
