//! Windows of tags count whoever is one together, from the merge on, until a split; a decision is derived again with who
//! was one then.

use serde::Deserialize;
use spine::Silent;

use super::tests::{analyst, chief, erase, shown};
use crate::Customhouse;
use crate::declarations::event::{TAGS_APPLIED, TagsApplied, stream};
use crate::declarations::tests::{World, declaration, put_policies_into_force, reader};
use crate::declarations::{Channel, LodgeRequest};
use crate::identity::{Reader, Role};
use crate::replay::SampleSpec;
use crate::site_tests::{Site, undecided, until};

/// A tag that everybody carries, and that tells what its windows count.
const TAGS: &str = "[family]\nid = \"own\"\ntitle = { en = \"Own\", zh = \"自有\" }\n[aggregate]\n\
    own_items = { measure = \"count\", by = [\"importer_id\"], days = 30, same_day = true }\n\
    buyers = { measure = \"distinct\", of = \"importer_id\", by = [\"exporter_id\"], days = 30, same_day = true }\n\
    [[tag]]\nid = \"counted\"\ntitle = { en = \"T\", zh = \"题\" }\ndescription = { en = \"D\" }\n\
    when = \"own_items >= 0 && buyers >= 0\"\ninspection_hint = { en = \"H\", zh = \"示\" }\n";

fn install(house: &Customhouse, place: &std::path::Path) {
    let folder = place.join("counting");
    std::fs::create_dir(&folder).unwrap();
    let manifest = "id = \"counting\"\nversion = \"1.0.0\"\nkind = \"tags\"\ntitle = { en = \"T\", zh = \"题\" }\n\
        owner = \"Unit\"\nlegal_basis = \"Law\"\nsensitivity = \"official\"\nlicence = \"MIT\"\n";
    std::fs::write(folder.join("pack.toml"), manifest).unwrap();
    std::fs::write(folder.join("tags.toml"), TAGS).unwrap();
    let report = house.install_pack(&Reader::local_operator(), &folder).unwrap();
    assert!(report.installed.is_some(), "{report:?}");
}

/// Lodges a declaration of a party at a house; answers with its number.
fn lodge(house: &Customhouse, party: &str, reference: &str) -> String {
    let mut own = declaration(reference);
    own["declarant"]["id"] = party.into();
    own["goods_shipment"]["importer"]["id"] = party.into();
    let bytes = serde_json::to_vec(&own).unwrap();
    let request = LodgeRequest { bytes, form: None, channel: Channel::Api };
    house.lodge(&reader("t", Role::Trader).of_party(Some(party)), request).unwrap().mrn
}

/// What was recorded of a declaration's windows: items of its importer, buyers of its seller, decisions known.
fn counted(house: &Customhouse, mrn: &str) -> (String, String, Option<u64>) {
    let events = house.journal.read_stream(&stream(mrn), 0, 100).unwrap();
    let applied = events.iter().find(|event| event.envelope.kind == TAGS_APPLIED).unwrap();
    let applied = TagsApplied::deserialize(applied.payload.value().unwrap()).unwrap();
    let tag = applied.tags.iter().find(|own| own.tag == "counted").unwrap();
    let value = |name: &str| tag.values.iter().find(|(own, _)| own == name).unwrap().1.clone();
    (value("own_items"), value("buyers"), applied.groups)
}

fn nothing_is_derived_otherwise(house: &Customhouse, decisions: usize) {
    let sample = house.replay_sample(&chief(), &SampleSpec { decisions: 1_000, seed: 1 }, &Silent).unwrap();
    assert_eq!((sample.decisions, sample.same), (decisions, decisions), "{:#?}", sample.examples);
}

#[test]
fn windows_follow_merges_and_splits_and_past_decisions_are_derived_with_who_was_one_then() {
    let mut world = World::with_policies(false);
    install(&world.house, world.path());
    let mut number = 0;
    let mut next = |world: &World, party: &str| {
        number += 1;
        counted(&world.house, &lodge(&world.house, party, &format!("R-{number}")))
    };
    let told = |(items, buyers, groups): (String, String, Option<u64>)| (items, buyers, groups.is_some());
    let expect = |items: &str, buyers: &str, known| (items.to_owned(), buyers.to_owned(), known);
    for before in ["0", "1", "2"] {
        assert_eq!(
            told(next(&world, "NL0001")),
            expect(before, if before == "0" { "0" } else { "1" }, false)
        );
    }
    assert_eq!(told(next(&world, "NL0002")), expect("0", "1", false));
    assert_eq!(told(next(&world, "NL0002")), expect("1", "2", false));
    shown(&world);
    let merged = world.house.merge_entities(&analyst(), "NL0002", "NL0001", "Same rooms.").unwrap();
    assert_eq!(told(next(&world, "NL0002")), expect("5", "1", true), "three of one, two of the other");
    assert_eq!(told(next(&world, "NL0003")), expect("0", "1", true), "who buys counts as one");
    shown(&world);
    let together = |mrn: &str| world.house.case(&chief(), mrn).unwrap().counted_together;
    let last = lodge(&world.house, "NL0002", "R-LAST");
    shown(&world);
    assert_eq!(together(&last), [["NL0001", "NL0002"]]);
    world.house.split_entities(&analyst(), &merged.id, "Two after all.").unwrap();
    assert_eq!(told(next(&world, "NL0001")), expect("3", "3", true), "what it had alone");
    shown(&world);
    world.house.merge_entities(&analyst(), "NL0001", "NL0003", "One owner.").unwrap();
    world = world.reopened();
    assert_eq!(told(next(&world, "NL0003")), expect("5", "2", true), "the same after a restart");
    nothing_is_derived_otherwise(&world.house, 10);
    // The decision to merge named it; without that its group is gone.
    erase(&world, "NL0003");
    assert_eq!(told(next(&world, "NL0001")).0, "4");
}

#[test]
fn several_processes_follow_the_same_merges() {
    let Some(site) = Site::new("several_processes_follow_the_same_merges") else { return };
    let houses = [site.open("one"), site.open("two")];
    let [first, second] = &houses;
    install(first, site.folder.path());
    put_policies_into_force(first, false);
    let decided = |house: &Customhouse, party: &str, reference: &str| {
        let mrn = lodge(house, party, reference);
        until("it is decided", || undecided(first) == 0);
        counted(first, &mrn)
    };
    decided(first, "NL0001", "R-1");
    decided(second, "NL0002", "R-2");
    let merged = second.merge_entities(&analyst(), "NL0001", "NL0002", "Same rooms.").unwrap();
    for (house, reference, items) in [(first, "R-3", "2"), (second, "R-4", "3")] {
        let (told, buyers, groups) = decided(house, "NL0002", reference);
        assert_eq!((told.as_str(), buyers.as_str(), groups.is_some()), (items, "1", true));
    }
    first.split_entities(&analyst(), &merged.id, "Two after all.").unwrap();
    assert_eq!(decided(second, "NL0001", "R-5").0, "1");
    for house in [first, second] {
        nothing_is_derived_otherwise(house, 5);
    }
}
