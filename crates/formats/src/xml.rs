//! XML to a [`Tree`]: bounded, without DTDs, entities or anything fetched.
//!
//! | of the document | in the tree |
//! |---|---|
//! | element | node of its local name; prefixes are dropped, namespaces listed in [`XmlDocument::namespaces`] |
//! | text, CDATA | the node's text, put together and trimmed; comments and processing instructions are dropped |
//! | attribute `currencyID` | first among the children: a node `@currencyID` |
//! | attribute with a prefix (`xsi:schemaLocation`, `xml:lang`), `xmlns` | dropped |
//!
//! A byte-order mark decides about the encoding, then the XML declaration, then UTF-8 is taken (XML 1.0, 4.3.3 and
//! appendix F).

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use markup::{Broken, Limits, NamespaceNumber, Reader, Sink, Token, Value, split};
use spine::name_table::NameNumber;
use spine::tree::{NodeId, Tree};
use spine::{Finding, Pointer};

/// Bounds of reading; what exceeds one is refused with a finding that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XmlBounds {
    /// Bytes of the document.
    pub bytes_max: usize,
    /// Elements within each other, the root counting 1.
    pub depth_max: usize,
    /// Elements and attributes together.
    pub nodes_max: usize,
    /// Attributes of one element, declarations of namespaces among them.
    pub attributes_max: usize,
    /// Namespace declarations in force at one place.
    pub namespaces_max: usize,
}

impl Default for XmlBounds {
    /// Many times what the largest customs messages need (999 items of an entry summary are some 40,000 nodes).
    fn default() -> Self {
        Self {
            bytes_max: 64 * 1024 * 1024,
            depth_max: 128,
            nodes_max: 1_000_000,
            attributes_max: 64,
            namespaces_max: 64,
        }
    }
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlDocument {
    /// Its elements.
    pub tree: Tree,
    /// Namespaces of its elements in the order of their first use; empty where none is used.
    pub namespaces: Vec<String>,
    /// Encoding it was read in.
    pub encoding: &'static str,
    /// What was noticed and did not prevent reading.
    pub findings: Vec<Finding>,
}

/// Reads a document. The finding says why there is no tree.
pub fn read_xml(bytes: &[u8], bounds: XmlBounds) -> Result<XmlDocument, Finding> {
    XmlText::decode(bytes, bounds)?.read(&mut ())
}

/// The text of a document, decoded and not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlText<'b> {
    text: Cow<'b, str>,
    encoding: &'static str,
    bounds: XmlBounds,
}

impl<'b> XmlText<'b> {
    /// Decodes a document. The finding says why there is no text.
    pub fn decode(bytes: &'b [u8], bounds: XmlBounds) -> Result<Self, Finding> {
        if bytes.is_empty() {
            return Err(Finding::error("file_empty")
                .found("0 bytes")
                .expected("an XML document")
                .fix("Send the message again; this file holds nothing."));
        }
        if bytes.len() > bounds.bytes_max {
            return Err(Finding::error("xml_too_large")
                .found(&format!("{} bytes", bytes.len()))
                .expected(format!("at most {} bytes", bounds.bytes_max))
                .fix("Split the message, or ask for a larger bound."));
        }
        let (text, encoding) = decode_with_encoding(bytes)?;
        Ok(Self { text, encoding: encoding.name(), bounds })
    }

    /// The text, without a byte-order mark.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Local name of the root element, read no further than that; `None` where there is none.
    #[must_use]
    pub fn root_name(&self) -> Option<&str> {
        let mut reader = Reader::new(&self.text, self.limits()).ok()?;
        (reader.token().ok()? == Token::Start).then(|| split(reader.written()).1)
    }

    /// Reads the document; `beside` hears every piece of it in the same reading, as long as it wants, such as a schema
    /// that judges it. The finding says why there is no tree.
    pub fn read<'t>(&'t self, beside: &mut impl Sink<'t>) -> Result<XmlDocument, Finding> {
        let mut listeners = ((Builder::new(self.bounds, self.text.len()), true), (beside, true));
        markup::read(&self.text, self.limits(), &mut listeners).map_err(|broken| self.refused(&broken))?;
        let ((builder, _), _) = listeners;
        builder.finish(self.encoding)
    }

    fn limits(&self) -> Limits {
        Limits {
            depth_max: self.bounds.depth_max,
            nodes_max: self.bounds.nodes_max,
            attributes_max: self.bounds.attributes_max,
            namespaces_max: self.bounds.namespaces_max,
        }
    }

    fn refused(&self, broken: &Broken) -> Finding {
        let finding = match broken.code {
            "xml_not_well_formed" => {
                let line = self.text.get(broken.at..).and_then(|rest| rest.lines().next());
                let found: String = line.unwrap_or_default().chars().take(FOUND_CHARACTERS).collect();
                let at_end = broken.at >= self.text.len();
                Finding::error(broken.code)
                    .found(if at_end { "the end of the document" } else { found.trim() })
                    .expected(broken.expected.clone())
            }
            "xml_document_type" => Finding::error(broken.code)
                .found("<!DOCTYPE or another declaration")
                .expected(broken.expected.clone()),
            "xml_too_many_nodes" => too_many(self.bounds),
            code => Finding::error(code).expected(broken.expected.clone()),
        };
        finding.fix(broken.remedy()).at(place_at(&self.text, broken.at))
    }
}

