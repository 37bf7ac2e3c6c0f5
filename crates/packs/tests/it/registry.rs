//! Installing, replacing, approving, withdrawing, comparing.

use std::fs;

use packs::{Approval, Change, PackError, Registry};

use crate::support::{codes, countries, folder, manifest, pack, write};

#[test]
fn an_installed_pack_is_there_after_reopening_and_its_list_replaces_the_built_in_one() {
    let data = tempfile::tempdir().unwrap();
    let source = folder(&[
        ("pack.toml", &manifest("our-lists", "1.0.0", "lists")),
        ("lists.toml", &countries("transit_hubs", &["NL", "BE"])),
    ]);
    let mut registry = Registry::open(data.path()).unwrap();
    let built_in = registry.lists()["transit_hubs"].clone();
    let report = registry.install(source.path()).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!((report.offers[0].list.as_str(), report.offers[0].values), ("transit_hubs", 2));

    let again = Registry::open(data.path()).unwrap();
    assert!(again.get("our-lists").unwrap().current);
    assert_ne!(again.lists()["transit_hubs"], built_in);
    assert_eq!(again.lists()["transit_hubs"].iter().collect::<Vec<_>>(), ["BE", "NL"]);
}

#[test]
fn the_same_content_is_installed_once_and_one_version_never_has_two_contents() {
    let data = tempfile::tempdir().unwrap();
    let source = folder(&[
        ("pack.toml", &manifest("our-lists", "1.0.0", "lists")),
        ("lists.toml", &countries("ours", &["NL"])),
    ]);
    let mut registry = Registry::open(data.path()).unwrap();
    assert!(!registry.install(source.path()).unwrap().already_installed);
    assert!(registry.install(source.path()).unwrap().already_installed);

    write(source.path(), "lists.toml", &countries("ours", &["NL", "BE"]));
    let refused = registry.install(source.path()).unwrap();
    assert_eq!((refused.installed, codes(&refused.findings)), (None, vec!["pack_version_reused"]));

    write(source.path(), "pack.toml", &manifest("our-lists", "1.1.0", "lists"));
    assert!(registry.install(source.path()).unwrap().installed.is_some());
    assert_eq!(registry.get("our-lists").unwrap().manifest().version.to_string(), "1.1.0");
    assert!(!registry.get_version("our-lists", "1.0.0").unwrap().current);
}

#[test]
fn approval_needs_two_different_people_and_a_withdrawn_version_gives_way_to_the_one_before() {
    let data = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(data.path()).unwrap();
    for (version, country) in [("1.0.0", "NL"), ("1.1.0", "BE")] {
        let source = folder(&[
            ("pack.toml", &manifest("our-lists", version, "lists")),
            ("lists.toml", &countries("ours", &[country])),
        ]);
        registry.install(source.path()).unwrap();
    }
    let newest = registry.get("our-lists").unwrap().hash().to_owned();
    assert_eq!(registry.approve(&newest, "o-1").unwrap().name(), "draft");
    assert!(matches!(registry.approve(&newest, "o-1"), Err(PackError::Approval(_))));
    let approved = Approval::Approved { approved_by: ["o-1".to_owned(), "o-2".to_owned()] };
    assert_eq!(registry.approve(&newest, "o-2").unwrap(), approved);
    assert_eq!(Registry::open(data.path()).unwrap().get("our-lists").unwrap().approval, approved);

    registry.withdraw(&newest, "o-3", "wrong list").unwrap();
    let reopened = Registry::open(data.path()).unwrap();
    assert_eq!(reopened.get("our-lists").unwrap().manifest().version.to_string(), "1.0.0");
    assert_eq!(reopened.lists()["ours"].iter().collect::<Vec<_>>(), ["NL"]);
    assert!(matches!(registry.approve("no-such-hash", "o-1"), Err(PackError::UnknownPack { .. })));
}

#[test]
fn an_altered_installed_pack_is_left_out_and_told() {
    let data = tempfile::tempdir().unwrap();
    let source = folder(&[
        ("pack.toml", &manifest("our-lists", "1.0.0", "lists")),
        ("lists.toml", &countries("ours", &["NL"])),
    ]);
    let mut registry = Registry::open(data.path()).unwrap();
    let (_, _, hash) = registry.install(source.path()).unwrap().installed.unwrap();
    fs::write(data.path().join("our-lists").join(&hash).join("lists.toml"), countries("ours", &["BE"]))
        .unwrap();
    let reopened = Registry::open(data.path()).unwrap();
    assert!(reopened.get("our-lists").is_none());
    assert_eq!(codes(&reopened.findings()), ["installed_pack_altered"]);
}

