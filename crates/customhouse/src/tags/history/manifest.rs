//! What a folder of history says of itself.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The format that this program writes and reads.
pub(super) const FORMAT: u32 = 1;

/// A tag of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HistoryTag {
    /// Its number in runs; one that changes its meaning gets another.
    pub(super) number: u32,
    pub(super) id: String,
    pub(super) when: String,
    /// Hash of everything that its answers rest on beside the entry.
    pub(super) meaning: String,
}

/// A file of entries. Their numbers go on from one source to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
    pub(super) entries: u64,
    /// How the system described the file when its hash was computed, where that tells a changed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stamp: Option<Stamp>,
}

/// A file as the system describes it. Times are nanoseconds since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) bytes: u64,
    pub(super) modified_ns: i128,
    /// When anything about the file changed last, its times among them: nobody sets that to what it was.
    pub(super) changed_ns: i128,
}

/// Tags that have come equally far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cohort {
    pub(super) tags: Vec<u32>,
    /// Entries that were asked.
    pub(super) done: u64,
}

/// Runs that were made together: the same entries, tags behind tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunFiles {
    /// Each with its length in bytes.
    pub(super) files: Vec<(String, u64)>,
    /// How often it was merged.
    pub(super) level: u32,
    pub(super) pairs: u64,
}

/// Names of entities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NamesFile {
    pub(super) file: String,
    pub(super) crc32: u32,
}

/// The entities' numbers of some entries, so that nobody needs their names to put another tag on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntitiesFile {
    pub(super) file: String,
    /// The entry behind the last; the first is where the file before ends.
    pub(super) to: u64,
    pub(super) crc32: u32,
}

/// Who carries some tags, for questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MatrixFile {
    pub(super) file: String,
    /// The number of each of its tags; [`OUTDATED`] for one that entries were asked of since.
    pub(super) tags: Vec<u32>,
}

/// Stands for a tag of a matrix that does not hold any more.
pub(super) const OUTDATED: u32 = u32::MAX;

/// Everything about the folder; what no manifest names does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// The column that names the entities.
    pub(super) by: String,
    pub(super) sources: Vec<Source>,
    /// In the order of their file.
    pub(super) tags: Vec<HistoryTag>,
    pub(super) next_tag: u32,
    pub(super) cohorts: Vec<Cohort>,
    pub(super) runs: Vec<RunFiles>,
    pub(super) names: Vec<NamesFile>,
    /// In the order of their entries, from the first entry on.
    #[serde(default)]
    pub(super) entities: Vec<EntitiesFile>,
    pub(super) next_file: u64,
    /// Matrices, no tag in two of them.
    #[serde(default)]
    pub(super) matrices: Vec<MatrixFile>,
}

impl Manifest {
    pub(super) fn new(by: &str) -> Self {
        Self {
            format: FORMAT,
            by: by.to_owned(),
            sources: Vec::new(),
            tags: Vec::new(),
            next_tag: 0,
            cohorts: Vec::new(),
            runs: Vec::new(),
            names: Vec::new(),
            entities: Vec::new(),
            next_file: 0,
            matrices: Vec::new(),
        }
    }

    /// Entries of all sources.
    pub(super) fn entries(&self) -> u64 {
        self.sources.iter().map(|source| source.entries).fold(0, u64::saturating_add)
    }

    /// Entries that all tags were asked of, summed over the groups of tags that come along together; and how many that
    /// will be.
    pub(super) fn progress(&self) -> (u64, u64) {
        let done = self.cohorts.iter().map(|cohort| cohort.done).fold(0, u64::saturating_add);
        let cohorts = u64::try_from(self.cohorts.len()).unwrap_or(u64::MAX);
        (done, self.entries().saturating_mul(cohorts))
    }

    /// Entries from the first on of which it is known whose they are.
    pub(super) fn entities_known(&self) -> u64 {
        self.entities.last().map_or(0, |own| own.to)
    }

    /// What matrices say of these tags does not hold any more.
    pub(super) fn outdate(&mut self, outdated: impl Fn(u32) -> bool) {
        for tag in self.matrices.iter_mut().flat_map(|own| &mut own.tags) {
            if outdated(*tag) {
                *tag = OUTDATED;
            }
        }
        self.matrices.retain(|own| own.tags.iter().any(|tag| *tag != OUTDATED));
    }

    /// Tags that no matrix has, by number.
    pub(super) fn without_matrix(&self) -> BTreeSet<u32> {
        let known: HashSet<u32> = self.matrices.iter().flat_map(|own| &own.tags).copied().collect();
        self.tags.iter().map(|tag| tag.number).filter(|tag| !known.contains(tag)).collect()
    }

    /// The source of an entry, and the entry's row in it.
    pub(super) fn source_of(&self, entry: u64) -> Option<(&Source, u64)> {
        let mut row = entry;
        for source in &self.sources {
            match row.checked_sub(source.entries) {
                Some(rest) => row = rest,
                None => return Some((source, row)),
            }
        }
        None
    }

    /// Takes these tags, by id, condition and meaning, in place of those before. One that is as it was goes on where it
    /// is; another begins with the first entry.
    pub(super) fn set_tags(&mut self, tags: Vec<(String, String, String)>) {
        let mut before: BTreeMap<String, HistoryTag> =
            std::mem::take(&mut self.tags).into_iter().map(|tag| (tag.id.clone(), tag)).collect();
        let mut new = Vec::new();
        for (id, when, meaning) in tags {
            let number = match before.remove(&id) {
                Some(same) if same.meaning == meaning => same.number,
                _ => {
                    let number = self.next_tag;
                    self.next_tag = number.saturating_add(1);
                    new.push(number);
                    number
                }
            };
            self.tags.push(HistoryTag { number, id, when, meaning });
        }
        if !new.is_empty() {
            self.cohorts.push(Cohort { tags: new, done: 0 });
        }
        self.settle();
    }

    /// Those that have come equally far go on together; what is gone goes nowhere.
    pub(super) fn settle(&mut self) {
        let kept: BTreeSet<u32> = self.tags.iter().map(|tag| tag.number).collect();
        self.outdate(|tag| !kept.contains(&tag));
        let mut by_place: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for cohort in std::mem::take(&mut self.cohorts) {
            let own = by_place.entry(cohort.done).or_default();
            own.extend(cohort.tags.into_iter().filter(|tag| kept.contains(tag)));
        }
        for (done, mut tags) in by_place {
            tags.sort_unstable();
            if !tags.is_empty() {
                self.cohorts.push(Cohort { tags, done });
            }
        }
    }

    /// The name of the next file in a folder.
    pub(super) fn next_file(&mut self, folder: &str) -> String {
        let number = self.next_file;
        self.next_file = number.saturating_add(1);
        format!("{folder}/{number:08}")
    }
}
