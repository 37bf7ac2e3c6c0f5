//! Conditions, clearances, days: against the live matrix of a small house.

use std::time::Duration;

use clearance::ResultCode;
use serde_json::json;

use super::*;
use crate::declarations::CaseAction;
use crate::declarations::tests::{World, declaration, impossible, reader, result};
use crate::identity::{Reader, Role};
use crate::tags::{SourceKind, TagFiguresQuery, VOLUME_DAYS};

fn counted(world: &World) {
    let head = world.house.journal_position();
    assert!(world.house.wait_until_tags_counted(head, Duration::from_secs(60)) >= head);
    assert!(world.house.wait_until_shown(head, Duration::from_secs(60)) >= head);
}

pub(crate) const SEALED: &str = "watched_with_care";

/// A house with a tag on every declaration that hardly anybody may know of.
pub(crate) fn with_sealed_tag() -> World {
    let world = World::with_policies(false);
    let folder = world.path().join("quiet-tags");
    std::fs::create_dir(&folder).unwrap();
    let manifest = "id = \"quiet-tags\"\nversion = \"1.0.0\"\nkind = \"tags\"\ntitle = { en = \"T\", zh = \"题\" }\n\
                    owner = \"Unit\"\nlegal_basis = \"Law\"\nsensitivity = \"sealed\"\nlicence = \"MIT\"\n";
    std::fs::write(folder.join("pack.toml"), manifest).unwrap();
    let tag = format!(
        "[family]\nid = \"own\"\ntitle = {{ en = \"Own\", zh = \"自有\" }}\n[[tag]]\nid = \"{SEALED}\"\n\
         title = {{ en = \"T\", zh = \"题\" }}\ndescription = {{ en = \"D\" }}\nsensitivity = \"sealed\"\n\
         when = \"net_mass > 1\"\ninspection_hint = {{ en = \"H\", zh = \"示\" }}\n"
    );
    std::fs::write(folder.join("tags.toml"), tag).unwrap();
    let report = world.house.install_pack(&Reader::local_operator(), &folder).unwrap();
    assert!(report.installed.is_some(), "{report:?}");
    world.reopened()
}

/// On each of three days one declaration without tare of exporter CN000n, and one with; the first is irregular.
fn told() -> World {
    let world = with_sealed_tag();
    for day in 0..3 {
        for (made, name) in
            [(impossible(&format!("R-{day}")), "RED"), (declaration(&format!("G-{day}")), "ALL")]
        {
            let mut own = made;
            own["exporter"] = json!({ "id": format!("CN000{day}-{name}") });
            let mrn = world.lodge(&own).unwrap().mrn;
            if name == "RED" && day == 0 {
                let officer = reader("o-1", Role::Officer);
                world.act(&officer, &mrn, CaseAction::Take).unwrap();
                world
                    .act(&officer, &mrn, CaseAction::Complete { result: result(ResultCode::Irregular) })
                    .unwrap();
            }
        }
        world.clock.forward(24);
    }
    counted(&world);
    world
}

fn analyst() -> Reader {
    reader("a", Role::Analyst)
}

fn ask(q: &str, of: &str) -> TagQuery {
    TagQuery { q: q.to_owned(), of: of.to_owned(), ..TagQuery::default() }
}

#[test]
fn conditions_count_entities_and_declarations() {
    let world = told();
    // NL0001 declares everything, six exporters have one declaration each.
    for (condition, entities, declarations) in [
        ("", 7, 6),
        ("no_tare_at_all", 4, 3),
        ("!no_tare_at_all", 3, 3),
        ("no_tare_at_all || !no_tare_at_all", 7, 6),
        ("no_tare_at_all && !no_tare_at_all", 0, 0),
        // Nothing carries it yet.
        ("gross_below_net", 0, 0),
        ("!gross_below_net && no_tare_at_all", 4, 3),
    ] {
        let count = |of| world.house.count_by_tags(&analyst(), &ask(condition, of)).unwrap();
        let (of_entities, of_declarations) = (count("entities"), count("declarations"));
        assert_eq!((of_entities.count, of_declarations.count), (entities, declarations), "{condition}");
        assert_eq!((of_entities.all, of_declarations.all), (7, 6), "{condition}");
        let selected = world.house.select_by_tags(&analyst(), &ask(condition, "declarations")).unwrap();
        assert_eq!(
            (selected.listed, selected.declarations.len()),
            (declarations, selected.declarations.len())
        );
        assert_eq!(u64::try_from(selected.declarations.len()).unwrap(), declarations, "{condition}");
    }
}

