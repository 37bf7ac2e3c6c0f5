//! Tags put on entries of files: what is missing is done, in parts that are kept one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ::pool::lanes::LaneValues;
use ::rules::{EntryRule, Lists};
use ::tags::matcher::{Block, Matcher};
use packs::Registry;
use serde::Serialize;
use sha2::{Digest, Sha256};
use spine::{EntrySchema, Progress};

use super::entities::Entities;
use super::folder::{Folder, MadePart};
use super::manifest::Source;
use super::part::{Part, Step};
use super::source::{open, require, take_in, unreadable};
use super::{damaged, unwritable};
use crate::error::{Error, Kind};
use crate::tags::matching::{lane, matcher_of, memory_peak, process_seconds, rows_at_once};
use crate::tags::rule_file::{ReadRule, read_rules};

/// Entries read at once.
const ROWS_AT_ONCE: usize = 256 * 1024;
/// Threads at most.
const THREADS_MAX: usize = 64;

/// What to put on which entries.
#[derive(Debug, Clone)]
pub struct BackfillRequest {
    /// One JSON object a line, `{"id": "...", "when": "<condition over the columns>"}`; it takes the place of the rules
    /// before. Absent: the same rules as before.
    pub rules: Option<PathBuf>,
    /// Parquet files; those that are new go behind those before.
    pub entries: Vec<PathBuf>,
    /// The column that names the entities; needed for a new folder.
    pub by: Option<String>,
    /// The folder of the history; made where it is missing.
    pub folder: PathBuf,
    /// Threads that match.
    pub threads: usize,
}

/// How far it came.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BackfillReport {
    /// Entries of all files.
    pub entries: u64,
    /// Tags.
    pub tags: usize,
    /// Tags that came in or changed their meaning.
    pub new_tags: usize,
    /// Entities that entries name.
    pub entities: u32,
    /// Is everything done? If not, the same command goes on.
    pub complete: bool,
    /// Questions that were asked, entries times groups of tags that come along together; and how many there will be.
    pub done: u64,
    /// See `done`.
    pub total: u64,
    /// Entries that were asked now.
    pub asked: u64,
    /// Pairs of tag and entry found now.
    pub matches: u64,
    /// Pairs of tag and entity kept; an entity may count once for each part of the entries until they are merged.
    pub pairs: u64,
    /// Bytes of what is kept.
    pub bytes: u64,
    /// Seconds that went by.
    pub seconds: f64,
    /// Processor seconds of everything.
    pub cpu_s: f64,
    /// Of these, for checking that the files are as they were.
    pub checking_cpu_s: f64,
    /// For reading rules and planning.
    pub compiling_cpu_s: f64,
    /// For reading and decoding entries.
    pub reading_cpu_s: f64,
    /// For matching.
    pub matching_cpu_s: f64,
    /// For sorting and writing what was found.
    pub keeping_cpu_s: f64,
    /// For merging.
    pub merging_cpu_s: f64,
    /// For the matrix.
    pub matrix_cpu_s: f64,
    /// Memory that the process had at most, in bytes; Linux tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Is there a matrix for `tags query`? Not of more than 65,536 tags or 268 million pairs.
    pub matrix: bool,
}

impl BackfillReport {
    /// Entries asked of all tags in a processor second, reading and writing included.
    #[must_use]
    pub fn entries_per_cpu_second(&self) -> f64 {
        if self.cpu_s > 0.0 { crate::tags::matching::float(self.asked) / self.cpu_s } else { 0.0 }
    }
}

/// Does what is missing: new tags on all entries, all tags on new entries. What was done stays when it is stopped.
///
/// # Errors
/// `history_in_use`, `history_foreign`, `history_damaged`, `history_unwritable`, `history_column_needed`,
/// `history_by_other_column`, `rules_needed`, `rules_unreadable`, `rules_refused`, `rules_too_varied`,
/// `entries_needed`, `entries_unreadable`, `entries_changed`, `column_unknown`.
pub fn backfill(
    registry: &Registry,
    request: &BackfillRequest,
    progress: &dyn Progress,
) -> Result<BackfillReport, Error> {
    let folder = Folder::open(&request.folder, request.by.as_deref())?;
    let rules = request.rules.as_deref().map_or(Rules::Kept, Rules::File);
    let work =
        Work { rules, entries: Entries::Files(&request.entries), threads: request.threads, matrix: true };
    Backfill::new(folder, Lists(registry.lists()), progress).run(&work)
}

