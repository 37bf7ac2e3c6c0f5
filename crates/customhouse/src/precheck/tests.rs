use std::sync::Arc;

use spine::Severity;

use super::*;
use crate::declarations::tests::{World, trader};
use crate::declarations::{Channel, LodgeRequest, Progress};

const ENTRY_SUMMARY: &str = "<ie:CC315A xmlns:ie=\"urn:ie\">\n  <HEAHEA>\n    <RefNumHEA4>LRN-1</RefNumHEA4>\n    <TotNumOfIteHEA305>2</TotNumOfIteHEA305>\n  </HEAHEA>\n  <GOOITEGDS><IteNumGDS7>1</IteNumGDS7></GOOITEGDS>\n</ie:CC315A>";

const DECLARATION: &str = "<MetaData xmlns=\"urn:wco:datamodel:WCO:DocumentMetaData-DMS:2\">\n<Declaration xmlns=\"urn:wco:datamodel:WCO:DEC-DMS:2\">\n<FunctionCode>9</FunctionCode>\n<FunctionalReferenceID>LRN 1/2</FunctionalReferenceID>\n<TypeCode>IMQQ</TypeCode>\n<GoodsItemQuantity>many</GoodsItemQuantity>\n</Declaration>\n</MetaData>";

/// A day on which declarations are looked at.
const DAY: Date = jiff::civil::date(2026, 3, 31);

fn checker() -> Checker {
    Checker::of(&Registry::built_in(), Sensitivity::Public, DAY).unwrap()
}

fn checked(bytes: &[u8]) -> CheckedFile {
    checker().check(bytes).unwrap()
}

fn line_of(file: &CheckedFile, code: &str) -> (usize, String) {
    let found = file.findings.iter().find(|own| own.finding.code == code);
    let found = found.unwrap_or_else(|| panic!("{code}: {:?}", file.findings));
    let excerpt = found.excerpt.clone().unwrap();
    (excerpt.line, excerpt.element)
}

#[test]
fn an_entry_summary_is_held_against_the_rules_that_look_at_it_and_each_finding_shows_its_element() {
    let file = checked(ENTRY_SUMMARY.as_bytes());
    assert_eq!((file.kind, file.document.as_str(), file.acceptable), (MessageKind::Ruled, "CC315A", false));
    assert!(file.checked_by.iter().any(|by| by.pack == "ens-entry-summary" && by.rules >= 40));
    let total = file.findings.iter().find(|own| {
        own.excerpt.as_ref().is_some_and(|excerpt| excerpt.element.starts_with("<TotNumOfIteHEA305>2"))
    });
    let total = total.unwrap_or_else(|| panic!("2 items are announced, 1 is there: {:?}", file.findings));
    assert_eq!(total.excerpt.as_ref().unwrap().line, 4);
    let (message, fix) = total.words.as_ref().unwrap();
    for language in [spine::Language::En, spine::Language::Zh] {
        assert!(!message.in_language(language).is_empty() && !fix.in_language(language).is_empty());
    }
}

