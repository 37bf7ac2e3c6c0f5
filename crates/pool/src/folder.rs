//! The pool's folder: immutable files, named by the SHA-256 of their bytes.
//!
//! A file is written beside its place, flushed, renamed to its hash, and its folder flushed. Only then does the caller
//! append the event that names it, and that event is the admission. A crash before it leaves a file that no event
//! names: [`PoolFolder::sweep`] removes those. An event without its file cannot come about.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use spine::Progress;

use crate::entries::{EntriesMetadata, EntriesReader, NewEntries, WriteError, write_entries};
use crate::error::PoolError;
use crate::event::FileReference;
use crate::gate::count;
use crate::quarantine::{NewQuarantine, Quarantine, write_quarantine};

/// Files that no event names are left alone for so long: another process may be about to name them.
pub const SWEEP_GRACE: Duration = Duration::from_secs(3_600);

/// The folder of a pool.
#[derive(Debug)]
pub struct PoolFolder {
    path: PathBuf,
    next: AtomicU64,
}

/// Passes bytes through and knows their hash and number.
struct Hashing<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn new(out: W) -> Self {
        Self { out, hash: Sha256::new(), bytes: 0 }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(count(written));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl PoolFolder {
    /// Opens a folder, making it where it does not exist.
    pub fn open(path: &Path) -> Result<Self, PoolError> {
        fs::create_dir_all(path).map_err(|error| PoolError::io(path, &error))?;
        Ok(Self { path: path.to_owned(), next: AtomicU64::new(0) })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file with that hash stands.
    #[must_use]
    pub fn file(&self, sha256: &str) -> PathBuf {
        self.path.join(format!("{sha256}.parquet"))
    }

    /// Writes admitted entries. They are durable when this returns, and admitted once an event names them.
    pub fn write_entries(
        &self,
        entries: NewEntries<'_>,
        metadata: &EntriesMetadata,
        progress: &dyn Progress,
    ) -> Result<FileReference, PoolError> {
        self.place(count(entries.table.len()), |out| write_entries(out, entries, metadata, progress))
    }

    /// Writes quarantined rows.
    pub fn write_quarantine(&self, quarantine: NewQuarantine<'_>) -> Result<FileReference, PoolError> {
        self.place(count(quarantine.rows.len()), |out| write_quarantine(out, quarantine))
    }

    fn place(
        &self,
        rows: u64,
        write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), WriteError>,
    ) -> Result<FileReference, PoolError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let beside = self.path.join(format!(".{}-{number}.part", std::process::id()));
        let placed = self.write_whole(&beside, rows, write);
        if placed.is_err() {
            // The half-written neighbour is of no use to anyone; what cannot be removed now is swept later.
            let _ = fs::remove_file(&beside);
        }
        placed
    }

    fn write_whole(
        &self,
        beside: &Path,
        rows: u64,
        write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), WriteError>,
    ) -> Result<FileReference, PoolError> {
        let failed = |error: io::Error| PoolError::io(beside, &error);
        let file = File::create(beside).map_err(failed)?;
        let mut out = BufWriter::with_capacity(1024 * 1024, Hashing::new(file));
        write(&mut out).map_err(|error| match error {
            WriteError::Unstorable(findings) => PoolError::Unstorable(findings),
            WriteError::Output(error) => failed(error),
            WriteError::Cancelled => PoolError::Cancelled,
        })?;
        let hashing = out.into_inner().map_err(|error| failed(error.into_error()))?;
        hashing.out.sync_all().map_err(failed)?;
        let sha256 = hex::encode(hashing.hash.finalize());
        let target = self.file(&sha256);
        fs::rename(beside, &target).map_err(|error| PoolError::io(&target, &error))?;
        flush_folder(&self.path)?;
        Ok(FileReference { sha256, bytes: hashing.bytes, rows })
    }

    /// Reads entries of a file, all or some rows, after checking that it is the one that was admitted.
    pub fn read_entries(
        &self,
        sha256: &str,
        rows: Option<Range<usize>>,
        reader: &mut EntriesReader,
    ) -> Result<(), PoolError> {
        let path = self.file(sha256);
        let bytes = self.read_checked(&path, sha256)?;
        reader.add(bytes, rows).map_err(|error| error.of_file(&path))
    }

    /// Overwrites a file and removes it: somebody's data in it is to be erased. One that is gone stays gone.
    pub fn erase(&self, sha256: &str) -> Result<(), PoolError> {
        let path = self.file(sha256);
        let failed = |error: io::Error| PoolError::io(&path, &error);
        let mut file = match fs::OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        let bytes = file.metadata().map_err(failed)?.len();
        io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut file).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        drop(file);
        fs::remove_file(&path).map_err(failed)?;
        flush_folder(&self.path)
    }

    /// Opens a file of quarantined rows, after checking that it is the one that was written.
    pub fn read_quarantine(&self, sha256: &str) -> Result<Quarantine, PoolError> {
        let path = self.file(sha256);
        let bytes = self.read_checked(&path, sha256)?;
        Quarantine::open(&path, bytes).map_err(|error| error.of_file(&path))
    }

    fn read_checked(&self, path: &Path, sha256: &str) -> Result<Bytes, PoolError> {
        let bytes = fs::read(path).map_err(|error| PoolError::io(path, &error))?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found == sha256 {
            Ok(Bytes::from(bytes))
        } else {
            Err(PoolError::damaged(path, format!("its SHA-256 is {found}")))
        }
    }

    /// Removes what no event names and is older than `grace`: remains of work that was stopped.
    pub fn sweep(
        &self,
        named: impl Fn(&str) -> bool,
        grace: Duration,
        now: SystemTime,
    ) -> Result<Vec<PathBuf>, PoolError> {
        let failed = |error: io::Error| PoolError::io(&self.path, &error);
        let mut swept = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let orphan = match name.strip_suffix(".parquet") {
                Some(sha256) => !named(sha256),
                None => name.starts_with('.') && name.ends_with(".part"),
            };
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).map_err(failed)?;
            let old = now.duration_since(modified).is_ok_and(|age| age >= grace);
            if orphan && old {
                fs::remove_file(&path).map_err(|error| PoolError::io(&path, &error))?;
                tracing::info!(file = %path.display(), "swept a file that no event names");
                swept.push(path);
            }
        }
        Ok(swept)
    }
}

#[cfg(unix)]
fn flush_folder(path: &Path) -> Result<(), PoolError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| PoolError::io(path, &error))
}

#[cfg(not(unix))]
fn flush_folder(_path: &Path) -> Result<(), PoolError> {
    Ok(())
}
