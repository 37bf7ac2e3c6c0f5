//! The plan that ships for a site without history, held against the tags that ship with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use selection::Plan;
use serde::Deserialize;

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    tag: Vec<Tag>,
}

#[derive(Deserialize, Default)]
struct Defaults {
    severity: Option<String>,
}

#[derive(Deserialize)]
struct Tag {
    id: String,
    severity: Option<String>,
}

fn packs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

fn base_plan() -> Plan {
    toml::from_str(&fs::read_to_string(packs().join("base-plan/plan.toml")).unwrap()).unwrap()
}

/// Every shipped tag and its severity.
fn severities() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(packs().join("customs-tags")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(tags) = toml::from_str::<Tags>(&fs::read_to_string(&path).unwrap()) else { continue };
        for tag in tags.tag {
            let severity = tag.severity.or_else(|| tags.defaults.severity.clone());
            found.insert(tag.id, severity.unwrap_or_else(|| "medium".to_owned()));
        }
    }
    found
}

#[test]
fn it_weighs_every_shipped_tag_by_its_severity_and_no_other() {
    let expected: BTreeMap<String, i32> = severities()
        .into_iter()
        .map(|(tag, severity)| {
            let points = match severity.as_str() {
                "high" => 80,
                "medium" => 40,
                _ => 10,
            };
            (tag, points)
        })
        .collect();
    assert!(expected.len() > 200);
    assert_eq!(base_plan().weights, expected);
}

#[test]
fn nothing_is_wrong_with_it_and_its_hard_rules_are_few() {
    let plan = base_plan();
    assert_eq!(plan.check(), []);
    assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    let tags = severities();
    assert!((1..=6).contains(&plan.hard_rules.len()));
    for tag in plan.hard_rules.keys().chain(&plan.physical_tags) {
        assert!(tags.contains_key(tag), "{tag} is no shipped tag");
    }
}
