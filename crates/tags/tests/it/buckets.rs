//! Window aggregates in day buckets: what a table says is what a plain computation from all entries says, in whatever
//! order they came, late, put right, taken out, and as days go by.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tags::buckets::{
    AMOUNTS_MAX, BucketError, Builder, CODES_MAX, CONDITIONS_MAX, Change, DAYS_MAX, DIFFERENT_MAX, Different,
    ENTITIES_MAX, Entries, Feature, GROUPS_MAX, GroupBy, Layout, Middle, Moments, Peers, Questions, Quotient,
    Reading, Sink, Table,
};

const WINDOWS: [u32; 3] = [2, 5, 9];
const CONDITIONS: usize = 3;
const ENTITIES: u32 = 150;
const GROUPS: u16 = 4;
const AHEAD: i32 = 31;

/// Two amounts that are added up, two of which the greatest counts (the second is a group's number), two codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    entity: u32,
    day: i32,
    conditions: u64,
    amounts: [i64; 4],
    codes: [u32; 2],
}

fn layout() -> Layout {
    let different = |(code, condition, window)| Different { code, condition, window };
    Layout::new(Questions {
        windows: WINDOWS.to_vec(),
        conditions: CONDITIONS,
        sums: 2,
        greatest: 2,
        last_day: true,
        codes: 2,
        different: [(0, 0, 2), (1, 1, 1), (1, 0, 0)].map(different).to_vec(),
        // One entity has day buckets from 45 entries on, and keeps its codes from 80 on.
        keep_codes_from: Some(80),
    })
    .unwrap()
}

/// Entries in lanes.
struct Lanes {
    entities: Vec<u32>,
    days: Vec<i32>,
    conditions: Vec<u64>,
    amounts: [Vec<i64>; 4],
    codes: [Vec<u32>; 2],
}

impl Lanes {
    fn of(entries: &[Entry]) -> Self {
        Self {
            entities: entries.iter().map(|entry| entry.entity).collect(),
            days: entries.iter().map(|entry| entry.day).collect(),
            conditions: entries.iter().map(|entry| entry.conditions).collect(),
            amounts: std::array::from_fn(|at| entries.iter().map(|entry| entry.amounts[at]).collect()),
            codes: std::array::from_fn(|at| entries.iter().map(|entry| entry.codes[at]).collect()),
        }
    }

