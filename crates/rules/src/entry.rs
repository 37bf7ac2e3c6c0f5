//! Rules over flat entries.

use std::ops::Range;
use std::sync::Arc;

use spine::name_table::NameTable;
use spine::{Column, EntrySchema, EntryTable};

use crate::ast::Expression;
use crate::check::{Checked, Scope, check};
use crate::columnar::Columnar;
use crate::error::{RuleError, Span};
use crate::explanation::{Explainer, Explanation};
use crate::lists::Lists;
use crate::machine::{Machine, Place};
use crate::truth::Truths;
use crate::typed::Typed;

/// A rule over entries, checked and ready to be evaluated. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EntryRule {
    source: Arc<str>,
    checked: Arc<Checked>,
}

/// Checks a rule against the fields of a schema and the named lists. Answers everything that is wrong, not only the
/// first.
pub fn compile_entry_rule(
    expression: &Expression,
    schema: &EntrySchema,
    lists: &Lists,
) -> Result<EntryRule, Vec<RuleError>> {
    // Entries have fields and no elements: no name is asked for.
    let checked = check(&expression.root, Scope::Entry(schema), lists, &mut NameTable::default())?;
    Ok(EntryRule { source: expression.source().into(), checked: Arc::new(checked) })
}

impl EntryRule {
    /// Names of the fields it reads, in the order of their first use.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.checked.fields
    }

    /// Steps that one entry takes at most.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.checked.cost
    }

    /// The answer for the rows of `range`; positions in it are relative to the range's start. A field that the table
    /// does not have is absent in every row, and so is everything in rows beyond the last.
    #[must_use]
    pub fn evaluate(&self, table: &EntryTable, range: Range<usize>) -> Truths {
        let columns = self.columns(table);
        Columnar { columns: &columns, rows: range }.evaluate(&self.checked.root)
    }

    /// The reason for the answer for one row. Pointers name fields.
    #[must_use]
    pub fn explain(&self, table: &EntryTable, row: usize) -> Explanation {
        let columns = self.columns(table);
        let machine = Machine::new(Place::Row { columns: &columns, row });
        Explainer { machine, source: &self.source, fields: &self.checked.fields }.explain(&self.checked.root)
    }

    /// What it asks.
    pub(crate) fn root(&self) -> &Typed {
        &self.checked.root
    }

    /// How a part of it is written.
    pub(crate) fn written(&self, span: Span) -> &str {
        span.of(&self.source)
    }

    fn columns<'a>(&self, table: &'a EntryTable) -> Vec<Option<&'a Column>> {
        self.checked.fields.iter().map(|field| table.column(field)).collect()
    }
}
