//! The catalogue of tags, and reasons for rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ::pool::{propose_for_file, read_file};
use ::rules::Lists;
use ::tags::{ApplyError, TagDefinition, TagHit, TagSet};
use formats::{Intake, IntakeError};
use packs::{Pack, Registry};
use spine::{Finding, LocalizedText, Progress, Sensitivity, Silent, declaration_entry};

use super::model::{
    Compiled, FamilyOfTags, Loaded, TagCase, TagCatalogue, TagDetail, TagRows, TagSummary, WhyRequest,
};
use super::reason::{PlaceOfRow, TagReason, reason};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::pool::{BatchQuery, BatchSelection, BatchState, Entries};

/// Rows of the pool that are kept for questions about tags: whole batches, the latest first, until there are so many.
const ROWS_KEPT_MAX: u64 = 1_000_000;

/// Rows answered with their reasons at most.
const REASONS_MAX: usize = 50;

/// The tags of all packs in use, compiled, and what is wrong with them.
#[must_use]
pub fn tag_set(registry: &Registry) -> (TagSet, Vec<Finding>) {
    let packs: Vec<&Pack> = registry.current().map(AsRef::as_ref).collect();
    TagSet::from_packs_and_lists(&packs, &declaration_entry::schema(), &Lists(registry.lists()))
}

/// The same where these were the tags before: what is written as it was is not compiled again.
pub(crate) fn edited_tag_set(registry: &Registry, before: &TagSet) -> (TagSet, Vec<Finding>) {
    let packs: Vec<&Pack> = registry.current().map(AsRef::as_ref).collect();
    before.edited(&packs, &declaration_entry::schema(), &Lists(registry.lists()))
}

/// All tags in use that a reader of this clearance may see.
#[must_use]
pub fn catalogue(registry: &Registry, clearance: Sensitivity) -> TagCatalogue {
    let (set, findings) = tag_set(registry);
    catalogue_of(&set, &findings, clearance)
}

/// One tag with its cases.
pub fn find_tag(registry: &Registry, clearance: Sensitivity, id: &str) -> Result<TagDetail, Error> {
    detail(&tag_set(registry).0, clearance, id)
}

/// Why a tag is, or is not, on a declaration of a file: one reason for each of its items.
pub fn why_in_file(
    registry: &Registry,
    request: &WhyRequest,
    progress: &dyn Progress,
) -> Result<Vec<TagReason>, Error> {
    let (set, _) = tag_set(registry);
    visible(&set, Sensitivity::Sealed, &request.tag)?;
    let intake = read_declarations(&request.declarations, request.map.as_deref(), progress)?;
    let table = &intake.table;
    let ids = table.texts("declaration_id");
    let items = (0..table.len())
        .filter(|row| ids.and_then(|ids| ids.get(*row)) == Some(request.declaration.as_str()));
    let place = |row: usize| PlaceOfRow { batch: None, row: None, line: intake.lines.get(row).copied() };
    let reasons: Vec<TagReason> = items
        .take(REASONS_MAX)
        .filter_map(|row| set.why(table, &request.tag, row))
        .map(|why| reason(why, table, &|_| false, &place))
        .collect();
    if reasons.is_empty() {
        return Err(Error::new(
            Kind::NotFound,
            "declaration_unknown",
            format!(
                "no usable row of {} has the declaration number {}",
                request.declarations.display(),
                request.declaration
            ),
            "Check the number; rows that cannot be used are told by `tidewaiter audit`.",
        ));
    }
    Ok(reasons)
}

/// The rows of a file of declarations; without a mapping one is proposed.
pub(super) fn read_declarations(
    file: &Path,
    map: Option<&Path>,
    progress: &dyn Progress,
) -> Result<Intake, Error> {
    let schema = declaration_entry::schema();
    let refused = |findings: Vec<Finding>| {
        Error::new(
            Kind::Refused,
            "declarations_unreadable",
            format!("{} cannot be read", file.display()),
            "Correct what the findings name; `tidewaiter map` shows how the columns are understood.",
        )
        .with_findings(findings)
    };
    let mapping = match map {
        Some(map) => crate::offline::read_mapping(map)?,
        None => propose_for_file(file, &schema, None).map_err(|finding| refused(vec![finding]))?.mapping,
    };
    read_file(file, &mapping, &schema, progress).map_err(|error| match error {
        IntakeError::Cancelled => Error::cancelled(),
        IntakeError::Mapping(findings) => refused(findings),
        IntakeError::Source(finding) => refused(vec![*finding]),
        IntakeError::TooManyRows(_) => refused(Vec::new()),
    })
}

