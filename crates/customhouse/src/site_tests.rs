//! Several houses on one database, as processes of one site have it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spine::Silent;

use crate::declarations::tests::{declaration, put_policies_into_force, reader, trader};
use crate::declarations::{Channel, DeclarationsQuery, LodgeRequest, Progress, Receipt};
use crate::erasure::tests::{erase, standing};
use crate::identity::Role;
use crate::proof::verify_at;
use crate::replay::SampleSpec;
use crate::replay::tests::edit_rules;
use crate::{Customhouse, Error, Location, postgres_server};

/// Nothing takes so long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    database: String,
}

impl Site {
    /// `None` where there is no PostgreSQL.
    pub(crate) fn new(test: &str) -> Option<Self> {
        let database = postgres_server::running(test)?.database();
        Some(Self { folder: tempfile::tempdir().unwrap(), database })
    }

    /// A process's data folder of this name, beside what all of them share.
    pub(crate) fn location(&self, name: &str) -> Location {
        Location {
            data: self.folder.path().join(name),
            database: Some(self.database.clone()),
            shared: Some(self.folder.path().join("site")),
        }
    }

    pub(crate) fn open(&self, name: &str) -> Arc<Customhouse> {
        open_at(&self.location(name))
    }
}

/// Opens a house that keeps time.
pub(crate) fn open_at(location: &Location) -> Arc<Customhouse> {
    let mut opened = None;
    // One that was dropped closes when the last of its own threads lets go of it.
    until("the folder is free", || {
        opened = Some(Customhouse::open_at(location));
        !matches!(&opened, Some(Err(error)) if error.code == "data_folder_in_use")
    });
    let house = Arc::new(opened.unwrap().unwrap());
    house.keep_time().unwrap();
    house
}

pub(crate) fn lodge(house: &Customhouse, declaration: &Value) -> Result<Receipt, Error> {
    let bytes = serde_json::to_vec(declaration).unwrap();
    house.lodge(&trader(), LodgeRequest { bytes, form: None, channel: Channel::Api })
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < PATIENCE, "{what}: never");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Every declaration as a house shows it: number, reference, state, lane.
pub(crate) fn shown(house: &Customhouse) -> Vec<String> {
    house.catch_up();
    let _ = house.wait_until_shown(house.journal_position(), PATIENCE);
    let mut rows = Vec::new();
    for page in 1.. {
        let query = DeclarationsQuery { page, ..DeclarationsQuery::default() };
        let found = house.find_declarations(&reader("c", Role::Chief), &query).unwrap();
        if found.rows.is_empty() {
            break;
        }
        rows.extend(found.rows.iter().map(|row| serde_json::to_string(row).unwrap()));
    }
    rows.sort();
    rows
}

pub(crate) fn undecided(house: &Customhouse) -> usize {
    shown(house).iter().filter(|row| row.contains("\"lane\":null")).count()
}

#[test]
fn what_is_lodged_anywhere_is_decided_once_and_shown_everywhere() {
    let Some(site) = Site::new("what_is_lodged_anywhere_is_decided_once_and_shown_everywhere") else {
        return;
    };
    let houses = [site.open("one"), site.open("two"), site.open("three")];
    let [first, second, third] = &houses;
    put_policies_into_force(first, false);
    thread::scope(|scope| {
        for (at, house) in houses.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..40 {
                    let receipt = lodge(house, &declaration(&format!("R-{at}-{number}"))).unwrap();
                    assert!(!receipt.repeated && receipt.position > 0);
                }
            });
        }
    });
    until("all are decided", || undecided(third) == 0);
    let rows = shown(first);
    assert_eq!(rows.len(), 120);
    for house in [second, third] {
        assert_eq!(shown(house), rows, "every process shows the same");
    }
    until("one decides", || houses.iter().filter(|house| house.decides()).count() == 1);
    let kinds = kinds_of_all(first);
    for kind in ["declaration.lodged", "tags.applied", "selection.made", "declaration.accepted"] {
        assert_eq!(kinds.iter().filter(|own| *own == kind).count(), 120, "{kind}");
    }
    let spec = SampleSpec { decisions: 1_000, seed: 1 };
    for house in [first, third] {
        let sample = house.replay_sample(&reader("c", Role::Chief), &spec, &Silent).unwrap();
        assert_eq!((sample.decisions, sample.different), (120, 0), "{sample:?}");
    }
    until("all is logged", || houses.iter().all(|house| house.log_standing().behind == 0));
    let log = first.log_standing();
    assert!(houses.iter().all(|house| house.log_standing() == log), "there is one log");
    let verified = verify_at(&site.location("one"), &[], &Silent).unwrap();
    assert!(verified.holds() && verified.journal_compared, "{verified:?}");
    assert!(verified.size >= 480);
}

fn kinds_of_all(house: &Customhouse) -> Vec<String> {
    let mut kinds = Vec::new();
    let mut position = 0;
    loop {
        let events = house.journal.feed(position, 1_000).unwrap();
        let Some(last) = events.last() else { return kinds };
        position = last.position;
        kinds.extend(events.into_iter().map(|event| event.envelope.kind));
    }
}

