//! Values while a rule is evaluated. `None` always means unknown.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use spine::{Column, Value};

use crate::nodes::Nodes;
use crate::types::Type;

/// One known value; text is borrowed where it can be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    Text(Cow<'a, str>),
    Decimal(Decimal),
    Date(Date),
    DateTime(DateTime),
    Boolean(bool),
}

impl<'a> Scalar<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::Decimal(number) => Self::Decimal(*number),
            Value::Date(day) => Self::Date(*day),
            Value::DateTime(time) => Self::DateTime(*time),
            Value::Boolean(yes) => Self::Boolean(*yes),
        }
    }

    /// A row's value of a column.
    pub(crate) fn at(column: &'a Column, row: usize) -> Option<Self> {
        match column {
            Column::Text(column) => column.get(row).map(|text| Self::Text(Cow::Borrowed(text))),
            Column::Decimal(column) => column.get(row).copied().flatten().map(Self::Decimal),
            Column::Date(column) => column.get(row).copied().flatten().map(Self::Date),
            Column::DateTime(column) => column.get(row).copied().flatten().map(Self::DateTime),
            Column::Boolean(column) => column.get(row).copied().flatten().map(Self::Boolean),
        }
    }

    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::Decimal(number) => Value::Decimal(number),
            Self::Date(day) => Value::Date(day),
            Self::DateTime(time) => Value::DateTime(time),
            Self::Boolean(yes) => Value::Boolean(yes),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn number(&self) -> Option<Decimal> {
        if let Self::Decimal(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(yes) = self { Some(*yes) } else { None }
    }

    /// The day of a date, with or without time.
    pub(crate) fn day(&self) -> Option<Date> {
        match self {
            Self::Date(day) => Some(*day),
            Self::DateTime(time) => Some(time.date()),
            _ => None,
        }
    }

    /// Order of two values of one type; texts by code point, as in CEL.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Decimal(a), Self::Decimal(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::DateTime(a), Self::DateTime(b)) => Some(a.cmp(b)),
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// What a part of a rule comes to.
#[derive(Debug, Clone)]
pub(crate) enum Data<'a> {
    One(Option<Scalar<'a>>),
    /// A list that is unknown as a whole, or one with elements that may be unknown each.
    List(Option<Vec<Option<Scalar<'a>>>>),
    /// Nodes in document order, unless it is unknown which.
    Nodes(Option<Nodes<'a>>),
}

impl<'a> Data<'a> {
    /// An unknown value of this type.
    pub(crate) fn unknown(of: Type) -> Self {
        match of {
            Type::One(_) => Self::One(None),
            Type::List(_) => Self::List(None),
            Type::Nodes => Self::Nodes(None),
        }
    }

    /// The single value; unknown if it is none.
    pub(crate) fn one(self) -> Option<Scalar<'a>> {
        if let Self::One(value) = self { value } else { None }
    }

    /// The nodes; unknown if it is none.
    pub(crate) fn nodes(self) -> Option<Nodes<'a>> {
        if let Self::Nodes(nodes) = self { nodes } else { None }
    }

    pub(crate) fn list(self) -> Option<Vec<Option<Scalar<'a>>>> {
        if let Self::List(list) = self { list } else { None }
    }
}
