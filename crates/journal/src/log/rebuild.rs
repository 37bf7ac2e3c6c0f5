//! A damaged log made anew from its journal: never into another history than the one that was signed.
//!
//! Every checkpoint that is still known says which root the journal's events must have. If one of them disagrees,
//! nothing is changed. Otherwise each file that is not what it must be is copied aside and then replaced, one after the
//! other; whoever is interrupted starts again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::Arc;

use super::error::LogError;
use super::files::{Durably, Files};
use super::note::{NOTE_BYTES_MAX, SignedCheckpoint, VerifierKey};
use super::tiles::{
    BUNDLE_BYTES_MAX, CHECKPOINT, Edge, Overlay, TileKind, TilePath, WITNESSED_CHECKPOINT, append_entry,
    split_bundle,
};
use super::tree::{Frontier, TreeHash, leaf_hash};
use super::writer::{Entries, SIGNED};

/// Entries read at once.
const ENTRIES_AT_ONCE_MAX: u64 = 8_192;

/// What a log is made anew from, and what it must agree with.
pub struct Rebuild<'a> {
    /// The log's folder.
    pub files: Arc<dyn Files>,
    /// Where the log remembers what it signed last.
    pub memory: Arc<dyn Files>,
    /// Where copies of damaged files are kept.
    pub aside: Arc<dyn Files>,
    /// The journal.
    pub source: &'a dyn Entries,
    /// The log's name.
    pub origin: &'a str,
    /// The keys that may have signed its checkpoints.
    pub known: &'a [VerifierKey],
    /// Checkpoints that others kept, and where they stand.
    pub seen: Vec<(String, SignedCheckpoint)>,
}

impl fmt::Debug for Rebuild<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rebuild")
            .field("origin", &self.origin)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

/// What was made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The newest checkpoint that is known; the log has it now.
    pub checkpoint: SignedCheckpoint,
    /// Every checkpoint that the journal was compared with: where it stands, and its entries.
    pub compared: Vec<(String, u64)>,
    /// Files that were missing or not what they must be, by their paths in the log's folder, the memory's with its name
    /// before.
    pub renewed: Vec<String>,
    /// Of these, those that were there: a copy stands aside.
    pub kept_aside: Vec<String>,
}

/// Name of the memory in what is told.
const MEMORY: &str = "log-memory";

