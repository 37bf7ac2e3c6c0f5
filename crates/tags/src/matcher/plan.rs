//! From formulas to pieces filed under ranges of axes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use rules::Formula;
use thiserror::Error;

use super::axis::{Axis, Code};
use super::block::Block;
use super::cutter::{Cutter, in_parts};
use super::estimate::Estimate;
use super::node::{CodeRanges, Node, node, simplified};
use super::run::{Asked, Group, Piece, Scratch, Section, Sink, Test, WITHIN_MAX, Within, run};

/// Ranges that are compared one by one; more are looked up in a table.
const COMPARED_MAX: usize = 12;
/// Alternatives that a rule is filed under at most; one with more is asked of all entries.
const ALTERNATIVES_MAX: usize = 16;

/// Different values that rules look at, at most: a thread holds a quarter of a megabyte for each.
pub const AXES_MAX: usize = 2_048;

/// Rules look at more different values than a matcher can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the rules look at {0} different values, fields and what they compute of them; at most {AXES_MAX} can be held"
)]
pub struct TooManyAxes(usize);

impl TooManyAxes {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "rules_too_varied"
    }
}

/// Many rules, ready to be asked of blocks of entries.
#[derive(Debug)]
pub struct Matcher {
    axes: Vec<Axis>,
    nodes: Vec<Node>,
    plan: Plan,
}

/// Where each rule is filed.
#[derive(Debug, Default)]
struct Plan {
    sections: Vec<Section>,
    asked: Asked,
}

impl Matcher {
    /// Cuts the axes and plans without knowledge of the entries: [`Matcher::plan_for`] does it again with a sample.
    ///
    /// # Errors
    /// The rules look at too many different values.
    pub fn new(formulas: &[Formula]) -> Result<Self, TooManyAxes> {
        let mut cutter = Cutter::default();
        let formulas: Vec<Formula> = formulas.iter().map(in_parts).collect();
        for formula in &formulas {
            cutter.gather(formula);
        }
        let (axes, axis_of) = cutter.axes();
        if axes.len() > AXES_MAX {
            return Err(TooManyAxes(axes.len()));
        }
        let mut axis_of = axis_of.into_iter();
        let nodes =
            formulas.iter().map(|formula| simplified(node(formula, &axes, &mut axis_of), &axes)).collect();
        let mut matcher = Self { axes, nodes, plan: Plan::default() };
        matcher.plan = matcher.planned(&Estimate::default());
        Ok(matcher)
    }

    /// Plans anew: rules are filed under the condition that is rarest among these entries.
    pub fn plan_for(&mut self, sample: &Block<'_>) {
        let estimate = Estimate::of(&self.axes, sample);
        self.plan = self.planned(&estimate);
    }

    /// Number of rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True without rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Tells which entries of some rows fulfil which rules, by the positions of their formulas.
    pub fn run(
        &self,
        block: &Block<'_>,
        rows: std::ops::Range<usize>,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) {
        let rows = rows.start..rows.end.min(block.len());
        run(&self.axes, &self.plan.sections, &self.plan.asked, block, rows, scratch, sink);
    }

    /// Rules that every entry fulfils.
    pub fn always(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().enumerate().filter(|(_, node)| **node == Node::Constant(true)).map(|(at, _)| at)
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Is the rule, or an alternative of it, filed under no range?
    pub(super) fn is_asked_of_all(&self, rule: usize) -> bool {
        let unfiled = self.plan.sections.iter().filter(|section| section.axis.is_none());
        unfiled
            .flat_map(|section| &section.groups)
            .flat_map(Group::pieces)
            .any(|piece| usize::try_from(piece.rule) == Ok(rule))
    }

    /// The axes that a rule looks at, each once.
    pub(super) fn axes_of(&self, node: &Node) -> Vec<&Axis> {
        let mut numbers = BTreeSet::new();
        node.axes(&mut numbers);
        numbers.into_iter().filter_map(|axis| self.axes.get(usize::from(axis))).collect()
    }
}

/// A rule or an alternative of it: where it is filed, and what is left to ask.
struct Filed {
    rule: u32,
    access: Option<(u16, CodeRanges)>,
    rest: Vec<Rest>,
}

#[derive(Clone)]
enum Rest {
    Holds(Node),
    HoldsNot(Node),
}

impl Matcher {
    fn planned(&self, estimate: &Estimate) -> Plan {
        let mut filing = Filing { axes: &self.axes, estimate, filed: Vec::new(), tables: HashMap::new() };
        for (rule, node) in (0_u32..).zip(&self.nodes) {
            filing.file(rule, node, Vec::new());
        }
        filing.plan()
    }
}

struct Filing<'a> {
    axes: &'a [Axis],
    estimate: &'a Estimate,
    filed: Vec<Filed>,
    /// Tables that several rules look up.
    tables: HashMap<(u16, CodeRanges), Arc<[u8]>>,
}

