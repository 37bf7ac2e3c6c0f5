//! The simulation holds for many seeds, finds what is made wrong on purpose, and tells the same story again.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use journal::log::simulation::{Mutant, Totals, Violation, simulate};

/// Seeds of a run of all tests; `TIDEWAITER_SEEDS` says otherwise. Ten thousand: `cargo xtask simulate`.
const SEEDS: u64 = 300;
/// Seeds that once found something: a witness, killed before it flushed a folder, started again and told a size that a
/// loss of power then took back.
const ONCE_FOUND: [u64; 4] = [619, 621, 2_419, 2_423];

fn told(seeds: &[u64]) -> Totals {
    let next = AtomicU64::new(0);
    let work = || {
        let mut totals = Totals::default();
        while let Some(seed) = seeds.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap()) {
            match simulate(*seed, Mutant::None) {
                Ok(more) => totals += more,
                Err(violation) => panic!("{violation}"),
            }
        }
        totals
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut totals = Totals::default();
        workers.into_iter().for_each(|worker| totals += worker.join().unwrap());
        totals
    })
}

#[test]
fn whatever_disks_clocks_and_networks_do_nothing_is_lost_doubled_or_forked() {
    let seeds = std::env::var("TIDEWAITER_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let all: Vec<u64> = (1..=seeds).chain(ONCE_FOUND).collect();
    let totals = told(&all);
    for (what, number) in totals.rows() {
        println!("{what}: {number}");
        assert!(number > 0, "{what} never happened");
    }
}

#[test]
fn a_seed_tells_the_same_story_again() {
    for seed in 1..20 {
        assert_eq!(simulate(seed, Mutant::None), simulate(seed, Mutant::None));
    }
}

/// The test of these tests: what is made wrong on purpose is found.
#[test]
fn what_is_made_wrong_on_purpose_is_found_and_told_with_its_seed() {
    let check = |mutant: Mutant, expected: &[&str]| {
        let found: Vec<Violation> = (1..=60).filter_map(|seed| simulate(seed, mutant).err()).collect();
        assert!(found.len() > 5, "{mutant:?} was found by {} seeds of 60", found.len());
        for violation in &found {
            let line = violation.to_string();
            assert!(expected.iter().any(|words| line.contains(words)), "{mutant:?}: {line}");
            assert!(line.ends_with(&format!("cargo xtask simulate --seed {}", violation.seed)), "{line}");
        }
    };
    let lost = [
        "without a cause",
        "does not start",
        "is back at",
        "went back",
        "are published",
        "first: ",
        "second: ",
    ];
    check(Mutant::ForgetsFiles, &lost);
    check(Mutant::ForgetsFolders, &lost);
    check(Mutant::WitnessForgets, &["went back", "of the witness rotted unnoticed"]);
    check(Mutant::RecordsTwice, &["there twice"]);
    check(Mutant::RewritesHistory, &["forked", "is back at"]);
}
