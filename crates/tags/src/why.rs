//! Why an entry carries a tag: the condition's parts with their values, and for each aggregate the entries it came
//! from.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use roaring::RoaringBitmap;
use rules::{Explanation, Truth};
use rust_decimal::Decimal;
use serde::Serialize;
use spine::noun::SubjectKind;
use spine::{EntryTable, Value};

use crate::aggregate::Aggregate;
use crate::apply::TagHit;
use crate::definition::TagDefinition;
use crate::lift::subject_parts;
use crate::plain;
use crate::set::{NamedAggregate, TagSet};

/// Rows shown for an aggregate at most: the latest ones.
const SAMPLE_MAX: usize = 10;

/// Entries of a declaration, enterprise or route looked at to find the one that raised the tag: the latest ones.
const RAISERS_LOOKED_AT_MAX: usize = 2_000;

/// The reason for a tag on an entry, or for its absence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The tag, with its version and the hash of its pack.
    pub tag: TagDefinition,
    /// The entry asked about.
    pub row: usize,
    /// Does it carry the tag?
    pub carried: bool,
    /// Can it not be told?
    pub unknown: bool,
    /// The entry whose values are explained: the row itself, or the one of the same declaration, enterprise or route
    /// that raised the tag.
    pub explained_row: usize,
    /// Which parts of the condition were true, false or unknown, with which values.
    pub explanation: Explanation,
    /// The aggregates behind it.
    pub aggregates: Vec<AggregateReason>,
}

/// One aggregate's value and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AggregateReason {
    /// The name in the condition.
    pub name: String,
    /// What it means.
    pub aggregate: Aggregate,
    /// All fields of the record that the value rests on.
    pub reads: Vec<String>,
    /// Its value; absent where it is unknown.
    pub value: Option<Decimal>,
    /// The entries of the window agree with the explained one in these.
    pub key: Vec<(String, Option<Value>)>,
    /// First day of the window; absent where it reaches back to the beginning.
    pub first_day: Option<Date>,
    /// Last day of the window: the day before the entry's own, or its own.
    pub last_day: Option<Date>,
    /// Number of entries counted.
    pub entries: usize,
    /// Rows of the latest of them.
    pub sample: Vec<usize>,
}

impl TagSet {
    /// Explains a tag on an entry; `None` where there is no such tag or row, or the table is of another schema.
    #[must_use]
    pub fn why(&self, table: &EntryTable, tag_id: &str, row: usize) -> Option<Why> {
        let at = self.position(tag_id)?;
        let (definition, compiled) = (self.definitions.get(at)?, self.compiled.get(at)?);
        if row >= table.len() {
            return None;
        }
        let truth_at = |row: usize| {
            let (one, _) = self.one_row(table, &compiled.aggregates, row)?;
            Some(plain::truth_of(&compiled.rule, &one, 0))
        };
        let own = truth_at(row)?;
        let related = if own == Truth::True { Vec::new() } else { related(table, definition, row) };
        let mut raiser = (own == Truth::True).then_some(row);
        let mut unknown = own == Truth::Unknown;
        for other in related.into_iter().rev().take(RAISERS_LOOKED_AT_MAX) {
            match truth_at(other)? {
                Truth::True => {
                    raiser = Some(other);
                    break;
                }
                Truth::Unknown => unknown |= definition.on == SubjectKind::Declaration,
                Truth::False => {}
            }
        }
        self.reason(table, at, row, raiser, unknown)
    }

    /// The same for a row that carries the tag, with the answer of [`TagSet::apply`] on this table at hand: the entry
    /// that raised the tag is looked up instead of searched. `None` also where the row does not carry it.
    #[must_use]
    pub fn why_marked(&self, table: &EntryTable, hit: &TagHit, row: usize) -> Option<Why> {
        let definition = self.definitions.get(hit.tag_index)?;
        let is_in = |rows: &RoaringBitmap, row: usize| u32::try_from(row).is_ok_and(|row| rows.contains(row));
        if !is_in(&hit.rows, row) {
            return None;
        }
        let raiser = if is_in(&hit.raised, row) {
            row
        } else {
            related(table, definition, row).into_iter().rev().find(|other| is_in(&hit.raised, *other))?
        };
        self.reason(table, hit.tag_index, row, Some(raiser), false)
    }

