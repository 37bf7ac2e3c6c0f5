//! Among whom an entity is compared: it belongs to the group that most of its entries of a window are of.

use std::collections::HashMap;

use ::pool::lanes::LaneValues;
use ::tags::FieldPart;
use ::tags::buckets::GROUPS_MAX;
use spine::Finding;

use super::numbers::{ABSENT, Name, Numbers};

/// Pairs of entity and group that are counted at most, in all groupings together.
const PAIRS_MAX: usize = 1 << 28;

/// How many entries each entity has of each group, while entries come.
#[derive(Debug)]
pub(super) struct Counted {
    parts: Vec<(FieldPart, Numbers)>,
    /// Of every part but the first, pairs of what stands before it and its own value.
    pairs: Vec<Numbers>,
    entries: HashMap<(u32, u32), u32>,
}

/// The group of each entity.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// By entity.
    pub(super) of: Vec<Option<u16>>,
    pub(super) count: u16,
}

impl Counted {
    pub(super) fn new(by: &[FieldPart]) -> Self {
        let parts: Vec<_> = by.iter().map(|part| (part.clone(), Numbers::default())).collect();
        let pairs = parts.iter().skip(1).map(|_| Numbers::default()).collect();
        Self { parts, pairs, entries: HashMap::new() }
    }

    /// The group of each row.
    pub(super) fn groups<'a>(&mut self, lane_of: impl Fn(&FieldPart) -> Option<&'a LaneValues>) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for (at, (part, numbers)) in self.parts.iter_mut().enumerate() {
            let own = lane_of(part).map(|lane| numbers.of(lane, part)).unwrap_or_default();
            match at.checked_sub(1).and_then(|before| self.pairs.get_mut(before)) {
                None => found = own,
                Some(pairs) => {
                    for (group, value) in found.iter_mut().zip(own) {
                        *group = pairs.of_pair(*group, value);
                    }
                }
            }
        }
        found
    }

    /// An entry of an entity is of a group.
    ///
    /// # Errors
    /// Too many pairs of them.
    pub(super) fn add(&mut self, entity: u32, group: u32) -> Result<(), Finding> {
        if group == ABSENT {
            return Ok(());
        }
        let count = self.entries.entry((entity, group)).or_default();
        *count = count.saturating_add(1);
        if self.entries.len() > PAIRS_MAX {
            return Err(Finding::error("peers_too_many")
                .expected(format!("at most {PAIRS_MAX} pairs of entity and group"))
                .fix("Take wider groups, such as commodity_code[:2], or fewer entries."));
        }
        Ok(())
    }

    /// The group of most of each entity's entries; of several with as many, the first in the order of their values. So
    /// it does not matter in what order entries came.
    ///
    /// # Errors
    /// Too many groups.
    pub(super) fn chosen(&self, entities: u32) -> Result<Groups, Finding> {
        let order = self.order();
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let rank = |group: u32| order.get(place(group)).copied().unwrap_or(u32::MAX);
        let mut best: Vec<Option<(u32, u32)>> = vec![None; place(entities)];
        for ((entity, group), count) in &self.entries {
            let Some(own) = best.get_mut(place(*entity)) else { continue };
            // More entries first, then the smaller rank.
            let better =
                own.is_none_or(|(most, first)| *count > most || (*count == most && rank(*group) < first));
            if better {
                *own = Some((*count, rank(*group)));
            }
        }
        let mut numbers: Vec<u32> = best.iter().flatten().map(|(_, rank)| *rank).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let count = u16::try_from(numbers.len()).ok().filter(|count| *count <= GROUPS_MAX);
        let count = count.ok_or_else(|| {
            Finding::error("peers_too_many")
                .found(&format!("{} groups", numbers.len()))
                .expected(format!("at most {GROUPS_MAX} groups"))
                .fix("Take wider groups, such as commodity_code[:2].")
        })?;
        let number = |(_, rank): (u32, u32)| {
            numbers.binary_search(&rank).ok().and_then(|number| u16::try_from(number).ok())
        };
        Ok(Groups { of: best.into_iter().map(|best| best.and_then(number)).collect(), count })
    }

    /// Of each group its place in the order of the groups' values.
    fn order(&self) -> Vec<u32> {
        let mut keys: Vec<Vec<Name>> = match self.parts.first() {
            Some((_, first)) => first.names().into_iter().map(|name| vec![name]).collect(),
            None => Vec::new(),
        };
        for ((_, part), pairs) in self.parts.iter().skip(1).zip(&self.pairs) {
            let names = part.names();
            let of_pair = |pair: Name| {
                let (before, own) = halves(&pair);
                let mut key = keys.get(before).cloned().unwrap_or_default();
                key.extend(names.get(own).cloned());
                key
            };
            keys = pairs.names().into_iter().map(of_pair).collect();
        }
        let mut sorted: Vec<usize> = (0..keys.len()).collect();
        sorted.sort_by_key(|group| keys.get(*group));
        let mut order = vec![u32::MAX; keys.len()];
        for (rank, group) in (0_u32..).zip(sorted) {
            if let Some(own) = order.get_mut(group) {
                *own = rank;
            }
        }
        order
    }
}

/// What [`Numbers::of_pair`] put together.
fn halves(pair: &Name) -> (usize, usize) {
    let Name::Whole(pair) = pair else { return (usize::MAX, usize::MAX) };
    let half = |word: u64| usize::try_from(word & u64::from(u32::MAX)).unwrap_or(usize::MAX);
    (half(pair.cast_unsigned() >> 32), half(pair.cast_unsigned()))
}
