//! The matcher of many rules says what each rule says alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{date, datetime};
use proptest::prelude::*;
use rules::{EntryRule, Formula, Lists};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use spine::{Column, EntrySchema, EntryTable, FieldDefinition, FieldType, LocalizedText, Sensitivity, Value};
use tags::matcher::{ABSENT, AXES_MAX, Block, Lane, Matched, Matcher, Remark, Scratch, Sink};

const FIELDS: [(&str, FieldType); 8] = [
    ("code", FieldType::Text),
    ("country", FieldType::Text),
    ("value", FieldType::Decimal),
    ("mass", FieldType::Decimal),
    ("count", FieldType::Decimal),
    ("day", FieldType::Date),
    ("moment", FieldType::DateTime),
    ("urgent", FieldType::Boolean),
];

fn schema() -> Arc<EntrySchema> {
    let field = |(name, field_type): &(&str, FieldType)| FieldDefinition {
        name: (*name).to_owned(),
        field_type: *field_type,
        unit: None,
        sensitivity: Sensitivity::Official,
        required: false,
        title: LocalizedText::en_zh(name, name),
    };
    Arc::new(EntrySchema { id: "trial".into(), version: 1, fields: FIELDS.iter().map(field).collect() })
}

fn lists() -> Lists {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    let many: Vec<String> = (0..40).map(|number| format!("{:02}", number * 2)).collect();
    let many = many.iter().map(String::as_str).collect::<Vec<_>>();
    Lists(BTreeMap::from([
        ("watched".to_owned(), list(&["CN", "DE", "é"])),
        ("many".to_owned(), list(&many)),
    ]))
}

fn number() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (-20_i64..20).prop_map(Decimal::from),
        (-200_i64..200, 0_u32..4).prop_map(|(number, scale)| Decimal::new(number, scale)),
        Just(Decimal::new(1, 9)),
        Just(Decimal::MAX),
        Just(Decimal::MIN),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let known =
        ["", "0", "01", "0101", "610910", "6109", "61", "CN", "DE", "CND", "é", "éa", "zz", "x\u{10FFFF}"];
    prop_oneof![proptest::sample::select(known.to_vec()).prop_map(str::to_owned), "[0-3]{0,3}"]
}

fn value(field_type: FieldType) -> BoxedStrategy<Value> {
    match field_type {
        FieldType::Text => text().prop_map(Value::Text).boxed(),
        FieldType::Decimal => number().prop_map(Value::Decimal).boxed(),
        FieldType::Date => {
            (1_i8..4, 1_i8..5).prop_map(|(month, day)| Value::Date(date(2026, month, day))).boxed()
        }
        FieldType::DateTime => (1_i8..4, 0_i8..3, 0_i32..3)
            .prop_map(|(day, hour, nano)| Value::DateTime(datetime(2026, 1, day, hour, 0, 0, nano * 500)))
            .boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
    }
}

fn rows() -> impl Strategy<Value = Vec<Vec<Option<Value>>>> {
    let row: Vec<_> =
        FIELDS.iter().map(|(_, field_type)| proptest::option::weighted(0.85, value(*field_type))).collect();
    proptest::collection::vec(row, 0..200)
}

fn quoted(text: &str) -> String {
    format!("{text:?}").replace("\\u{10ffff}", "\\U0010ffff")
}

