//! What is due, in which order, under which id, and what became of it; no network here.

use std::sync::Mutex;

use super::*;
use crate::declarations::tests::{World, declaration, reader, trader};
use crate::identity::{Reader, Role};
use crate::notifications::NotificationsQuery;

/// Notifications that a test puts there.
#[derive(Debug, Default)]
struct Shelf(Mutex<Vec<OutboxItem>>);

impl Shelf {
    fn put(&self, position: u64, party: &str) {
        self.0.lock().unwrap().push(OutboxItem {
            position,
            id: format!("n-{position}"),
            party: party.to_owned(),
            mrn: format!("26ZZ{position}"),
            function_code: "09".to_owned(),
            issued_at: "2026-03-02T08:00:00Z".parse().unwrap(),
            body: format!("<Response>{position}</Response>"),
        });
    }
}

impl Outbox for Shelf {
    fn after(&self, party: &str, position: u64, limit: usize) -> Result<Vec<OutboxItem>, Error> {
        let items = self.0.lock().unwrap();
        let own = items.iter().filter(|item| item.party == party && item.position > position);
        Ok(own.take(limit).cloned().collect())
    }

    fn last(&self, party: &str) -> Result<u64, Error> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .iter()
            .filter(|item| item.party == party)
            .map(|item| item.position)
            .max()
            .unwrap_or(0))
    }
}

const URL: &str = "https://broker.example/in?key=1";

/// A house with a webhook of NL0001, and the shelf from which it is fed.
struct Post {
    world: World,
    shelf: Arc<Shelf>,
    webhook: String,
}

impl Post {
    fn new() -> Self {
        let world = World::with_policies(false);
        let shelf = Arc::new(Shelf::default());
        shelf.put(1, "NL0001");
        world.house.push_from(shelf.clone());
        let (webhook, secret) = world.house.open_webhook(&trader(), URL).unwrap();
        assert!(secret.starts_with("whsec_"), "{secret}");
        Self { world, shelf, webhook: webhook.id }
    }

    fn due(&self) -> Vec<Delivery> {
        self.world.house.due_deliveries(&std::collections::HashSet::new(), 10).unwrap()
    }

    fn due_ids(&self) -> Vec<String> {
        self.due().into_iter().map(|delivery| delivery.message).collect()
    }

    /// Tries what is due; it is answered with a status.
    fn answer(&self, status: u16) {
        let due = self.due();
        assert_eq!(due.len(), 1, "{due:?}");
        let outcome = Outcome { status: Some(status), trouble: Trouble::of_status(status), milliseconds: 7 };
        self.world.house.record_delivery(&due[0], &outcome).unwrap();
    }

    fn shown(&self) -> (Webhook, Vec<DeliveryShown>) {
        self.world.house.webhook(&trader(), &self.webhook).unwrap()
    }

    fn fates(&self) -> Vec<(String, &'static str, u32)> {
        let shown = self.shown().1.into_iter();
        shown.map(|delivery| (delivery.message, delivery.fate.name(), delivery.tries)).collect()
    }
}

#[test]
fn what_is_issued_is_due_in_order_one_at_a_time_and_not_what_was_issued_before() {
    let post = Post::new();
    assert_eq!(post.due(), [], "the webhook begins behind what was there");
    for (position, party) in [(2, "NL0001"), (3, "NL0002"), (4, "NL0001")] {
        post.shelf.put(position, party);
    }
    let due = post.due();
    assert_eq!(due[0].message, "n-2");
    assert_eq!((due[0].target.host.as_str(), due[0].target.path.as_str()), ("broker.example", "/in?key=1"));
    assert_eq!(due[0].body, "<Response>2</Response>");
    assert!(due[0].signature.starts_with("v1,"));
    let busy = [post.webhook.clone()].into();
    assert_eq!(post.world.house.due_deliveries(&busy, 10).unwrap(), []);
    assert_eq!(post.world.house.due_deliveries(&std::collections::HashSet::new(), 0).unwrap(), []);
    post.answer(204);
    post.answer(200);
    assert_eq!(post.due(), []);
    assert_eq!(post.fates(), [("n-4".into(), "delivered", 1), ("n-2".into(), "delivered", 1)]);
}

