//! Backups of houses on a database, and houses that move from one store to the other.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use journal::{Journal, SqliteJournal};
use spine::Silent;

use super::*;
use crate::declarations::Progress;
use crate::declarations::tests::{declaration, put_policies_into_force, reader, trader};
use crate::erasure::tests::{Told, erase, standing, told};
use crate::identity::Role;
use crate::proof::{POLICY_FILE, verify_at};
use crate::replay::SampleSpec;
use crate::site_tests::{Site, lodge, open_at, shown, undecided, until};
use crate::{Customhouse, Fact, Location, postgres_server};

fn back_up_quietly(from: &Location, to: &Path) -> Result<BackedUp, Error> {
    back_up(from, to, BackupOptions::default(), &Silent)
}

fn restored(from: &Path, to: &Location) -> Restored {
    let back =
        restore(from, to, &RestoreOptions::default(), &Silent).unwrap_or_else(|error| panic!("{error}"));
    assert!(back.holds(), "{back:?}");
    back
}

fn logged(house: &Customhouse) {
    until("all is logged", || house.log_standing().behind == 0);
}

fn released(house: &Customhouse, mrn: &str) {
    until("it is released", || {
        let _ = house.wait_until_shown(house.journal_position(), Duration::from_secs(60));
        house.own_declaration(&trader(), mrn).is_ok_and(|own| own.progress == Progress::Released)
    });
}

/// A place on a new database; its first process has the data folder `NAME-one`.
fn new_site(beside: &Path, name: &str) -> Location {
    Location {
        data: beside.join(format!("{name}-one")),
        database: Some(postgres_server::running(name).unwrap().database()),
        shared: Some(beside.join(name)),
    }
}

/// Opens what came back: it shows the same, derives the same again, and its journal is what its log says.
fn check_same(at: &Location, rows: &[String], keys: &[String]) {
    let house = open_at(at);
    assert_eq!(shown(&house), rows, "{at:?}");
    let spec = SampleSpec { decisions: 1_000, seed: 1 };
    let sample = house.replay_sample(&reader("c", Role::Chief), &spec, &Silent).unwrap();
    assert_eq!((sample.decisions, sample.different), (rows.len(), 0), "{sample:?}");
    drop(house);
    let verified = verify_at(at, keys, &Silent).unwrap();
    assert!(verified.holds() && verified.journal_compared, "{verified:?}");
}

#[test]
fn a_served_site_is_backed_up_and_comes_back_in_a_file_and_in_another_database() {
    let Some(site) = Site::new("a_served_site_is_backed_up") else { return };
    let houses = [site.open("one"), site.open("two")];
    put_policies_into_force(&houses[0], false);
    let (at, beside) = (site.location("one"), site.folder.path());
    let to = beside.join("backup");
    let mut runs = Vec::new();
    thread::scope(|scope| {
        let lodging: Vec<_> = houses
            .iter()
            .enumerate()
            .map(|(process, house)| {
                scope.spawn(move || {
                    for number in 0..40 {
                        lodge(house, &declaration(&format!("R-{process}-{number}"))).unwrap();
                    }
                })
            })
            .collect();
        while !lodging.iter().all(thread::ScopedJoinHandle::is_finished) {
            runs.push(back_up_quietly(&at, &to).unwrap_or_else(|error| panic!("{error}")));
        }
    });
    until("all are decided", || undecided(&houses[1]) == 0);
    logged(&houses[0]);
    // A house tells things of its own soon after it began: the tags in use.
    let told = || houses[0].journal.feed(0, 10_000).unwrap();
    until("the tags in use are told", || {
        told().iter().any(|event| event.envelope.kind == "warnings.tags_in_use")
    });
    logged(&houses[0]);
    runs.push(back_up_quietly(&at, &to).unwrap());
    let nothing_new = back_up_quietly(&at, &to).unwrap();
    assert_eq!((nothing_new.carried.events, nothing_new.carried.tiles), (0, 0), "{nothing_new:?}");
    let carried: u64 = runs.iter().map(|run| run.carried.events).sum();
    assert_eq!(carried, houses[0].journal_position(), "each event is carried once");
    let checked = back_up(&at, &to, BackupOptions { check: true }, &Silent).unwrap();
    assert_eq!(checked.carried.events, 0);
    let (rows, log) = (shown(&houses[0]), houses[0].log_standing());
    let (folder, database) = (Location::from(beside.join("back").as_path()), new_site(beside, "other"));
    for place in [&folder, &database] {
        let back = restored(&to, place);
        assert_eq!(back.log.as_ref().map(|own| (own.size, &own.root)), Some((log.size, &log.root)));
        check_same(place, &rows, &log.keys);
    }
}

