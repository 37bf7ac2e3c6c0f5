//! Tags as entries come: how long one call takes, and how long an edited tag takes to be live.

use std::ffi::OsStr;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{examples, table};
use crate::workspace::Workspace;

const HISTORY_ENTRIES: &str = "100000";
/// Tags in all: the shipped ones, and as many as an office has.
const TAGS: [&str; 2] = ["0", "43000"];

const OF_CALLS: [&str; 6] =
    ["tags", "a_call", "median_ms", "p99_ms", "most_ms", "entries_a_processor_second"];
const OF_EDITS: [&str; 5] = ["tags", "compiled_ms", "taken_up_ms", "live_ms_median", "live_ms_most"];

/// Prints what calls of several sizes take with few and many tags, then how long another tag takes to be live: until the
/// next declaration was told by it.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let (mut calls, mut edits) = (Vec::new(), Vec::new());
    for tags in TAGS {
        let arguments = [OsStr::new(HISTORY_ENTRIES), OsStr::new(tags)];
        let answer = examples::answer(workspace, "tags", "online_bench", &arguments)?;
        let (of_calls, of_edits) = rows(&answer)?;
        calls.extend(of_calls);
        edits.push(of_edits);
    }
    table::print(&["tags", "a call", "median, ms", "p99, ms", "most, ms", "entries a CPU second"], &calls);
    println!();
    table::print(
        &["tags, with another", "compiled, ms", "taken up, ms", "live, median, ms", "most, ms"],
        &edits,
    );
    Ok(())
}

/// What the example printed: a row a call, and that of the edits.
fn rows(answer: &str) -> Result<(Vec<Vec<String>>, Vec<String>)> {
    let answer: Value = serde_json::from_str(answer).context("the example printed no JSON")?;
    let figures = answer.get("figures").and_then(Value::as_array).context("no figures")?;
    let calls = figures.iter().map(|figure| row(figure, &OF_CALLS)).collect::<Result<_>>()?;
    Ok((calls, row(answer.get("edits").context("no edits")?, &OF_EDITS)?))
}

fn row(figure: &Value, names: &[&str]) -> Result<Vec<String>> {
    names.iter().map(|name| Ok(examples::shown(figure.get(*name).context((*name).to_owned())?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_edits_become_rows_and_nothing_is_left_out() {
        let call = r#"{"tags":212,"a_call":"64 entries","median_ms":5.5,"p99_ms":7.254,"most_ms":9.0,"entries_a_processor_second":11234.4}"#;
        let edit =
            r#"{"tags":213,"compiled_ms":9.5,"taken_up_ms":2.0,"live_ms_median":12.25,"live_ms_most":14.0}"#;
        let printed = format!("{{\"figures\": [{call}], \"edits\": {edit}}}");
        let (calls, edits) = rows(&printed).unwrap();
        assert_eq!(calls, [["212", "64 entries", "5.50", "7.25", "9.00", "11234"]]);
        assert_eq!(edits, ["213", "9.50", "2.00", "12.25", "14.00"]);
        for name in OF_CALLS.iter().chain(&OF_EDITS) {
            let other = printed.replace(&format!("\"{name}\""), "\"other\"");
            assert_eq!(rows(&other).unwrap_err().to_string(), *name);
        }
        assert!(rows("text").is_err());
    }
}
