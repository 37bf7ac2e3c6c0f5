//! `tidewaiter pack`: the tags, rules and lists in use.

use std::path::Path;
use std::sync::Arc;

use customhouse::packs::{InstallReport, Pack, PackDiff, PackSummary, Registry, diff};
use customhouse::{Error, Kind, offline};
use serde::Serialize;
use spine::Language;

use super::{Answer, open, shown};
use crate::arguments::{OptionalDataArguments, PackCommand};
use crate::terminal;

pub(super) fn run(command: &PackCommand) -> Result<Answer, Error> {
    match command {
        PackCommand::List { data } => list(data),
        PackCommand::Show { pack, data } => show(pack, data),
        PackCommand::Check { folder, data } => check(folder, data),
        PackCommand::Install { folder, data, json } => {
            let (house, reader) = open(data)?;
            let report = house.install_pack(&reader, folder)?;
            if *json {
                terminal::json(&report)?
            } else {
                print_installed(&report)?
            }
            Ok(Answer::of(report.installed.is_none()))
        }
        PackCommand::Diff { before, after, data } => {
            let registry = offline::registry(data.data.as_deref())?;
            let difference = diff(&*find(&registry, before)?, &*find(&registry, after)?);
            if data.json {
                terminal::json(&difference)?
            } else {
                print_difference(&difference)?
            }
            Ok(Answer::Done)
        }
    }
}

fn list(data: &OptionalDataArguments) -> Result<Answer, Error> {
    let registry = offline::registry(data.data.as_deref())?;
    let packs: Vec<PackSummary> = registry.list().iter().map(PackSummary::from).collect();
    let problems = registry.findings();
    if data.json {
        terminal::json(&packs)?;
    } else {
        let rows: Vec<Vec<String>> = packs
            .iter()
            .map(|pack| {
                vec![
                    pack.id.clone(),
                    pack.version.clone(),
                    pack.kind.to_owned(),
                    if pack.current { "in use" } else { "" }.to_owned(),
                    pack.approval.to_owned(),
                    shown::short(&pack.hash).to_owned(),
                    pack.title.in_language(Language::En).to_owned(),
                ]
            })
            .collect();
        terminal::table(&["PACK", "VERSION", "KIND", "USE", "APPROVAL", "HASH", "TITLE"], &rows)?;
    }
    for problem in &problems {
        terminal::note(&problem.to_string());
    }
    Ok(Answer::of(offline::has_errors(&problems)))
}

/// A pack with its files, as `show` prints it.
#[derive(Serialize)]
struct ShownPack<'a> {
    #[serde(flatten)]
    summary: PackSummary,
    description: &'a spine::LocalizedText,
    licence: &'a str,
    contents: Vec<(&'a str, usize)>,
}

fn show(id: &str, data: &OptionalDataArguments) -> Result<Answer, Error> {
    let registry = offline::registry(data.data.as_deref())?;
    let entry = registry.get(id).ok_or_else(|| unknown(&registry, id))?;
    let manifest = entry.manifest();
    let content = registry.content(entry)?;
    let pack = ShownPack {
        summary: entry.into(),
        description: &manifest.description,
        licence: &manifest.licence,
        contents: content.files.iter().map(|(path, bytes)| (path.as_str(), bytes.len())).collect(),
    };
    if data.json {
        terminal::json(&pack)?;
        return Ok(Answer::Done);
    }
    let english = |text: &spine::LocalizedText| text.in_language(Language::En).to_owned();
    shown::facts(&[
        ("pack", Some(format!("{} {}", pack.summary.id, pack.summary.version))),
        ("title", Some(english(&pack.summary.title))),
        ("about", Some(english(pack.description)).filter(|text| !text.is_empty())),
        ("kind", Some(pack.summary.kind.to_owned())),
        ("owner", Some(pack.summary.owner.clone())),
        ("legal basis", Some(pack.summary.legal_basis.clone()).filter(|text| !text.is_empty())),
        ("seen from", Some(pack.summary.sensitivity.name().to_owned())),
        ("approval", Some(pack.summary.approval.to_owned())),
        ("hash", Some(pack.summary.hash.clone())),
        ("licence", Some(pack.licence.to_owned())),
    ])?;
    for (path, bytes) in &pack.contents {
        terminal::line(&format!(
            "file         {path}, {}",
            shown::bytes(u64::try_from(*bytes).unwrap_or(u64::MAX))
        ))?;
    }
    Ok(Answer::Done)
}

fn check(folder: &Path, data: &OptionalDataArguments) -> Result<Answer, Error> {
    let registry = offline::registry(data.data.as_deref())?;
    let findings = offline::check_pack(&registry, folder)?;
    if data.json {
        terminal::json(&findings)?;
    } else if findings.is_empty() {
        terminal::line(&format!("{}: nothing is wrong with it", folder.display()))?;
    } else {
        shown::findings(&findings)?;
    }
    Ok(Answer::of(offline::has_errors(&findings)))
}

fn print_installed(report: &InstallReport) -> Result<(), Error> {
    shown::findings(&report.findings)?;
    match &report.installed {
        None => terminal::line("refused; nothing was installed")?,
        Some((id, version, hash)) => {
            let how = if report.already_installed { "was installed already:" } else { "installed" };
            terminal::line(&format!("{how} {id} {version} ({})", shown::short(hash)))?;
        }
    }
    for offer in &report.offers {
        let values = u64::try_from(offer.values).unwrap_or(u64::MAX);
        terminal::line(&format!(
            "offers the list {} of {}",
            offer.list,
            shown::counted(values, "value", "values")
        ))?;
    }
    Ok(())
}

fn print_difference(difference: &PackDiff) -> Result<(), Error> {
    let name =
        |(id, version, hash): &(String, String, String)| format!("{id} {version} ({})", shown::short(hash));
    terminal::line(&format!("{} -> {}", name(&difference.before), name(&difference.after)))?;
    if difference.is_empty() {
        return terminal::line("no difference");
    }
    for file in &difference.files {
        terminal::line(&format!("{:<8} file {}", label(&file.change), file.path))?;
    }
    for definition in &difference.definitions {
        terminal::line(&format!("{:<8} {} {}", label(&definition.change), definition.table, definition.id))?;
        for field in &definition.fields {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            terminal::line(&format!(
                "           {}: {} -> {}",
                field.field,
                side(&field.before),
                side(&field.after)
            ))?;
        }
    }
    Ok(())
}

/// The stable name of a change, as in JSON.
fn label(change: &impl Serialize) -> String {
    match serde_json::to_value(change) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// A folder, or the id of a pack.
fn find(registry: &Registry, folder_or_id: &str) -> Result<Arc<Pack>, Error> {
    if let Some(entry) = registry.get(folder_or_id) {
        return Ok(registry.content(entry)?);
    }
    let folder = Path::new(folder_or_id);
    if !folder.is_dir() {
        return Err(unknown(registry, folder_or_id));
    }
    Pack::read(folder)?.map(Arc::new).map_err(|findings| {
        Error::new(
            Kind::Refused,
            "pack_refused",
            format!("{folder_or_id} is not a pack that can be compared"),
            "Correct what the findings name; `tidewaiter pack check` tells everything.",
        )
        .with_findings(findings)
    })
}

fn unknown(registry: &Registry, id: &str) -> Error {
    let known: Vec<&str> = registry.current().map(|pack| pack.manifest.id.as_str()).collect();
    Error::new(
        Kind::NotFound,
        "pack_unknown",
        format!("there is no pack \"{id}\""),
        format!("Packs there are: {}.", known.join(", ")),
    )
}
