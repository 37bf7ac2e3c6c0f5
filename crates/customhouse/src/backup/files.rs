//! Everything of a house that is neither journal nor tile nor Parquet: kept by its hash, so that what did not
//! change is kept once, and nothing that an older state needs is overwritten.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use journal::log::KeyChange;
use journal::log::tiles::{CHECKPOINT, WITNESSED_CHECKPOINT};
use journal::log::writer::SIGNED;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use spine::{Progress, Silent};

use super::manifest::KeptFile;
use super::source::{MEMORY_FOLDER, Signed, Source};
use super::{beside, destroy, flush_folder, hash_file, names_in, place};
use crate::error::Error;
use crate::folder::MARKER;
use crate::proof::{KEYS_FOLDER, LOG_FOLDER, POLICY_FILE, WITNESS_FOLDER};

/// Folder in the backup.
pub(super) const FILES_FOLDER: &str = "files";
/// Single files that are copied as they are, beside the marker.
const SINGLE: [&str; 4] = ["sandbox.toml", POLICY_FILE, "erasures.json", "erasure.key"];
/// Databases that are copied while somebody may write them.
const DATABASES: [&str; 3] = ["accounts.sqlite", "personal.sqlite", "webhooks.sqlite"];
/// Folders that are copied whole.
const FOLDERS: [&str; 3] = [KEYS_FOLDER, WITNESS_FOLDER, "packs"];
/// Deepest folder that is looked into, and most files that there may be.
const DEPTH_MAX: usize = 16;
const FILES_MAX: usize = 1_000_000;
/// How often a database that is being written is tried again.
const BUSY_TRIES_MAX: u32 = 600;

/// Files kept by their hash.
pub(super) struct FileStore<'a> {
    folder: PathBuf,
    progress: &'a dyn Progress,
    /// Read everything that is there already, instead of believing its name.
    check: bool,
    pub(super) kept: Vec<KeptFile>,
    pub(super) new: u64,
    pub(super) new_bytes: u64,
}

impl<'a> FileStore<'a> {
    pub(super) fn open(backup: &Path, check: bool, progress: &'a dyn Progress) -> Result<Self, Error> {
        let folder = backup.join(FILES_FOLDER);
        super::make_private_folder(&folder)?;
        Ok(Self { folder, progress, check, kept: Vec::new(), new: 0, new_bytes: 0 })
    }

    /// Keeps everything of a folder. Keys before what they sign: a key that was changed meanwhile has its record.
    pub(super) fn keep_all(&mut self, source: &Source, signed: &Signed) -> Result<(), Error> {
        self.keep_marker(source)?;
        for name in SINGLE {
            self.keep_file(name, &source.path.join(name))?;
        }
        for name in DATABASES {
            self.keep_database(name, &source.path.join(name))?;
        }
        for name in FOLDERS {
            let mut found = Vec::new();
            walk(&source.path.join(name), name, 0, &mut found)?;
            for (name, path) in found {
                self.keep_file(&name, &path)?;
            }
        }
        for number in 0..signed.key_changes {
            let name = format!("{LOG_FOLDER}/{}", KeyChange::path(number));
            self.keep_file(&name, &source.path.join(&name))?;
        }
        let memory = format!("{KEYS_FOLDER}/{MEMORY_FOLDER}/{SIGNED}");
        let checkpoints = [
            (memory, signed.memory.as_deref()),
            (format!("{LOG_FOLDER}/{CHECKPOINT}"), signed.checkpoint.as_ref().map(|own| own.1.as_slice())),
            (
                format!("{LOG_FOLDER}/{WITNESSED_CHECKPOINT}"),
                signed.witnessed.as_ref().map(|own| own.1.as_slice()),
            ),
        ];
        for (name, bytes) in checkpoints {
            if let Some(bytes) = bytes {
                self.keep_bytes(&name, bytes)?;
            }
        }
        self.kept.sort_by(|one, other| one.path.cmp(&other.path));
        flush_folder(&self.folder)
    }

    /// The marker of a data folder, also where what is backed up is not one: a backup looks the same wherever it was
    /// made.
    fn keep_marker(&mut self, source: &Source) -> Result<(), Error> {
        if source.in_database() {
            self.keep_bytes(MARKER, source.mark.as_marker()?.as_bytes())
        } else {
            self.keep_file(MARKER, &source.path.join(MARKER))
        }
    }

    fn keep_bytes(&mut self, name: &str, mut bytes: &[u8]) -> Result<(), Error> {
        let beside = self.folder.join(".bytes.new");
        let (sha256, number) = place(&beside, &mut bytes, self.progress)?;
        self.adopt(name, &beside, sha256, number)
    }

