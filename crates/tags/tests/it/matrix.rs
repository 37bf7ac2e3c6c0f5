//! Entity by tag: a matrix answers as plain sets do, whatever changed.

use std::collections::BTreeSet;

use proptest::prelude::*;
use roaring::RoaringBitmap;
use tags::matrix::{Change, Matrix, MatrixError, Selection};

type Pairs = BTreeSet<(u16, u32)>;

const TAGS: u16 = 8;
/// Two shards, the second not full.
const ENTITIES: u32 = 65_536 + 40;

fn entity() -> impl Strategy<Value = u32> {
    prop_oneof![0_u32..20, 65_530_u32..65_545, Just(ENTITIES - 1)]
}

fn pairs() -> impl Strategy<Value = Pairs> {
    proptest::collection::btree_set((0..TAGS, entity()), 0..120)
}

fn matrix_of(pairs: &Pairs) -> Matrix {
    let carriers =
        |tag: u16| pairs.iter().filter(|pair| pair.0 == tag).map(|pair| pair.1).collect::<RoaringBitmap>();
    Matrix::new(ENTITIES, (0..TAGS).map(carriers).collect()).unwrap()
}

fn selection() -> impl Strategy<Value = Selection> {
    let one = prop_oneof![
        any::<bool>().prop_map(Selection::Constant),
        (0..TAGS + 1).prop_map(Selection::Carries),
        (0..TAGS + 1).prop_map(Selection::CarriesNot),
    ];
    one.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Selection::All),
            proptest::collection::vec(inner, 0..4).prop_map(Selection::Any),
        ]
    })
}

fn holds(selection: &Selection, pairs: &Pairs, entity: u32) -> bool {
    match selection {
        Selection::Constant(yes) => *yes,
        Selection::Carries(tag) => pairs.contains(&(*tag, entity)),
        Selection::CarriesNot(tag) => !pairs.contains(&(*tag, entity)),
        Selection::All(parts) => parts.iter().all(|part| holds(part, pairs, entity)),
        Selection::Any(parts) => parts.iter().any(|part| holds(part, pairs, entity)),
    }
}

fn agrees(matrix: &Matrix, pairs: &Pairs) {
    assert_eq!(matrix.pairs(), pairs.len() as u64);
    for entity in (0..20).chain(65_530..65_545).chain([ENTITIES - 1, ENTITIES]) {
        let expected: Vec<u16> = (0..TAGS).filter(|tag| pairs.contains(&(*tag, entity))).collect();
        assert_eq!(matrix.tags_of(entity), expected, "tags of {entity}");
    }
    for tag in 0..TAGS {
        let expected: RoaringBitmap = pairs.iter().filter(|pair| pair.0 == tag).map(|pair| pair.1).collect();
        assert_eq!(matrix.carriers(tag), Some(&expected));
    }
}

