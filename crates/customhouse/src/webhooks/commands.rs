//! Making, changing and removing webhooks, and what is to be sent.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::address::Target;
use super::model::{Delivery, DeliveryShown, Outcome, Webhook, WebhookState};
use super::outbox::{Outbox, OutboxItem};
use super::signature::{made_up_secret, signatures};
use super::store::Ready;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

/// Signatures under the secret before go out for so long after a change.
const EARLIER_SECRET: SignedDuration = SignedDuration::from_hours(24);
/// What a test says. It is no message of customs, and nothing follows from it.
const TEST_BODY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<WebhookTest/>\n";

fn stream(webhook: &str) -> String {
    format!("webhook/{webhook}")
}

fn unknown(id: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "webhook_unknown",
        format!("there is no webhook \"{}\" of your party", id.chars().take(64).collect::<String>()),
        "See the list of webhooks for the ids there are.",
    )
}

impl Customhouse {
    /// Lets webhooks reach private addresses, over plain HTTP too, from now on: for receivers in the same network, and
    /// for tests. Without it every address that is not one of the public network is refused.
    pub fn let_webhooks_reach_private(&self) {
        self.webhooks.to_private.store(true, Ordering::Relaxed);
    }

    /// May webhooks reach private addresses?
    #[must_use]
    pub fn webhooks_reach_private(&self) -> bool {
        self.webhooks.to_private()
    }

    /// Pushes what another outbox holds, and not the house's own notifications.
    pub fn push_from(&self, outbox: Arc<dyn Outbox>) {
        *self.webhooks.outbox.write().unwrap_or_else(PoisonError::into_inner) = Some(outbox);
    }

    /// Asks whichever outbox there is.
    fn ask_outbox<T>(&self, ask: impl FnOnce(&dyn Outbox) -> Result<T, Error>) -> Result<T, Error> {
        match self.webhooks.outbox() {
            Some(outbox) => ask(outbox.as_ref()),
            None => ask(self),
        }
    }

    /// Makes a webhook of the reader's party, which gets what is issued from now on. The answer's secret is shown this
    /// once.
    ///
    /// # Errors
    /// Those of [`Target::parse`]; `too_many_webhooks`.
    pub fn open_webhook(&self, reader: &Reader, url: &str) -> Result<(Webhook, String), Error> {
        reader.require(Permission::ManageWebhooks)?;
        let url = url.trim();
        let target = Target::parse(url, self.webhooks.to_private())?;
        let party = reader.party.as_deref().ok_or_else(|| {
            Error::new(
                Kind::Forbidden,
                "no_party",
                "this account acts for no party",
                "Ask an administrator to name the party whose notifications are to be pushed.",
            )
        })?;
        let position = self.ask_outbox(|outbox| outbox.last(party))?;
        let webhook = Webhook {
            id: format!("w-{}", hex::encode(crate::random_bytes::<8>()?)),
            party: party.to_owned(),
            url: url.to_owned(),
            state: WebhookState::Active,
            made_at: self.now(),
            earlier_secret_until: None,
            tries: 0,
            next_try_at: None,
        };
        let secret = made_up_secret()?;
        self.webhooks.store.add(&webhook, &secret, position)?;
        // What stands behind the host may be a secret of the receiver's.
        let payload = json!({ "party": party, "host": target.host });
        if let Err(error) = self.record(reader, Fact::new(&stream(&webhook.id), "webhook.opened", payload)) {
            self.webhooks.store.remove(&webhook.id)?;
            return Err(error);
        }
        Ok((webhook, secret))
    }

    /// The webhooks of the reader's party, the latest first.
    pub fn webhooks(&self, reader: &Reader) -> Result<Vec<Webhook>, Error> {
        reader.require(Permission::ManageWebhooks)?;
        reader.party.as_deref().map_or_else(|| Ok(Vec::new()), |party| self.webhooks.store.of_party(party))
    }

    /// One webhook of the reader's party, with what was sent to it, the latest first.
    pub fn webhook(&self, reader: &Reader, id: &str) -> Result<(Webhook, Vec<DeliveryShown>), Error> {
        let webhook = self.own_webhook(reader, id)?;
        let deliveries = self.webhooks.store.deliveries(&webhook.id)?;
        Ok((webhook, deliveries))
    }

    /// Puts another secret in the place of the one in use. For a day, signatures under both go out.
    pub fn change_webhook_secret(&self, reader: &Reader, id: &str) -> Result<String, Error> {
        let webhook = self.own_webhook(reader, id)?;
        let secret = made_up_secret()?;
        self.note_webhook(reader, &webhook, "webhook.secret_changed")?;
        let until = self.now().checked_add(EARLIER_SECRET).unwrap_or(Timestamp::MAX);
        self.webhooks.store.change_secret(&webhook.id, &secret, until)?;
        Ok(secret)
    }

    /// Stops a webhook: what is issued waits.
    pub fn pause_webhook(&self, reader: &Reader, id: &str) -> Result<(), Error> {
        let webhook = self.own_webhook(reader, id)?;
        self.note_webhook(reader, &webhook, "webhook.paused")?;
        self.webhooks.store.set_state(&webhook.id, WebhookState::Paused)
    }

