//! From the files of a schema to what judges messages.
//!
//! Everything that stands in a file is looked at: a construct or an attribute that is not understood is an error with
//! its place. `final` is accepted because it restricts other schemas, never a message.

mod attributes;
mod complex;
mod content;
mod place;
mod simple;

use std::collections::HashMap;
use std::sync::Arc;

use self::complex::{Shape, ShapeContent};
use self::place::At;
use crate::builtin;
use crate::error::{Fault, SchemaError};
use crate::model::{Model, ModelFault};
use crate::name::{NameId, Names};
use crate::particle::{ElementId, Namespaces, Occurs, Particle, Process, Term, Wildcard};
use crate::pattern::Pattern;
use crate::schema::{
    ANY_TYPE, AttributeDeclaration, Attributes, ComplexId, ComplexType, Content, ElementDeclaration, Schema,
    TypeRef, ValueConstraint,
};
use crate::simple::{SimpleId, SimpleTypes};
use crate::source::{self, Files, Unit, XSD, children};

/// Definitions that rest on each other in a row.
const CHAIN_MAX: usize = 64;
/// Elements, groups and wildcards of all content models together, copies behind references included.
const PARTICLES_MAX: usize = 1_000_000;

impl Schema {
    /// Compiles the schema whose file is `entry`, with what it includes and imports from `files`.
    ///
    /// # Errors
    /// A file that is missing or no schema, a definition that is missing, circular or stands twice, a value that is
    /// none, a content model that is ambiguous, and whatever is not understood here: each with file, line, code and
    /// remedy.
    pub fn compile(files: &Files, entry: &str) -> Result<Self, SchemaError> {
        let sources = source::load(files, entry)?;
        let mut compiler = Compiler::new(&sources.units)?;
        compiler.definitions()?;
        let mut schema = compiler.finish()?;
        schema.notes = sources.notes;
        Ok(schema)
    }
}

/// Kinds of names that a schema defines; each has a space of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Type,
    Element,
    Attribute,
    Group,
    AttributeGroup,
}

/// Something that may be asked for while it is being made.
#[derive(Debug, Clone)]
enum Made<T> {
    Doing,
    Done(T),
}

struct Compiler<'s, 'f> {
    names: Names,
    globals: HashMap<(Kind, NameId), At<'s, 'f>>,
    /// In the order of the files, so that numbers and errors are the same each time.
    in_order: Vec<(Kind, NameId, At<'s, 'f>)>,
    simple: SimpleTypes,
    /// How many types a value is compared with at the most.
    simple_costs: Vec<usize>,
    simple_made: HashMap<NameId, Made<SimpleId>>,
    patterns: HashMap<String, Arc<Pattern>>,
    /// The places of complex types in the files; the first, `anyType`, has none.
    complex_at: Vec<Option<At<'s, 'f>>>,
    complex_made: HashMap<ComplexId, Made<Shape>>,
    complex_numbers: HashMap<NameId, ComplexId>,
    elements: Vec<(ElementDeclaration, At<'s, 'f>)>,
    global_elements: HashMap<NameId, ElementId>,
    attributes_made: HashMap<NameId, AttributeDeclaration>,
    groups: HashMap<NameId, Made<Particle>>,
    attribute_groups: HashMap<NameId, Made<Attributes>>,
    particles: usize,
    places: usize,
    chain: usize,
}

