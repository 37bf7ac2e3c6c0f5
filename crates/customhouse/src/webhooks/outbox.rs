//! Where notifications to be pushed come from.

use jiff::Timestamp;

use crate::error::Error;

/// A notification of one party, as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its place among the party's notifications: later ones have greater positions.
    pub position: u64,
    /// Id of the notification: the same as long as it exists, and the header `webhook-id`.
    pub id: String,
    /// Whose it is.
    pub party: String,
    /// The declaration that it is about.
    pub mrn: String,
    /// What it says, by the function code of its response: `01`, `09`, ...
    pub function_code: String,
    /// When it was issued, by the house's clock.
    pub issued_at: Timestamp,
    /// The message as it goes out: XML.
    pub body: String,
}

/// Notifications by party, in the order in which they were issued.
pub trait Outbox: Send + Sync {
    /// Notifications of a party behind a position, in order, at most `limit`. What was erased is left out.
    ///
    /// # Errors
    /// The store's.
    fn after(&self, party: &str, position: u64, limit: usize) -> Result<Vec<OutboxItem>, Error>;

    /// Position of the party's last notification; 0 where there is none. A new webhook begins behind it.
    ///
    /// # Errors
    /// The store's.
    fn last(&self, party: &str) -> Result<u64, Error>;
}

/// An outbox in which nothing ever is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nothing;

impl Outbox for Nothing {
    fn after(&self, _party: &str, _position: u64, _limit: usize) -> Result<Vec<OutboxItem>, Error> {
        Ok(Vec::new())
    }

    fn last(&self, _party: &str) -> Result<u64, Error> {
        Ok(0)
    }
}
