//! Numbers for what is told apart: entities, codes, groups. The same value has the same number in whatever file and of
//! whatever type it comes: the whole number 7, the decimal 7.00 and 7 in floating point are one.

use std::borrow::Cow;
use std::collections::HashMap;

use ::pool::lanes::LaneValues;
use ::tags::{FieldPart, matcher};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use spine::entry::TextColumn;
use spine::{Column, Value};

/// The number of what is absent.
pub(super) const ABSENT: u32 = u32::MAX;

/// A value that has a number. Whole numbers come before texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    Whole(i64),
    Text(Box<str>),
}

/// Numbers from 0, in the order in which values come.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    wholes: HashMap<i64, u32>,
    texts: HashMap<Box<str>, u32>,
    count: u32,
}

impl Numbers {
    /// How many values have numbers.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The number of each row's value, or of a text's first characters. [`ABSENT`] where there is none.
    pub(super) fn of(&mut self, lane: &LaneValues, part: &FieldPart) -> Vec<u32> {
        match lane {
            LaneValues::Whole { values, scale: 0 } => values
                .iter()
                .map(|value| if *value == matcher::ABSENT { ABSENT } else { self.whole(*value) })
                .collect(),
            LaneValues::Whole { values, scale } => {
                let number = |value: &i64| match Decimal::try_from_i128_with_scale((*value).into(), *scale) {
                    Ok(value_of) if *value != matcher::ABSENT => self.decimal(value_of),
                    _ => ABSENT,
                };
                values.iter().map(number).collect()
            }
            LaneValues::Column(Column::Text(texts)) => {
                let own = |text: &str| part.of_text(text).map_or(ABSENT, |text| self.text(text));
                let known: Vec<u32> = texts.dictionary().iter().map(|text| text.as_ref()).map(own).collect();
                let number = |code: &u32| match *code {
                    TextColumn::ABSENT => ABSENT,
                    code => {
                        usize::try_from(code).ok().and_then(|at| known.get(at).copied()).unwrap_or(ABSENT)
                    }
                };
                texts.codes().iter().map(number).collect()
            }
            LaneValues::Column(column) => {
                let number = |row| match column.value(row) {
                    None => ABSENT,
                    Some(Value::Decimal(value)) => self.decimal(value),
                    Some(value) => self.text(&value.to_string()),
                };
                (0..column.len()).map(number).collect()
            }
            LaneValues::Float(values) => values.iter().map(|value| self.float(*value)).collect(),
        }
    }

    /// The number of several numbers together; [`ABSENT`] as soon as one of them is.
    pub(super) fn of_pair(&mut self, one: u32, other: u32) -> u32 {
        if one == ABSENT || other == ABSENT {
            return ABSENT;
        }
        self.whole((u64::from(one) << 32 | u64::from(other)).cast_signed())
    }

    /// Of each number its value.
    pub(super) fn names(&self) -> Vec<Name> {
        let mut names = vec![Name::Whole(0); usize::try_from(self.count).unwrap_or_default()];
        let wholes = self.wholes.iter().map(|(value, number)| (Name::Whole(*value), *number));
        let texts = self.texts.iter().map(|(text, number)| (Name::Text(text.clone()), *number));
        for (name, number) in wholes.chain(texts) {
            if let Some(own) = usize::try_from(number).ok().and_then(|at| names.get_mut(at)) {
                *own = name;
            }
        }
        names
    }

    fn whole(&mut self, value: i64) -> u32 {
        let next = self.count;
        let number = *self.wholes.entry(value).or_insert(next);
        self.count = self.count.max(number.saturating_add(1));
        number
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        let number = self.count;
        self.texts.insert(text.into(), number);
        self.count = self.count.saturating_add(1);
        number
    }

    fn decimal(&mut self, value: Decimal) -> u32 {
        let value = value.normalize();
        match value.to_i64().filter(|_| value.scale() == 0) {
            Some(whole) => self.whole(whole),
            None => self.text(&value.to_string()),
        }
    }

    fn float(&mut self, value: f64) -> u32 {
        if value.is_nan() {
            return ABSENT;
        }
        // Beyond 2^53 a whole number in floating point is written as it is, like any other.
        match value.to_i64().filter(|whole| value.fract() == 0.0 && whole.unsigned_abs() < 1 << 53) {
            Some(whole) => self.whole(whole),
            None => match format!("{value}").parse::<Decimal>() {
                Ok(decimal) => self.decimal(decimal),
                Err(_) => self.text(&format!("{value}")),
            },
        }
    }
}

impl Name {
    /// As it is written.
    pub(super) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Whole(value) => Cow::Owned(value.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}
