//! Open elements: what each of them lets in.

use markup::{Reader, split};

use super::{Judgement, Stop};
use crate::model::{Accepted, Model, State};
use crate::name::{NameId, Names, NamespaceId};
use crate::particle::{ElementId, Process};
use crate::schema::{Content, TypeRef};
use crate::simple::SimpleId;

/// Names that an expectation lists; more are counted.
const NAMES_MAX: usize = 12;

/// An open element.
#[derive(Debug)]
pub(super) struct Frame<'s> {
    /// Where it begins.
    pub(super) at: usize,
    /// The namespace of what states none within it.
    pub(super) assumed: NamespaceId,
    pub(super) judge: Judge<'s>,
}

/// What an element lets in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judge<'s> {
    /// Not judged, nor what stands in it; the message that is judged may.
    Outside,
    /// Not judged, nor anything in it.
    Skip,
    Elements {
        model: &'s Model,
        state: State,
        mixed: bool,
        /// No child stood where it may not so far.
        in_order: bool,
    },
    /// Nothing at all.
    Nothing {
        nil: bool,
    },
    Value {
        simple: SimpleId,
        declaration: Option<ElementId>,
    },
}

impl Judge<'_> {
    pub(super) fn wants_text(&self) -> bool {
        matches!(self, Self::Value { .. })
    }
}

/// How an element that begins is judged.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beginning {
    Declared(ElementId),
    /// No declaration: judged by `xsi:type` if it has one, loosely otherwise.
    Loose,
    Skip,
    Outside,
}

impl<'s, 't> Judgement<'s, 't> {
    /// What a child of the innermost element is.
    pub(super) fn judge_for(
        &mut self,
        known: Option<NameId>,
        namespace: NamespaceId,
        written: &str,
        at: usize,
    ) -> Result<Beginning, Stop> {
        let Some(frame) = self.frames.last_mut() else { return self.root(known, written, at) };
        match &mut frame.judge {
            Judge::Outside => self.root(known, written, at),
            Judge::Skip => Ok(Beginning::Skip),
            Judge::Nothing { nil } => {
                let code = if *nil { "xsd_nil_with_content" } else { "xsd_element_unexpected" };
                self.find(code, at, written, "an empty element".to_owned())?;
                Ok(Beginning::Skip)
            }
            Judge::Value { .. } => {
                self.find("xsd_element_unexpected", at, written, "a value without elements".to_owned())?;
                Ok(Beginning::Skip)
            }
            Judge::Elements { model, state, in_order, .. } => {
                let model: &'s Model = model;
                if *in_order {
                    if let Some((next, accepted)) = model.step(*state, known, namespace) {
                        *state = next;
                        return self.accepted(model, accepted, known, written, at);
                    }
                    *in_order = false;
                    let expected = expected(&self.schema.names, model, *state, split(written).1);
                    self.find("xsd_element_unexpected", at, written, expected)?;
                }
                match known.and_then(|name| model.element(name)) {
                    Some(element) => Ok(Beginning::Declared(element)),
                    None => Ok(Beginning::Skip),
                }
            }
        }
    }

    /// An element that no judged element stands around.
    fn root(&mut self, known: Option<NameId>, written: &str, at: usize) -> Result<Beginning, Stop> {
        if let Some((namespace, local)) = self.entry {
            let entry = self.schema.names.find(namespace, local);
            if known.is_none() || known != entry {
                return Ok(Beginning::Outside);
            }
            self.entry_seen = true;
        }
        match known.and_then(|name| self.schema.global_elements.get(&name)) {
            Some(element) => Ok(Beginning::Declared(*element)),
            None => {
                let expected = "an element that the schema has as a whole message".to_owned();
                self.find("xsd_root_unknown", at, written, expected)?;
                Ok(Beginning::Skip)
            }
        }
    }

    fn accepted(
        &mut self,
        model: &'s Model,
        accepted: Accepted,
        known: Option<NameId>,
        written: &str,
        at: usize,
    ) -> Result<Beginning, Stop> {
        let wildcard = match accepted {
            Accepted::Element(element) => return Ok(Beginning::Declared(element)),
            Accepted::Wildcard(number) => model.wildcards.get(number),
        };
        let process = wildcard.map_or(Process::Skip, |wildcard| wildcard.process);
        if process == Process::Skip {
            return Ok(Beginning::Skip);
        }
        match known.and_then(|name| self.schema.global_elements.get(&name)) {
            Some(element) => Ok(Beginning::Declared(*element)),
            None if process == Process::Lax => Ok(Beginning::Loose),
            None => {
                let expected = "an element that the schema declares".to_owned();
                self.find("xsd_element_undeclared", at, written, expected)?;
                Ok(Beginning::Skip)
            }
        }
    }

    /// Looks at an element's attributes and says what it lets in.
    pub(super) fn begin(&mut self, beginning: Beginning, reader: &Reader<'t>) -> Result<Judge<'s>, Stop> {
        let at = reader.at();
        let (declared, declaration) = match beginning {
            Beginning::Outside => return Ok(Judge::Outside),
            Beginning::Skip => return Ok(Judge::Skip),
            Beginning::Loose => (TypeRef::Complex(crate::schema::ANY_TYPE), None),
            Beginning::Declared(id) => {
                let Some(element) = self.schema.element(id) else { return Ok(Judge::Skip) };
                if element.is_abstract {
                    self.find("xsd_element_abstract", at, "", "an element that is not abstract".to_owned())?;
                }
                (element.type_of, Some(id))
            }
        };
        let special = if reader.attributes().is_empty() {
            super::attributes::Special::default()
        } else {
            self.special_attributes(declared, declaration, reader)?
        };
        let type_of = special.type_of.unwrap_or(declared);
        match type_of {
            TypeRef::Simple(simple) => {
                self.no_attributes(reader)?;
                Ok(if special.nil {
                    Judge::Nothing { nil: true }
                } else {
                    Judge::Value { simple, declaration }
                })
            }
            TypeRef::Complex(id) => {
                let Some(complex) = self.schema.complex(id) else { return Ok(Judge::Skip) };
                if complex.is_abstract {
                    self.find(
                        "xsd_type_abstract",
                        at,
                        "",
                        "xsi:type with a type that is not abstract".to_owned(),
                    )?;
                    return Ok(Judge::Skip);
                }
                self.attributes_of(&complex.attributes, reader)?;
                Ok(match &complex.content {
                    _ if special.nil => Judge::Nothing { nil: true },
                    Content::Empty => Judge::Nothing { nil: false },
                    Content::Simple(simple) => Judge::Value { simple: *simple, declaration },
                    Content::Elements { model, mixed } => {
                        Judge::Elements { model, state: model.start(), mixed: *mixed, in_order: true }
                    }
                })
            }
        }
    }
}

/// What may come next, in words; with its namespace where a name is that of what came, which has another one.
pub(super) fn expected(names: &Names, model: &Model, state: State, came: &str) -> String {
    let (next, wildcards) = model.next(state);
    let shown = |name: &NameId| {
        if names.local(*name) == came { names.shown(*name) } else { names.local(*name).to_owned() }
    };
    let mut words: Vec<String> = next.iter().take(NAMES_MAX).map(shown).collect();
    words.extend(wildcards.iter().map(|wildcard| wildcard.namespaces.shown(names)));
    if next.len() > NAMES_MAX {
        words.push(format!("{} more", next.len().saturating_sub(NAMES_MAX)));
    }
    match words.as_slice() {
        [] => "no further element".to_owned(),
        [only] => only.clone(),
        _ => format!("one of {}", words.join(", ")),
    }
}
