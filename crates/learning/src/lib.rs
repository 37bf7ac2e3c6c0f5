//! Learning from past inspections: the targeting audit.
//!
//! [`audit`] takes one table of declared items with what became of them, and the tags they carry, and answers with a
//! document ([`Audit`]). How each figure is made stands in `docs/audit.md`.

pub mod document;
mod options;

pub use document::{Audit, Statement};
pub use options::{AuditOptions, Capacity, TagColumn};
