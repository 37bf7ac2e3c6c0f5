//! What is kept of tags on entries says what the entries say.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tags::history::{HistoryError, Lineage, NOBODY, Pairs, Run, merge};

/// Entries in order: the entity of each, and the tags that it carries.
type Entries = Vec<(u32, BTreeSet<u32>)>;
type Kept = BTreeMap<(u32, u32), (u64, u64, u64)>;

const TAGS: u32 = 6;

fn entries() -> impl Strategy<Value = Entries> {
    let entity = prop_oneof![8 => 0_u32..12, 2 => 0_u32..100_000, 1 => Just(NOBODY)];
    let tags = proptest::collection::btree_set(0..TAGS, 0..4);
    proptest::collection::vec((entity, tags), 0..600)
}

/// Of each tag and entity: how many entries, the first, the last.
fn plainly(entries: &Entries, from: u64) -> Kept {
    let mut kept = Kept::new();
    for (entry, (entity, tags)) in (from..).zip(entries) {
        for tag in tags {
            let own = kept.entry((*tag, *entity)).or_insert((0, entry, entry));
            *own = (own.0 + 1, own.1, entry);
        }
    }
    kept
}

/// The run of some entries, found in blocks by several threads, with tags numbered from 10 in steps of 7.
fn run_of(entries: &Entries, from: u64, blocks: usize, threads: usize) -> Vec<u8> {
    let mut all: Vec<Pairs> = (0..threads).map(|_| Pairs::new(usize::MAX)).collect();
    let length = entries.len().div_ceil(blocks).max(1);
    for (at, block) in entries.chunks(length).enumerate() {
        let shift = u32::try_from(at * length).unwrap();
        for (thread, pairs) in all.iter_mut().enumerate() {
            pairs.begin_block(shift);
            for tag in 0..TAGS {
                let rows = (0_u32..).zip(block).filter(|(row, (_, tags))| {
                    usize::try_from(*row).unwrap() % threads == thread && tags.contains(&tag)
                });
                pairs.push(tag, rows.map(|(row, _)| row));
            }
        }
    }
    let entity_of: Vec<u32> = entries.iter().map(|(entity, _)| *entity).collect();
    let numbers: Vec<u32> = (0..TAGS).map(number).collect();
    Pairs::write(&all.iter().collect::<Vec<_>>(), &numbers, &entity_of, from, threads, &mut vec![7; 3])
        .unwrap()
        .0
}

fn number(tag: u32) -> u32 {
    10 + tag * 7
}

fn open(bytes: &[u8]) -> Result<Run, HistoryError> {
    Run::open(&bytes, u64::try_from(bytes.len()).unwrap())
}

fn read(bytes: &[u8]) -> Kept {
    let run = open(bytes).unwrap();
    let mut kept = Kept::new();
    for tag in 0..TAGS {
        let mut each = |own: Lineage| {
            assert!(kept.insert((tag, own.entity), (own.entries, own.first, own.last)).is_none());
        };
        run.of_tag(&bytes, number(tag), &mut each).unwrap();
    }
    kept
}

