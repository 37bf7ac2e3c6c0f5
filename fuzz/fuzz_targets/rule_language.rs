//! Any text as a rule: parsed or refused with a place that can be shown; what parses, prints and parses again the
//! same; what compiles, answers within its budget, over entries and over a document.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use rules::{Budget, Lists, Truth, compile_document_rule, compile_entry_rule, parse};
use spine::tree::Tree;
use spine::{EntryTable, FieldType, Value, declaration_entry};

static LISTS: LazyLock<Lists> =
    LazyLock::new(|| Lists([("codes".to_owned(), ["8517".to_owned()].into())].into()));

static TABLE: LazyLock<EntryTable> = LazyLock::new(|| {
    let schema = declaration_entry::schema();
    let mut table = EntryTable::empty(Arc::clone(&schema));
    for there in [true, false] {
        let row = schema
            .fields
            .iter()
            .map(|field| {
                let value = match field.field_type {
                    FieldType::Text => Value::Text("8517120000 é".to_owned()),
                    FieldType::Decimal => Value::Decimal("12.5".parse().expect("a number")),
                    FieldType::Date => Value::Date("2024-02-29".parse().expect("a date")),
                    FieldType::DateTime => Value::DateTime("2024-02-29T23:59:00".parse().expect("a time")),
                    FieldType::Boolean => Value::Boolean(true),
                };
                there.then_some(value)
            })
            .collect();
        table.push(row).expect("values of the fields' types");
    }
    table
});

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let mut tree = Tree::new("A");
    for text in ["1", "2", "x", ""] {
        let item = tree.add(tree.root(), "B", "").expect("room");
        tree.add(item, "C", text);
    }
    tree
});

fuzz_target!(|source: &str| {
    let expression = match parse(source) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(!error.render(source).is_empty());
            return;
        }
    };
    let printed = expression.to_string();
    assert_eq!(parse(&printed).expect("what is printed"), expression, "{printed}");
    match compile_entry_rule(&expression, TABLE.schema(), &LISTS) {
        Ok(rule) => {
            let truths = rule.evaluate(&TABLE, 0..TABLE.len());
            for row in 0..TABLE.len() {
                assert!(!(truths.is_true(row) && truths.is_unknown(row)));
                let _ = rule.explain(&TABLE, row);
            }
        }
        Err(errors) => errors.iter().for_each(|error| assert!(!error.render(source).is_empty())),
    }
    if let Ok(rule) = compile_document_rule(&expression, &LISTS) {
        let mut budget = Budget::of_steps(20_000);
        let truth = rule.evaluate(&TREE, TREE.root(), &mut budget);
        assert!(!budget.is_exhausted() || truth == Truth::Unknown);
        let _ = rule.explain(&TREE, TREE.root(), &mut Budget::of_steps(20_000));
    }
});
