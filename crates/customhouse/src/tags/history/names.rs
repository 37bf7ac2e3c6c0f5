//! Names of entities, numbered in the order in which they come.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;

use ::pool::lanes::LaneValues;
use ::tags::history::NOBODY;
use ::tags::matcher::ABSENT;
use spine::entry::TextColumn;
use spine::{Column, Value};

use crate::error::Error;

/// Bytes of a name at most; what is longer is cut, so that two such may be taken for one.
const NAME_BYTES_MAX: usize = 1 << 10;

/// All names in one piece of memory, and a table from their hashes: about 35 bytes a name beside its own.
pub(super) struct EntityNames {
    text: String,
    ends: Vec<usize>,
    hasher: RandomState,
    by_hash: HashMap<u64, u32>,
    /// Those whose hash is another one's.
    others: HashMap<String, u32>,
}

impl Default for EntityNames {
    fn default() -> Self {
        let (by_hash, others) = (HashMap::new(), HashMap::new());
        Self { text: String::new(), ends: Vec::new(), hasher: RandomState::new(), by_hash, others }
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

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let name = cut(name);
        let number = *self.by_hash.get(&self.hasher.hash_one(name))?;
        if self.name(number) == Some(name) { Some(number) } else { self.others.get(name).copied() }
    }

    /// The number of a name, a new one if it is new.
    fn number_or_new(&mut self, name: &str) -> u32 {
        let (name, next) = (cut(name), self.len());
        match self.by_hash.entry(self.hasher.hash_one(name)) {
            Entry::Vacant(place) => {
                place.insert(next);
            }
            Entry::Occupied(known) => {
                let known = *known.get();
                if self.name(known) == Some(name) {
                    return known;
                }
                if let Some(known) = self.others.get(name) {
                    return *known;
                }
                self.others.insert(name.to_owned(), next);
            }
        }
        self.text.push_str(name);
        self.ends.push(self.text.len());
        next
    }

    /// The number of each row's entity, [`NOBODY`] where the column has no value.
    pub(super) fn of(&mut self, lane: &LaneValues) -> Vec<u32> {
        match lane {
            LaneValues::Whole { values, .. } => {
                let mut known: HashMap<i64, u32> = HashMap::new();
                let number = |value: &i64| match *value {
                    ABSENT => NOBODY,
                    value => *known.entry(value).or_insert_with(|| self.number_or_new(&value.to_string())),
                };
                values.iter().map(number).collect()
            }
            LaneValues::Column(Column::Text(texts)) => {
                let known: Vec<u32> =
                    texts.dictionary().iter().map(|text| self.number_or_new(text)).collect();
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
                let mut number = |value: Value| self.number_or_new(&value.to_string());
                (0..column.len()).map(|row| column.value(row).map_or(NOBODY, &mut number)).collect()
            }
            LaneValues::Float(values) => {
                let number = |value: &f64| {
                    if value.is_nan() { NOBODY } else { self.number_or_new(&value.to_string()) }
                };
                values.iter().map(number).collect()
            }
        }
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
            let before = self.len();
            if self.number_or_new(name) != before {
                return Err(super::damaged(&"a name is there twice"));
            }
            bytes = rest;
        }
        Ok(())
    }
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(name)
}
