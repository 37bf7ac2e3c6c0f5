//! Declarations that were lodged before their goods came, their arrival, debts, and the way out; and what their trader's
//! software is told of it.

use clearance::{ResultCode, State};
use serde_json::{Value, json};

use super::tests::{World, declaration as declaration_of, impossible, reader, result, trader};
use super::*;
use crate::identity::Role;
use crate::notifications::NotificationsQuery;

/// A declaration of a kind such as `IMD`, with a rate of duty.
fn of_kind(reference: &str, kind: &str) -> Value {
    let mut declaration = declaration_of(reference);
    declaration["type_code"] = json!(kind);
    declaration["goods_shipment"]["government_agency_goods_item"][0]["commodity"]["duty_tax_fee"] =
        json!([{ "type_code": "A00", "tax_rate_numeric": "10", "duty_regime_code": "100" }]);
    declaration
}

impl World {
    /// What the trader's software was told, as codes with status.
    fn told(&self) -> String {
        let page = self.house.notifications(&trader(), &NotificationsQuery::default()).unwrap();
        let said = page.notifications.iter().map(|own| match &own.status {
            Some(status) => format!("{}/{status}", own.function_code),
            None => own.function_code.clone(),
        });
        said.collect::<Vec<_>>().join(" ")
    }

    /// Waits until the desk has gone on with it.
    fn until(&self, mrn: &str, state: State) {
        for _ in 0..600 {
            if self.case(mrn).row.state == Some(state) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{mrn} stands at {:?}, not at {state:?}", self.case(mrn).row.state);
    }
}

#[test]
fn what_is_lodged_before_its_goods_is_registered_and_accepted_when_they_come() {
    let world = World::with_policies(false);
    let receipt = world.lodge(&of_kind("PRE-1", "IMD")).unwrap();
    assert_eq!(receipt.progress, Progress::AwaitingArrival);
    let mrn = receipt.mrn;
    assert_eq!(world.case(&mrn).row.state, Some(State::Received));
    assert_eq!(world.told(), "02");
    world.act(&trader(), &mrn, CaseAction::Present { location: "Quay 7".to_owned() }).unwrap();
    world.until(&mrn, State::Cleared);
    assert_eq!(world.told(), "02 01 13/67 13/4 09");
    let kinds: Vec<String> = world.case(&mrn).timeline.into_iter().map(|step| step.kind).collect();
    let expected = [
        "declaration.lodged",
        "declaration.registered",
        "goods.presented",
        "declaration.accepted",
        "debt.assessed",
        "tags.applied",
        "selection.made",
        "goods.released",
    ];
    assert_eq!(kinds, expected);
    // The very same again is answered with its first receipt.
    assert!(world.lodge(&of_kind("PRE-1", "IMD")).unwrap().repeated);
}

#[test]
fn what_waits_for_its_goods_is_found_again_after_a_start_and_decided_like_any_other() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("PRE-2", "IMD")).unwrap().mrn;
    world.lodge(&declaration_of("OTHER-1")).unwrap();
    let world = world.reopened();
    world.act(&trader(), &mrn, CaseAction::Present { location: String::new() }).unwrap();
    world.until(&mrn, State::Cleared);
    let derived = world.house.replay_decision(&reader("c", Role::Chief), &mrn, &spine::Silent).unwrap();
    assert!(derived.same, "{:?}", derived.differences);
}

#[test]
fn goods_that_never_come_let_their_declaration_be_rejected_after_thirty_days() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("PRE-3", "IMD")).unwrap().mrn;
    world.clock.forward(30 * 24 - 1);
    assert_eq!(world.house.run_timers().unwrap(), 0);
    world.clock.forward(1);
    assert_eq!(world.house.run_timers().unwrap(), 1);
    assert_eq!(world.case(&mrn).row.state, Some(State::Rejected));
    assert_eq!(world.told(), "02 03");
    let id = world.house.notifications(&trader(), &NotificationsQuery::default()).unwrap().notifications[1]
        .id
        .clone();
    let xml = String::from_utf8(world.house.notification(&trader(), &id).unwrap().1).unwrap();
    assert!(xml.contains("<ValidationCode>CDS12046</ValidationCode>"), "{xml}");
    // It may come again under its reference.
    assert!(!world.lodge(&of_kind("PRE-3", "IMA")).unwrap().repeated);
}

#[test]
fn an_export_is_watched_to_the_office_of_exit() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("EXP-1", "EXA")).unwrap().mrn;
    world.until(&mrn, State::Cleared);
    world.act(&trader(), &mrn, CaseAction::Depart { location: "NLRTM".to_owned() }).unwrap();
    world.clock.forward(90 * 24);
    assert_eq!(world.house.run_timers().unwrap(), 1);
    let exit = CaseAction::ConfirmExit { office: "NL000510".to_owned(), code: ResultCode::Conform };
    world.act(&reader("o-1", Role::Officer), &mrn, exit).unwrap();
    assert_eq!(world.case(&mrn).row.state, Some(State::Exited));
    assert_eq!(world.told(), "01 13/67 13/4 09 18 16/A1");
}

