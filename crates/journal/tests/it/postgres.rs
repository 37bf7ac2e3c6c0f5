//! What only a database can do: several journals on it at once, connections that break, leases.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use journal::{AppendRequest, Journal, JournalError, PostgresJournal, PostgresOptions};
use serde_json::json;

use crate::postgres_server::{self, Server};
use crate::support::open_postgres as open;
use crate::support::{Dice, at, event, keyed, number_of, numbers, numbers_of, whole_feed};

const PATIENCE: Duration = Duration::from_secs(30);

/// Ends every connection of the journals on a database; answers how many.
fn cut_connections(server: &Server, url: &str) -> u64 {
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name LIKE 'tidewaiter%'";
    server.sql(url, cut).parse().unwrap()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn several_journals_on_one_database_are_one_journal() {
    let Some(server) = postgres_server::running("several_journals_on_one_database_are_one_journal") else {
        return;
    };
    let url = server.database();
    let journals: Vec<PostgresJournal> = thread::scope(|scope| {
        // Both find nothing and want to make the tables.
        let opening: Vec<_> = (0..3).map(|_| scope.spawn(|| open(&url))).collect();
        opening.into_iter().map(|journal| journal.join().unwrap()).collect()
    });
    let accepted: u64 = thread::scope(|scope| {
        let racing: Vec<_> = journals
            .iter()
            .enumerate()
            .map(|(number, journal)| {
                scope.spawn(move || {
                    let own = format!("own/{number}");
                    let mut accepted = 0;
                    for round in 0..60 {
                        // Everybody wants the same next version of the shared stream: one gets it.
                        let mut request = at(numbers("shared", &[round]), "shared", round);
                        request.events.extend(numbers(&own, &[round]).events);
                        match journal.append(request) {
                            Ok(appended) => {
                                accepted += 1;
                                assert_eq!(appended.events[0].stream_version, round + 1);
                            }
                            Err(JournalError::Conflict { expected, actual, .. }) => {
                                assert_eq!(expected, round);
                                assert!(actual > round);
                            }
                            Err(other) => panic!("{other}"),
                        }
                        // Whoever lost waits until it sees the version that won.
                        while journal.read_stream("shared", round, 1).unwrap().is_empty() {}
                    }
                    accepted
                })
            })
            .collect();
        racing.into_iter().map(|journal| journal.join().unwrap()).sum()
    });
    assert_eq!(accepted, 60);
    let feed = whole_feed(&journals[0]);
    assert_eq!(feed.len(), 120);
    assert!(journals.iter().all(|journal| whole_feed(journal) == feed));
    assert_eq!(numbers_of(&journals[1].read_stream("shared", 0, 100).unwrap()), (0..60).collect::<Vec<_>>());
}

#[test]
fn what_a_process_remembers_of_a_stream_is_forgotten_when_another_one_appends() {
    let name = "what_a_process_remembers_of_a_stream_is_forgotten_when_another_one_appends";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let (here, there) = (open(&url), open(&url));
    here.append(numbers("a", &[1])).unwrap();
    there.append(numbers("a", &[2])).unwrap();
    // This one learns of it by a stream that it never heard of, and must not remember the old version of the other.
    here.append(at(numbers("b", &[3]), "b", 0)).unwrap();
    let appended = here.append(at(numbers("a", &[4, 5]), "a", 2)).unwrap();
    assert_eq!(appended.events.iter().map(|event| event.stream_version).collect::<Vec<_>>(), [3, 4]);
    there.append(at(at(numbers("a", &[6]), "a", 4), "b", 1)).unwrap();
    let conflict = here.append(at(at(numbers("c", &[7]), "c", 0), "a", 4)).unwrap_err();
    assert_eq!(conflict, JournalError::Conflict { stream: "a".to_owned(), expected: 4, actual: 5 });
    assert_eq!(numbers_of(&whole_feed(&here)), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn ones_own_write_is_read_on_every_process() {
    let Some(server) = postgres_server::running("ones_own_write_is_read_on_every_process") else { return };
    let url = server.database();
    let (here, there) = (open(&url), open(&url));
    for number in 0..50 {
        let (writer, reader) = if number % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let position =
            writer.append(keyed(numbers("a", &[number]), &format!("key/{number}"))).unwrap().last_position();
        assert_eq!(reader.head(), position);
        assert!(reader.wait_for(position, PATIENCE) >= position);
        assert_eq!(number_of(&reader.event(position).unwrap()), number);
        // A repetition gets its answer from whichever process it reaches.
        let again = reader.append(keyed(numbers("a", &[number]), &format!("key/{number}"))).unwrap();
        assert!(again.repeated && again.last_position() == position);
    }
    thread::scope(|scope| {
        let waiter = scope.spawn(|| there.wait_for(51, PATIENCE));
        here.append(numbers("a", &[99])).unwrap();
        assert_eq!(waiter.join().unwrap(), 51);
    });
    // Also after the connections of both were cut, without asking.
    assert!(cut_connections(server, &url) > 3);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| there.wait_for(52, PATIENCE));
        here.append(numbers("a", &[100])).unwrap();
        assert_eq!(waiter.join().unwrap(), 52);
    });
}

