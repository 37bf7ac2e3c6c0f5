//! A served node as a witness of a log that is not ours, fed over HTTP by a client that is not ours either: the Python
//! packages `aics-tlog` and `aics-witness`.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::http::Client;
use crate::server::{Served, interrupt};
use crate::support::{command, run, run_with_input};

/// Python environment with the two packages; `cargo xtask test` makes one. Tests fetch nothing.
const ENVIRONMENT: &str = "TIDEWAITER_AICS";
/// Without it the test fails instead of being skipped.
const REQUIRED: &str = "TIDEWAITER_REQUIRE_AICS";

#[expect(clippy::print_stdout, reason = "it names what it skips")]
fn python() -> Option<PathBuf> {
    let python = env::var_os(ENVIRONMENT).map(|folder| Path::new(&folder).join("bin/python"));
    let python = python.filter(|python| python.is_file());
    if python.is_none() {
        assert!(env::var_os(REQUIRED).is_none_or(|value| value != "1"), "{ENVIRONMENT} has no Python");
        println!("skipped: a feeder that is not ours (aics-witness)");
    }
    python
}

fn feeder(python: &Path, arguments: &[&str]) -> Vec<String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/feeder.py");
    let mut command = Command::new(python);
    command.arg(program).args(arguments).env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_feeder_that_is_not_ours_has_its_log_cosigned_and_a_rewritten_one_refused() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let key = feeder(&python, &["key"]).remove(0);
    let add = ["user", "add", "ada", "--role", "admin", "--data", "data"];
    run_with_input(at, &add, "correct horse battery\n").expect(0);
    fs::write(at.join("data/witness.policy"), format!("log {key}\nquorum none\n")).unwrap();
    let serve = ["serve", "--data", "data", "--listen", "127.0.0.1:0"];
    let child = command(at, &serve).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut served = Served(child);
    let mut lines = BufReader::new(served.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| {
        line.strip_prefix("Serving on http://").map(|rest| rest.split(". ").next().unwrap().to_owned())
    });
    let address = address.unwrap();
    let log = Client::connect(&address, "").unwrap().ask("GET", "/api/v1/log", None).unwrap().json();
    let said = feeder(
        &python,
        &["feed", &format!("http://{address}/witness"), log["witness_key"].as_str().unwrap()],
    );
    let expected = [
        "1: cosigned, 2 signatures",
        "2: cosigned, 2 signatures",
        "700: cosigned, 2 signatures",
        "700: cosigned, 2 signatures",
        "2999: cosigned, 2 signatures",
        "3000: cosigned, 2 signatures",
        "700: stands at 3000",
        "3200: refused with 422",
        // The answer of tlog-witness 1.0 to another root of the size that it holds; the feeder takes it as final.
        "3000: refused with 409",
    ];
    assert_eq!(said, expected);
    let log = Client::connect(&address, "").unwrap().ask("GET", "/api/v1/log", None).unwrap().json();
    assert_eq!(log["split_views"], 1, "two histories of 3,000 events, both signed: {log}");
    interrupt(&served.0);
    assert!(served.0.wait().unwrap().success());
    run(at, &["verify", "folder", "--data", "data"]).expect(0);
}