#[test]
fn a_declaration_is_read_as_at_lodgement_and_each_finding_shows_its_element() {
    let file = checked(DECLARATION.as_bytes());
    assert_eq!((file.kind, file.acceptable), (MessageKind::DeclarationXml, false));
    assert_eq!(file.reference.as_deref(), Some("LRN 1/2"));
    let lines: Vec<usize> =
        file.findings.iter().filter_map(|own| own.excerpt.as_ref()).map(|excerpt| excerpt.line).collect();
    assert!(lines.contains(&5) && lines.contains(&6), "{:?}", file.findings);
    let json = checked(br#"{"type_code": "IMQQ"}"#);
    assert_eq!((json.kind, json.acceptable), (MessageKind::DeclarationJson, false));
    assert!(json.findings.iter().all(|own| own.excerpt.is_none() && !own.finding.how_to_fix.is_empty()));
}

#[test]
fn what_is_no_message_says_what_would_be() {
    let broken = checked(b"<CC315A>\n<HEAHEA></CC315A>");
    assert_eq!((broken.acceptable, line_of(&broken, "xml_not_well_formed").0), (false, 2));
    let entities = checked(b"<!DOCTYPE a [<!ENTITY b \"c\">]>\n<CC315A>&b;</CC315A>");
    assert_eq!(line_of(&entities, "xml_document_type").0, 1);
    assert!(!checked(b"").acceptable);
    let other = checker().check(b"<Invoice/>").unwrap_err();
    assert_eq!((other.kind, other.code.as_str()), (Kind::Refused, "message_unknown"));
}

#[test]
fn places_that_only_the_house_knows_are_spelled_as_the_message_spells_them() {
    let check = |json: &str, xml: &str| assert_eq!(in_xml(&Pointer(json.to_owned())).0, xml);
    check("functional_reference_id", "FunctionalReferenceID");
    check("declarant/id", "Declarant/ID");
    check("goods_shipment/importer", "GoodsShipment/Importer");
}

/// A folder that looks like what an administration publishes: two schemas, of which one is used.
fn with_schema() -> Checker {
    let summary = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="CC315A"><xs:complexType><xs:sequence>
        <xs:element name="HEAHEA"><xs:complexType><xs:sequence><xs:element name="RefNumHEA4"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="5"/></xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element></xs:schema>"#;
    let folder = tempfile::tempdir().unwrap();
    let (published, packs) = (folder.path().join("published"), folder.path().join("packs"));
    std::fs::create_dir(&published).unwrap();
    std::fs::write(published.join("CC315A-v11-2-New.xsd"), summary).unwrap();
    std::fs::write(published.join("CC313A-v11-2-New.xsd"), summary.replace("CC315A", "CC313A")).unwrap();
    let mut registry = Registry::open(&packs).unwrap();
    registry.install(&published).unwrap();
    Checker::of(&registry, Sensitivity::Public, DAY).unwrap()
}

#[test]
fn an_installed_schema_is_applied_and_where_there_is_none_that_is_said() {
    assert_eq!(checked(ENTRY_SUMMARY.as_bytes()).schema, None);
    let message = "<CC315A>\n<HEAHEA>\n<RefNumHEA4>LRN-000001</RefNumHEA4>\n<Other/>\n</HEAHEA>\n</CC315A>";
    let file = with_schema().check(message.as_bytes()).unwrap();
    assert_eq!(file.schema.as_ref().unwrap().pack, "external-entry-summary-schemas");
    let by_schema: Vec<_> = file
        .findings
        .iter()
        .filter(|own| own.finding.code.starts_with("xsd_"))
        .map(|own| (own.excerpt.as_ref().unwrap().line, own.excerpt.as_ref().unwrap().element.as_str()))
        .collect();
    assert_eq!(
        by_schema,
        [(3, "<RefNumHEA4>LRN-000001</RefNumHEA4>"), (4, "<Other/>")],
        "{:?}",
        file.findings
    );
}

/// A declaration for an administration that asks rules of its own, with a quota of another customs territory on the
/// second item, whose number is 1.
const QUOTA: &str = "<MetaData xmlns=\"urn:wco:datamodel:WCO:DocumentMetaData-DMS:2\"><ResponsibleCountryCode>GB</ResponsibleCountryCode>\n<Declaration xmlns=\"urn:wco:datamodel:WCO:DEC-DMS:2\"><FunctionCode>9</FunctionCode><FunctionalReferenceID>LRN-7</FunctionalReferenceID><TypeCode>IMA</TypeCode><Declarant><ID>NL0001</ID></Declarant>\n<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric></GovernmentAgencyGoodsItem>\n<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity><DutyTaxFee><DutyRegimeCode>120</DutyRegimeCode>\n<QuotaOrderID>091234</QuotaOrderID></DutyTaxFee></Commodity></GovernmentAgencyGoodsItem></GoodsShipment></Declaration></MetaData>";

#[test]
fn a_rule_on_declarations_is_answered_with_its_code_and_place_and_shows_its_element() {
    let file = checked(QUOTA.as_bytes());
    let quota = file.findings.iter().find(|own| own.finding.code == "CDS12144").unwrap();
    assert_eq!(quota.validation_code.as_deref(), Some("CDS12144"));
    let place = quota.wco_pointer.as_ref().unwrap().to_string();
    assert_eq!(place, "42A/67A[1]/68A[1]/23A/50A[1]#401");
    assert_eq!(line_of(&file, "CDS12144"), (5, "<QuotaOrderID>091234</QuotaOrderID>".to_owned()));
    assert!(quota.words.is_some() && quota.legal_basis.is_some());
    // What the structure says is answered with the published code of its kind.
    let missing = file.findings.iter().find(|own| own.finding.code == "procedure_missing").unwrap();
    assert_eq!(missing.validation_code.as_deref(), Some("DMS10001"));
    // No list of offices is installed: what only it decides is not asked, and that is said.
    let by = file.checked_by.iter().find(|by| by.pack == "dms-declaration").unwrap();
    assert!(by.rules >= 30 && by.rules_not_asked == 5, "{by:?}");
    assert!(by.lists_missing.iter().any(|list| list == "offices_of_exit"), "{by:?}");
    let other = QUOTA.replace(">GB<", ">FR<");
    assert!(checked(other.as_bytes()).findings.iter().all(|own| own.finding.code != "CDS12144"));
}

#[test]
fn a_checker_is_kept_until_a_pack_changes_and_a_broken_pack_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(&folder.path().join("packs")).unwrap();
    let checkers = Checkers::default();
    let first = checkers.of(&registry, Sensitivity::Public, DAY);
    assert!(Arc::ptr_eq(&first, &checkers.of(&registry, Sensitivity::Public, DAY)));
    assert!(!Arc::ptr_eq(&first, &checkers.of(&registry, Sensitivity::Official, DAY)));

    let own = folder.path().join("own-rules");
    std::fs::create_dir(&own).unwrap();
    let manifest = r#"
        id = "own-rules"
        version = "1.0.0"
        kind = "rules"
        title = { en = "Own rules", zh = "自有规则" }
        owner = "Test unit"
        legal_basis = "None"
        sensitivity = "public"
        licence = "Apache-2.0"
    "#;
    let rules = r#"
        [document]
        roots = ["Declaration"]
        [[rule]]
        id = "broken"
        code = "BROKEN"
        context = "/"
        severity = "error"
        when = "has("
        message = { en = "Broken.", zh = "违反。" }
        how_to_fix = { en = "Mend it.", zh = "请更正。" }
    "#;
    std::fs::write(own.join("pack.toml"), manifest).unwrap();
    std::fs::write(own.join("rules.toml"), rules).unwrap();
    let report = registry.install(&own).unwrap();
    assert!(report.installed.is_some(), "{:?}", report.findings);
    let second = checkers.of(&registry, Sensitivity::Public, DAY);
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(Checker::of(&registry, Sensitivity::Public, DAY).is_err());
    let still = second.check(QUOTA.as_bytes()).unwrap();
    assert!(still.findings.iter().any(|own| own.finding.code == "CDS12144"));
}

