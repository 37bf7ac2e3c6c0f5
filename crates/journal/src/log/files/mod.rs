//! The few file operations that log and witness live on, behind one trait: [`DiskFiles`] does them, [`FaultyDisk`]
//! does them badly, from a seed, for tests and simulations.
//!
//! Writing is split from making durable on purpose: what a file holds is durable after [`Files::sync`], that it is
//! there under its name after [`Files::sync_folder`] of the folder it stands in, and only then. [`Durably`] puts the
//! steps in the right order.

mod dice;
mod disk;
mod durably;
mod faulty;

use std::fmt::Debug;
use std::io;

pub use dice::Dice;
pub use disk::{DiskFiles, destroy_file, make_folder_durably, parent_of, sync_system_folder};
pub use durably::Durably;
pub use faulty::{Faults, FaultyDisk, Injected};

/// Files under one folder. Paths are relative to it, with `/` between their parts; the folder itself is "".
pub trait Files: Debug + Send + Sync {
    /// The whole of a file, if it has at most `bytes_max` bytes; a larger one is [`io::ErrorKind::FileTooLarge`].
    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>>;

    /// Opens a file to read pieces of it.
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenFile>>;

    /// Makes a file, or gives one new content. Not durable before [`Files::sync`]; after an error it may hold a part.
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes the content of a file durable.
    fn sync(&self, path: &str) -> io::Result<()>;

    /// Makes the content of several files durable: those after a failure may not be.
    fn sync_all(&self, paths: &[String]) -> io::Result<()> {
        paths.iter().try_for_each(|path| self.sync(path))
    }

    /// Gives a file another name, in place of what had it. One of the two names is there at any moment; which one
    /// after a crash is certain only after [`Files::sync_folder`] of the new name's folder.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the names in a folder durable, and the folders directly in it.
    fn sync_folder(&self, path: &str) -> io::Result<()>;

    /// Makes several folders' names durable.
    fn sync_folders(&self, paths: &[String]) -> io::Result<()> {
        paths.iter().try_for_each(|path| self.sync_folder(path))
    }

    /// Makes a folder whose parent exists; one that exists stays.
    fn make_folder(&self, path: &str) -> io::Result<()>;

    /// Names of the files and folders in a folder, sorted.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// Removes a file, or a folder that is empty.
    fn remove(&self, path: &str) -> io::Result<()>;
}

/// A file of which pieces are read.
pub trait OpenFile: Debug + Send + Sync {
    /// Exactly so many bytes from a place on.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// The folder that a path stands in.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
