//! A disk in memory that behaves as badly as disks may, and the same way again for the same seed.
//!
//! What was written and not flushed may be lost, kept, cut or filled with zeros when the machine dies; names that were
//! not flushed may be old or new, each for itself. A flush may lie. Bits may rot. The disk may be full.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::dice::Dice;
use super::{Files, OpenFile, folder_of};

/// What a disk writes as a whole.
const SECTOR_BYTES: usize = 512;

/// What goes wrong, apart from what [`FaultyDisk`] is told to do at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// The machine dies in the midst of this operation, counted from 1.
    pub dies_at: Option<u64>,
    /// So many flushes in a thousand say that they did and did not.
    pub lost_sync_per_mille: u64,
    /// So many writes in a thousand fail after a part of the bytes.
    pub short_write_per_mille: u64,
    /// Room on the disk, in bytes.
    pub bytes_max: Option<usize>,
}

/// How often something went wrong since the disk was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Injected {
    /// Deaths in the midst of an operation.
    pub deaths: u64,
    /// Flushes that did not happen though they said so.
    pub lost_syncs: u64,
    /// Writes that failed after a part of the bytes.
    pub short_writes: u64,
    /// Writes for which there was no room.
    pub full: u64,
}

/// Files in memory on a disk with [`Faults`].
#[derive(Debug)]
pub struct FaultyDisk {
    disk: Mutex<Disk>,
}

#[derive(Debug, Clone)]
struct Disk {
    dice: Dice,
    faults: Faults,
    operations: u64,
    dead: bool,
    injected: Injected,
    contents: BTreeMap<u64, Content>,
    next_content: u64,
    /// What a program sees.
    names: BTreeMap<String, Node>,
    /// What stands after a crash, before any change that is not flushed.
    durable_names: BTreeMap<String, Node>,
    changes: Vec<Change>,
}

#[derive(Debug, Clone, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// It was written anew as a whole since it was flushed, and not in places.
    rewritten: bool,
}

impl Content {
    fn flush(&mut self) {
        self.durable.clone_from(&self.seen);
        self.rewritten = false;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(u64),
}

impl Node {
    fn content(self) -> Option<u64> {
        if let Self::File(content) = self { Some(content) } else { None }
    }
}

/// A change of names that no flush has made durable yet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Add { path: String, node: Node },
    Rename { from: String, to: String, node: Node },
    Remove { path: String },
}

