//! Evaluation over many rows at once.
//!
//! Conditions are bit sets. What depends on one text field is decided once per text of its dictionary, and what depends
//! on one date once per day. `&&` and `||` ask later parts only about the rows that earlier ones left open, and ask what is cheap first: with three values
//! the order of parts changes nothing. Numbers go through tight loops; everything else, and a range of few rows, goes row
//! by row through the [`Machine`], which is also what every explanation shows.

use std::collections::HashMap;
use std::ops::Range;

use jiff::civil::Date;
use rust_decimal::Decimal;
use spine::entry::TextColumn;
use spine::{Column, Value};

use crate::machine::{Machine, Place};
use crate::truth::{Truth, Truths, WORD_ROWS, ones};
use crate::typed::{Arithmetic, Comparison, Form, Typed};
use crate::types::Type;
use crate::value::Scalar;

/// So few rows are answered one by one: what is prepared for many costs more than it saves.
const FEW_ROWS: usize = 4;

/// The columns that a rule reads, for a range of rows.
#[derive(Debug)]
pub(crate) struct Columnar<'a> {
    pub(crate) columns: &'a [Option<&'a Column>],
    pub(crate) rows: Range<usize>,
}

impl<'a> Columnar<'a> {
    /// The condition's truth in every row of the range.
    pub(crate) fn evaluate(&self, part: &'a Typed) -> Truths {
        let every = Truths::every_row(self.rows.len());
        if self.rows.len() <= FEW_ROWS { self.by_row(part, &every) } else { self.truths(part, &every) }
    }

    /// The truth in the rows of the mask; that of other rows means nothing.
    fn truths(&self, part: &'a Typed, mask: &[u64]) -> Truths {
        if let Form::Constant(Value::Boolean(yes)) = &part.form {
            return Truths::all(Truth::of(Some(*yes)), self.rows.len());
        }
        if let Some(column) = self.only_text(part, mask) {
            return self.by_text(part, column, mask);
        }
        if let Some(Column::Date(days)) = self.only_column(part) {
            return self.by_day(part, days, mask);
        }
        match &part.form {
            Form::Not(inner) => self.truths(inner, mask).not(),
            Form::All(parts) => self.joined(parts, mask, Truth::True, Truths::not_false, Truths::and),
            Form::Any(parts) => self.joined(parts, mask, Truth::False, Truths::not_true, Truths::or),
            Form::Conditional(three) => {
                let [condition, yes, no] = three.as_ref();
                let condition = self.truths(condition, mask);
                let yes = self.truths(yes, &condition.true_rows(mask));
                let no = self.truths(no, &condition.false_rows(mask));
                condition.choose(&yes, &no)
            }
            Form::Field(at) => match self.column(*at) {
                Some(Column::Boolean(values)) => self.fill(mask, |row| values.get(row).copied().flatten()),
                _ => Truths::all(Truth::Unknown, self.rows.len()),
            },
            Form::Has(inner) => match (&inner.form, self.only_column(inner)) {
                (Form::Field(_), Some(column)) => {
                    self.fill(mask, |row| Some(Scalar::at(column, row).is_some()))
                }
                _ => self.by_row(part, mask),
            },
            Form::Compare(comparison, left, right) if left.of == Type::NUMBER => {
                self.compare_numbers(*comparison, left, right, mask)
            }
            Form::Compare(comparison, left, right) if left.of == Type::TEXT => {
                self.compare_texts(*comparison, left, right, mask)
            }
            _ => self.by_row(part, mask),
        }
    }

