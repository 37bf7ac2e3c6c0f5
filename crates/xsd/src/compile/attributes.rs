//! Attributes: declarations, groups and wildcards.

use super::place::At;
use super::{Compiler, Kind, Made};
use crate::builtin;
use crate::error::{Fault, SchemaError};
use crate::name::NameId;
use crate::particle::{Namespaces, Wildcard};
use crate::schema::{AttributeDeclaration, AttributeUse, Attributes};
use crate::simple::{Facets, SimpleId};
use markup::XML;

/// Attributes as a type or group states them.
#[derive(Debug, Default)]
pub(super) struct OwnAttributes {
    pub(super) attributes: Attributes,
    /// What a restriction takes away.
    pub(super) prohibited: Vec<NameId>,
}

impl<'s, 'f> Compiler<'s, 'f> {
    /// The attributes among these children.
    pub(super) fn attributes(&mut self, children: &[At<'s, 'f>]) -> Result<OwnAttributes, SchemaError> {
        let mut own = OwnAttributes::default();
        for child in children {
            match child.construct()? {
                "attribute" => self.attribute(*child, &mut own)?,
                "attributeGroup" => {
                    child.allow(&["ref"])?;
                    let name = self.reference(*child, child.required("ref")?)?;
                    let at = self.global(Kind::AttributeGroup, name, *child)?;
                    let group = self.attribute_group(name, at)?;
                    for attribute in group.uses {
                        self.add_use(&mut own.attributes, attribute, *child)?;
                    }
                    if let Some(wildcard) = group.wildcard {
                        own.attributes.wildcard = Some(narrowed(own.attributes.wildcard, wildcard, *child)?);
                    }
                }
                "anyAttribute" => {
                    child.allow(&["namespace", "processContents"])?;
                    let wildcard = self.wildcard(*child)?;
                    own.attributes.wildcard = Some(narrowed(own.attributes.wildcard, wildcard, *child)?);
                }
                _ => return Err(child.misplaced()),
            }
        }
        Ok(own)
    }

    fn add_use(
        &self,
        attributes: &mut Attributes,
        attribute: AttributeUse,
        at: At<'s, 'f>,
    ) -> Result<(), SchemaError> {
        if attributes.uses.iter().any(|known| known.name == attribute.name) {
            let detail = format!("the attribute {} stands twice", self.names.shown(attribute.name));
            return Err(at.fault(Fault::DefinedTwice, detail));
        }
        attributes.uses.push(attribute);
        Ok(())
    }

    fn attribute(&mut self, at: At<'s, 'f>, own: &mut OwnAttributes) -> Result<(), SchemaError> {
        at.allow(&["name", "ref", "type", "use", "default", "fixed", "form"])?;
        let required = match at.attribute("use") {
            None | Some("optional") => false,
            Some("required") => true,
            Some("prohibited") => {
                let name = match at.attribute("ref") {
                    Some(written) => self.reference(at, written)?,
                    None => self.local_name(at, at.unit.attributes_qualified)?,
                };
                own.prohibited.push(name);
                return Ok(());
            }
            Some(other) => return Err(at.invalid("use", other)),
        };
        let (name, declared) = match at.attribute("ref") {
            Some(written) => {
                let name = self.reference(at, written)?;
                (name, self.attribute_named(name, at)?)
            }
            None => (self.local_name(at, at.unit.attributes_qualified)?, self.attribute_declaration(at)?),
        };
        let fixed = match at.attribute("fixed") {
            Some(value) => {
                self.check_default(declared.simple, value, at)?;
                Some(value.into())
            }
            None => declared.fixed,
        };
        if let Some(value) = at.attribute("default") {
            self.check_default(declared.simple, value, at)?;
        }
        self.add_use(&mut own.attributes, AttributeUse { name, simple: declared.simple, required, fixed }, at)
    }

    /// The name of a local declaration, in the target namespace or in none.
    pub(super) fn local_name(&mut self, at: At<'s, 'f>, qualified: bool) -> Result<NameId, SchemaError> {
        let qualified = match at.attribute("form") {
            None => qualified,
            Some("qualified") => true,
            Some("unqualified") => false,
            Some(other) => return Err(at.invalid("form", other)),
        };
        let uri = if qualified { at.unit.target.as_str() } else { "" };
        Ok(self.names.name(uri, at.required("name")?))
    }

    fn attribute_declaration(&mut self, at: At<'s, 'f>) -> Result<AttributeDeclaration, SchemaError> {
        let mut inline = None;
        for child in at.children() {
            if !child.is("simpleType") || inline.is_some() {
                return Err(child.misplaced());
            }
            inline = Some(self.simple_type(child)?);
        }
        let simple = match (at.attribute("type"), inline) {
            (Some(written), None) => self.simple_named(at, written)?,
            (None, Some(id)) => id,
            (None, None) => builtin::ANY_SIMPLE,
            (Some(_), Some(_)) => return Err(at.fault(Fault::DefinedTwice, "the attribute has two types")),
        };
        Ok(AttributeDeclaration { simple, fixed: None })
    }

