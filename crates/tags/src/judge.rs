//! The conditions of very many tags, asked of entries all at once.
//!
//! An office that tells its commodities, origins and routes apart writes thousands of tags that look at the same few
//! values. Those go to the [`Matcher`], each twice: where it is true, and where it is not false, for what is neither is
//! unknown. A condition that computes a value nobody else asks for is cheaper alone, column by column, and so are few
//! conditions; tags that outlast their entry, or are carried by a whole declaration, want to know row by row what is
//! unknown and are left alone too.

use std::collections::HashMap;

use rayon::prelude::*;
use rules::{Formula, Source};
use spine::EntryTable;
use spine::noun::SubjectKind;

use crate::matcher::{Block, Matched, Matcher, Scratch, Sink};
use crate::set::TagSet;

/// So many conditions are worth a matcher.
const TAGS_MIN: usize = 32;
/// A value computed of several fields is worth an axis where so many conditions ask for it.
const SHARED_MIN: u32 = 16;
/// Entries that one thread is given at a time.
const ROWS_AT_ONCE: usize = 65_536;

/// Tags that are asked together.
#[derive(Debug)]
pub(crate) struct Judge {
    /// Positions of the tags; none of those that are asked for no more.
    tags: Vec<Option<usize>>,
    /// Twice as many formulas: where a tag is true, and where it is not false.
    matcher: Matcher,
}

/// What came out of many entries.
#[derive(Debug)]
pub(crate) struct Judged {
    /// For each tag of the judge the rows for which it is true, in no particular order.
    pub(crate) trues: Vec<Vec<u32>>,
    /// For each tag of the judge how many rows are unknown.
    pub(crate) unknown: Vec<u64>,
}

/// What came out of a few entries.
#[derive(Debug)]
pub(crate) struct JudgedRows {
    /// Position of a tag and row for which it is true, in no particular order.
    pub(crate) trues: Vec<(usize, usize)>,
    /// For each row how many of the judge's tags are unknown.
    pub(crate) unknown: Vec<u64>,
}

impl Judge {
    /// Takes those of some tags that are better asked together; the others are the second part, in their order. None
    /// is taken if they are too few.
    pub(crate) fn of(set: &TagSet, tags: &[usize]) -> (Option<Self>, Vec<usize>) {
        let formulas: Vec<(usize, Formula)> = tags
            .iter()
            .filter(|tag| set.definitions.get(**tag).is_some_and(|own| own.on == SubjectKind::Item))
            .filter_map(|tag| Some((*tag, set.compiled.get(*tag)?.rule.formula())))
            .collect();
        let mut asked: HashMap<&str, u32> = HashMap::new();
        for (_, formula) in &formulas {
            visit(formula, &mut |source| {
                let times = asked.entry(source.key()).or_default();
                *times = times.saturating_add(1);
            });
        }
        let shared = |source: &Source| {
            source.fields().len() <= 1 || asked.get(source.key().as_ref()).is_some_and(|n| *n >= SHARED_MIN)
        };
        let mut together: Vec<usize> = Vec::new();
        for (tag, formula) in &formulas {
            let mut fit = true;
            visit(formula, &mut |source| fit &= shared(source));
            if fit {
                together.push(*tag);
            }
        }
        together.sort_unstable();
        together.dedup();
        let judge = (together.len() >= TAGS_MIN).then(|| Self::new(set, together)).flatten();
        let taken = judge.as_ref().map_or(&[][..], |judge| judge.tags.as_slice());
        let left = tags.iter().copied().filter(|tag| taken.binary_search(&Some(*tag)).is_err()).collect();
        (judge, left)
    }

    /// None if the tags look at more different values than a matcher holds.
    fn new(set: &TagSet, tags: Vec<usize>) -> Option<Self> {
        let rules = tags.iter().filter_map(|tag| Some(&set.compiled.get(*tag)?.rule));
        let formulas: Vec<Formula> = rules.flat_map(|rule| [rule.formula(), rule.not_false()]).collect();
        let matcher = Matcher::new(&formulas).ok()?;
        Some(Self { tags: tags.into_iter().map(Some).collect(), matcher })
    }

    /// Positions of its tags, those of a set in its order; none of those that are asked for no more.
    pub(crate) fn tags(&self) -> &[Option<usize>] {
        &self.tags
    }

