//! The catalogue that the repository ships.

use std::collections::{BTreeMap, BTreeSet};

use packs::{Pack, Registry};
use spine::noun::SubjectKind;
use spine::{Language, declaration_entry};
use tags::{TagSet, check_pack};

/// The shipped tags and their lists.
pub(crate) fn shipped() -> (TagSet, Vec<std::sync::Arc<Pack>>) {
    let registry = Registry::built_in();
    let packs: Vec<_> = registry.current().cloned().collect();
    let borrowed: Vec<&Pack> = packs.iter().map(AsRef::as_ref).collect();
    let (set, findings) = TagSet::from_packs(&borrowed, &declaration_entry::schema());
    assert!(findings.is_empty(), "{}", findings.iter().map(|f| format!("{f}\n")).collect::<String>());
    (set, packs)
}

#[test]
fn every_case_of_every_shipped_tag_comes_out_as_written() {
    let (set, packs) = shipped();
    let lists: Vec<&Pack> = packs.iter().map(AsRef::as_ref).collect();
    let pack = packs.iter().find(|pack| pack.manifest.id == "customs-tags").unwrap();
    let findings = check_pack(pack, &lists, &declaration_entry::schema());
    let cases: usize = set.definitions().iter().map(|tag| tag.cases.len()).sum();
    println!(
        "{} tags in {} families, {cases} cases, {} aggregates, {} findings",
        set.definitions().len(),
        set.families().len(),
        set.aggregate_count(),
        findings.len()
    );
    assert!(findings.is_empty(), "{}", findings.iter().map(|f| format!("{f}\n")).collect::<String>());
    assert!(set.definitions().len() >= 120, "{}", set.definitions().len());
    assert!(set.families().len() >= 15, "{}", set.families().len());
}

#[test]
fn every_aggregate_that_the_catalogue_shares_is_read_by_a_tag() {
    let (set, _) = shipped();
    let read: BTreeSet<&String> = set.definitions().iter().flat_map(|tag| tag.aggregates.keys()).collect();
    assert_eq!(read.len(), set.aggregate_count());
}

#[test]
fn every_list_is_asked_by_a_tag() {
    let (set, packs) = shipped();
    let sources: String = set
        .definitions()
        .iter()
        .flat_map(|tag| {
            let conditions = tag.aggregates.values().filter_map(|own| own.condition.as_deref());
            std::iter::once(tag.when.as_str()).chain(conditions).map(|source| format!("{source}\n"))
        })
        .collect();
    let lists = packs.iter().find(|pack| pack.manifest.id == "customs-lists").unwrap().lists();
    for name in lists.keys() {
        assert!(sources.contains(&format!(" in {name}")), "nothing asks for {name}");
    }
}

#[test]
fn titles_are_unique_and_say_it_in_a_few_words() {
    let (set, _) = shipped();
    let mut seen = BTreeMap::new();
    for tag in set.definitions() {
        for language in [Language::En, Language::Zh] {
            let title = tag.title.in_language(language);
            assert!(title.chars().count() <= 70, "{}: {title}", tag.id);
            assert_eq!(seen.insert((language.code(), title.to_owned()), tag.id.clone()), None, "{title}");
        }
        assert!(
            tag.legal_basis.len() > 10 && tag.description.in_language(Language::En).len() > 20,
            "{}",
            tag.id
        );
    }
}

#[test]
fn tags_sit_on_items_declarations_enterprises_and_routes() {
    let (set, _) = shipped();
    let on: BTreeSet<SubjectKind> = set.definitions().iter().map(|tag| tag.on).collect();
    assert_eq!(on.len(), 4);
}
