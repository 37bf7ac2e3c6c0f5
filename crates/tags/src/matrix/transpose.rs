//! For every entity its tags, in shards of 65,536 entities.

use std::ops::Range;
use std::sync::Arc;

use roaring::RoaringBitmap;
use roaring::bitmap::Iter;

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
        let mut carriers: Vec<Carriers<'_>> = tags.iter().map(|own| Carriers::of(own)).collect();
        let shards = (0..shard_count(entities)).map(|shard| {
            let (first, length) = extent(shard, entities);
            blocks.read(first, &mut carriers);
            Arc::new(blocks.shard(length))
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

/// A tag's entities, read some ahead: one at a time takes several times as long.
struct Carriers<'a> {
    all: Iter<'a>,
    ahead: [u32; 32],
    /// Those ahead that were not told yet.
    left: Range<usize>,
}

impl<'a> Carriers<'a> {
    fn of(entities: &'a RoaringBitmap) -> Self {
        Self { all: entities.iter(), ahead: [0; 32], left: 0..0 }
    }

    /// Tells all that are left up to an entity.
    fn up_to(&mut self, last: u32, mut tell: impl FnMut(u32)) {
        loop {
            for entity in self.ahead.get(self.left.clone()).unwrap_or_default() {
                if *entity > last {
                    return;
                }
                tell(*entity);
                self.left.start = self.left.start.wrapping_add(1);
            }
            self.left = 0..self.all.next_many(&mut self.ahead).len();
            if self.left.is_empty() {
                return;
            }
        }
    }
}

/// Pairs of a block, so few that they stay near the processor while they are sorted.
const PAIRS_OF_BLOCK: usize = 128 << 10;
/// Entities of a block at least.
const BLOCK_MIN: usize = 1 << 8;

/// Pairs of one shard, divided among blocks of entities.
struct Blocks {
    /// Of each block its pairs by tag: the entity's place in the block in the upper half, the tag in the lower.
    all: Vec<Vec<u32>>,
    /// Entities of a block: a power of two, no more than a shard has.
    entities: usize,
}

impl Blocks {
    fn new(entities: u32, tags: &[Arc<RoaringBitmap>]) -> Self {
        let pairs: u64 = tags.iter().map(|own| own.len()).sum();
        let pairs = usize::try_from(pairs).unwrap_or(usize::MAX).max(1);
        let all = usize::try_from(entities).unwrap_or(usize::MAX);
        let fitting = PAIRS_OF_BLOCK.saturating_mul(all).checked_div(pairs).unwrap_or_default();
        let entities = 1_usize.wrapping_shl(fitting.clamp(BLOCK_MIN, SHARD).ilog2());
        Self { all: vec![Vec::new(); SHARD / entities], entities }
    }

    /// Reads the pairs of the shard that begins with an entity, and is next for each tag's carriers.
    fn read(&mut self, first: u32, tags: &mut [Carriers<'_>]) {
        self.all.iter_mut().for_each(Vec::clear);
        let last = first.saturating_add(u32::from(u16::MAX));
        let bits = self.entities.trailing_zeros();
        let within = u32::try_from(self.entities.saturating_sub(1)).unwrap_or_default();
        for (tag, carriers) in (0_u32..).zip(tags) {
            carriers.up_to(last, |entity| {
                let place = entity.wrapping_sub(first);
                if let Some(block) = usize::try_from(place >> bits).ok().and_then(|at| self.all.get_mut(at)) {
                    block.push((place & within) << 16 | tag);
                }
            });
        }
    }

    /// The shard of so many entities whose pairs were read.
    fn shard(&self, entities: usize) -> Shard {
        let mut shard = Shard { starts: Vec::with_capacity(entities.saturating_add(1)), tags: Vec::new() };
        shard.tags.reserve_exact(self.all.iter().map(Vec::len).sum());
        for (at, pairs) in self.all.iter().enumerate() {
            let before = at.saturating_mul(self.entities);
            shard.extend(entities.saturating_sub(before).min(self.entities), pairs);
        }
        shard.starts.push(count(&shard.tags));
        shard
    }
}

impl Shard {
    /// Adds so many entities, with the pairs of their block.
    fn extend(&mut self, entities: usize, pairs: &[u32]) {
        let place = |pair: &u32| usize::try_from(pair >> 16).unwrap_or(usize::MAX);
        let mut next = vec![0_u32; entities];
        for pair in pairs {
            if let Some(count) = next.get_mut(place(pair)) {
                *count = count.wrapping_add(1);
            }
        }
        let (begin, mut sum) = (count(&self.tags), 0_u32);
        for next in &mut next {
            let own = std::mem::replace(next, sum);
            self.starts.push(begin.wrapping_add(sum));
            sum = sum.wrapping_add(own);
        }
        let first = self.tags.len();
        self.tags.resize(first.saturating_add(pairs.len()), 0);
        let tags = self.tags.get_mut(first..).unwrap_or_default();
        for pair in pairs {
            if let Some(next) = next.get_mut(place(pair))
                && let Some(own) = usize::try_from(*next).ok().and_then(|at| tags.get_mut(at))
            {
                *own = u16::try_from(pair & u32::from(u16::MAX)).unwrap_or_default();
                *next = next.wrapping_add(1);
            }
        }
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