    fn with<T>(&self, then: impl FnOnce(Entries<'_>) -> T) -> T {
        let amounts: [&[i64]; 4] = std::array::from_fn(|at| self.amounts[at].as_slice());
        let codes: [&[u32]; 2] = std::array::from_fn(|at| self.codes[at].as_slice());
        let (entities, days, conditions) = (&self.entities, &self.days, &self.conditions);
        then(Entries { entities, days, conditions, amounts: &amounts, codes: &codes })
    }
}

fn built(entries: &[Entry], day: i32) -> Table {
    let mut builder = Builder::new(layout(), ENTITIES, day).unwrap();
    for part in entries.chunks(7) {
        Lanes::of(part).with(|entries| builder.add(&entries)).unwrap();
    }
    builder.finish().unwrap()
}

fn changed(table: &mut Table, day: i32, out: &[Entry], put: &[Entry], sink: &mut impl Sink) -> usize {
    let (out, put) = (Lanes::of(out), Lanes::of(put));
    out.with(|out| put.with(|put| table.change(day, &Change { out, put }, sink))).unwrap().entities
}

/// Entries, sums, greatest, the last day.
type Cell = (i64, [i64; 2], [i64; 2], i32);

/// All answers for one entity.
#[derive(Debug, Clone, PartialEq)]
struct Answers {
    /// By window and condition.
    cells: BTreeMap<(usize, usize), Cell>,
    different: [u32; 3],
}

fn answers_of(reading: &Reading) -> Answers {
    let mut cells = BTreeMap::new();
    for window in 0..WINDOWS.len() {
        for condition in 0..CONDITIONS {
            let count = reading.count(window, condition);
            assert_eq!(reading.conditions(window) >> condition & 1 != 0, count != 0);
            let greatest = |amount| reading.greatest(window, condition, amount);
            match (greatest(0), greatest(1), reading.last_day(window, condition)) {
                (Some(first), Some(second), Some(last)) => {
                    let sums = [0, 1].map(|sum| reading.sum(window, condition, sum));
                    cells.insert((window, condition), (count, sums, [first, second], last));
                }
                nothing => assert_eq!((nothing, count), ((None, None, None), 0)),
            }
        }
    }
    Answers { cells, different: [0, 1, 2].map(|question| reading.different(question)) }
}

/// The same, computed from all entries.
fn plainly(entries: &[Entry], day: i32) -> BTreeMap<u32, Answers> {
    let within = |entry: &&Entry, window: usize, condition: usize| {
        let age = day - entry.day;
        age >= 1 && age <= WINDOWS[window] as i32 && entry.conditions >> condition & 1 != 0
    };
    let all = entries.iter().map(|entry| entry.entity).collect::<BTreeSet<u32>>().into_iter();
    let answers = all.map(|entity| {
        let own: Vec<&Entry> = entries.iter().filter(|entry| entry.entity == entity).collect();
        let mut cells = BTreeMap::new();
        for (window, condition) in (0..WINDOWS.len()).flat_map(|w| (0..CONDITIONS).map(move |c| (w, c))) {
            let those: Vec<&Entry> =
                own.iter().copied().filter(|entry| within(entry, window, condition)).collect();
            let Some(last) = those.iter().map(|entry| entry.day).max() else { continue };
            let sums = [0, 1].map(|at| those.iter().map(|entry| entry.amounts[at]).sum());
            let greatest = [2, 3].map(|at| those.iter().map(|entry| entry.amounts[at]).max().unwrap());
            cells.insert((window, condition), (those.len() as i64, sums, greatest, last));
        }
        let different = [(0, 0, 2), (1, 1, 1), (1, 0, 0)].map(|(code, condition, window)| {
            let those = own.iter().filter(|entry| within(entry, window, condition));
            those.map(|entry| entry.codes[code]).collect::<BTreeSet<u32>>().len() as u32
        });
        (entity, Answers { cells, different })
    });
    answers.filter(|(_, answers)| !answers.cells.is_empty()).collect()
}

/// Follows a table by what it tells of changes alone.
#[derive(Default)]
struct Followed(BTreeMap<u32, Answers>);

impl Sink for Followed {
    fn before(&mut self, entity: u32, reading: &Reading) {
        assert_eq!(self.0.remove(&entity), Some(answers_of(reading)), "of {entity}");
    }

    fn after(&mut self, entity: u32, reading: &Reading) {
        assert_eq!(self.0.insert(entity, answers_of(reading)), None, "of {entity}");
    }
}

struct Both {
    followed: Followed,
    peers: Peers,
}

impl Sink for Both {
    fn before(&mut self, entity: u32, reading: &Reading) {
        self.followed.before(entity, reading);
        self.peers.before(entity, reading);
    }

