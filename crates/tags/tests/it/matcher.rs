//! The matcher of many rules says what each rule says alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{date, datetime};
use proptest::prelude::*;
use rules::{EntryRule, Formula, Lists};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use spine::{Column, EntrySchema, EntryTable, FieldDefinition, FieldType, LocalizedText, Sensitivity, Value};
use tags::matcher::{ABSENT, Block, Lane, Matched, Matcher, Scratch, Sink};

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
    let known = ["", "0", "01", "0101", "610910", "6109", "61", "CN", "DE", "CND", "é", "éa", "zz", "x\u{10FFFF}"];
    prop_oneof![proptest::sample::select(known.to_vec()).prop_map(str::to_owned), "[0-3]{0,3}"]
}

fn value(field_type: FieldType) -> BoxedStrategy<Value> {
    match field_type {
        FieldType::Text => text().prop_map(Value::Text).boxed(),
        FieldType::Decimal => number().prop_map(Value::Decimal).boxed(),
        FieldType::Date => (1_i8..4, 1_i8..5).prop_map(|(month, day)| Value::Date(date(2026, month, day))).boxed(),
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
    let numeric = || proptest::sample::select(vec!["value", "mass", "count", "value / mass", "value + 1", "-count"]);
    let textual = || proptest::sample::select(vec!["code", "country", "hs_heading(code)", "code + country", "coalesce(country, code)"]);
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
        proptest::sample::select(FIELDS.map(|(name, _)| name).to_vec()).prop_map(|field| format!("has({field})")),
        (comparison(), 1..4_u8, 1..5_u8).prop_map(|(op, month, day)| {
            format!("day {op} date(\"2026-{month:02}-{day:02}\")")
        }),
        (comparison(), 1..4_u8, 0..3_u8)
            .prop_map(|(op, day, hour)| format!("moment {op} date_time(\"2026-01-{day:02}T{hour:02}:00:00\")")),
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
            proptest::collection::vec(inner.clone(), 2..5).prop_map(|parts| format!("({})", parts.join(" && "))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" || "))),
            inner.clone().prop_map(|part| format!("!({part})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

fn compiled(source: &str, schema: &EntrySchema) -> EntryRule {
    let expression = rules::parse(source).unwrap_or_else(|error| panic!("{}", error.render(source)));
    rules::compile_entry_rule(&expression, schema, &lists()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(|error| error.render(source)).collect::<Vec<_>>().join("\n"))
    })
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

fn alone(rules: &[EntryRule], table: &EntryTable) -> BTreeSet<(u32, usize)> {
    let pairs = rules.iter().zip(0_u32..).flat_map(|(rule, number)| {
        let truths = rule.evaluate(table, 0..table.len());
        (0..table.len()).filter(move |row| truths.is_true(*row)).map(move |row| (number, row)).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// The columns as a file would have them: whole numbers, floating point, days, microseconds.
struct Physical {
    whole: Vec<Option<(Vec<i64>, u32)>>,
    floats: Vec<Option<Vec<f64>>>,
}

impl Physical {
    fn of(table: &EntryTable) -> Self {
        let whole = table.columns().iter().zip(FIELDS).map(|(column, (name, _))| whole(column, name)).collect();
        let float = |column: &Column| match column {
            Column::Decimal(values) => {
                Some(values.iter().map(|value| value.map_or(f64::NAN, |value| value.to_f64().unwrap())).collect())
            }
            _ => None,
        };
        Self { whole, floats: table.columns().iter().map(float).collect() }
    }

    fn lanes<'a>(&'a self, table: &'a EntryTable, floating: bool) -> Vec<Lane<'a>> {
        let one = |((column, whole), float): ((&'a Column, &'a Option<(Vec<i64>, u32)>), &'a Option<Vec<f64>>)| {
            match (whole, float) {
                (_, Some(values)) if floating => Lane::Float(values),
                (Some((values, scale)), _) => Lane::Whole { values, scale: *scale },
                _ => Lane::Column(column),
            }
        };
        table.columns().iter().zip(&self.whole).zip(&self.floats).map(one).collect()
    }
}

fn whole(column: &Column, name: &str) -> Option<(Vec<i64>, u32)> {
    let epoch = datetime(1970, 1, 1, 0, 0, 0, 0);
    let values: Vec<Option<i64>> = match column {
        Column::Decimal(values) if name == "count" => {
            values.iter().map(|value| value.map(|value| i64::try_from((value * Decimal::from(1_000)).round()).ok())).map(Option::flatten).collect()
        }
        Column::Date(values) => {
            values.iter().map(|day| day.map(|day| day.to_datetime(jiff::civil::Time::midnight()).duration_since(epoch).as_hours() / 24)).collect()
        }
        Column::Boolean(values) => values.iter().map(|yes| yes.map(i64::from)).collect(),
        _ => return None,
    };
    let scale = if name == "count" { 3 } else { 0 };
    Some((values.into_iter().map(|value| value.unwrap_or(ABSENT)).collect(), scale))
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
        let schema = schema();
        let table = table_of(rows);
        let rules: Vec<EntryRule> = sources.iter().map(|source| compiled(source, &schema)).collect();
        let formulas: Vec<Formula> = rules.iter().map(EntryRule::formula).collect();
        let mut matcher = Matcher::new(&formulas);
        let block = Block::of_table(&table);
        if sampled {
            matcher.plan_for(&block);
        }
        let mut scratch = Scratch::default();
        let expected = alone(&rules, &table);
        let found = matched(&matcher, &block, &mut scratch);
        prop_assert_eq!(&found, &expected, "of a table: {:?}", sources);

        let physical = Physical::of(&table);
        let lanes = Block::new(&schema, physical.lanes(&table, false)).unwrap();
        let found = matched(&matcher, &lanes, &mut scratch);
        prop_assert_eq!(&found, &expected, "of whole numbers: {:?}", sources);
    }
}
