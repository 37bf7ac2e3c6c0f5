//! The places of findings in the text of an XML document, so that whoever wrote it sees which element is meant.

use markup::{Reader, Sink, Token};
use serde::Serialize;
use spine::Pointer;
use spine::tree::{NodeId, Tree};

use crate::xml::{XmlBounds, XmlText};

/// Characters of the line that are shown on either side of the element.
const BESIDE_CHARACTERS: usize = 60;
/// Characters of the element that are shown.
const ELEMENT_CHARACTERS: usize = 160;

/// A place in a document, with what stands there: parts of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What stands before it on the line, cut.
    pub before: String,
    /// The element as it is written, as far as it stands on this line, cut.
    pub element: String,
    /// What stands behind it on the line, cut.
    pub after: String,
    /// It is the very element; otherwise the one that it is missing in.
    pub exact: bool,
}

/// Excerpts at these places of a document, in their order; `None` for one that is nowhere in it. A place is a path of
/// names below the root, such as `["Declaration"]`, and a pointer from there; or a pointer to a line and column.
///
/// Reads what [`crate::read_xml`] reads; a document that it refuses has only places of lines and columns.
#[must_use]
pub fn excerpts(bytes: &[u8], bounds: XmlBounds, places: &[(&[&str], Pointer)]) -> Vec<Option<Excerpt>> {
    let Some(text) =
        Some(bytes).filter(|_| !places.is_empty()).and_then(|bytes| XmlText::decode(bytes, bounds).ok())
    else {
        return vec![None; places.len()];
    };
    let elements = places.iter().any(|(_, pointer)| line_and_column(pointer).is_none());
    let elements = if elements { Elements::of(&text) } else { None };
    let lines = LineStarts::of(text.as_str());
    places
        .iter()
        .map(|(base, pointer)| match line_and_column(pointer) {
            Some(place) => lines.at_line(text.as_str(), place),
            None => {
                let elements = elements.as_ref()?;
                let tree = &elements.tree;
                let start = base.iter().try_fold(tree.root(), |node, name| child(tree, node, name, 1))?;
                let (node, exact) = follow(tree, start, pointer);
                let (from, to) = elements.range(node)?;
                Some(lines.excerpt(text.as_str(), from, to, exact))
            }
        })
        .collect()
}

/// A document with the place of each of its elements.
struct Elements {
    tree: Tree,
    /// The number of each node among the elements; attributes have that of the element before them.
    numbers: Vec<usize>,
    ranges: Vec<(usize, usize)>,
}

impl Elements {
    fn of(text: &XmlText<'_>) -> Option<Self> {
        let mut ranges = Ranges::default();
        let tree = text.read(&mut ranges).ok()?.tree;
        let mut elements: usize = 0;
        let ids = (0..u32::try_from(tree.len()).ok()?).map(NodeId);
        let numbers = ids.map(|id| {
            let is_element = tree.node(id).is_some_and(|node| !node.name.starts_with('@'));
            elements = elements.saturating_add(usize::from(is_element));
            elements.saturating_sub(1)
        });
        let numbers = numbers.collect();
        Some(Self { tree, numbers, ranges: ranges.all })
    }

    fn range(&self, node: NodeId) -> Option<(usize, usize)> {
        self.ranges.get(*self.numbers.get(usize::try_from(node.0).ok()?)?).copied()
    }
}

/// Hears where elements begin and end.
#[derive(Default)]
struct Ranges {
    all: Vec<(usize, usize)>,
    open: Vec<usize>,
}

impl<'t> Sink<'t> for Ranges {
    fn take(&mut self, token: Token<'t>, reader: &Reader<'t>) -> bool {
        match token {
            Token::Start => {
                self.open.push(self.all.len());
                self.all.push((reader.at(), reader.end()));
            }
            Token::End => {
                if let Some(range) = self.open.pop().and_then(|number| self.all.get_mut(number)) {
                    range.1 = reader.end();
                }
            }
            Token::Text(_) | Token::Character(_) | Token::Eof => {}
        }
        true
    }
}

/// The element that a pointer leads to, or the last one on the way that is there.
fn follow(tree: &Tree, start: NodeId, pointer: &Pointer) -> (NodeId, bool) {
    let mut node = start;
    for step in pointer.0.split('/').filter(|step| !step.is_empty()) {
        // An attribute stands within its element.
        if step.starts_with('@') {
            break;
        }
        let (name, position) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((name, position)) => (name, position.parse().unwrap_or(1)),
            None => (step, 1),
        };
        match child(tree, node, name, position) {
            Some(next) => node = next,
            None => return (node, false),
        }
    }
    (node, true)
}

/// The `position`th child element of a local name.
fn child(tree: &Tree, node: NodeId, name: &str, position: usize) -> Option<NodeId> {
    tree.children_named(node, name).nth(position.saturating_sub(1))
}

