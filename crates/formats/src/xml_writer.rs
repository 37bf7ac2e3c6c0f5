//! XML written element by element, indented, UTF-8.

use std::fmt::Write as _;

/// Control characters, and what no XML document may hold.
pub(crate) fn unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

/// A document that is being written.
pub(crate) struct XmlWriter {
    out: String,
    depth: usize,
}

impl XmlWriter {
    /// A document with its first line.
    pub(crate) fn new() -> Self {
        let mut out = String::with_capacity(4096);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        Self { out, depth: 0 }
    }

    fn indent(&mut self) {
        (0..self.depth).for_each(|_| self.out.push_str("  "));
    }

    /// Opens an element; `attributes` are written out with a blank before each.
    pub(crate) fn open_with(&mut self, element: &str, attributes: &str) {
        self.indent();
        let _ = writeln!(self.out, "<{element}{attributes}>");
        self.depth = self.depth.saturating_add(1);
    }

    pub(crate) fn open(&mut self, element: &str) {
        self.open_with(element, "");
    }

    pub(crate) fn close(&mut self, element: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        let _ = writeln!(self.out, "</{element}>");
    }

    /// An element of one line; `attribute` is written out with a blank before it.
    pub(crate) fn line(&mut self, element: &str, attribute: &str, text: &str) {
        self.indent();
        let _ = write!(self.out, "<{element}{attribute}>");
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                // No XML document may hold them; what was read never does.
                character if unprintable(character) => self.out.push(' '),
                character => self.out.push(character),
            }
        }
        let _ = writeln!(self.out, "</{element}>");
    }

    /// A text at a path of elements.
    pub(crate) fn at_path(&mut self, path: &str, text: &str) {
        match path.split_once('/') {
            Some((outer, inner)) => {
                self.open(outer);
                self.at_path(inner, text);
                self.close(outer);
            }
            None => self.line(path, "", text),
        }
    }

    /// The document.
    pub(crate) fn finish(self) -> String {
        self.out
    }
}
