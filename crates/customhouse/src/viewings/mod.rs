//! Who looked at what: every look of an official at a declaration or an entity is an event too.
//!
//! Looks are recorded behind the request's back, at least once a second and when the house is closed; where more wait
//! than can be held, the reader waits, and nothing is shown unrecorded. The same reader looking at the same thing again
//! within a minute is one look. What traders look at is their own and is not recorded.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `viewings(&reader, &ViewingsQuery) -> ViewingsPage` | looks, the latest first | view viewings |
//! | `own_declaration(&reader, mrn).viewings` | looks at a trader's own declaration: role and office, no names | lodge |
//!
//! Event: `record.viewed`, version 1, stream `viewing/YYYY-MM-DD` (UTC); its payload is a [`model::Look`].

pub(crate) mod model;
pub(crate) mod read_model;
pub(crate) mod recorder;
#[cfg(test)]
mod tests;

pub use model::{OwnViewing, Purpose, ViewedWhat, ViewingRow, ViewingsPage, ViewingsQuery};
