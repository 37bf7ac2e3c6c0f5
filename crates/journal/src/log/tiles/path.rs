//! Where a tile stands (C2SP `tlog-tiles`, "Merkle Tree" and "Log entries").
//!
//! Not to be confused with the paths of Go's checksum database, which name the height as well.

use std::fmt;
use std::str::FromStr;

use crate::log::error::LogError;
use crate::log::note::parse_decimal;
use crate::log::tree::TREE_SIZE_MAX;

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: usize = 256;
/// Levels of the tree that a tile spans.
pub const TILE_HEIGHT: u32 = 8;
/// Tile levels that a tree of [`TREE_SIZE_MAX`] has.
pub(super) const TILE_LEVELS_MAX: u8 = 8;

/// What stands in a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes: of leaves at level 0, above it of whole tiles of the level below.
    Hashes {
        /// Level of the tile.
        level: u8,
    },
    /// Entries, each with its length before it.
    Entries,
}

/// Name and place of a tile; prints and parses as the path in the log's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    /// What stands in it.
    pub kind: TileKind,
    /// Which tile of its level, from 0.
    pub index: u64,
    /// How many hashes or entries: [`TILE_WIDTH`], or fewer in a partial tile, but at least 1.
    pub width: usize,
}

impl TilePath {
    /// The full tile in this tile's place.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// True if all its places are taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The folder of the partial tiles in this tile's place.
    pub(crate) fn partials(self) -> String {
        format!("{}.p", self.full())
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(out, "tile/{level}")?,
            TileKind::Entries => out.write_str("tile/entries")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index;
        loop {
            groups.push(rest % 1_000);
            rest /= 1_000;
            if rest == 0 {
                break;
            }
        }
        while let Some(group) = groups.pop() {
            out.write_str(if groups.is_empty() { "/" } else { "/x" })?;
            write!(out, "{group:03}")?;
        }
        if self.is_full() { Ok(()) } else { write!(out, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        // Whatever prints again as it was read was in the one form there is.
        parse(text)
            .filter(|path| path.to_string() == text)
            .ok_or_else(|| LogError::malformed("path of a tile", text, "such as tile/0/x001/234.p/5"))
    }
}

fn parse(text: &str) -> Option<TilePath> {
    if text.len() > 60 {
        return None;
    }
    let (path, width) = match text.split_once(".p/") {
        Some((path, width)) => (path, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
        None => (text, TILE_WIDTH),
    };
    let (kind, groups) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes { level: level.parse().ok().filter(|level| *level < TILE_LEVELS_MAX)? },
    };
    let mut index = 0_u64;
    for group in groups.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let number: u64 = parse_decimal(digits.trim_start_matches('0')).or_else(|| {
            let zeros = !digits.is_empty() && digits.bytes().all(|digit| digit == b'0');
            zeros.then_some(0)
        })?;
        index = index.checked_mul(1_000)?.checked_add(number)?;
    }
    (index <= TREE_SIZE_MAX).then_some(TilePath { kind, index, width })
}
