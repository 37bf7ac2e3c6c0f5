//! Aggregates over windows of days: our day buckets beside general engines, on the same made-up entries in one run.
//!
//! All engines compute the same 148 aggregates for each enterprise and count who carries each of 159 tags on them; what
//! exactly is told in `xtask/peers/tags/aggregates.py`. A row stands only where all counts and a sum of all aggregates
//! are ours. When entries come, general engines compute everything again; we take in what changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{examples, scratch, table, tags};
use crate::process;
use crate::workspace::Workspace;

/// Entries, unless told otherwise.
pub(super) const ENTRIES: u32 = 8_000_000;
/// The first day after all entries.
const DAY: &str = "400";
const PEERS: [(&str, &str); 3] =
    [("DuckDB", "duckdb"), ("ClickHouse (chdb)", "clickhouse"), ("Polars", "polars")];

/// What we measure, by the name that the example gives it.
const OURS: [(&str, &str); 6] = [
    ("one pass over all entries", "batch"),
    ("the same, conditions evaluated by the matcher of rules", "batch_by_matcher"),
    ("a hundredth comes late, spread over all days", "late"),
    ("a hundredth is put right", "corrections"),
    ("the last hundredth comes, and four days go by", "refresh"),
    ("the same ten times in a row, each", "one_of_ten"),
];

/// Prints processor seconds of one pass and of changes, ours and others'.
pub(super) fn run(workspace: &Workspace, runs: u32, entries: u32) -> Result<()> {
    let python = tags::environment(workspace)?;
    let scripts = workspace.root.join("xtask/peers/tags");
    let folder = scratch(workspace, "aggregates")?;
    let script = |name: &str| {
        let mut command = Command::new(&python);
        command.arg(scripts.join(name));
        command
    };
    process::run(script("workload.py").arg(&folder).args([&entries.to_string(), "0", "plain"]))?;
    process::run(script("aggregates.py").arg(&folder).arg("columns"))?;
    let ours = ours(workspace, &folder, runs)?;
    println!("\n{entries} entries of 400 days, a million enterprises, one thread (SIMULATED)\n");
    print_ours(&ours)?;
    println!();
    let mut rows = Vec::new();
    for (name, engine) in PEERS {
        let mut seconds = Vec::new();
        for _ in 0..runs {
            let answer = process::answer(script("aggregates.py").arg(&folder).args([engine, DAY]))?;
            let theirs: Value = serde_json::from_str(answer.lines().last().unwrap_or_default())
                .with_context(|| format!("{name} answered {answer}"))?;
            same(name, &ours, &theirs)?;
            seconds.push(number(&theirs, "cpu_s")?);
        }
        seconds.sort_by(f64::total_cmp);
        let middle = seconds.get(seconds.len().saturating_sub(1) / 2).copied().context("no run")?;
        rows.push(row(name, middle, &ours)?);
    }
    let ratios = ["one pass", "a late hundredth", "corrections", "the last hundredth", "one of ten"];
    let ratios = ratios.map(|what| format!("{what}: we need so many times less"));
    let header = ["engine", "everything, CPU s"].into_iter().chain(ratios.iter().map(String::as_str));
    table::print(&header.collect::<Vec<_>>(), &rows);
    fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())
}

fn ours(workspace: &Workspace, folder: &Path, runs: u32) -> Result<Value> {
    let runs = runs.to_string();
    let arguments = [folder.as_os_str(), DAY.as_ref(), runs.as_ref()];
    let answer = examples::answer(workspace, "tags", "buckets_bench", &arguments)?;
    serde_json::from_str(answer.trim()).with_context(|| answer.clone())
}

fn print_ours(ours: &Value) -> Result<()> {
    let mut rows = Vec::new();
    for (what, name) in OURS {
        let entities = ours.get(format!("{name}_entities")).and_then(Value::as_f64);
        let entities = entities.map_or_else(String::new, |count| format!("{count:.0}"));
        rows.push(vec![what.to_owned(), format!("{:.3}", number(ours, &format!("{name}_cpu_s"))?), entities]);
    }
    table::print(&["Tidewaiter", "CPU s", "enterprises read again"], &rows);
    Ok(())
}

fn row(name: &str, seconds: f64, ours: &Value) -> Result<Vec<String>> {
    let mut cells = vec![name.to_owned(), format!("{seconds:.2}")];
    for own in ["batch", "late", "corrections", "refresh", "one_of_ten"] {
        cells.push(format!("{:.1}", seconds / number(ours, &format!("{own}_cpu_s"))?));
    }
    Ok(cells)
}

fn number(answer: &Value, name: &str) -> Result<f64> {
    answer.get(name).and_then(Value::as_f64).with_context(|| format!("no {name} in {answer}"))
}

/// No figure without the same counts and aggregates.
fn same(name: &str, ours: &Value, theirs: &Value) -> Result<()> {
    for sum in ["checksum", "aggregates"] {
        let (own, other) = (ours.get(sum), theirs.get(sum));
        if own.is_none() || own != other {
            bail!("{name} computes otherwise than we do, {sum}: {other:?} and {own:?}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_stands_only_for_equal_sums() {
        let ours = json!({"checksum": "a", "aggregates": "b"});
        assert!(same("x", &ours, &json!({"checksum": "a", "aggregates": "b", "cpu_s": 1})).is_ok());
        for theirs in [json!({"checksum": "a", "aggregates": "c"}), json!({"checksum": "a"}), json!({})] {
            assert!(same("x", &ours, &theirs).is_err(), "{theirs}");
        }
        assert!(same("x", &json!({}), &json!({})).is_err());
    }

    #[test]
    fn ratios_are_theirs_to_ours() {
        let ours = json!({"batch_cpu_s": 0.25, "late_cpu_s": 0.1, "corrections_cpu_s": 0.5, "refresh_cpu_s": 1.0, "one_of_ten_cpu_s": 2.0});
        assert_eq!(row("x", 2.0, &ours).unwrap(), ["x", "2.00", "8.0", "20.0", "4.0", "2.0", "1.0"]);
    }
}
