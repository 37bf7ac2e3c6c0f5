//! Groups laid over the matrix of entities: one that stands for all that are one with it carries what any of them does.
//! The matrix below keeps what each carries by itself, so that a split brings it back.

use std::collections::BTreeMap;

use ::tags::entities::Groups;
use ::tags::matrix::{Change, Matrix, MatrixError};
use roaring::RoaringBitmap;

/// Who stands for whom, by numbers of entities.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Grouped {
    stands_for: BTreeMap<u32, u32>,
    members: BTreeMap<u32, Vec<u32>>,
    within: RoaringBitmap,
}

impl Grouped {
    /// Of each group those that have a number; the first of them in the order of their ids stands for all.
    pub(super) fn of(groups: &Groups, number: impl Fn(&str) -> Option<u32>) -> Self {
        let mut by_leader: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (id, leader) in groups.iter() {
            by_leader.entry(leader).or_default().extend(number(id));
        }
        let mut made = Self::default();
        for numbers in by_leader.into_values().filter(|numbers| numbers.len() > 1) {
            let Some(first) = numbers.first().copied() else { continue };
            made.stands_for.extend(numbers.iter().map(|own| (*own, first)));
            made.within.extend(numbers.iter().skip(1));
            made.members.insert(first, numbers);
        }
        made
    }

    /// Is everybody alone?
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Who stands for an entity; itself where it is alone.
    pub(crate) fn standing_for(&self, entity: u32) -> u32 {
        self.stands_for.get(&entity).copied().unwrap_or(entity)
    }

    /// Everybody whom an entity stands for, itself first; nobody where it is alone, or another stands for it.
    pub(crate) fn members(&self, entity: u32) -> &[u32] {
        self.members.get(&entity).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those for whom another stands: they are not counted.
    pub(crate) fn within(&self) -> &RoaringBitmap {
        &self.within
    }

    /// The matrix in which each group is one.
    pub(super) fn over(&self, own: &Matrix, tags: usize) -> Result<Matrix, MatrixError> {
        let mut changes = Vec::new();
        for (first, members) in &self.members {
            for member in members.iter().skip(1) {
                for tag in own.tags_of(*member) {
                    changes.push(Change { tag: *tag, entity: *member, carried: false });
                    changes.push(Change { tag: *tag, entity: *first, carried: true });
                }
            }
        }
        own.changed(own.entities(), tags, &changes)
    }

    /// Tags that members gain, as their group gains them.
    pub(super) fn gained(&self, changes: &[Change]) -> Vec<Change> {
        let of_group = |own: &Change| Change { entity: self.standing_for(own.entity), ..*own };
        changes.iter().map(of_group).collect()
    }
}
