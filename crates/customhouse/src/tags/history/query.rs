//! Who carries some tags, of a folder of history.

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
    let kept = folder.matrix()?;
    let tags_max = if kept.is_some() { tags_max } else { 0 };
    // Without a matrix, only the tags are read that the condition may name.
    let matrix = match kept {
        Some(matrix) => matrix,
        None => folder.matrix_of(&|id| condition.contains(id))?,
    };
    let selected = matrix.select(&selection);
    let tags = matrix.tags_among(&selected, tags_max).into_iter();
    let tags = tags.filter_map(|(tag, count)| Some((ids.get(usize::from(tag))?.clone(), count)));
    let named = selected.iter().take(named_max.min(ENTITIES_LISTED_MAX));
    let (done, total) = folder.manifest.progress();
    Ok(HistorySelection {
        count: selected.len(),
        entities: matrix.entities(),
        tags: tags.collect(),
        named: named.filter_map(|entity| folder.names.name(entity).map(str::to_owned)).collect(),
        complete: done == total,
    })
}
