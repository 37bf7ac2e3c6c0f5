//! Entities: lists, and one file each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::event::stream;
use super::index::{MEMBERS, members};
use super::joins::Joins;
use super::model::{
    EntitiesPage, EntitiesQuery, EntityFile, EntityRow, MonthOfEntity, PeerComparison, RATED_INSPECTED_MIN,
    RegisterEntry, Relation, TagOfEntity,
};
use super::trade;
use crate::Customhouse;
use crate::declarations::{DeclarationRow, HitRate, declaration_row};
use crate::error::{Error, Kind};
use crate::flow::any_simulated;
use crate::identity::{Permission, Reader};
use crate::projection::{COLUMNS, Record};
use crate::viewings::ViewedWhat;
use crate::viewings::read_model::LookAt;

const PAGE_ROWS: usize = 50;
const TAGS_SHOWN: usize = 40;
const RELATIONS_SHOWN: usize = 24;
const LATEST_SHOWN: usize = 20;
/// Decisions on one entity that are looked at.
const DECISIONS_SHOWN: usize = 200;
/// Peers looked at: the busiest of the role.
const PEERS_MAX: usize = 20_000;
/// With fewer declarations than this nobody is a peer.
const PEER_DECLARATIONS_MIN: u64 = 5;

const COLUMNS_OF_ENTITY: &str =
    "id, role, declarations, value, currency, first_at, last_at, inspected, irregular,
    (SELECT max(count(*), 1) FROM entity_group AS own JOIN entity_group AS other ON other.leader = own.leader
     WHERE own.id = entity.id) AS members";
/// Entities looked for whose name in the register has what is searched for.
const NAMED_MAX: usize = 1_000;

fn time(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}

fn read_entity(row: &Row<'_>) -> rusqlite::Result<EntityRow> {
    let currency: Option<String> = row.get("currency")?;
    let value: f64 = row.get("value")?;
    let single = currency.filter(|currency| currency != "mixed");
    Ok(EntityRow {
        id: row.get("id")?,
        name: None,
        members: row.get("members")?,
        role: row.get("role")?,
        declarations: row.get("declarations")?,
        value: single.as_ref().map(|_| format!("{value:.0}")),
        currency: single,
        first_at: time(row.get("first_at")?),
        last_at: time(row.get("last_at")?),
        hits: HitRate::of(row.get("inspected")?, row.get("irregular")?),
    })
}

fn order(sort: &str) -> String {
    if let "rate" | "-rate" = sort {
        let direction = if sort == "rate" { "ASC" } else { "DESC" };
        let by = format!("irregular * 1.0 / inspected {direction}, irregular {direction}, id");
        return format!("inspected < {RATED_INSPECTED_MIN}, {by}");
    }
    let order = match sort {
        "declarations" => "declarations, id",
        "value" => "value, id",
        "-value" => "value DESC, id",
        "inspected" => "inspected, id",
        "-inspected" => "inspected DESC, id",
        "irregular" => "irregular, id",
        "-irregular" => "irregular DESC, id",
        "last" => "last_at, id",
        "-last" => "last_at DESC, id",
        _ => "declarations DESC, id",
    };
    order.to_owned()
}

