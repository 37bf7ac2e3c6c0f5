//! Chance that is the same everywhere: ChaCha8 and arithmetic that IEEE 754 fixes to the last bit.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// A stream of draws.
#[derive(Debug, Clone)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// Streams of one seed are independent of each other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// At least 0 and below 1, in steps of 2^-53.
    pub(crate) fn unit(&mut self) -> f64 {
        let (high, low) = (self.0.next_u32() >> 5, self.0.next_u32() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// True in a `share` of all draws.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Between two bounds, evenly.
    pub(crate) fn between(&mut self, bounds: [f64; 2]) -> f64 {
        let [low, high] = bounds;
        low + (high - low) * self.unit()
    }

    /// Below `bound`, which must be above 0; 0 otherwise.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (u64::from(self.0.next_u32()) * u64::from(bound)) >> 32;
        u32::try_from(scaled).unwrap_or(0)
    }

    /// Normally distributed around 0 with deviation 1, within six deviations (the sum of twelve even draws).
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Around 1, with this deviation of the logarithm.
    pub(crate) fn factor(&mut self, spread: f64) -> f64 {
        exp(spread * self.normal())
    }

    /// One of several, evenly; `None` of none.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let at = self.below(u32::try_from(all.len()).unwrap_or(u32::MAX));
        all.get(usize::try_from(at).ok()?)
    }
}

/// The exponential function from products alone: those are the same on every machine, library calls are not.
fn exp(x: f64) -> f64 {
    let mut power = 1.0 + x / 4096.0;
    for _ in 0..12 {
        power *= power;
    }
    power
}

/// An exact amount of a drawn number.
pub(crate) fn decimal(number: f64, places: u32) -> Decimal {
    Decimal::from_f64(number).unwrap_or_default().round_dp(places)
}

/// The nearest whole number, at least 1.
pub(crate) fn whole(number: f64) -> f64 {
    number.round().max(1.0)
}

/// The same as an integer; 1 where a number is beyond all bounds.
pub(crate) fn whole_number(number: f64) -> u32 {
    Decimal::from_f64(whole(number)).and_then(|number| number.to_u32()).unwrap_or(1)
}

/// The day in which a moment lies.
pub(crate) fn whole_day(days: f64) -> i64 {
    Decimal::from_f64(days.floor()).and_then(|days| days.to_i64()).unwrap_or(0)
}

/// Things to choose from, each with its weight; never empty.
#[derive(Debug, Clone)]
pub(crate) struct Choices<T> {
    /// Sum of the weights up to and with each thing.
    cumulative: Vec<(f64, T)>,
    last: T,
    total: f64,
}

impl<T: Clone> Choices<T> {
    /// `None` without anything of positive weight.
    pub(crate) fn new(weighted: impl IntoIterator<Item = (f64, T)>) -> Option<Self> {
        let mut total = 0.0;
        let cumulative: Vec<(f64, T)> = weighted
            .into_iter()
            .filter(|(weight, _)| *weight > 0.0)
            .map(|(weight, thing)| {
                total += weight;
                (total, thing)
            })
            .collect();
        let last = cumulative.last()?.1.clone();
        Some(Self { cumulative, last, total })
    }

    /// One of them, as often as it weighs.
    pub(crate) fn pick(&self, draw: &mut Draw) -> &T {
        let at = draw.unit() * self.total;
        let position = self.cumulative.partition_point(|(sum, _)| *sum <= at);
        self.cumulative.get(position).map_or(&self.last, |(_, thing)| thing)
    }

    /// All of them, with their weights.
    pub(crate) fn weighted(&self) -> impl Iterator<Item = (f64, &T)> {
        let mut before = 0.0;
        self.cumulative.iter().map(move |(sum, thing)| (sum - std::mem::replace(&mut before, *sum), thing))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.cumulative.iter().map(|(_, thing)| thing)
    }
}

/// Shared names: millions of rows repeat a few thousand of them.
pub(crate) type Name = Arc<str>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_of_one_seed_repeat_and_streams_differ() {
        let draws = |seed, stream| {
            let mut draw = Draw::new(seed, stream);
            (0..100).map(|_| draw.unit().to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7, 0), draws(7, 0));
        assert_ne!(draws(7, 0), draws(8, 0));
        assert_ne!(draws(7, 0), draws(7, 1));
    }

    #[test]
    fn the_exponential_is_one_and_draws_fill_their_range() {
        for x in [-3.0, -0.7, 0.0, 0.2, 1.0, 2.5] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 2e-3, "{x}");
        }
        let mut draw = Draw::new(1, 0);
        let normals: Vec<f64> = (0..20_000).map(|_| draw.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 20_000.0;
        let variance = normals.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let picks = Choices::new([(1.0, 'a'), (0.0, 'b'), (3.0, 'c')]).unwrap();
        let many: Vec<char> = (0..8_000).map(|_| *picks.pick(&mut draw)).collect();
        let share = many.iter().filter(|thing| **thing == 'c').count();
        assert!((5_700..6_300).contains(&share) && !many.contains(&'b'), "{share}");
        assert!(Choices::<char>::new([]).is_none());
    }
}
