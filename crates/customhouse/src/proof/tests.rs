//! Proofs as strangers check them, and what tampering leads to.

use std::fs;
use std::time::Duration;

use serde_json::json;
use spine::Silent;

use super::*;
use crate::declarations::tests::{World, declaration, impossible, reader, trader};
use crate::folder::Location;
use crate::identity::{Reader, Role};

fn logged(world: &World) {
    let head = world.house.journal_position();
    assert!(world.house.proofs.writer.wait_until_logged(head, Duration::from_secs(30)) >= head);
}

fn keys(world: &World) -> Vec<String> {
    world.house.log_standing().keys
}

#[test]
fn a_trader_proves_to_a_stranger_what_it_lodged_and_that_it_was_released() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&declaration("LRN-1")).unwrap().mrn;
    for what in OwnProof::ALL {
        let file = world.house.own_proof(&trader(), &mrn, what).unwrap();
        assert!(file.starts_with("c2sp.org/tlog-proof@v1\n"), "{file}");
        let verdict = verify_proof(file.as_bytes(), &keys(&world), None).unwrap();
        assert_eq!((verdict.kind.as_str(), verdict.stream), (what.kind(), format!("declaration/{mrn}")));
        let payload = verdict.payload.unwrap();
        if what == OwnProof::Receipt {
            assert_eq!(payload["functional_reference_id"], json!("LRN-1"));
        }
        let standing = |leaf: &str| world.house.proof_standing(verdict.index, leaf).unwrap();
        assert_eq!(standing(&verdict.leaf), ProofStanding::Stands);
        assert_eq!(standing(""), ProofStanding::Unknown, "who has no proof learns nothing");
        // One changed character, wherever it stands, proves nothing any more.
        for at in (0..file.len()).step_by(97) {
            let mut bytes = file.clone().into_bytes();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let again = verify_proof(&bytes, &keys(&world), None);
            assert!(again.is_err() || bytes == file.as_bytes(), "changed at {at}: {again:?}");
        }
        let others = World::with_policies(false);
        assert!(verify_proof(file.as_bytes(), &keys(&others), None).is_err(), "another log's key");
    }
    let somebody = Reader::new("t-2", Role::Trader).of_party(Some("FR0002"));
    assert_eq!(world.house.own_proof(&somebody, &mrn, OwnProof::Receipt).unwrap_err().kind, Kind::NotFound);
    let red = world.lodge(&impossible("RED")).unwrap().mrn;
    let none = world.house.own_proof(&trader(), &red, OwnProof::Release).unwrap_err();
    assert_eq!(none.code, "nothing_to_prove");
}

#[test]
fn tiles_are_for_those_who_see_the_journal_and_the_checkpoint_for_everybody() {
    let world = World::with_policies(false);
    world.lodge(&declaration("LRN-1")).unwrap();
    logged(&world);
    let checkpoint = String::from_utf8(world.house.log_file(None, "checkpoint").unwrap().0).unwrap();
    let size = world.house.journal_position();
    assert!(checkpoint.contains(&format!("\n{size}\n")), "{checkpoint}");
    let tile = format!("tile/entries/000.p/{size}");
    for (reader, may) in [(None, false), (Some(trader()), false), (Some(reader("a", Role::Auditor)), true)] {
        assert_eq!(world.house.log_file(reader.as_ref(), &tile).is_ok(), may, "{reader:?}");
    }
    for path in ["../keys/log.key", "keys/../../keys/log.key", "tile/../../journal.sqlite", "/etc/passwd", ""]
    {
        let refused = world.house.log_file(Some(&reader("a", Role::Auditor)), path);
        assert!(refused.is_err(), "{path}");
    }
}

/// The folder of a house with some declarations, closed; then something is done to it, and it is verified.
fn after(meanwhile: impl FnOnce(&Path)) -> VerifiedFolder {
    let world = World::with_policies(false);
    for number in 0..20 {
        world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
    }
    logged(&world);
    let trusted = keys(&world);
    let mut verified = None;
    let look = |data: &Path| {
        meanwhile(data);
        verified = Some(verify_at(&Location::from(data), &trusted, &Silent));
    };
    world.closed_for_good(look);
    verified.unwrap().unwrap_or_else(|error| panic!("{error}"))
}

fn sql(data: &Path, statements: &str) {
    let connection = rusqlite::Connection::open(data.join("journal.sqlite")).unwrap();
    connection.execute_batch(statements).unwrap();
}

