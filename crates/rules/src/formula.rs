//! A rule over entries as what a matcher of many rules needs: conditions on single values, joined by *and* and *or*.
//!
//! A rule matches where it is *true*. In Kleene's logic a conjunction is true iff all its parts are, a disjunction iff
//! one is, and a negation moves to the parts by De Morgan's laws; so after it has moved down to the last parts, only
//! where each of them is *known* to hold or not to hold matters, and what is unknown needs no care of its own.
//!
//! Where it is *not false* is a formula too: the same with every part that is unknown taken as one that holds. So what
//! is unknown is found by a matcher that knows no third value: where the second formula holds and the first does not.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use spine::{Column, FieldType, Value};

use crate::entry::EntryRule;
use crate::function::Run;
use crate::machine::{Machine, Place};
use crate::typed::{Comparison, Form, Typed};
use crate::types::Type;
use crate::value::Scalar;

/// Conditions of one formula at most; a rule that would have more is one condition as a whole.
const CONDITIONS_MAX: usize = 4_096;

/// Where a rule is true.
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// Everywhere, or nowhere.
    Constant(bool),
    /// Where one value is in certain ranges.
    Condition(Condition),
    /// Where all of these are true.
    All(Vec<Formula>),
    /// Where at least one of these is true.
    Any(Vec<Formula>),
}

/// Where the value of a source is known and in one of the ranges, or is absent and `absent` says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is looked at.
    pub source: Source,
    /// In rising order, without a common value.
    pub ranges: Vec<Range>,
    /// Does it hold where there is no value?
    pub absent: bool,
}

/// Values from one cut up to but without another; without an end where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The first cut that lies at or below every value.
    pub from: Option<Cut>,
    /// The cut that lies above every value.
    pub to: Option<Cut>,
}

/// A place between values: right below a value or right above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Of texts, by code point: right below this text, which need not be UTF-8.
    Text(Box<[u8]>),
    /// Of everything else.
    Value {
        /// A number, date or date with time.
        value: Value,
        /// Right above it, not right below.
        above: bool,
    },
}

impl Cut {
    /// Order of two cuts between values of one type.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Value { value: a, above: above_a }, Self::Value { value: b, above: above_b }) => {
                let order = Scalar::of(a).order(&Scalar::of(b));
                order.unwrap_or(Ordering::Equal).then(above_a.cmp(above_b))
            }
            (Self::Text(_), Self::Value { .. }) => Ordering::Less,
            (Self::Value { .. }, Self::Text(_)) => Ordering::Greater,
        }
    }
}

/// What a condition looks at: a field, or what a rule makes of fields. Rules that were compiled against the same fields
/// and lists and write the same have equal ones.
#[derive(Clone)]
pub struct Source {
    rule: EntryRule,
    part: Part,
    key: Arc<str>,
    value_type: FieldType,
    fields: Arc<[String]>,
}

/// The part of the rule, as the way to it from the root.
type Part = Arc<Typed>;

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Source({})", self.key)
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Source {
    /// Its text; equal ones mean the same.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// How it is written.
    #[must_use]
    pub fn written(&self) -> &str {
        self.key.strip_prefix('(').and_then(|key| key.strip_suffix(')')).unwrap_or(&self.key)
    }

    /// Type of its values.
    #[must_use]
    pub fn value_type(&self) -> FieldType {
        self.value_type
    }

    /// Names of the fields that it reads, in the order of its rule.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The field, if it is nothing else.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self.part.form {
            Form::Field(at) => self.rule.fields().get(at).map(String::as_str),
            _ => None,
        }
    }

    /// Its value where the text of its only field is this one.
    #[must_use]
    pub fn of_text(&self, text: Option<&str>) -> Option<Value> {
        Machine::new(Place::Text(text)).one(&self.part).map(Scalar::into_value)
    }

    /// Calls `visit` with its value in each row, in order; `columns` are those of [`Source::fields`].
    pub fn in_rows(
        &self,
        columns: &[Option<&Column>],
        rows: std::ops::Range<usize>,
        mut visit: impl FnMut(Option<Value>),
    ) {
        let all: Vec<Option<&Column>> = self
            .rule
            .fields()
            .iter()
            .map(|field| self.fields.iter().position(|own| own == field))
            .map(|at| columns.get(at?).copied().flatten())
            .collect();
        for row in rows {
            let mut machine = Machine::new(Place::Row { columns: &all, row });
            visit(machine.one(&self.part).map(Scalar::into_value));
        }
    }
}

