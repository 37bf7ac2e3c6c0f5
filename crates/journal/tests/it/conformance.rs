//! What every journal must do, whatever it runs on: one suite over the trait.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use journal::{
    AppendRequest, Clock, Journal, JournalError, Payload, PostgresJournal, PostgresOptions, SqliteJournal,
    SqliteOptions,
};
use serde_json::{Value, json};

use crate::postgres_server;
use crate::support::{StillClock, at, claiming, event, keyed, numbers, numbers_of, whole_feed};

/// Makes an empty journal on a given clock.
pub(crate) type Fresh<'a> = &'a dyn Fn(Arc<dyn Clock>) -> Box<dyn Journal>;

/// Panics where the promise is broken.
type Check = fn(Fresh<'_>);

/// The suite: every entry is one promise.
pub(crate) const SUITE: [(&str, Check); 16] = [
    ("what is appended is read back as it was", appended_is_read_back),
    ("versions and positions count from 1 without gaps", versions_and_positions),
    ("a decision that rests on a stream which moved is a conflict", conflicts),
    ("a conflict leaves nothing of its append behind", conflicts_leave_nothing),
    ("the same request under the same key is recorded once", idempotency),
    ("a key is not taken for other events", idempotency_refuses_other_events),
    ("a name is claimed once", claims),
    ("a refused claim does not take its neighbours with it", claims_among_many),
    ("envelopes are those of the feed", envelopes),
    ("reads are bounded and go on where they stopped", bounded_reads),
    ("an erased payload is gone, its envelope stays", erasure),
    ("blobs are kept under their hash", blobs),
    ("an erased blob is gone, and no other", erased_blobs),
    ("bad requests are refused with what to do", refusals),
    ("who waits for a position learns of it", waiting),
    ("a lease has one holder, and who lost it writes nothing more under it", leases),
];

#[test]
fn the_sqlite_journal_keeps_every_promise() {
    for (promise, check) in SUITE {
        println!("{promise}");
        let folder = tempfile::tempdir().unwrap();
        check(&|clock| {
            let path = folder.path().join("journal.sqlite");
            Box::new(
                SqliteJournal::open(&SqliteOptions {
                    clock,
                    blob_bytes_max: Some(1_000_000),
                    ..SqliteOptions::new(&path, "node-1", "demo")
                })
                .unwrap(),
            )
        });
    }
}

#[test]
fn the_postgres_journal_keeps_every_promise() {
    let Some(server) = postgres_server::running("the_postgres_journal_keeps_every_promise") else { return };
    for (promise, check) in SUITE {
        println!("{promise}");
        let url = server.database();
        check(&|clock| {
            Box::new(
                PostgresJournal::open(&PostgresOptions {
                    clock,
                    blob_bytes_max: Some(1_000_000),
                    ..PostgresOptions::new(&url, "node-1", "demo")
                })
                .unwrap(),
            )
        });
    }
}

fn fresh(fresh: Fresh<'_>) -> Box<dyn Journal> {
    fresh(StillClock::new())
}

fn appended_is_read_back(open: Fresh<'_>) {
    let clock = StillClock::new();
    let journal = open(clock.clone());
    let payload = json!({
        "text": "é 中文 \u{1f6a2} \"quoted\" \\ \n \u{0} \u{7f}", "none": null, "list": [1, -2, 2.5, true],
        "nested": {"b": {}, "a": []}, "largest": 9_007_199_254_740_992_u64,
    });
    let mut first = event("batch/1", payload.clone());
    first.occurred_at = "2026-11-22T10:00:00.123456789Z".parse().unwrap();
    let appended =
        journal.append(AppendRequest { events: vec![first.clone()], ..Default::default() }).unwrap();
    clock.move_by(3);
    let mut second = event("batch/1", json!([]));
    second.causation = Some(appended.events[0].id.clone());
    journal.append(AppendRequest { events: vec![second], ..Default::default() }).unwrap();

    let events = journal.read_stream("batch/1", 0, 10).unwrap();
    assert_eq!(events, whole_feed(&*journal));
    assert_eq!(events[0].payload, Payload::Present(payload));
    let envelope = &events[0].envelope;
    assert_eq!((envelope.node.as_str(), envelope.administration.as_str()), ("node-1", "demo"));
    assert_eq!((&envelope.kind, envelope.kind_version, &envelope.actor), (&first.kind, 1, &first.actor));
    assert_eq!(envelope.occurred_at, "2026-11-22T10:00:00.123456Z".parse().unwrap());
    assert_eq!(envelope.recorded_at, "2026-11-23T08:00:00Z".parse().unwrap());
    assert_eq!(events[1].envelope.recorded_at, "2026-11-23T08:00:03Z".parse().unwrap());
    assert_eq!(events[1].envelope.causation.as_deref(), Some(envelope.id.as_str()));
    assert_eq!(uuid::Uuid::parse_str(&envelope.id).unwrap().get_version_num(), 7);
    assert_eq!(journal.event(1).unwrap(), events[0]);
    assert_eq!(journal.event(3), Err(JournalError::NoSuchPosition { position: 3, head: 2 }));
    assert_eq!(journal.event(0), Err(JournalError::NoSuchPosition { position: 0, head: 2 }));
}

fn versions_and_positions(open: Fresh<'_>) {
    let journal = fresh(open);
    assert_eq!(journal.head(), 0);
    assert_eq!(journal.read_stream("a", 0, 10).unwrap(), []);
    journal.append(numbers("a", &[1, 2])).unwrap();
    let mut mixed = numbers("b", &[3]);
    mixed.events.extend(numbers("a", &[4]).events);
    mixed.events.extend(numbers("b", &[5]).events);
    let appended = journal.append(mixed).unwrap();
    let places: Vec<_> =
        appended.events.iter().map(|e| (e.position, e.stream.as_str(), e.stream_version)).collect();
    assert_eq!(places, [(3, "b", 1), (4, "a", 3), (5, "b", 2)]);
    assert_eq!(appended.last_position(), 5);
    assert_eq!(journal.head(), 5);
    assert_eq!(numbers_of(&journal.read_stream("a", 0, 10).unwrap()), [1, 2, 4]);
    assert_eq!(numbers_of(&whole_feed(&*journal)), [1, 2, 3, 4, 5]);
}

fn conflicts(open: Fresh<'_>) {
    let journal = fresh(open);
    let conflict = |stream: &str, expected, actual| {
        Err(JournalError::Conflict { stream: stream.to_owned(), expected, actual })
    };
    journal.append(at(numbers("a", &[1, 2]), "a", 0)).unwrap();
    assert_eq!(journal.append(at(numbers("a", &[9]), "a", 0)), conflict("a", 0, 2));
    assert_eq!(journal.append(at(numbers("a", &[9]), "a", 3)), conflict("a", 3, 2));
    // A stream that was only read counts as much as one that is written.
    assert_eq!(journal.append(at(numbers("b", &[9]), "a", 1)), conflict("a", 1, 2));
    journal.append(at(at(numbers("b", &[3]), "a", 2), "b", 0)).unwrap();
    assert_eq!(numbers_of(&whole_feed(&*journal)), [1, 2, 3]);
    assert_eq!(
        journal.append(at(numbers("a", &[9]), "a", 0)).unwrap_err().to_string(),
        "stream \"a\" stands at version 2, but this append rests on version 0. Read the stream again and decide anew."
    );
}

fn conflicts_leave_nothing(open: Fresh<'_>) {
    let journal = fresh(open);
    journal.append(numbers("a", &[1])).unwrap();
    let refused = keyed(at(numbers("b", &[7, 8, 9]), "a", 0), "key-1");
    journal.append(refused).unwrap_err();
    assert_eq!((journal.head(), journal.read_stream("b", 0, 10).unwrap().len()), (1, 0));
    // Not even its key is taken.
    let appended = journal.append(keyed(numbers("b", &[2]), "key-1")).unwrap();
    assert!(!appended.repeated);
}

fn idempotency(open: Fresh<'_>) {
    let clock = StillClock::new();
    let journal = open(clock.clone());
    let request = keyed(at(numbers("a", &[1, 2]), "a", 0), "receipt/1");
    let first = journal.append(request.clone()).unwrap();
    journal.append(numbers("a", &[3])).unwrap();
    clock.move_by(60);
    let again = journal.append(request.clone()).unwrap();
    assert!(!first.repeated && again.repeated);
    assert_eq!(first.events, again.events);
    // Even after its payload was erased.
    journal.erase_payload(1, "retention period ended").unwrap();
    assert!(journal.append(request).unwrap().repeated);
    assert_eq!(journal.head(), 3);
}

fn idempotency_refuses_other_events(open: Fresh<'_>) {
    let journal = fresh(open);
    journal.append(numbers("a", &[1])).unwrap();
    journal.append(keyed(numbers("a", &[2, 3]), "k")).unwrap();
    let reused = Err(JournalError::IdempotencyKeyReused { key: "k".to_owned(), position: 2 });
    let mut other_actor = numbers("a", &[2, 3]);
    other_actor.events[1].actor.id = "o-18".to_owned();
    let mut other_time = numbers("a", &[2, 3]);
    other_time.events[0].occurred_at = "2026-11-22T10:00:01Z".parse().unwrap();
    for other in [
        numbers("a", &[2, 4]),
        numbers("a", &[2]),
        numbers("a", &[2, 3, 4]),
        numbers("b", &[2, 3]),
        other_actor,
        other_time,
    ] {
        assert_eq!(journal.append(keyed(other, "k")), reused);
    }
    assert_eq!(journal.head(), 3);
}

fn claims(open: Fresh<'_>) {
    let journal = fresh(open);
    let claimed = |claim: &str, position| Err(JournalError::Claimed { claim: claim.to_owned(), position });
    let first = keyed(claiming(numbers("a", &[1, 2]), &["sender/1", "sender/2"]), "key");
    let answer = journal.append(first.clone()).unwrap();
    journal.append(claiming(numbers("a", &[3]), &["sender/3"])).unwrap();
    assert_eq!(journal.append(claiming(numbers("b", &[9]), &["sender/2"])), claimed("sender/2", 1));
    // All or nothing: neither the events nor the other claims of a refused append stay.
    assert_eq!(
        journal.append(claiming(numbers("b", &[9]), &["sender/4", "sender/3"])),
        claimed("sender/3", 3)
    );
    // A conflict leaves its claims free as well, and a claim is told before a conflict.
    journal.append(at(claiming(numbers("b", &[9]), &["sender/4"]), "a", 1)).unwrap_err();
    assert_eq!(
        journal.append(at(claiming(numbers("b", &[9]), &["sender/1"]), "a", 1)),
        claimed("sender/1", 1)
    );
    journal.append(claiming(numbers("b", &[4]), &["sender/4"])).unwrap();
    // The same request has its first answer; with another claim, or one of another append, it is another request.
    let again = journal.append(first.clone()).unwrap();
    assert_eq!((again.repeated, &again.events), (true, &answer.events));
    for other in ["sender/5", "sender/3"] {
        let reused = journal.append(claiming(first.clone(), &[other])).unwrap_err();
        assert_eq!(reused, JournalError::IdempotencyKeyReused { key: "key".to_owned(), position: 1 });
    }
    // Keys and claims do not stand in each other's way.
    journal.append(keyed(claiming(numbers("a", &[5]), &["key"]), "sender/1")).unwrap();
    // Erasing what claimed a name does not free it.
    journal.erase_payload(3, "retention period ended").unwrap();
    assert_eq!(journal.append(claiming(numbers("b", &[9]), &["sender/3"])), claimed("sender/3", 3));
    assert_eq!(
        journal.append(claiming(numbers("b", &[9]), &["sender/3"])).unwrap_err().to_string(),
        "\"sender/3\" was already claimed by the append at position 3: nothing of this was recorded. Look at what stands there, or use another name."
    );
    assert_eq!(journal.head(), 5);
}

fn claims_among_many(open: Fresh<'_>) {
    let journal = fresh(open);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16_u64)
            .map(|sender| {
                let journal = &*journal;
                scope.spawn(move || {
                    let send = |number: u64| {
                        let own = format!("own/{sender}/{number}");
                        let shared = format!("shared/{number}");
                        let request = numbers(&format!("s/{sender}"), &[number]);
                        let free = journal.append(claiming(request.clone(), &[own.as_str()]));
                        assert!(free.is_ok(), "{free:?}");
                        journal.append(claiming(request, &[shared.as_str()]))
                    };
                    (0..8).map(send).collect::<Vec<_>>()
                })
            })
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (8, 120));
    assert!(lost.iter().all(|answer| matches!(answer, Err(JournalError::Claimed { .. }))));
    assert_eq!(whole_feed(&*journal).len(), 16 * 8 + 8);
}

