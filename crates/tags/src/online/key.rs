//! Keys without a dictionary: 128 bits of hash stand for the values that entries agree in.
//!
//! A dictionary of every importer, container and amount ever seen would grow for ever. Two different keys among a
//! thousand million are mistaken for each other with a chance of about 10^-21.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use spine::{Column, EntryTable};

use crate::aggregate::FieldPart;
use crate::key::beginning;

/// Multiplier of the 128-bit congruential generator of P. L'Ecuyer, "Tables of linear congruential generators of
/// different sizes and good lattice structure", Mathematics of Computation 68, 1999.
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// What entries of one window agree in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64, u64);

impl Key {
    /// The key of the marks of its parts; none if one of them is absent. No parts: one key for all.
    pub(crate) fn of(parts: impl Iterator<Item = Option<u128>>) -> Option<Self> {
        let mut key = MULTIPLIER;
        for part in parts {
            key = (key.rotate_left(29) ^ part?).wrapping_mul(MULTIPLIER);
        }
        Some(Self(half(key >> 64), half(key)))
    }
}

/// The lower half.
pub(crate) fn half(mark: u128) -> u64 {
    u64::try_from(mark & u128::from(u64::MAX)).unwrap_or_default()
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Takes half of the key as it is: it is a hash already.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }
}

/// Parts of what is held by key. Looking through a part, or making room in it, takes no call long.
pub(crate) const PARTS: usize = 16;

/// Something for each key.
#[derive(Debug)]
pub(crate) struct Keys<T> {
    parts: [HashMap<Key, T, BuildHasherDefault<KeyHasher>>; PARTS],
}

impl<T> Default for Keys<T> {
    fn default() -> Self {
        Self { parts: std::array::from_fn(|_| HashMap::default()) }
    }
}

/// The part of a key: by bits that its place within the part does not follow.
fn part_of(key: &Key) -> usize {
    usize::try_from(key.1).unwrap_or_default() % PARTS
}

#[expect(clippy::indexing_slicing, reason = "a remainder by the number of parts is below it")]
impl<T> Keys<T> {
    /// How many keys.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(HashMap::len).sum()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&T> {
        self.parts[part_of(key)].get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        self.parts[part_of(key)].get_mut(key)
    }

    pub(crate) fn entry(&mut self, key: Key) -> Entry<'_, Key, T> {
        self.parts[part_of(&key)].entry(key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flat_map(HashMap::values)
    }

    /// The same keys with something else.
    pub(crate) fn map<U>(self, other: impl Fn(T) -> U) -> Keys<U> {
        let other = &other;
        Keys { parts: self.parts.map(|part| part.into_iter().map(|(key, own)| (key, other(own))).collect()) }
    }

    /// Lets go of what is not to be kept.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        for part in 0..PARTS {
            self.retain_of(part, &mut keep);
        }
    }

    /// Lets go of what is not to be kept in one part; parts are counted round and round. Tells how many keys were there
    /// and how many are left.
    pub(crate) fn retain_of(&mut self, part: usize, mut keep: impl FnMut(&mut T) -> bool) -> (usize, usize) {
        let part = &mut self.parts[part % PARTS];
        let before = part.len();
        part.retain(|_, own| keep(own));
        if part.len().saturating_mul(4) < part.capacity() {
            part.shrink_to_fit();
        }
        (before, part.len())
    }
}

/// The mark of one value: equal values have equal marks.
fn mark(value: &impl Hash) -> u128 {
    let half = |side: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(side);
        value.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// The mark of a text.
pub(crate) fn text_mark(text: &str) -> u128 {
    mark(&text)
}

/// One mark a row; absent where the value is, or where it is too short.
pub(crate) fn marks(table: &EntryTable, part: &FieldPart) -> Vec<Option<u128>> {
    match table.column(&part.field) {
        None => vec![None; table.len()],
        Some(Column::Text(column)) => {
            let of_text: Vec<Option<u128>> = column
                .dictionary()
                .iter()
                .map(|text| match part.prefix {
                    None => Some(mark(&text.as_ref())),
                    Some(prefix) => beginning(text, prefix).map(|start| mark(&start)),
                })
                .collect();
            let of_code = |code: &u32| of_text.get(usize::try_from(*code).ok()?).copied().flatten();
            column.codes().iter().map(of_code).collect()
        }
        Some(Column::Decimal(values)) => marks_of(values),
        Some(Column::Date(values)) => marks_of(values),
        Some(Column::DateTime(values)) => marks_of(values),
        Some(Column::Boolean(values)) => marks_of(values),
    }
}

fn marks_of<T: Hash>(values: &[Option<T>]) -> Vec<Option<u128>> {
    values.iter().map(|value| value.as_ref().map(mark)).collect()
}
