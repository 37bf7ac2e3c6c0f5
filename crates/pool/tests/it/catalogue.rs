//! The catalogue holds nothing that the events do not say.

use std::path::Path;

use pool::catalogue::PlacedEvent;
use pool::event::FileReference;
use pool::{BatchState, Catalogue, ContractDeclared, PoolEvent, SourceContract, StoredFile};

use crate::support::{record, save};

fn placed(position: u64, stream_version: u64, event: Option<PoolEvent>) -> PlacedEvent {
    PlacedEvent {
        position,
        stream_version,
        recorded_at: jiff::Timestamp::from_second(1_800_000_000 + i64::try_from(position).unwrap()).unwrap(),
        actor: "o-1".into(),
        event,
    }
}

fn file(letter: &str, rows: u64) -> FileReference {
    FileReference { sha256: letter.repeat(64), bytes: rows * 20, rows }
}

fn history() -> Vec<PlacedEvent> {
    let declared = |change: fn(&mut SourceContract)| {
        let mut contract = SourceContract::declarations();
        change(&mut contract);
        PoolEvent::ContractDeclared(Box::new(ContractDeclared { sha256: contract.sha256(), contract }))
    };
    let mut mend = record("bb02", vec![file("d", 1)]);
    mend.mends = Some("aa01".into());
    let mut admitted = record("aa01", vec![file("a", 2), file("b", 3)]);
    admitted.quarantine = Some(file("c", 4));
    vec![
        placed(1, 1, Some(declared(|_| ()))),
        placed(2, 1, None),
        placed(3, 1, Some(PoolEvent::BatchRefused(Box::new(record("aa01", vec![]))))),
        placed(4, 2, Some(declared(|contract| contract.owner = "someone else".into()))),
        placed(5, 2, Some(PoolEvent::BatchAdmitted(Box::new(admitted)))),
        placed(6, 1, Some(PoolEvent::BatchAdmitted(Box::new(mend)))),
        placed(7, 1, Some(PoolEvent::BatchRefused(Box::new(record("aa99", vec![]))))),
        placed(8, 1, None),
    ]
}

/// Everything the catalogue can answer.
fn answers(catalogue: &Catalogue) -> String {
    let files: Vec<Vec<StoredFile>> =
        ["aa01", "bb02", "aa99"].map(|batch| catalogue.files(batch).unwrap()).to_vec();
    format!(
        "{:#?}",
        (
            catalogue.position().unwrap(),
            catalogue.contracts().unwrap(),
            catalogue.batches(None, None, 100).unwrap(),
            catalogue.mends_of("aa01").unwrap(),
            files,
        )
    )
}

fn open_fed(path: &Path, at_once: usize) -> Catalogue {
    let mut catalogue = Catalogue::open(path).unwrap();
    let position = catalogue.position().unwrap();
    let news: Vec<PlacedEvent> = history().into_iter().filter(|event| event.position > position).collect();
    for events in news.chunks(at_once) {
        catalogue.apply(events).unwrap();
    }
    catalogue
}

#[test]
fn what_is_rebuilt_equals_what_grew_event_by_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalogue.sqlite");
    let grown = answers(&open_fed(&path, 1));
    assert_eq!(answers(&open_fed(&path, 1)), grown, "opened again");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("catalogue.sqlite{end}")));
    }
    assert_eq!(answers(&open_fed(&path, 100)), grown, "deleted and rebuilt");
    save(folder.path(), "catalogue.sqlite", b"not a database at all, but long enough to be looked at");
    assert_eq!(answers(&open_fed(&path, 3)), grown, "damaged and rebuilt");
}

#[test]
fn questions_are_answered_from_the_events() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = open_fed(&folder.path().join("catalogue.sqlite"), 2);
    assert_eq!(catalogue.position().unwrap(), 8);
    let in_force = catalogue.contract("declarations").unwrap().unwrap();
    assert_eq!((in_force.revision, in_force.declared.contract.owner.as_str()), (2, "someone else"));
    let first = SourceContract::declarations();
    assert_eq!(catalogue.contract_with(&first.sha256()).unwrap().unwrap().revision, 1);
    assert_eq!(catalogue.contract("unknown").unwrap(), None);

    let ids = |before, state| -> Vec<String> {
        let batches = catalogue.batches(before, state, 10).unwrap();
        batches.into_iter().map(|batch| batch.record.batch).collect()
    };
    assert_eq!(ids(None, None), ["aa99", "bb02", "aa01"]);
    assert_eq!(ids(Some(6), None), ["aa01"]);
    assert_eq!(ids(None, Some(BatchState::Refused)), ["aa99"]);
    // Sent back first, admitted later: the last word counts.
    let batch = catalogue.batch("aa01").unwrap().unwrap();
    assert_eq!((batch.state, batch.stream_version, batch.position), (BatchState::Admitted, 2, 5));
    assert_eq!(catalogue.batches_beginning("aa").unwrap().len(), 2);
    assert_eq!(catalogue.batches_beginning("%").unwrap().len(), 0);
    assert_eq!(catalogue.mends_of("aa01").unwrap()[0].record.batch, "bb02");

    let place = |row| catalogue.file_of_row("aa01", row).unwrap().map(|file| (file.sha256, file.first_row));
    assert_eq!(place(1), Some(("a".repeat(64), 0)));
    assert_eq!(place(2), Some(("b".repeat(64), 2)));
    assert_eq!(place(5), None);
    for (letter, named) in [("a", true), ("b", true), ("c", true), ("d", true), ("e", false)] {
        assert_eq!(catalogue.names_file(&letter.repeat(64)).unwrap(), named, "{letter}");
    }
}

#[test]
fn payloads_of_released_events_are_read_for_ever() {
    let read = |kind: &str, text: &str| PoolEvent::read(kind, &serde_json::from_str(text).unwrap());
    let golden = include_str!("golden/batch.admitted@1.json");
    let Some(Ok(PoolEvent::BatchAdmitted(record))) = read("batch.admitted", golden) else {
        panic!("not read")
    };
    let again = serde_json::to_value(&record).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(golden).unwrap());
    let Some(Ok(PoolEvent::BatchRefused(_))) = read("batch.refused", golden) else { panic!("not read") };
    let golden = include_str!("golden/contract.declared@1.json");
    let Some(Ok(PoolEvent::ContractDeclared(declared))) = read("contract.declared", golden) else {
        panic!("not read")
    };
    assert_eq!(declared.contract.sha256(), declared.sha256);
    assert!(read("account.opened", "{}").is_none());
    assert!(read("batch.admitted", "{}").unwrap().is_err());
}
