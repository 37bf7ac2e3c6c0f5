//! Verification of a whole log: every entry against its tile, every tile against the one above, the root against the
//! checkpoint, and, where they are given, the entries against a journal and the tree against a witnessed checkpoint.
//!
//! It reads every file once, in memory that does not grow with the log, and goes on after a finding, so that one run
//! names every place.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::error::LogError;
use super::keys::KeyHistory;
use super::note::{Signatory, SignedCheckpoint, VerifierKey};
use super::tiles::{
    CHECKPOINT, LogReader, TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath, WITNESSED_CHECKPOINT, split_bundle,
    tile_width,
};
use super::tree::{Frontier, TreeHash, consistency_proof, leaf_hash, root_of, verify_consistency};
use super::writer::Entries;

/// Most findings that are kept; how many there were is counted beyond that.
pub const FINDINGS_MAX: usize = 1_000;
/// After so many findings the rest is not looked at: hardly anything is left of such a log.
const FINDINGS_END: u64 = 100_000;
/// Entries in what one thread takes at a time: those under one full tile of level 1.
const ENTRIES_A_SHARE: u64 = 65_536;
const BUNDLES_A_SHARE: u64 = 256;
/// Entries of a full bundle.
const ENTRIES_A_BUNDLE: u64 = 256;

/// What the log is compared with, besides itself.
#[derive(Default)]
pub struct Against<'a> {
    /// The journal whose events were logged.
    pub source: Option<&'a dyn Entries>,
    /// A checkpoint that others have seen, such as a witness's: the log must be a continuation of it. Verify its
    /// signatures first.
    pub seen: Option<&'a SignedCheckpoint>,
    /// Threads; the machine's number of processors unless given.
    pub threads: Option<usize>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFinding {
    /// Index of the first entry it concerns.
    pub index: u64,
    /// The file, or the journal's position.
    pub place: String,
    /// Stable snake_case code.
    pub code: &'static str,
    /// What does not fit.
    pub reason: String,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// The checkpoint that everything was compared with.
    pub checkpoint: SignedCheckpoint,
    /// Which known keys signed it.
    pub signatories: Vec<Signatory>,
    /// What is wrong, in the order of entries; empty if nothing is.
    pub findings: Vec<LogFinding>,
    /// How many findings there were, also beyond [`FINDINGS_MAX`].
    pub findings_total: u64,
    /// Events of the journal that are not in the log yet, if there was a journal.
    pub not_logged: Option<u64>,
}

impl LogReport {
    /// True if nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings_total == 0
    }
}

/// Verifies the log that a reader reads, by the keys that may have signed its checkpoint.
///
/// # Errors
/// No checkpoint, or one that no known key signed: there is nothing to verify against.
pub fn verify_log(
    reader: &LogReader,
    known: &[VerifierKey],
    against: &Against<'_>,
) -> Result<LogReport, LogError> {
    verify_checkpoint(reader, published(reader)?, known, against)
}

/// The checkpoint that a log has published.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn published(reader: &LogReader) -> Result<SignedCheckpoint, LogError> {
    reader
        .checkpoint()?
        .ok_or_else(|| LogError::damaged(CHECKPOINT, "it is missing: there is nothing to verify against"))
}

/// [`verify_log`] for a checkpoint that the caller has read: where the log grows meanwhile, what it is compared with
/// must have been opened after that.
///
/// # Errors
/// No known key signed it.
pub fn verify_checkpoint(
    reader: &LogReader,
    checkpoint: SignedCheckpoint,
    known: &[VerifierKey],
    against: &Against<'_>,
) -> Result<LogReport, LogError> {
    let signatories = checkpoint.verify(known).map_err(|error| error.of_file(CHECKPOINT))?;
    let said = checkpoint.checkpoint().clone();
    let run = Run { reader, size: said.size, source: against.source, findings: Mutex::default() };
    match run.root(against.threads)? {
        Some(root) if root == said.root => {}
        Some(root) => {
            let reason = format!("the tiles have the root {root}, but it says {}", said.root);
            run.find(0, "checkpoint", "log_root_differs", reason);
        }
        None => {
            let reason = format!("there are more than {FINDINGS_END} findings: the rest was not looked at");
            run.find(0, "tile", "log_verification_ended", reason);
        }
    }
    check_earlier_partials(&run);
    run.check_beside(&checkpoint, known);
    if let Some(seen) = against.seen {
        run.compare_with_seen(&checkpoint, seen);
    }
    let not_logged = against.source.map(|source| source.head().saturating_sub(said.size));
    if let Some(head) = against.source.map(Entries::head).filter(|head| *head < said.size) {
        let reason = format!("it ends at position {head}, but the log has {} entries", said.size);
        run.find(head, "the journal", "log_journal_behind", reason);
    }
    let found = run.findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut findings = found.kept;
    findings.sort();
    Ok(LogReport { checkpoint, signatories, findings, findings_total: found.total, not_logged })
}

