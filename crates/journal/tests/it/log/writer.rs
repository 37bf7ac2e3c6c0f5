//! The log grows with its journal, goes on after a restart, and refuses to go on from what was changed.

use std::sync::Arc;
use std::time::Duration;

use journal::log::files::{DiskFiles, Faults, FaultyDisk};
use journal::log::tree::{TreeHash, verify_consistency};
use journal::log::writer::{Entries, JournalEntries, PADDING, SIGNED};
use journal::log::{
    Against, Checkpoint, Files, Integrator, KeyKind, LogError, LogIdentity, LogReader, LogSettings,
    LogWriter, SignedCheckpoint, SigningKey, verify_log,
};
use journal::{Journal, SqliteJournal};

use super::support::{
    ORIGIN, Source, catch_up, disk, key, log_of, open, open_remembering, reader, witness_key,
};
use crate::support::{numbers, options, whole_feed};

#[test]
fn checkpoints_are_those_over_the_entries_and_each_continues_the_one_before() {
    let (files, source) = (disk(), Source::of(0));
    let mut log = open(&files, &source).unwrap();
    assert!(log.last().is_none());
    let mut before = catch_up(&mut log, &source, 10).unwrap();
    assert_eq!(before.checkpoint().root, source.root(0));
    for step in [1, 1, 2, 250, 2, 255, 256, 257, 1_000] {
        source.grow(step);
        let now = catch_up(&mut log, &source, 10_000).unwrap();
        assert_eq!(now.checkpoint().size, source.head());
        assert_eq!(now.checkpoint().root, source.root(source.head()));
        now.verify(&[key(1).verifier().clone()]).unwrap();
        let (old, new) = (before.checkpoint(), now.checkpoint());
        let tree = &mut log.reader().tree(new.size);
        let path = journal::log::tree::consistency_proof(tree, old.size, new.size).unwrap();
        verify_consistency(old.size, old.root, new.size, new.root, &path).unwrap();
        assert_eq!(reader(&files).checkpoint().unwrap().unwrap(), *now);
        before = now;
    }
}

#[test]
fn a_log_is_the_same_in_whatever_steps_it_was_made_and_however_often_it_was_opened() {
    let (_, _, whole) = log_of(1_500, 1_500);
    let (files, source) = (disk(), Source::of(1_500));
    for step in (1..60).cycle() {
        let mut log = open(&files, &source).unwrap();
        if log.size() == 1_500 {
            assert_eq!(log.last().unwrap().checkpoint(), whole.last().unwrap().checkpoint());
            break;
        }
        catch_up(&mut log, &source, step).unwrap();
    }
}

