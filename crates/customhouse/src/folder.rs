//! The data folder: one process at a time, one format version, one place for everything.
//!
//! ```text
//! DATA/
//!   tidewaiter.toml     format version and node id
//!   lock                held while a process uses the folder
//!   journal.sqlite      events, payloads, blobs: the truth
//!   log/                transparency log of the journal: checkpoint, tiles, entries; may be served
//!   keys/               private keys of log and witness, and what the log remembers having signed; never served
//!   witness.policy      which logs this node cosigns, and whom it asks (C2SP tlog-policy); yours to write
//!   witness/            what this node saw of others' logs
//!   accounts.sqlite     password hashes and sessions: secrets, therefore not events
//!   pool/               immutable Parquet and quarantine, catalogue (derived)
//!   packs/              installed packs
//!   uploads/            files that wait to be admitted; swept at every start
//!   read-models/        what pages of declarations show (derived)
//!   personal.sqlite     drafts of declarations as typed, saved views
//!   erasures.json       which events were erased, by their ids; every backup carries the newest forward
//!   erasure.key         under which the subjects of erasures are known; belongs into every backup
//!   sandbox.toml        of a sandbox: how far its clock is ahead
//!   restore.part        of a folder that was restored and is not proven: it is not opened
//!   restored.json       of one that was restored: until witnesses say that they have seen no more, its log signs nothing
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};

/// The folder format this program writes and reads.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
    node: String,
    administration: String,
    /// Made to be played with: its clock can be moved, everything in it is simulated.
    #[serde(default)]
    sandbox: bool,
}

/// An opened data folder; dropping it lets another process in.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    node: String,
    administration: String,
    sandbox: bool,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, making it where it does not exist yet.
    ///
    /// Refused: a folder in use by another process, one of a newer format, and one that holds other things.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_as(path, false)
    }

    /// Opens a folder that was made as a sandbox, or makes one.
    ///
    /// Refused beside what [`DataFolder::open`] refuses: a folder that is not a sandbox. Nor is a sandbox opened as
    /// anything else.
    pub fn open_sandbox(path: &Path) -> Result<Self, Error> {
        Self::open_as(path, true)
    }

    fn open_as(path: &Path, sandbox: bool) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(|error| Error::io("data_folder_unwritable", path, &error))?;
        restrict_to_owner(path)?;
        refuse_unproven(path)?;
        let marker_path = path.join("tidewaiter.toml");
        if !marker_path.exists() && !is_fresh(path)? {
            return Err(Error::new(
                Kind::Refused,
                "data_folder_foreign",
                format!("the folder {} holds other files and is not a data folder", path.display()),
                "Name an empty folder, a new one, or an existing data folder.",
            ));
        }
        let lock = lock(path)?;
        let marker = if marker_path.exists() {
            read_marker(&marker_path)?
        } else {
            write_marker(&marker_path, sandbox)?
        };
        if marker.sandbox != sandbox {
            return Err(other_kind(path, marker.sandbox));
        }
        Ok(Self {
            path: path.to_owned(),
            node: marker.node,
            administration: marker.administration,
            sandbox: marker.sandbox,
            _lock: lock,
        })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// This node's id: events recorded here carry it.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Was it made to be played with?
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.sandbox
    }

    /// The administration whose records these are.
    #[must_use]
    pub fn administration(&self) -> &str {
        &self.administration
    }
}

/// Name of the file that says that a folder was restored and is not proven.
pub(crate) const UNPROVEN_FILE: &str = "restore.part";

/// A folder that a restore has not proven is not opened.
fn refuse_unproven(path: &Path) -> Result<(), Error> {
    if !path.join(UNPROVEN_FILE).exists() {
        return Ok(());
    }
    Err(Error::new(
        Kind::FolderUnusable,
        "data_folder_unproven",
        format!("the data folder {} was restored, and what came back is not proven", path.display()),
        "Restore again into an empty folder, or from another backup, and use that one.",
    ))
}

/// What a folder says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FolderMark {
    pub(crate) node: String,
    pub(crate) administration: String,
    pub(crate) sandbox: bool,
}

impl FolderMark {
    /// Looks at a data folder without taking it: another process may be using it.
    pub(crate) fn look(path: &Path) -> Result<Self, Error> {
        let marker_path = path.join("tidewaiter.toml");
        if !marker_path.is_file() {
            return Err(Error::new(
                Kind::NotFound,
                "data_folder_missing",
                format!("{} is not a data folder", path.display()),
                "Check the spelling of --data.",
            ));
        }
        let marker = read_marker(&marker_path)?;
        Ok(Self { node: marker.node, administration: marker.administration, sandbox: marker.sandbox })
    }
}

