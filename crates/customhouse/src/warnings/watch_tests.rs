//! Combinations that are watched: their past is counted, they warn, they are as secret as their tags. And the payloads of
//! this room's events, which are read for ever.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use spine::Sensitivity;

use super::event::{
    About, Acknowledged, DAY_ENDED, DAYS_STREAM, DayEnded, RAISED, Raised, TagsInUse, WatchBegun, WatchEnded,
    stream,
};
use super::in_use::meanings;
use super::tests::{TAG, at_office, lasting, seen};
use super::*;
use crate::Fact;
use crate::declarations::tests::{World, declaration, impossible, reader};
use crate::erasure::{ErasureRequest, Subject};
use crate::identity::{Reader, Role};
use crate::tags::{SEALED, with_sealed_tag};

fn watch(condition: &str) -> NewWatch {
    let (title, reason) = ("No tare, as always".to_owned(), "Weigh it again.".to_owned());
    NewWatch { title, condition: condition.to_owned(), reason }
}

fn chief() -> Reader {
    reader("c", Role::Chief)
}

/// Days on which an office has three declarations, of which some carry the tag.
fn days(world: &World, name: &str, days: usize, carrying: usize) {
    for day in 0..days {
        for number in 0..3 {
            let lrn = format!("{name}-{day}-{number}");
            let own = if number < carrying { impossible(&lrn) } else { declaration(&lrn) };
            world.lodge(&at_office(own, "20")).unwrap();
        }
        world.clock.forward(24);
        world.house.watch_for_warnings().unwrap();
    }
}

/// Tags of the plain declaration, and of the one without tare.
fn tags(world: &World, name: &str) -> [Vec<String>; 2] {
    [declaration(&format!("{name}-plain")), impossible(&format!("{name}-other"))].map(|own| {
        let mrn = world.lodge(&at_office(own, "99")).unwrap().mrn;
        world.case(&mrn).tags.into_iter().map(|own| own.tag).collect()
    })
}

#[test]
fn a_combination_warns_like_a_tag_and_its_past_is_counted() {
    let world = World::with_policies(false);
    let [plain, _] = tags(&world, "first");
    let absent = "container_number_wrong";
    assert!(!plain.iter().any(|own| own == absent), "{plain:?}");
    days(&world, "usual", 28, 0);
    let condition = format!("{TAG} && !{absent}");
    let watched = world.house.watch_combination(&chief(), &watch(&condition)).unwrap();
    assert_eq!((watched.tags.len(), watched.missing.len(), watched.warnings), (2, 0, 0));
    // Two of the first day hold no more and no less than what was lodged before it was watched.
    assert_eq!((watched.declarations, watched.carrying), (86, 1));
    // Were its past not counted, two weeks would have to pass first.
    days(&world, "rise", 4, 3);
    let page = seen(&world.house, Role::Chief);
    let of_it: Vec<&Warning> =
        page.warnings.iter().filter(|own| own.watched.as_ref() == Some(&watched.id)).collect();
    let [own] = of_it.as_slice() else { panic!("{:?}", page.warnings) };
    assert_eq!((&own.tag, own.condition.as_deref()), (&None, Some(condition.as_str())));
    assert_eq!(own.scope, Scope::Office { office: "20".to_owned() });
    assert_eq!(
        (own.title.in_language(spine::Language::Zh), own.declarations),
        ("No tare, as always", Some(12))
    );
    let kind = world.house.journal_event(&chief(), own.position).unwrap().row.envelope;
    assert_eq!((kind.kind.as_str(), kind.kind_version), (RAISED, 2));
    // It stands on the case that fulfils it, where that belongs.
    let on_case = |own, office| {
        let mrn = world.lodge(&at_office(own, office)).unwrap().mrn;
        world.case(&mrn).combinations.len()
    };
    assert_eq!(on_case(impossible("CASE"), "20"), 1);
    assert_eq!(on_case(impossible("ELSEWHERE"), "10"), 0);
    assert_eq!(on_case(declaration("OTHER"), "20"), 0);
    world.house.acknowledge_warning(&chief(), &own.id, "weighed again").unwrap();
    // What was counted beside is what is counted from the journal alone.
    let before = lasting(seen(&world.house, Role::Chief));
    let list = world.house.watched_combinations(&chief()).unwrap();
    let world = world.closed(|data| std::fs::remove_file(data.join("warnings").join("counts.json")).unwrap());
    assert_eq!(lasting(seen(&world.house, Role::Chief)), before);
    assert_eq!(world.house.watched_combinations(&chief()).unwrap(), list);
    // Watched no more: its warning is over with the day, and its series are gone.
    world.house.unwatch_combination(&chief(), &watched.id, "The scales were mended.").unwrap();
    assert_eq!(world.house.watched_combinations(&chief()).unwrap(), []);
    days(&world, "after", 1, 0);
    let page = seen(&world.house, Role::Chief);
    let own = page.warnings.iter().find(|own| own.watched.as_ref() == Some(&watched.id)).unwrap();
    assert_eq!(own.standing, Standing::Over);
    let again = world.house.unwatch_combination(&chief(), &watched.id, "Again.").unwrap_err();
    assert_eq!(again.code, "watch_unknown");
}

