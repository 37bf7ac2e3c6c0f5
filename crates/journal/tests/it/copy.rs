//! A journal carried from one store to the other is the same journal.

use std::io::Cursor;
use std::path::Path;

use journal::{AnyJournal, AppendRequest, Copied, Journal, JournalError, RecordedEvent, copy, is_database};
use serde_json::json;

use crate::postgres_server;
use crate::support::{claiming, event, keyed, numbers, whole_feed};

fn open_at(location: &str) -> AnyJournal {
    journal::open(location, "node-1", "demo").unwrap()
}

fn file(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Streams that take turns, keys, long payloads, erasures, blobs.
fn fill(journal: &dyn Journal, rounds: u64) {
    for round in 0..rounds {
        let blob = journal.put_blob(&mut Cursor::new(format!("document {round}").repeat(100))).unwrap();
        let events = (0..7)
            .map(|index| {
                let fill = "x".repeat(usize::try_from(round * 311 % 5_000).unwrap());
                event(
                    &format!("s/{}", index % 3),
                    json!({"number": index, "blob": blob.sha256, "fill": fill}),
                )
            })
            .collect();
        let request = AppendRequest { events, ..Default::default() };
        let appended = journal
            .append(claiming(keyed(request, &format!("key/{round}")), &[format!("name/{round}").as_str()]))
            .unwrap();
        if round % 5 == 2 {
            journal.erase_payload(appended.last_position(), "retention period ended").unwrap();
        }
    }
}

fn copy_quietly(from: &AnyJournal, to: &AnyJournal) -> Result<Copied, JournalError> {
    copy(from, to, &mut |_| {})
}

/// All that can be seen of a journal.
fn seen(journal: &AnyJournal) -> Vec<RecordedEvent> {
    let feed = whole_feed(journal.journal());
    for event in &feed {
        if let Some(blob) = event.payload.value().and_then(|payload| payload["blob"].as_str()) {
            journal.journal().get_blob(blob).unwrap().read_whole(1_000_000).unwrap();
        }
    }
    feed
}

/// Copies a journal of some rounds in two parts, the second after it has grown and more of it was erased.
fn check(from: &str, to: &str) {
    let original = open_at(from);
    fill(original.journal(), 12);
    {
        let copied_to = open_at(to);
        let mut last = 0;
        let copied = copy(&original, &copied_to, &mut |progress| {
            assert!(progress.events >= last && progress.events <= progress.events_total);
            last = progress.events;
        })
        .unwrap();
        assert_eq!((copied.events, copied.events_carried, copied.blobs_carried, last), (84, 84, 12, 84));
        assert_eq!(seen(&original), seen(&copied_to));
    }
    original.journal().append(numbers("s/1", &[7, 8])).unwrap();
    original.journal().erase_payload(1, "court order").unwrap();
    let copied_to = open_at(to);
    let copied = copy_quietly(&original, &copied_to).unwrap();
    assert_eq!((copied.events, copied.events_carried, copied.blobs_carried), (86, 2, 0));
    assert_eq!(seen(&original), seen(&copied_to));
    // Once more there is nothing to do, and the hash is the same, in the other direction too.
    assert_eq!(copy_quietly(&original, &copied_to).unwrap(), Copied { events_carried: 0, ..copied.clone() });
    assert_eq!(copy_quietly(&copied_to, &original).unwrap().root, copied.root);
    // The copy goes on where the original was: versions, positions, keys.
    let again = AppendRequest {
        events: whole_feed(original.journal())[7..14]
            .iter()
            .map(|recorded| event(&recorded.envelope.stream, recorded.payload.value().unwrap().clone()))
            .collect(),
        ..Default::default()
    };
    assert!(copied_to.journal().append(keyed(again, "key/1")).unwrap().repeated);
    let refused = copied_to.journal().append(claiming(numbers("s/1", &[9]), &["name/3"])).unwrap_err();
    assert_eq!(refused, JournalError::Claimed { claim: "name/3".to_owned(), position: 22 });
    let appended = copied_to.journal().append(numbers("s/1", &[9])).unwrap();
    assert_eq!((appended.events[0].position, appended.events[0].stream_version), (87, 27));
    // Now the copy is longer than the original: that is no copy any more.
    assert_eq!(copy_quietly(&original, &copied_to).unwrap_err().code(), "journal_not_the_same");
}

#[test]
fn a_journal_is_copied_to_another_file() {
    let folder = tempfile::tempdir().unwrap();
    check(&file(folder.path(), "from.sqlite"), &file(folder.path(), "to.sqlite"));
}

#[test]
fn a_journal_is_copied_from_a_file_to_a_database_and_back() {
    let name = "a_journal_is_copied_from_a_file_to_a_database_and_back";
    let Some(server) = postgres_server::running(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    check(&file(folder.path(), "from.sqlite"), &server.database());
    check(&server.database(), &file(folder.path(), "to.sqlite"));
}

#[test]
fn another_journal_is_not_copied_over() {
    let folder = tempfile::tempdir().unwrap();
    let from = open_at(&file(folder.path(), "from.sqlite"));
    let to = open_at(&file(folder.path(), "to.sqlite"));
    from.journal().append(numbers("a", &[1, 2, 3])).unwrap();
    to.journal().append(numbers("a", &[1, 2])).unwrap();
    let refused = copy_quietly(&from, &to).unwrap_err();
    assert_eq!(refused.code(), "journal_not_the_same");
    assert!(refused.to_string().contains("at position 1: another event stands there"), "{refused}");
    assert_eq!(to.journal().head(), 2);
}

#[test]
fn a_location_is_a_file_or_a_database() {
    for (location, expected) in [
        ("postgres://tw@localhost/tw", true),
        ("postgresql:///tw", true),
        ("journal.sqlite", false),
        ("./postgres/journal.sqlite", false),
    ] {
        assert_eq!(is_database(location), expected, "{location}");
    }
}
