//! Backup, restore and export of a house, wherever its journal stands. For the person who runs the server: `docs/backup.md`.
//!
//! | call | works while the house is served | what it proves |
//! |---|---|---|
//! | [`back_up`]`(&location, to, options, progress) -> BackedUp` | yes, and takes no lock | the events carried have the root that the log signed |
//! | [`restore`]`(from, &location, options, progress) -> Restored` | into a new folder, and an empty database | everything: log, journal, payloads, hashes of all files, witnessed checkpoint |
//! | [`export`]`(&location, to, progress) -> Exported` | yes | nothing; its manifest holds the hash of every file |
//!
//! A backup is a folder that grows, the same whether the journal stands in a file or in a database: so a house moves
//! from the one to the other by a backup and a restore.
//! ```text
//! BACKUP/
//!   backup.json      what the last complete run found: places, hashes, counts; written last, carries its own hash
//!   backup.part      a run has begun and not ended
//!   lock             held while a run writes
//!   journal.sqlite   events, payloads, idempotency keys, erasures; journal.blobs/ beside it
//!   log/tile/        tiles of the log
//!   pool/            Parquet by its hash
//!   files/           everything else by its hash: keys, accounts, packs, checkpoints, settings
//! ```
//! Nothing in it is changed in place except that the journal grows and erased payloads are overwritten, and nothing is
//! removed before `backup.json` says that the newer state is complete. So a run that was killed at any moment leaves the
//! state before it whole, and the next run goes on where it ended.

mod bring;
mod export;
mod files;
mod manifest;
mod pool_files;
mod restore;
mod run;
#[cfg(test)]
mod site_tests;
mod source;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble_tests;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use journal::log::files::{destroy_file, sync_system_folder};
use sha2::{Digest, Sha256};
use spine::Progress;

pub use export::{Exported, ExportedFile, export};
pub use manifest::{BackupRecord, Carried, KeptFile, LogPlace};
pub(crate) use restore::{RESTORED_FILE, RestoredMark};
pub use restore::{RestoreOptions, Restored, restore};
pub use run::{BackedUp, BackupOptions, back_up};

use crate::error::{Error, Kind};

/// The database file of a folder, and of a backup.
const JOURNAL_FILE: &str = "journal.sqlite";
/// Folder of the blobs of such a database file.
const BLOBS_FOLDER: &str = "journal.blobs";
/// Folder of Parquet.
const POOL_FOLDER: &str = "pool";
/// Bytes read and written at once.
const PIECE_BYTES: usize = 1 << 20;

/// A folder that may hold what is somebody's business: only its owner may look into it.
fn make_private_folder(path: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::io("folder_unwritable", path, &error);
    fs::create_dir_all(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Makes a new file that only its owner may read.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the names in a folder durable.
fn flush_folder(path: &Path) -> Result<(), Error> {
    sync_system_folder(path).map_err(|error| Error::io("folder_unwritable", path, &error))
}

/// Where a file is written before it gets its name.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.part"))
}

/// Writes a file whole or not at all, private to its owner, and flushes it; its folder is the caller's to flush.
/// Answers with SHA-256 and number of its bytes.
fn place(path: &Path, content: &mut dyn Read, progress: &dyn Progress) -> Result<(String, u64), Error> {
    let part = beside(path);
    let written = write_part(&part, content, progress);
    let placed = written.and_then(|told| {
        fs::rename(&part, path).map_err(|error| Error::io("file_unwritable", path, &error))?;
        Ok(told)
    });
    if placed.is_err() {
        // The half-written neighbour is of no use to anyone; failing to remove it changes nothing.
        let _ = fs::remove_file(&part);
    }
    placed
}

fn write_part(part: &Path, content: &mut dyn Read, progress: &dyn Progress) -> Result<(String, u64), Error> {
    let failed = |error: io::Error| Error::io("file_unwritable", part, &error);
    let mut file = create_private(part).map_err(failed)?;
    let told = for_each_piece(content, &mut |piece| {
        if progress.cancelled() { Err(cancelled()) } else { file.write_all(piece).map_err(failed) }
    })?;
    file.sync_all().map_err(failed)?;
    Ok(told)
}

/// SHA-256 and number of the bytes that a reader has.
fn for_each_piece(
    content: &mut dyn Read,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(String, u64), Error> {
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0_u8; PIECE_BYTES];
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => return Ok((hex::encode(hash.finalize()), bytes)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::io("file_unreadable", Path::new("a file to be copied"), &error)),
        };
        let piece = buffer.get(..read).unwrap_or_default();
        hash.update(piece);
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        take(piece)?;
    }
}

/// SHA-256 and size of a file.
fn hash_file(path: &Path) -> Result<(String, u64), Error> {
    let mut file = File::open(path).map_err(|error| Error::io("file_unreadable", path, &error))?;
    for_each_piece(&mut file, &mut |_| Ok(()))
}

/// Overwrites a file and removes it: it may hold what was erased since. One that is gone stays gone.
fn destroy(path: &Path) -> Result<(), Error> {
    destroy_file(path).map(drop).map_err(|error| Error::io("file_unwritable", path, &error))
}

/// Destroys an SQLite database with what it may have beside it.
fn destroy_database(path: &Path) -> Result<(), Error> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ["", "-wal", "-shm"].iter().try_for_each(|end| destroy(&path.with_file_name(format!("{name}{end}"))))
}

/// Names in a folder, sorted; one that is not there has none.
fn names_in(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |error: io::Error| Error::io("folder_unreadable", folder, &error);
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in listing {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The caller wanted it to end; what was carried stays.
fn cancelled() -> Error {
    Error::new(
        Kind::Cancelled,
        "cancelled",
        "the work was stopped; what was carried until then stays",
        "Run the same command again: it goes on from there.",
    )
}

/// A log's message ends with its remedy.
fn log_error(error: &journal::log::LogError) -> Error {
    Error::new(Kind::FolderUnusable, error.code(), error.to_string(), "")
}
