//! A witness cosigns what continues, remembers it, and keeps proof of what does not.

use std::sync::Arc;

use journal::log::files::{Faults, FaultyDisk};
use journal::log::witness::{
    AddCheckpoint, Response, SplitView, Verdict, WitnessAnswer, WitnessedLog, ask_witness,
};
use journal::log::{
    Checkpoint, KeyKind, LogError, Policy, SignedCheckpoint, SigningKey, VerifierKey, Witness,
};

use super::support::{ORIGIN, catch_up, disk, key, log_of, reader, witness_key};

const NOW: u64 = 1_800_000_000;

fn witness(files: &Arc<FaultyDisk>) -> Witness {
    let log = WitnessedLog { origin: ORIGIN.to_owned(), keys: vec![key(1).verifier().clone()] };
    let files = files.clone();
    Witness::open(files, witness_key("witness.example/w", 7), vec![log]).unwrap()
}

/// The log's checkpoints at some sizes.
fn checkpoints(sizes: &[u64]) -> (Arc<FaultyDisk>, Vec<Arc<SignedCheckpoint>>) {
    let (files, source, mut log) = log_of(0, 1);
    let signed = sizes
        .iter()
        .map(|size| {
            source.grow(size - log.size());
            catch_up(&mut log, &source, 10_000).unwrap()
        })
        .collect();
    (files, signed)
}

fn status(response: &Response) -> (u16, String) {
    (response.status, String::from_utf8(response.body.clone()).unwrap())
}

#[test]
fn the_protocol_is_answered_line_by_line() {
    let (files, signed) = checkpoints(&[100, 300, 1_000]);
    let log = reader(&files);
    let state = disk();
    let witness = witness(&state);
    let request = |old: u64, which: usize| AddCheckpoint::new(&log, &signed[which], old).unwrap();
    let ask = |request: &AddCheckpoint| witness.add_checkpoint(&request.to_bytes(), NOW);
    let known = [witness.verifier().clone()];

    // First contact, then growth.
    for (old, which) in [(0, 0), (100, 1)] {
        let response = ask(&request(old, which));
        let answer = WitnessAnswer::read(response.status, &response.body, &signed[which], &known).unwrap();
        let WitnessAnswer::Cosigned(cosigned) = answer else { panic!("{answer:?}") };
        let by = cosigned.note().verify(&known).unwrap();
        assert_eq!(by[0].time, Some(NOW));
    }
    // The same again is cosigned again.
    assert_eq!(ask(&request(300, 1)).status, 200);
    // Behind what it knows, ahead of what it knows, and back.
    for stale in [request(0, 2), request(100, 2), request(100, 0), request(0, 0)] {
        let response = ask(&stale);
        assert_eq!(status(&response), (409, "300\n".to_owned()));
        assert_eq!(response.content_type, "text/x.tlog.size");
        let answer = WitnessAnswer::read(409, &response.body, &signed[2], &known).unwrap();
        assert_eq!(answer, WitnessAnswer::StandsAt(300));
    }
    // A proof that is wrong, too long, or missing.
    let good = request(300, 2);
    let mut wrong = good.clone();
    wrong.path.swap(0, 1);
    let missing = AddCheckpoint { path: vec![], ..good.clone() };
    let longer = AddCheckpoint { path: [good.path.clone(), good.path.clone()].concat(), ..good.clone() };
    for request in [&wrong, &missing, &longer] {
        assert_eq!(ask(request).status, 422);
    }
    assert_eq!(ask(&AddCheckpoint { old_size: 1_001, ..good.clone() }).status, 400);
    assert_eq!(ask(&good).status, 200);
    assert_eq!(witness.newest(ORIGIN).unwrap().checkpoint().size, 1_000);
    assert_eq!(witness.evidence().unwrap(), []);
}

