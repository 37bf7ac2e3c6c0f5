//! The faulty disk is as bad as promised, and the steps of durable writing stand up to it.

use std::sync::Arc;

use journal::log::Files;
use journal::log::files::{DiskFiles, Durably, Faults, FaultyDisk};

use super::support::disk;

#[test]
fn what_was_flushed_survives_a_loss_of_power_and_what_was_not_may_not() {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = FaultyDisk::new(seed, Faults::default());
        disk.make_folder("f").unwrap();
        disk.sync_folder("").unwrap();
        disk.write("f/kept", b"kept").unwrap();
        disk.sync("f/kept").unwrap();
        disk.sync_folder("f").unwrap();
        disk.write("f/kept", b"other").unwrap();
        disk.write("f/new", b"new").unwrap();
        disk.restart_after_power_loss(Faults::default());
        let kept = disk.read("f/kept", 10).unwrap();
        assert!(kept == b"kept" || b"other".starts_with(&kept) || kept.len() == 5, "{kept:?}");
        outcomes.insert((kept, disk.read("f/new", 10).ok()));
    }
    // All combinations of kept, lost, cut and zeroed come up.
    assert!(outcomes.len() > 10, "{outcomes:?}");
}

#[test]
fn the_same_seed_is_the_same_misfortune() {
    let run = || {
        let disk = FaultyDisk::new(7, Faults { short_write_per_mille: 300, ..Faults::default() });
        let writes: Vec<_> =
            (0..50).map(|number| disk.write(&format!("{}", number % 7), &[1; 100]).is_ok()).collect();
        disk.restart_after_power_loss(Faults::default());
        let contents: Vec<_> = (0..7).map(|number| disk.read(&format!("{number}"), 100).ok()).collect();
        (writes, contents)
    };
    assert_eq!(run(), run());
}

