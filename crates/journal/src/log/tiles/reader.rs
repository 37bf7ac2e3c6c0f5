//! Reading a log's folder: its checkpoint, its entries, and its tree as a source of proofs.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::bundle::{BUNDLE_BYTES_MAX, split_bundle};
use super::path::{TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath};
use super::published::Published;
use super::tile::{TileNodes, hashes_of};
use crate::log::error::LogError;
use crate::log::files::Files;
use crate::log::note::{NOTE_BYTES_MAX, SignedCheckpoint};
use crate::log::tree::{Subtrees, TreeHash, leaf_hash};

/// Name of the file with the newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// Name of the file with the newest checkpoint that witnesses have cosigned.
pub const WITNESSED_CHECKPOINT: &str = "checkpoint.witnessed";
/// Tiles kept in memory with their inner nodes, 16 KiB each at most.
const TILES_REMEMBERED_MAX: usize = 1_024;
const TILE_BYTES_MAX: usize = TILE_WIDTH * TreeHash::BYTES;

/// Contents that are about to be put in place, by path: they are read instead of what stands there.
pub(crate) type Overlay = BTreeMap<String, Vec<u8>>;

/// Level, index and width. What stands there never changes, for a log only grows.
type TilePlace = (u8, u64, usize);

/// A log's folder, for reading. Cheap to share between threads.
#[derive(Debug)]
pub struct LogReader {
    files: Arc<dyn Files>,
    tiles: Mutex<HashMap<TilePlace, Arc<TileNodes>>>,
}

impl LogReader {
    /// Reads the log in these files.
    #[must_use]
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { files, tiles: Mutex::default() }
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// A file that the log publishes, for a server to hand out; `None` if it is not there.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn published(&self, file: &Published) -> Result<Option<Vec<u8>>, LogError> {
        let path = file.to_string();
        match self.files.read(&path, if file.is_entries() { BUNDLE_BYTES_MAX } else { NOTE_BYTES_MAX }) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LogError::io(path, &error)),
        }
    }

    /// The newest checkpoint, unverified; `None` in a folder without one.
    ///
    /// # Errors
    /// [`LogError::Damaged`], [`LogError::Io`].
    pub fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, LogError> {
        self.checkpoint_at(CHECKPOINT)
    }

    /// The newest checkpoint with cosignatures, unverified.
    ///
    /// # Errors
    /// [`LogError::Damaged`], [`LogError::Io`].
    pub fn witnessed_checkpoint(&self) -> Result<Option<SignedCheckpoint>, LogError> {
        self.checkpoint_at(WITNESSED_CHECKPOINT)
    }

    fn checkpoint_at(&self, path: &str) -> Result<Option<SignedCheckpoint>, LogError> {
        match self.files.read(path, NOTE_BYTES_MAX) {
            Ok(bytes) => SignedCheckpoint::parse(&bytes)
                .map(Some)
                .map_err(|error| LogError::damaged(path, error.detail())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LogError::io(path, &error)),
        }
    }

    /// The tree of the first `size` entries. Proofs are as good as the tiles: verify them against a checkpoint.
    #[must_use]
    pub fn tree(&self, size: u64) -> StoredTree<'_> {
        StoredTree { reader: self, overlay: None, size, overlaid: HashMap::new() }
    }

    pub(crate) fn tree_with<'a>(&'a self, overlay: &'a Overlay, size: u64) -> StoredTree<'a> {
        StoredTree { reader: self, overlay: Some(overlay), size, overlaid: HashMap::new() }
    }

    /// One entry of the log of `size` entries.
    ///
    /// # Errors
    /// [`LogError::NotLogged`], [`LogError::Damaged`], [`LogError::Io`].
    pub fn entry(&self, index: u64, size: u64) -> Result<Vec<u8>, LogError> {
        let position = index.saturating_add(1);
        let missing = LogError::NotLogged { position, logged: size };
        let (tile, place) = (index / WIDTH, usize::try_from(index % WIDTH).unwrap_or(0));
        let width = tile_width(size, 0, tile).filter(|width| place < *width).ok_or(missing)?;
        let path = TilePath { kind: TileKind::Entries, index: tile, width };
        let (found, bytes) = self.bundle_bytes(path)?;
        let entries = split_bundle(&bytes, found.width).ok_or_else(|| not_a_bundle(&found))?;
        entries.get(place).map(|entry| entry.to_vec()).ok_or_else(|| not_a_bundle(&found))
    }

    /// A bundle of entries, or the full one in its place, and which of the two it is.
    pub(crate) fn bundle_bytes(&self, path: TilePath) -> Result<(TilePath, Vec<u8>), LogError> {
        self.read_or_full(path, BUNDLE_BYTES_MAX)
    }

    /// The first `width` hashes of a tile, whether the full tile or the partial one is there.
    pub(crate) fn hashes(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, LogError> {
        let path = TilePath { kind: TileKind::Hashes { level }, index, width };
        let (found, bytes) = self.read_or_full(path, TILE_BYTES_MAX)?;
        let mut hashes = hashes_of(&bytes, found.width).ok_or_else(|| {
            LogError::damaged(
                found.to_string(),
                format!("{} bytes are not {} hashes", bytes.len(), found.width),
            )
        })?;
        hashes.truncate(width);
        Ok(hashes)
    }

    /// The hashes in exactly this file: those of a tile, or of the entries of a bundle.
    pub(crate) fn hashes_in(&self, path: TilePath) -> Result<Vec<TreeHash>, LogError> {
        let (found, bytes) = self.read_or_full(path, BUNDLE_BYTES_MAX)?;
        let hashes = match path.kind {
            TileKind::Hashes { .. } => hashes_of(&bytes, found.width),
            TileKind::Entries => split_bundle(&bytes, found.width)
                .map(|entries| entries.iter().map(|entry| leaf_hash(entry)).collect()),
        };
        hashes.ok_or_else(|| LogError::damaged(path.to_string(), format!("it is not {} wide", path.width)))
    }

    /// A partial tile may have been removed once the full one was there.
    fn read_or_full(&self, path: TilePath, bytes_max: usize) -> Result<(TilePath, Vec<u8>), LogError> {
        let mut first_error = None;
        for path in [path, path.full()] {
            match self.files.read(&path.to_string(), bytes_max) {
                Ok(bytes) => return Ok((path, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    return Err(LogError::damaged(path.to_string(), "it is larger than any tile"));
                }
                Err(error) => first_error = first_error.or(Some(LogError::io(path.to_string(), &error))),
            }
        }
        Err(first_error.unwrap_or_else(|| LogError::damaged(path.to_string(), "it is missing")))
    }

    fn remembered(&self, place: TilePlace) -> Option<Arc<TileNodes>> {
        self.tiles.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }

    fn remember(&self, place: TilePlace, nodes: &Arc<TileNodes>) {
        let mut tiles = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        if tiles.len() >= TILES_REMEMBERED_MAX {
            tiles.clear();
        }
        tiles.insert(place, Arc::clone(nodes));
    }
}

/// [`TILE_WIDTH`] as a count of leaves.
pub(super) const WIDTH: u64 = 256;

fn not_a_bundle(path: &TilePath) -> LogError {
    LogError::damaged(path.to_string(), format!("it is not a row of {} entries", path.width))
}

/// How many hashes the tile has in the tree of `size` leaves; none if it has no part in it.
pub(crate) fn tile_width(size: u64, level: u8, index: u64) -> Option<usize> {
    let hashes = size.checked_shr(u32::from(level).checked_mul(TILE_HEIGHT)?)?;
    let after_start = hashes.checked_sub(index.checked_mul(WIDTH)?)?;
    usize::try_from(after_start.min(WIDTH)).ok().filter(|width| *width > 0)
}

/// The tree of the first so many entries of a log: what proofs are made from.
#[derive(Debug)]
pub struct StoredTree<'a> {
    reader: &'a LogReader,
    overlay: Option<&'a Overlay>,
    size: u64,
    /// Tiles that are not in place yet, and may never be.
    overlaid: HashMap<TilePlace, Arc<TileNodes>>,
}

