//! A figure without its machine is no figure.

use std::process::Command;

use crate::process;
use crate::workspace::Workspace;

/// Processor, cores, memory, system, compiler, commit: one line.
pub(super) fn described(workspace: &Workspace) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches("kB").trim().parse::<u64>().ok())
        .map_or_else(
            || "memory unknown".to_owned(),
            |kibibytes| format!("{} GiB", kibibytes.div_ceil(1_024 * 1_024)),
        );
    let compiler = first_line(Command::new("rustc").arg("--version"));
    let commit =
        first_line(Command::new("git").current_dir(&workspace.root).args(["rev-parse", "--short", "HEAD"]));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let system = std::env::consts::OS;
    format!(
        "Machine: {processor}, {cores} cores, {memory}, {system}, load {load} at the start; {compiler}; commit {commit}."
    )
}

/// The value of the first line `name : value`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_line(command: &mut Command) -> String {
    process::answer(command).ok().and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default()
}
