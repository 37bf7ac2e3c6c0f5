//! What holds for every rule, every table and every document.

use std::sync::Arc;

use jiff::civil::date;
use proptest::prelude::*;
use rules::{Budget, Lists, RulePack, Truth, compile_document_rule, compile_entry_rule, parse};
use rust_decimal::Decimal;
use spine::tree::Tree;
use spine::{EntryTable, FieldType, Value};

use crate::generate::{Generator, Over, Random};
use crate::support::{compile, lists, schema};

/// Conditions with what the generator does not make.
const SNIPPETS: [&str; 26] = [
    "n / m > 0.5",
    "n / 3 * 3 == n",
    "79228162514264337593543950335 * n > m",
    "round(n / 7) == floor(m / 7)",
    "coalesce(n, m, 3) > 1",
    "coalesce(t, u) == \"a\"",
    "has(n / m)",
    "d < e",
    "days_between(d, w) > 3",
    "add_days(d, n) == e",
    "d.getDayOfWeek() in [0, 6]",
    "w.getHours() >= 12 || w.getMinutes() == 0",
    "d == date(\"2026-03-11\")",
    "t in greek",
    "!(t.substring(0, 1) in greek)",
    "u == t",
    "hs_heading(u) in headings",
    "hs_chapter(t) == hs_chapter(u)",
    "is_country(t) || is_hs_code(u)",
    "number(t) > n",
    "size(t) + size(u) > n",
    "t.matches(r\"^[a-z]+$\")",
    "n in [m, 2, 3]",
    "sum([n, m, 1]) > max([n, 2])",
    "[t, u].exists_one(x, x == \"a\")",
    "(b ? d : e) == (c ? e : d)",
];

const TEXTS: [&str; 9] = ["", "a", "ab", "alpha", "8409", "87.08.29", "12", "NL", "象牙"];

/// A table from a seed; a third of the fields is absent.
fn table(random: &mut Random, rows: usize) -> EntryTable {
    let schema = schema();
    let mut table = EntryTable::empty(Arc::clone(&schema));
    for _ in 0..rows {
        let row = schema.fields.iter().map(|field| {
            let small = i32::try_from(random.below(9)).unwrap() - 3;
            let value = match field.field_type {
                FieldType::Text => Value::Text(random.pick(&TEXTS).to_owned()),
                FieldType::Decimal => Value::Decimal(Decimal::new(
                    i64::from(small) * 5,
                    u32::try_from(random.below(3)).unwrap(),
                )),
                FieldType::Date => {
                    Value::Date(date(2026, 3, 11).saturating_add(jiff::Span::new().days(small)))
                }
                FieldType::DateTime => {
                    let hour = i8::try_from(random.below(24)).unwrap();
                    Value::DateTime(
                        date(2026, 3, 11).saturating_add(jiff::Span::new().days(small)).at(hour, 5, 0, 0),
                    )
                }
                FieldType::Boolean => Value::Boolean(random.below(2) == 0),
            };
            if random.below(3) == 0 { None } else { Some(value) }
        });
        table.push(row.collect()).unwrap();
    }
    table
}

/// A rule over entries from everything.
fn entry_rule(generator: &mut Generator) -> String {
    let parts: Vec<String> = (0..=generator.random.below(3))
        .map(|_| {
            let part = if generator.random.below(2) == 0 {
                generator.rule().ours
            } else {
                generator.random.pick(&SNIPPETS).to_owned()
            };
            format!("{}({part})", generator.random.pick(&["", "!"]))
        })
        .collect();
    let joined = parts.join(generator.random.pick(&[" && ", " || ", " == "]));
    if generator.random.below(4) == 0 { format!("has(t) ? ({joined}) : n > 0") } else { joined }
}

/// Words of the language in any order.
fn soup(random: &mut Random) -> String {
    const WORDS: [&str; 42] = [
        "a",
        "t",
        "n",
        "x",
        "true",
        "null",
        "in",
        "greek",
        "this",
        "root",
        "1",
        "2.5",
        "1e9",
        "\"a\"",
        "'b'",
        "r\"\\\"",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "?",
        ":",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "has(",
        "size(",
        ".exists(x,",
        ".size()",
        "`q`",
        "// c\n",
    ];
    (0..random.below(14)).map(|_| random.pick(&WORDS)).collect::<Vec<_>>().join(random.pick(&["", " "]))
}

