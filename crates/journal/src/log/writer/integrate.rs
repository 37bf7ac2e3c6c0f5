//! From entries to a durable, signed checkpoint, in an order that no crash can turn against anybody.
//!
//! 1. Entries and tiles are put in place and are durable; nobody looks for them yet.
//! 2. The new root is proven, from those tiles, to be a continuation of what was signed last; only then it is signed.
//! 3. The checkpoint is put in place and is durable; only then it is anybody's to see.
//! 4. Partial tiles that are full now are removed.
//!
//! The journal decides what an entry is, and its bytes never change, so whatever a crash undoes comes out the same
//! again.

use std::fmt;
use std::sync::Arc;

use crate::Journal;
use crate::error::JournalError;
use crate::log::error::LogError;
use crate::log::files::{Durably, Files};
use crate::log::note::{Checkpoint, KeyKind, SignedCheckpoint, SigningKey, VerifierKey, check_key_name};
use crate::log::tiles::{CHECKPOINT, Edge, LogReader, Overlay, TilePath, WITNESSED_CHECKPOINT};
use crate::log::tree::{TREE_SIZE_MAX, consistency_proof, root_of_size, verify_consistency};

/// Where the log's entries come from: [`JournalEntries`], or anything else that a simulation thinks up.
pub trait Entries: Send + Sync {
    /// Position of the last event.
    fn head(&self) -> u64;

    /// The entries at the positions after this one, in order: at most `limit`, and fewer only at the end or after
    /// many bytes.
    ///
    /// # Errors
    /// What the journal says.
    fn entries(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError>;
}

/// A journal's envelopes as entries.
#[derive(Clone)]
pub struct JournalEntries(pub Arc<dyn Journal>);

impl fmt::Debug for JournalEntries {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("JournalEntries").field(&self.0.head()).finish()
    }
}

impl Entries for JournalEntries {
    fn head(&self) -> u64 {
        self.0.head()
    }

    fn entries(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        self.0.envelopes(after_position, limit)
    }
}

/// Writes one log. There must be no second one for the same folder.
pub struct Integrator {
    durably: Durably,
    reader: Arc<LogReader>,
    origin: String,
    keys: Vec<SigningKey>,
    edge: Edge,
    last: Option<Arc<SignedCheckpoint>>,
}

impl fmt::Debug for Integrator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Integrator")
            .field("origin", &self.origin)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

impl Integrator {
    /// Takes over the log in these files, or begins it where there is none.
    ///
    /// `keys` sign every checkpoint; the first must sign notes under the log's name, which is its origin. `trusted`
    /// are further keys that may have signed the last checkpoint, such as the one before a rotation.
    ///
    /// # Errors
    /// Refuses, and changes nothing that was published, if the last checkpoint is not signed by one of these keys, if
    /// the tiles are not what it commits to, or if the journal no longer holds what was logged.
    pub fn open(
        files: Arc<dyn Files>,
        keys: Vec<SigningKey>,
        trusted: &[VerifierKey],
        source: &dyn Entries,
    ) -> Result<Self, LogError> {
        let origin = match keys.first().map(SigningKey::verifier) {
            Some(key) if key.kind() == KeyKind::Note => key.name().to_owned(),
            _ => return Err(LogError::malformed("keys of a log", "", "first a key that signs notes")),
        };
        check_key_name("origin of a log", &origin)?;
        let durably = Durably::new(Arc::clone(&files))?;
        let reader = Arc::new(LogReader::new(files));
        let mut known: Vec<VerifierKey> = keys.iter().map(|key| key.verifier().clone()).collect();
        known.extend_from_slice(trusted);
        let last = reader.checkpoint()?;
        let edge = match &last {
            None => Edge::default(),
            Some(last) => read_edge(&reader, &origin, last, &known)?,
        };
        let opened = Self { durably, reader, origin, keys, edge, last: last.map(Arc::new) };
        opened.compare_with(source)?;
        Ok(opened)
    }

    /// Entries of the last checkpoint.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The last checkpoint, durable and published; none before the first.
    #[must_use]
    pub fn last(&self) -> Option<Arc<SignedCheckpoint>> {
        self.last.clone()
    }

    /// Reads what was written.
    #[must_use]
    pub fn reader(&self) -> &Arc<LogReader> {
        &self.reader
    }

