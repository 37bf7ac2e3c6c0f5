//! A value cut into intervals by all that rules ask of it.

use std::ops::Range;
use std::sync::OnceLock;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan};
use rules::{Cut, Source};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use spine::entry::TextColumn;
use spine::{Column, FieldType, Value};

use super::block::{ABSENT, Block, Lane};

/// Digits behind the point of whole numbers at most; decimals that have no more are compared as such.
pub(crate) const SCALE_MAX: u32 = 6;
/// Cuts of one axis at most.
pub(crate) const CUTS_MAX: usize = 60_000;
/// Cuts of an axis that all values are compared with at once; among more, the steps of each value are looked up.
const COMPARED_MAX: usize = 8;
/// Stands for a code that is not decided yet.
const OPEN: Code = Code::MAX;
/// Leading bits of a distance that choose a step of [`Steps`].
const MANTISSA_BITS: u32 = 10;

/// The number of a value's interval: 0 if there is no value, else 1 and the number of cuts at or below it.
pub(crate) type Code = u16;

/// One value of entries with its cuts.
#[derive(Debug)]
pub(crate) struct Axis {
    pub(crate) source: Source,
    cuts: Vec<Cut>,
    /// The cuts among whole numbers, made on first use.
    steps: [OnceLock<Steps>; KINDS],
}

/// Kinds of whole numbers that cuts are turned into: one a scale, and floating point.
const KINDS: usize = 8;

/// One of them.
#[derive(Debug, Clone, Copy)]
enum Whole {
    /// Divided by ten to this power.
    Scaled(u32),
    /// Floating point, by the order of its bits.
    Float,
}

impl Axis {
    /// An axis with these cuts, which rise.
    pub(crate) fn new(source: Source, cuts: Vec<Cut>) -> Self {
        Self { source, cuts, steps: Default::default() }
    }

    /// The highest code.
    pub(crate) fn code_max(&self) -> Code {
        code(self.cuts.len())
    }

    /// The codes of values in a range.
    pub(crate) fn codes(&self, range: &rules::Range) -> Range<usize> {
        let at = |cut: &Cut| self.cuts.partition_point(|own| own.order(cut).is_lt()).saturating_add(1);
        let from = range.from.as_ref().map_or(1, |cut| at(cut).saturating_add(1));
        let to = range.to.as_ref().map_or(self.cuts.len().saturating_add(2), |cut| at(cut).saturating_add(1));
        from..to
    }

    /// The codes of some rows of a block.
    pub(crate) fn code_rows(
        &self,
        block: &Block<'_>,
        rows: Range<usize>,
        known: &mut Vec<Code>,
        out: &mut [Code],
    ) {
        match self.source.field().map(|field| block.lane(field)) {
            Some(Some((lane, _))) => self.code_lane(lane, rows, known, out),
            Some(None) => out.fill(0),
            None => self.code_computed(block, rows, known, out),
        }
    }

    /// The codes of some rows of a block, counted from `first` on, in their order.
    pub(crate) fn code_picked(
        &self,
        block: &Block<'_>,
        first: usize,
        picked: &[u32],
        known: &mut Vec<Code>,
        out: &mut [Code],
    ) {
        let rows =
            picked.iter().map(|picked| first.saturating_add(usize::try_from(*picked).unwrap_or(usize::MAX)));
        let places = out.iter_mut().zip(rows);
        match self.source.field().map(|field| block.lane(field)) {
            Some(Some((Lane::Whole { values, scale }, _))) => {
                let steps = self.steps(Whole::Scaled(scale));
                for (out, row) in places {
                    *out = values.get(row).map_or(0, |value| steps.code_or_absent(*value));
                }
            }
            Some(Some((lane, _))) => {
                for (out, row) in places {
                    self.code_lane(lane, row..row.saturating_add(1), known, std::slice::from_mut(out));
                }
            }
            _ => {
                for (out, row) in places {
                    self.code_rows(block, row..row.saturating_add(1), known, std::slice::from_mut(out));
                }
            }
        }
    }

    fn code_lane(&self, lane: Lane<'_>, rows: Range<usize>, known: &mut Vec<Code>, out: &mut [Code]) {
        match lane {
            Lane::Whole { values, scale } => {
                let steps = self.steps(Whole::Scaled(scale));
                if steps.thresholds.len() <= COMPARED_MAX {
                    return compare(out, values.get(rows).unwrap_or_default(), &steps.thresholds);
                }
                fill(out, values.get(rows), |value| steps.code_or_absent(*value));
            }
            Lane::Float(values) => {
                let steps = self.steps(Whole::Float);
                fill(
                    out,
                    values.get(rows),
                    |value| {
                        if value.is_nan() { 0 } else { steps.code(float_key(*value)) }
                    },
                );
            }
            Lane::Column(Column::Text(texts)) => {
                self.code_texts(texts, rows, known, out, |text| self.code_text(text));
            }
            Lane::Column(Column::Decimal(values)) => {
                let steps = self.steps(Whole::Scaled(SCALE_MAX));
                fill(out, values.get(rows), |value| match value {
                    None => 0,
                    Some(value) => match exactly(*value) {
                        Some(exact) => steps.code(exact),
                        None => self.code_value(&Value::Decimal(*value)),
                    },
                });
            }
            Lane::Column(column) => {
                for (out, row) in out.iter_mut().zip(rows) {
                    *out = column.value(row).map_or(0, |value| self.code_value(&value));
                }
            }
        }
    }

