//! Risk tags: definitions from packs, evaluated over entries, each with its reason.
//!
//! A [`TagSet`] is compiled from packs against a schema; what does not compile is told in findings with file and
//! line. [`TagSet::apply`] marks the rows of a table, [`TagSet::why`] gives the reason for one row, and
//! [`check_pack`] runs the cases that every tag brings along. `docs/tags.md` is the guide for authors.
//!
//! Two rules hold everywhere. A window ends before the entry's own declaration, so a tag knows nothing that was not
//! known when the entry was lodged. And no tag reads what became of a declaration.

mod aggregate;
mod apply;
pub mod buckets;
mod case;
mod definition;
mod draft;
pub mod entities;
pub mod history;
mod judge;
mod key;
mod lift;
pub mod matcher;
pub mod matrix;
pub mod online;
mod plain;
mod rising;
mod set;
mod table;
pub mod usual;
pub mod warning;
mod why;
mod window;
#[cfg(test)]
mod window_laws;

pub use aggregate::{Aggregate, FieldPart, Measure, Measured};
pub use apply::{ApplyError, TagHit, TagHits};
pub use case::{check_pack, check_pack_with_lists};
pub use definition::{Case, Expectation, Family, HistoryEntry, TagDefinition, TagSeverity, TagSource};
pub use key::day_number;
pub use online::{OnlineHit, OnlineHits, OnlineTags, RaisedBy};
pub use set::TagSet;
pub use why::{AggregateReason, Why};