#[test]
fn what_was_changed_is_not_gone_on_from() {
    let check = |change: &dyn Fn(&FaultyDisk, &Source), code: &str, says: &str| {
        let (files, source, log) = log_of(700, 300);
        drop(log);
        change(&files, &source);
        let error = open(&files, &source).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    let entry = |source: &Source, index: usize| source.0.lock().unwrap()[index].push(b' ');
    check(&|_, source| source.0.lock().unwrap().truncate(699), "log_journal_behind", "position 699");
    check(&|_, source| entry(source, 699), "log_journal_differs", "position 700");
    check(&|_, source| entry(source, 600), "log_journal_differs", "position 601");
    // Also where the last bundle is full.
    let (files, source, log) = log_of(512, 512);
    drop(log);
    entry(&source, 300);
    assert_eq!(open(&files, &source).unwrap_err(), LogError::JournalDiffers { position: 301, index: 300 });
    for (path, code) in [
        ("tile/0/002.p/188", "log_damaged"),
        ("tile/1/000.p/2", "log_damaged"),
        ("tile/entries/002.p/188", "log_damaged"),
        ("tile/0/001", "log_damaged"),
    ] {
        check(&|files, _| drop(files.rot(&|found| found == path)), code, path);
        check(&|files, _| files.remove(path).unwrap(), code, path);
    }
    let foreign = |files: &FaultyDisk, _: &Source| {
        let mut text = String::from_utf8(files.read("checkpoint", 10_000).unwrap()).unwrap();
        text = text.replace(ORIGIN, "other.example/log");
        files.write("checkpoint", text.as_bytes()).unwrap();
    };
    check(&foreign, "log_of_another", "other.example/log");
    let resized = |files: &FaultyDisk, _: &Source| {
        let text = String::from_utf8(files.read("checkpoint", 10_000).unwrap()).unwrap();
        files.write("checkpoint", text.replace("\n700\n", "\n600\n").as_bytes()).unwrap();
    };
    check(&resized, "log_unsigned", "was not made with this key");
    check(&|files, _| files.write("checkpoint", b"").unwrap(), "log_damaged", "checkpoint");
}

#[test]
fn a_tile_that_decays_under_a_running_log_keeps_it_from_signing() {
    let decayed = |change: &dyn Fn(&FaultyDisk), code: &str| {
        let (files, source, mut log) = log_of(600, 300);
        let before = log.last();
        change(&files);
        source.grow(10);
        let error = catch_up(&mut log, &source, 10).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!((log.size(), log.last()), (600, before));
    };
    let tile = "tile/1/000.p/2";
    decayed(&|files| drop(files.rot(&|path| path == tile)), "log_would_fork");
    decayed(&|files| files.remove(tile).unwrap(), "log_damaged");
}

/// What a log of so many entries remembers.
fn memory_of(count: u64) -> (Arc<FaultyDisk>, Arc<Source>, Arc<SignedCheckpoint>) {
    let (memory, source) = (disk(), Source::of(count));
    let mut log = open_remembering(&disk(), &memory, &source).unwrap();
    let last = catch_up(&mut log, &source, 10_000).unwrap();
    (memory, source, last)
}

#[test]
fn a_log_folder_that_was_lost_or_is_an_older_copy_is_made_anew_up_to_what_was_signed() {
    let (memory, source, last) = memory_of(900);
    for published in [0, 300, 512, 900] {
        let (files, _, log) = log_of(published, 100);
        drop(log);
        source.grow(10);
        let log = open_remembering(&files, &memory, &source).unwrap();
        assert_eq!(log.last().unwrap(), last, "{published}");
        assert_eq!(reader(&files).checkpoint().unwrap().as_ref(), Some(last.as_ref()));
        let report = verify_log(&reader(&files), &[key(1).verifier().clone()], &Against::default()).unwrap();
        assert!(report.holds(), "{:?}", report.findings);
    }
}

#[test]
fn not_even_an_empty_folder_lets_a_log_sign_another_history() {
    let check = |change: &dyn Fn(&FaultyDisk, &Source), published: u64, code: &str| {
        let (memory, source, _) = memory_of(900);
        let (files, _, log) = log_of(published, 100);
        let before = log.last();
        drop(log);
        change(&memory, &source);
        let error = open_remembering(&files, &memory, &source).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(reader(&files).checkpoint().unwrap().as_ref(), before.as_deref());
    };
    let rewritten = |_: &FaultyDisk, source: &Source| source.0.lock().unwrap()[700].push(b' ');
    check(&rewritten, 0, "log_would_fork");
    check(&rewritten, 512, "log_would_fork");
    check(&|_, source| source.0.lock().unwrap().truncate(899), 512, "log_journal_behind");
    check(&|memory, _| memory.write(SIGNED, b"x").unwrap(), 512, "log_memory_damaged");
    let resized = |memory: &FaultyDisk, _: &Source| {
        let text = String::from_utf8(memory.read(SIGNED, 10_000).unwrap()).unwrap();
        memory.write(SIGNED, text.replace("\n900\n", "\n400\n").as_bytes()).unwrap();
    };
    check(&resized, 512, "log_memory_damaged");
    // A published log that is ahead of the memory must continue what is remembered.
    let (memory, _, _) = memory_of(300);
    let other = Source::of(600);
    other.0.lock().unwrap()[100].push(b' ');
    let files = disk();
    catch_up(&mut open(&files, &other).unwrap(), &other, 600).unwrap();
    assert_eq!(open_remembering(&files, &memory, &other).unwrap_err().code(), "log_would_fork");
}

#[test]
fn a_full_disk_delays_the_log_and_nothing_else() {
    let (files, source, mut log) = log_of(300, 300);
    files.restart_after_kill(Faults { bytes_max: Some(60_000), ..Faults::default() });
    source.grow(2_000);
    let before = log.last();
    let error = catch_up(&mut log, &source, 2_000).unwrap_err();
    assert!(matches!(error, LogError::StorageFull { .. }), "{error}");
    assert_eq!((log.size(), log.last()), (300, before));
    files.restart_after_kill(Faults::default());
    let now = catch_up(&mut log, &source, 2_000).unwrap();
    assert_eq!(now.checkpoint().root, source.root(2_300));
}

fn start(folder: &std::path::Path, settings: LogSettings) -> (Arc<SqliteJournal>, LogWriter) {
    let journal = Arc::new(SqliteJournal::open(&options(folder)).unwrap());
    let files = Arc::new(DiskFiles::open(&folder.join("log")).unwrap());
    let memory: Option<Arc<dyn Files>> = Some(Arc::new(DiskFiles::open(&folder.join("memory")).unwrap()));
    let keys = vec![key(1), key(1).as_kind(KeyKind::Cosignature)];
    let identity = LogIdentity { keys, trusted: vec![], memory };
    let writer = LogWriter::start(journal.clone(), files, identity, settings).unwrap();
    (journal, writer)
}

#[test]
fn a_writer_logs_what_is_appended_and_proves_it() {
    let folder = tempfile::tempdir().unwrap();
    let waits = Duration::from_secs(60);
    for round in 0..3_u64 {
        let (journal, writer) = start(folder.path(), LogSettings::default());
        assert_eq!(writer.logged(), round * 700);
        for batch in 0..7 {
            let last = journal.append(numbers("s", &[batch; 100])).unwrap().last_position();
            assert!(writer.wait_until_logged(last, waits) >= last);
            let proof = writer.proof(last).unwrap();
            let entry = journal.envelopes(last - 1, 1).unwrap().remove(0);
            let by = proof.verify(&entry, &[key(1).verifier().clone()]).unwrap();
            assert_eq!(by.len(), 1);
        }
        let head = journal.head();
        assert!(matches!(writer.proof(head + 1), Err(LogError::NotLogged { .. })));
        assert!(matches!(writer.proof(0), Err(LogError::NotLogged { .. })));
        assert_eq!((writer.stopped(), writer.trouble()), (None, None));
        let reader = Arc::clone(writer.reader());
        drop(writer);
        let source = JournalEntries(journal);
        let known = [key(1).verifier().clone(), key(1).as_kind(KeyKind::Cosignature).verifier().clone()];
        let against = Against { source: Some(&source), ..Against::default() };
        let report = verify_log(&reader, &known, &against).unwrap();
        assert!(report.holds(), "{:?}", report.findings);
        assert_eq!((report.not_logged, report.signatories.len()), (Some(0), 2));
    }
}

#[test]
fn sizes_of_padded_checkpoints_do_not_tell_how_much_happened() {
    let folder = tempfile::tempdir().unwrap();
    let waits = Duration::from_secs(60);
    // Begun without padding, so that the first padded size has to be made up for.
    let (journal, writer) = start(folder.path(), LogSettings::default());
    let last = journal.append(numbers("s", &[0; 5])).unwrap().last_position();
    assert_eq!(writer.wait_until_logged(last, waits), 5);
    drop((writer, journal));
    let settings = LogSettings {
        checkpoint_every: Duration::from_millis(3),
        checkpoint_events: 20,
        checkpoint_events_max: 100,
        pad_to: 16,
        ..LogSettings::default()
    };
    let (journal, writer) = start(folder.path(), settings);
    std::thread::scope(|scope| {
        for caller in 0..3_u64 {
            let (journal, writer) = (&journal, &writer);
            scope.spawn(move || {
                for batch in 1..60_u64 {
                    let batch = vec![batch; usize::try_from(batch * (caller + 7) % 41 + 1).unwrap()];
                    let last = journal.append(numbers("s", &batch)).unwrap().last_position();
                    if last % 3 == 0 {
                        assert!(writer.wait_until_logged(last, waits) >= last);
                    }
                    let size = writer.logged();
                    assert!(size == 5 || size.is_multiple_of(16), "{size} is no multiple of 16");
                }
            });
        }
    });
    drop(writer);
    let events = whole_feed(journal.as_ref());
    let (padding, told): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.envelope.kind == PADDING);
    assert!(padding.iter().all(|event| event.payload.value() == Some(&serde_json::json!({}))));
    let said = 5 + (0..3_u64).flat_map(|caller| (1..60).map(move |n| n * (caller + 7) % 41 + 1)).sum::<u64>();
    assert_eq!(u64::try_from(told.len()).unwrap(), said);
    assert!(!padding.is_empty());
    let reader = LogReader::new(Arc::new(DiskFiles::existing(&folder.path().join("log")).unwrap()));
    let source = JournalEntries(journal);
    let against = Against { source: Some(&source), ..Against::default() };
    let report = verify_log(&reader, &[key(1).verifier().clone()], &against).unwrap();
    assert!(report.holds(), "{:?}", report.findings);
    assert_eq!(report.not_logged, Some(0), "the rest was filled up as the writer ended");
}

