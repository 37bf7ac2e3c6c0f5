//! The state as one file: JSON, then the CRC-32 of it, lowest byte first.

use std::io;
use std::path::Path;

use ::tags::matrix::Summed;

use super::state::State;
use crate::error::Error;
use crate::folder::write_whole_from;

/// Version of the file: another one gives way.
const VERSION: u32 = 4;
/// Bytes of the checksum.
const SUM_BYTES: usize = 4;
/// Bytes that are read at most.
const BYTES_MAX: u64 = 1 << 30;

/// Writes the state, whole or not at all.
///
/// # Errors
/// `file_unwritable`.
pub(super) fn write(path: &Path, state: &State) -> Result<(), Error> {
    write_whole_from(path, |file| {
        let mut out = Summed::new(&mut *file);
        serde_json::to_writer(&mut out, &(VERSION, state)).map_err(io::Error::other)?;
        let sum = out.sum();
        out.number(sum)
    })
}

/// Reads what was written; `None` where it is damaged, too large, or of another version.
pub(super) fn read(path: &Path) -> Option<State> {
    if std::fs::metadata(path).ok()?.len() > BYTES_MAX {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    let (text, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
    let mut out = Summed::new(io::sink());
    io::Write::write_all(&mut out, text).ok()?;
    if out.sum() != u32::from_le_bytes(*sum) {
        return None;
    }
    let (version, state): (u32, State) = serde_json::from_slice(text).ok()?;
    (version == VERSION).then(|| state.indexed())
}
