//! Which conditions each entry of a block fulfils, as bits.

use std::ops::Range;

use super::CONDITIONS_MAX;
use crate::matcher::{Block, Matched, Matcher, Scratch, Sink};

/// Bits of entries in some rows.
#[derive(Debug, Default)]
pub struct Bits {
    first: usize,
    bits: Vec<u64>,
}

impl Bits {
    /// One bit a condition for each row, the first condition lowest.
    #[must_use]
    pub fn bits(&self) -> &[u64] {
        &self.bits
    }
}

impl Sink for Bits {
    fn matched(&mut self, rule: u32, entries: Matched<'_>) {
        let bit = u64::from(usize::try_from(rule).is_ok_and(|rule| rule < CONDITIONS_MAX)).rotate_left(rule);
        entries.rows(|row| {
            if let Some(bits) = row.checked_sub(self.first).and_then(|row| self.bits.get_mut(row)) {
                *bits |= bit;
            }
        });
    }
}

/// Asks the rules of a matcher, each one condition in the order of their formulas, of some rows of a block; `found` is
/// memory that is used again. Rules beyond the last condition of a table are not told.
///
/// Where conditions are few and plain comparisons of whole numbers, a loop over each column is faster: for a dozen the
/// matcher needs some 60 ns an entry more. It is made for thousands, and for all the language.
pub fn bits_of(
    matcher: &Matcher,
    block: &Block<'_>,
    rows: Range<usize>,
    scratch: &mut Scratch,
    found: &mut Bits,
) {
    found.first = rows.start;
    found.bits.clear();
    found.bits.resize(rows.end.min(block.len()).saturating_sub(rows.start), 0);
    matcher.run(block, rows, scratch, found);
}
