//! The namespaces in force at a place of a text (Namespaces in XML 1.0).

use std::borrow::Cow;

use crate::broken::Broken;

/// The namespace that the prefix `xml` always has.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace that the prefix `xmlns` has.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// How many namespaces back one is looked for under the number that it had already.
const LOOKED_BACK: usize = 8;

/// The number of a namespace of one text. A namespace that is declared again may get another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceNumber(u32);

impl NamespaceNumber {
    /// No namespace.
    pub const NONE: Self = Self(0);
    /// That of the prefix `xml`.
    const OF_XML: Self = Self(1);

    /// The number as a position in a list with one element for each namespace.
    #[inline]
    #[must_use]
    pub fn position(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

#[derive(Debug)]
struct Binding<'t> {
    /// Empty for the default.
    prefix: &'t str,
    namespace: NamespaceNumber,
}

/// Prefixes and what they are bound to, the innermost last.
#[derive(Debug)]
pub struct Scopes<'t> {
    bindings: Vec<Binding<'t>>,
    uris: Vec<Cow<'t, str>>,
    max: usize,
    /// The scope in force, and how many there were: each set of bindings has a number of its own.
    current: u32,
    made: u32,
}

/// To go back to when an element ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    bindings: u32,
    scope: u32,
}

impl<'t> Scopes<'t> {
    pub(crate) fn new(max: usize) -> Self {
        let uris = vec![Cow::Borrowed(""), Cow::Borrowed(XML)];
        Self { bindings: Vec::new(), uris, max, current: 0, made: 0 }
    }

    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark { bindings: u32::try_from(self.bindings.len()).unwrap_or(u32::MAX), scope: self.current }
    }

    #[inline]
    pub(crate) fn back_to(&mut self, mark: Mark) {
        if self.current != mark.scope {
            self.bindings.truncate(usize::try_from(mark.bindings).unwrap_or(usize::MAX));
            self.current = mark.scope;
        }
    }

    /// The number of the bindings in force: as long as it is the same, so are they.
    #[inline]
    pub(crate) fn current(&self) -> u32 {
        self.current
    }

    /// The namespace that has this number in the text; empty for none.
    #[must_use]
    pub fn uri(&self, namespace: NamespaceNumber) -> &str {
        self.uris.get(namespace.position()).map_or("", |uri| uri)
    }

    /// The namespace of a prefix, `None` where it is bound to none; the empty prefix is bound to no namespace where
    /// nothing else is said.
    #[must_use]
    pub fn find(&self, prefix: &str) -> Option<NamespaceNumber> {
        let bound = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
        match (bound, prefix) {
            (Some(binding), _) => Some(binding.namespace),
            (None, "") => Some(NamespaceNumber::NONE),
            (None, "xml") => Some(NamespaceNumber::OF_XML),
            (None, _) => None,
        }
    }

    /// Binds a prefix, the empty one for the default.
    pub(crate) fn declare(&mut self, prefix: &'t str, uri: Cow<'t, str>, at: usize) -> Result<(), Broken> {
        if !prefix.is_empty() && uri.is_empty() {
            return Err(Broken::namespaces(at, "a prefix is bound to a namespace"));
        }
        if prefix == "xmlns" || uri == XMLNS || (prefix == "xml") != (uri == XML) {
            return Err(Broken::namespaces(at, "xml and xmlns are bound for good"));
        }
        if self.bindings.len() >= self.max {
            return Err(Broken::bound("xml_too_many_namespaces", at, self.max, "namespaces at one place"));
        }
        let namespace = self.number(uri);
        self.bindings.push(Binding { prefix, namespace });
        Ok(())
    }

    /// Begins a scope of its own for an element that declares something.
    pub(crate) fn begin(&mut self) {
        self.made = self.made.saturating_add(1);
        self.current = self.made;
    }

    fn number(&mut self, uri: Cow<'t, str>) -> NamespaceNumber {
        if uri.is_empty() {
            return NamespaceNumber::NONE;
        }
        let known = self.uris.iter().enumerate().rev().take(LOOKED_BACK).find(|(_, known)| **known == uri);
        let at = match known {
            Some((at, _)) => at,
            None => {
                self.uris.push(uri);
                self.uris.len().saturating_sub(1)
            }
        };
        NamespaceNumber(u32::try_from(at).unwrap_or(u32::MAX))
    }
}
