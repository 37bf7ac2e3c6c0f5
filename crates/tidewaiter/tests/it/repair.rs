//! What is damaged is named with the command that mends it, and that command works.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::crash::prepare;
use crate::support::{Run, run};

/// The only file of a folder whose name is a number: an open tile.
fn open_tile(folder: &Path) -> PathBuf {
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap());
    names.pop().unwrap()
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A house with a log whose key was changed, and a backup of it.
fn house(at: &Path) {
    prepare(at);
    run(at, &["log", "change-key", "--data", "data"]).expect(0);
    run(at, &["backup", "--data", "data", "--to", "backup"]).expect(0);
}

fn opened(at: &Path) -> Run {
    run(at, &["user", "list", "--data", "data"])
}

#[test]
fn a_damaged_log_is_named_with_the_command_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    house(at);
    let log = at.join("data/log");
    let places = [
        ("checkpoint", log.join("checkpoint")),
        ("tile/0/000", open_tile(&log.join("tile/0/000.p"))),
        ("tile/entries/000", open_tile(&log.join("tile/entries/000.p"))),
        ("signed-checkpoint", at.join("data/keys/log-memory/signed-checkpoint")),
    ];
    for (name, path) in places {
        let whole = fs::read(&path).unwrap();
        flip(&path);
        let refused = opened(at);
        assert!(refused.code > 0, "{name}: {refused:?}");
        assert!(refused.err.contains(name), "{name}: {}", refused.err);
        assert!(refused.err.contains("`tidewaiter log rebuild`"), "{name}: {}", refused.err);
        let damaged = fs::read(&path).unwrap();
        let rebuilt = run(at, &["log", "rebuild", "--data", "data", "--json"]).expect(0).json();
        let renewed = rebuilt["renewed"].as_array().unwrap();
        assert!(renewed.len() == 1 && renewed[0].as_str().unwrap().contains(name), "{name}: {rebuilt}");
        assert_eq!(rebuilt["verified"]["findings_total"], 0, "{name}: {rebuilt}");
        let aside = at.join(rebuilt["kept_aside"].as_str().unwrap()).join(renewed[0].as_str().unwrap());
        assert_eq!(fs::read(aside).unwrap(), damaged, "{name}");
        if name.starts_with("tile") {
            assert_eq!(fs::read(&path).unwrap(), whole, "{name}");
        }
        run(at, &["verify", "folder", "--data", "data"]).expect(0);
        opened(at).expect(0);
    }
    let nothing = run(at, &["log", "rebuild", "--data", "data"]).expect(0);
    assert!(nothing.out.contains("nothing of the log was missing or damaged"), "{nothing:?}");
    assert!(nothing.out.contains("everything holds"), "{nothing:?}");
}

#[test]
fn a_log_without_any_checkpoint_is_mended_by_one_that_others_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    house(at);
    for path in ["data/log/checkpoint", "data/keys/log-memory/signed-checkpoint"] {
        flip(&at.join(path));
    }
    let refused = run(at, &["log", "rebuild", "--data", "data"]).expect(4);
    assert!(
        refused.err.contains("[log_nothing_known]") && refused.err.contains("--checkpoint"),
        "{refused:?}"
    );
    assert!(!at.join("data/log-damaged").exists(), "nothing was changed");
    run(at, &["restore", "--from", "backup", "--to", "new"]).expect(0);
    let rebuild = ["log", "rebuild", "--data", "data", "--checkpoint", "new/log/checkpoint", "--json"];
    let rebuilt = run(at, &rebuild).expect(0).json();
    assert_eq!(rebuilt["compared"][0][0], json!("new/log/checkpoint"), "{rebuilt}");
    opened(at).expect(0);
    run(at, &["verify", "folder", "--data", "data"]).expect(0);
}

#[test]
fn a_damaged_record_of_keys_comes_back_from_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    house(at);
    flip(&at.join("data/log/keys/000"));
    for command in [&["user", "list"][..], &["verify", "folder"], &["log", "rebuild"]] {
        let refused = run(at, &[command, &["--data", "data"]].concat()).expect(4);
        assert!(refused.err.contains("keys/000 of the log is damaged"), "{}", refused.err);
        assert!(refused.err.contains("`tidewaiter restore --from BACKUP --to NEW`"), "{}", refused.err);
    }
    run(at, &["restore", "--from", "backup", "--to", "new"]).expect(0);
    fs::copy(at.join("new/log/keys/000"), at.join("data/log/keys/000")).unwrap();
    opened(at).expect(0);
    run(at, &["verify", "folder", "--data", "data"]).expect(0);
}

#[test]
fn a_journal_that_contradicts_the_log_is_not_made_its_history() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    house(at);
    let connection = rusqlite::Connection::open(at.join("data/journal.sqlite")).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER event_no_UPDATE;
             UPDATE event SET envelope = CAST(replace(CAST(envelope AS TEXT), 'local', 'lokal') AS BLOB)
             WHERE position = 3;",
        )
        .unwrap();
    drop(connection);
    let before = fs::read(at.join("data/log/checkpoint")).unwrap();
    let refused = run(at, &["log", "rebuild", "--data", "data"]).expect(4);
    assert!(refused.err.contains("[log_would_fork]") && refused.err.contains("checkpoint"), "{refused:?}");
    assert_eq!(fs::read(at.join("data/log/checkpoint")).unwrap(), before);
    let found = run(at, &["verify", "folder", "--data", "data"]).expect(1);
    assert!(found.out.contains("position 3:"), "{found:?}");
}
