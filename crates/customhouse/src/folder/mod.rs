//! The data folder: one process at a time, one format version, one place for everything.
//!
//! Where several processes work on one journal in a database, each has a data folder of its own for what is derived,
//! and all of them name one more folder that they share. [`DataFolder::of_process`] and [`DataFolder::of_site`] say
//! what stands where; for a process that is alone both are the data folder.
//!
//! ```text
//! DATA/
//!   tidewaiter.toml     format version and node id
//!   lock                held while a process uses the folder
//!   journal.sqlite      events, payloads, blobs: the truth
//!   log/                transparency log of the journal: checkpoint, tiles, entries; may be served
//!   log-damaged/        what was damaged when the log was made anew from the journal, one folder for each time
//!   keys/               private keys of log and witness, and what the log remembers having signed; never served
//!   witness.policy      which logs this node cosigns, and whom it asks (C2SP tlog-policy); yours to write
//!   witness/            what this node saw of others' logs
//!   accounts.sqlite     password hashes and sessions: secrets, therefore not events
//!   pool/               immutable Parquet and quarantine, catalogue (derived)
//!   packs/              installed packs
//!   uploads/            files that wait to be admitted; swept at every start
//!   read-models/        what pages of declarations show (derived)
//!   tag-matrix/         who carries which tag (derived)
//!   tag-history/        which records of the pool carry which tag (derived)
//!   warnings/           counts of days that warnings rest on (derived)
//!   personal.sqlite     drafts of declarations as typed, saved views
//!   webhooks.sqlite     where notifications are pushed to, how far each has come, and the secrets that sign them
//!   erasures.json       which events were erased, by their ids; every backup carries the newest forward
//!   erasure.key         under which the subjects of erasures are known; belongs into every backup
//!   sandbox.toml        of a sandbox: how far its clock is ahead
//!   restore.part        of a folder that was restored and is not proven: it is not opened
//!   restored.json       of one that was restored: until witnesses say that they have seen no more, its log signs nothing
//!
//! SHARED/               the same files, of all processes of a site on one database
//!   site.toml           format version and the site's id: the log bears it as its name
//!   site.lock           held while something of it is changed
//!   log/ keys/ witness.policy witness/ accounts.sqlite pool/ packs/ personal.sqlite webhooks.sqlite
//!   erasures.json erasure.key
//! ```

mod site;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use journal::log::files::{make_folder_durably, parent_of, sync_system_folder};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
pub(crate) use site::mark_as_site;
use site::{SITE_LOCK, SITE_MARKER, Site};

pub use site::{Location, SiteLock};

/// The folder format this program writes and reads.
const FORMAT: u32 = 1;
/// Name of the marker.
pub(crate) const MARKER: &str = "tidewaiter.toml";

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
    node: String,
    administration: String,
    /// Made to be played with: its clock can be moved, everything in it is simulated.
    #[serde(default)]
    sandbox: bool,
    /// The journal stands in a database, of which this site is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    site: Option<String>,
}

