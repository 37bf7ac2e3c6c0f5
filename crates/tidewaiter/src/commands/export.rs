//! `tidewaiter export`: everything in open formats.

use customhouse::Error;
use customhouse::backup::export;

use super::{Answer, Context, shown};
use crate::arguments::ExportArguments;
use crate::terminal;

pub(super) fn run(arguments: &ExportArguments, context: &Context) -> Result<Answer, Error> {
    let exported = export(&arguments.data.location(), &arguments.to, &context.progress)?;
    context.progress.finish();
    if arguments.json {
        terminal::json(&exported)?;
        return Ok(Answer::Done);
    }
    let number = u64::try_from(exported.files.len()).unwrap_or(u64::MAX);
    let bytes = exported.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
    terminal::line(&format!(
        "exported {} of {} ({} erased) in {}, {} bytes; README says what each is",
        shown::counted(exported.events, "event", "events"),
        exported.node,
        shown::count(exported.erased),
        shown::counted(number, "file", "files"),
        shown::count(bytes)
    ))?;
    Ok(Answer::Done)
}
