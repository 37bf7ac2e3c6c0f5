//! A country as the files an administration would hand over, and the truth in a folder beside them.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use spine::{Progress, Value};

use crate::draw::decimal;
use crate::error::CountryError;
use crate::item::Item;
use crate::register::role_name;
use crate::world::{Settings, World};

/// What inspections found: fields that stand in `outcomes.csv`, beside the number of declaration and item.
const OUTCOME_COLUMNS: [&str; 6] =
    ["inspected", "officer_id", "inspected_at", "irregular", "outcome_code", "recovered_revenue"];

const TRUTH_COLUMNS: [&str; 13] = [
    "declaration_id",
    "item_number",
    "irregular",
    "scheme",
    "method",
    "true_commodity_code",
    "true_origin_country",
    "true_value",
    "true_net_mass",
    "duty_evaded",
    "found",
    "covered_up",
    "simulated",
];

const REGISTER_COLUMNS: [&str; 10] =
    ["id", "role", "name", "address", "phone", "owner", "registered_on", "closed_on", "trusted", "simulated"];

const CHARACTER_COLUMNS: [&str; 7] =
    ["id", "role", "character", "skill", "partner", "predecessor", "simulated"];

const README: &str = include_str!("../truth-readme.md");

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Declarations.
    pub declarations: u64,
    /// Declared items.
    pub items: u64,
    /// Inspected items.
    pub inspected: u64,
    /// Irregular items, found or not.
    pub irregular: u64,
    /// Irregular items that an inspection found.
    pub found: u64,
    /// Files, in the order of writing.
    pub files: Vec<PathBuf>,
}

impl Summary {
    fn count(&mut self, item: &Item) {
        let truth = &item.truth;
        self.items = self.items.saturating_add(1);
        self.inspected = self.inspected.saturating_add(u64::from(truth.inspected));
        self.irregular = self.irregular.saturating_add(u64::from(truth.irregular()));
        self.found = self.found.saturating_add(u64::from(truth.found));
    }
}

/// A file that appears under its name only when it is whole.
struct WholeFile {
    path: PathBuf,
    part: PathBuf,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl WholeFile {
    fn create(path: PathBuf, header: &[&str]) -> Result<Self, CountryError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = File::create(&part).map_err(|error| CountryError::io(&part, error))?;
        let mut whole =
            Self { path, part, writer: Some(csv::WriterBuilder::new().from_writer(BufWriter::new(file))) };
        whole.row(header)?;
        Ok(whole)
    }

    fn row<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> Result<(), CountryError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.write_record(cells).map_err(|error| CountryError::io(&self.path, cause(error)))
    }

    /// Flushes to the disk and takes the name.
    fn finish(mut self) -> Result<PathBuf, CountryError> {
        let fail = |error| CountryError::io(&self.path, error);
        if let Some(mut writer) = self.writer.take() {
            writer.flush().map_err(fail)?;
            let buffer = writer.into_inner().map_err(|error| fail(error.into_error()))?;
            buffer.get_ref().sync_all().map_err(fail)?;
        }
        fs::rename(&self.part, &self.path).map_err(fail)?;
        Ok(self.path.clone())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // After `finish` there is nothing left to remove; before it, the part is of no use to anyone.
        let _ = fs::remove_file(&self.part);
    }
}

/// The file system's own error, so that a full disk is told as one.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn cell(value: Option<&Value>) -> String {
    value.map(Value::to_string).unwrap_or_default()
}

/// Makes a country and writes `declarations.csv`, `outcomes.csv`, the register `parties.csv` as of the last day of the
/// history, `truth/truth.csv`, `truth/parties.csv` and `truth/README.md`. Everything appears whole or not at all.
pub fn write(settings: Settings, folder: &Path, progress: &dyn Progress) -> Result<Summary, CountryError> {
    let asked = settings.declarations;
    let world = World::new(settings)?;
    let truth_folder = folder.join("truth");
    refuse_foreign(folder)?;
    fs::create_dir_all(&truth_folder).map_err(|error| CountryError::io(&truth_folder, error))?;
    let schema = spine::declaration_entry::schema();
    let columns: Vec<&str> = schema
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .filter(|name| !OUTCOME_COLUMNS.contains(name))
        .collect();
    let key = ["declaration_id", "item_number"];
    let outcome_columns: Vec<&str> =
        key.into_iter().chain(OUTCOME_COLUMNS).chain(std::iter::once("simulated")).collect();
    let mut declarations = WholeFile::create(folder.join("declarations.csv"), &columns)?;
    let mut outcomes = WholeFile::create(folder.join("outcomes.csv"), &outcome_columns)?;
    let mut truth = WholeFile::create(truth_folder.join("truth.csv"), &TRUTH_COLUMNS)?;
    let mut summary = Summary::default();
    for declaration in world.declarations() {
        if summary.declarations % 500 == 0 {
            progress.report("making_the_country", summary.declarations, asked);
            if progress.cancelled() {
                return Err(CountryError::Cancelled);
            }
        }
        summary.declarations = summary.declarations.saturating_add(1);
        for item in &declaration.items {
            declarations.row(&columns.iter().map(|name| cell(item.value(name))).collect::<Vec<_>>())?;
            if item.truth.inspected {
                outcomes
                    .row(&outcome_columns.iter().map(|name| cell(item.value(name))).collect::<Vec<_>>())?;
            }
            truth.row(&truth_cells(item))?;
            summary.count(item);
        }
    }
    let on = world.last_day();
    let parties = register(&world, on, folder.join("parties.csv"))?;
    let characters = characters(&world, on, truth_folder.join("parties.csv"))?;
    let readme = truth_folder.join("README.md");
    fs::write(&readme, README).map_err(|error| CountryError::io(&readme, error))?;
    for file in [declarations, outcomes, parties, truth, characters] {
        summary.files.push(file.finish()?);
    }
    summary.files.push(readme);
    Ok(summary)
}

