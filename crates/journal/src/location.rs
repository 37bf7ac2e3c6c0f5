//! A journal by where it stands: a file, or the address of a database.

use std::path::Path;
use std::sync::Arc;

use crate::Journal;
use crate::copy::Raw;
use crate::error::JournalError;
use crate::postgres::{PostgresJournal, PostgresOptions};
use crate::sqlite::{SqliteJournal, SqliteOptions};

/// A journal on either store.
#[derive(Debug)]
pub enum AnyJournal {
    /// In an SQLite file.
    Sqlite(SqliteJournal),
    /// In a PostgreSQL database.
    Postgres(PostgresJournal),
}

impl AnyJournal {
    /// The journal, whatever it runs on.
    #[must_use]
    pub fn journal(&self) -> &dyn Journal {
        match self {
            Self::Sqlite(journal) => journal,
            Self::Postgres(journal) => journal,
        }
    }

    /// The journal to be shared among threads.
    #[must_use]
    pub fn into_shared(self) -> Arc<dyn Journal> {
        match self {
            Self::Sqlite(journal) => Arc::new(journal),
            Self::Postgres(journal) => Arc::new(journal),
        }
    }

    pub(crate) fn raw(&self) -> &dyn Raw {
        match self {
            Self::Sqlite(journal) => journal,
            Self::Postgres(journal) => journal,
        }
    }
}

/// Whether this names a database and not a file.
#[must_use]
pub fn is_database(location: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| location.starts_with(scheme))
}

/// Opens the journal at a location: `postgres://USER@HOST/NAME` is a database ([`PostgresOptions::url`]), anything else
/// the path of a file. It is made where there is none yet, and records for this node and administration on the
/// operating system's clock.
///
/// # Errors
/// Those of [`SqliteJournal::open`] and [`PostgresJournal::open`].
pub fn open(location: &str, node: &str, administration: &str) -> Result<AnyJournal, JournalError> {
    if is_database(location) {
        let options = PostgresOptions::new(location, node, administration);
        return PostgresJournal::open(&options).map(AnyJournal::Postgres);
    }
    SqliteJournal::open(&SqliteOptions::new(Path::new(location), node, administration))
        .map(AnyJournal::Sqlite)
}
