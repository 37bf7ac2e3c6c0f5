//! Judging a message while it is read.
//!
//! One frame stands for each open element. Where a child may not stand, that is said once and the rest of its parent
//! is no longer held against the order; children are still judged by what their name means there, so that one
//! mistake does not hide the others.

mod attributes;
mod frame;
mod values;

use std::collections::HashSet;

use crate::finding::{Raw, Violation, placed};
use crate::name::{NameId, NamespaceId};
use crate::namespaces::{Namespaces, split, unbound};
use crate::reader::{Attribute, Broken, Limits, Reader, Token};
use crate::schema::Schema;
use frame::{Frame, Judge};
use values::Text;

/// Which element of a message is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// The root, whichever element of the schema it is.
    Root,
    /// Each outermost element of this name, wherever it stands: the message in its wrapper.
    Element {
        /// Its namespace; empty for none.
        namespace: &'a str,
        /// Its local name.
        name: &'a str,
    },
}

/// Namespaces for messages that state none: an element of this local name, and what stands within it, is in that
/// namespace. What states a namespace keeps it.
pub type AssumedNamespaces<'a> = &'a [(&'a str, &'a str)];

impl Schema {
    /// Judges a message; no finding means that it is valid. The text is decoded (`formats` sees to encodings); what
    /// its XML declaration says of an encoding is passed over.
    #[must_use]
    pub fn validate(&self, text: &str, entry: Entry<'_>, limits: Limits) -> Vec<Violation> {
        self.validate_assuming(text, entry, &[], limits)
    }

    /// Judges a message that leaves its namespaces out.
    #[must_use]
    pub fn validate_assuming(
        &self,
        text: &str,
        entry: Entry<'_>,
        assumed: AssumedNamespaces<'_>,
        limits: Limits,
    ) -> Vec<Violation> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let raw = Judgement::new(self, text, entry, assumed, limits).run();
        if raw.is_empty() { Vec::new() } else { placed(text, limits, raw) }
    }
}

/// Stops the reading: the message is broken, or there are findings enough.
struct Stop;

