//! What is wrong with an input, where, and how to mend it. Bad input is a finding, not a crash.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing is refused.
    Information,
    /// Accepted, but probably not what was meant.
    Warning,
    /// The record or file is refused.
    Error,
}

/// Where in the input: a path of names with optional 1-based positions, such as
/// `GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity` or `row[17]/Net Mass`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Pointer(pub String);

impl Pointer {
    /// The whole input.
    #[must_use]
    pub fn root() -> Self {
        Self(String::new())
    }

    /// A column of a row of a table; rows count from 1 and include the header line, as an editor shows them.
    #[must_use]
    pub fn line_column(line: u64, column: &str) -> Self {
        Self(format!("line[{line}]/{column}"))
    }

    /// A column as a whole.
    #[must_use]
    pub fn column(column: &str) -> Self {
        Self(format!("column/{column}"))
    }

    /// This place's child `name`.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}/{name}", self.0)) }
    }

    /// This place's `position`th (from 1) child `name`.
    #[must_use]
    pub fn item(&self, name: &str, position: usize) -> Self {
        self.child(&format!("{name}[{position}]"))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { out.write_str("(whole input)") } else { out.write_str(&self.0) }
    }
}

/// One thing that is wrong or odd with an input.
///
/// `code` is stable, snake_case, and the key of its translation. `found` is cut to
/// [`Finding::FOUND_CHARACTERS_MAX`] characters, so that a 10 MB cell does not travel through logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable snake_case code.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// Where.
    pub pointer: Pointer,
    /// The offending value, cut.
    pub found: String,
    /// What was expected instead, in words.
    pub expected: String,
    /// What to do now, in words.
    pub how_to_fix: String,
}

impl Finding {
    /// Longest `found` kept.
    pub const FOUND_CHARACTERS_MAX: usize = 120;

    /// A finding with its place still empty.
    #[must_use]
    pub fn new(code: &str, severity: Severity) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            pointer: Pointer::root(),
            found: String::new(),
            expected: String::new(),
            how_to_fix: String::new(),
        }
    }

    /// An error with its place still empty.
    #[must_use]
    pub fn error(code: &str) -> Self {
        Self::new(code, Severity::Error)
    }

    /// A warning with its place still empty.
    #[must_use]
    pub fn warning(code: &str) -> Self {
        Self::new(code, Severity::Warning)
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, pointer: Pointer) -> Self {
        self.pointer = pointer;
        self
    }

    /// Says which value, cut to a bounded length.
    #[must_use]
    pub fn found(mut self, value: &str) -> Self {
        let mut characters = value.chars();
        self.found = characters.by_ref().take(Self::FOUND_CHARACTERS_MAX).collect();
        if characters.next().is_some() {
            self.found.push('…');
        }
        self
    }

    /// Says what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn fix(mut self, how_to_fix: impl Into<String>) -> Self {
        self.how_to_fix = how_to_fix.into();
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.pointer)?;
        let mut before = ": ";
        if !self.found.is_empty() {
            write!(out, "{before}found \"{}\"", self.found)?;
            before = ", ";
        }
        if !self.expected.is_empty() {
            write!(out, "{before}expected {}", self.expected)?;
        }
        if !self.how_to_fix.is_empty() {
            write!(out, ". {}", self.how_to_fix)?;
        }
        write!(out, " [{}]", self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_place_value_expectation_remedy_code() {
        let finding = Finding::error("negative_mass")
            .at(Pointer::line_column(17, "Net Mass"))
            .found("-3")
            .expected("a mass of 0 kg or more")
            .fix("Correct the sign, or leave the cell empty.");
        assert_eq!(
            finding.to_string(),
            "line[17]/Net Mass: found \"-3\", expected a mass of 0 kg or more. \
             Correct the sign, or leave the cell empty. [negative_mass]"
        );
    }

    #[test]
    fn a_huge_value_is_cut() {
        let finding = Finding::error("line_too_long").found(&"x".repeat(10_000_000));
        assert_eq!(finding.found.chars().count(), Finding::FOUND_CHARACTERS_MAX + 1);
    }
}
