//! Registers come in, people say who is one, and a split brings back what was, to the byte.

use std::collections::{BTreeMap, BTreeSet};

use ::tags::entities::groups;
use spine::Silent;

use super::*;
use crate::Customhouse;
use crate::declarations::tests::{World, declaration, impossible, reader, trader};
use crate::erasure::tests::standing;
use crate::erasure::{ErasureRequest, Subject};
use crate::error::Error;
use crate::identity::{Reader, Role};
use crate::pool::AdmitRequest;
use crate::site_tests::Site;

const REGISTER: &str = "id,role,name,address,phone,owner,registered_on,closed_on,trusted,simulated\n\
    NL0001,importer,Zelquari Foods Ltd,\"12 Mill Street, Osk\",+999 20 111 1111,PN1111,2024-01-01,2025-03-01,false,true\n\
    NL0002,importer,Norova Steel,\"Mill St 12, Osk\",+999 20 111 1111,PN2222,2025-03-10,,false,true\n\
    NL0003,importer,Zelquary Food,\"9 Quay Street, Osk\",+999 30 222 2222,PN1111,2023-01-01,,true,true\n\
    NL0004,importer,Alone Alders,\"1 Far Road, Estra\",+999 30 333 3333,PN4444,2023-01-01,,false,true\n";

pub(super) fn analyst() -> Reader {
    reader("a-1", Role::Analyst)
}

pub(super) fn chief() -> Reader {
    reader("c-1", Role::Chief)
}

fn receive(world: &World, text: &str, list: Option<&str>) -> Result<RegisterOutcome, Error> {
    world.house.receive_register(&analyst(), text.as_bytes(), list, &BTreeMap::new(), &Silent)
}

/// A house with a register, three declarations of one party and two of another, and history of a large one.
fn world() -> World {
    let world = World::with_policies(false);
    for (party, count) in [("NL0001", 3), ("NL0002", 2)] {
        for n in 0..count {
            let mut own = declaration(&format!("LRN-{party}-{n}"));
            own["declarant"]["id"] = party.into();
            own["goods_shipment"]["importer"]["id"] = party.into();
            world.lodge_as(&reader("t", Role::Trader).of_party(Some(party)), &own).unwrap();
        }
    }
    let mut history = String::from(
        "declaration_id,date,office_id,importer_id,commodity_code,origin_country,net_mass,customs_value\n",
    );
    for row in 0..60 {
        history.push_str(&format!("H{row:03},2025-01-{:02},10,NL0003,851713,CN,10,100\n", row % 28 + 1));
    }
    let file = world.path().join("history.csv");
    std::fs::write(&file, history).unwrap();
    world.house.admit(&Reader::local_operator(), &AdmitRequest::new(&file), &Silent).unwrap();
    let outcome = receive(&world, REGISTER, None).unwrap();
    assert_eq!((outcome.lines, outcome.left_out, outcome.findings), (4, 0, vec![]));
    shown(&world);
    world
}

pub(super) fn shown(world: &World) {
    let head = world.house.journal_position();
    assert!(world.house.wait_until_shown(head, std::time::Duration::from_secs(60)) >= head);
}

/// Everything that is told of some entities, as bytes.
fn told(world: &World, ids: &[&str]) -> String {
    let all: Vec<EntityFile> = ids.iter().map(|id| world.house.entity(&chief(), id).unwrap()).collect();
    serde_json::to_string_pretty(&all).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().code
}

