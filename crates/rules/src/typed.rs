//! A rule whose types are checked: what is evaluated and explained.

use std::collections::HashSet;
use std::sync::Arc;

use regex::Regex;
use rust_decimal::Decimal;
use spine::Value;
use spine::name_table::NameNumber;

use crate::error::Span;
use crate::function::{Quantifier, Run};
use crate::types::Type;

/// One part with its type.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) form: Form,
    pub(crate) of: Type,
    pub(crate) span: Span,
}

/// What a part does.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    Constant(Value),
    /// A constant list of texts: a named one, or one written out.
    Texts(Arc<HashSet<String>>),
    List(Vec<Typed>),
    /// Position among the fields that the rule reads.
    Field(usize),
    /// Position on the stack of variables that `exists` and its kin bind.
    Variable(usize),
    Start(Start),
    /// Children of this name of all nodes; the name by its number among those that rules ask for.
    Step(Box<Typed>, NameNumber),
    /// The text of nodes that are exactly one node.
    Single(Box<Typed>),
    /// The texts of nodes.
    TextsOf(Box<Typed>),
    /// The texts of nodes read as numbers.
    NumbersOf(Box<Typed>),
    Not(Box<Typed>),
    Negate(Box<Typed>),
    All(Vec<Typed>),
    Any(Vec<Typed>),
    Compare(Comparison, Box<Typed>, Box<Typed>),
    Arithmetic(Arithmetic, Box<Typed>, Box<Typed>),
    /// Texts, one after the other.
    Join(Box<Typed>, Box<Typed>),
    In(Box<Typed>, Box<Typed>),
    Conditional(Box<[Typed; 3]>),
    Call(Run, u32, Vec<Typed>),
    Matches(Box<Typed>, Regex),
    Has(Box<Typed>),
    Count(Box<Typed>),
    Coalesce(Vec<Typed>),
    /// The list, and what is asked of each element.
    Quantify(Quantifier, Box<Typed>, Box<Typed>),
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    This,
    Parent,
    Root,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The same with the sides exchanged.
    pub(crate) fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }

    #[inline]
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// Exact where a decimal of 28 digits can be; unknown by division by zero and by overflow.
    #[inline]
    pub(crate) fn of(self, a: Decimal, b: Decimal) -> Option<Decimal> {
        match self {
            Self::Add => a.checked_add(b),
            Self::Subtract => a.checked_sub(b),
            Self::Multiply => a.checked_mul(b),
            Self::Divide => a.checked_div(b),
            Self::Remainder => a.checked_rem(b),
        }
    }
}

impl Typed {
    /// The parts right below, in the order in which they are written.
    pub(crate) fn parts(&self) -> Vec<&Typed> {
        match &self.form {
            Form::Constant(_) | Form::Texts(_) | Form::Field(_) | Form::Variable(_) | Form::Start(_) => {
                Vec::new()
            }
            Form::List(parts)
            | Form::All(parts)
            | Form::Any(parts)
            | Form::Coalesce(parts)
            | Form::Call(_, _, parts) => parts.iter().collect(),
            Form::Step(part, _)
            | Form::Single(part)
            | Form::TextsOf(part)
            | Form::NumbersOf(part)
            | Form::Not(part)
            | Form::Negate(part)
            | Form::Matches(part, _)
            | Form::Has(part)
            | Form::Count(part) => vec![part],
            Form::Compare(_, left, right)
            | Form::Arithmetic(_, left, right)
            | Form::Join(left, right)
            | Form::In(left, right)
            | Form::Quantify(_, left, right) => vec![left, right],
            Form::Conditional(three) => three.iter().collect(),
        }
    }

    /// Calls `visit` for this part and all below it.
    pub(crate) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Typed)) {
        visit(self);
        for part in self.parts() {
            part.walk(visit);
        }
    }

    pub(crate) fn is_constant(&self) -> bool {
        matches!(self.form, Form::Constant(_))
    }
}
