//! `backup.json`: what a complete backup holds. It carries the hash of what it says, so that it is believed whole or not
//! at all.

use std::path::Path;

use jiff::Timestamp;
use journal::{Known, Shelf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::flush_folder;
use crate::error::{Error, Kind};

/// Name of the file.
pub(super) const RECORD_FILE: &str = "backup.json";
/// Name of the file that says that a run has begun and not ended.
pub(super) const UNDER_WAY_FILE: &str = "backup.part";
/// The form this program writes and reads.
pub(super) const FORMAT: u32 = 1;
/// Longest record that is read.
const BYTES_MAX: u64 = 1 << 30;

/// What a complete backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRecord {
    /// Form of this record and of the folder.
    pub format: u32,
    /// Node id of the data folder.
    pub node: String,
    /// Its administration.
    pub administration: String,
    /// Is it a sandbox?
    pub sandbox: bool,
    /// When the run began that completed it.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Always true: an incomplete backup has no record.
    pub complete: bool,
    /// Events of the journal.
    pub events: u64,
    /// The log's checkpoint, if there was one: never newer than the events.
    pub log: Option<LogPlace>,
    /// How far the journal is the same as the log says: the next run goes on from there.
    pub known: Known,
    /// The chain of idempotency keys of all events.
    pub keys_sha256: String,
    /// SHA-256 over the erasures of these events.
    pub erasures_sha256: String,
    /// Blobs, by the shelves on which they stand.
    pub blobs: Vec<Shelf>,
    /// Blobs that were erased: if one still stands in the backup, it is not restored.
    pub blobs_erased: Vec<String>,
    /// Parquet files of the pool; each is named by its hash.
    pub pool: Vec<KeptFile>,
    /// Everything else, with its place in the data folder.
    pub files: Vec<KeptFile>,
    /// What the run that completed it carried.
    pub carried: Carried,
    /// What the data folder itself no longer had, though it should: the backup keeps it.
    pub lost_by_the_folder: Vec<String>,
}

/// A checkpoint of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPlace {
    /// Name of the log.
    pub origin: String,
    /// Its entries.
    pub size: u64,
    /// The root over them, base64.
    pub root: String,
    /// Entries of the newest checkpoint that enough witnesses cosigned.
    pub witnessed_size: Option<u64>,
}

/// A file that a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Its place in the data folder, with `/` between the parts.
    pub path: String,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
}

/// What one run carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Carried {
    /// Events.
    pub events: u64,
    /// Erasures of events that the backup had with their payloads.
    pub erasures: u64,
    /// Blobs.
    pub blobs: u64,
    /// Tiles of the log.
    pub tiles: u64,
    /// Parquet files.
    pub parquet: u64,
    /// Other files.
    pub files: u64,
    /// Bytes of all of these.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    backup: BackupRecord,
    sha256: String,
}

fn hash_of(record: &BackupRecord) -> Result<String, Error> {
    let bytes = serde_json::to_vec(record).map_err(|error| Error::internal("backup_unwritable", &error))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

impl BackupRecord {
    /// Reads the record of the last complete run; `None` if there was none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(RECORD_FILE);
        let failed = |error: std::io::Error| Error::io("backup_unreadable", &path, &error);
        match std::fs::metadata(&path) {
            Ok(found) if found.len() > BYTES_MAX => return Err(damaged(&path, "it is too long")),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        let sealed: Sealed =
            serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error.to_string()))?;
        if sealed.backup.format > FORMAT {
            return Err(Error::new(
                Kind::FolderUnusable,
                "backup_newer",
                format!("{} has format {}", path.display(), sealed.backup.format),
                format!("Run the newer version of tidewaiter that wrote it; this one reads up to {FORMAT}."),
            ));
        }
        if hash_of(&sealed.backup)? != sealed.sha256 {
            return Err(damaged(&path, "it does not say what its hash was made of"));
        }
        Ok(Some(sealed.backup))
    }

    /// Puts the record in the place of the one before, whole or not at all. Durable when this returns.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let sealed = Sealed { backup: self.clone(), sha256: hash_of(self)? };
        let bytes = serde_json::to_vec_pretty(&sealed)
            .map_err(|error| Error::internal("backup_unwritable", &error))?;
        super::place(&folder.join(RECORD_FILE), &mut bytes.as_slice(), &spine::Silent)?;
        flush_folder(folder)
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::new(
        Kind::FolderUnusable,
        "backup_damaged",
        format!("{} cannot be believed: {reason}", path.display()),
        "Use another backup. A new one is made by naming an empty folder.",
    )
}

/// What `backup.part` says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UnderWay {
    pub(super) node: String,
    pub(super) began_at: Timestamp,
}

impl UnderWay {
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(UNDER_WAY_FILE);
        match std::fs::read(&path) {
            // One that was cut is one all the same.
            Ok(bytes) => Ok(Some(
                serde_json::from_slice(&bytes)
                    .unwrap_or(Self { node: String::new(), began_at: Timestamp::UNIX_EPOCH }),
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("backup_unreadable", &path, &error)),
        }
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).map_err(|error| Error::internal("backup_unwritable", &error))?;
        super::place(&folder.join(UNDER_WAY_FILE), &mut bytes.as_slice(), &spine::Silent)?;
        flush_folder(folder)
    }

    pub(super) fn end(folder: &Path) -> Result<(), Error> {
        let path = folder.join(UNDER_WAY_FILE);
        std::fs::remove_file(&path).map_err(|error| Error::io("file_unwritable", &path, &error))?;
        flush_folder(folder)
    }
}
