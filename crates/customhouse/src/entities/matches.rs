//! What the register says of entities: candidates, entries, who shares what, hits on lists.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::tags::entities::Evidence;
use rusqlite::{Connection, OptionalExtension, Row, params};
use spine::{Progress, Silent};

use super::event::{DecisionState, EntityDecision};
use super::index::{decisions_in, decisions_on};
use super::model::{
    ListHit, MatchRow, MatchesPage, MatchesQuery, RegisterEntry, RegisterFileReceived, Shared, SharedBy,
};
use super::store::Received;
use crate::Customhouse;
use crate::error::Error;
use crate::identity::{Permission, Reader};

/// Rows of a page of candidates.
const PAGE_ROWS: usize = 50;
/// Candidates that are looked through.
const CANDIDATES_MAX: usize = 100_000;
/// Decisions that are looked through.
pub(super) const DECISIONS_MAX: usize = 100_000;
/// Parties named that share one thing.
const SHARERS_SHOWN: usize = 12;
/// Hits on lists shown.
const HITS_SHOWN: usize = 20;
/// Files of registers listed.
const FILES_MAX: usize = 1_000;
/// How long a question waits until pages reflect what was recorded.
const SHOWN_WAIT: Duration = Duration::from_secs(2);

const PARTY: &str = "id, kind, role, name, address, phone, owner, entered_on, closed_on, trusted, simulated";

fn entry(row: &Row<'_>) -> rusqlite::Result<RegisterEntry> {
    Ok(RegisterEntry {
        id: row.get(0)?,
        kind: row.get(1)?,
        role: row.get(2)?,
        name: row.get(3)?,
        address: row.get(4)?,
        phone: row.get(5)?,
        owner: row.get(6)?,
        entered_on: row.get(7)?,
        closed_on: row.get(8)?,
        trusted: row.get(9)?,
        simulated: row.get(10)?,
        declarations: 0,
    })
}

impl Customhouse {
    /// Pairs that may be one, the highest score first; or decisions in a state.
    ///
    /// # Errors
    /// Those of reading the register's files.
    pub fn find_matches(&self, reader: &Reader, query: &MatchesQuery) -> Result<MatchesPage, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let (mut rows, total) = match DecisionState::from_name(query.state.trim()) {
            Some(state) => self.decided_page(state, query)?,
            None => self.open_page(query)?,
        };
        self.count_declarations(rows.iter_mut().flat_map(|row| [&mut row.left, &mut row.right]))?;
        for row in &mut rows {
            row.takes_two = self.takes_two(&[&row.left.id, &row.right.id])?;
        }
        let (parties, simulated) = self.ask_register(|connection| {
            connection.query_row("SELECT count(*), coalesce(max(simulated), 0) FROM party", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })?;
        let waiting = self.projection.read(|connection| {
            connection
                .prepare_cached("SELECT count(*) FROM entity_decision WHERE state IN ('merge_proposed', 'split_proposed')")?
                .query_row([], |row| row.get(0))
        })?;
        Ok(MatchesPage { rows, total, parties, waiting, simulated })
    }

