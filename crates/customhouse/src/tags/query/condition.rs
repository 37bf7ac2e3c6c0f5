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
pub(super) struct Seen {
    pub(super) compiled: Arc<Compiled>,
    pub(super) clearance: Sensitivity,
}

impl Seen {
    pub(super) fn tag(&self, id: &str) -> Option<&TagDefinition> {
        self.compiled.visible(self.clearance, id)
    }

    /// Those that anything carries and the reader may see, by number.
    pub(super) fn in_epoch<'a>(&'a self, epoch: &Epoch) -> Vec<Option<&'a TagDefinition>> {
        epoch.tags().map(|id| self.tag(id)).collect()
    }
}

/// A condition with the tags that it names.
pub(super) struct Condition {
    pub(super) ids: Vec<String>,
    /// Over places in `ids`.
    selection: Selection,
}

impl Condition {
    /// Reads one. Nothing written selects everybody.
    ///
    /// # Errors
    /// `selection_refused`, with a mark under the place.
    pub(super) fn read(source: &str, seen: &Seen) -> Result<Self, Error> {
        let source = source.trim();
        if source.is_empty() {
            return Ok(Self { ids: Vec::new(), selection: Selection::Constant(true) });
        }
        let refused = |code: &str, detail: String| {
            Error::new(Kind::Invalid, code, detail, "Correct the condition at the mark.")
        };
        if source.len() > CONDITION_BYTES_MAX {
            let detail =
                format!("the condition has {} bytes; at most {CONDITION_BYTES_MAX} are read", source.len());
            return Err(refused("selection_refused", detail));
        }
        // Of tens of thousands of tags only those that are named need to be known.
        let ids: Vec<String> = words(source).into_iter().filter(|id| seen.tag(id).is_some()).collect();
        if let Ok(selection) = Selection::parse(source, &ids) {
            return Ok(Self { ids, selection });
        }
        // To guess at what was meant, all of them.
        let all = seen.compiled.set.definitions().iter();
        let ids: Vec<String> =
            all.filter(|own| own.sensitivity <= seen.clearance).map(|own| own.id.clone()).collect();
        let selection =
            Selection::parse(source, &ids).map_err(|error| refused(error.code(), error.to_string()))?;
        Ok(Self { ids, selection })
    }

    /// Over the tags of an epoch; one that nobody carries yet selects nobody.
    pub(super) fn over(&self, epoch: &Epoch) -> Selection {
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