/// A document with names that rules ask for, nested at random.
fn document(random: &mut Random) -> Tree {
    let mut tree = Tree::new("DOC");
    let mut nodes = vec![tree.root()];
    for _ in 0..random.below(40) {
        let parent = nodes[random.below(nodes.len())];
        let text = random.pick(&["", "1", "-2.5", "a", "20260311", "x y"]);
        nodes.push(
            tree.add(parent, random.pick(&["HEAD", "ITEM", "N", "M", "T", "U", "V", "a"]), text).unwrap(),
        );
    }
    tree
}

/// Changes that keep a rule's truth from being known: as if one field had been left empty.
fn without(table: &EntryTable, field: usize) -> EntryTable {
    let mut changed = EntryTable::empty(Arc::clone(table.schema()));
    for row in 0..table.len() {
        let values = table.columns().iter().enumerate();
        changed
            .push(values.map(|(at, column)| if at == field { None } else { column.value(row) }).collect())
            .unwrap();
    }
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn many_rows_at_once_answer_what_each_row_and_its_explanation_answers(seed: u64, rows in 1_usize..200) {
        let mut generator = Generator::new(seed, Over::Entry);
        let table = table(&mut generator.random, rows);
        let source = entry_rule(&mut generator);
        let expression = parse(&source).unwrap();
        let Ok(rule) = compile_entry_rule(&expression, &schema(), &lists()) else { return Ok(()) };
        let truths = rule.evaluate(&table, 0..rows);
        prop_assert_eq!(truths.len(), rows);
        for row in 0..rows {
            prop_assert!(!(truths.is_true(row) && truths.is_unknown(row)));
            let explained = rule.explain(&table, row).truth;
            prop_assert_eq!(Some(truths.truth(row)), explained, "row {} of {}", row, source);
        }
        let start = generator.random.below(rows);
        let part = rule.evaluate(&table, start..rows);
        for row in start..rows {
            prop_assert_eq!(part.truth(row - start), truths.truth(row), "row {} from {} of {}", row, start, source);
        }
        let counted = (0..rows).filter(|row| truths.is_true(*row)).count();
        prop_assert_eq!(counted, truths.true_count());
    }

    #[test]
    fn less_knowledge_never_turns_an_answer_round(seed: u64) {
        let mut generator = Generator::new(seed, Over::Entry);
        let table = table(&mut generator.random, 30);
        let source = entry_rule(&mut generator);
        // These two ask about absence itself.
        if source.contains("has(") || source.contains("coalesce(") {
            return Ok(());
        }
        let Ok(rule) = compile_entry_rule(&parse(&source).unwrap(), &schema(), &lists()) else { return Ok(()) };
        let field = generator.random.below(table.columns().len());
        let (before, after) = (rule.evaluate(&table, 0..30), rule.evaluate(&without(&table, field), 0..30));
        for row in 0..30 {
            let truth = after.truth(row);
            prop_assert!(truth == Truth::Unknown || truth == before.truth(row), "row {} of {}", row, source);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused_with_its_place(source in "\\PC{0,60}|[ -~\n\t]{0,80}") {
        if let Err(error) = parse(&source) {
            prop_assert!(error.span.start <= error.span.end && error.span.end <= source.len());
            let (line, column) = error.line_column(&source);
            let start = format!("line {line}, column {column}: ");
            prop_assert!(error.render(&source).starts_with(&start));
            prop_assert!(error.render(&source).contains('^'));
        }
    }

    #[test]
    fn the_canonical_spelling_is_the_same_rule(seed: u64) {
        let mut random = Random(seed);
        let mut sources = vec![
            Generator::new(seed, Over::Entry).rule().ours,
            Generator::new(seed, Over::Document).rule().ours,
        ];
        sources.extend((0..50).map(|_| soup(&mut random)));
        for source in sources {
            let Ok(parsed) = parse(&source) else { continue };
            let printed = parsed.to_string();
            match parse(&printed) {
                Ok(again) => {
                    prop_assert_eq!(&again, &parsed, "{} printed as {}", source, printed);
                    prop_assert_eq!(again.to_string(), printed);
                }
                Err(error) => prop_assert!(false, "{source} printed as {printed}: {error}"),
            }
        }
    }

    #[test]
    fn whatever_words_compile_can_be_evaluated_and_explained(seed: u64) {
        let mut random = Random(seed);
        let (table, document) = (table(&mut random, 5), document(&mut random));
        for _ in 0..100 {
            let source = soup(&mut random);
            let Ok(expression) = parse(&source) else { continue };
            match compile_entry_rule(&expression, &schema(), &lists()) {
                Ok(rule) => {
                    let truths = rule.evaluate(&table, 0..5);
                    prop_assert_eq!(rule.explain(&table, 4).truth, Some(truths.truth(4)), "{}", source);
                }
                Err(errors) => prop_assert!(!errors.is_empty() && errors.iter().all(|error| !error.render(&source).is_empty())),
            }
            match compile_document_rule(&expression, &Lists::default()) {
                Ok(rule) => {
                    let truth = rule.evaluate(&document, document.root(), &mut Budget::of_steps(10_000));
                    let explained = rule.explain(&document, document.root(), &mut Budget::of_steps(10_000));
                    prop_assert_eq!(explained.truth, Some(truth), "{}", source);
                }
                Err(errors) => prop_assert!(!errors.is_empty()),
            }
        }
    }

    #[test]
    fn a_pack_finds_what_each_rule_answers_at_each_place(seed: u64) {
        let mut generator = Generator::new(seed, Over::Document);
        let document = document(&mut generator.random);
        // Some rules need elements that the document lacks: they are not asked, and would not be true.
        let mut sources: Vec<String> = (0..8).map(|_| generator.rule().ours).collect();
        sources.extend((0..40).map(|_| soup(&mut generator.random)));
        sources.retain(|source| {
            let expression = parse(source);
            expression.is_ok_and(|own| compile_document_rule(&own, &Lists::default()).is_ok())
        });
        let contexts = [("/", vec![]), ("/ITEM", vec!["ITEM"]), ("/ITEM/V", vec!["ITEM", "V"])];
        let mut text = "[document]\nroots = [\"DOC\"]\n".to_owned();
        let mut expected: Vec<(spine::tree::NodeId, usize)> = Vec::new();
        for (number, source) in sources.iter().enumerate() {
            let (context, path) = &contexts[number % contexts.len()];
            text.push_str(&format!(
                "[[rule]]\nid = \"r{number}\"\ncode = \"C\"\ncontext = \"{context}\"\nwhen = {source:?}\nseverity = \"error\"\n\
                 message = {{ en = \"a\", zh = \"a\" }}\nhow_to_fix = {{ en = \"a\", zh = \"a\" }}\n"
            ));
            let rule = compile_document_rule(&parse(source).unwrap(), &Lists::default()).unwrap();
            let nodes = document.at_path(path).into_iter();
            let true_at = nodes.filter(|node| {
                rule.evaluate(&document, *node, &mut Budget::of_steps(1_000_000)) == Truth::True
            });
            expected.extend(true_at.map(|node| (node, number)));
        }
        expected.sort_unstable();
        let (pack, findings) = RulePack::from_toml("laws.toml", &text, &Lists::default());
        prop_assert_eq!(findings, vec![]);
        let found: Vec<String> =
            pack.check(&document).iter().map(|found| format!("{} {}", found.pointer, found.rule_id)).collect();
        let expected: Vec<String> =
            expected.iter().map(|(node, rule)| format!("{} r{rule}", document.pointer(*node))).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }

    #[test]
    fn a_document_rule_answers_the_same_or_says_that_its_budget_ended(seed: u64, steps in 0_u64..300) {
        let mut generator = Generator::new(seed, Over::Document);
        let document = document(&mut generator.random);
        let source = generator.rule().ours;
        let Ok(rule) = compile_document_rule(&parse(&source).unwrap(), &lists()) else { return Ok(()) };
        for node in 0..document.len() {
            let node = spine::tree::NodeId(u32::try_from(node).unwrap());
            let mut enough = Budget::of_steps(1_000_000);
            let truth = rule.evaluate(&document, node, &mut enough);
            prop_assert!(!enough.is_exhausted());
            prop_assert_eq!(rule.explain(&document, node, &mut enough).truth, Some(truth), "{}", source);
            let mut little = Budget::of_steps(steps);
            let found = rule.evaluate(&document, node, &mut little);
            prop_assert!(if little.is_exhausted() { found == Truth::Unknown } else { found == truth }, "{}", source);
        }
    }
}

#[test]
fn the_snippets_are_rules() {
    for snippet in SNIPPETS {
        compile(snippet);
    }
}
