//! Another implementation of the shared subset as the oracle: the crate `cel`. What is unknown here is an error
//! there. [`crate::generate`] says what the subset is, docs/rules.md what differs outside it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::{Context, Env, Value as Cel, extensions};
use rules::{Budget, Truth, compile_document_rule, compile_entry_rule, parse};
use rust_decimal::Decimal;
use spine::tree::Tree;
use spine::{EntryTable, FieldType, Value};

use crate::generate::{Generator, Over, Pair, Random};
use crate::support::{lists, schema};

/// Rules that must have been compared, of both kinds together.
const COMPARED_MIN: usize = 20_000;
const ENTRY_RULES: usize = 15_000;
const DOCUMENT_RULES: usize = 9_000;

const TEXTS: [&str; 6] = ["", "a", "ab", "B", "象", " ba"];

fn environment() -> Arc<Env> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings).unwrap();
    env.add_extension(extensions::math).unwrap();
    Arc::new(env)
}

/// What compares, and how often the answer was true, false and unknown.
#[derive(Debug, Default)]
struct Tally {
    rules: usize,
    passed_over: usize,
    answers: BTreeMap<String, usize>,
}

impl Tally {
    fn compare(&mut self, pair: &Pair, place: &str, ours: Truth, theirs: &Result<Cel, String>) {
        let expected = match theirs {
            Ok(Cel::Bool(true)) => Truth::True,
            Ok(Cel::Bool(false)) => Truth::False,
            Ok(other) => panic!("{} is {other:?}", pair.cel),
            Err(_) => Truth::Unknown,
        };
        assert_eq!(ours, expected, "{}\n{}\nat {place}: {theirs:?}", pair.ours, pair.cel);
        *self.answers.entry(format!("{ours:?}")).or_default() += 1;
    }
}

/// Ten entries, of which about a third of the fields is absent.
fn entries(random: &mut Random) -> (EntryTable, Vec<HashMap<String, Cel>>) {
    let schema = schema();
    let (mut table, mut maps) = (EntryTable::empty(Arc::clone(&schema)), Vec::new());
    for _ in 0..10 {
        let (mut row, mut map) = (Vec::new(), HashMap::new());
        for field in &schema.fields {
            let (ours, theirs) = match field.field_type {
                _ if random.below(3) == 0 => (None, None),
                FieldType::Text => {
                    let text = random.pick(&TEXTS);
                    (Some(Value::Text(text.to_owned())), Some(Cel::from(text)))
                }
                FieldType::Decimal => {
                    let number = i64::try_from(random.below(12)).unwrap() - 4;
                    (Some(Value::Decimal(Decimal::from(number))), Some(Cel::Int(number)))
                }
                FieldType::Boolean => {
                    let yes = random.below(2) == 0;
                    (Some(Value::Boolean(yes)), Some(Cel::Bool(yes)))
                }
                FieldType::Date | FieldType::DateTime => (None, None),
            };
            row.push(ours);
            map.extend(theirs.map(|theirs| (field.name.clone(), theirs)));
        }
        table.push(row).unwrap();
        maps.push(map);
    }
    (table, maps)
}

fn over_entries(tally: &mut Tally) {
    let env = environment();
    let mut generator = Generator::new(1, Over::Entry);
    let (table, maps) = entries(&mut generator.random);
    let contexts: Vec<Context<'_, '_>> = maps
        .into_iter()
        .map(|map| {
            let mut context = Context::with_env(Arc::clone(&env));
            context.add_variable_from_value("e", map);
            context
        })
        .collect();
    for _ in 0..ENTRY_RULES {
        let pair = generator.rule();
        let expression = parse(&pair.ours).unwrap_or_else(|error| panic!("{}", error.render(&pair.ours)));
        let Ok(rule) = compile_entry_rule(&expression, &schema(), &lists()) else {
            tally.passed_over += 1;
            continue;
        };
        let program = env.compile(&pair.cel).unwrap_or_else(|error| panic!("{}: {error}", pair.cel));
        let truths = rule.evaluate(&table, 0..table.len());
        for (row, context) in contexts.iter().enumerate() {
            let theirs = program.execute(context).map_err(|error| error.to_string());
            tally.compare(&pair, &format!("row {row}"), truths.truth(row), &theirs);
        }
        tally.rules += 1;
    }
}

