//! The desk: one thread through which every declaration goes, from its bytes to its lane.
//!
//! It takes what waits in small batches: numbers it, tags it, chooses the lane, and hands all events of a batch to a
//! second thread that appends them in one piece while the desk goes on. Nobody gets a receipt before the events are
//! durable. The queue has a bound; beyond it callers are told to come back (`Kind::Busy`).
//!
//! Where several processes share a journal, recording and deciding are two things: every process records what comes in
//! ([`super::reception`]), and one at a time decides ([`super::turn`]).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use formats::declaration::{Form, Understood};
use journal::{AppendRequest, Clock, Journal};

use super::clerk::Clerk;
use super::model::{Channel, Receipt};
use super::reception::{RECEPTION_THREADS, Reception};
use super::turn::{InTurns, Signs};
use crate::error::{Error, Kind};
use crate::packs::Registry;
use crate::plans::Policies;
use crate::pool::Pool;
use crate::projection::Projection;

/// Declarations that may wait.
pub(crate) const WAITING_MAX: u64 = 4_096;
/// Declarations of one batch.
const BATCH_MAX: usize = 256;
/// Batches on their way to the disk.
const UNDER_WAY_MAX: usize = 2;
/// How often the desk looks at the clock when nothing comes in.
const IDLE: Duration = Duration::from_millis(200);

/// How often it is looked whether the house is closed while read models catch up.
const READ_MODEL_CHECK: Duration = Duration::from_millis(100);
/// How often it is looked whether batches are on the disk, where that must be waited for.
const LANDING_CHECK: Duration = Duration::from_millis(5);

/// Where an answer goes.
pub type Reply = Box<dyn FnOnce(Result<Receipt, Error>) + Send>;

/// What the desk works with; shared with the rest of the house.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) projection: Arc<Projection>,
    pub(crate) policies: Arc<RwLock<Policies>>,
    pub(crate) registry: Arc<RwLock<Registry>>,
    pub(crate) node: String,
    pub(crate) simulated: bool,
    /// Do other processes work on the same journal?
    pub(crate) shared: bool,
    /// The house is being closed: what is read of the past is of no use any more.
    pub(crate) closing: Arc<AtomicBool>,
}

impl Parts {
    /// References and numbers that are in use are looked up in the read models: they must show everything that is
    /// recorded.
    pub(super) fn wait_for_read_models(&self) -> Result<(), Error> {
        let head = self.journal.head();
        while self.projection.wait_for(head, READ_MODEL_CHECK) < head {
            if self.closing.load(Ordering::Relaxed) {
                return Err(Error::cancelled());
            }
            // Read models that cannot go on answer at once.
            self.projection.read(|_| Ok(()))?;
        }
        Ok(())
    }
}

/// A declaration that waits for the desk.
pub(crate) struct Lodgement {
    /// Who is responsible for it: references are unique within a party.
    pub(crate) party: String,
    /// Who sent it.
    pub(crate) actor: spine::Actor,
    pub(crate) channel: Channel,
    pub(crate) form: Form,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: String,
    pub(crate) understood: Understood,
    /// The schema that it was held against.
    pub(crate) schema: String,
    pub(crate) arrived: Instant,
    pub(crate) reply: Reply,
}

/// What the desk is told.
enum Message {
    Lodge(Box<Lodgement>),
    /// A batch of history was admitted.
    History {
        batch: String,
    },
    /// Who is one was decided: position of the event.
    Decision {
        position: u64,
    },
    /// What waits may go on: a policy came into force, goods came, a request was decided.
    Waiting,
    /// Declarations will come: the past should be known by then.
    Prepare,
    /// Something of the past was erased: it is to be read again.
    ReadAgain,
}

/// Events of one batch on their way to the disk, and who waits for them.
pub(super) struct Outgoing {
    pub(super) number: u64,
    /// How often the past had been read when it was decided.
    pub(super) reading: u64,
    pub(super) request: AppendRequest,
    pub(super) replies: Vec<(Reply, Result<Receipt, Error>)>,
}

