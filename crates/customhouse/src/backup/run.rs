//! Making a backup, or carrying it on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::Path;

use jiff::Timestamp;
use journal::log::files::{DiskFiles, Durably};
use journal::log::tiles::{carry_tiles, frontier_of, remove_other_partials};
use journal::log::tree::{Frontier, TreeHash, leaf_hash, root_of_size};
use journal::log::{LogReader, SignedCheckpoint};
use journal::{AnyJournal, CopyProgress, Known, SqliteJournal, SqliteOptions};
use serde::Serialize;
use spine::Progress;

use super::files::{self, FileStore};
use super::manifest::{BackupRecord, Carried, FORMAT, LogPlace, RECORD_FILE, UNDER_WAY_FILE, UnderWay};
use super::source::{Signed, Source, erasure_under_way};
use super::{JOURNAL_FILE, cancelled, log_error, make_private_folder, names_in, pool_files};
use crate::error::{Error, Kind};
use crate::flow::disk_free_bytes;
use crate::folder::Location;
use crate::proof::LOG_FOLDER;

/// So often everything is carried again because something was erased meanwhile.
const ROUNDS_MAX: usize = 5;

/// What a person may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackupOptions {
    /// Read everything that is there already and compare it, instead of believing root and names.
    pub check: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    /// What the backup holds now, in short.
    pub node: String,
    /// Events.
    pub events: u64,
    /// The checkpoint that these events were proven against.
    pub log: Option<LogPlace>,
    /// What was new.
    pub carried: Carried,
    /// Was there a run before that had not ended?
    pub went_on: bool,
    /// What the data folder has lost and the backup keeps.
    pub lost_by_the_folder: Vec<String>,
}

/// Makes a backup of a house, or carries one on: everything that it does not hold yet. It takes no lock there and changes
/// nothing, neither in a folder nor in a database.
///
/// What was erased in the house is destroyed in the backup too.
///
/// # Errors
/// `backup_folder_foreign`, `backup_of_another`, `backup_ahead`, `backup_in_use`; `disk_full`; `backup_during_erasure`.
/// What was carried until then stays, and the next run goes on from there.
pub fn back_up(
    from: &Location,
    to: &Path,
    options: BackupOptions,
    progress: &dyn Progress,
) -> Result<BackedUp, Error> {
    let began_at = Timestamp::now();
    let source = Source::open(from)?;
    for folder in [&from.data, &source.path] {
        refuse_one_inside_the_other(folder, to)?;
    }
    make_usable(to)?;
    let _lock = lock(to)?;
    let before = BackupRecord::read(to)?;
    let under_way = UnderWay::read(to)?;
    refuse_another(&source, to, before.as_ref(), under_way.as_ref())?;
    refuse_too_little_space(&source, to)?;
    let run = Run { source: &source, to, check: options.check, progress };
    // What is refused leaves a complete backup complete.
    run.beginning(before.as_ref())?;
    UnderWay { node: source.mark.node.clone(), began_at }.write(to)?;
    let record = run.rounds(before.as_ref(), began_at)?;
    // Only now does the newer state stand for itself; what it no longer needs goes afterwards.
    record.write(to)?;
    run.sweep(before.as_ref(), &record)?;
    UnderWay::end(to)?;
    Ok(BackedUp {
        node: record.node,
        events: record.events,
        log: record.log,
        carried: record.carried,
        went_on: under_way.is_some(),
        lost_by_the_folder: record.lost_by_the_folder,
    })
}

struct Run<'a> {
    source: &'a Source,
    to: &'a Path,
    check: bool,
    progress: &'a dyn Progress,
}

/// Where the events of a run are known to be the same, and how the tree goes on from there.
struct Beginning {
    known: Known,
    tree: Frontier,
}

