//! A pack of what is usual, made from records.

use std::collections::BTreeMap;

use packs::Pack;
use spine::{EntryTable, Silent, Value, declaration_entry};
use tags::usual::{ENTRIES_MIN, UsualPack, usual};
use tags::{TagSet, check_pack};

use crate::support::{entry, table_of};

/// Shirts of one origin: so many for each price per kilogram.
fn shirts(prices: &[(usize, u32)]) -> EntryTable {
    let one = |price: &u32| {
        entry(&format!(
            "commodity_code=610910 origin_country=CN currency=EUR customs_value={} net_mass=100 gross_mass=110 \
             packages=10 departure_country=HK transport_mode=1 tax_rate=12",
            price * 100
        ))
    };
    table_of(prices.iter().flat_map(|(times, price)| std::iter::repeat_with(move || one(price)).take(*times)))
}

fn pack_of(usual: UsualPack) -> Pack {
    let files: BTreeMap<String, Vec<u8>> =
        usual.files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    Pack::from_files(files).unwrap()
}

/// How many entries of `table` carry the tag of a pack made from `records`.
fn check(records: &EntryTable, tag: &str, table: &EntryTable, expect: u64) {
    let pack = pack_of(usual(records));
    let findings = check_pack(&pack, &[], &declaration_entry::schema());
    assert!(findings.is_empty(), "{findings:#?}");
    let (set, _) = TagSet::from_packs(&[&pack], &declaration_entry::schema());
    let at = set.position(tag).unwrap();
    let hits = set.apply_some(table, &[at], &Silent).unwrap();
    assert_eq!(hits.hits[0].rows.len(), expect, "{}", set.definitions()[at].when);
}

#[test]
fn what_is_outside_the_usual_is_marked() {
    let records = shirts(&[(10, 19), (20, 20), (10, 21)]);
    check(&records, "price_low_610910_cn_eur", &shirts(&[(3, 20), (2, 5)]), 2);
    check(&records, "price_high_610910_cn_eur", &shirts(&[(3, 20), (2, 5), (1, 90)]), 1);
    let other = |words: &str| table_of([entry(&format!("commodity_code=610990 origin_country=CN {words}"))]);
    check(&records, "departure_unusual_6109_cn", &other("departure_country=AE"), 1);
    check(&records, "departure_unusual_6109_cn", &other("departure_country=HK"), 0);
    check(&records, "mode_unusual_6109_cn", &other("transport_mode=4"), 1);
    let rated = table_of([entry("commodity_code=610910 origin_country=CN tax_rate=0")]);
    check(&records, "rate_unusual_610910_cn", &rated, 1);
}

#[test]
fn a_tenth_of_false_prices_does_not_hide_them() {
    let records = shirts(&[(12, 19), (21, 20), (12, 21), (5, 4)]);
    check(&records, "price_low_610910_cn_eur", &records, 5);
}

#[test]
fn of_few_records_and_of_what_is_spread_nothing_is_told() {
    assert_eq!(usual(&shirts(&[(ENTRIES_MIN - 1, 20)])).rows.values().sum::<usize>(), 0);
    assert_eq!(usual(&EntryTable::empty(declaration_entry::schema())).rows.values().sum::<usize>(), 0);
    let from_everywhere = table_of((0..40).map(|number| {
        entry(&format!(
            "commodity_code=610910 origin_country=CN departure_country={}",
            ["A", "B", "C", "D"][number % 4]
        ))
    }));
    assert_eq!(usual(&from_everywhere).rows["departures.csv"], 0);
}

#[test]
fn what_would_break_a_table_makes_no_row() {
    let one = |mode: &str, country: &str| {
        let mut entry = entry(&format!("commodity_code=610910 origin_country={country}"));
        let field = declaration_entry::schema().position("transport_mode").unwrap();
        entry[field] = Some(Value::Text(mode.to_owned()));
        entry
    };
    let records = table_of(std::iter::repeat_with(|| one("Sea\n\"FCL\"", "CN")).take(20));
    assert_eq!(usual(&records).rows["modes.csv"], 0);
    let records = table_of(std::iter::repeat_with(|| one("Sea, FCL", "CN")).take(20));
    check(&records, "mode_unusual_6109_cn", &records, 0);
    check(&records, "mode_unusual_6109_cn", &table_of([one("Air", "CN")]), 1);
    let both = std::iter::repeat_with(|| one("1", "CN"))
        .take(20)
        .chain(std::iter::repeat_with(|| one("4", "cn")).take(9));
    let pack = usual(&table_of(both.collect::<Vec<_>>()));
    assert_eq!(pack.rows["modes.csv"], 1, "ids are in small letters: the more frequent one has the row");
    assert!(pack.files["modes.csv"].contains("6109_cn,6109,CN,1,1,1,20"), "{}", pack.files["modes.csv"]);
}

#[test]
fn the_order_of_records_does_not_matter() {
    let there = shirts(&[(10, 19), (20, 20), (3, 4)]);
    let back = shirts(&[(3, 4), (20, 20), (10, 19)]);
    assert_eq!(usual(&there), usual(&back));
}
