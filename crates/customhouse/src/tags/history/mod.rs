//! Tags put on entries of the past, in a folder of their own: which entries of whom carry which tag.
//!
//! | file | what |
//! |---|---|
//! | `history.json` | sources, tags, how far each has come, and the files that count |
//! | `runs/` | who carries which tag: how many entries, the first, the last ([`::tags::history`]) |
//! | `names/` | names of entities, in the order of their numbers |
//! | `entities/` | of each entry the number of its entity |
//! | `matrix/` | who carries which tag, for questions ([`::tags::matrix`]) |
//! | `pending/` | what is being written |
//!
//! Nothing is ever changed in place: what a part of the entries makes is written beside, flushed, and named by a new
//! `history.json`. A run that was stopped, killed or without power goes on where the last part ended. All of it is
//! derived: delete the folder and begin again.

mod backfill;
mod entities;
mod explained;
mod folder;
mod manifest;
mod names;
mod part;
mod pool;
#[cfg(test)]
mod pool_tests;
mod query;
mod source;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use crate::error::{Error, Kind};

pub use backfill::{BackfillReport, BackfillRequest, backfill};
pub use explained::{ExplainedEntry, HistoryLineage, explain_in_history};
pub(crate) use pool::PoolHistory;
pub use pool::{CarrierInPool, PoolHistoryStatus, TagInPool};
pub(super) use source::unreadable;

pub use query::{ENTITIES_LISTED_MAX, HistorySelection, select_in_history};

fn damaged(error: &dyn Display) -> Error {
    Error::new(
        Kind::Refused,
        "history_damaged",
        format!("the history of tags is damaged: {error}"),
        "Delete its folder and make it anew from the same rules and entries.",
    )
}

fn unwritable(error: &dyn Display) -> Error {
    Error::new(
        Kind::Internal,
        "history_unwritable",
        format!("the history of tags cannot be read or written: {error}"),
        "Check the disk and start again: what was done stays.",
    )
}
