//! The one thread that writes. It takes whatever requests wait, decides each against the streams as they then stand,
//! writes what it accepts in one transaction, and answers only after the disk has it.
//!
//! A refused request (a conflict, a reused key) writes nothing, so it cannot spoil the transaction it shares. When the
//! transaction as a whole fails for want of space, each request is tried alone, so that a large one does not take
//! small ones with it. When the storage fails at the very commit, nobody knows what is on the disk: the journal then
//! records nothing more until it is opened again, for a later flush may claim success without having the bytes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::slice;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use spine::Envelope;

use super::decode::{EVENT_COLUMNS, event_of_row, signed, unsigned};
use super::schema::{BUSY_WAIT, storage_error};
use crate::clock::{Clock, to_microseconds};
use crate::error::JournalError;
use crate::model::{Appended, AppendedEvent, Payload, RecordedEvent};
use crate::prepare::{PreparedAppend, PreparedEvent, SALT_BYTES};

/// Most requests that wait for the writer; the next caller waits before it may hand its own in.
pub(super) const QUEUE_REQUESTS_MAX: usize = 1_024;
/// A transaction takes no further request once it has this many events.
const GROUP_EVENTS_MAX: usize = 4_096;
/// A transaction takes no further request once it has this many payload bytes.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Streams whose versions are remembered between transactions.
const STREAMS_REMEMBERED_MAX: usize = 65_536;
/// How long an erasure waits for readers that still look at the past, and how often it is tried again.
const SCRUB_WAIT: Duration = Duration::from_secs(1);

type Answer = Result<Appended, JournalError>;

/// What the writer is asked to do.
pub(super) enum Job {
    Append(AppendJob),
    Erase { position: u64, basis: String, reply: SyncSender<Result<(), JournalError>> },
}

/// An append and who waits for it.
pub(super) struct AppendJob {
    pub(super) request: PreparedAppend,
    pub(super) reply: SyncSender<Answer>,
}

/// What everybody may know of the writer.
#[derive(Debug, Default)]
pub(super) struct Progress {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    head: u64,
    stopped: Option<String>,
}

impl Progress {
    pub(super) fn starting_at(head: u64) -> Self {
        Self { state: Mutex::new(State { head, stopped: None }), moved: Condvar::new() }
    }

    pub(super) fn head(&self) -> u64 {
        self.lock().head
    }

    pub(super) fn stopped(&self) -> Option<String> {
        self.lock().stopped.clone()
    }

    pub(super) fn wait_for(&self, position: u64, timeout: Duration) -> u64 {
        let waiting = |state: &mut State| state.head < position && state.stopped.is_none();
        let (state, _) = self
            .moved
            .wait_timeout_while(self.lock(), timeout, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.head
    }

    fn reach(&self, head: u64) {
        self.lock().head = head;
        self.moved.notify_all();
    }

    fn stop(&self, reason: &str) {
        self.lock().stopped.get_or_insert_with(|| reason.to_owned());
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything the writing thread owns.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) node: String,
    pub(super) administration: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) progress: Arc<Progress>,
    /// Last position that is durable.
    pub(super) head: u64,
    /// Versions of streams, those of the running transaction included; forgotten when one fails.
    pub(super) versions: HashMap<String, u64>,
    /// When an erasure's traces in the write-ahead log are to be tried again.
    pub(super) scrub_due: Option<Instant>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.progress.stop("it was closed");
    }
}

