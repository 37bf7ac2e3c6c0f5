//! `kill -9` at any moment: every acknowledged event is there afterwards, no half append is.
//!
//! The test starts itself again as a child that appends from several threads and prints each acknowledgement to a
//! pipe; the parent kills it at a random moment, opens the journal and compares. `TIDEWAITER_CRASH_KILLS` says how
//! often (25 unless told).

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use journal::{AppendRequest, Journal, JournalError, Payload, RecordedEvent};
use serde_json::json;

use crate::postgres_server;
use crate::support::{Dice, event, open, whole_feed};

const CHILD_FOLDER: &str = "TIDEWAITER_CRASH_CHILD_FOLDER";
const CHILD_DATABASE: &str = "TIDEWAITER_CRASH_CHILD_DATABASE";
const CHILD_RUN: &str = "TIDEWAITER_CRASH_CHILD_RUN";
const THREADS: u64 = 4;
/// A fresh journal after so many kills, so that starting anew is killed too.
const KILLS_A_JOURNAL: u64 = 20;

/// The child: appends until it is killed. As a test of its own it does nothing.
#[test]
fn child() {
    let journal: Box<dyn Journal> = match (env::var(CHILD_FOLDER), env::var(CHILD_DATABASE)) {
        (Ok(folder), _) => Box::new(open(Path::new(&folder))),
        (_, Ok(url)) => Box::new(crate::support::open_postgres(&url)),
        _ => return,
    };
    let run: u64 = env::var(CHILD_RUN).unwrap().parse().unwrap();
    println!("READY");
    thread::scope(|scope| {
        for caller in 0..THREADS {
            let journal = &*journal;
            scope.spawn(move || append_for_ever(journal, run, caller));
        }
    });
}

/// Appends of 1 to 7 events over a stream of its own and one that all share; every third shared append rests on the
/// shared stream's version; now and then a blob that an event names, and an erasure.
fn append_for_ever(journal: &dyn Journal, run: u64, caller: u64) {
    let mut dice = Dice((run + 1) * 7919 + caller);
    let mut shared = 0;
    for number in 0_u64.. {
        let batch = format!("{run}-{caller}-{number}");
        let blob = (number % 50 == 7).then(|| journal.put_blob(&mut batch.as_bytes()).unwrap().sha256);
        let of = 1 + dice.below(7);
        let rests_on = (number % 3 == 0).then_some(shared);
        let events = (0..of)
            .map(|index| {
                let stream = if index % 2 == 0 { "shared".to_owned() } else { format!("own/{caller}") };
                let fill = "x".repeat(usize::try_from(dice.below(900)).unwrap());
                event(
                    &stream,
                    json!({"batch": batch, "index": index, "of": of, "rests_on": rests_on, "blob": blob, "fill": fill}),
                )
            })
            .collect();
        let expected = rests_on.map(|version| ("shared".to_owned(), version)).into_iter().collect();
        match journal.append(AppendRequest {
            events,
            expected,
            idempotency_key: Some(batch.clone()),
            ..Default::default()
        }) {
            Ok(appended) => {
                shared = appended.events.iter().rfind(|e| e.stream == "shared").unwrap().stream_version;
                println!("ACK {batch} {} {}", appended.events[0].position, appended.last_position());
                if number % 40 == 11 {
                    let position = appended.last_position();
                    journal.erase_payload(position, "a test").unwrap();
                    println!("ERASED {position}");
                }
            }
            Err(JournalError::Conflict { actual, .. }) => shared = actual,
            Err(other) => panic!("{other}"),
        }
    }
}

