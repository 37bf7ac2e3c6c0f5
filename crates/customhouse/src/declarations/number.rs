//! Movement reference numbers: the year, the administration's country code, 13 characters of which the first four are
//! the node's range, and a check character, 18 in all (the form of the EU's MRN; the check character follows ISO 6346).

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::civil_time::civil;

/// Country code of a site that has named none: user-assigned in ISO 3166-1.
const COUNTRY: &str = "ZZ";
/// Digits of base 36 that a node's range has.
const RANGE_DIGITS: usize = 4;
/// Digits of base 36 that the running number has.
const NUMBER_DIGITS: usize = 9;
/// Digits of base 36 of an entry summary declaration's number.
const ENTRY_DIGITS: usize = 12;
const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The numbers of one node: its range is its own, so that a post that is cut off can go on.
#[derive(Debug)]
pub(super) struct Numbers {
    range: String,
    last: u64,
}

fn base_36(mut number: u64, digits: usize) -> String {
    let mut text = Vec::with_capacity(digits);
    for _ in 0..digits {
        let at = usize::try_from(number % 36).unwrap_or_default();
        text.push(char::from(DIGITS.get(at).copied().unwrap_or(b'0')));
        number /= 36;
    }
    text.iter().rev().collect()
}

/// Check character of ISO 6346: letters count from 10 and skip multiples of 11, weights are powers of two, modulo 11.
fn check(text: &str) -> char {
    let value = |character: char| match character.to_digit(36).unwrap_or(0) {
        digit @ 0..=9 => digit,
        letter => letter.saturating_add(letter.saturating_sub(1) / 10),
    };
    let sum = text.chars().zip(0_u32..).fold(0_u32, |sum, (character, place)| {
        let weight = (0..place).fold(1_u32, |weight, _| weight.wrapping_mul(2) % 11);
        sum.wrapping_add(value(character).wrapping_mul(weight)) % 11
    });
    char::from_digit(sum % 10, 10).unwrap_or('0')
}

impl Numbers {
    pub(super) fn new(node: &str) -> Self {
        let digest = Sha256::digest(node.as_bytes());
        let seed = digest.iter().take(8).fold(0_u64, |seed, byte| (seed << 8) | u64::from(*byte));
        Self { range: base_36(seed, RANGE_DIGITS), last: 0 }
    }

    /// What MRNs of this node begin with in a year of two digits.
    pub(super) fn prefix(&self, year: i16) -> String {
        format!("{:02}{COUNTRY}{}", year.rem_euclid(100), self.range)
    }

    /// A number that is in use.
    pub(super) fn seen(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    /// The next number, and the MRN made from it.
    pub(super) fn next(&mut self, now: Timestamp) -> (u64, String) {
        self.last = self.last.saturating_add(1);
        let year = civil(now).year();
        let body = format!("{}{}", self.prefix(year), base_36(self.last, NUMBER_DIGITS));
        let check = check(&body);
        (self.last, format!("{body}{check}"))
    }
}

/// The number of an entry summary declaration of a year: an `E`, and twelve characters made from who lodges it and
/// their reference. The same two always give the same number.
pub(crate) fn entry_number(year: i16, person: &str, reference: &str) -> String {
    let mut digest = Sha256::new();
    // A zero byte stands in neither, so no two pairs are one text.
    digest.update(person.as_bytes());
    digest.update([0]);
    digest.update(reference.as_bytes());
    let seed = digest.finalize().iter().take(8).fold(0_u64, |seed, byte| (seed << 8) | u64::from(*byte));
    let body = format!("{:02}{COUNTRY}E{}", year.rem_euclid(100), base_36(seed, ENTRY_DIGITS));
    let check = check(&body);
    format!("{body}{check}")
}

/// The running number that an MRN was made from.
pub(super) fn number_of(mrn: &str) -> Option<u64> {
    let from = 2_usize.saturating_add(COUNTRY.len()).saturating_add(RANGE_DIGITS);
    u64::from_str_radix(mrn.get(from..from.saturating_add(NUMBER_DIGITS))?, 36).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_each_other_in_the_range_of_their_node() {
        let now: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let mut numbers = Numbers::new("node-1");
        let (first, mrn) = numbers.next(now);
        assert_eq!((first, mrn.len(), mrn.get(..4)), (1, 18, Some("26ZZ")));
        assert!(mrn.starts_with(&numbers.prefix(2026)) && number_of(&mrn) == Some(1));
        numbers.seen(41);
        assert_eq!(numbers.next(now).0, 42);
        assert_ne!(Numbers::new("node-2").next(now).1, mrn);
    }

    #[test]
    fn a_reference_of_a_person_has_one_number() {
        let number = entry_number(2026, "GB1", "LRN-1");
        assert_eq!((number.len(), number.get(..5)), (18, Some("26ZZE")));
        assert_eq!(entry_number(2026, "GB1", "LRN-1"), number);
        for (person, reference) in [("GB1L", "RN-1"), ("GB1", "LRN-2"), ("GB2", "LRN-1")] {
            assert_ne!(entry_number(2026, person, reference), number, "{person} {reference}");
        }
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let (_, mrn) = Numbers::new("node-1").next("2026-11-25T10:00:00Z".parse().unwrap());
        let body = mrn.get(..17).unwrap();
        let changed = body.replace('Z', "Y");
        assert_ne!(mrn.chars().last(), Some(check(&changed)), "{mrn} {changed}");
        // The example of ISO 6346, annex A.
        assert_eq!(check("CSQU305438"), '3');
    }
}
