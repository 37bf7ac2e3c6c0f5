//! Whatever strangers send is understood or refused with a place, never a panic; what is understood prints the same.

use journal::log::keys::KeyChange;
use journal::log::note::NoteSignature;
use journal::log::tiles::{TilePath, split_bundle};
use journal::log::tree::inclusion_proof;
use journal::log::witness::{AddCheckpoint, SplitView, WitnessAnswer};
use journal::log::{Checkpoint, LogError, LogProof, Note, Policy, SignedCheckpoint, SigningKey, VerifierKey};
use proptest::prelude::*;

use super::support::{key, log_of, witness_key};

/// One good example of everything that is read, to begin from.
fn examples() -> Vec<Vec<u8>> {
    let (_, _, log) = log_of(300, 150);
    let checkpoint = (*log.last().unwrap()).clone();
    let path = inclusion_proof(&mut log.reader().tree(300), 7, 300).unwrap();
    let proof = LogProof { extra: Some(vec![1, 2]), index: 7, path, checkpoint: checkpoint.clone() };
    let other = Checkpoint { root: key_root(), ..checkpoint.checkpoint().clone() };
    let other = SignedCheckpoint::sign(other, &[key(1)], 1).unwrap();
    let witness = witness_key("w.example", 3);
    let (old, new) = (key(1), key(2));
    let change = KeyChange { old: old.verifier().clone(), new: new.verifier().clone(), size: 5 };
    let policy =
        format!("log {}\nwitness W {}\ngroup G all W\nquorum G\n", old.verifier(), witness.verifier());
    vec![
        checkpoint.to_bytes(),
        proof.to_string().into_bytes(),
        AddCheckpoint::new(log.reader(), &checkpoint, 150).unwrap().to_bytes(),
        SplitView::between(&checkpoint, &other, &[old.verifier().clone()]).unwrap().to_string().into_bytes(),
        change.sign(&old, &new).unwrap().to_string().into_bytes(),
        policy.into_bytes(),
        witness.sign("text\n", 9).to_string().into_bytes(),
        old.verifier().to_string().into_bytes(),
        old.to_private_text().as_bytes().to_vec(),
        b"tile/0/x001/234.p/5".to_vec(),
        vec![0, 3, 1, 2, 3, 0, 0],
    ]
}

fn key_root() -> journal::log::tree::TreeHash {
    journal::log::tree::leaf_hash(b"another history")
}

/// Reads the bytes as everything; what is understood must print the same.
fn read_as_everything(bytes: &[u8]) -> Result<(), TestCaseError> {
    let known = [key(1).verifier().clone()];
    let text = String::from_utf8_lossy(bytes);
    let refusals: Vec<LogError> = [
        Note::parse(bytes).map(|read| Some(read.to_string())),
        SignedCheckpoint::parse(bytes).map(|read| Some(String::from_utf8(read.to_bytes()).unwrap())),
        LogProof::parse(bytes).map(|read| Some(read.to_string())),
        AddCheckpoint::parse(bytes).map(|read| Some(String::from_utf8(read.to_bytes()).unwrap())),
        SplitView::parse(bytes, &known).map(|read| Some(read.to_string())),
        KeyChange::parse(bytes).map(|_| None),
        Policy::parse(bytes).map(|_| None),
        NoteSignature::parse_lines(bytes).map(|read| Some(read.iter().map(ToString::to_string).collect())),
        Checkpoint::parse(&text).map(|read| Some(read.to_string())),
        VerifierKey::parse(&text).map(|read| Some(read.to_string())),
        SigningKey::parse(&text).map(|read| Some(read.to_private_text().to_string())),
        text.parse::<TilePath>().map(|read| Some(read.to_string())),
    ]
    .into_iter()
    .filter_map(|read| match read {
        Ok(Some(printed)) => {
            assert_eq!(printed, text);
            None
        }
        Ok(None) => None,
        Err(error) => Some(error),
    })
    .collect();
    prop_assert!(refusals.iter().all(|error| error.to_string().len() < 2_000 && error.code().contains('_')));
    if let Some(entries) = split_bundle(bytes, 2) {
        prop_assert_eq!(entries.iter().map(|entry| entry.len() + 2).sum::<usize>(), bytes.len());
    }
    let checkpoint = SignedCheckpoint::parse(&examples_checkpoint())?;
    for status in [200, 404, 409] {
        let _ = WitnessAnswer::read(status, bytes, &checkpoint, &known);
    }
    Ok(())
}

fn examples_checkpoint() -> Vec<u8> {
    let checkpoint = Checkpoint {
        origin: super::support::ORIGIN.to_owned(),
        size: 1,
        root: key_root(),
        extensions: vec![],
    };
    SignedCheckpoint::sign(checkpoint, &[key(1)], 1).unwrap().to_bytes()
}

#[test]
fn the_examples_are_read_as_what_they_are() {
    for example in examples() {
        read_as_everything(&example).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_are_understood_or_refused(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let mut bytes = EXAMPLES.with(|all| which.get(all).clone());
        for (place, byte, kind) in changes {
            let place = place.index(bytes.len().max(1));
            match kind {
                0 if place < bytes.len() => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 if place < bytes.len() => drop(bytes.drain(place..(place + usize::from(byte)).min(bytes.len()))),
                _ => {
                    let copied = bytes[..place].to_vec();
                    bytes.extend(copied);
                }
            }
        }
        read_as_everything(&bytes)?;
    }
}

thread_local! {
    static EXAMPLES: Vec<Vec<u8>> = examples();
}