    pub(super) fn global_attribute(
        &mut self,
        name: NameId,
        at: At<'s, 'f>,
    ) -> Result<AttributeDeclaration, SchemaError> {
        if let Some(known) = self.attributes_made.get(&name) {
            return Ok(known.clone());
        }
        at.allow(&["name", "type", "default", "fixed"])?;
        let mut declared = self.attribute_declaration(at)?;
        for value in [at.attribute("default"), at.attribute("fixed")].into_iter().flatten() {
            self.check_default(declared.simple, value, at)?;
        }
        declared.fixed = at.attribute("fixed").map(Into::into);
        self.attributes_made.insert(name, declared.clone());
        Ok(declared)
    }

    fn attribute_named(&mut self, name: NameId, at: At<'s, 'f>) -> Result<AttributeDeclaration, SchemaError> {
        let found = self.global(Kind::Attribute, name, at);
        match found {
            Ok(definition) => self.global_attribute(name, definition),
            Err(unknown) => {
                if self.names.uri(self.names.namespace_of(name)) != XML {
                    return Err(unknown);
                }
                let local = self.names.local(name).to_owned();
                let simple = self.xml_attribute(&local, at)?.ok_or(unknown)?;
                let declared = AttributeDeclaration { simple, fixed: None };
                self.attributes_made.insert(name, declared.clone());
                Ok(declared)
            }
        }
    }

    /// The attributes that every XML document may have (W3C, "xml.xsd").
    fn xml_attribute(&mut self, local: &str, at: At<'s, 'f>) -> Result<Option<SimpleId>, SchemaError> {
        let builtin = |name: &str| builtin::builtin(name).unwrap_or(builtin::ANY_SIMPLE);
        let (base, values): (SimpleId, &[&str]) = match local {
            "base" => return Ok(Some(builtin("anyURI"))),
            "id" => return Ok(Some(builtin("ID"))),
            "space" => (builtin("NCName"), &["default", "preserve"]),
            "lang" => (builtin("token"), &[]),
            _ => return Ok(None),
        };
        let id = self.restricted(base, None, at, &[])?;
        if let Some(simple) = self.simple.0.get_mut(id.0) {
            if local == "lang" {
                // A language, or nothing: that takes a language back.
                let pattern = crate::pattern::Pattern::compile("([a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*)?")
                    .map_err(|(fault, detail)| at.fault(fault, detail))?;
                simple.facets = Facets { patterns: vec![vec![pattern.into()]], ..Facets::default() };
            } else {
                let values = values.iter().map(|value| (*value).into()).collect();
                simple.facets =
                    Facets { enumeration: Some(std::sync::Arc::new(values)), ..Facets::default() };
            }
        }
        Ok(Some(id))
    }

    pub(super) fn attribute_group(
        &mut self,
        name: NameId,
        at: At<'s, 'f>,
    ) -> Result<Attributes, SchemaError> {
        match self.attribute_groups.get(&name) {
            Some(Made::Done(attributes)) => return Ok(attributes.clone()),
            Some(Made::Doing) => {
                let detail = format!("{} rests on itself", self.names.shown(name));
                return Err(at.fault(Fault::Circular, detail));
            }
            None => {}
        }
        at.allow(&["name"])?;
        self.attribute_groups.insert(name, Made::Doing);
        let children: Vec<At<'s, 'f>> = at.children().collect();
        let own = self.deeper(at, |compiler| compiler.attributes(&children))?;
        self.attribute_groups.insert(name, Made::Done(own.attributes.clone()));
        Ok(own.attributes)
    }
}

/// What two wildcards of one type both let in.
fn narrowed(known: Option<Wildcard>, own: Wildcard, at: At<'_, '_>) -> Result<Wildcard, SchemaError> {
    match known {
        None => Ok(own),
        Some(known) if known == own => Ok(own),
        Some(known) if known.namespaces == Namespaces::Any => Ok(Wildcard { process: known.process, ..own }),
        Some(known) if own.namespaces == Namespaces::Any => Ok(Wildcard { process: own.process, ..known }),
        Some(_) => {
            Err(at
                .fault(Fault::Unsupported, "two different anyAttribute in one type are not understood here"))
        }
    }
}

/// What either of two wildcards lets in.
pub(super) fn widened(
    base: Option<Wildcard>,
    own: Option<Wildcard>,
    at: At<'_, '_>,
) -> Result<Option<Wildcard>, SchemaError> {
    match (base, own) {
        (base, None) => Ok(base),
        (None, own) => Ok(own),
        (Some(base), Some(own)) if base.namespaces == own.namespaces || own.namespaces == Namespaces::Any => {
            Ok(Some(own))
        }
        (Some(base), Some(own)) if base.namespaces == Namespaces::Any => {
            Ok(Some(Wildcard { process: own.process, ..base }))
        }
        (Some(_), Some(_)) => Err(at.fault(
            Fault::Unsupported,
            "an anyAttribute beside another one of the base is not understood here",
        )),
    }
}
