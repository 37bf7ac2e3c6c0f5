//! The rule language seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking and say what they compared by printing"
)]

mod differential;
mod dms;
mod document;
mod ens;
mod entry;
mod explanation;
mod generate;
mod laws;
mod pack;
mod parsing;
mod reference;
mod support;
mod types;