fn catalogue_of(set: &TagSet, findings: &[Finding], clearance: Sensitivity) -> TagCatalogue {
    let seen: Vec<&TagDefinition> =
        set.definitions().iter().filter(|definition| definition.sensitivity <= clearance).collect();
    let families: Vec<FamilyOfTags> = set
        .families()
        .iter()
        .map(|family| FamilyOfTags {
            id: family.id.clone(),
            title: family.title.clone(),
            tags: seen
                .iter()
                .filter(|tag| tag.family == family.id)
                .map(|tag| TagSummary::from(*tag))
                .collect(),
        })
        .filter(|family| !family.tags.is_empty())
        .collect();
    TagCatalogue { families, tags: seen.len(), findings: findings.to_vec() }
}

/// A tag that exists for a reader of this clearance. One above it does not.
fn visible<'a>(
    set: &'a TagSet,
    clearance: Sensitivity,
    id: &str,
) -> Result<(usize, &'a TagDefinition), Error> {
    set.position(id)
        .and_then(|at| Some((at, set.definitions().get(at)?)))
        .filter(|(_, definition)| definition.sensitivity <= clearance)
        .ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "tag_unknown",
                format!("there is no tag \"{id}\""),
                "Look at the catalogue: `tidewaiter tags list`.",
            )
        })
}

fn detail(set: &TagSet, clearance: Sensitivity, id: &str) -> Result<TagDetail, Error> {
    let (_, definition) = visible(set, clearance, id)?;
    let family = set.families().iter().find(|family| family.id == definition.family);
    let cases = definition.cases.iter().map(|case| TagCase {
        expect: case.expect,
        note: case.note.clone(),
        entry: case.entry.iter().map(|(field, value)| (field.clone(), plain_text(value))).collect(),
        history_entries: case.history.iter().map(|entry| u64::from(entry.times)).sum(),
    });
    Ok(TagDetail {
        family_title: family.map_or_else(LocalizedText::default, |family| family.title.clone()),
        cases: cases.collect(),
        definition: definition.clone(),
    })
}