#[test]
fn strangers_and_malformed_requests_are_told_so() {
    let (files, signed) = checkpoints(&[100]);
    let log = reader(&files);
    let witness = witness(&disk());
    let good = AddCheckpoint::new(&log, &signed[0], 0).unwrap();
    let check = |body: &[u8], status: u16| {
        let response = witness.add_checkpoint(body, NOW);
        assert_eq!(response.status, status, "{}", String::from_utf8_lossy(body));
    };
    let text = String::from_utf8(good.to_bytes()).unwrap();
    for (from, to) in [
        ("old 0", "old 00"),
        ("old 0", "old"),
        ("old 0", "old -1"),
        ("old 0", "older 0"),
        ("old 0\n", ""),
        ("\n\n", "\n"),
        ("old 0\n", "old 0\nAAAA\n"),
        ("\n100\n", "\n0100\n"),
    ] {
        check(text.replacen(from, to, 1).as_bytes(), 400);
    }
    let hash = format!("{}\n", journal::log::tree::TreeHash::of_empty_tree());
    check(text.replacen("old 0\n", &format!("old 0\n{}", hash.repeat(64)), 1).as_bytes(), 400);
    check(text.replacen("old 0\n", &format!("old 0\n{hash}"), 1).as_bytes(), 422);
    check(&vec![b'x'; 200_000], 400);
    check(b"", 400);
    let sign = |origin: &str, key: &SigningKey| {
        let checkpoint = Checkpoint { origin: origin.to_owned(), ..signed[0].checkpoint().clone() };
        let checkpoint = SignedCheckpoint::sign(checkpoint, std::slice::from_ref(key), NOW).unwrap();
        AddCheckpoint { checkpoint, ..good.clone() }.to_bytes()
    };
    let foreign = SigningKey::from_seed("other.example", KeyKind::Note, &[1; 32]).unwrap();
    check(&sign("other.example", &foreign), 404);
    check(&sign(ORIGIN, &key(2)), 403);
    check(&sign(ORIGIN, &foreign), 403);
    check(text.replacen("\n100\n", "\n101\n", 1).as_bytes(), 403);
    assert!(witness.newest(ORIGIN).is_none());
    check(text.as_bytes(), 200);
}

#[test]
fn two_histories_are_refused_and_the_proof_of_them_is_kept() {
    let (files, signed) = checkpoints(&[100]);
    let log = reader(&files);
    let state = disk();
    let keys = [key(1).verifier().clone()];
    let first = AddCheckpoint::new(&log, &signed[0], 0).unwrap();
    let other_root = journal::log::tree::leaf_hash(b"another history");
    let other = Checkpoint { root: other_root, ..signed[0].checkpoint().clone() };
    let other = SignedCheckpoint::sign(other, &[key(1)], NOW).unwrap();
    {
        let witness = witness(&state);
        assert_eq!(witness.add_checkpoint(&first.to_bytes(), NOW).status, 200);
        for old_size in [0, 100, 100] {
            let split = AddCheckpoint { old_size, path: vec![], checkpoint: other.clone() };
            let response = witness.add_checkpoint(&split.to_bytes(), NOW);
            assert_eq!(status(&response), (409, "100\n".to_owned()));
        }
    }
    // After a restart the evidence is there, once, and convinces whoever knows the key.
    let evidence = witness(&state).evidence().unwrap();
    assert_eq!(evidence.len(), 1);
    let exported = evidence[0].to_string();
    let read = SplitView::parse(exported.as_bytes(), &keys).unwrap();
    assert_eq!(read.second().checkpoint().root, other_root);
    assert_eq!(read, evidence[0]);
    // It accuses nobody else, and two checkpoints that agree are no evidence.
    assert!(SplitView::parse(exported.as_bytes(), &[key(2).verifier().clone()]).is_err());
    assert!(SplitView::between(&other, &other, &keys).is_none());
    assert!(SplitView::parse(exported.replace("first ", "first 9").as_bytes(), &keys).is_err());
}

