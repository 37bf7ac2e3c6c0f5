//! The events that the read model read last, for an engine that follows the journal too: reading an event decodes it and
//! checks its commitment, which need not be done twice.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use journal::RecordedEvent;

/// Events kept at most.
const EVENTS_MAX: usize = 2_000;

/// Some events in their order.
pub(crate) type Batch = Arc<Vec<RecordedEvent>>;

/// What was read last.
#[derive(Default)]
pub(crate) struct Recent {
    kept: Mutex<VecDeque<Batch>>,
    more: Condvar,
}

impl Recent {
    /// Keeps what was read, and lets go of the oldest. More than can be kept is not kept at all: whoever is so far
    /// behind reads for himself.
    pub(super) fn keep(&self, events: &Batch) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() > EVENTS_MAX {
            kept.clear();
            return;
        }
        kept.push_back(Arc::clone(events));
        let mut all: usize = kept.iter().map(|batch| batch.len()).sum();
        while all > EVENTS_MAX {
            all = all.saturating_sub(kept.pop_front().map_or(all, |batch| batch.len()));
        }
        drop(kept);
        self.more.notify_all();
    }

    /// The events among which the one after a position is; waits for them, for at most `patience`.
    pub(crate) fn after(&self, position: u64, patience: Duration) -> Option<Batch> {
        let wanted = position.saturating_add(1);
        let has = |batch: &&Batch| {
            let ends = |event: Option<&RecordedEvent>| event.map_or(0, |event| event.position);
            (ends(batch.first())..=ends(batch.last())).contains(&wanted)
        };
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |kept: &mut VecDeque<Batch>| !kept.iter().any(|batch| has(&batch));
        let waited = self.more.wait_timeout_while(kept, patience, missing);
        let (kept, _) = waited.unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(has).cloned()
    }
}

#[cfg(test)]
mod tests {
    use journal::{AppendRequest, Journal, NewEvent, SqliteJournal, SqliteOptions};
    use spine::Actor;

    use super::*;

    fn events(journal: &dyn Journal, number: usize) {
        let event = || NewEvent {
            stream: "thing/1".to_owned(),
            kind: "thing.seen".to_owned(),
            kind_version: 1,
            occurred_at: jiff::Timestamp::UNIX_EPOCH,
            actor: Actor::system(),
            causation: None,
            payload: serde_json::json!({}),
        };
        let events = (0..number).map(|_| event()).collect();
        journal.append(AppendRequest { events, ..AppendRequest::default() }).unwrap();
    }

    #[test]
    fn what_was_read_is_found_by_every_position_in_it_until_it_is_too_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let journal = SqliteJournal::open(&SqliteOptions::new(&path, "n", "a")).unwrap();
        for _ in 0..3 {
            events(&journal, 1_000);
        }
        let batch = |after: u64, limit: usize| Arc::new(journal.feed(after, limit).unwrap());
        let recent = Recent::default();
        let first = |position| {
            let found = recent.after(position, Duration::ZERO)?;
            found.first().map(|event| event.position)
        };
        recent.keep(&batch(0, 900));
        recent.keep(&batch(900, 900));
        for (position, expected) in
            [(0, Some(1)), (899, Some(1)), (900, Some(901)), (1_799, Some(901)), (1_800, None)]
        {
            assert_eq!(first(position), expected, "after {position}");
        }
        recent.keep(&batch(1_800, 1_000));
        assert_eq!((first(0), first(900), first(1_800)), (None, Some(901), Some(1_801)));
        recent.keep(&batch(0, EVENTS_MAX + 1));
        assert_eq!((first(0), first(1_800)), (None, None), "too many to keep");
    }
}
