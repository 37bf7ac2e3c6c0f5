//! A change of the log's key stands up to a loss of power at every write.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use journal::log::files::Durably;
use journal::log::{
    Against, DiskFiles, Files, Integrator, KeyFile, KeyHistory, LogError, LogIdentity, LogReader, verify_log,
};
use outage::{Losses, Recorder, Recording};

use super::support::{ORIGIN, Source, catch_up};
use crate::support::scratch;

const CHILD_FOLDER: &str = "TIDEWAITER_KEY_CHANGE_CHILD_FOLDER";
/// Changes of the key, and entries that each key signs before it.
const CHANGES: u64 = 2;
const ENTRIES: usize = 30;
/// More than two lives log.
const ALL_ENTRIES: u64 = 300;
/// Losses of power that are looked at after each kill.
const LOSSES: usize = 12;

/// A log in a folder of the system.
struct Log {
    files: Arc<DiskFiles>,
    memory: Arc<DiskFiles>,
    key: KeyFile,
}

impl Log {
    fn at(folder: &Path) -> Self {
        let files = DiskFiles::open(&folder.join("log")).unwrap();
        let key = KeyFile::new(&folder.join("keys/log.key"), ORIGIN, files.folder()).unwrap();
        let memory = DiskFiles::open(&folder.join("keys/log-memory")).unwrap();
        Self { files: Arc::new(files), memory: Arc::new(memory), key }
    }

    fn open(&self, source: &Source) -> Result<Integrator, LogError> {
        let key = self.key.open_or_make(self.files.as_ref())?;
        let trusted = KeyHistory::read(self.files.as_ref())?.all_keys();
        let memory: Arc<dyn Files> = self.memory.clone();
        let identity = LogIdentity { keys: vec![key], trusted, memory: Some(memory) };
        Integrator::open(self.files.clone(), identity, source)
    }
}

/// The child: changes keys between checkpoints. As a test of its own it does nothing.
#[test]
fn child() {
    let Ok(folder) = env::var(CHILD_FOLDER) else { return };
    let own = Log::at(Path::new(&folder));
    let source = Source::of(ALL_ENTRIES);
    for round in 0..=CHANGES {
        let mut log = own.open(&source).unwrap();
        let published = catch_up(&mut log, &source, ENTRIES).unwrap();
        println!("PUBLISHED {} {}", published.checkpoint().size, published.checkpoint().root);
        let size = log.size();
        drop(log);
        if round < CHANGES {
            let (_, change) = own.key.change(&Durably::new(own.files.clone()).unwrap(), size).unwrap();
            println!("CHANGED {} {}", change.old, change.new);
        }
    }
}

/// A life that is killed at its first flush after so many records, unless it ends before, and one that goes on.
fn record(recorder: &Recorder, dies_at: u64) -> (Recording, bool) {
    let folder = scratch();
    let recorder = recorder.anew(folder.path()).unwrap();
    let live = |dies_at| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "log::key_change::child", "--nocapture", "--test-threads=1"]);
        child.env(CHILD_FOLDER, recorder.root()).stdout(Stdio::null()).stderr(Stdio::null());
        recorder.watch(&mut child, dies_at);
        child.status().unwrap().success()
    };
    let died = !live(Some(dies_at));
    assert!(live(None), "after a death at {dies_at} it does not go on");
    (recorder.recording().unwrap(), died)
}

/// What the program had said.
#[derive(Default)]
struct Said {
    published: BTreeMap<u64, String>,
    changes: Vec<(String, String)>,
}

impl Said {
    fn hear(&mut self, printed: &[u8]) {
        for line in String::from_utf8_lossy(printed).lines() {
            let words: Vec<&str> = line.split_whitespace().rev().take(3).collect();
            match words[..] {
                [root, size, "PUBLISHED"] => {
                    self.published.insert(size.parse().unwrap(), root.to_owned());
                }
                [new, old, "CHANGED"] => self.changes.push((old.to_owned(), new.to_owned())),
                _ => {}
            }
        }
    }
}

fn check(folder: &Path, said: &Said) -> Result<(), String> {
    let own = Log::at(folder);
    let source = Source::of(ALL_ENTRIES);
    let mut log = own.open(&source).map_err(|error| format!("opening: {error}"))?;
    let history = KeyHistory::read(own.files.as_ref()).map_err(|error| format!("history: {error}"))?;
    let changes: Vec<_> =
        history.changes().iter().map(|change| (change.old.to_string(), change.new.to_string())).collect();
    // A change may have happened though its program was killed before it said so.
    if !said.changes.iter().all(|change| changes.contains(change)) {
        return Err(format!("{:?} were acknowledged, {changes:?} are there", said.changes));
    }
    let key = own.key.open_or_make(own.files.as_ref()).map_err(|error| error.to_string())?;
    let first = history.changes().first().map_or(key.verifier(), |change| &change.old).clone();
    if history.changes().last().is_some_and(|last| last.new != *key.verifier()) {
        return Err("the key is not the one of the last change".to_owned());
    }
    let published = said.published.last_key_value().map_or(0, |(size, _)| *size);
    if log.size() < published {
        return Err(format!("{published} entries were published, {} are there", log.size()));
    }
    catch_up(&mut log, &source, 1_000).map_err(|error| format!("going on: {error}"))?;
    // Who trusts the first key follows to the one that signs now.
    let reader = LogReader::new(own.files.clone());
    let against = Against { source: Some(source.as_ref()), ..Against::default() };
    let report = verify_log(&reader, &history.accepted(&[first]), &against);
    let report = report.map_err(|error| format!("verifying: {error}"))?;
    for (size, root) in &said.published {
        if source.root(*size).to_string() != *root {
            return Err(format!("the root at {size} was {root}"));
        }
    }
    if report.holds() { Ok(()) } else { Err(format!("{:?}", report.findings)) }
}

/// Looks at these losses of power; answers with how many there were after a change of keys.
fn look(recording: Losses<'_>, dies_at: u64) -> u64 {
    let (mut said, mut changed) = (Said::default(), 0);
    for loss in recording {
        let loss = loss.unwrap();
        loss.said.iter().for_each(|printed| said.hear(printed));
        let folder = scratch();
        loss.write_out(folder.path()).unwrap();
        check(folder.path(), &said)
            .unwrap_or_else(|what| panic!("killed at {dies_at}, {}: {what}", loss.name));
        changed += u64::from(!said.changes.is_empty());
    }
    changed
}

#[test]
fn a_change_of_keys_outlives_a_kill_at_every_flush_and_a_loss_of_power_at_any_point() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::compile(folder.path()).unwrap();
    let (mut kills, mut changed) = (0, 0);
    for dies_at in 0.. {
        let (recording, died) = record(&recorder, dies_at);
        if !died {
            changed += look(recording.every_loss(dies_at), dies_at);
            break;
        }
        kills += 1;
        changed += look(recording.losses(dies_at, LOSSES, &|_| false), dies_at);
    }
    println!("{kills} kills, {changed} losses of power after a change of keys");
    assert!(kills > 20 && changed > 100, "{kills} kills, {changed} after a change");
}
