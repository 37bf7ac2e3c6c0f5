//! JSON text (RFC 8259) to values that keep what was written: numbers as their digits, members in their order,
//! repeated members too. Bounded before it costs anything.

use std::borrow::Cow;

use spine::Finding;

use crate::xml::place_at;

/// Values within each other; a declaration needs 7.
const DEPTH_MAX: usize = 16;
/// Members of one object; the largest class has 19.
const MEMBERS_MAX: usize = 64;
/// Values of the whole text; a declaration of 999 full items needs some 100,000.
const VALUES_MAX: usize = 500_000;

/// One value. Text and digits are borrowed from the bytes wherever nothing is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json<'a> {
    Null,
    Boolean(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl Json<'_> {
    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads one value and nothing after it. The finding says what is in the way, and where.
pub(super) fn parse(bytes: &[u8]) -> Result<Json<'_>, Finding> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let before = std::str::from_utf8(before).unwrap_or_default();
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        Finding::error("json_encoding_broken")
            .at(place_at(before, before.len()))
            .found(&format!("byte 0x{byte:02X}"))
            .expected("text in UTF-8")
            .fix("Write JSON as UTF-8; no other encoding is allowed for it (RFC 8259, 8.1).")
    })?;
    let mut parser = Parser { text, at: 0, values: 0 };
    let value = parser.value(0).and_then(|value| {
        parser.skip_blanks();
        if parser.at < text.len() { Err(Trouble::Expected("nothing after the value")) } else { Ok(value) }
    });
    value.map_err(|trouble| parser.finding(trouble))
}

