//! Why an audit gave nothing.

use thiserror::Error;

/// An audit ends whole or with one of these.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuditError {
    /// [`spine::Progress::cancelled`] was true.
    #[error("the audit was cancelled; nothing was kept")]
    Cancelled,
    /// More rows than row numbers can count.
    #[error("{0} rows are more than one audit takes (4 billion); audit year by year")]
    TooManyRows(usize),
    /// There is nothing to look at.
    #[error("there are no rows; give at least one declared item")]
    NoRows,
    /// An option that makes no sense.
    #[error("{0}")]
    Option(String),
}

impl AuditError {
    /// Stable snake_case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::TooManyRows(_) => "audit_too_many_rows",
            Self::NoRows => "audit_no_rows",
            Self::Option(_) => "audit_option_invalid",
        }
    }
}
