//! From entries to a durable, signed checkpoint, in an order that no crash can turn against anybody.
//!
//! 1. Entries and tiles are put in place and are durable; nobody looks for them yet.
//! 2. The new root is proven, from those tiles, to be a continuation of what was signed last; only then it is signed.
//! 3. The log remembers, durably and apart from its published files, that it signed this.
//! 4. The checkpoint is put in place and is durable; only then it is anybody's to see.
//! 5. Partial tiles that are full now are removed.
//!
//! The journal decides what an entry is, and its bytes never change, so whatever a crash undoes comes out the same
//! again; and where the published files were lost or are an older copy, they are made anew up to what is remembered,
//! or not at all.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::Journal;
use crate::error::JournalError;
use crate::log::error::LogError;
use crate::log::files::{Durably, Files};
use crate::log::note::{
    Checkpoint, KeyKind, NOTE_BYTES_MAX, SignedCheckpoint, SigningKey, VerifierKey, check_key_name,
};
use crate::log::tiles::{CHECKPOINT, Edge, LogReader, Overlay, TilePath, WITNESSED_CHECKPOINT};
use crate::log::tree::{TREE_SIZE_MAX, consistency_proof, root_of_size, verify_consistency};

/// Name of the file, in the log's own memory, with the checkpoint it signed last.
pub const SIGNED: &str = "signed-checkpoint";
/// Entries read at once where many are missing.
const ENTRIES_AT_ONCE_MAX: usize = 8_192;

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

/// Who writes a log, and what it must not contradict.
#[derive(Debug, Clone)]
pub struct LogIdentity {
    /// They sign every checkpoint; the first must sign notes under the log's name, which is its origin.
    pub keys: Vec<SigningKey>,
    /// Further keys that may have signed the last checkpoint, such as the one before a change of keys.
    pub trusted: Vec<VerifierKey>,
    /// Where the log remembers what it signed last, apart from what is published: beside the private key. With it, not
    /// even the loss of the whole log folder lets the log sign another history.
    pub memory: Option<Arc<dyn Files>>,
}

impl LogIdentity {
    /// A log that signs with one key and has no memory of its own.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self { keys: vec![key], trusted: Vec::new(), memory: None }
    }

    pub(super) fn known(&self) -> Vec<VerifierKey> {
        let own = self.keys.iter().map(|key| key.verifier().clone());
        own.chain(self.trusted.iter().cloned()).collect()
    }

    pub(super) fn origin(&self) -> Result<String, LogError> {
        let origin = match self.keys.first().map(SigningKey::verifier) {
            Some(key) if key.kind() == KeyKind::Note => key.name().to_owned(),
            _ => return Err(LogError::malformed("keys of a log", "", "first a key that signs notes")),
        };
        check_key_name("origin of a log", &origin)?;
        Ok(origin)
    }
}

/// Writes one log. There must be no second one for the same folder.
pub struct Integrator {
    durably: Durably,
    memory: Option<Durably>,
    reader: Arc<LogReader>,
    origin: String,
    keys: Vec<SigningKey>,
    edge: Edge,
    /// What was published last.
    last: Option<Arc<SignedCheckpoint>>,
    /// What was signed last: later than what was published if that failed.
    signed: Option<Arc<SignedCheckpoint>>,
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
    /// Takes over the log in these files, or begins it where there is none. Where the log remembers to have signed
    /// more than is published, that is made good first.
    ///
    /// # Errors
    /// Refuses, and changes nothing that was published, if the last checkpoint is not signed by one of the known keys,
    /// if the tiles are not what it commits to, or if the journal no longer holds what was logged.
    pub fn open(
        files: Arc<dyn Files>,
        identity: LogIdentity,
        source: &dyn Entries,
    ) -> Result<Self, LogError> {
        let (origin, known) = (identity.origin()?, identity.known());
        let durably = Durably::new(Arc::clone(&files))?;
        let reader = Arc::new(LogReader::new(files));
        let last = reader.checkpoint()?.map(Arc::new);
        if last.is_some() {
            durably.settle(CHECKPOINT)?;
        }
        let edge = match &last {
            None => Edge::default(),
            Some(last) => read_edge(&reader, &origin, last, &known)?,
        };
        let remembered = identity.memory.as_ref().map(|memory| remembered(memory, &origin, &known));
        let remembered = remembered.transpose()?.flatten();
        let memory = identity.memory.map(Durably::new).transpose()?;
        let signed = last.clone();
        let mut opened = Self { durably, memory, reader, origin, keys: identity.keys, edge, last, signed };
        opened.compare_with(source)?;
        let known_size = remembered.as_ref().map(|remembered| remembered.checkpoint().size);
        if let Some(remembered) = remembered {
            opened.catch_up_with(remembered, source)?;
        }
        opened.remember_anew(known_size)?;
        Ok(opened)
    }

    /// Where the memory was lost, or is an older copy, it is made anew at once and not with the next signature: until
    /// then the published files would be all there is.
    fn remember_anew(&self, known_size: Option<u64>) -> Result<(), LogError> {
        match (&self.memory, &self.last) {
            (Some(memory), Some(last)) if known_size.is_none_or(|known| known < last.checkpoint().size) => {
                memory.put_one(SIGNED, last.to_bytes())
            }
            _ => Ok(()),
        }
    }