    /// Texts are decided once each, not once a row.
    fn code_texts(
        &self,
        texts: &TextColumn,
        rows: Range<usize>,
        known: &mut Vec<Code>,
        out: &mut [Code],
        decide: impl Fn(Option<&str>) -> Code,
    ) {
        let absent = decide(None);
        known.resize(texts.dictionary().len(), OPEN);
        fill(out, texts.codes().get(rows), |text| {
            let Some(place) = usize::try_from(*text).ok().and_then(|at| known.get_mut(at)) else {
                return absent;
            };
            if *place == OPEN {
                *place = decide(texts.text_of(*text));
            }
            *place
        });
    }

    fn code_text(&self, text: Option<&str>) -> Code {
        let Some(text) = text else { return 0 };
        let below = |cut: &Cut| matches!(cut, Cut::Text(cut) if cut.as_ref() <= text.as_bytes());
        code(self.cuts.partition_point(below))
    }

    fn code_value(&self, value: &Value) -> Code {
        if let Value::Text(text) = value {
            return self.code_text(Some(text));
        }
        let place = Cut::Value { value: value.clone(), above: false };
        code(self.cuts.partition_point(|cut| cut.order(&place).is_le()))
    }

    /// What rules compute of fields: of one text field once a text, else row by row.
    fn code_computed(&self, block: &Block<'_>, rows: Range<usize>, known: &mut Vec<Code>, out: &mut [Code]) {
        let lanes: Vec<_> = self.source.fields().iter().map(|field| block.lane(field)).collect();
        if let [Some((Lane::Column(Column::Text(texts)), _))] = lanes.as_slice() {
            let decide =
                |text: Option<&str>| self.source.of_text(text).map_or(0, |value| self.code_value(&value));
            return self.code_texts(texts, rows, known, out, decide);
        }
        let columns: Vec<Option<Column>> = lanes
            .into_iter()
            .map(|lane| lane.and_then(|(lane, field_type)| lane.column(rows.clone(), field_type)))
            .collect();
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        let mut out = out.iter_mut();
        self.source.in_rows(&columns, 0..rows.len(), |value| {
            if let Some(out) = out.next() {
                *out = value.map_or(0, |value| self.code_value(&value));
            }
        });
    }

    fn steps(&self, kind: Whole) -> &Steps {
        static NONE: Steps = Steps { thresholds: Vec::new(), starts: Vec::new() };
        let at = match kind {
            Whole::Scaled(scale) => usize::try_from(scale.min(SCALE_MAX)).unwrap_or_default(),
            Whole::Float => KINDS - 1,
        };
        let Some(steps) = self.steps.get(at) else { return &NONE };
        // Cuts above all whole numbers are at the end, and none lies above them.
        steps.get_or_init(|| Steps::new(self.cuts.iter().map_while(|cut| threshold(cut, kind)).collect()))
    }
}

/// 1 and the number of cuts at or below.
fn code(cuts_below: usize) -> Code {
    Code::try_from(cuts_below.saturating_add(1)).unwrap_or(OPEN.saturating_sub(1))
}

fn fill<T>(out: &mut [Code], values: Option<&[T]>, mut code: impl FnMut(&T) -> Code) {
    for (out, value) in out.iter_mut().zip(values.unwrap_or_default()) {
        *out = code(value);
    }
}

/// The codes of whole numbers among few thresholds. Each is compared with all values at once: where a value stands,
/// the processor cannot guess.
fn compare(out: &mut [Code], values: &[i64], thresholds: &[i64]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = Code::from(*value != ABSENT);
    }
    for threshold in thresholds {
        // One below all numbers holds for what is absent, too; nothing is between them.
        let least = (*threshold).max(ABSENT.saturating_add(1));
        for (out, value) in out.iter_mut().zip(values) {
            *out = out.wrapping_add(Code::from(*value >= least));
        }
    }
}

/// The first whole number that lies above a cut; none if there is none.
fn threshold(cut: &Cut, kind: Whole) -> Option<i64> {
    let Cut::Value { value, above } = cut else { return None };
    let exact = match (value, kind) {
        (Value::Decimal(value), Whole::Float) => {
            let nearest = value.to_f64()?;
            return Some(float_key(if *above { nearest.next_up() } else { nearest }));
        }
        (Value::Decimal(value), Whole::Scaled(scale)) => {
            first_above(value.mantissa(), value.scale(), scale, *above)
        }
        (Value::Date(day), _) => first_above(i128::from(days(*day)), 0, 0, *above),
        (Value::DateTime(time), _) => first_above(nanoseconds(*time), 9, 6, *above),
        (Value::Boolean(yes), _) => first_above(i128::from(*yes), 0, 0, *above),
        (Value::Text(_), _) => return None,
    };
    // No lane holds the smallest number: it stands for what is absent.
    i64::try_from(exact.max(i128::from(i64::MIN))).ok()
}

