//! Text that is put together of pieces.

/// The text of an element: borrowed as long as it is one piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Value<'t> {
    /// Nothing yet.
    #[default]
    Empty,
    /// One piece.
    Borrowed(&'t str),
    /// Several, or one that XML changes.
    Owned(String),
}

impl<'t> Value<'t> {
    /// The text so far.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }

    /// Adds a piece; ends of lines become what XML makes of them (XML 1.0, 2.11).
    #[inline]
    pub fn push(&mut self, piece: &'t str) {
        if matches!(self, Self::Empty) && !piece.as_bytes().contains(&b'\r') {
            *self = Self::Borrowed(piece);
        } else {
            self.join(piece);
        }
    }

    /// Adds a character that was written as a reference: it is what it is.
    pub fn push_character(&mut self, character: char) {
        self.owned(0).push(character);
    }

    fn join(&mut self, piece: &str) {
        let text = self.owned(piece.len());
        let mut rest = piece;
        while let Some((line, more)) = rest.split_once('\r') {
            text.push_str(line);
            text.push('\n');
            rest = more.strip_prefix('\n').unwrap_or(more);
        }
        text.push_str(rest);
    }

    fn owned(&mut self, more: usize) -> &mut String {
        if !matches!(self, Self::Owned(_)) {
            let so_far = self.as_str();
            let mut text = String::with_capacity(so_far.len().saturating_add(more));
            text.push_str(so_far);
            *self = Self::Owned(text);
        }
        match self {
            Self::Owned(text) => text,
            // It was made so just before; an own text for the compiler alone.
            Self::Empty | Self::Borrowed(_) => {
                *self = Self::Owned(String::new());
                self.owned(more)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_one_text_and_ends_of_lines_are_one_character() {
        let check = |pieces: &[&'static str], expected: &str, borrowed: bool| {
            let mut value = Value::default();
            pieces.iter().for_each(|piece| match piece.strip_prefix('&') {
                Some(code) => value.push_character(code.chars().next().unwrap()),
                None => value.push(piece),
            });
            assert_eq!(value.as_str(), expected, "{pieces:?}");
            assert_eq!(matches!(value, Value::Borrowed(_)), borrowed, "{pieces:?}");
        };
        check(&[], "", false);
        check(&["a b\n"], "a b\n", true);
        check(&["a", "b"], "ab", false);
        check(&["a\r\nb\rc\r"], "a\nb\nc\n", false);
        check(&["a", "&\r", "b"], "a\rb", false);
        check(&["&<", ""], "<", false);
    }
}