    fn keep_file(&mut self, name: &str, path: &Path) -> Result<(), Error> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("file_unreadable", path, &error)),
        };
        let beside = self.folder.join(".file.new");
        let (sha256, bytes) = place(&beside, &mut file, self.progress)?;
        self.adopt(name, &beside, sha256, bytes)
    }

    /// A snapshot of a database that another process may be writing.
    fn keep_database(&mut self, name: &str, path: &Path) -> Result<(), Error> {
        if !path.exists() {
            return Ok(());
        }
        let copy = self.folder.join(".database.new");
        snapshot(path, &copy)?;
        let (sha256, bytes) = hash_file(&copy)?;
        self.adopt(name, &copy, sha256, bytes)
    }

    /// Gives a file that stands in the store its name, unless it is there already.
    fn adopt(&mut self, name: &str, beside: &Path, sha256: String, bytes: u64) -> Result<(), Error> {
        if self.progress.cancelled() {
            return Err(super::cancelled());
        }
        let place = self.folder.join(&sha256);
        let there = fs::metadata(&place).is_ok_and(|found| found.len() == bytes)
            && (!self.check || hash_file(&place)?.0 == sha256);
        let done = if there { fs::remove_file(beside) } else { fs::rename(beside, &place) };
        done.map_err(|error| Error::io("file_unwritable", &place, &error))?;
        if !there {
            self.new = self.new.saturating_add(1);
            self.new_bytes = self.new_bytes.saturating_add(bytes);
        }
        self.kept.push(KeptFile { path: name.to_owned(), sha256, bytes });
        Ok(())
    }
}

/// Destroys what no kept file names any more.
pub(super) fn sweep(backup: &Path, kept: &[KeptFile]) -> Result<(), Error> {
    let folder = backup.join(FILES_FOLDER);
    let named: BTreeSet<&str> = kept.iter().map(|file| file.sha256.as_str()).collect();
    for name in names_in(&folder)?.iter().filter(|name| !named.contains(name.as_str())) {
        destroy(&folder.join(name))?;
    }
    flush_folder(&folder)
}

/// Copies a database as it is at one moment, without waiting for who writes it and without holding that up.
pub(super) fn snapshot(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            Error::io("file_unwritable", to, &io::ErrorKind::StorageFull.into())
        }
        _ => Error::io("database_unreadable", from, &io::Error::other(error)),
    };
    for leftover in [to.to_owned(), beside(to)] {
        match fs::remove_file(&leftover) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("file_unwritable", &leftover, &error));
            }
            _ => {}
        }
    }
    // The copy's file is made first, so that nobody else may read it for a moment.
    drop(super::create_private(to).map_err(|error| Error::io("file_unwritable", to, &error))?);
    let reading = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, reading).map_err(failed)?;
    let mut copy = Connection::open(to).map_err(failed)?;
    {
        let backup = Backup::new(&source, &mut copy).map_err(failed)?;
        let mut tries = 0_u32;
        // All pages in one step: one snapshot, however much is written meanwhile.
        while backup.step(-1).map_err(failed)? != StepResult::Done {
            tries = tries.saturating_add(1);
            if tries > BUSY_TRIES_MAX {
                return Err(Error::io("database_unreadable", from, &io::ErrorKind::TimedOut.into()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    copy.close().map_err(|(_, error)| failed(error))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| Error::io("file_unwritable", to, &error))
}

/// All files below a folder with their places in the data folder; not what is half written.
fn walk(folder: &Path, name: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) -> Result<(), Error> {
    if depth > DEPTH_MAX || found.len() > FILES_MAX {
        return Err(Error::io("folder_unreadable", folder, &io::Error::other("it is too deep or too full")));
    }
    for entry in names_in(folder)? {
        let half_written = entry.starts_with('.') || entry.ends_with(".part") || entry == "pending";
        if half_written || (name == KEYS_FOLDER && entry == MEMORY_FOLDER) {
            continue;
        }
        let (path, name) = (folder.join(&entry), format!("{name}/{entry}"));
        if path.is_dir() {
            walk(&path, &name, depth.saturating_add(1), found)?;
        } else {
            found.push((name, path));
        }
    }
    Ok(())
}

/// Puts a kept file where it stood. Answers with what is wrong with it, if anything is.
pub(super) fn put_back(backup: &Path, data: &Path, file: &KeptFile) -> Result<Option<String>, Error> {
    let kept = backup.join(FILES_FOLDER).join(&file.sha256);
    put_back_from(&kept, data, file)
}

/// Puts a file of the backup at its place in the data folder.
pub(super) fn put_back_from(kept: &Path, data: &Path, file: &KeptFile) -> Result<Option<String>, Error> {
    let mut content = match File::open(kept) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some("it is missing".to_owned())),
        Err(error) => return Err(Error::io("backup_unreadable", kept, &error)),
    };
    let target = data.join(&file.path);
    if let Some(parent) = target.parent() {
        super::make_private_folder(parent)?;
    }
    let (sha256, bytes) = place(&target, &mut content, &Silent)?;
    let same = sha256 == file.sha256 && bytes == file.bytes;
    Ok((!same).then(|| format!("its SHA-256 is {sha256}, not {}", file.sha256)))
}