/// Reads `line[3]/column[5]`.
fn line_and_column(pointer: &Pointer) -> Option<(usize, usize)> {
    let (line, column) = pointer.0.strip_prefix("line[")?.split_once(']')?;
    let column = column.strip_prefix("/column[").and_then(|column| column.strip_suffix(']'));
    Some((line.parse().ok()?, column.and_then(|column| column.parse().ok()).unwrap_or(1)))
}

/// Where the lines of a text begin.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> Self {
        let ends = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next);
        Self(std::iter::once(0).chain(ends).collect())
    }

    /// The part of the line from a place to the end of the line.
    fn at_line(&self, text: &str, (line, column): (usize, usize)) -> Option<Excerpt> {
        let start = *self.0.get(line.checked_sub(1)?)?;
        let rest = text.get(start..)?;
        let at = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
        let at = start.saturating_add(at);
        Some(self.excerpt(text, at, at.saturating_add(1), true))
    }

    fn excerpt(&self, text: &str, start: usize, end: usize, exact: bool) -> Excerpt {
        let line = self.0.partition_point(|begins| *begins <= start);
        let begins = line.checked_sub(1).and_then(|line| self.0.get(line)).copied().unwrap_or(0);
        let line_end = self.0.get(line).map_or(text.len(), |next| next.saturating_sub(1));
        let before = text.get(begins..start).unwrap_or_default();
        let within = text.get(start..end.min(line_end).max(start)).unwrap_or_default();
        let after = text.get(end.min(line_end).max(start)..line_end).unwrap_or_default();
        Excerpt {
            line,
            column: before.chars().count().saturating_add(1),
            before: last_characters(before.trim_start(), BESIDE_CHARACTERS),
            element: first_characters(within.trim_end(), ELEMENT_CHARACTERS),
            after: first_characters(after.trim_end(), BESIDE_CHARACTERS),
            exact,
        }
    }
}

fn first_characters(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn last_characters(text: &str, most: usize) -> String {
    let from = text.chars().count().saturating_sub(most);
    match text.char_indices().nth(from) {
        Some((at, _)) if from > 0 => format!("…{}", text.get(at..).unwrap_or_default()),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "<?xml version=\"1.0\"?>\n<md:MetaData xmlns:md=\"m\">\n <Declaration>\n  <ID>7</ID><Item><Mass>5</Mass></Item>\n  \
                           <Item>\n   <Mass unit=\"kg\">6</Mass>\n  </Item>\n </Declaration>\n</md:MetaData>";

    #[test]
    fn the_element_of_a_pointer_is_shown_in_its_line() {
        let check = |pointer: &str, expected: &str| {
            let pointer = Pointer(pointer.to_owned());
            let found =
                excerpts(MESSAGE.as_bytes(), XmlBounds::default(), &[(&["Declaration"], pointer.clone())]);
            let shown = found[0].as_ref().map(|own| {
                let exact = if own.exact { "" } else { " (missing in it)" };
                format!("{}:{} {}[{}]{}{exact}", own.line, own.column, own.before, own.element, own.after)
            });
            assert_eq!(shown.as_deref().unwrap_or("nowhere"), expected, "{pointer}");
        };
        check("ID", "4:3 [<ID>7</ID>]<Item><Mass>5</Mass></Item>");
        check("Item[1]/Mass", "4:19 <ID>7</ID><Item>[<Mass>5</Mass>]</Item>");
        check("Item[2]/Mass/@unit", "6:4 [<Mass unit=\"kg\">6</Mass>]");
        check("Item[2]", "5:3 [<Item>]");
        check("Item[2]/Origin", "5:3 [<Item>] (missing in it)");
        check("Item[3]", "3:2 [<Declaration>] (missing in it)");
        check("", "3:2 [<Declaration>]");
        check("line[4]/column[6]", "4:6 <ID[>]7</ID><Item><Mass>5</Mass></Item>");
        check("line[400]/column[6]", "nowhere");
    }

    #[test]
    fn a_long_line_is_cut_and_what_cannot_be_read_shows_lines_only() {
        let wide = format!("<a><b>{}</b><c>1</c><b>{}</b></a>", "x".repeat(500), "y".repeat(500));
        let place = Pointer("c".to_owned());
        let found = excerpts(wide.as_bytes(), XmlBounds::default(), &[(&[], place)]).remove(0).unwrap();
        assert_eq!((found.before.chars().count(), found.element.as_str()), (61, "<c>1</c>"));
        assert!(found.after.ends_with('…') && found.after.chars().count() == 61);
        let places: [(&[&str], Pointer); 2] =
            [(&[], Pointer("b".to_owned())), (&[], Pointer("line[2]/column[2]".to_owned()))];
        let found = excerpts(b"<a>\n<b></a>", XmlBounds::default(), &places);
        assert!(found[0].is_none());
        assert_eq!(found[1].as_ref().unwrap().after, "></a>");
        let dtd = b"<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>";
        let found = excerpts(dtd, XmlBounds::default(), &places);
        assert!(found[0].is_none() && found[1].is_some());
    }
}