impl Rebuild<'_> {
    /// Makes good what is damaged.
    ///
    /// # Errors
    /// [`LogError::NothingKnown`] if no checkpoint is left to compare with, [`LogError::WouldFork`] if the journal
    /// contradicts one, [`LogError::JournalBehind`] if it ends before one: nothing is changed then. What the files say.
    pub fn run(self) -> Result<Rebuilt, LogError> {
        let published = self.read(&self.files, CHECKPOINT)?;
        let witnessed = self.read(&self.files, WITNESSED_CHECKPOINT)?;
        let signed = self.read(&self.memory, SIGNED)?;
        let own = [
            (CHECKPOINT.to_owned(), &published),
            (WITNESSED_CHECKPOINT.to_owned(), &witnessed),
            (format!("{MEMORY}/{SIGNED}"), &signed),
        ];
        let mut known: Vec<(String, SignedCheckpoint)> = own
            .into_iter()
            .filter_map(|(place, found)| found.known().map(|known| (place, known.clone())))
            .collect();
        for (place, seen) in &self.seen {
            self.accept(seen).map_err(|error| LogError::unsigned(place, error.detail()))?;
            known.push((place.clone(), seen.clone()));
        }
        let newest = known.iter().max_by_key(|(_, known)| known.checkpoint().size);
        let newest = newest.map(|(_, newest)| newest.clone()).ok_or(LogError::NothingKnown)?;
        self.compare(&known)?;
        let mut work = Work {
            files: Durably::new(Arc::clone(&self.files))?,
            memory: Durably::new(Arc::clone(&self.memory))?,
            aside: Durably::new(Arc::clone(&self.aside))?,
            renewed: Vec::new(),
            kept_aside: Vec::new(),
        };
        self.renew_tiles(&mut work, newest.checkpoint().size)?;
        if let Found::Damaged = witnessed {
            // The next round of witnesses makes it anew.
            work.take_away(WITNESSED_CHECKPOINT)?;
        }
        let bytes = newest.to_bytes();
        let behind =
            |found: &Found| found.known().is_none_or(|own| own.checkpoint().size < newest.checkpoint().size);
        if behind(&signed) {
            work.renew_memory(bytes.clone())?;
        }
        if behind(&published) {
            work.renew(BTreeMap::from([(CHECKPOINT.to_owned(), bytes)]))?;
        }
        let compared = known.into_iter().map(|(place, known)| (place, known.checkpoint().size)).collect();
        Ok(Rebuilt { checkpoint: newest, compared, renewed: work.renewed, kept_aside: work.kept_aside })
    }

    fn read(&self, files: &Arc<dyn Files>, path: &str) -> Result<Found, LogError> {
        let bytes = match files.read(path, NOTE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Ok(Found::Damaged),
            Err(error) => return Err(LogError::io(path, &error)),
        };
        let read = SignedCheckpoint::parse(&bytes).and_then(|read| self.accept(&read).map(|()| read));
        Ok(read.map_or(Found::Damaged, Found::Known))
    }

    fn accept(&self, checkpoint: &SignedCheckpoint) -> Result<(), LogError> {
        let found = &checkpoint.checkpoint().origin;
        if found != self.origin {
            return Err(LogError::OtherLog { found: found.clone(), expected: self.origin.to_owned() });
        }
        checkpoint.verify(self.known).map(drop)
    }

    /// The journal's events must have the root of each checkpoint at its size.
    fn compare(&self, known: &[(String, SignedCheckpoint)]) -> Result<(), LogError> {
        let sizes: BTreeSet<u64> = known.iter().map(|(_, known)| known.checkpoint().size).collect();
        let (head, size) = (self.source.head(), sizes.last().copied().unwrap_or(0));
        if head < size {
            return Err(LogError::JournalBehind { head, size });
        }
        let mut frontier = Frontier::new();
        for size in sizes {
            self.walk(frontier.size(), size, &mut |entry| {
                frontier.push(leaf_hash(entry));
                Ok(())
            })?;
            for (place, known) in known.iter().filter(|(_, known)| known.checkpoint().size == size) {
                if known.checkpoint().root != frontier.root() {
                    let reason = format!(
                        "{place} says that they have the root {}, the journal's events have {}",
                        known.checkpoint().root,
                        frontier.root()
                    );
                    return Err(LogError::WouldFork { old_size: size, new_size: size, reason });
                }
            }
        }
        Ok(())
    }

    /// The journal's entries from one index to another.
    fn walk(
        &self,
        from: u64,
        to: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let mut next = from;
        while next < to {
            let limit = usize::try_from(to.saturating_sub(next).min(ENTRIES_AT_ONCE_MAX)).unwrap_or(1);
            let entries = self.source.entries(next, limit)?;
            if entries.is_empty() {
                return Err(LogError::JournalBehind { head: next, size: to });
            }
            for entry in &entries {
                take(entry)?;
                next = next.saturating_add(1);
            }
        }
        Ok(())
    }

    fn renew_tiles(&self, work: &mut Work, size: u64) -> Result<(), LogError> {
        let (mut edge, mut contents) = (Edge::default(), Overlay::new());
        self.walk(0, size, &mut |entry| {
            edge.push(entry, &mut contents)?;
            // As soon as a tile is full it is compared: what is held does not grow with the log.
            if contents.is_empty() { Ok(()) } else { work.renew(std::mem::take(&mut contents)) }
        })?;
        edge.store_open(&mut contents);
        let open = contents.clone();
        work.renew(contents)?;
        for tile in edge.open_tiles() {
            if let Some(bytes) = open.get(&tile.to_string()) {
                work.check_earlier(tile, bytes)?;
            }
        }
        Ok(())
    }
}

