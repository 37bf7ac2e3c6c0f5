//! A compiled schema: declarations and types by number.

use std::collections::HashMap;

use crate::model::Model;
use crate::name::{NameId, Names};
use crate::particle::{ElementId, Wildcard};
use crate::simple::{SimpleId, SimpleTypes};

/// A complex type of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ComplexId(pub(crate) usize);

/// A type of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TypeRef {
    Simple(SimpleId),
    Complex(ComplexId),
}

/// An element declaration.
#[derive(Debug, Clone)]
pub(crate) struct ElementDeclaration {
    pub(crate) type_of: TypeRef,
    pub(crate) nillable: bool,
    /// It stands for others and never for itself.
    pub(crate) is_abstract: bool,
    pub(crate) value: Option<ValueConstraint>,
}

/// `default` or `fixed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueConstraint {
    Default(Box<str>),
    Fixed(Box<str>),
}

/// An attribute that an element may or must have.
#[derive(Debug, Clone)]
pub(crate) struct AttributeUse {
    pub(crate) name: NameId,
    pub(crate) simple: SimpleId,
    pub(crate) required: bool,
    pub(crate) fixed: Option<Box<str>>,
}

/// A declaration of an attribute for the whole schema.
#[derive(Debug, Clone)]
pub(crate) struct AttributeDeclaration {
    pub(crate) simple: SimpleId,
    pub(crate) fixed: Option<Box<str>>,
}

/// The attributes of a complex type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) uses: Vec<AttributeUse>,
    pub(crate) wildcard: Option<Wildcard>,
}

/// What stands within an element of a complex type.
#[derive(Debug)]
pub(crate) enum Content {
    Empty,
    Simple(SimpleId),
    Elements { model: Model, mixed: bool },
}

/// A complex type.
#[derive(Debug)]
pub(crate) struct ComplexType {
    pub(crate) base: Option<TypeRef>,
    pub(crate) is_abstract: bool,
    pub(crate) attributes: Attributes,
    pub(crate) content: Content,
}

/// A compiled schema, ready to judge messages; any number of threads may do so at once.
#[derive(Debug)]
pub struct Schema {
    pub(crate) names: Names,
    pub(crate) simple: SimpleTypes,
    pub(crate) complex: Vec<ComplexType>,
    pub(crate) elements: Vec<ElementDeclaration>,
    pub(crate) global_elements: HashMap<NameId, ElementId>,
    pub(crate) global_attributes: HashMap<NameId, AttributeDeclaration>,
    pub(crate) global_types: HashMap<NameId, TypeRef>,
    pub(crate) notes: Vec<String>,
}

impl Schema {
    /// What was left aside while compiling, in words: files named for a namespace that another file had brought
    /// already. Usually nothing.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn element(&self, id: ElementId) -> Option<&ElementDeclaration> {
        self.elements.get(id.0)
    }

    pub(crate) fn complex(&self, id: ComplexId) -> Option<&ComplexType> {
        self.complex.get(id.0)
    }

    /// Is a type the other one, or made from it by extension or restriction?
    pub(crate) fn derives(&self, id: TypeRef, from: TypeRef) -> bool {
        let mut current = id;
        for _ in 0..=self.complex.len() {
            match (current, from) {
                (current, from) if current == from => return true,
                (TypeRef::Simple(id), TypeRef::Simple(from)) => return self.simple.derives(id, from),
                (TypeRef::Simple(_), TypeRef::Complex(from)) => return from == ANY_TYPE,
                (TypeRef::Complex(id), _) => match self.complex(id).and_then(|complex| complex.base) {
                    Some(base) => current = base,
                    None => return false,
                },
            }
        }
        false
    }
}

/// The number of `anyType` in every schema.
pub(crate) const ANY_TYPE: ComplexId = ComplexId(0);
