//! Packages of the operating system: installed by name as root on Debian, a matter of the person elsewhere.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;

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
