//! Whatever is changed in a log, in its journal or in a proof of it is found, and the place is named.

use std::sync::Arc;

use journal::log::files::FaultyDisk;
use journal::log::tree::inclusion_proof;
use journal::log::writer::Entries;
use journal::log::{
    Against, Checkpoint, Files, LogProof, LogReport, Policy, SignedCheckpoint, VerifierKey, verify_log,
};
use proptest::prelude::*;

use super::support::{ORIGIN, Source, key, log_of, reader, witness_key};

fn known() -> Vec<VerifierKey> {
    vec![key(1).verifier().clone()]
}

fn verify(files: &Arc<FaultyDisk>, source: Option<&Source>) -> LogReport {
    let source = source.map(|source| -> &dyn Entries { source });
    verify_log(&reader(files), &known(), &Against { source, seen: None, threads: Some(2) }).unwrap()
}

/// Overwrites a file, to take it back afterwards.
fn with_changed(files: &FaultyDisk, path: &str, change: &dyn Fn(&mut Vec<u8>), check: &dyn Fn()) {
    let before = files.read(path, usize::MAX).unwrap();
    let mut bytes = before.clone();
    change(&mut bytes);
    files.write(path, &bytes).unwrap();
    check();
    files.write(path, &before).unwrap();
}

#[test]
fn a_log_that_nobody_touched_holds_on_any_number_of_threads() {
    for count in [0, 1, 255, 256, 257, 700, 66_000, 131_072] {
        let (files, source, mut log) = log_of(count, 8_192);
        if count == 0 {
            log.integrate(&[], 1).unwrap();
        }
        for threads in [1, 3] {
            let against = Against { source: Some(source.as_ref()), seen: None, threads: Some(threads) };
            let report = verify_log(&reader(&files), &known(), &against).unwrap();
            assert!(report.holds(), "{count}: {:?}", report.findings);
            assert_eq!(report.checkpoint.checkpoint().size, count);
            assert_eq!(report.not_logged, Some(0));
        }
    }
}

#[test]
fn a_flipped_bit_in_any_kind_of_file_is_found_at_its_place() {
    let (files, source, _) = log_of(66_000, 8_192);
    let check = |path: &str, place: usize, entry: Option<u64>| {
        with_changed(&files, path, &|bytes| bytes[place] ^= 4, &|| {
            let report = verify(&files, Some(&source));
            let named = report.findings.iter().find(|finding| finding.place.contains(path));
            let named = named.unwrap_or_else(|| panic!("{path}: {:?}", report.findings));
            assert!(entry.is_none_or(|entry| named.index == entry), "{named:?}");
            assert!(report.findings_total <= 4, "{path}: {:?}", report.findings);
        });
    };
    check("tile/0/000", 0, Some(0));
    check("tile/0/100", 8_191, Some(25_855));
    check("tile/0/257.p/208", 33, Some(65_793));
    check("tile/1/000", 0, Some(0));
    check("tile/1/001.p/1", 31, Some(65_536));
    check("tile/2/000.p/1", 5, Some(0));
    check("tile/entries/000", 2, Some(0));
    check("tile/entries/200", 7_000, None);
    check("tile/entries/257.p/208", 9, Some(65_792));
    // A length: the bundle no longer splits.
    check("tile/entries/003", 1, Some(768));
    assert!(verify(&files, Some(&source)).holds());
}

#[test]
fn whichever_bit_rots_in_whatever_is_served_it_is_found() {
    let (files, source, _) = log_of(1_000, 130);
    for _ in 0..300 {
        let (path, byte) = files.rot(&|path| path.starts_with("tile/")).unwrap();
        let report = verify(&files, Some(&source));
        let named = report.findings.iter().any(|finding| finding.place.contains(&path));
        assert!(named, "{path}, byte {byte}: {:?}", report.findings);
        // Made again as the remedy says.
        let (fresh, _, _) = log_of(1_000, 130);
        files.write(&path, &fresh.read(&path, usize::MAX).unwrap()).unwrap();
        assert!(verify(&files, Some(&source)).holds());
    }
}

