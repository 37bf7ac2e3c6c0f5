//! What a restore brings back, before anything is proven of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use journal::log::LogReader;
use journal::log::files::{DiskFiles, Durably};
use journal::log::tiles::carry_tiles;
use journal::{AnyJournal, CopyProgress, JournalError, Known, PostgresJournal, PostgresOptions};
use journal::{SqliteJournal, SqliteOptions};
use spine::Progress;

use super::manifest::{BackupRecord, KeptFile};
use super::restore::Restored;
use super::{
    BLOBS_FOLDER, JOURNAL_FILE, cancelled, destroy, destroy_database, files, flush_folder, log_error,
    make_private_folder, names_in, place,
};
use crate::error::{Error, Kind};
use crate::folder::{FolderMark, Location, MARKER, mark_as_site};
use crate::proof::LOG_FOLDER;

/// Folder in which a copy of the journal's file stands while it is carried into a database.
const SCRATCH_FOLDER: &str = ".restore";

/// Refuses a place that is not empty; answers with the database that was made ready, if the journal is to stand in one.
pub(super) fn empty_place(location: &Location, record: &BackupRecord) -> Result<Option<AnyJournal>, Error> {
    let to = location.site_path();
    if !names_in(to)?.is_empty() {
        return Err(Error::new(
            Kind::Refused,
            "restore_folder_used",
            format!("the folder {} holds something", to.display()),
            "Name a new folder or an empty one: a restore overwrites nothing.",
        ));
    }
    let Some(url) = &location.database else { return Ok(None) };
    if record.sandbox {
        return Err(Error::new(
            Kind::Refused,
            "restore_of_sandbox",
            "this is the backup of a sandbox, whose journal stands in a file",
            "Restore it into a folder.",
        ));
    }
    let options = PostgresOptions::new(url, &record.node, &record.administration);
    let journal = AnyJournal::Postgres(PostgresJournal::open(&options)?);
    if journal.journal().head() > 0 || !journal::shelves(&journal, &BTreeSet::new())?.is_empty() {
        return Err(Error::new(
            Kind::Refused,
            "restore_database_used",
            "the database holds a journal already",
            "Name a new database or an empty one: a restore overwrites nothing.",
        ));
    }
    Ok(Some(journal))
}

/// A backup on its way back.
pub(super) struct Bringing<'a> {
    pub(super) from: &'a Path,
    pub(super) to: &'a Path,
    pub(super) record: &'a BackupRecord,
    pub(super) progress: &'a dyn Progress,
}

