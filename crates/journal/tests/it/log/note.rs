//! Notes, keys and checkpoints are those that other programs print and read.

use journal::log::note::{
    CHECKPOINT_EXTENSIONS_MAX, Checkpoint, KeyKind, Note, NoteSignature, SignedCheckpoint, SigningKey,
    VerifierKey,
};
use journal::log::tree::TreeHash;
use proptest::prelude::*;

use super::support::{ORIGIN, key, witness_key};

/// The example in the documentation of Go's `sumdb/note`.
const GO_VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SIGNER: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                       then you don't know what your problem is.\n";
const GO_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn a_note_of_gos_library_is_read_and_written_the_same() {
    let bytes = format!("{GO_TEXT}\n{GO_LINE}");
    let verifier = VerifierKey::parse(GO_VERIFIER).unwrap();
    assert_eq!(verifier.to_string(), GO_VERIFIER);
    let note = Note::parse(bytes.as_bytes()).unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&verifier)).unwrap()[0].key, verifier);
    assert_eq!(note.to_string(), bytes);
    let signer = SigningKey::parse(GO_SIGNER).unwrap();
    assert_eq!(signer.to_private_text().as_str(), GO_SIGNER);
    assert_eq!(*signer.verifier(), verifier);
    let mut ours = Note::new(GO_TEXT.to_owned()).unwrap();
    ours.sign(&signer, 0);
    assert_eq!(ours.to_string(), bytes);
}

#[test]
fn a_private_key_shows_in_no_debug_output_and_no_error() {
    assert_eq!(format!("{:?}", SigningKey::parse(GO_SIGNER).unwrap()), "SigningKey(\"PeterNeumann\", ..)");
    let error = SigningKey::parse(&GO_SIGNER.replace("c74f", "c74e")).unwrap_err();
    assert!(!error.to_string().contains("AYEK"), "{error}");
}

