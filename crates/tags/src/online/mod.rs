//! Tags as entries come: the same answers as [`TagSet::apply`] over everything known so far, at a cost that does not
//! grow with what is known.
//!
//! What windows need of past entries is held by *stream* (aggregates over the same key, number and condition) and key:
//! running totals by day for counts, sums and shares; values with the day on which they were there before, for
//! distinct ones; numbers by day, and in order of size where they are many, for medians and ranks. All of them answer
//! for any span of days, so an entry that comes late is told, and remembered, in its place. Conditions are evaluated
//! column by column over the new entries together. A test holds the whole against the batch evaluation.

mod adopt;
mod calendar;
mod distinct;
mod hits;
mod judges;
mod key;
mod kin;
mod lasting;
#[cfg(test)]
mod laws;
mod rank;
mod reading;
mod search;
mod sorted;
mod stream;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rules::Truths;
use rust_decimal::Decimal;
use spine::noun::SubjectKind;
use spine::{Column, EntrySchema, EntryTable, FieldDefinition};

use crate::apply::ApplyError;
use crate::lift::subject_parts;
use crate::matcher::Scratch;
use crate::set::TagSet;

use calendar::Calendar;
use judges::Judges;
use key::PARTS;
use kin::Kin;
use lasting::Lasting;
use reading::{Reading, Steps, Wanted, declarations};
use stream::{Answers, Stream, Tell, streams};

pub use hits::{OnlineHit, OnlineHits, RaisedBy};
pub use lasting::Raise;

/// Entries that one call of [`OnlineTags::apply`] takes at most.
pub const NEW_ENTRIES_MAX: usize = 65_536;

/// So many days an entry may come late: what windows need for an entry dated as long ago is still held. Today is the
/// latest day on or after which a thousand entries are dated; before there are as many, nothing is let go.
pub const LATE_DAYS_MAX: i32 = 31;

/// Entries by which conditions are planned.
const SAMPLE_ROWS: usize = 2_048;

/// One call looks through so many keys for what to let go, and so many for each of its entries: more than an entry
/// brings in all streams together.
const FORGET_KEYS_MIN: usize = 2_048;
const FORGET_KEYS_PER_ENTRY: usize = 256;

/// So many new entries are worth several threads.
const PARALLEL_ENTRIES_MIN: usize = 16;

/// Past entries taken in together.
const CHUNK_ROWS: usize = 4_096;

/// Tags a stream of entries.
///
/// For each declaration, in the order in which they come, its rows carry what [`TagSet::apply`] would say of them in a
/// table of everything taken in before and of the declaration itself. That holds under these conditions:
///
/// * All entries of a declaration come in one call; entries of the same number in a later call count as another
///   declaration's.
/// * An entry is dated no more than [`LATE_DAYS_MAX`] days before today. An older one is told from what is still held:
///   windows of a given length may lack their oldest days.
/// * A tag on an enterprise or a route counts as raised if it was so when the raising entry came. What comes later but
///   is dated earlier, or the same day where an aggregate reads the same day, does not revise it.
///
/// Memory is bounded by the entries within the longest window, and by the different keys of windows without a
/// beginning (one record a key).
#[derive(Debug)]
pub struct OnlineTags {
    set: Arc<TagSet>,
    wanted: Wanted,
    streams: Vec<Stream>,
    /// Of the tags that outlast their entry, by their position.
    lasting: BTreeMap<usize, Lasting>,
    judges: Judges,
    scratch: Scratch,
    /// So many entries were known when the judges last planned, and what it planned for.
    planned_at: u64,
    sample: Option<EntryTable>,
    /// The fields that anything reads, as they are taken from tables of past entries.
    needed: Arc<EntrySchema>,
    /// What conditions read: fields, and behind them aggregates.
    whole: Arc<EntrySchema>,
    /// Aggregates in the order of the columns of `whole`.
    columns: Vec<usize>,
    calendar: Calendar,
    kin: Kin,
    entries: u64,
    /// The stream that was last looked through for what to let go.
    swept: usize,
}

impl OnlineTags {
    /// Knows no entries yet.
    #[must_use]
    pub fn new(set: Arc<TagSet>) -> Self {
        let judges = Judges::of(&set);
        Self::with_judges(set, judges)
    }