#[test]
fn what_the_public_rules_refuse_is_rejected_when_it_is_lodged_and_the_receipt_names_the_schema() {
    let world = World::with_policies(false);
    let request = LodgeRequest { bytes: QUOTA.as_bytes().to_vec(), form: None, channel: Channel::Api };
    let receipt = world.house.lodge(&trader(), request).unwrap();
    assert_eq!(receipt.schema.as_deref(), Some(SCHEMA_NOT_APPLIED));
    let quota = receipt.findings.iter().find(|finding| finding.code == "CDS12144").unwrap();
    assert_eq!(quota.severity, Severity::Error);
    let place = "GoodsShipment[1]/GovernmentAgencyGoodsItem[2]/Commodity[1]/DutyTaxFee[1]/QuotaOrderID[1]";
    assert_eq!(quota.pointer.0, place);
    assert_eq!(receipt.progress, Progress::Rejected);
}

#[test]
fn the_receipt_of_a_declaration_that_comes_again_names_the_schema_that_its_first_receipt_named() {
    let world = World::with_policies(false);
    let declaration = crate::declarations::tests::declaration("LRN-SCHEMA");
    let first = world.lodge(&declaration).unwrap();
    assert_eq!(first.schema.as_deref(), Some(SCHEMA_NOT_APPLIED));
    let again = |world: &World| {
        let receipt = world.lodge(&declaration).unwrap();
        assert!(receipt.repeated);
        receipt.schema
    };
    assert_eq!(again(&world), first.schema);
    // Also where it is read from the journal, and whatever would be applied by now.
    let head = world.house.journal_position();
    let _ = world.house.wait_until_shown(head, std::time::Duration::from_secs(60));
    let world = world.closed(|data| std::fs::remove_dir_all(data.join("read-models")).unwrap());
    assert_eq!(again(&world), first.schema);
}

/// A declaration in JSON that breaks no rule, with one thing changed.
fn in_json(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut declaration = crate::declarations::tests::declaration("LRN-JSON");
    change(&mut declaration);
    declaration.to_string().into_bytes()
}

fn item(declaration: &mut serde_json::Value) -> &mut serde_json::Value {
    &mut declaration["goods_shipment"]["government_agency_goods_item"][0]
}