    /// Files of registers and lists that were received, the latest first.
    pub fn register_files(&self, reader: &Reader) -> Result<Vec<RegisterFileReceived>, Error> {
        reader.require(Permission::ViewDeclarations)?;
        self.projection.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT list, at, lines, left_out, simulated, by FROM register ORDER BY position DESC LIMIT ?1",
                )?
                .query_map([FILES_MAX], |row| {
                    Ok(RegisterFileReceived {
                        list: row.get(0)?,
                        at: jiff::Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
                        lines: row.get(2)?,
                        left_out: row.get(3)?,
                        simulated: row.get(4)?,
                        by: row.get(5)?,
                    })
                })?
                .collect()
        })
    }

    /// Candidates that nobody decided on.
    fn open_page(&self, query: &MatchesQuery) -> Result<(Vec<MatchRow>, u64), Error> {
        let decided = self.decided_pairs()?;
        let groups: BTreeMap<String, String> = self.projection.read(|connection| {
            connection
                .prepare_cached("SELECT id, leader FROM entity_group")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        let one =
            |left: &str, right: &str| groups.get(left).is_some_and(|own| groups.get(right) == Some(own));
        let (q, kind) = (query.q.trim(), query.kind.trim());
        self.ask_register(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT one, other FROM candidate
                 WHERE (?1 = '' OR instr(kinds, ' ' || ?1 || ' ') > 0) AND (?2 = 0 OR closed = 1)
                 AND (?3 = '' OR one = ?3 OR other = ?3
                      OR one IN (SELECT id FROM party WHERE instr(lower(name), lower(?3)) > 0)
                      OR other IN (SELECT id FROM party WHERE instr(lower(name), lower(?3)) > 0))
                 ORDER BY score DESC, one, other LIMIT ?4",
            )?;
            let pairs = statement.query_map(params![kind, query.closed, q, CANDIDATES_MAX], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            let open: Vec<(String, String)> = pairs
                .filter(|pair| {
                    pair.as_ref().map_or(true, |(left, right): &(String, String)| {
                        !decided.contains(&(left.clone(), right.clone())) && !one(left, right)
                    })
                })
                .collect::<Result<_, _>>()?;
            let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
            let rows = open
                .iter()
                .skip(skip)
                .take(PAGE_ROWS)
                .map(|(left, right)| candidate(connection, left, right));
            Ok((rows.collect::<Result<Vec<_>, _>>()?, u64::try_from(open.len()).unwrap_or(u64::MAX)))
        })
    }

    fn decided_page(
        &self,
        state: DecisionState,
        query: &MatchesQuery,
    ) -> Result<(Vec<MatchRow>, u64), Error> {
        let q = query.q.trim();
        let all = self.projection.read(|connection| decisions_in(connection, state, DECISIONS_MAX))?;
        let found: Vec<EntityDecision> =
            all.into_iter().filter(|own| q.is_empty() || own.entity == q || own.into == q).collect();
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let rows = self.ask_register(|connection| {
            let shown = found.into_iter().skip(skip).take(PAGE_ROWS).map(|own| {
                let weights = own.evidence.iter().map(|own| own.weight);
                Ok(MatchRow {
                    left: entry_of(connection, &own.entity)?,
                    right: entry_of(connection, &own.into)?,
                    score: weights.max().unwrap_or(0),
                    evidence: own.evidence.clone(),
                    decision: Some(own),
                    takes_two: false,
                })
            });
            shown.collect::<Result<Vec<_>, _>>()
        })?;
        Ok((rows, total))
    }

    /// Pairs on which a decision stands or waits, in either order.
    fn decided_pairs(&self) -> Result<BTreeSet<(String, String)>, Error> {
        self.projection.read(|connection| {
            let mut pairs = BTreeSet::new();
            let mut statement = connection.prepare_cached(
                "SELECT entity, other FROM entity_decision
                 WHERE state IN ('merge_proposed', 'merged', 'split_proposed', 'apart') LIMIT ?1",
            )?;
            let mut rows = statement.query([DECISIONS_MAX])?;
            while let Some(row) = rows.next()? {
                let (one, other): (String, String) = (row.get(0)?, row.get(1)?);
                pairs.insert((one.clone(), other.clone()));
                pairs.insert((other, one));
            }
            Ok(pairs)
        })
    }

    fn count_declarations<'a>(
        &self,
        entries: impl Iterator<Item = &'a mut RegisterEntry>,
    ) -> Result<(), Error> {
        self.projection.read(|connection| {
            let mut ask = connection
                .prepare_cached("SELECT coalesce(sum(declarations), 0) FROM entity WHERE id = ?1")?;
            for entry in entries {
                entry.declarations = ask.query_row([&entry.id], |row| row.get(0))?;
            }
            Ok(())
        })
    }

    /// What speaks for two entities being one, as the register has it now.
    pub(super) fn evidence_of(&self, one: &str, other: &str) -> Result<Vec<Evidence>, Error> {
        let (left, right) = if one <= other { (one, other) } else { (other, one) };
        self.ask_register(|connection| Ok(candidate(connection, left, right)?.evidence))
    }

    /// Is there a declaration or a line of the register of this entity?
    pub(super) fn is_known_entity(&self, id: &str) -> Result<bool, Error> {
        let declares = self.projection.read(|connection| {
            connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM entity WHERE id = ?1)")?
                .query_row([id], |row| row.get::<_, bool>(0))
        })?;
        Ok(declares || self.register_entry(id)?.is_some())
    }

    /// The register's line of an entity.
    pub(super) fn register_entry(&self, id: &str) -> Result<Option<RegisterEntry>, Error> {
        let mut found = self.ask_register(|connection| {
            connection
                .prepare_cached(&format!("SELECT {PARTY} FROM party WHERE id = ?1"))?
                .query_row([id], entry)
                .optional()
        })?;
        self.count_declarations(found.iter_mut())?;
        Ok(found)
    }

    /// Ids of parties whose name has this in it, in order, at most `most`, as the register stands; nobody where nothing
    /// is asked.
    pub(super) fn parties_named(&self, part: &str, most: usize) -> Vec<String> {
        if part.is_empty() {
            return Vec::new();
        }
        self.ask_standing(|connection| {
            connection
                .prepare_cached(
                    "SELECT id FROM party WHERE instr(lower(name), lower(?1)) > 0 ORDER BY id LIMIT ?2",
                )?
                .query_map(params![part, most], |row| row.get(0))?
                .collect()
        })
    }

    /// Names of some of the register's parties, by id, as it stands.
    pub(super) fn names_of<'a>(&self, ids: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
        self.ask_standing(|connection| {
            let mut ask = connection.prepare_cached("SELECT name FROM party WHERE id = ?1")?;
            let mut names = BTreeMap::new();
            for id in ids {
                if let Some(name) = ask.query_row([id], |row| row.get(0)).optional()? {
                    names.insert(id.to_owned(), name);
                }
            }
            Ok(names)
        })
    }

    /// Who shares address, telephone number or owner with an entity.
    pub(super) fn sharers(&self, id: &str) -> Result<Vec<Shared>, Error> {
        let mut shared = self.ask_register(|connection| {
            let mut shared = Vec::new();
            for (by, key, written) in [
                (SharedBy::Owner, "owner_key", "owner"),
                (SharedBy::Phone, "phone_key", "phone"),
                (SharedBy::Address, "address_key", "address"),
            ] {
                shared.extend(sharers(connection, id, by, key, written)?);
            }
            Ok(shared)
        })?;
        self.count_declarations(shared.iter_mut().flat_map(|own| own.parties.iter_mut()))?;
        Ok(shared)
    }

    /// Names of lists like the entity's own.
    pub(super) fn hits_on_lists(&self, id: &str) -> Result<Vec<ListHit>, Error> {
        self.ask_register(|connection| {
            connection
                .prepare_cached(
                    "SELECT list, entry, own, listed, score FROM listed WHERE id = ?1
                     ORDER BY score DESC, list, entry LIMIT ?2",
                )?
                .query_map(params![id, HITS_SHOWN], |row| {
                    Ok(ListHit {
                        list: row.get(0)?,
                        entry: row.get(1)?,
                        own: row.get(2)?,
                        listed: row.get(3)?,
                        score: row.get(4)?,
                    })
                })?
                .collect()
        })
    }

    /// How many candidates of an entity nobody decided on.
    pub(super) fn candidates_of(&self, id: &str) -> Result<u64, Error> {
        let partners: Vec<String> = self.ask_register(|connection| {
            connection
                .prepare_cached(
                    "SELECT other FROM candidate WHERE one = ?1 UNION SELECT one FROM candidate WHERE other = ?1",
                )?
                .query_map([id], |row| row.get(0))?
                .collect()
        })?;
        let decisions = self.decisions_of(id, DECISIONS_MAX)?;
        let members = self.projection.read(|connection| super::index::members(connection, id))?;
        let settled = |own: &EntityDecision| {
            own.state.joins() || own.state.waits() || own.state == DecisionState::Apart
        };
        let decided: BTreeSet<&String> =
            decisions.iter().filter(|own| settled(own)).flat_map(|own| [&own.entity, &own.into]).collect();
        let open = partners.iter().filter(|partner| !decided.contains(partner) && !members.contains(partner));
        Ok(u64::try_from(open.count()).unwrap_or(u64::MAX))
    }

    /// Decisions that name an entity, the latest first.
    pub(super) fn decisions_of(&self, id: &str, most: usize) -> Result<Vec<EntityDecision>, Error> {
        self.projection.read(|connection| decisions_on(connection, id, most))
    }

    /// Asks the register, which is made first where it is missing or old.
    fn ask_register<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        self.reflect_registers(&Silent)?;
        self.registers.read(question)
    }

    /// Asks the register as it stands. Making a large one takes long, which a list does not wait for; and a list
    /// without names serves better than none.
    fn ask_standing<T: Default>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
        let answer =
            self.received_registers().and_then(|files| self.registers.read_standing(&files, question));
        match answer {
            Ok(found) => found.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(code = error.code, "names of the register are left out: {error}");
                T::default()
            }
        }
    }

    /// Has the register made where it is missing or old.
    pub(super) fn reflect_registers(&self, progress: &dyn Progress) -> Result<(), Error> {
        self.registers.reflect(self.journal.as_ref(), &self.received_registers()?, progress)
    }

    /// The files that the register is made from.
    fn received_registers(&self) -> Result<Vec<Received>, Error> {
        // A file of a list takes the place of the one before; those of the register add to each other.
        self.projection.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT position, list, blob, columns FROM register
                     WHERE list IS NULL
                     OR position IN (SELECT max(position) FROM register WHERE list IS NOT NULL GROUP BY list)
                     ORDER BY position",
                )?
                .query_map([], |row| {
                    let columns: String = row.get(3)?;
                    Ok(Received {
                        position: row.get(0)?,
                        list: row.get(1)?,
                        blob: row.get(2)?,
                        columns: serde_json::from_str(&columns).unwrap_or_default(),
                    })
                })?
                .collect()
        })
    }

    /// Has everything computed anew from the files of registers.
    pub fn resolve_entities(&self, reader: &Reader, progress: &dyn Progress) -> Result<u64, Error> {
        reader.require(Permission::AdmitRecords)?;
        let _ = self.wait_until_shown(self.journal_position(), SHOWN_WAIT);
        self.registers.forget()?;
        self.reflect_registers(progress)?;
        self.ask_register(|connection| {
            connection.query_row("SELECT count(*) FROM candidate", [], |row| row.get(0))
        })
    }
}

