//! The binary as people use it: commands with their answers, exit codes, messages and files.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, and JSON is looked into by index"
)]

mod audit;
mod backup;
mod bad_input;
mod crash;
mod data_folder;
mod declarant;
mod http;
mod live;
mod offline;
// The tests of the journal start the same server.
#[expect(
    dead_code,
    clippy::print_stdout,
    reason = "the journal's tests use more of it; it names what it skips"
)]
#[path = "../../../journal/tests/it/postgres_server.rs"]
mod postgres_server;
#[cfg(target_os = "linux")]
mod power;
mod reference;
mod repair;
mod server;
mod support;
mod witness;