#[test]
fn a_clock_that_was_set_back_does_not_take_a_statement_back() {
    let (files, signed) = checkpoints(&[100, 200]);
    let log = reader(&files);
    let witness = witness(&disk());
    let time = |old, which: usize, now| {
        let request = AddCheckpoint::new(&log, &signed[which], old).unwrap();
        let response = witness.add_checkpoint(&request.to_bytes(), now);
        assert_eq!(response.status, 200);
        witness.newest(ORIGIN).unwrap().note().verify(&[witness.verifier().clone()]).unwrap()[0].time
    };
    assert_eq!(time(0, 0, NOW), Some(NOW));
    assert_eq!(time(100, 1, NOW - 1_000), Some(NOW));
    assert_eq!(time(200, 1, NOW + 5), Some(NOW + 5));
}

/// The race that the standard describes: of two requests from the same size one must lose.
#[test]
fn of_requests_that_race_from_one_size_only_one_is_cosigned() {
    let (files, signed) = checkpoints(&[10, 20, 30, 40, 50, 60, 70, 80]);
    let log = reader(&files);
    let witness = witness(&disk());
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = signed
            .iter()
            .map(|checkpoint| {
                let body = AddCheckpoint::new(&log, checkpoint, 0).unwrap().to_bytes();
                let witness = &witness;
                scope.spawn(move || witness.add_checkpoint(&body, NOW).status)
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 409).count(), 7, "{answers:?}");
}

/// Whatever the disk does, a witness that once answered never goes back behind that answer.
#[test]
fn a_witness_never_goes_back_whenever_its_machine_dies() {
    let sizes: Vec<u64> = (1..=12).map(|step| step * 37).collect();
    let (files, signed) = checkpoints(&sizes);
    let log = reader(&files);
    for seed in 0..200 {
        let faults = |round: u64| Faults { dies_at: Some(seed % 23 + round * 3 + 1), ..Faults::default() };
        let state = Arc::new(FaultyDisk::new(seed, Faults::default()));
        let mut answered = 0;
        for round in 0..6 {
            state.restart_after_power_loss(Faults::default());
            let witness = witness(&state);
            let known = witness.newest(ORIGIN).map_or(0, |newest| newest.checkpoint().size);
            assert!(known >= answered, "seed {seed}: went back from {answered} to {known}");
            state.restart_after_kill(faults(round));
            let mut old = known;
            for checkpoint in signed.iter().filter(|next| next.checkpoint().size > known) {
                let request = AddCheckpoint::new(&log, checkpoint, old).unwrap();
                match witness.add_checkpoint(&request.to_bytes(), NOW).status {
                    200 => {
                        old = checkpoint.checkpoint().size;
                        answered = old;
                    }
                    500 => break,
                    status => panic!("seed {seed}: {status}"),
                }
            }
        }
    }
}

/// Killed after the new name stood and before its folder was flushed: the next life sees it, tells it, and must not
/// lose it with the power.
#[test]
fn what_a_witness_tells_after_a_kill_is_not_taken_back_by_a_loss_of_power() {
    let (files, signed) = checkpoints(&[100, 200]);
    let log = reader(&files);
    let mut told_more = 0;
    for dies_at in 1..20 {
        for seed in 0..10 {
            let state = Arc::new(FaultyDisk::new(seed, Faults::default()));
            let first = AddCheckpoint::new(&log, &signed[0], 0).unwrap();
            let asked = witness(&state);
            assert_eq!(asked.add_checkpoint(&first.to_bytes(), NOW).status, 200);
            state.restart_after_kill(Faults { dies_at: Some(dies_at), ..Faults::default() });
            let second = AddCheckpoint::new(&log, &signed[1], 100).unwrap();
            let answered = asked.add_checkpoint(&second.to_bytes(), NOW).status == 200;
            state.restart_after_kill(Faults::default());
            let told = witness(&state).newest(ORIGIN).unwrap().checkpoint().size;
            told_more += u32::from(told == 200 && !answered);
            state.restart_after_power_loss(Faults::default());
            let after = witness(&state).newest(ORIGIN).unwrap().checkpoint().size;
            assert!(after >= told, "operation {dies_at}, seed {seed}: back from {told} to {after}");
        }
    }
    assert!(told_more > 0, "no kill fell between a name and its flush");
}

