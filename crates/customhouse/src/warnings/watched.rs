//! Combinations of tags that the office watches: each is a series like that of a tag.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use journal::{Journal, RecordedEvent};
use serde::{Deserialize, Serialize};
use spine::Sensitivity;

use super::event::{WATCH_BEGUN, WATCH_ENDED, WATCH_STREAM, WatchBegun, WatchEnded};
use crate::error::Error;
use crate::tags::Compiled;
use crate::tags::Condition;

/// Combinations remembered, with those that are watched no more; of more, these go first.
const REMEMBERED_MAX: usize = 1_000;
/// Events of the stream read at once.
const EVENTS_AT_ONCE: usize = 1_000;

/// One of them, as the journal tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Combination {
    pub(super) begun: WatchBegun,
    pub(super) by: String,
    pub(super) at: Timestamp,
    pub(super) position: u64,
    /// Is it watched no more?
    pub(super) ended: bool,
    #[serde(skip)]
    condition: Option<Condition>,
}

/// All of them, by id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Combinations(BTreeMap<String, Combination>);

/// What an event did to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Followed {
    /// Nothing that was not known.
    Nothing,
    /// One is watched that was not known.
    Begun,
    /// One is watched no more.
    Ended(String),
}

impl Combination {
    /// Reads the condition, which is not kept.
    fn indexed(mut self) -> Self {
        self.condition = Condition::of(&self.begun.condition, &self.begun.tags).ok();
        self
    }

    pub(super) fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }

    /// As secret as the most secret of its tags, today or when it began.
    pub(super) fn sensitivity(&self, compiled: &Compiled) -> Sensitivity {
        let tags = self.begun.tags.iter();
        let known = tags.filter_map(|tag| compiled.visible(Sensitivity::Sealed, tag));
        known.map(|tag| tag.sensitivity).fold(self.begun.sensitivity, Sensitivity::max)
    }
}

impl Combinations {
    /// As the journal tells, with the version of their stream.
    ///
    /// # Errors
    /// `event_unreadable`, what the journal says.
    pub(super) fn read(journal: &dyn Journal) -> Result<(Self, u64), Error> {
        let (mut all, mut version) = (Self::default(), 0);
        loop {
            let events = journal.read_stream(WATCH_STREAM, version, EVENTS_AT_ONCE)?;
            let Some(last) = events.last() else { return Ok((all, version)) };
            version = last.envelope.stream_version;
            for event in &events {
                all.follow(event)?;
            }
        }
    }

    pub(super) fn indexed(self) -> Self {
        Self(self.0.into_iter().map(|(id, own)| (id, own.indexed())).collect())
    }

    /// Follows one event of the stream. What a combination was is gone with an erased payload: it is watched no more.
    ///
    /// # Errors
    /// `event_unreadable`.
    pub(super) fn follow(&mut self, event: &RecordedEvent) -> Result<Followed, Error> {
        let Some(payload) = event.payload.value() else { return Ok(Followed::Nothing) };
        let unreadable = |error: serde_json::Error| Error::unreadable_event(event, &error);
        match event.envelope.kind.as_str() {
            WATCH_BEGUN => {
                let begun = WatchBegun::deserialize(payload).map_err(unreadable)?;
                if self.0.contains_key(&begun.watch) {
                    return Ok(Followed::Nothing);
                }
                let (by, at) = (event.envelope.actor.id.clone(), event.envelope.occurred_at);
                let own =
                    Combination { begun, by, at, position: event.position, ended: false, condition: None };
                self.0.insert(own.begun.watch.clone(), own.indexed());
                self.forget_oldest();
                Ok(Followed::Begun)
            }
            WATCH_ENDED => {
                let ended = WatchEnded::deserialize(payload).map_err(unreadable)?;
                let Some(own) = self.0.get_mut(&ended.watch) else { return Ok(Followed::Nothing) };
                own.ended = true;
                Ok(Followed::Ended(ended.watch))
            }
            _ => Ok(Followed::Nothing),
        }
    }

    fn forget_oldest(&mut self) {
        while self.0.len() > REMEMBERED_MAX {
            let ended = self.0.iter().filter(|(_, own)| own.ended);
            let oldest = ended.min_by_key(|(_, own)| own.position).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { return };
            self.0.remove(&oldest);
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Combination> {
        self.0.get(id)
    }

    /// All of them, also those that are watched no more.
    pub(super) fn all(&self) -> impl Iterator<Item = &Combination> {
        self.0.values()
    }

    /// Those that are watched.
    pub(super) fn watched(&self) -> impl Iterator<Item = &Combination> {
        self.0.values().filter(|own| !own.ended)
    }

    /// Those that are watched and hold of a declaration that carries some tags.
    pub(super) fn that_hold<'a>(&'a self, carried: &BTreeSet<&str>) -> impl Iterator<Item = &'a Combination> {
        self.watched().filter(|own| {
            own.condition.as_ref().is_some_and(|condition| condition.holds(|tag| carried.contains(tag)))
        })
    }
}