#[test]
fn what_is_wrong_is_marked_and_a_misspelt_tag_is_guessed() {
    let world = told();
    for (condition, said) in [
        ("no_tare_at_al", "no_tare_at_all"),
        ("no_tare_at_all &&", "^"),
        ("no_tare_at_all > 3", "^"),
        ("(no_tare_at_all", "^"),
        (&"a".repeat(5_000), "4000"),
    ] {
        let error = world.house.count_by_tags(&analyst(), &ask(condition, "")).unwrap_err();
        assert_eq!(error.code, "selection_refused", "{condition}");
        assert!(error.detail.contains(said), "{condition}: {}", error.detail);
    }
}

#[test]
fn a_tag_above_the_clearance_does_not_exist_in_any_answer() {
    let world = told();
    let officer = reader("o-1", Role::Officer);
    let unknown = world.house.count_by_tags(&officer, &ask("no_such_tag_at_all", "")).unwrap_err();
    let hidden = world.house.count_by_tags(&officer, &ask(SEALED, "")).unwrap_err();
    assert_eq!(hidden.code, unknown.code);
    assert!(world.house.count_by_tags(&reader("x", Role::Auditor), &ask(SEALED, "")).is_ok());
    assert_eq!(world.house.tags_together(&officer, &ask(SEALED, "")).unwrap_err().code, "tag_unknown");
    let seen = |reader: &Reader| world.house.select_by_tags(reader, &ask("", "entities")).unwrap();
    let (own, all) = (seen(&officer), seen(&reader("x", Role::Auditor)));
    let tells = |of: &TagSelection| of.together.iter().any(|own| own.tag == SEALED);
    assert!(!tells(&own) && tells(&all));
    assert!(own.hits.is_none() && all.hits.is_some(), "how well tags do is restricted");
    for entity in &own.entities {
        let theirs = all.entities.iter().find(|other| other.id == entity.id).unwrap();
        assert_eq!(entity.tags + 1, theirs.tags, "{entity:?} {theirs:?}");
    }
    let figures = |reader: &Reader| {
        let query = TagFiguresQuery { q: SEALED.to_owned(), ..TagFiguresQuery::default() };
        world.house.tag_figures(reader, &query, spine::Language::En).unwrap().rows.len()
    };
    assert_eq!((figures(&officer), figures(&reader("x", Role::Auditor))), (0, 1));
    let lineage = |reader: &Reader, tag| world.house.tag_lineage(reader, tag, "NL0001");
    assert_eq!(lineage(&officer, SEALED).unwrap_err().code, "tag_unknown");
    assert_eq!(lineage(&reader("x", Role::Auditor), SEALED).unwrap().declarations, 6);
    let reads = world.house.tag_dependents(&officer, "net_mass").unwrap();
    assert!(reads.tags.iter().all(|own| own.tag.id != SEALED));
    let trader = world.house.count_by_tags(&reader("t", Role::Trader), &ask("", "")).unwrap_err();
    assert_eq!(trader.code, "not_permitted");
}

#[test]
fn entities_that_are_one_count_once_with_the_tags_of_both() {
    let world = told();
    let count = |condition: &str| {
        let found = world.house.count_by_tags(&analyst(), &ask(condition, "entities")).unwrap();
        (found.count, found.all)
    };
    let conditions = ["", "no_tare_at_all", "!no_tare_at_all"];
    assert_eq!(conditions.map(count), [(7, 7), (4, 7), (3, 7)]);
    let all = |world: &World| {
        let found = world.house.select_by_tags(&analyst(), &ask("", "entities")).unwrap();
        serde_json::to_string(&(found.entities, found.together, found.hits)).unwrap()
    };
    let before = all(&world);
    // Two that carry it, and one that does not.
    let merges = [("CN0000-RED", "CN0001-RED"), ("CN0001-RED", "CN0002-ALL")]
        .map(|(one, other)| world.house.merge_entities(&analyst(), one, other, "One owner.").unwrap());
    counted(&world);
    assert_eq!(conditions.map(count), [(5, 5), (3, 5), (2, 5)]);
    let of = |query: &TagQuery| world.house.select_by_tags(&analyst(), query).unwrap();
    let found = of(&ask("no_tare_at_all", "entities"));
    let told: Vec<(&str, u64, u64)> =
        found.entities.iter().map(|own| (own.id.as_str(), own.members, own.declarations)).collect();
    assert!(told.contains(&("CN0000-RED", 3, 3)) && told.contains(&("NL0001", 1, 6)), "{told:?}");
    assert_eq!(found.hits.map(|hits| (hits.inspected, hits.irregular)), Some((1, 1)));
    // Days are compared by who is known to be one now.
    let days = TagQuery { from: "2026-03-02".to_owned(), ..ask("no_tare_at_all", "entities") };
    let difference = of(&days).difference.unwrap();
    assert_eq!((difference.before, difference.after, difference.gained), (2, 3, 1));
    let mut out = Vec::new();
    world.house.export_by_tags(&analyst(), &ask("no_tare_at_all", "entities"), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(",CN0000-RED CN0001-RED CN0002-ALL\n"), "{text}");
    for merged in merges.iter().rev() {
        world.house.split_entities(&analyst(), &merged.id, "Three after all.").unwrap();
    }
    counted(&world);
    assert_eq!((conditions.map(count), all(&world)), ([(7, 7), (4, 7), (3, 7)], before));
}

