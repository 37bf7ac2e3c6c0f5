//! Who is one: windows count an enterprise together with everybody whom people merged with it.
//!
//! What is held stays apart for each id that was declared. An answer for one of a group joins what is held of all of
//! them while it is made, so a merge costs nothing when it is decided, and a split brings back what was.

use std::collections::HashMap;
use std::sync::Arc;

use super::key::{half, text_mark};
use crate::aggregate::FieldPart;
use crate::set::ENTERPRISE_FIELDS;

/// Groups of enterprises that are one, by the marks of their ids.
#[derive(Debug, Default)]
pub(crate) struct Kin {
    /// Everybody who is one with an id, itself among them. An id alone is not in here.
    group: HashMap<u128, Arc<[u128]>>,
    /// The first of its group, by halves of marks, as values of `distinct` are held.
    stands_for: HashMap<u64, u64>,
}

/// Does this part of a key name an enterprise?
pub(crate) fn names_enterprise(part: &FieldPart) -> bool {
    part.prefix.is_none() && ENTERPRISE_FIELDS.contains(&part.field.as_str())
}

impl Kin {
    /// These and nobody else are one; an id alone is by itself.
    pub(crate) fn know(&mut self, members: &[String]) {
        let marks: Arc<[u128]> = members.iter().map(|id| text_mark(id)).collect();
        for mark in marks.iter() {
            match marks.first().filter(|_| marks.len() > 1) {
                Some(first) => {
                    self.group.insert(*mark, Arc::clone(&marks));
                    self.stands_for.insert(half(*mark), half(*first));
                }
                None => {
                    self.group.remove(mark);
                    self.stands_for.remove(&half(*mark));
                }
            }
        }
    }

    /// Is nobody one with anybody?
    pub(crate) fn is_empty(&self) -> bool {
        self.group.is_empty()
    }

    /// Everybody who is one with an id, itself among them; none where it is alone.
    pub(crate) fn group(&self, mark: u128) -> Option<&[u128]> {
        self.group.get(&mark).map(AsRef::as_ref)
    }

    /// The value that this one counts as, where that is another or may be.
    pub(crate) fn stands_for(&self, value: u64) -> Option<u64> {
        self.stands_for.get(&value).copied()
    }
}
