//! A text piece by piece.

use spine::name_table::{NameNumber, NameTable};

use crate::broken::Broken;
use crate::characters::{check_characters, is_blank, is_name, reference};
use crate::scopes::{Mark, NamespaceNumber, Scopes};
use crate::tag::{Attribute, Known, unknown_reference};

/// Bounds of one text; what exceeds one is refused with a code that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Elements within each other, the root counting 1.
    pub depth_max: usize,
    /// Elements and attributes together.
    pub nodes_max: usize,
    /// Attributes of one element, declarations of namespaces among them.
    pub attributes_max: usize,
    /// Namespace declarations in force at one place.
    pub namespaces_max: usize,
}

/// A piece of a text. Comments, processing instructions and the XML declaration are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'t> {
    /// An element begins; the reader knows its name and its attributes until the next piece.
    Start,
    /// The innermost element ends, with a tag of its own or with the one that it began with.
    End,
    /// Text without references, ends of lines as they were written.
    Text(&'t str),
    /// A character that was written as a reference.
    Character(char),
    /// The text ends, and was well-formed.
    Eof,
}

/// Whoever listens to a text being read.
pub trait Sink<'t> {
    /// Takes the next piece; false where it wants no more.
    fn take(&mut self, token: Token<'t>, reader: &Reader<'t>) -> bool;

    /// Hears why there is no next piece of the text.
    fn broken(&mut self, _broken: &Broken, _text: &'t str) {}
}

/// Nobody listens.
impl<'t> Sink<'t> for () {
    fn take(&mut self, _token: Token<'t>, _reader: &Reader<'t>) -> bool {
        false
    }
}

/// Somebody may listen.
impl<'t, S: Sink<'t>> Sink<'t> for Option<S> {
    #[inline]
    fn take(&mut self, token: Token<'t>, reader: &Reader<'t>) -> bool {
        self.as_mut().is_some_and(|sink| sink.take(token, reader))
    }

    fn broken(&mut self, broken: &Broken, text: &'t str) {
        if let Some(sink) = self {
            sink.broken(broken, text);
        }
    }
}

impl<'t, S: Sink<'t>> Sink<'t> for &mut S {
    #[inline]
    fn take(&mut self, token: Token<'t>, reader: &Reader<'t>) -> bool {
        S::take(self, token, reader)
    }

    fn broken(&mut self, broken: &Broken, text: &'t str) {
        S::broken(self, broken, text);
    }
}

/// Two listen to one reading, each as long as it wants.
impl<'t, A: Sink<'t>, B: Sink<'t>> Sink<'t> for ((A, bool), (B, bool)) {
    #[inline]
    fn take(&mut self, token: Token<'t>, reader: &Reader<'t>) -> bool {
        let (first, second) = self;
        first.1 = first.1 && first.0.take(token, reader);
        second.1 = second.1 && second.0.take(token, reader);
        first.1 || second.1
    }

    fn broken(&mut self, broken: &Broken, text: &'t str) {
        let (first, second) = self;
        if first.1 {
            first.0.broken(broken, text);
        }
        if second.1 {
            second.0.broken(broken, text);
        }
    }
}

/// Reads a text to whoever listens, to its end or as long as somebody wants more.
///
/// # Errors
/// Why it cannot be read further.
pub fn read<'t>(text: &'t str, limits: Limits, sink: &mut impl Sink<'t>) -> Result<(), Broken> {
    let result = Reader::new(text, limits).and_then(|mut reader| {
        loop {
            let token = reader.token()?;
            if !sink.take(token, &reader) || token == Token::Eof {
                return Ok(());
            }
        }
    });
    result.inspect_err(|broken| sink.broken(broken, text))
}

/// An element that began and did not end yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    number: NameNumber,
    around: Mark,
}

/// What comes before the next piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// The element that began ends at once.
    End,
    /// The element that ended is closed: its namespaces were in force until now.
    Close,
}

