//! Columns of numbers as whole numbers of their smallest unit. What has more digits than that is refused, never rounded.

use ::pool::lanes::LaneValues;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use spine::{Column, Finding, Pointer};

/// Stands for an absent amount.
pub(super) const ABSENT: i64 = ::tags::matcher::ABSENT;
/// Digits behind the point of a column that does not say how many it has: floating point, or very long decimals.
const DIGITS_USUAL: u8 = 2;

/// How many digits behind the point a column is read with, unless somebody said so.
pub(super) fn usual_digits(lane: &LaneValues) -> u8 {
    match lane {
        LaneValues::Whole { scale, .. } => u8::try_from(*scale).unwrap_or(u8::MAX),
        _ => DIGITS_USUAL,
    }
}

/// One whole number a row, in units of the last digit; [`ABSENT`] where there is none. `first_row` is the number of the
/// first row in its file, for messages.
pub(super) fn whole(
    column: &str,
    lane: &LaneValues,
    digits: u8,
    first_row: u64,
) -> Result<Vec<i64>, Finding> {
    let failed = |row: usize, found: String, problem: Problem| {
        let row = u64::try_from(row).unwrap_or(u64::MAX).saturating_add(first_row).saturating_add(1);
        problem.finding(column, digits, row, &found)
    };
    let all = |convert: &dyn Fn(usize) -> Option<(Result<i64, Problem>, String)>, rows: usize| {
        let own = |row| match convert(row) {
            None => Ok(ABSENT),
            Some((value, found)) => value.map_err(|problem| failed(row, found, problem)),
        };
        (0..rows).map(own).collect::<Result<Vec<i64>, Finding>>()
    };
    let digits_of = u32::from(digits);
    match lane {
        LaneValues::Whole { values, scale } if *scale == digits_of => Ok(values.clone()),
        LaneValues::Whole { values, scale } => {
            let number = |row: usize| {
                let value = values.get(row).copied().filter(|value| *value != ABSENT)?;
                let decimal = Decimal::try_from_i128_with_scale(value.into(), *scale).ok()?;
                Some((of_decimal(decimal, digits_of), decimal.to_string()))
            };
            all(&number, values.len())
        }
        LaneValues::Float(values) => {
            let unit = 10_f64.powi(i32::from(digits));
            let row = |(row, value): (usize, &f64)| match of_float(*value, unit) {
                Ok(value) => Ok(value),
                Err(problem) => Err(failed(row, value.to_string(), problem)),
            };
            values.iter().enumerate().map(row).collect()
        }
        LaneValues::Column(Column::Decimal(values)) => {
            let number = |row: usize| {
                let value = values.get(row).copied().flatten()?;
                Some((of_decimal(value, digits_of), value.to_string()))
            };
            all(&number, values.len())
        }
        // The plan lets numbers through only.
        LaneValues::Column(other) => Ok(vec![ABSENT; other.len()]),
    }
}

#[derive(Debug, Clone, Copy)]
enum Problem {
    Digits,
    Large,
}

impl Problem {
    fn finding(self, column: &str, digits: u8, row: u64, found: &str) -> Finding {
        let (code, expected, fix) = match self {
            Self::Digits => (
                "amount_has_too_many_digits",
                format!("at most {digits} digits behind the point"),
                "Give the aggregate on this column `digits = N`, up to 6, or round the column in the file.",
            ),
            Self::Large => (
                "amount_too_large",
                format!("a number below 2^63 in units of its digit {digits} behind the point"),
                "Correct it in the file, or give the aggregate fewer `digits`.",
            ),
        };
        Finding::error(code)
            .at(Pointer(format!("row {row}, {column}")))
            .found(found)
            .expected(expected)
            .fix(fix)
    }
}

fn of_decimal(value: Decimal, digits: u32) -> Result<i64, Problem> {
    let value = value.normalize();
    let missing = digits.checked_sub(value.scale()).ok_or(Problem::Digits)?;
    let unit = 10_i128.checked_pow(missing).ok_or(Problem::Large)?;
    let whole = value.mantissa().checked_mul(unit).and_then(|whole| i64::try_from(whole).ok());
    whole.filter(|whole| *whole != ABSENT).ok_or(Problem::Large)
}

/// A number in floating point stands for a decimal if it is the one nearest to it: then dividing the whole number by its
/// unit, which rounds to the nearest, gives it back.
fn of_float(value: f64, unit: f64) -> Result<i64, Problem> {
    if value.is_nan() {
        return Ok(ABSENT);
    }
    let whole = (value * unit).round();
    // Whole numbers beyond 2^53 have gaps between them.
    let whole_of = whole.to_i64().filter(|whole| whole.unsigned_abs() <= 1 << 53).ok_or(Problem::Large)?;
    #[expect(clippy::float_cmp, reason = "it is the same number in floating point, or it has more digits")]
    let same = whole / unit == value;
    if same { Ok(whole_of) } else { Err(Problem::Digits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lane: LaneValues, digits: u8, expect: Result<&[i64], &str>) {
        let found = whole("value", &lane, digits, 10);
        assert_eq!(found.as_deref().map_err(|finding| finding.code.as_str()), expect, "{lane:?}");
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        let whole_of = |values: &[i64], scale| LaneValues::Whole { values: values.to_vec(), scale };
        check(whole_of(&[125, ABSENT, -1], 2), 2, Ok(&[125, ABSENT, -1]));
        check(whole_of(&[125, ABSENT], 2), 4, Ok(&[12_500, ABSENT]));
        check(whole_of(&[120], 2), 1, Ok(&[12]));
        check(whole_of(&[125], 2), 1, Err("amount_has_too_many_digits"));
        check(whole_of(&[i64::MAX], 0), 1, Err("amount_too_large"));
        check(LaneValues::Float(vec![0.1, 1.1, f64::NAN, -70.07]), 2, Ok(&[10, 110, ABSENT, -7007]));
        check(LaneValues::Float(vec![0.1 + 0.2]), 6, Err("amount_has_too_many_digits"));
        check(LaneValues::Float(vec![0.125]), 2, Err("amount_has_too_many_digits"));
        check(LaneValues::Float(vec![f64::INFINITY]), 2, Err("amount_too_large"));
        check(LaneValues::Float(vec![1e30]), 2, Err("amount_too_large"));
        let decimals = |texts: &[&str]| {
            let values = texts.iter().map(|text| text.parse().ok()).collect();
            LaneValues::Column(Column::Decimal(values))
        };
        check(decimals(&["1.50", "", "3"]), 2, Ok(&[150, ABSENT, 300]));
        check(decimals(&["1.505"]), 2, Err("amount_has_too_many_digits"));
        check(decimals(&["79228162514264337593543950335"]), 0, Err("amount_too_large"));
    }

    #[test]
    fn the_row_is_told() {
        let finding = whole("value", &LaneValues::Float(vec![1.0, 0.001]), 2, 10).unwrap_err();
        assert_eq!((finding.pointer.0.as_str(), finding.found.as_str()), ("row 12, value", "0.001"));
    }
}
