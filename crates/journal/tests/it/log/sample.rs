//! A log on a real disk, for programs that are not ours to read.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use journal::log::tree::inclusion_proof;
use journal::log::writer::Entries;
use journal::log::{DiskFiles, Integrator, KeyKind, LogIdentity, LogProof, LogReader, VerifierKey};
use tempfile::TempDir;

use super::support::{Source, catch_up, key};

/// A log on a real disk, with the checkpoints it went through.
pub(crate) struct Sample {
    folder: TempDir,
    source: Arc<Source>,
    pub(crate) checkpoints: Vec<PathBuf>,
    log: Integrator,
}

impl Sample {
    pub(crate) fn of(source: Arc<Source>, step: usize) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("vkey"), format!("{}\n", key(1).verifier())).unwrap();
        let files = Arc::new(DiskFiles::open(&folder.path().join("log")).unwrap());
        // Signed twice, as a log does that also states the time: the second signature is of a kind that Go's package
        // does not know.
        let keys = vec![key(1), key(1).as_kind(KeyKind::Cosignature)];
        let identity = LogIdentity { keys, ..LogIdentity::new(key(1)) };
        let mut log = Integrator::open(files, identity, source.as_ref()).unwrap();
        let mut checkpoints = Vec::new();
        while log.size() < source.head() {
            let checkpoint = catch_up(&mut log, &source, step).unwrap();
            let path = folder.path().join(format!("checkpoint-{}", log.size()));
            fs::write(&path, checkpoint.to_bytes()).unwrap();
            checkpoints.push(path);
        }
        Self { folder, source, checkpoints, log }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn reader(&self) -> LogReader {
        LogReader::new(Arc::new(DiskFiles::existing(&self.path("log")).unwrap()))
    }

    /// The proof of an entry in the newest checkpoint, and the entry.
    pub(crate) fn proof(&self, index: u64) -> (LogProof, Vec<u8>) {
        let checkpoint = (*self.log.last().unwrap()).clone();
        let path =
            inclusion_proof(&mut self.log.reader().tree(self.log.size()), index, self.log.size()).unwrap();
        let entry = self.source.entries(index, 1).unwrap().remove(0);
        (LogProof { extra: None, index, path, checkpoint }, entry)
    }
}

/// The key that must have signed.
pub(crate) fn known() -> [VerifierKey; 1] {
    [key(1).verifier().clone()]
}
