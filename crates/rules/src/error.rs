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

impl Span {
    /// From the beginning of one to the end of another.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// What the source says there.
    pub(crate) fn of(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// Why a rule was refused, by the parser or by the type check.
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

/// Characters of a line shown at most.
const SHOWN_CHARACTERS_MAX: usize = 100;

/// Characters shown before the place in a line that is cut.
const SHOWN_BEFORE: usize = 40;

impl RuleError {
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Line and column of the place in `source`, both counted from 1; columns are characters.
    #[must_use]
    pub fn line_column(&self, source: &str) -> (usize, usize) {
        let before = source.get(..self.span.start).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.get(line_start..).unwrap_or_default().chars().count().saturating_add(1);
        (line, column)
    }

    /// The message with line, column, the line itself and carets under the place; `source` is what was parsed.
    #[must_use]
    pub fn render(&self, source: &str) -> String {
        let (line, column) = self.line_column(source);
        let text = source.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
        let skipped = if text.chars().count() > SHOWN_CHARACTERS_MAX {
            column.saturating_sub(1).saturating_sub(SHOWN_BEFORE)
        } else {
            0
        };
        let shown: String = text.chars().skip(skipped).take(SHOWN_CHARACTERS_MAX).collect();
        let before = column.saturating_sub(1).saturating_sub(skipped);
        // Tabs stay tabs, so that the caret stands under its place whatever their width.
        let blank: String = shown.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let marked = self.span.of(source).split('\n').next().unwrap_or_default().chars().count();
        let room = shown.chars().count().saturating_sub(before).max(1);
        let carets = "^".repeat(marked.clamp(1, room));
        let help = self.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let cut = |yes: bool| if yes { "…" } else { "" };
        let (left, right) =
            (cut(skipped > 0), cut(text.chars().count() > skipped.saturating_add(SHOWN_CHARACTERS_MAX)));
        let indent = if left.is_empty() { "" } else { " " };
        format!(
            "line {line}, column {column}: {}\n  {left}{shown}{right}\n  {indent}{blank}{carets}{help}",
            self.message
        )
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(out, "; {help}"),
            None => Ok(()),
        }
    }
}

/// "did you mean ...?" for the known name nearest to `name`, if one is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let far = name.chars().count().div_ceil(3).clamp(1, 3);
    known
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| {
            (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, candidate)| format!("did you mean {candidate}?"))
}
