//! The right edge of a log that grows: the tiles that are not full yet.

use super::bundle::{append_entry, split_bundle};
use super::path::{TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath};
use super::reader::{LogReader, Overlay, WIDTH, tile_width};
use super::tile::hash_bytes;
use crate::log::error::LogError;
use crate::log::tree::{Frontier, TreeHash, leaf_hash, root_of};

/// All of a log that is needed to go on writing it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge {
    frontier: Frontier,
    /// The entries of the open bundle.
    bundle: Vec<u8>,
    /// The hashes of the open tile of each level, fewer than [`TILE_WIDTH`] in each.
    levels: Vec<Vec<TreeHash>>,
    /// So many of them stand in files already.
    stored: Vec<usize>,
}

impl Edge {
    /// Reads the edge of the log of `size` entries, and checks that its tiles and entries agree with each other.
    pub(crate) fn read(reader: &LogReader, size: u64) -> Result<Self, LogError> {
        let mut edge = Self::default();
        let mut level = 0_u8;
        loop {
            let hashes = size.checked_shr(u32::from(level) * TILE_HEIGHT).unwrap_or(0);
            if hashes == 0 {
                break;
            }
            let (index, width) = (hashes / WIDTH, usize::try_from(hashes % WIDTH).unwrap_or(0));
            let open = if width == 0 { Vec::new() } else { reader.hashes(level, index, width)? };
            if let Some(last) = open.last()
                && let Some(below) = level.checked_sub(1)
            {
                check_tile_below(reader, (level, index, width), below, hashes - 1, last)?;
            }
            edge.stored.push(open.len());
            edge.levels.push(open);
            level = level.saturating_add(1);
        }
        // The frontier wants the larger subtrees first.
        let levels: Vec<_> = (0_u32..).zip(&edge.levels).collect();
        for (level, open) in levels.into_iter().rev() {
            for hash in open {
                edge.frontier.push_subtree(level * TILE_HEIGHT, *hash);
            }
        }
        if edge.frontier.size() != size {
            return Err(LogError::damaged("tile", format!("its edge has {} entries", edge.frontier.size())));
        }
        edge.read_bundle(reader, size)?;
        Ok(edge)
    }

    /// The entries of the open bundle must be those whose hashes stand in the open tile.
    fn read_bundle(&mut self, reader: &LogReader, size: u64) -> Result<(), LogError> {
        let index = size / WIDTH;
        let Some(width) = tile_width(size, 0, index) else { return Ok(()) };
        let (found, bytes) = reader.bundle_bytes(TilePath { kind: TileKind::Entries, index, width })?;
        let entries = split_bundle(&bytes, found.width).ok_or_else(|| {
            LogError::damaged(found.to_string(), format!("it is not {} entries", found.width))
        })?;
        let leaves = self.levels.first().map(Vec::as_slice).unwrap_or_default();
        for ((entry, leaf), place) in entries.iter().zip(leaves).zip(index * WIDTH..) {
            if leaf_hash(entry) != *leaf {
                let tile = TilePath { kind: TileKind::Hashes { level: 0 }, ..found };
                let reason = format!("entry {place} does not have the hash that stands in the tile");
                return Err(LogError::damaged(format!("{found} or {tile}"), reason));
            }
            append_entry(&mut self.bundle, entry)?;
        }
        Ok(())
    }

    /// Entries so far.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// What the tree goes on from.
    pub(crate) fn into_frontier(self) -> Frontier {
        self.frontier
    }

    /// The root over them.
    pub(crate) fn root(&self) -> TreeHash {
        self.frontier.root()
    }

    /// The last entries of the log, those of the open bundle or, if there are none, of the full one before; and the
    /// index of the first.
    pub(crate) fn last_entries(&self, reader: &LogReader) -> Result<(u64, Vec<Vec<u8>>), LogError> {
        let count = self.levels.first().map_or(0, Vec::len);
        let first = self.size().saturating_sub(u64::try_from(count).unwrap_or(0));
        let copied = |entries: Vec<&[u8]>| entries.into_iter().map(<[u8]>::to_vec).collect();
        let Some(full) = (first / WIDTH).checked_sub(1).filter(|_| count == 0) else {
            return Ok((first, copied(split_bundle(&self.bundle, count).unwrap_or_default())));
        };
        let path = TilePath { kind: TileKind::Entries, index: full, width: TILE_WIDTH };
        let (_, bytes) = reader.bundle_bytes(path)?;
        let entries = split_bundle(&bytes, TILE_WIDTH)
            .ok_or_else(|| LogError::damaged(path.to_string(), "it is not 256 entries"))?;
        Ok((first.saturating_sub(WIDTH), copied(entries)))
    }

