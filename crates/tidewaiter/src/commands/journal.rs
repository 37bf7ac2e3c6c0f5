//! `tidewaiter journal`: a journal carried from one store to the other.

use customhouse::Error;
use customhouse::journal_copy::copy_journal;

use super::{Answer, Context, shown};
use crate::arguments::JournalCommand;
use crate::terminal;

pub(super) fn run(command: &JournalCommand, context: &Context) -> Result<Answer, Error> {
    match command {
        JournalCommand::Copy { from, to, json } => {
            let copied = copy_journal(from, to, &context.progress)?;
            context.progress.finish();
            if *json {
                terminal::json(&copied)?;
            } else {
                terminal::line(&format!(
                    "both hold {}, of which {} were carried now, with {}; the log over either has the root {}",
                    shown::counted(copied.events, "event", "events"),
                    shown::count(copied.events_carried),
                    shown::counted(copied.blobs_carried, "blob", "blobs"),
                    copied.root
                ))?;
            }
        }
    }
    Ok(Answer::Done)
}
