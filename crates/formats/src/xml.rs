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
use std::collections::HashMap;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use roxmltree::{Document, Node, NodeType, ParsingOptions};
use spine::tree::{NodeId, Tree};
use spine::{Finding, Pointer};

use crate::xml_guard::{self, Excess};

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
    xml_guard::check(&text, bounds).map_err(|excess| excess_finding(&text, excess, bounds))?;
    let parsed = Document::parse_with_options(&text, parsing_options(bounds))
        .map_err(|error| not_well_formed(&text, &error))?;
    build(&parsed, encoding.name(), bounds)
}

/// How a document is parsed within these bounds.
pub(crate) fn parsing_options<'input>(bounds: XmlBounds) -> ParsingOptions<'input> {
    ParsingOptions {
        allow_dtd: false,
        // Texts, comments and processing instructions are nodes of the parser as well.
        nodes_limit: u32::try_from(bounds.nodes_max.saturating_mul(4)).unwrap_or(u32::MAX),
        entity_resolver: None,
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

fn build(parsed: &Document<'_>, encoding: &'static str, bounds: XmlBounds) -> Result<XmlDocument, Finding> {
    let root = parsed.root_element();
    let mut tree = Tree::new(root.tag_name().name());
    let mut namespaces: Vec<String> = Vec::new();
    let mut mixed: u64 = 0;
    let mut first_mixed = None;
    let mut places: HashMap<roxmltree::NodeId, NodeId> = HashMap::new();
    for node in root.descendants().filter(Node::is_element) {
        let place = match node.parent_element().and_then(|parent| places.get(&parent.id())) {
            Some(parent) => tree.add(*parent, node.tag_name().name(), "").ok_or_else(|| too_many(bounds))?,
            None => tree.root(),
        };
        if let Some(namespace) = node.tag_name().namespace()
            && !namespaces.iter().any(|known| known == namespace)
            && namespaces.len() < bounds.namespaces_max
        {
            namespaces.push(namespace.to_owned());
        }
        for attribute in node.attributes().filter(|attribute| attribute.namespace().is_none()) {
            tree.add(place, &format!("@{}", attribute.name()), attribute.value())
                .ok_or_else(|| too_many(bounds))?;
        }
        let text = own_text(node);
        if !text.trim().is_empty() && node.first_element_child().is_some() {
            mixed = mixed.saturating_add(1);
            first_mixed.get_or_insert((place, text.trim().to_owned()));
        }
        tree.set_text(place, &text);
        places.insert(node.id(), place);
    }
    let findings = first_mixed
        .map(|(place, text)| {
            Finding::warning("xml_text_between_elements")
                .at(tree.pointer(place))
                .found(&text)
                .expected("either text or elements within an element")
                .fix(format!("Remove the text, or close the element before it. Elements like this: {mixed}."))
        })
        .into_iter()
        .collect();
    Ok(XmlDocument { tree, namespaces, encoding, findings })
}

/// The texts right below an element, one behind the other; comments may stand between them.
fn own_text<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut texts =
        node.children().filter(|child| child.node_type() == NodeType::Text).filter_map(|child| child.text());
    let Some(first) = texts.next() else { return Cow::Borrowed("") };
    let mut text = Cow::Borrowed(first);
    for more in texts {
        text.to_mut().push_str(more);
    }
    text
}

fn too_many(bounds: XmlBounds) -> Finding {
    Finding::error("xml_too_many_nodes")
        .expected(format!("at most {} elements and attributes", bounds.nodes_max.min(Tree::NODES_MAX)))
        .fix("Split the message, or ask for a larger bound.")
}

fn excess_finding(text: &str, excess: Excess, bounds: XmlBounds) -> Finding {
    let (at, finding) = match excess {
        Excess::DocumentType(at) => (
            at,
            Finding::error("xml_document_type")
                .found("<!DOCTYPE or another declaration")
                .expected("a message without document type and entities: they are never read here")
                .fix("Remove the declaration and write the entities out."),
        ),
        Excess::Depth(at) => (
            at,
            Finding::error("xml_too_deep")
                .expected(format!("at most {} elements within each other", bounds.depth_max))
                .fix("Look for elements that are not closed."),
        ),
        Excess::Nodes(at) => (at, too_many(bounds)),
        Excess::Attributes(at) => (
            at,
            Finding::error("xml_too_many_attributes")
                .expected(format!("at most {} attributes an element", bounds.attributes_max))
                .fix("Customs messages have a handful; check the program that wrote this."),
        ),
        Excess::Namespaces(at) => (
            at,
            Finding::error("xml_too_many_namespaces")
                .expected(format!("at most {} namespaces at one place", bounds.namespaces_max))
                .fix("Customs messages have a handful; check the program that wrote this."),
        ),
    };
    finding.at(place_at(text, at))
}

fn not_well_formed(text: &str, error: &roxmltree::Error) -> Finding {
    use roxmltree::Error;
    if matches!(error, Error::DtdDetected) {
        return excess_finding(text, Excess::DocumentType(0), XmlBounds::default());
    }
    // What is missing at the end has no place of its own in the parser.
    let at_end = matches!(error, Error::UnclosedRootNode | Error::UnexpectedEndOfStream);
    let place = if at_end {
        place_at(text, text.len())
    } else {
        place(u64::from(error.pos().row), u64::from(error.pos().col))
    };
    let words = error.to_string();
    let words = words.rsplit_once(" at ").filter(|(_, tail)| tail.starts_with(|c: char| c.is_ascii_digit()));
    let all = error.to_string();
    let line = text.lines().nth(usize::try_from(error.pos().row).unwrap_or(1).saturating_sub(1));
    let column = usize::try_from(error.pos().col).unwrap_or(1).saturating_sub(1);
    let found: String = line.unwrap_or_default().chars().skip(column).take(40).collect();
    Finding::error("xml_not_well_formed")
        .at(place)
        .found(if at_end { "the end of the document" } else { found.trim() })
        .expected(format!("well-formed XML: {}", words.map_or(all.as_str(), |(head, _)| head)))
        .fix("Correct the place; a program that writes XML never produces this.")
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