    fn after(&mut self, entity: u32, reading: &Reading) {
        self.followed.after(entity, reading);
        self.peers.after(entity, reading);
    }
}

fn features() -> Vec<Feature> {
    let feature = |(window, condition, sum)| Feature { window, condition, sum };
    [(2, 0, Some(0)), (0, 1, Some(1)), (1, 2, None)].map(feature).to_vec()
}

fn follow(table: &Table) -> Both {
    let by = GroupBy { window: 2, condition: 0, greatest: 1 };
    let mut both = Both { followed: Followed::default(), peers: Peers::new(by, GROUPS, features()).unwrap() };
    table.each(|entity, reading| both.after(entity, reading));
    both
}

fn day_of_any_kind(day: i32) -> impl Strategy<Value = i32> {
    prop_oneof![6 => day - 10..day, 2 => day..day + 4, 1 => day - 14..day + AHEAD + 3]
}

fn entry(day: i32) -> impl Strategy<Value = Entry> {
    let entity = prop_oneof![3 => Just(70_u32), 2 => 0..4_u32, 1 => 0..ENTITIES];
    let amounts = (-9_i64..10, -1_000_000_i64..1_000_000, -5_i64..6, 0_i64..i64::from(GROUPS) + 1);
    (entity, day_of_any_kind(day), 0_u64..8, amounts, 0_u32..6, 0_u32..40).prop_map(
        |(entity, day, conditions, amounts, first, second)| Entry {
            entity,
            day,
            conditions,
            amounts: [amounts.0, amounts.1, amounts.2, amounts.3],
            codes: [first, second],
        },
    )
}

/// How far the day moves, which of the entries held leave, and what comes.
type Step = (i32, Vec<prop::sample::Index>, Vec<Entry>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let moved = prop_oneof![3 => Just(0), 4 => 1..4, 1 => 4..60];
    let some = proptest::collection::vec(any::<prop::sample::Index>(), 0..30);
    let out = prop_oneof![1 => Just(Vec::new()), 2 => some];
    let put = proptest::collection::vec(entry(0), 0..60);
    proptest::collection::vec((moved, out, put), 1..6)
}

/// What a table standing at a day holds of entries that come then.
fn is_held(entry: &Entry, day: i32) -> bool {
    entry.conditions != 0 && entry.day >= day - 9 && entry.day < day + AHEAD
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn changes_one_pass_and_a_plain_computation_say_the_same(
        first in proptest::collection::vec(entry(100), 0..300),
        steps in steps(),
    ) {
        let mut day = 100;
        let mut held: Vec<Entry> = first.iter().filter(|entry| is_held(entry, day)).cloned().collect();
        let mut table = built(&first, day);
        let mut both = follow(&table);
        prop_assert_eq!(&both.followed.0, &plainly(&held, day));
        for (moved, out, put) in steps {
            let to = day + moved;
            let mut leaving = Vec::new();
            for index in out.iter().take(held.len()) {
                leaving.push(held.swap_remove(index.index(held.len())));
            }
            // Corrected: some of those that leave come again with another value.
            let corrected = leaving.iter().step_by(3).cloned();
            let corrected = corrected.map(|entry| Entry { amounts: entry.amounts.map(|value| value / 2), ..entry });
            let mut coming: Vec<Entry> = put.into_iter().map(|entry| Entry { day: entry.day + to, ..entry }).collect();
            coming.extend(corrected);
            changed(&mut table, to, &leaving, &coming, &mut both);
            day = to;
            held.extend(coming.into_iter().filter(|entry| is_held(entry, day)));
            let expected = plainly(&held, day);
            prop_assert_eq!(&both.followed.0, &expected);
            let anew = built(&held, day);
            let mut backwards = held.clone();
            backwards.reverse();
            for other in [&table, &anew, &built(&backwards, day)] {
                let mut found = BTreeMap::new();
                other.each(|entity, reading| { found.insert(entity, answers_of(reading)); });
                prop_assert_eq!(&found, &expected);
            }
            peers_agree(&both.peers, &follow(&anew).peers, &expected);
        }
    }
}

/// Groups and their values, computed from all answers.
fn peers_agree(changed: &Peers, anew: &Peers, answers: &BTreeMap<u32, Answers>) {
    for (number, feature) in features().iter().enumerate() {
        let value = |own: &Answers| {
            let cell = own.cells.get(&(feature.window, feature.condition));
            cell.map_or(0, |(count, sums, _, _)| feature.sum.map_or(*count, |sum| sums[sum]))
        };
        let mut beyond = 0;
        let fences = changed.fences((1, 1));
        for group in 0..GROUPS {
            let of_group = |own: &&Answers| {
                own.cells.get(&(2, 0)).is_some_and(|(_, _, greatest, _)| greatest[1] == i64::from(group))
            };
            let values: Vec<i64> = answers.values().filter(of_group).map(value).collect();
            let expected = Moments {
                entities: values.len() as u32,
                sum: values.iter().map(|value| i128::from(*value)).sum(),
                squares: values.iter().map(|value| u128::from(value.unsigned_abs()).pow(2)).sum(),
            };
            assert_eq!(changed.moments(group, number), expected);
            assert_eq!(anew.moments(group, number), expected);
            let middle = middle(&values);
            assert_eq!(changed.middle(group, number), middle);
            assert_eq!(changed.middles(number)[usize::from(group)], middle);
            for value in &values {
                deviations_agree(*value, &values, &expected, middle.as_ref().unwrap());
            }
            // Beyond one standard deviation, in whole numbers: (n f - s)^2 (n - 1) > n (n q - s^2).
            let (n, s, q) = (values.len() as i128, expected.sum, expected.squares as i128);
            let own = values.iter().filter(|value| {
                let distance = n * i128::from(**value) - s;
                distance > 0 && distance * distance * (n - 1).max(1) > n * (n * q - s * s)
            });
            let own = own.count() as u64;
            let fence = fences[usize::from(group) * features().len() + number];
            assert_eq!(values.iter().filter(|value| **value >= fence).count() as u64, own, "{values:?}");
            beyond += own;
        }
        assert_eq!(changed.beyond(&fences)[number], beyond);
    }
}

/// How far one value is from all, against a computation in floating point in the usual way.
fn deviations_agree(value: i64, values: &[i64], moments: &Moments, middle: &Middle) {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| *value as f64).sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
    let near = |one: f64, other: f64| (one - other).abs() <= 1e-9 * other.abs().max(1.0);
    match moments.deviations(value) {
        None => assert!(values.iter().all(|other| other == &values[0]), "{values:?}"),
        Some(own) => assert!(near(own, (value as f64 - mean) / (squares / (count - 1.0)).sqrt()), "{own}"),
    }
    let (median, deviation) = (middle.twice_median as f64 / 2.0, middle.four_times_deviation as f64 / 4.0);
    match middle.deviations(value) {
        None => assert_eq!(middle.four_times_deviation, 0),
        Some(own) => assert!(near(own, (value as f64 - median) / deviation), "{own}"),
    }
}