#[test]
fn a_debt_that_is_not_covered_keeps_the_goods_until_it_is() {
    let world = World::with_policies(false);
    let mut declaration = impossible("PAY-1");
    declaration["goods_shipment"]["government_agency_goods_item"][0]["commodity"]["duty_tax_fee"] =
        json!([{ "type_code": "A00", "tax_rate_numeric": "10" }]);
    let mrn = world.lodge(&declaration).unwrap().mrn;
    world.until(&mrn, State::UnderControl);
    let officer = reader("o-1", Role::Officer);
    world.act(&officer, &mrn, CaseAction::Take).unwrap();
    world.act(&officer, &mrn, CaseAction::Complete { result: result(ResultCode::Conform) }).unwrap();
    world.act(&officer, &mrn, CaseAction::ReportInsufficient { note: "account 7".to_owned() }).unwrap();
    assert_eq!(world.house.own_declaration(&trader(), &mrn).unwrap().progress, Progress::PaymentWanted);
    world.clock.forward(5 * 24);
    assert_eq!(world.house.run_timers().unwrap(), 1);
    world.act(&officer, &mrn, CaseAction::ReceivePayment { note: "cash".to_owned() }).unwrap();
    assert_eq!(world.case(&mrn).row.state, Some(State::Cleared));
    assert_eq!(world.told(), "01 13/67 05 14 15 13/4 09");
}

#[test]
fn notifications_are_for_the_party_alone_and_are_written_again_after_the_read_model_is_gone() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("PRE-4", "IMA")).unwrap().mrn;
    world.until(&mrn, State::Cleared);
    let first = world.house.notifications(&trader(), &NotificationsQuery::default()).unwrap().notifications;
    let other = reader("t-2", Role::Trader).of_party(Some("NL0002"));
    assert!(
        world.house.notifications(&other, &NotificationsQuery::default()).unwrap().notifications.is_empty()
    );
    let unknown = world.house.notification(&other, &first[0].id).unwrap_err();
    assert_eq!(unknown.code, "notification_unknown");
    assert_eq!(world.house.notifications_of(&other, &mrn).unwrap_err().code, "declaration_unknown");
    let text = |world: &World| world.house.notification(&trader(), &first[0].id).unwrap().1;
    let before = text(&world);
    let world = world.closed(|data| {
        for file in std::fs::read_dir(data.join("read-models")).unwrap().map(Result::unwrap) {
            let _ = std::fs::remove_file(file.path());
        }
    });
    let head = world.house.journal_position();
    assert!(world.house.wait_until_shown(head, std::time::Duration::from_secs(60)) >= head);
    let again = world.house.notifications(&trader(), &NotificationsQuery::default()).unwrap().notifications;
    assert_eq!(again, first);
    assert_eq!(text(&world), before);
    // In pages.
    let query = NotificationsQuery { after: first[0].sequence, limit: 1 };
    let page = world.house.notifications(&trader(), &query).unwrap();
    assert_eq!((page.notifications.as_slice(), page.next_after), (&first[1..2], first[1].sequence));
}

/// A cancellation in our own words.
fn cancellation(reference: &str, mrn: &str) -> Vec<u8> {
    format!(
        r#"<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"><Declaration>
        <FunctionCode>13</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID><ID>{mrn}</ID><TypeCode>INV</TypeCode>
        <Amendment><ChangeReasonCode>1</ChangeReasonCode></Amendment></Declaration></md:MetaData>"#
    )
    .into_bytes()
}

#[test]
fn of_a_message_about_what_is_not_the_senders_nothing_is_kept() {
    use sha2::Digest;
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("OWN-1", "IMD")).unwrap().mrn;
    let other = reader("t-2", Role::Trader).of_party(Some("NL0002"));
    for about in [mrn.as_str(), "26ZZ00000000000000"] {
        let message = cancellation("STRANGE-1", about);
        let head = world.house.journal_position();
        assert_eq!(world.house.receive_message(&other, &message).unwrap_err().code, "declaration_unknown");
        assert_eq!(world.house.journal_position(), head);
        let blob = hex::encode(sha2::Sha256::digest(&message));
        assert!(world.house.journal.get_blob(&blob).is_err(), "its bytes are kept");
    }
}

#[test]
fn messages_that_cannot_be_followed_are_kept_up_to_a_bound_and_answered_beyond_it() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("OWN-2", "IMD")).unwrap().mrn;
    let send =
        |number: usize| world.house.receive_message(&trader(), &cancellation(&format!("INV-{number}"), &mrn));
    let Received::Followed(first) = send(0).unwrap() else { panic!("it is a request") };
    assert!(first.followed, "{first:?}");
    for number in 1..=200 {
        let Received::Followed(answer) = send(number).unwrap() else { panic!("it is a request") };
        assert_eq!((answer.followed, answer.findings[0].code.as_str()), (false, "cancel_requested_already"));
    }
    let head = world.house.journal_position();
    let beyond = send(201).unwrap_err();
    assert_eq!((beyond.code.as_str(), beyond.findings.len()), ("too_many_refused", 1));
    assert_eq!(world.house.journal_position(), head);
}