#[test]
fn a_lease_is_held_across_processes_and_ends_by_the_databases_clock() {
    let Some(server) =
        postgres_server::running("a_lease_is_held_across_processes_and_ends_by_the_databases_clock")
    else {
        return;
    };
    let url = server.database();
    let (first, second) = (open(&url), open(&url));
    let hour = Duration::from_secs(3_600);
    let held = first.take_lease("log", "process-1", hour).unwrap();
    assert_eq!(second.take_lease("log", "process-2", hour).unwrap(), held);
    first.append_as_holder(numbers("a", &[1]), &held.fence()).unwrap();
    server.sql(&url, "UPDATE journal.lease SET expires_at = clock_timestamp() WHERE name = 'log'");
    // It has ended, but until somebody takes it over nobody is in the way.
    first.append_as_holder(numbers("a", &[2]), &held.fence()).unwrap();
    let taken = second.take_lease("log", "process-2", hour).unwrap();
    assert_eq!((taken.holder.as_str(), taken.epoch), ("process-2", 2));
    assert_eq!(
        first.append_as_holder(numbers("a", &[9]), &held.fence()).unwrap_err().code(),
        "journal_lease_lost"
    );
    second.append_as_holder(numbers("a", &[3]), &taken.fence()).unwrap();
    // What rests on no lease goes on.
    first.append(numbers("a", &[4])).unwrap();
    assert_eq!(numbers_of(&whole_feed(&first)), [1, 2, 3, 4]);
    assert!(server.psql(&url, "UPDATE journal.lease SET epoch = 1 WHERE name = 'log'").is_err());
}

const HOLDER_DATABASE: &str = "TIDEWAITER_HOLDER_DATABASE";
const HOLDER_SECONDS: &str = "TIDEWAITER_HOLDER_SECONDS";

/// Another process that holds the lease for so long and writes under it.
fn start_holder(url: &str, seconds: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["postgres::holder", "--exact", "--test-threads=1"])
        .env(HOLDER_DATABASE, url)
        .env(HOLDER_SECONDS, seconds.to_string())
        .spawn()
        .unwrap()
}

