//! Window aggregates in day buckets: what a table says is what a plain computation from all entries says, in whatever
//! order they came, late, put right, taken out, and as days go by.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tags::buckets::{
    Builder, Change, Different, Entries, Feature, GroupBy, Layout, Middle, Moments, Peers, Questions,
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
    let out = proptest::collection::vec(any::<prop::sample::Index>(), 0..30);
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
            assert_eq!(changed.middle(group, number), middle(&values));
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
