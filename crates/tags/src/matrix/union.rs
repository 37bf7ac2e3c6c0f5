//! Who carries at least one of several tags.
//!
//! One set after the other joined to what is there writes most entities down again and again. So shards of entities are
//! taken a few at a time, small enough to stay near the processor: a bit for each entity, set for each that any of the
//! sets holds. Where only a number is asked, the bits are counted and nothing is written down.
#![expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "numeric kernel: entities lie within the shards at hand, and a property test compares it with plain sets"
)]

use roaring::RoaringBitmap;

/// Entities looked at together: four shards, 32 KiB of bits.
const AT_ONCE: u32 = 4 << 16;
const WORDS: usize = AT_ONCE as usize / 64;
/// Entities taken out of a set together.
const TAKEN_AT_ONCE: usize = 512;
/// For fewer entities than one in so many it is cheaper to join one set after the other.
const SPARSE: u64 = 128;
/// So many sets are worth writing entities down from bits: each is then written once, but all of them from a list of bytes.
const WRITTEN_MIN: usize = 16;

/// The number of entities that at least one of these sets holds; they are numbered below `entities`.
pub(super) fn count(sets: &[&RoaringBitmap], entities: u32) -> u64 {
    match sets {
        [] => 0,
        [one] => one.len(),
        [one, other] => one.union_len(other),
        _ if are_sparse(sets, entities) => one_by_one(sets).len(),
        _ => {
            let mut count = 0_u64;
            each_part(sets, entities, |words| {
                count += words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            });
            count
        }
    }
}

/// The entities that at least one of these sets holds; they are numbered below `entities`.
pub(super) fn of(sets: &[&RoaringBitmap], entities: u32) -> RoaringBitmap {
    if sets.len() < WRITTEN_MIN || are_sparse(sets, entities) {
        return one_by_one(sets);
    }
    let mut bytes = Vec::with_capacity(entities as usize / 8);
    each_part(sets, entities, |words| bytes.extend(words.iter().flat_map(|word| word.to_le_bytes())));
    RoaringBitmap::from_lsb0_bytes(0, &bytes)
}

fn are_sparse(sets: &[&RoaringBitmap], entities: u32) -> bool {
    sets.iter().map(|set| set.len()).sum::<u64>() < u64::from(entities) / SPARSE
}

/// The largest first: what comes then finds most of its places taken.
fn one_by_one(sets: &[&RoaringBitmap]) -> RoaringBitmap {
    let mut by_size = sets.to_vec();
    by_size.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let mut by_size = by_size.into_iter();
    let first = by_size.next().cloned().unwrap_or_default();
    by_size.fold(first, |all, set| all | set)
}

/// Gives the bits of the union, part by part.
fn each_part(sets: &[&RoaringBitmap], entities: u32, mut visit: impl FnMut(&[u64])) {
    let mut words = [0_u64; WORDS];
    let sets: Vec<(&RoaringBitmap, bool)> =
        sets.iter().map(|set| (*set, set.statistics().n_run_containers > 0)).collect();
    for first in (0..entities).step_by(AT_ONCE as usize) {
        let last = first.saturating_add(AT_ONCE - 1).min(entities - 1);
        words.fill(0);
        for (set, has_ranges) in &sets {
            let mark = |entity: u32| words[(entity - first) as usize / 64] |= 1 << (entity % 64);
            let within = set.range(first..=last);
            // Taking many at once is twice as fast, but in roaring 0.12.0 it panics at the end of a shard that is held
            // as ranges.
            if *has_ranges { within.for_each(mark) } else { take_many(within, mark) }
        }
        visit(&words[..(last - first) as usize / 64 + 1]);
    }
}

fn take_many(mut left: roaring::bitmap::Iter<'_>, mut mark: impl FnMut(u32)) {
    let mut taken = [0_u32; TAKEN_AT_ONCE];
    loop {
        let some = left.next_many(&mut taken);
        if some.is_empty() {
            return;
        }
        some.iter().for_each(|entity| mark(*entity));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// More than two parts, the last not full.
    const ENTITIES: u32 = 2 * AT_ONCE + 70_001;

    /// Some in a row, and some far from each other: so shards of all kinds.
    fn set() -> impl Strategy<Value = RoaringBitmap> {
        let row = (0..ENTITIES, 0..90_000_u32);
        let apart = (0..ENTITIES, 0..6_000_usize, 1..400_usize);
        (proptest::collection::vec(row, 0..2), proptest::collection::vec(apart, 0..3), any::<bool>())
            .prop_map(|(rows, apart, ranges)| {
                let rows = rows.into_iter().flat_map(|(first, count)| first..ENTITIES.min(first + count));
                let apart = apart
                    .into_iter()
                    .flat_map(|(first, count, step)| (first..ENTITIES).step_by(step).take(count));
                let mut set: RoaringBitmap = rows.chain(apart).collect();
                if ranges {
                    set.optimize();
                }
                set
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_what_joining_one_set_after_the_other_makes(sets in proptest::collection::vec(set(), 0..20)) {
            let sets: Vec<&RoaringBitmap> = sets.iter().collect();
            let expected = sets.iter().fold(RoaringBitmap::new(), |all, set| all | *set);
            prop_assert_eq!(count(&sets, ENTITIES), expected.len());
            prop_assert_eq!(of(&sets, ENTITIES), expected);
        }
    }
}
