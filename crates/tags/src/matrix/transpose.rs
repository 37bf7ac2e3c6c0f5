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
        let mut blocks = Blocks::new(entities, tags);
        let mut shards = Vec::with_capacity(shard_count(entities));
        while shards.len() < shard_count(entities) {
            blocks.read(shards.len(), entities, tags);
            let together = blocks.all.chunks(SHARD / blocks.entities);
            let made = (shards.len()..shard_count(entities)).zip(together);
            let made =
                made.map(|(shard, own)| Arc::new(Shard::of(extent(shard, entities).1, blocks.entities, own)));
            shards.extend(made);
        }
        Self { shards }
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

/// Pairs that are divided among blocks at once: 128 MB of them.
const PAIRS_AT_ONCE: usize = 32 << 20;
/// Pairs of a block, so few that they stay near the processor while they are sorted.
const PAIRS_OF_BLOCK: usize = 128 << 10;

/// Pairs of some shards, divided among blocks of entities.
struct Blocks {
    /// Of each block its pairs by tag: the entity's place in the block in the upper half, the tag in the lower.
    all: Vec<Vec<u32>>,
    /// Entities of a block: a power of two, no more than a shard has.
    entities: usize,
}

impl Blocks {
    /// Blocks for so many shards that their pairs are not too many.
    fn new(entities: u32, tags: &[Arc<RoaringBitmap>]) -> Self {
        let pairs: u64 = tags.iter().map(|own| own.len()).sum();
        let pairs = usize::try_from(pairs).unwrap_or(usize::MAX).max(1);
        let all = usize::try_from(entities).unwrap_or(usize::MAX);
        let so_many = |wanted: usize| wanted.saturating_mul(all).checked_div(pairs).unwrap_or_default();
        let of_block = so_many(PAIRS_OF_BLOCK).clamp(1 << 8, SHARD);
        let of_block = if of_block.is_power_of_two() { of_block } else { of_block.next_power_of_two() / 2 };
        let shards = (so_many(PAIRS_AT_ONCE) / SHARD).clamp(1, shard_count(entities).max(1));
        Self { all: vec![Vec::new(); shards.saturating_mul(SHARD / of_block)], entities: of_block }
    }

    /// Reads the pairs of as many shards as there are blocks for, from one on.
    fn read(&mut self, shard: usize, entities: u32, tags: &[Arc<RoaringBitmap>]) {
        self.all.iter_mut().for_each(Vec::clear);
        let (first, _) = extent(shard, entities);
        let wanted = u32::try_from(self.all.len().saturating_mul(self.entities)).unwrap_or(u32::MAX);
        let last = first.saturating_add(wanted.saturating_sub(1));
        let (bits, within) = (self.entities.trailing_zeros(), self.entities.saturating_sub(1));
        let within = u32::try_from(within).unwrap_or_default();
        let mut some = [0; 256];
        for (tag, carriers) in (0_u32..).zip(tags) {
            let mut carriers = carriers.range(first..=last);
            loop {
                let read = carriers.next_many(&mut some);
                if read.is_empty() {
                    break;
                }
                for entity in read {
                    let place = entity.wrapping_sub(first);
                    if let Some(block) =
                        usize::try_from(place >> bits).ok().and_then(|at| self.all.get_mut(at))
                    {
                        block.push((place & within) << 16 | tag);
                    }
                }
            }
        }
    }
}

impl Shard {
    /// Of blocks of so many entities, with their pairs by tag.
    fn of(entities: usize, of_block: usize, blocks: &[Vec<u32>]) -> Self {
        let (mut starts, mut tags) = (Vec::with_capacity(entities.saturating_add(1)), Vec::new());
        tags.reserve_exact(blocks.iter().map(Vec::len).sum());
        for (at, pairs) in blocks.iter().enumerate() {
            let length = entities.saturating_sub(at.saturating_mul(of_block)).min(of_block);
            let first = tags.len();
            let mut next = vec![0_u32; length];
            for pair in pairs {
                if let Some(count) = usize::try_from(pair >> 16).ok().and_then(|at| next.get_mut(at)) {
                    *count = count.wrapping_add(1);
                }
            }
            let mut sum = 0_u32;
            let begin = count(&tags);
            for next in &mut next {
                let own = std::mem::replace(next, sum);
                starts.push(begin.wrapping_add(sum));
                sum = sum.wrapping_add(own);
            }
            tags.resize(first.saturating_add(pairs.len()), 0);
            let tags = tags.get_mut(first..).unwrap_or_default();
            for pair in pairs {
                if let Some(next) = usize::try_from(pair >> 16).ok().and_then(|at| next.get_mut(at))
                    && let Some(own) = usize::try_from(*next).ok().and_then(|at| tags.get_mut(at))
                {
                    *own = u16::try_from(pair & u32::from(u16::MAX)).unwrap_or_default();
                    *next = next.wrapping_add(1);
                }
            }
        }
        starts.push(count(&tags));
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
