//! Durable events a second, with the log and without: `cargo run --release -p journal --example journal_bench
//! [FOLDER] [STORE/CALLERS/BATCH[/log]]`, JSON on standard output.
//!
//! Each figure is the median of several runs on a fresh store in FOLDER (a temporary folder unless named: name one on
//! the disk that the journal will stand on). An event counts once its append has returned, that is, once it is flushed;
//! with a log, once a published checkpoint holds it. On PostgreSQL the log is kept by a lease, as several servers do.
//! PostgreSQL is measured where its programs are installed, on a server of this program's own with fsync on; as root,
//! FOLDER must then be one that other users may enter.
#![expect(clippy::print_stdout, reason = "a command line tool")]

#[path = "../tests/it/postgres_server.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the server of the tests, which fail by panicking and use more of it"
)]
mod postgres_server;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::log::{DiskFiles, Files, KeyKind, LogIdentity, LogSettings, LogWriter, SigningKey};
use journal::{AppendRequest, Journal, JournalError, NewEvent, SystemClock, is_database};
use serde_json::{Value, json};
use spine::Actor;

const RUNS: usize = 5;
const RUN_TIME: Duration = Duration::from_millis(1_500);
/// Longer, so that the wait for the last checkpoint weighs little.
const RUN_TIME_WITH_LOG: Duration = Duration::from_secs(4);
const PAYLOAD_BYTES: usize = 500;
/// Events of which the time to their checkpoint is taken, one after the other.
const LATENCY_EVENTS: u64 = 100;
/// Longest wait for a checkpoint.
const LOGGED_WAIT: Duration = Duration::from_secs(60);
/// What an administrator would give a server that records all day: room for its log between checkpoints.
const SERVER: [&str; 4] =
    ["shared_buffers=512MB", "wal_buffers=16MB", "max_wal_size=4GB", "checkpoint_timeout=15min"];

/// One line of the table.
#[derive(Debug, Clone, Copy)]
struct Shape {
    callers: u64,
    batch: usize,
    log: bool,
}

impl Shape {
    fn all() -> impl Iterator<Item = Self> {
        let without = [1, 8, 64].map(|callers| (callers, false));
        without
            .into_iter()
            .chain([(64, true)])
            .flat_map(|(callers, log)| [1, 100, 1_000].map(|batch| Self { callers, batch, log }))
    }

    fn name(self, store: &str) -> String {
        format!("{store}/{}/{}{}", self.callers, self.batch, if self.log { "/log" } else { "" })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let only = std::env::args().nth(2);
    let only = only.as_deref();
    let in_file = |folder: &Path| folder.join("journal.sqlite").display().to_string();
    let mut figures = measure("sqlite", only, &folder, &in_file)?;
    if let Some(server) = postgres_server::Server::start_in(&folder, &SERVER) {
        figures.extend(measure("postgres", only, &folder, &|_| server.database())?);
    }
    println!("{}", json!({"payload_bytes": PAYLOAD_BYTES, "folder": folder, "figures": figures}));
    Ok(())
}

/// The table of one store, or the one figure that was asked for. `location` names a new journal.
fn measure(
    store: &str,
    only: Option<&str>,
    folder: &Path,
    location: &dyn Fn(&Path) -> String,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut figures = Vec::new();
    let is_wanted = |name: &str| only.is_none_or(|only| only == name);
    for shape in Shape::all().filter(|shape| is_wanted(&shape.name(store))) {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            let folder = tempfile::tempdir_in(folder)?;
            runs.push(one_run(folder.path(), &location(folder.path()), shape)?);
        }
        runs.sort_by(f64::total_cmp);
        figures.push(json!({
            "store": store,
            "callers": shape.callers,
            "batch_events": shape.batch,
            "log": shape.log,
            "events_per_second_median": runs.get(RUNS / 2),
            "events_per_second_runs": runs,
            "milliseconds_to_checkpoint_p50": "",
            "milliseconds_to_checkpoint_p99": "",
        }));
    }
    let latency = format!("{store}/latency");
    if is_wanted(&latency) {
        let folder = tempfile::tempdir_in(folder)?;
        let mut milliseconds = milliseconds_to_checkpoint(folder.path(), &location(folder.path()))?;
        milliseconds.sort_by(f64::total_cmp);
        let of = |hundredth: usize| milliseconds.get(milliseconds.len() * hundredth / 100);
        figures.push(json!({
            "store": store,
            "callers": 1,
            "batch_events": 1,
            "log": true,
            "events_per_second_median": "",
            "milliseconds_to_checkpoint_p50": of(50),
            "milliseconds_to_checkpoint_p99": of(99),
        }));
    }
    Ok(figures)
}

