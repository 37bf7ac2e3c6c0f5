//! Weights of tags: how much each tells of an irregularity, given all others it stands with.
//!
//! Ridge logistic regression of *irregular* on the tags of a declaration (A. E. Hoerl and R. W. Kennard, 1970; S. le
//! Cessie and J. C. van Houwelingen, 1992), by cyclic coordinate descent with Newton steps. Weights are whole *points*,
//! hundredths of log-odds, so that whoever applies them gets the same score everywhere. They are fitted on the earlier
//! declarations and tried on the later ones; what is applied is fitted on all of them.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: positions of tags are checked once, on the way in; tests recover planted weights"
)]

use jiff::civil::Date;
use serde::Serialize;

use crate::document::Interval;
use crate::statistics::number::{count, float, float_of, rounded};
use crate::statistics::ranking::Ranking;

/// One inspected declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct TagRow {
    /// Its day: later ones try what was fitted on earlier ones.
    pub day: Date,
    /// Positions of the tags it carries, each once.
    pub tags: Vec<u32>,
    /// Was something irregular found?
    pub irregular: bool,
    /// Probability with which it was selected, where that is known: seldom chosen ones stand for many.
    pub probability: Option<f64>,
}

/// How weights are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightOptions {
    /// Tags on fewer inspected declarations have no weight.
    pub rows_min: u64,
    /// Strength of the pull towards zero, in declarations.
    pub ridge: f64,
    /// No weight below zero, so that every reason is a reason for inspection.
    pub only_positive: bool,
    /// Share of the declarations that are later and try what was fitted.
    pub later_share: f64,
    /// A declaration stands for at most so many.
    pub weight_max: f64,
}

impl Default for WeightOptions {
    fn default() -> Self {
        Self { rows_min: 20, ridge: 4.0, only_positive: true, later_share: 0.3, weight_max: 10.0 }
    }
}

/// How weights did on declarations they were not fitted on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightsTried {
    /// Inspected declarations with a known outcome.
    pub declarations: u64,
    /// Of these irregular.
    pub irregular: u64,
    /// From this day on they were kept for trying; fitted was on those before.
    pub later_from: Option<Date>,
    /// Later declarations.
    pub later_declarations: u64,
    /// Of these irregular.
    pub later_irregular: u64,
    /// Chance that a later irregular one scores above a conform one.
    pub auc: Option<f64>,
    /// Its interval of 95 %.
    pub auc_interval: Option<Interval>,
    /// Share irregular among the tenth of later ones that score highest.
    pub precision_of_best_tenth: Option<f64>,
    /// Share of all later irregular ones that are among that tenth; a tenth is what chance would find.
    pub recall_of_best_tenth: Option<f64>,
    /// Share irregular among all later ones: what chance would find.
    pub precision_of_chance: Option<f64>,
}

/// Fitted weights.
#[derive(Debug, Clone, PartialEq)]
pub struct TagWeights {
    /// Points that every declaration begins with.
    pub base_points: i32,
    /// Points of each tag.
    pub points: Vec<i32>,
    /// How such weights did on later declarations.
    pub tried: WeightsTried,
}

/// Sweeps over all weights at most.
const SWEEPS_MAX: usize = 60;
/// No weight moves further than this in one step: steps of Newton's method overshoot far from the answer.
const STEP_MAX: f64 = 1.0;
/// It is enough when nothing moves further than this: a twentieth of a point.
const STEP_ENOUGH: f64 = 0.0005;
/// Points of one tag at most.
const POINTS_MAX: f64 = 1_000.0;

struct Model {
    base: f64,
    weights: Vec<f64>,
}

impl Model {
    fn score(&self, row: &TagRow) -> f64 {
        self.base + row.tags.iter().filter_map(|tag| self.weights.get(position(*tag))).sum::<f64>()
    }
}

fn position(tag: u32) -> usize {
    crate::statistics::number::index(tag)
}

fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// Fits the weights of `tags` tags. Positions of tags beyond that are ignored.
#[must_use]
pub fn fit_tag_weights(rows: &[TagRow], tags: usize, options: &WeightOptions) -> TagWeights {
    let mut order: Vec<&TagRow> = rows.iter().collect();
    order.sort_by_key(|row| row.day);
    let cut = cut(&order, options.later_share);
    let (earlier, later) = order.split_at(cut);
    let tried = tried(&order, later, &fit(earlier, tags, options));
    let model = fit(&order, tags, options);
    TagWeights {
        base_points: points(model.base),
        points: model.weights.iter().map(|weight| points(*weight)).collect(),
        tried,
    }
}

