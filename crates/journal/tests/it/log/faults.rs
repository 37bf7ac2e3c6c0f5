//! Death at every operation on every file, flushes that lie, bits that rot: the log never forks, what was published
//! stays published, and damage is named.

use std::sync::Arc;

use journal::log::files::{Faults, FaultyDisk};
use journal::log::simulation::Forgetful;
use journal::log::{Against, Integrator, LogError, LogIdentity, SignedCheckpoint, verify_log};

use super::support::{Source, catch_up, disk, key, open, open_remembering, reader};

/// A life of the log until the machine dies or all is logged: steps that leave tiles open, fill them, and pass 256
/// tiles' worth of none. Every checkpoint that was acknowledged is kept.
fn live(
    log: &mut Integrator,
    source: &Source,
    seen: &mut Vec<Arc<SignedCheckpoint>>,
) -> Result<(), LogError> {
    for step in [3, 200, 60, 400, 1, 300].into_iter().cycle() {
        if log.size() == 1_500 {
            break;
        }
        let left = usize::try_from(1_500 - log.size()).unwrap();
        seen.push(catch_up(log, source, left.min(step))?);
    }
    Ok(())
}

fn check_seen(seen: &[Arc<SignedCheckpoint>], source: &Source) {
    for checkpoint in seen {
        let said = checkpoint.checkpoint();
        assert_eq!(said.root, source.root(said.size), "a checkpoint of {} is of another history", said.size);
    }
}

fn acknowledged(seen: &[Arc<SignedCheckpoint>]) -> u64 {
    seen.iter().map(|checkpoint| checkpoint.checkpoint().size).max().unwrap_or(0)
}

fn holds(files: &Arc<FaultyDisk>, source: &Source) {
    let against = Against { source: Some(source), seen: None, threads: Some(1) };
    let report = verify_log(&reader(files), &[key(1).verifier().clone()], &against).unwrap();
    assert!(report.holds(), "{:?}", report.findings);
}

fn operations_of_a_life(source: &Source) -> u64 {
    let files = disk();
    let mut log = open(&files, source).unwrap();
    live(&mut log, source, &mut Vec::new()).unwrap();
    files.operations()
}

#[test]
fn after_a_death_at_any_operation_the_log_goes_on_from_what_it_published() {
    let source = Source::of(1_500);
    let operations = operations_of_a_life(&source);
    assert!(operations > 150, "{operations}");
    for dies_at in 1..=operations {
        for seed in 0..3 {
            let faults = Faults { dies_at: Some(dies_at), ..Faults::default() };
            let files = Arc::new(FaultyDisk::new(seed * 1_000 + dies_at, faults));
            let mut seen = Vec::new();
            let died = open(&files, &source).and_then(|mut log| live(&mut log, &source, &mut seen));
            // Who dies while partial tiles are removed has published already.
            assert!(
                files.is_dead() && (died.is_err() || acknowledged(&seen) == 1_500),
                "operation {dies_at}"
            );
            if seed == 2 {
                files.restart_after_kill(Faults::default());
            } else {
                files.restart_after_power_loss(Faults::default());
            }
            let mut log = open(&files, &source).unwrap();
            assert!(log.size() >= acknowledged(&seen), "operation {dies_at}: a published checkpoint is lost");
            live(&mut log, &source, &mut seen).unwrap();
            check_seen(&seen, &source);
            holds(&files, &source);
        }
    }
}

/// One machine with a disk for the log and one for its memory.
#[test]
fn deaths_that_follow_each_other_lose_nothing_that_was_published() {
    let source = Source::of(1_500);
    for seed in 0..300_u64 {
        let files = Arc::new(FaultyDisk::new(seed, Faults::default()));
        let memory = Arc::new(FaultyDisk::new(!seed, Faults::default()));
        let mut seen = Vec::new();
        for round in 0..30 {
            let dies_at = Some((seed * 7 + round * 13) % 61 + 1);
            let short_write_per_mille = if seed % 3 == 0 { 20 } else { 0 };
            let faults = Faults { dies_at, short_write_per_mille, ..Faults::default() };
            let memory_faults = Faults { dies_at: Some((seed + round) % 17 + 1), ..Faults::default() };
            if round % 4 == 3 {
                files.restart_after_kill(faults);
                memory.restart_after_kill(memory_faults);
            } else {
                files.restart_after_power_loss(faults);
                memory.restart_after_power_loss(memory_faults);
            }
            let opened = open_remembering(&files, &memory, &source);
            if let Ok(log) = &opened {
                assert!(log.size() >= acknowledged(&seen), "seed {seed}, round {round}");
            }
            if opened.and_then(|mut log| live(&mut log, &source, &mut seen)).is_ok() {
                break;
            }
        }
        files.restart_after_power_loss(Faults::default());
        memory.restart_after_power_loss(Faults::default());
        let mut log = open_remembering(&files, &memory, &source).unwrap();
        assert!(log.size() >= acknowledged(&seen), "seed {seed}");
        live(&mut log, &source, &mut seen).unwrap();
        check_seen(&seen, &source);
        holds(&files, &source);
    }
}

/// Where flushes lie, published checkpoints may be lost with them; but no other history is ever signed, and what is
/// damaged is named or does not matter.
#[test]
fn flushes_that_lie_lead_to_no_fork_and_damage_is_named() {
    let source = Source::of(1_500);
    let mut refused = 0;
    for seed in 0..300_u64 {
        let faults = Faults { lost_sync_per_mille: 300, dies_at: Some(seed % 170 + 5), ..Faults::default() };
        let files = Arc::new(FaultyDisk::new(seed, faults));
        let mut seen = Vec::new();
        let _ = open(&files, &source).and_then(|mut log| live(&mut log, &source, &mut seen));
        files.restart_after_power_loss(Faults::default());
        match open(&files, &source).and_then(|mut log| live(&mut log, &source, &mut seen)) {
            Ok(()) => {}
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(text.contains("tile/") || text.contains("checkpoint"), "seed {seed}: {text}");
                // The remedy that the error names: the log is built again, and comes out the same.
                let files = disk();
                let mut log = open(&files, &source).unwrap();
                live(&mut log, &source, &mut seen).unwrap();
                holds(&files, &source);
            }
        }
        check_seen(&seen, &source);
    }
    assert!(refused > 0, "no seed damaged anything: the disk is too good");
}

/// The test of these tests: without a flush they would fail.
#[test]
fn a_log_that_forgets_to_flush_is_found_out() {
    let source = Source::of(1_500);
    for (forgets_files, forgets_folders) in [(true, false), (false, true)] {
        let mut found_out = 0;
        for seed in 0..60_u64 {
            let faults = Faults { dies_at: Some(seed % 90 + 30), ..Faults::default() };
            let files = Arc::new(FaultyDisk::new(seed, faults));
            let forgetful = Arc::new(Forgetful { files: Arc::clone(&files), forgets_files, forgets_folders });
            let mut seen = Vec::new();
            let _ = Integrator::open(forgetful, LogIdentity::new(key(1)), source.as_ref())
                .and_then(|mut log| live(&mut log, &source, &mut seen));
            files.restart_after_power_loss(Faults::default());
            let lost = open(&files, &source).map_or(true, |log| log.size() < acknowledged(&seen));
            found_out += i32::from(lost);
        }
        assert!(found_out > 5, "{forgets_files} {forgets_folders}: {found_out}");
    }
}
