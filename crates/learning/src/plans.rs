//! Other plans at the same capacity: what they keep, what they lose, and what nobody can know.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use spine::Sensitivity;

use crate::document::{Estimate, Interval, PlanResult, Plans};
use crate::history::History;
use crate::models::{Models, Period, Scored};
use crate::options::{Capacity, TagColumn};
use crate::rates::rounded_interval;
use crate::statistics::hypergeometric::{self, Stratum};
use crate::statistics::interval;
use crate::statistics::number::{count, float, float_of, rounded, share, whole, whole_length};
use crate::statistics::{random, ranking};
use crate::texts;

/// Share of the capacity that the exploring plan spends at random.
pub(crate) const EXPLORATION_SHARE: f64 = 0.1;
/// Share of the units of trial where everything was inspected and nothing was asked.
const CAPACITY_SHARE_DEFAULT: f64 = 0.1;
/// An estimate needs so many inspected units, and so many effective ones.
const ESTIMATE_INSPECTED_MIN: u64 = 30;
const ESTIMATE_EFFECTIVE_MIN: f64 = 15.0;
/// Share of the inspected units of a selection that may lack a recorded probability.
const PROBABILITY_MISSING_MAX: f64 = 0.02;
/// The weighted count of a selection may miss its true size by four standard errors and this share of it.
const SIZE_TOLERANCE: f64 = 0.1;

/// Draws for ties and for exploring; purposes of [`random::bits`].
const TIES: u64 = 11;
const EXPLORING: u64 = 12;

/// One plan's selection, as positions in the units of trial, ascending.
struct Selection {
    id: &'static str,
    chosen: Vec<usize>,
    weights: Vec<(String, f64)>,
}

/// Plans before control of false claims.
pub(crate) struct Tried {
    plans: Plans,
    /// One a plan that is not actual or random, in order.
    pub(crate) p_values: Vec<f64>,
}

fn capacity(history: &History<'_>, period: &Period, actual: usize) -> usize {
    let units = period.trial.len();
    let capacity = match history.options.capacity {
        Capacity::Count(number) => usize::try_from(number).unwrap_or(usize::MAX),
        Capacity::Share(share) => whole_length(share * float_of(units)),
        Capacity::AsInspected if actual < units => actual,
        Capacity::AsInspected => whole_length(CAPACITY_SHARE_DEFAULT * float_of(units)),
    };
    capacity.clamp(1, units)
}

/// Selects with each plan and counts what became of it.
pub(crate) fn try_out(history: &History<'_>, period: &Period, models: &Models) -> Tried {
    let actual: Vec<usize> = (0..period.trial.len())
        .filter(|at| period.trial.get(*at).is_some_and(|unit| history.fate(*unit).inspected()))
        .collect();
    let capacity = capacity(history, period, actual.len());
    let selections = [
        Selection { id: "actual", chosen: actual.clone(), weights: Vec::new() },
        best(history, "additive", &models.additive, capacity),
        best(history, "trees", &models.trees, capacity),
        exploring(history, models, capacity),
    ];
    let mut plans: Vec<PlanResult> =
        selections.iter().map(|selection| result(history, period, selection, &actual)).collect();
    let p_values = plans.iter().skip(1).map(|plan| p_value(period, plan)).collect();
    plans.insert(1, at_random(history, period, capacity));
    let units = count(period.trial.len());
    let plans = Plans {
        split: period.split.clone(),
        capacity: count(capacity),
        capacity_share: share(count(capacity), units).map_or(0.0, rounded),
        secret_weights: secret_weights(history, &plans),
        plans,
    };
    Tried { plans, p_values }
}

fn secret_weights(history: &History<'_>, plans: &[PlanResult]) -> BTreeMap<String, Sensitivity> {
    let named =
        |tag: &TagColumn| plans.iter().any(|plan| plan.weights.iter().any(|(name, _)| *name == tag.id));
    let secret = history.tags.iter().filter(|tag| tag.sensitivity > Sensitivity::Official && named(tag));
    secret.map(|tag| (tag.id.clone(), tag.sensitivity)).collect()
}

fn best(history: &History<'_>, id: &'static str, model: &Scored, capacity: usize) -> Selection {
    let tie = |at: usize| random::bits(history.options.seed, TIES, count(at));
    Selection { id, chosen: ranking::best(&model.of_unit, capacity, tie), weights: model.weights.clone() }
}

