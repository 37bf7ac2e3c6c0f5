//! Bad input: what is given, the exit code, and the code and words in the message. Nothing half-written stays.

use std::fs;
use std::path::Path;

use crate::support::{Run, of_world, run};

fn files_of(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Writes `inputs`, runs the audit on the first of them, and compares the answer. No report may come out.
#[track_caller]
fn check_refused(inputs: &[(&str, &[u8])], more: &[&str], exit: i32, said: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in inputs {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let before = files_of(folder.path());
    let first = inputs.first().map_or("missing.csv", |(name, _)| name);
    let refused =
        run(folder.path(), &[&["audit", "--declarations", first, "--out", "report.html"], more].concat());
    assert_eq!(refused.code, exit, "{refused:?}");
    for words in said {
        assert!(refused.err.contains(words), "{words} is not in: {}", refused.err);
    }
    assert_eq!(files_of(folder.path()), before, "something was left behind");
}

const HEADER: &str = "Declaration ID,Date,HS6 Code,Net Mass,Fraud\n";

fn rows(count: usize) -> String {
    let row = |at: usize| {
        format!("D{at},2024-01-{:02},8471{:02},{},{}\n", at % 28 + 1, at % 90 + 10, at + 1, at % 5 / 4)
    };
    HEADER.to_owned() + &(0..count).map(row).collect::<String>()
}

#[test]
fn files_that_cannot_be_read() {
    check_refused(&[], &[], 3, &["missing.csv", "[file_not_found]"]);
    check_refused(&[("empty.csv", b"")], &[], 3, &["empty.csv", "[file_empty]"]);
    check_refused(&[("header.csv", HEADER.as_bytes())], &[], 3, &["[audit_no_rows]"]);
    check_refused(&[("cut.parquet", b"PAR1 and no more")], &[], 3, &["cut.parquet", "[parquet_"]);
    let nothing_known = rows(20).replacen("Declaration ID,Date", "Alpha,Beta", 1);
    check_refused(&[("odd.csv", nothing_known.as_bytes())], &[], 3, &["tidewaiter map", "[mapping_"]);
}

#[test]
fn a_bad_day_is_told_and_the_rest_is_audited() {
    let folder = tempfile::tempdir().unwrap();
    let doubled = rows(60).replacen("HS6 Code", "Date", 1);
    let text = doubled.replacen("2024-01-09", "the ninth", 1).replacen(",5,", ",-5,", 1);
    fs::write(folder.path().join("records.csv"), text).unwrap();
    let audit = ["audit", "--declarations", "records.csv", "--out", "r.html", "--json", "r.json"];
    let said = run(folder.path(), &audit).expect(0).out;
    assert!(said.contains("2 rows could not be used"), "{said}");
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("r.json")).unwrap()).unwrap();
    let input = &report["inputs"][0];
    assert_eq!((&input["rows_read"], &input["rows_quarantined"]), (&60.into(), &2.into()), "{input}");
    let codes: Vec<&str> =
        input["findings"].as_array().unwrap().iter().map(|group| group["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"column_doubled") && codes.len() == 3, "{codes:?}");
}

#[test]
fn mappings_that_do_not_fit() {
    let records = rows(40);
    let mapping = |body: &str| format!("version = 1\nschema = \"declaration_item\"\n{body}");
    let good = "[fields.declaration_id]\ncolumn = \"Declaration ID\"\n[fields.date]\ncolumn = \"Date\"\n";
    let absent = mapping(&format!("{good}[fields.net_mass]\ncolumn = \"Nett Mass\"\n"));
    for (map, said) in [
        (absent.as_str(), ["Nett Mass", "Net Mass", "[mapping_unknown_column]"]),
        ("version = 1\nschema = ", ["map.toml", "line[2]", "[mapping_unreadable]"]),
        ("version = 9\nschema = \"x\"\n[fields]\n", ["map.toml", "version", "[mapping_version]"]),
    ] {
        let inputs: [(&str, &[u8]); 2] = [("records.csv", records.as_bytes()), ("map.toml", map.as_bytes())];
        check_refused(&inputs, &["--map", "map.toml"], 3, &said);
    }
    let inputs: [(&str, &[u8]); 1] = [("records.csv", records.as_bytes())];
    check_refused(&inputs, &["--map", "nowhere.toml"], 3, &["nowhere.toml", "[mapping_unreadable]"]);
    check_refused(&inputs, &["--outcomes", "Frod"], 3, &["Frod", "[mapping_unknown_column]"]);
    check_refused(&inputs, &["--outcomes", "nowhere.csv"], 3, &["nowhere.csv", "[file_not_found]"]);
    check_refused(&inputs, &["--declarations", "records.csv"], 3, &["records.csv", "[same_file_twice]"]);
}

#[test]
fn outputs_that_would_be_lost() {
    let records = rows(40);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("records.csv"), &records).unwrap();
    let audit = |out: &str| run(folder.path(), &["audit", "--declarations", "records.csv", "--out", out]);
    assert!(audit("nowhere/report.html").expect(3).err.contains("[folder_missing]"));
    assert!(audit("records.csv").expect(3).err.contains("[output_is_input]"));
    assert_eq!(fs::read_to_string(folder.path().join("records.csv")).unwrap(), records);
}

fn data_command(folder: &Path) -> Run {
    run(folder, &["pool", "list", "--data", "data"])
}

#[test]
fn data_folders_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("thesis.odt"), "years of work").unwrap();
    assert!(data_command(folder.path()).expect(3).err.contains("[data_folder_foreign]"));
    fs::remove_file(data.join("thesis.odt")).unwrap();

    data_command(folder.path()).expect(0);
    let marker = data.join("tidewaiter.toml");
    let text = fs::read_to_string(&marker).unwrap();
    fs::write(&marker, text.replace("format = 1", "format = 99")).unwrap();
    let newer = data_command(folder.path()).expect(4);
    assert!(newer.err.contains("[data_folder_newer]") && newer.err.contains("99"), "{}", newer.err);
    fs::write(&marker, "format = ").unwrap();
    assert!(data_command(folder.path()).expect(4).err.contains("[data_folder_marker_damaged]"));
    fs::write(&marker, &text).unwrap();

    let lock = fs::OpenOptions::new().write(true).open(data.join("lock")).unwrap();
    lock.lock().unwrap();
    let in_use = data_command(folder.path()).expect(4);
    assert!(in_use.err.contains("[data_folder_in_use]") && in_use.err.contains("another"), "{}", in_use.err);
    // Packs can be looked at all the same.
    run(folder.path(), &["pack", "list", "--data", "data"]).expect(0);
    drop(lock);
    data_command(folder.path()).expect(0);
    let missing = run(folder.path(), &["pack", "list", "--data", "nowhere"]).expect(3);
    assert!(missing.err.contains("[data_folder_missing]") && !folder.path().join("nowhere").exists());
}

/// A file system of 64 KiB, where this machine lets us mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    use std::process::Command;
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    fs::create_dir(&small).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        println!("SKIPPED a_full_disk_is_told: no file system can be mounted here");
        return;
    }
    let country = run(&small, &["country", "--out", "world", "--declarations", "2000"]);
    let left: Vec<String> = files_of(&small.join("world"));
    let declarations = of_world("declarations.csv");
    fs::write(small.join("fill"), vec![0_u8; 60 * 1024]).unwrap();
    let map = run(&small, &["map", &declarations, "--out", "map.toml"]);
    let after = files_of(&small);
    Command::new("umount").arg(&small).output().unwrap();
    for refused in [&country, &map] {
        assert_eq!(refused.code, 5, "{refused:?}");
        assert!(
            refused.err.contains("[disk_full]") && refused.err.contains("Free some space"),
            "{refused:?}"
        );
    }
    assert_eq!(left, ["truth"], "only the empty folder stays");
    assert!(!after.contains(&"map.toml".to_owned()), "{after:?}");
}
