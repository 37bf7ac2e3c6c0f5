//! `cargo xtask bench`: figures of this machine, as rows for `docs/figures.md`. Nothing is judged and nothing written.

mod aggregates;
mod audit;
mod backup;
mod end_to_end;
mod examples;
mod journal;
mod machine;
mod messages;
mod replay;
mod start;
mod table;
mod tag_history;
mod tag_matrix;
mod tag_stream;
mod tags;
mod xsd;

pub(crate) use self::examples::print as print_figures;

use anyhow::{Context, Result, bail};

use crate::npm;
use crate::process;
use crate::workspace::Workspace;

/// One group of figures.
struct Bench {
    name: &'static str,
    needs_binary: bool,
    run: fn(&Workspace, &Options) -> Result<()>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "aggregates",
        needs_binary: false,
        run: |workspace, options| aggregates::run(workspace, options.runs, options.entries),
    },
    Bench {
        name: "audit",
        needs_binary: true,
        run: |workspace, options| audit::run(workspace, options.runs),
    },
    Bench {
        name: "start",
        needs_binary: true,
        run: |workspace, options| start::run(workspace, options.runs),
    },
    Bench {
        name: "end-to-end",
        needs_binary: true,
        run: |workspace, options| end_to_end::run(workspace, options.runs),
    },
    Bench {
        name: "replay",
        needs_binary: true,
        run: |workspace, options| replay::run(workspace, options.runs),
    },
    Bench {
        name: "pool",
        needs_binary: false,
        run: |workspace, _| examples::run(workspace, "pool", "pool_bench", &[]),
    },
    Bench { name: "backup", needs_binary: false, run: |workspace, _| backup::run(workspace) },
    Bench { name: "journal", needs_binary: false, run: |workspace, _| journal::run(workspace) },
    Bench {
        name: "messages",
        needs_binary: false,
        run: |workspace, options| messages::run(workspace, options.runs),
    },
    Bench { name: "tags", needs_binary: true, run: |workspace, options| tags::run(workspace, options.runs) },
    Bench { name: "xsd", needs_binary: false, run: |workspace, options| xsd::run(workspace, options.runs) },
];

/// What a person may choose.
pub(crate) struct Options {
    names: Vec<String>,
    runs: u32,
    /// Of the group `aggregates`.
    entries: u32,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { names: Vec::new(), runs: 3, entries: aggregates::ENTRIES };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let number = match argument.as_str() {
                "--runs" => Some((&mut options.runs, 1)),
                // A hundredth of fewer is too little to measure.
                "--entries" => Some((&mut options.entries, 100_000)),
                _ => None,
            };
            if let Some((number, least)) = number {
                let given = arguments.next().with_context(|| format!("{argument} needs a number"))?;
                *number = given.parse().ok().filter(|given| *given >= least).with_context(|| {
                    format!("{given} is no number of {}", argument.trim_start_matches('-'))
                })?;
            } else if BENCHES.iter().any(|bench| bench.name == argument) {
                options.names.push(argument.clone());
            } else {
                let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
                bail!(
                    "bench does not know {argument}; it knows {}, --runs N and --entries N",
                    known.join(", ")
                );
            }
        }
        Ok(options)
    }
}

/// Builds in release, prints the machine, then each group's rows.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let chosen: Vec<_> = BENCHES
        .iter()
        .filter(|bench| options.names.is_empty() || options.names.iter().any(|name| name == bench.name))
        .collect();
    if chosen.iter().any(|bench| bench.needs_binary) {
        npm::build(workspace)?;
        process::run(&mut workspace.cargo(&["build", "--release", "--locked", "--package", "tidewaiter"]))?;
    }
    println!("\n{}", machine::described(workspace));
    for bench in chosen {
        println!("\n### {}\n", bench.name);
        (bench.run)(workspace, options)?;
    }
    Ok(())
}

/// A folder for one group of figures, emptied first and removed by whoever asked for it.
fn scratch(workspace: &Workspace, name: &str) -> Result<std::path::PathBuf> {
    let folder = workspace.metadata.target_directory.join("bench").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_chosen_by_name_and_others_refused() {
        let parse =
            |line: &str| Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let options = parse("journal --runs 5").unwrap();
        assert_eq!((options.names, options.runs), (vec!["journal".to_owned()], 5));
        assert!(parse("speed").err().unwrap().to_string().starts_with("bench does not know speed"));
        assert_eq!(parse("aggregates --entries 200000").unwrap().entries, 200_000);
        assert!(parse("aggregates --entries 10").is_err());
        assert_eq!(parse("--runs 0").err().unwrap().to_string(), "0 is no number of runs");
    }
}