    /// Adds entries, in the order of their positions, and publishes the checkpoint over all; `time` in seconds since
    /// 1970. With no entries it signs the same tree anew.
    ///
    /// # Errors
    /// Nothing is published then, and the same entries may be tried again; except that after [`LogError::Io`] a crash
    /// decides whether the new checkpoint is there, which does no harm. [`LogError::WouldFork`] is final.
    pub fn integrate(&mut self, entries: &[Vec<u8>], time: u64) -> Result<Arc<SignedCheckpoint>, LogError> {
        let mut edge = self.edge.clone();
        let mut contents = Overlay::new();
        for entry in entries {
            if edge.size() >= TREE_SIZE_MAX {
                return Err(LogError::TooLarge { what: "entries", found: edge.size(), max: TREE_SIZE_MAX });
            }
            edge.push(entry, &mut contents)?;
        }
        edge.store_open(&mut contents);
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: edge.size(),
            root: edge.root(),
            extensions: Vec::new(),
        };
        self.durably.put(&contents)?;
        self.assert_continues(&checkpoint, &contents)?;
        let signed = SignedCheckpoint::sign(checkpoint, &self.keys, time)?;
        self.durably.put_one(CHECKPOINT, signed.to_bytes())?;
        let open_before = self.edge.open_tiles();
        self.edge = edge;
        let signed = Arc::new(signed);
        self.last = Some(Arc::clone(&signed));
        self.remove_partials(&open_before);
        Ok(signed)
    }

    /// Keeps the last checkpoint on which enough witnesses agreed; the caller has verified the cosignatures.
    ///
    /// # Errors
    /// What the files say; a checkpoint of another log.
    pub fn keep_witnessed(&self, checkpoint: &SignedCheckpoint) -> Result<(), LogError> {
        check_origin(&self.origin, checkpoint)?;
        self.durably.put_one(WITNESSED_CHECKPOINT, checkpoint.to_bytes())
    }

    /// The pair assertion behind "never signs a fork": what is about to be signed is proven from the tiles to be a
    /// continuation of what was signed last, on another way than the one that computed it.
    fn assert_continues(&self, next: &Checkpoint, contents: &Overlay) -> Result<(), LogError> {
        let mut tree = self.reader.tree_with(contents, next.size);
        let Some(last) = self.last.as_deref().map(SignedCheckpoint::checkpoint) else {
            let root = root_of_size(&mut tree, next.size)?;
            return if root == next.root {
                Ok(())
            } else {
                Err(would_fork(0, next.size, &format!("its tiles have the root {root}")))
            };
        };
        let path = consistency_proof(&mut tree, last.size, next.size)?;
        verify_consistency(last.size, last.root, next.size, next.root, &path)
            .map_err(|error| would_fork(last.size, next.size, &error.to_string()))
    }

    /// What the journal says now at the log's edge must be what was logged.
    fn compare_with(&self, source: &dyn Entries) -> Result<(), LogError> {
        let (head, size) = (source.head(), self.size());
        if head < size {
            return Err(LogError::JournalBehind { head, size });
        }
        let (first, logged) = self.edge.open_entries();
        let recorded = source.entries(first, logged.len())?;
        for (index, (logged, recorded)) in (first..).zip(logged.iter().zip(&recorded)) {
            if *logged != recorded.as_slice() {
                return Err(LogError::JournalDiffers { position: index.saturating_add(1), index });
            }
        }
        Ok(())
    }

    /// What a crash leaves here is of no harm: a partial tile agrees with the full one.
    fn remove_partials(&self, open_before: &[TilePath]) {
        let open_now = self.edge.open_tiles();
        let is_full =
            |tile: &&TilePath| !open_now.iter().any(|now| (now.kind, now.index) == (tile.kind, tile.index));
        for tile in open_before.iter().filter(is_full) {
            let folder = tile.partials();
            let names = self.reader.files().list(&folder).unwrap_or_default();
            let removed = names
                .iter()
                .try_for_each(|name| self.durably.remove(&format!("{folder}/{name}")))
                .and_then(|()| self.durably.remove(&folder));
            if let Err(error) = removed {
                tracing::warn!(%error, folder, "partial tiles that are no longer needed stay");
            }
        }
    }
}

fn read_edge(
    reader: &LogReader,
    origin: &str,
    last: &SignedCheckpoint,
    known: &[VerifierKey],
) -> Result<Edge, LogError> {
    check_origin(origin, last)?;
    last.verify(known)?;
    let checkpoint = last.checkpoint();
    let edge = Edge::read(reader, checkpoint.size)?;
    if edge.root() != checkpoint.root {
        let open = edge.open_tiles().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let reason = format!("their root is {}, but the checkpoint says {}", edge.root(), checkpoint.root);
        return Err(LogError::damaged(format!("one of the tiles {open}"), reason));
    }
    Ok(edge)
}

fn check_origin(origin: &str, checkpoint: &SignedCheckpoint) -> Result<(), LogError> {
    let found = &checkpoint.checkpoint().origin;
    if found == origin {
        return Ok(());
    }
    Err(LogError::OtherLog { found: found.clone(), expected: origin.to_owned() })
}

fn would_fork(old_size: u64, new_size: u64, reason: &str) -> LogError {
    LogError::WouldFork { old_size, new_size, reason: reason.to_owned() }
}
