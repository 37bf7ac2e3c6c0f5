//! What may stand within an element: elements, groups and wildcards.

use super::place::At;
use super::{Compiler, Kind, Made, PARTICLES_MAX};
use crate::error::{Fault, SchemaError};
use crate::name::{NameId, NamespaceId};
use crate::particle::{ElementId, Namespaces, Occurs, Particle, Process, Term, Wildcard};
use crate::schema::{ANY_TYPE, ElementDeclaration, TypeRef, ValueConstraint};

/// Groups within each other, those behind references included.
const DEPTH_MAX: usize = 100;

impl<'s, 'f> Compiler<'s, 'f> {
    /// An element, a group of whatever kind, or a wildcard.
    pub(super) fn particle(&mut self, at: At<'s, 'f>) -> Result<Particle, SchemaError> {
        let occurs = at.occurs()?;
        let particle = match at.construct()? {
            "element" => self.element_particle(at, occurs)?,
            "any" => {
                at.allow(&["namespace", "processContents", "minOccurs", "maxOccurs"])?;
                if let Some(child) = at.children().next() {
                    return Err(child.misplaced());
                }
                let wildcard = self.wildcard(at)?;
                Particle { occurs, term: Term::Wildcard { place: self.new_place(), wildcard } }
            }
            "group" => {
                at.allow(&["ref", "minOccurs", "maxOccurs"])?;
                if let Some(child) = at.children().next() {
                    return Err(child.misplaced());
                }
                let name = self.reference(at, at.required("ref")?)?;
                let definition = self.global(Kind::Group, name, at)?;
                let group = self.group(name, definition)?;
                if matches!(group.term, Term::All(_)) && occurs.max != Some(1) {
                    return Err(at.fault(Fault::Misplaced, "a group of all stands once"));
                }
                if group.occurs == Occurs::ONCE {
                    Particle { occurs, term: group.term }
                } else {
                    Particle { occurs, term: Term::Sequence(vec![group]) }
                }
            }
            "sequence" | "choice" => {
                at.allow(&["minOccurs", "maxOccurs"])?;
                let members = self.members(at)?;
                let term = if at.is("choice") { Term::Choice(members) } else { Term::Sequence(members) };
                Particle { occurs, term }
            }
            "all" => self.all(at, occurs)?,
            _ => return Err(at.unsupported()),
        };
        self.measured(at, particle)
    }

    fn members(&mut self, at: At<'s, 'f>) -> Result<Vec<Particle>, SchemaError> {
        let mut members = Vec::new();
        for child in at.children() {
            let member = self.particle(child)?;
            if matches!(member.term, Term::All(_)) {
                return Err(child.fault(Fault::Misplaced, "all cannot stand within another group"));
            }
            members.push(member);
        }
        Ok(members)
    }

    fn all(&mut self, at: At<'s, 'f>, occurs: Occurs) -> Result<Particle, SchemaError> {
        at.allow(&["minOccurs", "maxOccurs"])?;
        if occurs.max != Some(1) {
            return Err(at.fault(Fault::ValueInvalid, "all stands once"));
        }
        let mut members = Vec::new();
        for child in at.children() {
            if !child.is("element") {
                return Err(child.misplaced());
            }
            let member = self.particle(child)?;
            match member.occurs.max {
                Some(1) => members.push(member),
                Some(0) => {}
                _ => return Err(child.fault(Fault::ValueInvalid, "an element of all stands once")),
            }
        }
        Ok(Particle { occurs, term: Term::All(members) })
    }

    /// Counts what was made, so that references to references stay bounded.
    fn measured(&mut self, at: At<'s, 'f>, particle: Particle) -> Result<Particle, SchemaError> {
        let (size, depth) = measure(&particle);
        self.particles = self.particles.saturating_add(size);
        if self.particles > PARTICLES_MAX || depth > DEPTH_MAX {
            let detail =
                format!("content models may have {PARTICLES_MAX} parts, {DEPTH_MAX} within each other");
            return Err(at.fault(Fault::TooLarge, detail));
        }
        Ok(particle)
    }

    /// The base's content and then one's own.
    pub(super) fn followed(
        &mut self,
        at: At<'s, 'f>,
        base: Particle,
        own: Particle,
    ) -> Result<Particle, SchemaError> {
        if matches!(base.term, Term::All(_)) || matches!(own.term, Term::All(_)) {
            return Err(at.fault(Fault::Misplaced, "a type of all cannot be extended"));
        }
        let particle = Particle { occurs: Occurs::ONCE, term: Term::Sequence(vec![base, own]) };
        self.measured(at, particle)
    }

    fn new_place(&mut self) -> usize {
        self.places = self.places.saturating_add(1);
        self.places
    }

    fn element_particle(&mut self, at: At<'s, 'f>, occurs: Occurs) -> Result<Particle, SchemaError> {
        if let Some(written) = at.attribute("ref") {
            at.allow(&["ref", "minOccurs", "maxOccurs"])?;
            let name = self.reference(at, written)?;
            let definition = self.global(Kind::Element, name, at)?;
            let element = self.global_element(name, definition)?;
            return Ok(Particle { occurs, term: Term::Element { place: self.new_place(), name, element } });
        }
        at.allow(&["name", "type", "minOccurs", "maxOccurs", "nillable", "default", "fixed", "form"])?;
        let name = self.local_name(at, at.unit.elements_qualified)?;
        let declaration = self.element_declaration(at)?;
        let element = self.add_element(declaration, at);
        Ok(Particle { occurs, term: Term::Element { place: self.new_place(), name, element } })
    }

