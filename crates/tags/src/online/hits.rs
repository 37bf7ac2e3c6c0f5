//! What tags say of new entries.

use std::sync::Arc;

use rust_decimal::Decimal;
use spine::EntryTable;

use super::lasting::Raise;
use crate::set::TagSet;

/// A tag that an entry carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlineHit {
    /// Position in [`TagSet::definitions`].
    pub tag_index: usize,
    /// Where it comes from.
    pub raised_by: RaisedBy,
}

/// The entry that raised a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RaisedBy {
    /// The entry itself fulfils the condition.
    Itself,
    /// Another row of the same table: of the same declaration, or of the same enterprise or route in it.
    Row(usize),
    /// An earlier entry of the same enterprise or route.
    Earlier(Arc<Raise>),
}

/// The tags of a table of new entries, row by row.
#[derive(Debug, Clone)]
pub struct OnlineHits {
    pub(crate) set: Arc<TagSet>,
    /// What conditions read: fields and aggregates.
    pub(crate) whole: EntryTable,
    pub(crate) carried: Vec<Vec<OnlineHit>>,
    pub(crate) unknown: Vec<u64>,
}

impl OnlineHits {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.carried.len()
    }

    /// The tags that a row carries, in the order of their definitions; none beyond the last row.
    #[must_use]
    pub fn carried(&self, row: usize) -> &[OnlineHit] {
        self.carried.get(row).map_or(&[], Vec::as_slice)
    }

    /// How many tags cannot be told of a row because something is missing.
    #[must_use]
    pub fn unknown(&self, row: usize) -> u64 {
        self.unknown.get(row).copied().unwrap_or(0)
    }

    /// What made a tag true on a row: names and values of the fields and aggregates that its condition read, as it
    /// read them, in the order of the condition; an absent one has an empty value. They are those of the entry that
    /// raised the tag; if that one came earlier, its `declaration_id` and `date` come first. Empty if the row does not
    /// carry the tag.
    #[must_use]
    pub fn values(&self, row: usize, tag_index: usize) -> Vec<(String, String)> {
        match self.carried(row).iter().find(|hit| hit.tag_index == tag_index).map(|hit| &hit.raised_by) {
            None => Vec::new(),
            Some(RaisedBy::Itself) => read_values(&self.set, &self.whole, tag_index, row),
            Some(RaisedBy::Row(other)) => read_values(&self.set, &self.whole, tag_index, *other),
            Some(RaisedBy::Earlier(raise)) if raise.values.is_empty() => {
                vec![("date".to_owned(), raise.day.to_string())]
            }
            Some(RaisedBy::Earlier(raise)) => raise.values.clone(),
        }
    }

    /// All aggregates that tags read, by name, with their values for a row; absent where unknown.
    pub fn aggregates(&self, row: usize) -> impl Iterator<Item = (&str, Option<Decimal>)> {
        self.set.aggregates.iter().filter_map(move |own| {
            let values = self.whole.decimals(&own.name)?;
            Some((own.name.as_str(), values.get(row).copied().flatten()))
        })
    }
}

/// Names and values of what a tag's condition reads in a row.
pub(crate) fn read_values(
    set: &TagSet,
    whole: &EntryTable,
    tag_index: usize,
    row: usize,
) -> Vec<(String, String)> {
    let fields = set.compiled.get(tag_index).map_or(&[][..], |tag| tag.rule.fields());
    fields
        .iter()
        .map(|field| {
            let value = whole.value(row, field).map(|value| value.to_string());
            (field.clone(), value.unwrap_or_default())
        })
        .collect()
}
