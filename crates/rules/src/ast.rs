//! A parsed rule: its parts with their places, and how they are written.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use rust_decimal::Decimal;

use crate::error::{RuleError, Span};
use crate::lexer::{TokenKind, tokens};
use crate::parser::DEPTH_MAX;

/// A parsed rule. Its `Display` is the canonical spelling, which parses to the same rule again.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(crate) source: String,
    pub(crate) root: Part,
}

impl Expression {
    /// The source it was parsed from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// All names in it: of fields, named lists, functions and elements.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        // What was parsed has tokens.
        let tokens = tokens(&self.source).unwrap_or_default();
        tokens
            .into_iter()
            .filter_map(|token| match token.kind {
                TokenKind::Name { name, .. } => Some(name),
                _ => None,
            })
            .collect()
    }
}

/// Two rules are the same if they have the same parts, however they are spaced.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.print(out, 0)
    }
}

/// One part of a rule.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) form: Form,
    pub(crate) span: Span,
    /// Parts below each other, itself included.
    height: usize,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Form {
    Boolean(bool),
    Number(Decimal),
    Text(String),
    List(Vec<Part>),
    Name(String),
    Member(Box<Part>, String),
    Call(Call),
    Not(Box<Part>),
    Negate(Box<Part>),
    /// `a && b && c`: at least two.
    All(Vec<Part>),
    /// `a || b || c`: at least two.
    Any(Vec<Part>),
    Binary(Operator, Box<Part>, Box<Part>),
    /// Condition, answer if true, answer if false.
    Conditional(Box<[Part; 3]>),
}

/// `name(arguments)` or `receiver.name(arguments)`.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) receiver: Option<Box<Part>>,
    pub(crate) arguments: Vec<Part>,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.receiver == other.receiver && self.arguments == other.arguments
    }
}

/// An operator between two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(crate) const ALL: [Self; 14] = [
        Self::Or,
        Self::And,
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::In,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Remainder,
    ];

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// How tightly it binds, as in CEL's grammar.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::Or => level::OR,
            Self::And => level::AND,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::In => level::RELATION,
            Self::Add | Self::Subtract => level::SUM,
            Self::Multiply | Self::Divide | Self::Remainder => level::PRODUCT,
        }
    }
}

/// Binding levels, loosest first.
pub(crate) mod level {
    pub(crate) const CONDITIONAL: u8 = 0;
    pub(crate) const OR: u8 = 1;
    pub(crate) const AND: u8 = 2;
    pub(crate) const RELATION: u8 = 3;
    pub(crate) const SUM: u8 = 4;
    pub(crate) const PRODUCT: u8 = 5;
    pub(crate) const UNARY: u8 = 6;
    pub(crate) const MEMBER: u8 = 7;
}

impl Form {
    fn level(&self) -> u8 {
        match self {
            Self::Conditional(_) => level::CONDITIONAL,
            Self::Any(_) => level::OR,
            Self::All(_) => level::AND,
            Self::Binary(operator, ..) => operator.level(),
            Self::Not(_) | Self::Negate(_) => level::UNARY,
            _ => level::MEMBER,
        }
    }

    fn parts(&self) -> Vec<&Part> {
        match self {
            Self::Boolean(_) | Self::Number(_) | Self::Text(_) | Self::Name(_) => Vec::new(),
            Self::List(parts) | Self::All(parts) | Self::Any(parts) => parts.iter().collect(),
            Self::Member(part, _) | Self::Not(part) | Self::Negate(part) => vec![part],
            Self::Call(call) => call.receiver.iter().map(AsRef::as_ref).chain(&call.arguments).collect(),
            Self::Binary(_, left, right) => vec![left, right],
            Self::Conditional(three) => three.iter().collect(),
        }
    }
}

impl Part {
    /// Refused if it would nest too deeply: everything that walks a rule does so by recursion.
    pub(crate) fn new(form: Form, span: Span) -> Result<Self, RuleError> {
        let height = form.parts().iter().map(|part| part.height).max().unwrap_or(0).saturating_add(1);
        if height > DEPTH_MAX {
            return Err(too_deep(span));
        }
        Ok(Self { form, span, height })
    }

    fn print(&self, out: &mut impl Write, least: u8) -> fmt::Result {
        if self.form.level() < least {
            out.write_char('(')?;
            self.print(out, 0)?;
            return out.write_char(')');
        }
        match &self.form {
            Form::Boolean(yes) => write!(out, "{yes}"),
            Form::Number(number) => write!(out, "{number}"),
            Form::Text(text) => print_text(out, text),
            Form::List(parts) => print_list(out, '[', parts, ']'),
            Form::Name(name) => print_name(out, name),
            Form::Member(part, name) => {
                part.print(out, level::MEMBER)?;
                out.write_char('.')?;
                print_name(out, name)
            }
            Form::Call(call) => {
                if let Some(receiver) = &call.receiver {
                    receiver.print(out, level::MEMBER)?;
                    out.write_char('.')?;
                }
                print_name(out, &call.name)?;
                print_list(out, '(', &call.arguments, ')')
            }
            Form::Not(part) => {
                out.write_char('!')?;
                part.print(out, level::UNARY)
            }
            Form::Negate(part) => {
                out.write_char('-')?;
                part.print(out, level::UNARY)
            }
            Form::All(parts) => print_joined(out, parts, " && ", level::AND + 1),
            Form::Any(parts) => print_joined(out, parts, " || ", level::OR + 1),
            Form::Binary(operator, left, right) => {
                left.print(out, operator.level())?;
                write!(out, " {} ", operator.symbol())?;
                right.print(out, operator.level() + 1)
            }
            Form::Conditional(three) => {
                let [condition, yes, no] = three.as_ref();
                condition.print(out, level::OR)?;
                out.write_str(" ? ")?;
                yes.print(out, level::OR)?;
                out.write_str(" : ")?;
                no.print(out, level::CONDITIONAL)
            }
        }
    }
}

/// The rule nests too deeply at `span`.
pub(crate) fn too_deep(span: Span) -> RuleError {
    RuleError::new("rule_too_deep", span, format!("parts nest more than {DEPTH_MAX} deep"))
        .help("split the rule, or use a list with `in`")
}

fn print_joined(out: &mut impl Write, parts: &[Part], between: &str, least: u8) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.write_str(between)?;
        }
        part.print(out, least)?;
    }
    Ok(())
}

fn print_list(out: &mut impl Write, open: char, parts: &[Part], close: char) -> fmt::Result {
    out.write_char(open)?;
    print_joined(out, parts, ", ", level::CONDITIONAL)?;
    out.write_char(close)
}

/// Words that are not names unless they stand in backticks.
pub(crate) const KEYWORDS: [&str; 4] = ["true", "false", "null", "in"];

fn print_name(out: &mut impl Write, name: &str) -> fmt::Result {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !KEYWORDS.contains(&name);
    if plain { out.write_str(name) } else { write!(out, "`{name}`") }
}

fn print_text(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if c.is_control() => write!(out, "\\U{:08x}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}
