//! `cargo xtask bench`: figures of this machine, as rows for `docs/figures.md`. Nothing is judged and nothing written.

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
mod tag_matrix;
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
    run: fn(&Workspace, u32) -> Result<()>,
}

const BENCHES: &[Bench] = &[
    Bench { name: "audit", needs_binary: true, run: audit::run },
    Bench { name: "start", needs_binary: true, run: start::run },
    Bench { name: "end-to-end", needs_binary: true, run: end_to_end::run },
    Bench { name: "replay", needs_binary: true, run: replay::run },
    Bench {
        name: "pool",
        needs_binary: false,
        run: |workspace, _| examples::run(workspace, "pool", "pool_bench", &[]),
    },
    Bench { name: "backup", needs_binary: false, run: |workspace, _| backup::run(workspace) },
    Bench { name: "journal", needs_binary: false, run: |workspace, _| journal::run(workspace) },
    Bench { name: "messages", needs_binary: false, run: messages::run },
    Bench { name: "tags", needs_binary: true, run: tags::run },
    Bench { name: "xsd", needs_binary: false, run: xsd::run },
];

/// What a person may choose.
pub(crate) struct Options {
    names: Vec<String>,
    runs: u32,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { names: Vec::new(), runs: 3 };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--runs" {
                let number = arguments.next().context("--runs needs a number")?;
                options.runs = number
                    .parse()
                    .ok()
                    .filter(|runs| *runs >= 1)
                    .with_context(|| format!("{number} is no number of runs"))?;
            } else if BENCHES.iter().any(|bench| bench.name == argument) {
                options.names.push(argument.clone());
            } else {
                let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
                bail!("bench does not know {argument}; it knows {} and --runs N", known.join(", "));
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
        (bench.run)(workspace, options.runs)?;
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
        assert_eq!(parse("--runs 0").err().unwrap().to_string(), "0 is no number of runs");
    }
}
