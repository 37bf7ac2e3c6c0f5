//! Patterns of XML Schema (part 2, appendix F): their dialect is translated to that of `regex`, or to a count of
//! characters of one kind where a pattern says no more than that.
//!
//! What differs: a pattern always means the whole value, `^` and `$` are ordinary characters, `.` is anything but the
//! ends of lines, `\i` and `\c` are the characters of XML names, `\w` is what is neither punctuation nor separator
//! nor control, `\p{Is…}` are blocks, and `[a-z-[aeiou]]` subtracts.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

use crate::blocks::block;
use crate::error::Fault;

/// Characters of one pattern.
const PATTERN_CHARACTERS_MAX: usize = 4_096;
/// Groups and classes within each other.
const DEPTH_MAX: usize = 32;
/// Bytes of a compiled pattern.
const COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Characters that start an XML name, and those that may follow (XML 1.0, 5th edition, productions 4 and 4a), in the
/// form of a class.
const NAME_START: &str = r"A-Z:_a-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}-\x{200D}\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}";
const NAME_MORE: &str = r"\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}-\x{2040}";

/// Properties that `\p{}` may name.
const PROPERTIES: &[&str] = &[
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp", "S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn",
];

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As the schema states it.
    pub(crate) source: Box<str>,
    matcher: Matcher,
}

#[derive(Debug)]
enum Matcher {
    /// So many characters, each of one kind.
    Run {
        kind: Kind,
        min: usize,
        max: Option<usize>,
    },
    Regex(Regex),
}

/// A kind of character that is told without tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Anything but the ends of lines.
    Any,
    /// These characters of ASCII, one bit each.
    Ascii(u128),
}

impl Kind {
    fn has(self, character: char) -> bool {
        match self {
            Self::Any => !matches!(character, '\n' | '\r'),
            Self::Ascii(set) => {
                let code = u32::from(character);
                code < 128 && set & (1_u128 << code) != 0
            }
        }
    }
}

impl Pattern {
    pub(crate) fn compile(source: &str) -> Result<Self, (Fault, String)> {
        if source.chars().count() > PATTERN_CHARACTERS_MAX {
            return Err((
                Fault::PatternTooLarge,
                format!("a pattern may have {PATTERN_CHARACTERS_MAX} characters"),
            ));
        }
        let mut translator = Translator::new(source);
        translator.expression(0)?;
        if let Some(character) = translator.peek() {
            return Err(translator.wrong(format!("\"{character}\" closes nothing")));
        }
        let matcher = match translator.run() {
            Some((kind, (min, max))) => Matcher::Run { kind, min, max },
            None => Matcher::Regex(
                RegexBuilder::new(&format!("^(?:{})$", translator.out))
                    .size_limit(COMPILED_BYTES_MAX)
                    .build()
                    .map_err(|error| match error {
                        regex::Error::CompiledTooBig(_) => {
                            (Fault::PatternTooLarge, format!("the pattern {source} is too large"))
                        }
                        other => (Fault::PatternInvalid, format!("the pattern {source}: {other}")),
                    })?,
            ),
        };
        Ok(Self { source: source.into(), matcher })
    }

    /// Is it the whole value?
    pub(crate) fn matches(&self, value: &str) -> bool {
        match &self.matcher {
            Matcher::Regex(regex) => regex.is_match(value),
            Matcher::Run { kind, min, max } => {
                let mut count = 0_usize;
                for character in value.chars() {
                    count = count.saturating_add(1);
                    if !kind.has(character) {
                        return false;
                    }
                }
                count >= *min && max.is_none_or(|max| count <= max)
            }
        }
    }
}

type Outcome<T> = Result<T, (Fault, String)>;
/// At least and at most; `None` has no upper end.
type Count = (usize, Option<usize>);

struct Translator<'p> {
    source: &'p str,
    rest: std::iter::Peekable<std::str::Chars<'p>>,
    out: String,
    pieces: usize,
    /// The only piece so far, where it is a kind of character and a count.
    only: Option<(Kind, Count)>,
}

impl<'p> Translator<'p> {
    fn new(source: &'p str) -> Self {
        Self { source, rest: source.chars().peekable(), out: String::new(), pieces: 0, only: None }
    }

