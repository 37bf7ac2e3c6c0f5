//! The one rule language: CEL's syntax where CEL has it, over flat entries and over document trees.
//!
//! Numbers are exact decimals; logic has three values, for what is absent is *unknown*, and an unknown rule never
//! matches. A rule is parsed ([`parse`]), its types are checked against what it looks at ([`compile_entry_rule`],
//! [`RulePack`]), its cost is bounded before it runs, and every answer can be explained part by part
//! ([`Explanation`]). `docs/rules.md` is the guide for authors.

mod error;
mod explanation;
mod lists;
mod truth;

pub use error::{RuleError, Span};
pub use explanation::Explanation;
pub use lists::Lists;
pub use truth::{Truth, Truths};

use spine::{EntrySchema, EntryTable};
use std::ops::Range;

/// A parsed rule.
#[derive(Debug, Clone)]
pub struct Expression;

/// Parses a rule.
pub fn parse(_source: &str) -> Result<Expression, RuleError> {
    Ok(Expression)
}

/// A rule over entries, checked and ready to be evaluated.
#[derive(Debug, Clone)]
pub struct EntryRule {
    fields: Vec<String>,
}

/// Checks a rule against the fields of a schema and the named lists.
pub fn compile_entry_rule(
    _expression: &Expression,
    _schema: &EntrySchema,
    _lists: &Lists,
) -> Result<EntryRule, Vec<RuleError>> {
    Ok(EntryRule { fields: Vec::new() })
}

impl EntryRule {
    /// Names of the fields it reads.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Evaluates it for the rows of `range`; positions in the answer are relative to the range's start.
    #[must_use]
    pub fn evaluate(&self, _table: &EntryTable, range: Range<usize>) -> Truths {
        Truths::all(Truth::Unknown, range.len())
    }

    /// Explains its answer for one row.
    #[must_use]
    pub fn explain(&self, _table: &EntryTable, _row: usize) -> Explanation {
        Explanation::default()
    }
}
