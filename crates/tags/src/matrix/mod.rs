//! Which entity carries which tag: for every tag the set of its entities, for every entity its tags.
//!
//! The sets are roaring bitmaps, which hold the entities in shards of 65,536; the other direction stands in the same
//! shards ([`transpose`]). A matrix never changes: changes make another one, which shares with it what they left alone,
//! so that whoever reads goes on with the epoch it began with.

mod file;
mod selection;
mod transpose;
mod union;

use std::sync::Arc;

use roaring::RoaringBitmap;
use thiserror::Error;

pub use file::{MatrixFileError, Summed};
pub use selection::{Selection, SelectionError};
use transpose::Transpose;

/// Tags of one matrix at most: an entity's tags are numbers of 16 bits.
pub const TAGS_MAX: usize = 1 << 16;

/// Entities of one matrix at most, some below the end of their numbers.
pub const ENTITIES_MAX: u32 = u32::MAX - 1;

/// Entities and tags, each numbered from 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    entities: u32,
    tags: Vec<Arc<RoaringBitmap>>,
    transpose: Transpose,
}

/// A tag that an entity gets or loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The tag's number.
    pub tag: u16,
    /// The entity's number.
    pub entity: u32,
    /// Does it carry the tag from now on?
    pub carried: bool,
}

/// A matrix cannot hold that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MatrixError {
    /// More tags than numbers.
    #[error("a matrix has at most {TAGS_MAX} tags, not {0}; divide them among several")]
    TooManyTags(usize),
    /// An entity beyond the last.
    #[error("entity {entity} is beyond the {entities} entities of the matrix; number it first")]
    NoSuchEntity {
        /// Its number.
        entity: u32,
        /// How many there are.
        entities: u32,
    },
    /// A tag beyond the last.
    #[error("tag {tag} is beyond the {tags} tags of the matrix; number it first")]
    NoSuchTag {
        /// Its number.
        tag: u16,
        /// How many there are.
        tags: usize,
    },
}

impl MatrixError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooManyTags(_) => "matrix_tags_too_many",
            Self::NoSuchEntity { .. } => "matrix_entity_unknown",
            Self::NoSuchTag { .. } => "matrix_tag_unknown",
        }
    }
}

impl Matrix {
    /// A matrix of so many entities with the entities of each tag.
    ///
    /// # Errors
    /// Too many tags, or an entity beyond the last.
    pub fn new(entities: u32, tags: Vec<RoaringBitmap>) -> Result<Self, MatrixError> {
        if tags.len() > TAGS_MAX {
            return Err(MatrixError::TooManyTags(tags.len()));
        }
        if let Some(entity) =
            tags.iter().filter_map(RoaringBitmap::max).max().filter(|last| *last >= entities)
        {
            return Err(MatrixError::NoSuchEntity { entity, entities });
        }
        let tags: Vec<Arc<RoaringBitmap>> = tags.into_iter().map(Arc::new).collect();
        let transpose = Transpose::of(entities, &tags);
        Ok(Self { entities, tags, transpose })
    }

    /// Number of entities.
    #[must_use]
    pub fn entities(&self) -> u32 {
        self.entities
    }

    /// Number of tags.
    #[must_use]
    pub fn tags(&self) -> usize {
        self.tags.len()
    }

    /// Pairs of entity and tag.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.tags.iter().map(|entities| entities.len()).sum()
    }

    /// Who carries a tag; nobody if there is no such tag.
    #[must_use]
    pub fn carriers(&self, tag: u16) -> Option<&RoaringBitmap> {
        self.tags.get(usize::from(tag)).map(Arc::as_ref)
    }

    /// An entity's tags, rising.
    #[must_use]
    pub fn tags_of(&self, entity: u32) -> &[u16] {
        self.transpose.tags_of(entity)
    }

    /// The tags that these entities carry, with how many of them do: the most frequent first, at most `limit`.
    #[must_use]
    pub fn tags_among(&self, entities: &RoaringBitmap, limit: usize) -> Vec<(u16, u32)> {
        let mut counts = vec![0_u32; self.tags.len()];
        self.transpose.visit(entities, |tag| {
            if let Some(count) = counts.get_mut(usize::from(tag)) {
                *count = count.saturating_add(1);
            }
        });
        let mut found: Vec<(u16, u32)> =
            (0_u16..=u16::MAX).zip(counts).filter(|(_, count)| *count > 0).collect();
        let order = |a: &(u16, u32), b: &(u16, u32)| b.1.cmp(&a.1).then(a.0.cmp(&b.0));
        if limit < found.len() && limit > 0 {
            found.select_nth_unstable_by(limit.saturating_sub(1), order);
        }
        found.truncate(limit);
        found.sort_unstable_by(order);
        found
    }

    /// Entities that a selection selects.
    #[must_use]
    pub fn select(&self, selection: &Selection) -> RoaringBitmap {
        selection.among(self)
    }

    /// How many entities a selection selects, without writing down which where that is not needed.
    #[must_use]
    pub fn count(&self, selection: &Selection) -> u64 {
        selection.count_among(self)
    }

    /// Entities that carry a tag here and not in an earlier matrix, and the other way round.
    #[must_use]
    pub fn difference(&self, earlier: &Self, tag: u16) -> (RoaringBitmap, RoaringBitmap) {
        let nobody = RoaringBitmap::new();
        let now = self.carriers(tag).unwrap_or(&nobody);
        let then = earlier.carriers(tag).unwrap_or(&nobody);
        (now - then, then - now)
    }

    /// The matrix after some changes, with `entities` entities and `tags` tags, which are no fewer than before. Of two
    /// changes of one pair the later counts.
    ///
    /// # Errors
    /// Too many tags, or an entity or a tag beyond the last.
    pub fn changed(&self, entities: u32, tags: usize, changes: &[Change]) -> Result<Self, MatrixError> {
        if tags > TAGS_MAX {
            return Err(MatrixError::TooManyTags(tags));
        }
        let (entities, tags) = (entities.max(self.entities), tags.max(self.tags.len()));
        for change in changes {
            if change.entity >= entities {
                return Err(MatrixError::NoSuchEntity { entity: change.entity, entities });
            }
            if usize::from(change.tag) >= tags {
                return Err(MatrixError::NoSuchTag { tag: change.tag, tags });
            }
        }
        let changes = last_of_each(changes);
        let mut all = self.tags.clone();
        all.resize_with(tags, Default::default);
        for of_tag in changes.chunk_by(|a, b| a.tag == b.tag) {
            let Some(own) = of_tag.first().and_then(|first| all.get_mut(usize::from(first.tag))) else {
                continue;
            };
            let those = |carried: bool| {
                let wanted = of_tag.iter().filter(move |change| change.carried == carried);
                wanted.map(|change| change.entity).collect::<RoaringBitmap>()
            };
            let mut entities = &**own | &those(true);
            entities -= those(false);
            *own = Arc::new(entities);
        }
        let transpose = self.transpose.changed(entities, &changes);
        Ok(Self { entities, tags: all, transpose })
    }
}

/// The last change of each pair, by tag and entity.
fn last_of_each(changes: &[Change]) -> Vec<Change> {
    let mut sorted: Vec<Change> = changes.to_vec();
    sorted.sort_by_key(|change| (change.tag, change.entity));
    // Sorting keeps the order of equal ones: the last of them counts.
    sorted
        .chunk_by(|a, b| (a.tag, a.entity) == (b.tag, b.entity))
        .filter_map(|same| same.last().copied())
        .collect()
}
