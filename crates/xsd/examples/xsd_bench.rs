//! Judges documents again and again and prints what it cost, as JSON.
//!
//! `xsd_bench ROUNDS FOLDER ENTRY [--element NAMESPACE NAME] [--assume NAME NAMESPACE]... DOCUMENT...`: FOLDER holds
//! the schemas, ENTRY is the first of them.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use xsd::{Entry, Files, Limits, Schema};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let rounds: usize = arguments.next().ok_or("how many rounds?")?.parse()?;
    let folder = PathBuf::from(arguments.next().ok_or("which folder of schemas?")?);
    let entry_file = arguments.next().ok_or("which schema?")?;
    let mut element = None;
    let mut assumed = Vec::new();
    while let Some(option) = arguments.next_if(|argument| argument.starts_with("--")) {
        let pair = (arguments.next().ok_or("a value")?, arguments.next().ok_or("a second value")?);
        if option == "--element" {
            element = Some(pair);
        } else {
            assumed.push(pair);
        }
    }
    let entry = match &element {
        Some((namespace, name)) => Entry::Element { namespace, name },
        None => Entry::Root,
    };
    let assumed: Vec<(&str, &str)> =
        assumed.iter().map(|(name, uri)| (name.as_str(), uri.as_str())).collect();

    let mut files = BTreeMap::new();
    read_folder(&folder, &folder, &mut files)?;
    let before = processor_time();
    let schema = Schema::compile(&files, &entry_file)?;
    let compiled = processor_time().saturating_sub(before);

    let names: Vec<String> = arguments.collect();
    let texts = names.iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?;
    let mut times = Vec::new();
    let mut valid = 0_usize;
    for _ in 0..rounds {
        let before = processor_time();
        valid = 0;
        for text in &texts {
            if schema.validate_assuming(text, entry, &assumed, Limits::default()).is_empty() {
                valid += 1;
            }
        }
        times.push(processor_time().saturating_sub(before));
    }
    if std::env::var_os("XSD_BENCH_FINDINGS").is_some() {
        for (name, text) in names.iter().zip(&texts) {
            for violation in schema.validate_assuming(text, entry, &assumed, Limits::default()) {
                println!("{name}:{}:{}: {}", violation.line, violation.column, violation.finding);
            }
        }
        return Ok(());
    }
    times.sort();
    let median = times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    let bytes: usize = texts.iter().map(String::len).sum();
    println!(
        "{}",
        json!({
            "documents": texts.len(),
            "bytes": bytes,
            "valid": valid,
            "compile_ms": compiled.as_secs_f64() * 1_000.0,
            "validate_ms": median.as_secs_f64() * 1_000.0,
            "rounds": rounds,
        })
    );
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
