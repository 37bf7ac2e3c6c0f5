//! Payloads of released events: they are written like this, and read, for ever.

use std::collections::BTreeSet;

use clearance::{ControlKind, Event, ResultCode};
use serde_json::Value;
use spine::Sensitivity;
use spine::event::canonical_bytes;
use spine::noun::Evidence;
use spine::quantity::{CurrencyCode, Money};

use crate::support::{basis, change, content, debt, document, look_for, notice, result, start, to_correct};

/// One event of every kind, with everything that it can carry.
fn events() -> Vec<Event> {
    let due_at = start();
    let by_policy = || basis(Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
    let sealed = || vec![look_for(Sensitivity::Official), look_for(Sensitivity::Sealed)];
    let mut irregular = result(ResultCode::Irregular);
    irregular.recovered_revenue =
        Some(Money { amount: "1234.50".parse().unwrap(), currency: CurrencyCode::new("EUR").unwrap() });
    irregular.note = "Invoice of the seller shows another price.".to_owned();
    irregular.evidence = vec![document(), Evidence { media_type: "image/jpeg".to_owned(), ..document() }];
    let text = |words: &str| words.to_owned();
    vec![
        Event::Accepted { basis: by_policy(), export: false },
        Event::Rejected { basis: by_policy(), findings: to_correct() },
        Event::ControlOrdered {
            control: ControlKind::Physical,
            look_for: sealed(),
            due_at,
            trader_may_be_told: false,
            basis: by_policy(),
        },
        Event::ControlTaken { officer: text("o-17") },
        Event::ControlGivenBack {},
        Event::ControlHandedOver { to: text("o-18"), why: text("End of shift.") },
        Event::ControlCompleted { result: irregular, basis: basis(None) },
        Event::ResultWithdrawn { why: text("The photograph is of another box.") },
        Event::DocumentsRequested { what: text("Invoice and packing list"), due_at },
        Event::DocumentsReceived { documents: vec![document()], note: text("As asked.") },
        Event::QuestionAsked { text: text("Who made the goods?"), due_at },
        Event::QuestionAnswered { text: text("Our own works."), documents: vec![document()] },
        Event::Escalated {
            to: ControlKind::Physical,
            why: text("The papers do not settle it."),
            due_at,
            basis: basis(None),
        },
        Event::ReleaseScheduled { at: due_at, basis: basis(None) },
        Event::Released { basis: by_policy(), open: Vec::new(), exit_by: None },
        Event::Detained { basis: basis(None) },
        Event::CancelRequested { why: text("Lodged twice."), reference: None },
        Event::Cancelled { basis: basis(None) },
        Event::CancelDenied { basis: basis(None) },
        Event::Contested { text: text("The price is right: it is an outlet sale.") },
        Event::ContestAnswered { upheld: true, basis: basis(None), text: text("The sale is proven.") },
        Event::AuditOpened { due_at, look_for: sealed(), basis: by_policy() },
        Event::AuditClosed { result: result(ResultCode::ConsideredConform), basis: basis(None) },
        Event::DeadlinePassed { what: text("documents"), since: due_at },
        Event::Registered { basis: by_policy(), arrive_by: due_at },
        Event::Presented { notice: notice() },
        Event::AmendmentRequested {
            notice: notice(),
            why: text("The weighing note came later."),
            changes: vec![change("28")],
        },
        Event::AmendmentGranted { basis: by_policy(), version: 2, declaration: content(), packs: Vec::new() },
        Event::AmendmentDenied { basis: basis(None) },
        Event::Corrected {
            basis: basis(None),
            version: 3,
            changes: vec![change("16")],
            declaration: content(),
            packs: Vec::new(),
        },
        Event::RequestRefused { notice: notice(), request: text("amendment"), findings: to_correct() },
        Event::DebtAssessed { items: debt() },
        Event::PaymentInsufficient { note: text("The guarantee is used up."), due_at, remind_at: due_at },
        Event::PaymentReminded {},
        Event::PaymentReceived { note: text("Paid in cash.") },
        Event::Cleared { basis: basis(None) },
        Event::Departed { notice: notice() },
        Event::ExitConfirmed { office: text("NL000510"), code: ResultCode::Conform, left_at: due_at },
        Event::ExitAwaited { until: due_at },
    ]
}

fn path(kind: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/golden/{kind}@1.json"))
}

/// A kind without a file gets one when `UPDATE_GOLDEN=1` is set; a file that is there is never written again.
#[test]
fn payloads_of_released_events_are_written_and_read_for_ever() {
    let kinds: Vec<&str> = events().iter().map(Event::kind).collect();
    assert_eq!(kinds, Event::KINDS, "one event of every kind, in order");
    for event in events() {
        let bytes = canonical_bytes(&event.payload()).unwrap();
        let path = path(event.kind());
        if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let golden = std::fs::read(&path).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), String::from_utf8(golden.clone()).unwrap());
        let payload: Value = serde_json::from_slice(&golden).unwrap();
        assert_eq!(Event::read(event.kind(), 1, &payload), Some(Ok(event)));
    }
}

/// Optional fields came later: what is written with them is read again.
#[test]
fn later_fields_of_released_kinds_are_read_again() {
    for event in [
        Event::Accepted { basis: basis(None), export: true },
        Event::Released { basis: basis(None), open: vec!["debt".to_owned()], exit_by: Some(start()) },
        Event::AmendmentGranted {
            basis: basis(None),
            version: 2,
            declaration: content(),
            packs: vec!["ab".repeat(32)],
        },
        Event::Corrected {
            basis: basis(None),
            version: 2,
            changes: vec![change("16")],
            declaration: content(),
            packs: vec!["ab".repeat(32)],
        },
        Event::CancelRequested { why: "Lodged twice.".to_owned(), reference: Some("M-8".to_owned()) },
    ] {
        assert_eq!(Event::read(event.kind(), 1, &event.payload()), Some(Ok(event)));
    }
}

#[test]
fn what_is_not_of_this_room_is_left_and_what_cannot_be_read_is_told() {
    assert_eq!(Event::read("batch.admitted", 1, &Value::Null), None);
    let newer = Event::read("control.taken", 2, &Value::Null).unwrap().unwrap_err();
    assert!(newer.contains("Update the program"), "{newer}");
    let broken = Event::read("control.taken", 1, &serde_json::json!({ "officer": 7 })).unwrap().unwrap_err();
    assert!(broken.starts_with("control.taken: "), "{broken}");
}

#[test]
fn every_decision_carries_its_basis_and_nothing_else_does() {
    let with: BTreeSet<&str> = events().iter().filter(|own| own.basis().is_some()).map(Event::kind).collect();
    let carried: BTreeSet<&str> =
        events().iter().filter(|own| own.payload().get("basis").is_some()).map(Event::kind).collect();
    assert_eq!(with, carried);
}
