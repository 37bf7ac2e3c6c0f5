//! Packages of the operating system: installed by name as root on Debian, a matter of the person elsewhere.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;

/// Whether what some tests need is there, once it was installed where it was missing and that is allowed. Elsewhere the
/// tests that need it are skipped, and how to have them is printed.
pub(crate) fn there_or_installed(
    tests: &str,
    arguments: &[&str],
    is_there: impl Fn() -> bool,
) -> Result<bool> {
    if is_there() {
        return Ok(true);
    }
    if !may_install() {
        println!("{tests}: skipped, by name below. To run these tests: sudo apt-get {}", arguments.join(" "));
        return Ok(false);
    }
    install(arguments)?;
    Ok(true)
}

/// Whether this command may install packages.
pub(crate) fn may_install() -> bool {
    Path::new("/etc/debian_version").exists() && process::exists("apt-get") && is_root()
}

/// Runs apt-get with these arguments, after it has learnt what there is.
pub(crate) fn install(arguments: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["--quiet", "--quiet"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut command)
    };
    apt(&["update"])?;
    apt(arguments)
}

fn is_root() -> bool {
    process::answer(Command::new("id").arg("-u")).is_ok_and(|answer| answer.trim() == "0")
}