/// An opened data folder; dropping it lets another process in.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    node: String,
    administration: String,
    sandbox: bool,
    site: Option<Site>,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, making it where it does not exist yet.
    ///
    /// Refused: a folder in use by another process, one of a newer format, and one that holds other things.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_alone(path, false)
    }

    /// Opens the folder at a location, and of a journal in a database the folder that its processes share.
    ///
    /// Refused beside what [`DataFolder::open`] refuses: a folder whose journal stands elsewhere than the location says.
    pub fn open_at(location: &Location) -> Result<Self, Error> {
        let Some(database) = &location.database else {
            if location.shared.is_some() {
                return Err(Error::new(
                    Kind::Invalid,
                    "shared_without_database",
                    "a folder to be shared was named, but no database",
                    "Name the database too: processes share a folder only where they share a journal.",
                ));
            }
            return Self::open(&location.data);
        };
        let opening = Opening::begin(&location.data)?;
        let site = Site::open(location.shared.as_deref().unwrap_or(&location.data), database)?;
        let mut folder = opening.finish(false, Some(site.id()))?;
        site.administration().clone_into(&mut folder.administration);
        folder.site = Some(site);
        Ok(folder)
    }

    /// Opens a folder that was made as a sandbox, or makes one.
    ///
    /// Refused beside what [`DataFolder::open`] refuses: a folder that is not a sandbox. Nor is a sandbox opened as
    /// anything else.
    pub fn open_sandbox(path: &Path) -> Result<Self, Error> {
        Self::open_alone(path, true)
    }

    fn open_alone(path: &Path, sandbox: bool) -> Result<Self, Error> {
        Opening::begin(path)?.finish(sandbox, None)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Place of what is this process's own: locks, uploads, and what is derived.
    #[must_use]
    pub fn of_process(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Folder of what all processes of the site have in common.
    #[must_use]
    pub fn site_path(&self) -> &Path {
        self.site.as_ref().map_or(self.path.as_path(), Site::path)
    }

    /// Place of what all processes of the site have in common.
    #[must_use]
    pub fn of_site(&self, name: &str) -> PathBuf {
        self.site_path().join(name)
    }

    /// The id under which the site is known to others: its log bears it.
    #[must_use]
    pub fn site(&self) -> &str {
        self.site.as_ref().map_or(&self.node, Site::id)
    }

    /// The database that holds the journal; `None`: a file in this folder does.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.site.as_ref().map(Site::database)
    }

    /// Waits until no other process changes what they share, and keeps them from it. A process that is alone waits for
    /// nobody.
    ///
    /// # Errors
    /// `site_busy` where another one does not come to an end.
    pub fn lock_site(&self) -> Result<SiteLock, Error> {
        self.site.as_ref().map_or_else(|| Ok(SiteLock::of_one_alone()), Site::lock)
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

/// A data folder that is taken, and what its marker says if it has one.
struct Opening {
    path: PathBuf,
    lock: File,
    marker: Option<Marker>,
}

impl Opening {
    fn begin(path: &Path) -> Result<Self, Error> {
        make_folder_durably(path).map_err(|error| Error::io("data_folder_unwritable", path, &error))?;
        restrict_to_owner(path)?;
        refuse_unproven(path)?;
        let marker_path = path.join(MARKER);
        if !marker_path.exists() && !is_fresh(path)? {
            return Err(foreign(path));
        }
        let lock = lock(path)?;
        let marker = if marker_path.exists() { Some(read_marker(&marker_path)?) } else { None };
        Ok(Self { path: path.to_owned(), lock, marker })
    }

    /// `site`: that whose database holds the journal.
    fn finish(self, sandbox: bool, site: Option<&str>) -> Result<DataFolder, Error> {
        let Self { path, lock, marker } = self;
        let marker = match marker {
            Some(marker) => marker,
            None => write_marker(&path.join(MARKER), sandbox, site)?,
        };
        if marker.sandbox != sandbox {
            return Err(other_kind(&path, marker.sandbox));
        }
        if marker.site.as_deref() != site {
            return Err(other_journal(&path, marker.site.is_some(), site.is_some()));
        }
        let Marker { node, administration, .. } = marker;
        Ok(DataFolder { path, node, administration, sandbox, site: None, _lock: lock })
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
    /// Looks at a house without taking it: other processes may be using it.
    pub(crate) fn look(location: &Location) -> Result<Self, Error> {
        if location.database.is_some() {
            return site::look(location.site_path());
        }
        let path = location.data.as_path();
        let marker_path = path.join(MARKER);
        if !marker_path.is_file() {
            return Err(Error::new(
                Kind::NotFound,
                "data_folder_missing",
                format!("{} is not a data folder", path.display()),
                "Check the spelling of --data.",
            ));
        }
        let marker = read_marker(&marker_path)?;
        if marker.site.is_some() {
            return Err(Error::new(
                Kind::Refused,
                "data_folder_of_database",
                format!("the journal of {} stands in a database", path.display()),
                NAME_THE_DATABASE,
            ));
        }
        Ok(Self { node: marker.node, administration: marker.administration, sandbox: marker.sandbox })
    }

    /// What the marker of a data folder says that has its journal in it.
    pub(crate) fn as_marker(&self) -> Result<String, Error> {
        toml_of(&Marker {
            format: FORMAT,
            node: self.node.clone(),
            administration: self.administration.clone(),
            sandbox: self.sandbox,
            site: None,
        })
    }
}

const NAME_THE_DATABASE: &str = "Name the database with --database or TIDEWAITER_DATABASE, and the folder that its processes share with --shared.";

/// Is a process using the folder at this moment?
pub(crate) fn is_in_use(path: &Path) -> bool {
    is_locked(&path.join("lock"))
}

/// Is something being changed at this moment in what all processes of a house have in common? One that is alone may be
/// changing it whenever it runs.
pub(crate) fn may_be_changing(location: &Location) -> bool {
    match location.database {
        Some(_) => is_locked(&location.site_path().join(SITE_LOCK)),
        None => is_in_use(&location.data),
    }
}

fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
}

fn is_fresh(path: &Path) -> Result<bool, Error> {
    let mut entries =
        fs::read_dir(path).map_err(|error| Error::io("data_folder_unreadable", path, &error))?;
    Ok(entries.all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            ["lock", SITE_LOCK, SITE_MARKER].iter().any(|own| name == *own) || is_half_marker(&name)
        })
    }))
}

