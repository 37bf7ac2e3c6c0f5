//! A tree of XML read by the names of its elements.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use rust_decimal::Decimal;
use spine::tree::{NodeId, Tree};
use spine::{Finding, Severity};

use crate::declaration::value;

/// Findings that are told.
const FINDINGS_MAX: usize = 100;

/// A message that is being read: its tree, and what is wrong with it.
pub(crate) struct Reading<'t> {
    pub(crate) tree: &'t Tree,
    findings: Vec<Finding>,
}

impl<'t> Reading<'t> {
    /// Begins with what was found already.
    pub(crate) fn new(tree: &'t Tree, findings: Vec<Finding>) -> Self {
        Self { tree, findings }
    }

    /// What was read with the remarks on it, or what is wrong with it.
    pub(crate) fn finish<T>(self, read: T) -> Result<(T, Vec<Finding>), Vec<Finding>> {
        if self.findings.iter().any(|finding| finding.severity == Severity::Error) {
            Err(self.findings)
        } else {
            Ok((read, self.findings))
        }
    }

    /// Tells what is wrong at a node.
    pub(crate) fn tell(&mut self, at: NodeId, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding.at(self.tree.pointer(at)));
        }
    }

    /// Passes on what was found elsewhere.
    pub(crate) fn pass(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX || finding.severity == Severity::Error {
            self.findings.push(finding);
        }
    }

    /// The first child of a name.
    pub(crate) fn child(&self, of: NodeId, name: &str) -> Option<NodeId> {
        self.tree.children_named(of, name).next()
    }

    /// All children of a name.
    pub(crate) fn children(&self, of: NodeId, name: &str) -> Vec<NodeId> {
        self.tree.children_named(of, name).collect()
    }

    /// The text of a child, if it has one.
    pub(crate) fn text(&self, of: NodeId, name: &str) -> Option<&'t str> {
        Some(self.tree.text(self.child(of, name)?)).filter(|text| !text.is_empty())
    }

    /// The same as a text of its own.
    pub(crate) fn owned(&self, of: NodeId, name: &str) -> Option<String> {
        self.text(of, name).map(str::to_owned)
    }

    /// The text of a child as what it means; where it means nothing, that is told.
    pub(crate) fn parsed<T>(
        &mut self,
        of: NodeId,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Finding>,
    ) -> Option<T> {
        let text = self.text(of, name)?;
        let at = self.child(of, name)?;
        parse(text).map_err(|finding| self.tell(at, finding)).ok()
    }

    pub(crate) fn count(&mut self, of: NodeId, name: &str) -> Option<u32> {
        self.parsed(of, name, value::count)
    }

    pub(crate) fn number(&mut self, of: NodeId, name: &str) -> Option<Decimal> {
        self.parsed(of, name, value::number)
    }

    /// The moment in a child that holds a `DateTimeString`.
    pub(crate) fn time(&mut self, of: NodeId, name: &str) -> Option<Timestamp> {
        let outer = self.child(of, name)?;
        self.parsed(outer, "DateTimeString", moment)
    }

    /// Every child of a name, read.
    pub(crate) fn each<T>(
        &mut self,
        of: NodeId,
        name: &str,
        mut read: impl FnMut(&mut Self, NodeId) -> T,
    ) -> Vec<T> {
        self.children(of, name).into_iter().map(|at| read(self, at)).collect()
    }
}

/// A moment of format 304 (`20260331140509Z`, or with an offset in hours) or the beginning of a day of format 102.
fn moment(text: &str) -> Result<Timestamp, Finding> {
    let refused = || {
        Finding::error("date_not_understood")
            .found(text)
            .expected("a date of format 304 (20260331140509Z) or 102 (20260331), of the years 2000 to 2099")
            .fix("Correct the date.")
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (local, zone) = text.split_at_checked(digits).ok_or_else(refused)?;
    let local = match digits {
        8 => Date::strptime("%Y%m%d", local).map(|day| day.at(0, 0, 0, 0)),
        _ => DateTime::strptime("%Y%m%d%H%M%S", local),
    };
    let offset = match zone {
        "" | "Z" => Ok(Offset::UTC),
        _ => zone
            .parse::<i8>()
            .map_err(|_| refused())
            .and_then(|hours| Offset::from_hours(hours).map_err(|_| refused())),
    };
    let local = local.map_err(|_| refused()).ok().filter(|_| matches!(digits, 8 | 14)).ok_or_else(refused)?;
    let moment = offset?.to_timestamp(local).ok();
    // The schemas of DMS know the years of one century.
    moment
        .filter(|moment| (2000..=2099).contains(&Offset::UTC.to_datetime(*moment).year()))
        .ok_or_else(refused)
}
