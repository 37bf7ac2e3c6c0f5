//! The reason for a tag, with everything withheld that its reader may not see.

use ::rules::Explanation;
use ::tags::{Aggregate, AggregateReason, FieldPart, Why};
use jiff::civil::Date;
use serde::Serialize;
use spine::{EntryTable, LocalizedText, Pointer, Value};

use super::model::TagSummary;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceOfRow {
    /// Its batch in the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// Row of the batch, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Line of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// One field of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldOfRow {
    /// Field.
    pub name: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Its value.
    pub value: String,
}

/// One aggregate behind a tag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReasonOfAggregate {
    /// Its name in the condition.
    pub name: String,
    /// What it means.
    pub aggregate: Aggregate,
    /// True if it rests on fields above the reader's clearance; then value, key and rows are left out.
    pub withheld: bool,
    /// Its value; absent where it is unknown.
    pub value: Option<String>,
    /// The entries of the window agree with the explained one in these.
    pub key: Vec<(String, Option<String>)>,
    /// First day of the window; absent where it reaches back to the beginning.
    pub first_day: Option<Date>,
    /// Last day of the window.
    pub last_day: Option<Date>,
    /// Number of entries counted.
    pub entries: Option<u64>,
    /// The latest of them.
    pub sample: Vec<PlaceOfRow>,
}

/// Why a row carries a tag, or why it does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagReason {
    /// The tag.
    pub tag: TagSummary,
    /// Version of its pack.
    pub pack_version: String,
    /// Content hash of its pack.
    pub pack_hash: String,
    /// The row asked about.
    pub place: PlaceOfRow,
    /// Its fields, as far as they are known and may be seen.
    pub fields: Vec<FieldOfRow>,
    /// Does it carry the tag?
    pub carried: bool,
    /// Can it not be told, because something is missing?
    pub unknown: bool,
    /// The row that is explained: the same, or the one of its declaration, enterprise or route that raised the tag.
    pub explained: PlaceOfRow,
    /// Which parts of the condition were true, with which values. Parts that rest on withheld fields have neither.
    pub explanation: Explanation,
    /// The aggregates behind it.
    pub aggregates: Vec<ReasonOfAggregate>,
    /// Fields above the reader's clearance on which the condition rests.
    pub withheld: Vec<String>,
}

/// Turns an engine's reason into what a reader may see: `hidden` says which fields are above their clearance, `place`
/// where a row of the table stands.
pub(super) fn reason(
    why: Why,
    table: &EntryTable,
    hidden: &dyn Fn(&str) -> bool,
    place: &dyn Fn(usize) -> PlaceOfRow,
) -> TagReason {
    let mut withheld: Vec<String> = Vec::new();
    let mut note = |field: &str| {
        if hidden(field) && !withheld.iter().any(|known| known == field) {
            withheld.push(field.to_owned());
        }
    };
    for pointer in why.explanation.read() {
        match why.aggregates.iter().find(|own| own.name == pointer.0) {
            Some(own) => own.reads.iter().for_each(|field| note(field)),
            None => note(&pointer.0),
        }
    }
    let secret = |pointer: &Pointer| match why.aggregates.iter().find(|own| own.name == pointer.0) {
        Some(own) => own.reads.iter().any(|field| hidden(field)),
        None => hidden(&pointer.0),
    };
    let mut explanation = redact(why.explanation.clone(), &secret);
    // That the tag is there, or not, is what the reader has asked for and may know.
    explanation.truth = why.explanation.truth;
    TagReason {
        tag: TagSummary::from(&why.tag),
        pack_version: why.tag.source.pack_version.clone(),
        pack_hash: why.tag.source.pack_hash.clone(),
        place: place(why.row),
        fields: fields(table, why.row, hidden),
        carried: why.carried,
        unknown: why.unknown,
        explained: place(why.explained_row),
        explanation,
        aggregates: why.aggregates.into_iter().map(|own| aggregate(own, hidden, place)).collect(),
        withheld,
    }
}

fn redact(mut part: Explanation, secret: &dyn Fn(&Pointer) -> bool) -> Explanation {
    if part.read().into_iter().any(secret) {
        part.value = None;
        part.truth = None;
    }
    part.parts = part.parts.into_iter().map(|inner| redact(inner, secret)).collect();
    part
}

fn fields(table: &EntryTable, row: usize, hidden: &dyn Fn(&str) -> bool) -> Vec<FieldOfRow> {
    let schema = table.schema();
    let seen = schema.fields.iter().filter(|field| !hidden(&field.name));
    seen.filter_map(|field| {
        let value = table.value(row, &field.name)?.to_string();
        Some(FieldOfRow { name: field.name.clone(), title: field.title.clone(), value })
    })
    .collect()
}

fn aggregate(
    own: AggregateReason,
    hidden: &dyn Fn(&str) -> bool,
    place: &dyn Fn(usize) -> PlaceOfRow,
) -> ReasonOfAggregate {
    let withheld = own.reads.iter().any(|field| hidden(field));
    let shown = |(part, (name, value)): (&FieldPart, (String, Option<Value>))| {
        let value = value.filter(|_| !hidden(&part.field)).map(|value| value.to_string());
        (name, value)
    };
    ReasonOfAggregate {
        name: own.name,
        withheld,
        value: own.value.filter(|_| !withheld).map(|value| value.to_string()),
        key: own.aggregate.by.iter().zip(own.key).map(shown).collect(),
        first_day: own.first_day,
        last_day: own.last_day,
        entries: u64::try_from(own.entries).ok().filter(|_| !withheld),
        sample: if withheld { Vec::new() } else { own.sample.into_iter().map(place).collect() },
        aggregate: own.aggregate,
    }
}
