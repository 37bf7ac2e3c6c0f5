//! Aggregates over windows of days for very many entries: built in one pass, kept up to date by what changes.
//!
//! A [`Table`] stands at a day. For each entity it answers, over windows of the days before that day and for each
//! condition: how many entries, sums of amounts, the greatest of amounts, how many different codes, and how long ago the
//! last entry was ([`Reading`]). Ratios and shares are quotients of these; [`Peers`] says how far an entity is from
//! others of its group.
//!
//! # Values
//! Amounts are whole numbers of 64 bits. A decimal column becomes one by counting the smallest unit it is told in (cents,
//! grams): multiply by a power of ten, the same for all entries; what has more digits than that is refused by whoever
//! reads the column, never rounded. All amounts held in windows, added up without their signs, must stay below 2^63, or
//! the entries are refused: so no sum can overflow, nor a sum of squares in 128 bits, and equal means equal. In cents
//! that is 92 thousand million million units of currency. Absent amounts are 0 in a sum and [`i64::MIN`] among those of
//! which the greatest counts; where absence matters, make it a condition. Codes (enterprises, ports, headings) are
//! numbers of 32 bits, as a dictionary gives them.
//!
//! # How it is held
//! Conditions are evaluated once for each entry ([`conditions`]) and kept as bits beside it; all windows and measures
//! share them. Entities are divided among 64 shards, whose entries are sorted by entity. An entity with few entries needs
//! no other buckets than its entries, each with its day: reading them costs what adding up days would cost. One with many
//! has a bucket for each day, condition and amount. Different codes are counted from the entries, exactly.
//!
//! Each day has the list of entities with entries on it. When the day moves on, only entities with entries on days that
//! enter or leave a window are read again. An entry that comes late goes to its day; one that is corrected leaves with
//! its old values and comes with new ones; one that is deleted leaves, and the greatest of its day is found again among
//! what is left.

mod busy;
mod change;
mod conditions;
mod counts;
mod days;
mod entries;
mod error;
mod file;
mod layout;
mod marks;
mod peers;
mod quotient;
mod reading;
mod shard;
mod table;
mod wide;

pub use conditions::{Bits, bits_of};
pub use entries::{Entries, Taken};
pub use error::BucketError;
pub use file::BucketFileError;
pub use layout::{Different, Layout, Questions};
pub use peers::{FEATURES_MAX, Feature, GROUPS_MAX, GroupBy, Middle, Moments, Peers, PeersError};
pub use quotient::Quotient;
pub use reading::Reading;
pub use table::{Builder, Change, Refreshed, Sink, Table};

/// Conditions of one table at most.
pub const CONDITIONS_MAX: usize = 64;
/// Sums and maxima of one table at most.
pub const AMOUNTS_MAX: usize = 16;
/// Kinds of codes of one table at most.
pub const CODES_MAX: usize = 16;
/// Counts of different codes of one table at most.
pub const DIFFERENT_MAX: usize = 64;
/// Counts of different codes that a table holds at most, one for each entity and question: a thousand megabytes.
pub const ANSWERS_MAX: u64 = 1 << 28;
/// Windows of one table at most.
pub const WINDOWS_MAX: usize = 8;
/// Days of the longest window at most: ten years.
pub const DAYS_MAX: u32 = 3_660;
/// Entries dated so many days ahead are held until their day comes; those dated later still are not.
pub const AHEAD_MAX: i32 = 31;
/// Entities of one table at most.
pub const ENTITIES_MAX: u32 = 1 << 26;

/// Parts of a table.
const SHARDS: usize = 64;
