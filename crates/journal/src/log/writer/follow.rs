//! A thread that follows a journal and keeps its log.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::integrate::{Integrator, JournalEntries, LogIdentity};
use super::padding::{fill, next_end};
use super::shared::InTurns;
use crate::Journal;
use crate::clock::{Clock, SystemClock};
use crate::error::JournalError;
use crate::log::error::LogError;
use crate::log::files::Files;
use crate::log::note::SignedCheckpoint;
use crate::log::proof::LogProof;
use crate::log::tiles::LogReader;
use crate::log::tree::{consistency_proof, inclusion_proof, verify_consistency};
use crate::turn::Turn;

/// What processes take turns at.
const LEASE: &str = "log";
/// How long the thread waits for events before it looks whether it should end.
const LOOK_UP: Duration = Duration::from_millis(50);
/// How long it waits after a disk that was full or failed, before it tries again.
pub(super) const TRY_AGAIN: Duration = Duration::from_secs(1);

/// When checkpoints are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// An event waits so long for others before its checkpoint is begun; one that comes after a longer pause does not
    /// wait at all.
    pub checkpoint_every: Duration,
    /// So many events that wait begin a checkpoint at once.
    pub checkpoint_events: usize,
    /// One checkpoint takes in at most so many events.
    pub checkpoint_events_max: usize,
    /// Without events, the last tree is signed anew so often: with a key that signs the time (a cosignature), a reader
    /// then knows that the log lives.
    pub idle_every: Option<Duration>,
    /// Sizes of checkpoints are multiples of this, filled up with events that say nothing, so that they do not tell how
    /// much happened; 1 fills nothing up. At most [`super::PAD_TO_MAX`].
    pub pad_to: u64,
    /// Why nothing is signed at first, until [`LogWriter::release`]: such as that the log comes from a backup, and
    /// others may have seen more of it.
    pub held: Option<String>,
}

impl Default for LogSettings {
    /// 150 ms, so that 200 ms are kept with the flushes; 1,000 events; a minute.
    fn default() -> Self {
        Self {
            checkpoint_every: Duration::from_millis(150),
            checkpoint_events: 1_000,
            checkpoint_events_max: 8_192,
            idle_every: Some(Duration::from_secs(60)),
            pad_to: 1,
            held: None,
        }
    }
}

/// Keeps the log of a journal, on a thread of its own. Dropping it logs what the journal holds and ends the thread.
pub struct LogWriter {
    shared: Arc<Shared>,
    reader: Arc<LogReader>,
    /// Is it this process that writes?
    holds: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LogWriter").field("logged", &self.logged()).finish_non_exhaustive()
    }
}

/// What the thread tells everybody, and what everybody tells the thread.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    last: Option<Arc<SignedCheckpoint>>,
    witnessed: Option<Arc<SignedCheckpoint>>,
    stopped: Option<String>,
    /// The last failure that is being tried again.
    trouble: Option<LogError>,
    /// Why nothing is signed at present.
    held: Option<String>,
    end: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.moved.notify_all();
    }

    /// Waits for a condition or until time is up.
    fn wait(&self, timeout: Duration, waiting: impl FnMut(&mut State) -> bool) -> MutexGuard<'_, State> {
        self.moved.wait_timeout_while(self.lock(), timeout, waiting).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What a thread that keeps the log in turns says.
impl Shared {
    /// Shall the thread end?
    pub(super) fn ends(&self) -> bool {
        self.lock().end
    }

    /// Waits, unless the thread shall end.
    pub(super) fn pause(&self, time: Duration) {
        drop(self.wait(time, |state| !state.end));
    }

    pub(super) fn in_trouble(&self, trouble: Option<LogError>) {
        self.lock().trouble = trouble;
    }

    /// Shows a published checkpoint; never one that is behind what was shown before.
    pub(super) fn show(&self, checkpoint: Option<Arc<SignedCheckpoint>>) {
        let size = checkpoint.as_ref().map_or(0, |own| own.checkpoint().size);
        self.change(|state| {
            if size >= state.logged() {
                state.last = checkpoint;
            }
        });
    }
}

/// Says that the log is written no more when its thread ends, also when it panics: nobody shall wait for it.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.stopped.get_or_insert_with(|| "it was closed".to_owned());
        });
    }
}

impl State {
    fn logged(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.checkpoint().size)
    }
}