impl EntryRule {
    /// Where it is true, for a matcher of many rules.
    #[must_use]
    pub fn formula(&self) -> Formula {
        self.written_as(false)
    }

    /// Where it is true or unknown, for a matcher of many rules.
    #[must_use]
    pub fn not_false(&self) -> Formula {
        self.written_as(true)
    }

    fn written_as(&self, with_unknown: bool) -> Formula {
        let mut writer = Writer { rule: self, conditions: 0, with_unknown };
        let formula = writer.formula(self.root(), true);
        if writer.conditions <= CONDITIONS_MAX { formula } else { writer.whole(self.root(), true) }
    }
}

struct Writer<'a> {
    rule: &'a EntryRule,
    conditions: usize,
    /// Does a part hold where it is unknown?
    with_unknown: bool,
}

impl Writer<'_> {
    /// Where the part is true, or false where `wanted` is.
    fn formula(&mut self, part: &Typed, wanted: bool) -> Formula {
        self.conditions = self.conditions.saturating_add(1);
        if self.conditions > CONDITIONS_MAX {
            return Formula::Constant(false);
        }
        match &part.form {
            Form::Constant(Value::Boolean(yes)) => Formula::Constant(*yes == wanted),
            Form::Not(inner) => self.formula(inner, !wanted),
            Form::All(parts) | Form::Any(parts) => {
                let parts = parts.iter().map(|part| self.formula(part, wanted)).collect();
                if matches!(part.form, Form::All(_)) == wanted {
                    Formula::All(parts)
                } else {
                    Formula::Any(parts)
                }
            }
            Form::Conditional(three) => {
                let [condition, yes, no] = three.as_ref();
                let mut branch = |truth, part| {
                    Formula::All(vec![self.formula(condition, truth), self.formula(part, wanted)])
                };
                let mut branches = vec![branch(true, yes), branch(false, no)];
                if self.with_unknown {
                    // An unknown choice is unknown, whatever there is to choose from.
                    let both = [true, false].map(|truth| self.formula(condition, truth));
                    branches.push(Formula::All(both.into()));
                }
                Formula::Any(branches)
            }
            Form::Has(inner) => match self.source(inner) {
                Some(source) => {
                    let ranges = if wanted { vec![EVERYTHING] } else { Vec::new() };
                    Formula::Condition(Condition { source, ranges, absent: !wanted })
                }
                None => self.whole(part, wanted),
            },
            Form::Compare(comparison, left, right) => {
                let ranges = match (&left.form, &right.form) {
                    (_, Form::Constant(value)) => Some((left.as_ref(), comparing(*comparison, value))),
                    (Form::Constant(value), _) => {
                        Some((right.as_ref(), comparing(comparison.turned(), value)))
                    }
                    _ => None,
                };
                self.ranged(part, ranges, wanted)
            }
            Form::In(left, right) => {
                self.ranged(part, one_of(right).map(|ranges| (left.as_ref(), ranges)), wanted)
            }
            Form::Call(Run::StartsWith, _, arguments) => {
                let ranges = match arguments.as_slice() {
                    [text, Typed { form: Form::Constant(Value::Text(prefix)), .. }] => {
                        Some((text, vec![beginning(prefix)]))
                    }
                    _ => None,
                };
                self.ranged(part, ranges, wanted)
            }
            _ => self.whole(part, wanted),
        }
    }

    /// A condition on a source whose value is in some ranges, or known and in none.
    fn ranged(&mut self, part: &Typed, ranges: Option<(&Typed, Vec<Range>)>, wanted: bool) -> Formula {
        let of = ranges.and_then(|(source, ranges)| Some((self.source(source)?, ranges)));
        let Some((source, ranges)) = of else { return self.whole(part, wanted) };
        let ranges = if wanted { ranges } else { without(&ranges) };
        Formula::Condition(Condition { source, ranges, absent: self.with_unknown })
    }

    /// The part's own answer as the source.
    fn whole(&self, part: &Typed, wanted: bool) -> Formula {
        match self.source(part) {
            Some(source) => {
                let cut = |above| Some(Cut::Value { value: Value::Boolean(wanted), above });
                let ranges = vec![Range { from: cut(false), to: cut(true) }];
                Formula::Condition(Condition { source, ranges, absent: self.with_unknown })
            }
            None => Formula::Constant(self.with_unknown),
        }
    }

    fn source(&self, part: &Typed) -> Option<Source> {
        let Type::One(value_type) = part.of else { return None };
        let mut fields: Vec<String> = Vec::new();
        part.walk(&mut |part| {
            if let Form::Field(at) = part.form
                && let Some(field) = self.rule.fields().get(at)
                && !fields.contains(field)
            {
                fields.push(field.clone());
            }
        });
        let key = match part.form {
            Form::Field(_) => fields.first()?.clone(),
            // In brackets no field can have the same name.
            _ => format!("({})", self.rule.written(part.span)),
        };
        Some(Source {
            rule: self.rule.clone(),
            part: Arc::new(part.clone()),
            key: key.into(),
            value_type,
            fields: fields.into(),
        })
    }
}

