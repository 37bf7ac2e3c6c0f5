//! A full disk loses nothing that was acknowledged and takes nothing half.

use std::fs;
use std::io::Read;

use journal::{AppendRequest, Journal, JournalError, SqliteJournal, SqliteOptions};
use serde_json::json;

use crate::postgres_server;
use crate::small_disk::SmallDisk;
use crate::support::{event, number_of, numbers, open, options, whole_feed};

fn large(number: u64, bytes: usize, events: usize) -> AppendRequest {
    let one = event("large", json!({"number": number, "fill": "x".repeat(bytes)}));
    AppendRequest { events: vec![one; events], ..Default::default() }
}

#[test]
fn a_full_file_refuses_whole_appends_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let ceiling = SqliteOptions { file_pages_max: Some(200), ..options(folder.path()) };
    let journal = SqliteJournal::open(&ceiling).unwrap();
    let mut acknowledged = Vec::new();
    let refused = loop {
        let number = u64::try_from(acknowledged.len()).unwrap();
        match journal.append(large(number, 3_000, 3)) {
            Ok(_) => acknowledged.push(number),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, JournalError::StorageFull { path: ceiling.path.clone() });
    assert!(acknowledged.len() > 20);
    let recorded = |journal: &SqliteJournal| -> Vec<u64> {
        whole_feed(journal).iter().filter(|event| event.envelope.stream == "large").map(number_of).collect()
    };
    let expected: Vec<u64> = acknowledged.iter().flat_map(|number| [*number; 3]).collect();
    assert_eq!(recorded(&journal), expected);
    // A small one still finds room in the last pages, and takes the very next place.
    let small = journal.append(numbers("small", &[7])).unwrap();
    assert_eq!(small.last_position(), u64::try_from(expected.len()).unwrap() + 1);
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(recorded(&journal), expected);
    journal.append(large(99, 3_000, 3)).unwrap();
}

#[test]
fn a_large_append_that_finds_no_room_does_not_take_its_small_neighbours_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let ceiling = SqliteOptions { file_pages_max: Some(300), ..options(folder.path()) };
    let journal = SqliteJournal::open(&ceiling).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 0..15 {
                    let refused = journal.append(large(number, 500_000, 4)).unwrap_err();
                    assert_eq!(refused.code(), "disk_full");
                }
            });
        }
        for caller in 0..6_u64 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..15 {
                    journal.append(numbers(&format!("small/{caller}"), &[number])).unwrap();
                }
            });
        }
    });
    assert_eq!(whole_feed(&journal).len(), 6 * 15);
}

#[test]
fn a_full_disk_refuses_and_recovers_without_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(folder.path(), "3m") else { return };
    let filler = folder.path().join("filler");
    fs::write(&filler, vec![0_u8; 1_200_000]).unwrap();
    let journal = open(folder.path());
    let mut acknowledged = 0_u64;
    let refused = loop {
        match journal.append(large(acknowledged, 20_000, 2)) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), "disk_full", "{refused}");
    assert!(acknowledged > 3, "{acknowledged}");
    assert_eq!(journal.put_blob(&mut std::io::repeat(1)).unwrap_err().code(), "disk_full");
    fs::remove_file(&filler).unwrap();
    journal.append(large(acknowledged, 20_000, 2)).unwrap();
    let blob = journal.put_blob(&mut &b"there is room again"[..]).unwrap();
    assert_eq!(blob.bytes, 19);
    drop(journal);
    let journal = open(folder.path());
    let read: Vec<u64> = whole_feed(&journal).iter().map(number_of).collect();
    assert_eq!(read, (0..=acknowledged).flat_map(|number| [number; 2]).collect::<Vec<_>>());
}

#[test]
fn a_database_on_a_full_disk_refuses_whole_appends_and_goes_on_when_there_is_room() {
    let name = "a_database_on_a_full_disk_refuses_whole_appends_and_goes_on_when_there_is_room";
    let Some(server) = postgres_server::running(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(folder.path(), "24m") else { return };
    let filler = folder.path().join("filler");
    fs::write(&filler, vec![0_u8; 8_000_000]).unwrap();
    let url = server.database_in(folder.path());
    let journal = crate::support::open_postgres(&url);
    let mut acknowledged = 0_u64;
    let refused = loop {
        match journal.append(large(acknowledged, 200_000, 2)) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), "disk_full", "{refused}");
    assert!(acknowledged > 3, "{acknowledged}");
    assert_eq!(journal.put_blob(&mut std::io::repeat(1).take(9_000_000)).unwrap_err().code(), "disk_full");
    fs::remove_file(&filler).unwrap();
    journal.append(large(acknowledged, 200_000, 2)).unwrap();
    let read: Vec<u64> = whole_feed(&journal).iter().map(number_of).collect();
    assert_eq!(read, (0..=acknowledged).flat_map(|number| [number; 2]).collect::<Vec<_>>());
    drop(journal);
    server.drop_database(&url);
}
