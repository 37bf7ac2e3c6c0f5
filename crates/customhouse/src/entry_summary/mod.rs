//! Entry summary declarations: what is announced before goods come in, and what customs answers.
//!
//! Each change is one or more events of the stream `entry-summary/MRN`: `entry_summary.lodged` with `accepted` or
//! `rejected`, `amended`, `amendment_rejected`, `intervention_ordered`. Lists are read from rows that follow them
//! ([`index`]).
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `lodge_entry_summary(&reader, bytes) -> EntrySummaryAnswer` | CC328A or CC316A; to an amendment CC304A or CC305A | lodge |
//! | `order_intervention(&reader, mrn, code, text) -> EntrySummaryAnswer` | CC351A | examine |
//! | `entry_summary(&reader, mrn) -> EntrySummaryRecord` | one, as it stands | lodge: its own; view declarations |
//! | `entry_summaries(&reader, day, page) -> Vec<EntrySummaryRecord>` | those accepted on a day, the latest first | view declarations |
//! | `find_entry_summaries(&reader, &EntrySummariesQuery) -> EntrySummariesPage` | a page of a list | view declarations |
//! | `own_entry_summaries(&reader, &EntrySummariesQuery) -> EntrySummariesPage` | the same of its own | view own |
//! | `entry_summary_file(&reader, mrn) -> EntrySummaryFile` | one with its messages, also a rejected one | lodge: its own; view declarations |
//! | `entry_summary_message(&reader, mrn, number) -> (String, Vec<u8>)` | a message's name and bytes | lodge: its own; view declarations |
//!
//! The same bytes get their first answer again, whatever happened since. A reference belongs to who lodges: another
//! message under it is a conflict, unless the first was rejected. The number is made from both, so it needs no counter.

mod commands;
pub(crate) mod index;
mod model;
mod read_model;
#[cfg(test)]
pub(crate) mod tests;

pub use model::{
    EntryState, EntrySummariesPage, EntrySummariesQuery, EntrySummaryAnswer, EntrySummaryFile,
    EntrySummaryMessage, EntrySummaryRecord, InterventionRecord,
};
