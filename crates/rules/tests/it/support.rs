//! A small record and a small document that the tests ask about.

use std::sync::Arc;

use jiff::civil::{date, datetime};
use rules::{EntryRule, Lists, compile_entry_rule, parse};
use spine::tree::Tree;
use spine::{EntrySchema, EntryTable, FieldDefinition, FieldType, LocalizedText, Sensitivity, Value};

/// Fields of every type, in this order: t u (texts), n m (numbers), d e (dates), w (date with time), b c (booleans).
pub(crate) fn schema() -> Arc<EntrySchema> {
    let field = |name: &str, field_type| FieldDefinition {
        name: name.to_owned(),
        field_type,
        unit: None,
        sensitivity: Sensitivity::Official,
        required: false,
        title: LocalizedText::default(),
    };
    Arc::new(EntrySchema {
        id: "test".to_owned(),
        version: 1,
        fields: vec![
            field("t", FieldType::Text),
            field("u", FieldType::Text),
            field("n", FieldType::Decimal),
            field("m", FieldType::Decimal),
            field("d", FieldType::Date),
            field("e", FieldType::Date),
            field("w", FieldType::DateTime),
            field("b", FieldType::Boolean),
            field("c", FieldType::Boolean),
        ],
    })
}

pub(crate) fn lists() -> Lists {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Lists(
        [("greek".to_owned(), list(&["alpha", "beta"])), ("headings".to_owned(), list(&["8409", "8708"]))]
            .into(),
    )
}

/// A table of three rows: everything there; other values; nothing there.
pub(crate) fn table() -> EntryTable {
    let mut table = EntryTable::empty(schema());
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let number = |text: &str| Some(Value::Decimal(text.parse().unwrap()));
    let rows = [
        vec![
            text("alpha"),
            text("87.08.29"),
            number("2.50"),
            number("-3"),
            Some(Value::Date(date(2026, 3, 11))),
            Some(Value::Date(date(2026, 2, 28))),
            Some(Value::DateTime(datetime(2026, 3, 11, 22, 5, 0, 0))),
            Some(Value::Boolean(true)),
            Some(Value::Boolean(false)),
        ],
        vec![
            text("Omega 象"),
            text("8409"),
            number("0"),
            number("7"),
            Some(Value::Date(date(2024, 2, 29))),
            Some(Value::Date(date(2025, 2, 28))),
            Some(Value::DateTime(datetime(2024, 2, 29, 0, 0, 0, 0))),
            Some(Value::Boolean(false)),
            Some(Value::Boolean(false)),
        ],
        vec![None; 9],
    ];
    for row in rows {
        table.push(row).unwrap();
    }
    table
}

/// Compiles, or panics with what an author would read.
pub(crate) fn compile(source: &str) -> EntryRule {
    let expression = parse(source).unwrap_or_else(|error| panic!("{}", error.render(source)));
    compile_entry_rule(&expression, &schema(), &lists()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(|error| error.render(source)).collect::<Vec<_>>().join("\n"))
    })
}

/// A document from indented lines `NAME` or `NAME = text`, two blanks a level.
pub(crate) fn tree(outline: &str) -> Tree {
    let mut lines = outline.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap();
    let margin = first.len() - first.trim_start().len();
    let mut tree = Tree::new(first.trim());
    let mut open = vec![tree.root()];
    for line in lines {
        let level = (line.len() - line.trim_start().len() - margin) / 2;
        let (name, text) = line.trim().split_once(" = ").unwrap_or((line.trim(), ""));
        open.truncate(level);
        let parent = *open.last().unwrap();
        open.push(tree.add(parent, name, text).unwrap());
    }
    tree
}

/// The lines of a table `a | b | c`, cells trimmed.
pub(crate) fn cells(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(" | ").map(str::trim).collect())
}
