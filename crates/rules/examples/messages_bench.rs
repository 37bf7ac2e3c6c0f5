//! Takes messages through all that is public, again and again, and prints what it cost, as JSON: decoded, held against
//! their schema, read as a tree, as a declaration where they are one, and held against a pack of rules.
//!
//! `messages_bench ROUNDS SCHEMAS ENTRY PACK DOCUMENT...`: ENTRY is the first of the schemas in the folder SCHEMAS, PACK
//! the folder of a pack of rules. Times are of the processor, a median over the rounds. With `--memory` in the place of
//! ROUNDS, 100,000 messages are taken through, and the memory that the process has is printed on the way.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use formats::declaration::{part_in, read_document};
use formats::{XmlBounds, XmlText};
use rules::{Lists, RulePack};
use serde_json::{Value, json};
use spine::Severity;
use xsd::{Entry, Files, Limits, Schema};

/// After how many messages the memory is looked at.
const LOOKS: [usize; 3] = [1_000, 10_000, 100_000];

type Failure = Box<dyn Error>;

/// What messages are held against.
struct Public {
    schema: Schema,
    rules: Vec<RulePack>,
}

/// How far a message is taken. Linux counts processor time in steps of some milliseconds, more than a message costs: a
/// part costs what a round costs that goes one part further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Schema,
    Tree,
    Model,
    Rules,
}

const PARTS: [Part; 4] = [Part::Schema, Part::Tree, Part::Model, Part::Rules];

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().ok_or("how many rounds?")?;
    let schemas = PathBuf::from(arguments.next().ok_or("which folder of schemas?")?);
    let entry = arguments.next().ok_or("which schema?")?;
    let pack = PathBuf::from(arguments.next().ok_or("which pack of rules?")?);
    let documents: Vec<String> = arguments.collect();
    let public = Public::read(&schemas, &entry, &pack)?;
    let answer = if rounds == "--memory" {
        memory(&public, &documents)?
    } else {
        times(&public, &documents, rounds.parse()?)?
    };
    println!("{answer}");
    Ok(())
}

fn times(public: &Public, documents: &[String], rounds: usize) -> Result<Value, Failure> {
    let mut costs: Vec<Vec<Duration>> = vec![Vec::new(); PARTS.len()];
    let (mut bytes, mut errors) = (0_usize, 0_usize);
    for _ in 0..rounds.max(1) {
        for (part, costs) in PARTS.into_iter().zip(&mut costs) {
            (bytes, errors) = (0, 0);
            let before = processor_time();
            for document in documents {
                let message = fs::read(document)?;
                bytes += message.len();
                errors += public.look(&message, part)?;
            }
            costs.push(processor_time().saturating_sub(before));
        }
    }
    let up_to: Vec<f64> = costs.iter_mut().map(|costs| median(costs)).collect();
    let [schema, tree, model, all] = up_to.as_slice() else { return Err("four parts".into()) };
    Ok(json!({
        "documents": documents.len(),
        "bytes": bytes,
        "errors": errors,
        "schema_ms": schema,
        "tree_ms": tree - schema,
        "model_ms": model - tree,
        "rules_ms": all - model,
        "all_ms": all,
    }))
}

fn median(costs: &mut [Duration]) -> f64 {
    costs.sort();
    costs.get(costs.len() / 2).map_or(0.0, |middle| middle.as_secs_f64() * 1e3)
}

fn memory(public: &Public, documents: &[String]) -> Result<Value, Failure> {
    let last = LOOKS.last().copied().unwrap_or_default();
    let mut figures = Vec::new();
    for (document, number) in documents.iter().cycle().zip(1_usize..=last) {
        public.look(&fs::read(document)?, Part::Rules)?;
        if LOOKS.contains(&number) {
            figures.push(json!({ "messages": number, "resident_mb": resident()? }));
        }
    }
    Ok(json!({ "figures": figures }))
}

impl Public {
    fn read(schemas: &Path, entry: &str, pack: &Path) -> Result<Self, Failure> {
        let mut files = Files::new();
        read_schemas(schemas, schemas, &mut files)?;
        let mut rules = Vec::new();
        for file in fs::read_dir(pack)? {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".toml") && name != "pack.toml" {
                rules.push(RulePack::from_toml(name, &fs::read_to_string(&path)?, &Lists::default()).0);
            }
        }
        Ok(Self { schema: Schema::compile(&files, entry)?, rules })
    }

    /// Takes a message so far; answers with the errors found.
    fn look(&self, bytes: &[u8], up_to: Part) -> Result<usize, Failure> {
        let text = XmlText::decode(bytes, XmlBounds::default()).map_err(|finding| finding.to_string())?;
        if up_to < Part::Tree {
            return Ok(self.schema.validate(text.as_str(), Entry::Root, Limits::default()).len());
        }
        // One reading for both, as in the house.
        let mut judgement = self.schema.judgement(Entry::Root, Limits::default());
        let document = text.read(&mut judgement).map_err(|finding| finding.to_string())?;
        let mut errors = judgement.violations(text.as_str()).len();
        if up_to < Part::Model {
            return Ok(errors);
        }
        let part = part_in(&document);
        if part.is_some() {
            let found = read_document(&document).findings;
            errors += found.iter().filter(|finding| finding.severity == Severity::Error).count();
        }
        if up_to >= Part::Rules {
            let tree = part.as_ref().unwrap_or(&document.tree);
            let found = self.rules.iter().flat_map(|rules| rules.check(tree));
            errors += found.filter(|finding| finding.severity == Severity::Error).count();
        }
        Ok(errors)
    }
}

fn read_schemas(root: &Path, folder: &Path, files: &mut Files) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_schemas(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "xsd") {
            let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

/// Memory that this process has, in millions of bytes; Linux tells it.
fn resident() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().next().ok_or("no VmRSS")?.parse()?;
    Ok(kilobytes * 1_024.0 / 1e6)
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
