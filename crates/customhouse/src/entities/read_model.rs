//! Entities: lists, and one file each.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::model::{
    EntitiesPage, EntitiesQuery, EntityFile, EntityRow, MonthOfEntity, PeerComparison, Relation, TagOfEntity,
};
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
/// Peers looked at: the busiest of the role.
const PEERS_MAX: usize = 20_000;
/// With fewer declarations than this nobody is a peer.
const PEER_DECLARATIONS_MIN: u64 = 5;

const COLUMNS_OF_ENTITY: &str =
    "id, role, declarations, value, currency, first_at, last_at, inspected, irregular";

fn time(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}

fn read_entity(row: &Row<'_>) -> rusqlite::Result<EntityRow> {
    let currency: Option<String> = row.get("currency")?;
    let value: f64 = row.get("value")?;
    let single = currency.filter(|currency| currency != "mixed");
    Ok(EntityRow {
        id: row.get("id")?,
        role: row.get("role")?,
        declarations: row.get("declarations")?,
        value: single.as_ref().map(|_| format!("{value:.0}")),
        currency: single,
        first_at: time(row.get("first_at")?),
        last_at: time(row.get("last_at")?),
        hits: HitRate::of(row.get("inspected")?, row.get("irregular")?),
    })
}

fn order(sort: &str) -> &'static str {
    match sort {
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
    }
}

impl Customhouse {
    /// A page of entities.
    pub fn find_entities(&self, reader: &Reader, query: &EntitiesQuery) -> Result<EntitiesPage, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let q = query.q.trim();
        let to = format!("{q}\u{10FFFF}");
        let role = query.role.trim();
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let condition = "(?1 = '' OR (id >= ?1 AND id < ?2)) AND (?3 = '' OR role = ?3)";
        let (rows, total, simulated) = self.projection.read(|connection| {
            let rows = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS_OF_ENTITY} FROM entity WHERE {condition} ORDER BY {} LIMIT ?4 OFFSET ?5",
                    order(&query.sort)
                ))?
                .query_map(params![q, to, role, PAGE_ROWS, skip], read_entity)?
                .collect::<Result<Vec<EntityRow>, _>>()?;
            let total = connection
                .prepare_cached(&format!("SELECT count(*) FROM entity WHERE {condition}"))?
                .query_row(params![q, to, role], |row| row.get(0))?;
            Ok((rows, total, any_simulated(connection)?))
        })?;
        Ok(EntitiesPage { rows, total, simulated })
    }

    /// One entity in all its roles. That it was looked at is recorded.
    pub fn entity(&self, reader: &Reader, id: &str) -> Result<EntityFile, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let found = self.projection.read(|connection| {
            let roles = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS_OF_ENTITY} FROM entity WHERE id = ?1 ORDER BY declarations DESC, role"
                ))?
                .query_map([id], read_entity)?
                .collect::<Result<Vec<EntityRow>, _>>()?;
            let Some(main) = roles.first().cloned() else { return Ok(None) };
            let (peers, peers_count) = peers(connection, &main)?;
            Ok(Some(EntityFile {
                id: id.to_owned(),
                months: months(connection, id)?,
                tags: Vec::new(),
                relations: relations(connection, id)?,
                peers,
                peers_count,
                latest: latest(connection, reader, id)?,
                simulated: connection
                    .query_row("SELECT max(simulated) FROM entity WHERE id = ?1", [id], |row| row.get(0))
                    .optional()?
                    .unwrap_or(false),
                roles,
            }))
        })?;
        let mut file = found.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "entity_unknown",
                format!("there is no declaration of \"{}\"", id.chars().take(64).collect::<String>()),
                "Check the spelling, or look it up in the list.",
            )
        })?;
        self.note_look(reader, ViewedWhat::Entity, LookAt::Entity(id))?;
        file.tags = self.tags_of_entity(reader, id)?;
        Ok(file)
    }

    fn tags_of_entity(&self, reader: &Reader, id: &str) -> Result<Vec<TagOfEntity>, Error> {
        let found: Vec<(String, u64, i64, i64)> = self.projection.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT tag, n, first_at, last_at FROM entity_tag WHERE id = ?1 ORDER BY n DESC, tag",
                )?
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