#[test]
fn a_register_tells_who_may_be_who_with_what_speaks_for_it() {
    let world = world();
    let page = world.house.find_matches(&chief(), &MatchesQuery::default()).unwrap();
    let pairs: Vec<String> = page
        .rows
        .iter()
        .map(|row| {
            let kinds: Vec<&str> = row.evidence.iter().map(|own| own.kind.name()).collect();
            format!("{} {} {}", row.left.id, row.right.id, kinds.join(" "))
        })
        .collect();
    assert_eq!(pairs, ["NL0001 NL0002 phone address succession", "NL0001 NL0003 owner name"]);
    assert_eq!((page.total, page.parties, page.waiting, page.simulated), (2, 4, 0, true));
    assert_eq!(page.rows.iter().map(|row| row.takes_two).collect::<Vec<_>>(), [false, true]);
    for (query, expected) in [
        (MatchesQuery { kind: "owner".to_owned(), ..Default::default() }, 1),
        (MatchesQuery { kind: "succession".to_owned(), ..Default::default() }, 1),
        (MatchesQuery { closed: true, ..Default::default() }, 2),
        (MatchesQuery { q: "NL0002".to_owned(), ..Default::default() }, 1),
        (MatchesQuery { q: "norova".to_owned(), ..Default::default() }, 1),
        (MatchesQuery { q: "nobody".to_owned(), ..Default::default() }, 0),
        (MatchesQuery { state: "merged".to_owned(), ..Default::default() }, 0),
        (MatchesQuery { page: 2, ..Default::default() }, 2),
    ] {
        let total = world.house.find_matches(&chief(), &query).unwrap().total;
        assert_eq!(total, expected, "{query:?}");
    }
    let file = world.house.entity(&chief(), "NL0002").unwrap();
    let own = file.register.unwrap();
    assert_eq!(
        (own.name.as_str(), own.entered_on.as_deref(), own.declarations),
        ("Norova Steel", Some("2025-03-10"), 4)
    );
    let shared: Vec<String> =
        file.shared.iter().map(|own| format!("{} {}", own.by.name(), own.parties[0].id)).collect();
    assert_eq!(shared, ["phone NL0001", "address NL0001"]);
    assert_eq!(file.candidates, 1);
    // Who declares nothing has a file too, as far as the register goes.
    let quiet = world.house.entity(&chief(), "NL0004").unwrap();
    assert!(quiet.roles.is_empty() && quiet.register.is_some());
    assert_eq!(code(world.house.find_matches(&trader(), &MatchesQuery::default())), "not_permitted");
    assert_eq!(
        code(world.house.receive_register(&trader(), b"", None, &BTreeMap::new(), &Silent)),
        "not_permitted"
    );
}

#[test]
fn bad_lines_are_told_and_a_later_file_adds_to_an_earlier_one() {
    let world = world();
    let before = world.house.journal_position();
    for (text, expected) in [
        ("", "register_unreadable"),
        ("id,name\n,\n", "register_unreadable"),
        ("a,b\n1,2\n", "register_unreadable"),
    ] {
        assert_eq!(code(receive(&world, text, None)), expected, "{text:?}");
    }
    assert_eq!(world.house.journal_position(), before, "what is refused is not recorded");
    let outcome =
        receive(&world, "id,name,address\nNL0004,Alone no more,\"12 Mill Street, Osk\"\n,Nobody,\n", None)
            .unwrap();
    assert_eq!((outcome.lines, outcome.left_out, outcome.findings[0].code.as_str()), (1, 1, "cell_empty"));
    let file = world.house.entity(&chief(), "NL0004").unwrap();
    assert_eq!(file.register.unwrap().name, "Alone no more");
    assert!(world.house.entity(&chief(), "NL0003").unwrap().register.is_some(), "nobody falls out");
    assert_eq!(world.house.register_files(&chief()).unwrap().len(), 2);
}

#[test]
fn names_on_a_list_are_told_with_both_spellings() {
    let world = world();
    receive(
        &world,
        "ID,Name,Type\n77,ZELKUARI FOODS GMBH,-0-\n78,SOMEBODY ELSE,individual\n",
        Some("embargo"),
    )
    .unwrap();
    let hits = world.house.entity(&chief(), "NL0001").unwrap().hits;
    assert_eq!(hits.len(), 1);
    assert_eq!((hits[0].list.as_str(), hits[0].entry.as_str()), ("embargo", "77"));
    assert_eq!(
        (hits[0].own.as_str(), hits[0].listed.as_str()),
        ("Zelquari Foods Ltd", "ZELKUARI FOODS GMBH")
    );
    assert!(world.house.entity(&chief(), "NL0002").unwrap().hits.is_empty());
    // The next file of a list takes its place.
    receive(&world, "ID,Name\n78,SOMEBODY ELSE\n", Some("embargo")).unwrap();
    assert!(world.house.entity(&chief(), "NL0001").unwrap().hits.is_empty());
}