/// What the parent knows of a journal from earlier kills.
#[derive(Default)]
struct Verified {
    position: u64,
    versions: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Totals {
    acknowledged: u64,
    unacknowledged: u64,
    erased: u64,
    blobs: u64,
    killed_before_ready: u64,
}

#[test]
fn every_acknowledged_event_survives_kill_9_and_no_half_append_does() {
    let kills: u64 = env::var("TIDEWAITER_CRASH_KILLS").map_or(25, |kills| kills.parse().unwrap());
    let mut dice = Dice(20_261_123);
    let mut totals = Totals::default();
    let mut folder = tempfile::tempdir().unwrap();
    let mut verified = Verified::default();
    for kill in 0..kills {
        if kill % KILLS_A_JOURNAL == 0 {
            folder = tempfile::tempdir().unwrap();
            verified = Verified::default();
        }
        // Every fifth child is killed at some moment of its start, the others under load.
        let (after_ready, microseconds) =
            if kill % 5 == 4 { (false, dice.below(12_000)) } else { (true, dice.below(250_000)) };
        let lines = run_and_kill(folder.path(), kill, after_ready, Duration::from_micros(microseconds));
        totals.killed_before_ready += u64::from(!lines.iter().any(|line| line.ends_with("READY")));
        verify(&open(folder.path()), &mut verified, &lines, &mut totals);
    }
    println!(
        "kills {kills}, events acknowledged {}, recorded but not acknowledged {}, erasures {}, blobs {}, killed while \
         opening {}",
        totals.acknowledged, totals.unacknowledged, totals.erased, totals.blobs, totals.killed_before_ready
    );
    assert!(totals.acknowledged > kills * 10, "there was hardly any load");
}

#[test]
fn whoever_is_killed_the_other_processes_go_on_and_nothing_is_lost_or_doubled() {
    let name = "whoever_is_killed_the_other_processes_go_on_and_nothing_is_lost_or_doubled";
    let Some(server) = postgres_server::running(name) else { return };
    let kills: u64 = env::var("TIDEWAITER_CRASH_KILLS").map_or(10, |kills| kills.parse().unwrap());
    let url = server.database();
    let mut dice = Dice(20_261_130);
    let mut totals = Totals::default();
    let mut verified = Verified::default();
    for kill in 0..kills {
        let start = |run: u64| {
            let mut child = child_on(CHILD_DATABASE, url.as_ref(), run);
            let printed = lines_of(&mut child);
            (child, printed)
        };
        let (mut first, first_printed) = start(kill * 2);
        let (mut second, second_printed) = start(kill * 2 + 1);
        let mut lines = until_ready(&first_printed);
        lines.extend(until_ready(&second_printed));
        thread::sleep(Duration::from_micros(dice.below(200_000)));
        first.kill().unwrap();
        first.wait().unwrap();
        lines.extend(second_printed.try_iter());
        // The one that is left goes on at once: positions of the dead one's transactions are not waited for.
        for _ in 0..20 {
            lines.push(second_printed.recv_timeout(Duration::from_secs(5)).unwrap());
        }
        second.kill().unwrap();
        second.wait().unwrap();
        lines.extend(first_printed.iter());
        lines.extend(second_printed.iter());
        verify(&crate::support::open_postgres(&url), &mut verified, &lines, &mut totals);
    }
    println!(
        "kills {}, events acknowledged {}, recorded but not acknowledged {}, erasures {}, blobs {}",
        kills * 2,
        totals.acknowledged,
        totals.unacknowledged,
        totals.erased,
        totals.blobs
    );
    assert!(totals.acknowledged > kills * 10, "there was hardly any load");
}

fn child_on(variable: &str, place: &OsStr, run: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(variable, place)
        .env(CHILD_RUN, run.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn until_ready(printed: &Receiver<String>) -> Vec<String> {
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.ends_with("READY")) {
        lines.push(printed.recv_timeout(Duration::from_secs(60)).unwrap());
    }
    lines
}

fn run_and_kill(folder: &Path, run: u64, after_ready: bool, delay: Duration) -> Vec<String> {
    let mut child = child_on(CHILD_FOLDER, folder.as_os_str(), run);
    let started = Instant::now();
    let printed = lines_of(&mut child);
    let mut lines = if after_ready { until_ready(&printed) } else { Vec::new() };
    let from = if after_ready { Instant::now() } else { started };
    thread::sleep((from + delay).saturating_duration_since(Instant::now()));
    assert!(child.try_wait().unwrap().is_none(), "the child ended by itself: {:?}", child.wait_with_output());
    child.kill().unwrap();
    child.wait().unwrap();
    lines.extend(printed.iter());
    lines
}

/// Reads the pipe all the time, so that a full pipe never slows the child.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut line = Vec::new();
        // A line without its end was cut off by the kill and acknowledges nothing.
        while output.read_until(b'\n', &mut line).is_ok() && line.pop() == Some(b'\n') {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receive
}

fn verify(journal: &dyn Journal, verified: &mut Verified, lines: &[String], totals: &mut Totals) {
    let first_new = verified.position + 1;
    let mut recorded: BTreeMap<String, Vec<RecordedEvent>> = BTreeMap::new();
    let mut erased = Vec::new();
    // Every read is checked by the journal for gaps and commitments; versions are counted here once more.
    loop {
        let events = journal.feed(verified.position, 5_000).unwrap();
        if events.is_empty() {
            break;
        }
        for event in events {
            verified.position = event.position;
            let version = verified.versions.entry(event.envelope.stream.clone()).or_default();
            *version += 1;
            assert_eq!(event.envelope.stream_version, *version, "a gap in {}", event.envelope.stream);
            match &event.payload {
                Payload::Present(payload) => {
                    recorded.entry(payload["batch"].as_str().unwrap().to_owned()).or_default().push(event);
                }
                Payload::Erased { .. } => erased.push(event.position),
            }
        }
    }
    assert_eq!(verified.position, journal.head());
    for (batch, events) in &recorded {
        verify_batch(journal, batch, events, &erased, totals);
    }
    let mut acknowledged = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ACK", batch, first, last] => {
                let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
                assert!(first >= first_new && last <= journal.head(), "{line} is gone");
                let there = recorded.get(batch).map_or(0, |events| events.len());
                let erased = erased.iter().filter(|at| (first..=last).contains(at)).count();
                assert_eq!(u64::try_from(there + erased).unwrap(), last - first + 1, "{line}");
                acknowledged += last - first + 1;
            }
            ["ERASED", position] => {
                let position: u64 = position.parse().unwrap();
                assert!(position < first_new || erased.contains(&position), "{line} came back");
                totals.erased += 1;
            }
            _ => {}
        }
    }
    totals.acknowledged += acknowledged;
    totals.unacknowledged += verified.position + 1 - first_new - acknowledged;
    repeat_one(journal, &recorded);
    if verified.position.is_multiple_of(7) {
        assert_eq!(u64::try_from(whole_feed(journal).len()).unwrap(), journal.head());
    }
}

