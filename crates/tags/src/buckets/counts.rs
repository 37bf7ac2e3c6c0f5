//! How many entries of one entity have each code, for entities with many entries.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places are masked to the length of the table, and property tests compare all answers with a \
              plain recomputation"
)]

use super::entries::place;

/// A table of codes and their entries. A code without entries keeps its place until the table is made anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Code and entries. `taken` says how many places have a code.
    slots: Vec<(u32, u32)>,
    taken: usize,
    different: u32,
}

/// Marks a place that never had a code: codes themselves are any number.
const FREE: u32 = u32::MAX;

impl Counts {
    /// Codes with at least one entry.
    pub(super) fn different(&self) -> u32 {
        self.different
    }

    /// An entry with this code comes.
    pub(super) fn add(&mut self, code: u32) {
        if 3 * self.slots.len() <= 4 * self.taken {
            self.grow();
        }
        let at = self.find(code);
        let (own, entries) = &mut self.slots[at];
        if *entries == FREE {
            (*own, *entries) = (code, 0);
            self.taken += 1;
        }
        self.different += u32::from(*entries == 0);
        *entries += 1;
    }

    /// An entry with this code leaves; it came before.
    pub(super) fn take(&mut self, code: u32) {
        if self.slots.is_empty() {
            return;
        }
        let at = self.find(code);
        let (_, entries) = &mut self.slots[at];
        if *entries != FREE && *entries > 0 {
            *entries -= 1;
            self.different -= u32::from(*entries == 0);
        }
    }

    /// The place of a code, or the free one where it goes. A quarter of all places is free.
    fn find(&self, code: u32) -> usize {
        let last = self.slots.len() - 1;
        let shift = 32 - self.slots.len().trailing_zeros().min(32);
        // The high bits of a product with the golden ratio spread neighbouring codes.
        let mut at = place(u64::from(code.wrapping_mul(0x9E37_79B1)) >> shift);
        while self.slots[at & last].1 != FREE && self.slots[at & last].0 != code {
            at += 1;
        }
        at & last
    }

    /// Makes room for half as many again as have entries, at least.
    fn grow(&mut self) {
        let size = (3 * place(u64::from(self.different)) / 2 + 16).next_power_of_two();
        let old = std::mem::replace(&mut self.slots, vec![(0, FREE); size]);
        self.taken = 0;
        for (code, entries) in old.into_iter().filter(|(_, entries)| *entries != FREE && *entries > 0) {
            let at = self.find(code);
            self.slots[at] = (code, entries);
            self.taken += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn codes_that_come_and_go_are_counted(steps in proptest::collection::vec((any::<bool>(), 0_u32..60, any::<u32>()), 0..600)) {
            let (mut counts, mut plain) = (Counts::default(), BTreeMap::<u32, u32>::new());
            for (comes, near, far) in steps {
                let code = if near < 40 { near } else { far };
                let entries = plain.entry(code).or_default();
                if comes {
                    counts.add(code);
                    *entries += 1;
                } else if *entries > 0 {
                    counts.take(code);
                    *entries -= 1;
                }
                let expected = plain.values().filter(|entries| **entries > 0).count();
                prop_assert_eq!(usize::try_from(counts.different()).unwrap(), expected);
            }
        }
    }
}