impl Filing<'_> {
    fn share(&self, node: &Node) -> f64 {
        self.estimate.share(node, self.axes)
    }

    /// Files a rule, where `rest` is to be asked too.
    fn file(&mut self, rule: u32, node: &Node, mut rest: Vec<Rest>) {
        match node {
            Node::Constant(false) => {}
            Node::Constant(true) => self.filed.push(Filed { rule, access: None, rest }),
            Node::Test(axis, ranges) => {
                self.filed.push(Filed { rule, access: Some((*axis, ranges.clone())), rest });
            }
            Node::All(parts) => {
                let rarest = |wanted: fn(&Node) -> bool| {
                    let those = parts.iter().enumerate().filter(|(_, part)| wanted(part));
                    those.min_by(|(_, a), (_, b)| self.share(a).total_cmp(&self.share(b))).map(|(at, _)| at)
                };
                let access = rarest(|part| matches!(part, Node::Test(..))).or_else(|| rarest(|_| true));
                let Some(at) = access else { return };
                let others = parts.iter().enumerate().filter(|(own, _)| *own != at);
                rest.extend(others.map(|(_, part)| Rest::Holds(part.clone())));
                if let Some(part) = parts.get(at) {
                    self.file(rule, part, rest);
                }
            }
            Node::Any(branches) if branches.len() <= ALTERNATIVES_MAX && self.share(node) < 1.0 => {
                for (at, branch) in branches.iter().enumerate() {
                    let mut rest = rest.clone();
                    rest.extend(branches.iter().take(at).cloned().map(Rest::HoldsNot));
                    self.file(rule, branch, rest);
                }
            }
            Node::Any(_) => {
                rest.push(Rest::Holds(node.clone()));
                self.filed.push(Filed { rule, access: None, rest });
            }
        }
    }

    fn plan(mut self) -> Plan {
        let mut sections: BTreeMap<Option<u16>, BTreeMap<usize, Vec<Draft>>> = BTreeMap::new();
        let mut looked_at: BTreeMap<Option<u16>, Vec<u16>> = BTreeMap::new();
        for filed in std::mem::take(&mut self.filed) {
            let axis = filed.access.as_ref().map(|(axis, _)| *axis);
            let looks_at = looked_at.entry(axis).or_default();
            let runs = filed.access.map_or(vec![(0, Code::MAX)], |(_, ranges)| ranges);
            let mut draft = Draft { rule: filed.rule, runs, within: Vec::new(), tests: Vec::new() };
            for rest in self.rarest_first(filed.rest) {
                let test = match &rest {
                    Rest::Holds(node) => self.test(node, looks_at),
                    Rest::HoldsNot(node) => Test::Not([self.test(node, looks_at)].into()),
                };
                match test {
                    Test::Within(range) if draft.within.len() < WITHIN_MAX => draft.within.push(range),
                    other => draft.tests.push(other),
                }
            }
            let groups = sections.entry(axis).or_default();
            groups.entry(draft.within.len()).or_default().push(draft);
        }
        let mut asked = Asked::default();
        let section = |(axis, groups): (Option<u16>, BTreeMap<usize, Vec<Draft>>)| Section {
            axis,
            looks_at: looked_at.remove(&axis).unwrap_or_default(),
            groups: groups
                .into_iter()
                .map(|(within, drafts)| Group::new(within, pieces(drafts, &mut asked)))
                .collect(),
        };
        let sections = sections.into_iter().map(section).collect();
        Plan { sections, asked }
    }

    fn rarest_first(&self, rest: Vec<Rest>) -> Vec<Rest> {
        let share = |rest: &Rest| match rest {
            Rest::Holds(node) => self.share(node),
            Rest::HoldsNot(node) => 1.0 - self.share(node),
        };
        let mut by_share: Vec<(f64, Rest)> = rest.into_iter().map(|rest| (share(&rest), rest)).collect();
        by_share.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        by_share.into_iter().map(|(_, rest)| rest).collect()
    }

    fn test(&mut self, node: &Node, looks_at: &mut Vec<u16>) -> Test {
        match node {
            Node::Test(axis, ranges) => {
                if !looks_at.contains(axis) {
                    looks_at.push(*axis);
                }
                let width = |(low, high): &(Code, Code)| (*low, high.saturating_sub(*low));
                match ranges.as_slice() {
                    [only] => Test::Within(Within { axis: *axis, low: only.0, width: width(only).1 }),
                    few if few.len() <= COMPARED_MAX => {
                        Test::Among { axis: *axis, ranges: few.iter().map(width).collect() }
                    }
                    many => Test::Table { axis: *axis, holds: self.table(*axis, many) },
                }
            }
            Node::All(parts) => {
                let all: Box<[Test]> = parts.iter().map(|part| self.test(part, looks_at)).collect();
                Test::Either([all].into())
            }
            Node::Any(branches) => {
                let branch = |branch: &Node| match branch {
                    Node::All(parts) => parts.iter().map(|part| self.test(part, looks_at)).collect(),
                    other => [self.test(other, looks_at)].into(),
                };
                Test::Either(branches.iter().map(branch).collect())
            }
            Node::Constant(true) => Test::Not([Test::Either(Box::new([]))].into()),
            Node::Constant(false) => Test::Either(Box::new([])),
        }
    }

    fn table(&mut self, axis: u16, ranges: &[(Code, Code)]) -> Arc<[u8]> {
        let code_max = self.axes.get(usize::from(axis)).map_or(0, Axis::code_max);
        let table = self.tables.entry((axis, ranges.to_vec())).or_insert_with(|| {
            let mut holds = vec![0_u8; usize::from(code_max).saturating_add(1)];
            for (low, high) in ranges {
                let last = usize::from(*high).min(usize::from(code_max));
                if let Some(range) = holds.get_mut(usize::from(*low)..=last) {
                    range.fill(1);
                }
            }
            holds.into()
        });
        table.clone()
    }
}

