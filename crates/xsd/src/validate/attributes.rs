//! Attributes of the element that begins.

use std::borrow::Cow;

use markup::{Attribute, NamespaceNumber, Reader, XSI, split};

use super::{Judgement, Stop, cut};
use crate::builtin;
use crate::finding::Raw;
use crate::name::{NameId, NamespaceId};
use crate::particle::{ElementId, Process};
use crate::schema::{Attributes, TypeRef, ValueConstraint};
use crate::simple::SimpleId;
use crate::source::XSD;

/// What `xsi:type` and `xsi:nil` say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Special {
    pub(super) type_of: Option<TypeRef>,
    pub(super) nil: bool,
}

impl<'s, 't> Judgement<'s, 't> {
    /// The attributes that any element may have; the others are judged by its type.
    pub(super) fn special_attributes(
        &mut self,
        declared: TypeRef,
        declaration: Option<ElementId>,
        reader: &Reader<'t>,
    ) -> Result<Special, Stop> {
        let mut special = Special::default();
        let at = reader.at();
        for attribute in reader.attributes().iter().filter(|attribute| is_instance(attribute, reader)) {
            match split(attribute.written).1 {
                "type" => special.type_of = self.stated_type(attribute, declared, reader)?,
                "nil" => {
                    special.nil = match attribute.value.trim() {
                        "true" | "1" => self.may_be_nil(attribute, declaration, at)?,
                        "false" | "0" => false,
                        _ => {
                            let expected = "true or false".to_owned();
                            self.find_attribute("xsd_value_type", attribute, at, expected)?;
                            false
                        }
                    };
                }
                "schemaLocation" | "noNamespaceSchemaLocation" => {}
                _ => {
                    let expected = "type, nil or schemaLocation of xsi".to_owned();
                    self.find_attribute("xsd_attribute_unexpected", attribute, at, expected)?;
                }
            }
        }
        Ok(special)
    }

