//! Which files of a log's folder others may ask for, and how they are to be served (C2SP `tlog-tiles`, "APIs").

use std::fmt;
use std::str::FromStr;

use super::path::{TileKind, TilePath};
use super::reader::{CHECKPOINT, WITNESSED_CHECKPOINT};
use crate::log::error::LogError;
use crate::log::keys::KeyChange;

/// A file that a log publishes; prints and parses as its path. Nothing else in the folder is anybody's to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The newest checkpoint.
    Checkpoint,
    /// The newest one with cosignatures.
    WitnessedCheckpoint,
    /// The record of a change of the log's key, from 0.
    KeyChange(usize),
    /// Hashes or entries.
    Tile(TilePath),
}

impl Published {
    /// Content type of the answer.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        if let Self::Tile(_) = self { "application/octet-stream" } else { "text/plain; charset=utf-8" }
    }

    /// True if the file never changes once it is there, and may be kept for long.
    #[must_use]
    pub fn is_immutable(&self) -> bool {
        !matches!(self, Self::Checkpoint | Self::WitnessedCheckpoint)
    }

    /// True if it tells no more than how much was logged. Tiles tell how much when, and entries tell what of whom:
    /// they are for partners.
    #[must_use]
    pub fn is_public(&self) -> bool {
        !matches!(self, Self::Tile(_))
    }

    /// True for entries.
    #[must_use]
    pub fn is_entries(&self) -> bool {
        matches!(self, Self::Tile(TilePath { kind: TileKind::Entries, .. }))
    }
}

impl fmt::Display for Published {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => out.write_str(CHECKPOINT),
            Self::WitnessedCheckpoint => out.write_str(WITNESSED_CHECKPOINT),
            Self::KeyChange(number) => out.write_str(&KeyChange::path(*number)),
            Self::Tile(path) => write!(out, "{path}"),
        }
    }
}

impl FromStr for Published {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        let key_change =
            text.rsplit_once('/').and_then(|(_, number)| number.parse().ok()).map(Self::KeyChange);
        let named = [Some(Self::Checkpoint), Some(Self::WitnessedCheckpoint), key_change];
        match named.into_iter().flatten().find(|file| file.to_string() == text) {
            Some(file) => Ok(file),
            None => text.parse().map(Self::Tile),
        }
    }
}
