//! Numbers below a bound, put in in any order and told in rising order, each once: bits are set and read again.
//!
//! For a few hundred numbers and more that is cheaper than to sort them, as long as the bound is not millions of times
//! as large: only words in which a bit was set are looked at again.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: numbers are below the bound, places come from its own words; a property test compares it \
              with a sorted list"
)]

/// So many numbers are worth it.
pub(crate) const RISING_MIN: usize = 128;

/// A set of numbers below a bound.
#[derive(Debug, Default)]
pub(crate) struct Rising {
    /// One bit a number.
    words: Vec<u64>,
    /// One bit a word that has any.
    used: Vec<u64>,
}

impl Rising {
    /// Makes room for numbers below a bound.
    pub(crate) fn make_room(&mut self, bound: usize) {
        let words = bound.div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
            self.used.resize(words.div_ceil(64), 0);
        }
    }

    /// Puts in a number below the bound.
    #[inline]
    pub(crate) fn put(&mut self, number: u32) {
        let word = usize::try_from(number / 64).unwrap_or(usize::MAX);
        self.words[word] |= 1 << (number % 64);
        self.used[word / 64] |= 1 << (word % 64);
    }

    /// Takes all numbers out, the least first.
    pub(crate) fn take(&mut self, mut each: impl FnMut(u32)) {
        for (at, used) in (0_u32..).step_by(64).zip(&mut self.used) {
            let mut used = std::mem::take(used);
            while used != 0 {
                let word = at + used.trailing_zeros();
                used &= used - 1;
                let mut bits = std::mem::take(&mut self.words[usize::try_from(word).unwrap_or(usize::MAX)]);
                while bits != 0 {
                    each(word * 64 + bits.trailing_zeros());
                    bits &= bits - 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_tells_what_a_sorted_list_without_doubles_tells(
            rounds in proptest::collection::vec(proptest::collection::vec(0..20_000_u32, 0..300), 1..4),
        ) {
            let mut rising = Rising::default();
            rising.make_room(20_000);
            for mut numbers in rounds {
                numbers.iter().for_each(|number| rising.put(*number));
                let mut told = Vec::new();
                rising.take(|number| told.push(number));
                numbers.sort_unstable();
                numbers.dedup();
                prop_assert_eq!(told, numbers);
            }
        }
    }
}
