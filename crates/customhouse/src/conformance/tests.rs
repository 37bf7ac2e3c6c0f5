//! Suites on cases made here, and on the published ones where they are.

use std::fs;
use std::path::{Path, PathBuf};

use super::run;

const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="m"><xs:complexType>
  <xs:sequence><xs:element name="n" type="xs:int"/></xs:sequence></xs:complexType></xs:element></xs:schema>"#;

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Transit messages: one valid, one not, one without a verdict.
fn transit(expectations: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "ncts5/xsd/m.xsd", SCHEMA);
    write(folder.path(), "ncts5/samples/good.xml", "<m><n>1</n></m>");
    write(folder.path(), "ncts5/samples/bad.xml", "<m><n>x</n></m>");
    write(folder.path(), "ncts5/samples/open.xml", "<m><n>1</n>");
    write(folder.path(), "ncts5/expected.json", expectations);
    folder
}

#[test]
fn a_board_tells_agreement_disagreement_and_what_was_skipped() {
    let folder = transit(
        r#"{"good.xml": {"xsd": "m.xsd", "xsd_valid": true}, "bad.xml": {"xsd": "m.xsd", "xsd_valid": true},
            "open.xml": {"xsd": "m.xsd", "xsd_valid": null}}"#,
    );
    let board = run("ncts", folder.path()).unwrap();
    assert_eq!((board.last_line().as_str(), board.agrees()), ("ncts: 1/2", false));
    let disagreements: Vec<_> = board.disagreements().collect();
    assert_eq!(disagreements.len(), 1);
    let case = disagreements[0];
    assert_eq!(
        (case.case.as_str(), case.expected.as_str(), case.got.as_str()),
        ("bad.xml", "valid", "refused")
    );
    assert!(case.because.as_ref().unwrap().contains("m[1]/n[1]"), "{case:?}");
    assert_eq!(board.skipped.len(), 1);
    assert_eq!(board.skipped[0].case, "open.xml");
}

/// What comes out must not depend on what is expected.
#[test]
fn expectations_swapped_for_garbage_change_nothing_of_what_comes_out() {
    let got = |expectations: &str| -> Vec<(String, String)> {
        let board = run("ncts", transit(expectations).path()).unwrap();
        board.cases.into_iter().map(|case| (case.case, case.got)).collect()
    };
    let verdicts = |good: bool, bad: bool, open: bool| {
        format!(
            r#"{{"good.xml": {{"xsd": "m.xsd", "xsd_valid": {good}}}, "bad.xml": {{"xsd": "m.xsd", "xsd_valid": {bad}}},
                "open.xml": {{"xsd": "m.xsd", "xsd_valid": {open}}}}}"#
        )
    };
    let said = got(&verdicts(true, false, false));
    let expected = [("bad.xml", "refused"), ("good.xml", "valid"), ("open.xml", "refused")];
    assert_eq!(said, expected.map(|(case, got)| (case.to_owned(), got.to_owned())));
    for wrong in [verdicts(false, true, true), verdicts(true, true, true), verdicts(false, false, false)] {
        assert_eq!(got(&wrong), said);
    }
}

#[test]
fn declarations_are_found_in_their_wrapper_and_notifications_get_their_namespaces() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| write(folder.path(), path, text);
    let schema = |target: &str, inner: &str| {
        format!(
            r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{target}" elementFormDefault="qualified">{inner}</xs:schema>"#
        )
    };
    let envelope = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2";
    let body = "urn:wco:datamodel:WCO:RES-DMS:2";
    let any = |namespace: &str| {
        format!(
            r#"<xs:element name="MetaData"><xs:complexType><xs:sequence><xs:any namespace="{namespace}"/></xs:sequence></xs:complexType></xs:element>"#
        )
    };
    write("cds-wco-dms/xsd/driver-declaration.xsd", &schema(envelope, &any("d")));
    write(
        "cds-wco-dms/xsd/driver-notification.xsd",
        &schema(
            envelope,
            &format!(r#"<xs:import namespace="{body}" schemaLocation="body.xsd"/>{}"#, any(body)),
        ),
    );
    write(
        "cds-wco-dms/xsd/body.xsd",
        &schema(
            body,
            r#"<xs:element name="Response"><xs:complexType><xs:sequence><xs:element name="Code" type="xs:int"/></xs:sequence></xs:complexType></xs:element>"#,
        ),
    );
    write("wrapped.xml", &format!("<w><MetaData xmlns='{envelope}'><x xmlns='other'/></MetaData></w>"));
    write("good.xml", "<MetaData><Response><Code>1</Code></Response></MetaData>");
    write("bad.xml", "<MetaData><Response><Code>x</Code></Response></MetaData>");
    write("tail.xml", "<MetaData/>\nheaders=List()");
    write("other.xml", "<x/>");
    write(
        "cds-xsd-expected.json",
        r#"{"wrapped.xml": {"kind": "declaration", "xsd_valid": false, "first_error": "-"},
            "good.xml": {"kind": "response-bare", "xsd_valid": true}, "bad.xml": {"kind": "response-bare", "xsd_valid": false},
            "tail.xml": {"kind": "malformed", "note": "-"}, "other.xml": {"kind": "x", "xsd_valid": null}}"#,
    );
    let board = run("cds-xsd", folder.path()).unwrap();
    assert_eq!(board.last_line(), "cds-xsd: 4/4", "{board:?}");
    assert_eq!(board.skipped.len(), 1);
}

