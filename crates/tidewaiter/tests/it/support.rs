//! Running the binary.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// What one run said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The run, which must have ended with this exit code.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A command that runs in `folder` and knows nothing of the tester's environment.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidewaiter"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env_remove("TIDEWAITER_DATA").env_remove("TIDEWAITER_LOG");
    command.env_remove("TIDEWAITER_DATABASE").env_remove("TIDEWAITER_SHARED");
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Run {
    command(folder, arguments).output().unwrap().into()
}

/// Runs with a line on standard input.
pub(crate) fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Run {
    fed(&mut command(folder, arguments), input)
}

/// Runs a command with this on standard input.
pub(crate) fn fed(command: &mut Command, input: &str) -> Run {
    use std::io::Write;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that was killed reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

/// A small synthetic country, made once for all tests by the binary itself.
pub(crate) fn world() -> &'static Path {
    static WORLD: OnceLock<TempDir> = OnceLock::new();
    WORLD
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let made =
                run(folder.path(), &["country", "--out", "world", "--seed", "3", "--declarations", "2500"]);
            assert_eq!(made.code, 0, "{made:?}");
            assert!(made.out.contains("SIMULATED: 2,500 declarations"), "{made:?}");
            folder
        })
        .path()
}

/// Path of a file of the small country.
pub(crate) fn of_world(name: &str) -> String {
    world().join("world").join(name).to_str().unwrap().to_owned()
}