/// The document as text, by its byte-order mark, else by what its XML declaration says, else as UTF-8. The finding says
/// which byte is none.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Finding> {
    decode_with_encoding(bytes).map(|(text, _)| text)
}

/// The document as text, and the encoding it was in.
fn decode_with_encoding(bytes: &[u8]) -> Result<(Cow<'_, str>, &'static Encoding), Finding> {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, bytes.get(mark..).unwrap_or_default()),
        None => (declared_encoding(bytes)?, bytes),
    };
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok((Cow::Borrowed(text), UTF_8)),
            Err(error) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let before = std::str::from_utf8(before).unwrap_or_default();
                let offending = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
                Err(undecodable(UTF_8)
                    .at(place_at(before, before.len()))
                    .found(&format!("byte 0x{offending:02X}")))
            }
        };
    }
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok((text, encoding)),
        None => Err(undecodable(encoding)),
    }
}

fn undecodable(encoding: &'static Encoding) -> Finding {
    Finding::error("xml_encoding_broken")
        .expected(format!("text in {}", encoding.name()))
        .fix("State the encoding that the file really has in its first line, or save it as UTF-8.")
}

/// The encoding that the XML declaration names, seen through the two widths it can have.
fn declared_encoding(bytes: &[u8]) -> Result<&'static Encoding, Finding> {
    match bytes {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let head: String =
        bytes.iter().take(256).take_while(|byte| **byte != b'>').map(|byte| char::from(*byte)).collect();
    let Some(declaration) = head.strip_prefix("<?xml") else { return Ok(UTF_8) };
    let Some((_, after)) = declaration.split_once("encoding") else { return Ok(UTF_8) };
    let quoted = after.trim_start().strip_prefix('=').map_or("", str::trim_start);
    let label = match quoted.chars().next() {
        Some(mark @ ('"' | '\'')) => quoted.split(mark).nth(1).unwrap_or_default(),
        _ => "",
    };
    match Encoding::for_label(label.as_bytes()) {
        // A declaration that can be read byte by byte is not in two-byte units, whatever it says.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(Finding::error("xml_encoding_unknown")
            .at(Pointer("line[1]".to_owned()))
            .found(label)
            .expected("a known encoding such as UTF-8, UTF-16, windows-1252, GB18030")
            .fix("Save the file as UTF-8 and state encoding=\"UTF-8\" in its first line.")),
    }
}

/// Characters that are shown of what is not well-formed.
const FOUND_CHARACTERS: usize = 40;

/// Of so many bytes of a message one is at most a node, and so many hold one of text: room is made for as many, less than
/// the message has itself.
const BYTES_OF_NODE: usize = 64;
const BYTES_OF_TEXT: usize = 4;

/// Builds the tree of what is read.
struct Builder<'t> {
    bounds: XmlBounds,
    /// Of the whole document.
    text_bytes: usize,
    /// None before the root.
    tree: Option<Tree>,
    open: Vec<Open<'t>>,
    /// Numbers in the tree of the reader's names, as elements and as attributes.
    elements: Vec<Option<NameNumber>>,
    attributes: Vec<Option<NameNumber>>,
    namespaces: Vec<String>,
    /// The one that was seen last.
    namespace: NamespaceNumber,
    /// Elements with both texts and elements in them, and the first one with its text.
    mixed: u64,
    first_mixed: Option<(NodeId, String)>,
    full: bool,
}

/// An element that did not end yet.
struct Open<'t> {
    node: NodeId,
    text: Value<'t>,
    has_elements: bool,
}

impl<'t> Sink<'t> for Builder<'t> {
    fn take(&mut self, token: Token<'t>, reader: &Reader<'t>) -> bool {
        match token {
            Token::Start => {
                self.full = self.start(reader).is_none();
                return !self.full;
            }
            Token::End => self.end(),
            Token::Text(piece) => {
                // Texts are trimmed: white space in front, as between elements, need not be kept.
                if let Some(open) = self.open.last_mut()
                    && (open.text != Value::Empty || !piece.bytes().all(markup::is_blank))
                {
                    open.text.push(piece);
                }
            }
            Token::Character(character) => {
                if let Some(open) = self.open.last_mut() {
                    open.text.push_character(character);
                }
            }
            Token::Eof => {}
        }
        true
    }
}