impl StoredTree<'_> {
    fn tile(&mut self, level: u8, index: u64) -> Result<Arc<TileNodes>, LogError> {
        let width = tile_width(self.size, level, index).ok_or_else(|| {
            LogError::not_proven("a tree", format!("{} entries have no tile {level}/{index}", self.size))
        })?;
        let place = (level, index, width);
        let known = self.overlaid.get(&place).cloned().or_else(|| self.reader.remembered(place));
        if let Some(nodes) = known {
            return Ok(nodes);
        }
        let path = TilePath { kind: TileKind::Hashes { level }, index, width };
        let overlaid = self.overlay.and_then(|overlay| overlay.get(&path.to_string()));
        let hashes = match overlaid {
            Some(bytes) => hashes_of(bytes, width)
                .ok_or_else(|| LogError::damaged(path.to_string(), "it was about to be written wrongly"))?,
            None => self.reader.hashes(level, index, width)?,
        };
        let nodes = Arc::new(TileNodes::new(hashes));
        if overlaid.is_none() {
            self.reader.remember(place, &nodes);
        } else {
            self.overlaid.insert(place, Arc::clone(&nodes));
        }
        Ok(nodes)
    }
}

impl Subtrees for StoredTree<'_> {
    fn subtree(&mut self, level: u32, index: u64) -> Result<TreeHash, LogError> {
        let beyond = || LogError::not_proven("a tree", format!("it has no subtree {index} of level {level}"));
        let inner = level % TILE_HEIGHT;
        let tile_level = u8::try_from(level / TILE_HEIGHT).map_err(|_| beyond())?;
        // So many subtrees of this level stand side by side in one tile.
        let in_tile = WIDTH >> inner;
        let nodes = self.tile(tile_level, index / in_tile)?;
        let place = usize::try_from(index % in_tile).ok();
        place
            .zip(usize::try_from(inner).ok())
            .and_then(|(place, inner)| nodes.node(inner, place))
            .ok_or_else(beyond)
    }
}
