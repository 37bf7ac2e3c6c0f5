//! The journal as people read it.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `journal_page(&reader, &JournalQuery) -> JournalPage` | events, the latest first | view journal |
//! | `journal_event(&reader, position) -> EventShown` | one with its payload; what is above the reader's clearance is left out | view journal |

mod read_model;
#[cfg(test)]
mod tests;

pub use read_model::{EventRow, EventShown, JournalPage, JournalQuery};