    fn column(&self, at: usize) -> Option<&'a Column> {
        self.columns.get(at).copied().flatten()
    }

    /// `&&` or `||`: starts from `neutral`, asks the next part about the rows that are still open.
    fn joined(
        &self,
        parts: &'a [Typed],
        mask: &[u64],
        neutral: Truth,
        open: fn(&Truths, &[u64]) -> Vec<u64>,
        join: fn(&Truths, &Truths) -> Truths,
    ) -> Truths {
        let mut cheapest_first: Vec<&Typed> = parts.iter().collect();
        cheapest_first.sort_by_key(|part| self.rank(part));
        let mut answer = Truths::all(neutral, self.rows.len());
        let mut left = mask.to_vec();
        for part in cheapest_first {
            answer = join(&answer, &self.truths(part, &left));
            left = open(&answer, mask);
            if left.iter().all(|word| *word == 0) {
                break;
            }
        }
        answer
    }

    /// How dear a part is: by bits or by dictionary, by numbers, by row.
    fn rank(&self, part: &Typed) -> u8 {
        let cheap = match self.only_column(part) {
            Some(Column::Text(column)) => column.dictionary().len() <= self.rows.len() / 8,
            Some(Column::Date(_)) => true,
            Some(_) => matches!(part.form, Form::Field(_) | Form::Has(_)),
            None => false,
        };
        match &part.form {
            _ if cheap => 0,
            Form::Compare(_, left, _) if left.of == Type::NUMBER => 1,
            _ => 2,
        }
    }

    /// The column that a part depends on, if it is exactly one.
    fn only_column(&self, part: &Typed) -> Option<&'a Column> {
        let mut only = None;
        let mut others = false;
        part.walk(&mut |part| {
            if let Form::Field(at) = part.form {
                others |= only.is_some_and(|only| only != at);
                only = Some(at);
            }
        });
        if others { None } else { self.column(only?) }
    }

    /// The text column that a part depends on, if it is the only one and has no more texts than the mask has rows.
    fn only_text(&self, part: &Typed, mask: &[u64]) -> Option<&'a TextColumn> {
        match self.only_column(part) {
            Some(Column::Text(column)) if column.dictionary().len() <= ones(mask) => Some(column),
            _ => None,
        }
    }

    /// Decides a condition once per text.
    fn by_text(&self, part: &'a Typed, column: &'a TextColumn, mask: &[u64]) -> Truths {
        let decide = |text| Machine::new(Place::Text(text)).truth(part);
        let absent = decide(None);
        let decided: Vec<Truth> = column.dictionary().iter().map(|text| decide(Some(text))).collect();
        let codes = column.codes();
        self.fill(mask, |row| {
            let code = codes.get(row).copied().and_then(|code| usize::try_from(code).ok());
            match code.and_then(|code| decided.get(code).copied()).unwrap_or(absent) {
                Truth::True => Some(true),
                Truth::False => Some(false),
                Truth::Unknown => None,
            }
        })
    }

    /// Decides a condition once per day: there are few days, whatever the number of rows.
    fn by_day(&self, part: &'a Typed, days: &[Option<Date>], mask: &[u64]) -> Truths {
        let mut decided: HashMap<Option<Date>, Option<bool>> = HashMap::new();
        self.fill(mask, |row| {
            *decided.entry(days.get(row).copied().flatten()).or_insert_with(|| self.in_row(part, row))
        })
    }

    /// Row by row.
    fn by_row(&self, part: &'a Typed, mask: &[u64]) -> Truths {
        self.fill(mask, |row| self.in_row(part, row))
    }

    fn in_row(&self, part: &'a Typed, row: usize) -> Option<bool> {
        Machine::new(Place::Row { columns: self.columns, row }).one(part)?.boolean()
    }

    fn compare_numbers(
        &self,
        comparison: Comparison,
        left: &'a Typed,
        right: &'a Typed,
        mask: &[u64],
    ) -> Truths {
        match (self.numbers(left, mask), self.numbers(right, mask)) {
            (Numbers::Column(values), Numbers::Constant(bound)) => self.fill(mask, |row| {
                let value = values.get(row).copied().flatten()?;
                Some(comparison.holds(value.cmp(&bound)))
            }),
            (left, right) => {
                self.fill(mask, |row| Some(comparison.holds(left.at(self, row)?.cmp(&right.at(self, row)?))))
            }
        }
    }

    /// A number in every row, ready for loops.
    fn numbers(&self, part: &'a Typed, mask: &[u64]) -> Numbers<'a> {
        if let Some(column) = self.only_text(part, mask) {
            let decide = |text| Machine::new(Place::Text(text)).one(part).and_then(|value| value.number());
            let values = column.dictionary().iter().map(|text| decide(Some(text))).collect();
            return Numbers::OfText { codes: column.codes(), values, absent: decide(None) };
        }
        match &part.form {
            Form::Constant(Value::Decimal(number)) => Numbers::Constant(*number),
            Form::Field(at) => match self.column(*at) {
                Some(Column::Decimal(values)) => Numbers::Column(values),
                _ => Numbers::ByRow(part),
            },
            Form::Arithmetic(arithmetic, left, right) => {
                let sides = (self.numbers(left, mask), self.numbers(right, mask));
                Numbers::Arithmetic(*arithmetic, Box::new(sides))
            }
            _ => Numbers::ByRow(part),
        }
    }

    fn compare_texts(
        &self,
        comparison: Comparison,
        left: &'a Typed,
        right: &'a Typed,
        mask: &[u64],
    ) -> Truths {
        let (Some(left), Some(right)) = (self.texts(left, mask), self.texts(right, mask)) else {
            return self.fill(mask, |row| {
                let mut machine = Machine::new(Place::Row { columns: self.columns, row });
                let order = machine.one(left)?.order(&machine.one(right)?)?;
                Some(comparison.holds(order))
            });
        };
        self.fill(mask, |row| Some(comparison.holds(left.at(row)?.cmp(right.at(row)?))))
    }

    /// A text in every row, if it is a field or depends on one only.
    fn texts(&self, part: &'a Typed, mask: &[u64]) -> Option<Texts<'a>> {
        if let (Form::Field(_), Some(Column::Text(column))) = (&part.form, self.only_column(part)) {
            return Some(Texts::Column(column));
        }
        let column = self.only_text(part, mask)?;
        let decide = |text| match Machine::new(Place::Text(text)).one(part) {
            Some(Scalar::Text(text)) => Some(text.into_owned()),
            _ => None,
        };
        let texts = column.dictionary().iter().map(|text| decide(Some(text))).collect();
        Some(Texts::OfText { codes: column.codes(), texts, absent: decide(None) })
    }

    /// Asks for every row of the mask.
    fn fill(&self, mask: &[u64], mut answer: impl FnMut(usize) -> Option<bool>) -> Truths {
        let words = mask.iter().enumerate().map(|(at, mask)| {
            let first = self.rows.start.saturating_add(at.saturating_mul(WORD_ROWS));
            let (mut left, mut trues, mut unknowns) = (*mask, 0_u64, 0_u64);
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                match answer(first.saturating_add(usize::try_from(bit).unwrap_or_default())) {
                    Some(true) => trues |= 1 << bit,
                    Some(false) => {}
                    None => unknowns |= 1 << bit,
                }
            }
            (trues, unknowns)
        });
        Truths::from_words(self.rows.len(), words)
    }
}