    /// Adds an entry; tiles that it fills go to `filled`.
    pub(crate) fn push(&mut self, entry: &[u8], filled: &mut Overlay) -> Result<(), LogError> {
        append_entry(&mut self.bundle, entry)?;
        let leaf = leaf_hash(entry);
        self.frontier.push(leaf);
        let mut hash = leaf;
        let mut level = 0_u8;
        let size = self.frontier.size();
        loop {
            let place = usize::from(level);
            if self.levels.len() <= place {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
                self.stored.push(0);
            }
            let Some(open) = self.levels.get_mut(place) else { return Ok(()) };
            open.push(hash);
            if open.len() < TILE_WIDTH {
                return Ok(());
            }
            let hashes = std::mem::replace(open, Vec::with_capacity(TILE_WIDTH));
            if let Some(stored) = self.stored.get_mut(place) {
                *stored = 0;
            }
            let index = size.checked_shr((u32::from(level) + 1) * TILE_HEIGHT).unwrap_or(0).saturating_sub(1);
            let full = TilePath { kind: TileKind::Hashes { level }, index, width: TILE_WIDTH };
            filled.insert(full.to_string(), hash_bytes(&hashes));
            if level == 0 {
                let full = TilePath { kind: TileKind::Entries, ..full };
                filled.insert(full.to_string(), std::mem::take(&mut self.bundle));
            }
            hash = root_of(&hashes);
            level = level.saturating_add(1);
        }
    }

    /// Adds the open tiles that do not stand in files yet, and takes them as stored.
    pub(crate) fn store_open(&mut self, contents: &mut Overlay) {
        let size = self.size();
        for ((level, open), stored) in (0_u8..).zip(&self.levels).zip(&mut self.stored) {
            if open.is_empty() || open.len() == *stored {
                continue;
            }
            let index = size.checked_shr((u32::from(level) + 1) * TILE_HEIGHT).unwrap_or(0);
            let partial = TilePath { kind: TileKind::Hashes { level }, index, width: open.len() };
            contents.insert(partial.to_string(), hash_bytes(open));
            if level == 0 {
                let partial = TilePath { kind: TileKind::Entries, ..partial };
                contents.insert(partial.to_string(), self.bundle.clone());
            }
            *stored = open.len();
        }
    }

    /// The places of the open tiles: once they are full, the partial ones can go.
    pub(crate) fn open_tiles(&self) -> Vec<TilePath> {
        let size = self.size();
        let mut places = Vec::new();
        for (level, open) in (0_u8..).zip(&self.levels).filter(|(_, open)| !open.is_empty()) {
            let index = size.checked_shr((u32::from(level) + 1) * TILE_HEIGHT).unwrap_or(0);
            places.push(TilePath { kind: TileKind::Hashes { level }, index, width: open.len() });
            if level == 0 {
                places.push(TilePath { kind: TileKind::Entries, index, width: open.len() });
            }
        }
        places
    }
}

/// The last hash of an open tile must be the root of the last full tile below it.
fn check_tile_below(
    reader: &LogReader,
    (level, index, width): (u8, u64, usize),
    below: u8,
    below_index: u64,
    last: &TreeHash,
) -> Result<(), LogError> {
    let full = reader.hashes(below, below_index, TILE_WIDTH)?;
    if root_of(&full) == *last {
        return Ok(());
    }
    let upper = TilePath { kind: TileKind::Hashes { level }, index, width };
    let lower = TilePath { kind: TileKind::Hashes { level: below }, index: below_index, width: TILE_WIDTH };
    Err(LogError::damaged(format!("{lower} or {upper}"), "the one is not the root of the other"))
}
