//! Rules over documents.

use std::sync::Arc;

use spine::tree::{NodeId, Tree};

use crate::ast::Expression;
use crate::check::{Checked, Scope, check};
use crate::error::RuleError;
use crate::explanation::{Explainer, Explanation};
use crate::lists::Lists;
use crate::machine::{Machine, Place};
use crate::truth::Truth;

/// A rule over nodes of a document, checked and ready to be evaluated. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DocumentRule {
    source: Arc<str>,
    checked: Arc<Checked>,
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
    let checked = check(&expression.root, Scope::Document, lists)?;
    Ok(DocumentRule { source: expression.source().into(), checked: Arc::new(checked) })
}

impl DocumentRule {
    /// The answer at a node.
    #[must_use]
    pub fn evaluate(&self, tree: &Tree, node: NodeId, budget: &mut Budget) -> Truth {
        let mut machine = Machine::with_steps(Place::Node { tree, node }, budget.steps_left);
        let truth = machine.truth(&self.checked.root);
        budget.steps_left = machine.steps_left;
        budget.exhausted |= machine.exhausted;
        if machine.exhausted { Truth::Unknown } else { truth }
    }

    /// The reason for the answer at a node; pointers name nodes. Without steps left, parts show as unknown.
    #[must_use]
    pub fn explain(&self, tree: &Tree, node: NodeId, budget: &mut Budget) -> Explanation {
        let machine = Machine::with_steps(Place::Node { tree, node }, budget.steps_left);
        let mut explainer = Explainer { machine, source: &self.source, fields: &[] };
        let explanation = explainer.explain(&self.checked.root);
        budget.steps_left = explainer.machine.steps_left;
        budget.exhausted |= explainer.machine.exhausted;
        explanation
    }
}
