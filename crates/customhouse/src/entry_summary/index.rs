//! The rows of entry summary declarations in the read model: one for each number, as its stream has left it.

use journal::RecordedEvent;
use rusqlite::{Transaction, params};
use serde::Deserialize;
use serde_json::Value;

use super::model::{
    ACCEPTED, AMENDED, EntryState, INTERVENTION_ORDERED, LODGED, Ordered, REJECTED, Received, STREAM_PREFIX,
};

/// Tables of this room.
pub(crate) const TABLES: &str = "
    CREATE TABLE entry_summary (
        mrn TEXT PRIMARY KEY,
        lrn TEXT, person TEXT, representative TEXT, carrier TEXT,
        office TEXT, arrival TEXT, mode TEXT, items INTEGER NOT NULL,
        state TEXT NOT NULL, came_at INTEGER NOT NULL, registered_at INTEGER, amendments INTEGER NOT NULL,
        intervention_at INTEGER, intervention_code TEXT, intervention_text TEXT
    ) STRICT;
    CREATE INDEX entry_summary_lrn ON entry_summary (lrn);
    CREATE INDEX entry_summary_person ON entry_summary (person, came_at);
    CREATE INDEX entry_summary_representative ON entry_summary (representative, came_at);
    CREATE INDEX entry_summary_came ON entry_summary (came_at);
    CREATE INDEX entry_summary_registered ON entry_summary (registered_at) WHERE registered_at IS NOT NULL;
    CREATE TABLE entry_summary_party (party TEXT NOT NULL, mrn TEXT NOT NULL,
        PRIMARY KEY (party, mrn)) STRICT, WITHOUT ROWID;
";

/// Lets the rows follow an event. Those of other streams change nothing; what cannot be read is left out.
pub(crate) fn follow(
    transaction: &Transaction<'_>,
    event: &RecordedEvent,
    payload: &Value,
) -> rusqlite::Result<()> {
    let Some(mrn) = event.envelope.stream.strip_prefix(STREAM_PREFIX) else { return Ok(()) };
    let at = event.envelope.occurred_at.as_microsecond();
    match event.envelope.kind.as_str() {
        LODGED => match Received::deserialize(payload) {
            Ok(received) => lodged(transaction, mrn, &received, at),
            Err(_) => Ok(()),
        },
        ACCEPTED => transaction
            .prepare_cached("UPDATE entry_summary SET state = ?2, registered_at = ?3 WHERE mrn = ?1")?
            .execute(params![mrn, EntryState::Accepted.name(), at])
            .map(drop),
        REJECTED => transaction
            .prepare_cached("UPDATE entry_summary SET state = ?2 WHERE mrn = ?1")?
            .execute(params![mrn, EntryState::Rejected.name()])
            .map(drop),
        AMENDED => match Received::deserialize(payload) {
            Ok(received) => amended(transaction, mrn, &received),
            Err(_) => Ok(()),
        },
        INTERVENTION_ORDERED => match Ordered::deserialize(payload) {
            Ok(ordered) => transaction
                .prepare_cached(
                    "UPDATE entry_summary SET state = ?2, intervention_at = ?3, intervention_code = ?4,
                     intervention_text = ?5 WHERE mrn = ?1",
                )?
                .execute(params![mrn, EntryState::Stopped.name(), at, ordered.code, ordered.text])
                .map(drop),
            Err(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

fn lodged(transaction: &Transaction<'_>, mrn: &str, received: &Received, at: i64) -> rusqlite::Result<()> {
    let own = &received.summary;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO entry_summary
             (mrn, lrn, person, representative, carrier, office, arrival, mode, items, state, came_at, amendments)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)",
        )?
        .execute(params![
            mrn,
            own.lrn,
            own.lodging_person,
            own.representative,
            own.carrier,
            own.first_entry_office,
            own.expected_arrival,
            own.transport_mode,
            own.items,
            EntryState::Rejected.name(),
            at,
        ])?;
    parties(transaction, mrn, received)
}

fn amended(transaction: &Transaction<'_>, mrn: &str, received: &Received) -> rusqlite::Result<()> {
    let own = &received.summary;
    transaction
        .prepare_cached(
            "UPDATE entry_summary SET person = ?2, representative = ?3, carrier = ?4, office = ?5, arrival = ?6,
             mode = ?7, items = ?8, amendments = amendments + 1 WHERE mrn = ?1",
        )?
        .execute(params![
            mrn,
            own.lodging_person,
            own.representative,
            own.carrier,
            own.first_entry_office,
            own.expected_arrival,
            own.transport_mode,
            own.items,
        ])?;
    parties(transaction, mrn, received)
}

/// Everybody that the message in force names.
fn parties(transaction: &Transaction<'_>, mrn: &str, received: &Received) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM entry_summary_party WHERE mrn = ?1")?.execute([mrn])?;
    let mut party = transaction
        .prepare_cached("INSERT OR IGNORE INTO entry_summary_party (party, mrn) VALUES (?1, ?2)")?;
    for own in received.summary.parties.iter().chain(Some(&received.party)) {
        party.execute(params![own, mrn])?;
    }
    Ok(())
}
