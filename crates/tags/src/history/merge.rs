//! One run of several.

use std::collections::BTreeSet;

use super::run::{ReadAt, Run, RunWriter};
use super::{HistoryError, Lineage};

/// Some tags of a merged run.
#[derive(Debug)]
pub struct MergedPart {
    /// The bytes of a run.
    pub bytes: Vec<u8>,
    /// Pairs of tag and entity in it.
    pub pairs: u64,
    /// The tag with which the next part begins; absent after the last.
    pub next: Option<u32>,
}

/// Writes what several runs say together of the tags from `from` on that are `kept`, up to about so many bytes.
///
/// All lineages of one tag are in memory at once.
///
/// # Errors
/// What the system says, or that a run is damaged.
pub fn merge<R: ReadAt>(
    runs: &[(&Run, R)],
    kept: impl Fn(u32) -> bool,
    from: u32,
    bytes_max: usize,
) -> Result<MergedPart, HistoryError> {
    let tags: BTreeSet<u32> = runs.iter().flat_map(|(run, _)| run.tags()).map(|(tag, _)| tag).collect();
    let first = runs.iter().map(|(run, _)| run.entries().start).min().unwrap_or_default();
    let to = runs.iter().map(|(run, _)| run.entries().end).max().unwrap_or_default();
    let mut writer = RunWriter::new(Vec::new(), first);
    let mut tags = tags.range(from..).copied().filter(|tag| kept(*tag));
    let mut found: Vec<Lineage> = Vec::new();
    while writer.written() < bytes_max
        && let Some(tag) = tags.next()
    {
        found.clear();
        for (run, file) in runs {
            run.of_tag(file, tag, |lineage| found.push(lineage))?;
        }
        // Each run is sorted: sorting such stretches merges them.
        found.sort_by_key(|lineage| lineage.entity);
        for same in found.chunk_by(|a, b| a.entity == b.entity) {
            if let Some(whole) = same.iter().copied().reduce(Lineage::with) {
                writer.push(whole);
            }
        }
        writer.end_tag(tag)?;
    }
    let next = tags.next();
    let (bytes, pairs) = writer.finish(to)?;
    Ok(MergedPart { bytes, pairs, next })
}