    /// Knows no entries yet, and asks its tags so.
    fn with_judges(set: Arc<TagSet>, judges: Judges) -> Self {
        let mut wanted = Wanted::default();
        let mut lasting = BTreeMap::new();
        let (mut read, mut read_by_lasting) = (BTreeSet::new(), BTreeSet::new());
        let mut fields: BTreeSet<&str> = BTreeSet::new();
        for (tag, (definition, compiled)) in set.definitions.iter().zip(&set.compiled).enumerate() {
            read.extend(compiled.aggregates.iter().copied());
            fields.extend(compiled.rule.fields().iter().map(String::as_str));
            if matches!(definition.on, SubjectKind::Enterprise | SubjectKind::Route) {
                read_by_lasting.extend(compiled.aggregates.iter().copied());
                let subject = wanted.key(&subject_parts(definition));
                lasting.insert(tag, Lasting::new(subject, definition.valid_days));
            }
        }
        let aggregates = set.aggregates.iter().enumerate().filter(|(at, _)| read.contains(at));
        let streams = streams(aggregates, |at| read_by_lasting.contains(&at), &mut wanted);
        let base = |wanted: &dyn Fn(&str) -> bool| -> Vec<FieldDefinition> {
            set.base.fields.iter().filter(|field| wanted(&field.name)).cloned().collect()
        };
        let always = |name: &str| name == "date" || name == "declaration_id";
        let mut whole = base(&|name| always(name) || fields.contains(name));
        whole.extend(read.iter().filter_map(|at| set.extended_field(*at)));
        fields.extend(wanted.fields());
        let needed = base(&|name| always(name) || fields.contains(name));
        let schema =
            |fields| Arc::new(EntrySchema { id: set.base.id.clone(), version: set.base.version, fields });
        Self {
            needed: schema(needed),
            whole: schema(whole),
            columns: read.into_iter().collect(),
            wanted,
            streams,
            lasting,
            judges,
            scratch: Scratch::default(),
            planned_at: 0,
            sample: None,
            calendar: Calendar::default(),
            kin: Kin::default(),
            entries: 0,
            swept: 0,
            set,
        }
    }

    /// Entries taken in so far.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// From now on these and nobody else are one: in windows by an enterprise each counts what all of them declared,
    /// different enterprises count as one, and what was raised on one is carried by all. What was declared before counts
    /// as well. An id alone is by itself again, and finds what it had. Whoever leaves or changes a group is named in a
    /// call of its own.
    pub fn know_group(&mut self, members: &[String]) {
        self.kin.know(members);
    }

    /// Records held for windows and for tags that outlast their entry: a measure of memory, counted anew each time.
    #[must_use]
    pub fn held(&self) -> usize {
        let of_streams: usize = self.streams.iter().map(|stream| stream.held().1).sum();
        let of_lasting: usize = self.lasting.values().map(Lasting::held).sum();
        of_streams.saturating_add(of_lasting)
    }

    /// Takes in entries that are known already. Any number of them, in any order; it is quickest in order of days,
    /// within a table and from table to table. Runs on all threads.
    pub fn absorb(&mut self, table: &EntryTable) -> Result<(), ApplyError> {
        self.check(table)?;
        let days = crate::key::days(table);
        for day in days.iter().filter(|day| **day != crate::key::NO_DAY) {
            self.calendar.seen(*day);
        }
        // Tags raised so long ago are carried by no entry that is still to come.
        let longest = self.lasting.values().map(|own| own.valid_days).max().unwrap_or(0);
        let told_from = self.horizon().map_or(i32::MIN, |horizon| horizon.saturating_sub(longest));
        let mut order: Vec<usize> = (0..table.len()).collect();
        order.sort_by_key(|row| days.get(*row).copied());
        for rows in order.chunks(CHUNK_ROWS) {
            let chunk = rows_of(table, &self.needed, rows)?;
            let reading = self.wanted.read(&chunk, &self.kin);
            let steps = Steps::by_day(&declarations(&chunk), &reading);
            let (tell, kin) = (Tell::LastingFrom(told_from), &self.kin);
            let streams = self.streams.par_iter_mut();
            let answers: Vec<Vec<Answers>> =
                streams.map(|stream| stream.take_in(&reading, &steps, tell, kin)).collect();
            if steps.steps.last().is_some_and(|step| step.day >= told_from) {
                let whole = self.whole(&chunk, answers)?;
                self.remember(&whole, &reading, told_from);
            }
            if let Some(horizon) = self.horizon() {
                self.streams
                    .par_iter_mut()
                    .filter(|own| own.is_due(horizon, PARTS))
                    .for_each(|own| own.forget_all(horizon));
                self.lasting.values_mut().for_each(|own| own.forget(horizon));
            }
        }
        self.count(table);
        self.plan(table);
        Ok(())
    }

