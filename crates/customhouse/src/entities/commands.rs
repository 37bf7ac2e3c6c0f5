//! Receiving registers; merging entities, taking them apart, keeping them apart.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use spine::{Finding, Progress};

use super::event::{
    DECISION_PREFIX, Decided, DecisionState, EntityDecision, KEPT_APART, MERGE_PROPOSED, MERGED,
    REGISTER_ANNOUNCED, REGISTER_RECEIVED, REGISTER_STREAM, RegisterAnnounced, RegisterReceived, SPLIT,
    SPLIT_PROPOSED, WITHDRAWN, fold, stream,
};
use super::index::{decisions_on, last_decided, members};
use super::matches::DECISIONS_MAX;
use super::register::{FILE_BYTES_MAX, read};
use super::store::too_large;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::Job;
use crate::{Customhouse, Fact};

/// From when on it takes two people.
const FOUR_EYES: &str = include_str!("four-eyes.toml");
/// Longest reason.
const REASON_CHARACTERS_MAX: usize = 500;
/// Longest name of a list.
const LIST_CHARACTERS_MAX: usize = 60;
/// How long a command waits until pages show what it did.
const SHOWN_WAIT: Duration = Duration::from_secs(5);
/// How long whoever decides waits until everything is known that was decided before.
const KNOWN_WAIT: Duration = Duration::from_secs(2);
/// How often a decision is made again because another came before it.
const TURNS_MAX: usize = 50;

/// From when on it takes two people, and how large a group may be.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FourEyes {
    declarations: u64,
    value: f64,
    members: usize,
}

