//! Restoring a backup into a new folder, or into an empty database and a new folder beside it, and proving what came
//! back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use journal::log::files::DiskFiles;
use journal::log::tree::{consistency_proof, verify_consistency};
use journal::log::{LogReader, SignedCheckpoint};
use journal::{AnyJournal, Journal, Shelf};
use serde::{Deserialize, Serialize};
use spine::Progress;

use super::bring::{self, Bringing};
use super::manifest::{BackupRecord, LogPlace, RECORD_FILE, UNDER_WAY_FILE, UnderWay};
use super::{BLOBS_FOLDER, JOURNAL_FILE, cancelled, flush_folder, make_private_folder, place, run};
use crate::erasure::{CARRIED_FORWARD, erased_so_far};
use crate::error::{Error, Kind};
use crate::folder::{Location, UNPROVEN_FILE};
use crate::proof::{LOG_FOLDER, VerifiedFolder, asks_witnesses, checkpoint_bytes, known_keys, verify_with};

/// Name of the file that says that a folder was restored and its witnesses were not heard yet.
pub(crate) const RESTORED_FILE: &str = "restored.json";
/// Findings that are listed.
const FINDINGS_LISTED: usize = 1_000;

/// What a person may choose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestoreOptions {
    /// The last run has not ended: restore what the one before it left.
    pub last_complete: bool,
    /// A checkpoint that somebody else kept: the restored log must contain it.
    pub checkpoint: Option<PathBuf>,
    /// A newer `erasures.json`; `erasure.key` beside it is taken too.
    pub erasures: Option<PathBuf>,
    /// Keys of the log known from elsewhere; without any, those that the backup itself names.
    pub keys: Vec<String>,
}

/// What came back, and what was proven of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Node of the data folder.
    pub node: String,
    /// When the backup was completed.
    pub backed_up_at: Timestamp,
    /// Events that came back.
    pub events: u64,
    /// Checkpoint of the backup, with which everything was compared.
    pub log: Option<LogPlace>,
    /// What the whole verification says; `None` where there was no checkpoint, or it could not be read.
    pub verified: Option<VerifiedFolder>,
    /// Files whose hash was compared.
    pub files_compared: u64,
    /// Entries of the checkpoint that somebody else kept, if it was compared.
    pub seen_size: Option<u64>,
    /// Was a newer record of erasures carried forward?
    pub erasures_carried: bool,
    /// Will the log sign nothing before its witnesses were heard?
    pub waits_for_witnesses: bool,
    /// What does not hold: place and reason.
    pub findings: Vec<(String, String)>,
    /// How many there are, also beyond those listed.
    pub findings_total: u64,
}

impl Restored {
    /// Does everything hold?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings_total == 0
    }

    fn of(record: &BackupRecord) -> Self {
        Self {
            node: record.node.clone(),
            backed_up_at: record.ended_at,
            events: 0,
            log: record.log.clone(),
            verified: None,
            files_compared: 0,
            seen_size: None,
            erasures_carried: false,
            waits_for_witnesses: false,
            findings: Vec::new(),
            findings_total: 0,
        }
    }

    pub(super) fn find(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        self.findings_total = self.findings_total.saturating_add(1);
        if self.findings.len() < FINDINGS_LISTED {
            self.findings.push((place.into(), reason.into()));
        }
    }
}

/// What stands in the file of a restored folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RestoredMark {
    pub(crate) restored_at: Timestamp,
    /// Events that came back: a witness that has seen more knows events that are lost.
    pub(crate) events: u64,
}

impl RestoredMark {
    /// Reads the mark of a data folder, if it has one.
    pub(crate) fn read(data: &Path) -> Result<Option<Self>, Error> {
        let path = data.join(RESTORED_FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                Error::new(
                    Kind::FolderUnusable,
                    "restored_mark_damaged",
                    format!("{} cannot be read: {error}", path.display()),
                    "Restore again into an empty folder.",
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("restored_mark_unreadable", &path, &error)),
        }
    }
}