fn envelopes(open: Fresh<'_>) {
    let journal = fresh(open);
    journal.append(numbers("s", &[1, 2, 3, 4, 5])).unwrap();
    journal.erase_payload(3, "a test").unwrap();
    for (after, limit) in [(0, 10), (2, 2), (5, 10), (9, 1), (0, 0)] {
        let feed = journal.feed(after, limit).unwrap();
        let expected: Vec<_> =
            feed.iter().map(|event| event.envelope.to_canonical_bytes().unwrap()).collect();
        assert_eq!(journal.envelopes(after, limit).unwrap(), expected, "{after} {limit}");
    }
}

fn bounded_reads(open: Fresh<'_>) {
    let journal = fresh(open);
    for first in 0..3 {
        journal.append(numbers("a", &(first * 10..first * 10 + 10).collect::<Vec<_>>())).unwrap();
    }
    assert_eq!(numbers_of(&journal.feed(7, 3).unwrap()), [7, 8, 9]);
    assert_eq!(numbers_of(&journal.read_stream("a", 28, usize::MAX).unwrap()), [28, 29]);
    assert_eq!(journal.feed(30, 10).unwrap(), []);
    assert_eq!(journal.feed(u64::MAX, 10).unwrap(), []);
    assert_eq!(journal.feed(0, 0).unwrap(), []);
}

