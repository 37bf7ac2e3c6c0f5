//! `tidewaiter backup`: a house into a folder elsewhere, while it is served.

use customhouse::Error;
use customhouse::backup::{BackedUp, BackupOptions, back_up};

use super::{Answer, Context, shown};
use crate::arguments::BackupArguments;
use crate::terminal;

pub(super) fn run(arguments: &BackupArguments, context: &Context) -> Result<Answer, Error> {
    let options = BackupOptions { check: arguments.check };
    let done = back_up(&arguments.data.location(), &arguments.to, options, &context.progress)?;
    context.progress.finish();
    if arguments.json {
        terminal::json(&done)?
    } else {
        print(&done)?
    }
    Ok(Answer::of(!done.lost_by_the_folder.is_empty()))
}

fn print(done: &BackedUp) -> Result<(), Error> {
    if done.went_on {
        terminal::line("went on with a run that had not ended")?;
    }
    let new = &done.carried;
    terminal::line(&format!(
        "carried {}, {}, {} of the pool, {} of the log and {}: {} bytes",
        shown::counted(new.events, "event", "events"),
        shown::counted(new.blobs, "document", "documents"),
        shown::counted(new.parquet, "file", "files"),
        shown::counted(new.tiles, "tile", "tiles"),
        shown::counted(new.files, "other file", "other files"),
        shown::count(new.bytes)
    ))?;
    if new.erasures > 0 {
        let events = shown::counted(new.erasures, "event", "events");
        terminal::line(&format!("destroyed what {events} said, which was erased since"))?;
    }
    let log = match &done.log {
        Some(log) => format!("the log signed {} of them, root {}", shown::count(log.size), log.root),
        None => "the log has signed nothing yet".to_owned(),
    };
    terminal::line(&format!(
        "the backup of {} holds {}; {log}",
        done.node,
        shown::counted(done.events, "event", "events")
    ))?;
    for lost in &done.lost_by_the_folder {
        terminal::line(&format!("{lost}: the data folder no longer has it, the backup keeps it"))?;
    }
    Ok(())
}
