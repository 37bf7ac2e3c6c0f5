//! Reads and judges documents again and again and prints what it cost, as JSON.
//!
//! `xsd_bench ROUNDS FOLDER ENTRY DOCUMENT...`: FOLDER holds the schemas, ENTRY is the first of them. Times are of the
//! processor, over all rounds: Linux counts them in steps of some milliseconds. With `--findings` in the place of
//! ROUNDS what is found is printed instead.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use xsd::{Entry, Files, Limits, Schema};

/// How often the schema is compiled, for a time that can be told.
const COMPILED: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().ok_or("how many rounds?")?;
    let folder = PathBuf::from(arguments.next().ok_or("which folder of schemas?")?);
    let entry = arguments.next().ok_or("which schema?")?;
    let documents: Vec<String> = arguments.collect();
    let mut files = BTreeMap::new();
    read_folder(&folder, &folder, &mut files)?;
    let before = processor_time();
    let mut schema = Schema::compile(&files, &entry)?;
    for _ in 1..COMPILED {
        schema = Schema::compile(&files, &entry)?;
    }
    let compiled = processor_time().saturating_sub(before) / u32::try_from(COMPILED)?;
    if rounds == "--findings" {
        return print_findings(&schema, &documents);
    }

    let rounds: u32 = rounds.parse()?;
    let (mut bytes, mut valid) = (0_usize, 0_usize);
    let before = processor_time();
    for _ in 0..rounds {
        (bytes, valid) = (0, 0);
        for document in &documents {
            let text = fs::read_to_string(document)?;
            bytes += text.len();
            valid += usize::from(schema.validate(&text, Entry::Root, Limits::default()).is_empty());
        }
    }
    let judged = processor_time().saturating_sub(before) / rounds.max(1);
    println!(
        "{}",
        json!({
            "documents": documents.len(),
            "bytes": bytes,
            "valid": valid,
            "compile_ms": compiled.as_secs_f64() * 1_000.0,
            "validate_ms": judged.as_secs_f64() * 1_000.0,
        })
    );
    Ok(())
}

fn print_findings(schema: &Schema, documents: &[String]) -> Result<(), Box<dyn Error>> {
    for document in documents {
        let text = fs::read_to_string(document)?;
        for violation in schema.validate(&text, Entry::Root, Limits::default()) {
            println!("{document}:{}:{}: {}", violation.line, violation.column, violation.finding);
        }
    }
    Ok(())
}

fn read_folder(root: &Path, folder: &Path, files: &mut Files) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_folder(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "xsd") {
            let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

/// What this process has had of the processor; elsewhere than on Linux, the time that went by.
fn processor_time() -> Duration {
    static STARTED: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let started = STARTED.get_or_init(Instant::now);
    let nanoseconds = fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| started.elapsed(), Duration::from_nanos)
}