impl FaultyDisk {
    /// An empty disk whose misfortunes follow from the seed.
    #[must_use]
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self {
            disk: Mutex::new(Disk {
                dice: Dice::new(seed),
                faults,
                operations: 0,
                dead: false,
                injected: Injected::default(),
                contents: BTreeMap::new(),
                next_content: 0,
                names: BTreeMap::new(),
                durable_names: BTreeMap::new(),
                changes: Vec::new(),
            }),
        }
    }

    /// Operations so far that could have been the last.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// What went wrong so far.
    #[must_use]
    pub fn injected(&self) -> Injected {
        self.lock().injected
    }

    /// Bytes in files that have a name.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.lock().used_bytes()
    }

    /// True once the machine died.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// The machine starts again, after a loss of power: what was not flushed is decided now. The count of operations
    /// begins anew.
    pub fn restart_after_power_loss(&self, faults: Faults) {
        let mut disk = self.lock();
        disk.lose_power();
        disk.start(faults);
    }

    /// The program starts again after it was killed: the system kept all it wrote.
    pub fn restart_after_kill(&self, faults: Faults) {
        self.lock().start(faults);
    }

    /// The same disk once more, with misfortunes of its own from here on.
    #[must_use]
    pub fn copy(&self, seed: u64) -> Self {
        Self { disk: Mutex::new(Disk { dice: Dice::new(seed), ..self.lock().clone() }) }
    }

    /// Makes a file, empty, if it is not there yet.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn create(&self, path: &str) -> io::Result<()> {
        self.lock().file_or_new(path).map(drop)
    }

    /// Writes into a file at this place, which it grows to reach, as a program does that keeps it open.
    ///
    /// # Errors
    /// A file that is not there.
    pub fn write_at(&self, path: &str, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.lock();
        let content = disk.file(path)?;
        let Some(content) = disk.contents.get_mut(&content) else { return Ok(()) };
        let end = offset.saturating_add(bytes.len());
        if content.seen.len() < end {
            content.seen.resize(end, 0);
        }
        if let Some(place) = content.seen.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }

    /// Cuts a file, or fills it up with zeros.
    ///
    /// # Errors
    /// A file that is not there.
    pub fn set_bytes(&self, path: &str, bytes: usize) -> io::Result<()> {
        let mut disk = self.lock();
        let content = disk.file(path)?;
        if let Some(content) = disk.contents.get_mut(&content) {
            content.seen.resize(bytes, 0);
        }
        Ok(())
    }

    /// Every folder, then every file with its content, as a program sees them.
    #[must_use]
    pub fn all(&self) -> (Vec<String>, BTreeMap<String, Vec<u8>>) {
        let disk = self.lock();
        let folders = disk.names.iter().filter(|(_, node)| **node == Node::Folder);
        let folders = folders.map(|(path, _)| path.clone()).collect();
        let content = |node: &Node| disk.contents.get(&node.content()?).map(|content| content.seen.clone());
        let files = disk.names.iter().filter_map(|(path, node)| Some((path.clone(), content(node)?)));
        (folders, files.collect())
    }

    /// Flips one bit of some file that is not empty and whose path is accepted; tells which byte of which file.
    pub fn rot(&self, accepted: &dyn Fn(&str) -> bool) -> Option<(String, usize)> {
        let mut disk = self.lock();
        let candidates: Vec<(String, u64, usize)> = disk
            .names
            .iter()
            .filter_map(|(path, node)| match node {
                Node::File(content) if accepted(path) => {
                    let bytes = disk.contents.get(content).map_or(0, |content| content.seen.len());
                    (bytes > 0).then(|| (path.clone(), *content, bytes))
                }
                _ => None,
            })
            .collect();
        let chosen = disk.dice.below_usize(candidates.len());
        let (path, content, bytes) = candidates.get(chosen)?.clone();
        let byte = disk.dice.below_usize(bytes);
        let bit = 1_u8.wrapping_shl(u32::try_from(disk.dice.below(8)).unwrap_or(0));
        let content = disk.contents.get_mut(&content)?;
        for bytes in [&mut content.seen, &mut content.durable] {
            if let Some(place) = bytes.get_mut(byte) {
                *place ^= bit;
            }
        }
        Some((path, byte))
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Counts an operation; an error from now on once the machine died. True if it dies in the midst of this one.
    fn begin(&mut self) -> io::Result<bool> {
        if self.dead {
            return Err(died());
        }
        self.operations = self.operations.saturating_add(1);
        self.dead = self.faults.dies_at == Some(self.operations);
        self.injected.deaths = self.injected.deaths.saturating_add(u64::from(self.dead));
        Ok(self.dead)
    }

    fn start(&mut self, faults: Faults) {
        self.faults = faults;
        self.operations = 0;
        self.dead = false;
    }

    fn file(&self, path: &str) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::File(content)) => Ok(*content),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn file_or_new(&mut self, path: &str) -> io::Result<u64> {
        match self.file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_folder(folder_of(path))?;
                let content = self.next_content;
                self.next_content = content.wrapping_add(1);
                self.contents.insert(content, Content::default());
                self.change(Change::Add { path: path.to_owned(), node: Node::File(content) });
                Ok(content)
            }
            found => found,
        }
    }

    fn check_folder(&self, path: &str) -> io::Result<()> {
        match self.names.get(path) {
            _ if path.is_empty() => Ok(()),
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.changes.push(change);
    }

    fn used_bytes(&self) -> usize {
        let contents = self.names.values().filter_map(|node| self.contents.get(&node.content()?));
        contents.fold(0, |sum, content| sum.saturating_add(content.seen.len()))
    }

    /// Forgets the bytes that no name leads to any more.
    fn forget_unnamed(&mut self) {
        let names = self.names.values().chain(self.durable_names.values());
        let changed = self.changes.iter().filter_map(|change| match change {
            Change::Add { node, .. } | Change::Rename { node, .. } => Some(node),
            Change::Remove { .. } => None,
        });
        let used: BTreeSet<u64> = names.chain(changed).filter_map(|node| node.content()).collect();
        self.contents.retain(|content, _| used.contains(content));
    }

    /// Moves the changes of one folder's names to what is durable.
    fn flush_names(&mut self, folder: &str) {
        let (mut flushed, mut kept) = (Vec::new(), Vec::new());
        // The name that the folder had when a change was made: it may have been given another since.
        let mut name_then = folder.to_owned();
        for change in std::mem::take(&mut self.changes).into_iter().rev() {
            let is_flushed = change.is_in(&name_then);
            let before = change.renames_folder().and_then(|(from, to)| moved(&name_then, to, from));
            name_then = before.unwrap_or(name_then);
            if is_flushed { flushed.push((kept.len(), change)) } else { kept.push(Some(change)) }
        }
        for (later, mut change) in flushed.into_iter().rev() {
            // What stands on the disk under a folder's old name as long as the new one is not flushed.
            let earlier = kept.get_mut(later..).unwrap_or_default();
            for (from, to) in earlier.iter().flatten().filter_map(Change::renames_folder) {
                change.follow(to, from);
            }
            apply(&mut self.durable_names, &change);
            for place in earlier {
                // A rename moves one thing: it is not left under its old name too.
                place.take_if(|other| change.moves_what(other));
                if let (Some(other), Some((from, to))) = (place, change.renames_folder()) {
                    other.follow(from, to);
                }
            }
        }
        self.changes = kept.into_iter().rev().flatten().collect();
        self.forget_unnamed();
    }

    fn lose_power(&mut self) {
        let luck = self.dice.below(4);
        for change in std::mem::take(&mut self.changes) {
            let keep = match luck {
                0 => false,
                1 => true,
                _ => self.dice.below(2) == 0,
            };
            if keep {
                apply(&mut self.durable_names, &change);
            }
        }
        let names = self.durable_names.clone();
        self.durable_names.retain(|path, _| has_its_folders(&names, path));
        self.names = self.durable_names.clone();
        self.forget_unnamed();
        for content in self.contents.values_mut().filter(|content| content.seen != content.durable) {
            content.durable = kept_of(content, &mut self.dice);
            content.seen = content.durable.clone();
            content.rewritten = false;
        }
    }
}

