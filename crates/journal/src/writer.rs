//! The one thread that writes, whatever the store. It takes whatever requests wait, decides each against the streams
//! as they then stand, hands what it accepts to the store as one transaction, and answers only after that is durable.
//!
//! A refused request (a conflict, a reused key, a name claimed before) writes nothing, so it cannot spoil the transaction it shares. When the
//! transaction as a whole fails for want of space, each request is tried alone, so that a large one does not take
//! small ones with it. What a failed commit means is the store's to say: see [`Store::can_go_on_after`].

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use spine::Envelope;

use crate::clock::{Clock, to_microseconds};
use crate::error::JournalError;
use crate::import::ImportBatch;
use crate::model::{Appended, AppendedEvent, Payload, RecordedEvent};
use crate::prepare::{PreparedAppend, PreparedEvent, SALT_BYTES, claim_of_stored};
use crate::progress::Progress;
use crate::store::{EventRow, Needs, Store, Versions};

/// Most requests that wait for the writer; the next caller waits before it may hand its own in.
const QUEUE_REQUESTS_MAX: usize = 1_024;
/// A transaction takes no further request once it has this many events.
const GROUP_EVENTS_MAX: usize = 4_096;
/// A transaction takes no further request once it has this many payload bytes.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest wait for further requests: a fraction of what a flush takes.
const LINGER: Duration = Duration::from_micros(300);
/// From so many events on a flush is worth its while, and others better prepare theirs during it.
const LINGER_EVENTS_MAX: usize = 32;
/// Streams whose versions are remembered between transactions.
const STREAMS_REMEMBERED_MAX: usize = 65_536;

type Answer = Result<Appended, JournalError>;

/// What the writer is asked to do.
enum Job {
    Append(AppendJob),
    Erase { position: u64, basis: String, reply: SyncSender<Result<(), JournalError>> },
    Import { batch: ImportBatch, reply: SyncSender<Result<(), JournalError>> },
}

/// An append and who waits for it.
struct AppendJob {
    request: PreparedAppend,
    reply: SyncSender<Answer>,
}

