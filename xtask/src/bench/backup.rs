//! Backup, restore, verification and export of a house with a million events, on either store.

use anyhow::{Context, Result};

use super::{examples, scratch};
use crate::workspace::Workspace;

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    // Beside what is built: a temporary folder may be memory, which needs no flushing.
    let folder = scratch(workspace, "backup")?;
    examples::run(workspace, "customhouse", "backup_bench", &[folder.as_os_str()])?;
    std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())
}
