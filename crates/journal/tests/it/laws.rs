//! Laws over arbitrary histories, against a model that is a plain list.

use std::collections::BTreeMap;

use journal::{Journal, JournalError};
use proptest::prelude::*;
use serde_json::json;

use crate::postgres_server;
use crate::support::{at, claiming, event, keyed, number_of, open, whole_feed};

/// One step of a history: which streams get an event, whether the expectation is off, whether a key is used.
#[derive(Debug, Clone)]
struct Step {
    streams: Vec<u8>,
    off_by: u64,
    key: Option<u8>,
    claim: Option<u8>,
    reopen: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let streams = prop::collection::vec(0_u8..4, 1..6);
    let off_by = prop_oneof![4 => Just(0_u64), 1 => 1_u64..3];
    (streams, off_by, prop::option::of(0_u8..3), prop::option::of(0_u8..8), prop::bool::weighted(0.1))
        .prop_map(|(streams, off_by, key, claim, reopen)| Step { streams, off_by, key, claim, reopen })
}

fn stream_name(stream: u8) -> String {
    format!("stream/{stream}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_is_an_append_only_list(steps in prop::collection::vec(step(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        check_history(&steps, &|| Box::new(open(folder.path())))?;
    }
}

#[test]
fn a_journal_in_postgres_is_an_append_only_list() {
    let Some(server) = postgres_server::running("a_journal_in_postgres_is_an_append_only_list") else {
        return;
    };
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 1..25))| {
        let url = server.database();
        check_history(&steps, &|| Box::new(crate::support::open_postgres(&url)))?;
    });
}

fn check_history(steps: &[Step], open: &dyn Fn() -> Box<dyn Journal>) -> Result<(), TestCaseError> {
    let mut journal = open();
    // The model: (stream, number) in order, and which numbers a key was used for.
    let mut model: Vec<(String, u64)> = Vec::new();
    let mut keys: BTreeMap<u8, Vec<(String, u64)>> = BTreeMap::new();
    let mut claims: BTreeMap<u8, u64> = BTreeMap::new();
    let mut seen = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        if step.reopen {
            drop(journal);
            journal = open();
        }
        let number = u64::try_from(number).unwrap();
        let events: Vec<_> = step.streams.iter().map(|stream| (stream_name(*stream), number)).collect();
        let mut request = journal::AppendRequest {
            events: events.iter().map(|(stream, n)| event(stream, json!({"number": n}))).collect(),
            ..Default::default()
        };
        let version =
            |stream: &str| u64::try_from(model.iter().filter(|(s, _)| s == stream).count()).unwrap();
        for (stream, _) in &events {
            request = at(request, stream, version(stream) + step.off_by);
        }
        if let Some(key) = step.key {
            request = keyed(request, &format!("key/{key}"));
        }
        if let Some(claim) = step.claim {
            request = claiming(request, &[format!("claim/{claim}").as_str()]);
        }
        let claimed_at = step.claim.and_then(|claim| claims.get(&claim)).copied();
        let key_is_taken = step.key.is_some_and(|key| keys.contains_key(&key));
        match journal.append(request) {
            Ok(appended) => {
                prop_assert!(!key_is_taken && step.off_by == 0 && !appended.repeated);
                prop_assert_eq!(claimed_at, None);
                if let Some(claim) = step.claim {
                    claims.insert(claim, appended.events[0].position);
                }
                for (place, (stream, _)) in appended.events.iter().zip(&events) {
                    prop_assert_eq!(place.stream_version, {
                        model.push((stream.clone(), number));
                        u64::try_from(model.iter().filter(|(s, _)| s == stream).count()).unwrap()
                    });
                    prop_assert_eq!(place.position, u64::try_from(model.len()).unwrap());
                }
                if let Some(key) = step.key {
                    keys.insert(key, events);
                }
            }
            Err(JournalError::IdempotencyKeyReused { .. }) => prop_assert!(key_is_taken),
            Err(JournalError::Claimed { position, .. }) => {
                prop_assert!(!key_is_taken);
                prop_assert_eq!(Some(position), claimed_at);
            }
            Err(JournalError::Conflict { expected, actual, .. }) => {
                prop_assert!(!key_is_taken && claimed_at.is_none());
                prop_assert_eq!(expected, actual + step.off_by);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
        // What was once read never changes: the feed only grows at its end.
        let feed = whole_feed(&*journal);
        prop_assert_eq!(&feed[..seen.len()], &seen[..]);
        seen = feed;
    }
    let read: Vec<_> = seen.iter().map(|e| (e.envelope.stream.clone(), number_of(e))).collect();
    prop_assert_eq!(&read, &model);
    // The feed is all streams, merged by position.
    let mut merged: Vec<_> =
        (0..4).flat_map(|stream| journal.read_stream(&stream_name(stream), 0, 10_000).unwrap()).collect();
    merged.sort_by_key(|event| event.position);
    prop_assert_eq!(merged, seen);
    Ok(())
}
