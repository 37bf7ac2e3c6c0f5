//! A node: its journal, its log, its witness, its disks and its clock.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Forgetful, Mutant};
use crate::error::JournalError;
use crate::log::error::LogError;
use crate::log::files::{Dice, Faults, FaultyDisk, Files, Injected};
use crate::log::note::{KeyKind, SigningKey, VerifierKey};
use crate::log::tiles::{LogReader, TILE_WIDTH, TileKind, TilePath, tile_width};
use crate::log::witness::{Witness, WitnessedLog};
use crate::log::writer::{Entries, Integrator, LogIdentity, SIGNED};

/// 2027-01-15.
const CLOCK_STARTS_AT: u64 = 1_800_000_000;
/// A machine that dies while it starts, again and again, starts at last.
const DEATHS_WHILE_OPENING_MAX: u64 = 4;

/// A journal as it should be: what it took it keeps.
#[derive(Debug, Default)]
pub(super) struct Model {
    entries: Mutex<Vec<Vec<u8>>>,
    keys: Mutex<BTreeSet<u64>>,
}

impl Model {
    /// Records an event unless its key is known; tells its entry if it is new.
    pub(super) fn append(&self, key: u64, records_twice: bool) -> Option<Vec<u8>> {
        let new = self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        if !new && !records_twice {
            return None;
        }
        let fill = "x".repeat(usize::try_from(key % 61).unwrap_or(0));
        let entry = format!("{key} {fill}").into_bytes();
        self.lock().push(entry.clone());
        Some(entry)
    }

    /// Changes an early event, as nobody may.
    fn rewrite(&self) {
        if let Some(early) = self.lock().first_mut() {
            early.push(b'!');
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of the event that an entry of a [`Model`] is.
pub(super) fn key_of(entry: &[u8]) -> Option<u64> {
    str::from_utf8(entry).ok()?.split_once(' ')?.0.parse().ok()
}

impl Entries for Model {
    fn head(&self) -> u64 {
        u64::try_from(self.lock().len()).unwrap_or(u64::MAX)
    }

    fn entries(&self, after_position: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let after = usize::try_from(after_position).unwrap_or(usize::MAX);
        Ok(self.lock().iter().skip(after).take(limit).cloned().collect())
    }
}

/// A disk of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Log,
    Memory,
    Witness,
}

impl Place {
    pub(super) const ALL: [Self; 3] = [Self::Log, Self::Memory, Self::Witness];
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) log: Integrator,
    pub(super) witness: Witness,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) key: SigningKey,
    pub(super) witness_key: SigningKey,
    pub(super) other_key: VerifierKey,
    pub(super) journal: Arc<Model>,
    pub(super) log: Arc<FaultyDisk>,
    memory: Arc<FaultyDisk>,
    witness: Arc<FaultyDisk>,
    /// Misfortunes of disks that are no longer in use.
    past: Injected,
    pub(super) running: Option<Running>,
    pub(super) clock: u64,
    /// Where the witness stood last, as far as this node knows.
    pub(super) known_size: u64,
    /// Entries of the cosigned checkpoint that is kept.
    pub(super) kept: u64,
    /// The disk that may have been damaged: its flushes lied, or a bit rotted. One at most of log and memory.
    pub(super) suspect: Option<Place>,
    mutant: Mutant,
}

/// What came of starting a node.
pub(super) struct Opened {
    pub(super) deaths: u64,
    pub(super) repairs: u64,
}

impl Node {
    pub(super) fn new(first: bool, mutant: Mutant, dice: &mut Dice) -> Result<Self, LogError> {
        let (name, other) = if first { ("first", "second") } else { ("second", "first") };
        let mut disk = || Arc::new(FaultyDisk::new(dice.number(), Faults::default()));
        Ok(Self {
            name,
            key: log_key(name)?,
            witness_key: witness_key(name)?,
            other_key: log_key(other)?.verifier().clone(),
            journal: Arc::default(),
            log: disk(),
            memory: disk(),
            witness: disk(),
            past: Injected::default(),
            running: None,
            clock: CLOCK_STARTS_AT,
            known_size: 0,
            kept: 0,
            suspect: None,
            mutant,
        })
    }

    pub(super) fn origin(&self) -> &str {
        self.key.verifier().name()
    }

    pub(super) fn disk(&self, place: Place) -> &Arc<FaultyDisk> {
        match place {
            Place::Log => &self.log,
            Place::Memory => &self.memory,
            Place::Witness => &self.witness,
        }
    }

    /// A reader that remembers nothing.
    pub(super) fn reader(&self) -> LogReader {
        LogReader::new(self.log.clone())
    }

    pub(super) fn is_dead(&self) -> bool {
        Place::ALL.iter().any(|place| self.disk(*place).is_dead())
    }

    /// From now on the disks do this, and nothing of it else.
    pub(super) fn set_faults(&self, place: Place, faults: Faults) {
        self.disk(place).restart_after_kill(faults);
    }

    pub(super) fn calm(&self) {
        Place::ALL.iter().for_each(|place| self.set_faults(*place, Faults::default()));
    }

    pub(super) fn stop(&mut self, power_is_lost: bool) {
        self.running = None;
        for place in Place::ALL {
            if power_is_lost {
                self.disk(place).restart_after_power_loss(Faults::default());
            } else {
                self.disk(place).restart_after_kill(Faults::default());
            }
        }
        match self.mutant {
            Mutant::WitnessForgets => self.replace(Place::Witness),
            Mutant::RewritesHistory if power_is_lost => {
                self.journal.rewrite();
                self.replace(Place::Log);
                self.replace(Place::Memory);
            }
            _ => {}
        }
    }