fn erasure(open: Fresh<'_>) {
    let journal = fresh(open);
    let secret = event("party/1", json!({"name": "a name that must be forgotten"}));
    journal.append(AppendRequest { events: vec![secret], ..Default::default() }).unwrap();
    journal.append(numbers("party/1", &[2])).unwrap();
    let before = journal.event(1).unwrap();
    journal.erase_payload(1, "court order 7/2026").unwrap();
    let after = journal.event(1).unwrap();
    assert_eq!(after.envelope, before.envelope);
    let erased = Payload::Erased {
        erased_at: "2026-11-23T08:00:00Z".parse().unwrap(),
        basis: "court order 7/2026".to_owned(),
    };
    assert_eq!(after.payload, erased);
    // The first basis stands.
    journal.erase_payload(1, "another ground").unwrap();
    assert_eq!(journal.event(1).unwrap().payload, erased);
    assert_eq!(journal.read_stream("party/1", 0, 10).unwrap().len(), 2);
    assert_eq!(journal.erase_payload(3, "x"), Err(JournalError::NoSuchPosition { position: 3, head: 2 }));
    assert_eq!(journal.erase_payload(0, "x"), Err(JournalError::NoSuchPosition { position: 0, head: 2 }));
    assert_eq!(journal.erase_payload(2, "  ").unwrap_err().code(), "journal_malformed");
}

