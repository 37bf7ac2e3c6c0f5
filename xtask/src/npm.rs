//! The user interface: packages as locked, types, bundles.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

const NODE_MAJOR_MIN: u32 = 20;

/// An npm command in `ui/`.
pub(crate) fn npm(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(workspace.path("ui")).args(arguments);
    command
}

/// Installs the locked packages and builds `ui/dist`, which the binary embeds.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    node_is_new_enough()?;
    process::run(&mut npm(workspace, &["ci"]))?;
    process::run(&mut npm(workspace, &["run", "--silent", "build"]))
}

/// The stage of the test command: types first, so that a mistake is told by its line.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    node_is_new_enough()?;
    process::run(&mut npm(workspace, &["ci"]))?;
    process::run(&mut npm(workspace, &["run", "--silent", "check"]))?;
    process::run(&mut npm(workspace, &["run", "--silent", "build"]))
}

fn node_is_new_enough() -> Result<()> {
    let version = process::answer(Command::new("node").arg("--version"))
        .with_context(|| format!("the user interface is built with Node {NODE_MAJOR_MIN} or newer"))?;
    let major: u32 =
        version.trim().trim_start_matches('v').split('.').next().unwrap_or_default().parse().unwrap_or(0);
    if major < NODE_MAJOR_MIN {
        bail!(
            "Node {} is too old: the user interface is built with Node {NODE_MAJOR_MIN} or newer",
            version.trim()
        );
    }
    Ok(())
}
