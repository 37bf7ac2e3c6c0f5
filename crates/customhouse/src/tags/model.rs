//! What is told about tags, and what is kept between two questions.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ::tags::{Expectation, TagDefinition, TagHit, TagSet, TagSeverity};
use serde::Serialize;
use spine::noun::SubjectKind;
use spine::{Finding, LocalizedText, Progress, Sensitivity};

use super::dependents::Reads;
use super::figures::Volumes;
use super::reason::TagReason;
use crate::pool::Entries;

/// A tag as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagSummary {
    /// Id.
    pub id: String,
    /// Version of its meaning.
    pub version: u32,
    /// What officers call it.
    pub title: LocalizedText,
    /// Id of its family.
    pub family: String,
    /// What carries it.
    pub on: SubjectKind,
    /// Weight in the eyes of its author.
    pub severity: TagSeverity,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Id of its pack.
    pub pack: String,
}

impl From<&TagDefinition> for TagSummary {
    fn from(definition: &TagDefinition) -> Self {
        Self {
            id: definition.id.clone(),
            version: definition.version,
            title: definition.title.clone(),
            family: definition.family.clone(),
            on: definition.on,
            severity: definition.severity,
            sensitivity: definition.sensitivity,
            pack: definition.source.pack_id.clone(),
        }
    }
}

/// A family with those of its tags that the reader may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FamilyOfTags {
    /// Id.
    pub id: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Its tags, in the order of their packs.
    pub tags: Vec<TagSummary>,
}

/// All tags in use that the reader may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagCatalogue {
    /// Families, by id; none is empty.
    pub families: Vec<FamilyOfTags>,
    /// Number of tags in them.
    pub tags: usize,
    /// What is wrong with packs in use; such tags are left out.
    pub findings: Vec<Finding>,
}

/// One test that a tag brings along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagCase {
    /// What must come out.
    pub expect: Expectation,
    /// In a few words, why.
    pub note: String,
    /// Fields of the entry.
    pub entry: BTreeMap<String, String>,
    /// Entries around it.
    pub history_entries: u64,
}

/// One tag with everything its author wrote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagDetail {
    /// The definition.
    #[serde(flatten)]
    pub definition: TagDefinition,
    /// What its family is called.
    pub family_title: LocalizedText,
    /// Its tests.
    pub cases: Vec<TagCase>,
}

/// Rows of the pool that carry a tag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagRows {
    /// The tag.
    pub tag: TagSummary,
    /// Rows looked at: those of the latest batches.
    pub entries: u64,
    /// True if older batches were left out because there are too many rows; windows do not reach into them.
    pub older_left_out: bool,
    /// Rows that say they are simulated.
    pub entries_simulated: u64,
    /// Rows that carry it.
    pub carrying: u64,
    /// Rows for which it cannot be told because something is missing.
    pub unknown: u64,
    /// Position of the latest admission among them.
    pub position: u64,
    /// Some of the rows that carry it, latest first, with the reason.
    pub rows: Vec<TagReason>,
}

/// Which declaration of which file is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyRequest {
    /// The tag's id.
    pub tag: String,
    /// CSV or Parquet file.
    pub declarations: PathBuf,
    /// Declaration number.
    pub declaration: String,
    /// A mapping; without it one is proposed.
    pub map: Option<PathBuf>,
}

/// The tags of the packs in use, compiled.
pub(crate) struct Compiled {
    /// Content hashes of the packs in use.
    pub(crate) packs: Vec<String>,
    pub(crate) set: TagSet,
    pub(crate) findings: Vec<Finding>,
    /// Place of each tag in the set, by its id.
    pub(crate) places: HashMap<String, usize>,
    /// What each tag reads, told on first asking.
    pub(super) reads: OnceLock<Vec<Reads>>,
}

impl Compiled {
    /// A tag's definition, unless it is above the clearance.
    pub(crate) fn visible(&self, clearance: Sensitivity, id: &str) -> Option<&TagDefinition> {
        let definition = self.set.definitions().get(*self.places.get(id)?)?;
        (definition.sensitivity <= clearance).then_some(definition)
    }
}

/// The pool's rows as tags look at them, and the marks found so far.
pub(super) struct Loaded {
    pub(super) compiled: Arc<Compiled>,
    pub(super) entries: Entries,
    pub(super) older_left_out: bool,
    /// Position of the latest admission when it was loaded.
    pub(super) position: u64,
    /// By position of the tag.
    pub(super) hits: Mutex<BTreeMap<usize, Arc<TagHit>>>,
}

/// What is kept between two questions. All of it can be dropped and made again.
#[derive(Default)]
pub(crate) struct TagRoom {
    pub(super) compiled: Mutex<Option<Arc<Compiled>>>,
    pub(super) loaded: Mutex<Option<Arc<Loaded>>>,
    volumes: Mutex<Option<Arc<Volumes>>>,
    pub(super) previews: Previews,
}

/// Conditions that are being tried, by who tries them: the next one of the same reader stops the one before.
#[derive(Default)]
pub(super) struct Previews(Mutex<BTreeMap<String, Arc<AtomicBool>>>);

/// One of them.
pub(super) struct Preview(Arc<AtomicBool>);

impl Previews {
    pub(super) fn begin(&self, reader: &str) -> Preview {
        let stop = Arc::new(AtomicBool::new(false));
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, own| Arc::strong_count(own) > 1);
        if let Some(before) = running.insert(reader.to_owned(), Arc::clone(&stop)) {
            before.store(true, Ordering::Relaxed);
        }
        Preview(stop)
    }
}

impl Progress for Preview {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl TagRoom {
    /// Drops what is kept of rows: something in them was erased.
    pub(crate) fn forget_rows(&self) {
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How often each tag came, if that is known.
    pub(super) fn volumes(&self) -> MutexGuard<'_, Option<Arc<Volumes>>> {
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
