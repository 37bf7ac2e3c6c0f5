//! Start tags: a name, attributes, declarations of namespaces.

use std::borrow::Cow;

use spine::name_table::NameNumber;

use crate::broken::Broken;
use crate::characters::{is_blank, is_qualified_name, reference};
use crate::reader::Reader;
use crate::scopes::NamespaceNumber;

/// An attribute, its value as XML understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute<'t> {
    /// Its name with its prefix.
    pub written: &'t str,
    /// The number of that name.
    pub number: NameNumber,
    /// The namespace of its prefix; without a prefix it has none.
    pub namespace: NamespaceNumber,
    /// References resolved, white space as XML wants it in attributes.
    pub value: Cow<'t, str>,
    /// Where it begins, in bytes.
    pub(crate) at: usize,
}

/// What is known of a name once it was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The scope that its namespace was looked up in.
    scope: u32,
    namespace: NamespaceNumber,
}

/// Prefix, empty for none, and local name.
#[must_use]
pub fn split(written: &str) -> (&str, &str) {
    written.split_once(':').unwrap_or(("", written))
}

/// Does a name end here?
fn ends_name(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'/' | b'>')
}

impl<'t> Reader<'t> {
    /// Reads what begins with `<` and a name. The answer says whether the element ends with it.
    pub(crate) fn start_tag(&mut self) -> Result<bool, Broken> {
        let name_at = self.at.saturating_add(1);
        let written = self.piece_until(name_at, ends_name);
        let number = self.name(written, name_at)?;
        self.next = name_at.saturating_add(written.len());
        self.written = written;
        self.number = number;
        self.attributes.clear();
        // Most tags have no attributes.
        let closes_itself = if self.byte(self.next) == Some(b'>') {
            self.next = self.next.saturating_add(1);
            false
        } else {
            self.rest_of_tag()?
        };
        self.count_nodes(self.stated.len())?;
        self.stated.clear();
        self.namespace = self.namespace_of(written, number, name_at)?;
        Ok(closes_itself)
    }

    fn rest_of_tag(&mut self) -> Result<bool, Broken> {
        let mut declares = false;
        loop {
            let blanks = self.blanks(self.next);
            let here = self.next.saturating_add(blanks);
            match (self.byte(here), self.byte(here.saturating_add(1))) {
                (Some(b'>'), _) => {
                    self.next = here.saturating_add(1);
                    self.end_of_attributes(declares)?;
                    return Ok(false);
                }
                (Some(b'/'), Some(b'>')) => {
                    self.next = here.saturating_add(2);
                    self.end_of_attributes(declares)?;
                    return Ok(true);
                }
                (None, _) | (Some(b'/'), None) => return Err(self.at_end("a tag ends with \">\"")),
                _ if blanks == 0 => {
                    return Err(Broken::not_well_formed(here, "a blank stands before each attribute"));
                }
                _ => {
                    self.next = here;
                    declares |= self.stated_attribute()?;
                }
            }
        }
    }

    /// Reads an attribute into the list, or a declaration of a namespace into the scopes: then the answer is true.
    fn stated_attribute(&mut self) -> Result<bool, Broken> {
        if self.stated.len() >= self.limits.attributes_max {
            let max = self.limits.attributes_max;
            return Err(Broken::bound("xml_too_many_attributes", self.at, max, "attributes an element"));
        }
        let attribute = self.attribute()?;
        if self.stated.contains(&attribute.number) {
            return Err(Broken::not_well_formed(attribute.at, "each attribute of an element stands once"));
        }
        self.stated.push(attribute.number);
        let prefix = match (attribute.written, attribute.written.strip_prefix("xmlns:")) {
            ("xmlns", _) => "",
            (_, Some(prefix)) => prefix,
            (_, None) => {
                self.attributes.push(attribute);
                return Ok(false);
            }
        };
        self.scopes.declare(prefix, attribute.value, self.at)?;
        Ok(true)
    }

