//! Which elements a document must have for a rule to be true at all: a rule that names others need not be asked.
//!
//! Only what is certain counts. A set that is too small costs time; one that is too large would hide a broken rule.

use std::collections::BTreeSet;

use spine::name_table::NameNumber;

use crate::function::{Quantifier, Run};
use crate::typed::{Form, Typed};
use crate::types::Type;

type Names = BTreeSet<NameNumber>;

/// Names of elements without which a condition is never true.
pub(crate) fn of_truth(part: &Typed) -> Names {
    of_condition(part, true)
}

/// Names without which a condition never has this answer.
fn of_condition(part: &Typed, answer: bool) -> Names {
    match (&part.form, answer) {
        (Form::Not(inner), _) => of_condition(inner, !answer),
        (Form::All(parts), true) | (Form::Any(parts), false) => {
            all(parts.iter().map(|part| of_condition(part, answer)))
        }
        (Form::All(parts), false) | (Form::Any(parts), true) => {
            common(parts.iter().map(|part| of_condition(part, answer)))
        }
        (Form::Has(inner), true) => match inner.of {
            Type::Nodes => of_nodes(inner),
            Type::One(_) | Type::List(_) => of_value(inner),
        },
        (Form::In(left, right), true) => all([of_value(left), of_nodes(right)]),
        (Form::Quantify(Quantifier::Exists | Quantifier::ExistsOne, list, body), true)
        | (Form::Quantify(Quantifier::All, list, body), false) => {
            all([of_nodes(list), of_condition(body, answer)])
        }
        _ => of_value(part),
    }
}

/// Names without which a value is unknown.
fn of_value(part: &Typed) -> Names {
    match &part.form {
        Form::Single(nodes) => of_nodes(nodes),
        Form::Not(inner) | Form::Negate(inner) | Form::Matches(inner, _) => of_value(inner),
        Form::Compare(_, left, right) | Form::Arithmetic(_, left, right) | Form::Join(left, right) => {
            all([of_value(left), of_value(right)])
        }
        Form::In(left, _) => of_value(left),
        Form::Conditional(three) => {
            let [condition, ..] = three.as_ref();
            of_value(condition)
        }
        Form::Call(Run::Values(_), _, parts) => all(parts.iter().map(of_value)),
        Form::Call(Run::Node(_), _, parts) => all(parts.first().map(of_nodes)),
        _ => Names::new(),
    }
}

/// Names without which there are no nodes, or none whose texts a list would hold.
fn of_nodes(part: &Typed) -> Names {
    match &part.form {
        Form::Step(base, name) => all([of_nodes(base), Names::from([*name])]),
        Form::TextsOf(nodes) | Form::NumbersOf(nodes) => of_nodes(nodes),
        Form::Quantify(Quantifier::Filter, list, body) => all([of_nodes(list), of_condition(body, true)]),
        Form::Quantify(Quantifier::Map, list, _) => of_nodes(list),
        _ => Names::new(),
    }
}

fn all(sets: impl IntoIterator<Item = Names>) -> Names {
    sets.into_iter().flatten().collect()
}

fn common(sets: impl Iterator<Item = Names>) -> Names {
    sets.reduce(|common, other| common.intersection(&other).copied().collect()).unwrap_or_default()
}
