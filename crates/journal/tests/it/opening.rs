//! Files that cannot be opened say why and stay as they are; damage is found.

use std::fs;
use std::io::Cursor;

use journal::{Journal, JournalError, SqliteJournal, golden};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{numbers, numbers_of, open, options, whole_feed};

fn journal_of(count: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(numbers("a", &(1..=count).collect::<Vec<_>>())).unwrap();
    folder
}

/// Alters the closed file behind the journal's back, guard rails removed.
fn tamper(folder: &TempDir, sql: &str) {
    let connection = Connection::open(folder.path().join("journal.sqlite")).unwrap();
    let triggers: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for trigger in triggers {
        connection.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
    }
    connection.execute_batch(sql).unwrap();
}

#[test]
fn what_was_recorded_is_there_after_opening_again() {
    let folder = journal_of(3);
    let journal = open(folder.path());
    assert_eq!(numbers_of(&whole_feed(&journal)), [1, 2, 3]);
    drop(journal);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "a closed journal is one file, its lock and its blobs: {left:?}");
}

#[test]
fn a_journal_is_open_once() {
    let folder = journal_of(1);
    let journal = open(folder.path());
    let refused = SqliteJournal::open(&options(folder.path())).unwrap_err();
    assert_eq!(refused.code(), "journal_in_use");
    drop(journal);
    open(folder.path());
}

#[test]
fn a_newer_format_is_left_alone() {
    let folder = journal_of(1);
    tamper(&folder, "PRAGMA user_version = 99");
    let before = fs::read(folder.path().join("journal.sqlite")).unwrap();
    let refused = SqliteJournal::open(&options(folder.path())).unwrap_err();
    assert_eq!(refused.code(), "journal_newer");
    assert!(
        refused.to_string().contains("has format 99, but this program reads up to format 1"),
        "{refused}"
    );
    assert_eq!(fs::read(folder.path().join("journal.sqlite")).unwrap(), before);
}

#[test]
fn other_peoples_files_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    fs::write(&path, "a thesis, and years of work").unwrap();
    assert_eq!(SqliteJournal::open(&options(folder.path())).unwrap_err().code(), "not_a_journal");
    assert_eq!(fs::read(&path).unwrap(), b"a thesis, and years of work");
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipe (name TEXT)").unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(SqliteJournal::open(&options(folder.path())).unwrap_err().code(), "not_a_journal");
    assert_eq!(fs::read(&path).unwrap(), before);
    // A folder that is not there is named.
    let mut elsewhere = options(folder.path());
    elsewhere.path = folder.path().join("missing/journal.sqlite");
    let refused = SqliteJournal::open(&elsewhere).unwrap_err();
    assert!(refused.to_string().contains("missing/journal.sqlite.lock"), "{refused}");
}

#[test]
fn rows_are_never_changed_nor_deleted_by_accident() {
    let folder = journal_of(2);
    let connection = Connection::open(folder.path().join("journal.sqlite")).unwrap();
    for sql in
        ["DELETE FROM event", "UPDATE event SET stream = 'b'", "DELETE FROM payload WHERE position = 1"]
    {
        let refused = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(refused.contains("only appended to"), "{sql}: {refused}");
    }
}

#[test]
fn damage_is_found_where_it_is() {
    let cases = [
        (
            "UPDATE payload SET salted = zeroblob(length(salted)) WHERE position = 2",
            "position 2",
            "commits to",
        ),
        ("DELETE FROM payload WHERE position = 2", "position 2", "payload is missing"),
        ("DELETE FROM event WHERE position = 2", "position 3", "follows number 1 but is number 3"),
        ("UPDATE event SET stream = 'b' WHERE position = 2", "position 2", "belongs to another place"),
        (
            "UPDATE event SET envelope = CAST(replace(CAST(envelope AS TEXT), 'o-17', 'o-18 ') AS BLOB) \
             WHERE position = 2; UPDATE event SET envelope = x'7b' WHERE position = 2",
            "position 2",
            "not an event envelope",
        ),
    ];
    for (sql, place, reason) in cases {
        let folder = journal_of(3);
        tamper(&folder, sql);
        let journal = open(folder.path());
        let damage = journal.feed(0, 10).unwrap_err();
        assert_eq!(damage.code(), "journal_damaged", "{damage}");
        let message = damage.to_string();
        assert!(message.contains(place) && message.contains(reason), "{sql}: {message}");
    }
    // The last event is looked at before anything is written after it.
    let folder = journal_of(3);
    tamper(&folder, "UPDATE payload SET salted = zeroblob(40) WHERE position = 3");
    assert_eq!(SqliteJournal::open(&options(folder.path())).unwrap_err().code(), "journal_damaged");
}

#[test]
fn a_decayed_blob_is_found_and_mended_by_keeping_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let kept = journal.put_blob(&mut Cursor::new(b"a bill of lading")).unwrap();
    let (shelf, file) = kept.sha256.split_at(2);
    let path = folder.path().join("journal.blobs").join(shelf).join(file);
    fs::write(&path, b"a bill of loading").unwrap();
    let damage = journal.get_blob(&kept.sha256).unwrap().read_whole(100).unwrap_err();
    assert_eq!(damage.code(), "journal_damaged");
    assert_eq!(journal.put_blob(&mut Cursor::new(b"a bill of lading")).unwrap(), kept);
    assert_eq!(journal.get_blob(&kept.sha256).unwrap().read_whole(100).unwrap(), b"a bill of lading");
}

#[test]
fn what_an_interrupted_put_left_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let part = folder.path().join("journal.blobs/7.part");
    fs::write(&part, b"half a docu").unwrap();
    drop(open(folder.path()));
    assert!(!part.exists());
}

#[test]
fn golden_events_are_checked_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let payload = json!({"rows": 3, "currency": "EUR"});
    let event = golden::example("batch.admitted", 1, &payload).unwrap();
    let path = folder.path().join("batch.admitted@1.json");
    fs::write(&path, serde_json::to_string(&event).unwrap()).unwrap();
    let same = |_: &spine::Envelope, payload: &Value| Ok(payload.clone());
    assert_eq!(golden::check(folder.path(), &same).unwrap(), ["batch.admitted@1"]);
    // A decoder that forgets a field, or refuses the old form, is noticed.
    let forgets = |_: &spine::Envelope, payload: &Value| Ok(json!({"rows": payload["rows"]}));
    assert!(golden::check(folder.path(), &forgets).unwrap_err().contains("and no longer"));
    assert!(golden::check(folder.path(), &|_, _| Err("unknown field".into())).is_err());
    // So is a file that was changed.
    let changed = golden::GoldenEvent { payload: event.payload.replace('3', "4"), ..event };
    fs::write(&path, serde_json::to_string(&changed).unwrap()).unwrap();
    assert!(golden::check(folder.path(), &same).unwrap_err().contains("commits to"));
}

#[test]
fn errors_say_what_to_do() {
    let error = JournalError::StorageFull { path: "/data/journal.sqlite".into() };
    assert_eq!(
        error.to_string(),
        "no space is left for /data/journal.sqlite: nothing of this was recorded, and everything recorded before is \
         safe. Free some space on that disk, then try again."
    );
}
