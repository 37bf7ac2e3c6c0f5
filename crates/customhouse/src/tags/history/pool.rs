//! Tags on the records of the pool, put there in the background: a new tag comes to all that was ever admitted, without
//! anybody waiting for it. What is admitted and which tags are in use says the journal; this follows.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use ::rules::Lists;
use ::tags::history::NOBODY;
use ::tags::{TagDefinition, TagSet};
use packs::Registry;
use serde::Serialize;
use spine::{Progress, declaration_entry};

use super::backfill::{Backfill, BackfillReport, Entries, Meanings, Rules, Work, rules_again};
use super::folder::Folder;
use super::manifest::Source;
use crate::Customhouse;
use crate::declarations::past::packs_of;
use crate::error::{Error, Kind};
use crate::flow::any_simulated;
use crate::identity::{Permission, Reader};
use crate::jobs::{Job, JobState, JobStatus};
use crate::pool::Pool;
use crate::tags::PlaceOfRow;

/// The field that names who answers for an entry.
const BY: &str = "importer_id";
/// Ends the name of a file beside the folder that says that somebody stopped it.
const PAUSED: &str = "paused";
/// How long a running job may take to stop.
const STOP_WAIT: Duration = Duration::from_secs(300);
/// What failed is tried again after so long, if nothing else is in use before.
const RETRY_AFTER: Duration = Duration::from_secs(600);
/// While declarations come it is looked only so often whether something new is in use.
const COMPARED_EVERY: Duration = Duration::from_secs(60);
/// Carriers named at most.
const CARRIERS_SHOWN: usize = 10;

/// How far the tags in use have come over the pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolHistoryStatus {
    /// Rows of the pool.
    pub entries: u64,
    /// Tags that the reader may see and that are put on them.
    pub tags: usize,
    /// Tags in use that are not: they rest on what was declared before, or mark more than the entry.
    pub left_out: usize,
    /// Questions asked, rows times groups of tags that come along together, when it last ended; and all there are.
    pub done: u64,
    /// See `done`.
    pub total: u64,
    /// Is there nothing left to do?
    pub complete: bool,
    /// Did somebody stop it?
    pub paused: bool,
    /// Why it failed the last time, as a code; it is tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// The job that does it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobStatus>,
}

/// One tag on the records of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagInPool {
    /// Rows that carry it, those without an importer among them.
    pub rows: u64,
    /// Enterprises that answer for them.
    pub entities: u64,
    /// The first of the rows.
    pub first: PlaceOfRow,
    /// The last of them.
    pub last: PlaceOfRow,
    /// Who has most of them; nobody where the reader may not see importers.
    pub carriers: Vec<CarrierInPool>,
    /// Rows that were asked, of so many.
    pub asked: u64,
    /// Rows of the pool.
    pub entries: u64,
    /// Is anything simulated?
    pub simulated: bool,
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

/// Content hashes of the packs in use, and how new the pool is.
type Key = (Vec<String>, u64);

#[derive(Default)]
struct State {
    /// What was done last.
    settled: Option<Key>,
    /// For what it failed last, why, and when. Also set while a job runs, so that one that ends in a fault has failed.
    failed: Option<(Key, String, Instant)>,
    job: Option<Arc<Job>>,
    /// Nothing begins: the folder is going.
    blocked: bool,
    /// Questions asked and all there are, when it last ended.
    place: (u64, u64),
    /// Where the journal stood when it was last looked, and when what is in use was last compared.
    head: u64,
    compared: Option<Instant>,
}

impl State {
    fn running(&self) -> Option<Arc<Job>> {
        self.job.clone().filter(|job| job.status().state == JobState::Running)
    }

    /// Has nothing come since it was last asked, or is it long ago that it was looked? To look takes reading what came,
    /// which can wait while declarations do.
    fn is_quiet(&mut self, head: u64) -> bool {
        let quiet = std::mem::replace(&mut self.head, head) == head;
        let look = quiet || self.compared.is_none_or(|last| last.elapsed() >= COMPARED_EVERY);
        if look {
            self.compared = Some(Instant::now());
        }
        look
    }
}

/// A folder as it was opened to be read, and the manifest's age and length then.
type Opened = (SystemTime, u64, Arc<Folder>);

/// What the house and its job have of the history.
pub(crate) struct Kept {
    path: PathBuf,
    registry: Arc<RwLock<Registry>>,
    pool: Arc<Pool>,
    state: Mutex<State>,
    opened: Mutex<Option<Opened>>,
}

/// The history of the pool of a house. Its job is over when this is gone.
pub(crate) struct PoolHistory(Arc<Kept>);

impl Deref for PoolHistory {
    type Target = Kept;

    fn deref(&self) -> &Kept {
        &self.0
    }
}

impl Drop for PoolHistory {
    fn drop(&mut self) {
        // What was done stays; the next start goes on.
        self.state().blocked = true;
        self.stop();
    }
}

/// What a run over the pool needs.
struct Wanted {
    key: Key,
    rules: Vec<(String, String)>,
    sources: Vec<Source>,
    lists: Lists,
}