#[test]
fn what_cannot_be_watched_is_refused_with_the_reason() {
    let world = World::with_policies(false);
    let text = |characters: usize| "x".repeat(characters);
    let with = |title: &str, condition: &str, reason: &str| NewWatch {
        title: title.to_owned(),
        condition: condition.to_owned(),
        reason: reason.to_owned(),
    };
    for (new, code) in [
        (with(" ", TAG, "why"), "watch_text"),
        (with("title", TAG, ""), "watch_text"),
        (with(&text(WATCH_TITLE_CHARACTERS_MAX + 1), TAG, "why"), "watch_text"),
        (with("title", TAG, &text(NOTE_CHARACTERS_MAX + 1)), "watch_text"),
        (with("title", "no_tare_at_al", "why"), "selection_refused"),
        (with("title", "no_tare_at_all &&", "why"), "selection_refused"),
        (with("title", "", "why"), "watch_without_tags"),
        (with("title", "true", "why"), "watch_without_tags"),
    ] {
        let refused = world.house.watch_combination(&chief(), &new).map(|own| own.condition);
        assert_eq!(refused.map_err(|error| error.code).unwrap_err(), code, "{new:?}");
    }
    let officer = reader("o", Role::Officer);
    assert_eq!(world.house.watch_combination(&officer, &watch(TAG)).unwrap_err().code, "not_permitted");
    let trader = reader("t", Role::Trader);
    assert_eq!(world.house.watched_combinations(&trader).unwrap_err().code, "not_permitted");
    world.house.watch_combination(&chief(), &watch(TAG)).unwrap();
    assert_eq!(world.house.watch_combination(&chief(), &watch(TAG)).unwrap_err().code, "watch_known");
    let compiled = world.house.compiled_tags();
    let others = compiled.set.definitions().iter().filter(|own| own.id != TAG);
    let mut others = others.filter(|own| own.sensitivity <= Sensitivity::Official).map(|own| own.id.as_str());
    for other in others.by_ref().take(WATCHED_MAX - 1) {
        world.house.watch_combination(&chief(), &watch(&format!("{TAG} || {other}"))).unwrap();
    }
    let another = others.next().unwrap();
    let more = world.house.watch_combination(&chief(), &watch(another)).unwrap_err();
    assert_eq!(more.code, "too_many_watched");
    assert_eq!(world.house.watched_combinations(&officer).unwrap().len(), WATCHED_MAX);
}

