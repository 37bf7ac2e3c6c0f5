//! Backups whose disk fills up, and whose log gets another key.

use std::fs;
use std::sync::Mutex;

use spine::{Progress, Silent};

use super::*;
use crate::declarations::tests::{World, declaration, reader};
use crate::identity::Role;
use crate::proof::KeyChanged;
use crate::small_disk::SmallDisk;
use crate::{Customhouse, Location};

fn at(world: &World, name: &str) -> Location {
    Location::from(world.path().join(name).as_path())
}

fn logged(house: &Customhouse) {
    let head = house.journal_position();
    crate::site_tests::until("all is logged", || house.log_standing().size >= head);
}

fn run(world: &World, progress: &dyn Progress) -> Result<BackedUp, Error> {
    back_up(&at(world, "data"), &world.path().join("disk/backup"), BackupOptions::default(), progress)
}

fn restored(world: &World, to: &str, keys: &[String]) -> Restored {
    let options = RestoreOptions { keys: keys.to_vec(), ..RestoreOptions::default() };
    restore(&world.path().join("disk/backup"), &at(world, to), &options, &Silent)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Fills a disk up but for so many bytes.
fn fill(disk: &Path, but: u64) {
    let _ = fs::remove_file(disk.join("filler"));
    let free = crate::flow::disk_free_bytes(disk).unwrap();
    let zeros = vec![0_u8; usize::try_from(free.saturating_sub(but)).unwrap()];
    fs::write(disk.join("filler"), zeros).unwrap();
}

#[test]
fn a_disk_that_fills_up_leaves_the_state_before_whole_and_the_run_goes_on_when_there_is_room() {
    let world = World::with_policies(false);
    let disk = world.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let Some(_mounted) = SmallDisk::mount(&disk, "24m") else { return };
    logged(&world.house);
    run(&world, &Silent).unwrap_or_else(|error| panic!("{error}"));
    let complete = BackupRecord::read(&disk.join("backup")).unwrap();
    let papers = |name: &str, bytes: usize| {
        let officer = reader("o-1", Role::Officer);
        world.house.keep_document(&officer, name.repeat(bytes / name.len()).as_bytes()).unwrap();
    };
    papers_and_declarations(&world, &papers);
    logged(&world.house);
    // Ever more room, until it is enough: it ends in the midst of blobs, events, tiles, files.
    let (mut room, mut refused) = (16_384, 0);
    let done = loop {
        fill(&disk, room);
        match run(&world, &Silent) {
            Ok(done) => break done,
            Err(error) => {
                assert_eq!(error.code, "disk_full", "{room} bytes: {error}");
                assert_eq!(BackupRecord::read(&disk.join("backup")).unwrap(), complete, "{room} bytes");
                refused += 1;
            }
        }
        room += room / 4;
    };
    assert!(refused > 5 && done.events == world.house.journal_position(), "{refused}: {done:?}");
    let _ = fs::remove_file(disk.join("filler"));
    let back = restored(&world, "back", &[]);
    assert!(back.holds() && back.events == done.events, "{back:?}");
}

fn papers_and_declarations(world: &World, papers: &dyn Fn(&str, usize)) {
    papers("a long paper ", 300_000);
    for number in 0..60 {
        world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
        papers(&format!("paper {number} "), 20_000);
    }
}

fn changed(house: Customhouse) -> KeyChanged {
    house.change_log_key(&reader("admin", Role::Admin)).unwrap()
}

#[test]
fn after_a_change_of_keys_between_two_runs_who_trusts_the_old_key_accepts_what_comes_back() {
    let world = World::with_policies(false);
    logged(&world.house);
    let [old] = world.house.log_standing().keys.try_into().unwrap();
    run(&world, &Silent).unwrap();
    let world = world.replaced(|house| drop(changed(house)));
    world.lodge(&declaration("LRN-1")).unwrap();
    logged(&world.house);
    let keys = world.house.log_standing().keys;
    assert_eq!(keys.len(), 2);
    run(&world, &Silent).unwrap();
    for (to, trusted) in [("back", vec![old]), ("again", Vec::new())] {
        let back = restored(&world, to, &trusted);
        let verified = back.verified.clone().unwrap();
        assert!(back.holds() && !trusted.contains(&verified.signed_by[0]), "{back:?}");
    }
    let again = Customhouse::open_with_clock(&world.path().join("again"), world.clock.clone()).unwrap();
    assert_eq!(again.log_standing().keys, keys);
    let stranger = World::with_policies(false).house.log_standing().keys;
    assert!(!restored(&world, "strange", &stranger).holds());
}

/// Changes the key once, when a run reports that it does something.
struct ChangesKey {
    at: &'static str,
    house: Mutex<Option<Customhouse>>,
}

impl Progress for ChangesKey {
    fn report(&self, stage: &'static str, _done: u64, _total: u64) {
        let house = if stage == self.at { self.house.lock().unwrap().take() } else { None };
        if let Some(house) = house {
            changed(house);
        }
    }

    fn cancelled(&self) -> bool {
        false
    }
}

#[test]
fn a_change_of_keys_in_the_midst_of_a_run_is_carried_whole() {
    for (number, stage) in
        ["carrying_events", "carrying_the_log", "carrying_the_pool"].into_iter().enumerate()
    {
        let mut ran = None;
        let world = World::with_policies(false);
        world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
        logged(&world.house);
        let [old] = world.house.log_standing().keys.try_into().unwrap();
        history(&world);
        logged(&world.house);
        let path = world.path().to_owned();
        let world = world.replaced(|house| {
            let changes = ChangesKey { at: stage, house: Mutex::new(Some(house)) };
            let done = back_up(
                &Location::from(path.join("data").as_path()),
                &path.join("disk/backup"),
                BackupOptions::default(),
                &changes,
            );
            assert!(changes.house.lock().unwrap().is_none(), "{stage} was reported");
            ran = Some(done.unwrap_or_else(|error| panic!("{stage}: {error}")));
        });
        let keys = world.house.log_standing().keys;
        assert_eq!(keys.len(), 2);
        let back = restored(&world, "back", std::slice::from_ref(&old));
        assert!(back.holds(), "{stage}: {back:?}");
        let again = Customhouse::open_with_clock(&world.path().join("back"), world.clock.clone()).unwrap();
        assert_eq!(again.log_standing().keys, keys, "{stage}");
        assert_eq!(ran.unwrap().events, back.events);
    }
}

/// Some Parquet.
fn history(world: &World) {
    let file = world.path().join("history.csv");
    fs::write(
        &file,
        "declaration_id,date,office_id,importer_id,commodity_code\nH1,2025-01-01,10,NL0003,851713\n",
    )
    .unwrap();
    let request = crate::pool::AdmitRequest::new(&file);
    world.house.admit(&crate::identity::Reader::local_operator(), &request, &Silent).unwrap();
}
