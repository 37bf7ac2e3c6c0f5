//! Payloads of released events and the form of a plan: written like this, and read, for ever.

use selection::{Made, Moved, OfficeStanding, Plan, steer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use spine::event::canonical_bytes;

use crate::support::{FIRST_DAY, World, choose, draws, in_force, office, plan};

/// A file that is not there is made when `UPDATE_GOLDEN=1` is set; one that is there is never written again.
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/golden/{name}.json"));
    let bytes = String::from_utf8(canonical_bytes(value).unwrap()).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
        std::fs::write(&path, &bytes).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(bytes, golden, "{name}");
    assert_eq!(&serde_json::from_str::<T>(&golden).unwrap(), value, "{name}");
}

fn made() -> Made {
    let plan = plan();
    choose(&plan, &office(&plan, -180, 50_000), "new timber regular cheap arms odd", true, draws(7))
}

fn moved() -> Moved {
    let plan = plan();
    let mut office = OfficeStanding::new(&plan, "NLRTM01", FIRST_DAY);
    for number in 0..90 {
        let tags = ["", "new", "cheap", "cheap new", "arms"][number % 5];
        let made = choose(&plan, &office, tags, number % 3 == 0, draws(999_999));
        office.apply_made(&made, FIRST_DAY.at(9, 0, 0, 0));
    }
    steer(in_force(&plan), &office, FIRST_DAY.at(12, 0, 0, 0)).unwrap()
}

#[test]
fn payloads_of_released_events_are_written_and_read_for_ever() {
    check("selection.made@1", &made());
    check("threshold.moved@1", &moved());
    let mut full = plan();
    full.fit = Some(serde_json::json!({ "data": "2026-01 to 2026-10", "auc": 0.71 }));
    check::<Plan>("plan@1", &full);
}

#[test]
fn a_plan_is_its_content() {
    let plan = plan();
    assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    assert_eq!(Plan::from_json(&plan.to_json()).unwrap().content_hash(), plan.content_hash());
    let mut other = plan.clone();
    other.floor_ppm += 1;
    assert_ne!(other.content_hash(), plan.content_hash());
    let misspelt = plan.to_json().replace("\"floor_ppm\"", "\"flor_ppm\"");
    assert!(Plan::from_json(&misspelt).unwrap_err().contains("flor_ppm"));
}

#[test]
fn an_office_can_be_kept_and_read_again() {
    let mut world = World::new(3, 40);
    world.day(FIRST_DAY, 500);
    let kept = serde_json::to_string(&world.office).unwrap();
    assert_eq!(serde_json::from_str::<OfficeStanding>(&kept).unwrap(), world.office);
}
