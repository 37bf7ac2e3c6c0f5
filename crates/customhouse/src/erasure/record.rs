//! `erasures.json`: what was erased, event by event, so that it can be erased again after an older backup was restored.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};

/// Name of the file in the data folder.
const FILE: &str = "erasures.json";
const FORMAT: u32 = 1;
/// Longest file that is read.
const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// One erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Id of the order.
    pub(super) id: String,
    /// `party` or `declaration`.
    pub(super) subject_kind: String,
    /// HMAC-SHA256 of the subject.
    pub(super) subject: String,
    /// Law.
    pub(super) basis: String,
    /// Events: position and id. After a restore another event may stand at the position.
    pub(super) events: Vec<(u64, String)>,
    /// Blobs.
    pub(super) blobs: Vec<String>,
    /// Was it carried out to its end?
    pub(super) done: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    format: u32,
    erasures: Vec<Kept>,
}

/// The file.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    content: Content,
}

/// What the file says in short, for a backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ErasedSoFar {
    /// Blobs that were erased; the same bytes may have come in again since.
    pub(crate) blobs: std::collections::BTreeSet<String>,
    /// Events that were erased, of all erasures together.
    pub(crate) events: usize,
    /// Erasures.
    pub(crate) erasures: usize,
    /// Is one begun and not ended?
    pub(crate) under_way: bool,
}

/// What was erased in a data folder so far.
pub(crate) fn erased_so_far(folder: &Path) -> Result<ErasedSoFar, Error> {
    let ledger = Ledger::read(folder)?;
    let all = ledger.erasures();
    Ok(ErasedSoFar {
        blobs: all.iter().flat_map(|kept| kept.blobs.iter().cloned()).collect(),
        events: all.iter().map(|kept| kept.events.len()).sum(),
        erasures: all.len(),
        under_way: all.iter().any(|kept| !kept.done),
    })
}

impl Ledger {
    /// Reads the file; without one, nothing was erased.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let unreadable = |error: std::io::Error| Error::io("erasures_unreadable", &path, &error);
        if !path.exists() {
            return Ok(Self { path, content: Content { format: FORMAT, erasures: Vec::new() } });
        }
        let damaged = |reason: String| {
            Error::new(
                Kind::FolderUnusable,
                "erasures_damaged",
                format!("{} cannot be read: {reason}", path.display()),
                "Restore the file from a backup: it says what must stay erased.",
            )
        };
        if std::fs::metadata(&path).map_err(unreadable)?.len() > BYTES_MAX {
            return Err(damaged("it is too long".to_owned()));
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        let content: Content = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if content.format > FORMAT {
            return Err(damaged(format!("it has format {}", content.format)));
        }
        Ok(Self { path, content })
    }

    /// All erasures, in their order.
    pub(super) fn erasures(&self) -> &[Kept] {
        &self.content.erasures
    }

    /// One of them.
    pub(super) fn find(&self, id: &str) -> Option<&Kept> {
        self.content.erasures.iter().find(|kept| kept.id == id)
    }

    /// Writes an erasure down, in the place of what was known of it. Durable when this returns.
    pub(super) fn keep(&mut self, kept: Kept) -> Result<(), Error> {
        match self.content.erasures.iter_mut().find(|own| own.id == kept.id) {
            Some(own) => *own = kept,
            None => self.content.erasures.push(kept),
        }
        let bytes = serde_json::to_vec(&self.content)
            .map_err(|error| Error::internal("erasures_unwritable", &error))?;
        crate::write_whole(&self.path, &bytes)
    }
}
