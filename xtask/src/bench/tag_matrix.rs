//! Questions to a matrix of entities and tags, beside ClickHouse's bitmaps on the same pairs, in one run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{examples, table};
use crate::process;
use crate::workspace::Workspace;

const ENTITIES: &str = "4080000";
const TAGS: &str = "43000";

/// What another engine needed for a kind of question, and the sum of its answers.
struct Theirs {
    median_ms: f64,
    p99_ms: f64,
    sum: u64,
}

/// Prints what each kind of question takes; of questions that both were asked, only where the answers' sums are equal.
pub(super) fn run(workspace: &Workspace, peer: &mut Command, folder: &Path) -> Result<()> {
    let arguments = [OsStr::new(ENTITIES), OsStr::new(TAGS), folder.as_os_str()];
    let answer: Value =
        serde_json::from_str(&examples::answer(workspace, "tags", "matrix_bench", &arguments)?)?;
    let figures = answer.get("figures").and_then(Value::as_array).context("no figures")?;
    let theirs = theirs(&process::answer(peer.arg(folder))?)?;
    let text =
        |figure: &Value, name: &str| figure.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for figure in figures {
        let asked = text(figure, "asked");
        let mut row = vec![asked.clone(), text(figure, "median"), text(figure, "p99")];
        if let Some(theirs) = theirs.get(&asked) {
            if text(figure, "sum") != theirs.sum.to_string() {
                bail!("{asked}: ClickHouse answers {}, we {}", theirs.sum, text(figure, "sum"));
            }
            let ours = text(figure, "median");
            let ours: f64 = ours.trim_end_matches(" ms").parse().with_context(|| ours.clone())?;
            row.push(format!("{:.3} ms", theirs.median_ms));
            row.push(format!("{:.3} ms", theirs.p99_ms));
            row.push(format!("{:.0} times as fast", theirs.median_ms / ours));
        } else {
            row.extend(["", "", ""].map(str::to_owned));
        }
        rows.push(row);
    }
    table::print(
        &["asked", "median", "p99", "ClickHouse (chdb), median", "p99", "by the median ours is"],
        &rows,
    );
    Ok(())
}

fn theirs(lines: &str) -> Result<BTreeMap<String, Theirs>> {
    lines
        .lines()
        .map(|line| {
            let told: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let number = |name: &str| told.get(name).and_then(Value::as_f64).with_context(|| name.to_owned());
            let kind = told.get("kind").and_then(Value::as_str).context("no kind")?;
            let sum = told.get("sum").and_then(Value::as_u64).context("no sum")?;
            Ok((kind.to_owned(), Theirs { median_ms: number("median")?, p99_ms: number("p99")?, sum }))
        })
        .collect()
}