    /// Reads `name="value"`, here and in the XML declaration.
    pub(crate) fn attribute(&mut self) -> Result<Attribute<'t>, Broken> {
        let at = self.next;
        let wrong = |at: usize| Broken::not_well_formed(at, "an attribute is name=\"value\"");
        let written = self.piece_until(at, |byte| ends_name(byte) || byte == b'=');
        let number = self.name(written, at)?;
        let equals = at.saturating_add(written.len());
        let equals = equals.saturating_add(self.blanks(equals));
        if self.byte(equals) != Some(b'=') {
            return Err(wrong(equals));
        }
        let quote_at = equals.saturating_add(1);
        let quote_at = quote_at.saturating_add(self.blanks(quote_at));
        let quote =
            self.byte(quote_at).filter(|byte| matches!(byte, b'"' | b'\'')).ok_or_else(|| wrong(quote_at))?;
        let from = quote_at.saturating_add(1);
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        let len = memchr::memchr(quote, rest)
            .ok_or_else(|| self.at_end("a value ends with the quote it began with"))?;
        let raw = self.text.get(from..from.saturating_add(len)).unwrap_or_default();
        self.next = from.saturating_add(len).saturating_add(1);
        Ok(Attribute { written, number, namespace: NamespaceNumber::NONE, value: self.value(raw, from)?, at })
    }

    /// References resolved, white space as XML wants it in attributes (XML 1.0, 3.3.3).
    fn value(&self, raw: &'t str, at: usize) -> Result<Cow<'t, str>, Broken> {
        let special = |byte: u8| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r');
        if !raw.bytes().any(special) {
            return Ok(Cow::Borrowed(raw));
        }
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(character) = rest.chars().next() {
            let here = at.saturating_add(raw.len()).saturating_sub(rest.len());
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            match character {
                '<' => {
                    return Err(Broken::not_well_formed(here, "\"<\" in an attribute is written \"&lt;\""));
                }
                '\r' if rest.starts_with('\n') => {}
                '\t' | '\n' | '\r' => value.push(' '),
                '&' => {
                    let ends = || Broken::not_well_formed(here, "a reference ends with \";\"");
                    let (name, after) = rest.split_once(';').ok_or_else(ends)?;
                    value.push(reference(name).ok_or_else(|| unknown_reference(here, name))?);
                    rest = after;
                }
                other => value.push(other),
            }
        }
        Ok(Cow::Owned(value))
    }

    /// Resolves the prefixes of the attributes, once all declarations of the element are known; two that are one then
    /// are refused.
    fn end_of_attributes(&mut self, declares: bool) -> Result<(), Broken> {
        if declares {
            self.scopes.begin();
        }
        for number in 0..self.attributes.len() {
            let (before, from) = self.attributes.split_at_mut_checked(number).unwrap_or_default();
            let Some(attribute) = from.first_mut() else { break };
            let (prefix, local) = split(attribute.written);
            if prefix.is_empty() {
                continue;
            }
            attribute.namespace = self.scopes.find(prefix).ok_or_else(|| unbound(prefix, attribute.at))?;
            let uri = self.scopes.uri(attribute.namespace);
            let same = |other: &Attribute<'t>| {
                split(other.written).1 == local && !uri.is_empty() && self.scopes.uri(other.namespace) == uri
            };
            if before.iter().any(same) {
                return Err(Broken::namespaces(attribute.at, &format!("the attribute {local} stands once")));
            }
        }
        Ok(())
    }

    /// The number of a name, which is looked at when it comes for the first time.
    fn name(&mut self, written: &str, at: usize) -> Result<NameNumber, Broken> {
        let Some(number) = self.names.number_if(written, is_qualified_name) else {
            let rule = "a name begins with a letter and has one colon at the most";
            return Err(Broken::not_well_formed(at, rule));
        };
        if number.position() >= self.known.len() {
            self.known.push(Known { scope: u32::MAX, namespace: NamespaceNumber::NONE });
        }
        Ok(number)
    }

    /// The namespace of an element; looked up once for all elements of this name in a scope.
    fn namespace_of(
        &mut self,
        written: &str,
        number: NameNumber,
        at: usize,
    ) -> Result<NamespaceNumber, Broken> {
        let scope = self.scopes.current();
        let known = self.known.get_mut(number.position());
        if let Some(known) = &known
            && known.scope == scope
        {
            return Ok(known.namespace);
        }
        let (prefix, _) = split(written);
        let namespace = self.scopes.find(prefix).ok_or_else(|| unbound(prefix, at))?;
        if let Some(known) = known {
            *known = Known { scope, namespace };
        }
        Ok(namespace)
    }
}

/// What is wrong with a reference that is none.
pub(crate) fn unknown_reference(at: usize, name: &str) -> Broken {
    let known = "amp, lt, gt, quot, apos and characters by number";
    let name: String = name.chars().take(20).collect();
    Broken::not_well_formed(at, &format!("of references there are {known}; &{name}; is none"))
}

/// What is wrong with a prefix that no declaration binds.
fn unbound(prefix: &str, at: usize) -> Broken {
    Broken::namespaces(at, &format!("xmlns:{prefix} says what the prefix means"))
}
