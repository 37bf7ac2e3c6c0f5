//! The power fails at any moment: what was acknowledged is there afterwards, in journal, blobs and log.
//!
//! `kill -9` does not show this, for the system keeps what a dead process wrote. So a process runs under a recorder
//! (`tests/recorder`) that writes down what it does to its files and what it acknowledges; from the record a disk is
//! built as it may stand after a loss of power at that point: what was flushed, and of the rest whatever the seed says.
//! The real code opens each of these. SQLite's `-shm` file is left out: it is an index that is built anew.
//!
//! `TIDEWAITER_POWER_LOSSES` says how many disks are looked at (200 unless told).

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use journal::log::files::{Faults, FaultyDisk};
use journal::log::tree::root_of_size;
use journal::log::writer::{Entries, JournalEntries};
use journal::log::{
    Against, DiskFiles, Files, Integrator, KeyKind, LogIdentity, LogReader, LogSettings, LogWriter,
    SigningKey, verify_log,
};
use journal::{AppendRequest, Journal, SqliteJournal};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Dice, event, options};

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

/// What the recorder wrote down.
struct Record {
    what: u8,
    path: String,
    number: usize,
    data: Vec<u8>,
}

fn parse(mut bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let number =
        |bytes: &mut &[u8]| usize::try_from(u64::from_le_bytes(take(bytes, 8).try_into().unwrap())).unwrap();
    while !bytes.is_empty() {
        let what = take(&mut bytes, 1)[0];
        let length = number(&mut bytes);
        let path = String::from_utf8(take(&mut bytes, length).to_vec()).unwrap();
        let at = number(&mut bytes);
        let length = number(&mut bytes);
        records.push(Record { what, path, number: at, data: take(&mut bytes, length).to_vec() });
    }
    records
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(count);
    *bytes = rest;
    taken
}

/// Compiles the recorder, and lets a process live several lives under it.
fn record() -> Vec<Record> {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("librecorder.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorder/recorder.rs");
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut compile = Command::new(compiler);
    compile.args(["--edition", "2024", "--crate-type", "cdylib", "-O", "-o"]).arg(&library).arg(source);
    assert!(compile.status().unwrap().success(), "the recorder does not compile");
    let (root, log) = (folder.path().canonicalize().unwrap().join("root"), folder.path().join("record"));
    fs::create_dir(&root).unwrap();
    for (life, dies_at) in (0..).zip(LIVES) {
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "power::child", "--nocapture", "--test-threads=1"])
            .env(CHILD_FOLDER, &root)
            .env(CHILD_LIFE, life.to_string())
            .env("RECORDER_ROOT", &root)
            .env("RECORDER_LOG", &log)
            .env("RECORDER_DIES_AT", dies_at.unwrap_or(u64::MAX).to_string())
            .env("LD_PRELOAD", &library)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.success(), dies_at.is_none(), "life {life} ended with {status}");
    }
    let records = parse(&fs::read(log).unwrap());
    check_record(&records, &root);
    records
}

/// The record is complete: all of it, carried out, is what stands on the real disk.
fn check_record(records: &[Record], root: &Path) {
    let disk = FaultyDisk::new(1, Faults::default());
    records.iter().for_each(|record| carry_out(&disk, record, Mutant::Flushes));
    let (_, files) = disk.all();
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_str().unwrap().ends_with("-shm") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&files), names(&found), "the recorder missed files");
    for (name, content) in &found {
        assert!(files[name] == *content, "the recorder missed something that was written to {name}");
    }
    for letter in b"cwtsSrump" {
        assert!(
            records.iter().any(|record| record.what == *letter),
            "{} never happened",
            char::from(*letter)
        );
    }
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

fn carry_out(disk: &FaultyDisk, record: &Record, mutant: Mutant) {
    let Record { what, path, number, data } = record;
    // A file that has no name any more is nobody's.
    if path.ends_with(" (deleted)") {
        return;
    }
    let done = match what {
        b'c' => disk.create(path),
        b'w' => disk.write_at(path, *number, data),
        b't' => disk.set_bytes(path, *number),
        b's' | b'S' if mutant.forgets(path) => Ok(()),
        b's' => disk.sync(path),
        b'S' => disk.sync_folder(path),
        b'r' => disk.rename(path, str::from_utf8(data).unwrap()),
        b'u' | b'd' => disk.remove(path),
        b'm' => disk.make_folder(path),
        b'p' => Ok(()),
        other => panic!("{} is no record", char::from(*other)),
    };
    done.unwrap_or_else(|error| panic!("{} {path}: {error}", char::from(*what)));
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

/// Points of the record: most of them right before or after a flush or a new name.
fn points(records: &[Record], dice: &mut Dice) -> Vec<usize> {
    let marked: Vec<usize> =
        (0..records.len()).filter(|place| b"sSr".contains(&records[*place].what)).collect();
    let images = env::var("TIDEWAITER_POWER_LOSSES").map_or(IMAGES, |images| images.parse().unwrap());
    let mut below = |bound: usize| usize::try_from(dice.below(u64::try_from(bound).unwrap())).unwrap();
    let mut points: Vec<usize> = (0..images)
        .map(|image| match image % 4 {
            0 => below(records.len()),
            _ => marked[below(marked.len())] + image % 2,
        })
        .collect();
    points.sort_unstable();
    points
}

fn write_out(disk: &FaultyDisk, to: &Path) {
    let (folders, files) = disk.all();
    folders.iter().for_each(|folder| fs::create_dir(to.join(folder)).unwrap());
    files.iter().for_each(|(path, content)| fs::write(to.join(path), content).unwrap());
}

fn scratch() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Opens disks as they may stand after a loss of power; how many, and what was wrong with them.
fn power_losses(records: &[Record], mutant: Mutant, seed: u64) -> (usize, Vec<String>) {
    let mut dice = Dice(seed);
    let disk = FaultyDisk::new(seed, Faults::default());
    let (mut said, mut carried_out, mut wrong) = (Said::default(), 0, Vec::new());
    let points = points(records, &mut dice);
    for (image, point) in (1..).zip(&points) {
        for record in &records[carried_out..*point] {
            carry_out(&disk, record, mutant);
            if record.what == b'p' {
                said.hear(&record.data);
            }
        }
        carried_out = *point;
        let lost = disk.copy(seed * 1_000_000 + image);
        lost.restart_after_power_loss(Faults::default());
        let folder = scratch();
        write_out(&lost, folder.path());
        if let Err(what) = check(folder.path(), &said) {
            wrong.push(format!(
                "after {point} of {} records, seed {seed}, image {image}: {what}",
                records.len()
            ));
        }
    }
    (points.len(), wrong)
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
    let records = record();
    let (images, wrong) = power_losses(&records, Mutant::Flushes, 1);
    println!("{} records, {images} losses of power, {} with something wrong", records.len(), wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
}

/// The test of these tests: without its flushes each of the three would lose something.
#[test]
fn who_does_not_flush_is_found_out() {
    let records = record();
    for (mutant, expected) in [(Mutant::Journal, ""), (Mutant::Log, "the log"), (Mutant::Blobs, "the blob")] {
        let (images, wrong) = power_losses(&records, mutant, 2);
        println!("{mutant:?}: {} of {images}, such as {:?}", wrong.len(), wrong.first());
        assert!(wrong.len() > 5, "{mutant:?}: {wrong:?}");
        assert!(wrong.iter().all(|what| what.contains(expected)), "{mutant:?}: {wrong:?}");
    }
}