/// A network that loses requests and answers, repeats requests and brings old ones late, between a log and a witness
/// whose machine dies now and then: the witness never goes back, and once all is well the newest is cosigned.
#[test]
fn over_a_bad_network_a_witness_never_goes_back_and_ends_at_the_newest() {
    let sizes: Vec<u64> = (1..=15).map(|step| step * 29).collect();
    let (files, signed) = checkpoints(&sizes);
    let log = reader(&files);
    let known = witness(&disk()).verifier().clone();
    for seed in 0..60_u64 {
        let state = Arc::new(FaultyDisk::new(seed, Faults::default()));
        let mut asked = witness(&state);
        let mut dice = seed;
        let mut roll = move |of: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % of
        };
        let mut late: Vec<Vec<u8>> = Vec::new();
        let (mut cosigned, mut known_size) = (0, 0);
        for checkpoint in &signed {
            if roll(4) == 0 {
                state.restart_after_power_loss(Faults::default());
                asked = witness(&state);
                state.restart_after_kill(Faults { dies_at: Some(roll(30) + 1), ..Faults::default() });
            }
            let mut carry = |body: &[u8]| {
                late.push(body.to_vec());
                if roll(3) == 0 {
                    let old =
                        late[usize::try_from(roll(u64::try_from(late.len()).unwrap())).unwrap()].clone();
                    let _ = asked.add_checkpoint(&old, NOW);
                }
                let lost = || LogError::Stopped { reason: "the network is down".to_owned() };
                if roll(4) == 0 {
                    return Err(lost());
                }
                let answer = asked.add_checkpoint(body, NOW);
                if roll(4) == 0 { Err(lost()) } else { Ok((answer.status, answer.body)) }
            };
            if let Ok(WitnessAnswer::Cosigned(with)) =
                ask_witness(&log, checkpoint, &known, known_size, &mut carry)
            {
                assert!(with.checkpoint().size >= cosigned, "seed {seed}");
                cosigned = with.checkpoint().size;
                known_size = cosigned;
            }
            let newest = asked.newest(ORIGIN).map_or(0, |newest| newest.checkpoint().size);
            assert!(newest >= cosigned, "seed {seed}: {newest} after {cosigned}");
        }
        state.restart_after_power_loss(Faults::default());
        asked = witness(&state);
        let newest = asked.newest(ORIGIN).map_or(0, |newest| newest.checkpoint().size);
        assert!(newest >= cosigned, "seed {seed}: {newest} after {cosigned}");
        let mut carry = |body: &[u8]| {
            let answer = asked.add_checkpoint(body, NOW);
            Ok((answer.status, answer.body))
        };
        let last = signed.last().unwrap();
        let answer = ask_witness(&log, last, &known, known_size, &mut carry).unwrap();
        assert!(matches!(answer, WitnessAnswer::Cosigned(_)), "seed {seed}: {answer:?}");
    }
}

#[test]
fn a_state_that_decayed_is_not_gone_on_from() {
    let (files, signed) = checkpoints(&[100]);
    let state = disk();
    let request = AddCheckpoint::new(&reader(&files), &signed[0], 0).unwrap();
    assert_eq!(witness(&state).add_checkpoint(&request.to_bytes(), NOW).status, 200);
    for _ in 0..30 {
        assert!(state.rot(&|path| path.starts_with("logs/")).is_some());
        let log = WitnessedLog { origin: ORIGIN.to_owned(), keys: vec![key(1).verifier().clone()] };
        let files = state.clone();
        let opened = Witness::open(files, witness_key("witness.example/w", 7), vec![log]);
        // Flips may undo each other, and one in the log's own signature leaves ours valid.
        if let Ok(witness) = opened {
            assert_eq!(witness.newest(ORIGIN).unwrap().checkpoint(), signed[0].checkpoint());
        }
    }
}