/// Keeps a paper, and records an event that names it, when a run reports that it carries blobs.
struct Papers<'a> {
    house: &'a Customhouse,
    kept: AtomicUsize,
}

impl spine::Progress for Papers<'_> {
    fn report(&self, stage: &'static str, _done: u64, _total: u64) {
        if stage == "carrying_blobs" {
            self.keep();
        }
    }

    fn cancelled(&self) -> bool {
        false
    }
}

impl Papers<'_> {
    fn keep(&self) {
        let number = self.kept.fetch_add(1, Ordering::SeqCst);
        let paper = format!("paper {number}").repeat(10_000);
        let kept = self.house.journal.put_blob(&mut paper.as_bytes()).unwrap();
        let fact = Fact::new("papers", "paper.kept", serde_json::json!({ "blob": kept.sha256 }));
        self.house.record(&reader("o-1", Role::Officer), fact).unwrap();
    }
}

#[test]
fn a_paper_that_comes_in_while_papers_are_carried_is_there_with_the_event_that_names_it() {
    let Some(site) = Site::new("a_paper_that_comes_in_while_papers_are_carried") else { return };
    let house = site.open("one");
    let (at, to) = (site.location("one"), site.folder.path().join("backup"));
    let papers = Papers { house: &house, kept: AtomicUsize::new(0) };
    papers.keep();
    let mut named = 0;
    for round in 1..=3 {
        logged(&house);
        back_up(&at, &to, BackupOptions::default(), &papers).unwrap_or_else(|error| panic!("{error}"));
        let back = Location::from(site.folder.path().join(format!("back-{round}")).as_path());
        restored(&to, &back);
        let journal = SqliteJournal::open_read_only(&back.data.join(JOURNAL_FILE)).unwrap();
        named = 0;
        for event in journal.feed(0, 1_000).unwrap() {
            if let Some(blob) = event.payload.value().and_then(|payload| payload["blob"].as_str()) {
                journal.get_blob(blob).unwrap().read_whole(1_000_000).unwrap();
                named += 1;
            }
        }
    }
    assert!(named >= 3 && papers.kept.into_inner() > 3, "{named} came back");
}

#[test]
fn a_house_moves_from_a_file_to_a_database_and_back_with_its_log_accounts_and_pool() {
    if postgres_server::running("a_house_moves_from_a_file_to_a_database_and_back").is_none() {
        return;
    }
    let Told { world, mrns, batch, .. } = told();
    let beside = world.path().to_owned();
    let to = beside.join("backup");
    logged(&world.house);
    let (origin, keys) = (world.house.log_standing().origin, world.house.log_standing().keys);
    back_up_quietly(&Location::from(beside.join("data").as_path()), &to).unwrap();
    let site = new_site(&beside, "moved");
    restored(&to, &site);
    let rows = shown(&world.house);
    let history = |house: &Customhouse| {
        let page = house.rows_page(&reader("c", Role::Chief), &batch, 0, 50).unwrap();
        serde_json::to_string(&page).unwrap()
    };
    let known = history(&world.house);
    let folder = Location::from(beside.join("again").as_path());
    for (lodged, place) in [&site, &folder].into_iter().enumerate() {
        let house = open_at(place);
        assert_eq!(shown(&house).len(), rows.len() + lodged);
        assert_eq!((house.log_standing().origin, house.log_standing().keys), (origin.clone(), keys.clone()));
        assert!(house.accounts().list().unwrap().iter().any(|account| account.name == "tara"));
        assert_eq!(history(&house), known, "history came along");
        assert!(house.case(&reader("o-1", Role::Officer), &mrns[0]).is_ok());
        let receipt = lodge(&house, &declaration(&format!("LATER-{lodged}"))).unwrap();
        assert!(!receipt.repeated);
        released(&house, &receipt.mrn);
        let known_already = lodge(&house, &declaration("LATER-0")).unwrap();
        assert!(known_already.repeated, "a reference has its receipt wherever the house stands");
        logged(&house);
        // The same backup is carried on, whichever store the house stands in.
        let done = back_up_quietly(place, &to).unwrap();
        assert!(done.carried.events > 0 && done.carried.events < 100, "{done:?}");
        if std::ptr::eq(place, &site) {
            drop(house);
            restored(&to, &folder);
        }
    }
    let verified = verify_at(&folder, &keys, &Silent).unwrap();
    assert!(verified.holds(), "{verified:?}");
}