impl Writer {
    /// Works until nobody can hand in requests any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut held_over = None;
        loop {
            let job = match held_over.take() {
                Some(job) => job,
                None => match self.next(jobs) {
                    Ok(Some(job)) => job,
                    Ok(None) => continue,
                    Err(()) => return,
                },
            };
            match job {
                Job::Append(first) => {
                    let (group, next) = gather(first, jobs);
                    held_over = next;
                    self.record(group);
                }
                Job::Erase { position, basis, reply } => {
                    let answer = self.unless_stopped().and_then(|()| self.erase(position, &basis));
                    // A caller that no longer waits needs no answer.
                    let _ = reply.send(answer);
                }
            }
            self.scrub_if_due();
        }
    }

    fn next(&mut self, jobs: &Receiver<Job>) -> Result<Option<Job>, ()> {
        if self.scrub_due.is_none() {
            return jobs.recv().map(Some).map_err(|_| ());
        }
        match jobs.recv_timeout(SCRUB_WAIT) {
            Ok(job) => Ok(Some(job)),
            Err(RecvTimeoutError::Disconnected) => Err(()),
            Err(RecvTimeoutError::Timeout) => {
                self.scrub_if_due();
                Ok(None)
            }
        }
    }

    fn unless_stopped(&self) -> Result<(), JournalError> {
        self.progress.stopped().map_or(Ok(()), |reason| Err(JournalError::Stopped { reason }))
    }

    /// Records a group and answers everybody in it.
    fn record(&mut self, group: Vec<AppendJob>) {
        let answers = match self.unless_stopped().and_then(|()| self.transact(&group)) {
            Ok(answers) => answers,
            Err(JournalError::StorageFull { .. }) if group.len() > 1 => {
                group.iter().map(|job| self.record_alone(job)).collect()
            }
            Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
        };
        for (job, answer) in group.into_iter().zip(answers) {
            // A caller that no longer waits needs no answer.
            let _ = job.reply.send(answer);
        }
    }

    fn record_alone(&mut self, job: &AppendJob) -> Answer {
        self.unless_stopped()?;
        let mut answers = self.transact(slice::from_ref(job))?;
        answers
            .pop()
            .unwrap_or_else(|| Err(JournalError::Stopped { reason: "a request was lost".to_owned() }))
    }

    /// One transaction: all of the group's accepted requests are durable when it returns, or none is.
    fn transact(&mut self, group: &[AppendJob]) -> Result<Vec<Answer>, JournalError> {
        if self.versions.len() > STREAMS_REMEMBERED_MAX {
            self.versions.clear();
        }
        let decided = self.execute("BEGIN IMMEDIATE").and_then(|()| self.decide_all(group));
        let committed = decided.and_then(|(answers, head)| self.commit().map(|()| (answers, head)));
        match committed {
            Ok((answers, head)) => {
                self.head = head;
                self.progress.reach(head);
                Ok(answers)
            }
            Err(error) => {
                self.abandon(&error);
                Err(error)
            }
        }
    }

    fn decide_all(&mut self, group: &[AppendJob]) -> Result<(Vec<Answer>, u64), JournalError> {
        let mut head = self.head;
        let mut answers = Vec::with_capacity(group.len());
        for job in group {
            answers.push(match self.decide(&job.request, &mut head) {
                Ok(appended) => Ok(appended),
                Err(
                    refusal @ (JournalError::Conflict { .. } | JournalError::IdempotencyKeyReused { .. }),
                ) => Err(refusal),
                Err(failure) => return Err(failure),
            });
        }
        Ok((answers, head))
    }

    fn commit(&self) -> Result<(), JournalError> {
        self.connection.execute_batch("COMMIT").map_err(|error| match storage_error(&self.path, &error) {
            known @ (JournalError::StorageFull { .. } | JournalError::Busy { .. }) => known,
            _ => JournalError::OutcomeUnknown { reason: error.to_string() },
        })
    }

    /// Takes back what a failed transaction had begun; stops for good where going on would not be safe.
    fn abandon(&mut self, error: &JournalError) {
        self.versions.clear();
        let rolled_back =
            self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        let unsafe_to_go_on =
            matches!(error, JournalError::OutcomeUnknown { .. } | JournalError::Corrupt { .. });
        if unsafe_to_go_on || !rolled_back {
            tracing::error!(%error, path = %self.path.display(), "the journal stops");
            self.progress.stop(&error.to_string());
        }
    }

    /// Accepts or refuses one request as the streams stand after everything before it. A refusal has written nothing.
    fn decide(&mut self, request: &PreparedAppend, head: &mut u64) -> Answer {
        if let Some(key) = &request.idempotency_key
            && let Some(earlier) = self.earlier_answer(key, &request.events)?
        {
            return Ok(earlier);
        }
        for (stream, expected) in &request.expected {
            let actual = self.version(stream)?;
            if actual != *expected {
                return Err(JournalError::Conflict { stream: stream.clone(), expected: *expected, actual });
            }
        }
        let recorded_at = to_microseconds(self.clock.now());
        let first = head.saturating_add(1);
        let mut events = Vec::with_capacity(request.events.len());
        for event in &request.events {
            *head = head.saturating_add(1);
            events.push(self.insert(event, *head, recorded_at)?);
        }
        if let Some(key) = &request.idempotency_key {
            self.connection
                .prepare_cached("INSERT INTO idempotency VALUES (?, ?, ?)")
                .and_then(|mut insert| insert.execute(params![key, signed(first), signed(*head)]))
                .map_err(|error| storage_error(&self.path, &error))?;
        }
        Ok(Appended { events, repeated: false })
    }

    fn insert(
        &mut self,
        event: &PreparedEvent,
        position: u64,
        recorded_at: Timestamp,
    ) -> Result<AppendedEvent, JournalError> {
        let stream_version = self.version(&event.stream)?.saturating_add(1);
        let milliseconds = u64::try_from(recorded_at.as_millisecond()).unwrap_or(0);
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &event.id_random).into_uuid();
        let envelope = Envelope {
            envelope: Envelope::FORMAT,
            id: id.to_string(),
            node: self.node.clone(),
            administration: self.administration.clone(),
            stream: event.stream.clone(),
            stream_version,
            kind: event.kind.clone(),
            kind_version: event.kind_version,
            occurred_at: event.occurred_at,
            recorded_at,
            actor: event.actor.clone(),
            causation: event.causation.clone(),
            payload_commit: event.payload_commit.clone(),
        };
        let bytes = envelope.to_canonical_bytes().map_err(|error| JournalError::Stopped {
            reason: format!("an envelope has no bytes: {error}"),
        })?;
        let failed = |error: rusqlite::Error| storage_error(&self.path, &error);
        self.connection
            .prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?)")
            .and_then(|mut insert| {
                insert.execute(params![signed(position), event.stream, signed(stream_version), bytes])
            })
            .map_err(failed)?;
        self.connection
            .prepare_cached("INSERT INTO payload VALUES (?, ?)")
            .and_then(|mut insert| insert.execute(params![signed(position), event.salted]))
            .map_err(failed)?;
        if let Some(version) = self.versions.get_mut(&event.stream) {
            *version = stream_version;
        }
        Ok(AppendedEvent { position, id: envelope.id, stream: envelope.stream, stream_version })
    }

    /// The version of a stream, the running transaction included; 0 for one that does not exist.
    fn version(&mut self, stream: &str) -> Result<u64, JournalError> {
        if let Some(version) = self.versions.get(stream) {
            return Ok(*version);
        }
        let version: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(stream_version) FROM event WHERE stream = ?")
            .and_then(|mut select| select.query_row([stream], |row| row.get(0)))
            .map_err(|error| storage_error(&self.path, &error))?;
        let version = unsigned(version.unwrap_or(0));
        self.versions.insert(stream.to_owned(), version);
        Ok(version)
    }

    /// The answer that this key got before, if it was for these events.
    fn earlier_answer(&self, key: &str, events: &[PreparedEvent]) -> Result<Option<Appended>, JournalError> {
        let failed = |error: rusqlite::Error| storage_error(&self.path, &error);
        let range: Option<(i64, i64)> = self
            .connection
            .prepare_cached("SELECT first_position, last_position FROM idempotency WHERE key = ?")
            .and_then(|mut select| select.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(failed)?;
        let Some((first, last)) = range else { return Ok(None) };
        let reused = || JournalError::IdempotencyKeyReused { key: key.to_owned(), position: unsigned(first) };
        let sql =
            format!("SELECT {EVENT_COLUMNS} WHERE event.position BETWEEN ? AND ? ORDER BY event.position");
        let mut select = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut rows = select.query([first, last]).map_err(failed)?;
        let mut requested = events.iter();
        let mut answered = Vec::with_capacity(events.len());
        while let Some(row) = rows.next().map_err(failed)? {
            let (recorded, _) = event_of_row(row, &self.path)?;
            if !requested.next().is_some_and(|event| same_event(&recorded, event)) {
                return Err(reused());
            }
            answered.push(AppendedEvent {
                position: recorded.position,
                id: recorded.envelope.id,
                stream: recorded.envelope.stream,
                stream_version: recorded.envelope.stream_version,
            });
        }
        if requested.next().is_some() {
            return Err(reused());
        }
        Ok(Some(Appended { events: answered, repeated: true }))
    }

    fn execute(&self, sql: &str) -> Result<(), JournalError> {
        self.connection.execute_batch(sql).map_err(|error| storage_error(&self.path, &error))
    }

    /// Overwrites salt and payload where they stand. Overwriting in place, rather than deleting the row, keeps
    /// SQLite from moving neighbours about, which could leave copies of them behind.
    fn erase(&mut self, position: u64, basis: &str) -> Result<(), JournalError> {
        if position == 0 || position > self.head {
            return Err(JournalError::NoSuchPosition { position, head: self.head });
        }
        let erased_at = to_microseconds(self.clock.now()).to_string();
        let done = self
            .execute("BEGIN IMMEDIATE")
            .and_then(|()| {
                self.overwrite(signed(position), &erased_at, basis)
                    .map_err(|error| storage_error(&self.path, &error))
            })
            .and_then(|()| self.commit());
        if let Err(error) = done {
            self.abandon(&error);
            return Err(error);
        }
        self.scrub(SCRUB_WAIT);
        Ok(())
    }

    fn overwrite(&self, position: i64, erased_at: &str, basis: &str) -> rusqlite::Result<()> {
        let inserted = self.connection.execute(
            "INSERT INTO erasure VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            params![position, erased_at, basis],
        )?;
        if inserted == 0 {
            return Ok(());
        }
        let mut salted = self.connection.blob_open("main", "payload", "salted", position, false)?;
        let zeros = vec![0_u8; salted.len()];
        salted.write_at(&zeros, 0)
    }

    /// Empties the write-ahead log, where the erased bytes still stand. Readers in the midst of a read prevent it; it
    /// is then tried again until it succeeds, and closing the journal does it at the latest.
    fn scrub(&mut self, wait: Duration) {
        let busy = self
            .connection
            .busy_timeout(wait)
            .and_then(|()| {
                self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            })
            .unwrap_or(1);
        if let Err(error) = self.connection.busy_timeout(BUSY_WAIT) {
            tracing::warn!(%error, "the journal's patience with other programs could not be set again");
        }
        self.scrub_due = (busy != 0).then(|| Instant::now() + SCRUB_WAIT);
    }

    fn scrub_if_due(&mut self) {
        if self.scrub_due.is_some_and(|due| due <= Instant::now()) {
            self.scrub(Duration::ZERO);
        }
    }
}