#[test]
fn a_declaration_in_json_is_asked_what_its_form_has_a_place_for_and_nothing_else() {
    use serde_json::json;
    let check = |change: &dyn Fn(&mut serde_json::Value), expected: &[(&str, &str, &str, &str)]| {
        let file = checked(&in_json(change));
        let errors = file.findings.iter().filter(|own| own.finding.severity == Severity::Error);
        let told: Vec<_> = errors
            .map(|own| {
                let pointer = own.wco_pointer.as_ref().map(ToString::to_string).unwrap_or_default();
                (own.finding.code.clone(), own.finding.pointer.0.clone(), own.finding.found.clone(), pointer)
            })
            .collect();
        let told: Vec<(&str, &str, &str, &str)> =
            told.iter().map(|own| (&*own.0, &*own.1, &*own.2, &*own.3)).collect();
        assert_eq!(told, expected);
    };
    let goods = "goods_shipment/government_agency_goods_item[1]";
    check(&|_| {}, &[]);
    let net = format!("{goods}/commodity/goods_measure/net_net_weight_measure");
    check(
        &|own| item(own)["commodity"]["goods_measure"]["net_net_weight_measure"] = json!("13"),
        &[("CDS11006", &net, "13", "42A/67A[1]/68A[1]/23A/65A#128")],
    );
    let measure = |own: &mut serde_json::Value, mass: serde_json::Value| {
        item(own)["commodity"]["goods_measure"]["net_net_weight_measure"] = mass;
    };
    check(&|own| measure(own, json!(null)), &[("DMS10001", &net, "", "42A/67A[1]/68A[1]/23A/65A#128")]);
    // What could not be read is not missing besides.
    check(
        &|own| measure(own, json!("ten")),
        &[("number_not_decimal", &net, "ten", "42A/67A[1]/68A[1]/23A/65A#128")],
    );
    check(
        &|own| own["type_code"] = json!("IMC"),
        &[("CDS12120", "authorisation_holder[1]", "", "42A/17C[1]")],
    );
    check(
        &|own| {
            own["type_code"] = json!("IMC");
            own["authorisation_holder"] = json!([{ "id": "NL0001", "category_code": "SDE" }]);
        },
        &[],
    );
    // The warehouse has no place in JSON, nor has the day of acceptance of a supplementary declaration.
    check(&|own| item(own)["government_procedure"][0]["current_code"] = json!("71"), &[]);
    check(&|own| own["type_code"] = json!("IMZ"), &[]);
    // What one country asks is asked where a message names it.
    let uk = |own: &mut serde_json::Value| item(own)["government_procedure"][0]["current_code"] = json!("42");
    check(&uk, &[]);
    let by = checked(&in_json(|_| {})).checked_by;
    let by = by.iter().find(|by| by.pack == "dms-declaration").unwrap();
    assert!(by.rules >= 15 && by.rules_of_xml >= 3, "{by:?}");
}

#[test]
fn an_authorisation_is_asked_for_on_the_day_of_the_declaration_in_both_forms() {
    let (folder, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let register = "holder,type,valid_from,valid_to\nNL0001,SDE,2026-01-01,2026-06-30\nNL0001,IPO,,\n";
    std::fs::write(source.path().join("authorisations.csv"), register).unwrap();
    let mut registry = Registry::open(&folder.path().join("packs")).unwrap();
    assert!(registry.install(source.path()).unwrap().installed.is_some());
    let checkers = Checkers::default();
    let stating = |kind: &str| {
        in_json(|own| {
            own["type_code"] = serde_json::json!("IMC");
            let stated = [("NL0001", "SDE"), ("NL0001", kind)];
            let stated = stated.map(|(id, kind)| serde_json::json!({ "id": id, "category_code": kind }));
            own["authorisation_holder"] = serde_json::json!(stated);
        })
    };
    for (day, kind, json, xml) in [
        ("2025-12-31", "IPO", Some("authorisation_holder[1]/category_code"), Some("AuthorisationHolder[1]")),
        ("2026-01-01", "IPO", None, None),
        ("2026-06-30", "IPO", None, None),
        ("2026-07-01", "IPO", Some("authorisation_holder[1]/category_code"), Some("AuthorisationHolder[1]")),
        ("2026-06-30", "OPO", Some("authorisation_holder[2]/category_code"), Some("AuthorisationHolder[2]")),
    ] {
        let checker = checkers.of(&registry, Sensitivity::Public, day.parse().unwrap());
        let bytes = stating(kind);
        let content: Declaration = serde_json::from_slice(&bytes).unwrap();
        for (bytes, place) in [(bytes, json), (declaration::write_dms(&content), xml)] {
            let file = checker.check(&bytes).unwrap();
            let wrong: Vec<_> = file.findings.iter().filter(|own| own.finding.code == "CDS12007").collect();
            assert_eq!(wrong.len(), usize::from(place.is_some()), "{day} {kind}: {:?}", file.findings);
            for own in wrong {
                assert!(own.finding.pointer.0.starts_with(place.unwrap()), "{:?}", own.finding);
                assert!(!own.finding.how_to_fix.is_empty() && own.wco_pointer.is_some());
            }
        }
    }
}
