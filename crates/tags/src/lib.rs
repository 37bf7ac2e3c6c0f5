//! Risk tags: definitions from packs, evaluated over entries, each with its reason.

pub mod aggregate;
pub mod definition;

pub use aggregate::{Aggregate, FieldPart, Measure, Measured};
pub use definition::{Case, Expectation, Family, HistoryEntry, TagDefinition, TagSeverity, TagSource};