#[test]
fn given_groups_are_compared_as_found_ones() {
    let entries: Vec<Entry> = (0..90_i64)
        .map(|at| Entry {
            entity: at as u32 % 31,
            day: 95 + at as i32 % 5,
            conditions: 7,
            amounts: [at * at % 17 - 8, at, 0, i64::from(at as u32 % 31 % 4)],
            codes: [0, 0],
        })
        .collect();
    let table = built(&entries, 100);
    let group_of = (0..ENTITIES).map(|entity| (entity < 31).then_some(entity as u16 % 4));
    let mut given = Peers::of_given(group_of, GROUPS, features()).unwrap();
    table.each(|entity, reading| given.after(entity, reading));
    let found = follow(&table).peers;
    for (group, feature) in (0..GROUPS).flat_map(|group| (0..3).map(move |feature| (group, feature))) {
        assert_ne!(found.moments(group, feature), Moments::default());
        assert_eq!(given.moments(group, feature), found.moments(group, feature));
    }
    assert_eq!((given.group_of(5), given.group_of(40)), (Some(1), None));
}

fn middle(values: &[i64]) -> Option<Middle> {
    fn twice(mut values: Vec<i128>) -> Option<i128> {
        values.sort_unstable();
        let last = values.len().checked_sub(1)?;
        Some(values[last / 2] + values[last.div_ceil(2)])
    }
    let twice_median = twice(values.iter().map(|value| i128::from(*value)).collect())?;
    let apart = values.iter().map(|value| (2 * i128::from(*value) - twice_median).abs()).collect();
    Some(Middle { twice_median, four_times_deviation: twice(apart)? })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_and_a_changed_byte_is_found(
        first in proptest::collection::vec(entry(100), 0..120),
        more in proptest::collection::vec(entry(100), 0..20),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut table = built(&first, 100);
        let held: Vec<Entry> = first.into_iter().filter(|entry| is_held(entry, 100)).collect();
        let leaving: Vec<Entry> = held.iter().step_by(4).cloned().collect();
        changed(&mut table, 101, &leaving, &more, &mut Followed(plainly(&held, 100)));
        let mut bytes = Vec::new();
        table.write_to(&mut bytes).unwrap();
        let again = Table::read_from(bytes.as_slice()).unwrap();
        prop_assert_eq!((again.day(), again.entities()), (101, ENTITIES));
        let (before, mut after) = (follow(&table).followed.0, follow(&again));
        prop_assert_eq!(&before, &after.followed.0);
        // What is dated ahead was written too.
        let mut expected = Followed(before);
        changed(&mut table, 120, &[], &[], &mut expected);
        let mut again = again;
        changed(&mut again, 120, &[], &[], &mut after);
        prop_assert_eq!(expected.0, after.followed.0);

        let at = at.index(bytes.len());
        prop_assert!(Table::read_from(&bytes[..at]).is_err(), "cut off at {}", at);
        bytes[at] ^= 1 << bit;
        prop_assert!(Table::read_from(bytes.as_slice()).is_err(), "bit {} of byte {}", bit, at);
    }
}

