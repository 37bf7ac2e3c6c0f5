//! Learning from past inspections: the targeting audit.
//!
//! [`audit`] takes one table of declared items with what became of them, and the tags they carry, and answers with a
//! document ([`Audit`]). How each figure is made stands in `docs/audit.md`.

mod curve;
pub mod document;
mod error;
mod history;
mod integrity;
mod leakage;
mod models;
mod options;
mod plans;
mod population;
mod quality;
mod rates;
mod run;
mod statements;
pub mod statistics;
pub mod texts;
mod weights;

pub use document::{Audit, Statement};
pub use error::AuditError;
pub use options::{AuditOptions, Capacity, TagColumn};
pub use plans::estimate_rate;
pub use run::audit;
pub use weights::{TagRow, TagWeights, WeightOptions, WeightsTried, fit_tag_weights};
