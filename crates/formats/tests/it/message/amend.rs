//! Amendments by hand: what each kind of pointer does.

use formats::message::amend;
use serde_json::Value;
use spine::Severity;

use super::{amendment, assert_all_helpful, example};
use crate::declaration::told;

/// Values of a declaration's JSON form that differ, by JSON pointer: what stands there afterwards.
fn differences(before: &Value, after: &Value, at: &str, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for name in names {
                let (one, other) = (one.get(name), other.get(name));
                let (one, other) = (one.unwrap_or(&Value::Null), other.unwrap_or(&Value::Null));
                differences(one, other, &format!("{at}/{name}"), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at_position, (one, other)) in one.iter().zip(other).enumerate() {
                differences(one, other, &format!("{at}/{at_position}"), found);
            }
        }
        _ if before == after => {}
        _ => found.push(format!("{at} = {after}")),
    }
}

fn check(pointers: &[&str], content: &str, expected: &[&str], warned: &[(&str, &str)]) {
    let before = example();
    let amended = amend(&before, &amendment(pointers, content));
    assert_all_helpful(&amended);
    let after = amended.declaration.as_ref().unwrap_or_else(|| panic!("{:?}", amended.findings));
    let mut found = Vec::new();
    let (before, after) = (serde_json::to_value(&before).unwrap(), serde_json::to_value(after).unwrap());
    differences(&before, &after, "", &mut found);
    let items = "/goods_shipment/government_agency_goods_item";
    let expected: Vec<String> = expected.iter().map(|expected| expected.replace("ITEM", items)).collect();
    assert_eq!(found, expected, "{pointers:?}");
    assert_eq!(told(&amended, Severity::Warning), warned, "{pointers:?}");
}

fn item(number: u32, content: &str) -> String {
    format!(
        "<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>{number}</SequenceNumeric>{content}\
         </GovernmentAgencyGoodsItem></GoodsShipment>"
    )
}

#[test]
fn an_attribute_a_class_and_a_member_of_a_list_are_changed_added_and_removed() {
    let measure =
        "<Commodity><GoodsMeasure><NetNetWeightMeasure>9.5</NetNetWeightMeasure></GoodsMeasure></Commodity>";
    check(
        &["42A[1]/67A[1]/68A[2]/23A[1]/65A[1]#128"],
        &item(2, measure),
        &["ITEM/1/commodity/goods_measure/net_net_weight_measure = \"9.5\""],
        &[],
    );
    check(&["42A/67A/68A[2]/95B#062"], "", &["ITEM/1/export_country = null"], &[]);
    check(&["42A/67A/68A[2]/95B"], "", &["ITEM/1/export_country = null"], &[]);
    check(
        &["42A#109"],
        "<InvoiceAmount currencyID=\"EUR\">12700</InvoiceAmount>",
        &["/invoice_amount/amount = \"12700\""],
        &[],
    );
    check(
        &["42A/67A[1]/56A#G005"],
        "<ExitOffice><ID>NL000510</ID></ExitOffice>",
        &["/exit_office = \"NL000510\""],
        &[],
    );
    let documents = "<AdditionalDocument/><AdditionalDocument><CategoryCode>C</CategoryCode><ID>7</ID></AdditionalDocument>";
    check(
        &["42A/67A[1]/68A[1]/02A[2]#D031", "42A/67A[1]/68A[1]/02A[2]#D005"],
        &item(1, documents),
        &[concat!(
            "ITEM/0/additional_document = [{\"category_code\":\"N\",\"id\":\"INV-77\",\"type_code\":\"935\"},",
            "{\"category_code\":\"C\",\"id\":\"7\"}]"
        )],
        &[],
    );
}

#[test]
fn removals_leave_positions_as_they_were() {
    let place = "ITEM/0/packaging = [{\"quantity_quantity\":\"2\",\"type_code\":\"PX\"}]";
    check(&["42A/67A[1]/68A[1]/93A[1]"], "", &[place], &[("total_differs", "TotalPackageQuantity")]);
    let procedures =
        "<GovernmentProcedure/><GovernmentProcedure><CurrentCode>1000</CurrentCode></GovernmentProcedure>";
    check(
        &["42A/67A[1]/68A[1]/70A[1]", "42A/67A[1]/68A[1]/70A[2]#166"],
        &item(1, procedures),
        &["ITEM/0/government_procedure = [{\"current_code\":\"1000\"}]"],
        &[],
    );
}

