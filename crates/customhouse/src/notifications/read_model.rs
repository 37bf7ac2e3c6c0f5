//! The list of notifications: kept with the read model of declarations, written again from their events.

use std::collections::{BTreeMap, BTreeSet};

use clearance::{Case, Event};
use formats::notification::{self, FunctionCode, Notification};
use jiff::Timestamp;
use journal::RecordedEvent;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use sha2::{Digest, Sha256};

use super::compose;
use super::model::{NotificationRow, NotificationsPage, NotificationsQuery, PAGE_MAX};
use super::said::{answered, said};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Its table.
pub(crate) const TABLE: &str = "
    CREATE TABLE notification (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, mrn TEXT NOT NULL, party TEXT NOT NULL,
        reference TEXT NOT NULL, code TEXT NOT NULL, status TEXT, issued_at INTEGER NOT NULL) STRICT;
    CREATE INDEX notification_id ON notification (id);
    CREATE INDEX notification_party ON notification (party, sequence);
    CREATE INDEX notification_mrn ON notification (mrn, sequence);
";

/// Notifications of one event at most: its position and this make the sequence number.
const PER_EVENT: u64 = 8;
/// Bytes of the id's hash.
const ID_BYTES: usize = 16;
/// Events of one declaration that are read for its notifications.
const EVENTS_MAX: usize = 20_000;

/// The id of an event's notification. It tells nothing of how many events there are.
pub(super) fn id_of(event: &str, ordinal: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(event);
    hash.update(ordinal.to_be_bytes());
    hash.finalize().iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Lists what an event says. `reference` is that of the declaration; what answers a message has that of the message.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    event: &RecordedEvent,
    moved: &Event,
    after: &Case,
    (mrn, party, reference): (&str, &str, &str),
) -> rusqlite::Result<()> {
    for (said, ordinal) in said(moved, after).into_iter().zip(0_u64..PER_EVENT) {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO notification (sequence, id, mrn, party, reference, code, status, issued_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                event.position.saturating_mul(PER_EVENT).saturating_add(ordinal),
                id_of(&event.envelope.id, ordinal),
                mrn,
                party,
                answered(said, moved, after).unwrap_or(reference),
                said.code.code(),
                said.status,
                event.envelope.occurred_at.as_microsecond(),
            ])?;
    }
    Ok(())
}

const COLUMNS: &str = "sequence, id, mrn, reference, code, status, issued_at";

fn row(row: &Row<'_>) -> rusqlite::Result<NotificationRow> {
    let code: String = row.get("code")?;
    let title = FunctionCode::from_code(&code).map_or("", FunctionCode::title).to_owned();
    Ok(NotificationRow {
        id: row.get("id")?,
        sequence: row.get("sequence")?,
        mrn: row.get("mrn")?,
        reference: row.get("reference")?,
        function_code: code,
        title,
        status: row.get("status")?,
        issued_at: Timestamp::from_microsecond(row.get("issued_at")?).unwrap_or_default(),
    })
}

fn unknown(id: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "notification_unknown",
        format!("there is no notification \"{}\" for you", id.chars().take(64).collect::<String>()),
        "List your notifications to see which there are.",
    )
}

impl Customhouse {
    /// Notifications of the reader's party after a sequence number, in order.
    pub fn notifications(
        &self,
        reader: &Reader,
        query: &NotificationsQuery,
    ) -> Result<NotificationsPage, Error> {
        reader.require(Permission::ViewOwnNotifications)?;
        let Some(party) = &reader.party else {
            return Ok(NotificationsPage { notifications: Vec::new(), next_after: query.after });
        };
        self.notifications_after(party, query.after, query.limit)
    }

    /// Those of a party; a limit of 0 is the greatest.
    pub(crate) fn notifications_after(
        &self,
        party: &str,
        after: u64,
        limit: usize,
    ) -> Result<NotificationsPage, Error> {
        let limit = if limit == 0 { PAGE_MAX } else { limit.min(PAGE_MAX) };
        let notifications: Vec<NotificationRow> = self.projection.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM notification WHERE party = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
                ))?
                .query_map(params![party, after, limit], row)?
                .collect()
        })?;
        let next_after = notifications.last().map_or(after, |last| last.sequence);
        Ok(NotificationsPage { notifications, next_after })
    }

    /// Sequence number of a party's last notification; 0 where there is none.
    pub(crate) fn last_notification(&self, party: &str) -> Result<u64, Error> {
        self.projection.read(|connection| {
            connection
                .prepare_cached("SELECT coalesce(max(sequence), 0) FROM notification WHERE party = ?1")?
                .query_row([party], |row| row.get(0))
        })
    }

    /// Notifications of one declaration, in order: for its own trader and for officials.
    pub fn notifications_of(&self, reader: &Reader, mrn: &str) -> Result<Vec<NotificationRow>, Error> {
        if !reader.may(Permission::ViewDeclarations) {
            reader.require(Permission::ViewOwnNotifications)?;
            self.own_record(reader, mrn)?;
        }
        self.projection.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM notification WHERE mrn = ?1 ORDER BY sequence LIMIT {EVENTS_MAX}"
                ))?
                .query_map([mrn], row)?
                .collect()
        })
    }

    /// One notification of the reader's party, with its XML.
    pub fn notification(&self, reader: &Reader, id: &str) -> Result<(NotificationRow, Vec<u8>), Error> {
        reader.require(Permission::ViewOwnNotifications)?;
        let party = reader.party.as_deref().ok_or_else(|| unknown(id))?;
        let found = self.projection.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM notification WHERE id = ?1 AND party = ?2"))?
                .query_row([id, party], row)
                .optional()
        })?;
        let found = found.ok_or_else(|| unknown(id))?;
        let written = self.written(std::slice::from_ref(&found))?;
        if written.is_empty() {
            return Err(unknown(id));
        }
        Ok((found, notification::write(&written)))
    }

    /// Notifications in full, in the order of their rows. Those whose declarations were erased are left out. The life
    /// of a declaration is followed once, however many of its notifications are asked for.
    pub(crate) fn written(&self, rows: &[NotificationRow]) -> Result<Vec<Notification>, Error> {
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in rows {
            wanted.entry(&row.mrn).or_default().insert(&row.id);
        }
        let mut found: BTreeMap<String, Notification> = BTreeMap::new();
        for (mrn, ids) in wanted {
            let events = self.journal.read_stream(&crate::declarations::event::stream(mrn), 0, EVENTS_MAX)?;
            let all = compose::all(&events).unwrap_or_default().into_iter().map(|(_, written)| written);
            let asked = all.filter(|written| ids.contains(written.id.as_str()));
            found.extend(asked.map(|written| (written.id.clone(), written)));
        }
        Ok(rows.iter().filter_map(|row| found.remove(&row.id)).collect())
    }
}