/// A number in every row.
enum Numbers<'a> {
    Constant(Decimal),
    Column(&'a [Option<Decimal>]),
    OfText { codes: &'a [u32], values: Vec<Option<Decimal>>, absent: Option<Decimal> },
    Arithmetic(Arithmetic, Box<(Numbers<'a>, Numbers<'a>)>),
    ByRow(&'a Typed),
}

impl<'a> Numbers<'a> {
    fn at(&self, columnar: &Columnar<'a>, row: usize) -> Option<Decimal> {
        match self {
            Self::Constant(number) => Some(*number),
            Self::Column(values) => values.get(row).copied().flatten(),
            Self::OfText { codes, values, absent } => {
                by_code(codes, values, row).map_or(*absent, |value| *value)
            }
            Self::Arithmetic(arithmetic, sides) => {
                let left = sides.0.at(columnar, row)?;
                arithmetic.of(left, sides.1.at(columnar, row)?)
            }
            Self::ByRow(part) => Machine::new(Place::Row { columns: columnar.columns, row })
                .one(part)
                .and_then(|value| value.number()),
        }
    }
}

/// A text in every row.
enum Texts<'a> {
    Column(&'a TextColumn),
    OfText { codes: &'a [u32], texts: Vec<Option<String>>, absent: Option<String> },
}

impl Texts<'_> {
    fn at(&self, row: usize) -> Option<&str> {
        match self {
            Self::Column(column) => column.get(row),
            Self::OfText { codes, texts, absent } => by_code(codes, texts, row).unwrap_or(absent).as_deref(),
        }
    }
}

/// What belongs to the row's code; none for an absent one.
fn by_code<'b, T>(codes: &[u32], values: &'b [T], row: usize) -> Option<&'b T> {
    values.get(usize::try_from(*codes.get(row)?).ok()?)
}
