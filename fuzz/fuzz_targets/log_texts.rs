//! Any bytes as what other logs, witnesses and partners send: refused with a reason, or it prints as it was read.
#![no_main]

use journal::log::keys::KeyChange;
use journal::log::note::NoteSignature;
use journal::log::tiles::{Published, split_bundle};
use journal::log::witness::AddCheckpoint;
use journal::log::{Checkpoint, LogError, LogProof, Note, Policy, SigningKey, VerifierKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let prints_as_read = |read: Result<String, LogError>| match read {
        Ok(printed) => assert_eq!(printed, text),
        Err(error) => assert!(!error.code().is_empty() && error.to_string().len() < 2_000),
    };
    prints_as_read(Note::parse(bytes).map(|read| read.to_string()));
    prints_as_read(LogProof::parse(bytes).map(|read| read.to_string()));
    prints_as_read(
        AddCheckpoint::parse(bytes).map(|read| String::from_utf8_lossy(&read.to_bytes()).into_owned()),
    );
    prints_as_read(
        NoteSignature::parse_lines(bytes).map(|read| read.iter().map(ToString::to_string).collect()),
    );
    prints_as_read(Checkpoint::parse(&text).map(|read| read.to_string()));
    prints_as_read(VerifierKey::parse(&text).map(|read| read.to_string()));
    prints_as_read(SigningKey::parse(&text).map(|read| read.to_private_text().to_string()));
    prints_as_read(text.parse::<Published>().map(|read| read.to_string()));
    let _ = KeyChange::parse(bytes);
    if let Ok(policy) = Policy::parse(bytes) {
        assert_eq!(Policy::parse(policy.to_string().as_bytes()).as_ref(), Ok(&policy));
    }
    for count in [0, 1, 256] {
        let _ = split_bundle(bytes, count);
    }
});
