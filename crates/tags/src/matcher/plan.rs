//! From formulas to pieces filed under ranges of axes.

use std::collections::HashMap;
use std::sync::Arc;

use rules::{Condition, Cut, Formula, Range, Source};

use super::axis::{Axis, CUTS_MAX, Code};
use super::block::Block;
use super::run::{Piece, Scratch, Section, Sink, Test, run};

/// Ranges of one condition at most; a longer list is asked in parts.
const RANGES_MAX: usize = 20_000;
/// Ranges that are compared one by one; more are looked up in a table.
const COMPARED_MAX: usize = 12;
/// Alternatives that a rule is filed under at most; one with more is asked of all entries.
const ALTERNATIVES_MAX: usize = 16;
/// Entries of a sample that are looked at.
const SAMPLE_MAX: usize = 8_192;

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
    tests: Vec<Test>,
}

/// A formula over codes.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Constant(bool),
    /// Ranges of codes, first and last, rising, without a common code.
    Test(u16, Vec<(Code, Code)>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

impl Matcher {
    /// Cuts the axes and plans without knowledge of the entries: [`Matcher::plan_for`] does it again with a sample.
    #[must_use]
    pub fn new(formulas: &[Formula]) -> Self {
        let mut cutter = Cutter::default();
        let formulas: Vec<Formula> = formulas.iter().map(in_parts).collect();
        for formula in &formulas {
            cutter.gather(formula);
        }
        let (axes, axis_of) = cutter.axes();
        let mut axis_of = axis_of.into_iter();
        let nodes = formulas.iter().map(|formula| simplified(node(formula, &axes, &mut axis_of), &axes)).collect();
        let mut matcher = Self { axes, nodes, plan: Plan::default() };
        matcher.plan = matcher.planned(&Estimate { below: Vec::new() });
        matcher
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
        run(&self.axes, &self.plan.sections, &self.plan.tests, block, rows, scratch, sink);
    }

    /// Rules that no entry can fulfil, whatever its values.
    pub fn never(&self) -> impl Iterator<Item = usize> {
        self.positions(&Node::Constant(false))
    }

    /// Rules that every entry fulfils.
    pub fn always(&self) -> impl Iterator<Item = usize> {
        self.positions(&Node::Constant(true))
    }

    fn positions(&self, wanted: &Node) -> impl Iterator<Item = usize> {
        self.nodes.iter().enumerate().filter(move |(_, node)| *node == wanted).map(|(at, _)| at)
    }
}

/// A formula whose conditions have no more ranges than an axis takes.
fn in_parts(formula: &Formula) -> Formula {
    match formula {
        Formula::Condition(condition) if condition.ranges.len() > RANGES_MAX => {
            let parts = condition.ranges.chunks(RANGES_MAX).enumerate().map(|(at, ranges)| {
                Formula::Condition(Condition {
                    source: condition.source.clone(),
                    ranges: ranges.to_vec(),
                    absent: condition.absent && at == 0,
                })
            });
            Formula::Any(parts.collect())
        }
        Formula::All(parts) => Formula::All(parts.iter().map(in_parts).collect()),
        Formula::Any(parts) => Formula::Any(parts.iter().map(in_parts).collect()),
        other => other.clone(),
    }
}

/// Gathers what is asked of each source, in the order of the formulas.
#[derive(Default)]
struct Cutter {
    sources: Vec<Source>,
    by_key: HashMap<Arc<str>, usize>,
    /// Source and cuts of each condition.
    conditions: Vec<(usize, Vec<Cut>)>,
}

impl Cutter {
    fn gather(&mut self, formula: &Formula) {
        match formula {
            Formula::Constant(_) => {}
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| self.gather(part)),
            Formula::Condition(condition) => {
                let source = *self.by_key.entry(condition.source.key().clone()).or_insert_with(|| {
                    self.sources.push(condition.source.clone());
                    self.sources.len().saturating_sub(1)
                });
                let cuts = |range: &Range| [range.from.clone(), range.to.clone()].into_iter().flatten();
                self.conditions.push((source, condition.ranges.iter().flat_map(cuts).collect()));
            }
        }
    }

    /// The axes, and for each condition its own. A source that is cut more often than an axis takes has several.
    fn axes(self) -> (Vec<Axis>, Vec<u16>) {
        let mut by_source: Vec<Vec<usize>> = vec![Vec::new(); self.sources.len()];
        for (at, (source, _)) in self.conditions.iter().enumerate() {
            if let Some(own) = by_source.get_mut(*source) {
                own.push(at);
            }
        }
        let (mut axes, mut axis_of) = (Vec::new(), vec![0_u16; self.conditions.len()]);
        for (source, mut own) in self.sources.into_iter().zip(by_source) {
            let cuts_of = |at: usize| self.conditions.get(at).map_or(&[][..], |(_, cuts)| cuts.as_slice());
            let mut all = distinct(own.iter().flat_map(|at| cuts_of(*at)));
            if all.len() <= CUTS_MAX {
                assign(&own, &axes, &mut axis_of);
                axes.push(Axis::new(source, all));
                continue;
            }
            // Conditions near each other share cuts.
            own.sort_by(|a, b| match (cuts_of(*a).first(), cuts_of(*b).first()) {
                (Some(a), Some(b)) => a.order(b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            });
            let mut rest = own.as_slice();
            while !rest.is_empty() {
                let mut cuts_counted = 0_usize;
                let fits = rest.iter().take_while(|at| {
                    cuts_counted = cuts_counted.saturating_add(cuts_of(**at).len());
                    cuts_counted <= CUTS_MAX
                });
                let (now, later) = rest.split_at(fits.count().max(1).min(rest.len()));
                all = distinct(now.iter().flat_map(|at| cuts_of(*at)));
                assign(now, &axes, &mut axis_of);
                axes.push(Axis::new(source.clone(), all));
                rest = later;
            }
        }
        (axes, axis_of)
    }
}

fn assign(conditions: &[usize], axes: &[Axis], axis_of: &mut [u16]) {
    let axis = u16::try_from(axes.len()).unwrap_or(u16::MAX);
    for condition in conditions {
        if let Some(own) = axis_of.get_mut(*condition) {
            *own = axis;
        }
    }
}

fn distinct<'a>(cuts: impl Iterator<Item = &'a Cut>) -> Vec<Cut> {
    let mut cuts: Vec<&Cut> = cuts.collect();
    cuts.sort_by(|a, b| a.order(b));
    cuts.dedup_by(|a, b| a.order(b).is_eq());
    cuts.into_iter().cloned().collect()
}

