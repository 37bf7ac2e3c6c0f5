//! What is wrong is told with its place; what is understood is kept.

use formats::declaration::{Form, read, write_dms};
use serde_json::{Value, json};
use spine::Severity;

use super::{EXAMPLE, json as read_json, told};
use crate::support::assert_helpful;

const ITEM: &str = "/goods_shipment/government_agency_goods_item/1";

/// The example with one value put in (or taken out) at a JSON pointer.
fn changed(place: &str, value: Option<Value>) -> String {
    let mut declaration: Value = serde_json::from_str(EXAMPLE).unwrap();
    let (parent, member) = place.rsplit_once('/').unwrap();
    let parent = declaration.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(members), Some(value)) => drop(members.insert(member.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(member)),
        (parent, value) => panic!("{parent} {value:?}"),
    }
    declaration.to_string()
}

fn item(place: &str) -> String {
    format!("{ITEM}/{place}")
}

/// One change, what it is refused with, and where.
fn refusals() -> Vec<(String, Option<Value>, &'static str, &'static str)> {
    let second = "goods_shipment/government_agency_goods_item[2]";
    let at = |below: &str| -> &'static str { String::leak(format!("{second}/{below}")) };
    vec![
        ("/functional_reference_id".into(), None, "lrn_missing", "functional_reference_id"),
        (
            "/functional_reference_id".into(),
            Some(json!("X".repeat(23))),
            "lrn_malformed",
            "functional_reference_id",
        ),
        ("/type_code".into(), None, "type_missing", "type_code"),
        ("/type_code".into(), Some(json!("XXA")), "type_unknown", "type_code"),
        ("/declarant".into(), None, "declarant_missing", "declarant"),
        (
            "/goods_shipment/government_agency_goods_item".into(),
            Some(json!([])),
            "item_missing",
            "goods_shipment/government_agency_goods_item",
        ),
        ("/goods_shipment".into(), Some(json!([])), "value_of_another_kind", "goods_shipment"),
        (item("commodity"), Some(json!("chargers")), "value_of_another_kind", at("commodity")),
        (item("origin"), None, "origin_missing", at("origin")),
        (item("customs_value_amount"), None, "value_missing", at("customs_value_amount")),
        (
            item("customs_value_amount/currency"),
            None,
            "currency_missing",
            at("customs_value_amount/currency"),
        ),
        (
            item("customs_value_amount/currency"),
            Some(json!("EURO")),
            "currency_unknown",
            at("customs_value_amount/currency"),
        ),
        (
            item("customs_value_amount/amount"),
            Some(json!(-80)),
            "number_negative",
            at("customs_value_amount/amount"),
        ),
        (
            item("customs_value_amount/amount"),
            Some(json!("1.234,5")),
            "number_not_decimal",
            at("customs_value_amount/amount"),
        ),
        (
            item("customs_value_amount/amount"),
            Some(json!("12345678901234567")),
            "number_too_long",
            at("customs_value_amount/amount"),
        ),
        (
            item("customs_value_amount/amount"),
            Some(json!(true)),
            "value_of_another_kind",
            at("customs_value_amount/amount"),
        ),
        (item("commodity/goods_measure"), None, "mass_missing", at("commodity/goods_measure")),
        (item("government_procedure"), None, "procedure_missing", at("government_procedure")),
        (item("commodity/classification"), None, "commodity_code_missing", at("commodity/classification")),
        (
            item("commodity/classification/0/id"),
            Some(json!("85044")),
            "commodity_code_malformed",
            at("commodity/classification[1]/id"),
        ),
        (
            item("origin/0/country_code"),
            Some(json!("China")),
            "country_not_a_code",
            at("origin[1]/country_code"),
        ),
        (item("sequence_numeric"), Some(json!(1)), "item_number_repeated", at("sequence_numeric")),
        (item("sequence_numeric"), Some(json!("1.5")), "number_not_whole", at("sequence_numeric")),
        (
            item("commodity/description"),
            Some(json!("x".repeat(513))),
            "text_too_long",
            at("commodity/description"),
        ),
        (
            item("commodity/description"),
            Some(json!("a\u{0}b")),
            "text_not_printable",
            at("commodity/description"),
        ),
        (item("packaging"), Some(json!({})), "value_of_another_kind", at("packaging")),
        (item("packaging"), Some(json!(vec![json!({}); 100])), "list_too_long", at("packaging")),
        (
            "/goods_shipment/invoice/issue_date".into(),
            Some(json!("2026-02-30")),
            "date_not_understood",
            "goods_shipment/invoice/issue_date",
        ),
        (
            "/goods_shipment/invoice/issue_date".into(),
            Some(json!("2026-03-02T10:00:00")),
            "date_not_understood",
            "goods_shipment/invoice/issue_date",
        ),
    ]
}

