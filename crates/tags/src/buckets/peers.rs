//! How far an entity is from others of its group.
//!
//! A group's mean and standard deviation rest on three whole numbers: how many entities it has, the sum of their values
//! and the sum of their squares. When an entity changes, its old value leaves them and the new one comes, so they are
//! those of a computation from all entities. Whether a value is beyond the mean by so many standard deviations is
//! decided without roots and quotients, by comparing products of 256 bits ([`fence`]).
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places are computed from the numbers of groups and features, and property tests compare all \
              answers with a plain recomputation"
)]

use rust_decimal::prelude::ToPrimitive;
use thiserror::Error;

use super::entries::{local_of, place};
use super::quotient::Quotient;
use super::reading::{Reading, each_bit};
use super::table::Sink;
use super::wide::Wide;
use super::{AMOUNTS_MAX, CONDITIONS_MAX, SHARDS, WINDOWS_MAX};

/// Groups at most.
pub const GROUPS_MAX: u16 = u16::MAX - 1;
/// Values by which entities of a group are compared, at most.
pub const FEATURES_MAX: usize = 1_024;

/// A value by which entities of a group are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// The window's number.
    pub window: usize,
    /// The condition's number.
    pub condition: usize,
    /// The amount that is added up; none: how many entries.
    pub sum: Option<usize>,
}

/// What an entity's group is: the greatest of an amount, such as the highest chapter that it declared, or of numbers
/// that were given to pairs of chapter and origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBy {
    /// The window's number.
    pub window: usize,
    /// The condition's number. Entities without an entry that fulfils it belong to no group.
    pub condition: usize,
    /// The amount of which the greatest counts: its value is the group's number.
    pub greatest: usize,
}

/// How the group of an entity is found.
#[derive(Debug, Clone, PartialEq)]
enum Grouping {
    Greatest(GroupBy),
    /// By entity; [`NO_GROUP`] of those without one.
    Given(Vec<u16>),
}

/// Such a comparison cannot be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PeersError {
    /// Too many groups.
    #[error("there are at most {GROUPS_MAX} groups, not {0}; take wider ones")]
    Groups(u16),
    /// Too many features, or one of what no table has.
    #[error(
        "at most {FEATURES_MAX} values are compared, each of a window, condition and sum that the table has"
    )]
    Features,
}

impl PeersError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Groups(_) => "bucket_groups_too_many",
            Self::Features => "bucket_features_unusable",
        }
    }
}

/// What is known of one value in one group. All of it is exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    /// Entities of the group.
    pub entities: u32,
    /// Sum of their values.
    pub sum: i128,
    /// Sum of the squares of their values.
    pub squares: u128,
}

/// Median and median absolute deviation of one value in one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Middle {
    /// Twice the median: of an even number of values the median is the mean of the two in the middle.
    pub twice_median: i128,
    /// Four times the median of how far values are from the median.
    pub four_times_deviation: i128,
}

impl Moments {
    /// How many standard deviations (of a sample) a value is above the mean, below it with a minus: rounded once from
    /// whole numbers, to what floating point holds. None where the deviation is 0 or there is but one entity.
    #[must_use]
    pub fn deviations(&self, value: i64) -> Option<f64> {
        let count = u64::from(self.entities);
        let above = i128::from(value) * i128::from(self.entities) - self.sum;
        let spread = self.spread().times(count).to_f64() / (count.checked_sub(1)?).to_f64()?;
        (spread > 0.0).then(|| above.to_f64().map(|above| above / spread.sqrt()))?
    }

    /// The number of entities times the sum of squares, less the square of the sum.
    fn spread(&self) -> Wide {
        let sum = self.sum.unsigned_abs();
        Wide::product(self.squares, self.entities.into()).minus(Wide::product(sum, sum))
    }
}

impl Middle {
    /// How many median absolute deviations a value is above the median, below it with a minus. None where the deviation
    /// is 0.
    #[must_use]
    pub fn deviations(&self, value: i64) -> Option<f64> {
        let above = 4 * i128::from(value) - 2 * self.twice_median;
        let deviation = self.four_times_deviation.to_f64().filter(|deviation| *deviation > 0.0)?;
        Some(above.to_f64()? / deviation)
    }

    /// Is a value above the median by more than so many median absolute deviations, as a fraction of two numbers?
    #[must_use]
    pub fn is_exceeded_by(&self, value: i64, (times, parts): (u16, u16)) -> bool {
        let above = 4 * i128::from(value) - 2 * self.twice_median;
        above * i128::from(parts) > self.four_times_deviation * i128::from(times)
    }
}

/// A value of an entity that is not 0. [`GONE`] where the entity changed since.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Item {
    value: i64,
    group: u16,
    feature: u16,
}