/// The formula over codes; `axis_of` gives the axes of its conditions in the order in which they were gathered.
fn node(formula: &Formula, axes: &[Axis], axis_of: &mut impl Iterator<Item = u16>) -> Node {
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
fn joined(mut ranges: Vec<(Code, Code)>) -> Vec<(Code, Code)> {
    ranges.sort_unstable();
    let mut out: Vec<(Code, Code)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match out.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => out.push((low, high)),
        }
    }
    out
}

fn common(a: &[(Code, Code)], b: &[(Code, Code)]) -> Vec<(Code, Code)> {
    let (mut a, mut b, mut out) = (a.iter().peekable(), b.iter().peekable(), Vec::new());
    while let (Some(x), Some(y)) = (a.peek().copied(), b.peek().copied()) {
        let (low, high) = (x.0.max(y.0), x.1.min(y.1));
        if low <= high {
            out.push((low, high));
        }
        if x.1 < y.1 { a.next() } else { b.next() };
    }
    out
}

/// Without constants, nesting and two tests of one axis where one is enough.
fn simplified(node: Node, axes: &[Axis]) -> Node {
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
    let mut tests: Vec<(u16, Vec<(Code, Code)>)> = Vec::new();
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
    match (parts.pop(), parts.is_empty()) {
        (None, _) => Node::Constant(all),
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            if all { Node::All(parts) } else { Node::Any(parts) }
        }
    }
}

/// How many entries of a sample have a code below each, by axis; nothing is known without a sample.
struct Estimate {
    below: Vec<Vec<u32>>,
}

impl Estimate {
    fn of(axes: &[Axis], sample: &Block<'_>) -> Self {
        // Rows that lie together may be alike, so they are taken from everywhere: from as many places as possible.
        let places = sample.len().min(SAMPLE_MAX).div_ceil(PLACE_ROWS).max(1);
        let mut known = Vec::new();
        let below = axes.iter().map(|axis| {
            let mut counts = vec![0_u32; usize::from(axis.code_max()).saturating_add(2)];
            known.clear();
            for place in 0..places {
                let first = sample.len().saturating_mul(place) / places;
                let last = sample.len().min(first.saturating_add(PLACE_ROWS));
                let mut codes = vec![0; last.saturating_sub(first)];
                axis.code_rows(sample, first..last, &mut known, &mut codes);
                for code in codes {
                    if let Some(count) = counts.get_mut(usize::from(code).saturating_add(1)) {
                        *count = count.saturating_add(1);
                    }
                }
            }
            let mut sum = 0_u32;
            for count in &mut counts {
                sum = sum.saturating_add(*count);
                *count = sum;
            }
            counts
        });
        Self { below: below.collect() }
    }