/// The state of reading one message.
struct Judgement<'s, 't> {
    schema: &'s Schema,
    text: &'t str,
    limits: Limits,
    reader: Reader<'t>,
    namespaces: Namespaces<'t>,
    /// The element that is judged; `None` is the root.
    entry: Option<(NamespaceId, &'t str)>,
    entry_seen: bool,
    assumed: Vec<(&'t str, NamespaceId)>,
    frames: Vec<Frame<'s>>,
    /// Attributes of the element at hand.
    attributes: Vec<Attribute<'t>>,
    seen: Vec<NameId>,
    /// The text of the innermost element that has simple content.
    value: Text<'t>,
    ids: HashSet<String>,
    references: Vec<(String, usize)>,
    findings: Vec<Raw>,
}

impl<'s, 't> Judgement<'s, 't> {
    fn new<'e: 't>(
        schema: &'s Schema,
        text: &'t str,
        entry: Entry<'e>,
        assumed: AssumedNamespaces<'e>,
        limits: Limits,
    ) -> Self {
        let find = |uri: &str| {
            if uri.is_empty() { NamespaceId::NONE } else { schema.names.find_namespace(uri) }
        };
        Self {
            schema,
            text,
            limits,
            reader: Reader::new(text, limits),
            namespaces: Namespaces::new(&schema.names, limits.namespaces_max),
            entry: match entry {
                Entry::Root => None,
                Entry::Element { namespace, name } => Some((find(namespace), name)),
            },
            entry_seen: false,
            assumed: assumed.iter().map(|(name, uri)| (*name, find(uri))).collect(),
            frames: Vec::new(),
            attributes: Vec::new(),
            seen: Vec::new(),
            value: Text::Empty,
            ids: HashSet::new(),
            references: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<Raw> {
        // Whoever stopped has said why.
        let _ = self.read();
        self.findings
    }

    fn read(&mut self) -> Result<(), Stop> {
        self.whole_text()?;
        loop {
            let token = self.reader.next();
            match token {
                Err(broken) => return Err(self.broken(broken)),
                Ok(Token::Start { name, attributes, closes_itself }) => {
                    self.start(name, attributes)?;
                    if closes_itself {
                        self.end()?;
                    }
                }
                Ok(Token::End) => self.end()?,
                Ok(Token::Text(piece)) => self.text(piece)?,
                Ok(Token::Character(character)) => self.character(character)?,
                Ok(Token::Eof) => return self.finish(),
            }
        }
    }

    fn whole_text(&mut self) -> Result<(), Stop> {
        if self.text.is_empty() {
            self.find("file_empty", 0, "0 bytes", "an XML document".to_owned())?;
            return Err(Stop);
        }
        if self.text.len() > self.limits.bytes_max {
            let found = format!("{} bytes", self.text.len());
            self.find("xml_too_large", 0, &found, format!("at most {} bytes", self.limits.bytes_max))?;
            return Err(Stop);
        }
        Reader::check_characters(self.text).map_err(|broken| self.broken(broken))
    }

    fn broken(&mut self, broken: Broken) -> Stop {
        let found: String = self.text.get(broken.at..).unwrap_or_default().chars().take(40).collect();
        let found = if found.is_empty() { "the end of the message" } else { found.trim() };
        let _ = self.find(broken.code, broken.at, found, broken.expected);
        Stop
    }

    /// Records a finding at a byte.
    fn find(&mut self, code: &'static str, at: usize, found: &str, expected: String) -> Result<(), Stop> {
        self.record(Raw { code, at, attribute: None, found: cut(found), expected })
    }

    fn record(&mut self, raw: Raw) -> Result<(), Stop> {
        let at = raw.at;
        self.findings.push(raw);
        if self.findings.len() < self.limits.findings_max {
            return Ok(());
        }
        self.findings.push(Raw {
            code: "xsd_too_many_findings",
            at,
            attribute: None,
            found: format!("{} findings", self.limits.findings_max),
            expected: "fewer; the rest was not looked at".to_owned(),
        });
        Err(Stop)
    }

    fn start(&mut self, name: &'t str, attributes: &'t str) -> Result<(), Stop> {
        let at = self.reader.at;
        let bindings = self.namespaces.len();
        self.attributes.clear();
        if !attributes.is_empty() {
            let mut list = std::mem::take(&mut self.attributes);
            let read = self
                .reader
                .attributes(attributes, &mut list)
                .and_then(|()| self.namespaces.declare(&self.schema.names, &mut list, at))
                .and_then(|()| self.namespaces.check(&list, at));
            self.attributes = list;
            read.map_err(|broken| self.broken(broken))?;
        }
        let (prefix, local) = split(name);
        let Some(stated) = self.namespaces.find(prefix) else {
            return Err(self.broken(unbound(prefix, at)));
        };
        let (namespace, assumed) = self.assume(prefix, local, stated);
        let known = self.schema.names.find(namespace, local);
        let judge = self.judge_for(known, namespace, name, at)?;
        let judge = self.begin(judge, at)?;
        if judge.wants_text() {
            self.value = Text::Empty;
        }
        self.frames.push(Frame { at, bindings, assumed, judge });
        Ok(())
    }

    /// The namespace of an element, and the one that is assumed within it.
    fn assume(&self, prefix: &str, local: &str, stated: NamespaceId) -> (NamespaceId, NamespaceId) {
        let inherited = self.frames.last().map_or(NamespaceId::NONE, |frame| frame.assumed);
        if self.assumed.is_empty() || !prefix.is_empty() || stated != NamespaceId::NONE {
            return (stated, inherited);
        }
        let own = self.assumed.iter().find(|(name, _)| *name == local).map(|(_, namespace)| *namespace);
        let namespace = own.unwrap_or(inherited);
        (namespace, namespace)
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        self.namespaces.truncate(frame.bindings);
        match frame.judge {
            Judge::Elements { model, state, in_order: true, .. } if !model.may_end(state) => {
                let expected = frame::expected(&self.schema.names, model, state, "");
                self.find("xsd_element_missing", frame.at, "", expected)
            }
            Judge::Value { simple, declaration } => self.end_value(simple, declaration, frame.at),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), Stop> {
        if let Some((_, name)) = self.entry
            && !self.entry_seen
        {
            self.find("xsd_entry_missing", 0, "", format!("an element {name} of the schema"))?;
        }
        for (reference, at) in std::mem::take(&mut self.references) {
            if !self.ids.contains(&reference) {
                self.find("xsd_idref_unknown", at, &reference, "an identifier of the message".to_owned())?;
            }
        }
        Ok(())
    }
}

/// As much of a value as a finding shows.
fn cut(value: &str) -> String {
    value.chars().take(spine::Finding::FOUND_CHARACTERS_MAX.saturating_add(1)).collect()
}
