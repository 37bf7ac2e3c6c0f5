//! Entries in a row, each with its length in two bytes, big-endian, before it (C2SP `tlog-tiles`, "Log entries").

use super::path::TILE_WIDTH;
use crate::log::error::LogError;

/// Longest entry: what its length prefix can say.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// Largest bundle of entries.
pub const BUNDLE_BYTES_MAX: usize = TILE_WIDTH * (ENTRY_BYTES_MAX + 2);

/// Adds an entry to a bundle.
///
/// # Errors
/// [`LogError::TooLarge`].
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), LogError> {
    let length = u16::try_from(entry.len()).map_err(|_| LogError::TooLarge {
        what: "bytes of an entry of the log",
        found: u64::try_from(entry.len()).unwrap_or(u64::MAX),
        max: u64::from(u16::MAX),
    })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, which must be exactly `count`; `None` if it is cut or something follows.
#[must_use]
pub fn split_bundle(bundle: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::with_capacity(count.min(TILE_WIDTH));
    let mut rest = bundle;
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
    }
    rest.is_empty().then_some(entries)
}
