//! The pool's folder and catalogue as one thing, kept abreast of the journal.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ::pool::catalogue::PlacedEvent;
use ::pool::{
    BatchState, Catalogue, PoolError, PoolEvent, PoolFolder, SWEEP_GRACE, SourceContract, StoredFile,
};
use formats::IntakeError;
use journal::{Journal, RecordedEvent};
use serde::Serialize;
use spine::{EntryTable, Finding};

use crate::error::{Error, Kind};
use crate::folder::DataFolder;

/// Events read from the journal at once.
const EVENTS_PER_READ: usize = 1_000;
/// Batches read from the catalogue at once.
const BATCHES_AT_ONCE: usize = 1_000;
/// Version of the payloads that are read here.
const KIND_VERSION: u32 = 1;

/// The pool of a data folder.
pub(crate) struct Pool {
    pub(super) folder: PoolFolder,
    catalogue: Mutex<Catalogue>,
    journal: Arc<dyn Journal>,
}

impl Pool {
    /// Opens the pool, brings its catalogue up to the journal's head, and sweeps what no event names.
    pub(crate) fn open(data: &DataFolder, journal: Arc<dyn Journal>) -> Result<Self, Error> {
        let folder = PoolFolder::open(&data.of_site("pool"))?;
        // The catalogue is derived: each process has its own.
        let own = data.of_process("pool");
        std::fs::create_dir_all(&own).map_err(|error| Error::io("data_folder_unwritable", &own, &error))?;
        let catalogue = Mutex::new(Catalogue::open(&own.join("catalogue.sqlite"))?);
        let pool = Self { folder, catalogue, journal };
        pool.sweep(SWEEP_GRACE)?;
        Ok(pool)
    }

    /// Removes files that no event names.
    pub(super) fn sweep(&self, grace: std::time::Duration) -> Result<usize, Error> {
        let catalogue = self.catalogue()?;
        // A file that the catalogue cannot tell about stays.
        let named = |sha256: &str| catalogue.names_file(sha256).unwrap_or(true);
        Ok(self.folder.sweep(named, grace, SystemTime::now())?.len())
    }

    /// The catalogue as of the journal's head.
    pub(super) fn catalogue(&self) -> Result<MutexGuard<'_, Catalogue>, Error> {
        let mut catalogue = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        while catalogue.position()? < self.journal.head() {
            catch_up(&mut catalogue, self.journal.as_ref())?;
        }
        Ok(catalogue)
    }

    /// Position of the latest event of a batch: what is derived of the pool is as new as that.
    pub(crate) fn latest_batch(&self) -> Result<u64, Error> {
        Ok(self.catalogue()?.batches(None, None, 1)?.first().map_or(0, |batch| batch.position))
    }

    /// Files of all admitted rows, in the order of their admission.
    pub(crate) fn admitted_files(&self) -> Result<Vec<(PathBuf, StoredFile)>, Error> {
        let catalogue = self.catalogue()?;
        let (mut batches, mut before) = (Vec::new(), None);
        loop {
            let page = catalogue.batches(before, Some(BatchState::Admitted), BATCHES_AT_ONCE)?;
            let Some(last) = page.last() else { break };
            before = Some(last.position);
            batches.extend(page.into_iter().map(|batch| batch.record.batch));
        }
        let mut files = Vec::new();
        for batch in batches.iter().rev() {
            let own = catalogue.files(batch)?.into_iter();
            files.extend(own.map(|file| (self.folder.file(&file.sha256), file)));
        }
        Ok(files)
    }

    /// The contract in force under this name.
    pub(super) fn contract(&self, name: &str) -> Result<SourceContract, Error> {
        if let Some(declared) = self.catalogue()?.contract(name)? {
            return Ok(declared.declared.contract);
        }
        if name == SourceContract::DECLARATIONS {
            return Ok(SourceContract::declarations());
        }
        Err(contract_unknown(name))
    }
}

