//! Outcomes that come in a file of their own, joined to their declarations.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use spine::declaration_entry::OUTCOME_FIELDS;
use spine::{Column, EntrySchema, EntryTable, Finding, Pointer, Value};

use crate::intake::{FindingGroup, Groups};

/// What came of a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinSummary {
    /// Outcomes that found their declaration.
    pub joined: u64,
    /// Outcomes without a declaration.
    pub without_declaration: u64,
    /// Outcomes of a declaration that had one already; the first stays.
    pub repeated: u64,
    /// The same, as findings with examples.
    pub findings: Vec<FindingGroup>,
}

type Key = (String, Option<String>);

fn keys(table: &EntryTable, with_items: bool) -> impl Iterator<Item = Option<Key>> {
    (0..table.len()).map(move |row| {
        let id = table.texts("declaration_id")?.get(row)?.to_owned();
        let item =
            if with_items { table.value(row, "item_number").map(|value| value.to_string()) } else { None };
        Some((id, item))
    })
}

fn has_items(table: &EntryTable) -> bool {
    table.decimals("item_number").is_some_and(|items| items.iter().any(Option::is_some))
}

/// The schema under which a file of outcomes is read: like `schema`, but only the declaration number is required.
#[must_use]
pub fn outcome_schema(schema: &EntrySchema) -> Arc<EntrySchema> {
    let mut outcomes = schema.clone();
    for field in &mut outcomes.fields {
        field.required = field.name == "declaration_id";
    }
    Arc::new(outcomes)
}

/// Fills the outcome fields of `declarations` from `outcomes`, by declaration number and, where both have it, item
/// number. What an outcome does not say stays as it was; a joined declaration counts as inspected unless it says no.
#[must_use]
pub fn join_outcomes(declarations: &EntryTable, outcomes: &EntryTable) -> (EntryTable, JoinSummary) {
    let with_items = has_items(declarations) && has_items(outcomes);
    let mut groups = Groups::default();
    let mut summary = JoinSummary { joined: 0, without_declaration: 0, repeated: 0, findings: Vec::new() };
    let mut outcome_of: HashMap<Key, (usize, bool)> = HashMap::new();
    for (row, key) in keys(outcomes, with_items).enumerate() {
        let Some(key) = key else { continue };
        match outcome_of.entry(key) {
            Entry::Vacant(place) => {
                place.insert((row, false));
            }
            Entry::Occupied(place) => {
                summary.repeated = summary.repeated.saturating_add(1);
                groups.add(
                    "",
                    &Finding::warning("outcome_repeated")
                        .at(Pointer(format!("outcome[{}]", row.saturating_add(1))))
                        .found(&place.key().0)
                        .expected("one outcome a declaration")
                        .fix("The first one counts. Keep one row, or add item numbers to both files."),
                );
            }
        }
    }
    let mut source_rows: Vec<Option<usize>> = Vec::with_capacity(declarations.len());
    for key in keys(declarations, with_items) {
        let found = key.and_then(|key| outcome_of.get_mut(&key));
        source_rows.push(found.map(|(row, used)| {
            *used = true;
            *row
        }));
    }
    let mut unused: Vec<&Key> =
        outcome_of.iter().filter(|(_, (_, used))| !used).map(|(key, _)| key).collect();
    unused.sort_unstable();
    for key in unused {
        summary.without_declaration = summary.without_declaration.saturating_add(1);
        groups.add(
            "",
            &Finding::warning("outcome_without_declaration")
                .found(&key.0)
                .expected("a declaration of this number")
                .fix("Check that both files cover the same period and spell numbers alike."),
        );
    }
    summary.joined = u64::try_from(source_rows.iter().flatten().count()).unwrap_or(u64::MAX);
    summary.findings = groups.into_sorted();
    (merge(declarations, outcomes, &source_rows), summary)
}

fn merge(declarations: &EntryTable, outcomes: &EntryTable, source_rows: &[Option<usize>]) -> EntryTable {
    let columns: Vec<Column> = declarations
        .schema()
        .fields
        .iter()
        .zip(declarations.columns())
        .map(|(field, own)| {
            let theirs =
                outcomes.column(&field.name).filter(|_| OUTCOME_FIELDS.contains(&field.name.as_str()));
            let Some(theirs) = theirs else { return own.clone() };
            let mut merged = Column::empty(field.field_type);
            for (row, source) in source_rows.iter().enumerate() {
                let mut value = source.and_then(|source| theirs.value(source));
                if value.is_none() {
                    value = own.value(row);
                }
                if field.name == "inspected" {
                    value = Some(value.unwrap_or(Value::Boolean(source.is_some())));
                }
                // Both columns are of the field's own type, so this cannot refuse.
                let _ = merged.push(value);
            }
            merged
        })
        .collect();
    EntryTable::from_columns(Arc::clone(declarations.schema()), columns)
        .unwrap_or_else(|_| declarations.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, Option<bool>)]) -> EntryTable {
        let schema = outcome_schema(&spine::declaration_entry::schema());
        let mut table = EntryTable::empty(Arc::clone(&schema));
        for (id, irregular) in rows {
            let values = schema
                .fields
                .iter()
                .map(|field| match field.name.as_str() {
                    "declaration_id" => Some(Value::Text((*id).to_owned())),
                    "irregular" => irregular.map(Value::Boolean),
                    _ => None,
                })
                .collect();
            table.push(values).unwrap();
        }
        table
    }

    #[test]
    fn outcomes_find_their_declarations_and_the_rest_is_said() {
        let declarations = table(&[("A", None), ("B", None), ("C", None)]);
        let outcomes = table(&[("B", Some(true)), ("B", Some(false)), ("X", Some(true)), ("C", Some(false))]);
        let (joined, summary) = join_outcomes(&declarations, &outcomes);
        assert_eq!((summary.joined, summary.without_declaration, summary.repeated), (2, 1, 1));
        assert_eq!(joined.booleans("irregular").unwrap(), [None, Some(true), Some(false)]);
        assert_eq!(joined.booleans("inspected").unwrap(), [Some(false), Some(true), Some(true)]);
    }
}