#[test]
fn a_record_of_a_newer_program_is_not_touched() {
    let data = folder(&[("registry.json", r#"{"format": 99, "installed": [], "approvals": {}}"#)]);
    let error = Registry::open(data.path()).unwrap_err().to_string();
    assert!(error.contains("use the newer program"), "{error}");
    let hostile = folder(&[(
        "registry.json",
        r#"{"format": 1, "installed": [{"id": "../x", "version": "1.0.0", "hash": "ab", "sequence": 1}]}"#,
    )]);
    assert!(matches!(Registry::open(hostile.path()), Err(PackError::State { .. })));
}

/// Each of these folders is refused with these codes.
#[test]
fn broken_folders_say_what_is_wrong() {
    let good = manifest("our-lists", "1.0.0", "lists");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("notes.md", "hello")], "pack_not_recognised"),
        (&[("pack.toml", "id = 3")], "toml_unreadable"),
        (&[("pack.toml", &good)], "pack_empty"),
        (&[("pack.toml", &good), ("l.toml", &countries("ours", &["ZW", "XQ"]))], "list_value_malformed"),
        (&[("pack.toml", &good), ("l.toml", &countries("ours", &[]))], "list_empty"),
        (&[("pack.toml", &good), ("l.toml", &countries("Ours!", &["NL"]))], "list_id_malformed"),
        (
            &[
                ("pack.toml", &good),
                ("a.toml", &countries("x", &["NL"])),
                ("b.toml", &countries("x", &["NL"])),
            ],
            "list_twice",
        ),
        (
            &[("pack.toml", &good), ("l.toml", &countries("x", &["NL"]).replace('\n', "\r\n"))],
            "carriage_return",
        ),
        (&[("pack.toml", &format!("{good}external = \"unlocode\"\n"))], "pack_external_is_reserved"),
    ];
    for (files, code) in cases {
        let source = folder(files);
        let findings = packs::check(source.path()).unwrap();
        assert!(codes(&findings).contains(code), "{code}: {findings:?}");
        assert!(findings.iter().all(|finding| !finding.how_to_fix.is_empty()), "{findings:?}");
        let mut registry = Registry::open(&source.path().join("data")).unwrap();
        assert!(registry.install(source.path()).unwrap().installed.is_none(), "{code}");
    }
}

#[test]
fn an_unmet_dependency_is_told() {
    let data = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(data.path()).unwrap();
    let needs = format!(
        "{}depends = [{{ id = \"customs-lists\", version = \"9.0.0\" }}]\n",
        manifest("our-lists", "1.0.0", "lists")
    );
    let source = folder(&[("pack.toml", &needs), ("l.toml", &countries("ours", &["NL"]))]);
    registry.install(source.path()).unwrap();
    assert_eq!(codes(&registry.findings()), ["pack_dependency_missing"]);
}

#[test]
fn a_difference_names_the_definition_and_the_field() {
    let first = folder(&[
        ("pack.toml", &manifest("our-lists", "1.0.0", "lists")),
        ("a.toml", &countries("ours", &["NL"])),
        ("b.toml", &countries("moved", &["BE"])),
    ]);
    let second = folder(&[
        ("pack.toml", &manifest("our-lists", "1.1.0", "lists")),
        ("a.toml", &format!("{}{}", countries("ours", &["NL", "DE"]), countries("moved", &["BE"]))),
    ]);
    let diff = packs::diff(&pack(first.path()), &pack(second.path()));
    let files: Vec<(&str, Change)> =
        diff.files.iter().map(|file| (file.path.as_str(), file.change)).collect();
    assert_eq!(
        files,
        [("a.toml", Change::Changed), ("b.toml", Change::Removed), ("pack.toml", Change::Changed)]
    );
    assert_eq!(diff.definitions.len(), 1, "a definition that only moved is no change");
    let change = &diff.definitions[0];
    assert_eq!((change.table.as_str(), change.id.as_str(), change.change), ("list", "ours", Change::Changed));
    assert_eq!(change.fields[0].field, "values");
    assert!(packs::diff(&pack(first.path()), &pack(first.path())).is_empty());
}

#[test]
fn what_is_not_in_use_is_read_when_it_is_needed() {
    let data = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(data.path()).unwrap();
    let versions = [("1.0.0", "NL"), ("1.1.0", "BE"), ("1.2.0", "DE"), ("1.3.0", "FR")];
    let hashes = versions.map(|(version, country)| {
        let source = folder(&[
            ("pack.toml", &manifest("our-lists", version, "lists")),
            ("lists.toml", &countries("ours", &[country])),
        ]);
        registry.install(source.path()).unwrap().installed.unwrap().2
    });
    for registry in [&registry, &Registry::open(data.path()).unwrap()] {
        for (hash, (version, country)) in hashes.iter().zip(versions) {
            let entry = registry.get(hash).unwrap();
            let named = (entry.manifest().version.to_string(), entry.hash(), entry.files());
            assert_eq!(named, (version.to_owned(), hash.as_str(), 2));
            assert_eq!((entry.current, entry.held().is_some()), (version == "1.3.0", version == "1.3.0"));
            assert_eq!(registry.content(entry).unwrap().hash, *hash);
            let then = registry.with_in_use(std::slice::from_ref(hash)).unwrap();
            assert_eq!(then.lists()["ours"].iter().collect::<Vec<_>>(), [country]);
        }
    }
    let altered = data.path().join("our-lists").join(&hashes[2]).join("lists.toml");
    fs::write(altered, countries("ours", &["IT"])).unwrap();
    let mut registry = Registry::open(data.path()).unwrap();
    assert_eq!(registry.findings(), [], "nobody needs it");
    assert_eq!(registry.with_in_use(&hashes).unwrap_err(), [hashes[2].clone()]);
    let entry = registry.get(&hashes[2]).unwrap();
    assert!(matches!(registry.content(entry), Err(PackError::Content(_))));
    // The one before it takes the place of what is withdrawn.
    registry.withdraw(&hashes[3], "o-1", "wrong list").unwrap();
    assert_eq!(registry.get("our-lists").unwrap().hash(), hashes[1]);
    assert_eq!(codes(&registry.findings()), ["installed_pack_altered"]);
}
