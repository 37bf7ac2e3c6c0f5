//! The application: takes a command, loads state, asks, appends events, keeps read models. Knows no HTTP.
//!
//! Each room shows up as a folder of one shape: `commands.rs` changes something, `read_model.rs` answers.

pub mod audit;
pub mod backup;
pub mod changes;
mod civil_time;
pub mod conformance;
pub mod declarations;
pub mod entities;
pub mod entry_summary;
pub mod erasure;
pub mod error;
pub mod events;
pub mod flow;
mod folder;
pub mod identity;
pub mod jobs;
pub mod journal_copy;
mod news;
pub mod notifications;
pub mod offline;
pub mod packs;
pub mod plans;
pub mod pool;
pub mod precheck;
mod projection;
pub mod proof;
pub mod replay;
pub mod rules;
pub mod sandbox;
#[cfg(test)]
mod site_tests;
pub mod tags;
pub mod uploads;
pub mod viewings;
pub mod warnings;
pub mod webhooks;

// The tests of the journal start the same server.
#[cfg(test)]
#[expect(dead_code, reason = "the journal's tests use more of it")]
#[path = "../../journal/tests/it/postgres_server.rs"]
mod postgres_server;
#[cfg(test)]
#[path = "../../journal/tests/it/small_disk.rs"]
mod small_disk;

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use journal::{
    AppendRequest, Clock, Journal, NewEvent, PostgresJournal, PostgresOptions, SqliteJournal, SqliteOptions,
    SystemClock,
};
use serde_json::Value;

use declarations::{Desk, Parts, Personal};
pub use error::{Error, Kind};
pub use folder::{DataFolder, Location, SiteLock, write_whole};
use identity::{Accounts, Reader};
use projection::Projection;

/// How often it is looked at what is due.
const TIMER_STEP: Duration = Duration::from_millis(500);

/// How long a reader waits for what other processes recorded before it looked.
const CATCH_UP_WAIT: Duration = Duration::from_secs(2);

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
    claims: Vec<String>,
}

impl Fact {
    /// A fact of version 1 of its kind.
    pub(crate) fn new(stream: &str, kind: &'static str, payload: Value) -> Self {
        Self {
            stream: stream.to_owned(),
            kind,
            payload,
            expected_version: None,
            idempotency_key: None,
            claims: Vec::new(),
        }
    }

    /// Refused with a conflict unless its stream stands at this version; 0 means that it does not exist yet.
    pub(crate) fn expecting(mut self, version: u64) -> Self {
        self.expected_version = Some(version);
        self
    }

