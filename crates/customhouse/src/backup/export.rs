//! Everything that a house holds in open formats, for whoever goes elsewhere: no key, no password, no token.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::pool::{EventRow, EventsWriter};
use journal::log::files::{DiskFiles, Durably};
use journal::log::tiles::carry_tiles;
use journal::{AnyJournal, JournalError, Payload, RecordedEvent};
use serde::Serialize;
use spine::{Progress, Silent};

use super::files::snapshot;
use super::source::Source;
use super::{
    POOL_FOLDER, cancelled, create_private, flush_folder, hash_file, log_error, make_private_folder,
    names_in, place,
};
use crate::error::{Error, Kind};
use crate::folder::Location;
use crate::identity::Accounts;
use crate::proof::LOG_FOLDER;

/// Events written at once.
const EVENTS_AT_ONCE: usize = 2_000;
const DEPTH_MAX: usize = 16;

const README: &str = "Everything that a Tidewaiter data folder held, in open formats.

events.parquet   one row an event: the whole envelope, and what it says as JSON text; null where that was erased
events.jsonl     the same, one JSON object a line
blobs/           documents by their SHA-256, which events name
pool/            history as Parquet; each file is named by its SHA-256, batch.admitted events name them
log/             the transparency log of all events (C2SP tlog-tiles): checkpoint, hashes, entries, changes of keys
packs/           installed rules, tags, lists, and registry.json, which says what was approved
accounts.json    accounts without passwords, sessions and tokens
manifest.json    every file with its size and SHA-256

Positions count from 1; entry i of the log is the envelope of the event at position i + 1.
";

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Node of the data folder.
    pub node: String,
    /// Events.
    pub events: u64,
    /// Of these, erased ones.
    pub erased: u64,
    /// Files, without the manifest.
    pub files: Vec<ExportedFile>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedFile {
    /// Its place in the export.
    pub path: String,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
}

/// Writes everything that a house holds into a new or empty folder, in open formats; it works while the house is served.
///
/// # Errors
/// `export_folder_used`; `disk_full`; a data folder that cannot be read.
pub fn export(from: &Location, to: &Path, progress: &dyn Progress) -> Result<Exported, Error> {
    let source = Source::open(from)?;
    if !names_in(to)?.is_empty() {
        return Err(Error::new(
            Kind::Refused,
            "export_folder_used",
            format!("the folder {} holds something", to.display()),
            "Name a new folder or an empty one: an export overwrites nothing.",
        ));
    }
    make_private_folder(to)?;
    let signed = source.signed()?;
    let journal = source.journal()?;
    place(&to.join("README"), &mut README.as_bytes(), &Silent)?;
    let (events, erased) = write_events(&journal, to, progress)?;
    write_blobs(&journal, to, progress)?;
    copy_folder(
        &source.path.join(POOL_FOLDER),
        &to.join(POOL_FOLDER),
        &|name| name.ends_with(".parquet"),
        0,
        progress,
    )?;
    let visible = |name: &str| !name.starts_with('.');
    copy_folder(&source.path.join("packs"), &to.join("packs"), &visible, 0, progress)?;
    write_log(&source, &signed, to, progress)?;
    write_accounts(&source, to)?;
    let mut files = Vec::new();
    list(to, "", 0, &mut files, progress)?;
    let exported = Exported { node: source.mark.node.clone(), events, erased, files };
    let bytes =
        serde_json::to_vec_pretty(&exported).map_err(|error| Error::internal("export_untold", &error))?;
    place(&to.join("manifest.json"), &mut bytes.as_slice(), progress)?;
    flush_folder(to)?;
    Ok(exported)
}

/// Both forms of the events in one pass. Answers with their number and that of the erased ones.
fn write_events(journal: &AnyJournal, to: &Path, progress: &dyn Progress) -> Result<(u64, u64), Error> {
    let (table, lines) = (to.join("events.parquet"), to.join("events.jsonl"));
    let open = |path: &PathBuf| -> Result<BufWriter<File>, Error> {
        let file = create_private(path).map_err(|error| Error::io("file_unwritable", path, &error))?;
        Ok(BufWriter::with_capacity(1 << 20, file))
    };
    let mut rows = EventsWriter::new(open(&table)?, &table)?;
    let mut text = open(&lines)?;
    let failed = |error: io::Error| Error::io("file_unwritable", &lines, &error);
    let (mut position, mut erased, head) = (0_u64, 0_u64, journal.journal().head());
    while position < head {
        if progress.cancelled() {
            return Err(cancelled());
        }
        progress.report("exporting_events", position, head);
        let left = usize::try_from(head.saturating_sub(position)).unwrap_or(usize::MAX);
        let events = journal.journal().feed(position, EVENTS_AT_ONCE.min(left))?;
        let Some(last) = events.last().map(|event| event.position) else { break };
        position = last;
        let written: Vec<EventRow> = events.iter().map(row_of).collect::<Result<_, Error>>()?;
        erased =
            written.iter().filter(|row| row.payload.is_none()).fold(erased, |sum, _| sum.saturating_add(1));
        rows.write(&written)?;
        for event in &events {
            let line = line_of(event)?;
            text.write_all(&line).and_then(|()| text.write_all(b"\n")).map_err(failed)?;
        }
    }
    for (file, path) in [(rows.finish()?, &table), (text, &lines)] {
        let failed = |error: io::Error| Error::io("file_unwritable", path, &error);
        file.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
    }
    Ok((position, erased))
}

fn unwritable(error: &dyn std::fmt::Display) -> Error {
    Error::internal("event_unwritable", error)
}

