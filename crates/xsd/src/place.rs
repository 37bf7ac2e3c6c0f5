//! Where findings are: found by a second walk, so that a valid message does not pay for it.

use std::collections::HashMap;

use markup::{Reader, Token, split};
use spine::Pointer;

use crate::limits::Limits;

/// A place in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// `MetaData[1]/Declaration[1]/GoodsShipment[1]`.
    pub(crate) pointer: Pointer,
    /// From 1.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
}

/// The places of bytes of a message. A byte where an element begins is that element; any other, what it stands in.
pub(crate) fn locate(text: &str, limits: Limits, bytes: &[usize]) -> Vec<Place> {
    let mut order: Vec<usize> = (0..bytes.len()).collect();
    order.sort_by_key(|index| bytes.get(*index));
    let wanted: Vec<usize> = order.iter().filter_map(|index| bytes.get(*index)).copied().collect();
    let mut pointers = Walk::new().pointers(text, limits, &wanted).into_iter();
    let mut places: Vec<Option<Place>> = vec![None; bytes.len()];
    let mut lines = Lines { text, at: 0, line: 1, column: 1 };
    for (index, byte) in order.into_iter().zip(wanted) {
        let (line, column) = lines.at(byte);
        let pointer = pointers.next().unwrap_or_default();
        if let Some(place) = places.get_mut(index) {
            *place = Some(Place { pointer, line, column });
        }
    }
    places.into_iter().flatten().collect()
}

/// Counts lines and columns, always forwards.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    column: u32,
}

impl Lines<'_> {
    fn at(&mut self, byte: usize) -> (u32, u32) {
        let between = self.text.get(self.at..byte.min(self.text.len())).unwrap_or_default();
        for character in between.chars() {
            if character == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.at = self.at.saturating_add(between.len());
        (self.line, self.column)
    }
}

/// The open elements: name, position among its like, and how many of each name stand in it so far.
struct Walk<'t> {
    open: Vec<(&'t str, usize, HashMap<&'t str, usize>)>,
    at_root: HashMap<&'t str, usize>,
}

impl<'t> Walk<'t> {
    fn new() -> Self {
        Self { open: Vec::new(), at_root: HashMap::new() }
    }

    fn pointers(mut self, text: &'t str, limits: Limits, wanted: &[usize]) -> Vec<Pointer> {
        let mut reader = Reader::of_checked(text, limits.of_reading());
        let mut pointers: Vec<Pointer> = Vec::with_capacity(wanted.len());
        while pointers.len() < wanted.len() {
            let token = reader.token();
            let is_last = matches!(token, Err(_) | Ok(Token::Eof));
            self.read(token.ok(), &mut pointers, wanted, &reader);
            if is_last {
                break;
            }
        }
        while pointers.len() < wanted.len() {
            pointers.push(self.pointer());
        }
        pointers
    }

    fn read(
        &mut self,
        token: Option<Token<'t>>,
        pointers: &mut Vec<Pointer>,
        wanted: &[usize],
        reader: &Reader<'t>,
    ) {
        let at = reader.at();
        let mut passed = |walk: &Self, before: bool| {
            while wanted.get(pointers.len()).is_some_and(|next| if before { *next < at } else { *next <= at })
            {
                pointers.push(walk.pointer());
            }
        };
        passed(self, true);
        match token {
            Some(Token::Start) => {
                let (_, local) = split(reader.written());
                let siblings = self.open.last_mut().map_or(&mut self.at_root, |(_, _, children)| children);
                let count = siblings.entry(local).or_insert(0);
                *count = count.saturating_add(1);
                let position = *count;
                self.open.push((local, position, HashMap::new()));
                passed(self, false);
            }
            Some(Token::End) => {
                passed(self, false);
                self.open.pop();
            }
            _ => {}
        }
    }

    fn pointer(&self) -> Pointer {
        self.open.iter().fold(Pointer::root(), |pointer, (name, position, _)| pointer.item(name, *position))
    }
}