proptest! {
    #[test]
    fn a_selection_selects_whom_plain_sets_select(pairs in pairs(), selection in selection()) {
        let matrix = matrix_of(&pairs);
        agrees(&matrix, &pairs);
        let selected = matrix.select(&selection);
        for entity in (0..20).chain(65_530..65_545).chain([ENTITIES - 1]) {
            prop_assert_eq!(selected.contains(entity), holds(&selection, &pairs, entity), "{}", entity);
        }
        prop_assert!(selected.max().is_none_or(|last| last < ENTITIES));
        prop_assert_eq!(matrix.count(&selection), selected.len());

        let mut expected: Vec<(u16, u32)> = (0..TAGS)
            .map(|tag| (tag, pairs.iter().filter(|pair| pair.0 == tag && selected.contains(pair.1)).count() as u32))
            .filter(|(_, count)| *count > 0)
            .collect();
        expected.sort_by_key(|(tag, count)| (std::cmp::Reverse(*count), *tag));
        prop_assert_eq!(&matrix.tags_among(&selected, usize::MAX), &expected);
        expected.truncate(3);
        prop_assert_eq!(matrix.tags_among(&selected, 3), expected);
    }

    #[test]
    fn changes_make_the_matrix_that_would_have_been_made_with_them(
        before in pairs(),
        changes in proptest::collection::vec((0..TAGS, entity(), any::<bool>()), 0..80),
    ) {
        let changes: Vec<Change> =
            changes.into_iter().map(|(tag, entity, carried)| Change { tag, entity, carried }).collect();
        let mut after = before.clone();
        for change in &changes {
            let pair = (change.tag, change.entity);
            if change.carried { after.insert(pair) } else { after.remove(&pair) };
        }
        let old = matrix_of(&before);
        let new = old.changed(ENTITIES, usize::from(TAGS), &changes).unwrap();
        agrees(&new, &after);
        prop_assert_eq!(&new, &matrix_of(&after));
        agrees(&old, &before);
        for tag in 0..TAGS {
            let (gained, lost) = new.difference(&old, tag);
            let those = |a: &Pairs, b: &Pairs| {
                a.difference(b).filter(|pair| pair.0 == tag).map(|pair| pair.1).collect::<RoaringBitmap>()
            };
            prop_assert_eq!((gained, lost), (those(&after, &before), those(&before, &after)));
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_a_changed_byte_is_found(
        pairs in pairs(),
        at in any::<proptest::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let matrix = matrix_of(&pairs);
        let mut bytes = Vec::new();
        matrix.write(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), matrix.bytes());
        prop_assert_eq!(Matrix::read(bytes.as_slice()).unwrap(), matrix);
        let at = at.index(bytes.len());
        prop_assert!(Matrix::read(&bytes[..at]).is_err(), "cut off at {}", at);
        bytes[at] ^= 1 << bit;
        prop_assert!(Matrix::read(bytes.as_slice()).is_err(), "bit {} of byte {}", bit, at);
    }
}

#[test]
fn a_matrix_grows_and_refuses_what_it_cannot_hold() {
    let matrix = matrix_of(&Pairs::from([(0, 3)]));
    let change = |tag, entity| Change { tag, entity, carried: true };
    let grown = matrix.changed(ENTITIES + 100_000, 9, &[change(8, ENTITIES + 99_999)]).unwrap();
    assert_eq!((grown.tags(), grown.tags_of(ENTITIES + 99_999)), (9, &[8][..]));
    assert_eq!(matrix.changed(0, 0, &[change(8, 0)]), Err(MatrixError::NoSuchTag { tag: 8, tags: 8 }));
    assert_eq!(
        matrix.changed(0, 0, &[change(0, ENTITIES)]),
        Err(MatrixError::NoSuchEntity { entity: ENTITIES, entities: ENTITIES })
    );
    assert_eq!(
        Matrix::new(4, vec![RoaringBitmap::from([4])]),
        Err(MatrixError::NoSuchEntity { entity: 4, entities: 4 })
    );
    assert_eq!(Matrix::new(1, vec![RoaringBitmap::new(); 65_537]), Err(MatrixError::TooManyTags(65_537)));
}

#[test]
fn selections_are_read_in_the_rule_language() {
    use Selection::{All, Any, Carries, CarriesNot, Constant};
    let ids = ["cheap", "new_trader", "new_route"].map(str::to_owned);
    for (source, expected) in [
        ("cheap", Carries(0)),
        ("!cheap", CarriesNot(0)),
        ("cheap == false", CarriesNot(0)),
        ("cheap && (new_trader || !new_route)", All(vec![Carries(0), Any(vec![Carries(1), CarriesNot(2)])])),
        ("!(cheap || new_trader)", All(vec![CarriesNot(0), CarriesNot(1)])),
        ("has(cheap)", Constant(true)),
        ("cheap != cheap || cheap", Constant(false)),
    ] {
        let found = Selection::parse(source, &ids);
        if source.contains("!= cheap") {
            assert!(found.is_err(), "{source}: {found:?}");
        } else {
            assert_eq!(found, Ok(expected), "{source}");
        }
    }
    let refused = Selection::parse("cheap && new_rout", &ids).unwrap_err();
    assert!(refused.to_string().contains("new_route") && refused.to_string().contains('^'), "{refused}");
    assert_eq!(refused.code(), "selection_refused");
}
