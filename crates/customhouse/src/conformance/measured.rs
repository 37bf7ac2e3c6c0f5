//! Boards that were measured: what a house says of itself, for everybody who works with it.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `record_board(&reader, &Board) -> u64` | the position of what was recorded | manage packs |
//! | `measured_boards() -> Vec<SuiteBoards>` | of each suite that was ever measured the latest board, and the one before | none |
//!
//! Event: `conformance.measured`, version 1, stream `conformance/SUITE`; its payload is a [`Measured`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Board, Case, suites};
use crate::error::Error;
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

/// A suite was run.
const MEASURED: &str = "conformance.measured";
/// Disagreements that an event keeps; the number of all is told by the sums.
const DISAGREEMENTS_MAX: usize = 200;
/// Lines that it keeps.
const LINES_MAX: usize = 200;
/// Longest text of a case or line that it keeps.
const TEXT_CHARACTERS_MAX: usize = 500;
/// Events read of a stream at once.
const EVENTS_AT_ONCE: usize = 50;

/// `conformance.measured`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The suite.
    pub suite: String,
    /// Judged cases on which both sides agree.
    pub agreed: u64,
    /// Judged cases.
    pub total: u64,
    /// Further figures, as lines: the first 200.
    pub lines: Vec<String>,
    /// The first 200 cases on which the sides disagree.
    pub disagreements: Vec<Case>,
    /// How many cases were not judged.
    pub skipped: u64,
    /// Version of the program that judged.
    pub program_version: String,
}

impl Measured {
    fn of(board: &Board) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let cut = |text: &str| text.chars().take(TEXT_CHARACTERS_MAX).collect::<String>();
        let disagreements = board.disagreements().take(DISAGREEMENTS_MAX).map(|case| Case {
            case: cut(&case.case),
            expected: cut(&case.expected),
            got: cut(&case.got),
            because: case.because.as_deref().map(cut),
        });
        Self {
            suite: board.suite.to_owned(),
            agreed: count(board.agreed),
            total: count(board.total),
            lines: board.lines.iter().take(LINES_MAX).map(|line| cut(line)).collect(),
            disagreements: disagreements.collect(),
            skipped: count(board.skipped.len()),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// On how many judged cases the sides disagree, whether they are kept here or not.
    #[must_use]
    pub fn disagreed(&self) -> u64 {
        self.total.saturating_sub(self.agreed)
    }
}

/// A board with when it was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeasuredBoard {
    /// When.
    pub at: Timestamp,
    /// Position in the journal.
    pub position: u64,
    /// What came out.
    #[serde(flatten)]
    pub board: Measured,
}

/// The sums of an earlier board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EarlierBoard {
    /// When.
    pub at: Timestamp,
    /// Position in the journal.
    pub position: u64,
    /// Judged cases on which both sides agreed.
    pub agreed: u64,
    /// Judged cases.
    pub total: u64,
    /// Version of the program that judged.
    pub program_version: String,
}

impl From<MeasuredBoard> for EarlierBoard {
    fn from(earlier: MeasuredBoard) -> Self {
        let MeasuredBoard { at, position, board } = earlier;
        let Measured { agreed, total, program_version, .. } = board;
        Self { at, position, agreed, total, program_version }
    }
}

/// How a suite came out last, and the time before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuiteBoards {
    /// The last board.
    #[serde(flatten)]
    pub latest: MeasuredBoard,
    /// The one before it, where there is one.
    pub before: Option<EarlierBoard>,
}

fn stream(suite: &str) -> String {
    format!("conformance/{suite}")
}

impl Customhouse {
    /// Records how a suite came out, for the page that everybody sees, and answers with the position in the journal.
    ///
    /// # Errors
    /// The reader may not, or the journal refuses.
    pub fn record_board(&self, reader: &Reader, board: &Board) -> Result<u64, Error> {
        reader.require(Permission::ManagePacks)?;
        let payload = serde_json::to_value(Measured::of(board))
            .map_err(|error| Error::internal("event_unwritable", &error))?;
        self.record(reader, Fact::new(&stream(board.suite), MEASURED, payload))
    }

