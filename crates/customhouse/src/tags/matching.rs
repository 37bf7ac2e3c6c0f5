//! Many conditions asked of a file of many entries: how many entries fulfil each. Nothing is recorded.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ::pool::lanes::{LaneValues, LanesFile};
use ::rules::{EntryRule, Lists};
use ::tags::history::Pairs;
use ::tags::matcher::{Block, Lane, Matched, Matcher, Remark, Scratch, Sink};
use packs::Registry;
use rust_decimal::prelude::ToPrimitive;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use spine::{EntrySchema, FieldType, Finding, Progress};

use super::history::unreadable;
use super::rule_file::read_rules;
use crate::error::{Error, Kind};
use crate::folder::write_whole;

/// Entries read at once.
const ROWS_AT_ONCE: usize = 512 * 1024;
/// Entries read at once for each thread where there are few rules: they are asked while they are near the processor.
const ROWS_FOR_FEW: usize = 64 * 1024;
/// So few rules cost less than reading does.
const FEW_RULES: usize = 64;
/// Threads at most.
const THREADS_MAX: usize = 256;

/// What to match.
#[derive(Debug, Clone)]
pub struct MatchRequest {
    /// One JSON object a line: `{"id": "...", "when": "<condition over the columns>"}`.
    pub rules: PathBuf,
    /// A Parquet file.
    pub entries: PathBuf,
    /// Threads that match.
    pub threads: usize,
    /// Also collect the pairs of rule and entry in memory, as for writing them; they are counted and dropped.
    pub pairs: bool,
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct MatchReport {
    /// How many entries fulfil each rule, in the order of the file.
    #[serde(skip)]
    pub counts: Vec<(String, u64)>,
    /// Entries.
    pub entries: u64,
    /// Rules.
    pub rules: usize,
    /// Pairs of rule and entry.
    pub matches: u64,
    /// Processor seconds for parsing, checking and planning the rules.
    pub compiling_cpu_s: f64,
    /// Processor seconds for reading and decoding the file.
    pub reading_cpu_s: f64,
    /// Processor seconds for matching, of all threads.
    pub matching_cpu_s: f64,
    /// Seconds that went by while it matched.
    pub matching_s: f64,
    /// Memory that the process had at most, in bytes; Linux tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Columns of the file that cannot be used.
    pub findings: Vec<Finding>,
    /// What is questionable about the rules.
    #[serde(skip)]
    remarks: Vec<(usize, Remark)>,
}

/// A rule that should be looked at again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuestionableRule {
    /// The rule's id.
    pub id: String,
    /// Stable name: `never`, `always`, `same_as`, `asked_of_all`, `computed`, `no_entry`.
    pub remark: &'static str,
    /// The other rule, or what is computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Entries of the file that fulfil it.
    pub count: u64,
}

impl MatchReport {
    /// Entries matched in a processor second; reading the file is not counted.
    #[must_use]
    pub fn entries_per_cpu_second(&self) -> f64 {
        if self.matching_cpu_s > 0.0 { float(self.entries) / self.matching_cpu_s } else { 0.0 }
    }

    /// Rules that should be looked at again: those that no or every entry can fulfil, that another rule repeats, that
    /// cost much, or that no entry of the file fulfils.
    #[must_use]
    pub fn questionable(&self) -> Vec<QuestionableRule> {
        let rule = |at: usize, remark, about| {
            let (id, count) = self.counts.get(at).cloned().unwrap_or_default();
            QuestionableRule { id, remark, about, count }
        };
        let id_of = |at: usize| self.counts.get(at).map(|(id, _)| id.clone());
        let said: BTreeSet<usize> = self.remarks.iter().map(|(at, _)| *at).collect();
        let empty =
            self.counts.iter().enumerate().filter(|(at, (_, count))| *count == 0 && !said.contains(at));
        let empty = empty.map(|(at, _)| (at, rule(at, "no_entry", None)));
        let told = self.remarks.iter().map(|(at, remark)| {
            let (name, about) = match remark {
                Remark::Never => ("never", None),
                Remark::Always => ("always", None),
                Remark::SameAs(other) => ("same_as", id_of(*other)),
                Remark::AskedOfAll => ("asked_of_all", None),
                Remark::Computed(written) => ("computed", Some(written.clone())),
            };
            (*at, rule(*at, name, about))
        });
        let mut all: Vec<(usize, QuestionableRule)> = told.chain(empty).collect();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, rule)| rule).collect()
    }

    /// Writes the counts as CSV, `id,count`; the file appears whole or not at all.
    ///
    /// # Errors
    /// `file_unwritable`.
    pub fn write_counts(&self, path: &Path) -> Result<(), Error> {
        let mut csv = String::from("id,count\n");
        for (id, count) in &self.counts {
            // RFC 4180, section 2.
            let quoted =
                id.contains([',', '"', '\n', '\r']).then(|| format!("\"{}\"", id.replace('"', "\"\"")));
            csv.push_str(&format!("{},{count}\n", quoted.as_deref().unwrap_or(id)));
        }
        write_whole(path, csv.as_bytes())
    }
}

