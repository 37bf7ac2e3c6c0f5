//! Other tags over what is held already.
//!
//! What takes long is the past: windows and raised tags. Where other tags read the same of it, only conditions change,
//! and the next entry meets the new ones ([`super::judges`]).

use std::sync::Arc;

use super::OnlineTags;
use super::judges::Judges;
use super::lasting::Lasting;
use crate::aggregate::{Aggregate, FieldPart};
use crate::lift::subject_parts;
use crate::set::TagSet;

/// What a set of tags needs of the past.
#[derive(Debug, PartialEq)]
struct Needed<'a> {
    /// Aggregates that are read, by their position.
    aggregates: Vec<(usize, &'a str, &'a Aggregate)>,
    /// Tags that outlast their entry.
    lasting: Vec<Raising<'a>>,
}

/// A tag that outlasts its entry: what raises it, on what, for how long.
#[derive(Debug, PartialEq)]
struct Raising<'a> {
    id: &'a str,
    when: &'a str,
    on: Vec<FieldPart>,
    valid_days: u16,
}

impl OnlineTags {
    fn needed(&self) -> Needed<'_> {
        let named = |at: &usize| {
            let own = self.set.aggregates.get(*at)?;
            Some((*at, own.name.as_str(), &own.aggregate))
        };
        let lasting = self.lasting.keys().filter_map(|tag| self.set.definitions.get(*tag));
        Needed {
            aggregates: self.columns.iter().filter_map(named).collect(),
            lasting: lasting
                .map(|tag| Raising {
                    id: &tag.id,
                    when: &tag.when,
                    on: subject_parts(tag),
                    valid_days: tag.valid_days,
                })
                .collect(),
        }
    }

    /// Goes on with other tags, if they need nothing of the past that is not held: the same aggregates, and the same
    /// tags that outlast their entry, over the same fields and named lists. False, and nothing has changed, if they do.
    pub fn adopt(&mut self, set: Arc<TagSet>) -> bool {
        let mut next = Self::with_judges(set, Judges::default());
        let same_names = next.set.base == self.set.base && next.set.lists == self.set.lists;
        if !same_names || next.needed() != self.needed() {
            return false;
        }
        std::mem::swap(&mut next.streams, &mut self.streams);
        for (own, held) in next.lasting.values_mut().zip(self.lasting.values_mut()) {
            std::mem::swap::<Lasting>(own, held);
        }
        std::mem::swap(&mut next.calendar, &mut self.calendar);
        std::mem::swap(&mut next.kin, &mut self.kin);
        next.entries = self.entries;
        next.swept = self.swept;
        next.planned_at = self.planned_at;
        next.sample = self.sample.take();
        let judges = std::mem::take(&mut self.judges);
        next.judges = judges.adopted(&self.set, &next.set, next.sample.as_ref());
        *self = next;
        true
    }
}
