//! Enterprises are born, relate and die; the register shows it, the truth says what it means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use country::{Preset, RegisteredParty, World};
use jiff::civil::{Date, date};
use spine::declaration::PartyRole;
use spine::{Silent, Value};

use crate::{settings, text};

/// The rows of a file, each by the names of its columns.
fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(file).unwrap().deserialize().map(Result::unwrap).collect()
}

fn importers(world: &World, on: Date) -> BTreeMap<String, RegisteredParty> {
    let all = world.register(on).filter(|party| party.role == PartyRole::Importer);
    all.map(|party| (party.id.to_string(), party)).collect()
}

#[test]
fn enterprises_trade_between_their_entry_in_the_register_and_their_end() {
    let world = World::new(settings(8_000, Preset::Ordinary)).unwrap();
    let later = date(2026, 12, 31);
    let register = importers(&world, later);
    let (mut born, mut closed) = (BTreeSet::new(), BTreeSet::new());
    for declaration in world.declarations().chain(world.living().take(1_000)) {
        let item = &declaration.items[0];
        let importer = &register[&text(item, "importer_id")];
        let on = declaration.accepted_at.date();
        assert!(importer.registered_on.unwrap() < on, "{importer:?} traded on {on}");
        assert!(importer.closed_on.is_none_or(|closed| on <= closed), "{importer:?} traded on {on}");
        assert_eq!(item.value("trusted_trader"), Some(&Value::Boolean(importer.trusted)));
        born.extend(importer.registered_on.filter(|day| *day > date(2024, 1, 1)).map(|_| &importer.id));
        closed.extend(importer.closed_on.map(|_| &importer.id));
    }
    assert!(born.len() > 50 && closed.len() > 50, "{} {}", born.len(), closed.len());
}

#[test]
fn the_register_of_a_day_knows_nothing_of_later_days() {
    let world = World::new(settings(5_000, Preset::Ordinary)).unwrap();
    let days = [date(2023, 12, 31), date(2024, 7, 1), world.last_day()];
    let registers = days.map(|day| importers(&world, day));
    for (day, register) in days.iter().zip(&registers) {
        for party in register.values() {
            assert!(
                party.registered_on.unwrap() <= *day && party.closed_on.is_none_or(|closed| closed <= *day)
            );
        }
    }
    let [before, midway, end] = registers.each_ref().map(BTreeMap::len);
    assert!(before < midway && midway < end, "{before} {midway} {end}");
    let closed = |at: usize| registers[at].values().filter(|party| party.closed_on.is_some()).count();
    assert!(closed(0) < closed(1) && closed(1) < closed(2));
    let others: BTreeSet<PartyRole> = world.register(world.last_day()).map(|party| party.role).collect();
    let roles = [PartyRole::Declarant, PartyRole::Importer, PartyRole::Exporter, PartyRole::Carrier];
    assert_eq!(others, roles.into());
    for party in world.register(world.last_day()) {
        assert!(!party.name.is_empty() && !party.address.is_empty(), "{party:?}");
        assert!(
            party.phone.is_none_or(|phone| phone.starts_with("+999 ")),
            "a number that might be somebody's"
        );
    }
}

#[test]
fn who_took_over_is_reached_where_the_one_before_was_and_cheats_keep_together() {
    let folder = tempfile::tempdir().unwrap();
    country::write(settings(12_000, Preset::Ordinary), folder.path(), &Silent).unwrap();
    let register: BTreeMap<String, BTreeMap<String, String>> =
        rows(&folder.path().join("parties.csv")).into_iter().map(|row| (row["id"].clone(), row)).collect();
    assert!(register.values().all(|row| !row.contains_key("character")), "no truth outside its folder");
    let truth: Vec<_> = rows(&folder.path().join("truth/parties.csv"));
    let truth: Vec<_> = truth.iter().filter(|row| row["role"] == "importer").collect();
    let mut straw_men = 0;
    let mut successors: BTreeMap<&str, usize> = BTreeMap::new();
    for row in truth.iter().filter(|row| !row["predecessor"].is_empty()) {
        let (own, before) = (&register[&row["id"]], &register[&row["predecessor"]]);
        let same = |field: &str| own[field] == before[field];
        assert!(same("address") || same("phone"), "{own:?} {before:?}");
        assert!(!before["closed_on"].is_empty() && before["registered_on"] < own["registered_on"]);
        assert!(same("owner") || row["character"] == "shell", "only shells belong to straw men");
        straw_men += usize::from(!same("owner"));
        *successors.entry(&row["character"]).or_default() += 1;
    }
    println!("successors by character {successors:?}, {straw_men} of straw men");
    assert!(straw_men >= 5 && successors["shell"] >= 10 && successors["dishonest"] >= 5);

    // Belonging to somebody who owns another enterprise is no proof, but it is more usual among those who cheat.
    let owners = register.values().filter(|row| row["role"] == "importer").map(|row| &row["owner"]);
    let mut owned: BTreeMap<&String, u32> = BTreeMap::new();
    owners.for_each(|owner| *owned.entry(owner).or_default() += 1);
    let shared = |character: &str| {
        let of: Vec<_> = truth.iter().filter(|row| row["character"] == character).collect();
        let related = of.iter().filter(|row| owned[&register[&row["id"]]["owner"]] > 1).count();
        f64::from(u32::try_from(related).unwrap()) / f64::from(u32::try_from(of.len()).unwrap())
    };
    let (honest, dishonest) = (shared("honest"), shared("dishonest"));
    assert!(honest > 0.05 && dishonest > honest + 0.1, "{honest} {dishonest}");
}