#[derive(Default)]
struct Found {
    kept: Vec<LogFinding>,
    total: u64,
}

struct Run<'a> {
    reader: &'a LogReader,
    size: u64,
    source: Option<&'a dyn Entries>,
    findings: Mutex<Found>,
}

impl Run<'_> {
    fn find(&self, index: u64, place: impl Into<String>, code: &'static str, reason: impl Into<String>) {
        let mut found = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        found.total = found.total.saturating_add(1);
        if found.kept.len() < FINDINGS_MAX {
            found.kept.push(LogFinding { index, place: place.into(), code, reason: reason.into() });
        }
    }

    /// The root over all leaves, share by share, on several threads; none if there was too much to find.
    fn root(&self, threads: Option<usize>) -> Result<Option<TreeHash>, LogError> {
        let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
        let shares = self.size.div_ceil(ENTRIES_A_SHARE);
        let round = u64::try_from(threads.max(1)).unwrap_or(1);
        let mut frontier = Frontier::new();
        // Hashes of the tiles at level 1 and above, as they must stand in the tiles there.
        let mut upper = Upper::default();
        let mut next = 0;
        while next < shares {
            let end = next.saturating_add(round.saturating_mul(4)).min(shares);
            for (share, tiles) in (next..).zip(self.shares(next, end, threads)?) {
                for (hash, leaves) in tiles {
                    if leaves.len() == TILE_WIDTH {
                        frontier.push_subtree(TILE_HEIGHT, hash);
                        upper.push(self, 1, hash);
                    } else {
                        leaves.iter().for_each(|leaf| frontier.push(*leaf));
                    }
                }
                debug_assert!(frontier.size() >= share * ENTRIES_A_SHARE);
            }
            next = end;
            if self.findings.lock().unwrap_or_else(PoisonError::into_inner).total > FINDINGS_END {
                return Ok(None);
            }
        }
        upper.check_open(self);
        Ok(Some(frontier.root()))
    }

    /// The tiles of some shares, in order.
    fn shares(&self, first: u64, end: u64, threads: usize) -> Result<Vec<Vec<Tile>>, LogError> {
        let next = AtomicU64::new(first);
        let done: Mutex<Vec<(u64, Vec<Tile>)>> = Mutex::default();
        let work = || {
            loop {
                let share = next.fetch_add(1, Ordering::Relaxed);
                if share >= end {
                    break;
                }
                let tiles = self.share(share);
                done.lock().unwrap_or_else(PoisonError::into_inner).push((share, tiles));
            }
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            work();
            others.into_iter().all(|other| other.join().is_ok())
        })
        .then_some(())
        .ok_or_else(|| LogError::Stopped { reason: "a verifying thread panicked".to_owned() })?;
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(share, _)| *share);
        Ok(done.into_iter().map(|(_, tiles)| tiles).collect())
    }

    fn share(&self, share: u64) -> Vec<Tile> {
        let first = share * BUNDLES_A_SHARE;
        let bundles = (first..first.saturating_add(BUNDLES_A_SHARE))
            .map_while(|index| tile_width(self.size, 0, index).map(|width| (index, width)));
        bundles.map(|(index, width)| self.bundle(index, width)).collect()
    }

    /// Checks one bundle against its tile; answers with the leaves as they stand in the tile, so that one changed
    /// entry is one finding and does not contradict all above it. For a tile that cannot be read its entries stand in.
    fn bundle(&self, index: u64, width: usize) -> Tile {
        let first = index * ENTRIES_A_BUNDLE;
        let stored = self.reader.hashes(0, index, width).unwrap_or_else(|error| {
            self.find(
                first,
                place_of(TileKind::Hashes { level: 0 }, index, width),
                error.code(),
                error.to_string(),
            );
            Vec::new()
        });
        let path = TilePath { kind: TileKind::Entries, index, width };
        let read = self.reader.bundle_bytes(path).and_then(|(found, bytes)| {
            let mut entries = split_bundle(&bytes, found.width)
                .ok_or_else(|| LogError::damaged(found.to_string(), format!("it is not {width} entries")))?;
            entries.truncate(width);
            Ok(self.compare_entries(first, &found, &entries, &stored))
        });
        let leaves = match read {
            Ok(leaves) if stored.is_empty() => leaves,
            Ok(_) => stored,
            Err(error) => {
                self.find(first, path.to_string(), error.code(), error.to_string());
                // With both lost, something of the right size must stand in, or all that follows would be displaced.
                if stored.is_empty() { vec![TreeHash::default(); width] } else { stored }
            }
        };
        (root_of(&leaves), leaves)
    }

    fn compare_entries(
        &self,
        first: u64,
        path: &TilePath,
        entries: &[&[u8]],
        stored: &[TreeHash],
    ) -> Vec<TreeHash> {
        let leaves: Vec<TreeHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        if leaves != stored {
            for ((leaf, stored), index) in leaves.iter().zip(stored).zip(first..) {
                if leaf != stored {
                    let tile = place_of(TileKind::Hashes { level: 0 }, path.index, path.width);
                    let reason = format!("entry {index} does not have the hash that stands in {tile}");
                    self.find(index, format!("{path} or {tile}"), "log_entry_differs", reason);
                }
            }
        }
        self.compare_with_journal(first, entries);
        leaves
    }

    fn compare_with_journal(&self, first: u64, entries: &[&[u8]]) {
        let Some(source) = self.source else { return };
        let recorded = match source.entries(first, entries.len()) {
            Ok(recorded) => recorded,
            Err(error) => {
                return self.find(first, "the journal", error.code(), error.to_string());
            }
        };
        for ((entry, recorded), index) in entries.iter().zip(&recorded).zip(first..) {
            if *entry != recorded.as_slice() {
                let position = index.saturating_add(1);
                let reason = "the journal's envelope is not the entry that was logged";
                self.find(index, format!("position {position}"), "log_journal_differs", reason);
            }
        }
    }

    /// What stands in the folder besides tiles and checkpoint: the one that witnesses cosigned, and the log's keys.
    fn check_beside(&self, checkpoint: &SignedCheckpoint, known: &[VerifierKey]) {
        match self.reader.witnessed_checkpoint() {
            Ok(None) => {}
            Ok(Some(witnessed)) => match witnessed.verify(known) {
                Ok(_) => self.compare_with_seen(checkpoint, &witnessed),
                Err(error) => self.find(0, WITNESSED_CHECKPOINT, error.code(), error.to_string()),
            },
            Err(error) => self.find(0, WITNESSED_CHECKPOINT, error.code(), error.to_string()),
        }
        if let Err(error) = KeyHistory::read(self.reader.files()) {
            self.find(0, "keys", error.code(), error.to_string());
        }
    }

    fn compare_with_seen(&self, checkpoint: &SignedCheckpoint, seen: &SignedCheckpoint) {
        let (now, seen) = (checkpoint.checkpoint(), seen.checkpoint());
        if now.origin != seen.origin {
            let reason = format!("what was seen is of the log {}", seen.origin);
            return self.find(0, "checkpoint", "log_of_another", reason);
        }
        if seen.size > now.size {
            let reason = format!("others saw {} entries, it has {}", seen.size, now.size);
            return self.find(now.size, "checkpoint", "log_shorter_than_seen", reason);
        }
        let continues = consistency_proof(&mut self.reader.tree(now.size), seen.size, now.size)
            .and_then(|path| verify_consistency(seen.size, seen.root, now.size, now.root, &path));
        if let Err(error) = continues {
            self.find(0, "checkpoint", "log_contradicts_seen", error.to_string());
        }
    }
}