/// Asks all rules of all entries.
///
/// # Errors
/// `rules_unreadable`, `rules_refused` with what is wrong with each, `rules_too_varied`, `entries_unreadable`,
/// `column_unknown`, `cancelled`.
pub fn match_file(
    registry: &Registry,
    request: &MatchRequest,
    progress: &dyn Progress,
) -> Result<MatchReport, Error> {
    let begun = processor_seconds();
    let file = File::open(&request.entries)
        .map_err(|error| Error::io("entries_unreadable", &request.entries, &error))?;
    let entries = LanesFile::open(file).map_err(|finding| unreadable(&request.entries, finding))?;
    let findings = entries.findings().to_vec();
    let rules = read_rules(&request.rules, entries.schema(), &Lists(registry.lists()))?;
    let (ids, rules): (Vec<String>, Vec<EntryRule>) = rules.into_iter().map(|own| (own.id, own.rule)).unzip();
    let mut matcher = matcher_of(&rules)?;
    let compiling_cpu_s = processor_seconds() - begun;

    let columns: BTreeSet<&str> = rules.iter().flat_map(|rule| rule.fields()).map(String::as_str).collect();
    let columns: Vec<&str> = columns.into_iter().collect();
    let total = entries.rows();
    let mut report = MatchReport {
        counts: Vec::new(),
        entries: 0,
        rules: rules.len(),
        matches: 0,
        compiling_cpu_s,
        reading_cpu_s: 0.0,
        matching_cpu_s: 0.0,
        matching_s: 0.0,
        memory_peak_bytes: None,
        findings,
        remarks: matcher.lint(),
    };
    let threads = request.threads.clamp(1, THREADS_MAX);
    let mut workers: Vec<Worker> =
        std::iter::repeat_with(|| Worker::new(ids.len(), request.pairs)).take(threads).collect();
    if columns.is_empty() {
        // Conditions without a field are the same everywhere.
        let mut counts = vec![0_u64; ids.len()];
        for rule in matcher.always() {
            if let Some(count) = counts.get_mut(rule) {
                *count = total;
            }
        }
        report.entries = total;
        return Ok(finished(report, ids, counts));
    }
    let begun = processor_seconds();
    let rows = rows_at_once(ids.len(), threads, entries.schema(), &columns, ROWS_AT_ONCE);
    let mut reader = entries.read(&columns, rows).map_err(|finding| unreadable(&request.entries, finding))?;
    let schema = reader.schema().clone();
    let mut reading = processor_seconds() - begun;
    loop {
        let begun = processor_seconds();
        let lanes = reader.next_lanes().map_err(|finding| unreadable(&request.entries, finding))?;
        reading += processor_seconds() - begun;
        let Some(lanes) = lanes else { break };
        let block = Block::new(&schema, lanes.iter().map(lane).collect()).ok_or_else(|| {
            let remedy = "Report this with the file; nothing was written.";
            Error::new(Kind::Internal, "lanes_unequal", "columns of one part differ in length", remedy)
        })?;
        if report.entries == 0 {
            let begun = processor_seconds();
            matcher.plan_for(&block);
            report.compiling_cpu_s += processor_seconds() - begun;
        }
        let begun = Instant::now();
        match_block(&matcher, &block, &mut workers);
        report.matching_s += begun.elapsed().as_secs_f64();
        report.entries = report.entries.saturating_add(u64::try_from(block.len()).unwrap_or_default());
        progress.report("matching", report.entries, total);
        if progress.cancelled() {
            return Err(Error::new(
                Kind::Cancelled,
                "cancelled",
                "the run was stopped; nothing was written",
                "Start it again when there is time.",
            ));
        }
    }
    report.reading_cpu_s = reading;
    report.matching_cpu_s = workers.iter().map(|worker| worker.seconds).sum();
    let mut counts = vec![0_u64; ids.len()];
    for worker in &workers {
        for (sum, count) in counts.iter_mut().zip(&worker.found.counts) {
            *sum = sum.saturating_add(*count);
        }
    }
    Ok(finished(report, ids, counts))
}

