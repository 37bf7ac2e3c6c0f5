//! Writes a log for foreign verifiers to check: `cargo run -p journal --example log_sample FOLDER [ENTRIES] [LENGTH]`.
//!
//! FOLDER must not exist yet. It gets `log/` in the layout of C2SP tlog-tiles, `vkey` with the log's verifier key,
//! `earlier-checkpoint` with a checkpoint of half the size, for some entries `INDEX.entry` and `INDEX.tlog-proof`, and
//! two requests to a witness: `first.add-checkpoint` for the earlier checkpoint, `growth.add-checkpoint` for the last.
//! Entry *i* is the number *i* in decimal, padded with zeros to LENGTH bytes (350 unless told).

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use journal::JournalError;
use journal::log::tree::inclusion_proof;
use journal::log::witness::AddCheckpoint;
use journal::log::writer::Entries;
use journal::log::{DiskFiles, Integrator, KeyKind, LogIdentity, LogProof, SignedCheckpoint, SigningKey};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name a folder that does not exist yet")?);
    let count = arguments.next().map_or(Ok(1_000), |number| number.parse::<u64>())?;
    let length = arguments.next().map_or(Ok(350), |number| number.parse::<usize>())?;
    fs::create_dir(&folder)?;
    let key = SigningKey::generate("sample.example/log", KeyKind::Note)?;
    fs::write(folder.join("vkey"), format!("{}\n", key.verifier()))?;
    let files = Arc::new(DiskFiles::open(&folder.join("log"))?);
    // Signed twice, as a log does that also states the time.
    let keys = vec![key.clone(), key.as_kind(KeyKind::Cosignature)];
    let identity = LogIdentity { keys, ..LogIdentity::new(key) };
    let source = Numbered { count, length };
    let mut log = Integrator::open(files, identity, &source)?;
    for size in [count / 2, count] {
        loop {
            let left = usize::try_from(size.saturating_sub(log.size()))?;
            let checkpoint = log.integrate(&source.entries(log.size(), left.min(8_192))?, 1_800_000_000)?;
            if log.size() == size {
                let name = if size == count { "checkpoint" } else { "earlier-checkpoint" };
                fs::write(folder.join(name), checkpoint.to_bytes())?;
                break;
            }
        }
    }
    let earlier = SignedCheckpoint::parse(&fs::read(folder.join("earlier-checkpoint"))?)?;
    let first = AddCheckpoint::new(log.reader(), &earlier, 0)?;
    fs::write(folder.join("first.add-checkpoint"), first.to_bytes())?;
    let checkpoint = log.last().ok_or("nothing was signed")?;
    let growth = AddCheckpoint::new(log.reader(), &checkpoint, count / 2)?;
    fs::write(folder.join("growth.add-checkpoint"), growth.to_bytes())?;
    for index in [0, 1, 255, 256, 700, count / 2, count.saturating_sub(1)] {
        if index < count {
            let path = inclusion_proof(&mut log.reader().tree(count), index, count)?;
            let proof = LogProof { extra: None, index, path, checkpoint: (*checkpoint).clone() };
            fs::write(folder.join(format!("{index}.tlog-proof")), proof.to_string())?;
            fs::write(folder.join(format!("{index}.entry")), source.entry(index))?;
        }
    }
    Ok(())
}

/// Entries by their number.
struct Numbered {
    count: u64,
    length: usize,
}

impl Numbered {
    fn entry(&self, number: u64) -> Vec<u8> {
        format!("{number:0>width$}", width = self.length).into_bytes()
    }
}

impl Entries for Numbered {
    fn head(&self) -> u64 {
        self.count
    }

    fn entries(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let end = after_position.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX)).min(self.count);
        Ok((after_position..end).map(|number| self.entry(number)).collect())
    }
}
