//! Webhooks and their deliveries in `webhooks.sqlite`. How far each has come is written after every try: whoever is
//! killed between a try and its record tries again, under the same id. Secrets stand here as they are, for we sign with
//! them; no page, answer, event or export holds them.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::model::{Delivery, DeliveryShown, Fate, Outcome, Webhook, WebhookState};
use super::schedule::next_try;
use crate::error::{Error, Kind};

/// Webhooks of one party.
const WEBHOOKS_PER_PARTY_MAX: u32 = 5;
/// Webhooks of all.
const WEBHOOKS_MAX: u32 = 10_000;
/// Deliveries of one webhook that are remembered.
const DELIVERIES_MAX: u32 = 200;
/// Tests of one webhook that wait.
const TESTS_MAX: u32 = 3;
/// A receiver that answers so does not want any more.
const GONE: u16 = 410;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    CREATE TABLE IF NOT EXISTS webhook (
        id TEXT PRIMARY KEY,
        party TEXT NOT NULL,
        url TEXT NOT NULL,
        secret TEXT NOT NULL,
        earlier_secret TEXT,
        earlier_until_us INTEGER,
        state TEXT NOT NULL,
        position INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        first_try_us INTEGER,
        next_try_us INTEGER,
        made_us INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS webhook_party ON webhook (party, made_us);
    CREATE TABLE IF NOT EXISTS delivery (
        webhook TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
        message TEXT NOT NULL,
        mrn TEXT NOT NULL,
        function_code TEXT NOT NULL,
        issued_us INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        tried_us INTEGER,
        status INTEGER,
        trouble TEXT,
        milliseconds INTEGER,
        fate TEXT NOT NULL,
        test INTEGER NOT NULL,
        PRIMARY KEY (webhook, message)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS delivery_waiting_test ON delivery (webhook) WHERE test AND fate = 'waits';
";

/// The store of webhooks.
#[derive(Debug)]
pub(super) struct Store(Mutex<Connection>);

fn failed(error: &rusqlite::Error) -> Error {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return Error::new(
            Kind::Internal,
            "disk_full",
            "there is no space left for webhooks.sqlite",
            "Free some space on that disk; what was not recorded as delivered is sent again.",
        );
    }
    Error::internal("webhooks_store_failed", error)
}

fn at(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or_default()
}

fn read_webhook(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    let state: String = row.get("state")?;
    let earlier: Option<i64> = row.get("earlier_until_us")?;
    let next: Option<i64> = row.get("next_try_us")?;
    Ok(Webhook {
        id: row.get("id")?,
        party: row.get("party")?,
        url: row.get("url")?,
        state: WebhookState::from_name(&state),
        made_at: at(row.get("made_us")?),
        earlier_secret_until: earlier.map(at),
        tries: row.get("tries")?,
        next_try_at: next.map(at),
    })
}

fn read_delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryShown> {
    let fate: String = row.get("fate")?;
    let tried: Option<i64> = row.get("tried_us")?;
    Ok(DeliveryShown {
        message: row.get("message")?,
        mrn: row.get("mrn")?,
        function_code: row.get("function_code")?,
        issued_at: at(row.get("issued_us")?),
        tries: row.get("tries")?,
        tried_at: tried.map(at),
        status: row.get("status")?,
        trouble: row.get("trouble")?,
        milliseconds: row.get("milliseconds")?,
        fate: Fate::from_name(&fate),
    })
}

/// A webhook to which something may be sent now: where it stands, and the secrets that hold.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) id: String,
    pub(super) party: String,
    pub(super) url: String,
    pub(super) position: u64,
    pub(super) secrets: Vec<String>,
    /// A test that waits, and when it was asked for.
    pub(super) test: Option<(String, Timestamp)>,
}

