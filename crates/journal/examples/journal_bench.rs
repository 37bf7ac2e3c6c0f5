//! Durable events a second: `cargo run --release -p journal --example journal_bench [FOLDER]`, JSON on standard output.
//!
//! Each figure is the median of several runs on a fresh file in FOLDER (a temporary folder unless named: name one on
//! the disk that the journal will stand on). An event counts once its append has returned, that is, once it is flushed.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use journal::{AppendRequest, Journal, JournalError, NewEvent, SqliteJournal, SqliteOptions};
use serde_json::json;
use spine::Actor;

const RUNS: usize = 5;
const RUN_TIME: Duration = Duration::from_millis(1_500);
const PAYLOAD_BYTES: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let mut figures = Vec::new();
    for callers in [1_u64, 8] {
        for batch in [1_usize, 100, 1_000] {
            let mut runs = Vec::new();
            for run in 0..RUNS {
                runs.push(one_run(
                    &folder.join(format!("journal-bench-{}-{run}", std::process::id())),
                    callers,
                    batch,
                )?);
            }
            runs.sort_by(f64::total_cmp);
            figures.push(json!({
                "callers": callers,
                "batch_events": batch,
                "events_per_second_median": runs.get(RUNS / 2),
                "events_per_second_runs": runs,
            }));
        }
    }
    println!("{}", json!({"payload_bytes": PAYLOAD_BYTES, "folder": folder, "figures": figures}));
    Ok(())
}

/// Events a second of one run in a folder that is made for it and removed.
fn one_run(folder: &Path, callers: u64, batch: usize) -> Result<f64, Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let journal = SqliteJournal::open(&SqliteOptions::new(&folder.join("journal.sqlite"), "bench", "bench"))?;
    let started = Instant::now();
    std::thread::scope(|scope| {
        let journal = &journal;
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
    let events = u32::try_from(journal.head())?;
    drop(journal);
    std::fs::remove_dir_all(folder)?;
    Ok(f64::from(events) / seconds)
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
