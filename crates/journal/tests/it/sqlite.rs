//! What the SQLite journal promises beyond the trait: many callers share commits, readers never wait, what is erased
//! is nowhere in its files.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use journal::{AppendRequest, Journal, JournalError};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::support::{at, event, numbers, open, whole_feed};

#[test]
fn callers_that_race_for_one_stream_lose_no_event_and_make_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8_u64)
            .map(|caller| {
                let journal = &journal;
                scope.spawn(move || {
                    let (mut recorded, mut conflicts) = (0_u64, 0_u64);
                    let mut version = 0;
                    while recorded < 25 {
                        let request = at(numbers("shared", &[caller, caller]), "shared", version);
                        match journal.append(request) {
                            Ok(appended) => {
                                recorded += 1;
                                version = appended.events[1].stream_version;
                            }
                            Err(JournalError::Conflict { actual, .. }) => {
                                conflicts += 1;
                                version = actual;
                            }
                            Err(other) => panic!("{other}"),
                        }
                    }
                    (recorded, conflicts)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let events = whole_feed(&journal);
    assert_eq!(events.len(), 8 * 25 * 2);
    assert!(counts.iter().any(|(_, conflicts)| *conflicts > 0), "nobody ever conflicted: {counts:?}");
    // Both events of an append stand side by side.
    for pair in events.chunks(2) {
        assert_eq!(pair[0].payload, pair[1].payload);
    }
}

#[test]
fn a_reader_in_the_midst_of_a_long_read_holds_nobody_up_and_sees_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(numbers("a", &[1])).unwrap();
    let reader =
        Connection::open_with_flags(folder.path().join("journal.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = || reader.query_row("SELECT count(*) FROM event", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 1);
    for number in 2..=50 {
        journal.append(numbers("a", &[number])).unwrap();
    }
    assert_eq!((count(), journal.feed(0, 100).unwrap().len()), (1, 50));
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(), 50);
}

#[test]
fn reads_go_on_while_somebody_holds_the_write_lock_and_appends_then_say_who_to_look_for() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(numbers("a", &[1])).unwrap();
    let other = Connection::open(folder.path().join("journal.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let append = scope.spawn(|| journal.append(numbers("a", &[2])));
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(300) {
            assert_eq!(journal.feed(0, 10).unwrap().len(), 1);
        }
        assert!(!append.is_finished(), "the append should wait for the lock");
        let refused = append.join().unwrap().unwrap_err();
        assert_eq!(refused.code(), "journal_busy");
    });
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(journal.append(numbers("a", &[2])).unwrap().last_position(), 2);
}

#[test]
fn concurrent_readers_always_see_a_whole_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut before = 0;
                while !done.load(Ordering::Relaxed) {
                    let head = journal.head();
                    let read = u64::try_from(journal.feed(0, 10_000).unwrap().len()).unwrap();
                    assert!(read >= head && read >= before && read % 3 == 0, "{read} of {head}");
                    before = read;
                }
            });
        }
        for number in 0..200 {
            journal.append(numbers("a", &[number; 3])).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// Does any file of the folder contain these bytes?
fn found_in_files(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .any(|path| fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn what_is_erased_stands_in_no_file_any_more() {
    // Short ones share a page with neighbours; long ones fill pages of their own.
    for length in [10, 900, 30_000, 900_000] {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        let secret = format!("forget-me-{}", "s".repeat(length));
        let needle = &secret.as_bytes()[..19.min(secret.len())];
        for number in 0..40_u64 {
            let payload =
                if number == 17 { json!(secret) } else { json!({"number": number, "fill": "x".repeat(600)}) };
            let events = vec![event("a", payload)];
            journal.append(AppendRequest { events, ..Default::default() }).unwrap();
        }
        assert!(found_in_files(folder.path(), needle), "the test would prove nothing");
        journal.erase_payload(18, "retention period ended").unwrap();
        assert!(!found_in_files(folder.path(), needle), "{length} bytes while open");
        assert_eq!(whole_feed(&journal).len(), 40);
        drop(journal);
        assert!(!found_in_files(folder.path(), needle), "{length} bytes when closed");
    }
}

#[test]
fn a_reader_delays_the_last_traces_of_an_erasure_but_does_not_prevent_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let events = vec![event("a", json!("forget-me-please"))];
    journal.append(AppendRequest { events, ..Default::default() }).unwrap();
    let reader = Connection::open(folder.path().join("journal.sqlite")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM event", [], |row| row.get::<_, i64>(0)).unwrap();
    journal.erase_payload(1, "court order").unwrap();
    assert!(journal.event(1).unwrap().payload.value().is_none());
    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    let deadline = Instant::now() + Duration::from_secs(20);
    while found_in_files(folder.path(), b"forget-me-please") {
        assert!(Instant::now() < deadline, "the traces are still there");
        std::thread::sleep(Duration::from_millis(50));
    }
}