/// Reads a text from its beginning to its end.
#[derive(Debug)]
pub struct Reader<'t> {
    pub(crate) text: &'t str,
    pub(crate) limits: Limits,
    /// Where the last piece began, and where the next one does.
    pub(crate) at: usize,
    pub(crate) next: usize,
    pub(crate) names: NameTable,
    /// One for each name.
    pub(crate) known: Vec<Known>,
    pub(crate) scopes: Scopes<'t>,
    open: Vec<Open>,
    nodes: usize,
    root_seen: bool,
    pending: Pending,
    // Of the element that begins.
    pub(crate) written: &'t str,
    pub(crate) number: NameNumber,
    pub(crate) namespace: NamespaceNumber,
    pub(crate) attributes: Vec<Attribute<'t>>,
    /// Names of its attributes and declarations.
    pub(crate) stated: Vec<NameNumber>,
}

impl<'t> Reader<'t> {
    /// Begins with a text without a byte-order mark.
    ///
    /// # Errors
    /// A character that no text may hold, wherever it stands.
    pub fn new(text: &'t str, limits: Limits) -> Result<Self, Broken> {
        check_characters(text)?;
        Ok(Self::of_checked(text, limits))
    }

    /// The same with a text whose characters were looked at before.
    #[must_use]
    pub fn of_checked(text: &'t str, limits: Limits) -> Self {
        Self {
            text,
            limits,
            at: 0,
            next: 0,
            names: NameTable::default(),
            known: Vec::new(),
            scopes: Scopes::new(limits.namespaces_max),
            open: Vec::new(),
            nodes: 0,
            root_seen: false,
            pending: Pending::Nothing,
            written: "",
            number: NameNumber(0),
            namespace: NamespaceNumber::NONE,
            attributes: Vec::new(),
            stated: Vec::new(),
        }
    }

    /// Where the last piece began, in bytes; of an element that ends with the tag that it began with, that tag.
    #[inline]
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Where the last piece ended, in bytes.
    #[inline]
    #[must_use]
    pub fn end(&self) -> usize {
        self.next
    }

