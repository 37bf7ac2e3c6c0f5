//! Declarations as they are lodged: understood, refused with a reason, written and read again.

mod bad;
pub(crate) mod laws;
mod published;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use formats::declaration::{Form, Understood, read};
use spine::Severity;

/// The example of the documentation.
pub(crate) const EXAMPLE: &str = include_str!("../../../../../docs/examples/declaration.json");

pub(crate) fn json(text: &str) -> Understood {
    read(text.as_bytes(), Form::Json)
}

/// Codes and places of what is told at or above a severity.
pub(crate) fn told(understood: &Understood, from: Severity) -> Vec<(&str, &str)> {
    let findings = understood.findings.iter().filter(|finding| finding.severity >= from);
    findings.map(|finding| (finding.code.as_str(), finding.pointer.0.as_str())).collect()
}

#[test]
fn the_example_is_understood_without_a_remark_in_both_forms() {
    let understood = json(EXAMPLE);
    assert_eq!(understood.findings, []);
    assert!(understood.is_acceptable());
    let declaration = understood.declaration.unwrap();
    assert_eq!(declaration, serde_json::from_str(EXAMPLE).unwrap());
    let xml = formats::declaration::write_dms(&declaration);
    let again = read(&xml, Form::DmsXml);
    assert_eq!(again.findings, []);
    assert_eq!(again.declaration.as_ref(), Some(&declaration));
    insta::assert_snapshot!(String::from_utf8(xml).unwrap());
}

#[test]
fn the_guide_shows_a_declaration_that_is_accepted_and_explains_every_finding() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(folder.join("../../docs/declarations.md")).unwrap();
    let (_, smallest) = guide.split_once("```json\n").unwrap();
    assert_eq!(json(smallest.split("```").next().unwrap()).findings, []);
    // What stands in quotes in snake_case is a code, save for the names of the shape.
    let mut codes = BTreeSet::new();
    for file in fs::read_dir(folder.join("src/declaration")).unwrap() {
        let path = file.unwrap().path();
        if path.ends_with("shape.rs") || path.ends_with("names.rs") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let is_code = |quoted: &&str| {
            quoted.contains('_') && quoted.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        codes.extend(text.split('"').filter(is_code).map(str::to_owned));
    }
    assert!(codes.len() > 40, "{codes:?}");
    let untold: Vec<_> = codes.iter().filter(|code| !guide.contains(&format!("`{code}`"))).collect();
    assert_eq!(untold, Vec::<&String>::new());
}

#[test]
fn forms_are_told_from_media_types_and_first_bytes() {
    for (content_type, form) in [
        ("application/json", Some(Form::Json)),
        ("Application/JSON; charset=utf-8", Some(Form::Json)),
        ("application/vnd.example+json", Some(Form::Json)),
        ("text/xml;charset=UTF-16", Some(Form::DmsXml)),
        ("application/xml", Some(Form::DmsXml)),
        ("application/vnd.hmrc.2.0+xml", Some(Form::DmsXml)),
        ("text/csv", None),
        ("json", None),
        ("", None),
    ] {
        assert_eq!(Form::from_content_type(content_type), form, "{content_type}");
    }
    for (bytes, form) in [
        (&b"{}"[..], Some(Form::Json)),
        (b"\xEF\xBB\xBF\n [", Some(Form::Json)),
        (b"\xFF\xFE<\0?\0", Some(Form::DmsXml)),
        (b"\0<\0?", Some(Form::DmsXml)),
        (b"  <MetaData/>", Some(Form::DmsXml)),
        (b"UNA:+", None),
        (b"", None),
    ] {
        assert_eq!(Form::sniff(bytes), form, "{bytes:?}");
    }
}
