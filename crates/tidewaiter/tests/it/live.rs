//! The live platform from the command line: policies of two people, declarations from files, a sandbox, a demo.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::http::Client;
use crate::postgres_server;
use crate::server::{Served, interrupt};
use crate::support::{Run, command, of_world, run, run_with_input};

const PASSWORD: &str = "correct horse battery staple\n";

fn add(folder: &Path, role: &str) {
    run_with_input(folder, &["user", "add", role, "--role", role, "--data", "data"], PASSWORD).expect(0);
}

/// The only policy of a kind.
fn hash_of(folder: &Path, kind: &str) -> String {
    let listed = run(folder, &["policy", "list", "--json", "--data", "data"]).expect(0).json();
    let own = listed.as_array().unwrap().iter().find(|policy| policy["kind"] == kind).unwrap();
    own["hash"].as_str().unwrap().to_owned()
}

#[test]
fn a_policy_comes_into_force_by_two_people_and_not_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for role in ["analyst", "chief", "officer"] {
        add(at, role);
    }
    let policy =
        |arguments: &[&str]| -> Run { run(at, &[&["policy"], arguments, &["--data", "data"]].concat()) };
    assert!(policy(&["propose", "acceptance", "--as", "officer"]).expect(3).err.contains("[not_permitted]"));
    assert!(policy(&["propose", "acceptance", "--as", "nobody"]).expect(3).err.contains("nobody"));
    policy(&["propose", "tariffs", "--as", "chief"]).expect(2);
    policy(&["propose", "acceptance", "--as", "analyst"]).expect(0);
    let hash = hash_of(at, "acceptance");
    assert!(policy(&["approve", &hash, "--as", "analyst"]).expect(0).out.contains("another person"));
    let twice = policy(&["approve", &hash, "--as", "analyst"]).expect(3);
    assert!(twice.err.contains("[policy_approved_by_same]"), "{}", twice.err);
    assert!(policy(&["approve", &hash[..8], "--as", "chief"]).expect(0).out.contains("in force"));
    let listed = policy(&["list"]).expect(0);
    assert!(listed.out.contains("in force") && listed.out.contains("analyst, chief"), "{listed:?}");
    assert!(listed.err.contains("No policy in force for: selection, release"), "{listed:?}");
    policy(&["withdraw", &hash, "--why", "a better one comes", "--as", "chief"]).expect(0);
    assert!(policy(&["list"]).expect(0).out.contains("ended"));
    for (content, code) in [("{}", "policy_refused"), ("not json", "policy_refused")] {
        fs::write(at.join("own.json"), content).unwrap();
        let refused = policy(&["propose", "release", "own.json", "--as", "chief"]).expect(3);
        assert!(refused.err.contains(code), "{}", refused.err);
    }
}

#[test]
fn declarations_are_lodged_from_files_and_folders_and_each_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let messages = of_world("dms");
    let first = fs::read_dir(Path::new(&messages).join("0000")).unwrap().next().unwrap().unwrap().path();
    let xml = fs::read_to_string(&first).unwrap();
    fs::create_dir_all(at.join("inbox/today")).unwrap();
    fs::write(at.join("inbox/today/one.xml"), &xml).unwrap();
    fs::write(at.join("inbox/notes.txt"), "call the broker").unwrap();
    fs::write(at.join("inbox/broken.json"), "{ \"functional_reference_id\": ").unwrap();
    let answered = run(at, &["import", "inbox", "--data", "data"]).expect(1);
    assert!(answered.out.contains("broken.json") && answered.out.contains("failed"), "{}", answered.out);
    assert!(answered.out.contains("one.xml") && !answered.out.contains("notes.txt"), "{}", answered.out);
    let again = run(at, &["import", "inbox/today", "--data", "data", "--json"]).expect(0).json();
    assert_eq!((again[0]["result"].as_str(), again.as_array().unwrap().len()), (Some("repeated"), 1));
    let empty = run(at, &["import", "inbox/none", "--data", "data"]).expect(3);
    assert!(empty.err.contains("inbox/none"), "{}", empty.err);

    let all = run(at, &["--quiet", "import", &messages, "--data", "all", "--json"]);
    let all = all.expect(0).json();
    let mut numbers: Vec<&str> =
        all.as_array().unwrap().iter().map(|told| told["mrn"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 1_000, "each has a number of its own");
}

#[test]
fn the_parquet_of_a_country_comes_in_like_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let admitted = run(at, &["import", &of_world("declarations.parquet"), "--data", "data", "--json"]);
    let batch = &admitted.expect(0).json()[0]["batch"];
    assert_eq!(batch["rows"], batch["rows_read"], "{batch}");
    let table = fs::read_to_string(of_world("declarations.csv")).unwrap();
    assert_eq!(batch["rows"], table.lines().count() - 1);
}

