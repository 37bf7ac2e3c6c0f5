//! A journal carried on into a copy again and again, while it is written: what a backup rests on.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use journal::log::files::{DiskFiles, Durably};
use journal::log::tiles::{carry_tiles, frontier_of, remove_other_partials};
use journal::log::tree::{Frontier, leaf_hash};
use journal::log::{Integrator, KeyKind, LogIdentity, LogReader, SigningKey, verify_log};
use journal::{
    AnyJournal, AppendRequest, Carried, CopyProgress, Journal, JournalError, Known, SqliteJournal,
    carry_blobs, carry_erasures, carry_events, erasures_sha256, keys_sha256, shelves,
};
use serde_json::json;

use crate::support::{event, keyed, whole_feed};

fn go_on(_: CopyProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn written(path: &Path) -> AnyJournal {
    journal::open(&path.display().to_string(), "node-1", "demo").unwrap()
}

fn read_only(path: &Path) -> AnyJournal {
    AnyJournal::Sqlite(SqliteJournal::open_read_only(path).unwrap())
}

fn append(journal: &dyn Journal, number: u64) -> u64 {
    let events = (0..5).map(|own| event(&format!("s/{}", own % 2), json!({ "number": number, "own": own })));
    let request = AppendRequest { events: events.collect(), ..Default::default() };
    journal.append(keyed(request, &format!("key/{number}"))).unwrap().last_position()
}

fn carried(from: &AnyJournal, to: &AnyJournal, known: &Known, tree: &mut Frontier) -> Carried {
    let until = from.journal().head();
    let mut grow = |entry: &[u8]| tree.push(leaf_hash(entry));
    carry_events(from, to, known, until, &mut grow, &mut go_on).unwrap()
}

#[test]
fn it_is_read_while_it_is_written_and_a_reader_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    assert!(SqliteJournal::open_read_only(&path).is_err(), "there is none yet");
    let writer = written(&path);
    append(writer.journal(), 1);
    let reader = read_only(&path);
    append(writer.journal(), 2);
    assert_eq!((reader.journal().head(), writer.journal().head()), (5, 10), "it stays where it was");
    assert_eq!(reader.journal().wait_for(6, std::time::Duration::from_secs(60)), 5, "nothing is waited for");
    let request = AppendRequest { events: vec![event("s", json!({}))], ..Default::default() };
    for refused in [
        reader.journal().append(request).map(drop),
        reader.journal().erase_payload(1, "law"),
        reader.journal().put_blob(&mut Cursor::new(b"x")).map(drop),
        reader.journal().erase_blob(&"0".repeat(64)),
    ] {
        assert_eq!(refused.unwrap_err().code(), "journal_read_only");
    }
    std::fs::write(folder.path().join("other"), "no database").unwrap();
    let refused = SqliteJournal::open_read_only(&folder.path().join("other")).unwrap_err();
    assert!(matches!(refused.code(), "not_a_journal" | "journal_damaged"), "{refused}");
}

#[test]
fn carried_on_piece_by_piece_both_are_the_same_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.sqlite"), folder.path().join("b.sqlite"));
    let writer = written(&path);
    let mut known = Known::default();
    let mut tree = Frontier::new();
    for round in 0..6 {
        let blob = writer.journal().put_blob(&mut Cursor::new(format!("document {round}"))).unwrap();
        for number in 0..=round {
            append(writer.journal(), round * 100 + number);
        }
        writer.journal().erase_payload(round * 2 + 1, "retention period ended").unwrap();
        if round == 4 {
            writer.journal().erase_blob(&blob.sha256).unwrap();
        }
        let (from, to) = (read_only(&path), written(&copy));
        carry_blobs(&from, &to, &mut go_on).unwrap();
        let now = carried(&from, &to, &known, &mut tree);
        assert_eq!(now.number, (round + 1) * 5, "only what is new");
        carry_erasures(&from, &to, now.known.events).unwrap();
        known = now.known;
        assert_eq!(whole_feed(from.journal()), whole_feed(to.journal()));
        let head = known.events;
        assert_eq!(keys_sha256(&to, head).unwrap(), known.keys_sha256);
        assert_eq!(erasures_sha256(&from, head).unwrap(), erasures_sha256(&to, head).unwrap());
        let none = BTreeSet::new();
        assert_eq!(shelves(&from, &none).unwrap(), shelves(&to, &none).unwrap());
        let mut whole = Frontier::new();
        from.journal().envelopes(0, 10_000).unwrap().iter().for_each(|own| whole.push(leaf_hash(own)));
        assert_eq!(tree.root(), whole.root());
    }
    // From the first event again, everything is compared and nothing is new.
    let (from, to) = (read_only(&path), written(&copy));
    let again = carried(&from, &to, &Known::default(), &mut Frontier::new());
    assert_eq!((again.number, again.known), (0, known));
}

