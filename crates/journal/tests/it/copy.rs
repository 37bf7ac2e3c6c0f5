//! A journal carried from one store to the other is the same journal.

use std::io::Cursor;
use std::path::Path;

use journal::{
    AnyJournal, AppendRequest, Copied, Journal, JournalError, RecordedEvent, SqliteJournal, SqliteOptions,
    copy, is_database,
};
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

/// Copies a journal whose destination ends a batch in its midst; nothing of that batch is there, and once the
/// destination lets it, the copy is gone on with.
fn check_ended(from: &AnyJournal, ended: AnyJournal, again: impl FnOnce() -> AnyJournal) {
    let (mut reported, mut there) = (0, 0);
    let refused = copy(from, &ended, &mut |now| {
        reported += usize::from(now.events > there);
        there = now.events;
    });
    let code = refused.unwrap_err().code();
    assert!(["disk_full", "journal_unavailable", "journal_outcome_unknown"].contains(&code), "{code}");
    drop(ended);
    let to = again();
    assert!(reported > 0 && there > 0, "some batches were whole");
    assert_eq!(to.journal().head(), there, "of the one that was ended nothing is there");
    let copied = copy_quietly(from, &to).unwrap();
    let all = from.journal().head();
    assert_eq!((copied.events, copied.events_carried), (all, all - there));
    assert_eq!(seen(from), seen(&to));
    assert_eq!(copy_quietly(from, &to).unwrap().events_carried, 0);
}

/// Some batches of events, with keys.
fn long(folder: &Path) -> AnyJournal {
    let journal = open_at(&file(folder, "from.sqlite"));
    for round in 0..90 {
        let values: Vec<u64> = (0..100).collect();
        let request = keyed(numbers(&format!("s/{}", round % 7), &values), &format!("key/{round}"));
        journal.journal().append(request).unwrap();
    }
    journal
}

#[test]
fn a_copy_that_was_ended_in_the_midst_of_a_batch_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let from = long(folder.path());
    let path = folder.path().join("to.sqlite");
    // The file may grow so far that some batches fit.
    let options = SqliteOptions::new(&path, "node-1", "demo");
    let full = SqliteJournal::open(&SqliteOptions { file_pages_max: Some(900), ..options.clone() }).unwrap();
    check_ended(&from, AnyJournal::Sqlite(full), || open_at(&file(folder.path(), "to.sqlite")));
    let name = "a_copy_that_was_ended_in_the_midst_of_a_batch_is_gone_on_with";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let ended = open_at(&url);
    // The server ends the connection at one event.
    server.sql(
        &url,
        "CREATE FUNCTION journal.end_it() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
         CREATE TRIGGER end_it BEFORE INSERT ON journal.event FOR EACH ROW WHEN (NEW.position = 5000)
             EXECUTE FUNCTION journal.end_it();",
    );
    check_ended(&from, ended, || {
        server.sql(&url, "DROP TRIGGER end_it ON journal.event; DROP FUNCTION journal.end_it;");
        open_at(&url)
    });
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
