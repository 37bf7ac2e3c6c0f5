//! The power fails at any moment: what was acknowledged is there afterwards, in journal, blobs and log.
//!
//! A process lives several lives under a recorder and is killed a few times; the real code opens the disks that losses
//! of power may leave of it (`outage`). `TIDEWAITER_POWER_LOSSES` says how many are looked at (200 unless told).

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use journal::log::tree::root_of_size;
use journal::log::writer::{Entries, JournalEntries};
use journal::log::{
    Against, DiskFiles, Files, Integrator, KeyKind, LogIdentity, LogReader, LogSettings, LogWriter,
    SigningKey, verify_log,
};
use journal::{AppendRequest, Journal, SqliteJournal};
use outage::{Recorder, Recording};
use serde_json::json;

use crate::support::{event, options, scratch};

const CHILD_FOLDER: &str = "TIDEWAITER_POWER_CHILD_FOLDER";
const CHILD_LIFE: &str = "TIDEWAITER_POWER_CHILD_LIFE";
const IMAGES: usize = 200;
/// The first flush after so many records of a life is its end, by a kill; the last one ends in order.
const LIVES: [Option<u64>; 6] = [Some(30), Some(600), Some(250), Some(6), Some(300), None];
const EVENTS_OF_A_LIFE: u64 = 50;
const CALLERS: u64 = 2;

fn key() -> SigningKey {
    SigningKey::from_seed("power.example/log", KeyKind::Note, &[9; 32]).unwrap()
}

fn identity(folder: &Path) -> LogIdentity {
    let memory: Arc<dyn Files> = Arc::new(DiskFiles::open(&folder.join("memory")).unwrap());
    LogIdentity { memory: Some(memory), ..LogIdentity::new(key()) }
}

/// The content that belongs to a number.
fn filling(number: u64) -> String {
    "x".repeat(usize::try_from(number * 397 % 5_000).unwrap())
}

/// The child: appends from two threads until the recorder kills it, or all is done. As a test of its own it does
/// nothing. Odd lives keep no log, so that nothing else flushes what the journal should have flushed.
#[test]
fn child() {
    let Ok(folder) = env::var(CHILD_FOLDER) else { return };
    let folder = Path::new(&folder);
    let life: u64 = env::var(CHILD_LIFE).unwrap().parse().unwrap();
    let journal = Arc::new(SqliteJournal::open(&options(folder)).unwrap());
    // What is seen counts as acknowledged: somebody may have acted on it.
    println!("SEEN {}", journal.head());
    let log = (life % 2 == 1).then(|| {
        let files = Arc::new(DiskFiles::open(&folder.join("log")).unwrap());
        let settings = LogSettings { checkpoint_every: Duration::from_millis(2), ..LogSettings::default() };
        LogWriter::start(journal.clone(), files, identity(folder), settings).unwrap()
    });
    let next = AtomicU64::new(life * 10_000);
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| append(journal.as_ref(), log.as_ref(), &next, life * 10_000 + EVENTS_OF_A_LIFE));
        }
    });
}

fn append(journal: &SqliteJournal, log: Option<&LogWriter>, next: &AtomicU64, end: u64) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return;
        }
        let fill = filling(number);
        let blob = (number % 5 == 2).then(|| journal.put_blob(&mut fill.as_bytes()).unwrap().sha256);
        let event = event("s", json!({ "number": number, "fill": fill, "blob": blob }));
        let request = AppendRequest { events: vec![event], ..AppendRequest::default() };
        let position = journal.append(request).unwrap().last_position();
        println!("ACK {number} {position}");
        if let Some(log) = log.filter(|_| number.is_multiple_of(4)) {
            assert!(log.wait_until_logged(position, Duration::from_secs(60)) >= position);
            let checkpoint = log.checkpoint().unwrap();
            println!("PUBLISHED {} {}", checkpoint.checkpoint().size, checkpoint.checkpoint().root);
        }
    }
}

/// Lets a process live several lives under the recorder.
fn record() -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::compile(folder.path()).unwrap();
    for (life, dies_at) in (0..).zip(LIVES) {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "power::child", "--nocapture", "--test-threads=1"]);
        child.env(CHILD_FOLDER, recorder.root()).env(CHILD_LIFE, life.to_string()).stdout(Stdio::null());
        recorder.watch(&mut child, dies_at);
        let status = child.status().unwrap();
        assert_eq!(status.success(), dies_at.is_none(), "life {life} ended with {status}");
    }
    let recording = recorder.recording().unwrap();
    for letter in "cwtsSrump".chars() {
        assert!(recording.happened(letter), "{letter} never happened");
    }
    recording
}

/// Whose flushes do not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutant {
    /// Nobody's.
    Flushes,
    Journal,
    Log,
    Blobs,
}

impl Mutant {
    fn forgets(self, path: &str) -> bool {
        match self {
            Self::Flushes => false,
            Self::Journal => path.starts_with("journal.sqlite"),
            Self::Log => path.starts_with("log") || path.starts_with("memory"),
            Self::Blobs => path.starts_with("journal.blobs"),
        }
    }
}

/// What the process had said by then.
#[derive(Debug, Clone, Default)]
struct Said {
    acknowledged: BTreeMap<u64, u64>,
    published: BTreeMap<u64, String>,
    seen: u64,
}

