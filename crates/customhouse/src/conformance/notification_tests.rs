//! What the platform tells declarants, against the schema that an administration publishes for it.

use std::path::{Path, PathBuf};

use formats::notification::{
    Bank, FunctionCode, Notification, NotificationAmendment, NotificationDeclaration, NotificationError,
    NotificationPayment, NotificationStatus, Statement, TaxLine, TaxedItem, write,
};
use rust_decimal::Decimal;
use spine::Pointer;
use spine::quantity::{CurrencyCode, Money};
use xsd::Entry;

use super::material::Material;
use super::verdict::{VALID, verdict};

fn money(amount: i64, decimals: u32, currency: &str) -> Money {
    Money { amount: Decimal::new(amount, decimals), currency: CurrencyCode::new(currency).unwrap() }
}

/// A notification in which everything is said, much of it at a length that the schema does not allow.
fn full(function_code: FunctionCode) -> Notification {
    let issued_at = "2026-03-31T14:05:09.25Z".parse().unwrap();
    let time = Some(issued_at);
    let long = "L".repeat(1000);
    let place = "GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/GoodsMeasure/NetNetWeightMeasure";
    let pointer = formats::wco::of_place(&Pointer(place.to_owned()));
    let said = |code: &str, description: &str| Statement {
        code: Some(code.to_owned()),
        type_code: "ACA".to_owned(),
        description: Some(description.to_owned()),
        limit_at: time,
    };
    let wrong = |code: &str, description: &str| NotificationError {
        code: code.to_owned(),
        pointer: pointer.clone(),
        description: Some(description.to_owned()),
    };
    let line = |type_code: &str, amount: Option<Money>, number: Option<Decimal>| TaxLine {
        type_code: type_code.to_owned(),
        regime_code: Some("100".to_owned()),
        base: number,
        quantity: number,
        rate: number,
        deducted: number,
        assessed: amount,
        payable: amount,
        method_code: Some("E".to_owned()),
    };
    let lines = vec![
        line("A00", Some(money(204, 2, "GBP")), Some(Decimal::new(1_234_567_891, 9))),
        line("B00", Some(money(1, 8, "XXX")), Some(Decimal::MAX)),
        line(&long, None, None),
    ];
    Notification {
        function_code,
        id: "a5b4aeb03a384a5faf1b9afeff5dac97".to_owned(),
        issued_at,
        status: Some(NotificationStatus { name_code: "39".to_owned(), effective_at: time }),
        statements: vec![said("ACA", "Send the invoice & the <packing list>."), said(&long, &long)],
        errors: vec![wrong("DMS10001", "Net mass is missing."), wrong("net_mass_above_gross", &long)],
        amendments: vec![NotificationAmendment { reason_code: "16".to_owned(), pointer: pointer.clone() }],
        contact_office: Some(long.clone()),
        declaration: NotificationDeclaration {
            functional_reference_id: "LRN-2026-000001".to_owned(),
            id: Some("26GB3ZFC4FCLF1OAR7".to_owned()),
            version: Some(u32::MAX),
            accepted_at: time,
            rejected_at: time,
            cancelled_at: Some("1999-01-01T00:00:00Z".parse().unwrap()),
            payments: vec![NotificationPayment { amount: money(5, 0, "GBP"), reference: Some(long.clone()) }],
            items: vec![TaxedItem { sequence: u32::MAX, lines }, TaxedItem { sequence: 2, lines: vec![] }],
        },
        bank: Some(Bank { reference: "CITIGB2LLON".to_owned(), id: long }),
    }
}

/// A notification in which nothing is said that need not be.
fn bare(function_code: FunctionCode) -> Notification {
    Notification {
        function_code,
        id: "1".to_owned(),
        issued_at: "2026-03-31T14:05:09Z".parse().unwrap(),
        status: None,
        statements: vec![],
        errors: vec![],
        amendments: vec![],
        contact_office: None,
        declaration: NotificationDeclaration::default(),
        bank: None,
    }
}

#[test]
fn notifications_of_every_function_are_valid_by_the_published_schema() {
    let root = std::env::var_os("TIDEWAITER_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if !root.join("messages/cds-wco-dms/xsd").exists() {
        println!("skipped: the schema of notifications (no {})", root.join("messages").display());
        return;
    }
    let material = Material::open(&root).unwrap();
    let files = material.schemas("cds-wco-dms/xsd").unwrap();
    let schema = material.schema(&files, "driver-notification.xsd").unwrap();
    let envelope =
        Entry::Element { namespace: "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2", name: "MetaData" };
    let judge = |notifications: &[Notification]| verdict(&schema, &write(notifications), envelope, &[]);
    for function in FunctionCode::ALL {
        for notifications in
            [vec![full(function)], vec![bare(function)], vec![bare(function), full(function)]]
        {
            let judged = judge(&notifications);
            assert_eq!(judged.got, VALID, "{} {:?}", function.name(), judged.because);
        }
    }
    assert_ne!(judge(&[]).got, VALID, "an envelope without a notification");
}
