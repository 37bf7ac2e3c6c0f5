//! The pool's promises: nothing is lost in Parquet, nothing is half there, bad input is a finding.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking and say what they skip by printing"
)]

mod catalogue;
mod entries;
mod folder;
mod foreign_parquet;
mod lanes;
mod published;
mod quarantine;
mod support;