/// An importer's declarations: days, conditions (1: from a neighbour, 2: by night), value, mass, goods, port.
fn declared(entity: u32, day: i32, conditions: u64, value: i64, mass: i64, goods: u32, port: u32) -> Entry {
    Entry { entity, day, conditions: conditions | 1, amounts: [value, mass, value, 1], codes: [goods, port] }
}

fn read(table: &Table, entity: u32) -> Answers {
    let mut reading = table.reading();
    table.read(entity, &mut reading);
    answers_of(&reading)
}

#[test]
fn an_importer_is_read_as_an_officer_would_add_up_its_file() {
    // Windows of 2, 5 and 9 days as of day 100: since day 98, 95, 91.
    let file = [
        declared(7, 99, 0, 1_000, 10, 6109, 1),
        declared(7, 98, 2, 3_000, 20, 6109, 2),
        declared(7, 96, 2, 500, 5, 8471, 2),
        declared(7, 91, 0, 9_000, 90, 8703, 3),
        declared(7, 90, 0, 1, 1, 9999, 4),
        declared(8, 99, 0, 77, 7, 6109, 1),
    ];
    let mut table = built(&file, 100);
    let check = |table: &Table, window, condition, expected: Option<Cell>| {
        let answers = read(table, 7);
        assert_eq!(
            answers.cells.get(&(window, condition)).copied(),
            expected,
            "window {window}, condition {condition}"
        );
    };
    check(&table, 0, 0, Some((2, [4_000, 30], [3_000, 1], 99)));
    check(&table, 1, 0, Some((3, [4_500, 35], [3_000, 1], 99)));
    check(&table, 2, 0, Some((4, [13_500, 125], [9_000, 1], 99)));
    check(&table, 1, 1, Some((2, [3_500, 25], [3_000, 1], 98)));
    check(&table, 2, 2, None);
    assert_eq!(read(&table, 7).different, [3, 1, 2], "goods in 9 days; ports by night in 5; ports in 2");

    let mut reading = table.reading();
    table.read(7, &mut reading);
    let of = |window, condition, sum| Feature { window, condition, sum };
    let by_night = reading.ratio(&of(2, 1, Some(0)), &of(2, 0, Some(0))).unwrap();
    assert_eq!((by_night.part(), by_night.whole()), (3_500, 13_500));
    assert_eq!(by_night.decimal().unwrap().to_string(), "0.259259");
    assert!(
        by_night.is_above(1, 4) && !by_night.is_above(35, 135),
        "7/27 is above a quarter, not above itself"
    );
    assert_eq!(reading.ratio(&of(2, 0, None), &of(2, 2, None)), None);
    let share = follow(&table).peers.share(8, 0).unwrap();
    assert_eq!(share, Quotient::new(77, 13_577).unwrap());

    // The dearest is deleted, one is put right, one comes late, a day goes by: day 98 leaves the shortest window.
    let mut followed = follow(&table).followed;
    let out = [file[3].clone(), file[0].clone()];
    let put = [declared(7, 99, 0, 1_100, 10, 6109, 1), declared(7, 93, 0, 4_000, 1, 8471, 2)];
    assert_eq!(changed(&mut table, 101, &out, &put, &mut followed), 1, "8 has no entry at an edge");
    check(&table, 0, 0, Some((1, [1_100, 10], [1_100, 1], 99)));
    check(&table, 2, 0, Some((4, [8_600, 36], [4_000, 1], 99)));
    assert_eq!(read(&table, 7).different, [2, 1, 1]);
}