impl Customhouse {
    /// A page of entities, with names as the register stands: none while it is not made.
    pub fn find_entities(&self, reader: &Reader, query: &EntitiesQuery) -> Result<EntitiesPage, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let q = query.q.trim();
        let to = format!("{q}\u{10FFFF}");
        let role = query.role.trim();
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let named = serde_json::to_string(&self.parties_named(q, NAMED_MAX)).unwrap_or_default();
        let condition = "(?1 = '' OR (id >= ?1 AND id < ?2) OR id IN (SELECT value FROM json_each(?4)))
            AND (?3 = '' OR role = ?3)";
        let (mut rows, total, simulated): (Vec<EntityRow>, u64, bool) =
            self.projection.read(|connection| {
                let rows = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS_OF_ENTITY} FROM entity WHERE {condition} ORDER BY {} LIMIT ?5 OFFSET ?6",
                    order(&query.sort)
                ))?
                .query_map(params![q, to, role, named, PAGE_ROWS, skip], read_entity)?
                .collect::<Result<Vec<EntityRow>, _>>()?;
                let total = connection
                    .prepare_cached(&format!("SELECT count(*) FROM entity WHERE {condition}"))?
                    .query_row(params![q, to, role, named], |row| row.get(0))?;
                Ok((rows, total, any_simulated(connection)?))
            })?;
        let names = self.names_of(rows.iter().map(|row| row.id.as_str()));
        for row in &mut rows {
            row.name = names.get(&row.id).cloned();
        }
        Ok(EntitiesPage { rows, total, simulated })
    }

    /// One entity in all its roles, with everybody who is one with it. That it was looked at is recorded.
    pub fn entity(&self, reader: &Reader, id: &str) -> Result<EntityFile, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let register = self.register_entry(id)?;
        let mut file = self.projection.read(|connection| {
            let roles = roles(connection, id)?;
            let (peers, peers_count) = match roles.first() {
                Some(main) => peers(connection, main)?,
                None => Default::default(),
            };
            let members = members(connection, id)?;
            Ok(EntityFile {
                id: id.to_owned(),
                months: months(connection, id)?,
                tags: Vec::new(),
                relations: relations(connection, id)?,
                peers,
                peers_count,
                trade: match roles.first() {
                    Some(main) => trade::compared(connection, reader, main)?,
                    None => Vec::new(),
                },
                latest: latest(connection, reader, &members)?,
                register: None,
                group: Vec::new(),
                merges: Vec::new(),
                takes_two: false,
                shared: Vec::new(),
                hits: Vec::new(),
                candidates: 0,
                simulated: connection
                    .prepare_cached(&format!(
                        "{MEMBERS} SELECT coalesce(max(simulated), 0) FROM entity WHERE id IN (SELECT id FROM member)"
                    ))?
                    .query_row([id], |row| row.get(0))?,
                roles,
            })
        })?;
        if file.roles.is_empty() && register.is_none() {
            return Err(entity_unknown(id));
        }
        self.note_look(reader, ViewedWhat::Entity, LookAt::Entity(id))?;
        file.simulated |= register.as_ref().is_some_and(|own| own.simulated);
        file.register = register;
        file.tags = self.tags_of_entity(reader, id)?;
        self.add_who_is_who(&mut file)?;
        Ok(file)
    }

    /// Everybody who is one with an entity, itself among them.
    pub(crate) fn entities_one_with(&self, id: &str) -> Result<Vec<String>, Error> {
        self.projection.read(|connection| members(connection, id))
    }

    /// Who was one with any of these by the decisions up to a position of the journal: each group of two or more.
    pub(crate) fn groups_at(&self, ids: &BTreeSet<String>, until: u64) -> Result<Vec<Vec<String>>, Error> {
        let mut joins = Joins::default();
        let mut open: Vec<String> = ids.iter().cloned().collect();
        let mut asked = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !asked.insert(id.clone()) {
                continue;
            }
            for decision in self.decisions_of(&id, DECISIONS_SHOWN)? {
                let events = self.whole_stream(&stream(&decision.id))?;
                for event in events.iter().filter(|event| event.position <= until) {
                    joins.follow(event);
                }
            }
            open.extend(joins.groups().members(&id));
        }
        let groups = joins.groups();
        let leaders: BTreeSet<&str> = ids.iter().map(|id| groups.leader(id)).collect();
        let each = leaders.into_iter().map(|leader| groups.members(leader));
        Ok(each.filter(|group| group.len() > 1).collect())
    }

    /// Who is one with it, and who may be.
    fn add_who_is_who(&self, file: &mut EntityFile) -> Result<(), Error> {
        let members = self.entities_one_with(&file.id)?;
        if members.len() > 1 {
            file.takes_two = self.takes_two(&[&file.id])?;
            for id in &members {
                let alone = || RegisterEntry { id: id.clone(), ..RegisterEntry::default() };
                file.group.push(self.register_entry(id)?.unwrap_or_else(alone));
                let standing =
                    self.decisions_of(id, DECISIONS_SHOWN)?.into_iter().filter(|own| own.state.joins());
                file.merges.extend(standing);
            }
            file.merges.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
            file.merges.dedup_by(|one, other| one.id == other.id);
        }
        file.shared = self.sharers(&file.id)?;
        file.hits = self.hits_on_lists(&file.id)?;
        file.candidates = self.candidates_of(&file.id)?;
        Ok(())
    }

    fn tags_of_entity(&self, reader: &Reader, id: &str) -> Result<Vec<TagOfEntity>, Error> {
        let found: Vec<(String, u64, i64, i64)> = self.projection.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "{MEMBERS} SELECT tag, sum(n) AS n, min(first_at), max(last_at) FROM entity_tag
                     WHERE id IN (SELECT id FROM member) GROUP BY tag ORDER BY n DESC, tag"
                ))?
                .query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                .collect()
        })?;
        Ok(found
            .into_iter()
            .filter_map(|(tag, declarations, first, last)| {
                let definition = self.tag(reader, &tag).ok()?.definition;
                Some(TagOfEntity {
                    tag,
                    title: definition.title.clone(),
                    severity: definition.severity.name().to_owned(),
                    declarations,
                    first_at: time(first),
                    last_at: time(last),
                })
            })
            .take(TAGS_SHOWN)
            .collect())
    }
}

