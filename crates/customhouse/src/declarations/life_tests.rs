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

/// An amendment of the net mass of the only item, in our own words.
fn net_mass_amended(reference: &str, mrn: &str, net: &str) -> Vec<u8> {
    let steps = [("42A", 1), ("67A", 1), ("68A", 1), ("23A", 1)].map(|(section, number)| {
        format!("<Pointer><SequenceNumeric>{number}</SequenceNumeric><DocumentSectionCode>{section}</DocumentSectionCode></Pointer>")
    });
    format!(
        r#"<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"><Declaration>
        <FunctionCode>13</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID><ID>{mrn}</ID><TypeCode>COR</TypeCode>
        <Amendment><ChangeReasonCode>28</ChangeReasonCode>{}<Pointer><DocumentSectionCode>65A</DocumentSectionCode><TagID>128</TagID></Pointer></Amendment>
        <GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity><GoodsMeasure>
        <NetNetWeightMeasure unitCode="KGM">{net}</NetNetWeightMeasure></GoodsMeasure></Commodity></GovernmentAgencyGoodsItem></GoodsShipment>
        </Declaration></md:MetaData>"#,
        steps.concat()
    )
    .into_bytes()
}

#[test]
fn what_a_declaration_becomes_is_held_against_the_rules_that_lodgement_asks() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("AMEND-1", "IMD")).unwrap().mrn;
    let amend = |reference: &str, net: &str| {
        let message = net_mass_amended(reference, &mrn, net);
        let Received::Followed(answer) = world.house.receive_message(&trader(), &message).unwrap() else {
            panic!("it is a request")
        };
        answer
    };
    // More net than gross: what is told is what lodgement tells of the same content.
    let refused = amend("COR-1", "13");
    let mut same = of_kind("AMEND-2", "IMD");
    let goods = &mut same["goods_shipment"]["government_agency_goods_item"][0]["commodity"]["goods_measure"];
    goods["net_net_weight_measure"] = json!("13");
    let lodged = world.lodge(&same).unwrap();
    let error = |findings: &[spine::Finding]| {
        let error =
            findings.iter().find(|own| own.code == "CDS11006").unwrap_or_else(|| panic!("{findings:?}"));
        let pointer = formats::wco::of_place(&error.pointer).unwrap().to_string();
        (error.severity, pointer, error.found.clone(), error.how_to_fix.clone())
    };
    assert!(!refused.followed && lodged.progress == Progress::Rejected, "{refused:?}");
    assert_eq!(error(&refused.findings), error(&lodged.findings));
    assert_eq!(error(&refused.findings).1, "42A/67A[1]/68A[1]/23A/65A#128");
    // The trader's software is told so too.
    let notifications = world.house.notifications(&trader(), &NotificationsQuery::default()).unwrap();
    let of_request = notifications.notifications.iter().find(|own| own.function_code == "03").unwrap();
    let xml = String::from_utf8(world.house.notification(&trader(), &of_request.id).unwrap().1).unwrap();
    assert!(xml.contains("CDS11006") && xml.contains("<TagID>128</TagID>"), "{xml}");
    // What breaks no rule is granted, and names the packs that were asked.
    assert!(amend("COR-2", "11").followed);
    let folded = world.house.folded(&mrn).unwrap();
    let granted = folded.events.iter().find(|own| own.envelope.kind == "amendment.granted").unwrap();
    let packs = granted.payload.value().unwrap()["packs"].as_array().unwrap().clone();
    let shipped = world.house.registry().get("dms-declaration").unwrap().hash().to_owned();
    assert!(packs.contains(&json!(shipped)), "{packs:?}");
    world.act(&trader(), &mrn, CaseAction::Present { location: String::new() }).unwrap();
    world.until(&mrn, State::Cleared);
    let derived = world.house.replay_decision(&reader("c", Role::Chief), &mrn, &spine::Silent).unwrap();
    assert!(derived.same, "{:?}", derived.differences);
}

