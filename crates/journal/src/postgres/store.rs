//! What the writer's transactions are in PostgreSQL.
//!
//! Any process may append: a transaction begins by taking a lock that all writers of the database share, looks where
//! the journal then ends, and keeps the lock until its commit. So positions have no gaps, expected versions are those
//! of that moment, and nobody needs to be elected in order to write. (A lease elects who does what only one may do;
//! its token is checked under the same lock.) What a process remembers of versions is good as long as the journal
//! still ends where this process left it.
//!
//! A group costs two journeys: one that locks and fetches what is not known, one that inserts and commits. Rows travel
//! as arrays, whatever their number. When the connection breaks during the second one, nobody knows what the database
//! did: that is said, and the next transaction begins on a new connection, after the lock tells that the old one ended.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::read::{HEAD, RANGE, column, for_each_stored};
use super::schema::{WRITER_LOCK, begin_under};
use super::session::{ANSWER_WAIT, Database, Session};
use crate::decode::{StoredEvent, signed, unsigned};
use crate::error::JournalError;
use crate::lease::Fence;
use crate::model::RecordedEvent;
use crate::store::{EventRow, Needs, Store, Versions};

/// Bytes of a payload's part: four rows fill a page of 8 KiB.
pub(super) const PART_BYTES: usize = 1_900;
/// How long a group waits for a database that cannot be reached.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(5);
/// Pauses between attempts: the first, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

const VERSIONS: &str = "
    SELECT wanted.stream, coalesce((SELECT max(stream_version) FROM journal.event WHERE event.stream = wanted.stream), 0)
    FROM unnest($1::text[]) AS wanted (stream)";
const KEYS: &str =
    "SELECT key, first_position, last_position FROM journal.idempotency WHERE key = ANY ($1::text[])";
const LEASES: &str = "SELECT name, holder, epoch FROM journal.lease WHERE name = ANY ($1::text[])";
const INSERT_EVENTS: &str = "
    INSERT INTO journal.event (position, stream, stream_version, payload_bytes, envelope)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::integer[], $5::bytea[])";
const INSERT_PAYLOADS: &str = "
    INSERT INTO journal.payload (position, part, bytes)
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bytea[])";
const INSERT_KEYS: &str = "
    INSERT INTO journal.idempotency (key, first_position, last_position)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])";
const INSERT_ERASURE: &str = "INSERT INTO journal.erasure VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
/// Tells the other processes where the journal ends now, if the transaction commits.
const NOTIFY: &str = "SELECT pg_notify('journal', $1)";

/// The writer's connection and the transaction that runs on it.
pub(super) struct PostgresStore {
    database: Arc<Database>,
    session: Option<Session>,
    /// Where the journal ended when this writer last looked; nothing if that cannot be relied on.
    known_head: Option<u64>,
    transaction: Transaction,
}

/// What a transaction has fetched, and what it will insert.
#[derive(Default)]
struct Transaction {
    events: Vec<PendingEvent>,
    keys: HashMap<String, (u64, u64)>,
    earlier_keys: HashMap<String, (u64, u64)>,
    leases: HashMap<String, (String, u64)>,
}

struct PendingEvent {
    position: i64,
    stream: String,
    stream_version: i64,
    envelope: Vec<u8>,
    salted: Vec<u8>,
}

impl PostgresStore {
    pub(super) fn new(database: &Arc<Database>) -> Self {
        Self {
            database: Arc::clone(database),
            session: None,
            known_head: None,
            transaction: Transaction::default(),
        }
    }

    /// The connection for the next transaction, a new one where the last one broke.
    fn session(&mut self) -> Result<&mut Session, JournalError> {
        if self.session.as_ref().is_none_or(Session::is_closed) {
            let mut session = Session::open(&self.database)?;
            // Now, for at the commit a failure to do so would be hard to explain.
            for sql in [INSERT_EVENTS, INSERT_PAYLOADS, INSERT_KEYS, NOTIFY] {
                session.statement(sql)?;
            }
            self.known_head = None;
            self.session = Some(session);
        }
        self.session.as_mut().ok_or_else(|| self.database.unavailable("there is no connection"))
    }