/// A tenth at random over everything, the rest by the model that did better within the months of learning.
fn exploring(history: &History<'_>, models: &Models, capacity: usize) -> Selection {
    let model = if models.trees_were_better { &models.trees } else { &models.additive };
    let drawn = whole_length(EXPLORATION_SHARE * float_of(capacity));
    let units = model.of_unit.len();
    let lots: Vec<f64> =
        (0..units).map(|at| random::uniform(history.options.seed, EXPLORING, count(at))).collect();
    let explored = ranking::best(&lots, drawn, count);
    let mut scores = model.of_unit.clone();
    for at in &explored {
        if let Some(score) = scores.get_mut(*at) {
            *score = f64::INFINITY;
        }
    }
    let tie = |at: usize| random::bits(history.options.seed, TIES, count(at));
    Selection { id: "explore", chosen: ranking::best(&scores, capacity, tie), weights: model.weights.clone() }
}

fn result(history: &History<'_>, period: &Period, selection: &Selection, actual: &[usize]) -> PlanResult {
    let units: Vec<u32> = selection.chosen.iter().filter_map(|at| period.trial.get(*at).copied()).collect();
    let known = count(units.iter().filter(|unit| history.fate(**unit).known()).count());
    let unknown = count(units.iter().filter(|unit| !history.fate(**unit).inspected()).count());
    let kept = count(units.iter().filter(|unit| history.fate(**unit).find()).count());
    let base = share(period.split.trial_finds, period.split.trial_inspected).unwrap_or(0.0);
    let rate = share(kept, known);
    let revenue =
        history.table.decimals("recovered_revenue").filter(|column| column.iter().any(Option::is_some));
    let kept_revenue = |_| {
        let finds = units.iter().filter(|unit| history.fate(**unit).find());
        finds.map(|unit| history.revenue(*unit)).fold(Decimal::ZERO, Decimal::saturating_add)
    };
    let shared = selection.chosen.iter().filter(|at| actual.binary_search(at).is_ok()).count();
    PlanResult {
        id: selection.id.to_owned(),
        title: texts::plan(selection.id),
        description: texts::plan_description(selection.id),
        selected: count(units.len()),
        selected_known: known,
        selected_unknown: unknown,
        finds_kept: float(kept),
        finds_lost: float(period.split.trial_finds.saturating_sub(kept)),
        known_rate: rate.map(rounded),
        known_rate_interval: (known > 0)
            .then(|| rounded_interval(interval::wilson(float(kept), float(known)))),
        revenue_kept: revenue.map(kept_revenue),
        lift: rate.filter(|_| base > 0.0).map(|rate| rounded(rate / base)),
        adjusted_p: None,
        better_than_random: false,
        // What was actually inspected is known; there is nothing to estimate.
        estimate: (selection.id != "actual").then(|| estimate(history, &units)),
        shared_with_actual: count(shared),
        weights: selection.weights.clone(),
    }
}

/// What a random choice of the same size would do on average.
fn at_random(history: &History<'_>, period: &Period, capacity: usize) -> PlanResult {
    let split = &period.split;
    let part = float_of(capacity) / float_of(period.trial.len().max(1));
    let finds = float(split.trial_finds);
    let rate = share(split.trial_finds, split.trial_inspected);
    let inspected = period.trial.iter().filter(|unit| history.fate(**unit).inspected()).count();
    let never = count(period.trial.len().saturating_sub(inspected));
    let scaled = match estimate(history, &period.trial) {
        Estimate::Given {
            finds,
            finds_interval,
            rate,
            rate_interval,
            horvitz_thompson_finds,
            inspected,
            effective_sample,
        } => Estimate::Given {
            finds: rounded(finds * part),
            finds_interval: Interval {
                low: rounded(finds_interval.low * part),
                high: rounded(finds_interval.high * part),
            },
            rate,
            rate_interval,
            horvitz_thompson_finds: rounded(horvitz_thompson_finds * part),
            inspected,
            effective_sample,
        },
        refused @ Estimate::Refused { .. } => refused,
    };
    PlanResult {
        id: "random".to_owned(),
        title: texts::plan("random"),
        description: texts::plan_description("random"),
        selected: count(capacity),
        selected_known: whole(float(split.trial_inspected) * part),
        selected_unknown: whole(float(never) * part),
        finds_kept: rounded(finds * part),
        finds_lost: rounded(finds * (1.0 - part)),
        known_rate: rate.map(rounded),
        known_rate_interval: (split.trial_inspected > 0)
            .then(|| rounded_interval(interval::wilson(finds, float(split.trial_inspected)))),
        revenue_kept: None,
        lift: rate.map(|_| 1.0),
        adjusted_p: None,
        better_than_random: false,
        estimate: Some(scaled),
        shared_with_actual: whole(float_of(inspected) * part),
        weights: Vec::new(),
    }
}

