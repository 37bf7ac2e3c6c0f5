//! Looks: recorded once, told to the trader without names, and never lost.

use std::time::Duration;

use super::*;
use crate::declarations::DeclarationsQuery;
use crate::declarations::tests::{World, declaration, reader, trader};
use crate::identity::Role;

const WAIT: Duration = Duration::from_secs(30);

fn all(world: &World) -> Vec<ViewingRow> {
    assert!(world.house.settle_viewings(WAIT));
    world.house.viewings(&reader("x", Role::Auditor), &ViewingsQuery::default()).unwrap().rows
}

#[test]
fn who_looked_at_what_is_recorded_once_a_minute_and_the_trader_is_told_without_names() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&declaration("L-1")).unwrap().mrn;
    let officer = reader("o-1", Role::Officer).at_office(Some("NL000432"));
    for _ in 0..3 {
        world.house.case(&officer, &mrn).unwrap();
    }
    world.house.original(&officer, &mrn).unwrap();
    world.house.original(&trader(), &mrn).unwrap();
    world.house.case(&reader("c-1", Role::Chief), &mrn).unwrap();
    world.clock.forward(1);
    world.house.case(&officer, &mrn).unwrap();
    world.house.case_unseen(&officer, &mrn).unwrap();
    assert!(world.house.settle_viewings(WAIT));
    let own = world.house.own_declaration(&trader(), &mrn).unwrap();
    let told: Vec<(u64, &str, Option<&str>, ViewedWhat)> = own
        .viewings
        .iter()
        .map(|look| (look.person, look.role.as_str(), look.office.as_deref(), look.what))
        .collect();
    let office = Some("NL000432");
    assert_eq!(
        told,
        [
            (1, "officer", office, ViewedWhat::Case),
            (2, "chief", None, ViewedWhat::Case),
            (1, "officer", office, ViewedWhat::Original),
            (1, "officer", office, ViewedWhat::Case),
        ]
    );
    let said = serde_json::to_string(&own).unwrap();
    assert!(!said.contains("o-1") && !said.contains("c-1"), "{said}");
    let rows = all(&world);
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0].reader, "o-1");
}

#[test]
fn exports_and_entities_are_looks_and_only_auditors_see_them_all() {
    let world = World::with_policies(false);
    world.lodge(&declaration("L-1")).unwrap();
    let officer = reader("o-1", Role::Officer);
    world.house.entity(&officer, "NL0001").unwrap();
    let query = DeclarationsQuery { party: "NL0001".to_owned(), ..DeclarationsQuery::default() };
    world.house.export_declarations(&officer, &query, &mut Vec::new()).unwrap();
    let rows = all(&world);
    assert_eq!(rows[0].what, ViewedWhat::Export);
    assert_eq!((rows[0].filter.as_deref(), rows[0].rows), (Some("party=NL0001"), Some(1)));
    assert_eq!((rows[1].what, rows[1].entity.as_deref()), (ViewedWhat::Entity, Some("NL0001")));
    let of =
        |query: ViewingsQuery| world.house.viewings(&reader("x", Role::Auditor), &query).unwrap().rows.len();
    let narrowed = |record: &str, who: &str, what: &str| ViewingsQuery {
        record: record.to_owned(),
        who: who.to_owned(),
        what: what.to_owned(),
        ..ViewingsQuery::default()
    };
    assert_eq!(of(narrowed("NL0001", "", "")), 1);
    assert_eq!(of(narrowed("", "o-1", "export")), 1);
    assert_eq!(of(narrowed("", "o-2", "")), 0);
    for role in [Role::Trader, Role::Officer, Role::Analyst, Role::Chief, Role::Admin] {
        let refused = world.house.viewings(&reader("y", role), &ViewingsQuery::default()).unwrap_err();
        assert_eq!(refused.code, "not_permitted");
    }
    let wrong = ViewingsQuery { from: "yesterday".to_owned(), ..ViewingsQuery::default() };
    let refused = world.house.viewings(&reader("x", Role::Auditor), &wrong).unwrap_err();
    assert_eq!(refused.code, "day_unreadable");
}

#[test]
fn looks_that_wait_when_the_house_is_closed_are_recorded() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&declaration("L-1")).unwrap().mrn;
    let looked = 40;
    for number in 0..looked {
        world.house.case(&reader(&format!("o-{number}"), Role::Officer), &mrn).unwrap();
    }
    let world = world.reopened();
    assert_eq!(all(&world).len(), looked);
}
