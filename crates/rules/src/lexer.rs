//! Source text to tokens.

use rust_decimal::Decimal;

use crate::error::{RuleError, Span};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    Number(Decimal),
    Text(String),
    /// A name; `quoted` if it stood in backticks, so that it is never a keyword.
    Name {
        name: String,
        quoted: bool,
    },
    Symbol(&'static str),
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// Longer ones first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 21] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ",", ".", "?", ":", "!", "-", "+", "*", "/", "%",
    "<",
];

/// Longest source of a rule.
pub(crate) const SOURCE_BYTES_MAX: usize = 16 * 1024;

/// All tokens; the last one is always [`TokenKind::End`].
pub(crate) fn tokens(source: &str) -> Result<Vec<Token>, RuleError> {
    if source.len() > SOURCE_BYTES_MAX {
        let message = format!("the rule has {} bytes; at most {SOURCE_BYTES_MAX} are read", source.len());
        return Err(RuleError::new("rule_too_long", Span { start: 0, end: 0 }, message)
            .help("put long enumerations into a named list, and split the rule"));
    }
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let end = token.kind == TokenKind::End;
        tokens.push(token);
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at = self.at.saturating_add(next.len_utf8());
        Some(next)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }

    fn span_from(&self, start: usize) -> Span {
        Span { start, end: self.at }
    }

    /// Skips white space and comments, which run from `//` to the end of the line as in CEL.
    fn skip_blank(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, RuleError> {
        self.skip_blank();
        let start = self.at;
        let Some(first) = self.peek() else {
            return Ok(Token { kind: TokenKind::End, span: self.span_from(start) });
        };
        let kind = match first {
            '0'..='9' => self.number()?,
            '"' | '\'' => self.text(false)?,
            'r' | 'R' if self.rest().get(1..).is_some_and(|rest| rest.starts_with(['"', '\''])) => {
                self.take();
                self.text(true)?
            }
            '`' => self.quoted_name()?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned();
                TokenKind::Name { name, quoted: false }
            }
            _ => self.symbol(first)?,
        };
        Ok(Token { kind, span: self.span_from(start) })
    }

    fn symbol(&mut self, first: char) -> Result<TokenKind, RuleError> {
        let rest = self.rest();
        let known = SYMBOLS.iter().copied().chain([">"]).find(|symbol| rest.starts_with(symbol));
        if let Some(symbol) = known {
            self.at = self.at.saturating_add(symbol.len());
            return Ok(TokenKind::Symbol(symbol));
        }
        let start = self.at;
        self.take();
        let error = RuleError::new(
            "unexpected_character",
            self.span_from(start),
            format!("`{first}` has no meaning here"),
        );
        Err(match first {
            '=' => error.help("equality is written =="),
            '&' => error.help("\"and\" is written &&"),
            '|' => error.help("\"or\" is written ||"),
            '“' | '”' | '„' | '‘' | '’' | '«' | '»' => {
                error.help("texts stand between plain quotation marks: \"text\"")
            }
            '≤' => error.help("write <="),
            '≥' => error.help("write >="),
            '≠' => error.help("write !="),
            '（' | '）' | '，' | '＝' | '＜' | '＞' | '＆' | '｜' | '！' | '。' | '［' | '］' | '＋'
            | '＊' | '％' => error.help("write it in its narrow (half-width) form"),
            c if c.is_alphabetic() => {
                error.help("names are written in the letters a to z; other names stand in backticks: `name`")
            }
            _ => error,
        })
    }

    /// Digits, and optionally a decimal point with digits, and an exponent.
    fn number(&mut self) -> Result<TokenKind, RuleError> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        if self.rest().starts_with('.')
            && self.rest().get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            self.take();
            self.take_while(|c| c.is_ascii_digit());
        }
        let exponent =
            self.rest().strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        let scientific = exponent.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if scientific {
            self.take();
            self.take_while(|c| matches!(c, '+' | '-'));
            self.take_while(|c| c.is_ascii_digit());
        }
        let digits = self.span_from(start).of(self.source);
        let trailing = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if !trailing.is_empty() {
            let message = format!("`{digits}{trailing}` is not a number");
            let help = match trailing {
                "u" | "U" => "there is one kind of number, the exact decimal: leave out the u",
                _ => "a name cannot begin with a digit, a unit is not written, and codes are texts: \"0101\"",
            };
            return Err(RuleError::new("number_malformed", self.span_from(start), message).help(help));
        }
        let number =
            if scientific { Decimal::from_scientific(digits) } else { Decimal::from_str_exact(digits) };
        number.map(TokenKind::Number).map_err(|_| {
            RuleError::new(
                "number_too_large",
                self.span_from(start),
                format!("`{digits}` has more digits than a number can hold"),
            )
            .help("numbers have at most 28 digits; a long code is a text: \"123...\"")
        })
    }

    fn quoted_name(&mut self) -> Result<TokenKind, RuleError> {
        let start = self.at;
        self.take();
        let name = self.take_while(|c| c != '`' && !c.is_control()).to_owned();
        if self.take() != Some('`') || name.is_empty() {
            return Err(RuleError::new(
                "name_malformed",
                self.span_from(start),
                "a name in backticks is empty or does not end",
            )
            .help("write `name`"));
        }
        Ok(TokenKind::Name { name, quoted: true })
    }

    /// A text in single, double or triple quotes; in a raw one a backslash is a backslash.
    fn text(&mut self, raw: bool) -> Result<TokenKind, RuleError> {
        let start = self.at;
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| self.rest().starts_with(quote))
            .unwrap_or("\"");
        self.at = self.at.saturating_add(quote.len());
        let mut text = String::new();
        loop {
            if self.rest().starts_with(quote) {
                self.at = self.at.saturating_add(quote.len());
                return Ok(TokenKind::Text(text));
            }
            let at = self.at;
            match self.take() {
                Some('\\') if !raw => text.push(self.escape(at)?),
                Some('\n') if quote.len() == 1 => {
                    return Err(RuleError::new(
                        "text_not_ended",
                        Span { start, end: at },
                        "the text does not end on its line",
                    )
                    .help(format!("close it with {quote}, or write \\n for a line break")));
                }
                Some(other) => text.push(other),
                None => {
                    return Err(RuleError::new(
                        "text_not_ended",
                        Span { start, end: at },
                        "the text does not end",
                    )
                    .help(format!("close it with {quote}")));
                }
            }
        }
    }

    /// The character behind a backslash, as in CEL.
    fn escape(&mut self, start: usize) -> Result<char, RuleError> {
        let plain = match self.take() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('v') => Some('\u{b}'),
            Some(same @ ('\\' | '"' | '\'' | '`' | '?')) => Some(same),
            Some('x' | 'X') => self.code_point(2, 16),
            Some('u') => self.code_point(4, 16),
            Some('U') => self.code_point(8, 16),
            Some(digit @ '0'..='3') => {
                self.at = self.at.saturating_sub(digit.len_utf8());
                self.code_point(3, 8)
            }
            _ => None,
        };
        plain.ok_or_else(|| {
            RuleError::new("escape_unknown", self.span_from(start), "this backslash sequence has no meaning")
                .help("a backslash itself is written \\\\; in r\"...\" backslashes are themselves, which suits patterns")
        })
    }

    fn code_point(&mut self, digits: usize, radix: u32) -> Option<char> {
        let text = self.rest().get(..digits).filter(|text| text.chars().all(|c| c.is_digit(radix)))?;
        self.at = self.at.saturating_add(digits);
        char::from_u32(u32::from_str_radix(text, radix).ok()?)
    }
}
