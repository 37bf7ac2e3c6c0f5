//! Episodes by a table, and warnings through the house: raised once, acknowledged, kept, hidden.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clearance::ResultCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::event::{About, RAISED, Raised, TagsInUse, stream};
use super::in_use::InUse;
use super::state::State;
use super::*;
use crate::declarations::CaseAction;
use crate::declarations::tests::{World, declaration, impossible, reader, result};
use crate::erasure::{ErasureRequest, Subject};
use crate::identity::Role;
use crate::tags::{SEALED, with_sealed_tag};
use crate::{Customhouse, Fact};

pub(super) const TAG: &str = "no_tare_at_all";
const WAIT: Duration = Duration::from_secs(60);

pub(super) fn at_office(mut own: Value, office: &str) -> Value {
    own["declaration_office_id"] = json!(office);
    own
}

/// Counts a day's declarations at an office, of which some carry the tag.
fn count(state: &mut State, day: i32, office: &str, declarations: u32, carrying: u32) {
    let own = serde_json::from_value(at_office(declaration("X"), office)).unwrap();
    for number in 0..declarations {
        let mrn = format!("{day}-{office}-{number}");
        state.counts.lodged(&mrn, Some(&own));
        let tags: &[&str] = if number < carrying { &[TAG, "usual"] } else { &["usual"] };
        state.counts.tagged(&mrn, day, tags.iter().copied());
    }
}

/// Ends a day as the house does, and answers with what was raised.
fn end(state: &mut State, day: i32) -> Vec<Raised> {
    assert_eq!(state.due(day + 1), Some(day));
    assert_eq!(state.due(day), None, "a day that goes on is not looked at");
    let (ended, raised) = state.end_of(day, |_| Some(1));
    assert_eq!(
        state.end_of(day, |_| Some(1)),
        (ended.clone(), raised.clone()),
        "the same counts say the same"
    );
    state.ended(&ended);
    for own in &raised {
        state.raised(own.clone(), Timestamp::UNIX_EPOCH, u64::try_from(day).unwrap());
    }
    raised
}

#[test]
fn an_episode_is_raised_once_is_over_and_may_come_again() {
    // Days, declarations of each, carrying; then warnings raised, and those that are over at the end.
    type Told<'a> = (&'a str, &'a [(i32, u32, u32)], usize, usize);
    let all: &[Told<'_>] = &[
        ("nothing changes", &[(90, 50, 2)], 0, 0),
        ("nothing is there", &[(60, 50, 0)], 0, 0),
        ("a rise that goes on", &[(60, 50, 1), (12, 50, 9)], 1, 0),
        ("a rise of things never seen", &[(60, 50, 0), (3, 50, 8)], 1, 0),
        ("a rise that ends", &[(60, 50, 1), (5, 50, 9), (60, 50, 0)], 1, 1),
        ("twice", &[(60, 50, 1), (5, 50, 9), (60, 50, 0), (6, 50, 12)], 2, 1),
        ("a past too short to tell", &[(12, 50, 1), (6, 50, 20)], 0, 0),
        ("more of everything is not more often", &[(60, 20, 2), (20, 200, 20)], 0, 0),
        ("it becomes less", &[(60, 50, 9), (20, 50, 1)], 0, 0),
        ("two are too few", &[(60, 50, 0), (1, 50, 2)], 0, 0),
    ];
    for (name, parts, raised, over) in all {
        let (mut state, mut day, mut found) = (State::default(), 20_000, 0);
        for (days, declarations, carrying) in *parts {
            for _ in 0..*days {
                count(&mut state, day, "10", *declarations, *carrying);
                found += end(&mut state, day).len();
                day += 1;
            }
        }
        let ended = state.warnings.values().filter(|known| known.over.is_some()).count();
        assert_eq!((found, ended), (*raised, *over), "{name}");
        assert_eq!(state.warnings.len(), *raised, "{name}");
    }
}