#[test]
fn one_reference_has_one_receipt_wherever_it_is_sent() {
    let Some(site) = Site::new("one_reference_has_one_receipt_wherever_it_is_sent") else { return };
    let houses = [site.open("one"), site.open("two")];
    let [first, second] = &houses;
    put_policies_into_force(second, false);
    for round in 0..20 {
        let same = declaration(&format!("SAME-{round}"));
        let receipts = thread::scope(|scope| {
            let sent = houses.each_ref().map(|house| scope.spawn(|| lodge(house, &same).unwrap()));
            sent.map(|sent| sent.join().unwrap())
        });
        let [one, other] = receipts;
        assert_eq!(one.mrn, other.mrn);
        assert!(one.repeated != other.repeated, "it was recorded once");
        let mut changed = same.clone();
        changed["type_code"] = json!("EXA");
        assert_eq!(lodge(first, &changed).unwrap_err().code, "reference_in_use");
    }
    // What was rejected may come again, corrected, and at another process.
    let mut wrong = declaration("WRONG");
    wrong["goods_shipment"]["government_agency_goods_item"][0]["origin"] = json!([]);
    let refused = lodge(first, &wrong).unwrap();
    until("it is rejected", || {
        lodge(second, &wrong).is_ok_and(|again| again.repeated && again.progress == Progress::Rejected)
    });
    let corrected = lodge(second, &declaration("WRONG")).unwrap();
    assert!(!corrected.repeated && corrected.mrn != refused.mrn);
}

#[test]
fn whoever_has_the_turn_may_go_and_another_goes_on() {
    let Some(site) = Site::new("whoever_has_the_turn_may_go_and_another_goes_on") else { return };
    let mut houses = vec![site.open("one"), site.open("two"), site.open("three")];
    put_policies_into_force(&houses[0], false);
    let mut lodged = 0;
    while let Some(at) = {
        until("one has the turn", || houses.iter().any(|house| house.decides()));
        houses.iter().position(|house| house.decides())
    } {
        for house in &houses {
            lodge(house, &declaration(&format!("GO-{lodged}"))).unwrap();
            lodged += 1;
        }
        // It goes, perhaps in the midst of it.
        drop(houses.remove(at));
        let Some(left) = houses.first() else { break };
        until("what was lodged is decided", || undecided(left) == 0);
        assert_eq!(shown(left).len(), lodged);
    }
    // A process that comes anew knows everything.
    let anew = site.open("two");
    until("what was lodged last is decided", || undecided(&anew) == 0);
    assert_eq!(shown(&anew).len(), lodged);
    let receipt = lodge(&anew, &declaration("ANEW")).unwrap();
    assert!(!receipt.repeated, "its numbers go on");
}

#[test]
fn a_folder_belongs_to_the_journal_that_it_was_made_for() {
    let Some(site) = Site::new("a_folder_belongs_to_the_journal_that_it_was_made_for") else { return };
    drop(Customhouse::open_at(&site.location("one")).unwrap());
    let own = site.folder.path().join("own");
    drop(Customhouse::open(&own).unwrap());
    let refused = |location: &Location| Customhouse::open_at(location).unwrap_err().code;
    let of_database = site.location("one");
    let backup = site.folder.path().join("backup");
    let options = crate::backup::BackupOptions::default();
    let not_backed_up =
        crate::backup::back_up(&of_database.data.as_path().into(), &backup, options, &Silent).unwrap_err();
    assert_eq!(not_backed_up.code, "data_folder_of_database");
    assert!(!backup.exists());
    let file_only = Location { database: None, shared: None, ..of_database.clone() };
    assert_eq!(refused(&file_only), "data_folder_of_database");
    assert_eq!(refused(&Location { database: None, ..of_database.clone() }), "shared_without_database");
    assert_eq!(refused(&Location { data: own.clone(), ..of_database.clone() }), "data_folder_with_journal");
    let elsewhere = Location { shared: Some(site.folder.path().join("elsewhere")), ..of_database.clone() };
    assert_eq!(refused(&elsewhere), "data_folder_of_other_site");
    assert_eq!(refused(&Location { shared: Some(own), ..of_database.clone() }), "data_folder_with_journal");
    let nowhere = Location {
        database: Some("postgres://nobody@/nothing?host=/nowhere".to_owned()),
        ..of_database.clone()
    };
    assert_eq!(refused(&nowhere), "journal_unavailable");
    // Alone with a database, the data folder is the shared one, and others may come later.
    let alone = Location { shared: None, data: site.folder.path().join("alone"), ..of_database };
    drop(Customhouse::open_at(&alone).unwrap());
    drop(Customhouse::open_at(&alone).unwrap());
}

#[test]
fn packs_and_erasures_of_one_process_are_those_of_all() {
    let Some(site) = Site::new("packs_and_erasures_of_one_process_are_those_of_all") else { return };
    let houses = [site.open("one"), site.open("two")];
    let [first, second] = &houses;
    put_policies_into_force(first, false);
    edit_rules(first, 7);
    let chief = reader("c", Role::Chief);
    until("the pack is in use everywhere", || {
        houses.iter().all(|house| {
            let tags = house.find_pack(&chief, "customs-tags").unwrap();
            tags.summary.current && tags.summary.version == "1.0.7"
        })
    });
    let mrn = lodge(second, &declaration("ERASE-ME")).unwrap().mrn;
    until("it is released", || {
        first.catch_up();
        first.own_declaration(&trader(), &mrn).is_ok_and(|own| own.progress == Progress::Released)
    });
    let secrets = ["NL0001", "ERASE-ME"];
    until("the other one knows it", || !standing(&site.folder.path().join("two"), &secrets).is_empty());
    erase(first);
    until("the other one has forgotten it too", || {
        let shown = second.case(&chief, &mrn).is_ok_and(|case| case.erased.is_some());
        shown && standing(&site.folder.path().join("two"), &secrets).is_empty()
    });
    assert_eq!(standing(site.folder.path(), &secrets), Vec::<String>::new());
    assert!(lodge(first, &declaration("AFTERWARDS")).is_ok_and(|receipt| !receipt.repeated));
    until("what comes afterwards is decided", || undecided(second) == 0);
}