impl Change {
    fn is_in(&self, folder: &str) -> bool {
        match self {
            Self::Add { path, .. } | Self::Remove { path } => folder_of(path) == folder,
            // The file system's journal holds both halves of a rename in one record.
            Self::Rename { from, to, .. } => folder_of(from) == folder || folder_of(to) == folder,
        }
    }

    /// Does this give another name to what the other one added?
    fn moves_what(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rename { from, node, .. }, Self::Add { path, node: added }) => {
                path == from && added == node
            }
            _ => false,
        }
    }

    fn renames_folder(&self) -> Option<(&str, &str)> {
        match self {
            Self::Rename { from, to, node: Node::Folder } => Some((from, to)),
            _ => None,
        }
    }

    /// The folder in which this happened is told by another name.
    fn follow(&mut self, old: &str, new: &str) {
        let paths = match self {
            Self::Add { path, .. } | Self::Remove { path } => [Some(path), None],
            Self::Rename { from, to, .. } => [Some(from), Some(to)],
        };
        for path in paths.into_iter().flatten() {
            if let Some(now) = moved(path, old, new).filter(|_| path.len() > old.len()) {
                *path = now;
            }
        }
    }
}

/// A path after the folder in which it stands, or which it is, got another name.
fn moved(path: &str, old: &str, new: &str) -> Option<String> {
    let rest = path.strip_prefix(old)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| format!("{new}{rest}"))
}

fn apply(names: &mut BTreeMap<String, Node>, change: &Change) {
    match change {
        Change::Add { path, node } => {
            names.insert(path.clone(), *node);
        }
        Change::Rename { from, to, node } => {
            if names.get(from) == Some(node) {
                names.remove(from);
            }
            if *node == Node::Folder {
                let inside: Vec<String> =
                    names.keys().filter(|path| moved(path, from, to).is_some()).cloned().collect();
                for path in inside {
                    if let (Some(now), Some(node)) = (moved(&path, from, to), names.remove(&path)) {
                        names.insert(now, node);
                    }
                }
            }
            names.insert(to.clone(), *node);
        }
        Change::Remove { path } => {
            names.remove(path);
        }
    }
}

/// What is left of bytes that were not flushed: nothing new, everything, a beginning, a beginning and then zeros, or
/// any mixture of old and new sectors.
fn kept_of(content: &Content, dice: &mut Dice) -> Vec<u8> {
    let bytes = content.seen.len();
    let mut kept = content.seen.clone();
    match dice.below(6) {
        0 => return content.durable.clone(),
        1 => {}
        cut @ (2 | 3) => {
            // What was flushed before and not written anew is not lost.
            let floor = if content.rewritten { 0 } else { content.durable.len().min(bytes) };
            let more = dice.below_usize(bytes.saturating_sub(floor).saturating_add(1));
            kept.truncate(floor.saturating_add(more));
            if cut == 3 {
                kept.resize(bytes, 0);
            }
        }
        _ => {
            let old = content.durable.chunks(SECTOR_BYTES).map(Some).chain(std::iter::repeat(None));
            for (new, old) in kept.chunks_mut(SECTOR_BYTES).zip(old) {
                if dice.one_in(2) {
                    new.fill(0);
                    let old = old.unwrap_or_default();
                    new.iter_mut().zip(old).for_each(|(new, old)| *new = *old);
                }
            }
        }
    }
    kept
}

