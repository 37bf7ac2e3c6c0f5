//! Messages through all that is public (schema, tree, declaration, rules), beside `xmllint --schema` of libxml2, which
//! does the first of it, on the same files in the same run; and the memory of a process over 100,000 of them.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::xsd::{INSTALL, Set, sets, theirs_once};
use super::{examples, scratch, table};
use crate::workspace::Workspace;
use crate::{cases, process, system};

/// Rounds of one call; the median counts. Processor time comes in steps of some milliseconds.
const ROUNDS: &str = "15";
/// Sets of messages for which there are rules, and the packs.
const RULED: [(&str, &str); 3] = [
    ("WCO DMS declarations", "dms-declaration"),
    ("entry summaries", "ens-entry-summary"),
    ("their amendments", "ens-entry-summary"),
];

/// Prints processor time of both for each set, and the memory.
pub(super) fn run(workspace: &Workspace, runs: u32) -> Result<()> {
    let messages = cases::folder(workspace).join("messages");
    if !messages.is_dir() {
        println!("skipped: messages (no {})", messages.display());
        return Ok(());
    }
    if !system::there_or_installed("the bench of messages", &INSTALL, || process::exists("xmllint"))? {
        return Ok(());
    }
    let folder = scratch(workspace, "messages")?;
    let packs = workspace.root.join("packs");
    let (mut rows, mut memory) = (Vec::new(), None);
    for set in sets(&messages, &folder)? {
        let Some((_, pack)) = RULED.iter().find(|(name, _)| *name == set.name) else { continue };
        let pack = packs.join(pack);
        rows.push(row(workspace, &set, &pack, runs)?);
        if memory.is_none() {
            memory = Some(answer(workspace, "--memory", &set, &pack)?);
        }
    }
    table::print(
        &[
            "messages",
            "files",
            "xmllint",
            "ours, all of it",
            "a message",
            "times xmllint",
            "schema",
            "tree",
            "declaration",
            "rules",
        ],
        &rows,
    );
    if let Some(memory) = memory {
        println!();
        examples::print(&memory, "messages_bench")?;
    }
    std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())
}

fn row(workspace: &Workspace, set: &Set, pack: &Path, runs: u32) -> Result<Vec<String>> {
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    // In turns, so that a machine that is busy for a while is so for both.
    for _ in 0..runs {
        theirs.push(theirs_once(set)?.0);
        ours.push(serde_json::from_str::<Value>(&answer(workspace, ROUNDS, set, pack)?)?);
    }
    let theirs = table::median(theirs).unwrap_or_default().as_secs_f64() * 1e3;
    let ours = |name: &str| -> f64 {
        let mut all: Vec<f64> =
            ours.iter().filter_map(|answer| answer.get(name).and_then(Value::as_f64)).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    let all = ours("all_ms");
    let part = |name: &str| format!("{:.1} ms", ours(name));
    Ok(vec![
        set.name.to_owned(),
        set.documents.len().to_string(),
        format!("{theirs:.0} ms"),
        format!("{all:.0} ms"),
        format!("{:.3} ms", all / ours("documents").max(1.0)),
        format!("{:.2}", all / theirs),
        part("schema_ms"),
        part("tree_ms"),
        part("model_ms"),
        part("rules_ms"),
    ])
}

fn answer(workspace: &Workspace, rounds: &str, set: &Set, pack: &Path) -> Result<String> {
    let mut arguments: Vec<&OsStr> =
        vec![OsStr::new(rounds), set.schemas.as_os_str(), OsStr::new(set.entry), pack.as_os_str()];
    arguments.extend(set.documents.iter().map(|path| path.as_os_str()));
    examples::answer(workspace, "rules", "messages_bench", &arguments)
}
