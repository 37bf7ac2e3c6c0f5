//! Where things stand.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::metadata::Metadata;

/// The repository, and what Cargo says about it.
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The answer of `cargo metadata`.
    pub(crate) metadata: Metadata,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(crate) fn find() -> Result<Self> {
        let manifest =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .join("..")
            .canonicalize()
            .context("the repository is not where it was built")?;
        let metadata = Metadata::of(&root)?;
        Ok(Self { root, metadata })
    }

    /// A path below the root.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A Cargo command in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).args(arguments);
        command
    }

    /// The binary as a profile's folder has it (`debug`, `release`).
    pub(crate) fn binary(&self, profile_folder: &str) -> PathBuf {
        self.metadata
            .target_directory
            .join(profile_folder)
            .join(format!("tidewaiter{}", std::env::consts::EXE_SUFFIX))
    }
}
