//! Applying a set of tags to a table.
//!
//! Aggregates are computed in *waves*: tags that read the same aggregates stand together, each aggregate is computed
//! once, kept while a later tag needs it, and dropped then. So memory is bounded whatever the number of tags.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use roaring::RoaringBitmap;
use rules::Truths;
use rust_decimal::Decimal;
use spine::{Column, EntrySchema, EntryTable, FieldDefinition, Progress};
use thiserror::Error;

use crate::aggregate::{Aggregate, FieldPart};
use crate::judge::{Judge, Judged};
use crate::key::{self, KeyOrder};
use crate::lift;
use crate::set::TagSet;
use crate::window::{self, Condition, Inputs};

/// The listener asked to stop, or the table is no table for tags.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// [`Progress::cancelled`] was true.
    #[error("the evaluation of tags was cancelled; nothing was kept")]
    Cancelled,
    /// More rows than row numbers can count (4 billion), or than one call of the online evaluation takes
    /// ([`crate::online::NEW_ENTRIES_MAX`]).
    #[error("{0} entries are more than one evaluation takes; split the table")]
    TooManyRows(usize),
    /// The table lacks fields that the tags were compiled against.
    #[error(
        "the table has no field {0}, which tags read; it must be of the schema that the tags were compiled for"
    )]
    OtherSchema(String),
}

/// Which entries carry a tag.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagHit {
    /// Position in [`TagSet::definitions`].
    pub tag_index: usize,
    /// Rows that carry it.
    pub rows: RoaringBitmap,
    /// Rows that fulfil the condition themselves; the others carry it because of these.
    pub raised: RoaringBitmap,
    /// Number of rows for which it cannot be told because something is missing.
    pub unknown: u64,
}

/// All hits, one element a definition, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct TagHits {
    /// Hits.
    pub hits: Vec<TagHit>,
}

/// Aggregate columns kept at the same time: 14 columns of 20 bytes a row are 280 MB for a million rows.
const COLUMNS_MAX: usize = 14;

/// Position of an aggregate and its value for every row.
type Computed = (usize, Vec<Option<Decimal>>);

/// Tags evaluated together and the aggregates they need.
struct Wave {
    tags: Vec<usize>,
    /// To compute now.
    compute: Vec<usize>,
    /// To drop afterwards.
    drop: Vec<usize>,
}

impl TagSet {
    /// Evaluates all tags on all entries. The same table gives the same hits whatever the number of threads.
    ///
    /// Reports the stage `tags` in units of tags.
    pub fn apply(&self, table: &EntryTable, progress: &dyn Progress) -> Result<TagHits, ApplyError> {
        self.apply_some(table, &(0..self.definitions.len()).collect::<Vec<_>>(), progress)
    }

    /// Evaluates some tags, given by position; the answer has one element for each of them.
    pub fn apply_some(
        &self,
        table: &EntryTable,
        tags: &[usize],
        progress: &dyn Progress,
    ) -> Result<TagHits, ApplyError> {
        if u32::try_from(table.len()).is_err() {
            return Err(ApplyError::TooManyRows(table.len()));
        }
        let shared = Shared::new(table);
        let (mut schema, mut columns) = self.base_columns(table, tags)?;
        let base = columns.len();
        let mut live: Vec<usize> = Vec::new();
        let mut hits = BTreeMap::new();
        let (done, total) = (AtomicU64::new(0), u64::try_from(tags.len()).unwrap_or(u64::MAX));
        progress.report("tags", 0, total);
        for wave in self.waves(tags) {
            for (at, column) in self.compute(table, &shared, &wave.compute, progress)? {
                live.push(at);
                columns.push(Column::Decimal(column));
            }
            schema.truncate(base);
            schema.extend(live.iter().filter_map(|at| self.extended_field(*at)));
            let whole = self.table(&schema, columns)?;
            let (judge, alone) = Judge::of(self, &wave.tags);
            if let Some(mut judge) = judge {
                judge.plan_for(&whole);
                if progress.cancelled() {
                    return Err(ApplyError::Cancelled);
                }
                let own = item_hits(&judge, judge.ask_all(&whole));
                let more = u64::try_from(own.len()).unwrap_or(u64::MAX);
                progress.report("tags", done.fetch_add(more, Ordering::Relaxed).saturating_add(more), total);
                hits.extend(own.into_iter().map(|hit| (hit.tag_index, hit)));
            }
            let found: Result<Vec<TagHit>, ApplyError> = alone
                .par_iter()
                .map(|tag| {
                    if progress.cancelled() {
                        return Err(ApplyError::Cancelled);
                    }
                    let hit = self.evaluate(&whole, *tag, &shared);
                    progress.report("tags", done.fetch_add(1, Ordering::Relaxed).saturating_add(1), total);
                    Ok(hit)
                })
                .collect();
            hits.extend(found?.into_iter().map(|hit| (hit.tag_index, hit)));
            columns = whole.into_columns();
            for gone in wave.drop {
                if let Some(at) = live.iter().position(|own| *own == gone) {
                    live.remove(at);
                    columns.remove(base.saturating_add(at));
                }
            }
        }
        Ok(TagHits { hits: tags.iter().filter_map(|tag| hits.remove(tag)).collect() })
    }

