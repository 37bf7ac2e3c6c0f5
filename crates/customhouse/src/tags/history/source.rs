//! Files of entries that a history rests on.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ::pool::lanes::LanesFile;
use sha2::{Digest, Sha256};
use spine::{EntrySchema, Finding, Pointer, Progress};

use super::manifest::{Manifest, Source};
use crate::error::{Error, Kind};

/// Bytes hashed at once.
const HASHED_BYTES: usize = 1 << 20;

/// Opens a file of entries.
///
/// # Errors
/// `entries_unreadable`.
pub(super) fn open(path: &Path) -> Result<LanesFile, Error> {
    let file = File::open(path).map_err(|error| Error::io("entries_unreadable", path, &error))?;
    LanesFile::open(file).map_err(|finding| unreadable(path, finding))
}

pub(in crate::tags) fn unreadable(path: &Path, finding: Finding) -> Error {
    Error {
        findings: vec![finding.clone()],
        ..Error::new(
            Kind::Refused,
            "entries_unreadable",
            format!("{}: {finding}", path.display()),
            finding.how_to_fix.clone(),
        )
    }
}

/// Adds files that are new to the manifest and looks whether those that it knows are as they were. Answers with the
/// columns that all of them have in common with the first.
///
/// # Errors
/// `entries_unreadable`, `entries_changed`, `entries_needed`, `entries_differ`, `cancelled`.
pub(super) fn take_in(
    manifest: &mut Manifest,
    given: &[PathBuf],
    progress: &dyn Progress,
) -> Result<EntrySchema, Error> {
    for source in &manifest.sources {
        if hash_of(&source.path, progress)? != source.sha256 {
            return Err(Error::new(
                Kind::Refused,
                "entries_changed",
                format!("{} is not what it was when its entries were tagged", source.path.display()),
                "Bring the file back, or make the history anew in another folder.",
            ));
        }
    }
    for path in given {
        let path = path.canonicalize().map_err(|error| Error::io("entries_unreadable", path, &error))?;
        if manifest.sources.iter().all(|known| known.path != path) {
            let (sha256, entries) = (hash_of(&path, progress)?, open(&path)?.rows());
            manifest.sources.push(Source { path, sha256, entries });
        }
    }
    let Some((first, others)) = manifest.sources.split_first() else {
        return Err(Error::new(
            Kind::Invalid,
            "entries_needed",
            "the history has no entries",
            "Name the files of entries with --entries.",
        ));
    };
    let mut common = EntrySchema::clone(open(&first.path)?.schema());
    for other in others {
        let file = open(&other.path)?;
        common.fields.retain(|field| {
            file.schema().field(&field.name).is_some_and(|own| own.field_type == field.field_type)
        });
    }
    Ok(common)
}

/// Refuses columns that not all sources have alike: a rule would mean another thing in each.
///
/// # Errors
/// `column_unknown`.
pub(super) fn require(common: &EntrySchema, column: &str) -> Result<(), Error> {
    if common.field(column).is_some() {
        return Ok(());
    }
    Err(Error {
        findings: vec![
            Finding::error("column_unknown")
                .at(Pointer::column(column))
                .expected("a column that every file of entries has, with values of one kind"),
        ],
        ..Error::new(
            Kind::NotFound,
            "column_unknown",
            format!("not every file of entries has a column {column} of one kind"),
            "Name the column that identifies the entity, as it is spelt in the files.",
        )
    })
}

fn hash_of(path: &Path, progress: &dyn Progress) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::io("entries_unreadable", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let (mut sum, mut bytes, mut done) = (Sha256::new(), vec![0; HASHED_BYTES], 0_u64);
    loop {
        let read = file.read(&mut bytes).map_err(failed)?;
        if read == 0 {
            return Ok(hex::encode(sum.finalize()));
        }
        sum.update(bytes.get(..read).unwrap_or_default());
        done = done.saturating_add(u64::try_from(read).unwrap_or_default());
        progress.report("checking", done, total);
        if progress.cancelled() {
            return Err(Error::cancelled());
        }
    }
}
