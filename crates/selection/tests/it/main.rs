//! The promises of selection: nobody is beyond chance, trust never beats the law, capacity is used and not exceeded.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests fail by panicking, and count in whatever number is at hand"
)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read golden files and start a second process; the room itself does neither"
)]

mod base_plan;
mod choice;
mod controller;
mod golden;
mod laws;
mod processes;
mod simulation;
mod support;
