//! What several processes on one database share: a folder, beside a data folder of each.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use journal::log::files::make_folder_durably;
use serde::{Deserialize, Serialize};

use super::{
    FORMAT, FolderMark, MARKER, check_format, foreign, is_fresh, other_journal, read_marker, read_toml,
    refuse_unproven, restrict_to_owner, toml_of, write_whole,
};
use crate::error::{Error, Kind};

/// Name of the site's marker.
pub(super) const SITE_MARKER: &str = "site.toml";
/// File that is locked while what processes share is changed.
pub(super) const SITE_LOCK: &str = "site.lock";
/// How long it is waited for another process that changes something they share.
const SITE_LOCK_WAIT: Duration = Duration::from_secs(60);
/// How often it is looked whether it has done so.
const SITE_LOCK_CHECK: Duration = Duration::from_millis(20);

#[derive(Debug, Serialize, Deserialize)]
struct SiteMarker {
    format: u32,
    site: String,
    administration: String,
}

/// Where a house stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    /// The data folder.
    pub data: PathBuf,
    /// The database that holds the journal, `postgres://USER@HOST/NAME`; `None`: a file in the data folder does. It may
    /// hold a password, which is never shown.
    pub database: Option<String>,
    /// The folder that all processes on this database share; `None`: this one is alone with it.
    pub shared: Option<PathBuf>,
}

impl Location {
    /// Folder of what all processes of a house have in common; the data folder of one that is alone.
    #[must_use]
    pub fn site_path(&self) -> &Path {
        self.shared.as_deref().unwrap_or(&self.data)
    }
}

impl std::fmt::Debug for Location {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Location")
            .field("data", &self.data)
            .field("database", &self.database.is_some())
            .field("shared", &self.shared)
            .finish()
    }
}

impl From<&Path> for Location {
    /// A data folder with its journal in it.
    fn from(data: &Path) -> Self {
        Self { data: data.to_owned(), database: None, shared: None }
    }
}

/// What processes on one database have in common.
#[derive(Debug)]
pub(super) struct Site {
    path: PathBuf,
    marker: SiteMarker,
    database: String,
}

/// While this is held no other process of the site changes what they share.
#[derive(Debug)]
#[must_use]
pub struct SiteLock {
    _file: Option<File>,
}

impl SiteLock {
    /// What a process holds that shares nothing.
    pub(super) fn of_one_alone() -> Self {
        Self { _file: None }
    }
}

impl Site {
    /// Opens the folder that the processes on a database share, making it where it does not exist yet.
    pub(super) fn open(path: &Path, database: &str) -> Result<Self, Error> {
        refuse_unproven(path)?;
        Ok(Self { path: path.to_owned(), marker: read_or_make(path)?, database: database.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn id(&self) -> &str {
        &self.marker.site
    }

    pub(super) fn administration(&self) -> &str {
        &self.marker.administration
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) fn lock(&self) -> Result<SiteLock, Error> {
        lock_site(&self.path)
    }
}

fn lock_site(path: &Path) -> Result<SiteLock, Error> {
    let lock_path = path.join(SITE_LOCK);
    let failed = |error: std::io::Error| Error::io("data_folder_unwritable", &lock_path, &error);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path).map_err(failed)?;
    let until = Instant::now() + SITE_LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(SiteLock { _file: Some(file) }),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(SITE_LOCK_CHECK);
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Kind::Busy,
                    "site_busy",
                    format!("another process changes something in {}", path.display()),
                    "Try again in a minute; if it lasts, look what that process does.",
                ));
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Opens the folder that processes share, making it where it does not exist yet.
fn read_or_make(path: &Path) -> Result<SiteMarker, Error> {
    make_folder_durably(path).map_err(|error| Error::io("data_folder_unwritable", path, &error))?;
    restrict_to_owner(path)?;
    let marker_path = path.join(SITE_MARKER);
    let of_process = path.join(MARKER);
    if of_process.exists() {
        if read_marker(&of_process)?.site.is_none() {
            return Err(other_journal(path, false, true));
        }
    } else if !marker_path.exists() && !is_fresh(path)? {
        return Err(foreign(path));
    }
    let _lock = lock_site(path)?;
    if marker_path.exists() {
        let marker: SiteMarker = read_toml(&marker_path)?;
        check_format(&marker_path, marker.format)?;
        return Ok(marker);
    }
    let marker = SiteMarker {
        format: FORMAT,
        site: format!("site-{}", hex::encode(crate::random_bytes::<6>()?)),
        administration: "local".to_owned(),
    };
    write_whole(&marker_path, toml_of(&marker)?.as_bytes())?;
    Ok(marker)
}

/// Looks at the folder of a site, which its processes may be using.
pub(super) fn look(path: &Path) -> Result<FolderMark, Error> {
    let marker_path = path.join(SITE_MARKER);
    if !marker_path.is_file() {
        return Err(Error::new(
            Kind::NotFound,
            "data_folder_missing",
            format!("{} is not the folder of a site on a database", path.display()),
            "Check the spelling of --shared, or of --data where nothing is shared.",
        ));
    }
    let marker: SiteMarker = read_toml(&marker_path)?;
    check_format(&marker_path, marker.format)?;
    Ok(FolderMark { node: marker.site, administration: marker.administration, sandbox: false })
}

/// Makes a folder that of a site under the name that a house had before: its log goes on under that name.
pub(crate) fn mark_as_site(path: &Path, mark: &FolderMark) -> Result<(), Error> {
    let marker =
        SiteMarker { format: FORMAT, site: mark.node.clone(), administration: mark.administration.clone() };
    write_whole(&path.join(SITE_MARKER), toml_of(&marker)?.as_bytes())
}