/// All of a batch, in order, in consecutive places; the blob it names; the version it rests on.
fn verify_batch(
    journal: &dyn Journal,
    batch: &str,
    events: &[RecordedEvent],
    erased: &[u64],
    totals: &mut Totals,
) {
    let payload = |event: &RecordedEvent| event.payload.value().unwrap().clone();
    let first = payload(&events[0]);
    let of = first["of"].as_u64().unwrap();
    let start = events[0].position - first["index"].as_u64().unwrap();
    for index in 0..of {
        let there = events.iter().any(|e| e.position == start + index && payload(e)["index"] == index);
        assert!(
            there || erased.contains(&(start + index)),
            "half of batch {batch} is missing: {index} of {of}"
        );
    }
    if let (Some(rests_on), Some(0)) = (first["rests_on"].as_u64(), first["index"].as_u64()) {
        assert_eq!(
            events[0].envelope.stream_version,
            rests_on + 1,
            "{batch} rests on a version that had moved"
        );
    }
    if let Some(blob) = first["blob"].as_str() {
        assert_eq!(journal.get_blob(blob).unwrap().read_whole(1_000).unwrap(), batch.as_bytes());
        totals.blobs += 1;
    }
}

/// Whoever did not get an answer sends again with the same key: nothing is recorded twice.
fn repeat_one(journal: &dyn Journal, recorded: &BTreeMap<String, Vec<RecordedEvent>>) {
    let Some((batch, events)) = recorded.iter().next_back() else { return };
    if events[0].payload.value().unwrap()["of"] != events.len() {
        return;
    }
    let head = journal.head();
    let again = AppendRequest {
        events: events
            .iter()
            .map(|e| event(&e.envelope.stream, e.payload.value().unwrap().clone()))
            .collect(),
        expected: Vec::new(),
        idempotency_key: Some(batch.clone()),
        ..Default::default()
    };
    let appended = journal.append(again).unwrap();
    assert!(appended.repeated && journal.head() == head, "{batch} was recorded twice");
}