#[test]
fn what_is_appended_as_the_writer_is_dropped_is_logged_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let slow = LogSettings { checkpoint_every: Duration::from_secs(3_600), ..LogSettings::default() };
    let (journal, writer) = start(folder.path(), slow);
    for _ in 0..20 {
        journal.append(numbers("s", &[1, 2, 3])).unwrap();
    }
    // Fewer events than begin a checkpoint, and an hour to wait for others: only dropping can have logged them.
    drop(writer);
    let reader = LogReader::new(Arc::new(DiskFiles::existing(&folder.path().join("log")).unwrap()));
    assert_eq!(reader.checkpoint().unwrap().unwrap().checkpoint().size, 60);
}

#[test]
fn a_log_whose_disk_was_full_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(SqliteJournal::open(&options(folder.path())).unwrap());
    let files = Arc::new(FaultyDisk::new(1, Faults { bytes_max: Some(2_000), ..Faults::default() }));
    let identity = LogIdentity::new(key(1));
    let writer = LogWriter::start(journal.clone(), files.clone(), identity, LogSettings::default()).unwrap();
    let last = journal.append(numbers("s", &[7; 300])).unwrap().last_position();
    while writer.trouble().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((writer.trouble().unwrap().code(), writer.logged()), ("disk_full", 0));
    files.restart_after_kill(Faults::default());
    assert_eq!(writer.wait_until_logged(last, Duration::from_secs(60)), 300);
    while writer.trouble().is_some() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(writer.stopped(), None);
}