#[test]
fn what_is_erased_at_a_site_while_it_is_backed_up_is_in_no_file_of_the_backup() {
    let Some(site) = Site::new("what_is_erased_at_a_site_while_it_is_backed_up") else { return };
    let house = site.open("one");
    put_policies_into_force(&house, false);
    let (at, beside) = (site.location("one"), site.folder.path());
    let to = beside.join("backup");
    let mrn = lodge(&house, &declaration("ERASE-ME")).unwrap().mrn;
    let officer = reader("o-1", Role::Officer);
    released(&house, &mrn);
    logged(&house);
    let secrets = ["NL0001", "ERASE-ME"];
    back_up_quietly(&at, &to).unwrap();
    assert!(!standing(&to, &secrets).is_empty());
    thread::scope(|scope| {
        let erasing = scope.spawn(|| erase(&house));
        while !erasing.is_finished() {
            back_up_quietly(&at, &to).unwrap_or_else(|error| panic!("{error}"));
        }
    });
    let done = back_up_quietly(&at, &to).unwrap();
    assert!(done.lost_by_the_folder.is_empty(), "{done:?}");
    assert_eq!(standing(&to, &secrets), Vec::<String>::new());
    for place in [Location::from(beside.join("back").as_path()), new_site(beside, "other")] {
        let back = restored(&to, &place);
        assert!(back.verified.unwrap().payloads_erased > 0);
        let again = open_at(&place);
        let _ = again.wait_until_shown(again.journal_position(), Duration::from_secs(60));
        assert!(again.case(&officer, &mrn).unwrap().erased.is_some());
        let secrets = standing(place.site_path(), &secrets);
        assert_eq!(secrets, Vec::<String>::new());
    }
    let everything = beside.join("everything");
    let exported = export(&at, &everything, &Silent).unwrap();
    assert!(exported.erased > 0 && exported.events == house.journal_position());
    assert_eq!(standing(&everything, &secrets), Vec::<String>::new());
}

