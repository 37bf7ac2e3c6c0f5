//! What the binary is built with.

use packs::{Origin, Registry};

#[test]
fn every_shipped_pack_is_whole_and_its_lists_have_values() {
    let registry = Registry::built_in();
    assert_eq!(registry.findings(), []);
    for entry in registry.list() {
        assert_eq!(entry.origin, Origin::BuiltIn);
        assert!(entry.current, "{} is shipped in two versions", entry.manifest().id);
        assert_eq!(packs::check_pack(entry.held().unwrap()), [], "{}", entry.manifest().id);
    }
    let lists = registry.lists();
    assert!(lists.len() >= 20, "{} lists", lists.len());
    assert!(lists.values().all(|values| !values.is_empty()));
}

#[test]
fn the_embedded_files_are_those_of_the_repository() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    for entry in Registry::built_in().list() {
        let id = &entry.manifest().id;
        assert_eq!(packs::Pack::read(&root.join(id)).unwrap().unwrap().hash, entry.hash(), "{id}");
    }
}
