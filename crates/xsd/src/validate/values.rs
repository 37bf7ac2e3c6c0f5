//! Text: values of elements with simple content, and text where none may stand.

use markup::{Reader, Value, is_blank, split};

use super::frame::Judge;
use super::{Judgement, Stop};
use crate::particle::ElementId;
use crate::schema::ValueConstraint;
use crate::simple::{Lexical, SimpleId, Variety};

impl<'s, 't> Judgement<'s, 't> {
    pub(super) fn text(&mut self, piece: &'t str, at: usize) -> Result<(), Stop> {
        match self.frames.last().map(|frame| frame.judge) {
            Some(Judge::Value { .. }) => {
                self.value.push(piece);
                Ok(())
            }
            Some(Judge::Elements { mixed: false, .. }) if !piece.bytes().all(is_blank) => {
                self.text_misplaced(piece, at)
            }
            Some(Judge::Nothing { .. }) if !piece.is_empty() => self.text_misplaced(piece, at),
            _ => Ok(()),
        }
    }

    pub(super) fn character(&mut self, character: char, at: usize) -> Result<(), Stop> {
        match self.frames.last().map(|frame| frame.judge) {
            Some(Judge::Value { .. }) => {
                self.value.push_character(character);
                Ok(())
            }
            // White space is white space, however it was written.
            Some(Judge::Elements { mixed: false, .. }) if !character.is_ascii_whitespace() => {
                self.text_misplaced(&character.to_string(), at)
            }
            Some(Judge::Nothing { .. }) => self.text_misplaced(&character.to_string(), at),
            _ => Ok(()),
        }
    }

    fn text_misplaced(&mut self, found: &str, at: usize) -> Result<(), Stop> {
        let nil = matches!(self.frames.last().map(|frame| frame.judge), Some(Judge::Nothing { nil: true }));
        let code = if nil { "xsd_nil_with_content" } else { "xsd_text_unexpected" };
        self.find(code, at, found.trim(), "no text here".to_owned())
    }

    /// Judges the value of an element that ends.
    pub(super) fn end_value(
        &mut self,
        simple: SimpleId,
        declaration: Option<ElementId>,
        at: usize,
        reader: &Reader<'t>,
    ) -> Result<(), Stop> {
        let value = std::mem::replace(&mut self.value, Value::Empty);
        let stated =
            declaration.and_then(|id| self.schema.element(id)).and_then(|element| element.value.as_ref());
        // An element without text has the value that its declaration gives it.
        if stated.is_some() && value.as_str().is_empty() {
            return Ok(());
        }
        match self.schema.simple.check(simple, value.as_str()) {
            Err(refusal) => self.find(refusal.code, at, value.as_str(), refusal.expected),
            Ok(accepted) => {
                if let Some(ValueConstraint::Fixed(fixed)) = stated
                    && !self.schema.simple.same(simple, &accepted, fixed)
                {
                    return self.find("xsd_value_fixed", at, value.as_str(), fixed.to_string());
                }
                self.identify(simple, &accepted, at, reader)
            }
        }
    }

    /// Remembers identifiers, and what names them.
    pub(super) fn identify(
        &mut self,
        simple: SimpleId,
        value: &str,
        at: usize,
        reader: &Reader<'t>,
    ) -> Result<(), Stop> {
        let Some(simple_type) = self.schema.simple.get(simple) else { return Ok(()) };
        match simple_type.variety {
            Variety::Atomic(Lexical::Id) if !self.ids.insert(value.to_owned()) => {
                let expected = "an identifier that no other element has".to_owned();
                return self.find("xsd_id_repeated", at, value, expected);
            }
            Variety::Atomic(Lexical::QName) => {
                let prefix = split(value).0;
                if reader.scopes().find(prefix).is_none() {
                    let expected = format!("xmlns:{prefix}, which says what the prefix means");
                    return self.find("xsd_value_type", at, value, expected);
                }
            }
            Variety::Atomic(Lexical::IdRef) => self.references.push((value.to_owned(), at)),
            Variety::List(item) if self.schema.simple.lexical(item) == Some(Lexical::IdRef) => {
                self.references.extend(value.split(' ').map(|part| (part.to_owned(), at)));
            }
            _ => {}
        }
        Ok(())
    }
}
