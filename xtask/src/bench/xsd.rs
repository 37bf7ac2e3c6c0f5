//! Messages against their schemas: ours beside `xmllint --schema` of libxml2, on the same files in the same run.
//!
//! Both read the files and judge them, one process for all of them. What a process needs for itself and for its
//! schema is measured with one file and taken off.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{examples, scratch, table};
use crate::workspace::Workspace;
use crate::{cases, process, system};

pub(super) const INSTALL: [&str; 4] = ["install", "--yes", "--no-install-recommends", "libxml2-utils"];
/// How many files xmllint gets in one call, the same ones again and again: its time is counted in hundredths of a
/// second. More would not fit into a command line.
const FILES_OF_A_CALL: usize = 10_000;
/// Calls with one file, for the time of a process and its schema.
const CALLS_ALONE: u32 = 10;
const ROUNDS: &str = "40";

const ENVELOPE: &str = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2";
/// Elements of published notifications that get a namespace, so that both read the same bytes.
const BARE: [(&str, &str); 3] = [
    ("MetaData", ENVELOPE),
    ("Response", "urn:wco:datamodel:WCO:RES-DMS:2"),
    ("DateTimeString", "urn:wco:datamodel:WCO:Response_DS:DMS:2"),
];

/// Documents of one schema.
pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) schemas: PathBuf,
    pub(super) entry: &'static str,
    pub(super) documents: Vec<PathBuf>,
}

/// Prints processor time of both, and their ratio.
pub(super) fn run(workspace: &Workspace, runs: u32) -> Result<()> {
    let messages = cases::folder(workspace).join("messages");
    if !messages.is_dir() {
        println!("skipped: schemas (no {})", messages.display());
        return Ok(());
    }
    if !system::there_or_installed("the bench of schemas", &INSTALL, || process::exists("xmllint"))? {
        return Ok(());
    }
    let folder = scratch(workspace, "xsd")?;
    let mut rows = Vec::new();
    for set in sets(&messages, &folder)? {
        rows.push(row(workspace, &set, runs)?);
    }
    table::print(
        &["messages", "files", "MB", "valid", "xmllint", "ours", "times as fast", "its schema", "our schema"],
        &rows,
    );
    fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())
}

pub(super) fn sets(messages: &Path, scratch: &Path) -> Result<Vec<Set>> {
    let text = fs::read_to_string(messages.join("cds-xsd-expected.json"))?;
    let expected: serde_json::Map<String, Value> = serde_json::from_str(&text)?;
    let of_kind = |kind: &str| -> Vec<PathBuf> {
        let wanted =
            expected.iter().filter(|(_, case)| case.get("kind").and_then(Value::as_str) == Some(kind));
        wanted.map(|(path, _)| messages.join(path)).collect()
    };
    let mut declarations = Vec::new();
    for path in of_kind("declaration") {
        // xmllint judges roots only: what comes in a wrapper is left out for both.
        if !fs::read_to_string(&path)?.contains("submitDeclarationRequest") {
            declarations.push(path);
        }
    }
    let mut notifications = Vec::new();
    for (number, path) in of_kind("response-bare").iter().enumerate() {
        let copy = scratch.join(format!("{number}.xml"));
        fs::write(&copy, with_namespaces(&fs::read_to_string(path)?))?;
        notifications.push(copy);
    }
    let cds = messages.join("cds-wco-dms/xsd");
    let ens = messages.join("ens-ics");
    let entry_summaries = |kind: &str| -> Result<Vec<PathBuf>> {
        let mut documents = Vec::new();
        for folder in [format!("{kind}-schema"), format!("{kind}-rules")] {
            for entry in fs::read_dir(ens.join(folder))? {
                documents.push(entry?.path());
            }
        }
        documents.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
        documents.sort();
        Ok(documents)
    };
    let set = |name, schemas: &Path, entry, documents| Set {
        name,
        schemas: schemas.to_path_buf(),
        entry,
        documents,
    };
    Ok(vec![
        set("WCO DMS declarations", &cds, "driver-declaration.xsd", declarations),
        set("WCO DMS notifications", &cds, "driver-notification.xsd", notifications),
        set("entry summaries", &ens.join("xsd"), "CC315A-v11-2-New.xsd", entry_summaries("ie315")?),
        set("their amendments", &ens.join("xsd"), "CC313A-v11-2-New.xsd", entry_summaries("ie313")?),
    ])
}

/// Elements that state no namespace get the one that is theirs.
fn with_namespaces(text: &str) -> String {
    BARE.iter().fold(text.to_owned(), |text, (name, uri)| {
        [' ', '>'].iter().fold(text, |text, end| {
            text.replace(&format!("<{name}{end}"), &format!("<{name} xmlns=\"{uri}\"{end}"))
        })
    })
}

fn row(workspace: &Workspace, set: &Set, runs: u32) -> Result<Vec<String>> {
    let (mut theirs, mut schemas) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (all, alone) = theirs_once(set)?;
        schemas.push(alone);
        theirs.push(all);
    }
    let theirs = table::median(theirs).unwrap_or_default();
    let mut arguments: Vec<&OsStr> = vec![OsStr::new(ROUNDS), set.schemas.as_os_str(), OsStr::new(set.entry)];
    arguments.extend(set.documents.iter().map(|path| path.as_os_str()));
    let answer: Value = serde_json::from_str(&examples::answer(workspace, "xsd", "xsd_bench", &arguments)?)?;
    let number = |name: &str| answer.get(name).and_then(Value::as_f64).unwrap_or_default();
    let ours = number("validate_ms");
    Ok(vec![
        set.name.to_owned(),
        set.documents.len().to_string(),
        format!("{:.1}", number("bytes") / 1e6),
        number("valid").to_string(),
        format!("{:.0} ms", theirs.as_secs_f64() * 1e3),
        format!("{ours:.1} ms"),
        format!("{:.1}", theirs.as_secs_f64() * 1e3 / ours),
        format!("{:.0} ms", table::median(schemas).unwrap_or_default().as_secs_f64() * 1e3),
        format!("{:.1} ms", number("compile_ms")),
    ])
}

/// Processor time of xmllint on all documents of a set once, and of a process with its schema; the first without the
/// second.
pub(super) fn theirs_once(set: &Set) -> Result<(Duration, Duration)> {
    let first = set.documents.first().with_context(|| format!("no documents: {}", set.name))?;
    let mut alone = Duration::ZERO;
    for _ in 0..CALLS_ALONE {
        alone += xmllint(set, std::slice::from_ref(first), 1)?;
    }
    let alone = alone / CALLS_ALONE;
    let copies = (FILES_OF_A_CALL / set.documents.len()).max(1);
    let all = xmllint(set, &set.documents, copies)?;
    Ok((all.saturating_sub(alone) / u32::try_from(copies)?, alone))
}

/// Processor time of one call on these files, so many times over.
fn xmllint(set: &Set, documents: &[PathBuf], copies: usize) -> Result<Duration> {
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(set.schemas.join(set.entry)).stderr(Stdio::null());
    for _ in 0..copies {
        command.args(documents);
    }
    let (cost, status) = process::measure_however_it_ends(&mut command)?;
    // 3: a file is not valid; 1: a file is not well-formed. Anything else judged nothing.
    if !matches!(status.code(), Some(0 | 1 | 3)) {
        bail!("xmllint ended with {status}");
    }
    Ok(cost.processor)
}
