//! One log that several writers keep in turns, on one database.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use journal::log::files::DiskFiles;
use journal::log::{Files, KeyKind, LogIdentity, LogReader, LogSettings, LogWriter, SigningKey};
use journal::{AppendRequest, Journal, SystemClock};
use serde_json::json;

use crate::postgres_server;
use crate::support::{event, open_postgres};

const CHECKPOINT: &str = "checkpoint";
/// Nothing takes so long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < PATIENCE, "{what}: never");
        thread::sleep(Duration::from_millis(10));
    }
}

fn append(journal: &dyn Journal, number: u64) -> u64 {
    let events = vec![event("turns", json!({ "number": number }))];
    journal.append(AppendRequest { events, ..AppendRequest::default() }).unwrap().last_position()
}

/// A journal on the database, and a writer of the log in this folder for a node.
fn start(url: &str, folder: &Path, key: &SigningKey, node: &str) -> (Arc<dyn Journal>, LogWriter) {
    let journal: Arc<dyn Journal> = Arc::new(open_postgres(url));
    let files = |name: &str| -> Arc<dyn Files> { Arc::new(DiskFiles::open(&folder.join(name)).unwrap()) };
    let identity = LogIdentity { memory: Some(files("memory")), ..LogIdentity::new(key.clone()) };
    let clock = Arc::new(SystemClock);
    let settings = LogSettings::default();
    let writer =
        LogWriter::start_shared(Arc::clone(&journal), files("log"), identity, settings, clock, node).unwrap();
    (journal, writer)
}

#[test]
fn one_writes_at_a_time_whoever_goes_and_an_overtaken_checkpoint_is_put_back() {
    let test = "one_writes_at_a_time_whoever_goes_and_an_overtaken_checkpoint_is_put_back";
    let Some(server) = postgres_server::running(test) else { return };
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate("example.com/log", KeyKind::Note).unwrap();
    let mut writers: Vec<_> =
        ["a", "b", "c"].iter().map(|node| start(&url, folder.path(), &key, node)).collect();
    let reader = LogReader::new(Arc::new(DiskFiles::open(&folder.path().join("log")).unwrap()));
    let mut overtaken = None;
    for number in 0..4 {
        until("one writes", || writers.iter().filter(|(_, writer)| writer.holds()).count() == 1);
        let position = writers.iter().map(|(journal, _)| append(journal.as_ref(), number)).max().unwrap();
        for (_, writer) in &writers {
            assert!(writer.wait_until_logged(position, PATIENCE) >= position, "all see it");
            assert!(writer.proof(position).is_ok());
        }
        // Somebody who stood still in the midst of publishing wakes up.
        if let Some(overtaken) =
            overtaken.replace(std::fs::read(folder.path().join("log/checkpoint")).unwrap())
        {
            std::fs::write(folder.path().join("log").join(CHECKPOINT), overtaken).unwrap();
            until("the last one is back", || {
                reader.checkpoint().unwrap().is_some_and(|own| own.checkpoint().size >= position)
            });
            assert!(writers.iter().all(|(_, writer)| writer.logged() >= position), "nobody went back");
        }
        let holder = writers.iter().position(|(_, writer)| writer.holds());
        if let Some(holder) = holder.filter(|_| writers.len() > 1) {
            drop(writers.remove(holder));
        }
    }
    let (journal, writer) = writers.pop().unwrap();
    let head = journal.head();
    assert!(writer.wait_until_logged(head, PATIENCE) >= head);
    let known = [key.verifier().clone()];
    let source = journal::log::JournalEntries(Arc::clone(&journal));
    let against = journal::log::Against { source: Some(&source), seen: None, threads: None };
    let report = journal::log::verify_log(&reader, &known, &against).unwrap();
    assert_eq!((report.findings_total, report.checkpoint.checkpoint().size), (0, head));
}

#[test]
fn who_lost_its_turn_a_moment_ago_publishes_nothing_more() {
    let test = "who_lost_its_turn_a_moment_ago_publishes_nothing_more";
    let Some(server) = postgres_server::running(test) else { return };
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate("example.com/log", KeyKind::Note).unwrap();
    let (journal, writer) = start(&url, folder.path(), &key, "a");
    until("it writes", || writer.holds());
    let position = append(journal.as_ref(), 1);
    assert!(writer.wait_until_logged(position, PATIENCE) >= position);
    // The lease goes to another one between two looks at it, as if this process had stood still for a while.
    server.sql(
        &url,
        "UPDATE journal.lease SET holder = 'another', epoch = epoch + 1, expires_at = now() + interval '1 hour'",
    );
    append(journal.as_ref(), 2);
    until("it knows", || !writer.holds());
    let reader = LogReader::new(Arc::new(DiskFiles::open(&folder.path().join("log")).unwrap()));
    assert_eq!(reader.checkpoint().unwrap().unwrap().checkpoint().size, position);
}

#[test]
fn who_waits_keeps_no_witnessed_checkpoint() {
    let Some(server) = postgres_server::running("who_waits_keeps_no_witnessed_checkpoint") else { return };
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate("example.com/log", KeyKind::Note).unwrap();
    let (journal, first) = start(&url, folder.path(), &key, "a");
    until("it writes", || first.holds());
    let (_other, second) = start(&url, folder.path(), &key, "b");
    let position = append(journal.as_ref(), 1);
    assert!(second.wait_until_logged(position, PATIENCE) >= position);
    let checkpoint = (*second.checkpoint().unwrap()).clone();
    assert!(second.keep_witnessed(checkpoint.clone()).is_err());
    assert!(first.keep_witnessed(checkpoint).is_ok());
}
