//! Seconds of backup, restore, verification and export: `cargo run --release -p customhouse --example backup_bench
//! [FOLDER] [EVENTS]`, JSON on standard output.
//!
//! A house whose journal holds EVENTS events of 500 bytes (1,000,000 unless told), four an append under a key of their
//! own as a declaration has them, all of them in its log; no documents and no Parquet. Each step is done once. FOLDER is
//! on the disk that is measured (a temporary folder unless named). PostgreSQL is measured where its programs are
//! installed, on a server of this program's own whose files stand in the system's temporary folder.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

#[path = "../../journal/tests/it/postgres_server.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the server of the tests, which fail by panicking and use more of it"
)]
mod postgres_server;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use customhouse::backup::{BackupOptions, RestoreOptions, back_up, export, restore};
use customhouse::proof::verify_at;
use customhouse::{Customhouse, Location};
use journal::{AppendRequest, Journal, JournalError, NewEvent};
use serde_json::{Value, json};
use spine::{Actor, Silent};

const PAYLOAD_BYTES: usize = 500;
/// Events of one append, and how many callers append at once.
const TOGETHER: u64 = 4;
const CALLERS: u64 = 64;
/// What an administrator would give a server that records all day: room for its log between checkpoints.
const SERVER: [&str; 4] =
    ["shared_buffers=512MB", "wal_buffers=16MB", "max_wal_size=4GB", "checkpoint_timeout=15min"];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let events = arguments.next().map_or(Ok(1_000_000), |number| number.parse::<u64>())?;
    let folder = tempfile::tempdir_in(&parent)?;
    let at = |name: &str| folder.path().join(name);
    let file = |name: &str| Location::from(at(name).as_path());
    let mut figures =
        measure("sqlite", &file("data"), &file("back"), &at("backup"), &at("everything"), events)?;
    if let Some(server) = postgres_server::Server::start_in(&std::env::temp_dir(), &SERVER) {
        let site = |name: &str| Location {
            data: at(&format!("{name}-one")),
            database: Some(server.database()),
            shared: Some(at(name)),
        };
        let (to, everything) = (at("site-backup"), at("site-everything"));
        figures.extend(measure("postgres", &site("site"), &site("site-back"), &to, &everything, events)?);
    }
    println!("{}", json!({"figures": figures}));
    Ok(())
}

/// The steps of one store, in their order.
fn measure(
    store: &str,
    house: &Location,
    back: &Location,
    to: &Path,
    everything: &Path,
    events: u64,
) -> Outcome<Vec<Value>> {
    let mut figures = Vec::new();
    let mut note = |step: &str, events: u64, work: &mut dyn FnMut() -> Outcome<()>| -> Outcome<()> {
        let began = Instant::now();
        work()?;
        let seconds = began.elapsed().as_secs_f64();
        let millions = f64::from(u32::try_from(events)?) / 1e6;
        eprintln!("{store}, {step}: {seconds:.2} s");
        figures.push(json!({
            "store": store, "step": step, "events": events, "seconds": seconds,
            "seconds_per_million_events": seconds / millions,
        }));
        Ok(())
    };
    let run = || -> Outcome<()> { Ok(back_up(house, to, BackupOptions::default(), &Silent).map(drop)?) };
    grow(house, events)?;
    note("first backup", events, &mut || run())?;
    let more = events / 100;
    grow(house, more)?;
    note("backup of 1 % more", more, &mut || run())?;
    let all = events.saturating_add(more);
    note("backup with nothing new", all, &mut || run())?;
    note("backup --check", all, &mut || {
        Ok(back_up(house, to, BackupOptions { check: true }, &Silent).map(drop)?)
    })?;
    note("restore, with proof", all, &mut || {
        let restored = restore(to, back, &RestoreOptions::default(), &Silent)?;
        if restored.holds() { Ok(()) } else { Err(format!("{:?}", restored.findings).into()) }
    })?;
    note("verify folder", all, &mut || {
        let verified = verify_at(house, &[], &Silent)?;
        if verified.holds() { Ok(()) } else { Err(format!("{:?}", verified.findings).into()) }
    })?;
    note("export", all, &mut || Ok(export(house, everything, &Silent).map(drop)?))?;
    Ok(figures)
}

/// So many events more, and all of them in the log.
fn grow(location: &Location, events: u64) -> Outcome<()> {
    let node = Customhouse::open_at(location)?.folder().node().to_owned();
    let place = location
        .database
        .clone()
        .unwrap_or_else(|| location.data.join("journal.sqlite").display().to_string());
    {
        let journal = journal::open(&place, &node, "local")?;
        let first = journal.journal().head();
        std::thread::scope(|scope| {
            let journal = journal.journal();
            let share = events / TOGETHER / CALLERS;
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    let own = share.saturating_add(u64::from(caller < events / TOGETHER % CALLERS));
                    scope.spawn(move || append(journal, &format!("{first}-{caller}"), own))
                })
                .collect();
            callers.into_iter().try_for_each(|caller| {
                caller
                    .join()
                    .unwrap_or_else(|_| Err(JournalError::Stopped { reason: "a caller panicked".to_owned() }))
            })
        })?;
    }
    let house = Customhouse::open_at(location)?;
    while house.log_standing().behind > 0 {
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn append(journal: &dyn Journal, name: &str, appends: u64) -> Result<(), JournalError> {
    for number in 0..appends {
        // {"fill":"xx…"} is 500 bytes long.
        let event = NewEvent {
            stream: format!("bench/{name}/{number}"),
            kind: "bench.happened".to_owned(),
            kind_version: 1,
            occurred_at: jiff::Timestamp::now(),
            actor: Actor::system(),
            causation: None,
            payload: json!({"fill": "x".repeat(PAYLOAD_BYTES - 11)}),
        };
        let events = std::iter::repeat_n(event, usize::try_from(TOGETHER).unwrap_or(1)).collect();
        let key = Some(format!("bench-{name}-{number}"));
        journal.append(AppendRequest { events, idempotency_key: key, ..AppendRequest::default() })?;
    }
    Ok(())
}
