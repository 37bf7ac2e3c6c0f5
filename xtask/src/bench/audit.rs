//! The first job: the public records, and a million made-up ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{scratch, table};
use crate::cases;
use crate::process;
use crate::workspace::Workspace;

/// The published files, all with an outcome in their column `Fraud`.
const PUBLIC: [&str; 3] = ["declarations_train.csv", "declarations_valid.csv", "declarations_test.csv"];
/// At 1.7 items each.
const MADE_UP_DECLARATIONS: &str = "588000";

/// Prints wall time, processor time and peak memory of whole audits, report and JSON written.
pub(super) fn run(workspace: &Workspace, runs: u32) -> Result<()> {
    let folder = scratch(workspace, "audit")?;
    let tidewaiter = workspace.binary("release");
    let mut rows = Vec::new();

    let public = cases::folder(workspace).join("declarations");
    let files: Vec<PathBuf> = PUBLIC.iter().map(|file| public.join(file)).collect();
    if files.iter().all(|file| file.is_file()) {
        rows.push(row("54,000 public rows", &tidewaiter, &files, Path::new("Fraud"), &folder, runs)?);
    } else {
        println!("skipped: audit of the public rows (no {})", public.display());
    }

    let world = folder.join("world");
    let made = process::measure(
        Command::new(&tidewaiter)
            .args(["--quiet", "country", "--declarations", MADE_UP_DECLARATIONS, "--out"])
            .arg(&world),
    )?;
    let files = [world.join("declarations.csv")];
    rows.push(row(
        "about 1,000,000 made-up rows (SIMULATED)",
        &tidewaiter,
        &files,
        &world.join("outcomes.csv"),
        &folder,
        runs,
    )?);
    let [wall, processor, memory] = table::cells_of(&[made]);
    rows.push(vec!["making those 1,000,000 rows".to_owned(), wall, processor, memory, "1".to_owned()]);

    table::print(&["audit", "time", "processor time", "peak memory", "runs"], &rows);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn row(
    what: &str,
    tidewaiter: &Path,
    files: &[PathBuf],
    outcomes: &Path,
    folder: &Path,
    runs: u32,
) -> Result<Vec<String>> {
    let costs = (0..runs)
        .map(|_| {
            let mut audit = Command::new(tidewaiter);
            audit.args(["--quiet", "audit", "--declarations"]).args(files).arg("--outcomes").arg(outcomes);
            audit.arg("--out").arg(folder.join("report.html")).arg("--json").arg(folder.join("report.json"));
            process::measure(&mut audit)
        })
        .collect::<Result<Vec<_>>>()?;
    let [wall, processor, memory] = table::cells_of(&costs);
    Ok(vec![what.to_owned(), wall, processor, memory, runs.to_string()])
}