impl LogWriter {
    /// Begins to follow a journal. Arguments and errors are those of [`Integrator::open`].
    ///
    /// # Errors
    /// See [`Integrator::open`]; no thread could be started.
    pub fn start(
        journal: Arc<dyn Journal>,
        files: Arc<dyn Files>,
        identity: LogIdentity,
        settings: LogSettings,
    ) -> Result<Self, LogError> {
        Self::start_with_clock(journal, files, identity, settings, Arc::new(SystemClock))
    }

    /// [`LogWriter::start`] with a clock that tells the time in signatures.
    ///
    /// # Errors
    /// See [`Integrator::open`]; no thread could be started.
    pub fn start_with_clock(
        journal: Arc<dyn Journal>,
        files: Arc<dyn Files>,
        identity: LogIdentity,
        settings: LogSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        let integrator = Integrator::open(files, identity, &JournalEntries(Arc::clone(&journal)))?;
        let reader = Arc::clone(integrator.reader());
        let shared = Arc::new(Shared::default());
        {
            let mut state = shared.lock();
            state.last = integrator.last();
            state.held.clone_from(&settings.held);
        }
        let follower = Follower::new(integrator, journal, Arc::clone(&shared), settings, clock);
        let thread = spawn(&shared, move || follower.run())?;
        Ok(Self { shared, reader, holds: Arc::new(AtomicBool::new(true)), thread: Some(thread) })
    }

    /// Begins to keep a log together with other processes on the same journal and the same files, one at a time. The
    /// thread waits until it is its turn, and goes on where another one ended; meanwhile [`LogWriter::checkpoint`] and
    /// proofs follow what the others publish.
    ///
    /// # Errors
    /// Keys that cannot sign a log; no thread could be started. What [`Integrator::open`] refuses is told by
    /// [`LogWriter::trouble`] once it is this process's turn, and tried again.
    pub fn start_shared(
        journal: Arc<dyn Journal>,
        files: Arc<dyn Files>,
        identity: LogIdentity,
        settings: LogSettings,
        clock: Arc<dyn Clock>,
        node: &str,
    ) -> Result<Self, LogError> {
        identity.origin()?;
        let turn = Turn::new(LEASE, node)?;
        let (shared, holds) = (Arc::new(Shared::default()), turn.sign());
        shared.lock().held.clone_from(&settings.held);
        let reader = Arc::new(LogReader::new(Arc::clone(&files)));
        let keeper = InTurns {
            journal,
            files,
            known: identity.known(),
            identity,
            settings,
            clock,
            shared: Arc::clone(&shared),
            reader: Arc::clone(&reader),
            turn,
        };
        let thread = spawn(&shared, move || keeper.run())?;
        Ok(Self { shared, reader, holds, thread: Some(thread) })
    }