/// A batch that is durable: its number and last position.
pub(super) struct Landed {
    pub(super) number: u64,
    pub(super) position: u64,
}

/// Where declarations are handed in.
enum Front {
    /// At the desk of a process that is alone.
    Alone(SyncSender<Message>),
    /// At the reception of one of several.
    Shared(SyncSender<Box<Lodgement>>),
}

/// The desk's front.
pub(crate) struct Desk {
    front: Option<Front>,
    waiting: Arc<AtomicU64>,
    signs: Signs,
    closing: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Desk {
    /// Opens the desk. It reads the past, on its own thread, once it is told to prepare or a declaration comes in; what
    /// comes in meanwhile waits. Who only looks something up, or adds history, need not wait for a past of millions.
    pub(crate) fn open(parts: Parts) -> Result<Self, Error> {
        if parts.shared { Self::open_shared(parts) } else { Self::open_alone(parts) }
    }

    fn open_alone(parts: Parts) -> Result<Self, Error> {
        let (messages, inbox) = sync_channel(queue_length());
        let (outgoing, outbox) = sync_channel::<Outgoing>(UNDER_WAY_MAX);
        let (landed, landings) = sync_channel::<Landed>(1_024);
        let waiting = Arc::new(AtomicU64::new(0));
        let signs = Signs::default();
        signs.decides.store(true, Ordering::Relaxed);
        let closing = Arc::clone(&parts.closing);
        let failed = Arc::new(AtomicU64::new(0));
        let post = Post { journal: Arc::clone(&parts.journal), failed: Arc::clone(&failed), landed };
        let posting = spawn("desk-post", move || post.run(&outbox))?;
        let (own_waiting, ready) = (Arc::clone(&waiting), Arc::clone(&signs.ready));
        let mut worker = Worker { parts, inbox, outgoing, landings, waiting: own_waiting, ready, failed };
        let deciding = spawn("desk", move || worker.run())?;
        let front = Some(Front::Alone(messages));
        Ok(Self { front, waiting, signs, closing, threads: vec![deciding, posting] })
    }

    fn open_shared(parts: Parts) -> Result<Self, Error> {
        let (lodgements, inbox) = sync_channel(queue_length());
        let waiting = Arc::new(AtomicU64::new(0));
        let closing = Arc::clone(&parts.closing);
        let (mut deciding, signs) = InTurns::new(parts.clone())?;
        let mut threads = vec![spawn("desk", move || deciding.run())?];
        let reception =
            Arc::new(Reception::new(parts, inbox, Arc::clone(&waiting), Arc::clone(&signs.wanted)));
        for _ in 0..RECEPTION_THREADS {
            let reception = Arc::clone(&reception);
            threads.push(spawn("reception", move || reception.run())?);
        }
        Ok(Self { front: Some(Front::Shared(lodgements)), waiting, signs, closing, threads })
    }

    /// Hands a declaration in; the reply comes once it is durable. Refused at once when too many wait.
    pub(crate) fn lodge(&self, lodgement: Lodgement) -> Result<(), Error> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let lodgement = Box::new(lodgement);
        let handed_in = match &self.front {
            Some(Front::Alone(messages)) => offered(messages.try_send(Message::Lodge(lodgement))),
            Some(Front::Shared(lodgements)) => offered(lodgements.try_send(lodgement)),
            None => Err(closed()),
        };
        handed_in.inspect_err(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        })
    }

    /// Has the desk read the past now.
    pub(crate) fn prepare(&self) {
        self.signs.wanted.store(true, Ordering::Relaxed);
        self.tell(Message::Prepare);
    }

    /// Tells the desk of history that came in.
    pub(crate) fn note_history(&self, batch: &str) {
        self.tell(Message::History { batch: batch.to_owned() });
    }

    /// Tells the desk of a decision on who is one. In the order in which they were recorded.
    pub(crate) fn note_decision(&self, position: u64) {
        self.tell(Message::Decision { position });
    }

    /// Tells the desk that what waits may go on: policies changed, goods came, a request was decided.
    pub(crate) fn note_waiting(&self) {
        self.tell(Message::Waiting);
    }

    /// Tells the desk that something of the past was erased.
    pub(crate) fn note_erasure(&self) {
        self.signs.read_again.store(true, Ordering::SeqCst);
        self.tell(Message::ReadAgain);
    }

    /// How many declarations wait, and whether the desk knows the past by now.
    pub(crate) fn standing(&self) -> (u64, bool) {
        (self.waiting.load(Ordering::Relaxed), self.signs.ready.load(Ordering::Relaxed))
    }

    /// Is it this process that decides?
    pub(crate) fn decides(&self) -> bool {
        self.signs.decides.load(Ordering::Relaxed)
    }

    /// Gives the desk of a process that is alone some news; one of several follows the journal.
    fn tell(&self, message: Message) {
        if let Some(Front::Alone(messages)) = &self.front {
            // A desk that has stopped needs no news.
            let _ = messages.send(message);
        }
    }
}