/// Is a process using the folder at this moment?
pub(crate) fn is_in_use(path: &Path) -> bool {
    let Ok(file) = File::open(path.join("lock")) else { return false };
    matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
}

fn is_fresh(path: &Path) -> Result<bool, Error> {
    let mut entries =
        fs::read_dir(path).map_err(|error| Error::io("data_folder_unreadable", path, &error))?;
    Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lock")))
}

fn lock(path: &Path) -> Result<File, Error> {
    let lock_path = path.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| Error::io("data_folder_unwritable", &lock_path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::new(
            Kind::FolderUnusable,
            "data_folder_in_use",
            format!("another tidewaiter process uses the data folder {}", path.display()),
            "Stop that process, use its pages or API instead, or name another folder with --data.",
        )),
        Err(fs::TryLockError::Error(error)) => Err(Error::io("data_folder_unwritable", &lock_path, &error)),
    }
}

fn read_marker(path: &Path) -> Result<Marker, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::io("data_folder_unreadable", path, &error))?;
    let marker: Marker = toml::from_str(&text).map_err(|error| {
        Error::new(
            Kind::FolderUnusable,
            "data_folder_marker_damaged",
            format!("{} cannot be read: {}", path.display(), error.message()),
            "Restore the file from a backup of the folder.",
        )
    })?;
    if marker.format > FORMAT {
        return Err(Error::new(
            Kind::FolderUnusable,
            "data_folder_newer",
            format!(
                "the data folder {} has format {}, but this program reads up to format {FORMAT}",
                path.parent().unwrap_or(path).display(),
                marker.format
            ),
            "Run the newer version of tidewaiter that wrote it. Nothing was changed.",
        ));
    }
    Ok(marker)
}

fn other_kind(path: &Path, sandbox: bool) -> Error {
    let (code, detail, how_to_fix) = if sandbox {
        ("data_folder_sandbox", "is a sandbox", "Open it with `serve --sandbox`, or name another folder.")
    } else {
        (
            "data_folder_no_sandbox",
            "is no sandbox",
            "Name a new folder: a sandbox never touches real records.",
        )
    };
    Error::new(Kind::Refused, code, format!("the data folder {} {detail}", path.display()), how_to_fix)
}

fn write_marker(path: &Path, sandbox: bool) -> Result<Marker, Error> {
    let node = format!("node-{}", hex::encode(crate::random_bytes::<6>()?));
    let marker = Marker { format: FORMAT, node, administration: "local".to_owned(), sandbox };
    let text = toml::to_string(&marker).map_err(|error| Error::internal("marker_unwritable", &error))?;
    write_whole(path, text.as_bytes())?;
    Ok(marker)
}

/// Writes a file whole or not at all: beside its place, flushed, then renamed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = |error: std::io::Error| Error::io("file_unwritable", path, &error);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&beside, path)) {
        // The half-written neighbour is of no use to anyone; failing to remove it changes nothing.
        let _ = fs::remove_file(&beside);
        return Err(fail(error));
    }
    Ok(())
}

#[cfg(unix)]
fn restrict_to_owner(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .map_err(|error| Error::io("data_folder_unwritable", path, &error))
}

#[cfg(not(unix))]
fn restrict_to_owner(_path: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err();
        assert_eq!(refused.code, "data_folder_in_use");
        let node = first.node().to_owned();
        drop(first);
        assert_eq!(DataFolder::open(folder.path()).unwrap().node(), node);
    }

    #[test]
    fn a_sandbox_is_opened_as_a_sandbox_only() {
        let folder = tempfile::tempdir().unwrap();
        let (real, played) = (folder.path().join("real"), folder.path().join("played"));
        drop((DataFolder::open(&real).unwrap(), DataFolder::open_sandbox(&played).unwrap()));
        assert_eq!(DataFolder::open_sandbox(&real).unwrap_err().code, "data_folder_no_sandbox");
        assert_eq!(DataFolder::open(&played).unwrap_err().code, "data_folder_sandbox");
        assert!(DataFolder::open_sandbox(&played).unwrap().is_sandbox());
    }

    #[test]
    fn a_folder_of_a_newer_format_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let newer = "format = 99\nnode = \"n\"\nadministration = \"a\"\n";
        fs::write(folder.path().join("tidewaiter.toml"), newer).unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err();
        assert_eq!(refused.code, "data_folder_newer");
        assert_eq!(fs::read_to_string(folder.path().join("tidewaiter.toml")).unwrap(), newer);
    }

    #[test]
    fn a_folder_with_other_peoples_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.odt"), "years of work").unwrap();
        assert_eq!(DataFolder::open(folder.path()).unwrap_err().code, "data_folder_foreign");
    }
}
