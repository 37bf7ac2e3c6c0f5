//! What is questionable about rules, whatever the entries.

use std::collections::BTreeMap;

use super::node::Node;
use super::plan::Matcher;

/// What is questionable about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// No entry can fulfil it, whatever its values.
    Never,
    /// Every entry fulfils it.
    Always,
    /// It is fulfilled exactly where an earlier rule is; the position of that.
    SameAs(usize),
    /// No value or list narrows down where it may be fulfilled: it is asked of every entry.
    AskedOfAll,
    /// What it computes from several fields is computed anew for every entry; how that is written.
    Computed(String),
}

impl Matcher {
    /// Remarks on rules, by the positions of their formulas.
    #[must_use]
    pub fn lint(&self) -> Vec<(usize, Remark)> {
        let mut remarks = Vec::new();
        let mut first_of: BTreeMap<&Node, usize> = BTreeMap::new();
        for (rule, node) in self.nodes().iter().enumerate() {
            match node {
                Node::Constant(false) => remarks.push((rule, Remark::Never)),
                Node::Constant(true) => remarks.push((rule, Remark::Always)),
                node => {
                    let first = *first_of.entry(node).or_insert(rule);
                    if first != rule {
                        remarks.push((rule, Remark::SameAs(first)));
                    }
                    if self.is_asked_of_all(rule) {
                        remarks.push((rule, Remark::AskedOfAll));
                    }
                    let computed =
                        self.axes_of(node).into_iter().filter(|axis| axis.source.fields().len() > 1);
                    remarks.extend(
                        computed.map(|axis| (rule, Remark::Computed(axis.source.written().to_owned()))),
                    );
                }
            }
        }
        remarks
    }
}
