//! Which entries of the past carry which tag, for each entity: how many, the first and the last.
//!
//! That much is kept of every pair of tag and entity ([`Lineage`]); which others there are, and why, is found again from
//! the entries, for a condition and its entry always give the same answer. What is kept lies in *runs*: immutable files,
//! each of some tags over a range of entries, sorted by tag and entity. New entries and new tags make new runs
//! ([`Pairs::write`]); many small ones are merged into one ([`merge`]). Which runs stand, and how far each tag has come,
//! is for whoever keeps the files.
//!
//! A run as bytes, all numbers beginning with their lowest byte:
//!
//! | bytes | what |
//! |---|---|
//! | | of each tag its section ([`section`]) |
//! | 4, 8, 8, 8 each | tag, pairs, where its section begins, how long it is; by tag |
//! | 8, 8 | the first entry and the one after the last |
//! | 4, 4 | tags, CRC-32 of the directory up to here |
//! | 8 | `TWTAGHI1` |

mod carriers;
mod merge;
mod pairs;
mod run;
mod section;

use std::io;

use thiserror::Error;

pub use carriers::Carriers;
pub use merge::{MergedPart, merge};
pub use pairs::{NOBODY, PAIRS_MAX, Pairs};
pub use run::{ReadAt, Run, RunWriter};

/// Tags of a run at most.
pub const TAGS_MAX: usize = 1 << 26;

/// What is kept of a tag on an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lineage {
    /// The entity's number.
    pub entity: u32,
    /// Entries that carry the tag, at least one.
    pub entries: u64,
    /// The first of them, counted over all sources.
    pub first: u64,
    /// The last of them.
    pub last: u64,
}

impl Lineage {
    /// Of the same tag and entity in other entries.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            entity: self.entity,
            entries: self.entries.saturating_add(other.entries),
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

/// A run cannot be read or written.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The system refused.
    #[error("the history of tags cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// Not what was written.
    #[error("the history of tags is damaged ({0})")]
    Damaged(&'static str),
}

impl HistoryError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "history_unreadable",
            Self::Damaged(_) => "history_damaged",
        }
    }
}