/// What became of a checkpoint that was kept.
enum Found {
    Missing,
    Damaged,
    Known(SignedCheckpoint),
}

impl Found {
    fn known(&self) -> Option<&SignedCheckpoint> {
        if let Self::Known(known) = self { Some(known) } else { None }
    }
}

struct Work {
    files: Durably,
    memory: Durably,
    aside: Durably,
    renewed: Vec<String>,
    kept_aside: Vec<String>,
}

impl Work {
    /// Puts these contents in place where something else stands, or nothing.
    fn renew(&mut self, contents: Overlay) -> Result<(), LogError> {
        let mut other = BTreeMap::new();
        for (path, bytes) in contents {
            if !is_there(self.files.files(), &path, &bytes)? {
                self.keep_aside(&path)?;
                self.renewed.push(path.clone());
                other.insert(path, bytes);
            }
        }
        if other.is_empty() { Ok(()) } else { self.files.put(&other) }
    }

    fn renew_memory(&mut self, bytes: Vec<u8>) -> Result<(), LogError> {
        let place = format!("{MEMORY}/{SIGNED}");
        if copy_aside(&self.memory, SIGNED, &self.aside, &place)? {
            self.kept_aside.push(place.clone());
        }
        self.renewed.push(place);
        self.memory.put_one(SIGNED, bytes)
    }

    /// Removes a damaged file that nobody needs.
    fn take_away(&mut self, path: &str) -> Result<(), LogError> {
        self.keep_aside(path)?;
        self.renewed.push(path.to_owned());
        self.files.remove(path)
    }

    fn keep_aside(&mut self, path: &str) -> Result<(), LogError> {
        if copy_aside(&self.files, path, &self.aside, path)? {
            self.kept_aside.push(path.to_owned());
        }
        Ok(())
    }

    /// Partial tiles of earlier checkpoints must be the beginning of the open one.
    fn check_earlier(&mut self, open: TilePath, bytes: &[u8]) -> Result<(), LogError> {
        let names = self.files.files().list(&open.partials()).unwrap_or_default();
        for width in names.iter().filter_map(|name| name.parse().ok()).filter(|width| *width < open.width) {
            let path = TilePath { width, ..open }.to_string();
            let beginning = beginning_of(open.kind, bytes, open.width, width)?;
            if !is_there(self.files.files(), &path, &beginning)? {
                self.take_away(&path)?;
            }
        }
        Ok(())
    }
}

/// Copies a file aside; answers whether there was one.
fn copy_aside(from: &Durably, path: &str, aside: &Durably, place: &str) -> Result<bool, LogError> {
    match from.files().read(path, BUNDLE_BYTES_MAX) {
        Ok(bytes) => aside.put_one(place, bytes).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(LogError::Io {
            path: place.to_owned(),
            reason: "it is larger than any file of a log: move it away".to_owned(),
        }),
        Err(error) => Err(LogError::io(place, &error)),
    }
}

/// Does a file hold exactly this?
fn is_there(files: &dyn Files, path: &str, bytes: &[u8]) -> Result<bool, LogError> {
    match files.read(path, BUNDLE_BYTES_MAX) {
        Ok(found) => Ok(found == bytes),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::FileTooLarge) => {
            Ok(false)
        }
        Err(error) => Err(LogError::io(path, &error)),
    }
}

/// The first `width` hashes or entries of an open tile.
fn beginning_of(kind: TileKind, open: &[u8], open_width: usize, width: usize) -> Result<Vec<u8>, LogError> {
    if kind != TileKind::Entries {
        return Ok(open.get(..width.saturating_mul(TreeHash::BYTES)).unwrap_or(open).to_vec());
    }
    let mut cut = Vec::with_capacity(open.len());
    let entries = split_bundle(open, open_width).unwrap_or_default();
    entries.iter().take(width).try_for_each(|entry| append_entry(&mut cut, entry))?;
    Ok(cut)
}