    /// Refused as `claimed` if an earlier fact has claimed this name.
    pub(crate) fn claiming(mut self, name: String) -> Self {
        self.claims.push(name);
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
    checkers: precheck::Checkers,
    pool: Arc<pool::Pool>,
    projection: Arc<Projection>,
    policies: Arc<RwLock<plans::Policies>>,
    parts: Parts,
    desk: Desk,
    personal: Personal,
    webhooks: webhooks::Webhooks,
    replays: replay::Replays,
    proofs: proof::Proofs,
    recorder: viewings::recorder::Recorder,
    started: Instant,
    tags: tags::TagRoom,
    matrix: tags::live::LiveMatrix,
    history: tags::PoolHistory,
    warnings: warnings::WarningRoom,
    registers: entities::store::EntityStore,
    /// Held while a decision on entities is recorded and the desk is told.
    deciding_on_entities: Mutex<()>,
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

    /// Opens a data folder, and the database of its journal where it has one, with the operating system's clock.
    pub fn open_at(location: &Location) -> Result<Self, Error> {
        Self::open_folder(DataFolder::open_at(location)?, Arc::new(SystemClock))
    }

    /// Opens a data folder with a clock that the caller moves.
    pub fn open_with_clock(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::open_folder(DataFolder::open(path)?, clock)
    }

    /// Opens what stands in a data folder.
    pub(crate) fn open_folder(folder: DataFolder, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let journal = open_journal(&folder, &clock)?;
        // What processes share is opened, and put in order, by one after the other.
        let alone = folder.lock_site()?;
        let accounts = Accounts::open(&folder.of_site("accounts.sqlite"))?;
        let registry = Arc::new(RwLock::new(packs::Registry::open(&folder.of_site("packs"))?));
        let pool = Arc::new(pool::Pool::open(&folder, Arc::clone(&journal))?);
        let read_models = folder.of_process("read-models");
        let projection = Arc::new(Projection::open(&read_models, Arc::clone(&journal), Arc::clone(&pool))?);
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
            shared: folder.database().is_some(),
            closing: Arc::default(),
        };
        let desk = Desk::open(parts.clone())?;
        let house = Self {
            started: Instant::now(),
            clock,
            recorder: viewings::recorder::Recorder::open(Arc::clone(&journal))?,
            matrix: tags::live::LiveMatrix::open(
                &folder.of_process("tag-matrix"),
                Arc::clone(&journal),
                projection.recent(),
            )?,
            history: tags::PoolHistory::new(
                &folder.of_process("tag-history"),
                Arc::clone(&registry),
                Arc::clone(&pool),
            ),
            warnings: warnings::WarningRoom::open(&folder.of_process("warnings"), journal.as_ref())?,
            journal,
            accounts,
            setup_token: Mutex::default(),
            registry,
            checkers: precheck::Checkers::default(),
            pool,
            projection,
            policies,
            parts,
            desk,
            replays: replay::Replays::default(),
            proofs,
            personal: Personal::open(&folder.of_site("personal.sqlite"))?,
            webhooks: webhooks::Webhooks::open(&folder.of_site("webhooks.sqlite"))?,
            tags: tags::TagRoom::default(),
            registers: entities::store::EntityStore::of(&read_models),
            deciding_on_entities: Mutex::default(),
            jobs: jobs::Jobs::default(),
            uploads: uploads::Uploads::open(&folder.of_process("uploads"))?,
            sandbox: None,
            folder,
        };
        let reapplied = house.reapply_erasures()?;
        drop(alone);
        if let Err(error) = house.publish_own_tags(&Reader::local_operator()) {
            tracing::error!(
                code = error.code,
                "the office's own tags are not those that the journal says: {error}"
            );
        }
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
        if self.parts.shared {
            news::follow(self)?;
        }
        let house = Arc::downgrade(self);
        std::thread::Builder::new()
            .name("timers".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(TIMER_STEP);
                    let Some(house) = house.upgrade() else { return };
                    if let Err(error) = house.watch_for_warnings() {
                        tracing::warn!(code = error.code, "warnings cannot be watched for: {error}");
                    }
                    if let Err(error) = house.put_tags_on_pool() {
                        tracing::warn!(code = error.code, "tags cannot be put on the pool: {error}");
                    }
                    // What is due happens once, wherever decisions are made.
                    if !house.decides() {
                        continue;
                    }
                    if let Err(error) = house.run_timers() {
                        tracing::warn!(code = error.code, "timers could not run: {error}");
                    }
                }
            })
            .map(drop)
            .map_err(|error| Error::internal("no_thread", &error))
    }

    /// Are decisions made by this process? Of several on one database, one does; a process that is alone always does.
    #[must_use]
    pub fn decides(&self) -> bool {
        self.desk.decides()
    }

    /// Waits until pages show everything that was recorded by now, wherever it was: whoever wrote something through
    /// another process of the site finds it here. A process that is alone does not wait: its own commands did.
    pub fn catch_up(&self) {
        if self.parts.shared {
            let _ = self.projection.wait_for(self.journal.head(), CATCH_UP_WAIT);
        }
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
        record_fact(self.journal.as_ref(), self.now(), reader, fact)
    }
}

/// Appends one fact and answers with its position.
pub(crate) fn record_fact(
    journal: &dyn Journal,
    now: Timestamp,
    reader: &Reader,
    fact: Fact,
) -> Result<u64, Error> {
    let expected = fact.expected_version.map(|version| (fact.stream.clone(), version));
    let appended = journal.append(AppendRequest {
        expected: expected.into_iter().collect(),
        idempotency_key: fact.idempotency_key,
        claims: fact.claims,
        events: vec![NewEvent {
            stream: fact.stream,
            kind: fact.kind.to_owned(),
            kind_version: 1,
            occurred_at: now,
            actor: reader.actor(),
            causation: None,
            payload: fact.payload,
        }],
    })?;
    Ok(appended.last_position())
}

/// The journal of a data folder: in a database where it has one, in a file otherwise.
fn open_journal(folder: &DataFolder, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Journal>, Error> {
    if let Some(url) = folder.database() {
        let mut options = PostgresOptions::new(url, folder.node(), folder.administration());
        options.clock = Arc::clone(clock);
        return Ok(Arc::new(PostgresJournal::open(&options)?));
    }
    let path = folder.of_process("journal.sqlite");
    let mut options = SqliteOptions::new(&path, folder.node(), folder.administration());
    options.clock = Arc::clone(clock);
    Ok(Arc::new(SqliteJournal::open(&options)?))
}

impl std::fmt::Debug for Customhouse {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Customhouse").field("folder", &self.folder.path()).finish_non_exhaustive()
    }
}
