//! Products of whole numbers that need more than 128 bits.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places are constants below four, and a property test compares it with another way to multiply"
)]

use rust_decimal::prelude::ToPrimitive;

/// A whole number of 256 bits without a sign, lowest word first. Its callers stay below 2^240.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wide([u64; 4]);

fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default()
}

fn high(number: u128) -> u64 {
    low(number >> 64)
}

impl Wide {
    /// The product of two numbers.
    pub(super) fn product(a: u128, b: u128) -> Self {
        Self([low(a), high(a), 0, 0]).times(low(b)).plus(Self([0, low(a), high(a), 0]).times(high(b)))
    }

    pub(super) fn times(self, factor: u64) -> Self {
        let mut carry = 0_u128;
        let words = self.0.map(|word| {
            let product = u128::from(word) * u128::from(factor) + carry;
            carry = product >> 64;
            low(product)
        });
        Self(words)
    }

    fn plus(self, other: Self) -> Self {
        let mut carry = 0_u128;
        let mut words = [0; 4];
        for (at, word) in words.iter_mut().enumerate() {
            let sum = u128::from(self.0[at]) + u128::from(other.0[at]) + carry;
            carry = sum >> 64;
            *word = low(sum);
        }
        Self(words)
    }

    /// The number in floating point that is nearest, or next to it.
    pub(super) fn to_f64(self) -> f64 {
        // From the highest word down, so that each step rounds what the steps before it left.
        self.0.iter().rev().fold(0.0, |sum, word| sum * 2_f64.powi(64) + word.to_f64().unwrap_or_default())
    }

    /// The difference; 0 where the other is larger.
    pub(super) fn minus(self, other: Self) -> Self {
        if self <= other {
            return Self::default();
        }
        let mut borrow = false;
        let mut words = [0; 4];
        for (at, word) in words.iter_mut().enumerate() {
            let (difference, first) = self.0[at].overflowing_sub(other.0[at]);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            borrow = first || second;
            *word = difference;
        }
        Self(words)
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Digits of 32 bits, multiplied as on paper.
    fn on_paper(a: u128, b: u128) -> [u64; 4] {
        let digits = |number: u128| (0..4).map(move |at| number >> (32 * at) & 0xFFFF_FFFF);
        let mut sums = [0_u128; 9];
        for (i, a) in digits(a).enumerate() {
            for (j, b) in digits(b).enumerate() {
                let product = a * b;
                sums[i + j] += product & 0xFFFF_FFFF;
                sums[i + j + 1] += product >> 32;
            }
        }
        for at in 0..8 {
            sums[at + 1] += sums[at] >> 32;
            sums[at] &= 0xFFFF_FFFF;
        }
        std::array::from_fn(|at| low(sums[2 * at] | sums[2 * at + 1] << 32))
    }

    proptest! {
        #[test]
        fn products_sums_and_differences_are_those_on_paper(a: u128, b: u128, c: u128, factor: u64) {
            let product = Wide::product(a, b);
            prop_assert_eq!(product.0, on_paper(a, b));
            prop_assert_eq!(Wide::product(a, 1).times(factor), Wide::product(a, factor.into()));
            let other = Wide::product(c, 1);
            let sum = Wide([product.0[0], product.0[1], product.0[2], product.0[3] >> 1]).plus(other);
            prop_assert_eq!(sum.minus(other).0[..3].to_vec(), product.0[..3].to_vec());
            prop_assert_eq!(product.cmp(&other), product.0.iter().rev().cmp(other.0.iter().rev()));
            prop_assert_eq!(other.minus(other), Wide::default());
            let near = c.to_f64().unwrap_or_default();
            prop_assert!((other.to_f64() - near).abs() <= near * 4.0 * f64::EPSILON);
        }
    }
}
