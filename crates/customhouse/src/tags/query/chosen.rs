//! What a condition chooses in an epoch, now or at the end of a day.

use roaring::RoaringBitmap;

use super::super::live::Epoch;
use super::condition::Condition;
use super::model::TagQuery;
use crate::error::Error;

/// What is chosen of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Entities,
    Declarations,
}

impl Of {
    pub(super) fn asked(query: &TagQuery) -> Self {
        if query.of_declarations() { Self::Declarations } else { Self::Entities }
    }

    pub(super) fn matrix(self, epoch: &Epoch) -> &::tags::matrix::Matrix {
        match self {
            Self::Entities => &epoch.of_entities,
            Self::Declarations => &epoch.of_declarations,
        }
    }

    /// How many there are; entities that are one count once.
    pub(super) fn all(self, epoch: &Epoch) -> u64 {
        match self {
            Self::Entities => epoch.entities_counted(),
            Self::Declarations => u64::from(epoch.of_declarations.entities()),
        }
    }

    /// Those that the condition chooses, of everything that the epoch has.
    pub(super) fn now(self, epoch: &Epoch, condition: &Condition) -> RoaringBitmap {
        let chosen = self.matrix(epoch).select(&condition.over(epoch));
        match self {
            // Whoever another stands for carries nothing, and a condition with `!` would choose it.
            Self::Entities => chosen - epoch.grouped.within(),
            Self::Declarations => chosen,
        }
    }

    /// How many those are, without writing them down where that is not needed.
    pub(super) fn count_now(self, epoch: &Epoch, condition: &Condition) -> u64 {
        match self {
            Self::Entities if !epoch.grouped.is_empty() => self.now(epoch, condition).len(),
            _ => self.matrix(epoch).count(&condition.over(epoch)),
        }
    }

    /// Those that it chose before a moment, in microseconds since 1970, of what was there then. Who is one is as it is
    /// known now, so that a merge by itself is no difference between two days.
    ///
    /// # Errors
    /// None that numbers within bounds allow.
    pub(super) fn before(
        self,
        epoch: &Epoch,
        condition: &Condition,
        moment: i64,
    ) -> Result<RoaringBitmap, Error> {
        let then = declarations_before(epoch, moment);
        match self {
            Self::Declarations => Ok(self.now(epoch, condition) & then),
            Self::Entities => {
                let carriers = |id: &str| {
                    let tag = (0..).zip(epoch.tags()).find(|(_, own)| *own == id).map(|(number, _)| number);
                    let carriers = tag.and_then(|tag| epoch.of_declarations.carriers(tag));
                    parties_of(epoch, &carriers.map(|carriers| carriers & &then).unwrap_or_default())
                };
                let chosen = condition.among(epoch.of_entities.entities(), carriers)?;
                Ok(chosen & parties_of(epoch, &then))
            }
        }
    }
}

/// Declarations whose tags were applied before a moment.
fn declarations_before(epoch: &Epoch, moment: i64) -> RoaringBitmap {
    let numbers = (0_u32..).zip(epoch.declarations()).filter(|(_, own)| own.at < moment);
    // The numbers rise: they are never refused.
    RoaringBitmap::from_sorted_iter(numbers.map(|(number, _)| number)).unwrap_or_default()
}

/// Everybody who has a part in these declarations.
fn parties_of(epoch: &Epoch, declarations: &RoaringBitmap) -> RoaringBitmap {
    let mut is_party = vec![false; usize::try_from(epoch.of_entities.entities()).unwrap_or_default()];
    for own in declarations.iter().filter_map(|number| epoch.declaration(number)) {
        for party in epoch.parties(own) {
            if let Some(place) = usize::try_from(party).ok().and_then(|at| is_party.get_mut(at)) {
                *place = true;
            }
        }
    }
    let numbers = (0_u32..).zip(is_party).filter(|(_, is)| *is).map(|(number, _)| number);
    RoaringBitmap::from_sorted_iter(numbers).unwrap_or_default()
}

/// Inspected declarations, and irregular ones, of what was chosen.
pub(super) fn results(of: Of, epoch: &Epoch, chosen: &RoaringBitmap) -> (u64, u64) {
    let own = |set: &RoaringBitmap| match of {
        Of::Declarations => set.intersection_len(chosen),
        Of::Entities => {
            let has = |number: &u32| {
                epoch
                    .declaration(*number)
                    .is_some_and(|own| epoch.parties(own).any(|party| chosen.contains(party)))
            };
            u64::try_from(set.iter().filter(has).count()).unwrap_or(u64::MAX)
        }
    };
    (own(&epoch.inspected), own(&epoch.irregular))
}
