//! How many different codes an entity's entries have.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places are computed from the layout, and property tests compare all answers with a plain \
              recomputation"
)]

use super::entries::place;
use super::layout::Layout;
use super::reading::class_of;
use super::shard::Held;

/// Memory to count in. A set of codes is the beginning of `slots`, large enough for those at hand and no larger, so that
/// it stays near the processor; it need not be emptied, because each slot has the number of the set that it belongs to.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// By the question's place among those of its window and condition.
    codes: Vec<Vec<u32>>,
    /// The set's number in the high half, a code in the low half.
    slots: Vec<u64>,
    number: u32,
}

/// A question, and where its codes stand in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeAt {
    /// The question's position.
    pub(super) question: usize,
    pub(super) word: usize,
    pub(super) shift: usize,
}

impl CodeAt {
    /// An entry's code.
    pub(super) fn of(self, entry: &[u64]) -> u32 {
        low_half(entry[self.word] >> self.shift)
    }
}

/// Questions about entries of the same window and condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Together {
    pub(super) window: usize,
    pub(super) condition: usize,
    pub(super) codes: Vec<CodeAt>,
}

/// So few codes are compared with one another.
const FEW: usize = 8;

impl Marks {
    /// Counts the different codes of one entity's entries for all questions.
    pub(super) fn count(&mut self, layout: &Layout, held: Held<'_>, day: i32, answers: &mut [u32]) {
        let stride = layout.stride();
        for group in &layout.together {
            if self.codes.len() < group.codes.len() {
                self.codes.resize(group.codes.len(), Vec::new());
            }
            let most = held.iter().map(|run| run.len() / stride).sum();
            let mut codes = std::mem::take(&mut self.codes);
            for codes in codes.iter_mut().filter(|codes| codes.len() < most) {
                codes.resize(most, 0);
            }
            let mut count = 0;
            for entry in held.into_iter().flat_map(|run| run.chunks_exact(stride)) {
                let class = class_of(layout, day, entry[0]);
                let asked = usize::from(class) <= group.window && entry[1] >> group.condition & 1 != 0;
                for (asked, codes) in group.codes.iter().zip(&mut codes) {
                    codes[count] = asked.of(entry);
                }
                // What is not asked is written over.
                count += usize::from(asked);
            }
            for (asked, codes) in group.codes.iter().zip(&codes) {
                answers[asked.question] = self.different(&codes[..count]);
            }
            self.codes = codes;
        }
    }

    fn different(&mut self, codes: &[u32]) -> u32 {
        if codes.len() <= FEW {
            let first =
                |(at, code): &(usize, &u32)| codes[..*at].iter().fold(true, |new, one| new & (one != *code));
            return u32::try_from(codes.iter().enumerate().filter(first).count()).unwrap_or_default();
        }
        let size = (2 * codes.len()).next_power_of_two();
        if self.slots.len() < size {
            self.slots.resize(size, 0);
        }
        self.number = self.number.wrapping_add(1);
        if self.number == 0 {
            self.slots.fill(0);
            self.number = 1;
        }
        let set = &mut self.slots[..size];
        let number = u64::from(self.number);
        let shift = 32 - size.trailing_zeros().min(32);
        let mut count = 0;
        for code in codes {
            let wanted = number << 32 | u64::from(*code);
            // The high bits of a product with the golden ratio spread neighbouring codes.
            let mut at = place(u64::from(code.wrapping_mul(0x9E37_79B1)) >> shift);
            loop {
                let slot = &mut set[at & (size - 1)];
                if *slot == wanted {
                    break;
                }
                if *slot >> 32 != number {
                    *slot = wanted;
                    count += 1;
                    break;
                }
                at += 1;
            }
        }
        count
    }
}

fn low_half(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or_default()
}
