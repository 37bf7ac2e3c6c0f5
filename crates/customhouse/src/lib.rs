//! The application: takes a command, loads state, asks, appends events, keeps read models. Knows no HTTP.
//!
//! Each room shows up as a folder of one shape: `commands.rs` changes something, `read_model.rs` answers.

pub mod audit;
pub mod error;
mod folder;
pub mod identity;
pub mod jobs;
pub mod offline;
pub mod packs;
pub mod pool;
pub mod rules;
pub mod tags;
pub mod uploads;

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use jiff::Timestamp;
use journal::{AppendRequest, Clock, Journal, NewEvent, SqliteJournal, SqliteOptions, SystemClock};
use serde_json::Value;

pub use error::{Error, Kind};
pub use folder::{DataFolder, write_whole};
use identity::{Accounts, Reader};

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal("no_random_bytes", &error))?;
    Ok(bytes)
}

/// Something that was done, on its way into the journal.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    stream: String,
    kind: &'static str,
    payload: Value,
    expected_version: Option<u64>,
    idempotency_key: Option<String>,
}

impl Fact {
    /// A fact of version 1 of its kind.
    pub(crate) fn new(stream: &str, kind: &'static str, payload: Value) -> Self {
        Self { stream: stream.to_owned(), kind, payload, expected_version: None, idempotency_key: None }
    }

    /// Refused with a conflict unless its stream stands at this version; 0 means that it does not exist yet.
    pub(crate) fn expecting(mut self, version: u64) -> Self {
        self.expected_version = Some(version);
        self
    }
}

/// The application on one data folder. Shared by all threads that serve it.
pub struct Customhouse {
    folder: DataFolder,
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    accounts: Accounts,
    setup_token: Mutex<Option<String>>,
    registry: RwLock<packs::Registry>,
    pool: pool::Pool,
    tags: tags::TagRoom,
    jobs: jobs::Jobs,
    uploads: uploads::Uploads,
}

impl Customhouse {
    /// Opens a data folder, making it where it does not exist, with the operating system's clock.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with_clock(path, Arc::new(SystemClock))
    }

    /// Opens a data folder with a clock that the caller moves.
    pub fn open_with_clock(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let folder = DataFolder::open(path)?;
        let mut options =
            SqliteOptions::new(&path.join("journal.sqlite"), folder.node(), folder.administration());
        options.clock = Arc::clone(&clock);
        let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(&options)?);
        let accounts = Accounts::open(&path.join("accounts.sqlite"))?;
        let registry = packs::Registry::open(&path.join("packs"))?;
        let pool = pool::Pool::open(&path.join("pool"), Arc::clone(&journal))?;
        Ok(Self {
            clock,
            journal,
            accounts,
            setup_token: Mutex::default(),
            registry: RwLock::new(registry),
            pool,
            tags: tags::TagRoom::default(),
            jobs: jobs::Jobs::default(),
            uploads: uploads::Uploads::open(&path.join("uploads"))?,
            folder,
        })
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Accounts and sessions.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Long work of this process.
    #[must_use]
    pub fn jobs(&self) -> &jobs::Jobs {
        &self.jobs
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Position of the last event of the journal.
    #[must_use]
    pub fn journal_position(&self) -> u64 {
        self.journal.head()
    }

    /// Appends one fact and answers with its position.
    pub(crate) fn record(&self, reader: &Reader, fact: Fact) -> Result<u64, Error> {
        let appended = self.journal.append(AppendRequest {
            expected: fact
                .expected_version
                .map(|version| (fact.stream.clone(), version))
                .into_iter()
                .collect(),
            idempotency_key: fact.idempotency_key,
            events: vec![NewEvent {
                stream: fact.stream,
                kind: fact.kind.to_owned(),
                kind_version: 1,
                occurred_at: self.now(),
                actor: reader.actor(),
                causation: None,
                payload: fact.payload,
            }],
        })?;
        Ok(appended.last_position())
    }
}

impl std::fmt::Debug for Customhouse {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Customhouse").field("folder", &self.folder.path()).finish_non_exhaustive()
    }
}
