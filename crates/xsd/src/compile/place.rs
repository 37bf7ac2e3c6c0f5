//! A place in a schema's file.

use roxmltree::Node;

use crate::error::{Fault, SchemaError};
use crate::particle::Occurs;
use crate::source::{Unit, XSD, children, is, line_of};

/// An element of a schema, and its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'s, 'f> {
    pub(super) unit: &'s Unit<'f>,
    pub(super) node: Node<'s, 'f>,
}

impl<'s, 'f> At<'s, 'f> {
    pub(super) fn fault(self, fault: Fault, detail: impl Into<String>) -> SchemaError {
        self.unit.fault(fault, self.node, detail)
    }

    /// `types.xsd:12`.
    pub(super) fn shown(self) -> String {
        format!("{}:{}", self.unit.path, line_of(self.node))
    }

    pub(super) fn is(self, name: &str) -> bool {
        is(self.node, name)
    }

    /// The name of a construct of XML Schema.
    pub(super) fn construct(self) -> Result<&'s str, SchemaError> {
        if self.node.tag_name().namespace() == Some(XSD) {
            return Ok(self.node.tag_name().name());
        }
        let detail = format!("{} is not part of XML Schema", self.node.tag_name().name());
        Err(self.fault(Fault::Misplaced, detail))
    }

    pub(super) fn unsupported(self) -> SchemaError {
        let detail = format!("{} is not understood here", self.node.tag_name().name());
        self.fault(Fault::Unsupported, detail)
    }

    pub(super) fn misplaced(self) -> SchemaError {
        let parent = self.node.parent_element().map_or("", |parent| parent.tag_name().name());
        let detail = format!("{} cannot stand in {parent} here", self.node.tag_name().name());
        self.fault(Fault::Misplaced, detail)
    }

    /// Children that say something.
    pub(super) fn children(self) -> impl Iterator<Item = Self> + use<'s, 'f> {
        let unit = self.unit;
        children(self.node).map(move |node| Self { unit, node })
    }

    pub(super) fn child(self, name: &str) -> Option<Self> {
        self.children().find(|child| child.is(name))
    }

    pub(super) fn attribute(self, name: &str) -> Option<&'s str> {
        self.node.attribute(name)
    }

    pub(super) fn required(self, name: &str) -> Result<&'s str, SchemaError> {
        self.attribute(name).ok_or_else(|| {
            self.fault(Fault::AttributeMissing, format!("{} needs {name}", self.node.tag_name().name()))
        })
    }

    /// Refuses attributes that are not understood. Those of other namespaces say nothing to a validator; `final`
    /// restricts schemas only; `block` that blocks nothing is nothing.
    pub(super) fn allow(self, allowed: &[&str]) -> Result<(), SchemaError> {
        for attribute in self.node.attributes().filter(|attribute| attribute.namespace().is_none()) {
            let name = attribute.name();
            let harmless = match name {
                "id" | "final" | "finalDefault" => true,
                "block" | "blockDefault" => attribute.value().is_empty(),
                _ => allowed.contains(&name),
            };
            if !harmless {
                let detail = format!("{name} of {} is not understood here", self.node.tag_name().name());
                return Err(self.fault(Fault::AttributeUnsupported, detail));
            }
        }
        Ok(())
    }

    pub(super) fn flag(self, name: &str) -> Result<bool, SchemaError> {
        match self.attribute(name).map(str::trim) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(self.invalid(name, other)),
        }
    }

    pub(super) fn invalid(self, name: &str, value: &str) -> SchemaError {
        self.fault(Fault::ValueInvalid, format!("{name} cannot be \"{value}\""))
    }

    pub(super) fn occurs(self) -> Result<Occurs, SchemaError> {
        let number =
            |name: &str, text: &str| text.trim().parse::<u32>().map_err(|_| self.invalid(name, text));
        let min = self.attribute("minOccurs").map_or(Ok(1), |text| number("minOccurs", text))?;
        let max = match self.attribute("maxOccurs").map(str::trim) {
            None => Some(1),
            Some("unbounded") => None,
            Some(text) => Some(number("maxOccurs", text)?),
        };
        if max.is_some_and(|max| max < min) {
            return Err(self.fault(Fault::ValueInvalid, "maxOccurs is less than minOccurs"));
        }
        Ok(Occurs { min, max })
    }
}