/// Where the rules come from.
pub(super) enum Rules<'a> {
    /// They are those that the folder has.
    Kept,
    /// A file of lines.
    File(&'a Path),
    /// Ids and conditions.
    These(&'a [(String, String)]),
}

/// Where the entries come from.
pub(super) enum Entries<'a> {
    /// The folder's, and those of these files that are new.
    Files(&'a [PathBuf]),
    /// Exactly these, the folder's among them, with fields of this schema; what a file does not have is absent.
    These(&'a [Source], &'a EntrySchema),
}

/// What is to be done.
pub(super) struct Work<'a> {
    pub(super) rules: Rules<'a>,
    pub(super) entries: Entries<'a>,
    pub(super) threads: usize,
    /// Is a matrix wanted, for questions?
    pub(super) matrix: bool,
}

/// A run at work.
pub(super) struct Backfill<'a> {
    folder: Folder,
    lists: Lists,
    progress: &'a dyn Progress,
    threads: usize,
    report: BackfillReport,
}

impl<'a> Backfill<'a> {
    pub(super) fn new(folder: Folder, lists: Lists, progress: &'a dyn Progress) -> Self {
        Self { folder, lists, progress, threads: 1, report: BackfillReport::default() }
    }

    pub(super) fn run(mut self, work: &Work<'_>) -> Result<BackfillReport, Error> {
        let (started, begun) = (Instant::now(), process_seconds());
        self.threads = work.threads.clamp(1, THREADS_MAX);
        let rules = self.prepare(work)?;
        while !self.progress.cancelled()
            && let Some(cohort) = self.next_cohort()
        {
            self.advance(cohort, &rules)?;
        }
        let begun_merging = process_seconds();
        self.folder.tidy(&|| !self.progress.cancelled())?;
        self.report.merging_cpu_s += process_seconds() - begun_merging;
        let begun_matrix = process_seconds();
        self.report.matrix = work.matrix && self.folder.write_matrix()?;
        self.report.matrix_cpu_s = process_seconds() - begun_matrix;
        self.report.cpu_s = process_seconds() - begun;
        self.report.seconds = started.elapsed().as_secs_f64();
        Ok(self.finished())
    }

    /// Takes in files and rules, and writes down what is to be done before any of it is.
    fn prepare(&mut self, work: &Work<'_>) -> Result<BTreeMap<u32, EntryRule>, Error> {
        let begun = process_seconds();
        let mut manifest = self.folder.manifest.clone();
        let schema = match work.entries {
            Entries::Files(files) => {
                let common = take_in(&mut manifest, files, self.progress)?;
                require(&common, &manifest.by)?;
                common
            }
            Entries::These(sources, schema) => {
                manifest.sources = sources.to_vec();
                schema.clone()
            }
        };
        self.report.checking_cpu_s = process_seconds() - begun;

        let begun = process_seconds();
        let read = match work.rules {
            Rules::File(path) => read_rules(path, &schema, &self.lists)?,
            Rules::These(these) => rules_again(
                these.iter().map(|(id, when)| (id.as_str(), when.as_str())),
                &schema,
                &self.lists,
            )?,
            Rules::Kept => {
                let all = manifest.tags.iter().map(|tag| (tag.id.as_str(), tag.when.as_str()));
                rules_again(all, &schema, &self.lists)?
            }
        };
        let before = manifest.next_tag;
        let meanings = Meanings::of(&self.lists);
        let described =
            |own: &ReadRule| (own.id.clone(), own.expression.source().to_owned(), meanings.of_rule(own));
        manifest.set_tags(read.iter().map(described).collect());
        self.report.new_tags = manifest.tags.iter().filter(|tag| tag.number >= before).count();
        if manifest != self.folder.manifest {
            self.folder.write_manifest(&manifest)?;
            self.folder.manifest = manifest;
        }
        self.report.compiling_cpu_s = process_seconds() - begun;
        let numbers = self.folder.manifest.tags.iter().map(|tag| tag.number);
        Ok(numbers.zip(read).map(|(number, own)| (number, own.rule)).collect())
    }

    /// Those that are furthest behind come first: when they have come as far as others, all go on together.
    fn next_cohort(&self) -> Option<usize> {
        let entries = self.folder.manifest.entries();
        let open = self.folder.manifest.cohorts.iter().enumerate().filter(|(_, own)| own.done < entries);
        open.min_by_key(|(_, own)| own.done).map(|(at, _)| at)
    }