    /// Starts after a stop, whatever may come: deaths while it starts, and damage that has a cause and a remedy.
    pub(super) fn start(&mut self, may_die: bool, dice: &mut Dice) -> Result<Opened, String> {
        let mut opened = Opened { deaths: 0, repairs: 0 };
        loop {
            let dies = may_die && opened.deaths < DEATHS_WHILE_OPENING_MAX && dice.one_in(3);
            let dies_at = dies.then(|| dice.below(20).saturating_add(1));
            let place = if dice.one_in(2) { Place::Log } else { Place::Memory };
            self.set_faults(place, Faults { dies_at, ..Faults::default() });
            let result = self.open();
            if self.is_dead() {
                opened.deaths = opened.deaths.saturating_add(1);
                self.stop(!dice.one_in(4));
                continue;
            }
            self.calm();
            match result {
                Ok(()) => return Ok(opened),
                Err(error) if opened.repairs == 0 => self.repair(&error)?,
                Err(error) => return Err(format!("{} does not start after a repair: {error}", self.name)),
            }
            opened.repairs = opened.repairs.saturating_add(1);
        }
    }

    fn open(&mut self) -> Result<(), LogError> {
        let identity =
            LogIdentity { memory: Some(self.files(Place::Memory)), ..LogIdentity::new(self.key.clone()) };
        let log = Integrator::open(self.files(Place::Log), identity, self.journal.as_ref())?;
        let known =
            WitnessedLog { origin: self.other_key.name().to_owned(), keys: vec![self.other_key.clone()] };
        let witness = Witness::open(self.files(Place::Witness), self.witness_key.clone(), vec![known])?;
        self.running = Some(Running { log, witness });
        Ok(())
    }

    fn files(&self, place: Place) -> Arc<dyn Files> {
        let files = Arc::clone(self.disk(place));
        let (forgets_files, forgets_folders) =
            (self.mutant == Mutant::ForgetsFiles, self.mutant == Mutant::ForgetsFolders);
        if forgets_files || forgets_folders {
            return Arc::new(Forgetful { files, forgets_files, forgets_folders });
        }
        files
    }

    /// Does what an error about damage says. Damage without a cause, or of a place that it does not name, is no
    /// damage but a fault of ours.
    pub(super) fn repair(&mut self, error: &LogError) -> Result<(), String> {
        let text = error.to_string();
        let place = match error {
            LogError::MemoryDamaged { place, .. } if place == SIGNED => Place::Memory,
            LogError::Damaged { .. } | LogError::Malformed { .. } | LogError::Unsigned { .. }
                if names_a_file(&text) =>
            {
                Place::Log
            }
            // It tells to run the verification, which names the file.
            LogError::WouldFork { .. } => Place::Log,
            _ => return Err(format!("{}: {text}", self.name)),
        };
        if self.suspect != Some(place) {
            return Err(format!("{} is damaged without a cause: {text}", self.name));
        }
        self.running = None;
        match place {
            // The log's folder is moved away, and the log is built again from the journal and its memory.
            Place::Log => {
                self.replace(Place::Log);
                self.kept = 0;
            }
            // The file is moved away; the log's folder is whole.
            _ => {
                let removed = self.memory.remove(SIGNED).and_then(|()| self.memory.sync_folder(""));
                removed.map_err(|error| error.to_string())?;
            }
        }
        self.suspect = None;
        Ok(())
    }

    fn replace(&mut self, place: Place) {
        let old = self.disk(place).injected();
        self.past = sum(self.past, old);
        let new = Arc::new(FaultyDisk::new(old.deaths ^ self.clock, Faults::default()));
        match place {
            Place::Log => self.log = new,
            Place::Memory => self.memory = new,
            Place::Witness => self.witness = new,
        }
    }

    pub(super) fn injected(&self) -> Injected {
        Place::ALL.iter().fold(self.past, |total, place| sum(total, self.disk(*place).injected()))
    }

    /// Every file that the published log consists of: not what waits for its name or for its checkpoint, and not the
    /// beginnings of tiles that are full.
    pub(super) fn log_files(&self, size: u64) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for name in self.log.list(&folder).unwrap_or_default() {
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if self.log.list(&path).is_err() {
                    files.insert(path);
                } else if path != "pending" {
                    folders.push(path);
                }
            }
        }
        files.retain(|path| path.parse::<TilePath>().map_or(true, |tile| is_in_use(tile, size)));
        files
    }
}

fn is_in_use(tile: TilePath, size: u64) -> bool {
    let level = if let TileKind::Hashes { level } = tile.kind { level } else { 0 };
    let width = tile_width(size, level, tile.index);
    width.is_some_and(|width| tile.width <= width && (tile.is_full() || width < TILE_WIDTH))
}

fn names_a_file(text: &str) -> bool {
    ["tile/", "checkpoint"].iter().any(|name| text.contains(name))
}

fn sum(a: Injected, b: Injected) -> Injected {
    Injected {
        deaths: a.deaths.saturating_add(b.deaths),
        lost_syncs: a.lost_syncs.saturating_add(b.lost_syncs),
        short_writes: a.short_writes.saturating_add(b.short_writes),
        full: a.full.saturating_add(b.full),
    }
}

/// Keys that everybody may know: nothing is protected by them.
fn log_key(name: &str) -> Result<SigningKey, LogError> {
    let seed = [u8::try_from(name.len()).unwrap_or(0); 32];
    SigningKey::from_seed(&format!("simulated.example/{name}"), KeyKind::Note, &seed)
}

fn witness_key(name: &str) -> Result<SigningKey, LogError> {
    let seed = [u8::try_from(name.len()).unwrap_or(0).wrapping_add(100); 32];
    SigningKey::from_seed(&format!("simulated.example/{name}/witness"), KeyKind::Cosignature, &seed)
}
