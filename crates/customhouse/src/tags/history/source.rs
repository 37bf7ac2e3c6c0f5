//! Files of entries that a history rests on.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ::pool::lanes::LanesFile;
use sha2::{Digest, Sha256};
use spine::{EntrySchema, Finding, Pointer, Progress};

use super::manifest::{Manifest, Source, Stamp};
use crate::error::{Error, Kind};

/// Bytes hashed at once.
const HASHED_BYTES: usize = 1 << 20;
/// A file that did not change for so long is known by its stamp from then on.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

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
    for source in &mut manifest.sources {
        let now = stamp_of(&source.path)?;
        if source.stamp.is_some() && source.stamp == now {
            continue;
        }
        if hash_of(&source.path, progress)? != source.sha256 {
            return Err(Error::new(
                Kind::Refused,
                "entries_changed",
                format!("{} is not what it was when its entries were tagged", source.path.display()),
                "Bring the file back, or make the history anew in another folder.",
            ));
        }
        source.stamp = settled(now, &source.path)?;
    }
    for path in given {
        let path = path.canonicalize().map_err(|error| Error::io("entries_unreadable", path, &error))?;
        if manifest.sources.iter().all(|known| known.path != path) {
            let before = stamp_of(&path)?;
            let (sha256, entries) = (hash_of(&path, progress)?, open(&path)?.rows());
            let stamp = settled(before, &path)?;
            manifest.sources.push(Source { path, sha256, entries, stamp });
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

/// The stamp of a file whose hash was just computed, taken before, if a later change cannot leave it as it is: it is still
/// the same, and nothing about the file changed in the last minute. Times of the system have steps, and what is written
/// through mapped memory may be stamped before it comes. A file of another kind of system is hashed each time.
fn settled(before: Option<Stamp>, path: &Path) -> Result<Option<Stamp>, Error> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let old = i128::try_from(now.saturating_sub(SETTLED_AFTER).as_nanos()).unwrap_or_default();
    let still = |stamp: &Stamp| stamp.changed_ns.max(stamp.modified_ns) < old;
    let before = before.filter(still);
    Ok(if before.is_some() && stamp_of(path)? == before { before } else { None })
}

#[cfg(unix)]
fn stamp_of(path: &Path) -> Result<Option<Stamp>, Error> {
    use std::os::unix::fs::MetadataExt;
    let there = path.metadata().map_err(|error| Error::io("entries_unreadable", path, &error))?;
    let nanoseconds = |seconds: i64, rest: i64| {
        i128::from(seconds).saturating_mul(1_000_000_000).saturating_add(i128::from(rest))
    };
    Ok(Some(Stamp {
        device: there.dev(),
        inode: there.ino(),
        bytes: there.size(),
        modified_ns: nanoseconds(there.mtime(), there.mtime_nsec()),
        changed_ns: nanoseconds(there.ctime(), there.ctime_nsec()),
    }))
}

#[cfg(not(unix))]
fn stamp_of(_: &Path) -> Result<Option<Stamp>, Error> {
    Ok(None)
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