/// A document and the same as CEL's variables HEAD and ITEM.
fn document(random: &mut Random) -> (Tree, HashMap<String, Cel>, Vec<Cel>) {
    let mut tree = Tree::new("DOC");
    let group = |tree: &mut Tree, random: &mut Random, name: &str, fields: &[&str]| {
        let node = tree.add(tree.root(), name, "").unwrap();
        let mut map: HashMap<String, Cel> = HashMap::new();
        for field in fields {
            if random.below(3) == 0 {
                continue;
            }
            if matches!(*field, "T" | "U") {
                // A tree trims its texts.
                let text = random.pick(&TEXTS).trim();
                tree.add(node, field, text);
                map.insert((*field).to_owned(), Cel::from(text));
            } else {
                let number = i64::try_from(random.below(9)).unwrap() - 3;
                tree.add(node, field, &number.to_string());
                map.insert((*field).to_owned(), Cel::Int(number));
            }
        }
        (node, map)
    };
    let (_, head) = group(&mut tree, random, "HEAD", &["N", "M", "T", "U"]);
    let mut items = Vec::new();
    for _ in 0..random.below(4) {
        let (node, mut map) = group(&mut tree, random, "ITEM", &["N", "T"]);
        let numbers: Vec<i64> =
            (0..random.below(4)).map(|_| i64::try_from(random.below(9)).unwrap()).collect();
        for number in &numbers {
            tree.add(node, "V", &number.to_string());
        }
        map.insert("V".to_owned(), Cel::from(numbers.into_iter().map(Cel::Int).collect::<Vec<_>>()));
        items.push(Cel::from(map));
    }
    (tree, head, items)
}

fn over_documents(tally: &mut Tally) {
    let env = environment();
    let mut generator = Generator::new(2, Over::Document);
    let documents: Vec<(Tree, Context<'_, '_>)> = (0..8)
        .map(|_| {
            let (tree, head, items) = document(&mut generator.random);
            let mut context = Context::with_env(Arc::clone(&env));
            context.add_variable_from_value("HEAD", head);
            context.add_variable_from_value("ITEM", items);
            (tree, context)
        })
        .collect();
    for _ in 0..DOCUMENT_RULES {
        let pair = generator.rule();
        let expression = parse(&pair.ours).unwrap_or_else(|error| panic!("{}", error.render(&pair.ours)));
        let Ok(rule) = compile_document_rule(&expression, &lists()) else {
            tally.passed_over += 1;
            continue;
        };
        let program = env.compile(&pair.cel).unwrap_or_else(|error| panic!("{}: {error}", pair.cel));
        for (at, (tree, context)) in documents.iter().enumerate() {
            let ours = rule.evaluate(tree, tree.root(), &mut Budget::of_steps(1_000_000));
            let theirs = program.execute(context).map_err(|error| error.to_string());
            tally.compare(&pair, &format!("document {at}"), ours, &theirs);
        }
        tally.rules += 1;
    }
}

#[test]
fn the_shared_subset_means_what_cel_means_by_it() {
    let mut tally = Tally::default();
    over_entries(&mut tally);
    over_documents(&mut tally);
    println!("cel-differential: {}/{} rules agree; answers {:?}", tally.rules, tally.rules, tally.answers);
    assert!(tally.rules >= COMPARED_MIN, "{tally:?}");
    // Every answer must have been asked for often enough to mean something.
    assert!(tally.answers.len() == 3 && tally.answers.values().all(|count| *count > 10_000), "{tally:?}");
}

/// What the guide says that differs, as it is: a rule, our answer for it, and CEL's.
#[test]
fn the_differences_that_the_guide_names_are_those() {
    let table = "
        7 / 2 == 3.5                              | True    | False
        7 in [7, n]                               | True    | Unknown
        [5, 5, n].exists_one(x, x == 5)           | False   | Unknown
        n * 0 == 0 && 1 == 1.0                    | Unknown | Unknown
    ";
    let env = environment();
    let empty = {
        let mut table = EntryTable::empty(schema());
        table.push(vec![None; 9]).unwrap();
        table
    };
    for line in crate::support::cells(table) {
        let [source, ours, theirs] = line[..] else { panic!("three cells in {line:?}") };
        let found = crate::support::compile(source).evaluate(&empty, 0..1).truth(0);
        assert_eq!(format!("{found:?}"), ours, "{source}");
        // 3.5 is no integer of CEL's, so its own spelling of the comparison is asked.
        let answer =
            env.compile(&source.replace("3.5", "4")).unwrap().execute(&Context::with_env(Arc::clone(&env)));
        let found = match answer {
            Ok(Cel::Bool(true)) => Truth::True,
            Ok(Cel::Bool(false)) => Truth::False,
            _ => Truth::Unknown,
        };
        assert_eq!(format!("{found:?}"), theirs, "{source}");
    }
}
