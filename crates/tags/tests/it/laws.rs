//! Laws of evaluation: reasons agree with marks, order of rows and number of threads do not matter.

use proptest::prelude::*;
use rust_decimal::Decimal;
use spine::{EntryTable, Silent, Value, declaration_entry};
use tags::{TagHits, TagSet};

use crate::built_in::shipped;
use crate::support::{day, table_of};

type Entry = Vec<Option<Value>>;

/// Entries over few parties, goods and days, so that windows fill and rare things happen.
pub(crate) fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let text = |field: &'static str, values: &'static [&'static str]| {
        let value = proptest::option::weighted(0.93, prop::sample::select(values.to_vec()));
        value.prop_map(move |value| (field, value.map(|text| Value::Text(text.to_owned())))).boxed()
    };
    let number = |field: &'static str, values: &'static [i64]| {
        let value = proptest::option::weighted(0.93, prop::sample::select(values.to_vec()));
        value.prop_map(move |value| (field, value.map(|n| Value::Decimal(Decimal::from(n))))).boxed()
    };
    let date = proptest::option::weighted(0.97, 0..500_i64)
        .prop_map(|number| ("date", number.map(|number| Value::Date(day(number)))))
        .boxed();
    let trusted = proptest::option::of(any::<bool>())
        .prop_map(|yes| ("trusted_trader", yes.map(Value::Boolean)))
        .boxed();
    let fields = vec![
        date,
        trusted,
        text("declaration_id", &["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9"]),
        text("office_id", &["10", "20", "30"]),
        text("procedure_code", &["4000", "5100", "5300", "7"]),
        text("transport_mode", &["1", "4", "5"]),
        text("declarant_id", &["B1", "B2", "999"]),
        text("importer_id", &["I1", "I2", "I3"]),
        text("exporter_id", &["S1", "S2", "S3", "I1"]),
        text("carrier_id", &["C1", "C2"]),
        text("commodity_code", &["610910", "610990", "220830", "847130", "440722", "87", "8703231000"]),
        text("goods_description", &["Parts", "Men's T-shirts of cotton, knitted", "Used laptops", "123"]),
        text("departure_country", &["CN", "HK", "AE", "CH"]),
        text("origin_country", &["CN", "VN", "GH", "AE", "ZZ"]),
        text("preference_code", &["300"]),
        text("container_id", &["CSQU3054383", "CSQU3054384"]),
        text("currency", &["EUR", "USD", "EURO"]),
        number("tax_rate", &[0, 4, 12, 30]),
        number("net_mass", &[0, 100, 1000, 1037]),
        number("gross_mass", &[90, 1100, 29000]),
        number("quantity", &[0, 5, 1000]),
        number("packages", &[0, 1, 100]),
        number("customs_value", &[0, 1000, 20417, 900_000]),
    ];
    let entry = fields.prop_map(|given| {
        let schema = declaration_entry::schema();
        let mut entry: Entry = vec![None; schema.fields.len()];
        for (field, value) in given {
            entry[schema.position(field).unwrap()] = value;
        }
        entry
    });
    proptest::collection::vec(entry, 1..70)
}

fn marks(set: &TagSet, table: &EntryTable, threads: usize) -> TagHits {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| set.apply(table, &Silent).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reason_for_a_row_agrees_with_its_mark(entries in entries(), offset in 0..13_usize) {
        let (set, _) = shipped();
        let table = table_of(entries);
        let hits = marks(&set, &table, 2);
        for hit in &hits.hits {
            let tag = &set.definitions()[hit.tag_index];
            // Every 13th row is explained for every tag.
            for row in (offset..table.len()).step_by(13) {
                let why = set.why(&table, &tag.id, row).unwrap();
                let marked = hit.rows.contains(u32::try_from(row).unwrap());
                prop_assert_eq!(why.carried, marked, "{} on row {}", &tag.id, row);
                prop_assert!(!(why.carried && why.unknown));
                // With the marks at hand the same entry explains it.
                prop_assert_eq!(set.why_marked(&table, hit, row), marked.then_some(why));
            }
        }
    }

    #[test]
    fn neither_threads_nor_the_order_of_rows_matter(entries in entries(), seed in any::<prop::sample::Index>()) {
        let (set, _) = shipped();
        let table = table_of(entries.clone());
        let hits = marks(&set, &table, 1);
        prop_assert_eq!(&hits, &marks(&set, &table, 4));
        // Rotated and reversed: new row n is old row (len - 1 - n + shift) mod len.
        let (len, shift) = (entries.len(), seed.index(entries.len()));
        let old = |new: usize| (len - 1 - new + shift) % len;
        let turned = table_of((0..len).map(|new| entries[old(new)].clone()));
        for (hit, other) in hits.hits.iter().zip(marks(&set, &turned, 2).hits) {
            let mut back: Vec<usize> = other.rows.iter().map(|row| old(row as usize)).collect();
            back.sort_unstable();
            let rows: Vec<usize> = hit.rows.iter().map(|row| row as usize).collect();
            prop_assert_eq!(rows, back, "{}", &set.definitions()[hit.tag_index].id);
            prop_assert_eq!(hit.unknown, other.unknown);
        }
    }

    #[test]
    fn a_tag_alone_marks_what_it_marks_among_all(entries in entries()) {
        let (set, _) = shipped();
        let table = table_of(entries);
        // Many are asked together by the matcher, one is asked alone.
        let all = marks(&set, &table, 2);
        for at in 0..set.definitions().len() {
            let alone = set.apply_some(&table, &[at], &Silent).unwrap();
            prop_assert_eq!(&alone.hits[0], &all.hits[at], "{}", &set.definitions()[at].id);
        }
    }
}

/// What happens later must not change what a tag said earlier: the entries after a day add nothing to the marks
/// before it.
#[test]
fn the_future_does_not_reach_into_the_past() {
    let (set, _) = shipped();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let at = declaration_entry::schema().position("date").unwrap();
    runner
        .run(&entries(), |entries| {
            let early: Vec<Entry> = entries
                .iter()
                .filter(|entry| matches!(&entry[at], Some(Value::Date(own)) if *own < day(250)))
                .cloned()
                .collect();
            let mut all = early.clone();
            all.extend(
                entries
                    .iter()
                    .filter(|entry| matches!(&entry[at], Some(Value::Date(own)) if *own >= day(250)))
                    .cloned()
                    .map(|mut entry| {
                        // A declaration of its own: items lodged later do not belong to an earlier one.
                        entry[0] = None;
                        entry
                    }),
            );
            let (past, whole) = (marks(&set, &table_of(early.clone()), 2), marks(&set, &table_of(all), 2));
            for (past, whole) in past.hits.iter().zip(whole.hits) {
                let kept: Vec<u32> = whole.rows.iter().filter(|row| (*row as usize) < early.len()).collect();
                prop_assert_eq!(
                    past.rows.iter().collect::<Vec<_>>(),
                    kept,
                    "{}",
                    &set.definitions()[past.tag_index].id
                );
            }
            Ok(())
        })
        .unwrap();
}