/// Where later declarations begin: never within a day.
fn cut(order: &[&TagRow], later_share: f64) -> usize {
    let wanted = crate::statistics::number::whole_length(float_of(order.len()) * (1.0 - later_share));
    let Some(day) = order.get(wanted).map(|row| row.day) else { return order.len() };
    order.partition_point(|row| row.day < day)
}

fn points(weight: f64) -> i32 {
    let rounded = (weight * 100.0).round().clamp(-POINTS_MAX, POINTS_MAX);
    // Within a thousand: any whole number of that size is exact.
    rounded.to_string().parse().unwrap_or(0)
}

fn fit(rows: &[&TagRow], tags: usize, options: &WeightOptions) -> Model {
    let importance: Vec<f64> = rows
        .iter()
        .map(|row| row.probability.map_or(1.0, |own| (1.0 / own.max(1e-6)).min(options.weight_max)))
        .collect();
    let scale = float_of(rows.len()) / importance.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let importance: Vec<f64> = importance.into_iter().map(|own| own * scale).collect();
    let mut carriers: Vec<Vec<u32>> = vec![Vec::new(); tags];
    for (at, row) in (0_u32..).zip(rows) {
        for tag in &row.tags {
            if let Some(own) = carriers.get_mut(position(*tag)) {
                own.push(at);
            }
        }
    }
    let all: f64 = importance.iter().sum();
    let bad: f64 = rows.iter().zip(&importance).filter(|(row, _)| row.irregular).map(|(_, own)| own).sum();
    // Half a declaration of each kind keeps the logarithm finite.
    let mut model = Model { base: ((bad + 0.5) / (all - bad + 0.5)).ln(), weights: vec![0.0; tags] };
    let mut scores = vec![model.base; rows.len()];
    for _ in 0..SWEEPS_MAX {
        let mut furthest = 0.0_f64;
        let everyone: Vec<u32> = (0_u32..).take(rows.len()).collect();
        let step = newton(rows, &importance, &scores, &everyone, 0.0, 0.0);
        model.base += step;
        scores.iter_mut().for_each(|score| *score += step);
        for (tag, own) in carriers.iter().enumerate() {
            if count(own.len()) < options.rows_min {
                continue;
            }
            let weight = model.weights[tag];
            let mut step = newton(rows, &importance, &scores, own, weight, options.ridge);
            if options.only_positive {
                step = step.max(-weight);
            }
            model.weights[tag] += step;
            for at in own {
                scores[position(*at)] += step;
            }
            furthest = furthest.max(step.abs());
        }
        if furthest < STEP_ENOUGH {
            break;
        }
    }
    model
}

/// One step of Newton's method for the weight that these rows share.
fn newton(rows: &[&TagRow], importance: &[f64], scores: &[f64], own: &[u32], weight: f64, ridge: f64) -> f64 {
    let (mut slope, mut bend) = (-ridge * weight, ridge);
    for at in own {
        let at = position(*at);
        let expected = logistic(scores[at]);
        slope += importance[at] * (f64::from(u8::from(rows[at].irregular)) - expected);
        bend += importance[at] * expected * (1.0 - expected);
    }
    (slope / bend.max(1e-9)).clamp(-STEP_MAX, STEP_MAX)
}

fn tried(all: &[&TagRow], later: &[&TagRow], model: &Model) -> WeightsTried {
    let scores: Vec<f64> = later.iter().map(|row| model.score(row)).collect();
    let finds: Vec<bool> = later.iter().map(|row| row.irregular).collect();
    let ranking = Ranking::new(&scores, &finds);
    let auc = ranking.auc();
    let tenth = later.len() / 10;
    let share = |part: f64, whole: f64| (whole > 0.0).then(|| rounded(part / whole));
    WeightsTried {
        declarations: count(all.len()),
        irregular: count(all.iter().filter(|row| row.irregular).count()),
        later_from: later.first().map(|row| row.day),
        later_declarations: ranking.units(),
        later_irregular: ranking.finds(),
        auc: auc.as_ref().map(|(auc, _)| rounded(*auc)),
        auc_interval: auc.map(|(_, interval)| interval),
        precision_of_best_tenth: share(ranking.finds_among_best(tenth), float_of(tenth)),
        recall_of_best_tenth: share(ranking.finds_among_best(tenth), float(ranking.finds())),
        precision_of_chance: share(float(ranking.finds()), float(ranking.units())),
    }
}
