//! Leases: which of several processes does what only one may do, such as writing the log's next checkpoint.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest name of a lease or of its holder.
pub const LEASE_NAME_BYTES_MAX: usize = 100;
/// Longest time for which a lease can be taken.
pub const LEASE_SECONDS_MAX: u64 = 3_600;

/// Who holds a lease, by the database's own clock, so that no other clock matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What it is a lease of, such as `log`.
    pub name: String,
    /// The process that holds it: a name of its own choice, different for every process.
    pub holder: String,
    /// How often it has changed hands, from 1. A holder that lost its lease has an older epoch for ever.
    pub epoch: u64,
    /// When it ends unless it is renewed, by the database's clock.
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
