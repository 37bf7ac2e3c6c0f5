//! What a table holds of each entry, and which windows it answers.

use super::busy::Busy;
use super::error::BucketError;
use super::marks::{CodeAt, Together};
use super::{
    AMOUNTS_MAX, ANSWERS_MAX, CODES_MAX, CONDITIONS_MAX, DAYS_MAX, DIFFERENT_MAX, ENTITIES_MAX, WINDOWS_MAX,
};

/// How many different codes of a kind are there, among entries of a window that fulfil a condition?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Different {
    /// The kind of code, by the position of its lane.
    pub code: usize,
    /// The condition's number.
    pub condition: usize,
    /// The window's number, the shortest first.
    pub window: usize,
}

/// What is asked of a table; see [`Layout::new`].
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// Lengths of windows in days, rising.
    pub windows: Vec<u32>,
    /// Number of conditions.
    pub conditions: usize,
    /// Number of amounts that are added up.
    pub sums: usize,
    /// Number of amounts of which the greatest counts.
    pub greatest: usize,
    /// Is the last day of entries with each condition asked for?
    pub last_day: bool,
    /// Number of kinds of codes.
    pub codes: usize,
    /// Counts of different codes.
    pub different: Vec<Different>,
    /// Entities with so many entries keep each code with its number of entries; 65,536 unless told. Keeping them takes
    /// three times as long as counting what is different, and a change of a twentieth of the entries pays that back. The
    /// answers are the same.
    pub keep_codes_from: Option<usize>,
}

/// Questions that were checked, and where what they need stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub(super) windows: Vec<u32>,
    pub(super) conditions: usize,
    pub(super) sums: usize,
    /// Without the last day.
    pub(super) greatest: usize,
    pub(super) last_day: bool,
    pub(super) codes: usize,
    pub(super) different: Vec<Different>,
    /// The same questions by window and condition.
    pub(super) together: Vec<Together>,
    /// Entries from which on an entity has day buckets of its own: they take at most twice the memory of its entries.
    pub(super) busy_from: usize,
    /// Entries from which on codes are kept with their numbers of entries.
    pub(super) keep_codes_from: usize,
    /// The shortest window that holds entries of so many days ago; [`NO_WINDOW`] for those of none.
    pub(super) class_of_age: Vec<u8>,
}

/// See [`Questions::keep_codes_from`].
const KEEP_CODES_FROM: usize = 1 << 16;

/// No window holds such an entry.
pub(super) const NO_WINDOW: u8 = u8::MAX;

/// Places of an entry's entity and day, and of its conditions, in front of its amounts.
pub(super) const HEAD: usize = 2;

impl Layout {
    /// Checks questions.
    ///
    /// # Errors
    /// Too many of anything, windows that do not rise, or different codes of what is not there.
    pub fn new(questions: Questions) -> Result<Self, BucketError> {
        let Questions { windows, conditions, sums, greatest, last_day, codes, different, keep_codes_from } =
            questions;
        let rising = windows.is_sorted_by(|a, b| a < b);
        let ends = windows.first().is_some_and(|first| *first >= 1) && windows.last() <= Some(&DAYS_MAX);
        if !rising || !ends || windows.len() > WINDOWS_MAX {
            return Err(BucketError::Windows);
        }
        if conditions == 0 || conditions > CONDITIONS_MAX {
            return Err(BucketError::Conditions(conditions));
        }
        if sums.saturating_add(greatest) > AMOUNTS_MAX {
            return Err(BucketError::Amounts(sums.saturating_add(greatest)));
        }
        if codes > CODES_MAX {
            return Err(BucketError::Codes(codes));
        }
        let asked =
            |one: &Different| one.code < codes && one.condition < conditions && one.window < windows.len();
        if different.len() > DIFFERENT_MAX || !different.iter().all(asked) {
            return Err(BucketError::Different);
        }
        let mut class_of_age = vec![NO_WINDOW];
        for (class, days) in (0_u8..).zip(&windows) {
            class_of_age.resize(usize::try_from(*days).unwrap_or_default().saturating_add(1), class);
        }
        let mut layout = Self {
            windows,
            conditions,
            sums,
            greatest,
            last_day,
            codes,
            different,
            together: Vec::new(),
            busy_from: 1,
            keep_codes_from: keep_codes_from.unwrap_or(KEEP_CODES_FROM),
            class_of_age,
        };
        layout.together = layout.together();
        layout.busy_from = (Busy::words(&layout) / layout.stride().saturating_mul(2)).max(1);
        Ok(layout)
    }

    fn together(&self) -> Vec<Together> {
        let mut groups: Vec<Together> = Vec::new();
        for (question, asked) in self.different.iter().enumerate() {
            let word = self.codes_at().saturating_add(asked.code / 2);
            let code = CodeAt { question, word, shift: 32_usize.saturating_mul(asked.code % 2) };
            let same =
                |group: &&mut Together| (group.window, group.condition) == (asked.window, asked.condition);
            match groups.iter_mut().find(same) {
                Some(group) => group.codes.push(code),
                None => groups.push(Together {
                    window: asked.window,
                    condition: asked.condition,
                    codes: vec![code],
                }),
            }
        }
        groups
    }

    /// Checks a number of entities.
    pub(super) fn entities(&self, entities: u32) -> Result<u32, BucketError> {
        if entities > ENTITIES_MAX {
            return Err(BucketError::Entities(entities));
        }
        let questions = u64::try_from(self.different.len()).unwrap_or(u64::MAX);
        let answers = u64::from(entities).saturating_mul(questions);
        if answers > ANSWERS_MAX { Err(BucketError::Answers(answers)) } else { Ok(entities) }
    }

    /// The length of a window in days.
    #[must_use]
    pub fn window(&self, window: usize) -> Option<u32> {
        self.windows.get(window).copied()
    }

    /// Days of the longest window.
    #[must_use]
    pub fn longest(&self) -> u32 {
        self.windows.last().copied().unwrap_or(1)
    }

    /// Numbers that are added up for each condition: how many entries, and the sums.
    pub(super) fn added(&self) -> usize {
        self.sums.saturating_add(1)
    }

    /// Numbers of which the greatest is kept for each condition.
    pub(super) fn compared(&self) -> usize {
        self.greatest.saturating_add(usize::from(self.last_day))
    }

    /// Lanes of amounts that entries come with.
    pub(super) fn amounts(&self) -> usize {
        self.sums.saturating_add(self.greatest)
    }

    /// Where codes begin in an entry.
    pub(super) fn codes_at(&self) -> usize {
        HEAD.saturating_add(self.sums).saturating_add(self.compared())
    }

    /// Words of 64 bits of one entry. Two codes share a word.
    pub(super) fn stride(&self) -> usize {
        self.codes_at().saturating_add(self.codes.div_ceil(2))
    }

    /// All conditions as bits.
    pub(super) fn all_conditions(&self) -> u64 {
        u64::MAX
            .checked_shr(u32::try_from(CONDITIONS_MAX.saturating_sub(self.conditions)).unwrap_or(0))
            .unwrap_or(0)
    }
}
