//! Notifications: written, read again, and read as administrations publish them.

use std::collections::BTreeMap;
use std::fs;

use formats::notification::*;
use formats::wco::{WcoPointer, WcoStep};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use rust_decimal::Decimal;
use spine::quantity::{CurrencyCode, Money};

use crate::support::{assert_helpful, cases, xml_files};

fn words() -> impl Strategy<Value = Option<String>> {
    "\\PC{0,40}".prop_map(|text| Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (946_684_800_i64..4_102_444_800).prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn decimal(decimals: u32) -> impl Strategy<Value = Decimal> {
    (0_i64..1_000_000_000_000_000, 0..=decimals).prop_map(|(number, scale)| Decimal::new(number, scale))
}

fn money() -> impl Strategy<Value = Money> {
    (decimal(3), proptest::sample::select(vec!["GBP", "CNY", "JPY", "XXX"]))
        .prop_map(|(amount, currency)| Money { amount, currency: CurrencyCode::new(currency).unwrap() })
}

fn pointer() -> impl Strategy<Value = Option<WcoPointer>> {
    let step =
        ("[0-9]{2}[A-C]", of(1_u32..100_000)).prop_map(|(section, sequence)| WcoStep { section, sequence });
    of((vec(step, 1..6), of("[A-Z0-9]{3,4}")).prop_map(|(steps, tag)| WcoPointer { steps, tag }))
}

fn item() -> impl Strategy<Value = TaxedItem> {
    let numbers = (of(decimal(3)), of(decimal(6)), of(decimal(8)), of(decimal(3)));
    let line = ("[A-Z][0-9]{2}", of("[0-9]{3}"), numbers, of(money()), of(money())).prop_map(
        |(type_code, regime_code, (base, quantity, rate, deducted), assessed, payable)| TaxLine {
            type_code,
            regime_code,
            base,
            quantity,
            rate,
            deducted,
            assessed,
            payable,
            method_code: None,
        },
    );
    (1_u32..100_000, vec(line, 0..3)).prop_map(|(sequence, lines)| TaxedItem { sequence, lines })
}

fn declaration() -> impl Strategy<Value = NotificationDeclaration> {
    let payment = (money(), of("[A-Z0-9]{1,35}"))
        .prop_map(|(amount, reference)| NotificationPayment { amount, reference });
    let times = (of(moment()), of(moment()), of(moment()));
    (
        "[A-Z0-9_.]{1,35}",
        of("[A-Z0-9]{18}"),
        of(1_u32..1_000_000_000),
        times,
        vec(payment, 0..3),
        vec(item(), 0..3),
    )
        .prop_map(|(functional_reference_id, id, version, times, payments, items)| {
            NotificationDeclaration {
                functional_reference_id,
                id,
                version,
                accepted_at: times.0,
                rejected_at: times.1,
                cancelled_at: times.2,
                payments,
                items,
            }
        })
}

fn notification() -> impl Strategy<Value = Notification> {
    let status = of(("[A-Z0-9]{1,3}", of(moment()))
        .prop_map(|(name_code, effective_at)| NotificationStatus { name_code, effective_at }));
    let statement = (of("[A-Za-z0-9]{1,17}"), "[A-Z]{3}", words(), of(moment())).prop_map(
        |(code, type_code, description, limit_at)| Statement { code, type_code, description, limit_at },
    );
    let error = ("[A-Z]{3}[0-9]{5}|[a-z_]{9,30}", pointer(), words())
        .prop_map(|(code, pointer, description)| NotificationError { code, pointer, description });
    let amendment = ("[0-9]{1,2}", pointer())
        .prop_map(|(reason_code, pointer)| NotificationAmendment { reason_code, pointer });
    let bank = of(("[A-Z0-9]{1,17}", "[A-Z0-9]{1,35}").prop_map(|(reference, id)| Bank { reference, id }));
    let lists = (vec(statement, 0..3), vec(error, 0..3), vec(amendment, 0..3));
    let function = proptest::sample::select(FunctionCode::ALL.to_vec());
    (function, "[a-f0-9]{32}", moment(), status, lists, of("[A-Z0-9]{8}"), declaration(), bank).prop_map(
        |(function_code, id, issued_at, status, lists, contact_office, declaration, bank)| Notification {
            function_code,
            id,
            issued_at,
            status,
            statements: lists.0,
            errors: lists.1,
            amendments: lists.2,
            contact_office,
            declaration,
            bank,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn notifications_written_and_read_again_are_the_same(notifications in vec(notification(), 1..4)) {
        prop_assert_eq!(read(&write(&notifications)), Ok(notifications));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_notifications_or_refused_with_a_reason(
        notification in notification(),
        at in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = write(&[notification]);
        let at = at % bytes.len();
        bytes[at] = byte;
        match read(&bytes) {
            Ok(notifications) => prop_assert!(!notifications.is_empty()),
            Err(findings) => findings.iter().for_each(assert_helpful),
        }
    }
}

fn rejection() -> Notification {
    let step = |section: &str, sequence| WcoStep { section: section.to_owned(), sequence };
    let steps = vec![step("42A", None), step("67A", Some(1)), step("68A", Some(2)), step("23A", None)];
    Notification {
        function_code: FunctionCode::Rejected,
        id: "5e55b35a".to_owned(),
        issued_at: "2026-03-31T14:05:09.5Z".parse().unwrap(),
        status: None,
        statements: vec![],
        errors: vec![
            NotificationError {
                code: "commodity_code_missing".to_owned(),
                pointer: Some(WcoPointer { steps, tag: None }),
                description: Some("Look the code up in the tariff.".to_owned()),
            },
            NotificationError {
                code: "DMS10001".to_owned(),
                pointer: None,
                description: Some("x".repeat(600)),
            },
        ],
        amendments: vec![],
        contact_office: Some("an office with a name that is no code".to_owned()),
        declaration: NotificationDeclaration {
            functional_reference_id: "LRN-1".to_owned(),
            id: Some("26GB3ZFC4FCLF1OAR7".to_owned()),
            version: Some(1),
            rejected_at: Some("1999-12-31T00:00:00Z".parse().unwrap()),
            ..NotificationDeclaration::default()
        },
        bank: None,
    }
}

#[test]
fn what_the_schema_has_no_room_for_is_cut_or_left_out() {
    let written = String::from_utf8(write(&[rejection()])).unwrap();
    insta::assert_snapshot!(written.replace(&"x".repeat(500), "…500 times x…"));
    let read = read(written.as_bytes()).unwrap();
    assert_eq!(read[0].errors[0], rejection().errors[0]);
    assert_eq!(read[0].errors[1].description.as_ref().unwrap().chars().count(), 512);
    assert_eq!((read[0].contact_office.as_ref(), read[0].declaration.rejected_at), (None, None));
}

#[test]
fn what_is_no_notification_is_refused_with_a_reason() {
    let with = |from: &str, to: &str| {
        let written = String::from_utf8(write(&[rejection()])).unwrap();
        assert!(written.contains(from));
        written.replacen(from, to, 1)
    };
    for (text, code, place) in [
        (String::new(), "file_empty", ""),
        ("<MetaData/>".to_owned(), "notification_not_found", ""),
        (with("<FunctionCode>03", "<FunctionCode>99"), "notification_function_unknown", "Response[1]"),
        (
            with("IssueDateTime", "IssuedTime").replacen("/IssueDateTime", "/IssuedTime", 1),
            "notification_time_missing",
            "Response[1]",
        ),
        (
            with("20260331140509Z", "today"),
            "date_not_understood",
            "Response[1]/IssueDateTime[1]/DateTimeString[1]",
        ),
        (
            with("20260331140509Z", "29260331140509Z"),
            "date_not_understood",
            "Response[1]/IssueDateTime[1]/DateTimeString[1]",
        ),
        (
            with("<VersionID>1", "<VersionID>one"),
            "number_not_whole",
            "Response[1]/Declaration[1]/VersionID[1]",
        ),
        (with("<?xml", "<!DOCTYPE a><?xml"), "xml_document_type", "line[1]/column[1]"),
    ] {
        let findings = read(text.as_bytes()).unwrap_err();
        findings.iter().for_each(assert_helpful);
        assert_eq!((findings[0].code.as_str(), findings[0].pointer.0.as_str()), (code, place), "{text}");
    }
}

/// Slips of the published files themselves: what is wrong in them, by the first finding.
const SLIPS: [&str; 2] = ["xml_not_well_formed", "date_not_understood"];

#[test]
fn published_notifications_are_understood() {
    let Some(folder) = cases("messages/cds-wco-dms/samples") else {
        println!("skipped: published notifications (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let mut functions: BTreeMap<FunctionCode, u32> = BTreeMap::new();
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in xml_files(&folder) {
        let bytes = fs::read(&path).unwrap();
        match read(&bytes) {
            Ok(notifications) => {
                for notification in &notifications {
                    *functions.entry(notification.function_code).or_default() += 1;
                }
                assert_eq!(read(&write(&notifications)).as_ref(), Ok(&notifications), "{}", path.display());
            }
            Err(findings) => {
                findings.iter().for_each(assert_helpful);
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                refused.entry(findings[0].code.clone()).or_default().push(name);
            }
        }
    }
    refused.remove("notification_not_found");
    println!("published notifications: {} understood, {functions:?}", functions.values().sum::<u32>());
    refused.iter().for_each(|(code, names)| println!("  {code} {}: {}", names.len(), names.join(", ")));
    assert!(functions.len() >= 10);
    assert!(refused.keys().all(|code| SLIPS.contains(&code.as_str())), "{refused:?}");
}
