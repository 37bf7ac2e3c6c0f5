//! Who is one, by what people decided.

use std::collections::BTreeMap;

/// Groups of ids that are one party. An id that was never merged is in no group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    leader: BTreeMap<String, String>,
    members: BTreeMap<String, Vec<String>>,
}

impl Groups {
    /// The first id of the group that this one is in.
    #[must_use]
    pub fn leader<'a>(&'a self, id: &'a str) -> &'a str {
        self.leader.get(id).map_or(id, String::as_str)
    }

    /// Everybody who is one with this id, itself among them, in order.
    #[must_use]
    pub fn members(&self, id: &str) -> Vec<String> {
        self.members.get(self.leader(id)).cloned().unwrap_or_else(|| vec![id.to_owned()])
    }

    /// These two are one from now on, and everybody who is one with either.
    pub fn join(&mut self, one: &str, other: &str) {
        let mut all = self.members(one);
        all.extend(self.members(other));
        all.sort_unstable();
        all.dedup();
        for id in [one, other] {
            let leader = self.leader(id).to_owned();
            self.members.remove(&leader);
        }
        if let Some(first) = all.first().filter(|_| all.len() > 1).cloned() {
            self.leader.extend(all.iter().map(|id| (id.clone(), first.clone())));
            self.members.insert(first, all);
        }
    }

    /// Everybody who is one with this id is alone from now on; answers with who they are.
    pub fn dissolve(&mut self, id: &str) -> Vec<String> {
        let all = self.members(id);
        if let Some(first) = all.first() {
            self.members.remove(first);
        }
        all.iter().for_each(|id| drop(self.leader.remove(id)));
        all
    }

    /// Each id in a group with the first of its group, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.leader.iter().map(|(id, leader)| (id.as_str(), leader.as_str()))
    }
}

/// Groups of the merges that stand: whoever is joined over any number of steps is one. The order does not matter.
#[must_use]
pub fn groups<'a>(merges: impl IntoIterator<Item = (&'a str, &'a str)>) -> Groups {
    let mut parent: BTreeMap<&str, &str> = BTreeMap::new();
    for (one, other) in merges {
        let (one, other) = (root(&mut parent, one), root(&mut parent, other));
        // The first in order leads, so that the order of merges leaves no trace.
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        parent.insert(second, first);
        parent.insert(first, first);
    }
    let ids: Vec<&str> = parent.keys().copied().collect();
    let mut made = Groups::default();
    for id in ids {
        let leader = root(&mut parent, id);
        made.members.entry(leader.to_owned()).or_default().push(id.to_owned());
        made.leader.insert(id.to_owned(), leader.to_owned());
    }
    made.members.retain(|_, members| members.len() > 1);
    let (leader, members) = (std::mem::take(&mut made.leader), made.members);
    let leader = leader.into_iter().filter(|(_, leader)| members.contains_key(leader)).collect();
    Groups { leader, members }
}

/// Who leads the group of an id so far; ways are shortened as they are walked.
fn root<'a>(parent: &mut BTreeMap<&'a str, &'a str>, id: &'a str) -> &'a str {
    let mut at = id;
    while let Some(next) = parent.get(at).copied().filter(|next| *next != at) {
        let beyond = parent.get(next).copied().unwrap_or(next);
        parent.insert(at, beyond);
        at = beyond;
    }
    at
}
