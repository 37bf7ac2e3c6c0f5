//! The folder is laid out as other programs expect it.

use journal::log::tiles::{Published, TilePath, append_entry, split_bundle};
use journal::log::tree::Subtrees;
use journal::log::{Files, LogError};
use proptest::prelude::*;

use super::support::{catch_up, log_of, reader};

#[test]
fn paths_are_those_of_the_standard_and_no_others_are_read() {
    let check = |text: &str| assert_eq!(text.parse::<TilePath>().unwrap().to_string(), text);
    check("tile/0/000");
    check("tile/0/000.p/1");
    check("tile/0/999.p/255");
    check("tile/1/x001/000");
    check("tile/7/x001/x234/067.p/44");
    check("tile/entries/x001/x234/067");
    check("tile/entries/x009/x223/x372/x036/x854/x775/807");
    for wrong in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/1",
        "tile/0/0001",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/8/0/000",
        "tile/8/000",
        "tile/00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/+01",
        "tile/entries/x009/x223/x372/x036/x854/x775/808",
    ] {
        assert_eq!(wrong.parse::<TilePath>().unwrap_err().code(), "log_malformed", "{wrong}");
    }
}

#[test]
fn only_what_is_published_is_handed_out() {
    let (files, _, log) = log_of(300, 300);
    files.make_folder("keys").unwrap();
    files.write("keys/000", b"record").unwrap();
    files.write("pending/0", b"half").unwrap();
    let served =
        |path: &str| path.parse::<Published>().ok().and_then(|file| log.reader().published(&file).unwrap());
    let check = |path: &str, immutable: bool, public: bool| {
        assert_eq!(served(path), Some(files.read(path, usize::MAX).unwrap()), "{path}");
        let file: Published = path.parse().unwrap();
        assert_eq!((file.is_immutable(), file.is_public()), (immutable, public), "{path}");
    };
    check("checkpoint", false, true);
    check("keys/000", true, true);
    check("tile/0/000", true, false);
    check("tile/0/001.p/44", true, false);
    check("tile/entries/001.p/44", true, false);
    for other in
        ["pending/0", "pending", "", "tile/0", "keys", "keys/0", "keys/../pending/0", "checkpoint/", "x/000"]
    {
        assert!(other.parse::<Published>().is_err(), "{other}");
    }
    assert_eq!(served("checkpoint.witnessed"), None);
    assert_eq!(served("tile/0/777"), None);
}

/// What stands in a log's folder, without what is pending.
fn files_of(files: &dyn Files, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in files.list(folder).unwrap() {
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        match files.read(&path, usize::MAX) {
            Ok(_) => found.push(path),
            Err(_) => found.extend(files_of(files, &path)),
        }
    }
    found
}

#[test]
fn the_example_of_the_standard_has_the_tiles_that_it_names() {
    // 70,000 entries: 273 full tiles and one of 112, one full tile of level 1 and one of 17, one of width 1 above.
    let (files, _, _) = log_of(70_000, 8_192);
    let found = files_of(files.as_ref(), "tile");
    let at = |start: &str| found.iter().filter(|path| path.starts_with(start)).count();
    let partial = |start: &str, end: &str| found.contains(&format!("{start}{end}"));
    assert_eq!(at("tile/1/"), 2);
    assert!(partial("tile/1/000", "") && partial("tile/1/001", ".p/17"));
    assert_eq!(
        found.iter().filter(|path| path.starts_with("tile/2/")).collect::<Vec<_>>(),
        ["tile/2/000.p/1"]
    );
    for kind in ["tile/0/", "tile/entries/"] {
        assert_eq!(at(kind), 274, "{kind}");
        assert!(partial(kind, "273.p/112"));
    }
    assert!(files.list("pending").unwrap().is_empty());
}

#[test]
fn partial_tiles_stay_until_the_full_one_is_there() {
    let (files, source, mut log) = log_of(250, 50);
    let widths = |path: &str| files.list(path).unwrap_or_default();
    assert_eq!(widths("tile/0/000.p"), ["100", "150", "200", "250", "50"]);
    assert_eq!(widths("tile/entries/000.p"), ["100", "150", "200", "250", "50"]);
    source.grow(10);
    catch_up(&mut log, &source, 10).unwrap();
    for kind in ["tile/0", "tile/entries"] {
        assert_eq!(widths(kind), ["000", "001.p"], "{kind}");
        assert_eq!(widths(&format!("{kind}/001.p")), ["4"]);
    }
    // A tree that ended in a partial tile can still be read.
    let reader = reader(&files);
    assert_eq!(reader.entry(99, 100).unwrap(), source.all()[99]);
    assert_eq!(journal::log::tree::root_of_size(&mut reader.tree(150), 150).unwrap(), source.root(150));
    assert!(matches!(reader.entry(260, 260), Err(LogError::NotLogged { position: 261, logged: 260 })));
    assert!(reader.tree(260).subtree(9, 0).is_err());
}

proptest! {
    #[test]
    fn bundles_are_split_as_they_were_joined(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let mut bundle = Vec::new();
        for entry in &entries {
            append_entry(&mut bundle, entry).unwrap();
        }
        let split = split_bundle(&bundle, entries.len()).unwrap();
        prop_assert_eq!(split.iter().map(|entry| entry.to_vec()).collect::<Vec<_>>(), entries.clone());
        prop_assert!(split_bundle(&bundle, entries.len() + 1).is_none());
        bundle.push(0);
        prop_assert!(split_bundle(&bundle, entries.len()).is_none());
    }

    #[test]
    fn paths_print_as_they_are_read(index in 0..u64::MAX >> 1, level in 0_u8..8, width in 1_usize..=256, entries in any::<bool>()) {
        use journal::log::tiles::TileKind;
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes { level } };
        let path = TilePath { kind, index, width };
        prop_assert_eq!(path.to_string().parse::<TilePath>().unwrap(), path);
    }
}

#[test]
fn an_entry_longer_than_its_length_can_say_is_refused() {
    let mut bundle = Vec::new();
    append_entry(&mut bundle, &vec![0; 65_535]).unwrap();
    assert_eq!(append_entry(&mut bundle, &vec![0; 65_536]).unwrap_err().code(), "log_too_large");
}
