//! Declarations from files: each is lodged as if it had come over the network, many at once.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use customhouse::declarations::{
    Channel, Form, LODGE_BYTES_MAX, LodgeRequest, Progress as Standing, Receipt,
};
use customhouse::identity::Reader;
use customhouse::{Customhouse, Error, Kind};
use serde::Serialize;
use spine::{Finding, Progress, Severity};

use crate::commands::{Context, shown};
use crate::terminal;

/// Bytes by which a declaration is told from a table of records.
const SNIFFED_BYTES: u64 = 1_024;
/// How deep folders are walked.
const DEPTH_MAX: usize = 16;
/// Files of one command.
const FILES_MAX: usize = 2_000_000;
/// Declarations under way at once: enough to fill the desk's batches, few enough to leave room for others.
const UNDER_WAY_MAX: usize = 1_024;
/// How long to wait when the desk is full.
const BUSY_WAIT: Duration = Duration::from_millis(20);
/// Findings told of one file.
const FINDINGS_TOLD_MAX: usize = 10;

/// Files by what they hold.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Tables of records: batches of history.
    pub(super) records: Vec<PathBuf>,
    /// Declarations.
    pub(super) declarations: Vec<PathBuf>,
}

/// Sorts files by their first bytes. In folders declarations are looked for, by name, and all else is left alone.
pub(super) fn sort(files: &[PathBuf]) -> Result<Sorted, Error> {
    let mut sorted = Sorted::default();
    for file in files {
        if file.is_dir() {
            let before = sorted.declarations.len();
            walk(file, 0, &mut sorted.declarations)?;
            if sorted.declarations.len() == before {
                return Err(Error::new(
                    Kind::NotFound,
                    "no_declarations",
                    format!("there is no declaration in the folder {}", file.display()),
                    "Name a folder of declarations as JSON or WCO DMS XML; tables of records are named one by one.",
                ));
            }
        } else if file.is_file() && is_declaration(file)? {
            sorted.declarations.push(file.clone());
        } else {
            sorted.records.push(file.clone());
        }
    }
    Ok(sorted)
}

fn is_declaration(file: &Path) -> Result<bool, Error> {
    let mut first = Vec::new();
    fs::File::open(file)
        .and_then(|file| file.take(SNIFFED_BYTES).read_to_end(&mut first))
        .map_err(|error| Error::io("file_unreadable", file, &error))?;
    Ok(Form::sniff(&first).is_some())
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let fail = |error: std::io::Error| Error::io("folder_unreadable", folder, &error);
    let mut entries: Vec<_> = fs::read_dir(folder).map_err(fail)?.collect::<Result<_, _>>().map_err(fail)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(fail)?;
        // A link may lead anywhere, even back here.
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&entry.path(), depth.saturating_add(1), found)?;
        } else if kind.is_file() && is_declaration(&entry.path())? {
            if found.len() >= FILES_MAX {
                return Err(Error::new(
                    Kind::Refused,
                    "too_many_files",
                    format!("there are more than {FILES_MAX} declarations"),
                    "Import the folders one after the other.",
                ));
            }
            found.push(entry.path());
        }
    }
    Ok(())
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct Told {
    file: String,
    /// `accepted`, `released` ..., `repeated`, `rejected`, or `failed`.
    result: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mrn: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
}

impl Told {
    fn of(file: &Path, receipt: Result<Receipt, Error>) -> (Self, bool) {
        let file = file.display().to_string();
        match receipt {
            Ok(receipt) => {
                let rejected = receipt.progress == Standing::Rejected;
                let result = if receipt.repeated { "repeated" } else { receipt.progress.name() };
                let told = Self {
                    file,
                    result: result.to_owned(),
                    mrn: Some(receipt.mrn),
                    findings: receipt.findings,
                };
                (told, rejected)
            }
            Err(error) => {
                let mut findings = error.findings;
                if findings.is_empty() {
                    let finding = Finding::error(&error.code).found(&error.detail).fix(error.how_to_fix);
                    findings.push(finding);
                }
                (Self { file, result: "failed".to_owned(), mrn: None, findings }, true)
            }
        }
    }
}

/// Receipts of one command, in the order of its files.
struct Answers {
    receiver: Receiver<(usize, Result<Receipt, Error>)>,
    sender: Sender<(usize, Result<Receipt, Error>)>,
    under_way: usize,
    receipts: BTreeMap<usize, Result<Receipt, Error>>,
}

