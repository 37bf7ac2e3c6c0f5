//! The one rule language: CEL's syntax where CEL has it, over flat entries and over document trees.
//!
//! Numbers are exact decimals; logic has three values, for what is absent is *unknown*, and an unknown rule never
//! matches. A rule is parsed ([`parse`]), its types are checked against what it looks at ([`compile_entry_rule`],
//! [`compile_document_rule`], [`RulePack`]), its cost is bounded before it runs, and every answer can be explained
//! part by part ([`Explanation`]). `docs/rules.md` is the guide for authors.

mod ast;
mod builtin;
mod check;
mod check_call;
mod columnar;
mod cost;
mod document;
mod entry;
mod error;
mod explanation;
mod formula;
mod function;
mod lexer;
mod lists;
mod machine;
mod needs;
mod nodes;
mod pack;
mod parser;
mod reads;
mod truth;
mod typed;
mod types;
mod value;

pub use ast::Expression;
pub use document::{Budget, DocumentRule, compile_document_rule};
pub use entry::{EntryRule, compile_entry_rule};
pub use error::{RuleError, Span};
pub use explanation::Explanation;
pub use formula::{Condition, Cut, Formula, Range, Source};
pub use function::{FunctionReference, function_reference};
pub use lists::Lists;
pub use pack::{FINDINGS_MAX, RuleDefinition, RuleFinding, RulePack, STEPS_MAX};
pub use parser::parse;
pub use truth::{Truth, Truths};