/// Chance that a random choice among the inspected keeps as many finds: exact, because the plan was fixed before the
/// months of trial.
fn p_value(period: &Period, plan: &PlanResult) -> f64 {
    let stratum = Stratum {
        total: period.split.trial_inspected,
        hits: period.split.trial_finds,
        drawn: plan.selected_known,
    };
    hypergeometric::test([stratum], whole(plan.finds_kept)).at_least
}

/// What a selection would find if all of it were inspected, from the inspections that were made in it and the recorded
/// probabilities of making them. See [`crate::estimate_rate`].
fn estimate(history: &History<'_>, units: &[u32]) -> Estimate {
    let inspected: Vec<u32> = units.iter().copied().filter(|unit| history.fate(*unit).known()).collect();
    let draws: Vec<(f64, bool)> = inspected
        .iter()
        .filter_map(|unit| Some((history.probability(*unit)?, history.fate(*unit).find())))
        .collect();
    let missing = share(count(inspected.len().saturating_sub(draws.len())), count(inspected.len()));
    if draws.is_empty() || missing.is_none_or(|missing| missing > PROBABILITY_MISSING_MAX) {
        return refused("no_probabilities");
    }
    estimate_rate(&draws, count(units.len()))
}

fn refused(reason: &str) -> Estimate {
    Estimate::Refused { reason: reason.to_owned() }
}

/// Finds among `selected` units of which some were inspected, each with a known probability: Hajek's ratio of weighted
/// sums (Hajek 1971) beside Horvitz and Thompson (1952), inspections taken as drawn independently of one another.
///
/// The interval is Wilson's at the effective number of inspections. That number is the smaller of two: from the
/// linearised variance as observed, and from the probabilities alone, so that a lucky absence of finds among heavy
/// weights does not shorten it. Refused when the weights do not add up to the size of the selection: then parts of it
/// could never be inspected, or the probabilities are not what they say.
#[must_use]
pub fn estimate_rate(draws: &[(f64, bool)], selected: u64) -> Estimate {
    let weight = |(p, _): &(f64, bool)| 1.0 / p;
    let size: f64 = draws.iter().map(weight).sum();
    let finds: f64 = draws.iter().filter(|(_, find)| *find).map(weight).sum();
    let squares: f64 = draws.iter().map(|(p, _)| 1.0 / (p * p)).sum();
    let spread: f64 = draws.iter().map(|(p, _)| (1.0 - p) / (p * p)).sum();
    let effective = size * size / squares;
    if count(draws.len()) < ESTIMATE_INSPECTED_MIN || effective < ESTIMATE_EFFECTIVE_MIN {
        return refused("too_few_inspected");
    }
    let off = size - float(selected);
    if off.abs() > 4.0 * spread.sqrt() + SIZE_TOLERANCE * float(selected) {
        return refused(if off < 0.0 { "overlap_insufficient" } else { "probabilities_inconsistent" });
    }
    let rate = finds / size;
    let rate_interval = if spread > 0.0 {
        let variance: f64 = draws
            .iter()
            .map(|(p, find)| {
                let residual = f64::from(u8::from(*find)) - rate;
                (1.0 - p) / (p * p) * residual * residual
            })
            .sum::<f64>()
            / (size * size);
        let by_design = size * size / spread;
        let observed = if variance > 0.0 { rate * (1.0 - rate) / variance } else { by_design };
        let n = by_design.min(observed);
        interval::wilson(rate * n, n)
    } else {
        // Everything was certain to be inspected: nothing is left to chance.
        Interval { low: rate, high: rate }
    };
    let all = float(selected);
    Estimate::Given {
        finds: rounded(rate * all),
        finds_interval: Interval {
            low: rounded(rate_interval.low * all),
            high: rounded(rate_interval.high * all),
        },
        rate: rounded(rate),
        rate_interval: rounded_interval(rate_interval),
        horvitz_thompson_finds: rounded(finds),
        inspected: count(draws.len()),
        effective_sample: rounded(effective),
    }
}

impl Tried {
    /// The section, once the control of false claims has spoken.
    pub(crate) fn conclude(mut self, adjusted: &[f64], false_rate: f64) -> Plans {
        let alternatives = self.plans.plans.iter_mut().skip(2);
        for (plan, adjusted) in alternatives.zip(adjusted) {
            plan.adjusted_p = Some(rounded(*adjusted));
            plan.better_than_random = *adjusted <= false_rate;
        }
        self.plans
    }
}
