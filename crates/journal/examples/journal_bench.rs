//! Durable events a second: `cargo run --release -p journal --example journal_bench [FOLDER] [STORE/CALLERS/BATCH]`,
//! JSON on standard output.
//!
//! Each figure is the median of several runs on a fresh store in FOLDER (a temporary folder unless named: name one on
//! the disk that the journal will stand on). An event counts once its append has returned, that is, once it is flushed.
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
use std::path::PathBuf;
use std::time::{Duration, Instant};

use journal::{AnyJournal, AppendRequest, Journal, JournalError, NewEvent};
use serde_json::{Value, json};
use spine::Actor;

const RUNS: usize = 5;
const RUN_TIME: Duration = Duration::from_millis(1_500);
const PAYLOAD_BYTES: usize = 500;
/// What an administrator would give a server that records all day: room for its log between checkpoints.
const SERVER: [&str; 4] =
    ["shared_buffers=512MB", "wal_buffers=16MB", "max_wal_size=4GB", "checkpoint_timeout=15min"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let only = std::env::args().nth(2);
    let only = only.as_deref();
    let mut figures = measure("sqlite", only, &mut |callers, batch| {
        let folder = tempfile::tempdir_in(&folder)?;
        let location = folder.path().join("journal.sqlite").display().to_string();
        one_run(&journal::open(&location, "bench", "bench")?, callers, batch)
    })?;
    if let Some(server) = postgres_server::Server::start_in(&folder, &SERVER) {
        figures.extend(measure("postgres", only, &mut |callers, batch| {
            one_run(&journal::open(&server.database(), "bench", "bench")?, callers, batch)
        })?);
    }
    println!("{}", json!({"payload_bytes": PAYLOAD_BYTES, "folder": folder, "figures": figures}));
    Ok(())
}

/// The table of one store, or the one figure that was asked for.
fn measure(
    store: &str,
    only: Option<&str>,
    run: &mut dyn FnMut(u64, usize) -> Result<f64, Box<dyn Error>>,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut figures = Vec::new();
    for callers in [1_u64, 8, 64] {
        for batch in [1_usize, 100, 1_000] {
            if only.is_some_and(|only| only != format!("{store}/{callers}/{batch}")) {
                continue;
            }
            let mut runs = (0..RUNS).map(|_| run(callers, batch)).collect::<Result<Vec<_>, _>>()?;
            runs.sort_by(f64::total_cmp);
            figures.push(json!({
                "store": store,
                "callers": callers,
                "batch_events": batch,
                "events_per_second_median": runs.get(RUNS / 2),
                "events_per_second_runs": runs,
            }));
        }
    }
    Ok(figures)
}

/// Events a second of one run on an empty journal.
fn one_run(journal: &AnyJournal, callers: u64, batch: usize) -> Result<f64, Box<dyn Error>> {
    let started = Instant::now();
    std::thread::scope(|scope| {
        let journal = journal.journal();
        let callers: Vec<_> = (0..callers)
            .map(|caller| scope.spawn(move || append_until_time(journal, caller, batch)))
            .collect();
        callers.into_iter().try_for_each(|caller| {
            caller
                .join()
                .unwrap_or_else(|_| Err(JournalError::Stopped { reason: "a caller panicked".to_owned() }))
        })
    })?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(f64::from(u32::try_from(journal.journal().head())?) / seconds)
}

fn append_until_time(journal: &dyn Journal, caller: u64, batch: usize) -> Result<(), JournalError> {
    let started = Instant::now();
    // {"fill":"xx…"} is 500 bytes long.
    let event = NewEvent {
        stream: format!("bench/{caller}"),
        kind: "bench.happened".to_owned(),
        kind_version: 1,
        occurred_at: jiff::Timestamp::now(),
        actor: Actor::system(),
        causation: None,
        payload: json!({"fill": "x".repeat(PAYLOAD_BYTES - 11)}),
    };
    while started.elapsed() < RUN_TIME {
        journal.append(AppendRequest { events: vec![event.clone(); batch], ..AppendRequest::default() })?;
    }
    Ok(())
}