fn months(connection: &Connection, id: &str) -> rusqlite::Result<Vec<MonthOfEntity>> {
    connection
        .prepare_cached(
            "SELECT month, declarations, inspected, irregular FROM entity_month WHERE id = ?1 ORDER BY month",
        )?
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
        .prepare_cached(
            "SELECT other_role, other, n, irregular FROM relation WHERE id = ?1 ORDER BY n DESC, other LIMIT ?2",
        )?
        .query_map(params![id, RELATIONS_SHOWN], |row| {
            Ok(Relation { role: row.get(0)?, id: row.get(1)?, declarations: row.get(2)?, irregular: row.get(3)? })
        })?
        .collect()
}

fn latest(connection: &Connection, reader: &Reader, id: &str) -> rusqlite::Result<Vec<DeclarationRow>> {
    let mut records: Vec<Record> = Vec::new();
    for column in ["importer", "declarant", "exporter"] {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM declaration WHERE {column} = ?1 ORDER BY lodged_at DESC LIMIT ?2"
        ))?;
        let found = statement.query_map(params![id, LATEST_SHOWN], Record::read)?;
        records.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    records.sort_by(|one, other| other.lodged_at.cmp(&one.lodged_at).then_with(|| one.mrn.cmp(&other.mrn)));
    records.dedup_by(|one, other| one.mrn == other.mrn);
    records.truncate(LATEST_SHOWN);
    Ok(records.iter().map(|record| declaration_row(record, reader)).collect())
}

/// What peers are compared by.
const MEASURES: [&str; 6] =
    ["declarations", "value_per_declaration", "inspected_share", "hit_rate", "partners", "chapters"];

/// The entity's measures among those of its role that trade in the same chapter most.
fn peers(connection: &Connection, main: &EntityRow) -> rusqlite::Result<(Vec<PeerComparison>, u64)> {
    let chapter: Option<String> = connection
        .prepare_cached(
            "SELECT chapter FROM entity_chapter WHERE id = ?1 AND role = ?2 ORDER BY n DESC, chapter LIMIT 1",
        )?
        .query_row(params![main.id, main.role], |row| row.get(0))
        .optional()?;
    let mut statement = connection.prepare_cached(
        "SELECT id, declarations, value, inspected, irregular,
            (SELECT count(*) FROM relation WHERE relation.id = entity.id),
            (SELECT count(*) FROM entity_chapter AS c WHERE c.id = entity.id AND c.role = entity.role)
         FROM entity WHERE role = ?1 AND (declarations >= ?2 OR id = ?3)
         AND (?4 IS NULL OR id = ?3 OR EXISTS
              (SELECT 1 FROM entity_chapter AS c WHERE c.id = entity.id AND c.role = entity.role AND c.chapter = ?4))
         ORDER BY id = ?3 DESC, declarations DESC LIMIT ?5",
    )?;
    let mut own: Option<[f64; 6]> = None;
    let mut others: [Vec<f64>; 6] = Default::default();
    let mut rows = statement.query(params![main.role, PEER_DECLARATIONS_MIN, main.id, chapter, PEERS_MAX])?;
    let mut count = 0_u64;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let (declarations, value): (f64, f64) = (f64::from(row.get::<_, u32>(1)?), row.get(2)?);
        let (inspected, irregular) = (f64::from(row.get::<_, u32>(3)?), f64::from(row.get::<_, u32>(4)?));
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { f64::NAN };
        let measures = [
            declarations,
            share(value, declarations),
            share(inspected, declarations),
            share(irregular, inspected),
            f64::from(row.get::<_, u32>(5)?),
            f64::from(row.get::<_, u32>(6)?),
        ];
        if id == main.id {
            own = Some(measures);
        } else {
            count = count.saturating_add(1);
            for (all, measure) in others.iter_mut().zip(measures) {
                if measure.is_finite() {
                    all.push(measure);
                }
            }
        }
    }
    let compared = own.map(|own| compare(own, &mut others)).unwrap_or_default();
    Ok((compared, count))
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