/// Entries to read at once for so many rules over these columns, at most `most`. Each time texts are read their
/// dictionary is, too: of them many come together.
pub(super) fn rows_at_once(
    rules: usize,
    threads: usize,
    schema: &EntrySchema,
    columns: &[&str],
    most: usize,
) -> usize {
    let is_text = |name: &&str| schema.field(name).is_some_and(|own| own.field_type == FieldType::Text);
    if rules <= FEW_RULES && !columns.iter().any(is_text) {
        ROWS_FOR_FEW.saturating_mul(threads).min(most)
    } else {
        most
    }
}

/// A number as floating point; exact up to 2^53.
pub(super) fn float(number: u64) -> f64 {
    number.to_f64().unwrap_or_default()
}

fn finished(mut report: MatchReport, ids: Vec<String>, counts: Vec<u64>) -> MatchReport {
    report.matches = counts.iter().sum();
    report.counts = ids.into_iter().zip(counts).collect();
    report.memory_peak_bytes = memory_peak();
    report
}

/// The rules, ready to be asked.
///
/// # Errors
/// `rules_too_varied`.
pub(super) fn matcher_of<'a>(rules: impl IntoIterator<Item = &'a EntryRule>) -> Result<Matcher, Error> {
    let formulas: Vec<_> = rules.into_iter().map(EntryRule::formula).collect();
    Matcher::new(&formulas).map_err(|error| {
        let remedy = "Divide the rules among several runs, or give what they compute columns of its own.";
        Error::new(Kind::Refused, error.code(), error.to_string(), remedy)
    })
}

/// One thread's memory and what it found.
struct Worker {
    scratch: Scratch,
    found: Found,
    seconds: f64,
}

impl Worker {
    fn new(rules: usize, pairs: bool) -> Self {
        let found = Found { counts: vec![0; rules], pairs: pairs.then(|| Pairs::new(usize::MAX)) };
        Self { scratch: Scratch::default(), found, seconds: 0.0 }
    }
}

struct Found {
    counts: Vec<u64>,
    pairs: Option<Pairs>,
}

/// Pairs that are held before they are dropped.
const PAIRS_HELD: usize = 1 << 20;

impl Sink for Found {
    #[inline]
    fn matched(&mut self, rule: u32, entries: Matched<'_>) {
        let Ok(at) = usize::try_from(rule) else { return };
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(u64::from(entries.len()));
        }
        if let Some(pairs) = &mut self.pairs {
            pairs.matched(rule, entries);
            if pairs.len() >= PAIRS_HELD {
                std::hint::black_box(&mut *pairs).clear();
            }
        }
    }
}

/// A column as the matcher reads it.
pub(super) fn lane(values: &LaneValues) -> Lane<'_> {
    match values {
        LaneValues::Whole { values, scale } => Lane::Whole { values, scale: *scale },
        LaneValues::Float(values) => Lane::Float(values),
        LaneValues::Column(column) => Lane::Column(column),
    }
}

/// Gives each worker an equal share of the block.
fn match_block(matcher: &Matcher, block: &Block<'_>, workers: &mut [Worker]) {
    let shares = workers.len().max(1);
    std::thread::scope(|scope| {
        for (at, worker) in workers.iter_mut().enumerate() {
            let share = |at: usize| block.len().saturating_mul(at) / shares;
            let rows = share(at)..share(at.saturating_add(1));
            let work = move || {
                let begun = processor_seconds();
                matcher.run(block, rows, &mut worker.scratch, &mut worker.found);
                worker.seconds += processor_seconds() - begun;
            };
            if shares == 1 {
                work();
            } else {
                scope.spawn(work);
            }
        }
    });
}

/// What this thread has had of the processor.
fn processor_seconds() -> f64 {
    seconds_of(ClockId::ThreadCPUTime)
}

/// What this process has had of the processor.
pub(super) fn process_seconds() -> f64 {
    seconds_of(ClockId::ProcessCPUTime)
}

fn seconds_of(clock: ClockId) -> f64 {
    let spent = clock_gettime(clock);
    std::time::Duration::new(
        u64::try_from(spent.tv_sec).unwrap_or_default(),
        u32::try_from(spent.tv_nsec).unwrap_or_default(),
    )
    .as_secs_f64()
}

/// The most memory that this process had; Linux tells it.
pub(super) fn memory_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}