/// Why the text cannot be read at the parser's place.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Expected(&'static str),
    Depth,
    Members,
    Values,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Parser<'a> {
    fn finding(&self, trouble: Trouble) -> Finding {
        let place = place_at(self.text, self.at);
        let bound = |code: &str, expected: String| {
            Finding::error(code)
                .at(place.clone())
                .expected(expected)
                .fix("Check the program that wrote this.")
        };
        match trouble {
            Trouble::Depth => bound("json_too_deep", format!("at most {DEPTH_MAX} values within each other")),
            Trouble::Members => {
                bound("json_too_many_members", format!("at most {MEMBERS_MAX} members of an object"))
            }
            Trouble::Values => bound("json_too_many_values", format!("at most {VALUES_MAX} values")),
            Trouble::Expected(expected) => {
                let rest: String = self.text.get(self.at..).unwrap_or_default().chars().take(40).collect();
                let found = if rest.is_empty() { "the end of the text" } else { &rest };
                Finding::error("json_not_well_formed")
                    .at(place)
                    .found(found)
                    .expected(expected)
                    .fix("Correct the place; a program that writes JSON never produces this.")
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step();
        }
    }

    /// Takes `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let comes = self.peek() == Some(byte);
        if comes {
            self.step();
        }
        comes
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Trouble> {
        self.values = self.values.saturating_add(1);
        if self.values > VALUES_MAX {
            return Err(Trouble::Values);
        }
        self.skip_blanks();
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => Err(Trouble::Depth),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json<'a>, Trouble> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let words = [("null", Json::Null), ("true", Json::Boolean(true)), ("false", Json::Boolean(false))];
        for (word, value) in words {
            if rest.starts_with(word) {
                self.at = self.at.saturating_add(word.len());
                return Ok(value);
            }
        }
        Err(Trouble::Expected("a value: {, [, a text in double quotes, a number, true, false or null"))
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Trouble> {
        self.step();
        let mut members = Vec::new();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(Trouble::Expected("the name of a member in double quotes"));
            }
            if members.len() >= MEMBERS_MAX {
                return Err(Trouble::Members);
            }
            let name = self.string()?;
            self.skip_blanks();
            if !self.take(b':') {
                return Err(Trouble::Expected("a colon after the name of the member"));
            }
            members.push((name, self.value(depth.saturating_add(1))?));
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err(Trouble::Expected("a comma and the next member, or } at the end of the object"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, Trouble> {
        self.step();
        let mut values = Vec::new();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth.saturating_add(1))?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Json::List(values));
            }
            if !self.take(b',') {
                return Err(Trouble::Expected("a comma and the next value, or ] at the end of the list"));
            }
        }
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.step();
        }
        self.at.saturating_sub(from)
    }

    fn number(&mut self) -> Result<Json<'a>, Trouble> {
        const DIGIT: Trouble = Trouble::Expected("a digit");
        let from = self.at;
        self.take(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 {
            return Err(DIGIT);
        }
        if leading_zero && whole > 1 {
            self.at = from;
            return Err(Trouble::Expected("a number without leading zeros; a code goes into double quotes"));
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(DIGIT);
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.step();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.step();
            }
            if self.digits() == 0 {
                return Err(DIGIT);
            }
        }
        Ok(Json::Number(self.text.get(from..self.at).unwrap_or_default()))
    }

    /// A text from its opening quote to behind its closing quote.
    fn string(&mut self) -> Result<Cow<'a, str>, Trouble> {
        self.step();
        let from = self.at;
        let mut owned: Option<String> = None;
        let mut plain_from = from;
        loop {
            let plain = self.text.get(plain_from..self.at);
            match self.peek() {
                Some(b'"') => {
                    self.step();
                    let plain = plain.unwrap_or_default();
                    return Ok(match owned {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(plain.unwrap_or_default());
                    text.push(self.escape()?);
                    plain_from = self.at;
                }
                Some(0..=0x1F) => {
                    return Err(Trouble::Expected("a text without bare control characters; escape them"));
                }
                Some(_) => self.step(),
                None => return Err(Trouble::Expected("a double quote at the end of the text")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Trouble> {
        const ESCAPE: Trouble =
            Trouble::Expected("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
        self.step();
        let letter = self.peek().ok_or(ESCAPE)?;
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.step();
                return self.escaped_unicode();
            }
            _ => return Err(ESCAPE),
        };
        self.step();
        Ok(character)
    }

    /// Four hexadecimal digits, or two times four with `\u` between them for what lies beyond 16 bits.
    fn escaped_unicode(&mut self) -> Result<char, Trouble> {
        const HALF: Trouble = Trouble::Expected("both halves of a surrogate pair, or a whole character");
        let first = self.four_hexadecimal()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if !(self.take(b'\\') && self.take(b'u')) {
            return Err(HALF);
        }
        let second = self.four_hexadecimal()?;
        let pair = u16::try_from(first).ok().zip(u16::try_from(second).ok()).ok_or(HALF)?;
        char::decode_utf16([pair.0, pair.1]).next().and_then(Result::ok).ok_or(HALF)
    }

    fn four_hexadecimal(&mut self) -> Result<u32, Trouble> {
        let digits = self.text.get(self.at..self.at.saturating_add(4));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at = self.at.saturating_add(if number.is_some() { 4 } else { 0 });
        number.ok_or(Trouble::Expected("four hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_texts_are_kept_as_written() {
        let text =
            r#" {"a": [1.10, -0, 12345678901234567890.123, 1e5], "a": null, "ü\u00fc\ud83d\ude00\n": true} "#;
        let Ok(Json::Object(members)) = parse(text.as_bytes()) else { panic!("an object") };
        let numbers = ["1.10", "-0", "12345678901234567890.123", "1e5"].map(Json::Number);
        assert_eq!(members[0], ("a".into(), Json::List(numbers.into())));
        assert_eq!(members[1], ("a".into(), Json::Null));
        assert_eq!(members[2], ("üü😀\n".into(), Json::Boolean(true)));
    }

    /// Text | code | place
    const REFUSED: [(&str, &str, &str); 18] = [
        ("", "json_not_well_formed", "line[1]/column[1]"),
        ("{", "json_not_well_formed", "line[1]/column[2]"),
        ("{\"a\"}", "json_not_well_formed", "line[1]/column[5]"),
        ("{\"a\":1,}", "json_not_well_formed", "line[1]/column[8]"),
        ("{a:1}", "json_not_well_formed", "line[1]/column[2]"),
        ("[1 2]", "json_not_well_formed", "line[1]/column[4]"),
        ("[1,\n 2,]", "json_not_well_formed", "line[2]/column[4]"),
        ("0123", "json_not_well_formed", "line[1]/column[1]"),
        ("1.", "json_not_well_formed", "line[1]/column[3]"),
        ("-", "json_not_well_formed", "line[1]/column[2]"),
        ("1e+", "json_not_well_formed", "line[1]/column[4]"),
        ("NaN", "json_not_well_formed", "line[1]/column[1]"),
        ("\"a", "json_not_well_formed", "line[1]/column[3]"),
        ("\"\\x\"", "json_not_well_formed", "line[1]/column[3]"),
        ("\"\\ud800\"", "json_not_well_formed", "line[1]/column[8]"),
        ("\"\\u12\"", "json_not_well_formed", "line[1]/column[4]"),
        ("\"a\tb\"", "json_not_well_formed", "line[1]/column[3]"),
        ("{} {}", "json_not_well_formed", "line[1]/column[4]"),
    ];

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, code, place) in REFUSED {
            let finding = parse(text.as_bytes()).unwrap_err();
            assert_eq!(
                (finding.code.as_str(), finding.pointer.0.as_str()),
                (code, place),
                "{text}: {finding}"
            );
            assert!(!finding.expected.is_empty() && !finding.how_to_fix.is_empty(), "{text}");
        }
        let broken = parse(b"{\"a\": \"Z\xFCrich\"}").unwrap_err();
        assert_eq!(
            (broken.code.as_str(), broken.pointer.0.as_str()),
            ("json_encoding_broken", "line[1]/column[9]")
        );
    }

    #[test]
    fn what_would_cost_more_than_its_bytes_is_refused() {
        let members: Vec<String> = (0..65).map(|number| format!("\"m{number}\":0")).collect();
        for (code, text) in [
            ("json_too_deep", "[".repeat(1_000_000)),
            ("json_too_many_members", format!("{{{}}}", members.join(","))),
            ("json_too_many_values", format!("[{}0]", "0,".repeat(VALUES_MAX))),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().code, code);
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_being_written_and_read(text in "\\PC{0,20}|[\\x00-\\x20\"\\\\/]{0,8}") {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(parse(written.as_bytes()).unwrap(), Json::Text(text.into()));
        }

        #[test]
        fn it_accepts_what_another_reader_accepts(
            text in "([\\[\\]{},:]|\"a\"|\"\\\\n\"|0|-1|1\\.5|2e3|true|null| ){0,12}",
        ) {
            let other = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert_eq!(parse(text.as_bytes()).is_ok(), other.is_ok(), "{}", text);
        }
    }
}