#[test]
fn a_folder_that_nobody_touched_holds_and_one_that_was_altered_says_where() {
    let whole = after(|_| ());
    assert!(whole.holds() && whole.journal_compared, "{whole:?}");
    assert!(whole.payloads_checked > 100 && whole.not_logged == 0, "{whole:?}");
    // The database's own guards do not stop somebody who owns the file; the log does.
    let payload = after(|data| {
        sql(
            data,
            "DROP TRIGGER payload_no_UPDATE; UPDATE payload SET salted = CAST(salted || x'20' AS BLOB) WHERE position = 40;",
        );
    });
    assert!(payload.findings[0].0.contains("40"), "{payload:?}");
    let envelope = after(|data| {
        sql(
            data,
            "DROP TRIGGER event_no_UPDATE; UPDATE event SET envelope = CAST(replace(CAST(envelope AS TEXT), 'local', 'lokal') AS BLOB) WHERE position = 41;",
        );
    });
    assert!(
        !envelope.holds() && envelope.findings.iter().any(|own| own.0.contains("41") || own.1.contains("41")),
        "{envelope:?}"
    );
    let entries = after(|data| {
        let folder = data.join("log/tile/entries/000.p");
        let tile = fs::read_dir(&folder).map_or_else(
            |_| data.join("log/tile/entries/000"),
            |mut files| files.next().unwrap().unwrap().path(),
        );
        let mut bytes = fs::read(&tile).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&tile, bytes).unwrap();
    });
    assert!(entries.findings.iter().any(|own| own.0.contains("tile/entries/000")), "{entries:?}");
}

#[test]
fn two_houses_cosign_each_others_logs_and_proofs_rest_on_it() {
    let ours = World::with_policies(false);
    let key = keys(&ours).remove(0);
    let theirs = World::with_policies(false).closed(|data| {
        fs::write(data.join(POLICY_FILE), format!("log {key}\nquorum none\n")).unwrap();
    });
    let witness = theirs.house.log_standing().witness_key.unwrap();
    let policy = format!("witness theirs {witness} http://127.0.0.1:1/witness\nquorum theirs\n");
    let ours = ours.closed(|data| fs::write(data.join(POLICY_FILE), &policy).unwrap());
    let mrn = ours.lodge(&declaration("LRN-1")).unwrap().mrn;
    logged(&ours);
    let mut carry = |url: &str, body: &[u8]| {
        assert_eq!(url, "http://127.0.0.1:1/witness/add-checkpoint");
        let answer = theirs.house.add_checkpoint(body);
        Ok((answer.status, answer.body))
    };
    assert_eq!(ours.house.ask_witnesses(&mut carry).unwrap(), Some(1));
    assert_eq!(ours.house.log_standing().witnessed_size, Some(ours.house.log_standing().size));
    let file = ours.house.own_proof(&trader(), &mrn, OwnProof::Receipt).unwrap();
    let whole = format!("log {key}\n{policy}");
    let verdict = verify_proof(file.as_bytes(), &[], Some(whole.as_bytes())).unwrap();
    assert!(verdict.signed_by.contains(&"theirs".to_owned()), "{:?}", verdict.signed_by);
    // Without its cosignature the quorum is not met.
    let alone: String =
        file.lines().filter(|line| !line.contains("/witness ")).map(|line| format!("{line}\n")).collect();
    assert!(verify_proof(alone.as_bytes(), &[], Some(whole.as_bytes())).is_err());
    assert_eq!(theirs.house.add_checkpoint(b"nonsense").status, 400);
    assert_eq!(ours.house.add_checkpoint(b"nonsense").status, 404, "we witness nobody");
}

#[test]
fn after_a_change_of_keys_old_proofs_hold_and_who_trusts_the_old_key_follows_to_the_new_one() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&declaration("LRN-1")).unwrap().mrn;
    let before = world.house.own_proof(&trader(), &mrn, OwnProof::Receipt).unwrap();
    let [old] = keys(&world).try_into().unwrap();
    let mut changed = None;
    let world = world.replaced(|house| {
        changed = Some(house.change_log_key(&reader("admin", Role::Admin)).unwrap());
    });
    let changed = changed.unwrap();
    assert_eq!(changed.old_key, old);
    assert_ne!(changed.new_key, old);
    let known = keys(&world);
    assert!(known.len() == 2 && known.contains(&old) && known.contains(&changed.new_key), "{known:?}");
    let second = world.lodge(&declaration("LRN-2")).unwrap().mrn;
    logged(&world);
    let after = world.house.own_proof(&trader(), &second, OwnProof::Receipt).unwrap();
    assert!(verify_proof(before.as_bytes(), std::slice::from_ref(&old), None).is_ok());
    assert!(verify_proof(after.as_bytes(), std::slice::from_ref(&changed.new_key), None).is_ok());
    assert!(
        verify_proof(after.as_bytes(), std::slice::from_ref(&old), None).is_err(),
        "it signs nothing more"
    );
    world.closed_for_good(|data| {
        let verified = verify_at(&Location::from(data), &[old], &Silent).unwrap();
        assert!(verified.holds() && verified.signed_by == [changed.new_key.clone()], "{verified:?}");
    });
}

