//! What needs no data folder of its own: files looked at where they lie, packs with or without those installed in a
//! data folder. Nothing is recorded, and a data folder that is in use by another process can be read all the same.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ::pool::{EntriesMetadata, NewEntries, PoolFolder, SourceContract};
use formats::{Mapping, Proposal};
use packs::{Pack, PackKind, Registry};
use spine::declaration::Declaration;
use spine::{EntryTable, Finding, Progress, Severity, declaration_entry};

use crate::error::{Error, Kind};

/// Longest mapping file that is read.
const MAPPING_BYTES_MAX: u64 = 1 << 20;

/// The built-in packs and, if a data folder is named, those installed there.
pub fn registry(data_folder: Option<&Path>) -> Result<Registry, Error> {
    let Some(folder) = data_folder else { return Ok(Registry::built_in()) };
    if !folder.join("tidewaiter.toml").is_file() {
        return Err(Error::new(
            Kind::NotFound,
            "data_folder_missing",
            format!("{} is not a data folder", folder.display()),
            "Check the spelling of --data, or leave it out to see the built-in packs only.",
        ));
    }
    Ok(Registry::open(&folder.join("packs"))?)
}

/// A document's bytes, and at most one more than the bound: enough for its reader to refuse it.
///
/// # Errors
/// `document_unreadable`.
pub fn read_document(file: &Path, bytes_max: usize) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::io("document_unreadable", file, &error);
    let mut bytes = Vec::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// What the columns of a file of declared items probably mean. `outcome` is the column that the caller knows to say
/// whether something was found.
pub fn propose_mapping(file: &Path, outcome: Option<&str>) -> Result<Proposal, Error> {
    let proposal = ::pool::propose_for_file(file, &declaration_entry::schema(), outcome)
        .map_err(|finding| unreadable(file, finding))?;
    let wrong_outcome = proposal.findings.iter().find(|finding| finding.code == "mapping_unknown_column");
    match wrong_outcome {
        Some(finding) => Err(Error::new(
            Kind::NotFound,
            "mapping_unknown_column",
            format!("{} has no column \"{}\"", file.display(), finding.found),
            finding.how_to_fix.clone(),
        )),
        None => Ok(proposal),
    }
}

/// A proposal as `map.toml`, with its reasons as comments.
#[must_use]
pub fn proposal_as_toml(proposal: &Proposal) -> String {
    proposal.to_toml(&declaration_entry::schema())
}

/// Reads a mapping that a person has edited.
pub fn read_mapping(path: &Path) -> Result<Mapping, Error> {
    let fail = |error: std::io::Error| Error::io("mapping_unreadable", path, &error);
    let bytes = std::fs::metadata(path).map_err(fail)?.len();
    if bytes > MAPPING_BYTES_MAX {
        return Err(Error::new(
            Kind::Refused,
            "mapping_too_long",
            format!("{} has {bytes} bytes; a mapping has at most {MAPPING_BYTES_MAX}", path.display()),
            "Check that --map names a mapping and not a file of records.",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(fail)?;
    Mapping::from_toml(&text).map_err(|finding| {
        Error::new(
            Kind::Refused,
            &finding.code.clone(),
            format!("the mapping {} cannot be used", path.display()),
            "Correct what the finding names; `tidewaiter map FILE` proposes a mapping to start from.",
        )
        .with_findings(vec![finding])
    })
}

/// Everything that is wrong with a pack's folder: its container, its lists, and what its kind means: conditions that
/// do not compile, cases that fail.
pub fn check_pack(registry: &Registry, folder: &Path) -> Result<Vec<Finding>, Error> {
    if !folder.is_dir() {
        return Err(Error::new(
            Kind::NotFound,
            "pack_folder_missing",
            format!("{} is not a folder", folder.display()),
            "Name the folder that holds pack.toml.",
        ));
    }
    let mut findings = ::packs::check(folder)?;
    // What is broken as a container has no meaning to check; what others publish has none of ours.
    let Ok(Ok(pack)) = Pack::read(folder) else { return Ok(findings) };
    match pack.manifest.kind {
        PackKind::Rules => findings.extend(crate::rules::compile_pack(registry, &pack).1),
        PackKind::Tags => {
            let mut lists = registry.lists();
            lists.extend(pack.lists());
            let lists = ::rules::Lists(lists);
            findings.extend(::tags::check_pack_with_lists(&pack, &lists, &declaration_entry::schema()));
        }
        _ => {}
    }
    Ok(findings)
}

/// A declaration in the JSON form, without blanks.
#[must_use]
pub fn declaration_as_json(declaration: &Declaration) -> Vec<u8> {
    formats::declaration::write_json(declaration)
}

/// A declaration in the DMS form of the WCO Data Model, UTF-8.
#[must_use]
pub fn declaration_as_dms(declaration: &Declaration) -> Vec<u8> {
    formats::declaration::write_dms(declaration)
}

/// Writes entries as Parquet, as the pool keeps them; the file appears whole or not at all.
pub fn write_parquet(path: &Path, table: &EntryTable, progress: &dyn Progress) -> Result<(), Error> {
    let folder = PoolFolder::open(path.parent().unwrap_or(Path::new(".")))?;
    let metadata = EntriesMetadata {
        batch: String::new(),
        contract_sha256: SourceContract::declarations().sha256(),
        source_sha256: String::new(),
    };
    let lines: Vec<u64> = (1..).take(table.len()).collect();
    let entries = NewEntries { table, lines: &lines, mends_lines: None };
    let written = folder.write_entries(entries, &metadata, progress)?;
    let beside = folder.file(&written.sha256);
    std::fs::rename(&beside, path).map_err(|error| Error::io("file_unwritable", path, &error))
}

/// Does any of them refuse what it is about?
#[must_use]
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

fn unreadable(file: &Path, finding: Finding) -> Error {
    let kind = if finding.code == "file_not_found" { Kind::NotFound } else { Kind::Refused };
    Error::new(kind, &finding.code.clone(), format!("{} cannot be read", file.display()), "")
        .with_findings(vec![finding])
}
