//! `tidewaiter conformance`: cases of others, and whether we say of them what they say.

use customhouse::{Error, conformance};

use super::Answer;
use crate::arguments::ConformanceArguments;
use crate::terminal;

pub(super) fn run(arguments: &ConformanceArguments) -> Result<Answer, Error> {
    let board = conformance::run(&arguments.suite, &arguments.cases)?;
    if arguments.json {
        terminal::json(&board)?;
    } else {
        for skipped in &board.skipped {
            terminal::line(&format!("skipped {}: {}", skipped.case, skipped.why))?;
        }
        for case in board.disagreements() {
            let because = case.because.as_ref().map(|because| format!(" ({because})")).unwrap_or_default();
            terminal::line(&format!("{}: expected {}, got {}{because}", case.case, case.expected, case.got))?;
        }
        for line in &board.lines {
            terminal::line(line)?;
        }
        terminal::line(&board.last_line())?;
    }
    Ok(Answer::of(!board.agrees()))
}
