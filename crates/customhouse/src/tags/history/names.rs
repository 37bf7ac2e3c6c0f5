//! Names of entities, numbered in the order in which they come.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;

use ::pool::lanes::LaneValues;
use ::tags::history::NOBODY;
use ::tags::matcher::ABSENT;
use ahash::RandomState;
use rust_decimal::Decimal;
use spine::entry::TextColumn;
use spine::{Column, Value};

use crate::error::Error;

/// Bytes of a name at most; what is longer is cut, so that two such may be taken for one.
const NAME_BYTES_MAX: usize = 1 << 10;
/// Whole numbers below this have a place of their own in a table: 16 MB, if they come so far.
const DENSE_MAX: usize = 1 << 22;

/// All names in one piece of memory. Tables that find a number by its name are made when names are first looked for:
/// whoever reads entries whose entities are numbered already needs none.
#[derive(Default)]
pub(super) struct EntityNames {
    text: String,
    ends: Vec<usize>,
    by_text: ByText,
    by_whole: ByWhole,
}

/// Names by their hashes, about 25 bytes a name.
#[derive(Default)]
struct ByText {
    /// Names that it holds: the first ones.
    known: u32,
    hasher: RandomState,
    by_hash: HashMap<u64, u32, RandomState>,
    /// Those whose hash is another one's.
    others: HashMap<String, u32, RandomState>,
}

/// Names that are whole numbers, by these.
#[derive(Default)]
struct ByWhole {
    /// Names that it holds: the first ones.
    known: u32,
    /// Of each number from 0 its entity, [`NOBODY`] where there is none yet.
    dense: Vec<u32>,
    sparse: HashMap<i64, u32, RandomState>,
}

impl ByWhole {
    #[inline]
    fn get(&self, whole: i64) -> Option<u32> {
        match usize::try_from(whole) {
            Ok(at) if at < DENSE_MAX => self.dense.get(at).copied().filter(|number| *number != NOBODY),
            _ => self.sparse.get(&whole).copied(),
        }
    }

    fn set(&mut self, whole: i64, number: u32) {
        match usize::try_from(whole) {
            Ok(at) if at < DENSE_MAX => {
                if self.dense.len() <= at {
                    let grown = at.saturating_add(1).next_power_of_two();
                    self.dense.resize(grown, NOBODY);
                }
                if let Some(place) = self.dense.get_mut(at) {
                    *place = number;
                }
            }
            _ => {
                self.sparse.insert(whole, number);
            }
        }
    }
}

