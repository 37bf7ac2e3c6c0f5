//! Where a declaration stands.

use serde::{Deserialize, Serialize};

/// Where a declaration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It came in and was recorded.
    Lodged,
    /// It cannot be accepted as it stands; its trader may correct it and lodge it again, under a new number.
    Rejected,
    /// It was lodged before its goods came, and is registered; it waits for them.
    Received,
    /// Its goods are here; it is accepted next.
    Presented,
    /// It is legally a declaration now.
    Accepted,
    /// Its documents are examined.
    AwaitingDocuments,
    /// Its goods are examined.
    UnderControl,
    /// It waits for an officer's decision.
    Held,
    /// It is about to be released; until then the result can be withdrawn.
    ReleasePending,
    /// Its debt is not covered; its goods wait until it is.
    PaymentPending,
    /// Its goods are free, and something is still open: a debt, a licence.
    Released,
    /// Its goods are free, and nothing is open.
    Cleared,
    /// Its goods have left the territory.
    Exited,
    /// Its goods are kept by an officer's decision.
    Detained,
    /// Its trader asked for it to be invalidated, and an officer did so.
    Cancelled,
}

impl State {
    /// All states, in the order in which a declaration may meet them.
    pub const ALL: [Self; 15] = [
        Self::Lodged,
        Self::Rejected,
        Self::Received,
        Self::Presented,
        Self::Accepted,
        Self::AwaitingDocuments,
        Self::UnderControl,
        Self::Held,
        Self::ReleasePending,
        Self::PaymentPending,
        Self::Released,
        Self::Cleared,
        Self::Exited,
        Self::Detained,
        Self::Cancelled,
    ];

    /// The stable name used in read models and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lodged => "lodged",
            Self::Rejected => "rejected",
            Self::Received => "received",
            Self::Presented => "presented",
            Self::Accepted => "accepted",
            Self::AwaitingDocuments => "awaiting_documents",
            Self::UnderControl => "under_control",
            Self::Held => "held",
            Self::ReleasePending => "release_pending",
            Self::PaymentPending => "payment_pending",
            Self::Released => "released",
            Self::Cleared => "cleared",
            Self::Exited => "exited",
            Self::Detained => "detained",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Are the goods free?
    #[must_use]
    pub fn is_free(self) -> bool {
        matches!(self, Self::Released | Self::Cleared | Self::Exited)
    }

    /// Has clearance come to its end? What follows can only be an audit, a contest, an officer's decision on a late
    /// request, or the goods leaving. A rejection is no end: the trader corrects the declaration and lodges it again.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Cleared | Self::Exited | Self::Detained | Self::Cancelled)
    }
}