#[test]
fn a_merge_shows_both_together_and_a_split_brings_back_what_was() {
    let world = world();
    let before = told(&world, &["NL0001", "NL0002", "NL0003"]);
    let merged =
        world.house.merge_entities(&analyst(), "NL0002", "NL0001", "Same rooms, same people.").unwrap();
    assert_eq!((merged.state, merged.evidence.len()), (DecisionState::Merged, 3));
    for id in ["NL0001", "NL0002"] {
        let file = world.house.entity(&chief(), id).unwrap();
        let members: Vec<&str> = file.group.iter().map(|own| own.id.as_str()).collect();
        assert_eq!(members, ["NL0001", "NL0002"]);
        assert_eq!(file.merges, std::slice::from_ref(&merged));
        let importer = file.roles.iter().find(|own| own.role == "importer").unwrap();
        assert_eq!(
            (importer.id.as_str(), importer.declarations, importer.value.as_deref()),
            (id, 5, Some("6002"))
        );
        assert_eq!(file.months.iter().map(|own| own.declarations).sum::<u64>(), 5);
        assert_eq!(file.latest.len(), 5);
        assert!(
            file.relations.iter().any(|own| own.id == "CN0001" && own.declarations >= 5),
            "{:?}",
            file.relations
        );
        assert_eq!(file.candidates, u64::from(id == "NL0001"), "who is one is no candidate any more");
    }
    assert_eq!(code(world.house.merge_entities(&chief(), "NL0001", "NL0002", "again")), "entities_are_one");
    let during = told(&world, &["NL0001", "NL0002"]);
    let world = world.closed(|data| std::fs::remove_dir_all(data.join("read-models")).unwrap());
    shown(&world);
    assert_eq!(told(&world, &["NL0001", "NL0002"]), during, "rebuilt, it is the same");
    let split = world.house.split_entities(&chief(), &merged.id, "Two families after all.").unwrap();
    assert_eq!(split.state, DecisionState::Split);
    assert_eq!(told(&world, &["NL0001", "NL0002", "NL0003"]), before);
    let world = world.closed(|data| std::fs::remove_dir_all(data.join("read-models")).unwrap());
    shown(&world);
    assert_eq!(told(&world, &["NL0001", "NL0002", "NL0003"]), before, "and so it is rebuilt");
    assert_eq!(code(world.house.split_entities(&chief(), &merged.id, "twice")), "entity_decision_state");
}

#[test]
fn the_list_finds_names_tells_groups_and_orders_by_rates_that_say_something() {
    let world = world();
    let list = |q: &str, sort: &str| {
        let query = EntitiesQuery { q: q.to_owned(), sort: sort.to_owned(), ..Default::default() };
        let page = world.house.find_entities(&chief(), &query).unwrap();
        let told = |own: &EntityRow| format!("{} {} {}", own.id, own.role, own.members);
        let mut rows: Vec<String> = page.rows.iter().map(told).collect();
        assert_eq!(page.total, u64::try_from(rows.len()).unwrap());
        if sort.is_empty() {
            rows.sort();
        }
        rows
    };
    let importers = |q| list(q, "").into_iter().filter(|row| row.contains(" importer ")).collect::<Vec<_>>();
    for (q, found) in [
        ("zelqu", vec!["NL0001 importer 1", "NL0003 importer 1"]),
        ("Norova", vec!["NL0002 importer 1"]),
        ("NL000", vec!["NL0001 importer 1", "NL0002 importer 1", "NL0003 importer 1"]),
        ("nobody is called so", vec![]),
    ] {
        assert_eq!(importers(q), found, "{q}");
    }
    world.house.merge_entities(&analyst(), "NL0002", "NL0001", "Same rooms.").unwrap();
    assert_eq!(importers("Norova"), ["NL0002 importer 2"]);
    let named =
        world.house.find_entities(&chief(), &EntitiesQuery { q: "NL0001".into(), ..Default::default() });
    assert_eq!(named.unwrap().rows[0].name.as_deref(), Some("Zelquari Foods Ltd"));
    // Ten inspected of which one was irregular come before one that was inspected once.
    let rows = ["A", "B", "C"].map(|party| (party, if party == "C" { 1 } else { 10 }));
    let mut history = String::from(
        "declaration_id,date,office_id,importer_id,commodity_code,origin_country,net_mass,customs_value,irregular\n",
    );
    for (party, count) in rows {
        for row in 0..count {
            let irregular = u8::from(party == "C" || (party == "B" && row == 0));
            history.push_str(&format!(
                "R{party}{row},2025-02-01,10,RATED-{party},851713,CN,10,100,{irregular}\n"
            ));
        }
    }
    let file = world.path().join("rated.csv");
    std::fs::write(&file, history).unwrap();
    world.house.admit(&Reader::local_operator(), &AdmitRequest::new(&file), &Silent).unwrap();
    shown(&world);
    let rated = ["RATED-B importer 1", "RATED-A importer 1", "RATED-C importer 1"];
    assert_eq!(list("RATED", "-rate"), rated);
}

