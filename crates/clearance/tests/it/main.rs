//! The promises of clearance: the table is the law, officers alone take things away, and nothing is done twice.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read golden files and start a second process; the room itself does neither"
)]

mod arrows;
mod golden;
mod laws;
mod processes;
mod reference;
mod support;