/// Partial tiles of earlier checkpoints that are still served beside the open tiles: each must be the beginning of
/// the one that the checkpoint commits to.
fn check_earlier_partials(run: &Run<'_>) {
    let kinds = (0..8).map(|level| TileKind::Hashes { level }).chain([TileKind::Entries]);
    for kind in kinds {
        let level = if let TileKind::Hashes { level } = kind { level } else { 0 };
        let index = run.size.checked_shr((u32::from(level) + 1) * TILE_HEIGHT).unwrap_or(0);
        let Some(width) = tile_width(run.size, level, index) else { continue };
        // If the open tile is damaged itself, that was found.
        let Ok(hashes) = run.reader.hashes(level, index, width) else { continue };
        let open = TilePath { kind, index, width };
        let names = run.reader.files().list(&open.partials()).unwrap_or_default();
        for earlier in names.iter().filter_map(|name| name.parse().ok()).filter(|earlier| *earlier < width) {
            let path = TilePath { width: earlier, ..open };
            let first = index.saturating_mul(leaves_under_tile(level));
            match run.reader.hashes_in(path) {
                Ok(found) if hashes.starts_with(&found) => {}
                Ok(_) => {
                    let reason = format!("it is not the beginning of {open}");
                    run.find(first, path.to_string(), "log_tile_differs", reason);
                }
                Err(error) => run.find(first, path.to_string(), error.code(), error.to_string()),
            }
        }
    }
}