impl<'t> Builder<'t> {
    fn new(bounds: XmlBounds, text_bytes: usize) -> Self {
        Self {
            bounds,
            text_bytes,
            tree: None,
            open: Vec::new(),
            elements: Vec::new(),
            attributes: Vec::new(),
            namespaces: Vec::new(),
            namespace: NamespaceNumber::NONE,
            mixed: 0,
            first_mixed: None,
            full: false,
        }
    }

    /// Adds the element that begins; `None` where the tree is full.
    fn start(&mut self, reader: &Reader<'t>) -> Option<()> {
        let local = || split(reader.written()).1.to_owned();
        let node = match (&mut self.tree, self.open.last_mut()) {
            (Some(tree), Some(parent)) => {
                parent.has_elements = true;
                let name = numbered(&mut self.elements, reader.number(), || tree.number_of(&local()))?;
                tree.add_numbered(parent.node, name)?
            }
            (tree, _) => {
                let tree = tree.insert(Tree::new(&local()));
                tree.reserve(self.text_bytes / BYTES_OF_NODE, self.text_bytes / BYTES_OF_TEXT);
                tree.root()
            }
        };
        self.see_namespace(reader);
        if let Some(tree) = &mut self.tree {
            for attribute in reader.attributes() {
                let (prefix, local) = split(attribute.written);
                if prefix.is_empty() {
                    let number = || tree.number_of(&format!("@{local}"));
                    let name = numbered(&mut self.attributes, attribute.number, number)?;
                    let added = tree.add_numbered(node, name)?;
                    tree.set_text(added, &attribute.value);
                }
            }
        }
        self.open.push(Open { node, text: Value::Empty, has_elements: false });
        Some(())
    }

    fn see_namespace(&mut self, reader: &Reader<'t>) {
        let namespace = reader.namespace();
        if namespace == self.namespace {
            return;
        }
        self.namespace = namespace;
        let uri = reader.scopes().uri(namespace);
        if namespace != NamespaceNumber::NONE
            && !self.namespaces.iter().any(|known| known == uri)
            && self.namespaces.len() < self.bounds.namespaces_max
        {
            self.namespaces.push(uri.to_owned());
        }
    }

    fn end(&mut self) {
        let (Some(open), Some(tree)) = (self.open.pop(), &mut self.tree) else { return };
        let text = open.text.as_str();
        if open.has_elements && !text.trim().is_empty() {
            self.mixed = self.mixed.saturating_add(1);
            // The first in the order of the document; what ends first may begin later.
            if self.first_mixed.as_ref().is_none_or(|(first, _)| open.node < *first) {
                self.first_mixed = Some((open.node, text.trim().to_owned()));
            }
        }
        if !text.is_empty() {
            tree.set_text(open.node, text);
        }
    }

    fn finish(self, encoding: &'static str) -> Result<XmlDocument, Finding> {
        let Some(tree) = self.tree.filter(|_| !self.full) else { return Err(too_many(self.bounds)) };
        let mixed = self.mixed;
        let findings = self.first_mixed.map(|(place, text)| {
            Finding::warning("xml_text_between_elements")
                .at(tree.pointer(place))
                .found(&text)
                .expected("either text or elements within an element")
                .fix(format!("Remove the text, or close the element before it. Elements like this: {mixed}."))
        });
        let findings = findings.into_iter().collect();
        Ok(XmlDocument { tree, namespaces: self.namespaces, encoding, findings })
    }
}

/// The tree's number of a name of the reader; asked for once.
fn numbered(
    numbers: &mut Vec<Option<NameNumber>>,
    of: NameNumber,
    number: impl FnOnce() -> Option<NameNumber>,
) -> Option<NameNumber> {
    if let Some(Some(known)) = numbers.get(of.position()) {
        return Some(*known);
    }
    let number = number()?;
    if numbers.len() <= of.position() {
        numbers.resize(of.position().saturating_add(1), None);
    }
    if let Some(slot) = numbers.get_mut(of.position()) {
        *slot = Some(number);
    }
    Some(number)
}

fn too_many(bounds: XmlBounds) -> Finding {
    Finding::error("xml_too_many_nodes")
        .expected(format!("at most {} elements and attributes", bounds.nodes_max.min(Tree::NODES_MAX)))
        .fix("Split the message, or ask for a larger bound.")
}

fn place(line: u64, column: u64) -> Pointer {
    Pointer(format!("line[{line}]/column[{column}]"))
}

/// Line and column, from 1, of a place in the text.
pub(crate) fn place_at(text: &str, at: usize) -> Pointer {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()).saturating_add(1);
    place(u64::try_from(line).unwrap_or(u64::MAX), u64::try_from(column).unwrap_or(u64::MAX))
}
