//! What differs between two packs: by file, and for tags, rules and lists by id with the fields that changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::content::Pack;

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only in the second.
    Added,
    /// Only in the first.
    Removed,
    /// In both, different.
    Changed,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path in the pack.
    pub path: String,
    /// How.
    pub change: Change,
}

/// A field of a definition that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Path of the field, `title.en`.
    pub field: String,
    /// Its value in the first pack, as TOML.
    pub before: Option<String>,
    /// Its value in the second pack, as TOML.
    pub after: Option<String>,
}

/// A tag, rule or list that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefinitionChange {
    /// `tag`, `rule`, `list`: the name of its table in the file.
    pub table: String,
    /// Its id.
    pub id: String,
    /// How.
    pub change: Change,
    /// The fields that differ, where it is in both.
    pub fields: Vec<FieldChange>,
}

/// What differs between two packs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackDiff {
    /// First pack: id, version, content hash.
    pub before: (String, String, String),
    /// Second pack: id, version, content hash.
    pub after: (String, String, String),
    /// Files that differ, by path.
    pub files: Vec<FileChange>,
    /// Definitions that differ, by table and id.
    pub definitions: Vec<DefinitionChange>,
}

impl PackDiff {
    /// Is nothing different?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Compares two packs. A definition that moved to another file without a change is no difference of definitions.
#[must_use]
pub fn diff(before: &Pack, after: &Pack) -> PackDiff {
    let name = |pack: &Pack| (pack.manifest.id.clone(), pack.manifest.version.to_string(), pack.hash.clone());
    let files = changes(&before.files, &after.files)
        .map(|(path, change)| FileChange { path: path.clone(), change })
        .collect();
    let (old, new) = (definitions(before), definitions(after));
    let definitions = changes(&old, &new)
        .map(|((table, id), change)| DefinitionChange {
            table: table.clone(),
            id: id.clone(),
            change,
            fields: match (old.get(&(table.clone(), id.clone())), new.get(&(table.clone(), id.clone()))) {
                (Some(old), Some(new)) => field_changes(old, new),
                _ => Vec::new(),
            },
        })
        .collect();
    PackDiff { before: name(before), after: name(after), files, definitions }
}

fn changes<'a, K: Ord, V: PartialEq>(
    before: &'a BTreeMap<K, V>,
    after: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Change)> {
    let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter_map(|key| match (before.get(key), after.get(key)) {
        (None, Some(_)) => Some((key, Change::Added)),
        (Some(_), None) => Some((key, Change::Removed)),
        (Some(old), Some(new)) if old != new => Some((key, Change::Changed)),
        _ => None,
    })
}

/// Fields of a definition by their path.
type Fields = BTreeMap<String, String>;

/// Every table of an array of tables that has an `id`, by (array's name, id).
fn definitions(pack: &Pack) -> BTreeMap<(String, String), Fields> {
    let mut all = BTreeMap::new();
    for (path, _) in pack.files_with_extension("toml") {
        let Some(table) = pack.text(path).and_then(|text| text.parse::<toml::Table>().ok()) else { continue };
        for (name, value) in &table {
            for definition in value.as_array().into_iter().flatten().filter_map(toml::Value::as_table) {
                let Some(id) = definition.get("id").and_then(toml::Value::as_str) else { continue };
                let mut fields = Fields::new();
                flatten("", &toml::Value::Table(definition.clone()), &mut fields);
                all.insert((name.clone(), id.to_owned()), fields);
            }
        }
    }
    all
}

fn flatten(prefix: &str, value: &toml::Value, fields: &mut Fields) {
    if let Some(table) = value.as_table() {
        for (name, inner) in table {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            flatten(&path, inner, fields);
        }
    } else {
        fields.insert(prefix.to_owned(), value.to_string());
    }
}

fn field_changes(before: &Fields, after: &Fields) -> Vec<FieldChange> {
    changes(before, after)
        .map(|(field, _)| FieldChange {
            field: field.clone(),
            before: before.get(field).cloned(),
            after: after.get(field).cloned(),
        })
        .collect()
}
