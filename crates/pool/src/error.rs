//! What can go wrong with the pool: what happened, where, and what to do now.

use std::io;
use std::path::{Path, PathBuf};

use spine::Finding;
use thiserror::Error;

/// Why the pool refused or failed. Nothing half-written is ever left where a reader would find it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PoolError {
    /// The disk is full.
    #[error(
        "no space is left for {}: nothing of this was admitted, and everything admitted before is safe. Free some space on that disk, then try again.",
        path.display()
    )]
    StorageFull {
        /// The file that cannot grow.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("{}: {reason}. Check the path, its owner and the disk, then try again.", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file that an event names is not there.
    #[error("the pool's file {} is missing. Restore the pool folder from its backup.", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file is not the one that was admitted.
    #[error(
        "the pool's file {} is damaged: {reason}. Stop using this copy and restore it from its backup.",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A newer program wrote it.
    #[error(
        "{} has format {found}, but this program reads up to format {max}. Run the newer version of the program that wrote it. Nothing was changed.",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        max: u32,
    },
    /// Values that the pool's format cannot hold without loss.
    #[error("{} of the columns cannot be stored without loss. Correct what the findings name, then send the file again.", .0.len())]
    Unstorable(Vec<Finding>),
    /// The catalogue failed. It is derived: it can be deleted and is rebuilt.
    #[error("the pool's catalogue failed: {reason}. It is derived: stop the program, delete {}, and start again.", path.display())]
    Catalogue {
        /// The catalogue's file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The caller cancelled it.
    #[error("cancelled; nothing was admitted. Start it again.")]
    Cancelled,
}

impl PoolError {
    /// Stable snake_case code: translation key and problem type.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::StorageFull { .. } => "disk_full",
            Self::Io { .. } => "pool_io",
            Self::Missing { .. } => "pool_file_missing",
            Self::Damaged { .. } => "pool_file_damaged",
            Self::NewerFormat { .. } => "pool_newer",
            Self::Unstorable(_) => "pool_unstorable",
            Self::Catalogue { .. } => "pool_catalogue_failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::StorageFull { path: path.to_owned() }
            }
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), reason: error.to_string() },
        }
    }

    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}