#[test]
fn what_is_large_takes_two_people_in_both_directions() {
    let world = world();
    let house = &world.house;
    let proposed = house.merge_entities(&analyst(), "NL0001", "NL0003", "One owner.").unwrap();
    assert_eq!(proposed.state, DecisionState::MergeProposed);
    assert!(house.entity(&chief(), "NL0001").unwrap().group.is_empty(), "nothing is merged yet");
    assert_eq!(code(house.approve_entity_decision(&analyst(), &proposed.id)), "entity_decision_by_same");
    assert_eq!(code(house.merge_entities(&chief(), "NL0003", "NL0001", "me too")), "entities_decided");
    assert_eq!(house.find_matches(&chief(), &MatchesQuery::default()).unwrap().waiting, 1);
    assert_eq!(house.approve_entity_decision(&chief(), &proposed.id).unwrap().state, DecisionState::Merged);
    assert_eq!(house.entity(&chief(), "NL0001").unwrap().group.len(), 2);
    let asked = house.split_entities(&chief(), &proposed.id, "No.").unwrap();
    assert_eq!(asked.state, DecisionState::SplitProposed);
    assert_eq!(house.entity(&chief(), "NL0001").unwrap().group.len(), 2, "still one");
    assert_eq!(code(house.approve_entity_decision(&chief(), &proposed.id)), "entity_decision_by_same");
    let back = house.withdraw_entity_decision(&chief(), &proposed.id).unwrap();
    assert_eq!(back.state, DecisionState::Merged, "what stood before stands");
    house.split_entities(&chief(), &proposed.id, "Really no.").unwrap();
    assert_eq!(house.approve_entity_decision(&analyst(), &proposed.id).unwrap().state, DecisionState::Split);
    assert!(house.entity(&chief(), "NL0001").unwrap().group.is_empty());
    for (result, expected) in [
        (house.merge_entities(&analyst(), "NL0001", "NL0001", "x"), "entities_are_one"),
        (house.merge_entities(&analyst(), "NL0001", "XX", "x"), "entity_unknown"),
        (house.merge_entities(&analyst(), "NL0001", "NL0002", " "), "reason_missing"),
        (house.merge_entities(&reader("o", Role::Officer), "NL0001", "NL0002", "x"), "not_permitted"),
        (house.approve_entity_decision(&chief(), "d-0"), "entity_decision_unknown"),
        (house.withdraw_entity_decision(&chief(), &proposed.id), "entity_decision_state"),
    ] {
        assert_eq!(code(result), expected);
    }
}

#[test]
fn who_is_not_the_same_is_not_proposed_again_until_that_is_taken_back() {
    let world = world();
    let open = |world: &World| world.house.find_matches(&chief(), &MatchesQuery::default()).unwrap().total;
    let apart = world.house.keep_entities_apart(&analyst(), "NL0002", "NL0001", "Two landlords.").unwrap();
    assert_eq!((apart.state, open(&world)), (DecisionState::Apart, 1));
    assert_eq!(code(world.house.merge_entities(&chief(), "NL0001", "NL0002", "x")), "entities_decided");
    let query = MatchesQuery { state: "apart".to_owned(), ..Default::default() };
    assert_eq!(world.house.find_matches(&chief(), &query).unwrap().rows[0].decision.as_ref(), Some(&apart));
    world.house.withdraw_entity_decision(&chief(), &apart.id).unwrap();
    assert_eq!(open(&world), 2);
}

