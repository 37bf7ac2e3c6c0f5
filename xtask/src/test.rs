//! `cargo xtask test`: everything CI runs, stage by stage, with minutes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cases;
use crate::process;
use crate::workspace::Workspace;
use crate::{aics, browser, docs, go, licences, npm, postgres, rooms, tidy};

/// One thing that can fail by itself.
struct Stage {
    name: &'static str,
    what: &'static str,
    check: fn(&Workspace) -> Result<()>,
}

const fn stage(name: &'static str, what: &'static str, check: fn(&Workspace) -> Result<()>) -> Stage {
    Stage { name, what, check }
}

/// In this order: the quick ones first, and the user interface before everything that embeds it.
const STAGES: [Stage; 9] = [
    stage("format", "cargo fmt", format),
    stage("tidy", "sizes, leftovers, foreign words", tidy::check),
    stage("rooms", "who may use whom, what is pure", rooms::check),
    stage("licences", "of every crate and npm package", licences::check),
    stage("docs", "links, invariants, counts", docs::check),
    stage("ui", "npm ci, types, bundles and their budget", npm::check),
    stage("lints", "clippy on everything, no warning", lints),
    stage("tests", "unit, data-driven and integration tests, suites on real material", tests),
    stage("browser", "pages and report in real Chromium", browser::check),
];

/// The stages named by `--only STAGE`, all where none is.
pub(crate) fn parse(arguments: &[String]) -> Result<Vec<String>> {
    let mut only = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument != "--only" {
            bail!("test does not know {argument}; it knows --only STAGE");
        }
        let name = arguments.next().context("--only needs the name of a stage")?;
        if !STAGES.iter().any(|stage| stage.name == name) {
            bail!("there is no stage {name}. Stages:\n{}", stages_listed());
        }
        only.push(name.clone());
    }
    Ok(only)
}

/// One line a stage, for help.
pub(crate) fn stages_listed() -> String {
    STAGES.iter().map(|stage| format!("  {:9} {}", stage.name, stage.what)).collect::<Vec<_>>().join("\n")
}

/// Runs the stages, each whether or not an earlier one failed, and says at the end which did.
pub(crate) fn run(workspace: &Workspace, only: &[String]) -> Result<()> {
    let chosen = STAGES.iter().filter(|stage| only.is_empty() || only.iter().any(|name| name == stage.name));
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let mut total = Duration::ZERO;
    for stage in chosen {
        println!("\n== {}: {} ==", stage.name, stage.what);
        let started = Instant::now();
        let outcome = (stage.check)(workspace);
        let took = started.elapsed();
        total += took;
        if let Err(error) = &outcome {
            println!("{}: {error:#}", stage.name);
            failed.push(stage.name);
        }
        lines.push(format!(
            "{:9} {} min  {}",
            stage.name,
            minutes(took),
            if outcome.is_ok() { "passed" } else { "FAILED" }
        ));
    }
    println!("\n{}\n{:9} {} min", lines.join("\n"), "total", minutes(total));
    // The plain line that every reader of test output understands.
    println!("stages: {} passed, {} failed", lines.len() - failed.len(), failed.len());
    if !failed.is_empty() {
        bail!(
            "failed: {}. Again, one at a time: cargo xtask test --only {}",
            failed.join(", "),
            failed.join(" --only ")
        );
    }
    Ok(())
}

fn minutes(duration: Duration) -> String {
    format!("{:6.2}", duration.as_secs_f64() / 60.0)
}

fn format(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

fn lints(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn tests(workspace: &Workspace) -> Result<()> {
    let folder = cases::folder(workspace);
    if !folder.is_dir() {
        println!("suites on real material are skipped, by name below: there is no {}", folder.display());
    }
    let report = workspace.metadata.target_directory.join("nextest/default/junit.xml");
    // Without nextest, cargo shows the output itself, skipped suites included.
    let (runner, further): (&[&str], &[&str]) = if process::exists("cargo-nextest") {
        (&["nextest", "run"], &[])
    } else {
        (&["test"], &["--", "--show-output"])
    };
    let shape = ["--workspace", "--locked", "--no-fail-fast"];
    let mut command = workspace.cargo(&[runner, &shape, further].concat());
    command.env(cases::VARIABLE, &folder);
    if postgres::is_there()? {
        command.env(postgres::REQUIRED, "1");
    }
    if go::is_there()? {
        command.env(go::REQUIRED, "1");
    }
    if let Some(environment) = aics::environment(workspace)? {
        command.env(aics::FOLDER, environment).env(aics::REQUIRED, "1");
    }
    let outcome = process::run(&mut command);
    for skipped in std::fs::read_to_string(report).map(|text| skipped_suites(&text)).unwrap_or_default() {
        println!("{skipped}");
    }
    outcome
}

/// Builds the same artefacts as the tests do: another command shape would choose other features and build all again.
pub(crate) fn build_as_tests_do(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&["test", "--workspace", "--locked", "--no-run", "--quiet"]))
}

/// The lines `skipped: NAME (why)` that suites print when their material is not there.
fn skipped_suites(report: &str) -> Vec<String> {
    let mut skipped: Vec<String> = report
        .lines()
        .filter_map(|line| line.find("skipped: ").and_then(|start| line.get(start..)))
        .map(|line| line.split('<').next().unwrap_or(line).to_owned())
        .collect();
    skipped.sort();
    skipped.dedup();
    skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_chosen_by_name_and_others_refused() {
        let parse = |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parse("").unwrap(), Vec::<String>::new());
        assert_eq!(parse("--only docs --only ui").unwrap(), ["docs", "ui"]);
        assert!(parse("--only speed").unwrap_err().to_string().starts_with("there is no stage speed"));
        assert!(parse("docs").unwrap_err().to_string().starts_with("test does not know docs"));
    }

    #[test]
    fn skipped_suites_are_read_from_the_report_of_the_tests() {
        let report = "<system-out>running 1 test\nskipped: lists (no data)\n</system-out>\n\
                      <system-out>skipped: rules (no data)</system-out>\nskipped: lists (no data)\n";
        assert_eq!(skipped_suites(report), ["skipped: lists (no data)", "skipped: rules (no data)"]);
    }
}
