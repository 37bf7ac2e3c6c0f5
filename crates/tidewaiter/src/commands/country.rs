//! `tidewaiter country`: a synthetic administration's records, with the truth beside them.

use std::fs;
use std::path::{Path, PathBuf};

use country::{CountryError, Preset, Settings, Summary, World};
use customhouse::{Error, Kind, offline};
use spine::{EntryTable, Progress, Value, declaration_entry};

use super::{Answer, Context, shown};
use crate::arguments::{CountryArguments, CountryPreset};
use crate::{made_up, terminal};

/// Files of one folder of declarations.
const FILES_PER_FOLDER: usize = 1_000;

pub(super) fn run(arguments: &CountryArguments, context: &Context) -> Result<Answer, Error> {
    let preset = match arguments.preset {
        CountryPreset::Ordinary => Preset::Ordinary,
        CountryPreset::Null => Preset::Null,
    };
    let settings = Settings {
        seed: arguments.seed,
        declarations: arguments.declarations,
        preset,
        ring_begins: arguments.ring_begins,
        ..Settings::default()
    };
    // The same country twice at once: as the files of an administration, and as entries and messages.
    let (files, records) = std::thread::scope(|scope| {
        let records = scope.spawn(|| Records::make(settings.clone(), arguments.dms));
        let files = country::write(settings.clone(), &arguments.out, &context.progress);
        (files, records.join())
    });
    let summary = files.map_err(|error| failed(&error))?;
    let records = records.map_err(|_| Error::internal("country_failed", &"its maker stopped"))??;
    let more = records.write(&arguments.out, &context.progress)?;
    context.progress.finish();
    print(&summary, &more)?;
    Ok(Answer::Done)
}

/// What is written beside the files of comma-separated values.
struct Records {
    table: EntryTable,
    /// Declaration number and message of the last declarations.
    messages: Vec<(String, Vec<u8>)>,
}

impl Records {
    fn make(settings: Settings, messages_wanted: u64) -> Result<Self, Error> {
        let from = settings.declarations.saturating_sub(messages_wanted);
        let world = World::new(settings).map_err(|error| failed(&error))?;
        let mut records =
            Self { table: EntryTable::empty(declaration_entry::schema()), messages: Vec::new() };
        for consignment in world.declarations() {
            if terminal::cancelled() {
                return Err(Error::cancelled());
            }
            if consignment.number > from {
                let first = consignment.items.first().and_then(|item| item.value("declaration_id"));
                let number = first.map(Value::to_string).unwrap_or_default();
                let declaration = made_up::declaration(&number, &consignment.items);
                records.messages.push((number, offline::declaration_as_dms(&declaration)));
            }
            for item in consignment.items {
                // Values are of the schema's types: a test of the country pushes every field.
                let _ = records.table.push(item.into_values());
            }
        }
        Ok(records)
    }

    fn write(&self, folder: &Path, progress: &dyn Progress) -> Result<Vec<PathBuf>, Error> {
        let parquet = folder.join("declarations.parquet");
        offline::write_parquet(&parquet, &self.table, progress)?;
        let dms = folder.join("dms");
        let beside = folder.join(format!(".dms.{}.part", std::process::id()));
        let written = self.write_messages(&beside, progress).and_then(|()| {
            if dms.exists() {
                fs::remove_dir_all(&dms).map_err(|error| Error::io("folder_unwritable", &dms, &error))?;
            }
            fs::rename(&beside, &dms).map_err(|error| Error::io("folder_unwritable", &dms, &error))
        });
        if written.is_err() {
            // The half-written neighbour is of no use to anyone; failing to remove it changes nothing.
            let _ = fs::remove_dir_all(&beside);
        }
        written.map(|()| vec![parquet, dms])
    }

    fn write_messages(&self, folder: &Path, progress: &dyn Progress) -> Result<(), Error> {
        let total = u64::try_from(self.messages.len()).unwrap_or(u64::MAX);
        fs::create_dir_all(folder).map_err(|error| Error::io("folder_unwritable", folder, &error))?;
        for (part, messages) in (0_u64..).zip(self.messages.chunks(FILES_PER_FOLDER)) {
            let part = folder.join(format!("{part:04}"));
            fs::create_dir(&part).map_err(|error| Error::io("folder_unwritable", &part, &error))?;
            for (at, (number, message)) in (0_u64..).zip(messages) {
                if progress.cancelled() {
                    return Err(Error::cancelled());
                }
                progress.report("writing_messages", at, total);
                let path = part.join(format!("{number}.xml"));
                fs::write(&path, message).map_err(|error| Error::io("file_unwritable", &path, &error))?;
            }
        }
        Ok(())
    }
}

fn print(summary: &Summary, more: &[PathBuf]) -> Result<(), Error> {
    for file in summary.files.iter().chain(more) {
        terminal::line(&format!("wrote {}", file.display()))?;
    }
    terminal::line(&format!(
        "SIMULATED: {} declarations of {} goods items, {} inspected, {} of them found irregular; {} are in truth",
        shown::count(summary.declarations),
        shown::count(summary.items),
        shown::count(summary.inspected),
        shown::count(summary.found),
        shown::count(summary.irregular),
    ))
}

/// What a country says, as the house says it.
pub(crate) fn failed(error: &CountryError) -> Error {
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
