//! The reason for an answer, part by part.

use serde::Serialize;
use spine::Pointer;

use crate::function::Quantifier;
use crate::machine::Machine;
use crate::nodes::Nodes;
use crate::truth::Truth;
use crate::typed::{Form, Typed};
use crate::types::Type;
use crate::value::{Data, Scalar};

/// One part of a rule with what it came to, and its own parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The part as its author wrote it.
    pub source: String,
    /// What it came to, if it is a condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<Truth>,
    /// What it came to, if it is a value and known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where the value was read: the field of an entry, the nodes of a document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pointers: Vec<Pointer>,
    /// Its parts in the order in which they are written, without constants. Of `exists` and its kin: the list, then
    /// the question for up to three elements that decided the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Explanation>,
}

impl Explanation {
    /// All places that were read, in the order of reading, each once.
    #[must_use]
    pub fn read(&self) -> Vec<&Pointer> {
        let mut read = Vec::new();
        self.gather(&mut read);
        read
    }

    fn gather<'a>(&'a self, read: &mut Vec<&'a Pointer>) {
        for pointer in &self.pointers {
            if !read.contains(&pointer) {
                read.push(pointer);
            }
        }
        for part in &self.parts {
            part.gather(read);
        }
    }
}

/// Elements shown of `exists` and its kin.
const WITNESSES_MAX: usize = 3;

/// Elements and pointers shown of a list.
const ELEMENTS_SHOWN_MAX: usize = 10;

/// Explains a rule at the machine's place.
pub(crate) struct Explainer<'a> {
    pub(crate) machine: Machine<'a>,
    pub(crate) source: &'a str,
    /// Names of the rule's fields.
    pub(crate) fields: &'a [String],
}

impl<'a> Explainer<'a> {
    pub(crate) fn explain(&mut self, part: &'a Typed) -> Explanation {
        let data = self.machine.data(part);
        let mut explanation =
            Explanation { source: part.span.of(self.source).to_owned(), ..Explanation::default() };
        if part.of == Type::BOOLEAN {
            explanation.truth = Some(Truth::of(data.one().and_then(|value| value.boolean())));
        } else {
            explanation.value = self.shown(data);
        }
        match &part.form {
            Form::Field(at) => {
                explanation.pointers =
                    self.fields.get(*at).map(|name| Pointer(name.clone())).into_iter().collect()
            }
            Form::Single(nodes) | Form::TextsOf(nodes) | Form::NumbersOf(nodes) => {
                self.nodes(nodes, &mut explanation)
            }
            Form::Step(..) | Form::Start(_) | Form::Variable(_) => self.nodes(part, &mut explanation),
            Form::Quantify(quantifier, list, body) => {
                explanation.parts.push(self.explain(list));
                let witnesses = self.witnesses(*quantifier, explanation.truth, list, body);
                explanation.parts.extend(witnesses);
            }
            _ => {
                for part in part.parts().into_iter().filter(|part| !is_constant(part)) {
                    let inner = self.explain(part);
                    explanation.parts.push(inner);
                }
            }
        }
        explanation
    }

    /// Adds where nodes stand; of nodes that were chosen by a filter, how they were chosen.
    fn nodes(&mut self, part: &'a Typed, explanation: &mut Explanation) {
        let nodes = self.machine.data(part).nodes();
        if let (Some(nodes), Some(tree)) = (nodes, self.machine.tree()) {
            let shown = nodes.into_iter().take(ELEMENTS_SHOWN_MAX);
            explanation.pointers = shown.map(|node| tree.pointer(node)).collect();
        }
        let mut base = part;
        while let Form::Step(inner, _) = &base.form {
            base = inner;
        }
        if !matches!(base.form, Form::Start(_) | Form::Variable(_)) {
            let inner = self.explain(base);
            explanation.parts.push(inner);
        }
    }

    fn witnesses(
        &mut self,
        quantifier: Quantifier,
        answer: Option<Truth>,
        list: &'a Typed,
        body: &'a Typed,
    ) -> Vec<Explanation> {
        let wanted = match quantifier {
            Quantifier::Exists | Quantifier::All => answer,
            Quantifier::ExistsOne | Quantifier::Filter => Some(Truth::True),
            Quantifier::Map => None,
        };
        let mut explained = Vec::new();
        for element in self.machine.elements(list).into_iter().flatten() {
            if explained.len() >= WITNESSES_MAX {
                break;
            }
            let truth = self.machine.with_variable(element.clone(), |machine| machine.truth(body));
            if wanted.is_none_or(|wanted| wanted == truth) {
                self.machine.bind(element);
                explained.push(self.explain(body));
                self.machine.unbind();
            }
        }
        explained
    }

    /// A value as people read it; `None` if it is unknown or nothing is there.
    fn shown(&self, data: Data<'a>) -> Option<String> {
        match data {
            Data::One(value) => value.map(|value| value.into_value().to_string()),
            Data::List(list) => list.map(shown_list),
            // Elements that only hold others have no text to show.
            Data::Nodes(nodes) => match self.texts(nodes?).as_slice() {
                texts if texts.iter().all(String::is_empty) => None,
                [text] => Some(text.clone()),
                texts => Some(shown_list(texts.iter().map(|text| Some(Scalar::Text(text.into()))).collect())),
            },
        }
    }

    fn texts(&self, nodes: Nodes<'_>) -> Vec<String> {
        let Some(tree) = self.machine.tree() else { return Vec::new() };
        nodes.into_iter().take(ELEMENTS_SHOWN_MAX + 1).map(|node| tree.text(node).to_owned()).collect()
    }
}

fn is_constant(part: &Typed) -> bool {
    match &part.form {
        Form::Constant(_) | Form::Texts(_) => true,
        Form::List(parts) => parts.iter().all(is_constant),
        _ => false,
    }
}

fn shown_list(list: Vec<Option<Scalar<'_>>>) -> String {
    let more = if list.len() > ELEMENTS_SHOWN_MAX { ", …" } else { "" };
    let shown: Vec<String> = list
        .into_iter()
        .take(ELEMENTS_SHOWN_MAX)
        .map(|element| element.map_or_else(|| "unknown".to_owned(), |value| value.into_value().to_string()))
        .collect();
    format!("[{}{more}]", shown.join(", "))
}
