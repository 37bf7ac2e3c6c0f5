//! A look at the markup before the parser sees it. The parser compares attributes with each other and copies
//! namespaces downwards, so a small document could cost it gigabytes; what is bounded here cannot.

use crate::xml::XmlBounds;

/// What is beyond a bound, and the byte where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    DocumentType(usize),
    Depth(usize),
    Nodes(usize),
    Attributes(usize),
    Namespaces(usize),
}

/// Walks the markup once. What is not well-formed is left to the parser, which stops at the same place.
pub(crate) fn check(text: &str, bounds: XmlBounds) -> Result<(), Excess> {
    let mut nodes: usize = 0;
    // Namespaces in force, one entry for each open element.
    let mut open: Vec<usize> = Vec::new();
    let mut at: usize = 0;
    while let Some(next) = find(text, at, "<") {
        let rest = text.get(next..).unwrap_or_default();
        at = if rest.starts_with("<!--") {
            end_of(text, next.saturating_add(4), "-->")
        } else if rest.starts_with("<![CDATA[") {
            end_of(text, next, "]]>")
        } else if rest.starts_with("<?") {
            end_of(text, next, "?>")
        } else if rest.starts_with("<!") {
            return Err(Excess::DocumentType(next));
        } else if rest.starts_with("</") {
            open.pop();
            end_of(text, next, ">")
        } else {
            let tag = Tag::scan(rest);
            if tag.attributes > bounds.attributes_max {
                return Err(Excess::Attributes(next));
            }
            nodes = nodes.saturating_add(1).saturating_add(tag.attributes);
            if nodes > bounds.nodes_max {
                return Err(Excess::Nodes(next));
            }
            let in_force = open.last().copied().unwrap_or(0).saturating_add(tag.namespaces);
            if in_force > bounds.namespaces_max {
                return Err(Excess::Namespaces(next));
            }
            if open.len() >= bounds.depth_max {
                return Err(Excess::Depth(next));
            }
            if !tag.closes_itself {
                open.push(in_force);
            }
            next.saturating_add(tag.bytes)
        };
    }
    Ok(())
}

fn find(text: &str, from: usize, mark: &str) -> Option<usize> {
    Some(from.saturating_add(text.get(from..)?.find(mark)?))
}

/// The place behind `mark`; the end where it is missing.
fn end_of(text: &str, from: usize, mark: &str) -> usize {
    find(text, from, mark).map_or(text.len(), |at| at.saturating_add(mark.len()))
}

/// A start tag.
struct Tag {
    bytes: usize,
    attributes: usize,
    namespaces: usize,
    closes_itself: bool,
}

impl Tag {
    fn scan(text: &str) -> Self {
        let mut tag = Self { bytes: text.len(), attributes: 0, namespaces: 0, closes_itself: false };
        let mut quote = None;
        let mut name_from: usize = 0;
        let mut before = b'<';
        for (at, byte) in text.bytes().enumerate() {
            match (quote, byte) {
                (Some(mark), _) if byte == mark => {
                    quote = None;
                    name_from = at.saturating_add(1);
                }
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => {
                    tag.attributes = tag.attributes.saturating_add(1);
                    let name = text.get(name_from..at).unwrap_or_default();
                    let name = name.split_whitespace().next_back().unwrap_or_default();
                    if name.starts_with("xmlns") {
                        tag.namespaces = tag.namespaces.saturating_add(1);
                    }
                }
                (None, b'>') => {
                    tag.closes_itself = before == b'/';
                    tag.bytes = at.saturating_add(1);
                    break;
                }
                _ => {}
            }
            before = byte;
        }
        tag
    }
}