/// What is not there.
pub(super) fn entity_unknown(id: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "entity_unknown",
        format!("there is no declaration of \"{}\"", id.chars().take(64).collect::<String>()),
        "Check the spelling, or look it up in the list.",
    )
}

/// An entity in each of its roles, its members together.
fn roles(connection: &Connection, id: &str) -> rusqlite::Result<Vec<EntityRow>> {
    connection
        .prepare_cached(&format!(
            "{MEMBERS} SELECT ?1 AS id, role, sum(declarations) AS declarations, sum(value) AS value,
                CASE WHEN count(DISTINCT coalesce(currency, '')) = 1 THEN max(currency) ELSE 'mixed' END AS currency,
                min(first_at) AS first_at, max(last_at) AS last_at, sum(inspected) AS inspected,
                sum(irregular) AS irregular, (SELECT count(*) FROM member) AS members
             FROM entity WHERE id IN (SELECT id FROM member) GROUP BY role ORDER BY 3 DESC, role"
        ))?
        .query_map([id], read_entity)?
        .collect()
}

fn months(connection: &Connection, id: &str) -> rusqlite::Result<Vec<MonthOfEntity>> {
    connection
        .prepare_cached(&format!(
            "{MEMBERS} SELECT month, sum(declarations), sum(inspected), sum(irregular) FROM entity_month
             WHERE id IN (SELECT id FROM member) GROUP BY month ORDER BY month"
        ))?
        .query_map([id], |row| {
            Ok(MonthOfEntity {
                month: row.get(0)?,
                declarations: row.get(1)?,
                inspected: row.get(2)?,
                irregular: row.get(3)?,
            })
        })?
        .collect()
}

fn relations(connection: &Connection, id: &str) -> rusqlite::Result<Vec<Relation>> {
    connection
        .prepare_cached(&format!(
            "{MEMBERS} SELECT other_role, other, sum(n) AS n, sum(irregular) FROM relation
             WHERE id IN (SELECT id FROM member) AND other NOT IN (SELECT id FROM member)
             GROUP BY other, other_role ORDER BY n DESC, other, other_role LIMIT ?2"
        ))?
        .query_map(params![id, RELATIONS_SHOWN], |row| {
            Ok(Relation {
                role: row.get(0)?,
                id: row.get(1)?,
                declarations: row.get(2)?,
                irregular: row.get(3)?,
            })
        })?
        .collect()
}

fn latest(
    connection: &Connection,
    reader: &Reader,
    members: &[String],
) -> rusqlite::Result<Vec<DeclarationRow>> {
    let mut records: Vec<Record> = Vec::new();
    for column in ["importer", "declarant", "exporter"] {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM declaration WHERE {column} = ?1 ORDER BY lodged_at DESC LIMIT ?2"
        ))?;
        for id in members {
            let found = statement.query_map(params![id, LATEST_SHOWN], Record::read)?;
            records.extend(found.collect::<Result<Vec<_>, _>>()?);
        }
    }
    records.sort_by(|one, other| other.lodged_at.cmp(&one.lodged_at).then_with(|| one.mrn.cmp(&other.mrn)));
    records.dedup_by(|one, other| one.mrn == other.mrn);
    records.truncate(LATEST_SHOWN);
    Ok(records.iter().map(|record| declaration_row(record, reader)).collect())
}

