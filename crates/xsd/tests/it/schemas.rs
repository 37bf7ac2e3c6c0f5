//! Schemas that are wrong, or use what is not understood: refused with code, file and line.

use xsd::Schema;

use crate::support::{files, one_file};

/// The body begins in line 2.
fn check(body: &str, code: &str, line: u32) {
    let error =
        Schema::compile(&one_file(body), "test.xsd").err().unwrap_or_else(|| panic!("compiles: {body}"));
    assert_eq!((error.code, error.line, error.file.as_str()), (code, line, "test.xsd"), "{error}\n{body}");
    assert!(!error.remedy.is_empty() && !error.detail.is_empty());
}

#[test]
fn what_is_not_understood_is_refused_where_it_stands() {
    let unsupported = "schema_construct_unsupported";
    check("<xs:notation name=\"n\" public=\"p\"/>", unsupported, 2);
    check("<xs:redefine schemaLocation=\"x\"/>", unsupported, 2);
    check(
        "<xs:element name=\"e\">\n<xs:key name=\"k\"><xs:selector xpath=\"a\"/></xs:key></xs:element>",
        unsupported,
        3,
    );
    check("<xs:element name=\"e\" type=\"xs:string\"><xs:unique name=\"u\"/></xs:element>", unsupported, 2);
    check(
        "<xs:complexType name=\"T\"><xs:sequence/><xs:assert test=\"1\"/></xs:complexType>",
        unsupported,
        2,
    );
    check(
        "<xs:simpleType name=\"T\"><xs:restriction base=\"xs:string\"><xs:assertion value=\"1\"/></xs:restriction></xs:simpleType>",
        unsupported,
        2,
    );
    check("<xs:element name=\"e\" type=\"xs:ENTITY\"/>", unsupported, 2);
    check(
        "<xs:element name=\"a\"/>\n<xs:element name=\"b\" substitutionGroup=\"a\"/>",
        "schema_attribute_unsupported",
        3,
    );
    check("<xs:complexType name=\"T\" block=\"extension\"/>", "schema_attribute_unsupported", 2);
    check("<xs:element name=\"a\" misspelt=\"1\"/>", "schema_attribute_unsupported", 2);
    check("<other/>", "schema_construct_misplaced", 2);
    check("<xs:element/>", "schema_attribute_missing", 2);
}

#[test]
fn references_lead_somewhere_and_not_in_circles() {
    check("<xs:element name=\"e\" type=\"Nowhere\"/>", "schema_reference_unknown", 2);
    check("<xs:element name=\"e\" type=\"p:Nowhere\"/>", "schema_reference_unknown", 2);
    check("<xs:complexType name=\"T\"><xs:group ref=\"g\"/></xs:complexType>", "schema_reference_unknown", 2);
    check(
        "<xs:complexType name=\"T\"><xs:attribute ref=\"a\"/></xs:complexType>",
        "schema_reference_unknown",
        2,
    );
    check(
        "<xs:simpleType name=\"A\"><xs:restriction base=\"B\"/></xs:simpleType><xs:simpleType name=\"B\"><xs:restriction base=\"A\"/></xs:simpleType>",
        "schema_definition_circular",
        2,
    );
    check(
        "<xs:group name=\"g\"><xs:sequence><xs:group ref=\"g\"/></xs:sequence></xs:group>",
        "schema_definition_circular",
        2,
    );
    check(
        "<xs:attributeGroup name=\"g\"><xs:attributeGroup ref=\"g\"/></xs:attributeGroup>",
        "schema_definition_circular",
        2,
    );
    check(
        "<xs:complexType name=\"T\"><xs:complexContent><xs:extension base=\"T\"/></xs:complexContent></xs:complexType>",
        "schema_definition_circular",
        2,
    );
    check("<xs:element name=\"e\"/>\n<xs:element name=\"e\"/>", "schema_defined_twice", 3);
    check(
        "<xs:complexType name=\"T\"><xs:attribute name=\"a\"/><xs:attribute name=\"a\"/></xs:complexType>",
        "schema_defined_twice",
        2,
    );
}