impl FourEyes {
    fn built_in() -> Result<Self, Error> {
        toml::from_str(FOUR_EYES).map_err(|error| Error::internal("four_eyes_unreadable", &error.message()))
    }
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RegisterOutcome {
    /// Lines that were understood.
    pub lines: u64,
    /// Lines left out.
    pub left_out: u64,
    /// What is wrong, the first of them.
    pub findings: Vec<Finding>,
}

impl Customhouse {
    /// Receives a file of the register of traders, or of a list that names are screened against, and has candidates
    /// computed. Lines replace earlier ones of the same id; lists are replaced as a whole. `columns`: what ours are
    /// called in the file.
    ///
    /// # Errors
    /// `register_unreadable`, `register_columns`, `register_list`, `too_large`; then nothing was recorded.
    pub fn receive_register(
        &self,
        reader: &Reader,
        bytes: &[u8],
        list: Option<&str>,
        columns: &BTreeMap<String, String>,
        progress: &dyn Progress,
    ) -> Result<RegisterOutcome, Error> {
        reader.require(Permission::AdmitRecords)?;
        let list = list.map(str::trim).filter(|list| !list.is_empty());
        let fits =
            |list: &str| list.chars().count() <= LIST_CHARACTERS_MAX && !list.contains(char::is_control);
        if list.is_some_and(|list| !fits(list)) {
            return Err(Error::new(
                Kind::Invalid,
                "register_list",
                format!(
                    "the list's name has more than {LIST_CHARACTERS_MAX} characters, or signs that do not show"
                ),
                "Give the list a short name.",
            ));
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > FILE_BYTES_MAX {
            return Err(too_large(length));
        }
        progress.report("reading_registers", 0, 1);
        let file = read(bytes, columns)?;
        let outcome = RegisterOutcome {
            lines: u64::try_from(file.lines.len()).unwrap_or(u64::MAX),
            left_out: file.left_out,
            findings: file.findings,
        };
        if outcome.lines == 0 {
            return Err(Error::new(
                Kind::Refused,
                "register_unreadable",
                "no line of the file can be used",
                "Mend the lines that the findings name and send it again. Nothing was recorded.",
            )
            .with_findings(outcome.findings));
        }
        let blob = self.keep_register(reader, bytes)?;
        let received = RegisterReceived {
            list: list.map(str::to_owned),
            blob,
            columns: columns.clone(),
            lines: outcome.lines,
            left_out: outcome.left_out,
            simulated: file.lines.iter().any(|line| line.simulated),
        };
        let payload =
            serde_json::to_value(&received).map_err(|error| Error::internal("unwritable", &error))?;
        let position = self.record(reader, Fact::new(REGISTER_STREAM, REGISTER_RECEIVED, payload))?;
        let _ = self.wait_until_shown(position, SHOWN_WAIT);
        self.reflect_registers(progress)?;
        Ok(outcome)
    }

    /// Keeps a file's bytes, named by an event before they are: whatever ends this in between, an erasure finds them.
    pub(super) fn keep_register(&self, reader: &Reader, bytes: &[u8]) -> Result<String, Error> {
        let blob = hex::encode(Sha256::digest(bytes));
        let payload = serde_json::to_value(RegisterAnnounced { blob })
            .map_err(|error| Error::internal("unwritable", &error))?;
        self.record(reader, Fact::new(REGISTER_STREAM, REGISTER_ANNOUNCED, payload))?;
        Ok(self.journal.put_blob(&mut Cursor::new(bytes))?.sha256)
    }

    /// [`Customhouse::receive_register`] of a file in the background; the job's result is empty.
    ///
    /// # Errors
    /// Those of reading the file; what is wrong with it, the job tells.
    pub fn start_register(
        self: &Arc<Self>,
        reader: &Reader,
        path: &Path,
        list: Option<String>,
    ) -> Result<Arc<Job>, Error> {
        reader.require(Permission::AdmitRecords)?;
        let bytes = file_bytes(path)?;
        let (house, reader) = (Arc::clone(self), reader.clone());
        self.jobs().start("register", move |job| {
            let columns = BTreeMap::new();
            house.receive_register(&reader, &bytes, list.as_deref(), &columns, job).map(|_| String::new())
        })
    }

    /// Says that two entities are one. Where either is large, another person has to approve it.
    ///
    /// # Errors
    /// `reason_missing`, `read_models_behind`, `entity_unknown`, `entities_are_one`, `entities_decided`,
    /// `entity_group_full`, `decisions_in_the_way`.
    pub fn merge_entities(
        &self,
        reader: &Reader,
        entity: &str,
        into: &str,
        reason: &str,
    ) -> Result<EntityDecision, Error> {
        self.in_turn(reader, |turn| {
            let reason = self.decidable(entity, into, reason)?;
            self.joinable(entity, into, None)?;
            let evidence = self.evidence_of(entity, into)?;
            let decided = Decided { entity: entity.to_owned(), into: into.to_owned(), evidence, reason };
            let kind = if self.takes_two(&[entity, into])? { MERGE_PROPOSED } else { MERGED };
            self.decide_anew(turn, kind, &decided)
        })
    }

    /// Says that two entities are not the same: they are not shown as candidates any more.
    ///
    /// # Errors
    /// `reason_missing`, `read_models_behind`, `entity_unknown`, `entities_are_one`, `entities_decided`,
    /// `decisions_in_the_way`.
    pub fn keep_entities_apart(
        &self,
        reader: &Reader,
        entity: &str,
        other: &str,
        reason: &str,
    ) -> Result<EntityDecision, Error> {
        self.in_turn(reader, |turn| {
            let reason = self.decidable(entity, other, reason)?;
            // Only what was decided on these two: others of their groups may be kept apart one by one.
            let pair = |connection: &Connection| {
                decided_between(connection, &[entity.to_owned()], &[other.to_owned()], None)
            };
            if let Some(decided) = self.projection.read(pair)? {
                return Err(already_decided(&decided));
            }
            let evidence = self.evidence_of(entity, other)?;
            let decided = Decided { entity: entity.to_owned(), into: other.to_owned(), evidence, reason };
            self.decide_anew(turn, KEPT_APART, &decided)
        })
    }

    /// Takes two entities apart that were merged. Where either is large, another person has to approve it.
    ///
    /// # Errors
    /// `reason_missing`, `read_models_behind`, `entity_decision_unknown`, `entity_decision_state`,
    /// `decisions_in_the_way`.
    pub fn split_entities(&self, reader: &Reader, id: &str, reason: &str) -> Result<EntityDecision, Error> {
        self.in_turn(reader, |turn| {
            let reason = checked_reason(reason)?;
            let decision = self.find_decision(id)?;
            if decision.state != DecisionState::Merged {
                return Err(wrong_state(&decision));
            }
            let takes_two = self.takes_two(&[&decision.entity, &decision.into])?;
            let kind = if takes_two { SPLIT_PROPOSED } else { SPLIT };
            self.decide_on(turn, &decision, kind, reason)
        })
    }

    /// Approves what another person proposed.
    ///
    /// # Errors
    /// `read_models_behind`, `entity_decision_unknown`, `entity_decision_state`, `entity_decision_by_same`,
    /// `decisions_in_the_way`; of a merge those that have come up since it was proposed: `entities_decided`,
    /// `entity_group_full`.
    pub fn approve_entity_decision(&self, reader: &Reader, id: &str) -> Result<EntityDecision, Error> {
        self.in_turn(reader, |turn| {
            let decision = self.find_decision(id)?;
            let kind = match decision.state {
                DecisionState::MergeProposed => MERGED,
                DecisionState::SplitProposed => SPLIT,
                _ => return Err(wrong_state(&decision)),
            };
            if decision.by == reader.id {
                return Err(Error::new(
                    Kind::Conflict,
                    "entity_decision_by_same",
                    "you proposed it",
                    "Ask another person whose role allows it: two different people decide on large entities.",
                ));
            }
            if kind == MERGED {
                self.joinable(&decision.entity, &decision.into, Some(&decision.id))?;
            }
            self.decide_on(turn, &decision, kind, decision.reason.clone())
        })
    }

    /// Takes back what has no effect yet, or that two entities are not the same.
    ///
    /// # Errors
    /// `read_models_behind`, `entity_decision_unknown`, `entity_decision_state`, `decisions_in_the_way`.
    pub fn withdraw_entity_decision(&self, reader: &Reader, id: &str) -> Result<EntityDecision, Error> {
        self.in_turn(reader, |turn| {
            let decision = self.find_decision(id)?;
            if !decision.state.waits() && decision.state != DecisionState::Apart {
                return Err(wrong_state(&decision));
            }
            self.decide_on(turn, &decision, WITHDRAWN, decision.reason.clone())
        })
    }

    /// Decides knowing every decision before: each claims to follow the last, in all processes of a site, so that of
    /// two at once one is made again, with what the other has decided.
    fn in_turn(
        &self,
        reader: &Reader,
        decide: impl Fn(Turn<'_>) -> Result<EntityDecision, Error>,
    ) -> Result<EntityDecision, Error> {
        reader.require(Permission::ResolveEntities)?;
        for _ in 0..TURNS_MAX {
            self.require_everything_known()?;
            let after = self.projection.read(last_decided)?;
            match decide(Turn { reader, after }) {
                Err(error) if error.code == "claimed" => {}
                decided => return decided,
            }
        }
        Err(Error::new(
            Kind::Busy,
            "decisions_in_the_way",
            "others decide on entities all the time",
            "Try again in a moment. Nothing was recorded.",
        ))
    }

    /// Whether it takes two people, and what was decided before, the read models say: after an upgrade or an erasure
    /// they may not know of it yet.
    fn require_everything_known(&self) -> Result<(), Error> {
        let head = self.journal_position();
        if self.wait_until_shown(head, KNOWN_WAIT) >= head {
            return Ok(());
        }
        Err(Error::new(
            Kind::Busy,
            "read_models_behind",
            "pages do not show yet everything that was recorded",
            "Try again in a moment: they catch up by themselves. Nothing was recorded.",
        ))
    }

    /// May these two, with everybody who is one with either, become one? `except`: the decision that says so itself.
    fn joinable(&self, entity: &str, into: &str, except: Option<&str>) -> Result<(), Error> {
        let members_max = FourEyes::built_in()?.members;
        let (one, other, decided) = self.projection.read(|connection| {
            let (one, other) = (members(connection, entity)?, members(connection, into)?);
            let decided = decided_between(connection, &one, &other, except)?;
            Ok((one, other, decided))
        })?;
        if one.iter().any(|own| own == into) {
            // Others have made them one: the group stays as it is.
            return Ok(());
        }
        if one.len().saturating_add(other.len()) > members_max {
            return Err(Error::new(
                Kind::Refused,
                "entity_group_full",
                format!("together they would be more than {members_max} members"),
                "Look at the group first: so many are seldom one.",
            ));
        }
        match decided {
            Some(decided) => Err(already_decided(&decided)),
            None => Ok(()),
        }
    }

    /// May these two be decided on? Answers with the reason.
    fn decidable(&self, one: &str, other: &str, reason: &str) -> Result<String, Error> {
        let reason = checked_reason(reason)?;
        for id in [one, other] {
            if !self.is_known_entity(id)? {
                return Err(super::read_model::entity_unknown(id));
            }
        }
        // Everybody is one with itself.
        let together = self.projection.read(|connection| members(connection, one))?;
        if together.iter().any(|member| member == other) {
            return Err(Error::new(
                Kind::Conflict,
                "entities_are_one",
                "they are one already",
                "Nothing is left to be done; take them apart on the page of either.",
            ));
        }
        Ok(reason)
    }

    /// Is either of them, with everybody who is one with it, too large for one person to decide on?
    pub(super) fn takes_two(&self, ids: &[&str]) -> Result<bool, Error> {
        let four_eyes = FourEyes::built_in()?;
        let sizes = self.projection.read(|connection| {
            let mut ask = connection.prepare_cached(&format!(
                "{} SELECT coalesce(sum(declarations), 0), coalesce(sum(value), 0.0) FROM entity
                 WHERE id IN (SELECT id FROM member)",
                super::index::MEMBERS
            ))?;
            let size =
                |id: &&str| ask.query_row([id], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, f64>(1)?)));
            ids.iter().map(size).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(sizes
            .iter()
            .any(|(declarations, value)| *declarations > four_eyes.declarations || *value > four_eyes.value))
    }

    fn decide_anew(
        &self,
        turn: Turn<'_>,
        kind: &'static str,
        decided: &Decided,
    ) -> Result<EntityDecision, Error> {
        let id = format!("d-{}", hex::encode(crate::random_bytes::<8>()?));
        self.decide(turn, &id, kind, decided, 0)
    }

    fn decide_on(
        &self,
        turn: Turn<'_>,
        decision: &EntityDecision,
        kind: &'static str,
        reason: String,
    ) -> Result<EntityDecision, Error> {
        let (entity, into) = (decision.entity.clone(), decision.into.clone());
        // A merge says in itself what it rests on.
        let evidence = if kind == MERGED { decision.evidence.clone() } else { Vec::new() };
        let decided = Decided { entity, into, evidence, reason };
        self.decide(turn, &decision.id, kind, &decided, decision.version)
    }

    fn decide(
        &self,
        turn: Turn<'_>,
        id: &str,
        kind: &'static str,
        decided: &Decided,
        version: u64,
    ) -> Result<EntityDecision, Error> {
        let payload = serde_json::to_value(decided).map_err(|error| Error::internal("unwritable", &error))?;
        let fact = Fact::new(&stream(id), kind, payload)
            .expecting(version)
            .claiming(format!("{DECISION_PREFIX}after/{}", turn.after));
        let position = {
            // The desk of a process that is alone hears of decisions in the order in which they were recorded.
            let _in_order = self.deciding_on_entities.lock().unwrap_or_else(PoisonError::into_inner);
            let position = self.record(turn.reader, fact)?;
            self.desk.note_decision(position);
            position
        };
        let _ = self.wait_until_shown(position, SHOWN_WAIT);
        self.find_decision(id)
    }

    /// A decision as its stream has left it.
    pub(super) fn find_decision(&self, id: &str) -> Result<EntityDecision, Error> {
        let well_formed = id.len() < 64 && id.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-');
        let events = if well_formed { self.whole_stream(&stream(id))? } else { Vec::new() };
        let folded = events.iter().fold(None, |decision, event| match event.payload.value() {
            Some(payload) => fold(decision.clone(), id, event, payload).or(decision),
            None => decision,
        });
        folded.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "entity_decision_unknown",
                "there is no such decision",
                "Look it up in the list of matches.",
            )
        })
    }
}

