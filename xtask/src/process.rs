//! Running other programs: seen, asked, measured.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a measured program's memory is read. Linux keeps the peak itself, so only the last 5 ms can be missed.
const SAMPLE_EVERY: Duration = Duration::from_millis(5);
/// What Linux counts processor time in, for every program (USER_HZ).
const CLOCK_TICKS_PER_SECOND: u64 = 100;

/// What a program cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of all its threads; zero where the system does not tell.
    pub(crate) processor: Duration,
    /// Peak resident memory in bytes; zero where the system does not tell.
    pub(crate) peak_bytes: u64,
}

/// Runs a program with its output seen; an error unless it ends well.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| not_started(command, &error))?;
    ended_well(command, status)
}

/// What a program prints on standard output; an error unless it ends well.
pub(crate) fn answer(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}:\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} did not print UTF-8", shown(command)))
}

/// Runs a program with its results hidden and says what it cost; an error unless it ends well.
pub(crate) fn measure(command: &mut Command) -> Result<Cost> {
    let (cost, status) = measure_however_it_ends(command)?;
    ended_well(command, status)?;
    Ok(cost)
}

/// Runs a program with its results hidden and says what it cost and how it ended.
pub(crate) fn measure_however_it_ends(command: &mut Command) -> Result<(Cost, ExitStatus)> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().map_err(|error| not_started(command, &error))?;
    let peak_bytes = watch_until_it_ends(&child);
    let wall = started.elapsed();
    // The program has ended but is not yet waited for: the system still has its account.
    let processor = processor_time(&child);
    let status = child.wait()?;
    let wall = if peak_bytes == 0 { started.elapsed() } else { wall };
    Ok((Cost { wall, processor, peak_bytes }, status))
}

/// Whether a program of this name can be started with `--version`.
pub(crate) fn exists(program: &str) -> bool {
    let command = &mut Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Returns the highest peak seen, at once and zero where `/proc` is not there.
fn watch_until_it_ends(child: &Child) -> u64 {
    let mut peak_bytes = 0;
    while let Some(account) = account(child)
        && account.first().is_some_and(|state| state != "Z")
    {
        peak_bytes = peak_bytes.max(resident_peak(child).unwrap_or(0));
        std::thread::sleep(SAMPLE_EVERY);
    }
    peak_bytes
}

/// The fields of `/proc/PID/stat` from the state on: the name before it may hold blanks and brackets.
fn account(child: &Child) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn processor_time(child: &Child) -> Duration {
    // utime and stime are fields 14 and 15 of the line, 12 and 13 from the state on.
    let ticks: u64 = account(child)
        .and_then(|fields| fields.get(11..13)?.iter().map(|field| field.parse::<u64>().ok()).sum())
        .unwrap_or(0);
    Duration::from_millis(ticks * 1_000 / CLOCK_TICKS_PER_SECOND)
}

/// Peak resident memory of a running program, in bytes.
pub(crate) fn resident_peak(child: &Child) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

fn shown(command: &Command) -> String {
    let program = command.get_program();
    let program = std::path::Path::new(program).file_name().unwrap_or(program).to_string_lossy();
    command.get_args().fold(program.into_owned(), |line, argument| {
        let argument = argument.to_string_lossy();
        if argument.contains(' ') { format!("{line} '{argument}'") } else { format!("{line} {argument}") }
    })
}

fn not_started(command: &Command, error: &io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy();
    if error.kind() == io::ErrorKind::NotFound {
        anyhow::anyhow!("{program} is not installed, or not on the path")
    } else {
        anyhow::anyhow!("{program} cannot be started: {error}")
    }
}

fn ended_well(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["run", "--", "two words"]);
        assert_eq!(shown(&command), "cargo run -- 'two words'");
    }

    #[test]
    fn a_program_that_is_missing_or_fails_is_an_error_with_its_name() {
        let missing = run(&mut Command::new("no-such-program-anywhere")).unwrap_err();
        assert_eq!(missing.to_string(), "no-such-program-anywhere is not installed, or not on the path");
        let failed = answer(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(failed.to_string().ends_with("ended with exit status: 3:\nwhy"), "{failed}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_and_processor_time_of_a_program_are_seen() {
        // A shell that counts for a moment: it needs memory and time, and says so in its account.
        let cost =
            measure(Command::new("sh").args(["-c", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"]))
                .unwrap();
        assert!(cost.peak_bytes > 100_000, "{cost:?}");
        assert!(cost.processor > Duration::ZERO && cost.wall > Duration::ZERO, "{cost:?}");
    }
}