    /// Makes good what was signed and is not published, entry by entry from the journal, or finds that it cannot be.
    fn catch_up_with(&mut self, signed: SignedCheckpoint, source: &dyn Entries) -> Result<(), LogError> {
        let said = signed.checkpoint().clone();
        if said.size <= self.size() {
            let now = Checkpoint { size: self.size(), root: self.edge.root(), ..said.clone() };
            return self.assert_continues(&said, &now, &Overlay::new());
        }
        if source.head() < said.size {
            return Err(LogError::JournalBehind { head: source.head(), size: said.size });
        }
        tracing::warn!(from = self.size(), to = said.size, "the log is made anew up to what it had signed");
        let mut edge = self.edge.clone();
        while edge.size() < said.size {
            let left = usize::try_from(said.size.saturating_sub(edge.size())).unwrap_or(usize::MAX);
            let entries = source.entries(edge.size(), left.min(ENTRIES_AT_ONCE_MAX))?;
            if entries.is_empty() {
                return Err(LogError::JournalBehind { head: edge.size(), size: said.size });
            }
            let mut contents = Overlay::new();
            entries.iter().try_for_each(|entry| edge.push(entry, &mut contents))?;
            edge.store_open(&mut contents);
            self.durably.put(&contents)?;
        }
        if edge.root() != said.root {
            let reason =
                format!("the journal's events have the root {}, signed was {}", edge.root(), said.root);
            return Err(would_fork(said.size, edge.size(), &reason));
        }
        self.publish(edge, signed)
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
        let next = Checkpoint {
            origin: self.origin.clone(),
            size: edge.size(),
            root: edge.root(),
            extensions: Vec::new(),
        };
        self.durably.put(&contents)?;
        match &self.signed {
            Some(signed) => self.assert_continues(signed.checkpoint(), &next, &contents)?,
            None => self.assert_root(&next, &contents)?,
        }
        let signed = SignedCheckpoint::sign(next, &self.keys, time)?;
        self.signed = Some(Arc::new(signed.clone()));
        if let Some(memory) = &self.memory {
            memory.put_one(SIGNED, signed.to_bytes())?;
        }
        self.publish(edge, signed.clone())?;
        Ok(Arc::new(signed))
    }

    /// Puts the last checkpoint back in place where a process that had stood still published an earlier one over it.
    ///
    /// # Errors
    /// What the files say.
    pub(super) fn put_back_if_overtaken(&self) -> Result<(), LogError> {
        let (Some(last), Some(published)) = (&self.last, self.reader.checkpoint()?) else { return Ok(()) };
        if published.checkpoint().size < last.checkpoint().size {
            tracing::warn!(
                size = last.checkpoint().size,
                "an overtaken checkpoint was published: the last one is put back"
            );
            self.durably.put_one(CHECKPOINT, last.to_bytes())?;
        }
        Ok(())
    }

    fn publish(&mut self, edge: Edge, signed: SignedCheckpoint) -> Result<(), LogError> {
        self.durably.put_one(CHECKPOINT, signed.to_bytes())?;
        let open_before = self.edge.open_tiles();
        let signed = Arc::new(signed);
        self.edge = edge;
        self.last = Some(Arc::clone(&signed));
        self.signed = Some(signed);
        self.remove_partials(&open_before);
        Ok(())
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
    fn assert_continues(
        &self,
        last: &Checkpoint,
        next: &Checkpoint,
        contents: &Overlay,
    ) -> Result<(), LogError> {
        consistency_proof(&mut self.reader.tree_with(contents, next.size), last.size, next.size)
            .and_then(|path| verify_consistency(last.size, last.root, next.size, next.root, &path))
            .map_err(|error| match error {
                LogError::NotProven { .. } => would_fork(last.size, next.size, &error.to_string()),
                other => other,
            })
    }

    /// The same where nothing was signed yet.
    fn assert_root(&self, next: &Checkpoint, contents: &Overlay) -> Result<(), LogError> {
        let root = root_of_size(&mut self.reader.tree_with(contents, next.size), next.size)?;
        if root == next.root {
            return Ok(());
        }
        Err(would_fork(0, next.size, &format!("its tiles have the root {root}")))
    }

    /// What the journal says now at the log's edge must be what was logged: if it is an older copy that went another
    /// way since, its last events are others.
    fn compare_with(&self, source: &dyn Entries) -> Result<(), LogError> {
        let (head, size) = (source.head(), self.size());
        if head < size {
            return Err(LogError::JournalBehind { head, size });
        }
        let (first, logged) = self.edge.last_entries(&self.reader)?;
        let recorded = source.entries(first, logged.len())?;
        for (index, (logged, recorded)) in (first..).zip(logged.iter().zip(&recorded)) {
            if logged != recorded {
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

/// What the log remembers to have signed last.
fn remembered(
    memory: &Arc<dyn Files>,
    origin: &str,
    known: &[VerifierKey],
) -> Result<Option<SignedCheckpoint>, LogError> {
    let bytes = match memory.read(SIGNED, NOTE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LogError::io(SIGNED, &error)),
    };
    let damaged =
        |error: LogError| LogError::MemoryDamaged { place: SIGNED.to_owned(), reason: error.detail() };
    let signed = SignedCheckpoint::parse(&bytes).map_err(damaged)?;
    check_origin(origin, &signed)?;
    signed.verify(known).map_err(damaged)?;
    Ok(Some(signed))
}

fn read_edge(
    reader: &LogReader,
    origin: &str,
    last: &SignedCheckpoint,
    known: &[VerifierKey],
) -> Result<Edge, LogError> {
    check_origin(origin, last)?;
    last.verify(known).map_err(|error| error.of_file(CHECKPOINT))?;
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
    // What bears this log's signature under another name is not of another log: it was changed, as verifying tells.
    if found == origin || checkpoint.note().signatures().iter().any(|by| by.name == origin) {
        return Ok(());
    }
    Err(LogError::OtherLog { found: found.clone(), expected: origin.to_owned() })
}

fn would_fork(old_size: u64, new_size: u64, reason: &str) -> LogError {
    LogError::WouldFork { old_size, new_size, reason: reason.to_owned() }
}