/// For whom the journal records, and by which clock.
pub(crate) struct Scribe {
    pub(crate) node: String,
    pub(crate) administration: String,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The writing thread, as its callers see it. Dropping it finishes what was handed in.
pub(crate) struct WriterHandle {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    progress: Arc<Progress>,
}

impl WriterHandle {
    /// Starts the thread on a store whose last position is `head`.
    pub(crate) fn start<S: Store>(
        store: S,
        scribe: Scribe,
        progress: Arc<Progress>,
    ) -> Result<Self, JournalError> {
        let (jobs, waiting) = sync_channel(QUEUE_REQUESTS_MAX);
        let place = store.place().to_owned();
        let head = progress.head();
        let writer = Writer {
            store,
            scribe,
            progress: Arc::clone(&progress),
            head,
            versions: HashMap::new(),
            last_group: 0,
        };
        let thread = thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run(&waiting))
            .map_err(|error| JournalError::io(&place, &error))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), progress })
    }

    pub(crate) fn append(&self, request: PreparedAppend) -> Answer {
        let (reply, answer) = sync_channel(1);
        self.hand_in(Job::Append(AppendJob { request, reply }))?;
        // A writer that ended without an answer may have ended after its commit.
        answer.recv().unwrap_or_else(|_| {
            Err(JournalError::OutcomeUnknown { reason: "the writer ended without an answer".to_owned() })
        })
    }

    pub(crate) fn erase(&self, position: u64, basis: &str) -> Result<(), JournalError> {
        let (reply, answer) = sync_channel(1);
        self.hand_in(Job::Erase { position, basis: basis.to_owned(), reply })?;
        answer.recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    pub(crate) fn import(&self, batch: ImportBatch) -> Result<(), JournalError> {
        let (reply, answer) = sync_channel(1);
        self.hand_in(Job::Import { batch, reply })?;
        answer.recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    fn stopped(&self) -> JournalError {
        let reason = self.progress.stopped().unwrap_or_else(|| "its writer ended".to_owned());
        JournalError::Stopped { reason }
    }

    fn hand_in(&self, job: Job) -> Result<(), JournalError> {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(|| self.stopped())
    }

    /// Finishes what was handed in and ends the thread.
    pub(crate) fn finish(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer had ended with a panic");
        }
    }
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Everything the writing thread owns.
struct Writer<S> {
    store: S,
    scribe: Scribe,
    progress: Arc<Progress>,
    /// Last position that this writer knows to be durable.
    head: u64,
    versions: Versions,
    /// How many requests shared the last transaction.
    last_group: usize,
}

impl<S: Store> Writer<S> {
    /// Works until nobody can hand anything in any more.
    fn run(mut self, jobs: &Receiver<Job>) {
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
            // A caller that no longer waits needs no answer: failed replies are no failures.
            match job {
                Job::Append(first) => {
                    let (group, next) = gather(first, jobs, self.last_group);
                    self.last_group = group.len();
                    held_over = next;
                    self.record(group);
                }
                Job::Erase { position, basis, reply } => {
                    let _ = reply.send(self.unless_stopped().and_then(|()| self.erase(position, &basis)));
                }
                Job::Import { batch, reply } => {
                    let _ = reply.send(self.unless_stopped().and_then(|()| self.import(&batch)));
                }
            }
            self.scrub_if_due();
        }
    }

    fn next(&mut self, jobs: &Receiver<Job>) -> Result<Option<Job>, ()> {
        let Some(due_in) = self.store.scrub_due_in() else {
            return jobs.recv().map(Some).map_err(|_| ());
        };
        match jobs.recv_timeout(due_in) {
            Ok(job) => Ok(Some(job)),
            Err(RecvTimeoutError::Disconnected) => Err(()),
            Err(RecvTimeoutError::Timeout) => {
                self.scrub_if_due();
                Ok(None)
            }
        }
    }

    fn scrub_if_due(&mut self) {
        if self.store.scrub_due_in().is_some_and(|due_in| due_in.is_zero()) {
            self.store.scrub();
        }
    }

    fn unless_stopped(&self) -> Result<(), JournalError> {
        self.progress.stopped().map_or(Ok(()), |reason| Err(JournalError::Stopped { reason }))
    }

    /// Records a group and answers everybody in it.
    fn record(&mut self, group: Vec<AppendJob>) {
        let answers = match self.unless_stopped().and_then(|()| self.record_together(&group)) {
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
        let mut answers = self.record_together(slice::from_ref(job))?;
        answers
            .pop()
            .unwrap_or_else(|| Err(JournalError::Stopped { reason: "a request was lost".to_owned() }))
    }

    /// One transaction: all of the group's accepted requests are durable when it returns, or none is.
    fn record_together(&mut self, group: &[AppendJob]) -> Result<Vec<Answer>, JournalError> {
        let mut needs = Needs::default();
        for AppendJob { request, .. } in group {
            needs.streams.extend(request.expected.iter().map(|(stream, _)| stream.as_str()));
            needs.streams.extend(request.events.iter().map(|event| event.stream.as_str()));
            needs.keys.extend(request.idempotency_key.as_deref());
            needs.keys.extend(request.claims.iter().map(String::as_str));
            needs.leases.extend(request.fence.as_ref().map(|fence| fence.lease.as_str()));
        }
        self.transact(&needs, |writer, head| writer.decide_all(group, head))
    }

    /// Runs `write` between begin and commit. It moves the head that it is given.
    fn transact<T>(
        &mut self,
        needs: &Needs<'_>,
        write: impl FnOnce(&mut Self, &mut u64) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        if self.versions.len() > STREAMS_REMEMBERED_MAX {
            self.versions.clear();
        }
        let done = self.store.begin(needs, &mut self.versions).and_then(|mut head| {
            self.head = head;
            let written = write(self, &mut head)?;
            self.store.commit(head)?;
            Ok((written, head))
        });
        match done {
            Ok((written, head)) => {
                self.head = head;
                self.progress.reach(head);
                Ok(written)
            }
            Err(error) => {
                self.abandon(&error);
                Err(error)
            }
        }
    }

    /// Takes back what a failed transaction had begun; stops for good where going on would not be safe.
    fn abandon(&mut self, error: &JournalError) {
        self.versions.clear();
        let rolled_back = self.store.roll_back();
        if !rolled_back || !self.store.can_go_on_after(error) {
            tracing::error!(%error, place = %self.store.place().display(), "the journal stops");
            self.progress.stop(&error.to_string());
        }
    }

    fn decide_all(&mut self, group: &[AppendJob], head: &mut u64) -> Result<Vec<Answer>, JournalError> {
        let mut answers = Vec::with_capacity(group.len());
        for job in group {
            answers.push(match self.decide(&job.request, head) {
                Ok(appended) => Ok(appended),
                Err(
                    refusal @ (JournalError::Conflict { .. }
                    | JournalError::IdempotencyKeyReused { .. }
                    | JournalError::Claimed { .. }
                    | JournalError::LeaseLost { .. }),
                ) => Err(refusal),
                Err(failure) => return Err(failure),
            });
        }
        Ok(answers)
    }

    /// Accepts or refuses one request as the streams stand after everything before it. A refusal has written nothing.
    fn decide(&mut self, request: &PreparedAppend, head: &mut u64) -> Answer {
        if let Some(fence) = &request.fence {
            self.store.check_fence(fence)?;
        }
        if let Some(key) = &request.idempotency_key
            && let Some(recorded) = self.store.events_of_key(key)?
        {
            let first = recorded.first().map_or(0, |event| event.position);
            self.check_claimed_then(key, first, &request.claims)?;
            return earlier_answer(key, recorded, &request.events);
        }
        // Before the versions: a conflict invites to try again, which a claim never lets succeed.
        for claim in &request.claims {
            if let Some((position, _)) = self.store.positions_of_key(claim)? {
                return Err(JournalError::Claimed { claim: claim_of_stored(claim).to_owned(), position });
            }
        }
        for (stream, expected) in &request.expected {
            let actual = self.version(stream)?;
            if actual != *expected {
                return Err(JournalError::Conflict { stream: stream.clone(), expected: *expected, actual });
            }
        }
        let recorded_at = to_microseconds(self.scribe.clock.now());
        let first = head.saturating_add(1);
        let mut events = Vec::with_capacity(request.events.len());
        for event in &request.events {
            *head = head.saturating_add(1);
            events.push(self.insert(event, *head, recorded_at)?);
        }
        if let Some(key) = &request.idempotency_key {
            self.store.insert_key(key, first, *head)?;
        }
        for claim in &request.claims {
            self.store.insert_key(claim, first, *head)?;
        }
        Ok(Appended { events, repeated: false })
    }

    /// A request that repeats an earlier one claims nothing that the earlier one had not claimed.
    fn check_claimed_then(&mut self, key: &str, first: u64, claims: &[String]) -> Result<(), JournalError> {
        for claim in claims {
            if self.store.positions_of_key(claim)?.is_none_or(|(position, _)| position != first) {
                return Err(JournalError::IdempotencyKeyReused { key: key.to_owned(), position: first });
            }
        }
        Ok(())
    }

    fn insert(
        &mut self,
        event: &PreparedEvent,
        position: u64,
        recorded_at: Timestamp,
    ) -> Result<AppendedEvent, JournalError> {
        let stream_version = self.version(&event.stream)?.saturating_add(1);
        let envelope = self.scribe.envelope(event, stream_version, recorded_at);
        let bytes = envelope.to_canonical_bytes().map_err(|error| JournalError::Stopped {
            reason: format!("an envelope has no bytes: {error}"),
        })?;
        self.store.insert(EventRow {
            position,
            stream: &event.stream,
            stream_version,
            envelope: bytes,
            salted: &event.salted,
        })?;
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
        let version = self.store.stream_version(stream)?;
        self.versions.insert(stream.to_owned(), version);
        Ok(version)
    }

    fn erase(&mut self, position: u64, basis: &str) -> Result<(), JournalError> {
        let erased_at = to_microseconds(self.scribe.clock.now()).to_string();
        let known = self.transact(&Needs::default(), |writer, head| {
            if position == 0 || position > *head {
                return Ok(false);
            }
            writer.store.insert_erasure(position, &erased_at, basis, true)?;
            Ok(true)
        })?;
        if !known {
            return Err(JournalError::NoSuchPosition { position, head: self.head });
        }
        self.store.scrub();
        Ok(())
    }

    /// Records events of another journal as they are, at the positions they have there.
    fn import(&mut self, batch: &ImportBatch) -> Result<(), JournalError> {
        let needs = Needs { streams: batch.streams(), ..Needs::default() };
        self.transact(&needs, |writer, head| {
            for event in &batch.events {
                let version = writer.version(&event.stream)?;
                event.check_follows(*head, version)?;
                *head = event.position;
                writer.store.insert(EventRow {
                    position: event.position,
                    stream: &event.stream,
                    stream_version: event.stream_version,
                    envelope: event.envelope.clone(),
                    salted: &event.salted,
                })?;
                writer.versions.insert(event.stream.clone(), event.stream_version);
                if let Some((erased_at, basis)) = &event.erasure {
                    writer.store.insert_erasure(event.position, erased_at, basis, false)?;
                }
            }
            for key in &batch.keys {
                writer.store.insert_key(&key.key, key.first, key.last)?;
            }
            for erasure in &batch.erasures {
                writer.store.insert_erasure(erasure.position, &erasure.erased_at, &erasure.basis, true)?;
            }
            Ok(())
        })?;
        if !batch.erasures.is_empty() {
            self.store.scrub();
        }
        Ok(())
    }
}

impl Scribe {
    fn envelope(&self, event: &PreparedEvent, stream_version: u64, recorded_at: Timestamp) -> Envelope {
        let milliseconds = u64::try_from(recorded_at.as_millisecond()).unwrap_or(0);
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &event.id_random).into_uuid();
        Envelope {
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
        }
    }
}