/// Brings a backup back and proves what came back; the backup itself is only read. With a database in the location, the
/// journal comes into that, and everything else into the folder that its processes are to share; without one, all of it
/// comes into the data folder. A folder that does not hold keeps the file `restore.part` and is not opened by anybody.
///
/// # Errors
/// `restore_folder_used`, `restore_database_used`, `restore_of_sandbox`; `backup_incomplete`, `backup_damaged`;
/// `disk_full`. That something does not hold is no error but stands in the answer.
pub fn restore(
    from: &Path,
    location: &Location,
    options: &RestoreOptions,
    progress: &dyn Progress,
) -> Result<Restored, Error> {
    let any = [RECORD_FILE, UNDER_WAY_FILE].iter().any(|name| from.join(name).exists());
    if !any {
        return Err(missing(from));
    }
    let _lock = lock_shared(from)?;
    let record = readable(from, options.last_complete)?;
    let to = location.site_path();
    let database = bring::empty_place(location, &record)?;
    make_private_folder(to)?;
    let unproven = to.join(UNPROVEN_FILE);
    place(&unproven, &mut &b"this restore has not ended"[..], progress)?;
    flush_folder(to)?;
    let mut restored = Restored::of(&record);
    let bringing = Bringing { from, to, record: &record, progress };
    let journal = bringing.all(database, &mut restored)?;
    prove(to, &record, options, &mut restored, journal, progress)?;
    if let Some(erasures) = &options.erasures {
        carry_erasures_forward(to, erasures)?;
        restored.erasures_carried = true;
    }
    if !restored.holds() {
        let told = serde_json::to_vec_pretty(&restored)
            .map_err(|error| Error::internal("restore_untold", &error))?;
        place(&unproven, &mut told.as_slice(), progress)?;
        flush_folder(to)?;
        return Ok(restored);
    }
    if restored.log.is_some() && asks_witnesses(to)? {
        let mark = RestoredMark { restored_at: Timestamp::now(), events: restored.events };
        let bytes =
            serde_json::to_vec(&mark).map_err(|error| Error::internal("restored_mark_unwritable", &error))?;
        place(&to.join(RESTORED_FILE), &mut bytes.as_slice(), progress)?;
        flush_folder(to)?;
        restored.waits_for_witnesses = true;
    }
    fs::remove_file(&unproven).map_err(|error| Error::io("file_unwritable", &unproven, &error))?;
    flush_folder(to)?;
    Ok(restored)
}

/// Nobody may write the backup while it is read. Nothing is made where it stands: it may be read-only.
fn lock_shared(from: &Path) -> Result<Option<File>, Error> {
    let Ok(file) = File::open(from.join("lock")) else { return Ok(None) };
    match file.try_lock_shared() {
        Err(fs::TryLockError::WouldBlock) => Err(run::in_use(from)),
        // A file system without locks.
        Err(fs::TryLockError::Error(_)) => Ok(None),
        Ok(()) => Ok(Some(file)),
    }
}

fn readable(from: &Path, last_complete: bool) -> Result<BackupRecord, Error> {
    let record = BackupRecord::read(from)?;
    let under_way = UnderWay::read(from)?;
    let (detail, how_to_fix) = match (record, under_way) {
        (Some(record), None) => return Ok(record),
        (Some(record), Some(_)) if last_complete => return Ok(record),
        (Some(record), Some(_)) => (
            format!("the last run of the backup {} has not ended", from.display()),
            format!(
                "Run `tidewaiter backup` again to complete it; where the data folder is lost, --last-complete restores the state of {}.",
                record.ended_at
            ),
        ),
        (None, Some(_)) => (
            format!("the backup {} was never completed", from.display()),
            "Run `tidewaiter backup` again to complete it, or use another backup.".to_owned(),
        ),
        (None, None) => {
            return Err(missing(from));
        }
    };
    Err(Error::new(Kind::Refused, "backup_incomplete", detail, how_to_fix))
}

fn missing(from: &Path) -> Error {
    Error::new(
        Kind::NotFound,
        "backup_missing",
        format!("{} is no backup", from.display()),
        "Name the folder in which backup.json stands.",
    )
}

/// Everything that came back against the record, the log, and what others have seen.
fn prove(
    to: &Path,
    record: &BackupRecord,
    options: &RestoreOptions,
    restored: &mut Restored,
    journal: Option<AnyJournal>,
    progress: &dyn Progress,
) -> Result<(), Error> {
    if let Some(journal) = &journal {
        progress.report("verifying_the_journal", 0, 0);
        prove_journal(journal, record, options, restored)?;
    }
    let journal = journal.map(AnyJournal::into_shared);
    prove_log(to, record, options, restored, journal, progress)?;
    if let Some(path) = &options.checkpoint {
        compare_with_seen(to, path, &options.keys, restored)?;
    }
    Ok(())
}