fn plain_text(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

impl Loaded {
    /// The marks of a tag, found on first asking.
    fn hit(&self, at: usize) -> Result<Arc<TagHit>, Error> {
        let mut hits = hold(&self.hits);
        if let Some(hit) = hits.get(&at) {
            return Ok(Arc::clone(hit));
        }
        let found = self.compiled.set.apply_some(&self.entries.table, &[at], &Silent);
        let hit = found.map_err(|error| match error {
            ApplyError::Cancelled => Error::cancelled(),
            ApplyError::TooManyRows(_) | ApplyError::OtherSchema(_) => {
                Error::internal("tags_not_applied", &error)
            }
        })?;
        let hit = Arc::new(hit.hits.into_iter().next().unwrap_or_default());
        hits.insert(at, Arc::clone(&hit));
        Ok(hit)
    }

    /// A reason as it is told to a reader from whom some fields are hidden.
    pub(super) fn reason(&self, why: ::tags::Why, hidden: &dyn Fn(&str) -> bool) -> TagReason {
        reason(why, &self.entries.table, hidden, &|row| self.place(row))
    }

    fn place(&self, row: usize) -> PlaceOfRow {
        let origin = self.entries.origin(row);
        PlaceOfRow {
            batch: origin.map(|(batch, _)| batch.to_owned()),
            row: origin.map(|(_, row)| row),
            line: None,
        }
    }
}

impl Customhouse {
    /// All tags in use that the reader may see.
    pub fn tag_catalogue(&self, reader: &Reader) -> Result<TagCatalogue, Error> {
        reader.require(Permission::ViewTags)?;
        let compiled = self.compiled_tags();
        Ok(catalogue_of(&compiled.set, &compiled.findings, reader.clearance()))
    }

    /// One tag with its cases.
    pub fn tag(&self, reader: &Reader, id: &str) -> Result<TagDetail, Error> {
        reader.require(Permission::ViewTags)?;
        detail(&self.compiled_tags().set, reader.clearance(), id)
    }

    /// Rows of the pool that carry a tag, latest admissions first, with the reason for each; at most 50.
    pub fn tag_on_real_rows(&self, reader: &Reader, id: &str, limit: usize) -> Result<TagRows, Error> {
        reader.require(Permission::ViewTags)?;
        visible(&self.compiled_tags().set, reader.clearance(), id)?;
        let loaded = self.rows_for_tags(reader)?;
        let (at, definition) = visible(&loaded.compiled.set, reader.clearance(), id)?;
        let hit = loaded.hit(at)?;
        let hidden = self.hidden_fields(reader, &loaded.entries)?;
        let latest =
            hit.rows.iter().rev().take(limit.min(REASONS_MAX)).filter_map(|row| usize::try_from(row).ok());
        let table = &loaded.entries.table;
        let rows = latest
            .filter_map(|row| loaded.compiled.set.why_marked(table, &hit, row))
            .map(|why| reason(why, table, &|field| hidden.contains(field), &|row| loaded.place(row)))
            .collect();
        Ok(TagRows {
            tag: TagSummary::from(definition),
            entries: count(table.len()),
            older_left_out: loaded.older_left_out,
            entries_simulated: loaded.entries.rows_simulated,
            carrying: hit.rows.len(),
            unknown: hit.unknown,
            position: loaded.entries.position,
            rows,
        })
    }

    /// Why a tag is, or is not, on a row of the pool.
    pub fn tag_on_row(&self, reader: &Reader, id: &str, batch: &str, row: u64) -> Result<TagReason, Error> {
        reader.require(Permission::ViewTags)?;
        visible(&self.compiled_tags().set, reader.clearance(), id)?;
        let loaded = self.rows_for_tags(reader)?;
        let (at, _) = visible(&loaded.compiled.set, reader.clearance(), id)?;
        let entries = &loaded.entries;
        let within = usize::try_from(row).unwrap_or(usize::MAX);
        let place = entries
            .batches
            .iter()
            .find(|own| !batch.is_empty() && own.batch.starts_with(batch) && within < own.rows)
            .map(|own| own.first_row.saturating_add(within))
            .ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    "row_unknown",
                    format!("no batch \"{batch}\" with a row {row} is among those that tags look at"),
                    "Check batch and row; rows count from 0, and only the latest million rows are looked at.",
                )
            })?;
        let hidden = self.hidden_fields(reader, entries)?;
        let hit = loaded.hit(at)?;
        let set = &loaded.compiled.set;
        let why = set
            .why_marked(&entries.table, &hit, place)
            .or_else(|| set.why(&entries.table, id, place))
            .ok_or_else(|| Error::internal("tag_not_explained", &id))?;
        Ok(reason(why, &entries.table, &|field| hidden.contains(field), &|row| loaded.place(row)))
    }

    /// The tags of the packs in use, compiled once until other packs are in use.
    pub(crate) fn compiled_tags(&self) -> Arc<Compiled> {
        let registry = self.registry();
        let packs: Vec<String> = registry.current().map(|pack| pack.hash.clone()).collect();
        let mut kept = hold(&self.tags.compiled);
        if let Some(compiled) = kept.as_ref().filter(|compiled| compiled.packs == packs) {
            return Arc::clone(compiled);
        }
        let (set, findings) = tag_set(&registry);
        let ids = set.definitions().iter().map(|definition| definition.id.clone());
        let places = ids.zip(0..).collect();
        let compiled = Arc::new(Compiled { packs, set, findings, places, reads: OnceLock::new() });
        *kept = Some(Arc::clone(&compiled));
        compiled
    }

    /// The pool's latest rows, loaded once until something else is admitted or other packs are in use. Whoever asks
    /// meanwhile waits for the first one.
    pub(super) fn rows_for_tags(&self, reader: &Reader) -> Result<Arc<Loaded>, Error> {
        reader.require(Permission::ViewPool)?;
        let compiled = self.compiled_tags();
        let mut kept = hold(&self.tags.loaded);
        let (batches, position, older_left_out) = self.latest_batches(reader)?;
        let same =
            |loaded: &&Arc<Loaded>| loaded.position == position && Arc::ptr_eq(&loaded.compiled, &compiled);
        if let Some(loaded) = kept.as_ref().filter(same) {
            return Ok(Arc::clone(loaded));
        }
        // The old rows go before the new ones come: they need not both be in memory.
        *kept = None;
        let entries = self.load_entries(reader, &BatchSelection::These(batches), &Silent)?;
        let hits = Mutex::new(BTreeMap::new());
        let loaded = Arc::new(Loaded { compiled, entries, older_left_out, position, hits });
        *kept = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// The latest batches with at most so many rows together, but at least one; the position of the latest, and
    /// whether there are more.
    pub(super) fn latest_batches(&self, reader: &Reader) -> Result<(Vec<String>, u64, bool), Error> {
        let (mut chosen, mut rows, mut latest, mut before) = (Vec::new(), 0_u64, 0, None);
        loop {
            let query = BatchQuery { before, state: Some(BatchState::Admitted), ..BatchQuery::default() };
            let page = self.list_batches(reader, &query)?;
            let Some(last) = page.last() else { return Ok((chosen, latest, false)) };
            before = Some(last.position);
            for batch in page {
                latest = latest.max(batch.position);
                rows = rows.saturating_add(batch.rows);
                if rows > ROWS_KEPT_MAX && !chosen.is_empty() {
                    return Ok((chosen, latest, true));
                }
                chosen.push(batch.id);
            }
        }
    }

    /// Fields that the reader may not see in any of these batches: windows reach over all of them.
    pub(super) fn hidden_fields(
        &self,
        reader: &Reader,
        entries: &Entries,
    ) -> Result<BTreeSet<String>, Error> {
        let mut hidden = BTreeSet::new();
        for batch in &entries.batches {
            hidden.extend(self.rows_page(reader, &batch.batch, 0, 0)?.withheld);
        }
        Ok(hidden)
    }
}
