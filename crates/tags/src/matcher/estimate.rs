//! How rare a condition is expected to be.

use super::axis::{Axis, Code};
use super::block::Block;
use super::node::Node;

/// Entries of a sample that are looked at.
const SAMPLE_MAX: usize = 8_192;
/// Rows of a sample taken from one place.
const PLACE_ROWS: usize = 16;

/// How many entries of a sample have a code below each, by axis; nothing is known without a sample.
#[derive(Default)]
pub(super) struct Estimate {
    below: Vec<Vec<u32>>,
}

impl Estimate {
    pub(super) fn of(axes: &[Axis], sample: &Block<'_>) -> Self {
        // Rows that lie together may be alike, so they are taken from everywhere: from as many places as possible.
        let places = sample.len().min(SAMPLE_MAX).div_ceil(PLACE_ROWS).max(1);
        let mut known = Vec::new();
        let below = axes.iter().map(|axis| {
            if axis.source.fields().iter().any(|field| sample.lane(field).is_none()) {
                // A value that the sample does not have is not a rare one: nothing is known of it.
                return Vec::new();
            }
            let mut counts = vec![0_u32; usize::from(axis.code_max()).saturating_add(2)];
            known.clear();
            for place in 0..places {
                let first = sample.len().saturating_mul(place) / places;
                let last = sample.len().min(first.saturating_add(PLACE_ROWS));
                let mut codes = vec![0; last.saturating_sub(first)];
                axis.code_rows(sample, first..last, &mut known, &mut codes);
                for code in codes {
                    if let Some(count) = counts.get_mut(usize::from(code).saturating_add(1)) {
                        *count = count.saturating_add(1);
                    }
                }
            }
            let mut sum = 0_u32;
            for count in &mut counts {
                sum = sum.saturating_add(*count);
                *count = sum;
            }
            counts
        });
        Self { below: below.collect() }
    }

    /// Part of all entries that a node is expected to leave, from 0 to 1; never quite 0, for a sample is no proof.
    pub(super) fn share(&self, node: &Node, axes: &[Axis]) -> f64 {
        match node {
            Node::Constant(yes) => f64::from(u8::from(*yes)),
            Node::Test(axis, ranges) => {
                let code_max = axes.get(usize::from(*axis)).map_or(0, Axis::code_max);
                let uniform = |low: Code, high: Code| {
                    f64::from(u32::from(high.saturating_sub(low)) + 1) / (f64::from(code_max) + 1.0)
                };
                let counted = self.below.get(usize::from(*axis));
                let share = |(low, high): &(Code, Code)| {
                    let Some(below) = counted else { return uniform(*low, *high) };
                    let at = |code: usize| below.get(code).or(below.last()).copied().unwrap_or_default();
                    let found =
                        at(usize::from(*high).saturating_add(1)).saturating_sub(at(usize::from(*low)));
                    let all = f64::from(below.last().copied().unwrap_or_default().max(1));
                    f64::from(found) / all + uniform(*low, *high) / all
                };
                ranges.iter().map(share).sum::<f64>().min(1.0)
            }
            Node::All(parts) => parts.iter().map(|part| self.share(part, axes)).product(),
            Node::Any(parts) => parts.iter().map(|part| self.share(part, axes)).sum::<f64>().min(1.0),
        }
    }
}
