//! Who carries a tag, put together from several runs.

use roaring::RoaringBitmap;

use super::NOBODY;
use crate::rising::{RISING_MIN, Rising};

/// Puts together the entities of one tag after the other.
#[derive(Debug)]
pub struct Carriers {
    bound: u32,
    told: Vec<u32>,
    rising: Rising,
}

impl Carriers {
    /// For entities numbered below a bound; those beyond are no error, but take longer.
    #[must_use]
    pub fn new(bound: u32) -> Self {
        Self { bound, told: Vec::new(), rising: Rising::default() }
    }

    /// An entity carries the tag; [`NOBODY`] is no entity.
    #[inline]
    pub fn put(&mut self, entity: u32) {
        if entity != NOBODY {
            self.told.push(entity);
        }
    }

    /// All entities that were put in, each once; begins anew.
    pub fn take(&mut self) -> RoaringBitmap {
        let Self { bound, told, rising } = self;
        if told.len() < RISING_MIN || told.iter().any(|entity| entity >= bound) {
            told.sort_unstable();
            told.dedup();
        } else {
            rising.make_room(usize::try_from(*bound).unwrap_or(usize::MAX));
            told.drain(..).for_each(|entity| rising.put(entity));
            rising.take(|entity| told.push(entity));
        }
        // Sorted and without doubles, it is never refused.
        RoaringBitmap::from_sorted_iter(told.drain(..)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whoever_was_put_in_is_there_once(
            tags in proptest::collection::vec(proptest::collection::vec(0..5_000_u32, 0..600), 1..4),
            bound in 4_000..5_000_u32,
        ) {
            let mut carriers = Carriers::new(bound);
            for own in tags {
                own.iter().for_each(|entity| carriers.put(*entity));
                carriers.put(NOBODY);
                prop_assert_eq!(carriers.take(), own.into_iter().collect());
            }
        }
    }
}