#[test]
fn what_is_not_taken_is_tried_later_under_the_same_id_and_holds_up_what_is_behind() {
    let post = Post::new();
    post.shelf.put(2, "NL0001");
    post.shelf.put(3, "NL0001");
    post.answer(500);
    assert_eq!(post.due(), [], "not before its time");
    let (webhook, deliveries) = post.shown();
    assert_eq!((webhook.state, webhook.tries), (WebhookState::Active, 1));
    assert!(webhook.next_try_at.unwrap() > deliveries[0].tried_at.unwrap());
    assert_eq!((deliveries[0].status, deliveries[0].trouble.as_deref()), (Some(500), Some("refused")));
    post.world.clock.forward(1);
    assert_eq!(post.due_ids(), ["n-2"]);
    post.answer(302);
    assert_eq!(post.shown().1[0].trouble.as_deref(), Some("redirected"));
    // Somebody says: try now.
    post.world.house.resume_webhook(&trader(), &post.webhook).unwrap();
    post.answer(200);
    assert_eq!(post.due_ids(), ["n-3"]);
    assert_eq!(post.fates()[0], ("n-2".into(), "delivered", 3));
}

#[test]
fn after_three_days_it_is_given_up_and_goes_on_from_there_when_somebody_says_so() {
    let post = Post::new();
    post.shelf.put(2, "NL0001");
    let mut tries = 0;
    while post.shown().0.state == WebhookState::Active {
        post.answer(503);
        post.world.clock.forward(6);
        tries += 1;
        assert!(tries < 50);
    }
    assert_eq!((tries, post.shown().0.state), (13, WebhookState::GivenUp));
    assert_eq!(post.due(), []);
    post.world.house.resume_webhook(&trader(), &post.webhook).unwrap();
    assert_eq!(post.due_ids(), ["n-2"]);
    post.answer(410);
    assert_eq!(post.shown().0.state, WebhookState::GivenUp, "the receiver said that it is gone");
}

#[test]
fn whoever_is_killed_between_a_try_and_its_record_tries_again_under_the_same_id() {
    let post = Post::new();
    post.shelf.put(2, "NL0001");
    let sent = post.due();
    // The receiver has it; nothing was written down.
    let Post { world, shelf, webhook } = post;
    let world = world.reopened();
    world.house.push_from(shelf.clone());
    let post = Post { world, shelf, webhook };
    let again = post.due();
    assert_eq!((&again[0].message, &again[0].body), (&sent[0].message, &sent[0].body));
    post.answer(200);
    // A record that comes late changes nothing.
    let late = Outcome { status: None, trouble: Some(Trouble::TimedOut), milliseconds: 15_000 };
    post.world.house.record_delivery(&sent[0], &late).unwrap();
    assert_eq!(post.fates(), [("n-2".into(), "delivered", 1)]);
    assert_eq!((post.due(), post.shown().0.tries), (Vec::new(), 0));
}

#[test]
fn a_test_is_sent_once_whatever_waits_and_a_stopped_webhook_keeps_its_place() {
    let post = Post::new();
    post.shelf.put(2, "NL0001");
    let house = &post.world.house;
    house.pause_webhook(&trader(), &post.webhook).unwrap();
    assert_eq!(post.due(), []);
    let test = house.test_webhook(&trader(), &post.webhook).unwrap();
    assert_eq!(post.due_ids(), [test.as_str()]);
    post.answer(500);
    assert_eq!((post.due(), post.fates()), (Vec::new(), vec![(test, "failed", 1)]));
    for _ in 0..3 {
        house.test_webhook(&trader(), &post.webhook).unwrap();
    }
    assert_eq!(house.test_webhook(&trader(), &post.webhook).unwrap_err().code, "tests_wait");
    for _ in 0..3 {
        post.answer(200);
    }
    house.resume_webhook(&trader(), &post.webhook).unwrap();
    assert_eq!(post.due_ids(), ["n-2"]);
    let other = house.skip_notification(&trader(), &post.webhook, "n-1").unwrap_err();
    assert_eq!(other.code, "notification_moved_on");
    post.answer(400);
    house.skip_notification(&trader(), &post.webhook, "n-2").unwrap();
    assert_eq!(post.due(), []);
    assert!(post.fates().contains(&("n-2".into(), "skipped", 1)));
}

#[test]
fn for_a_day_after_its_change_the_earlier_secret_signs_too() {
    let post = Post::new();
    post.shelf.put(2, "NL0001");
    let signed = |post: &Post| post.due()[0].signature.split(' ').count();
    assert_eq!(signed(&post), 1);
    post.world.house.change_webhook_secret(&trader(), &post.webhook).unwrap();
    assert_eq!(signed(&post), 2);
    assert!(post.shown().0.earlier_secret_until.is_some());
    post.world.clock.forward(25);
    assert_eq!(signed(&post), 1);
}