    /// Entries drift: what was rare may be frequent. Plans again whenever twice as many are known.
    fn plan(&mut self, table: &EntryTable) {
        if self.entries / 2 < self.planned_at || table.is_empty() {
            return;
        }
        let step = table.len().div_ceil(SAMPLE_ROWS).max(1);
        let rows: Vec<usize> = (0..table.len()).step_by(step).collect();
        let Ok(sample) = rows_of(table, table.schema(), &rows) else { return };
        self.judges.plan_for(&self.set, &sample);
        self.planned_at = self.entries;
        self.sample = Some(sample);
    }

    /// Tags new entries, one or more whole declarations in the order in which they came, and takes them in: each
    /// declaration sees everything taken in before it, and the declarations before it in this table. At most
    /// [`NEW_ENTRIES_MAX`]. Nothing is taken in where it is refused.
    pub fn apply(&mut self, table: &EntryTable) -> Result<OnlineHits, ApplyError> {
        if table.len() > NEW_ENTRIES_MAX {
            return Err(ApplyError::TooManyRows(table.len()));
        }
        self.check(table)?;
        let reading = self.wanted.read(table, &self.kin);
        let declarations = declarations(table);
        let steps = Steps::by_arrival(&declarations, &reading);
        for row in &steps.rows {
            reading.day(*row).into_iter().for_each(|day| self.calendar.seen(day));
        }
        let answers = self.take_in(&reading, &steps);
        let whole = self.whole(table, answers)?;
        let hits = self.tell(whole, &reading, &declarations);
        self.count(table);
        self.forget_some(table.len());
        Ok(hits)
    }

    /// Asks all streams, and gives them the new entries.
    fn take_in(&mut self, reading: &Reading, steps: &Steps) -> Vec<Vec<Answers>> {
        let kin = &self.kin;
        let ask = |stream: &mut Stream| stream.take_in(reading, steps, Tell::All, kin);
        if steps.rows.len() < PARALLEL_ENTRIES_MIN {
            self.streams.iter_mut().map(ask).collect()
        } else {
            self.streams.par_iter_mut().map(ask).collect()
        }
    }

    /// Does the table have all fields that conditions read?
    fn check(&self, table: &EntryTable) -> Result<(), ApplyError> {
        let of_base = self.whole.fields.iter().filter(|field| self.set.base.field(&field.name).is_some());
        for field in of_base {
            if table.column(&field.name).map(Column::field_type) != Some(field.field_type) {
                return Err(ApplyError::OtherSchema(field.name.clone()));
            }
        }
        Ok(())
    }

    fn count(&mut self, table: &EntryTable) {
        self.entries = self.entries.saturating_add(u64::try_from(table.len()).unwrap_or(u64::MAX));
    }

    /// No entry is dated before this day; none before there are entries enough to tell.
    fn horizon(&mut self) -> Option<i32> {
        self.calendar.today().map(|today| today.saturating_sub(LATE_DAYS_MAX))
    }

    /// Lets go of some of what is no longer asked for: a call shall not take long.
    fn forget_some(&mut self, entries: usize) {
        let Some(horizon) = self.horizon() else { return };
        self.lasting.values_mut().for_each(|own| own.forget(horizon));
        let mut left = FORGET_KEYS_MIN.saturating_add(entries.saturating_mul(FORGET_KEYS_PER_ENTRY));
        for _ in 0..self.streams.len() {
            self.swept = self.swept.saturating_add(1).checked_rem(self.streams.len()).unwrap_or(0);
            if let Some(due) = self.streams.get_mut(self.swept).filter(|stream| stream.is_due(horizon, 1)) {
                left = left.saturating_sub(due.forget(horizon));
                if left == 0 {
                    break;
                }
            }
        }
    }

