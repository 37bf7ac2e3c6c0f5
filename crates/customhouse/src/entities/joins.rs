//! The merges that stand, followed event by event, for engines that keep state of their own.

use std::collections::{BTreeMap, BTreeSet};

use ::tags::entities::Groups;
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Followed {
    /// Nothing.
    Same,
    /// Two more are one, or two fewer. These are all whose groups may be others now, in order.
    Changed(Vec<String>),
    /// Two more are one, and there is no room to keep it.
    LeftOut,
}

/// Merges that stand, by the id of their decision, and who is one by them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Joins {
    standing: BTreeMap<String, Join>,
    /// Ids of the decisions that join an entity to others.
    of_entity: BTreeMap<String, BTreeSet<String>>,
    groups: Groups,
}

impl Joins {
    /// Follows an event. Those of other streams change nothing, nor does what cannot be read.
    pub(crate) fn follow(&mut self, event: &RecordedEvent) -> Followed {
        let Some(id) = event.envelope.stream.strip_prefix(DECISION_PREFIX) else { return Followed::Same };
        let Some(decided) = event.payload.value().and_then(|payload| Decided::deserialize(payload).ok())
        else {
            return Followed::Same;
        };
        let before = self.standing.get(id).map(|own| own.state);
        let Some(state) = DecisionState::after(before, &event.envelope.kind) else { return Followed::Same };
        if state.joins() {
            return self.insert(id.to_owned(), Join { one: decided.entity, other: decided.into, state });
        }
        match self.remove(id) {
            touched if touched.is_empty() => Followed::Same,
            touched => Followed::Changed(touched),
        }
    }

    /// Takes in a merge.
    pub(crate) fn insert(&mut self, id: String, join: Join) -> Followed {
        let before = self.standing.get(&id);
        if before.is_none() && self.standing.len() >= JOINS_MAX {
            return Followed::LeftOut;
        }
        let same = |own: &Join| (&own.one, &own.other) == (&join.one, &join.other);
        if before.is_some_and(same) {
            self.standing.insert(id, join);
            return Followed::Same;
        }
        let mut touched = self.remove(&id);
        self.groups.join(&join.one, &join.other);
        touched.extend(self.groups.members(&join.one));
        for entity in [&join.one, &join.other] {
            self.of_entity.entry(entity.clone()).or_default().insert(id.clone());
        }
        self.standing.insert(id, join);
        touched.sort_unstable();
        touched.dedup();
        Followed::Changed(touched)
    }

    /// A merge stands no more. Answers with everybody who was one by it.
    fn remove(&mut self, id: &str) -> Vec<String> {
        let Some(join) = self.standing.remove(id) else { return Vec::new() };
        for entity in [&join.one, &join.other] {
            if let Some(own) = self.of_entity.get_mut(entity) {
                own.remove(id);
                if own.is_empty() {
                    self.of_entity.remove(entity);
                }
            }
        }
        let touched = self.groups.dissolve(&join.one);
        for decision in touched.iter().filter_map(|entity| self.of_entity.get(entity)).flatten() {
            if let Some(own) = self.standing.get(decision) {
                self.groups.join(&own.one, &own.other);
            }
        }
        touched
    }

    /// How many stand.
    pub(crate) fn len(&self) -> usize {
        self.standing.len()
    }

    /// Each with the id of its decision, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Join)> {
        self.standing.iter().map(|(id, join)| (id.as_str(), join))
    }

    /// Who is one by them.
    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }
}

#[cfg(test)]
mod tests {
    use ::tags::entities::groups;

    use super::*;

    #[test]
    fn groups_are_those_of_the_merges_that_stand_and_whoever_changes_is_told() {
        let mut joins = Joins::default();
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |bound: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % bound
        };
        for step in 0..3_000 {
            let before = joins.groups().clone();
            let id = format!("d-{}", below(12));
            let touched = if joins.standing.contains_key(&id) {
                joins.remove(&id)
            } else {
                let (one, other) = (format!("P{}", below(9)), format!("P{}", below(9)));
                match joins.insert(id, Join { one, other, state: DecisionState::Merged }) {
                    Followed::Changed(touched) => touched,
                    other => panic!("step {step}: {other:?}"),
                }
            };
            let standing = joins.iter().map(|(_, own)| (own.one.as_str(), own.other.as_str()));
            assert_eq!(joins.groups(), &groups(standing), "step {step}");
            for party in (0..9).map(|at| format!("P{at}")).filter(|own| !touched.contains(own)) {
                assert_eq!(joins.groups().members(&party), before.members(&party), "step {step}");
            }
        }
    }
}