    /// Name, with its prefix, of the element that begins.
    #[inline]
    #[must_use]
    pub fn written(&self) -> &'t str {
        self.written
    }

    /// The number of that name: the same for all elements and attributes that are written alike.
    #[inline]
    #[must_use]
    pub fn number(&self) -> NameNumber {
        self.number
    }

    /// Its namespace.
    #[inline]
    #[must_use]
    pub fn namespace(&self) -> NamespaceNumber {
        self.namespace
    }

    /// Its attributes, without the declarations of namespaces.
    #[inline]
    #[must_use]
    pub fn attributes(&self) -> &[Attribute<'t>] {
        &self.attributes
    }

    /// The namespaces in force: at the end of an element those that it declared too.
    #[inline]
    #[must_use]
    pub fn scopes(&self) -> &Scopes<'t> {
        &self.scopes
    }

    /// The next piece.
    ///
    /// # Errors
    /// Why there is none: the text is not well-formed, or beyond a bound.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'t>, Broken> {
        match self.pending {
            Pending::Nothing => {}
            Pending::End => {
                self.pending = Pending::Close;
                return Ok(Token::End);
            }
            Pending::Close => {
                self.pending = Pending::Nothing;
                if let Some(closed) = self.open.pop() {
                    self.scopes.back_to(closed.around);
                }
            }
        }
        loop {
            self.at = self.next;
            let token = match self.byte(self.at) {
                Some(b'<') => self.markup()?,
                Some(b'&') => Some(self.reference()?),
                Some(_) => self.text()?,
                None => Some(self.end_of_text()?),
            };
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    /// What begins with `<`.
    fn markup(&mut self) -> Result<Option<Token<'t>>, Broken> {
        match self.byte(self.at.saturating_add(1)) {
            Some(b'/') => self.end_tag().map(Some),
            Some(b'!') => self.declared(),
            Some(b'?') => self.instruction().map(|()| None),
            _ => self.element().map(Some),
        }
    }

    fn element(&mut self) -> Result<Token<'t>, Broken> {
        if self.open.is_empty() && self.root_seen {
            return Err(Broken::not_well_formed(self.at, "one root element"));
        }
        self.root_seen = true;
        if self.open.len() >= self.limits.depth_max {
            return Err(Broken::bound(
                "xml_too_deep",
                self.at,
                self.limits.depth_max,
                "elements within each other",
            ));
        }
        let around = self.scopes.mark();
        if self.start_tag()? {
            self.pending = Pending::End;
        }
        self.open.push(Open { number: self.number, around });
        Ok(Token::Start)
    }

    fn end_tag(&mut self) -> Result<Token<'t>, Broken> {
        let Some(open) = self.open.last() else {
            return Err(Broken::not_well_formed(self.at, "an element ends behind its beginning"));
        };
        let name = self.names.name(open.number);
        let name_at = self.at.saturating_add(2);
        let rest = self.text.as_bytes().get(name_at..).unwrap_or_default();
        let fits = rest.starts_with(name.as_bytes());
        let behind = name_at.saturating_add(name.len());
        let mut ends = behind;
        if fits && self.byte(ends) != Some(b'>') {
            ends = ends.saturating_add(self.blanks(ends));
        }
        match self.byte(ends) {
            Some(b'>') if fits => {}
            None if fits => return Err(self.at_end("a tag ends with \">\"")),
            _ => return Err(Broken::not_well_formed(self.at, &format!("</{name}> is what ends here"))),
        }
        self.next = ends.saturating_add(1);
        self.pending = Pending::Close;
        Ok(Token::End)
    }

    /// Comments and CDATA; anything else that is declared is a document type or part of one.
    fn declared(&mut self) -> Result<Option<Token<'t>>, Broken> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("<!--") {
            let dashes = comment.find("--").ok_or_else(|| self.at_end("a comment ends with \"-->\""))?;
            let behind = self.at.saturating_add(dashes).saturating_add("<!----".len());
            if self.byte(behind) != Some(b'>') {
                return Err(Broken::not_well_formed(
                    behind.saturating_sub(2),
                    "\"--\" in a comment stands at its end only",
                ));
            }
            self.next = behind.saturating_add(1);
            return Ok(None);
        }
        if let Some(data) = rest.strip_prefix("<![CDATA[") {
            self.within_root()?;
            let len = data.find("]]>").ok_or_else(|| self.at_end("CDATA ends with \"]]>\""))?;
            self.next = self.at.saturating_add(len).saturating_add("<![CDATA[]]>".len());
            return Ok(Some(Token::Text(data.get(..len).unwrap_or_default())));
        }
        Err(Broken::document_type(self.at))
    }

    fn reference(&mut self) -> Result<Token<'t>, Broken> {
        self.within_root()?;
        let rest = self.text.get(self.at.saturating_add(1)..).unwrap_or_default();
        let ends = || Broken::not_well_formed(self.at, "a reference ends with \";\"");
        let (name, _) = rest.split_once(';').ok_or_else(ends)?;
        let character = reference(name).ok_or_else(|| unknown_reference(self.at, name))?;
        self.next = self.at.saturating_add(name.len()).saturating_add(2);
        Ok(Token::Character(character))
    }

    /// Text up to the next markup; none where it is white space outside the root.
    #[inline]
    fn text(&mut self) -> Result<Option<Token<'t>>, Broken> {
        let bytes = self.text.as_bytes();
        let mut end = self.at;
        loop {
            let rest = bytes.get(end..).unwrap_or_default();
            end = memchr::memchr3(b'<', b'&', b']', rest).map_or(bytes.len(), |len| end.saturating_add(len));
            match bytes.get(end..) {
                Some([b']', b']', b'>', ..]) => {
                    return Err(Broken::not_well_formed(end, "\"]]>\" is written \"]]&gt;\" in text"));
                }
                Some([b']', ..]) => end = end.saturating_add(1),
                _ => break,
            }
        }
        self.next = end;
        let piece = self.text.get(self.at..end).unwrap_or_default();
        if !self.open.is_empty() {
            return Ok(Some(Token::Text(piece)));
        }
        match piece.bytes().position(|byte| !is_blank(byte)) {
            None => Ok(None),
            Some(at) => Err(Broken::not_well_formed(
                self.at.saturating_add(at),
                "nothing but elements outside the root element",
            )),
        }
    }

    fn end_of_text(&self) -> Result<Token<'t>, Broken> {
        if !self.open.is_empty() {
            return Err(self.at_end("every element is closed"));
        }
        if !self.root_seen {
            return Err(self.at_end("a root element"));
        }
        Ok(Token::Eof)
    }

    fn within_root(&self) -> Result<(), Broken> {
        if self.open.is_empty() {
            Err(Broken::not_well_formed(self.at, "nothing but elements outside the root element"))
        } else {
            Ok(())
        }
    }

    /// `<?name …?>`, or the XML declaration, whose encoding was seen to before.
    fn instruction(&mut self) -> Result<(), Broken> {
        let rest = self.text.get(self.at.saturating_add(2)..).unwrap_or_default();
        let len = rest.find("?>").ok_or_else(|| self.at_end("a processing instruction ends with \"?>\""))?;
        let inner = rest.get(..len).unwrap_or_default();
        let end = self.at.saturating_add(len).saturating_add("<??>".len());
        let target = inner.split([' ', '\t', '\n', '\r']).next().unwrap_or_default();
        if target == "xml" {
            self.declaration(end)?;
        } else if !is_name(target, false) || target.eq_ignore_ascii_case("xml") {
            return Err(Broken::not_well_formed(
                self.at,
                "a processing instruction has a name other than xml",
            ));
        }
        self.next = end;
        Ok(())
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`
    fn declaration(&mut self, end: usize) -> Result<(), Broken> {
        if self.at != 0 {
            return Err(Broken::not_well_formed(self.at, "the XML declaration stands at the very beginning"));
        }
        let wrong = || Broken::not_well_formed(0, "an XML declaration of version 1.0");
        let inner_end = end.saturating_sub("?>".len());
        self.next = "<?xml".len();
        let mut allowed = ["version", "encoding", "standalone"].iter();
        let mut versioned = false;
        loop {
            let blanks = self.blanks(self.next);
            let here = self.next.saturating_add(blanks);
            if here >= inner_end {
                break;
            }
            if blanks == 0 {
                return Err(wrong());
            }
            self.next = here;
            let attribute = self.attribute().map_err(|_| wrong())?;
            let in_order = self.next <= inner_end && allowed.any(|name| *name == attribute.written);
            versioned |= attribute.written == "version" && attribute.value.starts_with("1.");
            if !in_order || !versioned {
                return Err(wrong());
            }
        }
        if versioned { Ok(()) } else { Err(wrong()) }
    }

    // ---- what all of them use ----

    pub(crate) fn count_nodes(&mut self, attributes: usize) -> Result<(), Broken> {
        self.nodes = self.nodes.saturating_add(attributes).saturating_add(1);
        if self.nodes > self.limits.nodes_max {
            let max = self.limits.nodes_max;
            return Err(Broken::bound("xml_too_many_nodes", self.at, max, "elements and attributes"));
        }
        Ok(())
    }

    /// Something is missing where the text ends.
    pub(crate) fn at_end(&self, rule: &str) -> Broken {
        Broken::not_well_formed(self.text.len(), rule)
    }

    #[inline]
    pub(crate) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// How many blanks stand at a place.
    #[inline]
    pub(crate) fn blanks(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        rest.iter().position(|byte| !is_blank(*byte)).unwrap_or(rest.len())
    }

    /// What stands from a place up to a byte that ends it.
    #[inline]
    pub(crate) fn piece_until(&self, at: usize, ends: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let len = rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
        self.text.get(at..at.saturating_add(len)).unwrap_or_default()
    }
}
