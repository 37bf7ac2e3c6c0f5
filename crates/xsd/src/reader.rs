//! A message piece by piece: markup is split by `quick-xml`, and what that lets pass although XML 1.0 does not is
//! refused here, as are document types and entities. Pieces are borrowed from the message.

use std::borrow::Cow;

use quick_xml::events::Event;

use crate::simple::{is_name, is_name_character, is_name_start};

/// Bounds of one message; what exceeds one is refused with a finding that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the message.
    pub bytes_max: usize,
    /// Elements within each other, the root counting 1.
    pub depth_max: usize,
    /// Attributes of one element, declarations of namespaces among them.
    pub attributes_max: usize,
    /// Namespace declarations in force at one place.
    pub namespaces_max: usize,
    /// Findings; the last one says that there were more.
    pub findings_max: usize,
}

impl Default for Limits {
    /// Many times what the largest customs messages need.
    fn default() -> Self {
        Self {
            bytes_max: 64 * 1024 * 1024,
            depth_max: 128,
            attributes_max: 64,
            namespaces_max: 64,
            findings_max: 100,
        }
    }
}

/// Why a message cannot be read further, and the byte where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) code: &'static str,
    pub(crate) at: usize,
    pub(crate) expected: String,
}

impl Broken {
    fn not_well_formed(at: usize, rule: impl AsRef<str>) -> Self {
        let expected = format!("well-formed XML: {}", rule.as_ref());
        Self { code: "xml_not_well_formed", at, expected }
    }
}

/// A piece of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    Start {
        /// With its prefix.
        name: &'t str,
        /// Everything behind the name, unread.
        attributes: &'t str,
        closes_itself: bool,
    },
    End,
    /// Text without references.
    Text(&'t str),
    /// A character that was written as a reference.
    Character(char),
    Eof,
}

/// What kind of event the splitter of markup found.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Start,
    Empty,
    End,
    Text,
    CData,
    GeneralRef,
    Comment,
    PI,
    Decl,
    DocType,
    Eof,
}

impl Kind {
    fn of(event: &Event<'_>) -> Self {
        match event {
            Event::Start(_) => Self::Start,
            Event::Empty(_) => Self::Empty,
            Event::End(_) => Self::End,
            Event::Text(_) => Self::Text,
            Event::CData(_) => Self::CData,
            Event::GeneralRef(_) => Self::GeneralRef,
            Event::Comment(_) => Self::Comment,
            Event::PI(_) => Self::PI,
            Event::Decl(_) => Self::Decl,
            Event::DocType(_) => Self::DocType,
            Event::Eof => Self::Eof,
        }
    }
}

/// Reads a message from its beginning to its end.
pub(crate) struct Reader<'t> {
    text: &'t str,
    inner: quick_xml::Reader<&'t [u8]>,
    limits: Limits,
    depth: usize,
    root_seen: bool,
    /// Where the last piece began.
    pub(crate) at: usize,
}

impl<'t> Reader<'t> {
    /// The text stands without a byte-order mark.
    pub(crate) fn new(text: &'t str, limits: Limits) -> Self {
        let mut inner = quick_xml::Reader::from_str(text);
        inner.config_mut().check_comments = true;
        Self { text, inner, limits, depth: 0, root_seen: false, at: 0 }
    }

    /// What no message may hold wherever it stands: looked for once, over the whole text.
    pub(crate) fn check_characters(text: &str) -> Result<(), Broken> {
        // Without shortcuts, so that many bytes are looked at in one step.
        let forbidden = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
        let bytes = text.as_bytes();
        // Whole chunks at once, without a way out in between: that is what processors do fast.
        let suspicious =
            |chunk: &[u8]| chunk.iter().fold(0_u8, |found, byte| found | u8::from(forbidden(*byte))) != 0;
        let control = if bytes.chunks(256).any(suspicious) {
            bytes.iter().position(|byte| forbidden(*byte))
        } else {
            None
        };
        // Both begin with this byte, which few texts have.
        let no_characters = || if bytes.contains(&0xEF) { text.find(['\u{FFFE}', '\u{FFFF}']) } else { None };
        let at = control.or_else(no_characters);
        match at {
            None => Ok(()),
            Some(at) => Err(Broken::not_well_formed(at, "no control characters")),
        }
    }

