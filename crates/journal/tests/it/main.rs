//! What a journal promises, tested from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking and talk to each other by printing"
)]

mod carry;
mod conformance;
mod copy;
mod crash;
mod disk_full;
mod laws;
mod log;
mod opening;
mod postgres;
mod postgres_server;
#[cfg(target_os = "linux")]
mod power;
mod small_disk;
mod sqlite;
mod support;
