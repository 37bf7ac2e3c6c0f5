//! Files that forget a step of durable writing: to see that a test would find it.

use std::io;
use std::sync::Arc;

use crate::log::files::{FaultyDisk, Files, OpenFile};

/// A [`FaultyDisk`] under a program that does not flush.
#[derive(Debug)]
pub struct Forgetful {
    /// The disk.
    pub files: Arc<FaultyDisk>,
    /// What files hold is not flushed.
    pub forgets_files: bool,
    /// Names in folders are not flushed.
    pub forgets_folders: bool,
}

impl Files for Forgetful {
    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        self.files.read(path, bytes_max)
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn OpenFile>> {
        self.files.open(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.write(path, bytes)
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        if self.forgets_files { Ok(()) } else { self.files.sync(path) }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        if self.forgets_folders { Ok(()) } else { self.files.sync_folder(path) }
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.files.make_folder(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.files.list(path)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.remove(path)
    }
}