/// A new journal, with its log if that is wanted.
struct Recorder {
    log: Option<LogWriter>,
    journal: Arc<dyn Journal>,
}

impl Recorder {
    fn open(folder: &Path, location: &str, with_log: bool) -> Result<Self, Box<dyn Error>> {
        let journal = journal::open(location, "bench", "bench")?.into_shared();
        let log = if with_log { Some(follow(&journal, folder, is_database(location))?) } else { None };
        Ok(Self { log, journal })
    }
}

fn follow(journal: &Arc<dyn Journal>, folder: &Path, in_turns: bool) -> Result<LogWriter, Box<dyn Error>> {
    let files: Arc<dyn Files> = Arc::new(DiskFiles::open(&folder.join("log"))?);
    let memory: Option<Arc<dyn Files>> = Some(Arc::new(DiskFiles::open(&folder.join("memory"))?));
    let key = SigningKey::generate("bench.example/log", KeyKind::Note)?;
    let identity = LogIdentity { memory, ..LogIdentity::new(key) };
    let settings = LogSettings::default();
    let journal = Arc::clone(journal);
    if !in_turns {
        return Ok(LogWriter::start(journal, files, identity, settings)?);
    }
    let log = LogWriter::start_shared(journal, files, identity, settings, Arc::new(SystemClock), "bench")?;
    let began = Instant::now();
    while !log.holds() {
        if began.elapsed() > LOGGED_WAIT {
            return Err("nobody keeps the log".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(log)
}

/// Events a second of one run on an empty journal.
fn one_run(folder: &Path, location: &str, shape: Shape) -> Result<f64, Box<dyn Error>> {
    let recorder = Recorder::open(folder, location, shape.log)?;
    let time = if shape.log { RUN_TIME_WITH_LOG } else { RUN_TIME };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let journal = recorder.journal.as_ref();
        let callers: Vec<_> = (0..shape.callers)
            .map(|caller| scope.spawn(move || append_until(journal, caller, shape.batch, started + time)))
            .collect();
        callers.into_iter().try_for_each(|caller| {
            caller
                .join()
                .unwrap_or_else(|_| Err(JournalError::Stopped { reason: "a caller panicked".to_owned() }))
        })
    })?;
    let head = recorder.journal.head();
    if let Some(log) = &recorder.log {
        wait_until_logged(log, head)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok(f64::from(u32::try_from(head)?) / seconds)
}

fn wait_until_logged(log: &LogWriter, position: u64) -> Result<(), Box<dyn Error>> {
    if log.wait_until_logged(position, LOGGED_WAIT) < position {
        return Err(format!("position {position} is in no checkpoint: {:?}", log.trouble()).into());
    }
    Ok(())
}

fn event(caller: u64) -> NewEvent {
    // {"fill":"xx…"} is 500 bytes long.
    NewEvent {
        stream: format!("bench/{caller}"),
        kind: "bench.happened".to_owned(),
        kind_version: 1,
        occurred_at: jiff::Timestamp::now(),
        actor: Actor::system(),
        causation: None,
        payload: json!({"fill": "x".repeat(PAYLOAD_BYTES - 11)}),
    }
}

fn append_until(journal: &dyn Journal, caller: u64, batch: usize, end: Instant) -> Result<(), JournalError> {
    let events = vec![event(caller); batch];
    while Instant::now() < end {
        journal.append(AppendRequest { events: events.clone(), ..AppendRequest::default() })?;
    }
    Ok(())
}

/// One event at a time, with pauses of different lengths between.
fn milliseconds_to_checkpoint(folder: &Path, location: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let recorder = Recorder::open(folder, location, true)?;
    let Some(log) = &recorder.log else { return Ok(Vec::new()) };
    let mut milliseconds = Vec::new();
    for number in 0..LATENCY_EVENTS {
        let request = AppendRequest { events: vec![event(0)], ..AppendRequest::default() };
        let position = recorder.journal.append(request)?.last_position();
        let started = Instant::now();
        wait_until_logged(log, position)?;
        milliseconds.push(started.elapsed().as_secs_f64() * 1_000.0);
        std::thread::sleep(Duration::from_millis(number * 7 % 60));
    }
    Ok(milliseconds)
}
