//! Development commands: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`,
//! `cargo xtask simulate`.
#![expect(clippy::print_stdout, reason = "a command line tool")]

mod aics;
mod bench;
mod browser;
mod cases;
mod demo;
mod docs;
mod go;
mod licences;
mod links;
mod metadata;
mod npm;
mod postgres;
mod process;
mod rooms;
mod simulate;
mod spdx;
mod system;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

const USAGE: &str = "Usage:
  cargo xtask demo [--no-open] [--declarations N]
      Builds everything, makes a synthetic country in a sandbox, serves it, opens the first page.
  cargo xtask test [--only STAGE]...
      Everything CI runs, with minutes per stage.
  cargo xtask bench [aggregates|audit|start|end-to-end|replay|pool|backup|journal|messages|tags|xsd]... [--runs N]
      Release builds; prints medians as rows for docs/figures.md. The group `aggregates` (windows of days beside other
      engines) takes --entries N, 8,000,000 unless told.
  cargo xtask simulate [--seeds N] [--from N] [--seed N]
      Stories of two nodes on bad disks and a bad network (10,000 unless told); --seed tells one again.";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else { bail!("name a command.\n\n{USAGE}") };
    let workspace = Workspace::find()?;
    match command.as_str() {
        "demo" => demo::run(&workspace, &demo::Options::parse(rest)?),
        "test" => test::run(&workspace, &test::parse(rest)?),
        "bench" => bench::run(&workspace, &bench::Options::parse(rest)?),
        "simulate" => simulate::run(&workspace, &simulate::Options::parse(rest)?),
        "help" | "--help" | "-h" => {
            println!("{USAGE}\n\nStages of the test command:\n{}", test::stages_listed());
            Ok(())
        }
        other => bail!("there is no command {other}.\n\n{USAGE}"),
    }
}
