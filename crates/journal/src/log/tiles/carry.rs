//! Carrying the tiles of a log on into another folder: only those that are not there yet, and none beyond a given size.

use std::io;
use std::ops::ControlFlow;

use super::Edge;
use super::bundle::{append_entry, split_bundle};
use super::path::{TILE_HEIGHT, TILE_LEVELS_MAX, TileKind, TilePath};
use super::reader::{LogReader, Overlay, WIDTH, tile_width};
use super::tile::hash_bytes;
use crate::log::error::LogError;
use crate::log::files::Durably;
use crate::log::tree::Frontier;

/// Tiles that are flushed together.
const TILES_AT_ONCE: usize = 512;

/// What was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TilesCarried {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Who was told wanted it to end before all were there.
    pub stopped: bool,
}

/// Carries the tiles of a log of `size` entries to where those of `known` entries stand already; 0 carries all. Partial
/// tiles come out with the width that they have at `size`, however far the log itself has come. `see` hears how many of
/// how many tiles are there, and may end it.
///
/// # Errors
/// A tile that is missing or damaged; what the files say.
pub fn carry_tiles(
    from: &LogReader,
    to: &Durably,
    (known, size): (u64, u64),
    see: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<TilesCarried, LogError> {
    let total = tiles_between(known, size).fold(0_u64, |number, _| number.saturating_add(1));
    let mut carried = TilesCarried::default();
    let mut contents = Overlay::new();
    for path in tiles_between(known, size) {
        let bytes = content_of(from, path)?;
        carried.files = carried.files.saturating_add(1);
        carried.bytes = carried.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        contents.insert(path.to_string(), bytes);
        if contents.len() >= TILES_AT_ONCE {
            to.put(&std::mem::take(&mut contents))?;
            if see(carried.files, total).is_break() {
                carried.stopped = true;
                return Ok(carried);
            }
        }
    }
    to.put(&contents)?;
    carried.stopped = see(carried.files, total).is_break();
    Ok(carried)
}

/// The tiles that a log of `size` entries has and one of `known` entries has not.
fn tiles_between(known: u64, size: u64) -> impl Iterator<Item = TilePath> {
    (0..TILE_LEVELS_MAX).flat_map(move |level| {
        let hashes = |entries: u64| entries.checked_shr(u32::from(level) * TILE_HEIGHT).unwrap_or(0);
        let (first, end) = (hashes(known) / WIDTH, hashes(size).div_ceil(WIDTH));
        let kinds = [Some(TileKind::Hashes { level }), (level == 0).then_some(TileKind::Entries)];
        (first..end)
            .filter_map(move |index| {
                let width = tile_width(size, level, index)?;
                (tile_width(known, level, index) != Some(width)).then_some((index, width))
            })
            .flat_map(move |(index, width)| {
                kinds.into_iter().flatten().map(move |kind| TilePath { kind, index, width })
            })
    })
}

/// A tile as it is at its width, though the log may have gone on since.
fn content_of(from: &LogReader, path: TilePath) -> Result<Vec<u8>, LogError> {
    let TileKind::Hashes { level } = path.kind else {
        let (found, bytes) = from.bundle_bytes(path)?;
        let entries = split_bundle(&bytes, found.width).ok_or_else(|| {
            LogError::damaged(found.to_string(), format!("it is not a row of {} entries", found.width))
        })?;
        let mut cut = Vec::with_capacity(bytes.len());
        entries.iter().take(path.width).try_for_each(|entry| append_entry(&mut cut, entry))?;
        return Ok(cut);
    };
    Ok(hash_bytes(&from.hashes(level, path.index, path.width)?))
}

/// The edge of the tree of the first `size` entries, from which its root grows on; the tiles at the edge are checked
/// against each other.
///
/// # Errors
/// A tile that is missing or damaged.
pub fn frontier_of(reader: &LogReader, size: u64) -> Result<Frontier, LogError> {
    Ok(Edge::read(reader, size)?.into_frontier())
}

/// Removes partial tiles that the log had at `known` entries and has no more at `size`.
///
/// # Errors
/// What the files say.
pub fn remove_other_partials(folder: &Durably, known: u64, size: u64) -> Result<(), LogError> {
    for level in 0..TILE_LEVELS_MAX {
        let hashes = known.checked_shr(u32::from(level) * TILE_HEIGHT).unwrap_or(0);
        let index = hashes / WIDTH;
        let Some(width) = tile_width(known, level, index) else { continue };
        let now = tile_width(size, level, index);
        if now == Some(width) {
            continue;
        }
        let kinds = [Some(TileKind::Hashes { level }), (level == 0).then_some(TileKind::Entries)];
        for kind in kinds.into_iter().flatten() {
            let path = TilePath { kind, index, width };
            folder.remove(&path.to_string())?;
            if now == Some(path.full().width) {
                // A run that was killed may have left another one: the full tile stands in the place of all.
                let partials = path.partials();
                let left = match folder.files().list(&partials) {
                    Ok(left) => left,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                    Err(error) => return Err(LogError::io(partials, &error)),
                };
                left.iter().try_for_each(|name| folder.remove(&format!("{partials}/{name}")))?;
                folder.remove(&partials)?;
            }
        }
    }
    Ok(())
}
