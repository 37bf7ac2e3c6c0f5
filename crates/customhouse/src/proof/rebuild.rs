//! A damaged log made anew from the journal, without a house: one that does not open needs it most.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use journal::log::rebuild::Rebuild;
use journal::log::{JournalEntries, SignedCheckpoint};
use journal::{Journal, SqliteJournal, SqliteOptions};
use serde::Serialize;
use spine::Progress;

use super::model::VerifiedFolder;
use super::verify::{checkpoint_bytes, known_keys, verify_with};
use super::{KEYS_FOLDER, LOG_FOLDER, MEMORY_FOLDER, disk, origin, refused};
use crate::error::{Error, Kind};
use crate::folder::{DataFolder, FolderMark, Location};

/// Folder of what was damaged, in the data folder: in it one for each time.
const DAMAGED_FOLDER: &str = "log-damaged";

/// What came of making a log anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RebuiltLog {
    /// Every checkpoint that the journal was compared with: where it stands, and its events.
    pub compared: Vec<(String, u64)>,
    /// Files that were missing or damaged, by their paths in the log's folder; one begins with `log-memory/`.
    pub renewed: Vec<String>,
    /// Where copies of the damaged ones stand, if there were any.
    pub kept_aside: Option<PathBuf>,
    /// The verification of the whole folder after it.
    pub verified: VerifiedFolder,
}

/// Makes the log in a data folder anew from its journal, up to the newest checkpoint that is known: the published, the
/// remembered and the witnessed one, and those in the files `seen`. Keys are taken from `trusted`, as in
/// [`super::verify_at`].
///
/// # Errors
/// Nothing is changed if the journal contradicts a known checkpoint (`log_would_fork`), ends before one
/// (`log_journal_behind`), or none is left (`log_nothing_known`). Refused of a folder in use, and of a journal in a
/// database.
pub fn rebuild_log(
    location: &Location,
    trusted: &[String],
    seen: &[PathBuf],
    progress: &dyn Progress,
) -> Result<RebuiltLog, Error> {
    if location.database.is_some() {
        return Err(Error::new(
            Kind::Refused,
            "data_folder_of_database",
            "a log that several processes keep is not rebuilt by this command",
            "Stop them all, move the folder `log` of the folder that they share away, put its folder `keys` back into a new `log`, and start one: it makes the log anew from the journal up to what it remembers to have signed.",
        ));
    }
    let data = location.data.as_path();
    // One that is not there is not made.
    FolderMark::look(location)?;
    let folder = open_folder(data)?;
    let journal = journal_of(&folder)?;
    let known = known_keys(data, trusted)?;
    let aside = data.join(DAMAGED_FOLDER).join(Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string());
    progress.report("rebuilding_the_log", 0, 0);
    let source = JournalEntries(Arc::clone(&journal));
    let seen = seen.iter().map(|path| read_seen(path)).collect::<Result<_, _>>()?;
    let rebuild = Rebuild {
        files: disk(&data.join(LOG_FOLDER))?,
        memory: disk(&data.join(KEYS_FOLDER).join(MEMORY_FOLDER))?,
        aside: disk(&aside)?,
        source: &source,
        origin: &origin(folder.administration(), folder.site()),
        known: &known,
        seen,
    };
    let rebuilt = rebuild.run();
    for empty in [aside.join("pending"), aside.clone(), data.join(DAMAGED_FOLDER)] {
        // What something stands in stays.
        let _ = fs::remove_dir(empty);
    }
    let rebuilt = rebuilt.map_err(|error| refused(&error))?;
    let verified = verify_with(data, trusted, || Ok(Some(journal)), progress)?;
    Ok(RebuiltLog {
        compared: rebuilt.compared,
        renewed: rebuilt.renewed,
        kept_aside: (!rebuilt.kept_aside.is_empty()).then_some(aside),
        verified,
    })
}

/// A data folder, whether it is a sandbox or not.
fn open_folder(data: &Path) -> Result<DataFolder, Error> {
    match DataFolder::open(data) {
        Err(error) if error.code == "data_folder_sandbox" => DataFolder::open_sandbox(data),
        opened => opened,
    }
}

/// The journal in the file of a data folder.
fn journal_of(folder: &DataFolder) -> Result<Arc<dyn Journal>, Error> {
    let path = folder.of_process("journal.sqlite");
    let options = SqliteOptions::new(&path, folder.node(), folder.administration());
    Ok(Arc::new(SqliteJournal::open(&options)?))
}

/// A checkpoint that somebody else kept, and where it stands.
fn read_seen(path: &Path) -> Result<(String, SignedCheckpoint), Error> {
    let seen = SignedCheckpoint::parse(&checkpoint_bytes(path)?).map_err(|error| refused(&error))?;
    Ok((path.display().to_string(), seen))
}
