//! How far a journal has come, for everybody who waits for it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What everybody may know of the writer.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    head: u64,
    stopped: Option<String>,
}

impl Progress {
    pub(crate) fn starting_at(head: u64) -> Self {
        Self { state: Mutex::new(State { head, stopped: None }), moved: Condvar::new() }
    }

    pub(crate) fn head(&self) -> u64 {
        self.lock().head
    }

    pub(crate) fn stopped(&self) -> Option<String> {
        self.lock().stopped.clone()
    }

    pub(crate) fn wait_for(&self, position: u64, timeout: Duration) -> u64 {
        let waiting = |state: &mut State| state.head < position && state.stopped.is_none();
        let (state, _) = self
            .moved
            .wait_timeout_while(self.lock(), timeout, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.head
    }

    /// Everything up to `head` is durable. News may come late, from several sides; the head never goes back.
    pub(crate) fn reach(&self, head: u64) {
        let mut state = self.lock();
        if head > state.head {
            state.head = head;
            drop(state);
            self.moved.notify_all();
        }
    }

    pub(crate) fn stop(&self, reason: &str) {
        self.lock().stopped.get_or_insert_with(|| reason.to_owned());
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
