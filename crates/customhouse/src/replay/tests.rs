//! Past decisions derived again: after other decisions, other rules, a restart, and without what was erased.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::json;
use spine::Silent;
use spine::noun::Lane;

use super::*;
use crate::declarations::tests::{World, declaration, impossible, reader, trader};
use crate::declarations::{Channel, LodgeRequest};
use crate::identity::Role;
use crate::plans::PolicyKind;

fn chief() -> Reader {
    reader("c", Role::Chief)
}

/// Lodges so many declarations of several exporters and amounts at once: batches come as they come.
fn lodge_many(world: &World, from: u32, number: u32) -> Vec<String> {
    let (told, receipts) = channel();
    for number in from..from + number {
        let mut own = if number % 7 == 0 {
            impossible(&format!("R-{number}"))
        } else {
            declaration(&format!("R-{number}"))
        };
        own["exporter"]["id"] = json!(format!("CN{}", number % 5));
        let item = &mut own["goods_shipment"]["government_agency_goods_item"][0];
        item["customs_value_amount"]["amount"] = json!(format!("{}.50", 900 + number * 37 % 4_000));
        let bytes = serde_json::to_vec(&own).unwrap();
        let told = told.clone();
        let reply = Box::new(move |receipt| told.send(receipt).unwrap());
        let request = LodgeRequest { bytes, form: None, channel: Channel::Api };
        world.house.lodge_then(&trader(), request, reply).unwrap();
    }
    let wait = Duration::from_secs(60);
    (0..number).map(|_| receipts.recv_timeout(wait).unwrap().unwrap().mrn).collect()
}

/// Installs the shipped tags as another version in which masses are compared otherwise.
pub(crate) fn edit_rules(house: &Customhouse, edit: u32) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/customs-tags");
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(shipped).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let text =
            text.replace("version = \"1.0.0\"\nkind", &format!("version = \"1.0.{edit}\"\nkind")).replace(
                "when = \"gross_mass < net_mass\"",
                &format!("when = \"gross_mass + 0.{edit:03} < net_mass\""),
            );
        fs::write(folder.path().join(file.file_name()), text).unwrap();
    }
    let report = house.install_pack(&reader("admin", Role::Admin), folder.path()).unwrap();
    assert!(report.installed.is_some(), "{:?}", report.findings);
}

fn sample(world: &World) -> SampleReport {
    let spec = SampleSpec { decisions: 100_000, seed: 1 };
    world.house.replay_sample(&chief(), &spec, &Silent).unwrap()
}

#[test]
fn decisions_are_the_same_again_after_rule_edits_and_a_restart() {
    let world = World::with_policies(false);
    lodge_many(&world, 0, 150);
    world.clock.forward(30);
    edit_rules(&world.house, 1);
    lodge_many(&world, 150, 60);
    world.clock.forward(24 * 5);
    let world = world.reopened();
    lodge_many(&world, 210, 60);
    for edit in 2..6 {
        edit_rules(&world.house, edit);
        world.clock.forward(7);
        lodge_many(&world, 300 + edit * 50, 20);
    }
    let held = |world: &World| {
        let registry = world.house.registry();
        let tags = registry.list().iter().filter(|entry| entry.manifest().id == "customs-tags");
        tags.filter(|entry| entry.held().is_some()).count()
    };
    assert_eq!(held(&world), 2, "of seven versions the one in use and the one compiled in");
    let report = sample(&world);
    assert_eq!((report.decisions, report.same, report.pack_sets), (350, 350, 6), "{:#?}", report.examples);
    let few = world.house.replay_sample(&chief(), &SampleSpec { decisions: 40, seed: 7 }, &Silent).unwrap();
    assert_eq!((few.decisions, few.same), (40, 40));
}

