//! The merges that stand, followed event by event, for engines that keep state of their own.

use std::collections::BTreeMap;

use ::tags::entities::{Groups, groups};
use journal::RecordedEvent;
use serde::Deserialize;

use super::event::{DECISION_PREFIX, Decided, DecisionState};

/// Merges kept at most.
const JOINS_MAX: usize = 1_000_000;

/// Two entities that are one, by the decision that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) one: String,
    pub(crate) other: String,
    pub(crate) state: DecisionState,
}

/// What an event does to the merges that stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// Nothing.
    Same,
    /// Two more are one, or two fewer.
    Changed,
    /// Two more are one, and there is no room to keep it.
    LeftOut,
}

/// Merges that stand, by the id of their decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Joins(BTreeMap<String, Join>);

impl Joins {
    /// Follows an event. Those of other streams change nothing, nor does what cannot be read.
    pub(crate) fn follow(&mut self, event: &RecordedEvent) -> Followed {
        let Some(id) = event.envelope.stream.strip_prefix(DECISION_PREFIX) else { return Followed::Same };
        let Some(decided) = event.payload.value().and_then(|payload| Decided::deserialize(payload).ok())
        else {
            return Followed::Same;
        };
        let before = self.0.get(id).map(|own| own.state);
        let Some(state) = DecisionState::after(before, &event.envelope.kind) else { return Followed::Same };
        if !state.joins() {
            return if self.0.remove(id).is_some() { Followed::Changed } else { Followed::Same };
        }
        self.insert(id.to_owned(), Join { one: decided.entity, other: decided.into, state })
    }

    /// Takes in a merge.
    pub(crate) fn insert(&mut self, id: String, join: Join) -> Followed {
        if self.0.len() >= JOINS_MAX && !self.0.contains_key(&id) {
            return Followed::LeftOut;
        }
        let pair = (join.one.clone(), join.other.clone());
        let before = self.0.insert(id, join).map(|own| (own.one, own.other));
        if before == Some(pair) { Followed::Same } else { Followed::Changed }
    }

    /// How many stand.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each with the id of its decision, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Join)> {
        self.0.iter().map(|(id, join)| (id.as_str(), join))
    }

    /// Who is one by them.
    pub(crate) fn groups(&self) -> Groups {
        groups(self.0.values().map(|own| (own.one.as_str(), own.other.as_str())))
    }
}
