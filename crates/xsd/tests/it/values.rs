//! Values: built-in types, white space and facets.

use crate::support::{codes, schema};

/// A type by what restricts it, and values with the code they get.
fn check(facets: &str, values: &[(&str, &str)]) {
    let schema = schema(&format!(
        "<xs:simpleType name=\"T\">{facets}</xs:simpleType><xs:element name=\"v\" type=\"T\"/>"
    ));
    for (value, expected) in values {
        assert_eq!(codes(&schema, &format!("<v>{value}</v>")), *expected, "{value:?} {facets}");
    }
}

fn built_in(name: &str, good: &[&str], bad: &[&str]) {
    let schema = schema(&format!("<xs:element name=\"v\" type=\"xs:{name}\"/>"));
    for value in good {
        assert_eq!(codes(&schema, &format!("<v>{value}</v>")), "", "{name} {value:?}");
    }
    for value in bad {
        assert_ne!(codes(&schema, &format!("<v>{value}</v>")), "", "{name} {value:?}");
    }
}

#[test]
fn built_in_types_take_their_values() {
    built_in("string", &["", " any\ttext "], &[]);
    built_in("boolean", &["true", " false ", "1", "0"], &["TRUE", "", "yes", "2"]);
    built_in("decimal", &["1", "-1.50", "+.5", "5.", " 7 "], &["", "1e3", "1,5", "."]);
    built_in("integer", &["-0", "12345678901234567890123"], &["1.0", "1.", "x"]);
    built_in("int", &["2147483647", "-2147483648"], &["2147483648", "-2147483649"]);
    built_in("unsignedByte", &["0", "0255"], &["256", "-1", "+1", ""]);
    built_in("nonNegativeInteger", &["+1", "-0"], &["-1"]);
    built_in("positiveInteger", &["1"], &["0"]);
    built_in("negativeInteger", &["-1"], &["0"]);
    built_in("float", &["1", "-1.5E3", "INF", "-INF", "NaN"], &["inf", "1e", "+INF", "0x1"]);
    built_in("date", &["2024-02-29", "2024-02-29Z"], &["2023-02-29", "29.02.2024"]);
    built_in(
        "dateTime",
        &["2024-01-01T00:00:00", "2024-01-01T00:00:00.5+01:00"],
        &["2024-01-01", "2024-01-01T25:00:00"],
    );
    built_in("time", &["00:00:00"], &["0:00:00"]);
    built_in("gYear", &["2024", "99999999999"], &["24", "02024", "0000"]);
    built_in("duration", &["P1D", "-PT1.5S"], &["1D", "P", "PT"]);
    built_in("hexBinary", &["", "0aFF"], &["0", "0g"]);
    built_in("base64Binary", &["", "QQ==", "QUJD", "QU JD"], &["Q", "QQ=", "Q*==", "QR=="]);
    built_in("language", &["en", "zh-Hant"], &["", "toolonglang", "e1"]);
    built_in("NCName", &["a", "_b-1.c", "ä"], &["", "a:b", "1a", "a b"]);
    built_in("Name", &["a:b"], &["1"]);
    built_in("NMTOKEN", &["1a", "-"], &["", "a b"]);
    built_in("NMTOKENS", &["a b  c"], &["", " "]);
    built_in("QName", &["v"], &["p:v", ":v", "a:b:c"]);
    built_in("anyURI", &["urn:x", "a b", "a/b:c", "a#b", "%41", ""], &["%", "%4", "a#b#c", "12:00"]);
    built_in("anySimpleType", &["anything at all"], &[]);
}

#[test]
fn lengths_count_characters_after_white_space() {
    let token = |facets: &str| format!("<xs:restriction base=\"xs:token\">{facets}</xs:restriction>");
    check(
        &token("<xs:minLength value=\"1\"/><xs:maxLength value=\"3\"/>"),
        &[
            ("abc", ""),
            ("  a\n c ", ""),
            ("äöü", ""),
            ("", "xsd_value_length"),
            (" ", "xsd_value_length"),
            ("abcd", "xsd_value_length"),
        ],
    );
    check(
        "<xs:restriction base=\"xs:string\"><xs:length value=\"2\"/></xs:restriction>",
        &[("a ", ""), ("a", "xsd_value_length")],
    );
    check(
        "<xs:restriction base=\"xs:hexBinary\"><xs:length value=\"2\"/></xs:restriction>",
        &[("0a0b", ""), ("0a", "xsd_value_length")],
    );
}