    /// How each suite that was ever measured here came out last, in the order of their names. Everybody who works with
    /// the house may know: there is nothing of any declaration in it.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn measured_boards(&self) -> Result<Vec<SuiteBoards>, Error> {
        suites().filter_map(|suite| self.last_boards(suite).transpose()).collect()
    }

    fn last_boards(&self, suite: &str) -> Result<Option<SuiteBoards>, Error> {
        let (mut latest, mut before) = (None, None);
        let mut version = 0;
        loop {
            let events = self.journal.read_stream(&stream(suite), version, EVENTS_AT_ONCE)?;
            let Some(last) = events.last() else { break };
            version = last.envelope.stream_version;
            for event in events {
                let known = event.envelope.kind == MEASURED && event.envelope.kind_version == 1;
                let payload = event.payload.value().filter(|_| known);
                let Some(board) = payload.and_then(|own| serde_json::from_value(own.clone()).ok()) else {
                    continue;
                };
                before = latest.take();
                latest =
                    Some(MeasuredBoard { at: event.envelope.occurred_at, position: event.position, board });
            }
        }
        Ok(latest.map(|latest| SuiteBoards { latest, before: before.map(EarlierBoard::from) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Role;

    fn board(suite: &'static str, agreed: usize, total: usize) -> Board {
        let case = |at: usize| Case {
            case: format!("{at}.xml"),
            expected: "valid".to_owned(),
            got: if at < agreed { "valid" } else { "refused" }.to_owned(),
            because: (at >= agreed).then(|| "é".repeat(TEXT_CHARACTERS_MAX + 1)),
        };
        Board {
            suite,
            agreed,
            total,
            cases: (0..total).map(case).collect(),
            skipped: Vec::new(),
            lines: vec!["class rejected: 5/5".to_owned(); LINES_MAX + 1],
        }
    }

    #[test]
    fn the_last_board_of_each_suite_stands_beside_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let house = Customhouse::open(&folder.path().join("data")).unwrap();
        assert_eq!(house.measured_boards().unwrap(), []);
        let operator = Reader::local_operator();
        for (suite, agreed, total) in
            [("ncts", 1, 4), ("cds-xsd", 7, 7), ("ncts", 2, 4), ("ncts", 0, DISAGREEMENTS_MAX + 50)]
        {
            house.record_board(&operator, &board(suite, agreed, total)).unwrap();
        }
        let boards = house.measured_boards().unwrap();
        let sums: Vec<_> = boards
            .iter()
            .map(|own| {
                let before = own.before.as_ref().map(|before| (before.agreed, before.total));
                (own.latest.board.suite.as_str(), own.latest.board.agreed, own.latest.board.total, before)
            })
            .collect();
        assert_eq!(sums, [("cds-xsd", 7, 7, None), ("ncts", 0, 250, Some((2, 4)))]);
        // What an event keeps is bounded, and the sums still tell all.
        let ncts = &boards[1].latest.board;
        assert_eq!((ncts.disagreements.len(), ncts.lines.len(), ncts.disagreed()), (200, 200, 250));
        let because = ncts.disagreements[0].because.as_ref().unwrap();
        assert_eq!(because.chars().count(), TEXT_CHARACTERS_MAX);
        assert_eq!(ncts.program_version, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn whoever_may_not_manage_packs_records_no_board() {
        let folder = tempfile::tempdir().unwrap();
        let house = Customhouse::open(&folder.path().join("data")).unwrap();
        for role in Role::ALL {
            let recorded = house.record_board(&Reader::new("x", role), &board("ncts", 1, 1));
            assert_eq!(recorded.is_ok(), role == Role::Admin, "{role:?}");
        }
    }

    #[test]
    fn a_board_that_was_recorded_is_read_for_ever() {
        let written = r#"{"agreed":1,"disagreements":[{"case":"a.xml","expected":"valid","got":"refused"}],"lines":["class valid: 1/2"],"program_version":"0.1.0","skipped":3,"suite":"ncts","total":2}"#;
        let read: Measured = serde_json::from_str(written).unwrap();
        assert_eq!((read.agreed, read.total, read.skipped, read.disagreed()), (1, 2, 3, 1));
        let again: serde_json::Value = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), again);
    }
}