#[test]
fn items_are_found_by_their_numbers() {
    let content = "<Commodity><Description>cables</Description></Commodity>";
    check(
        &["42A/67A/68A[2]/23A#137"],
        &item(2, content),
        &["ITEM/1/commodity/description = \"cables\""],
        &[],
    );
    let before = example();
    let new = amend(&before, &amendment(&["42A/67A/68A[7]"], &item(7, content)));
    let items = new.declaration.as_ref().unwrap().items();
    assert_eq!((items.len(), items[2].sequence_numeric), (3, Some(7)));
    assert!(told(&new, Severity::Error).iter().any(|(code, _)| *code == "procedure_missing"));
    let gone = amend(&before, &amendment(&["42A/67A/68A[1]"], ""));
    assert_eq!(gone.declaration.unwrap().items()[0].sequence_numeric, Some(2));
}

#[test]
fn what_no_pointer_names_does_not_change_and_is_told() {
    let content = "<Commodity><Description>cables</Description><GoodsMeasure><GrossMassMeasure>11</GrossMassMeasure>\
                   </GoodsMeasure></Commodity><Origin/><Origin><CountryCode>TW</CountryCode></Origin>";
    let place = "goods_shipment/government_agency_goods_item[1]";
    check(
        &["42A/67A/68A[2]/23A#137"],
        &item(2, content),
        &["ITEM/1/commodity/description = \"cables\""],
        &[
            ("amendment_change_not_named", &format!("{place}/commodity/goods_measure/gross_mass_measure")),
            ("amendment_change_not_named", &format!("{place}/origin[2]")),
        ],
    );
}

#[test]
fn a_pointer_at_nothing_refuses_the_amendment() {
    let mass = item(
        2,
        "<Commodity><GoodsMeasure><NetNetWeightMeasure>9.5</NetNetWeightMeasure></GoodsMeasure></Commodity>",
    );
    for (pointers, content, code, found) in [
        (
            &["42A/67A/68A[9]/23A/65A#128"][..],
            mass.as_str(),
            "amendment_points_at_nothing",
            "42A/67A/68A[9]/23A/65A#128",
        ),
        (
            &["42A/67A/68A[2]/23A/65A#130"],
            mass.as_str(),
            "amendment_points_at_nothing",
            "42A/67A/68A[2]/23A/65A#130",
        ),
        (
            &["42A/67A/68A/23A/65A#128"],
            mass.as_str(),
            "amendment_points_at_nothing",
            "42A/67A/68A/23A/65A#128",
        ),
        (&["42A/67A/68A[1]/02A[3]"], "", "amendment_points_at_nothing", "42A/67A/68A[1]/02A[3]"),
        (&["42A/99Z"], "", "amendment_points_at_nothing", "42A/99Z"),
        (&["42A"], "", "amendment_points_at_nothing", "42A"),
        (&["67A/68A[1]"], "", "amendment_points_at_nothing", "67A/68A[1]"),
        (&["42A#D026"], "", "amendment_not_allowed", "42A#D026"),
        (&["42A#D013"], "", "amendment_not_allowed", "42A#D013"),
    ] {
        let amended = amend(&example(), &amendment(pointers, content));
        assert_all_helpful(&amended);
        assert_eq!(amended.declaration, None, "{pointers:?}");
        let first = amended.findings.iter().find(|finding| finding.severity == Severity::Error).unwrap();
        assert_eq!((first.code.as_str(), first.found.as_str()), (code, found));
    }
    let kept = amend(&example(), &amendment(&["42A/67A/68A[1]/35B#016"], ""));
    assert_eq!(
        told(&kept, Severity::Warning),
        [("amendment_not_kept", "GoodsShipment/GovernmentAgencyGoodsItem[1]/UCR/ID")]
    );
    assert_eq!(kept.declaration, Some(example()));
}