#[test]
fn a_full_disk_says_so_and_a_dead_one_does_nothing() {
    let disk = FaultyDisk::new(1, Faults { bytes_max: Some(10), ..Faults::default() });
    disk.write("a", &[1; 8]).unwrap();
    assert_eq!(disk.write("b", &[1; 3]).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(disk.read("b", 10).unwrap().len(), 2);
    assert_eq!(disk.read("a", 7).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    disk.restart_after_kill(Faults { dies_at: Some(2), ..Faults::default() });
    disk.remove("b").unwrap();
    assert!(disk.write("c", b"1").is_err() && disk.is_dead());
    assert!(disk.read("a", 10).is_err());
}

#[test]
fn a_folder_that_gets_another_name_takes_along_what_is_in_it() {
    let mut found = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let disk = FaultyDisk::new(seed, Faults::default());
        disk.make_folder("old").unwrap();
        disk.write("old/kept", b"kept").unwrap();
        disk.sync("old/kept").unwrap();
        disk.rename("old", "new").unwrap();
        disk.write("new/late", b"late").unwrap();
        disk.sync("new/late").unwrap();
        // A folder is flushed whatever it was called when something was put in it.
        disk.sync_folder("new").unwrap();
        assert_eq!(disk.list("new").unwrap(), ["kept", "late"]);
        let renamed = seed % 2 == 0;
        if renamed {
            disk.sync_folder("").unwrap();
        }
        disk.restart_after_power_loss(Faults::default());
        let names = disk.list("").unwrap();
        assert!(names.len() <= 1 && (!renamed || names == ["new"]), "seed {seed}: {names:?}");
        if names == ["new"] {
            assert_eq!(disk.list("new").unwrap(), ["kept", "late"], "seed {seed}");
            assert_eq!(disk.read("new/kept", 10).unwrap(), b"kept");
        }
        found.insert(names);
    }
    assert_eq!(found.len(), 3, "new, old or not there: {found:?}");
}

/// Two files that belong together: after any death both of each put are old or new, whole in each case, and what was
/// acknowledged is there.
#[test]
fn files_put_durably_are_whole_after_a_death_at_any_operation() {
    let mut deaths = 0_u64;
    for seed in 0..120 {
        let dies_at = Some(seed % 40 + 1);
        let disk = Arc::new(FaultyDisk::new(seed, Faults { dies_at, ..Faults::default() }));
        let mut acknowledged = 0_u8;
        let put = |durably: &Durably, number: u8| {
            let contents =
                [("a/b/first", number), ("second", number)].map(|(path, n)| (path.to_owned(), vec![n; 50]));
            durably.put(&contents.into_iter().collect())
        };
        if let Ok(durably) = Durably::new(disk.clone()) {
            while acknowledged < 20 && put(&durably, acknowledged + 1).is_ok() {
                acknowledged += 1;
            }
        }
        deaths += u64::from(disk.is_dead());
        disk.restart_after_power_loss(Faults::default());
        for path in ["a/b/first", "second"] {
            let content = disk.read(path, 100).unwrap_or_default();
            let number = content.first().copied().unwrap_or(0);
            assert!(content.is_empty() || content == vec![number; 50], "seed {seed}: {path} is torn");
            assert!((acknowledged..=acknowledged + 1).contains(&number), "seed {seed}: {path} went back");
        }
        let durably = Durably::new(disk.clone()).unwrap();
        assert!(disk.list("pending").unwrap().is_empty());
        put(&durably, 99).unwrap();
        assert_eq!(disk.read("a/b/first", 100).unwrap(), vec![99; 50]);
    }
    assert_eq!(deaths, 120);
}

/// The test of the test: one step left out is found out.
#[test]
fn without_the_flush_of_a_file_or_folder_a_loss_of_power_shows() {
    let mut lost = [0, 0];
    for seed in 0..100 {
        for (variant, lost) in lost.iter_mut().enumerate() {
            let disk = FaultyDisk::new(seed, Faults::default());
            disk.write("beside", &[7; 50]).unwrap();
            if variant == 1 {
                disk.sync("beside").unwrap();
            }
            disk.rename("beside", "name").unwrap();
            if variant == 0 {
                disk.sync_folder("").unwrap();
            }
            disk.restart_after_power_loss(Faults::default());
            *lost += i32::from(disk.read("name", 100).unwrap_or_default() != vec![7; 50]);
        }
    }
    assert!(lost.iter().all(|lost| *lost > 10), "{lost:?}");
}

#[test]
fn the_real_disk_keeps_to_its_folder_and_does_the_same_as_the_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let real = DiskFiles::open(&folder.path().join("log")).unwrap();
    for wrong in ["../key", "a/../../key", "/etc/passwd", "a//b", "a\\b", "."] {
        assert_eq!(real.read(wrong, 10).unwrap_err().kind(), std::io::ErrorKind::InvalidInput, "{wrong}");
    }
    let memory = disk();
    let real: &dyn Files = &real;
    for files in [real, memory.as_ref()] {
        files.make_folder("a").unwrap();
        files.make_folder("a").unwrap();
        assert!(files.make_folder("b/c").is_err());
        for number in 0..20 {
            files.write(&format!("a/{number}"), b"x").unwrap();
        }
        let paths: Vec<String> = (0..20).map(|number| format!("a/{number}")).collect();
        files.sync_all(&paths).unwrap();
        files.sync_folders(&["a".to_owned(), String::new()]).unwrap();
        files.write("a/1", b"longer").unwrap();
        files.rename("a/1", "a/2").unwrap();
        assert_eq!(files.read("a/2", 6).unwrap(), b"longer");
        assert_eq!(files.read("a/2", 5).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
        assert_eq!(files.read("a/1", 5).unwrap_err().kind(), std::io::ErrorKind::NotFound);
        assert_eq!(files.list("a").unwrap().len(), 19);
        assert_eq!(files.list("").unwrap(), ["a"]);
        assert_eq!(files.remove("a").unwrap_err().kind(), std::io::ErrorKind::DirectoryNotEmpty);
        files.remove("a/2").unwrap();
        assert!(files.sync_all(&["a/2".to_owned(), "a/3".to_owned()]).is_err());
    }
}
