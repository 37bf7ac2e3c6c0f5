//! What PostgreSQL's errors mean to a caller. Codes are those of its manual, appendix A (SQLSTATE).

use std::error::Error as _;
use std::path::Path;

use tokio_postgres::error::SqlState;

use crate::error::JournalError;

/// Why a question to the database got no answer.
pub(super) enum Failure {
    /// It answered with an error, or the connection broke.
    Database(tokio_postgres::Error),
    /// It did not answer in time.
    Silence,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    /// Whether the connection can no longer be used, so that nobody knows what became of the last command.
    pub(super) fn is_loss(&self) -> bool {
        match self {
            Self::Silence => true,
            Self::Database(error) => match error.code() {
                None => true,
                // Connection exceptions; operator intervention other than a cancelled statement.
                Some(code) => code.code().starts_with("08") || code.code().starts_with("57P"),
            },
        }
    }

    /// Whether the server ended an idle transaction: the connection is gone, and nothing was recorded.
    pub(super) fn is_end_of_patience(&self) -> bool {
        matches!(self, Self::Database(error)
            if error.code() == Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT))
    }

    /// What was said, the causes included.
    pub(super) fn reason(&self) -> String {
        let Self::Database(error) = self else { return "no answer in time".to_owned() };
        if let Some(said) = error.as_db_error() {
            return said.message().to_owned();
        }
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason = format!("{reason}: {error}");
            cause = error.source();
        }
        reason
    }

    /// The error of a command that is known to have recorded nothing.
    pub(super) fn explain(&self, database: &Path) -> JournalError {
        let path = database.to_owned();
        let reason = self.reason();
        if self.is_loss() || self.is_end_of_patience() {
            return JournalError::Unavailable { database: path, reason };
        }
        let Self::Database(error) = self else { return JournalError::Unavailable { database: path, reason } };
        match error.code() {
            Some(&SqlState::DISK_FULL) => JournalError::StorageFull { path },
            Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::QUERY_CANCELED) => JournalError::Busy { path },
            Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => {
                JournalError::Corrupt { place: database.display().to_string(), reason }
            }
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => JournalError::ReadOnly { path },
            // Wrong password or role; no such database; too few resources.
            Some(code) if ["28", "3D", "53"].iter().any(|class| code.code().starts_with(class)) => {
                JournalError::Unavailable { database: path, reason }
            }
            _ => JournalError::Io { path, reason },
        }
    }
}
