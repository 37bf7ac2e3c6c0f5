//! The application: takes a command, loads state, asks, appends events, keeps read models. Knows no HTTP.
//!
//! Each room shows up as a folder of one shape: `commands.rs` changes something, `read_model.rs` answers.

pub mod audit;
pub mod backup;
pub mod changes;
mod civil_time;
pub mod declarations;
pub mod entities;
pub mod erasure;
pub mod error;
pub mod events;
pub mod flow;
mod folder;
pub mod identity;
pub mod jobs;
pub mod offline;
pub mod packs;
pub mod plans;
pub mod pool;
mod projection;
pub mod proof;
pub mod replay;
pub mod rules;
pub mod sandbox;
pub mod tags;
pub mod uploads;
pub mod viewings;

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use journal::{AppendRequest, Clock, Journal, NewEvent, SqliteJournal, SqliteOptions, SystemClock};
use serde_json::Value;

use declarations::{Desk, Parts, Personal};
pub use error::{Error, Kind};
pub use folder::{DataFolder, write_whole};
use identity::{Accounts, Reader};
use projection::Projection;

/// How often it is looked at what is due.
const TIMER_STEP: Duration = Duration::from_millis(500);

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
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    accounts: Accounts,
    setup_token: Mutex<Option<String>>,
    registry: Arc<RwLock<packs::Registry>>,
    pool: Arc<pool::Pool>,
    projection: Arc<Projection>,
    policies: Arc<RwLock<plans::Policies>>,
    parts: Parts,
    desk: Desk,
    personal: Personal,
    replays: replay::Replays,
    proofs: proof::Proofs,
    recorder: viewings::recorder::Recorder,
    started: Instant,
    tags: tags::TagRoom,
    jobs: jobs::Jobs,
    uploads: uploads::Uploads,
    sandbox: Option<sandbox::Sandbox>,
    /// The last to go: its lock must outlive everything that writes into the folder.
    folder: DataFolder,
}

impl Customhouse {
    /// Opens a data folder, making it where it does not exist, with the operating system's clock.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with_clock(path, Arc::new(SystemClock))
    }

    /// Opens a data folder with a clock that the caller moves.
    pub fn open_with_clock(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::open_folder(DataFolder::open(path)?, clock)
    }

    /// Opens what stands in a data folder.
    pub(crate) fn open_folder(folder: DataFolder, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let path = folder.path().to_owned();
        let mut options =
            SqliteOptions::new(&path.join("journal.sqlite"), folder.node(), folder.administration());
        options.clock = Arc::clone(&clock);
        let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(&options)?);
        let accounts = Accounts::open(&path.join("accounts.sqlite"))?;
        let registry = Arc::new(RwLock::new(packs::Registry::open(&path.join("packs"))?));
        let pool = Arc::new(pool::Pool::open(&path.join("pool"), Arc::clone(&journal))?);
        let projection =
            Arc::new(Projection::open(&path.join("read-models"), Arc::clone(&journal), Arc::clone(&pool))?);
        let policies = Arc::new(RwLock::new(plans::Policies::read(journal.as_ref())?));
        let proofs = proof::Proofs::open(&folder, Arc::clone(&journal), Arc::clone(&clock))?;
        let parts = Parts {
            journal: Arc::clone(&journal),
            clock: Arc::clone(&clock),
            pool: Arc::clone(&pool),
            projection: Arc::clone(&projection),
            policies: Arc::clone(&policies),
            registry: Arc::clone(&registry),
            node: folder.node().to_owned(),
            simulated: folder.is_sandbox(),
            closing: Arc::default(),
        };
        let desk = Desk::open(parts.clone())?;
        let house = Self {
            started: Instant::now(),
            clock,
            recorder: viewings::recorder::Recorder::open(Arc::clone(&journal))?,
            journal,
            accounts,
            setup_token: Mutex::default(),
            registry,
            pool,
            projection,
            policies,
            parts,
            desk,
            replays: replay::Replays::default(),
            proofs,
            personal: Personal::open(&path.join("personal.sqlite"))?,
            tags: tags::TagRoom::default(),
            jobs: jobs::Jobs::default(),
            uploads: uploads::Uploads::open(&path.join("uploads"))?,
            sandbox: None,
            folder,
        };
        let reapplied = house.reapply_erasures()?;
        if reapplied > 0 {
            tracing::warn!(
                erasures = reapplied,
                "what had been erased was back, or not yet gone: it is erased now"
            );
        }
        Ok(house)
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

    /// The operating system's time: for sessions and tokens, which no sandbox moves.
    #[must_use]
    pub fn wall_now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Waits until the pages show what is recorded up to a position, for at most `timeout`; answers with the position
    /// that they show then.
    #[must_use]
    pub fn wait_until_shown(&self, position: u64, timeout: Duration) -> u64 {
        self.projection.wait_for(position, timeout)
    }

    /// How long this process has had the house open, whatever its clock says.
    pub(crate) fn running_for(&self) -> SignedDuration {
        SignedDuration::try_from(self.started.elapsed()).unwrap_or_default()
    }

    /// What decisions are made with.
    pub(crate) fn parts(&self) -> Parts {
        self.parts.clone()
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Makes ready for declarations, and lets happen what is due, again and again, until the house is closed.
    pub fn keep_time(self: &Arc<Self>) -> Result<(), Error> {
        self.desk.prepare();
        let house = Arc::downgrade(self);
        std::thread::Builder::new()
            .name("timers".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(TIMER_STEP);
                    let Some(house) = house.upgrade() else { return };
                    if let Err(error) = house.run_timers() {
                        tracing::warn!(code = error.code, "timers could not run: {error}");
                    }
                }
            })
            .map(drop)
            .map_err(|error| Error::internal("no_thread", &error))
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
            claims: Vec::new(),
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