#[test]
fn values_of_a_schema_are_checked() {
    let restricted = |base: &str, facet: &str| {
        format!(
            "<xs:simpleType name=\"T\"><xs:restriction base=\"xs:{base}\">{facet}</xs:restriction></xs:simpleType>"
        )
    };
    check(&restricted("string", "<xs:length value=\"x\"/>"), "schema_value_invalid", 2);
    check(&restricted("decimal", "<xs:minInclusive value=\"x\"/>"), "schema_value_invalid", 2);
    check(&restricted("int", "<xs:enumeration value=\"x\"/>"), "schema_value_invalid", 2);
    check(&restricted("token", "<xs:whiteSpace value=\"preserve\"/>"), "schema_value_invalid", 2);
    check(&restricted("string", "<xs:totalDigits value=\"1\"/>"), "schema_construct_unsupported", 2);
    check(&restricted("duration", "<xs:minInclusive value=\"P1D\"/>"), "schema_construct_unsupported", 2);
    check(&restricted("string", "<xs:pattern value=\"[\"/>"), "schema_pattern_invalid", 2);
    check(
        &restricted("string", "<xs:pattern value=\"(\\p{L}{1000}){1000}\"/>"),
        "schema_pattern_too_large",
        2,
    );
    check("<xs:element name=\"e\" type=\"xs:int\" default=\"x\"/>", "schema_value_invalid", 2);
    check(
        "<xs:complexType name=\"T\"><xs:sequence minOccurs=\"2\"/></xs:complexType>",
        "schema_value_invalid",
        2,
    );
    check(
        "<xs:complexType name=\"T\"><xs:sequence><xs:all/></xs:sequence></xs:complexType>",
        "schema_construct_misplaced",
        2,
    );
}

#[test]
fn models_in_which_a_child_could_be_two_things_are_refused() {
    let model = |inner: &str| {
        format!("<xs:complexType name=\"T\"><xs:sequence>{inner}</xs:sequence></xs:complexType>")
    };
    let a = "<xs:element name=\"a\" type=\"xs:string\"/>";
    let optional = "<xs:element name=\"a\" type=\"xs:string\" minOccurs=\"0\"/>";
    let ambiguous = "schema_model_ambiguous";
    check(&model(&format!("{optional}{a}")), ambiguous, 2);
    check(
        &model(&format!("<xs:choice>{a}<xs:sequence>{a}<xs:element name=\"b\"/></xs:sequence></xs:choice>")),
        ambiguous,
        2,
    );
    check(&model(&format!("{optional}<xs:any/>")), ambiguous, 2);
    check(&model("<xs:any minOccurs=\"0\"/><xs:any namespace=\"##local\"/>"), ambiguous, 2);
    check(
        &model("<xs:element name=\"a\" type=\"xs:string\"/><xs:element name=\"a\" type=\"xs:int\"/>"),
        ambiguous,
        2,
    );
    check(
        &model(&format!("<xs:sequence maxOccurs=\"99999\">{a}<xs:element name=\"b\"/></xs:sequence>")),
        "schema_model_too_large",
        2,
    );
    // The same, told apart by counting.
    let schema = Schema::compile(
        &one_file(&model(&format!(
            "<xs:element name=\"a\" type=\"xs:string\" minOccurs=\"2\" maxOccurs=\"2\"/>{a}"
        ))),
        "test.xsd",
    );
    assert!(schema.is_ok(), "{schema:?}");
}