/// A declaration of the DMS profile in our own words.
fn declaration(reference: &str, kind: &str) -> String {
    format!(
        r#"<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"><Declaration>
        <FunctionCode>9</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID><TypeCode>{kind}</TypeCode>
        <GoodsItemQuantity>1</GoodsItemQuantity><DeclarationOfficeID>NL000510</DeclarationOfficeID>
        <BorderTransportMeans><ModeCode>1</ModeCode></BorderTransportMeans><Declarant><ID>NL0001</ID></Declarant>
        <Exporter><ID>CN0001</ID></Exporter><GoodsShipment><ExportCountry><ID>CN</ID></ExportCountry>
        <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
        <CustomsValueAmount currencyID="EUR">1200.50</CustomsValueAmount><Commodity><Description>garden chairs</Description>
        <Classification><ID>940171</ID></Classification><GoodsMeasure><GrossMassMeasure>12</GrossMassMeasure>
        <NetNetWeightMeasure>10</NetNetWeightMeasure></GoodsMeasure></Commodity>
        <GovernmentProcedure><CurrentCode>40</CurrentCode><PreviousCode>00</PreviousCode></GovernmentProcedure>
        <Origin><CountryCode>CN</CountryCode></Origin><Packaging><QuantityQuantity>10</QuantityQuantity><TypeCode>CT</TypeCode></Packaging>
        </GovernmentAgencyGoodsItem><Importer><ID>NL0001</ID></Importer></GoodsShipment></Declaration></md:MetaData>"#
    )
}

/// Lives with their classes as recorded; what comes out must come from the messages and the steps alone.
#[test]
fn lives_come_out_of_messages_and_steps_whatever_classes_were_recorded() {
    let got = |classes: [&str; 6]| -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let given = [
            ("A", "IMA", ""),
            ("B", "IMD", "\"arrival\""),
            ("C", "IMA", "\"documents\""),
            ("D", "IMA", "\"control\""),
            ("E", "IMA", "\"insufficient_funds\""),
            ("F", "IMD", ""),
        ];
        let mut scenarios = Vec::new();
        for ((name, kind, steps), class) in given.into_iter().zip(classes) {
            let path = format!("{name}/{name}.xml");
            write(folder.path(), &format!("cds-wco-dms/samples/{path}"), &declaration(name, kind));
            scenarios.push(format!(
                r#""{name}": {{"class": "{class}", "codes_seen": ["{class}"], "source": "{class}", "judged": true,
                    "inputs": [{{"file": "{path}", "kind": "declaration"}}], "given": [{steps}]}}"#
            ));
        }
        let text = format!("{{{}}}", scenarios.join(","));
        write(folder.path(), "cds-wco-dms/lifecycle-classes.json", &text);
        let board = run("cds-lifecycle", folder.path()).unwrap();
        assert!(board.lines.iter().any(|line| line.starts_with("class ")), "{:?}", board.lines);
        board.cases.into_iter().map(|case| (case.case, case.got)).collect()
    };
    let right = ["cleared", "cleared", "documents", "controlled", "held", "other"];
    let said: Vec<_> = got(right).into_iter().map(|(_, got)| got).collect();
    assert_eq!(said, right);
    let garbage = ["rejected", "", "cancelled", "exited", "no such class", "cleared"];
    assert_eq!(got(garbage), got(right));
}

