//! Commands on a data folder: what they keep, what they answer, and that nobody else gets in between.

use std::fs;
use std::path::Path;

use crate::support::{of_world, run, run_with_input};

const PASSWORD: &str = "correct horse battery staple\n";

#[test]
fn accounts_are_made_changed_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let data = ["--data", "data"];
    let user = |arguments: &[&str], input: &str| {
        let all: Vec<&str> = ["user"].iter().chain(arguments).chain(&data).copied().collect();
        run_with_input(at, &all, input)
    };
    let weak = user(&["add", "ada", "--role", "admin"], "short\n").expect(3);
    assert!(weak.err.contains("[password_length]"), "{}", weak.err);
    user(&["add", "ada", "--role", "admin"], PASSWORD).expect(0);
    assert!(user(&["add", "ada", "--role", "officer"], PASSWORD).expect(3).err.contains("ada"));
    user(&["add", "oleg", "--role", "officer"], PASSWORD).expect(0);
    user(&["password", "oleg"], "another horse battery staple\n").expect(0);
    user(&["role", "oleg", "chief"], "").expect(0);
    user(&["close", "oleg"], "").expect(0);
    let listed = user(&["list"], "").expect(0).out;
    assert!(
        listed.lines().any(|line| line.contains("oleg") && line.contains("chief") && line.contains("closed"))
    );
    user(&["reopen", "oleg"], "").expect(0);
    let json = user(&["list", "--json"], "").expect(0).json();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert!(!json.to_string().contains("argon2"), "no hash leaves the folder");
    assert!(user(&["close", "ada"], "").expect(3).err.contains("[last_administrator]"));
    assert!(user(&["close", "eve"], "").expect(3).err.contains("eve"));
}

fn bad_rows(at: &Path) {
    let text = fs::read_to_string(of_world("declarations.csv")).unwrap();
    let mut lines: Vec<String> = text.lines().take(301).map(str::to_owned).collect();
    let columns: Vec<&str> = lines[0].split(',').collect();
    let date = columns.iter().position(|name| *name == "date").unwrap();
    for line in [7, 12] {
        let mut cells: Vec<String> = lines[line].split(',').map(str::to_owned).collect();
        cells[date] = "the day before yesterday".to_owned();
        lines[line] = cells.join(",");
    }
    fs::write(at.join("records.csv"), lines.join("\n") + "\n").unwrap();
}

#[test]
fn records_come_in_are_quarantined_mended_and_traced() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    bad_rows(at);
    let first = run(at, &["import", "records.csv", "--data", "data", "--json"]).expect(0).json();
    let batch = first[0]["batch"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&first[0]["batch"]["rows"], &first[0]["batch"]["rows_quarantined"]),
        (&298.into(), &2.into())
    );
    let again = run(at, &["import", "records.csv", "--data", "data"]).expect(0).out;
    assert!(again.contains("already in the pool"), "{again}");

    let listed = run(at, &["pool", "list", "--data", "data"]).expect(0).out;
    assert!(
        listed.contains(&batch[..12]) && listed.contains("records.csv") && listed.contains("298"),
        "{listed}"
    );
    let shown = run(at, &["pool", "show", &batch[..6], "--data", "data"]).expect(0).out;
    assert!(shown.contains("SIMULATED rows") && shown.contains(&batch), "{shown}");
    let lineage = run(at, &["pool", "lineage", &batch[..8], "6", "--data", "data"]).expect(0).out;
    assert!(lineage.contains("records.csv, line 9"), "lines 8 and 13 are in quarantine: {lineage}");

    run(at, &["pool", "quarantine", &batch, "--data", "data", "--out", "mend.csv"]).expect(0);
    let mend = fs::read_to_string(at.join("mend.csv")).unwrap();
    assert!(mend.matches("the day before yesterday").count() >= 2, "{mend}");
    fs::write(at.join("mended.csv"), mend.replace("the day before yesterday", "2024-01-02")).unwrap();
    let mended = run(at, &["import", "mended.csv", "--mends", &batch, "--data", "data"]).expect(0).out;
    assert!(mended.contains("admitted"), "{mended}");
    let nothing_left = run(at, &["pool", "quarantine", &batch, "--data", "data"]).expect(3);
    assert!(nothing_left.err.contains("[quarantine_empty]"), "{}", nothing_left.err);
    assert!(run(at, &["pool", "show", "ffff", "--data", "data"]).expect(3).err.contains("ffff"));
}