    /// The next piece; comments, processing instructions and the XML declaration are passed over.
    pub(crate) fn next(&mut self) -> Result<Token<'t>, Broken> {
        loop {
            self.at = position(self.inner.buffer_position());
            // The kind alone: what the event holds is cut out of the text, and nothing large is moved about.
            let kind = match &self.inner.read_event() {
                Ok(event) => Kind::of(event),
                Err(error) => return Err(self.ill_formed(&error.to_string())),
            };
            let end = position(self.inner.buffer_position());
            let piece = self.text.get(self.at..end).unwrap_or_default();
            match kind {
                Kind::Start => return self.start(piece, false),
                Kind::Empty => return self.start(piece, true),
                Kind::End => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Token::End);
                }
                Kind::Text => {
                    if piece.contains(']')
                        && let Some(found) = piece.find("]]>")
                    {
                        return Err(self.broken(found, "\"]]>\" is written \"]]&gt;\" in text"));
                    }
                    if self.depth > 0 {
                        return Ok(Token::Text(piece));
                    }
                    self.only_white_space(piece)?;
                }
                Kind::CData => {
                    self.within_root()?;
                    let text = piece.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
                    return Ok(Token::Text(text.unwrap_or_default()));
                }
                Kind::GeneralRef => {
                    self.within_root()?;
                    let name = piece.strip_prefix('&').and_then(|name| name.strip_suffix(';'));
                    let name = name.unwrap_or_default();
                    return match reference(name) {
                        Some(character) => Ok(Token::Character(character)),
                        None => Err(self.unknown_reference(0, name)),
                    };
                }
                Kind::Comment => {
                    // Between its marks there must be room for both.
                    if piece.len() < "<!---->".len() {
                        return Err(self.broken(0, "a comment ends with \"-->\""));
                    }
                }
                Kind::PI => self.instruction(piece)?,
                Kind::Decl => self.declaration(piece)?,
                Kind::DocType => {
                    return Err(Broken {
                        code: "xml_document_type",
                        at: self.at,
                        expected: "a message without document type and entities: they are never read here"
                            .to_owned(),
                    });
                }
                Kind::Eof => return self.end(),
            }
        }
    }

    fn ill_formed(&self, rule: &str) -> Broken {
        Broken::not_well_formed(position(self.inner.error_position()), rule)
    }

    fn start(&mut self, piece: &'t str, closes_itself: bool) -> Result<Token<'t>, Broken> {
        if self.depth == 0 && self.root_seen {
            return Err(self.broken(0, "one root element"));
        }
        self.root_seen = true;
        if self.depth >= self.limits.depth_max {
            return Err(Broken {
                code: "xml_too_deep",
                at: self.at,
                expected: format!("at most {} elements within each other", self.limits.depth_max),
            });
        }
        let inner = piece.strip_prefix('<').and_then(|piece| piece.strip_suffix('>')).unwrap_or_default();
        let inner = if closes_itself { inner.strip_suffix('/').unwrap_or(inner) } else { inner };
        let name_end = inner.bytes().position(is_blank).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at_checked(name_end).unwrap_or((inner, ""));
        // Most names are letters and digits.
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        if !plain && !is_qualified_name(name) {
            return Err(self.broken(1, "a name begins with a letter and has one colon at the most"));
        }
        if !closes_itself {
            self.depth = self.depth.saturating_add(1);
        }
        Ok(Token::Start { name, attributes, closes_itself })
    }

    fn end(&self) -> Result<Token<'t>, Broken> {
        if self.depth > 0 {
            return Err(self.broken(0, "every element is closed"));
        }
        if !self.root_seen {
            return Err(self.broken(0, "a root element"));
        }
        Ok(Token::Eof)
    }

    fn broken(&self, offset: usize, rule: &str) -> Broken {
        Broken::not_well_formed(self.at.saturating_add(offset), rule)
    }

    fn unknown_reference(&self, offset: usize, name: &str) -> Broken {
        let known = "amp, lt, gt, quot, apos and characters by number";
        let name: String = name.chars().take(20).collect();
        self.broken(offset, &format!("of references there are {known}; &{name}; is none"))
    }

    fn only_white_space(&self, piece: &str) -> Result<(), Broken> {
        match piece.bytes().position(|byte| !is_blank(byte)) {
            None => Ok(()),
            Some(at) => Err(self.broken(at, "nothing but elements outside the root element")),
        }
    }

    fn within_root(&self) -> Result<(), Broken> {
        if self.depth == 0 {
            Err(self.broken(0, "nothing but elements outside the root element"))
        } else {
            Ok(())
        }
    }

    fn instruction(&self, piece: &str) -> Result<(), Broken> {
        let inner = piece.strip_prefix("<?").and_then(|piece| piece.strip_suffix("?>")).unwrap_or_default();
        let target = inner.split(|c: char| c.is_ascii() && is_blank(u8::try_from(c).unwrap_or(0))).next();
        let target = target.unwrap_or_default();
        if !is_name(target, false) || target.eq_ignore_ascii_case("xml") {
            return Err(self.broken(0, "a processing instruction has a name other than xml"));
        }
        Ok(())
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`; the encoding was seen to before.
    fn declaration(&self, piece: &'t str) -> Result<(), Broken> {
        if self.at != 0 {
            return Err(self.broken(0, "the XML declaration stands at the very beginning"));
        }
        let inner =
            piece.strip_prefix("<?xml").and_then(|piece| piece.strip_suffix("?>")).unwrap_or_default();
        let mut attributes = Vec::new();
        self.attributes(inner, &mut attributes)?;
        let mut allowed = ["version", "encoding", "standalone"].iter();
        let in_order = attributes.iter().all(|attribute| allowed.any(|name| *name == attribute.name));
        let versioned =
            attributes.first().is_some_and(|first| first.name == "version" && first.value.starts_with("1."));
        if in_order && versioned { Ok(()) } else { Err(self.broken(0, "an XML declaration of version 1.0")) }
    }

    /// The attributes behind a name, into a list that is used again.
    pub(crate) fn attributes(&self, raw: &'t str, into: &mut Vec<Attribute<'t>>) -> Result<(), Broken> {
        into.clear();
        let mut rest = raw;
        loop {
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            if trimmed.is_empty() {
                return Ok(());
            }
            if trimmed.len() == rest.len() {
                return Err(self.broken(0, "a blank stands before each attribute"));
            }
            if into.len() >= self.limits.attributes_max {
                return Err(Broken {
                    code: "xml_too_many_attributes",
                    at: self.at,
                    expected: format!("at most {} attributes an element", self.limits.attributes_max),
                });
            }
            let (attribute, after) = self.attribute(trimmed)?;
            if into.iter().any(|known| known.name == attribute.name) {
                return Err(self.broken(0, "each attribute of an element stands once"));
            }
            into.push(attribute);
            rest = after;
        }
    }

    fn attribute(&self, text: &'t str) -> Result<(Attribute<'t>, &'t str), Broken> {
        let wrong = || self.broken(0, "an attribute is name=\"value\"");
        let (name, after) = text.split_once('=').ok_or_else(wrong)?;
        let name = name.trim_end_matches([' ', '\t', '\n', '\r']);
        if !is_qualified_name(name) {
            return Err(wrong());
        }
        let after = after.trim_start_matches([' ', '\t', '\n', '\r']);
        let (value, rest) = match after.as_bytes().first() {
            Some(b'"') => after.get(1..).and_then(|after| after.split_once('"')),
            Some(b'\'') => after.get(1..).and_then(|after| after.split_once('\'')),
            _ => None,
        }
        .ok_or_else(wrong)?;
        Ok((Attribute { name, value: self.value(value)? }, rest))
    }

    /// References resolved, white space as XML wants it in attributes.
    fn value(&self, raw: &'t str) -> Result<Cow<'t, str>, Broken> {
        let special = |byte: u8| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r');
        if !raw.bytes().any(special) {
            return Ok(Cow::Borrowed(raw));
        }
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(character) = rest.chars().next() {
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            match character {
                '<' => return Err(self.broken(0, "\"<\" in an attribute is written \"&lt;\"")),
                '\r' if rest.starts_with('\n') => {}
                '\t' | '\n' | '\r' => value.push(' '),
                '&' => {
                    let (name, after) =
                        rest.split_once(';').ok_or_else(|| self.broken(0, "a reference ends with \";\""))?;
                    value.push(reference(name).ok_or_else(|| self.unknown_reference(0, name))?);
                    rest = after;
                }
                other => value.push(other),
            }
        }
        Ok(Cow::Owned(value))
    }
}

/// An attribute as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute<'t> {
    /// With its prefix.
    pub(crate) name: &'t str,
    pub(crate) value: Cow<'t, str>,
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// A name with one colon at the most, as documents with namespaces have them.
fn is_qualified_name(name: &str) -> bool {
    if name.is_ascii() {
        let mut colons = 0_usize;
        let mut before = b':';
        for byte in name.bytes() {
            let starts = before == b':';
            let fits = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
                b'0'..=b'9' | b'-' | b'.' => !starts,
                b':' => {
                    colons = colons.saturating_add(1);
                    !starts
                }
                _ => false,
            };
            if !fits {
                return false;
            }
            before = byte;
        }
        return before != b':' && colons <= 1;
    }
    let one = |part: &str| {
        let mut characters = part.chars();
        characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
    };
    match name.split_once(':') {
        Some((prefix, local)) => one(prefix) && one(local),
        None => one(name),
    }
}

/// What stands between `&` and `;`.
fn reference(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match code.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (code, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let character = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)?;
    let allowed = character >= ' ' || matches!(character, '\t' | '\n' | '\r');
    (allowed && !matches!(character, '\u{FFFE}' | '\u{FFFF}')).then_some(character)
}