/// The child of the next tests: holds a lease and writes under it until it is refused. As a test of its own it does
/// nothing.
#[test]
fn holder() {
    let Ok(url) = std::env::var(HOLDER_DATABASE) else { return };
    let journal = open(&url);
    let seconds = std::env::var(HOLDER_SECONDS).unwrap().parse().unwrap();
    let lease = journal.take_lease("log", "child", Duration::from_secs(seconds)).unwrap();
    let mut unanswered = 0;
    for number in 0.. {
        match journal.append_as_holder(numbers("by-child", &[number]), &lease.fence()) {
            Ok(_) => {}
            Err(JournalError::LeaseLost { .. }) => return,
            // While it stood still, the server ended its transaction: it does not know, and tries again.
            Err(JournalError::OutcomeUnknown { .. } | JournalError::Unavailable { .. }) => {
                unanswered += 1;
                assert!(unanswered < 5, "the server is gone");
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_holder_that_stood_still_finds_that_it_was_replaced() {
    let name = "a_holder_that_stood_still_finds_that_it_was_replaced";
    let Some(server) = postgres_server::running(name) else { return };
    let signal = |child: &Child, signal: &str| {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    };
    for _ in 0..3 {
        let url = server.database();
        let journal = open(&url);
        let mut child = start_holder(&url, 3_600);
        until("the child writes", || journal.head() > 20);
        signal(&child, "-STOP");
        server.sql(&url, "UPDATE journal.lease SET expires_at = clock_timestamp() WHERE name = 'log'");
        // It may stand still in the middle of a transaction; the server ends that within three seconds.
        let lease = journal.take_lease("log", "parent", Duration::from_secs(3_600)).unwrap();
        assert_eq!(lease.holder, "parent");
        let taken_over =
            journal.append_as_holder(numbers("by-parent", &[1]), &lease.fence()).unwrap().last_position();
        signal(&child, "-CONT");
        assert!(child.wait().unwrap().success());
        assert_eq!(whole_feed(&journal).last().unwrap().position, taken_over);
    }
}

#[test]
fn a_holder_that_was_killed_is_replaced_when_its_lease_has_ended() {
    let name = "a_holder_that_was_killed_is_replaced_when_its_lease_has_ended";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let journal = open(&url);
    let mut child = start_holder(&url, 2);
    until("the child writes", || journal.head() > 20);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut lease = journal.take_lease("log", "parent", Duration::from_secs(2)).unwrap();
    until("the lease ends", || {
        lease = journal.take_lease("log", "parent", Duration::from_secs(2)).unwrap();
        lease.holder == "parent"
    });
    assert_eq!(lease.epoch, 2);
    let before = journal.head();
    journal.append_as_holder(numbers("by-child", &[before]), &lease.fence()).unwrap();
    // Nothing is missing and nothing is there twice.
    assert_eq!(numbers_of(&whole_feed(&journal)), (0..=before).collect::<Vec<_>>());
}

#[test]
fn a_broken_connection_is_made_again() {
    let Some(server) = postgres_server::running("a_broken_connection_is_made_again") else { return };
    let url = server.database();
    let journal = open(&url);
    let blob = journal.put_blob(&mut Cursor::new(b"a bill of lading")).unwrap();
    for number in 0..10 {
        journal.append(numbers("a", &[number])).unwrap();
        cut_connections(server, &url);
        if number % 2 == 0 {
            assert_eq!(whole_feed(&journal).len(), usize::try_from(number + 1).unwrap());
            assert_eq!(journal.get_blob(&blob.sha256).unwrap().read_whole(99).unwrap(), b"a bill of lading");
        }
    }
    assert_eq!(numbers_of(&whole_feed(&journal)), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_database_that_cannot_be_reached_records_nothing_and_everything_goes_on_when_it_can() {
    let name = "a_database_that_cannot_be_reached_records_nothing_and_everything_goes_on_when_it_can";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let (journal, other) = (open(&url), open(&url));
    journal.append(numbers("a", &[1])).unwrap();
    let limit = |connections: i32| {
        let database = server.sql(&url, "SELECT current_database()");
        server.sql("postgres", &format!("ALTER DATABASE {database} CONNECTION LIMIT {connections}"));
    };
    limit(0);
    cut_connections(server, &url);
    assert_eq!(journal.append(keyed(numbers("a", &[2]), "k")).unwrap_err().code(), "journal_unavailable");
    assert_eq!(journal.feed(0, 10).unwrap_err().code(), "journal_unavailable");
    assert_eq!(journal.put_blob(&mut Cursor::new(b"x")).unwrap_err().code(), "journal_unavailable");
    assert_eq!(journal.head(), 1);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| other.wait_for(2, PATIENCE));
        limit(-1);
        assert!(!journal.append(keyed(numbers("a", &[2]), "k")).unwrap().repeated);
        assert_eq!(waiter.join().unwrap(), 2);
    });
    assert_eq!(numbers_of(&whole_feed(&other)), [1, 2]);
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_commit_leaves_the_outcome_unknown_and_known_by_the_next() {
    let name =
        "a_connection_that_breaks_in_the_middle_of_a_commit_leaves_the_outcome_unknown_and_known_by_the_next";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let journal = open(&url);
    journal.append(numbers("a", &[1])).unwrap();
    let request = keyed(at(numbers("a", &[2, 3]), "a", 1), "key-1");
    thread::scope(|scope| {
        // Somebody keeps the table locked, so that the inserts have been sent and not been answered.
        let locked = scope.spawn(|| {
            server
                .psql(&url, "BEGIN; LOCK TABLE journal.event IN SHARE MODE; SELECT pg_sleep(60)")
                .unwrap_err()
        });
        let pid_of = |what: &str| {
            let found =
                format!("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {what}");
            server.sql(&url, &found)
        };
        until("the table is locked", || {
            !pid_of("query LIKE '%pg_sleep(60)' AND wait_event = 'PgSleep'").is_empty()
        });
        let append = scope.spawn(|| journal.append(request.clone()));
        until("the insert waits", || {
            !pid_of("wait_event_type = 'Lock' AND wait_event = 'relation'").is_empty()
        });
        let waiting = pid_of("wait_event_type = 'Lock' AND wait_event = 'relation'");
        server.sql(&url, &format!("SELECT pg_terminate_backend({waiting})"));
        let unknown = append.join().unwrap().unwrap_err();
        assert_eq!(unknown.code(), "journal_outcome_unknown", "{unknown}");
        let locker = pid_of("query LIKE '%pg_sleep(60)' AND wait_event = 'PgSleep'");
        server.sql(&url, &format!("SELECT pg_terminate_backend({locker})"));
        locked.join().unwrap();
    });
    // The same journal goes on, and the same key records it once.
    let appended = journal.append(request.clone()).unwrap();
    assert_eq!(appended.last_position(), 3);
    assert!(journal.append(request).unwrap().repeated);
    assert_eq!(numbers_of(&whole_feed(&journal)), [1, 2, 3]);
}

#[test]
fn a_table_that_somebody_keeps_locked_is_busy_and_nothing_is_recorded() {
    let name = "a_table_that_somebody_keeps_locked_is_busy_and_nothing_is_recorded";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let journal = open(&url);
    thread::scope(|scope| {
        let locked = scope.spawn(|| {
            server
                .psql(&url, "BEGIN; LOCK TABLE journal.event IN SHARE MODE; SELECT pg_sleep(60)")
                .unwrap_err()
        });
        let sleeper =
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
        until("the table is locked", || !server.sql(&url, sleeper).is_empty());
        assert_eq!(journal.append(numbers("a", &[1])).unwrap_err().code(), "journal_busy");
        server.sql(&url, &format!("SELECT pg_terminate_backend(({sleeper}))"));
        locked.join().unwrap();
    });
    assert_eq!(journal.append(numbers("a", &[1])).unwrap().last_position(), 1);
}

/// All that stands in the files of a database, after the server has written what it holds in memory.
fn files_of(server: &Server, url: &str) -> Vec<u8> {
    server.sql(url, "CHECKPOINT");
    let number = server.sql(url, "SELECT oid FROM pg_database WHERE datname = current_database()");
    let mut bytes = Vec::new();
    for entry in fs::read_dir(server.data().join("base").join(number)).unwrap() {
        // A server at work may remove a file at any moment.
        bytes.extend(fs::read(entry.unwrap().path()).unwrap_or_default());
    }
    bytes
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    let mut rest = bytes;
    while let Some(start) = rest.iter().position(|byte| *byte == needle.as_bytes()[0]) {
        rest = &rest[start..];
        if rest.starts_with(needle.as_bytes()) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[test]
fn what_is_erased_stands_in_no_table_any_more() {
    let Some(server) = postgres_server::running("what_is_erased_stands_in_no_table_any_more") else { return };
    // Short ones share a page with neighbours; long ones fill pages of their own, one after the other.
    for (length, erased) in
        [(10, 17), (700, 17), (700, 39), (1_830, 39), (3_000, 0), (30_000, 17), (900_000, 39)]
    {
        let url = server.database();
        let journal = open(&url);
        let secret = format!("forget-me-{}", "forget-me-".repeat(length / 10));
        for number in 0..40_u64 {
            let fill = "x".repeat(usize::try_from(number).unwrap() * 37 % 900);
            let payload =
                if number == erased { json!(secret) } else { json!({"number": number, "fill": fill}) };
            journal
                .append(AppendRequest { events: vec![event("a", payload)], ..Default::default() })
                .unwrap();
        }
        let found = || contains(&files_of(server, &url), "forget-me-");
        assert!(found(), "the test would prove nothing");
        journal.erase_payload(erased + 1, "retention period ended").unwrap();
        assert!(!found(), "{length} bytes, event {erased}");
        assert_eq!(whole_feed(&journal).len(), 40);
        assert!(journal.event(erased + 1).unwrap().payload.value().is_none());
    }
}

#[test]
fn erasing_many_in_any_order_leaves_nothing_of_them_and_all_of_the_others() {
    let name = "erasing_many_in_any_order_leaves_nothing_of_them_and_all_of_the_others";
    let Some(server) = postgres_server::running(name) else { return };
    let mut dice = Dice(20_261_130);
    for round in 0..3 {
        let url = server.database();
        let journal = open(&url);
        let secret = |number: u64| format!("<secret-{round}-{number:03}>");
        for number in 1..=60_u64 {
            let length = if dice.below(4) == 0 { dice.below(9_000) } else { dice.below(700) };
            let payload = json!(secret(number).repeat(1 + usize::try_from(length / 12).unwrap()));
            journal
                .append(AppendRequest { events: vec![event("a", payload)], ..Default::default() })
                .unwrap();
        }
        let mut erased = BTreeSet::new();
        while erased.len() < 20 {
            let number = 1 + dice.below(60);
            if erased.insert(number) {
                journal.erase_payload(number, "retention period ended").unwrap();
            }
        }
        let files = files_of(server, &url);
        for number in 1..=60 {
            let found = contains(&files, &secret(number));
            assert_eq!(found, !erased.contains(&number), "event {number} of round {round}");
        }
        assert_eq!(whole_feed(&journal).len(), 60);
        assert_eq!(server.sql(&url, "SELECT count(*) FROM journal.scrub"), "0");
    }
}

#[test]
fn somebody_who_looks_at_the_past_delays_the_last_traces_of_an_erasure() {
    let name = "somebody_who_looks_at_the_past_delays_the_last_traces_of_an_erasure";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let journal = open(&url);
    for secret in ["forget-me-please", "forget-me-too"] {
        let events = vec![event("a", json!(secret))];
        journal.append(AppendRequest { events, ..Default::default() }).unwrap();
    }
    let found = |needle: &str| contains(&files_of(server, &url), needle);
    thread::scope(|scope| {
        let looking =
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM journal.event; SELECT pg_sleep(60)";
        let reader = scope.spawn(|| server.psql(&url, looking).unwrap_err());
        let sleeper =
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
        until("somebody looks", || !server.sql(&url, sleeper).is_empty());
        journal.erase_payload(1, "court order").unwrap();
        assert!(journal.event(1).unwrap().payload.value().is_none());
        assert!(found("forget-me-please"), "the test would prove nothing");
        server.sql(&url, &format!("SELECT pg_terminate_backend(({sleeper}))"));
        reader.join().unwrap();
    });
    journal.erase_payload(2, "court order").unwrap();
    assert!(!found("forget-me-please") && !found("forget-me-too"));
}

#[test]
fn large_payloads_and_blobs_come_back_in_order_on_another_process() {
    let name = "large_payloads_and_blobs_come_back_in_order_on_another_process";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    let (here, there) = (open(&url), open(&url));
    let text: String = (0..200_000_u32).map(|n| char::from(b'a' + u8::try_from(n % 23).unwrap())).collect();
    for length in [0, 1_864, 1_865, 1_866, 3_766, 100_000, 200_000] {
        here.append(AppendRequest { events: vec![event("a", json!(text[..length]))], ..Default::default() })
            .unwrap();
    }
    let lengths: Vec<usize> = whole_feed(&there)
        .iter()
        .map(|event| event.payload.value().unwrap().as_str().unwrap().len())
        .collect();
    assert_eq!(lengths, [0, 1_864, 1_865, 1_866, 3_766, 100_000, 200_000]);
    let bytes: Vec<u8> = (0..3_500_001_u32).map(|n| n.to_le_bytes()[1] ^ n.to_le_bytes()[2]).collect();
    let kept = here.put_blob(&mut Cursor::new(&bytes)).unwrap();
    assert_eq!(there.put_blob(&mut Cursor::new(&bytes)).unwrap(), kept);
    assert_eq!(there.get_blob(&kept.sha256).unwrap().read_whole(4_000_000).unwrap(), bytes);
    assert_eq!(server.sql(&url, "SELECT count(*) FROM journal.blob_part"), "4");
}

#[test]
fn damage_is_found_where_it_is() {
    let Some(server) = postgres_server::running("postgres::damage_is_found_where_it_is") else { return };
    let cases = [
        (
            "UPDATE journal.payload SET bytes = decode(repeat('00', 45), 'hex') WHERE position = 2",
            "position 2",
            "commits to",
        ),
        ("DELETE FROM journal.payload WHERE position = 2", "position 2", "payload is missing"),
        ("DELETE FROM journal.event WHERE position = 2", "position 3", "follows number 1 but is number 3"),
        (
            "UPDATE journal.event SET stream = 'b' WHERE position = 2",
            "position 2",
            "belongs to another place",
        ),
        ("UPDATE journal.event SET envelope = '{' WHERE position = 2", "position 2", "not an event envelope"),
    ];
    for (sql, place, reason) in cases {
        let url = server.database();
        let journal = open(&url);
        journal.append(numbers("a", &[1, 2, 3])).unwrap();
        // Guard rails off: only a superuser can do this.
        server.sql(&url, &format!("SET session_replication_role = replica; {sql}"));
        let damage = journal.feed(0, 10).unwrap_err();
        assert_eq!(damage.code(), "journal_damaged", "{damage}");
        let message = damage.to_string();
        assert!(message.contains(place) && message.contains(reason), "{sql}: {message}");
    }
    let url = server.database();
    let journal = open(&url);
    let kept = journal.put_blob(&mut Cursor::new(b"a bill of lading")).unwrap();
    server.sql(
        &url,
        "SET session_replication_role = replica; UPDATE journal.blob_part SET bytes = 'a bill of loading'",
    );
    let damage = journal.get_blob(&kept.sha256).unwrap().read_whole(100).unwrap_err();
    assert_eq!(damage.code(), "journal_damaged");
}

#[test]
fn rows_are_never_changed_nor_deleted_by_accident() {
    let Some(server) = postgres_server::running("postgres::rows_are_never_changed_nor_deleted_by_accident")
    else {
        return;
    };
    let url = server.database();
    let journal = open(&url);
    journal.append(keyed(numbers("a", &[1, 2]), "k")).unwrap();
    journal.put_blob(&mut Cursor::new(b"x")).unwrap();
    for sql in [
        "DELETE FROM journal.event",
        "UPDATE journal.event SET stream = 'b'",
        "TRUNCATE journal.event",
        "DELETE FROM journal.payload WHERE position = 1",
        "UPDATE journal.payload SET bytes = '' WHERE position = 1",
        "UPDATE journal.idempotency SET key = 'l'",
        "DELETE FROM journal.blob",
        "TRUNCATE journal.blob_part",
        "UPDATE journal.format SET format = 7",
    ] {
        let refused = server.psql(&url, sql).unwrap_err();
        assert!(refused.contains("only appended to"), "{sql}: {refused}");
    }
}

#[test]
fn databases_that_cannot_be_used_say_why_and_stay_as_they_are() {
    let name = "databases_that_cannot_be_used_say_why_and_stay_as_they_are";
    let Some(server) = postgres_server::running(name) else { return };
    let refused =
        |url: &str| PostgresJournal::open(&PostgresOptions::new(url, "node-1", "demo")).unwrap_err();
    let url = server.database();
    drop(open(&url));
    server.sql(&url, "SET session_replication_role = replica; UPDATE journal.format SET format = 99");
    let newer = refused(&url);
    assert_eq!(newer.code(), "journal_newer");
    assert!(newer.to_string().contains("has format 99, but this program reads up to format 1"), "{newer}");

    let url = server.database();
    server.sql(&url, "CREATE SCHEMA journal; CREATE TABLE journal.recipe (name text)");
    assert_eq!(refused(&url).code(), "not_a_journal");
    assert_eq!(server.sql(&url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'journal'"), "1");

    // Damage at the end is looked at before anything is written after it.
    let url = server.database();
    open(&url).append(numbers("a", &[1, 2])).unwrap();
    server
        .sql(&url, "SET session_replication_role = replica; DELETE FROM journal.payload WHERE position = 2");
    assert_eq!(refused(&url).code(), "journal_damaged");

    let missing = url.replace("@/journal_", "@/no_journal_");
    let unavailable = refused(&missing);
    assert_eq!(unavailable.code(), "journal_unavailable");
    assert!(unavailable.to_string().contains("does not exist"), "{unavailable}");
}

#[test]
fn only_local_servers_are_accepted_and_no_password_is_shown() {
    let check = |url: &str, code: &str, expected: &str| {
        let options = PostgresOptions::new(url, "node-1", "demo");
        let refused = PostgresJournal::open(&options).unwrap_err();
        let message = refused.to_string();
        assert_eq!(refused.code(), code, "{url}: {message}");
        assert!(message.contains(expected), "{url}: {message}");
        assert!(!format!("{message} {refused:?} {options:?}").contains("hidden"), "{url}: {message}");
    };
    check("postgres://tw:hidden@db.example.org/tw", "journal_malformed", "not encrypted");
    check("postgres://tw:hidden@192.0.2.7/tw", "journal_malformed", "192.0.2.7");
    check("postgres://tw:hidden@localhost/tw?hostaddr=192.0.2.7", "journal_malformed", "192.0.2.7");
    check("postgres://tw:hidden@localhost/tw?sslmode=require", "journal_malformed", "sslmode");
    check("postgres://tw:hidden@localhost/tw?tempo=hidden", "journal_malformed", "address of the database");
    check("postgres://tw:hidden@127.0.0.1:1/tw", "journal_unavailable", "postgres://127.0.0.1:1/tw");
    check("postgres://tw:hidden@[::1]:1/tw", "journal_unavailable", "postgres://");
}

#[test]
fn one_that_is_opened_for_reading_changes_nothing_while_others_write() {
    let name = "one_that_is_opened_for_reading_changes_nothing_while_others_write";
    let Some(server) = postgres_server::running(name) else { return };
    let url = server.database();
    assert_eq!(PostgresJournal::open_read_only(&url).unwrap_err().code(), "not_a_journal");
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'journal'";
    assert_eq!(server.sql(&url, schemas), "0", "nothing was made");
    let writer = open(&url);
    writer.append(numbers("s", &[1, 2])).unwrap();
    let reader = PostgresJournal::open_read_only(&url).unwrap();
    writer.append(numbers("s", &[3])).unwrap();
    assert_eq!((reader.head(), reader.feed(0, 10).unwrap()), (3, writer.feed(0, 10).unwrap()));
    let blob = writer.put_blob(&mut &b"a paper"[..]).unwrap().sha256;
    assert_eq!(reader.get_blob(&blob).unwrap().read_whole(100).unwrap(), b"a paper");
    for refused in [
        reader.append(numbers("s", &[4])).map(drop),
        reader.erase_payload(1, "law"),
        reader.put_blob(&mut &b"another"[..]).map(drop),
        reader.erase_blob(&blob),
        reader.take_lease("log", "somebody", Duration::from_secs(3)).map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), "journal_read_only");
    }
    assert_eq!(writer.head(), 3);
    assert!(reader.get_blob(&blob).is_ok());
}