/// Writes the register of traders as it stands at the end of a day: one table, whole or not at all.
pub fn write_register(world: &World, on: Date, path: &Path) -> Result<(), CountryError> {
    register(world, on, path.to_owned())?.finish().map(drop)
}

fn truth_cells(item: &Item) -> Vec<String> {
    let truth = &item.truth;
    vec![
        cell(item.value("declaration_id")),
        cell(item.value("item_number")),
        truth.irregular().to_string(),
        truth.scheme.map(|scheme| scheme.name().to_owned()).unwrap_or_default(),
        truth.method.map(|method| method.name().to_owned()).unwrap_or_default(),
        truth.commodity_code.to_string(),
        truth.origin_country.to_string(),
        truth.value.normalize().to_string(),
        truth.net_mass.normalize().to_string(),
        truth.duty_evaded.normalize().to_string(),
        truth.found.to_string(),
        truth.covered_up.to_string(),
        true.to_string(),
    ]
}

/// The register of traders on a day.
fn register(world: &World, on: Date, path: PathBuf) -> Result<WholeFile, CountryError> {
    let mut file = WholeFile::create(path, &REGISTER_COLUMNS)?;
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    for party in world.register(on) {
        file.row(&[
            &*party.id,
            role_name(party.role),
            &*party.name,
            &*party.address,
            party.phone.as_deref().unwrap_or_default(),
            party.owner.as_deref().unwrap_or_default(),
            &day(party.registered_on),
            &day(party.closed_on),
            if party.trusted { "true" } else { "false" },
            "true",
        ])?;
    }
    Ok(file)
}

/// What everybody really is who is in the register on a day. In the null world none of it has any effect.
fn characters(world: &World, on: Date, path: PathBuf) -> Result<WholeFile, CountryError> {
    let mut file = WholeFile::create(path, &CHARACTER_COLUMNS)?;
    let people = &world.people;
    let registered =
        people.importers.all().filter(|own| world.date(own.registered_day).is_some_and(|day| day <= on));
    for own in registered {
        let predecessor = own.predecessor.as_deref().unwrap_or_default();
        file.row(&[&*own.id, "importer", own.honesty.name(), "", "", predecessor, "true"])?;
    }
    for own in &people.declarants {
        let partner = own.officer.as_ref().map_or("", |officer| &*officer.id);
        let character = match (own.helps, partner.is_empty()) {
            (_, false) => "colluding",
            (true, _) => "helping",
            _ => "honest",
        };
        file.row(&[&*own.id, "declarant", character, "", partner, "", "true"])?;
    }
    for officer in world.officers() {
        let mut declarants = people.declarants.iter();
        let partner = declarants
            .find(|own| own.officer.as_ref().is_some_and(|partner| partner.id == officer.id))
            .map_or("", |own| &*own.id);
        let character = if partner.is_empty() { "honest" } else { "colluding" };
        let skill = decimal(officer.skill, 2).to_string();
        file.row(&[&*officer.id, "officer", character, &skill, partner, "", "true"])?;
    }
    Ok(file)
}

/// A folder that holds anything but an earlier country is left alone.
fn refuse_foreign(folder: &Path) -> Result<(), CountryError> {
    if !folder.exists() || folder.join("truth").join("README.md").exists() {
        return Ok(());
    }
    let mut entries = fs::read_dir(folder).map_err(|error| CountryError::io(folder, error))?;
    if entries.next().is_some() { Err(CountryError::FolderForeign(folder.to_owned())) } else { Ok(()) }
}
