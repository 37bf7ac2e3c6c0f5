//! One log that several processes keep, one at a time.
//!
//! Whoever has the turn opens the log from what is published and goes on; the others look at the published checkpoint,
//! so that each can answer and prove. The turn is asked for once more right before each publication. A process that
//! stood still between that and the last rename may put a checkpoint in place that was overtaken: it is an earlier one
//! of the same history, for all of them derive their entries from the one journal, and whoever has the turn puts its own
//! back.

use std::sync::Arc;
use std::time::Duration;

use super::follow::{Follower, LogSettings, Shared, TRY_AGAIN};
use super::integrate::{Integrator, JournalEntries, LogIdentity};
use crate::Journal;
use crate::clock::Clock;
use crate::log::error::LogError;
use crate::log::files::Files;
use crate::log::note::VerifierKey;
use crate::log::tiles::LogReader;
use crate::turn::Turn;

/// How often those who wait look at what is published.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The thread of a process among several.
pub(super) struct InTurns {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) files: Arc<dyn Files>,
    pub(super) identity: LogIdentity,
    pub(super) known: Vec<VerifierKey>,
    pub(super) settings: LogSettings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<Shared>,
    pub(super) reader: Arc<LogReader>,
    pub(super) turn: Turn,
}

impl InTurns {
    pub(super) fn run(mut self) {
        while !self.shared.ends() {
            match self.try_turn() {
                Ok(()) => {
                    self.shared.in_trouble(None);
                    self.look();
                    self.shared.pause(LOOK_EVERY);
                }
                Err(error) => {
                    tracing::warn!(%error, "the log waits");
                    self.shared.in_trouble(Some(error));
                    self.turn.give_back(self.journal.as_ref());
                    self.shared.pause(TRY_AGAIN);
                }
            }
        }
        self.turn.give_back(self.journal.as_ref());
    }

    /// Writes the log while it is this process's turn, if it is.
    fn try_turn(&mut self) -> Result<(), LogError> {
        if !self.turn.keep(self.journal.as_ref())? {
            return Ok(());
        }
        let source = JournalEntries(Arc::clone(&self.journal));
        let integrator = Integrator::open(Arc::clone(&self.files), self.identity.clone(), &source)?;
        self.shared.show(integrator.last());
        let follower = Follower::new(
            integrator,
            Arc::clone(&self.journal),
            Arc::clone(&self.shared),
            self.settings.clone(),
            Arc::clone(&self.clock),
        );
        follower.in_turns(&mut self.turn).run_turn()
    }

    /// Shows the published checkpoint, if it is not behind what was shown before.
    fn look(&self) {
        let Ok(Some(read)) = self.reader.checkpoint() else { return };
        if read.verify(&self.known).is_ok() {
            self.shared.show(Some(Arc::new(read)));
        }
    }
}
