//! Figures of the log alone: `cargo run --release -p journal --example log_bench [FOLDER] [ENTRIES] [FOREIGN]`, JSON on
//! standard output.
//!
//! Entries are 350 bytes long and come from memory, so that the log is measured and not the journal. FOLDER should be
//! on the disk that the log will stand on (a temporary folder unless named); it gets a folder that is removed again.
//! FOREIGN is the program `tests/foreign`, built: it verifies the same log between our own runs.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::JournalError;
use journal::log::tree::{TreeHash, inclusion_proof, leaf_hash, verify_inclusion};
use journal::log::writer::Entries;
use journal::log::{
    Against, DiskFiles, Files, Integrator, KeyKind, LogIdentity, LogReader, SigningKey, VerifierKey,
    verify_log,
};
use serde_json::{Value, json};

/// Runs of each verifier.
const VERIFICATIONS: usize = 5;
const ENTRY_BYTES: usize = 350;
const CHECKPOINT_ENTRIES: u64 = 1_000;
const PROOFS: u64 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let entries = arguments.next().map_or(Ok(1_000_000), |number| number.parse::<u64>())?;
    let foreign = arguments.next().map(PathBuf::from);
    let folder = parent.join(format!("log-bench-{}", std::process::id()));
    let key = SigningKey::generate("bench.example/log", KeyKind::Note)?;
    let durable = integrate(&folder.join("durable"), &key, 100_000.min(entries), CHECKPOINT_ENTRIES)?;
    let whole = folder.join("whole");
    let large = integrate(&whole, &key, entries, 8_192)?;
    let reader = LogReader::new(Arc::new(DiskFiles::existing(&whole)?));
    let (made, verified, made_near) = proofs(&reader, entries)?;
    let mut rows = vec![
        row(
            "entries of 350 bytes logged a second, fsync, 1,000 a checkpoint",
            rate(100_000.min(entries), durable),
        ),
        row("entries of 350 bytes logged a second, fsync, 8,192 a checkpoint", rate(entries, large)),
        row("inclusion proofs made a second, anywhere", rate(PROOFS, made)),
        row("inclusion proofs made a second, newest 100,000", rate(PROOFS, made_near)),
        row("inclusion proofs verified a second", rate(PROOFS, verified)),
        row("entries of the log that is verified", entries),
    ];
    rows.extend(verifications(&reader, &whole, &key, foreign.as_deref())?);
    println!("{}", json!({"figures": rows}));
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn row(figure: &str, value: impl Into<Value>) -> Value {
    json!({"figure": figure, "value": value.into()})
}

/// Each verifier several times, in turns, so that what else the machine does meets all of them; medians.
fn verifications(
    reader: &LogReader,
    folder: &Path,
    key: &SigningKey,
    foreign: Option<&Path>,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let known = [key.verifier().clone()];
    let vkey = folder.with_extension("vkey");
    std::fs::write(&vkey, key.verifier().to_string())?;
    let (mut one, mut two, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..VERIFICATIONS {
        one.push(verify(reader, &known, 1)?);
        two.push(verify(reader, &known, 2)?);
        if let Some(program) = foreign {
            theirs.push(verify_by_others(program, folder, &vkey)?);
        }
    }
    let mut rows =
        vec![row("seconds, ours, 1 thread", median(one)), row("seconds, ours, 2 threads", median(two))];
    if foreign.is_some() {
        rows.push(row("seconds, the Go program on x/mod/sumdb", median(theirs)));
    }
    Ok(rows)
}

fn verify_by_others(program: &Path, folder: &Path, vkey: &Path) -> Result<f64, Box<dyn Error>> {
    let started = Instant::now();
    let output = Command::new(program).arg("log").args([folder, vkey]).output()?;
    if !output.status.success() {
        return Err(format!("the foreign verifier: {}", String::from_utf8_lossy(&output.stdout)).into());
    }
    Ok(started.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Entries by their number.
struct Numbered(u64);

impl Entries for Numbered {
    fn head(&self) -> u64 {
        self.0
    }

    fn entries(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let end = after_position.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX)).min(self.0);
        Ok((after_position..end).map(entry).collect())
    }
}

fn entry(number: u64) -> Vec<u8> {
    format!("{number:0>ENTRY_BYTES$}").into_bytes()
}

fn rate(count: u64, time: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1_000_000 / time.as_micros().max(1)).unwrap_or(u64::MAX)
}

/// The time that logging so many entries takes, without that of making them up.
fn integrate(folder: &Path, key: &SigningKey, entries: u64, step: u64) -> Result<Duration, Box<dyn Error>> {
    let files: Arc<dyn Files> = Arc::new(DiskFiles::open(folder)?);
    let source = Numbered(entries);
    let mut log = Integrator::open(files, LogIdentity::new(key.clone()), &source)?;
    let mut time = Duration::ZERO;
    while log.size() < entries {
        let batch = source.entries(log.size(), usize::try_from(step)?)?;
        let started = Instant::now();
        log.integrate(&batch, 1_800_000_000)?;
        time += started.elapsed();
    }
    Ok(time)
}

fn proofs(reader: &LogReader, size: u64) -> Result<(Duration, Duration, Duration), Box<dyn Error>> {
    let root: TreeHash = reader.checkpoint()?.ok_or("no checkpoint")?.checkpoint().root;
    // A walk that is spread evenly and does not repeat.
    let spread = |number: u64, of: u64| number.wrapping_mul(7_368_787) % of;
    let make = |indices: Vec<u64>| -> Result<_, Box<dyn Error>> {
        let started = Instant::now();
        let made: Result<Vec<_>, _> = indices
            .into_iter()
            .map(|index| inclusion_proof(&mut reader.tree(size), index, size).map(|path| (index, path)))
            .collect();
        Ok((made?, started.elapsed()))
    };
    let (paths, made) = make((0..PROOFS).map(|number| spread(number, size)).collect())?;
    let leaves: Vec<_> = paths.iter().map(|(index, _)| leaf_hash(&entry(*index))).collect();
    let started = Instant::now();
    for ((index, path), leaf) in paths.iter().zip(&leaves) {
        verify_inclusion(*leaf, *index, size, root, path)?;
    }
    let verified = started.elapsed();
    let near = 100_000.min(size);
    let (_, made_near) = make((0..PROOFS).map(|number| size - near + spread(number, near)).collect())?;
    Ok((made, verified, made_near))
}

fn verify(reader: &LogReader, known: &[VerifierKey], threads: usize) -> Result<f64, Box<dyn Error>> {
    let started = Instant::now();
    let report = verify_log(reader, known, &Against { threads: Some(threads), ..Against::default() })?;
    if !report.holds() {
        return Err("the log does not hold".into());
    }
    Ok(started.elapsed().as_secs_f64())
}