#[test]
fn webhooks_are_their_partys_alone_and_bounded() {
    let post = Post::new();
    let house = &post.world.house;
    let other = reader("t-2", Role::Trader).of_party(Some("NL0002"));
    assert_eq!(house.webhooks(&other).unwrap(), []);
    for refused in [
        house.webhook(&other, &post.webhook).map(|_| ()),
        house.pause_webhook(&other, &post.webhook),
        house.resume_webhook(&other, &post.webhook),
        house.skip_notification(&other, &post.webhook, "n-1"),
        house.remove_webhook(&other, &post.webhook),
        house.test_webhook(&other, &post.webhook).map(|_| ()),
        house.change_webhook_secret(&other, &post.webhook).map(|_| ()),
    ] {
        assert_eq!(refused.unwrap_err().code, "webhook_unknown");
    }
    for role in [Role::Officer, Role::Admin] {
        assert_eq!(house.webhooks(&reader("o-1", role)).unwrap_err().code, "not_permitted");
    }
    let nobody = reader("t-3", Role::Trader);
    assert_eq!(house.webhooks(&nobody).unwrap(), []);
    assert_eq!(house.open_webhook(&nobody, URL).unwrap_err().code, "no_party");
    assert_eq!(house.pause_webhook(&nobody, &post.webhook).unwrap_err().code, "webhook_unknown");
    let client =
        |scope: &str| Reader::client("c-1", "NL0001", crate::identity::Scopes::parse(scope).unwrap());
    assert_eq!(house.webhooks(&client("webhooks.manage")).unwrap().len(), 1);
    assert_eq!(house.webhooks(&client("notifications.read")).unwrap_err().code, "insufficient_scope");
    assert_eq!(house.open_webhook(&trader(), "http://127.0.0.1/").unwrap_err().code, "webhook_inwards");
    house.let_webhooks_reach_private();
    house.open_webhook(&trader(), "http://127.0.0.1/").unwrap();
    for _ in 0..3 {
        house.open_webhook(&trader(), URL).unwrap();
    }
    assert_eq!(house.open_webhook(&trader(), URL).unwrap_err().code, "too_many_webhooks");
    house.remove_webhook(&trader(), &post.webhook).unwrap();
    assert_eq!(house.webhooks(&trader()).unwrap().len(), 4);
    house.open_webhook(&other, URL).unwrap();
    house.webhooks.erase(&|id| id == "NL0001").unwrap();
    assert_eq!((house.webhooks(&trader()).unwrap().len(), house.webhooks(&other).unwrap().len()), (0, 1));
}

#[test]
fn the_houses_own_notifications_are_due_as_they_can_be_fetched() {
    let world = World::with_policies(false);
    world.lodge(&declaration("LRN-BEFORE")).unwrap();
    let (webhook, _) = world.house.open_webhook(&trader(), URL).unwrap();
    let before = world.house.notifications(&trader(), &NotificationsQuery::default()).unwrap();
    let mrn = world.lodge(&declaration("LRN-PUSHED")).unwrap().mrn;
    let query = NotificationsQuery { after: before.next_after, limit: 0 };
    let issued = world.house.notifications(&trader(), &query).unwrap().notifications;
    assert!(!issued.is_empty());
    let none = std::collections::HashSet::new();
    for row in &issued {
        let due = world.house.due_deliveries(&none, 10).unwrap();
        let (_, xml) = world.house.notification(&trader(), &row.id).unwrap();
        assert_eq!((due[0].message.as_str(), due[0].body.as_bytes()), (row.id.as_str(), xml.as_slice()));
        assert!(due[0].body.contains(&mrn), "{}", due[0].body);
        let taken = Outcome { status: Some(204), trouble: None, milliseconds: 3 };
        world.house.record_delivery(&due[0], &taken).unwrap();
    }
    assert_eq!(world.house.due_deliveries(&none, 10).unwrap(), []);
    let (_, sent) = world.house.webhook(&trader(), &webhook.id).unwrap();
    assert_eq!(sent.len(), issued.len());
    assert!(sent.iter().all(|delivery| delivery.mrn == mrn && delivery.fate == Fate::Delivered), "{sent:?}");
}
