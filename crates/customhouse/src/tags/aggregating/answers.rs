//! The answers of all entities, some of them at a time, as columns.

use ::pool::lane_writer::{WrittenType, WrittenValues};
use ::tags::buckets::{Middle, Peers, Quotient, Reading, Sink, Table};
use rust_decimal::Decimal;
use spine::{FieldType, Finding};

use super::groups::Groups;
use super::numbers::Name;
use super::plan::{Answer, Cell, Column, Plan};
use super::written::SEVERAL_RUNS;

/// Digits behind the point of ratios and shares, as aggregates of tags have them.
const QUOTIENT_DIGITS: u8 = 6;

/// Entities of one grouping, compared.
struct Compared {
    peers: Peers,
    /// By feature, then group; only where somebody asks.
    middles: Vec<Vec<Option<Middle>>>,
}

/// What is known of all entities.
pub(super) struct Answers {
    plan: Plan,
    table: Table,
    /// Of each amount, behind the point.
    digits: Vec<u8>,
    compared: Vec<Compared>,
    entities: Vec<u32>,
    names: Vec<Name>,
    by: WrittenType,
}

/// A value of one column.
enum Value {
    Nothing,
    Whole(i64),
    Decimal(i128),
    Float(f64),
    Day(i32),
}

/// Lets all comparisons follow the table.
struct All<'a>(&'a mut [Compared]);

impl Sink for All<'_> {
    fn before(&mut self, entity: u32, reading: &Reading) {
        self.0.iter_mut().for_each(|own| own.peers.before(entity, reading));
    }

    fn after(&mut self, entity: u32, reading: &Reading) {
        self.0.iter_mut().for_each(|own| own.peers.after(entity, reading));
    }
}

impl Answers {
    /// Compares entities, those to be told in their order.
    ///
    /// # Errors
    /// Too many values to compare.
    pub(super) fn new(
        plan: Plan,
        table: Table,
        digits: Vec<u8>,
        groups: Vec<Groups>,
        (entities, names, by): (Vec<u32>, Vec<Name>, FieldType),
    ) -> Result<Self, Finding> {
        let mut compared = Vec::new();
        for (grouping, groups) in plan.groupings.iter().zip(groups) {
            let peers = Peers::of_given(groups.of.into_iter(), groups.count, grouping.features.clone());
            let peers = peers.map_err(|error| {
                Finding::error(error.code()).expected(error.to_string()).fix(SEVERAL_RUNS)
            })?;
            compared.push(Compared { peers, middles: Vec::new() });
        }
        if !compared.is_empty() {
            let mut all = All(&mut compared);
            table.each(|entity, reading| all.after(entity, reading));
        }
        for (number, own) in compared.iter_mut().enumerate() {
            let features = plan.groupings.get(number).map_or(0, |grouping| grouping.features.len());
            let asked = |feature: usize| {
                plan.columns.iter().any(|column| column.answer == Answer::FromMedian(number, feature))
            };
            let middles = |feature| if asked(feature) { own.peers.middles(feature) } else { Vec::new() };
            own.middles = (0..features).map(middles).collect();
        }
        let whole = names.iter().all(|name| matches!(name, Name::Whole(_)));
        let by = match by {
            FieldType::Date if whole => WrittenType::Day,
            FieldType::Decimal if whole => WrittenType::Whole,
            _ => WrittenType::Text,
        };
        Ok(Self { plan, table, digits, compared, entities, names, by })
    }

    /// The entities that are told, in their order.
    pub(super) fn entities(&self) -> &[u32] {
        &self.entities
    }

    /// Names and types of all columns.
    pub(super) fn columns(&self, by: &str) -> Vec<(String, WrittenType)> {
        let own = self.plan.columns.iter().map(|column| (column.name.clone(), self.type_of(&column.answer)));
        std::iter::once((by.to_owned(), self.by)).chain(own).collect()
    }

    /// All columns of some entities.
    pub(super) fn rows(&self, entities: &[u32]) -> Vec<WrittenValues> {
        let mut columns: Vec<WrittenValues> =
            self.plan.columns.iter().map(|column| empty(self.type_of(&column.answer))).collect();
        let mut reading = self.table.reading();
        for entity in entities {
            self.table.read(*entity, &mut reading);
            for (column, values) in self.plan.columns.iter().zip(&mut columns) {
                push(values, self.value(column, *entity, &reading));
            }
        }
        columns.insert(0, self.named(entities));
        columns
    }

    fn named(&self, entities: &[u32]) -> WrittenValues {
        let names =
            entities.iter().map(|entity| usize::try_from(*entity).ok().and_then(|at| self.names.get(at)));
        let whole = |name: Option<&Name>| match name {
            Some(Name::Whole(value)) => Some(*value),
            _ => None,
        };
        match self.by {
            WrittenType::Whole => WrittenValues::Whole(names.map(whole).collect()),
            WrittenType::Day => {
                WrittenValues::Day(names.map(|name| i32::try_from(whole(name)?).ok()).collect())
            }
            _ => WrittenValues::Text(names.map(|name| Some(name?.written().into_owned())).collect()),
        }
    }

    fn digits_of(&self, amount: usize) -> u8 {
        self.digits.get(amount).copied().unwrap_or_default()
    }

