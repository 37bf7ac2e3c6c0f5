//! Why a tag is on an entity, of a folder of history.

use std::path::{Path, PathBuf};

use ::pool::lanes::LaneValues;
use ::rules::{Explanation, Lists};
use ::tags::matcher::{Block, Matched, Scratch, Sink};
use packs::Registry;
use serde::Serialize;
use spine::{EntrySchema, EntryTable};

use super::backfill::{Meanings, block_of, rules_again};
use super::folder::Folder;
use super::manifest::Manifest;
use super::source::{open, unreadable};
use crate::error::{Error, Kind};
use crate::tags::matching::{lane, matcher_of};
use crate::tags::rule_file::ReadRule;

/// Why a tag is on an entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryLineage {
    /// The tag.
    pub tag: String,
    /// Its condition.
    pub when: String,
    /// Hash of the condition with the lists that it names: what its answers rest on beside the entries.
    pub meaning: String,
    /// The entity.
    pub entity: String,
    /// Its entries that carry the tag.
    pub entries: u64,
    /// The first of them.
    pub first: ExplainedEntry,
    /// The last of them; absent where it is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<ExplainedEntry>,
    /// False where some entries were not yet asked.
    pub complete: bool,
}

/// An entry that carries a tag, and what made it true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedEntry {
    /// Its file.
    pub file: PathBuf,
    /// Its row, from 0.
    pub row: u64,
    /// The fields that the condition reads, with their values.
    pub values: Vec<(String, String)>,
    /// Which parts of the condition were true.
    pub explanation: Explanation,
}

/// Why a tag is on an entity: how many entries brought it, the first and the last of them, read again from their file,
/// and which parts of the condition were true there.
///
/// # Errors
/// `tag_unknown`, `tag_not_on_entity`, `tag_changed`, `history_unreadable`, `history_damaged`,
/// `entries_unreadable`, `entries_changed`.
pub fn explain_in_history(
    registry: &Registry,
    folder: &Path,
    tag: &str,
    entity: &str,
) -> Result<HistoryLineage, Error> {
    let lists = Lists(registry.lists());
    explained(&Folder::to_read(folder)?, &lists, tag, entity)
}

fn explained(folder: &Folder, lists: &Lists, tag: &str, entity: &str) -> Result<HistoryLineage, Error> {
    let manifest = &folder.manifest;
    let own = folder.tag(tag).ok_or_else(|| {
        let detail = format!("the history has no tag {tag}");
        Error::new(Kind::NotFound, "tag_unknown", detail, "Spell it as the file of rules does.")
    })?;
    let number = folder.names.number(entity);
    let lineage = number.map(|entity| folder.lineage(own.number, entity)).transpose()?.flatten();
    let lineage = lineage.ok_or_else(|| {
        Error::new(
            Kind::NotFound,
            "tag_not_on_entity",
            format!("no entry of \"{}\" carries the tag {tag}", entity.chars().take(64).collect::<String>()),
            "`tags query` names who carries a tag.",
        )
    })?;
    let explained = |entry: u64| -> Result<ExplainedEntry, Error> {
        let (file, row) = place(manifest, entry)?;
        let schema = EntrySchema::clone(open(&file)?.schema());
        let rules = rules_again(std::iter::once((tag, own.when.as_str())), &schema, lists)?;
        let rule = rules.first().filter(|rule| Meanings::of(lists).of_rule(rule) == own.meaning);
        let rule = rule.ok_or_else(|| {
            Error::new(
                Kind::Refused,
                "tag_changed",
                format!("a list that the tag {tag} names is not what it was"),
                "Run `tags backfill` again: it puts the tag on all entries anew.",
            )
        })?;
        entry_of(file, row, rule, &manifest.by)
    };
    let (done, total) = manifest.progress();
    Ok(HistoryLineage {
        tag: tag.to_owned(),
        when: own.when.clone(),
        meaning: own.meaning.clone(),
        entity: entity.to_owned(),
        entries: lineage.entries,
        first: explained(lineage.first)?,
        last: (lineage.last > lineage.first).then(|| explained(lineage.last)).transpose()?,
        complete: done == total,
    })
}

fn place(manifest: &Manifest, entry: u64) -> Result<(PathBuf, u64), Error> {
    let source = manifest.source_of(entry).map(|(source, row)| (source.path.clone(), row));
    source.ok_or_else(|| super::damaged(&"an entry is beyond all files"))
}

/// Reads one row and explains it.
fn entry_of(file: PathBuf, row: u64, rule: &ReadRule, by: &str) -> Result<ExplainedEntry, Error> {
    // A condition without fields still has its entry.
    let columns: Vec<&str> = rule.rule.fields().iter().map(String::as_str).chain([by]).collect();
    let changed = || {
        Error::new(
            Kind::Refused,
            "entries_changed",
            format!("row {row} of {} does not carry the tag any more", file.display()),
            "Bring the file back that was tagged, or make the history anew in another folder.",
        )
    };
    let reader = open(&file)?.read_from(&columns, 1, row);
    let mut reader = reader.map_err(|finding| unreadable(&file, finding))?;
    let schema = reader.schema().clone();
    let lanes = reader.next_lanes().map_err(|finding| unreadable(&file, finding))?.ok_or_else(changed)?;
    let table = table_of(&schema, &lanes).ok_or_else(changed)?;
    if !holds(rule, &block_of(&schema, &lanes)?)? {
        return Err(changed());
    }
    let value = |name: &str| table.column(name).and_then(|column| column.value(0));
    let values = rule.rule.fields().iter();
    let values = values.filter_map(|name| Some((name.clone(), value(name)?.to_string())));
    Ok(ExplainedEntry { values: values.collect(), explanation: rule.rule.explain(&table, 0), row, file })
}

/// Does an entry carry the tag? Asked as it was when the tag was put on it, floating point included.
fn holds(rule: &ReadRule, block: &Block<'_>) -> Result<bool, Error> {
    struct Found(bool);
    impl Sink for Found {
        fn matched(&mut self, _: u32, _: Matched<'_>) {
            self.0 = true;
        }
    }
    let mut found = Found(false);
    matcher_of([&rule.rule])?.run(block, 0..block.len(), &mut Scratch::default(), &mut found);
    Ok(found.0)
}

/// Lanes of one row as a table of one entry.
fn table_of(schema: &EntrySchema, lanes: &[LaneValues]) -> Option<EntryTable> {
    let columns =
        schema.fields.iter().zip(lanes).map(|(field, values)| lane(values).column(0..1, field.field_type));
    let columns = columns.collect::<Option<Vec<_>>>()?;
    EntryTable::from_columns(schema.clone().into(), columns).ok()
}
