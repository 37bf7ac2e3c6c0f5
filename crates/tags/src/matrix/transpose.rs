//! For every entity its tags, in shards of 65,536 entities.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::Change;

/// Entities of a shard.
const SHARD: usize = 1 << 16;

/// All shards, in the order of their entities.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Transpose {
    pub(super) shards: Vec<Arc<Shard>>,
}

/// The tags of up to 65,536 entities.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shard {
    /// Where the tags of each entity begin; behind the last, where its end.
    pub(super) starts: Vec<u32>,
    pub(super) tags: Vec<u16>,
}

impl Transpose {
    /// The other direction of the entities of tags.
    pub(super) fn of(entities: u32, tags: &[Arc<RoaringBitmap>]) -> Self {
        // Within a shard everything that is written stays near the processor.
        let mut within: Vec<_> = tags.iter().map(|entities| entities.iter().peekable()).collect();
        let mut pairs: Vec<(u16, u16)> = Vec::new();
        let shards = (0..shard_count(entities)).map(|shard| {
            pairs.clear();
            let (first, length) = extent(shard, entities);
            for (tag, own) in (0_u16..=u16::MAX).zip(&mut within) {
                while let Some(entity) = own.next_if(|entity| place(*entity).0 == shard) {
                    pairs.push((u16::try_from(entity.saturating_sub(first)).unwrap_or_default(), tag));
                }
            }
            Arc::new(Shard::of(length, &pairs))
        });
        Self { shards: shards.collect() }
    }

    pub(super) fn tags_of(&self, entity: u32) -> &[u16] {
        let (shard, place) = place(entity);
        self.shards.get(shard).map_or(&[], |shard| shard.tags_of(place))
    }

    /// Calls `visit` with each tag of each of these entities.
    pub(super) fn visit(&self, entities: &RoaringBitmap, mut visit: impl FnMut(u16)) {
        for entity in entities {
            for tag in self.tags_of(entity) {
                visit(*tag);
            }
        }
    }

    /// After some changes, of which no two are of one pair. Shards without a change are shared.
    pub(super) fn changed(&self, entities: u32, changes: &[Change]) -> Self {
        let mut by_shard: Vec<Vec<(u16, u16, bool)>> = vec![Vec::new(); shard_count(entities)];
        for change in changes {
            let (shard, place) = place(change.entity);
            if let (Some(own), Ok(place)) = (by_shard.get_mut(shard), u16::try_from(place)) {
                own.push((place, change.tag, change.carried));
            }
        }
        let shards = by_shard.into_iter().enumerate().map(|(shard, mut changes)| {
            let (_, length) = extent(shard, entities);
            match self.shards.get(shard) {
                Some(own) if changes.is_empty() && own.entities() == length => Arc::clone(own),
                own => {
                    changes.sort_unstable();
                    Arc::new(own.map_or_else(Shard::default, |own| (**own).clone()).changed(length, &changes))
                }
            }
        });
        Self { shards: shards.collect() }
    }
}

impl Shard {
    /// Of pairs of entity and tag, by tag.
    fn of(entities: usize, pairs: &[(u16, u16)]) -> Self {
        let mut starts = vec![0_u32; entities.saturating_add(1)];
        for (entity, _) in pairs {
            if let Some(count) = starts.get_mut(usize::from(*entity).saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for start in &mut starts {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        let (mut next, mut tags) = (starts.clone(), vec![0_u16; pairs.len()]);
        for (entity, tag) in pairs {
            if let Some(next) = next.get_mut(usize::from(*entity))
                && let Some(own) = usize::try_from(*next).ok().and_then(|at| tags.get_mut(at))
            {
                *own = *tag;
                *next = next.saturating_add(1);
            }
        }
        Self { starts, tags }
    }

    fn entities(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn tags_of(&self, entity: usize) -> &[u16] {
        let at = |place: usize| self.starts.get(place).and_then(|start| usize::try_from(*start).ok());
        match (at(entity), at(entity.saturating_add(1))) {
            (Some(start), Some(end)) => self.tags.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// With changes by entity and tag.
    fn changed(&self, entities: usize, changes: &[(u16, u16, bool)]) -> Self {
        let mut out = Self { starts: Vec::with_capacity(entities.saturating_add(1)), tags: Vec::new() };
        out.tags.reserve(self.tags.len().saturating_add(changes.len()));
        let mut changes = changes.iter().peekable();
        for entity in 0..entities {
            out.starts.push(count(&out.tags));
            let mut own = self.tags_of(entity).iter().peekable();
            while let Some((_, tag, carried)) = changes.next_if(|change| usize::from(change.0) == entity) {
                while let Some(before) = own.next_if(|own| *own < tag) {
                    out.tags.push(*before);
                }
                own.next_if(|own| *own == tag);
                if *carried {
                    out.tags.push(*tag);
                }
            }
            out.tags.extend(own);
        }
        out.starts.push(count(&out.tags));
        out
    }
}

/// A shard has 2^16 entities with at most 2^16 tags each: only all of them together are beyond 32 bits.
fn count(tags: &[u16]) -> u32 {
    u32::try_from(tags.len()).unwrap_or(u32::MAX)
}

fn place(entity: u32) -> (usize, usize) {
    let entity = usize::try_from(entity).unwrap_or(usize::MAX);
    (entity / SHARD, entity % SHARD)
}

pub(super) fn shard_count(entities: u32) -> usize {
    usize::try_from(entities).unwrap_or(usize::MAX).div_ceil(SHARD)
}

/// First entity of a shard and how many it has.
fn extent(shard: usize, entities: u32) -> (u32, usize) {
    let first = shard.saturating_mul(SHARD);
    let all = usize::try_from(entities).unwrap_or(usize::MAX);
    (u32::try_from(first).unwrap_or(u32::MAX), all.saturating_sub(first).min(SHARD))
}

/// How many entities a shard must have.
pub(super) fn entities_of(shard: usize, entities: u32) -> usize {
    extent(shard, entities).1
}