/// Takes what already waits, up to a bound, without waiting itself. A request that is no append ends the group.
fn gather(first: AppendJob, jobs: &Receiver<Job>) -> (Vec<AppendJob>, Option<Job>) {
    let mut events = first.request.events.len();
    let mut bytes = first.request.bytes;
    let mut group = vec![first];
    while events < GROUP_EVENTS_MAX && bytes < GROUP_BYTES_MAX {
        match jobs.try_recv() {
            Ok(Job::Append(job)) => {
                events = events.saturating_add(job.request.events.len());
                bytes = bytes.saturating_add(job.request.bytes);
                group.push(job);
            }
            Ok(other) => return (group, Some(other)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    (group, None)
}

/// Do they say the same? An erased payload can no longer be compared; then the envelope decides.
fn same_event(recorded: &RecordedEvent, event: &PreparedEvent) -> bool {
    let envelope = &recorded.envelope;
    let payload_is_same = match &recorded.payload {
        Payload::Erased { .. } => true,
        Payload::Present(payload) => spine::event::canonical_bytes(payload)
            .is_ok_and(|bytes| Some(bytes.as_slice()) == event.salted.get(SALT_BYTES..)),
    };
    payload_is_same
        && envelope.stream == event.stream
        && envelope.kind == event.kind
        && envelope.kind_version == event.kind_version
        && envelope.occurred_at == event.occurred_at
        && envelope.actor == event.actor
        && envelope.causation == event.causation
}