    /// Where the next cohort stands or the source ends, or from where on it is not known whose entries they are: up to
    /// there this one goes.
    fn end_of(&self, cohort: usize) -> Option<(PathBuf, u64, u64)> {
        let manifest = &self.folder.manifest;
        let done = manifest.cohorts.get(cohort)?.done;
        let (source, row) = manifest.source_of(done)?;
        let end = done.saturating_add(source.entries.saturating_sub(row));
        let others = manifest.cohorts.iter().map(|own| own.done).chain([manifest.entities_known()]);
        let others = others.filter(|other| *other > done);
        Some((source.path.clone(), row, others.fold(end, u64::min)))
    }

    /// Takes a cohort on to the end of its source, or to where another one stands.
    fn advance(&mut self, cohort: usize, rules: &BTreeMap<u32, EntryRule>) -> Result<(), Error> {
        let Some((path, first_row, end)) = self.end_of(cohort) else { return Ok(()) };
        let numbers = self.folder.manifest.cohorts.get(cohort).map_or_else(Vec::new, |own| own.tags.clone());
        let own: Vec<&EntryRule> = numbers.iter().filter_map(|number| rules.get(number)).collect();
        let begun = process_seconds();
        let mut matcher = matcher_of(own.iter().copied())?;
        self.report.compiling_cpu_s += process_seconds() - begun;
        let mut done = self.folder.manifest.cohorts.get(cohort).map_or(end, |own| own.done);
        let mut entities = Entities::new(&self.folder.manifest, done);
        let mut columns: BTreeSet<&str> =
            own.iter().flat_map(|rule| rule.fields()).map(String::as_str).collect();
        // Without a column nobody says how many rows there are.
        if !entities.known || columns.is_empty() {
            columns.insert(&entities.by);
        }
        let columns: Vec<&str> = columns.into_iter().collect();
        let begun = process_seconds();
        let file = open(&path)?;
        let rows = rows_at_once(own.len(), self.threads, file.schema(), &columns, ROWS_AT_ONCE);
        let reader = file.read_from(&columns, rows, first_row);
        let mut reader = reader.map_err(|finding| unreadable(&path, finding))?;
        self.report.reading_cpu_s += process_seconds() - begun;
        let schema = reader.schema().clone();
        let mut part =
            Part::new(self.threads, usize::try_from(end.saturating_sub(done)).unwrap_or(usize::MAX));
        let mut planned = false;
        while done < end {
            let begun = process_seconds();
            let lanes = reader.next_lanes().map_err(|finding| unreadable(&path, finding))?;
            let Some(lanes) = lanes else {
                return Err(damaged(&format!("{} has fewer entries than it says", path.display())));
            };
            let block = block_of(&schema, &lanes)?;
            let wanted = usize::try_from(end.saturating_sub(done)).unwrap_or(usize::MAX).min(block.len());
            let by = schema.position(&entities.by).and_then(|at| lanes.get(at));
            let entity_of = entities.of(&mut self.folder, by, done, wanted)?;
            self.report.reading_cpu_s += process_seconds() - begun;
            if !planned {
                let begun = process_seconds();
                matcher.plan_for(&block);
                self.report.compiling_cpu_s += process_seconds() - begun;
                planned = true;
            }
            let asked = Asked { matcher: &matcher, block: &block, entity_of: &entity_of, wanted };
            done = self.ask(cohort, &numbers, &mut part, &asked, done)?;
            if self.progress.cancelled() {
                break;
            }
        }
        self.keep(cohort, &numbers, &mut part, done)?;
        self.folder.manifest.settle();
        Ok(())
    }

    /// Asks a block's entries; what is full is kept meanwhile. Answers with the first entry that was not asked.
    fn ask(
        &mut self,
        cohort: usize,
        numbers: &[u32],
        part: &mut Part,
        asked: &Asked<'_>,
        mut done: u64,
    ) -> Result<u64, Error> {
        let (mut at, mut step) = (0, asked.wanted);
        while at < asked.wanted && !self.progress.cancelled() {
            let end = at.saturating_add(step).min(asked.wanted);
            let begun = process_seconds();
            let entity_of = asked.entity_of.get(at..end).unwrap_or_default();
            let went = part.take(asked.matcher, asked.block, at..end, entity_of);
            self.report.matching_cpu_s += process_seconds() - begun;
            if went != Step::TooMuch {
                done = done.saturating_add(u64::try_from(end.saturating_sub(at)).unwrap_or_default());
                at = end;
            } else if part.rows() == 0 {
                if step <= 1 {
                    return Err(too_much());
                }
                step = step.div_ceil(4);
            }
            if went != Step::Taken {
                self.keep(cohort, numbers, part, done)?;
            }
        }
        Ok(done)
    }