    fn run(&self) -> Option<(Kind, Count)> {
        if self.pieces == 1 { self.only } else { None }
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn wrong(&self, why: impl AsRef<str>) -> (Fault, String) {
        (Fault::PatternInvalid, format!("the pattern {}: {}", self.source, why.as_ref()))
    }

    fn next(&mut self) -> Outcome<char> {
        self.rest.next().ok_or_else(|| self.wrong("it ends too early"))
    }

    /// Branches between `|`.
    fn expression(&mut self, depth: usize) -> Outcome<()> {
        if depth > DEPTH_MAX {
            return Err((Fault::PatternTooLarge, format!("groups may stand {DEPTH_MAX} within each other")));
        }
        loop {
            match self.peek() {
                None | Some(')') => return Ok(()),
                Some('|') => {
                    self.next()?;
                    self.pieces = self.pieces.saturating_add(1);
                    self.out.push('|');
                }
                Some(_) => self.piece(depth)?,
            }
        }
    }

    /// An atom and how often it stands.
    fn piece(&mut self, depth: usize) -> Outcome<()> {
        self.pieces = self.pieces.saturating_add(1);
        let kind = match self.next()? {
            '.' => {
                self.out.push_str(r"[^\n\r]");
                Some(Kind::Any)
            }
            '(' => {
                self.out.push_str("(?:");
                self.expression(depth.saturating_add(1))?;
                if self.next()? != ')' {
                    return Err(self.wrong("a group is not closed"));
                }
                self.out.push(')');
                None
            }
            '[' => {
                let class = self.class(depth)?;
                self.out.push_str(&class.text);
                class.ascii.map(Kind::Ascii)
            }
            '\\' => {
                let (text, _) = self.escape()?;
                self.out.push_str(&format!("[{text}]"));
                None
            }
            character @ ('?' | '*' | '+' | ')' | '{' | '}' | ']') => {
                return Err(self.wrong(format!("\"{character}\" has nothing before it")));
            }
            character => {
                self.out.push_str(&literal(character));
                None
            }
        };
        let count = self.count()?;
        self.only = kind.map(|kind| (kind, count));
        Ok(())
    }

    fn count(&mut self) -> Outcome<Count> {
        let (sign, count) = match self.peek() {
            Some('?') => ("?", (0, Some(1))),
            Some('*') => ("*", (0, None)),
            Some('+') => ("+", (1, None)),
            Some('{') => {
                self.next()?;
                return self.braces();
            }
            _ => return Ok((1, Some(1))),
        };
        self.next()?;
        self.out.push_str(sign);
        Ok(count)
    }

    fn braces(&mut self) -> Outcome<Count> {
        let min = self.number()?.ok_or_else(|| self.wrong("a number belongs behind \"{\""))?;
        let max = match self.next()? {
            '}' => Some(min),
            ',' => {
                let max = self.number()?;
                if self.next()? != '}' {
                    return Err(self.wrong("\"{\" is not closed"));
                }
                max
            }
            other => return Err(self.wrong(format!("\"{other}\" is no number of repetitions"))),
        };
        if max.is_some_and(|max| max < min) {
            return Err(self.wrong("at most is less than at least"));
        }
        let _ = match max {
            Some(max) => write!(self.out, "{{{min},{max}}}"),
            None => write!(self.out, "{{{min},}}"),
        };
        Ok((min, max))
    }

    fn number(&mut self) -> Outcome<Option<usize>> {
        let mut number: Option<usize> = None;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            self.next()?;
            let digit = usize::try_from(digit).unwrap_or(0);
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
            if number > Some(100_000) {
                return Err((
                    Fault::PatternTooLarge,
                    format!("the pattern {} repeats too often", self.source),
                ));
            }
        }
        Ok(number)
    }

    /// What follows a backslash, as it stands within a class; and the character, where it is a single one.
    fn escape(&mut self) -> Outcome<(String, Option<char>)> {
        let one = |character: char| Ok((literal(character), Some(character)));
        match self.next()? {
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            character @ ('\\' | '|' | '.' | '?' | '*' | '+' | '(' | ')' | '{' | '}' | '-' | '[' | ']'
            | '^') => one(character),
            's' => Ok((r"\x20\t\n\r".to_owned(), None)),
            'S' => Ok((r"[^\x20\t\n\r]".to_owned(), None)),
            'd' => Ok((r"\p{Nd}".to_owned(), None)),
            'D' => Ok((r"\P{Nd}".to_owned(), None)),
            'w' => Ok((r"[^\p{P}\p{Z}\p{C}]".to_owned(), None)),
            'W' => Ok((r"\p{P}\p{Z}\p{C}".to_owned(), None)),
            'i' => Ok((NAME_START.to_owned(), None)),
            'I' => Ok((format!("[^{NAME_START}]"), None)),
            'c' => Ok((format!("{NAME_START}{NAME_MORE}"), None)),
            'C' => Ok((format!("[^{NAME_START}{NAME_MORE}]"), None)),
            'p' => Ok((self.property(false)?, None)),
            'P' => Ok((self.property(true)?, None)),
            other => Err(self.wrong(format!("\"\\{other}\" is no escape"))),
        }
    }

