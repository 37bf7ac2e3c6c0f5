//! Events, clocks and journals for tests.

use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use journal::{
    AppendRequest, Clock, Journal, NewEvent, PostgresJournal, PostgresOptions, RecordedEvent, SqliteJournal,
    SqliteOptions,
};
use serde_json::{Value, json};
use spine::Actor;

/// A clock that stands still until it is moved.
pub(crate) struct StillClock(Mutex<Timestamp>);

impl StillClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-11-23T08:00:00Z".parse().unwrap())))
    }

    pub(crate) fn move_by(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub(crate) fn event(stream: &str, payload: Value) -> NewEvent {
    NewEvent {
        stream: stream.to_owned(),
        kind: "test.happened".to_owned(),
        kind_version: 1,
        occurred_at: "2026-11-22T10:00:00Z".parse().unwrap(),
        actor: Actor::officer("o-17"),
        causation: None,
        payload,
    }
}

/// One event a number, on one stream, resting on nothing.
pub(crate) fn numbers(stream: &str, numbers: &[u64]) -> AppendRequest {
    AppendRequest {
        events: numbers.iter().map(|number| event(stream, json!({ "number": number }))).collect(),
        ..AppendRequest::default()
    }
}

pub(crate) fn at(mut request: AppendRequest, stream: &str, version: u64) -> AppendRequest {
    request.expected.push((stream.to_owned(), version));
    request
}

pub(crate) fn keyed(mut request: AppendRequest, key: &str) -> AppendRequest {
    request.idempotency_key = Some(key.to_owned());
    request
}

pub(crate) fn claiming(mut request: AppendRequest, claims: &[&str]) -> AppendRequest {
    request.claims.extend(claims.iter().map(|&claim| claim.to_owned()));
    request
}

pub(crate) fn number_of(event: &RecordedEvent) -> u64 {
    event.payload.value().unwrap()["number"].as_u64().unwrap()
}

pub(crate) fn numbers_of(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(number_of).collect()
}

pub(crate) fn options(folder: &Path) -> SqliteOptions {
    SqliteOptions::new(&folder.join("journal.sqlite"), "node-1", "demo")
}

pub(crate) fn open(folder: &Path) -> SqliteJournal {
    SqliteJournal::open(&options(folder)).unwrap()
}

/// The whole feed, read in small steps; each step is checked by the journal for gaps and commitments.
pub(crate) fn whole_feed(journal: &dyn Journal) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.position);
        let step = journal.feed(after, 1_000).unwrap();
        if step.is_empty() {
            assert_eq!(after, journal.head(), "the feed ends at the head");
            return events;
        }
        events.extend(step);
    }
}

/// A small generator of numbers (xorshift64*), so that a run can be told from its seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }
}

pub(crate) fn open_postgres(url: &str) -> PostgresJournal {
    PostgresJournal::open(&PostgresOptions::new(url, "node-1", "demo")).unwrap()
}

/// A folder that is gone soon, in memory where there is one.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