#[test]
fn one_wrong_value_is_one_error_at_its_place_and_the_rest_is_kept() {
    for (place, value, code, pointer) in refusals() {
        let text = changed(&place, value);
        let understood = read_json(&text);
        let errors = told(&understood, Severity::Error);
        assert!(errors.contains(&(code, pointer)), "{place}: {errors:?}");
        // What is left out because it is wrong may be missed as well.
        assert!(
            errors.len() <= 2 || place.ends_with("goods_shipment") || place.ends_with("/commodity"),
            "{place}: {errors:?}"
        );
        assert!(!understood.is_acceptable());
        understood.findings.iter().for_each(assert_helpful);
        let declaration = understood.declaration.unwrap();
        assert_eq!(declaration.consignment.carrier.id.as_deref(), Some("NL555555555"));
    }
}

#[test]
fn what_is_odd_is_told_and_does_not_refuse() {
    let second = "goods_shipment/government_agency_goods_item[2]";
    for (place, value, code, pointer) in [
        ("/declarent".to_owned(), Some(json!({})), "member_unknown", String::new()),
        (item("commodity/descripton"), Some(json!("x")), "member_unknown", format!("{second}/commodity")),
        (
            item("commodity/description"),
            None,
            "description_missing",
            format!("{second}/commodity/description"),
        ),
        (
            item("commodity/description"),
            Some(json!(5)),
            "number_for_text",
            format!("{second}/commodity/description"),
        ),
        (
            item("origin/0/country_code"),
            Some(json!("EU")),
            "country_unknown",
            format!("{second}/origin[1]/country_code"),
        ),
        (
            item("commodity/goods_measure/net_net_weight_measure"),
            Some(json!("10.6")),
            "net_mass_above_gross",
            format!("{second}/commodity/goods_measure/net_net_weight_measure"),
        ),
        (
            item("commodity/transport_equipment/0/id"),
            Some(json!("MSKU9070324")),
            "container_number_odd",
            format!("{second}/commodity/transport_equipment[1]/id"),
        ),
        (
            "/total_package_quantity".to_owned(),
            Some(json!(14)),
            "total_differs",
            "total_package_quantity".to_owned(),
        ),
        (
            "/total_gross_mass_measure".to_owned(),
            Some(json!("431.250001")),
            "total_differs",
            "total_gross_mass_measure".to_owned(),
        ),
        (
            "/goods_item_quantity".to_owned(),
            Some(json!(3)),
            "total_differs",
            "goods_item_quantity".to_owned(),
        ),
        (
            "/goods_shipment/importer".to_owned(),
            None,
            "importer_missing",
            "goods_shipment/importer".to_owned(),
        ),
        (
            "/declaration_office_id".to_owned(),
            None,
            "office_taken_from_elsewhere",
            "declaration_office_id".to_owned(),
        ),
    ] {
        let text = changed(&place, value);
        let understood = read_json(&text);
        assert_eq!(told(&understood, Severity::Information), [(code, pointer.as_str())], "{place}");
        assert!(understood.is_acceptable(), "{place}");
        understood.findings.iter().for_each(assert_helpful);
    }
    let misspelled = changed(&item("commodity/descripton"), Some(json!("x")));
    let finding = &read_json(&misspelled).findings[0];
    assert!(finding.how_to_fix.starts_with("Did you mean \"description\"?"), "{finding}");
}

#[test]
fn codes_are_kept_in_their_canonical_spelling() {
    for (place, written, kept) in [
        (item("commodity/classification/0/id"), json!(" 8504.40 "), "850440"),
        (item("commodity/transport_equipment/0/id"), json!("msku 907032-3"), "MSKU9070323"),
        (item("origin/0/country_code"), json!("cn"), "CN"),
        (item("commodity/description"), json!("two\r\nlines\tmore"), "two lines more"),
        (item("commodity/goods_measure/gross_mass_measure"), json!(10.5), "10.5"),
    ] {
        let understood = read_json(&changed(&place, Some(written)));
        assert_eq!(understood.findings, [], "{place}");
        let declaration = serde_json::to_value(understood.declaration.unwrap()).unwrap();
        assert_eq!(declaration.pointer(&place).unwrap(), kept, "{place}");
    }
}