fn queue_length() -> usize {
    usize::try_from(WAITING_MAX).unwrap_or(usize::MAX)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Error::internal("no_thread", &error))
}

fn closed() -> Error {
    Error::internal("desk_closed", &"the desk is closed")
}

fn offered<T>(sent: Result<(), TrySendError<T>>) -> Result<(), Error> {
    match sent {
        Ok(()) => Ok(()),
        Err(TrySendError::Full(_)) => Err(Error::new(
            Kind::Busy,
            "too_many_waiting",
            format!("{WAITING_MAX} declarations wait to be processed"),
            "Nothing was recorded. Send the same declaration again in a few seconds.",
        )),
        Err(TrySendError::Disconnected(_)) => Err(closed()),
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.front = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to hand over.
            let _ = thread.join();
        }
    }
}

/// The thread that appends.
struct Post {
    journal: Arc<dyn Journal>,
    /// The last reading of the past on which a batch failed; 0: none.
    failed: Arc<AtomicU64>,
    landed: SyncSender<Landed>,
}

impl Post {
    fn run(&self, outbox: &Receiver<Outgoing>) {
        while let Ok(outgoing) = outbox.recv() {
            let position = if outgoing.reading <= self.failed.load(Ordering::SeqCst) {
                // What was decided before the past was read again rests on the batch that failed.
                Err(Error::new(
                    Kind::Internal,
                    "batch_before_failed",
                    "the declarations before this one could not be recorded",
                    "Nothing was recorded. Send the same declaration again.",
                ))
            } else if outgoing.request.events.is_empty() {
                Ok(self.journal.head())
            } else {
                self.journal
                    .append(outgoing.request)
                    .map(|appended| appended.last_position())
                    .map_err(Error::from)
            };
            match position {
                Ok(position) => {
                    // A desk that has stopped needs no news.
                    let _ = self.landed.send(Landed { number: outgoing.number, position });
                    for (reply, receipt) in outgoing.replies {
                        reply(receipt.map(|receipt| Receipt { position, ..receipt }));
                    }
                }
                Err(error) => {
                    tracing::error!(code = error.code, "declarations could not be recorded: {error}");
                    self.failed.fetch_max(outgoing.reading, Ordering::SeqCst);
                    for (reply, _) in outgoing.replies {
                        reply(Err(error.clone()));
                    }
                }
            }
        }
    }
}

/// The thread that decides.
struct Worker {
    parts: Parts,
    inbox: Receiver<Message>,
    outgoing: SyncSender<Outgoing>,
    landings: Receiver<Landed>,
    waiting: Arc<AtomicU64>,
    ready: Arc<AtomicBool>,
    failed: Arc<AtomicU64>,
}

impl Worker {
    fn run(&mut self) {
        let mut reading = 1;
        let Some(mut first) = self.first_need() else { return };
        let Some(mut clerk) = self.clerk(reading) else { return };
        loop {
            let read_again = self.work(&mut clerk, first);
            if clerk.may_resume() {
                self.settle(&mut clerk, reading);
                self.resume(&mut clerk, reading);
            }
            first = match self.inbox.recv_timeout(IDLE) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.take_landings(&mut clerk);
            let failed = self.failed.load(Ordering::SeqCst) >= reading;
            if failed || read_again || !clerk.keeps_up_with_packs() {
                // What is known went ahead of what is recorded, or means something else now: read it again, once
                // nothing is on its way any more.
                self.ready.store(false, Ordering::Relaxed);
                self.settle(&mut clerk, reading);
                reading = reading.saturating_add(1);
                let Some(next) = self.clerk(reading) else { return };
                clerk = next;
            }
        }
    }