#[test]
fn what_customs_corrects_is_held_against_the_same_rules() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&impossible("CORRECT-1")).unwrap().mrn;
    let officer = reader("o-1", Role::Officer);
    world.act(&officer, &mrn, CaseAction::Take).unwrap();
    world.act(&officer, &mrn, CaseAction::Complete { result: result(ResultCode::Irregular) }).unwrap();
    let correct = |net: &str| {
        let mut declaration = world.case(&mrn).declaration.unwrap();
        let goods = &mut declaration.goods_shipment.government_agency_goods_item[0].commodity.goods_measure;
        goods.net_net_weight_measure = Some(net.parse().unwrap());
        let action = CaseAction::Correct { why: "Weighed.".to_owned(), declaration: Box::new(declaration) };
        world.act(&officer, &mrn, action)
    };
    let refused = correct("13").unwrap_err();
    assert_eq!(refused.code, "correction_refused");
    let error = refused.findings.iter().find(|own| own.code == "CDS11006").unwrap();
    let place =
        "goods_shipment/government_agency_goods_item[1]/commodity/goods_measure/net_net_weight_measure";
    assert_eq!((error.pointer.0.as_str(), error.found.as_str()), (place, "13"));
    correct("9").unwrap();
    let told = world.case(&mrn).declaration.unwrap();
    let measure = &told.goods_shipment.government_agency_goods_item[0].commodity.goods_measure;
    assert_eq!(measure.net_net_weight_measure.unwrap().to_string(), "9");
}

/// The arrival of an import's goods, as a port tells it, in our own words.
fn goods_arrived(mrn: &str) -> Vec<u8> {
    format!(
        r#"<inventoryLinkingImportsGoodsArrival xmlns="http://gov.uk/customs/inventoryLinkingImport/v1"><entryNumber>{mrn}</entryNumber><entryVersionNumber>1</entryVersionNumber><inventoryConsignmentReference>GBAN 123-45</inventoryConsignmentReference></inventoryLinkingImportsGoodsArrival>"#
    )
    .into_bytes()
}

#[test]
fn the_arrival_of_goods_that_are_here_is_noted_and_changes_nothing() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&of_kind("HERE-1", "IMA")).unwrap().mrn;
    world.until(&mrn, State::Cleared);
    let before = world.case(&mrn).version;
    let send = |message: &[u8]| {
        let Received::Followed(answer) = world.house.receive_message(&trader(), message).unwrap() else {
            panic!("it is a movement")
        };
        let codes: Vec<String> = answer.findings.iter().map(|own| own.code.clone()).collect();
        (answer.followed, answer.repeated, codes.concat(), answer.position)
    };
    let message = goods_arrived(&mrn);
    let noted = send(&message);
    assert_eq!((noted.0, noted.1, noted.2.as_str()), (true, false, "goods_presented_already"));
    // Once: the very same message is known.
    assert_eq!(send(&message), (true, true, noted.2.clone(), noted.3));
    assert_eq!((world.case(&mrn).version, world.told().as_str()), (before, "01 13/67 13/4 09"));
    // It is kept.
    let event = world.house.journal.feed(noted.3 - 1, 1).unwrap().remove(0);
    let payload = event.payload.value().unwrap();
    assert_eq!((event.envelope.kind.as_str(), &payload["declarations"]), ("movement.noted", &json!([mrn])));
    let blob = payload["message"]["blob"].as_str().unwrap();
    let mut kept = Vec::new();
    std::io::Read::read_to_end(&mut world.house.journal.get_blob(blob).unwrap(), &mut kept).unwrap();
    assert_eq!(kept, message);
    // Of what is rejected, nothing can arrive.
    let wrong = world.lodge(&json!({ "functional_reference_id": "HERE-2", "declarant": { "id": "NL0001" } }));
    let refused = send(&goods_arrived(&wrong.unwrap().mrn));
    assert_eq!((refused.0, refused.2.as_str()), (false, "request_not_possible"));
}
