//! Connections to the database: where it is, one conversation with it, and a few kept for reading.
//!
//! Each connection lives on a small runtime of its own, on the thread of whoever uses it: the journal blocks, and
//! nobody else's work runs here. Connections are not encrypted; therefore only a local server is accepted, over a
//! socket file or a loopback address (a tunnel to a remote one ends there as well).

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls, Socket, Statement};

use super::error::Failure;
use crate::error::JournalError;

/// Where Debian's PostgreSQL listens unless told otherwise.
const SOCKET_FOLDER: &str = "/var/run/postgresql";
/// Longest wait for a new connection.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// Longest wait for an answer.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// Most connections for reading and for blobs.
const READERS_MAX: usize = 16;
/// Longest wait for one of them.
const READER_WAIT: Duration = Duration::from_secs(30);

/// A connection is long-lived: it says who it is, never waits long for a lock, and a transaction that its client has
/// forgotten ends by itself. Commits are flushed even where the database's own setting says otherwise. Everything asked
/// here goes by an index, in its order, whatever a planner makes of tables that have just grown.
const SETTINGS: &str = "
    SET application_name = 'tidewaiter journal';
    SET client_min_messages = error;
    SET lock_timeout = '5s';
    SET statement_timeout = '55s';
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET max_parallel_workers_per_gather = 0;
    SET jit = off;
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';
";

/// A database and the way to it. Its name never holds the password.
#[derive(Clone)]
pub(super) struct Database {
    config: Config,
    pub(super) name: PathBuf,
}

impl Database {
    /// Understands `postgres://USER@HOST:PORT/NAME` and PostgreSQL's `host=… dbname=…`.
    pub(super) fn parse(url: &str) -> Result<Self, JournalError> {
        let mut config: Config = url.parse().map_err(|_| {
            // Not the text itself: it may hold a password.
            JournalError::malformed(
                "address of the database",
                "(not shown)",
                "postgres://USER@HOST:PORT/NAME",
            )
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(JournalError::malformed(
                "sslmode of the database",
                "require",
                "no sslmode: connections are not encrypted, so the server must be local, or a tunnel to it",
            ));
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            if Path::new(SOCKET_FOLDER).is_dir() {
                config.host(SOCKET_FOLDER)
            } else {
                config.host("localhost")
            };
        }
        for host in config.get_hosts() {
            check_local(host)?;
        }
        if let Some(far) = config.get_hostaddrs().iter().find(|address| !address.is_loopback()) {
            return Err(not_local(&far.to_string()));
        }
        let name = PathBuf::from(shown(&config));
        config
            .ssl_mode(SslMode::Disable)
            .connect_timeout(CONNECT_WAIT)
            .keepalives_idle(Duration::from_secs(30));
        Ok(Self { config, name })
    }

    /// The same database, which changes nothing whatever it is asked on these connections.
    pub(super) fn read_only(mut self) -> Self {
        let own = self.config.get_options().unwrap_or_default();
        let options = format!("{own} -c default_transaction_read_only=on");
        self.config.options(options.trim_start());
        self
    }

    pub(super) fn unavailable(&self, reason: &str) -> JournalError {
        JournalError::Unavailable { database: self.name.clone(), reason: reason.to_owned() }
    }

    /// A connection that still has to be driven.
    pub(super) async fn connect(&self) -> Result<(Client, Connection<Socket, NoTlsStream>), Failure> {
        match tokio::time::timeout(CONNECT_WAIT, self.config.connect(NoTls)).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(Failure::Silence),
        }
    }

    pub(super) fn runtime(&self) -> Result<Runtime, JournalError> {
        Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| JournalError::io(&self.name, &error))
    }
}

fn check_local(host: &Host) -> Result<(), JournalError> {
    match host {
        Host::Tcp(name) => {
            let local =
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            if local { Ok(()) } else { Err(not_local(name)) }
        }
        Host::Unix(_) => Ok(()),
    }
}

fn not_local(host: &str) -> JournalError {
    JournalError::malformed(
        "host of the database",
        host,
        "a folder of sockets, localhost or a loopback address, for connections are not encrypted (use a tunnel)",
    )
}