    /// The connection on which the transaction runs. Never a new one: what is written there would be no part of it.
    fn running(&mut self) -> Result<&mut Session, JournalError> {
        self.session
            .as_mut()
            .filter(|session| !session.is_closed())
            .ok_or_else(|| self.database.unavailable("the connection broke in the middle of a transaction"))
    }

    /// One attempt to begin.
    fn try_begin(&mut self, needs: &Needs<'_>, versions: &mut Versions) -> Result<u64, JournalError> {
        let mut wanted = needs.streams.clone();
        wanted.sort_unstable();
        wanted.dedup();
        let unknown: Vec<&str> =
            wanted.iter().filter(|stream| !versions.contains_key(**stream)).copied().collect();
        let known_head = self.known_head;
        let name = self.database.name.clone();
        let session = self.session()?;
        let (head, keys) = (session.statement(HEAD)?, session.statement(KEYS)?);
        let (leases, select_versions) = (session.statement(LEASES)?, session.statement(VERSIONS)?);
        let client = &session.client;
        let begin = begin_under(WRITER_LOCK);
        // Sent at once; each statement sees what was committed before the lock was granted.
        let ((), head, keys, leases, mut fetched) = session.ask(async {
            tokio::try_join!(
                biased;
                client.batch_execute(&begin),
                client.query_one(&head, &[]),
                fetch(client, &keys, &needs.keys),
                fetch(client, &leases, &needs.leases),
                fetch(client, &select_versions, &unknown),
            )
        })?;
        let head = unsigned(column(&head, 0, &name)?);
        if known_head != Some(head) {
            // Somebody else has appended since: of no stream that was remembered the version is known any more.
            versions.clear();
            if unknown.len() < wanted.len() {
                fetched = session.ask(fetch(&session.client, &select_versions, &wanted))?;
            }
        }
        for row in &fetched {
            versions.insert(column(row, 0, &name)?, unsigned(column(row, 1, &name)?));
        }
        let mut transaction = Transaction::default();
        for row in &keys {
            let range = (unsigned(column(row, 1, &name)?), unsigned(column(row, 2, &name)?));
            transaction.earlier_keys.insert(column(row, 0, &name)?, range);
        }
        for row in &leases {
            let held = (column(row, 1, &name)?, unsigned(column(row, 2, &name)?));
            transaction.leases.insert(column(row, 0, &name)?, held);
        }
        self.transaction = transaction;
        self.known_head = Some(head);
        Ok(head)
    }

    /// Inserts everything and commits, in one journey.
    fn flush(&mut self, head: u64) -> Result<(), JournalError> {
        let Some(session) = self.session.as_mut().filter(|session| !session.is_closed()) else {
            return Err(self.database.unavailable("the connection broke in the middle of a transaction"));
        };
        let rows = Rows::of(&self.transaction);
        let (events, payloads) = (session.statement(INSERT_EVENTS)?, session.statement(INSERT_PAYLOADS)?);
        let (keys, notify) = (session.statement(INSERT_KEYS)?, session.statement(NOTIFY)?);
        let client = &session.client;
        let head = head.to_string();
        let event_columns: [&(dyn ToSql + Sync); 5] =
            [&rows.positions, &rows.streams, &rows.versions, &rows.payload_bytes, &rows.envelopes];
        let payload_columns: [&(dyn ToSql + Sync); 3] = [&rows.part_positions, &rows.parts, &rows.part_bytes];
        let key_columns: [&(dyn ToSql + Sync); 3] = [&rows.keys, &rows.firsts, &rows.lasts];
        let end: [&(dyn ToSql + Sync); 1] = [&head];
        let flushed = session.wait(ANSWER_WAIT, async {
            // A statement that fails turns the commit into a rollback; its error is the one that counts.
            let (events, payloads, keys, notified, committed) = tokio::join!(
                biased;
                write(client, &events, rows.positions.len(), &event_columns),
                write(client, &payloads, rows.parts.len(), &payload_columns),
                write(client, &keys, rows.keys.len(), &key_columns),
                write(client, &notify, rows.positions.len(), &end),
                client.batch_execute("COMMIT"),
            );
            events.and(payloads).and(keys).and(notified).and(committed)
        });
        flushed.map_err(|failure| {
            if failure.is_loss() {
                return JournalError::OutcomeUnknown { reason: failure.reason() };
            }
            failure.explain(&self.database.name)
        })
    }
}

