//! Counts, lists and files of what a condition on tags selects.

use std::io::Write;
use std::sync::Arc;

use ::tags::TagDefinition;
use jiff::Timestamp;
use jiff::civil::Date;
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension};
use spine::{Language, Sensitivity};

use super::chosen::{Of, results};
use super::condition::{Condition, Seen};
use super::model::{SelectedEntity, TagCount, TagDifference, TagNamed, TagQuery, TagSelection};
use super::together::together;
use crate::Customhouse;
use crate::civil_time::day_of_query;
use crate::declarations::{DeclarationRow, HitRate, csv_cell, declaration_row};
use crate::entities::index::MEMBERS;
use crate::error::Error;
use crate::flow::any_simulated;
use crate::identity::{Permission, Reader};
use crate::projection::{COLUMNS, Record};
use crate::tags::live::Epoch;
use crate::viewings::ViewedWhat;
use crate::viewings::read_model::LookAt;

/// Rows of a page.
const PAGE_ROWS: usize = 50;
/// Rows of a file at most.
const EXPORT_ROWS_MAX: usize = 1_000_000;
/// Up to so many entities are ordered by their tags; more come in the order in which they were first seen.
const ORDERED_MAX: u64 = 100_000;
/// Tags told that occur together with those asked for.
const TOGETHER_SHOWN: usize = 24;

/// A question, read, and the epoch that answers it.
pub(super) struct Asked {
    pub(super) seen: Seen,
    pub(super) epoch: Arc<Epoch>,
    condition: Condition,
    of: Of,
}

impl Asked {
    fn count(&self, count: u64) -> TagCount {
        TagCount { count, all: self.of.all(&self.epoch), position: self.epoch.position }
    }

    fn named(&self) -> Vec<TagNamed> {
        let named = self.condition.ids.iter().filter_map(|id| self.seen.tag(id));
        named.map(|own| TagNamed { tag: own.id.clone(), title: own.title.clone() }).collect()
    }

    /// Numbers of tags that the reader may see.
    fn seen_numbers(&self) -> Vec<bool> {
        self.seen.in_epoch(&self.epoch).iter().map(Option::is_some).collect()
    }
}

/// The difference between two days, and what is gained and lost.
struct Compared {
    difference: TagDifference,
    gained: RoaringBitmap,
    lost: RoaringBitmap,
}

impl Customhouse {
    /// The latest epoch of the matrix, and the tags that a reader may see.
    pub(super) fn seen_matrix(&self, reader: &Reader) -> Result<(Seen, Arc<Epoch>), Error> {
        reader.require(Permission::ViewTags)?;
        reader.require(Permission::ViewDeclarations)?;
        let seen = Seen { compiled: self.compiled_tags(), clearance: reader.clearance() };
        Ok((seen, self.matrix.epoch()?))
    }

    /// Waits until the live matrix reflects everything up to a position, for at most `timeout`; answers with the
    /// position that it reflects then.
    #[must_use]
    pub fn wait_until_tags_counted(&self, position: u64, timeout: std::time::Duration) -> u64 {
        self.matrix.wait_for(position, timeout)
    }

    fn asked(&self, reader: &Reader, query: &TagQuery) -> Result<Asked, Error> {
        let (seen, epoch) = self.seen_matrix(reader)?;
        let condition = Condition::read(&query.q, &seen)?;
        Ok(Asked { seen, epoch, condition, of: Of::asked(query) })
    }

    /// How many entities or declarations a condition selects.
    ///
    /// # Errors
    /// `not_permitted`, `selection_refused`.
    pub fn count_by_tags(&self, reader: &Reader, query: &TagQuery) -> Result<TagCount, Error> {
        let asked = self.asked(reader, query)?;
        Ok(asked.count(asked.of.count_now(&asked.epoch, &asked.condition)))
    }

