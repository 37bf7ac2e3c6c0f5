//! A folder of history on disk: what stands in it, how it grows, how it is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use ::tags::history::{Carriers, Lineage, ReadAt, Run, merge};
use ::tags::matrix::{Matrix, TAGS_MAX};
use journal::log::files::{DiskFiles, Durably, Files, OpenFile};
use roaring::RoaringBitmap;

use super::manifest::{
    EntitiesFile, FORMAT, HistoryTag, Manifest, MatrixFile, NamesFile, OUTDATED, RunFiles,
};
use super::names::EntityNames;
use super::{damaged, unwritable};
use crate::error::{Error, Kind};

pub(super) const MANIFEST: &str = "history.json";
const MATRIX: &str = "matrix";
const RUNS: &str = "runs";
const NAMES: &str = "names";
const ENTITIES: &str = "entities";
/// Bytes of the manifest at most.
const MANIFEST_BYTES_MAX: usize = 1 << 30;
/// Bytes of a file of names at most: those that come with one part.
const NAMES_BYTES_MAX: usize = 1 << 34;
/// Bytes of a file of entities' numbers at most: those of one part.
const ENTITIES_BYTES_MAX: usize = 1 << 30;
/// Bytes of a file of the matrix at most.
const MATRIX_BYTES_MAX: usize = 1 << 36;
/// Pairs of a matrix at most: it takes four bytes of memory for each, and as much again while it is written.
const MATRIX_PAIRS_MAX: u64 = 256 << 20;
/// Runs of one level before they are merged.
const RUNS_MERGED: usize = 16;
/// Bytes of a merged file, about: it is in memory while it is written.
const MERGED_BYTES: usize = 256 << 20;

/// A run that is open.
struct OpenRun {
    run: Run,
    file: Opened,
}

struct Opened(Box<dyn OpenFile>);

impl ReadAt for Opened {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.read_at(offset, length)
    }
}

/// A folder of history that is open.
pub(super) struct Folder {
    files: Arc<dyn Files>,
    /// Absent where it is only read: somebody else may be writing.
    durably: Option<Durably>,
    pub(super) manifest: Manifest,
    pub(super) names: EntityNames,
    /// Names that a file holds.
    names_kept: u32,
    runs: HashMap<String, OpenRun>,
    /// Held while the folder is open, so that nobody else writes.
    _lock: Option<File>,
}

/// What a part of the entries made.
pub(super) struct MadePart {
    /// Which of the manifest's cohorts came along, and how far.
    pub(super) cohort: usize,
    pub(super) to: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) pairs: u64,
    /// The entities of the entries before `to` of which it was not known whose they are.
    pub(super) entities: Vec<u8>,
}

impl Folder {
    /// Opens a folder, or makes one whose entities a column names.
    ///
    /// # Errors
    /// `history_in_use`, `history_foreign`, `history_unreadable`, `history_damaged`, `history_newer`.
    pub(super) fn open(path: &Path, by: Option<&str>) -> Result<Self, Error> {
        let fresh = fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
        let known = path.join(MANIFEST).is_file() || path.join("lock").is_file();
        if !fresh && !known {
            return Err(Error::new(
                Kind::Refused,
                "history_foreign",
                format!("the folder {} holds other files and is no history of tags", path.display()),
                "Name a new folder, or one that `tags backfill` made.",
            ));
        }
        let files = DiskFiles::open(path).map_err(|error| Error::io("history_unwritable", path, &error))?;
        let lock = locked(path)?;
        Ok(Self { _lock: Some(lock), ..Self::on(Arc::new(files), by)? })
    }

    /// The same on any files.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub(super) fn on(files: Arc<dyn Files>, by: Option<&str>) -> Result<Self, Error> {
        let durably = Durably::new(Arc::clone(&files)).map_err(|error| unwritable(&error))?;
        let manifest = match files.read(MANIFEST, MANIFEST_BYTES_MAX) {
            Ok(bytes) => read_manifest(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Manifest::new(by.ok_or_else(no_column)?),
            Err(error) => return Err(unwritable(&error)),
        };
        if let Some(by) = by.filter(|by| *by != manifest.by) {
            return Err(Error::new(
                Kind::Refused,
                "history_by_other_column",
                format!("the entities of this history are named by the column {}, not by {by}", manifest.by),
                "Leave out the column, or name another folder.",
            ));
        }
        let folder = Self::of(files, Some(durably), manifest)?;
        folder.sweep()?;
        Ok(folder)
    }

