//! Chance of the simulated people: seeded, so that the same demo plays the same way. SplitMix64 (Steele, Lea and Flood,
//! "Fast splittable pseudorandom number generators", 2014): nothing here is a secret.

use jiff::SignedDuration;

pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Even between 0 and 1, below 1.
    pub(super) fn even(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    /// True with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.even() < probability
    }

    /// Even between two numbers of minutes.
    pub(super) fn minutes(&mut self, from: u32, to: u32) -> SignedDuration {
        let span = u64::from(to.saturating_sub(from)).saturating_mul(60).max(1);
        let seconds = u64::from(from).saturating_mul(60).saturating_add(self.next() % span);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0))
    }

    /// One of several; `None` of none.
    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(all.len()).ok().filter(|count| *count > 0)?;
        all.get(usize::try_from(self.next() % count).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_even_seeded_and_within_its_bounds() {
        let (mut one, mut other) = (Chance::new(7), Chance::new(7));
        let mut sum = 0.0;
        for _ in 0..10_000 {
            let draw = one.even();
            assert!((0.0..1.0).contains(&draw));
            assert!(draw.to_bits() == other.even().to_bits(), "the same seed, the same chance");
            sum += draw;
        }
        assert!((4_800.0..5_200.0).contains(&sum), "{sum}");
        let seconds = one.minutes(10, 20).as_secs();
        assert!((600..1_200).contains(&seconds), "{seconds}");
        assert_eq!(one.one_of::<u8>(&[]), None);
        assert_eq!(Chance::new(1).next(), 0x910A_2DEC_8902_5CC1, "the published generator");
    }
}