    /// Keeps what a part made of the entries before `done`.
    fn keep(&mut self, cohort: usize, numbers: &[u32], part: &mut Part, done: u64) -> Result<(), Error> {
        let rows = u64::try_from(part.rows()).unwrap_or_default();
        if rows > 0 {
            let begun = process_seconds();
            let first = done.saturating_sub(rows);
            let entities = self.entities_of(part, first);
            let found = u64::try_from(part.pairs()).unwrap_or_default();
            self.report.matches = self.report.matches.saturating_add(found);
            let (bytes, pairs) = part.finish(numbers, first).map_err(|error| unwritable(&error))?;
            self.folder.keep(MadePart { cohort, to: done, bytes, pairs, entities })?;
            self.report.asked = self.report.asked.saturating_add(rows);
            self.report.keeping_cpu_s += process_seconds() - begun;
            let begun = process_seconds();
            self.folder.tidy(&|| !self.progress.cancelled())?;
            self.report.merging_cpu_s += process_seconds() - begun;
        }
        let (done, total) = self.folder.manifest.progress();
        self.progress.report("backfilling", done, total);
        Ok(())
    }

    /// The entities of those entries of a part of which they are not kept, if those before the part are. In a folder of
    /// an earlier version they may not be.
    fn entities_of(&self, part: &Part, first: u64) -> Vec<u8> {
        let known = self.folder.manifest.entities_known().checked_sub(first);
        let known = known.and_then(|known| usize::try_from(known).ok());
        let new = known.and_then(|known| part.entity_of().get(known..)).unwrap_or_default();
        new.iter().map(|entity| entity.to_le_bytes()).collect::<Vec<_>>().into_flattened()
    }

    fn finished(mut self) -> BackfillReport {
        let manifest = &self.folder.manifest;
        (self.report.done, self.report.total) = manifest.progress();
        self.report.complete = self.report.done == self.report.total;
        self.report.entries = manifest.entries();
        self.report.tags = manifest.tags.len();
        self.report.entities = self.folder.names.len();
        self.report.pairs = manifest.runs.iter().map(|run| run.pairs).fold(0, u64::saturating_add);
        self.report.bytes = self.folder.bytes();
        self.report.memory_peak_bytes = memory_peak();
        self.report
    }
}

/// Entries of a block that are to be asked.
struct Asked<'a> {
    matcher: &'a Matcher,
    block: &'a Block<'a>,
    entity_of: &'a [u32],
    wanted: usize,
}

/// Columns as the matcher reads them.
pub(super) fn block_of<'a>(schema: &'a EntrySchema, lanes: &'a [LaneValues]) -> Result<Block<'a>, Error> {
    Block::new(schema, lanes.iter().map(lane).collect()).ok_or_else(|| {
        let remedy = "Report this with the file; what was done before stays.";
        Error::new(Kind::Internal, "lanes_unequal", "columns of one part differ in length", remedy)
    })
}

fn too_much() -> Error {
    Error::new(
        Kind::Refused,
        "rules_too_many",
        "one entry carries more tags than there is room for",
        "Divide the rules among several folders.",
    )
}

/// The rules of a folder, once more.
pub(super) fn rules_again<'a>(
    all: impl Iterator<Item = (&'a str, &'a str)>,
    schema: &EntrySchema,
    lists: &Lists,
) -> Result<Vec<ReadRule>, Error> {
    let rules = all.map(|(id, when)| crate::tags::rule_file::rule_of(id, when, schema, lists));
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    if rules.is_empty() {
        return Err(Error::new(
            Kind::Invalid,
            "rules_needed",
            "the history has no tags",
            "Name a file of rules with --rules.",
        ));
    }
    Ok(rules)
}

/// Hashes of named lists, to tell whether a rule still means the same.
pub(super) struct Meanings(BTreeMap<String, String>);

impl Meanings {
    pub(super) fn of(lists: &Lists) -> Self {
        let hash = |texts: &BTreeSet<String>| {
            let mut sum = Sha256::new();
            for text in texts {
                sum.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
                sum.update(text.as_bytes());
            }
            hex::encode(sum.finalize())
        };
        Self(lists.0.iter().map(|(name, texts)| (name.clone(), hash(texts))).collect())
    }

    /// Hash of a rule as it is spelt canonically, with the lists that it names.
    pub(super) fn of_rule(&self, rule: &ReadRule) -> String {
        let mut sum = Sha256::new();
        sum.update(rule.expression.to_string().as_bytes());
        for name in rule.expression.names() {
            if let Some(hash) = self.0.get(&name) {
                sum.update(format!("\n{name} {hash}").as_bytes());
            }
        }
        hex::encode(sum.finalize())
    }
}