#[test]
fn what_stopped_in_the_midst_goes_on_and_another_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.sqlite"), folder.path().join("b.sqlite"));
    let writer = written(&path);
    for number in 0..900 {
        append(writer.journal(), number);
    }
    let (from, to) = (read_only(&path), written(&copy));
    let until = from.journal().head();
    let mut stop = |_: CopyProgress| ControlFlow::Break(());
    let known = Known::default();
    let part = carry_events(&from, &to, &known, until, &mut |_| (), &mut stop).unwrap();
    assert!(part.stopped && part.known.events > 0 && part.known.events < until, "{part:?}");
    let rest = carried(&from, &to, &known, &mut Frontier::new());
    assert_eq!(rest.number, until - part.known.events);
    assert_eq!(rest.known.keys_sha256, keys_sha256(&from, until).unwrap());
    let other = written(&folder.path().join("c.sqlite"));
    append(other.journal(), 1);
    let refused = carry_events(&from, &other, &known, until, &mut |_| (), &mut go_on).unwrap_err();
    assert!(matches!(refused, JournalError::NotTheSame { position: 1, .. }), "{refused}");
    let known = Known { events: 50, keys_sha256: String::new() };
    let refused = carry_events(&from, &other, &known, until, &mut |_| (), &mut go_on).unwrap_err();
    assert!(matches!(refused, JournalError::NotTheSame { position: 6, .. }), "{refused}");
}

/// Entries that a log is made of.
struct Numbers(u64);

impl journal::log::writer::Entries for Numbers {
    fn head(&self) -> u64 {
        self.0
    }

    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        Ok((after..self.0).take(limit).map(|own| format!("entry {own}").into_bytes()).collect())
    }
}

#[test]
fn tiles_are_carried_at_the_width_they_had_however_far_the_log_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let disk = |name: &str| Arc::new(DiskFiles::open(&folder.path().join(name)).unwrap());
    let key = SigningKey::generate("example.org/log", KeyKind::Note).unwrap();
    let verifier = key.verifier().clone();
    let mut log = Integrator::open(disk("log"), LogIdentity::new(key), &Numbers(0)).unwrap();
    let mut see = |_: u64, _: u64| ControlFlow::Continue(());
    let mut known = 0;
    // Each size is carried only after the log has grown beyond it.
    for (size, next) in [(3, 200), (200, 256), (256, 300), (300, 70_000), (70_000, 70_001)] {
        for until in [size, next] {
            let entries: Vec<Vec<u8>> =
                (log.size()..until).map(|own| format!("entry {own}").into_bytes()).collect();
            if !entries.is_empty() {
                log.integrate(&entries, 1).unwrap();
            }
        }
        let copy = Durably::new(disk("copy")).unwrap();
        let tiles = carry_tiles(log.reader(), &copy, (known, size), &mut see).unwrap();
        assert!(tiles.files > 0 && !tiles.stopped);
        remove_other_partials(&copy, known, size).unwrap();
        let reader = LogReader::new(disk("copy"));
        let mut whole = Frontier::new();
        (0..size).for_each(|own| whole.push(leaf_hash(format!("entry {own}").as_bytes())));
        assert_eq!(frontier_of(&reader, size).unwrap(), whole);
        known = size;
    }
    // With the checkpoint of its size the copy is a log that verifies.
    let copy = Durably::new(disk("copy")).unwrap();
    carry_tiles(log.reader(), &copy, (known, 70_001), &mut see).unwrap();
    let checkpoint = std::fs::read(folder.path().join("log/checkpoint")).unwrap();
    copy.put_one("checkpoint", checkpoint).unwrap();
    let report = verify_log(&LogReader::new(disk("copy")), &[verifier], &Default::default()).unwrap();
    assert!(report.holds(), "{:?}", report.findings);
}
