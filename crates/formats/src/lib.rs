//! Bytes to nouns: CSV, mappings, XML trees. No files, no clock, no network: callers bring bytes and bounds.
//!
//! Nothing here fails on bad content: readers return what they understood plus findings that say where, which value,
//! and how to mend it. Rows that cannot be used are handed back whole as quarantine.

mod convert;
pub mod csv;
mod dates;
pub mod declaration;
pub mod entry_summary;
mod excerpt;
pub mod intake;
pub mod mapping;
pub mod message;
pub mod notification;
mod outcomes;
mod propose;
mod record_guard;
mod synonyms;
pub mod wco;
pub mod xml;
mod xml_reading;
mod xml_writer;

pub use convert::NumberStyle;
pub use excerpt::{Excerpt, excerpts};
pub use intake::{FindingGroup, Intake, IntakeError, IntakeOptions, QuarantinedRow, RowSource, read_table};
pub use mapping::{FieldMapping, Mapping};
pub use outcomes::{JoinSummary, join_outcomes, outcome_schema};
pub use propose::{Proposal, ProposedField, propose};
pub use xml::{XmlBounds, XmlDocument, XmlText, read_xml};
