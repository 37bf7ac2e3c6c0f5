//! Tokens to parts, by operator precedence (Pratt), in bounded depth.

use crate::ast::{Call, Expression, Form, KEYWORDS, Operator, Part, level, too_deep};
use crate::error::{RuleError, Span};
use crate::lexer::{Token, TokenKind, tokens};

/// Parts below each other at most.
pub(crate) const DEPTH_MAX: usize = 64;

/// Parts of a rule at most.
pub(crate) const PARTS_MAX: usize = 2_000;

/// Parses a rule. What it means is checked when it is compiled for entries or for documents.
pub fn parse(source: &str) -> Result<Expression, RuleError> {
    let mut parser = Parser { source, tokens: tokens(source)?, at: 0, depth: 0, parts: 0 };
    let root = parser.expression()?;
    parser.end()?;
    Ok(Expression { source: source.to_owned(), root })
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    parts: usize,
}

impl Parser<'_> {
    fn kind(&self) -> &TokenKind {
        self.tokens.get(self.at).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn span(&self) -> Span {
        let end = Span { start: self.source.len(), end: self.source.len() };
        self.tokens.get(self.at).map_or(end, |token| token.span)
    }

    /// The span of the token before.
    fn last_span(&self) -> Span {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(Span::default(), |token| token.span)
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.kind(), TokenKind::Symbol(own) if *own == symbol)
    }

    fn takes(&mut self, symbol: &str) -> bool {
        let is = self.is(symbol);
        if is {
            self.advance();
        }
        is
    }

    fn part(&mut self, form: Form, span: Span) -> Result<Part, RuleError> {
        self.parts = self.parts.saturating_add(1);
        if self.parts > PARTS_MAX {
            return Err(RuleError::new(
                "rule_too_large",
                span,
                format!("the rule has more than {PARTS_MAX} parts"),
            )
            .help("put long enumerations into a named list, and split the rule"));
        }
        Part::new(form, span)
    }

    /// Runs `inner` one level deeper.
    fn deeper(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Part, RuleError>,
    ) -> Result<Part, RuleError> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.span()));
        }
        self.depth = self.depth.saturating_add(1);
        let part = inner(self);
        self.depth = self.depth.saturating_sub(1);
        part
    }

    fn expression(&mut self) -> Result<Part, RuleError> {
        self.deeper(|parser| {
            let condition = parser.operation(level::OR)?;
            if !parser.takes("?") {
                return Ok(condition);
            }
            let yes = parser.operation(level::OR)?;
            if !parser.takes(":") {
                return Err(parser.unexpected("`:` and the answer for when the condition is false"));
            }
            let no = parser.expression()?;
            let span = condition.span.to(no.span);
            parser.part(Form::Conditional(Box::new([condition, yes, no])), span)
        })
    }

    fn operator(&self) -> Option<Operator> {
        let symbol = match self.kind() {
            TokenKind::Symbol(symbol) => symbol,
            TokenKind::Name { name, quoted: false } if name == "in" => "in",
            _ => return None,
        };
        Operator::ALL.into_iter().find(|operator| operator.symbol() == symbol)
    }

    /// A chain of operators that bind at least as tightly as `least`.
    fn operation(&mut self, least: u8) -> Result<Part, RuleError> {
        let mut left = self.unary()?;
        let mut last = None;
        while let Some(operator) = self.operator().filter(|operator| operator.level() >= least) {
            self.advance();
            let right = self.operation(operator.level() + 1)?;
            let span = left.span.to(right.span);
            // A chain of && or of || is one part with many, as people read it; brackets keep their own.
            let chained = last == Some(operator);
            let form = match (operator, left.form) {
                (Operator::And, Form::All(mut parts)) if chained => {
                    parts.push(right);
                    Form::All(parts)
                }
                (Operator::Or, Form::Any(mut parts)) if chained => {
                    parts.push(right);
                    Form::Any(parts)
                }
                (operator, form) => {
                    let left = Part::new(form, left.span)?;
                    match operator {
                        Operator::And => Form::All(vec![left, right]),
                        Operator::Or => Form::Any(vec![left, right]),
                        operator => Form::Binary(operator, Box::new(left), Box::new(right)),
                    }
                }
            };
            left = self.part(form, span)?;
            last = Some(operator);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Part, RuleError> {
        let start = self.span();
        let not = self.is("!");
        if !not && !self.is("-") {
            return self.member();
        }
        self.advance();
        let inner = self.deeper(Self::unary)?;
        let span = start.to(inner.span);
        let form = if not { Form::Not(Box::new(inner)) } else { Form::Negate(Box::new(inner)) };
        self.part(form, span)
    }

    /// A value with the members and methods behind it.
    fn member(&mut self) -> Result<Part, RuleError> {
        let mut part = self.primary()?;
        loop {
            if self.is("[") {
                return Err(RuleError::new("index_unsupported", self.span(), "a value cannot be indexed with [ ]")
                    .help("choose from repeated groups with filter, exists or all; choose letters of a text with substring"));
            }
            if !self.takes(".") {
                return Ok(part);
            }
            let name_span = self.span();
            let TokenKind::Name { name, quoted } = self.kind().clone() else {
                return Err(self.unexpected("a name behind the point"));
            };
            if !quoted && KEYWORDS.contains(&name.as_str()) {
                return Err(self.unexpected("a name behind the point"));
            }
            self.advance();
            let start = part.span;
            let form = if self.is("(") {
                let arguments = self.list("(", ")")?;
                Form::Call(Call { name, name_span, receiver: Some(Box::new(part)), arguments })
            } else {
                Form::Member(Box::new(part), name)
            };
            let span = start.to(self.last_span());
            part = self.part(form, span)?;
        }
    }

    fn primary(&mut self) -> Result<Part, RuleError> {
        let span = self.span();
        let form = match self.kind().clone() {
            TokenKind::Number(number) => Form::Number(number),
            TokenKind::Text(text) => Form::Text(text),
            TokenKind::Name { name, quoted: false } if name == "true" || name == "false" => {
                Form::Boolean(name == "true")
            }
            TokenKind::Name { name, quoted: false } if name == "null" => {
                return Err(RuleError::new(
                    "null_unsupported",
                    span,
                    "there is no null: what is absent is unknown",
                )
                .help("ask whether a value is there with has(x)"));
            }
            TokenKind::Name { name, quoted } if quoted || name != "in" => {
                self.advance();
                let form = if self.is("(") {
                    let arguments = self.list("(", ")")?;
                    Form::Call(Call { name, name_span: span, receiver: None, arguments })
                } else {
                    Form::Name(name)
                };
                let whole = span.to(self.last_span());
                return self.part(form, whole);
            }
            TokenKind::Symbol("(") => {
                self.advance();
                let mut inner = self.expression()?;
                if !self.takes(")") {
                    return Err(self.unexpected("`)`").maybe_help(Some(format!(
                        "the bracket opened in column {} is not closed",
                        self.column(span)
                    ))));
                }
                inner.span = span.to(self.last_span());
                return Ok(inner);
            }
            TokenKind::Symbol("[") => {
                let parts = self.list("[", "]")?;
                let whole = span.to(self.last_span());
                return self.part(Form::List(parts), whole);
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.advance();
        self.part(form, span)
    }

    /// Parts between brackets, with commas; CEL allows a comma behind the last one.
    fn list(&mut self, open: &str, close: &str) -> Result<Vec<Part>, RuleError> {
        let start = self.span();
        self.takes(open);
        let mut parts = Vec::new();
        loop {
            if self.takes(close) {
                return Ok(parts);
            }
            parts.push(self.expression()?);
            if !self.takes(",") && !self.is(close) {
                let help = format!("the bracket opened in column {} is not closed", self.column(start));
                return Err(self.unexpected(&format!("`,` or `{close}`")).maybe_help(Some(help)));
            }
        }
    }

    fn column(&self, span: Span) -> usize {
        RuleError::new("", span, "").line_column(self.source).1
    }

    fn end(&self) -> Result<(), RuleError> {
        if *self.kind() == TokenKind::End {
            Ok(())
        } else {
            Err(self.unexpected("an operator or the end of the rule"))
        }
    }

    fn unexpected(&self, expected: &str) -> RuleError {
        let span = self.span();
        let found = match self.kind() {
            TokenKind::End => "the rule ends".to_owned(),
            _ => format!("there is `{}`", span.of(self.source)),
        };
        let error = RuleError::new("syntax", span, format!("expected {expected}, but {found}"));
        let help = match self.kind() {
            TokenKind::Name { name, quoted: false } => match name.to_ascii_lowercase().as_str() {
                "and" => Some("\"and\" is written &&"),
                "or" => Some("\"or\" is written ||"),
                "not" => Some("\"not\" is written !"),
                "is" => Some("equality is written ==; whether a value is there is asked with has(x)"),
                _ => None,
            },
            TokenKind::Symbol(">") if self.last_span().of(self.source) == "<" => {
                Some("\"not equal\" is written !=")
            }
            TokenKind::Symbol("==") if self.last_span().of(self.source) == "==" => {
                Some("equality is written ==")
            }
            TokenKind::Symbol(".") => Some("a number below one begins with a zero: 0.5"),
            _ => None,
        };
        error.maybe_help(help.map(str::to_owned))
    }
}