#[test]
fn numbers_are_taken_digit_by_digit() {
    // As a double it would be 9007199254740992.
    let text = EXAMPLE.replace("\"12600.50\"", "9007199254740993.10");
    let understood = read_json(&text);
    assert_eq!(told(&understood, Severity::Information), []);
    let amount = understood.declaration.unwrap().invoice_amount.unwrap().amount;
    assert_eq!(amount.to_string(), "9007199254740993.10");
    let text = EXAMPLE.replace("\"12600.50\"", "1.26005e4");
    assert_eq!(told(&read_json(&text), Severity::Error)[0].0, "number_not_decimal");
}

#[test]
fn a_member_given_twice_is_refused_because_it_has_two_meanings() {
    let text =
        EXAMPLE.replacen("\"type_code\": \"IMA\"", "\"type_code\": \"IMA\", \"type_code\": \"EXA\"", 1);
    let understood = read_json(&text);
    assert_eq!(told(&understood, Severity::Error), [("member_repeated", "")]);
}

#[test]
fn what_holds_no_declaration_is_refused_with_a_reason() {
    let namespace = "xmlns='urn:wco:datamodel:WCO:DEC-DMS:2'";
    let two = format!("<MetaData>{0}{0}</MetaData>", format_args!("<Declaration {namespace}/>"));
    let bomb = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><MetaData>&b;</MetaData>";
    for (form, text, code) in [
        (Form::Json, " \n", "file_empty"),
        (Form::Json, "[]", "value_of_another_kind"),
        (Form::Json, "{", "json_not_well_formed"),
        (Form::Json, &"[".repeat(100_000), "json_too_deep"),
        (Form::DmsXml, "", "file_empty"),
        (Form::DmsXml, "{}", "xml_not_well_formed"),
        (Form::DmsXml, bomb, "xml_document_type"),
        (Form::DmsXml, &"<a>".repeat(100_000), "xml_too_deep"),
        (Form::DmsXml, "<MetaData><Response/></MetaData>", "declaration_not_found"),
        (Form::DmsXml, &two, "declarations_several"),
    ] {
        let understood = read(text.as_bytes(), form);
        assert_eq!(understood.declaration, None);
        let [finding] = understood.findings.as_slice() else { panic!("{:?}", understood.findings) };
        assert_eq!(finding.code, code);
        assert_helpful(finding);
    }
}

/// Replaced in the example's DMS form | by | code | place
const DMS: [(&str, &str, &str, &str); 10] = [
    ("<FunctionCode>9<", "<FunctionCode>13<", "declaration_not_original", "FunctionCode"),
    ("<FunctionCode>9</FunctionCode>", "", "declaration_not_original", "FunctionCode"),
    (
        " currencyID=\"USD\"",
        "",
        "currency_missing",
        "GoodsShipment/GovernmentAgencyGoodsItem[2]/CustomsValueAmount/@currencyID",
    ),
    (
        ">80<",
        ">80 USD<",
        "number_not_decimal",
        "GoodsShipment/GovernmentAgencyGoodsItem[2]/CustomsValueAmount",
    ),
    (">20260302<", ">2 March 2026<", "date_not_understood", "GoodsShipment/Invoice/IssueDateTime"),
    (
        "<GrossMassMeasure>10.5",
        "<GrossMassMeasure unitCode=\"TNE\">10.5",
        "mass_unit",
        "GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/GoodsMeasure/GrossMassMeasure",
    ),
    (
        "<ID>HK</ID>",
        "<ID>Hong Kong</ID>",
        "country_not_a_code",
        "GoodsShipment/GovernmentAgencyGoodsItem[2]/ExportCountry/ID",
    ),
    (
        "<ID>HK</ID>",
        "<ID>HK</ID><ID>CN</ID>",
        "element_repeated",
        "GoodsShipment/GovernmentAgencyGoodsItem[2]/ExportCountry/ID",
    ),
    (
        "<ID>850440</ID>",
        "<ID>85.0</ID>",
        "commodity_code_malformed",
        "GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Classification[1]/ID",
    ),
    ("<ID>NL123456789</ID>", "", "declarant_missing", "Declarant"),
];