/// The first whole number, divided by ten to the power of `scale`, at or above `mantissa` divided by ten to the power of
/// `own`; above it if `above` says so.
fn first_above(mantissa: i128, own: u32, scale: u32, above: bool) -> i128 {
    if own <= scale {
        return mantissa
            .saturating_mul(power_of_ten(scale.saturating_sub(own)))
            .saturating_add(i128::from(above));
    }
    let divisor = power_of_ten(own.saturating_sub(scale));
    let (below, rest) = (mantissa.div_euclid(divisor), mantissa.rem_euclid(divisor));
    below.saturating_add(i128::from(above || rest != 0))
}

fn power_of_ten(power: u32) -> i128 {
    10_i128.saturating_pow(power)
}

/// A decimal as a whole number at [`SCALE_MAX`], if it is one.
fn exactly(value: Decimal) -> Option<i64> {
    let missing = SCALE_MAX.checked_sub(value.scale())?;
    let whole = i64::try_from(value.mantissa()).ok()?.checked_mul(10_i64.pow(missing))?;
    (whole != ABSENT).then_some(whole)
}

/// Whole numbers in the order of the numbers in floating point.
fn float_key(value: f64) -> i64 {
    // Added to zero, the negative zero becomes the other one.
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 63) & i64::MAX)
}

fn days(day: Date) -> i64 {
    let since = day
        .to_datetime(jiff::civil::Time::midnight())
        .duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    since.as_secs().div_euclid(86_400)
}

fn nanoseconds(time: DateTime) -> i128 {
    time.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_nanos()
}

/// What a whole number of a lane stands for.
pub(crate) fn of_whole(whole: i64, scale: u32, field_type: FieldType) -> Option<Value> {
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    match field_type {
        FieldType::Decimal => {
            Decimal::try_from_i128_with_scale(i128::from(whole), scale).ok().map(Value::Decimal)
        }
        FieldType::Date => epoch.date().checked_add(whole.days()).ok().map(Value::Date),
        FieldType::DateTime => {
            epoch.checked_add(SignedDuration::from_micros(whole)).ok().map(Value::DateTime)
        }
        FieldType::Boolean => Some(Value::Boolean(whole != 0)),
        FieldType::Text => None,
    }
}

/// Rising thresholds among whole numbers, and where to begin looking for those around a number.
#[derive(Debug, Default)]
struct Steps {
    thresholds: Vec<i64>,
    /// How many thresholds lie in steps before each.
    starts: Vec<u32>,
}

impl Steps {
    fn new(thresholds: Vec<i64>) -> Self {
        let mut steps = Self { thresholds, starts: Vec::new() };
        if let (Some(first), Some(last)) = (steps.thresholds.first(), steps.thresholds.last()) {
            let length = step(*first, *last).saturating_add(2);
            steps.starts = vec![0; length];
            for threshold in &steps.thresholds {
                if let Some(start) = steps.starts.get_mut(step(*first, *threshold).saturating_add(1)) {
                    *start = start.saturating_add(1);
                }
            }
            let mut sum = 0_u32;
            for start in &mut steps.starts {
                sum = sum.saturating_add(*start);
                *start = sum;
            }
        }
        steps
    }

    #[inline]
    fn code_or_absent(&self, value: i64) -> Code {
        if value == ABSENT { 0 } else { self.code(value) }
    }

    #[inline]
    fn code(&self, value: i64) -> Code {
        let Some(first) = self.thresholds.first().copied().filter(|first| value >= *first) else { return 1 };
        let step = step(first, value);
        let place = |at: usize| self.starts.get(at).and_then(|start| usize::try_from(*start).ok());
        let below = match (place(step), place(step.saturating_add(1))) {
            (Some(from), Some(to)) => {
                let within = self.thresholds.get(from..to).unwrap_or_default();
                from.saturating_add(within.partition_point(|threshold| *threshold <= value))
            }
            _ => self.thresholds.len(),
        };
        code(below)
    }
}

/// The step of a number at or above the first threshold: narrow ones near it, wider ones far away, as amounts and masses
/// are spread. Rises with the number.
#[inline]
fn step(first: i64, value: i64) -> usize {
    let distance = value.wrapping_sub(first).cast_unsigned();
    let bits = 64_u32.saturating_sub(distance.leading_zeros());
    let shift = bits.saturating_sub(MANTISSA_BITS + 1);
    let step = (u64::from(shift) << MANTISSA_BITS).saturating_add(distance >> shift);
    usize::try_from(step).unwrap_or(usize::MAX)
}