const EVERYTHING: Range = Range { from: None, to: None };

/// Where `value of the source <comparison> constant` is true.
fn comparing(comparison: Comparison, value: &Value) -> Vec<Range> {
    let below = || Some(cut(value, false));
    let above = || Some(cut(value, true));
    match comparison {
        Comparison::Equal => vec![Range { from: below(), to: above() }],
        Comparison::NotEqual => without(&[Range { from: below(), to: above() }]),
        Comparison::Less => vec![Range { from: None, to: below() }],
        Comparison::LessOrEqual => vec![Range { from: None, to: above() }],
        Comparison::Greater => vec![Range { from: above(), to: None }],
        Comparison::GreaterOrEqual => vec![Range { from: below(), to: None }],
    }
}

/// Right below a value, or right above it.
fn cut(value: &Value, above: bool) -> Cut {
    match value {
        // Nothing stands between a text and the same text with a zero byte behind it.
        Value::Text(text) => Cut::Text(text.bytes().chain(above.then_some(0)).collect()),
        value => Cut::Value { value: value.clone(), above },
    }
}

/// Texts that begin so. UTF-8 has no byte 255, so a prefix has an end unless it is empty.
fn beginning(prefix: &str) -> Range {
    let mut end = prefix.as_bytes().to_vec();
    let to = end.pop().map(|last| {
        end.push(last.saturating_add(1));
        Cut::Text(end.into())
    });
    Range { from: to.is_some().then(|| Cut::Text(prefix.as_bytes().into())), to }
}

/// The values of a constant list, each a range; none if the list is not constant.
fn one_of(list: &Typed) -> Option<Vec<Range>> {
    let mut values: Vec<Value> = match &list.form {
        Form::Texts(texts) => texts.iter().cloned().map(Value::Text).collect(),
        Form::List(parts) => parts
            .iter()
            .map(|part| match &part.form {
                Form::Constant(value) => Some(value.clone()),
                _ => None,
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    values.sort_by(|a, b| Scalar::of(a).order(&Scalar::of(b)).unwrap_or(Ordering::Equal));
    values.dedup();
    Some(
        values
            .iter()
            .map(|value| Range { from: Some(cut(value, false)), to: Some(cut(value, true)) })
            .collect(),
    )
}

/// Known values that are in none of the ranges, which rise and have no common value.
fn without(ranges: &[Range]) -> Vec<Range> {
    let mut left = Vec::with_capacity(ranges.len().saturating_add(1));
    let mut from = Some(None);
    for range in ranges {
        if let Some(from) = from
            && range.from.is_some()
        {
            left.push(Range { from, to: range.from.clone() });
        }
        from = range.to.clone().map(Some);
    }
    if let Some(from) = from {
        left.push(Range { from, to: None });
    }
    left
}