    fn may_be_nil(
        &mut self,
        attribute: &Attribute<'_>,
        declaration: Option<ElementId>,
        at: usize,
    ) -> Result<bool, Stop> {
        let element = declaration.and_then(|id| self.schema.element(id));
        let fixed = element.is_some_and(|element| matches!(element.value, Some(ValueConstraint::Fixed(_))));
        if fixed || element.is_some_and(|element| !element.nillable) {
            let expected = "an element with content".to_owned();
            self.find_attribute("xsd_nil_not_allowed", attribute, at, expected)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// The type that `xsi:type` names, if it may stand for the declared one.
    fn stated_type(
        &mut self,
        attribute: &Attribute<'_>,
        declared: TypeRef,
        reader: &Reader<'t>,
    ) -> Result<Option<TypeRef>, Stop> {
        let at = reader.at();
        let (prefix, local) = split(attribute.value.trim());
        let namespace = reader.scopes().find(prefix);
        let type_of = if namespace.is_some_and(|namespace| reader.scopes().uri(namespace) == XSD) {
            builtin::builtin(local)
                .map(TypeRef::Simple)
                .or_else(|| (local == "anyType").then_some(TypeRef::Complex(crate::schema::ANY_TYPE)))
        } else {
            namespace
                .map(|namespace| self.namespace(namespace, reader))
                .and_then(|namespace| self.schema.names.find(namespace, local))
                .and_then(|name| self.schema.global_types.get(&name))
                .copied()
        };
        match type_of {
            None => {
                let expected = "the name of a type of the schema".to_owned();
                self.find_attribute("xsd_type_unknown", attribute, at, expected)?;
                Ok(None)
            }
            Some(type_of) if self.schema.derives(type_of, declared) => Ok(Some(type_of)),
            Some(_) => {
                let expected = "a type that is derived from the declared one".to_owned();
                self.find_attribute("xsd_type_not_derived", attribute, at, expected)?;
                Ok(None)
            }
        }
    }

    /// An element of a simple type has none.
    pub(super) fn no_attributes(&mut self, reader: &Reader<'t>) -> Result<(), Stop> {
        let own = reader.attributes().iter().filter(|attribute| !is_instance(attribute, reader));
        for attribute in own {
            let expected = "no attribute".to_owned();
            self.find_attribute("xsd_attribute_unexpected", attribute, reader.at(), expected)?;
        }
        Ok(())
    }

    /// Judges attributes against those of a type.
    pub(super) fn attributes_of(&mut self, allowed: &'s Attributes, reader: &Reader<'t>) -> Result<(), Stop> {
        self.seen.clear();
        let at = reader.at();
        let own = reader.attributes().iter().filter(|attribute| !is_instance(attribute, reader));
        for attribute in own {
            let (namespace, name) = self.name_of(attribute, reader);
            let used = name.and_then(|name| allowed.uses.iter().find(|used| used.name == name));
            if let Some(used) = used {
                self.seen.push(used.name);
                self.attribute_value(attribute, used.simple, used.fixed.as_deref(), reader)?;
                continue;
            }
            let wildcard = allowed.wildcard.as_ref().filter(|wildcard| wildcard.namespaces.has(namespace));
            let declared = name.and_then(|name| self.schema.global_attributes.get(&name));
            match (wildcard.map(|wildcard| wildcard.process), declared) {
                (Some(Process::Skip), _) | (Some(Process::Lax), None) => {}
                (Some(_), Some(declared)) => {
                    self.attribute_value(attribute, declared.simple, declared.fixed.as_deref(), reader)?;
                }
                (Some(Process::Strict), None) => {
                    let expected = "an attribute that the schema declares".to_owned();
                    self.find_attribute("xsd_attribute_unexpected", attribute, at, expected)?;
                }
                (None, _) => {
                    let expected = self.attribute_names(allowed);
                    self.find_attribute("xsd_attribute_unexpected", attribute, at, expected)?;
                }
            }
        }
        for used in allowed.uses.iter().filter(|used| used.required) {
            if !self.seen.contains(&used.name) {
                let name = self.schema.names.local(used.name);
                self.find("xsd_attribute_missing", at, "", format!("the attribute {name}"))?;
            }
        }
        Ok(())
    }

    fn attribute_names(&self, allowed: &Attributes) -> String {
        let names: Vec<&str> = allowed.uses.iter().map(|used| self.schema.names.local(used.name)).collect();
        if names.is_empty() { "no attribute".to_owned() } else { format!("one of {}", names.join(", ")) }
    }

    fn name_of(&mut self, attribute: &Attribute<'_>, reader: &Reader<'t>) -> (NamespaceId, Option<NameId>) {
        let namespace = self.namespace(attribute.namespace, reader);
        (namespace, self.schema.names.find(namespace, split(attribute.written).1))
    }

    fn attribute_value(
        &mut self,
        attribute: &Attribute<'_>,
        simple: SimpleId,
        fixed: Option<&str>,
        reader: &Reader<'t>,
    ) -> Result<(), Stop> {
        let at = reader.at();
        match self.schema.simple.check(simple, &attribute.value) {
            Err(refusal) => self.find_attribute(refusal.code, attribute, at, refusal.expected),
            Ok(value) => {
                if let Some(fixed) = fixed
                    && !self.schema.simple.same(simple, &value, fixed)
                {
                    return self.find_attribute("xsd_value_fixed", attribute, at, fixed.to_owned());
                }
                let value: Cow<'_, str> = value;
                self.identify(simple, &value, at, reader)
            }
        }
    }

    fn find_attribute(
        &mut self,
        code: &'static str,
        attribute: &Attribute<'_>,
        at: usize,
        expected: String,
    ) -> Result<(), Stop> {
        self.record(Raw {
            code,
            at,
            attribute: Some(split(attribute.written).1.to_owned()),
            found: cut(&attribute.value),
            expected,
        })
    }
}

/// Is it one of those that any element may have?
fn is_instance(attribute: &Attribute<'_>, reader: &Reader<'_>) -> bool {
    attribute.namespace != NamespaceNumber::NONE && reader.scopes().uri(attribute.namespace) == XSI
}