    fn add_element(&mut self, declaration: ElementDeclaration, at: At<'s, 'f>) -> ElementId {
        self.elements.push((declaration, at));
        ElementId(self.elements.len().saturating_sub(1))
    }

    /// An element of the whole schema; its type is made later, so that elements may hold themselves.
    pub(super) fn global_element(&mut self, name: NameId, at: At<'s, 'f>) -> Result<ElementId, SchemaError> {
        if let Some(known) = self.global_elements.get(&name) {
            return Ok(*known);
        }
        at.allow(&["name", "type", "nillable", "default", "fixed", "abstract"])?;
        let declaration = self.element_declaration(at)?;
        let id = self.add_element(declaration, at);
        self.global_elements.insert(name, id);
        Ok(id)
    }

    fn element_declaration(&mut self, at: At<'s, 'f>) -> Result<ElementDeclaration, SchemaError> {
        let mut type_of = match at.attribute("type") {
            Some(written) => Some(self.type_named(at, written)?),
            None => None,
        };
        for child in at.children() {
            let inline = match child.construct()? {
                "simpleType" => TypeRef::Simple(self.simple_type(child)?),
                "complexType" => TypeRef::Complex(self.new_complex(child)),
                _ => return Err(child.unsupported()),
            };
            if type_of.is_some() {
                return Err(child.fault(Fault::DefinedTwice, "the element has two types"));
            }
            type_of = Some(inline);
        }
        let value = match (at.attribute("default"), at.attribute("fixed")) {
            (None, None) => None,
            (Some(value), None) => Some(ValueConstraint::Default(value.into())),
            (None, Some(value)) => Some(ValueConstraint::Fixed(value.into())),
            (Some(_), Some(_)) => {
                return Err(at.fault(Fault::ValueInvalid, "default and fixed exclude each other"));
            }
        };
        Ok(ElementDeclaration {
            type_of: type_of.unwrap_or(TypeRef::Complex(ANY_TYPE)),
            nillable: at.flag("nillable")?,
            is_abstract: at.flag("abstract")?,
            value,
        })
    }

    /// What a named group holds.
    pub(super) fn group(&mut self, name: NameId, at: At<'s, 'f>) -> Result<Particle, SchemaError> {
        match self.groups.get(&name) {
            Some(Made::Done(particle)) => return Ok(particle.clone()),
            Some(Made::Doing) => {
                let detail = format!("{} rests on itself", self.names.shown(name));
                return Err(at.fault(Fault::Circular, detail));
            }
            None => {}
        }
        at.allow(&["name"])?;
        self.groups.insert(name, Made::Doing);
        let mut made = None;
        for child in at.children() {
            if made.is_some() || !matches!(child.construct()?, "sequence" | "choice" | "all") {
                return Err(child.misplaced());
            }
            made = Some(self.deeper(child, |compiler| compiler.particle(child))?);
        }
        let made = made.ok_or_else(|| at.fault(Fault::Misplaced, "a group needs sequence, choice or all"))?;
        self.groups.insert(name, Made::Done(made.clone()));
        Ok(made)
    }

    /// `any` or `anyAttribute`.
    pub(super) fn wildcard(&mut self, at: At<'s, 'f>) -> Result<Wildcard, SchemaError> {
        let process = match at.attribute("processContents") {
            None | Some("strict") => Process::Strict,
            Some("lax") => Process::Lax,
            Some("skip") => Process::Skip,
            Some(other) => return Err(at.invalid("processContents", other)),
        };
        let target = self.names.namespace(&at.unit.target);
        let namespaces = match at.attribute("namespace").map(str::trim) {
            None | Some("##any") => Namespaces::Any,
            Some("##other") => Namespaces::Other(target),
            Some(list) => {
                let mut namespaces: Vec<NamespaceId> = Vec::new();
                for uri in list.split_ascii_whitespace() {
                    namespaces.push(match uri {
                        "##local" => NamespaceId::NONE,
                        "##targetNamespace" => target,
                        "##any" | "##other" => return Err(at.invalid("namespace", list)),
                        uri => self.names.namespace(uri),
                    });
                }
                namespaces.sort_unstable();
                namespaces.dedup();
                Namespaces::These(namespaces)
            }
        };
        Ok(Wildcard { namespaces, process })
    }
}

/// How many parts, and how many within each other.
fn measure(particle: &Particle) -> (usize, usize) {
    match &particle.term {
        Term::Element { .. } | Term::Wildcard { .. } => (1, 1),
        Term::Sequence(members) | Term::Choice(members) | Term::All(members) => {
            let (size, depth) = members
                .iter()
                .map(measure)
                .fold((1_usize, 0), |(size, depth), (own, deep)| (size.saturating_add(own), depth.max(deep)));
            (size, depth.saturating_add(1))
        }
    }
}
