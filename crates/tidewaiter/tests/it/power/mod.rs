//! The power fails at any moment while the real server works: what was acknowledged is there afterwards.
//!
//! Commands, servers under load and a program that keeps drafts run under a recorder, and are killed a few times. Each
//! disk that losses of power may leave of it (`outage`) is opened by the real code. `TIDEWAITER_HOUSE_POWER_LOSSES`
//! says how many are looked at (48 unless told).

mod house;
mod lives;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use house::check;
use lives::{Lives, Remembered};

/// Disks that are looked at.
const IMAGES: usize = 48;
/// Most of them that are looked at for each mutant: the first one that shows it ends it.
const IMAGES_OF_A_MUTANT: usize = 120;
/// Disks that are looked at at the same time.
const AT_ONCE: usize = 2;

/// What had been said when the power failed.
#[derive(Debug, Clone, Default)]
struct Said {
    remembered: Remembered,
    /// Roots of served checkpoints by their sizes.
    checkpoints: BTreeMap<u64, String>,
}

impl Said {
    fn hear(&mut self, told: &[&[u8]], all: &Remembered) {
        let text: Vec<_> = told.iter().map(|told| String::from_utf8_lossy(told)).collect();
        let text = text.join("\n");
        let own = &mut self.remembered;
        let fresh = all.receipts.iter().filter(|(_, receipt)| text.contains(&receipt.mrn));
        own.receipts.extend(fresh.map(|(reference, receipt)| (reference.clone(), receipt.clone())));
        let fresh = all.drafts.iter().filter(|(id, _)| text.contains(id.as_str()));
        own.drafts.extend(fresh.map(|(id, number)| (id.clone(), *number)));
        for (own, all) in
            [(&mut own.token, &all.token), (&mut own.batch, &all.batch), (&mut own.new_key, &all.new_key)]
        {
            if text.contains(all.as_str()) {
                own.clone_from(all);
            }
        }
        let lines: Vec<&str> = text.lines().collect();
        for window in lines.windows(3).filter(|window| window[0].starts_with("tidewaiter/local/")) {
            if let Ok(size) = window[1].parse() {
                self.checkpoints.insert(size, window[2].to_owned());
            }
        }
    }
}

fn scratch() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Opens so many disks as losses of power may leave them; what was wrong with each that was not right.
fn power_losses(lives: &Lives, images: usize, forgets: &(dyn Fn(&str) -> bool + Sync)) -> Vec<String> {
    let losses = Mutex::new((lives.recording.losses(1, images, forgets), Said::default()));
    let wrong = Mutex::new(Vec::new());
    let look = || {
        loop {
            let mut next = losses.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(loss) = next.0.next() else { return };
            let loss = loss.unwrap();
            next.1.hear(&loss.said, &lives.remembered);
            let said = next.1.clone();
            drop(next);
            let folder = scratch();
            loss.write_out(folder.path()).unwrap();
            if let Err(what) = check(folder.path(), &said, &lives.packs) {
                wrong.lock().unwrap().push(format!("{}: {what}", loss.name));
            }
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(look))));
    wrong.into_inner().unwrap()
}

#[test]
fn whenever_the_power_fails_the_house_opens_with_all_that_was_acknowledged() {
    let images = std::env::var("TIDEWAITER_HOUSE_POWER_LOSSES").ok();
    let images = images.map_or(IMAGES, |images| images.parse().unwrap());
    let lives = lives::record();
    let wrong = power_losses(&lives, images, &|_| false);
    println!(
        "{:?}, {} declarations, {images} losses of power, {} with something wrong",
        lives.recording,
        lives.remembered.receipts.len(),
        wrong.len()
    );
    assert_eq!(wrong, Vec::<String>::new());
    // The test of this test: whose flushes do not happen is found out, each where it loses something.
    for (paths, expected) in MUTANTS {
        let found = found_out(&lives, paths, expected);
        println!("{paths:?}: {found:?}");
        assert!(found.is_some(), "{paths:?} were not flushed, and nothing of {expected:?} was lost");
    }
}

/// Whose flushes are forgotten, and what is found then: one of these words. Read models are not among them: they are
/// built anew where something is lost, which the real disks show.
const MUTANTS: [(&[&str], &[&str]); 6] = [
    (&["data/journal.sqlite"], &["journal"]),
    (&["data/log", "data/keys"], &["log"]),
    (&["data/accounts.sqlite"], &["token", "accounts"]),
    (&["data/pool"], &["batch"]),
    (&["data/packs"], &["packs"]),
    (&["data/personal.sqlite"], &["draft", "personal"]),
];

/// The first disk on which it shows that these paths were not flushed, once there is something of everything to lose.
fn found_out(lives: &Lives, paths: &[&str], expected: &[&str]) -> Option<String> {
    let forgets = |path: &str| paths.iter().any(|own| path.starts_with(own));
    let mut said = Said::default();
    lives.recording.losses(2, IMAGES_OF_A_MUTANT, &forgets).map(Result::unwrap).find_map(|loss| {
        said.hear(&loss.said, &lives.remembered);
        if said.remembered.new_key.is_empty() {
            return None;
        }
        let folder = scratch();
        loss.write_out(folder.path()).unwrap();
        let what = check(folder.path(), &said, &lives.packs).err()?;
        expected.iter().any(|word| what.contains(word)).then(|| format!("{}: {what}", loss.name))
    })
}