/// Takes what already waits, up to a bound. While only a few wait, and fewer than shared the last transaction, it lingers
/// for a moment: whoever was just answered is about to ask again, and one flush for all is cheaper than two. (Without
/// it, one caller and all the others would take turns.) A request that is no append ends the group.
fn gather(first: AppendJob, jobs: &Receiver<Job>, expected: usize) -> (Vec<AppendJob>, Option<Job>) {
    let mut events = rows_of(&first);
    let mut bytes = first.request.bytes;
    let mut group = vec![first];
    let until = Instant::now() + LINGER;
    while events < GROUP_EVENTS_MAX && bytes < GROUP_BYTES_MAX {
        let next = match jobs.try_recv() {
            Err(TryRecvError::Empty) if group.len() < expected && events < LINGER_EVENTS_MAX => {
                jobs.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
            }
            next => next.ok(),
        };
        match next {
            Some(Job::Append(job)) => {
                events = events.saturating_add(rows_of(&job));
                bytes = bytes.saturating_add(job.request.bytes);
                group.push(job);
            }
            Some(other) => return (group, Some(other)),
            None => break,
        }
    }
    (group, None)
}

/// How much an append adds to a transaction: its events and its claims.
fn rows_of(job: &AppendJob) -> usize {
    job.request.events.len().saturating_add(job.request.claims.len())
}

/// The answer that this key got before, if it was for these events.
fn earlier_answer(key: &str, recorded: Vec<RecordedEvent>, requested: &[PreparedEvent]) -> Answer {
    let same = recorded.len() == requested.len()
        && recorded.iter().zip(requested).all(|(recorded, event)| same_event(recorded, event));
    if !same {
        let position = recorded.first().map_or(0, |event| event.position);
        return Err(JournalError::IdempotencyKeyReused { key: key.to_owned(), position });
    }
    let events = recorded
        .into_iter()
        .map(|recorded| AppendedEvent {
            position: recorded.position,
            id: recorded.envelope.id,
            stream: recorded.envelope.stream,
            stream_version: recorded.envelope.stream_version,
        })
        .collect();
    Ok(Appended { events, repeated: true })
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