    /// Lets a webhook go on at once, from the notification that is next: one that was stopped or given up, or one that
    /// waits between two tries.
    pub fn resume_webhook(&self, reader: &Reader, id: &str) -> Result<(), Error> {
        let webhook = self.own_webhook(reader, id)?;
        self.note_webhook(reader, &webhook, "webhook.resumed")?;
        self.webhooks.store.set_state(&webhook.id, WebhookState::Active)
    }

    /// Goes on without a notification that its receiver does not take. It can still be fetched.
    ///
    /// # Errors
    /// `notification_moved_on` if it is not the one that is next.
    pub fn skip_notification(&self, reader: &Reader, id: &str, message: &str) -> Result<(), Error> {
        let webhook = self.own_webhook(reader, id)?;
        let ready = self.webhooks.store.standing(&webhook.id)?.ok_or_else(|| unknown(id))?;
        let next = self.next_of(&ready)?.filter(|delivery| delivery.message == message);
        let next = next.ok_or_else(|| {
            Error::new(
                Kind::Conflict,
                "notification_moved_on",
                "this notification is not the one that is next",
                "Reload the page: it may have been delivered meanwhile.",
            )
        })?;
        let payload = json!({ "message": message });
        self.record(reader, Fact::new(&stream(&webhook.id), "webhook.skipped", payload))?;
        self.webhooks.store.skip(&next)
    }

    /// Removes a webhook with what is remembered of it.
    pub fn remove_webhook(&self, reader: &Reader, id: &str) -> Result<(), Error> {
        let webhook = self.own_webhook(reader, id)?;
        self.note_webhook(reader, &webhook, "webhook.removed")?;
        self.webhooks.store.remove(&webhook.id)
    }

    /// Has a test sent, once, whatever waits.
    ///
    /// # Errors
    /// `Kind::Busy` where some wait to be sent already.
    pub fn test_webhook(&self, reader: &Reader, id: &str) -> Result<String, Error> {
        let webhook = self.own_webhook(reader, id)?;
        let message = format!("test-{}", hex::encode(crate::random_bytes::<8>()?));
        if self.webhooks.store.add_test(&webhook.id, &message, self.now())? {
            return Ok(message);
        }
        Err(Error::new(
            Kind::Busy,
            "tests_wait",
            "tests wait to be sent already",
            "Wait until they were sent.",
        ))
    }

    /// What is to be sent now, at most `limit`, one for each webhook, and none of those that are `busy`: a receiver is
    /// sent one thing at a time.
    pub fn due_deliveries(&self, busy: &HashSet<String>, limit: usize) -> Result<Vec<Delivery>, Error> {
        let mut due = Vec::new();
        for ready in self.webhooks.store.ready(self.now())? {
            if due.len() >= limit {
                break;
            }
            if !busy.contains(&ready.id) {
                due.extend(self.next_of(&ready)?);
            }
        }
        Ok(due)
    }

    /// Writes down what came of a delivery.
    pub fn record_delivery(&self, delivery: &Delivery, outcome: &Outcome) -> Result<(), Error> {
        self.webhooks.store.record(delivery, outcome, self.now())
    }

    /// What is next for a webhook, signed.
    fn next_of(&self, ready: &Ready) -> Result<Option<Delivery>, Error> {
        let item = match &ready.test {
            Some((message, asked_at)) => Some(OutboxItem {
                position: 0,
                id: message.clone(),
                party: ready.party.clone(),
                mrn: String::new(),
                function_code: String::new(),
                issued_at: *asked_at,
                body: TEST_BODY.to_owned(),
            }),
            None => {
                self.ask_outbox(|outbox| outbox.after(&ready.party, ready.position, 1))?.into_iter().next()
            }
        };
        let Some(item) = item else { return Ok(None) };
        // What may be reached can have changed since the webhook was made; the rest of it was checked then.
        let target = Target::parse(&ready.url, true)?;
        let second = self.wall_now().as_second();
        let secrets: Vec<&str> = ready.secrets.iter().map(String::as_str).collect();
        Ok(Some(Delivery {
            webhook: ready.id.clone(),
            target,
            signature: signatures(&secrets, &item.id, second, &item.body)?,
            second,
            message: item.id,
            body: item.body,
            position: item.position,
            mrn: item.mrn,
            function_code: item.function_code,
            issued_at: item.issued_at,
            test: ready.test.is_some(),
        }))
    }

    fn own_webhook(&self, reader: &Reader, id: &str) -> Result<Webhook, Error> {
        reader.require(Permission::ManageWebhooks)?;
        let party = reader.party.as_deref().ok_or_else(|| unknown(id))?;
        self.webhooks.store.find(party, id)?.ok_or_else(|| unknown(id))
    }

    fn note_webhook(&self, reader: &Reader, webhook: &Webhook, kind: &'static str) -> Result<u64, Error> {
        self.record(reader, Fact::new(&stream(&webhook.id), kind, json!({})))
    }
}