#[test]
fn the_scope_that_says_it_most_clearly_speaks_and_offices_speak_for_themselves() {
    // Carrying at ten offices of which each has thirty declarations a day, and the scopes that speak.
    let offices: Vec<String> = (10..20).map(|office| office.to_string()).collect();
    let one = [9, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    let two = [9, 9, 1, 1, 1, 1, 1, 1, 1, 1];
    for (rise, expected) in
        [(one, vec!["office 10"]), (two, vec!["office 10", "office 11"]), ([3; 10], vec!["everywhere "])]
    {
        let (mut state, mut said) = (State::default(), Vec::new());
        for day in 20_000..20_066 {
            for (office, carrying) in offices.iter().zip(rise) {
                count(&mut state, day, office, 30, if day < 20_060 { 1 } else { carrying });
            }
            said.extend(end(&mut state, day));
        }
        let mut scopes: Vec<String> =
            said.iter().map(|own| format!("{} {}", own.scope.kind().name(), own.scope.name())).collect();
        scopes.sort();
        assert_eq!(scopes, expected);
        for own in &said {
            assert!(own.sum > own.bound && own.observed > 2, "{own:?}");
            assert!((20_058..=20_062).contains(&super::state::day(own.since)), "{own:?}");
        }
    }
}

#[test]
fn what_was_not_looked_for_before_does_not_count_as_not_there() {
    // What is told of the tag on the day of the 60th's end, and on the 80th's; then how many warnings come of nine of
    // fifty that carry it from the 61st day on.
    let told = |from: Option<i32>, meaning: &str, gone: bool| {
        let tags = if gone { Vec::new() } else { vec![(TAG.to_owned(), meaning.to_owned())] };
        let gone = if gone { vec![TAG.to_owned()] } else { Vec::new() };
        TagsInUse { from: from.map(super::state::date), tags: tags.into_iter().collect(), gone }
    };
    let start = told(None, "a", false);
    let nothing = told(None, "a", true);
    let all = [
        ("an old tag that was never seen", vec![(0, start.clone())], 1),
        ("a new tag", vec![(0, nothing.clone()), (60, told(Some(20_060), "a", false))], 0),
        ("a tag that was new long before", vec![(0, nothing), (30, told(Some(20_030), "a", false))], 1),
        ("a version that marks more", vec![(0, start.clone()), (60, told(Some(20_060), "b", false))], 0),
        (
            "a tag that was out of use",
            vec![(0, start.clone()), (40, told(None, "a", true)), (60, told(Some(20_060), "a", false))],
            0,
        ),
        (
            "another version while a warning is open",
            vec![(0, start), (65, told(Some(20_066), "b", false))],
            1,
        ),
    ];
    for (name, told, raised) in all {
        let (mut state, mut found) = (State::default(), 0);
        for at in 0..90 {
            for (day, told) in &told {
                if *day == at {
                    state.in_use.follow(told.clone());
                }
            }
            count(&mut state, 20_000 + at, "10", 50, if at < 60 { 0 } else { 9 });
            found += end(&mut state, 20_000 + at).len();
        }
        assert_eq!(found, raised, "{name}");
    }
}

#[test]
fn the_chart_begins_where_the_series_began() {
    let told = |from: Option<i32>, meaning: &str| {
        let tags = [(TAG.to_owned(), meaning.to_owned())].into();
        TagsInUse { from: from.map(super::state::date), tags, gone: Vec::new() }
    };
    let mut state = State::default();
    for at in 0..90 {
        match at {
            0 => state.in_use.follow(told(None, "a")),
            30 => state.in_use.follow(told(Some(20_030), "b")),
            75 => state.in_use.follow(told(Some(20_075), "c")),
            _ => {}
        }
        // Before the 31st day it marked nearly everything.
        let carrying = if at < 30 {
            40
        } else if at < 60 {
            1
        } else {
            9
        };
        count(&mut state, 20_000 + at, "10", 50, carrying);
        let raised = end(&mut state, 20_000 + at);
        let known = raised.first().map(|own| state.warnings.get(&own.warning).unwrap().clone());
        if let Some(known) = known {
            let days = super::read_model::chart(&state, &known);
            let (first, last) = (days.first().unwrap(), days.last().unwrap());
            assert_eq!(super::state::day(first.day), 20_030);
            assert_eq!(super::state::day(last.day), 20_000 + at);
            assert!(first.smoothed.unwrap() < 0.03, "nothing of before is in it: {first:?}");
        }
    }
    // It is over with the version that it was of, and begins where that did.
    let [known] = state.warnings.values().collect::<Vec<_>>()[..] else { panic!("{:?}", state.warnings) };
    let days = super::read_model::chart(&state, known);
    let found = (days.first().unwrap().day, days.last().map(|day| Some(day.day)));
    assert_eq!(found, (super::state::date(20_030), Some(known.over)));
}

#[test]
fn what_inspections_found_is_told_of_each_warning_as_if_it_were_alone() {
    let world = World::with_policies(false);
    let (officer, chief) = (reader("o-1", Role::Officer), reader("c", Role::Chief));
    let mut expected: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let tags_of =
        |mrn: &str| -> BTreeSet<String> { world.case(mrn).tags.into_iter().map(|own| own.tag).collect() };
    // What each of them carries.
    let mut tags: Option<BTreeSet<String>> = None;
    for number in 0..24_u64 {
        let office = ["10", "20", "30"][usize::try_from(number % 3).unwrap()];
        let mrn = world.lodge(&at_office(impossible(&format!("H-{number}")), office)).unwrap().mrn;
        let own = tags_of(&mrn);
        tags = Some(tags.map_or_else(|| own.clone(), |all| &all & &own));
        if number % 4 == 0 {
            continue;
        }
        let wrong = number % 5 < 2;
        let code = if wrong { ResultCode::Irregular } else { ResultCode::Conform };
        world.act(&officer, &mrn, CaseAction::Take).unwrap();
        world.act(&officer, &mrn, CaseAction::Complete { result: result(code) }).unwrap();
        for scope in [office, ""] {
            let own = expected.entry(scope).or_default();
            *own = (own.0 + 1, own.1 + u64::from(wrong));
        }
    }
    let tags = tags.unwrap_or_default();
    assert!(tags.len() > 1 && tags.contains(TAG), "{tags:?}");
    let combination = format!("{TAG} && !container_number_wrong");
    let watched = world.house.watch_combination(
        &chief,
        &NewWatch {
            title: "Both".to_owned(),
            condition: combination.clone(),
            reason: "Weigh it.".to_owned(),
        },
    );
    let watched = About::Watched { watched: watched.unwrap().id, condition: combination };
    let abouts = tags.into_iter().take(9).map(|tag| About::Tag { tag, tag_version: 1 }).chain([watched]);
    let today = super::state::date(super::state::day_of(world.house.now()));
    let mut raised = Vec::new();
    for about in abouts {
        for office in ["10", "20", "30", "40", ""] {
            let scope = match office {
                "" => Scope::Everywhere,
                office => Scope::Office { office: office.to_owned() },
            };
            let warning = format!("{}-{office}", about.name());
            let numbers = (3, 1.0, 20.0, 10.0, FALSE_ALARMS_A_YEAR);
            let (observed, expected, sum, bound, false_alarms_a_year) = numbers;
            let own = Raised {
                warning: warning.clone(),
                about: about.clone(),
                scope,
                day: today,
                since: today,
                days: 1,
                observed,
                expected,
                sum,
                bound,
                false_alarms_a_year,
                series: 9,
            };
            let fact =
                Fact::new(&stream(about.name(), &warning), RAISED, serde_json::to_value(&own).unwrap());
            world.house.record(&chief, fact).unwrap();
            raised.push((warning, office));
        }
    }
    let page = seen(&world.house, Role::Chief);
    assert_eq!(page.warnings.len(), raised.len());
    for (warning, office) in raised {
        let own = page.warnings.iter().find(|own| own.id == warning).unwrap();
        let hits = own.hits.unwrap();
        let expected = expected.get(office).copied().unwrap_or_default();
        assert_eq!((hits.inspected, hits.irregular), expected, "{warning}");
    }
}

#[test]
fn what_changes_in_tags_is_told_once() {
    let now = |tags: &[(&str, &str)]| {
        tags.iter()
            .map(|(tag, meaning)| ((*tag).to_owned(), (*meaning).to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let day = super::state::date(20_000);
    let mut in_use = InUse::default();
    // Tags in use, then the ones told, the ones gone, and the day from which.
    type Told<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str], Option<jiff::civil::Date>);
    let all: &[Told<'_>] = &[
        (&[("a", "1"), ("b", "1")], &["a", "b"], &[], None),
        (&[("a", "1"), ("b", "2"), ("c", "1")], &["b", "c"], &[], Some(day)),
        (&[("c", "1")], &[], &["a", "b"], Some(day)),
    ];
    for (tags, new, gone, from) in all {
        let told = in_use.changes(&now(tags), day);
        let [told] = told.as_slice() else { panic!("{told:?}") };
        let found: (Vec<&str>, Vec<&str>) =
            (told.tags.keys().map(String::as_str).collect(), told.gone.iter().map(String::as_str).collect());
        assert_eq!((found.0.as_slice(), found.1.as_slice(), told.from), (*new, *gone, *from));
        in_use.follow(told.clone());
        assert_eq!(in_use.changes(&now(tags), day), Vec::new());
    }
    assert_eq!(InUse::default().changes(&now(&[]), day).len(), 1, "that there is none is told, too");
}

#[test]
fn a_tag_of_the_office_is_new_on_the_day_after_its_approval_and_its_neighbours_are_not() {
    let world = World::with_policies(false);
    let (analyst, chief) = (reader("a", Role::Analyst), reader("c", Role::Chief));
    let approve = |id: &str, when: &str| {
        let proposal = world.house.propose_tag(&analyst, crate::tags::own_tag(id, when)).unwrap();
        world.house.approve_tag(&chief, proposal.number).unwrap();
        world.house.watch_for_warnings().unwrap();
    };
    let from = |id: &str| world.house.warnings.read(|state| state.in_use.from(id));
    let today = || super::state::day_of(world.house.now());
    let quiet = world.house.watch_for_warnings().map(|_| world.house.journal_position()).unwrap();
    world.house.watch_for_warnings().unwrap();
    assert_eq!(world.house.journal_position(), quiet, "what was told is told no more");
    approve("office_heavy", "net_mass > 1000");
    let first = today() + 1;
    assert_eq!((from(TAG), from("office_heavy")), (None, Some(first)));
    world.clock.forward(72);
    approve("office_light", "net_mass < 1");
    assert_eq!((from("office_heavy"), from("office_light")), (Some(first), Some(first + 3)));
    world.clock.forward(72);
    approve("office_heavy", "net_mass > 100");
    assert_eq!((from("office_heavy"), from("office_light")), (Some(first + 6), Some(first + 3)));
}

#[test]
fn days_that_nobody_could_act_on_any_more_are_not_looked_at() {
    let mut state = State::default();
    for day in [20_000, 20_010, 20_050, 20_055] {
        count(&mut state, day, "10", 1, 0);
    }
    // Nobody has looked yet: what was over before the latest day is nothing to warn of.
    assert_eq!(state.due(20_060), Some(20_055));
    let (first, _) = state.end_of(20_000, |_| Some(1));
    state.ended(&first);
    let mut looked = Vec::new();
    while let Some(day) = state.due(20_060) {
        let (ended, _) = state.end_of(day, |_| Some(1));
        state.ended(&ended);
        looked.push(day);
    }
    assert_eq!(looked, [20_050, 20_055], "days without declarations are none to look at");
}

/// Four weeks in which two offices have three ordinary declarations a day each, then four days in which one of them has
/// as many that carry the tag as well.
fn told(rise: bool) -> World {
    let world = World::with_policies(false);
    for day in 0..32 {
        for office in ["10", "20"] {
            for number in 0..3 {
                let lrn = format!("{day}-{office}-{number}");
                let more = rise && day >= 28 && office == "20";
                let own = if more { impossible(&lrn) } else { declaration(&lrn) };
                world.lodge(&at_office(own, office)).unwrap();
            }
        }
        world.clock.forward(24);
        world.house.watch_for_warnings().unwrap();
    }
    world
}

pub(super) fn seen(house: &Customhouse, role: Role) -> WarningsPage {
    let head = house.journal_position();
    assert!(house.wait_until_tags_counted(head, WAIT) >= head);
    assert!(house.wait_until_shown(head, WAIT) >= head);
    let page = || {
        house.watch_for_warnings().unwrap();
        house.warnings(&reader("r", role), &WarningsQuery::default()).unwrap()
    };
    let mut seen = page();
    while seen.position < head {
        seen = page();
    }
    seen
}

#[test]
fn whoever_looks_for_the_first_time_or_has_lost_its_files_does_not_warn_of_the_past() {
    // Of before warnings were there: days on which nobody looked, with a rise that is over and one that goes on.
    let world = World::with_policies(false);
    for day in 0..70 {
        for number in 0..4 {
            let lrn = format!("{day}-{number}");
            let carries = (24..26).contains(&day) && number < 3 || day >= 64;
            let own = if carries { impossible(&lrn) } else { declaration(&lrn) };
            world.lodge(&at_office(own, "20")).unwrap();
        }
        world.clock.forward(24);
    }
    let page = seen(&world.house, Role::Chief);
    let of_tag = |page: &WarningsPage| {
        page.warnings
            .iter()
            .filter(|own| own.tag.as_deref() == Some(TAG))
            .map(|own| own.since.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_tag(&page), ["2026-05-05"], "{:?}", page.warnings);
    let days = |world: &World| {
        let stream = world.house.journal.read_stream("warnings", 0, 1_000).unwrap();
        let ended = stream.iter().filter(|event| event.envelope.kind == super::event::DAY_ENDED);
        ended.map(|event| event.payload.value().unwrap()["day"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(days(&world), ["\"2026-05-10\""]);
    // From then on each day is looked at, also those that ended while the house was closed, with files or without.
    let mut world = world;
    for lost in [&[][..], &["read-models/news-read"], &["read-models/news-read", "warnings/counts.json"]] {
        for number in 0..2 {
            world.lodge(&at_office(declaration(&format!("later-{}-{number}", lost.len())), "20")).unwrap();
            world.clock.forward(24);
        }
        world = world.closed(|data| {
            for file in lost {
                let _ = std::fs::remove_file(data.join(file));
            }
        });
        let again = seen(&world.house, Role::Chief);
        assert_eq!(of_tag(&again), of_tag(&page), "{lost:?}");
    }
    let all: Vec<String> = (10..17).map(|day| format!("\"2026-05-{day}\"")).collect();
    assert_eq!(days(&world), all);
}

/// What does not depend on when it is asked.
pub(super) fn lasting(page: WarningsPage) -> (Vec<Warning>, u64, u64) {
    (page.warnings, page.total, page.series)
}

#[test]
fn where_a_tag_becomes_more_frequent_one_warning_says_so_and_stays() {
    let world = told(true);
    let page = seen(&world.house, Role::Chief);
    let of_tag: Vec<&Warning> = page.warnings.iter().filter(|own| own.tag.as_deref() == Some(TAG)).collect();
    let [own] = of_tag.as_slice() else { panic!("{:?}", page.warnings) };
    assert_eq!(own.scope, Scope::Office { office: "20".to_owned() });
    assert_eq!(own.standing, Standing::Open);
    assert!(own.sum > own.bound && page.series > 10, "{own:?}");
    // The latest days: three of three.
    assert_eq!(own.chart.last().map(|day| (day.declarations, day.carrying)), Some((3, 3)));
    assert_eq!(own.chart.len(), 32);
    assert_eq!((own.declarations, own.hits.unwrap().inspected), (Some(12), 0));
    let id = own.id.clone();
    // Who works there is told; who works elsewhere is not.
    let officer = reader("o-1", Role::Officer);
    for (office, open) in [(Some("20"), 1), (Some("10"), 0), (None, 1)] {
        let open_there = world.house.open_warnings(&officer, office, 3).unwrap();
        let found = open_there.latest.iter().filter(|own| own.tag.as_deref() == Some(TAG)).count();
        assert_eq!(found, open, "{office:?}");
    }
    // On a control it stands beside the tag; what is found counts.
    let mrn = world.lodge(&at_office(impossible("CASE"), "20")).unwrap().mrn;
    let elsewhere = world.lodge(&at_office(impossible("ELSEWHERE"), "10")).unwrap().mrn;
    let on_case = |mrn: &str| {
        let case = world.case(mrn);
        case.tags.iter().find(|own| own.tag == TAG).map(|own| own.warnings.len())
    };
    assert_eq!((on_case(&mrn), on_case(&elsewhere)), (Some(1), Some(0)));
    world.act(&officer, &mrn, CaseAction::Take).unwrap();
    world.act(&officer, &mrn, CaseAction::Complete { result: result(ResultCode::Irregular) }).unwrap();
    // Acknowledged once, by those who may.
    let chief = reader("c", Role::Chief);
    let too_long = "x".repeat(NOTE_CHARACTERS_MAX + 1);
    for (by, note, code) in [
        (&officer, "seen", "not_permitted"),
        (&chief, " ", "warning_note"),
        (&chief, too_long.as_str(), "warning_note"),
    ] {
        assert_eq!(world.house.acknowledge_warning(by, &id, note).unwrap_err().code, code);
    }
    assert_eq!(world.house.acknowledge_warning(&chief, "none", "x").unwrap_err().code, "warning_unknown");
    world.house.acknowledge_warning(&chief, &id, "weighed again at the gate").unwrap();
    let again = world.house.acknowledge_warning(&chief, &id, "me too").unwrap_err();
    assert_eq!(again.code, "warning_acknowledged");
    let page = lasting(seen(&world.house, Role::Chief));
    let own = page.0.iter().find(|own| own.id == id).unwrap();
    assert_eq!(own.standing, Standing::Acknowledged);
    let hits = own.hits.unwrap();
    assert_eq!((own.declarations, hits.inspected, hits.irregular), (Some(13), 1, 1));
    // After a start, with the file and without it, and with a damaged one, everything is as it was.
    let mut world = world;
    for what in ["nothing", "gone", "cut", "other"] {
        world = world.closed(|data| {
            let path = data.join("warnings").join("counts.json");
            let bytes = std::fs::read(&path).unwrap();
            match what {
                "gone" => std::fs::remove_file(&path).unwrap(),
                "cut" => std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
                "other" => std::fs::write(&path, b"[2,{}]\0\0\0\0").unwrap(),
                _ => {}
            }
        });
        let before = world.house.journal_position();
        assert_eq!(lasting(seen(&world.house, Role::Chief)), page, "{what}");
        assert_eq!(world.house.journal_position(), before, "{what}: nothing is raised again");
    }
}

#[test]
fn of_a_note_that_was_erased_it_stays_who_has_taken_note() {
    let world = told(true);
    let of_tag =
        |page: WarningsPage| page.warnings.into_iter().find(|own| own.tag.as_deref() == Some(TAG)).unwrap();
    let id = of_tag(seen(&world.house, Role::Chief)).id;
    let chief = reader("c", Role::Chief);
    world.house.acknowledge_warning(&chief, &id, "NL0777 sends them all").unwrap();
    let subject = Subject::Party("NL0777".to_owned());
    let (basis, reason) = ("Data Protection Act".to_owned(), "The retention period is over.".to_owned());
    let request = ErasureRequest { subject: subject.clone(), basis, reason };
    let ordered = world.house.order_erasure(&chief, &request).unwrap();
    world.house.approve_erasure(&reader("a", Role::Admin), &ordered.id, &subject, &spine::Silent).unwrap();
    let own = of_tag(seen(&world.house, Role::Chief));
    assert_eq!((own.id.as_str(), own.standing), (id.as_str(), Standing::Acknowledged));
    let note = own.acknowledged.unwrap();
    assert_eq!((note.by.as_str(), note.note.as_str()), ("c", ""));
    assert_eq!(own.declarations, Some(12));
}

#[test]
fn where_nothing_changes_nothing_is_raised() {
    let page = seen(&told(false).house, Role::Auditor);
    assert_eq!((page.warnings, page.total), (Vec::new(), 0));
    assert!(page.series > 10, "{} series are watched all the same", page.series);
}

#[test]
fn warnings_of_tags_above_the_clearance_do_not_exist() {
    let world = with_sealed_tag();
    let (mut state, mut raised) = (State::default(), Vec::new());
    for day in 20_000..20_062 {
        count(&mut state, day, "10", 30, if day < 20_060 { 1 } else { 9 });
        raised.extend(end(&mut state, day));
    }
    let about = About::Tag { tag: SEALED.to_owned(), tag_version: 1 };
    let own = Raised { about, ..raised.remove(0) };
    let id = own.warning.clone();
    let fact = Fact::new(&stream(SEALED, &id), RAISED, serde_json::to_value(&own).unwrap());
    world.house.record(&reader("c", Role::Chief), fact).unwrap();
    for (role, sees) in [(Role::Officer, 0), (Role::Chief, 0), (Role::Auditor, 1)] {
        assert_eq!(seen(&world.house, role).total, sees, "{role:?}");
        let open = world.house.open_warnings(&reader("r", role), None, 3).unwrap();
        assert_eq!(open.total, sees, "{role:?}");
    }
    let trader = reader("t", Role::Trader);
    assert_eq!(world.house.warnings(&trader, &WarningsQuery::default()).unwrap_err().code, "not_permitted");
    assert_eq!(world.house.open_warnings(&trader, None, 3).unwrap_err().code, "not_permitted");
    let wrong = WarningsQuery { standing: "x".to_owned(), ..WarningsQuery::default() };
    assert_eq!(world.house.warnings(&reader("r", Role::Chief), &wrong).unwrap_err().code, "warning_standing");
}
