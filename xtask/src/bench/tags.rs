//! Many conditions over many entries: our matcher beside general engines, on made-up entries and rules, in one run.
//!
//! Every engine counts the entries that fulfil each rule. A figure is shown only where the counts of all rules are the
//! same as ours on the same entries and rules. General engines are asked fewer rules of fewer entries, and what they
//! would need for all is reckoned in proportion, which favours them: plans with more expressions cost more than that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{scratch, table, tag_history, tag_matrix, tag_stream};
use crate::process;
use crate::workspace::Workspace;

/// From the registry of Python packages; ready-made ones only.
const PACKAGES: [&str; 6] =
    ["numpy==2.4.6", "pandas==3.1.1", "pyarrow==26.0.1", "duckdb==2.0.1", "polars==2.1.0", "chdb==4.4.0"];
const ENTRIES: u32 = 1_000_000;
const RULES: u32 = 43_000;
/// Ten times as many, for growth.
const RULES_MORE: u32 = 430_000;
const PART_ENTRIES: u32 = 500_000;
const FIRST_ENTRIES: u32 = 2_000;

/// An engine that is not ours: its rules, and how many of them in one query.
struct Peer {
    name: &'static str,
    engine: &'static str,
    rules: u32,
    at_once: u32,
}

const PEERS: [Peer; 4] = [
    Peer { name: "Polars", engine: "polars", rules: 1_000, at_once: 500 },
    Peer { name: "ClickHouse (chdb)", engine: "clickhouse", rules: 500, at_once: 500 },
    Peer { name: "DuckDB", engine: "duckdb", rules: 500, at_once: 250 },
    Peer { name: "DuckDB, rules as rows joined on a key", engine: "joined", rules: RULES, at_once: RULES },
];

/// Prints entries a processor second of all engines, and how ours grows.
pub(super) fn run(workspace: &Workspace, runs: u32) -> Result<()> {
    let bench = Bench {
        python: environment(workspace)?,
        peers: workspace.root.join("xtask/peers/tags"),
        binary: workspace.metadata.target_directory.join("release/tidewaiter"),
        folder: scratch(workspace, "tags")?,
        runs,
    };
    for (kind, described) in [
        ("plain", "whole numbers, thresholds of a grid (SIMULATED)"),
        ("sharp", "texts, gaps, thresholds that are almost all different (SIMULATED)"),
    ] {
        let folder = bench.folder.join(kind);
        fs::create_dir_all(&folder)?;
        process::run(bench.script("workload.py").arg(&folder).args([
            ENTRIES.to_string(),
            RULES_MORE.to_string(),
            kind.to_owned(),
        ]))?;
        println!("\n{described}\n");
        bench.compare(workspace, &folder, kind)?;
        println!();
        bench.growth(&folder)?;
    }
    println!("\nfrom Parquet to what is kept on disk: 8,000,000 entries, 43,000 rules (SIMULATED)\n");
    let folder = bench.folder.join("history");
    fs::create_dir_all(&folder)?;
    let (entries, rules) = (tag_history::ENTRIES.to_string(), tag_history::RULES.to_string());
    process::run(bench.script("workload.py").arg(&folder).args([&entries, &rules, "plain"]))?;
    let (peer, many) = (&mut bench.script("history_peer.py"), &mut bench.script("many_entities.py"));
    tag_history::run(&bench.binary, &folder, peer, many)?;
    fs::remove_dir_all(&folder)?;
    println!("\nentries as they come, through all tags and aggregates (SIMULATED)\n");
    tag_stream::run(workspace)?;
    println!("\n4,080,000 entities, 43,000 tags (SIMULATED)\n");
    tag_matrix::run(workspace, &mut bench.script("matrix_peer.py"), &bench.folder)?;
    fs::remove_dir_all(&bench.folder).with_context(|| bench.folder.display().to_string())
}

