//! What is asked of the live matrix, and what it answers.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use spine::LocalizedText;

use crate::declarations::{DeclarationRow, HitRate};

/// A question by tags.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TagQuery {
    /// Condition on tags: their ids with `&&`, `||`, `!` and brackets. Empty: everybody.
    pub q: String,
    /// `entities` or `declarations`; anything else is `entities`.
    pub of: String,
    /// Compare the end of this day, `YYYY-MM-DD` in UTC,
    pub from: String,
    /// with the end of this one; empty: with now.
    pub to: String,
    /// List only what is there at the later time and not at the earlier (`gained`), or the other way round (`lost`).
    pub changed: String,
    /// Page, from 1.
    pub page: usize,
}

impl TagQuery {
    /// Is it about declarations?
    #[must_use]
    pub fn of_declarations(&self) -> bool {
        self.of == "declarations"
    }
}

/// How many a condition selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TagCount {
    /// So many.
    pub count: u64,
    /// Of so many in all.
    pub all: u64,
    /// Position of the journal up to which events are counted.
    pub position: u64,
}

/// What a condition selects.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagSelection {
    /// How many.
    #[serde(flatten)]
    pub counted: TagCount,
    /// Tags that the condition names, in the order of their ids.
    pub named: Vec<TagNamed>,
    /// Results of those of the declarations, or of the entities' declarations, that were inspected; not below
    /// clearance *restricted*. All others are unknown.
    pub hits: Option<HitRate>,
    /// Tags that these carry beside those of the condition, the most frequent first.
    pub together: Vec<TagTogether>,
    /// A page of entities, those with the most tags first; empty where declarations are asked for.
    pub entities: Vec<SelectedEntity>,
    /// A page of declarations, the latest first; empty where entities are asked for.
    pub declarations: Vec<DeclarationRow>,
    /// How many the list has in all.
    pub listed: u64,
    /// The difference between two days, where one is asked for.
    pub difference: Option<TagDifference>,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// A tag by its id and title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagNamed {
    /// Id.
    pub tag: String,
    /// Title.
    pub title: LocalizedText,
}

/// A tag beside others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagTogether {
    /// Id.
    pub tag: String,
    /// Title.
    pub title: LocalizedText,
    /// Severity by name.
    pub severity: String,
    /// How many of the selected carry it.
    pub count: u64,
    /// Their share of the selected, 0 to 1.
    pub share: f64,
    /// The share among the selected divided by the share among all: 1 is what chance would give.
    pub lift: f64,
}

/// An entity that was selected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SelectedEntity {
    /// Id; where several are one, the first of theirs.
    pub id: String,
    /// How many are one here, itself among them.
    pub members: u64,
    /// Tags that it carries and the reader may see.
    pub tags: u64,
    /// Declarations in the role in which it has most.
    pub declarations: u64,
    /// The last of them.
    pub last_at: Option<Timestamp>,
    /// Results of those inspected.
    pub hits: HitRate,
}

/// Two days compared, by who is known to be one now. An entity carries a tag from its first declaration with the tag on, so that by a plain tag none
/// is lost; by a condition with `!` some are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TagDifference {
    /// The end of this day,
    pub from: Date,
    /// and the end of this one; none: now.
    pub to: Option<Date>,
    /// Selected at the earlier time.
    pub before: u64,
    /// Selected at the later time.
    pub after: u64,
    /// Selected at the later time and not at the earlier.
    pub gained: u64,
    /// Selected at the earlier time and not at the later.
    pub lost: u64,
}

/// Tags that occur together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagGraph {
    /// Tags, the most frequent first; the chosen one, if any, before all.
    pub nodes: Vec<TagTogether>,
    /// Pairs of places in `nodes`, with how many carry both, the most frequent first.
    pub edges: Vec<TagPair>,
    /// How many there are of what carries tags.
    pub all: u64,
    /// Position of the journal up to which events are counted.
    pub position: u64,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// Two tags on the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TagPair {
    /// Place of the one.
    pub one: usize,
    /// Place of the other.
    pub other: usize,
    /// How many carry both.
    pub count: u64,
    /// How much more often than chance would have it.
    pub lift: f64,
}