proptest! {
    #[test]
    fn a_run_says_what_its_entries_say(
        entries in entries(), from in 0_u64..1 << 40, blocks in 1_usize..4, threads in 1_usize..4,
    ) {
        let bytes = run_of(&entries, from, blocks, threads);
        let expected = plainly(&entries, from);
        prop_assert_eq!(read(&bytes), expected.clone());
        let run = open(&bytes).unwrap();
        for tag in 0..TAGS {
            for entity in 0..12 {
                let own = run.of_entity(&bytes.as_slice(), number(tag), entity).unwrap();
                let own = own.map(|own| (own.entries, own.first, own.last));
                prop_assert_eq!(own, expected.get(&(tag, entity)).copied());
            }
        }
    }

    /// Where most entries carry nothing, runs are written another way.
    #[test]
    fn a_run_of_few_pairs_says_what_its_entries_say(
        entries in entries(), rows in 800_usize..3_000, from in 0_u64..1 << 40, threads in 1_usize..4,
    ) {
        let mut all: Entries = (0..rows).map(|at| (u32::try_from(at % 97).unwrap(), BTreeSet::new())).collect();
        for (at, entry) in entries.into_iter().take(rows / 30).enumerate() {
            all[at * 7_919 % rows] = entry;
        }
        let bytes = run_of(&all, from, 3, threads);
        prop_assert_eq!(read(&bytes), plainly(&all, from));
        let run = open(&bytes).unwrap();
        prop_assert_eq!(run.entries(), from..from + u64::try_from(rows).unwrap());
    }

    #[test]
    fn merged_runs_say_what_all_entries_say(
        entries in entries(), cuts in proptest::collection::vec(0_usize..300, 0..4), bytes_max in 1_usize..4_000,
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(entries.len())).collect();
        cuts.extend([0, entries.len()]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).filter_map(|cut| Some((cut[0], entries.get(cut[0]..cut[1])?.to_vec())));
        let files: Vec<Vec<u8>> =
            parts.map(|(from, part)| run_of(&part, u64::try_from(from).unwrap(), 2, 1)).collect();
        let runs: Vec<Run> = files.iter().map(|bytes| open(bytes).unwrap()).collect();
        let runs: Vec<(&Run, &[u8])> = runs.iter().zip(files.iter().map(Vec::as_slice)).collect();
        let (mut kept, mut from) = (Kept::new(), Some(0));
        while let Some(first) = from {
            let part = merge(&runs, |tag| tag != number(2), first, bytes_max).unwrap();
            let own = read(&part.bytes);
            prop_assert_eq!(part.pairs, u64::try_from(own.len()).unwrap());
            kept.extend(own);
            from = part.next;
        }
        let mut expected = plainly(&entries, 0);
        expected.retain(|(tag, _), _| *tag != 2);
        prop_assert_eq!(kept, expected);
    }

    /// A damaged file is told, or says what it said before: bytes that nobody looks at do not exist.
    #[test]
    fn a_flipped_bit_is_found(entries in entries(), at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = run_of(&entries, 0, 1, 1);
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let found = open(&bytes).is_err()
            || (0..TAGS).any(|tag| open(&bytes).unwrap().of_tag(&bytes.as_slice(), number(tag), |_| ()).is_err());
        prop_assert!(found, "the bit {bit} of byte {place} was flipped, and nobody saw it");
    }
}

#[test]
fn large_sections_are_read_by_chunks() {
    let entries: Entries = (0..20_000_u32).map(|entry| (entry % 7_000 * 3, BTreeSet::from([1]))).collect();
    let bytes = run_of(&entries, 5, 3, 2);
    let run = open(&bytes).unwrap();
    assert_eq!(run.entries(), 5..20_005);
    assert_eq!(run.tags().collect::<Vec<_>>(), [(number(1), 7_000)]);
    for (entity, expected) in
        [(0, Some((3, 5, 14_005))), (3, Some((3, 6, 14_006))), (4, None), (20_997, Some((2, 7_004, 14_004)))]
    {
        let own = run.of_entity(&bytes.as_slice(), number(1), entity).unwrap();
        assert_eq!(own.map(|own| (own.entries, own.first, own.last)), expected, "{entity}");
    }
}

#[test]
fn what_finds_no_room_is_taken_back() {
    let mut pairs = Pairs::new(200);
    pairs.begin_block(0);
    pairs.push(0, 0..100);
    pairs.begin_block(1_000);
    pairs.push(1, 0..300);
    assert!(!pairs.is_whole());
    pairs.back_to_block();
    assert!(pairs.is_whole());
    assert_eq!(pairs.len(), 100);
    pairs.begin_block(2_000);
    pairs.push(1, 0..50);
    assert!(pairs.is_whole());
    let entity_of = vec![3; 3_000];
    let (bytes, kept) = Pairs::write(&[&pairs], &[4, 9], &entity_of, 0, 1, &mut Vec::new()).unwrap();
    assert_eq!(kept, 2);
    let own = open(&bytes).unwrap().of_entity(&bytes.as_slice(), 9, 3).unwrap().unwrap();
    assert_eq!((own.entries, own.first, own.last), (50, 2_000, 2_049));
}
