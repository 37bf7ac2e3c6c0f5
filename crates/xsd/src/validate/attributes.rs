//! Attributes of the element that begins.

use std::borrow::Cow;

use super::{Judgement, Stop, cut};
use crate::builtin;
use crate::finding::Raw;
use crate::name::{NameId, NamespaceId};
use crate::namespaces::{XSI, split};
use crate::particle::{ElementId, Process};
use crate::reader::Attribute;
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
    /// Takes the attributes that any element may have; the others stay.
    pub(super) fn special_attributes(
        &mut self,
        declared: TypeRef,
        declaration: Option<ElementId>,
        at: usize,
    ) -> Result<Special, Stop> {
        let mut special = Special::default();
        if !self.attributes.iter().any(|attribute| self.is_instance(attribute)) {
            return Ok(special);
        }
        for attribute in std::mem::take(&mut self.attributes) {
            if !self.is_instance(&attribute) {
                self.attributes.push(attribute);
                continue;
            }
            match split(attribute.name).1 {
                "type" => special.type_of = self.stated_type(&attribute, declared, at)?,
                "nil" => {
                    special.nil = match attribute.value.trim() {
                        "true" | "1" => self.may_be_nil(&attribute, declaration, at)?,
                        "false" | "0" => false,
                        _ => {
                            let expected = "true or false".to_owned();
                            self.find_attribute("xsd_value_type", &attribute, at, expected)?;
                            false
                        }
                    };
                }
                "schemaLocation" | "noNamespaceSchemaLocation" => {}
                _ => {
                    let expected = "type, nil or schemaLocation of xsi".to_owned();
                    self.find_attribute("xsd_attribute_unexpected", &attribute, at, expected)?;
                }
            }
        }
        Ok(special)
    }

    fn is_instance(&self, attribute: &Attribute<'_>) -> bool {
        let (prefix, _) = split(attribute.name);
        !prefix.is_empty() && self.namespaces.uri(prefix) == XSI
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
        at: usize,
    ) -> Result<Option<TypeRef>, Stop> {
        let (prefix, local) = split(attribute.value.trim());
        let type_of = if self.namespaces.uri(prefix) == XSD {
            builtin::builtin(local)
                .map(TypeRef::Simple)
                .or_else(|| (local == "anyType").then_some(TypeRef::Complex(crate::schema::ANY_TYPE)))
        } else {
            self.namespaces
                .find(prefix)
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
    pub(super) fn no_attributes(&mut self, at: usize) -> Result<(), Stop> {
        for attribute in std::mem::take(&mut self.attributes) {
            self.find_attribute("xsd_attribute_unexpected", &attribute, at, "no attribute".to_owned())?;
        }
        Ok(())
    }

    /// Judges attributes against those of a type.
    pub(super) fn attributes_of(&mut self, allowed: &'s Attributes, at: usize) -> Result<(), Stop> {
        self.seen.clear();
        let attributes = std::mem::take(&mut self.attributes);
        for attribute in &attributes {
            let (namespace, name) = self.name_of(attribute);
            let used = name.and_then(|name| allowed.uses.iter().find(|used| used.name == name));
            if let Some(used) = used {
                self.seen.push(used.name);
                self.attribute_value(attribute, used.simple, used.fixed.as_deref(), at)?;
                continue;
            }
            let wildcard = allowed.wildcard.as_ref().filter(|wildcard| wildcard.namespaces.has(namespace));
            let declared = name.and_then(|name| self.schema.global_attributes.get(&name));
            match (wildcard.map(|wildcard| wildcard.process), declared) {
                (Some(Process::Skip), _) | (Some(Process::Lax), None) => {}
                (Some(_), Some(declared)) => {
                    self.attribute_value(attribute, declared.simple, declared.fixed.as_deref(), at)?;
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
        // The list is used again for the next element.
        self.attributes = attributes;
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

    fn name_of(&self, attribute: &Attribute<'_>) -> (NamespaceId, Option<NameId>) {
        let (prefix, local) = split(attribute.name);
        // The default namespace is not that of attributes.
        let namespace =
            if prefix.is_empty() { Some(NamespaceId::NONE) } else { self.namespaces.find(prefix) };
        let namespace = namespace.unwrap_or(NamespaceId::UNKNOWN);
        (namespace, self.schema.names.find(namespace, local))
    }

    fn attribute_value(
        &mut self,
        attribute: &Attribute<'_>,
        simple: SimpleId,
        fixed: Option<&str>,
        at: usize,
    ) -> Result<(), Stop> {
        match self.schema.simple.check(simple, &attribute.value) {
            Err(refusal) => self.find_attribute(refusal.code, attribute, at, refusal.expected),
            Ok(value) => {
                if let Some(fixed) = fixed
                    && !self.schema.simple.same(simple, &value, fixed)
                {
                    return self.find_attribute("xsd_value_fixed", attribute, at, fixed.to_owned());
                }
                let value: Cow<'_, str> = value;
                self.identify(simple, &value, at)
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
            attribute: Some(split(attribute.name).1.to_owned()),
            found: cut(&attribute.value),
            expected,
        })
    }
}