/// The Python environment with the peers, made where it is missing.
pub(super) fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.metadata.target_directory.join("foreign/tag-peers");
    let python = folder.join("bin/python");
    if folder.join("complete").is_file() {
        return Ok(python);
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]).args(PACKAGES);
    process::run(&mut pip)?;
    fs::write(folder.join("complete"), "")?;
    Ok(python)
}

struct Bench {
    python: PathBuf,
    peers: PathBuf,
    binary: PathBuf,
    folder: PathBuf,
    runs: u32,
}

/// What an engine needed and what it counted.
struct Measured {
    processor_s: f64,
    /// How long it took; of ours only.
    wall_s: f64,
    checksum: String,
}

impl Bench {
    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.peers.join(name));
        command
    }

    fn compare(&self, workspace: &Workspace, folder: &Path, kind: &str) -> Result<()> {
        let all = folder.join("entries.parquet");
        let per_second = |entries: u32, rules: u32, seconds: f64| {
            f64::from(entries) / seconds * (f64::from(rules) / f64::from(RULES))
        };
        let counting = per_second(ENTRIES, RULES, self.ours(folder, &all, RULES, &[])?.processor_s);
        let pairs = per_second(ENTRIES, RULES, self.ours(folder, &all, RULES, &["--pairs"])?.processor_s);
        let mut rows = vec![
            row("Tidewaiter, counts", ENTRIES, RULES, counting, None),
            row("Tidewaiter, every pair put together", ENTRIES, RULES, pairs, None),
        ];
        for peer in &PEERS {
            let part = folder.join("part.parquet");
            let theirs = self.peer(folder, peer)?;
            same(peer.name, &theirs, &self.ours(folder, &part, peer.rules, &[])?)?;
            let speed = per_second(PART_ENTRIES, peer.rules, theirs.processor_s);
            rows.push(row(peer.name, PART_ENTRIES, peer.rules, speed, Some((counting, pairs))));
        }
        if kind == "plain" {
            let theirs = self.a_tree(workspace, folder)?;
            same("a-tree", &theirs, &self.ours(folder, &folder.join("first.parquet"), RULES, &[])?)?;
            let speed = per_second(FIRST_ENTRIES, RULES, theirs.processor_s);
            rows.push(row("crate a-tree 0.6.1", FIRST_ENTRIES, RULES, speed, Some((counting, pairs))));
        }
        table::print(
            &[
                "engine",
                "entries",
                "rules",
                "entries a CPU second with 43,000 rules",
                "counts: ours is",
                "pairs: ours is",
            ],
            &rows,
        );
        Ok(())
    }

    fn growth(&self, folder: &Path) -> Result<()> {
        let all = folder.join("entries.parquet");
        let mut rows = Vec::new();
        let (mut before, mut alone) = (None, None);
        for (rules, threads) in [(RULES / 10, "1"), (RULES, "1"), (RULES_MORE, "1"), (RULES, "2")] {
            let ours = self.ours(folder, &all, rules, &["--threads", threads])?;
            let grown = before.filter(|_| threads == "1").map(|before| ours.processor_s / before);
            let faster = alone.filter(|_| threads == "2").map(|alone: f64| alone / ours.wall_s);
            before = Some(ours.processor_s);
            if rules == RULES && threads == "1" {
                alone = Some(ours.wall_s);
            }
            let times = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            rows.push(vec![
                rules.to_string(),
                threads.to_owned(),
                format!("{:.0} ns", ours.processor_s * 1e9 / f64::from(ENTRIES)),
                times(grown),
                times(faster),
            ]);
        }
        table::print(
            &[
                "rules",
                "threads",
                "processor time an entry",
                "times the cost of a tenth of the rules",
                "times as fast as one thread",
            ],
            &rows,
        );
        Ok(())
    }

    /// The median of our processor time for matching, and the checksum of the counts.
    fn ours(&self, folder: &Path, entries: &Path, rules: u32, more: &[&str]) -> Result<Measured> {
        let written = folder.join(format!("rules-{rules}.jsonl"));
        if !written.is_file() {
            let all = fs::read_to_string(folder.join("rules.jsonl"))?;
            let first: Vec<&str> = all.lines().take(usize::try_from(rules)?).collect();
            fs::write(&written, first.join("\n"))?;
        }
        let counts = folder.join("counts.csv");
        let mut costs: Vec<(f64, f64)> = Vec::new();
        for _ in 0..self.runs {
            let mut command = Command::new(&self.binary);
            command.args(["tags", "match", "--json", "--rules"]).arg(&written).arg("--entries").arg(entries);
            command.arg("--counts").arg(&counts).args(more);
            let report: Value = serde_json::from_str(&process::answer(&mut command)?)?;
            let number = |name: &str| report.get(name).and_then(Value::as_f64).context(name.to_owned());
            costs.push((number("matching_cpu_s")?, number("matching_s")?));
        }
        costs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let (processor_s, wall_s) =
            costs.get(costs.len().saturating_sub(1) / 2).copied().context("no run")?;
        Ok(Measured { processor_s, wall_s, checksum: checksum(&fs::read_to_string(&counts)?)? })
    }

    fn peer(&self, folder: &Path, peer: &Peer) -> Result<Measured> {
        let mut command = self.script("peers.py");
        command.arg(folder).args([peer.engine, &peer.rules.to_string(), &peer.at_once.to_string()]);
        measured(&process::answer(&mut command)?)
    }

    fn a_tree(&self, workspace: &Workspace, folder: &Path) -> Result<Measured> {
        let manifest = self.peers.join("a_tree/Cargo.toml");
        let target = workspace.metadata.target_directory.join("foreign/a-tree");
        let mut command = workspace.cargo(&["run", "--quiet", "--release", "--locked", "--manifest-path"]);
        command.arg(manifest).arg("--target-dir").arg(target).arg("--").arg(folder);
        command.args([FIRST_ENTRIES.to_string(), RULES.to_string()]);
        measured(&process::answer(&mut command)?)
    }
}