#[test]
fn files_that_are_cut_or_missing_are_named() {
    let (files, source, _) = log_of(700, 350);
    for path in
        ["tile/0/001", "tile/entries/001", "tile/1/000.p/2", "tile/0/002.p/188", "tile/entries/002.p/188"]
    {
        let named = || {
            let report = verify(&files, Some(&source));
            assert_eq!(report.findings[0].place, path, "{:?}", report.findings);
            assert_eq!(report.findings[0].code, "log_damaged");
        };
        with_changed(&files, path, &|bytes| bytes.truncate(bytes.len() - 1), &named);
        with_changed(&files, path, &|bytes| bytes.push(0), &named);
        with_changed(&files, path, &|bytes| bytes.clear(), &named);
        let before = files.read(path, usize::MAX).unwrap();
        files.remove(path).unwrap();
        named();
        files.write(path, &before).unwrap();
    }
    files.remove("checkpoint").unwrap();
    let error = verify_log(&reader(&files), &known(), &Against::default()).unwrap_err();
    assert!(error.to_string().starts_with("checkpoint of the log is damaged: it is missing"), "{error}");
}

#[test]
fn a_history_that_was_rewritten_whole_is_found_by_the_checkpoint_and_by_who_saw_the_old_one() {
    let (files, source, log) = log_of(700, 350);
    let seen = log.last().unwrap();
    source.0.lock().unwrap()[300] = b"another event".to_vec();
    let report = verify(&files, Some(&source));
    assert_eq!((report.findings[0].index, report.findings[0].place.as_str()), (300, "position 301"));
    // All files made anew, from the changed journal, with the real key: nothing in them contradicts itself.
    let (rewritten, other, mut log) = log_of(0, 1);
    *other.0.lock().unwrap() = source.all();
    other.grow(10);
    log.integrate(&other.all(), 1).unwrap();
    assert!(verify(&rewritten, Some(&other)).holds());
    let against = Against { source: None, seen: Some(&seen), threads: None };
    let report = verify_log(&reader(&rewritten), &known(), &against).unwrap();
    assert_eq!(report.findings[0].code, "log_contradicts_seen");
    // A log that is shorter than what was seen.
    let (shorter, _, _) = log_of(600, 600);
    let report = verify_log(&reader(&shorter), &known(), &against).unwrap();
    assert_eq!(report.findings[0].code, "log_shorter_than_seen");
    // The real one continues what was seen.
    let against = Against { source: None, seen: Some(&seen), threads: None };
    assert!(verify_log(&reader(&files), &known(), &against).unwrap().holds());
}

#[test]
fn a_checkpoint_that_was_changed_is_no_checkpoint() {
    let (files, _, _) = log_of(300, 300);
    let bytes = files.read("checkpoint", 10_000).unwrap();
    for place in 0..bytes.len() {
        with_changed(&files, "checkpoint", &|bytes| bytes[place] ^= 1, &|| {
            let verified = verify_log(&reader(&files), &known(), &Against::default());
            assert!(verified.is_err(), "byte {place}: {verified:?}");
        });
    }
}

#[test]
fn a_checkpoint_over_entries_that_are_not_there_keeps_nobody_busy_for_ever() {
    let (files, _, _) = log_of(1_000, 500);
    let said = reader(&files).checkpoint().unwrap().unwrap().checkpoint().clone();
    let absurd = Checkpoint { size: u64::MAX >> 1, ..said };
    let absurd = SignedCheckpoint::sign(absurd, &[key(1)], 1).unwrap();
    files.write("checkpoint", &absurd.to_bytes()).unwrap();
    let report = verify(&files, None);
    assert_eq!(report.findings.len(), 1_000);
    assert!(report.findings_total > 100_000);
}

#[test]
fn a_journal_that_lost_events_is_found() {
    let (files, source, _) = log_of(300, 300);
    source.0.lock().unwrap().truncate(290);
    let report = verify(&files, Some(&source));
    assert_eq!(report.findings[0].code, "log_journal_behind");
    source.grow(30);
    assert_eq!(verify(&files, Some(&source)).not_logged, Some(20));
}