    /// Goes on under other positions: `place` tells that of each tag, none if it is asked for no more.
    pub(crate) fn renumber(&mut self, place: impl Fn(usize) -> Option<usize>) {
        for tag in &mut self.tags {
            *tag = tag.and_then(&place);
        }
    }

    /// Files conditions under what is rarest among these entries.
    pub(crate) fn plan_for(&mut self, sample: &EntryTable) {
        self.matcher.plan_for(&Block::of_table(sample));
    }

    /// Asks a table of few rows, and adds what it tells to what others told of them.
    pub(crate) fn ask_few(&self, table: &EntryTable, scratch: &mut Scratch, judged: &mut JudgedRows) {
        let mut few = Few { tags: &self.tags, judged };
        self.matcher.run(&Block::of_table(table), 0..table.len(), scratch, &mut few);
    }

    /// Asks a table of many rows, on all threads.
    pub(crate) fn ask_all(&self, table: &EntryTable) -> Judged {
        let starts: Vec<usize> = (0..table.len()).step_by(ROWS_AT_ONCE).collect();
        let parts: Vec<Judged> = starts
            .into_par_iter()
            .map_init(Scratch::default, |scratch, first| {
                let rows = first..table.len().min(first.saturating_add(ROWS_AT_ONCE));
                let mut many = Many(Judged::empty(self.tags.len()));
                self.matcher.run(&Block::of_table(table), rows, scratch, &mut many);
                many.0
            })
            .collect();
        let mut whole = Judged::empty(self.tags.len());
        for part in parts {
            whole.append(part);
        }
        whole
    }
}

impl JudgedRows {
    /// Nothing is told yet of so many rows.
    pub(crate) fn empty(rows: usize) -> Self {
        Self { trues: Vec::new(), unknown: vec![0; rows] }
    }
}

impl Judged {
    fn empty(tags: usize) -> Self {
        Self { trues: vec![Vec::new(); tags], unknown: vec![0; tags] }
    }

    fn append(&mut self, later: Self) {
        for (own, rows) in self.trues.iter_mut().zip(later.trues) {
            own.extend(rows);
        }
        for (own, unknown) in self.unknown.iter_mut().zip(later.unknown) {
            *own = own.saturating_add(unknown);
        }
    }
}

/// Which tag a formula belongs to, and whether it is the one that tells where it is true.
fn formula_of(rule: u32) -> (usize, bool) {
    let rule = usize::try_from(rule).unwrap_or(usize::MAX);
    (rule / 2, rule.is_multiple_of(2))
}

/// An entry for which a tag is true is told twice, of both formulas, in any order. Unknown are those told of the second
/// alone; counts wrap in between.
fn unknown_by(is_true: bool) -> u64 {
    if is_true { u64::MAX } else { 1 }
}

struct Many(Judged);

impl Sink for Many {
    fn matched(&mut self, rule: u32, entries: Matched<'_>) {
        let (tag, is_true) = formula_of(rule);
        if let Some(unknown) = self.0.unknown.get_mut(tag) {
            *unknown = unknown.wrapping_add(unknown_by(is_true).wrapping_mul(u64::from(entries.len())));
        }
        if let Some(trues) = self.0.trues.get_mut(tag).filter(|_| is_true) {
            entries.rows(|row| trues.extend(u32::try_from(row)));
        }
    }
}

struct Few<'a> {
    tags: &'a [Option<usize>],
    judged: &'a mut JudgedRows,
}

impl Sink for Few<'_> {
    fn matched(&mut self, rule: u32, entries: Matched<'_>) {
        let (tag, is_true) = formula_of(rule);
        let JudgedRows { trues, unknown } = &mut *self.judged;
        let Some(Some(tag)) = self.tags.get(tag) else { return };
        entries.rows(|row| {
            if let Some(unknown) = unknown.get_mut(row) {
                *unknown = unknown.wrapping_add(unknown_by(is_true));
            }
            if is_true {
                trues.push((*tag, row));
            }
        });
    }
}

fn visit<'a>(formula: &'a Formula, with: &mut impl FnMut(&'a Source)) {
    match formula {
        Formula::Constant(_) => {}
        Formula::Condition(condition) => with(&condition.source),
        Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| visit(part, with)),
    }
}