#[test]
fn white_space_is_kept_replaced_or_collapsed() {
    for (kept, good, bad) in
        [("preserve", "a\tb", "a b"), ("replace", "a  b", "a b"), ("collapse", "a b", "ab")]
    {
        let pattern = match kept {
            "preserve" => "a\\tb",
            "replace" => "a  b",
            _ => "a b",
        };
        check(
            &format!(
                "<xs:restriction base=\"xs:string\"><xs:whiteSpace value=\"{kept}\"/><xs:pattern value=\"{pattern}\"/></xs:restriction>"
            ),
            &[(good, ""), (bad, "xsd_value_pattern")],
        );
    }
    check(
        "<xs:restriction base=\"xs:string\"><xs:enumeration value=\"a&#10;b\"/></xs:restriction>",
        &[("a\r\nb", ""), ("a\rb", ""), ("a&#13;b", "xsd_value_not_listed")],
    );
}

#[test]
fn digits_are_those_of_the_value_not_of_the_text() {
    check(
        "<xs:restriction base=\"xs:decimal\"><xs:totalDigits value=\"4\"/><xs:fractionDigits value=\"2\"/></xs:restriction>",
        &[
            ("0012.3400", ""),
            ("12.34", ""),
            ("12.345", "xsd_value_digits"),
            ("12345", "xsd_value_digits"),
            ("0.00", ""),
        ],
    );
}

#[test]
fn bounds_are_those_of_the_value() {
    check(
        "<xs:restriction base=\"xs:decimal\"><xs:minExclusive value=\"0\"/><xs:maxInclusive value=\"99.9\"/></xs:restriction>",
        &[
            ("0.0001", ""),
            ("99.90", ""),
            ("0.0", "xsd_value_range"),
            ("-1", "xsd_value_range"),
            ("100", "xsd_value_range"),
        ],
    );
    check(
        "<xs:restriction base=\"xs:date\"><xs:minInclusive value=\"2024-01-01\"/></xs:restriction>",
        &[("2024-01-01", ""), ("2023-12-31", "xsd_value_range")],
    );
}

#[test]
fn patterns_of_one_step_are_alternatives_and_of_several_all_hold() {
    let schema = schema(
        r#"<xs:simpleType name="A"><xs:restriction base="xs:string"><xs:pattern value="[a-z]+"/><xs:pattern value="\d+"/></xs:restriction></xs:simpleType>
           <xs:simpleType name="B"><xs:restriction base="A"><xs:pattern value=".{2}"/></xs:restriction></xs:simpleType>
           <xs:element name="v" type="B"/>"#,
    );
    for (value, expected) in
        [("ab", ""), ("12", ""), ("a1", "xsd_value_pattern"), ("abc", "xsd_value_pattern")]
    {
        assert_eq!(codes(&schema, &format!("<v>{value}</v>")), expected, "{value}");
    }
}

#[test]
fn enumerations_lists_and_unions() {
    check(
        "<xs:restriction base=\"xs:token\"><xs:enumeration value=\"EUR\"/><xs:enumeration value=\"GBP\"/></xs:restriction>",
        &[(" EUR ", ""), ("eur", "xsd_value_not_listed")],
    );
    check(
        "<xs:restriction base=\"xs:decimal\"><xs:enumeration value=\"1.0\"/></xs:restriction>",
        &[("1", ""), ("1.1", "xsd_value_not_listed")],
    );
    check("<xs:list itemType=\"xs:int\"/>", &[("1 2\n3", ""), ("", ""), ("1 x", "xsd_value_type")]);
    check(
        "<xs:union memberTypes=\"xs:int xs:boolean\"/>",
        &[(" 12 ", ""), ("true", ""), ("x", "xsd_value_type")],
    );
    check(
        "<xs:union memberTypes=\"xs:int\"><xs:simpleType><xs:restriction base=\"xs:string\"><xs:enumeration value=\"none\"/></xs:restriction></xs:simpleType></xs:union>",
        &[("12", ""), ("none", ""), ("", "xsd_value_type")],
    );
    check(
        "<xs:restriction><xs:simpleType><xs:list itemType=\"xs:int\"/></xs:simpleType><xs:maxLength value=\"2\"/></xs:restriction>",
        &[("1 2", ""), ("1 2 3", "xsd_value_length")],
    );
}

#[test]
fn pieces_of_text_are_one_value() {
    check(
        "<xs:restriction base=\"xs:string\"><xs:enumeration value=\"a&lt;b]c\"/></xs:restriction>",
        &[
            ("a&lt;b]c", ""),
            ("<![CDATA[a<b]]>]c", ""),
            ("a<!-- x -->&#60;<?pi x?>b]&#x63;", ""),
            ("a&lt;b", "xsd_value_not_listed"),
        ],
    );
}