/// Who decides, and after which decision.
#[derive(Clone, Copy)]
struct Turn<'a> {
    reader: &'a Reader,
    /// Position of the last event on a decision.
    after: u64,
}

/// A decision on one of these and one of those that waits, or says that they are not the same.
fn decided_between(
    connection: &Connection,
    these: &[String],
    those: &[String],
    except: Option<&str>,
) -> rusqlite::Result<Option<EntityDecision>> {
    for id in these {
        let found = decisions_on(connection, id, DECISIONS_MAX)?.into_iter().find(|own| {
            (own.state.waits() || own.state == DecisionState::Apart)
                && except != Some(own.id.as_str())
                && those.contains(if own.entity == *id { &own.into } else { &own.entity })
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn already_decided(decided: &EntityDecision) -> Error {
    let EntityDecision { id, entity, into, state, .. } = decided;
    Error::new(
        Kind::Conflict,
        "entities_decided",
        format!("the decision {id} on {entity} and {into} is {}", state.name()),
        "Approve it, or take it back first.",
    )
}

fn checked_reason(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    if (1..=REASON_CHARACTERS_MAX).contains(&reason.chars().count()) {
        return Ok(reason.to_owned());
    }
    Err(Error::new(
        Kind::Invalid,
        "reason_missing",
        "no reason is given, or one that is too long",
        format!("Say why, in 1 to {REASON_CHARACTERS_MAX} characters."),
    ))
}

fn wrong_state(decision: &EntityDecision) -> Error {
    Error::new(
        Kind::Conflict,
        "entity_decision_state",
        format!("the decision {} is {}", decision.id, decision.state.name()),
        "Look at it again: somebody else may have been faster.",
    )
}

/// A file's bytes, as far as they are taken.
pub fn file_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::io("file_unreadable", path, &error);
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        return Err(too_large(length));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
