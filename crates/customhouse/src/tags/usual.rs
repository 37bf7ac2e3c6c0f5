//! A pack of what is usual, made from records: of a file, or of the pool.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ::tags::usual::{UsualPack, usual};
use serde::Serialize;
use spine::Progress;

use super::read_model::read_declarations;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::pool::BatchSelection;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsualReport {
    /// Entries looked at.
    pub entries: usize,
    /// Rows of each table of the pack.
    pub rows: BTreeMap<String, usize>,
    /// The folder of the pack.
    pub folder: PathBuf,
}

/// Writes a pack of what is usual in a file of declarations to a new folder.
///
/// # Errors
/// `folder_used`, and those of reading a file: `declarations_unreadable`, `cancelled`.
pub fn usual_in_file(
    declarations: &Path,
    map: Option<&Path>,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<UsualReport, Error> {
    refuse_used(folder)?;
    let intake = read_declarations(declarations, map, progress)?;
    write(usual(&intake.table), folder)
}

impl Customhouse {
    /// Writes a pack of what is usual in the latest million rows of the pool to a new folder.
    pub fn usual_in_pool(
        &self,
        reader: &Reader,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<UsualReport, Error> {
        reader.require(Permission::ManagePacks)?;
        refuse_used(folder)?;
        let (batches, _, _) = self.latest_batches(reader)?;
        let entries = self.load_entries(reader, &BatchSelection::These(batches), progress)?;
        write(usual(&entries.table), folder)
    }
}

fn refuse_used(folder: &Path) -> Result<(), Error> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(Error::new(
            Kind::Refused,
            "folder_used",
            format!("{} is there already and not empty", folder.display()),
            "Name a new folder for the pack.",
        ));
    }
    Ok(())
}

fn write(pack: UsualPack, folder: &Path) -> Result<UsualReport, Error> {
    fs::create_dir_all(folder).map_err(|error| Error::io("folder_unwritable", folder, &error))?;
    for (path, text) in &pack.files {
        crate::write_whole(&folder.join(path), text.as_bytes())?;
    }
    Ok(UsualReport { entries: pack.entries, rows: pack.rows, folder: folder.to_owned() })
}
