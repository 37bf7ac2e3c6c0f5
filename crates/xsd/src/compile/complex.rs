//! Complex types: their content and attributes, their own or from a base.

use super::attributes::{OwnAttributes, widened};
use super::place::At;
use super::{Compiler, Made};
use crate::error::{Fault, SchemaError};
use crate::particle::{Occurs, Particle, Term};
use crate::schema::{ANY_TYPE, Attributes, ComplexId, TypeRef};
use crate::simple::SimpleId;

/// A complex type before its automaton is made.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) base: Option<TypeRef>,
    pub(super) is_abstract: bool,
    pub(super) attributes: Attributes,
    pub(super) content: ShapeContent,
}

/// What stands within an element of the type.
#[derive(Debug, Clone)]
pub(super) enum ShapeContent {
    Empty,
    Simple(SimpleId),
    Elements { particle: Particle, mixed: bool },
}

const FACETS: &[&str] = &[
    "length",
    "minLength",
    "maxLength",
    "pattern",
    "enumeration",
    "whiteSpace",
    "maxInclusive",
    "maxExclusive",
    "minInclusive",
    "minExclusive",
    "totalDigits",
    "fractionDigits",
];

impl<'s, 'f> Compiler<'s, 'f> {
    /// What a complex type says, with what it has from its base.
    pub(super) fn shape(&mut self, id: ComplexId) -> Result<Shape, SchemaError> {
        let at = self.complex_at.get(id.0).copied().flatten();
        match (self.complex_made.get(&id), at) {
            (Some(Made::Done(shape)), _) => Ok(shape.clone()),
            (Some(Made::Doing), Some(at)) => {
                Err(at.fault(Fault::Circular, "the type is derived from itself"))
            }
            (None, Some(at)) => {
                self.complex_made.insert(id, Made::Doing);
                let shape = self.deeper(at, |compiler| compiler.complex_type(at))?;
                self.complex_made.insert(id, Made::Done(shape.clone()));
                Ok(shape)
            }
            (_, None) => Err(Fault::ReferenceUnknown.at("", 0, "a type is missing")),
        }
    }

    fn complex_type(&mut self, at: At<'s, 'f>) -> Result<Shape, SchemaError> {
        at.allow(&["name", "mixed", "abstract"])?;
        let is_abstract = at.flag("abstract")?;
        let children: Vec<At<'s, 'f>> = at.children().collect();
        let mixed = at.flag("mixed")?;
        let mut shape = match children.as_slice() {
            [only] if only.is("simpleContent") => self.simple_content(*only)?,
            [only] if only.is("complexContent") => self.complex_content(*only, mixed)?,
            children => {
                let (content, attributes) = self.content_and_attributes(children, mixed)?;
                Shape {
                    base: Some(TypeRef::Complex(ANY_TYPE)),
                    is_abstract: false,
                    attributes: attributes.attributes,
                    content,
                }
            }
        };
        shape.is_abstract = is_abstract;
        Ok(shape)
    }

    /// A group, perhaps, and attributes behind it.
    fn content_and_attributes(
        &mut self,
        children: &[At<'s, 'f>],
        mixed: bool,
    ) -> Result<(ShapeContent, OwnAttributes), SchemaError> {
        let (group, attributes) = match children {
            [first, rest @ ..] if matches!(first.construct()?, "group" | "all" | "choice" | "sequence") => {
                (Some(*first), rest)
            }
            all => (None, all),
        };
        let content = match group {
            Some(group) => {
                let particle = self.particle(group)?;
                if is_nothing(&particle) && !mixed {
                    ShapeContent::Empty
                } else {
                    ShapeContent::Elements { particle, mixed }
                }
            }
            None if mixed => {
                let particle = Particle { occurs: Occurs::ONCE, term: Term::Sequence(Vec::new()) };
                ShapeContent::Elements { particle, mixed }
            }
            None => ShapeContent::Empty,
        };
        if let Some(wrong) = attributes
            .iter()
            .find(|child| !(child.is("attribute") || child.is("attributeGroup") || child.is("anyAttribute")))
        {
            return Err(match wrong.construct()? {
                "group" | "all" | "choice" | "sequence" | "simpleContent" | "complexContent" => {
                    wrong.misplaced()
                }
                _ => wrong.unsupported(),
            });
        }
        Ok((content, self.attributes(attributes)?))
    }

    /// The one `extension` or `restriction` within.
    fn derivation(&mut self, at: At<'s, 'f>) -> Result<(At<'s, 'f>, TypeRef), SchemaError> {
        let mut children = at.children();
        let (Some(how), None) = (children.next(), children.next()) else {
            return Err(at.fault(Fault::Misplaced, "either extension or restriction is needed"));
        };
        if !matches!(how.construct()?, "extension" | "restriction") {
            return Err(how.unsupported());
        }
        how.allow(&["base"])?;
        let base = self.type_named(how, how.required("base")?)?;
        Ok((how, base))
    }