    pub(crate) fn extended_field(&self, aggregate: usize) -> Option<FieldDefinition> {
        self.extended.fields.get(self.base.fields.len().saturating_add(aggregate)).cloned()
    }

    fn table(&self, fields: &[FieldDefinition], columns: Vec<Column>) -> Result<EntryTable, ApplyError> {
        let schema = Arc::new(EntrySchema {
            id: self.base.id.clone(),
            version: self.base.version,
            fields: fields.to_vec(),
        });
        EntryTable::from_columns(schema, columns).map_err(|error| ApplyError::OtherSchema(error.to_string()))
    }

    /// Copies of the columns that the conditions of these tags read: a table owns its columns.
    fn base_columns(
        &self,
        table: &EntryTable,
        tags: &[usize],
    ) -> Result<(Vec<FieldDefinition>, Vec<Column>), ApplyError> {
        let read: BTreeSet<&str> = tags
            .iter()
            .filter_map(|tag| self.compiled.get(*tag))
            .flat_map(|tag| tag.rule.fields().iter().map(String::as_str))
            .collect();
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for field in &self.base.fields {
            // The first field is kept even if nothing reads it: a table without columns would have no rows.
            if read.contains(field.name.as_str()) || fields.is_empty() {
                let column =
                    table.column(&field.name).ok_or_else(|| ApplyError::OtherSchema(field.name.clone()))?;
                fields.push(field.clone());
                columns.push(column.clone());
            }
        }
        Ok((fields, columns))
    }

    /// Plans the waves: always the tag next that needs the fewest aggregates not yet there.
    fn waves(&self, tags: &[usize]) -> Vec<Wave> {
        let needs = |tag: usize| self.compiled.get(tag).map_or(&[][..], |tag| tag.aggregates.as_slice());
        let mut left: Vec<usize> = tags.to_vec();
        let mut live: BTreeSet<usize> = BTreeSet::new();
        let mut waves = Vec::new();
        while !left.is_empty() {
            let mut wave = Wave { tags: Vec::new(), compute: Vec::new(), drop: Vec::new() };
            loop {
                let missing = |tag: &usize| needs(*tag).iter().filter(|at| !live.contains(at)).count();
                let Some(at) = (0..left.len()).min_by_key(|at| left.get(*at).map(missing)) else { break };
                let Some(tag) = left.get(at).copied() else { break };
                let new: Vec<usize> = needs(tag).iter().copied().filter(|at| !live.contains(at)).collect();
                // A wave takes at least one tag, however many aggregates it reads.
                if !wave.tags.is_empty() && live.len().saturating_add(new.len()) > COLUMNS_MAX {
                    break;
                }
                left.remove(at);
                wave.tags.push(tag);
                live.extend(&new);
                wave.compute.extend(new);
            }
            let later: BTreeSet<usize> = left.iter().flat_map(|tag| needs(*tag).iter().copied()).collect();
            wave.drop = live.difference(&later).copied().collect();
            live.retain(|at| later.contains(at));
            waves.push(wave);
        }
        waves
    }