fn row_of(event: &RecordedEvent) -> Result<EventRow, Error> {
    let (payload, erasure) = match &event.payload {
        Payload::Present(value) => {
            (Some(serde_json::to_string(value).map_err(|error| unwritable(&error))?), None)
        }
        Payload::Erased { erased_at, basis } => (None, Some((*erased_at, basis.clone()))),
    };
    Ok(EventRow {
        position: event.position,
        envelope: event.envelope.clone(),
        payload,
        erased_at: erasure.as_ref().map(|own| own.0),
        erasure_basis: erasure.map(|own| own.1),
    })
}

fn line_of(event: &RecordedEvent) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Line<'a> {
        position: u64,
        envelope: &'a spine::Envelope,
        payload: Option<&'a serde_json::Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        erased_at: Option<jiff::Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        erasure_basis: Option<&'a str>,
    }
    let erasure = match &event.payload {
        Payload::Present(_) => None,
        Payload::Erased { erased_at, basis } => Some((*erased_at, basis.as_str())),
    };
    serde_json::to_vec(&Line {
        position: event.position,
        envelope: &event.envelope,
        payload: event.payload.value(),
        erased_at: erasure.map(|own| own.0),
        erasure_basis: erasure.map(|own| own.1),
    })
    .map_err(|error| unwritable(&error))
}

/// A blob that went since it was listed is left out.
fn write_blobs(journal: &AnyJournal, to: &Path, progress: &dyn Progress) -> Result<(), Error> {
    let to = to.join("blobs");
    for first_byte in 0..=u8::MAX {
        for sha256 in journal::blob_names(journal, first_byte)? {
            match journal.journal().get_blob(&sha256) {
                Ok(mut content) => {
                    make_private_folder(&to)?;
                    place(&to.join(&sha256), &mut content, progress)?;
                }
                Err(JournalError::NoSuchBlob { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// One that went since it was listed is left out.
fn copy_one(from: &Path, to: &Path, progress: &dyn Progress) -> Result<(), Error> {
    let mut content = match File::open(from) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("file_unreadable", from, &error)),
    };
    if let Some(parent) = to.parent() {
        make_private_folder(parent)?;
    }
    place(to, &mut content, progress).map(drop)
}

fn copy_folder(
    from: &Path,
    to: &Path,
    wanted: &dyn Fn(&str) -> bool,
    depth: usize,
    progress: &dyn Progress,
) -> Result<(), Error> {
    for name in names_in(from)?.into_iter().filter(|name| !name.starts_with('.')) {
        let path = from.join(&name);
        if path.is_dir() && depth < DEPTH_MAX {
            copy_folder(&path, &to.join(&name), wanted, depth.saturating_add(1), progress)?;
        } else if wanted(&name) {
            progress.report("exporting_files", 0, 0);
            copy_one(&path, &to.join(&name), progress)?;
        }
    }
    Ok(())
}

fn write_log(
    source: &Source,
    signed: &super::source::Signed,
    to: &Path,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let (Some(log), Some((checkpoint, bytes))) = (source.log(), &signed.checkpoint) else { return Ok(()) };
    let folder = to.join(LOG_FOLDER);
    let files = DiskFiles::open(&folder).map_err(|error| Error::io("file_unwritable", &folder, &error))?;
    let durably = Durably::new(Arc::new(files)).map_err(|error| log_error(&error))?;
    let mut see = |done: u64, total: u64| {
        progress.report("exporting_the_log", done, total);
        if progress.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let size = checkpoint.checkpoint().size;
    if carry_tiles(&log, &durably, (0, size), &mut see).map_err(|error| log_error(&error))?.stopped {
        return Err(cancelled());
    }
    let pending = folder.join("pending");
    fs::remove_dir(&pending).map_err(|error| Error::io("file_unwritable", &pending, &error))?;
    place(&folder.join("checkpoint"), &mut bytes.as_slice(), progress)?;
    if let Some((_, bytes)) = &signed.witnessed {
        place(&folder.join("checkpoint.witnessed"), &mut bytes.as_slice(), progress)?;
    }
    copy_folder(&source.path.join(LOG_FOLDER).join("keys"), &folder.join("keys"), &|_| true, 0, progress)
}

/// Accounts as pages show them: from a copy, for the store itself is the server's.
fn write_accounts(source: &Source, to: &Path) -> Result<(), Error> {
    let from = source.path.join("accounts.sqlite");
    if !from.exists() {
        return Ok(());
    }
    let copy = to.join(".accounts.sqlite");
    snapshot(&from, &copy)?;
    let accounts = Accounts::open(&copy)?.list()?;
    super::destroy_database(&copy)?;
    let bytes =
        serde_json::to_vec_pretty(&accounts).map_err(|error| Error::internal("export_untold", &error))?;
    place(&to.join("accounts.json"), &mut bytes.as_slice(), &Silent).map(drop)
}

fn list(
    folder: &Path,
    name: &str,
    depth: usize,
    files: &mut Vec<ExportedFile>,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let names: BTreeSet<String> = names_in(folder)?.into_iter().collect();
    for entry in names {
        if progress.cancelled() {
            return Err(cancelled());
        }
        let path = folder.join(&entry);
        let name = if name.is_empty() { entry } else { format!("{name}/{entry}") };
        if path.is_dir() && depth < DEPTH_MAX {
            list(&path, &name, depth.saturating_add(1), files, progress)?;
        } else {
            let (sha256, bytes) = hash_file(&path)?;
            files.push(ExportedFile { path: name, sha256, bytes });
            progress.report("hashing_the_export", u64::try_from(files.len()).unwrap_or(u64::MAX), 0);
        }
    }
    Ok(())
}
