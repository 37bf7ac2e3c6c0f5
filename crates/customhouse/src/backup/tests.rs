//! Backups made while the house is at work, and what comes back of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use spine::{Progress, Silent};

use super::*;
use crate::declarations::tests::{World, declaration, reader, trader};
use crate::erasure::CARRIED_FORWARD;
use crate::erasure::tests::{SECRETS, Told, erase, files, standing, told};
use crate::identity::Role;
use crate::proof::{POLICY_FILE, verify_at};
use crate::{Customhouse, Fact, Location};

fn data(world: &World) -> PathBuf {
    world.path().join("data")
}

fn at(world: &World, name: &str) -> Location {
    Location::from(world.path().join(name).as_path())
}

fn backed_up(world: &World, to: &str) -> BackedUp {
    logged(&world.house);
    back_up(&at(world, "data"), &world.path().join(to), BackupOptions::default(), &Silent)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn restored(world: &World, from: &str, to: &str, options: &RestoreOptions) -> Restored {
    restore(&world.path().join(from), &at(world, to), options, &Silent)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn open(world: &World, name: &str) -> Customhouse {
    Customhouse::open_with_clock(&world.path().join(name), world.clock.clone())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Waits until the log holds what is recorded.
fn logged(house: &Customhouse) {
    let began = Instant::now();
    while house.log_standing().behind > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", house.log_standing());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Envelopes of all events, in order.
fn envelopes(house: &Customhouse) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        let more = house.journal.envelopes(u64::try_from(all.len()).unwrap(), 1_000).unwrap();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

fn lanes(house: &Customhouse) -> BTreeMap<String, String> {
    let _ = house.wait_until_shown(house.journal_position(), Duration::from_secs(60));
    let found = house.find_declarations(&reader("c", Role::Chief), &Default::default()).unwrap();
    found
        .rows
        .into_iter()
        .map(|row| (row.mrn.to_string(), format!("{:?} {:?}", row.lane, row.state)))
        .collect()
}

#[test]
fn what_was_backed_up_while_declarations_came_in_opens_as_the_same_house() {
    let world = World::with_policies(false);
    let mut runs = Vec::new();
    std::thread::scope(|scope| {
        let lodging = scope.spawn(|| {
            for number in 0..40 {
                world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
            }
        });
        while !lodging.is_finished() {
            let to = world.path().join("backup");
            let done = back_up(&at(&world, "data"), &to, BackupOptions::default(), &Silent);
            runs.push(done.unwrap_or_else(|error| panic!("{error}")));
        }
    });
    runs.push(backed_up(&world, "backup"));
    let nothing_new = backed_up(&world, "backup");
    assert_eq!((nothing_new.carried.events, nothing_new.carried.parquet), (0, 0));
    let carried: u64 = runs.iter().map(|run| run.carried.events).sum();
    assert_eq!(carried, world.house.journal_position(), "each event is carried once: {runs:?}");
    let back = restored(&world, "backup", "back", &RestoreOptions::default());
    assert!(back.holds(), "{back:?}");
    let (ours, own) = (world.house.log_standing(), back.log.clone().unwrap());
    assert_eq!((own.size, &own.root), (ours.size, &ours.root));
    assert!(verify_at(&at(&world, "back"), &ours.keys, &Silent).unwrap().holds());
    let again = open(&world, "back");
    assert_eq!(envelopes(&again)[..], envelopes(&world.house)[..usize::try_from(back.events).unwrap()]);
    assert_eq!(lanes(&again), lanes(&world.house));
    assert!(again.log_standing().trouble.is_none(), "without witnesses nothing is waited for");
    let checked =
        back_up(&at(&world, "data"), &world.path().join("backup"), BackupOptions { check: true }, &Silent);
    assert_eq!(checked.unwrap().carried.events, 0);
}

/// Ends the work after so many reports.
struct EndsAfter(AtomicU64);

impl Progress for EndsAfter {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) {
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    }

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

#[test]
fn a_run_that_was_ended_at_any_moment_is_gone_on_with_and_the_state_before_it_stays_whole() {
    let Told { world, .. } = told();
    let to = world.path().join("backup");
    let run = |reports: u64| {
        back_up(&at(&world, "data"), &to, BackupOptions::default(), &EndsAfter(AtomicU64::new(reports)))
    };
    logged(&world.house);
    let mut reports = 0;
    while let Err(ended) = run(reports) {
        reports += 1;
        assert!(ended.code == "cancelled" && reports < 1_000, "{ended}");
        let refused = restore(&to, &at(&world, "back"), &RestoreOptions::default(), &Silent).unwrap_err();
        assert_eq!(refused.code, "backup_incomplete");
    }
    assert!(reports > 3, "it was ended at several moments");
    let first = envelopes(&world.house);
    world.lodge(&declaration("LRN-LATER")).unwrap();
    logged(&world.house);
    assert_eq!(run(1).unwrap_err().code, "cancelled");
    let refused = restore(&to, &at(&world, "back"), &RestoreOptions::default(), &Silent).unwrap_err();
    assert_eq!(refused.code, "backup_incomplete");
    let options = RestoreOptions { last_complete: true, ..RestoreOptions::default() };
    let back = restored(&world, "backup", "back", &options);
    assert!(back.holds() && back.events >= u64::try_from(first.len()).unwrap(), "{back:?}");
    assert!(envelopes(&open(&world, "back")).starts_with(&first));
    assert!(backed_up(&world, "backup").went_on);
    assert!(restored(&world, "backup", "back-2", &RestoreOptions::default()).holds());
}

#[test]
fn what_was_erased_between_two_backups_is_in_no_file_of_the_backup() {
    let Told { world, mrns, theirs, .. } = told();
    backed_up(&world, "backup");
    let backup = world.path().join("backup");
    assert!(standing(&backup, &SECRETS).len() > 5, "it had all of it");
    erase(&world.house);
    let done = backed_up(&world, "backup");
    assert!(done.carried.erasures > 0 && done.lost_by_the_folder.is_empty(), "{done:?}");
    assert_eq!(standing(&backup, &SECRETS), Vec::<String>::new());
    let back = restored(&world, "backup", "back", &RestoreOptions::default());
    assert!(back.holds() && back.verified.as_ref().unwrap().payloads_erased > 0, "{back:?}");
    let again = open(&world, "back");
    let officer = reader("o-1", Role::Officer);
    let _ = again.wait_until_shown(again.journal_position(), Duration::from_secs(60));
    assert!(again.case(&officer, &mrns[0]).unwrap().erased.is_some());
    assert!(again.case(&officer, &theirs).unwrap().erased.is_none());
}

#[test]
fn what_an_older_backup_brings_back_is_erased_again_by_the_newer_record() {
    let Told { world, mrns, .. } = told();
    backed_up(&world, "backup");
    erase(&world.house);
    let newest = world.path().join("newest");
    fs::create_dir(&newest).unwrap();
    for carried in CARRIED_FORWARD {
        fs::copy(data(&world).join(carried), newest.join(carried)).unwrap();
    }
    let options =
        RestoreOptions { erasures: Some(newest.join(CARRIED_FORWARD[0])), ..RestoreOptions::default() };
    let back = restored(&world, "backup", "back", &options);
    assert!(back.holds() && back.erasures_carried, "{back:?}");
    assert!(!standing(&world.path().join("back"), &SECRETS).is_empty(), "until it is opened");
    let again = open(&world, "back");
    let _ = again.wait_until_shown(again.journal_position(), Duration::from_secs(60));
    assert!(again.case(&reader("o-1", Role::Officer), &mrns[0]).unwrap().erased.is_some());
    drop(again);
    drop(open(&world, "back"));
    assert_eq!(standing(&world.path().join("back"), &SECRETS), Vec::<String>::new());
}

/// Whichever file of these a name begins with, and a byte in it that matters.
fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn find(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn a_flipped_byte_in_any_kind_of_file_is_found_and_named() {
    const KEY: &str = "a-key-that-was-sent-along";
    let Told { world, .. } = told();
    let mut fact = Fact::new("keyed", "keyed.noted", serde_json::json!({}));
    fact.idempotency_key = Some(KEY.to_owned());
    world.house.record(&reader("o-1", Role::Officer), fact).unwrap();
    backed_up(&world, "backup");
    let whole = world.path().join("backup");
    let record = BackupRecord::read(&whole).unwrap().unwrap();
    let mut all = Vec::new();
    files(&whole, &mut all);
    let below = |start: &str| {
        let found = all.iter().find(|path| path.strip_prefix(&whole).unwrap().starts_with(start));
        found.unwrap_or_else(|| panic!("{start}")).strip_prefix(&whole).unwrap().to_owned()
    };
    let mut kinds: Vec<(PathBuf, usize, String)> = record
        .files
        .iter()
        .map(|file| (Path::new("files").join(&file.sha256), 5, format!("files/{}", file.sha256)))
        .collect();
    for start in ["pool", "journal.blobs", "log/tile/0", "log/tile/entries", "log/tile/1"] {
        if start == "log/tile/1" && !whole.join(start).exists() {
            continue;
        }
        let path = below(start);
        let place = path.to_str().unwrap().trim_start_matches("log/").to_owned();
        kinds.push((path, 40, place));
    }
    let journal = fs::read(whole.join("journal.sqlite")).unwrap();
    for text in ["\"kind\":\"declaration.lodged\"", "sweetwater telephones"] {
        kinds.push((PathBuf::from("journal.sqlite"), find(&journal, text) + 3, "position".to_owned()));
    }
    let key = find(&journal, KEY) + KEY.len() - 1;
    kinds.push((PathBuf::from("journal.sqlite"), key, "idempotency keys".to_owned()));
    for (number, (path, at, place)) in kinds.iter().enumerate() {
        let (own, kept) = (whole.join(path), fs::read(whole.join(path)).unwrap());
        flip(&own, *at);
        let back = restored(&world, "backup", &format!("back-{number}"), &RestoreOptions::default());
        fs::write(&own, kept).unwrap();
        assert!(
            back.findings
                .iter()
                .any(|found| found.0.contains(place.as_str()) || found.1.contains(place.as_str())),
            "{path:?} at {at}: {:?}",
            back.findings
        );
        let refused = Customhouse::open(&world.path().join(format!("back-{number}"))).unwrap_err();
        assert_eq!(refused.code, "data_folder_unproven");
    }
    flip(&whole.join("backup.json"), 300);
    let refused = restore(&whole, &at(&world, "none"), &RestoreOptions::default(), &Silent).unwrap_err();
    assert_eq!(refused.code, "backup_damaged");
}

#[test]
fn a_file_that_is_missing_is_found_and_named() {
    let Told { world, .. } = told();
    backed_up(&world, "backup");
    let whole = world.path().join("backup");
    let mut all = Vec::new();
    files(&whole, &mut all);
    for (number, start) in ["pool", "journal.blobs", "files", "log/tile/entries"].into_iter().enumerate() {
        let path = all.iter().find(|path| path.strip_prefix(&whole).unwrap().starts_with(start)).unwrap();
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        let back = restored(&world, "backup", &format!("back-{number}"), &RestoreOptions::default());
        fs::write(path, bytes).unwrap();
        let named = start.trim_start_matches("log/");
        assert!(
            back.findings.iter().any(|found| found.0.contains(named) || found.1.contains(named)),
            "{path:?}: {:?}",
            back.findings
        );
    }
}

#[test]
fn nothing_is_overwritten_and_no_backup_is_mixed_with_another() {
    let (world, other) = (World::with_policies(false), World::with_policies(false));
    backed_up(&world, "backup");
    let at = |name: &str| world.path().join(name);
    let options = RestoreOptions::default();
    let restoring = |from: &Path, to: &Path| restore(from, &to.into(), &options, &Silent).unwrap_err().code;
    assert_eq!(restoring(&at("backup"), &at("data")), "restore_folder_used");
    assert_eq!(restoring(&at("data"), &at("new")), "backup_missing");
    let back_up = |from: &Path, to: &Path| {
        back_up(&from.into(), to, BackupOptions::default(), &Silent).unwrap_err().code
    };
    assert_eq!(back_up(&data(&other), &at("backup")), "backup_of_another");
    assert_eq!(back_up(&at("data"), &at("data/backup")), "backup_inside_the_folder");
    fs::create_dir(at("thesis")).unwrap();
    fs::write(at("thesis/thesis.odt"), "years of work").unwrap();
    assert_eq!(back_up(&at("data"), &at("thesis")), "backup_folder_foreign");
    assert_eq!(back_up(&at("thesis"), &at("new")), "data_folder_missing");
    // A folder that went back behind its backup is not backed up into it.
    restored(&world, "backup", "older", &options);
    for number in 0..3 {
        world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
    }
    backed_up(&world, "backup");
    assert_eq!(back_up(&at("older"), &at("backup")), "backup_ahead");
    // One that went another way since is told apart by its root.
    let fork = open(&world, "older");
    for number in 0..6 {
        let bytes = serde_json::to_vec(&declaration(&format!("FORK-{number}"))).unwrap();
        let request = crate::declarations::LodgeRequest {
            bytes,
            form: None,
            channel: crate::declarations::Channel::Api,
        };
        fork.lodge(&trader(), request).unwrap();
    }
    logged(&fork);
    assert_eq!(back_up(&at("older"), &at("backup")), "backup_of_another_history");
    let seen = at("seen");
    fs::copy(at("older/log/checkpoint"), &seen).unwrap();
    let options = RestoreOptions { checkpoint: Some(seen), ..RestoreOptions::default() };
    let back = restored(&world, "backup", "back", &options);
    assert!(!back.holds() && back.seen_size.is_none(), "{back:?}");
    let seen = at("earlier");
    fs::copy(at("data/log/checkpoint"), &seen).unwrap();
    world.lodge(&declaration("LRN-9")).unwrap();
    backed_up(&world, "backup");
    let options = RestoreOptions { checkpoint: Some(seen), ..RestoreOptions::default() };
    let back = restored(&world, "backup", "back-2", &options);
    assert!(back.holds() && back.seen_size.is_some(), "{back:?}");
}

#[test]
fn a_restored_log_signs_nothing_before_its_witness_was_heard_nor_behind_what_that_has_seen() {
    let ours = World::with_policies(false);
    let key = ours.house.log_standing().keys.remove(0);
    let theirs = World::with_policies(false).closed(|data| {
        fs::write(data.join(POLICY_FILE), format!("log {key}\nquorum none\n")).unwrap();
    });
    let witness = theirs.house.log_standing().witness_key.unwrap();
    let policy = format!("witness theirs {witness} http://127.0.0.1:1/witness\nquorum theirs\n");
    let ours = ours.closed(|data| fs::write(data.join(POLICY_FILE), &policy).unwrap());
    let ask = |house: &Customhouse| {
        logged(house);
        let mut carry = |_: &str, body: &[u8]| {
            let answer = theirs.house.add_checkpoint(body);
            Ok((answer.status, answer.body))
        };
        house.ask_witnesses(&mut carry).unwrap()
    };
    ours.lodge(&declaration("LRN-1")).unwrap();
    assert_eq!(ask(&ours.house), Some(1));
    while !data(&ours).join("log/checkpoint.witnessed").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    backed_up(&ours, "backup");
    backed_up(&ours, "earlier");
    // What was backed up is all that the witness has seen: it is heard, and the log goes on.
    let back = restored(&ours, "backup", "back", &RestoreOptions::default());
    assert!(back.holds() && back.waits_for_witnesses, "{back:?}");
    assert!(back.verified.unwrap().witnessed_compared);
    let again = open(&ours, "back");
    let lodged = |house: &Customhouse, reference: &str| {
        let bytes = serde_json::to_vec(&declaration(reference)).unwrap();
        let channel = crate::declarations::Channel::Api;
        house.lodge(&trader(), crate::declarations::LodgeRequest { bytes, form: None, channel }).unwrap();
    };
    lodged(&again, "LRN-2");
    std::thread::sleep(Duration::from_millis(400));
    let standing = again.log_standing();
    assert!(standing.behind > 0 && standing.trouble.is_some(), "it waits: {standing:?}");
    let mut carry = |_: &str, body: &[u8]| {
        let answer = theirs.house.add_checkpoint(body);
        Ok((answer.status, answer.body))
    };
    assert_eq!(again.ask_witnesses(&mut carry).unwrap(), Some(1));
    logged(&again);
    assert!(!ours.path().join("back").join(RESTORED_FILE).exists());
    assert_eq!(ask(&again), Some(1), "the witness has seen more now");
    drop(again);
    // The earlier backup is behind what the witness has seen: whatever it signed would be a second history.
    assert!(restored(&ours, "earlier", "forked", &RestoreOptions::default()).waits_for_witnesses);
    let forked = open(&ours, "forked");
    let size = forked.log_standing().size;
    for round in 0..2 {
        lodged(&forked, &format!("FORK-{round}"));
        assert_eq!(forked.ask_witnesses(&mut carry).unwrap(), Some(0));
        std::thread::sleep(Duration::from_millis(400));
        let standing = forked.log_standing();
        assert_eq!(standing.size, size, "nothing was signed");
        assert!(standing.trouble.unwrap().contains("the witness theirs has seen"));
    }
    drop(forked);
    assert_eq!(open(&ours, "forked").log_standing().size, size, "nor after a restart");
}

#[test]
fn an_export_holds_everything_in_open_formats_and_no_secret() {
    let Told { world, mrns, .. } = told();
    logged(&world.house);
    let everything = world.path().join("everything");
    let exported =
        export(&at(&world, "data"), &everything, &Silent).unwrap_or_else(|error| panic!("{error}"));
    let lines = fs::read_to_string(everything.join("events.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), usize::try_from(exported.events).unwrap());
    assert!(lines.contains(&mrns[0]) && exported.events >= 30 && exported.erased == 0);
    for file in &exported.files {
        assert_eq!(hash_file(&everything.join(&file.path)).unwrap().0, file.sha256, "{}", file.path);
    }
    let mut all = Vec::new();
    files(&everything, &mut all);
    assert_eq!(all.len(), exported.files.len() + 1, "and the manifest");
    for start in ["events.parquet", "blobs/", "pool/", "log/checkpoint", "log/tile/entries/", "accounts.json"]
    {
        assert!(exported.files.iter().any(|file| file.path.starts_with(start)), "{start}");
    }
    assert!(fs::read_to_string(everything.join("accounts.json")).unwrap().contains("tara"));
    assert_eq!(standing(&everything, &["argon2", "PRIVATE"]), Vec::<String>::new());
    assert_eq!(export(&at(&world, "data"), &everything, &Silent).unwrap_err().code, "export_folder_used");
    erase(&world.house);
    let after = world.path().join("after");
    assert!(export(&at(&world, "data"), &after, &Silent).unwrap().erased > 0);
    assert_eq!(standing(&after, &SECRETS), Vec::<String>::new());
}