/// No sum is so low.
const GONE: i64 = i64::MIN;
/// The group of an entity without one.
const NO_GROUP: u16 = u16::MAX;

/// Where an entity's values stand among those of its shard.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    start: u32,
    count: u16,
    group: u16,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Shard {
    places: Vec<Place>,
    items: Vec<Item>,
    gone: usize,
}

/// Groups of entities and their values. Follows a table as a [`Sink`].
#[derive(Debug, Clone, PartialEq)]
pub struct Peers {
    by: Grouping,
    features: Vec<Feature>,
    /// By window: its conditions that features ask for, and of each the features.
    asked: Vec<(u64, Vec<Vec<u16>>)>,
    /// Entities of each group.
    entities: Vec<u32>,
    /// By group and feature: values that are not 0, sum, sum of squares.
    values: Vec<(u32, i128, u128)>,
    shards: Vec<Shard>,
    /// Memory that is used again.
    room: Vec<Item>,
}

impl Peers {
    /// Nobody yet.
    ///
    /// # Errors
    /// Too many groups or features.
    pub fn new(by: GroupBy, groups: u16, features: Vec<Feature>) -> Result<Self, PeersError> {
        Self::empty(Grouping::Greatest(by), groups, features)
    }

    /// Nobody yet; the group of each entity is given, none of those that belong to none. It stays the same.
    ///
    /// # Errors
    /// Too many groups or features.
    pub fn of_given(
        group_of: impl Iterator<Item = Option<u16>>,
        groups: u16,
        features: Vec<Feature>,
    ) -> Result<Self, PeersError> {
        let given = group_of.map(|group| group.unwrap_or(NO_GROUP)).collect();
        Self::empty(Grouping::Given(given), groups, features)
    }

    fn empty(by: Grouping, groups: u16, features: Vec<Feature>) -> Result<Self, PeersError> {
        if groups > GROUPS_MAX {
            return Err(PeersError::Groups(groups));
        }
        let known = |feature: &Feature| {
            feature.window < WINDOWS_MAX
                && feature.condition < CONDITIONS_MAX
                && feature.sum.is_none_or(|sum| sum < AMOUNTS_MAX)
        };
        if features.len() > FEATURES_MAX || !features.iter().all(known) {
            return Err(PeersError::Features);
        }
        let groups = usize::from(groups);
        let mut asked = vec![(0_u64, vec![Vec::new(); CONDITIONS_MAX]); WINDOWS_MAX];
        for (number, feature) in (0_u16..).zip(&features) {
            let (conditions, numbers) = &mut asked[feature.window];
            *conditions |= 1 << feature.condition;
            numbers[feature.condition].push(number);
        }
        Ok(Self {
            by,
            asked,
            entities: vec![0; groups],
            values: vec![(0, 0, 0); groups * features.len()],
            features,
            shards: vec![Shard::default(); SHARDS],
            room: Vec::new(),
        })
    }

    /// Sums of one value in one group.
    #[must_use]
    pub fn moments(&self, group: u16, feature: usize) -> Moments {
        let at = usize::from(group);
        let Some(entities) = self.entities.get(at).copied().filter(|_| feature < self.features.len()) else {
            return Moments::default();
        };
        let (_, sum, squares) = self.values[at * self.features.len() + feature];
        Moments { entities, sum, squares }
    }

    /// The group of an entity.
    #[must_use]
    pub fn group_of(&self, entity: u32) -> Option<u16> {
        let shard = self.shards.get(place(u64::from(entity)) % SHARDS)?;
        shard.places.get(local_of(entity)).map(|place| place.group).filter(|group| *group != NO_GROUP)
    }

    /// An entity's value.
    #[must_use]
    pub fn value_of(&self, entity: u32, feature: usize) -> i64 {
        let Some(shard) = self.shards.get(place(u64::from(entity)) % SHARDS) else { return 0 };
        let place = shard.places.get(local_of(entity)).filter(|place| place.group != NO_GROUP);
        let Some(own) = place else { return 0 };
        let items = &shard.items[own.items()];
        items.iter().find(|item| usize::from(item.feature) == feature).map_or(0, |item| item.value)
    }

    /// An entity's part of what its group has together; none outside groups, or where that is 0.
    #[must_use]
    pub fn share(&self, entity: u32, feature: usize) -> Option<Quotient> {
        let group = self.group_of(entity)?;
        Quotient::new(self.value_of(entity, feature), self.moments(group, feature).sum)
    }