impl<'s, 'f> Compiler<'s, 'f> {
    fn new(units: &'s [Unit<'f>]) -> Result<Self, SchemaError> {
        let simple = builtin::all();
        let mut compiler = Self {
            names: Names::new(),
            globals: HashMap::new(),
            in_order: Vec::new(),
            simple_costs: vec![1; simple.len()],
            simple: SimpleTypes(simple),
            simple_made: HashMap::new(),
            patterns: HashMap::new(),
            complex_at: vec![None],
            complex_made: HashMap::from([(ANY_TYPE, Made::Done(any_type()))]),
            complex_numbers: HashMap::new(),
            elements: Vec::new(),
            global_elements: HashMap::new(),
            attributes_made: HashMap::new(),
            groups: HashMap::new(),
            attribute_groups: HashMap::new(),
            particles: 0,
            places: 0,
            chain: 0,
        };
        for unit in units {
            compiler.index(unit)?;
        }
        Ok(compiler)
    }

    /// Finds what a file defines.
    fn index(&mut self, unit: &'s Unit<'f>) -> Result<(), SchemaError> {
        let root = At { unit, node: unit.document.root_element() };
        root.allow(&[
            "targetNamespace",
            "version",
            "elementFormDefault",
            "attributeFormDefault",
            "blockDefault",
            "finalDefault",
        ])?;
        for node in children(root.node) {
            let at = At { unit, node };
            let kind = match at.construct()? {
                "include" | "import" => {
                    at.allow(&["schemaLocation", "namespace"])?;
                    continue;
                }
                "simpleType" | "complexType" => Kind::Type,
                "element" => Kind::Element,
                "attribute" => Kind::Attribute,
                "group" => Kind::Group,
                "attributeGroup" => Kind::AttributeGroup,
                _ => return Err(at.unsupported()),
            };
            let local = at.required("name")?;
            let name = self.names.name(&unit.target, local);
            if let Some(first) = self.globals.insert((kind, name), at) {
                let detail = format!("{local} is defined in {} already", first.shown());
                return Err(at.fault(Fault::DefinedTwice, detail));
            }
            self.in_order.push((kind, name, at));
            if at.is("complexType") {
                let id = self.new_complex(at);
                self.complex_numbers.insert(name, id);
            }
        }
        Ok(())
    }

    /// Makes everything that is defined.
    fn definitions(&mut self) -> Result<(), SchemaError> {
        for (kind, name, at) in self.in_order.clone() {
            match kind {
                Kind::Element => {
                    self.global_element(name, at)?;
                }
                Kind::Type if at.is("simpleType") => {
                    self.named_simple(name, at)?;
                }
                Kind::Type => {}
                Kind::Attribute => {
                    self.global_attribute(name, at)?;
                }
                Kind::Group => {
                    self.group(name, at)?;
                }
                Kind::AttributeGroup => {
                    self.attribute_group(name, at)?;
                }
            }
        }
        // Types within types are found on the way.
        let mut next = 0_usize;
        while next < self.complex_at.len() {
            self.shape(ComplexId(next))?;
            next = next.saturating_add(1);
        }
        Ok(())
    }

    /// One step deeper into definitions that rest on each other.
    fn deeper<T>(
        &mut self,
        at: At<'s, 'f>,
        make: impl FnOnce(&mut Self) -> Result<T, SchemaError>,
    ) -> Result<T, SchemaError> {
        if self.chain >= CHAIN_MAX {
            let detail = format!("definitions may rest on {CHAIN_MAX} others in a row");
            return Err(at.fault(Fault::TooLarge, detail));
        }
        self.chain = self.chain.saturating_add(1);
        let made = make(self);
        self.chain = self.chain.saturating_sub(1);
        made
    }

    /// A name as it is written at a place, as a number.
    fn reference(&mut self, at: At<'s, 'f>, written: &'s str) -> Result<NameId, SchemaError> {
        let (uri, local) = at.unit.resolve(at.node, written)?;
        Ok(self.names.name(uri, local))
    }

    fn global(&self, kind: Kind, name: NameId, at: At<'s, 'f>) -> Result<At<'s, 'f>, SchemaError> {
        self.globals.get(&(kind, name)).copied().ok_or_else(|| {
            at.fault(Fault::ReferenceUnknown, format!("{} is not defined", self.names.shown(name)))
        })
    }

    /// The type that a place names.
    fn type_named(&mut self, at: At<'s, 'f>, written: &'s str) -> Result<TypeRef, SchemaError> {
        let (uri, local) = at.unit.resolve(at.node, written)?;
        if uri == XSD {
            return match builtin::builtin(local) {
                Some(id) => Ok(TypeRef::Simple(id)),
                None if local == "anyType" => Ok(TypeRef::Complex(ANY_TYPE)),
                None => Err(at.fault(Fault::Unsupported, format!("the type {local} is not known here"))),
            };
        }
        let name = self.names.name(uri, local);
        if let Some(id) = self.complex_numbers.get(&name) {
            return Ok(TypeRef::Complex(*id));
        }
        let definition = self.global(Kind::Type, name, at)?;
        self.named_simple(name, definition).map(TypeRef::Simple)
    }

    /// The simple type that a place names.
    fn simple_named(&mut self, at: At<'s, 'f>, written: &'s str) -> Result<SimpleId, SchemaError> {
        match self.type_named(at, written)? {
            TypeRef::Simple(id) => Ok(id),
            TypeRef::Complex(_) => {
                Err(at.fault(Fault::ReferenceUnknown, format!("{written} is not a simple type")))
            }
        }
    }

    fn new_complex(&mut self, at: At<'s, 'f>) -> ComplexId {
        self.complex_at.push(Some(at));
        ComplexId(self.complex_at.len().saturating_sub(1))
    }

    /// Automata from trees, and the values that elements state against their types.
    fn finish(mut self) -> Result<Schema, SchemaError> {
        let mut complex = Vec::with_capacity(self.complex_at.len());
        for number in 0..self.complex_at.len() {
            let id = ComplexId(number);
            let at = self.complex_at.get(number).copied().flatten();
            let Some(Made::Done(shape)) = self.complex_made.remove(&id) else { continue };
            let content = match shape.content {
                ShapeContent::Empty => Content::Empty,
                ShapeContent::Simple(id) => Content::Simple(id),
                ShapeContent::Elements { particle, mixed } => {
                    Content::Elements { model: self.model(&particle, at)?, mixed }
                }
            };
            complex.push(ComplexType {
                base: shape.base,
                is_abstract: shape.is_abstract,
                attributes: shape.attributes,
                content,
            });
        }
        let mut elements = Vec::with_capacity(self.elements.len());
        for (element, at) in std::mem::take(&mut self.elements) {
            self.check_value(&element, at, &complex)?;
            elements.push(element);
        }
        let mut global_types: HashMap<NameId, TypeRef> = HashMap::new();
        for (name, id) in &self.complex_numbers {
            global_types.insert(*name, TypeRef::Complex(*id));
        }
        for (name, made) in &self.simple_made {
            if let Made::Done(id) = made {
                global_types.insert(*name, TypeRef::Simple(*id));
            }
        }
        Ok(Schema {
            names: self.names,
            simple: self.simple,
            complex,
            elements,
            global_elements: self.global_elements,
            global_attributes: self.attributes_made,
            global_types,
            notes: Vec::new(),
        })
    }

    fn model(&self, particle: &Particle, at: Option<At<'s, 'f>>) -> Result<Model, SchemaError> {
        let wrong = |fault: Fault, detail: String| match at {
            Some(at) => at.fault(fault, detail),
            None => fault.at("", 0, detail),
        };
        let mut known = HashMap::new();
        if let Some(name) = self.differing(particle, &mut known) {
            let detail = format!("{} has two different types in one model", self.names.shown(name));
            return Err(wrong(Fault::ModelAmbiguous, detail));
        }
        let shown =
            |name: Option<NameId>| name.map_or("a wildcard".to_owned(), |name| self.names.shown(name));
        let model = Model::build(particle).map_err(|fault| match fault {
            ModelFault::TooLarge => wrong(Fault::ModelTooLarge, "the content model is too large".to_owned()),
            ModelFault::Ambiguous(left, right) => wrong(
                Fault::ModelAmbiguous,
                format!("the same child could be {} or, elsewhere, {}", shown(left), shown(right)),
            ),
        })?;
        if let Some(name) = model.name_behind_wildcard(&self.names) {
            let detail = format!("{} could be what a wildcard lets in", self.names.shown(name));
            return Err(wrong(Fault::ModelAmbiguous, detail));
        }
        Ok(model)
    }

    /// A name that has different types in one model (XML Schema part 1, element declarations consistent).
    fn differing(&self, particle: &Particle, known: &mut HashMap<NameId, ElementId>) -> Option<NameId> {
        match &particle.term {
            Term::Wildcard { .. } => None,
            Term::Element { name, element, .. } => {
                let first = *known.entry(*name).or_insert(*element);
                let type_of = |id: ElementId| self.elements.get(id.0).map(|(element, _)| element.type_of);
                (type_of(first) != type_of(*element)).then_some(*name)
            }
            Term::Sequence(particles) | Term::Choice(particles) | Term::All(particles) => {
                particles.iter().find_map(|particle| self.differing(particle, known))
            }
        }
    }

    fn check_value(
        &self,
        element: &ElementDeclaration,
        at: At<'s, 'f>,
        complex: &[ComplexType],
    ) -> Result<(), SchemaError> {
        let Some(ValueConstraint::Default(value) | ValueConstraint::Fixed(value)) = &element.value else {
            return Ok(());
        };
        let simple = match element.type_of {
            TypeRef::Simple(id) => Some(id),
            TypeRef::Complex(id) => match complex.get(id.0).map(|complex| &complex.content) {
                Some(Content::Simple(id)) => Some(*id),
                _ => None,
            },
        };
        let Some(simple) = simple else {
            let detail = "default and fixed are understood for elements with simple content only";
            return Err(at.fault(Fault::Unsupported, detail));
        };
        self.check_default(simple, value, at)
    }

    /// Is a stated value one of its type?
    fn check_default(&self, simple: SimpleId, value: &str, at: At<'s, 'f>) -> Result<(), SchemaError> {
        self.simple.check(simple, value).map(|_| ()).map_err(|refusal| {
            at.fault(Fault::ValueInvalid, format!("\"{value}\" is not {}", refusal.expected))
        })
    }
}

/// Anything goes, and is judged where it is declared.
fn any_type() -> Shape {
    let wildcard = Wildcard { namespaces: Namespaces::Any, process: Process::Lax };
    let particle = Particle {
        occurs: Occurs { min: 0, max: None },
        term: Term::Wildcard { place: 0, wildcard: wildcard.clone() },
    };
    Shape {
        base: None,
        is_abstract: false,
        attributes: Attributes { uses: Vec::new(), wildcard: Some(wildcard) },
        content: ShapeContent::Elements { particle, mixed: true },
    }
}