    /// What conditions read: the table's fields and the aggregates; those without an answer are absent.
    fn whole(&self, table: &EntryTable, answers: Vec<Vec<Answers>>) -> Result<EntryTable, ApplyError> {
        let mut of_aggregate: Vec<Option<Vec<Option<Decimal>>>> = vec![None; self.set.aggregates.len()];
        for (at, values) in answers.into_iter().flatten() {
            if let Some(place) = of_aggregate.get_mut(at) {
                *place = Some(values);
            }
        }
        let fields = self.whole.fields.len().saturating_sub(self.columns.len());
        let mut columns = Vec::with_capacity(self.whole.fields.len());
        for field in self.whole.fields.iter().take(fields) {
            let column =
                table.column(&field.name).ok_or_else(|| ApplyError::OtherSchema(field.name.clone()))?;
            columns.push(column.clone());
        }
        for at in &self.columns {
            let values = of_aggregate.get_mut(*at).and_then(Option::take);
            columns.push(Column::Decimal(values.unwrap_or_else(|| vec![None; table.len()])));
        }
        EntryTable::from_columns(Arc::clone(&self.whole), columns)
            .map_err(|error| ApplyError::OtherSchema(error.to_string()))
    }

    /// Remembers which past entries raised the tags that outlast them.
    fn remember(&mut self, whole: &EntryTable, reading: &Reading, told_from: i32) {
        for (tag, lasting) in &mut self.lasting {
            let Some(compiled) = self.set.compiled.get(*tag) else { continue };
            let truths = compiled.rule.evaluate(whole, 0..whole.len());
            for row in (0..whole.len()).filter(|row| truths.is_true(*row)) {
                let key = reading.keys.get(lasting.key).and_then(|keys| keys.get(row).copied().flatten());
                if let (Some(key), Some(day)) = (key, reading.day(row).filter(|day| *day >= told_from)) {
                    lasting.remember(key, day, || raise(&self.set, whole, *tag, row));
                }
            }
        }
    }

    fn tell(&mut self, whole: EntryTable, reading: &Reading, declarations: &[Vec<usize>]) -> OnlineHits {
        let rows = whole.len();
        let mut hits = OnlineHits {
            set: Arc::clone(&self.set),
            carried: vec![Vec::new(); rows],
            unknown: vec![0; rows],
            whole,
        };
        for (tag_index, truths) in self.ask(&mut hits) {
            let on = self.set.definitions.get(tag_index).map(|definition| definition.on);
            let mut mark = |row: usize, raised_by: RaisedBy| {
                if let Some(carried) = hits.carried.get_mut(row) {
                    carried.push(OnlineHit { tag_index, raised_by });
                }
            };
            let mut unknown = |row: usize| {
                if let Some(unknown) = hits.unknown.get_mut(row) {
                    *unknown = unknown.saturating_add(1);
                }
            };
            match (self.lasting.get_mut(&tag_index), on) {
                (Some(lasting), _) => {
                    let raise = |row| raise(&self.set, &hits.whole, tag_index, row);
                    for rows in declarations {
                        tell_lasting(lasting, rows, reading, &truths, &raise, &mut mark, &mut unknown);
                    }
                }
                (None, Some(SubjectKind::Declaration)) => {
                    for rows in declarations {
                        tell_declaration(rows, &truths, &mut mark, &mut unknown);
                    }
                }
                (None, _) => {
                    for row in 0..rows {
                        if truths.is_true(row) {
                            mark(row, RaisedBy::Itself);
                        } else if truths.is_unknown(row) {
                            unknown(row);
                        }
                    }
                }
            }
        }
        for carried in &mut hits.carried {
            carried.sort_unstable_by_key(|hit| hit.tag_index);
        }
        hits
    }

    /// What the judges say of the rows: of most tags, which end with their entry, it is told, of the others answered.
    fn ask(&mut self, hits: &mut OnlineHits) -> Vec<(usize, Truths)> {
        let Self { judges, scratch, set, .. } = self;
        let whole = &hits.whole;
        let truths = |tag: &usize| Some((*tag, set.compiled.get(*tag)?.rule.evaluate(whole, 0..whole.len())));
        let (judged, alone): (_, Vec<_>) = if whole.len() < PARALLEL_ENTRIES_MIN {
            (judges.ask_few(whole, scratch), judges.alone().iter().filter_map(truths).collect())
        } else {
            rayon::join(
                || judges.ask_few(whole, scratch),
                || judges.alone().par_iter().filter_map(truths).collect(),
            )
        };
        for (tag_index, row) in judged.trues {
            if let Some(carried) = hits.carried.get_mut(row) {
                carried.push(OnlineHit { tag_index, raised_by: RaisedBy::Itself });
            }
        }
        hits.unknown = judged.unknown;
        alone
    }
}

