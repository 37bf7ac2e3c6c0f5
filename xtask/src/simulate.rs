//! `cargo xtask simulate`: stories of two nodes on bad disks and a bad network, each from its seed.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::bench;
use crate::process;
use crate::workspace::Workspace;

/// Unless told otherwise.
const SEEDS: u64 = 10_000;

/// Which seeds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    from: u64,
    seeds: u64,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { from: 1, seeds: SEEDS };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || -> Result<u64> {
                let text = arguments.next().with_context(|| format!("{argument} needs a number"))?;
                text.parse().with_context(|| format!("{text} is no number"))
            };
            match argument.as_str() {
                "--seeds" => options.seeds = number()?,
                "--from" => options.from = number()?,
                "--seed" => options = Self { from: number()?, seeds: 1 },
                other => bail!("simulate does not know {other}; it knows --seeds N, --from N and --seed N"),
            }
        }
        if options.seeds == 0 { bail!("0 is no number of seeds") } else { Ok(options) }
    }
}

/// Builds in release, tells the stories, prints what happened in them as a table for docs/figures.md.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let example = ["--package", "journal", "--example", "simulate"];
    let mut build = workspace.cargo(&["build", "--release", "--locked"]);
    process::run(build.args(example))?;
    let mut command = workspace.cargo(&["run", "--release", "--locked", "--quiet"]);
    command.args(example).args(["--", &options.from.to_string(), &options.seeds.to_string()]);
    // Progress is seen while it runs; what it found is on standard error too.
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("something was violated: each line above replays one story");
    }
    println!();
    bench::print_figures(&String::from_utf8_lossy(&output.stdout), "simulate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_chosen_and_nonsense_refused() {
        let parse =
            |line: &str| Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parse("").unwrap(), Options { from: 1, seeds: 10_000 });
        assert_eq!(parse("--seeds 5 --from 7").unwrap(), Options { from: 7, seeds: 5 });
        assert_eq!(parse("--seed 621").unwrap(), Options { from: 621, seeds: 1 });
        assert_eq!(parse("--seeds 0").unwrap_err().to_string(), "0 is no number of seeds");
        assert!(parse("--sed 1").unwrap_err().to_string().starts_with("simulate does not know --sed"));
    }
}
