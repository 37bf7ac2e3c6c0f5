//! Packs and tables for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, date};
use packs::Pack;
use rust_decimal::Decimal;
use spine::{EntryTable, Finding, Value, declaration_entry};
use tags::TagSet;

/// A pack of kind `tags` with these files.
pub(crate) fn pack(files: &[(&str, &str)]) -> Pack {
    let manifest = r#"
id = "test-tags"
version = "1.0.0"
kind = "tags"
title = { en = "Test", zh = "测试" }
owner = "Test"
legal_basis = "Test"
sensitivity = "official"
licence = "Apache-2.0 OR MIT"
"#;
    let files = std::iter::once(("pack.toml", manifest)).chain(files.iter().copied());
    let files: BTreeMap<String, Vec<u8>> =
        files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
    Pack::from_files(files).unwrap()
}

/// A file of one family with these tags; each is an id, what comes before `when`, and the condition.
pub(crate) fn family(tags: &[(&str, &str, &str)]) -> String {
    let mut text = "[family]\nid = \"family\"\ntitle = { en = \"Family\", zh = \"族\" }\n".to_owned();
    for (id, head, when) in tags {
        text.push_str(&format!(
            "[[tag]]\nid = \"{id}\"\ntitle = {{ en = \"T\", zh = \"题\" }}\ndescription = {{ en = \"D\" }}\n\
             inspection_hint = {{ en = \"H\", zh = \"示\" }}\n{head}\nwhen = '''{when}'''\n"
        ));
    }
    text
}

/// The tags of one file, which must be without fault.
pub(crate) fn tag_set(text: &str) -> TagSet {
    let (set, findings) = compile(text);
    assert!(findings.is_empty(), "{findings:#?}");
    set
}

/// The tags of one file, and what is wrong with it.
pub(crate) fn compile(text: &str) -> (TagSet, Vec<Finding>) {
    TagSet::from_packs(&[&pack(&[("family.toml", text)])], &declaration_entry::schema())
}

/// Day 0 of tests: a Thursday.
pub(crate) const DAY_0: Date = date(2026, 1, 1);

/// An entry in a few words: `day=3 importer_id=A net_mass=2.5 trusted_trader=true`.
pub(crate) fn entry(words: &str) -> Vec<Option<Value>> {
    let schema = declaration_entry::schema();
    let mut values: Vec<Option<Value>> = vec![None; schema.fields.len()];
    for word in words.split_whitespace() {
        let (name, text) = word.split_once('=').unwrap();
        let (name, value) = match name {
            "day" => ("date", Value::Date(day(text.parse().unwrap()))),
            "declaration" => ("declaration_id", Value::Text(text.to_owned())),
            _ if text.parse::<bool>().is_ok() => (name, Value::Boolean(text.parse().unwrap())),
            _ if schema.field(name).is_some_and(|field| field.field_type == spine::FieldType::Decimal) => {
                (name, Value::Decimal(text.parse::<Decimal>().unwrap()))
            }
            _ => (name, Value::Text(text.to_owned())),
        };
        values[schema.position(name).unwrap()] = Some(value);
    }
    values
}

/// The day so many days after day 0.
pub(crate) fn day(number: i64) -> Date {
    DAY_0.checked_add(jiff::Span::new().days(number)).unwrap()
}

/// A table of entries.
pub(crate) fn table(entries: &[&str]) -> EntryTable {
    table_of(entries.iter().map(|words| entry(words)))
}

/// A table of entries.
pub(crate) fn table_of(entries: impl IntoIterator<Item = Vec<Option<Value>>>) -> EntryTable {
    let mut table = EntryTable::empty(Arc::clone(&declaration_entry::schema()));
    for values in entries {
        table.push(values).unwrap();
    }
    table
}