fn entry_of(connection: &Connection, id: &str) -> rusqlite::Result<RegisterEntry> {
    let found = connection
        .prepare_cached(&format!("SELECT {PARTY} FROM party WHERE id = ?1"))?
        .query_row([id], entry)
        .optional()?;
    Ok(found.unwrap_or_else(|| RegisterEntry { id: id.to_owned(), ..RegisterEntry::default() }))
}

fn candidate(connection: &Connection, left: &str, right: &str) -> rusqlite::Result<MatchRow> {
    let found: Option<(u32, String)> = connection
        .prepare_cached("SELECT score, evidence FROM candidate WHERE one = ?1 AND other = ?2")?
        .query_row([left, right], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (score, evidence) = found.unwrap_or_default();
    Ok(MatchRow {
        left: entry_of(connection, left)?,
        right: entry_of(connection, right)?,
        score,
        evidence: serde_json::from_str(&evidence).unwrap_or_default(),
        decision: None,
        takes_two: false,
    })
}

fn sharers(
    connection: &Connection,
    id: &str,
    by: SharedBy,
    key: &str,
    written: &str,
) -> rusqlite::Result<Option<Shared>> {
    let own: Option<(Option<String>, Option<String>)> = connection
        .prepare_cached(&format!("SELECT {key}, {written} FROM party WHERE id = ?1"))?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((Some(own), Some(value))) = own else { return Ok(None) };
    let parties: Vec<RegisterEntry> = connection
        .prepare_cached(&format!(
            "SELECT {PARTY} FROM party WHERE {key} = ?1 AND id <> ?2 ORDER BY closed_on IS NULL, entered_on, id LIMIT ?3"
        ))?
        .query_map(params![own, id, SHARERS_SHOWN], entry)?
        .collect::<Result<_, _>>()?;
    let total: u64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM party WHERE {key} = ?1 AND id <> ?2"))?
        .query_row([&own, id], |row| row.get(0))?;
    Ok((total > 0).then_some(Shared { by, value, parties, total }))
}