    /// Part of all entries that a node is expected to leave, from 0 to 1; never quite 0, for a sample is no proof.
    fn share(&self, node: &Node, axes: &[Axis]) -> f64 {
        match node {
            Node::Constant(yes) => f64::from(u8::from(*yes)),
            Node::Test(axis, ranges) => {
                let code_max = axes.get(usize::from(*axis)).map_or(0, Axis::code_max);
                let uniform = |low: Code, high: Code| {
                    f64::from(u32::from(high.saturating_sub(low)) + 1) / (f64::from(code_max) + 1.0)
                };
                let counted = self.below.get(usize::from(*axis));
                let share = |(low, high): &(Code, Code)| {
                    let Some(below) = counted else { return uniform(*low, *high) };
                    let at = |code: usize| below.get(code).or(below.last()).copied().unwrap_or_default();
                    let found = at(usize::from(*high).saturating_add(1)).saturating_sub(at(usize::from(*low)));
                    let all = f64::from(below.last().copied().unwrap_or_default().max(1));
                    f64::from(found) / all + uniform(*low, *high) / all
                };
                ranges.iter().map(share).sum::<f64>().min(1.0)
            }
            Node::All(parts) => parts.iter().map(|part| self.share(part, axes)).product(),
            Node::Any(parts) => parts.iter().map(|part| self.share(part, axes)).sum::<f64>().min(1.0),
        }
    }
}

/// Rows of a sample taken from one place.
const PLACE_ROWS: usize = 16;

/// A rule or an alternative of it: where it is filed, and what is left to ask.
struct Filed {
    rule: u32,
    access: Option<(u16, Vec<(Code, Code)>)>,
    rest: Vec<Rest>,
}

#[derive(Clone)]
enum Rest {
    Holds(Node),
    HoldsNot(Node),
}

impl Matcher {
    fn planned(&self, estimate: &Estimate) -> Plan {
        let mut filing = Filing { axes: &self.axes, estimate, filed: Vec::new(), tests: Vec::new(), tables: HashMap::new() };
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
    tests: Vec<Test>,
    /// Tables that several rules look up.
    tables: HashMap<(u16, Vec<(Code, Code)>), Arc<[u8]>>,
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
        let mut sections: HashMap<Option<u16>, Section> = HashMap::new();
        for filed in std::mem::take(&mut self.filed) {
            let first = count(&self.tests);
            let mut rest = filed.rest;
            let shares = |rest: &Rest| match rest {
                Rest::Holds(node) => self.share(node),
                Rest::HoldsNot(node) => 1.0 - self.share(node),
            };
            rest.sort_by(|a, b| shares(a).total_cmp(&shares(b)));
            let axis = filed.access.as_ref().map(|(axis, _)| *axis);
            let section = sections
                .entry(axis)
                .or_insert_with(|| Section { axis, looks_at: Vec::new(), pieces: Vec::new() });
            for rest in &rest {
                let test = match rest {
                    Rest::Holds(node) => self.test(node, &mut section.looks_at),
                    Rest::HoldsNot(node) => Test::Not([self.test(node, &mut section.looks_at)].into()),
                };
                self.tests.push(test);
            }
            let tests = first..count(&self.tests);
            let ranges = filed.access.map_or(vec![(0, Code::MAX)], |(_, ranges)| ranges);
            section.pieces.extend(ranges.into_iter().map(|(low, high)| Piece {
                rule: filed.rule,
                low,
                high,
                tests: tests.clone(),
            }));
        }
        let mut sections: Vec<Section> = sections.into_values().collect();
        sections.sort_by_key(|section| section.axis);
        for section in &mut sections {
            // Runs that lie side by side are read one after the other.
            section.pieces.sort_by_key(|piece| (piece.low, piece.high, piece.rule));
        }
        Plan { sections, tests: self.tests }
    }

    fn test(&mut self, node: &Node, looks_at: &mut Vec<u16>) -> Test {
        match node {
            Node::Test(axis, ranges) => {
                if !looks_at.contains(axis) {
                    looks_at.push(*axis);
                }
                let width = |(low, high): &(Code, Code)| (*low, high.saturating_sub(*low));
                match ranges.as_slice() {
                    [only] => Test::Within { axis: *axis, low: only.0, width: width(only).1 },
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

fn count(tests: &[Test]) -> u32 {
    u32::try_from(tests.len()).unwrap_or(u32::MAX)
}