#[test]
fn days_are_compared_as_they_ended() {
    let world = told();
    let compare = |condition: &str, of: &str, from: &str, to: &str| {
        let query = TagQuery { from: from.to_owned(), to: to.to_owned(), ..ask(condition, of) };
        let found = world.house.select_by_tags(&analyst(), &query).unwrap().difference.unwrap();
        (found.before, found.after, found.gained, found.lost)
    };
    assert_eq!(compare("no_tare_at_all", "declarations", "2026-03-02", "2026-03-03"), (1, 2, 1, 0));
    assert_eq!(compare("no_tare_at_all", "entities", "2026-03-02", ""), (2, 4, 2, 0));
    assert_eq!(compare("!no_tare_at_all", "entities", "2026-03-02", "2026-03-04"), (1, 3, 2, 0));
    assert_eq!(compare("no_tare_at_all", "entities", "2026-03-01", "2026-03-01"), (0, 0, 0, 0));
    let query = TagQuery {
        from: "2026-03-03".to_owned(),
        changed: "gained".to_owned(),
        ..ask("no_tare_at_all", "entities")
    };
    let gained = world.house.select_by_tags(&analyst(), &query).unwrap();
    assert_eq!(gained.entities.iter().map(|own| own.id.as_str()).collect::<Vec<_>>(), ["CN0002-RED"]);
    let wrong = TagQuery { from: "yesterday".to_owned(), ..ask("", "") };
    assert_eq!(world.house.select_by_tags(&analyst(), &wrong).unwrap_err().code, "day_unreadable");
}

#[test]
fn results_are_those_of_the_selected_and_lift_is_against_all() {
    let world = told();
    let red = world.house.select_by_tags(&analyst(), &ask("no_tare_at_all", "declarations")).unwrap();
    let hits = red.hits.unwrap();
    assert_eq!((hits.inspected, hits.irregular), (1, 1));
    let entities = world.house.select_by_tags(&analyst(), &ask("no_tare_at_all", "entities")).unwrap();
    assert_eq!(entities.hits.map(|hits| (hits.inspected, hits.irregular)), Some((1, 1)));
    let all = world.house.select_by_tags(&analyst(), &ask("", "declarations")).unwrap();
    let own = all.together.iter().find(|own| own.tag == "no_tare_at_all").unwrap();
    assert_eq!((own.count, own.lift), (3, 1.0), "among all, everything is as frequent as among all");
    assert!(red.together.iter().all(|own| own.tag != "no_tare_at_all"));
    let graph = world.house.tags_together(&analyst(), &ask("no_tare_at_all", "declarations")).unwrap();
    assert_eq!(graph.nodes.first().map(|own| own.tag.as_str()), Some("no_tare_at_all"));
    for pair in &graph.edges {
        assert!(pair.one < pair.other && pair.other < graph.nodes.len() && pair.count > 0, "{pair:?}");
    }
}

