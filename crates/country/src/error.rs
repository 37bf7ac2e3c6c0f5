//! What can go wrong while a country is made.

use std::io;
use std::path::{Path, PathBuf};

/// Why no country came out.
#[derive(Debug, thiserror::Error)]
pub enum CountryError {
    /// `world.toml`, `names.toml` or a file of `commodities/` does not describe a country.
    #[error("{file}: {reason}")]
    Parameters {
        /// Which of the files.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// More declarations than one country makes.
    #[error(
        "{asked} declarations are more than the {max} a country makes; ask for fewer, or make several with different seeds"
    )]
    TooMany {
        /// Declarations asked for.
        asked: u64,
        /// Declarations at most.
        max: u64,
    },
    /// A history of no days, or of too many, or beyond the calendar.
    #[error("a history of {asked} days cannot be made: ask for 1 to {max}, that end before the year 10000")]
    Days {
        /// Days asked for.
        asked: u32,
        /// Days at most.
        max: u32,
    },
    /// The list of codes that was to take the table's place is none.
    #[error("these commodity codes cannot be traded: {0}")]
    Codes(String),
    /// The folder holds other things.
    #[error("the folder {} holds other files; name a new or an empty one, or one that this program wrote before", .0.display())]
    FolderForeign(PathBuf),
    /// A file cannot be written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The caller cancelled; nothing half-written is left.
    #[error("cancelled; nothing half-written is left")]
    Cancelled,
}

impl CountryError {
    /// Stable snake_case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Parameters { .. } => "country_parameters",
            Self::TooMany { .. } => "country_too_large",
            Self::Days { .. } => "country_days",
            Self::Codes(_) => "country_codes",
            Self::FolderForeign(_) => "folder_foreign",
            Self::Io { .. } => "file_unwritable",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn io(path: &Path, cause: io::Error) -> Self {
        Self::Io { path: path.to_owned(), cause }
    }
}