/// The database as messages name it.
fn shown(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(folder)) => folder.display().to_string(),
        None => config.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
    };
    let port = config.get_ports().first().map(|port| format!(":{port}")).unwrap_or_default();
    let name = config.get_dbname().or_else(|| config.get_user()).unwrap_or_default();
    format!("postgres://{host}{port}/{name}")
}

/// One conversation with the database.
pub(super) struct Session {
    /// Always there until the session is dropped.
    runtime: Option<Runtime>,
    pub(super) client: Client,
    statements: HashMap<&'static str, Statement>,
    database: Arc<Database>,
}

impl Session {
    pub(super) fn open(database: &Arc<Database>) -> Result<Self, JournalError> {
        let runtime = database.runtime()?;
        let client = runtime
            .block_on(async {
                let (client, connection) = database.connect().await?;
                // It ends when the client is dropped; why it ends earlier, the client is told by itself.
                tokio::spawn(connection);
                client.batch_execute(SETTINGS).await?;
                Ok(client)
            })
            .map_err(|failure: Failure| failure.explain(&database.name))?;
        Ok(Self {
            runtime: Some(runtime),
            client,
            statements: HashMap::new(),
            database: Arc::clone(database),
        })
    }

    /// Waits for an answer, but not for ever.
    pub(super) fn wait<T, F>(&self, longest: Duration, question: F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let Some(runtime) = &self.runtime else { return Err(Failure::Silence) };
        match runtime.block_on(async { tokio::time::timeout(longest, question).await }) {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::Silence),
        }
    }

    /// [`Session::wait`] for the usual time, with errors explained.
    pub(super) fn ask<T, F>(&self, question: F) -> Result<T, JournalError>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        self.wait(ANSWER_WAIT, question).map_err(|failure| failure.explain(&self.database.name))
    }

    /// Runs commands without parameters.
    pub(super) fn run(&self, sql: &str) -> Result<(), JournalError> {
        self.ask(self.client.batch_execute(sql))
    }

    /// A statement, prepared once a session.
    pub(super) fn statement(&mut self, sql: &'static str) -> Result<Statement, JournalError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.ask(self.client.prepare(sql))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    /// The rows that a prepared statement answers.
    pub(super) fn query(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<tokio_postgres::Row>, JournalError> {
        let statement = self.statement(sql)?;
        self.ask(self.client.query(&statement, parameters))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits, which a caller's own runtime would forbid.
            runtime.shutdown_background();
        }
    }
}

/// Connections for reading, bounded; the idle ones are kept.
pub(super) struct Readers {
    database: Arc<Database>,
    state: Mutex<ReadersState>,
    returned: Condvar,
}

#[derive(Default)]
struct ReadersState {
    idle: Vec<Session>,
    in_use: usize,
}

impl Readers {
    pub(super) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database), state: Mutex::default(), returned: Condvar::new() }
    }

    pub(super) fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// Runs what changes nothing, again on a new connection where the first one turns out to be broken.
    pub(super) fn read<T>(
        &self,
        mut read: impl FnMut(&mut Session) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        match self.once(&mut read) {
            Err(JournalError::Unavailable { .. }) => {
                self.lock().idle.clear();
                self.once(&mut read)
            }
            other => other,
        }
    }

    /// Runs `work` on a connection of its own. One on which something failed is not used again.
    pub(super) fn once<T>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let idle = self.take()?;
        let _place = Place(self);
        let mut session = match idle {
            Some(session) if !session.is_closed() => session,
            _ => Session::open(&self.database)?,
        };
        let answer = work(&mut session)?;
        self.lock().idle.push(session);
        Ok(answer)
    }

    fn take(&self) -> Result<Option<Session>, JournalError> {
        let until = Instant::now() + READER_WAIT;
        let mut state = self.lock();
        while state.in_use >= READERS_MAX {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.database.unavailable("all connections for reading are in use"));
            }
            state = self.returned.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.in_use = state.in_use.saturating_add(1);
        Ok(state.idle.pop())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ReadersState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the connections in use, given back when dropped.
struct Place<'a>(&'a Readers);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.in_use = state.in_use.saturating_sub(1);
        self.0.returned.notify_one();
    }
}