/// Leaves under a full tile of a level.
fn leaves_under_tile(level: u8) -> u64 {
    ENTRIES_A_BUNDLE.checked_shl(u32::from(level) * TILE_HEIGHT).unwrap_or(0)
}

/// The root over a tile's leaves, and the leaves.
type Tile = (TreeHash, Vec<TreeHash>);

fn place_of(kind: TileKind, index: u64, width: usize) -> String {
    TilePath { kind, index, width }.to_string()
}

/// The open tiles of level 1 and above while the hashes below them come in.
#[derive(Default)]
struct Upper {
    levels: Vec<(u64, Vec<TreeHash>)>,
}

impl Upper {
    fn push(&mut self, run: &Run<'_>, level: usize, hash: TreeHash) {
        while self.levels.len() < level {
            self.levels.push((0, Vec::with_capacity(TILE_WIDTH)));
        }
        let Some((index, open)) = level.checked_sub(1).and_then(|place| self.levels.get_mut(place)) else {
            return;
        };
        open.push(hash);
        if open.len() == TILE_WIDTH {
            let (number, hashes) = (*index, std::mem::take(open));
            *index = number.saturating_add(1);
            check_upper(run, level, number, &hashes);
            self.push(run, level.saturating_add(1), root_of(&hashes));
        }
    }

    fn check_open(&self, run: &Run<'_>) {
        for (level, (index, open)) in (1..).zip(&self.levels).filter(|(_, (_, open))| !open.is_empty()) {
            check_upper(run, level, *index, open);
        }
    }
}

/// Compares a tile above level 0 with the hashes of the tiles below.
fn check_upper(run: &Run<'_>, level: usize, index: u64, hashes: &[TreeHash]) {
    let Ok(level) = u8::try_from(level) else { return };
    let place = place_of(TileKind::Hashes { level }, index, hashes.len());
    let first = index.saturating_mul(leaves_under_tile(level));
    match run.reader.hashes(level, index, hashes.len()) {
        Ok(stored) => {
            if let Some(number) = stored.iter().zip(hashes).position(|(stored, hash)| stored != hash) {
                let reason = format!("its hash {number} is not the root of the tile below");
                run.find(first, place, "log_tile_differs", reason);
            }
        }
        Err(error) => run.find(first, place, error.code(), error.to_string()),
    }
}