fn read_ready(row: &Row<'_>, now: i64) -> rusqlite::Result<Ready> {
    let earlier: Option<String> = row.get("earlier_secret")?;
    let until: Option<i64> = row.get("earlier_until_us")?;
    let earlier = earlier.filter(|_| until.is_some_and(|until| now < until));
    let message: Option<String> = row.get("message")?;
    let asked: Option<i64> = row.get("issued_us")?;
    Ok(Ready {
        id: row.get("id")?,
        party: row.get("party")?,
        url: row.get("url")?,
        position: row.get("position")?,
        secrets: [row.get("secret")?].into_iter().chain(earlier).collect(),
        test: message.zip(asked.map(at)),
    })
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path).map_err(|error| failed(&error))?;
        connection.execute_batch(SCHEMA).map_err(|error| failed(&error))?;
        Ok(Self(Mutex::new(connection)))
    }

    fn ask<T>(&self, question: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut connection: MutexGuard<'_, Connection> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner);
        question(&mut connection).map_err(|error| failed(&error))
    }

    /// Keeps a new webhook, which begins behind a position.
    pub(super) fn add(&self, webhook: &Webhook, secret: &str, position: u64) -> Result<(), Error> {
        let added = self.ask(|connection| {
            connection.execute(
                "INSERT INTO webhook (id, party, url, secret, state, position, made_us)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
                 WHERE (SELECT count(*) FROM webhook WHERE party = ?2) < ?8
                 AND (SELECT count(*) FROM webhook) < ?9",
                params![
                    webhook.id,
                    webhook.party,
                    webhook.url,
                    secret,
                    webhook.state.name(),
                    position,
                    webhook.made_at.as_microsecond(),
                    WEBHOOKS_PER_PARTY_MAX,
                    WEBHOOKS_MAX
                ],
            )
        })?;
        if added > 0 {
            return Ok(());
        }
        Err(Error::new(
            Kind::Refused,
            "too_many_webhooks",
            format!("the party has {WEBHOOKS_PER_PARTY_MAX} webhooks already, or this server {WEBHOOKS_MAX}"),
            "Remove one that is not used any more.",
        ))
    }

    /// Webhooks of a party, the latest first.
    pub(super) fn of_party(&self, party: &str) -> Result<Vec<Webhook>, Error> {
        self.ask(|connection| {
            connection
                .prepare_cached("SELECT * FROM webhook WHERE party = ?1 ORDER BY made_us DESC, rowid DESC")?
                .query_map([party], read_webhook)?
                .collect()
        })
    }

    /// One webhook of a party.
    pub(super) fn find(&self, party: &str, id: &str) -> Result<Option<Webhook>, Error> {
        self.ask(|connection| {
            connection
                .prepare_cached("SELECT * FROM webhook WHERE party = ?1 AND id = ?2")?
                .query_row([party, id], read_webhook)
                .optional()
        })
    }

    /// What was sent to a webhook, the latest first.
    pub(super) fn deliveries(&self, webhook: &str) -> Result<Vec<DeliveryShown>, Error> {
        self.ask(|connection| {
            connection
                .prepare_cached("SELECT * FROM delivery WHERE webhook = ?1 ORDER BY rowid DESC LIMIT ?2")?
                .query_map(params![webhook, DELIVERIES_MAX], read_delivery)?
                .collect()
        })
    }

    /// Stops a webhook, or lets it go on at once.
    pub(super) fn set_state(&self, webhook: &str, state: WebhookState) -> Result<(), Error> {
        self.ask(|connection| {
            connection
                .execute(
                    "UPDATE webhook SET state = ?2, first_try_us = NULL, next_try_us = NULL, tries = 0 WHERE id = ?1",
                    [webhook, state.name()],
                )
                .map(|_| ())
        })
    }

    /// Puts another secret in the place of the one in use, which holds until a moment.
    pub(super) fn change_secret(&self, webhook: &str, secret: &str, until: Timestamp) -> Result<(), Error> {
        self.ask(|connection| {
            connection
                .execute(
                    "UPDATE webhook SET earlier_secret = secret, earlier_until_us = ?3, secret = ?2 WHERE id = ?1",
                    params![webhook, secret, until.as_microsecond()],
                )
                .map(|_| ())
        })
    }

    pub(super) fn remove(&self, webhook: &str) -> Result<(), Error> {
        self.ask(|connection| connection.execute("DELETE FROM webhook WHERE id = ?1", [webhook]).map(|_| ()))
    }

    /// Keeps a test to be sent; `false` where some wait already.
    pub(super) fn add_test(&self, webhook: &str, message: &str, now: Timestamp) -> Result<bool, Error> {
        self.ask(|connection| {
            let added = connection.execute(
                "INSERT INTO delivery (webhook, message, mrn, function_code, issued_us, tries, fate, test)
                 SELECT ?1, ?2, '', '', ?3, 0, 'waits', 1
                 WHERE (SELECT count(*) FROM delivery WHERE webhook = ?1 AND test AND fate = 'waits') < ?4",
                params![webhook, message, now.as_microsecond(), TESTS_MAX],
            )?;
            Ok(added > 0)
        })
    }

    /// Webhooks to which something may be sent now, those that waited longest first: with a test, or active and not
    /// between two tries.
    pub(super) fn ready(&self, now: Timestamp) -> Result<Vec<Ready>, Error> {
        let now = now.as_microsecond();
        self.ask(|connection| {
            connection
                .prepare_cached(
                    "SELECT webhook.*, test.message, test.issued_us FROM webhook
                     LEFT JOIN (SELECT webhook, min(message) AS message, issued_us FROM delivery
                                WHERE test AND fate = 'waits' GROUP BY webhook) AS test
                     ON test.webhook = webhook.id
                     WHERE test.message IS NOT NULL
                     OR (state = 'active' AND (next_try_us IS NULL OR next_try_us <= ?1))
                     ORDER BY next_try_us, webhook.rowid",
                )?
                .query_map([now], |row| read_ready(row, now))?
                .collect()
        })
    }

    /// A webhook whether something may be sent to it now or not, without its tests.
    pub(super) fn standing(&self, webhook: &str) -> Result<Option<Ready>, Error> {
        self.ask(|connection| {
            connection
                .prepare_cached(
                    "SELECT webhook.*, NULL AS message, NULL AS issued_us FROM webhook WHERE id = ?1",
                )?
                .query_row([webhook], |row| read_ready(row, 0))
                .optional()
        })
    }

    /// Writes down what came of a try.
    pub(super) fn record(&self, delivery: &Delivery, outcome: &Outcome, now: Timestamp) -> Result<(), Error> {
        self.ask(|connection| {
            let transaction = connection.transaction()?;
            let standing = transaction
                .query_row(
                    "SELECT tries, first_try_us, position FROM webhook WHERE id = ?1",
                    [&delivery.webhook],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            // It may have been removed meanwhile, or another process was faster.
            let Some((tries, first, position)) = standing else { return Ok(()) };
            if delivery.test {
                let fate = if outcome.trouble.is_none() { Fate::Delivered } else { Fate::Failed };
                note(&transaction, delivery, outcome, fate, now)?;
            } else if delivery.position > position {
                move_on(&transaction, delivery, outcome, (tries, first), now)?;
            }
            trim(&transaction, &delivery.webhook)?;
            transaction.commit()
        })
    }

    /// Goes on without the notification that is next.
    pub(super) fn skip(&self, delivery: &Delivery) -> Result<(), Error> {
        self.ask(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute(
                "UPDATE webhook SET position = ?2, tries = 0, first_try_us = NULL, next_try_us = NULL
                 WHERE id = ?1 AND position < ?2",
                params![delivery.webhook, delivery.position],
            )?;
            transaction.execute(
                "INSERT INTO delivery (webhook, message, mrn, function_code, issued_us, tries, fate, test)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0, 'skipped', 0)
                 ON CONFLICT (webhook, message) DO UPDATE SET fate = 'skipped'",
                params![
                    delivery.webhook,
                    delivery.message,
                    delivery.mrn,
                    delivery.function_code,
                    delivery.issued_at.as_microsecond()
                ],
            )?;
            transaction.commit()
        })
    }

    /// Destroys webhooks of parties that are erased, and what is remembered of declarations that are. Nothing of them
    /// is left in the file.
    pub(super) fn erase(&self, is: &dyn Fn(&str) -> bool) -> Result<(), Error> {
        self.ask(|connection| {
            let mut gone = 0_usize;
            for (question, statement) in [
                ("SELECT DISTINCT party FROM webhook", "DELETE FROM webhook WHERE party = ?1"),
                ("SELECT DISTINCT mrn FROM delivery", "DELETE FROM delivery WHERE mrn = ?1"),
            ] {
                let all: Vec<String> = connection
                    .prepare(question)?
                    .query_map([], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                for own in all.iter().filter(|own| is(own)) {
                    gone = gone.saturating_add(connection.execute(statement, [own])?);
                }
            }
            if gone > 0 {
                connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
            }
            Ok(())
        })
    }
}