    /// The least value of each group and feature, group by group, that is above the mean by more than so many standard
    /// deviations, as a fraction of two numbers. [`i64::MAX`] where no value is.
    #[must_use]
    pub fn fences(&self, deviations: (u16, u16)) -> Vec<i64> {
        let features = 0..self.features.len();
        let groups = (0_u16..).take(self.entities.len());
        groups
            .flat_map(|group| features.clone().map(move |feature| (group, feature)))
            .map(|(group, feature)| fence(&self.moments(group, feature), deviations))
            .collect()
    }

    /// Of each feature how many entities reach the fence of their group.
    #[must_use]
    pub fn beyond(&self, fences: &[i64]) -> Vec<u64> {
        let features = self.features.len();
        let mut counts = vec![0_u64; features];
        if fences.len() != self.values.len() || features == 0 {
            return counts;
        }
        for item in self.shards.iter().flat_map(|shard| &shard.items) {
            let feature = usize::from(item.feature);
            counts[feature] += u64::from(item.value >= fences[usize::from(item.group) * features + feature]);
        }
        // Values of 0 are held by nobody.
        for (group, fences) in fences.chunks_exact(features).enumerate() {
            for (feature, _) in fences.iter().enumerate().filter(|(_, fence)| **fence <= 0) {
                let (others, _, _) = self.values[group * features + feature];
                counts[feature] += u64::from(self.entities[group].saturating_sub(others));
            }
        }
        counts
    }

    /// Median and median absolute deviation; none in a group without entities. A pass over all values.
    #[must_use]
    pub fn middle(&self, group: u16, feature: usize) -> Option<Middle> {
        let entities = place(u64::from(self.moments(group, feature).entities));
        if entities == 0 {
            return None;
        }
        let items = self.shards.iter().flat_map(|shard| &shard.items);
        let own = items
            .filter(|item| item.group == group && usize::from(item.feature) == feature && item.value != GONE);
        Some(middle_of(own.map(|item| i128::from(item.value)).collect(), entities))
    }

    /// The same of all groups, in one pass over all values.
    #[must_use]
    pub fn middles(&self, feature: usize) -> Vec<Option<Middle>> {
        let mut values = vec![Vec::new(); self.entities.len()];
        for item in self.shards.iter().flat_map(|shard| &shard.items) {
            if usize::from(item.feature) == feature && item.value != GONE {
                values[usize::from(item.group)].push(i128::from(item.value));
            }
        }
        let groups = values.into_iter().zip(&self.entities).map(|(values, entities)| {
            let entities = place(u64::from(*entities));
            (entities > 0 && feature < self.features.len()).then(|| middle_of(values, entities))
        });
        groups.collect()
    }

    fn take_out(&mut self, entity: u32) {
        let shard = &mut self.shards[place(u64::from(entity)) % SHARDS];
        let Some(own) = shard.places.get_mut(local_of(entity)).filter(|own| own.group != NO_GROUP) else {
            return;
        };
        let first = usize::from(own.group) * self.features.len();
        self.entities[usize::from(own.group)] -= 1;
        for item in &mut shard.items[own.items()] {
            let (others, sum, squares) = &mut self.values[first + usize::from(item.feature)];
            *others -= 1;
            *sum -= i128::from(item.value);
            *squares -= square(item.value);
            item.value = GONE;
        }
        shard.gone += usize::from(own.count);
        // Where they were is kept: most entities come again with as many.
        own.group = NO_GROUP;
        if shard.gone > shard.items.len() / 2 + 1_024 {
            shard.compact();
        }
    }

    fn put_in(&mut self, entity: u32, reading: &Reading) {
        let group = match &self.by {
            Grouping::Greatest(by) => reading
                .greatest(by.window, by.condition, by.greatest)
                .and_then(|group| u16::try_from(group).ok()),
            Grouping::Given(groups) => groups.get(place(u64::from(entity))).copied(),
        };
        let Some(group) = group.filter(|group| usize::from(*group) < self.entities.len()) else {
            return;
        };
        let first = usize::from(group) * self.features.len();
        self.entities[usize::from(group)] += 1;
        let (features, values, items) = (&self.features, &mut self.values, &mut self.room);
        items.clear();
        let mut add = |number: u16, value: i64| {
            items.push(Item { value, group, feature: number });
            let (others, sum, squares) = &mut values[first + usize::from(number)];
            *others += 1;
            *sum += i128::from(value);
            *squares += square(value);
        };
        for (window, (conditions, numbers)) in self.asked.iter().enumerate() {
            each_bit(reading.conditions(window) & conditions, |condition| {
                let cell = reading.added(window, condition).unwrap_or_default();
                for number in &numbers[condition] {
                    let at = features[usize::from(*number)].sum.map_or(0, |sum| sum + 1);
                    match cell.get(at) {
                        None | Some(0) => {}
                        Some(value) => add(*number, *value),
                    }
                }
            });
        }
        self.shards[place(u64::from(entity)) % SHARDS].put(local_of(entity), group, items);
    }
}