    fn type_of(&self, answer: &Answer) -> WrittenType {
        match answer {
            Answer::Count(_) | Answer::Different(..) | Answer::DaysSince(_) => WrittenType::Whole,
            Answer::Sum(_, amount) | Answer::Greatest(_, amount) => match self.digits_of(*amount) {
                0 => WrittenType::Whole,
                digits => WrittenType::Decimal(digits),
            },
            Answer::Share(..) | Answer::Ratio(_) => WrittenType::Decimal(QUOTIENT_DIGITS),
            Answer::LastDay(_) => WrittenType::Day,
            Answer::FromMean(..) | Answer::FromMedian(..) => WrittenType::Float,
        }
    }

    fn value(&self, column: &Column, entity: u32, reading: &Reading) -> Value {
        let least = i64::from(column.at_least);
        let count = |cell: &Cell| reading.count(cell.window, cell.condition);
        let entries = match &column.answer {
            Answer::Count(cell)
            | Answer::Sum(cell, _)
            | Answer::Greatest(cell, _)
            | Answer::Different(cell, _)
            | Answer::LastDay(cell)
            | Answer::DaysSince(cell) => count(cell),
            Answer::Share(yes, no) => count(yes).saturating_add(count(no)),
            Answer::Ratio([(cell, _), _]) => count(cell),
            Answer::FromMean(grouping, feature) | Answer::FromMedian(grouping, feature) => {
                return self
                    .deviations(column, (*grouping, *feature), entity)
                    .map_or(Value::Nothing, Value::Float);
            }
        };
        if entries < least {
            return Value::Nothing;
        }
        let amount_value = |amount: usize, value: i64| match self.digits_of(amount) {
            0 => Value::Whole(value),
            _ => Value::Decimal(value.into()),
        };
        let last_day = |cell: &Cell| reading.last_day(cell.window, cell.condition);
        match &column.answer {
            Answer::Sum(cell, amount) => amount_value(*amount, self.sum(reading, cell, *amount)),
            Answer::Greatest(cell, amount) => {
                let place = self.plan.place(*amount, |own| own.greatest);
                let greatest = reading.greatest(cell.window, cell.condition, place);
                greatest.map_or(Value::Nothing, |value| amount_value(*amount, value))
            }
            Answer::Different(_, question) => Value::Whole(reading.different(*question).into()),
            Answer::Share(yes, _) => {
                decimal(Quotient::new(count(yes), entries.into()).and_then(|share| share.decimal()))
            }
            Answer::Ratio(parts) => decimal(self.ratio(reading, parts)),
            Answer::LastDay(cell) => last_day(cell).map_or(Value::Nothing, Value::Day),
            Answer::DaysSince(cell) => last_day(cell).map_or(Value::Nothing, |last| {
                Value::Whole(i64::from(self.table.day()).saturating_sub(last.into()))
            }),
            _ => Value::Whole(entries),
        }
    }

    fn sum(&self, reading: &Reading, cell: &Cell, amount: usize) -> i64 {
        reading.sum(cell.window, cell.condition, self.plan.place(amount, |own| own.sum))
    }

    fn ratio(&self, reading: &Reading, parts: &[(Cell, Option<usize>); 2]) -> Option<Decimal> {
        let [part, whole] = parts.each_ref().map(|(cell, amount)| match amount {
            None => (reading.count(cell.window, cell.condition), 0),
            Some(amount) => (self.sum(reading, cell, *amount), self.digits_of(*amount)),
        });
        Quotient::new(part.0, whole.0.into())?.decimal_of(part.1.into(), whole.1.into())
    }

    fn deviations(&self, column: &Column, (grouping, feature): (usize, usize), entity: u32) -> Option<f64> {
        let Compared { peers, middles } = self.compared.get(grouping)?;
        let group = peers.group_of(entity)?;
        let moments = peers.moments(group, feature);
        if moments.entities < column.at_least {
            return None;
        }
        let value = peers.value_of(entity, feature);
        match column.answer {
            Answer::FromMean(..) => moments.deviations(value),
            _ => middles.get(feature)?.get(usize::from(group))?.as_ref()?.deviations(value),
        }
    }
}

/// With [`QUOTIENT_DIGITS`] digits behind the point.
fn decimal(value: Option<Decimal>) -> Value {
    let units = value.and_then(|value| {
        let missing = u32::from(QUOTIENT_DIGITS).checked_sub(value.scale())?;
        value.mantissa().checked_mul(10_i128.checked_pow(missing)?)
    });
    units.map_or(Value::Nothing, Value::Decimal)
}

fn empty(of: WrittenType) -> WrittenValues {
    match of {
        WrittenType::Whole => WrittenValues::Whole(Vec::new()),
        WrittenType::Decimal(_) => WrittenValues::Decimal(Vec::new()),
        WrittenType::Float => WrittenValues::Float(Vec::new()),
        WrittenType::Day => WrittenValues::Day(Vec::new()),
        WrittenType::Text => WrittenValues::Text(Vec::new()),
    }
}

fn push(values: &mut WrittenValues, value: Value) {
    match (values, value) {
        (WrittenValues::Whole(values), Value::Whole(value)) => values.push(Some(value)),
        (WrittenValues::Whole(values), _) => values.push(None),
        (WrittenValues::Decimal(values), Value::Decimal(value)) => values.push(Some(value)),
        (WrittenValues::Decimal(values), _) => values.push(None),
        (WrittenValues::Float(values), Value::Float(value)) => values.push(Some(value)),
        (WrittenValues::Float(values), _) => values.push(None),
        (WrittenValues::Day(values), Value::Day(value)) => values.push(Some(value)),
        (WrittenValues::Day(values), _) => values.push(None),
        (WrittenValues::Text(values), _) => values.push(None),
    }
}