/// The webhook after a try of its next notification.
fn move_on(
    transaction: &Transaction<'_>,
    delivery: &Delivery,
    outcome: &Outcome,
    (tries, first): (u32, Option<i64>),
    now: Timestamp,
) -> rusqlite::Result<()> {
    let tries = tries.saturating_add(1);
    let first = first.map_or(now, at);
    if outcome.trouble.is_none() {
        transaction.execute(
            "UPDATE webhook SET position = ?2, tries = 0, first_try_us = NULL, next_try_us = NULL WHERE id = ?1",
            params![delivery.webhook, delivery.position],
        )?;
        return note(transaction, delivery, outcome, Fate::Delivered, now);
    }
    let next = if outcome.status == Some(GONE) { None } else { next_try(tries, first, now) };
    transaction.execute(
        "UPDATE webhook SET tries = ?2, first_try_us = ?3, next_try_us = ?4,
         state = CASE WHEN ?4 IS NULL AND state = 'active' THEN 'given_up' ELSE state END WHERE id = ?1",
        params![delivery.webhook, tries, first.as_microsecond(), next.map(Timestamp::as_microsecond)],
    )?;
    note(transaction, delivery, outcome, Fate::Waits, now)
}

fn note(
    transaction: &Transaction<'_>,
    delivery: &Delivery,
    outcome: &Outcome,
    fate: Fate,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .execute(
            "INSERT INTO delivery (webhook, message, mrn, function_code, issued_us, tries, tried_us, status, trouble,
                                   milliseconds, fate, test)
             VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (webhook, message) DO UPDATE SET tries = delivery.tries + 1, tried_us = excluded.tried_us,
             status = excluded.status, trouble = excluded.trouble, milliseconds = excluded.milliseconds,
             fate = excluded.fate",
            params![
                delivery.webhook,
                delivery.message,
                delivery.mrn,
                delivery.function_code,
                delivery.issued_at.as_microsecond(),
                now.as_microsecond(),
                outcome.status,
                outcome.trouble.map(|trouble| trouble.name()),
                outcome.milliseconds,
                fate.name(),
                delivery.test
            ],
        )
        .map(|_| ())
}

fn trim(transaction: &Transaction<'_>, webhook: &str) -> rusqlite::Result<()> {
    transaction
        .execute(
            "DELETE FROM delivery WHERE rowid IN (SELECT rowid FROM delivery WHERE webhook = ?1
             ORDER BY rowid DESC LIMIT -1 OFFSET ?2)",
            params![webhook, DELIVERIES_MAX],
        )
        .map(|_| ())
}