/// Some rows of a table, with the fields of a schema that has no others.
fn rows_of(table: &EntryTable, schema: &Arc<EntrySchema>, rows: &[usize]) -> Result<EntryTable, ApplyError> {
    let mut columns = Vec::new();
    for field in &schema.fields {
        let column = table.column(&field.name).ok_or_else(|| ApplyError::OtherSchema(field.name.clone()))?;
        let mut picked = Column::empty(field.field_type);
        for row in rows {
            let refused = |_| ApplyError::OtherSchema(field.name.clone());
            match (&mut picked, column) {
                (Column::Text(own), Column::Text(texts)) => {
                    own.push(texts.get(*row));
                }
                (own, column) => own.push(column.value(*row)).map_err(refused)?,
            }
        }
        columns.push(picked);
    }
    EntryTable::from_columns(Arc::clone(schema), columns)
        .map_err(|error| ApplyError::OtherSchema(error.to_string()))
}

/// What is remembered of an entry that raised a tag.
fn raise(set: &TagSet, whole: &EntryTable, tag_index: usize, row: usize) -> Option<Raise> {
    let day = whole.dates("date")?.get(row).copied().flatten()?;
    let declaration = whole.texts("declaration_id").and_then(|texts| texts.get(row)).unwrap_or_default();
    let mut values =
        vec![("declaration_id".to_owned(), declaration.to_owned()), ("date".to_owned(), day.to_string())];
    let read = hits::read_values(set, whole, tag_index, row);
    values.extend(read.into_iter().filter(|(name, _)| name != "declaration_id" && name != "date"));
    Some(Raise { day, values })
}

/// A declaration carries the tag if one of its rows fulfils the condition.
fn tell_declaration(
    rows: &[usize],
    truths: &Truths,
    mark: &mut dyn FnMut(usize, RaisedBy),
    unknown: &mut dyn FnMut(usize),
) {
    let raiser = rows.iter().copied().find(|row| truths.is_true(*row));
    let open = raiser.is_none() && rows.iter().any(|row| truths.is_unknown(*row));
    for row in rows.iter().copied() {
        match raiser {
            Some(_) if truths.is_true(row) => mark(row, RaisedBy::Itself),
            Some(raiser) => mark(row, RaisedBy::Row(raiser)),
            None if open => unknown(row),
            None => {}
        }
    }
}

/// The rows of one declaration carry what they raise, and what was raised before on their enterprise or route.
fn tell_lasting(
    lasting: &mut Lasting,
    rows: &[usize],
    reading: &Reading,
    truths: &Truths,
    raise: &dyn Fn(usize) -> Option<Raise>,
    mark: &mut dyn FnMut(usize, RaisedBy),
    unknown: &mut dyn FnMut(usize),
) {
    let subjects = lasting.key;
    let keys = reading.keys.get(subjects).map_or(&[][..], Vec::as_slice);
    let subject = |row: usize| Some((keys.get(row).copied().flatten()?, reading.day(row)?));
    let counted = |row: usize| reading.counted(subjects, row);
    for row in rows.iter().copied().filter(|row| truths.is_true(*row)) {
        if let Some((key, day)) = subject(row) {
            lasting.remember(key, day, || raise(row));
        }
    }
    for row in rows.iter().copied() {
        if truths.is_true(row) {
            mark(row, RaisedBy::Itself);
            continue;
        }
        let earlier = reading.day(row).and_then(|day| {
            counted(row).filter_map(|key| lasting.still_valid(key, day)).max_by_key(|own| own.day)
        });
        match earlier {
            Some(raise) => {
                let raised_it = |other: &usize| {
                    truths.is_true(*other)
                        && subject(*other).is_some_and(|(key, day)| {
                            subject(row).is_some_and(|(_, today)| {
                                counted(row).any(|own| own == key)
                                    && day <= today
                                    && day >= today.saturating_sub(lasting.valid_days)
                            })
                        })
                };
                let within = rows.iter().copied().filter(raised_it).max_by_key(|row| reading.day(*row));
                mark(row, within.map_or(RaisedBy::Earlier(raise), RaisedBy::Row));
            }
            None if truths.is_unknown(row) => unknown(row),
            None => {}
        }
    }
}
