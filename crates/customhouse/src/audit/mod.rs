//! Targeting audits as the application runs them: of files without a data folder, and of batches of the pool.
//!
//! | call | permission | event |
//! |---|---|---|
//! | `audit_files(&AuditRequest, &packs::Registry, &dyn Progress) -> AuditReport` | none: it touches no data folder | none |
//! | `start_audit(self: &Arc<Self>, &reader, AuditSpec) -> Arc<Job>`; the job's result is the audit's id | run audits | `audit.completed` |
//! | `list_audits(&reader) -> Vec<AuditSummary>` | view audits | none |
//! | `find_audit(&reader, id_or_beginning) -> AuditReport` | view audits; nothing above the reader's clearance | none |

mod commands;
mod files;
mod model;
mod read_model;
#[cfg(test)]
mod tests;

pub use files::audit_files;
pub use learning::{Audit, Capacity, Statement, document, texts};
pub use model::{
    AuditInput, AuditReport, AuditRequest, AuditSpec, AuditSummary, InputRole, JoinUsed, MappedField,
    MappingUsed, OutcomeSource, PackUsed, StageTime,
};