    /// Is it this process that writes the log at present? One that is alone always is.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.holds.load(Ordering::SeqCst)
    }

    /// Position of the last event that is in the published checkpoint: its number of entries.
    #[must_use]
    pub fn logged(&self) -> u64 {
        self.shared.lock().logged()
    }

    /// The published checkpoint; none before the first.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Arc<SignedCheckpoint>> {
        self.shared.lock().last.clone()
    }

    /// Waits until a published checkpoint holds the event at `position`, at most for `timeout`, and returns what is
    /// logged then: less than `position` if time ran out or the log stopped.
    #[must_use]
    pub fn wait_until_logged(&self, position: u64, timeout: Duration) -> u64 {
        self.shared.wait(timeout, |state| state.logged() < position && state.stopped.is_none()).logged()
    }

    /// Why the log is written no more, if it is not.
    #[must_use]
    pub fn stopped(&self) -> Option<String> {
        self.shared.lock().stopped.clone()
    }

    /// What keeps the log from growing at present, while it is being tried again.
    #[must_use]
    pub fn trouble(&self) -> Option<LogError> {
        let state = self.shared.lock();
        let held = || state.held.clone().map(|reason| LogError::Held { reason });
        state.trouble.clone().or_else(held)
    }

    /// Why nothing is signed at present, if it is held.
    #[must_use]
    pub fn held(&self) -> Option<String> {
        self.shared.lock().held.clone()
    }

    /// Lets nothing be signed until [`LogWriter::release`], such as when others have seen more of this log than there
    /// is: whatever it signed would contradict that. Events go on being recorded. What is being signed at this moment
    /// still comes out.
    pub fn hold(&self, reason: &str) {
        self.shared.change(|state| state.held = Some(reason.to_owned()));
    }

    /// Goes on signing.
    pub fn release(&self) {
        self.shared.change(|state| state.held = None);
    }

    /// Reads the log.
    #[must_use]
    pub fn reader(&self) -> &Arc<LogReader> {
        &self.reader
    }

    /// The proof that the event at `position` is in the published checkpoint.
    ///
    /// # Errors
    /// [`LogError::NotLogged`]; a damaged or unreadable tile.
    pub fn proof(&self, position: u64) -> Result<LogProof, LogError> {
        match self.checkpoint() {
            Some(checkpoint) => self.proof_in(position, &checkpoint),
            None => Err(LogError::NotLogged { position, logged: 0 }),
        }
    }

    /// The proof that the event at `position` is in this earlier checkpoint, such as one that witnesses cosigned.
    ///
    /// # Errors
    /// [`LogError::NotLogged`]; a damaged or unreadable tile.
    pub fn proof_in(&self, position: u64, checkpoint: &SignedCheckpoint) -> Result<LogProof, LogError> {
        let size = checkpoint.checkpoint().size;
        let index = position
            .checked_sub(1)
            .filter(|index| *index < size)
            .ok_or(LogError::NotLogged { position, logged: size })?;
        let path = inclusion_proof(&mut self.reader.tree(size), index, size)?;
        Ok(LogProof { extra: None, index, path, checkpoint: checkpoint.clone() })
    }

    /// Hands in a checkpoint of this log with cosignatures that the caller has verified; it is kept durably soon.
    ///
    /// # Errors
    /// A checkpoint of another log, or one that the log does not continue.
    pub fn keep_witnessed(&self, checkpoint: SignedCheckpoint) -> Result<(), LogError> {
        if !self.holds() {
            return Err(LogError::Held { reason: "another process of this site keeps the log".to_owned() });
        }
        let witnessed = checkpoint.checkpoint();
        let last = self.checkpoint().ok_or(LogError::NotLogged { position: witnessed.size, logged: 0 })?;
        let last = last.checkpoint();
        if witnessed.origin != last.origin {
            let (found, expected) = (witnessed.origin.clone(), last.origin.clone());
            return Err(LogError::OtherLog { found, expected });
        }
        let path = consistency_proof(&mut self.reader.tree(last.size), witnessed.size, last.size)?;
        verify_consistency(witnessed.size, witnessed.root, last.size, last.root, &path)?;
        self.shared.change(|state| state.witnessed = Some(Arc::new(checkpoint)));
        Ok(())
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.shared.change(|state| state.end = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log's thread had ended with a panic");
        }
    }
}

