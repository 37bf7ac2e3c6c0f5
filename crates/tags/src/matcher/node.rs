//! Formulas over codes, as simple as they can be.

use std::collections::BTreeSet;

use rules::Formula;

use super::axis::{Axis, Code};

/// Ranges of codes, first and last, rising, without a common code and never side by side.
pub(super) type CodeRanges = Vec<(Code, Code)>;

/// A formula over codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Constant(bool),
    /// Where the axis has a code of these.
    Test(u16, CodeRanges),
    All(Vec<Node>),
    Any(Vec<Node>),
}

impl Node {
    /// Adds the axes that it looks at.
    pub(super) fn axes(&self, out: &mut BTreeSet<u16>) {
        match self {
            Self::Constant(_) => {}
            Self::Test(axis, _) => {
                out.insert(*axis);
            }
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.axes(out)),
        }
    }
}

/// The formula over codes; `axis_of` gives the axes of its conditions in the order in which they were gathered.
pub(super) fn node(formula: &Formula, axes: &[Axis], axis_of: &mut impl Iterator<Item = u16>) -> Node {
    match formula {
        Formula::Constant(yes) => Node::Constant(*yes),
        Formula::All(parts) => Node::All(parts.iter().map(|part| node(part, axes, axis_of)).collect()),
        Formula::Any(parts) => Node::Any(parts.iter().map(|part| node(part, axes, axis_of)).collect()),
        Formula::Condition(condition) => {
            let at = axis_of.next().unwrap_or_default();
            let Some(axis) = axes.get(usize::from(at)) else { return Node::Constant(false) };
            let absent = condition.absent.then_some((0, 0));
            let known = condition.ranges.iter().filter_map(|range| {
                let codes = axis.codes(range);
                let last = codes.end.checked_sub(1).filter(|last| *last >= codes.start)?;
                Some((Code::try_from(codes.start).ok()?, Code::try_from(last).ok()?))
            });
            Node::Test(at, joined(absent.into_iter().chain(known).collect()))
        }
    }
}

/// Ranges with those that touch or overlap put together.
fn joined(mut ranges: CodeRanges) -> CodeRanges {
    ranges.sort_unstable();
    let mut out: CodeRanges = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match out.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => out.push((low, high)),
        }
    }
    out
}

fn common(a: &[(Code, Code)], b: &[(Code, Code)]) -> CodeRanges {
    let (mut a, mut b, mut out) = (a.iter().peekable(), b.iter().peekable(), Vec::new());
    while let (Some(x), Some(y)) = (a.peek().copied(), b.peek().copied()) {
        let (low, high) = (x.0.max(y.0), x.1.min(y.1));
        if low <= high {
            out.push((low, high));
        }
        if x.1 < y.1 {
            a.next()
        } else {
            b.next()
        };
    }
    out
}

/// Without constants, nesting and two tests of one axis where one is enough.
pub(super) fn simplified(node: Node, axes: &[Axis]) -> Node {
    let (all, parts) = match node {
        Node::Constant(_) => return node,
        Node::Test(axis, ranges) => {
            let code_max = axes.get(usize::from(axis)).map_or(0, Axis::code_max);
            return match ranges.as_slice() {
                [] => Node::Constant(false),
                [(0, high)] if *high >= code_max => Node::Constant(true),
                _ => Node::Test(axis, ranges),
            };
        }
        Node::All(parts) => (true, parts),
        Node::Any(parts) => (false, parts),
    };
    let mut tests: Vec<(u16, CodeRanges)> = Vec::new();
    let mut others: Vec<Node> = Vec::new();
    let mut open: Vec<Node> = parts.into_iter().rev().map(|part| simplified(part, axes)).collect();
    while let Some(part) = open.pop() {
        match part {
            Node::Constant(yes) if yes != all => return Node::Constant(yes),
            Node::Constant(_) => {}
            Node::All(parts) if all => open.extend(parts.into_iter().rev()),
            Node::Any(parts) if !all => open.extend(parts.into_iter().rev()),
            Node::Test(axis, ranges) => match tests.iter_mut().find(|(own, _)| *own == axis) {
                Some((_, own)) if all => *own = common(own, &ranges),
                Some((_, own)) => *own = joined([own.as_slice(), &ranges].concat()),
                None => tests.push((axis, ranges)),
            },
            other if others.contains(&other) => {}
            other => others.push(other),
        }
    }
    let mut parts = Vec::with_capacity(tests.len().saturating_add(others.len()));
    for (axis, ranges) in tests {
        match simplified(Node::Test(axis, ranges), axes) {
            Node::Constant(yes) if yes != all => return Node::Constant(yes),
            Node::Constant(_) => {}
            test => parts.push(test),
        }
    }
    parts.extend(others);
    // Rules that mean the same are the same, however they are written.
    parts.sort();
    match (parts.pop(), parts.is_empty()) {
        (None, _) => Node::Constant(all),
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            if all { Node::All(parts) } else { Node::Any(parts) }
        }
    }
}
