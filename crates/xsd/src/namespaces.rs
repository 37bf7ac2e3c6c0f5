//! The namespaces in force at a place of a message.

use std::borrow::Cow;

use crate::name::{Names, NamespaceId};
use crate::reader::{Attribute, Broken};
use crate::source::XML;

/// The namespace of `xsi:type` and `xsi:nil`.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace that the prefix `xmlns` has.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

#[derive(Debug)]
struct Binding<'t> {
    /// Empty for the default.
    prefix: &'t str,
    /// Empty for none.
    uri: Cow<'t, str>,
    id: NamespaceId,
}

/// Prefixes and what they are bound to, the innermost last.
#[derive(Debug)]
pub(crate) struct Namespaces<'t> {
    bindings: Vec<Binding<'t>>,
    max: usize,
    xml: NamespaceId,
}

impl<'t> Namespaces<'t> {
    pub(crate) fn new(names: &Names, max: usize) -> Self {
        Self { bindings: Vec::new(), max, xml: names.find_namespace(XML) }
    }

    pub(crate) fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Back to how many there were when an element began.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.bindings.truncate(len);
    }

    /// Takes the declarations among an element's attributes; the others stay in the list.
    pub(crate) fn declare(
        &mut self,
        names: &Names,
        attributes: &mut Vec<Attribute<'t>>,
        at: usize,
    ) -> Result<(), Broken> {
        if !attributes.iter().any(|attribute| attribute.name.starts_with("xmlns")) {
            return Ok(());
        }
        let wrong = |expected: &str| Broken {
            code: "xml_not_well_formed",
            at,
            expected: format!("well-formed XML with namespaces: {expected}"),
        };
        let mut kept = Vec::with_capacity(attributes.len());
        for attribute in attributes.drain(..) {
            let prefix = match (attribute.name, attribute.name.strip_prefix("xmlns:")) {
                ("xmlns", _) => "",
                (_, Some(prefix)) => prefix,
                (_, None) => {
                    kept.push(attribute);
                    continue;
                }
            };
            let uri = attribute.value;
            if !prefix.is_empty() && uri.is_empty() {
                return Err(wrong("a prefix is bound to a namespace"));
            }
            if prefix == "xmlns" || &*uri == XMLNS || (prefix == "xml") != (&*uri == XML) {
                return Err(wrong("xml and xmlns are bound for good"));
            }
            if self.bindings.len() >= self.max {
                return Err(Broken {
                    code: "xml_too_many_namespaces",
                    at,
                    expected: format!("at most {} namespaces at one place", self.max),
                });
            }
            let id = if uri.is_empty() { NamespaceId::NONE } else { names.find_namespace(&uri) };
            self.bindings.push(Binding { prefix, uri, id });
        }
        *attributes = kept;
        Ok(())
    }

    /// Refuses attributes whose prefix means nothing, and two that are one once their prefixes are resolved.
    pub(crate) fn check(&self, attributes: &[Attribute<'t>], at: usize) -> Result<(), Broken> {
        for (number, attribute) in attributes.iter().enumerate() {
            let (prefix, local) = split(attribute.name);
            if prefix.is_empty() {
                continue;
            }
            if self.find(prefix).is_none() {
                return Err(unbound(prefix, at));
            }
            let same = |other: &Attribute<'t>| {
                let (other_prefix, other_local) = split(other.name);
                other_local == local && !other_prefix.is_empty() && self.uri(other_prefix) == self.uri(prefix)
            };
            if attributes.iter().take(number).any(same) {
                return Err(Broken {
                    code: "xml_not_well_formed",
                    at,
                    expected: format!("well-formed XML with namespaces: the attribute {local} stands once"),
                });
            }
        }
        Ok(())
    }

    /// The namespace of a prefix, `None` where it is bound to none; the empty prefix is bound to no namespace where
    /// nothing else is said.
    pub(crate) fn find(&self, prefix: &str) -> Option<NamespaceId> {
        if prefix == "xml" {
            return Some(self.xml);
        }
        let bound = if prefix.is_empty() {
            self.bindings.iter().rev().find(|binding| binding.prefix.is_empty())
        } else {
            self.bindings.iter().rev().find(|binding| binding.prefix == prefix)
        };
        match bound {
            Some(binding) => Some(binding.id),
            None => prefix.is_empty().then_some(NamespaceId::NONE),
        }
    }

    /// The namespace of a prefix as it is written.
    pub(crate) fn uri(&self, prefix: &str) -> &str {
        if prefix == "xml" {
            return XML;
        }
        self.bindings.iter().rev().find(|binding| binding.prefix == prefix).map_or("", |binding| &binding.uri)
    }
}

/// What is wrong with a prefix that no declaration binds.
pub(crate) fn unbound(prefix: &str, at: usize) -> Broken {
    Broken {
        code: "xml_not_well_formed",
        at,
        expected: format!("well-formed XML with namespaces: xmlns:{prefix} says what the prefix means"),
    }
}

/// Prefix and local name.
pub(crate) fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}
