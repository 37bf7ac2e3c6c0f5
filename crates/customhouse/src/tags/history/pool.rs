//! Tags on the records of the pool, put there in the background: a new tag comes to all that was ever admitted, without
//! anybody waiting for it. What is admitted and which tags are in use says the journal; this follows.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ::rules::Lists;
use ::tags::TagSet;
use packs::Registry;
use serde::Serialize;
use spine::{Progress, declaration_entry};

use super::backfill::{Backfill, BackfillReport, Entries, Rules, Work};
use super::folder::Folder;
use super::manifest::Source;
use crate::Customhouse;
use crate::declarations::past::packs_of;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::{Job, JobState, JobStatus};
use crate::pool::Pool;
use crate::tags::PlaceOfRow;

/// The field that names who answers for an entry.
const BY: &str = "importer_id";
/// Ends the name of a file beside the folder that says that somebody stopped it.
const PAUSED: &str = "paused";
/// How long a running job may take to stop.
const STOP_WAIT: Duration = Duration::from_secs(30);
/// While declarations come it is looked only so often whether something new is in use.
const COMPARED_EVERY: Duration = Duration::from_secs(60);
/// Carriers named at most.
const CARRIERS_SHOWN: usize = 10;

/// How far the tags in use have come over the pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolHistoryStatus {
    /// Rows of the pool.
    pub entries: u64,
    /// Tags that are put on them.
    pub tags: usize,
    /// Tags in use that are not: they rest on what was declared before, or mark more than the entry.
    pub left_out: usize,
    /// Questions asked, rows times groups of tags that come along together; and how many there are.
    pub done: u64,
    /// See `done`.
    pub total: u64,
    /// Is there nothing left to do?
    pub complete: bool,
    /// Did somebody stop it?
    pub paused: bool,
    /// The job that does it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobStatus>,
}

/// One tag on the records of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagInPool {
    /// Rows that carry it.
    pub rows: u64,
    /// Enterprises that answer for them.
    pub entities: u64,
    /// The first of the rows.
    pub first: PlaceOfRow,
    /// The last of them.
    pub last: PlaceOfRow,
    /// Who has most of them.
    pub carriers: Vec<CarrierInPool>,
    /// Rows that were asked, of so many.
    pub asked: u64,
    /// Rows of the pool.
    pub entries: u64,
}

/// An enterprise with rows that carry a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CarrierInPool {
    /// Its number.
    pub entity: String,
    /// Its rows that carry the tag.
    pub rows: u64,
    /// The first of them.
    pub first: PlaceOfRow,
    /// The last of them.
    pub last: PlaceOfRow,
}

#[derive(Default)]
struct State {
    /// What was done last: tags and lists in use, position of the pool.
    settled: Option<(Vec<String>, u64)>,
    job: Option<Arc<Job>>,
    /// Rows, tags, tags left out.
    counted: (u64, usize, usize),
    /// Questions asked and all there are, when it last ended.
    place: (u64, u64),
    /// Where the journal stood when it was last looked, and when what is in use was last compared.
    head: u64,
    compared: Option<Instant>,
}

/// The history of the pool of a house.
pub(crate) struct PoolHistory {
    path: PathBuf,
    registry: Arc<RwLock<Registry>>,
    pool: Arc<Pool>,
    state: Mutex<State>,
}

/// What a run over the pool needs.
struct Wanted {
    key: (Vec<String>, u64),
    rules: Vec<(String, String)>,
    left_out: usize,
    sources: Vec<Source>,
    lists: Lists,
}

