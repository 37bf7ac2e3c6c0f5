//! Judging a message while it is read.
//!
//! One frame stands for each open element. Where a child may not stand, that is said once and the rest of its parent
//! is no longer held against the order; children are still judged by what their name means there, so that one
//! mistake does not hide the others.

mod attributes;
mod frame;
mod values;

use std::collections::HashSet;

use markup::{Broken, NamespaceNumber, Reader, Sink, Token, Value, split};

use crate::finding::{Raw, Violation, placed};
use crate::limits::Limits;
use crate::name::{NameId, NamespaceId};
use crate::schema::Schema;
use frame::{Frame, Judge};

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
        let mut judgement = Judgement::new(self, entry, assumed, limits);
        if judgement.whole_text(text).is_ok() {
            // Why it could not be read to its end, the judgement has heard.
            let _ = markup::read(text, limits.of_reading(), &mut judgement);
        }
        judgement.violations(text)
    }

    /// The judgement of a message that somebody else reads: it listens as a [`Sink`], and says at the end what it found.
    #[must_use]
    pub fn judgement<'s, 't>(&'s self, entry: Entry<'t>, limits: Limits) -> Judgement<'s, 't> {
        Judgement::new(self, entry, &[], limits)
    }
}

/// Stops the reading: there are findings enough.
struct Stop;

/// The state of judging one message.
#[derive(Debug)]
pub struct Judgement<'s, 't> {
    schema: &'s Schema,
    limits: Limits,
    /// The element that is judged; `None` is the root.
    entry: Option<(NamespaceId, &'t str)>,
    entry_seen: bool,
    assumed: Vec<(&'t str, NamespaceId)>,
    frames: Vec<Frame<'s>>,
    /// The schema's number of each namespace of the message.
    namespaces: Vec<Option<NamespaceId>>,
    /// The schema's name of each name of the message, in the namespace where it was last.
    names: Vec<Option<(NamespaceId, Option<NameId>)>>,
    seen: Vec<NameId>,
    /// The text of the innermost element that has simple content.
    value: Value<'t>,
    ids: HashSet<String>,
    references: Vec<(String, usize)>,
    findings: Vec<Raw>,
}

impl<'t> Sink<'t> for Judgement<'_, 't> {
    fn take(&mut self, token: Token<'t>, reader: &Reader<'t>) -> bool {
        let taken = match token {
            Token::Start => self.start(reader),
            Token::End => self.end(reader),
            Token::Text(piece) => self.text(piece, reader.at()),
            Token::Character(character) => self.character(character, reader.at()),
            Token::Eof => self.finish(),
        };
        taken.is_ok()
    }

    fn broken(&mut self, broken: &Broken, text: &'t str) {
        let found: String = text.get(broken.at..).unwrap_or_default().chars().take(40).collect();
        let found = if found.is_empty() { "the end of the message" } else { found.trim() };
        let _ = self.find(broken.code, broken.at, found, broken.expected.clone());
    }
}

impl<'s, 't> Judgement<'s, 't> {
    fn new<'e: 't>(
        schema: &'s Schema,
        entry: Entry<'e>,
        assumed: AssumedNamespaces<'e>,
        limits: Limits,
    ) -> Self {
        let find = |uri: &str| {
            if uri.is_empty() { NamespaceId::NONE } else { schema.names.find_namespace(uri) }
        };
        Self {
            schema,
            limits,
            entry: match entry {
                Entry::Root => None,
                Entry::Element { namespace, name } => Some((find(namespace), name)),
            },
            entry_seen: false,
            assumed: assumed.iter().map(|(name, uri)| (*name, find(uri))).collect(),
            frames: Vec::new(),
            namespaces: Vec::new(),
            names: Vec::new(),
            seen: Vec::new(),
            value: Value::Empty,
            ids: HashSet::new(),
            references: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// What was found in the message with this text; nothing means that it is valid.
    #[must_use]
    pub fn violations(self, text: &str) -> Vec<Violation> {
        if self.findings.is_empty() { Vec::new() } else { placed(text, self.limits, self.findings) }
    }

    fn whole_text(&mut self, text: &str) -> Result<(), Stop> {
        if text.is_empty() {
            self.find("file_empty", 0, "0 bytes", "an XML document".to_owned())?;
            return Err(Stop);
        }
        if text.len() > self.limits.bytes_max {
            let found = format!("{} bytes", text.len());
            self.find("xml_too_large", 0, &found, format!("at most {} bytes", self.limits.bytes_max))?;
            return Err(Stop);
        }
        Ok(())
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

    fn start(&mut self, reader: &Reader<'t>) -> Result<(), Stop> {
        let at = reader.at();
        let written = reader.written();
        let stated = self.namespace(reader.namespace(), reader);
        let (namespace, assumed) =
            if self.assumed.is_empty() { (stated, NamespaceId::NONE) } else { self.assume(written, stated) };
        let known = self.name(namespace, reader);
        let judge = self.judge_for(known, namespace, written, at)?;
        let judge = self.begin(judge, reader)?;
        if judge.wants_text() {
            self.value = Value::Empty;
        }
        self.frames.push(Frame { at, assumed, judge });
        Ok(())
    }

    /// The schema's number of a namespace of the message; asked for once.
    fn namespace(&mut self, number: NamespaceNumber, reader: &Reader<'t>) -> NamespaceId {
        if number == NamespaceNumber::NONE {
            return NamespaceId::NONE;
        }
        if let Some(Some(known)) = self.namespaces.get(number.position()) {
            return *known;
        }
        let found = self.schema.names.find_namespace(reader.scopes().uri(number));
        remember(&mut self.namespaces, number.position(), found);
        found
    }

    /// The schema's name of the element that begins; asked for once as long as its namespace is the same.
    fn name(&mut self, namespace: NamespaceId, reader: &Reader<'t>) -> Option<NameId> {
        let at = reader.number().position();
        if let Some(Some((known, name))) = self.names.get(at)
            && *known == namespace
        {
            return *name;
        }
        let found = self.schema.names.find(namespace, split(reader.written()).1);
        remember(&mut self.names, at, (namespace, found));
        found
    }

    /// The namespace of an element, and the one that is assumed within it.
    fn assume(&self, written: &str, stated: NamespaceId) -> (NamespaceId, NamespaceId) {
        let (prefix, local) = split(written);
        let inherited = self.frames.last().map_or(NamespaceId::NONE, |frame| frame.assumed);
        if !prefix.is_empty() || stated != NamespaceId::NONE {
            return (stated, inherited);
        }
        let own = self.assumed.iter().find(|(name, _)| *name == local).map(|(_, namespace)| *namespace);
        let namespace = own.unwrap_or(inherited);
        (namespace, namespace)
    }

    fn end(&mut self, reader: &Reader<'t>) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        match frame.judge {
            Judge::Elements { model, state, in_order: true, .. } if !model.may_end(state) => {
                let expected = frame::expected(&self.schema.names, model, state, "");
                self.find("xsd_element_missing", frame.at, "", expected)
            }
            Judge::Value { simple, declaration } => self.end_value(simple, declaration, frame.at, reader),
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

/// Puts something at a place of a list, which grows to have it.
fn remember<T: Clone>(list: &mut Vec<Option<T>>, at: usize, what: T) {
    if list.len() <= at {
        list.resize(at.saturating_add(1), None);
    }
    if let Some(slot) = list.get_mut(at) {
        *slot = Some(what);
    }
}
