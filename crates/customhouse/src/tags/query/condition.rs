//! Conditions on tags as a reader may write them: a tag above their clearance does not exist.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::tags::TagDefinition;
use ::tags::matrix::{Matrix, Selection};
use roaring::RoaringBitmap;
use spine::Sensitivity;

use super::super::live::Epoch;
use super::super::model::Compiled;
use crate::error::{Error, Kind};

/// Longest condition that is read, in bytes.
const CONDITION_BYTES_MAX: usize = 4_000;

/// The tags in use, as one reader sees them.
pub(crate) struct Seen {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) clearance: Sensitivity,
}

impl Seen {
    pub(crate) fn tag(&self, id: &str) -> Option<&TagDefinition> {
        self.compiled.visible(self.clearance, id)
    }

    /// Those that anything carries and the reader may see, by number.
    pub(super) fn in_epoch<'a>(&'a self, epoch: &Epoch) -> Vec<Option<&'a TagDefinition>> {
        epoch.tags().map(|id| self.tag(id)).collect()
    }
}

/// A condition with the tags that it names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(super) ids: Vec<String>,
    /// Over places in `ids`.
    selection: Selection,
}

impl Condition {
    /// Reads one. Nothing written selects everybody.
    ///
    /// # Errors
    /// `selection_refused`, with a mark under the place.
    pub(crate) fn read(source: &str, seen: &Seen) -> Result<Self, Error> {
        let source = source.trim();
        if source.is_empty() {
            return Ok(Self { ids: Vec::new(), selection: Selection::Constant(true) });
        }
        if source.len() > CONDITION_BYTES_MAX {
            let detail =
                format!("the condition has {} bytes; at most {CONDITION_BYTES_MAX} are read", source.len());
            return Err(refused("selection_refused", detail));
        }
        // Of tens of thousands of tags only those that are named need to be known.
        let ids: Vec<String> = words(source).into_iter().filter(|id| seen.tag(id).is_some()).collect();
        if let Ok(condition) = Self::of(source, &ids) {
            return Ok(condition);
        }
        // To guess at what was meant, all of them.
        let all = seen.compiled.set.definitions().iter();
        let ids: Vec<String> =
            all.filter(|own| own.sensitivity <= seen.clearance).map(|own| own.id.clone()).collect();
        Self::of(source, &ids)
    }

    /// Reads one that names no other tags than these.
    ///
    /// # Errors
    /// `selection_refused`, with a mark under the place.
    pub(crate) fn of(source: &str, ids: &[String]) -> Result<Self, Error> {
        let selection =
            Selection::parse(source, ids).map_err(|error| refused(error.code(), error.to_string()))?;
        Ok(Self { ids: ids.to_vec(), selection })
    }

    /// Ids of the tags on which it depends.
    pub(crate) fn named(&self) -> Vec<String> {
        let mut numbers = BTreeSet::new();
        note_tags(&self.selection, &mut numbers);
        numbers.into_iter().filter_map(|number| self.ids.get(usize::from(number)).cloned()).collect()
    }

    /// Does it hold of what carries these tags and no others?
    pub(crate) fn holds(&self, carries: impl Fn(&str) -> bool) -> bool {
        let carried: Vec<bool> = self.ids.iter().map(|id| carries(id)).collect();
        holds(&self.selection, &carried)
    }

    /// Over the tags of an epoch; one that nobody carries yet selects nobody.
    pub(crate) fn over(&self, epoch: &Epoch) -> Selection {
        let numbers: Vec<Option<u16>> = self
            .ids
            .iter()
            .map(|id| (0..).zip(epoch.tags()).find(|(_, own)| own == id).map(|(n, _)| n))
            .collect();
        renumbered(&self.selection, &numbers)
    }

    /// Who is selected if each named tag is carried by these, among `entities`.
    ///
    /// # Errors
    /// None that numbers within bounds allow.
    pub(super) fn among(
        &self,
        entities: u32,
        carriers: impl Fn(&str) -> RoaringBitmap,
    ) -> Result<RoaringBitmap, Error> {
        let sets = self.ids.iter().map(|id| carriers(id)).collect();
        let matrix =
            Matrix::new(entities, sets).map_err(|error| Error::internal("tag_matrix_failed", &error))?;
        Ok(matrix.select(&self.selection))
    }
}

/// Words that could be ids of tags.
fn words(source: &str) -> BTreeSet<String> {
    let parts = source.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn refused(code: &str, detail: String) -> Error {
    Error::new(Kind::Invalid, code, detail, "Correct the condition at the mark.")
}

fn note_tags(selection: &Selection, numbers: &mut BTreeSet<u16>) {
    match selection {
        Selection::Constant(_) => {}
        Selection::Carries(tag) | Selection::CarriesNot(tag) => {
            numbers.insert(*tag);
        }
        Selection::All(parts) | Selection::Any(parts) => {
            parts.iter().for_each(|part| note_tags(part, numbers));
        }
    }
}

fn holds(selection: &Selection, carried: &[bool]) -> bool {
    let carries = |tag: &u16| carried.get(usize::from(*tag)).copied().unwrap_or(false);
    match selection {
        Selection::Constant(everybody) => *everybody,
        Selection::Carries(tag) => carries(tag),
        Selection::CarriesNot(tag) => !carries(tag),
        Selection::All(parts) => parts.iter().all(|part| holds(part, carried)),
        Selection::Any(parts) => parts.iter().any(|part| holds(part, carried)),
    }
}

fn renumbered(selection: &Selection, numbers: &[Option<u16>]) -> Selection {
    let number = |tag: &u16| numbers.get(usize::from(*tag)).copied().flatten();
    let all = |parts: &[Selection]| parts.iter().map(|part| renumbered(part, numbers)).collect();
    match selection {
        Selection::Constant(everybody) => Selection::Constant(*everybody),
        Selection::Carries(tag) => number(tag).map_or(Selection::Constant(false), Selection::Carries),
        Selection::CarriesNot(tag) => number(tag).map_or(Selection::Constant(true), Selection::CarriesNot),
        Selection::All(parts) => Selection::All(all(parts)),
        Selection::Any(parts) => Selection::Any(all(parts)),
    }
}