#[test]
fn groups_are_as_if_made_from_scratch_after_any_merges_and_splits() {
    let world = World::with_policies(false);
    let lines: String = (0..8).map(|n| format!("E{n},Name {n}\n")).collect();
    receive(&world, &format!("id,name\n{lines}"), None).unwrap();
    let mut standing: BTreeMap<String, (String, String)> = BTreeMap::new();
    // A fixed walk: each step merges two, or takes a merge back.
    let mut state = 12_345_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..40 {
        if next(3) == 0 && !standing.is_empty() {
            let at = usize::try_from(next(u64::try_from(standing.len()).unwrap())).unwrap();
            let id = standing.keys().nth(at).unwrap().clone();
            world.house.split_entities(&chief(), &id, "walk").unwrap();
            standing.remove(&id);
        } else {
            let (one, other) = (format!("E{}", next(8)), format!("E{}", next(8)));
            match world.house.merge_entities(&analyst(), &one, &other, "walk") {
                Ok(merged) => drop(standing.insert(merged.id, (one, other))),
                Err(error) => assert_eq!(error.code, "entities_are_one"),
            }
        }
        let expected = groups(standing.values().map(|(one, other)| (one.as_str(), other.as_str())));
        for n in 0..8 {
            let id = format!("E{n}");
            let group = world.house.entity(&chief(), &id).unwrap().group;
            let found: BTreeSet<String> = group.into_iter().map(|own| own.id).collect();
            let members: BTreeSet<String> = expected.members(&id).into_iter().collect();
            assert_eq!(found, if members.len() > 1 { members } else { BTreeSet::new() });
        }
    }
    assert!(!standing.is_empty());
}

pub(super) fn erase(world: &World, party: &str) {
    let request = ErasureRequest {
        subject: Subject::Party(party.to_owned()),
        basis: "Data Protection Act, section 17".to_owned(),
        reason: "The retention period is over.".to_owned(),
    };
    let ordered = world.house.order_erasure(&chief(), &request).unwrap();
    world.house.approve_erasure(&reader("a-9", Role::Admin), &ordered.id, &request.subject, &Silent).unwrap();
}

#[test]
fn a_register_that_names_an_erased_party_goes_with_all_that_was_made_of_it() {
    let world = world();
    let secrets = ["Zelquari Foods Ltd", "PN1111"];
    world.house.merge_entities(&analyst(), "NL0002", "NL0001", "About Zelquari Foods Ltd.").unwrap();
    let data = world.path().join("data");
    world.house.entity(&chief(), "NL0001").unwrap();
    assert!(standing(&data, &secrets).len() >= 2);
    world.clock.forward(2);
    world.house.run_timers().unwrap();
    erase(&world, "NL0001");
    let world = world.reopened();
    shown(&world);
    assert_eq!(standing(&data, &secrets), Vec::<String>::new());
    assert_eq!(world.house.find_matches(&chief(), &MatchesQuery::default()).unwrap().parties, 0);
    assert!(world.house.entity(&chief(), "NL0002").unwrap().group.is_empty());
    let without: String =
        REGISTER.lines().filter(|line| !line.starts_with("NL0001")).map(|line| format!("{line}\n")).collect();
    receive(&world, &without, None).unwrap();
    assert_eq!(world.house.find_matches(&chief(), &MatchesQuery::default()).unwrap().parties, 3);
}

#[test]
fn a_register_whose_receipt_was_cut_off_goes_too() {
    let world = World::with_policies(false);
    let data = world.path().join("data");
    // As after a death before the event that receives it: the bytes stand there, and nothing is made of them.
    world.house.keep_register(&analyst(), REGISTER.as_bytes()).unwrap();
    receive(&world, "id,name\nNL0009,Pelmar Oils\n", None).unwrap();
    assert_eq!(world.house.find_matches(&chief(), &MatchesQuery::default()).unwrap().parties, 1);
    assert!(!standing(&data, &["Zelquari Foods Ltd"]).is_empty());
    erase(&world, "NL0001");
    assert_eq!(standing(&data, &["Zelquari Foods Ltd"]), Vec::<String>::new());
    assert!(!standing(&data, &["Pelmar Oils"]).is_empty(), "what names others stays");
}