    /// Tags whose id begins with a word, then those whose id or title has it; at most `limit`.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn complete_tag(
        &self,
        reader: &Reader,
        word: &str,
        language: Language,
        limit: usize,
    ) -> Result<Vec<TagNamed>, Error> {
        reader.require(Permission::ViewTags)?;
        let (compiled, word) = (self.compiled_tags(), word.to_lowercase());
        let seen = compiled.set.definitions().iter().filter(|own| own.sensitivity <= reader.clearance());
        let (begin, rest): (Vec<_>, Vec<_>) = seen.partition(|own| own.id.starts_with(&word));
        let has = |own: &&&TagDefinition| {
            own.id.contains(&word) || own.title.in_language(language).to_lowercase().contains(&word)
        };
        let found = begin.iter().chain(rest.iter().filter(has)).take(limit);
        // A word that is a whole id needs no completing.
        let others = found.filter(|own| own.id != word);
        Ok(others.map(|own| TagNamed { tag: own.id.clone(), title: own.title.clone() }).collect())
    }

    /// What a condition selects: a page of it, the tags beside, results, and the difference between two days.
    ///
    /// # Errors
    /// `not_permitted`, `selection_refused`, `day_unreadable`.
    pub fn select_by_tags(&self, reader: &Reader, query: &TagQuery) -> Result<TagSelection, Error> {
        let asked = self.asked(reader, query)?;
        let chosen = asked.of.now(&asked.epoch, &asked.condition);
        let compared = compare(&asked, query)?;
        let listed = listed(query, &chosen, compared.as_ref());
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let page = page(&asked, listed, skip);
        let restricted = reader.clearance() >= Sensitivity::Restricted;
        let hits = restricted.then(|| {
            let (inspected, irregular) = results(asked.of, &asked.epoch, &chosen);
            HitRate::of(inspected, irregular)
        });
        let (mut entities, mut declarations) = (Vec::new(), Vec::new());
        let simulated = self.projection.read(|connection| {
            for (number, tags) in &page {
                match asked.of {
                    Of::Entities => entities.extend(entity(connection, &asked.epoch, *number, *tags)?),
                    Of::Declarations => {
                        declarations.extend(declaration(connection, reader, &asked.epoch, *number)?);
                    }
                }
            }
            any_simulated(connection)
        })?;
        Ok(TagSelection {
            counted: asked.count(chosen.len()),
            named: asked.named(),
            hits,
            together: together(
                &asked.seen,
                &asked.epoch,
                asked.of,
                &chosen,
                &asked.condition.ids,
                TOGETHER_SHOWN,
            ),
            entities,
            declarations,
            listed: listed.len(),
            difference: compared.map(|compared| compared.difference),
            simulated,
        })
    }

    /// Everything that a condition selects, as CSV with the tags of each, and of entities that are one with the ids of
    /// all. That it was taken is recorded.
    ///
    /// # Errors
    /// As [`Customhouse::select_by_tags`].
    pub fn export_by_tags(
        &self,
        reader: &Reader,
        query: &TagQuery,
        out: &mut dyn Write,
    ) -> Result<u64, Error> {
        let asked = self.asked(reader, query)?;
        let chosen = asked.of.now(&asked.epoch, &asked.condition);
        let compared = compare(&asked, query)?;
        let listed = listed(query, &chosen, compared.as_ref());
        let rows = listed.len().min(u64::try_from(EXPORT_ROWS_MAX).unwrap_or(u64::MAX));
        let filter =
            format!("{}: {}", if query.of_declarations() { "declarations" } else { "entities" }, query.q);
        self.note_look(reader, ViewedWhat::Export, LookAt::Selection(&filter, rows))?;
        let unwritable = |error: std::io::Error| Error::internal("export_unwritable", &error);
        let tags = asked.seen.in_epoch(&asked.epoch);
        writeln!(
            out,
            "{}",
            if asked.of == Of::Entities { "id,tags,members" } else { "mrn,tags_applied_at,tags" }
        )
        .map_err(unwritable)?;
        for number in listed.iter().take(EXPORT_ROWS_MAX) {
            let carried = asked.of.matrix(&asked.epoch).tags_of(number).iter();
            let ids = carried.filter_map(|tag| Some((*tags.get(usize::from(*tag))?)?.id.as_str()));
            let ids = csv_cell(&ids.collect::<Vec<_>>().join(" "));
            let line = match asked.of {
                Of::Entities => {
                    let members = asked.epoch.grouped.members(number).iter();
                    let members: Vec<&str> = members.filter_map(|own| asked.epoch.entity(*own)).collect();
                    let id = csv_cell(asked.epoch.entity(number).unwrap_or_default());
                    format!("{id},{ids},{}", csv_cell(&members.join(" ")))
                }
                Of::Declarations => {
                    let Some(own) = asked.epoch.declaration(number) else { continue };
                    format!("{},{},{ids}", csv_cell(&own.mrn), time(own.at))
                }
            };
            writeln!(out, "{line}").map_err(unwritable)?;
        }
        Ok(rows)
    }
}