fn measured(answer: &str) -> Result<Measured> {
    let line = answer.lines().last().unwrap_or_default();
    let answer: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let processor_s = answer.get("cpu_s").and_then(Value::as_f64).context("no cpu_s")?;
    let checksum = answer.get("checksum").and_then(Value::as_str).context("no checksum")?;
    Ok(Measured { processor_s, wall_s: f64::NAN, checksum: checksum.to_owned() })
}

/// No figure without the same counts.
fn same(name: &str, theirs: &Measured, ours: &Measured) -> Result<()> {
    if theirs.checksum != ours.checksum {
        bail!("{name} counts otherwise than we do: {} and {}", theirs.checksum, ours.checksum);
    }
    Ok(())
}

fn row(name: &str, entries: u32, rules: u32, speed: f64, ours: Option<(f64, f64)>) -> Vec<String> {
    let times = |own: f64| format!("{:.1} times as fast", own / speed);
    let (counts, pairs) = ours.map_or_else(Default::default, |(counts, pairs)| (times(counts), times(pairs)));
    vec![name.to_owned(), entries.to_string(), rules.to_string(), format!("{speed:.0}"), counts, pairs]
}

/// The same sum as the peers': each count weighs by its place.
fn checksum(csv: &str) -> Result<String> {
    let mut sum = 0_u64;
    for (at, line) in (1_u64..).zip(csv.lines().skip(1)) {
        let (_, count) = line.rsplit_once(',').with_context(|| line.to_owned())?;
        let count: u64 = count.parse().with_context(|| line.to_owned())?;
        sum = sum.wrapping_add(at.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_mul(count.wrapping_add(1)));
    }
    Ok(format!("{sum:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_tells_counts_and_their_places_apart() {
        let of = |csv: &str| checksum(csv).unwrap();
        assert_eq!(of("id,count\na,0\n"), "9e3779b97f4a7c15");
        assert_ne!(of("id,count\na,1\nb,2\n"), of("id,count\na,2\nb,1\n"));
        assert!(checksum("id,count\na,many\n").is_err());
    }
}
