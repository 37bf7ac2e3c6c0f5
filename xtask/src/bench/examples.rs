//! Rooms that measure themselves: an example program prints JSON, one object or a list `figures` of one shape, or
//! text.

use std::ffi::OsStr;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::table;
use crate::process;
use crate::workspace::Workspace;

/// Runs the example in release with these arguments and prints its figures as a table, text as it is. How often it
/// measures is the example's own matter.
pub(super) fn run(workspace: &Workspace, package: &str, example: &str, arguments: &[&OsStr]) -> Result<()> {
    print(&answer(workspace, package, example, arguments)?, example)
}

/// What the example prints, run in release with these arguments.
pub(super) fn answer(
    workspace: &Workspace,
    package: &str,
    example: &str,
    arguments: &[&OsStr],
) -> Result<String> {
    let mut command = workspace.cargo(&[
        "run",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        package,
        "--example",
        example,
        "--",
    ]);
    command.args(arguments);
    process::answer(&mut command)
}

/// Prints an example's figures as a table, text as it is.
pub(crate) fn print(text: &str, example: &str) -> Result<()> {
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        println!("```\n{}\n```", text.trim_end());
        return Ok(());
    };
    let figures = figures(&answer);
    let first = figures.first().with_context(|| format!("{example} printed no figures"))?;
    // Lists hold the single runs behind a median: not for a table.
    let columns: Vec<&str> =
        first.iter().filter(|(_, value)| !value.is_array()).map(|(name, _)| name.as_str()).collect();
    let rows: Vec<Vec<String>> = figures
        .iter()
        .map(|figure| {
            columns.iter().map(|column| figure.get(*column).map_or_else(String::new, shown)).collect()
        })
        .collect();
    let header: Vec<String> = columns.iter().map(|column| column.replace('_', " ")).collect();
    table::print(&header.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
    Ok(())
}

/// The objects of the list `figures`, or the answer itself where it is one object.
fn figures(answer: &Value) -> Vec<&Map<String, Value>> {
    match answer.get("figures") {
        Some(list) => list.as_array().into_iter().flatten().filter_map(Value::as_object).collect(),
        None => answer.as_object().into_iter().collect(),
    }
}

/// Numbers of a thousand and more without decimals, others with two; texts as they are.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(String::new, |number| {
            if number >= 1_000.0 { format!("{number:.0}") } else { format!("{number:.2}") }
        }),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_as_precisely_as_they_mean_something() {
        let check = |json: &str, expected: &str| {
            assert_eq!(shown(&serde_json::from_str(json).unwrap()), expected, "{json}")
        };
        check("155712.3456", "155712");
        check("12.3456", "12.35");
        check("1000", "1000");
        check("\"rows\"", "rows");
    }
}