/// A rule, or an alternative of it, with what is asked of its runs.
struct Draft {
    rule: u32,
    runs: CodeRanges,
    within: Vec<Within>,
    tests: Vec<Test>,
}

/// The pieces of drafts by their runs. What they ask stands in the same order, so that it is read one behind the other;
/// tests once a draft.
fn pieces(mut drafts: Vec<Draft>, asked: &mut Asked) -> Vec<Piece> {
    let runs = |(at, draft): (usize, &Draft)| {
        let rule = draft.rule;
        draft.runs.clone().into_iter().map(move |(low, high)| (low, high, rule, at))
    };
    let mut runs: Vec<(Code, Code, u32, usize)> = drafts.iter().enumerate().flat_map(runs).collect();
    runs.sort_unstable();
    let mut placed: Vec<Option<Range<u32>>> = vec![None; drafts.len()];
    let piece = |(low, high, rule, at): (Code, Code, u32, usize)| {
        let (draft, placed) = (drafts.get_mut(at)?, placed.get_mut(at)?);
        let tests = placed.get_or_insert_with(|| {
            let first = count(&asked.tests);
            asked.tests.append(&mut draft.tests);
            first..count(&asked.tests)
        });
        let within = count(&asked.within);
        asked.within.extend_from_slice(&draft.within);
        Some(Piece { rule, low, high, within, tests: tests.clone() })
    };
    runs.into_iter().filter_map(piece).collect()
}

fn count<T>(asked: &[T]) -> u32 {
    u32::try_from(asked.len()).unwrap_or(u32::MAX)
}
