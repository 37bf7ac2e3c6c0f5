//! Leases: which of several processes does what only one may do, such as writing the log's next checkpoint.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::JournalError;

/// Longest name of a lease or of its holder.
pub const LEASE_NAME_BYTES_MAX: usize = 100;
/// Longest time for which a lease can be taken.
pub const LEASE_SECONDS_MAX: u64 = 3_600;

/// Who holds a lease, by the store's own clock, so that no other clock matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What it is a lease of, such as `log`.
    pub name: String,
    /// The process that holds it: a name of its own choice, different for every process.
    pub holder: String,
    /// How often it has changed hands, from 1. A holder that lost its lease has an older epoch for ever.
    pub epoch: u64,
    /// When it ends unless it is renewed, by the store's clock.
    pub expires_at: Timestamp,
}

impl Lease {
    /// What a write of this holder shows, so that it is refused once another one has taken over.
    #[must_use]
    pub fn fence(&self) -> Fence {
        Fence { lease: self.name.clone(), holder: self.holder.clone(), epoch: self.epoch }
    }
}

/// A holder's token. It is checked in the very transaction that it guards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// Name of the lease.
    pub lease: String,
    /// Who believes to hold it.
    pub holder: String,
    /// The epoch in which it does.
    pub epoch: u64,
}

/// Leases among the threads of the one process that has a journal to itself. They need not outlive it.
#[derive(Debug, Default)]
pub(crate) struct OwnLeases(Mutex<HashMap<String, Lease>>);

impl OwnLeases {
    pub(crate) fn take(&self, name: &str, holder: &str, time: Duration, now: Timestamp) -> Lease {
        let expires_at = now.saturating_add(time).unwrap_or(Timestamp::MAX);
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = leases.entry(name.to_owned()).or_insert_with(|| Lease {
            name: name.to_owned(),
            holder: holder.to_owned(),
            epoch: 1,
            expires_at,
        });
        if lease.holder == holder {
            lease.expires_at = expires_at;
        } else if lease.expires_at <= now {
            let epoch = lease.epoch.saturating_add(1);
            *lease = Lease { name: name.to_owned(), holder: holder.to_owned(), epoch, expires_at };
        }
        lease.clone()
    }

    pub(crate) fn give_back(&self, fence: &Fence, now: Timestamp) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lease) = leases.get_mut(&fence.lease).filter(|lease| lease.fence() == *fence) {
            lease.expires_at = now;
        }
    }

    /// Runs `work` while the lease cannot be taken over, unless it was already.
    pub(crate) fn while_held<T>(
        &self,
        fence: &Fence,
        work: impl FnOnce() -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match leases.get(&fence.lease) {
            Some(lease) if lease.fence() == *fence => work(),
            other => Err(JournalError::LeaseLost {
                lease: fence.lease.clone(),
                holder: other.map_or_else(|| "nobody".to_owned(), |lease| lease.holder.clone()),
                epoch: other.map_or(0, |lease| lease.epoch),
            }),
        }
    }
}