impl Said {
    fn hear(&mut self, printed: &[u8]) {
        for line in String::from_utf8_lossy(printed).lines() {
            // The test harness writes the name of the test before the first line.
            let words: Vec<&str> = line.split_whitespace().rev().take(3).collect();
            match words[..] {
                [position, number, "ACK"] => {
                    self.acknowledged.insert(number.parse().unwrap(), position.parse().unwrap());
                }
                [root, size, "PUBLISHED"] => {
                    self.published.insert(size.parse().unwrap(), root.to_owned());
                }
                [head, "SEEN", ..] => self.seen = self.seen.max(head.parse().unwrap()),
                _ => {}
            }
        }
    }
}

/// Opens disks as they may stand after a loss of power; how many, and what was wrong with them.
fn power_losses(recording: &Recording, mutant: Mutant, seed: u64) -> (usize, Vec<String>) {
    let images = env::var("TIDEWAITER_POWER_LOSSES").map_or(IMAGES, |images| images.parse().unwrap());
    let (mut said, mut wrong) = (Said::default(), Vec::new());
    for loss in recording.losses(seed, images, &|path| mutant.forgets(path)) {
        let loss = loss.unwrap();
        loss.said.iter().for_each(|printed| said.hear(printed));
        let folder = scratch();
        loss.write_out(folder.path()).unwrap();
        if let Err(what) = check(folder.path(), &said) {
            wrong.push(format!("{}: {what}", loss.name));
        }
    }
    (images, wrong)
}

fn check(folder: &Path, said: &Said) -> Result<(), String> {
    let opened = SqliteJournal::open(&options(folder)).map_err(|error| format!("the journal: {error}"))?;
    let journal: Arc<dyn Journal> = Arc::new(opened);
    if journal.head() < said.seen {
        return Err(format!("{} events were seen, {} are there", said.seen, journal.head()));
    }
    let mut there = BTreeMap::new();
    // Everything that was recorded here fits into one read.
    for event in journal.feed(0, 10_000).map_err(|error| format!("the journal: {error}"))? {
        let payload = event.payload.value().unwrap();
        let number = payload["number"].as_u64().unwrap();
        if there.insert(number, event.position).is_some() {
            return Err(format!("{number} is there twice"));
        }
        if payload["fill"] != filling(number) {
            return Err(format!("{number} has another content"));
        }
        if let Some(blob) = payload["blob"].as_str() {
            let read = journal.get_blob(blob).and_then(|blob| blob.read_whole(10_000));
            let read = read.map_err(|error| format!("the blob of {number}: {error}"))?;
            if read != filling(number).as_bytes() {
                return Err(format!("the blob of {number} has another content"));
            }
        }
    }
    if there.len() != usize::try_from(journal.head()).unwrap() {
        return Err(format!("{} of {} events are there", there.len(), journal.head()));
    }
    for (number, position) in &said.acknowledged {
        if there.get(number) != Some(position) {
            return Err(format!("{number} was acknowledged at {position}: {:?}", there.get(number)));
        }
    }
    check_log(folder, journal, said)
}

/// The log goes on, verifies, and continues whatever anybody saw of it.
fn check_log(folder: &Path, journal: Arc<dyn Journal>, said: &Said) -> Result<(), String> {
    let files = Arc::new(DiskFiles::open(&folder.join("log")).unwrap());
    let source = JournalEntries(journal);
    let failed = |error: journal::log::LogError| format!("the log: {error}");
    let mut log = Integrator::open(files.clone(), identity(folder), &source).map_err(failed)?;
    let published = said.published.last_key_value().map_or(0, |(size, _)| *size);
    if log.size() < published {
        return Err(format!("the log: {published} entries were published, it has {}", log.size()));
    }
    let entries = source.entries(log.size(), 10_000).map_err(|error| failed(error.into()))?;
    log.integrate(&entries, 1_800_000_000).map_err(failed)?;
    let reader = LogReader::new(files);
    let against = Against { source: Some(&source), threads: Some(1), ..Against::default() };
    let report = verify_log(&reader, &[key().verifier().clone()], &against).map_err(failed)?;
    if let Some(finding) = report.findings.first() {
        return Err(format!("the log: {finding:?}"));
    }
    for (size, root) in &said.published {
        let now = root_of_size(&mut reader.tree(*size), *size).map_err(failed)?;
        if now.to_string() != *root {
            return Err(format!("the log forked at {size}"));
        }
    }
    Ok(())
}

#[test]
fn whenever_the_power_fails_what_was_acknowledged_is_there() {
    let recording = record();
    let (images, wrong) = power_losses(&recording, Mutant::Flushes, 1);
    println!("{recording:?}, {images} losses of power, {} with something wrong", wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
}

/// The test of these tests: without its flushes each of the three would lose something.
#[test]
fn who_does_not_flush_is_found_out() {
    let recording = record();
    for (mutant, expected) in [(Mutant::Journal, ""), (Mutant::Log, "the log"), (Mutant::Blobs, "the blob")] {
        let (images, wrong) = power_losses(&recording, mutant, 2);
        println!("{mutant:?}: {} of {images}, such as {:?}", wrong.len(), wrong.first());
        assert!(wrong.len() > 5, "{mutant:?}: {wrong:?}");
        assert!(wrong.iter().all(|what| what.contains(expected)), "{mutant:?}: {wrong:?}");
    }
}