fn prove_journal(
    journal: &AnyJournal,
    record: &BackupRecord,
    options: &RestoreOptions,
    restored: &mut Restored,
) -> Result<(), Error> {
    let head = journal.journal().head();
    restored.events = head;
    // A run that has not ended may have added events, erasures and blobs; it took nothing away.
    let as_said = if options.last_complete { head >= record.events } else { head == record.events };
    if !as_said {
        restored.find(JOURNAL_FILE, format!("it holds {head} events, {} were backed up", record.events));
    }
    let until = head.min(record.events);
    if until == record.events && journal::keys_sha256(journal, until)? != record.keys_sha256 {
        restored.find(JOURNAL_FILE, "its idempotency keys are not those that were backed up");
    }
    if options.last_complete {
        return Ok(());
    }
    if journal::erasures_sha256(journal, until)? != record.erasures_sha256 {
        restored.find(JOURNAL_FILE, "its erasures are not those that were backed up");
    }
    let by_shelf = |shelves: Vec<Shelf>| -> BTreeMap<String, Shelf> {
        shelves.into_iter().map(|shelf| (shelf.shelf.clone(), shelf)).collect()
    };
    let found = by_shelf(journal::shelves(journal, &BTreeSet::new())?);
    let said = by_shelf(record.blobs.clone());
    for shelf in found.keys().chain(said.keys()).collect::<BTreeSet<_>>() {
        let (found, said) = (found.get(shelf), said.get(shelf));
        if found != said {
            let number = |own: Option<&Shelf>| own.map_or(0, |own| own.blobs);
            let reason =
                format!("{} blobs stand there, backed up were {}, or others", number(found), number(said));
            restored.find(format!("{BLOBS_FOLDER}/{shelf}"), reason);
        }
    }
    Ok(())
}

fn prove_log(
    to: &Path,
    record: &BackupRecord,
    options: &RestoreOptions,
    restored: &mut Restored,
    journal: Option<Arc<dyn Journal>>,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let Some(place) = &record.log else { return Ok(()) };
    let verified = match verify_with(to, &options.keys, || Ok(journal), progress) {
        Ok(verified) => verified,
        Err(error) if error.kind == Kind::Cancelled => return Err(cancelled()),
        Err(error) => {
            restored.find(LOG_FOLDER, error.to_string());
            return Ok(());
        }
    };
    for (place, reason) in &verified.findings {
        restored.find(place.clone(), reason.clone());
    }
    let unlisted = u64::try_from(verified.findings.len()).unwrap_or(u64::MAX);
    restored.findings_total =
        restored.findings_total.saturating_add(verified.findings_total.saturating_sub(unlisted));
    if (verified.size, &verified.root) != (place.size, &place.root) {
        let reason = format!(
            "it says {} events with the root {}, backed up were {} with {}",
            verified.size, verified.root, place.size, place.root
        );
        restored.find("log/checkpoint", reason);
    }
    restored.verified = Some(verified);
    Ok(())
}

/// The restored log must contain a checkpoint that somebody else kept.
fn compare_with_seen(to: &Path, path: &Path, keys: &[String], restored: &mut Restored) -> Result<(), Error> {
    let bytes = checkpoint_bytes(path)?;
    let place = path.display().to_string();
    let log = to.join(LOG_FOLDER);
    let compared = || -> Result<u64, String> {
        let told = |error: journal::log::LogError| error.to_string();
        let seen = SignedCheckpoint::parse(&bytes).map_err(told)?;
        let files = DiskFiles::existing(&log).map_err(|error| error.to_string())?;
        let reader = LogReader::new(Arc::new(files));
        let known = known_keys(to, keys).map_err(|error| error.to_string())?;
        seen.verify(&known).map_err(told)?;
        let now = reader.checkpoint().map_err(told)?.ok_or_else(|| "there is no checkpoint".to_owned())?;
        let (now, seen) = (now.checkpoint(), seen.checkpoint());
        if now.origin != seen.origin {
            return Err(format!("it is of the log {}, not {}", seen.origin, now.origin));
        }
        if seen.size > now.size {
            return Err(format!(
                "others have seen {} events, the backup's log holds {}: what came between is lost, and this log must not go on (docs/backup.md says what to do)",
                seen.size, now.size
            ));
        }
        consistency_proof(&mut reader.tree(now.size), seen.size, now.size)
            .and_then(|path| verify_consistency(seen.size, seen.root, now.size, now.root, &path))
            .map_err(told)?;
        Ok(seen.size)
    };
    match compared() {
        Ok(size) => restored.seen_size = Some(size),
        Err(reason) => restored.find(place, reason),
    }
    Ok(())
}

/// What was erased after the backup was made is erased again when the folder is opened.
fn carry_erasures_forward(to: &Path, erasures: &Path) -> Result<(), Error> {
    let [record_name, key_name] = CARRIED_FORWARD;
    let before = erased_so_far(to)?;
    for (name, from) in [(record_name, erasures.to_owned()), (key_name, erasures.with_file_name(key_name))] {
        match File::open(&from) {
            Ok(mut content) => place(&to.join(name), &mut content, &spine::Silent).map(drop)?,
            Err(_) if name == key_name && to.join(name).exists() => {}
            Err(error) => return Err(Error::io("erasures_unreadable", &from, &error)),
        }
    }
    flush_folder(to)?;
    let now = erased_so_far(to)?;
    if (now.erasures, now.events) < (before.erasures, before.events) {
        return Err(Error::new(
            Kind::Refused,
            "erasures_older",
            format!("{} knows fewer erasures than the backup", erasures.display()),
            "Name the newest erasures.json there is, and restore again into an empty folder.",
        ));
    }
    Ok(())
}