/// What is left of a marker if its process dies before the marker has its name: see [`write_whole`].
fn is_half_marker(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    [MARKER, SITE_MARKER].iter().any(|own| name.starts_with(&format!(".{own}."))) && name.ends_with(".part")
}

fn foreign(path: &Path) -> Error {
    Error::new(
        Kind::Refused,
        "data_folder_foreign",
        format!("the folder {} holds other files and is not a data folder", path.display()),
        "Name an empty folder, a new one, or an existing data folder.",
    )
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

fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::io("data_folder_unreadable", path, &error))?;
    toml::from_str(&text).map_err(|error| {
        Error::new(
            Kind::FolderUnusable,
            "data_folder_marker_damaged",
            format!("{} cannot be read: {}", path.display(), error.message()),
            "Restore the file from a backup of the folder.",
        )
    })
}

fn toml_of(marker: &impl Serialize) -> Result<String, Error> {
    toml::to_string(marker).map_err(|error| Error::internal("marker_unwritable", &error))
}

fn check_format(path: &Path, format: u32) -> Result<(), Error> {
    if format <= FORMAT {
        return Ok(());
    }
    Err(Error::new(
        Kind::FolderUnusable,
        "data_folder_newer",
        format!(
            "the data folder {} has format {format}, but this program reads up to format {FORMAT}",
            path.parent().unwrap_or(path).display()
        ),
        "Run the newer version of tidewaiter that wrote it. Nothing was changed.",
    ))
}

fn read_marker(path: &Path) -> Result<Marker, Error> {
    let marker: Marker = read_toml(path)?;
    check_format(path, marker.format)?;
    Ok(marker)
}

/// The folder belongs to another journal than the one that was named.
fn other_journal(path: &Path, in_database: bool, database_named: bool) -> Error {
    let (code, detail, how_to_fix) = match (in_database, database_named) {
        (true, false) => ("data_folder_of_database", "belongs to a journal in a database", NAME_THE_DATABASE),
        (true, true) => (
            "data_folder_of_other_site",
            "belongs to another site",
            "Name the folder that this one shared before with --shared, or an empty data folder.",
        ),
        (false, _) => (
            "data_folder_with_journal",
            "has a journal of its own",
            "Name an empty folder; to bring a house into a database, restore its backup there.",
        ),
    };
    Error::new(Kind::Refused, code, format!("the data folder {} {detail}", path.display()), how_to_fix)
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

fn write_marker(path: &Path, sandbox: bool, site: Option<&str>) -> Result<Marker, Error> {
    let node = format!("node-{}", hex::encode(crate::random_bytes::<6>()?));
    let administration = "local".to_owned();
    let marker = Marker { format: FORMAT, node, administration, sandbox, site: site.map(str::to_owned) };
    write_whole(path, toml_of(&marker)?.as_bytes())?;
    Ok(marker)
}

/// Writes a file whole or not at all: beside its place, flushed, then renamed. When it returns, a loss of power takes
/// neither the file nor its name.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_whole_from(path, |file| file.write_all(bytes))
}

/// The same for what is too long to be in memory twice: `write` is given the neighbour.
pub(crate) fn write_whole_from(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
) -> Result<(), Error> {
    let fail = |error: std::io::Error| Error::io("file_unwritable", path, &error);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&beside).and_then(|file| {
        let mut buffered = BufWriter::with_capacity(1 << 20, &file);
        write(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&beside, path)) {
        // The half-written neighbour is of no use to anyone; failing to remove it changes nothing.
        let _ = fs::remove_file(&beside);
        return Err(fail(error));
    }
    sync_system_folder(parent_of(path)).map_err(fail)
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
    fn a_folder_whose_maker_died_before_it_had_a_marker_is_no_stranger() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lock"), "").unwrap();
        fs::write(folder.path().join(".tidewaiter.toml.4711.part"), "form").unwrap();
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_with_other_peoples_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.odt"), "years of work").unwrap();
        assert_eq!(DataFolder::open(folder.path()).unwrap_err().code, "data_folder_foreign");
    }
}
