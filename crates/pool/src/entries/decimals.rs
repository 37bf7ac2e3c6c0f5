//! Exact decimals as whole numbers of a column's own scale.

use rust_decimal::Decimal;

/// Digits that a decimal128 column holds.
pub(super) const DIGITS_MAX: u32 = 38;

/// Digits before and after the mark that a column needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Digits {
    pub(super) whole: u32,
    pub(super) scale: u32,
}

impl Digits {
    /// What all values of a column need together.
    pub(super) fn of(values: &[Option<Decimal>]) -> Self {
        values.iter().flatten().fold(Self::default(), |digits, value| {
            let value = value.normalize();
            let whole = value.trunc().mantissa().unsigned_abs().checked_ilog10();
            Self {
                whole: digits.whole.max(whole.map_or(0, |power| power.saturating_add(1))),
                scale: digits.scale.max(value.scale()),
            }
        })
    }

    /// Digits in all.
    pub(super) fn total(self) -> u32 {
        self.whole.saturating_add(self.scale)
    }

    /// The precision of the column: what is needed, rounded up to the width that is stored anyway.
    pub(super) fn precision(self) -> u32 {
        match self.total() {
            0..=9 => 9,
            10..=18 => 18,
            _ => DIGITS_MAX,
        }
    }
}

/// A value as a whole number of `scale`; `None` where it does not fit, which [`Digits::of`] rules out.
pub(super) fn to_whole(value: Decimal, scale: u32) -> Option<i128> {
    let value = value.normalize();
    let power = scale.checked_sub(value.scale())?;
    value.mantissa().checked_mul(10_i128.checked_pow(power)?)
}

/// The value that a whole number of `scale` stands for; `None` where no decimal holds it, which no written file has.
pub(super) fn from_whole(mut whole: i128, mut scale: u32) -> Option<Decimal> {
    loop {
        match Decimal::try_from_i128_with_scale(whole, scale) {
            Ok(value) => return Some(value),
            Err(_) if scale > 0 && whole.checked_rem(10) == Some(0) => {
                whole = whole.checked_div(10)?;
                scale = scale.saturating_sub(1);
            }
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_column_of_decimals_comes_back_whenever_its_digits_fit(
            parts in proptest::collection::vec((any::<i64>(), 0_u32..=18, any::<i32>()), 1..20)
        ) {
            let values: Vec<Option<Decimal>> = parts
                .into_iter()
                .map(|(number, scale, more)| {
                    let wide = i128::from(number) * i128::from(more).max(1);
                    Decimal::try_from_i128_with_scale(wide, scale).ok()
                })
                .collect();
            let digits = Digits::of(&values);
            if digits.total() <= DIGITS_MAX {
                for value in values.into_iter().flatten() {
                    let whole = to_whole(value, digits.scale).unwrap();
                    prop_assert!(whole.unsigned_abs() < 10_u128.pow(digits.precision()));
                    prop_assert_eq!(from_whole(whole, digits.scale), Some(value));
                }
            }
        }
    }

    #[test]
    fn the_digits_of_a_column_are_those_of_its_widest_values_together() {
        let digits = |texts: &[&str]| Digits::of(&texts.iter().map(|t| t.parse().ok()).collect::<Vec<_>>());
        assert_eq!(digits(&["0", "0.000"]), Digits { whole: 0, scale: 0 });
        assert_eq!(digits(&["12.50", "-3", "0.125"]), Digits { whole: 2, scale: 3 });
        assert_eq!(digits(&["79228162514264337593543950335", "0.0000000001"]).total(), 39);
    }
}
