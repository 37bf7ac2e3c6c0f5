//! Tags that occur together.

use ::tags::TagDefinition;
use ::tags::matrix::Matrix;
use roaring::RoaringBitmap;

use super::chosen::Of;
use super::condition::Seen;
use super::model::{TagGraph, TagPair, TagQuery, TagTogether};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::flow::any_simulated;
use crate::identity::Reader;
use crate::tags::live::Epoch;

/// Tags of a drawing.
const NODES: usize = 20;
/// Pairs of a drawing.
const EDGES_MAX: usize = 60;

fn float(count: u64) -> f64 {
    // A count beyond 2^32 is beyond what the matrix numbers.
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn quotient(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn told(tag: &TagDefinition, count: u64, share: f64, lift: f64) -> TagTogether {
    TagTogether {
        tag: tag.id.clone(),
        title: tag.title.clone(),
        severity: tag.severity.name().to_owned(),
        count,
        share,
        lift,
    }
}

/// The tags that the chosen carry beside `without`, the most frequent first.
pub(super) fn together(
    seen: &Seen,
    epoch: &Epoch,
    of: Of,
    chosen: &RoaringBitmap,
    without: &[String],
    limit: usize,
) -> Vec<TagTogether> {
    let definitions = seen.in_epoch(epoch);
    let matrix = of.matrix(epoch);
    let (selected, all) = (float(chosen.len()), float(of.all(epoch)));
    let found = matrix.tags_among(chosen, usize::MAX).into_iter();
    let visible = found.filter_map(|(tag, count)| {
        let definition = (*definitions.get(usize::from(tag))?)?;
        if without.contains(&definition.id) {
            return None;
        }
        let share = quotient(f64::from(count), selected);
        let carriers = matrix.carriers(tag).map_or(0, RoaringBitmap::len);
        let lift = quotient(share, quotient(float(carriers), all));
        Some(told(definition, u64::from(count), share, lift))
    });
    visible.take(limit).collect()
}

impl Customhouse {
    /// The tags that occur together most: with a chosen one, which `query.q` names, or of all.
    ///
    /// # Errors
    /// `not_permitted`, `tag_unknown`.
    pub fn tags_together(&self, reader: &Reader, query: &TagQuery) -> Result<TagGraph, Error> {
        let (seen, epoch) = self.seen_matrix(reader)?;
        let of = Of::asked(query);
        let matrix = of.matrix(&epoch);
        let definitions = seen.in_epoch(&epoch);
        let numbered = || (0_u16..).zip(&definitions).filter_map(|(number, own)| Some((number, (*own)?)));
        let chosen = query.q.trim();
        if !chosen.is_empty() && seen.tag(chosen).is_none() {
            return Err(Error::new(
                Kind::NotFound,
                "tag_unknown",
                format!("there is no tag \"{}\"", chosen.chars().take(80).collect::<String>()),
                "Look at the catalogue: `tidewaiter tags list`.",
            ));
        }
        let size = |number: u16| matrix.carriers(number).map_or(0, RoaringBitmap::len);
        let own = numbered().find(|(_, definition)| definition.id == chosen);
        let mut nodes: Vec<(u16, &TagDefinition, u64)> = match own {
            Some((number, definition)) => {
                let carriers = matrix.carriers(number).cloned().unwrap_or_default();
                let beside =
                    matrix.tags_among(&carriers, usize::MAX).into_iter().filter_map(|(tag, count)| {
                        let definition = (*definitions.get(usize::from(tag))?)?;
                        (tag != number).then_some((tag, definition, u64::from(count)))
                    });
                std::iter::once((number, definition, carriers.len())).chain(beside).collect()
            }
            None if chosen.is_empty() => {
                let mut all: Vec<_> =
                    numbered().map(|(number, definition)| (number, definition, size(number))).collect();
                all.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.1.id.cmp(&b.1.id)));
                all
            }
            // Nothing carries it.
            None => Vec::new(),
        };
        nodes.retain(|(.., count)| *count > 0);
        nodes.truncate(NODES);
        let all = of.all(&epoch);
        Ok(TagGraph {
            edges: pairs(matrix, all, &nodes.iter().map(|(number, ..)| *number).collect::<Vec<_>>()),
            nodes: nodes
                .into_iter()
                .map(|(_, definition, count)| {
                    told(definition, count, quotient(float(count), float(all)), 1.0)
                })
                .collect(),
            all,
            position: epoch.position,
            simulated: self.projection.read(any_simulated)?,
        })
    }
}

/// Pairs of these tags, the most frequent first.
fn pairs(matrix: &Matrix, all: u64, tags: &[u16]) -> Vec<TagPair> {
    let all = float(all);
    let mut found = Vec::new();
    for (one, tag) in tags.iter().enumerate() {
        let Some(carriers) = matrix.carriers(*tag) else { continue };
        for (other, beside) in tags.iter().enumerate().skip(one.saturating_add(1)) {
            let Some(others) = matrix.carriers(*beside) else { continue };
            let count = carriers.intersection_len(others);
            if count > 0 {
                let expected = quotient(float(carriers.len()) * float(others.len()), all);
                found.push(TagPair { one, other, count, lift: quotient(float(count), expected) });
            }
        }
    }
    found.sort_by(|a, b| b.count.cmp(&a.count).then((a.one, a.other).cmp(&(b.one, b.other))));
    found.truncate(EDGES_MAX);
    found
}
