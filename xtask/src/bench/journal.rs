//! The journal's stores, then its log; the log is also verified by the program that is not ours, where Go is there.

use std::ffi::OsStr;

use anyhow::{Context, Result};

use super::{examples, scratch};
use crate::go;
use crate::workspace::Workspace;

/// The log that the verifiers read.
const ENTRIES: &str = "1000000";

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    examples::run(workspace, "journal", "journal_bench", &[])?;
    let foreign = go::built(workspace)?;
    if foreign.is_none() {
        println!("\nwithout Go: the foreign verifier's time is missing");
    }
    println!("\n#### its log\n");
    // Beside what is built: a temporary folder may be memory, which needs no flushing.
    let folder = scratch(workspace, "log")?;
    let mut arguments: Vec<&OsStr> = vec![folder.as_os_str(), OsStr::new(ENTRIES)];
    arguments.extend(foreign.as_deref().map(|program| program.as_os_str()));
    examples::run(workspace, "journal", "log_bench", &arguments)?;
    std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())
}