#[test]
fn a_folder_is_verified_with_its_journal_while_declarations_come_in() {
    let world = World::with_policies(false);
    logged(&world);
    let trusted = keys(&world);
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut compared = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..60 {
                world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        while !done.load(std::sync::atomic::Ordering::SeqCst) || compared < 3 {
            let verified =
                verify_at(&Location::from(world.path().join("data").as_path()), &trusted, &Silent).unwrap();
            assert!(verified.holds() && verified.journal_compared, "{verified:?}");
            compared += 1;
        }
    });
    logged(&world);
    let verified =
        verify_at(&Location::from(world.path().join("data").as_path()), &trusted, &Silent).unwrap();
    assert_eq!((verified.size, verified.not_logged), (world.house.journal_position(), 0));
}

#[test]
fn one_event_is_verified_and_one_that_was_altered_does_not_hold() {
    let world = World::with_policies(false);
    world.lodge(&declaration("LRN-1")).unwrap();
    logged(&world);
    let head = world.house.journal_position();
    let trusted = keys(&world);
    let at = Location::from(world.path().join("data").as_path());
    for position in 1..=head {
        let verified = verify_event(&at, position, &trusted).unwrap();
        assert!(verified.holds() && !verified.payload_erased && verified.size == head, "{verified:?}");
    }
    for position in [0, head + 1] {
        assert_eq!(verify_event(&at, position, &trusted).unwrap_err().code, "no_such_position");
    }
    let other = keys(&World::with_policies(false));
    assert_eq!(verify_event(&at, head, &other).unwrap_err().code, "log_unsigned");
    world.closed_for_good(|data| {
        let at = Location::from(data);
        sql(
            data,
            "DROP TRIGGER event_no_UPDATE; UPDATE event SET envelope = CAST(replace(CAST(envelope AS TEXT), 'local', 'lokal') AS BLOB) WHERE position = 2;
             DROP TRIGGER payload_no_UPDATE; UPDATE payload SET salted = CAST(salted || x'20' AS BLOB) WHERE position = 3;",
        );
        let places = |position| -> Vec<String> {
            let verified = verify_event(&at, position, &trusted).unwrap();
            verified.findings.into_iter().map(|(place, _)| place).collect()
        };
        assert_eq!((places(1), places(2)), (vec![], vec!["checkpoint".to_owned()]));
        assert_eq!((places(3), places(4)), (vec!["payload".to_owned()], vec![]));
    });
}

#[test]
fn the_log_is_padded_from_the_next_start_on() {
    let world = World::with_policies(false);
    let admin = reader("admin", Role::Admin);
    for wrong in [0, 1_025] {
        assert_eq!(world.house.pad_log(&admin, wrong).unwrap_err().code, "padding_out_of_range");
    }
    assert!(world.house.pad_log(&reader("a", Role::Auditor), 16).is_err());
    world.house.pad_log(&admin, 16).unwrap();
    logged(&world);
    let before = world.house.journal_position();
    assert_eq!(world.house.log_standing().pad_to, 1);
    let world = world.reopened();
    assert_eq!(world.house.log_standing().pad_to, 16);
    for number in 0..5 {
        let mrn = world.lodge(&declaration(&format!("LRN-{number}"))).unwrap().mrn;
        assert!(world.case(&mrn).selection.is_some(), "what says nothing keeps nobody from deciding");
        logged(&world);
        let size = world.house.log_standing().size;
        assert!(size > before && size.is_multiple_of(16), "{size}");
    }
    let trusted = keys(&world);
    world.closed_for_good(|data| {
        assert!(verify_at(&Location::from(data), &trusted, &Silent).unwrap().holds())
    });
}
