//! What is asked of each value, gathered from all formulas: the cuts of the axes.

use std::collections::HashMap;
use std::sync::Arc;

use rules::{Condition, Cut, Formula, Range, Source};

use super::axis::{Axis, CUTS_MAX};

/// Ranges of one condition at most; a longer list is asked in parts.
const RANGES_MAX: usize = 20_000;

/// A formula whose conditions have no more ranges than an axis takes.
pub(super) fn in_parts(formula: &Formula) -> Formula {
    match formula {
        Formula::Condition(condition) if condition.ranges.len() > RANGES_MAX => {
            let parts = condition.ranges.chunks(RANGES_MAX).enumerate().map(|(at, ranges)| {
                Formula::Condition(Condition {
                    source: condition.source.clone(),
                    ranges: ranges.to_vec(),
                    absent: condition.absent && at == 0,
                })
            });
            Formula::Any(parts.collect())
        }
        Formula::All(parts) => Formula::All(parts.iter().map(in_parts).collect()),
        Formula::Any(parts) => Formula::Any(parts.iter().map(in_parts).collect()),
        other => other.clone(),
    }
}

/// Gathers what is asked of each source, in the order of the formulas.
#[derive(Default)]
pub(super) struct Cutter {
    sources: Vec<Source>,
    by_key: HashMap<Arc<str>, usize>,
    /// Source and cuts of each condition.
    conditions: Vec<(usize, Vec<Cut>)>,
}

impl Cutter {
    pub(super) fn gather(&mut self, formula: &Formula) {
        match formula {
            Formula::Constant(_) => {}
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| self.gather(part)),
            Formula::Condition(condition) => {
                let source = *self.by_key.entry(condition.source.key().clone()).or_insert_with(|| {
                    self.sources.push(condition.source.clone());
                    self.sources.len().saturating_sub(1)
                });
                let cuts = |range: &Range| [range.from.clone(), range.to.clone()].into_iter().flatten();
                self.conditions.push((source, condition.ranges.iter().flat_map(cuts).collect()));
            }
        }
    }

    /// The axes, and for each condition its own. A source that is cut more often than an axis takes has several.
    pub(super) fn axes(self) -> (Vec<Axis>, Vec<u16>) {
        let mut by_source: Vec<Vec<usize>> = vec![Vec::new(); self.sources.len()];
        for (at, (source, _)) in self.conditions.iter().enumerate() {
            if let Some(own) = by_source.get_mut(*source) {
                own.push(at);
            }
        }
        let (mut axes, mut axis_of) = (Vec::new(), vec![0_u16; self.conditions.len()]);
        for (source, mut own) in self.sources.into_iter().zip(by_source) {
            let cuts_of = |at: usize| self.conditions.get(at).map_or(&[][..], |(_, cuts)| cuts.as_slice());
            let mut all = distinct(own.iter().flat_map(|at| cuts_of(*at)));
            if all.len() <= CUTS_MAX {
                assign(&own, &axes, &mut axis_of);
                axes.push(Axis::new(source, all));
                continue;
            }
            // Conditions near each other share cuts.
            own.sort_by(|a, b| match (cuts_of(*a).first(), cuts_of(*b).first()) {
                (Some(a), Some(b)) => a.order(b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            });
            let mut rest = own.as_slice();
            while !rest.is_empty() {
                let mut cuts_counted = 0_usize;
                let fits = rest.iter().take_while(|at| {
                    cuts_counted = cuts_counted.saturating_add(cuts_of(**at).len());
                    cuts_counted <= CUTS_MAX
                });
                let (now, later) = rest.split_at(fits.count().max(1).min(rest.len()));
                all = distinct(now.iter().flat_map(|at| cuts_of(*at)));
                assign(now, &axes, &mut axis_of);
                axes.push(Axis::new(source.clone(), all));
                rest = later;
            }
        }
        (axes, axis_of)
    }
}

fn assign(conditions: &[usize], axes: &[Axis], axis_of: &mut [u16]) {
    let axis = u16::try_from(axes.len()).unwrap_or(u16::MAX);
    for condition in conditions {
        if let Some(own) = axis_of.get_mut(*condition) {
            *own = axis;
        }
    }
}

fn distinct<'a>(cuts: impl Iterator<Item = &'a Cut>) -> Vec<Cut> {
    let mut cuts: Vec<&Cut> = cuts.collect();
    cuts.sort_by(|a, b| a.order(b));
    cuts.dedup_by(|a, b| a.order(b).is_eq());
    cuts.into_iter().cloned().collect()
}