/// What peers are compared by.
const MEASURES: [&str; 6] =
    ["declarations", "value_per_declaration", "inspected_share", "hit_rate", "partners", "chapters"];

/// Declarations, value, inspected, irregular, partners, chapters, as [`MEASURES`] has them.
fn measures(row: &Row<'_>) -> rusqlite::Result<[f64; 6]> {
    let whole = |at: usize| row.get::<_, u32>(at).map(f64::from);
    let (declarations, value, inspected, irregular) =
        (whole(0)?, row.get::<_, f64>(1)?, whole(2)?, whole(3)?);
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { f64::NAN };
    Ok([
        declarations,
        share(value, declarations),
        share(inspected, declarations),
        share(irregular, inspected),
        whole(4)?,
        whole(5)?,
    ])
}

/// The entity's measures among those of its role that trade in the same chapter most.
fn peers(connection: &Connection, main: &EntityRow) -> rusqlite::Result<(Vec<PeerComparison>, u64)> {
    let chapter: Option<String> = connection
        .prepare_cached(&format!(
            "{MEMBERS} SELECT chapter FROM entity_chapter WHERE id IN (SELECT id FROM member) AND role = ?2
             GROUP BY chapter ORDER BY sum(n) DESC, chapter LIMIT 1"
        ))?
        .query_row(params![main.id, main.role], |row| row.get(0))
        .optional()?;
    let own = connection
        .prepare_cached(&format!(
            "{MEMBERS} SELECT sum(declarations), sum(value), sum(inspected), sum(irregular),
                (SELECT count(DISTINCT other || ' ' || other_role) FROM relation
                 WHERE id IN (SELECT id FROM member) AND other NOT IN (SELECT id FROM member)),
                (SELECT count(DISTINCT chapter) FROM entity_chapter
                 WHERE id IN (SELECT id FROM member) AND role = ?2)
             FROM entity WHERE id IN (SELECT id FROM member) AND role = ?2"
        ))?
        .query_row(params![main.id, main.role], measures)?;
    let mut statement = connection.prepare_cached(&format!(
        "{MEMBERS} SELECT declarations, value, inspected, irregular,
            (SELECT count(*) FROM relation WHERE relation.id = entity.id),
            (SELECT count(*) FROM entity_chapter AS c WHERE c.id = entity.id AND c.role = entity.role)
         FROM entity WHERE role = ?2 AND declarations >= ?3 AND id NOT IN (SELECT id FROM member)
         AND (?4 IS NULL OR EXISTS
              (SELECT 1 FROM entity_chapter AS c WHERE c.id = entity.id AND c.role = entity.role AND c.chapter = ?4))
         ORDER BY declarations DESC LIMIT ?5"
    ))?;
    let mut others: [Vec<f64>; 6] = Default::default();
    let mut rows = statement.query(params![main.id, main.role, PEER_DECLARATIONS_MIN, chapter, PEERS_MAX])?;
    let mut count = 0_u64;
    while let Some(row) = rows.next()? {
        count = count.saturating_add(1);
        for (all, measure) in others.iter_mut().zip(measures(row)?) {
            if measure.is_finite() {
                all.push(measure);
            }
        }
    }
    Ok((compare(own, &mut others), count))
}

fn compare(own: [f64; 6], others: &mut [Vec<f64>; 6]) -> Vec<PeerComparison> {
    let mut compared = Vec::new();
    for ((measure, own), all) in MEASURES.iter().zip(own).zip(others) {
        all.sort_by(f64::total_cmp);
        let at = |quarters: usize| all.get(all.len().saturating_mul(quarters) / 4).or(all.last()).copied();
        let (Some(quarter), Some(median), Some(three_quarters)) = (at(1), at(2), at(3)) else { continue };
        if !own.is_finite() {
            continue;
        }
        let below = all.partition_point(|other| *other < own);
        compared.push(PeerComparison {
            measure: (*measure).to_owned(),
            own,
            quarter,
            median,
            three_quarters,
            rank: ratio(below, all.len()),
        });
    }
    compared
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { number(part) / number(whole) }
}