impl Sink for Peers {
    fn before(&mut self, entity: u32, _reading: &Reading) {
        self.take_out(entity);
    }

    fn after(&mut self, entity: u32, reading: &Reading) {
        self.put_in(entity, reading);
    }
}

impl Place {
    fn items(&self) -> std::ops::Range<usize> {
        let start = place(u64::from(self.start));
        start..start + usize::from(self.count)
    }
}

impl Shard {
    /// Puts an entity's values where its old ones were, or behind all others where they are more.
    fn put(&mut self, local: usize, group: u16, items: &[Item]) {
        if local >= self.places.len() {
            self.places.resize(local + 1, Place { start: 0, count: 0, group: NO_GROUP });
        }
        let own = &mut self.places[local];
        own.group = group;
        if items.len() > usize::from(own.count) {
            own.start = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
            self.items.extend_from_slice(items);
        } else {
            let start = place(u64::from(own.start));
            self.items[start..start + items.len()].copy_from_slice(items);
            self.gone -= items.len();
        }
        own.count = u16::try_from(items.len()).unwrap_or(u16::MAX);
    }

    /// Lets go of values that are gone.
    fn compact(&mut self) {
        let mut items = Vec::with_capacity(self.items.len() - self.gone);
        for own in &mut self.places {
            if own.group == NO_GROUP {
                own.count = 0;
                continue;
            }
            let start = u32::try_from(items.len()).unwrap_or(u32::MAX);
            items.extend_from_slice(&self.items[own.items()]);
            own.start = start;
        }
        self.items = items;
        self.gone = 0;
    }
}

/// Below 2^126.
fn square(value: i64) -> u128 {
    let value = u128::from(value.unsigned_abs());
    value * value
}

/// Of the values that are not 0, among so many in all.
fn middle_of(mut values: Vec<i128>, entities: usize) -> Middle {
    values.resize(entities, 0);
    let twice_median = twice_median(&mut values);
    for value in &mut values {
        *value = (2 * *value - twice_median).abs();
    }
    Middle { twice_median, four_times_deviation: self::twice_median(&mut values) }
}

fn twice_median(values: &mut [i128]) -> i128 {
    let middle = values.len() / 2;
    let (below, own, _) = values.select_nth_unstable(middle);
    let own = *own;
    if below.len() < middle || values.len() % 2 == 1 {
        return 2 * own;
    }
    own + values[..middle].iter().max().copied().unwrap_or(own)
}

/// The least value that is above the mean by more than so many standard deviations (of a sample; 0 where the group has
/// one entity): with `n` entities of sum `s` and squares `q`, where `n f > s` and
/// `(n f - s)^2 (n - 1) d^2 > m^2 n (n q - s^2)` for `m/d` deviations.
pub(super) fn fence(moments: &Moments, (times, parts): (u16, u16)) -> i64 {
    let count = u64::from(moments.entities);
    if count == 0 || parts == 0 {
        return i64::MAX;
    }
    let needed = moments.spread().times(count).times(u64::from(times)).times(u64::from(times));
    let beyond = |value: i64| {
        let Ok(distance) = u128::try_from(i128::from(value) * i128::from(count) - moments.sum) else {
            return false;
        };
        let weight = if count == 1 { 1 } else { count - 1 };
        let reached = Wide::product(distance, distance).times(weight).times(u64::from(parts));
        distance > 0 && reached.times(u64::from(parts)) > needed
    };
    // Near the answer in floating point; then to it, in steps that double and then halve.
    let number = |number: Option<f64>| number.unwrap_or_default();
    let n = number(count.to_f64());
    let mean = number(moments.sum.to_f64()) / n;
    let variance = (number(moments.squares.to_f64()) - mean * mean * n) / (n - 1.0).max(1.0);
    let near = mean + variance.max(0.0).sqrt() * f64::from(times) / f64::from(parts);
    let near = near.to_i64().unwrap_or(i64::MAX);
    first_where(near, beyond)
}

/// The first number for which a condition holds that holds for all larger ones; [`i64::MAX`] where it holds for none.
fn first_where(near: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high, mut step) = (near, near, 1_i64);
    while high < i64::MAX && !holds(high) {
        low = high;
        high = high.saturating_add(step);
        step = step.saturating_mul(2);
    }
    step = 1;
    while low > i64::MIN && holds(low) {
        high = low;
        low = low.saturating_sub(step);
        step = step.saturating_mul(2);
    }
    // It does not hold at `low`, and holds at `high` unless that is the end.
    while i128::from(high) - i128::from(low) > 1 {
        let middle = low.midpoint(high);
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}