/// Asks for these, if any.
async fn fetch(
    client: &Client,
    statement: &Statement,
    wanted: &[&str],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    if wanted.is_empty() { Ok(Vec::new()) } else { client.query(statement, &[&wanted]).await }
}

/// Runs a statement over `rows` rows, if any.
async fn write(
    client: &Client,
    statement: &Statement,
    rows: usize,
    columns: &[&(dyn ToSql + Sync)],
) -> Result<u64, tokio_postgres::Error> {
    if rows == 0 { Ok(0) } else { client.execute(statement, columns).await }
}

/// What is to be inserted, column by column.
#[derive(Default)]
struct Rows<'a> {
    positions: Vec<i64>,
    streams: Vec<&'a str>,
    versions: Vec<i64>,
    payload_bytes: Vec<i32>,
    envelopes: Vec<&'a [u8]>,
    part_positions: Vec<i64>,
    parts: Vec<i32>,
    part_bytes: Vec<&'a [u8]>,
    keys: Vec<&'a str>,
    firsts: Vec<i64>,
    lasts: Vec<i64>,
}

impl<'a> Rows<'a> {
    fn of(transaction: &'a Transaction) -> Self {
        let mut rows = Self::default();
        for event in &transaction.events {
            rows.positions.push(event.position);
            rows.streams.push(&event.stream);
            rows.versions.push(event.stream_version);
            rows.payload_bytes.push(i32::try_from(event.salted.len()).unwrap_or(i32::MAX));
            rows.envelopes.push(&event.envelope);
            for (part, bytes) in (0_i32..).zip(event.salted.chunks(PART_BYTES)) {
                rows.part_positions.push(event.position);
                rows.parts.push(part);
                rows.part_bytes.push(bytes);
            }
        }
        for (key, (first, last)) in &transaction.keys {
            rows.keys.push(key);
            rows.firsts.push(signed(*first));
            rows.lasts.push(signed(*last));
        }
        rows
    }
}

impl Transaction {
    /// Events of this very transaction, as they will be read.
    fn pending(&self, first: u64, last: u64, journal: &Path) -> Result<Vec<RecordedEvent>, JournalError> {
        let range = signed(first)..=signed(last);
        self.events
            .iter()
            .filter(|event| range.contains(&event.position))
            .map(|event| {
                StoredEvent {
                    position: unsigned(event.position),
                    stream: &event.stream,
                    stream_version: unsigned(event.stream_version),
                    envelope: &event.envelope,
                    salted: Some(&event.salted),
                    erasure: None,
                }
                .check(journal)
            })
            .collect()
    }
}

impl Store for PostgresStore {
    fn place(&self) -> &Path {
        &self.database.name
    }

    fn begin(&mut self, needs: &Needs<'_>, versions: &mut Versions) -> Result<u64, JournalError> {
        let until = Instant::now() + RECONNECT_WAIT_MAX;
        let mut pause = PAUSE_MIN;
        loop {
            match self.try_begin(needs, versions) {
                Err(error @ JournalError::Unavailable { .. }) => {
                    self.session = None;
                    versions.clear();
                    if Instant::now() + pause > until {
                        return Err(error);
                    }
                    thread::sleep(pause);
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                }
                other => return other,
            }
        }
    }

    fn stream_version(&mut self, stream: &str) -> Result<u64, JournalError> {
        // Everything that a group needs was fetched when it began: this is for what nobody foresaw.
        let name = self.database.name.clone();
        let rows = self.running()?.query(VERSIONS, &[&vec![stream]])?;
        rows.first().map_or(Ok(0), |row| Ok(unsigned(column(row, 1, &name)?)))
    }