impl Run<'_> {
    /// Carries everything, again if something was erased or the log's key was changed meanwhile.
    fn rounds(&self, before: Option<&BackupRecord>, began_at: Timestamp) -> Result<BackupRecord, Error> {
        let mut carried = Carried::default();
        let logged = before.and_then(|record| record.log.as_ref()).map_or(0, |place| place.size);
        for _ in 0..ROUNDS_MAX {
            let erased = self.source.erased()?;
            self.source.wait_for_checkpoint(logged)?;
            let signed = self.source.signed()?;
            let mut record = self.round(before, &signed, &erased.blobs, &mut carried)?;
            let same_keys = self.source.signed()?.key_changes == signed.key_changes;
            if self.source.erased()? == erased && same_keys {
                record.began_at = began_at;
                record.ended_at = Timestamp::now();
                return Ok(record);
            }
        }
        Err(erasure_under_way(&self.source.path))
    }

    fn round(
        &self,
        before: Option<&BackupRecord>,
        signed: &Signed,
        erased_blobs: &BTreeSet<String>,
        carried: &mut Carried,
    ) -> Result<BackupRecord, Error> {
        let mark = &self.source.mark;
        let from = self.source.journal()?;
        let options = SqliteOptions::new(&self.to.join(JOURNAL_FILE), &mark.node, &mark.administration);
        let to = AnyJournal::Sqlite(SqliteJournal::open(&options)?);
        let (known, all) = self.carry_journal(before, signed, &from, &to, carried)?;
        let events = all.events;
        self.carry_log(before, signed, carried)?;
        let pool = pool_files::carry(self.source, self.to, to.journal(), self.check, self.progress)?;
        let mut store = FileStore::open(self.to, self.check, self.progress)?;
        store.keep_all(self.source, signed)?;
        carried.parquet = carried.parquet.saturating_add(pool.new);
        carried.files = carried.files.saturating_add(store.new);
        carried.bytes = carried.bytes.saturating_add(pool.new_bytes).saturating_add(store.new_bytes);
        carried.erasures = carried.erasures.saturating_add(journal::carry_erasures(&from, &to, events)?);
        let blobs_erased = self.gone(&from, erased_blobs)?;
        Ok(BackupRecord {
            format: FORMAT,
            node: mark.node.clone(),
            administration: mark.administration.clone(),
            sandbox: mark.sandbox,
            began_at: Timestamp::UNIX_EPOCH,
            ended_at: Timestamp::UNIX_EPOCH,
            complete: true,
            events,
            log: log_place(signed),
            known,
            keys_sha256: all.keys_sha256,
            erasures_sha256: journal::erasures_sha256(&to, events)?,
            blobs: journal::shelves(&to, &blobs_erased)?,
            blobs_erased: blobs_erased.into_iter().collect(),
            pool: pool.kept,
            files: store.kept,
            carried: *carried,
            lost_by_the_folder: pool.lost,
        })
    }

    /// Blobs first, then events up to what the log has signed, which proves them, then those after it. Answers with how
    /// far the log proves them, and with all there are.
    fn carry_journal(
        &self,
        before: Option<&BackupRecord>,
        signed: &Signed,
        from: &AnyJournal,
        to: &AnyJournal,
        carried: &mut Carried,
    ) -> Result<(Known, Known), Error> {
        let mut see = |now: CopyProgress| {
            let stage = if now.events_total == 0 { "carrying_blobs" } else { "carrying_events" };
            self.progress.report(stage, now.events.max(now.blobs), now.events_total);
            if self.progress.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // A blob is there before the event that names it: what is recorded from here on is left for the next run.
        let head = from.journal().head();
        let blobs = journal::carry_blobs(from, to, &mut see)?;
        let Beginning { known, mut tree } = self.beginning(before)?;
        let said = signed.checkpoint.as_ref().map(|own| own.0.checkpoint().clone());
        let size = said.as_ref().map_or(0, |said| said.size);
        let mut grow = |entry: &[u8]| tree.push(leaf_hash(entry));
        let logged = journal::carry_events(from, to, &known, size, &mut grow, &mut see)?;
        let later = journal::carry_events(from, to, &logged.known, head, &mut |_| (), &mut see)?;
        if blobs.stopped || logged.stopped || later.stopped {
            return Err(cancelled());
        }
        if let Some(said) = said
            && (tree.size(), tree.root()) != (said.size, said.root)
        {
            return Err(not_what_was_signed(&self.source.path, &said.root, &tree.root()));
        }
        carried.blobs = carried.blobs.saturating_add(blobs.number);
        carried.events = carried.events.saturating_add(logged.number).saturating_add(later.number);
        let bytes = [blobs.bytes, logged.bytes, later.bytes].into_iter().fold(0, u64::saturating_add);
        carried.bytes = carried.bytes.saturating_add(bytes);
        Ok((logged.known, later.known))
    }

    /// Where the last complete run ended, if the folder's log still has the root there that the backup had.
    fn beginning(&self, before: Option<&BackupRecord>) -> Result<Beginning, Error> {
        let nothing = || Beginning { known: Known::default(), tree: Frontier::new() };
        let (Some(record), false) = (before, self.check) else { return Ok(nothing()) };
        let (Some(place), Some(log)) = (&record.log, self.source.log()) else { return Ok(nothing()) };
        self.source.wait_for_checkpoint(place.size)?;
        let now = log.checkpoint().map_err(|error| log_error(&error))?;
        let size = now.map_or(0, |now: SignedCheckpoint| now.checkpoint().size);
        if size < place.size {
            return Err(ahead(self.to, place.size, &self.source.path, size));
        }
        let root = root_of_size(&mut log.tree(size), place.size).map_err(|error| log_error(&error))?;
        if root.to_string() != place.root {
            return Err(Error::new(
                Kind::Conflict,
                "backup_of_another_history",
                format!(
                    "the first {} events of {} have the root {root}, those of the backup {}",
                    place.size,
                    self.source.path.display(),
                    place.root
                ),
                "Keep that backup as it is, back up into an empty folder, and find out which of the two was changed.",
            ));
        }
        let own = self.own_log()?;
        match frontier_of(&LogReader::new(own), place.size) {
            Ok(tree) => Ok(Beginning { known: record.known.clone(), tree }),
            Err(error) => {
                tracing::warn!(%error, "the backup's tiles cannot be used: everything is read again");
                Ok(nothing())
            }
        }
    }

    fn own_log(&self) -> Result<std::sync::Arc<dyn journal::log::Files>, Error> {
        let folder = self.to.join(LOG_FOLDER);
        let files =
            DiskFiles::open(&folder).map_err(|error| Error::io("log_folder_unusable", &folder, &error))?;
        Ok(std::sync::Arc::new(files))
    }

    /// The tiles of what the log has signed; whoever reads them finds the root that the events have.
    fn carry_log(
        &self,
        before: Option<&BackupRecord>,
        signed: &Signed,
        carried: &mut Carried,
    ) -> Result<(), Error> {
        let (Some(log), Some((checkpoint, _))) = (self.source.log(), &signed.checkpoint) else {
            return Ok(());
        };
        let failed = |error: journal::log::LogError| log_error(&error);
        let said = checkpoint.checkpoint();
        let own = self.own_log()?;
        let durably = Durably::new(std::sync::Arc::clone(&own)).map_err(failed)?;
        let mut known = before.and_then(|record| record.log.as_ref()).map_or(0, |place| place.size);
        if self.check
            || known > said.size
            || frontier_of(&LogReader::new(std::sync::Arc::clone(&own)), known).is_err()
        {
            known = 0;
        }
        let mut see = |done: u64, total: u64| {
            self.progress.report("carrying_the_log", done, total);
            if self.progress.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let tiles = carry_tiles(&log, &durably, (known, said.size), &mut see).map_err(failed)?;
        if tiles.stopped {
            return Err(cancelled());
        }
        carried.tiles = carried.tiles.saturating_add(tiles.files);
        carried.bytes = carried.bytes.saturating_add(tiles.bytes);
        let copied = frontier_of(&LogReader::new(own), said.size).map_err(failed)?;
        if copied.root() == said.root {
            Ok(())
        } else {
            Err(not_what_was_signed(&self.to.join(LOG_FOLDER), &said.root, &copied.root()))
        }
    }

    /// Blobs that were erased and did not come in again.
    fn gone(&self, from: &AnyJournal, erased: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
        let mut gone = BTreeSet::new();
        for sha256 in erased {
            match from.journal().get_blob(sha256) {
                Err(journal::JournalError::NoSuchBlob { .. }) => {
                    gone.insert(sha256.clone());
                }
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(gone)
    }

    /// Destroys what the newer state no longer needs.
    fn sweep(&self, before: Option<&BackupRecord>, record: &BackupRecord) -> Result<(), Error> {
        let options = SqliteOptions::new(&self.to.join(JOURNAL_FILE), &record.node, &record.administration);
        let journal = AnyJournal::Sqlite(SqliteJournal::open(&options)?);
        for sha256 in &record.blobs_erased {
            journal.journal().erase_blob(sha256)?;
        }
        drop(journal);
        pool_files::sweep(self.to, &record.pool)?;
        files::sweep(self.to, &record.files)?;
        let sizes = before.and_then(|record| record.log.as_ref()).zip(record.log.as_ref());
        if let Some((old, new)) = sizes.filter(|(old, new)| old.size < new.size) {
            let durably = Durably::new(self.own_log()?).map_err(|error| log_error(&error))?;
            remove_other_partials(&durably, old.size, new.size).map_err(|error| log_error(&error))?;
        }
        Ok(())
    }
}

fn log_place(signed: &Signed) -> Option<LogPlace> {
    let said = signed.checkpoint.as_ref()?.0.checkpoint();
    Some(LogPlace {
        origin: said.origin.clone(),
        size: said.size,
        root: said.root.to_string(),
        witnessed_size: signed.witnessed.as_ref().map(|own| own.0.checkpoint().size),
    })
}

fn not_what_was_signed(place: &Path, signed: &TreeHash, found: &TreeHash) -> Error {
    Error::new(
        Kind::FolderUnusable,
        "backup_root_differs",
        format!("{}: the log signed the root {signed}, but there it is {found}", place.display()),
        "Run `tidewaiter verify folder` on the data folder to see what was changed; the backup of before stays as it was.",
    )
}

fn ahead(backup: &Path, size: u64, data: &Path, now: u64) -> Error {
    Error::new(
        Kind::Conflict,
        "backup_ahead",
        format!("the backup {} holds {size} logged events, {} only {now}", backup.display(), data.display()),
        "The data folder is older than the backup: keep the backup, and back up into an empty folder.",
    )
}

fn refuse_one_inside_the_other(data: &Path, to: &Path) -> Result<(), Error> {
    let real = |path: &Path| {
        path.ancestors()
            .find_map(|ancestor| Some((ancestor.canonicalize().ok()?, path.strip_prefix(ancestor).ok()?)))
            .map_or_else(|| path.to_owned(), |(real, rest)| real.join(rest))
    };
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (data, to) = (real(&absolute(data)), real(&absolute(to)));
    if to.starts_with(&data) || data.starts_with(&to) {
        return Err(Error::new(
            Kind::Invalid,
            "backup_inside_the_folder",
            format!("{} and {} lie one inside the other", to.display(), data.display()),
            "Name a folder elsewhere, best on another disk.",
        ));
    }
    Ok(())
}

/// A new folder, an empty one, or one that a backup was begun in.
fn make_usable(to: &Path) -> Result<(), Error> {
    let own = [RECORD_FILE, UNDER_WAY_FILE].iter().any(|name| to.join(name).exists());
    let others = names_in(to)?.iter().any(|name| name != "lock" && !name.starts_with('.'));
    if others && !own {
        return Err(Error::new(
            Kind::Refused,
            "backup_folder_foreign",
            format!("the folder {} holds other files and is no backup", to.display()),
            "Name a new folder, an empty one, or an existing backup.",
        ));
    }
    make_private_folder(to)
}

/// One run at a time.
fn lock(to: &Path) -> Result<File, Error> {
    let path = to.join("lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Error::io("backup_unwritable", &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(in_use(to)),
        Err(fs::TryLockError::Error(error)) => Err(Error::io("backup_unwritable", &path, &error)),
    }
}

/// Another process writes or reads the backup.
pub(super) fn in_use(to: &Path) -> Error {
    Error::new(
        Kind::Busy,
        "backup_in_use",
        format!("another process is at work in the backup {}", to.display()),
        "Wait until it has ended, then try again.",
    )
}

fn refuse_another(
    source: &Source,
    to: &Path,
    before: Option<&BackupRecord>,
    under_way: Option<&UnderWay>,
) -> Result<(), Error> {
    let begun = under_way.map(|own| own.node.as_str()).filter(|node| !node.is_empty());
    let node = before.map(|record| record.node.as_str()).or(begun);
    match node.filter(|node| *node != source.mark.node) {
        None => Ok(()),
        Some(node) => Err(Error::new(
            Kind::Conflict,
            "backup_of_another",
            format!("{} is a backup of {node}, not of {}", to.display(), source.mark.node),
            "Name the backup of this data folder, or an empty folder.",
        )),
    }
}

/// Refuses before the work what would fill the disk. It is an estimate: the journal's growth and missing Parquet.
fn refuse_too_little_space(source: &Source, to: &Path) -> Result<(), Error> {
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let journal = source.journal_bytes().saturating_sub(bytes(&to.join(JOURNAL_FILE)));
    let (from, own) = (source.path.join(super::POOL_FOLDER), to.join(super::POOL_FOLDER));
    let missing = names_in(&from)?.into_iter().filter(|name| name.ends_with(".parquet"));
    let pool =
        missing.filter(|name| !own.join(name).exists()).map(|name| bytes(&from.join(name))).sum::<u64>();
    let needed = journal.saturating_add(pool);
    match disk_free_bytes(to).filter(|free| *free < needed) {
        None => Ok(()),
        Some(free) => Err(Error::new(
            Kind::Internal,
            "disk_full",
            format!("the backup needs about {needed} bytes more at {}, where {free} are free", to.display()),
            "Free some space there, or name a folder on another disk. Nothing was begun.",
        )),
    }
}