    fn reason(
        &self,
        table: &EntryTable,
        at: usize,
        row: usize,
        raiser: Option<usize>,
        unknown: bool,
    ) -> Option<Why> {
        let (definition, compiled) = (self.definitions.get(at)?, self.compiled.get(at)?);
        let explained_row = raiser.unwrap_or(row);
        let (one, aggregates) = self.one_row(table, &compiled.aggregates, explained_row)?;
        Some(Why {
            tag: definition.clone(),
            row,
            carried: raiser.is_some(),
            unknown: raiser.is_none() && unknown,
            explained_row,
            explanation: compiled.rule.explain(&one, 0),
            aggregates,
        })
    }

    /// A table of one entry with these aggregates, and where they come from.
    fn one_row(
        &self,
        table: &EntryTable,
        aggregates: &[usize],
        row: usize,
    ) -> Option<(EntryTable, Vec<AggregateReason>)> {
        let mut reasons = Vec::new();
        let mut values: Vec<Option<Value>> =
            self.base.fields.iter().map(|field| table.value(row, &field.name)).collect();
        for (at, own) in self.aggregates.iter().enumerate() {
            if !aggregates.contains(&at) {
                values.push(None);
                continue;
            }
            let found = plain::value(table, &own.aggregate, own.condition.as_ref(), row);
            values.push(found.value.map(Value::Decimal));
            reasons.push(reason(table, own, found, row));
        }
        let mut one = EntryTable::empty(Arc::clone(&self.extended));
        one.push(values).ok()?;
        Some((one, reasons))
    }
}

fn reason(table: &EntryTable, own: &NamedAggregate, found: plain::Plain, row: usize) -> AggregateReason {
    let aggregate = &own.aggregate;
    let today = table.dates("date").and_then(|dates| dates.get(row).copied().flatten());
    let days_before = |days: u16| today?.checked_sub(jiff::Span::new().try_days(i64::from(days)).ok()?).ok();
    let mut sample = found.rows.clone();
    // The latest entries say most; rows are in the table's order, so days decide first.
    sample
        .sort_by_key(|row| (table.dates("date").and_then(|dates| dates.get(*row).copied().flatten()), *row));
    sample.reverse();
    sample.truncate(SAMPLE_MAX);
    let condition = own.condition.iter().flat_map(|rule| rule.fields());
    let mut reads: BTreeSet<&str> = aggregate.fields().map(|part| part.field.as_str()).collect();
    // Every window is cut by day.
    reads.insert("date");
    reads.extend(condition.map(String::as_str));
    AggregateReason {
        name: own.name.clone(),
        aggregate: aggregate.clone(),
        reads: reads.into_iter().map(str::to_owned).collect(),
        value: found.value.map(|value| value.normalize()),
        key: aggregate
            .by
            .iter()
            .map(|part| (part.to_string(), plain::part_value(table, part, row)))
            .collect(),
        first_day: aggregate.days.and_then(days_before),
        last_day: if aggregate.same_day { today } else { days_before(1) },
        entries: found.rows.len(),
        sample,
    }
}

/// Other rows from which the tag may come, by day.
fn related(table: &EntryTable, definition: &TagDefinition, row: usize) -> Vec<usize> {
    let Some(dates) = table.dates("date") else { return Vec::new() };
    let day_at = |row: usize| dates.get(row).copied().flatten().map(crate::key::day_number);
    let mut rows: Vec<usize> = match definition.on {
        SubjectKind::Item => Vec::new(),
        SubjectKind::Declaration => match table.value(row, "declaration_id") {
            None => Vec::new(),
            own => (0..table.len())
                .filter(|other| *other != row && table.value(*other, "declaration_id") == own)
                .collect(),
        },
        SubjectKind::Enterprise | SubjectKind::Route => {
            let parts = subject_parts(definition);
            let Some(today) = day_at(row) else { return Vec::new() };
            let first = today.saturating_sub(i32::from(definition.valid_days));
            (0..table.len())
                .filter(|other| {
                    *other != row
                        && day_at(*other).is_some_and(|day| (first..=today).contains(&day))
                        && parts.iter().all(|part| plain::same(table, part, row, *other))
                })
                .collect()
        }
    };
    rows.sort_by_key(|row| day_at(*row));
    rows
}