    fn compute(
        &self,
        table: &EntryTable,
        shared: &Shared,
        wanted: &[usize],
        progress: &dyn Progress,
    ) -> Result<Vec<Computed>, ApplyError> {
        let keys: BTreeSet<&[FieldPart]> = wanted
            .iter()
            .filter_map(|at| self.aggregates.get(*at))
            .map(|own| own.aggregate.by.as_slice())
            .collect();
        let orders: BTreeMap<&[FieldPart], KeyOrder> = keys
            .into_par_iter()
            .map(|by| (by, KeyOrder::new(&key::key_codes(table, by), &shared.day_order)))
            .collect();
        wanted
            .par_iter()
            .filter_map(|at| {
                let own = self.aggregates.get(*at)?;
                let order = orders.get(own.aggregate.by.as_slice())?;
                Some((*at, own, order))
            })
            .map(|(at, own, order)| {
                if progress.cancelled() {
                    return Err(ApplyError::Cancelled);
                }
                let truths = own.condition.as_ref().map(|rule| rule.evaluate(table, 0..table.len()));
                Ok((at, shared.aggregate(table, &own.aggregate, truths.as_ref(), order)))
            })
            .collect()
    }

    fn evaluate(&self, table: &EntryTable, tag: usize, shared: &Shared) -> TagHit {
        let (Some(compiled), Some(definition)) = (self.compiled.get(tag), self.definitions.get(tag)) else {
            return TagHit { tag_index: tag, ..TagHit::default() };
        };
        let truths = compiled.rule.evaluate(table, 0..table.len());
        let lifted = lift::lift(definition, &truths, shared);
        TagHit { tag_index: tag, rows: lifted.marked, raised: lifted.raised, unknown: lifted.unknown }
    }
}

/// What a judge told of tags on items.
fn item_hits(judge: &Judge, judged: Judged) -> Vec<TagHit> {
    let told = judge.tags().iter().zip(judged.trues).zip(judged.unknown);
    told.filter_map(|((tag, mut rows), unknown)| {
        rows.sort_unstable();
        let rows: RoaringBitmap = rows.into_iter().collect();
        Some(TagHit { tag_index: (*tag)?, raised: rows.clone(), rows, unknown })
    })
    .collect()
}

/// What all tags share about a table.
pub(crate) struct Shared {
    pub(crate) days: Vec<i32>,
    pub(crate) day_order: Vec<u32>,
    /// Declaration of each row; rows without one are declarations of their own.
    pub(crate) declarations: Vec<u32>,
    /// Codes of the fields that may name an enterprise, and of the route, filled in on first use.
    pub(crate) subjects: lift::Subjects,
}

impl Shared {
    pub(crate) fn new(table: &EntryTable) -> Self {
        let days = key::days(table);
        let day_order = key::day_order(&days);
        let mut declarations =
            key::part_codes(table, &FieldPart { field: "declaration_id".to_owned(), prefix: None });
        let mut next = declarations
            .iter()
            .filter(|code| **code != key::ABSENT)
            .max()
            .map_or(0, |code| code.saturating_add(1));
        for code in &mut declarations {
            if *code == key::ABSENT {
                *code = next;
                next = next.saturating_add(1);
            }
        }
        Self { days, day_order, declarations, subjects: lift::Subjects::new(table) }
    }

    /// The aggregate's value for every row.
    pub(crate) fn aggregate(
        &self,
        table: &EntryTable,
        aggregate: &Aggregate,
        truths: Option<&Truths>,
        order: &KeyOrder,
    ) -> Vec<Option<Decimal>> {
        let is_true = |row: usize| truths.is_some_and(|truths| truths.is_true(row));
        let is_unknown = |row: usize| truths.is_some_and(|truths| truths.is_unknown(row));
        let condition = truths.map(|_| Condition { is_true: &is_true, is_unknown: &is_unknown });
        let inputs = Inputs { days: &self.days, declarations: &self.declarations, condition };
        window::compute(table, aggregate, order, &inputs)
    }
}
