//! Rules over documents.

use std::sync::Arc;

use spine::name_table::{NameNumber, NameTable};
use spine::tree::{NodeId, Tree};

use crate::ast::Expression;
use crate::check::{Checked, Scope, check};
use crate::error::RuleError;
use crate::explanation::{Explainer, Explanation};
use crate::lists::Lists;
use crate::machine::{Machine, Place};
use crate::needs;
use crate::truth::Truth;

/// A rule over nodes of a document, checked and ready to be evaluated. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DocumentRule {
    source: Arc<str>,
    checked: Arc<Checked>,
    /// Names of elements that it asks for; of a rule that shares them with others, none.
    names: Arc<NameTable>,
}

/// What a document calls the elements that rules ask for, by the numbers that these have in the rules.
pub(crate) fn names_in(tree: &Tree, asked: &NameTable) -> Vec<Option<NameNumber>> {
    asked.names().map(|(_, name)| tree.names().find(name)).collect()
}

/// Steps that may still be spent on a document.
///
/// A part of a rule and a node that is looked at are a step each. When none are left, answers are unknown and
/// [`Budget::is_exhausted`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    steps_left: u64,
    exhausted: bool,
}

impl Budget {
    /// So many steps.
    #[must_use]
    pub fn of_steps(steps: u64) -> Self {
        Self { steps_left: steps, exhausted: false }
    }

    /// Was something left undecided for want of steps?
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Steps that are left.
    #[must_use]
    pub fn steps_left(&self) -> u64 {
        self.steps_left
    }
}

/// Checks a rule for documents. Names of elements are not checked: a document says itself which it has.
pub fn compile_document_rule(expression: &Expression, lists: &Lists) -> Result<DocumentRule, Vec<RuleError>> {
    let mut names = NameTable::default();
    let rule = compile_sharing(expression, lists, &mut names)?;
    Ok(DocumentRule { names: Arc::new(names), ..rule })
}

/// The same for a rule that shares with others the names that they ask for.
pub(crate) fn compile_sharing(
    expression: &Expression,
    lists: &Lists,
    names: &mut NameTable,
) -> Result<DocumentRule, Vec<RuleError>> {
    let checked = check(&expression.root, Scope::Document, lists, names)?;
    Ok(DocumentRule {
        source: expression.source().into(),
        checked: Arc::new(checked),
        names: Arc::new(NameTable::default()),
    })
}

impl DocumentRule {
    /// The answer at a node.
    #[must_use]
    pub fn evaluate(&self, tree: &Tree, node: NodeId, budget: &mut Budget) -> Truth {
        let names = names_in(tree, &self.names);
        self.evaluate_at(Place::Node { tree, node, names: &names }, budget)
    }

    /// The answer at a place.
    pub(crate) fn evaluate_at(&self, place: Place<'_>, budget: &mut Budget) -> Truth {
        let mut machine = Machine::with_steps(place, budget.steps_left);
        let truth = machine.truth(&self.checked.root);
        budget.steps_left = machine.steps_left;
        budget.exhausted |= machine.exhausted;
        if machine.exhausted { Truth::Unknown } else { truth }
    }

    /// The reason for the answer at a node; pointers name nodes. Without steps left, parts show as unknown.
    #[must_use]
    pub fn explain(&self, tree: &Tree, node: NodeId, budget: &mut Budget) -> Explanation {
        let names = names_in(tree, &self.names);
        self.explain_at(Place::Node { tree, node, names: &names }, budget)
    }

    /// The reason for the answer at a place.
    pub(crate) fn explain_at(&self, place: Place<'_>, budget: &mut Budget) -> Explanation {
        let machine = Machine::with_steps(place, budget.steps_left);
        let mut explainer = Explainer { machine, source: &self.source, fields: &[] };
        let explanation = explainer.explain(&self.checked.root);
        budget.steps_left = explainer.machine.steps_left;
        budget.exhausted |= explainer.machine.exhausted;
        explanation
    }

    /// Names of elements without which the rule is never true.
    pub(crate) fn needs(&self) -> Vec<NameNumber> {
        needs::of_truth(&self.checked.root).into_iter().collect()
    }
}