#[test]
fn a_combination_is_as_secret_as_its_most_secret_tag() {
    let world = with_sealed_tag();
    let condition = format!("{TAG} && {SEALED}");
    let refused = world.house.watch_combination(&chief(), &watch(&condition)).unwrap_err();
    assert_eq!(refused.code, "selection_refused");
    let operator = Reader::local_operator();
    let own = world.house.watch_combination(&operator, &watch(&condition)).unwrap();
    let begun = world.house.journal_position();
    assert_eq!(own.sensitivity, Sensitivity::Sealed);
    let open = world.house.watch_combination(&chief(), &watch(TAG)).unwrap();
    let ended =
        |id: &str| world.house.unwatch_combination(&chief(), id, "Enough.").map_err(|error| error.code);
    assert_eq!(ended(&own.id), Err("watch_unknown".to_owned()));
    world.lodge(&impossible("ONE")).unwrap();
    // A warning about it, and the end of a day on which it and one that everybody may see are over.
    let about = About::Watched { watched: own.id.clone(), condition };
    let sealed = Raised { about, warning: "5ea1ed5ea1ed5ea1".to_owned(), ..raised() };
    let plain = raised();
    let record = |stream: &str, kind, payload| {
        world.house.record(&operator, Fact::new(stream, kind, payload)).unwrap()
    };
    let told = record(&stream(&own.id, &sealed.warning), RAISED, json!(sealed));
    let plainly = record(&stream(TAG, &plain.warning), RAISED, json!(plain));
    seen(&world.house, Role::Auditor);
    let over = vec![sealed.warning.clone(), plain.warning.clone()];
    let over = DayEnded { day: plain.day, counted: begun, series: 9, over, left_out: 3 };
    let day = record(DAYS_STREAM, DAY_ENDED, json!(over));
    let stop = world.house.unwatch_combination(&operator, &own.id, "Enough.").unwrap();
    for (role, knows) in [(Role::Analyst, false), (Role::Chief, false), (Role::Auditor, true)] {
        let by = reader("r", role);
        let page = seen(&world.house, role);
        assert_eq!(page.warnings.len(), if knows { 2 } else { 1 }, "{role:?}");
        assert_eq!(page.warnings.iter().all(|own| own.series.is_some()), knows, "{role:?}");
        for position in [begun, told, stop] {
            let shown = world.house.journal_event(&by, position).map(|own| own.payload.is_some());
            assert_eq!(shown.unwrap_or(false), knows, "{role:?} {position}");
        }
        let ended = world.house.journal_event(&by, day).unwrap().payload.unwrap();
        let ids = ended["over"].as_array().unwrap().len();
        assert_eq!(
            (ids, ended.get("series").is_some(), ended.get("left_out").is_some()),
            if knows { (2, true, true) } else { (1, false, false) }
        );
        let raised = world.house.journal_event(&by, plainly).unwrap().payload.unwrap();
        assert_eq!(raised.get("series").is_some(), knows, "{role:?}");
    }
    let list = |role| world.house.watched_combinations(&reader("r", role)).unwrap().len();
    assert_eq!((list(Role::Chief), list(Role::Auditor)), (1, 1));
    assert_eq!(ended(&open.id).map(|_| ()), Ok(()));
}

#[test]
fn series_above_the_clearance_are_not_counted() {
    let world = with_sealed_tag();
    for number in 0..3 {
        world.lodge(&declaration(&format!("X-{number}"))).unwrap();
    }
    let operator = Reader::local_operator();
    world.house.watch_combination(&operator, &watch(SEALED)).unwrap();
    let series = |role| seen(&world.house, role).series;
    // The sealed tag and what is watched of it: everywhere, at the office, in the chapter and on the route.
    assert_eq!(series(Role::Auditor) - series(Role::Chief), 8);
    assert!(series(Role::Chief) > 0);
}