    fn of(files: Arc<dyn Files>, durably: Option<Durably>, manifest: Manifest) -> Result<Self, Error> {
        let (names, runs) = (EntityNames::default(), HashMap::new());
        let mut folder = Self { files, durably, manifest, names, names_kept: 0, runs, _lock: None };
        folder.read_names()?;
        folder.open_runs()?;
        Ok(folder)
    }

    /// Opens a folder to read it, as it stands at this moment: somebody else may be writing.
    ///
    /// # Errors
    /// `history_unreadable`, `history_damaged`, `history_newer`.
    pub(super) fn to_read(path: &Path) -> Result<Self, Error> {
        let unreadable = |error: &io::Error| Error::io("history_unreadable", &path.join(MANIFEST), error);
        let files: Arc<dyn Files> = Arc::new(DiskFiles::existing(path).map_err(|error| unreadable(&error))?);
        let manifest = || files.read(MANIFEST, MANIFEST_BYTES_MAX).map_err(|error| unreadable(&error));
        let mut before = manifest()?;
        loop {
            match read_manifest(&before).and_then(|known| Self::of(Arc::clone(&files), None, known)) {
                // Files may have been merged and removed meanwhile: then the manifest is another.
                Err(error) => {
                    let now = manifest()?;
                    if now == before {
                        return Err(error);
                    }
                    before = now;
                }
                opened => return opened,
            }
        }
    }

    fn durably(&self) -> Result<&Durably, Error> {
        self.durably.as_ref().ok_or_else(|| unwritable(&"it was opened to be read"))
    }

    fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    fn read_names(&mut self) -> Result<(), Error> {
        for own in &self.manifest.names {
            let bytes =
                self.files.read(&own.file, NAMES_BYTES_MAX).map_err(|error| missing(&own.file, &error))?;
            if crc32fast::hash(&bytes) != own.crc32 {
                return Err(damaged(&format!("the checksum of {} is another", own.file)));
            }
            self.names.add(&bytes)?;
        }
        self.names_kept = self.names.len();
        Ok(())
    }

    fn open_runs(&mut self) -> Result<(), Error> {
        let mut runs = HashMap::new();
        for (path, bytes) in self.manifest.runs.iter().flat_map(|run| &run.files) {
            let run = match self.runs.remove(path) {
                Some(run) => run,
                None => {
                    let file = Opened(self.files().open(path).map_err(|error| missing(path, &error))?);
                    let run = Run::open(&file, *bytes).map_err(|error| missing(path, &error))?;
                    OpenRun { run, file }
                }
            };
            runs.insert(path.clone(), run);
        }
        self.runs = runs;
        Ok(())
    }