fn spawn(shared: &Arc<Shared>, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LogError> {
    let closing = Closing(Arc::clone(shared));
    thread::Builder::new()
        .name("journal-log".to_owned())
        .spawn(move || {
            let _closing = closing;
            work();
        })
        .map_err(|error| LogError::Stopped { reason: error.to_string() })
}

/// What the thread owns.
pub(super) struct Follower<'a> {
    integrator: Integrator,
    journal: Arc<dyn Journal>,
    shared: Arc<Shared>,
    settings: LogSettings,
    clock: Arc<dyn Clock>,
    /// When the last checkpoint was published.
    published: Instant,
    /// Among several processes: whose turn it is.
    turn: Option<&'a mut Turn>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        integrator: Integrator,
        journal: Arc<dyn Journal>,
        shared: Arc<Shared>,
        settings: LogSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { integrator, journal, shared, settings, clock, published: Instant::now(), turn: None }
    }

    pub(super) fn in_turns(self, turn: &'a mut Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }

    /// Writes the log while it is this process's turn; ends when it is not any more, or when the thread shall end.
    pub(super) fn run_turn(mut self) -> Result<(), LogError> {
        while self.has_turn(Turn::keep)? {
            self.integrator.put_back_if_overtaken()?;
            self.keep_witnessed()?;
            if self.shared.ends() {
                return self.finish();
            }
            self.step()?;
            self.shared.in_trouble(None);
        }
        Ok(())
    }

    /// Is it this process's turn, asked in this way? One that is alone always has it.
    fn has_turn(
        &mut self,
        ask: fn(&mut Turn, &dyn Journal) -> Result<bool, JournalError>,
    ) -> Result<bool, LogError> {
        match &mut self.turn {
            Some(turn) => Ok(ask(turn, self.journal.as_ref())?),
            None => Ok(true),
        }
    }

    fn run(mut self) {
        loop {
            let end = self.shared.lock().end;
            let step = self.keep_witnessed().and_then(|()| if end { self.finish() } else { self.step() });
            match step {
                Ok(()) => self.shared.lock().trouble = None,
                Err(error) if error.may_pass() && !end => {
                    tracing::warn!(%error, "the log waits");
                    self.shared.lock().trouble = Some(error);
                    drop(self.shared.wait(TRY_AGAIN, |state| !state.end));
                }
                Err(error) => {
                    tracing::error!(%error, "the log stops");
                    self.shared.lock().stopped = Some(error.to_string());
                    return;
                }
            }
            if end {
                return;
            }
        }
    }

    /// Waits for events and publishes them, or looks after an idle log.
    fn step(&mut self) -> Result<(), LogError> {
        if self.is_held() {
            drop(self.shared.wait(LOOK_UP, |state| state.held.is_some() && !state.end));
            return Ok(());
        }
        let logged = self.integrator.size();
        let head = self.journal.wait_for(logged.saturating_add(1), LOOK_UP);
        if head <= logged {
            // A journal that stopped answers without waiting; this thread then must not spin.
            drop(self.shared.wait(Duration::from_millis(5), |state| !state.end));
            return self.sign_anew_if_idle();
        }
        let enough = u64::try_from(self.settings.checkpoint_events).unwrap_or(u64::MAX);
        self.gather(logged.saturating_add(enough));
        // It may have been held while it waited.
        if self.is_held() { Ok(()) } else { self.publish().map(drop) }
    }

    /// Waits until the journal reaches a position, the next checkpoint is due, or the thread shall end.
    fn gather(&self, position: u64) {
        loop {
            let due = self.settings.checkpoint_every.saturating_sub(self.published.elapsed());
            if due.is_zero() || self.shared.lock().end || self.journal.head() >= position {
                return;
            }
            let asked = Instant::now();
            let head = self.journal.wait_for(position, due.min(LOOK_UP));
            if head < position && asked.elapsed() < due.min(LOOK_UP) {
                // The journal stopped: more will not come.
                return;
            }
        }
    }

    fn is_held(&self) -> bool {
        self.shared.lock().held.is_some()
    }

    /// Logs all that the journal holds by now.
    fn finish(&mut self) -> Result<(), LogError> {
        let head = self.journal.head();
        while self.integrator.size() < head && !self.is_held() && self.publish()? {}
        Ok(())
    }

    /// Answers whether it was done: not if it is another process's turn by now.
    fn publish(&mut self) -> Result<bool, LogError> {
        let logged = self.integrator.size();
        let most = u64::try_from(self.settings.checkpoint_events_max).unwrap_or(u64::MAX);
        let end = next_end(logged, self.journal.head(), self.settings.pad_to, most);
        fill(self.journal.as_ref(), self.clock.as_ref(), end)?;
        let wanted = usize::try_from(end.saturating_sub(logged)).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        while let Some(room) = wanted.checked_sub(entries.len()).filter(|room| *room > 0) {
            let after = logged.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
            let more = self.journal.envelopes(after, room)?;
            if more.is_empty() {
                let reason = format!("the journal has nothing after position {after} though it goes on");
                return Err(LogError::Stopped { reason });
            }
            entries.extend(more);
        }
        self.sign(&entries)
    }

    fn sign_anew_if_idle(&mut self) -> Result<(), LogError> {
        let due = self.settings.idle_every.is_some_and(|every| self.published.elapsed() >= every);
        if due && self.integrator.last().is_some() { self.sign(&[]).map(drop) } else { Ok(()) }
    }

    fn sign(&mut self, entries: &[Vec<u8>]) -> Result<bool, LogError> {
        if !self.has_turn(Turn::ask)? {
            return Ok(false);
        }
        let time = u64::try_from(self.clock.now().as_second()).unwrap_or(0);
        let checkpoint = self.integrator.integrate(entries, time)?;
        self.published = Instant::now();
        self.shared.show(Some(checkpoint));
        Ok(true)
    }

    fn keep_witnessed(&mut self) -> Result<(), LogError> {
        let Some(witnessed) = self.shared.lock().witnessed.clone() else { return Ok(()) };
        self.integrator.keep_witnessed(&witnessed)?;
        // Unless a newer one came meanwhile.
        let mut state = self.shared.lock();
        state.witnessed.take_if(|newest| Arc::ptr_eq(newest, &witnessed));
        Ok(())
    }
}