#[test]
fn what_was_erased_is_watched_no_more() {
    let world = World::with_policies(false);
    world.lodge(&impossible("ONE")).unwrap();
    let new = NewWatch { reason: "NL0777 sends them all".to_owned(), ..watch(TAG) };
    world.house.watch_combination(&chief(), &new).unwrap();
    let other = world.house.watch_combination(&chief(), &watch(&format!("!{TAG}"))).unwrap();
    let subject = Subject::Party("NL0777".to_owned());
    let (basis, reason) = ("Data Protection Act".to_owned(), "The retention period is over.".to_owned());
    let request = ErasureRequest { subject: subject.clone(), basis, reason };
    let ordered = world.house.order_erasure(&chief(), &request).unwrap();
    world.house.approve_erasure(&reader("a", Role::Admin), &ordered.id, &subject, &spine::Silent).unwrap();
    seen(&world.house, Role::Chief);
    let left = world.house.watched_combinations(&chief()).unwrap();
    assert_eq!(left.iter().map(|own| own.id.as_str()).collect::<Vec<_>>(), [other.id.as_str()]);
}

fn raised() -> Raised {
    Raised {
        warning: "0123456789abcdef".to_owned(),
        about: About::Tag { tag: TAG.to_owned(), tag_version: 1 },
        scope: Scope::Route { origin: "CN".to_owned(), departure: "HK".to_owned() },
        day: "2026-03-11".parse().unwrap(),
        since: "2026-03-09".parse().unwrap(),
        days: 3,
        observed: 12,
        expected: 1.5,
        sum: 14.25,
        bound: 13.75,
        false_alarms_a_year: FALSE_ALARMS_A_YEAR,
        series: 15_000,
    }
}

/// A payload of a kind and version: written like this, and read, for ever. A file that is not there is made where
/// `UPDATE_GOLDEN` is set; one that is there is never written again.
fn golden<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(kind: &str, payload: &T) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/warnings/golden");
    let path = folder.join(format!("{kind}.json"));
    let bytes = String::from_utf8(spine::event::canonical_bytes(payload).unwrap()).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, &bytes).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(bytes, golden, "{kind}");
    assert_eq!(&serde_json::from_str::<T>(&golden).unwrap(), payload, "{kind}");
}

#[test]
fn payloads_of_released_events_are_written_and_read_for_ever() {
    let id = "watch-0123456789ab".to_owned();
    let condition = format!("{TAG} && !new_importer");
    let tags = vec![TAG.to_owned(), "new_importer".to_owned()];
    let day = "2026-03-11".parse().unwrap();
    golden("warning.raised@1", &raised());
    let about = About::Watched { watched: id.clone(), condition: condition.clone() };
    golden("warning.raised@2", &Raised { about, scope: Scope::Everywhere, ..raised() });
    golden(
        "warning.acknowledged@1",
        &Acknowledged { warning: "0123456789abcdef".to_owned(), note: "Weighed again.".to_owned() },
    );
    let over = vec!["0123456789abcdef".to_owned()];
    golden("warnings.day_ended@1", &DayEnded { day, counted: 900, series: 15_000, over, left_out: 0 });
    let meant = [(TAG.to_owned(), "0123456789abcdef".to_owned())].into();
    golden(
        "warnings.tags_in_use@1",
        &TagsInUse { from: Some(day), tags: meant, gone: vec!["office_heavy".to_owned()] },
    );
    let title = "No tare".to_owned();
    let reason = "Weigh it again.".to_owned();
    let begun = WatchBegun {
        watch: id.clone(),
        title,
        condition,
        tags: tags.clone(),
        sensitivity: Sensitivity::Official,
        reason: reason.clone(),
    };
    golden("watch.begun@1", &begun);
    golden("watch.ended@1", &WatchEnded { watch: id, tags, reason });
}

/// Were a meaning written in another way, all tags would seem to be others after an upgrade, and their series begin anew.
#[test]
fn the_meaning_of_a_tag_is_written_in_one_way_for_ever() {
    let world = World::with_policies(false);
    let compiled = world.house.compiled_tags();
    let meanings = meanings(&compiled.set);
    let own = |tag: &str| meanings.get(tag).map(String::as_str);
    let found = (own(TAG), own("far_above_own_mean"));
    assert_eq!(found, (Some("0c814f14dc7c92fa"), Some("b7f566beec5a8903")));
}