fn cosigned(by: &[&SigningKey]) -> SignedCheckpoint {
    let (_, signed) = checkpoints(&[5]);
    let mut checkpoint = (*signed[0]).clone();
    let lines: Vec<_> = by.iter().map(|key| key.sign(checkpoint.note().text(), NOW)).collect();
    let known: Vec<VerifierKey> = by.iter().map(|key| key.verifier().clone()).collect();
    assert_eq!(checkpoint.add_cosignatures(&lines, &known), by.len());
    checkpoint
}

#[test]
fn policies_ask_for_the_witnesses_they_name() {
    let keys: Vec<_> = (1..=5).map(|n| witness_key(&format!("w{n}.example"), 100 + n)).collect();
    let log = key(1).verifier().to_string();
    let lines: String =
        (1..).zip(&keys).map(|(n, key)| format!("witness W{n} {} \n", key.verifier())).collect();
    let check = |rest: &str, by: &[usize], expected: Result<&[&str], &str>| {
        let policy = Policy::parse(format!("# a policy\n\nlog {log}\n{lines}{rest}").as_bytes()).unwrap();
        let by: Vec<_> = by.iter().map(|number| &keys[number - 1]).collect();
        let verdict = policy.check(&cosigned(&by), &[]);
        let found =
            verdict.map(|Verdict { witnesses, .. }| witnesses.into_iter().map(|(name, _)| name).collect());
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(found.map_err(|error: LogError| error.code()), expected);
        // What prints reads as the same policy.
        assert_eq!(Policy::parse(policy.to_string().as_bytes()).unwrap(), policy);
    };
    check("quorum none", &[], Ok(&[]));
    check("quorum none\n", &[2], Ok(&["W2"]));
    check("quorum W1\n", &[1], Ok(&["W1"]));
    check("quorum W1\n", &[2], Err("log_no_quorum"));
    check("group G any W1 W2\nquorum G\n", &[2], Ok(&["W2"]));
    check("group G all W1 W2\nquorum G\n", &[2], Err("log_no_quorum"));
    let nested = "group A 2 W1 W2 W3\n\tgroup B any W4 W5\ngroup both all A B\nquorum both\n";
    check(nested, &[1, 3, 5], Ok(&["W1", "W3", "W5"]));
    check(nested, &[1, 2, 3], Err("log_no_quorum"));
    check(nested, &[1, 4, 5], Err("log_no_quorum"));
}

#[test]
fn malformed_policies_name_the_line() {
    let one = witness_key("w1.example", 101).verifier().to_string();
    let same_key = witness_key("other.example", 101).verifier().to_string();
    let log = key(1).verifier().to_string();
    let check = |text: String, place: &str| {
        let error = Policy::parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(place), "{text}: {error}");
    };
    check(String::new(), "policy file: found \"no quorum line\"");
    check("quorum none\nquorum none\n".into(), "line 2");
    check("quorum W\n".into(), "line 1");
    check(format!("quorum W\nwitness W {one}\n"), "line 1");
    check(format!("witness W {one}\nwitness W {log}\nquorum W\n"), "line 2");
    check(format!("witness W {one}\nwitness V {same_key}\nquorum W\n"), "line 2");
    check(format!("log {one}\nquorum none\n"), "line 1");
    check(format!("log {log}\nlog {log} https://log.example\nquorum none\n"), "line 2");
    check(format!("witness none {one}\nquorum none\n"), "line 1");
    for group in ["G 1", "G 0 W", "G 2 W", "G all", "G any V", "G all W W", "W all W", "G some W", "G 01 W"] {
        check(format!("witness W {one}\ngroup {group}\nquorum W\n"), "line 2");
    }
    check(format!("witness W {one}\ngroup G any W\ngroup H any W\nquorum H\n"), "line 3");
    check("quorum\u{7} none\n".into(), "line 1");
    check("witnes W x\nquorum none\n".into(), "line 1");
}
