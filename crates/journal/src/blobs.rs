//! Blobs: bytes under their SHA-256, one file each, in a folder beside the journal's file.
//!
//! Files, not rows: a document of many megabytes neither delays the writer's commits nor swells its log, and a backup
//! copies only what is new. A blob is written beside its place, flushed, renamed, and its folder flushed, before
//! anybody learns its name; so an event that names a blob never precedes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::error::JournalError;
use crate::model::{BLOB_BYTES_MAX, BlobReference};

const PART_SUFFIX: &str = ".part";

/// The folder of blobs.
#[derive(Debug)]
pub(crate) struct BlobFolder {
    path: PathBuf,
    bytes_max: u64,
    parts: AtomicU64,
}

impl BlobFolder {
    /// Opens or makes the folder and sweeps away what an interrupted put left. The caller holds the journal's lock.
    pub(crate) fn open(path: &Path, bytes_max: Option<u64>) -> Result<Self, JournalError> {
        fs::create_dir_all(path).map_err(|error| JournalError::io(path, &error))?;
        for entry in fs::read_dir(path).map_err(|error| JournalError::io(path, &error))? {
            let entry = entry.map_err(|error| JournalError::io(path, &error))?;
            if entry.file_name().to_string_lossy().ends_with(PART_SUFFIX) {
                fs::remove_file(entry.path()).map_err(|error| JournalError::io(&entry.path(), &error))?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            bytes_max: bytes_max.unwrap_or(BLOB_BYTES_MAX),
            parts: AtomicU64::new(0),
        })
    }

    pub(crate) fn put(&self, content: &mut dyn Read) -> Result<BlobReference, JournalError> {
        let part = self.path.join(format!("{}{PART_SUFFIX}", self.parts.fetch_add(1, Ordering::Relaxed)));
        let kept = self.write_part(&part, content).and_then(|reference| {
            let place = self.place(&reference.sha256)?;
            let folder = place.parent().unwrap_or(&self.path);
            fs::create_dir_all(folder).map_err(|error| JournalError::io(folder, &error))?;
            // Renaming over a blob that is already there changes nothing, and mends it if its bytes had decayed.
            fs::rename(&part, &place).map_err(|error| JournalError::io(&place, &error))?;
            flush_folder(folder)?;
            flush_folder(&self.path)?;
            Ok(reference)
        });
        if kept.is_err() {
            // Of no use to anyone; what cannot be removed now is swept when the journal is opened next.
            let _ = fs::remove_file(&part);
        }
        kept
    }

    pub(crate) fn get(&self, sha256: &str) -> Result<BlobReader, JournalError> {
        let place = self.place(sha256)?;
        match File::open(&place) {
            Ok(file) => Ok(BlobReader { file, hash: Sha256::new(), sha256: sha256.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(JournalError::NoSuchBlob { sha256: sha256.to_owned() })
            }
            Err(error) => Err(JournalError::io(&place, &error)),
        }
    }

    /// Overwrites a blob's bytes, and removes its file.
    pub(crate) fn erase(&self, sha256: &str) -> Result<(), JournalError> {
        let place = self.place(sha256)?;
        let failed = |error: io::Error| JournalError::io(&place, &error);
        let mut file = match OpenOptions::new().write(true).open(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        let bytes = file.metadata().map_err(failed)?.len();
        io::copy(&mut io::repeat(0).take(bytes), &mut file).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        drop(file);
        fs::remove_file(&place).map_err(failed)?;
        flush_folder(place.parent().unwrap_or(&self.path))
    }

    fn write_part(&self, part: &Path, content: &mut dyn Read) -> Result<BlobReference, JournalError> {
        let failed = |error: io::Error| JournalError::io(part, &error);
        let mut file = OpenOptions::new().write(true).create_new(true).open(part).map_err(failed)?;
        let mut hash = Sha256::new();
        let mut bytes = 0_u64;
        let mut buffer = vec![0_u8; 256 * 1024];
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(JournalError::ContentUnreadable { reason: error.to_string() }),
            };
            bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if bytes > self.bytes_max {
                return Err(JournalError::TooLarge {
                    what: "bytes of a blob (as far as it was read)",
                    found: bytes,
                    max: self.bytes_max,
                });
            }
            let chunk = buffer.get(..read).unwrap_or_default();
            hash.update(chunk);
            file.write_all(chunk).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        Ok(BlobReference { sha256: hex::encode(hash.finalize()), bytes })
    }

    fn place(&self, sha256: &str) -> Result<PathBuf, JournalError> {
        let well_formed = sha256.len() == 64
            && sha256.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match sha256.split_at_checked(2) {
            Some((folder, file)) if well_formed => Ok(self.path.join(folder).join(file)),
            _ => Err(JournalError::malformed(
                "hash of a blob",
                sha256,
                "SHA-256 as 64 lower-case hexadecimal digits",
            )),
        }
    }
}

fn flush_folder(folder: &Path) -> Result<(), JournalError> {
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| JournalError::io(folder, &error))?;
    }
    Ok(())
}

/// The bytes of a blob. Their hash is checked at the end: a reader that reaches the end has the right bytes.
#[derive(Debug)]
pub struct BlobReader {
    file: File,
    hash: Sha256,
    sha256: String,
}

impl BlobReader {
    /// The whole blob in memory, if it has at most `bytes_max` bytes.
    pub fn read_whole(mut self, bytes_max: u64) -> Result<Vec<u8>, JournalError> {
        let mut bytes = Vec::new();
        let limit = bytes_max.saturating_add(1);
        let read = (&mut self).take(limit).read_to_end(&mut bytes);
        let place = || format!("the blob {}", self.sha256);
        let read =
            read.map_err(|error| JournalError::Corrupt { place: place(), reason: error.to_string() })?;
        if u64::try_from(read).unwrap_or(u64::MAX) > bytes_max {
            return Err(JournalError::TooLarge {
                what: "bytes of a blob to be held in memory",
                found: limit,
                max: bytes_max,
            });
        }
        Ok(bytes)
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if read > 0 {
            self.hash.update(buffer.get(..read).unwrap_or_default());
        } else if !buffer.is_empty() && hex::encode(self.hash.clone().finalize()) != self.sha256 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the bytes are not those whose SHA-256 is their name",
            ));
        }
        Ok(read)
    }
}
