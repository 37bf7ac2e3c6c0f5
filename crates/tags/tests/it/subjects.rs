//! What carries a tag: items, declarations, enterprises, routes; and stopping in the middle.

use spine::{Progress, Silent};
use tags::ApplyError;

use crate::support::{family, table, tag_set};

/// Checks which rows of the entries carry the tag, and how many are unknown.
fn check(head: &str, when: &str, entries: &[&str], marked: &[u32], unknown: u64) {
    let set = tag_set(&family(&[("t", head, when)]));
    let table = table(entries);
    let hits = set.apply(&table, &Silent).unwrap();
    assert_eq!(hits.hits[0].rows.iter().collect::<Vec<_>>(), marked, "{head} {when}");
    assert_eq!(hits.hits[0].unknown, unknown, "{head} {when}");
    for row in 0..table.len() {
        let why = set.why(&table, "t", row).unwrap();
        assert_eq!(why.carried, marked.contains(&u32::try_from(row).unwrap()), "row {row}");
    }
}

#[test]
fn an_item_stands_for_itself() {
    let entries = ["day=0 declaration=A net_mass=5", "day=0 declaration=A net_mass=1", "day=0 declaration=A"];
    check("", "net_mass > 3", &entries, &[0], 1);
}

#[test]
fn a_declaration_is_marked_whole_and_unknown_while_any_item_is_open() {
    let head = "on = \"declaration\"";
    let entries = [
        "day=0 declaration=A net_mass=5",
        "day=0 declaration=A net_mass=1",
        "day=0 declaration=B net_mass=1",
        "day=0 declaration=B",
        "day=0 declaration=C net_mass=1",
        "day=0 net_mass=9",
        "day=0 net_mass=1",
    ];
    check(head, "net_mass > 3", &entries, &[0, 1, 5], 2);
}

#[test]
fn an_enterprise_keeps_a_tag_from_the_day_it_is_raised_for_its_valid_days() {
    let head = "on = \"enterprise\"\nvalid_days = 5";
    let entries = [
        "day=9 importer_id=A net_mass=1",
        "day=10 importer_id=A net_mass=1",
        "day=10 importer_id=A net_mass=5",
        "day=15 importer_id=A net_mass=1",
        "day=16 importer_id=A net_mass=1",
        "day=12 importer_id=B net_mass=1",
        "day=12 net_mass=5",
        "importer_id=A net_mass=5",
        "importer_id=A net_mass=1",
    ];
    check(head, "net_mass > 3", &entries, &[1, 2, 3, 6, 7], 0);
}

#[test]
fn the_field_that_names_the_enterprise_decides_who_carries_it() {
    let head = "on = \"enterprise\"\nenterprise_field = \"declarant_id\"";
    let entries = [
        "day=0 importer_id=A declarant_id=X net_mass=5",
        "day=0 importer_id=A declarant_id=Y net_mass=1",
        "day=0 importer_id=B declarant_id=X net_mass=1",
    ];
    check(head, "net_mass > 3", &entries, &[0, 2], 0);
}

#[test]
fn a_route_is_origin_departure_and_chapter() {
    let head = "on = \"route\"\nvalid_days = 1";
    let entries = [
        "day=0 origin_country=CN departure_country=HK commodity_code=610910 net_mass=5",
        "day=1 origin_country=CN departure_country=HK commodity_code=6105 net_mass=1",
        "day=1 origin_country=CN departure_country=HK commodity_code=8504 net_mass=1",
        "day=1 origin_country=CN departure_country=CN commodity_code=610910 net_mass=1",
        "day=2 origin_country=CN departure_country=HK commodity_code=610910",
    ];
    check(head, "net_mass > 3", &entries, &[0, 1], 1);
}

#[test]
fn a_window_ends_before_the_own_day_and_same_day_looks_at_other_declarations_only() {
    let before = "aggregate.n = { measure = \"count\", by = [\"importer_id\"], days = 2 }";
    let beside = "aggregate.n = { measure = \"count\", by = [\"importer_id\"], days = 0, same_day = true }";
    let entries = [
        "day=0 declaration=A importer_id=I",
        "day=1 declaration=B importer_id=I",
        "day=3 declaration=C importer_id=I",
        "day=3 declaration=C importer_id=I",
        "day=3 declaration=D importer_id=I",
        "day=3 declaration=E",
    ];
    check(before, "n == 1", &entries, &[1, 2, 3, 4], 1);
    check(beside, "n == 2", &entries, &[4], 1);
    check(beside, "n == 1", &entries, &[2, 3], 1);
}

#[test]
fn a_reason_names_the_entries_behind_an_aggregate_and_the_entry_that_raised_the_tag() {
    let head = "on = \"enterprise\"\nvalid_days = 9\n\
                aggregate.usual = { measure = \"median\", of = \"customs_value\", by = [\"importer_id\"], days = 30, at_least = 2 }";
    let set = tag_set(&family(&[("t", head, "customs_value > usual * 3")]));
    let table = table(&[
        "day=0 importer_id=A customs_value=10",
        "day=1 importer_id=B customs_value=99",
        "day=5 importer_id=A customs_value=12",
        "day=8 importer_id=A customs_value=50",
        "day=9 importer_id=A customs_value=10",
    ]);
    let why = set.why(&table, "t", 4).unwrap();
    assert!(why.carried);
    assert_eq!((why.row, why.explained_row), (4, 3));
    let usual = &why.aggregates[0];
    assert_eq!(usual.value.unwrap().to_string(), "11");
    assert_eq!((usual.entries, usual.sample.as_slice()), (2, &[2, 0][..]));
    assert_eq!(usual.last_day.unwrap().to_string(), "2026-01-08");
    assert!(set.why(&table, "t", 5).is_none());
    assert!(set.why(&table, "no_such_tag", 0).is_none());
}

#[test]
fn a_listener_that_cancels_gets_nothing() {
    struct Cancelled;
    impl Progress for Cancelled {
        fn report(&self, _: &'static str, _: u64, _: u64) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let set = tag_set(&family(&[("t", "", "net_mass > 3")]));
    assert_eq!(set.apply(&table(&["day=0 net_mass=5"]), &Cancelled).unwrap_err(), ApplyError::Cancelled);
}
