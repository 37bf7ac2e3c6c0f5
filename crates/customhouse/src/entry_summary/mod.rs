//! Entry summary declarations: what is announced before goods come in, and what customs answers.
//!
//! Each change is one or more events of the stream `entry-summary/MRN`: `entry_summary.lodged` with `accepted` or
//! `rejected`, `amended`, `amendment_rejected`, `intervention_ordered`. What was accepted is listed once more in the
//! stream `entry-summaries/DAY`, so that a day can be read without another index.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `lodge_entry_summary(&reader, bytes) -> EntrySummaryAnswer` | CC328A or CC316A; to an amendment CC304A or CC305A | lodge |
//! | `order_intervention(&reader, mrn, code, text) -> EntrySummaryAnswer` | CC351A | examine |
//! | `entry_summary(&reader, mrn) -> EntrySummaryRecord` | one, as it stands | lodge: its own; view declarations |
//! | `entry_summaries(&reader, day) -> Vec<EntrySummaryRecord>` | those accepted on a day, the latest first | view declarations |
//!
//! The same bytes get their first answer again, whatever happened since. A reference belongs to who lodges: another
//! message under it is a conflict, unless the first was rejected. The number is made from both, so it needs no counter.

mod commands;
mod model;
mod read_model;
#[cfg(test)]
mod tests;

pub use model::{EntrySummaryAnswer, EntrySummaryRecord, InterventionRecord};
