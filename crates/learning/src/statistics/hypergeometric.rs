//! Exact tests: how many of the finds fall to a group if finds were dealt out at random within strata.
//!
//! In each stratum `total` inspections with `hits` finds are given, of which the group made `drawn`. The number of
//! finds that fall to the group is then hypergeometric, and the sum over strata is the convolution. This is Fisher's
//! exact test with one stratum, and the exact conditional test of Cochran-Mantel-Haenszel with several.

use statrs::function::gamma::ln_gamma;

use super::number::float;

/// One stratum as a group sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stratum {
    /// All inspections.
    pub total: u64,
    /// Finds among them.
    pub hits: u64,
    /// Inspections of the group.
    pub drawn: u64,
}

/// Probabilities of `first, first + 1, ...`; what is left out at both ends weighs less than 1e-18 of the largest.
#[derive(Debug, Clone, PartialEq)]
struct Distribution {
    first: u64,
    weights: Vec<f64>,
}

const NEGLIGIBLE: f64 = 1e-18;
/// Tails are not told apart below this.
const P_MIN: f64 = 1e-15;

fn ln_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

impl Distribution {
    fn certain(value: u64) -> Self {
        Self { first: value, weights: vec![1.0] }
    }

    fn of(stratum: Stratum) -> Self {
        let Stratum { total, hits, drawn } = stratum;
        let (hits, drawn) = (hits.min(total), drawn.min(total));
        let lowest = (hits.saturating_add(drawn)).saturating_sub(total);
        let highest = hits.min(drawn);
        if lowest == highest {
            return Self::certain(lowest);
        }
        let mode = float(hits.saturating_add(1)) * float(drawn.saturating_add(1)) / (float(total) + 2.0);
        let mode = super::number::whole(mode.floor()).clamp(lowest, highest);
        let (big, k, n) = (float(total), float(hits), float(drawn));
        let at_mode =
            (ln_choose(k, float(mode)) + ln_choose(big - k, n - float(mode)) - ln_choose(big, n)).exp();
        // Ratio of the probability of x + 1 to that of x.
        let ratio =
            |x: u64| (k - float(x)) * (n - float(x)) / ((float(x) + 1.0) * (big - k - n + float(x) + 1.0));
        let mut below = Vec::new();
        let (mut x, mut weight) = (mode, at_mode);
        while x > lowest && weight > at_mode * NEGLIGIBLE {
            x = x.saturating_sub(1);
            weight /= ratio(x);
            below.push(weight);
        }
        let first = x;
        below.reverse();
        let mut weights = below;
        weights.push(at_mode);
        let (mut x, mut weight) = (mode, at_mode);
        while x < highest && weight > at_mode * NEGLIGIBLE {
            weight *= ratio(x);
            x = x.saturating_add(1);
            weights.push(weight);
        }
        Self { first, weights }.normalised()
    }

    fn normalised(mut self) -> Self {
        let sum: f64 = self.weights.iter().sum();
        for weight in &mut self.weights {
            *weight /= sum;
        }
        self
    }

    fn plus(&self, other: &Self) -> Self {
        let mut weights = vec![0.0; self.weights.len().saturating_add(other.weights.len()).saturating_sub(1)];
        for (shift, own) in self.weights.iter().enumerate() {
            for (weight, theirs) in weights.iter_mut().skip(shift).zip(&other.weights) {
                *weight += own * theirs;
            }
        }
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let skipped = weights.iter().take_while(|weight| **weight < largest * NEGLIGIBLE).count();
        weights.drain(..skipped);
        while weights.last().is_some_and(|weight| *weight < largest * NEGLIGIBLE) {
            weights.pop();
        }
        let first = self.first.saturating_add(other.first).saturating_add(super::number::count(skipped));
        Self { first, weights }.normalised()
    }

    fn at_most(&self, value: u64) -> f64 {
        let Some(last) = value.checked_sub(self.first) else { return P_MIN };
        let terms = usize::try_from(last.saturating_add(1)).unwrap_or(usize::MAX);
        self.weights.iter().take(terms).sum::<f64>().clamp(P_MIN, 1.0)
    }

    fn at_least(&self, value: u64) -> f64 {
        let skip = usize::try_from(value.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.weights.iter().skip(skip).rev().sum::<f64>().clamp(P_MIN, 1.0)
    }
}

/// What chance gives, and how far the observed number is from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactTest {
    /// Expected number.
    pub expected: f64,
    /// Chance of the observed number or fewer.
    pub at_most: f64,
    /// Chance of the observed number or more.
    pub at_least: f64,
}

impl ExactTest {
    /// Two-sided p-value: twice the smaller tail. Never too small, whatever the distribution.
    #[must_use]
    pub fn two_sided(&self) -> f64 {
        (2.0 * self.at_most.min(self.at_least)).min(1.0)
    }
}

/// Tests the observed number of finds of a group against chance within strata.
#[must_use]
pub fn test(strata: impl IntoIterator<Item = Stratum>, observed: u64) -> ExactTest {
    let mut sum = Distribution::certain(0);
    let mut expected = 0.0;
    for stratum in strata.into_iter().filter(|stratum| stratum.drawn > 0 && stratum.total > 0) {
        expected += float(stratum.drawn) * float(stratum.hits) / float(stratum.total);
        sum = sum.plus(&Distribution::of(stratum));
    }
    ExactTest { expected, at_most: sum.at_most(observed), at_least: sum.at_least(observed) }
}
