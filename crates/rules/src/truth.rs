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
pub(crate) const WORD_ROWS: usize = 64;

/// All rows of the word at `word` of a set of `len` rows.
fn full_word(len: usize, word: usize) -> u64 {
    let rows = len.saturating_sub(word.saturating_mul(WORD_ROWS)).min(WORD_ROWS);
    match u32::try_from(rows) {
        Ok(rows) if rows < 64 => (1_u64 << rows).saturating_sub(1),
        _ => u64::MAX,
    }
}

/// Bits set in a mask.
pub(crate) fn ones(words: &[u64]) -> usize {
    words.iter().map(|word| usize::try_from(word.count_ones()).unwrap_or_default()).sum()
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

    /// Truths from one word of each bit set for every 64 rows.
    pub(crate) fn from_words(len: usize, words: impl Iterator<Item = (u64, u64)>) -> Self {
        let (trues, unknowns) = words.unzip();
        Self { len, trues, unknowns }
    }

    /// All rows, as a mask.
    pub(crate) fn every_row(len: usize) -> Vec<u64> {
        (0..len.div_ceil(WORD_ROWS)).map(|word| full_word(len, word)).collect()
    }

    /// Rows of a mask that are not false here.
    pub(crate) fn not_false(&self, mask: &[u64]) -> Vec<u64> {
        self.pairs().zip(mask).map(|((trues, unknowns), mask)| (trues | unknowns) & mask).collect()
    }

    /// Rows of a mask that are not true here.
    pub(crate) fn not_true(&self, mask: &[u64]) -> Vec<u64> {
        self.trues.iter().zip(mask).map(|(trues, mask)| !trues & mask).collect()
    }

    /// Rows of a mask that are true here.
    pub(crate) fn true_rows(&self, mask: &[u64]) -> Vec<u64> {
        self.trues.iter().zip(mask).map(|(trues, mask)| trues & mask).collect()
    }

    /// Rows of a mask that are false here.
    pub(crate) fn false_rows(&self, mask: &[u64]) -> Vec<u64> {
        self.pairs().zip(mask).map(|((trues, unknowns), mask)| !(trues | unknowns) & mask).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.trues.iter().copied().zip(self.unknowns.iter().copied())
    }

    /// Row by row `self && other`.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let words = self.pairs().zip(other.pairs()).map(|((t, u), (other_t, other_u))| {
            let trues = t & other_t;
            (trues, (t | u) & (other_t | other_u) & !trues)
        });
        Self::from_words(self.len, words)
    }

    /// Row by row `self || other`.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let words = self.pairs().zip(other.pairs()).map(|((t, u), (other_t, other_u))| {
            let trues = t | other_t;
            (trues, (u | other_u) & !trues)
        });
        Self::from_words(self.len, words)
    }

    /// Row by row `!self`.
    pub(crate) fn not(&self) -> Self {
        let words = self.pairs().zip(Self::every_row(self.len)).map(|((t, u), every)| (!(t | u) & every, u));
        Self::from_words(self.len, words)
    }

    /// Row by row `self ? yes : no`.
    pub(crate) fn choose(&self, yes: &Self, no: &Self) -> Self {
        let words =
            self.pairs().zip(yes.pairs()).zip(no.pairs()).map(|(((t, u), (yes_t, yes_u)), (no_t, no_u))| {
                let f = !(t | u);
                // Beyond the last row `f` is set but `no` is not.
                (t & yes_t | f & no_t, u | t & yes_u | f & no_u)
            });
        Self::from_words(self.len, words)
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

    /// How many rows are true.
    #[must_use]
    pub fn true_count(&self) -> usize {
        ones(&self.trues)
    }

    /// How many rows are unknown.
    #[must_use]
    pub fn unknown_count(&self) -> usize {
        ones(&self.unknowns)
    }

    /// The row's answer; false beyond the last row.
    #[must_use]
    pub fn truth(&self, row: usize) -> Truth {
        match (self.is_true(row), self.is_unknown(row)) {
            (true, _) => Truth::True,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::False,
        }
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