/// One condition, as an author would write it.
fn condition() -> BoxedStrategy<String> {
    let comparison = || proptest::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let numeric =
        || proptest::sample::select(vec!["value", "mass", "count", "value / mass", "value + 1", "-count"]);
    let textual = || {
        proptest::sample::select(vec![
            "code",
            "country",
            "hs_heading(code)",
            "code + country",
            "coalesce(country, code)",
        ])
    };
    prop_oneof![
        (textual(), comparison(), text()).prop_map(|(a, op, b)| format!("{a} {op} {}", quoted(&b))),
        (text(), comparison(), textual()).prop_map(|(a, op, b)| format!("{} {op} {b}", quoted(&a))),
        (numeric(), comparison(), number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (number(), comparison(), numeric()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (textual(), proptest::collection::vec(text(), 1..6)).prop_map(|(a, list)| {
            format!("{a} in [{}]", list.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
        }),
        (numeric(), proptest::collection::vec(number(), 1..20)).prop_map(|(a, list)| {
            format!("{a} in [{}]", list.iter().map(Decimal::to_string).collect::<Vec<_>>().join(", "))
        }),
        textual().prop_map(|a| format!("{a} in watched")),
        textual().prop_map(|a| format!("{a} in many")),
        (textual(), text()).prop_map(|(a, b)| format!("({a}).startsWith({})", quoted(&b))),
        textual().prop_map(|a| format!("({a}).contains(\"1\")")),
        Just("code.matches(r\"^[0-9]+$\")".to_owned()),
        proptest::sample::select(FIELDS.map(|(name, _)| name).to_vec())
            .prop_map(|field| format!("has({field})")),
        (comparison(), 1..4_u8, 1..5_u8)
            .prop_map(|(op, month, day)| { format!("day {op} date(\"2026-{month:02}-{day:02}\")") }),
        (comparison(), 1..4_u8, 0..3_u8).prop_map(|(op, day, hour)| format!(
            "moment {op} date_time(\"2026-01-{day:02}T{hour:02}:00:00\")"
        )),
        Just("urgent".to_owned()),
        Just("urgent == true".to_owned()),
        Just("value > mass".to_owned()),
        Just("country != code".to_owned()),
        Just("[1, 2].exists(x, x == count)".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
    ]
    .boxed()
}

fn rule() -> impl Strategy<Value = String> {
    condition().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..5)
                .prop_map(|parts| format!("({})", parts.join(" && "))),
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" || "))),
            inner.clone().prop_map(|part| format!("!({part})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

fn compiled(source: &str, schema: &EntrySchema, lists: &Lists) -> EntryRule {
    let expression = rules::parse(source).map_err(|error| error.render(source)).unwrap();
    rules::compile_entry_rule(&expression, schema, lists).unwrap()
}

fn compiled_all(sources: &[String]) -> Vec<EntryRule> {
    let (schema, lists) = (schema(), lists());
    sources.iter().map(|source| compiled(source, &schema, &lists)).collect()
}

#[derive(Default)]
struct Found(BTreeSet<(u32, usize)>);

impl Sink for Found {
    fn matched(&mut self, rule: u32, entries: Matched<'_>) {
        assert!(!entries.is_empty());
        let before = self.0.len();
        entries.rows(|row| assert!(self.0.insert((rule, row)), "rule {rule} told of row {row} twice"));
        assert_eq!(self.0.len() - before, entries.len() as usize);
    }
}

fn matched(matcher: &Matcher, block: &Block<'_>, scratch: &mut Scratch) -> BTreeSet<(u32, usize)> {
    let mut found = Found::default();
    matcher.run(block, 0..block.len(), scratch, &mut found);
    found.0
}

/// Rules and rows where a rule alone is true, or unknown as well.
fn alone(rules: &[EntryRule], table: &EntryTable, with_unknown: bool) -> BTreeSet<(u32, usize)> {
    let pairs = rules.iter().zip(0_u32..).flat_map(|(rule, number)| {
        let truths = rule.evaluate(table, 0..table.len());
        (0..table.len())
            .filter(move |row| truths.is_true(*row) || with_unknown && truths.is_unknown(*row))
            .map(move |row| (number, row))
            .collect::<Vec<_>>()
    });
    pairs.collect()
}

/// A column as a file would have it.
enum Physical {
    Whole(Vec<i64>, u32),
    Float(Vec<f64>),
    Same,
}

impl Physical {
    fn of(column: &Column, name: &str) -> Self {
        let epoch = datetime(1970, 1, 1, 0, 0, 0, 0);
        let whole = |values: Vec<Option<i64>>, scale| {
            Self::Whole(values.into_iter().map(|value| value.unwrap_or(ABSENT)).collect(), scale)
        };
        match column {
            Column::Decimal(values) if name == "count" => {
                let thousands =
                    |value: Decimal| i64::try_from((value * Decimal::from(1_000)).round()).unwrap();
                whole(values.iter().map(|value| value.map(thousands)).collect(), 3)
            }
            Column::Date(values) => {
                let days = |day: jiff::civil::Date| day.at(0, 0, 0, 0).duration_since(epoch).as_hours() / 24;
                whole(values.iter().map(|day| day.map(days)).collect(), 0)
            }
            Column::Boolean(values) => whole(values.iter().map(|yes| yes.map(i64::from)).collect(), 0),
            _ => Self::Same,
        }
    }

    fn floating(column: &Column) -> Self {
        let Column::Decimal(values) = column else { return Self::Same };
        let nearest = |value: &Option<Decimal>| value.map_or(f64::NAN, |value| value.to_f64().unwrap());
        Self::Float(values.iter().map(nearest).collect())
    }

    fn lane<'a>(&'a self, column: &'a Column) -> Lane<'a> {
        match self {
            Self::Whole(values, scale) => Lane::Whole { values, scale: *scale },
            Self::Float(values) => Lane::Float(values),
            Self::Same => Lane::Column(column),
        }
    }
}

fn lanes<'a>(table: &'a EntryTable, physical: &'a [Physical]) -> Block<'a> {
    let lanes =
        table.columns().iter().zip(physical).map(|(column, physical)| physical.lane(column)).collect();
    Block::new(table.schema(), lanes).unwrap()
}

/// The table with counts that a whole number with three digits behind the point holds.
fn table_of(rows: Vec<Vec<Option<Value>>>) -> EntryTable {
    let mut table = EntryTable::empty(schema());
    for mut row in rows {
        if let Some(Some(Value::Decimal(count))) = row.get_mut(4) {
            *count = count.round_dp(3).clamp(Decimal::from(-1_000), Decimal::from(1_000));
        }
        table.push(row).unwrap();
    }
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn many_rules_at_once_match_what_each_matches_alone(
        sources in proptest::collection::vec(rule(), 1..30),
        rows in rows(),
        sampled in any::<bool>(),
    ) {
        let table = table_of(rows);
        let rules = compiled_all(&sources);
        let formulas: Vec<Formula> = rules.iter().map(EntryRule::formula).collect();
        let mut matcher = Matcher::new(&formulas).unwrap();
        let block = Block::of_table(&table);
        if sampled {
            matcher.plan_for(&block);
        }
        let mut scratch = Scratch::default();
        let expected = alone(&rules, &table, false);
        let found = matched(&matcher, &block, &mut scratch);
        prop_assert_eq!(&found, &expected, "of a table: {:?}", sources);

        let columns = table.columns().iter().zip(FIELDS);
        let physical: Vec<Physical> = columns.map(|(column, (name, _))| Physical::of(column, name)).collect();
        let found = matched(&matcher, &lanes(&table, &physical), &mut scratch);
        prop_assert_eq!(&found, &expected, "of whole numbers: {:?}", sources);
    }

    #[test]
    fn few_entries_are_told_the_same_of_many_rules(
        sources in proptest::collection::vec(rule(), 20..90),
        rows in rows(),
    ) {
        let table = table_of(rows);
        let rules = compiled_all(&sources);
        let formulas: Vec<Formula> = rules.iter().map(EntryRule::formula).collect();
        let mut matcher = Matcher::new(&formulas).unwrap();
        let block = Block::of_table(&table);
        matcher.plan_for(&block);
        let mut found = Found::default();
        let mut scratch = Scratch::default();
        for row in 0..table.len() {
            matcher.run(&block, row..row + 1, &mut scratch, &mut found);
        }
        prop_assert_eq!(&found.0, &alone(&rules, &table, false), "{:?}", sources);
    }

    #[test]
    fn many_entries_are_told_the_same_of_few_rules(
        sources in proptest::collection::vec(rule(), 1..4),
        rows in rows(),
        count in 257_usize..900,
        first in 0_usize..40,
        sampled in any::<bool>(),
    ) {
        let table = table_of(rows.into_iter().cycle().take(count).collect());
        let rules = compiled_all(&sources);
        let formulas: Vec<Formula> = rules.iter().map(EntryRule::formula).collect();
        let mut matcher = Matcher::new(&formulas).unwrap();
        let columns = table.columns().iter().zip(FIELDS);
        let physical: Vec<Physical> = columns.map(|(column, (name, _))| Physical::of(column, name)).collect();
        let floating: Vec<Physical> = table.columns().iter().map(Physical::floating).collect();
        let expected = alone(&rules, &table, false);
        let expected: BTreeSet<_> = expected.into_iter().filter(|(_, row)| *row >= first).collect();
        let mut scratch = Scratch::default();
        for block in [Block::of_table(&table), lanes(&table, &physical)] {
            if sampled {
                matcher.plan_for(&block);
            }
            let mut found = Found::default();
            matcher.run(&block, first..table.len(), &mut scratch, &mut found);
            prop_assert_eq!(&found.0, &expected, "{:?}", sources);
        }
        // Floating point may answer otherwise than decimals, but few rules as many.
        let block = lanes(&table, &floating);
        let many: Vec<Formula> = formulas.iter().cycle().take(64).cloned().collect();
        let own = matched(&Matcher::new(&many).unwrap(), &block, &mut scratch);
        let own: BTreeSet<_> = own.into_iter().filter(|(rule, _)| (*rule as usize) < rules.len()).collect();
        prop_assert_eq!(&matched(&matcher, &block, &mut scratch), &own, "{:?}", sources);
    }

    #[test]
    fn where_rules_are_unknown_is_matched_too(
        sources in proptest::collection::vec(rule(), 1..20),
        rows in rows(),
    ) {
        let table = table_of(rows);
        let rules = compiled_all(&sources);
        let formulas: Vec<Formula> = rules.iter().map(EntryRule::not_false).collect();
        let matcher = Matcher::new(&formulas).unwrap();
        let found = matched(&matcher, &Block::of_table(&table), &mut Scratch::default());
        prop_assert_eq!(&found, &alone(&rules, &table, true), "{:?}", sources);
    }
}

#[test]
fn a_number_in_floating_point_equals_the_decimal_it_is_nearest_to() {
    let numbers = [None, Some("0.1"), Some("0.3"), Some("-0.0"), Some("0"), Some("-2.5"), Some("1e20")];
    let table = table_of(
        numbers
            .map(|number| {
                let mut row = vec![None; FIELDS.len()];
                row[2] = number.map(|number| {
                    Value::Decimal(Decimal::from_scientific(number).or_else(|_| number.parse()).unwrap())
                });
                row
            })
            .into(),
    );
    let physical: Vec<Physical> = table.columns().iter().map(Physical::floating).collect();
    for (source, expected) in [
        ("value == 0.1", vec![1]),
        ("value == 0.3", vec![2]),
        ("value > 0.1", vec![2, 6]),
        ("value >= 0.1 && value <= 0.3", vec![1, 2]),
        ("value == 0", vec![3, 4]),
        ("value < 0", vec![5]),
        ("value != 0", vec![1, 2, 5, 6]),
        ("has(value)", vec![1, 2, 3, 4, 5, 6]),
        ("!has(value)", vec![0]),
        ("value in [0.3, -2.5, 7]", vec![2, 5]),
        ("value * 2 == 0.6", vec![2]),
    ] {
        let formula = compiled(source, table.schema(), &lists()).formula();
        let matcher = Matcher::new(&[formula]).unwrap();
        let found = matched(&matcher, &lanes(&table, &physical), &mut Scratch::default());
        assert_eq!(found.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), expected, "{source}");
    }
}

#[test]
fn a_value_may_be_cut_more_often_than_one_axis_takes() {
    // 70,000 thresholds, and a list of 25,000 texts: neither fits one axis or one condition.
    let (thresholds, rows) = (70_000_u32, 70_500_i64);
    let listed: BTreeSet<String> = (0..25_000).map(|number| format!("{number:06}")).collect();
    let lists = Lists(BTreeMap::from([("long".to_owned(), listed.clone())]));
    let schema = schema();
    let template = compiled("value >= 1", &schema, &lists).formula();
    let mut formulas: Vec<Formula> =
        (0..thresholds).map(|threshold| at_least(&template, threshold)).collect();
    formulas.push(compiled("code in long", &schema, &lists).formula());
    formulas.push(compiled("!(code in long)", &schema, &lists).formula());
    let table = table_of(
        (0..rows)
            .map(|number| {
                let mut row = vec![None; FIELDS.len()];
                row[0] = (number % 7 != 0).then(|| Value::Text(format!("{number:06}")));
                row[2] = Some(Value::Decimal(Decimal::from(number)));
                row
            })
            .collect(),
    );
    let matcher = Matcher::new(&formulas).unwrap();
    let mut counts = Counts(vec![0; formulas.len()]);
    matcher.run(&Block::of_table(&table), 0..table.len(), &mut Scratch::default(), &mut counts);
    for (threshold, count) in (0..thresholds).zip(&counts.0) {
        assert_eq!(*count, u64::try_from(rows).unwrap() - u64::from(threshold), "value >= {threshold}");
    }
    let known = |number: &i64| number % 7 != 0;
    let inside = (0..rows).filter(known).filter(|number| *number < 25_000).count();
    let outside = (0..rows).filter(known).count() - inside;
    assert_eq!(counts.0[thresholds as usize..], [inside as u64, outside as u64]);
}

/// `value >= threshold`, made of `value >= 1` without parsing 70,000 times.
fn at_least(template: &Formula, threshold: u32) -> Formula {
    let Formula::Condition(condition) = template else { return Formula::Constant(false) };
    let from = rules::Cut::Value { value: Value::Decimal(Decimal::from(threshold)), above: false };
    let ranges = vec![rules::Range { from: Some(from), to: None }];
    Formula::Condition(rules::Condition { ranges, ..condition.clone() })
}

struct Counts(Vec<u64>);

impl Sink for Counts {
    fn matched(&mut self, rule: u32, entries: Matched<'_>) {
        self.0[rule as usize] += u64::from(entries.len());
    }
}

#[test]
fn questionable_rules_are_named_with_the_reason() {
    let schema = schema();
    let sources = [
        "value > 2 && value < 1",
        "value > 2 || !(value > 2) || !has(value)",
        "country == \"CN\" && value >= 3",
        "!(value < 3) && country in [\"CN\"]",
        "value / mass < 2 && country == \"DE\"",
        "country == \"DE\" && country == \"CN\"",
        "code.startsWith(\"61\") && code.startsWith(\"62\")",
        "has(country) && (value > 1 || count > 1 || urgent)",
    ];
    let formulas: Vec<Formula> =
        sources.iter().map(|source| compiled(source, &schema, &lists()).formula()).collect();
    let computed = Remark::Computed("value / mass".to_owned());
    assert_eq!(
        Matcher::new(&formulas).unwrap().lint(),
        [
            (0, Remark::Never),
            (1, Remark::Always),
            (3, Remark::SameAs(2)),
            (4, computed),
            (5, Remark::Never),
            (6, Remark::Never),
        ]
    );
}

#[test]
fn rules_that_each_compute_a_value_of_their_own_are_refused_before_they_take_all_memory() {
    let schema = schema();
    let rules = |count: usize| -> Vec<Formula> {
        let source = |number| format!("value * {number} > mass * 2");
        (0..count).map(|number| compiled(&source(number), &schema, &lists()).formula()).collect()
    };
    assert_eq!(Matcher::new(&rules(AXES_MAX)).map(|matcher| matcher.len()), Ok(AXES_MAX));
    let refused = Matcher::new(&rules(AXES_MAX + 1)).unwrap_err();
    assert_eq!(refused.code(), "rules_too_varied");
}
