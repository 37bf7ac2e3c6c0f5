//! Blobs: bytes under their SHA-256, one file each, in a folder beside the journal's file.
//!
//! Files, not rows: a document of many megabytes neither delays the writer's commits nor swells its log, and a backup
//! copies only what is new. A blob is written beside its place, flushed, renamed, and its folder flushed, before
//! anybody learns its name; so an event that names a blob never precedes it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::error::JournalError;
use crate::log::files::{destroy_file, make_folder_durably};
use crate::model::{BLOB_BYTES_MAX, BlobReference};

const PART_SUFFIX: &str = ".part";
/// Bytes read and written at once.
const PIECE_BYTES: usize = 256 * 1024;

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
        make_folder_durably(path).map_err(|error| JournalError::io(path, &error))?;
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

    /// A folder that is only read; without one there are no blobs.
    pub(crate) fn existing(path: &Path) -> Self {
        Self { path: path.to_owned(), bytes_max: BLOB_BYTES_MAX, parts: AtomicU64::new(0) }
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
            Ok(file) => Ok(BlobReader::checking(Box::new(file), sha256)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(JournalError::NoSuchBlob { sha256: sha256.to_owned() })
            }
            Err(error) => Err(JournalError::io(&place, &error)),
        }
    }

    /// Names of the blobs whose hash begins with this byte, in order.
    pub(crate) fn names(&self, first_byte: u8) -> Result<Vec<String>, JournalError> {
        let shelf = hex::encode([first_byte]);
        let folder = self.path.join(&shelf);
        let failed = |error: io::Error| JournalError::io(&folder, &error);
        let listing = match fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in listing {
            let name = format!("{shelf}{}", entry.map_err(failed)?.file_name().to_string_lossy());
            if check_blob_hash(&name).is_ok() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Overwrites a blob's bytes, and removes its file.
    pub(crate) fn erase(&self, sha256: &str) -> Result<(), JournalError> {
        let place = self.place(sha256)?;
        let failed = |error: io::Error| JournalError::io(&place, &error);
        if !destroy_file(&place).map_err(failed)? {
            return Ok(());
        }
        flush_folder(place.parent().unwrap_or(&self.path))
    }

    fn write_part(&self, part: &Path, content: &mut dyn Read) -> Result<BlobReference, JournalError> {
        let failed = |error: io::Error| JournalError::io(part, &error);
        let mut file = OpenOptions::new().write(true).create_new(true).open(part).map_err(failed)?;
        let reference = for_each_piece(content, PIECE_BYTES, self.bytes_max, |piece| {
            file.write_all(piece).map_err(failed)
        })?;
        file.sync_all().map_err(failed)?;
        Ok(reference)
    }

    fn place(&self, sha256: &str) -> Result<PathBuf, JournalError> {
        check_blob_hash(sha256)?;
        let (folder, file) = sha256.split_at_checked(2).unwrap_or_default();
        Ok(self.path.join(folder).join(file))
    }
}

pub(crate) fn check_blob_hash(sha256: &str) -> Result<(), JournalError> {
    let well_formed = sha256.len() == 64
        && sha256.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if well_formed {
        return Ok(());
    }
    Err(JournalError::malformed("hash of a blob", sha256, "SHA-256 as 64 lower-case hexadecimal digits"))
}

/// Reads content in pieces of at most `piece_bytes` and hands them on, until it ends or has more than `bytes_max`.
pub(crate) fn for_each_piece(
    content: &mut dyn Read,
    piece_bytes: usize,
    bytes_max: u64,
    mut keep: impl FnMut(&[u8]) -> Result<(), JournalError>,
) -> Result<BlobReference, JournalError> {
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0_u8; piece_bytes];
    loop {
        let read = fill(content, &mut buffer)?;
        if read == 0 {
            return Ok(BlobReference { sha256: hex::encode(hash.finalize()), bytes });
        }
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if bytes > bytes_max {
            return Err(JournalError::TooLarge {
                what: "bytes of a blob (as far as it was read)",
                found: bytes,
                max: bytes_max,
            });
        }
        let piece = buffer.get(..read).unwrap_or_default();
        hash.update(piece);
        keep(piece)?;
    }
}

/// Reads until the buffer is full or the content ends, so that all pieces but the last have the same length.
fn fill(content: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, JournalError> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(JournalError::ContentUnreadable { reason: error.to_string() }),
        }
    }
    Ok(filled)
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
pub struct BlobReader {
    source: Box<dyn Read + Send + Sync>,
    hash: Sha256,
    sha256: String,
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BlobReader").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

impl BlobReader {
    /// Reads a source and checks at its end that it was the blob of this name.
    pub(crate) fn checking(source: Box<dyn Read + Send + Sync>, sha256: &str) -> Self {
        Self { source, hash: Sha256::new(), sha256: sha256.to_owned() }
    }

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
        let read = self.source.read(buffer)?;
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