/// Several decide on the same two at the same time, again and again: one of them does, the others are told.
fn decide_at_once(houses: &[&Customhouse]) {
    const ROUNDS: usize = 12;
    for round in 0..ROUNDS {
        let barrier = std::sync::Barrier::new(houses.len() * 3);
        let decided = std::thread::scope(|scope| {
            let at_once = houses.iter().flat_map(|house| (0..3).map(move |way| (*house, way)));
            let threads: Vec<_> = at_once
                .map(|(house, way)| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        match way {
                            0 => house.merge_entities(&analyst(), "E0", "E1", "One."),
                            1 => house.merge_entities(&chief(), "E1", "E0", "One."),
                            _ => house.keep_entities_apart(&chief(), "E0", "E1", "Two."),
                        }
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let (done, refused): (Vec<_>, Vec<_>) = decided.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), 1, "round {round}: {done:?} {refused:?}");
        for result in refused {
            let code = code(result);
            assert!(
                ["entities_are_one", "entities_decided"].contains(&code.as_str()),
                "round {round}: {code}"
            );
        }
        let own = done[0].as_ref().unwrap();
        match own.state {
            DecisionState::Merged => houses[0].split_entities(&chief(), &own.id, "Again."),
            _ => houses[0].withdraw_entity_decision(&chief(), &own.id),
        }
        .unwrap();
    }
}

#[test]
fn of_several_who_decide_on_the_same_at_once_one_does() {
    let world = World::with_policies(false);
    receive(&world, "id,name\nE0,First\nE1,Second\nE2,Third\n", None).unwrap();
    decide_at_once(&[&world.house]);
    // What was decided may be erased: the next follows it all the same.
    world.house.merge_entities(&analyst(), "E0", "E2", "One.").unwrap();
    erase(&world, "E2");
    receive(&world, "id,name\nE0,First\nE1,Second\n", None).unwrap();
    let world = world.reopened();
    shown(&world);
    decide_at_once(&[&world.house]);
}

#[test]
fn of_several_processes_that_decide_on_the_same_at_once_one_does() {
    let test = "of_several_processes_that_decide_on_the_same_at_once_one_does";
    let Some(site) = Site::new(test) else { return };
    let houses = [site.open("one"), site.open("two")];
    let register = b"id,name\nE0,First\nE1,Second\n";
    houses[0].receive_register(&analyst(), register, None, &BTreeMap::new(), &Silent).unwrap();
    decide_at_once(&[&houses[0], &houses[1]]);
}

#[test]
fn a_register_goes_in_whatever_encoding_it_names_the_erased_party() {
    let world = World::with_policies(false);
    let utf_16 = |text: &str| {
        let signs = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xFF, 0xFE].into_iter().chain(signs).collect::<Vec<u8>>()
    };
    let windows_1252 =
        b"id,name,owner\nNL0008,Caf\xE9 Men\xE9zes,NL0007\nNL0009,Se\xF1or Nu\xF1ez,\n".to_vec();
    for bytes in [
        utf_16("id,name\nNL0007,Zelquari Foods Ltd\nNL0010,Norova\n"),
        utf_16("id,name\nNL00071,Zelquary\nNL0011,Alone Alders\n"),
        windows_1252,
    ] {
        let received =
            world.house.receive_register(&analyst(), &bytes, None, &BTreeMap::new(), &Silent).unwrap();
        assert_eq!((received.lines, received.left_out), (2, 0));
    }
    let known = |world: &World| -> Vec<&'static str> {
        let all = ["NL0007", "NL0010", "NL00071", "NL0011", "NL0008", "NL0009"];
        all.into_iter().filter(|id| world.house.entity(&chief(), id).is_ok()).collect()
    };
    assert_eq!(known(&world).len(), 6);
    erase(&world, "NL0007");
    shown(&world);
    assert_eq!(known(&world), ["NL00071", "NL0011"]);
    assert_eq!(known(&world.reopened()), ["NL00071", "NL0011"]);
}

#[test]
fn nothing_of_the_register_is_left_behind_and_each_file_counts() {
    let world = World::with_policies(false);
    let files = |data: &std::path::Path| {
        let names = std::fs::read_dir(data.join("read-models")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("entities-")).collect::<Vec<String>>()
    };
    receive(&world, "id,name\nA1,First\n", None).unwrap();
    receive(&world, "id,name\nB1,Second\n", None).unwrap();
    let mut made = Vec::new();
    // What a process that was killed, or an older version, has left.
    let world = world.closed(|data| {
        made = files(data);
        for left in ["entities-0.sqlite", "entities-0.part", made[0].replace("sqlite", "part").as_str()] {
            std::fs::write(data.join("read-models").join(left), b"names").unwrap();
        }
    });
    assert_eq!(made.len(), 1);
    let data = world.path().join("data");
    assert_eq!(files(&data), made);
    // One that was erased before the last is missed, too.
    shown(&world);
    erase(&world, "A1");
    assert_eq!(files(&data), Vec::<String>::new());
    shown(&world);
    assert!(world.house.entity(&chief(), "B1").is_ok());
    assert_eq!(code(world.house.entity(&chief(), "A1")), "entity_unknown");
    assert_eq!(files(&data), made);
}