fn blobs(open: Fresh<'_>) {
    let journal = fresh(open);
    let bytes: Vec<u8> = (0..700_001_u32).map(|n| n.to_le_bytes()[1]).collect();
    let reference = journal.put_blob(&mut Cursor::new(&bytes)).unwrap();
    assert_eq!(reference.bytes, 700_001);
    assert_eq!(reference, journal.put_blob(&mut Cursor::new(&bytes)).unwrap());
    assert_eq!(journal.get_blob(&reference.sha256).unwrap().read_whole(700_001).unwrap(), bytes);
    assert_eq!(
        journal.get_blob(&reference.sha256).unwrap().read_whole(700_000).unwrap_err().code(),
        "journal_too_large"
    );
    let other = journal.put_blob(&mut Cursor::new(b"to be erased".to_vec())).unwrap();
    for _ in 0..2 {
        journal.erase_blob(&other.sha256).unwrap();
        let gone = JournalError::NoSuchBlob { sha256: other.sha256.clone() };
        assert_eq!(journal.get_blob(&other.sha256).unwrap_err(), gone);
    }
    assert_eq!(journal.put_blob(&mut Cursor::new(b"to be erased".to_vec())).unwrap(), other);
    let empty = journal.put_blob(&mut Cursor::new([])).unwrap();
    assert_eq!(empty.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert!(journal.get_blob(&empty.sha256).unwrap().read_whole(0).unwrap().is_empty());
    let unknown = "0".repeat(64);
    assert_eq!(journal.get_blob(&unknown).unwrap_err(), JournalError::NoSuchBlob { sha256: unknown });
    assert_eq!(journal.get_blob("../../etc/passwd").unwrap_err().code(), "journal_malformed");
    let refused = journal.put_blob(&mut std::io::repeat(7)).unwrap_err();
    assert_eq!(refused.code(), "journal_too_large");
}

fn erased_blobs(open: Fresh<'_>) {
    let journal = fresh(open);
    let kept = journal.put_blob(&mut Cursor::new(b"a bill of lading")).unwrap();
    let other = journal.put_blob(&mut Cursor::new(b"an invoice")).unwrap();
    for _ in 0..2 {
        journal.erase_blob(&kept.sha256).unwrap();
        assert_eq!(journal.get_blob(&kept.sha256).err().unwrap().code(), "no_such_blob");
    }
    assert_eq!(journal.get_blob(&other.sha256).unwrap().read_whole(99).unwrap(), b"an invoice");
    // Whoever brings the bytes again has them kept again.
    assert_eq!(journal.put_blob(&mut Cursor::new(b"a bill of lading")).unwrap(), kept);
    assert!(journal.get_blob(&kept.sha256).is_ok());
}

fn refusals(open: Fresh<'_>) {
    let journal = fresh(open);
    let one = |change: fn(&mut journal::NewEvent)| {
        let mut request = numbers("a", &[1]);
        change(&mut request.events[0]);
        request
    };
    let nested = (0..64).fold(Value::Null, |inner, _| json!([inner]));
    let mut too_deep = numbers("a", &[1]);
    too_deep.events[0].payload = nested;
    let cases = [
        (AppendRequest::default(), "journal_malformed"),
        (one(|e| e.stream = String::new()), "journal_malformed"),
        (one(|e| e.stream = "two words".into()), "journal_malformed"),
        (one(|e| e.stream = "x".repeat(201)), "journal_too_large"),
        (one(|e| e.kind = "happened".into()), "journal_malformed"),
        (one(|e| e.kind = "Batch.Admitted".into()), "journal_malformed"),
        (one(|e| e.kind_version = 0), "journal_malformed"),
        (one(|e| e.actor.id = "a\u{0}b".into()), "journal_malformed"),
        (one(|e| e.causation = Some("yesterday".into())), "journal_malformed"),
        (one(|e| e.payload = json!(9_007_199_254_740_993_u64)), "journal_malformed"),
        (one(|e| e.payload = json!([[-9_007_199_254_740_993_i64]])), "journal_malformed"),
        (one(|e| e.payload = json!("x".repeat(1024 * 1024))), "journal_too_large"),
        (too_deep, "journal_too_large"),
        (numbers("a", &[0; 10_001]), "journal_too_large"),
        (keyed(numbers("a", &[1]), ""), "journal_malformed"),
        (keyed(numbers("a", &[1]), &"k".repeat(201)), "journal_too_large"),
        (at(at(numbers("a", &[1]), "a", 0), "a", 1), "journal_malformed"),
        (claiming(numbers("a", &[1]), &[""]), "journal_malformed"),
        (claiming(numbers("a", &[1]), &["two words"]), "journal_malformed"),
        (claiming(numbers("a", &[1]), &["x", "y", "x"]), "journal_malformed"),
        (claiming(numbers("a", &[1]), &["c".repeat(201).as_str()]), "journal_too_large"),
        (claiming(numbers("a", &[1]), &["c"; 10_001]), "journal_too_large"),
    ];
    for (request, code) in cases {
        let refused = journal.append(request.clone()).unwrap_err();
        assert_eq!(refused.code(), code, "{refused} for {request:?}");
    }
    assert_eq!(journal.head(), 0);
    // The largest that fits does fit, and reads back.
    let mut largest = numbers("a", &[1]);
    largest.events[0].payload = json!("x".repeat(1024 * 1024 - 2));
    let deepest = (0..63).fold(Value::Null, |inner, _| json!([inner]));
    largest.events.push(event("a", deepest));
    journal.append(largest).unwrap();
    assert_eq!(whole_feed(&*journal).len(), 2);
}

fn waiting(open: Fresh<'_>) {
    let journal = fresh(open);
    assert_eq!(journal.wait_for(1, Duration::from_millis(20)), 0);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| journal.wait_for(2, Duration::from_secs(30)));
        journal.append(numbers("a", &[1])).unwrap();
        journal.append(numbers("a", &[2])).unwrap();
        assert!(waiter.join().unwrap() >= 2);
    });
    assert_eq!(journal.wait_for(1, Duration::ZERO), 2);
}

