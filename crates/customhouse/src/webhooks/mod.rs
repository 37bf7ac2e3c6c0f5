//! Webhooks: notifications pushed to addresses of a trader's own, signed, until they are taken.
//!
//! | call | permission | event |
//! |---|---|---|
//! | `open_webhook(&reader, url) -> (Webhook, secret)` | manage webhooks | `webhook.opened` |
//! | `change_webhook_secret(&reader, id) -> secret`; the earlier one signs too for a day | the same | `webhook.secret_changed` |
//! | `pause_webhook(&reader, id)`, `resume_webhook(&reader, id)`: what waits is tried at once | the same | `webhook.paused`, `webhook.resumed` |
//! | `skip_notification(&reader, id, message)` | the same | `webhook.skipped` |
//! | `remove_webhook(&reader, id)` | the same | `webhook.removed` |
//! | `test_webhook(&reader, id)`: something to be sent once | the same | none |
//! | `webhooks(&reader)`, `webhook(&reader, id)`: with what was sent last | the same | none |
//! | `due_deliveries(busy, limit)`, `record_delivery(..)` | none: whoever carries them | none |
//!
//! **What is promised.** Every notification of the party, in the order in which they were issued, at least once, each
//! try under the same id. One that is not taken holds up those behind it: soon, then ever later, it is tried again for
//! three days, and then the webhook stands until somebody lets it go on, from that notification. Nothing is lost: what
//! was not pushed can be fetched. One process of a site sends: the one that decides.
//!
//! This room knows no HTTP. Whoever does asks it what is due, sends it, and tells what came of it.

mod address;
mod commands;
mod model;
mod outbox;
mod schedule;
mod signature;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::Error;
pub use address::{Reach, Target, reach};
pub use model::{Delivery, DeliveryShown, Fate, Outcome, Trouble, Webhook, WebhookState};
pub use outbox::{Outbox, OutboxItem};

/// The webhooks of a house.
pub(crate) struct Webhooks {
    store: store::Store,
    /// Another outbox than the house's own notifications.
    outbox: RwLock<Option<Arc<dyn Outbox>>>,
    to_private: AtomicBool,
}

impl Webhooks {
    /// Opens or makes the store.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            store: store::Store::open(path)?,
            outbox: RwLock::default(),
            to_private: AtomicBool::new(false),
        })
    }

    fn outbox(&self) -> Option<Arc<dyn Outbox>> {
        self.outbox.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn to_private(&self) -> bool {
        self.to_private.load(Ordering::Relaxed)
    }

    /// Destroys what is kept of parties and declarations that are erased.
    pub(crate) fn erase(&self, is: &dyn Fn(&str) -> bool) -> Result<(), Error> {
        self.store.erase(is)
    }
}
