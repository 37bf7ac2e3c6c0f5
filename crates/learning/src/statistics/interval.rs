//! Intervals of shares.

use statrs::function::beta::beta_reg;

use crate::document::Interval;

/// Level of all intervals of the audit.
pub const LEVEL: f64 = 0.95;
/// The normal quantile of [`LEVEL`], two-sided.
pub const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval (Wilson 1927; Brown, Cai, DasGupta 2001) of `hits` among `n`, which need not be whole.
/// With `n = 0` nothing is known: 0 to 1.
#[must_use]
pub fn wilson(hits: f64, n: f64) -> Interval {
    if n <= 0.0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let rate = (hits / n).clamp(0.0, 1.0);
    let squared = Z * Z;
    let centre = rate + squared / (2.0 * n);
    let half = Z * (rate * (1.0 - rate) / n + squared / (4.0 * n * n)).sqrt();
    let scale = 1.0 + squared / n;
    Interval { low: ((centre - half) / scale).max(0.0), high: ((centre + half) / scale).min(1.0) }
}

/// Quantile of the beta distribution: bisection on the regularised incomplete beta function.
#[must_use]
pub fn beta_quantile(alpha: f64, beta: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // 40 halvings leave less than 1e-12, far below the six digits that documents hold.
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if beta_reg(alpha, beta, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Central interval of a beta distribution at [`LEVEL`].
#[must_use]
pub fn beta_interval(alpha: f64, beta: f64) -> Interval {
    let tail = (1.0 - LEVEL) / 2.0;
    Interval { low: beta_quantile(alpha, beta, tail), high: beta_quantile(alpha, beta, 1.0 - tail) }
}
