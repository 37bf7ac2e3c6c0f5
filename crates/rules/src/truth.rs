//! Three-valued logic (Kleene): what is absent is unknown, and unknown never matches.

use serde::{Deserialize, Serialize};

/// True, false, or not to be told from what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Holds.
    True,
    /// Does not hold.
    False,
    /// Cannot be told: something is absent. An unknown rule does not match.
    Unknown,
}

impl Truth {
    /// The truth of a boolean that may be absent.
    #[must_use]
    pub fn of(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }
}

/// One truth a row, as two bit sets.
///
/// Bits at and above `len` are always zero in both, and no row is in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truths {
    len: usize,
    trues: Vec<u64>,
    unknowns: Vec<u64>,
}

/// Rows in a word of the bit sets.
const WORD_ROWS: usize = 64;

/// All rows of the word at `word` of a set of `len` rows.
fn full_word(len: usize, word: usize) -> u64 {
    let rows = len.saturating_sub(word.saturating_mul(WORD_ROWS)).min(WORD_ROWS);
    match u32::try_from(rows) {
        Ok(rows) if rows < 64 => (1_u64 << rows).saturating_sub(1),
        _ => u64::MAX,
    }
}

impl Truths {
    /// The same truth for all rows.
    #[must_use]
    pub(crate) fn all(truth: Truth, len: usize) -> Self {
        let words = len.div_ceil(WORD_ROWS);
        let full: Vec<u64> = (0..words).map(|word| full_word(len, word)).collect();
        let none = vec![0; words];
        match truth {
            Truth::True => Self { len, trues: full, unknowns: none },
            Truth::Unknown => Self { len, trues: none, unknowns: full },
            Truth::False => Self { len, trues: none.clone(), unknowns: none },
        }
    }

    fn bit(words: &[u64], row: usize) -> bool {
        let word = words.get(row / WORD_ROWS).copied().unwrap_or_default();
        word >> (row % WORD_ROWS) & 1 == 1
    }

    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Is the row's answer true? False beyond the last row.
    #[must_use]
    pub fn is_true(&self, row: usize) -> bool {
        Self::bit(&self.trues, row)
    }

    /// Is the row's answer unknown? False beyond the last row.
    #[must_use]
    pub fn is_unknown(&self, row: usize) -> bool {
        Self::bit(&self.unknowns, row)
    }
}