#[test]
fn the_file_has_a_line_for_each_and_only_tags_that_may_be_seen() {
    let world = told();
    let mut out = Vec::new();
    let officer = reader("o-1", Role::Officer);
    let rows = world.house.export_by_tags(&officer, &ask("no_tare_at_all", "entities"), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!((rows, text.lines().count()), (4, 5), "{text}");
    for line in text.lines().skip(1) {
        let (id, tags) = line.split_once(',').unwrap();
        assert!(!id.is_empty() && tags.contains("no_tare_at_all") && !tags.contains(SEALED), "{line}");
    }
    let looks = world.house.viewings(&reader("x", Role::Auditor), &crate::viewings::ViewingsQuery::default());
    let look = looks.unwrap().rows.into_iter().find(|look| look.rows == Some(4)).unwrap();
    assert_eq!(look.filter.as_deref(), Some("entities: no_tare_at_all"));
}

#[test]
fn the_catalogue_counts_days_and_finds() {
    let world = told();
    let page = |sort: &str, q: &str| {
        let query = TagFiguresQuery { q: q.to_owned(), sort: sort.to_owned(), ..TagFiguresQuery::default() };
        world.house.tag_figures(&analyst(), &query, spine::Language::En).unwrap()
    };
    let found = page("-volume", "no_tare_at_all");
    let own = found.rows.first().unwrap();
    assert_eq!((own.volume, own.entities, own.days.iter().sum::<u64>()), (3, 4, 3));
    // The clock stands a day after the last of three days.
    assert_eq!(own.days.get(VOLUME_DAYS - 4..).unwrap(), [1, 1, 1, 0]);
    assert_eq!(own.hits.map(|hits| (hits.inspected, hits.irregular)), Some((1, 1)));
    assert_eq!(own.inspections_per_find, Some(1.0));
    let volumes = |sort| page(sort, "").rows.into_iter().map(|own| own.volume).collect::<Vec<_>>();
    assert!(volumes("-volume").is_sorted_by(|a, b| a >= b) && volumes("volume").is_sorted());
    let all = page("", "");
    let in_families: u64 = all.families.iter().map(|family| family.2).sum();
    assert_eq!((all.total, all.rows.len()), (in_families, 50));
    let officer = reader("o-1", Role::Officer);
    let shown = world.house.tag_figures(&officer, &TagFiguresQuery::default(), spine::Language::En).unwrap();
    assert!(shown.rows.iter().all(|own| own.hits.is_none() && own.inspections_per_find.is_none()));
}

#[test]
fn lineage_names_the_declarations_and_what_made_the_tag_true() {
    let world = told();
    let told = world.house.tag_lineage(&analyst(), "no_tare_at_all", "NL0001").unwrap();
    assert_eq!((told.declarations, told.latest.len()), (3, 2));
    assert!(told.first.at < told.latest[1].at && told.latest[1].at < told.latest[0].at);
    assert_eq!(
        told.versions,
        [world.house.tag(&analyst(), "no_tare_at_all").unwrap().definition.source.pack_version]
    );
    for step in std::iter::once(&told.first).chain(&told.latest) {
        let case = world.case(&step.mrn);
        let on_case = case.tags.iter().find(|own| own.tag == "no_tare_at_all").unwrap();
        assert_eq!((&step.values, &step.items), (&on_case.values, &on_case.items));
        assert!(!step.values.is_empty() && step.position.is_some() && !step.erased);
    }
    let one = world.house.tag_lineage(&analyst(), "no_tare_at_all", "CN0001-RED").unwrap();
    assert_eq!((one.declarations, one.latest.len()), (1, 0));
    for entity in ["CN0001-ALL", "nobody"] {
        let error = world.house.tag_lineage(&analyst(), "no_tare_at_all", entity).unwrap_err();
        assert_eq!(error.code, "tag_not_on_entity", "{entity}");
    }
}

#[test]
fn what_rests_on_a_column_a_list_or_a_contract_is_found() {
    let world = told();
    let of = |name: &str| world.house.tag_dependents(&analyst(), name);
    let mass = of("gross_mass").unwrap();
    assert_eq!(
        (mass.source.kind, u64::try_from(mass.tags.len()).unwrap()),
        (SourceKind::Field, mass.source.tags)
    );
    assert!(mass.tags.iter().any(|own| own.tag.id == "gross_below_net" && own.aggregates.is_empty()));
    let value = of("customs_value").unwrap();
    assert!(value.tags.iter().any(|own| !own.aggregates.is_empty()), "through aggregates");
    let sources = world.house.tag_sources(&analyst()).unwrap();
    for kind in [SourceKind::Field, SourceKind::List, SourceKind::Contract] {
        let own = sources.iter().find(|own| own.kind == kind).unwrap_or_else(|| panic!("{kind:?}"));
        let found = of(&own.name).unwrap();
        assert_eq!(found.source, *own);
        assert!(found.tags.iter().all(|own| !own.reads.is_empty()));
    }
    assert_eq!(of("goods_colour").unwrap_err().code, "tag_source_unknown");
}
