//! Who carries some tags, of a folder of history.

use std::collections::HashSet;
use std::path::Path;

use ::tags::matrix::Selection;
use serde::Serialize;

use super::folder::Folder;
use crate::error::{Error, Kind};

/// Entities named in an answer at most.
pub const ENTITIES_LISTED_MAX: usize = 100_000;

/// Who carries some tags.
#[derive(Debug, Clone, Serialize)]
pub struct HistorySelection {
    /// How many entities the condition selects.
    pub count: u64,
    /// Of so many in all.
    pub entities: u32,
    /// Their tags, with how many of them carry each: the most frequent first. None where there are too many pairs of
    /// tag and entity for a matrix.
    pub tags: Vec<(String, u32)>,
    /// The names of the first of them.
    pub named: Vec<String>,
    /// False where some tags were not yet asked of all entries.
    pub complete: bool,
}

/// The entities that a condition on tags selects, their most frequent tags, and the names of some.
///
/// # Errors
/// `selection_refused`, `history_unreadable`, `history_damaged`.
pub fn select_in_history(
    folder: &Path,
    condition: &str,
    tags_max: usize,
    named_max: usize,
) -> Result<HistorySelection, Error> {
    let folder = Folder::to_read(folder)?;
    let ids: Vec<String> = folder.manifest.tags.iter().map(|tag| tag.id.clone()).collect();
    let selection = Selection::parse(condition, &ids).map_err(|error| {
        Error::new(Kind::Invalid, error.code(), error.to_string(), "Correct the condition at the mark.")
    })?;
    // Only the tags are read that the condition names; the others are looked up for whom it selects.
    let named: HashSet<u16> = selection.tags().into_iter().collect();
    let is_named = |at: usize| u16::try_from(at).is_ok_and(|at| named.contains(&at));
    let matrix = folder.matrix_of(&|at, _| is_named(at))?;
    let selected = matrix.select(&selection);
    let tags = folder.tags_among(&selected, tags_max)?;
    let named = selected.iter().take(named_max.min(ENTITIES_LISTED_MAX));
    let (done, total) = folder.manifest.progress();
    Ok(HistorySelection {
        count: selected.len(),
        entities: matrix.entities(),
        tags,
        named: named.filter_map(|entity| folder.names.name(entity).map(str::to_owned)).collect(),
        complete: done == total,
    })
}
