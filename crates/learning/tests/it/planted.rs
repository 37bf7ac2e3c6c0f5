//! What was planted is found, and found where it was planted.

use std::sync::LazyLock;

use learning::document::{Flag, StatementKind, Unit, Verdict};
use learning::{Audit, AuditOptions, Capacity, audit};
use spine::{Silent, Value};

use crate::world::{Dice, Item, claims, ordinary, random_tags, run, table};

fn text(item: &Item, field: &str) -> String {
    match &item.0[field] {
        Value::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

/// 6,000 items over a year, a third inspected: Vietnamese goods of one exporter group are irregular half of the time,
/// rule R1 finds nothing, officer F00 finds hardly anything, and B3's consignments are routed to F11.
fn planted() -> &'static (Audit, Vec<Item>) {
    static PLANTED: LazyLock<(Audit, Vec<Item>)> = LazyLock::new(plant);
    &PLANTED
}

fn plant() -> (Audit, Vec<Item>) {
    let mut dice = Dice::new(77);
    let items: Vec<Item> = (0..6_000)
        .map(|number| {
            let mut item = ordinary(&mut dice, number, 360);
            if text(&item, "declarant_id") == "B3" && text(&item, "office_id") == "O1" {
                item = item.text("officer_id", "F11");
            }
            let rule = format!("R{}", dice.skewed(4.0));
            let inspected = dice.yes(0.35);
            let mut risk = if text(&item, "origin_country") == "VN" { 0.6 } else { 0.06 };
            if rule == "R1" {
                risk = 0.0;
            }
            if text(&item, "officer_id") == "F00" {
                risk /= 8.0;
            }
            let item = item.text("selection_reason", rule).yes("inspected", inspected);
            if inspected { item.yes("irregular", dice.yes(risk)) } else { item }
        })
        .collect();
    let mut tags = random_tags(&mut dice, items.len(), 6);
    tags[5].id = "vietnam".to_owned();
    tags[5].rows = (0..)
        .zip(&items)
        .filter(|(_, item)| text(item, "origin_country") == "VN")
        .map(|(row, _)| row)
        .collect();
    (run(&table(items.clone()), &tags), items)
}

#[test]
fn planted_rules_officers_routes_and_origins_are_named() {
    let (audit, _) = planted();
    let rates = audit.hit_rates.as_ref().unwrap();
    let flag = |dimension: &str, value: &str| {
        let rows = &rates.dimensions.iter().find(|own| own.dimension == dimension).unwrap().rows;
        rows.iter().find(|row| row.value == value).unwrap().flag
    };
    assert_eq!(flag("origin_country", "VN"), Some(Flag::Above));
    assert_eq!(flag("tag", "vietnam"), Some(Flag::Above));
    assert_eq!(flag("selection_reason", "R1"), Some(Flag::Below));
    assert_eq!(flag("tag", "tag_0"), None);
    let integrity = audit.integrity.as_ref().unwrap();
    let first = |id: &str| integrity.tables.iter().find(|table| table.id == id).unwrap().rows[0].clone();
    assert_eq!(
        (first("officer_finds").first.as_str(), first("officer_finds").flag),
        ("F00", Some(Flag::Below))
    );
    let routed = first("officer_declarant_routing");
    assert_eq!(
        (routed.first.as_str(), routed.second.as_deref(), routed.flag),
        ("F11", Some("B3"), Some(Flag::Above))
    );
    let claims = claims(audit);
    for expected in
        ["values_differ origin_country", "rule_finds_little selection_reason", "stands_out officer_finds"]
    {
        assert!(claims.iter().any(|claim| claim == expected), "{expected} is not among {claims:?}");
    }
    assert_eq!(audit.leakage.as_ref().unwrap().verdict, Verdict::NotSeen);
}

#[test]
fn plans_tell_kept_lost_and_unknown_apart() {
    let (audit, items) = planted();
    let plans = audit.plans.as_ref().unwrap();
    let of = |id: &str| plans.plans.iter().find(|plan| plan.id == id).unwrap();
    let actual = of("actual");
    assert_eq!(plans.capacity, actual.selected, "as many as were done");
    assert_eq!((actual.selected_unknown, actual.finds_lost), (0, 0.0));
    for plan in plans.plans.iter().filter(|plan| plan.id != "random") {
        assert_eq!(plan.selected, plan.selected_known + plan.selected_unknown, "{}", plan.id);
        assert_eq!(plan.finds_kept + plan.finds_lost, plans.split.trial_finds as f64, "{}", plan.id);
    }
    for id in ["additive", "trees", "explore"] {
        assert!(of(id).better_than_random && of(id).lift.unwrap() > 1.3, "{:?}", of(id));
        assert!(of(id).selected_unknown > 0);
        // Nobody recorded probabilities, so nothing is estimated.
        assert!(
            matches!(&of(id).estimate, Some(learning::document::Estimate::Refused { reason }) if reason == "no_probabilities")
        );
    }
    let heaviest = of("additive").weights[0].0.as_str();
    assert!(["vietnam", "origin_country"].contains(&heaviest), "{heaviest}");
    assert!(plans.split.learning_to < plans.split.trial_from);
    let trial = items
        .iter()
        .filter(|item| matches!(&item.0["date"], Value::Date(day) if *day >= plans.split.trial_from));
    assert_eq!(plans.split.trial_units, trial.count() as u64);
}

#[test]
fn a_capacity_that_was_asked_for_is_kept() {
    let (_, items) = planted();
    let table = table(items.iter().cloned());
    for (capacity, expected) in [(Capacity::Count(50), 50), (Capacity::Share(0.02), 0)] {
        let options = AuditOptions { capacity, ..AuditOptions::default() };
        let plans = audit(&table, &[], &options, &Silent).unwrap().plans.unwrap();
        let expected =
            if expected > 0 { expected } else { (plans.split.trial_units as f64 * 0.02).round() as u64 };
        assert_eq!(plans.capacity, expected);
        assert_eq!(plans.plans.last().unwrap().selected, expected);
    }
}

#[test]
fn a_label_that_travels_with_a_tuple_is_called_a_leak_and_the_tuple_is_named() {
    let mut dice = Dice::new(5);
    // Outcomes are a coin for each of 700 combinations, and then stay with the combination.
    let items = (0..4_000).map(|number| {
        let item = ordinary(&mut dice, number, 300);
        let combination = dice.skewed(700.0);
        let irregular = Dice::new(combination).yes(0.25);
        item.text("commodity_code", format!("{:06}", 200_000 + combination % 31))
            .text("departure_country", format!("C{}", combination / 31))
            .yes("inspected", true)
            .yes("irregular", irregular)
    });
    let audit = run(&table(items), &[]);
    let leakage = audit.leakage.as_ref().unwrap();
    assert_eq!(leakage.verdict, Verdict::Leaks, "{leakage:?}");
    let mut tuple = leakage.tuple.clone();
    tuple.sort();
    assert_eq!(tuple, ["commodity_code", "departure_country"]);
    assert_eq!(audit.statements[0].code, "leaks");
    assert!(audit.statements.iter().any(|own| own.code == "plans_rest_on_leak"));
}

#[test]
fn items_that_share_their_outcome_are_counted_by_declaration() {
    let mut dice = Dice::new(6);
    let shared = (0..900).flat_map(|number| {
        let first = ordinary(&mut dice, number, 200).yes("inspected", true).yes("irregular", dice.yes(0.3));
        [first.clone().number("item_number", 1.0), first.number("item_number", 2.0)]
    });
    let audit = run(&table(shared), &[]);
    assert_eq!(
        (audit.population.unit, audit.population.units, audit.population.rows),
        (Unit::Declaration, 900, 1_800)
    );
    let mut dice = Dice::new(6);
    let own = (0..900).flat_map(|number| {
        let first = ordinary(&mut dice, number, 200).yes("inspected", true);
        [
            first.clone().number("item_number", 1.0).yes("irregular", dice.yes(0.3)),
            first.number("item_number", 2.0).yes("irregular", dice.yes(0.3)),
        ]
    });
    assert_eq!(run(&table(own), &[]).population.unit, Unit::Item);
}

#[test]
fn every_claim_has_its_place_and_kind() {
    let (audit, _) = planted();
    for statement in audit.statements.iter().filter(|statement| statement.kind == StatementKind::Pattern) {
        assert!(!statement.place.is_empty() || statement.code == "leaks", "{statement:?}");
    }
}

#[test]
fn fields_that_begin_or_end_within_the_history_do_no_harm() {
    let mut dice = Dice::new(12);
    // All finds late in the months of learning; a field that appears in the months of trial only; one constant number.
    let items = (0..1_500).map(|number| {
        let item = ordinary(&mut dice, number, 240).yes("inspected", true).number("packages", 1.0);
        let Value::Date(day) = item.0["date"] else { panic!("an ordinary item has its day") };
        let item = item.yes("irregular", day.month() > 4 && dice.yes(0.3));
        if day.month() > 6 { item.text("preference_code", number % 3).number("quantity", 7.0) } else { item }
    });
    let audit = run(&table(items), &[]);
    assert!(audit.plans.unwrap().plans.iter().all(|plan| plan.selected > 0));
    assert!(audit.curve.unwrap().orders.iter().all(|order| order.auc > 0.0 && order.auc < 1.0));
}