#[test]
fn the_file_tells_which_of_the_earlier_ones_it_was_made_from() {
    let received = |position: u64, blob: &str| store::Received {
        position,
        list: None,
        blob: blob.to_owned(),
        columns: BTreeMap::new(),
    };
    let all = [received(1, "aa"), received(2, "bb"), received(3, "cc")];
    let others = [
        vec![],
        all[1..].to_vec(),
        all[..2].to_vec(),
        vec![all[0].clone(), received(2, "dd"), all[2].clone()],
    ];
    for other in others {
        assert_ne!(store::mark_of(&other), store::mark_of(&all), "{other:?}");
    }
}

#[test]
fn what_was_decided_on_anybody_of_a_group_is_known_to_whoever_merges_it() {
    let world = World::with_policies(false);
    let lines: String = (0..5).map(|n| format!("E{n},Name {n}\n")).collect();
    receive(&world, &format!("id,name\n{lines}"), None).unwrap();
    let house = &world.house;
    house.merge_entities(&analyst(), "E0", "E1", "One owner.").unwrap();
    house.merge_entities(&analyst(), "E2", "E3", "One owner.").unwrap();
    let apart = house.keep_entities_apart(&analyst(), "E1", "E2", "Two owners.").unwrap();
    for (one, other) in [("E0", "E3"), ("E3", "E0"), ("E1", "E2"), ("E0", "E2")] {
        assert_eq!(
            code(house.merge_entities(&analyst(), one, other, "x")),
            "entities_decided",
            "{one} {other}"
        );
    }
    // Candidates of a group are still kept apart one by one.
    assert_eq!(code(house.keep_entities_apart(&analyst(), "E2", "E1", "x")), "entities_decided");
    let other = house.keep_entities_apart(&analyst(), "E0", "E3", "Two owners.").unwrap();
    house.merge_entities(&analyst(), "E0", "E4", "One owner.").unwrap();
    for id in [&apart.id, &other.id] {
        house.withdraw_entity_decision(&chief(), id).unwrap();
    }
    house.merge_entities(&analyst(), "E0", "E3", "One owner after all.").unwrap();
    assert_eq!(house.entity(&chief(), "E4").unwrap().group.len(), 5);
}

#[test]
fn what_has_come_up_since_a_merge_was_proposed_stands_against_it() {
    let world = world();
    let house = &world.house;
    let proposed = house.merge_entities(&analyst(), "NL0001", "NL0003", "One owner.").unwrap();
    assert_eq!(proposed.state, DecisionState::MergeProposed);
    house.merge_entities(&analyst(), "NL0001", "NL0002", "Same rooms.").unwrap();
    let apart = house.keep_entities_apart(&analyst(), "NL0002", "NL0003", "Two owners.").unwrap();
    assert_eq!(code(house.approve_entity_decision(&chief(), &proposed.id)), "entities_decided");
    house.withdraw_entity_decision(&chief(), &apart.id).unwrap();
    assert_eq!(house.approve_entity_decision(&chief(), &proposed.id).unwrap().state, DecisionState::Merged);
    let file = house.entity(&chief(), "NL0002").unwrap();
    assert_eq!((file.group.len(), file.takes_two), (3, true));
}

#[test]
fn why_a_tag_is_there_is_told_of_everybody_who_is_one() {
    let world = World::with_policies(false);
    for (party, mut own) in [("NL0001", impossible("LRN-1")), ("NL0002", declaration("LRN-2"))] {
        own["declarant"]["id"] = party.into();
        own["goods_shipment"]["importer"]["id"] = party.into();
        world.lodge_as(&reader("t", Role::Trader).of_party(Some(party)), &own).unwrap();
    }
    shown(&world);
    let head = world.house.journal_position();
    assert!(world.house.wait_until_tags_counted(head, std::time::Duration::from_secs(60)) >= head);
    let why = |id: &str| world.house.tag_lineage(&analyst(), "no_tare_at_all", id);
    let own = why("NL0001").unwrap();
    assert_eq!(code(why("NL0002")), "tag_not_on_entity");
    let merged = world.house.merge_entities(&analyst(), "NL0002", "NL0001", "Same rooms.").unwrap();
    let told = why("NL0002").unwrap();
    assert_eq!((told.entity.as_str(), told.declarations, &told.first), ("NL0002", 1, &own.first));
    world.house.split_entities(&analyst(), &merged.id, "Two after all.").unwrap();
    assert_eq!(code(why("NL0002")), "tag_not_on_entity");
}
