//! How well scores put finds first.
#![expect(
    clippy::indexing_slicing,
    reason = "a numeric kernel over positions that it sorted itself; tested against published values and laws"
)]

use statrs::function::erf::erfc;

use super::interval::Z;
use super::number::{count, float, float_of, whole_length};
use crate::document::{Interval, Scores};

/// Positions in descending order of score, cut into runs of equal scores: `(start, end, finds)`.
fn runs(scores: &[f64], finds: &[bool]) -> Vec<(usize, usize, usize)> {
    let mut order: Vec<u32> = (0..super::number::position(scores.len())).collect();
    let at = |position: u32| scores[super::number::index(position)];
    order.sort_by(|a, b| at(*b).total_cmp(&at(*a)).then(a.cmp(b)));
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for (rank, position) in order.iter().enumerate() {
        let find = usize::from(finds[super::number::index(*position)]);
        match runs.last_mut() {
            Some(run) if at(order[run.0]).total_cmp(&at(*position)).is_eq() => {
                run.1 = rank + 1;
                run.2 += find;
            }
            _ => runs.push((rank, rank + 1, find)),
        }
    }
    runs
}

/// A ranking of units with known outcomes.
#[derive(Debug, Clone)]
pub struct Ranking {
    runs: Vec<(usize, usize, usize)>,
    units: usize,
    finds: usize,
}

impl Ranking {
    /// Ranks by descending score. `scores` and `finds` are of one length, scores are numbers.
    #[must_use]
    pub fn new(scores: &[f64], finds: &[bool]) -> Self {
        Self {
            runs: runs(scores, finds),
            units: scores.len(),
            finds: finds.iter().filter(|find| **find).count(),
        }
    }

    /// Units ranked.
    #[must_use]
    pub fn units(&self) -> u64 {
        count(self.units)
    }

    /// Finds among them.
    #[must_use]
    pub fn finds(&self) -> u64 {
        count(self.finds)
    }

    /// Area under the ROC curve with its interval: DeLong, DeLong, Clarke-Pearson (1988), by mid-ranks; ties count
    /// half. The interval is formed on the logit scale, so it stays within 0 and 1. Nothing when all outcomes are alike.
    #[must_use]
    pub fn auc(&self) -> Option<(f64, Interval)> {
        let (m, n) = (float_of(self.finds), float_of(self.units - self.finds));
        if m < 1.0 || n < 1.0 {
            return None;
        }
        let (mut finds_above, mut regular_above) = (0.0, 0.0);
        let (mut auc, mut finds_squared, mut regular_squared) = (0.0, 0.0, 0.0);
        for (start, end, finds) in &self.runs {
            let (finds, regular) = (float_of(*finds), float_of(end - start - finds));
            // Share of regular units that a find of this run beats, and the mirror image.
            let beats = (n - regular_above - regular / 2.0) / n;
            let beaten = (finds_above + finds / 2.0) / m;
            auc += finds * beats / m;
            finds_squared += finds * beats * beats;
            regular_squared += regular * beaten * beaten;
            finds_above += finds;
            regular_above += regular;
        }
        let variance_of = |squared: f64, size: f64| {
            if size > 1.0 { ((squared - size * auc * auc) / (size - 1.0)).max(0.0) / size } else { 0.25 }
        };
        let deviation = (variance_of(finds_squared, m) + variance_of(regular_squared, n)).sqrt();
        let inside = auc.clamp(1e-6, 1.0 - 1e-6);
        let logit = (inside / (1.0 - inside)).ln();
        let half = Z * deviation / (inside * (1.0 - inside));
        let back = |x: f64| 1.0 / (1.0 + (-x).exp());
        Some((auc, Interval { low: back(logit - half).min(auc), high: back(logit + half).max(auc) }))
    }

    /// Chance that an order at random does as well or better: Mann-Whitney, normal with the variance for ties.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        let (m, n, all) = (float_of(self.finds), float_of(self.units - self.finds), float_of(self.units));
        let Some((auc, _)) = self.auc() else { return 1.0 };
        let ties: f64 =
            self.runs.iter().map(|(start, end, _)| float_of(end - start)).map(|t| t * t * t - t).sum();
        let variance = m * n / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
        if variance <= 0.0 {
            return 1.0;
        }
        // Half a pair of continuity correction.
        let z = ((auc - 0.5) * m * n - 0.5) / variance.sqrt();
        (0.5 * erfc(z / std::f64::consts::SQRT_2)).clamp(1e-15, 1.0)
    }

    /// Expected number of finds among the best `units` of them; ties in expectation.
    #[must_use]
    pub fn finds_among_best(&self, units: usize) -> f64 {
        let mut found = 0.0;
        for (start, end, finds) in &self.runs {
            if *start >= units {
                break;
            }
            let taken = float_of((*end).min(units) - start) / float_of(end - start);
            found += taken * float_of(*finds);
        }
        found
    }

    /// Average precision; within ties, precision in expectation.
    #[must_use]
    pub fn average_precision(&self) -> f64 {
        let (mut found, mut sum) = (0.0, 0.0);
        for (start, end, finds) in &self.runs {
            let size = float_of(end - start);
            let finds = float_of(*finds);
            if finds > 0.0 {
                // Finds stand evenly within the run: at each place the expected share of them so far.
                for place in 0..(end - start) {
                    let so_far =
                        if size > 1.0 { 1.0 + float_of(place) * (finds - 1.0) / (size - 1.0) } else { 1.0 };
                    sum += finds / size * (found + so_far) / float_of(start + place + 1);
                }
            }
            found += finds;
        }
        if self.finds == 0 { 0.0 } else { sum / float_of(self.finds) }
    }

    /// All scores of the ranking; nothing when all outcomes are alike.
    #[must_use]
    pub fn scores(&self) -> Option<Scores> {
        use super::number::rounded;
        let (auc, interval) = self.auc()?;
        let best = whole_length((float_of(self.units) * 0.05).ceil()).max(1);
        Some(Scores {
            units: self.units(),
            finds: self.finds(),
            auc: rounded(auc),
            auc_interval: Interval { low: rounded(interval.low), high: rounded(interval.high) },
            average_precision: rounded(self.average_precision()),
            precision_at_5: rounded(self.finds_among_best(best) / float_of(best)),
            base_rate: rounded(float(self.finds()) / float(self.units().max(1))),
        })
    }
}

/// The `capacity` best positions by descending score; `tie` breaks ties (smaller first).
#[must_use]
pub fn best(scores: &[f64], capacity: usize, tie: impl Fn(usize) -> u64 + Sync) -> Vec<usize> {
    let mut order: Vec<(f64, u64, usize)> =
        scores.iter().enumerate().map(|(at, score)| (*score, tie(at), at)).collect();
    let capacity = capacity.min(order.len());
    let by = |a: &(f64, u64, usize), b: &(f64, u64, usize)| {
        b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2))
    };
    if capacity > 0 && capacity < order.len() {
        order.select_nth_unstable_by(capacity - 1, by);
    }
    order.truncate(capacity);
    let mut chosen: Vec<usize> = order.into_iter().map(|(_, _, at)| at).collect();
    chosen.sort_unstable();
    chosen
}
