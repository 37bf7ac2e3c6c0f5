//! Names as numbers: each is kept once, and compared as a number from then on.
//!
//! Whoever sends a document chooses its names. So that nobody can choose names that all fall into one place, a name
//! looks at a few places only; where they are taken, it goes into an ordered map.

use std::collections::BTreeMap;

/// The number of a name in its table, from 0 in the order of their coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameNumber(pub u32);

impl NameNumber {
    /// The number as a position in a list with one element for each name.
    #[inline]
    #[must_use]
    pub fn position(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Places that a name may stand in.
const PLACES: usize = 8;
/// Places of the smallest table that has any.
const PLACES_MIN: usize = 256;

/// Names and their numbers.
#[derive(Debug, Clone, Default)]
pub struct NameTable {
    /// All names, one behind the other.
    text: String,
    /// Where each name ends.
    ends: Vec<u32>,
    /// Twice as many as names, a power of two: what was made of a name's bytes, and its number from 1; 0 is free.
    places: Vec<(u32, u32)>,
    /// Names whose places were taken.
    others: BTreeMap<Box<str>, u32>,
}

impl NameTable {
    /// How many names there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True before the first name.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name of a number; empty for a number of another table.
    #[inline]
    #[must_use]
    pub fn name(&self, number: NameNumber) -> &str {
        let at = number.position();
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let to = self.ends.get(at).copied().unwrap_or(from);
        self.text.get(position(from)..position(to)).unwrap_or_default()
    }

    /// All names in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = (NameNumber, &str)> {
        let numbers = (0..u32::try_from(self.ends.len()).unwrap_or(u32::MAX)).map(NameNumber);
        numbers.map(|number| (number, self.name(number)))
    }

    /// The number of a name that is known.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NameNumber> {
        self.find_mixed(name, mix(name.as_bytes()))
    }

    /// The number of a name, known from now on. `None` where the table has no room: four thousand million bytes of
    /// names.
    #[inline]
    pub fn number(&mut self, name: &str) -> Option<NameNumber> {
        let mixed = mix(name.as_bytes());
        self.find_mixed(name, mixed).or_else(|| self.add(name, mixed))
    }

    /// The number of a name, known from now on if it may be: `None` where it is new and may not.
    #[inline]
    pub fn number_if(&mut self, name: &str, may_be: impl FnOnce(&str) -> bool) -> Option<NameNumber> {
        let mixed = mix(name.as_bytes());
        match self.find_mixed(name, mixed) {
            None if may_be(name) => self.add(name, mixed),
            known => known,
        }
    }

    #[inline]
    fn find_mixed(&self, name: &str, mixed: u32) -> Option<NameNumber> {
        let last = self.places.len().checked_sub(1)?;
        for step in 0..PLACES {
            match self.places.get(position(mixed).wrapping_add(step) & last) {
                Some((_, 0)) | None => return None,
                Some((other, number)) if *other == mixed => {
                    let number = NameNumber(number.saturating_sub(1));
                    if self.name(number) == name {
                        return Some(number);
                    }
                }
                Some(_) => {}
            }
        }
        self.others.get(name).map(|number| NameNumber(*number))
    }

    fn add(&mut self, name: &str, mixed: u32) -> Option<NameNumber> {
        let end = u32::try_from(self.text.len().checked_add(name.len())?).ok()?;
        let number = u32::try_from(self.ends.len()).ok()?;
        self.text.push_str(name);
        self.ends.push(end);
        if self.places.len() < self.ends.len().saturating_mul(2) {
            self.grow();
        } else {
            self.place(name, mixed, number);
        }
        Some(NameNumber(number))
    }

    fn place(&mut self, name: &str, mixed: u32, number: u32) {
        let last = self.places.len().saturating_sub(1);
        for step in 0..PLACES {
            if let Some(place) = self.places.get_mut(position(mixed).wrapping_add(step) & last)
                && place.1 == 0
            {
                *place = (mixed, number.saturating_add(1));
                return;
            }
        }
        self.others.insert(name.into(), number);
    }

    /// Twice the places, and every name in the place that is now its own.
    fn grow(&mut self) {
        let places = self.places.len().saturating_mul(2).max(PLACES_MIN);
        self.places = vec![(0, 0); places];
        self.others.clear();
        let names = std::mem::take(&mut self.text);
        let mut from = 0;
        for number in 0..self.ends.len() {
            let end = self.ends.get(number).copied().map_or(from, position);
            let name = names.get(from..end).unwrap_or_default();
            self.place(name, mix(name.as_bytes()), u32::try_from(number).unwrap_or(u32::MAX));
            from = end;
        }
        self.text = names;
    }
}

#[inline]
fn position(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A number made of a name's bytes, eight at a time; the last eight may overlap those before.
#[inline]
fn mix(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mut mixed = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut add = |word: u64| mixed = (mixed.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    if let Some(last) = bytes.last_chunk::<8>() {
        bytes.as_chunks::<8>().0.iter().for_each(|word| add(u64::from_le_bytes(*word)));
        add(u64::from_le_bytes(*last));
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        add(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)));
    } else {
        add(bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    // The upper half: every bit of it depends on all bytes.
    u32::try_from(mixed >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any names, each with the number of its first coming.
    fn check(names: &[String]) {
        let mut table = NameTable::default();
        let mut known: Vec<&String> = Vec::new();
        for name in names {
            let before = known.iter().position(|other| *other == name);
            let expected = before.unwrap_or(known.len());
            assert_eq!(table.find(name).map(NameNumber::position), before, "{name}");
            assert_eq!(table.number(name).unwrap().position(), expected, "{name}");
            if before.is_none() {
                known.push(name);
            }
        }
        assert_eq!((table.len(), table.is_empty()), (known.len(), known.is_empty()));
        let listed: Vec<&str> = table.names().map(|(_, name)| name).collect();
        assert_eq!(listed, known);
        assert!(known.iter().all(|name| table.find(name).is_some_and(|number| table.name(number) == **name)));
    }

    #[test]
    fn a_name_keeps_its_first_number_however_many_come() {
        check(&[]);
        check(
            &["", "a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghi", "a", "", "象"]
                .map(str::to_owned),
        );
        check(&(0..1_500).map(|number| format!("name{}", number % 700)).collect::<Vec<_>>());
    }

    #[test]
    fn names_that_were_made_to_collide_are_told_apart() {
        // A small table of places that are all one, as an ill-meaning sender would have it.
        let mut table = NameTable::default();
        let names: Vec<String> = (0..200_000).map(|number| format!("n{number}")).collect();
        let wanted = |name: &&String| mix(name.as_bytes()) & 0xFFF == 7;
        let chosen: Vec<&String> = names.iter().filter(wanted).collect();
        assert!(chosen.len() > 2 * PLACES);
        for (at, name) in chosen.iter().enumerate() {
            assert_eq!(table.number(name).unwrap().position(), at);
        }
        assert!(!table.others.is_empty());
        for (at, name) in chosen.iter().enumerate() {
            assert_eq!(table.find(name).unwrap().position(), at);
        }
        assert_eq!(table.find("not there"), None);
    }
}