#[test]
fn a_contract_is_printed_edited_declared_and_records_come_in_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let contract = run(at, &["pool", "contracts", "declarations", "--data", "data"]).expect(0).out;
    fs::write(at.join("ours.toml"), contract.replace("name = \"declarations\"", "name = \"port_records\""))
        .unwrap();
    let declared = run(at, &["pool", "declare", "ours.toml", "--data", "data"]).expect(0).out;
    assert!(declared.contains("port_records is in force ("), "{declared}");
    let again = run(at, &["pool", "declare", "ours.toml", "--data", "data"]).expect(0).out;
    assert!(again.contains("already"), "{again}");
    let listed = run(at, &["pool", "contracts", "--data", "data"]).expect(0).out;
    assert!(listed.contains("declarations") && listed.contains("port_records"), "{listed}");

    fs::write(at.join("records.csv"), "declaration_id,date,commodity_code\nD-1,2024-01-02,610910\n").unwrap();
    run(at, &["import", "records.csv", "--contract", "port_records", "--data", "data"]).expect(0);
    let unknown = run(at, &["import", "records.csv", "--contract", "nobody", "--data", "data"]).expect(3);
    assert!(unknown.err.contains("nobody"), "{}", unknown.err);
    fs::write(at.join("bad.toml"), "name = \"Port Records!\"\n").unwrap();
    let refused = run(at, &["pool", "declare", "bad.toml", "--data", "data"]).expect(3);
    assert!(refused.err.contains("[contract_refused]"), "{}", refused.err);
}

#[test]
fn a_pack_is_installed_once_and_is_in_use_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let pack = at.join("ours");
    fs::create_dir(&pack).unwrap();
    fs::write(
        pack.join("pack.toml"),
        "id = \"our-lists\"\nversion = \"1.0.0\"\nkind = \"lists\"\ntitle = { en = \"Ours\", zh = \"自有\" }\n\
         owner = \"Risk unit\"\nlegal_basis = \"Act 1\"\nsensitivity = \"official\"\nlicence = \"MIT\"\n",
    )
    .unwrap();
    fs::write(
        pack.join("lists.toml"),
        "[[list]]\nid = \"our_headings\"\ntitle = { en = \"Ours\", zh = \"自有\" }\nsource = \"made up\"\n\
         of = \"hs_heading\"\nvalues = [\"8471\"]\n",
    )
    .unwrap();
    let rule = ["rule", "check", "hs_heading(commodity_code) in our_headings"];
    run(at, &rule).expect(1);
    let installed = run(at, &["pack", "install", "ours", "--data", "data"]).expect(0).out;
    assert!(
        installed.contains("installed our-lists 1.0.0") && installed.contains("our_headings"),
        "{installed}"
    );
    assert!(run(at, &["pack", "install", "ours", "--data", "data"]).expect(0).out.contains("already"));
    run(at, &[rule.as_slice(), &["--data", "data"]].concat()).expect(0);
    let listed = run(at, &["pack", "list", "--data", "data"]).expect(0).out;
    assert!(listed.contains("our-lists"), "{listed}");
    fs::write(pack.join("lists.toml"), "[[list]]\nid = 3\n").unwrap();
    let refused = run(at, &["pack", "install", "ours", "--data", "data"]).expect(1).out;
    assert!(refused.contains("refused; nothing was installed"), "{refused}");
}
