//! Real Chromium for the browser tests: found, or installed where that is allowed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::npm::npm;
use crate::process;
use crate::system;
use crate::test;
use crate::workspace::Workspace;

const INSTALL: [&str; 5] = ["install", "--yes", "--no-install-recommends", "chromium", "fonts-wqy-microhei"];
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The stage of the test command: the real binary in a real browser.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let chromium = chromium()?;
    test::build_as_tests_do(workspace)?;
    let mut tests = npm(workspace, &["test"]);
    tests.env("TIDEWAITER_BIN", workspace.binary("debug")).env("CHROMIUM_BIN", &chromium);
    process::run(&mut tests)
}

/// The browser, with a font that has Chinese characters.
fn chromium() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("CHROMIUM_BIN") {
        return Ok(given.into());
    }
    if on_path().is_none() || !has_chinese_font() {
        install()?;
    }
    match on_path() {
        Some(found) => Ok(found),
        None => bail!("Chromium is not there. Install it, or name it: {}", by_hand()),
    }
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .find_map(|folder| NAMES.iter().map(|name| folder.join(name)).find(|candidate| candidate.is_file()))
}

/// Where fontconfig is not there to be asked, fonts are somebody else's matter.
fn has_chinese_font() -> bool {
    process::answer(Command::new("fc-list").arg(":lang=zh")).map_or(true, |fonts| !fonts.trim().is_empty())
}

fn install() -> Result<()> {
    if !system::may_install() {
        println!("not installed by this command: {}", by_hand());
        return Ok(());
    }
    system::install(&INSTALL)
}

fn by_hand() -> String {
    format!("sudo apt-get {}  (elsewhere: set CHROMIUM_BIN to the browser)", INSTALL.join(" "))
}
