//! What is told of notifications.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Notifications of one answer.
pub(super) const PAGE_MAX: usize = 200;

/// One notification, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotificationRow {
    /// Its id: `Response/FunctionalReferenceID`.
    pub id: String,
    /// Its place among all notifications: later ones have greater numbers. Where to go on from.
    pub sequence: u64,
    /// The declaration.
    pub mrn: String,
    /// Reference of the message that it answers, where it answers one; otherwise the declaration's own.
    pub reference: String,
    /// Code of its function, such as `09`.
    pub function_code: String,
    /// Its usual name, such as `DMSCLE`.
    pub title: String,
    /// Code of its status, such as `39`, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// Which notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NotificationsQuery {
    /// Those after this sequence number.
    pub after: u64,
    /// How many at most; 0: as many as one answer holds.
    pub limit: usize,
}

/// Notifications in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotificationsPage {
    /// The notifications.
    pub notifications: Vec<NotificationRow>,
    /// Where to go on from: the last one's sequence number, or what was asked for where there is none.
    pub next_after: u64,
}
