//! Messages that are wrong, and messages of every kind.

use formats::message::{ConsolidationKind, Message, MovementKind, RequestReason, UcrKind, read_message};

use super::request;
use crate::support::assert_helpful;

const REASON: &str = "<AdditionalInformation><StatementDescription>lodged twice</StatementDescription>\
    <StatementTypeCode>AES</StatementTypeCode><Pointer><DocumentSectionCode>42A</DocumentSectionCode></Pointer>\
    <Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>06A</DocumentSectionCode></Pointer>\
    </AdditionalInformation>";

fn movement(code: &str, content: &str) -> String {
    format!(
        "<inv:inventoryLinkingMovementRequest xmlns:inv=\"http://gov.uk/customs/inventoryLinking/v1\">\
         <inv:messageCode>{code}</inv:messageCode>{content}</inv:inventoryLinkingMovementRequest>"
    )
}

const UCR: &str = "<inv:ucrBlock><inv:ucr>6NL123456789-77</inv:ucr><inv:ucrType>D</inv:ucrType></inv:ucrBlock>\
    <inv:goodsLocation>NLAURTMECT</inv:goodsLocation>";

#[test]
fn requests_state_who_asks_what_of_which_declaration_and_why() {
    let message = request("INV", &["42A"], REASON).replace("<ChangeReasonCode>32", "<ChangeReasonCode>1");
    let Ok(Message::Cancellation(cancellation)) = read_message(message.as_bytes()) else { panic!() };
    assert_eq!(cancellation.reason_code.as_deref(), Some("1"));
    let reason = RequestReason { text: Some("lodged twice".to_owned()), amendment: Some(1) };
    assert_eq!(cancellation.head.reasons, [reason]);
    let Ok(Message::Presentation(presentation)) = read_message(request("GPR", &[], "").as_bytes()) else {
        panic!()
    };
    assert_eq!(presentation.head.reference, "REQ-1");
    assert_eq!(presentation.head.mrn, "26NL000396A1B2C3D4");
    assert_eq!(presentation.head.submitter.as_deref(), Some("NL123456789"));
}

#[test]
fn movements_say_what_is_where_since_when() {
    let arrival = movement(
        "EAL",
        &format!(
            "{UCR}<inv:goodsArrivalDateTime>2026-03-31T16:05:09.5+02:00</inv:goodsArrivalDateTime>\
                  <inv:movementReference>M-1</inv:movementReference><inv:agentDetails><inv:EORI>NL555</inv:EORI></inv:agentDetails>"
        ),
    );
    let Ok(Message::Movement(arrival)) = read_message(arrival.as_bytes()) else { panic!() };
    assert_eq!((arrival.kind, arrival.ucr.kind), (MovementKind::Arrival, UcrKind::Declaration));
    assert_eq!(arrival.arrived_at.unwrap().to_string(), "2026-03-31T14:05:09.5Z");
    assert_eq!(
        (arrival.goods_location.as_str(), arrival.reference.as_deref(), arrival.agent.as_deref()),
        ("NLAURTMECT", Some("M-1"), Some("NL555"))
    );
    let shut = "<inventoryLinkingConsolidationRequest><messageCode>CST</messageCode><masterUCR>GB/A-1</masterUCR>\
                </inventoryLinkingConsolidationRequest>";
    let Ok(Message::Consolidation(shut)) = read_message(shut.as_bytes()) else { panic!() };
    assert_eq!((shut.kind, shut.master_ucr.as_deref()), (ConsolidationKind::Shut, Some("GB/A-1")));
    for (root, amends) in [("CC315A", false), ("CC313A", true)] {
        let message = format!("<ie:{root} xmlns:ie=\"http://ics.dgtaxud.ec/{root}\"/>");
        assert_eq!(read_message(message.as_bytes()), Ok(Message::EntrySummary { amends }));
    }
}

#[test]
fn what_is_wrong_with_a_message_is_told_with_its_place() {
    let cancel = request("INV", &["42A"], "");
    let without = |name: &str| {
        let (before, rest) = cancel.split_once(&format!("<{name}>")).unwrap();
        let (_, after) = rest.split_once(&format!("</{name}>")).unwrap();
        format!("{before}{after}")
    };
    let at = "Declaration[1]";
    for (message, code, place) in [
        (String::new(), "file_empty", ""),
        ("half a mess".to_owned(), "xml_not_well_formed", "line[1]/column[1]"),
        (cancel.replace("</Declaration>", ""), "xml_not_well_formed", "*"),
        (format!("<!DOCTYPE m [<!ENTITY e 'x'>]>{cancel}"), "xml_document_type", "line[1]/column[1]"),
        (format!("<?xml version=\"1.0\" encoding=\"klingon\"?>{cancel}"), "xml_encoding_unknown", "line[1]"),
        ("<a>".repeat(40) + &"</a>".repeat(40), "xml_too_deep", "line[1]/column[97]"),
        ("<Greetings/>".to_owned(), "message_unknown", ""),
        (cancel.replace("INV", "XYZ"), "message_type_unknown", at),
        (cancel.replace("<FunctionCode>13", "<FunctionCode>5"), "message_type_unknown", at),
        (without("ID"), "message_incomplete", at),
        (without("FunctionalReferenceID"), "message_incomplete", at),
        (cancel.replace("REQ-1", &"R".repeat(71)), "text_too_long", "Declaration[1]/FunctionalReferenceID[1]"),
        (request("COR", &[], ""), "amendment_missing", at),
        (movement("ABC", UCR), "message_code_unknown", ""),
        (movement("EAL", ""), "message_incomplete", ""),
        (movement("EAL", &UCR.replace("ucrType>D", "ucrType>X")), "message_code_unknown", "ucrBlock[1]"),
        (
            movement("EAL", &format!("{UCR}<inv:goodsArrivalDateTime>noon</inv:goodsArrivalDateTime>")),
            "date_not_understood",
            "goodsArrivalDateTime[1]",
        ),
        ("<inventoryLinkingImportsGoodsArrival/>".to_owned(), "message_incomplete", ""),
        (
            "<inventoryLinkingConsolidationRequest><messageCode>EAC</messageCode></inventoryLinkingConsolidationRequest>"
                .to_owned(),
            "message_incomplete",
            "",
        ),
        (cancel.replace("</Declaration>", "</Declaration><Declaration/>"), "declarations_several", ""),
    ] {
        let Err(findings) = read_message(message.as_bytes()) else { panic!("understood: {message}") };
        findings.iter().for_each(assert_helpful);
        let first = findings.iter().find(|finding| finding.severity == spine::Severity::Error).unwrap();
        assert_eq!(first.code, code, "{message}: {findings:?}");
        assert!(place == "*" || first.pointer.0 == place, "{message}: {}", first.pointer);
    }
}