    fn property(&mut self, negated: bool) -> Outcome<String> {
        if self.next()? != '{' {
            return Err(self.wrong("a property stands between braces"));
        }
        let mut name = String::new();
        loop {
            match self.next()? {
                '}' => break,
                character => name.push(character),
            }
        }
        if let Some(named) = name.strip_prefix("Is") {
            let (first, last) =
                block(named).ok_or_else(|| self.wrong(format!("there is no block {named}")))?;
            let sign = if negated { "^" } else { "" };
            return Ok(format!(r"[{sign}\x{{{first:X}}}-\x{{{last:X}}}]"));
        }
        if !PROPERTIES.contains(&name.as_str()) {
            return Err(self.wrong(format!("there is no property {name}")));
        }
        Ok(format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }))
    }

    /// A class whose `[` has been read.
    fn class(&mut self, depth: usize) -> Outcome<Class> {
        if depth > DEPTH_MAX {
            return Err((Fault::PatternTooLarge, format!("classes may stand {DEPTH_MAX} within each other")));
        }
        let negated = self.peek() == Some('^');
        if negated {
            self.next()?;
        }
        let mut class = Class { text: String::new(), ascii: (!negated).then_some(0) };
        let mut members = 0_usize;
        loop {
            match self.next()? {
                ']' if members > 0 => break,
                '-' if self.peek() == Some('[') => {
                    self.next()?;
                    let without = self.class(depth.saturating_add(1))?;
                    if self.next()? != ']' {
                        return Err(self.wrong("a subtraction stands at the end of its class"));
                    }
                    let sign = if negated { "^" } else { "" };
                    let text = format!("[[{sign}{}]--{}]", class.text, without.text);
                    return Ok(Class { text, ascii: None });
                }
                ch => self.member(ch, &mut class)?,
            }
            members = members.saturating_add(1);
        }
        let sign = if negated { "^" } else { "" };
        class.text = format!("[{sign}{}]", class.text);
        Ok(class)
    }

    /// A character, a range or an escape within a class.
    fn member(&mut self, first: char, class: &mut Class) -> Outcome<()> {
        let first = match first {
            '[' | ']' => return Err(self.wrong(format!("\"{first}\" within a class needs a backslash"))),
            '\\' => match self.escape()? {
                (_, Some(character)) => character,
                (text, None) => {
                    class.text.push_str(&text);
                    class.ascii = None;
                    return Ok(());
                }
            },
            character => character,
        };
        let mut ahead = self.rest.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(after)) if !matches!(after, ']' | '[') => {
                self.next()?;
                match self.next()? {
                    '\\' => {
                        self.escape()?.1.ok_or_else(|| self.wrong("a range ends with a single character"))?
                    }
                    character => character,
                }
            }
            _ => first,
        };
        if last < first {
            return Err(self.wrong(format!("the range {first}-{last} goes backwards")));
        }
        let _ = write!(class.text, "{}-{}", literal(first), literal(last));
        class.ascii = class.ascii.and_then(|set| with_range(set, first, last));
        Ok(())
    }
}

/// A class as text, and as characters of ASCII where it has no others.
struct Class {
    text: String,
    ascii: Option<u128>,
}

fn with_range(set: u128, first: char, last: char) -> Option<u128> {
    if !last.is_ascii() {
        return None;
    }
    Some((u32::from(first)..=u32::from(last)).fold(set, |set, code| set | (1_u128 << code)))
}

/// A character that stands for itself, wherever it is.
fn literal(character: char) -> String {
    if character.is_ascii_alphanumeric() {
        character.to_string()
    } else {
        format!(r"\x{{{:X}}}", u32::from(character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_the_standard_says() {
        let check = |pattern: &str, yes: &[&str], no: &[&str]| {
            let compiled = Pattern::compile(pattern).unwrap();
            for value in yes {
                assert!(compiled.matches(value), "{pattern} {value:?}");
            }
            for value in no {
                assert!(!compiled.matches(value), "{pattern} {value:?}");
            }
        };
        check("[0-9]{1,3}", &["1", "123"], &["", "1234", "a", "٣", "1\n"]);
        check(".{1,3}", &["a", "äöü"], &["", "abcd", "a\nb"]);
        check(".", &["x"], &["", "\r", "xy"]);
        check("[A-Z]{2}", &["AB"], &["A", "Ab", "ABC"]);
        check("([0-9])*", &["", "07"], &["x"]);
        check(".*[^\\s].*", &["a", " a "], &["", "  ", "\t\n"]);
        check("\\P{Z}(.*\\P{Z})?", &["a", "a b"], &["", " a", "a "]);
        check("\\p{IsBasicLatin}+", &["abc"], &["", "ä"]);
        check("(20\\d{6})(\\d{6}(Z|[-+]\\d\\d))?", &["20230612", "20230612162728+01"], &["20230612162728"]);
        check("[a-z-[aeiou]]+", &["xyz"], &["a", "xay"]);
        check("[^a-c-[x]]", &["d"], &["a", "x"]);
        check("^a$", &["^a$"], &["a"]);
        check("a|b|", &["a", "b", ""], &["ab"]);
        check("[0][1|3]", &["01", "0|"], &["02"]);
        check("\\i\\c*", &["a1", "_x:y"], &["1a", "-"]);
        check("[+-]?\\d", &["+1", "-1", "1"], &["*1"]);
        check("\\w", &["a", "+"], &["-", " "]);
        check("[\\w-]+", &["a-b"], &["a b"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            "[Z|[-+]",
            "(",
            ")",
            "a**",
            "a{2,1}",
            "[b-a]",
            "\\q",
            "\\p{Xx}",
            "\\p{IsNowhere}",
            "[]",
            "{",
            "a{,3}",
            "[a",
        ] {
            assert_eq!(
                Pattern::compile(pattern).err().map(|(fault, _)| fault),
                Some(Fault::PatternInvalid),
                "{pattern}"
            );
        }
    }
}
