//! Notifications: what a trader's software is told of its declarations, in the messages of the WCO Data Model's DMS
//! profile. They are not recorded: each is what an event says, and can be written again from the journal for ever.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `notifications(&reader, &NotificationsQuery) -> NotificationsPage` | those of the reader's party, in order | view own notifications |
//! | `notification(&reader, id) -> (NotificationRow, Vec<u8>)` | one, as XML | view own notifications |
//! | `notifications_of(&reader, mrn) -> Vec<NotificationRow>` | those of a declaration | view own notifications, or view declarations |

mod compose;
mod model;
pub(crate) mod read_model;
mod said;

pub use formats::notification::FunctionCode;
pub use model::{NotificationRow, NotificationsPage, NotificationsQuery};