#[test]
fn tax_lines_are_recomputed_and_what_arithmetic_cannot_tell_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let line = |kind: &str, base: &str, rate: &str, deduct: &str, assessed: &str| {
        format!(
            r#"{{"item": "1", "type": "{kind}", "regime": "100", "base": {base}, "quantity": null, "rate": {rate}, "deduct": {deduct}, "assessed": "{assessed}", "payable": null}}"#
        )
    };
    let lines = [
        line("A00", "\"123.49\"", "\"10.00\"", "\"0.00\"", "12.34"),
        line("B00", "\"1000.00\"", "\"16.00\"", "\"160.00\"", "0.00"),
        // A rate of 0.164 that is printed as 0.16; a relief that is not shown; a sum; and something wrong.
        line("A70", "\"10000.00\"", "\"0.16\"", "\"0.00\"", "16.40"),
        line("A50", "\"12500.00\"", "\"4.90\"", "null", "0.00"),
        line("MDC", "null", "null", "null", "160.00"),
        line("A00", "\"100.00\"", "\"10.00\"", "\"0.00\"", "11.00"),
    ];
    let text =
        format!(r#"{{"S": [{{"file": "S/13.xml", "status": ["4"], "lines": [{}]}}]}}"#, lines.join(","));
    write(folder.path(), "cds-wco-dms/expected-tax.json", &text);
    let board = run("cds-tax", folder.path()).unwrap();
    assert_eq!(board.last_line(), "cds-tax: 3/4", "{board:?}");
    assert_eq!(board.lines, ["S/13.xml, line 3: item 1, A70: 16.40 by a rate that was rounded in print"]);
    let skipped: Vec<_> = board.skipped.iter().map(|skipped| skipped.case.as_str()).collect();
    assert_eq!(skipped, ["S/13.xml, line 5: item 1, MDC", "S/13.xml, line 4: item 1, A50"]);
    let wrong = board.disagreements().next().unwrap();
    assert_eq!((wrong.expected.as_str(), wrong.got.as_str()), ("11.00", "10.00"));
}

#[test]
fn entry_summaries_are_held_against_rules_only_where_the_schema_lets_them_pass() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| write(folder.path(), path, text);
    let schema = |root: &str| SCHEMA.replace("name=\"m\"", &format!("name=\"{root}\""));
    for (number, message) in [("315", "CC315A"), ("313", "CC313A")] {
        write(&format!("ens-ics/xsd/{message}-v11-2-New.xsd"), &schema(message));
        write(&format!("ens-ics/ie{number}-rules/good.xml"), &format!("<{message}><n>1</n></{message}>"));
        write(&format!("ens-ics/ie{number}-rules/bad.xml"), &format!("<{message}><n>x</n></{message}>"));
        write(
            &format!("ens-ics/ie{number}-rules/expected.json"),
            r#"{"good.xml": [{"code": "8688", "location": "elsewhere", "text": "-"}], "bad.xml": [{"text": "-"}]}"#,
        );
    }
    let board = run("ens-rules", folder.path()).unwrap();
    assert_eq!(board.last_line(), "ens-rules: 2/4", "{board:?}");
    for case in board.disagreements() {
        assert!(case.got.contains("8688 /ie:CC31") && case.expected == "8688 elsewhere", "{case:?}");
    }
}

#[test]
fn what_is_missing_or_leads_outside_is_an_error_with_its_remedy() {
    let empty = tempfile::tempdir().unwrap();
    let outside = transit(r#"{"../../../secret.xml": {"xsd": "m.xsd", "xsd_valid": true}}"#);
    let none = transit("{}");
    let broken = transit("[");
    let unknown_schema = transit(r#"{"good.xml": {"xsd": "n.xsd", "xsd_valid": true}}"#);
    for (suite, folder, code) in [
        ("nothing", empty.path(), "conformance_suite_unknown"),
        ("ncts", empty.path(), "conformance_folder_unreadable"),
        ("ncts", &empty.path().join("nowhere"), "conformance_cases_missing"),
        ("ncts", none.path(), "conformance_cases_missing"),
        ("ncts", broken.path(), "conformance_expectations_unreadable"),
        ("ncts", outside.path(), "conformance_path_outside"),
        ("ncts", unknown_schema.path(), "schema_file_missing"),
    ] {
        let error = run(suite, folder).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(!error.how_to_fix.is_empty());
    }
}

#[test]
fn published_suites_agree_in_every_case() {
    let root = std::env::var_os("TIDEWAITER_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    for (suite, needs) in [
        ("cds-lifecycle", "cds-wco-dms/lifecycle-classes.json"),
        ("cds-reject", "cds-accept-reject"),
        ("cds-rules", "cds-wco-dms/lifecycle-classes.json"),
        ("cds-tax", "cds-wco-dms/expected-tax.json"),
        ("cds-xsd", "cds-xsd-expected.json"),
        ("ens-rules", "ens-ics"),
        ("ens-schema", "ens-ics"),
        ("ncts", "ncts5/expected.json"),
    ] {
        if !root.join("messages").join(needs).exists() {
            println!("skipped: {suite} (no {})", root.join("messages").display());
            continue;
        }
        let board = run(suite, &root).unwrap();
        let disagreements: Vec<_> = board.disagreements().collect();
        assert!(disagreements.is_empty(), "{} {disagreements:#?}", board.last_line());
    }
}