    /// Removes files that no manifest names: what a crash left, and what was merged.
    fn sweep(&self) -> Result<(), Error> {
        let runs = self.manifest.runs.iter().flat_map(|run| &run.files).map(|(path, _)| path);
        let names = self.manifest.names.iter().map(|own| &own.file);
        let entities = self.manifest.entities.iter().map(|own| &own.file);
        let matrices = self.manifest.matrices.iter().map(|own| &own.file);
        let named: BTreeSet<&String> = runs.chain(names).chain(entities).chain(matrices).collect();
        for folder in [RUNS, NAMES, ENTITIES, MATRIX] {
            let there = match self.files().list(folder) {
                Ok(there) => there,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unwritable(&error)),
            };
            for path in there.into_iter().map(|name| format!("{folder}/{name}")) {
                if !named.contains(&path) {
                    self.durably()?.remove(&path).map_err(|error| unwritable(&error))?;
                }
            }
        }
        Ok(())
    }

    /// Writes the manifest: from here on it is so.
    ///
    /// # Errors
    /// `history_unwritable`.
    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        let bytes =
            serde_json::to_vec(manifest).map_err(|error| Error::internal("text_unwritable", &error))?;
        self.durably()?.put_one(MANIFEST, bytes).map_err(|error| unwritable(&error))
    }

    /// Keeps what a part made: its files first, then the manifest that names them.
    ///
    /// # Errors
    /// `history_unwritable`.
    pub(super) fn keep(&mut self, part: MadePart) -> Result<(), Error> {
        let mut manifest = self.manifest.clone();
        let mut contents = BTreeMap::new();
        let names = self.names.bytes_from(self.names_kept);
        if !names.is_empty() {
            let file = manifest.next_file(NAMES);
            manifest.names.push(NamesFile { file: file.clone(), crc32: crc32fast::hash(&names) });
            contents.insert(file, names);
        }
        let bytes = u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
        if part.pairs > 0 {
            let file = manifest.next_file(RUNS);
            let files = vec![(file.clone(), bytes)];
            manifest.runs.push(RunFiles { files, level: 0, pairs: part.pairs });
            contents.insert(file, part.bytes);
        }
        if !part.entities.is_empty() {
            let (file, crc32) = (manifest.next_file(ENTITIES), crc32fast::hash(&part.entities));
            manifest.entities.push(EntitiesFile { file: file.clone(), to: part.to, crc32 });
            contents.insert(file, part.entities);
        }
        if let Some(cohort) = manifest.cohorts.get_mut(part.cohort) {
            cohort.done = part.to;
            let asked: HashSet<u32> = cohort.tags.iter().copied().collect();
            manifest.outdate(|tag| asked.contains(&tag));
        }
        self.durably()?.put(&contents).map_err(|error| unwritable(&error))?;
        self.write_manifest(&manifest)?;
        self.manifest = manifest;
        self.names_kept = self.names.len();
        self.open_runs()
    }

    /// Merges runs of a level of which there are many; what is left over is removed. False where it was told to stop.
    ///
    /// # Errors
    /// `history_unwritable`, `history_damaged`.
    pub(super) fn tidy(&mut self, goes_on: &dyn Fn() -> bool) -> Result<bool, Error> {
        loop {
            let mut levels: BTreeMap<u32, usize> = BTreeMap::new();
            for run in &self.manifest.runs {
                let count = levels.entry(run.level).or_default();
                *count = count.saturating_add(1);
            }
            let Some((level, _)) = levels.into_iter().find(|(_, count)| *count >= RUNS_MERGED) else {
                return Ok(true);
            };
            if !self.merge_level(level, goes_on)? {
                return Ok(false);
            }
        }
    }

    fn merge_level(&mut self, level: u32, goes_on: &dyn Fn() -> bool) -> Result<bool, Error> {
        let kept: BTreeSet<u32> = self.manifest.tags.iter().map(|tag| tag.number).collect();
        let mut manifest = self.manifest.clone();
        let (merged, others): (Vec<RunFiles>, Vec<RunFiles>) =
            std::mem::take(&mut manifest.runs).into_iter().partition(|run| run.level == level);
        let mut made = RunFiles { files: Vec::new(), level: level.saturating_add(1), pairs: 0 };
        let paths: Vec<&String> = merged.iter().flat_map(|run| &run.files).map(|(path, _)| path).collect();
        let mut from = Some(0);
        while let Some(first) = from {
            if !goes_on() {
                // Files that no manifest names are swept away.
                self.sweep()?;
                return Ok(false);
            }
            let runs: Vec<(&Run, &Opened)> = paths
                .iter()
                .filter_map(|path| self.runs.get(*path).map(|own| (&own.run, &own.file)))
                .collect();
            let part = merge(&runs, |tag| kept.contains(&tag), first, MERGED_BYTES)
                .map_err(|error| damaged(&error))?;
            from = part.next;
            if part.pairs > 0 {
                let file = manifest.next_file(RUNS);
                made.files.push((file.clone(), u64::try_from(part.bytes.len()).unwrap_or(u64::MAX)));
                made.pairs = made.pairs.saturating_add(part.pairs);
                self.durably()?.put_one(&file, part.bytes).map_err(|error| unwritable(&error))?;
            }
        }
        manifest.runs = others;
        if !made.files.is_empty() {
            manifest.runs.push(made);
        }
        self.write_manifest(&manifest)?;
        self.manifest = manifest;
        self.open_runs()?;
        self.sweep()?;
        Ok(true)
    }

    /// What is kept of a tag on an entity.
    ///
    /// # Errors
    /// `history_unreadable`, `history_damaged`.
    pub(super) fn lineage(&self, tag: u32, entity: u32) -> Result<Option<Lineage>, Error> {
        let mut found: Option<Lineage> = None;
        for OpenRun { run, file } in self.runs.values() {
            if let Some(own) = run.of_entity(file, tag, entity).map_err(|error| damaged(&error))? {
                found = Some(found.map_or(own, |found| found.with(own)));
            }
        }
        Ok(found)
    }

    /// Visits what is kept of a tag, an entity now and then more than once.
    ///
    /// # Errors
    /// `history_unreadable`, `history_damaged`.
    pub(super) fn of_tag(&self, tag: u32, mut each: impl FnMut(Lineage)) -> Result<(), Error> {
        for OpenRun { run, file } in self.runs.values() {
            run.of_tag(file, tag, &mut each).map_err(|error| damaged(&error))?;
        }
        Ok(())
    }

    /// Writes who carries the tags that no matrix has. Smaller matrices become part of the new one, so that there are
    /// few. False where there are too many tags or pairs for matrices.
    ///
    /// # Errors
    /// `history_unwritable`, `history_damaged`.
    pub(super) fn write_matrix(&mut self) -> Result<bool, Error> {
        let mut wanted = self.manifest.without_matrix();
        if wanted.is_empty() {
            return Ok(true);
        }
        let kept: BTreeSet<u32> = self.manifest.tags.iter().map(|tag| tag.number).collect();
        let pairs = self.runs.values().flat_map(|own| own.run.tags()).filter(|(tag, _)| kept.contains(tag));
        let pairs = pairs.map(|(_, pairs)| pairs).fold(0, u64::saturating_add);
        if self.manifest.tags.len() > TAGS_MAX || pairs > MATRIX_PAIRS_MAX {
            return Ok(false);
        }
        let mut manifest = self.manifest.clone();
        while let Some(last) = manifest.matrices.pop_if(|last| last.tags.len() / 2 <= wanted.len()) {
            wanted.extend(last.tags.into_iter().filter(|tag| *tag != OUTDATED));
        }
        let tags: Vec<u32> = wanted.into_iter().collect();
        let matrix = self.matrix_with(tags.iter().map(|tag| Some(*tag)))?;
        let mut bytes = Vec::with_capacity(matrix.bytes());
        matrix.write(&mut bytes).map_err(|error| damaged(&error))?;
        let file = manifest.next_file(MATRIX);
        self.durably()?.put_one(&file, bytes).map_err(|error| unwritable(&error))?;
        manifest.matrices.push(MatrixFile { file, tags });
        self.write_manifest(&manifest)?;
        self.manifest = manifest;
        self.sweep()?;
        Ok(true)
    }

    /// Who carries those of the manifest's tags that are wanted, by their places and ids; nobody carries another.
    ///
    /// # Errors
    /// `history_unreadable`, `history_damaged`.
    pub(super) fn matrix_of(&self, wanted: &dyn Fn(usize, &str) -> bool) -> Result<Matrix, Error> {
        let tags = self.manifest.tags.iter().enumerate();
        self.matrix_with(tags.map(|(at, tag)| wanted(at, &tag.id).then_some(tag.number)))
    }

    /// Who carries these tags; nobody where there is no number.
    fn matrix_with(&self, tags: impl Iterator<Item = Option<u32>>) -> Result<Matrix, Error> {
        let (mut sets, mut carriers) = (Vec::new(), Carriers::new(self.names.len()));
        for tag in tags {
            if let Some(number) = tag {
                self.of_tag(number, |lineage| carriers.put(lineage.entity))?;
            }
            sets.push(carriers.take());
        }
        Matrix::new(self.names.len(), sets).map_err(|error| {
            let remedy = "Divide the rules among several folders.";
            Error::new(Kind::Refused, error.code(), error.to_string(), remedy)
        })
    }

    /// The ids of the tags that some entities carry, with how many of them carry each: the most frequent first, of
    /// equally frequent ones in the order of the manifest. None unless matrices have all tags.
    ///
    /// # Errors
    /// `history_unreadable`, `history_damaged`.
    pub(super) fn tags_among(
        &self,
        entities: &RoaringBitmap,
        tags_max: usize,
    ) -> Result<Vec<(String, u32)>, Error> {
        if tags_max == 0 || !self.manifest.without_matrix().is_empty() {
            return Ok(Vec::new());
        }
        let place = self.manifest.tags.iter().enumerate().map(|(at, tag)| (tag.number, at));
        let place: HashMap<u32, usize> = place.collect();
        let mut found: Vec<(usize, u32)> = Vec::new();
        for own in &self.manifest.matrices {
            let Some(matrix) = self.matrix(own)? else { return Ok(Vec::new()) };
            let among = matrix.tags_among(entities, usize::MAX).into_iter();
            found.extend(among.filter_map(|(tag, count)| {
                let number = own.tags.get(usize::from(tag))?;
                Some((*place.get(number)?, count))
            }));
        }
        found.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(tags_max);
        let id = |at: usize| self.manifest.tags.get(at).map(|tag| tag.id.clone());
        Ok(found.into_iter().filter_map(|(at, count)| Some((id(at)?, count))).collect())
    }

    /// A matrix, if it still stands there.
    ///
    /// # Errors
    /// `history_unreadable`, `history_damaged`.
    pub(super) fn matrix(&self, own: &MatrixFile) -> Result<Option<Matrix>, Error> {
        match self.files().read(&own.file, MATRIX_BYTES_MAX) {
            Ok(bytes) => Matrix::read(bytes.as_slice()).map(Some).map_err(|error| damaged(&error)),
            // Another one has taken its place since the folder was opened.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(missing(&own.file, &error)),
        }
    }

    /// The file with the numbers of the entities of an entry and of others: the first of them, and the numbers.
    ///
    /// # Errors
    /// `history_unreadable`, `history_damaged`; the entry lies beyond [`Manifest::entities_known`].
    pub(super) fn entities_at(&self, entry: u64) -> Result<(u64, Vec<u32>), Error> {
        let at = self.manifest.entities.partition_point(|own| own.to <= entry);
        let own = self.manifest.entities.get(at).ok_or_else(|| damaged(&"an entry has no entity"))?;
        let from = at.checked_sub(1).and_then(|at| self.manifest.entities.get(at)).map_or(0, |own| own.to);
        let bytes =
            self.files.read(&own.file, ENTITIES_BYTES_MAX).map_err(|error| missing(&own.file, &error))?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let count = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
        if crc32fast::hash(&bytes) != own.crc32 || !rest.is_empty() || from.saturating_add(count) != own.to {
            return Err(damaged(&format!("the checksum of {} is another", own.file)));
        }
        Ok((from, numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()))
    }

    pub(super) fn tag(&self, id: &str) -> Option<&HistoryTag> {
        self.manifest.tags.iter().find(|tag| tag.id == id)
    }

    /// Bytes of everything kept, the matrix left out.
    pub(super) fn bytes(&self) -> u64 {
        let runs = self.manifest.runs.iter().flat_map(|run| &run.files).map(|(_, bytes)| *bytes);
        runs.fold(0, u64::saturating_add)
    }
}

fn read_manifest(bytes: &[u8]) -> Result<Manifest, Error> {
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
    if manifest.format == FORMAT {
        return Ok(manifest);
    }
    Err(Error::new(
        Kind::FolderUnusable,
        "history_newer",
        format!("the history has format {}; this program reads {FORMAT}", manifest.format),
        "Use the newer program, or make it anew in another folder.",
    ))
}

fn locked(path: &Path) -> Result<File, Error> {
    let path = path.join("lock");
    let failed = |error: &io::Error| Error::io("history_unwritable", &path, error);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::new(
            Kind::Busy,
            "history_in_use",
            format!("another tidewaiter process works on {}", path.display()),
            "Wait for it or stop it; what it has done stays.",
        )),
        Err(fs::TryLockError::Error(error)) => Err(failed(&error)),
    }
}

fn no_column() -> Error {
    Error::new(
        Kind::Invalid,
        "history_column_needed",
        "a new history needs a column that names the entities",
        "Name it with --by, as it is spelt in the file.",
    )
}

fn missing(path: &str, error: &dyn std::fmt::Display) -> Error {
    damaged(&format!("{path}: {error}"))
}
