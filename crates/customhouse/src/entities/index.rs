//! Rows of registers, decisions and groups in the read model. Groups follow from the merges that stand, and from nothing
//! else: whatever the order of merges and splits, they are as if made from scratch.

use std::collections::BTreeSet;

use ::tags::entities::groups;
use jiff::Timestamp;
use journal::RecordedEvent;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Deserialize;
use serde_json::Value;

use super::event::{
    DECISION_PREFIX, DecisionState, EntityDecision, REGISTER_RECEIVED, RegisterReceived, fold,
};

/// Tables of this room.
pub(crate) const TABLES: &str = "
    CREATE TABLE register (
        position INTEGER PRIMARY KEY, at INTEGER NOT NULL, list TEXT, blob TEXT NOT NULL, columns TEXT NOT NULL,
        lines INTEGER NOT NULL, left_out INTEGER NOT NULL, simulated INTEGER NOT NULL, by TEXT NOT NULL
    ) STRICT;
    CREATE TABLE entity_decision (
        id TEXT PRIMARY KEY, entity TEXT NOT NULL, other TEXT NOT NULL, state TEXT NOT NULL,
        evidence TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL, version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX entity_decision_entity ON entity_decision (entity);
    CREATE INDEX entity_decision_other ON entity_decision (other);
    CREATE INDEX entity_decision_state ON entity_decision (state, at);
    CREATE TABLE entity_group (id TEXT PRIMARY KEY, leader TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX entity_group_leader ON entity_group (leader);
    CREATE TABLE entity_decided (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL) STRICT;
";

/// Everybody who is one with the entity `?1`, itself among them: a table for queries.
pub(crate) const MEMBERS: &str = "WITH member (id) AS (
    SELECT ?1 UNION SELECT other.id FROM entity_group AS own JOIN entity_group AS other ON other.leader = own.leader
    WHERE own.id = ?1)";

const COLUMNS: &str = "id, entity, other, state, evidence, reason, by, at, version";

/// Lets the rows follow an event. Those of other streams change nothing; what cannot be read is left out.
pub(crate) fn follow(
    transaction: &Transaction<'_>,
    event: &RecordedEvent,
    payload: &Value,
) -> rusqlite::Result<()> {
    if event.envelope.kind == REGISTER_RECEIVED {
        return match RegisterReceived::deserialize(payload) {
            Ok(received) => file_received(transaction, event, &received),
            Err(_) => Ok(()),
        };
    }
    let Some(id) = event.envelope.stream.strip_prefix(DECISION_PREFIX) else { return Ok(()) };
    let Some(decision) = fold(decision(transaction, id)?, id, event, payload) else { return Ok(()) };
    transaction
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO entity_decision ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        ))?
        .execute(params![
            decision.id,
            decision.entity,
            decision.into,
            decision.state.name(),
            serde_json::to_string(&decision.evidence).unwrap_or_default(),
            decision.reason,
            decision.by,
            decision.at.as_microsecond(),
            decision.version,
        ])?;
    regroup(transaction, &decision)
}

/// Notes where the last event on a decision stands, whatever became of its payload.
pub(crate) fn note_decided(transaction: &Transaction<'_>, event: &RecordedEvent) -> rusqlite::Result<()> {
    if !event.envelope.stream.starts_with(DECISION_PREFIX) {
        return Ok(());
    }
    transaction
        .prepare_cached("INSERT OR REPLACE INTO entity_decided (one, position) VALUES (1, ?1)")?
        .execute([event.position])
        .map(drop)
}

/// Position of the last event on a decision; 0: there is none.
pub(super) fn last_decided(connection: &Connection) -> rusqlite::Result<u64> {
    let found = connection
        .prepare_cached("SELECT position FROM entity_decided")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

fn file_received(
    transaction: &Transaction<'_>,
    event: &RecordedEvent,
    received: &RegisterReceived,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO register (position, at, list, blob, columns, lines, left_out, simulated, by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            event.position,
            event.envelope.occurred_at.as_microsecond(),
            received.list,
            received.blob,
            serde_json::to_string(&received.columns).unwrap_or_default(),
            received.lines,
            received.left_out,
            received.simulated,
            event.envelope.actor.id,
        ])
        .map(drop)
}

/// Groups of everybody whom a decision touches are made anew; the rest stay.
fn regroup(transaction: &Transaction<'_>, decision: &EntityDecision) -> rusqlite::Result<()> {
    let mut touched: BTreeSet<String> = BTreeSet::new();
    for id in [&decision.entity, &decision.into] {
        touched.extend(members(transaction, id)?);
    }
    let mut merges: BTreeSet<(String, String)> = BTreeSet::new();
    let mut standing = transaction.prepare_cached(
        "SELECT entity, other FROM entity_decision
         WHERE (entity = ?1 OR other = ?1) AND state IN ('merged', 'split_proposed')",
    )?;
    for id in &touched {
        let found = standing.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        merges.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    let mut remove = transaction.prepare_cached("DELETE FROM entity_group WHERE id = ?1")?;
    for id in &touched {
        remove.execute([id])?;
    }
    let made = groups(merges.iter().map(|(one, other)| (one.as_str(), other.as_str())));
    let mut insert =
        transaction.prepare_cached("INSERT OR REPLACE INTO entity_group (id, leader) VALUES (?1, ?2)")?;
    for (id, leader) in made.iter() {
        insert.execute([id, leader])?;
    }
    Ok(())
}

/// Everybody who is one with an entity, itself among them, in order.
pub(crate) fn members(connection: &Connection, id: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached(&format!("{MEMBERS} SELECT id FROM member ORDER BY id"))?
        .query_map([id], |row| row.get(0))?
        .collect()
}

/// A decision as it stands.
pub(super) fn decision(connection: &Connection, id: &str) -> rusqlite::Result<Option<EntityDecision>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM entity_decision WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// Decisions that name an entity, the latest first.
pub(super) fn decisions_on(
    connection: &Connection,
    id: &str,
    most: usize,
) -> rusqlite::Result<Vec<EntityDecision>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM entity_decision WHERE entity = ?1 OR other = ?1 ORDER BY at DESC, id LIMIT ?2"
        ))?
        .query_map(params![id, most], read)?
        .collect()
}

/// Decisions in a state, the latest first.
pub(super) fn decisions_in(
    connection: &Connection,
    state: DecisionState,
    most: usize,
) -> rusqlite::Result<Vec<EntityDecision>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM entity_decision WHERE state = ?1 ORDER BY at DESC, id LIMIT ?2"
        ))?
        .query_map(params![state.name(), most], read)?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<EntityDecision> {
    let (state, evidence): (String, String) = (row.get(3)?, row.get(4)?);
    Ok(EntityDecision {
        id: row.get(0)?,
        entity: row.get(1)?,
        into: row.get(2)?,
        state: DecisionState::from_name(&state).unwrap_or(DecisionState::Withdrawn),
        evidence: serde_json::from_str(&evidence).unwrap_or_default(),
        reason: row.get(5)?,
        by: row.get(6)?,
        at: Timestamp::from_microsecond(row.get(7)?).unwrap_or_default(),
        version: row.get(8)?,
    })
}
