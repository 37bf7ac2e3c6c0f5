//! Logs, keys and sources of entries for tests.

use std::sync::Arc;
use std::sync::Mutex;

use journal::JournalError;
use journal::log::files::{Faults, FaultyDisk};
use journal::log::tree::{TreeHash, leaf_hash, root_of};
use journal::log::writer::Entries;
use journal::log::{
    Files, Integrator, KeyKind, LogError, LogIdentity, LogReader, SignedCheckpoint, SigningKey,
};

pub(crate) const ORIGIN: &str = "customs.example/log";

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, KeyKind::Note, &[number; 32]).unwrap()
}

pub(crate) fn witness_key(name: &str, number: u8) -> SigningKey {
    SigningKey::from_seed(name, KeyKind::Cosignature, &[number; 32]).unwrap()
}

/// Entries as a journal would have them, in memory; it can be rewritten as no journal should.
#[derive(Default)]
pub(crate) struct Source(pub(crate) Mutex<Vec<Vec<u8>>>);

impl Source {
    pub(crate) fn of(count: u64) -> Arc<Self> {
        let source = Arc::new(Self::default());
        source.grow(count);
        source
    }

    /// Adds entries of different lengths.
    pub(crate) fn grow(&self, count: u64) {
        let mut entries = self.0.lock().unwrap();
        for _ in 0..count {
            let number = entries.len();
            entries
                .push(format!("{{\"event\":{number},\"fill\":\"{}\"}}", "x".repeat(number * 7 % 40)).into());
        }
    }

    pub(crate) fn all(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn root(&self, size: u64) -> TreeHash {
        let leaves: Vec<_> =
            self.all()[..usize::try_from(size).unwrap()].iter().map(|entry| leaf_hash(entry)).collect();
        root_of(&leaves)
    }
}

impl Entries for Source {
    fn head(&self) -> u64 {
        u64::try_from(self.0.lock().unwrap().len()).unwrap()
    }

    fn entries(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let entries = self.0.lock().unwrap();
        Ok(entries.iter().skip(usize::try_from(after_position).unwrap()).take(limit).cloned().collect())
    }
}

pub(crate) fn disk() -> Arc<FaultyDisk> {
    Arc::new(FaultyDisk::new(1, Faults::default()))
}

pub(crate) fn open(files: &Arc<FaultyDisk>, source: &Source) -> Result<Integrator, LogError> {
    let files: Arc<dyn Files> = files.clone();
    Integrator::open(files, LogIdentity::new(key(1)), source)
}

/// A log with a memory of its own.
pub(crate) fn open_remembering(
    files: &Arc<FaultyDisk>,
    memory: &Arc<FaultyDisk>,
    source: &Source,
) -> Result<Integrator, LogError> {
    let identity = LogIdentity { memory: Some(memory.clone()), ..LogIdentity::new(key(1)) };
    Integrator::open(files.clone(), identity, source)
}

pub(crate) fn reader(files: &Arc<FaultyDisk>) -> LogReader {
    LogReader::new(files.clone())
}

/// Logs what the source holds beyond the log, at most so many.
pub(crate) fn catch_up(
    log: &mut Integrator,
    source: &Source,
    most: usize,
) -> Result<Arc<SignedCheckpoint>, LogError> {
    let entries = source.entries(log.size(), most).unwrap();
    log.integrate(&entries, 1_800_000_000 + log.size())
}

/// A log of so many entries on a good disk, made in checkpoints of at most `step`.
pub(crate) fn log_of(count: u64, step: usize) -> (Arc<FaultyDisk>, Arc<Source>, Integrator) {
    let (files, source) = (disk(), Source::of(count));
    let mut log = open(&files, &source).unwrap();
    while log.size() < count {
        catch_up(&mut log, &source, step).unwrap();
    }
    (files, source, log)
}
