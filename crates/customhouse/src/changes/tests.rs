use serde_json::json;

use super::ChangeKind;
use crate::Customhouse;
use crate::identity::{Reader, Role};
use crate::plans::PolicyKind;

fn house() -> (tempfile::TempDir, Customhouse) {
    let folder = tempfile::tempdir().unwrap();
    let house = Customhouse::open(&folder.path().join("data")).unwrap();
    (folder, house)
}

fn document(paths: &[(&str, &[&str])]) -> String {
    let mut items = serde_json::Map::new();
    for (path, methods) in paths {
        let offered = methods.iter().map(|method| ((*method).to_owned(), json!({ "responses": {} })));
        items.insert((*path).to_owned(), offered.collect::<serde_json::Map<_, _>>().into());
    }
    json!({ "openapi": "3.1.0", "paths": items }).to_string()
}

#[test]
fn the_api_is_noted_once_and_then_only_with_what_changed() {
    let (_folder, house) = house();
    assert!(house.note_api(&document(&[("/a", &["get"]), ("/b", &["get", "post"])])).unwrap());
    // The same document in another spelling is the same API.
    let spaced = document(&[("/b", &["post", "get"]), ("/a", &["get"])]).replace(',', " , ");
    assert!(!house.note_api(&spaced).unwrap());
    assert!(house.note_api(&document(&[("/b", &["get"]), ("/c", &["delete"])])).unwrap());
    let changes = house.changes(10).unwrap();
    let told: Vec<_> =
        changes.iter().map(|change| (change.added.join(" "), change.removed.join(" "))).collect();
    assert_eq!(
        told,
        [
            ("DELETE /c".to_owned(), "GET /a POST /b".to_owned()),
            ("GET /a GET /b POST /b".to_owned(), String::new())
        ]
    );
    assert!(changes.iter().all(|change| change.kind == ChangeKind::ApiChanged && change.hash.len() == 64));
    assert_eq!(house.note_api("not json").unwrap_err().code, "api_document_unreadable");
    assert_eq!(house.changes(1).unwrap().len(), 1);
}

#[test]
fn a_policy_is_a_change_once_two_people_approved_it_and_a_plan_does_not_tell_its_title() {
    let (_folder, house) = house();
    let people = [Reader::new("o-1", Role::Chief), Reader::new("o-2", Role::Analyst)];
    for kind in PolicyKind::ALL {
        let policy = house.propose_policy(&people[0], kind, house.standard_policy(kind).unwrap()).unwrap();
        house.approve_policy(&people[0], &policy.hash).unwrap();
        assert!(house.changes(10).unwrap().iter().all(|change| change.hash != policy.hash), "{kind:?}");
        house.approve_policy(&people[1], &policy.hash).unwrap();
        let newest = house.changes(1).unwrap().remove(0);
        assert_eq!((newest.kind, newest.subject.as_str()), (ChangeKind::PolicyInForce, kind.name()));
        assert_eq!(newest.hash, "", "a hash would let anyone test a guess of what a policy says");
        assert_eq!(newest.title.0.is_empty(), kind == PolicyKind::Selection);
        house.withdraw_policy(&people[0], &policy.hash, "another one is being written").unwrap();
        assert_eq!(house.changes(1).unwrap().remove(0).kind, ChangeKind::PolicyWithdrawn);
    }
    let whole = serde_json::to_string(&house.changes(100).unwrap()).unwrap();
    assert!(!whole.contains("another one is being written") && !whole.contains("o-1"), "{whole}");
}

#[test]
fn only_public_packs_are_told_of() {
    let (folder, house) = house();
    let operator = Reader::local_operator();
    for (id, sensitivity) in [("open-rules", "public"), ("closed-rules", "restricted")] {
        let place = folder.path().join(id);
        std::fs::create_dir_all(&place).unwrap();
        let manifest = format!(
            "id = \"{id}\"\nversion = \"1.0.0\"\nkind = \"lists\"\ntitle = {{ en = \"Lists\", zh = \"清单\" }}\n\
             description = {{ en = \"For a test.\" }}\nowner = \"unit\"\nlegal_basis = \"none\"\n\
             sensitivity = \"{sensitivity}\"\nlicence = \"CC0-1.0\"\n"
        );
        std::fs::write(place.join("pack.toml"), manifest).unwrap();
        let list = format!(
            "[[list]]\nid = \"{}\"\ntitle = {{ en = \"L\", zh = \"清\" }}\nsource = \"A test.\"\nof = \"text\"\nvalues = [\"A\"]\n",
            id.replace('-', "_")
        );
        std::fs::write(place.join("lists.toml"), list).unwrap();
        let report = house.install_pack(&operator, &place).unwrap();
        let (_, _, hash) = report.installed.unwrap_or_else(|| panic!("{:?}", report.findings));
        house.approve_pack(&operator, &hash).unwrap();
        house.approve_pack(&Reader::new("o-2", Role::Admin), &hash).unwrap();
    }
    let changes = house.changes(10).unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.kind, change.subject.as_str())).collect();
    assert_eq!(told, [(ChangeKind::PackApproved, "open-rules"), (ChangeKind::PackInstalled, "open-rules")]);
    assert_eq!(changes[0].version.as_deref(), Some("1.0.0"));
}