    /// Waits until the past is needed. News before that is part of the past when it is read.
    fn first_need(&self) -> Option<Option<Message>> {
        loop {
            match self.inbox.recv().ok()? {
                Message::Prepare => return Some(None),
                lodge @ Message::Lodge(_) => return Some(Some(lodge)),
                Message::History { .. }
                | Message::Decision { .. }
                | Message::Waiting
                | Message::ReadAgain => {}
            }
        }
    }

    /// Waits until nothing is on its way to the disk any more, or what was has failed.
    fn settle(&self, clerk: &mut Clerk, reading: u64) {
        while clerk.under_way() && self.failed.load(Ordering::SeqCst) < reading {
            std::thread::sleep(LANDING_CHECK);
            self.take_landings(clerk);
        }
    }

    /// Takes up some of what waited for a policy.
    fn resume(&self, clerk: &mut Clerk, reading: u64) {
        if self.failed.load(Ordering::SeqCst) >= reading {
            // The past is read again first.
            return;
        }
        match self.parts.wait_for_read_models().and_then(|()| clerk.take_up_waiting()) {
            Ok(Some(outgoing)) => {
                // If the post has stopped, so does the house.
                let _ = self.outgoing.send(outgoing);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(code = error.code, "what waits for a policy could not be read: {error}");
            }
        }
    }

    fn take_landings(&self, clerk: &mut Clerk) {
        while let Ok(landed) = self.landings.try_recv() {
            clerk.landed(&landed);
        }
    }

    /// A clerk who knows the past; tried again until it can be read, or the house is closed.
    fn clerk(&self, reading: u64) -> Option<Clerk> {
        while !self.parts.closing.load(Ordering::Relaxed) {
            match Clerk::read(&self.parts, reading) {
                Ok(clerk) => {
                    self.ready.store(true, Ordering::Relaxed);
                    return Some(clerk);
                }
                // The house is closed before the past was read.
                Err(error) if error.kind == Kind::Cancelled => {}
                Err(error) => {
                    tracing::error!(code = error.code, "the desk cannot read the past: {error}");
                    std::thread::sleep(IDLE);
                }
            }
        }
        None
    }

    /// Works off what waits. Answers whether the past is to be read again.
    fn work(&self, clerk: &mut Clerk, first: Option<Message>) -> bool {
        let mut read_again = false;
        let mut lodgements = Vec::new();
        let mut next = first;
        while let Some(message) = next.take() {
            match message {
                Message::Lodge(lodgement) => lodgements.push(*lodgement),
                Message::History { batch } => {
                    if let Err(error) = clerk.past.absorb_history(&batch) {
                        tracing::error!(code = error.code, "history could not be read: {error}");
                        self.failed.fetch_max(clerk.reading(), Ordering::SeqCst);
                    }
                }
                Message::Decision { position } => {
                    if let Err(error) = clerk.follow_decision(position) {
                        tracing::error!(code = error.code, "who is one could not be read: {error}");
                        self.failed.fetch_max(clerk.reading(), Ordering::SeqCst);
                    }
                }
                Message::Waiting => clerk.resume(),
                Message::Prepare => {}
                Message::ReadAgain => read_again = true,
            }
            if lodgements.len() < BATCH_MAX {
                next = self.inbox.try_recv().ok();
            }
        }
        let taken = u64::try_from(lodgements.len()).unwrap_or(u64::MAX);
        if let Some(outgoing) = clerk.process(lodgements) {
            // If the post has stopped, so does the house.
            let _ = self.outgoing.send(outgoing);
        }
        self.waiting.fetch_sub(taken, Ordering::Relaxed);
        read_again
    }
}