#[test]
fn files_are_there_and_are_schemas() {
    let xs = "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"";
    let check = |parts: &[(&str, &str)], code: &str, file: &str| {
        let error =
            Schema::compile(&files(parts), "a.xsd").err().unwrap_or_else(|| panic!("compiles: {parts:?}"));
        assert_eq!((error.code, error.file.as_str()), (code, file), "{error}");
    };
    check(&[], "schema_file_missing", "a.xsd");
    check(
        &[("a.xsd", &format!("<xs:schema {xs}><xs:include schemaLocation=\"b.xsd\"/></xs:schema>"))],
        "schema_file_missing",
        "a.xsd",
    );
    check(&[("a.xsd", "<schema/>")], "schema_not_a_schema", "a.xsd");
    check(&[("a.xsd", "<xs:schema>")], "schema_not_well_formed", "a.xsd");
    check(&[("a.xsd", "<!DOCTYPE x><x/>")], "schema_not_well_formed", "a.xsd");
    check(&[("a.xsd", &"<a>".repeat(1_000))], "schema_too_large", "a.xsd");
    check(
        &[
            (
                "a.xsd",
                &format!("<xs:schema {xs}><xs:import namespace=\"o\" schemaLocation=\"b.xsd\"/></xs:schema>"),
            ),
            ("b.xsd", &format!("<xs:schema {xs} targetNamespace=\"p\"/>")),
        ],
        "schema_namespace_mismatch",
        "a.xsd",
    );
    let mut broken = files(&[]);
    broken.insert("a.xsd".to_owned(), vec![0xFF, 0xFE]);
    assert_eq!(Schema::compile(&broken, "a.xsd").err().map(|error| error.code), Some("schema_not_utf8"));
}

/// References to references multiply; each of these would be some ten thousand million parts.
#[test]
fn small_files_do_not_make_large_schemas() {
    let mut groups =
        String::from("<xs:group name=\"g0\"><xs:sequence><xs:element name=\"a\"/></xs:sequence></xs:group>");
    let mut unions =
        String::from("<xs:simpleType name=\"u0\"><xs:union memberTypes=\"xs:int xs:int\"/></xs:simpleType>");
    for level in 1..=10 {
        let below = level - 1;
        let references = format!("<xs:group ref=\"g{below}\"/>").repeat(10);
        groups.push_str(&format!(
            "<xs:group name=\"g{level}\"><xs:sequence>{references}</xs:sequence></xs:group>"
        ));
        let members = format!("u{below} ").repeat(10);
        unions.push_str(&format!(
            "<xs:simpleType name=\"u{level}\"><xs:union memberTypes=\"{members}\"/></xs:simpleType>"
        ));
    }
    check(&groups, "schema_too_large", 2);
    check(&unions, "schema_too_large", 2);
    let repeated = "<xs:sequence maxOccurs=\"4000\">".repeat(20);
    check(
        &format!("<xs:complexType name=\"T\">{repeated}{}</xs:complexType>", "</xs:sequence>".repeat(20)),
        "schema_model_too_large",
        2,
    );
}

#[test]
fn a_namespace_comes_from_the_first_file_that_is_named_for_it() {
    let xs = "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"";
    let other = |kind: &str| {
        format!(
            "<xs:schema {xs} targetNamespace=\"o\"><xs:element name=\"n\" type=\"xs:{kind}\"/></xs:schema>"
        )
    };
    let (first, second) = (other("int"), other("string"));
    let main = format!(
        "<xs:schema {xs}>\n<xs:import namespace=\"o\" schemaLocation=\"b.xsd\"/>\n<xs:import namespace=\"o\" schemaLocation=\"c.xsd\"/></xs:schema>"
    );
    let files = files(&[("a.xsd", &main), ("b.xsd", &first), ("c.xsd", &second)]);
    let schema = Schema::compile(&files, "a.xsd").unwrap();
    assert_eq!(schema.notes(), ["a.xsd:3: o comes from b.xsd; c.xsd was left aside"]);
    assert_eq!(crate::support::codes(&schema, "<n xmlns='o'>x</n>"), "xsd_value_type");
}
