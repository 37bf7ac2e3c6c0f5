//! One tile of hashes, and the nodes inside it that are not stored.

use super::path::TILE_WIDTH;
use crate::log::tree::{TreeHash, parents};

/// The bytes of a tile.
pub(crate) fn hash_bytes(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The hashes in a tile's bytes; `None` unless they are exactly `width`.
pub(crate) fn hashes_of(bytes: &[u8], width: usize) -> Option<Vec<TreeHash>> {
    let (hashes, rest) = bytes.as_chunks::<{ TreeHash::BYTES }>();
    (rest.is_empty() && hashes.len() == width).then(|| hashes.iter().copied().map(TreeHash::new).collect())
}

/// A tile with all nodes above its hashes that are complete: level 0 is what is stored, level 8 the root of a full
/// tile.
#[derive(Debug)]
pub(super) struct TileNodes {
    levels: Vec<Vec<TreeHash>>,
}

impl TileNodes {
    pub(super) fn new(stored: Vec<TreeHash>) -> Self {
        debug_assert!(stored.len() <= TILE_WIDTH);
        let mut levels = vec![stored];
        while let Some(last) = levels.last().filter(|level| level.len() > 1) {
            levels.push(parents(last));
        }
        Self { levels }
    }

    /// The node at a level within the tile, counted from the tile's left.
    pub(super) fn node(&self, level: usize, index: usize) -> Option<TreeHash> {
        self.levels.get(level)?.get(index).copied()
    }
}