fn time(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}

fn listed<'a>(
    query: &TagQuery,
    chosen: &'a RoaringBitmap,
    compared: Option<&'a Compared>,
) -> &'a RoaringBitmap {
    match (query.changed.as_str(), compared) {
        ("gained", Some(compared)) => &compared.gained,
        ("lost", Some(compared)) => &compared.lost,
        _ => chosen,
    }
}

fn compare(asked: &Asked, query: &TagQuery) -> Result<Option<Compared>, Error> {
    let (Some(from), to) = (day_of_query(&query.from, true)?, day_of_query(&query.to, true)?) else {
        return Ok(None);
    };
    let before = asked.of.before(&asked.epoch, &asked.condition, from)?;
    let after = match to {
        Some(to) => asked.of.before(&asked.epoch, &asked.condition, to)?,
        None => asked.of.now(&asked.epoch, &asked.condition),
    };
    let (gained, lost) = (&after - &before, &before - &after);
    let difference = TagDifference {
        // It was read already.
        from: query.from.trim().parse::<Date>().unwrap_or_default(),
        to: query.to.trim().parse::<Date>().ok(),
        before: before.len(),
        after: after.len(),
        gained: gained.len(),
        lost: lost.len(),
    };
    Ok(Some(Compared { difference, gained, lost }))
}

/// Numbers of one page, each with how many tags the reader may see on it.
fn page(asked: &Asked, listed: &RoaringBitmap, skip: usize) -> Vec<(u32, u64)> {
    let seen = asked.seen_numbers();
    let matrix = asked.of.matrix(&asked.epoch);
    let tags = |number: u32| {
        let carried = matrix.tags_of(number).iter();
        let visible = carried.filter(|tag| seen.get(usize::from(**tag)).copied().unwrap_or(false));
        u64::try_from(visible.count()).unwrap_or(u64::MAX)
    };
    let with_tags = |number: u32| (number, tags(number));
    match asked.of {
        Of::Declarations => listed.iter().rev().skip(skip).take(PAGE_ROWS).map(with_tags).collect(),
        Of::Entities if listed.len() > ORDERED_MAX => {
            listed.iter().skip(skip).take(PAGE_ROWS).map(with_tags).collect()
        }
        Of::Entities => {
            let mut all: Vec<(u32, u64)> = listed.iter().map(with_tags).collect();
            all.sort_by_key(|(number, tags)| (std::cmp::Reverse(*tags), *number));
            all.into_iter().skip(skip).take(PAGE_ROWS).collect()
        }
    }
}

fn entity(
    connection: &Connection,
    epoch: &Epoch,
    number: u32,
    tags: u64,
) -> rusqlite::Result<Option<SelectedEntity>> {
    let Some(id) = epoch.entity(number) else { return Ok(None) };
    let found: Option<(u64, i64, u64, u64)> = connection
        .prepare_cached(
            &format!("{MEMBERS} SELECT sum(declarations) AS n, max(last_at), sum(inspected), sum(irregular) FROM entity
             WHERE id IN (SELECT id FROM member) GROUP BY role ORDER BY n DESC, role LIMIT 1"),
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let (declarations, last_at, inspected, irregular) = found.unwrap_or_default();
    Ok(Some(SelectedEntity {
        id: id.to_owned(),
        members: u64::try_from(epoch.grouped.members(number).len().max(1)).unwrap_or(u64::MAX),
        tags,
        declarations,
        last_at: (declarations > 0).then(|| time(last_at)),
        hits: HitRate::of(inspected, irregular),
    }))
}

fn declaration(
    connection: &Connection,
    reader: &Reader,
    epoch: &Epoch,
    number: u32,
) -> rusqlite::Result<Option<DeclarationRow>> {
    let Some(own) = epoch.declaration(number) else { return Ok(None) };
    let found = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM declaration WHERE mrn = ?1"))?
        .query_row([&*own.mrn], Record::read)
        .optional()?;
    Ok(found.map(|record| declaration_row(&record, reader)))
}
