//! Where notifications to be pushed come from.

use formats::notification::{self, Notification};
use jiff::Timestamp;

use crate::Customhouse;
use crate::error::Error;
use crate::notifications::NotificationRow;

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

/// The house's own notifications.
impl Outbox for Customhouse {
    fn after(&self, party: &str, position: u64, limit: usize) -> Result<Vec<OutboxItem>, Error> {
        let mut items = Vec::new();
        let mut position = position;
        while items.len() < limit {
            let page = self.notifications_after(party, position, limit.saturating_sub(items.len()))?;
            if page.notifications.is_empty() {
                break;
            }
            position = page.next_after;
            // One whose declaration was erased is nothing to be sent any more; those behind it are.
            let written = self.written(&page.notifications)?;
            let mut rows = page.notifications.iter();
            for written in &written {
                if let Some(row) = rows.find(|row| row.id == written.id) {
                    items.push(item(party, row, written)?);
                }
            }
        }
        Ok(items)
    }

    fn last(&self, party: &str) -> Result<u64, Error> {
        self.last_notification(party)
    }
}

fn item(party: &str, row: &NotificationRow, written: &Notification) -> Result<OutboxItem, Error> {
    let body = String::from_utf8(notification::write(std::slice::from_ref(written)))
        .map_err(|error| Error::internal("notification_unwritable", &error))?;
    Ok(OutboxItem {
        position: row.sequence,
        id: row.id.clone(),
        party: party.to_owned(),
        mrn: row.mrn.clone(),
        function_code: row.function_code.clone(),
        issued_at: row.issued_at,
        body,
    })
}
