//! Go for the verifier of logs that is not ours: found, or installed where that is allowed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::system;
use crate::workspace::Workspace;

/// The compiler, and the packages behind Go's own checksum database.
const INSTALL: [&str; 5] =
    ["install", "--yes", "--no-install-recommends", "golang-go", "golang-golang-x-mod-dev"];
/// Debian's place of Go packages.
const PACKAGES: &str = "/usr/share/gocode";
const PROGRAM: &str = "crates/journal/tests/foreign/main.go";
/// With it, tests that need Go fail without it; otherwise they say that they are skipped.
pub(crate) const REQUIRED: &str = "TIDEWAITER_REQUIRE_GO";

/// Whether the tests can build the program: installs what it needs where that is missing and allowed.
pub(crate) fn is_there() -> Result<bool> {
    if !system::there_or_installed("the foreign verifier of logs", &INSTALL, installed)? {
        return Ok(false);
    }
    if !installed() {
        bail!("golang-golang-x-mod-dev was installed, but {PACKAGES} does not have its package tlog");
    }
    Ok(true)
}

/// The program, built into the target folder; nothing where Go is not installed.
pub(crate) fn built(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if !installed() {
        return Ok(None);
    }
    let folder = workspace.metadata.target_directory.join("foreign");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let program = folder.join("foreign");
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&program).arg(workspace.path(PROGRAM));
    // From Debian's packages alone: nothing is fetched, and nobody's settings matter.
    command.envs([("GO111MODULE", "off"), ("GOENV", "off"), ("GOFLAGS", ""), ("GOPATH", PACKAGES)]);
    command.env("GOCACHE", folder.join("cache"));
    process::run(&mut command)?;
    Ok(Some(program))
}

fn installed() -> bool {
    Path::new(PACKAGES).join("src/golang.org/x/mod/sumdb/tlog").is_dir() && compiler_is_there()
}

/// Go has no `--version`.
fn compiler_is_there() -> bool {
    let mut command = Command::new("go");
    command.arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