#[test]
fn keys_in_another_form_are_refused() {
    let check = |text: &str| {
        let error = VerifierKey::parse(text).unwrap_err();
        assert_eq!(error.code(), "log_malformed", "{text}");
    };
    check("");
    check("PeterNeumann");
    check("PeterNeumann+c74f20a3");
    check("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    check("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    check("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    check("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T");
    check("PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    check(GO_SIGNER);
    check(&"x".repeat(10_000));
}

#[test]
fn signatures_of_unknown_keys_are_ignored_and_a_wrong_one_of_a_known_key_spoils_the_note() {
    let (log, other, witness) = (key(1), key(2), witness_key("witness.example/w", 3));
    let known = [log.verifier().clone(), witness.verifier().clone()];
    let mut note = Note::new("something\n\nwith an empty line\n".to_owned()).unwrap();
    note.sign(&other, 0);
    assert_eq!(note.verify(&known).unwrap_err().code(), "log_unsigned");
    note.sign(&log, 0);
    note.sign(&witness, 1_800_000_000);
    let read = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(read, note);
    let by = read.verify(&known).unwrap();
    let times: Vec<_> = by.iter().map(|by| (by.key.name(), by.time)).collect();
    assert_eq!(times, [(ORIGIN, None), ("witness.example/w", Some(1_800_000_000))]);
    for spoiled in [log, witness] {
        let mut note = note.clone();
        let mut line = spoiled.sign("another text\n", 1_800_000_000);
        note.add(line.clone());
        assert_eq!(note.verify(&known).unwrap_err().code(), "log_unsigned");
        line.key_id ^= 1;
        note.add(line);
        assert!(Note::parse(note.to_string().as_bytes()).unwrap().verify(&known).is_err());
    }
}

#[test]
fn malformed_notes_say_where() {
    let check = |bytes: &str, place: &str| {
        let error = Note::parse(bytes.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(place), "{bytes:?}: {error}");
    };
    check("", "note: found");
    check("text\n", "note: found");
    check("text\n\n", "note: found");
    check(&format!("te\txt\n\n{GO_LINE}"), "text of a note: found");
    check(&format!("text\n\n{}", GO_LINE.trim_end()), "signature line 1: found");
    check(&format!("text\n\n{GO_LINE}- name AAAA\n"), "signature line 2: found");
    check("text\n\n— name AAAAAAA\n", "signature line 1: found");
    check("text\n\n— na+me AAAAAAAA\n", "signature line 1: found");
    check("text\n\n— name AAAA\n", "signature line 1: found");
    check(&format!("text\n\n{}", GO_LINE.repeat(101)), "signatures of a note: found 101, at most 100");
    check(&format!("{}\n\n{GO_LINE}", "x".repeat(70_000)), "bytes of a signed note: found");
    assert_eq!(NoteSignature::parse_lines(GO_LINE.as_bytes()).unwrap().len(), 1);
}

#[test]
fn checkpoints_are_read_line_by_line() {
    let root = TreeHash::of_empty_tree();
    let check = |text: String, place: &str| {
        let error = Checkpoint::parse(&text).unwrap_err();
        assert!(error.to_string().starts_with(place), "{text:?}: {error}");
    };
    let good = format!("{ORIGIN}\n12\n{root}\nmore\n");
    assert_eq!(Checkpoint::parse(&good).unwrap().to_string(), good);
    check(format!("{ORIGIN}\n12\n{root}"), "end of a checkpoint");
    check(format!("\n12\n{root}\n"), "line 1 of a checkpoint");
    for size in ["", "012", "+12", "-1", "12 ", "0x12", "18446744073709551615", "99999999999999999999"] {
        check(format!("{ORIGIN}\n{size}\n{root}\n"), "line 2 of a checkpoint");
    }
    for hash in ["", "AAAA", &root.to_string()[1..], &format!("{root}=")] {
        check(format!("{ORIGIN}\n12\n{hash}\n"), "line 3 of a checkpoint");
    }
    check(format!("{good}\n"), "extension line of a checkpoint");
    let more = "more\n".repeat(CHECKPOINT_EXTENSIONS_MAX + 1);
    check(format!("{ORIGIN}\n12\n{root}\n{more}"), "extension lines of a checkpoint: found 17");
}

#[test]
fn a_checkpoint_must_be_signed_by_its_own_log() {
    let root = TreeHash::of_empty_tree();
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 0, root, extensions: vec![] };
    let foreign = SigningKey::from_seed("another.example/log", KeyKind::Note, &[9; 32]).unwrap();
    let witness = witness_key(ORIGIN, 1);
    for wrong in [&foreign, &witness] {
        let signed = SignedCheckpoint::sign(checkpoint.clone(), std::slice::from_ref(wrong), 1).unwrap();
        assert_eq!(signed.verify(&[wrong.verifier().clone()]).unwrap_err().code(), "log_unsigned");
    }
    let keys = [key(1), key(1).as_kind(KeyKind::Cosignature)];
    let signed = SignedCheckpoint::sign(checkpoint.clone(), &keys, 1_800_000_000).unwrap();
    let known: Vec<_> = keys.iter().map(|key| key.verifier().clone()).collect();
    assert_eq!(signed.verify(&known).unwrap().len(), 2);
    assert_eq!(SignedCheckpoint::parse(&signed.to_bytes()).unwrap(), signed);
    let evil = Checkpoint { origin: "two\nlines".to_owned(), ..checkpoint };
    assert_eq!(SignedCheckpoint::sign(evil, &keys, 1).unwrap_err().code(), "log_malformed");
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic_and_what_is_read_prints_the_same(
        text in "[ -~\n\u{2014}+]{0,200}",
        tail in "(\n\n\u{2014} a AAAAAAAA\n)?",
    ) {
        let text = format!("{text}{tail}");
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text.clone());
        }
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.to_string(), text.clone());
        }
        if let Ok(key) = VerifierKey::parse(&text) {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}