#[test]
fn what_would_be_decided_otherwise_today_says_why() {
    let world = World::with_policies(false);
    let red = world.lodge(&impossible("RED")).unwrap().mrn;
    assert_eq!(world.case(&red).row.lane, Some(Lane::Red));
    let same = world.house.replay_decision(&chief(), &red, &Silent).unwrap();
    assert!(same.same && same.changes.is_empty(), "{same:#?}");
    assert_eq!(same.now.as_ref().unwrap().made, same.then.made);
    // Now only very many packages must weigh something, and the plan gives other points.
    edit_rules(&world.house, 9);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/customs-tags");
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(shipped).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let text = text
            .replace("version = \"1.0.0\"\nkind", "version = \"1.1.0\"\nkind")
            .replace("net_mass && packages > 1\"", "net_mass && packages > 900\"")
            .replace("set = { gross_mass = 1000 } }", "set = { gross_mass = 1000, packages = 901 } }");
        fs::write(folder.path().join(file.file_name()), text).unwrap();
    }
    let report = world.house.install_pack(&reader("admin", Role::Admin), folder.path()).unwrap();
    assert!(report.installed.is_some(), "{:?}", report.findings);
    let mut plan = serde_json::to_value(world.house.plans(&chief()).unwrap().plan.unwrap()).unwrap();
    plan["base_points"] = json!(-250);
    plan["version"] = json!("2");
    world.bring_into_force(PolicyKind::Selection, plan);
    let derived = world.house.replay_decision(&chief(), &red, &Silent).unwrap();
    assert!(derived.same, "then is derived by the rules of then: {:#?}", derived.differences);
    let now = derived.now.unwrap();
    assert_eq!(now.made.unwrap().lane, Lane::Green);
    let told: Vec<(ChangeKind, Option<&str>)> =
        derived.changes.iter().map(|change| (change.kind, change.tag.as_deref())).collect();
    assert!(told.contains(&(ChangeKind::TagChanged, Some("no_tare_at_all"))), "{told:?}");
    assert!(told.contains(&(ChangeKind::BasePoints, None)), "{told:?}");
}

#[test]
fn what_is_missing_is_named_and_nothing_is_guessed() {
    let world = World::with_policies(false);
    let mrns = lodge_many(&world, 0, 30);
    edit_rules(&world.house, 3);
    let late = lodge_many(&world, 100, 10);
    // What a declaration said is erased; the pack that the late ones were tagged with is lost.
    let lodged = world.house.journal.read_stream(&stream(&mrns[4]), 0, 1).unwrap();
    world.house.journal.erase_payload(lodged[0].position, "a test's law").unwrap();
    let hash = world.house.decided(&late[0]).unwrap().0;
    let world = world.closed(|data| {
        for folder in ["packs/customs-tags", "packs/customs-lists"] {
            for hash in &hash {
                let _ = fs::remove_dir_all(data.join(folder).join(hash));
            }
        }
    });
    let erased = world.house.replay_decision(&chief(), &mrns[4], &Silent).unwrap();
    assert_eq!((erased.same, erased.missing.as_slice()), (false, ["declaration".to_owned()].as_slice()));
    let lost = world.house.replay_decision(&chief(), &late[0], &Silent).unwrap();
    assert!(!lost.same && lost.again.is_none() && lost.missing[0].starts_with("pack "), "{:?}", lost.missing);
    let report = sample(&world);
    assert_eq!((report.missing, report.erased_before), (11, 1), "{report:#?}");
}

#[test]
fn who_may_not_see_plans_may_not_replay_and_sealed_tags_stay_sealed() {
    let world = World::with_policies(false);
    let red = world.lodge(&impossible("RED")).unwrap().mrn;
    for role in [Role::Trader, Role::Officer, Role::Admin] {
        let refused = world.house.replay_decision(&reader("x", role), &red, &Silent).unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden, "{role:?}");
    }
    assert_eq!(world.house.replay_decision(&chief(), "26NLNONE", &Silent).unwrap_err().kind, Kind::NotFound);
    let all = world.house.replay_decision(&reader("a", Role::Auditor), &red, &Silent).unwrap();
    assert!(all.same && all.hidden == 0);
}