/// Reads a catalogue on by some of the events that it does not reflect yet; answers with the position that it has come to.
pub(crate) fn catch_up(catalogue: &mut Catalogue, journal: &dyn Journal) -> Result<u64, Error> {
    let events = journal.feed(catalogue.position()?, EVENTS_PER_READ)?;
    let placed: Vec<PlacedEvent> = events.iter().map(place).collect::<Result<_, _>>()?;
    catalogue.apply(&placed)?;
    Ok(catalogue.position()?)
}

pub(super) fn contract_unknown(name: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "contract_unknown",
        format!("there is no source contract \"{name}\""),
        "Look at the list of contracts, or declare it first.",
    )
}

fn place(recorded: &RecordedEvent) -> Result<PlacedEvent, Error> {
    let envelope = &recorded.envelope;
    let read = recorded.payload.value().and_then(|payload| PoolEvent::read(&envelope.kind, payload));
    let event = match read {
        None => None,
        Some(Ok(event)) if envelope.kind_version == KIND_VERSION => Some(event),
        Some(read) => {
            let reason = read.err().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(Error::new(
                Kind::FolderUnusable,
                "event_unreadable",
                format!(
                    "the event at position {} ({}, version {}) cannot be read{reason}",
                    recorded.position, envelope.kind, envelope.kind_version
                ),
                "Run the newer version of tidewaiter that wrote it. Nothing was changed.",
            ));
        }
    };
    Ok(PlacedEvent {
        position: recorded.position,
        stream_version: envelope.stream_version,
        recorded_at: envelope.recorded_at,
        actor: envelope.actor.id.clone(),
        event,
    })
}

/// Which rows of a loaded table came from which batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntriesOfBatch {
    /// Batch.
    pub batch: String,
    /// Its first row in the table.
    pub first_row: usize,
    /// Its rows.
    pub rows: usize,
}

/// Whole batches as one table, whatever the reader's clearance: for engines. What they show of it is theirs to check.
#[derive(Debug, Clone)]
pub struct Entries {
    /// All rows, batch after batch, with all fields of the schema.
    pub table: EntryTable,
    /// Where they came from.
    pub batches: Vec<EntriesOfBatch>,
    /// Rows that say they are simulated.
    pub rows_simulated: u64,
    /// Position of the latest of these admissions: two loads with the same selection and position are equal.
    pub position: u64,
}

impl Entries {
    /// The batch of a row of the table, and its row there.
    #[must_use]
    pub fn origin(&self, row: usize) -> Option<(&str, u64)> {
        let at = self.batches.partition_point(|batch| batch.first_row <= row).checked_sub(1)?;
        let batch = self.batches.get(at)?;
        let within = row.checked_sub(batch.first_row).filter(|within| *within < batch.rows)?;
        Some((&batch.batch, u64::try_from(within).ok()?))
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        let (kind, code) = match &error {
            PoolError::Cancelled => return Self::cancelled(),
            PoolError::NewerFormat { .. } | PoolError::Damaged { .. } | PoolError::Missing { .. } => {
                (Kind::FolderUnusable, error.code())
            }
            PoolError::Unstorable(_) => (Kind::Refused, error.code()),
            _ => (Kind::Internal, error.code()),
        };
        // A pool error's message ends with its remedy.
        let told = Self::new(kind, code, error.to_string(), "");
        if let PoolError::Unstorable(findings) = error { told.with_findings(findings) } else { told }
    }
}

/// A file that cannot be read is told by the finding that says why.
pub(super) fn source_error(finding: Finding) -> Error {
    let kind = if finding.code == "file_not_found" { Kind::NotFound } else { Kind::Refused };
    Error::new(kind, &finding.code, finding.to_string(), "").with_findings(vec![finding])
}

impl From<IntakeError> for Error {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Cancelled => Self::cancelled(),
            IntakeError::Source(finding) => source_error(*finding),
            IntakeError::Mapping(findings) => Self::new(
                Kind::Refused,
                "mapping_does_not_fit",
                "the mapping does not fit this file",
                "Correct what the findings name; `tidewaiter map` shows the columns there are.",
            )
            .with_findings(findings),
            IntakeError::TooManyRows(most) => Self::new(
                Kind::Refused,
                "too_many_rows",
                format!("the file has more than {most} rows"),
                "Split it, by month or by office.",
            ),
        }
    }
}
