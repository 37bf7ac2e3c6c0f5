//! Share of finds against share of inspections, for orders learnt from the past.

use std::collections::HashMap;

use rust_decimal::prelude::ToPrimitive;

use crate::document::{Curve, CurveOrder, CurvePoint};
use crate::history::{ABSENT, Codes, History};
use crate::models::{Models, Period, Scored};
use crate::rates::rounded_interval;
use crate::statistics::number::{float, float_of, index, rounded, whole_length};
use crate::statistics::ranking::Ranking;
use crate::statistics::{beta_binomial, interval};
use crate::texts;

/// Shares of inspections at which the curve is read.
const SHARES: [f64; 24] = [
    0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55,
    0.6, 0.7, 0.8, 0.9, 0.95, 1.0,
];

/// Orders before control of false claims.
pub(crate) struct Drawn {
    period: Period,
    orders: Vec<(&'static str, Ranking)>,
    pub(crate) p_values: Vec<f64>,
}

/// Draws the curves over the inspected units of trial.
pub(crate) fn draw(history: &History<'_>, period: &Period, models: &Models) -> Drawn {
    let known: Vec<(usize, u32)> =
        period.trial.iter().copied().enumerate().filter(|(_, unit)| history.fate(*unit).known()).collect();
    let finds: Vec<bool> = known.iter().map(|(_, unit)| history.fate(*unit).find()).collect();
    let of_model = |model: &Scored| -> Vec<f64> {
        known.iter().map(|(at, _)| model.of_unit.get(*at).copied().unwrap_or(f64::NEG_INFINITY)).collect()
    };
    let units: Vec<u32> = known.iter().map(|(_, unit)| *unit).collect();
    let mut orders = Vec::new();
    if let Some(scores) = by_past_rate(history, period, "selection_reason", &units) {
        orders.push(("rule", Ranking::new(&scores, &finds)));
    }
    if let Some(scores) = by_past_rate(history, period, "hs_subheading", &units) {
        orders.push(("commodity", Ranking::new(&scores, &finds)));
    }
    orders.push(("additive", Ranking::new(&of_model(&models.additive), &finds)));
    orders.push(("trees", Ranking::new(&of_model(&models.trees), &finds)));
    if let Some(scores) = by_value(history, &units) {
        orders.push(("value", Ranking::new(&scores, &finds)));
    }
    let p_values = orders.iter().map(|(_, ranking)| ranking.p_value()).collect();
    Drawn { period: period.clone(), orders, p_values }
}

/// Score of a unit: the shrunk past rate of its value; without one, the mean.
fn by_past_rate(history: &History<'_>, period: &Period, dimension: &str, units: &[u32]) -> Option<Vec<f64>> {
    let codes = Codes::of_dimension(history.table, dimension).filter(|codes| codes.values.len() > 1)?;
    let mut past: HashMap<u32, (u64, u64)> = HashMap::new();
    let mut own = Vec::new();
    for unit in &period.learning {
        codes.of_unit(history, *unit, &mut own);
        for code in &own {
            let (hits, n) = past.entry(*code).or_default();
            *n = n.saturating_add(1);
            *hits = hits.saturating_add(u64::from(history.fate(*unit).find()));
        }
    }
    if past.is_empty() {
        return None;
    }
    let prior = beta_binomial::fit(past.values().copied());
    let rate = |row: &u32| {
        let code = codes.get(*row);
        if code == ABSENT {
            return prior.mean;
        }
        let (hits, n) = past.get(&code).copied().unwrap_or_default();
        prior.shrink(hits, n)
    };
    Some(units.iter().map(|unit| history.rows_of(*unit).iter().map(rate).fold(0.0, f64::max)).collect())
}

fn by_value(history: &History<'_>, units: &[u32]) -> Option<Vec<f64>> {
    let column =
        history.table.decimals("customs_value").filter(|column| column.iter().any(Option::is_some))?;
    let value = |row: &u32| column.get(index(*row)).copied().flatten().and_then(|value| value.to_f64());
    Some(units.iter().map(|unit| history.rows_of(*unit).iter().filter_map(value).sum()).collect())
}

impl Drawn {
    /// The section, once the control of false claims has spoken.
    pub(crate) fn conclude(self, adjusted: &[f64], false_rate: f64) -> Curve {
        let split = self.period.split;
        let orders = self
            .orders
            .iter()
            .zip(adjusted)
            .filter_map(|((id, ranking), adjusted)| {
                let (auc, auc_interval) = ranking.auc()?;
                Some(CurveOrder {
                    id: (*id).to_owned(),
                    title: texts::order(id),
                    points: points(ranking),
                    auc: rounded(auc),
                    auc_interval: rounded_interval(auc_interval),
                    adjusted_p: rounded(*adjusted),
                    better_than_random: *adjusted <= false_rate,
                })
            })
            .collect();
        Curve { inspected: split.trial_inspected, finds: split.trial_finds, split, orders }
    }
}

fn points(ranking: &Ranking) -> Vec<CurvePoint> {
    let (units, finds) = (ranking.units(), float(ranking.finds()));
    SHARES
        .iter()
        .map(|share| {
            let among = whole_length(share * float(units));
            let found = ranking.finds_among_best(among);
            CurvePoint {
                inspections: rounded(float_of(among) / float(units.max(1))),
                finds: rounded(found / finds.max(1.0)),
                interval: rounded_interval(interval::wilson(found, finds)),
            }
        })
        .collect()
}
