//! Conformance suites: real messages with recorded verdicts, and whether we come to the same ones.
//!
//! A suite reads a folder that is laid out as its page says (docs/conformance.md) and works on cases it has never seen.
//! The comparer stands apart: a suite says what it makes of each case from the messages alone, and only then are the
//! expectations read. One file a suite; [`SUITES`] is the list.

mod cds_lifecycle;
mod cds_reject;
mod cds_rules;
mod cds_tax;
mod cds_xsd;
mod ens_rules;
mod ens_schema;
mod house;
mod material;
mod measured;
mod ncts;
#[cfg(test)]
mod notification_tests;
mod public_rules;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use material::Material;
pub use measured::{EarlierBoard, Measured, MeasuredBoard, SuiteBoards};

/// One suite.
struct Suite {
    name: &'static str,
    /// What comes out of each case, from what a system would be given; expectations are not looked at.
    judge: fn(&Material) -> Result<Judged, Error>,
    /// What was recorded of each case.
    expect: fn(&Material) -> Result<Expectations, Error>,
}

const SUITES: &[Suite] = &[
    Suite { name: cds_lifecycle::NAME, judge: cds_lifecycle::judge, expect: cds_lifecycle::expect },
    Suite { name: "cds-reject", judge: cds_reject::judge, expect: cds_reject::expect },
    Suite { name: "cds-rules", judge: cds_rules::judge, expect: cds_rules::expect },
    Suite { name: "cds-tax", judge: cds_tax::judge, expect: cds_tax::expect },
    Suite { name: "cds-xsd", judge: cds_xsd::judge, expect: cds_xsd::expect },
    Suite { name: "ens-rules", judge: ens_rules::judge, expect: ens_rules::expect },
    Suite { name: "ens-schema", judge: ens_schema::judge, expect: ens_schema::expect },
    Suite { name: "ncts", judge: ncts::judge, expect: ncts::expect },
];

/// The names of all suites.
pub fn suites() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|suite| suite.name)
}

/// What came out of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Got {
    got: String,
    /// The first finding, for whoever looks at a disagreement.
    because: Option<String>,
}

/// What came out of a suite's cases, by case.
#[derive(Debug, Default)]
struct Judged {
    cases: BTreeMap<String, Got>,
    skipped: Vec<Skipped>,
    /// What the suite has to say besides.
    lines: Vec<String>,
}

/// What is expected of a case.
#[derive(Debug, Clone)]
enum Expectation {
    Verdict(String),
    /// One of these, for a reason that is told.
    Explained {
        verdicts: Vec<String>,
        why: String,
    },
    /// This, as far as it was recorded: `agrees` with what was recorded and what came out.
    Stated {
        verdict: String,
        agrees: fn(&str, &str) -> bool,
    },
    /// Nothing was recorded.
    None(String),
}

type Expectations = BTreeMap<String, Expectation>;

/// A case with both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its path below the folder of cases, or its name.
    pub case: String,
    /// What was recorded.
    pub expected: String,
    /// What came out here.
    pub got: String,
    /// Why, where that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A case that is not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its path or name.
    pub case: String,
    /// Why it is not judged.
    pub why: String,
}

/// How a suite came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    /// The suite.
    pub suite: &'static str,
    /// Judged cases on which both sides agree.
    pub agreed: usize,
    /// Judged cases.
    pub total: usize,
    /// Every judged case.
    pub cases: Vec<Case>,
    /// Every other one.
    pub skipped: Vec<Skipped>,
    /// Further figures that the suite's page asks for, as lines.
    pub lines: Vec<String>,
}

impl Board {
    /// Do both sides agree on every judged case?
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.agreed == self.total
    }

    /// The cases on which they do not.
    pub fn disagreements(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.expected != case.got)
    }

    /// `cds-xsd: 528/528`.
    #[must_use]
    pub fn last_line(&self) -> String {
        format!("{}: {}/{}", self.suite, self.agreed, self.total)
    }
}

/// Runs a suite on a folder of cases, or on the one named `messages` in it.
///
/// # Errors
/// There is no such suite, the folder lacks what the suite reads, or a schema in it does not compile.
pub fn run(suite: &str, folder: &Path) -> Result<Board, Error> {
    let Some(suite) = SUITES.iter().find(|known| known.name == suite) else {
        let known: Vec<&str> = suites().collect();
        return Err(Error::new(
            Kind::NotFound,
            "conformance_suite_unknown",
            format!("there is no suite \"{suite}\""),
            format!("Suites there are: {}.", known.join(", ")),
        ));
    };
    let material = Material::open(folder)?;
    let judged = (suite.judge)(&material)?;
    let expectations = (suite.expect)(&material)?;
    let board = compare(suite.name, judged, expectations);
    if board.total == 0 {
        return Err(Error::new(
            Kind::NotFound,
            "conformance_cases_missing",
            format!("{} has no cases of {}", folder.display(), suite.name),
            "Name the folder of the cases with --cases; docs/conformance.md says how it is laid out.",
        ));
    }
    Ok(board)
}

/// One line for each class that was recorded: where most cases are of one class, the others say more.
fn by_class(cases: &[Case]) -> Vec<String> {
    let mut classes: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for case in cases {
        let (agreed, total) = classes.entry(&case.expected).or_default();
        *agreed = agreed.saturating_add(usize::from(case.expected == case.got));
        *total = total.saturating_add(1);
    }
    classes.iter().map(|(class, (agreed, total))| format!("class {class}: {agreed}/{total}")).collect()
}

fn compare(suite: &'static str, judged: Judged, mut expectations: Expectations) -> Board {
    let mut board =
        Board { suite, agreed: 0, total: 0, cases: Vec::new(), skipped: judged.skipped, lines: judged.lines };
    for (case, got) in judged.cases {
        match expectations.remove(&case) {
            Some(Expectation::Verdict(expected)) => {
                board.cases.push(Case { case, expected, got: got.got, because: got.because });
            }
            Some(Expectation::Explained { verdicts, why }) => {
                // Where it is one of them, that is what was expected.
                let expected = verdicts.iter().find(|one| **one == got.got).or(verdicts.first());
                let expected = expected.cloned().unwrap_or_default();
                board.lines.push(format!("{case}: {why}"));
                board.cases.push(Case { case, expected, got: got.got, because: got.because });
            }
            Some(Expectation::Stated { verdict, agrees }) => {
                let expected = if agrees(&verdict, &got.got) { got.got.clone() } else { verdict };
                board.cases.push(Case { case, expected, got: got.got, because: got.because });
            }
            Some(Expectation::None(why)) => board.skipped.push(Skipped { case, why }),
            None => board.skipped.push(Skipped { case, why: "no verdict was recorded".to_owned() }),
        }
    }
    // A verdict on something that was not there to be judged is no agreement.
    for (case, expected) in expectations {
        let already = board.skipped.iter().any(|skipped| skipped.case == case);
        match expected {
            Expectation::Explained { .. } if !already => {
                let (expected, got) = ("something that is explained".to_owned(), "no such case".to_owned());
                board.cases.push(Case { case, expected, got, because: None });
            }
            Expectation::Verdict(expected) | Expectation::Stated { verdict: expected, .. } if !already => {
                board.cases.push(Case { case, expected, got: "no such case".to_owned(), because: None });
            }
            Expectation::None(why) if !already => board.skipped.push(Skipped { case, why }),
            _ => {}
        }
    }
    board.total = board.cases.len();
    board.agreed = board.total.saturating_sub(board.disagreements().count());
    if suite == cds_lifecycle::NAME {
        let classes = by_class(&board.cases);
        board.lines.extend(classes);
    }
    board
}