#[test]
fn a_checkpoint_that_witnesses_cosigned_is_kept_beside_and_verified_with_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, writer) = start(folder.path(), LogSettings::default());
    let waits = Duration::from_secs(60);
    let last = journal.append(numbers("s", &[1; 300])).unwrap().last_position();
    assert!(writer.wait_until_logged(last, waits) >= last);
    let witness = witness_key("witness.example/w", 9);
    let mut cosigned = (*writer.checkpoint().unwrap()).clone();
    let line = witness.sign(cosigned.note().text(), 1_800_000_000);
    cosigned.add_cosignatures(&[line], &[witness.verifier().clone()]);
    let last = journal.append(numbers("s", &[2; 300])).unwrap().last_position();
    assert!(writer.wait_until_logged(last, waits) >= last);
    // What is not of this log's history is not kept.
    let other = Checkpoint { root: TreeHash::of_empty_tree(), ..cosigned.checkpoint().clone() };
    let other = SignedCheckpoint::sign(other, &[key(1)], 1).unwrap();
    assert_eq!(writer.keep_witnessed(other).unwrap_err().code(), "log_not_proven");
    writer.keep_witnessed(cosigned.clone()).unwrap();
    // The proof for the witnessed checkpoint.
    let proof = writer.proof_in(100, &cosigned).unwrap();
    proof.verify(&journal.envelopes(99, 1).unwrap()[0], &[key(1).verifier().clone()]).unwrap();
    let reader = Arc::clone(writer.reader());
    drop(writer);
    assert_eq!(reader.witnessed_checkpoint().unwrap().unwrap(), cosigned);
    let known = [key(1).verifier().clone()];
    assert!(verify_log(&reader, &known, &Against::default()).unwrap().holds());
    let path = folder.path().join("log/checkpoint.witnessed");
    let changed = std::fs::read_to_string(&path).unwrap().replace("\n300\n", "\n301\n");
    std::fs::write(&path, changed).unwrap();
    let report = verify_log(&reader, &known, &Against::default()).unwrap();
    assert_eq!(report.findings[0].place, "checkpoint.witnessed");
}

#[test]
fn an_idle_log_says_that_it_lives() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LogSettings { idle_every: Some(Duration::from_millis(1)), ..LogSettings::default() };
    let (journal, writer) = start(folder.path(), settings);
    let last = journal.append(numbers("s", &[1])).unwrap().last_position();
    assert_eq!(writer.wait_until_logged(last, Duration::from_secs(60)), 1);
    let first = writer.checkpoint().unwrap();
    while writer.checkpoint().unwrap() == first {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(writer.checkpoint().unwrap().checkpoint(), first.checkpoint());
}

#[test]
fn the_folder_of_another_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, writer) = start(folder.path(), LogSettings::default());
    drop(writer);
    journal.append(numbers("s", &[1])).unwrap();
    let files: Arc<dyn Files> = Arc::new(DiskFiles::open(&folder.path().join("log")).unwrap());
    let other = SigningKey::from_seed("other.example/log", KeyKind::Note, &[1; 32]).unwrap();
    let source = JournalEntries(journal.clone());
    let mut log = Integrator::open(files.clone(), LogIdentity::new(key(1)), &source).unwrap();
    log.integrate(&source.entries(0, 10).unwrap(), 1).unwrap();
    let refused = LogWriter::start(journal, files, LogIdentity::new(other), LogSettings::default());
    assert_eq!(refused.unwrap_err().code(), "log_of_another");
}