    fn simple_content(&mut self, at: At<'s, 'f>) -> Result<Shape, SchemaError> {
        at.allow(&[])?;
        let (how, base) = self.derivation(at)?;
        let (mut simple, inherited) = match base {
            TypeRef::Simple(id) => (id, Attributes::default()),
            TypeRef::Complex(id) => match self.shape(id)? {
                Shape { content: ShapeContent::Simple(simple), attributes, .. } => (simple, attributes),
                _ => return Err(how.fault(Fault::ReferenceUnknown, "the base has no simple content")),
            },
        };
        let mut children: Vec<At<'s, 'f>> = how.children().collect();
        if how.is("restriction") {
            if matches!(base, TypeRef::Simple(_)) {
                return Err(how.fault(
                    Fault::ReferenceUnknown,
                    "a restriction of simple content needs a complex type as its base",
                ));
            }
            if let Some(inline) = how.child("simpleType") {
                let own = self.simple_type(inline)?;
                if !self.simple.derives(own, simple) {
                    return Err(
                        inline.fault(Fault::ValueInvalid, "the type is not made from that of the base")
                    );
                }
                simple = own;
            }
            children.retain(|child| !child.is("simpleType"));
            let (facets, rest): (Vec<_>, Vec<_>) =
                children.into_iter().partition(|child| FACETS.iter().any(|facet| child.is(facet)));
            if !facets.is_empty() {
                simple = self.restricted(simple, None, how, &facets)?;
            }
            children = rest;
        }
        let own = self.attributes(&children)?;
        let attributes = self.inherited(inherited, own, how)?;
        Ok(Shape { base: Some(base), is_abstract: false, attributes, content: ShapeContent::Simple(simple) })
    }

    fn complex_content(&mut self, at: At<'s, 'f>, mixed: bool) -> Result<Shape, SchemaError> {
        at.allow(&["mixed"])?;
        let mixed = if at.attribute("mixed").is_some() { at.flag("mixed")? } else { mixed };
        let (how, base) = self.derivation(at)?;
        let TypeRef::Complex(base_id) = base else {
            return Err(how.fault(Fault::ReferenceUnknown, "the base is not a complex type"));
        };
        let inherited = self.shape(base_id)?;
        if matches!(inherited.content, ShapeContent::Simple(_)) {
            return Err(how.fault(Fault::ReferenceUnknown, "the base has simple content"));
        }
        let children: Vec<At<'s, 'f>> = how.children().collect();
        let (own, attributes) = self.content_and_attributes(&children, mixed)?;
        let content = if how.is("extension") {
            match (inherited.content, own) {
                (ShapeContent::Empty, own) => own,
                (base, ShapeContent::Empty) => base,
                (
                    ShapeContent::Elements { particle: base, mixed: base_mixed },
                    ShapeContent::Elements { particle: own, mixed },
                ) => {
                    if base_mixed != mixed {
                        return Err(
                            how.fault(Fault::ValueInvalid, "the base and its extension differ in mixed")
                        );
                    }
                    ShapeContent::Elements { particle: self.followed(how, base, own)?, mixed }
                }
                (_, own) => own,
            }
        } else {
            own
        };
        let attributes = self.inherited(inherited.attributes, attributes, how)?;
        Ok(Shape { base: Some(base), is_abstract: false, attributes, content })
    }

    /// Attributes of the base with one's own.
    fn inherited(
        &self,
        base: Attributes,
        own: OwnAttributes,
        how: At<'s, 'f>,
    ) -> Result<Attributes, SchemaError> {
        let OwnAttributes { attributes: mut own, prohibited } = own;
        let is_extension = how.is("extension");
        for attribute in base.uses {
            if own.uses.iter().any(|known| known.name == attribute.name) {
                if is_extension {
                    let detail = format!("the base has {} already", self.names.shown(attribute.name));
                    return Err(how.fault(Fault::DefinedTwice, detail));
                }
            } else if is_extension || !prohibited.contains(&attribute.name) {
                own.uses.push(attribute);
            }
        }
        if is_extension {
            own.wildcard = widened(base.wildcard, own.wildcard, how)?;
        }
        Ok(own)
    }
}

/// Content that can be no element at all is empty: not even white space may stand there (part 1, 3.4.2).
fn is_nothing(particle: &Particle) -> bool {
    match &particle.term {
        _ if particle.occurs.max == Some(0) => true,
        Term::Sequence(members) | Term::All(members) => members.is_empty(),
        Term::Choice(members) => members.is_empty() && particle.occurs.min == 0,
        Term::Element { .. } | Term::Wildcard { .. } => false,
    }
}
