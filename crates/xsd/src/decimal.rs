//! Decimal numbers of any length, compared digit by digit: nothing is rounded.

use std::cmp::Ordering;

/// A number without the zeros that change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// `-01.50` is minus one and a half. An exponent is none of its forms.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole, fraction })
    }

    /// Digits that the value needs: `010.50` has three.
    pub(crate) fn total_digits(self) -> usize {
        let fraction =
            if self.whole.is_empty() { self.fraction.trim_start_matches('0') } else { self.fraction };
        self.whole.len().saturating_add(fraction.len()).max(1)
    }

    /// Digits that the value needs behind its point: `1.50` has one.
    pub(crate) fn fraction_digits(self) -> usize {
        self.fraction.len()
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        let size = |left: Self, right: Self| {
            left.whole
                .len()
                .cmp(&right.whole.len())
                .then_with(|| left.whole.cmp(right.whole))
                .then_with(|| left.fraction.cmp(right.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_value() {
        for (text, total, fraction) in [
            ("0", 1, 0),
            ("000", 1, 0),
            ("10", 2, 0),
            ("010.50", 3, 1),
            ("0.001", 1, 3),
            ("-.5", 1, 1),
            ("+7.", 1, 0),
        ] {
            let decimal = Decimal::parse(text).unwrap();
            assert_eq!((decimal.total_digits(), decimal.fraction_digits()), (total, fraction), "{text}");
        }
        for text in ["", ".", "-", "1e3", "1,5", "1.2.3", "--1", " 1", "٣"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_as_numbers() {
        let ascending = [
            "-100000000000000000000000000001",
            "-100000000000000000000000000000",
            "-1.5",
            "-1.4",
            "-0.1",
            "0",
            "0.05",
            "0.5",
            "1",
            "9",
            "10",
            "10.1",
        ];
        for (at, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                let compared = Decimal::parse(left).unwrap().compare(Decimal::parse(right).unwrap());
                assert_eq!(compared, at.cmp(&other), "{left} {right}");
            }
        }
        assert_eq!(Decimal::parse("-0"), Decimal::parse("0.00"));
    }
}
