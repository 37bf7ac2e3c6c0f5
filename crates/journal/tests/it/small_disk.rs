//! A file system of a few megabytes of its own, where this machine lets us have one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Unmounted when it is dropped.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of a size such as `3m` over a folder; nothing, and a word of it, where that is not allowed.
    pub(crate) fn mount(at: &Path, size: &str) -> Option<Self> {
        let size = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(at.to_owned()));
        }
        println!("SKIPPED full disk: mounting a small file system is not allowed here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        println!("unmounted: {unmounted:?}");
    }
}
