//! Whose the entries are that a run comes to: as it was kept, or by their names.

use ::pool::lanes::LaneValues;
use ::tags::history::NOBODY;

use super::damaged;
use super::folder::Folder;
use super::manifest::Manifest;
use crate::error::Error;

/// The entities of entries from one on.
pub(super) struct Entities {
    /// The column that names them.
    pub(super) by: String,
    /// Is it known whose they are? Then nobody need read the column.
    pub(super) known: bool,
    /// Numbers of a file, and the entry of the first of them.
    from: u64,
    numbers: Vec<u32>,
}

impl Entities {
    /// Those from an entry on; either all that come are known, or none.
    pub(super) fn new(manifest: &Manifest, entry: u64) -> Self {
        let known = entry < manifest.entities_known();
        Self { by: manifest.by.clone(), known, from: 0, numbers: Vec::new() }
    }

    /// Those of the `wanted` entries from `entry` on. Where they are not known, `lane` has the rows of the column, if the
    /// file has one.
    ///
    /// # Errors
    /// `history_unwritable`, `history_damaged`.
    pub(super) fn of(
        &mut self,
        folder: &mut Folder,
        lane: Option<&LaneValues>,
        entry: u64,
        wanted: usize,
    ) -> Result<Vec<u32>, Error> {
        if !self.known {
            let mut numbers = lane.map_or_else(|| vec![NOBODY; wanted], |lane| folder.names.of(lane));
            numbers.truncate(wanted);
            return Ok(numbers);
        }
        let mut found = Vec::with_capacity(wanted);
        while found.len() < wanted {
            let next = entry.saturating_add(u64::try_from(found.len()).unwrap_or(u64::MAX));
            let at = next.checked_sub(self.from).and_then(|at| usize::try_from(at).ok());
            let rest = at.and_then(|at| self.numbers.get(at..)).unwrap_or_default();
            if rest.is_empty() {
                (self.from, self.numbers) = folder.entities_at(next)?;
                continue;
            }
            found.extend(rest.iter().take(wanted.saturating_sub(found.len())));
        }
        let beyond = found.iter().any(|number| *number != NOBODY && *number >= folder.names.len());
        if beyond { Err(damaged(&"an entry is of an entity without a name")) } else { Ok(found) }
    }
}
