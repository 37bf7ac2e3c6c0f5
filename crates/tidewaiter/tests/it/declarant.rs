//! A trader's software that is not ours, over HTTP: a Python program of the standard library alone lodges, amends,
//! presents, cancels and exports ten declarations, and gets every notification, fetched and pushed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::crash::PASSWORD;
use crate::server::{Served, interrupt};
use crate::support::{command, run, run_with_input};

const LIVES: &str = "
    STANDARD-1 01 13/67 13/4 09
    AMENDED-1 02 02 11/39 07 02 01 13/67 13/4 09
    WITHDRAWN-1 02 02 11/39 10
    WRONG-1 03
    POINTLESS-1 02 03 02 01 13/67 13/4 09
    PAPERS-1 01 13/67 06 13/4 09
    EXAMINED-1 01 13/67 05 52
    ASKED-1 01 13/67 51 13/4 08 09
    UNCOVERED-1 01 13/67 14 13/4 09
    EXPORTED-1 02 01 13/67 13/4 09 16/A1
";

/// Python 3 of this machine; `TIDEWAITER_REQUIRE_PYTHON=1` makes it a failure that there is none.
#[expect(clippy::print_stdout, reason = "it names what it skips")]
fn python_is_here() -> bool {
    let here = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !here {
        let required = std::env::var_os("TIDEWAITER_REQUIRE_PYTHON").is_some_and(|value| value == "1");
        assert!(!required, "there is no python3");
        println!("skipped: a trader's software that is not ours (python3)");
    }
    here
}

#[test]
fn software_that_is_not_ours_lodges_amends_presents_and_hears_of_everything() {
    if !python_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let account = |name: &str, role: &str, more: &[&str]| {
        let add = [&["user", "add", name, "--role", role, "--data", "data"], more].concat();
        run_with_input(at, &add, PASSWORD).expect(0);
    };
    account("analyst", "analyst", &[]);
    account("chief", "chief", &[]);
    account("officer", "officer", &[]);
    // Declarations are accepted by a policy; every release is an officer's.
    run(at, &["policy", "propose", "acceptance", "--as", "analyst", "--data", "data"]).expect(0);
    let listed = run(at, &["policy", "list", "--json", "--data", "data"]).expect(0).json();
    let hash = listed[0]["hash"].as_str().unwrap();
    for who in ["analyst", "chief"] {
        run(at, &["policy", "approve", hash, "--as", who, "--data", "data"]).expect(0);
    }
    let token = |name: &str| {
        let answer = run(at, &["user", "token", name, "--label", "test", "--data", "data"]).expect(0);
        answer.out.trim().to_owned()
    };
    let (officer, chief) = (token("officer"), token("chief"));
    let scopes = "declarations.lodge declarations.read notifications.read webhooks.manage";
    let add = ["client", "add", "brokerage", "--party", "NL0001", "--scope", scopes, "--data", "data"];
    let client = run(at, &add).expect(0).out;
    let (id, secret) = client.trim().split_once(' ').unwrap();
    let serve = ["serve", "--data", "data", "--listen", "127.0.0.1:0", "--webhooks-to-private"];
    let child = command(at, &serve).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut served = Served(child);
    let mut lines = BufReader::new(served.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| {
        line.strip_prefix("Serving on http://").map(|rest| rest.split(". ").next().unwrap().to_owned())
    });
    // What else it says must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/declarant.py");
    let output = Command::new("python3")
        .arg(program)
        .arg(address.unwrap())
        .args([id, secret])
        .args([&officer, &chief])
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let (lives, pushed) = said.split_once("PUSHED ").unwrap();
    let expected: Vec<&str> = LIVES.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lives.lines().collect::<Vec<_>>(), expected);
    let notifications: usize = expected.iter().map(|line| line.split(' ').count() - 1).sum();
    assert_eq!(pushed.trim(), notifications.to_string());
    interrupt(&served.0);
    assert!(served.0.wait().unwrap().success());
}