fn has_its_folders(names: &BTreeMap<String, Node>, path: &str) -> bool {
    let folder = folder_of(path);
    folder.is_empty() || (names.get(folder) == Some(&Node::Folder) && has_its_folders(names, folder))
}

fn died() -> io::Error {
    io::Error::other("the machine died")
}

/// What a file held when it was opened.
#[derive(Debug)]
struct AsItWas(Vec<u8>);

impl OpenFile for AsItWas {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let wanted = self.0.get(start..start.saturating_add(length));
        wanted.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Files for FaultyDisk {
    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let disk = self.lock();
        if disk.dead {
            return Err(died());
        }
        let content = disk.file(path)?;
        let bytes = disk.contents.get(&content).map(|content| content.seen.clone()).unwrap_or_default();
        if bytes.len() > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(AsItWas(self.read(path, usize::MAX)?)))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.lock();
        let dies = disk.begin()?;
        disk.check_folder(folder_of(path))?;
        let content = disk.file_or_new(path)?;
        if let Some(content) = disk.contents.get_mut(&content) {
            content.seen.clear();
            content.rewritten = true;
        }
        let room = disk.faults.bytes_max.map_or(usize::MAX, |max| max.saturating_sub(disk.used_bytes()));
        let short = disk.dice.below(1_000) < disk.faults.short_write_per_mille;
        let (kept, answer) = if dies {
            (disk.dice.below_usize(bytes.len().saturating_add(1)), Err(died()))
        } else if room < bytes.len() {
            disk.injected.full = disk.injected.full.saturating_add(1);
            (room, Err(io::ErrorKind::StorageFull.into()))
        } else if short {
            disk.injected.short_writes = disk.injected.short_writes.saturating_add(1);
            (
                disk.dice.below_usize(bytes.len()),
                Err(io::Error::other("the disk failed in the midst of a write")),
            )
        } else {
            (bytes.len(), Ok(()))
        };
        if let Some(content) = disk.contents.get_mut(&content) {
            content.seen = bytes.get(..kept).unwrap_or(bytes).to_vec();
        }
        answer
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        let mut disk = self.lock();
        let dies = disk.begin()?;
        let content = disk.file(path)?;
        let lies = disk.dice.below(1_000) < disk.faults.lost_sync_per_mille && !dies;
        disk.injected.lost_syncs = disk.injected.lost_syncs.saturating_add(u64::from(lies));
        let happens = if dies { disk.dice.below(2) == 0 } else { !lies };
        if happens && let Some(content) = disk.contents.get_mut(&content) {
            content.flush();
        }
        if dies { Err(died()) } else { Ok(()) }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.lock();
        let dies = disk.begin()?;
        disk.check_folder(folder_of(to))?;
        let node = disk.names.get(from).copied().ok_or(io::ErrorKind::NotFound)?;
        if !dies || disk.dice.below(2) == 0 {
            disk.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), node });
        }
        if dies { Err(died()) } else { Ok(()) }
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        let mut disk = self.lock();
        let dies = disk.begin()?;
        disk.check_folder(path)?;
        let lies = disk.dice.below(1_000) < disk.faults.lost_sync_per_mille && !dies;
        disk.injected.lost_syncs = disk.injected.lost_syncs.saturating_add(u64::from(lies));
        if if dies { disk.dice.below(2) == 0 } else { !lies } {
            disk.flush_names(path);
        }
        if dies { Err(died()) } else { Ok(()) }
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        let mut disk = self.lock();
        let dies = disk.begin()?;
        disk.check_folder(folder_of(path))?;
        match disk.names.get(path).copied() {
            Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            Some(Node::Folder) => {}
            None if dies && disk.dice.below(2) == 0 => {}
            None => disk.change(Change::Add { path: path.to_owned(), node: Node::Folder }),
        }
        if dies { Err(died()) } else { Ok(()) }
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let disk = self.lock();
        if disk.dead {
            return Err(died());
        }
        disk.check_folder(path)?;
        let names = disk.names.keys().filter(|name| folder_of(name) == path && !name.is_empty());
        Ok(names.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut disk = self.lock();
        let dies = disk.begin()?;
        let node = disk.names.get(path).copied().ok_or(io::ErrorKind::NotFound)?;
        if node == Node::Folder && disk.names.keys().any(|name| folder_of(name) == path) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        if !dies || disk.dice.below(2) == 0 {
            disk.change(Change::Remove { path: path.to_owned() });
        }
        if dies { Err(died()) } else { Ok(()) }
    }
}
