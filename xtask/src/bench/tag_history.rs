//! Tags put on a file of entries, from Parquet to what is kept on disk; and one new tag over all of it beside DuckDB.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::table;
use crate::process;

/// Entries of the file.
pub(super) const ENTRIES: u32 = 8_000_000;
/// Rules that are put on them.
pub(super) const RULES: u32 = 43_000;
/// Rules asked one at a time.
const ALONE: usize = 20;

/// Prints what it takes to keep who carries what of a folder's entries and rules.
pub(super) fn run(binary: &Path, folder: &Path, peer: &mut Command, many: &mut Command) -> Result<()> {
    let bench = Bench { binary, folder };
    let matches = number(&bench.matched("rules.jsonl")?, "matches")?;
    let mut rows = Vec::new();
    for threads in ["1", "2"] {
        let report = bench.kept(&format!("history-{threads}"), "rules.jsonl", threads)?;
        ensure!(
            number(&report, "matches")? == matches,
            "what is kept rests on other matches than are counted"
        );
        rows.push(kept_row("1,000,000", ENTRIES, &report, threads)?);
    }
    process::run(many.arg(folder))?;
    let report = bench.kept_of_parties()?;
    rows.push(kept_row("10,000,000", ENTRIES.saturating_mul(2), &report, "1")?);
    let head = [
        "entities, at most",
        "entries",
        "threads",
        "CPU s",
        "reading",
        "matching",
        "keeping",
        "merging",
        "matrix",
        "entries a CPU second",
        "seconds",
        "pairs kept",
        "on disk",
        "memory",
    ];
    table::print(&head, &rows);
    println!();
    bench.one_new(peer)
}

fn kept_row(entities: &str, entries: u32, report: &Value, threads: &str) -> Result<Vec<String>> {
    let cpu_s = number(report, "cpu_s")?;
    let mut row = vec![entities.to_owned(), entries.to_string(), threads.to_owned(), format!("{cpu_s:.1}")];
    for stage in ["reading_cpu_s", "matching_cpu_s", "keeping_cpu_s", "merging_cpu_s", "matrix_cpu_s"] {
        row.push(format!("{:.1}", number(report, stage)?));
    }
    row.push(format!("{:.0}", f64::from(entries) / cpu_s));
    row.push(format!("{:.1}", number(report, "seconds")?));
    row.push(format!("{:.0}", number(report, "pairs")?));
    for name in ["bytes", "memory_peak_bytes"] {
        row.push(format!("{:.0} MB", number(report, name)? / 1e6));
    }
    Ok(row)
}

struct Bench<'a> {
    binary: &'a Path,
    folder: &'a Path,
}

impl Bench<'_> {
    fn tags(&self, command: &str) -> Command {
        let mut tags = Command::new(self.binary);
        tags.args(["tags", command, "--json"]);
        tags
    }

    /// Counts alone.
    fn matched(&self, rules: &str) -> Result<Value> {
        let mut command = self.tags("match");
        command
            .arg("--rules")
            .arg(self.folder.join(rules))
            .arg("--entries")
            .arg(self.folder.join("entries.parquet"));
        answer(command.arg("--counts").arg(self.folder.join("counts.csv")))
    }

    /// Rules put on the entries, in a folder of this name that is new or goes on.
    fn kept(&self, name: &str, rules: &str, threads: &str) -> Result<Value> {
        let mut command = self.tags("backfill");
        command.arg("--history").arg(self.folder.join(name)).arg("--rules").arg(self.folder.join(rules));
        command.arg("--entries").arg(self.folder.join("entries.parquet"));
        answer(command.args(["--by", "enterprise", "--threads", threads]))
    }

    /// All rules put on the entries of ten million parties, with what memory that takes.
    fn kept_of_parties(&self) -> Result<Value> {
        let mut command = self.tags("backfill");
        command.arg("--history").arg(self.folder.join("history-parties"));
        command.arg("--rules").arg(self.folder.join("rules.jsonl")).arg("--entries");
        command.args(["parties-1.parquet", "parties-2.parquet"].map(|name| self.folder.join(name)));
        answer(command.args(["--by", "party"]))
    }

    /// One rule at a time over all entries: counted, and put on them.
    fn one_new(&self, peer: &mut Command) -> Result<()> {
        let rules = fs::read_to_string(self.folder.join("rules.jsonl"))?;
        let theirs: Value =
            serde_json::from_str(&process::answer(peer.arg(self.folder).arg(ALONE.to_string()))?)?;
        let counts = theirs.get("counts").and_then(Value::as_array).context("no counts")?;
        let (mut counting, mut keeping, mut adding) = (0.0, 0.0, 0.0);
        let begun = self.folder.join("begun.jsonl");
        fs::write(&begun, rules.lines().nth(ALONE).context("too few rules")?)?;
        self.kept("more", "begun.jsonl", "1")?;
        let mut before = fs::read_to_string(&begun)?;
        for (at, (rule, expected)) in rules.lines().zip(counts).enumerate() {
            let path: PathBuf = self.folder.join("one.jsonl");
            fs::write(&path, rule)?;
            let report = self.matched("one.jsonl")?;
            ensure!(report.get("matches") == Some(expected), "DuckDB counts otherwise: {expected}, {report}");
            counting += number(&report, "reading_cpu_s")? + number(&report, "matching_cpu_s")?;
            let report = self.kept(&format!("one-{at}"), "one.jsonl", "1")?;
            keeping += number(&report, "cpu_s")?;
            before.push('\n');
            before.push_str(rule);
            fs::write(self.folder.join("more.jsonl"), &before)?;
            let report = self.kept("more", "more.jsonl", "1")?;
            ensure!(report.get("matches") == Some(expected), "DuckDB counts otherwise: {expected}, {report}");
            adding += number(&report, "cpu_s")?;
        }
        let (theirs, rules) = (number(&theirs, "cpu_s")?, f64::from(u32::try_from(ALONE)?));
        let row = |name: &str, seconds: f64| {
            let times = format!("{:.2}", seconds / theirs);
            vec![name.to_owned(), format!("{:.3}", seconds / rules), times]
        };
        let rows = [
            row("DuckDB, `count(*) where` on the file", theirs),
            row("Tidewaiter, counted", counting),
            row("Tidewaiter, put on the entries and kept, beside others", adding),
            row("Tidewaiter, put on the entries and kept, in a new folder", keeping),
        ];
        table::print(&["one rule over all entries", "CPU s", "times DuckDB"], &rows);
        Ok(())
    }
}

fn answer(command: &mut Command) -> Result<Value> {
    Ok(serde_json::from_str(&process::answer(command)?)?)
}

fn number(report: &Value, name: &str) -> Result<f64> {
    report.get(name).and_then(Value::as_f64).with_context(|| format!("no {name}"))
}