#[test]
fn in_the_dms_form_places_are_named_as_the_data_model_names_them() {
    let xml = String::from_utf8(write_dms(&serde_json::from_str(EXAMPLE).unwrap())).unwrap();
    for (from, to, code, place) in DMS {
        assert!(xml.contains(from), "{from}");
        let understood = read(xml.replacen(from, to, 1).as_bytes(), Form::DmsXml);
        assert!(
            told(&understood, Severity::Error).contains(&(code, place)),
            "{to}: {:?}",
            understood.findings
        );
        understood.findings.iter().for_each(assert_helpful);
        assert!(understood.declaration.is_some());
    }
    let national = xml.replacen("<GoodsShipment>", "<GoodsShipment><UCR><ID>1</ID></UCR>", 1);
    let understood = read(national.as_bytes(), Form::DmsXml);
    assert_eq!(told(&understood, Severity::Information), [("elements_not_read", "")]);
    assert_eq!(understood.findings[0].found, "GoodsShipment/UCR");
    let foreign = xml.replacen("DEC-DMS:2", "DEC-DMS:3", 1);
    let understood = read(foreign.as_bytes(), Form::DmsXml);
    assert_eq!(told(&understood, Severity::Information), [("namespace_unexpected", "")]);
}

#[test]
fn findings_are_bounded_and_the_last_one_says_what_is_left() {
    let mut declaration: Value = serde_json::from_str(EXAMPLE).unwrap();
    let items = vec![json!({}); 1_200];
    *declaration.pointer_mut("/goods_shipment/government_agency_goods_item").unwrap() = json!(items);
    let understood = read_json(&declaration.to_string());
    assert_eq!(understood.findings.len(), 201);
    assert_eq!(understood.findings[0].code, "list_too_long");
    let last = &understood.findings[200];
    assert_eq!((last.code.as_str(), last.severity), ("more_findings", Severity::Error));
    assert_eq!(understood.declaration.unwrap().items().len(), 999);
}

#[test]
fn simplified_declarations_and_clearance_requests_may_say_less() {
    let mut declaration: Value = serde_json::from_str(EXAMPLE).unwrap();
    let item = json!([{ "government_procedure": [{ "current_code": "40" }] }]);
    *declaration.pointer_mut("/goods_shipment/government_agency_goods_item").unwrap() = item;
    for (type_code, codes) in [
        ("IMA", &["commodity_code_missing", "origin_missing", "value_missing", "mass_missing"][..]),
        ("EXD", &["commodity_code_missing", "value_missing", "mass_missing"]),
        ("COZ", &["commodity_code_missing", "origin_missing", "value_missing", "mass_missing"]),
        ("IMC", &["commodity_code_missing"]),
        ("IMJ", &[]),
        ("EXK", &[]),
    ] {
        declaration["type_code"] = json!(type_code);
        let text = declaration.to_string();
        let understood = read_json(&text);
        let errors: Vec<&str> = told(&understood, Severity::Error).iter().map(|(code, _)| *code).collect();
        assert_eq!(errors, codes, "{type_code}");
    }
}

#[test]
fn what_an_item_must_say_depends_on_where_it_goes_and_how_it_is_valued() {
    let mut declaration: Value = serde_json::from_str(EXAMPLE).unwrap();
    for (type_code, item, codes) in [
        (
            "COD",
            json!({ "government_procedure": [{ "current_code": "10", "previous_code": "40" }] }),
            &["value_missing"][..],
        ),
        (
            "COD",
            json!({ "government_procedure": [{ "current_code": "40", "previous_code": "00" }] }),
            &["origin_missing", "value_missing", "mass_missing"],
        ),
        (
            "IMY",
            json!({ "government_procedure": [{ "current_code": "40", "previous_code": "00" }], "customs_valuation": { "method_code": "4" } }),
            &["origin_missing", "mass_missing"],
        ),
        (
            "IMY",
            json!({ "government_procedure": [{ "current_code": "40", "previous_code": "00" }], "customs_valuation": { "method_code": "1" } }),
            &["origin_missing", "value_missing", "mass_missing"],
        ),
    ] {
        let mut item = item;
        item["commodity"] = json!({
            "classification": [{ "id": "070310", "identification_type_code": "HS" }],
        });
        declaration["type_code"] = json!(type_code);
        *declaration.pointer_mut("/goods_shipment/government_agency_goods_item").unwrap() = json!([item]);
        let understood = read_json(&declaration.to_string());
        let errors: Vec<&str> = told(&understood, Severity::Error).iter().map(|(code, _)| *code).collect();
        assert_eq!(errors, codes, "{type_code} {item}");
    }
}
