//! `cargo xtask demo`: from a fresh clone to a living country in the browser.

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

/// Builds the user interface and the release binary, and lets a simulated country live in a sandbox until Ctrl-C.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    npm::build(workspace)?;
    process::run(&mut workspace.cargo(&["build", "--release", "--locked", "--package", "tidewaiter"]))?;
    let folder = workspace.metadata.target_directory.join("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let mut demo = Command::new(workspace.binary("release"));
    demo.args(["demo", "--declarations", &options.declarations.to_string()]).arg("--data").arg(&folder);
    if options.open {
        demo.arg("--open");
    }
    process::run(&mut demo)
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
