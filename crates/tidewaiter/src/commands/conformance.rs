//! `tidewaiter conformance`: cases of others, and whether we say of them what they say.

use customhouse::{Error, Location, conformance};

use super::{Answer, open_at};
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
    if let Some(data) = &arguments.data {
        let place = Location {
            data: data.clone(),
            database: arguments.database.clone(),
            shared: arguments.shared.clone(),
        };
        let (house, reader) = open_at(&place)?;
        let position = house.record_board(&reader, &board)?;
        terminal::note(&format!("recorded at position {position}: the page /conformance shows it"));
    }
    Ok(Answer::of(!board.agrees()))
}
