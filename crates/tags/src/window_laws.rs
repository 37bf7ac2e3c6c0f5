//! The sliding computation of windows equals plain recomputation, for every measure, key and window.

use std::sync::Arc;

use proptest::prelude::*;
use rules::Lists;
use rust_decimal::Decimal;
use spine::{EntryTable, Value, declaration_entry};

use crate::aggregate::{Aggregate, Measure};
use crate::apply::Shared;
use crate::key::{KeyOrder, key_codes};
use crate::plain;

/// One entry: day, declaration, importer, code, mass, value.
pub(crate) type Row = (Option<u8>, Option<u8>, Option<u8>, Option<u8>, Option<i32>, Option<i32>);

/// Stands for a number whose millionths do not fit 64 bits.
pub(crate) const HUGE: i32 = i32::MAX;
const HUNDRED_MILLION_MILLION: i64 = 100_000_000_000_000;

pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let often = |range: std::ops::Range<u8>| proptest::option::weighted(0.9, range);
    let number = || proptest::option::weighted(0.9, -2..6_i32);
    proptest::collection::vec(
        (often(0..30), often(0..12), often(0..3), often(0..5), number(), number()),
        0..60,
    )
}

pub(crate) fn table(rows: &[Row]) -> EntryTable {
    let schema = declaration_entry::schema();
    let first = jiff::civil::date(2026, 1, 1);
    let mut table = EntryTable::empty(Arc::clone(&schema));
    for (day, declaration, importer, code, mass, value) in rows {
        let text = |prefix: &str, number: &Option<u8>| number.map(|n| Value::Text(format!("{prefix}{n}")));
        // Tenths, so that quotients have digits to round.
        let tenths = |number: &Option<i32>| {
            number.map(|n| {
                Value::Decimal(if n == HUGE {
                    Decimal::from(HUNDRED_MILLION_MILLION)
                } else {
                    Decimal::new(n.into(), 1)
                })
            })
        };
        let values = schema
            .fields
            .iter()
            .map(|field| match field.name.as_str() {
                "date" => day.map(|n| Value::Date(first.checked_add(jiff::Span::new().days(n)).unwrap())),
                "declaration_id" => text("D", declaration),
                "importer_id" => text("I", importer),
                "commodity_code" => code.map(|n| {
                    Value::Text(["610910", "610990", "620520", "8504", "61"][usize::from(n)].to_owned())
                }),
                "net_mass" => tenths(mass),
                "customs_value" => tenths(value),
                _ => None,
            })
            .collect();
        table.push(values).unwrap();
    }
    table
}

pub(crate) fn aggregate() -> impl Strategy<Value = Aggregate> {
    let measures = [
        Measure::Count,
        Measure::Sum,
        Measure::Mean,
        Measure::Minimum,
        Measure::Maximum,
        Measure::Median,
        Measure::Distinct,
        Measure::Share,
        Measure::RatioToMean,
        Measure::RatioToMedian,
        Measure::RankShare,
        Measure::DaysSinceFirst,
        Measure::DaysSinceLast,
    ];
    let keys: [&[&str]; 4] =
        [&[], &["importer_id"], &["commodity_code[:4]"], &["importer_id", "commodity_code[:6]", "net_mass"]];
    let number = prop::sample::select(vec!["customs_value", "customs_value / net_mass"]);
    let condition = proptest::option::of(prop::sample::select(vec!["net_mass > 0.1", "has(customs_value)"]));
    (
        prop::sample::select(measures.to_vec()),
        prop::sample::select(keys.to_vec()),
        number,
        condition,
        proptest::option::of(0..12_u16),
        any::<bool>(),
        0..4_u32,
    )
        .prop_map(|(measure, by, number, condition, days, same_day, at_least)| {
            let of = match measure {
                Measure::Distinct => Some("commodity_code[:4]".to_owned().try_into().unwrap()),
                _ if measure.reads_number() => Some(number.to_owned().try_into().unwrap()),
                _ => None,
            };
            let condition = condition.or((measure == Measure::Share).then_some("net_mass > 0.1"));
            let days_since = matches!(measure, Measure::DaysSinceFirst | Measure::DaysSinceLast);
            Aggregate {
                measure,
                of,
                by: by.iter().map(|part| part.parse().unwrap()).collect(),
                condition: condition.map(str::to_owned),
                days,
                same_day: same_day && !days_since,
                at_least,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sliding_windows_equal_plain_recomputation(rows in rows(), aggregate in aggregate()) {
        let table = table(&rows);
        let schema = declaration_entry::schema();
        let condition = aggregate.condition.as_ref().map(|source| {
            rules::compile_entry_rule(&rules::parse(source).unwrap(), &schema, &Lists::default()).unwrap()
        });
        let truths = condition.as_ref().map(|rule| rule.evaluate(&table, 0..table.len()));
        let shared = Shared::new(&table);
        let order = KeyOrder::new(&key_codes(&table, &aggregate.by), &shared.day_order);
        let sliding = shared.aggregate(&table, &aggregate, truths.as_ref(), &order);
        for (row, value) in sliding.iter().enumerate() {
            let plain = plain::value(&table, &aggregate, condition.as_ref(), row);
            prop_assert_eq!(*value, plain.value, "row {} of {:?}", row, aggregate);
        }
    }
}
