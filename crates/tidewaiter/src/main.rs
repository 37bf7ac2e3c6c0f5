//! The binary: one command, one answer, an exit code that says which.

mod arguments;
mod commands;
mod made_up;
mod terminal;
mod world;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::arguments::Arguments;

/// Declarations are many small values that come and go on several threads: this allocator is measurably faster at it
/// than the C library's (`cargo xtask bench end-to-end`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = if arguments.verbose { "info" } else { "warn" };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("TIDEWAITER_LOG").unwrap_or_else(|_| EnvFilter::new(filter)))
        .with_writer(std::io::stderr)
        .init();
    let outcome = terminal::install_cancellation().and_then(|()| commands::run(&arguments));
    match outcome {
        Ok(commands::Answer::Done) => ExitCode::SUCCESS,
        Ok(commands::Answer::FoundErrors) => ExitCode::from(1),
        Err(error) => {
            terminal::error(&error);
            ExitCode::from(terminal::exit_code(error.kind))
        }
    }
}