#[test]
fn a_sandbox_is_served_as_one_and_never_as_the_real_thing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let serve = ["serve", "--sandbox", "--data", "played", "--listen", "127.0.0.1:0"];
    let child = command(at, &serve).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut served = Served(child);
    let mut lines = BufReader::new(served.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("SANDBOX")), "it is said");
    let address = lines.find_map(|line| {
        line.strip_prefix("Serving on http://").map(|rest| rest.split(". ").next().unwrap().to_owned())
    });
    let status = Client::connect(&address.unwrap(), "").unwrap().ask("GET", "/api/v1/status", None).unwrap();
    assert_eq!(status.json()["sandbox"], true);
    interrupt(&served.0);
    assert!(served.0.wait().unwrap().success());
    let refused = run(at, &["serve", "--data", "played"]).expect(3);
    assert!(refused.err.contains("[data_folder_sandbox]"), "{}", refused.err);
    run_with_input(at, &["user", "add", "ada", "--role", "admin", "--data", "played"], PASSWORD).expect(0);
    run(at, &["user", "list", "--data", "real"]).expect(0);
    let refused = run(at, &["serve", "--sandbox", "--data", "real"]).expect(3);
    assert!(refused.err.contains("[data_folder_no_sandbox]"), "{}", refused.err);
}

#[test]
fn a_demo_comes_to_the_present_lives_and_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let arguments =
        ["demo", "--data", "demo", "--declarations", "1500", "--pace", "6000", "--listen", "127.0.0.1:0"];
    let child = command(at, &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut served = Served(child);
    let mut lines = BufReader::new(served.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Vec::new();
    let address = loop {
        let line = lines.next().unwrap_or_else(|| panic!("it ended: {said:?}"));
        if let Some(rest) = line.strip_prefix("Serving on http://") {
            break rest.split(". ").next().unwrap().to_owned();
        }
        said.push(line);
    };
    let said = said.join("\n");
    for expected in ["SIMULATED", "officer  works at the office", "Password of all of them: ", "Four things"]
    {
        assert!(said.contains(expected), "{said}");
    }
    let mut client = Client::connect(&address, "").unwrap();
    let lodged = |client: &mut Client| {
        client.ask("GET", "/api/v1/status", None).unwrap().json()["lodged_hour"].as_u64().unwrap()
    };
    let before = lodged(&mut client);
    while lodged(&mut client) <= before + 5 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    interrupt(&served.0);
    assert!(served.0.wait().unwrap().success());
    assert!(run(at, &["demo", "--data", "demo"]).expect(3).err.contains("[demo_folder_used]"));
    let policies = run(at, &["policy", "list", "--data", "demo"]).expect(0);
    assert!(!policies.err.contains("No policy in force"), "{policies:?}");
    assert!(policies.out.contains("fitted on the country's history"), "{policies:?}");
}

#[test]
fn a_journal_is_carried_into_a_database_and_back_and_the_roots_tell_that_it_is_the_same() {
    let test = "a_journal_is_carried_into_a_database_and_back_and_the_roots_tell_that_it_is_the_same";
    let Some(database) = postgres_server::running(test).map(postgres_server::Server::database) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    run_with_input(
        at,
        &["user", "add", "ada", "--role", "admin", "--data", "data"],
        "correct horse battery\n",
    )
    .expect(0);
    let root = run(at, &["verify", "folder", "--data", "data", "--json"]).expect(0).json()["root"].clone();
    let copy = |from: &str, to: &str| run(at, &["journal", "copy", "--from", from, "--to", to, "--json"]);
    let copied = copy("data", &database).expect(0).json();
    assert_eq!((&copied["root"], copied["events"].as_u64()), (&root, copied["events_carried"].as_u64()));
    let again = copy("data", &database).expect(0).json();
    assert_eq!((&again["root"], &again["events_carried"]), (&root, &serde_json::json!(0)));
    let back = copy(&database, "back.sqlite").expect(0).json();
    assert_eq!((&back["root"], &back["events"]), (&root, &copied["events"]));
    run_with_input(
        at,
        &["user", "add", "bob", "--role", "admin", "--data", "other"],
        "correct horse battery\n",
    )
    .expect(0);
    assert!(copy("other", &database).expect(3).err.contains("[journals_differ]"));
    assert!(copy("nowhere", &database).expect(3).err.contains("[journal_missing]"));
    assert!(copy(&database, "data").expect(3).err.contains("[journal_is_folder]"));
}
