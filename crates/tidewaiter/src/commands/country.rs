//! `tidewaiter country`: a synthetic administration's records, with the truth beside them.

use country::{CountryError, Preset, Settings};
use customhouse::{Error, Kind};

use super::{Answer, Context, shown};
use crate::arguments::{CountryArguments, CountryPreset};
use crate::terminal;

pub(super) fn run(arguments: &CountryArguments, context: &Context) -> Result<Answer, Error> {
    let preset = match arguments.preset {
        CountryPreset::Ordinary => Preset::Ordinary,
        CountryPreset::Null => Preset::Null,
    };
    let settings = Settings {
        seed: arguments.seed,
        declarations: arguments.declarations,
        preset,
        ..Settings::default()
    };
    let summary =
        country::write(settings, &arguments.out, &context.progress).map_err(|error| failed(&error))?;
    context.progress.finish();
    for file in &summary.files {
        terminal::line(&format!("wrote {}", file.display()))?;
    }
    terminal::line(&format!(
        "SIMULATED: {} declarations of {} goods items, {} inspected, {} of them found irregular; {} are in truth",
        shown::count(summary.declarations),
        shown::count(summary.items),
        shown::count(summary.inspected),
        shown::count(summary.found),
        shown::count(summary.irregular),
    ))?;
    Ok(Answer::Done)
}

fn failed(error: &CountryError) -> Error {
    match error {
        CountryError::Io { path, cause } => Error::io(error.code(), path, cause),
        CountryError::Cancelled => Error::cancelled(),
        CountryError::FolderForeign(_)
        | CountryError::TooMany { .. }
        | CountryError::Days { .. }
        | CountryError::Codes(_) => {
            // The message ends with the remedy.
            Error::new(Kind::Refused, error.code(), error.to_string(), "")
        }
        CountryError::Parameters { .. } => Error::internal(error.code(), error),
    }
}
