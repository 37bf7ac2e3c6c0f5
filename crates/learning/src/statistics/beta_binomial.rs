//! Empirical Bayes for rates: a beta distribution of true rates, fitted to many small samples.

use std::collections::BTreeMap;

use statrs::function::gamma::ln_gamma;

use super::interval::beta_interval;
use super::number::float;
use crate::document::{Interval, Prior};

/// The largest strength: with it, values are taken to be alike.
pub const STRENGTH_MAX: f64 = 1e6;
/// The smallest strength: with it, values keep almost their own rates.
pub const STRENGTH_MIN: f64 = 0.1;

struct Samples(Vec<(f64, f64, f64)>);

impl Samples {
    fn log_likelihood(&self, mean: f64, strength: f64) -> f64 {
        let (alpha, beta) = (mean * strength, (1.0 - mean) * strength);
        let constant = ln_gamma(strength) - ln_gamma(alpha) - ln_gamma(beta);
        self.0
            .iter()
            .map(|(hits, n, times)| {
                times
                    * (constant + ln_gamma(alpha + hits) + ln_gamma(beta + n - hits) - ln_gamma(strength + n))
            })
            .sum()
    }
}

/// Golden-section search for the maximum of a function with one peak.
fn maximum(mut low: f64, mut high: f64, steps: usize, f: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let mut left = high - GOLDEN * (high - low);
    let mut right = low + GOLDEN * (high - low);
    let (mut at_left, mut at_right) = (f(left), f(right));
    for _ in 0..steps {
        if at_left >= at_right {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - GOLDEN * (high - low);
            at_left = f(left);
        } else {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + GOLDEN * (high - low);
            at_right = f(right);
        }
    }
    f64::midpoint(low, high)
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Fits the beta distribution by maximum marginal likelihood (beta-binomial; Casella 1985, Efron 2010 ch. 1) to
/// `(hits, n)` of each value; those with `n = 0` say nothing. Mean and strength are found by alternating searches:
/// they are nearly orthogonal.
#[must_use]
pub fn fit(samples: impl IntoIterator<Item = (u64, u64)>) -> Prior {
    let mut counted: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let (mut hits, mut total) = (0_u64, 0_u64);
    for (k, n) in samples {
        if n > 0 {
            let times = counted.entry((k.min(n), n)).or_default();
            *times = times.saturating_add(1);
            hits = hits.saturating_add(k.min(n));
            total = total.saturating_add(n);
        }
    }
    // Half a find and half a regular one keep the mean off the borders.
    let pooled = (float(hits) + 0.5) / (float(total) + 1.0);
    if hits == 0 || hits == total || counted.values().sum::<u64>() < 2 {
        return Prior { mean: pooled, strength: STRENGTH_MAX };
    }
    let samples =
        Samples(counted.into_iter().map(|((k, n), times)| (float(k), float(n), float(times))).collect());
    let (mut mean, mut strength) = (pooled, 10.0_f64);
    for _ in 0..3 {
        strength =
            maximum(STRENGTH_MIN.ln(), STRENGTH_MAX.ln(), 24, |log| samples.log_likelihood(mean, log.exp()))
                .exp();
        let logit = (mean / (1.0 - mean)).ln();
        mean = logistic(maximum(logit - 1.5, logit + 1.5, 20, |x| {
            samples.log_likelihood(logistic(x), strength)
        }));
    }
    Prior { mean, strength }
}

impl Prior {
    /// Estimate of a value's rate: the mean of its posterior.
    #[must_use]
    pub fn shrink(&self, hits: u64, n: u64) -> f64 {
        (self.mean * self.strength + float(hits)) / (self.strength + float(n))
    }

    /// Central interval of the posterior. Fitting the prior to the same data makes it a little too short; it is for
    /// reading, and flags rest on exact tests instead.
    #[must_use]
    pub fn interval(&self, hits: u64, n: u64) -> Interval {
        let alpha = self.mean * self.strength + float(hits);
        let beta = (1.0 - self.mean) * self.strength + float(n.saturating_sub(hits));
        beta_interval(alpha, beta)
    }
}