#[test]
fn a_site_is_restored_into_empty_places_only_and_opened_only_where_it_holds() {
    if postgres_server::running("a_site_is_restored_into_empty_places_only").is_none() {
        return;
    }
    let Told { world, .. } = told();
    let beside = world.path().to_owned();
    logged(&world.house);
    let (data, to) = (Location::from(beside.join("data").as_path()), beside.join("backup"));
    back_up_quietly(&data, &to).unwrap();
    let refused =
        |place: &Location| restore(&to, place, &RestoreOptions::default(), &Silent).unwrap_err().code;
    let site = new_site(&beside, "site");
    restored(&to, &site);
    assert_eq!(refused(&site), "restore_folder_used");
    let elsewhere = Location { shared: Some(beside.join("elsewhere")), ..site.clone() };
    assert_eq!(refused(&elsewhere), "restore_database_used");
    assert!(!beside.join("elsewhere").exists());
    // A payload that was changed in the backup: what came back is kept from everybody.
    let journal = to.join(JOURNAL_FILE);
    let mut bytes = fs::read(&journal).unwrap();
    let place = bytes.windows(21).position(|window| window == b"sweetwater telephones").unwrap();
    bytes[place] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let damaged = new_site(&beside, "damaged");
    let back = restore(&to, &damaged, &RestoreOptions::default(), &Silent).unwrap();
    assert!(back.findings.iter().any(|found| found.1.contains("position")), "{back:?}");
    assert_eq!(Customhouse::open_at(&damaged).unwrap_err().code, "data_folder_unproven");
    let sandbox = beside.join("sandbox");
    drop(Customhouse::open_sandbox(&sandbox, None).unwrap());
    let played = beside.join("played");
    back_up_quietly(&Location::from(sandbox.as_path()), &played).unwrap();
    let into = new_site(&beside, "into");
    let refused = restore(&played, &into, &RestoreOptions::default(), &Silent).unwrap_err();
    assert_eq!(refused.code, "restore_of_sandbox");
    // A database without a journal is not backed up, and nothing is made in it.
    let empty = Location { shared: site.shared.clone(), ..into };
    let none: PathBuf = beside.join("none");
    assert_eq!(back_up_quietly(&empty, &none).unwrap_err().code, "not_a_journal");
    let mistaken = Location { shared: Some(beside.join("played")), ..site };
    assert_eq!(back_up_quietly(&mistaken, &none).unwrap_err().code, "data_folder_missing");
}

#[test]
fn of_a_restored_site_one_process_hears_the_witness_and_all_go_on() {
    let Some(site) = Site::new("of_a_restored_site_one_process_hears_the_witness") else { return };
    let beside = site.folder.path();
    let ours = site.open("one");
    let theirs = Location::from(beside.join("theirs").as_path());
    drop(open_at(&theirs));
    let key = ours.log_standing().keys.remove(0);
    fs::write(theirs.data.join(POLICY_FILE), format!("log {key}\nquorum none\n")).unwrap();
    let theirs = open_at(&theirs);
    let witness = theirs.log_standing().witness_key.unwrap();
    let policy = format!("witness theirs {witness} http://127.0.0.1:1/witness\nquorum theirs\n");
    fs::write(beside.join("site").join(POLICY_FILE), policy).unwrap();
    lodge(&ours, &declaration("LRN-1")).unwrap();
    logged(&ours);
    back_up_quietly(&site.location("one"), &beside.join("backup")).unwrap();
    drop(ours);
    let other = new_site(beside, "other");
    assert!(restored(&beside.join("backup"), &other).waits_for_witnesses);
    let second = Location { data: beside.join("other-two"), ..other.clone() };
    let mut houses = vec![open_at(&other), open_at(&second)];
    let ask = |house: &Customhouse| {
        let mut carry = |_: &str, body: &[u8]| {
            let answer = theirs.add_checkpoint(body);
            Ok((answer.status, answer.body))
        };
        house.ask_witnesses(&mut carry).unwrap()
    };
    lodge(&houses[0], &declaration("LRN-2")).unwrap();
    until("one of them has asked", || houses.iter().any(|house| ask(house) == Some(1)));
    until("all is logged", || {
        let _ = houses.iter().map(|house| ask(house)).collect::<Vec<_>>();
        houses.iter().all(|house| house.log_standing().behind == 0)
    });
    // The one that kept the log goes, after the witness has seen more than what was restored.
    until("the witness has seen it", || {
        let _ = houses.iter().map(|house| ask(house)).collect::<Vec<_>>();
        houses.iter().any(|house| house.log_standing().witnessed_size == Some(house.log_standing().size))
    });
    let keeper = houses.iter().position(|house| house.keeps_log()).unwrap();
    drop(houses.remove(keeper));
    lodge(&houses[0], &declaration("LRN-3")).unwrap();
    until("the other one signs", || {
        let _ = ask(&houses[0]);
        let standing = houses[0].log_standing();
        assert!(standing.trouble.is_none_or(|trouble| !trouble.contains("has seen")));
        standing.behind == 0
    });
}