impl PoolHistory {
    /// The history in a folder, which is made when there is something to keep.
    pub(crate) fn new(path: &Path, registry: Arc<RwLock<Registry>>, pool: Arc<Pool>) -> Self {
        Self { path: path.to_owned(), registry, pool, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> Result<(Vec<String>, u64), Error> {
        let packs = packs_of(&self.registry.read().unwrap_or_else(PoisonError::into_inner));
        Ok((packs, self.pool.latest_batch()?))
    }

    /// Has nothing come since it was last asked, or is it long ago that it was looked? To look takes reading what came,
    /// which can wait while declarations do.
    fn is_quiet(&self, head: u64) -> bool {
        let mut state = self.state();
        let quiet = std::mem::replace(&mut state.head, head) == head;
        let long_ago = state.compared.is_none_or(|last| last.elapsed() >= COMPARED_EVERY);
        if quiet || long_ago {
            state.compared = Some(Instant::now());
        }
        quiet || long_ago
    }

    fn wanted(&self) -> Result<Wanted, Error> {
        let key = self.key()?;
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let set: TagSet = crate::tags::tag_set(&registry).0;
        let lists = Lists(registry.lists());
        drop(registry);
        let rules: Vec<(String, String)> =
            set.asking_fields_only().map(|own| (own.id.clone(), own.when.clone())).collect();
        let left_out = set.definitions().len().saturating_sub(rules.len());
        let sources = self.pool.admitted_files()?.into_iter();
        let sources =
            sources.map(|(path, file)| Source { path, sha256: file.sha256, entries: file.rows }).collect();
        Ok(Wanted { key, rules, left_out, sources, lists })
    }

    /// Does what is missing.
    ///
    /// # Errors
    /// As [`super::backfill`].
    fn run(&self, progress: &dyn Progress) -> Result<BackfillReport, Error> {
        let wanted = self.wanted()?;
        let rows = wanted.sources.iter().map(|source| source.entries).fold(0, u64::saturating_add);
        self.state().counted = (rows, wanted.rules.len(), wanted.left_out);
        let mut report = BackfillReport { complete: true, ..BackfillReport::default() };
        if wanted.rules.is_empty() || wanted.sources.is_empty() {
            self.remove()?;
        } else {
            let mut folder = Folder::open(&self.path, Some(BY))?;
            if !follows(&folder, &wanted.sources) {
                // Rows were erased, or another pool was brought: numbers of entries mean something else.
                drop(folder);
                self.remove()?;
                folder = Folder::open(&self.path, Some(BY))?;
            }
            let schema = declaration_entry::schema();
            let entries = Entries::These(&wanted.sources, &schema);
            let work = Work { rules: Rules::These(&wanted.rules), entries, threads: 1, matrix: false };
            report = Backfill::new(folder, wanted.lists, progress).run(&work)?;
        }
        let mut state = self.state();
        state.place = (report.done, report.total);
        if report.complete {
            state.settled = Some(wanted.key);
        }
        Ok(report)
    }

    fn remove(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("history_unwritable", &self.path, &error))
            }
            _ => Ok(()),
        }
    }

    fn is_paused(&self) -> bool {
        self.path.with_extension(PAUSED).is_file()
    }

    /// From now on it stands still until somebody lets it go on.
    ///
    /// # Errors
    /// `file_unwritable`.
    pub(crate) fn hold(&self) -> Result<(), Error> {
        crate::write_whole(&self.path.with_extension(PAUSED), b"")
    }

    fn running(&self) -> Option<Arc<Job>> {
        let state = self.state();
        state.job.clone().filter(|job| job.status().state == JobState::Running)
    }

    fn stop(&self) {
        if let Some(job) = self.running() {
            job.cancel();
            let _ = job.wait(STOP_WAIT);
        }
    }

    /// Has everything made anew, because something in it was erased.
    ///
    /// # Errors
    /// `history_unwritable`.
    pub(crate) fn start_again(&self) -> Result<(), Error> {
        self.stop();
        self.state().settled = None;
        self.remove()
    }
}

/// Are the folder's files the first of these? Their paths may have changed with the data folder.
fn follows(folder: &Folder, sources: &[Source]) -> bool {
    let known = &folder.manifest.sources;
    known.len() <= sources.len()
        && known
            .iter()
            .zip(sources)
            .all(|(known, now)| known.sha256 == now.sha256 && known.entries == now.entries)
}

impl Customhouse {
    /// Puts tags in use on the records of the pool where that is missing, in a job of its own, unless somebody stopped
    /// it. Answers with whether one was started.
    ///
    /// # Errors
    /// `too_many_jobs`, `data_folder_unreadable`.
    pub fn put_tags_on_pool(&self) -> Result<bool, Error> {
        let history = Arc::clone(&self.history);
        if history.is_paused() || history.running().is_some() || !history.is_quiet(self.journal_position()) {
            return Ok(false);
        }
        let key = history.key()?;
        if history.state().settled.as_ref() == Some(&key) {
            return Ok(false);
        }
        let work = Arc::clone(&history);
        let job = self.jobs().start("tag_history", move |job| {
            let done = work.run(job);
            let failed = done.as_ref().err().is_some_and(|error| error.kind != Kind::Cancelled);
            if failed {
                // It would fail again: until something else is in use.
                work.state().settled = Some(key);
            }
            match done? {
                report if report.complete => Ok(String::new()),
                _ => Err(Error::cancelled()),
            }
        })?;
        history.state().job = Some(job);
        Ok(true)
    }

    /// The same, here and now, for the command line.
    ///
    /// # Errors
    /// `not_permitted`, and as [`super::backfill`].
    pub fn put_tags_on_pool_now(
        &self,
        reader: &Reader,
        progress: &dyn Progress,
    ) -> Result<BackfillReport, Error> {
        reader.require(Permission::ManagePlans)?;
        self.history.run(progress)
    }

