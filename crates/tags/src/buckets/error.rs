//! What a table of day buckets refuses.

use thiserror::Error;

use super::{
    AMOUNTS_MAX, ANSWERS_MAX, CODES_MAX, CONDITIONS_MAX, DAYS_MAX, DIFFERENT_MAX, ENTITIES_MAX, WINDOWS_MAX,
};

/// Why a table cannot be laid out, filled or moved on. Nothing was changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BucketError {
    /// None, too many, or not rising.
    #[error(
        "windows are 1 to {WINDOWS_MAX} rising numbers of days of 1 to {DAYS_MAX}; sort them and leave out doubles"
    )]
    Windows,
    /// None or too many.
    #[error("a table has 1 to {CONDITIONS_MAX} conditions, not {0}; divide them among several tables")]
    Conditions(usize),
    /// Too many sums and maxima.
    #[error("a table has at most {AMOUNTS_MAX} amounts, not {0}; divide them among several tables")]
    Amounts(usize),
    /// Too many lanes of codes.
    #[error("a table has at most {CODES_MAX} kinds of codes, not {0}; divide them among several tables")]
    Codes(usize),
    /// Too many questions, or one about what the table does not have.
    #[error(
        "at most {DIFFERENT_MAX} counts of different codes, each of a kind, condition and window that the table has"
    )]
    Different,
    /// More than can be numbered.
    #[error("a table has at most {ENTITIES_MAX} entities, not {0}; divide them among several tables")]
    Entities(u32),
    /// Entities times questions for different codes.
    #[error(
        "the table would hold {0} counts of different codes, one for each entity and question, but at most {ANSWERS_MAX}; \
         ask less of it, or divide the entities among several tables"
    )]
    Answers(u64),
    /// Lanes of different lengths, or not as many as the layout says.
    #[error("the lanes of entries are not those of the layout, one value an entry in each")]
    Lanes,
    /// An entity beyond the last.
    #[error("entity {entity} is beyond the {entities} entities of the table; number it first")]
    NoSuchEntity {
        /// Its number.
        entity: u32,
        /// How many there are.
        entities: u32,
    },
    /// Sums could overflow.
    #[error(
        "all amounts held, without their signs, add up to more than 64 bits hold; take a larger unit, with fewer digits \
         behind the point"
    )]
    AmountsTooLarge,
    /// Back in time.
    #[error("the table stands at day {at} and cannot go back to day {asked}; build it anew as of that day")]
    DayBefore {
        /// Where it stands, days since 1970-01-01.
        at: i32,
        /// Where it was asked to go.
        asked: i32,
    },
    /// Nothing like it is held.
    #[error(
        "entry {0} of those to be taken out is not held with these values; give the values with which it was put in"
    )]
    NoSuchEntry(usize),
    /// More entries than numbers.
    #[error(
        "a table cannot hold so many entries of one part of its entities; divide them among several tables"
    )]
    TooManyEntries,
}

impl BucketError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Windows => "bucket_windows_unusable",
            Self::Conditions(_) => "bucket_conditions_too_many",
            Self::Amounts(_) => "bucket_amounts_too_many",
            Self::Codes(_) => "bucket_codes_too_many",
            Self::Different => "bucket_different_unusable",
            Self::Entities(_) => "bucket_entities_too_many",
            Self::Answers(_) => "bucket_answers_too_many",
            Self::Lanes => "bucket_lanes_unequal",
            Self::NoSuchEntity { .. } => "bucket_entity_unknown",
            Self::AmountsTooLarge => "bucket_amounts_too_large",
            Self::DayBefore { .. } => "bucket_day_before",
            Self::NoSuchEntry(_) => "bucket_entry_unknown",
            Self::TooManyEntries => "bucket_entries_too_many",
        }
    }
}