fn leases(open: Fresh<'_>) {
    let journal = fresh(open);
    let hour = Duration::from_secs(3_600);
    let first = journal.take_lease("log", "process-1", hour).unwrap();
    assert_eq!((first.name.as_str(), first.holder.as_str(), first.epoch), ("log", "process-1", 1));
    // Another one learns who has it; renewed, it is the same lease; another lease is another matter.
    assert_eq!(journal.take_lease("log", "process-2", hour).unwrap(), first);
    assert_eq!(journal.take_lease("log", "process-1", hour).unwrap().fence(), first.fence());
    assert_eq!(journal.take_lease("timers", "process-2", hour).unwrap().holder, "process-2");
    journal.append_as_holder(numbers("a", &[1]), &first.fence()).unwrap();
    journal.give_back_lease(&first).unwrap();
    let second = journal.take_lease("log", "process-2", hour).unwrap();
    assert_eq!((second.holder.as_str(), second.epoch), ("process-2", 2));
    let lost = Err(JournalError::LeaseLost { lease: "log".into(), holder: "process-2".into(), epoch: 2 });
    assert_eq!(journal.append_as_holder(numbers("a", &[9]), &first.fence()), lost);
    journal.give_back_lease(&first).unwrap();
    assert_eq!(journal.take_lease("log", "process-1", hour).unwrap().fence(), second.fence());
    journal.append_as_holder(numbers("a", &[2]), &second.fence()).unwrap();
    // A lease that was never taken is nobody's.
    let unknown = journal::Fence { lease: "tides".into(), ..second.fence() };
    let nobody = Err(JournalError::LeaseLost { lease: "tides".into(), holder: "nobody".into(), epoch: 0 });
    assert_eq!(journal.append_as_holder(numbers("a", &[9]), &unknown), nobody);
    assert_eq!(numbers_of(&whole_feed(&*journal)), [1, 2]);
    for (name, holder, time) in
        [("two words", "p", hour), ("log", "", hour), ("log", "p", Duration::ZERO), ("log", "p", 2 * hour)]
    {
        assert_eq!(journal.take_lease(name, holder, time).unwrap_err().code(), "journal_malformed");
    }
}