impl Answers {
    fn wait_while_more_than(&mut self, under_way: usize) {
        while self.under_way > under_way {
            let Ok((at, receipt)) = self.receiver.recv() else { return };
            self.under_way = self.under_way.saturating_sub(1);
            self.receipts.insert(at, receipt);
        }
    }

    /// Hands one file in, waiting for a place where there is none.
    fn hand_in(&mut self, house: &Customhouse, reader: &Reader, at: usize, bytes: &[u8]) {
        loop {
            let sender = self.sender.clone();
            let request = LodgeRequest { bytes: bytes.to_vec(), form: None, channel: Channel::File };
            let handed = house.lodge_then(
                reader,
                request,
                Box::new(move |receipt| {
                    // The command waits for every receipt before it ends.
                    let _ = sender.send((at, receipt));
                }),
            );
            match handed {
                Ok(()) => {
                    self.under_way = self.under_way.saturating_add(1);
                    return;
                }
                Err(error) if error.kind == Kind::Busy && !terminal::cancelled() => {
                    self.wait_while_more_than(self.under_way.saturating_sub(1));
                    std::thread::sleep(BUSY_WAIT);
                }
                Err(error) => {
                    self.receipts.insert(at, Err(error));
                    return;
                }
            }
        }
    }
}

/// Lodges all files and tells what became of each. Answers whether any was rejected or failed.
pub(super) fn lodge(
    house: &Customhouse,
    reader: &Reader,
    files: &[PathBuf],
    json: bool,
    context: &Context,
) -> Result<bool, Error> {
    let (sender, receiver) = channel();
    let mut answers = Answers { receiver, sender, under_way: 0, receipts: BTreeMap::new() };
    let total = u64::try_from(files.len()).unwrap_or(u64::MAX);
    let mut cancelled = false;
    for (done, (at, file)) in (0_u64..).zip(files.iter().enumerate()) {
        context.progress.report("lodging", done, total);
        if terminal::cancelled() {
            cancelled = true;
            break;
        }
        match read(file) {
            Ok(bytes) => answers.hand_in(house, reader, at, &bytes),
            Err(error) => {
                answers.receipts.insert(at, Err(error));
            }
        }
        answers.wait_while_more_than(UNDER_WAY_MAX);
    }
    answers.wait_while_more_than(0);
    context.progress.finish();
    let mut bad = false;
    let mut all = Vec::new();
    for (at, file) in files.iter().enumerate() {
        // What was not handed in before Ctrl-C has no answer.
        let Some(receipt) = answers.receipts.remove(&at) else { continue };
        let (told, rejected) = Told::of(file, receipt);
        bad |= rejected;
        all.push(told);
    }
    if json {
        terminal::json(&all)?
    } else {
        print(&all)?
    }
    // What was lodged stays lodged, and was told.
    if cancelled { Err(stopped()) } else { Ok(bad) }
}

fn stopped() -> Error {
    Error::new(
        Kind::Cancelled,
        "cancelled",
        "stopped before the last file; what was lodged is recorded and told above",
        "Import the same files again: what was lodged already gets its first receipt.",
    )
}

/// One byte more than is taken, so that the house says what is too long.
fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let most = u64::try_from(LODGE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| Error::io("file_unreadable", file, &error))?;
    Ok(bytes)
}

fn print(all: &[Told]) -> Result<(), Error> {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|told| vec![told.file.clone(), told.result.clone(), told.mrn.clone().unwrap_or_default()])
        .collect();
    terminal::table(&["FILE", "RESULT", "MRN"], &rows)?;
    for told in all {
        let mut wrong = told.findings.iter().filter(|finding| finding.severity == Severity::Error).peekable();
        if wrong.peek().is_some() {
            terminal::line(&format!("{}:", told.file))?;
        }
        for finding in wrong.take(FINDINGS_TOLD_MAX) {
            terminal::line(&format!("{}  {finding}", shown::severity(finding.severity)))?;
        }
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for told in all {
        let count = counts.entry(&told.result).or_default();
        *count = count.saturating_add(1);
    }
    let counts: Vec<String> =
        counts.iter().map(|(result, count)| format!("{} {result}", shown::count(*count))).collect();
    terminal::line(&counts.join(", "))
}
