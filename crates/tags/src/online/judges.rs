//! Which tags are asked together as entries come, and how that goes on when some tags change.
//!
//! Putting tens of thousands of conditions together takes a second, and an edit changes one of them. So what was put
//! together stays, without the tags that are gone or mean something else now; the new ones are asked beside it, alone or
//! together where they are many. Whenever entries are planned for anew, all are put together again.

use std::collections::BTreeSet;

use spine::EntryTable;

use crate::judge::{Judge, JudgedRows};
use crate::matcher::Scratch;
use crate::set::TagSet;

/// So many tags may be asked beside those that were put together, and a part of them.
const BESIDE_MIN: usize = 1_024;
const BESIDE_PART: usize = 8;

/// The tags of a set, as they are asked of new entries.
#[derive(Debug, Default)]
pub(crate) struct Judges {
    /// Those that were put together last.
    whole: Option<Judge>,
    /// Those that came since, where they are many.
    beside: Option<Judge>,
    /// Those that are asked one by one.
    alone: Vec<usize>,
    /// Has anything changed since all were put together?
    changed: bool,
}

impl Judges {
    /// All tags of a set put together.
    pub(crate) fn of(set: &TagSet) -> Self {
        let all: Vec<usize> = (0..set.definitions.len()).collect();
        let (whole, alone) = Judge::of(set, &all);
        Self { whole, beside: None, alone, changed: false }
    }

    /// Goes on with other tags over the same fields and lists.
    pub(crate) fn adopted(mut self, before: &TagSet, after: &TagSet, sample: Option<&EntryTable>) -> Self {
        let place = |tag: usize| {
            let own = before.definitions.get(tag)?;
            let at = after.position(&own.id)?;
            let same = |now: &&crate::TagDefinition| now.when == own.when && now.on == own.on;
            after.definitions.get(at).filter(same).map(|_| at)
        };
        let mut kept = BTreeSet::new();
        if let Some(whole) = &mut self.whole {
            whole.renumber(place);
            kept.extend(whole.tags().iter().flatten().copied());
        }
        let others: Vec<usize> = (0..after.definitions.len()).filter(|tag| !kept.contains(tag)).collect();
        if kept.is_empty() || others.len() > BESIDE_MIN.max(kept.len() / BESIDE_PART) {
            self = Self::of(after);
        } else {
            (self.beside, self.alone) = Judge::of(after, &others);
            self.changed = true;
        }
        if let Some(sample) = sample {
            let judges = self.beside.iter_mut().chain(self.whole.iter_mut().filter(|_| !self.changed));
            judges.for_each(|judge| judge.plan_for(sample));
        }
        self
    }

    /// Plans for entries like these.
    pub(crate) fn plan_for(&mut self, set: &TagSet, sample: &EntryTable) {
        if self.changed {
            *self = Self::of(set);
        }
        if let Some(judge) = &mut self.whole {
            judge.plan_for(sample);
        }
    }

    /// Positions of the tags that are asked one by one.
    pub(crate) fn alone(&self) -> &[usize] {
        &self.alone
    }

    /// Asks the others of a table of few rows.
    pub(crate) fn ask_few(&self, table: &EntryTable, scratch: &mut Scratch) -> JudgedRows {
        let mut judged = JudgedRows::empty(table.len());
        for judge in self.whole.iter().chain(&self.beside) {
            judge.ask_few(table, scratch, &mut judged);
        }
        judged
    }
}
