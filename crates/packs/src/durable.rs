//! Files and names that outlive a loss of power.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

/// Flushes under way at once: a file system that keeps a journal serves those that come together with one commit.
const AT_ONCE: usize = 8;

/// Makes the contents of files durable.
///
/// # Errors
/// What the system says.
pub(crate) fn flush_files(paths: &[PathBuf]) -> io::Result<()> {
    // Some systems flush only through a handle that may write.
    at_once(paths, |path| OpenOptions::new().write(true).open(path)?.sync_all())
}

/// Makes the names in folders durable, where the system can.
///
/// # Errors
/// What the system says.
pub(crate) fn flush_folders(paths: &[PathBuf]) -> io::Result<()> {
    at_once(paths, |path| if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) })
}

fn at_once(paths: &[PathBuf], flush: fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let share = paths.len().div_ceil(AT_ONCE).max(1);
    thread::scope(|scope| {
        let shares: Vec<_> = paths
            .chunks(share)
            .map(|share| scope.spawn(move || share.iter().try_for_each(|path| flush(path))))
            .collect();
        shares.into_iter().try_for_each(|share| {
            share.join().unwrap_or_else(|_| Err(io::Error::other("a flushing thread panicked")))
        })
    })
}