#[test]
fn a_day_without_entries_at_a_windows_edge_concerns_nobody() {
    let mut table = built(&[declared(3, 99, 0, 1, 1, 1, 1), declared(4, 93, 0, 1, 1, 1, 1)], 100);
    let mut followed = follow(&table).followed;
    let mut to = |day| changed(&mut table, day, &[], &[], &mut followed);
    // By day: who has an entry that enters or leaves a window then.
    let found: Vec<usize> = (101..112).map(&mut to).collect();
    assert_eq!(found, [0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(followed.0.is_empty(), "everything has left the longest window");
}

#[test]
fn what_a_table_cannot_hold_is_refused_and_nothing_changes() {
    let fine = || Questions { windows: vec![7], conditions: 2, sums: 1, ..Questions::default() };
    let refused = |questions: Questions, code: &str| {
        let error = Layout::new(questions).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!error.to_string().is_empty());
    };
    for windows in [vec![], vec![0], vec![7, 7], vec![30, 7], vec![DAYS_MAX + 1], (1..10).collect()] {
        refused(Questions { windows, ..fine() }, "bucket_windows_unusable");
    }
    refused(Questions { conditions: 0, ..fine() }, "bucket_conditions_too_many");
    refused(Questions { conditions: CONDITIONS_MAX + 1, ..fine() }, "bucket_conditions_too_many");
    refused(Questions { greatest: AMOUNTS_MAX, ..fine() }, "bucket_amounts_too_many");
    refused(Questions { codes: CODES_MAX + 1, ..fine() }, "bucket_codes_too_many");
    let asked = |code, condition, window| Different { code, condition, window };
    for different in [asked(1, 0, 0), asked(0, 2, 0), asked(0, 0, 1)] {
        refused(Questions { codes: 1, different: vec![different], ..fine() }, "bucket_different_unusable");
    }
    let many = vec![asked(0, 0, 0); DIFFERENT_MAX + 1];
    refused(Questions { codes: 1, different: many, ..fine() }, "bucket_different_unusable");
    let largest = Layout::new(fine()).unwrap();
    let refused = Builder::new(largest, ENTITIES_MAX + 1, 0).unwrap_err();
    assert_eq!(refused.code(), "bucket_entities_too_many");
    let questions = Questions { codes: 1, different: vec![asked(0, 0, 0); DIFFERENT_MAX], ..fine() };
    let refused = Builder::new(Layout::new(questions).unwrap(), ENTITIES_MAX, 0).unwrap_err();
    assert_eq!(refused.code(), "bucket_answers_too_many");
    let by = GroupBy { window: 0, condition: 0, greatest: 0 };
    assert_eq!(Peers::new(by, GROUPS_MAX + 1, vec![]).unwrap_err().code(), "bucket_groups_too_many");
    let beyond = Feature { window: 99, condition: 0, sum: None };
    assert_eq!(Peers::new(by, 1, vec![beyond]).unwrap_err().code(), "bucket_features_unusable");

    let file = [declared(7, 99, 0, 1_000, 10, 6109, 1), declared(7, 98, 2, i64::MAX / 2, 20, 6109, 2)];
    let mut table = built(&file, 100);
    let mut followed = follow(&table).followed;
    let before = followed.0.clone();
    let mut refused = |day, out: &[Entry], put: &[Entry]| {
        let (out, put) = (Lanes::of(out), Lanes::of(put));
        let error = out.with(|out| put.with(|put| table.change(day, &Change { out, put }, &mut followed)));
        let error = error.unwrap_err();
        let mut found = BTreeMap::new();
        table.each(|entity, reading| _ = found.insert(entity, answers_of(reading)));
        assert_eq!((table.day(), &found, &followed.0), (100, &before, &before));
        error
    };
    let twice = [file[0].clone(), file[1].clone(), file[0].clone()];
    assert_eq!(refused(101, &twice, &[]), BucketError::NoSuchEntry(2), "held once only");
    let other = [file[0].clone(), declared(7, 99, 0, 1_001, 10, 6109, 1)];
    assert_eq!(refused(101, &other, &[]), BucketError::NoSuchEntry(1));
    assert_eq!(refused(99, &[], &[]), BucketError::DayBefore { at: 100, asked: 99 });
    let beyond = [declared(ENTITIES, 99, 0, 1, 1, 1, 1)];
    assert_eq!(
        refused(101, &[], &beyond),
        BucketError::NoSuchEntity { entity: ENTITIES, entities: ENTITIES }
    );
    let large = [declared(9, 99, 0, i64::MIN / 2, 1, 1, 1)];
    assert_eq!(refused(101, &[], &large), BucketError::AmountsTooLarge);

    table.number(ENTITIES + 1).unwrap();
    changed(&mut table, 101, &[], &beyond, &mut followed);
    assert_eq!(read(&table, ENTITIES).different, [1, 0, 1]);
}