impl PoolHistory {
    /// The history in a folder, which is made when there is something to keep.
    pub(crate) fn new(path: &Path, registry: Arc<RwLock<Registry>>, pool: Arc<Pool>) -> Self {
        let (state, opened) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Kept { path: path.to_owned(), registry, pool, state, opened }))
    }
}

impl Kept {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> Result<Key, Error> {
        let packs = packs_of(&self.registry.read().unwrap_or_else(PoisonError::into_inner));
        Ok((packs, self.pool.latest_batch()?))
    }

    fn wanted(&self) -> Result<Wanted, Error> {
        let key = self.key()?;
        // Whoever changes packs does not wait for the tags to be compiled.
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner).clone();
        let set: TagSet = crate::tags::tag_set(&registry).0;
        let rules = set.asking_fields_only().map(|own| (own.id.clone(), own.when.clone())).collect();
        let sources = self.pool.admitted_files()?.into_iter();
        let sources = sources
            .map(|(path, file)| Source { path, sha256: file.sha256, entries: file.rows, stamp: None })
            .collect();
        Ok(Wanted { key, rules, sources, lists: Lists(registry.lists()) })
    }

    /// Does what is missing. What is damaged, or of another version, is made anew.
    ///
    /// # Errors
    /// As [`super::backfill`].
    fn run(&self, threads: usize, progress: &dyn Progress) -> Result<BackfillReport, Error> {
        let wanted = self.wanted()?;
        let mut report = BackfillReport { complete: true, ..BackfillReport::default() };
        if wanted.rules.is_empty() || wanted.sources.is_empty() {
            self.remove()?;
        } else {
            let folder = match Folder::open(&self.path, Some(BY)) {
                // Rows were erased, or another pool was brought: numbers of entries mean something else.
                Ok(folder) if follows(&folder, &wanted.sources) => folder,
                Err(error) if error.kind == Kind::Busy => return Err(error),
                useless => {
                    drop(useless);
                    self.remove()?;
                    Folder::open(&self.path, Some(BY))?
                }
            };
            let schema = declaration_entry::schema();
            let entries = Entries::These(&wanted.sources, &schema);
            let work = Work { rules: Rules::These(&wanted.rules), entries, threads, matrix: false };
            report = Backfill::new(folder, wanted.lists, progress).run(&work)?;
        }
        let mut state = self.state();
        state.place = (report.done, report.total);
        state.failed = None;
        if report.complete {
            state.settled = Some(wanted.key);
        }
        Ok(report)
    }

    fn remove(&self) -> Result<(), Error> {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = None;
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

    /// Ends the job, if one runs; false if it does not end in time.
    fn stop(&self) -> bool {
        let Some(job) = self.state().running() else { return true };
        job.cancel();
        job.wait(STOP_WAIT).state != JobState::Running
    }

    /// Has everything made anew, because something in it was erased.
    ///
    /// # Errors
    /// `history_unwritable`, `history_in_use`: its job does not end.
    pub(crate) fn start_again(&self) -> Result<(), Error> {
        self.state().blocked = true;
        let gone = if self.stop() {
            self.remove()
        } else {
            let detail = "tags are still being put on past records, erased ones among them";
            Err(Error::new(Kind::Busy, "history_in_use", detail, "Start the erasure again in a few minutes."))
        };
        let mut state = self.state();
        (state.settled, state.failed, state.blocked) = (None, None, false);
        gone
    }

    /// The folder as it stands; none where nothing was made yet. It is opened again when it has changed.
    fn folder(&self) -> Result<Option<Arc<Folder>>, Error> {
        let manifest = self.path.join(super::folder::MANIFEST);
        let Ok(there) = fs::metadata(&manifest) else { return Ok(None) };
        let stamp = (there.modified().unwrap_or(SystemTime::UNIX_EPOCH), there.len());
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, bytes, folder)) = opened.as_ref()
            && (*at, *bytes) == stamp
        {
            return Ok(Some(Arc::clone(folder)));
        }
        let folder = Arc::new(Folder::to_read(&self.path)?);
        *opened = Some((stamp.0, stamp.1, Arc::clone(&folder)));
        Ok(Some(folder))
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
    /// `data_folder_unreadable`.
    pub fn put_tags_on_pool(&self) -> Result<bool, Error> {
        let history = &self.history;
        // Held until the job is known: nobody else begins one meanwhile.
        let mut state = history.state();
        let quiet = state.is_quiet(self.journal_position());
        if state.blocked || history.is_paused() || state.running().is_some() || !quiet {
            return Ok(false);
        }
        let key = history.key()?;
        let failed = state.failed.as_ref();
        let waits = failed.is_some_and(|(own, _, at)| *own == key && at.elapsed() < RETRY_AFTER);
        if waits || state.settled.as_ref() == Some(&key) {
            return Ok(false);
        }
        state.failed = Some((key.clone(), "job_stopped".to_owned(), Instant::now()));
        let work = Arc::clone(&history.0);
        let job = self.jobs().start("tag_history", move |job| match work.run(1, job) {
            Ok(report) if report.complete => Ok(String::new()),
            Ok(_) => Err(Error::cancelled()),
            Err(error) if error.kind == Kind::Cancelled => {
                work.state().failed = None;
                Err(error)
            }
            Err(error) => {
                // What is wrong may name a tag that not everybody may see.
                tracing::warn!(code = error.code, "tags could not be put on the pool: {error}");
                work.state().failed = Some((key, error.code.clone(), Instant::now()));
                let detail = "tags could not be put on past records";
                Err(Error::new(
                    error.kind,
                    &error.code,
                    detail,
                    "It is tried again; the server's log says more.",
                ))
            }
        });
        match job {
            Ok(job) => state.job = Some(job),
            // There is other work.
            Err(error) if error.kind == Kind::Busy => {
                state.failed = None;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// The same, here and now, for the command line.
    ///
    /// # Errors
    /// `not_permitted`, and as [`super::backfill`].
    pub fn put_tags_on_pool_now(
        &self,
        reader: &Reader,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<BackfillReport, Error> {
        reader.require(Permission::ManagePlans)?;
        self.history.run(threads, progress)
    }

    /// How far the tags in use have come over the pool.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn pool_history(&self, reader: &Reader) -> Result<PoolHistoryStatus, Error> {
        reader.require(Permission::ViewTags)?;
        reader.require(Permission::ViewPool)?;
        let history = &self.history;
        let key = history.key()?;
        let files = history.pool.admitted_files()?;
        let compiled = self.compiled_tags();
        let seen = |own: &&TagDefinition| own.sensitivity <= reader.clearance();
        let tags = compiled.set.asking_fields_only().filter(seen).count();
        let all = compiled.set.definitions().iter().filter(seen).count();
        let state = history.state();
        let job = state.running().map(|job| job.status());
        let (done, total) = state.place;
        let failed = state.failed.as_ref().filter(|(own, _, _)| job.is_none() && *own == key);
        Ok(PoolHistoryStatus {
            entries: files.iter().map(|(_, file)| file.rows).fold(0, u64::saturating_add),
            tags,
            left_out: all.saturating_sub(tags),
            done,
            total,
            complete: job.is_none() && state.settled.as_ref() == Some(&key),
            paused: history.is_paused(),
            failed: failed.map(|(_, code, _)| code.clone()),
            job,
        })
    }

    /// Stops it until somebody lets it go on; what was done stays. The job ends at its next step.
    ///
    /// # Errors
    /// `not_permitted`, `file_unwritable`.
    pub fn pause_pool_history(&self, reader: &Reader) -> Result<(), Error> {
        reader.require(Permission::ManagePlans)?;
        self.history.hold()?;
        if let Some(job) = self.history.state().running() {
            job.cancel();
        }
        Ok(())
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// `not_permitted`, `history_unwritable`.
    pub fn resume_pool_history(&self, reader: &Reader) -> Result<(), Error> {
        reader.require(Permission::ManagePlans)?;
        let marker = self.history.path.with_extension(PAUSED);
        match fs::remove_file(&marker) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("history_unwritable", &marker, &error));
            }
            _ => {}
        }
        self.history.state().failed = None;
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
            let running = self.history.state().running();
            match running {
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
        let Some(folder) = self.history.folder()? else { return Ok(None) };
        let lists = Lists(self.registry().lists());
        let schema = declaration_entry::schema();
        let rule = rules_again(std::iter::once((tag, definition.when.as_str())), &schema, &lists);
        // One that reads aggregates cannot be asked of an entry alone.
        let Some(meaning) =
            rule.ok().and_then(|rule| rule.first().map(|own| Meanings::of(&lists).of_rule(own)))
        else {
            return Ok(None);
        };
        let files = self.history.pool.admitted_files()?;
        let entries = files.iter().map(|(_, file)| file.rows).fold(0, u64::saturating_add);
        let places = files.into_iter().map(|(_, file)| (file.sha256, (file.batch, file.first_row))).collect();
        let found = tag_in(&folder, tag, &meaning, &places)?;
        let hidden = self.history.pool.class_of(BY)? > reader.clearance();
        let simulated = self.projection.read(any_simulated)?;
        Ok(found.map(|found| TagInPool {
            entries,
            simulated,
            carriers: if hidden { Vec::new() } else { found.carriers },
            ..found
        }))
    }
}

/// Batch and first row of each file, by its hash.
type Places = HashMap<String, (String, u64)>;

fn tag_in(folder: &Folder, tag: &str, meaning: &str, places: &Places) -> Result<Option<TagInPool>, Error> {
    let manifest = &folder.manifest;
    let Some(own) = folder.tag(tag).filter(|own| own.meaning == meaning) else { return Ok(None) };
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
        entities: u64::try_from(most.iter().filter(|own| own.entity != NOBODY).count()).unwrap_or(u64::MAX),
        first: place(first),
        last: place(last),
        carriers: carriers.collect(),
        asked: cohort.map_or(0, |cohort| cohort.done),
        entries: manifest.entries(),
        simulated: false,
    }))
}