    /// How far the tags in use have come over the pool.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn pool_history(&self, reader: &Reader) -> Result<PoolHistoryStatus, Error> {
        reader.require(Permission::ViewTags)?;
        reader.require(Permission::ViewPool)?;
        let history = &self.history;
        let settled = history.state().settled.as_ref() == Some(&history.key()?);
        let job = history.running().map(|job| job.status());
        let state = history.state();
        let (entries, tags, left_out) = state.counted;
        let (done, total) = match &job {
            Some(job) if job.stage == "backfilling" => (job.done, job.total),
            _ => state.place,
        };
        let complete = settled && job.is_none() && done == total;
        drop(state);
        Ok(PoolHistoryStatus {
            entries,
            tags,
            left_out,
            done,
            total,
            complete,
            paused: history.is_paused(),
            job,
        })
    }

    /// Stops it until somebody lets it go on; what was done stays.
    ///
    /// # Errors
    /// `not_permitted`, `history_unwritable`.
    pub fn pause_pool_history(&self, reader: &Reader) -> Result<(), Error> {
        reader.require(Permission::ManagePlans)?;
        self.history.hold()?;
        self.history.stop();
        Ok(())
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// `not_permitted`, `history_unwritable`, `too_many_jobs`.
    pub fn resume_pool_history(&self, reader: &Reader) -> Result<(), Error> {
        reader.require(Permission::ManagePlans)?;
        let marker = self.history.path.with_extension(PAUSED);
        match fs::remove_file(&marker) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("history_unwritable", &marker, &error));
            }
            _ => {}
        }
        self.put_tags_on_pool().map(drop)
    }

    /// Waits until the tags in use are on the pool, at most so long; true if they are.
    #[must_use]
    pub fn wait_until_pool_is_tagged(&self, limit: Duration) -> bool {
        let begun = Instant::now();
        loop {
            let settled = self.history.state().settled.clone();
            if settled.is_some() && settled == self.history.key().ok() {
                return true;
            }
            if begun.elapsed() >= limit {
                return false;
            }
            match self.history.running() {
                Some(job) => drop(job.wait(Duration::from_millis(100))),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// A tag on the records of the pool; `None` where it is not put on them, not yet asked, or on none.
    ///
    /// # Errors
    /// `not_permitted`, `tag_unknown`, `history_unreadable`, `history_damaged`.
    pub fn tag_in_pool(&self, reader: &Reader, tag: &str) -> Result<Option<TagInPool>, Error> {
        reader.require(Permission::ViewPool)?;
        let definition = self.tag(reader, tag)?.definition;
        if !self.history.path.join(super::folder::MANIFEST).is_file() {
            return Ok(None);
        }
        let places = self.pool.admitted_files()?.into_iter();
        let places: Places = places.map(|(_, file)| (file.sha256, (file.batch, file.first_row))).collect();
        Folder::reading(&self.history.path, |folder| {
            tag_in(folder, &definition.id, &definition.when, &places)
        })
    }
}

/// Batch and first row of each file, by its hash.
type Places = HashMap<String, (String, u64)>;

fn tag_in(folder: &Folder, tag: &str, when: &str, places: &Places) -> Result<Option<TagInPool>, Error> {
    let manifest = &folder.manifest;
    let Some(own) = folder.tag(tag).filter(|own| own.when == when) else { return Ok(None) };
    let cohort = manifest.cohorts.iter().find(|cohort| cohort.tags.contains(&own.number));
    let mut by_entity = HashMap::new();
    folder.of_tag(own.number, |lineage| {
        by_entity
            .entry(lineage.entity)
            .and_modify(|known: &mut ::tags::history::Lineage| *known = known.with(lineage))
            .or_insert(lineage);
    })?;
    let place = |entry: u64| {
        let (batch, row) = manifest
            .source_of(entry)
            .and_then(|(source, row)| {
                let (batch, first_row) = places.get(&source.sha256)?;
                Some((batch.clone(), first_row.saturating_add(row)))
            })
            .unzip();
        PlaceOfRow { batch, row, line: None }
    };
    let first = by_entity.values().map(|own| own.first).min();
    let (Some(first), Some(last)) = (first, by_entity.values().map(|own| own.last).max()) else {
        return Ok(None);
    };
    let mut most: Vec<_> = by_entity.values().copied().collect();
    most.sort_unstable_by_key(|own| (Reverse(own.entries), own.entity));
    let carriers = most.iter().take(CARRIERS_SHOWN).filter_map(|own| {
        Some(CarrierInPool {
            entity: folder.names.name(own.entity)?.to_owned(),
            rows: own.entries,
            first: place(own.first),
            last: place(own.last),
        })
    });
    Ok(Some(TagInPool {
        rows: most.iter().map(|own| own.entries).fold(0, u64::saturating_add),
        entities: u64::try_from(most.len()).unwrap_or(u64::MAX),
        first: place(first),
        last: place(last),
        carriers: carriers.collect(),
        asked: cohort.map_or(0, |cohort| cohort.done),
        entries: manifest.entries(),
    }))
}
