//! Scores learnt from past inspections, tried on later months.

mod additive;
mod features;
mod period;
mod trees;

use crate::AuditError;
use crate::history::History;
use crate::statistics::number::{float_of, index, whole_length};
use crate::statistics::ranking::Ranking;

pub(crate) use features::logit;
pub(crate) use period::Period;

/// One learnt score on the units it was asked for, and what weighs in it.
#[derive(Debug, Clone)]
pub(crate) struct Scored {
    /// One score a unit; larger is riskier.
    pub(crate) of_unit: Vec<f64>,
    /// What weighs most, as shares of the whole weight.
    pub(crate) weights: Vec<(String, f64)>,
}

/// Both models on the units of trial, and which of them did better within the months of learning.
#[derive(Debug, Clone)]
pub(crate) struct Models {
    pub(crate) additive: Scored,
    pub(crate) trees: Scored,
    pub(crate) trees_were_better: bool,
}

/// Names of weights kept.
const WEIGHTS_MAX: usize = 12;

fn heaviest(mut weights: Vec<(String, f64)>) -> Vec<(String, f64)> {
    let sum: f64 = weights.iter().map(|(_, weight)| weight.abs()).sum();
    weights.retain(|(_, weight)| weight.abs() > 0.0);
    weights.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    weights.truncate(WEIGHTS_MAX);
    for (_, weight) in &mut weights {
        *weight = crate::statistics::number::rounded(*weight / sum);
    }
    weights
}

/// Fits both models on learning units and scores the units of trial.
fn fit_both(
    history: &History<'_>,
    learning: &[u32],
    scored: &[u32],
    units_max: usize,
) -> Result<(Scored, Scored), AuditError> {
    history.check()?;
    let features = features::build(history, learning, scored, units_max);
    history.check()?;
    let (additive, trees) =
        rayon::join(|| additive::fit(&features), || trees::fit(&features, history.options.seed));
    Ok((features.units_of(history, scored, additive), features.units_of(history, scored, trees)))
}

/// Learns from the months of learning and scores all units of trial. Which model is better is decided within the
/// months of learning: on their last quarter, by models fitted to the rest.
pub(crate) fn learn(history: &History<'_>, period: &Period) -> Result<Models, AuditError> {
    let cut = whole_length(float_of(period.learning.len()) * 0.75);
    let (early, late) = period.learning.split_at(cut.min(period.learning.len()));
    let finds: Vec<bool> = late.iter().map(|unit| history.fate(*unit).find()).collect();
    let (additive, trees) = fit_both(history, early, late, features::UNITS_TO_CHOOSE_MAX)?;
    let auc = |scored: &Scored| Ranking::new(&scored.of_unit, &finds).auc().map_or(0.5, |(auc, _)| auc);
    let trees_were_better = auc(&trees) > auc(&additive);
    let (additive, trees) = fit_both(history, &period.learning, &period.trial, features::UNITS_TO_FIT_MAX)?;
    Ok(Models { additive, trees, trees_were_better })
}

impl features::Features {
    /// Scores of units from scores of rows: a declaration is as risky as its riskiest item.
    fn units_of(&self, history: &History<'_>, units: &[u32], scored: Scored) -> Scored {
        let mut next = self.learning_rows;
        let of_unit = units
            .iter()
            .map(|unit| {
                let rows = history.rows_of(*unit).len();
                let from = next;
                next = next.saturating_add(rows);
                scored
                    .of_unit
                    .get(from..next)
                    .unwrap_or_default()
                    .iter()
                    .copied()
                    .fold(f64::NEG_INFINITY, f64::max)
            })
            .collect();
        Scored { of_unit, weights: scored.weights }
    }
}

/// Position of each row among the rows of `units`, for joining bitmaps of rows.
fn positions(history: &History<'_>, rows: &[u32]) -> Vec<u32> {
    let mut positions = vec![crate::history::ABSENT; history.table.len()];
    for (at, row) in rows.iter().enumerate() {
        if let Some(slot) = positions.get_mut(index(*row)) {
            *slot = crate::statistics::number::position(at);
        }
    }
    positions
}