fn proof(count: u64, index: u64) -> (LogProof, Vec<u8>) {
    let (_, source, log) = log_of(count, 8_192);
    let checkpoint = (*log.last().unwrap()).clone();
    let path = inclusion_proof(&mut log.reader().tree(count), index, count).unwrap();
    (LogProof { extra: None, index, path, checkpoint }, source.all().remove(usize::try_from(index).unwrap()))
}

#[test]
fn proof_files_are_in_the_form_of_the_standard_and_verify_offline() {
    let (mut proof, entry) = proof(1_000, 700);
    let lines: Vec<String> = proof.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "c2sp.org/tlog-proof@v1");
    assert_eq!(lines[1], "index 700");
    assert_eq!(lines[12..15], [String::new(), ORIGIN.to_owned(), "1000".to_owned()]);
    assert!(lines[17].starts_with("— customs.example/log "));
    proof.extra = Some(b"for whom it may concern".to_vec());
    let read = LogProof::parse(proof.to_string().as_bytes()).unwrap();
    assert_eq!(read, proof);
    read.verify(&entry, &known()).unwrap();
    assert_eq!(read.verify(b"another entry", &known()).unwrap_err().code(), "log_not_proven");
    assert_eq!(read.verify(&entry, &[key(2).verifier().clone()]).unwrap_err().code(), "log_unsigned");
    // With a policy: the log's signature alone, then a witness's too.
    let witness = witness_key("witness.example/w", 7);
    let policy = format!("log {}\nwitness W {}\nquorum W\n", key(1).verifier(), witness.verifier());
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    assert_eq!(read.verify_by_policy(&entry, &policy).unwrap_err().code(), "log_no_quorum");
    let line = witness.sign(proof.checkpoint.note().text(), 1_800_000_000);
    proof.checkpoint.add_cosignatures(&[line], &[witness.verifier().clone()]);
    let read = LogProof::parse(proof.to_string().as_bytes()).unwrap();
    let verdict = read.verify_by_policy(&entry, &policy).unwrap();
    assert_eq!(verdict.witnesses, [("W".to_owned(), 1_800_000_000)]);
}

#[test]
fn malformed_proof_files_say_where() {
    let (proof, _) = proof(10, 3);
    let text = proof.to_string();
    let check = |from: &str, to: &str, place: &str| {
        let error = LogProof::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(place), "{from:?} -> {to:?}: {error}");
    };
    check("@v1", "@v2", "line 1 of a proof file");
    check("index 3", "index 03", "index line of a proof file");
    check("index 3", "extra x", "extra line of a proof file");
    check("index 3", "extra AAAA\nindex x", "index line of a proof file");
    check("index 3\n", "index 3\nAAAA\n", "hash 1 of a proof file");
    check("\n10\n", "\n010\n", "line 2 of a checkpoint");
    let many = format!("index 3\n{}", format!("{}\n", proof.path[0]).repeat(64));
    check("index 3\n", &many, "hashes of a proof: found 65, at most 64");
    assert!(LogProof::parse(b"").is_err());
    assert_eq!(LogProof::parse(&vec![b'x'; 300_000]).unwrap_err().code(), "log_too_large");
}

#[test]
fn a_proof_with_any_byte_changed_proves_nothing() {
    let (proof, entry) = proof(300, 200);
    let bytes = proof.to_string().into_bytes();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let verified = LogProof::parse(&changed).and_then(|proof| proof.verify(&entry, &known()));
        assert!(verified.is_err(), "byte {place}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_proof_from_the_tiles_verifies(count in 1_u64..1_500, step in 1_usize..600, at in any::<prop::sample::Index>()) {
        let (_, source, log) = log_of(count, step);
        let checkpoint = (*log.last().unwrap()).clone();
        let place = at.index(usize::try_from(count).unwrap());
        let index = u64::try_from(place).unwrap();
        let path = inclusion_proof(&mut log.reader().tree(count), index, count).unwrap();
        let entry = log.reader().entry(index, count).unwrap();
        prop_assert_eq!(&entry, &source.all()[place]);
        let proof = LogProof { extra: None, index, path, checkpoint };
        prop_assert!(proof.verify(&entry, &known()).is_ok());
    }
}