impl EntityNames {
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(NOBODY)
    }

    pub(super) fn name(&self, number: u32) -> Option<&str> {
        let at = usize::try_from(number).ok()?;
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(at)?)
    }

    /// The number of one name. All are looked at: that is faster than a table made for one.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let name = cut(name);
        (0..self.len()).find(|number| self.name(*number) == Some(name))
    }

    fn push(&mut self, name: &str) -> u32 {
        let number = self.len();
        self.text.push_str(name);
        self.ends.push(self.text.len());
        number
    }

    /// Takes up the names that came otherwise.
    fn know_texts(&mut self) {
        while self.by_text.known < self.len() {
            let number = self.by_text.known;
            let Some(name) = self.name(number) else { return };
            let hash = self.by_text.hasher.hash_one(name);
            let doubled = self.by_text.by_hash.contains_key(&hash).then(|| name.to_owned());
            match doubled {
                Some(name) => self.by_text.others.insert(name, number),
                None => self.by_text.by_hash.insert(hash, number),
            };
            self.by_text.known = number.saturating_add(1);
        }
    }

    /// Takes up the names that came otherwise and are whole numbers as they are written here.
    fn know_wholes(&mut self) {
        let mut written = String::new();
        while self.by_whole.known < self.len() {
            let number = self.by_whole.known;
            let Some(name) = self.name(number) else { return };
            if let Ok(whole) = name.parse::<i64>() {
                written.clear();
                let _ = write!(written, "{whole}");
                if written == name {
                    self.by_whole.set(whole, number);
                }
            }
            self.by_whole.known = number.saturating_add(1);
        }
    }

    /// The number of a name, a new one if it is new. All names before are in the table.
    fn of_text(&mut self, name: &str) -> u32 {
        let (name, next) = (cut(name), self.len());
        match self.by_text.by_hash.entry(self.by_text.hasher.hash_one(name)) {
            Entry::Vacant(place) => {
                place.insert(next);
            }
            Entry::Occupied(known) => {
                let known = *known.get();
                if self.name(known) == Some(name) {
                    return known;
                }
                if let Some(known) = self.by_text.others.get(name) {
                    return *known;
                }
                self.by_text.others.insert(name.to_owned(), next);
            }
        }
        self.by_text.known = next.saturating_add(1);
        self.push(name)
    }

    /// The number of each row's entity, [`NOBODY`] where the column has no value.
    pub(super) fn of(&mut self, lane: &LaneValues) -> Vec<u32> {
        if let LaneValues::Whole { values, scale: 0 } = lane {
            self.know_wholes();
            return self.of_wholes(values);
        }
        self.know_texts();
        match lane {
            LaneValues::Column(Column::Text(texts)) => {
                let known: Vec<u32> = texts.dictionary().iter().map(|text| self.of_text(text)).collect();
                let number = |code: &u32| match *code {
                    TextColumn::ABSENT => NOBODY,
                    code => {
                        let number = usize::try_from(code).ok().and_then(|code| known.get(code));
                        number.copied().unwrap_or(NOBODY)
                    }
                };
                texts.codes().iter().map(number).collect()
            }
            LaneValues::Column(column) => {
                let mut number = |value: Value| self.of_text(&value.to_string());
                (0..column.len()).map(|row| column.value(row).map_or(NOBODY, &mut number)).collect()
            }
            LaneValues::Float(values) => {
                let number =
                    |value: &f64| if value.is_nan() { NOBODY } else { self.of_text(&value.to_string()) };
                values.iter().map(number).collect()
            }
            LaneValues::Whole { values, scale } => {
                // Digits behind the point belong to the name: 5.00 is 5, and not 500.
                let mut number = |value: &i64| match *value {
                    ABSENT => NOBODY,
                    value => match Decimal::try_from_i128_with_scale(value.into(), *scale) {
                        Ok(value) => self.of_text(&value.normalize().to_string()),
                        Err(_) => NOBODY,
                    },
                };
                values.iter().map(&mut number).collect()
            }
        }
    }

    /// The numbers of whole numbers. All names before are in their table.
    fn of_wholes(&mut self, values: &[i64]) -> Vec<u32> {
        let mut written = String::new();
        let number = |value: &i64| {
            if *value == ABSENT {
                return NOBODY;
            }
            if let Some(known) = self.by_whole.get(*value) {
                return known;
            }
            written.clear();
            let _ = write!(written, "{value}");
            let number = self.push(&written);
            self.by_whole.set(*value, number);
            self.by_whole.known = number.saturating_add(1);
            number
        };
        values.iter().map(number).collect()
    }

    /// The names from a number on: of each its length in 2 bytes, the lowest first, and its bytes.
    pub(super) fn bytes_from(&self, first: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for name in (first..self.len()).filter_map(|number| self.name(number)) {
            bytes.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes
    }

    /// Adds what [`EntityNames::bytes_from`] wrote.
    ///
    /// # Errors
    /// `history_damaged`.
    pub(super) fn add(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let read = bytes
                .split_first_chunk::<2>()
                .and_then(|(length, rest)| rest.split_at_checked(usize::from(u16::from_le_bytes(*length))));
            let read = read.and_then(|(name, rest)| Some((std::str::from_utf8(name).ok()?, rest)));
            let (name, rest) = read.ok_or_else(|| super::damaged(&"a name is unreadable"))?;
            self.push(name);
            bytes = rest;
        }
        Ok(())
    }
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use spine::entry::TextColumn;

    use super::*;

    fn texts(values: &[&str]) -> LaneValues {
        let mut column = TextColumn::default();
        for value in values {
            column.push((!value.is_empty()).then_some(*value));
        }
        LaneValues::Column(Column::Text(column))
    }

    /// Issue 6: amounts of two digits behind the point were numbered as if they had none.
    #[test]
    fn a_number_is_named_by_what_it_is_not_by_how_it_is_kept() {
        let mut names = EntityNames::default();
        let whole = names.of(&LaneValues::Whole { values: vec![5, 500, ABSENT], scale: 0 });
        let cents = names.of(&LaneValues::Whole { values: vec![500, 50_000, ABSENT, 550], scale: 2 });
        assert_eq!((cents[..3] == whole[..], names.name(cents[3])), (true, Some("5.5")));
    }

    /// Texts and whole numbers by turns, near and far, and once in between what was written is read again: one name has
    /// one number.
    #[test]
    fn one_name_has_one_number_however_it_comes() {
        let mut names = EntityNames::default();
        let mut expected: HashMap<String, u32> = HashMap::new();
        let long = "x".repeat(3_000);
        let far = i64::try_from(DENSE_MAX).unwrap();
        for round in 0..4_i64 {
            let values =
                [7, -7, 0, ABSENT, i64::MAX, ABSENT + 1, far - 1, far, far + round, 7 + round, 1_000_000];
            let written: Vec<String> = values.iter().map(i64::to_string).collect();
            let own = names.of(&LaneValues::Whole { values: values.to_vec(), scale: 0 });
            for ((value, written), number) in values.iter().zip(&written).zip(own) {
                if *value == ABSENT {
                    assert_eq!(number, NOBODY);
                } else {
                    assert_eq!(*expected.entry(written.clone()).or_insert(number), number, "{written}");
                }
            }
            let other = format!("{}", 9 + round);
            let values = ["7", "07", "+7", "-0", "NL0001", "", &long, "1000000", &other, "7"];
            for (value, number) in values.iter().zip(names.of(&texts(&values))) {
                if value.is_empty() {
                    assert_eq!(number, NOBODY);
                } else {
                    let value = cut(value).to_owned();
                    assert_eq!(*expected.entry(value.clone()).or_insert(number), number, "{value}");
                }
            }
            if round == 1 {
                let bytes = names.bytes_from(0);
                names = EntityNames::default();
                names.add(&bytes).unwrap();
            }
        }
        assert_eq!(usize::try_from(names.len()).unwrap(), expected.len());
        for (name, number) in expected {
            assert_eq!((names.name(number), names.number(&name)), (Some(name.as_str()), Some(number)));
        }
    }
}
