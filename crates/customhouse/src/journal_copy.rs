//! Carrying a journal from a file into a database, or back.

use std::path::{Path, PathBuf};

use journal::{AnyJournal, PostgresJournal};
use serde::Serialize;
use spine::Progress;

use crate::error::{Error, Kind};
use crate::folder::is_in_use;

/// Under this name nothing is recorded.
const NODE: &str = "copy";

/// What two journals have in common after a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopiedJournal {
    /// Events that both hold.
    pub events: u64,
    /// How many of them were carried this time.
    pub events_carried: u64,
    /// Blobs carried this time.
    pub blobs_carried: u64,
    /// Root of the log over these events, computed from either; base64, as checkpoints have it.
    pub root: String,
}

/// Copies a journal; what an interrupted copy left is gone on with. Either place is the address of a database, the
/// file of a journal, or, to copy from, a data folder that no process uses.
///
/// # Errors
/// `data_folder_in_use`, `journal_missing`; `journals_differ` where the destination holds something else; those of the
/// stores.
pub fn copy_journal(from: &str, to: &str, progress: &dyn Progress) -> Result<CopiedJournal, Error> {
    let source = open_source(from)?;
    if !journal::is_database(to) && Path::new(to).is_dir() {
        return Err(Error::new(
            Kind::Invalid,
            "journal_is_folder",
            format!("{to} is a folder"),
            "Name the file that the journal is to stand in, such as journal.sqlite in it, or a database.",
        ));
    }
    let destination = journal::open(to, NODE, NODE)?;
    let copied = journal::copy(&source, &destination, &mut |now| {
        progress.report("copying_events", now.events, now.events_total);
    })?;
    Ok(CopiedJournal {
        events: copied.events,
        events_carried: copied.events_carried,
        blobs_carried: copied.blobs_carried,
        root: copied.root.to_string(),
    })
}

fn open_source(from: &str) -> Result<AnyJournal, Error> {
    if journal::is_database(from) {
        return Ok(AnyJournal::Postgres(PostgresJournal::open_read_only(from)?));
    }
    let place = Path::new(from);
    if place.is_dir() && is_in_use(place) {
        return Err(Error::new(
            Kind::FolderUnusable,
            "data_folder_in_use",
            format!("another tidewaiter process uses the data folder {from}"),
            "Stop that process: what it recorded meanwhile would be missing.",
        ));
    }
    let file: PathBuf = if place.is_dir() { place.join("journal.sqlite") } else { place.to_owned() };
    if !file.is_file() {
        return Err(Error::new(
            Kind::NotFound,
            "journal_missing",
            format!("there is no journal at {}", file.display()),
            "Name a data folder, the file of a journal, or a database.",
        ));
    }
    Ok(journal::open(&file.to_string_lossy(), NODE, NODE)?)
}
