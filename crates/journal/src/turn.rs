//! Taking turns: of several processes on one journal, one does what only one may do, until it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Journal;
use crate::error::JournalError;
use crate::lease::{Fence, Lease};

/// Whoever says nothing for so long has lost its turn.
const LEASE_TIME: Duration = Duration::from_secs(3);
/// How often the turn is kept, or tried for.
const STEP: Duration = Duration::from_millis(600);

/// One process's place among those that take turns at something, by a [`Lease`] that it keeps while it has it.
#[derive(Debug)]
pub struct Turn {
    name: &'static str,
    holder: String,
    lease: Option<Lease>,
    asked: Option<Instant>,
    has: Arc<AtomicBool>,
}

impl Turn {
    /// A turn at what the lease `name` is of, for the process with this node's id. It is not taken yet.
    ///
    /// # Errors
    /// The system has no random bytes: every start takes turns under another name, so that an earlier one of the same
    /// node is not mistaken for it.
    pub fn new(name: &'static str, node: &str) -> Result<Self, JournalError> {
        let mut start = [0_u8; 6];
        getrandom::fill(&mut start)
            .map_err(|error| JournalError::Stopped { reason: format!("no random bytes: {error}") })?;
        let holder = format!("{node}.{}", hex::encode(start));
        Ok(Self { name, holder, lease: None, asked: None, has: Arc::default() })
    }

    /// A sign for others that says whether this process has the turn.
    #[must_use]
    pub fn sign(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.has)
    }

    /// Takes the turn if it is free, keeps it if this process has it; answers whether it has it now.
    ///
    /// # Errors
    /// Those of the storage; the turn counts as lost then.
    pub fn ask(&mut self, journal: &dyn Journal) -> Result<bool, JournalError> {
        self.asked = Some(Instant::now());
        let answer = journal.take_lease(self.name, &self.holder, LEASE_TIME);
        self.lease = answer.as_ref().ok().filter(|lease| lease.holder == self.holder).cloned();
        self.has.store(self.lease.is_some(), Ordering::SeqCst);
        answer.map(|_| self.lease.is_some())
    }

    /// [`Turn::ask`], unless that was a moment ago.
    ///
    /// # Errors
    /// As [`Turn::ask`].
    pub fn keep(&mut self, journal: &dyn Journal) -> Result<bool, JournalError> {
        let lately = self.asked.is_some_and(|asked| asked.elapsed() < STEP);
        if lately { Ok(self.lease.is_some()) } else { self.ask(journal) }
    }

    /// What an append shows that rests on the turn; none without it.
    #[must_use]
    pub fn fence(&self) -> Option<Fence> {
        self.lease.as_ref().map(Lease::fence)
    }

    /// Gives the turn back, so that the next one need not wait.
    pub fn give_back(&mut self, journal: &dyn Journal) {
        self.has.store(false, Ordering::SeqCst);
        self.asked = None;
        if let Some(lease) = self.lease.take()
            && let Err(error) = journal.give_back_lease(&lease)
        {
            tracing::warn!(name = self.name, %error, "a turn could not be given back; it ends by itself");
        }
    }
}
