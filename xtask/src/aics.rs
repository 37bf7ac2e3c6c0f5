//! A log's client and a witness that are not ours, in Python: an environment of their own in the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

const PACKAGES: [&str; 2] = ["aics-tlog==0.2.1", "aics-witness==0.1.0"];
/// Tells the tests where the environment is.
pub(crate) const FOLDER: &str = "TIDEWAITER_AICS";
/// With it, tests that need the packages fail without them; otherwise they say that they are skipped.
pub(crate) const REQUIRED: &str = "TIDEWAITER_REQUIRE_AICS";

/// The environment, made where it is missing; nothing where that cannot be done, such as without a network.
pub(crate) fn environment(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let folder = workspace.metadata.target_directory.join("foreign/aics");
    if complete(&folder) {
        return Ok(Some(folder));
    }
    if let Err(error) = made(&folder) {
        println!("the second peer of the log: skipped, by name below: {error:#}");
        if folder.exists() {
            // Half an environment would be in the way of the next attempt.
            fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        return Ok(None);
    }
    Ok(complete(&folder).then_some(folder))
}

fn made(folder: &Path) -> Result<()> {
    process::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]);
    // Ready-made packages only, so that installing runs nobody's code. They name a newer Python than Debian has, and
    // run on this one.
    pip.args(["--only-binary", ":all:", "--ignore-requires-python"]).args(PACKAGES);
    process::run(&mut pip)
}

fn complete(folder: &Path) -> bool {
    ["aics-tlog", "aics-witness"].iter().all(|program| folder.join("bin").join(program).is_file())
}