impl Bringing<'_> {
    /// Brings everything. Answers with the journal where it came to stand, unless it cannot be opened.
    pub(super) fn all(
        &self,
        database: Option<AnyJournal>,
        restored: &mut Restored,
    ) -> Result<Option<AnyJournal>, Error> {
        self.files(database.is_some(), restored)?;
        let journal = match database {
            None => self.journal_file(restored)?,
            Some(database) => {
                self.blobs_into(&database, restored)?;
                self.events_into(&database, restored)?;
                Some(database)
            }
        };
        self.log(restored)?;
        Ok(journal)
    }

    /// Everything that is neither journal nor tile. A site bears the name that the house had: its log goes on under it.
    fn files(&self, into_site: bool, restored: &mut Restored) -> Result<(), Error> {
        let record = self.record;
        let total = u64::try_from(record.files.len().saturating_add(record.pool.len())).unwrap_or(u64::MAX);
        let kept =
            record.files.iter().map(|file| (file, true)).chain(record.pool.iter().map(|file| (file, false)));
        for ((file, by_hash), done) in kept.zip(0..) {
            self.stop_if_cancelled()?;
            self.progress.report("restoring_files", done, total);
            self.file(file, by_hash, restored)?;
        }
        if into_site {
            let mark = FolderMark {
                node: record.node.clone(),
                administration: record.administration.clone(),
                sandbox: false,
            };
            mark_as_site(self.to, &mark)?;
            destroy(&self.to.join(MARKER))?;
        }
        Ok(())
    }

    fn file(&self, file: &KeptFile, by_hash: bool, restored: &mut Restored) -> Result<(), Error> {
        let wrong = if by_hash {
            files::put_back(self.from, self.to, file)?
        } else {
            files::put_back_from(&self.from.join(&file.path), self.to, file)?
        };
        restored.files_compared = restored.files_compared.saturating_add(1);
        if let Some(reason) = wrong {
            let kept =
                if by_hash { format!("{}/{}", files::FILES_FOLDER, file.sha256) } else { file.path.clone() };
            restored.find(kept, format!("kept for {}: {reason}", file.path));
        }
        Ok(())
    }

    /// The journal as it is, with its blobs beside it.
    fn journal_file(&self, restored: &mut Restored) -> Result<Option<AnyJournal>, Error> {
        let opened = self.open_copy(self.to, restored)?;
        self.for_each_blob(restored, &mut |shelf, name, content| {
            let target = self.to.join(BLOBS_FOLDER).join(shelf);
            make_private_folder(&target)?;
            let (found, _) = place(&target.join(name), content, self.progress)?;
            Ok(found)
        })?;
        for shelf in names_in(&self.to.join(BLOBS_FOLDER))? {
            flush_folder(&self.to.join(BLOBS_FOLDER).join(shelf))?;
        }
        Ok(opened.map(AnyJournal::Sqlite))
    }

    /// Copies the journal's file, which may have a write-ahead log beside it, opens and checks the copy.
    fn open_copy(&self, folder: &Path, restored: &mut Restored) -> Result<Option<SqliteJournal>, Error> {
        self.progress.report("restoring_events", 0, 0);
        for end in ["", "-wal"] {
            let name = format!("{JOURNAL_FILE}{end}");
            match File::open(self.from.join(&name)) {
                Ok(mut content) => place(&folder.join(&name), &mut content, self.progress).map(drop)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !end.is_empty() => {}
                Err(error) => restored.find(name, error.to_string()),
            }
        }
        let record = self.record;
        let options = SqliteOptions::new(&folder.join(JOURNAL_FILE), &record.node, &record.administration);
        match SqliteJournal::open(&options) {
            Ok(journal) => {
                for said in journal.check_file()? {
                    restored.find(JOURNAL_FILE, said);
                }
                Ok(Some(journal))
            }
            Err(error) => {
                restored.find(JOURNAL_FILE, error.to_string());
                Ok(None)
            }
        }
    }

    /// Events, keys and erasures into a database, by way of a copy of the file: the backup may stand where SQLite cannot
    /// read it, for it keeps an index beside what it reads.
    fn events_into(&self, database: &AnyJournal, restored: &mut Restored) -> Result<(), Error> {
        let scratch = self.to.join(SCRATCH_FOLDER);
        make_private_folder(&scratch)?;
        if let Some(copy) = self.open_copy(&scratch, restored)?
            && let Err(error) = self.carry(&AnyJournal::Sqlite(copy), database)
        {
            match error {
                JournalError::Corrupt { .. } | JournalError::NotTheSame { .. } => {
                    restored.find(JOURNAL_FILE, error.to_string());
                }
                error => return Err(error.into()),
            }
        }
        self.stop_if_cancelled()?;
        // It may hold what is erased again when the house is opened.
        destroy_database(&scratch.join(JOURNAL_FILE))?;
        std::fs::remove_dir_all(&scratch).map_err(|error| Error::io("file_unwritable", &scratch, &error))
    }

    fn carry(&self, copy: &AnyJournal, database: &AnyJournal) -> Result<(), JournalError> {
        let head = copy.journal().head();
        let mut see = |now: CopyProgress| self.see("restoring_events", now.events, now.events_total);
        journal::carry_events(copy, database, &Known::default(), head, &mut |_| (), &mut see)?;
        journal::carry_erasures(copy, database, head).map(drop)
    }

    fn blobs_into(&self, database: &AnyJournal, restored: &mut Restored) -> Result<(), Error> {
        self.for_each_blob(restored, &mut |_, _, content| Ok(database.journal().put_blob(content)?.sha256))
    }

    /// Every blob that was not erased; `take` answers with the hash that it found.
    fn for_each_blob(
        &self,
        restored: &mut Restored,
        take: &mut dyn FnMut(&str, &str, &mut File) -> Result<String, Error>,
    ) -> Result<(), Error> {
        let erased: BTreeSet<&str> = self.record.blobs_erased.iter().map(String::as_str).collect();
        let folder = self.from.join(BLOBS_FOLDER);
        let mut done = 0_u64;
        for shelf in names_in(&folder)?.into_iter().filter(|name| name.len() == 2) {
            for name in names_in(&folder.join(&shelf))? {
                let sha256 = format!("{shelf}{name}");
                if erased.contains(sha256.as_str()) {
                    continue;
                }
                self.stop_if_cancelled()?;
                let path = folder.join(&shelf).join(&name);
                let mut content =
                    File::open(&path).map_err(|error| Error::io("backup_unreadable", &path, &error))?;
                let found = take(&shelf, &name, &mut content)?;
                if found != sha256 {
                    restored
                        .find(format!("{BLOBS_FOLDER}/{shelf}/{name}"), format!("its SHA-256 is {found}"));
                }
                done = done.saturating_add(1);
                self.progress.report("restoring_blobs", done, 0);
            }
        }
        restored.files_compared = restored.files_compared.saturating_add(done);
        Ok(())
    }

    fn log(&self, restored: &mut Restored) -> Result<(), Error> {
        let Some(place) = &self.record.log else { return Ok(()) };
        let (own, target) = (self.from.join(LOG_FOLDER), self.to.join(LOG_FOLDER));
        let files = match DiskFiles::existing(&own) {
            Ok(files) => files,
            Err(error) => {
                restored.find(LOG_FOLDER, error.to_string());
                return Ok(());
            }
        };
        let folder =
            DiskFiles::open(&target).map_err(|error| Error::io("log_folder_unusable", &target, &error))?;
        let durably = Durably::new(Arc::new(folder)).map_err(|error| log_error(&error))?;
        let mut see = |done: u64, total: u64| self.see("restoring_the_log", done, total);
        match carry_tiles(&LogReader::new(Arc::new(files)), &durably, (0, place.size), &mut see) {
            Ok(tiles) if tiles.stopped => return Err(cancelled()),
            Ok(_) => {}
            Err(error @ journal::log::LogError::StorageFull { .. }) => return Err(log_error(&error)),
            Err(error) => restored.find(LOG_FOLDER, error.to_string()),
        }
        Ok(())
    }

    fn see(&self, stage: &'static str, done: u64, total: u64) -> ControlFlow<()> {
        self.progress.report(stage, done, total);
        if self.progress.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn stop_if_cancelled(&self) -> Result<(), Error> {
        if self.progress.cancelled() { Err(cancelled()) } else { Ok(()) }
    }
}
