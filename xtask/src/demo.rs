//! `cargo xtask demo`: from a fresh clone to an audit in the browser.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::npm;
use crate::process;
use crate::workspace::Workspace;

/// What a person may choose.
pub(crate) struct Options {
    open: bool,
    declarations: u32,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { open: true, declarations: 30_000 };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--no-open" => options.open = false,
                "--declarations" => {
                    let number = arguments.next().context("--declarations needs a number")?;
                    options.declarations =
                        number.parse().with_context(|| format!("{number} is not a number"))?;
                }
                other => bail!("demo does not know {other}; it knows --no-open and --declarations N"),
            }
        }
        Ok(options)
    }
}

/// Builds the user interface and the release binary, makes records, audits them, opens the report.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    npm::build(workspace)?;
    process::run(&mut workspace.cargo(&["build", "--release", "--locked", "--package", "tidewaiter"]))?;
    let folder = workspace.metadata.target_directory.join("demo");
    let (world, report) = (folder.join("world"), folder.join("report.html"));
    if world.exists() {
        std::fs::remove_dir_all(&world).with_context(|| world.display().to_string())?;
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;

    let tidewaiter = workspace.binary("release");
    let declarations = options.declarations.to_string();
    process::run(
        Command::new(&tidewaiter).args(["country", "--declarations", &declarations, "--out"]).arg(&world),
    )?;
    process::run(
        Command::new(&tidewaiter)
            .arg("audit")
            .arg("--declarations")
            .arg(world.join("declarations.csv"))
            .arg("--outcomes")
            .arg(world.join("outcomes.csv"))
            .arg("--simulated")
            .arg("--out")
            .arg(&report)
            .arg("--json")
            .arg(folder.join("report.json")),
    )?;
    println!("\nThe audit of a made-up administration (SIMULATED): {}", report.display());
    if options.open
        && let Err(error) = open::that_detached(&report)
    {
        println!("No browser could be opened ({error}): open the file by hand.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_others_refused_by_name() {
        let parse =
            |line: &str| Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let options = parse("--no-open --declarations 500").unwrap();
        assert!(!options.open && options.declarations == 500);
        assert!(parse("").unwrap().open);
        assert_eq!(parse("--declarations many").err().unwrap().to_string(), "many is not a number");
        assert!(parse("--fast").err().unwrap().to_string().starts_with("demo does not know --fast"));
    }
}
