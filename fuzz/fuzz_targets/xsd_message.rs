//! Any bytes as a message against a schema of many constructs. What another reader of XML refuses is never valid here.
#![no_main]

use std::sync::OnceLock;

use formats::{XmlBounds, XmlText};
use libfuzzer_sys::fuzz_target;
use xsd::{Entry, Files, Limits, Schema};

const SCHEMA: &str = r###"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="m" targetNamespace="m" elementFormDefault="qualified">
  <xs:element name="r"><xs:complexType><xs:sequence>
    <xs:element name="a" type="T" minOccurs="0" maxOccurs="9"/>
    <xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element name="b" type="xs:decimal"/><xs:element name="c" type="xs:dateTime"/></xs:choice>
    <xs:element name="m" minOccurs="0"><xs:complexType mixed="true"><xs:sequence><xs:element ref="r" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
    <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence><xs:attribute name="id" type="xs:ID"/><xs:attribute name="to" type="xs:IDREFS"/><xs:anyAttribute namespace="##other" processContents="lax"/></xs:complexType></xs:element>
  <xs:complexType name="T"><xs:simpleContent><xs:extension base="S"><xs:attribute name="q" type="xs:QName"/></xs:extension></xs:simpleContent></xs:complexType>
  <xs:simpleType name="S"><xs:restriction base="xs:token"><xs:pattern value="[A-Z]{0,3}.*"/><xs:maxLength value="9"/></xs:restriction></xs:simpleType>
</xs:schema>"###;

fn schema() -> &'static Schema {
    static COMPILED: OnceLock<Schema> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let files = Files::from([("m.xsd".to_owned(), SCHEMA.as_bytes().to_vec())]);
        Schema::compile(&files, "m.xsd").expect("the schema compiles")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let found = schema().validate(text, Entry::Root, Limits::default());
    for violation in &found {
        assert!(!violation.finding.expected.is_empty() && !violation.finding.how_to_fix.is_empty());
        assert!(violation.line > 0 && violation.column > 0);
    }
    // Who hears the same reading beside the tree says the same.
    let bounds = XmlBounds { nodes_max: usize::MAX, ..XmlBounds::default() };
    let Ok(decoded) = XmlText::decode(bytes, bounds) else { return };
    // What states another encoding than the text's own is read as another text.
    if decoded.as_str() != text {
        return;
    }
    let mut beside = schema().judgement(Entry::Root, Limits::default());
    let read = decoded.read(&mut beside);
    assert_eq!(beside.violations(text), found);
    let broken = found.iter().any(|violation| violation.finding.code.starts_with("xml_"));
    let cut = found.iter().any(|violation| violation.finding.code == "xsd_too_many_findings");
    assert!(cut || broken == read.is_err());
    if !broken && !cut {
        let options = roxmltree::ParsingOptions { allow_dtd: false, ..roxmltree::ParsingOptions::default() };
        if let Err(error) = roxmltree::Document::parse_with_options(text, options) {
            panic!("another reader refuses it: {error}");
        }
    }
});