    fn positions_of_key(&mut self, key: &str) -> Result<Option<(u64, u64)>, JournalError> {
        Ok(self.transaction.keys.get(key).or_else(|| self.transaction.earlier_keys.get(key)).copied())
    }

    fn events_of_key(&mut self, key: &str) -> Result<Option<Vec<RecordedEvent>>, JournalError> {
        let name = self.database.name.clone();
        if let Some((first, last)) = self.transaction.keys.get(key) {
            return self.transaction.pending(*first, *last, &name).map(Some);
        }
        let Some((first, last)) = self.transaction.earlier_keys.get(key).copied() else { return Ok(None) };
        let rows = self.running()?.query(RANGE, &[&signed(first), &signed(last), &i64::MAX])?;
        let mut events = Vec::new();
        for_each_stored(&rows, &name, |stored| {
            events.push(stored.check(&name)?);
            Ok(())
        })?;
        Ok(Some(events))
    }

    fn check_fence(&mut self, fence: &Fence) -> Result<(), JournalError> {
        let held = self.transaction.leases.get(&fence.lease);
        if held.is_some_and(|(holder, epoch)| *holder == fence.holder && *epoch == fence.epoch) {
            return Ok(());
        }
        let (holder, epoch) = held.cloned().unwrap_or_else(|| ("nobody".to_owned(), 0));
        Err(JournalError::LeaseLost { lease: fence.lease.clone(), holder, epoch })
    }

    fn insert(&mut self, row: EventRow<'_>) -> Result<(), JournalError> {
        self.transaction.events.push(PendingEvent {
            position: signed(row.position),
            stream: row.stream.to_owned(),
            stream_version: signed(row.stream_version),
            envelope: row.envelope,
            salted: row.salted.to_owned(),
        });
        Ok(())
    }

    fn insert_key(&mut self, key: &str, first: u64, last: u64) -> Result<(), JournalError> {
        // Two of a name in one transaction: the table's primary key would refuse them only at the commit.
        if self.transaction.keys.insert(key.to_owned(), (first, last)).is_some() {
            return Err(JournalError::Corrupt {
                place: self.database.name.display().to_string(),
                reason: format!("the key \"{}\" was about to be taken twice", key.trim_start()),
            });
        }
        Ok(())
    }

    fn insert_erasure(
        &mut self,
        position: u64,
        erased_at: &str,
        basis: &str,
        overwrite: bool,
    ) -> Result<(), JournalError> {
        let position = signed(position);
        let session = self.running()?;
        let insert = session.statement(INSERT_ERASURE)?;
        let inserted = session.ask(session.client.execute(&insert, &[&position, &erased_at, &basis]))?;
        if inserted > 0 && overwrite {
            super::erase::empty(session, position)?;
        }
        Ok(())
    }

    fn commit(&mut self, head: u64) -> Result<(), JournalError> {
        let flushed = self.flush(head);
        self.transaction = Transaction::default();
        self.known_head = flushed.is_ok().then_some(head);
        if matches!(flushed, Err(JournalError::OutcomeUnknown { .. })) {
            self.session = None;
        }
        flushed
    }

    fn roll_back(&mut self) -> bool {
        self.transaction = Transaction::default();
        self.known_head = None;
        // Without its connection a transaction ends by itself.
        if self.session.as_ref().is_some_and(|session| session.run("ROLLBACK").is_err()) {
            self.session = None;
        }
        true
    }

    /// The database knows what it recorded, and tells it when the next transaction begins.
    fn can_go_on_after(&self, error: &JournalError) -> bool {
        !matches!(error, JournalError::Corrupt { .. })
    }

    /// Done on the caller's thread ([`super::erase::scrub`]): it may take long, and nobody else should wait for it.
    fn scrub(&mut self) {}

    fn scrub_due_in(&self) -> Option<Duration> {
        None
    }
}
